//! ECMA 262 patterns: strings that match, and whether a short string matches.
//!
//! Covers what contracts use; `None` stands for "cannot say" (back references, rare escapes, too much work). The
//! matcher backtracks on a budget, so a catastrophic pattern costs a bounded time.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// Longer strings are not matched: recursion goes once per character.
const LONGEST: usize = 400;
/// Steps of one match.
const STEPS: u32 = 20_000;
/// Ranges of one class: each candidate is tried against all of them.
const RANGES: usize = 400;
/// Calls within each other during a match: it must fit the stack of any thread.
const CALLS: u32 = 1_000;
/// Nesting of groups.
const DEEPEST: usize = 40;

/// A parsed pattern.
pub(super) struct Pattern {
    root: Re,
    /// Answers given: one document is looked at many times.
    known: RefCell<HashMap<Box<str>, Option<bool>>>,
}

enum Re {
    Empty,
    Set(Set),
    Start,
    End,
    Word(bool),
    Cat(Vec<Re>),
    Alt(Vec<Re>),
    Repeat { what: Box<Re>, min: u32, max: Option<u32>, greedy: bool },
    Look { ahead: bool, negate: bool, what: Box<Re> },
}

struct Set {
    negate: bool,
    items: Vec<Item>,
}

enum Item {
    Range(char, char),
    Space(bool),
    Property(fn(char) -> bool, bool),
}

impl Item {
    fn has(&self, c: char) -> bool {
        match self {
            Item::Range(from, to) => (*from..=*to).contains(&c),
            Item::Space(yes) => (c.is_whitespace() || c == '\u{feff}') == *yes,
            Item::Property(is, yes) => is(c) == *yes,
        }
    }
}

impl Set {
    fn one(c: char) -> Set {
        Set { negate: false, items: vec![Item::Range(c, c)] }
    }

    /// What stands in brackets, each range once. `None` for more ranges than anybody would try one by one.
    fn of(negate: bool, mut items: Vec<Item>) -> Option<Set> {
        let mut known = std::collections::HashSet::new();
        items.retain(|item| match item {
            Item::Range(from, to) => known.insert((*from, *to)),
            Item::Space(_) | Item::Property(..) => true,
        });
        (items.len() <= RANGES).then_some(Set { negate, items })
    }

    fn has(&self, c: char) -> bool {
        self.items.iter().any(|item| item.has(c)) != self.negate
    }

    /// A readable member; different ones for different seeds where there are several.
    fn pick(&self, seed: usize) -> Option<char> {
        if let (false, [Item::Range(from, to)]) = (self.negate, self.items.as_slice())
            && from == to
        {
            return Some(*from);
        }
        const LIKED: &str =
            "abcxyz0123456789ABCXYZdefghijklmnopqrstuvwDEFGHIJKLMNOPQRSTUVW-_. /:@#$%&*+,;=?!~^(){}[]<>|'\"\\`";
        let liked: Vec<char> = LIKED.chars().filter(|c| self.has(*c)).collect();
        if !liked.is_empty() {
            return Some(liked[seed % liked.len()]);
        }
        let first = self.items.iter().find_map(|item| match item {
            Item::Range(from, _) => Some(*from),
            _ => None,
        });
        first.into_iter().chain(['\t', '\n', 'é', '中', '\u{1f600}']).find(|c| self.has(*c))
    }
}

struct Parser<'a> {
    text: std::iter::Peekable<std::str::Chars<'a>>,
    depth: usize,
}

impl Pattern {
    /// Reads a pattern.
    pub(super) fn parse(text: &str) -> Option<Pattern> {
        let mut parser = Parser { text: text.chars().peekable(), depth: 0 };
        let root = parser.alternatives()?;
        parser.text.peek().is_none().then(|| Pattern { root, known: RefCell::default() })
    }

    /// [`Pattern::matches`], remembered.
    pub(super) fn remembered(&self, text: &str) -> Option<bool> {
        if let Some(known) = self.known.borrow().get(text) {
            return *known;
        }
        let found = self.matches(text);
        self.known.borrow_mut().insert(text.into(), found);
        found
    }

    /// Does it match somewhere in `text`?
    pub(super) fn matches(&self, text: &str) -> Option<bool> {
        let chars: Vec<char> = text.chars().take(LONGEST + 1).collect();
        if chars.len() > LONGEST {
            return None;
        }
        let run = Run { text: &chars, steps: Cell::new(STEPS), calls: Cell::new(0) };
        for start in 0..=chars.len() {
            let found = run.at(&self.root, start, &mut |_| true);
            if run.steps.get() == 0 {
                return None;
            }
            if found {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Is there a loop with a loop or a choice in it? Nothing else takes longer than any text that is made here can bear.
    pub(super) fn is_risky(&self) -> bool {
        self.root.has(&|re| match re {
            Re::Repeat { what, max, .. } => {
                let inner = |re: &Re| {
                    matches!(re, Re::Alt(_)) || matches!(re, Re::Repeat { max, min, .. } if *max != Some(*min))
                };
                max.is_none_or(|max| max > 8) && what.has(&inner)
            }
            _ => false,
        })
    }

    /// A string that matches, with a length (in characters) in the bounds.
    pub(super) fn sample(&self, min: usize, max: usize, seed: usize) -> Option<String> {
        let fits = |text: &str| {
            let length = text.chars().count();
            (min..=max).contains(&length) && self.matches(text) == Some(true)
        };
        for extra in [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 32, 64, 128] {
            for turn in 0..3 {
                let mut text = String::new();
                if self.root.write(extra, seed + turn, &mut text, 0).is_none() {
                    continue;
                }
                if fits(&text) {
                    return Some(text);
                }
                // A pattern without anchors allows anything around.
                let short = min.saturating_sub(text.chars().count());
                if short > 0 && short <= LONGEST {
                    for padded in [format!("{text}{}", "a".repeat(short)), format!("{}{text}", "a".repeat(short))] {
                        if fits(&padded) {
                            return Some(padded);
                        }
                    }
                }
            }
        }
        None
    }

    /// A string that does not match, with a length in the bounds.
    pub(super) fn miss(&self, min: usize, max: usize) -> Option<String> {
        let good = self.sample(min, max, 0).unwrap_or_default();
        let swap = |c: char| good.chars().skip(1).fold(c.to_string(), |text, next| text + &next.to_string());
        let tries = [swap('!'), format!("{good}!"), format!("!{good}"), swap('\n'), "a".to_owned(), "0".to_owned()];
        let filled = ['!', 'a', '0', ' '].map(|c| c.to_string().repeat(min.clamp(1, LONGEST)));
        tries
            .into_iter()
            .chain(filled)
            .chain([String::new()])
            .find(|text| (min..=max).contains(&text.chars().count()) && self.matches(text) == Some(false))
    }
}

impl Parser<'_> {
    fn alternatives(&mut self) -> Option<Re> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut list = vec![self.sequence()?];
        while self.text.next_if_eq(&'|').is_some() {
            list.push(self.sequence()?);
        }
        self.depth -= 1;
        if list.len() == 1 { list.pop() } else { Some(Re::Alt(list)) }
    }

    fn sequence(&mut self) -> Option<Re> {
        let mut list = Vec::new();
        while let Some(&c) = self.text.peek() {
            if c == '|' || c == ')' {
                break;
            }
            self.text.next();
            let atom = match c {
                '^' => Re::Start,
                '$' => Re::End,
                '.' => Re::Set(Set {
                    negate: true,
                    items: ['\n', '\r', '\u{2028}', '\u{2029}'].map(|c| Item::Range(c, c)).into(),
                }),
                '(' => self.group()?,
                '[' => Re::Set(self.set()?),
                '\\' => self.escape()?,
                '*' | '+' | '?' => return None,
                c => Re::Set(Set::one(c)),
            };
            list.push(self.quantified(atom)?);
        }
        Some(match list.len() {
            0 => Re::Empty,
            1 => list.pop()?,
            _ => Re::Cat(list),
        })
    }

    fn quantified(&mut self, atom: Re) -> Option<Re> {
        let (min, max) = match self.text.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                // A brace that opens no quantifier is a character (annex B).
                let mut ahead = self.text.clone();
                ahead.next();
                let inner: String = ahead.take_while(|c| *c != '}').collect();
                let (from, to) = match inner.split_once(',') {
                    Some((from, "")) => (from.parse().ok(), None),
                    Some((from, to)) => (from.parse().ok(), Some(to.parse::<u32>().ok())),
                    None => (inner.parse().ok(), Some(inner.parse().ok())),
                };
                let (Some(from), None | Some(Some(_))) = (from, to) else { return Some(atom) };
                for _ in 0..inner.chars().count() + 1 {
                    self.text.next();
                }
                (from, to.flatten())
            }
            _ => return Some(atom),
        };
        self.text.next();
        let greedy = self.text.next_if_eq(&'?').is_none();
        Some(Re::Repeat { what: Box::new(atom), min, max, greedy })
    }

    fn group(&mut self) -> Option<Re> {
        let mut look = None;
        if self.text.next_if_eq(&'?').is_some() {
            match self.text.next()? {
                ':' => {}
                '=' => look = Some((true, false)),
                '!' => look = Some((true, true)),
                '<' => match self.text.peek()? {
                    '=' => look = Some((false, false)),
                    '!' => look = Some((false, true)),
                    _ => while self.text.next()? != '>' {},
                },
                _ => return None,
            }
            if matches!(look, Some((false, _))) {
                self.text.next();
            }
        }
        let what = self.alternatives()?;
        self.text.next_if_eq(&')')?;
        Some(match look {
            Some((ahead, negate)) => Re::Look { ahead, negate, what: Box::new(what) },
            None => what,
        })
    }

    fn escape(&mut self) -> Option<Re> {
        if let Some(boundary) = self.text.next_if(|c| matches!(c, 'b' | 'B')) {
            return Some(Re::Word(boundary == 'b'));
        }
        if self.text.peek().is_some_and(|c| matches!(c, '1'..='9' | 'k')) {
            return None;
        }
        let mut items = Vec::new();
        let negate = self.escaped(&mut items)?;
        Some(Re::Set(Set { negate, items }))
    }

    /// What stands behind a backslash, as members of a set; true if the set is their complement.
    fn escaped(&mut self, items: &mut Vec<Item>) -> Option<bool> {
        let word = [('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')];
        let c = self.text.next()?;
        let single = match c {
            'd' | 'D' => {
                items.push(Item::Range('0', '9'));
                return Some(c == 'D');
            }
            'w' | 'W' => {
                items.extend(word.map(|(from, to)| Item::Range(from, to)));
                return Some(c == 'W');
            }
            's' | 'S' => {
                items.push(Item::Space(c == 's'));
                return Some(false);
            }
            'p' | 'P' => {
                self.text.next_if_eq(&'{')?;
                let mut name = String::new();
                loop {
                    match self.text.next()? {
                        '}' => break,
                        c => name.push(c),
                    }
                }
                let is: fn(char) -> bool = match name.as_str() {
                    "L" | "Letter" | "Alphabetic" => char::is_alphabetic,
                    "Lu" | "Uppercase_Letter" | "Uppercase" => char::is_uppercase,
                    "Ll" | "Lowercase_Letter" | "Lowercase" => char::is_lowercase,
                    "N" | "Number" => char::is_numeric,
                    _ => return None,
                };
                items.push(Item::Property(is, c == 'p'));
                return Some(false);
            }
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '0' => '\0',
            'x' => self.hex(2)?,
            'u' if self.text.next_if_eq(&'{').is_some() => {
                let mut code = 0u32;
                loop {
                    match self.text.next()? {
                        '}' => break,
                        c => code = code.checked_mul(16)?.checked_add(c.to_digit(16)?)?,
                    }
                }
                char::from_u32(code)?
            }
            'u' => self.hex(4)?,
            'c' => char::from_u32(self.text.next()? as u32 % 32)?,
            c => c,
        };
        items.push(Item::Range(single, single));
        Some(false)
    }

    fn hex(&mut self, digits: usize) -> Option<char> {
        let mut code = 0;
        for _ in 0..digits {
            code = code * 16 + self.text.next()?.to_digit(16)?;
        }
        char::from_u32(code)
    }

    fn set(&mut self) -> Option<Set> {
        let negate = self.text.next_if_eq(&'^').is_some();
        let mut items = Vec::new();
        loop {
            let c = self.text.next()?;
            let before = items.len();
            match c {
                ']' => return Set::of(negate, items),
                '\\' if self.text.next_if_eq(&'b').is_some() => items.push(Item::Range('\u{8}', '\u{8}')),
                '\\' => {
                    if self.escaped(&mut items)? {
                        // A complement among other members.
                        let is: fn(char) -> bool = match items.len() - before {
                            1 => |c: char| c.is_ascii_digit(),
                            _ => |c: char| c.is_ascii_alphanumeric() || c == '_',
                        };
                        items.truncate(before);
                        items.push(Item::Property(is, false));
                    }
                }
                c => items.push(Item::Range(c, c)),
            }
            // A range, if a single character stands on both sides of the hyphen.
            let mut ahead = self.text.clone();
            if ahead.next() == Some('-')
                && ahead.peek().is_some_and(|c| *c != ']')
                && let Some(Item::Range(from, _)) = items.get(before)
            {
                let from = *from;
                self.text.next();
                let at = items.len();
                match self.text.next()? {
                    '\\' => {
                        if self.escaped(&mut items)? {
                            return None;
                        }
                    }
                    c => items.push(Item::Range(c, c)),
                }
                match items.get(at) {
                    Some(Item::Range(to, _)) if items.len() == at + 1 && *to >= from => {
                        let to = *to;
                        items.truncate(before);
                        items.push(Item::Range(from, to));
                    }
                    _ => return None,
                }
            }
        }
    }
}

impl Re {
    /// Is there such a part, itself included?
    fn has(&self, wanted: &dyn Fn(&Re) -> bool) -> bool {
        wanted(self)
            || match self {
                Re::Empty | Re::Set(_) | Re::Start | Re::End | Re::Word(_) => false,
                Re::Cat(list) | Re::Alt(list) => list.iter().any(|re| re.has(wanted)),
                Re::Repeat { what, .. } | Re::Look { what, .. } => what.has(wanted),
            }
    }

    /// Writes a string for it; look-around and anchors are left to the matcher.
    fn write(&self, extra: u32, seed: usize, out: &mut String, depth: usize) -> Option<()> {
        if out.len() > LONGEST * 4 || depth > DEEPEST * 3 {
            return None;
        }
        match self {
            Re::Empty | Re::Start | Re::End | Re::Word(_) | Re::Look { .. } => {}
            Re::Set(set) => out.push(set.pick(seed)?),
            Re::Cat(list) => {
                for re in list {
                    re.write(extra, seed, out, depth + 1)?;
                }
            }
            Re::Alt(list) => list[seed % list.len()].write(extra, seed, out, depth + 1)?,
            Re::Repeat { what, min, max, .. } => {
                let count = min.saturating_add(extra).min(max.unwrap_or(u32::MAX));
                if count as usize > LONGEST {
                    return None;
                }
                for turn in 0..count as usize {
                    // Inner repetitions stay short: the length grows by one factor only.
                    what.write(extra.min(1), seed + turn, out, depth + 1)?;
                }
            }
        }
        Some(())
    }
}

struct Run<'a> {
    text: &'a [char],
    steps: Cell<u32>,
    calls: Cell<u32>,
}

impl Run<'_> {
    fn at(&self, re: &Re, at: usize, then: &mut dyn FnMut(usize) -> bool) -> bool {
        let left = self.steps.get();
        if left == 0 || self.calls.get() > CALLS {
            self.steps.set(0);
            return false;
        }
        self.steps.set(left - 1);
        self.calls.set(self.calls.get() + 1);
        let found = self.step(re, at, then);
        self.calls.set(self.calls.get() - 1);
        found
    }

    fn step(&self, re: &Re, at: usize, then: &mut dyn FnMut(usize) -> bool) -> bool {
        match re {
            Re::Empty => then(at),
            Re::Set(set) => self.text.get(at).is_some_and(|c| set.has(*c)) && then(at + 1),
            Re::Start => at == 0 && then(at),
            Re::End => at == self.text.len() && then(at),
            Re::Word(yes) => {
                let is = |i: Option<usize>| {
                    i.and_then(|i| self.text.get(i)).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_')
                };
                (is(at.checked_sub(1)) != is(Some(at))) == *yes && then(at)
            }
            Re::Cat(list) => self.all(list, at, then),
            Re::Alt(list) => list.iter().any(|re| self.at(re, at, then)),
            Re::Repeat { what, min, max, greedy } => self.repeat(what, *min, *max, *greedy, at, then),
            Re::Look { ahead, negate, what } => {
                let found = if *ahead {
                    self.at(what, at, &mut |_| true)
                } else {
                    (0..=at).any(|from| self.at(what, from, &mut |end| end == at))
                };
                found != *negate && then(at)
            }
        }
    }

    fn all(&self, list: &[Re], at: usize, then: &mut dyn FnMut(usize) -> bool) -> bool {
        match list.split_first() {
            None => then(at),
            Some((first, rest)) => self.at(first, at, &mut |next| self.all(rest, next, then)),
        }
    }

    fn repeat(
        &self,
        what: &Re,
        min: u32,
        max: Option<u32>,
        greedy: bool,
        at: usize,
        then: &mut dyn FnMut(usize) -> bool,
    ) -> bool {
        if min > 0 {
            let rest = max.map(|max| max.saturating_sub(1));
            return self.at(what, at, &mut |next| self.repeat(what, min - 1, rest, greedy, next, then));
        }
        if !greedy && then(at) {
            return true;
        }
        if max != Some(0) {
            let rest = max.map(|max| max - 1);
            // An empty turn would go round for ever.
            if self.at(what, at, &mut |next| next > at && self.repeat(what, 0, rest, greedy, next, then)) {
                return true;
            }
        }
        greedy && then(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_ecma_does() {
        for (pattern, text, expected) in [
            ("^[a-z]+$", "abc", true),
            ("^[a-z]+$", "ab1", false),
            ("b", "abc", true),
            ("^(?:foo|ba{2,3}r)$", "baaar", true),
            ("^(?:foo|ba{2,3}r)$", "bar", false),
            ("^(?!x)[\\w.-]+$", "xa", false),
            ("^(?!x)[\\w.-]+$", "a-x", true),
            ("(?<=a)b", "ab", true),
            ("(?<=a)b", "cb", false),
            ("^\\d{4}-\\d{2}$", "2024-02", true),
            ("^[^\\s/]+$", "a b", false),
            ("\\bcat\\b", "a cat.", true),
            ("\\bcat\\b", "concat", false),
            ("^\\u0041\\x42$", "AB", true),
            ("^a{,2}$", "a{,2}", true),
            ("^$", "\n", false),
            ("^[\\D]$", "1", false),
        ] {
            let parsed = Pattern::parse(pattern).unwrap_or_else(|| panic!("{pattern} parses"));
            assert_eq!(parsed.matches(text), Some(expected), "{pattern} on {text}");
        }
    }

    #[test]
    fn samples_match_and_misses_do_not() {
        for pattern in [
            "^[a-z][a-z0-9-]*$",
            "^\\d{3}-\\d{4}$",
            "^(https?|ftp)://.+",
            "^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$",
            "^(?=.*[0-9])[a-z0-9]+$",
            "^v?\\d+(\\.\\d+){2}$",
            "\\S",
        ] {
            let parsed = Pattern::parse(pattern).unwrap_or_else(|| panic!("{pattern} parses"));
            let sample = parsed.sample(0, 100, 0).unwrap_or_else(|| panic!("{pattern} has a sample"));
            assert_eq!(parsed.matches(&sample), Some(true), "{pattern}: {sample}");
            let miss = parsed.miss(0, 100).unwrap_or_else(|| panic!("{pattern} has a miss"));
            assert_eq!(parsed.matches(&miss), Some(false), "{pattern}: {miss}");
        }
        let fixed = Pattern::parse("^[a-z]+$").expect("parses");
        assert_eq!(fixed.sample(7, 7, 0).map(|text| text.len()), Some(7));
        assert!(Pattern::parse("^a$").expect("parses").sample(2, 9, 0).is_none());
    }

    #[test]
    fn catastrophic_patterns_end() {
        let pattern = Pattern::parse("^(a+)+$").expect("parses");
        assert_eq!(pattern.matches(&format!("{}!", "a".repeat(200))), None);
        assert!(Pattern::parse("(a)\\1").is_none());
        assert!(Pattern::parse(&"(".repeat(1000)).is_none());
        assert_eq!(Pattern::parse("^(a?){100000}$").expect("parses").matches("aaa"), None);
    }
}
