//! What holds beyond a type: the keywords that only a validator can check.

use super::combine::Part;
use crate::TypeSet;

/// What a type leaves to the validator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unchecked {
    /// Keywords, in a fixed order.
    pub keywords: Vec<&'static str>,
    /// Formats by name, and whether the dialect asserts them; else the project decides.
    pub formats: Vec<(Box<str>, bool)>,
}

impl Unchecked {
    /// Is there nothing?
    pub fn is_empty(&self) -> bool {
        self.keywords.is_empty() && self.formats.is_empty()
    }
}

/// Keywords in the order in which they are told.
const NAMES: [&str; 32] = [
    "not",
    "if/then",
    "anyOf",
    "oneOf",
    "dependentRequired",
    "dependentSchemas",
    "propertyNames",
    "patternProperties",
    "minProperties",
    "maxProperties",
    "unevaluatedProperties",
    "const",
    "enum",
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "prefixItems",
    "items",
    "contains",
    "minItems",
    "maxItems",
    "uniqueItems",
    "unevaluatedItems",
    "properties",
    "additionalProperties",
    "required",
    "$dynamicRef",
];

/// Gathers [`Unchecked`] while a type is made.
#[derive(Clone, Debug, Default)]
pub(super) struct Unsaid {
    keywords: u32,
    formats: Vec<(Box<str>, bool)>,
}

impl Unsaid {
    /// Takes in a keyword of the list.
    pub(super) fn add(&mut self, keyword: &str) {
        if let Some(at) = NAMES.iter().position(|name| *name == keyword) {
            self.keywords |= 1 << at;
        }
    }

    fn when(&mut self, keyword: &str, said: bool) {
        if said {
            self.add(keyword);
        }
    }

    /// Combinators of some parts. `used` is one that the type does express, by the address of its node and its keyword.
    pub(super) fn logic(&mut self, parts: &[Part<'_>], used: Option<(*const crate::Node, &str)>) {
        for part in parts {
            let Some(logic) = part.node.logic.as_deref() else { continue };
            let open = |keyword| !part.spent && used != Some((std::ptr::from_ref(part.node), keyword));
            self.when("not", logic.not.is_some());
            self.when("if/then", logic.condition.as_ref().is_some_and(|c| c.then.is_some() || c.otherwise.is_some()));
            self.when("anyOf", !logic.any_of.is_empty() && open("anyOf"));
            self.when("oneOf", !logic.one_of.is_empty() && open("oneOf"));
        }
    }

    /// What no class says about objects.
    pub(super) fn object(&mut self, parts: &[Part<'_>]) {
        for object in parts.iter().filter_map(|part| part.node.object.as_deref()) {
            self.when("dependentRequired", !object.dependent_required.is_empty());
            self.when("dependentSchemas", !object.dependent_schemas.is_empty());
            self.when("propertyNames", object.names.is_some());
            self.when("patternProperties", !object.patterns.is_empty());
            self.when("minProperties", object.min_properties.is_some());
            self.when("maxProperties", object.max_properties.is_some());
            let open = crate::Schema::Bool(true);
            self.when("unevaluatedProperties", object.unevaluated.as_ref().is_some_and(|schema| *schema != open));
            // A class cannot tell the names that a pattern allows from others.
            let closed = object.additional.as_ref().is_some_and(|schema| *schema != open);
            self.when("additionalProperties", closed && !object.patterns.is_empty());
        }
    }

    /// What no map says about objects: their sizes it does say.
    pub(super) fn map(&mut self, parts: &[Part<'_>]) {
        let mut own = Unsaid::default();
        own.object(parts);
        for object in parts.iter().filter_map(|part| part.node.object.as_deref()) {
            own.when("required", !object.required.is_empty());
        }
        let bounds = ["minProperties", "maxProperties"].iter().filter_map(|bound| place(bound));
        self.keywords |= bounds.fold(own.keywords, |all, at| all & !(1 << at));
    }

    /// What no list says about arrays. `exact`: the type says what stands at which place.
    pub(super) fn array(&mut self, parts: &[Part<'_>], exact: bool) {
        for array in parts.iter().filter_map(|part| part.node.array.as_deref()) {
            // Called `items` before 2020-12.
            let older = |schema: &crate::Schema| schema.node().is_some_and(|node| node.at.contains("/items/"));
            let name = if array.prefix.iter().any(older) { "items" } else { "prefixItems" };
            self.when(name, !array.prefix.is_empty() && !exact);
            self.when("contains", array.contains.is_some());
            self.when("uniqueItems", array.unique);
            let open = crate::Schema::Bool(true);
            self.when("unevaluatedItems", array.unevaluated.as_ref().is_some_and(|schema| *schema != open));
        }
    }

    /// What no string says; all patterns but the first one.
    pub(super) fn string(&mut self, parts: &[Part<'_>]) {
        let mut patterns = parts.iter().filter_map(|part| part.node.string.as_deref()?.pattern.as_deref());
        let first = patterns.next();
        self.when("pattern", patterns.any(|other| Some(other) != first));
        for rules in parts.iter().filter_map(|part| part.node.string.as_deref()) {
            if let Some(format) = &rules.format {
                let format = (format.clone(), rules.asserted);
                if !self.formats.contains(&format) {
                    self.formats.push(format);
                }
            }
        }
    }

    /// What no number says: steps, which doubles do not decide as decimals do; of whole numbers, steps that are no whole number, and
    /// all but the first.
    pub(super) fn number(&mut self, parts: &[Part<'_>], whole: bool) {
        let mut steps = parts.iter().filter_map(|part| part.node.number.as_deref()?.multiple_of.as_ref());
        let first = steps.next();
        let said = whole && first.is_none_or(|step| step.as_i64().is_some());
        self.when("multipleOf", (first.is_some() && !said) || steps.any(|other| Some(other) != first));
    }

    /// Everything: nothing of it became a type.
    pub(super) fn everything(&mut self, parts: &[Part<'_>]) {
        self.logic(parts, None);
        self.object(parts);
        self.array(parts, false);
        self.string(parts);
        self.number(parts, false);
        for part in parts {
            if let Some(rules) = part.node.number.as_deref() {
                self.when("minimum", rules.minimum.is_some());
                self.when("exclusiveMinimum", rules.exclusive_minimum.is_some());
                self.when("maximum", rules.maximum.is_some());
                self.when("exclusiveMaximum", rules.exclusive_maximum.is_some());
            }
            if let Some(rules) = part.node.string.as_deref() {
                self.when("minLength", rules.min_length.is_some());
                self.when("maxLength", rules.max_length.is_some());
                self.when("pattern", rules.pattern.is_some());
            }
            if let Some(rules) = part.node.array.as_deref() {
                self.when("minItems", rules.min_items.is_some());
                self.when("maxItems", rules.max_items.is_some());
            }
            if let Some(rules) = part.node.object.as_deref() {
                self.when("required", !rules.required.is_empty());
            }
        }
    }

    /// The list for readers.
    pub(super) fn told(self) -> Unchecked {
        let mut keywords = Vec::new();
        let mut left = self.keywords;
        while left != 0 {
            keywords.push(NAMES[left.trailing_zeros() as usize]);
            left &= left - 1;
        }
        Unchecked { keywords, formats: self.formats }
    }
}

fn place(keyword: &str) -> Option<usize> {
    NAMES.iter().position(|name| *name == keyword)
}

/// Is no value allowed by two of these?
pub(super) fn apart(kinds: &[TypeSet]) -> bool {
    kinds.iter().enumerate().all(|(i, one)| kinds[i + 1..].iter().all(|other| !one.meets(*other)))
}
