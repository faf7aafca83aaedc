//! Schemas that stand where no keyword makes them one: what references lead to, and what other files may refer to.

use omnigen_ir::Pointer;
use omnigen_ir::naming::plain_pointer;
use omnigen_report::{At, Code, Diagnostic};
use rustc_hash::FxHashSet;

use super::keywords::is_known;
use super::lower::Lowerer;
use crate::Declarations;
use crate::value::{Data, Value, array_index, push_token, unescape};

impl<'v, 'a> Lowerer<'v, 'a> {
    /// Lowers places that references lead to and that are no definitions: below unknown keywords, or below keywords
    /// that were dropped.
    pub(crate) fn lower_targets(&mut self, declarations: &mut Declarations) {
        let mut known: FxHashSet<Pointer> =
            declarations.definitions.iter().map(|(pointer, _)| pointer.clone()).collect();
        let mut next = 0;
        let before = declarations.definitions.len();
        while next < self.references.len() {
            let target = self.references[next].target.clone();
            next += 1;
            if !known.insert(target.clone()) || declarations.schema(&target).is_some() {
                continue;
            }
            let Some(value) = self.root.at(&plain_pointer(&target)) else { continue };
            if !matches!(value.data, Data::Object(_) | Data::Bool(_)) {
                let message = format!("`{target}` is referred to as a schema, but it is {}", value.kind());
                self.push(Diagnostic::new(Code::DanglingReference, At::value(&self.file, &target), message));
                continue;
            }
            self.lower_at(&target, value, declarations);
        }
        if declarations.definitions.len() > before {
            self.sort_definitions(declarations);
        }
    }

    /// Lowers what looks like schemas at or below unknown keywords of the root, two levels deep: other files may refer
    /// to it.
    pub(super) fn lower_strangers(&mut self, declarations: &mut Declarations) {
        let before = (declarations.definitions.len(), self.references.len());
        self.silent = true;
        let members = self.root.members().unwrap_or(&[]);
        for member in members.iter().filter(|member| !is_known(&member.name) && member.name != "id") {
            let mut pointer = String::new();
            push_token(&mut pointer, &member.name);
            self.lower_stranger(&mut pointer, &member.value, 2, declarations);
        }
        self.lower_targets(declarations);
        self.silent = false;
        // Nobody is known to use these: a circle in there is nobody's loss.
        self.references.truncate(before.1);
        if declarations.definitions.len() > before.0 {
            self.sort_definitions(declarations);
        }
    }

    fn lower_stranger(
        &mut self,
        pointer: &mut String,
        value: &'v Value<'a>,
        levels: usize,
        declarations: &mut Declarations,
    ) {
        if looks_like_schema(value) {
            if declarations.schema(pointer).is_none() {
                self.lower_at(pointer, value, declarations);
            }
            return;
        }
        let members = value.members().filter(|_| levels > 0).unwrap_or(&[]);
        for member in members {
            let length = pointer.len();
            push_token(pointer, &member.name);
            self.lower_stranger(pointer, &member.value, levels - 1, declarations);
            pointer.truncate(length);
        }
    }

    fn lower_at(&mut self, pointer: &str, value: &'v Value<'a>, declarations: &mut Declarations) {
        self.resource = self.resources.around(pointer);
        self.dialect = self.resources.list[self.resource].dialect;
        self.path = pointer.to_owned();
        self.definition(value);
        self.path.clear();
        declarations.definitions.append(&mut self.definitions);
    }

    fn sort_definitions(&self, declarations: &mut Declarations) {
        declarations.definitions.sort_by_cached_key(|(pointer, _)| order(self.root, pointer));
        declarations.definitions.dedup_by(|a, b| a.0 == b.0);
    }
}

/// The position of a place in its document: the index of each step.
fn order(root: &Value<'_>, pointer: &str) -> Vec<usize> {
    let mut value = root;
    let mut steps = Vec::new();
    for token in pointer.split('/').skip(1) {
        let token = unescape(token);
        let index = match &value.data {
            Data::Object(members) => members.iter().position(|member| member.name == token),
            _ => array_index(&token),
        };
        let (Some(index), Some(inner)) = (index, value.step(&token)) else { break };
        steps.push(index);
        value = inner;
    }
    steps
}

/// Is it an object that has a keyword which only schemas have?
fn looks_like_schema(value: &Value<'_>) -> bool {
    value.members().is_some_and(|members| {
        members.iter().any(|member| match member.name.as_ref() {
            "type" | "$ref" => member.value.as_str().is_some() || matches!(member.value.data, Data::Array(_)),
            "title" | "description" | "default" | "example" | "examples" | "format" | "id" | "required"
            | "deprecated" | "if" | "then" | "else" | "not" | "contains" | "pattern" => false,
            name => is_known(name),
        })
    })
}
