//! What kind of contract a document is.

use std::sync::Arc;

use omnigen_report::{At, Code, Diagnostic};

use crate::json_schema::{Dialect, is_known};
use crate::onex;
use crate::openapi::Version;
use crate::value::{Data, Value};

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A JSON Schema.
    Schema(Dialect),
    /// A description of an API.
    OpenApi(Version),
    /// Path items, parameters and the like, which descriptions of APIs refer to.
    ApiPart,
    /// A contract of a node, or one beside it.
    Onex(onex::Kind),
}

/// What a document is, with what is to be said about it; or why it is no contract.
pub(crate) fn recognise(file: &Arc<str>, root: &Value<'_>) -> Result<(Kind, Option<Diagnostic>), Diagnostic> {
    if root.get("$schema").is_none()
        && let Some(found) = crate::openapi::recognise(file, root)
    {
        return found.map(|(version, diagnostic)| (Kind::OpenApi(version), diagnostic));
    }
    if root.get("$schema").is_none()
        && let Some(kind) = onex::recognise(root)
    {
        let diagnostic = (kind == onex::Kind::Ticket).then(|| {
            let message = "a ticket contract declares no node and no types: it gives a manifest with its name only";
            let mut diagnostic = Diagnostic::new(Code::NotAContract, At::value(file, "/ticket_id"), message);
            diagnostic.severity = omnigen_report::Severity::Note;
            diagnostic.hint("leave tickets out of the contracts if nobody needs it")
        });
        return Ok((Kind::Onex(kind), diagnostic));
    }
    if root.get("$schema").is_none() && crate::openapi::is_part(root) {
        let message = "this looks like a part of an API description: by itself it declares no types";
        let mut diagnostic = Diagnostic::new(Code::NotAContract, At::value(file, ""), message);
        diagnostic.severity = omnigen_report::Severity::Note;
        return Ok((Kind::ApiPart, Some(diagnostic)));
    }
    schema(file, root).map(|(dialect, diagnostic)| (Kind::Schema(dialect), diagnostic))
}

fn schema(file: &Arc<str>, root: &Value<'_>) -> Result<(Dialect, Option<Diagnostic>), Diagnostic> {
    let foreign = |key: &str, message: &str| {
        let mut pointer = String::new();
        crate::value::push_token(&mut pointer, key);
        Err(Diagnostic::new(Code::NotAContract, At::key(file, &pointer), message))
    };
    let members = match &root.data {
        Data::Object(members) => members,
        Data::Bool(_) => return Ok((Dialect::UNSTATED, None)),
        _ => {
            let message = format!("a schema is an object or a boolean; this document is {}", root.kind());
            return Err(Diagnostic::new(Code::NotAContract, At::value(file, ""), message));
        }
    };
    let Some(schema) = root.get("$schema") else {
        if root.get("asyncapi").is_some() {
            return foreign("asyncapi", "this is an AsyncAPI document, which is not supported");
        }
        let strange =
            !members.is_empty() && !members.iter().any(|member| is_known(&member.name) || member.name == "id");
        let diagnostic = strange.then(|| {
            let message = "no member of this document is a keyword of JSON Schema, so it accepts everything";
            let mut diagnostic = Diagnostic::new(Code::NotAContract, At::value(file, ""), message);
            diagnostic.severity = omnigen_report::Severity::Warning;
            diagnostic.hint("leave the file out of the contracts, unless others refer into it")
        });
        return Ok((Dialect::UNSTATED, diagnostic));
    };
    let at = At::value(file, "/$schema");
    let Some(uri) = schema.as_str() else {
        let message = format!("`$schema` must be a string, not {}", schema.kind());
        return Ok((Dialect::UNSTATED, Some(Diagnostic::new(Code::WrongType, at, message))));
    };
    let Some(dialect) = Dialect::named(uri) else {
        let message = format!("`{uri}` is no dialect that omnigen knows; the file is read as draft 2020-12");
        let diagnostic = Diagnostic::new(Code::UnknownDialect, at, message)
            .hint("the newest one is `https://json-schema.org/draft/2020-12/schema`; what is no schema is left out by `exclude`");
        return Ok((Dialect::UNSTATED, Some(diagnostic)));
    };
    Ok((dialect, None))
}
