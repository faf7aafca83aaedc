//! Outputs onto the disk: only what differs, only what is ours, journaled before it is written; orphans away.
//!
//! What is to be done is decided in one place for all runs: [`Commit::put`] for outputs that somebody wants, [`Commit::sweep`]
//! for those that nobody does. A run that only compares takes the same decisions, and leaves out `flush`, the removal and
//! the records.

use std::collections::{BTreeSet, HashMap, HashSet};

use omnigen_disk::mark::{self, Comment, Heading};
use omnigen_disk::{EntryKind, How, Journal, Ownership, Stat, Write};
use omnigen_engine::Target;
use omnigen_ir::{Digest, FileId};
use omnigen_report::{At, BuildEvent, Change, ChangeKind, Code, Diagnostic};

use crate::events::tell;
use crate::patch::{self, patch};
use crate::records::{Mark, Output};
use crate::round::Round;
use crate::session::Session;
use crate::setup::Setup;
use crate::survey::Survey;

/// So many bytes of outputs wait in memory before they are written.
const BATCH: usize = 4 << 20;

/// Stands for what the disk would say of an output that a run which only compares has not written.
const PLANNED: Stat = Stat { size: 0, mtime_ns: 0, ctime_ns: 0, inode: 0 };

/// An output that somebody wants.
pub(crate) struct Intent {
    /// The file that it belongs to; empty for the project.
    pub(crate) file: FileId,
    /// The target.
    pub(crate) target: Box<str>,
    /// Path below the output folder.
    pub(crate) path: String,
    /// What stands behind the header.
    pub(crate) body: Body,
    /// Digest of the body.
    pub(crate) digest: Digest,
    /// Name and format number of what made it.
    pub(crate) emitter: String,
}

/// The content of an output.
pub(crate) enum Body {
    /// Text.
    Text(String),
    /// What may be text.
    Bytes(Vec<u8>),
}

/// Where a written output is recorded.
struct Slot {
    file: FileId,
    output: Output,
    change: Change,
}

/// What a round does to outputs.
#[derive(Default)]
pub(crate) struct Commit {
    /// Files in the output folder; `None`: nobody has listed it, so each has to be looked at.
    existing: Option<HashSet<String>>,
    writes: Vec<Write>,
    slots: Vec<Slot>,
    /// Where in these two an output waits, by path.
    queued: HashMap<String, usize>,
    waiting: usize,
    /// What was done, or in a run that compares would be.
    pub(crate) changes: Vec<Change>,
    /// Findings about outputs.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What people changed, by path as shown.
    pub(crate) diffs: HashMap<String, String>,
    /// The first output that could not be written, and why.
    pub(crate) unwritable: Option<String>,
}

impl std::fmt::Debug for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commit").field("changes", &self.changes).finish_non_exhaustive()
    }
}

impl Commit {
    /// Nothing done yet.
    pub(crate) fn begin(survey: &Survey) -> Commit {
        let existing = survey.listing.as_ref().map(|listing| {
            listing.iter().filter(|entry| entry.kind != EntryKind::Folder).map(|entry| entry.path.clone()).collect()
        });
        Commit { existing, ..Commit::default() }
    }

    /// Notes what was done, or would be.
    pub(crate) fn note(&mut self, change: Change) {
        tell(|| BuildEvent::Artifact(change.clone()));
        self.changes.push(change);
    }

    /// Brings one output to its place, or says why not.
    pub(crate) fn put(&mut self, session: &mut Session, intent: Intent) -> Result<(), String> {
        let Intent { file, target, path, body, digest, emitter } = intent;
        let shown = [&*session.setup.out_name, "/", &path].concat();
        let listed = self.existing.as_ref().is_none_or(|existing| existing.contains(&path));
        let mut change = Change {
            path: shown.clone(),
            change: ChangeKind::Create,
            contract: file.to_string(),
            target: target.to_string(),
            before: None,
            after: Some(digest.hex()),
            diff: None,
        };
        if !listed && session.manners.compare && !session.manners.diffs {
            // Nothing is there and nothing will be: nobody needs the text, nor its mark.
            let output = Output { target, path: path.into(), stat: Some(PLANNED), digest, mark: Mark::default() };
            record(session, &file, output);
            self.note(change);
            return Ok(());
        }
        let label = session.setup.label(&file).to_owned();
        let source = if label.is_empty() { "all contracts" } else { &label };
        let body = match body {
            Body::Text(text) => Ok(text),
            Body::Bytes(bytes) => String::from_utf8(bytes),
        };
        let (body, heading) = match (Comment::of(&path), body) {
            (Some(comment), Ok(text)) => {
                let heading = Heading::new(comment, source, &emitter, &text, Some(digest.as_bytes()));
                (text.into_bytes(), Some(heading))
            }
            (None, Ok(text)) => (text.into_bytes(), None),
            (_, Err(bytes)) => (bytes.into_bytes(), None),
        };
        let mark = heading.as_ref().map_or([0; 16], |heading| heading.digest);
        // Asked for a second time in a round, because what it hangs on has turned out otherwise: what counts is the last text.
        if let Some(&at) = self.queued.get(&path)
            && let (Some(write), Some(slot)) = (self.writes.get_mut(at), self.slots.get_mut(at))
        {
            write.bytes = match heading {
                Some(heading) => heading.whole(body),
                None => body,
            };
            (slot.output.digest, slot.output.mark) = (digest, mark.into());
            slot.change.after = Some(digest.hex());
            return Ok(());
        }
        let mut how = How::Create;
        let mut placed: Option<Stat> = None;
        // One that is not in its place is remembered as well: the next run has to look at it again.
        let output = Output { target, path: path.as_str().into(), stat: None, digest, mark: mark.into() };
        let mut before = None;
        let bytes = match heading {
            Some(heading) => heading.whole(body),
            None => body,
        };
        if listed && let Ok((there, stat)) = omnigen_disk::files::read_bytes(&session.setup.out.join(&path)) {
            (how, change.change) = (How::Replace, ChangeKind::Update);
            change.before = Some(Digest::of(&mark::body(&there).unwrap_or_else(|| there.clone())).hex());
            let half = session.journaled.contains_key(&path) && bytes.starts_with(&there);
            if there == bytes {
                placed = Some(stat);
            } else if !half && !session.agents.wrote(&path, &there) {
                match mark::inspect(&there) {
                    Ownership::Intact { .. } | Ownership::Edited { conflict_markers: true, .. } => {}
                    // An init file that somebody filled is theirs from then on.
                    Ownership::Edited { .. } | Ownership::Foreign if file.is_empty() => return Ok(()),
                    Ownership::Edited { .. } if session.manners.force => {}
                    Ownership::Edited { .. } => {
                        self.diffs.insert(shown.clone(), patch::edits(&bytes, &there));
                        self.edited(change, "this output was edited by hand; it is kept as it is");
                        record(session, &file, output);
                        return Ok(());
                    }
                    Ownership::Foreign => {
                        let message = "a file that omnigen did not make is where an output belongs";
                        let at = At::file(&shown.as_str().into());
                        let hint = "move it away, or choose another `out` folder";
                        self.diagnostics.push(Diagnostic::new(Code::ForeignFile, at, message).hint(hint));
                        record(session, &file, output);
                        return Ok(());
                    }
                }
            }
            before = Some(there);
        }
        let output = Output { stat: placed, ..output };
        if placed.is_some() {
            record(session, &file, output);
            return Ok(());
        }
        if session.manners.diffs {
            change.diff = Some(patch(&shown, before.as_deref(), Some(&bytes)));
        }
        if session.manners.compare {
            // For all that follows it is in its place, as it would be.
            record(session, &file, Output { stat: Some(PLANNED), ..output });
            self.note(change);
            return Ok(());
        }
        self.waiting += bytes.len();
        self.queued.insert(path.clone(), self.writes.len());
        self.writes.push(Write { path, bytes, how });
        self.slots.push(Slot { file, output, change });
        if self.waiting > BATCH {
            self.flush(session)?;
        }
        Ok(())
    }

    fn edited(&mut self, change: Change, message: &str) {
        let at = At::file(&change.path.as_str().into());
        let hint = "put the change into the contract, or overwrite it with --force";
        self.diagnostics.push(Diagnostic::new(Code::EditedOutput, at, message).hint(hint));
        self.note(Change { change: ChangeKind::HandEdited, after: None, ..change });
    }

    /// Writes what waits.
    pub(crate) fn flush(&mut self, session: &mut Session) -> Result<(), String> {
        if self.writes.is_empty() {
            return Ok(());
        }
        let _span = tracing::info_span!("write", files = self.writes.len()).entered();
        let _lock = session.lock()?;
        let (writes, slots) = (std::mem::take(&mut self.writes), std::mem::take(&mut self.slots));
        self.waiting = 0;
        self.queued.clear();
        let setup = &session.setup;
        let intended: Vec<(String, [u8; 32])> =
            writes.iter().map(|write| (write.path.clone(), *Digest::of(&write.bytes).as_bytes())).collect();
        let journal =
            Journal::begin(&setup.state, &intended).map_err(|error| format!("{}: {error}", setup.state.display()))?;
        let placed = omnigen_disk::write_all(&setup.out, &writes, setup.threads);
        journal.finish().map_err(|error| format!("{}: {error}", setup.state.display()))?;
        for (slot, placed) in slots.into_iter().zip(placed) {
            let shown = format!("{}/{}", session.setup.out_name, slot.output.path);
            match placed {
                Ok(placed) => {
                    let output = Output { stat: Some(placed.stat), ..slot.output };
                    record(session, &slot.file, output);
                    self.note(slot.change);
                }
                Err(error) => {
                    let first = self.unwritable.is_none();
                    self.unwritable.get_or_insert_with(|| format!("{shown} cannot be written: {error}"));
                    if !first {
                        let at = At::file(&shown.as_str().into());
                        self.diagnostics.push(Diagnostic::new(Code::Unwritable, at, error.to_string()));
                    }
                    record(session, &slot.file, Output { stat: None, ..slot.output });
                }
            }
        }
        Ok(())
    }

    /// What still waits; with `everything` also init files and orphans, which only matter when there are other files than before.
    pub(crate) fn finish(
        &mut self,
        session: &mut Session,
        survey: &Survey,
        everything: bool,
        round: &mut Round,
    ) -> Result<(), String> {
        self.flush(session)?;
        if everything {
            let wanted = session.wanted_paths();
            if session.records.damaged() {
                // What is wanted cannot be told.
                return Err("the records are damaged".to_owned());
            }
            self.packages(session, &wanted)?;
            self.flush(session)?;
            self.sweep(session, survey, wanted)?;
        }
        self.changes.sort();
        if !session.journaled.is_empty() && !session.manners.compare {
            let _lock = session.lock()?;
            omnigen_disk::orphans::remove_temporaries(&session.setup.out);
            session.journaled.clear();
        }
        round.environment = round.environment.take().or_else(|| self.unwritable.clone());
        round.diagnostics.append(&mut self.diagnostics);
        Ok(())
    }

    /// Every folder with Python in it is a package.
    fn packages(&mut self, session: &mut Session, wanted: &HashSet<String>) -> Result<(), String> {
        let mut folders: BTreeSet<&str> = BTreeSet::new();
        for path in wanted.iter().filter(|path| path.ends_with(".py")) {
            let mut folder = path.as_str();
            while let Some((above, _)) = folder.rsplit_once('/') {
                if !folders.insert(above) {
                    break;
                }
                folder = above;
            }
            folders.insert("");
        }
        let paths: BTreeSet<String> = folders
            .iter()
            .map(|folder| if folder.is_empty() { "__init__.py".to_owned() } else { format!("{folder}/__init__.py") })
            .collect();
        session.meta.outputs.retain(|output| paths.contains(&*output.path));
        for path in paths {
            let known = session.meta.outputs.iter().find(|output| *output.path == *path);
            if known.is_some_and(|output| output.stat.is_some()) {
                continue;
            }
            self.put(
                session,
                Intent {
                    file: "".into(),
                    target: "package".into(),
                    path,
                    body: Body::Text(String::new()),
                    digest: Digest::of(b""),
                    emitter: "package/1".to_owned(),
                },
            )?;
        }
        Ok(())
    }

    /// Removes files of ours that nothing wants.
    fn sweep(&mut self, session: &mut Session, survey: &Survey, wanted: HashSet<String>) -> Result<(), String> {
        // Files named one by one say nothing about what else may be in the folder.
        if session.setup.named.is_some() {
            return Ok(());
        }
        let Some(listing) = &survey.listing else { return Ok(()) };
        let mut expected = wanted;
        expected.extend(session.meta.outputs.iter().map(|output| output.path.to_string()));
        let owned = omnigen_disk::owned_files(&session.setup.out, listing, |path| expected.contains(path));
        let mut remove = Vec::new();
        for owned in owned {
            let shown = format!("{}/{}", session.setup.out_name, owned.path);
            let Ok((bytes, _)) = omnigen_disk::files::read_bytes(&session.setup.out.join(&owned.path)) else {
                continue;
            };
            let mut change = Change {
                path: shown.clone(),
                change: ChangeKind::Remove,
                contract: owned.source,
                before: Some(Digest::of(&mark::body(&bytes).unwrap_or_else(|| bytes.clone())).hex()),
                ..Change::default()
            };
            if matches!(mark::inspect(&bytes), Ownership::Intact { .. }) || session.manners.force {
                if session.manners.diffs {
                    change.diff = Some(patch(&shown, Some(&bytes), None));
                }
                remove.push((owned.path, change));
            } else {
                self.edited(change, "no contract makes this output any more, but it was edited by hand; it is kept");
            }
        }
        for output in session.agents.take_abandoned().into_iter().filter(|output| !expected.contains(&output.path)) {
            let shown = format!("{}/{}", session.setup.out_name, output.path);
            let Ok((bytes, _)) = omnigen_disk::files::read_bytes(&session.setup.out.join(&output.path)) else {
                continue;
            };
            let now = Digest::of(&bytes);
            let mut change = Change {
                path: shown.clone(),
                change: ChangeKind::Remove,
                contract: output.source,
                before: Some(now.hex()),
                ..Change::default()
            };
            if now == output.digest || session.manners.force {
                if session.manners.diffs {
                    change.diff = Some(patch(&shown, Some(&bytes), None));
                }
                remove.push((output.path, change));
            } else {
                self.edited(change, "no contract makes this output any more, but it was edited by hand; it is kept");
            }
        }
        if remove.is_empty() {
            return Ok(());
        }
        let paths: Vec<String> = remove.iter().map(|(path, _)| path.clone()).collect();
        let mut failed = HashMap::new();
        if !session.manners.compare {
            let _lock = session.lock()?;
            failed.extend(omnigen_disk::remove_files(&session.setup.out, &paths));
            omnigen_disk::remove_empty_folders(&session.setup.out, &paths);
        }
        for (path, change) in remove {
            match failed.remove(&path) {
                None => self.note(change),
                Some(error) => {
                    let message = format!("it cannot be removed: {error}");
                    let at = At::file(&change.path.as_str().into());
                    self.diagnostics.push(Diagnostic::new(Code::Unwritable, at, message));
                }
            }
        }
        Ok(())
    }
}

/// Owned files that no record names.
pub(crate) fn orphans(setup: &Setup, survey: &Survey) -> Vec<String> {
    if setup.named.is_some() {
        return Vec::new();
    }
    let strays: HashSet<&str> = survey.strays.iter().map(String::as_str).collect();
    let listing = survey.listing.as_deref().unwrap_or_default();
    let owned = omnigen_disk::owned_files(&setup.out, listing, |path| !strays.contains(path));
    owned.into_iter().map(|owned| owned.path).collect()
}

fn record(session: &mut Session, file: &FileId, output: Output) {
    let list = match session.records.get_mut(file) {
        Some(record) => &mut record.outputs,
        None if file.is_empty() => &mut session.meta.outputs,
        None => return,
    };
    // What is built in makes one file of a contract; what an agent gave no more was taken out before.
    let one = !file.is_empty() && Target::ALL.iter().any(|target| *target.name() == *output.target);
    list.retain(|known| known.path != output.path && !(one && known.target == output.target));
    list.push(output);
    list.sort_by(|a, b| (&a.target, &a.path).cmp(&(&b.target, &b.path)));
}
