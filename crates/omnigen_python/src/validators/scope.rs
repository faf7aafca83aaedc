//! Dynamic references: which schema they lead to where a function is written.
//!
//! What a dynamic reference leads to depends on the resources that were entered before it (2020-12 core, section 8.2.3.2): the
//! outermost one with an anchor of that name counts. So an anchor, once bound, stays bound, and what is bound can be told when code
//! is written: each schema gets functions for every set of bindings that it is reached with, nearly always one. Nothing is
//! looked up while data is checked.

use std::collections::BTreeMap;
use std::rc::Rc;

use omnigen_ir::naming::function_at;
use omnigen_ir::{Link, Place, RefTarget, Reference, Scopes};
use omnigen_report::{At, Code as Finding, Diagnostic};

use super::{Callee, Emitter};

/// Anchors that are bound: name (empty for `$recursiveAnchor`) and schema.
pub(super) type Bindings = BTreeMap<Box<str>, Place>;

/// Sets of bindings of one contract. Each new one may double the number of functions.
const MOST: usize = 256;

/// Nothing is bound.
pub(super) const OPEN: usize = 0;

impl<'a> Emitter<'a> {
    /// Where a reference leads from the schema that is being written.
    pub(super) fn target(&self, reference: &Reference) -> Option<Place> {
        if reference.target == RefTarget::Dangling {
            return None;
        }
        let Link::To(place) = self.resolve.link(&self.file, reference) else { return None };
        let Some(name) = &reference.dynamic else { return Some(place) };
        // Where it leads first there has to be such an anchor, or it is a plain reference.
        let scopes = self.resolve.scopes(&place.file);
        let anchored = anchors(scopes, &place.pointer).iter().any(|(own, at)| own == name && *at == place.pointer);
        let bound = self.bindings[self.scope].get(name).filter(|_| anchored);
        Some(bound.cloned().unwrap_or(place))
    }

    /// The scope that a schema is in when it is reached from a scope.
    pub(super) fn enter(&mut self, scope: usize, place: &Place) -> usize {
        let own = anchors(self.resolve.scopes(&place.file), &place.pointer);
        if own.is_empty() && scope == OPEN {
            return OPEN;
        }
        let mut bindings = self.bindings[scope].clone();
        for (name, pointer) in own {
            bindings.entry(name.clone()).or_insert_with(|| Place::new(&place.file, pointer));
        }
        // What nobody looks up from there on makes no difference.
        let wanted = self.resolve.looked_up(&place.file);
        bindings.retain(|name, _| wanted.contains(name));
        match self.bindings.iter().position(|known| *known == bindings) {
            Some(known) => known,
            None if self.bindings.len() >= MOST => {
                let at = At::file(self.contract.file);
                let message = format!("dynamic references meet more than {MOST} combinations of anchors");
                self.diagnostics.push(Diagnostic::new(Finding::TooLarge, at, message));
                scope
            }
            None => {
                self.bindings.push(bindings);
                self.bindings.len() - 1
            }
        }
    }

    /// The functions for what a reference leads to; `None` if it leads nowhere.
    pub(super) fn callee(&mut self, reference: &'a Reference) -> Option<Rc<Callee>> {
        let key = (std::ptr::from_ref(reference).addr(), self.scope);
        if let Some(known) = self.callees.get(&key) {
            return known.clone();
        }
        let callee = self.find_callee(reference).map(Rc::new);
        self.callees.insert(key, callee.clone());
        callee
    }

    fn find_callee(&mut self, reference: &Reference) -> Option<Callee> {
        let place = self.target(reference)?;
        // Of a foreign class nothing is known: everything is accepted.
        if self.resolve.export(&place).is_some_and(|export| export.opaque) {
            return None;
        }
        let own = place.file == *self.contract.file;
        let mut suffix = if own {
            let export = self.contract.exports.list.iter().find(|export| export.pointer == place.pointer);
            match export {
                // One that only refers to another has the other's functions.
                Some(export) if !self.own(export) && self.scope == OPEN => {
                    return Some(Callee::new(None, &export.function));
                }
                Some(export) if !self.own(export) => function_at(self.contract.unit, &place.pointer),
                Some(export) => export.function.to_string(),
                None => {
                    self.resolve.schema(&place)?;
                    function_at(self.contract.unit, &place.pointer)
                }
            }
        } else if let Some(export) = self.resolve.export(&place) {
            // Its own functions know nothing of what is bound here.
            if self.scope == OPEN || self.enter(self.scope, &place) == self.enter(OPEN, &place) {
                return Some(Callee::new(Some(&self.import(&place.file)), &export.function));
            }
            self.copied(&place)
        } else {
            // Of a contract that cannot be read there is neither an export nor a schema: that is reported there.
            self.resolve.schema(&place)?;
            self.copied(&place)
        };
        let scope = self.enter(self.scope, &place);
        if scope != self.enter(OPEN, &place) {
            suffix.push_str(&format!("_scope_{scope}"));
        }
        let callee = Callee::new(None, &suffix);
        self.place(place, scope, suffix);
        Some(callee)
    }

    /// The suffix of functions for a schema of another file that are written here.
    fn copied(&self, place: &Place) -> String {
        let unit = self.resolve.unit(&place.file);
        let below = function_at(&unit, &place.pointer);
        if self.resolve.built_in(&place.file) {
            let folder = unit.folders.last().map_or("", |folder| folder.trim_start_matches('_'));
            return format!("_{folder}_{}{below}", unit.stem);
        }
        // Two files may call a definition by one name.
        let stem = format!("_{}", unit.stem);
        if below.starts_with(&stem) { below } else { stem + &below }
    }
}

/// The dynamic anchors of the resource that a place belongs to.
fn anchors<'s>(scopes: &'s Scopes, pointer: &str) -> &'s [(Box<str>, omnigen_ir::Pointer)] {
    let around = |start: &str| pointer.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let innermost = scopes.iter().filter(|(start, _)| around(start)).max_by_key(|(start, _)| start.len());
    innermost.map_or(&[], |(_, anchors)| anchors)
}
