//! What `stat` says of a file, and when that is enough to call the file unchanged.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use serde::{Deserialize, Serialize};

/// What is kept of a file's `stat`. Equal means: the file is the one that was seen, unless the time was [`racy`].
///
/// Never part of a key or a digest: it says when to look at the content again, not what the content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stat {
    /// Bytes.
    pub size: u64,
    /// Time of the last change of the content, nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Time of the last change of content or attributes, nanoseconds since 1970. Programs cannot set it, so it shows
    /// a replacement that keeps the modification time.
    pub ctime_ns: i64,
    /// The inode number.
    pub inode: u64,
}

/// As one byte string: size, times and inode, 8 bytes each, little-endian. Every run reads tens of thousands of them.
impl Serialize for Stat {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Stat { size, mtime_ns, ctime_ns, inode } = *self;
        let mut bytes = [0; 32];
        for (part, number) in bytes.chunks_exact_mut(8).zip([size, mtime_ns as u64, ctime_ns as u64, inode]) {
            part.copy_from_slice(&number.to_le_bytes());
        }
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for Stat {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Stat, D::Error> {
        let bytes: &[u8] = Deserialize::deserialize(deserializer)?;
        let (&[size, mtime, ctime, inode], []) = bytes.as_chunks::<8>() else {
            return Err(serde::de::Error::invalid_length(bytes.len(), &"32 bytes"));
        };
        Ok(Stat {
            size: u64::from_le_bytes(size),
            mtime_ns: i64::from_le_bytes(mtime),
            ctime_ns: i64::from_le_bytes(ctime),
            inode: u64::from_le_bytes(inode),
        })
    }
}

impl Stat {
    pub(crate) fn from_raw(raw: &rustix::fs::Stat) -> Stat {
        Stat {
            size: u64::try_from(raw.st_size).unwrap_or(0),
            mtime_ns: nanoseconds(i128::from(raw.st_mtime), i128::from(raw.st_mtime_nsec)),
            ctime_ns: nanoseconds(i128::from(raw.st_ctime), i128::from(raw.st_ctime_nsec)),
            inode: raw.st_ino,
        }
    }
}

fn nanoseconds(seconds: i128, rest: i128) -> i64 {
    i64::try_from(seconds * 1_000_000_000 + rest).unwrap_or(i64::MAX)
}

/// Whether a file that was seen with this `stat` may have changed since without showing it.
///
/// `since_ns` is the file system's clock ([`clock`]) at the start of the run that looked at the file. Clocks of file
/// systems advance in steps: a file changed in the step in which it was read, or later, can have its old times still.
pub fn racy(stat: &Stat, since_ns: i64) -> bool {
    stat.mtime_ns >= since_ns || stat.ctime_ns >= since_ns
}

/// The clock of the file system that holds `folder` (made if missing), by touching the file `clock` there.
///
/// Nanoseconds since 1970. The clock of the process will not do: it runs ahead of the file system's by up to one step.
///
/// # Errors
/// If the file cannot be written.
pub fn clock(folder: &Path) -> io::Result<i64> {
    let path = folder.join("clock");
    let touch = || std::fs::write(&path, b".");
    match touch() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            touch()?;
        }
        other => other?,
    }
    Ok(stat(&path)?.map_or(0, |stat| stat.mtime_ns))
}

/// The `stat` of a file, links followed; `None` if there is none.
///
/// # Errors
/// Any but "not found" (also a folder in the path that is a file counts as not found).
pub fn stat(path: &Path) -> io::Result<Option<Stat>> {
    match rustix::fs::stat(path) {
        Ok(raw) => Ok(Some(Stat::from_raw(&raw))),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Is there a plain file at a path, links not followed, or nothing at all?
pub fn file_or_nothing(path: &Path) -> bool {
    match std::fs::symlink_metadata(path) {
        Ok(found) => found.is_file(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// The `stat`s of many files, in the order asked; `None` for what is missing or cannot be looked at.
///
/// Quick when paths of one folder are neighbours, as in a sorted list: the folder is looked up once.
pub fn stat_many<P: AsRef<str> + Sync>(root: &Path, paths: &[P]) -> Vec<Option<Stat>> {
    let mut found = vec![None; paths.len()];
    let threads = crate::walk::threads(paths.len() / 256);
    let share = paths.len().div_ceil(threads).max(1);
    let mut shares = paths.chunks(share).zip(found.chunks_mut(share));
    let own = shares.next();
    std::thread::scope(|scope| {
        for (paths, found) in shares {
            scope.spawn(move || stat_share(root, paths, found));
        }
        if let Some((paths, found)) = own {
            stat_share(root, paths, found);
        }
    });
    found
}

fn stat_share<P: AsRef<str>>(root: &Path, paths: &[P], found: &mut [Option<Stat>]) {
    let mut here: Option<(&str, Option<OwnedFd>)> = None;
    let mut name = Vec::new();
    for (path, slot) in paths.iter().zip(found) {
        let (folder, file) = crate::safe::split(path.as_ref());
        if here.as_ref().is_none_or(|(known, _)| *known != folder) {
            let flags = OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY;
            here = Some((folder, rustix::fs::openat(CWD, root.join(folder), flags, Mode::empty()).ok()));
        }
        let Some((_, Some(handle))) = &here else { continue };
        name.clear();
        name.extend_from_slice(file.as_bytes());
        let Ok(text) = CString::new(std::mem::take(&mut name)) else { continue };
        *slot = rustix::fs::statat(handle, text.as_c_str(), AtFlags::empty()).ok().map(|raw| Stat::from_raw(&raw));
        name = text.into_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_not_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(stat(&folder.path().join("none")).unwrap(), None);
        std::fs::write(folder.path().join("file"), "x").unwrap();
        assert_eq!(stat(&folder.path().join("file/below")).unwrap(), None);
        assert_eq!(stat(&folder.path().join("file")).unwrap().unwrap().size, 1);
    }

    #[test]
    fn many_agree_with_one_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = Vec::new();
        for outer in 0..7 {
            std::fs::create_dir(folder.path().join(format!("f{outer}"))).unwrap();
            for inner in 0..150 {
                let path = format!("f{outer}/x{inner}");
                if inner % 3 != 0 {
                    std::fs::write(folder.path().join(&path), vec![b'.'; inner]).unwrap();
                }
                paths.push(path);
            }
        }
        paths.push("gone/x".to_owned());
        paths.push("f1/nul\0".to_owned());
        let many = stat_many(folder.path(), &paths);
        for (path, found) in paths.iter().zip(&many) {
            assert_eq!(*found, stat(&folder.path().join(path)).ok().flatten(), "{path}");
        }
        assert_eq!(many.iter().flatten().count(), 700);
        assert!(stat_many::<String>(folder.path(), &[]).is_empty());
    }

    #[test]
    fn a_change_in_the_same_step_of_the_clock_is_racy() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let path = folder.path().join("file");
        std::fs::write(&path, "one").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(30));
        let start = clock(&state).unwrap();
        assert!(!racy(&stat(&path).unwrap().unwrap(), start));
        std::fs::write(&path, "two").unwrap();
        assert!(racy(&stat(&path).unwrap().unwrap(), start));
    }

    #[test]
    fn restoring_the_modification_time_does_not_hide_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "one").unwrap();
        let before = stat(&path).unwrap().unwrap();
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(30));
        std::fs::write(&path, "two").unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        let after = stat(&path).unwrap().unwrap();
        assert_eq!(before.mtime_ns, after.mtime_ns);
        assert_ne!(before, after);
    }
}
