//! The manifest's container: named sections of bytes in one file, each read of which is the file as it was written or none.
//!
//! All integers are little-endian.
//!
//! ```text
//! 8   magic
//! 4   format version
//! 32  checksum: BLAKE3 of everything else in the file, in order
//! 32  digest of the executable that wrote it
//! 32  that executable's stat (size, mtime, ctime, inode; 8 bytes each)
//! 4   number of sections, then for each: 4 + n name, 8 length
//! ... the sections' bytes, in this order
//! ```
//!
//! A section is bytes to this module. Sections may be borrowed from the manifest read before, so whoever lays records out
//! in many sections encodes only those that changed.

use std::fmt;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use omnigen_disk::Stat;
use omnigen_disk::files::replace;
use omnigen_ir::Digest;

const MAGIC: &[u8; 8] = b"omnigen\x01";
/// Of the container. What sections hold is versioned by the executable's digest: an upgrade is a cold build.
const FORMAT: u32 = 1;
const CHECKSUM: Range<usize> = 12..44;
const EXECUTABLE: Range<usize> = 44..76;
const STAT: Range<usize> = 76..108;
const COUNT: Range<usize> = 108..112;

/// The program that runs, as the manifest knows it.
///
/// Its digest is that of its bytes, so it means the same on every machine and a cache restored in CI holds; but a program is
/// hashed only if its `stat` is not the one that the manifest was written under.
#[derive(Debug)]
pub struct Executable {
    path: PathBuf,
    stat: Option<Stat>,
    digest: OnceLock<Digest>,
}

impl Executable {
    /// The running program.
    ///
    /// # Errors
    /// If the system does not tell, or the file is gone.
    pub fn current() -> io::Result<Executable> {
        Executable::at(&std::env::current_exe()?)
    }

    /// The program at a path.
    ///
    /// # Errors
    /// If it cannot be looked at.
    pub fn at(path: &Path) -> io::Result<Executable> {
        let stat = omnigen_disk::stat(path)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(Executable { path: path.to_owned(), stat: Some(stat), digest: OnceLock::new() })
    }

    /// A program of a known digest.
    pub fn fixed(digest: Digest) -> Executable {
        Executable { path: PathBuf::new(), stat: None, digest: OnceLock::from(digest) }
    }

    /// The digest of its bytes.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn digest(&self) -> io::Result<Digest> {
        if let Some(digest) = self.digest.get() {
            return Ok(*digest);
        }
        // Piece by piece: as a whole it would be a good part of the memory that a run takes.
        let (mut hasher, mut file) = (blake3::Hasher::new(), std::fs::File::open(&self.path)?);
        let mut piece = vec![0; 1 << 18];
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => hasher.update(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
        }
        let digest = Digest::from_bytes(*hasher.finalize().as_bytes());
        Ok(*self.digest.get_or_init(|| digest))
    }

    /// Whether it is the one that wrote a manifest; remembers the digest if the `stat` tells.
    fn wrote(&self, digest: Digest, stat: &[u8]) -> bool {
        if self.stat.is_some_and(|own| encode_stat(Some(own)) == stat) {
            self.digest.get_or_init(|| digest);
        }
        self.digest().is_ok_and(|own| own == digest)
    }
}

fn encode_stat(stat: Option<Stat>) -> [u8; 32] {
    let mut bytes = [0; 32];
    if let Some(Stat { size, mtime_ns, ctime_ns, inode }) = stat {
        bytes[..8].copy_from_slice(&size.to_le_bytes());
        bytes[8..16].copy_from_slice(&mtime_ns.to_le_bytes());
        bytes[16..24].copy_from_slice(&ctime_ns.to_le_bytes());
        bytes[24..].copy_from_slice(&inode.to_le_bytes());
    }
    bytes
}

/// Why there is no manifest: a cold build then, and one line that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// There is none: a first build, nothing to say.
    Missing,
    /// The file is something else.
    NotOurs,
    /// Another version of the container.
    Format {
        /// Its version.
        found: u32,
    },
    /// Cut off, or changed since it was written.
    Damaged,
    /// Another omnigen wrote it.
    OtherExecutable,
    /// It cannot be read, in the system's words.
    Unreadable(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unusable::Missing => f.write_str("there is no manifest yet"),
            Unusable::NotOurs => f.write_str("the manifest is not a file of omnigen"),
            Unusable::Format { found } => write!(f, "the manifest has format {found}, not {FORMAT}"),
            Unusable::Damaged => f.write_str("the manifest is damaged"),
            Unusable::OtherExecutable => f.write_str("the manifest was written by another build of omnigen"),
            Unusable::Unreadable(why) => write!(f, "the manifest cannot be read: {why}"),
        }
    }
}

impl std::error::Error for Unusable {}

/// A manifest, checked as a whole.
#[derive(Debug)]
pub struct Manifest {
    bytes: Vec<u8>,
    sections: Vec<(String, Range<usize>)>,
}

impl Manifest {
    /// A section's bytes, if there is one of this name.
    pub fn section(&self, name: &str) -> Option<&[u8]> {
        let (_, range) = self.sections.iter().find(|(own, _)| own == name)?;
        self.bytes.get(range.clone())
    }

    /// The sections' names, in the order written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().map(|(name, _)| name.as_str())
    }
}

/// Reads the manifest that this executable wrote.
///
/// # Errors
/// Why it cannot be used; never a reason to stop.
pub fn read(path: &Path, executable: &Executable) -> Result<Manifest, Unusable> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unusable::Missing),
        Err(error) => return Err(Unusable::Unreadable(error.to_string())),
    };
    if !bytes.starts_with(MAGIC) {
        // The start of the magic, or nothing: a manifest that was cut off.
        return Err(if MAGIC.starts_with(&bytes) { Unusable::Damaged } else { Unusable::NotOurs });
    }
    let format = bytes.get(8..12).and_then(|part| part.try_into().ok()).map(u32::from_le_bytes);
    match format {
        Some(FORMAT) => {}
        Some(found) => return Err(Unusable::Format { found }),
        None => return Err(Unusable::Damaged),
    }
    let stored = bytes.get(CHECKSUM).ok_or(Unusable::Damaged)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..CHECKSUM.start]).update(&bytes[CHECKSUM.end..]);
    if hasher.finalize().as_bytes() != stored {
        return Err(Unusable::Damaged);
    }
    let sections = table(&bytes).ok_or(Unusable::Damaged)?;
    let digest: [u8; 32] = bytes.get(EXECUTABLE).and_then(|part| part.try_into().ok()).ok_or(Unusable::Damaged)?;
    if !executable.wrote(Digest::from_bytes(digest), bytes.get(STAT).ok_or(Unusable::Damaged)?) {
        return Err(Unusable::OtherExecutable);
    }
    Ok(Manifest { bytes, sections })
}

fn table(bytes: &[u8]) -> Option<Vec<(String, Range<usize>)>> {
    let count = u32::from_le_bytes(bytes.get(COUNT)?.try_into().ok()?);
    let mut at = COUNT.end;
    let mut take = |length: usize| {
        let part = bytes.get(at..at.checked_add(length)?)?;
        at += length;
        Some(part)
    };
    let mut lengths = Vec::new();
    for _ in 0..count {
        let length = u32::from_le_bytes(take(4)?.try_into().ok()?);
        let name = String::from_utf8(take(usize::try_from(length).ok()?)?.to_vec()).ok()?;
        let length = u64::from_le_bytes(take(8)?.try_into().ok()?);
        lengths.push((name, usize::try_from(length).ok()?));
    }
    let mut sections = Vec::new();
    for (name, length) in lengths {
        let end = at.checked_add(length)?;
        sections.push((name, at..end));
        at = end;
    }
    (at == bytes.len()).then_some(sections)
}

/// Writes a manifest whole or not at all. Names are different from each other.
///
/// # Errors
/// The system's; the old manifest is untouched then.
pub fn write(path: &Path, executable: &Executable, sections: &[(&str, &[u8])]) -> io::Result<()> {
    let mut head = Vec::with_capacity(COUNT.end + sections.len() * 40);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&FORMAT.to_le_bytes());
    head.extend_from_slice(&[0; 32]);
    head.extend_from_slice(executable.digest()?.as_bytes());
    head.extend_from_slice(&encode_stat(executable.stat));
    let too_many = |_| io::Error::from(io::ErrorKind::InvalidInput);
    head.extend_from_slice(&u32::try_from(sections.len()).map_err(too_many)?.to_le_bytes());
    for (name, bytes) in sections {
        head.extend_from_slice(&u32::try_from(name.len()).map_err(too_many)?.to_le_bytes());
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&head[..CHECKSUM.start]).update(&head[CHECKSUM.end..]);
    for (_, bytes) in sections {
        hasher.update(bytes);
    }
    head[CHECKSUM].copy_from_slice(hasher.finalize().as_bytes());
    let mut all: Vec<&[u8]> = vec![&head];
    all.extend(sections.iter().map(|(_, bytes)| *bytes));
    replace(path, &all, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executable() -> Executable {
        Executable::fixed(Digest::of(b"program"))
    }

    const SECTIONS: &[(&str, &[u8])] = &[("contracts", b"one two three"), ("empty", b""), ("artifacts/1", b"\0\xff")];

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".omnigen/manifest");
        assert_eq!(read(&path, &executable()).unwrap_err(), Unusable::Missing);
        write(&path, &executable(), SECTIONS).unwrap();
        let first = read(&path, &executable()).unwrap();
        assert_eq!(first.names().collect::<Vec<_>>(), ["contracts", "empty", "artifacts/1"]);
        for (name, bytes) in SECTIONS {
            assert_eq!(first.section(name), Some(*bytes));
        }
        assert_eq!(first.section("none"), None);
        // A part from the old, a part new.
        write(&path, &executable(), &[("contracts", first.section("contracts").unwrap()), ("empty", b"full")]).unwrap();
        let second = read(&path, &executable()).unwrap();
        assert_eq!(
            (second.section("contracts"), second.section("empty")),
            (Some(&b"one two three"[..]), Some(&b"full"[..]))
        );
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn every_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest");
        write(&path, &executable(), SECTIONS).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(read(&path, &executable()).unwrap_err(), Unusable::Damaged, "{length}");
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                std::fs::write(&path, &flipped).unwrap();
                let expected = match at {
                    0..8 => matches!(read(&path, &executable()), Err(Unusable::NotOurs)),
                    8..12 => matches!(read(&path, &executable()), Err(Unusable::Format { .. })),
                    _ => matches!(read(&path, &executable()), Err(Unusable::Damaged)),
                };
                assert!(expected, "{at} {bit}");
            }
        }
        std::fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
        assert_eq!(read(&path, &executable()).unwrap_err(), Unusable::Damaged);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(matches!(read(&path, &executable()), Err(Unusable::Unreadable(_))));
    }

    #[test]
    fn another_program_does_not_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest");
        let program = folder.path().join("program");
        std::fs::write(&program, "version 1").unwrap();
        write(&path, &Executable::at(&program).unwrap(), SECTIONS).unwrap();
        let again = Executable::at(&program).unwrap();
        // Known by its stat alone: no byte of it is read.
        assert!(again.wrote(Digest::of(b"version 1"), &encode_stat(again.stat)));
        assert!(read(&path, &Executable::at(&program).unwrap()).is_ok());
        // The same bytes elsewhere are the same program.
        let copy = folder.path().join("copy");
        std::fs::copy(&program, &copy).unwrap();
        assert!(read(&path, &Executable::at(&copy).unwrap()).is_ok());
        std::fs::write(&program, "version 2").unwrap();
        assert_eq!(read(&path, &Executable::at(&program).unwrap()).unwrap_err(), Unusable::OtherExecutable);
        assert_eq!(read(&path, &executable()).unwrap_err(), Unusable::OtherExecutable);
        assert!(Executable::current().unwrap().digest().is_ok());
    }
}
