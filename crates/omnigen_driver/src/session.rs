//! The state that rounds share: records and graph, how text gets into the graph, how records are read and kept. What a round
//! does with it is in `round.rs`.
//!
//! `build` is a session of one round, `watch` of many. The manifest decides only *what to ask*; the graph decides what to compute.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use omnigen_disk::{ProjectLock, Stat};
use omnigen_engine::{Content, Graph, ReadKey, Stored, Target};
use omnigen_ir::{Digest, FileId};
use omnigen_report::{Activity, Change, Code, Diagnostic, Severity};
use omnigen_store::manifest::{self, Executable, Manifest, Update};

use crate::glance::{Glance, Ledgers};
use crate::judged::Judged;
use crate::records::{Made, Meta, Records};
use crate::revision::Causes;
use crate::round::OVERTAKEN;
use crate::setup::{Former, Setup};
use crate::shelf::Shelved;
use crate::survey::{Scan, Survey};
use crate::tasks::{Agents, Flight};
use crate::watch::{Doubt, Inbox};

/// How long somebody else may keep the lock: it is only ever held while something is written.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a run may do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manners {
    /// Only find out what a build would do.
    pub(crate) compare: bool,
    /// With every change its patch.
    pub(crate) diffs: bool,
    pub(crate) frozen: bool,
    pub(crate) offline: bool,
    pub(crate) force: bool,
    pub(crate) fail_fast: bool,
    /// Targets whose stored answers are not used.
    pub(crate) refresh: Vec<String>,
}

/// Fewer verdicts than this are judged faster than the database of stored ones is opened.
const VERDICTS: usize = 8;

/// All that is stored is read at once: that pays for whoever makes more than one of so many tests.
const SHARE: usize = 32;

/// Why a round ends before its work is done, where that is no trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The user wants the run to end.
    Interrupted,
    /// Another process has written a manifest since this one was read: what this round knows is old.
    Overtaken,
    /// Something has changed meanwhile that the round is about.
    GaveWay,
    /// A contract has errors, and the run is to end at the first.
    FailedFast,
}

/// A project while it is being worked on.
pub(crate) struct Session {
    pub(crate) setup: Setup,
    pub(crate) manners: Manners,
    pub(crate) graph: Option<Graph>,
    pub(crate) records: Records,
    pub(crate) meta: Meta,
    /// The manifest as it was read or written last.
    pub(crate) manifest: Option<Manifest>,
    /// Its records are still to be unfolded.
    folded: bool,
    /// Findings of contracts as the manifest has them, with the shards of their records.
    pub(crate) told: Vec<(usize, Diagnostic)>,
    pub(crate) agents: Agents,
    /// Calls of agents under way, and what they send.
    pub(crate) flight: Flight,
    /// When the last edit was taken, in `watch`.
    pub(crate) quiet_since: Option<Instant>,
    pub(crate) executable: Option<Arc<Executable>>,
    /// Findings about the configuration.
    pub(crate) found: Vec<Diagnostic>,
    /// Paths that a run which was cut off meant to write.
    pub(crate) journaled: BTreeMap<String, Digest>,
    /// The records are not those of the manifest: a reason to write it.
    pub(crate) stale: bool,
    /// Does the graph know the verdicts of earlier runs?
    recalled: bool,
    /// Tests of earlier runs, once they are asked for.
    pub(crate) judged: Judged,
    /// Files whose outputs others want too.
    pub(crate) clashing: BTreeSet<FileId>,
    /// Files within contracts that have another content now.
    pub(crate) included: Vec<(FileId, Content)>,
    /// Some contract has an artifact more or less than before.
    pub(crate) reshaped: bool,
    /// Set from outside when the run is to end early.
    pub(crate) stop: Arc<AtomicBool>,
    /// Why the round at hand is not to go on.
    pub(crate) halt: Option<Halt>,
    /// The manifest's stat when it was read or written last: another one means that somebody else has built.
    generation: Option<Stat>,
    /// Artifacts done and to do in this round, for showing.
    pub(crate) progress: (usize, usize),
    /// What the shared store has of the files of this round.
    pub(crate) shelved: Shelved,
    /// Files whose checks have come to find errors in this round, or to find none any more.
    pub(crate) turned: BTreeSet<FileId>,
    /// What outlines were made with, once it is another than now.
    former: Option<Former>,
    /// What has happened on disk while the round at hand is under way.
    pub(crate) inbox: Option<Inbox>,
    /// Files that are gone and may come back.
    pub(crate) doubt: Doubt,
    /// Contracts, and files that they refer to, that were found changed since the last round that was worked through.
    pub(crate) taken: BTreeSet<FileId>,
    /// What rounds that were begun anew had done already.
    pub(crate) carried: Vec<Change>,
    /// A round was given up after it had taken changes: whatever it has left undone has to be found out anew.
    pub(crate) unsettled: bool,
    /// Is it a session of many rounds?
    pub(crate) watched: bool,
    /// Why the round at hand has something to do.
    pub(crate) causes: Causes,
    /// The number of the revision that is being made.
    pub(crate) revision: u64,
    /// A round of `watch` that has not been told of yet, with its cause: most saves turn out to be nothing.
    pub(crate) opening: Option<Option<String>>,
}

impl Session {
    /// A session that remembers nothing.
    pub(crate) fn fresh(setup: Setup, found: Vec<Diagnostic>, manners: Manners, stop: &Arc<AtomicBool>) -> Session {
        let state = setup.state.clone();
        Session {
            agents: Agents::new(&setup),
            flight: Flight::default(),
            quiet_since: None,
            setup,
            manners,
            graph: None,
            records: Records::none(state.join("details")),
            meta: Meta::default(),
            manifest: None,
            folded: false,
            told: Vec::new(),
            executable: None,
            found,
            journaled: BTreeMap::new(),
            stale: false,
            clashing: BTreeSet::new(),
            included: Vec::new(),
            reshaped: false,
            stop: stop.clone(),
            halt: None,
            generation: None,
            progress: (0, 0),
            opening: None,
            watched: false,
            inbox: None,
            doubt: Doubt::default(),
            shelved: Shelved::default(),
            turned: BTreeSet::new(),
            former: None,
            unsettled: false,
            recalled: false,
            judged: Judged::default(),
            carried: Vec::new(),
            taken: BTreeSet::new(),
            causes: Causes::default(),
            revision: 0,
        }
    }

    /// A session that starts from the manifest, whose records are still to be unfolded.
    pub(crate) fn open(setup: Setup, found: Vec<Diagnostic>, manners: Manners, stop: &Arc<AtomicBool>) -> Session {
        let mut session = Session::fresh(setup, found, manners, stop);
        session.executable = Executable::current().ok().map(Arc::new);
        session.load();
        session
    }

    /// Tells that the round has begun, if nobody has yet.
    pub(crate) fn announce(&mut self) {
        if let Some(cause) = self.opening.take() {
            crate::events::started(Activity::Build, cause.as_deref());
        }
    }

    /// Forgets what is known and reads the manifest again, which somebody else has written.
    pub(crate) fn reload(&mut self) {
        (self.meta, self.graph, self.stale) = (Meta::default(), None, false);
        (self.manifest, self.folded, self.told) = (None, false, Vec::new());
        self.records = Records::none(self.setup.state.join("details"));
        self.clashing.clear();
        self.unsettled = false;
        self.load();
        self.unfold();
    }

    /// Has somebody else written a manifest since this one was read?
    pub(crate) fn overtaken(&self) -> bool {
        self.executable.is_some() && manifest_stat(&self.setup) != self.generation
    }

    /// The project's lock, for as long as something is being written.
    ///
    /// # Errors
    /// Somebody else keeps it, its folder cannot be made, or ([`Halt::Overtaken`]) somebody has built meanwhile.
    pub(crate) fn lock(&mut self) -> Result<ProjectLock, String> {
        let _span = tracing::info_span!("lock").entered();
        let lock = ProjectLock::acquire(&self.setup.state, PATIENCE).map_err(|held| held.to_string())?;
        if self.overtaken() {
            self.halt = Some(Halt::Overtaken);
            return Err("another omnigen has built here meanwhile".to_owned());
        }
        Ok(lock)
    }

    /// Takes another configuration; what it invalidates is found out by the next round.
    pub(crate) fn reconfigure(&mut self, setup: Setup, found: Vec<Diagnostic>) {
        (self.setup, self.found) = (setup, found);
        self.graph = None;
    }

    /// What the manifest says beside the records. Whatever is wrong with it only means that everything is made anew.
    fn load(&mut self) {
        let _span = tracing::info_span!("load").entered();
        let journal = omnigen_disk::read_journal(&self.setup.state);
        self.journaled = journal.into_iter().map(|(path, digest)| (path, Digest::from_bytes(digest))).collect();
        let path = self.setup.state.join("manifest");
        let mut read = Err(manifest::Unusable::Missing);
        for _ in 0..OVERTAKEN {
            // Before it is read: if it is replaced in between, this session is overtaken at once.
            self.generation = manifest_stat(&self.setup);
            let Some(executable) = &self.executable else { return };
            read = manifest::read(&path, executable);
            // What belongs to a head goes when another one has taken its place: that is no damage.
            if !matches!(read, Err(manifest::Unusable::Damaged)) || !self.overtaken() {
                break;
            }
        }
        let manifest = match read {
            Ok(manifest) => manifest,
            Err(manifest::Unusable::Missing) => return,
            Err(unusable) => {
                let message = format!("everything is built anew: {unusable}");
                let mut told = Diagnostic::global(Code::DamagedManifest, message);
                if matches!(unusable, manifest::Unusable::OtherExecutable | manifest::Unusable::Format { .. }) {
                    // Nothing is wrong after an upgrade.
                    told.severity = Severity::Note;
                }
                self.found.push(told);
                return;
            }
        };
        let meta = manifest.section("meta").and_then(|meta| postcard::from_bytes(meta).ok());
        if let Some(meta) = meta {
            (self.meta, self.manifest, self.folded) = (meta, Some(manifest), true);
        }
    }

    /// Decodes the records, if they are not yet.
    pub(crate) fn unfold(&mut self) {
        let _span = tracing::info_span!("unfold").entered();
        let folder = self.setup.state.join("details");
        for turn in 0.. {
            if !std::mem::take(&mut self.folded) {
                return;
            }
            match Records::load(self.meta.shards.clone(), folder.clone(), self.setup.threads) {
                Ok(records) => self.records = records,
                // Somebody else has saved since the manifest was read: what that named is gone, and theirs is as good.
                Err(_) if turn < OVERTAKEN && self.overtaken() => {
                    (self.meta, self.manifest) = (Meta::default(), None);
                    self.load();
                }
                Err(shard) => {
                    let message =
                        format!("everything is built anew: the manifest's records are damaged (details/{shard})");
                    self.found.push(Diagnostic::global(Code::DamagedManifest, message));
                    (self.meta, self.manifest) = (Meta::default(), None);
                }
            }
        }
    }

    /// The folders of the contracts as they are.
    pub(crate) fn scan(&self) -> Scan {
        // A run that only compares leaves nothing behind.
        if self.manners.compare { Scan::new(&self.setup) } else { Scan::remembered(&self.setup) }
    }

    /// What a glance has left open, with the records of those that it is about: of few, where that is enough.
    pub(crate) fn seen(&mut self, glance: Glance) -> Survey {
        let mut scan = match &glance {
            // Nobody has moved but contracts and outputs.
            Glance::Moved { contracts: Some(_), .. } => None,
            _ => Some(self.scan()),
        };
        if let Some(survey) = self.few(&glance, &mut scan) {
            return survey;
        }
        self.unfold();
        let scan = |session: &Session| scan.unwrap_or_else(|| session.scan());
        let (setup, records, meta) = (&self.setup, &self.records, &self.meta);
        match glance {
            _ if meta.settings.is_none() => Survey::full(setup, records, meta, scan(self)),
            Glance::Moved { contracts: Some(contracts), looked, outputs, others, .. } => {
                Survey { looked, ..Survey::glanced(setup, records, meta, (&contracts, &outputs), others) }
            }
            Glance::Moved { contracts: None, outputs, .. } => {
                Survey::seen(setup, records, meta, scan(self), Some(outputs))
            }
            Glance::Same(_) | Glance::Unclear => Survey::full(setup, records, meta, scan(self)),
        }
    }

    /// The first look of a session that goes on: it reads no more than a run that looks once.
    pub(crate) fn at_first(&mut self) -> Survey {
        let glance = match self.glance() {
            // The records are needed later.
            Glance::Same(idle) => Glance::Moved {
                contracts: Some(Vec::new()),
                looked: None,
                outputs: Vec::new(),
                others: Vec::new(),
                idle,
            },
            other => other,
        };
        self.seen(glance)
    }

    /// Where nothing but contracts is referred to, no agent looks at contracts and no two want the same output, a change of few contracts
    /// and outputs is worked off with few records. What was read of the folders is taken, if it is needed.
    fn few(&mut self, glance: &Glance, scan: &mut Option<Scan>) -> Option<Survey> {
        let Glance::Moved { contracts, looked, outputs, idle, .. } = glance else { return None };
        let manifest = self.manifest.as_ref().filter(|_| self.folded)?;
        let ledgers = Ledgers::of(manifest)?;
        let plain = idle.closed() && self.meta.global.is_empty() && self.agents.targets().is_empty();
        let contracts = match (contracts, &scan) {
            (Some(contracts), _) => contracts,
            (None, Some(scan)) => &ledgers.compared(scan, &self.meta)?,
            (None, None) => return None,
        };
        if !plain || (contracts.len() + outputs.len()) * 4 > idle.total {
            return None;
        }
        let shards = self.meta.shards.clone();
        let summaries = crate::glance::summaries(manifest, shards.len())?;
        let (contracts, outputs) = ledgers.named(contracts, outputs)?;
        let folder = self.setup.state.join("details");
        self.records = Records::later(shards, summaries, folder, self.setup.threads);
        (self.folded, self.told) = (false, idle.diagnostics.clone());
        for file in contracts.iter().chain(outputs.iter().filter_map(|(owner, _)| owner.as_ref())) {
            self.records.need(file);
        }
        let looked = scan.take().map(Scan::into_looked).or_else(|| looked.clone());
        Some(Survey { looked, ..Survey::named(&self.setup, contracts, outputs) })
    }

    /// Between the rounds of a watch: where few records are enough for a small change, none stay at hand. What goes through all of
    /// them would cost each edit as much as there are contracts.
    pub(crate) fn lay_aside(&mut self) {
        let Some(manifest) = self.manifest.as_ref().filter(|_| !self.stale && !self.folded) else { return };
        let plain = self.meta.global.is_empty() && self.agents.targets().is_empty();
        if !plain || !(self.records.closed || crate::glance::closed(manifest)) {
            return;
        }
        let told = self.findings();
        let Some(manifest) = self.manifest.as_ref() else { return };
        let shards = self.meta.shards.len();
        if self.records.lay_aside(|| crate::glance::summaries(manifest, shards)) {
            self.told = told;
        }
    }

    /// Has anything changed? Tells by the manifest's sections alone, where that is possible.
    pub(crate) fn glance(&self) -> Glance {
        let Some(manifest) = self.manifest.as_ref().filter(|_| self.folded) else { return Glance::Unclear };
        // What is pinned comes last in the list, and is looked at by stat.
        let settings = self.setup.settings(&self.agents.identities());
        let usual = self.meta.settings.as_ref().is_some_and(|known| known.starts_with(&settings))
            && self.journaled.is_empty()
            && self.manners.refresh.is_empty()
            && !self.unsettled
            && !self.agents.unusable();
        if usual {
            crate::glance::glance(manifest, &self.setup, &self.meta, !self.manners.compare)
        } else {
            Glance::Unclear
        }
    }

    /// All that decides what there is to do beside the files themselves; with what the disk says of what is pinned.
    pub(crate) fn settings(&self) -> (Vec<(String, String)>, crate::records::Pinned) {
        let (pinned, stats) = self.agents.pinned(&self.setup, &self.meta.beside);
        let identities: Vec<(String, Digest)> = self.agents.identities().into_iter().chain(pinned).collect();
        (self.setup.settings(&identities), stats)
    }

    /// Remembers them.
    pub(crate) fn keep_settings(&mut self) {
        if !self.manners.compare && !self.agents.targets().is_empty() {
            self.meta.pinned_at = omnigen_disk::stat::clock(&self.setup.state).unwrap_or(0);
        }
        let (settings, pinned) = self.settings();
        (self.meta.settings, self.meta.pinned) = (Some(settings), pinned);
        self.stale = true;
    }

    /// Writes the manifest if it would say something new.
    pub(crate) fn save(&mut self) -> Result<(), String> {
        if !self.stale || self.manners.compare {
            return Ok(());
        }
        let _lock = self.lock()?;
        let _span = tracing::info_span!("save").entered();
        if self.executable.is_none() {
            return Ok(());
        }
        let kept = crate::glance::kept(self);
        if self.records.damaged() {
            return Err("the records are damaged".to_owned());
        }
        self.records.save()?;
        self.meta.shards = self.records.shards();
        let meta = postcard::to_stdvec(&self.meta).map_err(|error| error.to_string())?;
        let path = self.setup.state.join("manifest");
        let Some(executable) = &self.executable else { return Ok(()) };
        let mut sections = vec![("meta".to_owned(), Update::Whole(meta))];
        sections.extend(kept.into_iter().flatten());
        let written = manifest::write(&path, executable, self.manifest.take(), sections);
        self.manifest = Some(written.map_err(|error| format!("{}: {error}", path.display()))?);
        self.generation = manifest_stat(&self.setup);
        self.records.sweep();
        self.stale = false;
        Ok(())
    }

    /// The graph, made when something has to be computed: a run that finds nothing changed never has one.
    pub(crate) fn graph_mut(&mut self) -> Result<&mut Graph, String> {
        if self.graph.is_none() {
            let oracle = Box::new(omnigen_oracle::Oracle);
            let mut graph = Graph::new(&self.setup.project, self.setup.threads, oracle)?;
            // Files enter when somebody asks for them. But `$id`s are looked up among all files, so those that have some are
            // set at once.
            let files = self.records.with_ids();
            let mut known = Vec::with_capacity(files.len());
            for file in files {
                let content = self.stored(&file).unwrap_or_else(|| self.setup.read(&file).0);
                known.push((file.clone(), self.setup.unit(&file), content));
            }
            graph.set_files(known);
            self.graph = Some(graph);
            self.recalled = false;
        }
        self.graph.as_mut().ok_or_else(|| "no graph".to_owned())
    }

    /// Hands the graph the verdicts of earlier runs, once, when so many tests are to be made that it pays.
    pub(crate) fn recall_verdicts(&mut self, tests: usize) -> Result<(), String> {
        if tests < self.worthwhile() || self.recalled {
            return Ok(());
        }
        self.recalled = true;
        self.recall_tests();
        let known = self.agents.stored().judged();
        self.agents.stored().release();
        self.graph_mut()?.know_verdicts(known);
        Ok(())
    }

    /// So many tests, or verdicts, at once make up for what the stored ones cost.
    fn worthwhile(&self) -> usize {
        VERDICTS.max(self.records.len() / SHARE)
    }

    /// Keeps new verdicts for later runs, when there are enough of them to make up for a transaction.
    pub(crate) fn store_verdicts(&mut self) {
        self.keep_tests();
        let worthwhile = self.worthwhile();
        let Some(graph) = self.graph.as_ref().filter(|graph| graph.fresh_verdicts() >= worthwhile) else { return };
        if !self.manners.compare {
            self.agents.stored().put_judged(&graph.take_verdicts());
            self.agents.stored().release();
        }
    }

    /// Was the outline of a file made by another naming template, or read in another draft, than now?
    pub(crate) fn outlined_anew(&mut self, file: &FileId) -> bool {
        if self.meta.naming == self.setup.outlined() {
            return false;
        }
        let former = self.former.take().filter(|former| former.is_of(&self.meta.naming));
        let former = former.unwrap_or_else(|| Former::new(&self.setup, &self.meta.naming));
        !self.former.insert(former).holds(&self.setup, file)
    }

    /// What the records know of an unchanged file.
    fn stored(&mut self, file: &FileId) -> Option<Content> {
        if self.outlined_anew(file) {
            return None;
        }
        let details = self.records.details(file)?;
        let held = !details.made.get(Target::Check.name()).is_some_and(Made::whole);
        let outline = details.outline.clone()?;
        Some(Content::Stored(Arc::new(Stored { outline, held })))
    }

    /// The digest that a key has now, supplying text where that is needed to tell.
    pub(crate) fn current(&mut self, key: &ReadKey) -> Result<Option<Digest>, String> {
        if let ReadKey::Artifact(file, target) = key {
            let made = self.records.details(file).and_then(|details| details.made.get(target));
            return Ok(made.filter(|made| made.ready).map(|made| made.digest));
        }
        if let ReadKey::Bytes(file) = key {
            return Ok(omnigen_disk::files::read_bytes(&self.setup.root.join(&**file))
                .ok()
                .map(|(b, _)| Digest::of(&b)));
        }
        if let ReadKey::Agent(target) = key {
            return Ok(self.agents.identity_of(target));
        }
        if let ReadKey::Patterns(file, target) | ReadKey::Like(file, target, _) = key {
            return crate::tasks::alike(self, file, target, key);
        }
        let project = self.setup.project.clone();
        for _ in 0..3 {
            match self.graph_mut()?.current(&project, key) {
                Ok(digest) => return Ok(digest),
                Err(file) => self.supply([file])?,
            }
        }
        Ok(None)
    }

    /// Sets what is known of files that the graph asked for: what the records know first, then the text.
    pub(crate) fn supply(&mut self, files: impl IntoIterator<Item = FileId>) -> Result<(), String> {
        let mut set = Vec::new();
        for file in files {
            let known = self.graph_mut()?.content(&file).cloned();
            let content = match known {
                None | Some(Content::Unread) => self.stored(&file),
                _ => None,
            };
            let content = match content {
                Some(content) => content,
                None => {
                    let (content, stat, digest) = self.setup.read(&file);
                    self.records.need(&file);
                    match self.records.get_mut(&file) {
                        // It changed while this run was under way: the next one has to look again.
                        Some(record) if record.digest != digest => record.stat = None,
                        Some(_) => {}
                        None => self.refer(&file, stat, digest),
                    }
                    content
                }
            };
            set.push((file.clone(), self.setup.unit(&file), content));
        }
        self.graph_mut()?.set_files(set);
        Ok(())
    }

    /// Records a file that is there and that somebody refers to.
    pub(crate) fn refer(&mut self, file: &FileId, stat: Option<omnigen_disk::Stat>, digest: Digest) {
        if stat.is_some() {
            let site = self.setup.site(file);
            let record = self.records.entry(file, false);
            (record.stat, record.digest, record.site) = (stat, digest, site);
        }
    }

    /// Makes sure that the text of a file is set.
    pub(crate) fn readable(&mut self, file: &FileId) -> Result<(), String> {
        while matches!(self.graph_mut()?.content(file), None | Some(Content::Unread | Content::Stored(_))) {
            self.supply([file.clone()])?;
        }
        Ok(())
    }

    /// Is the run to go on? What an interrupted one has written stays; its records are not saved, so the next run looks again.
    pub(crate) fn go_on(&mut self) -> Result<(), String> {
        if self.stop.load(Ordering::Relaxed) {
            self.halt = Some(Halt::Interrupted);
            return Err("interrupted".to_owned());
        }
        Ok(())
    }

    /// Is the round to go on, or has something changed meanwhile that it is about?
    pub(crate) fn keep_up(&mut self) -> Result<(), String> {
        self.go_on()?;
        let (setup, records) = (&self.setup, &self.records);
        let concerned = |path: &Path| {
            let file = crate::watch::relative(setup, path);
            file == crate::config::FILE || records.get(&file).is_some()
        };
        self.flight.look();
        let changes = std::mem::take(&mut self.flight.edits);
        if self.inbox.as_mut().is_some_and(|inbox| inbox.calls(changes, concerned)) {
            self.halt = Some(Halt::GaveWay);
            return Err("something has changed meanwhile".to_owned());
        }
        Ok(())
    }

    /// Targets to make of every file: its check, and what the configuration wants.
    pub(crate) fn wanted(&self) -> Vec<Target> {
        let wanted = |target: &Target| *target == Target::Check || self.setup.config.builds(target.name());
        Target::ALL.into_iter().filter(wanted).collect()
    }
}

fn manifest_stat(setup: &Setup) -> Option<Stat> {
    omnigen_disk::stat(&setup.state.join("manifest")).ok().flatten()
}

/// Applies `f` to all items on up to `threads` threads, in order.
pub(crate) fn in_parallel<T: Sync, R: Send>(threads: usize, items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if threads < 2 || items.len() < 64 {
        return items.iter().map(f).collect();
    }
    let size = items.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let f = &f;
        let jobs: Vec<_> =
            items.chunks(size).map(|chunk| scope.spawn(move || chunk.iter().map(f).collect::<Vec<R>>())).collect();
        // A worker that panicked has reported itself; its panic goes on here.
        jobs.into_iter().flat_map(|job| job.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}
