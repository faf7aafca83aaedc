//! What an artifact has read: the ordered list of keys with the digests that they had.
//!
//! Correctness of incremental builds rests on this list alone. It is recorded by the one object through which generators see
//! other schemas ([`Reads`]), so a generator cannot read anything that is not in it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use omnigen_contracts::{Declarations, Dialect, Held, Includes};
use omnigen_ir::naming::{Unit, WRITE};
use omnigen_ir::{
    Digest, Encoder, Export, Exports, External, FileId, Link, NodeManifest, Place, Pointer, Reach, RefTarget,
    Reference, Resolve, Schema, Scopes, View,
};
use omnigen_report::Diagnostic;

use crate::findings::sound_digest;
use crate::graph::{
    Db, Presence, declared, id_at, manifest, meaning_digest, names, outline, presence, redeclared, source_of,
};
use crate::inputs::{Config, Source};
use crate::settings::Setting;

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
    /// Manifests of nodes.
    Nodes,
}

impl Target {
    /// All, in the order in which they are asked for.
    pub const ALL: [Target; 5] = [Target::Check, Target::Models, Target::Validators, Target::Tests, Target::Nodes];

    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Target::Check => "(check)",
            Target::Models => "models",
            Target::Validators => "validators",
            Target::Tests => "tests",
            Target::Nodes => "nodes",
        }
    }

    /// The singular: folder without plural and file prefix.
    pub fn kind(self) -> &'static str {
        match self {
            Target::Check => "check",
            Target::Models => "model",
            Target::Validators => "validator",
            Target::Tests => "test",
            Target::Nodes => "node",
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
            Target::Models | Target::Tests | Target::Nodes => View::Full,
            Target::Check | Target::Validators => View::Meaning,
        }
    }
}

/// One thing that can be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum ReadKey {
    /// All schemas of the contract itself, in the view of the target (`true`: with annotations).
    Own(FileId, bool),
    /// What the contract says beside its types.
    Node(FileId),
    /// What was found while the contract itself was read.
    Findings(FileId),
    /// Has the check of another file found errors, or can nothing be read of it?
    Sound(FileId),
    /// Is there such a file, and can it be read? What is missing from a file that nothing can be read of is no finding.
    File(FileId),
    /// A schema of another file, at a pointer, in a view.
    Schema(FileId, Pointer, bool),
    /// What a definition of another file is called; with `true` also its types and tags.
    Name(FileId, Pointer, bool),
    /// Where a definition of another file leads that is nothing but a reference.
    Forward(FileId, Pointer),
    /// Has a definition of another file a form of its own for what is sent, and on whose does that hang?
    Form(FileId, Pointer),
    /// Which file and pointer an `$id` names.
    Id(Box<str>),
    /// The resources of another file with their dynamic anchors.
    Scopes(FileId),
    /// What another file reaches: where its references lead out of it, and what its dynamic references look up.
    Reach(FileId),
    /// What a metaschema of somebody's own says about its dialect.
    Dialect(FileId),
    /// Where an anchor of another file's resource leads, or a pointer that the file shows under another one.
    Anchor(FileId, Pointer, Box<str>),
    /// A whole document, annotations included.
    Document(FileId),
    /// The bytes of a file that an agent asked for.
    Bytes(FileId),
    /// A built-in generator: its format number and the fields of the configuration that it reads, by name.
    Generator(Box<str>),
    /// The bytes of an artifact: contract and target.
    Artifact(FileId, Box<str>),
    /// What an agent's target is: command, inputs, environment, assignment.
    Agent(Box<str>),
    /// The examples that are most like a contract: contract and target.
    Patterns(FileId, Box<str>),
    /// The examples that are most like a text that an agent asked about: contract, target, text.
    Like(FileId, Box<str>, Box<str>),
    /// What a setting says about something that only some artifacts of a target read.
    Setting(Setting, Box<str>),
}

impl ReadKey {
    /// The file that this is about, if any.
    pub fn file(&self) -> Option<&FileId> {
        match self {
            ReadKey::Own(file, _)
            | ReadKey::Node(file)
            | ReadKey::Findings(file)
            | ReadKey::Sound(file)
            | ReadKey::File(file)
            | ReadKey::Schema(file, _, _)
            | ReadKey::Name(file, _, _)
            | ReadKey::Forward(file, _)
            | ReadKey::Form(file, _)
            | ReadKey::Scopes(file)
            | ReadKey::Reach(file)
            | ReadKey::Dialect(file)
            | ReadKey::Anchor(file, _, _)
            | ReadKey::Document(file)
            | ReadKey::Bytes(file)
            | ReadKey::Artifact(file, _)
            | ReadKey::Patterns(file, _)
            | ReadKey::Like(file, ..) => Some(file),
            ReadKey::Id(_) | ReadKey::Generator(_) | ReadKey::Agent(_) | ReadKey::Setting(..) => None,
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
    /// Digest of what it says beside its types, if it is the contract of a node.
    pub node: Option<Digest>,
    /// Nothing could be read of it: it shows no definitions, but may show some again when it is mended.
    pub broken: bool,
    /// Digest of what was found while it was read.
    pub findings: Digest,
    /// Definitions that ask for others of the same data, with these references: what circles without content are made of.
    pub forwards: Vec<(Pointer, Vec<Reference>)>,
    /// Where it leads, and what it looks up.
    pub reach: Reach,
    /// What it says about its dialect, and about that of the schemas whose metaschema it is.
    pub stated: Stated,
    /// Digest of all its schemas without annotations.
    pub meaning: Digest,
    /// The same with annotations.
    pub full: Digest,
}

/// Of a file that is there.
pub(crate) fn file_digest(broken: bool) -> Digest {
    static DIGESTS: LazyLock<[Digest; 2]> = LazyLock::new(|| [Digest::of(b"file"), Digest::of(b"broken")]);
    DIGESTS[usize::from(broken)]
}

/// What a file says about dialects.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stated {
    /// `$schema`
    pub metaschema: Option<Box<str>>,
    /// `$vocabulary`
    pub vocabulary: Option<Vec<(Box<str>, bool)>>,
}

impl Stated {
    /// The metaschema, if it is none that the program knows.
    pub(crate) fn custom(&self) -> Option<&str> {
        self.metaschema.as_deref().filter(|uri| Dialect::named(uri).is_none())
    }
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
    pub trace: Arc<[Read]>,
    /// Findings.
    pub diagnostics: Vec<Diagnostic>,
    /// Files whose text is missing.
    pub needs: BTreeSet<FileId>,
}

/// The dialect that a metaschema tells, if it does; or a vocabulary that it requires and that nobody here knows.
type FoundDialect = Result<Option<Dialect>, Box<str>>;

/// So many files are remembered with what was found: to go through more of them takes longer than to look anew.
const SOURCES: usize = 16;

/// Records what a generator reads while it works for one contract and target.
pub(crate) struct Reads<'db> {
    pub(crate) db: &'db dyn Db,
    pub(crate) own: FileId,
    target: Target,
    reads: RefCell<IndexMap<ReadKey, Option<Digest>, FxBuildHasher>>,
    /// Dialects of files with a metaschema of somebody's own.
    dialects: RefCell<BTreeMap<FileId, FoundDialect>>,
    looked_up: RefCell<BTreeMap<FileId, Arc<[Box<str>]>>>,
    /// Forms that are sent, and whether they are there.
    pub(crate) forms: RefCell<BTreeMap<Place, bool>>,
    pub(crate) needs: RefCell<BTreeSet<FileId>>,
    /// Files that are there and have nothing to show: what refers to them has to wait until they are mended.
    blocking: RefCell<BTreeSet<FileId>>,
    /// Files that were looked up, the last one first asked: a contract leads to few others, and asks for each again and again.
    sources: RefCell<Vec<(FileId, Option<Source>)>>,
    /// What they show, likewise.
    outlines: RefCell<Vec<(Source, Option<&'db Outline>)>>,
}

impl<'db> Reads<'db> {
    pub(crate) fn new(db: &'db dyn Db, source: Source, target: Target) -> Reads<'db> {
        let reads = Reads {
            db,
            own: source.path(db).clone(),
            target,
            // Room for what most contracts read.
            reads: RefCell::new(IndexMap::with_capacity_and_hasher(14, FxBuildHasher)),
            dialects: RefCell::default(),
            looked_up: RefCell::default(),
            forms: RefCell::default(),
            needs: RefCell::default(),
            blocking: RefCell::default(),
            sources: RefCell::default(),
            outlines: RefCell::default(),
        };
        let generator = || Some(crate::graph::generator(db, Config::get(db), target));
        reads.record(ReadKey::Generator(target.name().into()), generator);
        if target == Target::Nodes {
            let node = || outline(db, source).as_ref().and_then(|outline| outline.node);
            reads.record(ReadKey::Node(reads.own.clone()), node);
            return reads;
        }
        let full = target.view() == View::Full;
        reads.record(ReadKey::Own(reads.own.clone(), full), || {
            if full { outline(db, source).as_ref().map(|outline| outline.full) } else { meaning_digest(db, source) }
        });
        reads
    }

    /// The file at a path, if there is one.
    pub(crate) fn source(&self, file: &FileId) -> Option<Source> {
        let known = |known: &&(FileId, Option<Source>)| Arc::ptr_eq(&known.0, file) || known.0 == *file;
        if let Some((_, source)) = self.sources.borrow().iter().rev().find(known) {
            return *source;
        }
        let source = source_of(self.db, file);
        let mut sources = self.sources.borrow_mut();
        if sources.len() < SOURCES {
            sources.push((file.clone(), source));
        }
        source
    }

    /// The names of a file.
    pub(crate) fn names(&self, source: Source) -> Option<&'db Outline> {
        if let Some((_, outline)) = self.outlines.borrow().iter().rev().find(|(known, _)| *known == source) {
            return *outline;
        }
        let outline = names(self.db, source);
        let mut outlines = self.outlines.borrow_mut();
        if outlines.len() < SOURCES {
            outlines.push((source, outline));
        }
        outline
    }

    /// What it has to wait for: files that are broken, or whose schemas it has read and that have errors.
    pub(crate) fn blocking(&self) -> BTreeSet<FileId> {
        let mut blocking = self.blocking.borrow().clone();
        for file in self.foreign().into_iter().chain(self.named_files()).collect::<BTreeSet<_>>() {
            let source = self.source(&file);
            let (held, needs) = source
                .map_or((Held::Everything, BTreeSet::new()), |source| crate::graph::sound(self.db, source).clone());
            if needs.is_empty() {
                self.record(ReadKey::Sound(file.clone()), || sound_digest(&held));
                // An error elsewhere in a file is the matter of those who read what it holds back.
                // Also of those who use its name alone: what they would import may never have been made.
                let lost = |pointer: &Pointer| held.concerns(pointer);
                if self.read_in(&file).iter().any(lost) || self.names_in(&file).iter().any(lost) {
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

    /// What the contract itself says beside its types. Its text is asked for if it is not here.
    pub(crate) fn node(&self, source: Source) -> Option<&NodeManifest> {
        if matches!(presence(self.db, source), Presence::Stored | Presence::Unread) {
            self.needs.borrow_mut().insert(self.own.clone());
            return None;
        }
        self.record(ReadKey::Node(self.own.clone()), || {
            outline(self.db, source).as_ref().and_then(|outline| outline.node)
        });
        manifest(self.db, source).as_deref()
    }

    /// Records the files that stand within the contract.
    pub(crate) fn included(&self, includes: &Includes) {
        for (file, text) in includes.iter() {
            self.record(ReadKey::Bytes(file.clone()), || text.map(|text| Digest::of(text.as_bytes())));
        }
    }

    /// Records what was found while the contract itself was read.
    pub(crate) fn findings(&self, digest: Option<Digest>) {
        self.record(ReadKey::Findings(self.own.clone()), || digest);
    }

    pub(crate) fn finish(self) -> (Arc<[Read]>, BTreeSet<FileId>) {
        let trace = self.reads.into_inner().into_iter().map(|(key, digest)| Read { key, digest }).collect();
        (trace, self.needs.into_inner())
    }

    /// The other files whose schemas have been read so far.
    pub(crate) fn foreign(&self) -> BTreeSet<FileId> {
        let reads = self.reads.borrow();
        let files = reads.keys().filter_map(|key| match key {
            ReadKey::Schema(file, _, _) => Some(file.clone()),
            _ => None,
        });
        files.collect()
    }

    /// The places of another file whose schemas have been read so far.
    fn read_in(&self, file: &FileId) -> Vec<Pointer> {
        let reads = self.reads.borrow();
        let places = reads.keys().filter_map(|key| match key {
            ReadKey::Schema(other, pointer, _) if other == file => Some(pointer.clone()),
            _ => None,
        });
        places.collect()
    }

    /// The definitions of another file whose names are used.
    fn names_in(&self, file: &FileId) -> Vec<Pointer> {
        let reads = self.reads.borrow();
        let places = reads.iter().filter_map(|(key, digest)| match key {
            ReadKey::Name(other, pointer, _) if other == file && digest.is_some() => Some(pointer.clone()),
            _ => None,
        });
        places.collect()
    }

    /// The other files of which a name is used: what is held back there is not to be imported.
    fn named_files(&self) -> BTreeSet<FileId> {
        let reads = self.reads.borrow();
        let files = reads.iter().filter_map(|(key, digest)| match key {
            ReadKey::Name(file, ..) if digest.is_some() && *file != self.own && !is_built_in(file) => {
                Some(file.clone())
            }
            _ => None,
        });
        files.collect()
    }

    pub(crate) fn record(&self, key: ReadKey, digest: impl FnOnce() -> Option<Digest>) {
        if !self.reads.borrow().contains_key(&key) {
            let digest = digest();
            self.reads.borrow_mut().insert(key, digest);
        }
    }

    /// A file by path; asks for its text if nobody has looked whether it is there.
    fn file(&self, path: &str) -> Result<Option<Source>, ()> {
        let file = FileId::from(path);
        let source = self.source(&file);
        let there = match source.map(|source| presence(self.db, source)) {
            None | Some(Presence::Unread) => {
                self.needs.borrow_mut().insert(file);
                return Err(());
            }
            Some(Presence::Absent) => false,
            Some(Presence::Text | Presence::Stored | Presence::Unusable) => true,
        };
        let broken = || source.is_some_and(|source| crate::graph::broken(self.db, source));
        self.record(ReadKey::File(file), || there.then(|| file_digest(broken())));
        Ok(source.filter(|_| there))
    }

    /// What the definition at a place asks for of the same data.
    pub(crate) fn forward(&self, place: &Place) -> &[Reference] {
        let source = self.source(&place.file);
        let outline = source.and_then(|source| self.names(source));
        let found = outline.and_then(|outline| forward(outline, &place.pointer));
        if place.file != self.own {
            self.record(ReadKey::Forward(place.file.clone(), place.pointer.clone()), || found.map(forward_digest));
        }
        found.unwrap_or_default()
    }

    /// Where an anchor of a file leads, or a pointer that stands for another one; recorded.
    fn anchor(&self, source: Source, resource: &Pointer, name: &str) -> Option<Pointer> {
        let found = self.names(source).and_then(|outline| anchor(outline, resource, name));
        let key = ReadKey::Anchor(source.path(self.db).clone(), resource.clone(), name.into());
        self.record(key, || found.as_ref().map(|pointer| Digest::of(pointer.as_bytes())));
        found
    }

    /// The first file among the places where a URI may be found.
    pub(crate) fn lookup(&self, uri: &str, beside: Option<&str>) -> Result<Option<(Source, Pointer)>, ()> {
        if let Some(path) = uri.strip_prefix("file:///") {
            return Ok(self.file(path)?.map(|source| (source, Pointer::default())));
        }
        let named = id_at(self.db, crate::graph::Uri::new(self.db, Box::<str>::from(uri)));
        self.record(ReadKey::Id(uri.into()), || named.as_ref().map(place_digest));
        if let Some(place) = named {
            let source = self.source(&place.file);
            return Ok(source.map(|source| (source, place.pointer.clone())));
        }
        if let (Some(refs), Some(path)) = (self.db.refs(), omnigen_contracts::remote::mirror_path(uri))
            && let Some(source) = self.file(&format!("{refs}/{path}"))?
        {
            return Ok(Some((source, Pointer::default())));
        }
        if let Some(known) = omnigen_contracts::metaschema(uri) {
            let source = source_of(self.db, &FileId::from(known));
            return Ok(source.map(|source| (source, Pointer::default())));
        }
        match beside {
            Some(path) => Ok(self.file(path)?.map(|source| (source, Pointer::default()))),
            None => Ok(None),
        }
    }

    /// The file that a reference leads to, if there is one.
    pub(crate) fn found(&self, uri: &str, beside: Option<&str>) -> Option<FileId> {
        let (source, _) = self.lookup(uri, beside).ok()??;
        Some(source.path(self.db).clone())
    }

    /// The dialect of a file whose metaschema is somebody's own, as far as that says; else the one that it was read in.
    ///
    /// # Errors
    /// A vocabulary that the metaschema requires and that nobody here knows.
    pub(crate) fn dialect(&self, source: Source) -> FoundDialect {
        let Some(metaschema) = self.names(source).and_then(|outline| outline.stated.custom()) else {
            return Ok(None);
        };
        let file = source.path(self.db);
        if let Some(known) = self.dialects.borrow().get(file) {
            return known.clone();
        }
        let found = self.custom_dialect(metaschema);
        self.dialects.borrow_mut().insert(file.clone(), found.clone());
        found
    }

    fn custom_dialect(&self, metaschema: &str) -> FoundDialect {
        let mut uri = metaschema;
        let mut first: Option<&Stated> = None;
        // A metaschema may have a metaschema of somebody's own, or be its own.
        for _ in 0..16 {
            let Ok(Some((source, _))) = self.lookup(uri.strip_suffix('#').unwrap_or(uri), None) else {
                return Ok(None);
            };
            let Some(outline) = self.names(source) else { return Ok(None) };
            let file = source.path(self.db);
            self.record(ReadKey::Dialect(file.clone()), || Some(dialect_digest(&outline.stated)));
            let stated = *first.get_or_insert(&outline.stated);
            let base = match outline.stated.metaschema.as_deref() {
                None => Dialect::UNSTATED,
                Some(next) if next == uri => Dialect::UNSTATED,
                Some(next) => match Dialect::named(next) {
                    Some(base) => base,
                    None => {
                        uri = next;
                        continue;
                    }
                },
            };
            return Dialect::custom(base, stated.vocabulary.as_deref()).map(Some);
        }
        Ok(None)
    }

    /// What a file declares, in its dialect.
    pub(crate) fn declared(&self, source: Source) -> Option<&'db Declarations> {
        match self.dialect(source) {
            Ok(Some(dialect)) => redeclared(self.db, source, dialect).as_deref(),
            Ok(None) | Err(_) => declared(self.db, source, self.target.view()),
        }
    }

    /// What a file reaches; recorded.
    fn reach(&self, source: Source) -> Option<&'db Reach> {
        let reach = self.names(source).map(|outline| &outline.reach);
        let file = source.path(self.db);
        if *file != self.own && !is_built_in(file) {
            self.record(ReadKey::Reach(file.clone()), || reach.map(reach_digest));
        }
        reach
    }
}

impl Resolve for Reads<'_> {
    fn link(&self, from: &FileId, reference: &Reference) -> Link {
        let (uri, fragment, beside) = match &reference.target {
            RefTarget::Here(pointer) => return Link::To(self.form(Place::new(from, pointer))),
            RefTarget::Dangling => return Link::Dangling,
            RefTarget::Elsewhere { uri, fragment, beside } => (uri, fragment, beside),
        };
        let (source, resource) = match self.lookup(uri, beside.as_deref()) {
            Ok(Some(found)) => found,
            Ok(None) => return Link::Dangling,
            Err(()) => return Link::Pending,
        };
        let file = source.path(self.db);
        if *file != self.own {
            let missing = crate::includes::missing(self.db, source);
            if !missing.is_empty() {
                self.needs.borrow_mut().extend(missing.iter().cloned());
                return Link::Pending;
            }
        }
        if *file != self.own && crate::graph::broken(self.db, source) {
            // Its names are absent as long as it is broken: that is what mends the trace.
            self.export(&Place::new(file, ""));
            self.blocking.borrow_mut().insert(file.clone());
            return Link::Pending;
        }
        let pointer: Pointer = if fragment.is_empty() {
            resource.clone()
        } else if fragment.starts_with('/') {
            format!("{resource}{fragment}").into()
        } else {
            match self.anchor(source, &resource, fragment) {
                Some(pointer) => pointer,
                None => return Link::Dangling,
            }
        };
        // The form of a schema that is sent, which only some have.
        let pointer = match pointer.strip_suffix(WRITE) {
            Some(plain) if self.export(&Place::new(file, &pointer)).is_none() => plain.into(),
            _ => pointer,
        };
        let mut place = Place::new(file, &pointer);
        if self.export(&place).is_some() {
            return Link::To(place);
        }
        // A node's contract shows its types also where the contract itself has them.
        let pointed = fragment.starts_with('/') && !is_built_in(file);
        if let Some(alias) = pointed.then(|| self.anchor(source, &resource, fragment)).flatten() {
            place = Place::new(file, &alias);
            if self.export(&place).is_some() {
                return Link::To(place);
            }
        }
        // An exported place is known from outside; for another one the text is needed to see whether it is there.
        if self.schema(&place).is_none() {
            let unread = matches!(presence(self.db, source), Presence::Stored | Presence::Unread);
            return if unread { Link::Pending } else { Link::Dangling };
        }
        Link::To(place)
    }

    fn schema(&self, place: &Place) -> Option<&Schema> {
        let source = self.source(&place.file)?;
        if matches!(presence(self.db, source), Presence::Stored | Presence::Unread) {
            self.needs.borrow_mut().insert(place.file.clone());
            return None;
        }
        let schema = self.declared(source).and_then(|declared| declared.schema(&place.pointer));
        if place.file != self.own {
            let view = self.target.view();
            let key = ReadKey::Schema(place.file.clone(), place.pointer.clone(), view == View::Full);
            // Its dialect is a read of its own: the digest is that of what the text says by itself.
            self.record(key, || {
                let declared = declared(self.db, source, view)?;
                declared.schema(&place.pointer).map(|schema| schema_digest(schema, view))
            });
        }
        schema
    }

    fn export(&self, place: &Place) -> Option<&Export> {
        if is_built_in(&place.file) {
            return None;
        }
        let source = self.source(&place.file)?;
        let found = self.names(source).and_then(|outline| export(&outline.exports, &place.pointer));
        if found.is_some() && !self.written(place) {
            return None;
        }
        if place.file != self.own {
            let shape = self.target == Target::Models;
            let key = ReadKey::Name(place.file.clone(), place.pointer.clone(), shape);
            self.record(key, || found.map(|export| name_digest(export, shape)));
        }
        found
    }

    fn scopes(&self, file: &FileId) -> &Scopes {
        const NONE: &Scopes = &Scopes::new();
        let found = self.source(file).and_then(|source| self.names(source)).map(|outline| &outline.exports.scopes);
        if *file != self.own && !is_built_in(file) {
            self.record(ReadKey::Scopes(file.clone()), || found.map(scopes_digest));
        }
        found.unwrap_or(NONE)
    }

    fn looked_up(&self, file: &FileId) -> Arc<[Box<str>]> {
        if let Some(known) = self.looked_up.borrow().get(file) {
            return known.clone();
        }
        let mut found: BTreeSet<Box<str>> = BTreeSet::new();
        let mut seen: BTreeSet<FileId> = BTreeSet::from([file.clone()]);
        let mut queue = vec![file.clone()];
        // Each hop is a read: a change deep down stops where what a file reaches stays the same.
        while let Some(file) = queue.pop() {
            let Some(source) = self.source(&file) else { continue };
            let Some(reach) = self.reach(source) else { continue };
            found.extend(reach.looked_up.iter().cloned());
            for (uri, beside) in &reach.leads {
                let Ok(Some((source, _))) = self.lookup(uri, beside.as_deref()) else { continue };
                let next = source.path(self.db);
                if seen.insert(next.clone()) {
                    queue.push(next.clone());
                }
            }
        }
        let found: Arc<[Box<str>]> = found.into_iter().collect();
        self.looked_up.borrow_mut().insert(file.clone(), found.clone());
        found
    }

    fn built_in(&self, file: &FileId) -> bool {
        is_built_in(file)
    }

    fn external(&self, external: &External) {
        let about = Setting::class(external);
        let imports = || &Config::get(self.db).python(self.db).external;
        self.setting(Setting::External, &about, || Setting::origin(imports(), &about));
    }

    fn unit(&self, file: &FileId) -> Cow<'_, Unit> {
        match self.source(file) {
            Some(source) => Cow::Borrowed(source.unit(self.db)),
            None => Cow::Owned(Unit::new(file, "")),
        }
    }
}

/// Is it one of the metaschemas that the program brings along? Their paths are URIs, as no file of a project has.
pub(crate) fn is_built_in(file: &str) -> bool {
    file.starts_with("https://")
}

pub(crate) fn scopes_digest(scopes: &Scopes) -> Digest {
    let mut encoder = Encoder::new("scopes", View::Full);
    encoder.part(scopes);
    encoder.finish()
}

pub(crate) fn reach_digest(reach: &Reach) -> Digest {
    let mut encoder = Encoder::new("reach", View::Full);
    encoder.part(&reach.leads);
    encoder.part(&reach.looked_up);
    encoder.finish()
}

pub(crate) fn dialect_digest(stated: &Stated) -> Digest {
    let mut encoder = Encoder::new("dialect", View::Full);
    encoder.part(&stated.metaschema);
    encoder.part(&stated.vocabulary);
    encoder.finish()
}

pub(crate) fn export<'a>(exports: &'a Exports, pointer: &str) -> Option<&'a Export> {
    exports.list.iter().find(|export| &*export.pointer == pointer)
}

/// Where an anchor leads. A pointer counts as well, with what stands behind it, if the file shows that under another one.
pub(crate) fn anchor(outline: &Outline, resource: &str, name: &str) -> Option<Pointer> {
    let anchors = &outline.exports.anchors;
    let find = |name: &str| anchors.iter().find(|(of, anchor, _)| **of == *resource && **anchor == *name);
    let mut end = name.len();
    loop {
        if let Some((_, _, pointer)) = find(&name[..end]) {
            return Some(format!("{pointer}{}", &name[end..]).into());
        }
        end = name[..end].rfind('/').filter(|&end| end > 0)?;
    }
}

pub(crate) fn forward<'a>(outline: &'a Outline, pointer: &str) -> Option<&'a [Reference]> {
    outline.forwards.iter().find(|(at, _)| **at == *pointer).map(|(_, references)| references.as_slice())
}

pub(crate) fn forward_digest(references: &[Reference]) -> Digest {
    let mut encoder = Encoder::new("forward", View::Full);
    references.iter().for_each(|reference| encoder.part(reference));
    encoder.finish()
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
    encoder.byte(u8::from(export.opaque));
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
