//! Conditions as trees: negated by turning the leaves, laid out as `ruff format` would.

use super::broken;
use super::code::Code;

/// A condition of Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Always or never.
    Known(bool),
    /// A test, and its opposite.
    Test {
        /// Holds if the condition does.
        yes: String,
        /// Holds if it does not.
        no: String,
    },
    /// `and`
    All(Vec<Condition>),
    /// `or`
    Any(Vec<Condition>),
}

use Condition::{All, Any, Known, Test};

impl Condition {
    /// A test and its opposite.
    pub(super) fn test(yes: impl Into<String>, no: impl Into<String>) -> Condition {
        Test { yes: yes.into(), no: no.into() }
    }

    /// A call, negated by `not`.
    pub(super) fn call(text: impl Into<String>) -> Condition {
        let yes = text.into();
        let no = ["not ", &yes].concat();
        Test { yes, no }
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
    pub(super) fn opposite(self) -> Condition {
        match self {
            Known(value) => Known(!value),
            Test { yes, no } => Test { yes: no, no: yes },
            All(parts) => Any(parts.into_iter().map(Condition::opposite).collect()),
            Any(parts) => All(parts.into_iter().map(Condition::opposite).collect()),
        }
    }

    /// How many tests.
    pub(super) fn size(&self) -> usize {
        match self {
            Known(_) => 0,
            Test { .. } => 1,
            All(parts) | Any(parts) => parts.iter().map(Condition::size).sum(),
        }
    }

    /// On one line.
    pub(super) fn flat(&self) -> String {
        let mut out = String::new();
        self.put(&mut out, false);
        out
    }

    /// On one line; in parentheses if that is needed within another one.
    pub(super) fn put(&self, out: &mut String, nested: bool) {
        match self {
            Known(value) => out.push_str(if *value { "True" } else { "False" }),
            Test { yes, .. } => out.push_str(yes),
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
        let flat = self.flat();
        if code.fits(&[before, &flat, after]) {
            code.line(&[before, &flat, after]);
        } else {
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
            Test { yes, .. } => {
                !yes.starts_with("len(")
                    && [" == ", " != ", " < ", " <= ", " > ", " >= "].iter().any(|operator| yes.contains(operator))
                    && !yes.contains(" in ")
            }
            All(parts) | Any(parts) => parts.iter().all(Condition::untyped),
        }
    }
}

fn join(parts: Vec<Condition>, all: bool) -> Condition {
    let mut joined = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Known(value) if value == all => {}
            Known(value) => return Known(value),
            All(inner) if all => joined.extend(inner),
            Any(inner) if !all => joined.extend(inner),
            part => joined.push(part),
        }
    }
    match joined.len() {
        0 => Known(all),
        1 => joined.remove(0),
        _ if all => All(joined),
        _ => Any(joined),
    }
}
