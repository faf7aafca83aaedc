//! Requests to agents: what each may see, and the key that this makes.
//!
//! A query *plans* a request; it never asks an agent. The driver asks, sets the answer as the task's input, and asks the query
//! again. What an agent sees is one list ([`Package`]): its digests are the key and its explanation, its values the context.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use omnigen_ir::{Digest, Encoder, FileId, Json, KeyPart, Number, View};
use salsa::Setter;

use crate::graph::{Db, Graph, names, source_of};
use crate::inputs::{Content, Source};
use crate::retrieval::Library;
use crate::trace::{self, Read, ReadKey, Reads, State, Target};

/// Version of the context package: agents see it.
const VERSION: i64 = 1;

/// An agent's target, as the configuration has it, with all that does not depend on the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentTarget {
    /// The target's name.
    pub name: Box<str>,
    /// The agent's name.
    pub agent: Box<str>,
    /// What the agent is: command line, declared inputs, environment; or model, parameters, reply.
    pub identity: Vec<KeyPart>,
    /// The pattern of its output, `docs/{contract}.md`.
    pub output: Box<str>,
    /// Targets of the same contract whose artifacts it is given, in order.
    pub needs: Vec<Box<str>>,
    /// Targets of the same contract whose messages it is given, each with its agent, in order.
    pub listens: Vec<(Box<str>, Box<str>)>,
    /// What of the contract it sees.
    pub sees: Sees,
    /// What it is told to do: canonical JSON, `null` if nothing.
    pub assignment: Box<str>,
    /// Path and text of the files that it is given as they are.
    pub templates: Vec<(Box<str>, Arc<str>)>,
    /// Examples, and how many of them it is given.
    pub patterns: Option<(Arc<Library>, usize)>,
    /// Path and text of the template of its prompt: then the rendered text is all that it sees.
    pub prompt: Option<(Box<str>, Arc<str>)>,
    /// What the gates are that its answers have to pass. Not part of the key: another gate judges the same answer.
    pub gates: Vec<Digest>,
    /// How long it may be silent, in milliseconds: told to it, not part of the key.
    pub progress_within: u64,
}

/// What of a contract a target sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sees {
    /// The document: comments and layout do not count.
    pub document: bool,
    /// The document without annotations.
    pub meaning: bool,
    /// The text as it is.
    pub source: bool,
    /// The types of other contracts that its models refer to.
    pub types: bool,
}

impl AgentTarget {
    /// Digest of all that does not depend on the contract, examples left out.
    pub fn digest(&self) -> Digest {
        let AgentTarget {
            name,
            agent,
            identity,
            output,
            needs,
            listens,
            sees,
            assignment,
            templates,
            patterns,
            prompt,
            gates,
            progress_within: _,
        } = self;
        let mut encoder = Encoder::new("agent target 2", View::Full);
        encoder.str(name);
        encoder.str(agent);
        encoder.digest(&omnigen_ir::key::key(identity));
        encoder.str(output);
        encoder.int(needs.len() as u64);
        needs.iter().for_each(|need| encoder.str(need));
        encoder.int(listens.len() as u64);
        listens.iter().for_each(|(target, _)| encoder.str(target));
        let Sees { document, meaning, source, types } = *sees;
        [document, meaning, source, types].iter().for_each(|sees| encoder.byte(u8::from(*sees)));
        encoder.str(assignment);
        encoder.digest(&texts_digest(templates));
        encoder.int(patterns.as_ref().map_or(0, |(_, top)| *top as u64));
        encoder.int(u64::from(prompt.is_some()));
        encoder.str(prompt.as_ref().map_or("", |(_, text)| text));
        gates.iter().for_each(|gate| encoder.digest(gate));
        encoder.finish()
    }
}

/// A file that an agent gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path below the output folder.
    pub path: Box<str>,
    /// Of its bytes.
    pub digest: Digest,
    /// Its bytes; `None` if only the lock knows it: keys can be computed, texts not given.
    pub bytes: Option<Arc<[u8]>>,
}

/// A message that an agent sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Names of agents.
    pub to: Vec<Box<str>>,
    /// Of kind and data.
    pub digest: Digest,
    /// What kind of message.
    pub kind: Box<str>,
    /// Canonical JSON.
    pub data: Box<str>,
}

/// What an agent gave, as far as other tasks may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The key that it answers.
    pub key: Digest,
    /// Its artifacts, by path.
    pub files: Vec<File>,
    /// Its messages, in their order.
    pub messages: Vec<Sent>,
}

impl Given {
    /// Digest of everything that others may see of it.
    pub fn digest(&self) -> Digest {
        let Given { key: _, files, messages } = self;
        let mut encoder = Encoder::new("given/2", View::Full);
        encoder.digest(&files_digest(files));
        encoder.int(messages.len() as u64);
        for Sent { to, digest, kind: _, data: _ } in messages {
            encoder.int(to.len() as u64);
            to.iter().for_each(|name| encoder.str(name));
            encoder.digest(digest);
        }
        encoder.finish()
    }
}

/// One agent's target for one contract.
#[salsa::input]
pub(crate) struct Task {
    #[returns(copy)]
    source: Source,
    #[returns(ref)]
    target: Arc<AgentTarget>,
    /// What the agent answered last, whatever the question was.
    #[returns(ref)]
    given: Option<Arc<Given>>,
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
    /// The request cannot be made: why.
    Failed(String),
    /// Text of these files has to be set first.
    Unread(BTreeSet<FileId>),
    /// Another task of the same contract has to be answered first.
    Waiting(Box<str>),
}

/// A request to an agent, without its (large) context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Digest of everything that the agent may see, and of what it is: [`omnigen_ir::key::key`] of the parts.
    pub key: Digest,
    /// What the key is made of.
    pub parts: Vec<KeyPart>,
    /// What the plan has read.
    pub trace: Vec<Read>,
}

/// Plans a request: pure, its digest is the key.
#[salsa::tracked(returns(ref))]
fn request(db: &dyn Db, task: Task) -> Planned {
    match package(db, task) {
        Ok(Package { parts, trace, .. }) => Planned::Ready(Request { key: omnigen_ir::key::key(&parts), parts, trace }),
        Err(planned) => planned,
    }
}

/// Digest of a document as agents see it: comments and layout do not count.
#[salsa::tracked(returns(copy))]
pub(crate) fn document(db: &dyn Db, source: Source) -> Option<Digest> {
    let text = text_of(db, source)?;
    let json = omnigen_contracts::document(source.path(db), text)?;
    Some(Digest::of(json.to_string().as_bytes()))
}

fn text_of(db: &dyn Db, source: Source) -> Option<&Arc<str>> {
    match source.content(db) {
        Content::Text(text) => Some(text),
        Content::Stored(_) | Content::Unread | Content::Absent | Content::Unusable(_) => None,
    }
}

/// Everything that an agent may see of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// What decides the answer, by name.
    pub parts: Vec<KeyPart>,
    /// The members of the context.
    pub context: Json,
    /// The rendered prompt, of an endpoint.
    pub prompt: Option<String>,
    /// What was read for it.
    pub trace: Vec<Read>,
}

fn string(text: &str) -> Json {
    Json::String(text.into())
}

fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// Lists what an agent sees, once for all readers: the key hashes it, `explain` prints it, the context holds it.
fn package(db: &dyn Db, task: Task) -> Result<Package, Planned> {
    let (source, target) = (task.source(db), task.target(db));
    let file = source.path(db);
    let text = match source.content(db) {
        Content::Text(text) => text,
        Content::Stored(_) | Content::Unread => return Err(Planned::Unread(BTreeSet::from([file.clone()]))),
        Content::Absent | Content::Unusable(_) => return Err(Planned::Held),
    };
    let mut trace = vec![Read { key: ReadKey::Agent(target.name.clone()), digest: Some(target.digest()) }];
    let checked = crate::graph::artifact(db, source, Target::Check);
    match checked.state {
        State::Ready => {}
        State::Held => return Err(Planned::Held),
        State::Pending => return Err(Planned::Unread(checked.needs.clone())),
    }
    let unit = source.unit(db);
    let output = output_path(&target.output, unit);
    let mut parts = target.identity.clone();
    let coordination = object([
        ("agent", string(&target.agent)),
        ("target", string(&target.name)),
        ("contract", string(file)),
        ("output", string(&output)),
        ("candidate", Json::Null),
    ]);
    parts.push(KeyPart::text("coordination", &coordination.to_string()));
    let mut members: Vec<(Box<str>, Json)> =
        vec![("version".into(), Json::Number(Number::from_i64(VERSION))), ("coordination".into(), coordination)];
    if &*target.assignment != "null" {
        parts.push(KeyPart::text("assignment", &target.assignment));
        let assignment = omnigen_contracts::document(&"assignment.json".into(), &target.assignment);
        members.push(("assignment".into(), assignment.unwrap_or(Json::Null)));
    }

    let mut contract: Vec<(Box<str>, Json)> = vec![("path".into(), string(file)), ("name".into(), string(&unit.stem))];
    let whole = || omnigen_contracts::document(file, text).unwrap_or(Json::Null);
    if target.sees.document {
        let digest = document(db, source);
        parts.push(KeyPart { name: "contract.document".into(), digest });
        trace.push(Read { key: ReadKey::Document(file.clone()), digest });
        contract.push(("document".into(), whole()));
    }
    if target.sees.meaning {
        let bare = without_annotations(&whole());
        parts.push(KeyPart::text("contract.meaning", &bare.to_string()));
        trace.push(Read { key: ReadKey::Document(file.clone()), digest: document(db, source) });
        contract.push(("meaning".into(), bare));
    }
    if target.sees.source {
        let digest = Digest::of(text.as_bytes());
        parts.push(KeyPart::new("contract.source", digest));
        trace.push(Read { key: ReadKey::Bytes(file.clone()), digest: Some(digest) });
        contract.push(("source".into(), string(text)));
    }
    members.push(("contract".into(), Json::Object(contract)));

    if target.sees.types {
        let types = types(db, source, &mut trace)?;
        parts.push(KeyPart::text("types", &types.to_string()));
        members.push(("types".into(), types));
    }
    let mut artifacts = Vec::new();
    let mut missing: Option<Box<str>> = None;
    for need in &target.needs {
        let Needed { files, digest } = needed(db, task, need)?;
        trace.push(Read { key: ReadKey::Artifact(file.clone(), need.clone()), digest: Some(digest) });
        parts.push(KeyPart::new(format!("artifact {need}"), files_digest(&files)));
        if files.iter().any(|file| file.bytes.is_none()) {
            missing = Some(need.clone());
        }
        artifacts.push((need.clone(), Json::Array(files.iter().map(file_json).collect())));
    }
    members.push(("artifacts".into(), Json::Object(artifacts)));
    if !target.listens.is_empty() {
        let mut messages = Vec::new();
        for (other, agent) in &target.listens {
            let given = given(db, task, other)?;
            trace.push(Read { key: ReadKey::Artifact(file.clone(), other.clone()), digest: Some(given.digest()) });
            let mut encoder = Encoder::new("messages/1", View::Full);
            for sent in given.messages.iter().filter(|sent| sent.to.contains(&target.agent)) {
                encoder.digest(&sent.digest);
                let data = omnigen_contracts::document(&"message.json".into(), &sent.data);
                messages.push(object([
                    ("from", string(agent)),
                    ("kind", string(&sent.kind)),
                    ("data", data.unwrap_or(Json::Null)),
                ]));
            }
            parts.push(KeyPart::new(format!("messages {other}"), encoder.finish()));
        }
        members.push(("messages".into(), Json::Array(messages)));
    }
    if let Some((library, top)) = &target.patterns {
        let like = whole().to_string();
        let (found, digest) = (library.like(&like, *top), library.digest_like(&like, *top));
        parts.push(KeyPart::new("patterns", digest));
        trace.push(Read { key: ReadKey::Patterns(file.clone(), target.name.clone()), digest: Some(digest) });
        let found = found.iter().map(|(path, text, _)| object([("path", string(path)), ("text", string(text))]));
        members.push(("patterns".into(), Json::Array(found.collect())));
    }
    if !target.templates.is_empty() {
        parts.push(KeyPart::new("templates", texts_digest(&target.templates)));
        let files = target.templates.iter();
        let files = files.map(|(path, text)| object([("path", string(path)), ("text", string(text))]));
        members.push(("templates".into(), Json::Array(files.collect())));
    }
    let signals = ["initialized", "progress", "need", "message", "artifact", "completed", "failed"];
    let protocols = object([
        ("progress_within", Json::Number(Number::from_i64(target.progress_within as i64))),
        ("signals", Json::Array(signals.map(string).to_vec())),
    ]);
    members.push(("protocols".into(), protocols));
    let context = Json::Object(members);
    let mut prompt = None;
    if let Some((path, template)) = &target.prompt {
        if let Some(need) = missing {
            return Err(Planned::Failed(format!(
                "its prompt needs the text of `{need}`, of which only the lock knows"
            )));
        }
        let text = crate::prompt::render(path, template, &context).map_err(Planned::Failed)?;
        // An endpoint sees the rendered text and nothing else.
        parts.truncate(target.identity.len());
        parts.push(KeyPart::text("output", &output));
        parts.push(KeyPart::text("prompt", &text));
        prompt = Some(text);
    }
    Ok(Package { parts, context, prompt, trace })
}

fn file_json(file: &File) -> Json {
    match file.bytes.as_deref().map(std::str::from_utf8) {
        Some(Ok(text)) => object([("path", string(&file.path)), ("text", string(text))]),
        // What is no text is asked for while the agent runs.
        Some(Err(_)) | None => object([("path", string(&file.path)), ("digest", string(&file.digest.hex()))]),
    }
}

/// Digest of files, by path and digest of their bytes: the same whether or not the bytes are here.
fn files_digest(files: &[File]) -> Digest {
    let mut encoder = Encoder::new("files/1", View::Full);
    encoder.int(files.len() as u64);
    for File { path, digest, bytes: _ } in files {
        encoder.str(path);
        encoder.digest(digest);
    }
    encoder.finish()
}

fn texts_digest(texts: &[(Box<str>, Arc<str>)]) -> Digest {
    let mut encoder = Encoder::new("texts/1", View::Full);
    encoder.int(texts.len() as u64);
    for (path, text) in texts {
        encoder.str(path);
        encoder.str(text);
    }
    encoder.finish()
}

/// The slice of the registry that the contract's models refer to: what foreign definitions are called and where they are.
fn types(db: &dyn Db, source: Source, trace: &mut Vec<Read>) -> Result<Json, Planned> {
    let models = crate::graph::artifact(db, source, Target::Models);
    match models.state {
        State::Ready => {}
        State::Held => return Err(Planned::Held),
        State::Pending => return Err(Planned::Unread(models.needs.clone())),
    }
    let mut types = BTreeMap::new();
    for read in models.trace.iter() {
        let (ReadKey::Name(file, pointer, _) | ReadKey::Schema(file, pointer, _)) = &read.key else { continue };
        let Some(foreign) = source_of(db, file) else { continue };
        let Some(export) = names(db, foreign).and_then(|outline| trace::export(&outline.exports, pointer)) else {
            continue;
        };
        trace.push(read.clone());
        let module = foreign.unit(db).path(Target::Models.kind());
        let entry = object([
            ("contract", string(file)),
            ("pointer", string(pointer)),
            ("name", string(&export.class)),
            ("module", string(&module)),
        ]);
        types.insert((file.clone(), pointer.clone()), entry);
    }
    Ok(Json::Array(types.into_values().collect()))
}

/// Keywords that say something about values without asserting anything.
const ANNOTATIONS: [&str; 9] =
    ["title", "description", "$comment", "examples", "example", "deprecated", "readOnly", "writeOnly", "default"];
/// Keywords whose members are named by people, so that none of these names is a keyword.
const NAMED: [&str; 7] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "schemas", "dependentRequired"];
/// Keywords whose values are data.
const DATA: [&str; 2] = ["const", "enum"];

/// A document without annotations. Iterative over nothing: documents are no deeper than the loader allows.
fn without_annotations(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !ANNOTATIONS.contains(&&**name));
            let kept = kept.map(|(name, value)| {
                let value = match value {
                    value if DATA.contains(&&**name) => value.clone(),
                    Json::Object(named) if NAMED.contains(&&**name) => {
                        let named = named.iter().map(|(name, value)| (name.clone(), without_annotations(value)));
                        Json::Object(named.collect())
                    }
                    value => without_annotations(value),
                };
                (name.clone(), value)
            });
            Json::Object(kept.collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(without_annotations).collect()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => json.clone(),
    }
}

/// What a need names: files, and the digest under which the read is recorded.
struct Needed {
    files: Vec<File>,
    digest: Digest,
}

fn needed(db: &dyn Db, task: Task, need: &str) -> Result<Needed, Planned> {
    let source = task.source(db);
    if let Some(target) = Target::ALL.into_iter().find(|target| target.name() == need && *target != Target::Check) {
        let built = crate::graph::artifact(db, source, target);
        return match built.state {
            State::Ready => {
                let reads = Reads::new(db, source, target);
                let body = crate::graph::emitted(db, source, target, &reads).body;
                let bytes: Arc<[u8]> = body.into_bytes().into();
                let path = source.unit(db).path(target.kind()).into();
                let file = File { path, digest: Digest::of(&bytes), bytes: Some(bytes) };
                Ok(Needed { files: vec![file], digest: built.digest })
            }
            State::Held => Err(Planned::Held),
            State::Pending => Err(Planned::Unread(built.needs.clone())),
        };
    }
    let given = given(db, task, need)?;
    Ok(Needed { files: given.files.clone(), digest: given.digest() })
}

/// What another task of the same contract has answered to its current request.
fn given<'db>(db: &'db dyn Db, task: Task, target: &str) -> Result<&'db Arc<Given>, Planned> {
    let tasks = Tasks::get(db).by_name(db);
    let Some(&other) = tasks.get(&(task.source(db).path(db).clone(), target.into())) else { return Err(Planned::Held) };
    let asked = match request(db, other) {
        Planned::Ready(asked) => asked,
        Planned::Unread(files) => return Err(Planned::Unread(files.clone())),
        Planned::Held | Planned::Failed(_) => return Err(Planned::Held),
        Planned::Waiting(_) => return Err(Planned::Waiting(target.into())),
    };
    match other.given(db) {
        Some(given) if given.key == asked.key => Ok(given),
        _ => Err(Planned::Waiting(target.into())),
    }
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
    pub fn set_tasks(&mut self, targets: &[Arc<AgentTarget>], files: &[FileId]) {
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

    /// All that the agent sees, for a task that is ready.
    pub fn package(&self, file: &FileId, target: &str) -> Option<Package> {
        package(self, self.task(file, target)?).ok()
    }

    /// Sets what an agent answered.
    pub fn give(&mut self, file: &FileId, target: &str, given: Given) {
        if let Some(task) = self.task(file, target)
            && task.given(self).as_deref() != Some(&given)
        {
            task.set_given(self).to(Some(Arc::new(given)));
        }
    }

    /// What an agent answered, if it is still the answer to what it would be asked.
    pub fn given(&self, file: &FileId, target: &str) -> Option<Arc<Given>> {
        let task = self.task(file, target)?;
        let given = task.given(self).clone()?;
        matches!(request(self, task), Planned::Ready(request) if request.key == given.key).then_some(given)
    }

    /// The output of an agent's target for a contract, below the output folder.
    pub fn output_of(&self, file: &FileId, pattern: &str) -> Option<String> {
        self.unit(file).map(|unit| output_path(pattern, unit))
    }

    /// Digest of the examples that are most like a contract; `None` if its text is not here.
    pub fn patterns(&self, file: &FileId, library: &Library, top: usize) -> Option<Digest> {
        Some(library.digest_like(&self.document(file)?.to_string(), top))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_may_be_called_like_an_annotation() {
        let document = |text: &str| omnigen_contracts::document(&"a.json".into(), text).expect("JSON");
        let text = r#"{"title":"T","type":"object","properties":{"title":{"type":"string","description":"D"}},
            "$defs":{"description":{"const":{"title":"data"}}}}"#;
        let bare = r#"{"type":"object","properties":{"title":{"type":"string"}},"$defs":{"description":{"const":{"title":"data"}}}}"#;
        assert_eq!(without_annotations(&document(text)).to_string(), bare);
    }
}
