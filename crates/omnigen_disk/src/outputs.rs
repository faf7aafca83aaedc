//! Outputs: written if their bytes differ, and never anywhere else than asked.
//!
//! A new file is created directly, which costs a third of a temporary file and a rename; an old one is replaced by a
//! rename, so that a reader sees the old or the new bytes. A new file that a killed process leaves half-written is
//! known by the [journal](crate::journal).

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::folder::Folder;
use crate::safe::{safe_relative, split};
use crate::stat::Stat;

/// How a temporary file's name starts.
pub(crate) const TEMPORARY: &str = ".omnigen-";
/// How a temporary file's name ends.
pub(crate) const TEMPORARY_END: &str = ".tmp";

/// A file that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// From the root of the outputs; see [`safe_relative`].
    pub path: String,
    /// All of it.
    pub bytes: Vec<u8>,
    /// What is believed to be there.
    pub how: How,
}

/// What is believed to be at a path. `Create` and `Replace` have the same result; a wrong belief costs a little time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Probably nothing.
    Create,
    /// Probably an older version.
    Replace,
    /// Nothing, and if there is something with other bytes it is kept: an error of kind `AlreadyExists`.
    CreateOnly,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing.
    Created,
    /// There was something else.
    Replaced,
    /// These very bytes were there, and are untouched.
    Same,
}

/// A file that is as wanted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// What was done.
    pub outcome: Outcome,
    /// Taken after the last change.
    pub stat: Stat,
}

/// Makes one file be as wanted. Missing folders are made, the root too.
///
/// # Errors
/// For an unsafe path (kind `InvalidInput`), for a link or a file where a folder is needed, and the system's.
pub fn place(root: &Path, path: &str, bytes: &[u8], how: How) -> io::Result<Placed> {
    safe_relative(path).map_err(|bad| io::Error::new(io::ErrorKind::InvalidInput, bad))?;
    std::fs::create_dir_all(root)?;
    let (folder, name) = split(path);
    put(&Folder::root(root)?.descend(folder, true)?, name, bytes, how)
}

/// Makes many files be as wanted, on up to `threads` threads; the results are in the order of `writes`.
///
/// One file's error keeps no other from being written. Two writes of the same path must not be in one batch.
pub fn write_all(root: &Path, writes: &[Write], threads: usize) -> Vec<io::Result<Placed>> {
    let top = match std::fs::create_dir_all(root).and_then(|()| Folder::root(root)) {
        Ok(top) => top,
        Err(error) => return writes.iter().map(|_| Err(copy(&error))).collect(),
    };
    let mut order: Vec<usize> = (0..writes.len()).collect();
    order.sort_by(|a, b| writes[*a].path.cmp(&writes[*b].path));
    // Neighbours in one folder, in handy pieces: threads that create in one folder at once wait for each other.
    let mut pieces: Vec<&[usize]> = Vec::new();
    for same in order.chunk_by(|a, b| split(&writes[*a].path).0 == split(&writes[*b].path).0) {
        pieces.extend(same.chunks(256));
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new((0..writes.len()).map(|_| None).collect::<Vec<Option<io::Result<Placed>>>>());
    let work = || {
        let mut done = Vec::new();
        while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            write_piece(&top, writes, piece, &mut done);
        }
        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, result) in done {
            results[index] = Some(result);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.clamp(1, 64).min(pieces.len().max(1)) {
            scope.spawn(work);
        }
        work();
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().map(|result| result.unwrap_or_else(|| Err(io::Error::other("not written")))).collect()
}

fn write_piece(top: &Folder, writes: &[Write], piece: &[usize], done: &mut Vec<(usize, io::Result<Placed>)>) {
    let mut folder: Option<io::Result<Folder>> = None;
    for index in piece {
        let Write { path, bytes, how } = &writes[*index];
        let result = match safe_relative(path) {
            Err(bad) => Err(io::Error::new(io::ErrorKind::InvalidInput, bad)),
            Ok(()) => {
                let (parent, name) = split(path);
                match folder.get_or_insert_with(|| top.descend(parent, true)) {
                    Ok(folder) => put(folder, name, bytes, *how),
                    Err(error) => Err(copy(error)),
                }
            }
        };
        done.push((*index, result));
    }
}

fn put(folder: &Folder, name: &str, bytes: &[u8], how: How) -> io::Result<Placed> {
    if how == How::Replace {
        if let Some(same) = same(folder, name, bytes)? {
            return Ok(same);
        }
        return if folder.stat(name).is_ok() { replace(folder, name, bytes) } else { create(folder, name, bytes) };
    }
    match create(folder, name, bytes) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if let Some(same) = same(folder, name, bytes)? {
                return Ok(same);
            }
            if how == How::CreateOnly { Err(error) } else { replace(folder, name, bytes) }
        }
        other => other,
    }
}

/// If the file has these bytes.
fn same(folder: &Folder, name: &str, bytes: &[u8]) -> io::Result<Option<Placed>> {
    let Some(file) = folder.read(name)? else { return Ok(None) };
    let meta = file.metadata()?;
    if !meta.is_file() || meta.len() != bytes.len() as u64 {
        return Ok(None);
    }
    let mut old = Vec::with_capacity(bytes.len() + 1);
    (&file).take(bytes.len() as u64 + 1).read_to_end(&mut old)?;
    Ok(if old == bytes { Some(Placed { outcome: Outcome::Same, stat: of(&file)? }) } else { None })
}

fn create(folder: &Folder, name: &str, bytes: &[u8]) -> io::Result<Placed> {
    let mut file = folder.create(name)?;
    let written = file.write_all(bytes).and_then(|()| of(&file));
    if written.is_err() {
        // Half a file is worse than none: the next run would take it for an edit.
        let _ = folder.remove_file(name);
    }
    Ok(Placed { outcome: Outcome::Created, stat: written? })
}

fn replace(folder: &Folder, name: &str, bytes: &[u8]) -> io::Result<Placed> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let temporary = format!("{TEMPORARY}{}-{number}{TEMPORARY_END}", std::process::id());
    // One that a killed process of the same id left.
    let mut file = match folder.create(&temporary) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            folder.remove_file(&temporary)?;
            folder.create(&temporary)?
        }
        other => other?,
    };
    let done = file
        .write_all(bytes)
        .and_then(|()| keep_mode(folder, name, &file))
        .and_then(|()| folder.rename(&temporary, name));
    if let Err(error) = done {
        let _ = folder.remove_file(&temporary);
        return Err(error);
    }
    // The rename has changed the ctime.
    Ok(Placed { outcome: Outcome::Replaced, stat: of(&file)? })
}

/// Whoever made an output executable wants it to stay so.
fn keep_mode(folder: &Folder, name: &str, new: &File) -> io::Result<()> {
    if let Some(old) = folder.read(name)? {
        let (old, now) = (old.metadata()?.permissions(), new.metadata()?.permissions());
        if old != now {
            new.set_permissions(old)?;
        }
    }
    Ok(())
}

fn of(file: &File) -> io::Result<Stat> {
    Ok(Stat::from_raw(&rustix::fs::fstat(file)?))
}

fn copy(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn write(path: &str, bytes: &str, how: How) -> Write {
        Write { path: path.to_owned(), bytes: bytes.as_bytes().to_vec(), how }
    }

    #[test]
    fn only_what_differs_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("out");
        for how in [How::Create, How::Replace] {
            let name = format!("a/b/{how:?}.py");
            let steps = [
                ("one", Outcome::Created),
                ("one", Outcome::Same),
                ("two", Outcome::Replaced),
                ("tw", Outcome::Replaced),
            ];
            for (text, outcome) in steps {
                let before = crate::stat(&root.join(&name)).unwrap();
                let placed = place(&root, &name, text.as_bytes(), how).unwrap();
                assert_eq!(placed.outcome, outcome);
                assert_eq!(std::fs::read_to_string(root.join(&name)).unwrap(), text);
                assert_eq!(crate::stat(&root.join(&name)).unwrap(), Some(placed.stat));
                assert_eq!(before == Some(placed.stat), outcome == Outcome::Same);
            }
        }
        let kept = place(&root, "a/b/Create.py", b"mine", How::CreateOnly).unwrap_err();
        assert_eq!(kept.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(root.join("a/b/Create.py")).unwrap(), "tw");
        assert_eq!(place(&root, "a/b/Create.py", b"tw", How::CreateOnly).unwrap().outcome, Outcome::Same);
        assert_eq!(std::fs::read_dir(root.join("a/b")).unwrap().count(), 2, "no temporary file stays");
    }

    #[test]
    fn a_batch_keeps_its_order_and_outlives_errors() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("out");
        std::fs::create_dir_all(root.join("taken.py")).unwrap();
        std::fs::write(root.join("file"), "").unwrap();
        let mut writes: Vec<Write> =
            (0..700).map(|at| write(&format!("f{}/x{at}.py", at % 5), &format!("{at}"), How::Create)).collect();
        writes.reverse();
        writes.insert(3, write("../escape.py", "", How::Create));
        writes.insert(9, write("file/x.py", "", How::Create));
        writes.insert(20, write("taken.py", "", How::Replace));
        let results = write_all(&root, &writes, 4);
        for (at, (write, result)) in writes.iter().zip(&results).enumerate() {
            if [3, 9, 20].contains(&at) {
                assert!(result.is_err(), "{}", write.path);
            } else {
                assert_eq!(result.as_ref().unwrap().outcome, Outcome::Created);
                assert_eq!(std::fs::read(root.join(&write.path)).unwrap(), write.bytes);
            }
        }
        assert_eq!(results[3].as_ref().unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert!(!folder.path().join("escape.py").exists());
        assert!(write_all(&root, &[], 4).is_empty());
        assert!(write_all(&root.join("file"), &writes, 2).iter().all(Result::is_err));
    }

    #[test]
    fn links_are_never_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (root, outside) = (folder.path().join("out"), folder.path().join("outside"));
        std::fs::create_dir_all(&root).unwrap();
        std::fs::create_dir_all(&outside).unwrap();
        std::fs::write(outside.join("target.py"), "precious").unwrap();
        symlink(&outside, root.join("models")).unwrap();
        symlink(outside.join("target.py"), root.join("link.py")).unwrap();
        symlink(outside.join("new.py"), root.join("dangling.py")).unwrap();
        assert_eq!(place(&root, "models/x.py", b"x", How::Create).unwrap_err().kind(), io::ErrorKind::NotADirectory);
        for name in ["link.py", "dangling.py"] {
            for (how, text) in [(How::Replace, "x"), (How::Create, "y")] {
                assert_eq!(place(&root, name, text.as_bytes(), how).unwrap().outcome, Outcome::Replaced);
                assert!(!root.join(name).is_symlink());
            }
        }
        assert_eq!(std::fs::read_to_string(outside.join("target.py")).unwrap(), "precious");
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
    }

    #[test]
    fn permissions_stay() {
        let folder = tempfile::tempdir().unwrap();
        place(folder.path(), "x.sh", b"one", How::Create).unwrap();
        std::fs::set_permissions(folder.path().join("x.sh"), PermissionsExt::from_mode(0o755)).unwrap();
        place(folder.path(), "x.sh", b"two", How::Replace).unwrap();
        assert_eq!(std::fs::metadata(folder.path().join("x.sh")).unwrap().permissions().mode() & 0o777, 0o755);
    }

    #[test]
    fn a_closed_folder_costs_only_its_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("closed")).unwrap();
        std::fs::set_permissions(folder.path().join("closed"), PermissionsExt::from_mode(0o555)).unwrap();
        let results =
            write_all(folder.path(), &[write("closed/x", "x", How::Create), write("open/x", "x", How::Create)], 2);
        // The superuser may write anywhere.
        if std::fs::write(folder.path().join("closed/probe"), "").is_err() {
            assert_eq!(results[0].as_ref().unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        }
        assert!(results[1].is_ok());
    }
}
