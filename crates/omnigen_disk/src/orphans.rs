//! What is in the output folder that no longer belongs there.
//!
//! Only files that bear the [mark](crate::mark) are ever removed. What Python itself leaves beside them (`__pycache__`)
//! is not looked at, and goes with a folder that is otherwise empty.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::folder::Folder;
use crate::mark::{PEEK, peek};
use crate::outputs::{TEMPORARY, TEMPORARY_END};
use crate::safe::{safe_relative, split};
use crate::walk::walk;

const CACHE: &str = "__pycache__";

/// Something in the output folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// From the output folder, `/` between the parts.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// A link, to whatever; not followed.
    Link,
    /// A pipe, a socket, a device.
    Other,
}

/// A file with our mark.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owned {
    /// From the output folder.
    pub path: String,
    /// The contract that the mark names; empty if that line is damaged.
    pub source: String,
    /// The emitter that the mark names; empty if that line is damaged.
    pub emitter: String,
}

/// Everything below a folder, sorted; names only, no file is opened or looked at. Hidden entries, `__pycache__` and names
/// that are not UTF-8 are left out: none of them can be ours. A folder that is not there holds nothing.
///
/// # Errors
/// If a folder cannot be read.
pub fn listing(out: &Path) -> io::Result<Vec<Entry>> {
    let parts = walk(vec![String::new()], |folder: String, more, into: &mut Listed| {
        if into.error.is_none()
            && let Err(error) = list(out, &folder, more, &mut into.entries)
            && !(folder.is_empty() && error.kind() == io::ErrorKind::NotFound)
        {
            into.error = Some(error);
        }
    });
    let mut all = Vec::new();
    for part in parts {
        if let Some(error) = part.error {
            return Err(error);
        }
        all.extend(part.entries);
    }
    all.sort_unstable();
    Ok(all)
}

#[derive(Default)]
struct Listed {
    entries: Vec<Entry>,
    error: Option<io::Error>,
}

fn list(out: &Path, folder: &str, more: &mut Vec<String>, into: &mut Vec<Entry>) -> io::Result<()> {
    for entry in std::fs::read_dir(out.join(folder))? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with('.') || name == CACHE {
            continue;
        }
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let kind = entry.file_type()?;
        let kind = if kind.is_file() {
            EntryKind::File
        } else if kind.is_dir() {
            more.push(path.clone());
            EntryKind::Folder
        } else if kind.is_symlink() {
            EntryKind::Link
        } else {
            EntryKind::Other
        };
        into.push(Entry { path, kind });
    }
    Ok(())
}

/// The files of a listing that bear our mark and are not expected, in the listing's order. Only the starts of unexpected
/// files are read. Whether such a file was edited, [`inspect`](crate::mark::inspect) tells from all of it.
pub fn owned_files(out: &Path, listing: &[Entry], expected: impl Fn(&str) -> bool) -> Vec<Owned> {
    let mut owned = Vec::new();
    let mut start = Vec::with_capacity(PEEK);
    for entry in listing {
        if entry.kind != EntryKind::File || expected(&entry.path) {
            continue;
        }
        start.clear();
        let read = File::open(out.join(&entry.path)).and_then(|file| file.take(PEEK as u64).read_to_end(&mut start));
        if read.is_ok()
            && let Some((source, emitter)) = peek(&start)
        {
            owned.push(Owned { path: entry.path.clone(), source, emitter });
        }
    }
    owned
}

/// Removes files (never through a link), and returns those that could not be. One that is gone already is fine.
pub fn remove_files(out: &Path, paths: &[String]) -> Vec<(String, io::Error)> {
    let mut failed = Vec::new();
    for path in paths {
        let removed = safe_relative(path)
            .map_err(|bad| io::Error::new(io::ErrorKind::InvalidInput, bad))
            .and_then(|()| Folder::root(out))
            .and_then(|top| {
                let (folder, name) = split(path);
                top.descend(folder, false)?.remove_file(name)
            });
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => failed.push((path.clone(), error)),
            _ => {}
        }
    }
    failed
}

/// Removes the folders of removed files that are empty now, and those above them, but never `out` itself; returns how many.
pub fn remove_empty_folders(out: &Path, removed: &[String]) -> usize {
    let mut folders = BTreeSet::new();
    for path in removed {
        let mut folder = split(path).0;
        while !folder.is_empty() && folders.insert(folder.to_owned()) {
            folder = split(folder).0;
        }
    }
    let Ok(top) = Folder::root(out) else { return 0 };
    // The deepest first: a folder comes before what is in it.
    folders.iter().rev().filter(|folder| safe_relative(folder).is_ok() && remove_if_empty(&top, folder).is_ok()).count()
}

fn remove_if_empty(top: &Folder, path: &str) -> io::Result<()> {
    let (parent, name) = split(path);
    let parent = top.descend(parent, false)?;
    let folder = parent.child(name)?;
    if let [(only, true)] = folder.names()?.as_slice()
        && only == CACHE
    {
        let cache = folder.child(CACHE)?;
        let names = cache.names()?;
        if names.iter().all(|(name, is_dir)| !is_dir && name.ends_with(".pyc")) {
            for (name, _) in names {
                cache.remove_file(&name)?;
            }
            folder.remove_folder(CACHE)?;
        }
    }
    parent.remove_folder(name)
}

/// Removes the temporary files that a killed run has left, and returns how many. Only while holding the lock, or another
/// process's are lost.
pub fn remove_temporaries(out: &Path) -> usize {
    walk(vec![out.to_path_buf()], |folder, more, count: &mut usize| {
        let Ok(entries) = std::fs::read_dir(&folder) else { return };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if kind.is_dir() {
                more.push(entry.path());
            } else if kind.is_file()
                && name.starts_with(TEMPORARY)
                && name.ends_with(TEMPORARY_END)
                && std::fs::remove_file(entry.path()).is_ok()
            {
                *count += 1;
            }
        }
    })
    .into_iter()
    .sum()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::mark::header;

    fn put(root: &Path, path: &str, text: &str) {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), text).unwrap();
    }

    #[test]
    fn only_unexpected_files_with_the_mark_are_orphans() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        assert_eq!(listing(&out.join("none")).unwrap(), []);
        let marked = header("contracts/a.json", "models/1", "x\n") + "x\n";
        for path in ["models/a.py", "models/b.py", "models/sub/c.py", "models/__pycache__/a.pyc", ".hidden/d.py"] {
            put(out, path, &marked);
        }
        put(out, "models/mine.py", "x = 1\n");
        put(out, "empty/keep.txt", "");
        symlink(out.join("models/b.py"), out.join("models/link.py")).unwrap();
        let all = listing(out).unwrap();
        let paths: Vec<&str> = all.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "empty",
                "empty/keep.txt",
                "models",
                "models/a.py",
                "models/b.py",
                "models/link.py",
                "models/mine.py",
                "models/sub",
                "models/sub/c.py"
            ]
        );
        assert_eq!(all[5].kind, EntryKind::Link);
        let owned = owned_files(out, &all, |path| path == "models/a.py");
        assert_eq!(
            owned.iter().map(|owned| owned.path.as_str()).collect::<Vec<_>>(),
            ["models/b.py", "models/sub/c.py"]
        );
        assert_eq!((owned[0].source.as_str(), owned[0].emitter.as_str()), ("contracts/a.json", "models/1"));
    }

    #[test]
    fn folders_go_with_their_last_file() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        for path in [
            "a/b/c/x.py",
            "a/b/c/__pycache__/x.cpython-312.pyc",
            "a/b/y.py",
            "a/mine.txt",
            "d/z.py",
            "e/w.py",
            "e/__pycache__/notes.txt",
        ] {
            put(out, path, "");
        }
        let paths: Vec<String> =
            ["a/b/c/x.py", "a/b/y.py", "d/z.py", "e/w.py", "gone/too.py"].map(str::to_owned).to_vec();
        assert!(remove_files(out, &paths).is_empty());
        assert_eq!(remove_empty_folders(out, &paths), 3);
        let left: Vec<String> = listing(out).unwrap().into_iter().map(|entry| entry.path).collect();
        assert_eq!(left, ["a", "a/mine.txt", "e"]);
        assert!(out.join("e/__pycache__/notes.txt").exists());
    }

    #[test]
    fn nothing_is_removed_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (out, other) = (folder.path().join("out"), folder.path().join("other"));
        put(&other, "x.py", "");
        std::fs::create_dir_all(&out).unwrap();
        symlink(&other, out.join("link")).unwrap();
        let paths = ["link/x.py".to_owned(), "../other/x.py".to_owned()];
        assert_eq!(remove_files(&out, &paths).len(), 2);
        remove_empty_folders(&out, &paths);
        assert!(other.join("x.py").exists());
    }

    #[test]
    fn temporary_files_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "a/.omnigen-12-3.tmp", "");
        put(folder.path(), ".omnigen-12-4.tmp", "");
        put(folder.path(), "a/x.tmp", "");
        assert_eq!(remove_temporaries(folder.path()), 2);
        assert!(folder.path().join("a/x.tmp").exists());
    }
}
