//! What an artifact has read: the ordered list of keys with the digests that they had.
//!
//! Correctness of incremental builds rests on this list alone. It is recorded by the one object through which generators see
//! other schemas ([`Reads`]), so a generator cannot read anything that is not in it.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};

use omnigen_ir::naming::{Unit, WRITE};
use omnigen_ir::{
    Digest, Encoder, Export, Exports, FileId, Link, Place, Pointer, RefTarget, Reference, Resolve, Schema, View,
};
use omnigen_report::Diagnostic;

use crate::graph::{Db, Presence, declared, id_at, meaning_digest, names, outline, presence, source_at};
use crate::inputs::Source;

/// What can be asked for of a contract by the built-in generators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Target {
    /// Its findings; no output.
    Check,
    /// Pydantic models.
    Models,
    /// Validators.
    Validators,
    /// Tests.
    Tests,
}

impl Target {
    /// All, in the order in which they are asked for.
    pub const ALL: [Target; 4] = [Target::Check, Target::Models, Target::Validators, Target::Tests];

    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Target::Check => "check",
            Target::Models => "models",
            Target::Validators => "validators",
            Target::Tests => "tests",
        }
    }

    /// The singular: folder without plural and file prefix.
    pub fn kind(self) -> &'static str {
        match self {
            Target::Check => "check",
            Target::Models => "model",
            Target::Validators => "validator",
            Target::Tests => "test",
        }
    }

    /// Number of the emitter's text format: raised whenever the same contract gives other text.
    pub fn format(self) -> u32 {
        1
    }

    /// Name and number, as the ownership mark has it: `models/1`.
    pub fn emitter(self) -> String {
        format!("{}/{}", self.name(), self.format())
    }

    /// What of a schema counts for it.
    pub(crate) fn view(self) -> View {
        match self {
            // Tests are made from examples and defaults too.
            Target::Models | Target::Tests => View::Full,
            Target::Check | Target::Validators => View::Meaning,
        }
    }
}

/// One thing that can be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum ReadKey {
    /// All schemas of the contract itself, in the view of the target (`true`: with annotations).
    Own(FileId, bool),
    /// What was found while the contract itself was read.
    Findings(FileId),
    /// Has the check of another file found errors, or can nothing be read of it?
    Sound(FileId),
    /// Is there such a file?
    File(FileId),
    /// A schema of another file, at a pointer, in a view.
    Schema(FileId, Pointer, bool),
    /// What a definition of another file is called; with `true` also its types and tags.
    Name(FileId, Pointer, bool),
    /// Where a definition of another file leads that is nothing but a reference.
    Forward(FileId, Pointer),
    /// Which file and pointer an `$id` names.
    Id(Box<str>),
    /// Where an anchor of another file's resource leads.
    Anchor(FileId, Pointer, Box<str>),
    /// A whole document, annotations included.
    Document(FileId),
    /// The bytes of a file that an agent asked for.
    Bytes(FileId),
    /// A built-in generator: its format number and the fields of the configuration that it reads, by name.
    Generator(Box<str>),
    /// The bytes of an artifact: contract and target.
    Artifact(FileId, Box<str>),
    /// What an agent is: command, inputs, environment.
    Agent(Box<str>),
}

impl ReadKey {
    /// The file that this is about, if any.
    pub fn file(&self) -> Option<&FileId> {
        match self {
            ReadKey::Own(file, _)
            | ReadKey::Findings(file)
            | ReadKey::Sound(file)
            | ReadKey::File(file)
            | ReadKey::Schema(file, _, _)
            | ReadKey::Name(file, _, _)
            | ReadKey::Forward(file, _)
            | ReadKey::Anchor(file, _, _)
            | ReadKey::Document(file)
            | ReadKey::Bytes(file)
            | ReadKey::Artifact(file, _) => Some(file),
            ReadKey::Id(_) | ReadKey::Generator(_) | ReadKey::Agent(_) => None,
        }
    }
}

/// A key and the digest it had; `None` is ABSENT.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Read {
    /// What.
    pub key: ReadKey,
    /// Its digest then.
    pub digest: Option<Digest>,
}

/// The outside of a file: what others see, and digests of the whole.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Outline {
    /// Names and fingerprints of definitions, ids, anchors.
    pub exports: Exports,
    /// Nothing could be read of it: it shows no definitions, but may show some again when it is mended.
    pub broken: bool,
    /// Digest of what was found while it was read.
    pub findings: Digest,
    /// Definitions that are nothing but a reference, with that reference: what circles without content are made of.
    pub forwards: Vec<(Pointer, Reference)>,
    /// Digest of all its schemas without annotations.
    pub meaning: Digest,
    /// The same with annotations.
    pub full: Digest,
}

/// How an artifact stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Made.
    Ready,
    /// Its contract has errors: nothing is written, the last good output stays.
    Held,
    /// Files have to be read first: [`Built::needs`].
    Pending,
}

/// An artifact without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// How it stands.
    pub state: State,
    /// Digest of the text behind the header; of nothing for [`Target::Check`].
    pub digest: Digest,
    /// What was read, in order.
    pub trace: Vec<Read>,
    /// Findings.
    pub diagnostics: Vec<Diagnostic>,
    /// Files whose text is missing.
    pub needs: BTreeSet<FileId>,
}

/// Records what a generator reads while it works for one contract and target.
pub(crate) struct Reads<'db> {
    db: &'db dyn Db,
    own: FileId,
    target: Target,
    reads: RefCell<Vec<Read>>,
    seen: RefCell<HashSet<ReadKey>>,
    needs: RefCell<BTreeSet<FileId>>,
    /// Files that are there and have nothing to show: what refers to them has to wait until they are mended.
    blocking: RefCell<BTreeSet<FileId>>,
}

impl<'db> Reads<'db> {
    pub(crate) fn new(db: &'db dyn Db, source: Source, target: Target) -> Reads<'db> {
        let reads = Reads {
            db,
            own: source.path(db).clone(),
            target,
            reads: RefCell::default(),
            seen: RefCell::default(),
            needs: RefCell::default(),
            blocking: RefCell::default(),
        };
        reads.record(ReadKey::Generator(target.name().into()), || Some(generator_digest(&db.enters(target))));
        let full = target.view() == View::Full;
        reads.record(ReadKey::Own(reads.own.clone(), full), || {
            if full { outline(db, source).as_ref().map(|outline| outline.full) } else { meaning_digest(db, source) }
        });
        reads
    }

    /// What it has to wait for: files that are broken, or whose schemas it has read and that have errors.
    pub(crate) fn blocking(&self) -> BTreeSet<FileId> {
        let mut blocking = self.blocking.borrow().clone();
        for file in self.foreign() {
            let source = source_at(self.db, crate::graph::Path::new(self.db, file.clone()));
            let (sound, needs) =
                source.map_or((false, BTreeSet::new()), |source| crate::graph::sound(self.db, source).clone());
            if needs.is_empty() {
                self.record(ReadKey::Sound(file.clone()), || sound.then(|| Digest::of(b"sound")));
                if !sound {
                    blocking.insert(file);
                }
            } else {
                self.needs.borrow_mut().extend(needs);
            }
        }
        blocking
    }

    /// The place that an `$id` of the contract itself leads to.
    pub(crate) fn named(&self, uri: &str) -> Option<Place> {
        let named = id_at(self.db, crate::graph::Uri::new(self.db, Box::<str>::from(uri)));
        self.record(ReadKey::Id(uri.into()), || named.as_ref().map(place_digest));
        named
    }

    /// Records what was found while the contract itself was read.
    pub(crate) fn findings(&self, digest: Option<Digest>) {
        self.record(ReadKey::Findings(self.own.clone()), || digest);
    }

    pub(crate) fn finish(self) -> (Vec<Read>, BTreeSet<FileId>) {
        (self.reads.into_inner(), self.needs.into_inner())
    }

    /// The other files whose schemas have been read so far.
    pub(crate) fn foreign(&self) -> BTreeSet<FileId> {
        let reads = self.reads.borrow();
        let files = reads.iter().filter_map(|read| match &read.key {
            ReadKey::Schema(file, _, _) => Some(file.clone()),
            _ => None,
        });
        files.collect()
    }

    fn record(&self, key: ReadKey, digest: impl FnOnce() -> Option<Digest>) {
        if self.seen.borrow_mut().insert(key.clone()) {
            let digest = digest();
            self.reads.borrow_mut().push(Read { key, digest });
        }
    }

    /// A file by path; asks for its text if nobody has looked whether it is there.
    fn file(&self, path: &str) -> Result<Option<Source>, ()> {
        let source = source_at(self.db, crate::graph::Path::new(self.db, FileId::from(path)));
        let there = match source.map(|source| presence(self.db, source)) {
            None | Some(Presence::Unread) => {
                self.needs.borrow_mut().insert(path.into());
                return Err(());
            }
            Some(Presence::Absent) => false,
            Some(Presence::Text | Presence::Stored | Presence::Unusable) => true,
        };
        self.record(ReadKey::File(path.into()), || there.then(|| Digest::of(b"file")));
        Ok(source.filter(|_| there))
    }

    /// Where the definition at a place leads, if it is nothing but a reference.
    pub(crate) fn forward(&self, place: &Place) -> Option<&Reference> {
        let source = source_at(self.db, crate::graph::Path::new(self.db, place.file.clone()))?;
        let found = names(self.db, source).and_then(|outline| forward(outline, &place.pointer));
        if place.file != self.own {
            self.record(ReadKey::Forward(place.file.clone(), place.pointer.clone()), || found.map(forward_digest));
        }
        found
    }

    /// The first file among the places where a URI may be found.
    fn lookup(&self, uri: &str, beside: Option<&str>) -> Result<Option<(Source, Pointer)>, ()> {
        if let Some(path) = uri.strip_prefix("file:///") {
            return Ok(self.file(path)?.map(|source| (source, Pointer::default())));
        }
        let named = id_at(self.db, crate::graph::Uri::new(self.db, Box::<str>::from(uri)));
        self.record(ReadKey::Id(uri.into()), || named.as_ref().map(place_digest));
        if let Some(place) = named {
            let source = source_at(self.db, crate::graph::Path::new(self.db, place.file.clone()));
            return Ok(source.map(|source| (source, place.pointer.clone())));
        }
        if let (Some(refs), Some(path)) = (self.db.refs(), omnigen_contracts::remote::mirror_path(uri))
            && let Some(source) = self.file(&format!("{refs}/{path}"))?
        {
            return Ok(Some((source, Pointer::default())));
        }
        match beside {
            Some(path) => Ok(self.file(path)?.map(|source| (source, Pointer::default()))),
            None => Ok(None),
        }
    }
}

impl Resolve for Reads<'_> {
    fn link(&self, from: &FileId, reference: &Reference) -> Link {
        let (uri, fragment, beside) = match &reference.target {
            RefTarget::Here(pointer) => return Link::To(Place::new(from, pointer)),
            RefTarget::Dangling => return Link::Dangling,
            RefTarget::Elsewhere { uri, fragment, beside } => (uri, fragment, beside),
        };
        let (source, resource) = match self.lookup(uri, beside.as_deref()) {
            Ok(Some(found)) => found,
            Ok(None) => return Link::Dangling,
            Err(()) => return Link::Pending,
        };
        let file = source.path(self.db);
        if *file != self.own && crate::graph::broken(self.db, source) {
            // Its names are absent as long as it is broken: that is what mends the trace.
            self.export(&Place::new(file, ""));
            self.blocking.borrow_mut().insert(file.clone());
            return Link::Pending;
        }
        let pointer: Pointer = if fragment.is_empty() {
            resource
        } else if fragment.starts_with('/') {
            format!("{resource}{fragment}").into()
        } else {
            let found = names(self.db, source).and_then(|outline| anchor(outline, &resource, fragment));
            self.record(ReadKey::Anchor(file.clone(), resource.clone(), fragment.clone()), || {
                found.map(|pointer| Digest::of(pointer.as_bytes()))
            });
            match found {
                Some(pointer) => pointer.clone(),
                None => return Link::Dangling,
            }
        };
        // The form of a schema that is sent, which only some have.
        let pointer = match pointer.strip_suffix(WRITE) {
            Some(plain) if self.export(&Place::new(file, &pointer)).is_none() => plain.into(),
            _ => pointer,
        };
        let place = Place::new(file, &pointer);
        // An exported place is known from outside; for another one the text is needed to see whether it is there.
        if self.export(&place).is_none() && self.schema(&place).is_none() {
            let unread = matches!(presence(self.db, source), Presence::Stored | Presence::Unread);
            return if unread { Link::Pending } else { Link::Dangling };
        }
        Link::To(place)
    }

    fn schema(&self, place: &Place) -> Option<&Schema> {
        let source = source_at(self.db, crate::graph::Path::new(self.db, place.file.clone()))?;
        if matches!(presence(self.db, source), Presence::Stored | Presence::Unread) {
            self.needs.borrow_mut().insert(place.file.clone());
            return None;
        }
        let schema = declared(self.db, source, self.target.view()).and_then(|declared| declared.schema(&place.pointer));
        if place.file != self.own {
            let full = self.target.view() == View::Full;
            let key = ReadKey::Schema(place.file.clone(), place.pointer.clone(), full);
            self.record(key, || schema.map(|schema| schema_digest(schema, self.target.view())));
        }
        schema
    }

    fn export(&self, place: &Place) -> Option<&Export> {
        let source = source_at(self.db, crate::graph::Path::new(self.db, place.file.clone()))?;
        let found = names(self.db, source).and_then(|outline| export(&outline.exports, &place.pointer));
        if place.file != self.own {
            let shape = self.target == Target::Models;
            let key = ReadKey::Name(place.file.clone(), place.pointer.clone(), shape);
            self.record(key, || found.map(|export| name_digest(export, shape)));
        }
        found
    }

    fn unit(&self, file: &FileId) -> Unit {
        match source_at(self.db, crate::graph::Path::new(self.db, file.clone())) {
            Some(source) => source.unit(self.db).clone(),
            None => Unit::new(file, ""),
        }
    }
}

pub(crate) fn export<'a>(exports: &'a Exports, pointer: &str) -> Option<&'a Export> {
    exports.list.iter().find(|export| &*export.pointer == pointer)
}

pub(crate) fn anchor<'a>(outline: &'a Outline, resource: &str, name: &str) -> Option<&'a Pointer> {
    let mut anchors = outline.exports.anchors.iter();
    anchors.find(|(of, anchor, _)| **of == *resource && **anchor == *name).map(|(_, _, pointer)| pointer)
}

pub(crate) fn forward<'a>(outline: &'a Outline, pointer: &str) -> Option<&'a Reference> {
    outline.forwards.iter().find(|(at, _)| **at == *pointer).map(|(_, reference)| reference)
}

pub(crate) fn forward_digest(reference: &Reference) -> Digest {
    omnigen_ir::Encode::digest(reference, "forward", View::Full)
}

pub(crate) fn schema_digest(schema: &Schema, view: View) -> Digest {
    omnigen_ir::Encode::digest(schema, "schema", view)
}

pub(crate) fn place_digest(place: &Place) -> Digest {
    let mut encoder = Encoder::new("place", View::Full);
    encoder.str(&place.file);
    encoder.str(&place.pointer);
    encoder.finish()
}

pub(crate) fn name_digest(export: &Export, shape: bool) -> Digest {
    let mut encoder = Encoder::new("name", View::Full);
    encoder.str(&export.class);
    encoder.str(&export.function);
    if shape {
        encoder.part(&export.types);
        encoder.part(&export.tags);
    }
    encoder.finish()
}

pub(crate) fn generator_digest(enters: &[(String, String)]) -> Digest {
    let mut encoder = Encoder::new("generator/2", View::Full);
    for (name, value) in enters {
        encoder.str(name);
        encoder.str(value);
    }
    encoder.finish()
}
