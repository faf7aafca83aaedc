//! What findings about a file mean for what is made of it, and for those who refer to it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use omnigen_contracts::{Declarations, Held};
use omnigen_ir::{Digest, Exports, FileId, View};
use omnigen_report::{At, Code, Diagnostic};

use crate::graph::{Db, declared};
use crate::inputs::Source;
use crate::trace::Reads;

/// What errors of a file hold back.
pub(crate) fn held(db: &dyn Db, source: Source, diagnostics: &[Diagnostic]) -> Held {
    if !diagnostics.iter().any(Diagnostic::is_error) {
        return Held::Nothing;
    }
    match declared(db, source, View::Meaning) {
        Some(declared) => declared.held(diagnostics),
        None => Held::Everything,
    }
}

/// The digest of how far a file can be used; none if it cannot.
pub(crate) fn sound_digest(held: &Held) -> Option<Digest> {
    match held {
        Held::Nothing => {
            static SOUND: LazyLock<Digest> = LazyLock::new(|| Digest::of(b"sound"));
            Some(*SOUND)
        }
        Held::Some(held) => Some(Digest::of(format!("{held:?}").as_bytes())),
        Held::Everything => None,
    }
}

/// The outside of a file without what is held back.
pub(crate) fn usable<'e>(exports: &'e Exports, held: &Held) -> Cow<'e, Exports> {
    if !matches!(held, Held::Some(_)) {
        return Cow::Borrowed(exports);
    }
    let mut exports = exports.clone();
    exports.list.retain(|export| !held.has(&export.pointer));
    Cow::Owned(exports)
}

/// Says for what a contract waits.
pub(crate) fn waits(file: &FileId, blocking: &BTreeSet<FileId>) -> Vec<Diagnostic> {
    let one = |other: &FileId| {
        let message = format!("held back until {other}, which it needs, is mended");
        Diagnostic::new(Code::HeldBack, At::file(file), message)
    };
    blocking.iter().map(one).collect()
}

/// Reports `$id`s that another contract has too: references by them lead to the first contract by path.
pub(crate) fn twice(reads: &Reads<'_>, file: &FileId, declared: &Declarations, diagnostics: &mut Vec<Diagnostic>) {
    for (uri, pointer) in &declared.ids {
        let Some(first) = reads.named(uri).filter(|first| first.file != *file) else { continue };
        let message = format!("`{uri}` is the `$id` of {} too, and references by it lead there", first.file);
        diagnostics.push(
            Diagnostic::new(Code::DuplicateId, At::value(file, &format!("{pointer}/$id")), message)
                .related(At::value(&first.file, &format!("{}/$id", first.pointer)), "the first one by path")
                .hint("an `$id` names one schema: give this one another, or leave it out"),
        );
    }
}
