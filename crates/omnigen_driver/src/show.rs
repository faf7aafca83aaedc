//! Findings with their places looked up. The only step that turns pointers into lines, and only for what is shown.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use omnigen_report::{At, Diagnostic, Shown, Spot};

use crate::setup::Setup;

/// Looks places up in texts that are read once.
pub(crate) struct Places<'a> {
    setup: &'a Setup,
    texts: HashMap<Arc<str>, Option<Arc<str>>>,
}

impl<'a> Places<'a> {
    pub(crate) fn new(setup: &'a Setup) -> Places<'a> {
        Places { setup, texts: HashMap::new() }
    }

    /// The findings, each once, in the order in which somebody reads the files.
    pub(crate) fn show(&mut self, mut diagnostics: Vec<Diagnostic>) -> Vec<Shown> {
        diagnostics.sort();
        diagnostics.dedup();
        let mut shown: Vec<Shown> = diagnostics.iter().map(|diagnostic| self.shown(diagnostic)).collect();
        shown.sort_by(|a, b| place(a).cmp(&place(b)));
        shown
    }

    /// One finding.
    pub(crate) fn shown(&mut self, diagnostic: &Diagnostic) -> Shown {
        Shown::new(diagnostic, |at| self.locate(at))
    }

    fn locate(&mut self, at: &At) -> Option<(Arc<str>, Range<usize>)> {
        if at.spot == Spot::File {
            return None;
        }
        let setup = self.setup;
        let text = self
            .texts
            .entry(at.file.clone())
            .or_insert_with(|| omnigen_disk::read_text(&setup.path(&at.file)).ok().map(|text| text.text.into()));
        let text = text.clone()?;
        let span = match &at.spot {
            Spot::File => return None,
            Spot::Span { start, end } => *start..*end,
            Spot::Pointer { pointer, key } => omnigen_engine::locate(&at.file, &text, pointer, *key)?,
        };
        Some((text, span))
    }
}

/// File and first byte; what has no place in the text comes first.
fn place(shown: &Shown) -> Option<(&str, Option<usize>)> {
    shown.at.as_ref().map(|at| (&*at.file, at.source.as_ref().map(|source| source.span.start)))
}
