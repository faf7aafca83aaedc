//! The manifest's container: named sections of bytes, each read of which gives them as they were written or none.
//!
//! A small head says which body it has, and how much of that: sections, and patches of them that were added since. So a small change
//! writes little; when patches have become much, sections are written anew, in another body. What a head does not
//! mention is not there: a run that is cut off leaves the old head, whose body is as it was.
//!
//! All integers are little-endian.
//!
//! ```text
//! the head, `manifest`:
//! 8   magic
//! 4   format version
//! 32  checksum: BLAKE3 of everything else in this file, in order
//! 32  digest of the executable that wrote it
//! 32  that executable's stat (size, mtime, ctime, inode; 8 bytes each)
//! 16  name of the body
//! 8   bytes of it that are sections, 8 bytes of it that count
//! 32  chain: BLAKE3 of the sections, then, for each patch, BLAKE3 of the chain so far and the patch
//!
//! a body, `ledgers/<name>`:
//! 4   number of sections, then for each: 4 + n name, 8 length
//! ... the sections' bytes, in this order
//! then for each patch: 8 length, and what patch.rs says
//! ```
//!
//! A section is bytes to this module.

mod patch;

use std::fmt;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use omnigen_disk::Stat;
use omnigen_disk::files::{append_at, replace};
use omnigen_ir::Digest;

pub use patch::Edit;
use patch::{Bytes, Reader, decode, difference, encode};

const MAGIC: &[u8; 8] = b"omnigen\x01";
/// Of the container. What sections hold is versioned by the executable's digest: an upgrade is a cold build.
const FORMAT: u32 = 2;
/// The folder of bodies, beside the head.
const BODIES: &str = "ledgers";
const CHECKSUM: Range<usize> = 12..44;
const EXECUTABLE: Range<usize> = 44..76;
const STAT: Range<usize> = 76..108;
const BODY: Range<usize> = 108..172;

/// Patches may be this part of the sections, or so many bytes, before these are written anew.
const PATCHES: u64 = 4;
const FEW: u64 = 1 << 14;
/// So often a head is read again because its body went meanwhile.
const TURNS: usize = 20;

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
    /// The sections' file as it was read; empty if they were written by this process.
    all: Vec<u8>,
    sections: Vec<(String, Bytes)>,
    body: Body,
}

/// Which body a head has, and how much of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Body {
    name: [u8; 16],
    /// Bytes of sections.
    base: u64,
    /// Bytes of all.
    length: u64,
    chain: [u8; 32],
}

/// What becomes of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// It stays as it is.
    Same,
    /// Parts of it are replaced; these are in order and do not overlap.
    Edited(Vec<Edit>),
    /// These are its bytes; what of them is new is found out.
    Whole(Vec<u8>),
}

impl Manifest {
    /// A section's bytes, if there is one of this name.
    pub fn section(&self, name: &str) -> Option<&[u8]> {
        let (_, bytes) = self.sections.iter().find(|(own, _)| own == name)?;
        Some(bytes.of(&self.all))
    }

    /// The sections' names, in the order written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().map(|(name, _)| name.as_str())
    }

    /// The sections with their names, in the order written.
    pub fn sections(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.sections.iter().map(|(name, bytes)| (name.as_str(), bytes.of(&self.all)))
    }

    /// Applies a patch; `None`, with a part of it applied, if it does not fit.
    fn apply(&mut self, patch: &[(String, Vec<Edit>)]) -> Option<()> {
        let mut sections = self.sections.iter_mut();
        patch.iter().try_for_each(|(name, edits)| {
            // They come in the order of the sections.
            let (_, bytes) = sections.find(|(own, _)| own == name)?;
            bytes.edit(&mut self.all, edits)
        })
    }

    /// The sections, as a body has them.
    fn encode(&self) -> io::Result<Vec<u8>> {
        let sections: Vec<(&str, &[u8])> = self.sections().collect();
        let size: usize = sections.iter().map(|(name, bytes)| 12 + name.len() + bytes.len()).sum();
        let mut all = Vec::with_capacity(4 + size);
        all.extend_from_slice(&short(sections.len())?);
        for (name, bytes) in &sections {
            all.extend_from_slice(&short(name.len())?);
            all.extend_from_slice(name.as_bytes());
            all.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        }
        sections.iter().for_each(|(_, bytes)| all.extend_from_slice(bytes));
        Ok(all)
    }
}

fn short(number: usize) -> io::Result<[u8; 4]> {
    Ok(u32::try_from(number).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?.to_le_bytes())
}

impl Body {
    fn path(&self, head: &Path) -> PathBuf {
        let name: String = self.name.iter().map(|byte| format!("{byte:02x}")).collect();
        head.with_file_name(BODIES).join(name)
    }

    fn encode(&self) -> Vec<u8> {
        [&self.name[..], &self.base.to_le_bytes(), &self.length.to_le_bytes(), &self.chain].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Body> {
        let mut reader = Reader(bytes);
        Some(Body {
            name: reader.take(16)?.try_into().ok()?,
            base: u64::from_le_bytes(reader.take(8)?.try_into().ok()?),
            length: u64::from_le_bytes(reader.take(8)?.try_into().ok()?),
            chain: reader.take(32)?.try_into().ok()?,
        })
    }
}

/// The chain, a patch further.
fn link(chain: &[u8; 32], patch: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new().update(chain).update(patch).finalize().as_bytes()
}

/// Reads the manifest that this executable wrote.
///
/// # Errors
/// Why it cannot be used; never a reason to stop.
pub fn read(path: &Path, executable: &Executable) -> Result<Manifest, Unusable> {
    let mut known = read_head(path)?;
    for _ in 0..TURNS {
        let body = checked(&known, executable)?;
        if let Some(manifest) = read_body(path, body) {
            return Ok(manifest);
        }
        // Whoever writes sections anew removes the body that they were in.
        let now = read_head(path)?;
        if now == known {
            break;
        }
        known = now;
    }
    Err(Unusable::Damaged)
}

fn read_head(path: &Path) -> Result<Vec<u8>, Unusable> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Unusable::Missing),
        Err(error) => Err(Unusable::Unreadable(error.to_string())),
    }
}

fn checked(head: &[u8], executable: &Executable) -> Result<Body, Unusable> {
    if !head.starts_with(MAGIC) {
        // The start of the magic, or nothing: a manifest that was cut off.
        return Err(if MAGIC.starts_with(head) { Unusable::Damaged } else { Unusable::NotOurs });
    }
    let format = head.get(8..12).and_then(|part| part.try_into().ok()).map(u32::from_le_bytes);
    match format {
        Some(FORMAT) => {}
        Some(found) => return Err(Unusable::Format { found }),
        None => return Err(Unusable::Damaged),
    }
    if head.len() != BODY.end || *checksum(head).as_bytes() != head[CHECKSUM] {
        return Err(Unusable::Damaged);
    }
    let digest: [u8; 32] = head.get(EXECUTABLE).and_then(|part| part.try_into().ok()).ok_or(Unusable::Damaged)?;
    if !executable.wrote(Digest::from_bytes(digest), head.get(STAT).ok_or(Unusable::Damaged)?) {
        return Err(Unusable::OtherExecutable);
    }
    head.get(BODY).and_then(Body::decode).ok_or(Unusable::Damaged)
}

fn checksum(head: &[u8]) -> blake3::Hash {
    blake3::Hasher::new().update(&head[..CHECKSUM.start]).update(&head[CHECKSUM.end..]).finalize()
}

/// A body as its head has it; `None` if it is not so.
fn read_body(head: &Path, body: Body) -> Option<Manifest> {
    let mut all = std::fs::read(body.path(head)).ok()?;
    let (base, length) = (usize::try_from(body.base).ok()?, usize::try_from(body.length).ok()?);
    // What was being added when a run was cut off does not count.
    let patches = all.get(base..length)?.to_vec();
    all.truncate(base);
    let mut chain = *blake3::hash(&all).as_bytes();
    let sections = table(&all)?;
    let mut manifest = Manifest { all, sections, body };
    let mut reader = Reader(&patches);
    while !reader.0.is_empty() {
        let length = reader.long()?;
        let patch = reader.take(length)?;
        chain = link(&chain, patch);
        manifest.apply(&decode(patch)?)?;
    }
    (chain == body.chain).then_some(manifest)
}

fn table(bytes: &[u8]) -> Option<Vec<(String, Bytes)>> {
    let mut reader = Reader(bytes);
    let count = reader.short()?;
    let mut lengths = Vec::new();
    for _ in 0..count {
        let length = reader.short()?;
        let name = String::from_utf8(reader.take(length)?.to_vec()).ok()?;
        lengths.push((name, reader.long()?));
    }
    let mut at = bytes.len() - reader.0.len();
    let mut sections = Vec::new();
    for (name, length) in lengths {
        let end = at.checked_add(length)?;
        sections.push((name, Bytes::Read(at..end)));
        at = end;
    }
    (at == bytes.len()).then_some(sections)
}

/// Writes a manifest whole or not at all, and gives it back. `known` is what was read or written last, if that is still what is
/// there. Names are different from each other.
///
/// # Errors
/// The system's; the old manifest is untouched then. Or something is to stay as it is that is not there.
pub fn write(
    path: &Path,
    executable: &Executable,
    known: Option<Manifest>,
    sections: Vec<(String, Update)>,
) -> io::Result<Manifest> {
    let same = |known: &Manifest| known.names().eq(sections.iter().map(|(name, _)| name.as_str()));
    let manifest = match known {
        Some(mut known) if same(&known) => {
            let mut patch: Vec<(String, Vec<Edit>)> = Vec::new();
            for ((name, update), (_, old)) in sections.into_iter().zip(&known.sections) {
                let edits = match update {
                    Update::Same => continue,
                    Update::Edited(edits) => edits,
                    Update::Whole(new) => difference(old.of(&known.all), &new),
                };
                if !edits.is_empty() {
                    patch.push((name, edits));
                }
            }
            let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
            known.apply(&patch).ok_or_else(invalid)?;
            let parts: Vec<(&str, &[Edit])> = patch.iter().map(|(name, edits)| (name.as_str(), &edits[..])).collect();
            add(path, &mut known, &encode(&parts).ok_or_else(invalid)?)?;
            known
        }
        known => {
            let taken = |(name, update): (String, Update)| {
                let old = known.as_ref().and_then(|known| known.section(&name)).map(<[u8]>::to_vec);
                let own = match (update, old) {
                    (Update::Whole(new), _) => Bytes::Own(new),
                    (Update::Same, Some(old)) => Bytes::Own(old),
                    (Update::Edited(edits), Some(old)) => {
                        let mut own = Bytes::Own(old);
                        own.edit(&mut [], &edits)?;
                        own
                    }
                    (Update::Same | Update::Edited(_), None) => return None,
                };
                Some((name, own))
            };
            let sections: Option<Vec<(String, Bytes)>> = sections.into_iter().map(taken).collect();
            let sections = sections.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
            let body = known.as_ref().map(|known| known.body).unwrap_or_default();
            let mut manifest = Manifest { all: Vec::new(), sections, body };
            anew(path, &mut manifest)?;
            manifest
        }
    };
    let mut head = Vec::with_capacity(BODY.end);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&FORMAT.to_le_bytes());
    head.extend_from_slice(&[0; 32]);
    head.extend_from_slice(executable.digest()?.as_bytes());
    head.extend_from_slice(&encode_stat(executable.stat));
    head.extend_from_slice(&manifest.body.encode());
    let checksum = checksum(&head);
    head[CHECKSUM].copy_from_slice(checksum.as_bytes());
    replace(path, &[&head], false)?;
    if manifest.body.length == manifest.body.base {
        sweep(path, &manifest.body);
    }
    Ok(manifest)
}

/// Adds a patch to the body, or writes another body where patches have become much.
fn add(path: &Path, manifest: &mut Manifest, patch: &[u8]) -> io::Result<()> {
    let body = &mut manifest.body;
    let length = body.length + 8 + patch.len() as u64;
    let few = length - body.base <= FEW.max(body.base / PATCHES);
    let record = [&(patch.len() as u64).to_le_bytes(), patch].concat();
    if few && append_at(&body.path(path), body.length, &record)? {
        (body.length, body.chain) = (length, link(&body.chain, patch));
        return Ok(());
    }
    anew(path, manifest)
}

/// Writes the sections to a body of their own.
fn anew(path: &Path, manifest: &mut Manifest) -> io::Result<()> {
    let sections = manifest.encode()?;
    let chain = *blake3::hash(&sections).as_bytes();
    // Another name than before, even if these sections were there before: the old head needs its body until there is a new one.
    let before = manifest.body;
    let mut name = [0; 16];
    name.copy_from_slice(&link(&link(&before.chain, &before.length.to_le_bytes()), &chain)[..16]);
    let length = sections.len() as u64;
    manifest.body = Body { name, base: length, length, chain };
    replace(&manifest.body.path(path), &[&sections], false)
}

/// Removes bodies that no head has any more. One that cannot be removed is tried again by the next.
fn sweep(path: &Path, body: &Body) {
    let keep = body.path(path);
    let Some(entries) = keep.parent().and_then(|folder| std::fs::read_dir(folder).ok()) else { return };
    for entry in entries.flatten().filter(|entry| entry.path() != keep) {
        let _ = std::fs::remove_file(entry.path());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executable() -> Executable {
        Executable::fixed(Digest::of(b"program"))
    }

    const SECTIONS: &[(&str, &[u8])] = &[("contracts", b"one two three"), ("empty", b""), ("artifacts/1", b"\0\xff")];

    fn whole(sections: &[(&str, &[u8])]) -> Vec<(String, Update)> {
        sections.iter().map(|(name, bytes)| ((*name).to_owned(), Update::Whole(bytes.to_vec()))).collect()
    }

    fn edited(range: Range<usize>, bytes: &[u8]) -> Update {
        Update::Edited(vec![Edit { range, bytes: bytes.to_vec() }])
    }

    /// The sections of a manifest.
    fn all(manifest: &Manifest) -> Vec<(String, Vec<u8>)> {
        manifest.sections().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect()
    }

    fn bodies(path: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path.with_file_name(BODIES)).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".omnigen/manifest");
        assert_eq!(read(&path, &executable()).unwrap_err(), Unusable::Missing);
        write(&path, &executable(), None, whole(SECTIONS)).unwrap();
        let first = read(&path, &executable()).unwrap();
        assert_eq!(first.names().collect::<Vec<_>>(), ["contracts", "empty", "artifacts/1"]);
        for (name, bytes) in SECTIONS {
            assert_eq!(first.section(name), Some(*bytes));
        }
        assert_eq!(first.section("none"), None);
        // Other sections: a part from the old, a part new.
        let parts = vec![
            ("contracts".to_owned(), edited(0..3, b"1")),
            ("artifacts/1".to_owned(), Update::Same),
            ("more".to_owned(), Update::Whole(b"full".to_vec())),
        ];
        let written = write(&path, &executable(), Some(first), parts).unwrap();
        let second = read(&path, &executable()).unwrap();
        assert_eq!(all(&second), all(&written));
        let text = |name| second.section(name).unwrap();
        assert_eq!(
            (text("contracts"), text("artifacts/1"), text("more")),
            (&b"1 two three"[..], &b"\0\xff"[..], &b"full"[..])
        );
        assert_eq!(bodies(&path).len(), 1, "the old one is gone");
        let lacking = vec![("contracts".to_owned(), Update::Same)];
        assert!(write(&path, &executable(), None, lacking).is_err());
    }

    #[test]
    fn a_small_change_writes_little_until_there_are_many() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest");
        let ledger: Vec<u8> = (0..50_000_u32).flat_map(|number| number.to_le_bytes()).collect();
        let sections = whole(&[("head", b"0"), ("ledger", &ledger), ("tail", b"")]);
        let mut manifest = write(&path, &executable(), None, sections).unwrap();
        let size = |path: &Path| std::fs::metadata(path).unwrap().len();
        let first = bodies(&path);
        let (mut ledger, mut before, mut anew) = (ledger, size(&first[0]), 0);
        for round in 0..600_usize {
            let at = round * 331;
            ledger[at..at + 4].copy_from_slice(b"edit");
            let sections = vec![
                ("head".to_owned(), Update::Whole(round.to_string().into_bytes())),
                (
                    "ledger".to_owned(),
                    if round % 2 == 0 { Update::Whole(ledger.clone()) } else { edited(at..at + 4, b"edit") },
                ),
                ("tail".to_owned(), Update::Same),
            ];
            manifest = write(&path, &executable(), Some(manifest), sections).unwrap();
            let body = bodies(&path);
            assert_eq!((body.len(), size(&path)), (1, BODY.end as u64));
            let now = size(&body[0]);
            if now < before {
                anew += 1;
            } else {
                assert!((1..300).contains(&(now - before)), "{}", now - before);
            }
            before = now;
            if round % 50 == 0 {
                // Somebody else goes on with what is on disk.
                manifest = read(&path, &executable()).unwrap();
            }
            assert_eq!(manifest.section("ledger"), Some(&ledger[..]));
        }
        assert!((1..4).contains(&anew), "{anew}");
        assert_eq!(all(&read(&path, &executable()).unwrap()), all(&manifest));
    }

    #[test]
    fn a_run_that_is_cut_off_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest");
        let first = write(&path, &executable(), None, whole(SECTIONS)).unwrap();
        let (head, sections) = (std::fs::read(&path).unwrap(), all(&first));
        let again = |text: &str| {
            vec![
                ("contracts".to_owned(), Update::Whole(text.as_bytes().to_vec())),
                ("empty".to_owned(), Update::Same),
                ("artifacts/1".to_owned(), Update::Same),
            ]
        };
        write(&path, &executable(), Some(first), again("one 2 three")).unwrap();
        // Before the head was replaced: what was added, all or a part of it, does not count.
        std::fs::write(&path, &head).unwrap();
        let body = bodies(&path).remove(0);
        let long = std::fs::read(&body).unwrap();
        std::fs::write(&body, &long[..long.len() - 3]).unwrap();
        let read_again = read(&path, &executable()).unwrap();
        assert_eq!(all(&read_again), sections);
        // And the next one writes over it.
        let next = write(&path, &executable(), Some(read_again), again("1 two three")).unwrap();
        assert_eq!(all(&read(&path, &executable()).unwrap()), all(&next));
        // Somebody has taken the body away: the next one is written whole.
        std::fs::remove_file(&body).unwrap();
        assert_eq!(read(&path, &executable()).unwrap_err(), Unusable::Damaged);
        let next = write(&path, &executable(), Some(next), again("1 2 3")).unwrap();
        assert_eq!(all(&read(&path, &executable()).unwrap()), all(&next));
    }

    #[test]
    fn every_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest");
        let manifest = write(&path, &executable(), None, whole(SECTIONS)).unwrap();
        let more = [("contracts", &b"one two five"[..]), ("empty", b"x"), ("artifacts/1", b"\0\xff")];
        write(&path, &executable(), Some(manifest), whole(&more)).unwrap();
        let body = bodies(&path).remove(0);
        for file in [&path, &body] {
            let sound = std::fs::read(file).unwrap();
            for length in 0..sound.len() {
                std::fs::write(file, &sound[..length]).unwrap();
                assert_eq!(read(&path, &executable()).unwrap_err(), Unusable::Damaged, "{length}");
            }
            for at in 0..sound.len() {
                for bit in 0..8 {
                    let mut flipped = sound.clone();
                    flipped[at] ^= 1 << bit;
                    std::fs::write(file, &flipped).unwrap();
                    let expected = match at {
                        0..8 if file == &path => matches!(read(&path, &executable()), Err(Unusable::NotOurs)),
                        8..12 if file == &path => matches!(read(&path, &executable()), Err(Unusable::Format { .. })),
                        _ => matches!(read(&path, &executable()), Err(Unusable::Damaged)),
                    };
                    assert!(expected, "{at} {bit}");
                }
            }
            std::fs::write(file, [&sound[..], b"x"].concat()).unwrap();
            // Behind what counts of a body there may be what a run left that was cut off.
            assert_eq!(read(&path, &executable()).is_ok(), file == &body);
            std::fs::write(file, &sound).unwrap();
        }
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
        write(&path, &Executable::at(&program).unwrap(), None, whole(SECTIONS)).unwrap();
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
