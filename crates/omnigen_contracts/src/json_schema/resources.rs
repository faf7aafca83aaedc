//! Who is who in one document: schema resources with their base URIs and dialects, and the anchors in them.

use omnigen_ir::{Pointer, RefTarget, Reference, Scopes};
use rustc_hash::FxHashMap;

use super::keywords::{Dialect, Draft, Shape, shape};
use crate::uri::{Parts, Uri};
use crate::value::{Data, Value, push_index, push_token, unescape};

/// A schema with an identity of its own: the root, or one with `$id`.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) pointer: Pointer,
    pub(crate) base: Uri,
    pub(crate) dialect: Dialect,
}

/// All resources and anchors of one document.
#[derive(Clone, Debug)]
pub(crate) struct Resources {
    /// The root is the first.
    pub(crate) list: Vec<Resource>,
    /// URIs that `$id`s state.
    pub(crate) ids: Vec<(Box<str>, Pointer)>,
    /// Resource, name and place.
    pub(crate) anchors: Vec<(usize, Box<str>, Pointer)>,
    /// Resource, name (empty for `$recursiveAnchor`) and place.
    dynamic: Vec<(usize, Box<str>, Pointer)>,
    /// Does it have `unevaluatedProperties` or `unevaluatedItems`?
    tracks: bool,
    by_uri: FxHashMap<String, usize>,
    by_pointer: FxHashMap<Pointer, usize>,
    by_anchor: FxHashMap<(usize, Box<str>), usize>,
}

#[derive(Clone, Copy)]
enum Step<'v> {
    Name(&'v str),
    Index(usize),
}

impl Resources {
    /// Collects what a document with the given dialect has. `file` is its path from the project's root.
    pub(crate) fn new(root: &Value<'_>, file: &str, dialect: Dialect) -> Resources {
        let own = Uri::file(file);
        let mut resources = Resources {
            by_uri: FxHashMap::from_iter([(own.text(), 0)]),
            by_pointer: FxHashMap::default(),
            by_anchor: FxHashMap::default(),
            list: vec![Resource { pointer: "".into(), base: own, dialect }],
            ids: Vec::new(),
            anchors: Vec::new(),
            dynamic: Vec::new(),
            tracks: false,
        };
        resources.scan(root, 0, &mut Vec::new());
        resources
    }

    /// The anchors: pointer of the resource, name, pointer.
    pub(crate) fn anchors(&self) -> Vec<(Pointer, Box<str>, Pointer)> {
        let anchors = self.anchors.iter();
        anchors.map(|(resource, name, at)| (self.list[*resource].pointer.clone(), name.clone(), at.clone())).collect()
    }

    /// Takes in what stands at a place that is no part of the root's schema.
    pub(crate) fn add(&mut self, value: &Value<'_>, pointer: &str) {
        let tokens: Vec<_> = pointer.split('/').skip(1).map(unescape).collect();
        let mut trail = tokens.iter().map(|token| Step::Name(token)).collect();
        self.scan(value, 0, &mut trail);
    }

    /// The resource that begins at a pointer.
    pub(crate) fn beginning(&self, pointer: &str) -> Option<usize> {
        if pointer.is_empty() { Some(0) } else { self.by_pointer.get(pointer).copied() }
    }

    /// The resource that a place belongs to.
    pub(crate) fn around(&self, pointer: &str) -> usize {
        let mut rest = pointer;
        while !rest.is_empty() && !self.by_pointer.is_empty() {
            if let Some(index) = self.beginning(rest) {
                return index;
            }
            rest = &rest[..rest.rfind('/').unwrap_or(0)];
        }
        0
    }

    /// The resource that a URI names.
    pub(crate) fn named(&self, uri: &str) -> Option<usize> {
        self.by_uri.get(uri).copied()
    }

    /// The place of an anchor.
    pub(crate) fn anchor(&self, resource: usize, name: &str) -> Option<&str> {
        self.by_anchor.get(&(resource, name.into())).map(|&index| &*self.anchors[index].2)
    }

    /// Has it dynamic anchors?
    pub(crate) fn scoped(&self) -> bool {
        !self.dynamic.is_empty()
    }

    /// Does it ask what schemas evaluate?
    pub(crate) fn tracks(&self) -> bool {
        self.tracks
    }

    /// The resources in document order with their dynamic anchors, if there are any.
    pub(crate) fn scopes(&self) -> Scopes {
        if self.dynamic.is_empty() {
            return Scopes::new();
        }
        let of = |index: usize| self.dynamic.iter().filter(move |(resource, ..)| *resource == index);
        let named = |index| of(index).map(|(_, name, at)| (name.clone(), at.clone())).collect();
        self.list.iter().enumerate().map(|(index, resource)| (resource.pointer.clone(), named(index))).collect()
    }

    /// The dynamic anchor that a reference looks up, if it is dynamic at all: it has to lead to one where it leads first (2020-12
    /// core, section 8.2.3.2; 2019-09 core, section 8.2.4.2.1). What is in another file is seen only when it is followed.
    pub(crate) fn looked_up(&self, resource: usize, keyword: &str, reference: &Reference) -> Option<Box<str>> {
        let name: Box<str> = match keyword {
            "$recursiveRef" => "".into(),
            _ => Parts::new(&reference.text).ok()?.fragment().into_owned().into(),
        };
        if keyword == "$dynamicRef" && (name.is_empty() || name.starts_with('/')) {
            return None;
        }
        match &reference.target {
            RefTarget::Here(pointer) => {
                let owner = if keyword == "$recursiveRef" { resource } else { self.around(pointer) };
                let mut found = self.dynamic.iter();
                found.any(|(of, anchor, at)| *of == owner && *anchor == name && at == pointer).then_some(name)
            }
            RefTarget::Elsewhere { .. } => Some(name).filter(|_| keyword == "$dynamicRef"),
            RefTarget::Dangling => None,
        }
    }

    /// The names of the anchors of a resource.
    pub(crate) fn anchor_names(&self, resource: usize) -> impl Iterator<Item = &str> {
        self.anchors.iter().filter(move |anchor| anchor.0 == resource).map(|anchor| &*anchor.1)
    }

    fn scan<'v>(&mut self, value: &'v Value<'_>, within: usize, trail: &mut Vec<Step<'v>>) {
        let Data::Object(members) = &value.data else { return };
        let mut resource = within;
        let special = |name: &str| name.starts_with('$') || name == "id";
        if members.iter().any(|member| special(&member.name)) {
            resource = self.identify(value, within, trail);
        }
        for member in members {
            let Some(shape) = shape(&member.name) else { continue };
            self.tracks |= member.name.starts_with("unevaluated");
            match (&member.value.data, shape) {
                (Data::Object(_), Shape::One | Shape::OneOrList) => {
                    trail.push(Step::Name(&member.name));
                    self.scan(&member.value, resource, trail);
                    trail.pop();
                }
                (Data::Array(items), Shape::List | Shape::OneOrList) => {
                    trail.push(Step::Name(&member.name));
                    for (index, item) in items.iter().enumerate() {
                        trail.push(Step::Index(index));
                        self.scan(item, resource, trail);
                        trail.pop();
                    }
                    trail.pop();
                }
                (Data::Object(inner), Shape::Map | Shape::MapOrNames) => {
                    trail.push(Step::Name(&member.name));
                    for member in inner {
                        trail.push(Step::Name(&member.name));
                        self.scan(&member.value, resource, trail);
                        trail.pop();
                    }
                    trail.pop();
                }
                _ => {}
            }
        }
    }

    /// Takes in `$id` and anchors of one schema; gives the resource that its inside belongs to.
    fn identify(&mut self, value: &Value<'_>, within: usize, trail: &[Step<'_>]) -> usize {
        let mut dialect = self.list[within].dialect;
        // A resource may state a dialect of its own; elsewhere `$schema` has no meaning.
        if !trail.is_empty()
            && let Some(stated) = value.get("$schema").and_then(Value::as_str).and_then(Dialect::named)
            && value.get(stated.id()).is_some_and(|id| id.as_str().is_some())
        {
            dialect = stated;
        }
        let mut resource = within;
        let alone = dialect.reference_alone() && value.get("$ref").is_some_and(|text| text.as_str().is_some());
        if !alone
            && let Some(id) = value.get(dialect.id()).and_then(Value::as_str)
            && let Ok(parts) = Parts::new(id)
        {
            let fragment = parts.fragment();
            if !parts.only_fragment() {
                let base = self.list[within].base.join(&parts);
                let text = base.text();
                let pointer = pointer(trail);
                if pointer.is_empty() {
                    self.list[0].base = base;
                } else {
                    resource = self.list.len();
                    self.list.push(Resource { pointer: pointer.clone(), base, dialect });
                    self.by_pointer.insert(pointer.clone(), resource);
                }
                self.by_uri.entry(text.clone()).or_insert(resource);
                self.ids.push((text.into(), pointer));
            }
            if dialect.id_is_anchor() && !fragment.is_empty() && !fragment.starts_with('/') {
                self.add_anchor(resource, &fragment, trail);
            }
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            if !alone
                && dialect.too_new(keyword).is_none()
                && let Some(name) = value.get(keyword).and_then(Value::as_str)
            {
                self.add_anchor(resource, name, trail);
                if keyword == "$dynamicAnchor" {
                    self.add_dynamic(resource, name, trail);
                }
            }
        }
        // Only at the root of a resource (2019-09 core, section 8.2.4.2.2).
        if dialect.draft == Draft::D2019
            && value.get("$recursiveAnchor").is_some_and(|flag| matches!(flag.data, Data::Bool(true)))
            && *self.list[resource].pointer == *pointer(trail)
        {
            self.add_dynamic(resource, "", trail);
        }
        resource
    }

    fn add_dynamic(&mut self, resource: usize, name: &str, trail: &[Step<'_>]) {
        if !self.dynamic.iter().any(|(of, known, _)| *of == resource && **known == *name) {
            self.dynamic.push((resource, name.into(), pointer(trail)));
        }
    }

    fn add_anchor(&mut self, resource: usize, name: &str, trail: &[Step<'_>]) {
        let index = self.anchors.len();
        if let std::collections::hash_map::Entry::Vacant(entry) = self.by_anchor.entry((resource, name.into())) {
            entry.insert(index);
            self.anchors.push((resource, name.into(), pointer(trail)));
        }
    }
}

fn pointer(trail: &[Step<'_>]) -> Pointer {
    let mut pointer = String::new();
    for step in trail {
        match step {
            Step::Name(name) => push_token(&mut pointer, name),
            Step::Index(index) => push_index(&mut pointer, *index),
        }
    }
    pointer.into()
}
