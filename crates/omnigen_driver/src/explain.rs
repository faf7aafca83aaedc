//! `omnigen explain`: from changed inputs to the bytes of one artifact. Before a build it says why the artifact would be made,
//! after it why it was: both come from the same round, which only compares.

use std::collections::HashSet;
use std::time::Instant;

use omnigen_engine::{Project, Read, ReadKey, Setting, Target};
use omnigen_ir::Digest;
use omnigen_report::{Activity, Change, ChangeKind, Code, nearest};
use schemars::JsonSchema;
use serde::Serialize;

use crate::records::Since;
use crate::revision::{Cause, Log, Revision, arrow};
use crate::round::Round;
use crate::session::Session;
use crate::survey::Survey;
use crate::{Options, Outcome};

/// So many read values that still hold are listed for people.
const LISTED: usize = 12;

/// Why an artifact is what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Explanation {
    /// Path from the project's root, with `/`.
    pub path: String,
    /// The contract that it is made of, or was; empty for what belongs to the whole project.
    pub contract: String,
    /// The target; empty if nothing wants the file any more.
    pub target: String,
    /// How it stands.
    pub state: Standing,
    /// BLAKE3 of its text, behind the header; absent if it cannot be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What the text was before it was made the last time, or would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The revision in which it was made, or the one that the next build would be.
    pub revision: u64,
    /// When that was; absent if it is to come, or no longer in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// What had changed in that revision, of what it reads.
    pub causes: Vec<Cause>,
    /// Everything that it has read, in order.
    pub reads: Vec<Reading>,
    /// What has changed since, and is read here, but gave the same.
    pub cut_off: Vec<CutOff>,
    /// Of an agent's artifact: what its agent is asked, and what is known of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

/// What an agent is asked for an artifact: the key, which is made of all that it may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Asked {
    /// The agent's name.
    pub agent: String,
    /// The key.
    pub key: String,
    /// The key that was answered before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What the key is made of, in order; then what is no longer part of it.
    pub parts: Vec<Part>,
    /// What the model was, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Tokens that the answer cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// The agent's own opinion of its answer, in thousandths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
    /// Gates that the answer has passed: name and receipt.
    pub gates: Vec<(String, String)>,
}

/// One part of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Part {
    /// What it is.
    pub name: String,
    /// Its digest; absent: it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What it was in the key before, if that was something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Is it another than in the key before? Absent if that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<bool>,
}

/// How an artifact stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// As it should be.
    UpToDate,
    /// The next build makes it for the first time, or again because it is gone.
    Missing,
    /// The next build replaces it.
    Stale,
    /// Its contract, or what it is made of, has errors.
    Held,
    /// It was edited by hand.
    Edited,
    /// It needs an agent's answer that is not known.
    Unanswered,
    /// A file that is not ours is in its place, and stays there.
    Blocked,
    /// Nothing wants it any more: the next build removes it.
    Orphaned,
    /// Nothing wants it any more, but it was edited by hand, and stays.
    Kept,
    /// Nothing wanted it any more, and a build has removed it.
    Removed,
}

/// One thing that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reading {
    /// In words.
    pub what: String,
    /// The file that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its digest when the artifact was made before; absent: it was not there. Only if that was another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Its digest; absent: it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
    /// Is it the same as when the artifact was made before?
    pub held: bool,
    /// What goes into the digest, where that is a list of values: name and value.
    pub enters: Vec<(String, String)>,
}

/// A change that did not reach the artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CutOff {
    /// The revision.
    pub revision: u64,
    /// What changed.
    pub cause: Cause,
    /// The reads that are about it and that gave the same digest.
    pub at: Vec<String>,
}

/// Explains the artifact at a path from the project's root, or, as `contract:target`, by what it is made of. A contract's path
/// alone means all of its artifacts.
///
/// # Errors
/// The outcome of a project that cannot be read, or in which there is no such artifact.
pub fn explain(options: &Options, wanted: &str) -> Result<Vec<Explanation>, Box<Outcome>> {
    let started = Instant::now();
    let options = Options { activity: Activity::Plan, ..options.clone() };
    crate::events::started(Activity::Plan, None);
    let (mut session, scan) = crate::open(&options).map_err(|outcome| Box::new(crate::finished(&options, *outcome)))?;
    let survey = Survey::full(&session.setup, &session.records, &session.meta, scan);
    let failed = |problem| Box::new(crate::finished(&options, crate::environment(problem)));
    let round = session.round(survey).map_err(failed)?;
    let log = Log::new(&session.setup).read();
    let mut found = Vec::new();
    for (contract, target, path) in named(&session, wanted) {
        found.extend(one(&mut session, &round, &log, contract, target, path));
    }
    found.extend(unwanted(&session, &round.commit.changes, &log, wanted));
    if found.is_empty() {
        return Err(failed(nothing(&session, wanted)));
    }
    let outcome = crate::outcome(&mut session, &options, round, started);
    crate::finished(&options, outcome);
    Ok(found)
}

/// Contract, target and path (below the output folder) of the artifacts that are meant.
fn named(session: &Session, wanted: &str) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for (file, record) in session.records.iter() {
        let unit = session.setup.unit(file);
        let built_in = session.wanted().into_iter().filter(|target| *target != Target::Check);
        let mut all: Vec<(String, String)> =
            built_in.map(|target| (target.name().to_owned(), unit.path(target.kind()))).collect();
        for target in session.agents.targets() {
            let own = record.outputs.iter().filter(|output| output.target == target.name);
            let mut paths: Vec<String> = own.map(|output| output.path.to_string()).collect();
            if paths.is_empty() {
                paths.push(omnigen_engine::output_path(&target.output, &unit));
            }
            all.extend(paths.into_iter().map(|path| (target.name.to_string(), path)));
        }
        for (target, path) in all {
            let full = format!("{}/{path}", session.setup.out_name);
            if wanted == full || wanted == &**file || wanted == format!("{file}:{target}") {
                found.push((file.to_string(), target, path));
            }
        }
    }
    found
}

fn one(
    session: &mut Session,
    round: &Round,
    log: &[Revision],
    contract: String,
    target: String,
    path: String,
) -> Option<Explanation> {
    let path = format!("{}/{path}", session.setup.out_name);
    let project = session.setup.project.clone();
    let details = session.records.details(&contract)?;
    let (made, since) = (details.made.get(target.as_str()).cloned(), details.since.get(target.as_str()).cloned());
    let since = since.unwrap_or_default();
    let change = round.commit.changes.iter().find(|change| change.path == path);
    let blocked = round
        .diagnostics
        .iter()
        .any(|found| found.code == Code::ForeignFile && found.at.as_ref().is_some_and(|at| *at.file == *path));
    let ready = made.as_ref().is_some_and(|made| made.ready);
    let state = match change.map(|change| change.change) {
        Some(ChangeKind::Create) => Standing::Missing,
        Some(ChangeKind::Update | ChangeKind::Remove) => Standing::Stale,
        Some(ChangeKind::HandEdited) => Standing::Edited,
        Some(ChangeKind::AnswerMissing) => Standing::Unanswered,
        None if blocked => Standing::Blocked,
        None if ready => Standing::UpToDate,
        None => Standing::Held,
    };
    let trace = made.as_ref().map(|made| made.trace.clone()).unwrap_or_default();
    let revision = log.iter().rev().find(|revision| revision.revision == since.revision);
    // A revision that is not in the log is the one that this round would be.
    let planned = since.revision == session.revision && revision.is_none();
    let causes: &[Cause] = match revision {
        Some(revision) => &revision.causes,
        None if planned => &session.causes.list,
        None => &[],
    };
    let causes = causes.iter().filter(|cause| concerns(cause, &path, &trace)).cloned().collect();
    let digest = made.filter(|made| made.ready && session.agents.identity_of(&target).is_none());
    Some(Explanation {
        before: since.before.map(|digest| digest.hex()).or_else(|| change.and_then(|change| change.before.clone())),
        digest: digest.map(|made| made.digest.hex()).or_else(|| change.and_then(|change| change.after.clone())),
        revision: since.revision,
        time: revision.map(|revision| revision.time.clone()),
        reads: trace.iter().map(|read| reading(read, &since, &project)).collect(),
        cut_off: cut_off(session, log, &since, &path, &trace),
        asked: asked(session, &contract, &target),
        path,
        contract,
        target,
        state,
        causes,
    })
}

/// What no contract makes: outputs that nothing wants any more, those that were removed, and the markers of packages.
fn unwanted(session: &Session, changes: &[Change], log: &[Revision], wanted: &str) -> Vec<Explanation> {
    let bare = |path: &str, contract: &str, state: Standing| Explanation {
        path: path.to_owned(),
        contract: contract.to_owned(),
        target: String::new(),
        state,
        digest: None,
        before: None,
        revision: session.revision,
        time: None,
        causes: Vec::new(),
        reads: Vec::new(),
        cut_off: Vec::new(),
        asked: None,
    };
    let meant = |path: &str, contract: &str| wanted == path || (wanted == contract && !contract.is_empty());
    let mut found = Vec::new();
    for output in &session.meta.outputs {
        let path = format!("{}/{}", session.setup.out_name, output.path);
        if path == wanted {
            let change = changes.iter().find(|change| change.path == path);
            let state = change.map_or(Standing::UpToDate, |change| match change.change {
                ChangeKind::Create => Standing::Missing,
                _ => Standing::Stale,
            });
            let (target, digest) = (output.target.to_string(), Some(output.digest.hex()));
            found.push(Explanation { target, digest, revision: 0, ..bare(&path, "", state) });
        }
    }
    let is_gone = |cause: &Cause, contract: &str| matches!(cause, Cause::File { path, .. } if path == contract);
    let caused = |causes: &[Cause], contract: &str| -> Vec<Cause> {
        let about = |cause: &&Cause| is_gone(cause, contract) || matches!(cause, Cause::Setting { .. } | Cause::Cold);
        causes.iter().filter(about).cloned().collect()
    };
    for change in changes.iter().filter(|change| change.target.is_empty() && meant(&change.path, &change.contract)) {
        let state = if change.change == ChangeKind::Remove { Standing::Orphaned } else { Standing::Kept };
        let mut one = bare(&change.path, &change.contract, state);
        (one.before, one.causes) = (change.before.clone(), caused(&session.causes.list, &change.contract));
        let earlier = log.iter().rev().find(|past| past.causes.iter().any(|cause| is_gone(cause, &change.contract)));
        if let (true, Some(past)) = (one.causes.is_empty(), earlier) {
            (one.revision, one.time) = (past.revision, Some(past.time.clone()));
            one.causes = caused(&past.causes, &change.contract);
        }
        found.push(one);
    }
    // What has not been there for long is still in the log; of several removals, the last.
    let mut told: HashSet<&str> = changes.iter().map(|change| &*change.path).collect();
    let known = |path: &str| !named(session, path).is_empty();
    for past in log.iter().rev() {
        for change in past.artifacts.iter().filter(|change| meant(&change.path, &change.contract)) {
            if told.insert(&change.path) && change.change == ChangeKind::Remove && !known(&change.path) {
                let mut one = bare(&change.path, &change.contract, Standing::Removed);
                (one.revision, one.time, one.before) = (past.revision, Some(past.time.clone()), change.before.clone());
                one.causes = caused(&past.causes, &change.contract);
                found.push(one);
            }
        }
    }
    found
}

/// That there is nothing to explain, and what may have been meant.
fn nothing(session: &Session, wanted: &str) -> String {
    let below = wanted.strip_prefix(&*session.setup.out_name).and_then(|path| path.strip_prefix('/'));
    if below.is_some_and(|path| omnigen_disk::files::is_file(&session.setup.out.join(path))) {
        return format!("`{wanted}` is not an output: it was not made by omnigen, or belongs to somebody else by now");
    }
    let mut names: Vec<String> = Vec::new();
    for (file, record) in session.records.iter().filter(|(_, record)| record.contract) {
        names.push(file.to_string());
        for output in &record.outputs {
            names.push(format!("{}/{}", session.setup.out_name, output.path));
            if wanted.contains(':') {
                names.push(format!("{file}:{}", output.target));
            }
        }
    }
    let near = nearest(wanted, names.iter().map(String::as_str), 3);
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("there is no artifact `{wanted}`; name an output, a contract, or contract:target{hint}")
}

/// What the agent of a target is asked; nothing for targets of our own.
fn asked(session: &mut Session, contract: &str, target: &str) -> Option<Asked> {
    let agent = session.agents.targets().iter().find(|known| *known.name == *target)?.agent.to_string();
    let seen = crate::tasks::seen(session, &contract.into(), target).ok()??;
    let hex = |digest: Option<Digest>| digest.as_ref().map(Digest::hex);
    let old = seen.before.as_ref().and_then(|(_, parts)| parts.as_ref());
    let was = |name: &str| old.and_then(|old| old.iter().find(|part| &*part.name == name));
    let mut parts: Vec<Part> = Vec::new();
    for part in &seen.request.parts {
        let before = was(&part.name);
        let same = before.is_some_and(|before| before.digest == part.digest);
        parts.push(Part {
            name: part.name.to_string(),
            digest: hex(part.digest),
            before: before.filter(|_| !same).and_then(|before| hex(before.digest)),
            changed: old.map(|_| !same),
        });
    }
    for part in old.into_iter().flatten() {
        if !seen.request.parts.iter().any(|now| now.name == part.name) {
            let (name, before) = (part.name.to_string(), hex(part.digest));
            parts.push(Part { name, digest: None, before, changed: Some(true) });
        }
    }
    let provenance = seen.answer.as_ref().and_then(|answer| answer.provenance.as_ref());
    Some(Asked {
        agent,
        key: seen.request.key.hex(),
        before: seen.before.as_ref().map(|(key, _)| key.hex()),
        parts,
        model: provenance.map(|from| from.model.clone()).filter(|model| !model.is_empty()),
        tokens: provenance.map(|from| from.prompt_tokens + from.reply_tokens).filter(|tokens| *tokens > 0),
        score: seen.answer.as_ref().and_then(|answer| answer.score).map(|score| (score * 1000.0).round() as u32),
        gates: seen.gates.into_iter().map(|(gate, receipt)| (gate, receipt.hex())).collect(),
    })
}

/// Is a cause about something that an artifact reads?
fn concerns(cause: &Cause, path: &str, trace: &[Read]) -> bool {
    match cause {
        Cause::File { path, .. } => trace.iter().any(|read| read.key.file().is_some_and(|file| **file == **path)),
        Cause::Setting { name, .. } => trace.iter().any(|read| asks(&read.key, name)),
        Cause::Output { path: output } => output == path,
        Cause::Cold => true,
    }
}

/// Does a key read a setting?
fn asks(key: &ReadKey, setting: &str) -> bool {
    match key {
        ReadKey::Generator(_) => {
            let few = Setting::External.name();
            (setting.starts_with("python.") && !setting.starts_with(few)) || setting == "project.refs"
        }
        ReadKey::Setting(read, _) => setting.starts_with(read.name()),
        ReadKey::Agent(target) => setting.starts_with("agent.") || *setting == format!("what `{target}` is"),
        _ => false,
    }
}

/// What changed after the artifact was made, in what it reads, without reaching it.
fn cut_off(session: &Session, log: &[Revision], since: &Since, path: &str, trace: &[Read]) -> Vec<CutOff> {
    let later = log.iter().filter(|revision| revision.revision > since.revision);
    let mut all: Vec<(u64, &Cause)> =
        later.flat_map(|revision| revision.causes.iter().map(|cause| (revision.revision, cause))).collect();
    if session.revision > since.revision && !log.iter().any(|revision| revision.revision == session.revision) {
        all.extend(session.causes.list.iter().map(|cause| (session.revision, cause)));
    }
    let mut found = Vec::new();
    for (revision, cause) in all {
        let about = |read: &&Read| match cause {
            Cause::File { path, .. } => read.key.file().is_some_and(|file| **file == **path),
            Cause::Setting { name, .. } => asks(&read.key, name),
            Cause::Output { .. } | Cause::Cold => false,
        };
        if concerns(cause, path, trace) {
            let at: Vec<String> = trace.iter().filter(about).map(|read| words(&read.key)).collect();
            if !at.is_empty() {
                found.push(CutOff { revision, cause: cause.clone(), at });
            }
        }
    }
    found
}

fn reading(read: &Read, since: &Since, project: &Project) -> Reading {
    let hex = |digest: &Option<Digest>| digest.as_ref().map(Digest::hex);
    let broken = since.broken.iter().find(|(key, ..)| *key == read.key);
    let enters = match &read.key {
        ReadKey::Generator(name) => {
            let target = Target::ALL.into_iter().find(|target| target.name() == &**name);
            target.map(|target| project.enters(target)).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    Reading {
        what: words(&read.key),
        file: read.key.file().map(ToString::to_string),
        before: broken.and_then(|(_, then, _)| hex(then)),
        now: hex(&read.digest),
        held: broken.is_none(),
        enters,
    }
}

/// What a key is, for people.
fn words(key: &ReadKey) -> String {
    let view = |full: bool| if full { "with annotations" } else { "without annotations" };
    match key {
        ReadKey::Own(file, full) => format!("all schemas of {file} itself, {}", view(*full)),
        ReadKey::Node(file) => format!("what {file} says beside its types"),
        ReadKey::Findings(file) => format!("what was found while {file} was read"),
        ReadKey::Sound(file) => format!("whether {file} is free of errors"),
        ReadKey::File(file) => format!("whether there is a file {file}"),
        ReadKey::Schema(file, pointer, full) => format!("the schema {file}#{pointer}, {}", view(*full)),
        ReadKey::Name(file, pointer, false) => format!("the name of {file}#{pointer}"),
        ReadKey::Name(file, pointer, true) => format!("the name, types and tags of {file}#{pointer}"),
        ReadKey::Forward(file, pointer) => format!("where {file}#{pointer} leads, which is only a reference"),
        ReadKey::Form(file, pointer) => {
            format!("whether {file}#{} differs where it is sent", pointer.trim_end_matches("~write"))
        }
        ReadKey::Scopes(file) => format!("the dynamic anchors of {file}"),
        ReadKey::Reach(file) => format!("what {file} leads to, and the dynamic anchors that it looks up"),
        ReadKey::Dialect(file) => format!("what {file} says about the dialect of those whose metaschema it is"),
        ReadKey::Id(uri) => format!("which schema has the $id {uri}"),
        ReadKey::Anchor(file, pointer, name) => format!("where the anchor {name} of {file}#{pointer} leads"),
        ReadKey::Document(file) => format!("the document {file}"),
        ReadKey::Bytes(file) => format!("the bytes of {file}"),
        ReadKey::Generator(name) => format!("the generator of {name}, and the settings that it reads"),
        ReadKey::Artifact(file, target) => format!("the artifact {target} of {file}"),
        ReadKey::Agent(target) => format!("the agent of {target}: its command, its files, its variables"),
        ReadKey::Patterns(file, _) => format!("which examples are most like {file}"),
        ReadKey::Setting(setting, about) => match setting {
            Setting::DuplicateKeys => format!("the setting {}", setting.name()),
            Setting::Dialects => format!("what {} says of {about}", setting.name()),
            Setting::External => {
                format!("what {} says of {}", setting.name(), about.trim_start_matches(':').replace(':', "."))
            }
        },
        ReadKey::Like(_, _, text) => {
            format!("which examples are most like a text of {} characters", text.chars().count())
        }
    }
}

impl Explanation {
    /// For people.
    pub fn text(&self) -> String {
        let Explanation {
            path,
            contract,
            target,
            state,
            digest,
            before,
            revision,
            time,
            causes,
            reads,
            cut_off,
            asked,
        } = self;
        let mut out = match (&**target, &**contract) {
            ("", "") => format!("{path}: once an output\n"),
            ("", contract) => format!("{path}: once made of {contract}\n"),
            (target, "") => format!("{path}: {target} of the project\n"),
            (target, contract) => format!("{path}: {target} of {contract}\n"),
        };
        let made = match (time, revision) {
            (Some(time), revision) => format!("made in revision {revision}, {time}"),
            (None, 0) => "made in a revision that is no longer known".to_owned(),
            (None, revision) => format!("made in revision {revision}, which is no longer in the log"),
        };
        let line = match state {
            Standing::UpToDate if contract.is_empty() => "up to date: it makes its folder a package".to_owned(),
            Standing::UpToDate => format!("up to date: {made}"),
            Standing::Missing if before.is_none() => "missing: the next build makes it".to_owned(),
            Standing::Missing => "missing: the next build puts it back".to_owned(),
            Standing::Stale => "stale: the next build replaces it".to_owned(),
            Standing::Held => "held back: what it is made of has errors (omnigen check)".to_owned(),
            Standing::Edited => "edited by hand: it is kept as it is, unless --force is given".to_owned(),
            Standing::Unanswered => "unanswered: an agent has to be asked".to_owned(),
            Standing::Blocked => "blocked: a file that omnigen did not make is in its place; move it away".to_owned(),
            Standing::Orphaned => "orphaned: no contract makes it any more, and the next build removes it".to_owned(),
            Standing::Kept => {
                "kept: no contract makes it any more, but it was edited by hand; --force removes it".to_owned()
            }
            Standing::Removed => format!("removed: no contract made it any more; {}", made.replace("made in", "in")),
        };
        out.push_str(&format!("  {line}\n"));
        if !causes.is_empty() {
            out.push_str("  because of what had changed:\n");
            causes.iter().for_each(|cause| out.push_str(&cause.text(4)));
        }
        let (broken, held): (Vec<&Reading>, Vec<&Reading>) = reads.iter().partition(|read| !read.held);
        if !broken.is_empty() {
            out.push_str("  of what it reads, these gave something else than before:\n");
            for read in broken {
                out.push_str(&format!("    {}  {}\n", read.what, arrow(&read.before, &read.now)));
                out.push_str(&entering(read));
            }
        }
        if !held.is_empty() {
            let word = if causes.is_empty() && before.is_none() { "it reads" } else { "and these still held" };
            out.push_str(&format!("  {word} ({}):\n", held.len()));
            for read in held.iter().take(LISTED) {
                let now = read.now.as_deref().and_then(|digest| digest.get(..12)).unwrap_or("absent");
                out.push_str(&format!("    {}  {now}\n", read.what));
                out.push_str(&entering(read));
            }
            if held.len() > LISTED {
                out.push_str(&format!("    and {} more\n", held.len() - LISTED));
            }
        }
        out.push_str(&match (before, digest) {
            (Some(before), Some(now)) if before == now => format!("  the bytes stayed the same: {}\n", &now[..12]),
            (before, now) => format!("  bytes: {}\n", arrow(before, now)),
        });
        if !cut_off.is_empty() {
            out.push_str("  changed since, and cut off before it:\n");
            for CutOff { revision, cause, at } in cut_off {
                out.push_str(&cause.text(4));
                out.push_str(&format!("      in revision {revision}; the same as before gave: {}\n", at.join("; ")));
            }
        }
        if let Some(asked) = asked {
            out.push_str(&asked.text());
        }
        out
    }
}

impl Asked {
    /// For people.
    fn text(&self) -> String {
        let Asked { agent, key, before, parts, model, tokens, score, gates } = self;
        let mut out = format!("  asked of `{agent}`: key {}", &key[..12]);
        if let Some(before) = before {
            out.push_str(&format!(", before it {}", &before[..12]));
        }
        out.push_str(", made of (* another than before):\n");
        for Part { name, digest, before, changed } in parts {
            let star = if *changed == Some(true) { '*' } else { ' ' };
            let short = |digest: &Option<String>| {
                digest.as_deref().and_then(|hex| hex.get(..12)).unwrap_or("absent").to_owned()
            };
            let value = if *changed == Some(true) { arrow(before, digest) } else { short(digest) };
            out.push_str(&format!("  {star} {name}  {value}\n"));
        }
        let mut answer: Vec<String> = Vec::new();
        answer.extend(model.as_ref().map(|model| format!("model {model}")));
        answer.extend(tokens.map(|tokens| format!("{tokens} tokens")));
        answer.extend(score.map(|score| format!("score {:.2}", f64::from(score) / 1000.0)));
        answer.extend(gates.iter().map(|(gate, _)| format!("gate `{gate}` passed")));
        if !answer.is_empty() {
            out.push_str(&format!("  its answer: {}\n", answer.join(", ")));
        }
        out
    }
}

fn entering(read: &Reading) -> String {
    read.enters.iter().map(|(name, value)| format!("      {name} = {value}\n")).collect()
}
