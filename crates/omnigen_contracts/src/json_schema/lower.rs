//! A document's tree to [`Schema`]s: one pass over its keywords.

use std::collections::BTreeSet;
use std::sync::Arc;

use omnigen_ir::{Node, Notes, Pointer, Property, Reach, RefTarget, Reference, Schema, TypeSet};
use omnigen_report::{At, Code, Diagnostic, nearest};
use rustc_hash::{FxHashMap, FxHashSet};

use super::keywords::{Dialect, Draft, is_known, meant};
use super::references::{LocalReference, loops, resolve};
use super::resources::Resources;
use super::together::Pending;
use crate::Declarations;
use crate::openapi::Api;
use crate::value::{Data, MAX_REFERENCES, MAX_SCHEMAS, Member, Value, push_index, push_token};

/// Makes declarations of a document.
pub(crate) fn lower(file: &Arc<str>, root: &Value<'_>, dialect: Dialect, diagnostics: Vec<Diagnostic>) -> Declarations {
    let resources = Resources::new(root, file, dialect);
    let mut lowerer = Lowerer::new(file, root, &resources, dialect, diagnostics);
    let schema = lowerer.schema(root);
    let exported = exported(&lowerer.definitions);
    let mut declarations = Declarations {
        root: schema,
        exported,
        definitions: std::mem::take(&mut lowerer.definitions),
        ids: resources.ids.clone(),
        anchors: resources.anchors(),
        scopes: resources.scopes(),
        reach: Reach::default(),
        metaschema: root.get("$schema").and_then(Value::as_str).map(Into::into),
        vocabulary: vocabulary(root),
        diagnostics: Vec::new(),
        broken: false,
        includes: Vec::new(),
        forms: Vec::new(),
        node: None,
        sorted: Vec::new(),
    };
    lowerer.lower_targets(&mut declarations);
    lowerer.lower_strangers(&mut declarations);
    let found = loops(file, &lowerer.references);
    lowerer.diagnostics.extend(found);
    declarations.diagnostics = std::mem::take(&mut lowerer.diagnostics);
    declarations.reach = lowerer.reach();
    // Declarations stay in memory.
    declarations.definitions.shrink_to_fit();
    declarations.diagnostics.shrink_to_fit();
    declarations
}

/// The root, then the members of the top-level `$defs`, then those of `definitions`.
fn exported(definitions: &[(Pointer, Schema)]) -> Vec<Pointer> {
    let mut list = vec!["".into()];
    for folder in ["/$defs/", "/definitions/"] {
        let inside = |pointer: &Pointer| pointer.strip_prefix(folder).is_some_and(|name| !name.contains('/'));
        list.extend(definitions.iter().map(|(pointer, _)| pointer).filter(|pointer| inside(pointer)).cloned());
    }
    list
}

/// `$vocabulary`, for those whose metaschema the document is.
fn vocabulary(root: &Value<'_>) -> Option<Vec<(Box<str>, bool)>> {
    let members = root.get("$vocabulary")?.members()?;
    let entry = |member: &Member<'_>| match member.value.data {
        Data::Bool(required) => Some((member.name.as_ref().into(), required)),
        _ => None,
    };
    Some(members.iter().filter_map(entry).collect())
}

/// Where the walk is, and what it has gathered.
pub(crate) struct Lowerer<'v, 'a> {
    pub(crate) file: Arc<str>,
    pub(crate) root: &'v Value<'a>,
    pub(super) resources: &'v Resources,
    pub(super) dialect: Dialect,
    /// The document describes an API: its schemas have keywords of their own.
    pub(crate) api: Option<Api<'v, 'a>>,
    pub(super) resource: usize,
    /// Length of the pointer of the outermost schema around that applies to the same instance.
    pub(super) entry: usize,
    pub(crate) path: String,
    pub(crate) definitions: Vec<(Pointer, Schema)>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(super) references: Vec<LocalReference>,
    /// What texts of references mean, by resource.
    resolved: FxHashMap<(usize, &'v str), RefTarget>,
    /// Names that dynamic references look up.
    pub(super) looked_up: BTreeSet<Box<str>>,
    /// Unknown keywords that were reported: once a file is enough.
    unknown: FxHashSet<&'v str>,
    /// Length of the path of the definition that is lowered: it is not to be taken for an embedded one again.
    defined: Option<usize>,
    /// Nothing is reported: the place may not be a schema at all.
    pub(super) silent: bool,
    /// Schemas lowered so far.
    schemas: usize,
}

/// Does a subschema apply to the same instance as the schema around it?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Applies {
    InPlace,
    /// To a part of it.
    Inside,
}

impl<'v, 'a> Lowerer<'v, 'a> {
    pub(crate) fn new(
        file: &Arc<str>,
        root: &'v Value<'a>,
        resources: &'v Resources,
        dialect: Dialect,
        diagnostics: Vec<Diagnostic>,
    ) -> Lowerer<'v, 'a> {
        Lowerer {
            file: file.clone(),
            root,
            resources,
            dialect,
            api: None,
            resource: 0,
            entry: 0,
            path: String::with_capacity(128),
            definitions: Vec::new(),
            diagnostics,
            references: Vec::new(),
            resolved: FxHashMap::default(),
            looked_up: BTreeSet::new(),
            unknown: FxHashSet::default(),
            defined: Some(0),
            silent: false,
            schemas: 0,
        }
    }

    /// Says once that the rest of the file is left out.
    fn too_many(&mut self) {
        if self.schemas == usize::MAX {
            return;
        }
        let (what, most) =
            if self.schemas > MAX_SCHEMAS { ("schemas", MAX_SCHEMAS) } else { ("references", MAX_REFERENCES) };
        // No file has so many: the limit stays reached.
        self.schemas = usize::MAX;
        let message = format!("the file has more than {most} {what}");
        let diagnostic = Diagnostic::new(Code::TooLarge, At::value(&self.file, &self.path), message);
        self.diagnostics.push(diagnostic.hint("split it into several files"));
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if !self.silent {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn at_key(&self, keyword: &str) -> At {
        let mut pointer = self.path.clone();
        push_token(&mut pointer, keyword);
        At::key(&self.file, &pointer)
    }

    /// What the document reaches.
    pub(crate) fn reach(&self) -> Reach {
        let leads: BTreeSet<_> = self
            .resolved
            .values()
            .filter_map(|target| match target {
                RefTarget::Elsewhere { uri, fragment: _, beside } => Some((uri.clone(), beside.clone())),
                RefTarget::Here(_) | RefTarget::Dangling => None,
            })
            .collect();
        Reach { leads: leads.into_iter().collect(), looked_up: self.looked_up.iter().cloned().collect() }
    }

    pub(crate) fn schema(&mut self, value: &'v Value<'a>) -> Schema {
        match &value.data {
            Data::Bool(flag) => {
                self.boolean(*flag);
                Schema::Bool(*flag)
            }
            Data::Object(members) => {
                if self.defined != Some(self.path.len())
                    && self.resources.scoped()
                    && self.resources.beginning(&self.path).is_some_and(|resource| resource > 0)
                {
                    return self.embedded(value);
                }
                self.object(value, members)
            }
            _ => {
                let message = format!("a schema must be an object or a boolean, not {}", value.kind());
                let diagnostic = Diagnostic::new(Code::WrongType, At::value(&self.file, &self.path), message);
                let diagnostic = match value.as_str() {
                    Some(name) if TypeSet::named(name).is_some() => {
                        diagnostic.hint(format!("did you mean `{{\"type\": \"{name}\"}}`?"))
                    }
                    Some(flag @ ("true" | "false")) => diagnostic.hint(format!("write `{flag}`, without quotes")),
                    _ if matches!(value.data, Data::Null) => {
                        diagnostic.hint("write `true` if everything is allowed, or leave it out")
                    }
                    _ => diagnostic.hint("expected a schema such as `{\"type\": \"string\"}`"),
                };
                self.push(diagnostic);
                Schema::Bool(true)
            }
        }
    }

    /// Draft-04 has booleans only as `additionalProperties` and `additionalItems`.
    fn boolean(&mut self, flag: bool) {
        let additional = ["/additionalProperties", "/additionalItems"];
        if self.dialect.boolean_schemas() || additional.iter().any(|keyword| self.path.ends_with(keyword)) {
            return;
        }
        let draft = self.dialect.draft.name();
        let message = format!("`{flag}` is no schema in {draft}; it is taken as later drafts do");
        let mut diagnostic = Diagnostic::new(Code::WrongType, At::value(&self.file, &self.path), message);
        diagnostic.severity = omnigen_report::Severity::Warning;
        self.push(diagnostic.hint(if flag { "write `{}`" } else { "write `{\"not\": {}}`" }));
    }

    /// A resource within another one, in a file with dynamic anchors: a definition that is referred to where it stands, so that a
    /// resource is entered by references only.
    fn embedded(&mut self, value: &'v Value<'a>) -> Schema {
        self.definition(value);
        let mut node = Node::new(&self.path);
        let target = RefTarget::Here(self.path.as_str().into());
        node.reference = Some(Box::new(Reference { text: self.path.as_str().into(), target, dynamic: None }));
        Schema::Node(Box::new(node))
    }

    fn object(&mut self, value: &'v Value<'a>, members: &'v [Member<'a>]) -> Schema {
        self.schemas = self.schemas.saturating_add(1);
        if self.schemas > MAX_SCHEMAS || self.references.len() > MAX_REFERENCES {
            self.too_many();
            return Schema::Bool(true);
        }
        let around = (self.resource, self.dialect);
        let mut reference = None;
        if members.iter().any(|member| member.name.starts_with('$') || member.name == "id") {
            if let Some(resource) = self.resources.beginning(&self.path) {
                self.resource = resource;
                self.dialect = self.resources.list[resource].dialect;
            }
            reference = value.get("$ref");
        }
        let mut node = Node::new(&self.path);
        match reference {
            Some(text) if self.dialect.reference_alone() => {
                node.reference = self.reference("$ref", text);
                self.beside_reference(&mut node, members);
            }
            _ => {
                let mut pending = Pending::default();
                for member in members {
                    self.keyword(&mut node, &mut pending, &member.name, &member.value);
                }
                self.arrays(&mut node, &pending);
                self.conditions(&mut node, &pending);
                self.limits(&mut node, &pending);
                self.unevaluated(&mut node, &pending);
                self.dynamic_references(&mut node, &pending);
                self.draft_04_integer(&mut node);
            }
        }
        (self.resource, self.dialect) = around;
        if let Some(api) = &mut self.api {
            api.finish(&mut node, value, &mut self.diagnostics, &self.file);
        }
        self.contradictions(&node);
        if says_nothing(&node) { Schema::Bool(true) } else { Schema::Node(Box::new(node)) }
    }

    fn keyword(&mut self, node: &mut Node, pending: &mut Pending<'v, 'a>, name: &'v str, value: &'v Value<'a>) {
        if let Some(since) = self.dialect.too_new(name) {
            let message =
                format!("`{name}` came with {}; in {} it asserts nothing", since.name(), self.dialect.draft.name());
            let hint = match (name, self.dialect.draft) {
                ("const", Draft::OpenApi30) => "write an `enum` of one value",
                (_, Draft::OpenApi30) => "state `openapi: 3.1.0`, whose schemas are those of draft 2020-12",
                _ => "state a later `$schema`",
            };
            self.push(Diagnostic::new(Code::IgnoredKeyword, self.at_key(name), message).hint(hint));
            return;
        }
        if let Some(until) = self.dialect.too_old(name) {
            let message = format!("`{name}` means nothing since {}", until.name());
            let hint =
                if name == "additionalItems" { "write `items` beside `prefixItems`" } else { "write `$dynamicRef`" };
            self.push(Diagnostic::new(Code::IgnoredKeyword, self.at_key(name), message).hint(hint));
            return;
        }
        if self.dialect.leaves_out(name) {
            let message = format!("`{name}` asserts nothing: the metaschema leaves out its vocabulary");
            self.push(Diagnostic::new(Code::IgnoredKeyword, self.at_key(name), message));
            return;
        }
        match name {
            "type" => node.types = self.types(value),
            "enum" => match &value.data {
                Data::Array(items) => node.enumeration = Some(items.iter().map(Value::json).collect()),
                _ => self.wrong(name, value, "an array"),
            },
            "const" => node.constant = Some(value.json()),
            "$ref" => node.reference = self.reference(name, value),

            "minimum" => set(&mut node.number, self.number(name, value), |rules| &mut rules.minimum),
            "maximum" => set(&mut node.number, self.number(name, value), |rules| &mut rules.maximum),
            "exclusiveMinimum" => pending.exclusive_minimum = Some(value),
            "exclusiveMaximum" => pending.exclusive_maximum = Some(value),
            "multipleOf" => {
                let number = self.number(name, value);
                let zero = omnigen_ir::Number::from_i64(0);
                match number {
                    Some(number) if number.compare(&zero).is_gt() => {
                        node.number.get_or_insert_default().multiple_of = Some(number);
                    }
                    Some(number) => {
                        let at = At::value(&self.file, &format!("{}/multipleOf", self.path));
                        let message = format!("`multipleOf` must be greater than zero, not {}", number.text());
                        self.push(Diagnostic::new(Code::WrongType, at, message));
                    }
                    None => {}
                }
            }

            "minLength" => set(&mut node.string, self.count(name, value), |rules| &mut rules.min_length),
            "maxLength" => set(&mut node.string, self.count(name, value), |rules| &mut rules.max_length),
            "pattern" => set(&mut node.string, self.text(name, value), |rules| &mut rules.pattern),
            "format" => {
                set(&mut node.string, self.text(name, value), |rules| &mut rules.format);
                if let Some(rules) = node.string.as_deref_mut().filter(|_| self.dialect.asserts_formats()) {
                    rules.asserted = true;
                }
            }

            "items" => pending.items = Some(value),
            "additionalItems" => pending.additional_items = Some(value),
            "prefixItems" => pending.prefix_items = Some(value),
            "unevaluatedItems" => pending.unevaluated_items = Some(value),
            "contains" => pending.contains = Some(value),
            "minContains" => pending.min_contains = Some(value),
            "maxContains" => pending.max_contains = Some(value),
            "minItems" => set(&mut node.array, self.count(name, value), |rules| &mut rules.min_items),
            "maxItems" => set(&mut node.array, self.count(name, value), |rules| &mut rules.max_items),
            "uniqueItems" => {
                if self.flag(name, value) == Some(true) {
                    node.array.get_or_insert_default().unique = true;
                }
            }

            "properties" => {
                let list = self.map(name, value, Applies::Inside);
                if !list.is_empty() {
                    node.object.get_or_insert_default().properties =
                        list.into_iter().map(|(name, schema)| Property { name, schema }).collect();
                }
            }
            "patternProperties" => {
                let list = self.map(name, value, Applies::Inside);
                if !list.is_empty() {
                    node.object.get_or_insert_default().patterns = list;
                }
            }
            "additionalProperties" => {
                let schema = self.child(name, value, Applies::Inside);
                node.object.get_or_insert_default().additional = Some(schema);
            }
            "unevaluatedProperties" => pending.unevaluated_properties = Some(value),
            "propertyNames" => {
                let schema = self.child(name, value, Applies::Inside);
                node.object.get_or_insert_default().names = Some(schema);
            }
            "required" => {
                let names = self.names(&["required"], value);
                if !names.is_empty() {
                    node.object.get_or_insert_default().required = names;
                }
            }
            "minProperties" => set(&mut node.object, self.count(name, value), |rules| &mut rules.min_properties),
            "maxProperties" => set(&mut node.object, self.count(name, value), |rules| &mut rules.max_properties),
            "dependentRequired" => self.dependent_required(node, value),
            "dependentSchemas" => {
                let list = self.map(name, value, Applies::InPlace);
                if !list.is_empty() {
                    node.object.get_or_insert_default().dependent_schemas.extend(list);
                }
            }
            "dependencies" => self.dependencies(node, value),

            "allOf" | "anyOf" | "oneOf" => {
                let Data::Array(items) = &value.data else { return self.wrong(name, value, "an array of schemas") };
                if items.is_empty() {
                    let at = At::value(&self.file, &format!("{}/{name}", self.path));
                    self.push(Diagnostic::new(Code::WrongType, at, format!("`{name}` must hold at least one schema")));
                    return;
                }
                let list = self.list(name, items, Applies::InPlace);
                let logic = node.logic.get_or_insert_default();
                match name {
                    "allOf" => logic.all_of = list,
                    "anyOf" => logic.any_of = list,
                    _ => logic.one_of = list,
                }
            }
            "not" => {
                let schema = self.child(name, value, Applies::InPlace);
                node.logic.get_or_insert_default().not = Some(schema);
            }
            "$dynamicRef" => pending.dynamic = Some(value),
            "$recursiveRef" => pending.recursive = Some(value),
            "if" => pending.test = Some(value),
            "then" => pending.then = Some(value),
            "else" => pending.otherwise = Some(value),

            "$defs" | "definitions" => self.definitions(name, value),
            _ => self.other(node, name, value),
        }
    }

    /// Annotations, identifiers, and what is no keyword.
    fn other(&mut self, node: &mut Node, name: &'v str, value: &'v Value<'a>) {
        match name {
            "title" => set_note(node, self.note_text(name, value), |notes| &mut notes.title),
            "description" => set_note(node, self.note_text(name, value), |notes| &mut notes.description),
            "default" => set_note(node, Some(value.json()), |notes| &mut notes.default),
            "examples" => {
                let list = self.note_list(name, value).iter().map(Value::json);
                if list.len() > 0 {
                    notes(node).examples.extend(list);
                }
            }
            "example" => notes(node).examples.push(value.json()),
            "deprecated" | "readOnly" | "writeOnly" => {
                if self.note_flag(name, value) {
                    let notes = notes(node);
                    match name {
                        "deprecated" => notes.deprecated = true,
                        "readOnly" => notes.read_only = true,
                        _ => notes.write_only = true,
                    }
                }
            }
            "$schema" | "$comment" | "contentEncoding" | "contentMediaType" | "contentSchema" => {}
            "$id" | "id" => self.identifier(name, value),
            "$anchor" | "$dynamicAnchor" => {
                if value.as_str().is_none() {
                    self.wrong(name, value, "a string");
                }
            }
            "$recursiveAnchor" => {}
            "$vocabulary" => {
                if value.members().is_none() {
                    self.wrong(name, value, "an object of booleans");
                }
            }
            _ => self.stranger(name),
        }
    }

    fn identifier(&mut self, name: &str, value: &Value<'_>) {
        let own = self.dialect.id();
        if name != own {
            if value.as_str().is_some() {
                let message = format!("`{name}` means nothing in {}; there it is `{own}`", self.dialect.draft.name());
                self.push(
                    Diagnostic::new(Code::IgnoredKeyword, self.at_key(name), message)
                        .hint(format!("rename it `{own}`")),
                );
            }
            return;
        }
        let Some(text) = value.as_str() else { return self.wrong(name, value, "a string") };
        match crate::uri::Parts::new(text) {
            Err(why) => {
                let at = At::value(&self.file, &format!("{}/{name}", self.path));
                let message = format!("`{text}` is no URI reference: {why}");
                self.push(Diagnostic::new(Code::BadReference, at, message));
            }
            Ok(parts) if !parts.fragment().is_empty() && !self.dialect.id_is_anchor() => {
                let message = format!("`{name}` must have no fragment in {}", self.dialect.draft.name());
                let diagnostic = Diagnostic::new(Code::IgnoredKeyword, self.at_key(name), message);
                self.push(diagnostic.hint("name a place with `$anchor`"));
            }
            Ok(_) => {}
        }
    }

    /// What is no keyword of any draft.
    fn stranger(&mut self, name: &'v str) {
        let of_api = self.api.is_some() && matches!(name, "discriminator" | "xml" | "externalDocs" | "nullable");
        if name.starts_with("x-") || of_api || self.silent || !self.unknown.insert(name) {
            return;
        }
        let diagnostic = match meant(name) {
            Some(keyword) => {
                let message = format!("`{name}` is no keyword of JSON Schema; it asserts nothing");
                Diagnostic::new(Code::MisspelledKeyword, self.at_key(name), message)
                    .hint(format!("did you mean `{keyword}`?"))
            }
            None if name == "nullable" => {
                let message = "`nullable` is a keyword of OpenAPI 3.0 alone; here it asserts nothing".to_owned();
                Diagnostic::new(Code::MisspelledKeyword, self.at_key(name), message)
                    .hint("write `null` beside the type, as in `\"type\": [\"string\", \"null\"]`")
            }
            None => {
                let message = format!("`{name}` is no keyword of JSON Schema; it asserts nothing");
                Diagnostic::new(Code::UnknownKeyword, self.at_key(name), message)
            }
        };
        self.push(diagnostic);
    }

    /// Draft-07 core, section 8.3: what stands beside `$ref` is ignored. Annotations are kept, they do no harm, and
    /// definitions can be referred to wherever they stand.
    fn beside_reference(&mut self, node: &mut Node, members: &'v [Member<'a>]) {
        for member in members {
            let (name, value) = (member.name.as_ref(), &member.value);
            match name {
                "$ref" | "$id" | "id" => {}
                "$defs" | "definitions" => self.definitions(name, value),
                "title" | "description" | "default" | "examples" | "example" | "deprecated" | "readOnly"
                | "writeOnly" | "$schema" | "$comment" | "contentEncoding" | "contentMediaType" | "contentSchema" => {
                    self.other(node, name, value);
                }
                name if is_known(name) => {
                    let message = format!("`{name}` has no effect beside `$ref` in {}", self.dialect.draft.name());
                    let diagnostic = Diagnostic::new(Code::IgnoredKeyword, self.at_key(name), message);
                    self.push(diagnostic.hint("put the reference into `allOf`, or state a later `$schema`"));
                }
                name => self.stranger(name),
            }
        }
    }

    fn types(&mut self, value: &Value<'_>) -> Option<TypeSet> {
        match &value.data {
            Data::String(name) => self.named_type(name, None),
            Data::Array(items) if !items.is_empty() => {
                let mut types = TypeSet::NONE;
                for (index, item) in items.iter().enumerate() {
                    match item.as_str() {
                        Some(name) => types = types.or(self.named_type(name, Some(index)).unwrap_or(TypeSet::NONE)),
                        None => {
                            let message = format!("`type` lists names of types, not {}", item.kind());
                            let at = At::value(&self.file, &format!("{}/type/{index}", self.path));
                            self.push(Diagnostic::new(Code::WrongType, at, message));
                        }
                    }
                }
                (!types.is_empty()).then_some(types)
            }
            Data::Array(_) => {
                let at = At::value(&self.file, &format!("{}/type", self.path));
                self.push(Diagnostic::new(Code::WrongType, at, "`type` must name at least one type"));
                None
            }
            _ => {
                self.wrong("type", value, "the name of a type or an array of them");
                None
            }
        }
    }

    fn named_type(&mut self, name: &str, index: Option<usize>) -> Option<TypeSet> {
        const NAMES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];
        if let Some(types) = TypeSet::named(name) {
            return Some(types);
        }
        let shown: String = name.chars().take(60).collect();
        let mut at = format!("{}/type", self.path);
        if let Some(index) = index {
            push_index(&mut at, index);
        }
        let message = match name {
            "" => "the name of a type is empty".to_owned(),
            _ => format!("there is no type `{shown}`"),
        };
        let diagnostic = Diagnostic::new(Code::UnknownType, At::value(&self.file, &at), message);
        let lower = name.to_ascii_lowercase();
        let suggestion = match lower.as_str() {
            "str" | "text" | "char" | "date" | "datetime" | "uuid" => Some("string"),
            "int" | "long" => Some("integer"),
            "float" | "double" | "decimal" => Some("number"),
            "bool" => Some("boolean"),
            "list" | "tuple" | "set" => Some("array"),
            "dict" | "map" | "struct" => Some("object"),
            "none" | "nil" | "undefined" => Some("null"),
            _ => nearest(&lower, NAMES.into_iter(), 2),
        };
        self.push(match suggestion {
            Some(name) => diagnostic.hint(format!("did you mean `{name}`?")),
            None if name == "any" => diagnostic.hint("leave `type` out to allow every type"),
            None => diagnostic.hint(format!("the types are {}", NAMES.join(", "))),
        });
        None
    }

    pub(super) fn reference(&mut self, keyword: &str, value: &'v Value<'a>) -> Option<Box<Reference>> {
        let Some(text) = value.as_str() else {
            self.wrong(keyword, value, "a string");
            return None;
        };
        let target = self.target(keyword, text);
        if let RefTarget::Here(pointer) = &target {
            let at = self.path.as_str().into();
            self.references.push(LocalReference { at, entry: self.entry, target: pointer.clone(), dynamic: false });
        }
        Some(Box::new(Reference { text: text.into(), target, dynamic: None }))
    }

    /// Where a reference leads that stands under `keyword` in the schema at the path.
    pub(crate) fn target(&mut self, keyword: &str, text: &'v str) -> RefTarget {
        match self.resolved.get(&(self.resource, text)) {
            Some(target) => target.clone(),
            None => {
                let at = [&*self.path, "/", keyword].concat();
                let (mut target, diagnostic) = resolve(self.root, self.resources, &self.file, self.resource, text, &at);
                if let (Some(api), RefTarget::Here(pointer)) = (&self.api, &mut target)
                    && let Some(noted) = api.noted(pointer)
                {
                    *pointer = noted.into();
                }
                match diagnostic {
                    Some(diagnostic) => self.push(diagnostic),
                    // One that was reported is not remembered: it is reported wherever it stands.
                    None => drop(self.resolved.insert((self.resource, text), target.clone())),
                }
                target
            }
        }
    }

    fn definitions(&mut self, keyword: &str, value: &'v Value<'a>) {
        let Some(members) = value.members() else { return self.wrong(keyword, value, "an object of schemas") };
        let length = self.path.len();
        push_token(&mut self.path, keyword);
        for member in members {
            let folder = self.path.len();
            push_token(&mut self.path, &member.name);
            self.definition(&member.value);
            self.path.truncate(folder);
        }
        self.path.truncate(length);
    }

    /// Lowers the schema at the path as a definition: before those inside it, as the document has them.
    pub(crate) fn definition(&mut self, value: &'v Value<'a>) {
        let slot = self.definitions.len();
        self.definitions.push((self.path.as_str().into(), Schema::Bool(true)));
        let entry = std::mem::replace(&mut self.entry, self.path.len());
        let defined = self.defined.replace(self.path.len());
        let schema = self.schema(value);
        (self.entry, self.defined) = (entry, defined);
        self.definitions[slot].1 = schema;
    }

    pub(super) fn child(&mut self, keyword: &str, value: &'v Value<'a>, applies: Applies) -> Schema {
        let (length, entry) = (self.path.len(), self.entry);
        push_token(&mut self.path, keyword);
        if applies == Applies::Inside {
            self.entry = self.path.len();
        }
        let schema = self.schema(value);
        self.path.truncate(length);
        self.entry = entry;
        schema
    }

    pub(super) fn grandchild(&mut self, keyword: &str, name: &str, value: &'v Value<'a>, applies: Applies) -> Schema {
        let length = self.path.len();
        push_token(&mut self.path, keyword);
        let schema = self.child(name, value, applies);
        self.path.truncate(length);
        schema
    }

    pub(super) fn list(&mut self, keyword: &str, items: &'v [Value<'a>], applies: Applies) -> Vec<Schema> {
        let (length, entry) = (self.path.len(), self.entry);
        push_token(&mut self.path, keyword);
        let folder = self.path.len();
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            push_index(&mut self.path, index);
            if applies == Applies::Inside {
                self.entry = self.path.len();
            }
            list.push(self.schema(item));
            self.path.truncate(folder);
        }
        self.path.truncate(length);
        self.entry = entry;
        list
    }

    fn map(&mut self, keyword: &str, value: &'v Value<'a>, applies: Applies) -> Vec<(Box<str>, Schema)> {
        let Some(members) = value.members() else {
            self.wrong(keyword, value, "an object of schemas");
            return Vec::new();
        };
        let (length, entry) = (self.path.len(), self.entry);
        push_token(&mut self.path, keyword);
        let folder = self.path.len();
        let mut list = Vec::with_capacity(members.len());
        for member in members {
            push_token(&mut self.path, &member.name);
            if applies == Applies::Inside {
                self.entry = self.path.len();
            }
            let schema = self.schema(&member.value);
            list.push((member.name.as_ref().into(), schema));
            self.path.truncate(folder);
        }
        self.path.truncate(length);
        self.entry = entry;
        list
    }
}

fn says_nothing(node: &Node) -> bool {
    node.reference.is_none()
        && node.types.is_none()
        && node.enumeration.is_none()
        && node.constant.is_none()
        && node.number.is_none()
        && node.string.is_none()
        && node.array.is_none()
        && node.object.is_none()
        && node.logic.is_none()
        && node.external.is_none()
        && node.notes.is_none()
}

fn set<R: Default, T>(rules: &mut Option<Box<R>>, value: Option<T>, field: impl FnOnce(&mut R) -> &mut Option<T>) {
    if value.is_some() {
        *field(rules.get_or_insert_default()) = value;
    }
}

fn notes(node: &mut Node) -> &mut Notes {
    node.notes.get_or_insert_default()
}

fn set_note<T>(node: &mut Node, value: Option<T>, field: impl FnOnce(&mut Notes) -> &mut Option<T>) {
    if value.is_some() {
        *field(notes(node)) = value;
    }
}
