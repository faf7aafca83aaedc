//! The usual case: JSON without a flaw, in one pass over its bytes.
//!
//! What is read here has the same tree as from the parser of [`super`]. At the first thing that is odd in any way it gives
//! up, without a word: the other parser knows how to say what is wrong.

use std::borrow::Cow;

use crate::value::{Data, MAX_DEPTH, Member, Span, Value, settle_duplicates};

/// The document, if there is nothing to report. `offset` is added to all positions.
pub(super) fn parse(text: &str, offset: usize) -> Option<Value<'_>> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, offset, items: Vec::new(), members: Vec::new() };
    let value = reader.value(0)?;
    reader.blanks();
    (reader.at == text.len()).then_some(value)
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    offset: usize,
    /// What the arrays and objects that are still open hold so far: each takes its own when it ends, so that none of them grows
    /// step by step.
    items: Vec<Value<'a>>,
    members: Vec<Member<'a>>,
}

impl<'a> Reader<'a> {
    #[inline]
    fn blanks(&mut self) {
        // Most often there are none, or it is one.
        match self.bytes.get(self.at) {
            Some(b' ') if self.bytes.get(self.at + 1).is_some_and(|next| *next > b' ') => self.at += 1,
            Some(b' ' | b'\n' | b'\r' | b'\t') => self.indentation(),
            _ => {}
        }
    }

    fn indentation(&mut self) {
        let blanks = u64::from_ne_bytes([b' '; 8]);
        loop {
            match self.bytes.get(self.at) {
                Some(b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(b' ') => match self.bytes[self.at..].first_chunk() {
                    Some(word) => self.at += ((u64::from_le_bytes(*word) ^ blanks).trailing_zeros() / 8) as usize,
                    None => self.at += 1,
                },
                _ => return,
            }
        }
    }

    /// Takes a byte, if it is the next.
    fn take(&mut self, byte: u8) -> bool {
        let there = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(there);
        there
    }

    fn span(&self, start: usize) -> Span {
        Span::new(start + self.offset, self.at + self.offset)
    }

    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        self.blanks();
        let start = self.at;
        let data = match *self.bytes.get(start)? {
            b'"' => Data::String(self.string()?),
            b'{' => Data::Object(self.members(depth)?),
            b'[' => Data::Array(self.items(depth)?),
            b't' => self.word("true", Data::Bool(true))?,
            b'f' => self.word("false", Data::Bool(false))?,
            b'n' => self.word("null", Data::Null)?,
            b'-' | b'0'..=b'9' => Data::Number(Cow::Borrowed(self.number()?)),
            _ => return None,
        };
        Some(Value { data, span: self.span(start) })
    }

    fn word(&mut self, word: &str, data: Data<'a>) -> Option<Data<'a>> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end)? != word.as_bytes() {
            return None;
        }
        self.at = end;
        Some(data)
    }

    fn items(&mut self, depth: usize) -> Option<Vec<Value<'a>>> {
        if depth >= MAX_DEPTH {
            return None;
        }
        self.at += 1;
        self.blanks();
        if self.take(b']') {
            return Some(Vec::new());
        }
        let first = self.items.len();
        loop {
            let item = self.value(depth + 1)?;
            self.items.push(item);
            self.blanks();
            if self.take(b']') {
                return Some(self.items.drain(first..).collect());
            }
            if !self.take(b',') {
                return None;
            }
        }
    }

    fn members(&mut self, depth: usize) -> Option<Vec<Member<'a>>> {
        if depth >= MAX_DEPTH {
            return None;
        }
        self.at += 1;
        self.blanks();
        if self.take(b'}') {
            return Some(Vec::new());
        }
        let first = self.members.len();
        loop {
            self.blanks();
            let start = self.at;
            if self.bytes.get(start) != Some(&b'"') {
                return None;
            }
            let name = self.string()?;
            let key = self.span(start);
            self.blanks();
            if !self.take(b':') {
                return None;
            }
            let value = self.value(depth + 1)?;
            self.members.push(Member { name, key, value });
            self.blanks();
            if self.take(b'}') {
                break;
            }
            if !self.take(b',') {
                return None;
            }
        }
        let mut members = self.members.drain(first..).collect();
        let mut twice = false;
        settle_duplicates(&mut members, |_| twice = true);
        (!twice).then_some(members)
    }

    /// Number text (RFC 8259, section 6).
    fn number(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.take(b'-');
        let whole = self.at;
        let count = self.digits();
        if count == 0 || (count > 1 && self.bytes[whole] == b'0') {
            return None;
        }
        if self.take(b'.') && self.digits() == 0 {
            return None;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return None;
            }
        }
        Some(&self.text[start..self.at])
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - start
    }

    /// A string; the quote is the next byte.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.at += 1;
        let first = self.at;
        let mut start = first;
        let mut decoded = String::new();
        loop {
            self.at += ordinary(&self.bytes[self.at..])?;
            let part = &self.text[start..self.at];
            match self.bytes[self.at] {
                b'"' => {
                    self.at += 1;
                    if start == first {
                        return Some(Cow::Borrowed(part));
                    }
                    decoded.push_str(part);
                    return Some(Cow::Owned(decoded));
                }
                b'\\' => {
                    decoded.push_str(part);
                    decoded.push(self.escape()?);
                    start = self.at;
                }
                _ => return None,
            }
        }
    }

    /// What an escape stands for; the backslash is the next byte.
    fn escape(&mut self) -> Option<char> {
        let c = match *self.bytes.get(self.at + 1)? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.unit()?;
                if !(0xd800..0xdc00).contains(&high) {
                    // A low half alone is no character.
                    return char::from_u32(high);
                }
                let low = self.unit().filter(|low| (0xdc00..0xe000).contains(low))?;
                return char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
            _ => return None,
        };
        self.at += 2;
        Some(c)
    }

    /// `\uXXXX`
    fn unit(&mut self) -> Option<u32> {
        let escape = self.bytes.get(self.at..self.at + 6)?;
        if !escape.starts_with(b"\\u") {
            return None;
        }
        let mut unit = 0;
        for &digit in &escape[2..] {
            unit = unit * 16 + char::from(digit).to_digit(16)?;
        }
        self.at += 6;
        Some(unit)
    }
}

/// How many bytes of a string stand before a quote, a backslash or a control character. No byte of a longer character looks like
/// one of these.
fn ordinary(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    // Eight bytes at a time: a byte below a bound (at most 0x80) borrows when that is subtracted. What stands behind the first
    // such byte may be marked wrongly, and is not asked.
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word & HIGH;
    let (words, rest) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let found = quote | backslash | below(word, u64::from(b' '));
        if found != 0 {
            return Some(i * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..b' '))?;
    Some(words.len() * 8 + at)
}
