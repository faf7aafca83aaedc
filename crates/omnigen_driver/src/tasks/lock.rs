//! `omnigen.lock`, as far as it is about tasks: what pins answers in the repository.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use omnigen_agents::{Answer, Message};
use omnigen_disk::Stat;
use omnigen_ir::{Digest, Encoder, FileId, View};
use omnigen_report::{Code, Diagnostic};
use omnigen_store::lock_file::{self, LockEntry, LockFile, LockMessage};

use super::needs;
use crate::session::Session;

/// The committed file that pins answers.
pub(crate) const LOCK: &str = "omnigen.lock";

/// The lock, read when somebody asks: a run that finds nothing changed never does.
pub(super) struct Lock {
    /// `None`: there are no tasks, and so nothing is to be read.
    path: Option<PathBuf>,
    read: LazyCell<Pinned, Box<dyn FnOnce() -> Pinned + Send>>,
}

/// What the lock says, and its text as it is on disk.
#[derive(Default)]
pub(super) struct Pinned {
    /// Without its tasks.
    pub(super) file: LockFile,
    pub(super) text: String,
    /// Why it cannot be used.
    pub(super) problem: Option<Diagnostic>,
    /// The entries of each task, by target and contract: mostly one, more after a careless merge.
    tasks: BTreeMap<(String, String), Vec<LockEntry>>,
}

impl Default for Lock {
    /// That of nobody.
    fn default() -> Lock {
        Lock { path: None, read: LazyCell::new(Box::new(Pinned::default)) }
    }
}

impl Lock {
    /// That of the project at `root`.
    pub(super) fn at(root: &Path) -> Lock {
        let path = root.join(LOCK);
        Lock { path: Some(path.clone()), read: LazyCell::new(Box::new(move || Pinned::read(&path))) }
    }

    /// What it says.
    pub(super) fn read(&self) -> &Pinned {
        &self.read
    }

    /// The same, to be changed.
    pub(super) fn change(&mut self) -> &mut Pinned {
        LazyCell::force_mut(&mut self.read)
    }

    /// The entries of a task.
    pub(super) fn of(&self, target: &str, contract: &str) -> &[LockEntry] {
        self.read().tasks.get(&(target.to_owned(), contract.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// All entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = &LockEntry> {
        self.read().tasks.values().flatten()
    }

    /// Puts an entry in the place of all others of its task.
    pub(super) fn put(&mut self, entry: LockEntry) {
        self.change().tasks.insert((entry.target.clone(), entry.contract.clone()), vec![entry]);
    }

    /// Its stat, if its bytes are what is known here; `Some(None)`: it is not there, and nothing is known.
    pub(super) fn stat(&self) -> Option<Option<Stat>> {
        let Some(path) = &self.path else { return Some(None) };
        match omnigen_disk::files::read_bytes(path) {
            Ok((bytes, stat)) => (bytes == self.read().text.as_bytes()).then_some(Some(stat)),
            Err(_) => self.read().text.is_empty().then_some(None),
        }
    }
}

impl Pinned {
    /// Is there anything of agents in it?
    pub(super) fn says_something(&self) -> bool {
        !self.tasks.is_empty() || !self.file.outputs.is_empty()
    }

    fn read(path: &Path) -> Pinned {
        let Ok(text) = omnigen_disk::read_text(path) else { return Pinned::default() };
        let (file, problem) = match lock_file::parse(&text.text) {
            Ok(file) => (file, None),
            Err(problem) => {
                let problem = Diagnostic::global(Code::BadConfig, format!("{LOCK}: {problem}"));
                (LockFile::default(), Some(problem))
            }
        };
        let mut lock = Pinned { text: text.text, problem, ..Pinned::default() };
        for entry in file.tasks {
            lock.tasks.entry((entry.target.clone(), entry.contract.clone())).or_default().push(entry);
        }
        lock.file = LockFile { tasks: Vec::new(), ..file };
        lock
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
        messages: answer.messages.iter().map(message).collect(),
        gates: Vec::new(),
        decision: None,
    }
}

/// A message as the lock has it.
fn message(message: &Message) -> LockMessage {
    let Message { to, kind, data: _ } = message;
    LockMessage { to: to.clone(), kind: kind.clone(), data: message.canonical() }
}

/// The messages of a line, whole. `None` if one is not JSON.
pub(super) fn messages(entry: &LockEntry) -> Option<Vec<Message>> {
    let read = |LockMessage { to, kind, data }: &LockMessage| {
        Some(Message { to: to.clone(), kind: kind.clone(), data: serde_json::from_str(data).ok()? })
    };
    entry.messages.iter().map(read).collect()
}

/// Writes `omnigen.lock` if it says something new; entries of contracts and targets that are gone are dropped.
pub(super) fn save(session: &mut Session, whole: bool) -> Result<(), String> {
    let known: BTreeSet<&str> = session.records.iter().map(|(file, _)| &**file).collect();
    let targets: BTreeSet<&str> = session.agents.targets.iter().map(|target| &*target.name).collect();
    if session.manners.compare || session.manners.frozen {
        // The lock stays as it is; what it says nobody makes any more goes all the same, as outputs with marks do.
        if whole {
            let entries = session.agents.lock.entries();
            let kept = entries.filter(|entry| known.contains(&*entry.contract) && targets.contains(&*entry.target));
            let given: BTreeSet<&str> =
                kept.flat_map(|entry| &entry.artifacts).map(|(path, _)| path.as_str()).collect();
            let outputs = session.agents.lock.read().file.outputs.iter();
            let abandoned = outputs.filter(|output| !given.contains(output.path.as_str())).cloned().collect();
            session.agents.abandoned = abandoned;
        }
        return Ok(());
    }
    let unmarked = std::mem::take(&mut session.agents.unmarked);
    let lock = session.agents.lock.change();
    for output in unmarked {
        lock.file.outputs.retain(|known| known.path != output.path);
        lock.file.outputs.push(output);
    }
    if whole {
        let file = &mut lock.file;
        lock.tasks
            .retain(|(target, contract), _| known.contains(contract.as_str()) && targets.contains(target.as_str()));
        let given: BTreeSet<&str> =
            lock.tasks.values().flatten().flat_map(|entry| &entry.artifacts).map(|(path, _)| path.as_str()).collect();
        let (kept, abandoned) =
            std::mem::take(&mut file.outputs).into_iter().partition(|output| given.contains(output.path.as_str()));
        file.outputs = kept;
        session.agents.abandoned = abandoned;
    }
    let lock = session.agents.lock.change();
    // Another command may have locked schemas since the file was read.
    let there = omnigen_disk::read_text(&session.setup.root.join(LOCK)).ok();
    if let Some(Ok(there)) = there.map(|text| lock_file::parse(&text.text)) {
        lock.file.schemas = there.schemas;
    }
    lock.file.tasks = lock.tasks.values().flatten().cloned().collect();
    let text = lock.file.render();
    lock.file.tasks.clear();
    if text != lock.text {
        let path = session.setup.root.join(LOCK);
        let _lock = session.lock()?;
        omnigen_disk::write_atomic(&path, text.as_bytes())
            .map_err(|error| format!("{LOCK} cannot be written: {error}"))?;
        session.agents.lock.change().text = text;
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
