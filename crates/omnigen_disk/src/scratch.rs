//! Folders for agents: what one declared, and room to work.

use std::io;
use std::path::Path;

use crate::safe::safe_relative;

/// A private folder outside the project, gone with this value.
#[derive(Debug)]
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// An empty one, readable by this user only.
    ///
    /// # Errors
    /// The system's.
    pub fn new() -> io::Result<Scratch> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("omnigen-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        Ok(Scratch { folder: builder.tempdir()? })
    }

    /// Its absolute path.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Copies a file to the same path below the scratch folder, with its permissions. A copy, not a link: what the agent does to it stays here.
    ///
    /// # Errors
    /// For an unsafe path (kind `InvalidInput`), and the system's.
    pub fn copy(&self, root: &Path, path: &str) -> io::Result<()> {
        let to = self.room(path)?;
        let from = root.join(path);
        if !std::fs::metadata(&from)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` is not a file")));
        }
        std::fs::copy(from, to).map(|_| ())
    }

    /// Writes a file below the scratch folder.
    ///
    /// # Errors
    /// As [`copy`](Scratch::copy).
    pub fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        std::fs::write(self.room(path)?, bytes)
    }

    /// Reads a file below the scratch folder.
    ///
    /// # Errors
    /// As [`copy`](Scratch::copy).
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.room(path)?)
    }

    fn room(&self, path: &str) -> io::Result<std::path::PathBuf> {
        safe_relative(path).map_err(|bad| io::Error::new(io::ErrorKind::InvalidInput, bad))?;
        let to = self.folder.path().join(path);
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)?;
        }
        Ok(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_look_into_it() {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(Scratch::new().unwrap().path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn holds_copies_and_goes() {
        let project = tempfile::tempdir().unwrap();
        std::fs::create_dir(project.path().join("agents")).unwrap();
        std::fs::write(project.path().join("agents/a.py"), "one").unwrap();
        let scratch = Scratch::new().unwrap();
        scratch.copy(project.path(), "agents/a.py").unwrap();
        scratch.write("deep/er/b", b"two").unwrap();
        std::fs::write(scratch.path().join("agents/a.py"), "changed").unwrap();
        assert_eq!(std::fs::read_to_string(project.path().join("agents/a.py")).unwrap(), "one");
        assert!(scratch.copy(project.path(), "../x").is_err());
        assert!(scratch.copy(project.path(), "agents").is_err());
        assert!(scratch.write("/x", b"").is_err());
        let path = scratch.path().to_path_buf();
        drop(scratch);
        assert!(!path.exists());
    }
}
