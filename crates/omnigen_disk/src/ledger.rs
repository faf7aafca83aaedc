//! Many files with the stats that they had, laid out for one pass that finds those that changed.
//!
//! Nothing is decoded into values of its own: names stand in it as the system takes them, and a folder is looked up once for
//! all that is in it. All integers are little-endian.
//!
//! ```text
//! 4   number of groups, then for each 4: where it begins
//! a group:  4 number of its first entry, 4 number of entries, 2 + n folder
//! an entry: 32 stat (size, mtime, ctime, inode; all bits of the size: none), 4 owner, 2 + n name, 1 zero
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CStr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use crate::stat::Stat;

/// Entries of one group: few enough that threads share the work evenly, many enough that opening the folder costs nothing.
const GROUP: usize = 512;

/// Bytes of a stat.
pub const STAT: usize = 32;

/// Bytes of a number that says whose a file is.
const OWNER: usize = 4;

/// Lays out files, each with a number that means something to who asks, in the order given; it is quick where files of one folder
/// are neighbours. `None` if a path is too long or cannot be a name for the system.
pub fn lay_out<'a>(files: impl Iterator<Item = (&'a str, Option<Stat>, u32)> + Clone) -> Option<Vec<u8>> {
    // Measured first: a text of megabytes that grows as it is written costs more than all the rest.
    let (mut count, mut size) = (0, 0);
    each(files.clone(), |folder, name, _, _| {
        count += usize::from(folder.is_some());
        size += folder.map_or(0, |folder| 10 + folder.len()) + STAT + OWNER + 3 + name.len();
        Some(())
    })?;
    let head = 4 + count * 4;
    let mut all = Vec::with_capacity(head + size);
    all.extend_from_slice(&u32::try_from(count).ok()?.to_le_bytes());
    all.resize(head, 0);
    let (mut group, mut open, mut number) = (0, 0, 0_u32);
    let put = |all: &mut Vec<u8>, at: usize, value: u32| {
        all.get_mut(at..at + 4).map(|place| place.copy_from_slice(&value.to_le_bytes()))
    };
    each(files, |folder, name, stat, owner| {
        if let Some(folder) = folder {
            open = all.len();
            put(&mut all, 4 + group * 4, u32::try_from(open).ok()?)?;
            group += 1;
            all.extend_from_slice(&number.to_le_bytes());
            all.extend_from_slice(&0_u32.to_le_bytes());
            all.extend_from_slice(&u16::try_from(folder.len()).ok()?.to_le_bytes());
            all.extend_from_slice(folder.as_bytes());
        }
        let first = u32::from_le_bytes(all.get(open..open + 4)?.try_into().ok()?);
        number += 1;
        put(&mut all, open + 4, number - first)?;
        all.extend_from_slice(&bytes(stat));
        all.extend_from_slice(&owner.to_le_bytes());
        all.extend_from_slice(&u16::try_from(name.len()).ok()?.to_le_bytes());
        all.extend_from_slice(name.as_bytes());
        all.push(0);
        Some(())
    })?;
    Some(all)
}

/// Gives every file with its name, and with its folder where a group begins.
fn each<'a>(
    files: impl Iterator<Item = (&'a str, Option<Stat>, u32)>,
    mut give: impl FnMut(Option<&'a str>, &'a str, Option<Stat>, u32) -> Option<()>,
) -> Option<()> {
    let mut open: Option<(&str, usize)> = None;
    for (number, (path, stat, owner)) in files.enumerate() {
        u32::try_from(number).ok()?;
        let (folder, name) = crate::safe::split(path);
        if path.contains('\0') {
            return None;
        }
        match &mut open {
            Some((known, count)) if *known == folder && *count < GROUP => {
                *count += 1;
                give(None, name, stat, owner)?;
            }
            _ => {
                open = Some((folder, 1));
                give(Some(folder), name, stat, owner)?;
            }
        }
    }
    Some(())
}

/// The paths and owners of files by their numbers, in the order asked. `None` if there is none of a number, or the bytes are no
/// layout.
pub fn named(ledger: &[u8], numbers: &[u32]) -> Option<Vec<(String, u32)>> {
    let mut found: BTreeMap<u32, Option<(String, u32)>> = numbers.iter().map(|number| (*number, None)).collect();
    for start in groups(ledger)? {
        let mut reader = Reader(ledger.get(start..)?);
        let (first, count) = (reader.number()?, reader.number()?);
        let end = first.checked_add(count)?;
        if found.range(first..end).next().is_none() {
            continue;
        }
        let length = reader.short()?;
        let folder = std::str::from_utf8(reader.take(length)?).ok()?;
        for number in first..end {
            reader.take(STAT)?;
            let owner = reader.number()?;
            let name = std::str::from_utf8(reader.name()?).ok()?;
            if let Some(found) = found.get_mut(&number) {
                let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                *found = Some((path, owner));
            }
        }
    }
    numbers.iter().map(|number| found.get(number)?.clone()).collect()
}

/// The names in each of these folders. `None` if the bytes are no layout.
pub fn names<'l>(ledger: &'l [u8], folders: &BTreeSet<&str>) -> Option<BTreeMap<&'l str, BTreeSet<&'l str>>> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for start in groups(ledger)? {
        let mut reader = Reader(ledger.get(start..)?);
        let (_, count) = (reader.number()?, reader.number()?);
        let length = reader.short()?;
        let folder = std::str::from_utf8(reader.take(length)?).ok()?;
        if !folders.contains(folder) {
            continue;
        }
        let own = found.entry(folder).or_default();
        for _ in 0..count {
            reader.take(STAT + OWNER)?;
            own.insert(std::str::from_utf8(reader.name()?).ok()?);
        }
    }
    Some(found)
}

/// The numbers of the files of which `moved` (what was recorded, what is there now) is true, if these, in the order of the ledger, are
/// the very files that it has; else `None`.
pub fn compared<'a>(
    ledger: &[u8],
    files: impl Iterator<Item = (&'a str, Option<Stat>)>,
    moved: impl Fn(Option<Stat>, Option<Stat>) -> bool,
) -> Option<Vec<u32>> {
    let (mut files, mut found) = (files, Vec::new());
    for start in groups(ledger)? {
        let mut reader = Reader(ledger.get(start..)?);
        let (first, count) = (reader.number()?, reader.number()?);
        let length = reader.short()?;
        let folder = reader.take(length)?;
        for number in first..first.checked_add(count)? {
            let recorded = stat(reader.take(STAT)?)?;
            reader.take(OWNER)?;
            let name = reader.name()?;
            let (path, now) = files.next()?;
            let (own, last) = crate::safe::split(path);
            if (own.as_bytes(), last.as_bytes()) != (folder, name) {
                return None;
            }
            if moved(recorded, now) {
                found.push(number);
            }
        }
    }
    files.next().is_none().then_some(found)
}

/// What has to be written where, so that these files have these stats. `None` if one of them is not there, or the bytes are no
/// layout.
pub fn renewed(ledger: &[u8], files: &[(&str, Option<Stat>)]) -> Option<Vec<(usize, [u8; STAT])>> {
    let mut folders: BTreeMap<&str, BTreeMap<&str, Option<Stat>>> = BTreeMap::new();
    for (path, stat) in files {
        let (folder, name) = crate::safe::split(path);
        folders.entry(folder).or_default().insert(name, *stat);
    }
    let wanted: usize = folders.values().map(BTreeMap::len).sum();
    let places = places(ledger, &folders)?;
    let places: Vec<(usize, [u8; STAT])> = places.into_iter().map(|(at, stat)| (at, bytes(stat))).collect();
    (places.len() == wanted).then_some(places)
}

/// Where the stats of files stand, and what they are to be.
fn places(ledger: &[u8], folders: &BTreeMap<&str, BTreeMap<&str, Option<Stat>>>) -> Option<Vec<(usize, Option<Stat>)>> {
    let mut places = Vec::new();
    for start in groups(ledger)? {
        let mut reader = Reader(ledger.get(start..)?);
        let (_, count) = (reader.number()?, reader.number()?);
        let length = reader.short()?;
        let Some(names) = folders.get(std::str::from_utf8(reader.take(length)?).ok()?) else { continue };
        for _ in 0..count {
            let at = ledger.len() - reader.0.len();
            reader.take(STAT + OWNER)?;
            if let Some(stat) = names.get(std::str::from_utf8(reader.name()?).ok()?) {
                places.push((at, *stat));
            }
        }
    }
    Some(places)
}

/// Where the groups begin.
fn groups(ledger: &[u8]) -> Option<Vec<usize>> {
    let mut reader = Reader(ledger);
    (0..reader.number()?).map(|_| Some(reader.number()? as usize)).collect()
}

/// Files below one folder.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The folder.
    pub root: &'a Path,
    /// What [`lay_out`] has made of them.
    pub ledger: &'a [u8],
}

/// For each part the numbers of the files of which `moved` (number of the part, what was recorded, what is there now) is true,
/// in order. `None` if the bytes are no such layout.
pub fn moved(
    parts: &[Part<'_>],
    moved: impl Fn(usize, Option<Stat>, Option<Stat>) -> bool + Sync,
) -> Option<Vec<Vec<u32>>> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        groups.extend(self::groups(part.ledger)?.into_iter().map(|start| (at, start)));
    }
    let next = AtomicUsize::new(0);
    let run = || {
        let mut found: Vec<Vec<u32>> = vec![Vec::new(); parts.len()];
        while let Some((at, start)) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (part, found) = (parts.get(*at)?, found.get_mut(*at)?);
            group(part.root, part.ledger.get(*start..)?, &|then, now| moved(*at, then, now), found)?;
        }
        Some(found)
    };
    let gathered: Vec<Option<Vec<Vec<u32>>>> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..crate::walk::threads(groups.len())).map(|_| scope.spawn(run)).collect();
        let mut gathered = vec![run()];
        gathered.extend(others.into_iter().map(|thread| thread.join().ok().flatten()));
        gathered
    });
    let mut all: Vec<Vec<u32>> = vec![Vec::new(); parts.len()];
    for found in gathered {
        for (all, found) in all.iter_mut().zip(found?) {
            all.extend(found);
        }
    }
    all.iter_mut().for_each(|found| found.sort_unstable());
    Some(all)
}

fn group(
    root: &Path,
    group: &[u8],
    moved: &impl Fn(Option<Stat>, Option<Stat>) -> bool,
    found: &mut Vec<u32>,
) -> Option<()> {
    let mut reader = Reader(group);
    let (first, count) = (reader.number()?, reader.number()?);
    let length = reader.short()?;
    let folder = std::str::from_utf8(reader.take(length)?).ok()?;
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
    let handle = rustix::fs::openat(CWD, root.join(folder), flags, Mode::empty()).ok();
    for number in first..first.checked_add(count)? {
        let recorded = stat(reader.take(STAT)?)?;
        reader.take(OWNER)?;
        let length = reader.short()?;
        let name = CStr::from_bytes_with_nul(reader.take(length + 1)?).ok()?;
        let now = handle.as_ref().and_then(|handle| rustix::fs::statat(handle, name, AtFlags::empty()).ok());
        if moved(recorded, now.map(|raw| Stat::from_raw(&raw))) {
            found.push(number);
        }
    }
    Some(())
}

/// A stat as the layout has it.
fn bytes(stat: Option<Stat>) -> [u8; STAT] {
    let mut bytes = [0; STAT];
    let Stat { size, mtime_ns, ctime_ns, inode } =
        stat.unwrap_or(Stat { size: u64::MAX, mtime_ns: 0, ctime_ns: 0, inode: 0 });
    for (part, number) in bytes.chunks_exact_mut(8).zip([size, mtime_ns as u64, ctime_ns as u64, inode]) {
        part.copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// What [`bytes`] stands for; `None` if it is no such thing.
fn stat(bytes: &[u8]) -> Option<Option<Stat>> {
    let (&[size, mtime, ctime, inode], []) = bytes.as_chunks::<8>() else { return None };
    let size = u64::from_le_bytes(size);
    let stat = Stat {
        size,
        mtime_ns: i64::from_le_bytes(mtime),
        ctime_ns: i64::from_le_bytes(ctime),
        inode: u64::from_le_bytes(inode),
    };
    Some((size != u64::MAX).then_some(stat))
}

/// Takes parts off the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (part, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(part)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn short(&mut self) -> Option<usize> {
        Some(usize::from(u16::from_le_bytes(self.take(2)?.try_into().ok()?)))
    }

    /// A name, and past the zero behind it.
    fn name(&mut self) -> Option<&'a [u8]> {
        let length = self.short()?;
        let name = self.take(length)?;
        self.take(1)?;
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_is_found_by_number() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let mut paths = Vec::new();
        for outer in ["", "a/", "a/b/", "c/"] {
            std::fs::create_dir_all(root.join(outer)).unwrap();
            for inner in 0..700 {
                let path = format!("{outer}x{inner}");
                std::fs::write(root.join(&path), ".").unwrap();
                paths.push(path);
            }
        }
        let known: Vec<Option<Stat>> = paths.iter().map(|path| crate::stat(&root.join(path)).unwrap()).collect();
        let mut files: Vec<(&str, Option<Stat>, u32)> =
            paths.iter().map(String::as_str).zip(known).zip(7..).map(|((path, stat), own)| (path, stat, own)).collect();
        files.extend([("none", None, u32::MAX), ("gone/x", None, 0)]);
        let mut ledger = lay_out(files.iter().copied()).unwrap();
        let moved = |ledgers: &[&[u8]]| {
            let parts: Vec<Part<'_>> = ledgers.iter().map(|ledger| Part { root, ledger }).collect();
            super::moved(&parts, |_, then, now| then != now)
        };
        assert_eq!(moved(&[&ledger]), Some(vec![Vec::new()]));
        std::fs::write(root.join("a/b/x699"), "..").unwrap();
        std::fs::remove_file(root.join("x3")).unwrap();
        std::fs::write(root.join("none"), "").unwrap();
        let found = vec![3, 2099, 2800];
        assert_eq!(moved(&[&ledger]), Some(vec![found.clone()]));
        let one = lay_out([("c/x1", None, 0)].into_iter()).unwrap();
        assert_eq!(moved(&[&one, &ledger]), Some(vec![vec![0], found.clone()]), "each part has its own numbers");
        for length in (0..ledger.len()).step_by(9_973) {
            assert_eq!(moved(&[&ledger[..length]]), None, "{length}");
        }
        let now = |path: &str| crate::stat(&root.join(path)).unwrap();
        let compared = |files: &[&str]| {
            super::compared(&ledger, files.iter().map(|path| (*path, now(path))), |then, now| then != now)
        };
        let names: Vec<&str> = files.iter().map(|(path, ..)| *path).collect();
        assert_eq!(compared(&names), Some(found));
        assert_eq!((compared(&names[1..]), compared(&names[..9])), (None, None), "others than before");
        assert_eq!(compared(&[&names[..], &["x"]].concat()), None);
        let own = super::names(&ledger, &BTreeSet::from(["a/b", "gone", "unknown"])).unwrap();
        assert_eq!(own.keys().collect::<Vec<_>>(), [&"a/b", &"gone"]);
        assert_eq!((own["a/b"].len(), own["gone"].len()), (700, 1));
        let name = |path: &str, owner| (path.to_owned(), owner);
        let names = vec![name("none", u32::MAX), name("a/b/x699", 2106), name("x3", 10)];
        assert_eq!(named(&ledger, &[2800, 2099, 3]), Some(names));
        assert_eq!(named(&ledger, &[2802]), None);
        let places = renewed(&ledger, &[("a/b/x699", now("a/b/x699")), ("x3", None), ("none", now("none"))]).unwrap();
        assert!(places.is_sorted());
        for (at, bytes) in places {
            ledger[at..at + STAT].copy_from_slice(&bytes);
        }
        assert_eq!(moved(&[&ledger]), Some(vec![Vec::new()]));
        assert_eq!(renewed(&ledger, &[("a/x3", None), ("a/unknown", None)]), None);
        assert_eq!(renewed(&ledger[..9_973], &[("x3", None)]), None);
        assert_eq!(moved(&[&lay_out(std::iter::empty()).unwrap()]), Some(vec![Vec::new()]));
        assert_eq!(lay_out([("a\0b", None, 0)].into_iter()), None);
    }
}
