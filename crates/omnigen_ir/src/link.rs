//! References between schemas: where they lead, and what the target looks like from outside.

use std::sync::Arc;

use crate::{Digest, External, Pointer, RefTarget, Reference, Schema, TypeSet};

/// A contract's file: its path from the project's root, with `/`, as messages and headers show it.
pub type FileId = Arc<str>;

/// The stable position of a schema: file and JSON pointer. Lines exist only when something is shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// The pointer into it; empty for the root.
    pub pointer: Pointer,
}

impl Place {
    /// A place.
    pub fn new(file: &FileId, pointer: &str) -> Place {
        Place { file: file.clone(), pointer: pointer.into() }
    }
}

/// Where a reference leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// To a schema that exists.
    To(Place),
    /// Nowhere; reported once, where the reference stands.
    Dangling,
    /// To a file that has not been read yet: the caller goes on as if dangling, its result is thrown away, and it is
    /// asked again when the file is there.
    Pending,
}

/// What other contracts may see of a definition: the root of a file, or a member of its top-level `$defs` or
/// `definitions`. Made from that file alone.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Export {
    /// Where it is in its file.
    pub pointer: Pointer,
    /// Its Python class or alias, e.g. `ModelOrder`; see [`crate::naming`].
    pub class: Box<str>,
    /// The suffix of its functions in the validator and test modules: empty for the root, else `_address`.
    pub function: Box<str>,
    /// The types that its own assertions allow (references not followed).
    pub types: TypeSet,
    /// Properties that are required here and admit only certain strings: they tell members of a union apart.
    pub tags: Vec<(Box<str>, Vec<Box<str>>)>,
    /// A class of another language, of which nothing is known: it has no validator.
    pub opaque: bool,
    /// Digest of what decides validity ([`crate::View::Meaning`]).
    pub meaning: Digest,
    /// Digest of everything, annotations included ([`crate::View::Full`]).
    pub full: Digest,
}

/// How generators see other schemas. The engine implements it over queries and records every call as a read, so a
/// generator must ask here for whatever it uses, and nowhere else.
pub trait Resolve {
    /// Where a reference that stands in `from` leads.
    fn link(&self, from: &FileId, reference: &Reference) -> Link;

    /// The schema at a place; recorded with its digest (in the view of the target that is being made).
    fn schema(&self, place: &Place) -> Option<&Schema>;

    /// The outside of the definition at a place; `None` if the place is inside a definition: then it is compiled where
    /// it is used. Recorded without the digests of its content.
    fn export(&self, place: &Place) -> Option<&Export>;

    /// The resources of a file with their dynamic anchors; recorded.
    fn scopes(&self, _file: &FileId) -> &Scopes {
        const { &Vec::new() }
    }

    /// The names that dynamic references look up in a file, and in all files that can be reached from it by references,
    /// sorted; recorded as one fact about the file.
    fn looked_up(&self, _file: &FileId) -> Arc<[Box<str>]> {
        Arc::default()
    }

    /// Is it a schema that the program brings along (a metaschema of JSON Schema)? No modules are generated for it: it is
    /// compiled where it is used.
    fn built_in(&self, _file: &FileId) -> bool {
        false
    }

    /// Tells that the settings are asked where a class comes from that a contract names and does not describe; recorded.
    fn external(&self, _external: &External) {}

    /// The module stem and folders of a contract, see [`crate::naming::Unit`]. A pure function of its path.
    fn unit(&self, file: &FileId) -> std::borrow::Cow<'_, crate::naming::Unit>;
}

/// Everything that other contracts may see of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Exports {
    /// The root first, then the top-level definitions in document order.
    pub list: Vec<Export>,
    /// Absolute URIs (without fragment) that identify schemas of this file, with their pointers: `$id`s.
    pub ids: Vec<(Box<str>, Pointer)>,
    /// Anchors: the pointer of the schema resource that they belong to, the name, and the pointer that they name. A name with a
    /// slash is a pointer of the document itself, whose schema stands somewhere else among the declarations.
    pub anchors: Vec<(Pointer, Box<str>, Pointer)>,
    /// What dynamic references can find here; see [`Scopes`].
    pub scopes: Scopes,
    /// Members of `list` that are only there if others are; see [`Forms`].
    pub forms: Forms,
}

/// Forms of API types that are sent ([`crate::naming::WRITE`]) and differ from what is received only if one of those that
/// they lead to is there: the pointer, and where it leads.
pub type Forms = Vec<(Pointer, Vec<RefTarget>)>;

/// What a file reaches: what closure facts are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reach {
    /// Where its references lead out of it, sorted: absolute URI, and the path beside the file as in
    /// [`crate::RefTarget::Elsewhere`].
    pub leads: Vec<(Box<str>, Option<Box<str>>)>,
    /// The names that its own dynamic references look up, sorted; empty for `$recursiveRef`.
    pub looked_up: Vec<Box<str>>,
}

/// The schema resources of a file in document order, each by its pointer, with its dynamic anchors: the name (empty for
/// `$recursiveAnchor`), and the pointer that it names. Empty if the file has no dynamic anchor at all.
pub type Scopes = Vec<(Pointer, Vec<(Box<str>, Pointer)>)>;

/// The contract that a generator makes something of.
#[derive(Clone, Copy, Debug)]
pub struct Contract<'a> {
    /// Its file.
    pub file: &'a FileId,
    /// Its modules.
    pub unit: &'a crate::naming::Unit,
    /// Its outside; the schemas themselves come from [`Resolve::schema`].
    pub exports: &'a Exports,
}
