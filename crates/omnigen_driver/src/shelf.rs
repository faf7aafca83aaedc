//! What was made of a file in any checkout is taken from a shared store instead of being computed again.
//!
//! A note belongs to a file's path and text, the program and the naming template. It holds the file's outline, which hangs on nothing
//! else, and of the last few builds what each artifact had read, and the digest of what came of it; texts lie by their digests.
//! Whether one of these is right here is decided as for everything that is remembered: by asking its recorded reads. So a
//! branch that changes what a hundred contracts refer to, and back, finds both states of all hundred.
//!
//! Files that include others have no note, since their outlines hang on more than their text.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use omnigen_engine::{Content, Outline, Read, Stored, Target};
use omnigen_ir::{Digest, Encoder, FileId, View};
use omnigen_report::{Code, Diagnostic};
use omnigen_store::Shelf;
use serde::{Deserialize, Serialize};

use crate::commit::Commit;
use crate::records::{Made, Named, Record};
use crate::session::{Halt, Session, in_parallel};
use crate::setup::Setup;

/// So many builds are remembered of one text.
const VARIANTS: usize = 4;

/// What is kept of one text of one file.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    outline: Arc<Outline>,
    /// What builds have made of it, the last one first: by target, `check` included.
    variants: Vec<Named<Made>>,
}

/// A note that was found.
#[derive(Debug)]
struct Found {
    note: Note,
    /// The text, if the graph was given the outline in its place.
    text: Option<Arc<str>>,
}

/// What the store has of the files of a round.
#[derive(Debug, Default)]
pub(crate) struct Shelved {
    found: HashMap<FileId, Option<Arc<Found>>>,
    /// Files of which something was computed.
    made: BTreeSet<FileId>,
    /// Artifacts that were not computed.
    pub(crate) restored: usize,
}

impl Shelved {
    /// Something was computed, which is to be kept for others.
    pub(crate) fn made(&mut self, file: &FileId) {
        self.made.insert(file.clone());
    }

    /// How much of a file may be used, as the graph was told? Only if it was told anything.
    pub(crate) fn told(&self, file: &str) -> Option<(bool, Digest)> {
        let found = self.found.get(file)?.as_ref().filter(|found| found.text.is_some())?;
        let check = found.note.variants.first().and_then(|made| made.get(Target::Check.name()));
        Some(check.map_or((false, Digest::of(b"")), Made::extent))
    }
}

/// Has a check found no errors?
fn sound(made: &Named<Made>) -> bool {
    made.get(Target::Check.name()).is_some_and(Made::whole)
}

/// The key of a file's note.
pub(crate) fn key(setup: &Setup, program: &Digest, file: &FileId, text: &Digest) -> Digest {
    let mut encoder = Encoder::new("shelf/1", View::Full);
    encoder.digest(program);
    encoder.str(file);
    encoder.digest(text);
    encoder.str(&format!("{:?}", setup.unit(file)));
    encoder.str(&setup.config.python.naming);
    encoder.finish()
}

fn read(shelf: &Shelf, key: &Digest) -> Option<Note> {
    postcard::from_bytes(&shelf.note(key)?).ok()
}

impl Session {
    fn shelf(&self) -> Option<(Shelf, Digest)> {
        let shelf = Shelf::new(self.setup.shelf.as_deref()?);
        let program = self.executable.as_ref()?.digest().ok()?;
        Some((shelf, program))
    }

    /// Looks for notes about changed files. Those that are found enter the graph as if they were remembered.
    pub(crate) fn look_up(&mut self, changed: &mut [(FileId, Content)]) {
        self.shelved = Shelved::default();
        let Some((shelf, program)) = self.shelf() else { return };
        let _span = tracing::info_span!("look up", files = changed.len()).entered();
        let setup = &self.setup;
        let found = in_parallel(setup.threads, &*changed, |(file, content)| {
            let Content::Text(text) = content else { return None };
            let digest = Digest::of(text.as_bytes());
            let note = read(&shelf, &key(setup, &program, file, &digest)).filter(|_| !text.is_empty())?;
            Some(Arc::new(Found { note, text: Some(text.clone()) }))
        });
        for ((file, content), found) in changed.iter_mut().zip(found) {
            if let Some(found) = &found {
                let held = !found.note.variants.first().is_some_and(sound);
                *content = Content::Stored(Arc::new(Stored { outline: found.note.outline.clone(), held }));
            }
            self.shelved.found.insert(file.clone(), found);
        }
    }

    /// Looks for notes about files that have not changed, but what they refer to has.
    fn look_around(&mut self, asked: &BTreeSet<(FileId, Target)>) {
        let Some((shelf, program)) = self.shelf() else { return };
        let there = |record: &&Record| record.stat.is_some() && record.digest != Digest::of(b"");
        let unknown: BTreeSet<&FileId> = asked.iter().map(|(file, _)| file).collect();
        let unknown: Vec<(FileId, Option<Digest>)> = unknown
            .into_iter()
            .filter(|file| !self.shelved.found.contains_key(*file))
            .map(|file| (file.clone(), self.records.get(file).filter(there).map(|record| record.digest)))
            .collect();
        let setup = &self.setup;
        let found = in_parallel(setup.threads, &unknown, |(file, digest)| {
            let note = read(&shelf, &key(setup, &program, file, &(*digest)?))?;
            Some(Arc::new(Found { note, text: None }))
        });
        self.shelved.found.extend(unknown.into_iter().map(|(file, _)| file).zip(found));
    }

    /// Does every read give what it gave then?
    pub(crate) fn holds(&mut self, trace: &[Read]) -> Result<bool, String> {
        for read in trace {
            if self.current(&read.key)? != read.digest {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes what the store has of what is asked for, as far as its reads hold here; what is left has to be computed.
    pub(crate) fn restore(
        &mut self,
        asked: &mut BTreeSet<(FileId, Target)>,
        commit: &mut Commit,
    ) -> Result<(), String> {
        let Some((shelf, _)) = self.shelf().filter(|_| !asked.is_empty()) else { return Ok(()) };
        let _span = tracing::info_span!("restore", artifacts = asked.len()).entered();
        self.look_around(asked);
        let mut unknown = BTreeSet::new();
        for (file, _) in &*asked {
            if self.graph_mut()?.content(file).is_none() && self.note_of(file).is_some() {
                unknown.insert(file.clone());
            }
        }
        self.supply(unknown)?;
        // Checks first: what may be made hangs on them, also of the files that refer to theirs.
        let mut checks: Vec<(FileId, Made)> = Vec::new();
        let mut refused: BTreeSet<FileId> = BTreeSet::new();
        let mut contents = Vec::new();
        let of_checks = asked.iter().filter(|(_, target)| *target == Target::Check).map(|(file, _)| file.clone());
        for file in of_checks.collect::<Vec<_>>() {
            let Some(found) = self.note_of(&file) else {
                refused.insert(file);
                continue;
            };
            let mut check = None;
            for made in found.note.variants.iter().filter_map(|variant| variant.get(Target::Check.name())) {
                if self.holds(&made.trace)? {
                    check = Some(made.clone());
                    break;
                }
            }
            let stored = matches!(self.graph_mut()?.content(&file), Some(Content::Stored(_)));
            let content = match (&check, &found.text) {
                (Some(made), _) => {
                    Some(Content::Stored(Arc::new(Stored { outline: found.note.outline.clone(), held: !made.whole() })))
                }
                (None, Some(text)) => Some(Content::Text(text.clone())),
                // Its text is asked for when it is checked.
                (None, None) => None,
            };
            if let Some(content) = content.filter(|_| stored) {
                contents.push((file.clone(), self.setup.unit(&file), content));
            }
            match check {
                Some(made) => checks.push((file, made)),
                None => drop(refused.insert(file)),
            }
        }
        self.graph_mut()?.set_files(contents);
        for (file, made) in checks {
            asked.remove(&(file.clone(), Target::Check));
            if self.manners.fail_fast && made.diagnostics.iter().any(Diagnostic::is_error) {
                self.halt = Some(Halt::FailedFast);
                return Err("a contract has errors".to_owned());
            }
            self.keep(&file, Target::Check, made, Some(None), false, commit)?;
        }
        let others: Vec<(FileId, Target)> = asked.iter().filter(|(file, _)| !refused.contains(file)).cloned().collect();
        for (file, target) in others.into_iter().filter(|(_, target)| *target != Target::Check) {
            let Some(found) = self.note_of(&file) else { continue };
            let mut taken = None;
            for variant in &found.note.variants {
                let (Some(check), Some(made)) = (variant.get(Target::Check.name()), variant.get(target.name())) else {
                    continue;
                };
                if self.holds(&check.trace)? && self.holds(&made.trace)? {
                    taken = Some(made.clone());
                    break;
                }
            }
            let Some(made) = taken else { continue };
            let text = match self.in_place(&file, target, &made) {
                true => None,
                false => match shelf.text(&made.digest) {
                    Some(text) => Some(text),
                    None => continue,
                },
            };
            self.shelved.restored += usize::from(made.ready && made.digest != Digest::of(b""));
            asked.remove(&(file.clone(), target));
            self.keep(&file, target, made, Some(text), false, commit)?;
        }
        Ok(())
    }

    fn note_of(&self, file: &str) -> Option<Arc<Found>> {
        self.shelved.found.get(file)?.clone()
    }

    /// Is no text needed, because there is none, or because it is where it belongs?
    fn in_place(&self, file: &FileId, target: Target, made: &Made) -> bool {
        let outputs = self.records.get(file).map(|record| &record.outputs[..]).unwrap_or_default();
        let path = self.setup.unit(file).path(target.kind());
        !made.ready
            || made.digest == Digest::of(b"")
            || outputs.iter().any(|o| *o.path == *path && o.stat.is_some() && o.digest == made.digest)
    }

    /// Puts what was computed in this round into the store. Trouble is no reason to fail: somebody computes again.
    pub(crate) fn shelve(&mut self) -> Option<Diagnostic> {
        let Shelved { made, restored, .. } = std::mem::take(&mut self.shelved);
        self.shelved.restored = restored;
        let (shelf, program) = self.shelf().filter(|_| !self.manners.compare && !made.is_empty())?;
        let _span = tracing::info_span!("shelve", files = made.len()).entered();
        let mut jobs = Vec::new();
        for file in made {
            let whole = |record: &&Record| record.stat.is_some() && record.includes.is_empty();
            let Some(record) = self.records.get(&file).filter(whole).cloned() else { continue };
            let Some(details) = self.records.details(&file).cloned() else { continue };
            let Some(outline) = details.outline else { continue };
            let built_in = |name: &str| Target::ALL.iter().any(|target| target.name() == name);
            let variant: Named<Made> = details.made.into_iter().filter(|(target, _)| built_in(target)).collect();
            jobs.push((key(&self.setup, &program, &file, &record.digest), record, outline, variant));
        }
        let setup = &self.setup;
        let put = in_parallel(setup.threads, &jobs, |(key, record, outline, variant)| -> std::io::Result<u64> {
            let mut added = 0;
            for output in &record.outputs {
                let made = variant.get(&output.target);
                if made.is_none_or(|made| !made.ready || made.digest != output.digest)
                    || shelf.text(&output.digest).is_some()
                {
                    continue;
                }
                // An output that somebody has edited has another digest.
                let read = omnigen_disk::files::read_bytes(&setup.out.join(&*output.path)).ok();
                let body = read.and_then(|(bytes, _)| omnigen_disk::mark::body(&bytes));
                let text = body.and_then(|body| String::from_utf8(body).ok());
                if let Some(text) = text.filter(|text| Digest::of(text.as_bytes()) == output.digest) {
                    shelf.put_text(&text)?;
                    added += text.len() as u64;
                }
            }
            let known = read(&shelf, key).map(|note| note.variants).unwrap_or_default();
            let variants = std::iter::once(variant.clone()).chain(known.into_iter().filter(|known| known != variant));
            let note = Note { outline: outline.clone(), variants: variants.take(VARIANTS).collect() };
            let bytes = postcard::to_stdvec(&note).map_err(std::io::Error::other)?;
            shelf.put_note(key, &bytes)?;
            Ok(added + bytes.len() as u64)
        });
        let added = put.into_iter().sum::<std::io::Result<u64>>();
        let kept = added.and_then(|added| shelf.tidy(added, setup.config.cache.most()));
        let folder = setup.shelf.as_deref().unwrap_or(&setup.root).display();
        kept.err().map(|error| {
            let message = format!("nothing is added to the shared store, {folder}: {error}");
            Diagnostic::global(Code::StoreUnwritable, message)
        })
    }
}
