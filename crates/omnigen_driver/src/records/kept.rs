//! What is recorded when an artifact was made.

use std::sync::Arc;

use omnigen_engine::{Outline, ReadKey, Target};
use omnigen_ir::{Digest, FileId};

use super::{Details, Lazy, Made, Mentions, Record, Records, Since, mention, mentioned, shard_of};

/// An artifact of a built-in target, to be recorded.
pub(crate) struct Keep<'a> {
    pub(crate) target: Target,
    pub(crate) made: Made,
    /// What others see of the file now, if that has been looked at.
    pub(crate) outline: Option<Option<Arc<Outline>>>,
    /// Where its output belongs, below the output folder.
    pub(crate) path: &'a str,
    pub(crate) revision: u64,
    /// Others of the same file follow at once: what all of them have read is gathered with the last of them.
    pub(crate) more: bool,
}

/// What turned out while it was recorded.
pub(crate) struct Kept {
    /// How much could be used of the file, if this is its check and there was one before.
    pub(crate) extent: Option<(bool, Digest)>,
    /// The target makes nothing of the file.
    pub(crate) empty: bool,
    /// It makes something now and did not before, or the other way round; or it is no longer as certain what it makes.
    pub(crate) reshaped: bool,
    /// Its output stands in its place as it was made now.
    pub(crate) in_place: bool,
    /// Files stand within this one, or did.
    pub(crate) includes: bool,
}

impl Records {
    /// Records what was made of a file, and why it was made again.
    pub(crate) fn keep(&mut self, file: &FileId, keep: Keep<'_>) -> Kept {
        let Keep { target, made, outline, path, revision, more } = keep;
        self.touch(file);
        let shard = shard_of(file, self.shards.len());
        let fresh = || (Record::new(false), Lazy::fresh());
        let (record, lazy) = self.map.entry(file.clone()).or_insert_with(fresh);
        let (details, changed) = lazy.here(self.shards.get_mut(shard), &self.folder, &self.damaged);
        *changed = true;
        if let Some(outline) = outline {
            details.outline = outline;
        }
        let before = details.made.get(target.name());
        let extent = before.filter(|_| target == Target::Check).map(Made::extent);
        let includes =
            !record.includes.is_empty() || made.trace.iter().any(|read| matches!(read.key, ReadKey::Bytes(_)));
        let (was_empty, was_doubtful) = (record.makes_nothing(target), record.doubtful());
        let digest = made.digest;
        details.since.insert(target.name().into(), Since::new(revision, before, &made));
        details.made.insert(target.name().into(), made);
        record.sum_up(details);
        if !more {
            record.gather_mentions(details);
        }
        let empty = record.makes_nothing(target);
        let reshaped = was_empty != empty || was_doubtful != record.doubtful();
        if empty {
            record.outputs.retain(|output| *output.target != *target.name());
        }
        let known = record.outputs.iter().find(|output| *output.path == *path);
        let in_place = known.is_some_and(|output| output.stat.is_some() && output.digest == digest);
        Kept { extent, empty, reshaped, in_place, includes }
    }

    /// Brings the summary fields of a record in line with its details.
    pub(crate) fn refresh(&mut self, file: &FileId) {
        self.touch(file);
        let shard = shard_of(file, self.shards.len());
        let Some((record, lazy)) = self.map.get_mut(file) else { return };
        let (details, _) = lazy.here(self.shards.get_mut(shard), &self.folder, &self.damaged);
        record.sum_up(details);
        record.gather_mentions(details);
    }
}

fn is_task(name: &str) -> bool {
    Target::ALL.iter().all(|target| target.name() != name)
}

impl Record {
    /// What is known of it without its details, but for what they mention.
    fn sum_up(&mut self, details: &Details) {
        let check = Target::Check.name();
        self.noisy = details.made.values().any(|made| !made.diagnostics.is_empty());
        self.open = details.made.iter().any(|(name, made)| !made.ready && is_task(name));
        self.held = details.made.get(check).is_none_or(|made| !made.ready);
        let waiting = details.made.iter().filter(|(name, made)| !made.ready && ***name != *check);
        self.waiting = waiting.map(|(name, _)| name.clone()).collect();
        let nothing = Digest::of(b"");
        let makes_nothing = |name: &str, made: &Made| made.ready && made.digest == nothing && name != check;
        let empty = details.made.iter().filter(|(name, made)| makes_nothing(name, made) && !is_task(name));
        let mut empty: Vec<Box<str>> = empty.map(|(name, _)| name.clone()).collect();
        // Of tasks it is known since they were answered.
        let answered = |name: &str| is_task(name) && details.made.get(name).is_some_and(|made| made.ready);
        empty.extend(std::mem::take(&mut self.empty).into_iter().filter(|name| answered(name)));
        self.empty = empty;
        self.ids = details.outline.as_ref().is_some_and(|outline| !outline.exports.ids.is_empty());
    }

    /// What its traces are about, and the files that its references lead to.
    fn gather_mentions(&mut self, details: &Details) {
        let (mut mentions, mut uses) = (Vec::new(), Vec::new());
        // Neighbours are mostly about the same file.
        let mut last: Option<(&FileId, u64)> = None;
        for (target, made) in &details.made {
            for read in made.trace.iter() {
                match (read.key.file(), last) {
                    (Some(file), Some((known, hash))) if Arc::ptr_eq(file, known) => mentions.push(hash),
                    (Some(file), _) => {
                        let hash = mention(file);
                        last = Some((file, hash));
                        mentions.push(hash);
                    }
                    (None, _) => mentions.extend(mentioned(&read.key)),
                }
                match &read.key {
                    ReadKey::File(path) if **target == *Target::Check.name() => uses.push(path),
                    // A file that an `$id` led to is known by its name, its schema or its dialect only.
                    ReadKey::Name(path, ..) | ReadKey::Schema(path, ..) | ReadKey::Dialect(path) => uses.push(path),
                    _ => {}
                }
            }
        }
        mentions.sort_unstable();
        mentions.dedup();
        uses.sort_unstable();
        uses.dedup();
        self.mentions = Mentions(mentions);
        self.uses = uses.into_iter().cloned().collect();
    }
}
