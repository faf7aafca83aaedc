//! What the binary asks for and what it gets back.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use omnigen_report::{Shown, Summary};

/// What to do, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder that paths in diagnostics and in the manifest are relative to: that of `omnigen.toml`, or the working
    /// folder when there is no project.
    pub root: PathBuf,
    /// A project, or files without one.
    pub mode: Mode,
    /// Threads for queries; `None`: as many as the machine has.
    pub threads: Option<usize>,
    /// Compare only: start no agent, write nothing.
    pub check: bool,
    /// An agent's answer that is not known is an error; no agent is started.
    pub frozen: bool,
    /// Start no agent that needs a network.
    pub offline: bool,
    /// Overwrite outputs that were edited by hand.
    pub force: bool,
    /// Folder with copies of remote schemas, instead of the configured one; a relative path is relative to the root.
    pub refs: Option<PathBuf>,
    /// Set while the run is under way when the user wants it to end: agents are cancelled, a commit under way is finished,
    /// and nothing more is begun.
    pub stop: Arc<AtomicBool>,
}

/// Where contracts come from and outputs go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As `omnigen.toml` in the root says.
    Project,
    /// These files, without a project. Relative paths are relative to the root.
    Files {
        /// The contracts.
        contracts: Vec<PathBuf>,
        /// Folder of the outputs.
        out: PathBuf,
    },
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was found, sorted.
    pub diagnostics: Vec<Shown>,
    /// Its numbers.
    pub summary: Summary,
    /// What was done to outputs, or with `check` would be; sorted by path.
    pub changes: Vec<Change>,
    /// Why the run as a whole failed; errors of contracts are among the diagnostics.
    pub failure: Option<Failure>,
}

/// Why a run as a whole failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Something about the machine or the configuration: a message and what to do.
    Environment(String, Option<String>),
    /// An agent gave no usable answer; what and why is among the diagnostics.
    Agent,
}

/// One output that differs from what it should be, or did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Path from the root, with `/`.
    pub path: String,
    /// How it differs.
    pub kind: ChangeKind,
}

/// How an output differs from what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// There was none.
    Create,
    /// It was out of date.
    Update,
    /// Nothing wants it any more.
    Remove,
    /// It was edited by hand.
    HandEdited,
    /// It cannot be made without an agent's answer that is not known.
    AnswerMissing,
}

/// One round of `watch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// What changed, for people: `contracts/order.json`, or `3 files`; empty for the first round.
    pub cause: String,
    /// How it ended.
    pub outcome: Outcome,
}
