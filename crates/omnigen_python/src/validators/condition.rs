//! Conditions as trees: negated by turning the leaves, laid out as `ruff format` would.

use compact_str::CompactString;

use super::broken;
use super::code::Code;

/// A condition of Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Always or never.
    Known(bool),
    /// A test.
    Test(Test),
    /// `and`
    All(Vec<Condition>),
    /// `or`
    Any(Vec<Condition>),
}

/// A test in pieces: its opposite is the same with another operator. There are many of them, and most are short: they lie in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Test {
    /// What stands left of the operator, then what stands right of it.
    text: CompactString,
    /// Where the right one begins.
    at: u32,
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

impl Test {
    fn put(&self, out: &mut String) {
        let (left, right) = self.text.split_at(self.at as usize);
        if let Some(operator) = self.operator.text() {
            out.push_str(left);
            out.push_str(operator);
            out.push_str(right);
            return;
        }
        match self.operator {
            Instance | NotInstance => {
                out.push_str(if self.operator == Instance { "isinstance(" } else { "not isinstance(" });
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

    /// On one line.
    pub(super) fn flat(&self) -> String {
        let mut out = String::with_capacity(self.text.len() + 20);
        self.put(&mut out);
        out
    }

    /// Is it a call as it stands?
    pub(super) fn is_call(&self) -> bool {
        self.operator == Instance || (self.operator == Holds && self.text.ends_with(')'))
    }

    /// The call whose result it is, or is true of: `f(x)`, also where it says `is not None`.
    pub(super) fn called(&self) -> Option<&str> {
        let (left, right) = self.text.split_at(self.at as usize);
        let whole = self.operator == Holds || (self.operator == IsNot && right == "None");
        (whole && left.ends_with(')')).then_some(left)
    }

    /// Is it nothing but a comparison of values of any type?
    fn untyped(&self) -> bool {
        match self.operator {
            Equal | Unequal | Less | NotLess | Greater | NotGreater => {
                !self.text.starts_with("len(") && !self.text.contains(" in ")
            }
            Holds | Not | Left | Right => {
                let text = self.flat();
                !text.starts_with("len(")
                    && [" == ", " != ", " < ", " <= ", " > ", " >= "].iter().any(|operator| text.contains(operator))
                    && !text.contains(" in ")
            }
            Instance | NotInstance | Is | IsNot | In | NotIn => false,
        }
    }
}

use Condition::{All, Any, Known};

impl Condition {
    /// Two sides and what is between; each side in pieces.
    pub(super) fn of(left: &[&str], operator: Operator, right: &[&str]) -> Condition {
        let size = |parts: &[&str]| parts.iter().map(|part| part.len()).sum::<usize>();
        let at = size(left);
        let mut text = CompactString::with_capacity(at + size(right));
        for part in left.iter().chain(right) {
            text.push_str(part);
        }
        Condition::Test(Test { text, at: at as u32, operator })
    }

    /// A call, negated by `not`.
    pub(super) fn call(text: impl AsRef<str>) -> Condition {
        Condition::of(&[text.as_ref()], Holds, &[])
    }

    /// All hold.
    pub(super) fn all(parts: Vec<Condition>) -> Condition {
        join(parts, true)
    }

    /// One holds.
    pub(super) fn any(parts: Vec<Condition>) -> Condition {
        join(parts, false)
    }

    /// The opposite.
    #[must_use]
    pub(super) fn opposite(mut self) -> Condition {
        self.turn();
        self
    }

    fn turn(&mut self) {
        match self {
            Known(value) => *value = !*value,
            Condition::Test(test) => test.operator = test.operator.opposite(),
            All(parts) | Any(parts) => {
                parts.iter_mut().for_each(Condition::turn);
                let parts = std::mem::take(parts);
                *self = if matches!(self, All(_)) { Any(parts) } else { All(parts) };
            }
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
    pub(super) fn between(&self, other: &Condition) -> Option<Condition> {
        let (Condition::Test(low), Condition::Test(high)) = (self, other) else { return None };
        let operator = |operator| match operator {
            Less | Greater => Some(" <= "),
            NotGreater | NotLess => Some(" < "),
            _ => None,
        };
        let sides = matches!(low.operator, Less | NotGreater) && matches!(high.operator, Greater | NotLess);
        let ((left, least), (right, most)) = (low.text.split_at(low.at as usize), high.text.split_at(high.at as usize));
        if !sides || left != right {
            return None;
        }
        let holds = [least, operator(low.operator)?, left, operator(high.operator)?, most].concat();
        Some(Condition::of(&["not ", &holds], Left, &[&holds]))
    }

    /// How many tests are calls.
    pub(super) fn calls(&self) -> usize {
        match self {
            Known(_) => 0,
            Condition::Test(test) => usize::from(test.called().is_some() || matches!(test.operator, Not)),
            All(parts) | Any(parts) => parts.iter().map(Condition::calls).sum(),
        }
    }

    /// With an expression in the place of a variable, if that stands there once.
    pub(super) fn with(&self, variable: &str, expression: &str) -> Option<Condition> {
        let mut found = 0;
        self.visit(&mut |test| found += test.text.matches(variable).count());
        (found == 1).then(|| self.replaced(variable, expression))
    }

    fn visit(&self, f: &mut dyn FnMut(&Test)) {
        match self {
            Known(_) => {}
            Condition::Test(test) => f(test),
            All(parts) | Any(parts) => parts.iter().for_each(|part| part.visit(f)),
        }
    }

    fn replaced(&self, variable: &str, expression: &str) -> Condition {
        match self {
            Known(value) => Known(*value),
            Condition::Test(test) => {
                let (left, right) = test.text.split_at(test.at as usize);
                let (left, right) = (left.replace(variable, expression), right.replace(variable, expression));
                Condition::of(&[&left], test.operator, &[&right])
            }
            All(parts) => All(parts.iter().map(|part| part.replaced(variable, expression)).collect()),
            Any(parts) => Any(parts.iter().map(|part| part.replaced(variable, expression)).collect()),
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
    pub(super) fn line(&self, code: &mut Code, before: &str, after: &str) {
        if !code.condition(self, before, after) {
            let start = code.mark();
            broken::line(code, self, before, after);
            code.note(start, self, before, after);
        }
    }

    /// `return condition`, as a `bool` also where a type checker takes a comparison of data for anything.
    pub(super) fn returned(&self, code: &mut Code) {
        if self.untyped() { broken::returned(code, self) } else { self.line(code, "return ", "") }
    }

    /// Is it nothing but comparisons of values of any type?
    fn untyped(&self) -> bool {
        match self {
            Known(_) => false,
            Condition::Test(test) => test.untyped(),
            All(parts) | Any(parts) => parts.iter().all(Condition::untyped),
        }
    }
}

fn join(parts: Vec<Condition>, all: bool) -> Condition {
    let neutral = |part: &Condition| matches!(part, Known(value) if *value == all);
    let inner = |part: &Condition| matches!((part, all), (All(_), true) | (Any(_), false));
    if parts.iter().any(|part| matches!(part, Known(value) if *value != all)) {
        return Known(!all);
    }
    let mut joined = parts;
    if joined.iter().any(|part| neutral(part) || inner(part)) {
        let parts = std::mem::take(&mut joined);
        for part in parts {
            match part {
                Known(_) => {}
                All(inner) if all => joined.extend(inner),
                Any(inner) if !all => joined.extend(inner),
                part => joined.push(part),
            }
        }
    }
    merge_instances(&mut joined, if all { NotInstance } else { Instance });
    match joined.len() {
        0 => Known(all),
        1 => joined.remove(0),
        _ if all => All(joined),
        _ => Any(joined),
    }
}

/// Tests for classes of one value become one: `isinstance(x, (str, list))`.
fn merge_instances(parts: &mut Vec<Condition>, operator: Operator) {
    let instance = |part: &Condition| matches!(part, Condition::Test(test) if test.operator == operator);
    if parts.iter().filter(|part| instance(part)).count() < 2 {
        return;
    }
    let mut at = 0;
    while at < parts.len() {
        let (before, rest) = parts.split_at_mut(at);
        let Some(Condition::Test(test)) = rest.first().filter(|part| instance(part)) else {
            at += 1;
            continue;
        };
        let (value, classes) = test.text.split_at(test.at as usize);
        let same = before.iter_mut().find_map(|part| match part {
            Condition::Test(other) if other.operator == operator && &other.text[..other.at as usize] == value => {
                Some(other)
            }
            _ => None,
        });
        let Some(other) = same else {
            at += 1;
            continue;
        };
        let bare = |text: &str| text.trim_start_matches('(').trim_end_matches(')').to_owned();
        let mut list = bare(&other.text[other.at as usize..]);
        for class in bare(classes).split(", ") {
            if !list.split(", ").any(|known| known == class) {
                list = [&list, ", ", class].concat();
            }
        }
        let right = if list.contains(", ") { ["(", &list, ")"].concat() } else { list };
        if let Condition::Test(merged) = Condition::of(&[value], operator, &[&right]) {
            *other = merged;
        }
        parts.remove(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_one_value_are_asked_for_at_once() {
        let is = |value, class| Condition::of(&[value], Instance, &[class]);
        let any = Condition::any(vec![is("x", "str"), is("y", "str"), is("x", "(str, list)")]);
        assert_eq!(any.flat(), "isinstance(x, (str, list)) or isinstance(y, str)");
        assert_eq!(any.opposite().flat(), "not isinstance(x, (str, list)) and not isinstance(y, str)");
        let one = Condition::any(vec![is("x", "str"), is("x", "str")]);
        assert_eq!(one.flat(), "isinstance(x, str)");
    }
}
