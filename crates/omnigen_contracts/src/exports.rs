//! What other contracts may see of a file.

use omnigen_ir::naming::{self, Naming, Unit};
use omnigen_ir::{Export, Exports, Json, Node, Pointer, Schema, TypeSet};
use rustc_hash::FxHashMap;

use crate::Declarations;

/// The outside of what the file exports.
pub(crate) fn exports(declarations: &Declarations, unit: &Unit, naming: &Naming) -> Exports {
    if declarations.broken {
        return Exports::default();
    }
    let known: FxHashMap<&str, &Schema> =
        declarations.definitions.iter().map(|(pointer, schema)| (&**pointer, schema)).collect();
    let list = declarations.exported.iter().filter_map(|pointer| {
        let schema = if pointer.is_empty() { &declarations.root } else { *known.get(&**pointer)? };
        Some(export(pointer, schema, unit, naming))
    });
    let mut list: Vec<Export> = list.collect();
    if list.first().is_some_and(|first| !first.pointer.is_empty()) {
        share(&mut list, &known);
    }
    let Declarations { ids, anchors, scopes, forms, .. } = declarations;
    Exports { list, ids: ids.clone(), anchors: anchors.clone(), scopes: scopes.clone(), forms: forms.clone() }
}

/// Exports that are nothing but a reference to another one have its functions: an API names the same type many times.
fn share(list: &mut [Export], known: &FxHashMap<&str, &Schema>) {
    let functions: FxHashMap<Pointer, Box<str>> =
        list.iter().map(|export| (export.pointer.clone(), export.function.clone())).collect();
    for export in list {
        let mut at = &*export.pointer;
        for _ in 0..16 {
            let Some(next) = known.get(at).and_then(|schema| schema.node()?.forward()) else { break };
            if !functions.contains_key(next) {
                break;
            }
            at = next;
        }
        if let Some(function) = functions.get(at) {
            export.function.clone_from(function);
        }
    }
}

fn export(pointer: &str, schema: &Schema, unit: &Unit, naming: &Naming) -> Export {
    let name = naming::name_at(unit, pointer);
    let (meaning, full) = schema.digests("schema");
    Export {
        pointer: pointer.into(),
        class: naming.class(&name).into(),
        function: if pointer.is_empty() { "".into() } else { format!("_{}", naming::snake(&name)).into() },
        types: own_types(schema),
        tags: schema.node().map(tags).unwrap_or_default(),
        opaque: schema.node().is_some_and(|node| node.external.is_some()),
        meaning,
        full,
    }
}

/// The types that a schema's own assertions allow.
fn own_types(schema: &Schema) -> TypeSet {
    let node = match schema {
        Schema::Bool(true) => return TypeSet::ALL,
        Schema::Bool(false) => return TypeSet::NONE,
        Schema::Node(node) => node,
    };
    let mut types = node.types.unwrap_or(TypeSet::ALL);
    if let Some(values) = &node.enumeration {
        types = types.and(values.iter().fold(TypeSet::NONE, |types, value| types.or(TypeSet::of(value))));
    }
    if let Some(value) = &node.constant {
        types = types.and(TypeSet::of(value));
    }
    node.logic.iter().flat_map(|logic| &logic.all_of).fold(types, |types, part| types.and(own_types(part)))
}

/// Required properties that admit only certain strings.
fn tags(node: &Node) -> Vec<(Box<str>, Vec<Box<str>>)> {
    let Some(object) = node.object.as_deref() else { return Vec::new() };
    let required = |name: &str| object.required.iter().any(|required| **required == *name);
    let mut tags = Vec::new();
    for property in &object.properties {
        let Some(values) = property.schema.node().and_then(strings) else { continue };
        if required(&property.name) {
            tags.push((property.name.clone(), values));
        }
    }
    tags
}

/// The strings that `const` or `enum` admit, if they admit nothing else.
fn strings(node: &Node) -> Option<Vec<Box<str>>> {
    let text = |value: &Json| value.as_str().map(Into::into);
    match (&node.constant, &node.enumeration) {
        (Some(value), _) => Some(vec![text(value)?]),
        (None, Some(values)) if !values.is_empty() => values.iter().map(text).collect(),
        _ => None,
    }
}
