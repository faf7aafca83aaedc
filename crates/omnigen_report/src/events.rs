//! What happens during a run, in the order in which it happens.
//!
//! Every event that opens something is followed by one that closes it: [`BuildEvent::Started`] by
//! [`BuildEvent::Finished`], [`BuildEvent::AgentStarted`] by [`BuildEvent::AgentFinished`] of the same task.
//!
//! Events travel on the `tracing` stream of the process, beside its spans: [`Carried`] says how.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Activity, Exit, Shown, Summary, TaskEvent};

/// One thing that happened. In JSON it is an object whose `reason` names the kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum BuildEvent {
    /// A run begins, or a round of `watch`.
    Started {
        /// The version of omnigen.
        version: String,
        /// What kind of run.
        activity: Activity,
        /// With `watch`, what changed; absent in the first round.
        #[serde(skip_serializing_if = "Option::is_none")]
        cause: Option<String>,
    },
    /// So much of the work that is needed is done. `done == total` is not promised: what fails is not counted.
    Progress {
        /// Artifacts done.
        done: usize,
        /// Artifacts to do in this run, as far as is known by now.
        total: usize,
    },
    /// Something was found.
    Diagnostic(Shown),
    /// An output was brought to its place, or removed, or has to be left as it is. In runs that only compare: would be.
    Artifact(Change),
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
    /// Something happened to an agent's task.
    Task(TaskEvent),
    /// The run is over, or a round of `watch`.
    Finished {
        /// How it ended; the process's exit code says the same.
        exit: Exit,
        /// Why it failed as a whole, if it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        failure: Option<String>,
        /// Its numbers.
        #[serde(flatten)]
        summary: Summary,
    },
}

/// One output that differs from what it should be, or did.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Path from the project's root, with `/`.
    pub path: String,
    /// How it differs.
    pub change: ChangeKind,
    /// The contract that it is made of; empty for what belongs to the whole project.
    pub contract: String,
    /// The target; empty if nothing wants the file any more.
    pub target: String,
    /// BLAKE3 of what stood behind the header; absent if there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// BLAKE3 of what stands, or would stand, behind the header; absent if that is nothing, or not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The difference as `git apply` reads it; only where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

/// How an output differs from what it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// There was none.
    #[default]
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

/// How an agent's call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
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

/// An event as a value of a `tracing` event: the field `event` of those whose target is [`Carried::TARGET`].
///
/// `tracing` passes numbers, texts and `dyn Error`; the last is the only one that can be taken back as what it was
/// (`downcast_ref`), so an event travels as an error, without being one.
#[derive(Debug)]
pub struct Carried(pub BuildEvent);

impl Carried {
    /// The target of `tracing` events that carry one.
    pub const TARGET: &'static str = "omnigen::event";
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::event_json(&self.0))
    }
}

impl std::error::Error for Carried {}

/// The JSON Schema (2020-12) of one line: of `--events`, and of stdout with `--message-format json`.
pub fn schema() -> serde_json::Value {
    schema_of::<BuildEvent>()
}

/// The JSON Schema (2020-12) of a type as it is written.
pub fn schema_of<T: JsonSchema>() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>().to_value()
}
