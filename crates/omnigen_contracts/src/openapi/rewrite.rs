//! Schemas put elsewhere, or changed throughout.

use omnigen_ir::{ArrayRules, Condition, Contains, Logic, Node, ObjectRules, Schema};

/// The schema with every place that begins with `from` beginning with `to` instead.
pub(super) fn moved(mut schema: Schema, from: &str, to: &str) -> Schema {
    if from != to {
        each_mut(&mut schema, &mut |node| {
            if let Some(rest) = node.at.strip_prefix(from)
                && (rest.is_empty() || rest.starts_with('/'))
            {
                node.at = format!("{to}{rest}").into();
            }
        });
    }
    schema
}

/// Calls `f` with every node of a schema, outer ones first.
pub(super) fn each_mut(schema: &mut Schema, f: &mut dyn FnMut(&mut Node)) {
    let Schema::Node(node) = schema else { return };
    f(node);
    children_mut(node, &mut |child, _| each_mut(child, f));
}

/// Calls `f` with every direct subschema, and whether it applies to the same instance.
pub(super) fn children_mut(node: &mut Node, f: &mut dyn FnMut(&mut Schema, bool)) {
    let Node {
        at: _,
        reference: _,
        types: _,
        enumeration: _,
        constant: _,
        number: _,
        string: _,
        array,
        object,
        logic,
        external: _,
        notes: _,
    } = node;
    if let Some(array) = array.as_deref_mut() {
        let ArrayRules { prefix, items, contains, min_items: _, max_items: _, unique: _, unevaluated } = array;
        prefix.iter_mut().for_each(|schema| f(schema, false));
        items.iter_mut().for_each(|schema| f(schema, false));
        unevaluated.iter_mut().for_each(|schema| f(schema, false));
        if let Some(Contains { schema, min: _, max: _, evaluates: _ }) = contains {
            f(schema, false);
        }
    }
    if let Some(object) = object.as_deref_mut() {
        let ObjectRules {
            properties,
            patterns,
            additional,
            names,
            required: _,
            min_properties: _,
            max_properties: _,
            dependent_required: _,
            dependent_schemas,
            unevaluated,
        } = object;
        properties.iter_mut().for_each(|property| f(&mut property.schema, false));
        patterns.iter_mut().for_each(|(_, schema)| f(schema, false));
        additional.iter_mut().for_each(|schema| f(schema, false));
        names.iter_mut().for_each(|schema| f(schema, false));
        unevaluated.iter_mut().for_each(|schema| f(schema, false));
        dependent_schemas.iter_mut().for_each(|(_, schema)| f(schema, true));
    }
    if let Some(logic) = logic.as_deref_mut() {
        let Logic { all_of, any_of, one_of, not, condition } = logic;
        all_of.iter_mut().chain(any_of).chain(one_of).for_each(|schema| f(schema, true));
        not.iter_mut().for_each(|schema| f(schema, true));
        if let Some(Condition { test, then, otherwise }) = condition {
            f(test, true);
            then.iter_mut().for_each(|schema| f(schema, true));
            otherwise.iter_mut().for_each(|schema| f(schema, true));
        }
    }
}
