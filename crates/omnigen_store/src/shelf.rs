//! What was made of contracts, for other checkouts and branches: a folder that projects share.
//!
//! ```text
//! <folder>/texts/ab/cdef...   texts of outputs, each named by the BLAKE3 of its bytes
//! <folder>/notes/ab/cdef...   what a run knew, named by a key: 16 bytes of BLAKE3(key, note), then the note
//! <folder>/size               how many bytes there were when that was last counted, and below it what was added since
//! ```
//!
//! What is not what its name says is removed when it is read, and counts as missing. Nothing is synced: what a loss of power damages
//! is computed again. Anybody may add and remove files at any time; who finds one gone computes.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use omnigen_disk::files::replace;
use omnigen_disk::{Entry, EntryKind};
use omnigen_ir::Digest;

/// Bytes of a note's check.
const CHECK: usize = 16;
/// The two kinds of files.
const KINDS: [&str; 2] = ["texts", "notes"];
/// How much there is, as far as that is known.
const SIZE: &str = "size";
/// So long a list of what was added is not kept: all is counted again.
const LONG: usize = 1 << 12;
/// So exactly is it known when a file was used.
const HOUR: Duration = Duration::from_secs(3600);

/// The folder.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// Texts and notes.
    pub files: usize,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// One file: when it was used, its name and its size.
type Kept = (SystemTime, String, u64);

impl Shelf {
    /// The store in a folder, which is made with the first file.
    pub fn new(folder: &Path) -> Shelf {
        Shelf { folder: folder.to_owned() }
    }

    fn path(&self, kind: &str, name: &Digest) -> PathBuf {
        let hex = name.hex();
        let (first, rest) = hex.split_at(2);
        self.folder.join(kind).join(first).join(rest)
    }

    /// The bytes of a file if they are right, with a sign of life: what is used last is removed last.
    fn read(path: &Path, right: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
        let bytes = std::fs::read(path).ok()?;
        if !right(&bytes) {
            tracing::warn!(file = %path.display(), "a damaged file of the shared store is removed");
            let _gone = std::fs::remove_file(path);
            return None;
        }
        if !recent(path) {
            // Fails where the folder is only to be read from.
            let _used = std::fs::File::options().append(true).open(path).and_then(|file| file.set_modified(now()));
        }
        Some(bytes)
    }

    /// The text of a digest, if it is here and whole.
    pub fn text(&self, digest: &Digest) -> Option<String> {
        let bytes = Shelf::read(&self.path("texts", digest), |bytes| Digest::of(bytes) == *digest)?;
        String::from_utf8(bytes).ok()
    }

    /// Keeps a text.
    ///
    /// # Errors
    /// The system's.
    pub fn put_text(&self, text: &str) -> io::Result<()> {
        replace(&self.path("texts", &Digest::of(text.as_bytes())), &[text.as_bytes()], false)
    }

    /// The note of a key, if it is here and whole.
    pub fn note(&self, key: &Digest) -> Option<Vec<u8>> {
        let mut bytes = Shelf::read(&self.path("notes", key), |bytes| whole(key, bytes))?;
        bytes.drain(..CHECK);
        Some(bytes)
    }

    /// Keeps a note, instead of another one of this key.
    ///
    /// # Errors
    /// The system's.
    pub fn put_note(&self, key: &Digest, note: &[u8]) -> io::Result<()> {
        replace(&self.path("notes", key), &[&sum(key, note), note], false)
    }

    /// How much there is.
    pub fn stock(&self) -> Stock {
        let kept = self.kept();
        Stock { files: kept.len(), bytes: kept.iter().map(|file| file.2).sum() }
    }

    /// Names of files that are not what these say.
    pub fn damage(&self) -> Vec<String> {
        let sound = |path: &str| {
            let bytes = std::fs::read(self.folder.join(path)).unwrap_or_default();
            named(path).is_some_and(|(kind, name)| match kind {
                "texts" => Digest::of(&bytes) == name,
                _ => whole(&name, &bytes),
            })
        };
        self.kept().into_iter().map(|file| file.1).filter(|path| !sound(path)).collect()
    }

    /// Removes what was not used for longest, until no more than so many bytes are left; returns the bytes removed.
    pub fn trim(&self, most: u64) -> u64 {
        let mut kept = self.kept();
        kept.sort();
        let before: u64 = kept.iter().map(|file| file.2).sum();
        let mut left = before;
        for (_, path, size) in kept {
            if left <= most {
                break;
            }
            if std::fs::remove_file(self.folder.join(path)).is_ok() {
                left -= size;
            }
        }
        before - left
    }

    /// Keeps it below so many bytes, with some room, after so many were added. What there is is counted only if the sum of what is
    /// known says that it is too much, since that reads all names.
    ///
    /// # Errors
    /// The system's.
    pub fn tidy(&self, added: u64, most: u64) -> io::Result<()> {
        let path = self.folder.join(SIZE);
        let known = std::fs::read_to_string(&path).ok().and_then(|text| sum_of(&text));
        if known.is_some_and(|known| known.saturating_add(added) <= most) {
            let mut file = std::fs::File::options().append(true).open(&path)?;
            return io::Write::write_all(&mut file, format!("{added}\n").as_bytes());
        }
        let before = self.stock().bytes;
        let removed = if before > most { self.trim(most / 5 * 4) } else { 0 };
        replace(&path, &[format!("{}\n", before - removed).as_bytes()], false)
    }

    /// All files that are called as ours are; whatever else lies in the folder is not touched.
    fn kept(&self) -> Vec<Kept> {
        let mut kept = Vec::new();
        for kind in KINDS {
            let listing = omnigen_disk::listing(&self.folder.join(kind)).unwrap_or_default();
            let files = listing.into_iter().filter(|entry: &Entry| entry.kind == EntryKind::File);
            kept.extend(files.filter_map(|entry| {
                let path = format!("{kind}/{}", entry.path);
                named(&path)?;
                let stat = std::fs::metadata(self.folder.join(&path)).ok()?;
                Some((stat.modified().ok()?, path, stat.len()))
            }));
        }
        kept
    }
}

/// Kind and name of a file.
fn named(path: &str) -> Option<(&str, Digest)> {
    let (kind, rest) = path.split_once('/')?;
    let (first, rest) = rest.split_once('/').filter(|(first, _)| first.len() == 2)?;
    Some((kind, Digest::from_hex(&format!("{first}{rest}"))?))
}

/// The size that a list tells of, if it is whole and no long one.
fn sum_of(text: &str) -> Option<u64> {
    let lines = text.strip_suffix('\n').filter(|_| text.len() < LONG)?;
    lines.split('\n').try_fold(0, |sum: u64, line| sum.checked_add(line.parse().ok()?))
}

/// Was it written within the hour?
fn recent(path: &Path) -> bool {
    let written = std::fs::metadata(path).and_then(|stat| stat.modified());
    written.is_ok_and(|written| now().duration_since(written).is_ok_and(|age| age < HOUR))
}

/// Only to tell what was used when.
#[expect(clippy::disallowed_methods, reason = "not part of anything that is computed")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn whole(key: &Digest, bytes: &[u8]) -> bool {
    bytes.split_at_checked(CHECK).is_some_and(|(found, note)| found == sum(key, note))
}

fn sum(key: &Digest, note: &[u8]) -> [u8; CHECK] {
    let mut bytes = key.as_bytes().to_vec();
    bytes.extend_from_slice(note);
    let mut sum = [0; CHECK];
    sum.copy_from_slice(&Digest::of(&bytes).as_bytes()[..CHECK]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_name_says_or_missing() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(&folder.path().join("shelf"));
        let (one, two, text) = (Digest::of(b"1"), Digest::of(b"2"), Digest::of(b"text"));
        assert_eq!((shelf.note(&one), shelf.text(&text)), (None, None));
        shelf.put_note(&one, b"first").unwrap();
        shelf.put_note(&two, b"").unwrap();
        shelf.put_text("text").unwrap();
        assert_eq!((shelf.note(&one).as_deref(), shelf.note(&two).as_deref()), (Some(&b"first"[..]), Some(&b""[..])));
        assert_eq!(shelf.text(&text).as_deref(), Some("text"));
        assert_eq!(shelf.stock(), Stock { files: 3, bytes: 16 + 5 + 16 + 4 });
        // Under another name it is something else.
        std::fs::copy(shelf.path("notes", &one), shelf.path("notes", &two)).unwrap();
        std::fs::write(shelf.path("texts", &text), "exec").unwrap();
        assert_eq!(shelf.damage().len(), 2);
        assert_eq!((shelf.note(&two), shelf.text(&text)), (None, None));
        assert!(shelf.damage().is_empty());
        assert!(shelf.note(&one).is_some());
    }

    #[test]
    fn what_was_used_last_stays_longest() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path());
        for text in ["aaaa", "bbbb", "cccc"] {
            shelf.put_text(text).unwrap();
            let path = shelf.path("texts", &Digest::of(text.as_bytes()));
            let age = HOUR * if text == "bbbb" { 9 } else { 5 };
            std::fs::File::options().append(true).open(path).unwrap().set_modified(now() - age).unwrap();
        }
        std::fs::write(folder.path().join("texts/mine"), "not ours").unwrap();
        assert!(shelf.text(&Digest::of(b"aaaa")).is_some());
        assert_eq!(shelf.trim(12), 0);
        assert_eq!(shelf.trim(9), 4);
        assert_eq!(shelf.text(&Digest::of(b"bbbb")), None);
        shelf.tidy(4, 5).unwrap();
        assert!(shelf.text(&Digest::of(b"aaaa")).is_some() && shelf.text(&Digest::of(b"cccc")).is_none());
        // Counted once; from then on what is added is added up.
        shelf.put_text("dddd").unwrap();
        shelf.tidy(4, 9).unwrap();
        assert_eq!(shelf.stock().files, 2);
        shelf.put_text("eeee").unwrap();
        shelf.tidy(4, 9).unwrap();
        assert_eq!(shelf.stock().files, 1);
        std::fs::write(folder.path().join(SIZE), "much").unwrap();
        shelf.tidy(0, 3).unwrap();
        assert_eq!(shelf.stock().files, 0);
        assert!(folder.path().join("texts/mine").exists());
    }
}
