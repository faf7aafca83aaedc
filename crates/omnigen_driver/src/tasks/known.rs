//! Answers that need no call: what the lock pins, what the store has; and taking an answer in.

use std::sync::Arc;

use omnigen_agents::{Answer, Message, Need, NeedReply};
use omnigen_disk::mark::Comment;
use omnigen_engine::{File, Given, Read, Request, Sent};
use omnigen_ir::{Digest, FileId};
use omnigen_store::lock_file::{LockEntry, LockOutput};

use super::needs::{self, Met};
use super::{FORMAT, TaskId};
use crate::commit::{Body, Commit, Intent};
use crate::records::{Made, Output};
use crate::session::Session;

/// A task that is to be answered.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) file: FileId,
    pub(super) target: Box<str>,
    pub(super) request: Request,
    /// It was answered before, and the answer did not pass.
    pub(super) again: Option<Arc<Again>>,
}

/// What is asked once more after an answer that did not pass. What it is asked under is a function of the task's own key and of all
/// that was answered and found so far: the same chain is never paid for twice.
#[derive(Debug)]
pub(super) struct Again {
    pub(super) key: Digest,
    /// Answers so far.
    pub(super) answers: u32,
    /// The last of these, and what was found.
    pub(super) feedback: serde_json::Value,
    /// All of these, and the digests of what was found.
    pub(super) chain: Vec<(Digest, Digest)>,
}

impl Call {
    /// What its answer is stored under.
    pub(super) fn asked_as(&self) -> Digest {
        self.again.as_ref().map_or(self.request.key, |again| again.key)
    }

    pub(super) fn id(&self) -> TaskId {
        (self.file.clone(), self.target.clone())
    }
}

/// What is known of the answer to a request.
pub(super) enum Known {
    /// All of it.
    Answer(Box<Answer>),
    /// All of it that matters, from the lock and the committed files: the store has yet to learn it.
    Replayed(Box<Answer>),
    /// Only what the lock says: its files are neither in the store nor, as they should be, on disk.
    Digests(Box<LockEntry>),
    /// Another task has to be settled before it can be told.
    Waiting(TaskId),
    /// Nothing.
    Nothing,
}

/// Do the needs of an answer still get the same replies?
enum Hold {
    Yes,
    No,
    Waiting(TaskId),
}

/// The answer to a request, if the store has it, or the lock and the committed files. `pending` says which tasks are not settled.
pub(super) fn look_up(session: &mut Session, call: &Call, pending: &dyn Fn(&TaskId) -> bool) -> Result<Known, String> {
    let key = call.request.key;
    let stored = session.agents.answers.answer(&key).and_then(|bytes| Answer::decode(&bytes).ok());
    let entries: Vec<LockEntry> =
        session.agents.lock.of(&call.target, &call.file).iter().filter(|entry| entry.key == key).cloned().collect();
    // Where the lock pins another answer to the same question, that one was chosen, after this one had not passed.
    let other = |answer: &Answer, entry: &LockEntry| entry.decision.is_some() && !same_files(answer, entry);
    let chosen =
        |answer: &Answer| entries.iter().any(|entry| other(answer, entry) && committed(session, entry).is_some());
    let stored = stored.filter(|answer| !chosen(answer));
    if let Some(answer) = stored {
        match needs_hold(session, call, &answer.needs, pending)? {
            Hold::Yes => return Ok(Known::Answer(Box::new(answer))),
            Hold::Waiting(task) => return Ok(Known::Waiting(task)),
            Hold::No => {}
        }
    }
    for entry in entries {
        let Some(needs) =
            entry.needs.iter().map(|(need, digest)| Some((needs::named(need)?, *digest))).collect::<Option<Vec<_>>>()
        else {
            continue;
        };
        match needs_hold(session, call, &needs, pending)? {
            Hold::Yes => {}
            Hold::Waiting(task) => return Ok(Known::Waiting(task)),
            Hold::No => continue,
        }
        let Some(messages) = super::lock::messages(&entry) else { continue };
        return Ok(match committed(session, &entry) {
            Some(artifacts) => Known::Replayed(Box::new(Answer { artifacts, needs, messages, ..Answer::default() })),
            None => Known::Digests(Box::new(entry)),
        });
    }
    Ok(Known::Nothing)
}

/// Are the files of an answer those of a lock's line?
fn same_files(answer: &Answer, entry: &LockEntry) -> bool {
    let files = answer.artifacts.iter();
    answer.artifacts.len() == entry.artifacts.len()
        && files
            .zip(&entry.artifacts)
            .all(|((path, bytes), (known, digest))| path == known && Digest::of(bytes) == *digest)
}

/// The files of a lock's line as they are committed, if they are what it says.
fn committed(session: &Session, entry: &LockEntry) -> Option<Vec<(String, Vec<u8>)>> {
    let mut artifacts = Vec::new();
    for (path, digest) in &entry.artifacts {
        let (bytes, _) = omnigen_disk::files::read_bytes(&session.setup.out.join(path)).ok()?;
        let body = match Comment::of(path) {
            Some(_) => omnigen_disk::mark::body(&bytes).unwrap_or(bytes),
            None => bytes,
        };
        if Digest::of(&body) != *digest {
            return None;
        }
        artifacts.push((path.clone(), body));
    }
    Some(artifacts)
}

/// Would the agent get the same replies to what it asked for while it ran? In order, stopping at the first that differs: what it
/// asked for after that may have depended on it.
fn needs_hold(
    session: &mut Session,
    call: &Call,
    needs: &[(Need, Option<Digest>)],
    pending: &dyn Fn(&TaskId) -> bool,
) -> Result<Hold, String> {
    for (need, digest) in needs {
        let now = match needs::met(session, &call.id(), need)? {
            Met::Reply(NeedReply::Artifact { digest, .. }) => Some(digest),
            Met::Reply(NeedReply::Absent | NeedReply::Impossible(_)) => None,
            Met::Task(task) if pending(&task) => return Ok(Hold::Waiting(task)),
            Met::Task(task) => settled_files(session, &task)?,
        };
        if now != *digest {
            return Ok(Hold::No);
        }
    }
    Ok(Hold::Yes)
}

/// Would an agent that has just answered get the same replies again?
pub(super) fn still_holds(session: &mut Session, call: &Call, answer: &Answer) -> Result<bool, String> {
    Ok(!matches!(needs_hold(session, call, &answer.needs, &|_| false)?, Hold::No))
}

/// Digest of the files of a task that is settled.
fn settled_files(session: &mut Session, (file, target): &TaskId) -> Result<Option<Digest>, String> {
    if let Some(given) = session.graph_mut()?.given(file, target) {
        return Ok(Some(needs::files_digest(&given)));
    }
    let Some(record) = session.records.get(file) else { return Ok(None) };
    let mut files: Vec<(String, Digest)> = record
        .outputs
        .iter()
        .filter(|output| output.target == *target)
        .map(|output| (output.path.to_string(), output.digest))
        .collect();
    files.sort();
    Ok((!files.is_empty()).then(|| NeedReply::files_digest(&files)))
}

/// An answer, as other tasks see it.
fn seen(key: Digest, answer: &Answer) -> Given {
    let files = answer.artifacts.iter().map(|(path, bytes)| File {
        path: path.as_str().into(),
        digest: Digest::of(bytes),
        bytes: Some(bytes.as_slice().into()),
    });
    Given { key, files: files.collect(), messages: answer.messages.iter().map(sent).collect() }
}

fn sent(message: &Message) -> Sent {
    Sent {
        to: message.to.iter().map(|name| name.as_str().into()).collect(),
        digest: message.digest(),
        kind: message.kind.as_str().into(),
        data: message.canonical().into(),
    }
}

/// Takes what only the lock knows: enough for the keys of those who need it.
pub(super) fn give_digests(session: &mut Session, call: &Call, entry: &LockEntry) -> Result<(), String> {
    let files = entry.artifacts.iter();
    let files = files.map(|(path, digest)| File { path: path.as_str().into(), digest: *digest, bytes: None });
    let messages = super::lock::messages(entry).unwrap_or_default();
    let messages = messages.iter().map(sent).collect();
    let given = Given { key: call.request.key, files: files.collect(), messages };
    session.graph_mut()?.give(&call.file, &call.target, given);
    Ok(())
}

/// Takes an answer: outputs, records, lock, and the input of the task. `reads` is what its gates have looked at beside it.
pub(super) fn admit(
    session: &mut Session,
    commit: &mut Commit,
    call: &Call,
    answer: Answer,
    gates: Vec<(String, Digest)>,
    reads: Vec<Read>,
) -> Result<(), String> {
    let target: &str = &call.target;
    let key = call.request.key;
    let given = seen(key, &answer);
    let digest = given.digest();
    session.graph_mut()?.give(&call.file, target, given);
    let mut trace = call.request.trace.clone();
    for (need, _) in &answer.needs {
        let key = needs::read_key(&call.file, target, need);
        let digest = session.current(&key)?;
        trace.push(Read { key, digest });
    }
    trace.extend(reads);
    record(session, call, Made { ready: true, digest, trace: trace.into(), diagnostics: Vec::new() });
    if let Some(record) = session.records.get_mut(&call.file) {
        record.empty.retain(|name| **name != *target);
        if answer.artifacts.is_empty() {
            record.empty.push(target.into());
        }
    }
    let emitter = format!("{target}/{FORMAT}");
    let mut entry = super::lock::entry(&call.file, target, key, &answer);
    // A replay lacks what an agent said of its answer; the line that it is made of has the digest of all.
    let mut locked = session.agents.lock.of(target, &call.file).iter();
    let same = |known: &&LockEntry| {
        known.key == key
            && known.artifacts == entry.artifacts
            && known.needs == entry.needs
            && known.messages == entry.messages
    };
    if let Some(known) = locked.find(same) {
        entry.answer = known.answer;
    }
    if !gates.is_empty() {
        entry.decision = Some(super::lock::decision(key, &gates));
    }
    entry.gates = gates;
    session.agents.lock.put(entry);
    // What it gave before and gives no more is nobody's.
    let gives = |path: &str| answer.artifacts.iter().any(|(known, _)| *known == *path);
    let gone = |output: &Output| *output.target == *target && !gives(&output.path);
    if session.records.get(&call.file).is_some_and(|record| record.outputs.iter().any(gone)) {
        session.reshaped = true;
        if let Some(record) = session.records.get_mut(&call.file) {
            record.outputs.retain(|output| !gone(output));
        }
    }
    for (path, bytes) in answer.artifacts {
        let digest = Digest::of(&bytes);
        if Comment::of(&path).is_none() {
            let (source, emitter) = (call.file.to_string(), emitter.clone());
            session.agents.unmarked.push(LockOutput { path: path.clone(), source, emitter, digest });
        }
        let known = session.records.get(&call.file).and_then(|r| r.outputs.iter().find(|o| *o.path == *path));
        if known.is_some_and(|output| output.stat.is_some() && output.digest == digest) {
            continue;
        }
        let (file, target, emitter) = (call.file.clone(), call.target.clone(), emitter.clone());
        commit.put(session, Intent { file, target, path, body: Body::Bytes(bytes), digest, emitter })?;
    }
    Ok(())
}

/// Records that a task has no answer: its last good outputs stay, and the next run asks again.
pub(super) fn leave_open(session: &mut Session, call: &Call) {
    let trace = call.request.trace.as_slice().into();
    record(session, call, Made { ready: false, digest: call.request.key, trace, diagnostics: Vec::new() });
}

/// The same for a task that nothing is known of.
pub(super) fn leave_unasked(session: &mut Session, (file, target): &TaskId) {
    let made = Made { ready: false, digest: Digest::of(b""), trace: [].into(), diagnostics: Vec::new() };
    if let Some(details) = session.records.change(file) {
        details.made.insert(target.clone(), made);
    }
    session.records.refresh(file);
}

fn record(session: &mut Session, call: &Call, made: Made) {
    if let Some(details) = session.records.change(&call.file) {
        details.made.insert(call.target.clone(), made);
    }
    session.records.refresh(&call.file);
}

/// What was given, if it is still the answer to what would be asked.
pub(super) fn given(session: &mut Session, (file, target): &TaskId) -> Result<Option<Arc<Given>>, String> {
    Ok(session.graph_mut()?.given(file, target))
}
