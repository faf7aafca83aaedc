//! `watch`: rounds for as long as it is wanted.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use omnigen_disk::{Change, Watcher};
use omnigen_ir::FileId;

use crate::session::Session;
use crate::setup::Setup;
use crate::survey::{Scan, Survey};
use crate::tasks::LOCK;
use crate::{Options, Outcome, Round};

/// How often `stop` is looked at while nothing happens.
const TICK: Duration = Duration::from_millis(50);

/// Keeps outputs up to date until `stop`. Every round is passed on as it ends; the outcome returned is the last one.
pub fn watch(options: &Options, stop: &AtomicBool, on_round: &mut dyn FnMut(Round)) -> Outcome {
    let mut started = Instant::now();
    let mut session = match crate::open(options) {
        Ok((session, _)) => session,
        Err(outcome) => return *outcome,
    };
    session.watched = true;
    let (sender, changes) = mpsc::channel();
    // Watching starts before the first look, so that nothing falls between the two.
    let _watcher = match watcher(&session.setup, move |change| sender.send(change).is_ok()) {
        Ok(watcher) => watcher,
        Err(problem) => return crate::environment(format!("cannot watch {}: {problem}", session.setup.root.display())),
    };
    let mut survey = Survey::full(&session.setup, &session.records, &session.meta, Scan::new(&session.setup));
    let mut cause = String::new();
    loop {
        let first = cause.is_empty();
        session.opening = Some((!first).then(|| cause.clone()));
        let outcome = match session.round(survey) {
            Ok(round) if !first && round.idle => None,
            Ok(round) => {
                // Editors save by way of other files: what counts is what has another content now.
                if !first && !round.changed.is_empty() {
                    cause = named(&round.changed.iter().map(|file| file.to_string()).collect::<Vec<_>>());
                }
                session.announce();
                Some(crate::finished(options, crate::outcome(&mut session, options, round, started)))
            }
            Err(problem) => {
                session.announce();
                Some(crate::finished(options, crate::environment(problem)))
            }
        };
        let last = outcome.clone();
        if let Some(outcome) = outcome {
            on_round(Round { cause: std::mem::take(&mut cause), outcome });
        }
        let change = loop {
            if stop.load(Ordering::Relaxed) {
                return last.unwrap_or_default();
            }
            match changes.recv_timeout(TICK) {
                Ok(change) => break change,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return last.unwrap_or_default(),
            }
        };
        started = Instant::now();
        let mut paths: Option<BTreeSet<PathBuf>> = Some(BTreeSet::new());
        for change in std::iter::once(change).chain(changes.try_iter()) {
            match (change, &mut paths) {
                (Change::Paths(more), Some(paths)) => paths.extend(more),
                (Change::Rescan, _) => paths = None,
                (Change::Paths(_), None) => {}
            }
        }
        let touched: Vec<String> = paths.iter().flatten().map(|path| relative(&session.setup, path)).collect();
        cause = named(&touched);
        if touched.iter().any(|path| path == crate::config::FILE) {
            match Setup::new(options) {
                Ok((setup, found)) => session.reconfigure(setup, found),
                Err(found) => {
                    let outcome = crate::unusable(options, found);
                    on_round(Round { cause: cause.clone(), outcome });
                }
            }
            paths = None;
        }
        if touched.iter().any(|path| path == LOCK) {
            session.setup.read_lock();
        }
        let files: Option<BTreeSet<FileId>> =
            paths.map(|paths| paths.iter().map(|path| FileId::from(relative(&session.setup, path))).collect());
        survey = match files {
            Some(files) if session.plain(&files) => Survey::of(&session.setup, &session.records, &session.meta, &files),
            _ => {
                session.agents = crate::tasks::Agents::new(&session.setup);
                Survey::full(&session.setup, &session.records, &session.meta, Scan::new(&session.setup))
            }
        };
    }
}

/// Files as a cause, for people.
fn named(files: &[String]) -> String {
    match files {
        [] => "everything".to_owned(),
        [one] => one.clone(),
        many => format!("{} files", many.len()),
    }
}

/// Watches what a project reads, its own outputs and state left out.
fn watcher(setup: &Setup, sink: impl FnMut(Change) -> bool + Send + 'static) -> Result<Watcher, String> {
    let (out, state, mirror) = (setup.out.clone(), setup.state.clone(), setup.config.refs.is_some());
    let ignore = move |path: &std::path::Path| {
        path.starts_with(&out)
            || path.starts_with(&state)
            // Without a mirror nobody but us writes it.
            || (!mirror && path.file_name().is_some_and(|name| name == LOCK))
            || path
                .components()
                .any(|part| matches!(part.as_os_str().to_str(), Some(".git" | "__pycache__" | "node_modules")))
    };
    Watcher::new(&[(setup.root.clone(), true)], ignore, sink)
}

fn relative(setup: &Setup, path: &std::path::Path) -> String {
    let below = path.strip_prefix(&setup.root).unwrap_or(path);
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

impl Session {
    /// Do these changes concern nothing but files that are contracts, or are referred to by some? Then a look at them is enough.
    fn plain(&self, files: &BTreeSet<FileId>) -> bool {
        files.iter().all(|file| {
            self.records.get(file).is_some()
                && omnigen_disk::stat(&self.setup.path(file)).is_ok_and(|stat| stat.is_some())
        })
    }
}
