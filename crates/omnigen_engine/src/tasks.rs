//! Tasks that are more than text: generated tests, which a judge takes part in, and requests to agents.
//!
//! A query *plans* a request; it never asks an agent. The driver asks, sets the answer as the task's input, and asks the query
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use omnigen_ir::samples::{Candidate, Limit, Samples, samples};
use omnigen_ir::{Contract, Digest, Encoder, FileId, Json, Link, Node, Question, RefTarget, Resolve, Schema, View};
use omnigen_python::{Emitted, Settings};
use omnigen_report::{At, Code, Diagnostic};
use salsa::Setter;

use crate::graph::{Db, Graph, Parsed, declarations, judge, source_at};
use crate::inputs::{Content, Source};
use crate::trace::{Read, ReadKey, Reads, State, Target};

/// How many documents one contract's tests have: enough for every constraint of all but the largest, and still milliseconds.
const LIMIT: Limit = Limit { documents: 2_000, values: 40_000 };

/// An example of the contract that the contract itself does not allow.
fn refused(file: &FileId, candidate: &Candidate, valid: bool) -> Option<Diagnostic> {
    let number: usize = candidate.about.strip_prefix("example ")?.parse().ok()?;
    if valid || candidate.keyword != "examples" || !candidate.pointer.is_empty() {
        return None;
    }
    let at = At::value(file, &format!("/examples/{}", number.checked_sub(1)?));
    let message = format!("example {number} is not valid by its own contract");
    Some(Diagnostic::new(Code::ExampleInvalid, at, message))
}

/// Candidates, verdicts, test module.
pub(crate) fn tests(
    db: &dyn Db,
    source: Source,
    contract: &Contract<'_>,
    reads: &Reads<'_>,
    settings: &Settings,
) -> Emitted {
    if contract.exports.list.first().is_none_or(|export| !export.pointer.is_empty()) {
        let none = Samples { bases: Vec::new(), candidates: Vec::new(), cut: false };
        return omnigen_python::pytest::tests(contract, settings, &none, &[]);
    }
    let samples = samples(contract, reads, LIMIT);
    let question = question(db, source, contract, reads, settings, &samples);
    match question.and_then(|question| judge(db).verdicts(&question)) {
        Ok(verdicts) => {
            let mut emitted = omnigen_python::pytest::tests(contract, settings, &samples, &verdicts);
            let judged = samples.candidates.iter().zip(&verdicts);
            let refused = judged.filter_map(|(candidate, valid)| refused(contract.file, candidate, *valid));
            emitted.diagnostics.extend(refused);
            emitted
        }
        Err(reason) => {
            // Tests without verdicts would prove nothing: keep what can be tested without documents, and say so.
            let none = Samples { bases: Vec::new(), candidates: Vec::new(), cut: false };
            let mut emitted = omnigen_python::pytest::tests(contract, settings, &none, &[]);
            let message = format!("the oracle cannot judge documents of this contract: {reason}");
            emitted.diagnostics.push(Diagnostic::new(Code::NoVerdict, At::file(contract.file), message));
            emitted
        }
    }
}

/// The question about the candidates: the contract's document and those of the files that were read for it. References between
/// them are rewritten to lead where the build has found them to lead; what is referenced beyond them accepts everything (the
/// candidates hold nothing there).
fn question(
    db: &dyn Db,
    source: Source,
    contract: &Contract<'_>,
    reads: &Reads<'_>,
    settings: &Settings,
    samples: &Samples,
) -> Result<Question, String> {
    let mut included: BTreeSet<FileId> = reads.foreign();
    included.insert(contract.file.clone());
    let sources: BTreeMap<FileId, Source> = included
        .into_iter()
        .filter_map(|file| source_at(db, crate::graph::Path::new(db, file.clone())).map(|source| (file, source)))
        .collect();
    let bases: BTreeMap<&FileId, String> =
        sources.iter().map(|(file, source)| (file, base(db, file, *source))).collect();
    let mut documents = vec![(ANYTHING.to_owned(), Json::Object(Vec::new()))];
    let metaschemas = std::cell::Cell::new(false);
    for (file, &source) in &sources {
        if reads.built_in(file) {
            metaschemas.set(true);
            continue;
        }
        let Some(Parsed { text, .. }) = declarations(db, source).as_deref() else { continue };
        let Some(declared) = reads.declared(source) else { continue };
        let Some(mut document) = omnigen_contracts::document(file, text) else { continue };
        if text.contains("unevaluatedItems") && contains_without_evaluating(declared) {
            return Err("it takes `contains` for one of 2020-12 beside `unevaluatedItems`".to_owned());
        }
        if let Ok(Some(dialect)) = reads.dialect(source) {
            if !dialect.is_whole() {
                return Err(format!("the metaschema of {file} changes what keywords mean"));
            }
            if let Some(value) = at_mut(&mut document, "/$schema") {
                *value = Json::String(dialect.draft_uri().into());
            }
        }
        let mut rewrite = |node: &Node| {
            let Some(reference) = &node.reference else { return };
            let RefTarget::Elsewhere { .. } = &reference.target else { return };
            let target = match reads.link(file, reference) {
                Link::To(place) if reads.built_in(&place.file) => {
                    metaschemas.set(true);
                    Some(reference.text.to_string())
                }
                Link::To(place) => bases.get(&place.file).map(|base| match &reference.dynamic {
                    // The name of the anchor is what makes it dynamic.
                    Some(name) if !name.is_empty() => format!("{base}#{name}"),
                    _ => format!("{base}#{}", encoded(&place.pointer)),
                }),
                Link::Dangling | Link::Pending => None,
            };
            let target = target.unwrap_or_else(|| ANYTHING.to_owned());
            let keyword = if reference.dynamic.is_some() { "$dynamicRef" } else { "$ref" };
            if let Some(value) = at_mut(&mut document, &format!("{}/{keyword}", node.at)) {
                *value = Json::String(target.into());
            }
        };
        each_node(&declared.root, &mut rewrite);
        declared.definitions.iter().for_each(|(_, schema)| each_node(schema, &mut rewrite));
        documents.push((bases[file].clone(), document));
    }
    if metaschemas.get() {
        for (_, text) in omnigen_contracts::metaschemas() {
            let Some(document) = omnigen_contracts::document(&FileId::from("metaschema.json"), text) else { continue };
            let Json::Object(members) = &document else { continue };
            let id = members.iter().find(|(name, _)| matches!(&**name, "$id" | "id")).and_then(|(_, id)| id.as_str());
            if let Some(id) = id.map(|id| id.trim_end_matches('#').to_owned()) {
                documents.push((id, document));
            }
        }
    }
    let root = bases.get(contract.file).cloned().unwrap_or_else(|| base(db, contract.file, source));
    let bases = samples.bases.iter().map(|base| base.document.clone()).collect();
    let instances = samples.candidates.iter().map(|candidate| (candidate.base, candidate.edits.clone())).collect();
    Ok(Question { root, documents, assert_formats: settings.assert_formats, bases, instances })
}

/// The URI of a schema that accepts everything.
const ANYTHING: &str = "urn:omnigen:anything";

/// The URI that a file's own references start from: its `$id`, or where it is.
fn base(db: &dyn Db, file: &FileId, source: Source) -> String {
    let ids = declarations(db, source).as_ref().map(|parsed| &parsed.declared.ids);
    let own = ids.into_iter().flatten().find(|(_, pointer)| pointer.is_empty());
    own.map_or_else(|| format!("file:///{}", encoded(file)), |(uri, _)| uri.to_string())
}

/// Percent-encodes what may not stand in a URI's path or fragment (RFC 3986, section 3.5).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn each_node<'a>(schema: &'a Schema, found: &mut dyn FnMut(&'a Node)) {
    let Some(node) = schema.node() else { return };
    found(node);
    node.children(&mut |_, child| each_node(child, found));
}

/// Is there a `contains` of a draft in which it evaluates nothing (before 2020-12)?
fn contains_without_evaluating(declared: &omnigen_contracts::Declarations) -> bool {
    let mut found = false;
    let mut look = |node: &Node| {
        found |= node.array.as_ref().is_some_and(|rules| rules.contains.as_ref().is_some_and(|c| !c.evaluates));
    };
    each_node(&declared.root, &mut look);
    declared.definitions.iter().for_each(|(_, schema)| each_node(schema, &mut look));
    found
}

/// The value at a pointer.
fn at_mut<'a>(json: &'a mut Json, pointer: &str) -> Option<&'a mut Json> {
    let mut value = json;
    for token in pointer.split('/').skip(1) {
        value = match value {
            Json::Object(members) => {
                let name = token.replace("~1", "/").replace("~0", "~");
                &mut members.iter_mut().find(|(n, _)| **n == *name)?.1
            }
            Json::Array(items) => items.get_mut(token.parse::<usize>().ok()?)?,
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => return None,
        };
    }
    Some(value)
}

/// Digest of a document as agents see it: comments and layout do not count.
#[salsa::tracked(returns(copy))]
pub(crate) fn document(db: &dyn Db, source: Source) -> Option<Digest> {
    match source.content(db) {
        Content::Text(text) => {
            let json = omnigen_contracts::document(source.path(db), text)?;
            Some(Digest::of(json.to_string().as_bytes()))
        }
        Content::Stored(_) | Content::Unread | Content::Absent | Content::Unusable(_) => None,
    }
}

/// An agent's target, as the configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentTarget {
    /// The target's name.
    pub name: Box<str>,
    /// The agent's name.
    pub agent: Box<str>,
    /// Digest of what the agent is: command line, declared inputs, environment.
    pub identity: Digest,
    /// The pattern of its output, `docs/{contract}.md`.
    pub output: Box<str>,
    /// Targets of the same contract whose artifacts it is given, in order.
    pub needs: Vec<Box<str>>,
}

/// What an agent gave, as far as other tasks may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The key that it answers.
    pub key: Digest,
    /// Path and text of its artifacts.
    pub artifacts: Vec<(Box<str>, Arc<str>)>,
}

/// One agent's target for one contract.
#[salsa::input]
pub(crate) struct Task {
    #[returns(copy)]
    source: Source,
    #[returns(ref)]
    target: AgentTarget,
    /// What the agent answered last, whatever the question was.
    #[returns(ref)]
    given: Option<Given>,
}

/// Which tasks there are.
#[salsa::input(singleton)]
pub(crate) struct Tasks {
    #[returns(ref)]
    by_name: Arc<BTreeMap<(FileId, Box<str>), Task>>,
}

impl Tasks {
    pub(crate) fn none(db: &dyn Db) {
        Tasks::new(db, Arc::default());
    }
}

/// What is known about a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Planned {
    /// Everything that the agent may see is there.
    Ready(Request),
    /// The contract, or something that the task needs, has errors.
    Held,
    /// Text of these files has to be set first.
    Unread(BTreeSet<FileId>),
    /// Another task of the same contract has to be answered first.
    Waiting(Box<str>),
}

/// A request to an agent, without its (large) context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Digest of everything that the agent may see, and of what it is.
    pub key: Digest,
    /// What the plan has read.
    pub trace: Vec<Read>,
}

/// Plans a request: pure, its digest is the key.
#[salsa::tracked(returns(ref))]
fn request(db: &dyn Db, task: Task) -> Planned {
    match context(db, task) {
        Ok((context, trace)) => {
            let AgentTarget { name, agent, identity, output, needs: _ } = task.target(db);
            let mut encoder = Encoder::new("task/1", View::Full);
            encoder.part(name);
            encoder.part(agent);
            encoder.part(identity);
            encoder.part(output);
            encoder.part(task.source(db).path(db).as_ref());
            encoder.part(&context);
            Planned::Ready(Request { key: encoder.finish(), trace })
        }
        Err(planned) => planned,
    }
}

/// The context package as canonical JSON, and what was read for it.
fn context(db: &dyn Db, task: Task) -> Result<(String, Vec<Read>), Planned> {
    let (source, target) = (task.source(db), task.target(db));
    let file = source.path(db);
    let text = match source.content(db) {
        Content::Text(text) => text,
        Content::Stored(_) | Content::Unread => return Err(Planned::Unread(BTreeSet::from([file.clone()]))),
        Content::Absent | Content::Unusable(_) => return Err(Planned::Held),
    };
    let mut trace = vec![
        Read { key: ReadKey::Agent(target.name.clone()), digest: Some(target.identity) },
        Read { key: ReadKey::Document(file.clone()), digest: document(db, source) },
    ];
    let checked = crate::graph::artifact(db, source, Target::Check);
    match checked.state {
        State::Ready => {}
        State::Held => return Err(Planned::Held),
        State::Pending => return Err(Planned::Unread(checked.needs.clone())),
    }
    let string = |text: &str| Json::String(text.into());
    let mut artifacts = Vec::new();
    for need in &target.needs {
        let (texts, digest) = needed(db, task, need)?;
        trace.push(Read { key: ReadKey::Artifact(file.clone(), need.clone()), digest: Some(digest) });
        let list = texts.into_iter().map(|(path, text)| {
            Json::Object(vec![("path".into(), Json::String(path)), ("text".into(), string(&text))])
        });
        artifacts.push((need.clone(), Json::Array(list.collect())));
    }
    let unit = source.unit(db);
    let contract = Json::Object(vec![
        ("path".into(), string(file)),
        ("name".into(), string(&unit.stem)),
        ("document".into(), omnigen_contracts::document(file, text).unwrap_or(Json::Null)),
    ]);
    let coordination = Json::Object(vec![
        ("agent".into(), string(&target.agent)),
        ("target".into(), string(&target.name)),
        ("output".into(), string(&output_path(&target.output, unit))),
    ]);
    let package = Json::Object(vec![
        ("version".into(), Json::Number(omnigen_ir::Number::from_i64(1))),
        ("coordination".into(), coordination),
        ("contract".into(), contract),
        ("artifacts".into(), Json::Object(artifacts)),
    ]);
    Ok((package.to_string(), trace))
}

/// Texts and digest of what a need names: a built-in artifact, or another agent's answer to its current request.
type Needed = (Vec<(Box<str>, Arc<str>)>, Digest);

fn needed(db: &dyn Db, task: Task, need: &str) -> Result<Needed, Planned> {
    let source = task.source(db);
    if let Some(target) = Target::ALL.into_iter().find(|target| target.name() == need && *target != Target::Check) {
        let built = crate::graph::artifact(db, source, target);
        return match built.state {
            State::Ready => {
                let reads = Reads::new(db, source, target);
                let body = crate::graph::emitted(db, source, target, &reads).body;
                Ok((vec![(source.unit(db).path(target.kind()).into(), body.into())], built.digest))
            }
            State::Held => Err(Planned::Held),
            State::Pending => Err(Planned::Unread(built.needs.clone())),
        };
    }
    let tasks = Tasks::get(db).by_name(db);
    let Some(&other) = tasks.get(&(source.path(db).clone(), need.into())) else { return Err(Planned::Held) };
    let Planned::Ready(asked) = request(db, other) else { return Err(Planned::Waiting(need.into())) };
    match other.given(db) {
        Some(given) if given.key == asked.key => Ok((given.artifacts.clone(), given_digest(given))),
        _ => Err(Planned::Waiting(need.into())),
    }
}

fn given_digest(given: &Given) -> Digest {
    let mut encoder = Encoder::new("given/1", View::Full);
    for (path, text) in &given.artifacts {
        encoder.str(path);
        encoder.str(text);
    }
    encoder.finish()
}

/// The output of a target for a contract: `{contract}` is its path below the contracts' folder without extension,
/// `{name}` the last part of it.
pub fn output_path(pattern: &str, unit: &omnigen_ir::naming::Unit) -> String {
    let mut path = unit.folders.join("/");
    if !path.is_empty() {
        path.push('/');
    }
    path.push_str(&unit.stem);
    pattern.replace("{contract}", &path).replace("{name}", &unit.stem)
}

impl Graph {
    /// Sets which agents' targets there are, and adds tasks for these contracts. Answers of tasks that stay are kept.
    pub fn set_tasks(&mut self, targets: &[AgentTarget], files: &[FileId]) {
        let old = Tasks::get(self).by_name(self).clone();
        let mut tasks: BTreeMap<_, _> = old
            .iter()
            .filter(|((_, name), _)| targets.iter().any(|target| target.name == *name))
            .map(|(key, task)| (key.clone(), *task))
            .collect();
        for target in targets {
            for file in files {
                let Some(source) = self.source(file) else { continue };
                let key = (file.clone(), target.name.clone());
                let task = match old.get(&key).copied() {
                    Some(task) => {
                        if task.target(self) != target {
                            task.set_target(self).to(target.clone());
                        }
                        task
                    }
                    None => Task::new(self, source, target.clone(), None),
                };
                tasks.insert(key, task);
            }
        }
        if *old != tasks {
            Tasks::get(self).set_by_name(self).to(Arc::new(tasks));
        }
    }

    fn task(&self, file: &FileId, target: &str) -> Option<Task> {
        Tasks::get(self).by_name(self).get(&(file.clone(), target.into())).copied()
    }

    /// Plans a task.
    pub fn plan(&self, file: &FileId, target: &str) -> Planned {
        self.task(file, target).map_or(Planned::Held, |task| request(self, task).clone())
    }

    /// The context package that belongs to a plan: canonical JSON.
    pub fn context(&self, file: &FileId, target: &str) -> Option<String> {
        context(self, self.task(file, target)?).ok().map(|(context, _)| context)
    }

    /// Sets what an agent answered.
    pub fn give(&mut self, file: &FileId, target: &str, given: Given) {
        if let Some(task) = self.task(file, target)
            && task.given(self).as_ref() != Some(&given)
        {
            task.set_given(self).to(Some(given));
        }
    }

    /// The output of an agent's target for a contract, below the output folder.
    pub fn output_of(&self, file: &FileId, pattern: &str) -> Option<String> {
        self.unit(file).map(|unit| output_path(pattern, unit))
    }

    /// A document as agents see it, if its text is here.
    pub fn document(&self, file: &FileId) -> Option<Json> {
        match self.content(file)? {
            Content::Text(text) => omnigen_contracts::document(file, text),
            Content::Stored(_) | Content::Unread | Content::Absent | Content::Unusable(_) => None,
        }
    }

    /// Digest of a document as agents see it, if its text is here.
    pub(crate) fn document_digest(&self, file: &FileId) -> Option<Digest> {
        document(self, self.source(file)?)
    }
}
