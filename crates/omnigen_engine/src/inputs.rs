//! Everything that is set from outside. All else is derived.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use omnigen_ir::FileId;
use omnigen_ir::naming::{Naming, Unit};
use omnigen_python::Settings;
use omnigen_report::Diagnostic;

use crate::trace::{Outline, Target};

/// What is known of a file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Its text.
    Text(Arc<str>),
    /// Not read: unchanged since a former run, which left this.
    Stored(Arc<Stored>),
    /// Nobody has looked: whoever needs it gets it asked for.
    Unread,
    /// There is no such file (salsa cannot delete inputs).
    Absent,
    /// There is one, but it has no text: why not.
    Unusable(Diagnostic),
}

/// What a former run left of an unchanged file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its outside.
    pub outline: Arc<Outline>,
    /// Did its check find errors?
    pub held: bool,
}

/// One file: a contract, or a file that contracts refer to.
#[salsa::input]
pub(crate) struct Source {
    #[returns(ref)]
    pub(crate) path: FileId,
    #[returns(ref)]
    pub(crate) unit: Unit,
    #[returns(ref)]
    pub(crate) content: Content,
}

/// Which files there are.
#[salsa::input(singleton)]
pub(crate) struct Index {
    #[returns(ref)]
    pub(crate) sources: Arc<BTreeMap<FileId, Source>>,
}

/// What of the configuration queries may read, field by field.
#[salsa::input(singleton)]
pub(crate) struct Config {
    #[returns(ref)]
    pub(crate) naming: Naming,
    #[returns(ref)]
    pub(crate) python: Settings,
    /// The mirror's folder, from the project's root.
    #[returns(ref)]
    pub(crate) refs: Option<Box<str>>,
    /// Are two members of one name an error?
    #[returns(copy)]
    pub(crate) strict_keys: bool,
    /// Contracts that want the same outputs as another one: nothing is made of them.
    #[returns(ref)]
    pub(crate) clashing: BTreeSet<FileId>,
}

/// The configuration as the driver hands it over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// How Python is written.
    pub python: Settings,
    /// The folder that mirrors remote contracts, laid out `<host>/<path>`.
    pub refs: Option<Box<str>>,
    /// Two members of one name are an error; otherwise the last one counts, with a warning.
    pub strict_keys: bool,
}

impl Project {
    /// All that enters the digest of a target's generator: its format number and the fields that it reads. What is hashed is
    /// this list, so that an explanation cannot say anything else.
    pub fn enters(&self, target: Target) -> Vec<(String, String)> {
        let format = ("format".to_owned(), target.emitter());
        std::iter::once(format)
            .chain(self.fields(target).into_iter().map(|(name, value)| (name.to_owned(), value)))
            .collect()
    }

    /// The fields that a target reads, by name, with their values in text form.
    fn fields(&self, target: Target) -> Vec<(&'static str, String)> {
        // The others are read by few: [`crate::Setting`].
        let Project { python: Settings { naming, line_length, external: _, assert_formats }, refs, strict_keys: _ } =
            self;
        if target == Target::Nodes {
            return vec![("python.line-length", line_length.to_string())];
        }
        let mut fields = vec![("refs", refs.as_deref().unwrap_or("-").to_owned())];
        if target != Target::Check {
            fields.push(("python.naming", naming.class.clone()));
            fields.push(("python.line-length", line_length.to_string()));
            // Models read it too: what only the validator checks is noted in them.
            fields.push(("python.format", assert_formats.to_string()));
        }
        fields
    }
}
