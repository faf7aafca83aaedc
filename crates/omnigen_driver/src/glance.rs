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
use serde::{Deserialize, Serialize};

use crate::records::{Meta, Output, Records};
use crate::session::Session;
use crate::setup::Setup;
use crate::survey::moved;

/// The sections of the manifest.
const HEAD: &str = "glance";
const CONTRACTS: &str = "contracts";
const OUTPUTS: &str = "outputs";

/// What a run says that finds nothing changed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Idle {
    /// Artifacts in all.
    pub(crate) total: usize,
    /// Those of them that are held back.
    pub(crate) held_back: usize,
    /// Findings of contracts.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Files that are only referred to, also those that were not there.
    others: Vec<(String, Option<Stat>)>,
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

/// The sections for the manifest; none where a glance cannot be enough.
pub(crate) fn sections(session: &mut Session) -> Option<Vec<(&'static str, Vec<u8>)>> {
    let (records, meta) = (&session.records, &session.meta);
    let odd = records.iter().any(|(_, record)| record.open || !record.includes.is_empty());
    if odd || !session.setup.locked.is_empty() || session.agents.unsettled(records) {
        return None;
    }
    let contracts = records.iter().filter(|(_, record)| record.contract);
    let contracts = ledger::lay_out(contracts.map(|(file, record)| (&**file, record.stat)))?;
    let outputs = outputs(records, meta);
    // One that is not in its place is looked at by every run.
    if outputs.iter().any(|(_, output)| output.stat.is_none()) {
        return None;
    }
    let outputs = ledger::lay_out(outputs.iter().map(|(_, output)| (&*output.path, output.stat)))?;
    let others = crate::survey::others(records).into_iter();
    let others = others.map(|file| (file.to_string(), records.get(file).and_then(|record| record.stat))).collect();
    let (total, held_back) = session.counts();
    let head = Idle { total, held_back, others, diagnostics: session.findings() };
    let head = postcard::to_stdvec(&head).ok()?;
    Some(vec![(HEAD, head), (CONTRACTS, contracts), (OUTPUTS, outputs)])
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
    Some(if same { Glance::Same(head) } else { Glance::Moved { contracts, outputs, others } })
}
