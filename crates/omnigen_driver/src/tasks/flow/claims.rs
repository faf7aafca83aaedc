//! Whose a path is: no task gives what another one, or what is built in, has given.

use std::collections::{BTreeSet, HashMap};

use omnigen_agents::{Answer, Failure, FailureClass};
use omnigen_engine::Read;
use omnigen_ir::{Digest, FileId};
use omnigen_report::{Diagnostic, TaskEventKind};

use super::Flow;
use crate::commit::Commit;
use crate::session::Session;
use crate::tasks::known::{self, Call};
use crate::tasks::{TaskId, show};

/// An answer that may be placed, unless one of its paths is somebody else's.
pub(super) struct Contested {
    call: Call,
    answer: Answer,
    receipts: Vec<(String, Digest)>,
    reads: Vec<Read>,
}

impl Flow {
    /// An answer may be placed: at once if nobody else can have its paths, else when all are there that can.
    pub(super) fn admit(
        &mut self,
        session: &mut Session,
        commit: &mut Commit,
        call: Call,
        answer: Answer,
        receipts: Vec<(String, Digest)>,
        reads: Vec<Read>,
    ) -> Result<(), String> {
        let contested = Contested { call, answer, receipts, reads };
        if may_be_contested(session, &contested.call.target) {
            self.contested.insert(contested.call.id(), contested);
            return Ok(());
        }
        self.place(session, commit, contested)
    }

    /// Places what waits for others with the same paths, if nobody is left who could bring one. Whose a path is does not depend
    /// on who was quicker, then. Says whether there was something.
    pub(super) fn settle_contested(&mut self, session: &mut Session, commit: &mut Commit) -> Result<bool, String> {
        let stuck = self.asked.keys().all(|id| session.flight.get(*id).is_some_and(|call| call.wait.is_some()));
        let coming = !self.queue.is_empty() || !self.later.is_empty() || !self.resumed.is_empty();
        if self.contested.is_empty() || !stuck || coming || session.flight.judging || !self.judged.is_empty() {
            return Ok(false);
        }
        for (_, contested) in std::mem::take(&mut self.contested) {
            self.place(session, commit, contested)?;
        }
        Ok(true)
    }

    fn place(&mut self, session: &mut Session, commit: &mut Commit, contested: Contested) -> Result<(), String> {
        let Contested { call, answer, receipts, reads } = contested;
        let task = call.id();
        if let Some(why) = self.claim(session, commit, &call, &answer)? {
            self.reject(session, &call, &answer, vec![why]);
            return Ok(());
        }
        known::admit(session, commit, &call, answer, receipts, reads)?;
        let dependents = self.finished(&task);
        if !dependents.is_empty() {
            self.tell(session, &task, 0, TaskEventKind::DependencyResolved { dependents });
        }
        Ok(())
    }

    /// What an agent had asked for became another before it was done: its answer is none to what would be asked now.
    pub(super) fn ask_again(&mut self, session: &mut Session, call: Call) {
        let task = call.id();
        if self.overtaken.insert(task.clone()) {
            self.open.insert(task);
            return;
        }
        let text = "what it asked for while it ran changed before it was done".to_owned();
        let failure = Failure { class: FailureClass::Need, ..Failure::start(text) };
        self.give_up(session, &call, &failure, 1);
    }

    /// Takes the paths of an answer for its task. Or says whose one of them is.
    fn claim(
        &mut self,
        session: &mut Session,
        commit: &mut Commit,
        call: &Call,
        answer: &Answer,
    ) -> Result<Option<Diagnostic>, String> {
        if self.claims.is_none() && !session.manners.compare {
            // What is built in is on record only when it is placed.
            commit.flush(session)?;
        }
        let claims = self.claims.get_or_insert_with(|| Claims::new(session));
        let (task, paths) = (call.id(), || answer.artifacts.iter().map(|(path, _)| path.as_str()));
        if let Some((path, owner)) = claims.of_others(&task, paths(), &self.unfinished) {
            return Ok(Some(show::taken(session, call, path, owner)));
        }
        claims.take(&task, paths());
        Ok(None)
    }
}

/// Can a task of another target, or another task of this one, give a path that a task of this target gives? Told by their patterns
/// alone; yes in doubt.
fn may_be_contested(session: &Session, target: &str) -> bool {
    let Some(own) = session.agents.target(target) else { return false };
    let mut others = session.agents.targets().iter().filter(|other| other.name != own.name);
    meets_itself(&own.output) || others.any(|other| meet(&own.output, &other.output))
}

/// Where a pattern is not what is written.
const OPEN: [char; 3] = ['*', '?', '['];

/// Can a pattern give one path for two contracts?
fn meets_itself(pattern: &str) -> bool {
    let Some((before, after)) = pattern.split_once("{contract}") else { return true };
    // What lies in a contract's own folder is its own, as long as no part stands for several folders.
    let own_folder = !before.contains(OPEN) && after.starts_with('/') && !after.contains("**");
    pattern.contains(OPEN) && !own_folder
}

/// Can two patterns give one path? Not if they begin or end differently.
fn meet(one: &str, other: &str) -> bool {
    let ends = |pattern: &str| {
        let start = pattern.find(['{', '*', '?', '[']).unwrap_or(pattern.len());
        let end = pattern.rfind(['}', '*', '?', ']']).map_or(0, |end| end + 1);
        (folded(&pattern[..start]), folded(&pattern[end..]))
    };
    let ((start, end), (other_start, other_end)) = (ends(one), ends(other));
    (start.starts_with(&other_start) || other_start.starts_with(&start))
        && (end.ends_with(&other_end) || other_end.ends_with(&end))
}

/// Whose outputs are, by their paths as some disks fold them.
pub(super) struct Claims(HashMap<String, TaskId>);

impl Claims {
    /// Of all outputs that are recorded.
    pub(super) fn new(session: &Session) -> Claims {
        let of_files =
            session.records.iter().flat_map(|(file, record)| record.outputs.iter().map(move |o| (file.clone(), o)));
        let of_all = session.meta.outputs.iter().map(|output| (FileId::from(""), output));
        let owned = of_files.chain(of_all).map(|(file, output)| (folded(&output.path), (file, output.target.clone())));
        Claims(owned.collect())
    }

    /// A path of these that belongs to somebody else, and to whom. Tasks that are not finished have no claims yet.
    pub(super) fn of_others<'a>(
        &self,
        task: &TaskId,
        paths: impl Iterator<Item = &'a str>,
        unfinished: &BTreeSet<TaskId>,
    ) -> Option<(&'a str, &TaskId)> {
        let mut owned = paths.filter_map(|path| Some((path, self.0.get(&folded(path))?)));
        owned.find(|(_, owner)| *owner != task && !unfinished.contains(owner))
    }

    /// These are the task's now.
    pub(super) fn take<'a>(&mut self, task: &TaskId, paths: impl Iterator<Item = &'a str>) {
        paths.for_each(|path| {
            self.0.insert(folded(path), task.clone());
        });
    }
}

/// A path as disks see it that do not tell upper case from lower case.
fn folded(path: &str) -> String {
    if path.is_ascii() { path.to_ascii_lowercase() } else { omnigen_agents::folded(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_can_give_one_path() {
        for alone in ["docs/{contract}.md", "docs/{contract}/*.md", "docs/{contract}/x/*", "{name}/{contract}/?"] {
            assert!(!meets_itself(alone), "{alone}");
        }
        for shared in ["docs/*{contract}.md", "docs/{contract}-*.md", "docs/{contract}/**", "**/{contract}/x"] {
            assert!(meets_itself(shared), "{shared}");
        }
        assert!(!meet("docs/{contract}.md", "pages/{contract}.md") && !meet("{contract}.md", "{contract}.py"));
        assert!(meet("docs/{contract}.md", "docs/x/{contract}.md") && meet("Docs/{contract}", "docs/{contract}.md"));
    }
}
