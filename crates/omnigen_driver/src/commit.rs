//! Outputs onto the disk: only what differs, only what is ours, journaled before it is written; orphans away.

use std::collections::{BTreeSet, HashMap, HashSet};

use omnigen_disk::mark::{self, Comment};
use omnigen_disk::{EntryKind, How, Journal, Ownership, Stat, Write};
use omnigen_ir::{Digest, FileId};
use omnigen_report::{At, Code, Diagnostic};

use crate::records::Output;
use crate::session::{Round, Session};
use crate::setup::Setup;
use crate::survey::Survey;
use crate::{Change, ChangeKind};

/// So many bytes of outputs wait in memory before they are written.
const BATCH: usize = 4 << 20;

/// An output that somebody wants.
pub(crate) struct Intent {
    /// The file that it belongs to; empty for the project.
    pub(crate) file: FileId,
    /// The target.
    pub(crate) target: Box<str>,
    /// Path below the output folder.
    pub(crate) path: String,
    /// What stands behind the header.
    pub(crate) body: Vec<u8>,
    /// Digest of the body.
    pub(crate) digest: Digest,
    /// Name and format number of what made it.
    pub(crate) emitter: String,
}

/// Where a written output is recorded.
struct Slot {
    file: FileId,
    output: Output,
    kind: ChangeKind,
}

/// What a round does to outputs.
#[derive(Default)]
pub(crate) struct Commit {
    /// Files in the output folder; `None`: nobody has listed it, so each has to be looked at.
    existing: Option<HashSet<String>>,
    writes: Vec<Write>,
    slots: Vec<Slot>,
    waiting: usize,
    lock: Option<omnigen_disk::ProjectLock>,
    /// What was done, or with `check` would be.
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
    /// Takes the project's lock, unless nothing is to be written.
    ///
    /// # Errors
    /// Somebody else holds the lock, or the state folder cannot be made.
    pub(crate) fn begin(session: &Session, survey: &Survey) -> Result<Commit, String> {
        let existing = survey.listing.as_ref().map(|listing| {
            listing.iter().filter(|entry| entry.kind != EntryKind::Folder).map(|entry| entry.path.clone()).collect()
        });
        let mut commit = Commit { existing, ..Commit::default() };
        if !session.manners.check {
            let wait = std::time::Duration::from_secs(30);
            let lock =
                omnigen_disk::ProjectLock::acquire(&session.setup.state, wait).map_err(|held| held.to_string())?;
            commit.lock = Some(lock);
        }
        Ok(commit)
    }

    /// Brings one output to its place, or says why not.
    pub(crate) fn put(&mut self, session: &mut Session, intent: Intent) -> Result<(), String> {
        let Intent { file, target, path, body, digest, emitter } = intent;
        let shown = format!("{}/{path}", session.setup.out_name);
        let label = session.setup.label(&file).to_owned();
        let source = if label.is_empty() { "all contracts" } else { &label };
        let (bytes, mark) = match (Comment::of(&path), std::str::from_utf8(&body)) {
            (Some(comment), Ok(text)) => {
                let (text, mark) = mark::signed(comment, source, &emitter, text);
                (text.into_bytes(), mark)
            }
            _ => (body, [0; 16]),
        };
        let mut how = How::Create;
        let mut kind = ChangeKind::Create;
        let mut placed: Option<Stat> = None;
        if self.existing.as_ref().is_none_or(|existing| existing.contains(&path))
            && let Ok((there, stat)) = omnigen_disk::files::read_bytes(&session.setup.out.join(&path))
        {
            (how, kind) = (How::Replace, ChangeKind::Update);
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
                        let diff = diff(&String::from_utf8_lossy(&bytes), &String::from_utf8_lossy(&there));
                        self.diffs.insert(shown.clone(), diff);
                        self.edited(&shown, "this output was edited by hand; it is kept as it is");
                        return Ok(());
                    }
                    Ownership::Foreign => {
                        let message = "a file that omnigen did not make is where an output belongs";
                        let at = At::file(&shown.as_str().into());
                        let hint = "move it away, or choose another `out` folder";
                        self.diagnostics.push(Diagnostic::new(Code::ForeignFile, at, message).hint(hint));
                        return Ok(());
                    }
                }
            }
        }
        let output = Output { target, path: path.as_str().into(), stat: placed, digest, mark: mark.into() };
        if placed.is_some() {
            record(session, &file, output);
            return Ok(());
        }
        if session.manners.check {
            self.changes.push(Change { path: shown, kind });
            return Ok(());
        }
        self.waiting += bytes.len();
        self.writes.push(Write { path, bytes, how });
        self.slots.push(Slot { file, output, kind });
        if self.waiting > BATCH {
            self.flush(session)?;
        }
        Ok(())
    }

    fn edited(&mut self, shown: &str, message: &str) {
        let at = At::file(&shown.into());
        let hint = "put the change into the contract, or overwrite it with --force";
        self.diagnostics.push(Diagnostic::new(Code::EditedOutput, at, message).hint(hint));
        self.changes.push(Change { path: shown.to_owned(), kind: ChangeKind::HandEdited });
    }

    /// Writes what waits.
    fn flush(&mut self, session: &mut Session) -> Result<(), String> {
        if self.writes.is_empty() {
            return Ok(());
        }
        let _span = tracing::info_span!("write", files = self.writes.len()).entered();
        let (writes, slots) = (std::mem::take(&mut self.writes), std::mem::take(&mut self.slots));
        self.waiting = 0;
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
                    self.changes.push(Change { path: shown, kind: slot.kind });
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
        mut self,
        session: &mut Session,
        survey: &Survey,
        everything: bool,
        round: &mut Round,
    ) -> Result<(), String> {
        if everything {
            self.packages(session)?;
        }
        self.flush(session)?;
        if everything {
            self.sweep(session, survey);
        }
        self.changes.sort();
        if !session.journaled.is_empty() && !session.manners.check {
            omnigen_disk::orphans::remove_temporaries(&session.setup.out);
            session.journaled.clear();
        }
        round.environment = round.environment.take().or_else(|| self.unwritable.clone());
        round.diagnostics.append(&mut self.diagnostics);
        round.commit = self;
        Ok(())
    }

    /// Every folder with Python in it is a package.
    fn packages(&mut self, session: &mut Session) -> Result<(), String> {
        let mut folders: BTreeSet<String> = BTreeSet::new();
        for path in session.wanted_paths() {
            if !path.ends_with(".py") {
                continue;
            }
            let mut folder = path.as_str();
            while let Some((above, _)) = folder.rsplit_once('/') {
                if !folders.insert(above.to_owned()) {
                    break;
                }
                folder = above;
            }
            folders.insert(String::new());
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
                    body: Vec::new(),
                    digest: Digest::of(b""),
                    emitter: "package/1".to_owned(),
                },
            )?;
        }
        Ok(())
    }

    /// Removes files of ours that nothing wants.
    fn sweep(&mut self, session: &mut Session, survey: &Survey) {
        // Files named one by one say nothing about what else may be in the folder.
        if session.setup.named.is_some() {
            return;
        }
        let Some(listing) = &survey.listing else { return };
        let mut expected: HashSet<String> = session.wanted_paths().into_iter().collect();
        expected.extend(session.meta.outputs.iter().map(|output| output.path.to_string()));
        let owned = omnigen_disk::owned_files(&session.setup.out, listing, |path| expected.contains(path));
        let mut remove = Vec::new();
        for owned in owned {
            let shown = format!("{}/{}", session.setup.out_name, owned.path);
            let bytes = omnigen_disk::files::read_bytes(&session.setup.out.join(&owned.path));
            let intact = bytes.is_ok_and(|(bytes, _)| matches!(mark::inspect(&bytes), Ownership::Intact { .. }));
            if intact || session.manners.force {
                self.changes.push(Change { path: shown, kind: ChangeKind::Remove });
                remove.push(owned.path);
            } else {
                self.edited(&shown, "no contract makes this output any more, but it was edited by hand; it is kept");
            }
        }
        if session.manners.check || remove.is_empty() {
            return;
        }
        for (path, error) in omnigen_disk::remove_files(&session.setup.out, &remove) {
            let at = At::file(&format!("{}/{path}", session.setup.out_name).as_str().into());
            self.diagnostics.push(Diagnostic::new(Code::Unwritable, at, format!("it cannot be removed: {error}")));
        }
        omnigen_disk::remove_empty_folders(&session.setup.out, &remove);
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
    list.retain(|known| known.path != output.path && (known.target != output.target || file.is_empty()));
    list.push(output);
    list.sort_by(|a, b| (&a.target, &a.path).cmp(&(&b.target, &b.path)));
}

/// What a person changed in an output, as a unified diff.
fn diff(intended: &str, there: &str) -> String {
    let diff = similar::TextDiff::from_lines(intended, there);
    diff.unified_diff().context_radius(2).header("as generated", "as it is").to_string()
}
