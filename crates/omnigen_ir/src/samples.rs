//! Example documents for a contract: valid ones, and ones that break one rule each.
//!
//! Pure and deterministic. Knows schemas through [`Resolve`] only. What it expects of a document is a guess that an
//! independent judge confirms or corrects; a rule for which no document is found goes without one.

mod check;
mod decimal;
mod make;
mod pattern;

use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

use crate::link::{Contract, Place, Resolve};
use crate::schema::escape;
use crate::{Json, Number, Pointer, Schema, TypeSet};
use check::{Seat, World};
use decimal::Decimal;
use make::{Flat, LONGEST, Maker, Mode, Take};

/// Longer documents (bytes of JSON) are not made.
const LARGEST: usize = 64 * 1024;
/// Values in the full document, roughly.
const VALUES: usize = 120;

/// Keywords that are reported at the instance that they judge, under their own name.
const CERTAIN: [&str; 19] = [
    "type",
    "enum",
    "const",
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "required",
    "minProperties",
    "maxProperties",
    "anyOf",
    "oneOf",
];

/// One document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The document.
    pub document: Json,
    /// A short label, different for each: `minLength of /name: one below`.
    pub about: String,
    /// The instance (not the schema) that the document is about; empty for the root.
    pub pointer: Pointer,
    /// The keyword that it is about; empty for documents that show no rule in particular.
    pub keyword: &'static str,
    /// What the generator expects; a judge decides. `None`: cannot say.
    pub expect: Option<bool>,
    /// If the document is invalid: a validator must report `keyword` at `pointer`, and no other keyword there.
    pub certain: bool,
}

/// The documents, and how many more there would have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    /// The documents, no two equal.
    pub candidates: Vec<Candidate>,
    /// The limit left out some: the rules near the root are covered, those deep inside are not all.
    pub cut: bool,
}

/// At most `limit` documents for the root of a contract, breadth first.
pub fn candidates(contract: &Contract<'_>, resolve: &dyn Resolve, limit: usize) -> Vec<Candidate> {
    samples(contract, resolve, limit).candidates
}

/// The same, with the note whether the limit left something out.
pub fn samples(contract: &Contract<'_>, resolve: &dyn Resolve, limit: usize) -> Samples {
    let world = World::new(resolve);
    let Some(root) = world.seat(&Place::new(contract.file, "")) else {
        return Samples { candidates: Vec::new(), cut: false };
    };
    let spec = vec![root];
    let mut walk = Walk {
        maker: Maker::new(&world),
        root: spec.clone(),
        limit,
        list: Vec::new(),
        texts: HashSet::new(),
        labels: HashSet::new(),
        seen: HashSet::new(),
        queue: VecDeque::new(),
        later: Vec::new(),
        cut: false,
    };
    walk.bases(&spec);
    while let Some(visit) = walk.queue.pop_front() {
        if walk.cut || world.exhausted() {
            walk.cut = true;
            break;
        }
        walk.visit(&visit);
    }
    for (document, about, pointer, certain) in std::mem::take(&mut walk.later) {
        walk.add(document, &about, &pointer, "type", certain);
    }
    Samples { candidates: walk.list, cut: walk.cut }
}

#[derive(Clone)]
enum Step {
    Name(Box<str>),
    Index(usize),
}

/// A place in a document, with what holds there.
struct Visit<'a> {
    base: Rc<Json>,
    path: Vec<Step>,
    spec: Vec<Seat<'a>>,
    /// Try the branches that this document does not take?
    branch: bool,
}

struct Walk<'a, 'w> {
    maker: Maker<'a, 'w>,
    root: Vec<Seat<'a>>,
    limit: usize,
    list: Vec<Candidate>,
    texts: HashSet<String>,
    labels: HashSet<String>,
    /// Sets of nodes that were shown already, elsewhere in the document.
    seen: HashSet<Vec<usize>>,
    queue: VecDeque<Visit<'a>>,
    /// Documents for when all places have been visited: document, label, pointer, certain.
    later: Vec<(Json, String, Pointer, bool)>,
    cut: bool,
}

/// A place being visited, while its documents are proposed.
struct Spot<'v, 'a> {
    visit: &'v Visit<'a>,
    value: &'v Json,
    flat: &'v Flat<'a>,
    pointer: Pointer,
}

impl<'a> Walk<'a, '_> {
    fn bases(&mut self, spec: &[Seat<'a>]) {
        let full = self.maker.make(spec, Mode { full: true, budget: VALUES, variant: 0 });
        let minimal = self.maker.make(spec, Mode::MINIMAL);
        let notes = spec.iter().filter_map(|seat| seat.schema.node()?.notes.as_deref());
        let stated: Vec<(String, &'static str, Json)> = notes
            .flat_map(|notes| {
                let examples = notes.examples.iter().enumerate();
                let examples = examples.map(|(i, json)| (format!("example {}", i + 1), "examples", json.clone()));
                examples.chain(notes.default.iter().map(|json| ("default".to_owned(), "default", json.clone())))
            })
            .take(12)
            .collect();
        if let Some(full) = &full {
            self.add(full.clone(), "everything", "", "", false);
        }
        if let Some(minimal) = &minimal {
            self.add(minimal.clone(), "only what is required", "", "", false);
        }
        // Many violations at once: each is to be reported at its place.
        if let Some(full @ (Json::Object(_) | Json::Array(_))) = &full {
            let null = |_: &Json| Json::Null;
            let far = |value: &Json| match value {
                Json::String(_) => Json::String("".into()),
                Json::Number(_) => Json::Number(Number::from_i64(-1_000_003)),
                _ => Json::String("text".into()),
            };
            self.add(spoiled(full, &null), "null for every value", "", "", false);
            self.add(spoiled(full, &far), "a far value for every value", "", "", false);
        }
        for (about, keyword, json) in &stated {
            if exact(json) {
                self.add(json.clone(), about, "", keyword, false);
            }
        }
        // What nobody could build may still have been stated.
        let accepted = |json: &&Json| spec.iter().all(|seat| self.maker.world.accepts(seat, json));
        let given = stated.iter().map(|(_, _, json)| json).filter(|json| exact(json)).find(accepted);
        match full.or(minimal.clone()).or(given.cloned()) {
            Some(base) => {
                self.enqueue(Rc::new(base), Vec::new(), spec.to_vec(), true);
                if let Some(minimal) = minimal.filter(|minimal| matches!(minimal, Json::Object(_))) {
                    let base = Rc::new(minimal);
                    self.enqueue(base, Vec::new(), spec.to_vec(), false);
                }
            }
            None => {
                for (name, value) in wrong_types() {
                    self.add(value, &format!("{name} instead of the document"), "", "type", false);
                }
            }
        }
    }

    fn enqueue(&mut self, base: Rc<Json>, path: Vec<Step>, spec: Vec<Seat<'a>>, branch: bool) {
        if self.queue.len() < 4096 && path.len() < 32 {
            self.queue.push_back(Visit { base, path, spec, branch });
        }
    }

    /// Files a document, unless there is an equal one.
    fn add(&mut self, document: Json, about: &str, pointer: &str, keyword: &'static str, certain: bool) -> bool {
        let text = document.to_string();
        if self.cut || text.len() > LARGEST || self.texts.contains(&text) {
            return false;
        }
        if self.list.len() >= self.limit {
            self.cut = true;
            return false;
        }
        let world = self.maker.world;
        world.doubted();
        let valid = self.root.iter().all(|seat| world.accepts(seat, &document));
        let expect = (!world.doubted()).then_some(valid);
        let mut label = about.to_owned();
        let mut count = 2;
        while !self.labels.insert(label.clone()) {
            label = format!("{about} ({count})");
            count += 1;
        }
        self.texts.insert(text);
        self.list.push(Candidate { document, about: label, pointer: pointer.into(), keyword, expect, certain });
        true
    }

    /// Files the document with another value at the spot.
    fn propose(&mut self, spot: &Spot<'_, 'a>, keyword: &'static str, what: &str, value: Json) -> Option<Json> {
        let (document, about, certain) = self.phrase(spot, keyword, what, &value)?;
        self.add(document.clone(), &about, &spot.pointer, keyword, certain).then_some(document)
    }

    /// The document with another value at the spot, its label, and whether the keyword is certain.
    fn phrase(
        &self,
        spot: &Spot<'_, 'a>,
        keyword: &'static str,
        what: &str,
        value: &Json,
    ) -> Option<(Json, String, bool)> {
        let document = replaced(&spot.visit.base, &spot.visit.path, value)?;
        // The keyword counts as certain if it is the only one that the value itself violates.
        let mut faults: Vec<&'static str> = Vec::new();
        for part in spot.flat.parts.iter().filter(|part| part.sure) {
            for fault in self.maker.world.faults(&part.file, part.node, value, 0, true) {
                if !faults.contains(&fault) && !matches!(fault, "$ref" | "allOf") {
                    faults.push(fault);
                }
            }
        }
        self.maker.world.doubted();
        let certain = faults == [keyword] && CERTAIN.contains(&keyword);
        let at = if spot.pointer.is_empty() { "the document" } else { &spot.pointer };
        Some((document, format!("{keyword} of {at}: {what}"), certain))
    }

    fn visit(&mut self, visit: &Visit<'a>) {
        let base = visit.base.clone();
        let Some(value) = found(&base, &visit.path) else { return };
        let flat = self.maker.flat(&visit.spec, &Take::Value { value, any: false });
        let mut key: Vec<usize> = flat.parts.iter().map(|part| std::ptr::from_ref(part.node) as usize).collect();
        key.sort_unstable();
        key.push(usize::from(visit.branch));
        if !self.seen.insert(key) {
            return;
        }
        let spot = Spot { visit, value, flat: &flat, pointer: pointer(&visit.path) };
        self.general(&spot);
        match value {
            Json::Object(_) => self.object(&spot),
            Json::Array(_) => self.array(&spot),
            Json::String(_) => self.string(&spot),
            Json::Number(number) => self.number(&spot, number),
            Json::Null | Json::Bool(_) => {}
        }
        if visit.branch {
            self.branches(&spot);
        }
        self.negation(&spot);
        let children: Vec<(Step, Vec<Seat<'a>>)> = match value {
            Json::Object(members) => {
                members.iter().map(|(name, _)| (Step::Name(name.clone()), self.maker.member(&flat, name))).collect()
            }
            Json::Array(items) => {
                (0..items.len().min(4)).map(|i| (Step::Index(i), self.maker.item(&flat, i))).collect()
            }
            _ => Vec::new(),
        };
        // A value that is no member is reported as such, and its inside is not looked at.
        let whole = flat.parts.iter().any(|part| part.node.enumeration.is_some() || part.node.constant.is_some());
        for (step, mut spec) in children {
            spec.iter_mut().for_each(|seat| seat.sure &= !whole);
            if !spec.is_empty() {
                let path = visit.path.iter().cloned().chain([step]).collect();
                self.enqueue(base.clone(), path, spec, true);
            }
        }
    }

    /// Type, enum, const.
    fn general(&mut self, spot: &Spot<'_, 'a>) {
        let parts = || spot.flat.parts.iter().map(|part| part.node);
        let types = parts().filter_map(|node| node.types).fold(TypeSet::ALL, TypeSet::and);
        if types != TypeSet::ALL {
            // The nearest ones now; the others when every rule has had its turn.
            let wrong = near(types).into_iter().filter(|(_, value)| !types.has(TypeSet::of(value)));
            for (i, (name, value)) in wrong.enumerate() {
                if i < 2 {
                    self.propose(spot, "type", name, value);
                } else if let Some((document, about, certain)) = self.phrase(spot, "type", name, &value) {
                    self.later.push((document, about, spot.pointer.clone(), certain));
                }
            }
            let allowed = types.names().filter(|name| *name != "integer" || !types.has(TypeSet::NUMBER));
            if allowed.count() > 1 {
                for (name, value) in wrong_types() {
                    if types.has(TypeSet::of(&value)) && TypeSet::of(&value) != TypeSet::of(spot.value) {
                        self.propose(spot, "type", &format!("{name}, allowed"), value);
                    }
                }
            }
        }
        for node in parts() {
            if let Some(members) = &node.enumeration {
                for (i, member) in members.iter().enumerate().filter(|(_, member)| exact(member)).take(6) {
                    self.propose(spot, "enum", &format!("member {}", i + 1), member.clone());
                }
                self.propose(spot, "enum", "no member", other_than(&members.iter().collect::<Vec<_>>()));
            }
            if let Some(constant) = &node.constant {
                self.propose(spot, "const", "another value", other_than(&[constant]));
            }
        }
    }

    fn number(&mut self, spot: &Spot<'_, 'a>, number: &Number) {
        let nodes = || spot.flat.parts.iter().map(|part| part.node);
        let whole = nodes().any(|node| node.types.is_some_and(|types| !types.has(TypeSet::NUMBER)));
        let step = nodes().filter_map(|node| node.number.as_deref()?.multiple_of.as_ref()).find_map(Decimal::new);
        let unit = step.unwrap_or(if whole { Decimal::whole(1) } else { Decimal::half() });
        let json = |value: Option<Decimal>| value.and_then(Decimal::number).map(Json::Number);
        for rules in nodes().filter_map(|node| node.number.as_deref()) {
            for (keyword, bound, low) in [
                ("minimum", &rules.minimum, true),
                ("exclusiveMinimum", &rules.exclusive_minimum, true),
                ("maximum", &rules.maximum, false),
                ("exclusiveMaximum", &rules.exclusive_maximum, false),
            ] {
                let Some(bound) = bound.as_ref().and_then(Decimal::new) else { continue };
                for (what, value) in [
                    ("the bound", Some(bound)),
                    (if low { "below" } else { "above" }, if low { bound.minus(unit) } else { bound.plus(unit) }),
                    ("next to the bound", if low { bound.plus(unit) } else { bound.minus(unit) }),
                ] {
                    // Next to an inclusive bound is nothing to be seen.
                    if (what != "next to the bound" || keyword.starts_with("exclusive"))
                        && let Some(value) = json(value)
                    {
                        self.propose(spot, keyword, what, value);
                    }
                }
            }
            if let (Some(step), Some(value)) = (&rules.multiple_of, Decimal::new(number)) {
                for off in [Decimal::whole(1), Decimal::half(), Decimal::half().plus(Decimal::whole(2)).unwrap_or(unit)]
                {
                    let Some(Json::Number(other)) = json(value.plus(off)) else { continue };
                    if Decimal::remainder(&other, step) == Some(false) && (!whole || other.is_integer()) {
                        self.propose(spot, "multipleOf", "between two multiples", Json::Number(other));
                        break;
                    }
                }
                if let Some(value) = json(Decimal::new(step).and_then(|step| value.plus(step))) {
                    self.propose(spot, "multipleOf", "the next multiple", value);
                }
            }
        }
    }

    fn string(&mut self, spot: &Spot<'_, 'a>) {
        for part in &spot.flat.parts {
            let Some(rules) = part.node.string.as_deref() else { continue };
            let text = |length: u64| {
                let text = self.maker.text(spot.flat, length, length, 0)?;
                Some(Json::String(text.into()))
            };
            let mut found: Vec<(&'static str, &str, Option<Json>)> = Vec::new();
            if let Some(min) = rules.min_length.filter(|min| *min > 0 && *min < LONGEST) {
                found.push(("minLength", "exactly", text(min)));
                found.push(("minLength", "one below", text(min - 1)));
            }
            if let Some(max) = rules.max_length.filter(|max| *max < LONGEST) {
                found.push(("maxLength", "exactly", text(max)));
                found.push(("maxLength", "one above", text(max + 1)));
            }
            if let Some(pattern) = rules.pattern.as_deref().and_then(|pattern| self.maker.world.pattern(pattern)) {
                let min = rules.min_length.unwrap_or(0).min(LONGEST) as usize;
                let max = rules.max_length.unwrap_or(LONGEST).min(LONGEST) as usize;
                found.push(("pattern", "no match", pattern.miss(min, max).map(|text| Json::String(text.into()))));
                let other = pattern.sample(min, max, 3).map(|text| Json::String(text.into()));
                found.push(("pattern", "another match", other));
            }
            if let Some(format) = rules.format.as_deref() {
                let bad = make::ill_formed(format).map(|text| Json::String(text.into()));
                let good = make::well_formed(format, 1).map(|text| Json::String(text.into()));
                found.push(("format", "ill-formed", bad));
                found.push(("format", "well-formed", good));
            }
            for (keyword, what, value) in found {
                if let Some(value) = value {
                    self.propose(spot, keyword, what, value);
                }
            }
        }
    }

    fn array(&mut self, spot: &Spot<'_, 'a>) {
        let Json::Array(items) = spot.value else { return };
        for part in &spot.flat.parts {
            let Some(rules) = part.node.array.as_deref() else { continue };
            let mut found: Vec<(&'static str, &str, Option<Json>)> = Vec::new();
            if let Some(min) = rules.min_items.filter(|min| *min > 0) {
                found.push(("minItems", "exactly", self.maker.exactly(spot.flat, min)));
                found.push(("minItems", "one below", self.maker.exactly(spot.flat, min - 1)));
            }
            if let Some(max) = rules.max_items {
                found.push(("maxItems", "exactly", self.maker.exactly(spot.flat, max)));
                found.push(("maxItems", "one above", self.maker.exactly(spot.flat, max.saturating_add(1))));
            }
            if let (true, Some(first)) = (rules.unique, items.first()) {
                let twice = items.iter().chain([first]).cloned().collect();
                found.push(("uniqueItems", "an item twice", Some(Json::Array(twice))));
            }
            if let Some(contains) = &rules.contains {
                let seat = Seat { file: part.file.clone(), schema: &contains.schema, sure: false };
                let others = wrong_types().into_iter().map(|(_, value)| Json::Array(vec![value]));
                let none = others.chain([Json::Array(Vec::new())]).find(|array| {
                    let Json::Array(items) = array else { return false };
                    let faults = self.maker.world.faults(&part.file, part.node, array, 0, true);
                    !items.iter().any(|item| self.maker.world.accepts(&seat, item)) && faults == ["contains"]
                });
                found.push(("contains", "none", none));
                if let Some(max) = contains.max.filter(|max| *max < 20)
                    && let Some(item) = self.maker.make(&[seat], Mode::MINIMAL)
                {
                    found.push(("contains", "too many", Some(Json::Array(vec![item; max as usize + 1]))));
                }
            }
            if rules.items == Some(Schema::Bool(false)) && items.len() <= rules.prefix.len() {
                let filled = self.maker.exactly(spot.flat, rules.prefix.len() as u64);
                let more = filled.and_then(|filled| match filled {
                    Json::Array(mut items) => {
                        items.push(Json::String("extra".into()));
                        Some(Json::Array(items))
                    }
                    _ => None,
                });
                found.push(("items", "one too many", more));
            }
            for (keyword, what, value) in found {
                if let Some(value) = value {
                    self.propose(spot, keyword, what, value);
                }
            }
        }
        if !items.is_empty() && spot.visit.path.len() < 3 {
            self.propose(spot, "items", "empty", Json::Array(Vec::new()));
        }
    }

    fn object(&mut self, spot: &Spot<'_, 'a>) {
        let Json::Object(members) = spot.value else { return };
        let without = |names: &[&str]| {
            Json::Object(members.iter().filter(|(name, _)| !names.contains(&&**name)).cloned().collect())
        };
        let with = |name: &str, value: Json| {
            Json::Object(members.iter().cloned().chain([(name.into(), value)]).collect::<Vec<_>>())
        };
        for part in &spot.flat.parts {
            let Some(rules) = part.node.object.as_deref() else { continue };
            for name in rules.required.iter().take(60) {
                self.propose(spot, "required", &format!("without {name:?}"), without(&[name]));
            }
            let undeclared = || self.maker.names(spot.flat, 2);
            if let Some(additional) = &rules.additional {
                let spare = undeclared().into_iter().find(|name| {
                    spot.value.get(name).is_none()
                        && rules.properties.iter().all(|property| property.name != *name)
                        && !rules.patterns.iter().any(|(pattern, _)| self.maker.world.matches(pattern, name))
                });
                let bad = match additional {
                    Schema::Bool(_) => Some(Json::Bool(true)),
                    Schema::Node(node) => wrong_types()
                        .into_iter()
                        .map(|(_, value)| value)
                        .find(|value| !self.maker.world.faults(&part.file, node, value, 0, false).is_empty()),
                };
                if let (Some(name), Some(value)) = (spare, bad) {
                    self.propose(spot, "additionalProperties", "one more", with(&name, value));
                }
            } else if rules.names.is_none() && spot.visit.path.is_empty() {
                let spare = undeclared().into_iter().find(|name| spot.value.get(name).is_none());
                if let Some(name) = spare {
                    self.propose(spot, "properties", "one more", with(&name, Json::Null));
                }
            }
            if let Some(names) = &rules.names {
                let seat = Seat { file: part.file.clone(), schema: names, sure: false };
                let bad = [
                    "extra",
                    "",
                    "0",
                    "!",
                    "Extra Name",
                    "an extra name that is longer than most limits allow for one",
                ]
                .into_iter()
                .find(|name| !self.maker.world.accepts(&seat, &Json::String((*name).into())));
                if let Some(name) = bad {
                    let value = self.maker.make(&self.maker.member(spot.flat, name), Mode::MINIMAL);
                    if let Some(value) = value {
                        self.propose(spot, "propertyNames", "a wrong name", with(name, value));
                    }
                }
            }
            for (name, wanted) in &rules.dependent_required {
                let mut object = spot.value.clone();
                if object.get(name).is_none() {
                    let Some(value) = self.maker.make(&self.maker.member(spot.flat, name), Mode::MINIMAL) else {
                        continue;
                    };
                    object = with(name, value);
                }
                for missing in wanted.iter().take(10) {
                    let Json::Object(members) = &object else { continue };
                    let rest = members.iter().filter(|(name, _)| name != missing).cloned().collect();
                    let what = format!("{name:?} without {missing:?}");
                    self.propose(spot, "dependentRequired", &what, Json::Object(rest));
                }
                self.propose(spot, "dependentRequired", &format!("without {name:?}"), without(&[name]));
            }
            for (name, _) in &rules.dependent_schemas {
                self.propose(spot, "dependentSchemas", &format!("without {name:?}"), without(&[name]));
            }
            if let Some(min) = rules.min_properties.filter(|min| *min > 0 && *min < LONGEST) {
                let optional = |name: &str| rules.required.iter().all(|required| **required != *name);
                let mut kept: Vec<(Box<str>, Json)> = members.clone();
                while kept.len() as u64 >= min {
                    let last = kept.iter().rposition(|(name, _)| optional(name)).unwrap_or(kept.len() - 1);
                    let exact = (kept.len() as u64 == min).then(|| Json::Object(kept.clone()));
                    if let Some(exact) = exact {
                        self.propose(spot, "minProperties", "exactly", exact);
                    }
                    kept.remove(last);
                }
                self.propose(spot, "minProperties", "one below", Json::Object(kept));
            }
            if let Some(max) = rules.max_properties.filter(|max| *max < LONGEST) {
                let mut more = members.clone();
                for name in self.maker.names(spot.flat, max as usize + 1) {
                    if more.len() as u64 > max {
                        break;
                    }
                    if more.iter().all(|(other, _)| *other != name)
                        && let Some(value) = self.maker.make(&self.maker.member(spot.flat, &name), Mode::MINIMAL)
                    {
                        more.push((name, value));
                        if more.len() as u64 == max {
                            self.propose(spot, "maxProperties", "exactly", Json::Object(more.clone()));
                        }
                    }
                }
                if more.len() as u64 == max + 1 {
                    self.propose(spot, "maxProperties", "one above", Json::Object(more));
                }
            }
        }
    }

    /// Documents for the branches that this one does not take, and what is inside them.
    fn branches(&mut self, spot: &Spot<'_, 'a>) {
        let spec = &spot.visit.spec;
        let budget = VALUES / 4;
        let mode = Mode { full: true, budget, variant: 0 };
        // Conditions besides the one that is looked at are not to be met.
        let (_, choices) = self.maker.attempt(spec, &[], 1, mode);
        let usual = |keyword: &str| usize::from(make::conditional(keyword));
        for (i, (keyword, branches)) in choices.iter().enumerate().take(24) {
            for branch in 0..(*branches).min(24) {
                if self.cut || (branch == usual(keyword) && i > 0) {
                    continue;
                }
                let mut picks: Vec<usize> = choices[..i].iter().map(|(keyword, _)| usual(keyword)).collect();
                picks.push(branch);
                let value = self.maker.attempt(spec, &picks, 1, mode).0;
                let value = value.or_else(|| self.maker.attempt(spec, &picks, 1, Mode::MINIMAL).0);
                let Some(value) = value.filter(|value| value != spot.value) else { continue };
                let what = match (*keyword, branch) {
                    ("if" | "dependentSchemas", 0) => "met".to_owned(),
                    ("if" | "dependentSchemas", _) => "not met".to_owned(),
                    (_, branch) => format!("branch {}", branch + 1),
                };
                if let Some(document) = self.propose(spot, keyword, &what, value) {
                    self.enqueue(Rc::new(document), spot.visit.path.clone(), spec.clone(), false);
                }
            }
        }
    }

    fn negation(&mut self, spot: &Spot<'_, 'a>) {
        for part in &spot.flat.parts {
            let Some(not) = part.node.logic.as_deref().and_then(|logic| logic.not.as_ref()) else { continue };
            let seat = Seat { file: part.file.clone(), schema: not, sure: false };
            let Some(value) = self.maker.make(&[seat], Mode::MINIMAL) else { continue };
            let value = match (value, spot.value) {
                (Json::Object(added), Json::Object(members)) => {
                    let kept = members.iter().filter(|(name, _)| added.iter().all(|(other, _)| other != name));
                    Json::Object(kept.cloned().chain(added.iter().cloned()).collect())
                }
                (value, _) => value,
            };
            self.propose(spot, "not", "what is forbidden", value);
        }
    }
}

/// One value of each type, the likeliest mistakes for these types first.
fn near(types: TypeSet) -> Vec<(&'static str, Json)> {
    let first: &[&str] = if types.meets(TypeSet::OBJECT) {
        &["null", "array"]
    } else if types.meets(TypeSet::ARRAY) {
        &["null", "object"]
    } else if types.meets(TypeSet::STRING) {
        &["null", "integer"]
    } else if types.meets(TypeSet::NUMBER) {
        &["string", "number", "boolean"]
    } else {
        &["string", "integer"]
    };
    let mut list = wrong_types().to_vec();
    list.sort_by_key(|(name, _)| first.iter().position(|other| other == name).unwrap_or(first.len()));
    list
}

/// One value of each type.
fn wrong_types() -> [(&'static str, Json); 7] {
    let number = |text| Number::new(text).map_or(Json::Null, Json::Number);
    [
        ("null", Json::Null),
        ("string", Json::String("text".into())),
        ("integer", number("12")),
        ("boolean", Json::Bool(true)),
        ("number", number("0.5")),
        ("array", Json::Array(Vec::new())),
        ("object", Json::Object(Vec::new())),
    ]
}

/// With every innermost value replaced.
fn spoiled(json: &Json, by: &dyn Fn(&Json) -> Json) -> Json {
    match json {
        Json::Array(items) if !items.is_empty() => Json::Array(items.iter().map(|item| spoiled(item, by)).collect()),
        Json::Object(members) if !members.is_empty() => {
            Json::Object(members.iter().map(|(name, value)| (name.clone(), spoiled(value, by))).collect())
        }
        value => by(value),
    }
}

/// A value that is none of these, of the same type where that is easy.
fn other_than(members: &[&Json]) -> Json {
    let number = |n: i64| Json::Number(Number::from_i64(n));
    let tries: Vec<Json> = match members.first() {
        Some(Json::String(text)) => {
            vec![Json::String(format!("{text}!").into()), Json::String("no such value".into())]
        }
        Some(Json::Number(_)) => (0..).map(number).take(members.len() + 1).collect(),
        Some(Json::Bool(value)) => vec![Json::Bool(!value)],
        Some(Json::Array(_)) => vec![Json::Array(vec![Json::String("no such value".into())])],
        Some(Json::Object(_)) => vec![Json::Object(vec![("no such name".into(), Json::Null)])],
        _ => Vec::new(),
    };
    let fits = |value: &Json| members.iter().all(|member| !member.same(value));
    tries.into_iter().find(fits).unwrap_or_else(|| Json::String("no such value, nor any other".into()))
}

/// Can every reader hold all numbers of this value?
fn exact(json: &Json) -> bool {
    match json {
        Json::Number(number) => Decimal::new(number).is_some(),
        Json::Array(items) => items.iter().all(exact),
        Json::Object(members) => members.iter().all(|(_, value)| exact(value)),
        _ => true,
    }
}

fn found<'j>(base: &'j Json, path: &[Step]) -> Option<&'j Json> {
    path.iter().try_fold(base, |value, step| match (value, step) {
        (Json::Object(_), Step::Name(name)) => value.get(name),
        (Json::Array(items), Step::Index(i)) => items.get(*i),
        _ => None,
    })
}

fn replaced(base: &Json, path: &[Step], new: &Json) -> Option<Json> {
    let mut document = base.clone();
    let mut at = &mut document;
    for step in path {
        at = match (at, step) {
            (Json::Object(members), Step::Name(name)) => &mut members.iter_mut().find(|(n, _)| n == name)?.1,
            (Json::Array(items), Step::Index(i)) => items.get_mut(*i)?,
            _ => return None,
        };
    }
    *at = new.clone();
    Some(document)
}

fn pointer(path: &[Step]) -> Pointer {
    let mut text = String::new();
    for step in path {
        text.push('/');
        match step {
            Step::Name(name) => text.push_str(&escape(name)),
            Step::Index(i) => text.push_str(&i.to_string()),
        }
    }
    text.into()
}

#[cfg(test)]
mod tests;
