//! What happens to agents' tasks, as it happens. Every [`TaskEventKind::Started`] is followed by one of `Completed`, `Failed`,
//! `Retrying` or `Cancelled` of the same task and attempt.

use schemars::JsonSchema;
use serde::Serialize;

/// One thing that happened to a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TaskEvent {
    /// Milliseconds since the work on tasks began. For display.
    pub at_millis: u64,
    /// Target and contract: `docs:contracts/order.json`.
    pub task: String,
    /// The target's name.
    pub target: String,
    /// The contract's path.
    pub contract: String,
    /// The agent's name.
    pub agent: String,
    /// Counted from 1; 0 where no agent was asked.
    pub attempt: u32,
    /// What happened.
    #[serde(flatten)]
    pub kind: TaskEventKind,
}

/// What happened to a task. In JSON the member `event` names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum TaskEventKind {
    /// Its agent was asked.
    Started,
    /// The agent says that it is ready.
    Initialized,
    /// The agent says how far it is.
    Progress {
        /// How much is done.
        #[serde(skip_serializing_if = "Option::is_none")]
        done: Option<u64>,
        /// Of how much.
        #[serde(skip_serializing_if = "Option::is_none")]
        total: Option<u64>,
        /// In words.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// The agent waits for something; its clock stands still and its slot is free.
    Waiting {
        /// For what.
        need: String,
    },
    /// It goes on.
    Resumed {
        /// What it waited for.
        need: String,
    },
    /// The agent sent a message.
    Message {
        /// Names of agents.
        to: Vec<String>,
        /// What kind of message.
        kind: String,
    },
    /// An earlier answer was used.
    Cached,
    /// Others that waited for it can go on.
    DependencyResolved {
        /// These tasks.
        dependents: Vec<String>,
    },
    /// The agent gave an answer.
    Completed {
        /// How long the call took.
        millis: u64,
        /// The agent's own opinion of its answer, in thousandths.
        #[serde(skip_serializing_if = "Option::is_none")]
        score: Option<u32>,
        /// Tokens that a model used, prompt and reply together, if its server tells.
        #[serde(skip_serializing_if = "Option::is_none")]
        tokens: Option<u64>,
    },
    /// The attempt failed, and there will be another.
    Retrying {
        /// When.
        after_millis: u64,
        /// Why.
        why: String,
    },
    /// There is no answer.
    Failed {
        /// The kind of failure, as recovery rules name it.
        class: String,
        /// Why.
        text: String,
    },
    /// Nobody needs the answer any more.
    Cancelled,
}
