//! What is about to be written: so that a file that a killed process left half-written is not taken for an edit.
//!
//! One text file, `journal`, with a line per file: the BLAKE3 of the bytes that it is to have, a blank, and its path. It
//! is there while a batch is written, and gone after.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use crate::files::replace;

/// A batch under way.
#[derive(Debug)]
#[must_use = "a journal that is not finished says that the batch was cut off"]
pub struct Journal {
    path: PathBuf,
    /// What an earlier run has left open, and this batch does not write.
    left: BTreeMap<String, [u8; 32]>,
}

impl Journal {
    /// Records what is about to be written, in the folder of our own state (made if missing). What an earlier run has left
    /// open stays recorded.
    ///
    /// # Errors
    /// If the journal cannot be written: then nothing should be.
    pub fn begin(state: &Path, entries: &[(String, [u8; 32])]) -> io::Result<Journal> {
        let path = state.join("journal");
        let mut all: BTreeMap<String, [u8; 32]> = read_journal(state).into_iter().collect();
        let mut left = all.clone();
        for (path, digest) in entries {
            left.remove(path);
            all.insert(path.clone(), *digest);
        }
        replace(&path, &[render(&all).as_bytes()], false)?;
        Ok(Journal { path, left })
    }

    /// The batch is done.
    ///
    /// # Errors
    /// If the journal cannot be removed; the next run will then look at these files more closely, no more.
    pub fn finish(self) -> io::Result<()> {
        if self.left.is_empty() {
            std::fs::remove_file(&self.path)
        } else {
            replace(&self.path, &[render(&self.left).as_bytes()], false)
        }
    }
}

/// What a run that was cut off meant to write: paths and digests of whole files. Empty if none was.
///
/// A file of that path without exactly those bytes is neither an edit nor foreign. Lines that cannot be read are left out.
pub fn read_journal(state: &Path) -> Vec<(String, [u8; 32])> {
    let Ok(text) = std::fs::read_to_string(state.join("journal")) else { return Vec::new() };
    text.lines()
        .filter_map(|line| {
            let (digest, path) = line.split_once(' ')?;
            Some((path.to_owned(), *blake3::Hash::from_hex(digest).ok()?.as_bytes()))
        })
        .collect()
}

fn render(entries: &BTreeMap<String, [u8; 32]>) -> String {
    let mut text = String::with_capacity(entries.len() * 110);
    for (path, digest) in entries {
        // Paths with a line end are not safe, so none is written.
        let _ = writeln!(text, "{} {path}", blake3::Hash::from_bytes(*digest).to_hex());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_on_record_until_it_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join(".omnigen");
        assert!(read_journal(&state).is_empty());
        let first = [("a b/x.py".to_owned(), [1; 32]), ("y.py".to_owned(), [2; 32])];
        let journal = Journal::begin(&state, &first).unwrap();
        assert_eq!(read_journal(&state), first);
        // Killed here; the next run writes only one of them.
        drop(journal);
        let second = Journal::begin(&state, &[("y.py".to_owned(), [3; 32]), ("z.py".to_owned(), [4; 32])]).unwrap();
        assert_eq!(read_journal(&state).len(), 3);
        assert_eq!(read_journal(&state)[1], ("y.py".to_owned(), [3; 32]));
        second.finish().unwrap();
        assert_eq!(read_journal(&state), first[..1]);
        Journal::begin(&state, &first[..1]).unwrap().finish().unwrap();
        assert!(!state.join("journal").exists());
    }

    #[test]
    fn damage_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let good = format!("{} x.py", blake3::hash(b"").to_hex());
        std::fs::write(folder.path().join("journal"), format!("{good}\nnonsense\n12 y.py\n\n")).unwrap();
        assert_eq!(read_journal(folder.path()).len(), 1);
    }
}
