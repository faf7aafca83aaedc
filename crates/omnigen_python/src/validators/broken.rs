//! Conditions that do not fit one line, broken where `ruff format` breaks them.
//!
//! Two forms. In parentheses: the condition on lines of its own, one operand a line if it must be. Without: brackets that are
//! there anyway are opened, from the left, as few as needed. The second one is for a single operator with brackets at the
//! start or the end of the whole, and for none; and only where everything fits once all brackets are open.

use bumpalo::Bump;
use bumpalo::collections::Vec as List;

use super::code::Code;
use super::condition::Condition;
use crate::layout::columns;

use Condition::{All, Any, Known, Test};

/// A piece of a condition outside of brackets, or brackets.
enum Piece<'c> {
    Text(&'c str),
    /// An argument list, a subscript: what stands between, with the brackets around.
    Arguments {
        open: char,
        inner: &'c str,
    },
    /// A condition in parentheses.
    Nested(&'c Condition<'c>),
}

impl Piece<'_> {
    /// Writes it on one line.
    fn put(&self, out: &mut String) {
        match self {
            Piece::Text(text) => out.push_str(text),
            Piece::Arguments { open, inner } => {
                out.push(*open);
                out.push_str(inner);
                out.push(close(*open));
            }
            Piece::Nested(condition) => condition.put(out, true),
        }
    }

    /// The columns that it takes on one line.
    fn columns(&self) -> usize {
        match self {
            Piece::Text(text) => columns(text),
            Piece::Arguments { inner, .. } => columns(inner) + 2,
            Piece::Nested(condition) => condition.columns(true),
        }
    }
}

fn close(open: char) -> char {
    if open == '(' { ')' } else { ']' }
}

/// `before condition after`, which is too long for a line.
pub(super) fn line(code: &mut Code<'_>, condition: &Condition<'_>, before: &str, after: &str) {
    if !matches!(condition, All(parts) | Any(parts) if parts.len() != 2) {
        let pieces = pieces(code.arena, condition);
        let open = match condition {
            Known(_) => true,
            Test(test) if operators(&test.flat()).is_empty() => pieces.len() > 1,
            Test(_) | All(_) | Any(_) => {
                (at_end(&pieces) || at_start(&pieces)) && all_fit(code, &pieces, before, after)
            }
        };
        if open {
            return opened(code, &pieces, before, after);
        }
    }
    code.line(&[before, "("]);
    code.indent();
    inside(code, condition);
    code.dedent();
    code.line(&[")", after]);
}

/// What stands in parentheses: on one line if there is room, else one operand a line.
fn inside(code: &mut Code<'_>, condition: &Condition<'_>) {
    let flat = condition.flat();
    if code.fits(&[&flat]) {
        return code.line(&[&flat]);
    }
    match condition {
        All(parts) | Any(parts) => {
            for (i, part) in parts.iter().enumerate() {
                operand(code, part, if i > 0 { condition.operator().trim_start() } else { "" });
            }
        }
        _ => operand(code, condition, ""),
    }
}

fn operand(code: &mut Code<'_>, condition: &Condition<'_>, before: &str) {
    let mut flat = String::new();
    condition.put(&mut flat, true);
    if code.fits(&[before, &flat]) {
        return code.line(&[before, &flat]);
    }
    match condition {
        Known(_) => code.line(&[before, &flat]),
        Test(_) => expression(code, &flat, before, ""),
        All(_) | Any(_) => {
            code.line(&[before, "("]);
            code.indent();
            inside(code, condition);
            code.dedent();
            code.line(&[")"]);
        }
    }
}

/// An expression in parentheses: if it is too long for a line, broken before its operator, else in its brackets.
fn expression(code: &mut Code<'_>, text: &str, before: &str, after: &str) {
    if code.fits(&[before, text, after]) {
        return code.line(&[before, text, after]);
    }
    let blanks = operators(text);
    if blanks.is_empty() {
        return opened(code, &scanned(code.arena, text), before, after);
    }
    let mut start = 0;
    for at in blanks {
        expression(code, &text[start..at], if start == 0 { before } else { "" }, "");
        start = at + 1;
    }
    expression(code, &text[start..], "", after);
}

/// `return bool(condition)`, for a condition of which a type checker knows nothing.
pub(super) fn returned(code: &mut Code<'_>, condition: &Condition<'_>) {
    let flat = condition.flat();
    if code.fits(&["return bool(", &flat, ")"]) {
        return code.line(&["return bool(", &flat, ")"]);
    }
    code.line(&["return bool("]);
    code.indent();
    inside(code, condition);
    code.dedent();
    code.line(&[")"]);
}

/// Opens brackets from the left until the rest fits.
fn opened(code: &mut Code<'_>, pieces: &[Piece<'_>], before: &str, after: &str) {
    let mut line = before.to_owned();
    for (i, piece) in pieces.iter().enumerate() {
        if matches!(piece, Piece::Text(_))
            || code.has_room(code.level(), columns(&line) + piece.columns() + head(&pieces[i + 1..], after))
        {
            piece.put(&mut line);
            continue;
        }
        match piece {
            Piece::Text(_) => {}
            Piece::Arguments { open, inner } => {
                code.line(&[&line, open.encode_utf8(&mut [0; 4])]);
                code.indent();
                arguments(code, inner);
                code.dedent();
                line = close(*open).to_string();
            }
            Piece::Nested(condition) => {
                code.line(&[&line, "("]);
                code.indent();
                inside(code, condition);
                code.dedent();
                ")".clone_into(&mut line);
            }
        }
    }
    code.line(&[&line, after]);
}

/// `name = expression`, too long for a line.
pub(super) fn assignment(code: &mut Code<'_>, before: &str, expression: &str) {
    opened(code, &scanned(code.arena, expression), before, "");
}

/// The columns of what follows up to the next bracket, that one included.
fn head(pieces: &[Piece<'_>], after: &str) -> usize {
    let mut before = 0;
    for piece in pieces {
        match piece {
            Piece::Text(part) => before += columns(part),
            Piece::Arguments { .. } | Piece::Nested(_) => return before + 1,
        }
    }
    before + columns(after)
}

/// The inside of an argument list: on one line, or one argument a line.
fn arguments(code: &mut Code<'_>, inner: &str) {
    if code.fits(&[inner]) {
        return code.line(&[inner]);
    }
    let list = split(inner);
    let comma = if list.len() > 1 { "," } else { "" };
    for argument in list {
        if code.fits(&[argument, comma]) {
            code.line(&[argument, comma]);
        } else {
            expression(code, argument, "", comma);
        }
    }
}

/// Do all lines fit once all brackets are open? What is in parentheses has to look after itself.
fn all_fit(code: &Code<'_>, pieces: &[Piece<'_>], before: &str, after: &str) -> bool {
    let mut line = before.to_owned();
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                line.push_str(text);
                continue;
            }
            Piece::Arguments { open, inner } => {
                line.push(*open);
                if !code.fits(&[&line]) || !split(inner).iter().all(|argument| code.fits(&["    ", argument])) {
                    return false;
                }
                line = close(*open).to_string();
            }
            Piece::Nested(_) => {
                line.push('(');
                if !code.fits(&[&line]) {
                    return false;
                }
                ")".clone_into(&mut line);
            }
        }
    }
    code.fits(&[&line, after])
}

fn at_end(pieces: &[Piece<'_>]) -> bool {
    matches!(pieces.last(), Some(Piece::Nested(_)))
        || matches!(pieces.last(), Some(Piece::Arguments { inner, .. }) if !inner.is_empty())
}

fn at_start(pieces: &[Piece<'_>]) -> bool {
    matches!(pieces.first(), Some(Piece::Nested(_) | Piece::Arguments { .. }))
}

/// A condition cut at its outermost brackets.
fn pieces<'c>(arena: &'c Bump, condition: &'c Condition<'c>) -> List<'c, Piece<'c>> {
    let mut list = List::new_in(arena);
    match condition {
        Known(_) => list.push(Piece::Text(flat(arena, condition))),
        Test(_) => scan(flat(arena, condition), &mut list),
        All(parts) | Any(parts) => {
            for (i, part) in parts.iter().enumerate() {
                if i > 0 {
                    list.push(Piece::Text(condition.operator()));
                }
                match part {
                    Test(_) => scan(flat(arena, part), &mut list),
                    Known(_) => list.push(Piece::Text(flat(arena, part))),
                    All(_) | Any(_) => list.push(Piece::Nested(part)),
                }
            }
        }
    }
    list
}

fn flat<'c>(arena: &'c Bump, condition: &Condition<'_>) -> &'c str {
    arena.alloc_str(&condition.flat())
}

/// An expression cut at its outermost brackets.
fn scanned<'c>(arena: &'c Bump, text: &'c str) -> List<'c, Piece<'c>> {
    let mut list = List::new_in(arena);
    scan(text, &mut list);
    list
}

/// Adds the pieces of an expression.
fn scan<'c>(text: &'c str, list: &mut List<'c, Piece<'c>>) {
    let mut start = 0;
    outermost(text, |at, depth, c| match (depth, c) {
        (0, b'(' | b'[') => {
            if at > start {
                list.push(Piece::Text(&text[start..at]));
            }
            start = at + 1;
        }
        (1, b')' | b']') => {
            let open = if c == b')' { '(' } else { '[' };
            list.push(Piece::Arguments { open, inner: &text[start..at] });
            start = at + 1;
        }
        _ => {}
    });
    if start < text.len() {
        list.push(Piece::Text(&text[start..]));
    }
}

/// The arguments of a list.
fn split(text: &str) -> Vec<&str> {
    let mut list = Vec::new();
    let mut start = 0;
    outermost(text, |at, depth, c| {
        if depth == 0 && c == b',' {
            list.push(text[start..at].trim());
            start = at + 1;
        }
    });
    let last = text[start..].trim();
    if !last.is_empty() {
        list.push(last);
    }
    list
}

/// Where the blanks before the operators are that bind least: comparisons, or arithmetic. An operator at the start is none.
fn operators(text: &str) -> Vec<usize> {
    let mut found: (usize, Vec<usize>) = (0, Vec::new());
    outermost(text, |at, depth, c| {
        if depth > 0 || c != b' ' || [" not", " is", ","].iter().any(|end| text[..at].ends_with(end)) {
            return;
        }
        let starts = |list: &[&str]| list.iter().any(|operator| text[at + 1..].starts_with(operator));
        let rank = if starts(&["is ", "in ", "not in ", "== ", "!= ", "< ", "<= ", "> ", ">= "]) {
            3
        } else if starts(&["+ "]) {
            2
        } else if starts(&["% "]) {
            1
        } else {
            return;
        };
        if rank > found.0 {
            found = (rank, Vec::new());
        }
        if rank == found.0 {
            found.1.push(at);
        }
    });
    found.1
}

/// Calls back for each byte that is not within a string literal, with the number of brackets around it.
fn outermost(text: &str, mut f: impl FnMut(usize, usize, u8)) {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in text.bytes().enumerate() {
        if let Some(end) = quote {
            match c {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                _ if c == end => quote = None,
                _ => {}
            }
            continue;
        }
        match c {
            b'"' | b'\'' => quote = Some(c),
            b')' | b']' | b'}' => {
                f(at, depth, c);
                depth = depth.saturating_sub(1);
            }
            _ => {
                f(at, depth, c);
                if matches!(c, b'(' | b'[' | b'{') {
                    depth += 1;
                }
            }
        }
    }
}
