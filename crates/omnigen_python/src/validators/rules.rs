//! What one keyword asks of one value, as conditions. Both passes are made of these.

use omnigen_ir::{ArrayRules, Json, Node, NumberRules, ObjectRules, Schema, StringRules, TypeSet};

use super::condition::Condition;
use super::{Emitter, Need};
use crate::layout;

/// A keyword, when it is violated, and what is said then.
pub(super) struct Rule {
    pub(super) fails: Condition,
    pub(super) keyword: &'static str,
    pub(super) message: Message,
}

/// A message, made only where it is needed.
pub(super) enum Message {
    /// As it is.
    Plain(&'static str),
    /// `must have at least 3 characters`: what, how many, of which kind (singular).
    Count(&'static str, u64, &'static str),
    /// `must be at least 3`
    Value(&'static str, Box<str>),
    /// A name is required.
    Required(Box<str>),
    /// A name is required beside another.
    RequiredBy(Box<str>, Box<str>),
}

impl Message {
    /// The text.
    pub(super) fn text(&self) -> String {
        match self {
            Message::Plain(text) => (*text).to_owned(),
            Message::Count(what, 1, kind) => format!("must have {what} 1 {kind}"),
            Message::Count(what, count, "property") => format!("must have {what} {count} properties"),
            Message::Count(what, count, kind) => format!("must have {what} {count} {kind}s"),
            Message::Value(what, value) => format!("{what} {value}"),
            Message::Required(name) => format!("{} is required", Json::String(name.clone())),
            Message::RequiredBy(name, by) => {
                format!("{} is required beside {}", Json::String(name.clone()), Json::String(by.clone()))
            }
        }
    }
}

fn rule(fails: Condition, keyword: &'static str, message: Message) -> Rule {
    Rule { fails, keyword, message }
}

/// `"name" in var`
pub(super) fn has(name: &str, var: &str) -> Condition {
    let name = layout::string(name);
    Condition::test([&name, " in ", var].concat(), [&name, " not in ", var].concat())
}

/// `not fails`
pub(super) fn passes(rules: Vec<Rule>) -> Condition {
    Condition::all(rules.into_iter().map(|rule| rule.fails.opposite()).collect())
}

/// One of the rules is violated.
pub(super) fn violated(rules: Vec<Rule>) -> Condition {
    Condition::any(rules.into_iter().map(|rule| rule.fails).collect())
}

const SINGLE: [TypeSet; 5] = [TypeSet::NULL, TypeSet::BOOLEAN, TypeSet::STRING, TypeSet::ARRAY, TypeSet::OBJECT];

impl<'a> Emitter<'a> {
    /// Has `var`, known to be of one of `known`, one of `types`?
    pub(super) fn typed(&mut self, types: TypeSet, known: TypeSet, var: &str) -> Condition {
        let wanted = types.and(known);
        if wanted == known {
            return Condition::Known(true);
        }
        if wanted.is_empty() {
            return Condition::Known(false);
        }
        if wanted.or(TypeSet::NULL) == known && !wanted.has(TypeSet::NULL) {
            return Condition::test([var, " is not None"].concat(), [var, " is None"].concat());
        }
        let mut parts = Vec::new();
        let mut classes = Vec::new();
        if wanted.has(TypeSet::NULL) {
            parts.push(Condition::test([var, " is None"].concat(), [var, " is not None"].concat()));
        }
        for (set, class) in SINGLE[1..].iter().zip(["bool", "str", "list", "dict"]) {
            if wanted.has(*set) {
                classes.push(class);
            }
        }
        match &classes[..] {
            [] => {}
            [class] => parts.push(Condition::call(["isinstance(", var, ", ", class, ")"].concat())),
            several => parts.push(Condition::call(format!("isinstance({var}, ({}))", several.join(", ")))),
        }
        if wanted.meets(TypeSet::NUMBER) {
            let exact = |class: &str| {
                Condition::test(["type(", var, ") is ", class].concat(), ["type(", var, ") is not ", class].concat())
            };
            if wanted.has(TypeSet::NUMBER) {
                self.need(Need::IsNumber);
                parts.push(exact("int"));
                parts.push(exact("float"));
                parts.push(Condition::call(["_is_number(", var, ")"].concat()));
            } else {
                self.need(Need::IsInteger);
                parts.push(exact("int"));
                parts.push(Condition::call(["_is_integer(", var, ")"].concat()));
            }
        }
        Condition::any(parts)
    }

    /// Is `var` one of `values`, as JSON values are equal?
    pub(super) fn one_of_values(&mut self, values: &[&Json], known: TypeSet, var: &str) -> Condition {
        let mut parts = Vec::new();
        let mut strings: Vec<String> = Vec::new();
        let mut numbers: Vec<String> = Vec::new();
        let mut guarded: Vec<String> = Vec::new();
        for value in values {
            match value {
                Json::Null => parts.push(Condition::test([var, " is None"].concat(), [var, " is not None"].concat())),
                Json::Bool(true) => parts.push(Condition::test(format!("{var} is True"), format!("{var} is not True"))),
                Json::Bool(false) => {
                    parts.push(Condition::test(format!("{var} is False"), format!("{var} is not False")));
                }
                Json::String(text) => {
                    let text = layout::string(text);
                    if !strings.contains(&text) || values.len() > 64 {
                        strings.push(text);
                    }
                }
                Json::Number(number) => {
                    let text = number.python();
                    // `True == 1` in Python.
                    let list = if text == "0" || text == "1" { &mut guarded } else { &mut numbers };
                    if !list.contains(&text) {
                        list.push(text);
                    }
                }
                Json::Array(_) | Json::Object(_) => {
                    self.need(Need::Equal);
                    let name = self.constant(layout::value(value));
                    parts.push(Condition::call(format!("_equal({var}, {name})")));
                }
            }
        }
        match strings.len() {
            0 => {}
            1 => parts.push(self.equal_to(var, strings.remove(0))),
            _ => {
                let set = self.set(strings);
                let member = Condition::test([var, " in ", &set].concat(), [var, " not in ", &set].concat());
                parts.push(if TypeSet::STRING.has(known) {
                    member
                } else {
                    Condition::all(vec![Condition::call(format!("isinstance({var}, str)")), member])
                });
            }
        }
        if !guarded.is_empty() {
            let not_bool = Condition::call(format!("isinstance({var}, bool)")).opposite();
            numbers.append(&mut guarded);
            let member = self.among(var, numbers);
            parts.push(if known.meets(TypeSet::BOOLEAN) { Condition::all(vec![member, not_bool]) } else { member });
        } else if !numbers.is_empty() {
            parts.push(self.among(var, numbers));
        }
        Condition::any(parts)
    }

    /// A tuple compares, so that nothing needs a hash.
    fn among(&mut self, var: &str, mut values: Vec<String>) -> Condition {
        if values.len() == 1 {
            return self.equal_to(var, values.remove(0));
        }
        let tuple = self.constant(layout::Doc::group("(", values.into_iter().map(layout::Doc::text).collect(), ")"));
        Condition::test(format!("{var} in {tuple}"), format!("{var} not in {tuple}"))
    }

    fn equal_to(&mut self, var: &str, text: String) -> Condition {
        let text = if text.len() <= 44 { text } else { self.constant(layout::Doc::text(text)) };
        Condition::test([var, " == ", &text].concat(), [var, " != ", &text].concat())
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
    pub(super) fn string_rules(&mut self, rules: &StringRules, at: &str, var: &str) -> Vec<Rule> {
        let mut list = Vec::new();
        let StringRules { min_length, max_length, pattern, format } = rules;
        if let Some(min) = min_length.filter(|&min| min > 0) {
            let fails = shorter(var, min);
            list.push(rule(fails, "minLength", Message::Count("at least", min, "character")));
        }
        if let Some(max) = max_length {
            let fails = compare(&format!("len({var})"), ">", &max.to_string());
            list.push(rule(fails, "maxLength", Message::Count("at most", *max, "character")));
        }
        if let Some(pattern) = pattern
            && let Some(search) = self.pattern(pattern)
        {
            let fails = found(&search, var).opposite();
            let message = if pattern.chars().count() <= 60 {
                Message::Value("must match", pattern.clone())
            } else {
                Message::Plain("must match the pattern of the contract")
            };
            list.push(rule(fails, "pattern", message));
        }
        if let Some(format) = format
            && self.settings.assert_formats
            && let Some(check) = self.format(format, at)
        {
            let fails = Condition::call(format!("{check}({var})")).opposite();
            list.push(rule(fails, "format", Message::Value("must be of the format", format.clone())));
        }
        list
    }

    /// What a number must be.
    pub(super) fn number_rules(&mut self, rules: &NumberRules, var: &str) -> Vec<Rule> {
        let NumberRules { minimum, exclusive_minimum, maximum, exclusive_maximum, multiple_of } = rules;
        let mut list = Vec::new();
        for (bound, operator, keyword, message) in [
            (minimum, "<", "minimum", "must be at least"),
            (exclusive_minimum, "<=", "exclusiveMinimum", "must be greater than"),
            (maximum, ">", "maximum", "must be at most"),
            (exclusive_maximum, ">=", "exclusiveMaximum", "must be less than"),
        ] {
            if let Some(bound) = bound {
                let value = bound.python();
                let value = if value.len() <= 40 { value } else { self.constant(layout::Doc::text(value)) };
                list.push(rule(compare(var, operator, &value), keyword, Message::Value(message, bound.text().into())));
            }
        }
        if let Some(divisor) = multiple_of
            && let Some((numerator, denominator)) = ratio(divisor.text())
        {
            self.need(Need::IsMultiple);
            let mut fails = Condition::call(format!("_is_multiple({var}, {numerator}, {denominator})")).opposite();
            // Integers are settled without a call; what floats can tell is not exact.
            if denominator == "1" && numerator.len() <= 18 {
                let rest = format!("{var} % {numerator}");
                fails = Condition::all(vec![Condition::test(format!("{rest} != 0"), format!("{rest} == 0")), fails]);
            }
            list.push(rule(fails, "multipleOf", Message::Value("must be a multiple of", divisor.text().into())));
        }
        list
    }

    /// What an array must be as a whole.
    pub(super) fn array_rules(&mut self, rules: &ArrayRules, var: &str) -> Vec<Rule> {
        let mut list = Vec::new();
        if let Some(min) = rules.min_items.filter(|&min| min > 0) {
            let fails = shorter(var, min);
            list.push(rule(fails, "minItems", Message::Count("at least", min, "item")));
        }
        if let Some(max) = rules.max_items {
            let fails = compare(&format!("len({var})"), ">", &max.to_string());
            list.push(rule(fails, "maxItems", Message::Count("at most", max, "item")));
        }
        if let Some(Schema::Bool(false)) = &rules.items {
            let most = rules.prefix.len() as u64;
            if rules.max_items.is_none_or(|max| max > most) {
                let fails = compare(&format!("len({var})"), ">", &most.to_string());
                list.push(rule(fails, "items", Message::Count("at most", most, "item")));
            }
        }
        if rules.unique && rules.max_items.is_none_or(|max| max > 1) {
            self.need(Need::IsUnique);
            let fails = Condition::call(format!("_is_unique({var})")).opposite();
            list.push(rule(fails, "uniqueItems", Message::Plain("must not have equal items")));
        }
        list
    }

    /// What an object must be as a whole.
    pub(super) fn object_rules(&mut self, rules: &ObjectRules, var: &str) -> Vec<Rule> {
        let mut list = Vec::new();
        for name in &rules.required {
            list.push(rule(has(name, var).opposite(), "required", Message::Required(name.clone())));
        }
        if let Some(min) = rules.min_properties.filter(|&min| min > 0 && min > rules.required.len() as u64) {
            let fails = shorter(var, min);
            list.push(rule(fails, "minProperties", Message::Count("at least", min, "property")));
        }
        if let Some(max) = rules.max_properties {
            let fails = compare(&format!("len({var})"), ">", &max.to_string());
            list.push(rule(fails, "maxProperties", Message::Count("at most", max, "property")));
        }
        for (name, needed) in &rules.dependent_required {
            for other in needed {
                list.push(rule(
                    Condition::all(vec![has(name, var), has(other, var).opposite()]),
                    "dependentRequired",
                    Message::RequiredBy(other.clone(), name.clone()),
                ));
            }
        }
        list
    }
}

/// Does a pattern find something?
pub(super) fn found(search: &str, var: &str) -> Condition {
    Condition::test(format!("{search}({var}) is not None"), format!("{search}({var}) is None"))
}

/// Are there fewer than `min` parts?
fn shorter(var: &str, min: u64) -> Condition {
    if min == 1 {
        Condition::test(format!("not {var}"), format!("len({var}) > 0"))
    } else {
        compare(&format!("len({var})"), "<", &min.to_string())
    }
}

/// `a < b` and its opposite. A number that is none (NaN) is on no side.
fn compare(left: &str, operator: &str, right: &str) -> Condition {
    let opposite = match operator {
        "<" => ">=",
        "<=" => ">",
        ">" => "<=",
        _ => "<",
    };
    Condition::test([left, " ", operator, " ", right].concat(), [left, " ", opposite, " ", right].concat())
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
