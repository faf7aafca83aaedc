//! What keywords take: readers of single values, which report what they cannot take.

use omnigen_ir::Number;
use omnigen_report::{At, Code, Diagnostic, Severity};

use super::lower::Lowerer;
use crate::value::{Data, Value, push_index, push_token};

/// What was probably meant by a value that is not what is expected.
fn meant(value: &Value<'_>, expected: &str) -> String {
    match &value.data {
        Data::String(text) if expected.contains("number") && Number::new(text).is_some() => {
            format!("write `{text}`, without quotes")
        }
        Data::String(text) if expected.contains("number") && Number::new(&text.replace(['_', ','], "")).is_some() => {
            format!("write `{}`", text.replace(['_', ','], ""))
        }
        Data::String(text) if expected == "a boolean" => match &*text.to_lowercase() {
            flag @ ("true" | "false") => format!("write `{flag}`, without quotes"),
            _ => "write `true` or `false`".to_owned(),
        },
        Data::String(text) if expected.starts_with("an array of strings") && text.len() < 60 => {
            format!("write `[\"{text}\"]`")
        }
        Data::Number(text) if expected == "a string" => format!("write `\"{text}\"`"),
        Data::Object(_) if expected.starts_with("an array") => "put what is there in brackets: `[…]`".to_owned(),
        _ => format!("write {expected}"),
    }
}

impl<'v, 'a> Lowerer<'v, 'a> {
    /// The value of `keyword` (a member of the schema at the path) is not what it must be.
    pub(super) fn wrong(&mut self, keyword: &str, value: &Value<'_>, expected: &str) {
        let mut pointer = self.path.clone();
        push_token(&mut pointer, keyword);
        self.wrong_at(&pointer, keyword, value, expected);
    }

    fn wrong_at(&mut self, pointer: &str, keyword: &str, value: &Value<'_>, expected: &str) {
        let message = format!("`{keyword}` must be {expected}, not {}", value.kind());
        let mut diagnostic = Diagnostic::new(Code::WrongType, At::value(&self.file, pointer), message);
        if matches!(value.data, Data::Null) {
            diagnostic = diagnostic.hint(format!("write {expected}, or leave `{keyword}` out"));
        } else if keyword == "required" && matches!(value.data, Data::Bool(_)) {
            diagnostic = diagnostic.hint("list the names in `required` of the object that has these properties");
        } else {
            diagnostic = diagnostic.hint(meant(value, expected));
        }
        self.push(diagnostic);
    }

    /// An annotation of the wrong type: it is dropped, and nothing else depends on it.
    fn odd_note(&mut self, keyword: &str, value: &Value<'_>, expected: &str) {
        let mut pointer = self.path.clone();
        push_token(&mut pointer, keyword);
        let message = format!("`{keyword}` must be {expected}, not {}; it is left out", value.kind());
        let mut diagnostic = Diagnostic::new(Code::WrongType, At::value(&self.file, &pointer), message);
        diagnostic.severity = Severity::Warning;
        self.push(diagnostic.hint(meant(value, expected)));
    }

    pub(super) fn number(&mut self, keyword: &str, value: &Value<'_>) -> Option<Number> {
        if let Data::Number(text) = &value.data
            && let Some(number) = Number::new(text)
        {
            return Some(number);
        }
        self.wrong(keyword, value, "a number");
        None
    }

    /// A whole number that is not negative; `2.0` is one. What does not fit is as good as the largest.
    pub(super) fn count(&mut self, keyword: &str, value: &Value<'_>) -> Option<u64> {
        if let Data::Number(text) = &value.data {
            if let Ok(count) = text.parse() {
                return Some(count);
            }
            if let Some(number) = Number::new(text)
                && number.is_integer()
            {
                match number.as_i64() {
                    Some(count) if count >= 0 => return Some(count.unsigned_abs()),
                    None if !text.starts_with('-') => return Some(u64::MAX),
                    _ => {}
                }
            }
            let mut pointer = self.path.clone();
            push_token(&mut pointer, keyword);
            let message = format!("`{keyword}` must be a whole number that is not negative, not {text}");
            self.push(Diagnostic::new(Code::WrongType, At::value(&self.file, &pointer), message));
            return None;
        }
        self.wrong(keyword, value, "a whole number that is not negative");
        None
    }

    pub(super) fn text(&mut self, keyword: &str, value: &Value<'_>) -> Option<Box<str>> {
        let text = value.as_str();
        if text.is_none() {
            self.wrong(keyword, value, "a string");
        }
        text.map(Into::into)
    }

    pub(super) fn flag(&mut self, keyword: &str, value: &Value<'_>) -> Option<bool> {
        match value.data {
            Data::Bool(flag) => Some(flag),
            _ => {
                self.wrong(keyword, value, "a boolean");
                None
            }
        }
    }

    pub(super) fn note_text(&mut self, keyword: &str, value: &Value<'_>) -> Option<Box<str>> {
        let text = value.as_str();
        if text.is_none() {
            self.odd_note(keyword, value, "a string");
        }
        text.map(Into::into)
    }

    pub(super) fn note_flag(&mut self, keyword: &str, value: &Value<'_>) -> bool {
        match value.data {
            Data::Bool(flag) => flag,
            _ => {
                self.odd_note(keyword, value, "a boolean");
                false
            }
        }
    }

    pub(super) fn note_list<'b>(&mut self, keyword: &str, value: &'b Value<'a>) -> &'b [Value<'a>] {
        match &value.data {
            Data::Array(items) => items,
            _ => {
                self.odd_note(keyword, value, "an array");
                &[]
            }
        }
    }

    /// A list of names, each once. `below` are the tokens between the schema and the list.
    pub(super) fn names(&mut self, below: &[&str], value: &Value<'_>) -> Vec<Box<str>> {
        let keyword = below.first().copied().unwrap_or("");
        let pointer = |path: &str| {
            let mut pointer = path.to_owned();
            below.iter().for_each(|token| push_token(&mut pointer, token));
            pointer
        };
        let Data::Array(items) = &value.data else {
            self.wrong_at(&pointer(&self.path), keyword, value, "an array of strings");
            return Vec::new();
        };
        let mut names: Vec<Box<str>> = Vec::with_capacity(items.len());
        let mut seen = std::collections::HashSet::new();
        for (index, item) in items.iter().enumerate() {
            match item.as_str() {
                Some(name) => {
                    let new = if items.len() <= 16 { !names.iter().any(|n| **n == *name) } else { seen.insert(name) };
                    if new {
                        names.push(name.into());
                    } else {
                        let mut pointer = pointer(&self.path);
                        push_index(&mut pointer, index);
                        let message = format!("`{name}` stands in `{keyword}` twice; once is enough");
                        let mut diagnostic = Diagnostic::new(Code::WrongType, At::value(&self.file, &pointer), message);
                        diagnostic.severity = Severity::Warning;
                        self.push(diagnostic);
                    }
                }
                None => {
                    let mut pointer = pointer(&self.path);
                    push_index(&mut pointer, index);
                    // One entry that is no name takes nothing away from the others.
                    let message = format!("`{keyword}` holds names, not {}; this one is left out", item.kind());
                    let mut diagnostic = Diagnostic::new(Code::WrongType, At::value(&self.file, &pointer), message);
                    diagnostic.severity = Severity::Warning;
                    self.push(diagnostic.hint("write the name of a property"));
                }
            }
        }
        names
    }
}
