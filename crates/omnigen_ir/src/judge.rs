//! Questions about the validity of documents, and who answers them.

use crate::samples::Edit;
use crate::{Digest, Encoder, Json, View};

/// Which of these documents are valid against a schema?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The URI of the schema, one of `documents`.
    pub root: String,
    /// Schema documents by URI. References to others are an error, never a fetch.
    pub documents: Vec<(String, Json)>,
    /// Is `format` asserted?
    pub assert_formats: bool,
    /// What the documents to be judged are changes of.
    pub bases: Vec<Json>,
    /// The documents to be judged: which base, and its changes, in order.
    pub instances: Vec<(usize, Vec<Edit>)>,
}

impl Question {
    /// Digest of all that an answer depends on; see [`Judge::identity`].
    pub fn key(&self, identity: &str) -> Digest {
        let Question { root, documents, assert_formats, bases, instances } = self;
        let mut encoder = Encoder::new("question/3", View::Full);
        encoder.str(identity);
        encoder.part(root);
        encoder.part(documents);
        encoder.part(assert_formats);
        encoder.part(bases);
        encoder.int(instances.len() as u64);
        for (base, edits) in instances {
            encoder.int(*base as u64);
            encoder.part(edits);
        }
        encoder.finish()
    }
}

/// Decides about documents, independently of the code that omnigen generates.
pub trait Judge {
    /// Who judges: another text when the same question may get another answer.
    fn identity(&self) -> &'static str;

    /// One verdict for each instance, or why there is none.
    ///
    /// # Errors
    /// The schema does not compile: what is wrong with it.
    fn verdicts(&self, question: &Question) -> Result<Vec<bool>, String>;
}
