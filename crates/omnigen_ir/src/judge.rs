//! Questions about the validity of documents, and who answers them.

use crate::{Digest, Encoder, View};

/// Which of these documents are valid against a schema?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The URI of the schema, one of `documents`.
    pub root: String,
    /// Schema documents by URI, as JSON text. References to others are an error, never a fetch.
    pub documents: Vec<(String, String)>,
    /// Is `format` asserted?
    pub assert_formats: bool,
    /// The documents to be judged, as JSON text.
    pub instances: Vec<String>,
}

impl Question {
    /// Digest of all that an answer depends on.
    pub fn key(&self) -> Digest {
        let Question { root, documents, assert_formats, instances } = self;
        let mut encoder = Encoder::new("question/1", View::Full);
        encoder.part(root);
        encoder.part(documents);
        encoder.part(assert_formats);
        encoder.part(instances);
        encoder.finish()
    }
}

/// Decides about documents, independently of the code that omnigen generates.
pub trait Judge {
    /// One verdict for each instance, or why there is none.
    ///
    /// # Errors
    /// The schema does not compile: what is wrong with it.
    fn verdicts(&self, question: &Question) -> Result<Vec<bool>, String>;
}
