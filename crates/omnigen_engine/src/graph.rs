//! The queries, and the handle through which the driver sets inputs and asks.
//!
//! One page: inputs are in `inputs.rs`, everything else is derived here. A query does no I/O; where text is missing it says so
//! in its value, and the driver asks again when it has set it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use omnigen_contracts::{Declarations, Dialect, Held, Includes};
use omnigen_ir::naming::Unit;
use omnigen_ir::{Contract, Digest, Encoder, FileId, Json, Judge, NodeManifest, Place, View};
use omnigen_python::Emitted;
use omnigen_report::{At, Code, Diagnostic, Severity};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use salsa::Setter;

use crate::findings::{held, twice, usable, waits};
use crate::follow::Follow;
use crate::includes::{self, included, missing};
use crate::inputs::{Config, Content, Index, Project, Source};
use crate::requests::document;
use crate::settings::Setting;
use crate::trace::{self, Built, Outline, Reads, State, Stated, Target};
use crate::verdicts::Verdicts;

/// Queries whose executions are counted, for "this query did not run".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// A file was parsed and lowered.
    Declarations,
    /// The outside of a file was made.
    Outline,
    /// A contract was checked.
    Check,
    /// A module of models was emitted.
    Models,
    /// A module of validators was emitted.
    Validators,
    /// A module of tests was emitted.
    Tests,
    /// A manifest was emitted.
    Nodes,
}

#[salsa::db]
pub(crate) trait Db: salsa::Database {
    fn shared(&self) -> &Shared;
    fn known(&self, file: &str) -> Option<Source>;
    fn enters(&self, target: Target) -> Vec<(String, String)>;
    fn refs(&self) -> Option<&str>;
}

/// What all handles of one graph have in common, beside salsa's own storage. None of it changes what a query returns.
pub(crate) struct Shared {
    pool: rayon::ThreadPool,
    executed: [AtomicU64; 7],
    /// Texts made since the driver last took them, by digest: so that nothing is emitted twice only to be written.
    texts: Mutex<FxHashMap<Digest, String>>,
    /// Declarations that were made since [`Graph::relax`] was called last: what it drops is freed beside the work that goes on.
    parsed: Mutex<Vec<Arc<Parsed>>>,
    pub(crate) verdicts: Verdicts,
}

impl Shared {
    pub(crate) fn ran(&self, counter: Counter) {
        self.executed[counter as usize].fetch_add(1, Ordering::Relaxed);
    }

    fn keep(&self, digest: Digest, text: String) {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, text);
    }
}

/// A handle of the graph. Cloning gives another handle for another thread; a setter waits until all others are gone.
#[salsa::db]
#[derive(Clone)]
pub struct Graph {
    storage: salsa::Storage<Self>,
    shared: Arc<Shared>,
    /// What [`Index`] says, to be looked up without a trace: see [`source_of`].
    known: Arc<FxHashMap<FileId, Source>>,
}

#[salsa::db]
impl salsa::Database for Graph {}

#[salsa::db]
impl Db for Graph {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn known(&self, file: &str) -> Option<Source> {
        self.known.get(file).copied()
    }

    fn enters(&self, target: Target) -> Vec<(String, String)> {
        let config = Config::get(self);
        let refs = config.refs(self).clone();
        if target == Target::Check {
            return Project { refs, ..Project::default() }.enters(target);
        }
        Project { python: config.python(self).clone(), refs, ..Project::default() }.enters(target)
    }

    fn refs(&self) -> Option<&str> {
        Config::get(self).refs(self).as_deref()
    }
}

#[salsa::interned]
pub(crate) struct Path<'db> {
    #[returns(ref)]
    pub(crate) text: FileId,
}

#[salsa::interned]
pub(crate) struct Uri<'db> {
    #[returns(ref)]
    pub(crate) text: Box<str>,
}

/// The file at a path. One that is known is the same for good: to have found it is as old as it is itself. Only who has asked in
/// vain asks again when others have come.
pub(crate) fn source_of(db: &dyn Db, file: &FileId) -> Option<Source> {
    match db.known(file) {
        Some(source) => {
            // So that whoever asked in vain before it came is younger than that now, whatever it reads of the file.
            source.path(db);
            Some(source)
        }
        None => source_at(db, Path::new(db, file.clone())),
    }
}

/// The file at a path. A firewall: who asks for one file does not depend on the others.
#[salsa::tracked(returns(copy))]
fn source_at<'db>(db: &'db dyn Db, path: Path<'db>) -> Option<Source> {
    Index::get(db).sources(db).get(path.text(db)).copied()
}

/// What is there of a file. A firewall: who only asks whether it is there does not depend on its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Its text.
    Text,
    /// What a former run left.
    Stored,
    /// Nobody knows.
    Unread,
    /// Nothing.
    Absent,
    /// A file without text.
    Unusable,
}

#[salsa::tracked(returns(copy))]
pub(crate) fn presence(db: &dyn Db, source: Source) -> Presence {
    match source.content(db) {
        Content::Text(_) => Presence::Text,
        Content::Stored(_) => Presence::Stored,
        Content::Unread => Presence::Unread,
        Content::Absent => Presence::Absent,
        Content::Unusable(_) => Presence::Unusable,
    }
}

/// What a text declares, with the text: equal while the declarations are, whatever comments and layout do.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    pub(crate) declared: Declarations,
    pub(crate) text: Arc<str>,
    /// The files that stand within it.
    pub(crate) includes: Includes,
    /// Those of them whose text is missing.
    pub(crate) needs: BTreeSet<FileId>,
    /// See [`Parsed::document`].
    pub(crate) document: OnceLock<Option<Json>>,
}

impl Parsed {
    /// The text as the schema that it is, or is translated to, if it parses. Read when somebody asks first: a judge needs it of each
    /// contract, and of those that it refers to.
    pub(crate) fn document(&self, file: &FileId) -> Option<&Json> {
        let read = || omnigen_contracts::schema_document(file, &self.text, &self.includes);
        self.document.get_or_init(read).as_ref()
    }
}

impl PartialEq for Parsed {
    fn eq(&self, other: &Parsed) -> bool {
        self.declared == other.declared && self.includes == other.includes && self.needs == other.needs
    }
}

/// Text → schemas of one file. `None` if its text is not here. Kept of so many files as are in work at once: see [`Graph::relax`].
#[salsa::tracked(returns(ref), lru = 512)]
pub(crate) fn declarations(db: &dyn Db, source: Source) -> Option<Arc<Parsed>> {
    let Content::Text(text) = source.content(db) else { return None };
    db.shared().ran(Counter::Declarations);
    let _span = tracing::debug_span!("declarations", file = &**source.path(db)).entered();
    let parsed = Arc::new(includes::read(db, source, text));
    db.shared().parsed.lock().unwrap_or_else(PoisonError::into_inner).push(parsed.clone());
    Some(parsed)
}

/// What others may see of a file, from that file alone. `None` if there is no such file, or nobody has read it.
#[salsa::tracked(returns(ref))]
pub(crate) fn outline(db: &dyn Db, source: Source) -> Option<Arc<Outline>> {
    if presence(db, source) == Presence::Stored
        && let Content::Stored(stored) = source.content(db)
    {
        return Some(stored.outline.clone());
    }
    let declared = &declarations(db, source).as_ref()?.declared;
    db.shared().ran(Counter::Outline);
    let exports = declared.exports(source.unit(db), Config::get(db).naming(db));
    let stated = Stated { metaschema: declared.metaschema.clone(), vocabulary: declared.vocabulary.clone() };
    let whole = |view| {
        let mut encoder = Encoder::new("contract", view);
        // Exported schemas have their digests already; to encode them again would cost more than the rest.
        let mut exported = exports.list.iter().map(|export| (&*export.pointer, export)).collect::<BTreeMap<_, _>>();
        for (pointer, schema) in
            std::iter::once(("", &declared.root)).chain(declared.definitions.iter().map(|(p, s)| (&**p, s)))
        {
            encoder.str(pointer);
            match exported.remove(pointer) {
                Some(export) => encoder.digest(if view == View::Full { &export.full } else { &export.meaning }),
                None => encoder.part(schema),
            }
        }
        for (uri, pointer) in &declared.ids {
            encoder.part(uri);
            encoder.part(pointer);
        }
        for (pointer, leads) in &declared.forms {
            encoder.part(pointer);
            encoder.part(leads);
        }
        for (pointer, anchors) in &declared.scopes {
            encoder.part(pointer);
            encoder.part(anchors);
        }
        if let Some(uri) = stated.custom() {
            // What the text means is not known yet: all of it counts.
            encoder.str(uri);
            encoder.part(&document(db, source));
            for (file, text) in included(db, source).iter() {
                encoder.str(file);
                encoder.str(text.unwrap_or_default());
            }
        }
        encoder.finish()
    };
    let forwards = exports.list.iter().filter_map(|export| {
        let mut references = Vec::new();
        declared.schema(&export.pointer)?.node()?.in_place(&mut |node| {
            let reference = node.reference.as_deref().filter(|reference| reference.dynamic.is_none());
            references.extend(reference.cloned());
        });
        (!references.is_empty()).then(|| (export.pointer.clone(), references))
    });
    let forwards = forwards.collect();
    let mut encoder = Encoder::new("findings", View::Full);
    encoder.str(&format!("{:?}", declared.diagnostics));
    let (broken, findings) = (declared.broken, encoder.finish());
    let node = declared.node.as_ref().map(|node| {
        let mut encoder = Encoder::new("node", View::Full);
        encoder.str(&format!("{node:?}"));
        encoder.finish()
    });
    let (meaning, full) = (whole(View::Meaning), whole(View::Full));
    let reach = declared.reach.clone();
    Some(Arc::new(Outline { exports, node, broken, findings, forwards, reach, stated, meaning, full }))
}

/// What a contract says beside its types: equal while that is.
#[salsa::tracked(returns(ref))]
pub(crate) fn manifest(db: &dyn Db, source: Source) -> Option<Arc<NodeManifest>> {
    declarations(db, source).as_ref()?.declared.node.clone()
}

/// The declarations as those see them who only ask for what decides validity: equal while the meaning is.
#[derive(Clone, Debug)]
pub(crate) struct Meaning {
    parsed: Arc<Parsed>,
    digest: Digest,
}

impl PartialEq for Meaning {
    fn eq(&self, other: &Meaning) -> bool {
        self.digest == other.digest
    }
}

#[salsa::tracked(returns(ref), lru = 512)]
fn meaning(db: &dyn Db, source: Source) -> Option<Meaning> {
    let parsed = declarations(db, source).clone()?;
    outline(db, source).as_ref().map(|outline| Meaning { parsed, digest: outline.meaning })
}

/// The declarations in a view: a query that reads them without annotations does not run again when only those change.
pub(crate) fn declared(db: &dyn Db, source: Source, view: View) -> Option<&Declarations> {
    match view {
        View::Full => declarations(db, source).as_ref().map(|parsed| &parsed.declared),
        View::Meaning => meaning(db, source).as_ref().map(|meaning| &meaning.parsed.declared),
    }
}

/// What a text declares in a dialect that its metaschema tells.
#[salsa::tracked(returns(ref))]
pub(crate) fn redeclared(db: &dyn Db, source: Source, dialect: Dialect) -> Option<Arc<Declarations>> {
    let Content::Text(text) = source.content(db) else { return None };
    db.shared().ran(Counter::Declarations);
    Some(Arc::new(omnigen_contracts::declarations_in(source.path(db), text, dialect, included(db, source))))
}

/// The outside of a file without its digests: equal while names, types, tags, ids and anchors are.
#[derive(Clone, Debug)]
pub(crate) struct Names(Arc<Outline>);

impl PartialEq for Names {
    fn eq(&self, other: &Names) -> bool {
        let named = |names: &Names| -> Vec<_> {
            let list = names.0.exports.list.iter();
            list.map(|e| (e.pointer.clone(), e.class.clone(), e.function.clone(), e.types, e.tags.clone(), e.opaque))
                .collect()
        };
        let (a, b) = (&self.0.exports, &other.0.exports);
        a.ids == b.ids
            && a.anchors == b.anchors
            && a.scopes == b.scopes
            && a.forms == b.forms
            && self.0.forwards == other.0.forwards
            && self.0.reach == other.0.reach
            && self.0.stated == other.0.stated
            && named(self) == named(other)
    }
}

#[salsa::tracked(returns(ref))]
fn named(db: &dyn Db, source: Source) -> Option<Names> {
    outline(db, source).clone().map(Names)
}

/// The names of a file: for those who do not ask for its content.
pub(crate) fn names(db: &dyn Db, source: Source) -> Option<&Outline> {
    named(db, source).as_ref().map(|names| &*names.0)
}

/// Is there a file of which nothing can be read?
#[salsa::tracked(returns(copy))]
pub(crate) fn broken(db: &dyn Db, source: Source) -> bool {
    match presence(db, source) {
        Presence::Unusable => true,
        Presence::Text | Presence::Stored => outline(db, source).as_ref().is_none_or(|outline| outline.broken),
        Presence::Unread | Presence::Absent => false,
    }
}

/// What the errors of a file hold back, for those who have read its schemas. With the files that are needed to tell.
#[salsa::tracked(returns(ref))]
pub(crate) fn sound(db: &dyn Db, source: Source) -> (Held, BTreeSet<FileId>) {
    if Config::get(db).clashing(db).contains(source.path(db)) {
        return (Held::Everything, BTreeSet::new());
    }
    if presence(db, source) == Presence::Stored
        && let Content::Stored(stored) = source.content(db)
    {
        // How much of it is not kept.
        let needs = if stored.held { BTreeSet::from([source.path(db).clone()]) } else { BTreeSet::new() };
        return (Held::Nothing, needs);
    }
    let (_, held, needs) = checked(db, source);
    (held.clone(), needs.clone())
}

#[salsa::tracked(returns(copy))]
fn findings_digest(db: &dyn Db, source: Source) -> Option<Digest> {
    outline(db, source).as_ref().map(|outline| outline.findings)
}

/// What was found while a file was read.
#[salsa::tracked(returns(ref))]
fn findings(db: &dyn Db, source: Source) -> Vec<Diagnostic> {
    declarations(db, source).as_ref().map(|parsed| parsed.declared.diagnostics.clone()).unwrap_or_default()
}

/// The digest of a file's schemas in a view.
#[salsa::tracked(returns(copy))]
pub(crate) fn meaning_digest(db: &dyn Db, source: Source) -> Option<Digest> {
    outline(db, source).as_ref().map(|outline| outline.meaning)
}

/// Every `$id` of every file, the first file by path winning.
#[salsa::tracked(returns(ref))]
fn ids(db: &dyn Db) -> BTreeMap<Box<str>, Place> {
    let mut ids = BTreeMap::new();
    for (path, &source) in Index::get(db).sources(db).iter() {
        if trace::is_built_in(path) {
            continue;
        }
        for (uri, pointer) in names(db, source).iter().flat_map(|outline| &outline.exports.ids) {
            ids.entry(uri.clone()).or_insert_with(|| Place::new(path, pointer));
        }
    }
    ids
}

/// Which schema an `$id` names. A firewall like [`source_at`].
#[salsa::tracked(returns(clone))]
pub(crate) fn id_at<'db>(db: &'db dyn Db, uri: Uri<'db>) -> Option<Place> {
    ids(db).get(uri.text(db)).cloned()
}

/// What is wrong with a contract, its references followed one step.
#[salsa::tracked(returns(ref))]
fn check(db: &dyn Db, source: Source) -> Built {
    db.shared().ran(Counter::Check);
    let reads = Reads::new(db, source, Target::Check);
    let file = source.path(db);
    let mut diagnostics = Vec::new();
    match presence(db, source) {
        Presence::Unusable => {
            if let Content::Unusable(diagnostic) = source.content(db) {
                diagnostics.push(diagnostic.clone());
            }
        }
        Presence::Absent => {
            diagnostics.push(Diagnostic::new(Code::Unreadable, At::file(file), "the file is not there"))
        }
        Presence::Text | Presence::Stored | Presence::Unread => {}
    }
    reads.findings(findings_digest(db, source));
    match reads.dialect(source) {
        Ok(Some(dialect)) => {
            let redeclared = redeclared(db, source, dialect).iter();
            diagnostics.extend(redeclared.flat_map(|declared| declared.diagnostics.iter().cloned()));
        }
        Ok(None) => diagnostics.extend(findings(db, source).iter().cloned()),
        Err(vocabulary) => {
            let message = format!("the metaschema requires the vocabulary `{vocabulary}`, which omnigen does not know");
            let diagnostic = Diagnostic::new(Code::UnknownDialect, At::value(file, "/$schema"), message);
            diagnostics.push(Diagnostic { severity: omnigen_report::Severity::Error, ..diagnostic });
        }
    }
    for diagnostic in diagnostics.iter_mut().filter(|diagnostic| diagnostic.code == Code::DuplicateKey) {
        let strict = Config::get(db).strict_keys(db);
        reads.setting(Setting::DuplicateKeys, "", || Some(Setting::said(&strict.to_string())));
        if strict {
            diagnostic.severity = Severity::Error;
        }
    }
    if let Some(declared) = reads.declared(source) {
        for schema in std::iter::once(&declared.root).chain(declared.definitions.iter().map(|(_, schema)| schema)) {
            diagnostics.extend(omnigen_python::regex::findings(file, schema));
        }
        twice(&reads, file, declared, &mut diagnostics);
        let mut follow = Follow { file, reads: &reads, diagnostics: &mut diagnostics };
        follow.schema(&declared.root);
        declared.definitions.iter().for_each(|(_, schema)| follow.schema(schema));
    }
    if presence(db, source) == Presence::Text {
        reads.included(included(db, source));
    }
    let (trace, mut needs) = reads.finish();
    needs.extend(missing(db, source).iter().cloned());
    if matches!(presence(db, source), Presence::Stored | Presence::Unread) {
        needs.insert(file.clone());
    }
    let held = held(db, source, &diagnostics);
    let state = state(&needs, held == Held::Everything);
    // The digest tells those who only know what was recorded whether all of it can be used.
    let digest = match &held {
        Held::Some(_) => Digest::of(format!("{held:?}").as_bytes()),
        Held::Nothing | Held::Everything => Digest::of(b""),
    };
    Built { state, digest, trace, diagnostics, needs }
}

/// May anything be made of a contract, and what may not? What others ask of its check.
#[salsa::tracked(returns(ref))]
fn checked(db: &dyn Db, source: Source) -> (State, Held, BTreeSet<FileId>) {
    let Built { state, needs, diagnostics, .. } = check(db, source);
    (*state, held(db, source, diagnostics), needs.clone())
}

fn state(needs: &BTreeSet<FileId>, errors: bool) -> State {
    if !needs.is_empty() {
        State::Pending
    } else if errors {
        State::Held
    } else {
        State::Ready
    }
}

#[salsa::tracked(returns(ref))]
fn models(db: &dyn Db, source: Source) -> Built {
    db.shared().ran(Counter::Models);
    built(db, source, Target::Models)
}

#[salsa::tracked(returns(ref))]
fn validators(db: &dyn Db, source: Source) -> Built {
    db.shared().ran(Counter::Validators);
    built(db, source, Target::Validators)
}

#[salsa::tracked(returns(ref))]
fn tests(db: &dyn Db, source: Source) -> Built {
    db.shared().ran(Counter::Tests);
    built(db, source, Target::Tests)
}

#[salsa::tracked(returns(ref))]
fn nodes(db: &dyn Db, source: Source) -> Built {
    db.shared().ran(Counter::Nodes);
    built(db, source, Target::Nodes)
}

/// Asks for one artifact of one contract.
pub(crate) fn artifact(db: &dyn Db, source: Source, target: Target) -> &Built {
    match target {
        Target::Check => check(db, source),
        Target::Models => models(db, source),
        Target::Validators => validators(db, source),
        Target::Tests => tests(db, source),
        Target::Nodes => nodes(db, source),
    }
}

/// The digest of a generator: its format and the fields of the configuration that it reads.
#[salsa::tracked(returns(copy))]
pub(crate) fn generator(db: &dyn Db, _config: Config, target: Target) -> Digest {
    trace::generator_digest(&db.enters(target))
}

fn built(db: &dyn Db, source: Source, target: Target) -> Built {
    let _span = tracing::debug_span!("emit", target = target.name(), file = &**source.path(db)).entered();
    let reads = Reads::new(db, source, target);
    let (state, _, missing) = checked(db, source);
    if *state != State::Ready {
        let (trace, mut needs) = reads.finish();
        needs.extend(missing.iter().cloned());
        return Built { state: *state, digest: Digest::of(b""), trace, diagnostics: Vec::new(), needs };
    }
    let Emitted { body, diagnostics } = emitted(db, source, target, &reads);
    let blocking = reads.blocking();
    let (trace, needs) = reads.finish();
    let state = self::state(&needs, !blocking.is_empty() || diagnostics.iter().any(Diagnostic::is_error));
    // What was found while something was missing is not true.
    let diagnostics = if blocking.is_empty() { diagnostics } else { waits(source.path(db), &blocking) };
    let digest = Digest::of(body.as_bytes());
    if state == State::Ready {
        db.shared().keep(digest, body);
    }
    Built { state, digest, trace, diagnostics, needs }
}

/// The text of an artifact: not memoized, since keeping texts costs memory and saves no time.
pub(crate) fn emitted(db: &dyn Db, source: Source, target: Target, reads: &Reads<'_>) -> Emitted {
    let nothing = Emitted { body: String::new(), diagnostics: Vec::new() };
    let Some(outline) = names(db, source) else { return nothing };
    let exports = reads.present(usable(&outline.exports, &checked(db, source).1));
    let contract = Contract { file: source.path(db), unit: source.unit(db), exports: &exports };
    let settings = Config::get(db).python(db);
    let described = exports.list.iter().any(|export| !export.opaque);
    match target {
        Target::Check => nothing,
        Target::Nodes => match reads.node(source) {
            Some(node) => omnigen_python::nodes::nodes(&contract, node, settings),
            None => nothing,
        },
        // A contract without types has no module of them, and nothing is to be checked about foreign classes.
        Target::Models if exports.list.is_empty() => nothing,
        Target::Validators if !described => nothing,
        Target::Tests if !described => {
            crate::exports_tests::manifest(source, &contract, reads, settings).unwrap_or(nothing)
        }
        Target::Models => omnigen_python::pydantic::models(&contract, reads, settings),
        Target::Validators => omnigen_python::validators::validators(&contract, reads, settings),
        Target::Tests => crate::tasks::tests(db, source, &contract, reads, settings),
    }
}

/// So many files are read before anything is made of them.
const MANY: usize = 32;

impl Graph {
    /// An empty graph that works on `threads` threads. `judge` decides about the documents of generated tests.
    ///
    /// # Errors
    /// The machine gives no threads.
    pub fn new(project: &Project, threads: usize, judge: Box<dyn Judge + Send + Sync>) -> Result<Graph, String> {
        // Deep documents recurse: the stack is address space, not memory, until it is used.
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .stack_size(64 << 20)
            .thread_name(|i| format!("omnigen-{i}"))
            .build()
            .map_err(|error| error.to_string())?;
        let shared = Shared {
            pool,
            executed: Default::default(),
            texts: Mutex::default(),
            parsed: Mutex::default(),
            verdicts: Verdicts::new(judge),
        };
        let mut graph = Graph { storage: salsa::Storage::new(None), shared: Arc::new(shared), known: Arc::default() };
        let built_in = omnigen_contracts::metaschemas().iter().map(|&(uri, text)| {
            let path = FileId::from(uri);
            (path.clone(), Source::new(&graph, path, Unit::new(uri, ""), Content::Text(text.into())))
        });
        let built_in: BTreeMap<FileId, Source> = built_in.collect();
        graph.known = Arc::new(built_in.clone().into_iter().collect());
        Index::new(&graph, Arc::new(built_in));
        let Project { python, refs, strict_keys } = project.clone();
        Config::new(&graph, python.naming.clone(), python, refs, strict_keys, BTreeSet::new());
        crate::requests::Tasks::none(&graph);
        Ok(graph)
    }

    /// Sets the configuration; fields that stay the same invalidate nothing.
    pub fn set_project(&mut self, project: &Project) {
        let config = Config::get(self);
        if *config.naming(self) != project.python.naming {
            config.set_naming(self).to(project.python.naming.clone());
        }
        if *config.python(self) != project.python {
            config.set_python(self).to(project.python.clone());
        }
        if *config.refs(self) != project.refs {
            config.set_refs(self).to(project.refs.clone());
        }
        if config.strict_keys(self) != project.strict_keys {
            config.set_strict_keys(self).to(project.strict_keys);
        }
    }

    /// Sets which contracts want the same outputs as another one: who refers to them waits.
    pub fn set_clashing(&mut self, clashing: BTreeSet<FileId>) {
        let config = Config::get(self);
        if *config.clashing(self) != clashing {
            config.set_clashing(self).to(clashing);
        }
    }

    /// Sets what is known of files. What is the same as before invalidates nothing; new paths enter the index once.
    pub fn set_files(&mut self, files: impl IntoIterator<Item = (FileId, Unit, Content)>) {
        let mut fresh = Vec::new();
        for (path, unit, content) in files {
            match self.source(&path) {
                None => {
                    if fresh.is_empty() {
                        // It is younger than all that was asked before it came.
                        salsa::Database::synthetic_write(self, salsa::Durability::LOW);
                    }
                    fresh.push((path.clone(), Source::new(self, path, unit, content)));
                }
                Some(source) => {
                    if *source.unit(self) != unit {
                        source.set_unit(self).to(unit);
                    }
                    if *source.content(self) != content {
                        source.set_content(self).to(content);
                    }
                }
            }
        }
        if !fresh.is_empty() {
            Arc::make_mut(&mut self.known).extend(fresh.iter().cloned());
            let mut sources = Index::get(self).sources(self).clone();
            Arc::make_mut(&mut sources).extend(fresh);
            Index::get(self).set_sources(self).to(sources);
        }
    }

    /// What is known of a file.
    pub fn content(&self, file: &str) -> Option<&Content> {
        self.source(file).map(|source| source.content(self))
    }

    /// Where a file's modules go.
    pub fn unit(&self, file: &str) -> Option<&Unit> {
        self.source(file).map(|source| source.unit(self))
    }

    pub(crate) fn source(&self, file: &str) -> Option<Source> {
        self.known.get(file).copied()
    }

    /// Makes artifacts, on all threads of the graph, in the order of asking.
    pub fn make(&self, asked: &[(FileId, Target)]) -> Vec<Built> {
        let _span = tracing::info_span!("make", artifacts = asked.len()).entered();
        let sources: Vec<Option<(Source, Target)>> =
            asked.iter().map(|(file, target)| self.source(file).map(|source| (source, *target))).collect();
        let gone = || Built {
            state: State::Held,
            digest: Digest::of(b""),
            trace: [].into(),
            diagnostics: Vec::new(),
            needs: BTreeSet::new(),
        };
        let mut files: Vec<Source> = sources.iter().flatten().map(|(source, _)| *source).collect();
        files.dedup();
        let mut made: Vec<Option<Built>> = vec![None; asked.len()];
        let kind = |asked: &Option<(Source, Target)>| asked.map(|(_, target)| target);
        let mut slots: Vec<_> = made.iter_mut().zip(sources).collect();
        slots.sort_by_key(|(_, asked)| kind(asked));
        let handle = Handle(self.clone());
        self.shared.pool.install(move || {
            // One kind of work after the other: code that stays in the caches of a processor is faster by a sixth than code that
            // has to come back for every contract.
            if files.len() >= MANY {
                files.par_iter().with_min_len(4).for_each_with(handle.clone(), |graph, source| {
                    declarations(&graph.0, *source);
                });
                files.par_iter().with_min_len(4).for_each_with(handle.clone(), |graph, source| {
                    outline(&graph.0, *source);
                });
            }
            for work in slots.chunk_by_mut(|(_, a), (_, b)| kind(a) == kind(b)) {
                work.par_iter_mut().with_min_len(4).for_each_with(handle.clone(), |graph, (slot, asked)| {
                    **slot = Some(match asked {
                        Some((source, target)) => artifact(&graph.0, *source, *target).clone(),
                        None => gone(),
                    });
                });
            }
        });
        made.into_iter().map(|built| built.unwrap_or_else(gone)).collect()
    }

    /// Takes the text behind a digest that [`Graph::make`] gave, making it again if it is no longer at hand.
    pub fn text(&self, file: &FileId, target: Target, digest: Digest) -> Option<String> {
        let kept = self.shared.texts.lock().unwrap_or_else(PoisonError::into_inner).remove(&digest);
        kept.or_else(|| {
            let source = self.source(file)?;
            let reads = Reads::new(self, source, target);
            Some(emitted(self, source, target, &reads).body).filter(|body| Digest::of(body.as_bytes()) == digest)
        })
    }

    /// Adds verdicts that an earlier run took ([`Graph::take_verdicts`]): what they answer is not judged again.
    pub fn know_verdicts(&self, entries: impl IntoIterator<Item = (Digest, Vec<u8>)>) {
        self.shared.verdicts.know(entries);
    }

    /// How many verdicts were given since they were taken last.
    pub fn fresh_verdicts(&self) -> usize {
        self.shared.verdicts.fresh()
    }

    /// The verdicts that were given since they were taken last, by the digest of all that was asked.
    pub fn take_verdicts(&self) -> Vec<(Digest, Vec<u8>)> {
        self.shared.verdicts.take()
    }

    /// Forgets texts that nobody took.
    pub fn forget_texts(&self) {
        self.shared.texts.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The outside of a file, if it is known.
    pub fn outline(&self, file: &str) -> Option<&Outline> {
        outline(self, self.source(file)?).as_deref()
    }

    /// The same, to be kept.
    pub fn shared_outline(&self, file: &str) -> Option<Arc<Outline>> {
        outline(self, self.source(file)?).clone()
    }

    /// Drops declarations that nobody has asked for lately: they are most of what a graph weighs, and read again when needed.
    pub fn relax(&mut self) {
        salsa::Database::trigger_lru_eviction(self);
        let mut parsed = self.shared.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, dropped) = parsed.drain(..).partition(|parsed| Arc::strong_count(parsed) > 1);
        *parsed = kept;
        let dropped: Vec<Arc<Parsed>> = dropped;
        if dropped.len() > 1 {
            self.shared.pool.spawn(move || drop(dropped));
        }
    }

    /// How often a query has been executed since the graph was made.
    pub fn executed(&self, counter: Counter) -> u64 {
        self.shared.executed[counter as usize].load(Ordering::Relaxed)
    }
}

/// A handle for one rayon job: the database is `Send`, not `Sync`.
#[derive(Clone)]
struct Handle(Graph);
