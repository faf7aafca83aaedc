//! Findings with their places looked up. The only step that turns pointers into lines, and only for what is shown.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use omnigen_engine::Lookup;
use omnigen_report::{At, Diagnostic, Severity, Shown, Spot};

use crate::session::in_parallel;
use crate::setup::Setup;

/// Looks places up in texts that are read once.
pub(crate) struct Places<'a> {
    setup: &'a Setup,
    texts: HashMap<Arc<str>, Option<Arc<str>>>,
    /// Places that were looked up together.
    found: HashMap<At, Option<Range<usize>>>,
}

impl<'a> Places<'a> {
    pub(crate) fn new(setup: &'a Setup) -> Places<'a> {
        Places { setup, texts: HashMap::new(), found: HashMap::new() }
    }

    /// The findings, each once, in the order in which somebody reads the files. Where notes stand is only looked up with `notes`.
    pub(crate) fn show(&mut self, mut diagnostics: Vec<Diagnostic>, notes: bool) -> Vec<Shown> {
        diagnostics.sort();
        diagnostics.dedup();
        let placed = |diagnostic: &Diagnostic| notes || diagnostic.severity != Severity::Note;
        self.look_up(diagnostics.iter().filter(|diagnostic| placed(diagnostic)));
        let shown = diagnostics.iter().map(|diagnostic| match placed(diagnostic) {
            true => self.shown(diagnostic),
            false => Shown::new(diagnostic, |_| None),
        });
        let mut shown: Vec<Shown> = shown.collect();
        shown.sort_by(|a, b| place(a).cmp(&place(b)));
        shown
    }

    /// Looks up all places of some findings: each file is read once, whatever is found in it.
    fn look_up<'d>(&mut self, diagnostics: impl Iterator<Item = &'d Diagnostic>) {
        let mut wanted: BTreeMap<&Arc<str>, Vec<(&At, &str, bool)>> = BTreeMap::new();
        for at in diagnostics.flat_map(|found| found.at.iter().chain(found.related.iter().map(|(at, _)| at))) {
            if let Spot::Pointer { pointer, key } = &at.spot {
                wanted.entry(&at.file).or_default().push((at, pointer, *key));
            }
        }
        let wanted: Vec<_> = wanted.into_iter().collect();
        let setup = self.setup;
        let read = in_parallel(setup.threads, &wanted, |(file, places)| {
            let text: Option<Arc<str>> = text(setup, file);
            let found: Vec<Option<Range<usize>>> = match &text {
                Some(text) => {
                    let lookup = Lookup::new(file, text);
                    places.iter().map(|(_, pointer, key)| lookup.locate(pointer, *key)).collect()
                }
                None => vec![None; places.len()],
            };
            (text, found)
        });
        for ((file, places), (text, found)) in wanted.into_iter().zip(read) {
            self.texts.insert(file.clone(), text);
            self.found.extend(places.into_iter().map(|(at, ..)| at.clone()).zip(found));
        }
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
        let text = self.texts.entry(at.file.clone()).or_insert_with(|| text(setup, &at.file));
        let text = text.clone()?;
        let span = match &at.spot {
            Spot::File => return None,
            Spot::Span { start, end } => *start..*end,
            Spot::Pointer { pointer, key } => match self.found.get(at) {
                Some(found) => found.clone()?,
                None => omnigen_engine::locate(&at.file, &text, pointer, *key)?,
            },
        };
        Some((text, span))
    }
}

fn text(setup: &Setup, file: &str) -> Option<Arc<str>> {
    omnigen_disk::read_text(&setup.path(file)).ok().map(|text| text.text.into())
}

/// File and first byte; what has no place in the text comes first.
fn place(shown: &Shown) -> Option<(&str, Option<usize>)> {
    shown.at.as_ref().map(|at| (&*at.file, at.source.as_ref().map(|source| source.span.start)))
}
