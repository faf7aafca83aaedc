//! ECMA 262 patterns (section 22.2.1) as a tree: unicode mode as JSON Schema recommends, and where that has no meaning
//! the lenient one of annex B, as engines without the `u` flag read what people have written.

use super::PatternError;
use super::set::{self, Ranges};

/// Alternatives of sequences.
pub(super) type Body = Vec<Vec<Item>>;

/// One term of a pattern.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// A character, as a code point (surrogates are possible).
    Char(u32),
    /// `.`; with the flag `s` everything.
    Any { all: bool },
    /// `[…]`, `\d`, `\p{…}`
    Class(Class),
    /// `^`; with the flag `m` at every line.
    Start { lines: bool },
    /// `$`
    End { lines: bool },
    /// `\b`, `\B`
    Word { inside: bool },
    /// A group that captures; they count in the order of their opening.
    Capture { name: Option<String>, body: Body },
    /// `(?:…)`; with a modifier also `(?i:…)`.
    Group { body: Body, case: Option<bool> },
    /// Lookaround.
    Look { behind: bool, not: bool, body: Body, at: usize },
    /// `\1`, `\k<name>` as an index.
    Back { index: u32, at: usize },
    /// A quantifier.
    Repeat { item: Box<Item>, min: u64, max: Option<u64>, lazy: bool },
}

/// A class of characters.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    /// `[^…]`
    pub(super) negated: bool,
    /// What is in it, in the order of the text.
    pub(super) ranges: Ranges,
}

impl Class {
    /// The characters that it matches.
    pub(super) fn matched(&self) -> Ranges {
        let merged = set::merged(self.ranges.clone());
        if self.negated { set::complement(&merged) } else { merged }
    }
}

/// A parsed pattern.
pub(super) struct Pattern {
    pub(super) body: Body,
}

/// Deeper groups are refused: `re` itself would fail.
const MAX_DEPTH: usize = 90;
/// Longer patterns are refused: no person wrote them.
const MAX_BYTES: usize = 20_000;

#[derive(Clone, Copy, Default)]
struct Flags {
    lines: bool,
    all: bool,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    total: u32,
    names: Vec<(String, u32)>,
    depth: usize,
    flags: Flags,
}

type Parsed<T> = Result<T, PatternError>;

fn bad<T>(at: usize, message: impl Into<String>) -> Parsed<T> {
    Err(PatternError::Bad { at, message: message.into() })
}

/// Parses a pattern.
pub(super) fn parse(text: &str) -> Parsed<Pattern> {
    if text.len() > MAX_BYTES {
        let message = format!("the pattern has {} bytes; the limit is {MAX_BYTES}", text.len());
        return Err(PatternError::NotCarried { at: MAX_BYTES, message });
    }
    let (total, names) = captures(text);
    let mut parser = Parser { text, at: 0, total, names, depth: 0, flags: Flags::default() };
    let body = parser.alternatives()?;
    if parser.at < text.len() {
        return bad(parser.at, "`)` closes nothing");
    }
    Ok(Pattern { body })
}

/// How many groups capture, and their names: references can stand before the group.
fn captures(text: &str) -> (u32, Vec<(String, u32)>) {
    let bytes = text.as_bytes();
    let (mut at, mut class, mut total, mut names) = (0, false, 0, Vec::new());
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' => class = true,
            b']' => class = false,
            b'(' if !class => {
                let rest = &text[at + 1..];
                if !rest.starts_with('?') {
                    total += 1;
                } else if let Some(name) = rest.strip_prefix("?<")
                    && !name.starts_with(['=', '!'])
                {
                    total += 1;
                    names.push((name.split('>').next().unwrap_or_default().to_owned(), total));
                }
            }
            _ => {}
        }
        at += 1;
    }
    (total, names)
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn alternatives(&mut self) -> Parsed<Body> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("groups are nested more than {MAX_DEPTH} deep");
            return Err(PatternError::NotCarried { at: self.at, message });
        }
        let mut body = vec![Vec::new()];
        loop {
            match self.peek() {
                None | Some(')') => break,
                Some('|') => {
                    self.at += 1;
                    body.push(Vec::new());
                }
                Some(_) => {
                    let item = self.term()?;
                    if let Some(sequence) = body.last_mut() {
                        sequence.push(item);
                    }
                }
            }
        }
        self.depth -= 1;
        Ok(body)
    }

    fn term(&mut self) -> Parsed<Item> {
        let start = self.at;
        let Some(c) = self.bump() else { return bad(start, "the pattern ends too early") };
        let item = match c {
            '^' => return Ok(Item::Start { lines: self.flags.lines }),
            '$' => return Ok(Item::End { lines: self.flags.lines }),
            '(' => {
                let item = self.group(start)?;
                if matches!(item, Item::Look { behind: true, .. }) {
                    return Ok(item);
                }
                item
            }
            '.' => Item::Any { all: self.flags.all },
            '[' => Item::Class(self.class(start)?),
            '*' | '+' | '?' => return bad(start, format!("nothing to repeat before `{c}`")),
            '{' => {
                self.at = start;
                if self.braces()?.is_some() {
                    return bad(start, "nothing to repeat before `{`");
                }
                self.at = start + 1;
                Item::Char(u32::from(c))
            }
            '\\' => {
                let item = self.escape(start)?;
                if matches!(item, Item::Word { .. }) {
                    return Ok(item);
                }
                item
            }
            c => Item::Char(u32::from(c)),
        };
        self.quantified(item)
    }

    fn quantified(&mut self, item: Item) -> Parsed<Item> {
        let (min, max) = match self.peek() {
            Some(c @ ('*' | '+' | '?')) => {
                self.at += 1;
                (u64::from(c == '+'), (c == '?').then_some(1))
            }
            Some('{') => match self.braces()? {
                Some(bounds) => bounds,
                None => return Ok(item),
            },
            _ => return Ok(item),
        };
        let lazy = self.eat("?");
        Ok(Item::Repeat { item: Box::new(item), min, max, lazy })
    }

    /// `{2}`, `{2,}`, `{2,3}`; anything else in braces is literal, and the position stays before it.
    fn braces(&mut self) -> Parsed<Option<(u64, Option<u64>)>> {
        let start = self.at;
        let inner = &self.rest()[1..];
        let Some(end) = inner.find('}') else { return Ok(None) };
        let inner = &inner[..end];
        let (low, high) = inner.split_once(',').map_or((inner, None), |(low, high)| (low, Some(high)));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(low) || high.is_some_and(|high| !high.is_empty() && !digits(high)) {
            return Ok(None);
        }
        let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
        let min = number(low);
        let max = match high {
            None => Some(min),
            Some("") => None,
            Some(high) => Some(number(high)),
        };
        if max.is_some_and(|max| max < min) {
            return bad(start, "the numbers of the quantifier are out of order");
        }
        // Python counts to 2^32 - 2; no text is that long.
        const MOST: u64 = 0xffff_fffe;
        if min > MOST {
            return Err(PatternError::NotCarried { at: start, message: "the quantifier is too large".to_owned() });
        }
        self.at = start + end + 2;
        Ok(Some((min, max.filter(|&max| max <= MOST))))
    }

    fn group(&mut self, start: usize) -> Parsed<Item> {
        enum Kind {
            Capture(Option<String>),
            Group(Option<bool>),
            Look(bool, bool),
        }
        let outer = self.flags;
        let kind = if !self.eat("?") {
            Kind::Capture(None)
        } else if self.eat(":") {
            Kind::Group(None)
        } else if self.eat("=") {
            Kind::Look(false, false)
        } else if self.eat("!") {
            Kind::Look(false, true)
        } else if self.eat("<=") {
            Kind::Look(true, false)
        } else if self.eat("<!") {
            Kind::Look(true, true)
        } else if self.eat("<") {
            let name = self.name()?;
            Kind::Capture(Some(name))
        } else {
            Kind::Group(self.modifiers(start)?)
        };
        let body = self.alternatives()?;
        if !self.eat(")") {
            return bad(start, "`(` is never closed");
        }
        self.flags = outer;
        Ok(match kind {
            Kind::Capture(name) => Item::Capture { name, body },
            Kind::Group(case) => Item::Group { body, case },
            Kind::Look(behind, not) => Item::Look { behind, not, body, at: start },
        })
    }

    /// `(?i:`, `(?s-i:`: flags for one group (ES2025). A flag for the rest of the pattern, `(?i)`, is not of ECMA 262.
    fn modifiers(&mut self, start: usize) -> Parsed<Option<bool>> {
        let (mut case, mut on, mut any) = (None, true, false);
        loop {
            match self.bump() {
                Some('i') => case = Some(on),
                Some('m') => self.flags.lines = on,
                Some('s') => self.flags.all = on,
                Some('-') if on => {
                    on = false;
                    continue;
                }
                Some(':') if any => return Ok(case),
                _ => {
                    let end = self.at.min(self.text.len());
                    return bad(start, format!("`{}` opens no group of ECMA 262", &self.text[start..end]));
                }
            }
            any = true;
        }
    }

    fn name(&mut self) -> Parsed<String> {
        let start = self.at;
        let Some(end) = self.rest().find('>') else { return bad(start, "the group's name is never closed") };
        let name = self.rest()[..end].to_owned();
        let first = |c: char| c.is_alphabetic() || c == '_' || c == '$';
        let valid = name.chars().enumerate().all(|(i, c)| first(c) || (i > 0 && c.is_alphanumeric()));
        if name.is_empty() || !valid {
            return bad(start, format!("`{name}` is no name for a group"));
        }
        self.at += end + 1;
        Ok(name)
    }

    /// Behind a backslash, outside of a class.
    fn escape(&mut self, start: usize) -> Parsed<Item> {
        let Some(c) = self.peek() else { return bad(start, "`\\` at the end escapes nothing") };
        match c {
            'b' | 'B' => {
                self.at += 1;
                Ok(Item::Word { inside: c == 'B' })
            }
            'k' if !self.names.is_empty() => {
                self.at += 1;
                if !self.eat("<") {
                    return bad(start, "`\\k` names no group");
                }
                let name = self.name()?;
                match self.names.iter().find(|(n, _)| *n == name) {
                    Some(&(_, index)) => Ok(Item::Back { index, at: start }),
                    None => bad(start, format!("there is no group `{name}`")),
                }
            }
            '1'..='9' => {
                let digits: String = self.rest().chars().take_while(char::is_ascii_digit).collect();
                match digits.parse::<u32>() {
                    Ok(index) if index <= self.total => {
                        self.at += digits.len();
                        Ok(Item::Back { index, at: start })
                    }
                    _ => Ok(Item::Char(self.character(start)?)),
                }
            }
            _ => match self.set()? {
                Some(class) => Ok(Item::Class(class)),
                None => Ok(Item::Char(self.character(start)?)),
            },
        }
    }

    /// `\d`, `\W`, `\p{L}`…, behind the backslash.
    fn set(&mut self) -> Parsed<Option<Class>> {
        let start = self.at;
        let Some(c) = self.peek() else { return Ok(None) };
        let ranges = match c.to_ascii_lowercase() {
            'd' => set::DIGITS.to_vec(),
            'w' => set::WORD.to_vec(),
            's' => set::SPACE.to_vec(),
            'p' if self.rest()[1..].starts_with('{') => {
                let inner = &self.rest()[2..];
                let Some(end) = inner.find('}') else { return bad(start, "the property is never closed") };
                let name = &inner[..end];
                let Some(ranges) = set::property(name) else {
                    return bad(start, format!("there is no Unicode property `{name}`"));
                };
                self.at += end + 2;
                ranges
            }
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(Class { negated: c.is_ascii_uppercase(), ranges }))
    }

    /// A character behind a backslash.
    fn character(&mut self, start: usize) -> Parsed<u32> {
        let Some(c) = self.bump() else { return bad(start, "`\\` at the end escapes nothing") };
        Ok(match c {
            't' => 0x09,
            'n' => 0x0a,
            'v' => 0x0b,
            'f' => 0x0c,
            'r' => 0x0d,
            'c' => match self.peek() {
                Some(letter) if letter.is_ascii_alphabetic() => {
                    self.at += 1;
                    u32::from(letter) % 32
                }
                // Annex B: the backslash stands for itself.
                _ => {
                    self.at -= 1;
                    u32::from('\\')
                }
            },
            'x' => self.hex(2).unwrap_or(u32::from('x')),
            'u' => self.unicode(start)?,
            '0'..='7' => {
                // `\0`, and the octal escapes of annex B: up to \377.
                let mut value = u32::from(c) - 0x30;
                while let Some(digit @ '0'..='7') = self.peek() {
                    let next = value * 8 + u32::from(digit) - 0x30;
                    if next > 0o377 {
                        break;
                    }
                    value = next;
                    self.at += 1;
                }
                value
            }
            c => u32::from(c),
        })
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let text = self.rest().get(..digits)?;
        if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let value = u32::from_str_radix(text, 16).ok()?;
        self.at += digits;
        Some(value)
    }

    fn unicode(&mut self, start: usize) -> Parsed<u32> {
        if self.eat("{") {
            let digits: String = self.rest().chars().take_while(char::is_ascii_hexdigit).collect();
            self.at += digits.len();
            let value = u32::from_str_radix(digits.trim_start_matches('0'), 16);
            let value = if !digits.is_empty() && digits.bytes().all(|b| b == b'0') { Ok(0) } else { value };
            return match value {
                Ok(value) if value <= set::MAX && self.eat("}") => Ok(value),
                _ => bad(start, "`\\u{…}` names no character"),
            };
        }
        let Some(unit) = self.hex(4) else { return Ok(u32::from('u')) };
        // Two escapes for one character beyond the basic plane.
        if (0xd800..0xdc00).contains(&unit) && self.rest().starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            if let Some(low) = self.hex(4)
                && (0xdc00..0xe000).contains(&low)
            {
                return Ok(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            }
            self.at = back;
        }
        Ok(unit)
    }

    fn class(&mut self, start: usize) -> Parsed<Class> {
        let negated = self.eat("^");
        let mut ranges = Ranges::new();
        loop {
            let Some(c) = self.peek() else { return bad(start, "`[` is never closed") };
            if c == ']' {
                self.at += 1;
                return Ok(Class { negated, ranges });
            }
            let low = self.class_atom()?;
            let behind = &self.rest();
            if behind.starts_with('-') && behind.len() > 1 && !behind[1..].starts_with(']') {
                let dash = self.at;
                self.at += 1;
                let high = self.class_atom()?;
                match (low, high) {
                    (Ok(low), Ok(high)) if low <= high => ranges.push((low, high)),
                    (Ok(_), Ok(_)) => return bad(dash, "the range of characters is out of order"),
                    // Annex B: beside a class the dash is a character.
                    (low, high) => {
                        for side in [low, high] {
                            match side {
                                Ok(c) => ranges.push((c, c)),
                                Err(class) => ranges.extend(class),
                            }
                        }
                        ranges.push((0x2d, 0x2d));
                    }
                }
            } else {
                match low {
                    Ok(c) => ranges.push((c, c)),
                    Err(class) => ranges.extend(class),
                }
            }
        }
    }

    /// A character (`Ok`), or a class within the class (`Err`).
    fn class_atom(&mut self) -> Parsed<Result<u32, Ranges>> {
        let start = self.at;
        match self.bump() {
            None => bad(start, "`[` is never closed"),
            Some('\\') => {
                if self.eat("b") {
                    return Ok(Ok(0x08));
                }
                match self.set()? {
                    Some(class) => Ok(Err(class.matched())),
                    None => Ok(Ok(self.character(start)?)),
                }
            }
            Some(c) => Ok(Ok(u32::from(c))),
        }
    }
}
