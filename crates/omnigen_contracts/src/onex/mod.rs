//! ONEX node contracts, and the files that stand beside them: wire schemas and metadata of mixins.
//!
//! There is no single format. Typed fields of whatever dialect are translated to JSON Schema (`translate.rs`,
//! `dialects.rs`) and lowered as such; everything else about a node becomes its manifest (`node/`). The translated document has
//! positions of its own, all of them below `$defs`: [`source_of`] leads back to the contract.
//!
//! Knows one document, included ones spliced in. What is a class of Python stays a name.

mod dialects;
mod expression;
mod made;
mod node;
mod translate;
mod types;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use omnigen_ir::naming::Unit;
use omnigen_ir::{Node, Notes, Schema};
use omnigen_report::Diagnostic;

use crate::Declarations;
use crate::json_schema::{self, Dialect};
use crate::value::{Data, Value};
use made::object;
use translate::Translator;

/// What kind of ONEX document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A node, handler or service.
    Node,
    /// A ticket of change control.
    Ticket,
    /// A message on a topic.
    Wire,
    /// Settings of mixins.
    Mixins,
}

/// Which kind of ONEX document this is, if any.
pub(crate) fn recognise(root: &Value<'_>) -> Option<Kind> {
    let has = |name: &str| root.get(name).is_some();
    let map = |name: &str| root.get(name).is_some_and(|value| value.members().is_some());
    let list = |name: &str| root.get(name).is_some_and(|value| matches!(value.data, Data::Array(_)));
    if has("contract_version") || has("node_type") || map("input_state") || map("output_state") {
        return Some(Kind::Node);
    }
    // What old nodes say of themselves, in a file of its own.
    if has("meta_type") && has("lifecycle") && has("entrypoint") {
        return Some(Kind::Node);
    }
    if has("topic") && (list("required_fields") || list("optional_fields")) {
        return Some(Kind::Wire);
    }
    if has("ticket_id") && has("schema_version") {
        return Some(Kind::Ticket);
    }
    let node =
        ["event_bus", "handler_routing", "io_operations", "descriptor", "feature_flags", "endpoints", "node_version"];
    if has("name") && node.iter().any(|name| has(name)) {
        return Some(Kind::Node);
    }
    let mixin = |value: &Value<'_>| value.get("config_schema").is_some_and(|schema| schema.members().is_some());
    if root.members().is_some_and(|members| members.iter().any(|member| mixin(&member.value))) {
        return Some(Kind::Mixins);
    }
    None
}

/// Makes declarations of a document.
pub(crate) fn lower(file: &Arc<str>, root: &Value<'_>, kind: Kind, diagnostics: Vec<Diagnostic>) -> Declarations {
    let mut translator = translated(file, root, kind);
    let mut diagnostics = diagnostics;
    diagnostics.append(&mut translator.translator.diagnostics);
    let Translation { translator, root: schema } = translator;
    let mut declared = json_schema::lower(file, &schema, Dialect::UNSTATED, Vec::new());
    // What the translation has reported already is not said again in the words of JSON Schema.
    diagnostics.append(&mut declared.diagnostics);
    for (key, external) in &translator.externals {
        let pointer = format!("/$defs/{key}");
        let mut node = Node::new(&pointer);
        node.notes = external
            .description
            .as_deref()
            .map(|text| Box::new(Notes { description: Some(text.trim().into()), ..Notes::default() }));
        node.external = Some(Box::new(omnigen_ir::External {
            module: external.module.as_deref().map(Into::into),
            name: external.name.as_str().into(),
        }));
        let slot = declared.definitions.iter_mut().find(|(at, _)| **at == *pointer);
        slot.into_iter().for_each(|(_, schema)| *schema = Schema::Node(Box::new(node.clone())));
    }
    for pointer in &translator.frozen {
        let slot = declared.definitions.iter_mut().find(|(at, _)| **at == **pointer);
        if let Some((_, Schema::Node(node))) = slot {
            node.notes.get_or_insert_default().frozen = true;
        }
    }
    // Others refer to types where the contract has them, and under the names that it gives them.
    for (target, source) in &translator.origins {
        let Some(key) = target.strip_prefix("/$defs/").filter(|key| !key.contains('/')) else { continue };
        declared.anchors.push(("".into(), source.as_str().into(), target.as_str().into()));
        let name = source.strip_prefix("/definitions/").filter(|name| *name != key);
        declared.anchors.extend(name.map(|name| ("".into(), format!("/$defs/{name}").into(), target.as_str().into())));
    }
    declared.node = match kind {
        Kind::Mixins => None,
        Kind::Node | Kind::Ticket | Kind::Wire => Some(Arc::new(node::read(file, root, kind, &mut diagnostics))),
    };
    if kind != Kind::Wire {
        declared.exported.retain(|pointer| !pointer.is_empty());
    }
    declared.diagnostics = diagnostics;
    declared
}

/// The document as JSON Schema.
pub(crate) fn as_schema<'a>(file: &Arc<str>, root: &Value<'a>, kind: Kind) -> Value<'a> {
    translated(file, root, kind).root
}

/// Places of the translated document, and where in the contract they come from.
pub(crate) fn origins(file: &Arc<str>, root: &Value<'_>, kind: Kind) -> Vec<(String, String)> {
    let mut origins = translated(file, root, kind).translator.origins;
    // What has no place in the translation leads nowhere: its pointers are the contract's own.
    origins.retain(|(target, _)| !target.is_empty());
    origins
}

/// Where in the contract a place of the translated document comes from; `None` if the place is one of the contract itself.
pub(crate) fn source_of(origins: &[(String, String)], root: &Value<'_>, pointer: &str) -> Option<String> {
    let around = origins.iter().filter(|(target, _)| {
        pointer.strip_prefix(target.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    // What ends like the contract's own word is the word's value.
    let (target, source) = around.max_by_key(|(target, _)| target.len())?;
    let rest = &pointer[target.len()..];
    Some(if root.at(&format!("{source}{rest}")).is_some() { format!("{source}{rest}") } else { source.clone() })
}

struct Translation<'v, 'a> {
    translator: Translator<'v, 'a>,
    root: Value<'a>,
}

fn translated<'v, 'a>(file: &'v Arc<str>, root: &'v Value<'a>, kind: Kind) -> Translation<'v, 'a> {
    let mut translator = Translator {
        file,
        definitions: Vec::new(),
        names: BTreeMap::new(),
        modules: BTreeMap::new(),
        externals: BTreeMap::new(),
        frozen: Vec::new(),
        origins: Vec::new(),
        diagnostics: Vec::new(),
        source: String::new(),
        target: String::new(),
    };
    let stem = Unit::new(file, "").pascal;
    let mut made = match kind {
        Kind::Node => {
            dialects::node(&mut translator, root, &stem);
            Vec::new()
        }
        Kind::Ticket => Vec::new(),
        Kind::Wire => dialects::wire(&mut translator, root),
        Kind::Mixins => {
            dialects::mixins(&mut translator, root);
            Vec::new()
        }
    };
    let mut definitions = std::mem::take(&mut translator.definitions);
    for key in translator.externals.keys() {
        let name = key.clone().into();
        definitions.push(crate::value::Member { name, key: root.span, value: object(Vec::new(), root.span) });
    }
    made::put(&mut made, "$defs", Data::Object(definitions), root.span);
    Translation { translator, root: object(made, root.span) }
}
