//! One file's text in, declarations out. Never fails: what is wrong is a diagnostic beside what could be read.
//!
//! Knows formats (JSON, YAML) and dialects (JSON Schema, OpenAPI, ONEX). Does not know other files, Python, or the file system.

mod contract;
mod exports;
mod held;
mod include;
mod json;
mod json_schema;
mod metaschemas;
mod onex;
mod openapi;
pub mod remote;
#[cfg(test)]
mod tests;
mod uri;
mod value;
mod yaml;

use std::ops::Range;
use std::sync::Arc;

use omnigen_ir::naming::{Naming, Unit, plain_pointer};
use omnigen_ir::{Exports, FileId, Forms, Json, NodeManifest, Pointer, Reach, Schema, Scopes};
use omnigen_report::{At, Code, Diagnostic, Spot};

use contract::Kind;
pub use held::Held;
pub use include::Includes;
pub use json_schema::{DRAFTS, Dialect};
pub use metaschemas::{metaschema, metaschemas};
use value::{Data, Flaw, FlawPlace, Loaded, MAX_BYTES, Value, array_index, unescape};

/// What one file declares. Equal for texts that differ only in comments and layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declarations {
    /// The schema of the whole document; one that accepts everything if the document is no schema.
    pub root: Schema,
    /// What other contracts may name, in order. The root comes first as the empty pointer, if the document is a schema.
    pub exported: Vec<Pointer>,
    /// Members of `$defs` and `definitions` at any depth, and other places that references of this file lead to without
    /// passing known keywords: pointer and schema, in document order. Also what looks like schemas below unknown
    /// keywords of the root, which other files may refer to.
    pub definitions: Vec<(Pointer, Schema)>,
    /// Absolute URIs that identify schemas of this file (`$id`), with their pointers.
    pub ids: Vec<(Box<str>, Pointer)>,
    /// Anchors: pointer of the resource, name, pointer.
    pub anchors: Vec<(Pointer, Box<str>, Pointer)>,
    /// Resources with their dynamic anchors.
    pub scopes: Scopes,
    /// Where its references lead out of it, and what its dynamic references look up.
    pub reach: Reach,
    /// `$schema` as written.
    pub metaschema: Option<Box<str>>,
    /// `$vocabulary`: URI, and whether it is required.
    pub vocabulary: Option<Vec<(Box<str>, bool)>>,
    /// What was found wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// Nothing could be read: there is no schema to generate from.
    pub broken: bool,
    /// Files that stand within it (`!include`), whether or not they are there.
    pub includes: Vec<FileId>,
    /// Forms of API types that are only there if others are.
    pub forms: Forms,
    /// What an ONEX contract says beside its types.
    pub node: Option<Arc<NodeManifest>>,
    /// Positions in `definitions`, sorted by pointer; empty while these are still gathered.
    sorted: Vec<u32>,
}

impl Declarations {
    /// Is the whole file a schema? An API description or a node contract has schemas inside only.
    pub fn rooted(&self) -> bool {
        self.exported.first().is_none_or(|first| first.is_empty())
    }

    /// The schema at a pointer.
    pub fn schema(&self, pointer: &str) -> Option<&Schema> {
        let rooted = self.rooted();
        if pointer.is_empty() {
            return rooted.then_some(&self.root);
        }
        let (schema, length) = self.around(pointer).or_else(|| rooted.then_some((&self.root, 0)))?;
        let rest = &pointer[length..];
        schema.at(rest).or_else(|| older_spelling(schema, rest))
    }

    /// The innermost definition at or around a place, and the length of its pointer.
    fn around(&self, pointer: &str) -> Option<(&Schema, usize)> {
        let mut end = pointer.len();
        while end > 0 {
            let part = &pointer[..end];
            let found = if self.sorted.is_empty() {
                self.definitions.iter().find(|(at, _)| **at == *part)
            } else {
                let found = self.sorted.binary_search_by(|&i| (*self.definitions[i as usize].0).cmp(part));
                found.ok().map(|at| &self.definitions[self.sorted[at] as usize])
            };
            if let Some((_, schema)) = found {
                return Some((schema, end));
            }
            end = part.rfind('/')?;
        }
        None
    }

    /// Makes definitions quick to find, when all are there.
    fn sort(&mut self) {
        self.sorted = (0..self.definitions.len() as u32).collect();
        self.sorted.sort_by(|&a, &b| self.definitions[a as usize].0.cmp(&self.definitions[b as usize].0));
    }

    /// What others may see. `broken` files export nothing.
    pub fn exports(&self, unit: &Unit, naming: &Naming) -> Exports {
        exports::exports(self, unit, naming)
    }
}

/// Boolean schemas do not know where they stand, so that [`Schema::at`] has to guess the newest keyword.
fn older_spelling<'s>(schema: &'s Schema, rest: &str) -> Option<&'s Schema> {
    let (parent, last) = rest.rsplit_once('/')?;
    if last == "additionalItems" {
        return schema.at(&format!("{parent}/items")).filter(|schema| schema.node().is_none());
    }
    let (parent, keyword) = parent.rsplit_once('/')?;
    let newer = match keyword {
        "items" => "prefixItems",
        "dependencies" => "dependentSchemas",
        _ => return None,
    };
    schema.at(&format!("{parent}/{newer}/{last}")).filter(|schema| schema.node().is_none())
}

/// Reads one file. `file` decides between JSON and YAML by its extension, and is the base of relative references.
pub fn declarations(file: &FileId, text: &str) -> Declarations {
    read(file, text, None, None, &Includes::default())
}

/// Reads one file and what it includes. What [`Declarations::includes`] names and `includes` does not know has to be supplied:
/// until then the result is not to be used. A schema without `$schema` is read in the dialect `assumed`, if there is one.
pub fn declarations_with(file: &FileId, text: &str, includes: &Includes, assumed: Option<Dialect>) -> Declarations {
    read(file, text, None, assumed, includes)
}

/// The same in a dialect that its `$schema` does not tell by itself: one with a metaschema of somebody's own.
pub fn declarations_in(file: &FileId, text: &str, dialect: Dialect, includes: &Includes) -> Declarations {
    read(file, text, Some(dialect), None, includes)
}

fn read(
    file: &FileId,
    text: &str,
    dialect: Option<Dialect>,
    assumed: Option<Dialect>,
    includes: &Includes,
) -> Declarations {
    let mut loaded = load(file, text);
    let mut spliced = include::splice(file, &mut loaded, includes);
    let api = loaded.value.as_mut().filter(|root| openapi::is_one(file, root));
    let elsewhere = api.map(|root| openapi::elsewhere::splice(file, root, includes)).unwrap_or_default();
    let diagnostics: Vec<Diagnostic> = loaded.flaws.into_iter().map(|flaw| diagnostic(file, flaw)).collect();
    // What says what it is needs no assumption.
    let assumed = assumed.filter(|_| {
        let root = loaded.value.as_ref();
        root.is_some_and(|root| {
            root.members().is_some() && ["$schema", "openapi"].iter().all(|key| root.get(key).is_none())
        })
    });
    let mut declared = declared(file, loaded.value, dialect.or(assumed), diagnostics);
    // What leads nowhere is told once.
    let told: Vec<String> = elsewhere.diagnostics.iter().filter_map(plain_place).collect();
    declared.diagnostics.retain(|found| told.is_empty() || !plain_place(found).is_some_and(|at| told.contains(&at)));
    declared.diagnostics.extend(spliced.diagnostics.into_iter().chain(elsewhere.diagnostics));
    spliced.asked.extend(elsewhere.asked);
    spliced.asked.sort();
    spliced.asked.dedup();
    declared.includes = spliced.asked;
    declared.take_back();
    declared.sort();
    declared
}

/// The pointer that a finding is about, without notes.
fn plain_place(diagnostic: &Diagnostic) -> Option<String> {
    match &diagnostic.at.as_ref()?.spot {
        Spot::Pointer { pointer, .. } => Some(plain_pointer(pointer).into_owned()),
        Spot::File | Spot::Span { .. } => None,
    }
}

fn declared(
    file: &FileId,
    root: Option<value::Value<'_>>,
    dialect: Option<Dialect>,
    mut diagnostics: Vec<Diagnostic>,
) -> Declarations {
    let broken = |diagnostics| Declarations {
        root: Schema::Bool(true),
        exported: Vec::new(),
        definitions: Vec::new(),
        ids: Vec::new(),
        anchors: Vec::new(),
        scopes: Scopes::new(),
        reach: Reach::default(),
        metaschema: None,
        vocabulary: None,
        diagnostics,
        broken: true,
        includes: Vec::new(),
        forms: Vec::new(),
        node: None,
        sorted: Vec::new(),
    };
    let Some(root) = root else { return broken(diagnostics) };
    let recognised = match dialect {
        Some(dialect) => Ok((Kind::Schema(dialect), None)),
        None => contract::recognise(file, &root),
    };
    match recognised {
        Ok((kind, diagnostic)) => {
            diagnostics.extend(diagnostic);
            match kind {
                Kind::Schema(dialect) => json_schema::lower(file, &root, dialect, diagnostics),
                Kind::ApiPart => {
                    let mut declared = json_schema::lower(file, &root, Dialect::UNSTATED, diagnostics);
                    // The file is no schema, but others refer to schemas in it.
                    declared.exported.clear();
                    declared.definitions.retain(|(pointer, _)| !openapi::elsewhere::is_part_at(pointer));
                    declared.diagnostics.retain(|found| found.is_error() || found.code == Code::NotAContract);
                    declared
                }
                Kind::OpenApi(version) => openapi::lower(file, &root, version, diagnostics),
                Kind::Onex(kind) => onex::lower(file, &root, kind, diagnostics),
            }
        }
        Err(diagnostic) => {
            // What is odd about a file that is not ours is not ours to say.
            diagnostics.retain(Diagnostic::is_error);
            diagnostics.push(diagnostic);
            broken(diagnostics)
        }
    }
}

/// The document as JSON Schema (for the oracle), if it parses: an ONEX contract as what it was translated to.
pub fn schema_document(file: &FileId, text: &str, includes: &Includes) -> Option<Json> {
    let mut loaded = load(file, text);
    include::splice(file, &mut loaded, includes);
    let mut value = loaded.value?;
    if openapi::is_one(file, &value) {
        openapi::elsewhere::splice(file, &mut value, includes);
    }
    match contract::recognise(file, &value) {
        Ok((Kind::Onex(kind), _)) => Some(onex::as_schema(file, &value, kind).json()),
        _ => Some(value.json()),
    }
}

/// The whole document as a value, if it parses.
pub fn document(file: &FileId, text: &str) -> Option<Json> {
    load(file, text).value.map(|value| value.json())
}

/// The bytes of the value at a pointer, or of its member's name; of the deepest ancestor that exists if it does not.
pub fn locate(file: &FileId, text: &str, pointer: &str, key: bool) -> Option<Range<usize>> {
    Lookup::new(file, text).locate(pointer, key)
}

/// A text that was read to look up places in it.
pub struct Lookup<'t> {
    root: Option<Value<'t>>,
    /// Places of a translated document, and what they were made of.
    origins: Vec<(String, String)>,
}

impl<'t> Lookup<'t> {
    /// Reads a text.
    pub fn new(file: &FileId, text: &'t str) -> Lookup<'t> {
        let root = load(file, text).value;
        let origins = match root.as_ref().map(|root| (root, contract::recognise(file, root))) {
            Some((root, Ok((Kind::Onex(kind), _)))) => onex::origins(file, root, kind),
            _ => Vec::new(),
        };
        Lookup { root, origins }
    }

    /// The bytes of the value at a pointer, or of its member's name; of the deepest ancestor that exists if it does not.
    pub fn locate(&self, pointer: &str, key: bool) -> Option<Range<usize>> {
        let root = self.root.as_ref()?;
        let translated = onex::source_of(&self.origins, root, pointer);
        let pointer = translated.as_deref().unwrap_or(pointer);
        let mut value = root;
        let mut name = None;
        let pointer = plain_pointer(pointer);
        for token in pointer.split('/').skip(1).map(unescape) {
            let (inner, span) = match &value.data {
                Data::Object(members) => match members.iter().find(|member| member.name == token) {
                    Some(member) => (&member.value, Some(member.key)),
                    None => return Some(value.span.range()),
                },
                Data::Array(items) => match array_index(&token).and_then(|index| items.get(index)) {
                    Some(item) => (item, None),
                    None => return Some(value.span.range()),
                },
                _ => return Some(value.span.range()),
            };
            value = inner;
            name = span;
        }
        Some(name.filter(|_| key).unwrap_or(value.span).range())
    }
}

fn load<'t>(file: &FileId, text: &'t str) -> Loaded<'t> {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; the limit is {MAX_BYTES}", text.len());
        return Loaded::failed(Flaw::bytes(Code::TooLarge, 0..0, message));
    }
    let (text, offset) = match text.strip_prefix('\u{feff}') {
        Some(rest) => (rest, '\u{feff}'.len_utf8()),
        None => (text, 0),
    };
    if text.trim().is_empty() {
        return Loaded::failed(Flaw::bytes(Code::Empty, offset..offset + text.len(), "the file is empty"));
    }
    if is_yaml(file) { yaml::load(text, offset) } else { json::load(text, offset) }
}

fn is_yaml(file: &str) -> bool {
    let extension = file.rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
    extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml")
}

fn diagnostic(file: &FileId, flaw: Flaw) -> Diagnostic {
    let at = match flaw.place {
        FlawPlace::Bytes(range) => At::span(file, range.start, range.end),
        FlawPlace::Key(pointer) => At::key(file, &pointer),
        FlawPlace::Value(pointer) => At::value(file, &pointer),
    };
    let mut diagnostic = Diagnostic::new(flaw.code, at, flaw.message);
    diagnostic.severity = flaw.severity;
    diagnostic.hint = flaw.hint;
    diagnostic
}
