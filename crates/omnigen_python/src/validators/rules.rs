//! What one keyword asks of one value, as conditions. Both passes are made of these.

use bumpalo::Bump;
use bumpalo::collections::Vec as List;
use omnigen_ir::{ArrayRules, Json, Node, NumberRules, ObjectRules, Schema, StringRules, TypeSet};

use super::condition::{Condition, Operator, quoted};
use super::{Emitter, Need};
use crate::layout;

/// A keyword, when it is violated, and what is said then.
#[derive(Clone, Copy)]
pub(super) struct Rule<'a> {
    pub(super) fails: Condition<'a>,
    pub(super) keyword: &'static str,
    pub(super) message: Message<'a>,
}

/// A message, made only where it is needed.
#[derive(Clone, Copy)]
pub(super) enum Message<'a> {
    /// As it is.
    Plain(&'static str),
    /// The same, made for this one.
    Text(&'a str),
    /// `must have at least 3 characters`: what, how many, of which kind (singular).
    Count(&'static str, u64, &'static str),
    /// `must be at least 3`
    Value(&'static str, &'a str),
    /// A name is required.
    Required(&'a str),
    /// A name is required beside another.
    RequiredBy(&'a str, &'a str),
}

impl Message<'_> {
    /// The text.
    pub(super) fn text(&self) -> String {
        match self {
            Message::Plain(text) => (*text).to_owned(),
            Message::Text(text) => (*text).to_owned(),
            Message::Count(what, 1, kind) => format!("must have {what} 1 {kind}"),
            Message::Count(what, count, "property") => format!("must have {what} {count} properties"),
            Message::Count(what, count, kind) => format!("must have {what} {count} {kind}s"),
            Message::Value(what, value) => format!("{what} {value}"),
            Message::Required(name) => format!("{} is required", Json::String((*name).into())),
            Message::RequiredBy(name, by) => {
                format!("{} is required beside {}", Json::String((*name).into()), Json::String((*by).into()))
            }
        }
    }
}

fn rule<'a>(fails: Condition<'a>, keyword: &'static str, message: Message<'a>) -> Rule<'a> {
    Rule { fails, keyword, message }
}

/// `"name" in var`
pub(super) fn has<'a>(arena: &'a Bump, name: &str, var: &str) -> Condition<'a> {
    Condition::of(arena, &[quoted(arena, &[], name, "")], Operator::In, &[var])
}

/// `not fails`
pub(super) fn passes<'a>(arena: &'a Bump, rules: &[Rule<'a>]) -> Condition<'a> {
    violated(arena, rules).opposite(arena)
}

/// One of the rules is violated. A bound from below and one from above are one comparison.
pub(super) fn violated<'a>(arena: &'a Bump, rules: &[Rule<'a>]) -> Condition<'a> {
    if let [rule] = rules {
        return rule.fails;
    }
    let mut parts = List::with_capacity_in(rules.len(), arena);
    for rule in rules {
        match parts.last().and_then(|last: &Condition<'a>| last.between(arena, &rule.fails)) {
            Some(both) => {
                parts.pop();
                parts.push(both);
            }
            None => parts.push(rule.fails),
        }
    }
    Condition::any(arena, &parts)
}

/// So many values of an enumeration are looked up by their hashes, and not compared with each other when code is written.
const MANY: usize = 64;

const SINGLE: [TypeSet; 5] = [TypeSet::NULL, TypeSet::BOOLEAN, TypeSet::STRING, TypeSet::ARRAY, TypeSet::OBJECT];

impl<'a> Emitter<'a> {
    /// Has `var`, known to be of one of `known`, one of `types`?
    pub(super) fn typed(&mut self, types: TypeSet, known: TypeSet, var: &str) -> Condition<'a> {
        let wanted = types.and(known);
        if wanted == known {
            return Condition::Known(true);
        }
        if wanted.is_empty() {
            return Condition::Known(false);
        }
        if wanted.or(TypeSet::NULL) == known && !wanted.has(TypeSet::NULL) {
            return Condition::of(self.arena, &[var], Operator::IsNot, &["None"]);
        }
        // What nobody asks for is never so.
        let mut parts = [Condition::Known(false); 4];
        if wanted.has(TypeSet::NULL) {
            parts[0] = Condition::of(self.arena, &[var], Operator::Is, &["None"]);
        }
        let (mut classes, mut count) = ([""; 4], 0);
        for (set, class) in SINGLE[1..].iter().zip(["bool", "str", "list", "dict"]) {
            if wanted.has(*set) {
                classes[count] = class;
                count += 1;
            }
        }
        parts[1] = match &classes[..count] {
            [] => Condition::Known(false),
            [class] => Condition::of(self.arena, &[var], Operator::Instance, &[class]),
            several => Condition::of(self.arena, &[var], Operator::Instance, &["(", &several.join(", "), ")"]),
        };
        if wanted.meets(TypeSet::NUMBER) {
            if wanted.has(TypeSet::NUMBER) {
                self.need(Need::IsNumber);
                parts[2] = Condition::of(self.arena, &["type(", var, ")"], Operator::In, &["_NUMBERS"]);
                parts[3] = Condition::of(self.arena, &["_is_number(", var, ")"], Operator::Holds, &[]);
            } else {
                self.need(Need::IsInteger);
                parts[2] = Condition::of(self.arena, &["type(", var, ")"], Operator::Is, &["int"]);
                parts[3] = Condition::of(self.arena, &["_is_integer(", var, ")"], Operator::Holds, &[]);
            }
        }
        Condition::any(self.arena, &parts)
    }

    /// Is `var` one of `values`, as JSON values are equal?
    pub(super) fn one_of_values(&mut self, values: &[&Json], known: TypeSet, var: &str) -> Condition<'a> {
        let mut parts = List::new_in(self.arena);
        let mut strings: Vec<&'a str> = Vec::new();
        let mut numbers: Vec<String> = Vec::new();
        let mut guarded: Vec<String> = Vec::new();
        let mut nested: Vec<&Json> = Vec::new();
        for value in values {
            match value {
                Json::Null => parts.push(Condition::of(self.arena, &[var], Operator::Is, &["None"])),
                Json::Bool(true) => parts.push(Condition::of(self.arena, &[var], Operator::Is, &["True"])),
                Json::Bool(false) => parts.push(Condition::of(self.arena, &[var], Operator::Is, &["False"])),
                Json::String(text) => {
                    let text = quoted(self.arena, &[], text, "");
                    if values.len() > MANY || !strings.contains(&text) {
                        strings.push(text);
                    }
                }
                Json::Number(number) => {
                    let text = number.python();
                    // `True == 1` in Python.
                    let list = if text == "0" || text == "1" { &mut guarded } else { &mut numbers };
                    if values.len() > MANY || !list.contains(&text) {
                        list.push(text);
                    }
                }
                Json::Array(_) | Json::Object(_) => nested.push(value),
            }
        }
        if !nested.is_empty() {
            self.need(Need::Equal);
        }
        if nested.len() > 3 {
            self.need(Need::IsAmong);
            let list = Json::Array(nested.into_iter().cloned().collect());
            let name = self.constant(layout::value(&list));
            parts.push(Condition::of(self.arena, &["_is_among(", var, ", ", name, ")"], Operator::Holds, &[]));
        } else {
            for value in nested {
                let name = self.constant(layout::value(value));
                parts.push(Condition::of(self.arena, &["_equal(", var, ", ", name, ")"], Operator::Holds, &[]));
            }
        }
        match strings.len() {
            0 => {}
            1 => parts.push(self.equal_to(var, strings.remove(0))),
            _ => {
                let set = self.set(&strings);
                let member = Condition::of(self.arena, &[var], Operator::In, &[set]);
                parts.push(if TypeSet::STRING.has(known) {
                    member
                } else {
                    Condition::all(
                        self.arena,
                        &[Condition::of(self.arena, &[var], Operator::Instance, &["str"]), member],
                    )
                });
            }
        }
        if !guarded.is_empty() {
            let not_bool = Condition::of(self.arena, &[var], Operator::NotInstance, &["bool"]);
            numbers.append(&mut guarded);
            let member = self.among(var, numbers, known);
            parts.push(if known.meets(TypeSet::BOOLEAN) {
                Condition::all(self.arena, &[member, not_bool])
            } else {
                member
            });
        } else if !numbers.is_empty() {
            parts.push(self.among(var, numbers, known));
        }
        Condition::any(self.arena, &parts)
    }

    /// A tuple compares, so that nothing needs a hash; of many values it is a set, which only numbers are looked up in.
    fn among(&mut self, var: &str, mut values: Vec<String>, known: TypeSet) -> Condition<'a> {
        if values.len() == 1 {
            return self.equal_to(var, self.arena.alloc_str(&values.remove(0)));
        }
        if values.len() > MANY {
            let mut seen = std::collections::HashSet::new();
            values.retain(|value| seen.insert(value.clone()));
            let set = self.set(&values);
            let member = Condition::of(self.arena, &[var], Operator::In, &[set]);
            let number = self.typed(TypeSet::NUMBER, known, var);
            return Condition::all(self.arena, &[number, member]);
        }
        let tuple = self.constant(layout::Doc::group("(", values.into_iter().map(layout::Doc::text).collect(), ")"));
        Condition::of(self.arena, &[var], Operator::In, &[tuple])
    }

    fn equal_to(&mut self, var: &str, text: &'a str) -> Condition<'a> {
        let text = if text.len() <= 44 { text } else { self.constant(layout::Doc::text(text.to_owned())) };
        Condition::of(self.arena, &[var], Operator::Equal, &[text])
    }

    /// `enum` and `const` together: the values that both allow (and `type` too), if either is there.
    pub(super) fn values(node: &'a Node, types: TypeSet) -> Option<Vec<&'a Json>> {
        let allowed = |value: &Json| types.has(TypeSet::of(value));
        match (&node.enumeration, &node.constant) {
            (None, None) => None,
            (Some(list), None) => Some(list.iter().filter(|value| allowed(value)).collect()),
            (None, Some(only)) => Some(std::iter::once(only).filter(|value| allowed(value)).collect()),
            (Some(list), Some(only)) => {
                Some(std::iter::once(only).filter(|v| allowed(v) && list.iter().any(|other| other.same(v))).collect())
            }
        }
    }

    /// What a string must be.
    pub(super) fn string_rules(&mut self, rules: &'a StringRules, at: &str, var: &str) -> List<'a, Rule<'a>> {
        let mut list = List::new_in(self.arena);
        let StringRules { min_length, max_length, pattern, format, asserted } = rules;
        if let Some(min) = min_length.filter(|&min| min > 0) {
            let fails = shorter(self.arena, var, min);
            list.push(rule(fails, "minLength", Message::Count("at least", min, "character")));
        }
        if let Some(max) = max_length {
            let fails = longer(self.arena, var, *max);
            list.push(rule(fails, "maxLength", Message::Count("at most", *max, "character")));
        }
        if let Some(pattern) = pattern
            && let Some(search) = self.pattern(pattern)
        {
            let fails = found(self.arena, search, var).opposite(self.arena);
            let message = if pattern.chars().count() <= 60 {
                Message::Value("must match", pattern)
            } else {
                Message::Plain("must match the pattern of the contract")
            };
            list.push(rule(fails, "pattern", message));
        }
        if let Some(format) = format
            && (self.settings.assert_formats || *asserted)
            && let Some(check) = self.format(format, at)
        {
            let fails = Condition::of(self.arena, &[check, "(", var, ")"], Operator::Not, &[]);
            list.push(rule(fails, "format", Message::Value("must be of the format", format)));
        }
        list
    }

    /// What a number must be.
    pub(super) fn number_rules(&mut self, rules: &'a NumberRules, var: &str) -> List<'a, Rule<'a>> {
        let NumberRules { minimum, exclusive_minimum, maximum, exclusive_maximum, multiple_of, unfractioned } = rules;
        let mut list = List::new_in(self.arena);
        if *unfractioned {
            let fails = Condition::of(self.arena, &["isinstance(", var, ", float)"], Operator::Holds, &[]);
            list.push(rule(fails, "type", Message::Plain("must be an integer without a fraction")));
        }
        for (bound, operator, keyword, message) in [
            (minimum, Operator::Less, "minimum", "must be at least"),
            (exclusive_minimum, Operator::NotGreater, "exclusiveMinimum", "must be greater than"),
            (maximum, Operator::Greater, "maximum", "must be at most"),
            (exclusive_maximum, Operator::NotLess, "exclusiveMaximum", "must be less than"),
        ] {
            if let Some(bound) = bound {
                let value = bound.python();
                let value: &str =
                    if value.len() <= 40 { &value } else { self.constant(layout::Doc::text(value.clone())) };
                list.push(rule(
                    Condition::of(self.arena, &[var], operator, &[value]),
                    keyword,
                    Message::Value(message, bound.text()),
                ));
            }
        }
        if let Some(divisor) = multiple_of
            && let Some((numerator, denominator)) = ratio(divisor.text())
        {
            self.need(Need::IsMultiple);
            let mut fails = Condition::of(
                self.arena,
                &["_is_multiple(", var, ", ", &numerator, ", ", &denominator, ")"],
                Operator::Not,
                &[],
            );
            // Integers are settled without a call; what floats can tell is not exact.
            if denominator == "1" && numerator.len() <= 18 {
                let rest = format!("{var} % {numerator}");
                fails = Condition::all(
                    self.arena,
                    &[Condition::of(self.arena, &[&rest], Operator::Unequal, &["0"]), fails],
                );
            }
            list.push(rule(fails, "multipleOf", Message::Value("must be a multiple of", divisor.text())));
        }
        list
    }

    /// What an array must be as a whole.
    pub(super) fn array_rules(&mut self, rules: &'a ArrayRules, var: &str) -> List<'a, Rule<'a>> {
        let mut list = List::new_in(self.arena);
        if let Some(min) = rules.min_items.filter(|&min| min > 0) {
            let fails = shorter(self.arena, var, min);
            list.push(rule(fails, "minItems", Message::Count("at least", min, "item")));
        }
        if let Some(max) = rules.max_items {
            let fails = longer(self.arena, var, max);
            list.push(rule(fails, "maxItems", Message::Count("at most", max, "item")));
        }
        if let Some(Schema::Bool(false)) = &rules.items {
            let most = rules.prefix.len() as u64;
            if rules.max_items.is_none_or(|max| max > most) {
                let fails = longer(self.arena, var, most);
                list.push(rule(fails, "items", Message::Count("at most", most, "item")));
            }
        }
        if rules.unique && rules.max_items.is_none_or(|max| max > 1) {
            self.need(Need::IsUnique);
            let fails = Condition::of(self.arena, &["_is_unique(", var, ")"], Operator::Not, &[]);
            list.push(rule(fails, "uniqueItems", Message::Plain("must not have equal items")));
        }
        list
    }

    /// What an object must be as a whole.
    pub(super) fn object_rules(&mut self, rules: &'a ObjectRules, var: &str) -> List<'a, Rule<'a>> {
        let mut list = List::new_in(self.arena);
        for name in &rules.required {
            list.push(rule(has(self.arena, name, var).opposite(self.arena), "required", Message::Required(name)));
        }
        if let Some(min) = rules.min_properties.filter(|&min| min > 0 && min > rules.required.len() as u64) {
            let fails = shorter(self.arena, var, min);
            list.push(rule(fails, "minProperties", Message::Count("at least", min, "property")));
        }
        if let Some(max) = rules.max_properties {
            let fails = longer(self.arena, var, max);
            list.push(rule(fails, "maxProperties", Message::Count("at most", max, "property")));
        }
        for (name, needed) in &rules.dependent_required {
            for other in needed {
                list.push(rule(
                    Condition::all(
                        self.arena,
                        &[has(self.arena, name, var), has(self.arena, other, var).opposite(self.arena)],
                    ),
                    "dependentRequired",
                    Message::RequiredBy(other, name),
                ));
            }
        }
        list
    }
}

/// Does a pattern find something?
pub(super) fn found<'a>(arena: &'a Bump, search: &str, var: &str) -> Condition<'a> {
    Condition::of(arena, &[search, "(", var, ")"], Operator::IsNot, &["None"])
}

/// Are there fewer than `min` parts?
fn shorter<'a>(arena: &'a Bump, var: &str, min: u64) -> Condition<'a> {
    if min == 1 {
        Condition::of(arena, &["not ", var], Operator::Left, &["len(", var, ") > 0"])
    } else {
        Condition::of(arena, &["len(", var, ")"], Operator::Less, &[&min.to_string()])
    }
}

/// Are there more than `max` parts?
pub(super) fn longer<'a>(arena: &'a Bump, var: &str, max: u64) -> Condition<'a> {
    Condition::of(arena, &["len(", var, ")"], Operator::Greater, &[&max.to_string()])
}

/// A positive decimal number as a fraction of integers; `None` if it is too far out to write down.
fn ratio(text: &str) -> Option<(String, String)> {
    let lower = text.to_ascii_lowercase();
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.trim_start_matches('+').parse::<i64>().ok()? - fraction.len() as i64;
    let digits = format!("{whole}{fraction}");
    let trimmed = digits.trim_end_matches('0');
    let exponent = exponent + (digits.len() - trimmed.len()) as i64;
    let digits = trimmed.trim_start_matches('0');
    if digits.is_empty() || digits.starts_with('-') || exponent.abs() > 400 {
        return None;
    }
    let power = "0".repeat(exponent.unsigned_abs() as usize);
    Some(if exponent >= 0 {
        (format!("{digits}{power}"), "1".to_owned())
    } else {
        (digits.to_owned(), format!("1{power}"))
    })
}
