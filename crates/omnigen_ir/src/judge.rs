//! Questions about the validity of documents, and who answers them.

use crate::samples::Samples;
use crate::{Digest, Encoder, Json, View};

/// Which of these documents are valid?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// Schema documents by URI. References to others are an error, never a fetch.
    pub documents: Vec<(String, Json)>,
    /// Is `format` asserted?
    pub assert_formats: bool,
    /// The documents to be judged. Those of one schema stand together.
    pub asked: Vec<Asked<'a>>,
}

/// Documents that one schema decides about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The URI of the schema, one of [`Question::documents`].
    pub root: String,
    /// Each document is judged as the only member of an object, under this name.
    pub member: Option<&'a str>,
    /// The documents.
    pub samples: &'a Samples,
}

impl Question<'_> {
    /// How many documents there are.
    pub fn count(&self) -> usize {
        self.asked.iter().map(|asked| asked.samples.candidates.len()).sum()
    }

    /// Digest of all that an answer depends on; see [`Judge::identity`].
    pub fn key(&self, identity: &str) -> Digest {
        let Question { documents, assert_formats, asked } = self;
        let mut encoder = Encoder::new("question/4", View::Full);
        encoder.str(identity);
        encoder.part(documents);
        encoder.part(assert_formats);
        for Asked { root, member, samples } in asked {
            encoder.part(root);
            encoder.str(member.map_or("", |name| name));
            encoder.byte(u8::from(member.is_some()));
            encoder.int(samples.bases.len() as u64);
            samples.bases.iter().for_each(|base| encoder.part(&base.document));
            encoder.int(samples.candidates.len() as u64);
            for candidate in &samples.candidates {
                encoder.int(candidate.base as u64);
                encoder.part(&candidate.edits);
            }
        }
        encoder.finish()
    }
}

/// Decides about documents, independently of the code that omnigen generates.
pub trait Judge {
    /// Who judges: another text when the same question may get another answer.
    fn identity(&self) -> &'static str;

    /// One verdict for each document, in their order, or why there is none.
    ///
    /// # Errors
    /// The schema does not compile: what is wrong with it.
    fn verdicts(&self, question: &Question<'_>) -> Result<Vec<bool>, String>;
}
