//! Tests of earlier runs, whose documents were made and judged once: they are taken again where all that they have read is as it was.
//!
//! Tests are what is dearest to make. What is kept of them is what the shared store keeps of everything: what was read, and the text. Whether
//! one of them is right here is decided by asking its recorded reads, as for all that is remembered; so it does not matter to any result what is
//! kept. Only runs that make several tests look here at all.

use std::collections::HashMap;
use std::sync::Arc;

use omnigen_engine::Target;
use omnigen_ir::{Digest, FileId};
use omnigen_store::packs::Entry;
use omnigen_store::{Pack, Packs};
use serde::{Deserialize, Serialize};

use crate::commit::Commit;
use crate::records::Made;
use crate::session::Session;

/// The folder of the packs, in that of the state.
pub(crate) const FOLDER: &str = "judged";

/// What is known of a test module.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// What the check of the contract had found: what it holds back, and whether that is everything.
    check: (bool, Digest),
    made: Made,
}

/// Test modules that are kept.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    packs: Option<Packs>,
    /// Where they are, by file and text.
    known: HashMap<Digest, Vec<(Arc<str>, Entry)>>,
    /// What each pack holds.
    had: Vec<(Arc<str>, Vec<Digest>)>,
    /// Made since the last pack was written: key, note, text.
    fresh: Vec<(Digest, Vec<u8>, String)>,
    /// Has something been written?
    grown: bool,
}

impl Session {
    /// Finds out what there is. Called once, by a run that has several tests to make.
    pub(crate) fn recall_tests(&mut self) {
        let Some(program) = self.executable.as_ref().and_then(|executable| executable.digest().ok()) else { return };
        let packs = Packs::new(&self.setup.state.join(FOLDER), program);
        let mut judged = Judged::default();
        for Pack { name, entries } in packs.read() {
            let name: Arc<str> = name.into();
            judged.had.push((name.clone(), entries.iter().map(|entry| entry.key).collect()));
            for entry in entries {
                judged.known.entry(entry.key).or_default().push((name.clone(), entry));
            }
        }
        judged.packs = Some(packs);
        self.judged = judged;
    }

    /// What the tests of a file are kept under, as it is now.
    fn test_key(&self, file: &FileId) -> Option<Digest> {
        let record = self.records.get(file).filter(|record| record.stat.is_some())?;
        let program = self.executable.as_ref()?.digest().ok()?;
        Some(crate::shelf::key(&self.setup, &program, file, &record.digest))
    }

    /// Takes those out of what is to be made of which something is kept.
    pub(crate) fn remembered(&self, pending: &mut Vec<(FileId, Target)>) -> Vec<(FileId, Target)> {
        if self.judged.known.is_empty() {
            return Vec::new();
        }
        let kept = |(file, target): &(FileId, Target)| {
            *target == Target::Tests && self.test_key(file).is_some_and(|key| self.judged.known.contains_key(&key))
        };
        let (found, others) = std::mem::take(pending).into_iter().partition(kept);
        *pending = others;
        found
    }

    /// Takes tests that are kept, as far as their reads hold; those that do not are to be made.
    pub(crate) fn take_tests(
        &mut self,
        remembered: Vec<(FileId, Target)>,
        commit: &mut Commit,
    ) -> Result<Vec<(FileId, Target)>, String> {
        if remembered.is_empty() {
            return Ok(remembered);
        }
        let _span = tracing::info_span!("recall", artifacts = remembered.len()).entered();
        let mut others = Vec::new();
        for (file, target) in remembered {
            let Some((made, text)) = self.kept_test(&file)? else {
                others.push((file, target));
                continue;
            };
            self.shelved.restored += 1;
            self.keep(&file, target, made, Some(Some(text)), false, commit)?;
        }
        Ok(others)
    }

    fn kept_test(&mut self, file: &FileId) -> Result<Option<(Made, String)>, String> {
        let Some(check) = self.check_of(file) else { return Ok(None) };
        let Some(variants) = self.test_key(file).and_then(|key| self.judged.known.remove(&key)) else {
            return Ok(None);
        };
        for (pack, entry) in variants {
            let Ok(Note { check: then, made }) = postcard::from_bytes(&entry.note) else { continue };
            if then != check || !self.holds(&made.trace)? {
                continue;
            }
            let text = self.judged.packs.as_ref().and_then(|packs| packs.text(&pack, &entry));
            if let Some(text) = text.filter(|text| Digest::of(text.as_bytes()) == made.digest) {
                return Ok(Some((made, text)));
            }
        }
        Ok(None)
    }

    fn check_of(&mut self, file: &FileId) -> Option<(bool, Digest)> {
        let check = self.records.details(file)?.made.get(Target::Check.name())?;
        Some((check.ready, check.digest))
    }

    /// A test module was made: it is kept with what it has read.
    pub(crate) fn remember_test(&mut self, file: &FileId, text: &str) {
        if self.judged.packs.is_none() || self.manners.compare {
            return;
        }
        let (Some(key), Some(check)) = (self.test_key(file), self.check_of(file)) else { return };
        let made = self.records.details(file).and_then(|details| details.made.get(Target::Tests.name()));
        let Some(note) = made.and_then(|made| postcard::to_stdvec(&Note { check, made: made.clone() }).ok()) else {
            return;
        };
        self.judged.fresh.push((key, note, text.to_owned()));
    }

    /// Writes what a batch has made. Trouble is no reason to fail: it is made again.
    pub(crate) fn pack_tests(&mut self) {
        let fresh = std::mem::take(&mut self.judged.fresh);
        let Some(packs) = self.judged.packs.as_ref().filter(|_| !fresh.is_empty()) else { return };
        match packs.put(&fresh) {
            Ok(name) => {
                self.judged.had.push((name.into(), fresh.iter().map(|(key, ..)| *key).collect()));
                self.judged.grown = true;
            }
            Err(error) => tracing::warn!(%error, "tests cannot be kept for later runs"),
        }
    }

    /// After something was written: packs most of whose tests are of texts that contracts do not have any more go.
    pub(crate) fn keep_tests(&mut self) {
        if !std::mem::take(&mut self.judged.grown) {
            return;
        }
        let files: Vec<FileId> = self.records.iter().map(|(file, _)| file.clone()).collect();
        let now: std::collections::HashSet<Digest> = files.iter().filter_map(|file| self.test_key(file)).collect();
        let Judged { packs: Some(packs), had, .. } = &mut self.judged else { return };
        had.retain(|(name, keys)| {
            let alive = keys.iter().filter(|key| now.contains(*key)).count();
            let stays = alive * 2 >= keys.len();
            if !stays {
                packs.remove(name);
            }
            stays
        });
    }
}
