//! What is remembered of each file between runs: in memory as [`Record`]s, in the manifest as two sections.
//!
//! `files` has what every run needs (stats, outputs, which other files the traces are about) and is always read; `details` has
//! outlines, traces and findings, and of it only what a change touches is ever decoded. A record that did not change is
//! written back as the bytes that were read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use omnigen_disk::Stat;
use omnigen_engine::{Built, Outline, Read, ReadKey, State, Target};
use omnigen_ir::{Digest, FileId};
use omnigen_report::Diagnostic;
use serde::{Deserialize, Serialize};

/// One output of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Output {
    /// The target that it belongs to.
    pub(crate) target: Box<str>,
    /// Path below the output folder.
    pub(crate) path: Box<str>,
    /// What the disk said after it was written; `None`: it is not as it should be, look again.
    pub(crate) stat: Option<Stat>,
    /// Digest of the text behind the header.
    pub(crate) digest: Digest,
    /// Digest in the ownership mark.
    pub(crate) mark: [u8; 16],
}

/// What every run needs to know of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Is it a contract of the project, or only referred to by some?
    pub(crate) contract: bool,
    /// `None`: it could not be read.
    pub(crate) stat: Option<Stat>,
    /// Digest of its bytes.
    pub(crate) digest: Digest,
    /// Has it `$id`s?
    pub(crate) ids: bool,
    /// Are there findings among its details?
    pub(crate) noisy: bool,
    /// Has its check found errors?
    pub(crate) held: bool,
    /// Has an agent given no answer to what is asked of it now?
    pub(crate) open: bool,
    /// Its outputs.
    pub(crate) outputs: Vec<Output>,
    /// Hashes of everything that its traces are about; see [`mention`].
    pub(crate) mentions: Vec<u64>,
    /// Files that its references lead to or would lead to.
    pub(crate) uses: Vec<FileId>,
}

/// What only changes need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    /// What others see.
    pub(crate) outline: Option<Outline>,
    /// What was made, `check` included.
    pub(crate) made: BTreeMap<Box<str>, Made>,
}

/// An artifact's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    /// Was it made, or held back because of errors?
    pub(crate) ready: bool,
    /// Digest of its text.
    pub(crate) digest: Digest,
    /// What it has read.
    pub(crate) trace: Vec<Read>,
    /// What was found.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl From<Built> for Made {
    fn from(built: Built) -> Made {
        let Built { state, digest, trace, diagnostics, needs: _ } = built;
        Made { ready: state == State::Ready, digest, trace, diagnostics }
    }
}

/// Details that may still be the manifest's bytes.
#[derive(Clone, Debug)]
enum Lazy {
    Bytes(Arc<Vec<u8>>, std::ops::Range<usize>),
    Here(Box<Details>),
}

/// All records, by path.
#[derive(Debug, Default)]
pub(crate) struct Records {
    map: BTreeMap<FileId, (Record, Lazy)>,
}

/// What a manifest says beside the records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// Digest of the configuration as far as it decides what there is.
    pub(crate) config: Option<Digest>,
    /// The naming template that outlines were made with.
    pub(crate) naming: String,
    /// The file system's clock before contracts were looked at, in ns.
    pub(crate) read_at: i64,
    /// The same after the last output was written.
    pub(crate) written_at: i64,
    /// Findings that belong to no single file.
    pub(crate) global: Vec<Diagnostic>,
    /// Outputs that belong to the whole project.
    pub(crate) outputs: Vec<Output>,
}

/// The hash under which a record mentions a file (or, with the prefix `id:`, an `$id`): FNV-1a, 64 bits. A clash costs a
/// needless look at a trace, nothing else.
pub(crate) fn mention(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What a key is about, as a mention.
pub(crate) fn mentioned(key: &ReadKey) -> Option<u64> {
    match key {
        ReadKey::Id(uri) => Some(mention(&format!("id:{uri}"))),
        key => key.file().map(|file| mention(file)),
    }
}

impl Record {
    pub(crate) fn new(contract: bool) -> Record {
        Record {
            contract,
            stat: None,
            digest: Digest::of(b""),
            ids: false,
            noisy: false,
            held: false,
            open: false,
            outputs: Vec::new(),
            mentions: Vec::new(),
            uses: Vec::new(),
        }
    }
}

impl Records {
    pub(crate) fn get(&self, file: &str) -> Option<&Record> {
        self.map.get(file).map(|(record, _)| record)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&FileId, &Record)> {
        self.map.iter().map(|(file, (record, _))| (file, record))
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    pub(crate) fn remove(&mut self, file: &str) -> Option<Record> {
        self.map.remove(file).map(|(record, _)| record)
    }

    /// The record, made if there is none.
    pub(crate) fn entry(&mut self, file: &FileId, contract: bool) -> &mut Record {
        let fresh = || (Record::new(contract), Lazy::Here(Box::default()));
        &mut self.map.entry(file.clone()).or_insert_with(fresh).0
    }

    /// The record, if there is one.
    pub(crate) fn get_mut(&mut self, file: &str) -> Option<&mut Record> {
        self.map.get_mut(file).map(|(record, _)| record)
    }

    /// The details, decoded. Bytes that do not decode count as empty details: everything is then made anew.
    pub(crate) fn details(&mut self, file: &str) -> Option<&mut Details> {
        let (_, lazy) = self.map.get_mut(file)?;
        if let Lazy::Bytes(bytes, range) = lazy {
            let details = bytes.get(range.clone()).and_then(|bytes| postcard::from_bytes(bytes).ok()).unwrap_or_default();
            *lazy = Lazy::Here(Box::new(details));
        }
        match lazy {
            Lazy::Here(details) => Some(details),
            Lazy::Bytes(..) => None,
        }
    }

    /// Brings the summary fields of a record in line with its details.
    pub(crate) fn refresh(&mut self, file: &FileId) {
        let Some(details) = self.details(file) else { return };
        let noisy = details.made.values().any(|made| !made.diagnostics.is_empty());
        let is_task = |name: &str| Target::ALL.iter().all(|target| target.name() != name);
        let open = details.made.iter().any(|(name, made)| !made.ready && is_task(name));
        let held = details.made.get("check").is_none_or(|made| !made.ready);
        let ids = details.outline.as_ref().is_some_and(|outline| !outline.exports.ids.is_empty());
        let (mut mentions, mut uses) = (BTreeSet::new(), BTreeSet::new());
        for (target, made) in &details.made {
            for read in &made.trace {
                mentions.extend(mentioned(&read.key));
                if &**target == "check"
                    && let ReadKey::File(path) = &read.key
                {
                    uses.insert(path.clone());
                }
                // A file that an `$id` led to is known by its name or schema only.
                if let ReadKey::Name(path, ..) | ReadKey::Schema(path, ..) = &read.key {
                    uses.insert(path.clone());
                }
            }
        }
        if let Some(record) = self.get_mut(file) {
            record.noisy = noisy;
            record.held = held;
            record.open = open;
            record.ids = ids;
            record.mentions = mentions.into_iter().collect();
            record.uses = uses.into_iter().collect();
        }
    }

    /// The sections `files` and `details`.
    pub(crate) fn encode(&self) -> Result<(Vec<u8>, Vec<u8>), postcard::Error> {
        let (mut files, mut details) = (Vec::new(), Vec::new());
        let mut scratch = Vec::new();
        for (file, (record, lazy)) in &self.map {
            match lazy {
                Lazy::Bytes(bytes, range) => {
                    let bytes = bytes.get(range.clone()).unwrap_or_default();
                    files = postcard::to_extend(&(&**file, record, bytes.len() as u64), files)?;
                    details.extend_from_slice(bytes);
                }
                Lazy::Here(here) => {
                    scratch.clear();
                    scratch = postcard::to_extend(&**here, scratch)?;
                    files = postcard::to_extend(&(&**file, record, scratch.len() as u64), files)?;
                    details.extend_from_slice(&scratch);
                }
            }
        }
        Ok((files, details))
    }

    /// Records from the two sections; `None` if they do not fit together.
    pub(crate) fn decode(mut files: &[u8], details: Vec<u8>) -> Option<Records> {
        let details = Arc::new(details);
        let (mut map, mut at) = (BTreeMap::new(), 0usize);
        while !files.is_empty() {
            let ((file, record, length), rest): ((&str, Record, u64), _) = postcard::take_from_bytes(files).ok()?;
            let end = at.checked_add(usize::try_from(length).ok()?).filter(|&end| end <= details.len())?;
            map.insert(FileId::from(file), (record, Lazy::Bytes(details.clone(), at..end)));
            at = end;
            files = rest;
        }
        (at == details.len()).then_some(Records { map })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_the_manifest_and_stay_bytes() {
        let mut records = Records::default();
        for name in ["a.json", "b.json"] {
            let file = FileId::from(name);
            records.entry(&file, true).digest = Digest::of(name.as_bytes());
            let made = Made { ready: true, digest: Digest::of(b"x"), trace: Vec::new(), diagnostics: Vec::new() };
            if let Some(details) = records.details(name) {
                details.made.insert("check".into(), made);
            }
        }
        let (files, details) = records.encode().expect("encodes");
        let mut again = Records::decode(&files, details.clone()).expect("decodes");
        assert_eq!(again.get("a.json"), records.get("a.json"));
        assert!(again.details("b.json").is_some_and(|details| details.made["check"].ready));
        assert_eq!(again.encode().expect("encodes"), (files.clone(), details.clone()));
        assert!(Records::decode(&files, details[..details.len() - 1].to_vec()).is_none());
    }
}
