//! What is asked of all records after a small change, answered by the few that are at hand and summaries of the others.

use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;

use omnigen_ir::FileId;
use serde::{Deserialize, Serialize};

use super::{MOST_SHARDS, Record, Records, Shape, mention, shape, shard_of};

/// What is asked of all records at once, of those of one shard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// How many there are.
    pub(super) len: usize,
    /// Files that have `$id`s.
    ids: Vec<FileId>,
    /// The halves of the hashes of the files themselves, and of everything that their traces are about; sorted.
    mentions: Halves,
    /// Artifacts more than there are targets (or less), and those that are where they belong.
    pub(crate) counts: (i64, usize),
}

/// Halves of hashes, stored as one byte string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Halves(Vec<u32>);

impl Serialize for Halves {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|half| half.to_le_bytes()).collect();
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for Halves {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Halves, D::Error> {
        let bytes: &[u8] = Deserialize::deserialize(deserializer)?;
        let (halves, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(serde::de::Error::invalid_length(bytes.len(), &"4 bytes for each"));
        }
        Ok(Halves(halves.iter().map(|half| u32::from_le_bytes(*half)).collect()))
    }
}

impl Records {
    /// What is to be said of the records that are not at hand, by the numbers of their shards.
    pub(crate) fn summary(&self) -> impl Iterator<Item = (usize, &Summary)> {
        let numbered = self.shards.iter().enumerate().filter(|(_, shard)| shard.closed && self.rest.get().is_none());
        numbered.map(|(number, shard)| (number, &shard.summary))
    }

    /// The number of the shard that has the record of a file, or is to have it.
    pub(crate) fn shard(&self, file: &str) -> usize {
        shard_of(file, self.count())
    }

    /// Files that have `$id`s.
    pub(crate) fn with_ids(&self) -> Vec<FileId> {
        let own = self.at_hand().filter(|(_, record)| record.ids).map(|(file, _)| file);
        let mut all: Vec<FileId> = own.chain(self.summary().flat_map(|(_, summary)| &summary.ids)).cloned().collect();
        all.sort_unstable();
        all
    }

    /// Files whose traces are about one of these.
    pub(crate) fn mentioning(&mut self, hashes: &HashSet<u64>) -> Vec<FileId> {
        if hashes.is_empty() {
            return Vec::new();
        }
        let halves: Vec<u32> = hashes.iter().map(|hash| *hash as u32).collect();
        let about = |summary: &Summary| halves.iter().any(|half| summary.mentions.0.binary_search(half).is_ok());
        let shards: Vec<usize> = self.summary().filter(|(_, s)| about(s)).map(|(number, _)| number).collect();
        self.open(&shards);
        let about = |file: &FileId, record: &Record| {
            hashes.contains(&mention(file)) || record.mentions.0.iter().any(|hash| hashes.contains(hash))
        };
        self.at_hand().filter(|(file, record)| about(file, record)).map(|(file, _)| file.clone()).collect()
    }

    /// Closes all shards, so that the next small change opens those that it touches and no other: all records are as they were saved.
    /// `known` says what the manifest does of the shards, if that is not known here. False if they have to stay at hand.
    pub(crate) fn lay_aside(&mut self, known: impl FnOnce() -> Option<Vec<Summary>>) -> bool {
        let stored = !self.shards.is_empty();
        let saved =
            stored && self.touched.as_ref().is_none_or(BTreeMap::is_empty) && self.shards.iter().all(|s| !s.touched);
        if !saved || self.damaged() {
            return false;
        }
        if self.shards.iter().any(|shard| shard.summary.len == 0) {
            let Some(known) = known().filter(|known| known.len() == self.shards.len()) else { return false };
            self.shards.iter_mut().zip(known).for_each(|(shard, known)| shard.summary = known);
        }
        self.map = BTreeMap::new();
        self.rest = OnceLock::new();
        for shard in &mut self.shards {
            (shard.closed, shard.bytes) = (true, None);
        }
        (self.closed, self.touched) = (true, Some(BTreeMap::new()));
        true
    }

    /// Is everything that is referred to a contract?
    pub(crate) fn closes(&mut self) -> bool {
        let Some(touched) = self.touched.as_ref().filter(|_| self.closed) else { return false };
        for file in touched.keys().cloned().collect::<Vec<FileId>>() {
            let Some(record) = self.get(&file) else { return false };
            let uses = record.uses.clone();
            if !record.contract {
                return false;
            }
            for used in uses {
                self.need(&used);
                if !self.get(&used).is_some_and(|record| record.contract) {
                    return false;
                }
            }
        }
        true
    }

    /// The records that may be others than when they were saved; `None` if the ledgers have to be laid out anew, because there are
    /// others than then, or they have other outputs.
    pub(crate) fn edited(&self) -> Option<Vec<(&FileId, &Record)>> {
        let same = |(file, known): (&FileId, &Option<Shape>)| {
            let record = self.get(file).filter(|record| known.as_ref() == Some(&shape(record)))?;
            let (file, _) = self.map.get_key_value(&**file)?;
            Some((file, record))
        };
        self.touched.as_ref()?.iter().map(same).collect()
    }

    /// So many shards they are to have.
    pub(crate) fn count(&self) -> usize {
        (self.len() / 128).next_power_of_two().min(MOST_SHARDS)
    }

    /// What is to be said of the records of each shard, for a next run that reads few of them; `None`: what [`Records::known`] says.
    /// `counts` says what a record counts.
    pub(crate) fn summaries(&mut self, counts: impl Fn(&Record) -> (i64, usize)) -> Vec<Option<Summary>> {
        let count = self.count();
        if count != self.shards.len() {
            self.open_all();
            self.shards.iter_mut().for_each(|shard| shard.summary = Summary::default());
        }
        let known = |number: usize| self.shards.get(number).is_some_and(|shard| shard.summary.len > 0);
        let mut all: Vec<Option<Summary>> = (0..count).map(|number| (!known(number)).then(Summary::default)).collect();
        if all.iter().all(Option::is_none) {
            return all;
        }
        for (file, record) in self.at_hand() {
            let Some(summary) = &mut all[shard_of(file, count)] else { continue };
            summary.len += 1;
            if record.ids {
                summary.ids.push(file.clone());
            }
            summary.mentions.0.push(mention(file) as u32);
            summary.mentions.0.extend(record.mentions.0.iter().map(|hash| *hash as u32));
            let (more, good) = counts(record);
            summary.counts.0 += more;
            summary.counts.1 += good;
        }
        for (number, summary) in all.iter_mut().enumerate() {
            let Some(summary) = summary else { continue };
            summary.mentions.0.sort_unstable();
            summary.mentions.0.dedup();
            if let Some(shard) = self.shards.get_mut(number) {
                shard.summary = summary.clone();
            }
        }
        all
    }

    /// What was last said of the records of a shard.
    pub(crate) fn known(&self, number: usize) -> Option<&Summary> {
        self.shards.get(number).map(|shard| &shard.summary)
    }
}
