//! One round: changes in, dirty artifacts asked for, missing text supplied, agents run, outputs committed, records kept.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use omnigen_disk::Stat;
use omnigen_engine::{Built, Content, ReadKey, State, Target};
use omnigen_ir::{Digest, FileId};
use omnigen_report::{BuildEvent, Change, ChangeKind, Code, Diagnostic};

use crate::commit::{Body, Commit, Intent};
use crate::events::tell;
use crate::records::{Keep, Made, Meta, Records, mention};
use crate::revision::{self, Cause, Causes, Log, Revision};
use crate::session::{Halt, Session, in_parallel};
use crate::survey::Survey;

/// So many artifacts are made before their texts are handed to the writer: bounds the memory that texts take.
const BATCH: usize = 512;
/// Of so many changed files it is found out which of their definitions changed.
const LISTED: usize = 200;
/// So often a round, or what it begins with, begins anew because another process was quicker.
pub(crate) const OVERTAKEN: usize = 20;

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
    /// Artifacts taken from the shared store.
    pub(crate) restored: usize,
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
    /// Works off what a survey found. If somebody else has built meanwhile, begins anew with what they have left; if what was
    /// remembered turns out to be damaged, all of it is forgotten and made anew.
    pub(crate) fn round(&mut self, mut survey: Survey) -> Result<Round, String> {
        for turn in 0.. {
            let mut round = Round { idle: true, ..Round::default() };
            let ended = self.attempt(&mut survey, &mut round);
            let halt = self.halt.take();
            let again = halt == Some(Halt::Overtaken) || (self.records.damaged() && self.overtaken());
            if again && turn < OVERTAKEN {
                self.carried.append(&mut round.commit.changes);
                self.reload();
            } else if self.records.damaged() {
                let message = "everything is built anew: the manifest's details are damaged";
                self.found.push(Diagnostic::global(Code::DamagedManifest, message));
                self.records = Records::none(self.setup.state.join("details"));
                (self.meta, self.manifest, self.graph, self.stale) = (Meta::default(), None, None, true);
            } else {
                if halt == Some(Halt::GaveWay) {
                    self.halt = halt;
                    self.carried.append(&mut round.commit.changes);
                }
                // A run that ends at the first error has told it, and keeps no records: the next one looks again.
                if halt != Some(Halt::FailedFast) {
                    ended?;
                }
                self.conclude(&survey, &mut round);
                round.commit.changes.append(&mut self.carried);
                round.changed = std::mem::take(&mut self.taken).into_iter().collect();
                round.commit.changes.sort();
                return Ok(round);
            }
            survey = Survey::full(&self.setup, &self.records, &self.meta, self.scan());
        }
        Err("no round".to_owned())
    }

    fn attempt(&mut self, survey: &mut Survey, round: &mut Round) -> Result<(), String> {
        self.progress = (0, 0);
        let read_at = self.meta.read_at;
        // What is read from here on is trusted by its stat only if it was not written in this tick of the clock.
        if !survey.changed.is_empty() && !self.manners.compare {
            self.meta.read_at = omnigen_disk::stat::clock(&self.setup.state).unwrap_or(0);
        }
        let (settings, pinned) = self.settings();
        let reconfigured = self.meta.settings.as_ref() != Some(&settings);
        // What an earlier round has taken and not worked off is found by asking all traces.
        let reconfigured = reconfigured || self.unsettled;
        if !self.unsettled {
            self.causes = Causes::default();
        }
        let Some(changed) = self.take(survey) else {
            // Nothing of it is known yet.
            (self.meta.read_at, self.halt) = (read_at, Some(Halt::GaveWay));
            return Err("what is gone may come back".to_owned());
        };
        self.taken.extend(changed.iter().map(|(file, _)| file).chain(&survey.removed).cloned());
        let suspects = self.suspects(survey);
        if let Some(looked) = survey.looked.take().filter(|looked| !self.meta.looked.confirmed(looked)) {
            (self.meta.looked, self.stale) = (looked, true);
        }
        let idle = changed.is_empty()
            && survey.removed.is_empty()
            && suspects.is_empty()
            && !reconfigured
            && self.journaled.is_empty()
            && !self.orphaned(survey)
            && self.manners.refresh.is_empty()
            && !self.agents.unsettled(&self.records);
        if !idle {
            round.idle = false;
            self.announce();
            self.revision = Log::new(&self.setup).last() + 1;
            match &self.meta.settings {
                None => self.causes.add(|| Cause::Cold),
                Some(before) => {
                    revision::settings(before, &settings).into_iter().for_each(|cause| self.causes.add(|| cause))
                }
            }
            let mut commit = Commit::begin(survey);
            let done = self.work(changed, survey, suspects, reconfigured, round, &mut commit);
            if self.halt == Some(Halt::GaveWay) {
                // What was made is in the records: it has to be on disk as well.
                self.unsettled = true;
                commit.flush(self)?;
            }
            round.commit = commit;
            done?;
            self.unsettled = false;
            // The lock, and what agents asked for, may be others than before.
            self.keep_settings();
            self.meta.naming = self.setup.outlined().into_owned();
        } else if self.meta.pinned.as_ref().is_none_or(|known| {
            let racy =
                |(_, stat): &(String, Option<Stat>)| stat.is_some_and(|s| omnigen_disk::racy(&s, self.meta.pinned_at));
            pinned.as_ref() != Some(known) || known.iter().any(racy)
        }) {
            // They are as they were, and the next glance can trust their stats.
            self.keep_settings();
        }
        if self.stale && !self.manners.compare {
            // An orphan that is kept is told by every run: the next one has to look at the folders again.
            let kept = |change: &Change| change.change == ChangeKind::HandEdited && change.target.is_empty();
            // While all outputs have their places, the same outputs have the same folders.
            let same = !self.meta.folders.is_empty() && self.records.edited().is_some();
            self.meta.folders = match round.commit.changes.iter().any(kept) {
                true => Vec::new(),
                false if same => crate::survey::again(&self.setup, &self.meta.folders),
                false => crate::survey::folders(&self.setup, &self.records, &self.meta),
            };
            self.meta.written_at = omnigen_disk::stat::clock(&self.setup.state).unwrap_or(0);
            if let Err(problem) = self.save() {
                if self.halt.is_some() {
                    return Err(problem);
                }
                round.environment.get_or_insert(problem);
            }
            if !round.idle {
                self.log(round);
                round.diagnostics.extend(self.shelve());
            }
        }
        Ok(())
    }

    /// Keeps what this round did, and why.
    fn log(&self, round: &Round) {
        let command = if self.watched { "watch" } else { "build" };
        let changes = &round.commit.changes;
        let revision = Revision::of(self.revision, self.meta.written_at, command, &self.causes, changes);
        if let Some(revision) = revision {
            Log::new(&self.setup).add(&Revision { agent_calls: round.agent_calls, ..revision });
        }
    }

    /// Reads what changed; drops what only looks changed. `None`: some of it is to be waited for, see [`Doubt`](crate::watch::Doubt).
    fn take(&mut self, survey: &mut Survey) -> Option<Vec<(FileId, Content)>> {
        let mut changed = Vec::new();
        let suspects: Vec<(FileId, (bool, Option<Stat>))> = std::mem::take(&mut survey.changed).into_iter().collect();
        let setup = &self.setup;
        let read = in_parallel(setup.threads, &suspects, |(file, _)| setup.read(file));
        let size = |stat: Option<Stat>| stat.map_or(0, |stat| stat.size);
        let bare = |file: &FileId, now: Option<Stat>| match self.records.get(file) {
            Some(record) => size(now) == 0 && size(record.stat) > 0,
            None => now.is_some_and(|now| now.size == 0),
        };
        let mut bare_ones = suspects.iter().zip(&read).map(|((file, _), (_, stat, _))| bare(file, *stat));
        let found = !survey.removed.is_empty() || bare_ones.any(|bare| bare);
        if self.doubt.holds(found) {
            survey.changed = suspects.into_iter().collect();
            return None;
        }
        for ((file, (contract, _)), (content, stat, digest)) in suspects.into_iter().zip(read) {
            let known = self.records.get(&file);
            let same = known.is_some_and(|record| {
                record.contract == contract && record.stat.is_some() && record.digest == digest && stat.is_some()
            });
            let same = self.includes_same(&file) && same;
            let known = self.records.get(&file);
            if matches!(content, Content::Absent) && !contract && known.is_none_or(|record| record.stat.is_none()) {
                continue;
            }
            if matches!(content, Content::Absent) && contract && self.setup.named.is_none() {
                // It was there when the folders were read, and has vanished since.
                if known.is_some() {
                    survey.removed.insert(file);
                }
                continue;
            }
            if !same && self.meta.settings.is_some() {
                let before = known.and_then(|record| revision::digest(record.stat.is_some(), record.digest));
                let (path, after) = (file.to_string(), revision::digest(stat.is_some(), digest));
                self.causes.add(|| Cause::File { path, before, after, definitions: Vec::new(), more_definitions: 0 });
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
        Some(changed)
    }

    /// Is all that stands within a file as it was? Remembers what is not, for the graph.
    fn includes_same(&mut self, file: &FileId) -> bool {
        let mut includes =
            self.records.get_mut(file).map(|record| std::mem::take(&mut record.includes)).unwrap_or_default();
        let mut same = true;
        for (included, known, digest) in &mut includes {
            let (content, stat, now) = self.setup.read(included);
            if *known != stat {
                self.stale = true;
            }
            *known = stat;
            if now != *digest {
                same = false;
                self.included.push((included.clone(), content));
            }
        }
        if let Some(record) = self.records.get_mut(file) {
            record.includes = includes;
        }
        same
    }

    /// Remembers what stands within a file.
    fn include(&mut self, file: &FileId) {
        let made = self.records.details(file).and_then(|details| details.made.get(Target::Check.name()));
        let reads = made.into_iter().flat_map(|made| made.trace.iter()).filter_map(|read| match &read.key {
            ReadKey::Bytes(file) => Some((file.clone(), read.digest)),
            _ => None,
        });
        let reads: Vec<(FileId, Option<Digest>)> = reads.collect();
        let includes = reads.into_iter().map(|(included, digest)| {
            let digest = digest.unwrap_or_else(|| Digest::of(b""));
            let (_, stat, now) = self.setup.read(&included);
            // What has changed since it was read is looked at again.
            (included, stat.filter(|_| now == digest), digest)
        });
        let includes = includes.collect();
        if let Some(record) = self.records.get_mut(file) {
            record.includes = includes;
        }
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
                    let path = format!("{}/{path}", self.setup.out_name);
                    self.causes.add(|| Cause::Output { path });
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
        mut changed: Vec<(FileId, Content)>,
        survey: &mut Survey,
        suspects: BTreeMap<FileId, BTreeSet<Box<str>>>,
        reconfigured: bool,
        round: &mut Round,
        commit: &mut Commit,
    ) -> Result<(), String> {
        // As the records have it, before files come and go: whoever only asks whether a trace holds may meet some already.
        let met = self.referred();
        if self.meta.global.is_empty() && !self.unsettled {
            self.clashing.clear();
        } else {
            let _ = self.clashes();
        }
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
        for file in &survey.removed {
            let before =
                self.records.get(file).and_then(|record| revision::digest(record.stat.is_some(), record.digest));
            let path = file.to_string();
            self.causes.add(|| Cause::File { path, before, after: None, definitions: Vec::new(), more_definitions: 0 });
        }
        self.look_up(&mut changed);
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
        let included = std::mem::take(&mut self.included);
        let included: Vec<_> =
            included.into_iter().map(|(f, content)| (f.clone(), self.setup.unit(&f), content)).collect();
        let graph = self.graph_mut()?;
        graph.set_project(&project);
        let files: Vec<FileId> = changed.iter().map(|(file, _)| file.clone()).collect();
        let set = changed.into_iter().zip(units).map(|((file, content), unit)| (file, unit, content));
        graph.set_files(set.chain(gone).chain(included));
        for file in files.iter().chain(&removed).take(LISTED) {
            let Some(before) = self.records.details(file).and_then(|details| details.outline.clone()) else { continue };
            let after = self.graph_mut()?.outline(file).cloned();
            self.causes.definitions(file, &before, after.as_ref());
        }
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
        if reconfigured {
            self.drop_targets();
        }
        let wanted = self.wanted();
        for file in &fresh {
            asked.extend(wanted.iter().map(|&target| (file.clone(), target)));
        }
        for (file, targets) in &suspects {
            asked.extend(wanted.iter().filter(|t| targets.contains(t.name())).map(|&target| (file.clone(), target)));
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
            // Who refers to them waits, or need not wait any more.
            touched.extend(clashed.union(&self.clashing).map(|file| mention(file)));
        } else {
            self.clashing = before;
        }
        let clashing = self.clashing.clone();
        self.graph_mut()?.set_clashing(clashing);
        let mut candidates: Vec<FileId> = match reconfigured {
            true => self.records.iter().map(|(file, _)| file.clone()).collect(),
            false => self.records.mentioning(&touched),
        };
        candidates.retain(|file| !fresh.contains(file));
        // Names are part of what is remembered of a file, and only its check brings that up to date.
        let known = !self.meta.naming.is_empty();
        for file in candidates {
            if known && self.outlined_anew(&file) {
                asked.insert((file.clone(), Target::Check));
            }
            asked.extend(self.dirty(&file)?.into_iter().map(|target| (file.clone(), target)));
        }
        // What is only referred to waits until it is known that it still is.
        let contract = |(file, _): &(FileId, Target)| self.records.get(file).map(|record| record.contract);
        let referred = asked.iter().filter(|asked| contract(asked) == Some(false)).cloned().collect();
        asked.retain(|asked| contract(asked) == Some(true));
        self.ask(asked, commit)?;
        self.reach(referred, commit)?;
        self.meet(&met, commit)?;
        self.settle(commit)?;
        round.restored = self.shelved.restored;
        let others = others || self.referred() != met || std::mem::take(&mut self.reshaped);
        let known = self.clashing.clone();
        let clashes = if others { self.clashes() } else { std::mem::take(&mut self.meta.global) };
        if known != self.clashing {
            self.reconsider(&known, commit)?;
        }
        let outcome = crate::tasks::run(self, commit)?;
        (round.agent_calls, round.agent_cached, round.agent_failed) = (outcome.calls, outcome.cached, outcome.failed);
        // Agents may have given other files than before.
        let others = others || std::mem::take(&mut self.reshaped);
        self.meta.global = clashes;
        round.diagnostics.extend(outcome.diagnostics);
        if others && survey.listing.is_none() {
            survey.listing = Some(omnigen_disk::listing(&self.setup.out).unwrap_or_default());
        }
        commit.finish(self, survey, others, round)
    }

    /// Other contracts clash than was known when artifacts were made, since files are referred to that were not before: who refers
    /// to them is asked again.
    fn reconsider(&mut self, known: &BTreeSet<FileId>, commit: &mut Commit) -> Result<(), String> {
        let touched: HashSet<u64> = known.symmetric_difference(&self.clashing).map(|file| mention(file)).collect();
        let clashing = self.clashing.clone();
        self.graph_mut()?.set_clashing(clashing);
        let mut asked = BTreeSet::new();
        for file in self.records.mentioning(&touched) {
            asked.extend(self.dirty(&file)?.into_iter().map(|target| (file.clone(), target)));
        }
        self.ask(asked, commit)
    }

    /// Which artifacts of a file do not hold any more: those with a read that gives another digest now.
    pub(crate) fn dirty(&mut self, file: &FileId) -> Result<Vec<Target>, String> {
        let wanted = self.wanted();
        let mut dirty = Vec::new();
        for target in &wanted {
            let trace =
                self.records.details(file).and_then(|d| d.made.get(target.name())).map(|made| made.trace.clone());
            let Some(trace) = trace else {
                dirty.push(*target);
                continue;
            };
            for read in trace.iter() {
                if self.current(&read.key)? != read.digest {
                    tracing::debug!(file = &**file, target = target.name(), read = ?read.key, "dirty");
                    dirty.push(*target);
                    break;
                }
            }
        }
        Ok(dirty)
    }

    /// Makes artifacts and hands their texts over, until nothing is pending.
    pub(crate) fn ask(&mut self, mut asked: BTreeSet<(FileId, Target)>, commit: &mut Commit) -> Result<(), String> {
        self.restore(&mut asked, commit)?;
        let mut asked: Vec<(FileId, Target)> = asked.into_iter().collect();
        if self.manners.fail_fast {
            // Nothing is made before everything is checked.
            asked.sort_by_key(|(_, target)| *target != Target::Check);
        }
        self.progress.1 += asked.len();
        self.recall_verdicts(asked.iter().filter(|(_, target)| *target == Target::Tests).count())?;
        // What is little is done before anybody could be told to wait.
        let large = asked.len() > BATCH;
        for batch in asked.chunks(BATCH) {
            let mut pending = batch.to_vec();
            let mut remembered = self.remembered(&mut pending);
            let mut unknown: BTreeSet<FileId> = BTreeSet::new();
            for (file, _) in batch {
                if self.graph_mut()?.content(file).is_none() {
                    unknown.insert(file.clone());
                }
            }
            self.supply(unknown)?;
            // Every turn supplies text that was missing; a file is asked for at most twice.
            for _ in 0..1000 {
                if large {
                    self.keep_up()?
                } else {
                    self.go_on()?
                }
                let built = self.graph_mut()?.make(&pending);
                if large {
                    // What has become old while it was made is dropped.
                    self.keep_up()?;
                }
                let mut needs = BTreeSet::new();
                let mut again = Vec::new();
                let mut made = std::mem::take(&mut pending).into_iter().zip(built).peekable();
                while let Some(((file, target), built)) = made.next() {
                    if self.manners.fail_fast && built.diagnostics.iter().any(Diagnostic::is_error) {
                        self.halt = Some(Halt::FailedFast);
                    }
                    if built.state == State::Pending {
                        needs.extend(built.needs);
                        again.push((file, target));
                    } else {
                        let more = |((next, _), built): &((FileId, Target), Built)| {
                            *next == file && built.state != State::Pending
                        };
                        let more = made.peek().is_some_and(more);
                        self.keep(&file, target, built.into(), None, more, commit)?;
                    }
                }
                if again.is_empty() {
                    // What others have read of a test's contract is known by now.
                    again = self.take_tests(std::mem::take(&mut remembered), commit)?;
                    if again.is_empty() {
                        break;
                    }
                }
                pending = again;
                self.supply(needs)?;
            }
            self.pack_tests();
            let graph = self.graph_mut()?;
            graph.forget_texts();
            graph.relax();
            if self.halt == Some(Halt::FailedFast) {
                return Err("a contract has errors".to_owned());
            }
            self.progress.0 += batch.len();
            let (done, total) = self.progress;
            tell(|| BuildEvent::Progress { done, total });
        }
        self.store_verdicts();
        Ok(())
    }

    /// Records an artifact and passes its text on. `taken`: it was not computed, and this is its text, unless none is needed.
    /// `more`: others of the same file follow at once.
    pub(crate) fn keep(
        &mut self,
        file: &FileId,
        target: Target,
        made: Made,
        taken: Option<Option<String>>,
        more: bool,
        commit: &mut Commit,
    ) -> Result<(), String> {
        let Made { ready, digest, .. } = made;
        let computed = taken.is_none();
        if computed {
            self.shelved.made(file);
        }
        let (check, extent) = (target == Target::Check, made.extent());
        let outline = if check { Some(self.graph_mut()?.shared_outline(file)) } else { None };
        let told = if check { self.shelved.told(file) } else { None };
        let path = match self.graph_mut()?.unit(file) {
            _ if check => String::new(),
            Some(unit) => unit.path(target.kind()),
            None => self.setup.unit(file).path(target.kind()),
        };
        let revision = self.revision;
        let kept = self.records.keep(file, Keep { target, made, outline, path: &path, revision, more });
        if check {
            if [kept.extent, told].into_iter().flatten().any(|before| before != extent) {
                self.turned.insert(file.clone());
            }
            if kept.includes {
                self.include(file);
            }
        }
        self.reshaped |= kept.reshaped;
        if ready && !check && !kept.empty && !kept.in_place && !self.clashing.contains(file) {
            let body = match taken.flatten() {
                Some(text) => Some(text),
                None => self.graph_mut()?.text(file, target, digest),
            };
            let Some(body) = body else { return Ok(()) };
            if computed && target == Target::Tests {
                self.remember_test(file, &body);
            }
            let intent = Intent {
                file: file.clone(),
                target: target.name().into(),
                path,
                body: Body::Text(body),
                digest,
                emitter: target.emitter(),
            };
            commit.put(self, intent)?;
        }
        Ok(())
    }
}
