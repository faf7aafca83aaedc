//! Agents' targets: what the agents are, which of their tasks are unsettled, and a round of work on these.
//!
//! The graph plans; [`flow`] looks answers up ([`known`]: lock, then store) and has the others made by calls that hold no
//! database ([`flight`]), until nothing is pending.

mod flight;
mod flow;
mod gates;
mod judging;
mod known;
mod lock;
mod needs;
mod seen;
mod show;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use omnigen_agents::{AgentSpec, Budget, Environment, LlmSpec};
use omnigen_engine::{AgentTarget, Library, ReadKey, Sees};
use omnigen_ir::{Digest, FileId, KeyPart};
use omnigen_report::{Code, Diagnostic};
use omnigen_store::Answers;
use omnigen_store::lock_file::LockOutput;

use crate::commit::Commit;
use crate::config::{self, See};
use crate::records::Records;
use crate::session::Session;
use crate::setup::Setup;

pub(crate) use flight::{Flight, Mail};
pub(crate) use lock::LOCK;
use lock::Lock;
pub(crate) use seen::{package, seen};

/// Format number of what agents give, as the ownership mark has it.
const FORMAT: u32 = 1;

/// A target for a contract.
type TaskId = (FileId, Box<str>);

/// The configured agents, as far as targets use them.
pub(crate) struct Agents {
    targets: Vec<Arc<AgentTarget>>,
    workers: BTreeMap<Box<str>, Arc<Worker>>,
    lock: Lock,
    answers: Answers,
    gates: BTreeMap<String, Arc<gates::Gate>>,
    /// Lock lines for outputs that can carry no mark: the old ones say what is on disk until all new bytes are decided about.
    unmarked: Vec<LockOutput>,
    /// Those that the lock had and has no more.
    abandoned: Vec<LockOutput>,
    diagnostics: Vec<Diagnostic>,
}

/// Who makes a target, and under what limits.
struct Worker {
    agent: config::Agent,
    runner: Runner,
    environment: Environment,
    files: Vec<(String, Vec<u8>)>,
    priority: i64,
    /// How long its tasks wait for those of other targets.
    patience: Vec<(String, std::time::Duration)>,
    /// Names of gates, in order.
    gates: Vec<String>,
    /// The least score that an answer may give itself, in thousandths.
    least: u32,
}

/// How an agent is asked.
#[derive(Clone)]
enum Runner {
    Command(AgentSpec),
    Llm(LlmSpec, Arc<Budget>),
}

impl Worker {
    /// Does a call cost money, so that it is not thrown away once it is under way?
    fn paid(&self) -> bool {
        self.agent.llm.is_some()
    }

    /// Does a call reach for the network?
    fn remote(&self) -> bool {
        self.agent.llm.is_some() || self.agent.network
    }
}

/// How the tasks of a round ended.
#[derive(Debug, Default)]
pub(crate) struct TaskOutcome {
    pub(crate) calls: usize,
    pub(crate) cached: usize,
    pub(crate) failed: bool,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Agents {
    /// What is stored of answers and verdicts.
    pub(crate) fn stored(&self) -> &Answers {
        &self.answers
    }

    /// Reads what the agents are. Without agents' targets nothing is read.
    pub(crate) fn new(setup: &Setup) -> Agents {
        let mut agents = Agents {
            targets: Vec::new(),
            workers: BTreeMap::new(),
            lock: Lock::default(),
            answers: Answers::new(&setup.state.join("answers.redb")),
            gates: BTreeMap::new(),
            unmarked: Vec::new(),
            abandoned: Vec::new(),
            diagnostics: Vec::new(),
        };
        let built: Vec<&config::Target> =
            setup.config.own_targets.iter().filter(|target| setup.config.builds(&target.name)).collect();
        let used: BTreeSet<&String> = built.iter().flat_map(|target| &target.gates).collect();
        for config in setup.config.gates.iter().filter(|gate| used.contains(&gate.name)) {
            match gates::Gate::new(setup, config) {
                Ok(gate) => {
                    agents.gates.insert(config.name.clone(), Arc::new(gate));
                }
                Err(why) => agents.diagnostics.push(Diagnostic::global(Code::BadConfig, why)),
            }
        }
        // What targets of one agent share: what it is, and what it may spend.
        let mut asked: BTreeMap<&str, Result<Asked, String>> = BTreeMap::new();
        for target in &built {
            let Some(agent) = setup.config.agent(&target.agent) else { continue };
            let asked = asked.entry(&agent.name).or_insert_with(|| self::asked(setup, agent));
            let made = asked.clone().and_then(|asked| worker(setup, target, agent, asked));
            match made {
                Ok((worker, described)) => {
                    let listens = built.iter().filter(|other| target.listens.contains(&other.agent));
                    let listens = listens.map(|other| (other.name.as_str().into(), other.agent.as_str().into()));
                    let gates = target.gates.iter().filter_map(|name| agents.gates.get(name));
                    let gates: Vec<Digest> = gates.map(|gate| gate.definition).collect();
                    let described = AgentTarget { listens: listens.collect(), gates, ..described };
                    agents.targets.push(Arc::new(described));
                    agents.workers.insert(target.name.as_str().into(), Arc::new(worker));
                }
                Err(why) => {
                    let message = format!("agent `{}`: {why}", agent.name);
                    agents.diagnostics.push(Diagnostic::global(Code::AgentFailed, message));
                }
            }
        }
        if !agents.targets.is_empty() {
            agents.lock = Lock::at(&setup.root);
        }
        agents
    }

    pub(crate) fn targets(&self) -> &[Arc<AgentTarget>] {
        &self.targets
    }

    fn target(&self, name: &str) -> Option<&Arc<AgentTarget>> {
        self.targets.iter().find(|target| *target.name == *name)
    }

    fn worker(&self, target: &str) -> Option<&Arc<Worker>> {
        self.workers.get(target)
    }

    /// What the agents are, for "nothing changed": all that can be told without the lock.
    pub(crate) fn identities(&self) -> Vec<(String, Digest)> {
        let mut identities: Vec<_> = self.targets.iter().map(|t| (t.name.to_string(), t.digest())).collect();
        let libraries = self.targets.iter().filter_map(|t| Some((t.name.to_string(), t.patterns.as_ref()?.0.digest())));
        identities.extend(libraries);
        identities
    }

    /// What no survey looks at: the lock, the files that agents asked for while they ran, and those that gates looked for beside
    /// artifacts. With what the disk says of them, `None` where that cannot vouch for what is known of the lock here.
    pub(crate) fn pinned(
        &self,
        setup: &Setup,
        beside: &BTreeSet<String>,
    ) -> (Vec<(String, Digest)>, crate::records::Pinned) {
        if self.targets.is_empty() {
            return (Vec::new(), Some(Vec::new()));
        }
        let mut pinned = vec![(LOCK.to_owned(), Digest::of(self.lock.read().text.as_bytes()))];
        let mut stats = self.lock.stat().map(|stat| vec![(LOCK.to_owned(), stat)]);
        let needs = self.lock.entries().flat_map(|entry| &entry.needs);
        let needs = needs.filter_map(|(need, _)| need.strip_prefix("file:"));
        let files: BTreeSet<&str> = needs.chain(beside.iter().map(String::as_str)).collect();
        for file in files {
            let (digest, stat) = match omnigen_disk::files::read_bytes(&setup.root.join(file)) {
                Ok((bytes, stat)) => (Digest::of(&bytes), Some(stat)),
                Err(_) => (Digest::from_bytes([0; 32]), None),
            };
            pinned.push((file.to_owned(), digest));
            stats.iter_mut().for_each(|stats| stats.push((file.to_owned(), stat)));
        }
        (pinned, stats)
    }

    /// Why agents cannot be asked, or their answers not be replayed.
    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.diagnostics.iter().chain(&self.lock.read().problem).cloned().collect()
    }

    /// Is something wrong with what the agents are?
    pub(crate) fn unusable(&self) -> bool {
        !self.diagnostics.is_empty()
    }

    pub(crate) fn identity_of(&self, target: &str) -> Option<Digest> {
        self.target(target).map(|target| target.digest())
    }

    /// Is there a task without its outputs?
    pub(crate) fn unsettled(&self, records: &Records) -> bool {
        if self.targets.is_empty() {
            return self.unusable();
        }
        let lock = self.lock.read();
        let odd = lock.problem.is_some() || lock.file.conflicted;
        if self.unusable() || odd || records.iter().any(|(_, record)| record.open) {
            return true;
        }
        let lacks = |target: &AgentTarget| {
            records.iter().any(|(_, record)| {
                let mut own = record.outputs.iter().filter(|output| output.target == target.name).peekable();
                let nothing = record.empty.contains(&target.name);
                record.contract
                    && !record.held
                    && !nothing
                    && (own.peek().is_none() || own.any(|output| output.stat.is_none()))
            })
        };
        self.targets.iter().any(|target| lacks(target))
    }

    /// What the lock says that a contract's tasks have given: also where that is not known to be right now.
    pub(crate) fn pinned_paths(&self, file: &str) -> impl Iterator<Item = String> {
        let entries = self.targets.iter().flat_map(move |target| self.lock.of(&target.name, file));
        entries.flat_map(|entry| &entry.artifacts).map(|(path, _)| path.clone())
    }

    /// Files that can carry no mark, that we wrote, and that nobody gives any more.
    pub(crate) fn take_abandoned(&mut self) -> Vec<LockOutput> {
        std::mem::take(&mut self.abandoned)
    }

    /// Is this file, of a kind that can carry no mark, what the lock says we wrote?
    pub(crate) fn wrote(&self, path: &str, bytes: &[u8]) -> bool {
        self.lock.read().file.outputs.iter().any(|output| output.path == path && output.digest == Digest::of(bytes))
    }
}

/// How an agent is asked, whatever for.
#[derive(Clone)]
struct Asked {
    runner: Runner,
    /// What it sees of the machine.
    environment: Environment,
    /// Its files.
    files: Vec<(String, Vec<u8>)>,
    /// What makes it what it is.
    identity: Vec<KeyPart>,
    /// Path and text of the template of its prompt.
    prompt: Option<(Box<str>, Arc<str>)>,
}

/// The error is a sentence.
fn asked(setup: &Setup, agent: &config::Agent) -> Result<Asked, String> {
    let Some(llm) = &agent.llm else { return command(setup, agent) };
    let text = |path: &String| {
        let text = omnigen_disk::read_text(&setup.root.join(path));
        text.map(|text| text.text).map_err(|problem| format!("`{path}`: {problem}"))
    };
    let template = text(&llm.prompt)?;
    if let Some(problem) = omnigen_engine::template_problem(&llm.prompt, &template) {
        return Err(problem);
    }
    let (spec, environment) = endpoint(agent, llm, &text)?;
    let identity = spec.identity();
    let runner = Runner::Llm(spec, Arc::new(Budget::new(llm.budget)));
    let prompt = Some((llm.prompt.as_str().into(), template.into()));
    Ok(Asked { runner, environment, files: Vec::new(), identity, prompt })
}

/// Who makes a target, and how the graph sees it. The error is a sentence.
fn worker(
    setup: &Setup,
    target: &config::Target,
    agent: &config::Agent,
    asked: Asked,
) -> Result<(Worker, AgentTarget), String> {
    let Asked { runner, environment, files, identity, prompt } = asked;
    let text = |(path, bytes): (String, Vec<u8>)| Some((path, String::from_utf8(bytes).ok()?));
    let texts = |globs: &[String]| inputs(setup, globs).into_iter().filter_map(text);
    let patterns = target.patterns.as_ref().map(|patterns| {
        let library = Library::new(texts(&patterns.files).collect());
        (Arc::new(library), patterns.top)
    });
    let templates = texts(&target.templates).map(|(path, text)| (path.into(), text.into()));
    let sees = |see| target.sees.contains(&see);
    let described = AgentTarget {
        name: target.name.as_str().into(),
        agent: agent.name.as_str().into(),
        identity,
        output: target.output.as_str().into(),
        needs: target.needs.iter().map(|need| need.as_str().into()).collect(),
        listens: Vec::new(),
        sees: Sees {
            document: sees(See::Document),
            meaning: sees(See::Meaning),
            source: sees(See::Source),
            types: sees(See::Types),
        },
        assignment: target.assignment.as_str().into(),
        templates: templates.collect(),
        patterns,
        prompt,
        gates: Vec::new(),
        progress_within: agent.progress_within.as_millis() as u64,
    };
    let worker = Worker {
        agent: agent.clone(),
        runner,
        environment,
        files,
        priority: target.priority,
        patience: target.patience.clone(),
        gates: target.gates.clone(),
        least: target.quality_threshold,
    };
    Ok((worker, described))
}

fn command(setup: &Setup, agent: &config::Agent) -> Result<Asked, String> {
    let spec = AgentSpec {
        name: agent.name.clone(),
        command: agent.command.clone(),
        env: agent.env.clone(),
        inputs: agent.inputs.clone(),
        network: agent.network,
        sandbox: agent.sandbox,
        read: agent.read.iter().map(Into::into).collect(),
        timeout: agent.timeout,
        limits: omnigen_agents::Limits {
            progress_within: Some(agent.progress_within),
            ..omnigen_agents::Limits::default()
        },
    };
    let environment = variables(&spec.env)?;
    let version = match &agent.version[..] {
        [] => None,
        command => Some(omnigen_agents::version(command, &environment).map_err(|why| format!("its `version`: {why}"))?),
    };
    let files = inputs(setup, &spec.inputs);
    let digests: Vec<(String, Digest)> = files.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes))).collect();
    let identity = spec.identity(&digests, &environment.values, version.as_deref());
    Ok(Asked { runner: Runner::Command(spec), environment, files, identity, prompt: None })
}

fn variables(names: &[String]) -> Result<Environment, String> {
    Environment::of_engine(names).map_err(|name| format!("the variable `{name}` is not valid UTF-8"))
}

fn endpoint(
    agent: &config::Agent,
    llm: &config::Llm,
    text: &dyn Fn(&String) -> Result<String, String>,
) -> Result<(LlmSpec, Environment), String> {
    let reply = match &llm.reply {
        None => None,
        Some(path) => {
            let schema = serde_json::from_str(&text(path)?).map_err(|error| format!("`{path}` is no JSON: {error}"))?;
            Some((path.clone(), schema))
        }
    };
    let render = match &llm.render {
        None => None,
        Some(path) => {
            let template = text(path)?;
            if let Some(problem) = omnigen_engine::template_problem(path, &template) {
                return Err(problem);
            }
            Some((path.clone(), template))
        }
    };
    let environment = variables(llm.api_key_env.as_slice())?;
    let spec = LlmSpec {
        name: agent.name.clone(),
        base_url: llm.base_url.clone(),
        model: llm.model.clone(),
        api_key_env: llm.api_key_env.clone(),
        temperature: llm.temperature.clone(),
        seed: llm.seed,
        max_tokens: llm.max_tokens,
        stream: llm.stream,
        reply,
        render,
        timeout: agent.timeout,
    };
    Ok((spec, environment))
}

/// The files that globs name, sorted by path.
fn inputs(setup: &Setup, globs: &[String]) -> Vec<(String, Vec<u8>)> {
    if globs.is_empty() {
        return Vec::new();
    }
    let found = omnigen_disk::discover(&setup.root, globs, &[], &setup.config.out);
    let read =
        |path: String| omnigen_disk::files::read_bytes(&setup.root.join(&path)).ok().map(|(bytes, _)| (path, bytes));
    found.files.into_iter().filter_map(|found| read(found.path)).collect()
}

/// The digest that a read of examples has now.
pub(crate) fn alike(
    session: &mut Session,
    file: &FileId,
    target: &str,
    key: &ReadKey,
) -> Result<Option<Digest>, String> {
    let Some((library, top)) = session.agents.target(target).and_then(|target| target.patterns.clone()) else {
        return Ok(None);
    };
    if let ReadKey::Like(_, _, text) = key {
        return Ok(Some(library.digest_like(text, top)));
    }
    session.readable(file)?;
    Ok(session.graph_mut()?.patterns(file, &library, top))
}

/// Settles all tasks that are not.
pub(crate) fn run(session: &mut Session, commit: &mut Commit) -> Result<TaskOutcome, String> {
    let mut outcome = TaskOutcome { diagnostics: session.agents.diagnostics(), ..TaskOutcome::default() };
    outcome.failed = !outcome.diagnostics.is_empty();
    if session.agents.targets.is_empty() {
        session.flight.forget_all();
        // What agents have left behind that are configured no more.
        session.agents.lock = Lock::at(&session.setup.root);
        let left = session.agents.lock.read();
        if left.problem.is_none() && left.says_something() {
            lock::save(session, true)?;
        }
        return Ok(outcome);
    }
    let files: Vec<FileId> =
        session.records.iter().filter(|(_, r)| r.contract && !r.held).map(|(file, _)| file.clone()).collect();
    let targets = session.agents.targets.clone();
    let mut open: BTreeSet<TaskId> = BTreeSet::new();
    for file in &files {
        for target in &targets {
            // After a careless merge there are several lines for one task: who is asked finds the one that counts.
            let doubled = session.agents.lock.of(&target.name, file).len() > 1;
            if doubled || !settled(session, file, &target.name)? {
                open.insert((file.clone(), target.name.clone()));
            }
        }
    }
    let touched: BTreeSet<FileId> = open.iter().map(|(file, _)| file.clone()).collect();
    for file in &touched {
        session.readable(file)?;
    }
    session.graph_mut()?.set_tasks(&targets, &touched.into_iter().collect::<Vec<_>>());
    flow::Flow::new(open, outcome).run(session, commit)
}

/// Mail that comes between rounds. An answer that nobody waits for any more is stored: it was paid for. What a round has to see is
/// given back.
pub(crate) fn leftover(session: &mut Session, mail: Mail) -> Option<Mail> {
    let Mail::Done(id, result) = &mail else { return Some(mail) };
    if session.flight.get(*id).is_none_or(|call| call.wanted) {
        return Some(mail);
    }
    let flown = session.flight.over(*id)?;
    if let Ok(answer) = &**result {
        session.agents.answers.put_answers(&[(flown.key, answer.encode())]);
        session.agents.answers.release();
    }
    None
}

/// Do all reads of the task's last answer still hold, and are its outputs in place?
fn settled(session: &mut Session, file: &FileId, target: &str) -> Result<bool, String> {
    if session.manners.refresh.iter().any(|name| name == target) {
        return Ok(false);
    }
    let in_place = session.records.get(file).is_some_and(|record| {
        let mut outputs = record.outputs.iter().filter(|output| *output.target == *target).peekable();
        let nothing = record.empty.iter().any(|name| **name == *target);
        (nothing || outputs.peek().is_some()) && outputs.all(|output| output.stat.is_some())
    });
    let made = session.records.details(file).and_then(|details| details.made.get(target));
    let trace = made.filter(|made| made.ready).map(|made| made.trace.clone());
    let Some(trace) = trace.filter(|_| in_place) else { return Ok(false) };
    for read in trace.iter() {
        if session.current(&read.key)? != read.digest {
            tracing::debug!(file = &**file, target, read = ?read.key, "unsettled");
            return Ok(false);
        }
    }
    Ok(true)
}
