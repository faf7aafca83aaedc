//! Changes of files, as they happen.
//!
//! The first change is handed on at once; what follows is gathered until it has been quiet for a moment, so that an
//! editor's save or a checkout becomes one or two changes and not hundreds. A change says *look at this*, not what it is:
//! the receiver compares.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use notify::event::{EventKind, ModifyKind, RenameMode};
use notify::{Event, RecursiveMode, Watcher as _};

/// Changes closer than this to each other are handed on together.
pub const QUIET: Duration = Duration::from_millis(10);
/// Under changes without end, the receiver hears of them this often.
const LONGEST: Duration = Duration::from_millis(100);
/// More paths than this at once: looking everywhere is as quick.
const MANY: usize = 5_000;

/// What to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Sorted, each once. Files or folders; they may be there or not.
    Paths(Vec<PathBuf>),
    /// Everything: events were lost, or a folder has come whose files may have come before anybody looked.
    Rescan,
}

/// Watches until it is dropped.
pub struct Watcher {
    /// Dropping it ends the gathering thread: its channel closes.
    inner: notify::RecommendedWatcher,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watcher")
    }
}

impl Watcher {
    /// Watches folders (`true`: and all below) and files. Watch the folder of a single file rather than the file: editors
    /// replace files. Paths for which `ignore` holds are never handed on; `sink` returns false to hear no more.
    ///
    /// # Errors
    /// In words, if the system cannot watch one of them.
    pub fn new(
        paths: &[(PathBuf, bool)],
        ignore: impl Fn(&Path) -> bool + Send + 'static,
        sink: impl FnMut(Change) -> bool + Send + 'static,
    ) -> Result<Watcher, String> {
        let (send, receive) = channel();
        let inner = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let seen = match event {
                Ok(event) => read(event, &ignore),
                // Events were lost, or a folder cannot be watched any more.
                Err(_) => Some(Seen { paths: Vec::new(), rescan: true }),
            };
            if let Some(seen) = seen {
                // Fails only when nobody listens any more.
                let _ = send.send(seen);
            }
        })
        .map_err(|error| words(&error))?;
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || gather(&receive, sink))
            .map_err(|error| error.to_string())?;
        let mut watcher = Watcher { inner };
        for (path, recursive) in paths {
            watcher.add(path, *recursive)?;
        }
        Ok(watcher)
    }

    /// Watches one more; changes from before this call are not told.
    ///
    /// # Errors
    /// As [`new`](Watcher::new).
    pub fn add(&mut self, path: &Path, recursive: bool) -> Result<(), String> {
        let mode = if recursive { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        self.inner.watch(path, mode).map_err(|error| format!("{}: {}", path.display(), words(&error)))
    }
}

fn words(error: &notify::Error) -> String {
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "the system's limit of watched folders is reached (on Linux: fs.inotify.max_user_watches)".to_owned()
        }
        notify::ErrorKind::PathNotFound => "there is no such file or folder".to_owned(),
        notify::ErrorKind::Io(error) => crate::discover::plain(error),
        kind => format!("{kind:?}"),
    }
}

struct Seen {
    paths: Vec<PathBuf>,
    rescan: bool,
}

/// What an event says; `None` if nothing that matters.
fn read(event: Event, ignore: &impl Fn(&Path) -> bool) -> Option<Seen> {
    if event.need_rescan() {
        return Some(Seen { paths: Vec::new(), rescan: true });
    }
    // Our own reading causes these.
    if matches!(event.kind, EventKind::Access(_)) {
        return None;
    }
    let paths: Vec<PathBuf> = event.paths.into_iter().filter(|path| !ignore(path)).collect();
    if paths.is_empty() {
        return None;
    }
    let comes = matches!(
        event.kind,
        EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both | RenameMode::Any))
    );
    let rescan = comes && paths.iter().any(|path| path.is_dir());
    Some(Seen { paths, rescan })
}

#[derive(Default)]
struct Gathering {
    paths: BTreeSet<PathBuf>,
    rescan: bool,
}

impl Gathering {
    fn add(&mut self, seen: Seen) {
        self.rescan |= seen.rescan;
        if self.paths.len() <= MANY {
            self.paths.extend(seen.paths);
        } else {
            self.rescan = true;
        }
    }

    fn take(&mut self) -> Option<Change> {
        let Gathering { paths, rescan } = std::mem::take(self);
        if rescan {
            Some(Change::Rescan)
        } else if paths.is_empty() {
            None
        } else {
            Some(Change::Paths(paths.into_iter().collect()))
        }
    }
}

fn gather(events: &Receiver<Seen>, mut sink: impl FnMut(Change) -> bool) {
    let mut gathering = Gathering::default();
    while let Ok(first) = events.recv() {
        // A folder that has just come is not watched yet: what is put into it now, nobody tells.
        let again = first.rescan;
        gathering.add(first);
        while let Ok(more) = events.try_recv() {
            gathering.add(more);
        }
        if gathering.take().is_some_and(|change| !sink(change)) {
            return;
        }
        gathering.rescan = again;
        // Then whatever follows, until it is quiet.
        let mut open = true;
        while open {
            let end = Instant::now() + LONGEST;
            loop {
                let left = end.saturating_duration_since(Instant::now());
                match events.recv_timeout(QUIET.min(left)) {
                    Ok(more) => {
                        // A folder that came just now may fill up yet.
                        gathering.add(more);
                        if left.is_zero() {
                            break;
                        }
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        open = left < QUIET;
                        break;
                    }
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
            if gathering.take().is_some_and(|change| !sink(change)) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn watch(folder: &Path, recursive: bool) -> (Watcher, Receiver<Change>) {
        let (send, receive) = channel();
        let watcher = Watcher::new(
            &[(folder.to_path_buf(), recursive)],
            |path| path.components().any(|part| part.as_os_str() == "out"),
            move |change| send.send(change).is_ok(),
        )
        .unwrap();
        (watcher, receive)
    }

    /// Waits until a path, or everything, is to be looked at.
    fn hear(changes: &Receiver<Change>, path: &Path) -> Change {
        let end = Instant::now() + PATIENCE;
        loop {
            let change = changes.recv_timeout(end.saturating_duration_since(Instant::now())).expect("a change");
            match &change {
                Change::Paths(paths) if !paths.iter().any(|found| found == path) => {}
                _ => return change,
            }
        }
    }

    #[test]
    fn a_save_is_heard_soon_and_reading_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let path = root.join("a.json");
        std::fs::write(&path, "1").unwrap();
        let (_watcher, changes) = watch(&root, true);
        std::fs::read(&path).unwrap();
        assert!(changes.recv_timeout(Duration::from_millis(60)).is_err());
        std::fs::write(&path, "2").unwrap();
        assert_eq!(hear(&changes, &path), Change::Paths(vec![path.clone()]));
        std::fs::write(root.join("new"), "3").unwrap();
        std::fs::rename(root.join("new"), &path).unwrap();
        assert!(matches!(hear(&changes, &path), Change::Paths(_)));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(hear(&changes, &path), Change::Paths(_)));
    }

    #[test]
    fn files_in_new_folders_are_not_missed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (_watcher, changes) = watch(&root, true);
        std::fs::create_dir_all(root.join("x/y")).unwrap();
        std::fs::write(root.join("x/y/early.json"), "").unwrap();
        assert_eq!(hear(&changes, &root.join("x")), Change::Rescan);
        std::thread::sleep(Duration::from_millis(150));
        while changes.try_recv().is_ok() {}
        std::fs::write(root.join("x/y/late.json"), "").unwrap();
        assert_eq!(hear(&changes, &root.join("x/y/late.json")), Change::Paths(vec![root.join("x/y/late.json")]));
    }

    #[test]
    fn own_outputs_are_not_heard() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("out")).unwrap();
        let (_watcher, changes) = watch(&root, true);
        std::fs::write(root.join("out/x.py"), "").unwrap();
        assert!(changes.recv_timeout(Duration::from_millis(60)).is_err());
    }

    #[test]
    fn a_storm_becomes_few_changes() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (_watcher, changes) = watch(&root, true);
        for at in 0..2_000 {
            std::fs::write(root.join(format!("f{at}")), "x").unwrap();
        }
        let mut seen = BTreeSet::new();
        let mut count = 0;
        while seen.len() < 2_000 {
            match changes.recv_timeout(PATIENCE).unwrap() {
                Change::Paths(paths) => seen.extend(paths),
                Change::Rescan => break,
            }
            count += 1;
        }
        assert!(count < 100, "{count}");
    }

    #[test]
    fn what_cannot_be_watched_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = Watcher::new(&[(folder.path().join("none"), true)], |_| false, |_| true).unwrap_err();
        assert!(error.contains("none"), "{error}");
    }

    #[test]
    fn the_first_at_once_and_the_rest_together() {
        let (send, receive) = channel();
        let (told, hear) = channel();
        let thread =
            std::thread::spawn(move || gather(&receive, move |change| told.send((change, Instant::now())).is_ok()));
        let seen = |name: &str| Seen { paths: vec![PathBuf::from(name)], rescan: false };
        let paths = |names: &[&str]| Change::Paths(names.iter().map(PathBuf::from).collect());
        send.send(seen("a")).unwrap();
        assert_eq!(hear.recv_timeout(PATIENCE).unwrap().0, paths(&["a"]));
        for name in ["c", "b", "c"] {
            send.send(seen(name)).unwrap();
        }
        assert_eq!(hear.recv_timeout(PATIENCE).unwrap().0, paths(&["b", "c"]));
        std::thread::sleep(QUIET * 5);
        send.send(Seen { paths: Vec::new(), rescan: true }).unwrap();
        assert_eq!(hear.recv_timeout(PATIENCE).unwrap().0, Change::Rescan);
        drop(send);
        thread.join().unwrap();
    }
}
