//! `omnigen cache`: what is kept between builds, looked at, checked, made smaller, forgotten. Nothing in it is needed for a right
//! result.

use std::time::Duration;

use omnigen_disk::{EntryKind, ProjectLock};
use omnigen_ir::Digest;
use omnigen_report::{Severity, count};
use schemars::JsonSchema;
use serde::Serialize;

use omnigen_store::Shelf;
use omnigen_store::shelf::Stock;

use crate::Options;
use crate::revision::Log;
use crate::session::{Manners, Session};
use crate::setup::Setup;

/// What is never removed: the lock while it is held, and what tells a half-written output from an edited one.
const STAYS: [&str; 2] = ["lock", "journal"];
/// What an answers' database is called that was found damaged.
const ASIDE: &str = "answers.redb.damaged";

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// Look only.
    Info,
    /// Remove what nothing refers to, and of the shared store what was not used for longest.
    Collect {
        /// Bytes that the shared store may have afterwards; otherwise what is configured.
        most: Option<u64>,
    },
    /// Check everything.
    Verify,
    /// Remove everything.
    Clear,
}

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Kept {
    /// Part by part.
    pub parts: Vec<Part>,
    /// Bytes that were removed.
    pub removed: u64,
    /// What is not as it was written; only looked for when that is asked.
    pub problems: Vec<String>,
}

/// One part of what is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Part {
    /// File or folder in `.omnigen`; `shared` for the store that checkouts share.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// Files.
    pub files: usize,
    /// Bytes of all of them.
    pub bytes: u64,
}

impl Kept {
    /// Is everything as it was written, as far as that was looked at?
    pub fn sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for Part { name, about, files, bytes } in &self.parts {
            out.push_str(&format!("{name:<14} {:>9}  {:>9}  {about}\n", size(*bytes), count(*files, "file")));
        }
        if self.parts.is_empty() {
            out.push_str("nothing is kept\n");
        }
        if self.removed > 0 {
            out.push_str(&format!("removed {}\n", size(self.removed)));
        }
        self.problems.iter().for_each(|problem| out.push_str(&format!("{problem}\n")));
        out
    }

    /// For programs.
    pub fn json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// Looks after what is kept of a project.
///
/// # Errors
/// In words: the configuration cannot be used, or somebody else is writing.
pub fn care(options: &Options, care: Care) -> Result<Kept, String> {
    let (setup, found) = Setup::new(options).map_err(|_| format!("{} cannot be used", crate::config::FILE))?;
    let state = setup.state.clone();
    let mut kept = Kept::default();
    let _lock = match care {
        Care::Info | Care::Verify => None,
        Care::Collect { .. } | Care::Clear if !matches!(omnigen_disk::stat(&state), Ok(Some(_))) => None,
        Care::Collect { .. } | Care::Clear => {
            Some(ProjectLock::acquire(&state, Duration::from_secs(30)).map_err(|held| held.to_string())?)
        }
    };
    if matches!(care, Care::Collect { .. } | Care::Verify) {
        let mut session = Session::open(setup.clone(), found, Manners::default(), &options.stop);
        session.unfold();
        if care == Care::Verify {
            let told = session.found.iter().filter(|found| found.at.is_none() && found.severity != Severity::Note);
            kept.problems.extend(told.map(|found| found.message.clone()));
            kept.problems.extend(session.records.damage());
            kept.problems.extend(Log::new(&setup).damage());
            let answers = omnigen_store::Answers::new(&state.join("answers.redb"));
            // Whoever opens it finds what is wrong with it.
            let _ = answers.answer(&Digest::of(b"verify"));
            kept.problems.extend(answers.trouble());
        } else {
            let stray = session.records.stray().into_iter().map(|name| format!("details/{name}"));
            remove(&setup, stray.chain([ASIDE.to_owned()]).collect(), &mut kept);
        }
    }
    if care == Care::Clear {
        let listing = omnigen_disk::listing(&state).unwrap_or_default();
        let files = listing.into_iter().filter(|entry| entry.kind == EntryKind::File).map(|entry| entry.path);
        remove(&setup, files.filter(|path| !STAYS.contains(&path.as_str())).collect(), &mut kept);
    }
    if let Some(folder) = &setup.shelf {
        let shelf = Shelf::new(folder);
        match care {
            Care::Collect { most } => kept.removed += shelf.trim(most.unwrap_or(setup.config.cache.most())),
            Care::Clear => {
                kept.removed += shelf.trim(0);
                let left = shelf.stock().files;
                if left > 0 {
                    kept.problems.push(format!("{} of {} cannot be removed", count(left, "file"), folder.display()));
                }
            }
            Care::Verify => kept.problems.extend(shelf.damage().iter().map(|name| format!("shared {name} is damaged"))),
            Care::Info => {}
        }
        let Stock { files, bytes } = shelf.stock();
        let about = format!("what was made in any checkout: {}", folder.display());
        kept.parts.push(Part { name: "shared".to_owned(), about, files, bytes });
    }
    for (name, about) in [
        ("manifest", "which of the ledgers count"),
        ("ledgers", "what every run has to know: stats, digests, what reads what"),
        ("details", "traces and outlines, read where something changed"),
        ("answers.redb", "agents' answers and verdicts"),
        ("judged", "tests whose documents were judged, to be taken again"),
        ("log", "builds that changed something, and why"),
        (ASIDE, "answers that were found damaged"),
    ] {
        let below = omnigen_disk::listing(&state.join(name)).unwrap_or_default();
        let paths: Vec<String> = match below.is_empty() {
            true => vec![name.to_owned()],
            false => below.into_iter().map(|entry| format!("{name}/{}", entry.path)).collect(),
        };
        let stats: Vec<u64> = paths.iter().filter_map(|path| file_size(&setup, path)).collect();
        if !stats.is_empty() {
            let (name, about) = (name.to_owned(), about.to_owned());
            kept.parts.push(Part { name, about, files: stats.len(), bytes: stats.iter().sum() });
        }
    }
    Ok(kept)
}

fn file_size(setup: &Setup, path: &str) -> Option<u64> {
    let full = setup.state.join(path);
    let stat = omnigen_disk::stat(&full).ok().flatten()?;
    // A folder has no size of its own.
    omnigen_disk::files::is_file(&full).then_some(stat.size)
}

fn remove(setup: &Setup, paths: Vec<String>, kept: &mut Kept) {
    let sizes: u64 = paths.iter().filter_map(|path| file_size(setup, path)).sum();
    let failed = omnigen_disk::remove_files(&setup.state, &paths);
    kept.problems.extend(failed.iter().map(|(path, error)| format!("{path} cannot be removed: {error}")));
    kept.removed += sizes - failed.iter().filter_map(|(path, _)| file_size(setup, path)).sum::<u64>();
    omnigen_disk::remove_empty_folders(&setup.state, &paths);
}
