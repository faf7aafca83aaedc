//! Example documents for a contract: valid ones, and ones that break one rule each.
//!
//! Pure and deterministic. Knows schemas through [`Resolve`] only. Every object of the contract gets a small valid document of
//! its own, a *base*, with as little as possible around it; the other documents are a change of one of these. What is valid
//! is for an independent judge to say; a rule for which no document is found goes without one.

mod change;
mod check;
mod decimal;
mod effort;
mod make;
mod pattern;
mod rules;
mod slow;
mod values;

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::rc::Rc;

pub use change::{Edit, Step};
pub use effort::effort;

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use crate::link::{Contract, Place, Resolve};
use crate::{Json, Number, Pointer, Schema};
use change::{difference, found, pointer, replaced, weight};
use check::{Seat, World};
use make::{Flat, Maker, Mode, Take};
use values::{exact, spoiled, wrong_types};

/// Larger bases (in values) are not made.
const LARGEST: usize = 4_000;
/// Values in the full document, roughly.
const VALUES: usize = 120;
/// Values in a base, roughly.
const AREA: usize = 16;
/// Simple members that one more document of an object shows together.
const TOGETHER: usize = 8;
/// Steps on the way to a place for which it does not count as deep.
const SHALLOW: usize = 4;
/// Choices at one place, and branches of one choice, that are shown.
const BRANCHES: usize = 40;
/// A contract with fewer documents gets further wrong types.
const SMALL: usize = 40;
/// Places within each other.
const DEEPEST: usize = 32;

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

/// A document that others are changes of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The document.
    pub document: Json,
    /// The place that it is about; empty for the root.
    pub pointer: Pointer,
}

/// One document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which base it changes.
    pub base: usize,
    /// How; none for the base itself.
    pub edits: Vec<Edit>,
    /// A short label, different for each: `minLength of /name: one below`.
    pub about: String,
    /// The instance (not the schema) that the document is about; empty for the root.
    pub pointer: Pointer,
    /// The keyword that it is about; empty for documents that show no rule in particular.
    pub keyword: &'static str,
    /// If the document is invalid: a validator must report `keyword` at `pointer`, and no other keyword there.
    pub certain: bool,
}

/// How much is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Documents.
    pub documents: usize,
    /// Values in all documents together, more for what is about a place deep inside: what the tests' time grows with.
    pub values: usize,
}

/// The documents, and whether there would have been more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    /// What is changed.
    pub bases: Vec<Base>,
    /// The documents; those of one place differ.
    pub candidates: Vec<Candidate>,
    /// The limit left out some: the rules near the root are covered, those deep inside are not all.
    pub cut: bool,
}

impl Samples {
    /// These documents, about nothing in particular.
    pub fn of(documents: impl IntoIterator<Item = Json>) -> Samples {
        let base = |document| Base { document, pointer: "".into() };
        let bases: Vec<Base> = documents.into_iter().map(base).collect();
        let candidate = |base: usize| Candidate {
            base,
            edits: Vec::new(),
            about: format!("document {}", base + 1),
            pointer: "".into(),
            keyword: "",
            certain: false,
        };
        Samples { candidates: (0..bases.len()).map(candidate).collect(), bases, cut: false }
    }

    /// A candidate as a document.
    pub fn document(&self, candidate: &Candidate) -> Json {
        let mut document = self.bases[candidate.base].document.clone();
        candidate.edits.iter().for_each(|edit| edit.apply(&mut document));
        document
    }

    /// For looking at many candidates as documents, one after the other.
    pub fn scratch(&self) -> Scratch {
        Scratch { bases: self.bases.iter().map(|base| base.document.clone()).collect() }
    }
}

/// Bases that are changed, looked at, and changed back.
#[derive(Debug)]
pub struct Scratch {
    bases: Vec<Json>,
}

impl Scratch {
    /// What `look` says of a candidate of the same samples as a document.
    pub fn look<T>(&mut self, candidate: &Candidate, look: impl FnOnce(&Json) -> T) -> T {
        match candidate.edits.as_slice() {
            [Edit::Put(path, document)] if path.is_empty() => look(document),
            edits => change::changed(&mut self.bases[candidate.base], edits, look),
        }
    }
}

/// Documents for the root of a contract, breadth first.
pub fn samples(contract: &Contract<'_>, resolve: &dyn Resolve, limit: Limit) -> Samples {
    samples_at(&Place::new(contract.file, ""), resolve, limit)
}

/// Documents for the schema at a place, breadth first.
pub fn samples_at(place: &Place, resolve: &dyn Resolve, limit: Limit) -> Samples {
    let world = World::new(resolve);
    let Some(root) = world.seat(place) else {
        return Samples { bases: Vec::new(), candidates: Vec::new(), cut: false };
    };
    let mut walk = Walk {
        maker: Maker::new(&world),
        limit,
        values: 0,
        bases: Vec::new(),
        weights: Vec::new(),
        list: Vec::new(),
        labels: FxHashMap::default(),
        seen: FxHashSet::default(),
        queue: VecDeque::new(),
        known: FxHashSet::default(),
        origins: 0,
        wrong: FxHashSet::default(),
        patterns: FxHashSet::default(),
        later: Vec::new(),
        cut: false,
    };
    walk.root(&[root]);
    while let Some(visit) = walk.queue.pop_front() {
        if walk.cut || world.exhausted() {
            walk.cut = true;
            break;
        }
        walk.visit(&visit);
    }
    for (base, edits, about, pointer, certain) in std::mem::take(&mut walk.later) {
        // For small contracts only: every further type is of little use.
        if walk.list.len() < SMALL {
            walk.add(base, edits, about.into(), &pointer, "type", certain);
        }
    }
    slow::bearable(Samples { bases: walk.bases, candidates: walk.list, cut: walk.cut }, &world)
}

/// A place in a document, with what holds there.
struct Visit<'a> {
    document: Rc<Json>,
    /// Its number, once it has been filed; members that were added together share it.
    base: Rc<Cell<Option<usize>>>,
    /// The document has further members of the object, this one among them.
    together: bool,
    path: Vec<Step>,
    spec: Vec<Seat<'a>>,
    /// The branch of which choice it takes, if it was made for that.
    branch: Option<(&'static str, String)>,
    /// The object that it is a member of, with as little as possible in it.
    within: Option<Rc<Within<'a>>>,
    /// The same for one place with any of its branches.
    origin: usize,
}

/// A simple member that an object can have, too.
struct Added<'a> {
    name: Box<str>,
    value: Json,
    path: Vec<Step>,
    spec: Vec<Seat<'a>>,
    /// What holds there.
    nodes: Vec<usize>,
}

/// What holds for an object, and the smallest one.
struct Within<'a> {
    spec: Vec<Seat<'a>>,
    members: Vec<(Box<str>, Json)>,
}

impl Within<'_> {
    /// With another member, or another value of one.
    fn with(&self, name: &str, value: Json) -> Json {
        let others = self.members.iter().filter(|(other, _)| **other != *name).cloned();
        Json::Object(others.chain([(name.into(), value)]).collect())
    }

    fn accepts(&self, world: &World<'_>, document: &Json) -> bool {
        self.spec.iter().all(|seat| world.accepts(seat, document))
    }
}

/// Base, edits, label, pointer, certain.
type Later = (usize, Vec<Edit>, String, Pointer, bool);

struct Walk<'a, 'w> {
    maker: Maker<'a, 'w>,
    limit: Limit,
    /// In all documents so far.
    values: usize,
    bases: Vec<Base>,
    weights: Vec<usize>,
    list: Vec<Candidate>,
    /// How often a label was wanted, by its hash.
    labels: FxHashMap<u64, usize>,
    /// Sets of nodes that were shown already, elsewhere in the document.
    seen: FxHashSet<Vec<usize>>,
    queue: VecDeque<Visit<'a>>,
    /// Nodes that have been visited, or will be.
    known: FxHashSet<usize>,
    /// Places that are looked at, counted; see [`Visit::origin`].
    origins: usize,
    /// Origins, and values of wrong types that were shown there: which branch is taken else does not matter to them.
    wrong: FxHashSet<(usize, u64)>,
    /// Patterns both sides of which were shown.
    patterns: FxHashSet<&'a str>,
    /// Documents for when all places have been visited.
    later: Vec<Later>,
    cut: bool,
}

/// A place being visited, while its documents are proposed.
struct Spot<'v, 'a> {
    base: usize,
    document: &'v Json,
    path: &'v [Step],
    spec: &'v [Seat<'a>],
    value: &'v Json,
    flat: &'v Flat<'a>,
    pointer: Pointer,
    origin: usize,
    /// Hashes of the values that were tried.
    tried: RefCell<Vec<u64>>,
    /// The smallest value, once somebody has asked for it.
    least: OnceCell<Option<Json>>,
}

impl<'v, 'a> Spot<'v, 'a> {
    /// What holds here and is not left to another file's tests.
    fn own(&self) -> impl Iterator<Item = &'v make::Part<'a>> + use<'v, 'a> {
        self.flat.parts.iter().filter(|part| !part.away)
    }

    /// The smallest value that may stand here.
    fn least(&self, maker: &Maker<'a, '_>) -> Option<&Json> {
        self.least.get_or_init(|| maker.make(self.spec, Mode::MINIMAL)).as_ref()
    }
}

/// `minLength of /name: one below`
fn label(spot: &Spot<'_, '_>, keyword: &str, what: &str) -> String {
    let at = if spot.pointer.is_empty() { "the document" } else { &spot.pointer };
    [keyword, " of ", at, ": ", what].concat()
}

fn hash(json: &Json) -> u64 {
    FxBuildHasher.hash_one(json)
}

impl<'a> Walk<'a, '_> {
    fn root(&mut self, spec: &[Seat<'a>]) {
        let full = self.maker.make(spec, Mode { full: true, budget: VALUES, variant: 0 });
        let minimal = self.maker.make(spec, Mode::MINIMAL);
        let area = self.maker.make(spec, Mode { full: true, budget: AREA, variant: 0 });
        let notes = spec.iter().filter_map(|seat| seat.schema.node()?.notes.as_deref());
        let stated: Vec<(String, &'static str, Json)> = notes
            .flat_map(|notes| {
                let examples = notes.examples.iter().enumerate();
                let examples = examples.map(|(i, json)| (format!("example {}", i + 1), "examples", json.clone()));
                examples.chain(notes.default.iter().map(|json| ("default".to_owned(), "default", json.clone())))
            })
            .filter(|(_, _, json)| exact(json))
            .take(12)
            .collect();
        // What nobody could build may still have been stated.
        let accepted = |json: &&Json| spec.iter().all(|seat| self.maker.world.accepts(seat, json));
        let given = stated.iter().map(|(_, _, json)| json).find(accepted).cloned();
        let nothing = [&full, &minimal, &given].iter().all(|json| json.is_none());
        // The document that most cases change comes first.
        let first = area.clone().or(full.clone()).or(minimal.clone()).or(given).unwrap_or(Json::Null);
        let Some(base) = self.base(first.clone(), "", if nothing { "null" } else { "a bit of everything" }) else {
            return;
        };
        if nothing {
            for (name, value) in wrong_types() {
                let about = format!("{name} instead of the document");
                self.add(base, vec![Edit::Put(Vec::new(), value.clone())], about.into(), "", "type", false);
            }
            return;
        }
        let mut known = vec![first.clone()];
        let mut others = stated;
        others.extend(full.clone().map(|full| ("everything".to_owned(), "", full)));
        // As an object it becomes a base, below.
        let alone = minimal.clone().filter(|minimal| !matches!(minimal, Json::Object(_)));
        others.extend(alone.map(|minimal| ("only what is required".to_owned(), "", minimal)));
        for (about, keyword, json) in others {
            if !known.contains(&json) {
                known.push(json.clone());
                self.add(base, difference(&[], &first, json), about.into(), "", keyword, false);
            }
        }
        // Many violations at once: each is to be reported at its place.
        if let Some(full @ (Json::Object(_) | Json::Array(_))) = &full {
            let null = |_: &Json| Json::Null;
            let far = |value: &Json| match value {
                Json::String(_) => Json::String("".into()),
                Json::Number(_) => Json::Number(Number::from_i64(-1_000_003)),
                _ => Json::String("text".into()),
            };
            for (about, value) in
                [("null for every value", spoiled(full, &null)), ("a far value for every value", spoiled(full, &far))]
            {
                self.add(base, vec![Edit::Put(Vec::new(), value)], about.into(), "", "", false);
            }
        }
        let start = |document: &Json, base| Visit {
            document: Rc::new(document.clone()),
            base: Rc::new(Cell::new(base)),
            together: false,
            path: Vec::new(),
            spec: spec.to_vec(),
            branch: None,
            within: None,
            origin: 0,
        };
        self.enqueue(start(&first, Some(base)));
        if let Some(minimal @ Json::Object(_)) = minimal.filter(|minimal| *minimal != first) {
            self.enqueue(Visit { branch: Some(("", "only what is required".to_owned())), ..start(&minimal, None) });
        }
    }

    fn enqueue(&mut self, visit: Visit<'a>) {
        if self.queue.len() < 20_000 && visit.path.len() < DEEPEST {
            self.queue.push_back(visit);
        }
    }

    /// Files a base, and the candidate that is the base itself.
    fn base(&mut self, document: Json, pointer: &str, about: &str) -> Option<usize> {
        let weight = weight(&document);
        if weight > LARGEST {
            return None;
        }
        let base = self.bases.len();
        self.bases.push(Base { document, pointer: pointer.into() });
        self.weights.push(weight);
        self.add(base, Vec::new(), about.into(), pointer, "", false);
        Some(base)
    }

    /// Files a document.
    fn add(
        &mut self,
        base: usize,
        edits: Vec<Edit>,
        about: Cow<'_, str>,
        at: &str,
        keyword: &'static str,
        certain: bool,
    ) {
        let whole = matches!(edits.as_slice(), [Edit::Put(path, _)] if path.is_empty());
        let changed: usize =
            edits.iter().map(|edit| if let Edit::Put(_, value) = edit { weight(value) } else { 0 }).sum();
        let weight = changed + if whole { 0 } else { self.weights[base] };
        // A call costs something, whatever it is given; what is wrong deep inside is looked for at each level on the way.
        let deeper = at.bytes().filter(|byte| *byte == b'/').count().saturating_sub(SHALLOW);
        self.values += weight + weight * deeper / 2 + 10;
        if self.cut || weight > LARGEST || self.list.len() >= self.limit.documents || self.values > self.limit.values {
            self.cut |= weight <= LARGEST;
            return;
        }
        let wanted = FxBuildHasher.hash_one(&*about);
        let (mut label, mut taken) = (None, wanted);
        while self.labels.contains_key(&taken) {
            let count = self.labels.entry(wanted).or_default();
            *count += 1;
            let numbered = format!("{about} ({count})");
            taken = FxBuildHasher.hash_one(numbered.as_str());
            label = Some(numbered);
        }
        self.labels.insert(taken, 1);
        let about = label.unwrap_or_else(|| about.into_owned());
        self.list.push(Candidate { base, edits, about, pointer: at.into(), keyword, certain });
    }

    /// Files the document with another value at the spot.
    fn propose(&mut self, spot: &Spot<'_, 'a>, keyword: &'static str, what: &str, value: Json) {
        let hash = hash(&value);
        if spot.tried.borrow().contains(&hash) {
            return;
        }
        spot.tried.borrow_mut().push(hash);
        if keyword == "type" && !self.wrong.insert((spot.origin, hash)) {
            return;
        }
        let (edits, certain) = self.phrase(spot, keyword, value);
        self.add(spot.base, edits, label(spot, keyword, what).into(), &spot.pointer, keyword, certain);
    }

    /// What makes the document with another value at the spot, and whether the keyword is certain.
    fn phrase(&self, spot: &Spot<'_, 'a>, keyword: &'static str, value: Json) -> (Vec<Edit>, bool) {
        // The keyword counts as certain if it is the only one that the value itself violates.
        let mut faults: Vec<&'static str> = Vec::new();
        if CERTAIN.contains(&keyword) {
            for part in spot.flat.parts.iter().filter(|part| part.sure) {
                for fault in self.maker.world.faults(&part.file, part.node, &value, 0, true) {
                    if !faults.contains(&fault) && !matches!(fault, "$ref" | "allOf") {
                        faults.push(fault);
                    }
                }
            }
        }
        let certain = faults == [keyword];
        (difference(spot.path, spot.value, value), certain)
    }

    fn visit(&mut self, visit: &Visit<'a>) {
        let document = visit.document.clone();
        let Some(value) = found(&document, &visit.path) else { return };
        let flat = self.maker.flat(&visit.spec, &Take::Value { value, any: false });
        // A node that says nothing of its own is not a place of its own.
        let parts = flat.parts.iter().filter(|part| !part.away && !part.node.is_only_reference());
        let mut key: Vec<usize> = parts.map(|part| std::ptr::from_ref(part.node) as usize).collect();
        key.sort_unstable();
        if flat.parts.is_empty() {
            return;
        }
        let own = !key.is_empty();
        // The smallest document shows other branches of the same nodes.
        key.push(usize::from(visit.branch.as_ref().is_some_and(|(keyword, _)| keyword.is_empty())));
        let fresh = own && self.seen.insert(key);
        let pointer = pointer(&visit.path);
        let base = match (visit.base.get(), &visit.branch) {
            (Some(base), _) => base,
            (None, branch) => {
                let at = match pointer.rsplit_once('/') {
                    Some((object, _)) if visit.together => object,
                    _ => &pointer,
                };
                let place = if at.is_empty() { "the document" } else { at };
                let about = match branch {
                    Some((keyword, what)) if !keyword.is_empty() => format!("{keyword} of {place}: {what}"),
                    Some((_, what)) => what.clone(),
                    None if visit.together => format!("more members of {place}"),
                    None => format!("with {pointer}"),
                };
                let Some(base) = self.base((*document).clone(), at, &about) else { return };
                visit.base.set(Some(base));
                base
            }
        };
        let tried = RefCell::new(vec![hash(value)]);
        let (path, spec) = (&*visit.path, &*visit.spec);
        let (origin, least) = (visit.origin, OnceCell::new());
        let spot = Spot { base, document: &document, path, spec, value, flat: &flat, pointer, origin, tried, least };
        if !fresh {
            if visit.branch.is_none() {
                self.glance(&spot);
            }
            return;
        }
        self.general(&spot);
        match value {
            Json::Object(_) => self.object(&spot),
            Json::Array(_) => self.array(&spot),
            Json::String(_) => self.string(&spot),
            Json::Number(number) => self.number(&spot, number),
            Json::Null | Json::Bool(_) => {}
        }
        if visit.branch.is_none() {
            self.branches(&spot, visit.within.as_ref());
        }
        self.negation(&spot);
        // The smallest document has nothing inside that others have not.
        if visit.branch.as_ref().is_none_or(|(keyword, _)| !keyword.is_empty()) {
            self.inside(visit, &spot);
        }
    }

    /// The nodes that hold there and are to be looked at, references followed.
    fn nodes(&self, spec: &[Seat<'a>]) -> Vec<usize> {
        let mut nodes = Vec::with_capacity(spec.len());
        for seat in spec {
            let mut seat = seat.clone();
            let mut hops = 0;
            while let Some(node) = seat.schema.node() {
                match self.maker.world.target(&seat.file, node).flatten() {
                    Some(target) if node.is_only_reference() && hops < DEEPEST => {
                        seat = Seat { away: seat.away || target.away, ..target };
                        hops += 1;
                    }
                    _ => break,
                }
            }
            if let (false, Some(node)) = (seat.away, seat.schema.node()) {
                nodes.push(std::ptr::from_ref(node) as usize);
            }
        }
        nodes
    }

    /// Members of an object: those that are there, those that are declared, and one for each pattern and for any other name.
    fn members(&self, flat: &Flat<'a>, members: &[(Box<str>, Json)]) -> Vec<(Step, Vec<Seat<'a>>)> {
        let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
        let rules = || flat.parts.iter().filter(|part| !part.away).filter_map(|part| part.node.object.as_deref());
        for property in flat.parts.iter().filter_map(|part| part.node.object.as_deref()).flat_map(|r| &r.properties) {
            if !names.contains(&&*property.name) {
                names.push(&property.name);
            }
        }
        let mut children: Vec<(Step, Vec<Seat<'a>>)> =
            names.into_iter().map(|name| (Step::Name(name.into()), self.maker.member(flat, name))).collect();
        if rules().any(|rules| !rules.patterns.is_empty() || matches!(rules.additional, Some(Schema::Node(_)))) {
            let mut shown: FxHashSet<Vec<usize>> = children.iter().map(|(_, spec)| self.nodes(spec)).collect();
            for name in self.maker.names(flat, 1) {
                let spec = self.maker.member(flat, &name);
                if shown.insert(self.nodes(&spec)) {
                    children.push((Step::Name(name), spec));
                }
            }
        }
        children
    }

    /// Goes on to members and items: simple ones in the same document, the others each in one of its own.
    fn inside(&mut self, visit: &Visit<'a>, spot: &Spot<'_, 'a>) {
        let flat = spot.flat;
        let mut children: Vec<(Step, Vec<Seat<'a>>)> = match spot.value {
            Json::Object(members) => self.members(flat, members),
            Json::Array(items) => (0..items.len().min(4)).map(|i| (Step::Index(i), self.maker.item(flat, i))).collect(),
            _ => return,
        };
        // What is inside a type of another file is its own tests' matter.
        children.retain(|(_, spec)| spec.iter().any(|seat| !seat.away));
        // A value that is no member is reported as such, and its inside is not looked at.
        let whole = flat.parts.iter().any(|part| part.node.enumeration.is_some() || part.node.constant.is_some());
        let required = |name: &str| {
            let mut rules = flat.parts.iter().filter_map(|part| part.node.object.as_deref());
            rules.any(|rules| rules.required.iter().any(|required| **required == *name))
        };
        // The branch that this value takes may be another one than that of the smallest value.
        let there: &[(Box<str>, Json)] = if let Json::Object(members) = spot.value { members } else { &[] };
        let members = match spot.least(&self.maker) {
            _ if children.is_empty() => None,
            Some(Json::Object(members)) => Some(members.clone()),
            _ if matches!(spot.value, Json::Object(_)) => {
                Some(there.iter().filter(|(name, _)| required(name)).cloned().collect())
            }
            _ => None,
        };
        let lean = members.map(|members| Rc::new(Within { spec: spot.spec.to_vec(), members }));
        let mut added: Vec<Added<'a>> = Vec::new();
        for (step, mut spec) in children {
            spec.iter_mut().for_each(|seat| seat.sure &= !whole);
            let path: Vec<Step> = visit.path.iter().cloned().chain([step.clone()]).collect();
            let nodes = self.nodes(&spec);
            if nodes.iter().all(|node| self.known.contains(node)) {
                // One wrong value shows that the rules are applied here too.
                let flat = &self.maker.flat(&spec, &Take::Value { value: &Json::Null, any: false });
                let (pointer, tried) = (pointer(&path), RefCell::default());
                let (base, document) = (spot.base, spot.document);
                let old = &Json::Null;
                self.origins += 1;
                let origin = self.origins;
                self.glance(&Spot {
                    base,
                    document,
                    path: &path,
                    spec: &spec,
                    value: old,
                    flat,
                    pointer,
                    origin,
                    tried,
                    least: OnceCell::new(),
                });
                continue;
            }
            let old = found(spot.value, std::slice::from_ref(&step));
            // What was left empty for want of room may have something to be looked at inside.
            let simple = |json: &Json| match json {
                Json::Array(items) if items.is_empty() => false,
                Json::Object(members) if members.is_empty() => false,
                json => weight(json) <= 2,
            };
            let wanted = match (&step, &lean) {
                (Step::Name(name), Some(lean)) if !old.is_some_and(simple) => {
                    let mode = Mode { full: true, budget: AREA, variant: 0 };
                    self.maker.make(&spec, mode).or_else(|| old.cloned()).map(|value| (name, lean, value))
                }
                _ => None,
            };
            let area = match wanted {
                Some((name, _, value)) if old.is_none() && simple(&value) => {
                    self.known.extend(&nodes);
                    added.push(Added { name: name.clone(), value, path, spec, nodes });
                    continue;
                }
                Some((name, lean, value)) => self.area(lean, there, &required, name, &value),
                None => None,
            };
            let (document, base) = match area {
                Some(area) => (Rc::new(replaced(spot.document, spot.path, area)), None),
                None if old.is_some() => (visit.document.clone(), Some(spot.base)),
                None => continue,
            };
            self.known.extend(nodes);
            self.origins += 1;
            let (base, within, origin) = (Rc::new(Cell::new(base)), lean.clone(), self.origins);
            self.enqueue(Visit { document, base, together: false, path, spec, branch: None, within, origin });
        }
        if let Some(lean) = lean {
            self.together(spot, &lean, there, &required, added);
        }
    }

    /// An object with this member: with the least beside it; or with what must be there alone; or with what this branch has.
    fn area(
        &self,
        lean: &Within<'a>,
        there: &[(Box<str>, Json)],
        required: &dyn Fn(&str) -> bool,
        name: &str,
        value: &Json,
    ) -> Option<Json> {
        let fits = |area: &Json| lean.accepts(self.maker.world, area);
        let only = |members: &[(Box<str>, Json)], kept: &dyn Fn(&str) -> bool| {
            let members = members.iter().filter(|(other, _)| **other != *name && kept(other)).cloned();
            Json::Object(members.chain([(name.into(), value.clone())]).collect())
        };
        Some(only(&lean.members, &|_| true))
            .filter(fits)
            .or_else(|| Some(only(there, required)).filter(fits))
            .or_else(|| Some(only(there, &|_| true)).filter(fits))
    }

    /// Goes on to simple members that the document had no room for: several in one document, where they go together.
    fn together(
        &mut self,
        spot: &Spot<'_, 'a>,
        lean: &Rc<Within<'a>>,
        there: &[(Box<str>, Json)],
        required: &dyn Fn(&str) -> bool,
        added: Vec<Added<'a>>,
    ) {
        let mut rest = added.into_iter().peekable();
        while rest.peek().is_some() {
            let group: Vec<Added<'a>> = rest.by_ref().take(TOGETHER).collect();
            let others = lean.members.iter().filter(|(name, _)| group.iter().all(|one| one.name != *name)).cloned();
            let own = group.iter().map(|one| (one.name.clone(), one.value.clone()));
            let all = Json::Object(others.chain(own).collect());
            let together = group.len() > 1 && lean.accepts(self.maker.world, &all);
            let shared = Rc::new(replaced(spot.document, spot.path, all));
            let number: Rc<Cell<Option<usize>>> = Rc::default();
            for Added { name, value, path, spec, nodes } in group {
                let (document, base) = if together {
                    (shared.clone(), number.clone())
                } else if let Some(area) = self.area(lean, there, required, &name, &value) {
                    (Rc::new(replaced(spot.document, spot.path, area)), Rc::default())
                } else {
                    nodes.iter().for_each(|node| {
                        self.known.remove(node);
                    });
                    continue;
                };
                self.origins += 1;
                let (within, origin) = (Some(lean.clone()), self.origins);
                self.enqueue(Visit { document, base, together, path, spec, branch: None, within, origin });
            }
        }
    }

    /// Documents for the branches that this one does not take, and what is inside them.
    fn branches(&mut self, spot: &Spot<'_, 'a>, within: Option<&Rc<Within<'a>>>) {
        let spec = spot.spec;
        let mode = Mode { full: true, budget: AREA, variant: 0 };
        // Conditions besides the one that is looked at are not to be met.
        let choices = self.maker.flat(spec, &Take::Picks(&[], 1)).choices;
        let usual = |keyword: &str| usize::from(make::conditional(keyword));
        for (i, (keyword, branches)) in choices.iter().enumerate().take(BRANCHES) {
            for branch in 0..(*branches).min(BRANCHES) {
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
                // What stands beside it is not needed, unless the object says so.
                let lean = match (within, spot.path.split_last()) {
                    (Some(within), Some((Step::Name(name), way))) => {
                        let object = within.with(name, value.clone());
                        let fits = within.accepts(self.maker.world, &object);
                        fits.then(|| replaced(spot.document, way, object))
                    }
                    _ => None,
                };
                self.enqueue(Visit {
                    document: Rc::new(lean.unwrap_or_else(|| replaced(spot.document, spot.path, value))),
                    base: Rc::default(),
                    together: false,
                    path: spot.path.to_vec(),
                    spec: spec.to_vec(),
                    branch: Some((keyword, what)),
                    within: within.cloned(),
                    origin: spot.origin,
                });
            }
        }
    }

    fn negation(&mut self, spot: &Spot<'_, 'a>) {
        for part in spot.own() {
            let Some(not) = part.node.logic.as_deref().and_then(|logic| logic.not.as_ref()) else { continue };
            let seat = Seat { file: part.file.clone(), schema: not, sure: false, away: false };
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

#[cfg(test)]
mod tests;
