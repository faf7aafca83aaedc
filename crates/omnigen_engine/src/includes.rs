//! Files that stand within a contract (`!include`): their texts come from the other inputs.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use omnigen_contracts::{Dialect, Includes};
use omnigen_ir::FileId;

use crate::graph::{Db, Parsed, Presence, declarations, presence, source_of};
use crate::inputs::{Content, Source};

/// Reads a text with all that stands within it, as far as it is here: an included file may include others.
pub(crate) fn read(db: &dyn Db, source: Source, text: &Arc<str>) -> Parsed {
    let mut includes = Includes::default();
    let assumed = source.unit(db).assumed.as_deref().and_then(Dialect::draft);
    loop {
        let declared = omnigen_contracts::declarations_with(source.path(db), text, &includes, assumed);
        let unknown: Vec<FileId> = declared.includes.iter().filter(|file| !includes.knows(file)).cloned().collect();
        let mut needs = BTreeSet::new();
        for file in &unknown {
            let there = source_of(db, file);
            match there.map(|source| source.content(db)) {
                Some(Content::Text(text)) => includes.insert(file.clone(), Some(text.clone())),
                Some(Content::Absent | Content::Unusable(_)) => includes.insert(file.clone(), None),
                Some(Content::Stored(_) | Content::Unread) | None => drop(needs.insert(file.clone())),
            }
        }
        if unknown.is_empty() || !needs.is_empty() {
            return Parsed { declared, text: text.clone(), includes, needs, document: OnceLock::new() };
        }
    }
}

/// Files that stand within another, with their texts.
#[salsa::tracked(returns(ref))]
pub(crate) fn included(db: &dyn Db, source: Source) -> Includes {
    declarations(db, source).as_ref().map(|parsed| parsed.includes.clone()).unwrap_or_default()
}

/// Files that stand within another and whose text is missing.
#[salsa::tracked(returns(ref))]
pub(crate) fn missing(db: &dyn Db, source: Source) -> BTreeSet<FileId> {
    if presence(db, source) != Presence::Text {
        return BTreeSet::new();
    }
    declarations(db, source).as_ref().map(|parsed| parsed.needs.clone()).unwrap_or_default()
}
