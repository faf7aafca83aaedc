//! A loaded document: the same tree for JSON and YAML, with the bytes that each part came from.
//!
//! Knows nothing of schemas. Positions live here only: what is made of a tree uses JSON pointers.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use omnigen_ir::{Json, Number};
use omnigen_report::{Code, Severity};

/// Containers within containers; deeper documents are refused before anything recursive walks them.
pub(crate) const MAX_DEPTH: usize = 256;
/// Bytes of one file.
pub(crate) const MAX_BYTES: usize = 64 << 20;
/// Schemas of one file, each keyword's subschema counted.
pub(crate) const MAX_SCHEMAS: usize = 200_000;
/// References of one file.
pub(crate) const MAX_REFERENCES: usize = 200_000;
/// Values that the YAML aliases of one document may stand for, all together.
pub(crate) const MAX_ALIASED: usize = 1_000_000;

/// Bytes of the text: first, and behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// Offsets fit in 32 bits: texts over [`MAX_BYTES`] were refused.
    pub(crate) fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value<'a> {
    pub(crate) data: Data<'a>,
    pub(crate) span: Span,
}

/// A value of JSON's data model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data<'a> {
    Null,
    Bool(bool),
    /// Checked JSON number text.
    Number(Cow<'a, str>),
    String(Cow<'a, str>),
    Array(Vec<Value<'a>>),
    /// Names are unique.
    Object(Vec<Member<'a>>),
}

/// One member of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) key: Span,
    pub(crate) value: Value<'a>,
}

/// What a loader found wrong, before there are diagnostics.
#[derive(Clone, Debug)]
pub(crate) struct Flaw {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) place: FlawPlace,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// Where a flaw is.
#[derive(Clone, Debug)]
pub(crate) enum FlawPlace {
    /// Nothing could be read there.
    Bytes(Range<usize>),
    /// A member's name.
    Key(String),
    /// A value.
    Value(String),
}

impl Flaw {
    pub(crate) fn bytes(code: Code, range: Range<usize>, message: impl Into<String>) -> Flaw {
        Flaw { code, severity: code.severity(), place: FlawPlace::Bytes(range), message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Flaw {
        self.hint = Some(hint.into());
        self
    }
}

/// A document, or the flaw that prevents one; and what else was found.
pub(crate) struct Loaded<'a> {
    pub(crate) value: Option<Value<'a>>,
    pub(crate) flaws: Vec<Flaw>,
    /// Pointers of texts that stand for documents of other files.
    pub(crate) includes: Vec<String>,
}

impl<'a> Loaded<'a> {
    pub(crate) fn failed(flaw: Flaw) -> Loaded<'a> {
        Loaded { value: None, flaws: vec![flaw], includes: Vec::new() }
    }
}

impl<'a> Value<'a> {
    pub(crate) fn members(&self) -> Option<&[Member<'a>]> {
        match &self.data {
            Data::Object(members) => Some(members),
            _ => None,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.members()?.iter().find(|member| member.name == name).map(|member| &member.value)
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value at a pointer.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Value<'a>> {
        let mut value = self;
        for token in pointer.split('/').skip(1) {
            value = value.step(&unescape(token))?;
        }
        (pointer.is_empty() || pointer.starts_with('/')).then_some(value)
    }

    /// The value at a pointer, to be changed.
    pub(crate) fn at_mut(&mut self, pointer: &str) -> Option<&mut Value<'a>> {
        let mut value = self;
        for token in pointer.split('/').skip(1) {
            let token = unescape(token);
            value = match &mut value.data {
                Data::Object(members) => &mut members.iter_mut().find(|member| member.name == token)?.value,
                Data::Array(items) => items.get_mut(array_index(&token)?)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// The child that one (unescaped) token of a pointer names.
    pub(crate) fn step(&self, token: &str) -> Option<&Value<'a>> {
        match &self.data {
            Data::Object(members) => members.iter().find(|member| member.name == token).map(|member| &member.value),
            Data::Array(items) => items.get(array_index(token)?),
            _ => None,
        }
    }

    /// With its article, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.data {
            Data::Null => "null",
            Data::Bool(_) => "a boolean",
            Data::Number(_) => "a number",
            Data::String(_) => "a string",
            Data::Array(_) => "an array",
            Data::Object(_) => "an object",
        }
    }

    /// The value without positions.
    pub(crate) fn json(&self) -> Json {
        match &self.data {
            Data::Null => Json::Null,
            Data::Bool(value) => Json::Bool(*value),
            // The loaders let only number text through; a string is what remains if one ever did not.
            Data::Number(text) => match Number::new(text) {
                Some(number) => Json::Number(number),
                None => Json::String(text.as_ref().into()),
            },
            Data::String(text) => Json::String(text.as_ref().into()),
            Data::Array(items) => Json::Array(items.iter().map(Value::json).collect()),
            Data::Object(members) => {
                Json::Object(members.iter().map(|member| (member.name.as_ref().into(), member.value.json())).collect())
            }
        }
    }
}

/// An index as RFC 6901 (section 4) allows it: digits without leading zeros.
pub(crate) fn array_index(token: &str) -> Option<usize> {
    let plain = token == "0" || (!token.starts_with('0') && token.bytes().all(|b| b.is_ascii_digit()));
    if plain { token.parse().ok() } else { None }
}

/// Appends a token to a pointer, escaped (RFC 6901, section 3).
pub(crate) fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    if token.contains(['~', '/']) {
        for c in token.chars() {
            match c {
                '~' => pointer.push_str("~0"),
                '/' => pointer.push_str("~1"),
                c => pointer.push(c),
            }
        }
    } else {
        pointer.push_str(token);
    }
}

/// Appends an index to a pointer.
pub(crate) fn push_index(pointer: &mut String, index: usize) {
    pointer.push('/');
    match u8::try_from(index) {
        Ok(digit @ 0..=9) => pointer.push(char::from(b'0' + digit)),
        // Writing to a String cannot fail.
        _ => drop(write!(pointer, "{index}")),
    }
}

/// One token of a pointer as it is meant.
pub(crate) fn unescape(token: &str) -> Cow<'_, str> {
    if token.contains('~') { token.replace("~1", "/").replace("~0", "~").into() } else { token.into() }
}

/// Keeps the last member of every name, in the order in which those stand; `report` gets the names given up.
pub(crate) fn settle_duplicates<'a>(members: &mut Vec<Member<'a>>, mut report: impl FnMut(&str)) {
    let mut duplicates: Vec<usize> = Vec::new();
    if members.len() <= 12 {
        for i in 1..members.len() {
            if let Some(earlier) = (0..i).rev().find(|&j| members[j].name == members[i].name) {
                duplicates.push(earlier);
            }
        }
    } else {
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_by(|&a, &b| members[a].name.cmp(&members[b].name).then(a.cmp(&b)));
        duplicates
            .extend(order.windows(2).filter(|pair| members[pair[0]].name == members[pair[1]].name).map(|pair| pair[0]));
    }
    if duplicates.is_empty() {
        return;
    }
    duplicates.sort_unstable();
    for &index in &duplicates {
        report(&members[index].name);
    }
    let mut index = 0;
    members.retain(|_| {
        index += 1;
        duplicates.binary_search(&(index - 1)).is_err()
    });
}
