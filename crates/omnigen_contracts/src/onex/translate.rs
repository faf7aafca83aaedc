//! Typed fields, in any of ONEX' words, as JSON Schema: a document's tree in, another tree out, whose positions lead back.
//!
//! Knows how a field is described. Does not know where in a contract fields stand (`dialects.rs`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use omnigen_report::{At, Code, Diagnostic, Severity};

use super::expression::{self, Constant, Expression, Remarks};
use super::made::{
    Shape, allows_null, bare, constant, describe, escaped, has, member, nullable, object, put, put_required, show,
    string, union,
};
use super::types::{self, Meaning};
use crate::value::{Data, Member, Span, Value, push_index, push_token};

/// Members of a schema.
pub(super) type Made<'a> = Vec<Member<'a>>;

/// A class of Python that the contract names and does not describe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct External {
    /// Its module, if the contract says it.
    pub(super) module: Option<String>,
    /// Its name.
    pub(super) name: String,
    /// What the contract says about it.
    pub(super) description: Option<String>,
}

/// A contract on its way to JSON Schema.
pub(super) struct Translator<'v, 'a> {
    pub(super) file: &'v Arc<str>,
    /// Members of `$defs`.
    pub(super) definitions: Vec<Member<'a>>,
    /// The contract's own definitions: their names, and their keys among `$defs`.
    pub(super) names: BTreeMap<String, String>,
    /// Classes that the contract places in a module.
    pub(super) modules: BTreeMap<String, String>,
    /// Foreign classes by their keys among `$defs`.
    pub(super) externals: BTreeMap<String, External>,
    /// Pointers of objects that are immutable.
    pub(super) frozen: Vec<String>,
    /// Pointers into the result and, for each, the one into the contract.
    pub(super) origins: Vec<(String, String)>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Where we are in the contract, and in the result.
    pub(super) source: String,
    pub(super) target: String,
}

/// Where a type stands: `object` means anything in `dict[str, object]`, as in Python, and a JSON object elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seat {
    Field,
    MapValue,
}

/// A field: its schema, and whether it says that it must be there.
pub(super) struct Field<'a> {
    pub(super) schema: Value<'a>,
    pub(super) required: Option<bool>,
}

impl<'v, 'a> Translator<'v, 'a> {
    /// Does something one step deeper in the contract and some steps deeper in the result.
    pub(super) fn at<R>(&mut self, source: &str, target: &[&str], f: impl FnOnce(&mut Self) -> R) -> R {
        let lengths = (self.source.len(), self.target.len());
        push_token(&mut self.source, source);
        target.iter().for_each(|token| push_token(&mut self.target, token));
        self.origins.push((self.target.clone(), self.source.clone()));
        let result = f(self);
        self.source.truncate(lengths.0);
        self.target.truncate(lengths.1);
        result
    }

    pub(super) fn warn(&mut self, code: Code, below: &str, message: impl Into<String>, hint: Option<String>) {
        let mut pointer = self.source.clone();
        if !below.is_empty() {
            push_token(&mut pointer, below);
        }
        // What is missing has no place of its own: the name of what lacks it is the best one.
        let at = if code == Code::UntypedField { At::key(self.file, &pointer) } else { At::value(self.file, &pointer) };
        let mut diagnostic = Diagnostic::new(code, at, message);
        if diagnostic.severity == Severity::Error {
            // The rest of the contract is built all the same.
            diagnostic.severity = Severity::Warning;
        }
        diagnostic.hint = hint;
        self.diagnostics.push(diagnostic);
    }

    /// A field as it is described at the present place: by a map, or by the expression of its type alone.
    pub(super) fn field(&mut self, value: &'v Value<'a>) -> Field<'a> {
        match &value.data {
            Data::Object(members) => {
                let (made, required) = self.spec(value, members);
                Field { schema: object(made, value.span), required }
            }
            Data::String(text) => {
                let (made, required) = self.expressed(text, "", value.span);
                Field { schema: object(made, value.span), required }
            }
            Data::Array(items) => {
                let made = self.listed(items, "", value.span);
                Field { schema: object(made, value.span), required: None }
            }
            Data::Null => Field { schema: object(Vec::new(), value.span), required: None },
            Data::Bool(_) | Data::Number(_) => {
                let message = format!("a field is described by its type or by a map, not by {}", value.kind());
                self.warn(Code::WrongType, "", message, Some("write for example `type: str`".to_owned()));
                Field { schema: object(Vec::new(), value.span), required: None }
            }
        }
    }

    /// An expression that stands alone for a field, with all that it says.
    fn expressed(&mut self, text: &str, below: &str, span: Span) -> (Made<'a>, Option<bool>) {
        let Some((made, remarks)) = self.expression(text, below, span) else { return (Vec::new(), None) };
        let mut made = made;
        let shape = Shape::of(&made);
        let nothing = Remarks::default();
        let remarks = remarks.unwrap_or(nothing);
        let required = remarks.default.is_none() && !allows_null(&made);
        self.remarked(&mut made, shape, &remarks, span);
        (made, Some(required))
    }

    /// What an expression's remarks add to its schema.
    pub(super) fn remarked(&mut self, made: &mut Made<'a>, shape: Shape, remarks: &Remarks, span: Span) {
        for (value, word) in
            [(&remarks.least, "ge"), (&remarks.above, "gt"), (&remarks.most, "le"), (&remarks.below, "lt")]
        {
            if let Some(value) = value
                && let Some(keyword) = shape.bound(word)
            {
                let whole = !matches!(shape, Shape::Number);
                if !whole || value.bytes().all(|b| b.is_ascii_digit()) {
                    put(made, keyword, Data::Number(value.clone().into()), span);
                }
            }
        }
        if let Some(default) = &remarks.default {
            put(made, "default", constant(default), span);
        }
        let words: Vec<&str> =
            [&*remarks.description, &*remarks.prose].into_iter().filter(|text| !text.is_empty()).collect();
        if !words.is_empty() && !has(made, "description") {
            put(made, "description", Data::String(words.join("; ").into()), span);
        }
    }

    /// A text as a type. What cannot be read is told, and allows everything.
    fn expression(&mut self, text: &str, below: &str, span: Span) -> Option<(Made<'a>, Option<Remarks>)> {
        let read = match expression::read(text) {
            Ok(read) => read,
            Err(fault) => {
                let shown: String = text.chars().take(60).collect();
                let message = format!(
                    "`{shown}` is no type: expected {} at character {}; everything is allowed",
                    fault.expected,
                    fault.at + 1
                );
                let hint = "write a type such as `str`, `list[str]`, `dict[str, int]` or `int | null`";
                self.warn(Code::BadTypeExpression, below, message, Some(hint.to_owned()));
                return None;
            }
        };
        let shown: String = text.chars().take(80).collect();
        let hint = "put the type alone into `type`, and the rest into `description`, `default`, `minimum`, `maximum`";
        if !read.remarks.prose.is_empty()
            && let Expression::Name(name) = &read.r#type
            && !self.names.contains_key(name)
            && !types::is_known(name)
            && !types::is_class(name)
            && types::meant(name).is_none()
        {
            let message = format!("`{shown}` is prose and names no type; everything is allowed");
            self.warn(Code::ProseType, below, message, Some(hint.to_owned()));
            let description = text.trim().to_owned();
            return Some((Vec::new(), Some(Remarks { description, any: true, ..Remarks::default() })));
        }
        let made = self.typed(&read.r#type, below, span, Seat::Field);
        if !read.remarks.any {
            return Some((made, None));
        }
        if !read.remarks.prose.is_empty() {
            let understood = describe(&read.remarks);
            let name = show(&read.r#type);
            let message = format!("`{shown}` is prose; it is read as `{name}`{understood}");
            self.warn(Code::ProseType, below, message, Some(hint.to_owned()));
        }
        Some((made, Some(read.remarks)))
    }

    /// A list of names of types: one of them.
    fn listed(&mut self, items: &'v [Value<'a>], below: &str, span: Span) -> Made<'a> {
        let mut members = Vec::new();
        for item in items {
            match &item.data {
                Data::String(text) => {
                    members.push(self.expression(text, below, item.span).map_or(Vec::new(), |(made, _)| made));
                }
                Data::Null => members.push(vec![member("type", string("null"), item.span)]),
                _ => {
                    let message = format!("a list of types holds names of types, not {}", item.kind());
                    self.warn(Code::WrongType, below, message, None);
                }
            }
        }
        union(members, span)
    }

    fn typed(&mut self, expression: &Expression, below: &str, span: Span, seat: Seat) -> Made<'a> {
        match expression {
            Expression::Name(name) => self.named(name, below, span, seat),
            Expression::Ellipsis => Vec::new(),
            Expression::Literal(values) => {
                let mut made = Vec::new();
                if values.iter().all(|value| matches!(value, Constant::Text(_))) {
                    put(&mut made, "type", string("string"), span);
                }
                let values = values.iter().map(|value| Value { data: constant(value), span }).collect();
                put(&mut made, "enum", Data::Array(values), span);
                made
            }
            Expression::Union(members) => {
                let members = members.iter().map(|member| self.typed(member, below, span, seat)).collect();
                union(members, span)
            }
            Expression::Generic(name, arguments) => self.generic(name, arguments, below, span),
        }
    }

    fn generic(&mut self, name: &str, arguments: &[Expression], below: &str, span: Span) -> Made<'a> {
        match types::meaning(name) {
            Some(Meaning::List) => {
                let mut made = vec![member("type", string("array"), span)];
                let ellipsis = arguments.contains(&Expression::Ellipsis);
                let items: Vec<&Expression> = arguments.iter().filter(|a| **a != Expression::Ellipsis).collect();
                if name.eq_ignore_ascii_case("tuple") && !ellipsis {
                    let schemas = items.iter().map(|item| object(self.typed(item, below, span, Seat::Field), span));
                    let schemas: Vec<Value<'a>> = schemas.collect();
                    let count = Data::Number(schemas.len().to_string().into());
                    put(&mut made, "prefixItems", Data::Array(schemas), span);
                    put(&mut made, "items", Data::Bool(false), span);
                    put(&mut made, "minItems", count, span);
                } else if let Some(item) = items.first() {
                    let item = self.typed(item, below, span, Seat::Field);
                    if !item.is_empty() {
                        put(&mut made, "items", Data::Object(item), span);
                    }
                }
                made
            }
            Some(Meaning::Map) => {
                let mut made = vec![member("type", string("object"), span)];
                if let Some(value) = arguments.get(1) {
                    let value = self.typed(value, below, span, Seat::MapValue);
                    if !value.is_empty() {
                        put(&mut made, "additionalProperties", Data::Object(value), span);
                    }
                }
                made
            }
            Some(Meaning::Optional) => {
                let inner = arguments.first().map_or(Vec::new(), |inner| self.typed(inner, below, span, Seat::Field));
                nullable(inner, span)
            }
            Some(Meaning::Union) => {
                let members = arguments.iter().map(|member| self.typed(member, below, span, Seat::Field)).collect();
                union(members, span)
            }
            Some(Meaning::First) => {
                arguments.first().map_or(Vec::new(), |inner| self.typed(inner, below, span, Seat::Field))
            }
            None if types::is_class(name) => self.reference(name, None, span),
            Some(_) | None => {
                let message = format!("`{name}` takes no types in brackets; everything is allowed");
                self.warn(Code::BadTypeExpression, below, message, None);
                Vec::new()
            }
        }
    }

    fn named(&mut self, name: &str, below: &str, span: Span, seat: Seat) -> Made<'a> {
        // What the contract defines comes before what names usually mean.
        if self.names.contains_key(name) {
            return self.reference(name, None, span);
        }
        let Some(meaning) = types::meaning(name) else {
            if types::is_class(name) {
                return self.reference(name, None, span);
            }
            let shown: String = name.chars().take(60).collect();
            return match types::meant(name) {
                Some(meant) => {
                    let message = format!("there is no type `{shown}`; it is read as `{meant}`");
                    self.warn(Code::UnknownType, below, message, Some(format!("did you mean `{meant}`?")));
                    self.named(meant, below, span, seat)
                }
                None => {
                    let message = format!("there is no type `{shown}`; everything is allowed");
                    let hint = "the types are str, int, float, bool, list[…], dict[str, …], uuid, datetime, enum, and names of classes";
                    self.warn(Code::UnknownType, below, message, Some(hint.to_owned()));
                    Vec::new()
                }
            };
        };
        let plain = |name| vec![member("type", string(name), span)];
        match meaning {
            Meaning::Plain(name) => plain(name),
            Meaning::Format(format) => {
                let mut made = plain("string");
                put(&mut made, "format", string(format), span);
                made
            }
            Meaning::List => plain("array"),
            Meaning::Map if seat == Seat::MapValue && name == "object" => Vec::new(),
            Meaning::Map => plain("object"),
            Meaning::Null => plain("null"),
            Meaning::Any | Meaning::Enum | Meaning::Reference | Meaning::Optional | Meaning::Union | Meaning::First => {
                Vec::new()
            }
        }
    }

    /// A class by its name: one of the contract's own, or a foreign one.
    pub(super) fn reference(&mut self, name: &str, module: Option<&str>, span: Span) -> Made<'a> {
        let key = self.class(name, module, None);
        vec![member("$ref", Data::String(format!("#/$defs/{}", escaped(&key)).into()), span)]
    }

    /// The key of a class among `$defs`.
    pub(super) fn class(&mut self, name: &str, module: Option<&str>, description: Option<&str>) -> String {
        let (before, last) = match name.rsplit_once('.') {
            Some((before, last)) => (Some(before), last),
            None => (None, name),
        };
        let own = self.names.get(name).or_else(|| self.names.get(last));
        if let Some(key) = own {
            return key.clone();
        }
        let module = module.or(before).or_else(|| self.modules.get(last).map(String::as_str)).map(str::to_owned);
        let taken = |key: &str| {
            self.names.values().any(|own| own == key) || self.externals.get(key).is_some_and(|other| other.name != last)
        };
        let mut key = bare(last).to_owned();
        if taken(&key) {
            key = last.to_owned();
        }
        let external = self.externals.entry(key.clone()).or_insert_with(|| External {
            module: None,
            name: last.to_owned(),
            description: None,
        });
        external.module = external.module.take().or(module);
        if external.description.is_none() {
            external.description = description.map(str::to_owned);
        }
        key
    }

    /// A field described by a map.
    pub(super) fn spec(&mut self, value: &'v Value<'a>, members: &'v [Member<'a>]) -> (Made<'a>, Option<bool>) {
        let span = value.span;
        let word = |names: &[&'static str]| names.iter().find_map(|name| value.get(name).map(|found| (*name, found)));
        let stated = ["type", "property_type", "field_type", "data_type"]
            .iter()
            .find_map(|name| members.iter().find(|member| member.name == *name))
            .map(|member| (&*member.name, &member.value));
        let mut remarks = None;
        let mut made: Made<'a> = match stated {
            Some((name, stated)) => match &stated.data {
                Data::String(text) => match self.expression(text, name, stated.span) {
                    Some((made, said)) => {
                        remarks = said;
                        made
                    }
                    None => Vec::new(),
                },
                Data::Array(items) => self.listed(items, name, stated.span),
                Data::Null => Vec::new(),
                Data::Object(_) if stated.get("name").is_some() => {
                    let name = stated.get("name").and_then(Value::as_str).unwrap_or_default();
                    let module = stated.get("module").and_then(Value::as_str);
                    if name.is_empty() { Vec::new() } else { self.reference(name, module, stated.span) }
                }
                Data::Object(_) | Data::Bool(_) | Data::Number(_) => {
                    let message = format!("`{name}` names a type, it cannot be {}", stated.kind());
                    self.warn(Code::WrongType, name, message, None);
                    Vec::new()
                }
            },
            None => Vec::new(),
        };
        if let Some((name, target)) = word(&["$ref", "ref", "ref_path"])
            && let Some(text) = target.as_str().filter(|text| !text.is_empty())
        {
            made = match text.strip_prefix("#/definitions/").or_else(|| text.strip_prefix("#/$defs/")) {
                Some(local) if self.names.contains_key(local) => self.reference(local, None, target.span),
                Some(local) => {
                    let message = format!("`{text}` leads nowhere: there is no definition `{local}`");
                    let near = omnigen_report::nearest(local, self.names.keys().map(String::as_str), 3);
                    let hint = near.map(|near| format!("did you mean `#/definitions/{near}`?"));
                    self.warn(Code::DanglingReference, name, message, hint);
                    Vec::new()
                }
                None if text.contains(['/', '#']) => {
                    vec![member("$ref", Data::String(text.to_owned().into()), target.span)]
                }
                None => self.reference(text, None, target.span),
            };
        }
        let values = word(&["enum", "enum_values", "choices", "allowed_values"]);
        if let Some((name, list)) = values
            && !matches!(list.data, Data::Array(_) | Data::Null)
        {
            self.wrong(name, list, "a list of values");
        }
        let values = values
            .and_then(|(_, list)| if let Data::Array(items) = &list.data { Some((items, list.span)) } else { None })
            .filter(|(items, _)| !items.is_empty());
        if let Some((items, span)) = values {
            made.retain(|member| member.name != "$ref");
            if !has(&made, "type") && items.iter().all(|item| matches!(item.data, Data::String(_))) {
                put(&mut made, "type", string("string"), span);
            }
            put(&mut made, "enum", Data::Array(items.clone()), span);
        } else if let Some(class) = value.get("enum_class").and_then(Value::as_str).filter(|class| !class.is_empty()) {
            made = self.reference(class, value.get("module").and_then(Value::as_str), span);
        }
        if made.is_empty() {
            let inferred = if value.get("properties").is_some() {
                Some("object")
            } else if value.get("items").is_some() || value.get("item_type").is_some() {
                Some("array")
            } else if stated.is_some_and(|(_, stated)| stated.as_str().is_some_and(|t| t.eq_ignore_ascii_case("enum")))
            {
                Some("string")
            } else {
                None
            };
            if let Some(name) = inferred {
                put(&mut made, "type", string(name), span);
            }
        }
        let shape = Shape::of(&made);
        let mut required = None;
        let mut null = false;
        for part in members {
            self.word(part, &mut made, shape, &mut required, &mut null);
        }
        if let Some(remarks) = &remarks {
            if remarks.default.is_some() && required.is_none() {
                required = Some(false);
            }
            self.remarked(&mut made, shape, remarks, span);
        }
        self.inside(value, members, &mut made, shape, span);
        // A field whose default is null may be null, whatever its type says.
        let null_default = made.iter().any(|m| m.name == "default" && matches!(m.value.data, Data::Null));
        if null || null_default {
            made = nullable(made, span);
        }
        if has(&made, "default") {
            // What has a default may be left out.
            required = Some(false);
        }
        (made, required)
    }

    /// What holds inside of lists, maps and objects, and combinations of schemas.
    fn inside(
        &mut self,
        value: &'v Value<'a>,
        members: &'v [Member<'a>],
        made: &mut Made<'a>,
        shape: Shape,
        span: Span,
    ) {
        if matches!(shape, Shape::List | Shape::Other) && !has(made, "items") {
            for name in ["items", "item_type", "items_type"] {
                if let Some(items) = value.get(name) {
                    let schema = self.at(name, &["items"], |inner| inner.field(items).schema);
                    put(made, "items", schema.data, items.span);
                    break;
                }
            }
        }
        if matches!(shape, Shape::Map | Shape::Other) {
            for name in ["value_type", "additionalProperties", "additional_properties"] {
                let Some(inner) = value.get(name).filter(|_| !has(made, "additionalProperties")) else { continue };
                let data = match &inner.data {
                    Data::Bool(flag) => Data::Bool(*flag),
                    // `value_type: object` stands for anything, as in `dict[str, object]`.
                    Data::String(text) if text == "object" && name == "value_type" => continue,
                    _ => self.at(name, &["additionalProperties"], |deeper| deeper.field(inner).schema.data),
                };
                if !matches!(&data, Data::Object(members) if members.is_empty()) {
                    put(made, "additionalProperties", data, inner.span);
                }
            }
            if value.get("extra").and_then(Value::as_str) == Some("forbid") {
                made.retain(|member| member.name != "additionalProperties");
                put(made, "additionalProperties", Data::Bool(false), span);
            }
        }
        if matches!(value.get("frozen"), Some(Value { data: Data::Bool(true), .. })) {
            self.frozen.push(self.target.clone());
        }
        if let Some(properties) = value.get("properties") {
            match &properties.data {
                Data::Object(fields) => {
                    let names = value.get("required");
                    let (fields, required) = self.at("properties", &[], |inner| inner.fields(fields));
                    put(made, "properties", Data::Object(fields), properties.span);
                    let required = self.required(required, names, made, Some(properties));
                    put_required(made, required, span);
                }
                Data::Null => {}
                _ => self.wrong("properties", properties, "a map of fields"),
            }
        } else if let Some(Data::Array(_)) = value.get("required").map(|names| &names.data) {
            let required = self.required(Vec::new(), value.get("required"), made, None);
            put_required(made, required, span);
        }
        for part in members {
            let (name, value) = (&*part.name, &part.value);
            match (name, &value.data) {
                ("allOf" | "anyOf" | "oneOf", Data::Array(items)) => {
                    let mut list = Vec::with_capacity(items.len());
                    for (index, item) in items.iter().enumerate() {
                        let mut token = String::new();
                        push_index(&mut token, index);
                        let lengths = (self.source.len(), self.target.len());
                        push_token(&mut self.source, name);
                        push_token(&mut self.target, name);
                        list.push(self.at(&token[1..], &[&token[1..]], |inner| inner.field(item).schema));
                        self.source.truncate(lengths.0);
                        self.target.truncate(lengths.1);
                    }
                    put(made, name, Data::Array(list), value.span);
                }
                ("not" | "if" | "then" | "else" | "contains" | "propertyNames", Data::Object(_)) => {
                    let schema = self.at(name, &[name], |inner| inner.field(value).schema);
                    put(made, name, schema.data, value.span);
                }
                ("patternProperties" | "dependentSchemas", Data::Object(fields)) => {
                    let (fields, _) = self.at(name, &[], |inner| inner.fields_under(name, fields));
                    put(made, name, Data::Object(fields), value.span);
                }
                _ => {}
            }
        }
    }

    /// Names that must be there: those of a list and those of the fields that say so; not those with a default.
    fn required(
        &mut self,
        mut own: Vec<String>,
        stated: Option<&'v Value<'a>>,
        made: &Made<'a>,
        fields: Option<&'v Value<'a>>,
    ) -> Vec<String> {
        let Some(Data::Array(items)) = stated.map(|stated| &stated.data) else { return own };
        let empty: &[Member<'a>] = &[];
        let properties = made.iter().find(|m| m.name == "properties").and_then(|m| m.value.members()).unwrap_or(empty);
        for (index, item) in items.iter().enumerate() {
            let Some(name) = item.as_str() else {
                let message = format!("`required` lists names of fields, not {}", item.kind());
                self.at("required", &[], |inner| inner.warn(Code::WrongType, &index.to_string(), message, None));
                continue;
            };
            let field = properties.iter().find(|member| member.name == name);
            // A factory's values cannot be written down, and need not be in a document all the same.
            let made = fields.and_then(|fields| fields.get(name)?.get("default_factory")).is_some();
            let defaulted = made || field.is_some_and(|member| member.value.get("default").is_some());
            if !defaulted && !own.iter().any(|known| known == name) {
                own.push(name.to_owned());
            }
        }
        own
    }

    /// Fields by name, as `properties`; and the names of those that say that they must be there.
    pub(super) fn fields(&mut self, members: &'v [Member<'a>]) -> (Made<'a>, Vec<String>) {
        self.fields_under("properties", members)
    }

    fn fields_under(&mut self, keyword: &str, members: &'v [Member<'a>]) -> (Made<'a>, Vec<String>) {
        let mut fields = Vec::with_capacity(members.len());
        let mut required = Vec::new();
        for part in members {
            let field = self.at(&part.name, &[keyword, &part.name], |inner| inner.field(&part.value));
            // An expression alone says nothing about that.
            if field.required == Some(true) && part.value.members().is_some() {
                required.push(part.name.to_string());
            }
            fields.push(Member { name: part.name.clone(), key: part.key, value: field.schema });
        }
        (fields, required)
    }

    /// Fields as operations and messages list them: names, one-key maps, or maps with a `name`. Which of them are without a
    /// type is told by the caller. Typed fields that are not null by default must be there.
    pub(super) fn list(&mut self, items: &'v [Value<'a>], all_required: bool) -> Listed<'a> {
        let mut listed = Listed { fields: Vec::new(), required: Vec::new(), untyped: 0 };
        for (index, item) in items.iter().enumerate() {
            let mut token = String::new();
            push_index(&mut token, index);
            let token = &token[1..];
            let (name, key, field) = match &item.data {
                Data::String(text) => match text.split_once(": ") {
                    Some((name, r#type)) => {
                        let name: Cow<'a, str> = name.trim().to_owned().into();
                        let field = self.at(token, &["properties", &name], |inner| {
                            let (made, required) = inner.expressed(r#type.trim(), "", item.span);
                            Field { schema: object(made, item.span), required }
                        });
                        (name, item.span, field)
                    }
                    None => {
                        listed.untyped += 1;
                        let field = self.at(token, &["properties", text], |_| Field {
                            schema: object(Vec::new(), item.span),
                            required: None,
                        });
                        (text.clone(), item.span, field)
                    }
                },
                Data::Object(members) => match members.as_slice() {
                    [one] if !(one.name == "name" && one.value.as_str().is_some_and(|t| !types::is_known(t))) => {
                        let field = self.at(token, &[], |inner| {
                            inner.at(&one.name, &["properties", &one.name], |inner| inner.field(&one.value))
                        });
                        (one.name.clone(), one.key, field)
                    }
                    members => {
                        let named = members.iter().find(|m| matches!(&*m.name, "name" | "field" | "field_name"));
                        let Some(name) = named.and_then(|member| match &member.value.data {
                            Data::String(text) => Some(text.clone()),
                            _ => None,
                        }) else {
                            let message = "a field in a list needs a `name`";
                            self.at(token, &[], |inner| inner.warn(Code::WrongType, "", message, None));
                            continue;
                        };
                        let field = self.at(token, &["properties", &name], |inner| inner.field(item));
                        if item.get("type").is_none() && field.schema.get("type").is_none() {
                            listed.untyped += 1;
                        }
                        (name, item.span, field)
                    }
                },
                _ => {
                    let message = format!("a field is a name, `name: type` or a map, not {}", item.kind());
                    self.at(token, &[], |inner| inner.warn(Code::WrongType, "", message, None));
                    continue;
                }
            };
            if listed.fields.iter().any(|known: &Member<'a>| known.name == name) {
                let message = format!("the field `{name}` is listed twice; the first one counts");
                self.at(token, &[], |inner| inner.warn(Code::DuplicateKey, "", message, None));
                continue;
            }
            let typed = !matches!(&field.schema.data, Data::Object(members) if members.is_empty());
            if (field.required == Some(true) && typed) || (all_required && field.required != Some(false)) {
                listed.required.push(name.to_string());
            }
            listed.fields.push(Member { name, key, value: field.schema });
        }
        listed
    }
}

/// Fields of a list.
pub(super) struct Listed<'a> {
    pub(super) fields: Made<'a>,
    pub(super) required: Vec<String>,
    /// How many say nothing about their type.
    pub(super) untyped: usize,
}
