//! The words that describe a field, each as the keyword of JSON Schema that it stands for.

use omnigen_report::{At, Code, Diagnostic};

use super::expression;
use super::made::{Shape, escaped, has, put};
use super::translate::{Made, Translator};
use crate::value::{Data, Member, Value};

/// Words that describe a field.
const WORDS: &[&str] = &[
    "type",
    "description",
    "default",
    "default_factory",
    "nullable",
    "optional",
    "required",
    "minimum",
    "maximum",
    "min_value",
    "max_value",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "min_length",
    "max_length",
    "minLength",
    "maxLength",
    "min_items",
    "max_items",
    "minItems",
    "maxItems",
    "multiple_of",
    "multipleOf",
    "pattern",
    "format",
    "unique_items",
    "uniqueItems",
    "const",
    "example",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "constraints",
    "minProperties",
    "maxProperties",
    "enum",
    "enum_class",
    "enum_values",
    "items",
    "item_type",
    "key_type",
    "value_type",
    "additionalProperties",
    "properties",
    "allOf",
    "anyOf",
    "oneOf",
    "$ref",
    "frozen",
    "extra",
];

/// The word that a misspelled one was probably meant to be.
fn misspelled(name: &str) -> Option<&'static str> {
    if WORDS.contains(&name) || name.len() < 4 {
        return None;
    }
    let most = if name.len() < 7 { 1 } else { 2 };
    omnigen_report::nearest(name, WORDS.iter().copied(), most)
}

impl<'v, 'a> Translator<'v, 'a> {
    /// One word of a field's description.
    pub(super) fn word(
        &mut self,
        part: &'v Member<'a>,
        made: &mut Made<'a>,
        shape: Shape,
        required: &mut Option<bool>,
        null: &mut bool,
    ) {
        let (name, value) = (&*part.name, &part.value);
        match name {
            "description" | "title" => {
                if let Data::String(text) = &value.data
                    && !text.is_empty()
                {
                    put(made, name, Data::String(text.trim().to_owned().into()), value.span);
                }
            }
            "default" | "default_value" => {
                let empty = name == "default_value" && matches!(&value.data, Data::String(text) if text.is_empty());
                if !empty {
                    put(made, "default", value.data.clone(), value.span);
                }
            }
            "default_factory" => match value.as_str() {
                Some("list" | "tuple" | "set") => put(made, "default", Data::Array(Vec::new()), value.span),
                Some("dict") => put(made, "default", Data::Object(Vec::new()), value.span),
                // Made anew for each document: the field may be left out, there is no value to write down.
                Some(_) => *required = Some(false),
                None => self.wrong(name, value, "the name of a function such as `list`, `dict` or `uuid4`"),
            },
            "nullable" | "optional" if matches!(value.data, Data::Bool(_)) => {
                let yes = matches!(value.data, Data::Bool(true));
                if name == "nullable" { *null |= yes } else { *required = Some(!yes) }
            }
            "required" if matches!(value.data, Data::Bool(_)) => {
                *required = Some(matches!(value.data, Data::Bool(true)));
            }
            "nullable" | "optional" | "required" => {
                // A list of names is what an object has; it is read with its fields.
                if !matches!(value.data, Data::Array(_) | Data::Null) {
                    self.wrong(name, value, "true or false");
                }
            }
            "ge" | "gt" | "le" | "lt" | "minimum" | "maximum" | "min" | "max" | "min_value" | "max_value"
            | "exclusiveMinimum" | "exclusiveMaximum" | "min_length" | "max_length" | "minLength" | "maxLength"
            | "min_items" | "max_items" | "minItems" | "maxItems" => self.bound(name, value, made, shape),
            "multiple_of" | "multipleOf" => put(made, "multipleOf", value.data.clone(), value.span),
            "pattern" | "regex" => match &value.data {
                Data::String(text) if text.is_empty() => {}
                Data::Null => {}
                Data::String(_) => put(made, "pattern", value.data.clone(), value.span),
                _ => self.wrong(name, value, "a regular expression"),
            },
            "format" | "format_type" => {
                let stated = matches!(&value.data, Data::String(text) if !text.is_empty());
                if stated && !has(made, "format") {
                    put(made, "format", value.data.clone(), value.span);
                }
            }
            "unique_items" | "uniqueItems" => put(made, "uniqueItems", value.data.clone(), value.span),
            "const" | "constant" => put(made, "const", value.data.clone(), value.span),
            "example" => put(made, "examples", Data::Array(vec![value.clone()]), value.span),
            "examples" => {
                if let Data::Array(_) = value.data {
                    put(made, "examples", value.data.clone(), value.span);
                }
            }
            "deprecated" | "readOnly" | "writeOnly" => put(made, name, value.data.clone(), value.span),
            "constraints" => match &value.data {
                Data::Object(members) => {
                    let members: &'v [Member<'a>] = members;
                    for part in members {
                        if part.name == "enum" {
                            if let Data::Array(_) = part.value.data {
                                put(made, "enum", part.value.data.clone(), part.value.span);
                            }
                        } else {
                            self.word(part, made, shape, required, null);
                        }
                    }
                }
                Data::String(text) => {
                    // `ge=0, le=1`, as behind a type.
                    if let Ok(read) = expression::read(&format!("str, {text}")) {
                        self.remarked(made, shape, &read.remarks, value.span);
                    }
                }
                _ => self.wrong(name, value, "a map such as `{ge: 0, le: 100}`"),
            },
            "schema_ref" => {
                if !matches!(value.data, Data::String(_) | Data::Null) {
                    self.wrong(name, value, "a text that names a schema");
                }
            }
            "minProperties" | "maxProperties" | "dependentRequired" | "minContains" | "maxContains" => {
                put(made, name, value.data.clone(), value.span);
            }
            // Read elsewhere, or of no weight for the type, or meant to be another word.
            _ => {
                if let Some(meant) = misspelled(name) {
                    let message = format!("`{name}` is no word for a field; it asserts nothing");
                    let at = At::key(self.file, &format!("{}/{}", self.source, escaped(name)));
                    let found = Diagnostic::new(Code::MisspelledKeyword, at, message);
                    self.diagnostics.push(found.hint(format!("did you mean `{meant}`?")));
                }
            }
        }
    }

    pub(super) fn wrong(&mut self, name: &str, value: &Value<'_>, expected: &str) {
        let message = format!("`{name}` must be {expected}, not {}", value.kind());
        let hint = match &value.data {
            Data::Null => "fill it in, or leave it out".to_owned(),
            Data::String(text) if expected == "a number" && omnigen_ir::Number::new(text).is_some() => {
                format!("write `{name}: {text}`, without quotes")
            }
            Data::String(text) if expected == "true or false" && matches!(&*text.to_lowercase(), "true" | "false") => {
                format!("write `{name}: {}`, without quotes", text.to_lowercase())
            }
            Data::String(text) if expected.starts_with("a list") && text.len() < 60 => format!("write `[{text}]`"),
            _ => format!("expected {expected}"),
        };
        self.warn(Code::WrongType, name, message, Some(hint));
    }

    fn bound(&mut self, name: &str, value: &'v Value<'a>, made: &mut Made<'a>, shape: Shape) {
        let Data::Number(text) = &value.data else {
            if !matches!(value.data, Data::Null) {
                self.wrong(name, value, "a number");
            }
            return;
        };
        // In the words of the upstream model class 0 says that there is no bound.
        if matches!(name, "min_value" | "max_value") && omnigen_ir::Number::new(text).is_some_and(|n| n.text() == "0") {
            return;
        }
        let word = match name {
            "ge" | "minimum" | "min" | "min_value" => "ge",
            "le" | "maximum" | "max" | "max_value" => "le",
            "gt" | "exclusiveMinimum" => "gt",
            "lt" | "exclusiveMaximum" => "lt",
            "min_length" | "minLength" | "min_items" | "minItems" => "shortest",
            _ => "longest",
        };
        match shape.bound(word) {
            Some(keyword) => put(made, keyword, value.data.clone(), value.span),
            None => {
                let message = format!("`{name}` has no effect on a type without {}", shape.lacks(word));
                self.warn(Code::IgnoredKeyword, name, message, None);
            }
        }
    }
}
