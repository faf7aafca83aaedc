//! Whose a path is: no task gives what another one, or what is built in, has given.

use std::collections::{BTreeSet, HashMap};

use omnigen_agents::Answer;
use omnigen_ir::FileId;
use omnigen_report::Diagnostic;

use super::Flow;
use crate::commit::Commit;
use crate::session::Session;
use crate::tasks::known::Call;
use crate::tasks::{TaskId, show};

impl Flow {
    /// Takes the paths of an answer for its task. Or says whose one of them is.
    pub(super) fn claim(
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
