//! Does a document satisfy a schema? Only good enough to build examples and to say what is expected of them: formats
//! are not looked at, and work is bounded. The verdict that counts comes from elsewhere.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::pattern::Pattern;
use crate::json::position_from;
use crate::link::{FileId, Link, Resolve};
use crate::{Json, Node, NumberRules, Place, Schema, TypeSet};

/// Steps of evaluation and construction for one contract.
const FUEL: u32 = 2_000_000;
/// Schemas within each other.
const DEEPEST: usize = 60;

/// A schema and the file that its references are relative to.
#[derive(Clone)]
pub(super) struct Seat<'a> {
    pub(super) file: FileId,
    pub(super) schema: &'a Schema,
    /// Whatever is wrong with this schema is wrong with the document, and its keyword is reported at this instance:
    /// only `$ref`, `allOf`, and properties and items of such schemas lie between the root and here.
    pub(super) sure: bool,
    /// It is part of a type of another file, whose own tests look at its inside.
    pub(super) away: bool,
}

/// Schemas seen through [`Resolve`], with bounded work.
pub(super) struct World<'a> {
    resolve: &'a dyn Resolve,
    patterns: RefCell<FxHashMap<Box<str>, Option<Rc<Pattern>>>>,
    /// Where references lead, by the node that holds them.
    targets: RefCell<FxHashMap<*const Node, Option<Seat<'a>>>>,
    fuel: Cell<u32>,
}

impl<'a> World<'a> {
    pub(super) fn new(resolve: &'a dyn Resolve) -> World<'a> {
        World { resolve, patterns: RefCell::default(), targets: RefCell::default(), fuel: Cell::new(FUEL) }
    }

    /// Takes a step; false when all are used up.
    pub(super) fn step(&self) -> bool {
        let left = self.fuel.get();
        self.fuel.set(left.saturating_sub(1));
        left > 0
    }

    pub(super) fn exhausted(&self) -> bool {
        self.fuel.get() == 0
    }

    /// Where a node's `$ref` leads. The outer `None`: nowhere.
    pub(super) fn target(&self, file: &FileId, node: &Node) -> Option<Option<Seat<'a>>> {
        let Some(reference) = &node.reference else { return Some(None) };
        if reference.dynamic.is_some() {
            // Where it leads depends on who asks; the oracle knows.
            return Some(None);
        }
        if let Some(known) = self.targets.borrow().get(&std::ptr::from_ref(node)) {
            return known.clone().map(Some);
        }
        let seat = match self.resolve.link(file, reference) {
            Link::To(place) => self.seat(&place).map(|seat| {
                let away = place.file != *file && self.resolve.export(&place).is_some();
                Seat { away, ..seat }
            }),
            Link::Dangling | Link::Pending => None,
        };
        self.targets.borrow_mut().insert(std::ptr::from_ref(node), seat.clone());
        seat.map(Some)
    }

    /// The schema at a place.
    pub(super) fn seat(&self, place: &Place) -> Option<Seat<'a>> {
        self.resolve.schema(place).map(|schema| Seat { file: place.file.clone(), schema, sure: true, away: false })
    }

    pub(super) fn pattern(&self, text: &str) -> Option<Rc<Pattern>> {
        if let Some(known) = self.patterns.borrow().get(text) {
            return known.clone();
        }
        let parsed = Pattern::parse(text).map(Rc::new);
        self.patterns.borrow_mut().insert(text.into(), parsed.clone());
        parsed
    }

    /// The patterns that were asked for and have loops within loops.
    pub(super) fn risky(&self) -> Vec<Rc<Pattern>> {
        self.patterns.borrow().values().flatten().filter(|pattern| pattern.is_risky()).cloned().collect()
    }

    /// Does the pattern match? `true` if it cannot be said.
    pub(super) fn matches(&self, pattern: &str, text: &str) -> bool {
        self.pattern(pattern).and_then(|pattern| pattern.remembered(text)).unwrap_or(true)
    }

    pub(super) fn accepts(&self, seat: &Seat<'_>, document: &Json) -> bool {
        self.valid(&seat.file, seat.schema, document, 0)
    }

    fn valid(&self, file: &FileId, schema: &Schema, document: &Json, depth: usize) -> bool {
        match schema {
            Schema::Bool(all) => *all,
            Schema::Node(node) => self.faults(file, node, document, depth, false).is_empty(),
        }
    }

    /// Keywords of the node that the document violates; at most one unless `all`.
    pub(super) fn faults(
        &self,
        file: &FileId,
        node: &Node,
        document: &Json,
        depth: usize,
        all: bool,
    ) -> Vec<&'static str> {
        if depth > DEEPEST || !self.step() {
            return Vec::new();
        }
        let mut faults = Faults { list: Vec::new(), all };
        let valid = |schema: &Schema, document: &Json| self.valid(file, schema, document, depth + 1);
        let done = self.own(file, node, document, depth, &mut faults).is_none();
        if done {
            return faults.list;
        }
        if let Some(logic) = node.logic.as_deref() {
            let _ = (|| {
                faults.check("allOf", || logic.all_of.iter().all(|schema| valid(schema, document)))?;
                if !logic.any_of.is_empty() {
                    faults.check("anyOf", || logic.any_of.iter().any(|schema| valid(schema, document)))?;
                }
                if !logic.one_of.is_empty() {
                    let one = || logic.one_of.iter().filter(|schema| valid(schema, document)).take(2).count() == 1;
                    faults.check("oneOf", one)?;
                }
                if let Some(not) = &logic.not {
                    faults.check("not", || !valid(not, document))?;
                }
                if let Some(condition) = &logic.condition {
                    let (branch, keyword) = match valid(&condition.test, document) {
                        true => (&condition.then, "then"),
                        false => (&condition.otherwise, "else"),
                    };
                    if let Some(branch) = branch {
                        faults.check(keyword, || valid(branch, document))?;
                    }
                }
                Some(())
            })();
        }
        faults.list
    }

    /// All keywords but the combinators. `None`: enough was found.
    fn own(&self, file: &FileId, node: &Node, document: &Json, depth: usize, faults: &mut Faults) -> Option<()> {
        let valid = |schema: &Schema, document: &Json| self.valid(file, schema, document, depth + 1);
        match self.target(file, node) {
            None => faults.check("$ref", || false)?,
            Some(None) => {}
            Some(Some(seat)) => {
                faults.check("$ref", || self.valid(&seat.file, seat.schema, document, depth + 1))?;
            }
        }
        if let Some(types) = node.types {
            faults.check("type", || types.has(TypeSet::of(document)))?;
        }
        if let Some(members) = &node.enumeration {
            faults.check("enum", || members.iter().any(|member| member.same(document)))?;
        }
        if let Some(constant) = &node.constant {
            faults.check("const", || constant.same(document))?;
        }
        match document {
            Json::Number(number) => {
                if let Some(rules) = node.number.as_deref() {
                    let NumberRules {
                        minimum,
                        exclusive_minimum,
                        maximum,
                        exclusive_maximum,
                        multiple_of,
                        unfractioned,
                    } = rules;
                    faults.check("type", || !unfractioned || !number.text().contains(['.', 'e', 'E']))?;
                    if let Some(limit) = minimum {
                        faults.check("minimum", || number.compare(limit) != Ordering::Less)?;
                    }
                    if let Some(limit) = exclusive_minimum {
                        faults.check("exclusiveMinimum", || number.compare(limit) == Ordering::Greater)?;
                    }
                    if let Some(limit) = maximum {
                        faults.check("maximum", || number.compare(limit) != Ordering::Greater)?;
                    }
                    if let Some(limit) = exclusive_maximum {
                        faults.check("exclusiveMaximum", || number.compare(limit) == Ordering::Less)?;
                    }
                    if let Some(step) = multiple_of {
                        faults
                            .check("multipleOf", || super::decimal::Decimal::remainder(number, step).unwrap_or(true))?;
                    }
                }
            }
            Json::String(text) => {
                if let Some(rules) = node.string.as_deref() {
                    if rules.min_length.is_some() || rules.max_length.is_some() {
                        let length = text.chars().count() as u64;
                        faults.check("minLength", || rules.min_length.is_none_or(|min| length >= min))?;
                        faults.check("maxLength", || rules.max_length.is_none_or(|max| length <= max))?;
                    }
                    if let Some(pattern) = &rules.pattern {
                        faults.check("pattern", || self.matches(pattern, text))?;
                    }
                }
            }
            Json::Array(items) => {
                if let Some(rules) = node.array.as_deref() {
                    let length = items.len() as u64;
                    faults.check("minItems", || rules.min_items.is_none_or(|min| length >= min))?;
                    faults.check("maxItems", || rules.max_items.is_none_or(|max| length <= max))?;
                    faults.check("prefixItems", || rules.prefix.iter().zip(items).all(|(s, item)| valid(s, item)))?;
                    if let Some(rest) = &rules.items {
                        let from = rules.prefix.len().min(items.len());
                        faults.check("items", || items[from..].iter().all(|item| valid(rest, item)))?;
                    }
                    if let Some(contains) = &rules.contains {
                        let count = items.iter().filter(|item| valid(&contains.schema, item)).count() as u64;
                        let fits = count >= contains.min && contains.max.is_none_or(|max| count <= max);
                        faults.check("contains", || fits)?;
                    }
                    if rules.unique {
                        faults.check("uniqueItems", || {
                            items.iter().enumerate().all(|(i, item)| items[..i].iter().all(|other| !other.same(item)))
                        })?;
                    }
                }
            }
            Json::Object(members) => {
                if let Some(rules) = node.object.as_deref() {
                    let count = members.len() as u64;
                    faults.check("required", || all_there(&rules.required, members))?;
                    faults.check("minProperties", || rules.min_properties.is_none_or(|min| count >= min))?;
                    faults.check("maxProperties", || rules.max_properties.is_none_or(|max| count <= max))?;
                    // Members mostly stand in the order of the properties.
                    let mut next = 0;
                    for (name, value) in members {
                        let mut known = false;
                        if let Some(at) = position_from(&rules.properties, next, |property| property.name == *name) {
                            known = true;
                            next = at + 1;
                            faults.check("properties", || valid(&rules.properties[at].schema, value))?;
                        }
                        for (pattern, schema) in &rules.patterns {
                            if self.matches(pattern, name) {
                                known = true;
                                faults.check("patternProperties", || valid(schema, value))?;
                            }
                        }
                        if let (false, Some(additional)) = (known, &rules.additional) {
                            faults.check("additionalProperties", || valid(additional, value))?;
                        }
                        if let Some(names) = &rules.names {
                            faults.check("propertyNames", || valid(names, &Json::String(name.clone())))?;
                        }
                    }
                    for (name, wanted) in &rules.dependent_required {
                        if document.get(name).is_some() {
                            let all = || wanted.iter().all(|name| document.get(name).is_some());
                            faults.check("dependentRequired", all)?;
                        }
                    }
                    for (name, schema) in &rules.dependent_schemas {
                        if document.get(name).is_some() {
                            faults.check("dependentSchemas", || valid(schema, document))?;
                        }
                    }
                }
            }
            Json::Null | Json::Bool(_) => {}
        }
        Some(())
    }
}

/// Are there members of all these names?
fn all_there(names: &[Box<str>], members: &[(Box<str>, Json)]) -> bool {
    let mut next = 0;
    names.iter().all(|name| {
        let at = position_from(members, next, |(other, _)| other == name);
        next = at.map_or(next, |at| at + 1);
        at.is_some()
    })
}

struct Faults {
    list: Vec<&'static str>,
    all: bool,
}

impl Faults {
    /// Notes the keyword unless it holds; `None` when enough is known.
    fn check(&mut self, keyword: &'static str, holds: impl FnOnce() -> bool) -> Option<()> {
        if !holds() {
            if !self.list.contains(&keyword) {
                self.list.push(keyword);
            }
            if !self.all {
                return None;
            }
        }
        Some(())
    }
}
