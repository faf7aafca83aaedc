//! The tables about agents: `[agent.NAME]`, `[target.NAME]`, `[gate.NAME]`, `[run]`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use omnigen_ir::Json;
use omnigen_report::{At, Code};
use toml::Spanned;

use super::read::{self, Reader, Table, Text};
use super::{BUILT_IN, declared, error, globs, outside, pattern, required, unknown_target};

/// How long an agent may take unless its table says otherwise.
const TIMEOUT: Duration = Duration::from_secs(300);
/// How long it may be silent unless its table says otherwise.
const SILENCE: Duration = Duration::from_secs(30);
/// Tasks of one agent at the same time unless its table says otherwise.
const CONCURRENCY: usize = 5;
/// Attempts unless the table says otherwise.
const ATTEMPTS: u32 = 2;
/// Answers that a task may have in all if they are asked for with feedback, unless the table says otherwise.
const RECOVERIES: u32 = 3;
/// Tasks of all agents that wait rather than compute, at the same time, unless `[run]` says otherwise.
const IO: usize = 128;

/// Keys of agents with `llm` alone.
const OF_ENDPOINTS: [&str; 4] = ["prompt", "reply", "render", "budget"];

/// What makes artifacts: a command, or a model behind an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Agent {
    /// Its name in the configuration.
    pub name: String,
    /// The program and its arguments; empty if it is an endpoint.
    pub command: Vec<String>,
    /// The endpoint, if it is one.
    pub llm: Option<Llm>,
    /// Globs of the files that decide what it does.
    pub inputs: Vec<String>,
    /// A command whose output is part of what it is; may be empty.
    pub version: Vec<String>,
    /// The variables it sees, sorted.
    pub env: Vec<String>,
    /// May it use the network?
    pub network: bool,
    /// Is it kept from everything that it did not declare, where the system can do that?
    pub sandbox: bool,
    /// Folders outside the project that it may read beside the system's own; absolute.
    pub read: Vec<String>,
    /// How long a call may take; never zero.
    pub timeout: Duration,
    /// The longest silence.
    pub progress_within: Duration,
    /// What happens after a failure that may pass.
    pub retry: Retry,
    /// Tasks at the same time; never zero.
    pub concurrency: usize,
    /// Where its tasks wait for their turn.
    pub pool: Pool,
}

/// Where tasks wait for their turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pool {
    /// They mostly wait: many at a time.
    #[default]
    Io,
    /// They compute: as many as there are processors.
    Cpu,
}

/// Attempts after failures that may pass, and the pauses between them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Retry {
    /// Attempts in all; never zero.
    pub attempts: u32,
    /// The first pause.
    pub initial: Duration,
    /// What each pause is multiplied with to make the next one.
    pub factor: u32,
    /// The longest pause.
    pub max: Duration,
    /// Whether pauses are shortened at random, so that many failures do not come back together.
    pub jitter: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            attempts: ATTEMPTS,
            initial: Duration::from_millis(200),
            factor: 2,
            max: Duration::from_secs(5),
            jitter: true,
        }
    }
}

/// An OpenAI-compatible endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Llm {
    /// Up to and with `/v1`.
    pub base_url: String,
    /// The model's name.
    pub model: String,
    /// The variable that holds the bearer key.
    pub api_key_env: Option<String>,
    /// As it is written.
    pub temperature: Option<String>,
    /// For repeatable answers.
    pub seed: Option<i64>,
    /// The longest reply, in tokens.
    pub max_tokens: u64,
    /// Whether the reply comes in pieces.
    pub stream: bool,
    /// Path of the prompt's template.
    pub prompt: String,
    /// Path of the reply's JSON Schema.
    pub reply: Option<String>,
    /// Path of the template that makes the artifact of the reply.
    pub render: Option<String>,
    /// Tokens for a whole run.
    pub budget: Option<u64>,
}

/// A target of the project's own, made by an agent once for each contract.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Its name in the configuration.
    pub name: String,
    /// The agent that makes it; one that exists.
    pub agent: String,
    /// Pattern of its outputs; holds `{contract}`.
    pub output: String,
    /// Targets whose artifacts of the same contract it is given; sorted, without a circle, all of them exist.
    pub needs: Vec<String>,
    /// How long it waits for those that other agents make, where that is said; no part of what it sees.
    pub patience: Vec<(String, Duration)>,
    /// Agents whose messages for the same contract it is given; sorted.
    pub listens: Vec<String>,
    /// What of the contract it sees; sorted.
    pub sees: Vec<See>,
    /// What it is told to do: canonical JSON, `null` if nothing.
    pub assignment: String,
    /// Globs of files whose texts it is given.
    pub templates: Vec<String>,
    /// Examples among which it is given the most similar ones.
    pub patterns: Option<Patterns>,
    /// Names of gates; all of them exist.
    pub gates: Vec<String>,
    /// The least score of an answer that is used, in thousandths.
    pub quality_threshold: u32,
    /// Higher goes first.
    pub priority: i64,
}

/// Examples to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Patterns {
    /// Globs of the examples.
    pub files: Vec<String>,
    /// How many are given.
    pub top: usize,
}

/// A part of a contract that a target can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum See {
    /// The document: comments and layout do not count.
    Document,
    /// The document without annotations.
    Meaning,
    /// The text as it is.
    Source,
    /// The types of other contracts that it refers to.
    Types,
}

impl See {
    /// All, with their names.
    pub const ALL: [(&'static str, See); 4] =
        [("document", See::Document), ("meaning", See::Meaning), ("source", See::Source), ("types", See::Types)];
}

/// Checks that an answer must pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gate {
    /// Its name in the configuration.
    pub name: String,
    /// The checks, in order.
    pub checks: Vec<Check>,
    /// The least score that passes, in thousandths.
    pub threshold: u32,
    /// Globs of files that decide what it says: configuration of tools, scripts.
    pub inputs: Vec<String>,
    /// Variables that its commands see beside `PATH`; sorted.
    pub env: Vec<String>,
    /// How long a batch may take.
    pub timeout: Duration,
}

/// One check of a gate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// Is it Python?
    PythonSyntax,
    /// Does JSON satisfy this schema? A path.
    JsonSchema(String),
    /// `ruff check`.
    Ruff,
    /// `mypy --strict`.
    Mypy,
    /// `pytest`, with the least coverage in thousandths if there is one.
    Pytest(Option<u32>),
    /// Any program: exit status 0 passes.
    Command(Vec<String>),
}

/// Limits of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Run {
    /// How long all agents together may take.
    pub timeout: Option<Duration>,
    /// Tasks at the same time in [`Pool::Io`].
    pub io: usize,
    /// Tasks at the same time in [`Pool::Cpu`]; `None`: as many as there are threads.
    pub cpu: Option<usize>,
}

impl Default for Run {
    fn default() -> Self {
        Run { timeout: None, io: IO, cpu: None }
    }
}

/// `[agent.NAME]`.
pub(super) fn agent(reader: &mut Reader, table: &Table<'_>) -> Option<Agent> {
    reader.keys(table, &declared::names(declared::AGENT), &[]);
    let path = table.path.clone();
    let endpoint = table.names_of("llm");
    let mut sound = true;
    let command = reader.texts(table, "command", "[\"python3\", \"agents/docs.py\"]");
    match &command {
        Some(_) if endpoint => {
            let message = format!("`{path}` has both `command` and `llm`");
            reader.error(table.value_span("command"), message).hint = Some("keep one of them".to_owned());
            sound = false;
        }
        Some(words) if words.first().is_none_or(|word| word.get_ref().trim().is_empty()) => {
            reader.error(table.value_span("command"), format!("`{path}.command` names no program"));
            sound = false;
        }
        Some(_) => {}
        None if endpoint => {}
        None => {
            if !reader.has(table, "command") {
                reader.error(table.span.clone(), format!("`{path}.command` is missing")).hint =
                    Some("add a line such as\ncommand = [\"python3\", \"agents/docs.py\"]".to_owned());
            }
            sound = false;
        }
    }
    let llm = if endpoint { llm(reader, table) } else { None };
    for key in OF_ENDPOINTS {
        if !endpoint && table.entries.contains_key(key) {
            reader.error(table.value_span(key), format!("`{path}.{key}` is for agents with `llm`"));
        }
    }
    let inputs = reader.texts(table, "inputs", "[\"agents/**\"]").unwrap_or_default();
    let inputs = globs(reader, &format!("{path}.inputs"), inputs);
    let env = variables(reader, table);
    let mut read = Vec::new();
    for folder in reader.texts(table, "read", "[\"/opt/models\"]").unwrap_or_default() {
        if !folder.get_ref().starts_with('/') {
            reader.error(folder.span(), format!("`{path}.read` must list absolute folders")).hint =
                Some("files of the project go into `inputs`".to_owned());
        }
        read.push(folder.into_inner());
    }
    let version = reader.texts(table, "version", "[\"python3\", \"--version\"]").unwrap_or_default();
    let pool = match reader.choice(table, "kind", &["io", "cpu"]) {
        Some("cpu") => Pool::Cpu,
        _ => Pool::Io,
    };
    let agent = Agent {
        name: table.name.clone(),
        command: command.unwrap_or_default().into_iter().map(Spanned::into_inner).collect(),
        llm,
        inputs,
        version: version.into_iter().map(Spanned::into_inner).collect(),
        env,
        network: reader.flag(table, "network").unwrap_or(false),
        sandbox: reader.flag(table, "sandbox").unwrap_or(true),
        read,
        timeout: reader.duration(table, "timeout").unwrap_or(TIMEOUT),
        progress_within: reader.duration(table, "progress_within").unwrap_or(SILENCE),
        retry: retry(reader, table),
        concurrency: reader.count(table, "concurrency", 10_000).unwrap_or(CONCURRENCY),
        pool,
    };
    (sound && endpoint == agent.llm.is_some()).then_some(agent)
}

fn variables(reader: &mut Reader, table: &Table<'_>) -> Vec<String> {
    let path = &table.path;
    let mut env = Vec::new();
    for name in reader.texts(table, "env", "[\"LANG\"]").unwrap_or_default() {
        if name.get_ref().is_empty() || name.get_ref().contains(['=', '\0']) {
            reader.error(name.span(), format!("`{path}.env` must list names of variables")).hint =
                Some("write the name alone: the value is taken from omnigen's own environment".to_owned());
        }
        env.push(name.into_inner());
    }
    env.sort_unstable();
    env.dedup();
    env
}

fn retry(reader: &mut Reader, table: &Table<'_>) -> Retry {
    let mut retry = Retry::default();
    let Some(table) = reader.table(table, "retry", "retry = { attempts = 3 }") else { return retry };
    reader.keys(&table, &["attempts", "initial", "factor", "max", "jitter"], &[]);
    if let Some(attempts) = reader.count(&table, "attempts", 100) {
        retry.attempts = attempts as u32;
    }
    if let Some(factor) = reader.count(&table, "factor", 100) {
        retry.factor = factor as u32;
    }
    retry.initial = reader.duration(&table, "initial").unwrap_or(retry.initial);
    retry.max = reader.duration(&table, "max").unwrap_or(retry.max);
    retry.jitter = reader.flag(&table, "jitter").unwrap_or(retry.jitter);
    retry
}

fn llm(reader: &mut Reader, agent: &Table<'_>) -> Option<Llm> {
    let table = reader.table(agent, "llm", "llm = { base_url = \"http://127.0.0.1:8080/v1\", model = \"…\" }")?;
    let known = ["base_url", "model", "api_key_env", "temperature", "seed", "max_tokens", "stream"];
    reader.keys(&table, &known, &[]);
    let base_url = required(reader, &table, "base_url", "\"http://127.0.0.1:8080/v1\"");
    if let Some(url) = &base_url
        && !["http://", "https://"].iter().any(|scheme| url.get_ref().starts_with(scheme))
    {
        reader.error(url.span(), format!("`{}.base_url` must begin with http:// or https://", table.path));
    }
    let model = required(reader, &table, "model", "\"qwen3-coder\"");
    let prompt = required(reader, agent, "prompt", "\"prompts/summary.md.j2\"");
    let prompt = prompt.and_then(|text| file(reader, &format!("{}.prompt", agent.path), &text));
    let mut optional = |key: &str, example: &str| {
        let text = reader.text(agent, key, example)?;
        file(reader, &format!("{}.{key}", agent.path), &text)
    };
    let (reply, render) =
        (optional("reply", "\"prompts/reply.schema.json\""), optional("render", "\"prompts/page.md.j2\""));
    let budget = reader.table(agent, "budget", "budget = { tokens = 200_000 }").and_then(|table| {
        reader.keys(&table, &["tokens"], &[]);
        reader.count(&table, "tokens", usize::MAX)
    });
    Some(Llm {
        base_url: base_url?.into_inner().trim_end_matches('/').to_owned(),
        model: model?.into_inner(),
        api_key_env: reader.text(&table, "api_key_env", "\"OMNIGEN_API_KEY\"").map(Spanned::into_inner),
        temperature: reader.decimal(&table, "temperature"),
        seed: reader.number(&table, "seed", "7").map(Spanned::into_inner),
        max_tokens: reader.count(&table, "max_tokens", 10_000_000).unwrap_or(2048) as u64,
        stream: reader.flag(&table, "stream").unwrap_or(false),
        prompt: prompt?,
        reply,
        render,
        budget: budget.map(|tokens| tokens as u64),
    })
}

/// A file inside the project, without `./`.
fn file(reader: &mut Reader, key: &str, text: &Text) -> Option<String> {
    let path = text.get_ref().strip_prefix("./").unwrap_or(text.get_ref());
    if let Some(why) = outside(path) {
        reader.error(text.span(), format!("`{key}` must be a file inside the project: {why}"));
        return None;
    }
    Some(path.to_owned())
}

/// `[gate.NAME]`.
pub(super) fn gate(reader: &mut Reader, table: &Table<'_>) -> Option<Gate> {
    reader.keys(table, &declared::names(declared::GATE), &[]);
    let path = table.path.clone();
    let command = reader.texts(table, "command", "[\"python3\", \"gates/check.py\"]");
    let command: Option<Vec<String>> = command.map(|words| words.into_iter().map(Spanned::into_inner).collect());
    let schema = reader.text(table, "schema", "\"schemas/page.json\"");
    let schema = schema.and_then(|text| file(reader, &format!("{path}.schema"), &text));
    let coverage = reader.share(table, "coverage");
    let mut checks = Vec::new();
    let names = ["python-syntax", "json-schema", "ruff", "mypy", "pytest", "command"];
    for word in reader.texts(table, "checks", "[\"python-syntax\", \"ruff\"]").unwrap_or_default() {
        checks.push(match word.get_ref().as_str() {
            "python-syntax" => Check::PythonSyntax,
            "ruff" => Check::Ruff,
            "mypy" => Check::Mypy,
            "pytest" => Check::Pytest(coverage),
            "json-schema" => match &schema {
                Some(schema) => Check::JsonSchema(schema.clone()),
                None => {
                    reader.error(word.span(), format!("`{path}.schema` is missing: json-schema checks against it"));
                    continue;
                }
            },
            "command" => match &command {
                Some(command) => Check::Command(command.clone()),
                None => {
                    reader.error(word.span(), format!("`{path}.command` is missing"));
                    continue;
                }
            },
            other => {
                let hint = match read::suggestion(other, names) {
                    Some(name) => format!("did you mean \"{name}\"?"),
                    None => format!("there are {}", names.map(|name| format!("`{name}`")).join(", ")),
                };
                reader.error(word.span(), format!("there is no check `{other}`")).hint = Some(hint);
                continue;
            }
        });
    }
    if let Some(command) = command
        && !checks.iter().any(|check| matches!(check, Check::Command(_)))
    {
        checks.push(Check::Command(command));
    }
    if checks.is_empty() {
        reader.error(table.span.clone(), format!("`{path}` checks nothing")).hint =
            Some("add a line such as\nchecks = [\"python-syntax\", \"ruff\"]".to_owned());
        return None;
    }
    let inputs = reader.texts(table, "inputs", "[\"ruff.toml\"]").unwrap_or_default();
    Some(Gate {
        name: table.name.clone(),
        checks,
        threshold: reader.share(table, "threshold").unwrap_or(1000),
        inputs: globs(reader, &format!("{path}.inputs"), inputs),
        env: variables(reader, table),
        timeout: reader.duration(table, "timeout").unwrap_or(TIMEOUT),
    })
}

/// `[run]`.
pub(super) fn run(reader: &mut Reader, table: &Table<'_>) -> Run {
    let later = error("remove it: nothing in this version acts on it");
    reader.keys(table, &declared::names(declared::RUN), &[("quality_threshold", later)]);
    Run {
        timeout: reader.duration(table, "timeout"),
        io: reader.count(table, "io", 10_000).unwrap_or(IO),
        cpu: reader.count(table, "cpu", 10_000),
    }
}

/// `[[recover]]`: what follows an answer that does not pass. Gives the answers that a task may have in all.
pub(super) fn recover(reader: &mut Reader, table: &Table<'_>) -> Option<u32> {
    let later = error("remove it: nothing in this version acts on it");
    reader.keys(table, &declared::names(declared::RECOVER), &[("with", later), ("to", later)]);
    let on = required(reader, table, "on", "\"quality\"")?;
    let action = required(reader, table, "do", "\"retry-with-feedback\"")?;
    for (text, key, only) in [(&on, "on", "quality"), (&action, "do", "retry-with-feedback")] {
        if text.get_ref() != only {
            let message = format!("`recover.{key}` cannot be \"{}\" in this version", text.get_ref());
            reader.error(text.span(), message).hint =
                Some(format!("there is \"{only}\"; failures that may pass are tried again by `retry` of the agent"));
        }
    }
    Some(reader.count(table, "attempts", 100).map_or(RECOVERIES, |count| count as u32))
}

/// A need as written: the target that has it, where that is named, the target needed, where the need is.
pub(super) struct Edge {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) span: std::ops::Range<usize>,
    word: &'static str,
}

/// `[target.NAME]`.
pub(super) fn target(
    reader: &mut Reader,
    table: &Table<'_>,
    document: &Table<'_>,
    edges: &mut Vec<Edge>,
) -> Option<Target> {
    let name = table.name.clone();
    if BUILT_IN.contains(&name.as_str()) {
        reader.error(table.span.clone(), format!("`{name}` is a built-in target and cannot be defined")).hint =
            Some(format!("choose another name, or leave `{name}` out of `project.targets`"));
        return None;
    }
    let later = error("remove it: nothing in this version acts on it");
    reader.keys(
        table,
        &declared::names(declared::TARGET),
        &[
            ("candidates", error("name one agent in `agent`")),
            ("strategy", later),
            ("requires", later),
            ("wait_for", later),
            ("scope", error("a target is made once for each contract; remove it")),
            ("hedge", later),
            ("timeout", error("set `timeout` of the agent instead")),
            ("max_concurrent", error("set `concurrency` of the agent instead")),
            ("aggregate", later),
            ("cancel", later),
        ],
    );
    let path = &table.path;
    let agents = document.names("agent");
    let agent = required(reader, table, "agent", "\"doc-writer\"");
    if let Some(agent) = &agent {
        exists(reader, "agent", agent, &agents);
    }
    let output = required(reader, table, "output", "\"docs/{contract}.md\"");
    let output = output.and_then(|output| pattern(reader, &format!("{path}.output"), &output));

    let own = document.names("target");
    let mut needs = Vec::new();
    let mut patience = Vec::new();
    for (need, timeout) in reader.needs(table) {
        let to = need.get_ref();
        patience.extend(timeout.map(|timeout| (to.clone(), timeout)));
        if BUILT_IN.contains(&to.as_str()) {
            needs.push(to.clone());
        } else if own.contains(to) {
            edges.push(Edge { from: name.clone(), to: to.clone(), span: need.span(), word: "needs" });
            needs.push(to.clone());
        } else {
            unknown_target(reader, &need, &own);
        }
    }
    needs.sort_unstable();
    needs.dedup();
    let mut listens = Vec::new();
    for agent in reader.texts(table, "listens", "[\"summariser\"]").unwrap_or_default() {
        if exists(reader, "agent", &agent, &agents) {
            for other in document.made_by(agent.get_ref()) {
                edges.push(Edge { from: name.clone(), to: other, span: agent.span(), word: "listens to" });
            }
            listens.push(agent.into_inner());
        }
    }
    listens.sort_unstable();
    listens.dedup();
    let mut sees = Vec::new();
    for word in reader.texts(table, "sees", "[\"document\", \"types\"]").unwrap_or_default() {
        match See::ALL.iter().find(|(name, _)| *name == word.get_ref()) {
            Some((_, see)) => sees.push(*see),
            None => {
                let message = format!("`{path}.sees` cannot hold \"{}\"", word.get_ref());
                let all = See::ALL.map(|(name, _)| format!("\"{name}\"")).join(", ");
                reader.error(word.span(), message).hint = Some(format!("there are {all}"));
            }
        }
    }
    if sees.is_empty() && !reader.has(table, "sees") {
        sees.push(See::Document);
    }
    sees.sort_unstable();
    sees.dedup();
    let mut gates = Vec::new();
    let known = document.names("gate");
    for gate in reader.texts(table, "gates", "[\"typed\"]").unwrap_or_default() {
        if exists(reader, "gate", &gate, &known) {
            gates.push(gate.into_inner());
        }
    }
    let templates = reader.texts(table, "templates", "[\"templates/*.md\"]").unwrap_or_default();
    let templates = globs(reader, &format!("{path}.templates"), templates);
    let patterns = reader.table(table, "patterns", "patterns = { files = [\"examples/**\"], top = 3 }");
    let patterns = patterns.map(|table| {
        reader.keys(&table, &["files", "top"], &[]);
        let files = reader.texts(&table, "files", "[\"examples/**\"]").unwrap_or_default();
        let files = globs(reader, &format!("{}.files", table.path), files);
        Patterns { files, top: reader.count(&table, "top", 100).unwrap_or(3) }
    });
    let assignment = match table.entries.contains_key("assignment") {
        true => reader.table(table, "assignment", "assignment = { objective = \"…\" }").map(|table| {
            let known = ["objective", "tasks", "success_criteria", "priority"];
            reader.keys(&table, &known, &[]);
            reader.json(&table)
        }),
        false => None,
    };
    Some(Target {
        name,
        agent: agent?.into_inner(),
        output: output?,
        needs,
        patience,
        listens,
        sees,
        assignment: assignment.unwrap_or(Json::Null).to_string(),
        templates,
        patterns,
        gates,
        quality_threshold: reader.share(table, "quality_threshold").unwrap_or(800),
        priority: reader.number(table, "priority", "10").map_or(0, Spanned::into_inner),
    })
}

/// Is there a table of this kind and name? Told if not.
fn exists(reader: &mut Reader, kind: &str, name: &Text, all: &[String]) -> bool {
    if all.contains(name.get_ref()) {
        return true;
    }
    let hint = match read::suggestion(name.get_ref(), all.iter().map(String::as_str)) {
        Some(word) => format!("did you mean \"{word}\"?"),
        None => format!("add a table `[{kind}.{}]`", name.get_ref()),
    };
    reader.error(name.span(), format!("there is no {kind} `{}`", name.get_ref())).hint = Some(hint);
    false
}

/// Tells of each circle among own targets, once, beginning with its smallest name.
pub(super) fn circles(reader: &mut Reader, edges: &[Edge]) {
    let mut needs: BTreeMap<&str, Vec<&Edge>> = BTreeMap::new();
    for edge in edges {
        needs.entry(&edge.from).or_default().push(edge);
    }
    let mut done: BTreeMap<&str, bool> = BTreeMap::new();
    for &start in needs.keys() {
        // Depth first by hand: a long chain of targets is no reason to run out of stack.
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((name, next)) = path.last_mut() {
            let name = *name;
            if *next == 0 && done.contains_key(name) {
                path.pop();
                continue;
            }
            done.entry(name).or_insert(false);
            let Some(edge) = needs.get(name).and_then(|edges| edges.get(*next)) else {
                done.insert(name, true);
                path.pop();
                continue;
            };
            *next += 1;
            let to = edge.to.as_str();
            if let Some(begin) = path.iter().position(|(on_path, _)| *on_path == to) {
                let members = path[begin..].iter();
                circle(reader, members.filter_map(|(name, next)| needs.get(name)?.get(next - 1).copied()).collect());
            } else {
                path.push((to, 0));
            }
        }
    }
}

fn circle(reader: &mut Reader, mut edges: Vec<&Edge>) {
    let smallest = (0..edges.len()).min_by_key(|&index| &edges[index].from).unwrap_or(0);
    edges.rotate_left(smallest);
    let Some((first, rest)) = edges.split_first() else { return };
    let message = if rest.is_empty() {
        format!("target `{}` needs itself", first.from)
    } else {
        let names: Vec<String> = edges.iter().map(|edge| format!("`{}`", edge.from)).collect();
        format!("targets need each other in a circle: {} → `{}`", names.join(" → "), first.from)
    };
    let file: Arc<str> = reader.file.clone();
    let diagnostic = reader.tell(Code::TaskCycle, first.span.clone(), message);
    for edge in rest {
        diagnostic.related.push((
            At::span(&file, edge.span.start, edge.span.end),
            format!("`{}` {} `{}`", edge.from, edge.word, edge.to),
        ));
    }
    diagnostic.hint = Some("leave out one of these needs".to_owned());
}
