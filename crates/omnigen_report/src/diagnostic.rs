//! One finding about one place.

use std::sync::Arc;

use crate::Code;

/// How bad it is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// What depends on it is not built; the exit code says so.
    Error,
    /// Built, but probably not as meant.
    Warning,
    /// Worth knowing; shown with `-v`.
    Note,
}

/// Where in a file: a stable position, or a span for text that has no positions yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Spot {
    /// The file as a whole.
    File,
    /// The value at a JSON pointer, or with `key` the name of that member.
    Pointer {
        /// JSON pointer (RFC 6901).
        pointer: Box<str>,
        /// Mark the member's name instead of its value.
        key: bool,
    },
    /// Bytes of the text, for what does not parse.
    Span {
        /// First byte.
        start: usize,
        /// Behind the last byte.
        end: usize,
    },
}

/// A file and a spot in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct At {
    /// Path from the project's root, with `/`.
    pub file: Arc<str>,
    /// Where in it.
    pub spot: Spot,
}

impl At {
    /// The file as a whole.
    pub fn file(file: &Arc<str>) -> At {
        At { file: file.clone(), spot: Spot::File }
    }

    /// The value at a pointer.
    pub fn value(file: &Arc<str>, pointer: &str) -> At {
        At { file: file.clone(), spot: Spot::Pointer { pointer: pointer.into(), key: false } }
    }

    /// The name of the member at a pointer.
    pub fn key(file: &Arc<str>, pointer: &str) -> At {
        At { file: file.clone(), spot: Spot::Pointer { pointer: pointer.into(), key: true } }
    }

    /// Bytes of the text.
    pub fn span(file: &Arc<str>, start: usize, end: usize) -> At {
        At { file: file.clone(), spot: Spot::Span { start, end } }
    }
}

/// One finding. Ordered by place, then code, then message: the order in which a run shows them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Diagnostic {
    /// Where; `None` for the run as a whole.
    pub at: Option<At>,
    /// What kind of finding.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// What is the matter, in one sentence without a full stop; says what was expected.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Other places that have to do with it, each with a label.
    pub related: Vec<(At, String)>,
}

impl Diagnostic {
    /// A finding of the code's usual severity.
    pub fn new(code: Code, at: At, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            at: Some(at),
            code,
            severity: code.severity(),
            message: message.into(),
            hint: None,
            related: Vec::new(),
        }
    }

    /// A finding about the run as a whole.
    pub fn global(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            at: None,
            code,
            severity: code.severity(),
            message: message.into(),
            hint: None,
            related: Vec::new(),
        }
    }

    /// With advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }

    /// With another place.
    #[must_use]
    pub fn related(mut self, at: At, label: impl Into<String>) -> Diagnostic {
        self.related.push((at, label.into()));
        self
    }

    /// Is it an error?
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
