//! Names of what an API document describes: its components, and what its operations take and give.
//!
//! What a name is made of and the pointer does not say is *noted* in the pointer, behind a tilde that is no escape
//! (RFC 6901, section 3, knows only `~0` and `~1`), so that names stay a pure function of it.

use std::borrow::Cow;

use super::{push_inside, push_pascal, unescape};

/// Marks the form of a schema that is sent, where it differs from the one that is received: `…/User~write`.
pub const WRITE: &str = "~write";
/// Marks a schema as others extend it: without the value that tells it apart from them: `…/Pet~base`.
pub const BASE: &str = "~base";
/// Stands before the `operationId` of an operation: `/paths/~1pets/get~@listPets`.
pub const OPERATION: &str = "~@";

/// The pointer without notes, as it leads into the document.
pub fn plain_pointer(pointer: &str) -> Cow<'_, str> {
    if ![WRITE, BASE, OPERATION].iter().any(|note| pointer.contains(note)) {
        return pointer.into();
    }
    let mut plain = String::with_capacity(pointer.len());
    for (i, token) in pointer.split('/').enumerate() {
        if i > 0 {
            plain.push('/');
        }
        plain.push_str(split(token).0);
    }
    plain.into()
}

/// A token and its notes.
fn split(token: &str) -> (&str, &str) {
    let end = [WRITE, BASE, OPERATION].iter().filter_map(|note| token.find(note)).min();
    token.split_at(end.unwrap_or(token.len()))
}

fn push_notes(name: &mut String, notes: &str) {
    if notes.contains(BASE) {
        name.push_str("Base");
    }
    if notes.contains(WRITE) {
        name.push_str("Write");
    }
}

/// The name of a place in an API document; `None` if the pointer leads to no such place.
pub(super) fn name_at(pointer: &str) -> Option<String> {
    let mut tokens = pointer.split('/').skip(1);
    let mut name = String::new();
    match tokens.next()? {
        "components" => {
            let section = tokens.next()?;
            let (member, notes) = split(tokens.next()?);
            let member = unescape(member);
            if matches!(section, "pathItems" | "callbacks") {
                let kind = if section == "pathItems" { "" } else { "Callback" };
                if !kind.is_empty() {
                    // The expression says where to, not what.
                    tokens.next();
                }
                let rest = path_item(&mut name, &member, kind, &mut tokens)?;
                finish(&mut name, Some(rest), &mut tokens);
                return Some(name);
            }
            push_pascal(&mut name, &member);
            let headers = pointer.split('/').nth(4) == Some("headers");
            match section {
                "schemas" => {}
                "parameters" => name.push_str("Parameter"),
                "headers" => name.push_str("Header"),
                "requestBodies" => name.push_str("RequestBody"),
                "responses" => name.push_str(if headers { "Response" } else { "ResponseBody" }),
                _ => return None,
            }
            push_notes(&mut name, notes);
            finish(&mut name, None, &mut tokens);
        }
        root @ ("paths" | "webhooks") => {
            let path = unescape(tokens.next()?);
            let kind = if root == "paths" { "" } else { "Webhook" };
            let rest = path_item(&mut name, &path, kind, &mut tokens)?;
            finish(&mut name, Some(rest), &mut tokens);
        }
        _ => return None,
    }
    Some(name)
}

/// An operation's name: its `operationId`, or method and path. Gives the token behind it.
fn path_item<'p>(
    name: &mut String,
    path: &str,
    kind: &str,
    tokens: &mut dyn Iterator<Item = &'p str>,
) -> Option<&'p str> {
    let (method, notes) = split(tokens.next()?);
    match notes.strip_prefix(OPERATION) {
        Some(operation) => push_pascal(name, &unescape(operation)),
        None => {
            push_pascal(name, method);
            if path.chars().any(char::is_alphanumeric) {
                push_pascal(name, path);
            }
            name.push_str(kind);
        }
    }
    Some(tokens.next().unwrap_or(""))
}

/// What stands between an operation or component and its schema, and the inside of the schema.
fn finish<'p>(name: &mut String, first: Option<&'p str>, tokens: &mut dyn Iterator<Item = &'p str>) {
    let mut pending = first.or_else(|| tokens.next());
    while let Some(token) = pending.take() {
        match token {
            "requestBody" => name.push_str("RequestBody"),
            "responses" => {
                name.push_str("Response");
                if let Some(status) = tokens.next() {
                    let status = unescape(status);
                    match status.as_bytes() {
                        // A range, which the specification spells in capitals.
                        [first @ b'1'..=b'5', b'x' | b'X', b'x' | b'X'] => {
                            name.push(char::from(*first));
                            name.push_str("XX");
                        }
                        _ => push_pascal(name, &status),
                    }
                }
            }
            "callbacks" => {
                if let Some(callback) = tokens.next() {
                    push_pascal(name, &unescape(callback));
                }
                // The expression says where to, not what.
                tokens.next();
                if let Some(method) = tokens.next() {
                    let (method, notes) = split(method);
                    if let Some(operation) = notes.strip_prefix(OPERATION) {
                        name.clear();
                        push_pascal(name, &unescape(operation));
                    } else {
                        push_pascal(name, method);
                    }
                }
            }
            "content" => {
                if let Some(media) = tokens.next() {
                    let media = unescape(media);
                    if !matches!(&*media, "application/json" | "*/*") {
                        let subtype = media.split(';').next().unwrap_or_default();
                        push_pascal(name, subtype.rsplit('/').next().unwrap_or_default());
                    }
                }
            }
            "headers" => {
                name.push_str("Headers");
            }
            "parameters" => {
                name.push_str("Parameters");
            }
            "" => {}
            token => {
                let (plain, notes) = split(token);
                if plain == "schema" {
                    push_notes(name, notes);
                    let next = tokens.next().map(unescape);
                    push_inside(name, next, &mut tokens.map(unescape));
                } else {
                    push_inside(name, Some(unescape(token)), &mut tokens.map(unescape));
                }
                return;
            }
        }
        pending = tokens.next();
    }
}
