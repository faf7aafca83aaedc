//! Changed copies of real files, each a pure function of the seed and its number.

/// A small generator of numbers (splitmix64): the same for the same seed, everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64, number: u64) -> Random {
        let mut random = Random(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.next();
        random
    }

    /// Takes a number in: what comes next depends on it.
    pub(crate) fn stir(&mut self, number: u64) {
        self.0 = self.next() ^ number;
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `limit`, which may be zero.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { (self.next() % limit as u64) as usize }
    }

    pub(crate) fn one<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Bytes that a changed file may have at most.
const LONGEST: usize = 256 << 10;

/// Words that mean something to a reader of contracts, and values that are at the edge of what they take.
const WORDS: &[&str] = &[
    "$ref",
    "$id",
    "$schema",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$defs",
    "definitions",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "items",
    "prefixItems",
    "contains",
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "propertyNames",
    "required",
    "dependencies",
    "dependentSchemas",
    "enum",
    "const",
    "type",
    "format",
    "pattern",
    "default",
    "examples",
    "minimum",
    "maxLength",
    "multipleOf",
    "uniqueItems",
    "nullable",
    "discriminator",
    "mapping",
    "components",
    "schemas",
    "openapi",
    "paths",
    "contract_version",
    "node_type",
    "inputs",
    "outputs",
    "state_machine",
    "string",
    "integer",
    "number",
    "object",
    "array",
    "boolean",
    "null",
    "date-time",
    "uri",
    "",
    "#",
    "#/",
    "#/$defs",
    "#/definitions/a",
    "#/properties/a/items",
    "../..",
    "other.json#/x",
    "other.json",
    "other.yaml",
    "other.yaml#/components/schemas/User",
    "other.yaml#/definitions/Payment",
    "other.yaml#/paths/~1users",
    "file.json",
    "file.yaml#/components/schemas/User",
    "https://far.example/a.json",
    "~1",
    "%00",
    "^(a+)+$",
    "(?<n>x)\\\\k<n>",
    "[^]",
    "\\\\p{L}{2,99999}",
    "class",
    "__init__",
    "self",
    "None",
    "Model",
    "a b",
    "9",
    "-",
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
    "3.0.3",
    "3.1.0",
    "list[dict[str, Any]]",
    "Optional[int]",
    "!include",
    "<<",
];

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1e400",
    "1E-400",
    "0.1",
    "99999999999999999999999",
    "9223372036854775808",
    "18446744073709551616",
    "1e15",
    "2147483648",
    "-1e308",
    "1.0000000000000000000000001",
    "1e2147483648",
    "0e99999999999999999999",
];

const ODD: &[&str] = &[
    "\u{feff}",
    "\u{202e}",
    "\0",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "é",
    "e\u{301}",
    "\u{1f600}",
    "\u{212a}",
    "ﬁ",
    "İ",
    "\\ud800",
    "\\u0000",
    "\r",
    "\t",
    "\u{a0}",
    "ª",
    "\u{10ffff}",
    "ß",
    "中",
];

/// A copy of one text with a few changes; parts may come from another.
pub(crate) fn mutated(random: &mut Random, text: &str, other: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let times = 1 + random.below(4);
    for _ in 0..times {
        change(random, &mut bytes, other.as_bytes());
        bytes.truncate(LONGEST);
    }
    bytes
}

fn change(random: &mut Random, text: &mut Vec<u8>, other: &[u8]) {
    match random.below(20) {
        0 => {
            let at = random.below(text.len());
            if let Some(byte) = text.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            let at = random.below(text.len());
            text.truncate(at);
        }
        2 => {
            let at = random.below(text.len());
            let end = (at + random.below(80)).min(text.len());
            text.drain(at..end);
        }
        3 => {
            let from = random.below(other.len());
            let end = (from + random.below(200)).min(other.len());
            insert(random, text, &other[from..end]);
        }
        4 => {
            let part = random.one(ODD).as_bytes();
            insert(random, text, part);
        }
        5 => nest(random, text),
        // Whole lines: blocks of YAML twice, elsewhere, or gone.
        6 | 7 => {
            let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
            let from = random.below(lines.len());
            let end = (from + 1 + random.below(12)).min(lines.len());
            let block = lines[from..end].concat();
            let to = random.below(lines.len() + 1);
            let at: usize = lines[..to].iter().map(|line| line.len()).sum();
            text.splice(at..at, block);
        }
        8 => {
            let part = random.one(NUMBERS).as_bytes().to_vec();
            replace(random, text, number, &part);
        }
        9..=12 => {
            let part = random.one(WORDS).as_bytes().to_vec();
            replace(random, text, word, &part);
        }
        13 | 14 => {
            let own = text.clone();
            let from = if random.below(2) == 0 { &own[..] } else { other };
            if let Some(part) = find(random, from, word) {
                replace(random, text, word, &from[part]);
            }
        }
        // Balanced parts: what was one value is another, or stands within itself.
        _ => {
            let own = text.clone();
            let from = if random.below(3) == 0 { other } else { &own[..] };
            if let Some(part) = find(random, from, balanced) {
                let part = from[part].to_vec();
                if part.len() < LONGEST / 8 {
                    replace(random, text, balanced, &part);
                }
            }
        }
    }
}

fn insert(random: &mut Random, text: &mut Vec<u8>, part: &[u8]) {
    let at = random.below(text.len() + 1);
    text.splice(at..at, part.iter().copied());
}

/// Many levels around a value.
fn nest(random: &mut Random, text: &mut Vec<u8>) {
    let (open, close) = *random.one(&[
        ("[", "]"),
        ("{\"not\":", "}"),
        ("{\"items\":", "}"),
        ("{\"properties\":{\"a\":", "}}"),
        ("- ", ""),
        ("a: {b: ", "}"),
        ("(?:", ")"),
    ]);
    let levels = *random.one(&[3, 30, 120, 255, 600, 3_000]);
    let part = find(random, text, balanced).unwrap_or(0..0);
    let mut around = open.repeat(levels).into_bytes();
    around.extend_from_slice(&text[part.clone()]);
    around.extend_from_slice(close.repeat(levels).as_bytes());
    text.splice(part, around);
}

type Finder = fn(&[u8], usize) -> Option<std::ops::Range<usize>>;

fn find(random: &mut Random, text: &[u8], finder: Finder) -> Option<std::ops::Range<usize>> {
    (0..8).find_map(|_| finder(text, random.below(text.len())))
}

fn replace(random: &mut Random, text: &mut Vec<u8>, finder: Finder, part: &[u8]) {
    if let Some(range) = find(random, text, finder) {
        text.splice(range, part.iter().copied());
    }
}

/// The word at or after a place.
fn word(text: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let is = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'_' | b'#' | b'/' | b'-' | b'.');
    let start = at + text.get(at..)?.iter().position(is)?;
    let start = text[..start].iter().rposition(|byte| !is(byte)).map_or(0, |before| before + 1);
    let end = start + text[start..].iter().position(|byte| !is(byte)).unwrap_or(text.len() - start);
    Some(start..end)
}

/// The number at or after a place.
fn number(text: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let is = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    let start = at + text.get(at..)?.iter().position(u8::is_ascii_digit)?;
    let end = start + text[start..].iter().position(|byte| !is(byte)).unwrap_or(text.len() - start);
    Some(start..end)
}

/// The object or array at or after a place, as far as brackets tell.
fn balanced(text: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let start = at + text.get(at..)?.iter().take(4_000).position(|byte| matches!(byte, b'{' | b'['))?;
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (index, byte) in text[start..].iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    return Some(start..start + index + 1);
                }
            }
            _ => {}
        }
    }
    None
}
