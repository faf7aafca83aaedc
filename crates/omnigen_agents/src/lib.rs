//! Runs one agent: a program in any language, or a model behind an endpoint, that turns a context package into artifacts.
//!
//! Knows: the line protocol between engine and agent ([`protocol`]), how to run a program so that it can neither hang
//! the build nor outlive its task ([`run`]), what of an agent decides its answer ([`AgentSpec::identity`],
//! [`Task::digest`]) and how an answer is stored ([`Answer::encode`]). Does *not* know: when to ask whom, what a task's
//! context holds, how a need is answered, where artifacts end up, or any cache.
//!
//! Only this crate starts programs.

mod answer;
mod conversation;
mod failure;
mod live;
mod llm;
#[cfg(target_os = "linux")]
mod orphans;
mod paths;
#[cfg(unix)]
mod process;
#[cfg(not(unix))]
#[path = "process_elsewhere.rs"]
mod process;
pub mod protocol;
mod redact;
mod run;
#[cfg(target_os = "linux")]
mod sandbox;
#[cfg(not(target_os = "linux"))]
#[path = "sandbox_elsewhere.rs"]
mod sandbox;
mod schema;
mod scratch;
mod task;
mod tool;

pub use answer::{Answer, AnswerError, Message, Provenance};
pub use failure::{Failure, FailureClass};
pub use llm::{Budget, LlmSpec, ask};
pub use paths::{OutputPattern, folded};
pub use protocol::{Need, PROTOCOL, Span};
pub use run::{AgentEvent, NeedReply, run};
pub use schema::protocol_schema;
pub use task::{AgentSpec, Environment, Limits, Task, canonical_json};
pub use tool::{Said, Tool, version};
