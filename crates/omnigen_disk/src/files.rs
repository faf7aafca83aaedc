//! Single files: reading text with a reason when it fails, and writing so that nobody sees half of it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use crate::discover::plain;
use crate::stat::Stat;

/// The largest file that is read as text, in bytes.
pub const LARGEST_TEXT: u64 = 64 << 20;

/// A file's text, and its `stat` from just before it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// As in the file: a byte order mark and the line ends are kept.
    pub text: String,
    /// Of the very file that was read.
    pub stat: Stat,
}

/// Why a file has no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadProblem {
    /// There is no such file.
    NotFound,
    /// We may not read it.
    Permission,
    /// It is a folder, a pipe, or a device.
    NotAFile,
    /// The first byte that is not UTF-8, counted from 0.
    NotUtf8 {
        /// Its offset.
        at: usize,
    },
    /// It is larger than [`LARGEST_TEXT`].
    TooLarge {
        /// Bytes.
        size: u64,
    },
    /// Anything else, in the system's words.
    Other(String),
}

impl fmt::Display for ReadProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadProblem::NotFound => f.write_str("there is no such file"),
            ReadProblem::Permission => f.write_str("no permission to read it"),
            ReadProblem::NotAFile => f.write_str("it is not a file"),
            ReadProblem::NotUtf8 { at } => write!(f, "it is not UTF-8 (byte {at})"),
            ReadProblem::TooLarge { size } => write!(f, "it has {size} bytes, more than the limit of {LARGEST_TEXT}"),
            ReadProblem::Other(words) => f.write_str(words),
        }
    }
}

impl std::error::Error for ReadProblem {}

impl From<io::Error> for ReadProblem {
    fn from(error: io::Error) -> ReadProblem {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ReadProblem::NotFound,
            io::ErrorKind::PermissionDenied => ReadProblem::Permission,
            io::ErrorKind::IsADirectory => ReadProblem::NotAFile,
            _ => ReadProblem::Other(plain(&error)),
        }
    }
}

/// Reads a file as text.
///
/// # Errors
/// The reason, see [`ReadProblem`].
pub fn read_text(path: &Path) -> Result<Text, ReadProblem> {
    let (bytes, stat) = read_bytes(path)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Text { text, stat }),
        Err(error) => Err(ReadProblem::NotUtf8 { at: error.utf8_error().valid_up_to() }),
    }
}

/// Reads a file's bytes, with its `stat` from just before.
///
/// # Errors
/// The reason, see [`ReadProblem`].
pub fn read_bytes(path: &Path) -> Result<(Vec<u8>, Stat), ReadProblem> {
    use rustix::fs::{FileType, Mode, OFlags};
    // Opening a pipe would wait for its other end.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from)?);
    let raw = rustix::fs::fstat(&file).map_err(io::Error::from)?;
    if !FileType::from_raw_mode(raw.st_mode).is_file() {
        return Err(ReadProblem::NotAFile);
    }
    let stat = Stat::from_raw(&raw);
    if stat.size > LARGEST_TEXT {
        return Err(ReadProblem::TooLarge { size: stat.size });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(stat.size).unwrap_or(0) + 1);
    // A file that grows while it is read stays below the limit too.
    (&file).take(LARGEST_TEXT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_TEXT {
        return Err(ReadProblem::TooLarge { size: bytes.len() as u64 });
    }
    Ok((bytes, stat))
}

/// The path of a file without symbolic links.
///
/// # Errors
/// The system's.
pub fn real_path(path: &Path) -> io::Result<std::path::PathBuf> {
    std::fs::canonicalize(path)
}

/// Where a symbolic link leads, as it says.
///
/// # Errors
/// The system's.
pub fn link(path: &Path) -> io::Result<std::path::PathBuf> {
    std::fs::read_link(path)
}

/// Writes a file whole or not at all: a temporary file beside it, then a rename. Missing folders are made; bytes that are
/// there already are not written again.
///
/// # Errors
/// The system's; the old file is untouched then.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    replace(path, &[bytes], false)
}

/// Replaces a file by the parts, one after the other; `durable` means that it survives a loss of power.
///
/// # Errors
/// The system's; the old file is untouched then.
pub fn replace(path: &Path, parts: &[&[u8]], durable: bool) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    std::fs::create_dir_all(&folder)?;
    let mut temporary = tempfile::Builder::new().prefix(".omnigen-").suffix(".tmp").make_in(&folder, |path| {
        // The mode of an ordinary new file, not the private one of temporary files.
        File::options().write(true).create_new(true).open(path)
    })?;
    for part in parts {
        temporary.write_all(part)?;
    }
    if durable {
        temporary.as_file().sync_all()?;
    }
    temporary.persist(path).map_err(|error| error.error)?;
    if durable {
        File::open(&folder)?.sync_all()?;
    }
    Ok(())
}

/// Writes bytes into a file from a place on, which ends with them; false, and nothing is written, if there is no such place. Whoever
/// reads the file meanwhile may see a part of them.
///
/// # Errors
/// The system's; what was before that place is untouched then.
pub fn append_at(path: &Path, at: u64, bytes: &[u8]) -> io::Result<bool> {
    use std::io::{Seek, SeekFrom};
    let mut file = match File::options().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    let size = file.metadata()?.len();
    if size < at {
        return Ok(false);
    }
    if size > at {
        file.set_len(at)?;
    }
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)?;
    Ok(true)
}

/// A new file, or an old one emptied, that is written line by line while something is under way; folders are not made.
///
/// # Errors
/// The system's.
pub fn stream(path: &Path) -> io::Result<File> {
    File::create(path)
}

/// Adds a line to a file, which is made with its folder if missing, and returns the size that it has now. A last line that was
/// cut off stays a line of its own.
///
/// # Errors
/// The system's.
pub fn append_line(path: &Path, line: &str) -> io::Result<u64> {
    use std::io::{Seek, SeekFrom};
    let open = || File::options().read(true).append(true).create(true).open(path);
    let mut file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            open()?
        }
        other => other?,
    };
    let size = file.metadata()?.len();
    let mut last = [b'\n'];
    if size > 0 {
        file.seek(SeekFrom::Start(size - 1))?;
        file.read_exact(&mut last)?;
    }
    let text = format!("{}{line}\n", if last == *b"\n" { "" } else { "\n" });
    file.write_all(text.as_bytes())?;
    Ok(size + text.len() as u64)
}

/// The last whole lines of a file, at most so many bytes of them.
///
/// # Errors
/// The system's.
pub fn tail(path: &Path, most: u64) -> io::Result<String> {
    use std::io::{Seek, SeekFrom};
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    if size > most {
        file.seek(SeekFrom::Start(size - most))?;
    }
    (&file).take(most).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(if size > most {
        text.split_once('\n').map_or(String::new(), |(_, rest)| rest.to_owned())
    } else {
        text.into_owned()
    })
}

/// Is there a plain file, links followed?
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// The nearest folder at or above `start` that holds a file of this name.
pub fn find_up(start: &Path, name: &str) -> Option<PathBuf> {
    start.ancestors().find(|folder| folder.join(name).is_file()).map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    #[test]
    fn each_reason_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("good"), "añb").unwrap();
        std::fs::write(at("bad"), b"ab\xffc").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        File::create(at("huge")).unwrap().set_len(LARGEST_TEXT + 1).unwrap();
        assert_eq!(read_text(&at("good")).unwrap().text, "añb");
        assert_eq!(read_text(&at("good")).unwrap().stat, crate::stat(&at("good")).unwrap().unwrap());
        assert_eq!(read_text(&at("bad")), Err(ReadProblem::NotUtf8 { at: 2 }));
        assert_eq!(read_text(&at("none")), Err(ReadProblem::NotFound));
        assert_eq!(read_text(&at("good/x")), Err(ReadProblem::NotFound));
        assert_eq!(read_text(&at("folder")), Err(ReadProblem::NotAFile));
        assert_eq!(read_text(&at("huge")), Err(ReadProblem::TooLarge { size: LARGEST_TEXT + 1 }));
        std::fs::set_permissions(at("good"), std::fs::Permissions::from_mode(0o0)).unwrap();
        // The superuser may read anything.
        if File::open(at("good")).is_err() {
            assert_eq!(read_text(&at("good")), Err(ReadProblem::Permission));
        }
    }

    #[test]
    fn a_pipe_does_not_hang() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        assert_eq!(read_text(&path), Err(ReadProblem::NotAFile));
    }

    #[test]
    fn the_same_bytes_are_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/file");
        write_atomic(&path, b"one").unwrap();
        let first = std::fs::metadata(&path).unwrap().ino();
        write_atomic(&path, b"one").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().ino(), first);
        write_atomic(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path().join("a/b")).unwrap().count(), 1);
    }

    #[test]
    fn the_project_is_found_from_below() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        std::fs::write(folder.path().join("omnigen.toml"), "").unwrap();
        assert_eq!(find_up(&folder.path().join("a/b"), "omnigen.toml").as_deref(), Some(folder.path()));
        assert_eq!(find_up(&folder.path().join("a/b"), "omnigen.nothing"), None);
    }
}
