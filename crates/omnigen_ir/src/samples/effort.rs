//! How much work one value is for who validates it.

use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::link::{Contract, Place, Resolve};
use crate::{FileId, RefTarget, Schema};

/// At most how many schemas are applied to one and the same value, as who follows every reference and every branch applies
/// them. A schema that two branches lead to counts twice, so a ladder of such schemas doubles with every step. Other files count as one.
pub fn effort(contract: &Contract<'_>, resolve: &dyn Resolve) -> u64 {
    let mut walk = Walk { file: contract.file, resolve, known: FxHashMap::default() };
    let mut seen: FxHashSet<*const Schema> = FxHashSet::default();
    let mut open: Vec<&Schema> = contract.exports.list.iter().filter_map(|export| walk.own(&export.pointer)).collect();
    let mut most = 0;
    while let Some(schema) = open.pop() {
        if !seen.insert(std::ptr::from_ref(schema)) {
            continue;
        }
        most = most.max(walk.applied(schema));
        if let Some(node) = schema.node() {
            node.each_child(&mut |child| open.push(child));
        }
        open.extend(walk.target(schema));
    }
    most
}

struct Walk<'a> {
    file: &'a FileId,
    resolve: &'a dyn Resolve,
    /// By address; `None` while it is being counted. Never iterated.
    known: FxHashMap<*const Schema, Option<u64>>,
}

impl<'a> Walk<'a> {
    fn own(&self, pointer: &str) -> Option<&'a Schema> {
        self.resolve.schema(&Place::new(self.file, pointer))
    }

    /// Where a reference leads within the file.
    fn target(&self, schema: &Schema) -> Option<&'a Schema> {
        match &schema.node()?.reference.as_deref()?.target {
            RefTarget::Here(pointer) => self.own(pointer),
            RefTarget::Elsewhere { .. } | RefTarget::Dangling => None,
        }
    }

    /// The schemas that are applied to the same value as this one.
    fn beside(&self, schema: &'a Schema) -> Vec<&'a Schema> {
        let mut found: Vec<&Schema> = self.target(schema).into_iter().collect();
        let Some(node) = schema.node() else { return found };
        if let Some(logic) = node.logic.as_deref() {
            found.extend(logic.all_of.iter().chain(&logic.any_of).chain(&logic.one_of).chain(&logic.not));
            if let Some(condition) = &logic.condition {
                found.push(&condition.test);
                found.extend(condition.then.iter().chain(&condition.otherwise));
            }
        }
        if let Some(object) = node.object.as_deref() {
            found.extend(object.dependent_schemas.iter().map(|(_, schema)| schema));
        }
        found
    }

    /// Chains may be long: a stack of its own.
    fn applied(&mut self, start: &'a Schema) -> u64 {
        let mut stack = vec![(start, false)];
        while let Some((schema, counted)) = stack.pop() {
            let key = std::ptr::from_ref(schema);
            if counted {
                let of = |schema: &Schema| self.known.get(&std::ptr::from_ref(schema)).copied().flatten().unwrap_or(1);
                let sum = self.beside(schema).into_iter().fold(1u64, |sum, inner| sum.saturating_add(of(inner)));
                self.known.insert(key, Some(sum));
            } else if let Entry::Vacant(entry) = self.known.entry(key) {
                entry.insert(None);
                stack.push((schema, true));
                stack.extend(self.beside(schema).into_iter().map(|inner| (inner, false)));
            }
        }
        self.known.get(&std::ptr::from_ref(start)).copied().flatten().unwrap_or(1)
    }
}
