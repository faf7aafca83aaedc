//! An open folder, and what is done in it by name.
//!
//! Every step goes from an open folder to a name in it, and no step follows a link: whatever somebody puts into the
//! output folder while we write, nothing outside of it is touched. The only module that would change for a system
//! without such calls.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::stat::Stat;

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: OwnedFd,
}

const OPEN: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Folder {
    /// The folder at a path that the user chose: links are followed.
    pub(crate) fn root(path: &Path) -> io::Result<Folder> {
        Ok(Folder { handle: rustix::fs::openat(CWD, path, OPEN, Mode::empty())? })
    }

    /// A folder in this one.
    pub(crate) fn child(&self, name: &str) -> io::Result<Folder> {
        match rustix::fs::openat(&self.handle, name, OPEN | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(handle) => Ok(Folder { handle }),
            Err(Errno::LOOP | Errno::NOTDIR) => Err(io::Error::new(
                io::ErrorKind::NotADirectory,
                format!("`{name}` is a file or a link where a folder is needed"),
            )),
            Err(error) => Err(error.into()),
        }
    }

    /// A folder in this one, made if missing.
    pub(crate) fn child_or_new(&self, name: &str) -> io::Result<Folder> {
        match self.child(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => self.child(name),
                    Err(error) => Err(error.into()),
                }
            }
            other => other,
        }
    }

    /// The folder at a relative path below this one; `""` is this one, opened again.
    pub(crate) fn descend(&self, path: &str, make: bool) -> io::Result<Folder> {
        let mut here = Folder { handle: self.handle.try_clone()? };
        for name in path.split('/').filter(|name| !name.is_empty()) {
            here = if make { here.child_or_new(name)? } else { here.child(name)? };
        }
        Ok(here)
    }

    /// A new file; an error of kind `AlreadyExists` if there is anything of that name.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(rustix::fs::openat(&self.handle, name, flags, Mode::from_raw_mode(0o666))?.into())
    }

    /// A file for reading; `None` if there is no plain file of that name.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<File>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(handle) => Ok(Some(handle.into())),
            Err(Errno::NOENT | Errno::LOOP) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The `stat` of what has this name, links not followed.
    pub(crate) fn stat(&self, name: &str) -> io::Result<Stat> {
        Ok(Stat::from_raw(&rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.handle, from, &self.handle, to)?)
    }

    pub(crate) fn remove_file(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::empty())?)
    }

    /// Removes a folder, if it is empty.
    pub(crate) fn remove_folder(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::REMOVEDIR)?)
    }

    /// The names in it, and which of them are folders, in no order.
    pub(crate) fn names(&self) -> io::Result<Vec<(String, bool)>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.handle)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push((name, entry.file_type() == rustix::fs::FileType::Directory));
            }
        }
        Ok(names)
    }
}
