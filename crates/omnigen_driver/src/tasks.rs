//! Agents' targets: which tasks are unsettled, whose answer is known, and who has to be asked.
//!
//! The graph plans; here the answers are looked up (lock, then store), the misses run on a bounded pool whose workers hold no
//! database, and each answer is set as the input of its task, until nothing is pending.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::Instant;

use omnigen_agents::{AgentSpec, Answer, Environment, Failure, FailureClass, Need, NeedReply, OutputPattern, Task};
use omnigen_disk::mark::Comment;
use omnigen_engine::{AgentTarget, Given, Planned, Read, ReadKey, Target};
use omnigen_ir::{Digest, FileId};
use omnigen_report::{At, BuildEvent, CallResult, Change, ChangeKind, Code, Diagnostic};
use omnigen_store::Answers;
use omnigen_store::lock_file::{self, LockEntry, LockFile, LockOutput};

use crate::commit::{Commit, Intent};
use crate::events::tell;
use crate::records::{Made, Records};
use crate::session::Session;
use crate::setup::Setup;

/// Tasks of all agents that run at the same time.
const AT_ONCE: usize = 5;
/// Format number of what agents give, as the ownership mark has it.
const FORMAT: u32 = 1;
/// The committed file that pins answers.
pub(crate) const LOCK: &str = "omnigen.lock";

/// The configured agents, as far as targets use them.
pub(crate) struct Agents {
    targets: Vec<AgentTarget>,
    specs: BTreeMap<Box<str>, Ready>,
    lock: LockFile,
    lock_text: String,
    answers: Answers,
    /// Lock lines for outputs that can carry no mark: the old ones say what is on disk until all new bytes are decided about.
    unmarked: Vec<LockOutput>,
    diagnostics: Vec<Diagnostic>,
}

/// An agent, its environment, and the input files for its scratch folder.
type Ready = (AgentSpec, Environment, Vec<(String, Vec<u8>)>);

/// How the tasks of a round ended.
#[derive(Debug, Default)]
pub(crate) struct TaskOutcome {
    pub(crate) calls: usize,
    pub(crate) cached: usize,
    pub(crate) failed: bool,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Agents {
    /// Reads what the agents are, and the lock. Without agents' targets nothing is read.
    pub(crate) fn new(setup: &Setup) -> Agents {
        let mut agents = Agents {
            targets: Vec::new(),
            specs: BTreeMap::new(),
            lock: LockFile::default(),
            lock_text: String::new(),
            answers: Answers::new(&setup.state.join("answers.redb")),
            unmarked: Vec::new(),
            diagnostics: Vec::new(),
        };
        for target in setup.config.own_targets.iter().filter(|target| setup.config.builds(&target.name)) {
            let Some(agent) = setup.config.agent(&target.agent) else { continue };
            let spec = AgentSpec {
                name: agent.name.clone(),
                command: agent.command.clone(),
                env: agent.env.clone(),
                inputs: agent.inputs.clone(),
                timeout: agent.timeout,
                limits: omnigen_agents::Limits::default(),
            };
            let environment = match Environment::of_engine(&spec) {
                Ok(environment) => environment,
                Err(name) => {
                    let message = format!("agent `{}`: the variable `{name}` is not valid UTF-8", agent.name);
                    agents.diagnostics.push(Diagnostic::global(Code::AgentFailed, message));
                    continue;
                }
            };
            let files = inputs(setup, &spec.inputs);
            let digests: Vec<(String, Digest)> =
                files.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes))).collect();
            let identity = spec.identity(&digests, &environment.values);
            agents.targets.push(AgentTarget {
                name: target.name.as_str().into(),
                agent: agent.name.as_str().into(),
                identity,
                output: target.output.as_str().into(),
                needs: target.needs.iter().map(|need| need.as_str().into()).collect(),
            });
            agents.specs.insert(target.name.as_str().into(), (spec, environment, files));
        }
        if !agents.targets.is_empty()
            && let Ok(text) = omnigen_disk::read_text(&setup.root.join(LOCK))
        {
            match lock_file::parse(&text.text) {
                Ok(lock) => agents.lock = lock,
                Err(problem) => {
                    agents.diagnostics.push(Diagnostic::global(Code::BadConfig, format!("{LOCK}: {problem}")))
                }
            }
            agents.lock_text = text.text;
        }
        agents
    }

    pub(crate) fn targets(&self) -> &[AgentTarget] {
        &self.targets
    }

    /// What the agents are, for "nothing changed".
    pub(crate) fn identities(&self) -> Vec<(String, Digest)> {
        let mut identities: Vec<_> = self.targets.iter().map(|t| (t.name.to_string(), t.identity)).collect();
        identities.push(("lock".to_owned(), Digest::of(self.lock_text.as_bytes())));
        identities
    }

    pub(crate) fn identity_of(&self, target: &str) -> Option<Digest> {
        self.targets.iter().find(|t| *t.name == *target).map(|t| t.identity)
    }

    /// Is there a task without its outputs?
    pub(crate) fn unsettled(&self, records: &Records) -> bool {
        if !self.diagnostics.is_empty() || records.iter().any(|(_, record)| record.open) {
            return true;
        }
        let lacks = |target: &AgentTarget| {
            records.iter().any(|(_, record)| {
                let output = record.outputs.iter().find(|output| output.target == target.name);
                record.contract && !record.held && output.is_none_or(|output| output.stat.is_none())
            })
        };
        self.targets.iter().any(lacks)
    }

    /// Is this file, of a kind that can carry no mark, what the lock says we wrote?
    pub(crate) fn wrote(&self, path: &str, bytes: &[u8]) -> bool {
        self.lock.outputs.iter().any(|output| output.path == path && output.digest == Digest::of(bytes))
    }
}

/// The declared input files of an agent, sorted by path.
fn inputs(setup: &Setup, globs: &[String]) -> Vec<(String, Vec<u8>)> {
    let found = omnigen_disk::discover(&setup.root, globs, &[], &setup.config.out);
    let read =
        |path: String| omnigen_disk::files::read_bytes(&setup.root.join(&path)).ok().map(|(bytes, _)| (path, bytes));
    found.files.into_iter().filter_map(|found| read(found.path)).collect()
}

/// A message of a worker.
enum Message {
    Need(usize, Need, mpsc::Sender<NeedReply>),
    Done(usize, Result<Answer, Failure>),
}

/// A task that has to be asked.
struct Call {
    file: FileId,
    target: Box<str>,
    key: Digest,
    trace: Vec<Read>,
}

/// Settles all tasks that are not.
pub(crate) fn run(session: &mut Session, commit: &mut Commit) -> Result<TaskOutcome, String> {
    let mut outcome = TaskOutcome { diagnostics: session.agents.diagnostics.clone(), ..TaskOutcome::default() };
    outcome.failed = !outcome.diagnostics.is_empty();
    if session.agents.targets.is_empty() {
        return Ok(outcome);
    }
    let files: Vec<FileId> =
        session.records.iter().filter(|(_, r)| r.contract && !r.held).map(|(file, _)| file.clone()).collect();
    let targets = session.agents.targets.clone();
    let mut open: BTreeSet<(FileId, Box<str>)> = BTreeSet::new();
    for file in &files {
        for target in &targets {
            if !settled(session, file, &target.name)? {
                open.insert((file.clone(), target.name.clone()));
            }
        }
    }
    let touched: BTreeSet<FileId> = open.iter().map(|(file, _)| file.clone()).collect();
    for file in &touched {
        session.readable(file)?;
    }
    session.graph_mut()?.set_tasks(&targets, &touched.into_iter().collect::<Vec<_>>());
    let mut given: BTreeSet<(FileId, Box<str>)> = BTreeSet::new();
    while !open.is_empty() {
        let mut calls = Vec::new();
        let mut waiting = BTreeSet::new();
        let mut moved = false;
        let mut wake = BTreeSet::new();
        for (file, target) in std::mem::take(&mut open) {
            match plan(session, &file, &target)? {
                Planned::Ready(request) => {
                    let call = Call { file, target, key: request.key, trace: request.trace };
                    if let Some(answer) = known(session, &call)? {
                        outcome.cached += 1;
                        given.insert((call.file.clone(), call.target.clone()));
                        admit(session, commit, &call, answer)?;
                        moved = true;
                    } else if session.manners.frozen {
                        outcome.failed = true;
                        outcome.diagnostics.push(missing(session, &call));
                        leave_open(session, &call);
                    } else if session.manners.compare {
                        for path in expected(session, &call) {
                            let (contract, target) = (call.file.to_string(), call.target.to_string());
                            let change = ChangeKind::AnswerMissing;
                            commit.note(Change { path, change, contract, target, ..Change::default() });
                        }
                    } else {
                        calls.push(call);
                    }
                }
                Planned::Waiting(need) => {
                    if !given.contains(&(file.clone(), need.clone())) {
                        wake.insert((file.clone(), need));
                    }
                    waiting.insert((file, target));
                }
                Planned::Held | Planned::Unread(_) => {}
            }
        }
        // A settled task whose text another one waits for has to be looked up after all.
        for task in wake {
            if !waiting.contains(&task) && given.insert(task.clone()) {
                open.insert(task);
                moved = true;
            }
        }
        moved |= !calls.is_empty();
        ask(session, commit, calls, &mut outcome)?;
        if !moved {
            break;
        }
        open.extend(waiting);
    }
    save_lock(session, &files)?;
    session.agents.answers.release();
    Ok(outcome)
}

/// Do all reads of the task's last answer still hold, and are its outputs in place?
fn settled(session: &mut Session, file: &FileId, target: &str) -> Result<bool, String> {
    let in_place = session.records.get(file).is_some_and(|record| {
        let mut outputs = record.outputs.iter().filter(|output| *output.target == *target).peekable();
        outputs.peek().is_some() && outputs.all(|output| output.stat.is_some())
    });
    let made = session.records.details(file).and_then(|details| details.made.get(target));
    let trace = made.filter(|made| made.ready).map(|made| made.trace.clone());
    let Some(trace) = trace.filter(|_| in_place) else { return Ok(false) };
    for read in trace.iter() {
        if session.current(&read.key)? != read.digest {
            return Ok(false);
        }
    }
    Ok(true)
}

fn plan(session: &mut Session, file: &FileId, target: &str) -> Result<Planned, String> {
    for _ in 0..1000 {
        match session.graph_mut()?.plan(file, target) {
            Planned::Unread(files) => session.supply(files)?,
            planned => return Ok(planned),
        }
    }
    Ok(Planned::Held)
}

/// The answer to a request, if the lock and the committed files, or the store, have it.
fn known(session: &mut Session, call: &Call) -> Result<Option<Answer>, String> {
    let stored = session.agents.answers.answer(&call.key).and_then(|bytes| Answer::decode(&bytes).ok());
    if let Some(answer) = stored
        && needs_hold(session, call, &answer.needs)?
    {
        return Ok(Some(answer));
    }
    let entries: Vec<LockEntry> =
        session.agents.lock.tasks_of(&call.target, &call.file).filter(|e| e.key == call.key).cloned().collect();
    for entry in entries {
        let mut artifacts = Vec::new();
        for (path, digest) in &entry.artifacts {
            let Ok((bytes, _)) = omnigen_disk::files::read_bytes(&session.setup.out.join(path)) else { break };
            let body = unsigned(path, bytes);
            if Digest::of(&body) != *digest {
                break;
            }
            artifacts.push((path.clone(), body));
        }
        let needs: Option<Vec<(Need, Option<Digest>)>> =
            entry.needs.iter().map(|(need, digest)| Some((need_named(need)?, Some(*digest)))).collect();
        if artifacts.len() == entry.artifacts.len()
            && let Some(needs) = needs
            && needs_hold(session, call, &needs)?
        {
            return Ok(Some(Answer { artifacts, needs, messages: Vec::new(), score: None, summary: None }));
        }
    }
    Ok(None)
}

/// Would the agent get the same replies to what it asked for while it ran, in the same order?
fn needs_hold(session: &mut Session, call: &Call, needs: &[(Need, Option<Digest>)]) -> Result<bool, String> {
    for (need, digest) in needs {
        let now = match reply(session, &call.file, need)? {
            NeedReply::Artifact { digest, .. } => Some(digest),
            NeedReply::Absent | NeedReply::Impossible(_) => None,
        };
        if now != *digest {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The text of an artifact without the ownership mark.
fn unsigned(path: &str, bytes: Vec<u8>) -> Vec<u8> {
    if Comment::of(path).is_none() {
        return bytes;
    }
    omnigen_disk::mark::body(&bytes).unwrap_or(bytes)
}

/// Needs as the lock writes them: `target models`, `target models contracts/a.json`, `contract …`, `file …`.
fn need_name(need: &Need) -> String {
    match need {
        Need::Target { target, contract: None } => format!("target:{target}"),
        Need::Target { target, contract: Some(contract) } => format!("target:{target}:{contract}"),
        Need::Contract { contract } => format!("contract:{contract}"),
        Need::File { file } => format!("file:{file}"),
    }
}

fn need_named(name: &str) -> Option<Need> {
    let (kind, rest) = name.split_once(':')?;
    Some(match kind {
        "target" => match rest.split_once(':') {
            Some((target, contract)) => Need::Target { target: target.into(), contract: Some(contract.into()) },
            None => Need::Target { target: rest.into(), contract: None },
        },
        "contract" => Need::Contract { contract: rest.into() },
        "file" => Need::File { file: rest.into() },
        _ => return None,
    })
}

/// The reply to what an agent asks for while it runs.
fn reply(session: &mut Session, own: &FileId, need: &Need) -> Result<NeedReply, String> {
    Ok(match need {
        Need::Target { target, contract } => {
            let file = contract.as_deref().map_or_else(|| own.clone(), FileId::from);
            if let Some(builtin) = Target::ALL.into_iter().find(|t| t.name() == target && *t != Target::Check) {
                let made = session.records.details(&file).and_then(|d| d.made.get(builtin.name())).cloned();
                let Some(made) = made.filter(|made| made.ready) else { return Ok(NeedReply::Absent) };
                let path = session.setup.unit(&file).path(builtin.kind());
                session.readable(&file)?;
                match session.graph_mut()?.text(&file, builtin, made.digest) {
                    Some(text) => NeedReply::files(&[(path, text.into_bytes())]),
                    None => NeedReply::Absent,
                }
            } else {
                NeedReply::Impossible(format!(
                    "`{target}` of another agent can only be had by `needs` in {}",
                    crate::config::FILE
                ))
            }
        }
        Need::Contract { contract } => {
            let file = FileId::from(contract.as_str());
            if session.records.get(&file).is_none() {
                return Ok(NeedReply::Absent);
            }
            session.readable(&file)?;
            match session.graph_mut()?.document(&file).and_then(|json| serde_json::from_str(&json.to_string()).ok()) {
                Some(value) => NeedReply::value(value),
                None => NeedReply::Absent,
            }
        }
        Need::File { file } => {
            if omnigen_disk::safe_relative(file).is_err() {
                return Ok(NeedReply::Impossible(format!("`{file}` is not a path inside the project")));
            }
            match omnigen_disk::files::read_bytes(&session.setup.root.join(file)) {
                Ok((bytes, _)) => NeedReply::files(&[(file.clone(), bytes)]),
                Err(_) => NeedReply::Absent,
            }
        }
    })
}

/// Runs agents on a bounded pool; their needs are answered here, where the graph is.
fn ask(session: &mut Session, commit: &mut Commit, calls: Vec<Call>, outcome: &mut TaskOutcome) -> Result<(), String> {
    if calls.is_empty() {
        return Ok(());
    }
    let mut jobs = Vec::new();
    for call in &calls {
        let Some((spec, environment, files)) = session.agents.specs.get(&call.target).cloned() else { continue };
        session.readable(&call.file)?;
        let context = session.graph_mut()?.context(&call.file, &call.target).unwrap_or_default();
        let context = serde_json::from_str(&context).map_err(|error| error.to_string())?;
        let outputs = expected_pattern(session, call).into_iter().collect();
        let task = Task {
            id: format!("{}:{}", call.target, call.file),
            target: call.target.to_string(),
            contract: Some(call.file.to_string()),
            context,
            files,
            outputs,
        };
        jobs.push((spec, environment, task));
    }
    let (sender, messages) = mpsc::channel::<Message>();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let cancelled = session.stop.clone();
    let mut finished: Vec<(usize, Result<Answer, Failure>)> = Vec::new();
    let mut trouble = None;
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(jobs.len()) {
            let (sender, jobs, next, cancelled) = (sender.clone(), &jobs, &next, &*cancelled);
            scope.spawn(move || {
                loop {
                    let i = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some((spec, environment, task)) = jobs.get(i) else { return };
                    let started = Instant::now();
                    let _span = tracing::info_span!("agent", task = task.id).entered();
                    let (target, contract) = (task.target.clone(), task.contract.clone().unwrap_or_default());
                    let agent = spec.name.clone();
                    tell(|| BuildEvent::AgentStarted {
                        target: target.clone(),
                        contract: contract.clone(),
                        agent: agent.clone(),
                    });
                    let mut need = |need: &Need| {
                        let (reply, answer) = mpsc::channel();
                        if sender.send(Message::Need(i, need.clone(), reply)).is_err() {
                            return NeedReply::Absent;
                        }
                        answer.recv().unwrap_or(NeedReply::Absent)
                    };
                    let mut event = |event: omnigen_agents::AgentEvent| {
                        tracing::debug!(task = task.id, ?event, "agent");
                    };
                    let result = omnigen_agents::run(spec, environment, task, &mut need, cancelled, &mut event);
                    tell(|| BuildEvent::AgentFinished {
                        target,
                        contract,
                        agent,
                        result: match &result {
                            Ok(_) => CallResult::Answered,
                            Err(failure) if failure.class == FailureClass::Timeout => CallResult::TimedOut,
                            Err(failure) if failure.class == FailureClass::Cancelled => CallResult::Cancelled,
                            Err(_) => CallResult::Failed,
                        },
                        millis: started.elapsed().as_millis() as u64,
                    });
                    if sender.send(Message::Done(i, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for message in messages {
            match message {
                Message::Need(i, need, answer) => {
                    let reply = reply(session, &calls[i].file, &need).unwrap_or_else(|problem| {
                        trouble.get_or_insert(problem.clone());
                        NeedReply::Impossible(problem)
                    });
                    // The worker may have given up waiting.
                    let _ = answer.send(reply);
                }
                Message::Done(i, result) => finished.push((i, result)),
            }
        }
    });
    if let Some(problem) = trouble {
        return Err(problem);
    }
    session.go_on()?;
    outcome.calls += finished.len();
    finished.sort_by_key(|(i, _)| *i);
    let stored: Vec<(Digest, Vec<u8>)> =
        finished.iter().filter_map(|(i, result)| Some((calls[*i].key, result.as_ref().ok()?.encode()))).collect();
    session.agents.answers.put_answers(&stored);
    for (i, result) in finished {
        match result {
            Ok(answer) => admit(session, commit, &calls[i], answer)?,
            Err(failure) => {
                outcome.failed = true;
                outcome.diagnostics.push(failed(session, &calls[i], &failure));
                leave_open(session, &calls[i]);
            }
        }
    }
    Ok(())
}

/// Records that a task has no answer: its last good outputs stay, and the next run asks again.
fn leave_open(session: &mut Session, call: &Call) {
    let made = Made { ready: false, digest: call.key, trace: call.trace.as_slice().into(), diagnostics: Vec::new() };
    if let Some(details) = session.records.change(&call.file) {
        details.made.insert(call.target.clone(), made);
    }
    session.records.refresh(&call.file);
}

/// Takes an answer: outputs, records, lock, and the input of the task.
fn admit(session: &mut Session, commit: &mut Commit, call: &Call, answer: Answer) -> Result<(), String> {
    let target: &str = &call.target;
    let texts = answer.artifacts.iter().filter_map(|(path, bytes)| {
        String::from_utf8(bytes.clone()).ok().map(|text| (path.as_str().into(), text.into()))
    });
    let given = Given { key: call.key, artifacts: texts.collect() };
    session.graph_mut()?.give(&call.file, target, given);
    let mut trace = call.trace.clone();
    for (need, _) in &answer.needs {
        let key = match need {
            Need::Target { target, contract } => {
                let file = contract.as_deref().map_or_else(|| call.file.clone(), FileId::from);
                ReadKey::Artifact(file, target.as_str().into())
            }
            Need::Contract { contract } => ReadKey::Document(contract.as_str().into()),
            Need::File { file } => ReadKey::Bytes(file.as_str().into()),
        };
        let digest = session.current(&key)?;
        trace.push(Read { key, digest });
    }
    let made = Made { ready: true, digest: call.key, trace: trace.into(), diagnostics: Vec::new() };
    if let Some(details) = session.records.change(&call.file) {
        details.made.insert(call.target.clone(), made);
    }
    session.records.refresh(&call.file);
    let emitter = format!("{target}/{FORMAT}");
    let entry = LockEntry {
        target: target.to_owned(),
        contract: call.file.to_string(),
        key: call.key,
        answer: answer.digest(),
        artifacts: answer.artifacts.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes))).collect(),
        needs: answer.needs.iter().filter_map(|(need, digest)| Some((need_name(need), (*digest)?))).collect(),
    };
    let lock = &mut session.agents.lock;
    lock.tasks.retain(|known| known.target != entry.target || known.contract != entry.contract);
    lock.tasks.push(entry);
    for (path, bytes) in answer.artifacts {
        let digest = Digest::of(&bytes);
        if Comment::of(&path).is_none() {
            let (source, emitter) = (call.file.to_string(), emitter.clone());
            session.agents.unmarked.push(LockOutput { path: path.clone(), source, emitter, digest });
        }
        let known = session.records.get(&call.file).and_then(|r| r.outputs.iter().find(|o| *o.path == *path));
        if known.is_some_and(|output| output.stat.is_some() && output.digest == digest) {
            continue;
        }
        let (file, target, emitter) = (call.file.clone(), call.target.clone(), emitter.clone());
        commit.put(session, Intent { file, target, path, body: bytes, digest, emitter })?;
    }
    Ok(())
}

fn expected_pattern(session: &Session, call: &Call) -> Option<OutputPattern> {
    let target = session.agents.targets.iter().find(|target| target.name == call.target)?;
    let unit = session.setup.unit(&call.file);
    OutputPattern::new(&omnigen_engine::output_path(&target.output, &unit), &[]).ok()
}

fn expected(session: &Session, call: &Call) -> Vec<String> {
    let pattern = expected_pattern(session, call);
    pattern.iter().map(|pattern| format!("{}/{}", session.setup.out_name, pattern.as_str())).collect()
}

fn missing(session: &Session, call: &Call) -> Diagnostic {
    let locked = session.agents.lock.tasks_of(&call.target, &call.file).next();
    let message = match locked {
        Some(entry) if entry.key == call.key => {
            format!(
                "the answer of `{}` that {LOCK} names is in no store, and its files are not there as it says",
                call.target
            )
        }
        Some(_) => format!("what `{}` may see has changed since {LOCK} was written", call.target),
        None => format!("{LOCK} has no answer of `{}`", call.target),
    };
    let hint = "run `omnigen build` where agents may run, and commit the lock and the outputs";
    Diagnostic::new(Code::AnswerMissing, At::file(&call.file), message).hint(hint)
}

fn failed(session: &Session, call: &Call, failure: &Failure) -> Diagnostic {
    let agent = session.agents.targets.iter().find(|t| t.name == call.target).map_or("", |t| &t.agent);
    let message = format!("agent `{agent}` gave no `{}` for this contract: {}", call.target, failure.text);
    let diagnostic = Diagnostic::new(failure.class.code(), At::file(&call.file), message);
    let stderr = failure.stderr.trim();
    if !stderr.is_empty() {
        let tail: Vec<&str> = stderr.lines().rev().take(12).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        return diagnostic.hint(format!("it said:\n{}", tail.join("\n")));
    }
    match failure.class {
        FailureClass::Start => {
            diagnostic.hint("is the program installed, and are its files among the agent's `inputs`?")
        }
        _ => diagnostic,
    }
}

/// Writes `omnigen.lock` if it says something new; entries of contracts and targets that are gone are dropped.
fn save_lock(session: &mut Session, files: &[FileId]) -> Result<(), String> {
    if session.manners.compare || session.manners.frozen {
        return Ok(());
    }
    let known: BTreeSet<&str> =
        session.records.iter().map(|(file, _)| &**file).chain(files.iter().map(|f| &**f)).collect();
    let targets: BTreeSet<&str> = session.agents.targets.iter().map(|target| &*target.name).collect();
    let unmarked = std::mem::take(&mut session.agents.unmarked);
    let lock = &mut session.agents.lock;
    for output in unmarked {
        lock.outputs.retain(|known| known.path != output.path);
        lock.outputs.push(output);
    }
    lock.tasks.retain(|entry| known.contains(entry.contract.as_str()) && targets.contains(entry.target.as_str()));
    lock.outputs.retain(|output| known.contains(output.source.as_str()));
    // Another command may have locked schemas since the file was read.
    let there = omnigen_disk::read_text(&session.setup.root.join(LOCK)).ok();
    if let Some(Ok(there)) = there.map(|text| lock_file::parse(&text.text)) {
        lock.schemas = there.schemas;
    }
    let text = lock.render();
    if text != session.agents.lock_text {
        let path = session.setup.root.join(LOCK);
        let _lock = session.lock()?;
        omnigen_disk::write_atomic(&path, text.as_bytes())
            .map_err(|error| format!("{LOCK} cannot be written: {error}"))?;
        session.agents.lock_text = text;
    }
    Ok(())
}
