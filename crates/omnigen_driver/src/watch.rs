//! `watch`: rounds for as long as it is wanted.
//!
//! The kernel's events are gathered in an [`Inbox`], also while a round is under way: a round that a newer edit concerns gives
//! way at the next batch, its unfinished results are dropped, and the next round takes both up. Under a storm of edits every
//! few rounds one is worked through. A file that is gone, or empty, may be one that an editor is just saving: that round waits a
//! moment ([`Doubt`]). A round that only waits for agents ends at any edit; their calls go on meanwhile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use omnigen_disk::{Change, Watcher};
use omnigen_ir::FileId;

use crate::session::{Halt, Session};
use crate::setup::Setup;
use crate::survey::Survey;
use crate::tasks::{LOCK, Mail};
use crate::{Options, Outcome, Round};

/// How often `stop` is looked at while nothing happens.
const TICK: Duration = Duration::from_millis(50);
/// How long a configuration that is gone may take to come back: some editors remove a file and write it anew.
const GAP: Duration = Duration::from_millis(50);
/// The same for contracts, which nobody stands still for meanwhile.
const DOUBT: Duration = Duration::from_millis(150);
/// So many rounds in a row give way to newer edits.
const GIVE_WAY: usize = 3;

/// What has happened and nobody has looked at yet.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    paths: BTreeSet<PathBuf>,
    /// Everything has to be looked at.
    rescan: bool,
    /// Rounds in a row that have given way.
    gave_way: usize,
}

impl Inbox {
    fn add(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Paths(paths) => self.paths.extend(paths),
                Change::Rescan => self.rescan = true,
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.paths.is_empty() && !self.rescan
    }

    fn take(&mut self) -> (BTreeSet<PathBuf>, bool) {
        (std::mem::take(&mut self.paths), std::mem::take(&mut self.rescan))
    }

    /// Has something happened that the round at hand should give way to: to one of these files, or everywhere?
    pub(crate) fn calls(&mut self, changes: Vec<Change>, concerned: impl Fn(&Path) -> bool) -> bool {
        self.add(changes);
        let calls = self.gave_way < GIVE_WAY && (self.rescan || self.paths.iter().any(|path| concerned(path)));
        self.gave_way += usize::from(calls);
        calls
    }
}

/// Files that were there and are gone or empty now: many editors save that way, and it takes them a moment. A round that finds
/// some waits for what comes next, within bounds.
#[derive(Debug, Default)]
pub(crate) struct Doubt {
    /// A run that is the only one takes everything as it is.
    pub(crate) allowed: bool,
    since: Option<Instant>,
    /// When the round at hand began to look. A look that was taken in time and thought about too late says nothing of what came in between.
    looked: Option<Instant>,
}

impl Doubt {
    /// Is the round at hand to wait, which has found such files or none?
    pub(crate) fn holds(&mut self, found: bool) -> bool {
        let looked = self.looked.unwrap_or_else(Instant::now);
        let since = (self.allowed && found).then(|| self.since.unwrap_or(looked));
        self.since = since.filter(|since| looked.saturating_duration_since(*since) < DOUBT);
        self.since.is_some()
    }

    /// Is there something to wait for, and how long?
    fn left(&self) -> Option<Duration> {
        self.since.map(|since| DOUBT.saturating_sub(since.elapsed()))
    }
}

/// Keeps outputs up to date until `stop`. Every round is passed on as it ends; the outcome returned is the last one.
pub fn watch(options: &Options, stop: &AtomicBool, on_round: &mut dyn FnMut(Round)) -> Outcome {
    let mut started = Instant::now();
    let mut session = match crate::begin(options) {
        Ok(session) => session,
        Err(outcome) => return *outcome,
    };
    session.watched = true;
    let sender = session.flight.sender();
    // Watching starts before the first look, so that nothing falls between the two.
    let mut watcher = match self::watcher(&session.setup, sender.clone()) {
        Ok(watcher) => watcher,
        Err(problem) => return crate::environment(format!("cannot watch {}: {problem}", session.setup.root.display())),
    };
    session.inbox = Some(Inbox::default());
    let mut survey = session.at_first();
    let mut last = Outcome::default();
    let (mut first, mut gave_way) = (true, false);
    let mut touched: BTreeSet<String> = BTreeSet::new();
    // The configuration cannot be used; it can again, and that is still to be told.
    let (mut unusable, mut mended) = (false, false);
    loop {
        let mut cause = if first { String::new() } else { named(&touched) };
        // A round that takes up another one is told as one with it.
        if !gave_way {
            session.opening = Some((!first).then(|| cause.clone()));
        }
        let ended = session.round(survey);
        gave_way = session.halt.take() == Some(Halt::GaveWay);
        if !gave_way {
            let outcome = match ended {
                // Nothing was to be done, and nobody has been told that something would be.
                Ok(round) if !first && round.idle && session.opening.is_some() && !mended => None,
                Ok(round) => {
                    // Editors save by way of other files: what counts is what has another content now.
                    if !first && !round.changed.is_empty() {
                        cause = named(&round.changed.iter().map(|file| file.to_string()).collect());
                    }
                    session.announce();
                    Some(crate::outcome(&mut session, options, round, started))
                }
                Err(problem) => {
                    // What was computed and could not be written is not known to be there.
                    session.reload();
                    session.announce();
                    Some(crate::environment(problem))
                }
            };
            if let Some(outcome) = outcome {
                last = crate::finished(options, outcome);
                on_round(Round { cause, outcome: last.clone() });
            }
            touched.clear();
            (first, mended) = (false, false);
            session.doubt.allowed = true;
            if let Some(inbox) = &mut session.inbox {
                inbox.gave_way = 0;
            }
        }
        if !gave_way {
            session.lay_aside();
        }
        if !session.wait(stop) {
            session.flight.cancel_all();
            return last;
        }
        let now = Instant::now();
        session.quiet_since = Some(now);
        session.doubt.looked = Some(now);
        if !gave_way {
            started = now;
        }
        let (paths, rescan) = session.inbox.as_mut().map(Inbox::take).unwrap_or_default();
        let now: BTreeSet<String> = paths.iter().map(|path| relative(&session.setup, path)).collect();
        let mut everywhere = rescan || gave_way;
        // Where everything has to be looked at, the configuration is part of it.
        let named_it = now.contains(crate::config::FILE);
        if named_it || rescan {
            everywhere = true;
            let read = Setup::new(options).or_else(|_| {
                std::thread::sleep(GAP);
                Setup::new(options)
            });
            mended |= read.is_ok() && unusable;
            unusable = read.is_err();
            match read {
                Ok((setup, _)) if !named_it && setup.config == session.setup.config => {}
                Ok((setup, found)) => {
                    session.reconfigure(setup, found);
                    // Other folders may have to be watched, or no longer.
                    match self::watcher(&session.setup, sender.clone()) {
                        Ok(other) => watcher = other,
                        Err(problem) => tracing::warn!(problem, "the old folders are watched"),
                    }
                }
                Err(found) => {
                    crate::events::started(omnigen_report::Activity::Build, Some(crate::config::FILE));
                    last = crate::finished(options, crate::unusable(options, found));
                    on_round(Round { cause: crate::config::FILE.to_owned(), outcome: last.clone() });
                }
            }
        }
        if now.contains(LOCK) {
            session.setup.read_lock();
        }
        let files: BTreeSet<FileId> = now.iter().map(|path| FileId::from(path.as_str())).collect();
        touched.extend(now);
        survey = if !everywhere && session.plain(&files) {
            Survey::of(&session.setup, &session.records, &session.meta, &files)
        } else {
            session.agents = crate::tasks::Agents::new(&session.setup);
            full(&session)
        };
        // Kept for as long as it is listened to.
        let _ = &watcher;
    }
}

fn full(session: &Session) -> Survey {
    Survey::full(&session.setup, &session.records, &session.meta, session.scan())
}

/// Files as a cause, for people.
fn named(files: &BTreeSet<String>) -> String {
    match (files.len(), files.first()) {
        (1, Some(one)) => one.clone(),
        (0, _) => "everything".to_owned(),
        (many, _) => format!("{many} files"),
    }
}

/// Watches what a project reads, its own outputs and state left out.
fn watcher(setup: &Setup, sender: Sender<Mail>) -> Result<Watcher, String> {
    let (out, state, mirror) = (setup.out.clone(), setup.state.clone(), setup.config.refs.is_some());
    let ignore = move |path: &Path| {
        path.starts_with(&out)
            || path.starts_with(&state)
            // Without a mirror nobody but us writes it.
            || (!mirror && path.file_name().is_some_and(|name| name == LOCK))
            || path
                .components()
                .any(|part| matches!(part.as_os_str().to_str(), Some(".git" | "__pycache__" | "node_modules")))
    };
    let mut folders = vec![(setup.root.clone(), true)];
    folders.extend(setup.mirror_outside().map(|mirror| (mirror.to_path_buf(), true)));
    Watcher::new(&folders, ignore, move |change| sender.send(Mail::Changed(change)).is_ok())
}

/// A path as the records have it.
pub(crate) fn relative(setup: &Setup, path: &Path) -> String {
    if let Some(file) = setup.in_mirror(path) {
        return file;
    }
    let below = path.strip_prefix(&setup.root).unwrap_or(path);
    slashed(below)
}

pub(crate) fn slashed(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

impl Session {
    /// Between rounds: waits for a change, and stores the answers of calls that no round waits for any more. False when the run
    /// is to end.
    fn wait(&mut self, stop: &AtomicBool) -> bool {
        let mut within = Duration::ZERO;
        loop {
            let mail = self.flight.take(within);
            for mail in mail {
                if let Some(mail) = crate::tasks::leftover(self, mail) {
                    self.flight.keep(mail);
                }
            }
            if stop.load(Ordering::Relaxed) {
                return false;
            }
            let Some(inbox) = &mut self.inbox else { return false };
            inbox.add(std::mem::take(&mut self.flight.edits));
            let doubt = self.doubt.left();
            if !inbox.is_empty() || doubt.is_some_and(|left| left.is_zero()) {
                return true;
            }
            within = doubt.map_or(TICK, |left| left.min(TICK));
        }
    }

    /// Has something changed that no round has taken up yet?
    pub(crate) fn edited(&self) -> bool {
        !self.flight.edits.is_empty() || self.inbox.as_ref().is_some_and(|inbox| !inbox.is_empty())
    }

    /// Do these changes concern nothing but files that are contracts, or are referred to by some, and files that nothing hangs on?
    /// Then a look at them is enough.
    fn plain(&mut self, files: &BTreeSet<FileId>) -> bool {
        files.iter().all(|file| {
            self.records.need(file);
            match self.records.get(file) {
                Some(_) => omnigen_disk::stat(&self.setup.path(file)).is_ok_and(|stat| stat.is_some()),
                None => self.passes(file),
            }
        })
    }

    /// Where nothing is looked at but contracts: is that no matter to them?
    fn passes(&self, file: &FileId) -> bool {
        let alone = self.records.closed && self.agents.targets().is_empty() && self.setup.config.refs.is_none();
        alone && self.meta.looked.passes(&self.setup, file)
    }
}
