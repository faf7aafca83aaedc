//! Which types of an API differ where they are sent: a fact about references through any number of files.
//!
//! A file says of its own types which of them have a second form for certain, and which have one only if others have
//! ([`omnigen_ir::Forms`]). Each hop is a recorded read of that, so that a change elsewhere stops where the answer stays the same.

use std::borrow::Cow;
use std::collections::BTreeSet;

use omnigen_ir::naming::WRITE;
use omnigen_ir::{Digest, Encoder, Exports, Place, RefTarget, View};

use crate::trace::{Outline, ReadKey, Reads, export, is_built_in};

/// What a file says about a form that is sent. `None` if it has none of the name.
pub(crate) fn digest(outline: &Outline, pointer: &str) -> Option<Digest> {
    export(&outline.exports, pointer)?;
    let mut encoder = Encoder::new("form", View::Full);
    if let Some(leads) = leads(&outline.exports, pointer) {
        encoder.part(leads);
    }
    Some(encoder.finish())
}

/// What a form hangs on; `None` if it is there for certain.
fn leads<'e>(exports: &'e Exports, pointer: &str) -> Option<&'e Vec<RefTarget>> {
    exports.forms.iter().find(|(form, _)| **form == *pointer).map(|(_, leads)| leads)
}

impl Reads<'_> {
    /// The place itself, or the plain one if it is in a form that is not there.
    pub(crate) fn form(&self, place: Place) -> Place {
        let Some(at) = place.pointer.find(WRITE) else { return place };
        let (plain, rest) = (&place.pointer[..at], &place.pointer[at + WRITE.len()..]);
        if self.written(&Place::new(&place.file, &place.pointer[..at + WRITE.len()])) {
            return place;
        }
        Place::new(&place.file, &format!("{plain}{rest}"))
    }

    /// Is it there? Anything that is no form that is sent is.
    pub(crate) fn written(&self, place: &Place) -> bool {
        if !place.pointer.ends_with(WRITE) || is_built_in(&place.file) {
            return true;
        }
        if let Some(&known) = self.forms.borrow().get(place) {
            return known;
        }
        let mut seen = BTreeSet::from([place.clone()]);
        let mut open = vec![place.clone()];
        let mut there = false;
        while let Some(place) = open.pop() {
            let Some(source) = self.source(&place.file) else {
                continue;
            };
            let missing = crate::includes::missing(self.db, source);
            if place.file != self.own && !missing.is_empty() {
                self.needs.borrow_mut().extend(missing.iter().cloned());
                continue;
            }
            let outline = self.names(source);
            if place.file != self.own {
                let key = ReadKey::Form(place.file.clone(), place.pointer.clone());
                self.record(key, || outline.and_then(|outline| digest(outline, &place.pointer)));
            }
            let Some(outline) = outline.filter(|outline| export(&outline.exports, &place.pointer).is_some()) else {
                continue;
            };
            let Some(leads) = leads(&outline.exports, &place.pointer) else {
                there = true;
                break;
            };
            for lead in leads {
                let next = match lead {
                    RefTarget::Here(pointer) => Place::new(&place.file, pointer),
                    RefTarget::Elsewhere { uri, fragment, beside } => match self.lookup(uri, beside.as_deref()) {
                        Ok(Some((source, resource))) => {
                            Place::new(source.path(self.db), &format!("{resource}{fragment}"))
                        }
                        // Asked for, or reported where the reference stands.
                        Ok(None) | Err(()) => continue,
                    },
                    RefTarget::Dangling => continue,
                };
                if seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        let mut known = self.forms.borrow_mut();
        if there {
            known.insert(place.clone(), true);
        } else {
            // All that was reached has been looked at.
            known.extend(seen.into_iter().map(|place| (place, false)));
        }
        there
    }

    /// The outside of the contract itself without forms that are not there.
    pub(crate) fn present<'e>(&self, exports: Cow<'e, Exports>) -> Cow<'e, Exports> {
        if exports.forms.is_empty() {
            return exports;
        }
        let mut exports = exports.into_owned();
        exports.list.retain(|export| self.written(&Place::new(&self.own, &export.pointer)));
        Cow::Owned(exports)
    }
}
