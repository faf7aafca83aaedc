//! What is different on disk from what the records say. Reads stats and names; opens only what a stat cannot vouch for.

use std::collections::{BTreeMap, BTreeSet};

use omnigen_disk::{Entry, EntryKind, Stat};
use omnigen_ir::FileId;
use omnigen_report::{At, Code, Diagnostic};
use rustc_hash::{FxBuildHasher, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::records::{Meta, Record, Records};
use crate::setup::Setup;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Files that are new or whose stat is not the recorded one: is it a contract, and what the disk says now.
    pub(crate) changed: BTreeMap<FileId, (bool, Option<Stat>)>,
    /// Contracts that are gone.
    pub(crate) removed: BTreeSet<FileId>,
    /// Outputs that are not what was written: the file that they belong to (`None`: the project) and the path.
    pub(crate) suspicious: Vec<(Option<FileId>, Box<str>)>,
    /// Files in the output folder that no record names.
    pub(crate) strays: Vec<String>,
    /// Everything in the output folder, if it was looked at.
    pub(crate) listing: Option<Vec<Entry>>,
    /// What could not be looked at.
    pub(crate) problems: Vec<Diagnostic>,
    /// What decides which contracts there are, if that was looked at.
    pub(crate) looked: Option<Looked>,
}

/// The folders as they are: what can be read before anybody knows what was there.
#[derive(Debug)]
pub(crate) struct Scan {
    /// The contracts, sorted by path.
    contracts: Vec<(FileId, Option<Stat>)>,
    problems: Vec<Diagnostic>,
    looked: Looked,
}

/// What decided which contracts there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Looked {
    /// Folders and lists of rules as they were then; empty if they do not tell.
    places: Vec<(String, Option<Stat>)>,
    /// The file system's clock before they were read, in ns.
    at: i64,
}

/// Where more folders have changed, all are read, on several threads.
const FOLDERS: usize = 64;

impl Looked {
    /// Would the same contracts be found?
    pub(crate) fn holds(&self, setup: &Setup) -> bool {
        let same = |(place, known): &(String, Option<Stat>)| {
            !moved(*known, omnigen_disk::stat(&setup.root.join(place)).ok().flatten(), self.at)
        };
        !self.places.is_empty() && self.places.iter().all(same)
    }

    /// The same as it is now, where only folders have changed, and the contracts in them (a ledger of all has them) are those that were
    /// there. `None`: the folders are to be read.
    pub(crate) fn renewed(&self, setup: &Setup, contracts: &[u8], remember: bool) -> Option<Looked> {
        let clock = if remember { omnigen_disk::stat::clock(&setup.state).ok()? } else { 0 };
        let stat = |place: &str| omnigen_disk::stat(&setup.root.join(place)).ok().flatten();
        let now: Vec<(String, Option<Stat>)> =
            self.places.iter().map(|(place, _)| (place.clone(), stat(place))).collect();
        let changed = self.places.iter().zip(&now).filter(|((_, then), (_, now))| moved(*then, *now, self.at));
        let folders: BTreeSet<&str> = changed.map(|((place, _), _)| place.as_str()).collect();
        let rules = |place: &&str| place.rsplit('/').next() == Some(".gitignore");
        if self.places.is_empty() || setup.named.is_some() || folders.len() > FOLDERS || folders.iter().any(rules) {
            return None;
        }
        let known: BTreeSet<&str> = self.places.iter().map(|(place, _)| place.as_str()).collect();
        let names = omnigen_disk::ledger::names(contracts, &folders)?;
        let config = &setup.config;
        let sought = omnigen_disk::Sought {
            root: &setup.root,
            globs: &config.contracts,
            exclude: &config.exclude,
            out: &config.out,
        };
        let none = BTreeSet::new();
        let same = |folder: &&str| {
            let names = names.get(folder).unwrap_or(&none);
            omnigen_disk::same_names(&sought, folder, names, |path| known.contains(path))
        };
        folders.iter().all(same).then_some(Looked { places: now, at: clock })
    }

    /// Can whatever has happened at a path, which is no contract's, make no difference to which contracts there are? Editors save by
    /// way of such files.
    pub(crate) fn passes(&self, setup: &Setup, path: &str) -> bool {
        let config = &setup.config;
        if self.places.is_empty() || setup.named.is_some() || self.places.iter().any(|(place, _)| place == path) {
            return false;
        }
        // A folder may have brought contracts; one that has gone is among the places.
        let plain = omnigen_disk::stat::file_or_nothing(&setup.root.join(path));
        let rules = path.rsplit('/').next() == Some(".gitignore");
        let globs = omnigen_disk::Globs::new(&config.contracts).0;
        plain && !rules && !omnigen_disk::would_find(&setup.root, &globs, &config.exclude, &config.out, path)
    }

    /// Is it enough to go on with, where another look has shown the same?
    pub(crate) fn confirmed(&self, other: &Looked) -> bool {
        let racy = |(_, stat): &(String, Option<Stat>)| stat.is_some_and(|stat| omnigen_disk::racy(&stat, self.at));
        self.places == other.places && !self.places.iter().any(racy)
    }
}

impl Scan {
    /// Reads the folders of the contracts, once and for all.
    pub(crate) fn new(setup: &Setup) -> Scan {
        let _span = tracing::info_span!("scan").entered();
        contracts(setup)
    }

    /// The same for a session that may remember what was looked at.
    pub(crate) fn remembered(setup: &Setup) -> Scan {
        let clock = omnigen_disk::stat::clock(&setup.state);
        let mut scan = Scan::new(setup);
        match clock {
            // What is told about is looked at by every run.
            Ok(at) if scan.problems.is_empty() => scan.looked.at = at,
            _ => scan.looked = Looked::default(),
        }
        scan
    }

    /// The contracts, sorted by path, with what the disk says; `None` if there is more to be told.
    pub(crate) fn contracts(&self) -> Option<impl Iterator<Item = (&str, Option<Stat>)>> {
        self.problems.is_empty().then(|| self.contracts.iter().map(|(file, stat)| (&**file, *stat)))
    }

    /// What decides which contracts there are.
    pub(crate) fn into_looked(self) -> Looked {
        self.looked
    }

    /// The contracts alone.
    pub(crate) fn into_contracts(self) -> Vec<(FileId, Option<Stat>)> {
        self.contracts
    }
}

/// Folders as they are now.
pub(crate) fn again(setup: &Setup, folders: &[(String, Stat)]) -> Vec<(String, Stat)> {
    let stat = |folder: &str| omnigen_disk::stat(&setup.out.join(folder)).ok().flatten();
    folders.iter().filter_map(|(folder, _)| Some((folder.clone(), stat(folder)?))).collect()
}

/// The folders of all outputs, the output folder itself included, as they are now.
pub(crate) fn folders(setup: &Setup, records: &Records, meta: &Meta) -> Vec<(String, Stat)> {
    let of_files = records.iter().flat_map(|(_, record)| &record.outputs);
    let mut folders: BTreeSet<&str> = BTreeSet::from([""]);
    for output in of_files.chain(&meta.outputs) {
        let mut path: &str = &output.path;
        while let Some((folder, _)) = path.rsplit_once('/') {
            if !folders.insert(folder) {
                break;
            }
            path = folder;
        }
    }
    let stat = |folder: &str| omnigen_disk::stat(&setup.out.join(folder)).ok().flatten();
    folders.into_iter().filter_map(|folder| Some((folder.to_owned(), stat(folder)?))).collect()
}

fn contracts(setup: &Setup) -> Scan {
    if let Some(named) = &setup.named {
        let stats = named.iter().map(|file| omnigen_disk::stat(&setup.path(file)).ok().flatten());
        let mut found: Vec<_> = named.iter().cloned().zip(stats).collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found.dedup_by(|(a, _), (b, _)| a == b);
        return Scan { contracts: found, problems: Vec::new(), looked: Looked::default() };
    }
    let config = &setup.config;
    let discovery = omnigen_disk::discover(&setup.root, &config.contracts, &config.exclude, &config.out);
    let problems = discovery.problems.iter().map(|problem| {
        let file = FileId::from(problem.path.as_str());
        Diagnostic::new(Code::Unreadable, At::file(&file), problem.to_string())
    });
    Scan {
        problems: problems.collect(),
        contracts: discovery.files.into_iter().map(|found| (FileId::from(found.path), Some(found.stat))).collect(),
        looked: Looked { places: discovery.looked, at: 0 },
    }
}

impl Survey {
    /// Compares everything.
    pub(crate) fn full(setup: &Setup, records: &Records, meta: &Meta, scan: Scan) -> Survey {
        Survey::seen(setup, records, meta, scan, None)
    }

    /// The same; `outputs` are the numbers of those outputs that have moved, if that is known already.
    pub(crate) fn seen(setup: &Setup, records: &Records, meta: &Meta, scan: Scan, outputs: Option<Vec<u32>>) -> Survey {
        let _span = tracing::info_span!("survey").entered();
        let Scan { contracts, problems, looked } = scan;
        let (mut survey, outputs) = std::thread::scope(|scope| {
            let outputs = scope.spawn(move || {
                let mut survey = Survey::default();
                match outputs {
                    Some(moved) => survey.moved(records, meta, &moved),
                    None => survey.outputs(setup, records, meta),
                }
                survey
            });
            let mut survey = Survey { problems, looked: Some(looked), ..Survey::default() };
            survey.contracts(contracts, records, meta);
            survey.others(setup, records, meta);
            (survey, outputs.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        (survey.suspicious, survey.strays, survey.listing) = (outputs.suspicious, outputs.strays, outputs.listing);
        survey
    }

    /// Takes in files and outputs of which it is known that they, and no others, have moved: contracts and outputs by their
    /// numbers in the manifest.
    pub(crate) fn glanced(
        setup: &Setup,
        records: &Records,
        meta: &Meta,
        (contracts, outputs): (&[u32], &[u32]),
        others: Vec<(FileId, Option<Stat>)>,
    ) -> Survey {
        let mut survey = Survey::default();
        if !contracts.is_empty() {
            let all: Vec<&FileId> =
                records.iter().filter(|(_, record)| record.contract).map(|(file, _)| file).collect();
            for file in contracts.iter().filter_map(|number| all.get(usize::try_from(*number).ok()?)) {
                let stat = omnigen_disk::stat(&setup.path(file)).ok().flatten();
                survey.changed.insert((*file).clone(), (true, stat));
            }
        }
        survey.changed.extend(others.into_iter().map(|(file, stat)| (file, (false, stat))));
        survey.moved(records, meta, outputs);
        survey
    }

    /// The same for records that are not at hand, all of contracts: names instead of numbers.
    pub(crate) fn named(setup: &Setup, contracts: Vec<FileId>, outputs: Vec<crate::glance::Owned>) -> Survey {
        let stat = |file: &FileId| omnigen_disk::stat(&setup.path(file)).ok().flatten();
        let changed = contracts.into_iter().map(|file| (file.clone(), (true, stat(&file)))).collect();
        let mut survey = Survey { changed, suspicious: outputs, ..Survey::default() };
        survey.suspicious.sort_by(|(_, a), (_, b)| a.cmp(b));
        survey
    }

    /// Looks at a few files that are known already, and at nothing else.
    pub(crate) fn of(setup: &Setup, records: &Records, meta: &Meta, files: &BTreeSet<FileId>) -> Survey {
        let mut survey = Survey::default();
        // Of those that are not at hand it is known that nothing stands within them.
        for (file, record) in records.at_hand() {
            if record.includes.iter().any(|(included, ..)| files.contains(included)) {
                survey.changed.insert(file.clone(), (record.contract, record.stat));
            }
        }
        for file in files {
            let Some(record) = records.get(file) else { continue };
            let stat = omnigen_disk::stat(&setup.path(file)).ok().flatten();
            if moved(record.stat, stat, meta.read_at) {
                survey.changed.insert(file.clone(), (record.contract, stat));
            }
        }
        survey
    }

    fn contracts(&mut self, found: Vec<(FileId, Option<Stat>)>, records: &Records, meta: &Meta) {
        // Both lists are sorted by path: one walk over the two.
        let mut known = records.iter().peekable();
        let mut gone = |file: &FileId, record: &Record| {
            if record.contract {
                self.removed.insert(file.clone());
            }
        };
        for (file, stat) in found {
            while let Some((other, record)) = known.next_if(|(other, _)| **other < file) {
                gone(other, record);
            }
            let record = known.next_if(|(other, _)| **other == file).map(|(_, record)| record);
            if record.is_none_or(|record| !record.contract || moved(record.stat, stat, meta.read_at)) {
                self.changed.insert(file, (true, stat));
            }
        }
        known.for_each(|(file, record)| gone(file, record));
    }

    /// Files that are only referred to, also those that were not there.
    fn others(&mut self, setup: &Setup, records: &Records, meta: &Meta) {
        for file in others(records) {
            if self.changed.contains_key(file) {
                continue;
            }
            let stat = omnigen_disk::stat(&setup.path(file)).ok().flatten();
            let recorded = records.get(file).and_then(|record| record.stat);
            if moved(recorded, stat, meta.read_at) {
                self.changed.insert(file.clone(), (false, stat));
            }
        }
        // What stands within a contract is a part of it.
        for (file, record) in records.iter() {
            let touched = record.includes.iter().any(|(included, known, _)| {
                moved(*known, omnigen_disk::stat(&setup.path(included)).ok().flatten(), meta.read_at)
            });
            if touched {
                self.changed.entry(file.clone()).or_insert((record.contract, record.stat));
            }
        }
        // What is locked may have changed without the copy: by a merge, or by another branch.
        for (file, (_, locked)) in &setup.locked {
            if let Some(record) =
                records.get(file).filter(|record| record.stat.is_some() && !locked.contains(&record.digest))
            {
                self.changed.entry(file.clone()).or_insert((record.contract, record.stat));
            }
        }
    }

    /// Takes in outputs that were found moved by their numbers, in folders that are as they were.
    fn moved(&mut self, records: &Records, meta: &Meta, moved: &[u32]) {
        if moved.is_empty() {
            return;
        }
        let all = crate::glance::outputs(records, meta);
        let found = moved.iter().filter_map(|number| all.get(usize::try_from(*number).ok()?));
        self.suspicious.extend(found.map(|(file, output)| (file.cloned(), output.path.clone())));
        self.suspicious.sort_by(|(_, a), (_, b)| a.cmp(b));
    }

    fn outputs(&mut self, setup: &Setup, records: &Records, meta: &Meta) {
        let mut all = crate::glance::outputs(records, meta);
        let paths: Vec<&str> = all.iter().map(|(_, output)| &*output.path).collect();
        let stats = omnigen_disk::stat_many(&setup.out, &paths);
        for ((file, output), stat) in all.iter().zip(stats) {
            if stat.is_none() || moved(output.stat, stat, meta.written_at) {
                self.suspicious.push((file.cloned(), output.path.clone()));
            }
        }
        self.suspicious.sort_by(|(_, a), (_, b)| a.cmp(b));
        let same = |(folder, known): &(String, Stat)| {
            let now = omnigen_disk::stat(&setup.out.join(folder)).ok().flatten();
            !moved(Some(*known), now, meta.written_at)
        };
        if !meta.folders.is_empty() && meta.folders.iter().all(same) {
            return;
        }
        let listing = omnigen_disk::listing(&setup.out).unwrap_or_default();
        all.sort_by(|(_, a), (_, b)| a.path.cmp(&b.path));
        let mut expected = all.iter().map(|(_, output)| &*output.path).peekable();
        for entry in listing.iter().filter(|entry| entry.kind == EntryKind::File) {
            while expected.next_if(|path| *path < &*entry.path).is_some() {}
            if expected.peek() != Some(&&*entry.path) {
                self.strays.push(entry.path.clone());
            }
        }
        self.listing = Some(listing);
    }
}

/// Files that are only referred to, also those that were not there.
pub(crate) fn others(records: &Records) -> BTreeSet<&FileId> {
    let mut contracts: FxHashSet<&FileId> = FxHashSet::with_capacity_and_hasher(records.len(), FxBuildHasher);
    contracts.extend(records.iter().filter(|(_, record)| record.contract).map(|(file, _)| file));
    let mut others: BTreeSet<&FileId> = BTreeSet::new();
    for (file, record) in records.iter() {
        if !record.contract {
            others.insert(file);
        }
        others.extend(record.uses.iter().filter(|used| !contracts.contains(used)));
    }
    others
}

/// Can the stat not vouch for the content? Also true if the file may have been written in the same tick of the clock in which
/// it was last looked at (as in git's racy index).
pub(crate) fn moved(recorded: Option<Stat>, now: Option<Stat>, since: i64) -> bool {
    match (recorded, now) {
        (None, None) => false,
        (Some(recorded), Some(now)) => recorded != now || omnigen_disk::racy(&now, since),
        (None, Some(_)) | (Some(_), None) => true,
    }
}
