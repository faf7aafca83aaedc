//! Documents that satisfy schemas: a guess per schema, checked, then another guess.

use std::cell::{Cell, RefCell};

use rustc_hash::FxHashMap;

use super::check::{Seat, World};
use super::decimal::Decimal;
use crate::link::FileId;
use crate::{Json, Node, Number, Schema, TypeSet};

/// Values within each other.
const DEEPEST: usize = 24;
/// Longer strings and arrays are not made.
pub(super) const LONGEST: u64 = 1_000;

/// Which document is wanted.
#[derive(Clone, Copy)]
pub(super) struct Mode {
    /// With what is optional, as far as the budget goes; else only what is required.
    pub(super) full: bool,
    /// Roughly how many values it may have.
    pub(super) budget: usize,
    /// Different variants give different values, where there are several.
    pub(super) variant: usize,
}

impl Mode {
    pub(super) const MINIMAL: Mode = Mode { full: false, budget: 0, variant: 0 };
}

/// A node with its file; see [`Seat::sure`].
pub(super) struct Part<'a> {
    pub(super) file: FileId,
    pub(super) node: &'a Node,
    pub(super) sure: bool,
    /// See [`Seat::away`].
    pub(super) away: bool,
}

/// All nodes that hold for one value together: references followed, `allOf` flattened, one branch of each choice taken.
pub(super) struct Flat<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// For each choice met: its keyword and the number of branches.
    pub(super) choices: Vec<(&'static str, usize)>,
    /// Something accepts nothing.
    pub(super) never: bool,
}

/// Which branch of a choice is taken.
pub(super) enum Take<'t> {
    /// The n-th choice met takes this branch. Beyond the list: the first, or for conditions the branch given.
    Picks(&'t [usize], usize),
    /// The first that accepts the value; the first of all if none does and `any` is set.
    Value { value: &'t Json, any: bool },
}

/// How far a value has been looked at that is made once.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Care {
    /// It is part of a larger one, which will be looked at as a whole.
    Trusted,
    /// It is part of a larger one, and was looked at.
    Careful,
    /// It stands alone, and was looked at.
    Whole,
}

/// Makes documents.
///
/// Parts of a document are put together unseen, and the whole is looked at: it is nearly always right, and to look at each part by
/// itself would be to look at the innermost ones once for every level. Only if the whole is wrong, it is made again with care.
pub(super) struct Maker<'a, 'w> {
    pub(super) world: &'w World<'a>,
    /// Nodes that a value is being made for, outermost first.
    stack: RefCell<Vec<*const Node>>,
    /// Parts are looked at by themselves.
    careful: Cell<bool>,
    /// The smallest values of single nodes; see [`Mode::MINIMAL`].
    least: RefCell<FxHashMap<(*const Node, Care), Option<Json>>>,
    /// How often it was the way there that a value was made in another way, or not at all.
    hindered: Cell<usize>,
}

impl<'a, 'w> Maker<'a, 'w> {
    pub(super) fn new(world: &'w World<'a>) -> Maker<'a, 'w> {
        Maker {
            world,
            stack: RefCell::default(),
            careful: Cell::new(false),
            least: RefCell::default(),
            hindered: Cell::new(0),
        }
    }

    /// Flattens.
    pub(super) fn flat(&self, spec: &[Seat<'a>], take: &Take<'_>) -> Flat<'a> {
        let mut flat = Flat { parts: Vec::new(), choices: Vec::new(), never: false };
        for seat in spec {
            self.flatten(seat.clone(), take, &mut flat, 0);
        }
        flat
    }

    fn flatten(&self, seat: Seat<'a>, take: &Take<'_>, flat: &mut Flat<'a>, depth: usize) {
        let node = match seat.schema {
            Schema::Bool(all) => {
                flat.never |= !all;
                return;
            }
            Schema::Node(node) => &**node,
        };
        if depth > DEEPEST || flat.parts.iter().any(|part| std::ptr::eq(part.node, node)) || !self.world.step() {
            return;
        }
        flat.parts.push(Part { file: seat.file.clone(), node, sure: seat.sure, away: seat.away });
        match self.world.target(&seat.file, node) {
            None => flat.never = true,
            Some(None) => {}
            Some(Some(target)) => {
                self.flatten(Seat { sure: seat.sure, away: seat.away || target.away, ..target }, take, flat, depth + 1);
            }
        }
        if let Some(logic) = node.logic.as_deref() {
            for schema in &logic.all_of {
                self.flatten(Seat { schema, ..seat.clone() }, take, flat, depth + 1);
            }
            for (keyword, list) in [("anyOf", &logic.any_of), ("oneOf", &logic.one_of)] {
                if !list.is_empty() {
                    let accepts = |i: usize, value: &Json| {
                        self.world.accepts(
                            &Seat { schema: &list[i], file: seat.file.clone(), sure: false, away: false },
                            value,
                        )
                    };
                    let pick = self.pick(keyword, list.len(), take, flat, accepts);
                    if let Some(schema) = pick.and_then(|pick| list.get(pick)) {
                        self.flatten(Seat { schema, sure: false, ..seat.clone() }, take, flat, depth + 1);
                    }
                }
            }
            if let Some(condition) = &logic.condition {
                let test = Seat { schema: &condition.test, sure: false, ..seat.clone() };
                let holds = |i: usize, value: &Json| self.world.accepts(&test, value) == (i == 0);
                let pick = self.pick("if", 2, take, flat, holds);
                let branch = if pick == Some(0) {
                    self.flatten(test.clone(), take, flat, depth + 1);
                    &condition.then
                } else {
                    &condition.otherwise
                };
                if let Some(schema) = branch {
                    self.flatten(Seat { schema, sure: false, ..seat.clone() }, take, flat, depth + 1);
                }
            }
        }
        if let Some(object) = node.object.as_deref() {
            for (name, schema) in &object.dependent_schemas {
                let holds = |i: usize, value: &Json| value.get(name).is_some() == (i == 0);
                if self.pick("dependentSchemas", 2, take, flat, holds) == Some(0) {
                    self.flatten(Seat { schema, sure: false, ..seat.clone() }, take, flat, depth + 1);
                }
            }
        }
    }

    fn pick(
        &self,
        keyword: &'static str,
        branches: usize,
        take: &Take<'_>,
        flat: &mut Flat<'a>,
        accepts: impl Fn(usize, &Json) -> bool,
    ) -> Option<usize> {
        let at = flat.choices.len();
        flat.choices.push((keyword, branches));
        match take {
            Take::Picks(picks, condition) => {
                let beyond = if conditional(keyword) { *condition } else { 0 };
                Some(picks.get(at).copied().unwrap_or(beyond))
            }
            Take::Value { value, any } => (0..branches).find(|i| accepts(*i, value)).or(any.then_some(0)),
        }
    }

    /// Is it nothing but a reference to a type of another file?
    pub(super) fn leads_away(&self, seat: &Seat<'a>) -> bool {
        let Schema::Node(node) = seat.schema else { return false };
        node.is_only_reference() && matches!(self.world.target(&seat.file, node), Some(Some(target)) if target.away)
    }

    /// A document that satisfies all of `spec`.
    pub(super) fn make(&self, spec: &[Seat<'a>], mode: Mode) -> Option<Json> {
        // Of a type of another file the smallest will do.
        let mode = if spec.iter().any(|seat| self.leads_away(seat)) { Mode { full: false, ..mode } } else { mode };
        let least = |mode| self.least(spec, Mode { full: false, ..mode });
        if mode.full { self.search(spec, mode).or_else(|| least(mode)) } else { least(mode) }
    }

    /// What [`search`](Maker::search) finds with as little as possible. That of one node is made once.
    fn least(&self, spec: &[Seat<'a>], mode: Mode) -> Option<Json> {
        let [Seat { schema: Schema::Node(node), .. }] = spec else { return self.search(spec, mode) };
        if mode.variant != 0 {
            return self.search(spec, mode);
        }
        let care = match (self.stack.borrow().is_empty(), self.careful.get()) {
            (true, _) => Care::Whole,
            (false, true) => Care::Careful,
            (false, false) => Care::Trusted,
        };
        let key = (std::ptr::from_ref(&**node), care);
        if let Some(known) = self.least.borrow().get(&key) {
            return known.clone();
        }
        let before = self.hindered.get();
        let found = self.search(spec, mode);
        if self.hindered.get() == before && !self.world.exhausted() {
            self.least.borrow_mut().insert(key, found.clone());
        }
        found
    }

    fn search(&self, spec: &[Seat<'a>], mode: Mode) -> Option<Json> {
        let (first, choices) = self.attempt(spec, &[], 0, mode);
        if first.is_some() {
            return first;
        }
        if choices.iter().any(|(keyword, _)| conditional(keyword))
            && let (Some(value), _) = self.attempt(spec, &[], 1, mode)
        {
            return Some(value);
        }
        let most = if self.stack.borrow().len() > 8 { 6 } else { 40 };
        // One choice changed at a time; branches may bring choices of their own, which stay at their first.
        let turns = choices.iter().enumerate().flat_map(|(i, (_, branches))| (1..*branches).map(move |v| (i, v)));
        for (i, branch) in turns.take(most) {
            let mut picks = vec![0; i + 1];
            picks[i] = branch;
            let (value, inner) = self.attempt(spec, &picks, 0, mode);
            if value.is_some() {
                return value;
            }
            if self.world.exhausted() {
                return None;
            }
            // And the next choice behind it.
            if let Some((_, branches)) = inner.get(i + 1).filter(|_| most > 6) {
                for next in 1..(*branches).min(4) {
                    picks.truncate(i + 1);
                    picks.push(next);
                    if let (Some(value), _) = self.attempt(spec, &picks, 0, mode) {
                        return Some(value);
                    }
                }
            }
        }
        None
    }

    /// A document with these branches taken (conditions beyond them: `condition`), if the guess is right; and the
    /// choices met.
    pub(super) fn attempt(
        &self,
        spec: &[Seat<'a>],
        picks: &[usize],
        condition: usize,
        mode: Mode,
    ) -> (Option<Json>, Vec<(&'static str, usize)>) {
        if !self.world.step() {
            return (None, Vec::new());
        }
        let flat = self.flat(spec, &Take::Picks(picks, condition));
        if flat.never {
            return (None, flat.choices);
        }
        let depth = self.stack.borrow().len();
        let again = {
            let stack = self.stack.borrow();
            let count = |node: *const Node| stack.iter().filter(|other| std::ptr::eq(**other, node)).count();
            flat.parts.iter().map(|part| count(part.node)).max().unwrap_or(0)
        };
        if again > 3 || depth > DEEPEST * 4 {
            self.hindered.set(self.hindered.get() + 1);
            return (None, flat.choices);
        }
        let mode = if again > 0 { Mode { full: false, ..mode } } else { mode };
        self.stack.borrow_mut().extend(flat.parts.iter().map(|part| std::ptr::from_ref(part.node)));
        let fits = |value: &Json| spec.iter().all(|seat| self.world.accepts(seat, value));
        let mut found = self.build(&flat, mode, &[]);
        let careful = self.careful.get();
        let looked_at = careful || depth == 0;
        if looked_at && found.as_ref().is_some_and(|value| !fits(value)) && !careful {
            self.careful.set(true);
            found = self.build(&flat, mode, &[]);
        }
        if looked_at && let Some(value) = found.take_if(|value| !fits(value)) {
            let avoid = avoided(&flat);
            if !avoid.is_empty() {
                found = self.build(&flat, mode, &avoid).filter(fits);
            }
            // What was built may take other branches than planned: plan for those.
            let mut value = value;
            for _ in 0..2 {
                if found.is_some() || flat.choices.is_empty() {
                    break;
                }
                let other = self.flat(spec, &Take::Value { value: &value, any: true });
                let Some(next) = self.build(&other, mode, &[]).filter(|_| !other.never) else { break };
                if fits(&next) {
                    found = Some(next);
                } else {
                    value = next;
                }
            }
        }
        self.careful.set(careful);
        self.stack.borrow_mut().truncate(depth);
        (found, flat.choices)
    }

    fn build(&self, flat: &Flat<'a>, mode: Mode, avoid: &[&str]) -> Option<Json> {
        let fits = |value: &Json| {
            flat.parts.iter().all(|part| {
                part.node.types.is_none_or(|types| types.has(TypeSet::of(value)))
                    && self.world.faults(&part.file, part.node, value, 0, false).is_empty()
            })
        };
        if let Some(constant) = flat.parts.iter().find_map(|part| part.node.constant.as_ref()) {
            return Some(constant.clone());
        }
        if let Some(members) = flat.parts.iter().find_map(|part| part.node.enumeration.as_ref()) {
            let count = members.len();
            return (0..count.min(200)).map(|i| &members[(i + mode.variant) % count]).find(|v| fits(v)).cloned();
        }
        let notes = flat.parts.iter().filter_map(|part| part.node.notes.as_deref());
        let stated = notes.flat_map(|notes| notes.examples.iter().chain(&notes.default));
        let scalar = |value: &&Json| match value {
            Json::String(text) => !text.is_empty() && text.len() < 200,
            Json::Number(number) => Decimal::new(number).is_some(),
            _ => false,
        };
        if let Some(value) = stated.filter(scalar).nth(mode.variant).filter(|value| fits(value)) {
            return Some(value.clone());
        }
        let types = kinds(flat);
        for kind in types {
            let value = match kind {
                "object" => self.object(flat, mode, avoid),
                "array" => self.array(flat, mode),
                "string" => self.string(flat, mode),
                "integer" | "number" => self.number(flat, mode, kind == "integer"),
                "boolean" => Some(Json::Bool(mode.variant.is_multiple_of(2))),
                _ => Some(Json::Null),
            };
            if value.is_some() {
                return value;
            }
        }
        None
    }

    fn object(&self, flat: &Flat<'a>, mode: Mode, avoid: &[&str]) -> Option<Json> {
        let rules = || flat.parts.iter().filter_map(|part| part.node.object.as_deref());
        let required: Vec<&str> = rules().flat_map(|rules| rules.required.iter().map(|name| &**name)).collect();
        let declared: usize = rules().map(|rules| rules.properties.len()).sum();
        let share = Mode { budget: mode.budget.saturating_sub(declared) / declared.max(1), ..mode };
        let share = Mode { full: mode.full && share.budget > 0, ..share };
        let most = rules().filter_map(|rules| rules.max_properties).min().unwrap_or(u64::MAX);
        let least = rules().filter_map(|rules| rules.min_properties).max().unwrap_or(0);
        let mut names: Vec<&str> = Vec::new();
        let mut room = if mode.full { mode.budget.min(usize::try_from(most).unwrap_or(usize::MAX)) } else { 0 };
        room = room.max(usize::try_from(least).unwrap_or(usize::MAX)).saturating_sub(required.len());
        for name in rules().flat_map(|rules| rules.properties.iter().map(|property| &*property.name)) {
            if names.contains(&name) {
                continue;
            }
            if required.contains(&name) {
                names.push(name);
            } else if room > 0 && !avoid.contains(&name) {
                room -= 1;
                names.push(name);
            }
        }
        for name in required {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let mut i = 0;
        while i < names.len() && names.len() < 1000 {
            for (name, wanted) in rules().flat_map(|rules| &rules.dependent_required) {
                if **name == *names[i] {
                    for name in wanted {
                        if !names.contains(&&**name) {
                            names.push(name);
                        }
                    }
                }
            }
            i += 1;
        }
        let mut members: Vec<(Box<str>, Json)> = Vec::new();
        for name in names {
            let must = rules().any(|rules| rules.required.iter().any(|required| **required == *name));
            match self.make(&self.member(flat, name), share) {
                Some(value) => members.push((name.into(), value)),
                None if must => return None,
                None => {}
            }
        }
        let open = rules().any(|rules| !rules.patterns.is_empty() || matches!(rules.additional, Some(Schema::Node(_))));
        let mut wanted = usize::try_from(least.saturating_sub(members.len() as u64)).ok()?.min(300);
        if mode.full && mode.budget > 0 && open && (members.len() as u64) < most {
            wanted = wanted.max(1);
        }
        if wanted > 0 {
            let before = members.len();
            for name in self.names(flat, wanted + 2) {
                if members.len() >= before + wanted {
                    break;
                }
                if members.iter().all(|(other, _)| *other != name)
                    && let Some(value) = self.make(&self.member(flat, &name), Mode { variant: mode.variant, ..share })
                {
                    members.push((name, value));
                }
            }
        }
        Some(Json::Object(members))
    }

    /// Names that are not declared, but allowed.
    pub(super) fn names(&self, flat: &Flat<'a>, count: usize) -> Vec<Box<str>> {
        let mut names: Vec<Box<str>> = Vec::new();
        for part in &flat.parts {
            let Some(rules) = part.node.object.as_deref() else { continue };
            for (pattern, schema) in &rules.patterns {
                if *schema != Schema::Bool(false)
                    && let Some(pattern) = self.world.pattern(pattern)
                {
                    names.extend((0..count).filter_map(|i| pattern.sample(1, 100, i)).map(String::into_boxed_str));
                }
            }
            if let Some(schema) = &rules.names {
                let spec = [Seat { file: part.file.clone(), schema, sure: false, away: false }];
                let text = Seat { file: part.file.clone(), schema: &STRING, sure: false, away: false };
                for variant in 0..count {
                    let spec = [spec[0].clone(), text.clone()];
                    if let Some(Json::String(name)) = self.make(&spec, Mode { variant, ..Mode::MINIMAL }) {
                        names.push(name);
                    }
                }
            }
        }
        names.extend((1..=count).map(|i| if i == 1 { "extra".into() } else { format!("extra{i}").into() }));
        let mut seen: Vec<Box<str>> = Vec::new();
        for name in names {
            let allowed = flat.parts.iter().all(|part| {
                part.node.object.as_deref().and_then(|rules| rules.names.as_ref()).is_none_or(|schema| {
                    let seat = Seat { file: part.file.clone(), schema, sure: false, away: false };
                    self.world.accepts(&seat, &Json::String(name.clone()))
                })
            });
            if allowed && !seen.contains(&name) {
                seen.push(name);
            }
        }
        seen
    }

    /// What holds for a member of an object.
    pub(super) fn member(&self, flat: &Flat<'a>, name: &str) -> Vec<Seat<'a>> {
        let mut spec = Vec::new();
        for part in &flat.parts {
            let Some(rules) = part.node.object.as_deref() else { continue };
            let seat = |schema: &'a Schema| Seat { file: part.file.clone(), schema, sure: part.sure, away: part.away };
            let before = spec.len();
            if let Some(property) = rules.properties.iter().find(|property| *property.name == *name) {
                spec.push(seat(&property.schema));
            }
            for (pattern, schema) in &rules.patterns {
                if self.world.matches(pattern, name) {
                    spec.push(seat(schema));
                }
            }
            if let (true, Some(schema)) = (spec.len() == before, &rules.additional) {
                spec.push(seat(schema));
            }
        }
        spec
    }

    /// What holds for an item of an array.
    pub(super) fn item(&self, flat: &Flat<'a>, index: usize) -> Vec<Seat<'a>> {
        let mut spec = Vec::new();
        for part in &flat.parts {
            let Some(rules) = part.node.array.as_deref() else { continue };
            if let Some(schema) = rules.prefix.get(index).or(rules.items.as_ref()) {
                spec.push(Seat { file: part.file.clone(), schema, sure: part.sure, away: part.away });
            }
        }
        spec
    }

    fn array(&self, flat: &Flat<'a>, mode: Mode) -> Option<Json> {
        let rules = || flat.parts.iter().filter_map(|part| part.node.array.as_deref());
        let contained = |i: usize| {
            flat.parts.iter().filter_map(move |part| {
                let contains = part.node.array.as_deref()?.contains.as_ref()?;
                let seat = Seat { file: part.file.clone(), schema: &contains.schema, sure: false, away: false };
                ((i as u64) < contains.min).then_some(seat)
            })
        };
        let mut least = rules().filter_map(|rules| rules.min_items).max().unwrap_or(0);
        least = least.max(rules().filter_map(|rules| rules.contains.as_ref().map(|c| c.min)).max().unwrap_or(0));
        if least > LONGEST {
            return None;
        }
        let most = rules().filter_map(|rules| rules.max_items).min().unwrap_or(u64::MAX);
        let unique = rules().any(|rules| rules.unique);
        let prefix = rules().map(|rules| rules.prefix.len()).max().unwrap_or(0) as u64;
        let wanted = if mode.full && mode.budget > 0 { least.max(prefix).max(1).min(most) } else { least };
        self.items(
            flat,
            wanted,
            least,
            Mode { budget: mode.budget / (wanted.max(1) as usize), ..mode },
            unique,
            &contained,
        )
    }

    fn items<I: Iterator<Item = Seat<'a>>>(
        &self,
        flat: &Flat<'a>,
        wanted: u64,
        least: u64,
        mode: Mode,
        unique: bool,
        contained: &dyn Fn(usize) -> I,
    ) -> Option<Json> {
        let mut items: Vec<Json> = Vec::new();
        let rules = || flat.parts.iter().filter_map(|part| part.node.array.as_deref());
        let prefix = rules().map(|rules| rules.prefix.len()).max().unwrap_or(0);
        let full = |i: usize| mode.full && (i == 0 || (i as u64) >= least);
        for i in 0..usize::try_from(wanted).ok()? {
            // Nothing tells it from the one before.
            if let Some(last) = items.last().filter(|_| !unique && i > prefix && full(i) == full(i - 1))
                && contained(i - 1).next().is_none()
            {
                items.push(last.clone());
                continue;
            }
            let mut spec = self.item(flat, i);
            spec.extend(contained(i));
            let mode = Mode { full: full(i), ..mode };
            let variants = if unique { i..i + 12 } else { mode.variant..mode.variant + 1 };
            let value = variants
                .filter_map(|variant| self.make(&spec, Mode { variant: mode.variant + variant, ..mode }))
                .find(|value| !unique || items.iter().all(|other| !other.same(value)));
            match value {
                Some(value) => items.push(value),
                None if (i as u64) < least => return None,
                None => break,
            }
        }
        Some(Json::Array(items))
    }

    /// An array of exactly so many items.
    pub(super) fn exactly(&self, flat: &Flat<'a>, count: u64) -> Option<Json> {
        let none = |_: usize| std::iter::empty();
        let unique = flat.parts.iter().any(|part| part.node.array.as_deref().is_some_and(|rules| rules.unique));
        (count <= LONGEST / 5).then(|| self.items(flat, count, count, Mode::MINIMAL, unique, &none))?
    }

    fn string(&self, flat: &Flat<'a>, mode: Mode) -> Option<Json> {
        let rules = || flat.parts.iter().filter_map(|part| part.node.string.as_deref());
        let least = rules().filter_map(|rules| rules.min_length).max().unwrap_or(0);
        let most = rules().filter_map(|rules| rules.max_length).min().unwrap_or(LONGEST);
        self.text(flat, least, most, mode.variant).map(|text| Json::String(text.into()))
    }

    /// A string with a length in the bounds that has the pattern and the format.
    pub(super) fn text(&self, flat: &Flat<'a>, least: u64, most: u64, variant: usize) -> Option<String> {
        if least > LONGEST {
            return None;
        }
        let rules = || flat.parts.iter().filter_map(|part| part.node.string.as_deref());
        let (min, max) = (least as usize, usize::try_from(most).unwrap_or(usize::MAX));
        let patterns: Vec<&str> = rules().filter_map(|rules| rules.pattern.as_deref()).collect();
        let fits = |text: &String| {
            (min..=max).contains(&text.chars().count()) && patterns.iter().all(|p| self.world.matches(p, text))
        };
        if let Some(format) = rules().find_map(|rules| rules.format.as_deref())
            && let Some(text) = well_formed(format, variant).map(str::to_owned).filter(&fits)
        {
            return Some(text);
        }
        for pattern in &patterns {
            let pattern = self.world.pattern(pattern)?;
            for seed in 0..4 {
                if let Some(text) = pattern.sample(min, max, variant + seed).filter(&fits) {
                    return Some(text);
                }
            }
        }
        if !patterns.is_empty() {
            return None;
        }
        let mut text = if variant == 0 { "text".to_owned() } else { format!("text{variant}") };
        if max < text.len() {
            text = (0..max).map(|i| char::from(b'a' + ((variant + i) % 26) as u8)).collect();
        }
        while text.len() < min {
            text.push('a');
        }
        Some(text)
    }

    fn number(&self, flat: &Flat<'a>, mode: Mode, integer: bool) -> Option<Json> {
        let rules = || flat.parts.iter().filter_map(|part| part.node.number.as_deref());
        let step = rules().find_map(|rules| rules.multiple_of.as_ref()).and_then(Decimal::new);
        let unit = Decimal::whole(1);
        let mut starts = vec![Decimal::whole(if integer { 1 } else { 2 })];
        let half = if integer { unit } else { Decimal::half() };
        for rules in rules() {
            for bound in [&rules.minimum, &rules.exclusive_minimum].into_iter().flatten() {
                let bound = Decimal::new(bound)?;
                starts.extend([Some(bound), bound.plus(unit), bound.plus(half)].into_iter().flatten());
            }
            for bound in [&rules.maximum, &rules.exclusive_maximum].into_iter().flatten() {
                let bound = Decimal::new(bound)?;
                starts.extend([Some(bound), bound.minus(unit), bound.minus(half)].into_iter().flatten());
            }
        }
        let fits = |number: &Number| {
            let value = Json::Number(number.clone());
            flat.parts.iter().all(|part| self.world.faults(&part.file, part.node, &value, 0, false).is_empty())
        };
        let step = step.unwrap_or(unit);
        let whole = if integer { unit } else { step };
        let numbers = starts.into_iter().flat_map(|start| {
            let mut value = if integer { start.up_to(whole) } else { Some(start) };
            std::iter::from_fn(move || {
                let now = value?;
                value = now.plus(unit);
                Some([Some(now), now.up_to(step)])
            })
            .take(mode.variant + 2)
        });
        let mut found: Vec<Number> = Vec::new();
        for number in numbers.flatten().flatten().filter_map(Decimal::number).take(400) {
            if fits(&number) && found.iter().all(|other| other.compare(&number).is_ne()) {
                found.push(number);
                if found.len() > mode.variant {
                    break;
                }
            }
        }
        found.pop().map(Json::Number)
    }
}

static STRING: std::sync::LazyLock<Schema> = std::sync::LazyLock::new(|| {
    let mut node = Node::new("");
    node.types = Some(TypeSet::STRING);
    Schema::Node(Box::new(node))
});

/// Does the keyword apply a schema only in some cases?
pub(super) fn conditional(keyword: &str) -> bool {
    matches!(keyword, "if" | "dependentSchemas")
}

/// Types to try, in order: those with rules of their own first.
fn kinds(flat: &Flat<'_>) -> Vec<&'static str> {
    let types = flat.parts.iter().filter_map(|part| part.node.types).fold(TypeSet::ALL, TypeSet::and);
    let has = |which: fn(&Node) -> bool| flat.parts.iter().any(|part| which(part.node));
    let mut kinds: Vec<(bool, &str)> = Vec::new();
    for (set, name, ruled) in [
        (TypeSet::OBJECT, "object", has(|node| node.object.is_some())),
        (TypeSet::ARRAY, "array", has(|node| node.array.is_some())),
        (TypeSet::STRING, "string", has(|node| node.string.is_some())),
        (TypeSet::INTEGER, "integer", has(|node| node.number.is_some())),
        (TypeSet::NUMBER, "number", has(|node| node.number.is_some())),
        (TypeSet::BOOLEAN, "boolean", false),
        (TypeSet::NULL, "null", false),
    ] {
        if types.has(set) {
            kinds.push((!ruled, name));
        }
    }
    if types == TypeSet::ALL && kinds.iter().all(|(unruled, _)| *unruled) {
        return vec!["string"];
    }
    kinds.sort_by_key(|(unruled, _)| *unruled);
    kinds.into_iter().map(|(_, name)| name).collect()
}

/// Names that a `not` or the branches not taken ask for: leaving them out may help.
fn avoided<'f>(flat: &Flat<'f>) -> Vec<&'f str> {
    fn asked<'f>(schema: &'f Schema, names: &mut Vec<&'f str>) {
        if let Some(node) = schema.node() {
            if let Some(object) = node.object.as_deref() {
                names.extend(object.required.iter().map(|name| &**name));
            }
            if let Some(logic) = node.logic.as_deref() {
                logic.any_of.iter().chain(&logic.all_of).chain(&logic.one_of).for_each(|schema| asked(schema, names));
            }
        }
    }
    let mut names = Vec::new();
    for part in &flat.parts {
        if let Some(logic) = part.node.logic.as_deref() {
            if let Some(not) = &logic.not {
                asked(not, &mut names);
            }
            for schema in &logic.one_of {
                asked(schema, &mut names);
            }
            if let Some(condition) = &logic.condition {
                asked(&condition.test, &mut names);
            }
        }
        if let Some(object) = part.node.object.as_deref() {
            names.extend(object.dependent_schemas.iter().map(|(name, _)| &**name));
            names.extend(object.dependent_required.iter().map(|(name, _)| &**name));
        }
    }
    names
}

/// A string of a format; `None` for one that is not of the specification.
pub(super) fn well_formed(format: &str, variant: usize) -> Option<&'static str> {
    let texts: &[&str] = match format {
        "date-time" => &["2024-02-29T12:30:00Z", "2024-12-31T23:59:59+02:00", "1999-01-01T00:00:00.5Z"],
        "date" => &["2024-02-29", "1999-12-31", "2025-01-01"],
        "time" => &["12:30:00Z", "23:59:59+02:00", "00:00:00Z"],
        "duration" => &["P1DT12H", "PT30S", "P2W"],
        "email" | "idn-email" => &["ada@example.com", "grace@example.org", "alan@example.net"],
        "hostname" | "idn-hostname" => &["example.com", "example.org", "localhost"],
        "ipv4" => &["192.0.2.1", "198.51.100.7", "127.0.0.1"],
        "ipv6" => &["2001:db8::1", "::1", "fe80::2"],
        "uri" | "uri-reference" | "iri" | "iri-reference" => {
            &["https://example.com/a", "https://example.org/b?c=d", "https://example.net/#e"]
        }
        "uri-template" => &["https://example.com/{id}", "https://example.org/{a}/{b}", "https://example.net/"],
        "uuid" => &[
            "123e4567-e89b-12d3-a456-426614174000",
            "00000000-0000-4000-8000-000000000001",
            "00000000-0000-4000-8000-000000000002",
        ],
        "json-pointer" => &["/a/0", "/b", ""],
        "relative-json-pointer" => &["1/a", "0#", "2"],
        "regex" => &["^[a-z]+$", "a|b", "x*"],
        _ => return None,
    };
    texts.get(variant).copied()
}

/// A string that is not of the format.
pub(super) fn ill_formed(format: &str) -> Option<&'static str> {
    Some(match format {
        "date-time" => "2024-02-30T12:30:00Z",
        "date" => "2023-02-29",
        "time" => "25:00:00Z",
        "duration" => "1 day",
        "email" | "idn-email" => "no address",
        "hostname" | "idn-hostname" => "-bad-.example",
        "ipv4" => "256.0.0.1",
        "ipv6" => "12345::",
        "uri" | "uri-reference" | "iri" | "iri-reference" => "http://[bad",
        "uri-template" => "{open",
        "uuid" => "123e4567-e89b-12d3-a456-42661417400",
        "json-pointer" => "a/b",
        "relative-json-pointer" => "/a",
        "regex" => "(",
        _ => return None,
    })
}
