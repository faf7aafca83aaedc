//! The tree as text for Python's `re`, without flags: what depends on flags is spelled out.

use std::fmt::Write as _;

use super::PatternError;
use super::parse::{Body, Class, Item};
use super::set;

/// What is known about a group that captures.
#[derive(Clone, Copy)]
struct Group {
    closed: bool,
    /// It takes part in every match.
    certain: bool,
    /// ECMA 262 forgets what it held at each turn of a loop around it, and a turn may leave it out; `re` remembers.
    forgotten: bool,
}

#[derive(Clone, Copy)]
struct Context {
    certain: bool,
    in_loop: bool,
    forgotten: bool,
    behind: bool,
}

struct Emitter {
    out: String,
    groups: Vec<Group>,
    names: Vec<String>,
}

/// Any of the characters that end a line.
const LINE_END: &str = r"[\n\r\u2028\u2029]";

/// Writes a tree.
pub(super) fn emit(body: &Body) -> Result<String, PatternError> {
    let mut emitter = Emitter { out: String::new(), groups: Vec::new(), names: Vec::new() };
    let context = Context { certain: true, in_loop: false, forgotten: false, behind: false };
    emitter.body(body, context)?;
    Ok(emitter.out)
}

impl Emitter {
    fn body(&mut self, body: &Body, mut context: Context) -> Result<(), PatternError> {
        if body.len() > 1 {
            context.certain = false;
            context.forgotten |= context.in_loop;
        }
        for (i, sequence) in body.iter().enumerate() {
            if i > 0 {
                self.out.push('|');
            }
            for item in sequence {
                self.item(item, context)?;
            }
        }
        Ok(())
    }

    fn item(&mut self, item: &Item, context: Context) -> Result<(), PatternError> {
        match item {
            Item::Char(code) => literal(&mut self.out, *code),
            Item::Any { all: true } => self.out.push_str(r"[\s\S]"),
            Item::Any { all: false } => self.out.push_str(r"[^\n\r\u2028\u2029]"),
            Item::Class(found) => class(&mut self.out, found),
            Item::Start { lines: false } => self.out.push('^'),
            Item::Start { lines: true } => {
                let _ = write!(self.out, "(?:^|(?<={LINE_END}))");
            }
            Item::End { lines: false } => self.out.push_str(r"\Z"),
            Item::End { lines: true } => {
                let _ = write!(self.out, r"(?:(?={LINE_END})|\Z)");
            }
            Item::Word { inside: false } => self.out.push_str(r"(?a:\b)"),
            // `\B` of `re` (before 3.14) finds nothing in the empty text.
            Item::Word { inside: true } => self.out.push_str(r"(?a:(?!\b))"),
            Item::Capture { name, body } => {
                let place = self.groups.len();
                let Context { certain, forgotten, .. } = context;
                self.groups.push(Group { closed: false, certain, forgotten });
                match name {
                    Some(name) if python_name(name) && !self.names.contains(name) => {
                        self.names.push(name.clone());
                        let _ = write!(self.out, "(?P<{name}>");
                    }
                    _ => self.out.push('('),
                }
                self.body(body, context)?;
                self.out.push(')');
                self.groups[place].closed = true;
            }
            Item::Group { body, case } => {
                self.out.push_str(match case {
                    None => "(?:",
                    Some(true) => "(?i:",
                    Some(false) => "(?-i:",
                });
                self.body(body, context)?;
                self.out.push(')');
            }
            Item::Look { behind: true, not, body, at } => self.behind(*not, body, *at, context)?,
            Item::Look { behind: false, not, body, at: _ } => {
                self.out.push_str(if *not { "(?!" } else { "(?=" });
                let first = self.groups.len();
                self.body(body, Context { certain: context.certain && !not, ..context })?;
                self.out.push(')');
                self.leave(first, *not);
            }
            Item::Back { index, at } => {
                if context.behind {
                    let message = "a reference to a group inside a lookbehind".to_owned();
                    return Err(PatternError::NotCarried { at: *at, message });
                }
                match self.groups.get((*index as usize).wrapping_sub(1)).copied() {
                    Some(Group { closed: true, forgotten: true, .. }) => {
                        let message = "a reference to a group that a loop may leave out".to_owned();
                        return Err(PatternError::NotCarried { at: *at, message });
                    }
                    Some(Group { closed: true, certain: true, .. }) => {
                        let _ = write!(self.out, r"(?:\{index})");
                    }
                    // A group that took no part matches nothing of no length, where `re` fails.
                    Some(Group { closed: true, .. }) => {
                        let _ = write!(self.out, "(?({index})\\{index}|)");
                    }
                    // Not yet closed or further on: always empty.
                    _ => self.out.push_str("(?:)"),
                }
            }
            Item::Repeat { item, min, max, lazy } => {
                let many = max.is_none_or(|max| max > 1);
                let inner = Context {
                    certain: context.certain && *min > 0,
                    in_loop: context.in_loop || many,
                    forgotten: context.forgotten || (context.in_loop && *min == 0),
                    behind: context.behind,
                };
                let wrap = matches!(**item, Item::Look { .. });
                if wrap {
                    self.out.push_str("(?:");
                }
                self.item(item, inner)?;
                if wrap {
                    self.out.push(')');
                }
                let _ = match (min, max) {
                    (0, None) => write!(self.out, "*"),
                    (1, None) => write!(self.out, "+"),
                    (0, Some(1)) => write!(self.out, "?"),
                    (min, None) => write!(self.out, "{{{min},}}"),
                    (min, Some(max)) if min == max => write!(self.out, "{{{min}}}"),
                    (min, Some(max)) => write!(self.out, "{{{min},{max}}}"),
                };
                if *lazy {
                    self.out.push('?');
                }
            }
        }
        Ok(())
    }

    /// `re` wants one width; alternatives of different widths become lookbehinds of their own.
    fn behind(&mut self, not: bool, body: &Body, at: usize, context: Context) -> Result<(), PatternError> {
        let first = self.groups.len();
        let inner = Context { certain: context.certain && !not, behind: true, ..context };
        let Some(widths) = body.iter().map(|sequence| sequence_width(sequence)).collect::<Option<Vec<u64>>>() else {
            return Err(PatternError::NotCarried { at, message: "a lookbehind of no fixed length".to_owned() });
        };
        let open = if not { "(?<!" } else { "(?<=" };
        if widths.windows(2).all(|pair| pair[0] == pair[1]) {
            self.out.push_str(open);
            self.body(body, inner)?;
            self.out.push(')');
            self.leave(first, not);
            return Ok(());
        }
        self.out.push_str("(?:");
        for (i, sequence) in body.iter().enumerate() {
            if i > 0 && !not {
                self.out.push('|');
            }
            self.out.push_str(open);
            for item in sequence {
                self.item(item, Context { certain: false, ..inner })?;
            }
            self.out.push(')');
        }
        self.out.push(')');
        self.leave(first, not);
        Ok(())
    }

    /// Nothing stays captured behind a negative lookaround: its groups hold nothing there, as if they were still to come.
    fn leave(&mut self, first: usize, not: bool) {
        self.groups.iter_mut().skip(first).filter(|_| not).for_each(|group| group.closed = false);
    }
}

fn sequence_width(sequence: &[Item]) -> Option<u64> {
    sequence.iter().try_fold(0u64, |sum, item| sum.checked_add(width(item)?))
}

fn width(item: &Item) -> Option<u64> {
    match item {
        Item::Char(_) | Item::Any { .. } | Item::Class(_) => Some(1),
        Item::Start { .. } | Item::End { .. } | Item::Word { .. } | Item::Look { .. } => Some(0),
        Item::Capture { body, .. } | Item::Group { body, .. } => {
            let mut widths = body.iter().map(|sequence| sequence_width(sequence));
            let first = widths.next()??;
            widths.all(|other| other == Some(first)).then_some(first)
        }
        Item::Back { .. } => None,
        Item::Repeat { item, min, max, .. } => {
            if *max != Some(*min) {
                return None;
            }
            width(item)?.checked_mul(*min)
        }
    }
}

/// A name that `re` takes on every version.
fn python_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn class(out: &mut String, class: &Class) {
    let merged = set::merged(class.ranges.clone());
    let all = merged == [(0, set::MAX)];
    if all || merged.is_empty() {
        out.push_str(if all == class.negated { r"[^\s\S]" } else { r"[\s\S]" });
        return;
    }
    out.push_str(if class.negated { "[^" } else { "[" });
    // In the order of the text, where that is as short.
    let ranges = if class.ranges.len() <= merged.len() + 4 { &class.ranges } else { &merged };
    for &(from, to) in ranges {
        member(out, from);
        if to > from {
            if to > from + 1 {
                out.push('-');
            }
            member(out, to);
        }
    }
    out.push(']');
}

fn member(out: &mut String, code: u32) {
    match char::from_u32(code) {
        Some(c @ ('\\' | ']' | '[' | '^' | '-')) => {
            out.push('\\');
            out.push(c);
        }
        // Doubled they are set operations of the future.
        Some(c @ ('&' | '~' | '|')) => {
            if out.ends_with(c) {
                out.push('\\');
            }
            out.push(c);
        }
        _ => plain(out, code),
    }
}

fn literal(out: &mut String, code: u32) {
    match char::from_u32(code) {
        Some(c @ ('\\' | '.' | '^' | '$' | '*' | '+' | '?' | '{' | '}' | '[' | ']' | '|' | '(' | ')')) => {
            out.push('\\');
            out.push(c);
        }
        _ => plain(out, code),
    }
}

fn plain(out: &mut String, code: u32) {
    let _ = match code {
        0x09 => write!(out, r"\t"),
        0x0a => write!(out, r"\n"),
        0x0b => write!(out, r"\v"),
        0x0c => write!(out, r"\f"),
        0x0d => write!(out, r"\r"),
        // Not within quotes.
        0x22 => write!(out, r"\x22"),
        0x20..=0x7e => {
            out.push(char::from(code as u8));
            Ok(())
        }
        0..=0xff => write!(out, r"\x{code:02x}"),
        0x100..=0xffff => write!(out, r"\u{code:04x}"),
        _ => write!(out, r"\U{code:08x}"),
    };
}
