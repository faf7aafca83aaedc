//! Schemas as the judge gets them: without what no verdict can hang on.
//!
//! Annotations decide nothing, and neither does a property of a name that no document has where a type of another file may hold.
//! What is left out of types of other files, and of all that these refer to, need not be read, compared and compiled for every
//! contract that refers to them.

use omnigen_contracts::Declarations;
use omnigen_ir::samples::{Edit, Step};
use omnigen_ir::{Asked, Json, Node, RefTarget, Schema};
use rustc_hash::FxHashSet;

use crate::tasks::each_node;

/// Keywords that only annotate, in every draft.
const ANNOTATIONS: [&str; 8] =
    ["title", "description", "default", "examples", "$comment", "deprecated", "readOnly", "writeOnly"];

/// Names that must stay.
#[derive(Default)]
pub(crate) struct Names<'a> {
    /// Of members of documents.
    members: FxHashSet<&'a str>,
    /// Tokens of the pointers that references have.
    tokens: FxHashSet<String>,
}

impl<'a> Names<'a> {
    /// All names of the documents, and of changes of documents, where a type of a file other than their own may hold.
    pub(crate) fn of(asked: &[Asked<'a>], own: &Declarations) -> Names<'a> {
        let gates = Gates::of(own);
        let mut names = Names::default();
        for Asked { member, samples, .. } in asked {
            let schema = member.map_or(Some(&own.root), |pointer| own.schema(pointer));
            let open = schema.is_none_or(|schema| gates.leads_away(schema));
            for base in &samples.bases {
                names.document(&base.document, &gates, open);
            }
            for edit in samples.candidates.iter().flat_map(|candidate| &candidate.edits) {
                let (Edit::Put(path, _) | Edit::Drop(path)) = edit;
                let mut open = open;
                for step in path {
                    let Step::Name(name) = step else { continue };
                    if open {
                        names.members.insert(name);
                    }
                    open |= gates.members.contains(&**name);
                }
                if let Edit::Put(_, value) = edit {
                    names.document(value, &gates, open);
                }
            }
        }
        names
    }

    fn document(&mut self, json: &'a Json, gates: &Gates<'_>, open: bool) {
        match json {
            Json::Array(items) => items.iter().for_each(|item| self.document(item, gates, open)),
            Json::Object(members) => {
                for (name, value) in members {
                    if open {
                        self.members.insert(name);
                    }
                    if matches!(value, Json::Array(_) | Json::Object(_)) {
                        self.document(value, gates, open || gates.members.contains(&**name));
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }

    /// What references of a file lead through stays, in every file. False if it cannot be told what that is.
    pub(crate) fn referred(&mut self, declared: &Declarations) -> bool {
        let mut literal = true;
        let mut found = |node: &Node| {
            let Some(reference) = node.reference.as_deref() else { return };
            literal &= reference.dynamic.is_none() && !reference.text.contains(['%', '~']);
            let fragment = reference.text.split_once('#').map_or("", |(_, fragment)| fragment);
            for token in fragment.split('/').skip(1) {
                if !self.tokens.contains(token) {
                    self.tokens.insert(token.to_owned());
                }
            }
        };
        each_node(&declared.root, &mut found);
        declared.definitions.iter().for_each(|(_, schema)| each_node(schema, &mut found));
        literal
    }

    fn leads_through(&self, name: &str) -> bool {
        self.tokens.contains(name)
    }
}

/// Where a type of another file may begin to hold.
struct Gates<'d> {
    /// Members that have one, or have something inside that is no property of a schema of their own and has one.
    members: FxHashSet<&'d str>,
    /// Places within the file that are referred to and lead to one.
    places: FxHashSet<&'d str>,
}

impl<'d> Gates<'d> {
    fn of(own: &'d Declarations) -> Gates<'d> {
        let mut gates = Gates { members: FxHashSet::default(), places: FxHashSet::default() };
        let heads = || own.definitions.iter().map(|(_, schema)| schema).chain([&own.root]);
        let mut referred: FxHashSet<&str> = FxHashSet::default();
        let mut found = |node: &'d Node| {
            if let Some(RefTarget::Here(pointer)) = node.reference.as_deref().map(|reference| &reference.target) {
                referred.insert(pointer);
            }
        };
        heads().for_each(|head| each_node(head, &mut found));
        // A place leads away if one that it refers to does.
        loop {
            let more: Vec<&str> = referred
                .iter()
                .filter(|place| !gates.places.contains(**place))
                .filter(|place| own.schema(place).is_none_or(|schema| gates.leads_away(schema)))
                .copied()
                .collect();
            if more.is_empty() {
                break;
            }
            gates.places.extend(more);
        }
        let mut members: FxHashSet<&'d str> = FxHashSet::default();
        heads().for_each(|head| {
            gates.look(head, &mut members);
        });
        gates.members = members;
        gates
    }

    /// May it hold for a value of this schema, or inside, but for properties?
    fn leads_away(&self, schema: &Schema) -> bool {
        let Some(node) = schema.node() else { return false };
        if self.refers_away(node) {
            return true;
        }
        let mut away = false;
        node.each_member(&mut |name, child| away |= name.is_none() && self.leads_away(child));
        away
    }

    fn refers_away(&self, node: &Node) -> bool {
        node.reference.as_deref().is_some_and(|reference| match &reference.target {
            RefTarget::Here(pointer) => reference.dynamic.is_some() || self.places.contains(&**pointer),
            RefTarget::Elsewhere { .. } | RefTarget::Dangling => true,
        })
    }

    /// Gathers members; does the schema itself lead away?
    fn look(&self, schema: &'d Schema, members: &mut FxHashSet<&'d str>) -> bool {
        let Some(node) = schema.node() else { return false };
        let mut away = self.refers_away(node);
        node.each_member(&mut |name, child| {
            let inner = self.look(child, members);
            match name {
                Some(name) if inner => {
                    members.insert(name);
                }
                Some(_) => {}
                None => away |= inner,
            }
        });
        away
    }
}

/// Has a file no schema within that may be referred to by a name of its own?
pub(crate) fn nameless(declared: &Declarations) -> bool {
    declared.ids.iter().all(|(_, pointer)| pointer.is_empty()) && declared.anchors.is_empty()
}

/// A copy without annotations, and with `unseen` without properties that no document has and definitions that nothing leads to.
pub(crate) fn stripped(schema: &Json, names: &Names<'_>, unseen: bool) -> Json {
    let Json::Object(members) = schema else { return schema.clone() };
    let inner = |schema: &Json| stripped(schema, names, unseen);
    let member = |(keyword, value): &(Box<str>, Json)| {
        let value = match (&**keyword, value) {
            (keyword, _) if ANNOTATIONS.contains(&keyword) && !names.leads_through(keyword) => return None,
            ("properties", Json::Object(schemas)) => {
                let kept = |name: &str| !unseen || names.members.contains(name) || names.leads_through(name);
                let schemas = schemas.iter().filter(|(name, _)| kept(name));
                Json::Object(schemas.map(|(name, schema)| (name.clone(), inner(schema))).collect())
            }
            ("$defs" | "definitions", Json::Object(schemas)) => {
                let kept = |name: &str| !unseen || names.leads_through(name);
                let schemas = schemas.iter().filter(|(name, _)| kept(name));
                Json::Object(schemas.map(|(name, schema)| (name.clone(), inner(schema))).collect())
            }
            ("patternProperties" | "dependentSchemas" | "dependencies", Json::Object(schemas)) => {
                Json::Object(schemas.iter().map(|(name, schema)| (name.clone(), inner(schema))).collect())
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems" | "items", Json::Array(schemas)) => {
                Json::Array(schemas.iter().map(inner).collect())
            }
            (
                "items"
                | "additionalProperties"
                | "additionalItems"
                | "contains"
                | "not"
                | "if"
                | "then"
                | "else"
                | "propertyNames"
                | "unevaluatedItems"
                | "unevaluatedProperties",
                value,
            ) => inner(value),
            (_, value) => value.clone(),
        };
        Some((keyword.clone(), value))
    };
    Json::Object(members.iter().filter_map(member).collect())
}
