//! One writer a revision: the project's lock.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::discover::plain;

/// Held while outputs are written. Given back when dropped, or by the system when the process ends in any way.
#[derive(Debug)]
pub struct ProjectLock {
    file: File,
}

/// Why there is no lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Another process has it, and still had it after the wait; its id if it left one.
    Busy {
        /// The other process's id.
        process: Option<u32>,
    },
    /// The lock's file, or the folder that it is to be in, cannot be used: which, and why.
    Unusable(PathBuf, String),
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Held::Busy { process: Some(process) } => write!(f, "another omnigen (process {process}) is writing here"),
            Held::Busy { process: None } => f.write_str("another omnigen is writing here"),
            Held::Unusable(path, why) => write!(f, "{} cannot be used: {why}", path.display()),
        }
    }
}

impl std::error::Error for Held {}

impl ProjectLock {
    /// Takes the lock `lock` in a folder (`.omnigen`, made if missing), waiting at most this long.
    ///
    /// # Errors
    /// See [`Held`].
    pub fn acquire(folder: &Path, wait: Duration) -> Result<ProjectLock, Held> {
        let unusable = |path: &Path, error: &io::Error| Held::Unusable(path.to_owned(), plain(error));
        std::fs::create_dir_all(folder).map_err(|error| unusable(folder, &error))?;
        let path = folder.join("lock");
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(|error| unusable(&path, &error))?;
        let end = Instant::now() + wait;
        let mut pause = Duration::from_millis(1);
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(unusable(&path, &error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let mut text = String::new();
                // Only for the message.
                let _ = (&file).take(20).read_to_string(&mut text);
                return Err(Held::Busy { process: text.trim().parse().ok() });
            }
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        // Only for another process's message: failing to write it harms nobody.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(ProjectLock { file })
    }
}

impl Drop for ProjectLock {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_waits_then_is_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join(".omnigen");
        let first = ProjectLock::acquire(&state, Duration::ZERO).unwrap();
        let began = Instant::now();
        let held = ProjectLock::acquire(&state, Duration::from_millis(60)).unwrap_err();
        assert_eq!(held, Held::Busy { process: Some(std::process::id()) });
        assert!(began.elapsed() >= Duration::from_millis(60));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| ProjectLock::acquire(&state, Duration::from_secs(20)));
            std::thread::sleep(Duration::from_millis(20));
            drop(first);
            assert!(waiting.join().unwrap().is_ok());
        });
    }

    #[test]
    fn an_unusable_place_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let held = ProjectLock::acquire(&folder.path().join("file"), Duration::ZERO).unwrap_err();
        assert!(matches!(held, Held::Unusable(..)), "{held}");
        assert!(held.to_string().contains("file cannot be used: "), "{held}");
    }
}
