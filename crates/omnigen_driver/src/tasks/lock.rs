//! `omnigen.lock`, as far as it is about tasks: what pins answers in the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use omnigen_agents::Answer;
use omnigen_ir::{Digest, Encoder, FileId, View};
use omnigen_report::{Code, Diagnostic};
use omnigen_store::lock_file::{self, LockEntry, LockFile};

use super::needs;
use crate::session::Session;

/// The committed file that pins answers.
pub(crate) const LOCK: &str = "omnigen.lock";

/// The lock, and its text as it is on disk.
#[derive(Default)]
pub(super) struct Lock {
    /// Without its tasks.
    pub(super) file: LockFile,
    pub(super) text: String,
    /// The entries of each task, by target and contract: mostly one, more after a careless merge.
    tasks: BTreeMap<(String, String), Vec<LockEntry>>,
}

impl Lock {
    /// Reads it. A file that cannot be used is told.
    pub(super) fn read(root: &Path, diagnostics: &mut Vec<Diagnostic>) -> Lock {
        let Ok(text) = omnigen_disk::read_text(&root.join(LOCK)) else { return Lock::default() };
        let file = lock_file::parse(&text.text).unwrap_or_else(|problem| {
            diagnostics.push(Diagnostic::global(Code::BadConfig, format!("{LOCK}: {problem}")));
            LockFile::default()
        });
        let mut lock = Lock { text: text.text, ..Lock::default() };
        for entry in file.tasks {
            lock.tasks.entry((entry.target.clone(), entry.contract.clone())).or_default().push(entry);
        }
        lock.file = LockFile { tasks: Vec::new(), ..file };
        lock
    }

    /// The entries of a task.
    pub(super) fn of(&self, target: &str, contract: &str) -> &[LockEntry] {
        self.tasks.get(&(target.to_owned(), contract.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// All entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = &LockEntry> {
        self.tasks.values().flatten()
    }

    /// Puts an entry in the place of all others of its task.
    pub(super) fn put(&mut self, entry: LockEntry) {
        self.tasks.insert((entry.target.clone(), entry.contract.clone()), vec![entry]);
    }
}

/// The line for an answer.
pub(super) fn entry(file: &FileId, target: &str, key: Digest, answer: &Answer) -> LockEntry {
    LockEntry {
        target: target.to_owned(),
        contract: file.to_string(),
        key,
        answer: answer.digest(),
        artifacts: answer.artifacts.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes))).collect(),
        needs: answer.needs.iter().map(|(need, digest)| (needs::name(need), *digest)).collect(),
        messages: answer.messages.iter().map(|message| (message.to.join(","), message.digest())).collect(),
        gates: Vec::new(),
        decision: None,
    }
}

/// Writes `omnigen.lock` if it says something new; entries of contracts and targets that are gone are dropped.
pub(super) fn save(session: &mut Session, whole: bool) -> Result<(), String> {
    if session.manners.compare || session.manners.frozen {
        return Ok(());
    }
    let known: BTreeSet<&str> = session.records.iter().map(|(file, _)| &**file).collect();
    let targets: BTreeSet<&str> = session.agents.targets.iter().map(|target| &*target.name).collect();
    let unmarked = std::mem::take(&mut session.agents.unmarked);
    let lock = &mut session.agents.lock;
    for output in unmarked {
        lock.file.outputs.retain(|known| known.path != output.path);
        lock.file.outputs.push(output);
    }
    if whole {
        let file = &mut lock.file;
        lock.tasks
            .retain(|(target, contract), _| known.contains(contract.as_str()) && targets.contains(target.as_str()));
        file.outputs.retain(|output| known.contains(output.source.as_str()));
    }
    // Another command may have locked schemas since the file was read.
    let there = omnigen_disk::read_text(&session.setup.root.join(LOCK)).ok();
    if let Some(Ok(there)) = there.map(|text| lock_file::parse(&text.text)) {
        lock.file.schemas = there.schemas;
    }
    lock.file.tasks = lock.entries().cloned().collect();
    let text = lock.file.render();
    lock.file.tasks.clear();
    if text != lock.text {
        let path = session.setup.root.join(LOCK);
        let _lock = session.lock()?;
        omnigen_disk::write_atomic(&path, text.as_bytes())
            .map_err(|error| format!("{LOCK} cannot be written: {error}"))?;
        session.agents.lock.text = text;
    }
    Ok(())
}

/// Digest of a decision: key and policy. With one candidate the policy is the gates that had to let it pass.
///
/// Encoding: domain `omnigen decision 1`; key; list of gate (string), receipt (digest).
pub(super) fn decision(key: Digest, gates: &[(String, Digest)]) -> Digest {
    let mut encoder = Encoder::new("omnigen decision 1", View::Full);
    encoder.digest(&key);
    encoder.part(&gates.to_vec());
    encoder.finish()
}
