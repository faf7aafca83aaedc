//! Keywords that exclude each other: what stands there can never be valid. Looks at one schema at a time, and only at what is
//! certain without following references.

use omnigen_ir::{Json, Node, Number, TypeSet};
use omnigen_report::{At, Code, Diagnostic, nearest};

use super::lower::Lowerer;
use crate::value::{push_index, push_token};

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
                        self.limits_cross((low, least), (high, most), open || *shut);
                    }
                }
            }
        }
        let Some(types) = node.types else { return };
        let stated = |value: &Json, more: &str| {
            let named: Vec<String> = types.names().map(|name| format!("`{name}`")).collect();
            format!("{}{more} can never be valid: `type` allows {}", short(value), named.join(", "))
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

    fn limits_cross(&mut self, low: (&str, &Number), high: (&str, &Number), open: bool) {
        let order = low.1.compare(high.1);
        if order.is_gt() || (open && order.is_eq()) {
            let (least, most) = (low.1.text(), high.1.text());
            let message = format!("no number can be valid: `{}` is {least}, but `{}` is {most}", low.0, high.0);
            self.never(&format!("{}/{}", self.path, low.0), message, high.0, "no number is between the two");
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
        let shut = rules.additional.as_ref().is_some_and(|schema| *schema == omnigen_ir::Schema::Bool(false));
        // A pattern may allow any name; whether it does is not looked at.
        if !shut || !rules.patterns.is_empty() {
            return;
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
