//! Content-addressed files: `ab/cdef...`, the name being the BLAKE3 of the content.
//!
//! A blob is on disk before its name is (written beside, synced, renamed), and is checked when read: a damaged one is
//! removed and counts as missing. Writing the same blob twice, or from two processes, is harmless.

use std::io;
use std::path::{Path, PathBuf};

use omnigen_disk::files::replace;
use omnigen_ir::Digest;

/// A folder of blobs.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    /// The store in a folder, which is made with the first blob.
    pub fn new(folder: &Path) -> Blobs {
        Blobs { folder: folder.to_owned() }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        let (first, rest) = hex.split_at(2);
        self.folder.join(first).join(rest)
    }

    /// Keeps a blob, so that it survives a loss of power.
    ///
    /// # Errors
    /// The system's.
    pub fn put(&self, bytes: &[u8]) -> io::Result<Digest> {
        let digest = Digest::of(bytes);
        let path = self.path(&digest);
        // A damaged blob of this name has nearly always another length; a reader finds the others.
        if std::fs::metadata(&path).map(|meta| meta.len()).ok() != Some(bytes.len() as u64) {
            replace(&path, &[bytes], true)?;
        }
        Ok(digest)
    }

    /// A blob; `None` if it is not here, or was damaged.
    ///
    /// # Errors
    /// The system's, if it is here and cannot be read.
    pub fn get(&self, digest: &Digest) -> io::Result<Option<Vec<u8>>> {
        let path = self.path(digest);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if Digest::of(&bytes) == *digest {
            return Ok(Some(bytes));
        }
        tracing::warn!(blob = %digest.hex(), "a damaged blob was removed");
        std::fs::remove_file(&path)?;
        Ok(None)
    }

    /// Whether a blob of this name is here; not whether it is whole.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// All blobs, sorted.
    ///
    /// # Errors
    /// The system's.
    pub fn all(&self) -> io::Result<Vec<Digest>> {
        let mut all = Vec::new();
        for entry in omnigen_disk::listing(&self.folder)? {
            if let Some((first, rest)) = entry.path.split_once('/')
                && let Some(digest) = Digest::from_hex(&format!("{first}{rest}"))
            {
                all.push(digest);
            }
        }
        all.sort_unstable();
        Ok(all)
    }

    /// Removes a blob, if it is here; returns its size.
    ///
    /// # Errors
    /// The system's.
    pub fn remove(&self, digest: &Digest) -> io::Result<u64> {
        let path = self.path(digest);
        let removed = std::fs::metadata(&path).and_then(|meta| std::fs::remove_file(&path).map(|()| meta.len()));
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_whole_or_missing() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(&folder.path().join("blobs"));
        assert_eq!(blobs.all().unwrap(), []);
        let one = blobs.put(b"one").unwrap();
        assert_eq!(blobs.put(b"one").unwrap(), one);
        let two = blobs.put(b"").unwrap();
        assert_eq!(blobs.get(&one).unwrap().as_deref(), Some(&b"one"[..]));
        assert_eq!(blobs.get(&two).unwrap().as_deref(), Some(&b""[..]));
        assert_eq!(blobs.get(&Digest::of(b"none")).unwrap(), None);
        let mut expected = vec![one, two];
        expected.sort();
        assert_eq!(blobs.all().unwrap(), expected);
        std::fs::write(blobs.path(&one), "onx").unwrap();
        assert!(blobs.contains(&one));
        assert_eq!(blobs.get(&one).unwrap(), None);
        assert!(!blobs.contains(&one));
        // Cut off by something else: put writes it again.
        blobs.put(b"one").unwrap();
        std::fs::write(blobs.path(&one), "on").unwrap();
        blobs.put(b"one").unwrap();
        assert_eq!(blobs.get(&one).unwrap().as_deref(), Some(&b"one"[..]));
        assert_eq!(blobs.remove(&one).unwrap(), 3);
        assert_eq!(blobs.remove(&one).unwrap(), 0);
        assert_eq!(blobs.all().unwrap(), [two]);
    }
}
