//! What an agent would see of a task, and what makes the key of that: for `context` and `explain`, which ask nobody.

use std::collections::BTreeSet;

use omnigen_agents::Answer;
use omnigen_engine::{Package, Planned, Request};
use omnigen_ir::{Digest, FileId, KeyPart};
use serde::{Deserialize, Serialize};

use super::flow::Flow;
use super::{TaskId, TaskOutcome};
use crate::commit::Commit;
use crate::session::Session;

/// The parts of a key, as the store has them.
#[derive(Serialize, Deserialize)]
pub(super) struct Parts {
    /// In order.
    pub(super) parts: Vec<KeyPart>,
    /// The key that the task had before.
    pub(super) before: Option<Digest>,
}

impl Parts {
    pub(super) fn encode(self) -> Vec<u8> {
        postcard::to_stdvec(&self).unwrap_or_default()
    }

    fn of(session: &Session, key: &Digest) -> Option<Parts> {
        postcard::from_bytes(&session.agents.answers.key_parts(key)?).ok()
    }
}

/// A task as it would be asked now, beside what it was asked before.
pub(crate) struct Seen {
    /// What would be asked.
    pub(crate) request: Request,
    /// The key before that, if there was another, and its parts if the store has them.
    pub(crate) before: Option<(Digest, Option<Vec<KeyPart>>)>,
    /// What has been answered to it.
    pub(crate) answer: Option<Answer>,
    /// Gates that the answer has passed, with their receipts.
    pub(crate) gates: Vec<(String, Digest)>,
}

/// Plans a task, and looks up what it needs; asks nobody. The session must only compare.
fn planned(session: &mut Session, task: &TaskId) -> Result<Planned, String> {
    let targets = session.agents.targets.clone();
    session.readable(&task.0)?;
    session.graph_mut()?.set_tasks(&targets, std::slice::from_ref(&task.0));
    Flow::new(BTreeSet::from([task.clone()]), TaskOutcome::default()).run(session, &mut Commit::default())?;
    super::flow::plan(session, task)
}

/// All that an agent would see of a contract. The error is a sentence.
pub(crate) fn package(session: &mut Session, file: &FileId, target: &str) -> Result<Package, String> {
    let task = (file.clone(), target.into());
    match planned(session, &task)? {
        Planned::Ready(_) => {}
        Planned::Waiting(need) => {
            return Err(format!("it needs `{need}` of {file}, which is not known yet; run `omnigen build`"));
        }
        Planned::Failed(why) => return Err(why),
        Planned::Held | Planned::Unread(_) => return Err(format!("{file}, or what it needs, has errors")),
    }
    session.graph_mut()?.package(file, target).ok_or_else(|| format!("there is no task `{target}` for {file}"))
}

/// A task with its keys. `None` if it cannot be planned.
pub(crate) fn seen(session: &mut Session, file: &FileId, target: &str) -> Result<Option<Seen>, String> {
    let task = (file.clone(), target.into());
    let Planned::Ready(request) = planned(session, &task)? else { return Ok(None) };
    let locked = session.agents.lock.of(target, file).iter().find(|entry| entry.key == request.key).cloned();
    let before = match &locked {
        Some(_) => Parts::of(session, &request.key).and_then(|parts| parts.before),
        None => session.agents.lock.of(target, file).first().map(|entry| entry.key),
    };
    let before = before.map(|key| (key, Parts::of(session, &key).map(|parts| parts.parts)));
    let answer = session.agents.answers.answer(&request.key).and_then(|bytes| Answer::decode(&bytes).ok());
    session.agents.answers.release();
    Ok(Some(Seen { request, before, answer, gates: locked.map(|entry| entry.gates).unwrap_or_default() }))
}
