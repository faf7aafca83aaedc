//! Parts of a conjunction: what they say, and what several of them amount to.

use std::cmp::Ordering;

use super::{About, Range, Size, Text};
use crate::{FileId, Node, Number, ObjectRules, Schema};

/// One schema object among those that hold together.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    /// The file it stands in: its references start there.
    pub file: FileId,
    pub node: &'a Node,
    /// Its `anyOf` and `oneOf` were used already, or are left to the validator.
    pub spent: bool,
}

impl Part<'_> {
    /// Without its combinators.
    pub(super) fn spent(&self) -> Self {
        Part { file: self.file.clone(), node: self.node, spent: true }
    }
}

/// Does its own content say anything that a type can tell? References and `allOf` are parts of their own.
pub(super) fn informative(part: &Part<'_>) -> bool {
    part.node.types.is_some() || informative_beside_type(part)
}

/// The same, `type` left aside.
pub(super) fn informative_beside_type(part: &Part<'_>) -> bool {
    let node = part.node;
    node.enumeration.is_some()
        || node.constant.is_some()
        || node.number.is_some()
        || node
            .string
            .as_deref()
            .is_some_and(|s| s.min_length.is_some() || s.max_length.is_some() || s.pattern.is_some())
        || node.array.as_deref().is_some_and(|a| {
            a.items.is_some() || !a.prefix.is_empty() || a.min_items.is_some() || a.max_items.is_some()
        })
        || node
            .object
            .as_deref()
            .is_some_and(|o| !o.properties.is_empty() || !o.patterns.is_empty() || o.additional.is_some())
        || (!part.spent
            && node
                .logic
                .as_deref()
                .is_some_and(|logic| informative_branches(&logic.any_of) || informative_branches(&logic.one_of)))
}

/// Does a branch name types, values or shapes? Bounds and `required` alone do not make a union worth it.
pub(super) fn informative_branches(branches: &[Schema]) -> bool {
    fn says(schema: &Schema) -> bool {
        let Some(node) = schema.node() else { return false };
        node.types.is_some()
            || node.reference.is_some()
            || node.enumeration.is_some()
            || node.constant.is_some()
            || node.array.as_deref().is_some_and(|a| a.items.is_some() || !a.prefix.is_empty())
            || node
                .object
                .as_deref()
                .is_some_and(|o| !o.properties.is_empty() || !o.patterns.is_empty() || o.additional.is_some())
            || node
                .logic
                .as_deref()
                .is_some_and(|logic| logic.all_of.iter().chain(&logic.any_of).chain(&logic.one_of).any(says))
    }
    branches.iter().any(says)
}

/// The first combinator of some parts that says something about types: its part, keyword and branches.
pub(super) fn combinator<'p, 'a>(parts: &'p [Part<'a>]) -> Option<(&'p Part<'a>, &'static str, &'a [Schema])> {
    parts.iter().filter(|part| !part.spent).find_map(|part| {
        let logic = part.node.logic.as_deref()?;
        [("anyOf", &logic.any_of), ("oneOf", &logic.one_of)]
            .into_iter()
            .find(|(_, list)| informative_branches(list))
            .map(|(keyword, list)| (part, keyword, list.as_slice()))
    })
}

/// What holds beside each branch of a combinator.
pub(super) fn spent<'a>(parts: &[Part<'a>]) -> Vec<Part<'a>> {
    parts.iter().filter(|part| informative(&part.spent()) || required(part.node)).map(Part::spent).collect()
}

fn required(node: &Node) -> bool {
    node.object.as_deref().is_some_and(|object| !object.required.is_empty())
}

/// The bounds of one schema.
pub(super) fn range_of(node: &Node) -> Range {
    node.number.as_deref().map_or_else(Range::default, |own| Range {
        minimum: own.minimum.clone(),
        exclusive_minimum: own.exclusive_minimum.clone(),
        maximum: own.maximum.clone(),
        exclusive_maximum: own.exclusive_maximum.clone(),
        multiple_of: own.multiple_of.clone(),
    })
}

/// The lengths and the pattern of one schema.
pub(super) fn text_of(node: &Node) -> Text {
    node.string.as_deref().map_or_else(Text::default, |own| Text {
        size: Size { min: own.min_length, max: own.max_length },
        pattern: own.pattern.clone(),
    })
}

/// The tightest bounds of all parts.
pub(super) fn merge_ranges(parts: &[Part<'_>]) -> Range {
    fn tighten(known: &mut Option<Number>, own: &Option<Number>, wanted: Ordering) {
        if let Some(own) = own
            && known.as_ref().is_none_or(|known| own.compare(known) == wanted)
        {
            *known = Some(own.clone());
        }
    }
    let mut range = Range::default();
    for own in parts.iter().filter_map(|part| part.node.number.as_deref()) {
        tighten(&mut range.minimum, &own.minimum, Ordering::Greater);
        tighten(&mut range.exclusive_minimum, &own.exclusive_minimum, Ordering::Greater);
        tighten(&mut range.maximum, &own.maximum, Ordering::Less);
        tighten(&mut range.exclusive_maximum, &own.exclusive_maximum, Ordering::Less);
        if range.multiple_of.is_none() {
            range.multiple_of.clone_from(&own.multiple_of);
        }
    }
    range
}

/// The tightest lengths of all parts and the first pattern.
pub(super) fn merge_text(parts: &[Part<'_>]) -> Text {
    let mut text = Text { size: Size::default(), pattern: None };
    for own in parts.iter().filter_map(|part| part.node.string.as_deref()) {
        text.size.min = text.size.min.max(own.min_length);
        text.size.max = [text.size.max, own.max_length].into_iter().flatten().min();
        if text.pattern.is_none() {
            text.pattern.clone_from(&own.pattern);
        }
    }
    text
}

/// What a schema says about itself.
pub(super) fn notes_of(node: &Node) -> About {
    node.notes.as_deref().map_or_else(About::default, |notes| About {
        title: notes.title.clone(),
        description: notes.description.clone(),
        deprecated: notes.deprecated,
    })
}

/// The same of one that may be a boolean.
pub(super) fn about(schema: &Schema) -> About {
    schema.node().map_or_else(About::default, notes_of)
}

/// Does it say something about the shape of objects?
fn shapes(object: &ObjectRules) -> bool {
    !object.properties.is_empty() || !object.patterns.is_empty() || object.additional.is_some()
}

/// Does it say something about the inside of objects or arrays?
pub(super) fn structured(node: &Node) -> bool {
    node.object.as_deref().is_some_and(shapes)
        || node.array.as_deref().is_some_and(|array| array.items.is_some() || !array.prefix.is_empty())
}

/// Does it decide about a class?
pub(super) fn says_object(node: &Node) -> bool {
    node.object.is_some() || node.types.is_some()
}
