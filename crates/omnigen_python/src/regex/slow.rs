//! Patterns that can take exponential time: a loop whose body can match one and the same text in several ways, with
//! something behind it that can fail. Polynomial ones (`.*.*x`) are not reported.

use super::ambiguous;
use super::parse::{Body, Item};
use super::set::{self, Ranges};

/// Loops of fewer turns end in time.
const MANY: u64 = 24;

/// Does any loop blow up?
pub(super) fn is_slow(body: &Body) -> bool {
    within_body(body, false)
}

fn within_body(body: &Body, fails_after: bool) -> bool {
    body.iter().any(|sequence| {
        sequence.iter().enumerate().any(|(i, item)| {
            let fails = fails_after || sequence[i + 1..].iter().any(|item| !nullable(item));
            within_item(item, fails)
        })
    })
}

fn within_item(item: &Item, fails_after: bool) -> bool {
    match item {
        Item::Capture { body, .. } | Item::Group { body, .. } => within_body(body, fails_after),
        // A negative lookaround fails where its body matches, so nothing behind the body is needed to try all ways.
        Item::Look { body, .. } => within_body(body, false),
        Item::Repeat { item, min, max, .. } => {
            let many = max.is_none_or(|max| max >= MANY);
            if let Item::Capture { body, .. } | Item::Group { body, .. } = &**item
                && many
                && fails_after
                && (!cores(body).is_empty()
                    || overlapping(body)
                    || (*min >= MANY && skips(body))
                    || ambiguous::in_loop(body))
            {
                return true;
            }
            within_item(item, fails_after)
        }
        _ => false,
    }
}

/// Is there something in it that can be left out with everything else? Of the turns that must be made any can be empty then.
fn skips(body: &Body) -> bool {
    body.iter().any(|sequence| !sequence.is_empty() && sequence.iter().all(nullable))
}

/// Can it match the empty text (or is it sure to)? Assertions can fail.
fn nullable(item: &Item) -> bool {
    match item {
        Item::Repeat { item, min, .. } => *min == 0 || nullable(item),
        Item::Capture { body, .. } | Item::Group { body, .. } => {
            body.iter().any(|sequence| sequence.iter().all(nullable))
        }
        _ => false,
    }
}

/// The characters, if the item is one character.
pub(super) fn single(item: &Item) -> Option<Ranges> {
    match item {
        Item::Char(code) => Some(vec![(*code, *code)]),
        Item::Any { all: true } => Some(vec![(0, set::MAX)]),
        Item::Any { all: false } => Some(set::complement(set::LINE_ENDS)),
        Item::Class(class) => Some(class.matched()),
        Item::Capture { body, .. } | Item::Group { body, .. } => match &body[..] {
            [sequence] => match &sequence[..] {
                [item] => single(item),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// Can it match a text of these characters only, or nothing?
fn fits(item: &Item, chars: &Ranges) -> bool {
    if let Some(own) = single(item) {
        return set::meet(&own, chars);
    }
    match item {
        Item::Capture { body, .. } | Item::Group { body, .. } => {
            body.iter().any(|sequence| sequence.iter().all(|item| fits(item, chars)))
        }
        Item::Repeat { item, min, .. } => *min == 0 || fits(item, chars),
        _ => false,
    }
}

/// Sets of characters of which the body matches texts of any length.
fn cores(body: &Body) -> Vec<Ranges> {
    let mut found = Vec::new();
    for sequence in body {
        for (i, item) in sequence.iter().enumerate() {
            let inner = match item {
                Item::Repeat { item, max, .. } => match (single(item), &**item) {
                    (Some(chars), _) if max.is_none() => vec![chars],
                    (None, Item::Capture { body, .. } | Item::Group { body, .. }) => cores(body),
                    _ => Vec::new(),
                },
                Item::Capture { body, .. } | Item::Group { body, .. } => cores(body),
                _ => Vec::new(),
            };
            let others = || sequence.iter().enumerate().filter(|&(j, _)| j != i);
            found.extend(inner.into_iter().filter(|chars| others().all(|(_, item)| fits(item, chars))));
        }
    }
    found
}

/// Two alternatives that are one character each, and can be the same.
fn overlapping(body: &Body) -> bool {
    let sets: Vec<Ranges> = body
        .iter()
        .filter_map(|sequence| match &sequence[..] {
            [item] => single(item),
            _ => None,
        })
        .collect();
    sets.iter().enumerate().any(|(i, a)| sets[i + 1..].iter().any(|b| set::meet(a, b)))
}
