//! YAML text to a [`Value`]: the core schema of YAML 1.2 (section 10.3), aliases written out, merge keys applied.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, Span as Marks, StructureStyle, Tag};
use omnigen_report::{Code, Severity};

use crate::json::{duplicate, too_deep};
use crate::value::{
    Data, Flaw, FlawPlace, Loaded, MAX_ALIASED, MAX_DEPTH, Member, Span, Value, push_index, push_token,
    settle_duplicates,
};

/// Loads a text. `offset` is added to all positions (a byte order mark was cut off).
pub(crate) fn load(text: &str, offset: usize) -> Loaded<'_> {
    let mut loader = Loader {
        text,
        offset,
        frames: Vec::new(),
        root: None,
        anchors: HashMap::new(),
        aliased: 0,
        path: String::new(),
        flaws: Vec::new(),
        includes: Vec::new(),
    };
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let taken = match event {
            Ok((Event::DocumentStart(..), marks)) => {
                documents += 1;
                if documents == 2 {
                    let start = loader.bytes(&marks).start as usize;
                    let end = (start + 3).min(text.len() + offset);
                    let flaw = Flaw::bytes(
                        Code::Syntax,
                        start..end,
                        "a second document begins here; a contract is one document",
                    )
                    .hint("move it to a file of its own");
                    loader.flaws.push(flaw);
                    break;
                }
                Ok(())
            }
            Ok((event, marks)) => loader.event(event, &marks),
            Err(error) => {
                let start = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
                let end = start + text[start..].chars().next().map_or(0, char::len_utf8);
                Err(Box::new(match error.kind() {
                    ErrorKind::RecursionLimitExceeded => too_deep(offset + start, offset + end),
                    _ => {
                        let flaw = Flaw::bytes(Code::Syntax, offset + start..offset + end, error.info());
                        let said = flaw.message.to_lowercase();
                        if text[start..].trim().is_empty() {
                            flaw.hint("the file may have been cut off")
                        } else if said.contains("tab") {
                            flaw.hint("indent with spaces")
                        } else if said.contains("bracket") || said.contains("quote") || said.contains("unclosed") {
                            flaw.hint("close it, or put the text into quotes that it belongs to")
                        } else {
                            flaw
                        }
                    }
                }))
            }
        };
        if let Err(flaw) = taken {
            return Loaded::failed(*flaw);
        }
    }
    match loader.root {
        Some(value) => Loaded { value: Some(value), flaws: loader.flaws, includes: loader.includes },
        None => Loaded::failed(Flaw::bytes(Code::Empty, offset..offset + text.len(), "the file holds no document")),
    }
}

/// A value with what its copies cost.
#[derive(Clone)]
struct Sized<'a> {
    value: Value<'a>,
    count: usize,
    height: usize,
}

/// A container that is still open.
struct Frame<'a> {
    content: Content<'a>,
    anchor: usize,
    start: usize,
    end: usize,
    flow: bool,
    count: usize,
    height: usize,
    /// Length of the path to this container.
    path: usize,
}

enum Content<'a> {
    Items(Vec<Value<'a>>),
    Members {
        members: Vec<Member<'a>>,
        /// The name whose value comes next.
        key: Option<(Key<'a>, Span)>,
        /// What `<<` brought in, with the number of members before it.
        merged: Vec<(usize, Value<'a>)>,
    },
}

enum Key<'a> {
    Name(Cow<'a, str>),
    Merge,
}

struct Loader<'a> {
    text: &'a str,
    offset: usize,
    frames: Vec<Frame<'a>>,
    root: Option<Value<'a>>,
    anchors: HashMap<usize, Sized<'a>>,
    /// Values written out for aliases so far.
    aliased: usize,
    path: String,
    flaws: Vec<Flaw>,
    includes: Vec<String>,
}

type Taken = Result<(), Box<Flaw>>;

impl<'a> Loader<'a> {
    fn bytes(&self, marks: &Marks) -> Span {
        let range = marks.byte_range().unwrap_or(0..0);
        Span::new(range.start + self.offset, range.end + self.offset)
    }

    fn event(&mut self, event: Event<'a>, marks: &Marks) -> Taken {
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(text, style, anchor, tag.as_deref(), marks),
            Event::SequenceStart(style, anchor, _) => self.open(Content::Items(Vec::new()), style, anchor, marks),
            Event::MappingStart(style, anchor, _) => {
                let content = Content::Members { members: Vec::new(), key: None, merged: Vec::new() };
                self.open(content, style, anchor, marks)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(marks),
            Event::Alias(id) => {
                let span = self.bytes(marks);
                let Some(target) = self.anchors.get(&id) else {
                    let flaw =
                        Flaw::bytes(Code::Syntax, span.range(), "this alias stands within the value that it repeats");
                    return Err(Box::new(flaw));
                };
                self.aliased += target.count;
                if self.aliased > MAX_ALIASED {
                    let message = format!("the aliases of this file stand for more than {MAX_ALIASED} values");
                    return Err(Box::new(Flaw::bytes(Code::TooLarge, span.range(), message)));
                }
                if self.frames.len() + target.height > MAX_DEPTH {
                    return Err(Box::new(too_deep(span.range().start, span.range().end)));
                }
                let target = target.clone();
                if self.wants_key() {
                    match target.value.data {
                        Data::String(text) => self.key(Key::Name(text), span),
                        _ => return Err(Box::new(Flaw::bytes(Code::Syntax, span.range(), "a name must be a string"))),
                    }
                    return Ok(());
                }
                self.put(target, 0, span.range().end);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn wants_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { content: Content::Members { key: None, .. }, .. }))
    }

    fn key(&mut self, name: Key<'a>, span: Span) {
        if let Some(Frame { content: Content::Members { key, .. }, .. }) = self.frames.last_mut() {
            push_token(&mut self.path, if let Key::Name(name) = &name { name } else { "<<" });
            *key = Some((name, span));
        }
    }

    fn scalar(
        &mut self,
        text: Cow<'a, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        marks: &Marks,
    ) -> Taken {
        let span = self.bytes(marks);
        let core = tag.and_then(Tag::core_suffix);
        let plain = match core {
            Some("str") => false,
            Some("int" | "float" | "bool" | "null") => true,
            _ => style == ScalarStyle::Plain,
        };
        if self.wants_key() {
            if plain && text == "<<" {
                self.key(Key::Merge, span);
                return Ok(());
            }
            // What is a number stays the same as text, and codes of statuses are usually written so.
            let odd = plain && !matches!(resolve(&text), Resolved::Text);
            let number = text.bytes().all(|byte| byte.is_ascii_digit());
            if anchor != 0 {
                let value = Value { data: Data::String(text.clone()), span };
                self.anchors.insert(anchor, Sized { value, count: 1, height: 0 });
            }
            self.key(Key::Name(text.clone()), span);
            if odd {
                self.flaws.push(Flaw {
                    code: Code::WrongType,
                    severity: if number { Severity::Note } else { Severity::Warning },
                    place: FlawPlace::Key(self.path.clone()),
                    message: format!("the name `{text}` is no string in YAML; it is taken as the string \"{text}\""),
                    hint: Some("put it in quotes".to_owned()),
                });
            }
            return Ok(());
        }
        if self.frames.is_empty() && span.range().is_empty() && style == ScalarStyle::Plain && tag.is_none() {
            // `---` and nothing behind it.
            return Ok(());
        }
        self.enter();
        let include = tag.is_some_and(|tag| tag.original() == "!include");
        let data = if plain && !include { self.plain(text) } else { Data::String(text) };
        if include {
            self.includes.push(self.path.clone());
        }
        let sized = Sized { value: Value { data, span }, count: 1, height: 0 };
        self.put(sized, anchor, span.range().end);
        Ok(())
    }

    fn plain(&mut self, text: Cow<'a, str>) -> Data<'a> {
        match resolve(&text) {
            Resolved::Text => Data::String(text),
            Resolved::Null => Data::Null,
            Resolved::Bool(value) => Data::Bool(value),
            Resolved::Same => Data::Number(text),
            Resolved::Number(number) => Data::Number(number.into()),
            Resolved::NotFinite => {
                self.flaws.push(Flaw {
                    code: Code::WrongType,
                    severity: Severity::Error,
                    place: FlawPlace::Value(self.path.clone()),
                    message: format!("`{text}` is no number in JSON"),
                    hint: Some("leave the limit out, or put the text in quotes".to_owned()),
                });
                Data::String(text)
            }
        }
    }

    /// Completes the path for a value that comes now: an item's index (a member's name is there already).
    fn enter(&mut self) {
        if let Some(Frame { content: Content::Items(items), .. }) = self.frames.last() {
            push_index(&mut self.path, items.len());
        }
    }

    fn open(&mut self, content: Content<'a>, style: StructureStyle, anchor: usize, marks: &Marks) -> Taken {
        let span = self.bytes(marks).range();
        if self.wants_key() {
            return Err(Box::new(Flaw::bytes(Code::Syntax, span, "a name must be a string, not a list or a mapping")));
        }
        if self.frames.len() >= MAX_DEPTH {
            return Err(Box::new(too_deep(span.start, span.end)));
        }
        self.enter();
        let path = self.path.len();
        let flow = matches!(style, StructureStyle::Flow);
        self.frames.push(Frame { content, anchor, start: span.start, end: span.end, flow, count: 1, height: 1, path });
        Ok(())
    }

    fn close(&mut self, marks: &Marks) -> Taken {
        let end = self.bytes(marks).range().end;
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        self.path.truncate(frame.path);
        let data = match frame.content {
            Content::Items(items) => Data::Array(items),
            Content::Members { members, merged, .. } => Data::Object(self.settle(members, merged)),
        };
        // The end mark of a block stands where the next token begins; its last child says where it really ends.
        let end = if frame.flow { end } else { frame.end.max(frame.start) };
        let value = Value { data, span: Span::new(frame.start, end.min(self.text.len() + self.offset)) };
        self.put(Sized { value, count: frame.count, height: frame.height }, frame.anchor, end);
        Ok(())
    }

    fn settle(&mut self, mut members: Vec<Member<'a>>, merged: Vec<(usize, Value<'a>)>) -> Vec<Member<'a>> {
        let before: Vec<usize> = merged.iter().map(|(index, _)| *index).collect();
        let length = members.len();
        let (flaws, path) = (&mut self.flaws, &self.path);
        settle_duplicates(&mut members, |name| flaws.push(duplicate(path, name)));
        if merged.is_empty() {
            return members;
        }
        // With duplicates dropped the counted positions no longer hold: then what was merged comes last.
        let exact = members.len() == length;
        let mut seen: std::collections::HashSet<Cow<'a, str>> =
            members.iter().map(|member| member.name.clone()).collect();
        let mut inserts = Vec::new();
        for ((_, value), index) in merged.into_iter().zip(before) {
            let sources = match value.data {
                Data::Array(items) => items,
                data => vec![Value { data, span: value.span }],
            };
            let mut list = Vec::new();
            for source in sources {
                let Data::Object(source) = source.data else {
                    let mut pointer = path.clone();
                    push_token(&mut pointer, "<<");
                    flaws.push(Flaw {
                        code: Code::WrongType,
                        severity: Severity::Error,
                        place: FlawPlace::Value(pointer),
                        message: "`<<` takes a mapping or a list of mappings".to_owned(),
                        hint: None,
                    });
                    continue;
                };
                list.extend(source.into_iter().filter(|member| seen.insert(member.name.clone())));
            }
            inserts.push((if exact { index } else { members.len() }, list));
        }
        for (index, list) in inserts.into_iter().rev() {
            members.splice(index..index, list);
        }
        members
    }

    /// Gives a finished value to the container that is open, or makes it the document.
    fn put(&mut self, sized: Sized<'a>, anchor: usize, end: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, sized.clone());
        }
        let Some(frame) = self.frames.last_mut() else {
            if self.root.is_none() {
                self.root = Some(sized.value);
            }
            return;
        };
        frame.count += sized.count;
        frame.height = frame.height.max(sized.height + 1);
        frame.end = frame.end.max(end);
        match &mut frame.content {
            Content::Items(items) => items.push(sized.value),
            Content::Members { members, key, merged } => match key.take() {
                Some((Key::Name(name), span)) => members.push(Member { name, key: span, value: sized.value }),
                Some((Key::Merge, _)) => merged.push((members.len(), sized.value)),
                None => {}
            },
        }
        self.path.truncate(frame.path);
    }
}

/// What a plain scalar is in the core schema.
enum Resolved {
    Text,
    Null,
    Bool(bool),
    /// A number that is written as in JSON.
    Same,
    /// A number, as JSON writes it.
    Number(String),
    /// `.inf` or `.nan`
    NotFinite,
}

fn resolve(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "true" | "True" | "TRUE" => return Resolved::Bool(true),
        "false" | "False" | "FALSE" => return Resolved::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Resolved::NotFinite,
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Resolved::Text;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return match u128::from_str_radix(digits, radix) {
                Ok(value) if !digits.starts_with('+') => Resolved::Number(value.to_string()),
                _ => Resolved::Text,
            };
        }
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Resolved::NotFinite;
    }
    let Some((whole, fraction, exponent)) = float_parts(unsigned) else { return Resolved::Text };
    if omnigen_ir::Number::new(text).is_some() {
        return Resolved::Same;
    }
    let whole = whole.trim_start_matches('0');
    let mut number = String::with_capacity(text.len() + 1);
    number.push_str(if text.starts_with('-') { "-" } else { "" });
    number.push_str(if whole.is_empty() { "0" } else { whole });
    if let Some(fraction) = fraction {
        number.push('.');
        number.push_str(if fraction.is_empty() { "0" } else { fraction });
    }
    if let Some(exponent) = exponent {
        number.push('e');
        number.push_str(exponent);
    }
    Resolved::Number(number)
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`, taken apart.
fn float_parts(text: &str) -> Option<(&str, Option<&str>, Option<&str>)> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let some_digit = !whole.is_empty() || fraction.is_some_and(|fraction| !fraction.is_empty());
    let exponent_fine = exponent.is_none_or(|exponent| {
        let rest = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !rest.is_empty() && digits(rest)
    });
    (some_digit && digits(whole) && fraction.is_none_or(digits) && exponent_fine).then_some((whole, fraction, exponent))
}
