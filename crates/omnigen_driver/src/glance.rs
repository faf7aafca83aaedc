//! Nothing has changed: how a run finds that out without a record being decoded.
//!
//! The manifest keeps what the answer needs, laid out for one pass: ledgers of the contracts and of the outputs, and what such a
//! run says. The folders of contracts are not read either, while they are as they were. Whatever is out of the ordinary
//! (included files, locked schemas, agents without answers) is left to the survey; what is found changed here is not looked at twice.

use std::sync::atomic::{AtomicBool, Ordering};

use omnigen_disk::ledger::Part;
use omnigen_disk::{Stat, ledger};
use omnigen_ir::FileId;
use omnigen_report::Diagnostic;
use omnigen_store::manifest::Manifest;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::records::{Meta, Output, Record, Records, Summary};
use crate::session::Session;
use crate::setup::Setup;
use crate::survey::moved;

/// The sections of the manifest.
const HEAD: &str = "glance";
const CONTRACTS: &str = "contracts";
const OUTPUTS: &str = "outputs";
const SUMMARIES: &str = "summaries";

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
        /// The contracts that have moved, by their number among the contracts; `None`: there may be others than before.
        contracts: Option<Vec<u32>>,
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
#[derive(Debug)]
pub(crate) struct Ledgers {
    contracts: Vec<u8>,
    outputs: Vec<u8>,
}

impl Ledgers {
    /// Those of a manifest.
    pub(crate) fn of(manifest: &Manifest) -> Option<Ledgers> {
        let section = |name| manifest.section(name).map(<[u8]>::to_vec);
        Some(Ledgers { contracts: section(CONTRACTS)?, outputs: section(OUTPUTS)? })
    }

    /// Those of records.
    fn lay_out(records: &Records, meta: &Meta) -> Option<Ledgers> {
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
        Some(Ledgers { contracts, outputs })
    }

    /// The same with other stats; `None` if that is not all that has changed.
    fn renewed(mut self, records: &Records, meta: &Meta) -> Option<Ledgers> {
        let edited = records.edited()?;
        let contracts = edited.iter().filter(|(_, record)| record.contract);
        let contracts: Vec<(&str, Option<Stat>)> = contracts.map(|(file, record)| (&***file, record.stat)).collect();
        let of_files = edited.iter().flat_map(|(_, record)| &record.outputs);
        let outputs: Vec<(&str, Option<Stat>)> =
            of_files.chain(&meta.outputs).map(|output| (&*output.path, output.stat)).collect();
        let in_place = outputs.iter().all(|(_, stat)| stat.is_some());
        let renewed =
            in_place && ledger::renew(&mut self.contracts, &contracts) && ledger::renew(&mut self.outputs, &outputs);
        renewed.then_some(self)
    }

    /// The contracts and the outputs (with whose they are) of these numbers, where all files are contracts.
    pub(crate) fn named(&self, contracts: &[u32], outputs: &[u32]) -> Option<(Vec<FileId>, Vec<Owned>)> {
        let file = |(path, _): (String, u32)| FileId::from(path);
        let contracts = ledger::named(&self.contracts, contracts)?.into_iter().map(file).collect();
        let outputs = ledger::named(&self.outputs, outputs)?;
        let owners: Vec<u32> = outputs.iter().map(|(_, owner)| *owner).filter(|owner| *owner != PROJECT).collect();
        let mut owners = ledger::named(&self.contracts, &owners)?.into_iter().map(file);
        let owned = |(path, owner): (String, u32)| {
            let owner = if owner == PROJECT { None } else { Some(owners.next()?) };
            Some((owner, path.into()))
        };
        let outputs: Option<Vec<Owned>> = outputs.into_iter().map(owned).collect();
        Some((contracts, outputs?))
    }
}

/// Whose an output is (`None`: the project's), and its path.
pub(crate) type Owned = (Option<FileId>, Box<str>);

/// What the manifest says of the records' shards; `None` if it says nothing.
pub(crate) fn summaries(manifest: &Manifest) -> Option<Vec<Summary>> {
    postcard::from_bytes(manifest.section(SUMMARIES)?).ok()
}

/// What the manifest keeps for the next glance.
#[derive(Debug)]
pub(crate) struct Kept {
    head: Vec<u8>,
    summaries: Vec<u8>,
    pub(crate) ledgers: Ledgers,
}

impl Kept {
    /// The manifest's sections.
    pub(crate) fn sections(&self) -> [(&'static str, &[u8]); 4] {
        [
            (HEAD, &self.head),
            (SUMMARIES, &self.summaries),
            (CONTRACTS, &self.ledgers.contracts),
            (OUTPUTS, &self.ledgers.outputs),
        ]
    }
}

/// What the manifest is to keep; nothing where a glance cannot be enough.
pub(crate) fn kept(session: &mut Session) -> Option<Kept> {
    let closes = session.records.closes();
    session.records.closed = false;
    let known = session.ledgers.take();
    let odd = |record: &Record| record.open || !record.includes.is_empty();
    // Of those that nobody has touched the manifest has told.
    if session.records.at_hand().any(|(_, record)| odd(record)) || !session.setup.locked.is_empty() {
        return None;
    }
    if session.agents.unsettled(&session.records) {
        return None;
    }
    let renewed = known.and_then(|ledgers| ledgers.renewed(&session.records, &session.meta));
    let ledgers = renewed.or_else(|| Ledgers::lay_out(&session.records, &session.meta))?;
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
    let (head, summaries) = (postcard::to_stdvec(&head).ok()?, postcard::to_stdvec(&summaries).ok()?);
    Some(Kept { head, summaries, ledgers })
}

/// Compares the folders as they are with what the manifest says.
pub(crate) fn glance(manifest: &Manifest, setup: &Setup, meta: &Meta) -> Glance {
    let _span = tracing::info_span!("glance").entered();
    look(manifest, setup, meta).unwrap_or(Glance::Unclear)
}

fn look(manifest: &Manifest, setup: &Setup, meta: &Meta) -> Option<Glance> {
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
    let known = meta.looked.holds(setup);
    let parts = if known { &[outputs, contracts][..] } else { &[outputs][..] };
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
    Some(if same { Glance::Same(head) } else { Glance::Moved { contracts, outputs, others, idle: head } })
}
