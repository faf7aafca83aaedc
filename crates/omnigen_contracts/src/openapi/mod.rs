//! OpenAPI 3.0 and 3.1: a document's components and operations as the same declarations that JSON Schema gives.
//!
//! The schemas are lowered by `json_schema`; what the specification adds is done to the result, in this order: null where
//! `nullable` says so, the tags that `discriminator` gives to schemas, then the forms that are sent and received. Knows one
//! document, with the parts of others that it takes in (`elsewhere.rs`). Such a document is no schema itself: it has no root.

mod discriminator;
pub(crate) mod elsewhere;
mod forms;
mod known;
mod operations;
mod rewrite;

use std::collections::HashMap;
use std::sync::Arc;

use omnigen_ir::naming::{OPERATION, WRITE, plain_pointer};
use omnigen_ir::{Forms, Json, Logic, Node, Pointer, Reach, RefTarget, Schema, TypeSet};
use omnigen_report::{At, Code, Diagnostic, Severity};

use crate::Declarations;
use crate::json_schema::{Dialect, Draft, LocalReference, Lowerer, Resources, loops};
use crate::value::{Data, Member, Value, push_token};

/// Which OpenAPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// Schemas are a dialect of their own (3.0.3, section 4.7.24).
    V30,
    /// Schemas are JSON Schema 2020-12 (3.1.0, section 4.8.24).
    V31,
}

/// The version of a document that has `openapi` or `swagger`, with what is to be said about it, or why it cannot be read.
/// `None`: it has neither.
pub(crate) fn recognise(
    file: &Arc<str>,
    root: &Value<'_>,
) -> Option<Result<(Version, Option<Diagnostic>), Diagnostic>> {
    if let Some(stated) = root.get("openapi") {
        let at = At::value(file, "/openapi");
        let text = match &stated.data {
            Data::String(text) | Data::Number(text) => text.as_ref(),
            _ => {
                let message = format!("`openapi` must be a version such as \"3.1.0\", not {}", stated.kind());
                return Some(Err(Diagnostic::new(Code::WrongType, at, message)));
            }
        };
        let mut parts = text.split('.');
        return Some(match (parts.next(), parts.next()) {
            (Some("3"), Some("0")) => Ok((Version::V30, None)),
            (Some("3"), Some("1")) => Ok((Version::V31, None)),
            (Some("3"), _) => {
                let message = format!("OpenAPI {text} is not known; the file is read as OpenAPI 3.1");
                Ok((Version::V31, Some(Diagnostic::new(Code::UnknownDialect, at, message))))
            }
            _ => {
                let message = format!("OpenAPI {text} is not supported");
                Err(Diagnostic::new(Code::NotAContract, at, message).hint("OpenAPI 3.0 and 3.1 are"))
            }
        });
    }
    let swagger = root.get("swagger")?;
    let version = swagger.as_str().unwrap_or("2.0");
    let message = format!("this is a Swagger {version} document; OpenAPI is read from version 3.0 on");
    let hint = "convert it, for example with `swagger2openapi`, and keep the converted file as the contract";
    Some(Err(Diagnostic::new(Code::NotAContract, At::key(file, "/swagger"), message).hint(hint)))
}

/// Is the document a description of an API that can be read?
pub(crate) fn is_one(file: &Arc<str>, root: &Value<'_>) -> bool {
    root.get("$schema").is_none() && matches!(recognise(file, root), Some(Ok(_)))
}

/// Does the document look like a part of such a description, or like a folder of parts?
pub(crate) fn is_part(root: &Value<'_>) -> bool {
    let map = |value: &Value<'_>, name: &str| value.get(name).is_some_and(|value| value.members().is_some());
    let text = |value: &Value<'_>, name: &str| value.get(name).is_some_and(|value| value.as_str().is_some());
    let part = |value: &Value<'_>| {
        let methods = operations::METHODS.iter().filter_map(|method| value.get(method));
        let parameter = text(value, "name") && text(value, "in") && (map(value, "schema") || map(value, "content"));
        let content = value.get("content").and_then(Value::members).unwrap_or(&[]);
        let body = content.iter().any(|member| member.name.contains('/') && member.value.members().is_some());
        parameter || body || methods.into_iter().any(|operation| map(operation, "responses"))
    };
    // A schema has its parts below keywords of its own.
    if ["type", "properties", "$defs", "definitions", "allOf", "anyOf", "oneOf", "$ref"]
        .iter()
        .any(|&k| root.get(k).is_some())
    {
        return false;
    }
    let folder =
        |value: &Value<'_>| value.members().is_some_and(|members| members.iter().any(|inner| part(&inner.value)));
    part(root) || folder(root) || root.members().is_some_and(|members| members.iter().any(|inner| folder(&inner.value)))
}

/// What is gathered about the schemas of an API document while they are lowered.
#[derive(Debug)]
pub(crate) struct Api<'v, 'a> {
    version: Version,
    /// Schemas with `discriminator`.
    discriminators: Vec<(Pointer, &'v Value<'a>)>,
    /// Real pointers of operations that have a name of their own, and the pointers with it.
    operations: HashMap<String, String>,
}

impl<'v, 'a> Api<'v, 'a> {
    /// Called with every schema object when its keywords have been read.
    pub(crate) fn finish(
        &mut self,
        node: &mut Node,
        value: &'v Value<'a>,
        diagnostics: &mut Vec<Diagnostic>,
        file: &Arc<str>,
    ) {
        if self.version == Version::V30 && node.types.is_none() && node.reference.is_none() {
            // By the letter such a schema allows every other type of data as well; nobody means that.
            if node.object.as_deref().is_some_and(|object| !object.properties.is_empty()) {
                node.types = Some(TypeSet::OBJECT);
            } else if node.array.as_deref().is_some_and(|array| array.items.is_some()) {
                node.types = Some(TypeSet::ARRAY);
            }
        }
        if let Some(discriminator) = value.get("discriminator") {
            self.discriminators.push((node.at.clone(), discriminator));
        }
        if let Some(nullable) = value.get("nullable") {
            let at = At::key(file, &format!("{}/nullable", node.at));
            match (&nullable.data, self.version) {
                (Data::Bool(true), Version::V30) => {
                    if node.reference.is_some() {
                        let message = "in OpenAPI 3.0 nothing counts beside `$ref`; `nullable` is taken as it is meant";
                        let mut diagnostic = Diagnostic::new(Code::IgnoredKeyword, at, message);
                        diagnostic.severity = Severity::Note;
                        diagnostics.push(diagnostic.hint("put the reference into `allOf`"));
                    }
                    nullable_too(node);
                }
                (Data::Bool(false), _) => {}
                (Data::Bool(true), Version::V31) => {
                    let message = "OpenAPI 3.1 has no `nullable`; it asserts nothing";
                    let diagnostic = Diagnostic::new(Code::IgnoredKeyword, at, message);
                    diagnostics.push(diagnostic.hint("add \"null\" to `type`"));
                }
                _ => {
                    let message = format!("`nullable` must be a boolean, not {}", nullable.kind());
                    let found = Diagnostic::new(Code::WrongType, at, message);
                    diagnostics.push(found.hint("write `true` or `false`, without quotes"));
                }
            }
        }
    }

    /// The pointer with the names of operations in it.
    pub(crate) fn noted(&self, pointer: &str) -> Option<String> {
        let mut end = pointer.len();
        while end > 0 {
            if let Some(noted) = self.operations.get(&pointer[..end]) {
                return Some(format!("{noted}{}", &pointer[end..]));
            }
            end = pointer[..end].rfind('/').unwrap_or(0);
        }
        None
    }
}

/// Allows null beside what a schema says. By the letter (3.0.3, section 4.7.24.1) `nullable` only adds to a `type` beside it
/// and does not reach into `enum`; everybody who writes it beside `allOf` or `enum` means that null is allowed.
fn nullable_too(node: &mut Node) {
    if let Some(types) = &mut node.types {
        *types = types.or(TypeSet::NULL);
    }
    if let Some(values) = &mut node.enumeration
        && !values.contains(&Json::Null)
    {
        values.push(Json::Null);
    }
    let combined = node.logic.as_deref().is_some_and(|logic| {
        !(logic.all_of.is_empty() && logic.any_of.is_empty() && logic.one_of.is_empty()) || logic.not.is_some()
    });
    if combined || node.reference.is_some() {
        // The inner schema keeps the place: it is never a class by itself, since a combination is named by where it is used.
        let mut inner = std::mem::replace(node, Node::new(&node.at));
        node.notes = inner.notes.take();
        let null = Node { at: format!("{}/nullable", node.at).into(), types: Some(TypeSet::NULL), ..Node::default() };
        let any_of = vec![Schema::Node(Box::new(inner)), Schema::Node(Box::new(null))];
        node.logic = Some(Box::new(Logic { any_of, ..Logic::default() }));
    }
}

/// Makes declarations of a document.
pub(crate) fn lower(
    file: &Arc<str>,
    root: &Value<'_>,
    version: Version,
    mut diagnostics: Vec<Diagnostic>,
) -> Declarations {
    let dialect = dialect(file, root, version, &mut diagnostics);
    let mut resources = Resources::new(&Value { data: Data::Null, span: root.span }, file, dialect);
    if version == Version::V31 {
        for member in components(root, "schemas") {
            let mut pointer = "/components/schemas".to_owned();
            push_token(&mut pointer, &member.name);
            resources.add(&member.value, &pointer);
        }
    }
    let mut lowerer = Lowerer::new(file, root, &resources, dialect, diagnostics);
    let operations = operations::names(root);
    lowerer.api = Some(Api { version, discriminators: Vec::new(), operations });
    let mut document = Document { lowerer, exported: Vec::new(), shared: HashMap::new(), told: Vec::new() };
    document.sections();
    document.schemas();
    document.operations();
    let Document { mut lowerer, mut exported, .. } = document;
    let mut declarations = Declarations {
        root: Schema::Bool(true),
        exported: vec!["/".into()],
        definitions: std::mem::take(&mut lowerer.definitions),
        ids: resources.ids.clone(),
        anchors: resources.anchors(),
        scopes: resources.scopes(),
        reach: Reach::default(),
        metaschema: None,
        vocabulary: None,
        diagnostics: Vec::new(),
        broken: false,
        includes: Vec::new(),
        forms: Forms::new(),
        node: None,
        sorted: Vec::new(),
    };
    lowerer.lower_targets(&mut declarations);
    discriminator::apply(&mut lowerer, &mut declarations.definitions, &mut exported);
    declarations.forms = forms::split(&mut declarations.definitions, &mut exported);
    let found = loops(file, &references(&declarations.definitions));
    lowerer.diagnostics.extend(found);
    if exported.is_empty() {
        let message =
            "this API description declares no types: it has neither component schemas nor operations with any";
        let mut diagnostic = Diagnostic::new(Code::NotAContract, At::key(file, "/openapi"), message);
        diagnostic.severity = Severity::Warning;
        lowerer.diagnostics.push(diagnostic);
    }
    declarations.exported = exported;
    declarations.diagnostics = std::mem::take(&mut lowerer.diagnostics);
    declarations.reach = lowerer.reach();
    declarations.definitions.shrink_to_fit();
    declarations.diagnostics.shrink_to_fit();
    declarations
}

/// The references between definitions as they are now. Forms that are sent go round where those that are received do.
fn references(definitions: &[(Pointer, Schema)]) -> Vec<LocalReference> {
    fn walk(schema: &Schema, entry: usize, found: &mut Vec<LocalReference>) {
        let Some(node) = schema.node() else { return };
        if let Some(reference) = node.reference.as_deref()
            && let RefTarget::Here(target) = &reference.target
        {
            let dynamic = reference.dynamic.is_some();
            found.push(LocalReference { at: node.at.clone(), entry, target: target.clone(), dynamic });
        }
        node.children(&mut |place, child| {
            let keyword = place.split('/').nth(1).unwrap_or_default();
            let in_place = matches!(keyword, "" | "allOf" | "anyOf" | "oneOf" | "not" | "if");
            let inside = child.node().map_or(entry, |child| child.at.len());
            walk(child, if in_place { entry } else { inside }, found);
        });
    }
    let mut found = Vec::new();
    for (pointer, schema) in definitions.iter().filter(|(pointer, _)| !pointer.contains(WRITE)) {
        walk(schema, pointer.len(), &mut found);
    }
    found
}

/// How the schemas are read.
fn dialect(file: &Arc<str>, root: &Value<'_>, version: Version, diagnostics: &mut Vec<Diagnostic>) -> Dialect {
    let newest = Dialect::UNSTATED;
    let Some(stated) = root.get("jsonSchemaDialect").filter(|_| version == Version::V31) else {
        return match version {
            Version::V30 => Dialect::new(Draft::OpenApi30, true),
            Version::V31 => newest,
        };
    };
    let at = At::value(file, "/jsonSchemaDialect");
    let Some(uri) = stated.as_str() else {
        let message = format!("`jsonSchemaDialect` must be a string, not {}", stated.kind());
        diagnostics.push(Diagnostic::new(Code::WrongType, at, message));
        return newest;
    };
    // The base dialect of OpenAPI is 2020-12 with annotations of its own (3.1.0, section 4.8.24.1).
    if uri.trim_end_matches('#').starts_with("https://spec.openapis.org/oas/3.1/dialect/") {
        return newest;
    }
    Dialect::named(uri).unwrap_or_else(|| {
        let message = format!("`{uri}` is no dialect that omnigen knows; schemas are read as draft 2020-12");
        diagnostics.push(Diagnostic::new(Code::UnknownDialect, at, message));
        newest
    })
}

/// The members of a section of `components`.
fn components<'v, 'a>(root: &'v Value<'a>, section: &str) -> &'v [Member<'a>] {
    root.get("components").and_then(|components| components.get(section)).and_then(Value::members).unwrap_or(&[])
}

/// A document under way.
struct Document<'v, 'a> {
    lowerer: Lowerer<'v, 'a>,
    exported: Vec<Pointer>,
    /// Schemas of parameters that several operations have, by pointer.
    shared: HashMap<String, Schema>,
    /// What was reported once for the file.
    told: Vec<&'static str>,
}

impl<'v, 'a> Document<'v, 'a> {
    /// Reports what is no object where one must be.
    fn sections(&mut self) {
        let root = self.lowerer.root;
        self.strangers("", root, known::Kind::Root);
        if let Some(components) = root.get("components") {
            self.strangers("/components", components, known::Kind::Components);
        }
        let mut wrong = |pointer: String, value: &Value<'_>, what: &str| {
            if value.members().is_none() {
                let message = format!("{what} must be an object, not {}", value.kind());
                let at = At::value(&self.lowerer.file, &pointer);
                let mut diagnostic = Diagnostic::new(Code::WrongType, at, message);
                if matches!(value.data, Data::Null) {
                    diagnostic.severity = Severity::Warning;
                }
                self.lowerer.diagnostics.push(diagnostic);
            }
        };
        for section in ["paths", "webhooks", "components"] {
            if let Some(value) = root.get(section) {
                wrong(format!("/{section}"), value, &format!("`{section}`"));
            }
        }
        for member in root.get("components").and_then(Value::members).unwrap_or(&[]) {
            if !member.name.starts_with("x-") {
                wrong(
                    format!("/components/{}", member.name.replace('~', "~0").replace('/', "~1")),
                    &member.value,
                    &format!("`components.{}`", member.name),
                );
            }
        }
    }

    /// The members of `components.schemas`.
    fn schemas(&mut self) {
        for member in components(self.lowerer.root, "schemas") {
            let mut pointer = "/components/schemas".to_owned();
            push_token(&mut pointer, &member.name);
            self.export(pointer, &member.value);
        }
    }

    /// Lowers a schema that others may name.
    fn export(&mut self, pointer: String, value: &'v Value<'a>) {
        self.exported.push(pointer.as_str().into());
        self.lowerer.path = pointer;
        self.lowerer.definition(value);
        self.lowerer.path.clear();
    }

    /// Reports once what belongs to the description of the wire and gives no type.
    fn tell(&mut self, what: &'static str, at: &str, message: &str) {
        if !self.told.contains(&what) {
            self.told.push(what);
            let mut diagnostic = Diagnostic::new(Code::NotCarried, At::key(&self.lowerer.file, at), message);
            diagnostic.severity = Severity::Note;
            self.lowerer.diagnostics.push(diagnostic);
        }
    }

    /// What stands at a place, references within the document followed; the pointer that it really stands at. Reports
    /// a reference that cannot be followed.
    fn resolved(&mut self, at: &str, value: &'v Value<'a>, what: &str) -> Option<(String, &'v Value<'a>)> {
        let (mut at, mut value) = (at.to_owned(), value);
        for _ in 0..16 {
            let Some(text) = value.get("$ref") else { return Some((at, value)) };
            let Some(text) = text.as_str() else {
                let place = At::value(&self.lowerer.file, &format!("{at}/$ref"));
                let message = format!("`$ref` must be a string, not {}", text.kind());
                self.lowerer.push(Diagnostic::new(Code::WrongType, place, message));
                return None;
            };
            self.lowerer.path.clone_from(&at);
            let target = self.lowerer.target("$ref", text);
            self.lowerer.path.clear();
            match target {
                RefTarget::Here(pointer) => {
                    let real = plain_pointer(&pointer);
                    value = self.lowerer.root.at(&real)?;
                    at = pointer.to_string();
                }
                RefTarget::Elsewhere { .. } => {
                    let place = At::value(&self.lowerer.file, &format!("{at}/$ref"));
                    let message = format!("{what} outside of the project (`{text}`) is not carried over");
                    let diagnostic = Diagnostic::new(Code::NotCarried, place, message);
                    let hint = "keep a copy in a file of the project, and refer to that";
                    self.lowerer.push(diagnostic.hint(hint));
                    return None;
                }
                RefTarget::Dangling => return None,
            }
        }
        let place = At::value(&self.lowerer.file, &format!("{at}/$ref"));
        self.lowerer.push(Diagnostic::new(Code::ReferenceLoop, place, format!("{what} refers to itself")));
        None
    }
}

/// The note that names an operation.
fn named(operation: &Value<'_>) -> String {
    match operation.get("operationId").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => format!("{OPERATION}{}", id.replace('~', "~0").replace('/', "~1")),
        _ => String::new(),
    }
}
