//! Conditions as trees: negated by turning the leaves, laid out as `ruff format` would.
//!
//! A validator is made of thousands of them, most of them short: they lie in an arena, and are copied as references are.

use bumpalo::Bump;
use bumpalo::collections::Vec as List;

use super::broken;
use super::code::Code;
use crate::layout::{columns, is_plain, string};

/// A condition of Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition<'a> {
    /// Always or never.
    Known(bool),
    /// A test.
    Test(Test<'a>),
    /// `and`
    All(&'a [Condition<'a>]),
    /// `or`
    Any(&'a [Condition<'a>]),
}

/// A test in pieces: its opposite is the same with another operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Test<'a> {
    /// What stands left of the operator.
    left: &'a str,
    /// What stands right of it.
    right: &'a str,
    operator: Operator,
}

/// How the two sides of a test are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// The left side alone.
    Holds,
    Not,
    /// `isinstance(left, right)`
    Instance,
    NotInstance,
    Is,
    IsNot,
    In,
    NotIn,
    Equal,
    Unequal,
    Less,
    /// `>=`
    NotLess,
    Greater,
    /// `<=`
    NotGreater,
    /// The left side alone; the right one is the opposite.
    Left,
    Right,
}

use Operator::*;

impl Operator {
    fn opposite(self) -> Operator {
        match self {
            Holds => Not,
            Not => Holds,
            Instance => NotInstance,
            NotInstance => Instance,
            Is => IsNot,
            IsNot => Is,
            In => NotIn,
            NotIn => In,
            Equal => Unequal,
            Unequal => Equal,
            Less => NotLess,
            NotLess => Less,
            Greater => NotGreater,
            NotGreater => Greater,
            Left => Right,
            Right => Left,
        }
    }

    /// The operator with blanks around, if it stands between its sides.
    fn text(self) -> Option<&'static str> {
        Some(match self {
            Is => " is ",
            IsNot => " is not ",
            In => " in ",
            NotIn => " not in ",
            Equal => " == ",
            Unequal => " != ",
            Less => " < ",
            NotLess => " >= ",
            Greater => " > ",
            NotGreater => " <= ",
            Holds | Not | Instance | NotInstance | Left | Right => return None,
        })
    }
}

impl<'a> Test<'a> {
    fn put(&self, out: &mut String) {
        let Test { left, right, operator } = *self;
        out.reserve(left.len() + right.len() + "not isinstance(, )".len());
        if let Some(operator) = operator.text() {
            out.push_str(left);
            out.push_str(operator);
            out.push_str(right);
            return;
        }
        match operator {
            Instance | NotInstance => {
                out.push_str(if operator == Instance { "isinstance(" } else { "not isinstance(" });
                out.push_str(left);
                out.push_str(", ");
                out.push_str(right);
                out.push(')');
            }
            Not => {
                out.push_str("not ");
                out.push_str(left);
            }
            Right => out.push_str(right),
            _ => out.push_str(left),
        }
    }

    /// The columns that it takes on one line.
    fn columns(&self) -> usize {
        let Test { left, right, operator } = *self;
        match operator {
            Instance => columns(left) + columns(right) + "isinstance(, )".len(),
            NotInstance => columns(left) + columns(right) + "not isinstance(, )".len(),
            Not => columns(left) + "not ".len(),
            Right => columns(right),
            Holds | Left => columns(left),
            _ => columns(left) + operator.text().map_or(0, str::len) + columns(right),
        }
    }

    /// On one line.
    pub(super) fn flat(&self) -> String {
        let mut out = String::with_capacity(self.left.len() + self.right.len() + 20);
        self.put(&mut out);
        out
    }

    /// Is it a call as it stands?
    pub(super) fn is_call(&self) -> bool {
        self.operator == Instance || (self.operator == Holds && self.left.ends_with(')'))
    }

    /// The call whose result it is, or is true of: `f(x)`, also where it says `is not None`.
    pub(super) fn called(&self) -> Option<&'a str> {
        let whole = self.operator == Holds || (self.operator == IsNot && self.right == "None");
        (whole && self.left.ends_with(')')).then_some(self.left)
    }

    /// Is it nothing but a comparison of values of any type?
    fn untyped(&self) -> bool {
        let compares = |text: &str| {
            // Few texts have one of these at all.
            text.bytes().any(|byte| matches!(byte, b'<' | b'=' | b'>'))
                && [" == ", " != ", " < ", " <= ", " > ", " >= "].iter().any(|operator| text.contains(operator))
                && !text.contains(" in ")
        };
        match self.operator {
            Equal | Unequal | Less | NotLess | Greater | NotGreater => {
                !self.left.starts_with("len(") && !self.left.contains(" in ") && !self.right.contains(" in ")
            }
            Holds | Left => !self.left.starts_with("len(") && compares(self.left),
            Right => !self.right.starts_with("len(") && compares(self.right),
            Not => compares(self.left),
            Instance | NotInstance | Is | IsNot | In | NotIn => false,
        }
    }
}

use Condition::{All, Any, Known};

/// Pieces as one text that stays.
pub(super) fn together<'a>(arena: &'a Bump, pieces: &[&str]) -> &'a str {
    if let [piece] = pieces {
        return arena.alloc_str(piece);
    }
    let size = pieces.iter().map(|piece| piece.len()).sum();
    let mut text = bumpalo::collections::String::with_capacity_in(size, arena);
    pieces.iter().for_each(|piece| text.push_str(piece));
    text.into_bump_str()
}

/// A string literal between pieces, as one text that stays.
pub(super) fn quoted<'a>(arena: &'a Bump, before: &[&str], text: &str, after: &str) -> &'a str {
    let around = before.iter().map(|piece| piece.len()).sum::<usize>() + after.len();
    let mut out = bumpalo::collections::String::with_capacity_in(around + text.len() + 2, arena);
    before.iter().for_each(|piece| out.push_str(piece));
    if is_plain(text) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&string(text));
    }
    out.push_str(after);
    out.into_bump_str()
}

/// A text of so many bytes is short.
const SHORT: usize = 256;

/// Where a word first stands in a text. In a short one, to look at each of its first letters is faster than to prepare for a search.
pub(super) fn find(text: &str, word: &str) -> Option<usize> {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    if text.len() > SHORT {
        return memchr::memmem::find(text, word);
    }
    let (first, rest) = word.split_first()?;
    let last = text.len().checked_sub(word.len())?;
    memchr::memchr_iter(*first, &text[..=last]).find(|at| text[at + 1..].starts_with(rest))
}

/// How often a short word stands in a text.
pub(super) fn mentions(text: &str, word: &str) -> usize {
    let (mut count, mut rest) = (0, text);
    while let Some(at) = find(rest, word) {
        count += 1;
        rest = &rest[at + word.len()..];
    }
    count
}

impl<'a> Condition<'a> {
    /// Two sides and what is between; each side in pieces.
    pub(super) fn of(arena: &'a Bump, left: &[&str], operator: Operator, right: &[&str]) -> Condition<'a> {
        let right = match right {
            [] => "",
            ["None"] => "None",
            right => together(arena, right),
        };
        Condition::Test(Test { left: together(arena, left), right, operator })
    }

    /// A call, negated by `not`.
    pub(super) fn call(arena: &'a Bump, text: &str) -> Condition<'a> {
        Condition::of(arena, &[text], Holds, &[])
    }

    /// All hold.
    pub(super) fn all(arena: &'a Bump, parts: &[Condition<'a>]) -> Condition<'a> {
        join(arena, parts, true)
    }

    /// One holds.
    pub(super) fn any(arena: &'a Bump, parts: &[Condition<'a>]) -> Condition<'a> {
        join(arena, parts, false)
    }

    /// The opposite.
    #[must_use]
    pub(super) fn opposite(self, arena: &'a Bump) -> Condition<'a> {
        let turned = |parts: &[Condition<'a>]| -> &'a [Condition<'a>] {
            arena.alloc_slice_fill_with(parts.len(), |at| parts[at].opposite(arena))
        };
        match self {
            Known(value) => Known(!value),
            Condition::Test(test) => Condition::Test(Test { operator: test.operator.opposite(), ..test }),
            All(parts) => Any(turned(parts)),
            Any(parts) => All(turned(parts)),
        }
    }

    /// How many tests.
    pub(super) fn size(&self) -> usize {
        match self {
            Known(_) => 0,
            Condition::Test(_) => 1,
            All(parts) | Any(parts) => parts.iter().map(Condition::size).sum(),
        }
    }

    /// `x < low or x > high` as one comparison that fails; this is the first of the two.
    pub(super) fn between(&self, arena: &'a Bump, other: &Condition<'a>) -> Option<Condition<'a>> {
        let (Condition::Test(low), Condition::Test(high)) = (self, other) else { return None };
        let operator = |operator| match operator {
            Less | Greater => Some(" <= "),
            NotGreater | NotLess => Some(" < "),
            _ => None,
        };
        let sides = matches!(low.operator, Less | NotGreater) && matches!(high.operator, Greater | NotLess);
        if !sides || low.left != high.left {
            return None;
        }
        let fails = together(
            arena,
            &["not ", low.right, operator(low.operator)?, low.left, operator(high.operator)?, high.right],
        );
        Some(Condition::Test(Test { left: fails, right: &fails["not ".len()..], operator: Left }))
    }

    /// The columns that it takes on one line; in parentheses if that is needed within another one.
    pub(super) fn columns(&self, nested: bool) -> usize {
        match self {
            Known(value) => if *value { "True" } else { "False" }.len(),
            Condition::Test(test) => test.columns(),
            All(parts) | Any(parts) => {
                let inside: usize = parts.iter().map(|part| part.columns(true)).sum();
                inside + self.operator().len() * (parts.len() - 1) + if nested { 2 } else { 0 }
            }
        }
    }

    /// How many tests are calls.
    pub(super) fn calls(&self) -> usize {
        match self {
            Known(_) => 0,
            Condition::Test(test) => usize::from(test.called().is_some() || matches!(test.operator, Not)),
            All(parts) | Any(parts) => parts.iter().map(Condition::calls).sum(),
        }
    }

    /// How often a variable stands in it.
    pub(super) fn mentions(&self, variable: &str) -> usize {
        match self {
            Known(_) => 0,
            Condition::Test(test) => mentions(test.left, variable) + mentions(test.right, variable),
            All(parts) | Any(parts) => parts.iter().map(|part| part.mentions(variable)).sum(),
        }
    }

    /// With an expression in the place of a variable.
    pub(super) fn replaced(&self, arena: &'a Bump, variable: &str, expression: &str) -> Condition<'a> {
        let put = |text: &'a str| match mentions(text, variable) {
            0 => text,
            count => {
                let size = text.len() + count * expression.len();
                let mut out = bumpalo::collections::String::with_capacity_in(size, arena);
                let mut rest = text;
                while let Some(at) = find(rest, variable) {
                    out.push_str(&rest[..at]);
                    out.push_str(expression);
                    rest = &rest[at + variable.len()..];
                }
                out.push_str(rest);
                out.into_bump_str()
            }
        };
        let each = |parts: &[Condition<'a>]| -> &'a [Condition<'a>] {
            arena.alloc_slice_fill_with(parts.len(), |at| parts[at].replaced(arena, variable, expression))
        };
        match self {
            Known(value) => Known(*value),
            Condition::Test(test) => {
                Condition::Test(Test { left: put(test.left), right: put(test.right), operator: test.operator })
            }
            All(parts) => All(each(parts)),
            Any(parts) => Any(each(parts)),
        }
    }

    /// On one line.
    pub(super) fn flat(&self) -> String {
        let mut out = String::with_capacity(80);
        self.put(&mut out, false);
        out
    }

    /// On one line; in parentheses if that is needed within another one.
    pub(super) fn put(&self, out: &mut String, nested: bool) {
        match self {
            Known(value) => out.push_str(if *value { "True" } else { "False" }),
            Condition::Test(test) => test.put(out),
            All(parts) | Any(parts) => {
                if nested {
                    out.push('(');
                }
                for (i, part) in parts.iter().enumerate() {
                    if i > 0 {
                        out.push_str(self.operator());
                    }
                    part.put(out, true);
                }
                if nested {
                    out.push(')');
                }
            }
        }
    }

    /// The operator with blanks around.
    pub(super) fn operator(&self) -> &'static str {
        if matches!(self, All(_)) { " and " } else { " or " }
    }

    /// `before condition after` as one logical line, broken if it must be.
    pub(super) fn line(&self, code: &mut Code<'a>, before: &str, after: &str) {
        if !code.condition(self, before, after) {
            let start = code.mark();
            broken::line(code, self, before, after);
            code.note(start, *self, before, after);
        }
    }

    /// `return condition`, as a `bool` also where a type checker takes a comparison of data for anything.
    pub(super) fn returned(&self, code: &mut Code<'a>) {
        if self.untyped() { broken::returned(code, self) } else { self.line(code, "return ", "") }
    }

    /// Does a type checker take it for anything, as it does a comparison of values of any type?
    fn untyped(&self) -> bool {
        self.certainty() == Certainty::None
    }

    fn certainty(&self) -> Certainty {
        let (parts, all) = match self {
            Known(_) => return Certainty::Whole,
            Condition::Test(test) => return if test.untyped() { Certainty::None } else { Certainty::Whole },
            All(parts) => (parts, true),
            Any(parts) => (parts, false),
        };
        // Operands are taken together from the right.
        let certainties = parts.iter().rev().map(Condition::certainty);
        let together = certainties.reduce(|right, left| match (left, right) {
            (Certainty::Whole, Certainty::Whole) => Certainty::Whole,
            (Certainty::None, Certainty::None) => Certainty::None,
            (Certainty::Partly, Certainty::None) if all => Certainty::None,
            _ => Certainty::Partly,
        });
        together.unwrap_or(Certainty::Whole)
    }
}

/// How far a type checker knows that a condition is a `bool`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certainty {
    Whole,
    /// Some of its operands are.
    Partly,
    None,
}

fn join<'a>(arena: &'a Bump, parts: &[Condition<'a>], all: bool) -> Condition<'a> {
    let mut joined = List::with_capacity_in(parts.len(), arena);
    let mut instances = 0;
    let wanted = if all { NotInstance } else { Instance };
    let mut add = |part: Condition<'a>| {
        instances += usize::from(matches!(part, Condition::Test(test) if test.operator == wanted));
        joined.push(part);
    };
    for part in parts {
        match *part {
            Known(value) if value == all => {}
            Known(_) => return Known(!all),
            All(inner) if all => inner.iter().for_each(|part| add(*part)),
            Any(inner) if !all => inner.iter().for_each(|part| add(*part)),
            part => add(part),
        }
    }
    if instances > 1 {
        merge_instances(arena, &mut joined, wanted);
    }
    match joined[..] {
        [] => Known(all),
        [one] => one,
        _ if all => All(joined.into_bump_slice()),
        _ => Any(joined.into_bump_slice()),
    }
}

/// Tests for classes of one value become one: `isinstance(x, (str, list))`.
fn merge_instances<'a>(arena: &'a Bump, parts: &mut List<'a, Condition<'a>>, operator: Operator) {
    let mut at = 0;
    while at < parts.len() {
        let (before, rest) = parts.split_at_mut(at);
        let Some(Condition::Test(test)) = rest.first().filter(|part| is_test(part, operator)) else {
            at += 1;
            continue;
        };
        let same = before.iter_mut().find_map(|part| match part {
            Condition::Test(other) if other.operator == operator && other.left == test.left => Some(other),
            _ => None,
        });
        let Some(other) = same else {
            at += 1;
            continue;
        };
        let bare = |text: &'a str| text.trim_start_matches('(').trim_end_matches(')');
        let mut list = bare(other.right);
        for class in bare(test.right).split(", ") {
            if !list.split(", ").any(|known| known == class) {
                list = together(arena, &[list, ", ", class]);
            }
        }
        other.right = if list.contains(", ") { together(arena, &["(", list, ")"]) } else { list };
        parts.remove(at);
    }
}

fn is_test(part: &Condition<'_>, operator: Operator) -> bool {
    matches!(part, Condition::Test(test) if test.operator == operator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_one_value_are_asked_for_at_once() {
        let arena = Bump::new();
        let is = |value, class| Condition::of(&arena, &[value], Instance, &[class]);
        let any = Condition::any(&arena, &[is("x", "str"), is("y", "str"), is("x", "(str, list)")]);
        assert_eq!(any.flat(), "isinstance(x, (str, list)) or isinstance(y, str)");
        assert_eq!(any.opposite(&arena).flat(), "not isinstance(x, (str, list)) and not isinstance(y, str)");
        let one = Condition::any(&arena, &[is("x", "str"), is("x", "str")]);
        assert_eq!(one.flat(), "isinstance(x, str)");
    }

    #[test]
    fn a_word_is_found_in_short_and_in_long_texts() {
        let long = "é value1[0] ".repeat(SHORT);
        for text in ["", "v", "value1", "val value value1", "é: value12", "valu", &long, &format!("{long}value2")] {
            for word in ["value1", "value2", "v", "é"] {
                assert_eq!(find(text, word), text.find(word), "{word} in {text}");
                assert_eq!(mentions(text, word), text.matches(word).count(), "{word} in {text}");
            }
        }
    }

    #[test]
    fn an_expression_takes_the_place_of_a_variable() {
        let arena = Bump::new();
        let test = Condition::of(&arena, &["len(", "item1", ")"], Less, &["3"]);
        assert_eq!((test.mentions("item1"), test.mentions("item12"), test.mentions("item")), (1, 0, 1));
        assert_eq!(test.replaced(&arena, "item1", "data[0]").flat(), "len(data[0]) < 3");
    }
}
