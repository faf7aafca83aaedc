//! Documents for the rules of one place: both sides of each.

use super::check::Seat;
use super::decimal::Decimal;
use super::make::{self, LONGEST, Mode};
use super::values::{exact, near, other_than, wrong_types};
use super::{SMALL, Spot, Walk, label};
use crate::{Json, Number, Schema, TypeSet};

/// Members of an `enum` that are shown.
const MEMBERS: usize = 40;
/// Required names that are left out, one at a time.
const REQUIRED: usize = 200;
/// Values of unlikely types that are kept for when there is room.
const LATER: usize = 200;
/// Beyond so many documents one wrong type a place has to do.
const SPARE: usize = 200;

impl<'a> Walk<'a, '_> {
    /// Type, enum, const.
    pub(super) fn general(&mut self, spot: &Spot<'_, 'a>) {
        let parts = || spot.own().map(|part| part.node);
        let types =
            spot.flat.parts.iter().map(|part| part.node).filter_map(|node| node.types).fold(TypeSet::ALL, TypeSet::and);
        if types != TypeSet::ALL {
            // The nearest ones now; the others when every rule has had its turn.
            let (values, nearest) = near(types);
            let wrong = values.into_iter().enumerate().filter(|(_, (_, value))| !types.has(TypeSet::of(value)));
            for (turn, (i, (name, value))) in wrong.enumerate() {
                if turn == 0 || (i < nearest && self.list.len() < SPARE) {
                    self.propose(spot, "type", name, value.clone());
                } else if self.list.len() < SMALL && self.later.len() < LATER {
                    let (edits, certain) = self.phrase(spot, "type", value.clone());
                    self.later.push((spot.base, edits, label(spot, "type", name), spot.pointer.clone(), certain));
                }
            }
            let allowed = types.names().filter(|name| *name != "integer" || !types.has(TypeSet::NUMBER));
            if allowed.count() > 1 {
                for (name, value) in wrong_types() {
                    if types.has(TypeSet::of(value)) && TypeSet::of(value) != TypeSet::of(spot.value) {
                        self.propose(spot, "type", &format!("{name}, allowed"), value.clone());
                    }
                }
            }
        } else if parts().all(|node| node.enumeration.is_none() && node.constant.is_none()) && spot.flat.parts.len() > 1
        {
            for (name, value) in wrong_types().iter().take(3) {
                self.propose(spot, "type", name, value.clone());
            }
        }
        for node in parts() {
            if let Some(members) = &node.enumeration {
                for (i, member) in members.iter().enumerate().filter(|(_, member)| exact(member)).take(MEMBERS) {
                    self.propose(spot, "enum", &format!("member {}", i + 1), member.clone());
                }
                self.propose(spot, "enum", "no member", other_than(&members.iter().collect::<Vec<_>>()));
            }
            if let Some(constant) = &node.constant {
                self.propose(spot, "const", "another value", other_than(&[constant]));
            }
        }
    }

    /// One value that is wrong, for what has been looked at elsewhere.
    pub(super) fn glance(&mut self, spot: &Spot<'_, 'a>) {
        let fits = |value: &Json| {
            spot.flat
                .parts
                .iter()
                .all(|part| self.maker.world.faults(&part.file, part.node, value, 0, false).is_empty())
        };
        let types = spot.flat.parts.iter().filter_map(|part| part.node.types).fold(TypeSet::ALL, TypeSet::and);
        let wrong = near(types).0.into_iter().find(|(_, value)| !fits(value));
        if let Some((name, value)) = wrong {
            self.propose(spot, "type", name, value.clone());
        }
    }

    pub(super) fn number(&mut self, spot: &Spot<'_, 'a>, number: &Number) {
        let nodes = || spot.own().map(|part| part.node);
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

    pub(super) fn string(&mut self, spot: &Spot<'_, 'a>) {
        for part in spot.own() {
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
                // What is the same pattern in other places is shown to be applied there, no more.
                let fresh = rules.pattern.as_deref().is_some_and(|pattern| self.patterns.insert(pattern));
                if let (true, Some(text)) = (fresh, spot.value.as_str()) {
                    let cut = |from: usize, less: usize| {
                        let all = text.chars().count();
                        let rest = text.chars().skip(from).take(all.saturating_sub(from + less)).collect::<String>();
                        Some(Json::String(rest.into()))
                    };
                    let joined = |text: String| Some(Json::String(text.into()));
                    found.push(("pattern", "something before it", joined(format!("!{text}"))));
                    found.push(("pattern", "something behind it", joined(format!("{text}!"))));
                    found.push(("pattern", "without the first character", cut(1, 0)));
                    found.push(("pattern", "without the last character", cut(0, 1)));
                    found.push(("pattern", "empty", joined(String::new())));
                }
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

    pub(super) fn array(&mut self, spot: &Spot<'_, 'a>) {
        let Json::Array(items) = spot.value else { return };
        for part in spot.own() {
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
            // Where there is no item yet, one that could be there.
            let one = || match self.maker.exactly(spot.flat, 1) {
                Some(Json::Array(items)) => items.into_iter().next(),
                _ => None,
            };
            if let Some(first) = items.first().cloned().or_else(one) {
                let all = rules.unique || items.len() > 3;
                let rest = if all { items.as_slice() } else { std::slice::from_ref(&first) };
                let rest = if rest.is_empty() { std::slice::from_ref(&first) } else { rest };
                let twice = rest.iter().chain([&first]).cloned().collect();
                let keyword = if rules.unique { "uniqueItems" } else { "items" };
                found.push((keyword, "an item twice", Some(Json::Array(twice))));
            }
            if let Some(contains) = &rules.contains {
                let seat = Seat { file: part.file.clone(), schema: &contains.schema, sure: false, away: false };
                let others = wrong_types().iter().map(|(_, value)| Json::Array(vec![value.clone()]));
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
        if !items.is_empty() && spot.path.len() < 3 {
            self.propose(spot, "items", "empty", Json::Array(Vec::new()));
        }
    }

    pub(super) fn object(&mut self, spot: &Spot<'_, 'a>) {
        let Json::Object(members) = spot.value else { return };
        let lean = if spot.path.is_empty() { None } else { spot.least(&self.maker).cloned() };
        // An open object may have one more as well, which is one document instead of two.
        let mut open = false;
        if let Some(Json::Object(mut least)) = lean {
            let spare = if self.is_open(spot) { self.spare(spot) } else { None };
            if let Some(name) = spare.filter(|name| least.iter().all(|(other, _)| other != name)) {
                least.push((name, Json::Null));
                let more = Json::Object(least.clone());
                open = spot.spec.iter().all(|seat| self.maker.world.accepts(seat, &more));
                if open {
                    self.propose(spot, "required", "only what is required, and one more", more);
                }
                least.pop();
            }
            if !open {
                self.propose(spot, "required", "only what is required", Json::Object(least));
            }
        }
        let without = |names: &[&str]| {
            Json::Object(members.iter().filter(|(name, _)| !names.contains(&&**name)).cloned().collect())
        };
        let with = |name: &str, value: Json| {
            Json::Object(members.iter().cloned().chain([(name.into(), value)]).collect::<Vec<_>>())
        };
        for part in spot.own() {
            let Some(rules) = part.node.object.as_deref() else { continue };
            for name in rules.required.iter().take(REQUIRED) {
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
                        .iter()
                        .map(|(_, value)| value)
                        .find(|value| !self.maker.world.faults(&part.file, node, value, 0, false).is_empty())
                        .cloned(),
                };
                if let (Some(name), Some(value)) = (spare, bad) {
                    self.propose(spot, "additionalProperties", "one more", with(&name, value));
                }
            } else if !open
                && rules.names.is_none()
                && !rules.properties.is_empty()
                && let Some(name) = self.spare(spot)
            {
                self.propose(spot, "properties", "one more", with(&name, Json::Null));
            }
            if let Some(names) = &rules.names {
                let seat = Seat { file: part.file.clone(), schema: names, sure: false, away: false };
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

    /// Does nothing here speak of members that are not declared?
    fn is_open(&self, spot: &Spot<'_, 'a>) -> bool {
        let mut rules = spot.own().filter_map(|part| part.node.object.as_deref()).peekable();
        rules.peek().is_some() && rules.all(|rules| rules.additional.is_none() && rules.names.is_none())
    }

    /// A name that the object has not, and that is not declared.
    fn spare(&self, spot: &Spot<'_, 'a>) -> Option<Box<str>> {
        self.maker.names(spot.flat, 2).into_iter().find(|name| spot.value.get(name).is_none())
    }
}
