//! Answers on their way through their gates: what has been judged already, the batch for the rest, and what becomes of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use omnigen_agents::Answer;
use omnigen_engine::{Read, ReadKey};
use omnigen_ir::{Digest, FileId};
use omnigen_report::{At, Code, Diagnostic};
use serde_json::json;

use super::flight::Mail;
use super::gates::{self, Gate, Subject, Verdict};
use super::known::Call;
use super::lock;
use crate::session::Session;

/// Where answers lie that did not pass, below the state folder: for looking at, never placed.
const REJECTED: &str = "rejected";
/// So many findings of one answer are told.
const TOLD: usize = 10;

/// An answer that waits for its gates.
pub(super) struct Unjudged {
    pub(super) call: Call,
    pub(super) answer: Answer,
    /// An agent has just given it.
    pub(super) fresh: bool,
}

/// An answer with its gates.
pub(crate) struct Judging {
    pub(super) call: Call,
    pub(super) answer: Answer,
    /// What it will show once it has passed: gate and receipt.
    pub(super) receipts: Vec<(String, Digest)>,
    /// What gates read beside it.
    pub(super) reads: Vec<Read>,
    subject: Subject,
    /// Each gate with the key of its verdict and, once it is there, the verdict.
    gates: Vec<(Arc<Gate>, Digest, Option<Verdict>)>,
}

/// Answers with their gates.
pub(super) type Subjects = Vec<Judging>;

/// What gates have said of a batch.
pub(crate) struct Judged {
    subjects: Subjects,
    /// A gate could not do its work.
    trouble: Option<String>,
}

/// How an answer stands with its gates.
pub(super) enum Standing {
    /// It has passed, or all verdicts are known.
    Known(Box<Judging>, bool),
    /// Some verdict has to be made.
    Open(Box<Judging>),
    /// It imports what another answer is still to bring.
    Blocked(Box<Unjudged>),
}

/// The gates of a call, in the target's order.
fn gates(session: &Session, call: &Call) -> Vec<Arc<Gate>> {
    let names = session.agents.worker(&call.target).map(|worker| worker.gates.clone()).unwrap_or_default();
    names.iter().filter_map(|name| session.agents.gates.get(name).cloned()).collect()
}

/// Do its answers have to pass gates?
pub(super) fn gated(session: &Session, call: &Call) -> bool {
    session.agents.worker(&call.target).is_some_and(|worker| !worker.gates.is_empty())
}

/// Does the lock, or the store, say that an answer has passed these gates?
fn passed(session: &Session, call: &Call, receipts: &[(String, Digest)]) -> bool {
    let key = call.request.key;
    let locked = session.agents.lock.of(&call.target, &call.file).iter();
    if locked.filter(|entry| entry.key == key).any(|entry| entry.gates == receipts) {
        return true;
    }
    session.agents.answers.decision(&lock::decision(key, receipts)).is_some()
}

/// Finds out how an answer stands. `coming` are paths, below the output folder, of what is still to be placed.
pub(super) fn standing(
    session: &mut Session,
    unjudged: Unjudged,
    coming: &dyn Fn(&str) -> bool,
) -> Result<Standing, String> {
    let gates = gates(session, &unjudged.call);
    let closure = match gates.iter().any(|gate| gate.is_wide()) {
        true => closure(session, &unjudged.answer)?,
        false => Closure::default(),
    };
    if closure.asked.iter().any(|path| coming(path)) {
        return Ok(Standing::Blocked(Box::new(unjudged)));
    }
    let Unjudged { call, answer, fresh } = unjudged;
    let subject = Subject { artifacts: answer.artifacts.clone(), closure: closure.files };
    let receipts: Vec<(String, Digest)> =
        gates.iter().map(|gate| (gate.config.name.clone(), gate.receipt(&subject))).collect();
    let passed = !fresh && passed(session, &call, &receipts);
    let mut judging = Judging { gates: Vec::new(), call, answer, receipts, subject, reads: closure.reads };
    if passed {
        return Ok(Standing::Known(Box::new(judging), true));
    }
    let mut open = false;
    for gate in gates {
        // Without its tools there is no key; judging it says why.
        let key = gate.key(&judging.subject).unwrap_or_else(|_| Digest::of(b""));
        let stored = session.agents.answers.verdict(&key);
        let verdict: Option<Verdict> = stored.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        open |= verdict.is_none();
        judging.gates.push((gate, key, verdict));
    }
    Ok(if open { Standing::Open(Box::new(judging)) } else { Standing::Known(Box::new(judging), false) })
}

/// What artifacts import of the project's own package, and what those import.
#[derive(Default)]
struct Closure {
    /// Below the output folder.
    files: Vec<(String, Vec<u8>)>,
    /// All paths that were looked for, also those where nothing was.
    asked: BTreeSet<String>,
    /// Those of them where nothing was, and nothing is going to be unless somebody writes it.
    absent: Vec<String>,
    /// The same as reads: an answer is judged again when one of them says something else.
    reads: Vec<Read>,
}

fn closure(session: &mut Session, answer: &Answer) -> Result<Closure, String> {
    let package = session.setup.out_name.rsplit('/').next().unwrap_or_default().to_owned();
    let own: BTreeSet<&str> = answer.artifacts.iter().map(|(path, _)| path.as_str()).collect();
    let mut closure = Closure::default();
    let mut queue: Vec<(String, Vec<u8>)> = answer.artifacts.clone();
    while let Some((path, bytes)) = queue.pop() {
        if !path.ends_with(".py") && !path.ends_with(".pyi") {
            continue;
        }
        for module in gates::imports(&path, &String::from_utf8_lossy(&bytes), &package) {
            for file in [format!("{module}.py"), format!("{module}/__init__.py")] {
                if own.contains(file.as_str()) || !closure.asked.insert(file.clone()) {
                    continue;
                }
                let Ok((bytes, _)) = omnigen_disk::files::read_bytes(&session.setup.out.join(&file)) else {
                    closure.absent.push(file);
                    continue;
                };
                // The mark of a package is not what it says.
                if file.ends_with("__init__.py") && omnigen_disk::mark::body(&bytes).is_some_and(|body| body.is_empty())
                {
                    continue;
                }
                queue.push((file.clone(), bytes.clone()));
                closure.files.push((file, bytes));
            }
        }
    }
    closure.files.sort();
    // Names that are imported from a module are none themselves, and a folder with outputs in it becomes a package by itself.
    let there: BTreeSet<&str> =
        closure.files.iter().map(|(path, _)| path.as_str()).chain(own.iter().copied()).collect();
    let within_module = |path: &str| {
        let mut above = path.match_indices('/').map(|(end, _)| format!("{}.py", &path[..end]));
        above.any(|module| there.contains(module.as_str()))
    };
    let out = session.setup.out.clone();
    let no_folder = |path: &str| {
        let folder = path.strip_suffix("/__init__.py");
        folder.is_none_or(|folder| omnigen_disk::stat(&out.join(folder)).is_ok_and(|stat| stat.is_none()))
    };
    let mut absent = std::mem::take(&mut closure.absent);
    absent.retain(|path| !within_module(path) && no_folder(path));
    let wrote: BTreeMap<Box<str>, (FileId, Box<str>)> = match closure.files.is_empty() {
        true => BTreeMap::new(),
        false => {
            let records = session.records.iter();
            let outputs = records.flat_map(|(file, record)| record.outputs.iter().map(move |output| (file, output)));
            let wanted = outputs.filter(|(_, output)| closure.asked.contains(&*output.path));
            wanted.map(|(file, output)| (output.path.clone(), (file.clone(), output.target.clone()))).collect()
        }
    };
    for (path, _) in &closure.files {
        let key = match wrote.get(path.as_str()) {
            Some((file, target)) => ReadKey::Artifact(file.clone(), target.clone()),
            None => ReadKey::Bytes(format!("{}/{path}", session.setup.out_name).as_str().into()),
        };
        if let ReadKey::Bytes(path) = &key {
            session.meta.beside.insert(path.to_string());
        }
        let digest = session.current(&key)?;
        closure.reads.push(Read { key, digest });
    }
    for path in absent {
        let path = format!("{}/{path}", session.setup.out_name);
        closure.reads.push(Read { key: ReadKey::Bytes(path.as_str().into()), digest: None });
        session.meta.beside.insert(path);
    }
    Ok(closure)
}

/// Judges elsewhere; what comes of it is mail. Each gate runs once over all that it has to judge.
pub(super) fn start(session: &mut Session, subjects: Subjects) {
    let (sender, out) = (session.flight.sender(), session.setup.out_name.clone());
    let work = move || {
        let mut subjects = subjects;
        let mut trouble = None;
        let mut names: Vec<Arc<Gate>> = Vec::new();
        for (gate, ..) in subjects.iter().flat_map(|subject| &subject.gates) {
            if !names.iter().any(|known| known.config.name == gate.config.name) {
                names.push(gate.clone());
            }
        }
        for gate in names {
            let open = |judging: &Judging| {
                let mut gates = judging.gates.iter();
                gates.any(|(own, _, verdict)| own.config.name == gate.config.name && verdict.is_none())
            };
            let batch: Vec<Subject> = subjects.iter().filter(|s| open(s)).map(|s| s.subject.clone()).collect();
            if batch.is_empty() {
                continue;
            }
            match gate.judge(&batch, &out) {
                Ok(verdicts) => {
                    let mut verdicts = verdicts.into_iter();
                    for judging in &mut subjects {
                        for (own, _, verdict) in &mut judging.gates {
                            if own.config.name == gate.config.name && verdict.is_none() {
                                *verdict = verdicts.next();
                            }
                        }
                    }
                }
                Err(why) => trouble = Some(format!("gate `{}`: {why}", gate.config.name)),
            }
        }
        let _gone = sender.send(Mail::Judged(Box::new(Judged { subjects, trouble })));
    };
    std::thread::spawn(work);
}

/// Stores verdicts. What could not be judged comes back with the reason.
pub(super) fn taken(session: &mut Session, judged: Judged) -> Result<Subjects, Vec<(Judging, Diagnostic)>> {
    let Judged { subjects, trouble } = judged;
    let made = subjects.iter().flat_map(|subject| &subject.gates);
    let made = made.filter_map(|(_, key, verdict)| Some((*key, postcard::to_stdvec(verdict.as_ref()?).ok()?)));
    // A key of nothing belongs to a gate without tools.
    let made: Vec<(Digest, Vec<u8>)> = made.filter(|(key, _)| *key != Digest::of(b"")).collect();
    session.agents.answers.put_verdicts(&made);
    match trouble {
        None => Ok(subjects),
        Some(why) => Err(subjects
            .into_iter()
            .map(|subject| {
                let at = At::file(&subject.call.file);
                let message = format!("`{}` cannot be judged: {why}", subject.call.target);
                let hint = "is the tool installed where omnigen runs?";
                (subject, Diagnostic::new(Code::GateFailed, at, message).hint(hint))
            })
            .collect()),
    }
}

/// What is to be said against an answer; nothing if it passes.
pub(super) fn objections(session: &mut Session, judging: &Judging) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    for (gate, _, verdict) in &judging.gates {
        let Some(verdict) = verdict else { continue };
        if verdict.score >= gate.config.threshold {
            continue;
        }
        let share = |share: u32| format!("{:.2}", f64::from(share) / 1000.0);
        let message = format!(
            "`{}` did not pass gate `{}`: it scores {}, and {} are wanted",
            judging.call.target,
            gate.config.name,
            share(verdict.score),
            share(gate.config.threshold)
        );
        let mut diagnostic = Diagnostic::new(Code::GateFailed, At::file(&judging.call.file), message);
        for finding in verdict.findings.iter().take(TOLD) {
            let bytes = judging.answer.artifacts.iter().find(|(path, _)| *path == finding.path).map(|(_, bytes)| bytes);
            let at = place(&rejected(&finding.path), bytes.map_or(&[], Vec::as_slice), finding.line, finding.column);
            diagnostic.related.push((at, format!("{}: {}", finding.check, finding.text)));
        }
        let more = verdict.findings.len().saturating_sub(TOLD);
        let more = if more > 0 { format!(" ({more} more findings)") } else { String::new() };
        said.push(diagnostic.hint(format!("the answer lies in {}{more}", rejected(""))));
    }
    if said.is_empty() {
        let chosen = judging.answer.digest();
        let decision = lock::decision(judging.call.request.key, &judging.receipts);
        // What was chosen, and what had been answered and found before that.
        let mut value = chosen.as_bytes().to_vec();
        for (answer, found) in judging.call.again.iter().flat_map(|again| &again.chain) {
            value.extend([answer.as_bytes().as_slice(), found.as_bytes()].concat());
        }
        session.agents.answers.put_decisions(&[(decision, value)]);
    }
    said
}

/// What gates have to say against an answer, for the agent that gave it: all findings, by gate.
pub(super) fn found(judging: &Judging) -> Vec<serde_json::Value> {
    let share = |score: u32| f64::from(score) / 1000.0;
    let verdicts = judging.gates.iter().filter_map(|(gate, _, verdict)| Some((gate, verdict.as_ref()?)));
    let failed = verdicts.filter(|(gate, verdict)| verdict.score < gate.config.threshold);
    let told = failed.map(|(gate, verdict)| {
        let findings: Vec<serde_json::Value> = verdict
            .findings
            .iter()
            .map(|it| {
                json!({ "path": it.path, "line": it.line, "column": it.column, "check": it.check, "text": it.text })
            })
            .collect();
        json!({
            "gate": gate.config.name, "score": share(verdict.score), "wanted": share(gate.config.threshold),
            "findings": findings,
        })
    });
    told.collect()
}

/// A path of a rejected artifact, from the root.
fn rejected(path: &str) -> String {
    format!(".omnigen/{REJECTED}/{path}")
}

/// A line and a column as a place in a file.
fn place(path: &str, bytes: &[u8], line: u32, column: u32) -> At {
    let file = FileId::from(path);
    let Some(above) = (line as usize).checked_sub(1) else { return At::file(&file) };
    let text = String::from_utf8_lossy(bytes);
    let start: usize = text.split_inclusive('\n').take(above).map(str::len).sum();
    let own = text[start.min(text.len())..].lines().next().unwrap_or_default();
    let before = (column as usize).saturating_sub(1);
    let within = own.char_indices().nth(before).map_or(own.len(), |(at, _)| at);
    At::span(&file, start + within, start + own.len().max(within))
}

/// Puts an answer that did not pass where it can be looked at.
pub(super) fn keep_rejected(session: &Session, answer: &Answer) {
    if session.manners.compare {
        return;
    }
    for (path, bytes) in &answer.artifacts {
        let path = session.setup.state.join(REJECTED).join(path);
        if let Err(error) = omnigen_disk::write_atomic(&path, bytes) {
            tracing::warn!("{}: {error}", path.display());
        }
    }
}

/// What lay there to be looked at has been put right.
pub(super) fn forget_rejected(session: &Session, answer: &Answer) {
    if session.manners.compare {
        return;
    }
    let paths: Vec<String> = answer.artifacts.iter().map(|(path, _)| path.clone()).collect();
    omnigen_disk::remove_files(&session.setup.state.join(REJECTED), &paths);
}
