//! What only all files together tell: which files contracts reach, whose outputs clash, what a round amounts to.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use omnigen_engine::{Content, Target};
use omnigen_ir::FileId;
use omnigen_report::{At, Code, Diagnostic};

use crate::commit::Commit;
use crate::glance::Idle;
use crate::records::{Made, Record, Summary, mention};
use crate::round::Round;
use crate::session::Session;
use crate::survey::Survey;

impl Session {
    /// Files that are no contracts, but are referred to.
    pub(crate) fn referred(&self) -> BTreeSet<FileId> {
        // Of those that are not at hand it is known that they are contracts.
        self.records.at_hand().filter(|(_, record)| !record.contract).map(|(file, _)| file.clone()).collect()
    }

    /// Files that contracts refer to, directly or not, are built too, as far as they are new or among `dirty`; those that nobody
    /// refers to any more are dropped.
    ///
    /// What a file refers to is known when it has been made: only then the walk goes on from there.
    pub(crate) fn reach(&mut self, dirty: BTreeSet<(FileId, Target)>, commit: &mut Commit) -> Result<(), String> {
        // As a rule all that is referred to is a contract itself.
        if self.records.closes() || crate::survey::others(&self.records).is_empty() {
            return Ok(());
        }
        let mut stale: BTreeMap<FileId, Vec<Target>> = BTreeMap::new();
        for (file, target) in dirty {
            stale.entry(file).or_default().push(target);
        }
        let wanted = self.wanted();
        let mut reached: BTreeSet<FileId> = BTreeSet::new();
        let mut queue: Vec<FileId> = self.records.iter().filter(|(_, r)| r.contract).map(|(f, _)| f.clone()).collect();
        while !queue.is_empty() {
            let mut asked: BTreeSet<(FileId, Target)> = BTreeSet::new();
            let mut next = Vec::new();
            while let Some(file) = queue.pop() {
                let uses = self.records.get(&file).map(|record| record.uses.clone()).unwrap_or_default();
                for used in uses {
                    self.meet_again(&used)?;
                    let there = self.records.get(&used).is_some_and(|record| !record.contract && record.stat.is_some());
                    if !there || !reached.insert(used.clone()) {
                        continue;
                    }
                    let mut own = stale.remove(&used).unwrap_or_default();
                    let made = self.records.details(&used).map(|details| &details.made);
                    own.extend(
                        wanted.iter().filter(|target| made.is_none_or(|made| !made.contains_key(target.name()))),
                    );
                    if own.is_empty() {
                        queue.push(used);
                    } else {
                        asked.extend(own.into_iter().map(|target| (used.clone(), target)));
                        next.push(used);
                    }
                }
            }
            if !asked.is_empty() {
                self.ask(asked, commit)?;
            }
            queue = next;
        }
        let referred = self.records.iter().filter(|(file, record)| !record.contract && !reached.contains(*file));
        let dropped: Vec<FileId> = referred.map(|(file, _)| file.clone()).collect();
        for file in dropped {
            self.records.remove(&file);
        }
        Ok(())
    }

    /// A file may have been read for somebody who in the end did not need it, and so be known to the graph alone.
    fn meet_again(&mut self, file: &FileId) -> Result<(), String> {
        let known = self.records.get(file).is_some();
        if !known && !matches!(self.graph_mut()?.content(file), None | Some(Content::Absent)) {
            let (_, stat, digest) = self.setup.read(file);
            self.refer(file, stat, digest);
        }
        Ok(())
    }

    /// Files that were only found in this round, because somebody refers to them, may have `$id`s that others asked for before.
    pub(crate) fn meet(&mut self, before: &BTreeSet<FileId>, commit: &mut Commit) -> Result<(), String> {
        let late: Vec<FileId> = self.referred().difference(before).cloned().collect();
        let mut ids: HashSet<u64> = HashSet::new();
        for file in late {
            let outline = self.records.details(&file).and_then(|details| details.outline.as_ref());
            ids.extend(outline.into_iter().flat_map(|o| &o.exports.ids).map(|(uri, _)| mention(&format!("id:{uri}"))));
        }
        let mut asked = BTreeSet::new();
        for file in self.records.mentioning(&ids) {
            asked.extend(self.dirty(&file)?.into_iter().map(|target| (file.clone(), target)));
        }
        if asked.is_empty() {
            return Ok(());
        }
        self.ask(asked, commit)?;
        self.reach(BTreeSet::new(), commit)
    }

    /// Whoever has read a file's schemas asks whether it is free of errors. That may have changed although none of those schemas
    /// has, because of another file still: nothing in the trace of the one who asks is about that. What is made of the file itself
    /// hangs on its check, too.
    pub(crate) fn settle(&mut self, commit: &mut Commit) -> Result<(), String> {
        loop {
            let turned = std::mem::take(&mut self.turned);
            let mut asked = BTreeSet::new();
            for file in turned.iter().filter(|file| self.records.get(file).is_some_and(|record| record.contract)) {
                let made = self.wanted().into_iter().filter(|target| *target != Target::Check);
                asked.extend(made.map(|target| (file.clone(), target)));
            }
            let turned: HashSet<u64> = turned.iter().map(|file| mention(file)).collect();
            for file in self.records.mentioning(&turned) {
                asked.extend(self.dirty(&file)?.into_iter().map(|target| (file.clone(), target)));
            }
            if asked.is_empty() {
                return Ok(());
            }
            self.ask(asked, commit)?;
            self.reach(BTreeSet::new(), commit)?;
        }
    }

    /// Forgets what was made for targets that the configuration does not have any more.
    pub(crate) fn drop_targets(&mut self) {
        let mut wanted: BTreeSet<Box<str>> = self.wanted().into_iter().map(|target| target.name().into()).collect();
        wanted.extend(self.agents.targets().iter().map(|target| target.name.clone()));
        self.records.keep_targets(&wanted);
    }

    /// Contracts that want the same output: an error on each side.
    pub(crate) fn clashes(&mut self) -> Vec<Diagnostic> {
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
    pub(crate) fn conclude(&mut self, survey: &Survey, round: &mut Round) {
        round.diagnostics.extend(self.found.iter().cloned());
        round.diagnostics.extend(survey.problems.iter().cloned());
        round.diagnostics.extend(self.meta.global.iter().cloned());
        round.diagnostics.extend(self.findings().into_iter().map(|(_, found)| found));
        (round.total, round.held_back) = self.counts();
    }

    /// Findings of single files, with the shards of their records.
    pub(crate) fn findings(&mut self) -> Vec<(usize, Diagnostic)> {
        let noisy: Vec<FileId> =
            self.records.at_hand().filter(|(_, r)| r.noisy).map(|(file, _)| file.clone()).collect();
        let closed: HashSet<usize> = self.records.summary().map(|(number, _)| number).collect();
        let mut found: Vec<(usize, Diagnostic)> =
            self.told.iter().filter(|(shard, _)| closed.contains(shard)).cloned().collect();
        for file in noisy {
            let shard = self.records.shard(&file);
            let made = self.records.details(&file).map(|details| details.made.values().collect::<Vec<&Made>>());
            let own = made.into_iter().flatten().flat_map(|made| &made.diagnostics);
            found.extend(own.map(|found| (shard, found.clone())));
        }
        found
    }

    /// A round that has found nothing changed.
    pub(crate) fn idle(&self, idle: Idle) -> Round {
        let Idle { total, held_back, diagnostics, .. } = idle;
        let mut diagnostics: Vec<Diagnostic> = diagnostics.into_iter().map(|(_, found)| found).collect();
        diagnostics.extend(self.found.iter().chain(&self.meta.global).cloned());
        Round { diagnostics, total, held_back, idle: true, ..Round::default() }
    }

    /// How many artifacts there are in all, and how many of them are held back.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let targets = self.wanted().len() - 1 + self.agents.targets().len();
        let own = self.records.at_hand().map(|(_, record)| self.counts_of(record));
        let others = self.records.summary().map(|(_, summary)| summary.counts);
        let (more, good) = own.chain(others).fold((0, 0), |(more, good), (m, g)| (more + m, good + g));
        let total = usize::try_from((self.records.len() * targets) as i64 + more).unwrap_or(0);
        (total, total.saturating_sub(good))
    }

    /// What records count, shard by shard.
    pub(crate) fn summaries(&mut self) -> Vec<Option<Summary>> {
        let mut records = std::mem::take(&mut self.records);
        let summaries = records.summaries(|record| self.counts_of(record));
        self.records = records;
        summaries
    }

    /// How many artifacts more (or less) a file has than there are targets, and how many are where they belong.
    fn counts_of(&self, record: &Record) -> (i64, usize) {
        // Of a contract with errors it is not known whether it is a node's, unless it was one before.
        let unknown = self.setup.config.builds(Target::Nodes.name())
            && record.held
            && !record.makes_nothing(Target::Nodes)
            && record.outputs.iter().all(|output| *output.target != *Target::Nodes.name());
        // An agent may give several files for one contract.
        let files = |name: &str| record.outputs.iter().filter(|output| *output.target == *name).count();
        let agents = self.agents.targets();
        let more: usize = agents.iter().map(|target| files(&target.name).saturating_sub(1)).sum();
        let placed = record.outputs.iter().filter(|output| output.stat.is_some() && !record.held);
        let good = placed.filter(|output| !record.waiting.contains(&output.target)).count();
        (more as i64 - (record.empty.len() + usize::from(unknown)) as i64, good)
    }

    /// All outputs that files may have, whether or not they could be made.
    pub(crate) fn wanted_paths(&self) -> HashSet<String> {
        let wanted: Vec<Target> = self.wanted().into_iter().filter(|target| *target != Target::Check).collect();
        let mut paths = HashSet::with_capacity(self.records.len() * wanted.len());
        for (file, record) in self.records.iter() {
            let unit = self.setup.unit(file);
            let unknown = record.doubtful();
            let made = wanted
                .iter()
                .filter(|target| !(record.makes_nothing(**target) || unknown && **target == Target::Nodes));
            paths.extend(made.map(|target| unit.path(target.kind())));
            let agents = self.agents.targets();
            paths.extend(agents.iter().map(|target| omnigen_engine::output_path(&target.output, &unit)));
            paths.extend(self.agents.pinned_paths(file));
            paths.extend(
                record.outputs.iter().filter(|o| agents.iter().any(|t| t.name == o.target)).map(|o| o.path.to_string()),
            );
        }
        paths
    }
}
