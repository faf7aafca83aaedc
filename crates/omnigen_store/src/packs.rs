//! Texts that are dear to make and cheap to keep: many in one file, which is written once and read piece by piece.
//!
//! ```text
//!  8  "omnpack1"
//! 32  who wrote it: what another one kept is of no use
//!  8  length of the index, little-endian
//! 32  BLAKE3 of the index
//!     the index: for each text its key (32), the lengths of its note and of the text (4 each), and the note
//!     the texts, one after the other
//! ```
//!
//! A pack is named by the BLAKE3 of its owner and index. What is no pack of this owner is removed when it is found. Texts have no check of
//! their own: who takes one knows its digest. Nothing is synced: what a loss of power damages is made again.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use omnigen_disk::EntryKind;
use omnigen_disk::files::replace;
use omnigen_ir::Digest;

const MAGIC: &[u8; 8] = b"omnpack1";
/// Bytes before the index.
const HEAD: usize = 8 + 32 + 8 + 32;
/// Room behind a text, for a heading that it is given.
const HEADING: usize = 512;
/// No index is larger.
const LARGEST: u64 = 1 << 30;

/// A folder of packs.
#[derive(Debug)]
pub struct Packs {
    folder: PathBuf,
    owner: Digest,
    /// The pack that was read last, open.
    open: RefCell<Option<(String, File)>>,
}

/// A pack, without its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Its file's name.
    pub name: String,
    /// What is in it.
    pub entries: Vec<Entry>,
}

/// A text in a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is kept under; several texts may have the same.
    pub key: Digest,
    /// What is known of it.
    pub note: Vec<u8>,
    /// Where it begins.
    at: u64,
    /// Its length.
    length: usize,
}

impl Packs {
    /// The packs in a folder, which is made with the first one.
    pub fn new(folder: &Path, owner: Digest) -> Packs {
        Packs { folder: folder.to_owned(), owner, open: RefCell::default() }
    }

    /// All packs, in the order of their names.
    pub fn read(&self) -> Vec<Pack> {
        let listing = omnigen_disk::listing(&self.folder).unwrap_or_default();
        let files = listing.into_iter().filter(|entry| entry.kind == EntryKind::File);
        let mut packs: Vec<Pack> = files
            .filter_map(|file| {
                let pack = self.index(&file.path);
                if pack.is_none() {
                    self.remove(&file.path);
                }
                pack
            })
            .collect();
        packs.sort_by(|a, b| a.name.cmp(&b.name));
        packs
    }

    fn index(&self, name: &str) -> Option<Pack> {
        let mut file = File::open(self.folder.join(name)).ok()?;
        let mut head = [0; HEAD];
        file.read_exact(&mut head).ok()?;
        let length = u64::from_le_bytes(head[40..48].try_into().ok()?);
        if head[..8] != *MAGIC || head[8..40] != *self.owner.as_bytes() || length > LARGEST {
            return None;
        }
        let mut index = vec![0; usize::try_from(length).ok()?];
        file.read_exact(&mut index).ok()?;
        if head[48..] != *Digest::of(&index).as_bytes() || self.name(&index) != name {
            return None;
        }
        let (mut rest, mut at) = (index.as_slice(), HEAD as u64 + length);
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let (key, others) = rest.split_first_chunk::<32>()?;
            let (note, others) = others.split_first_chunk::<4>()?;
            let (length, others) = others.split_first_chunk::<4>()?;
            let (note, others) = others.split_at_checked(u32::from_le_bytes(*note) as usize)?;
            let length = u32::from_le_bytes(*length) as usize;
            entries.push(Entry { key: Digest::from_bytes(*key), note: note.to_vec(), at, length });
            at += length as u64;
            rest = others;
        }
        Some(Pack { name: name.to_owned(), entries })
    }

    fn name(&self, index: &[u8]) -> String {
        Digest::of(&[&self.owner.as_bytes()[..], index].concat()).hex()
    }

    /// A text, as it is there.
    pub fn text(&self, pack: &str, entry: &Entry) -> Option<String> {
        let mut open = self.open.borrow_mut();
        if open.as_ref().is_none_or(|(name, _)| name != pack) {
            *open = Some((pack.to_owned(), File::open(self.folder.join(pack)).ok()?));
        }
        let (_, file) = open.as_mut()?;
        file.seek(SeekFrom::Start(entry.at)).ok()?;
        let mut text = Vec::with_capacity(entry.length + HEADING);
        file.take(entry.length as u64).read_to_end(&mut text).ok()?;
        String::from_utf8(text).ok().filter(|text| text.len() == entry.length)
    }

    /// Keeps texts: key, note, text. Gives the name of the pack.
    ///
    /// # Errors
    /// The system's; texts of more than four gigabytes.
    pub fn put(&self, texts: &[(Digest, Vec<u8>, String)]) -> io::Result<String> {
        let mut index = Vec::new();
        for (key, note, text) in texts {
            index.extend_from_slice(key.as_bytes());
            for length in [note.len(), text.len()] {
                index.extend_from_slice(&u32::try_from(length).map_err(io::Error::other)?.to_le_bytes());
            }
            index.extend_from_slice(note);
        }
        let length = (index.len() as u64).to_le_bytes();
        let digest = Digest::of(&index);
        let mut parts: Vec<&[u8]> = vec![MAGIC, self.owner.as_bytes(), &length, digest.as_bytes(), &index];
        parts.extend(texts.iter().map(|(_, _, text)| text.as_bytes()));
        let name = self.name(&index);
        replace(&self.folder.join(&name), &parts, false)?;
        Ok(name)
    }

    /// Removes a pack. One that is gone, or cannot be removed, is no matter.
    pub fn remove(&self, pack: &str) {
        let _gone = std::fs::remove_file(self.folder.join(pack));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(count: u8) -> Vec<(Digest, Vec<u8>, String)> {
        (0..count).map(|i| (Digest::of(&[i]), vec![i; i.into()], "é".repeat(i.into()))).collect()
    }

    #[test]
    fn texts_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let packs = Packs::new(&folder.path().join("packs"), Digest::of(b"me"));
        assert_eq!(packs.read(), []);
        packs.put(&texts(5)).unwrap();
        packs.put(&texts(2)).unwrap();
        packs.put(&texts(2)).unwrap();
        let found = packs.read();
        assert_eq!(found.iter().map(|pack| pack.entries.len()).sum::<usize>(), 7);
        for pack in &found {
            for (entry, (key, note, text)) in pack.entries.iter().zip(texts(5)) {
                assert_eq!((entry.key, &entry.note), (key, &note));
                assert_eq!(packs.text(&pack.name, entry), Some(text));
            }
        }
        packs.remove(&found[0].name);
        assert_eq!(packs.read(), found[1..]);
    }

    #[test]
    fn what_is_damaged_or_of_somebody_else_goes() {
        let folder = tempfile::tempdir().unwrap();
        let packs = Packs::new(folder.path(), Digest::of(b"me"));
        packs.put(&texts(3)).unwrap();
        let name = packs.read()[0].name.clone();
        let whole = std::fs::read(folder.path().join(&name)).unwrap();
        let index = HEAD + 3 * 40 + 3;
        for at in 0..index {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(folder.path().join(&name), bytes).unwrap();
            assert_eq!(packs.read(), [], "{at}");
            assert!(!folder.path().join(&name).exists());
        }
        for length in [0, 7, HEAD, index - 1] {
            std::fs::write(folder.path().join(&name), &whole[..length]).unwrap();
            assert_eq!(packs.read(), [], "{length}");
        }
        // The texts are cut off: their places lead nowhere.
        std::fs::write(folder.path().join(&name), &whole[..index]).unwrap();
        let pack = packs.read().remove(0);
        assert_eq!(packs.text(&pack.name, &pack.entries[2]), None);
        let other = Packs::new(folder.path(), Digest::of(b"you"));
        assert_eq!(other.read(), []);
        assert_eq!(packs.read(), []);
    }
}
