//! What the objects of an API description may have (3.1.0, section 4.8; 3.0.3, section 4.7): names that are none of these are
//! told, since nothing is made of what stands below them.

use omnigen_report::{At, Code, Diagnostic, nearest};

use super::Document;
use super::operations::METHODS;
use crate::value::{Value, push_token};

/// A kind of object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Root,
    Components,
    PathItem,
    Operation,
    Parameter,
    Header,
    RequestBody,
    Response,
    Media,
}

impl Kind {
    fn names(self) -> &'static [&'static str] {
        match self {
            Kind::Root => &[
                "openapi",
                "info",
                "jsonSchemaDialect",
                "servers",
                "paths",
                "webhooks",
                "components",
                "security",
                "tags",
                "externalDocs",
            ],
            Kind::Components => &[
                "schemas",
                "responses",
                "parameters",
                "examples",
                "requestBodies",
                "headers",
                "securitySchemes",
                "links",
                "callbacks",
                "pathItems",
            ],
            Kind::PathItem => &["$ref", "summary", "description", "servers", "parameters"],
            Kind::Operation => &[
                "tags",
                "summary",
                "description",
                "externalDocs",
                "operationId",
                "parameters",
                "requestBody",
                "responses",
                "callbacks",
                "deprecated",
                "security",
                "servers",
            ],
            Kind::Parameter => &[
                "name",
                "in",
                "description",
                "required",
                "deprecated",
                "allowEmptyValue",
                "style",
                "explode",
                "allowReserved",
                "schema",
                "example",
                "examples",
                "content",
            ],
            Kind::Header => &[
                "description",
                "required",
                "deprecated",
                "allowEmptyValue",
                "style",
                "explode",
                "allowReserved",
                "schema",
                "example",
                "examples",
                "content",
            ],
            Kind::RequestBody => &["description", "content", "required"],
            Kind::Response => &["description", "headers", "content", "links"],
            Kind::Media => &["schema", "example", "examples", "encoding"],
        }
    }

    fn what(self) -> &'static str {
        match self {
            Kind::Root => "the description of an API",
            Kind::Components => "`components`",
            Kind::PathItem => "a path item",
            Kind::Operation => "an operation",
            Kind::Parameter => "a parameter",
            Kind::Header => "a header",
            Kind::RequestBody => "a request body",
            Kind::Response => "a response",
            Kind::Media => "a media type",
        }
    }
}

impl Document<'_, '_> {
    /// Tells of members that mean nothing where they stand. `at` is the object's own place in the document.
    pub(super) fn strangers(&mut self, at: &str, value: &Value<'_>, kind: Kind) {
        for member in value.members().unwrap_or(&[]) {
            let name = &*member.name;
            let methods: &[&'static str] = if kind == Kind::PathItem { &METHODS } else { &[] };
            let known = || kind.names().iter().chain(methods).copied();
            if name.starts_with("x-") || name == "$ref" || known().any(|known| known == name) {
                continue;
            }
            let mut pointer = at.to_owned();
            push_token(&mut pointer, name);
            let place = At::key(&self.lowerer.file, &pointer);
            let message = format!("{} has no `{name}`; nothing is made of it", kind.what());
            let most = if name.len() < 5 { 1 } else { 3 };
            let found = match nearest(name, known(), most) {
                Some(near) => {
                    Diagnostic::new(Code::MisspelledKeyword, place, message).hint(format!("did you mean `{near}`?"))
                }
                None => Diagnostic::new(Code::UnknownKeyword, place, message),
            };
            self.lowerer.push(found);
        }
    }
}
