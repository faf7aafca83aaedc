//! What is remembered of each file between runs.
//!
//! [`Record`]s are what every run needs that has something to do (stats, outputs, which other files the traces are about).
//! [`Details`] are outlines, traces and findings. Both lie beside the manifest, in shards `.omnigen/details/<digest>`: two of
//! each number, one with records, one with the details of the same files. A run reads all records and those details that a change
//! touches, and writes only shards in which something is another.

mod few;
mod kept;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use litemap::LiteMap;
use omnigen_disk::Stat;
use omnigen_engine::{Built, Outline, Read, ReadKey, State, Target};
use omnigen_ir::{Digest, FileId};
use omnigen_report::Diagnostic;
use serde::{Deserialize, Serialize};

pub(crate) use few::Summary;
pub(crate) use kept::Keep;

use crate::session::in_parallel;
use crate::survey::Looked;

/// One output of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Output {
    /// The target that it belongs to.
    pub(crate) target: Box<str>,
    /// Path below the output folder.
    pub(crate) path: Box<str>,
    /// What the disk said after it was written; `None`: it is not as it should be, look again.
    pub(crate) stat: Option<Stat>,
    /// Digest of the text behind the header.
    pub(crate) digest: Digest,
    /// Digest in the ownership mark; zero for kinds of files that carry none.
    pub(crate) mark: Mark,
}

/// The digest in an ownership mark, stored as two numbers: an array would be sixteen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark(u64, u64);

impl From<[u8; 16]> for Mark {
    fn from(bytes: [u8; 16]) -> Mark {
        let number = u128::from_le_bytes(bytes);
        Mark(number as u64, (number >> 64) as u64)
    }
}

/// Hashes, stored as one byte string, 8 bytes each, little-endian: every run reads all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mentions(pub(crate) Vec<u64>);

impl Serialize for Mentions {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|hash| hash.to_le_bytes()).collect();
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for Mentions {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Mentions, D::Error> {
        let bytes: &[u8] = Deserialize::deserialize(deserializer)?;
        let (hashes, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(serde::de::Error::invalid_length(bytes.len(), &"8 bytes for each hash"));
        }
        Ok(Mentions(hashes.iter().map(|hash| u64::from_le_bytes(*hash)).collect()))
    }
}

/// What every run needs to know of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Is it a contract of the project, or only referred to by some?
    pub(crate) contract: bool,
    /// Where its modules go, folded: two records with the same want the same outputs.
    pub(crate) site: Box<str>,
    /// `None`: it could not be read.
    pub(crate) stat: Option<Stat>,
    /// Digest of its bytes.
    pub(crate) digest: Digest,
    /// Has it `$id`s?
    pub(crate) ids: bool,
    /// Are there findings among its details?
    pub(crate) noisy: bool,
    /// Has its check found errors?
    pub(crate) held: bool,
    /// Has an agent given no answer to what is asked of it now?
    pub(crate) open: bool,
    /// Targets that make nothing of it: the types of a contract without types.
    pub(crate) empty: Vec<Box<str>>,
    /// Targets that are held back; their outputs, if there are any, are older than what was asked for.
    pub(crate) waiting: Vec<Box<str>>,
    /// Files that stand within it, with what the disk said of them and their digests; zeros: it is not there.
    pub(crate) includes: Vec<(FileId, Option<Stat>, Digest)>,
    /// Its outputs.
    pub(crate) outputs: Vec<Output>,
    /// Hashes of everything that its traces are about; see [`mention`].
    pub(crate) mentions: Mentions,
    /// Files that its references lead to or would lead to.
    pub(crate) uses: Vec<FileId>,
    /// Where its details are in its shard: first byte and length.
    details: (u64, u64),
}

/// Something of each of a few targets, by name.
pub(crate) type Named<T> = LiteMap<Box<str>, T>;

/// What only changes need.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Details {
    /// What others see.
    pub(crate) outline: Option<Arc<Outline>>,
    /// What was made, `check` included.
    pub(crate) made: Named<Made>,
    /// Since when each of them is what it is, and why.
    pub(crate) since: Named<Since>,
}

/// Why an artifact was made the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Since {
    /// In which revision.
    pub(crate) revision: u64,
    /// Digest of its text until then; `None` if there was none.
    pub(crate) before: Option<Digest>,
    /// Reads that gave something else than the time before: what, then, and now. Empty when it was made for the first time.
    pub(crate) broken: Vec<(ReadKey, Option<Digest>, Option<Digest>)>,
    /// How many more of them there are.
    pub(crate) more: u64,
}

/// So many reads are remembered of why an artifact was made.
const BROKEN: usize = 8;

/// There are no more shards than this, however many files there are.
const MOST_SHARDS: usize = 1024;

impl Since {
    /// Compares what was made with what had been made before.
    fn new(revision: u64, before: Option<&Made>, now: &Made) -> Since {
        let Some(before) = before else { return Since { revision, ..Since::default() } };
        let mut since = Since { revision, before: before.ready.then_some(before.digest), ..Since::default() };
        if before.trace == now.trace {
            return since;
        }
        let then: HashMap<&ReadKey, Option<Digest>> =
            before.trace.iter().map(|read| (&read.key, read.digest)).collect();
        for read in now.trace.iter() {
            match then.get(&read.key) {
                Some(digest) if *digest != read.digest && since.broken.len() < BROKEN => {
                    since.broken.push((read.key.clone(), *digest, read.digest));
                }
                Some(digest) if *digest != read.digest => since.more += 1,
                _ => {}
            }
        }
        since
    }
}

/// An artifact's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    /// Was it made, or held back because of errors?
    pub(crate) ready: bool,
    /// Digest of its text.
    pub(crate) digest: Digest,
    /// What it has read.
    pub(crate) trace: Arc<[Read]>,
    /// What was found.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Made {
    /// Of a check: has it found no errors, not even some that hold back a part?
    pub(crate) fn whole(&self) -> bool {
        self.ready && self.digest == Digest::of(b"")
    }

    /// Of a check: how much may be used of what was checked; nothing, a part (which, the digest tells), or all of it.
    pub(crate) fn extent(&self) -> (bool, Digest) {
        (self.ready, self.digest)
    }
}

impl From<Built> for Made {
    fn from(built: Built) -> Made {
        let Built { state, digest, trace, diagnostics, needs: _ } = built;
        Made { ready: state == State::Ready, digest, trace, diagnostics }
    }
}

/// Details that may still be a shard's bytes.
#[derive(Clone, Debug, Default)]
struct Lazy {
    /// Where they are in the record's shard.
    stored: std::ops::Range<usize>,
    /// Decoded, or made.
    here: Option<Box<Details>>,
    /// They are not as they are stored.
    changed: bool,
}

impl Lazy {
    /// Of a record that is stored nowhere yet.
    fn fresh() -> Lazy {
        Lazy { here: Some(Box::default()), changed: true, ..Lazy::default() }
    }

    /// The details, read from their shard and decoded if nobody has yet; and are they not as they are stored?
    fn here(&mut self, shard: Option<&mut Shard>, folder: &Path, damaged: &AtomicBool) -> (&mut Details, &mut bool) {
        let Lazy { stored, here, changed } = self;
        let decode = || {
            let bytes = shard.and_then(|shard| shard.details(folder));
            let decoded = bytes.and_then(|bytes| postcard::from_bytes(bytes.get(stored.clone())?).ok());
            if decoded.is_none() {
                damaged.store(true, Ordering::Relaxed);
            }
            Box::new(decoded.unwrap_or_default())
        };
        (here.get_or_insert_with(decode), changed)
    }
}

type Map = BTreeMap<FileId, (Record, Lazy)>;

/// All records, by path. Those of a shard are read when one of them is needed to be changed, all of them when somebody goes through all:
/// what is asked of all after a small change, [`Records::summary`] answers for those that are not read.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// Those of the shards that are open.
    map: Map,
    /// Those of all others, once somebody goes through all.
    rest: OnceLock<Map>,
    shards: Vec<Shard>,
    /// The folder of the shards.
    folder: PathBuf,
    /// So many threads read shards.
    threads: usize,
    /// A shard was not what its name says: nothing here can be relied on.
    damaged: AtomicBool,
    /// Files whose records may be others than when they were saved: contract and outputs as they were then, if there was a record.
    /// `None`: these were not saved yet.
    touched: Option<BTreeMap<FileId, Option<Shape>>>,
    /// When they were saved, there was nothing that is referred to but contracts.
    pub(crate) closed: bool,
}

/// What of a record decides what stands in ledgers, beside stats: is it a contract, and the targets and paths of its outputs.
type Shape = (bool, Vec<(Box<str>, Box<str>)>);

/// The files of a part of the records.
#[derive(Debug, Default)]
struct Shard {
    /// Name of the file with the records.
    records: String,
    /// Name of the file with the details.
    details: String,
    /// Its bytes, once they have been needed.
    bytes: Option<Vec<u8>>,
    /// Are its records not among those at hand?
    closed: bool,
    /// What was to be said of its records when they were saved.
    summary: Summary,
    /// A record may be another than in the file.
    touched: bool,
}

/// Files with what the disk said of them; `None` where it cannot vouch for them.
pub(crate) type Pinned = Option<Vec<(String, Option<Stat>)>>;

/// What a manifest says beside the records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// What decides what there is, beside files: see `Setup::settings`.
    pub(crate) settings: Option<Vec<(String, String)>>,
    /// What `settings` says beside the configuration and what the agents are, with what the disk said: the lock, and files that agents
    /// asked for. `None`: the disk cannot vouch for it.
    pub(crate) pinned: Pinned,
    /// The file system's clock before these were read, in ns.
    pub(crate) pinned_at: i64,
    /// Files that gates have looked for beside artifacts and that nobody here makes, by path from the root: there or not.
    pub(crate) beside: BTreeSet<String>,
    /// The naming template that outlines were made with, and the drafts that were assumed.
    pub(crate) naming: String,
    /// The file system's clock before contracts were looked at, in ns.
    pub(crate) read_at: i64,
    /// The same after the last output was written.
    pub(crate) written_at: i64,
    /// Findings that belong to no single file.
    pub(crate) global: Vec<Diagnostic>,
    /// Outputs that belong to the whole project.
    pub(crate) outputs: Vec<Output>,
    /// The folders of outputs, below the output folder, as they were after the last output was written: while one stays the same
    /// no file has come or gone in it.
    pub(crate) folders: Vec<(String, Stat)>,
    /// What decided which contracts there are.
    pub(crate) looked: Looked,
    /// The shards, in order: names of the files with the records and with the details.
    pub(crate) shards: Vec<(String, String)>,
}

/// The hash under which a record mentions a file (or, with the prefix `id:`, an `$id`): eight bytes at a time, 64 bits. A clash
/// costs a needless look at a trace, nothing else.
pub(crate) fn mention(text: &str) -> u64 {
    let step = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let hash = words.iter().fold(text.len() as u64, |hash, word| step(hash, u64::from_le_bytes(*word)));
    let hash = step(hash, rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    hash ^ hash >> 32
}

/// What a key is about, as a mention.
pub(crate) fn mentioned(key: &ReadKey) -> Option<u64> {
    match key {
        ReadKey::Id(uri) => Some(mention(&format!("id:{uri}"))),
        key => key.file().map(|file| mention(file)),
    }
}

impl Record {
    /// Does a target make nothing of the file?
    pub(crate) fn makes_nothing(&self, target: Target) -> bool {
        self.empty.iter().any(|name| **name == *target.name())
    }

    /// Is it not known whether this is a node's contract: it has errors, and was none before?
    pub(crate) fn doubtful(&self) -> bool {
        self.held && self.outputs.iter().all(|output| *output.target != *Target::Nodes.name())
    }

    pub(crate) fn new(contract: bool) -> Record {
        Record {
            contract,
            site: Box::default(),
            stat: None,
            digest: Digest::of(b""),
            ids: false,
            noisy: false,
            held: false,
            open: false,
            empty: Vec::new(),
            waiting: Vec::new(),
            includes: Vec::new(),
            outputs: Vec::new(),
            mentions: Mentions::default(),
            uses: Vec::new(),
            details: (0, 0),
        }
    }
}

impl Records {
    pub(crate) fn get(&self, file: &str) -> Option<&Record> {
        let closed = self.shards.get(shard_of(file, self.shards.len())).is_some_and(|shard| shard.closed);
        let map = if closed { self.rest() } else { &self.map };
        map.get(file).map(|(record, _)| record)
    }

    /// All records, by path.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&FileId, &Record)> + Clone {
        merged(&self.map, Some(self.rest()))
    }

    /// Those that are at hand; of the others there is [`Records::summary`].
    pub(crate) fn at_hand(&self) -> impl Iterator<Item = (&FileId, &Record)> + Clone {
        merged(&self.map, self.rest.get())
    }

    pub(crate) fn len(&self) -> usize {
        let own = self.map.len() + self.rest.get().map_or(0, Map::len);
        own + self.summary().map(|(_, summary)| summary.len).sum::<usize>()
    }

    fn rest(&self) -> &Map {
        self.rest.get_or_init(|| {
            let closed: Vec<&Shard> = self.shards.iter().filter(|shard| shard.closed).collect();
            let _span = reading(closed.len());
            let read = in_parallel(self.threads, &closed, |shard| self.read(shard));
            read.into_iter().flatten().collect()
        })
    }

    /// The records of a shard; none, and all of them not to be relied on, if it is not what it was.
    fn read(&self, shard: &Shard) -> Vec<(FileId, (Record, Lazy))> {
        let read = decode(&self.folder, &shard.records);
        if read.is_none() {
            self.damaged.store(true, Ordering::Relaxed);
        }
        read.unwrap_or_default()
    }

    fn open(&mut self, numbers: &[usize]) {
        if let Some(mut rest) = self.rest.take().filter(|rest| !rest.is_empty()) {
            self.map.append(&mut rest);
            self.shards.iter_mut().for_each(|shard| shard.closed = false);
        }
        let closed: Vec<&Shard> =
            numbers.iter().filter_map(|number| self.shards.get(*number).filter(|shard| shard.closed)).collect();
        if closed.is_empty() {
            return;
        }
        let _span = reading(closed.len());
        let read = in_parallel(if closed.len() < 4 { 1 } else { self.threads }, &closed, |shard| self.read(shard));
        self.map.extend(read.into_iter().flatten());
        for number in numbers {
            if let Some(shard) = self.shards.get_mut(*number) {
                shard.closed = false;
            }
        }
    }

    /// Makes sure that the record of a file is at hand, if there is one.
    pub(crate) fn need(&mut self, file: &str) {
        self.open(&[shard_of(file, self.shards.len())]);
    }

    /// Makes sure that all records are at hand.
    pub(crate) fn open_all(&mut self) {
        self.rest();
        self.open(&[]);
    }

    /// Was some shard not what its name says?
    pub(crate) fn damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    pub(crate) fn remove(&mut self, file: &str) -> Option<Record> {
        self.touch(file);
        self.map.remove(file).map(|(record, _)| record)
    }

    /// The record, made if there is none.
    pub(crate) fn entry(&mut self, file: &FileId, contract: bool) -> &mut Record {
        self.touch(file);
        let fresh = || (Record::new(contract), Lazy::fresh());
        &mut self.map.entry(file.clone()).or_insert_with(fresh).0
    }

    fn touch(&mut self, file: &str) {
        self.need(file);
        let count = self.shards.len();
        if let Some(shard) = self.shards.get_mut(shard_of(file, count)) {
            shard.touched = true;
            shard.summary = Summary::default();
        }
        if let Some(touched) = &mut self.touched
            && !touched.contains_key(file)
        {
            let known = self.map.get_key_value(file).map(|(file, (record, _))| (file.clone(), shape(record)));
            let (file, known) = known.map_or_else(|| (FileId::from(file), None), |(file, known)| (file, Some(known)));
            touched.insert(file, known);
        }
    }

    /// The record, if there is one.
    pub(crate) fn get_mut(&mut self, file: &str) -> Option<&mut Record> {
        self.touch(file);
        self.map.get_mut(file).map(|(record, _)| record)
    }

    /// The details, read and decoded if nobody has yet.
    pub(crate) fn details(&mut self, file: &str) -> Option<&Details> {
        self.decoded(file).map(|(details, _)| &*details)
    }

    /// The details, to be changed.
    pub(crate) fn change(&mut self, file: &str) -> Option<&mut Details> {
        let (details, changed) = self.decoded(file)?;
        *changed = true;
        Some(details)
    }

    /// Forgets everything of other targets than these.
    pub(crate) fn keep_targets(&mut self, wanted: &BTreeSet<Box<str>>) {
        self.open_all();
        let files: Vec<FileId> = self.map.keys().cloned().collect();
        for file in files {
            if let Some(record) = self.get_mut(&file) {
                record.outputs.retain(|output| wanted.contains(&output.target));
            }
            let others = |details: &Details| details.made.keys().any(|target| !wanted.contains(target));
            if self.details(&file).is_some_and(others)
                && let Some(details) = self.change(&file)
            {
                details.made.retain(|target, _| wanted.contains(target));
                details.since.retain(|target, _| wanted.contains(target));
                self.refresh(&file);
            }
        }
    }

    fn decoded(&mut self, file: &str) -> Option<(&mut Details, &mut bool)> {
        self.need(file);
        let count = self.shards.len();
        let (_, lazy) = self.map.get_mut(file)?;
        Some(lazy.here(self.shards.get_mut(shard_of(file, count)), &self.folder, &self.damaged))
    }

    /// Writes the shards in which something is another.
    ///
    /// A file's name is a digest of its bytes, and old ones stay until [`Records::sweep`]: a run that is cut off leaves the old
    /// manifest with the old shards.
    pub(crate) fn save(&mut self) -> Result<(), String> {
        let said = |error: postcard::Error| error.to_string();
        let count = self.count();
        if count != self.shards.len() || self.rest.get().is_some() {
            self.open_all();
        }
        let mut dirty = vec![count != self.shards.len(); count];
        for (file, (_, lazy)) in &self.map {
            dirty[shard_of(file, count)] |= lazy.changed;
        }
        // Details of a record that is gone stay behind until others in the shard change.
        let mut old = std::mem::take(&mut self.shards);
        let (folder, old_count) = (self.folder.clone(), old.len());
        let touched: Vec<bool> =
            dirty.iter().enumerate().map(|(i, dirty)| *dirty || old.get(i).is_some_and(|s| s.touched)).collect();
        // One shard after the other: all of them at once would be as much again as the records.
        let mut members: Vec<Vec<(&FileId, &mut (Record, Lazy))>> = (0..count).map(|_| Vec::new()).collect();
        for (file, entry) in &mut self.map {
            let shard = shard_of(file, count);
            if touched[shard] {
                members[shard].push((file, entry));
            }
        }
        for (number, mut members) in members.into_iter().enumerate() {
            let mut shard = Shard::default();
            if dirty[number] {
                let mut fresh: Vec<u8> = Vec::with_capacity(members.len() * 3000);
                for (file, (record, lazy)) in &mut members {
                    let start = fresh.len();
                    match &lazy.here {
                        Some(details) => fresh = postcard::to_extend(&**details, fresh).map_err(said)?,
                        None => {
                            let bytes = old.get_mut(shard_of(file, old_count)).and_then(|shard| shard.details(&folder));
                            let bytes = bytes.and_then(|bytes| bytes.get(lazy.stored.clone()));
                            if bytes.is_none() {
                                self.damaged.store(true, Ordering::Relaxed);
                            }
                            fresh.extend_from_slice(bytes.unwrap_or_default());
                        }
                    }
                    (lazy.stored, lazy.changed) = (start..fresh.len(), false);
                    record.details = (start as u64, (fresh.len() - start) as u64);
                }
                // Whoever needs it again reads it again.
                shard.details = put_shard(&folder, &fresh)?;
                if let Some(old) = old.get_mut(number).filter(|_| count == old_count) {
                    shard.summary = std::mem::take(&mut old.summary);
                }
            } else if let Some(old) = old.get_mut(number) {
                shard = std::mem::take(old);
            }
            if touched[number] {
                let mut records = Vec::with_capacity(members.len() * 700);
                for (file, (record, _)) in &members {
                    records = postcard::to_extend(&(&***file, record), records).map_err(said)?;
                }
                shard.records = put_shard(&folder, &records)?;
                shard.touched = false;
            }
            self.shards.push(shard);
        }
        self.touched = Some(BTreeMap::new());
        Ok(())
    }

    /// Names of the shards' files, in order.
    pub(crate) fn shards(&self) -> Vec<(String, String)> {
        self.shards.iter().map(|shard| (shard.records.clone(), shard.details.clone())).collect()
    }

    /// Names of all files that the shards have.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.shards.iter().flat_map(|shard| [shard.records.as_str(), shard.details.as_str()])
    }

    /// Removes shards that no manifest names any more.
    pub(crate) fn sweep(&self) {
        omnigen_disk::remove_files(&self.folder, &self.stray());
    }

    /// Files in the folder of the shards that no record needs.
    pub(crate) fn stray(&self) -> Vec<String> {
        let Ok(listing) = omnigen_disk::listing(&self.folder) else { return Vec::new() };
        let known: BTreeSet<&str> = self.names().collect();
        listing.into_iter().map(|entry| entry.path).filter(|path| !known.contains(path.as_str())).collect()
    }

    /// Shards that are not what their names say, in words.
    pub(crate) fn damage(&self) -> Vec<String> {
        let whole = |name: &str| {
            let read = omnigen_disk::files::read_bytes(&self.folder.join(name));
            read.is_ok_and(|(bytes, _)| shard_name(&bytes) == name)
        };
        let broken = self.names().filter(|name| !whole(name));
        broken.map(|name| format!("details/{name} is damaged: the next build makes everything anew")).collect()
    }

    /// No records, with shards in `folder`.
    pub(crate) fn none(folder: PathBuf) -> Records {
        Records { folder, ..Records::default() }
    }

    /// All records of these shards.
    ///
    /// # Errors
    /// The name of one that is not what it was.
    pub(crate) fn load(shards: Vec<(String, String)>, folder: PathBuf, threads: usize) -> Result<Records, String> {
        let _span = reading(shards.len());
        let named = |shard: &(String, String)| decode(&folder, &shard.0).ok_or_else(|| shard.0.clone());
        let lists: Result<Vec<Vec<_>>, String> = in_parallel(threads, &shards, named).into_iter().collect();
        let map = lists?.into_iter().flatten().collect();
        let shard = |(records, details)| Shard { records, details, ..Shard::default() };
        let shards = shards.into_iter().map(shard).collect();
        Ok(Records { map, shards, folder, threads, ..Records::default() })
    }

    /// The records of these shards, none of which is read before it is needed. Nothing but contracts is referred to.
    pub(crate) fn later(
        shards: Vec<(String, String)>,
        summaries: Vec<Summary>,
        folder: PathBuf,
        threads: usize,
    ) -> Records {
        let shard =
            |((records, details), summary)| Shard { records, details, summary, closed: true, ..Shard::default() };
        let shards = shards.into_iter().zip(summaries).map(shard).collect();
        Records { shards, folder, threads, closed: true, touched: Some(BTreeMap::new()), ..Records::default() }
    }
}

/// For a profile: so many shards are read.
fn reading(shards: usize) -> tracing::span::EnteredSpan {
    tracing::info_span!("records", shards).entered()
}

/// The records of a shard; `None` if it is not what it was.
fn decode(folder: &Path, name: &str) -> Option<Vec<(FileId, (Record, Lazy))>> {
    let mut list = Vec::new();
    let bytes = shard_bytes(folder, name)?;
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let ((file, record), more): ((&str, Record), _) = postcard::take_from_bytes(rest).ok()?;
        let (start, length) = record.details;
        let range = usize::try_from(start).ok()?..usize::try_from(start.checked_add(length)?).ok()?;
        list.push((FileId::from(file), (record, Lazy { stored: range, ..Lazy::default() })));
        rest = more;
    }
    Some(list)
}

fn shape(record: &Record) -> Shape {
    (record.contract, record.outputs.iter().map(|output| (output.target.clone(), output.path.clone())).collect())
}

/// The records of both, in order.
fn merged<'r>(own: &'r Map, rest: Option<&'r Map>) -> impl Iterator<Item = (&'r FileId, &'r Record)> + Clone {
    let (mut own, mut rest) = (own.iter().peekable(), rest.into_iter().flatten().peekable());
    std::iter::from_fn(move || {
        let later = match (own.peek(), rest.peek()) {
            (Some((own, _)), Some((other, _))) => own > other,
            (own, _) => own.is_none(),
        };
        let (file, (record, _)) = if later { rest.next() } else { own.next() }?;
        Some((file, record))
    })
}

impl Shard {
    /// The details, read when they are first needed and only if they are what their name says.
    fn details(&mut self, folder: &Path) -> Option<&[u8]> {
        if self.bytes.is_none() {
            self.bytes = shard_bytes(folder, &self.details);
        }
        self.bytes.as_deref()
    }
}

fn shard_of(file: &str, count: usize) -> usize {
    (mention(file) % count.max(1) as u64) as usize
}

fn shard_name(bytes: &[u8]) -> String {
    Digest::of(bytes).hex()[..32].to_owned()
}

/// A file's bytes, if they are what its name says.
fn shard_bytes(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let (bytes, _) = omnigen_disk::files::read_bytes(&folder.join(name)).ok()?;
    Some(bytes).filter(|bytes| shard_name(bytes) == name)
}

/// Writes a file under the name of its bytes, which it gives back.
fn put_shard(folder: &Path, bytes: &[u8]) -> Result<String, String> {
    let name = shard_name(bytes);
    let path = folder.join(&name);
    omnigen_disk::write_atomic(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(name)
}

#[cfg(test)]
mod tests;
