//! Keywords that mean something only together, or differently in different drafts.

use omnigen_ir::{Condition, Contains, Node, RefTarget, Schema, TypeSet};
use omnigen_report::{At, Code, Diagnostic};

use super::keywords::Draft;
use super::lower::{Applies, Lowerer};
use crate::value::{Data, Value};

/// Keywords that mean something only together.
#[derive(Default)]
pub(super) struct Pending<'v, 'a> {
    pub(super) items: Option<&'v Value<'a>>,
    pub(super) additional_items: Option<&'v Value<'a>>,
    pub(super) prefix_items: Option<&'v Value<'a>>,
    pub(super) unevaluated_items: Option<&'v Value<'a>>,
    pub(super) unevaluated_properties: Option<&'v Value<'a>>,
    pub(super) contains: Option<&'v Value<'a>>,
    pub(super) min_contains: Option<&'v Value<'a>>,
    pub(super) max_contains: Option<&'v Value<'a>>,
    pub(super) test: Option<&'v Value<'a>>,
    pub(super) then: Option<&'v Value<'a>>,
    pub(super) otherwise: Option<&'v Value<'a>>,
    pub(super) dynamic: Option<&'v Value<'a>>,
    pub(super) recursive: Option<&'v Value<'a>>,
    pub(super) exclusive_minimum: Option<&'v Value<'a>>,
    pub(super) exclusive_maximum: Option<&'v Value<'a>>,
}

impl<'v, 'a> Lowerer<'v, 'a> {
    pub(super) fn dependent_required(&mut self, node: &mut Node, value: &'v Value<'a>) {
        let Some(members) = value.members() else {
            return self.wrong("dependentRequired", value, "an object of lists of names");
        };
        for member in members {
            let names = self.names(&["dependentRequired", &member.name], &member.value);
            if !names.is_empty() {
                node.object.get_or_insert_default().dependent_required.push((member.name.as_ref().into(), names));
            }
        }
    }

    /// Split in 2019-09 into `dependentRequired` and `dependentSchemas`; its metaschemas still have it, and so do we.
    pub(super) fn dependencies(&mut self, node: &mut Node, value: &'v Value<'a>) {
        let Some(members) = value.members() else {
            return self.wrong("dependencies", value, "an object of schemas and lists of names");
        };
        for member in members {
            let name: Box<str> = member.name.as_ref().into();
            if let Data::Array(_) = member.value.data {
                let names = self.names(&["dependencies", &member.name], &member.value);
                if !names.is_empty() {
                    node.object.get_or_insert_default().dependent_required.push((name, names));
                }
                continue;
            }
            let schema = self.grandchild("dependencies", &member.name, &member.value, Applies::InPlace);
            node.object.get_or_insert_default().dependent_schemas.push((name, schema));
        }
    }

    pub(super) fn arrays(&mut self, node: &mut Node, pending: &Pending<'v, 'a>) {
        let mut prefix = Vec::new();
        let mut rest = None;
        if let Some(value) = pending.prefix_items {
            match &value.data {
                Data::Array(items) => prefix = self.list("prefixItems", items, Applies::Inside),
                _ => self.wrong("prefixItems", value, "an array of schemas"),
            }
        }
        match pending.items.map(|value| (value, &value.data)) {
            Some((_, Data::Array(items))) if self.dialect.array_items() && pending.prefix_items.is_none() => {
                prefix = self.list("items", items, Applies::Inside);
                if let Some(value) = pending.additional_items {
                    rest = Some(self.child("additionalItems", value, Applies::Inside));
                }
            }
            Some((_, Data::Array(_))) => {
                let at = At::value(&self.file, &format!("{}/items", self.path));
                let message = "`items` must be a schema, not an array";
                self.push(Diagnostic::new(Code::WrongType, at, message).hint("write `prefixItems`"));
            }
            Some((value, _)) => rest = Some(self.child("items", value, Applies::Inside)),
            None => {}
        }
        if !prefix.is_empty() || rest.is_some() {
            let array = node.array.get_or_insert_default();
            array.prefix = prefix;
            array.items = rest;
        }
        if let Some(value) = pending.contains {
            let schema = self.child("contains", value, Applies::Inside);
            let min = pending.min_contains.and_then(|value| self.count("minContains", value)).unwrap_or(1);
            let max = pending.max_contains.and_then(|value| self.count("maxContains", value));
            node.array.get_or_insert_default().contains =
                Some(Contains { schema, min, max, evaluates: self.dialect.contains_evaluates() });
        }
        let list = pending.items.is_some_and(|value| matches!(value.data, Data::Array(_)));
        for (name, beside, alone) in [
            ("minContains", "`contains`", pending.min_contains.is_some() && pending.contains.is_none()),
            ("maxContains", "`contains`", pending.max_contains.is_some() && pending.contains.is_none()),
            ("additionalItems", "a list in `items`", pending.additional_items.is_some() && !list),
        ] {
            if alone {
                let message = format!("`{name}` has no effect without {beside}");
                self.push(Diagnostic::new(Code::IgnoredKeyword, self.at_key(name), message));
            }
        }
    }

    pub(super) fn conditions(&mut self, node: &mut Node, pending: &Pending<'v, 'a>) {
        let Some(test) = pending.test else {
            for (name, value) in [("then", pending.then), ("else", pending.otherwise)] {
                if value.is_some() {
                    let message = format!("`{name}` has no effect without `if`");
                    self.push(Diagnostic::new(Code::IgnoredKeyword, self.at_key(name), message));
                }
            }
            return;
        };
        if pending.then.is_none() && pending.otherwise.is_none() && !self.resources.tracks() {
            let message = "`if` has no effect without `then` or `else`";
            self.push(Diagnostic::new(Code::IgnoredKeyword, self.at_key("if"), message));
        }
        let test = self.child("if", test, Applies::InPlace);
        let then = pending.then.map(|value| self.child("then", value, Applies::InPlace));
        let otherwise = pending.otherwise.map(|value| self.child("else", value, Applies::InPlace));
        node.logic.get_or_insert_default().condition = Some(Condition { test, then, otherwise });
    }

    /// The exclusive limits: numbers, or in draft-04 booleans that change `minimum` and `maximum`.
    pub(super) fn limits(&mut self, node: &mut Node, pending: &Pending<'v, 'a>) {
        for (name, beside, value) in [
            ("exclusiveMinimum", "minimum", pending.exclusive_minimum),
            ("exclusiveMaximum", "maximum", pending.exclusive_maximum),
        ] {
            let Some(value) = value else { continue };
            if let (Data::Bool(exclusive), true) = (&value.data, self.dialect.boolean_limits()) {
                let Some(rules) = node.number.as_deref_mut().filter(|_| *exclusive) else { continue };
                match name {
                    "exclusiveMinimum" => rules.exclusive_minimum = rules.minimum.take(),
                    _ => rules.exclusive_maximum = rules.maximum.take(),
                }
                continue;
            }
            if let Data::Bool(_) = value.data {
                let at = At::value(&self.file, &format!("{}/{name}", self.path));
                let message = format!("`{name}` must be a number in {}, not a boolean", self.dialect.draft.name());
                self.push(
                    Diagnostic::new(Code::WrongType, at, message).hint(format!("move the number of `{beside}` here")),
                );
                continue;
            }
            let Some(number) = self.number(name, value) else { continue };
            if matches!(self.dialect.draft, Draft::D04 | Draft::OpenApi30) {
                // Draft-04 validation, section 5.1.2: a boolean. In APIs a number is common, and everybody means the limit.
                let ignored = self.dialect.draft == Draft::D04;
                let message = format!(
                    "in {} `{name}` is a boolean beside `{beside}`; {}",
                    self.dialect.draft.name(),
                    if ignored { "a number asserts nothing" } else { "the number is taken as the limit" }
                );
                let hint = format!("write `{beside}: {}` and `{name}: true`", number.text());
                self.push(Diagnostic::new(Code::IgnoredKeyword, self.at_key(name), message).hint(hint));
                if ignored {
                    continue;
                }
            }
            let rules = node.number.get_or_insert_default();
            match name {
                "exclusiveMinimum" => rules.exclusive_minimum = Some(number),
                _ => rules.exclusive_maximum = Some(number),
            }
        }
    }

    /// `unevaluatedProperties` and `unevaluatedItems` see what the keywords beside them and the schemas applied in place
    /// have left. Without the latter they are `additionalProperties` and `items` by another name.
    pub(super) fn unevaluated(&mut self, node: &mut Node, pending: &Pending<'v, 'a>) {
        let in_place = node.reference.is_some()
            || pending.dynamic.is_some()
            || pending.recursive.is_some()
            || node.logic.as_deref().is_some_and(|logic| {
                !(logic.all_of.is_empty() && logic.any_of.is_empty() && logic.one_of.is_empty())
                    || logic.condition.is_some()
            })
            || node.object.as_deref().is_some_and(|object| !object.dependent_schemas.is_empty());
        if let Some(value) = pending.unevaluated_properties
            && node.object.as_deref().is_none_or(|object| object.additional.is_none())
        {
            let schema = self.child("unevaluatedProperties", value, Applies::Inside);
            let rules = node.object.get_or_insert_default();
            *if in_place { &mut rules.unevaluated } else { &mut rules.additional } = Some(schema);
        }
        if let Some(value) = pending.unevaluated_items
            && node.array.as_deref().is_none_or(|array| array.items.is_none())
        {
            let schema = self.child("unevaluatedItems", value, Applies::Inside);
            let rules = node.array.get_or_insert_default();
            let contains = rules.contains.as_ref().is_some_and(|contains| contains.evaluates);
            *if in_place || contains { &mut rules.unevaluated } else { &mut rules.items } = Some(schema);
        }
    }

    /// `$dynamicRef` and `$recursiveRef`. Beside `$ref` there is one more part that has to hold.
    pub(super) fn dynamic_references(&mut self, node: &mut Node, pending: &Pending<'v, 'a>) {
        for (keyword, value) in [("$recursiveRef", pending.recursive), ("$dynamicRef", pending.dynamic)] {
            let Some(value) = value else { continue };
            let Some(mut reference) = self.reference(keyword, value) else { continue };
            reference.dynamic = self.resources.looked_up(self.resource, keyword, &reference);
            self.looked_up.extend(reference.dynamic.clone());
            if reference.dynamic.is_some()
                && let Some(last) = self.references.last_mut()
            {
                last.dynamic = matches!(reference.target, RefTarget::Here(_));
            }
            if node.reference.is_none() {
                node.reference = Some(reference);
                continue;
            }
            let mut part = Node::new(&format!("{}/{keyword}", self.path));
            part.reference = Some(reference);
            node.logic.get_or_insert_default().all_of.push(Schema::Node(Box::new(part)));
        }
    }

    /// In draft-04 an integer is written without a fraction (core, section 3.5).
    pub(super) fn draft_04_integer(&mut self, node: &mut Node) {
        let integer = node.types.is_some_and(|types| types.has(TypeSet::INTEGER) && !types.has(TypeSet::NUMBER));
        if integer && self.dialect.stated && self.dialect.draft == Draft::D04 {
            node.number.get_or_insert_default().unfractioned = true;
        }
    }
}
