//! Nothing has changed: how a run finds that out without a record being decoded.
//!
//! Beside the records the manifest keeps what the answer needs, laid out for one pass: the contracts with their stats, a ledger
//! of the outputs, and what such a run says. Whatever is out of the ordinary (findings, included files, agents, locked schemas)
//! is left to the survey; what is found changed here is not looked at twice.

use omnigen_disk::{Stat, ledger};
use omnigen_ir::FileId;
use omnigen_store::manifest::Manifest;
use serde::{Deserialize, Serialize};

use crate::records::{Meta, Output, Records};
use crate::session::Session;
use crate::setup::Setup;
use crate::survey::{Scan, moved};

/// The sections of the manifest.
const HEAD: &str = "glance";
const CONTRACTS: &str = "contracts";
const OUTPUTS: &str = "outputs";

/// What a run says that finds nothing changed.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    total: usize,
    held_back: usize,
    /// Files that are only referred to, also those that were not there.
    others: Vec<(String, Option<Stat>)>,
}

/// What was seen.
pub(crate) enum Glance {
    /// Nothing has changed: artifacts in all, and those that are held back.
    Same {
        /// Artifacts in all.
        total: usize,
        /// Artifacts that are held back.
        held_back: usize,
    },
    /// Something has; the outputs that have moved, by their number in [`outputs`].
    Moved(Vec<u32>),
    /// This is not enough to tell.
    Unclear,
}

/// All outputs in the order in which they are looked at: contracts are in the order of their folders, and so are the outputs of
/// one target.
pub(crate) fn outputs<'r>(records: &'r Records, meta: &'r Meta) -> Vec<(Option<&'r FileId>, &'r Output)> {
    let of_files = records.iter().flat_map(|(file, record)| record.outputs.iter().map(move |o| (Some(file), o)));
    let mut all: Vec<_> = of_files.chain(meta.outputs.iter().map(|output| (None, output))).collect();
    all.sort_by(|(_, a), (_, b)| a.target.cmp(&b.target));
    all
}

/// The sections for the manifest; none where a glance cannot be enough.
pub(crate) fn sections(session: &Session) -> Option<Vec<(&'static str, Vec<u8>)>> {
    let (records, meta) = (&session.records, &session.meta);
    let odd = records.iter().any(|(_, record)| record.noisy || record.open || !record.includes.is_empty());
    if odd || !session.setup.locked.is_empty() || !session.agents.targets().is_empty() {
        return None;
    }
    let mut contracts = Vec::with_capacity(records.len() * 96);
    for (file, record) in records.iter().filter(|(_, record)| record.contract) {
        contracts.extend_from_slice(&u32::try_from(file.len()).ok()?.to_le_bytes());
        contracts.extend_from_slice(file.as_bytes());
        contracts.extend_from_slice(&ledger::bytes(record.stat));
    }
    let outputs = outputs(records, meta);
    // One that is not in its place is looked at by every run.
    if outputs.iter().any(|(_, output)| output.stat.is_none()) {
        return None;
    }
    let outputs = ledger::lay_out(outputs.iter().map(|(_, output)| (&*output.path, output.stat)))?;
    let others = crate::survey::others(records).into_iter();
    let others = others.map(|file| (file.to_string(), records.get(file).and_then(|record| record.stat))).collect();
    let (total, held_back) = session.counts();
    let head = postcard::to_stdvec(&Head { total, held_back, others }).ok()?;
    Some(vec![(HEAD, head), (CONTRACTS, contracts), (OUTPUTS, outputs)])
}

/// Compares the folders as they are with what the manifest says.
pub(crate) fn glance(manifest: &Manifest, setup: &Setup, meta: &Meta, scan: &Scan) -> Glance {
    let _span = tracing::info_span!("glance").entered();
    look(manifest, setup, meta, scan).unwrap_or(Glance::Unclear)
}

fn look(manifest: &Manifest, setup: &Setup, meta: &Meta, scan: &Scan) -> Option<Glance> {
    let head: Head = postcard::from_bytes(manifest.section(HEAD)?).ok()?;
    let same = |(folder, known): &(String, Stat)| {
        !moved(Some(*known), omnigen_disk::stat(&setup.out.join(folder)).ok().flatten(), meta.written_at)
    };
    if !setup.locked.is_empty() || meta.folders.is_empty() || !meta.folders.iter().all(same) {
        return None;
    }
    let outputs = ledger::moved(&setup.out, manifest.section(OUTPUTS)?, |then, now| {
        now.is_none() || moved(then, now, meta.written_at)
    })?;
    let other = |(file, known): &(String, Option<Stat>)| {
        moved(*known, omnigen_disk::stat(&setup.path(file)).ok().flatten(), meta.read_at)
    };
    let same = outputs.is_empty()
        && contracts_same(manifest.section(CONTRACTS)?, scan, meta.read_at)?
        && !head.others.iter().any(other);
    Some(if same { Glance::Same { total: head.total, held_back: head.held_back } } else { Glance::Moved(outputs) })
}

/// Are there the contracts that there were, unchanged? Both lists are sorted by path.
fn contracts_same(mut known: &[u8], scan: &Scan, read_at: i64) -> Option<bool> {
    for (file, now) in scan.contracts() {
        let Some((length, rest)) = known.split_first_chunk::<4>() else { return Some(false) };
        let (path, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        let (stat, rest) = rest.split_at_checked(32)?;
        if path != file.as_bytes() || moved(ledger::stat(stat)?, *now, read_at) {
            return Some(false);
        }
        known = rest;
    }
    Some(known.is_empty())
}
