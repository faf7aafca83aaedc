//! JSON text (RFC 8259) to a [`Value`], strictly.

mod plain;

use std::borrow::Cow;

use jsonc_parser::ast;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, ParseResult, ParseStringErrorKind, parse_to_ast};
use omnigen_ir::Number;
use omnigen_report::Code;

use crate::value::{
    Data, Flaw, FlawPlace, Loaded, MAX_DEPTH, Member, Span, Value, push_index, push_token, settle_duplicates,
};

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Loads a text. `offset` is added to all positions (a byte order mark was cut off).
pub(crate) fn load(text: &str, offset: usize) -> Loaded<'_> {
    match plain::parse(text, offset) {
        Some(value) => Loaded { value: Some(value), flaws: Vec::new(), includes: Vec::new() },
        None => load_with_flaws(text, offset),
    }
}

/// The same, with a parser that knows what is wrong.
fn load_with_flaws(text: &str, offset: usize) -> Loaded<'_> {
    if let Some(flaw) = stray_character(text, offset) {
        return Loaded::failed(flaw);
    }
    // The parser stops at 512 open ranges by itself, so its recursion is bounded before ours begins.
    let tree = match parse_to_ast(text, &CollectOptions::default(), &STRICT) {
        Ok(result) => result.value,
        Err(error) => {
            let range = error.range();
            return Loaded::failed(syntax_flaw(text, offset, error.kind(), range.start, range.end));
        }
    };
    let Some(tree) = tree else {
        return Loaded::failed(Flaw::bytes(Code::Empty, offset..offset + text.len(), "the file holds no document"));
    };
    let mut builder = Builder { text, offset, path: None, duplicates: false, flaws: Vec::new() };
    let built = match builder.value(tree, 0) {
        Ok(value) => value,
        Err(flaw) => return Loaded::failed(*flaw),
    };
    if builder.duplicates
        && let Ok(ParseResult { value: Some(tree), .. }) = parse_to_ast(text, &CollectOptions::default(), &STRICT)
    {
        // Rare, so only now is it worth keeping track of pointers.
        builder.path = Some(String::new());
        if let Ok(value) = builder.value(tree, 0) {
            return Loaded { value: Some(value), flaws: builder.flaws, includes: Vec::new() };
        }
    }
    Loaded { value: Some(built), flaws: builder.flaws, includes: Vec::new() }
}

/// Control characters, and spaces that are none in JSON: the parser lets them pass.
fn stray_character(text: &str, offset: usize) -> Option<Flaw> {
    let at = |index: usize, length: usize| offset + index..offset + index + length;
    // One sweep without branches first: nearly all texts have none.
    let control = |b: u8| (b < b' ') & (b != b'\t') & (b != b'\n') & (b != b'\r');
    let any = text.as_bytes().chunks(4096).any(|chunk| chunk.iter().fold(false, |any, &b| any | control(b)));
    if let Some(index) = any.then(|| text.bytes().position(control)).flatten() {
        let message = format!("a control character (U+{:04X}) stands in the text", text.as_bytes()[index]);
        return Some(Flaw::bytes(Code::Syntax, at(index, 1), message).hint("write it as an escape, such as `\\u0000`"));
    }
    if text.is_ascii() {
        return None;
    }
    let (mut inside, mut escaped) = (false, false);
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => inside = !inside,
            c if !inside && !c.is_ascii() => {
                let message =
                    format!("the character `{}` (U+{:04X}) stands outside of a string", c.escape_debug(), c as u32);
                return Some(Flaw::bytes(Code::Syntax, at(index, c.len_utf8()), message));
            }
            _ => {}
        }
    }
    None
}

fn syntax_flaw(text: &str, offset: usize, kind: &ParseErrorKind, start: usize, end: usize) -> Flaw {
    let next = text[start..].chars().next().map_or(0, char::len_utf8);
    let end = if start == end { start + next } else { end.clamp(start, text.len()) };
    let flaw = |message: String| Flaw::bytes(Code::Syntax, offset + start..offset + end, message);
    match kind {
        ParseErrorKind::NestingDepthExceeded => too_deep(offset + start, offset + end),
        ParseErrorKind::UnterminatedArray | ParseErrorKind::UnterminatedObject => {
            let (what, close) = match kind {
                ParseErrorKind::UnterminatedArray => ("array", ']'),
                _ => ("object", '}'),
            };
            let opened = start..(start + 1).min(text.len());
            Flaw::bytes(
                Code::Syntax,
                offset + opened.start..offset + opened.end,
                format!("this {what} is never closed: the text ends where `{close}` is expected"),
            )
            .hint("the file may have been cut off")
        }
        ParseErrorKind::TrailingCommasNotAllowed => {
            flaw("a comma before a closing bracket".to_owned()).hint("remove the comma")
        }
        ParseErrorKind::CommentsNotAllowed => {
            flaw("JSON has no comments".to_owned()).hint("remove it, or put the text under `$comment`")
        }
        ParseErrorKind::String(ParseStringErrorKind::InvalidUnicodeEscapeSequence(_)) => {
            flaw("this escape names half of a surrogate pair, which is no character".to_owned())
        }
        ParseErrorKind::ExpectedComma
            if text[..start].ends_with('0') && text[start..].starts_with(|c: char| c.is_ascii_digit()) =>
        {
            flaw("a number of JSON has no leading zeros".to_owned())
        }
        ParseErrorKind::ExpectedComma => flaw("expected a comma here".to_owned()),
        ParseErrorKind::MultipleRootJsonValues => flaw("expected the end of the file after the first value".to_owned()),
        kind => {
            let mut message = kind.to_string();
            if let Some(first) = message.get(..1).map(str::to_ascii_lowercase) {
                message.replace_range(..1, &first);
            }
            let flaw = flaw(message);
            if text[end..].trim().is_empty() { flaw.hint("the file may have been cut off") } else { flaw }
        }
    }
}

/// The document is nested too deeply.
pub(crate) fn too_deep(start: usize, end: usize) -> Flaw {
    Flaw::bytes(Code::TooDeep, start..end, format!("the document is nested deeper than {MAX_DEPTH} levels"))
}

struct Builder<'a> {
    text: &'a str,
    offset: usize,
    /// Where the walk is, in a second one that reports duplicates.
    path: Option<String>,
    duplicates: bool,
    flaws: Vec<Flaw>,
}

impl<'a> Builder<'a> {
    fn span(&self, range: jsonc_parser::common::Range) -> Span {
        Span::new(range.start + self.offset, range.end + self.offset)
    }

    fn value(&mut self, value: ast::Value<'a>, depth: usize) -> Result<Value<'a>, Box<Flaw>> {
        let (data, range) = match value {
            ast::Value::NullKeyword(null) => (Data::Null, null.range),
            ast::Value::BooleanLit(literal) => (Data::Bool(literal.value), literal.range),
            ast::Value::StringLit(literal) => {
                self.check_string(literal.range)?;
                (Data::String(literal.value), literal.range)
            }
            ast::Value::NumberLit(literal) => {
                if Number::new(literal.value).is_none() {
                    let span = self.span(literal.range).range();
                    return Err(Box::new(Flaw::bytes(
                        Code::Syntax,
                        span,
                        format!("`{}` is no number of JSON", literal.value),
                    )));
                }
                (Data::Number(Cow::Borrowed(literal.value)), literal.range)
            }
            ast::Value::Array(array) => {
                self.check_depth(depth, array.range)?;
                let mut items = Vec::with_capacity(array.elements.len());
                for (index, item) in array.elements.into_iter().enumerate() {
                    let length = self.enter(|path| push_index(path, index));
                    items.push(self.value(item, depth + 1)?);
                    self.leave(length);
                }
                (Data::Array(items), array.range)
            }
            ast::Value::Object(object) => {
                self.check_depth(depth, object.range)?;
                (Data::Object(self.members(object.properties, depth)?), object.range)
            }
        };
        Ok(Value { data, span: self.span(range) })
    }

    fn members(&mut self, properties: Vec<ast::ObjectProp<'a>>, depth: usize) -> Result<Vec<Member<'a>>, Box<Flaw>> {
        let mut members = Vec::with_capacity(properties.len());
        for property in properties {
            let (name, range) = match property.name {
                ast::ObjectPropName::String(literal) => (literal.value, literal.range),
                ast::ObjectPropName::Word(word) => (Cow::Borrowed(word.value), word.range),
            };
            self.check_string(range)?;
            let length = self.enter(|path| push_token(path, &name));
            let value = self.value(property.value, depth + 1)?;
            self.leave(length);
            members.push(Member { name, key: self.span(range), value });
        }
        let (flaws, path, duplicates) = (&mut self.flaws, &self.path, &mut self.duplicates);
        settle_duplicates(&mut members, |name| {
            *duplicates = true;
            flaws.extend(path.as_ref().map(|path| duplicate(path, name)));
        });
        Ok(members)
    }

    fn enter(&mut self, push: impl FnOnce(&mut String)) -> usize {
        self.path.as_mut().map_or(0, |path| {
            let length = path.len();
            push(path);
            length
        })
    }

    fn leave(&mut self, length: usize) {
        if let Some(path) = &mut self.path {
            path.truncate(length);
        }
    }

    fn check_depth(&self, depth: usize, range: jsonc_parser::common::Range) -> Result<(), Box<Flaw>> {
        let start = range.start + self.offset;
        if depth >= MAX_DEPTH { Err(Box::new(too_deep(start, start + 1))) } else { Ok(()) }
    }

    /// A line break or tab within quotes; other control characters were refused before.
    fn check_string(&self, range: jsonc_parser::common::Range) -> Result<(), Box<Flaw>> {
        let bytes = &self.text.as_bytes()[range.start..range.end];
        if !bytes.iter().fold(false, |any, &b| any | (b < b' ')) {
            return Ok(());
        }
        match bytes.iter().position(|&b| b < b' ') {
            None => Ok(()),
            Some(index) => {
                let start = range.start + index + self.offset;
                let flaw = Flaw::bytes(Code::Syntax, start..start + 1, "a line break or tab stands within a string")
                    .hint("write `\\n` or `\\t`, or close the string");
                Err(Box::new(flaw))
            }
        }
    }
}

/// A name that stands twice in the object at `path`.
pub(crate) fn duplicate(path: &str, name: &str) -> Flaw {
    let mut pointer = path.to_owned();
    push_token(&mut pointer, name);
    Flaw {
        code: Code::DuplicateKey,
        severity: Code::DuplicateKey.severity(),
        place: FlawPlace::Key(pointer),
        message: format!("the member `{name}` stands more than once in one object; the last one counts"),
        hint: Some("remove or rename the others".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parsers_read_the_same() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for text in [
            r#"{"a": [1, -0.5, 1e3, 2E-7, 10], "": {"b\"\\\/\b\f\n\r\t": "\u00e9\ud83d\ude00"}, "c": null}"#,
            " [ true , false , [ ] , { } , \"\" , \"é😀\" ]\r\n\t",
            "\"\\n\"",
            "0",
            "{\"a\":\"\",\"b\":\"x\\u0041\"}",
            &deep(MAX_DEPTH),
        ] {
            for offset in [0, 3] {
                let plain = plain::parse(text, offset).expect("there is nothing wrong");
                let other = load_with_flaws(text, offset);
                assert!(other.flaws.is_empty(), "{text}");
                assert_eq!(Some(plain), other.value, "{text}");
            }
        }
    }

    #[test]
    fn what_is_odd_is_left_to_the_other_parser() {
        let deep = format!("{}{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\":1,\"a\":2}",
            "{a:1}",
            "'a'",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "-",
            "nul",
            "truex",
            "1 2",
            "\"a",
            "\"a\tb\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"\\u12\"",
            "// c\n1",
            "\u{a0}1",
            "1\u{c}",
            &deep,
        ] {
            assert!(plain::parse(text, 0).is_none(), "{text}");
        }
    }
}
