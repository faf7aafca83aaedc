//! Literals as `ruff format` lays them out: written on one line, then copied with breaks where there is no room.

use super::condition::Condition;
use crate::layout::columns;

/// A literal under construction. Brackets that may be broken are noted as they are written; everything else is text.
#[derive(Default)]
pub(super) struct Table {
    text: String,
    events: Vec<Event>,
    /// Brackets that are not closed yet: indices of their events.
    open: Vec<u32>,
}

/// What stands at a place of the text.
#[derive(Clone, Copy)]
struct Event {
    at: u32,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Behind an opening bracket; the index of the event of the closing one.
    Open(u32),
    /// Before the comma between two items.
    Next,
    /// Before a closing bracket.
    Close,
}

/// A place to return to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    text: usize,
    events: usize,
}

impl Table {
    /// An empty one with room for about so many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Table {
        let events = Vec::with_capacity(bytes / 16);
        Table { text: String::with_capacity(bytes), events, open: Vec::with_capacity(8) }
    }

    /// Forgets everything, keeps the room.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.events.clear();
        self.open.clear();
    }

    fn event(&mut self, kind: Kind) {
        self.events.push(Event { at: self.text.len() as u32, kind });
    }

    /// `{`, `[` or `(`.
    pub(super) fn open(&mut self, bracket: char) {
        self.text.push(bracket);
        self.open.push(self.events.len() as u32);
        self.event(Kind::Open(0));
    }

    /// The bracket that belongs to the last one that was opened.
    pub(super) fn close(&mut self, bracket: char) {
        if let Some(open) = self.open.pop() {
            self.events[open as usize].kind = Kind::Open(self.events.len() as u32);
            self.event(Kind::Close);
        }
        self.text.push(bracket);
    }

    /// Begins an item.
    pub(super) fn item(&mut self) {
        let first = self.open.last().is_none_or(|&open| self.events[open as usize].at as usize == self.text.len());
        if !first {
            self.event(Kind::Next);
            self.text.push_str(", ");
        }
    }

    /// Begins the item of a key that is plain text.
    pub(super) fn key(&mut self, key: &str) {
        self.item();
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str("\": ");
    }

    /// Begins the item of any key.
    pub(super) fn name(&mut self, name: &str) {
        self.item();
        crate::layout::push_string(&mut self.text, name);
        self.text.push_str(": ");
    }

    /// Text of the item.
    pub(super) fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A condition on one line, as text of the item.
    pub(super) fn condition(&mut self, condition: &Condition<'_>) {
        condition.put(&mut self.text, false);
    }

    /// A string literal.
    pub(super) fn string(&mut self, text: &str) {
        crate::layout::push_string(&mut self.text, text);
    }

    /// Where it ends now.
    pub(super) fn mark(&self) -> Mark {
        Mark { text: self.text.len(), events: self.events.len() }
    }

    /// Takes back what was written since. All brackets that were opened since must be closed.
    pub(super) fn back_to(&mut self, mark: Mark) {
        self.text.truncate(mark.text);
        self.events.truncate(mark.events);
    }

    /// Does it end with this?
    pub(super) fn ends_with(&self, text: &str) -> bool {
        self.text.ends_with(text)
    }

    /// What was written since, on one line.
    pub(super) fn since(&self, mark: Mark) -> &str {
        &self.text[mark.text..]
    }

    /// The whole on one line.
    pub(super) fn flat(&self) -> &str {
        &self.text
    }

    /// Writes it behind what stands on the line, `column` columns, at a level of indentation. `tail` columns follow.
    pub(super) fn put(&self, out: &mut String, width: usize, level: usize, column: usize, tail: usize) {
        let whole = Piece { start: 0, end: self.text.len(), first: 0, last: self.events.len() };
        self.piece(out, width, level, column, tail, whole);
    }

    fn piece(&self, out: &mut String, width: usize, level: usize, column: usize, tail: usize, piece: Piece) {
        let text = &self.text[piece.start..piece.end];
        let open = self.events.get(piece.first).filter(|_| piece.first < piece.last);
        let Some(&Event { at, kind: Kind::Open(close) }) = open else {
            return if column + columns(text) + tail <= width { out.push_str(text) } else { broken(out, text, level) };
        };
        let close = close as usize;
        // Bytes are columns or more; only where they are too many is it worth counting.
        if column + text.len() + tail <= width || close == piece.first + 1 && self.events[close].at == at {
            return out.push_str(text);
        }
        if !text.is_ascii() && column + columns(text) + tail <= width {
            return out.push_str(text);
        }
        out.push_str(&self.text[piece.start..at as usize]);
        let (mut start, mut first, mut next) = (at as usize, piece.first + 1, piece.first + 1);
        loop {
            match self.events[next].kind {
                Kind::Open(close) => next = close as usize + 1,
                kind => {
                    let end = self.events[next].at as usize;
                    out.push('\n');
                    pad(out, level + 1);
                    self.piece(out, width, level + 1, 4 * (level + 1), 1, Piece { start, end, first, last: next });
                    out.push(',');
                    (start, first) = (end + 2, next + 1);
                    next += 1;
                    if kind == Kind::Close {
                        break;
                    }
                }
            }
        }
        out.push('\n');
        pad(out, level);
        out.push_str(&self.text[self.events[close].at as usize..piece.end]);
    }
}

/// An item without brackets that is too long for its line: the body of a `lambda` goes to a line of its own; of a body that is
/// one call, what the call is given.
fn broken(out: &mut String, text: &str, level: usize) {
    let start = if text.starts_with("lambda ") { Some(0) } else { text.find(": lambda ").map(|at| at + 2) };
    let body = start.and_then(|start| text[start..].find(": ").map(|at| start + at + 2));
    let Some(body) = body.filter(|body| text[*body..].contains(' ')) else { return out.push_str(text) };
    let inner = one_call(&text[body..]).map_or(body, |open| body + open);
    out.push_str(&text[..inner]);
    out.push_str(if inner == body { "(\n" } else { "\n" });
    pad(out, level + 1);
    out.push_str(&text[inner..text.len() - usize::from(inner != body)]);
    out.push('\n');
    pad(out, level);
    out.push(')');
}

/// Behind the bracket that a call opens, if this is one call and nothing else.
fn one_call(text: &str) -> Option<usize> {
    let open = text.find('(')?;
    let named = text[..open].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
    let mut depth = 0_i32;
    let close = text.bytes().position(|byte| {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        byte == b')' && depth == 0
    });
    // Brackets in strings are not told apart; who has any keeps the brackets around the whole.
    (named && open > 0 && close == Some(text.len() - 1) && !text.contains('"')).then_some(open + 1)
}

/// A part of the text, with the events in it.
#[derive(Clone, Copy)]
struct Piece {
    start: usize,
    end: usize,
    first: usize,
    last: usize,
}

fn pad(out: &mut String, level: usize) {
    for _ in 0..level {
        out.push_str("    ");
    }
}
