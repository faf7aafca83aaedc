//! Keywords that exclude each other: what stands there can never be valid. Looks at one schema at a time, and only at what is
//! certain without following references.

use omnigen_ir::{ArrayRules, Json, Node, Number, Schema, TypeSet};
use omnigen_report::{At, Code, Diagnostic, nearest};

use super::lower::Lowerer;
use crate::value::{Data, Value, push_index, push_token};

/// Keywords that assert something about values of one type.
const NUMBERS: &[&str] = &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const STRINGS: &[&str] = &["minLength", "maxLength", "pattern"];
const ARRAYS: &[&str] = &["items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems"];
const OBJECTS: &[&str] =
    &["properties", "patternProperties", "required", "minProperties", "maxProperties", "propertyNames"];

impl Lowerer<'_, '_> {
    /// Reports what makes a schema one that nothing can satisfy, or leaves out values that it lists.
    pub(super) fn contradictions(&mut self, node: &Node) {
        if self.silent {
            return;
        }
        if let Some(rules) = node.string.as_deref() {
            self.counts("string", ("minLength", rules.min_length), ("maxLength", rules.max_length));
        }
        if let Some(rules) = node.array.as_deref() {
            self.counts("array", ("minItems", rules.min_items), ("maxItems", rules.max_items));
            self.contained(rules);
        }
        if let Some(rules) = node.object.as_deref() {
            self.counts("object", ("minProperties", rules.min_properties), ("maxProperties", rules.max_properties));
            self.closed(node);
        }
        if let Some(rules) = node.number.as_deref() {
            let lower = [("minimum", &rules.minimum, false), ("exclusiveMinimum", &rules.exclusive_minimum, true)];
            let upper = [("maximum", &rules.maximum, false), ("exclusiveMaximum", &rules.exclusive_maximum, true)];
            for (low, least, open) in lower {
                for (high, most, shut) in &upper {
                    if let (Some(least), Some(most)) = (least, most) {
                        let whole = node.types == Some(TypeSet::INTEGER);
                        self.limits_cross((low, least, open), (high, most, *shut), whole);
                    }
                }
            }
        }
        self.logic(node);
        if node.enumeration.as_ref().is_some_and(Vec::is_empty) {
            let hint = Some("list the values, or leave `enum` out".to_owned());
            let message = "nothing can be valid: `enum` lists no value".to_owned();
            self.never_with(&format!("{}/enum", self.path), message, "enum", "", hint);
        }
        let Some(types) = node.types else { return };
        self.misplaced(node, types);
        let stated = |value: &Json, more: &str| {
            format!("{}{more} can never be valid: `type` allows {}", short(value), names(types))
        };
        let mut strangers = node.enumeration.iter().flatten().enumerate().filter(|(_, value)| !allows(types, value));
        if let Some((index, value)) = strangers.next() {
            let mut pointer = format!("{}/enum", self.path);
            push_index(&mut pointer, index);
            let more = match strangers.count() {
                0 => String::new(),
                others => format!(", and {others} more,"),
            };
            self.never(&pointer, stated(value, &more), "type", "");
        }
        if let Some(value) = &node.constant
            && !allows(types, value)
        {
            let pointer = format!("{}/const", self.path);
            self.never(&pointer, stated(value, ""), "type", "");
        }
    }

    fn counts(&mut self, what: &str, low: (&str, Option<u64>), high: (&str, Option<u64>)) {
        if let (Some(least), Some(most)) = (low.1, high.1)
            && least > most
        {
            let message = format!("no {what} can be valid: `{}` is {least}, but `{}` is {most}", low.0, high.0);
            self.never(&format!("{}/{}", self.path, low.0), message, high.0, "this is less");
        }
    }

    /// Name, number, and whether the number itself is left out.
    fn limits_cross(&mut self, low: (&str, &Number, bool), high: (&str, &Number, bool), whole: bool) {
        let order = low.1.compare(high.1);
        let what = if order.is_gt() || (order.is_eq() && (low.2 || high.2)) {
            "number"
        } else if whole && !self.holds_integer(low, high) {
            "integer"
        } else {
            return;
        };
        let (least, most) = (low.1.text(), high.1.text());
        let message = format!("no {what} can be valid: `{}` is {least}, but `{}` is {most}", low.0, high.0);
        let label = format!("no {what} is between the two");
        self.never(&format!("{}/{}", self.path, low.0), message, high.0, &label);
    }

    /// Is there an integer between them? Taken for granted of large ones.
    fn holds_integer(&self, low: (&str, &Number, bool), high: (&str, &Number, bool)) -> bool {
        const LARGE: f64 = 1e15;
        let (Ok(least), Ok(most)) = (low.1.text().parse::<f64>(), high.1.text().parse::<f64>()) else { return true };
        if least.abs() > LARGE || most.abs() > LARGE {
            return true;
        }
        let first = if low.2 { least.floor() + 1.0 } else { least.ceil() };
        let last = if high.2 { most.ceil() - 1.0 } else { most.floor() };
        first <= last
    }

    /// Items that must be there and cannot.
    fn contained(&mut self, rules: &ArrayRules) {
        let least = |count: u64, stated: &'static str, otherwise: &'static str| {
            if count == 1 { otherwise } else { stated }
        };
        if let Some(contains) = &rules.contains {
            let (min, at) = (contains.min, least(contains.min, "minContains", "contains"));
            if let Some(max) = contains.max.filter(|max| *max < min) {
                let message = format!(
                    "no array can be valid: `maxContains` is {max}, but of the items {min} must match `contains`"
                );
                self.never(&format!("{}/maxContains", self.path), message, at, "so many must match");
            }
            if let Some(max) = rules.max_items.filter(|max| *max < min) {
                let message =
                    format!("no array can be valid: `maxItems` is {max}, but of the items {min} must match `contains`");
                self.never(&format!("{}/maxItems", self.path), message, at, "so many must match");
            }
        }
        if let (Some(Schema::Bool(false)), Some(min)) = (&rules.items, rules.min_items)
            && min > rules.prefix.len() as u64
        {
            let most = rules.prefix.len();
            let message =
                format!("no array can be valid: `minItems` is {min}, but `items` forbids all after the first {most}");
            self.never(&format!("{}/minItems", self.path), message, "items", "");
        }
    }

    /// Keywords about values that `type` does not allow.
    fn misplaced(&mut self, node: &Node, types: TypeSet) {
        let groups = [
            (node.number.is_some(), TypeSet::INTEGER, "number", NUMBERS),
            (node.string.is_some(), TypeSet::STRING, "string", STRINGS),
            (node.array.is_some(), TypeSet::ARRAY, "array", ARRAYS),
            (node.object.is_some(), TypeSet::OBJECT, "object", OBJECTS),
        ];
        for (_, _, what, keywords) in groups.into_iter().filter(|(any, set, ..)| *any && !types.meets(*set)) {
            let Some(Data::Object(members)) = self.root.at(&self.path).map(|schema| &schema.data) else { return };
            let Some(member) = members.iter().find(|member| keywords.contains(&&*member.name)) else { continue };
            let message = format!(
                "`{}` has no effect: it is about the type `{what}`, and `type` allows {}",
                member.name,
                names(types)
            );
            self.push(Diagnostic::new(Code::IgnoredKeyword, self.at_key(&member.name), message));
        }
    }

    /// Parts of `allOf` that no type is common to, and alternatives of `oneOf` that are the same.
    fn logic(&mut self, node: &Node) {
        let Some(logic) = node.logic.as_deref() else { return };
        let mut common = node.types;
        for (index, part) in logic.all_of.iter().enumerate() {
            let Some(types) = part.node().and_then(|part| part.types) else { continue };
            let before = common.unwrap_or(TypeSet::ALL);
            if before != TypeSet::NONE && !before.meets(types) {
                let pointer = format!("{}/allOf/{index}/type", self.path);
                let (here, others) = (names(types), names(before));
                let message = format!("nothing can be valid: {here} is asked for here, and {others} beside it");
                self.never(&pointer, message, "allOf", "");
                return;
            }
            common = Some(before.and(types));
        }
        if logic.one_of.len() < 2 || logic.one_of.len() > 64 {
            return;
        }
        let Some(Data::Array(parts)) = self.root.at(&format!("{}/oneOf", self.path)).map(|list| &list.data) else {
            return;
        };
        for (index, part) in parts.iter().enumerate() {
            let Some(other) = parts[..index].iter().position(|other| same(other, part)) else { continue };
            let message = format!(
                "what is valid here is valid by alternative {} as well, so that `oneOf` never takes it: they are the same",
                other + 1
            );
            let hint = Some("leave one of them out, or write `anyOf`".to_owned());
            self.never_with(&format!("{}/oneOf/{index}", self.path), message, "oneOf", "", hint);
        }
    }

    /// Required members that a closed object cannot have.
    fn closed(&mut self, node: &Node) {
        let Some(rules) = node.object.as_deref() else { return };
        if rules.max_properties.is_some_and(|most| (rules.required.len() as u64) > most) {
            let message = format!(
                "no object can be valid: `required` lists {} names, but `maxProperties` is {}",
                rules.required.len(),
                rules.max_properties.unwrap_or_default()
            );
            self.never(&format!("{}/required", self.path), message, "maxProperties", "this is less");
        }
        for (index, name) in rules.required.iter().enumerate() {
            if rules.properties.iter().any(|property| property.name == *name && property.schema == Schema::Bool(false))
            {
                let mut pointer = format!("{}/required", self.path);
                push_index(&mut pointer, index);
                let message = format!("no object can be valid: `{name}` is required, but its schema is `false`");
                self.never(&pointer, message, "properties", "");
            }
        }
        let shut = rules.additional.as_ref().is_some_and(|schema| *schema == Schema::Bool(false));
        // A pattern may allow any name; whether it does is not looked at.
        if !shut || !rules.patterns.is_empty() {
            return;
        }
        let most = rules.properties.len();
        if let Some(min) = rules.min_properties.filter(|min| *min > most as u64) {
            let message = format!(
                "no object can be valid: `minProperties` is {min}, but `additionalProperties` leaves only {most} of all names"
            );
            self.never(&format!("{}/minProperties", self.path), message, "additionalProperties", "");
        }
        for (index, name) in rules.required.iter().enumerate() {
            if rules.properties.iter().any(|property| property.name == *name) {
                continue;
            }
            let mut pointer = format!("{}/required", self.path);
            push_index(&mut pointer, index);
            let message = format!(
                "no object can be valid: `{name}` is required, but `additionalProperties` forbids all that `properties` does not list"
            );
            let names = rules.properties.iter().map(|property| &*property.name);
            let hint = nearest(name, names, 1 + name.len() / 4).map(|near| format!("did you mean `{near}`?"));
            self.never_with(&pointer, message, "additionalProperties", "", hint);
        }
    }

    fn never(&mut self, pointer: &str, message: String, other: &str, label: &str) {
        self.never_with(pointer, message, other, label, None);
    }

    /// `other` is the keyword of the same schema that it goes against.
    fn never_with(&mut self, pointer: &str, message: String, other: &str, label: &str, hint: Option<String>) {
        let mut against = self.path.clone();
        push_token(&mut against, other);
        let mut diagnostic = Diagnostic::new(Code::NeverValid, At::value(&self.file, pointer), message);
        if !label.is_empty() {
            diagnostic = diagnostic.related(At::value(&self.file, &against), label);
        }
        diagnostic.hint = hint;
        self.push(diagnostic);
    }
}

/// Is it the same text but for spaces?
fn same(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (&one.data, &other.data) {
        (Data::Array(a), Data::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Data::Object(a), Data::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.name == b.name && same(&a.value, &b.value))
        }
        (a, b) => a == b,
    }
}

/// Types for a message.
fn names(types: TypeSet) -> String {
    let named: Vec<String> = types.names().map(|name| format!("`{name}`")).collect();
    named.join(", ")
}

fn allows(types: TypeSet, value: &Json) -> bool {
    types.has(TypeSet::of(value))
}

/// A value for a message.
fn short(value: &Json) -> String {
    let text = value.to_string();
    match text.char_indices().nth(40) {
        Some((cut, _)) => format!("`{}…`", &text[..cut]),
        None => format!("`{text}`"),
    }
}
