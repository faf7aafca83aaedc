//! What a text declares, and what is said about it.

mod exports;
mod limits;
mod loading;
mod mutations;
mod oddities;
mod openapi;
mod references;
mod schemas;

use omnigen_ir::{FileId, Node, RefTarget, Reference};
use omnigen_report::Spot;

use crate::{Declarations, declarations};

/// Reads `contracts/order.json`.
fn json(text: &str) -> Declarations {
    declarations(&FileId::from("contracts/order.json"), text)
}

/// Reads `contracts/order.yaml`.
fn yaml(text: &str) -> Declarations {
    declarations(&FileId::from("contracts/order.yaml"), text)
}

/// A draft-07 schema with these members.
fn draft_07(members: &str) -> Declarations {
    json(&format!(r#"{{"$schema": "http://json-schema.org/draft-07/schema#", {members}}}"#))
}

/// A schema with these members in the draft of a metaschema: `-04`, `/2019-09`.
fn draft(name: &str, members: &str) -> Declarations {
    json(&format!(r#"{{"$schema": "http://json-schema.org/draft{name}/schema#", {members}}}"#))
}

/// A 2020-12 schema with these members.
fn draft_2020(members: &str) -> Declarations {
    json(&format!(r#"{{"$schema": "https://json-schema.org/draft/2020-12/schema", {members}}}"#))
}

/// Findings as `code place`, a place being a pointer (with `key:` before it for a member's name) or `a..b`.
fn found(declarations: &Declarations) -> Vec<String> {
    let place = |spot: &Spot| match spot {
        Spot::File => "file".to_owned(),
        Spot::Pointer { pointer, key } => format!("{}{pointer}", if *key { "key:" } else { "" }),
        Spot::Span { start, end } => format!("{start}..{end}"),
    };
    declarations
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let spot = diagnostic.at.as_ref().map(|at| place(&at.spot)).unwrap_or_default();
            format!("{} {spot}", diagnostic.code.id())
        })
        .collect()
}

/// The hint of the only finding.
fn hint(declarations: &Declarations) -> &str {
    assert_eq!(declarations.diagnostics.len(), 1, "{:?}", declarations.diagnostics);
    declarations.diagnostics[0].hint.as_deref().unwrap_or("")
}

/// The node at a pointer.
fn node<'d>(declarations: &'d Declarations, pointer: &str) -> &'d Node {
    let schema = declarations.schema(pointer);
    schema.and_then(|schema| schema.node()).unwrap_or_else(|| panic!("no node at `{pointer}` in {declarations:#?}"))
}

/// Where the reference at a pointer leads: a pointer, `uri # fragment | beside`, or `nowhere`.
fn target(declarations: &Declarations, pointer: &str) -> String {
    let Some(Reference { target, .. }) = node(declarations, pointer).reference.as_deref() else {
        panic!("no reference at `{pointer}`")
    };
    match target {
        RefTarget::Here(pointer) => pointer.to_string(),
        RefTarget::Elsewhere { uri, fragment, beside } => {
            format!("{uri} # {fragment} | {}", beside.as_deref().unwrap_or("-"))
        }
        RefTarget::Dangling => "nowhere".to_owned(),
    }
}
