//! Nothing has changed: how a run finds that out without a record being decoded.
//!
//! The manifest keeps what the answer needs, laid out for one pass: ledgers of the contracts and of the outputs, and what such a
//! run says. The folders of contracts are not read either, while they are as they were. Whatever is out of the ordinary
//! (included files, locked schemas, agents without answers) is left to the survey; what is found changed here is not looked at twice.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use omnigen_disk::ledger::Part;
use omnigen_disk::{Stat, ledger};
use omnigen_ir::FileId;
use omnigen_report::Diagnostic;
use omnigen_store::{Edit, Manifest, Update};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::records::{Meta, Output, Record, Records, Summary};
use crate::session::Session;
use crate::setup::Setup;
use crate::survey::{Looked, Scan, moved};

/// The sections of the manifest.
const HEAD: &str = "glance";
const CONTRACTS: &str = "contracts";
const OUTPUTS: &str = "outputs";
/// One for each shard of records.
const SUMMARY: &str = "summary/";

/// Stands for the project among the numbers of contracts.
const PROJECT: u32 = u32::MAX;

/// What a run says that finds nothing changed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Idle {
    /// Artifacts in all.
    pub(crate) total: usize,
    /// Those of them that are held back.
    pub(crate) held_back: usize,
    /// Findings of contracts, with the number of the shard that has their records.
    pub(crate) diagnostics: Vec<(usize, Diagnostic)>,
    /// Files that are only referred to, also those that were not there.
    others: Vec<(String, Option<Stat>)>,
}

impl Idle {
    /// Is nothing referred to but contracts?
    pub(crate) fn closed(&self) -> bool {
        self.others.is_empty()
    }
}

/// What was seen.
pub(crate) enum Glance {
    /// Nothing has changed.
    Same(Idle),
    /// Something has.
    Moved {
        /// The contracts that have moved, by their number among the contracts; `None`: their folders have changed, by others than before
        /// or because editors save by way of other files.
        contracts: Option<Vec<u32>>,
        /// What decides which contracts there are, if that is not as it was, and they are.
        looked: Option<Looked>,
        /// The outputs that have moved, by their number in [`outputs`].
        outputs: Vec<u32>,
        /// Files that are only referred to and have moved, with what the disk says now.
        others: Vec<(FileId, Option<Stat>)>,
        /// What was to be said if nothing had.
        idle: Idle,
    },
    /// This is not enough to tell.
    Unclear,
}

/// All outputs in the order in which they are looked at: contracts are in the order of their folders, and so are the outputs of
/// one target.
pub(crate) fn outputs<'r>(records: &'r Records, meta: &'r Meta) -> Vec<(Option<&'r FileId>, &'r Output)> {
    let of_files = records.iter().flat_map(|(file, record)| record.outputs.iter().map(move |o| (Some(file), o)));
    // There are few targets, and many outputs.
    let mut by_target: Vec<(&str, Vec<_>)> = Vec::new();
    for found in of_files.chain(meta.outputs.iter().map(|output| (None, output))) {
        match by_target.iter_mut().find(|(target, _)| *target == &*found.1.target) {
            Some((_, list)) => list.push(found),
            None => {
                let mut list = Vec::with_capacity(records.len());
                list.push(found);
                by_target.push((&found.1.target, list));
            }
        }
    }
    by_target.sort_by_key(|(target, _)| *target);
    let mut all = Vec::with_capacity(by_target.iter().map(|(_, list)| list.len()).sum());
    by_target.into_iter().for_each(|(_, list)| all.extend(list));
    all
}

/// Ledgers of contracts and of outputs, as they are in the manifest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ledgers<'m> {
    contracts: &'m [u8],
    outputs: &'m [u8],
}

impl<'m> Ledgers<'m> {
    /// Those of a manifest.
    pub(crate) fn of(manifest: &'m Manifest) -> Option<Ledgers<'m>> {
        Some(Ledgers { contracts: manifest.section(CONTRACTS)?, outputs: manifest.section(OUTPUTS)? })
    }

    /// The numbers of the contracts that have moved, if those that were found now are the same as then.
    pub(crate) fn compared(&self, scan: &Scan, meta: &Meta) -> Option<Vec<u32>> {
        ledger::compared(self.contracts, scan.contracts()?, |then, now| moved(then, now, meta.read_at))
    }

    /// What makes them those of the records, where stats are all that has changed; else `None`.
    fn renewed(&self, records: &Records, meta: &Meta) -> Option<[Update; 2]> {
        let edited = records.edited()?;
        let contracts = edited.iter().filter(|(_, record)| record.contract);
        let contracts: Vec<(&str, Option<Stat>)> = contracts.map(|(file, record)| (&***file, record.stat)).collect();
        let of_files = edited.iter().flat_map(|(_, record)| &record.outputs);
        let outputs: Vec<(&str, Option<Stat>)> =
            of_files.chain(&meta.outputs).map(|output| (&*output.path, output.stat)).collect();
        if outputs.iter().any(|(_, stat)| stat.is_none()) {
            return None;
        }
        let edit = |(at, bytes): (usize, [u8; ledger::STAT])| Edit { range: at..at + bytes.len(), bytes: bytes.into() };
        let update = |places: Vec<_>| Update::Edited(places.into_iter().map(edit).collect());
        let contracts = update(ledger::renewed(self.contracts, &contracts)?);
        Some([contracts, update(ledger::renewed(self.outputs, &outputs)?)])
    }

    /// The contracts and the outputs (with whose they are) of these numbers, where all files are contracts.
    pub(crate) fn named(&self, contracts: &[u32], outputs: &[u32]) -> Option<(Vec<FileId>, Vec<Owned>)> {
        let file = |(path, _): (String, u32)| FileId::from(path);
        let contracts = ledger::named(self.contracts, contracts)?.into_iter().map(file).collect();
        let outputs = ledger::named(self.outputs, outputs)?;
        let owners: Vec<u32> = outputs.iter().map(|(_, owner)| *owner).filter(|owner| *owner != PROJECT).collect();
        let mut owners = ledger::named(self.contracts, &owners)?.into_iter().map(file);
        let owned = |(path, owner): (String, u32)| {
            let owner = if owner == PROJECT { None } else { Some(owners.next()?) };
            Some((owner, path.into()))
        };
        let outputs: Option<Vec<Owned>> = outputs.into_iter().map(owned).collect();
        Some((contracts, outputs?))
    }
}

/// Ledgers of records, of contracts and of outputs.
fn lay_out(records: &Records, meta: &Meta) -> Option<[Update; 2]> {
    let contracts = records.iter().filter(|(_, record)| record.contract);
    let contracts = ledger::lay_out(contracts.map(|(file, record)| (&**file, record.stat, 0)))?;
    let outputs = outputs(records, meta);
    // One that is not in its place is looked at by every run.
    if outputs.iter().any(|(_, output)| output.stat.is_none()) {
        return None;
    }
    let mut owners: FxHashMap<&FileId, u32> = FxHashMap::default();
    owners.extend(records.iter().map(|(file, _)| file).zip(0..));
    let owner = |file: &Option<&FileId>| file.and_then(|file| owners.get(file)).copied().unwrap_or(PROJECT);
    let outputs = ledger::lay_out(outputs.iter().map(|(file, output)| (&*output.path, output.stat, owner(file))))?;
    Some([Update::Whole(contracts), Update::Whole(outputs)])
}

/// Whose an output is (`None`: the project's), and its path.
pub(crate) type Owned = (Option<FileId>, Box<str>);

/// What the manifest says of the records' shards, of which there are so many; `None` if it does not.
pub(crate) fn summaries(manifest: &Manifest, shards: usize) -> Option<Vec<Summary>> {
    let known: Vec<Summary> = manifest
        .sections()
        .filter(|(name, _)| name.starts_with(SUMMARY))
        .map(|(_, bytes)| postcard::from_bytes(bytes))
        .collect::<Result<_, _>>()
        .ok()?;
    (known.len() == shards).then_some(known)
}

/// Does the manifest say that nothing but contracts is referred to?
pub(crate) fn closed(manifest: &Manifest) -> bool {
    let head: Option<Idle> = manifest.section(HEAD).and_then(|head| postcard::from_bytes(head).ok());
    head.is_some_and(|head| head.closed())
}

/// What the manifest is to keep for the next glance, section by section; nothing where a glance cannot be enough.
pub(crate) fn kept(session: &mut Session) -> Option<Vec<(String, Update)>> {
    let closes = session.records.closes();
    session.records.closed = false;
    let odd = |record: &Record| record.open || !record.includes.is_empty();
    // Of those that nobody has touched the manifest has told.
    if session.records.at_hand().any(|(_, record)| odd(record)) || !session.setup.locked.is_empty() {
        return None;
    }
    if session.agents.unsettled(&session.records) {
        return None;
    }
    let known = session.manifest.as_ref().and_then(Ledgers::of);
    let renewed = known.and_then(|ledgers| ledgers.renewed(&session.records, &session.meta));
    let [contracts, outputs] = renewed.or_else(|| lay_out(&session.records, &session.meta))?;
    let others: Vec<(String, Option<Stat>)> = if closes {
        Vec::new()
    } else {
        let records = &session.records;
        let stat = |file: &FileId| records.get(file).and_then(|record| record.stat);
        crate::survey::others(records).into_iter().map(|file| (file.to_string(), stat(file))).collect()
    };
    session.records.closed = others.is_empty();
    let (total, held_back) = session.counts();
    let summaries = session.summaries();
    let head = Idle { total, held_back, others, diagnostics: session.findings() };
    let mut sections = vec![(HEAD.to_owned(), Update::Whole(postcard::to_stdvec(&head).ok()?))];
    let there: HashSet<&str> = session.manifest.iter().flat_map(Manifest::names).collect();
    for (number, fresh) in summaries.iter().enumerate() {
        let name = format!("{SUMMARY}{number}");
        let update = match fresh {
            None if there.contains(&*name) => Update::Same,
            fresh => {
                let summary = fresh.as_ref().or_else(|| session.records.known(number))?;
                Update::Whole(postcard::to_stdvec(summary).ok()?)
            }
        };
        sections.push((name, update));
    }
    sections.extend([(CONTRACTS.to_owned(), contracts), (OUTPUTS.to_owned(), outputs)]);
    Some(sections)
}

/// Compares the folders as they are with what the manifest says. `remember`: the run may leave something behind.
pub(crate) fn glance(manifest: &Manifest, setup: &Setup, meta: &Meta, remember: bool) -> Glance {
    let _span = tracing::info_span!("glance").entered();
    look(manifest, setup, meta, remember).unwrap_or(Glance::Unclear)
}

fn look(manifest: &Manifest, setup: &Setup, meta: &Meta, remember: bool) -> Option<Glance> {
    let head: Idle = postcard::from_bytes(manifest.section(HEAD)?).ok()?;
    let pinned = |(file, known): &(String, Option<Stat>)| {
        !moved(*known, omnigen_disk::stat(&setup.root.join(file)).ok().flatten(), meta.pinned_at)
    };
    if !meta.pinned.as_ref()?.iter().all(pinned) {
        return None;
    }
    let same = |(folder, known): &(String, Stat)| {
        !moved(Some(*known), omnigen_disk::stat(&setup.out.join(folder)).ok().flatten(), meta.written_at)
    };
    if !setup.locked.is_empty() || meta.folders.is_empty() || !meta.folders.iter().all(same) {
        return None;
    }
    let outputs = Part { root: &setup.out, ledger: manifest.section(OUTPUTS)? };
    let contracts = Part { root: &setup.root, ledger: manifest.section(CONTRACTS)? };
    let holds = meta.looked.holds(setup);
    let looked = if holds { None } else { meta.looked.renewed(setup, contracts.ledger, remember) };
    let parts = if holds || looked.is_some() { &[outputs, contracts][..] } else { &[outputs][..] };
    let since = [meta.written_at, meta.read_at];
    // A contract that is gone from a folder that is as it was: whatever that means, the folders are to be read.
    let gone = AtomicBool::new(false);
    let mut found = ledger::moved(parts, |part, then, now| {
        if now.is_none() && part == 1 {
            gone.store(true, Ordering::Relaxed);
        }
        now.is_none() || moved(then, now, since.get(part).copied().unwrap_or_default())
    })?
    .into_iter();
    let outputs = found.next()?;
    let contracts = found.next().filter(|_| !gone.into_inner());
    let others = head.others.iter().filter_map(|(file, known)| {
        let now = omnigen_disk::stat(&setup.path(file)).ok().flatten();
        moved(*known, now, meta.read_at).then(|| (FileId::from(file.as_str()), now))
    });
    let others: Vec<_> = others.collect();
    let same = outputs.is_empty() && contracts.as_ref().is_some_and(Vec::is_empty) && others.is_empty();
    let same = same && looked.is_none();
    Some(if same { Glance::Same(head) } else { Glance::Moved { contracts, looked, outputs, others, idle: head } })
}
