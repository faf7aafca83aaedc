//! Conditions as trees: negated by turning the leaves, laid out as `ruff format` would.

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
        let no = format!("not {yes}");
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

    fn put(&self, out: &mut String, nested: bool) {
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

    fn operator(&self) -> &'static str {
        if matches!(self, All(_)) { " and " } else { " or " }
    }

    /// `before condition after` as one logical line, broken if it must be.
    pub(super) fn line(&self, code: &mut Code, before: &str, after: &str) {
        let flat = self.flat();
        if code.fits(&[before, &flat, after]) {
            code.line(&[before, &flat, after]);
            return;
        }
        match self {
            All(parts) | Any(parts) => {
                if let [first, second] = &parts[..]
                    && self.halves(code, first, second, before, after)
                {
                    return;
                }
                code.line(&[before, "("]);
                code.indent();
                self.operands(code, parts);
                code.dedent();
                code.line(&[")", after]);
            }
            _ => {
                if !call_broken(code, before, &flat, after) {
                    code.line(&[before, &flat, after]);
                }
            }
        }
    }

    /// Two operands of which one has parentheses of its own: those are broken, the last ones if the head fits.
    fn halves(&self, code: &mut Code, first: &Condition, second: &Condition, before: &str, after: &str) -> bool {
        let (mut one, mut other) = (String::new(), String::new());
        first.put(&mut one, true);
        second.put(&mut other, true);
        if let All(inner) | Any(inner) = second {
            let head = [before, &one, self.operator(), "("];
            if code.fits(&head) {
                code.line(&head);
                code.indent();
                second.operands(code, inner);
                code.dedent();
                code.line(&[")", after]);
                return true;
            }
        }
        if let (All(_) | Any(_), Test { .. }) = (first, second)
            && let Some((call, _)) = other.split_once('(')
            && code.fits(&[before, &one, self.operator(), call, "("])
            && call_broken(code, &format!("{before}{one}{}", self.operator()), &other, after)
        {
            return true;
        }
        if let All(inner) | Any(inner) = first {
            let tail = [")", self.operator(), &other, after];
            if code.fits(&tail) {
                code.line(&[before, "("]);
                code.indent();
                first.operands(code, inner);
                code.dedent();
                code.line(&tail);
                return true;
            }
        }
        false
    }

    /// The inside of parentheses: on one line if there is room, else one operand a line.
    fn operands(&self, code: &mut Code, parts: &[Condition]) {
        let flat = self.flat();
        if code.fits(&[&flat]) {
            code.line(&[&flat]);
            return;
        }
        for (i, part) in parts.iter().enumerate() {
            part.operand(code, if i > 0 { self.operator().trim_start() } else { "" });
        }
    }

    fn operand(&self, code: &mut Code, before: &str) {
        let mut flat = String::new();
        self.put(&mut flat, true);
        if code.fits(&[before, &flat]) {
            code.line(&[before, &flat]);
            return;
        }
        match self {
            All(parts) | Any(parts) => {
                code.line(&[before, "("]);
                code.indent();
                self.operands(code, parts);
                code.dedent();
                code.line(&[")"]);
            }
            _ => {
                if !call_broken(code, before, &flat, "") {
                    code.line(&[before, &flat]);
                }
            }
        }
    }
}

/// `f(x)` with its argument on a line of its own.
fn call_broken(code: &mut Code, before: &str, call: &str, after: &str) -> bool {
    let Some((head, rest)) = call.split_once('(') else { return false };
    let Some(arguments) = rest.strip_suffix(')') else { return false };
    if head.contains('"') || arguments.contains(['(', '"']) {
        return false;
    }
    code.line(&[before, head, "("]);
    code.indent();
    code.line(&[arguments]);
    code.dedent();
    code.line(&[")", after]);
    true
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
