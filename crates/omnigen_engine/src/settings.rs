//! Settings that few artifacts read: each of these is a read of its own, so that a change of it reaches nobody else.
//!
//! What all artifacts of a target read is in the digest of its generator: [`crate::Project::enters`].

use omnigen_ir::{Digest, External};
use omnigen_python::external::Imports;

use crate::trace::{ReadKey, Reads};

/// A setting that only some artifacts of a target read, and read about something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Setting {
    /// `project.duplicate-keys`: read where a key stands twice.
    DuplicateKeys,
    /// `project.dialects`, about a file: told to the judge of tests. What is made of the file's schemas shows it by itself.
    Dialects,
    /// `python.external`, about a class that a contract names and does not describe.
    External,
}

impl Setting {
    /// Its name in the configuration, or what the names of all its members start with.
    pub fn name(self) -> &'static str {
        match self {
            Setting::DuplicateKeys => "project.duplicate-keys",
            Setting::Dialects => "project.dialects",
            Setting::External => "python.external",
        }
    }

    /// The digest of what it says.
    pub(crate) fn said(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    /// A class, as something to ask [`Setting::External`] about: `module:Name`.
    pub(crate) fn class(External { module, name }: &External) -> String {
        format!("{}:{name}", module.as_deref().unwrap_or_default())
    }

    /// Where such a class is imported from; `None` if it is not.
    pub(crate) fn origin(imports: &Imports, class: &str) -> Option<Digest> {
        let (module, name) = class.split_once(':')?;
        let module = Some(module).filter(|module| !module.is_empty()).map(Into::into);
        let (module, name) = imports.of(&External { module, name: name.into() })?;
        Some(Setting::said(&format!("{module}:{name}")))
    }
}

impl Reads<'_> {
    /// Records what a setting says about something.
    pub(crate) fn setting(&self, setting: Setting, about: &str, digest: impl FnOnce() -> Option<Digest>) {
        self.record(ReadKey::Setting(setting, about.into()), digest);
    }
}
