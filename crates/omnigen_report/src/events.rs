//! What happens during a run, in the order in which it happens.
//!
//! Every event that opens something is followed by one that closes it: [`BuildEvent::Started`] by
//! [`BuildEvent::Finished`], [`BuildEvent::AgentStarted`] by [`BuildEvent::AgentFinished`] of the same task.

use serde::Serialize;

use crate::{Shown, Summary};

/// One thing that happened. In JSON it is an object whose `reason` names the kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum BuildEvent {
    /// The run begins.
    Started {
        /// Contracts found.
        contracts: usize,
        /// Artifacts that they should have.
        artifacts: usize,
    },
    /// So much of the work that is needed is done. `done == total` is not promised: what fails is not counted.
    Progress {
        /// Artifacts done.
        done: usize,
        /// Artifacts to do in this run.
        total: usize,
    },
    /// Something was found.
    Diagnostic(Shown),
    /// An output was written.
    ArtifactWritten {
        /// Path from the project's root, with `/`.
        path: String,
    },
    /// An output that belongs to no contract any more was removed.
    ArtifactRemoved {
        /// Path from the project's root, with `/`.
        path: String,
    },
    /// An agent was called.
    AgentStarted {
        /// The target in the configuration.
        target: String,
        /// The contract's path.
        contract: String,
        /// The agent's name.
        agent: String,
    },
    /// A call is over.
    AgentFinished {
        /// The target in the configuration.
        target: String,
        /// The contract's path.
        contract: String,
        /// The agent's name.
        agent: String,
        /// How it ended.
        result: CallResult,
        /// Milliseconds from start to end.
        millis: u64,
    },
    /// The run is over.
    Finished(Summary),
}

/// How an agent's call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallResult {
    /// It gave a usable answer.
    Answered,
    /// It said that it cannot, broke the protocol or crashed.
    Failed,
    /// It did not answer in time.
    TimedOut,
    /// Nobody needs the answer any more.
    Cancelled,
}
