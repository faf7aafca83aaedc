//! Processes that agents leave behind. Killing a group does not reach those that left it; they are this process's children as soon
//! as their parents are gone, and are found and killed by that.
//!
//! Process-wide by nature: the kernel gives orphans to a process, not to a value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid};

/// The processes that were started here and not yet waited for, with their scratch folders.
static STARTED: RwLock<BTreeMap<i32, PathBuf>> = RwLock::new(BTreeMap::new());

/// Starts a process so that its orphans will be found: while it is being started, nobody takes it for one.
pub(crate) fn started<E>(
    scratch: &Path,
    start: impl FnOnce() -> Result<std::process::Child, E>,
) -> Result<std::process::Child, E> {
    static ASKED: OnceLock<bool> = OnceLock::new();
    ASKED.get_or_init(|| set_child_subreaper(Some(getpid())).is_ok());
    // Many may start at the same time; who looks for orphans waits until all of them are known.
    let starting = STARTING.read().unwrap_or_else(PoisonError::into_inner);
    let child = start()?;
    let mut known = STARTED.write().unwrap_or_else(PoisonError::into_inner);
    known.insert(Pid::from_child(&child).as_raw_nonzero().get(), scratch.to_path_buf());
    drop((known, starting));
    Ok(child)
}

static STARTING: RwLock<()> = RwLock::new(());

/// A process was waited for.
pub(crate) fn over(pid: Pid) {
    STARTED.write().unwrap_or_else(PoisonError::into_inner).remove(&pid.as_raw_nonzero().get());
}

/// Kills what a process that is over has left behind. An orphan whose origin cannot be told, since it is in the folder of no
/// process that lives, is killed as well: it belongs to nobody.
pub(crate) fn end(scratch: &Path) {
    // Most leave nothing behind. Nobody has to wait for that to be seen; who is just being started makes it worth a second look.
    let children_now = children();
    let known = STARTED.read().unwrap_or_else(PoisonError::into_inner);
    let nothing = children_now.iter().all(|pid| known.contains_key(pid));
    drop(known);
    if nothing {
        return;
    }
    for _ in 0..100 {
        let found = {
            let _nobody_starts = STARTING.write().unwrap_or_else(PoisonError::into_inner);
            let known = STARTED.read().unwrap_or_else(PoisonError::into_inner);
            let ours = |pid: &i32| {
                let folder = omnigen_disk::files::link(Path::new(&format!("/proc/{pid}/cwd"))).ok();
                let within = |scratch: &Path| folder.as_deref().is_some_and(|folder| folder.starts_with(scratch));
                within(scratch) || !known.values().any(|scratch| within(scratch))
            };
            let children = children().into_iter().filter(|pid| !known.contains_key(pid));
            children.filter(ours).collect::<Vec<i32>>()
        };
        if found.is_empty() {
            return;
        }
        for pid in found.into_iter().filter_map(Pid::from_raw) {
            let _gone = kill_process(pid, Signal::KILL);
            // Its own children become ours when it is gone: the next turn finds them.
            for _ in 0..200 {
                match waitpid(Some(pid), WaitOptions::NOHANG) {
                    Ok(None) => std::thread::sleep(Duration::from_micros(500)),
                    _ => break,
                }
            }
        }
    }
}

/// The children that the kernel has given to this process's first thread, which is where orphans go.
fn children() -> Vec<i32> {
    let own = getpid().as_raw_nonzero();
    let path = format!("/proc/self/task/{own}/children");
    let Ok((text, _)) = omnigen_disk::files::read_bytes(Path::new(&path)) else { return Vec::new() };
    String::from_utf8_lossy(&text).split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
