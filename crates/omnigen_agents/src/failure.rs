//! Why there is no answer.

use std::fmt;
use std::time::Duration;

use omnigen_report::Code;

use crate::protocol::Span;

/// Why an agent gave no answer. Values of declared environment variables do not occur in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub class: FailureClass,
    /// One sentence, without the agent's name; may quote the offending line, cut and escaped.
    pub text: String,
    /// The place that the agent blames, if it named one.
    pub span: Option<Box<Span>>,
    /// The end of its standard error (up to 64 KiB); may be empty, may have many lines.
    pub stderr: String,
    /// When it may be tried again, if somebody said so.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// It could not even be started, for this reason.
    pub fn start(text: String) -> Failure {
        Failure { class: FailureClass::Start, text, span: None, stderr: String::new(), retry_after: None }
    }

    /// Whether another attempt may well help, with nothing changed.
    pub fn is_worth_another_attempt(&self) -> bool {
        matches!(self.class.name(), "crash" | "timeout" | "rate-limit" | "server")
    }
}

/// The kinds of failure, as recovery rules name them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureClass {
    /// The program could not be started.
    Start,
    /// It broke the protocol.
    Protocol,
    /// It exited with another status than 0, or was killed by a signal.
    Crash,
    /// It did not answer in time, or was silent for too long.
    Timeout,
    /// It was told to stop.
    Cancelled,
    /// Something that it needs cannot be had.
    Need,
    /// It says itself that it failed, with this class (`syntax`, `import`, `validation`, `refusal`, `rate-limit`, …).
    Reported(String),
}

impl FailureClass {
    /// The name in `[[recover]] on = …`.
    pub fn name(&self) -> &str {
        match self {
            FailureClass::Start => "start",
            FailureClass::Protocol => "protocol",
            FailureClass::Crash => "crash",
            FailureClass::Timeout => "timeout",
            FailureClass::Cancelled => "cancelled",
            FailureClass::Need => "need",
            FailureClass::Reported(name) => name,
        }
    }

    /// Whether the same task may well succeed another time: such failures are never stored.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.name(),
            "start" | "crash" | "timeout" | "cancelled" | "need" | "rate-limit" | "server" | "refusal"
        )
    }

    /// The code of its diagnostic.
    pub fn code(&self) -> Code {
        match self {
            FailureClass::Start => Code::AgentMissing,
            FailureClass::Protocol => Code::AgentProtocol,
            FailureClass::Timeout => Code::AgentTimeout,
            FailureClass::Crash | FailureClass::Cancelled | FailureClass::Need | FailureClass::Reported(_) => {
                Code::AgentFailed
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class.name(), self.text)
    }
}

impl std::error::Error for Failure {}
