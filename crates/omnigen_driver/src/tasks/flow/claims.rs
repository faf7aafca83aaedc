//! Whose a path is: no task gives what another one, or what is built in, has given.

use std::collections::{BTreeSet, HashMap};

use omnigen_ir::FileId;

use crate::session::Session;
use crate::tasks::TaskId;

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
