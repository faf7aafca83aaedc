//! What the binary asks for and what it gets back.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use omnigen_report::{Activity, Change, Exit, Shown, Summary};

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
    /// What kind of run. Anything but [`Activity::Build`] only finds out what a build would do: it starts no agent and writes
    /// nothing.
    pub activity: Activity,
    /// In a run that only compares: with every change its difference as a patch.
    pub diffs: bool,
    /// End at the first contract with errors, before anything is made.
    pub fail_fast: bool,
    /// An agent's answer that is not known is an error; no agent is started.
    pub frozen: bool,
    /// Start no agent that needs a network.
    pub offline: bool,
    /// Overwrite outputs that were edited by hand.
    pub force: bool,
    /// Folder of a store that projects share, instead of the configured one: what was made in any checkout is taken from there, and
    /// put there.
    pub shelf: Option<PathBuf>,
    /// Look up where notes stand as well: somebody may be shown them.
    pub notes: bool,
    /// Ask the reads of every artifact, not only of those that the index of mentions names.
    pub no_index: bool,
    /// Folder with copies of remote schemas, instead of the configured one; a relative path is relative to the root.
    pub refs: Option<PathBuf>,
    /// Targets whose stored answers are not used.
    pub refresh: Vec<String>,
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
    /// What was done to outputs, or in a run that only compares would be; sorted by path.
    pub changes: Vec<Change>,
    /// Why the run as a whole failed; errors of contracts are among the diagnostics.
    pub failure: Option<Failure>,
    /// How the process ends because of it.
    pub exit: Exit,
}

/// Why a run as a whole failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Something about the machine or the configuration: a message and what to do.
    Environment(String, Option<String>),
    /// An agent gave no usable answer; what and why is among the diagnostics.
    Agent,
}

/// One round of `watch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// What changed, for people: `contracts/order.json`, or `3 files`; empty for the first round.
    pub cause: String,
    /// How it ended.
    pub outcome: Outcome,
}
