//! The state that rounds share, and one round: changes in, dirty artifacts asked for, missing text supplied, agents run, outputs
//! committed, records kept.
//!
//! `build` is a session of one round, `watch` of many. The manifest decides only *what to ask*; the graph decides what to compute.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use omnigen_disk::Stat;
use omnigen_engine::{Built, Content, Graph, ReadKey, State, Stored, Target};
use omnigen_ir::{Digest, FileId};
use omnigen_report::{At, Code, Diagnostic, Severity};
use omnigen_store::manifest::{self, Executable};

use crate::commit::{Commit, Intent};
use crate::records::{Made, Meta, Records, mention};
use crate::setup::Setup;
use crate::survey::{Scan, Survey};
use crate::tasks::Agents;

/// So many artifacts are made before their texts are handed to the writer: bounds the memory that texts take.
const BATCH: usize = 512;

/// What a run may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    pub(crate) check: bool,
    pub(crate) frozen: bool,
    pub(crate) force: bool,
}

/// A project while it is being worked on.
pub(crate) struct Session {
    pub(crate) setup: Setup,
    pub(crate) manners: Manners,
    pub(crate) graph: Option<Graph>,
    pub(crate) records: Records,
    pub(crate) meta: Meta,
    pub(crate) agents: Agents,
    executable: Option<Executable>,
    /// Findings about the configuration.
    found: Vec<Diagnostic>,
    /// Paths that a run which was cut off meant to write.
    pub(crate) journaled: BTreeMap<String, Digest>,
    /// The records are not those of the manifest: a reason to write it.
    stale: bool,
    /// Files whose outputs others want too.
    clashing: BTreeSet<FileId>,
    /// Set from outside when the run is to end early.
    pub(crate) stop: Arc<AtomicBool>,
}

/// How a round ended.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// Findings, those of untouched files included.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What was done to outputs.
    pub(crate) commit: Commit,
    /// Artifacts that were held back.
    pub(crate) held_back: usize,
    /// Artifacts in all.
    pub(crate) total: usize,
    /// Agents asked.
    pub(crate) agent_calls: usize,
    /// Agents' answers that were known.
    pub(crate) agent_cached: usize,
    /// Some agent gave no usable answer.
    pub(crate) agent_failed: bool,
    /// The manifest or the outputs cannot be written: what, and why.
    pub(crate) environment: Option<String>,
    /// Nothing was dirty.
    pub(crate) idle: bool,
    /// Contracts, and files that they refer to, whose content is new, another, or gone.
    pub(crate) changed: Vec<FileId>,
}

impl Session {
    /// A session that remembers nothing.
    pub(crate) fn fresh(setup: Setup, found: Vec<Diagnostic>, manners: Manners, stop: &Arc<AtomicBool>) -> Session {
        let state = setup.state.clone();
        Session {
            agents: Agents::new(&setup),
            setup,
            manners,
            graph: None,
            records: Records::none(state.join("details")),
            meta: Meta::default(),
            executable: None,
            found,
            journaled: BTreeMap::new(),
            stale: false,
            clashing: BTreeSet::new(),
            stop: stop.clone(),
        }
    }

    /// A session that starts from the manifest.
    pub(crate) fn open(setup: Setup, found: Vec<Diagnostic>, manners: Manners, stop: &Arc<AtomicBool>) -> Session {
        let mut session = Session::fresh(setup, found, manners, stop);
        session.executable = Executable::current().ok();
        session.load();
        let journal = omnigen_disk::read_journal(&session.setup.state);
        session.journaled = journal.into_iter().map(|(path, digest)| (path, Digest::from_bytes(digest))).collect();
        session
    }

    /// Takes another configuration; what it invalidates is found out by the next round.
    pub(crate) fn reconfigure(&mut self, setup: Setup, found: Vec<Diagnostic>) {
        (self.setup, self.found) = (setup, found);
        self.graph = None;
    }

    /// Records from the manifest. Whatever is wrong with it only means that everything is made anew.
    fn load(&mut self) {
        let Some(executable) = &self.executable else { return };
        let path = self.setup.state.join("manifest");
        let manifest = match manifest::read(&path, executable) {
            Ok(manifest) => manifest,
            Err(manifest::Unusable::Missing) => return,
            Err(unusable) => {
                let message = format!("everything is built anew: {unusable}");
                let mut told = Diagnostic::global(Code::DamagedManifest, message);
                if matches!(unusable, manifest::Unusable::OtherExecutable) {
                    // Nothing is wrong after an upgrade.
                    told.severity = Severity::Note;
                }
                self.found.push(told);
                return;
            }
        };
        let section = |name| manifest.section(name).unwrap_or_default();
        let meta: Option<Meta> = postcard::from_bytes(section("meta")).ok();
        let folder = self.setup.state.join("details");
        let records = meta.as_ref().and_then(|meta| Records::load(section("files"), meta.shards.clone(), folder));
        if let (Some(meta), Some(records)) = (meta, records) {
            (self.meta, self.records) = (meta, records);
        }
    }

    /// Writes the manifest if it would say something new.
    fn save(&mut self) -> Result<(), String> {
        if !self.stale || self.manners.check {
            return Ok(());
        }
        let _span = tracing::info_span!("save").entered();
        let Some(executable) = &self.executable else { return Ok(()) };
        let files = self.records.save()?;
        self.meta.shards = self.records.shards();
        let meta = postcard::to_stdvec(&self.meta).map_err(|error| error.to_string())?;
        let path = self.setup.state.join("manifest");
        let sections: [(&str, &[u8]); 2] = [("meta", &meta), ("files", &files)];
        manifest::write(&path, executable, &sections).map_err(|error| format!("{}: {error}", path.display()))?;
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
            let with_ids = self.records.iter().filter(|(_, record)| record.ids);
            let files: Vec<FileId> = with_ids.map(|(file, _)| file.clone()).collect();
            let mut known = Vec::with_capacity(files.len());
            for file in files {
                let content = self.stored(&file).unwrap_or_else(|| self.setup.read(&file).0);
                known.push((file.clone(), self.setup.unit(&file), content));
            }
            graph.set_files(known);
            self.graph = Some(graph);
        }
        self.graph.as_mut().ok_or_else(|| "no graph".to_owned())
    }

    /// What the records know of an unchanged file.
    fn stored(&mut self, file: &FileId) -> Option<Content> {
        if self.meta.naming != self.setup.config.python.naming {
            // Its names were made by another template.
            return None;
        }
        let held = self.records.get(file)?.held;
        let outline = self.records.details(file)?.outline.clone()?;
        Some(Content::Stored(Arc::new(Stored { outline, held })))
    }

    /// Works off what a survey found. If what was remembered turns out to be damaged, all of it is forgotten and made anew.
    pub(crate) fn round(&mut self, survey: Survey) -> Result<Round, String> {
        let round = self.attempt(survey);
        if !self.records.damaged {
            return round;
        }
        let message = "everything is built anew: the manifest's details are damaged";
        self.found.push(Diagnostic::global(Code::DamagedManifest, message));
        self.records = Records::none(self.setup.state.join("details"));
        (self.meta, self.graph, self.stale) = (Meta::default(), None, true);
        let survey = Survey::full(&self.setup, &self.records, &self.meta, Scan::new(&self.setup));
        self.attempt(survey)
    }

    fn attempt(&mut self, mut survey: Survey) -> Result<Round, String> {
        // What is read from here on is trusted by its stat only if it was not written in this tick of the clock.
        if !survey.changed.is_empty() && !self.manners.check {
            self.meta.read_at = omnigen_disk::stat::clock(&self.setup.state).unwrap_or(0);
        }
        let config = self.setup.digest(&self.agents.identities());
        let reconfigured = self.meta.config != Some(config);
        let mut round = Round { idle: true, ..Round::default() };
        let changed = self.take(&mut survey);
        round.changed = changed.iter().map(|(file, _)| file).chain(&survey.removed).cloned().collect();
        let suspects = self.suspects(&survey);
        let idle = changed.is_empty()
            && survey.removed.is_empty()
            && suspects.is_empty()
            && !reconfigured
            && self.journaled.is_empty()
            && !self.orphaned(&survey)
            && !self.agents.unsettled(&self.records);
        if !idle {
            round.idle = false;
            self.work(changed, &mut survey, suspects, reconfigured, &mut round)?;
            self.meta.config = Some(config);
            self.meta.naming.clone_from(&self.setup.config.python.naming);
            self.stale = true;
        }
        if self.stale && !self.manners.check {
            self.meta.folders = crate::survey::folders(&self.setup, &self.records, &self.meta);
            self.meta.written_at = omnigen_disk::stat::clock(&self.setup.state).unwrap_or(0);
            if let Err(problem) = self.save() {
                round.environment.get_or_insert(problem);
            }
        }
        self.conclude(&survey, &mut round);
        Ok(round)
    }

    /// Reads what changed; drops what only looks changed.
    fn take(&mut self, survey: &mut Survey) -> Vec<(FileId, Content)> {
        let mut changed = Vec::new();
        let suspects: Vec<(FileId, (bool, Option<Stat>))> = std::mem::take(&mut survey.changed).into_iter().collect();
        let setup = &self.setup;
        let read = in_parallel(setup.threads, &suspects, |(file, _)| setup.read(file));
        for ((file, (contract, _)), (content, stat, digest)) in suspects.into_iter().zip(read) {
            let known = self.records.get(&file);
            let same = known.is_some_and(|record| {
                record.contract == contract && record.stat.is_some() && record.digest == digest && stat.is_some()
            });
            if matches!(content, Content::Absent) && !contract && known.is_none_or(|record| record.stat.is_none()) {
                continue;
            }
            let site = self.records.get(&file).is_none().then(|| self.setup.site(&file));
            let record = self.records.entry(&file, contract);
            if let Some(site) = site {
                record.site = site;
            }
            if record.stat != stat || record.contract != contract {
                self.stale = true;
            }
            (record.stat, record.digest, record.contract) = (stat, digest, contract);
            if same {
                // Only the clock moved: the next survey can trust the stat.
                self.stale = true;
                continue;
            }
            changed.push((file, content));
        }
        changed
    }

    /// Outputs that really are not as they should be, by file and target. The others get their new stat.
    fn suspects(&mut self, survey: &Survey) -> BTreeMap<FileId, BTreeSet<Box<str>>> {
        let mut suspects: BTreeMap<FileId, BTreeSet<Box<str>>> = BTreeMap::new();
        for (file, path) in &survey.suspicious {
            let full = self.setup.out.join(&**path);
            let outputs = match file {
                Some(file) => self.records.get_mut(file).map(|record| &mut record.outputs),
                None => Some(&mut self.meta.outputs),
            };
            let Some(output) = outputs.and_then(|list| list.iter_mut().find(|output| output.path == *path)) else {
                continue;
            };
            let intact = omnigen_disk::files::read_bytes(&full).ok().filter(|(bytes, _)| {
                matches!(omnigen_disk::mark::inspect(bytes), omnigen_disk::Ownership::Intact { digest, .. } if output.mark == digest.into())
            });
            match intact {
                Some((_, stat)) => {
                    output.stat = Some(stat);
                    self.stale = true;
                }
                None => {
                    output.stat = None;
                    let file = file.clone().unwrap_or_else(|| FileId::from(""));
                    suspects.entry(file).or_default().insert(output.target.clone());
                }
            }
        }
        suspects
    }

    /// Is there a file of ours that nothing wants?
    fn orphaned(&self, survey: &Survey) -> bool {
        !survey.strays.is_empty() && !crate::commit::orphans(&self.setup, survey).is_empty()
    }

    fn work(
        &mut self,
        changed: Vec<(FileId, Content)>,
        survey: &mut Survey,
        suspects: BTreeMap<FileId, BTreeSet<Box<str>>>,
        reconfigured: bool,
        round: &mut Round,
    ) -> Result<(), String> {
        // As the records have it, before files come and go.
        let _ = self.clashes();
        let before = self.clashing.clone();
        // What traces may be about: the files themselves, and the ids that they had or have.
        let mut touched: HashSet<u64> = HashSet::new();
        let mut asked: BTreeSet<(FileId, Target)> = BTreeSet::new();
        let mut fresh: BTreeSet<FileId> = BTreeSet::new();
        for (file, _) in &changed {
            if self.records.details(file).is_none_or(|details| details.made.is_empty()) {
                fresh.insert(file.clone());
            }
        }
        for file in changed.iter().map(|(file, _)| file).chain(&survey.removed) {
            touched.insert(mention(file));
            let outline = self.records.details(file).and_then(|details| details.outline.as_ref());
            touched
                .extend(outline.into_iter().flat_map(|o| &o.exports.ids).map(|(uri, _)| mention(&format!("id:{uri}"))));
        }
        self.graph_mut()?;
        let removed: Vec<FileId> = survey.removed.iter().cloned().collect();
        let project = self.setup.project.clone();
        let units: Vec<_> = changed.iter().map(|(file, _)| self.setup.unit(file)).collect();
        // A file that is no contract any more may still be there for those who refer to it.
        let left = |file: &FileId| match omnigen_disk::stat(&self.setup.path(file)) {
            Ok(None) => Content::Absent,
            Ok(Some(_)) | Err(_) => Content::Unread,
        };
        let gone: Vec<_> = removed.iter().map(|file| (file.clone(), self.setup.unit(file), left(file))).collect();
        let graph = self.graph_mut()?;
        graph.set_project(&project);
        let files: Vec<FileId> = changed.iter().map(|(file, _)| file.clone()).collect();
        let set = changed.into_iter().zip(units).map(|((file, content), unit)| (file, unit, content));
        graph.set_files(set.chain(gone));
        for file in &removed {
            self.records.remove(file);
        }
        // Where everything is new there is nobody to tell of new ids.
        if fresh.len() < self.records.len() {
            for file in &files {
                let graph = self.graph_mut()?;
                let ids = graph.outline(file).map(|outline| &outline.exports.ids);
                touched.extend(ids.into_iter().flatten().map(|(uri, _)| mention(&format!("id:{uri}"))));
            }
        }
        let wanted = self.wanted();
        for file in &fresh {
            asked.extend(wanted.iter().map(|&target| (file.clone(), target)));
        }
        for (file, targets) in &suspects {
            asked.extend(wanted.iter().filter(|t| targets.contains(t.name())).map(|&target| (file.clone(), target)));
        }
        let candidates: Vec<FileId> = self
            .records
            .iter()
            .filter(|(file, record)| {
                !fresh.contains(*file)
                    && (reconfigured
                        || touched.contains(&mention(file))
                        || record.mentions.iter().any(|hash| touched.contains(hash)))
            })
            .map(|(file, _)| file.clone())
            .collect();
        for file in candidates {
            asked.extend(self.dirty(&file)?.into_iter().map(|target| (file.clone(), target)));
        }
        // Other files than before: names may clash, or no longer; init files and orphans have to be looked at.
        let others = reconfigured
            || !fresh.is_empty()
            || !removed.is_empty()
            || !survey.strays.is_empty()
            || suspects.contains_key("")
            || !self.journaled.is_empty();
        if others {
            let clashed = before;
            let _ = self.clashes();
            for file in clashed.difference(&self.clashing) {
                asked.extend(wanted.iter().map(|&target| (file.clone(), target)));
            }
        } else {
            self.clashing = before;
        }
        // What is only referred to waits until it is known that it still is.
        let contract = |(file, _): &(FileId, Target)| self.records.get(file).map(|record| record.contract);
        let referred = asked.iter().filter(|asked| contract(asked) == Some(false)).cloned().collect();
        asked.retain(|asked| contract(asked) == Some(true));
        let mut commit = Commit::begin(self, survey)?;
        let before = self.referred();
        self.ask(asked, &mut commit)?;
        self.reach(referred, &mut commit)?;
        self.meet(&before, &mut commit)?;
        let others = others || self.referred() != before;
        let clashes = if others { self.clashes() } else { std::mem::take(&mut self.meta.global) };
        let outcome = crate::tasks::run(self, &mut commit)?;
        (round.agent_calls, round.agent_cached, round.agent_failed) = (outcome.calls, outcome.cached, outcome.failed);
        self.meta.global = clashes;
        round.diagnostics.extend(outcome.diagnostics);
        if others && survey.listing.is_none() {
            survey.listing = Some(omnigen_disk::listing(&self.setup.out).unwrap_or_default());
        }
        commit.finish(self, survey, others, round)
    }

    /// Targets to make of every file: its check, and what the configuration wants.
    pub(crate) fn wanted(&self) -> Vec<Target> {
        let wanted = |target: &Target| *target == Target::Check || self.setup.config.builds(target.name());
        Target::ALL.into_iter().filter(wanted).collect()
    }

    /// Which artifacts of a file do not hold any more: those with a read that gives another digest now.
    fn dirty(&mut self, file: &FileId) -> Result<Vec<Target>, String> {
        let wanted = self.wanted();
        let mut dirty = Vec::new();
        for target in &wanted {
            let trace =
                self.records.details(file).and_then(|d| d.made.get(target.name())).map(|made| made.trace.clone());
            let Some(trace) = trace else {
                dirty.push(*target);
                continue;
            };
            for read in trace {
                if self.current(&read.key)? != read.digest {
                    tracing::debug!(file = &**file, target = target.name(), read = ?read.key, "dirty");
                    dirty.push(*target);
                    break;
                }
            }
            if dirty == [Target::Check] {
                // Whether anything may be made at all hangs on the check.
                return Ok(wanted);
            }
        }
        Ok(dirty)
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
                    match self.records.get_mut(&file) {
                        // It changed while this run was under way: the next one has to look again.
                        Some(record) if record.digest != digest => record.stat = None,
                        Some(_) => {}
                        None if stat.is_some() => {
                            let site = self.setup.site(&file);
                            let record = self.records.entry(&file, false);
                            (record.stat, record.digest, record.site) = (stat, digest, site);
                        }
                        None => {}
                    }
                    content
                }
            };
            set.push((file.clone(), self.setup.unit(&file), content));
        }
        self.graph_mut()?.set_files(set);
        Ok(())
    }

    /// Makes sure that the text of a file is set.
    pub(crate) fn readable(&mut self, file: &FileId) -> Result<(), String> {
        while matches!(self.graph_mut()?.content(file), None | Some(Content::Unread | Content::Stored(_))) {
            self.supply([file.clone()])?;
        }
        Ok(())
    }

    /// Makes artifacts and hands their texts over, until nothing is pending.
    pub(crate) fn ask(&mut self, asked: BTreeSet<(FileId, Target)>, commit: &mut Commit) -> Result<(), String> {
        let asked: Vec<(FileId, Target)> = asked.into_iter().collect();
        for batch in asked.chunks(BATCH) {
            let mut pending = batch.to_vec();
            let mut unknown: BTreeSet<FileId> = BTreeSet::new();
            for (file, _) in batch {
                if self.graph_mut()?.content(file).is_none() {
                    unknown.insert(file.clone());
                }
            }
            self.supply(unknown)?;
            // Every turn supplies text that was missing; a file is asked for at most twice.
            for _ in 0..1000 {
                self.go_on()?;
                let built = self.graph_mut()?.make(&pending);
                let mut needs = BTreeSet::new();
                let mut again = Vec::new();
                for ((file, target), built) in pending.drain(..).zip(built) {
                    if built.state == State::Pending {
                        needs.extend(built.needs);
                        again.push((file, target));
                    } else {
                        self.keep(&file, target, built, commit)?;
                    }
                }
                if again.is_empty() {
                    break;
                }
                pending = again;
                self.supply(needs)?;
            }
            self.graph_mut()?.forget_texts();
        }
        Ok(())
    }

    /// Is the run to go on? What an interrupted one has written stays; its records are not saved, so the next run looks again.
    pub(crate) fn go_on(&self) -> Result<(), String> {
        if self.stop.load(Ordering::Relaxed) { Err("interrupted".to_owned()) } else { Ok(()) }
    }

    /// Records an artifact and passes its text on.
    fn keep(&mut self, file: &FileId, target: Target, built: Built, commit: &mut Commit) -> Result<(), String> {
        let ready = built.state == State::Ready;
        let digest = built.digest;
        if target == Target::Check {
            let outline = self.graph_mut()?.outline(file).cloned();
            if let Some(details) = self.records.change(file) {
                details.outline = outline;
            }
        }
        let contract = self.records.get(file).is_some_and(|record| record.contract);
        self.records.entry(file, contract);
        if let Some(details) = self.records.change(file) {
            details.made.insert(target.name().into(), built.into());
        }
        self.records.refresh(file);
        if ready && target != Target::Check && !self.clashing.contains(file) {
            let path = self.setup.unit(file).path(target.kind());
            let known = self.records.get(file).and_then(|r| r.outputs.iter().find(|o| *o.path == *path));
            if known.is_some_and(|output| output.stat.is_some() && output.digest == digest) {
                return Ok(());
            }
            let Some(body) = self.graph_mut()?.text(file, target, digest) else { return Ok(()) };
            let intent = Intent {
                file: file.clone(),
                target: target.name().into(),
                path,
                body: body.into_bytes(),
                digest,
                emitter: target.emitter(),
            };
            commit.put(self, intent)?;
        }
        Ok(())
    }

    /// Files that are no contracts, but are referred to.
    fn referred(&self) -> BTreeSet<FileId> {
        self.records.iter().filter(|(_, record)| !record.contract).map(|(file, _)| file.clone()).collect()
    }

    /// Files that contracts refer to, directly or not, are built too, as far as they are new or among `dirty`; those that nobody
    /// refers to any more are dropped.
    fn reach(&mut self, mut dirty: BTreeSet<(FileId, Target)>, commit: &mut Commit) -> Result<(), String> {
        loop {
            let mut reached: BTreeSet<FileId> = BTreeSet::new();
            let mut queue: Vec<FileId> =
                self.records.iter().filter(|(_, r)| r.contract).map(|(f, _)| f.clone()).collect();
            while let Some(file) = queue.pop() {
                let uses = self.records.get(&file).map(|record| record.uses.clone()).unwrap_or_default();
                for used in uses {
                    let there = self.records.get(&used).is_some_and(|record| !record.contract && record.stat.is_some());
                    if there && reached.insert(used.clone()) {
                        queue.push(used);
                    }
                }
            }
            let dropped: Vec<FileId> = self
                .records
                .iter()
                .filter(|(file, record)| !record.contract && !reached.contains(*file))
                .map(|(file, _)| file.clone())
                .collect();
            for file in dropped {
                self.records.remove(&file);
            }
            let wanted = self.wanted();
            let mut asked = BTreeSet::new();
            for file in reached {
                let made: Vec<Box<str>> = self
                    .records
                    .details(&file)
                    .map(|details| details.made.keys().cloned().collect())
                    .unwrap_or_default();
                let missing = wanted.iter().filter(|target| !made.iter().any(|name| **name == *target.name()));
                asked.extend(missing.map(|&target| (file.clone(), target)));
                asked.extend(dirty.extract_if(.., |(of, _)| *of == file));
            }
            if asked.is_empty() {
                return Ok(());
            }
            self.ask(asked, commit)?;
        }
    }

    /// Files that were only found in this round, because somebody refers to them, may have `$id`s that others asked for before.
    fn meet(&mut self, before: &BTreeSet<FileId>, commit: &mut Commit) -> Result<(), String> {
        let late: Vec<FileId> = self.referred().difference(before).cloned().collect();
        let mut ids: HashSet<u64> = HashSet::new();
        for file in late {
            let outline = self.records.details(&file).and_then(|details| details.outline.as_ref());
            ids.extend(outline.into_iter().flat_map(|o| &o.exports.ids).map(|(uri, _)| mention(&format!("id:{uri}"))));
        }
        let asks = |mentions: &[u64]| mentions.iter().any(|hash| ids.contains(hash));
        let askers: Vec<FileId> =
            self.records.iter().filter(|(_, r)| asks(&r.mentions)).map(|(file, _)| file.clone()).collect();
        let mut asked = BTreeSet::new();
        for file in askers {
            asked.extend(self.dirty(&file)?.into_iter().map(|target| (file.clone(), target)));
        }
        if asked.is_empty() {
            return Ok(());
        }
        self.ask(asked, commit)?;
        self.reach(BTreeSet::new(), commit)
    }

    /// Contracts that want the same output: an error on each side.
    fn clashes(&mut self) -> Vec<Diagnostic> {
        let mut sites: BTreeMap<&str, Vec<FileId>> = BTreeMap::new();
        for (file, record) in self.records.iter() {
            sites.entry(&record.site).or_default().push(file.clone());
        }
        let clashes: Vec<Vec<FileId>> = sites.into_values().filter(|files| files.len() > 1).collect();
        let mut found = Vec::new();
        self.clashing.clear();
        for files in clashes {
            let path = self.setup.unit(&files[0]).path("model");
            self.clashing.extend(files.iter().cloned());
            for file in &files {
                let others: Vec<&str> = files.iter().filter(|f| *f != file).map(|f| &**f).collect();
                let message = format!(
                    "{} want{} the same output, {path}",
                    others.join(", "),
                    if others.len() == 1 { "s" } else { "" }
                );
                let mut diagnostic = Diagnostic::new(Code::OutputCollision, At::file(file), message);
                diagnostic = diagnostic.hint("rename one of the files, or exclude it in omnigen.toml");
                found.push(diagnostic);
            }
        }
        found
    }

    /// All findings and counts, also of what this round did not touch.
    fn conclude(&mut self, survey: &Survey, round: &mut Round) {
        round.diagnostics.extend(self.found.iter().cloned());
        round.diagnostics.extend(survey.problems.iter().cloned());
        round.diagnostics.extend(self.meta.global.iter().cloned());
        let noisy: Vec<FileId> = self.records.iter().filter(|(_, r)| r.noisy).map(|(file, _)| file.clone()).collect();
        for file in noisy {
            let made = self.records.details(&file).map(|details| details.made.values().collect::<Vec<&Made>>());
            round.diagnostics.extend(made.into_iter().flatten().flat_map(|made| made.diagnostics.iter().cloned()));
        }
        let targets = self.wanted().len() - 1 + self.agents.targets().len();
        round.total = self.records.len() * targets;
        let good: usize = self
            .records
            .iter()
            .filter(|(_, record)| !record.held)
            .map(|(_, record)| record.outputs.iter().filter(|output| output.stat.is_some()).count())
            .sum();
        round.held_back = round.total.saturating_sub(good);
    }

    /// All outputs that files may have, whether or not they could be made.
    pub(crate) fn wanted_paths(&self) -> BTreeSet<String> {
        let wanted: Vec<Target> = self.wanted().into_iter().filter(|target| *target != Target::Check).collect();
        let mut paths = BTreeSet::new();
        for (file, record) in self.records.iter() {
            let unit = self.setup.unit(file);
            paths.extend(wanted.iter().map(|target| unit.path(target.kind())));
            let agents = self.agents.targets();
            paths.extend(agents.iter().map(|target| omnigen_engine::output_path(&target.output, &unit)));
            paths.extend(
                record.outputs.iter().filter(|o| agents.iter().any(|t| t.name == o.target)).map(|o| o.path.to_string()),
            );
        }
        paths
    }
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
