//! Tasks that are more than text: generated tests, which a judge takes part in, and requests to agents.
//!
//! A query *plans* a request; it never asks an agent. The driver asks, sets the answer as the task's input, and asks the query
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use omnigen_ir::samples::{Candidate, candidates};
use omnigen_ir::{Contract, Digest, Encoder, FileId, Json, Link, Place, Question, RefTarget, Resolve, Schema, View};
use omnigen_python::pytest::Verdict;
use omnigen_python::{Emitted, Settings};
use omnigen_report::{At, Code, Diagnostic};
use salsa::Setter;

use crate::graph::{Db, Graph, Parsed, declarations, judge, source_at};
use crate::inputs::{Content, Source};
use crate::trace::{Read, ReadKey, Reads, State, Target};

/// At most so many documents for one contract's tests: enough for every constraint near the root, and still milliseconds.
const CANDIDATES: usize = 120;

/// Candidates, verdicts, test module.
pub(crate) fn tests(db: &dyn Db, source: Source, contract: &Contract<'_>, reads: &Reads<'_>, settings: &Settings) -> Emitted {
    let candidates = candidates(contract, reads, CANDIDATES);
    let question = question(db, source, contract, reads, settings, &candidates);
    match judge(db).verdicts(&question) {
        Ok(verdicts) => {
            let verdicts: Vec<Verdict<'_>> = candidates
                .iter()
                .zip(verdicts)
                .map(|(candidate, valid)| Verdict { candidate, valid })
                .collect();
            omnigen_python::pytest::tests(contract, reads, settings, &verdicts)
        }
        Err(reason) => {
            // Tests without verdicts would prove nothing: keep what can be tested without documents, and say so.
            let mut emitted = omnigen_python::pytest::tests(contract, reads, settings, &[]);
            let message = format!("the oracle cannot judge documents of this contract: {reason}");
            emitted.diagnostics.push(Diagnostic::new(Code::NoVerdict, At::file(contract.file), message));
            emitted
        }
    }
}

/// The question about the candidates: the contract's document, those of the files that were read for it, and stubs that accept
/// everything for what is referenced beyond that (the candidates hold nothing there).
fn question(
    db: &dyn Db,
    source: Source,
    contract: &Contract<'_>,
    reads: &Reads<'_>,
    settings: &Settings,
    candidates: &[Candidate],
) -> Question {
    let root = format!("file:///{}", contract.file);
    let mut documents: Vec<(String, String)> = Vec::new();
    let mut stubs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let read: BTreeSet<FileId> = reads.foreign();
    let mut queue = vec![(root.clone(), source)];
    let mut seen: BTreeSet<String> = BTreeSet::from([root.clone()]);
    while let Some((uri, source)) = queue.pop() {
        let Some(Parsed { declared, text }) = declarations(db, source).as_deref() else { continue };
        let Some(mut document) = omnigen_contracts::document(source.path(db), text) else { continue };
        if let Json::Object(members) = &mut document
            && !members.iter().any(|(name, _)| &**name == "$id")
        {
            // Under whatever URI it is asked for, its own references start from where it is.
            members.insert(0, ("$id".into(), Json::String(format!("file:///{}", source.path(db)).into())));
        }
        documents.push((uri, document.to_string()));
        let file = source.path(db);
        let mut visit = |schema: &Schema| {
            each_reference(schema, &mut |reference| {
                let RefTarget::Elsewhere { uri, fragment, .. } = &reference.target else { return };
                let target = match reads.link(file, reference) {
                    Link::To(Place { file, .. }) if read.contains(&file) || file == *contract.file => Some(file),
                    Link::To(_) | Link::Dangling | Link::Pending => None,
                };
                match target {
                    Some(file) if seen.insert(uri.to_string()) => {
                        let path = crate::graph::Path::new(db, file);
                        queue.extend(source_at(db, path).map(|source| (uri.to_string(), source)));
                    }
                    Some(_) => {}
                    None => {
                        stubs.entry(uri.to_string()).or_default().insert(fragment.to_string());
                    }
                }
            });
        };
        visit(&declared.root);
        declared.definitions.iter().for_each(|(_, schema)| visit(schema));
    }
    for (uri, fragments) in stubs {
        if !seen.contains(&uri) {
            documents.push((uri, stub(&fragments).to_string()));
        }
    }
    documents.sort();
    let instances = candidates.iter().map(|candidate| candidate.document.to_string()).collect();
    Question { root, documents, assert_formats: settings.assert_formats, instances }
}

fn each_reference(schema: &Schema, found: &mut dyn FnMut(&omnigen_ir::Reference)) {
    let Some(node) = schema.node() else { return };
    node.reference.iter().for_each(&mut *found);
    node.children(&mut |_, child| each_reference(child, found));
}

/// A schema that accepts everything and has something at every pointer and anchor asked for.
fn stub(fragments: &BTreeSet<String>) -> Json {
    let mut root = Vec::new();
    for (i, fragment) in fragments.iter().enumerate() {
        if let Some(pointer) = fragment.strip_prefix('/') {
            let mut members = &mut root;
            for token in pointer.split('/') {
                let name: Box<str> = token.replace("~1", "/").replace("~0", "~").into();
                let at = match members.iter().position(|(n, _): &(Box<str>, Json)| *n == name) {
                    Some(at) => at,
                    None => {
                        members.push((name, Json::Object(Vec::new())));
                        members.len() - 1
                    }
                };
                let Json::Object(inner) = &mut members[at].1 else { break };
                members = inner;
            }
        } else if !fragment.is_empty() {
            let anchor = Json::Object(vec![("$anchor".into(), Json::String(fragment.as_str().into()))]);
            let definitions = Json::Object(vec![("anchored".into(), anchor)]);
            root.push((format!("x-{i}").into(), definitions));
        }
    }
    Json::Object(root)
}

/// Digest of a document as agents see it: comments and layout do not count.
#[salsa::tracked(returns(copy))]
fn document(db: &dyn Db, source: Source) -> Option<Digest> {
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
    /// Sets which agents' targets there are for which contracts. Answers of tasks that stay are kept.
    pub fn set_tasks(&mut self, targets: &[AgentTarget], files: &[FileId]) {
        let old = Tasks::get(self).by_name(self).clone();
        let mut tasks = BTreeMap::new();
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
