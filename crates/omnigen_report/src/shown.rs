//! A diagnostic with its places looked up: what a renderer needs to show it.
//!
//! Diagnostics carry stable positions (file and JSON pointer) so that they can be compared and stored. Only here do they
//! become lines and columns. Knows no file system: the caller hands over texts and spans.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::{At, Code, Diagnostic, Severity};

/// A place in a text as people count: both from 1, columns in characters (not bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
}

/// Where the byte at `offset` is. An offset behind the text, or inside a character, counts as the place before it.
pub fn position(text: &str, offset: usize) -> Position {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    Position { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1 }
}

/// The text that a place is in, and the bytes of the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The whole text of the file.
    pub text: Arc<str>,
    /// Bytes of it; within the text, on character boundaries.
    pub span: Range<usize>,
}

/// A place to show: a file, and what of its text is meant, if that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// Path from the project's root, with `/`.
    pub file: Arc<str>,
    /// The text and the span; `None` for a file as a whole and for a file that cannot be read.
    pub source: Option<Source>,
}

impl Marked {
    /// A place in a text. The span is cut to the text and widened to whole characters.
    pub fn new(file: Arc<str>, text: Arc<str>, span: Range<usize>) -> Marked {
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = if span.is_empty() { start } else { span.end.clamp(start, text.len()) };
        while !text.is_char_boundary(end) {
            end += 1;
        }
        Marked { file, source: Some(Source { text, span: start..end }) }
    }

    /// A file as a whole.
    pub fn file(file: Arc<str>) -> Marked {
        Marked { file, source: None }
    }

    /// First character of the span.
    pub fn start(&self) -> Option<Position> {
        self.source.as_ref().map(|source| position(&source.text, source.span.start))
    }

    /// Behind the last character of the span.
    pub fn end(&self) -> Option<Position> {
        self.source.as_ref().map(|source| position(&source.text, source.span.end))
    }

    /// `file:line:column`, or the file alone.
    pub fn link(&self) -> String {
        match self.start() {
            Some(at) => format!("{}:{}:{}", self.file, at.line, at.column),
            None => self.file.to_string(),
        }
    }
}

/// A place as JSON has it.
#[derive(Serialize, JsonSchema)]
#[serde(rename = "Place")]
struct Written<'a> {
    /// Path from the project's root, with `/`.
    file: &'a str,
    /// First character; absent for a file as a whole and for one that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Position>,
    /// Behind the last character.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Position>,
    /// The same as offsets of bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<[usize; 2]>,
}

impl Serialize for Marked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self.source.as_ref().map(|source| [source.span.start, source.span.end]);
        Written { file: &self.file, start: self.start(), end: self.end(), bytes }.serialize(serializer)
    }
}

impl JsonSchema for Marked {
    fn schema_name() -> Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}

/// Another place, with what it has to do with the finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Related {
    /// The place.
    pub at: Marked,
    /// What it has to do with it.
    pub label: String,
}

/// A diagnostic resolved for showing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shown {
    /// How bad.
    pub severity: Severity,
    /// What kind of finding.
    pub code: Code,
    /// What is the matter.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where; `None` for the run as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Marked>,
    /// Other places that have to do with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// What a person changed in an output, as a unified diff; shown below the finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

impl Shown {
    /// Resolves a diagnostic. `locate` gives a place's text and bytes; `None` where there is no text, or none is meant.
    ///
    /// It is asked once for the place itself and once for each related place.
    pub fn new(diagnostic: &Diagnostic, mut locate: impl FnMut(&At) -> Option<(Arc<str>, Range<usize>)>) -> Shown {
        let mut mark = |at: &At| match locate(at) {
            Some((text, span)) => Marked::new(at.file.clone(), text, span),
            None => Marked::file(at.file.clone()),
        };
        Shown {
            severity: diagnostic.severity,
            code: diagnostic.code,
            message: diagnostic.message.clone(),
            hint: diagnostic.hint.clone().or_else(|| diagnostic.code.advice().map(str::to_owned)),
            at: diagnostic.at.as_ref().map(&mut mark),
            related: diagnostic
                .related
                .iter()
                .map(|(at, label)| Related { at: mark(at), label: label.clone() })
                .collect(),
            diff: None,
        }
    }

    /// With a unified diff below.
    #[must_use]
    pub fn diff(mut self, diff: impl Into<String>) -> Shown {
        self.diff = Some(diff.into());
        self
    }

    /// Is it an error?
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        let text = "{\n  \"größe\": 1\n}";
        assert_eq!(position(text, 0), Position { line: 1, column: 1 });
        assert_eq!(position(text, 2), Position { line: 2, column: 1 });
        let one = text.find('1').unwrap_or_default();
        assert_eq!(position(text, one), Position { line: 2, column: 12 });
        // Inside a character, and behind the end.
        let sharp = text.find('ß').unwrap_or_default();
        assert_eq!(position(text, sharp + 1), position(text, sharp));
        assert_eq!(position(text, 999), Position { line: 3, column: 2 });
    }

    #[test]
    fn spans_are_cut_to_the_text_and_to_characters() {
        let span = |start, end| {
            let marked = Marked::new("a".into(), "aöb".into(), start..end);
            marked.source.map(|source| source.span)
        };
        assert_eq!(span(0, 1), Some(0..1));
        assert_eq!(span(2, 2), Some(1..1));
        assert_eq!(span(1, 2), Some(1..3));
        assert_eq!(span(2, 99), Some(1..4));
        assert_eq!(span(50, 99), Some(4..4));
    }
}
