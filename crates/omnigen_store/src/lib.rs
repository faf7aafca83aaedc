//! What is kept between runs: the manifest, blobs, answers, and the committed lock file.
//!
//! Knows: how bytes are kept so that damage is noticed and nothing half-written is ever read. Does *not* know: what the
//! bytes mean (the engine does) or when to look (the driver does). Nothing here is needed for a right result: with all of it
//! gone, a build is slower and asks agents again.
//!
//! ```text
//! omnigen.lock               committed text, see lock_file
//! .omnigen/manifest          named sections, see manifest; they themselves are in
//! .omnigen/ledgers/<name>
//! .omnigen/answers.redb      answers and verdicts, see answers
//! .omnigen/blobs/ab/cdef...  content-addressed, see blobs
//! .omnigen/judged/<digest>   tests that were judged, see packs
//! <a folder of its own>      shared by checkouts and projects, see shelf
//! ```
#![expect(clippy::disallowed_methods, reason = "this crate keeps files")]

pub mod answers;
pub mod blobs;
pub mod lock_file;
pub mod manifest;
pub mod packs;
pub mod shelf;

pub use answers::Answers;
pub use blobs::Blobs;
pub use lock_file::{LockEntry, LockFile, LockMessage, LockOutput, LockProblem, LockSchema};
pub use manifest::{Edit, Executable, Manifest, Unusable, Update};
pub use packs::{Pack, Packs};
pub use shelf::Shelf;
