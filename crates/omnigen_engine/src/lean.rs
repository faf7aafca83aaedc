//! Schemas as the judge gets them: without what no verdict can hang on.
//!
//! Annotations decide nothing, and neither does a property of a name that none of the documents has. What is left out of types of
//! other files, and of all that these refer to, need not be read, compared and compiled for every contract that refers to them.

use omnigen_contracts::Declarations;
use omnigen_ir::samples::{Edit, Step};
use omnigen_ir::{Asked, Json, Node};
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
    /// All names within documents, and changes of documents.
    pub(crate) fn of(asked: &[Asked<'a>]) -> Names<'a> {
        let mut names = Names::default();
        let samples = || asked.iter().map(|asked| asked.samples);
        samples().flat_map(|samples| &samples.bases).for_each(|base| names.document(&base.document));
        for edit in samples().flat_map(|samples| &samples.candidates).flat_map(|candidate| &candidate.edits) {
            let (Edit::Put(path, _) | Edit::Drop(path)) = edit;
            names.members.extend(path.iter().filter_map(|step| match step {
                Step::Name(name) => Some(&**name),
                Step::Index(_) => None,
            }));
            if let Edit::Put(_, value) = edit {
                names.document(value);
            }
        }
        names
    }

    fn document(&mut self, json: &'a Json) {
        match json {
            Json::Array(items) => items.iter().for_each(|item| self.document(item)),
            Json::Object(members) => {
                for (name, value) in members {
                    self.members.insert(name);
                    self.document(value);
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
