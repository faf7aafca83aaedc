//! What operations take and give: parameters, request bodies, responses.

use std::collections::HashMap;

use omnigen_ir::{Node, Notes, ObjectRules, Pointer, Property, RefTarget, Reference, Schema, TypeSet};
use omnigen_report::{At, Code, Diagnostic, Severity, nearest};

use super::known::Kind;
use super::rewrite::moved;
use super::{Document, components, named};
use crate::value::{Data, Member, Value, push_index, push_token};

/// The methods of a path item (3.1.0, section 4.8.9).
pub(super) const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/// Where parameters stand, in the order in which a model has them.
const PLACES: [&str; 4] = ["path", "query", "header", "cookie"];

/// What kind of data a body is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Media {
    Json,
    /// Names and values, as forms send them.
    Form,
    Text,
    Other,
}

fn media(name: &str) -> Media {
    let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match name.as_str() {
        "application/json" | "*/*" | "application/*" | "text/json" => Media::Json,
        "application/x-www-form-urlencoded" | "multipart/form-data" | "multipart/mixed" => Media::Form,
        name if name.ends_with("+json") || name.ends_with("-json") || name.ends_with("/json") => Media::Json,
        name if name.starts_with("text/") => Media::Text,
        _ => Media::Other,
    }
}

/// The folders of path items, with what is in them: paths, webhooks, and the components that are path items or hold some.
fn path_items<'v, 'a>(root: &'v Value<'a>) -> Vec<(String, &'v [Member<'a>])> {
    let section = |name: &str| root.get(name).and_then(Value::members).unwrap_or(&[]);
    let mut folders = vec![
        ("/paths".to_owned(), section("paths")),
        ("/webhooks".to_owned(), section("webhooks")),
        ("/components/pathItems".to_owned(), components(root, "pathItems")),
    ];
    for callback in components(root, "callbacks") {
        let mut folder = "/components/callbacks".to_owned();
        push_token(&mut folder, &callback.name);
        folders.push((folder, callback.value.members().unwrap_or(&[])));
    }
    folders
}

/// The operations that have a name: pointer, and the pointer with the name noted.
pub(super) fn names(root: &Value<'_>) -> HashMap<String, String> {
    let mut names = HashMap::new();
    for (folder, items) in path_items(root) {
        for item in items {
            for method in METHODS {
                let Some(operation) = item.value.get(method) else { continue };
                let note = named(operation);
                if !note.is_empty() {
                    let mut pointer = folder.clone();
                    push_token(&mut pointer, &item.name);
                    push_token(&mut pointer, method);
                    let noted = format!("{pointer}{note}");
                    names.insert(pointer, noted);
                }
            }
        }
    }
    names
}

/// A parameter of an operation.
struct Parameter {
    name: Box<str>,
    place: usize,
    required: bool,
    schema: Schema,
}

impl<'v, 'a> Document<'v, 'a> {
    /// Everything beside `components.schemas`.
    pub(super) fn operations(&mut self) {
        let root = self.lowerer.root;
        for member in components(root, "parameters") {
            let mut at = "/components/parameters".to_owned();
            push_token(&mut at, &member.name);
            if let Some((at, value)) = self.parameter_schema(&at, &member.value) {
                self.export(at, value);
            }
        }
        for member in components(root, "headers") {
            let mut at = "/components/headers".to_owned();
            push_token(&mut at, &member.name);
            if let Some((at, value)) = self.parameter_schema(&at, &member.value) {
                self.export(at, value);
            }
        }
        for (section, what) in [("requestBodies", "a request body"), ("responses", "a response")] {
            for member in components(root, section) {
                let mut at = format!("/components/{section}");
                push_token(&mut at, &member.name);
                self.body(&at, &member.value, what);
            }
        }
        for (folder, items) in path_items(root) {
            for item in items.iter().filter(|item| !item.name.starts_with("x-") && item.name != "$ref") {
                let mut at = folder.clone();
                push_token(&mut at, &item.name);
                self.path_item(&at, &item.value);
            }
        }
    }

    fn path_item(&mut self, at: &str, value: &'v Value<'a>) {
        if value.members().is_none() {
            let message = format!("a path item must be an object, not {}", value.kind());
            return self.lowerer.push(Diagnostic::new(Code::WrongType, At::value(&self.lowerer.file, at), message));
        }
        if value.get("$ref").is_some() {
            // One of this document has its types where it stands; others are told.
            let _ = self.resolved(at, value, "a path item");
        }
        self.strangers(at, value, Kind::PathItem);
        for method in METHODS {
            let Some(operation) = value.get(method) else { continue };
            let at = format!("{at}/{method}{}", named(operation));
            if operation.members().is_none() {
                let message = format!("an operation must be an object, not {}", operation.kind());
                let place = At::value(&self.lowerer.file, &at);
                self.lowerer.push(Diagnostic::new(Code::WrongType, place, message));
                continue;
            }
            self.strangers(&at, operation, Kind::Operation);
            self.operation(&at, operation, value);
        }
    }

    fn operation(&mut self, at: &str, operation: &'v Value<'a>, item: &'v Value<'a>) {
        self.parameters(at, operation, item);
        if let Some(body) = operation.get("requestBody") {
            self.body(&format!("{at}/requestBody"), body, "a request body");
        }
        for response in operation.get("responses").and_then(Value::members).unwrap_or(&[]) {
            if !response.name.starts_with("x-") {
                let mut at = format!("{at}/responses");
                push_token(&mut at, &response.name);
                self.status(&at, &response.name);
                self.body(&at, &response.value, "a response");
            }
        }
        for callback in operation.get("callbacks").and_then(Value::members).unwrap_or(&[]) {
            let mut at = format!("{at}/callbacks");
            push_token(&mut at, &callback.name);
            if callback.value.get("$ref").is_some() {
                // One of this document has its types where it stands; others are told.
                let _ = self.resolved(&at, &callback.value, "a callback");
                continue;
            }
            for item in callback.value.members().unwrap_or(&[]) {
                if !item.name.starts_with("x-") {
                    let mut at = at.clone();
                    push_token(&mut at, &item.name);
                    self.path_item(&at, &item.value);
                }
            }
        }
    }

    /// A request body or response: a type for each kind of content.
    fn body(&mut self, at: &str, value: &'v Value<'a>, what: &str) {
        let Some((real, value)) = self.resolved(at, value, what) else { return };
        if value.members().is_none() {
            let message = format!("{what} must be an object, not {}", value.kind());
            let found = Diagnostic::new(Code::WrongType, At::value(&self.lowerer.file, &real), message);
            return self.lowerer.push(found.hint("write `{description: …, content: {application/json: {schema: …}}}`"));
        }
        if real == at {
            self.strangers(&real, value, if what == "a response" { Kind::Response } else { Kind::RequestBody });
        }
        if let Some(headers) = value.get("headers").and_then(Value::members) {
            if real == at {
                self.headers(&format!("{at}/headers"), headers);
            } else if headers.iter().any(has_type) {
                self.forward(&format!("{at}/headers"), &format!("{real}/headers"));
            }
        }
        let Some(content) = value.get("content") else { return };
        let Some(list) = content.members() else {
            let place = At::value(&self.lowerer.file, &format!("{real}/content"));
            let message = format!("`content` must be an object, not {}", content.kind());
            return self.lowerer.push(Diagnostic::new(Code::WrongType, place, message));
        };
        let json =
            list.iter().find(|member| media(&member.name) == Media::Json && member.value.get("schema").is_some());
        for member in list {
            if real == at {
                let mut at = format!("{real}/content");
                push_token(&mut at, &member.name);
                self.strangers(&at, &member.value, Kind::Media);
                if member.value.get("encoding").is_some() {
                    let text = "`encoding` is not carried over: the types are those of the decoded parts";
                    self.tell("encoding", &format!("{at}/encoding"), text);
                }
            }
            let Some(schema) = member.value.get("schema") else { continue };
            let inner = |at: &str| {
                let mut at = format!("{at}/content");
                push_token(&mut at, &member.name);
                push_token(&mut at, "schema");
                at
            };
            // The same data in another dress needs no other type.
            let same = json.is_some_and(|json| {
                !std::ptr::eq(json, member) && json.value.get("schema").is_some_and(|own| own.json() == schema.json())
            });
            if same {
                continue;
            }
            if media(&member.name) == Media::Other {
                let text = "bodies that are neither JSON, form nor text get no types";
                self.tell("content", &inner(&real), text);
                continue;
            }
            if real == at {
                self.export(inner(at), schema);
            } else {
                self.forward(&inner(at), &inner(&real));
            }
        }
    }

    /// The key of a response: a status, a range of them, or all others (3.1.0, section 4.8.16).
    fn status(&mut self, at: &str, name: &str) {
        let digits = |rest: &[u8]| rest.iter().all(u8::is_ascii_digit) || matches!(rest, [b'x' | b'X', b'x' | b'X']);
        let right = match name.as_bytes() {
            b"default" => true,
            [b'1'..=b'5', rest @ ..] => rest.len() == 2 && digits(rest),
            _ => false,
        };
        if !right {
            let message = format!("`{name}` is no status of a response; its types are made all the same");
            let mut found = Diagnostic::new(Code::WrongType, At::key(&self.lowerer.file, at), message);
            found.severity = Severity::Warning;
            self.lowerer.push(found.hint("expected a status such as `200`, a range such as `4XX`, or `default`"));
        }
    }

    /// A type that is nothing but another one of this document.
    fn forward(&mut self, at: &str, target: &str) {
        let node = Node { reference: Some(Box::new(here(target))), ..Node::new(at) };
        self.exported.push(node.at.clone());
        self.lowerer.definitions.push((node.at.clone(), Schema::Node(Box::new(node))));
    }

    /// One model of the headers of a response. Their names are as the document spells them: on the wire case does not count.
    fn headers(&mut self, at: &str, list: &'v [Member<'a>]) {
        if !list.iter().any(has_type) {
            return;
        }
        let mut rules = ObjectRules::default();
        for header in list.iter().filter(|header| has_type(header)) {
            let mut from = at.to_owned();
            push_token(&mut from, &header.name);
            let Some((real, value)) = self.resolved(&from, &header.value, "a header") else { continue };
            if real == from {
                self.strangers(&real, value, Kind::Header);
            }
            let mut property = format!("{at}/properties");
            push_token(&mut property, &header.name);
            let schema = self.described(&real, value);
            let from = schema.node().map_or("", |node| &*node.at).to_owned();
            let schema = moved(schema, &from, &property);
            if matches!(value.get("required").map(|value| &value.data), Some(Data::Bool(true))) {
                rules.required.push(header.name.as_ref().into());
            }
            rules.properties.push(Property { name: header.name.as_ref().into(), schema });
        }
        let node = Node { types: Some(TypeSet::OBJECT), object: Some(Box::new(rules)), ..Node::new(at) };
        self.exported.push(node.at.clone());
        self.lowerer.definitions.push((node.at.clone(), Schema::Node(Box::new(node))));
    }

    /// The schema of a parameter: its own, or that of its content.
    fn parameter_schema(&mut self, at: &str, value: &'v Value<'a>) -> Option<(String, &'v Value<'a>)> {
        if let Some(schema) = value.get("schema") {
            return Some((format!("{at}/schema"), schema));
        }
        let list = value.get("content")?.members()?;
        let member = list.iter().find(|member| media(&member.name) == Media::Json).or(list.first())?;
        let schema = member.value.get("schema")?;
        let mut at = format!("{at}/content");
        push_token(&mut at, &member.name);
        push_token(&mut at, "schema");
        Some((at, schema))
    }

    /// One model of all parameters, with a part for each place in which they stand.
    fn parameters(&mut self, at: &str, operation: &'v Value<'a>, item: &'v Value<'a>) {
        // Those of the operation stand for those of the path with the same name and place (3.1.0, section 4.8.10).
        let mut list: Vec<Parameter> = Vec::new();
        let folder = at.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (at, owner) in [(folder, item), (at, operation)] {
            let Some(value) = owner.get("parameters") else { continue };
            let Data::Array(items) = &value.data else {
                let place = At::value(&self.lowerer.file, &format!("{at}/parameters"));
                let message = format!("`parameters` must be an array, not {}", value.kind());
                self.lowerer.push(Diagnostic::new(Code::WrongType, place, message));
                continue;
            };
            for (index, value) in items.iter().enumerate() {
                let mut at = format!("{at}/parameters");
                push_index(&mut at, index);
                if let Some(parameter) = self.parameter(&at, value) {
                    list.retain(|other| other.name != parameter.name || other.place != parameter.place);
                    list.push(parameter);
                }
            }
        }
        if list.is_empty() {
            return;
        }
        let at = format!("{at}/parameters");
        let mut rules = ObjectRules::default();
        for (place, name) in PLACES.into_iter().enumerate() {
            let at = format!("{at}/properties/{name}");
            let mut inner = ObjectRules::default();
            for parameter in list.iter_mut().filter(|parameter| parameter.place == place) {
                let mut property = format!("{at}/properties");
                push_token(&mut property, &parameter.name);
                let from = parameter.schema.node().map_or("", |node| &*node.at).to_owned();
                let schema = std::mem::replace(&mut parameter.schema, Schema::Bool(true));
                inner
                    .properties
                    .push(Property { name: parameter.name.clone(), schema: moved(schema, &from, &property) });
                if parameter.required {
                    inner.required.push(parameter.name.clone());
                }
            }
            if inner.properties.is_empty() {
                continue;
            }
            if !inner.required.is_empty() {
                rules.required.push(name.into());
            }
            let node = Node { types: Some(TypeSet::OBJECT), object: Some(Box::new(inner)), ..Node::new(&at) };
            rules.properties.push(Property { name: name.into(), schema: Schema::Node(Box::new(node)) });
        }
        let notes = operation.get("summary").and_then(Value::as_str).map(|text| {
            let description = Some(format!("Parameters: {text}").into());
            Box::new(Notes { description, ..Notes::default() })
        });
        let node = Node { types: Some(TypeSet::OBJECT), object: Some(Box::new(rules)), notes, ..Node::new(&at) };
        self.exported.push(node.at.clone());
        self.lowerer.definitions.push((node.at.clone(), Schema::Node(Box::new(node))));
    }

    fn parameter(&mut self, at: &str, value: &'v Value<'a>) -> Option<Parameter> {
        let (real, value) = self.resolved(at, value, "a parameter")?;
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let (name, place) = (text("name").unwrap_or_default(), text("in").unwrap_or_default());
        if place.is_empty() || (name.is_empty() && PLACES.contains(&place)) {
            let at = At::value(&self.lowerer.file, &real);
            let message = "a parameter must have `name` and `in`; this one is left out";
            let mut diagnostic = Diagnostic::new(Code::WrongType, at, message);
            diagnostic.severity = Severity::Warning;
            self.lowerer.push(diagnostic.hint("for example `{name: limit, in: query, schema: {type: integer}}`"));
            return None;
        }
        let Some(index) = PLACES.iter().position(|known| *known == place) else {
            let at = At::value(&self.lowerer.file, &format!("{real}/in"));
            let message = format!("there are no parameters in `{place}`");
            let hint = match nearest(place, PLACES.into_iter(), 2) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("parameters are in {}", PLACES.join(", ")),
            };
            self.lowerer.push(Diagnostic::new(Code::NotCarried, at, message).hint(hint));
            return None;
        };
        if real == at {
            self.strangers(&real, value, Kind::Parameter);
        }
        self.parameter_words(&real, value);
        for (what, message) in [
            ("style", "`style` of parameters is not carried over: the types are those of the decoded values"),
            ("explode", "`explode` of parameters is not carried over: the types are those of the decoded values"),
        ] {
            if value.get(what).is_some() {
                self.tell(what, &format!("{real}/{what}"), message);
            }
        }
        let schema = self.described(&real, value);
        let required =
            place == "path" || matches!(value.get("required").map(|value| &value.data), Some(Data::Bool(true)));
        Some(Parameter { name: name.into(), place: index, required, schema })
    }

    /// Reports what a parameter says in the wrong words.
    fn parameter_words(&mut self, at: &str, value: &Value<'_>) {
        if let Some(required) = value.get("required")
            && !matches!(required.data, Data::Bool(_))
        {
            let message = format!("`required` must be a boolean, not {}; it is left out", required.kind());
            let place = At::value(&self.lowerer.file, &format!("{at}/required"));
            let mut found = Diagnostic::new(Code::WrongType, place, message);
            found.severity = Severity::Warning;
            self.lowerer.push(found.hint("write true or false, without quotes"));
        }
        if value.get("schema").is_none() && value.get("content").is_none() {
            let message = "this parameter has no `schema` and no `content`: everything is allowed";
            let place = At::value(&self.lowerer.file, &format!("{at}/name"));
            let found = Diagnostic::new(Code::UntypedField, place, message);
            self.lowerer.push(found.hint("add for example `schema: {type: string}`"));
        }
    }

    /// The schema of a parameter or header, with what is said about it.
    fn described(&mut self, real: &str, value: &'v Value<'a>) -> Schema {
        let mut schema = match self.parameter_schema(real, value) {
            None => Schema::Bool(true),
            Some((at, _)) if at.starts_with("/components/parameters/") || at.starts_with("/components/headers/") => {
                Schema::Node(Box::new(Node { reference: Some(Box::new(here(&at))), ..Node::new(&at) }))
            }
            Some((at, value)) => match self.shared.get(&at) {
                Some(schema) => schema.clone(),
                None => {
                    self.lowerer.path.clone_from(&at);
                    let schema = self.lowerer.schema(value);
                    self.lowerer.path.clear();
                    self.shared.insert(at, schema.clone());
                    schema
                }
            },
        };
        let description = value.get("description").and_then(Value::as_str);
        let deprecated = matches!(value.get("deprecated").map(|value| &value.data), Some(Data::Bool(true)));
        if description.is_some() || deprecated {
            if let Schema::Bool(true) = schema {
                schema = Schema::Node(Box::new(Node::new(real)));
            }
            if let Schema::Node(node) = &mut schema {
                let notes = node.notes.get_or_insert_default();
                // What is said about the parameter is nearer than what its type says of itself.
                notes.description = description.map(Into::into).or(notes.description.take());
                notes.deprecated |= deprecated;
            }
        }
        schema
    }
}

/// Has a response such a header? `Content-Type` is said elsewhere (3.1.0, section 4.8.17).
fn has_type(header: &Member<'_>) -> bool {
    !header.name.eq_ignore_ascii_case("content-type")
}

/// A reference within the document.
pub(super) fn here(pointer: &str) -> Reference {
    let target: Pointer = pointer.into();
    Reference { text: format!("#{pointer}").into(), target: RefTarget::Here(target), dynamic: None }
}
