//! The files of a project: found, read, watched, and written where they are ours.
//!
//! Knows: paths, bytes, the ownership mark in generated files. Does *not* know: contracts, the graph, agents, or what a
//! byte means. Names no other crate of omnigen. Paths inside a project are strings from its root with `/` between the
//! parts, so that they mean the same on every machine; absolute paths occur only where the caller names a root.
#![expect(clippy::disallowed_methods, reason = "this crate is where files are touched")]

mod again;
pub mod discover;
pub mod files;
mod folder;
pub mod globs;
pub mod journal;
pub mod ledger;
pub mod lock;
pub mod mark;
pub mod orphans;
pub mod outputs;
pub mod safe;
pub mod scratch;
pub mod stat;
mod walk;
pub mod watch;

pub use again::{Sought, same_names};
pub use discover::{Discovery, Found, Problem, Trouble, discover, would_find};
pub use files::{ReadProblem, Text, read_text, write_atomic};
pub use globs::{Globs, glob_base, matches};
pub use journal::{Journal, read_journal};
pub use lock::{Held, ProjectLock};
pub use mark::{Comment, Ownership};
pub use orphans::{Entry, EntryKind, Owned, listing, owned_files, remove_empty_folders, remove_files};
pub use outputs::{How, Outcome, Placed, Write, place, write_all};
pub use safe::{Unsafe, safe_relative};
pub use scratch::Scratch;
pub use stat::{Stat, racy, stat, stat_many};
pub use watch::{Change, Watcher};
