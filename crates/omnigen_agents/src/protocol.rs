//! Protocol version 1: the lines between engine and agent.
//!
//! Every line is one JSON object in UTF-8, ended by a line feed. Lines of the agent have a member `type`; members that
//! are not listed are refused, those with a `?` may be left out.
//!
//! | agent → engine | members | meaning |
//! |---|---|---|
//! | `initialized` | | ready; at most once |
//! | `progress` | `done?`, `total?` (counts), `text?` | still at work; at least one of them |
//! | `need` | `target`, `contract?` | artifacts of another target, for this contract or another one |
//! | `need` | `contract` | another contract |
//! | `need` | `file` | a project file |
//! | `need` | `pattern` | the target's examples that are most like this text |
//! | `message` | `to` (names), `kind`, `data` | for other agents |
//! | `artifact` | `path`, and one of `text`, `base64` | a file of the answer; each path once |
//! | `completed` | `score?` (0 to 1), `summary?` | the answer is whole; nothing may follow |
//! | `failed` | `class`, `text`, `span?` {`path`, `line`, `column?`} | there is no answer; nothing may follow |
//!
//! | engine → agent | when |
//! |---|---|
//! | `{"protocol":1,"task":{"id","target","contract","outputs"},"context":{…},"feedback"?}` | first, once; `contract` is `null` for a task over the project; `feedback` {`artifacts`, `gates`}: an earlier answer, and what kept it from being placed |
//! | `{"artifact":…}` | the answer to a need; answers come in the order of the needs |
//! | `{"absent":{…}}` | what was needed does not exist; the need is repeated |
//! | `{"cancel":true}` | the answer is no longer wanted; exit soon |
//!
//! Standard input stays open until the agent is done, is told to cancel, or exits. The agent ends by `completed` or
//! `failed`, then exits with status 0.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::paths::check_path;
use crate::redact::quote;
use crate::task::{Task, canonical_json};

/// The version of the protocol that is spoken here.
pub const PROTOCOL: u64 = 1;

/// Something an agent asks for while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Need {
    /// Artifacts of another target.
    Target {
        /// The target's name.
        target: String,
        /// For this contract (a project path); `None` for the task's own.
        contract: Option<String>,
    },
    /// Another contract, by its project path.
    Contract {
        /// A safe relative path.
        contract: String,
    },
    /// A project file.
    File {
        /// A safe relative path.
        file: String,
    },
    /// The target's examples that are most like a text.
    Pattern {
        /// What they should be like.
        pattern: String,
    },
}

impl Need {
    /// As the agent wrote it, without `type`.
    fn to_json(&self) -> Value {
        match self {
            Need::Target { target, contract: None } => json!({ "target": target }),
            Need::Target { target, contract: Some(contract) } => json!({ "target": target, "contract": contract }),
            Need::Contract { contract } => json!({ "contract": contract }),
            Need::File { file } => json!({ "file": file }),
            Need::Pattern { pattern } => json!({ "pattern": pattern }),
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Target { target, contract: None } => write!(f, "target `{target}`"),
            Need::Target { target, contract: Some(contract) } => write!(f, "target `{target}` of `{contract}`"),
            Need::Contract { contract } => write!(f, "contract `{contract}`"),
            Need::File { file } => write!(f, "file `{file}`"),
            Need::Pattern { pattern } => write!(f, "examples like `{}`", quote(pattern, 60)),
        }
    }
}

/// A place in a file, as an agent names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The file, as the agent calls it. For display.
    pub path: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    #[serde(default)]
    pub column: Option<u64>,
}

/// A line of an agent, checked for its form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AgentLine {
    Initialized,
    Progress { done: Option<u64>, total: Option<u64>, text: Option<String> },
    Need(Need),
    Message { to: Vec<String>, kind: String, data: Value },
    Artifact { path: String, bytes: Vec<u8> },
    Completed { score: Option<f64>, summary: Option<String> },
    Failed { class: String, text: String, span: Option<Span> },
}

/// The lines as they are spelled.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum Spelled {
    Initialized {},
    Progress { done: Option<u64>, total: Option<u64>, text: Option<String> },
    Need { target: Option<String>, contract: Option<String>, file: Option<String>, pattern: Option<String> },
    Message { to: Vec<String>, kind: String, data: Value },
    Artifact { path: String, text: Option<String>, base64: Option<String> },
    Completed { score: Option<f64>, summary: Option<String> },
    Failed { class: String, text: String, span: Option<Span> },
}

/// Reads a line, without its line feed. The error says what is wrong with it, and quotes only short parts of it.
pub(crate) fn parse(line: &[u8]) -> Result<AgentLine, String> {
    let text = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8".to_string())?;
    // In two steps, so that the two errors can be told apart.
    let value: Value = serde_json::from_str(text).map_err(|_| "the line is not JSON".to_string())?;
    if !value.is_object() {
        return Err("the line is not a JSON object".into());
    }
    // From the text again: a `Value` has already lost that a member occurred twice.
    let spelled: Spelled = serde_json::from_str(text).map_err(|error| {
        let text = error.to_string();
        text.rsplit_once(" at line ").map_or(text.clone(), |(text, _)| text.to_string())
    })?;
    Ok(match spelled {
        Spelled::Initialized {} => AgentLine::Initialized,
        Spelled::Progress { done: None, total: None, text: None } => {
            return Err("`progress` needs one of `done`, `total`, `text`".into());
        }
        Spelled::Progress { done, total, text } => AgentLine::Progress { done, total, text },
        Spelled::Need { target, contract, file, pattern } => AgentLine::Need(need(target, contract, file, pattern)?),
        Spelled::Message { to, kind, data } => {
            if to.is_empty() || to.iter().any(String::is_empty) || kind.is_empty() {
                return Err("`message` needs a receiver in `to` and a `kind`".into());
            }
            AgentLine::Message { to, kind, data }
        }
        Spelled::Artifact { path, text: Some(text), base64: None } => {
            AgentLine::Artifact { path, bytes: text.into_bytes() }
        }
        Spelled::Artifact { path, text: None, base64: Some(base64) } => {
            let bytes = data_encoding::BASE64.decode(base64.as_bytes());
            AgentLine::Artifact { path, bytes: bytes.map_err(|error| format!("`base64` is damaged: {error}"))? }
        }
        Spelled::Artifact { path: _, text: _, base64: _ } => {
            return Err("`artifact` needs either `text` or `base64`".into());
        }
        Spelled::Completed { score, summary } => {
            if score.is_some_and(|score| !(0.0..=1.0).contains(&score)) {
                return Err("`score` is not between 0 and 1".into());
            }
            AgentLine::Completed { score, summary }
        }
        Spelled::Failed { class, text, span } => {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if class.is_empty() || class.len() > 64 || !class.chars().all(plain) {
                return Err("`class` is not a word of small letters, digits and `-`".into());
            }
            AgentLine::Failed { class, text, span }
        }
    })
}

fn need(
    target: Option<String>,
    contract: Option<String>,
    file: Option<String>,
    pattern: Option<String>,
) -> Result<Need, String> {
    for path in contract.iter().chain(&file) {
        check_path(path).map_err(|bad| format!("`need`: {bad}"))?;
    }
    match (target, contract, file, pattern) {
        (Some(target), contract, None, None) if !target.is_empty() => Ok(Need::Target { target, contract }),
        (None, Some(contract), None, None) => Ok(Need::Contract { contract }),
        (None, None, Some(file), None) => Ok(Need::File { file }),
        (None, None, None, Some(pattern)) if !pattern.is_empty() => Ok(Need::Pattern { pattern }),
        _ => {
            Err("`need` needs a `target` (with or without a `contract`), a `contract`, a `file` or a `pattern`".into())
        }
    }
}

/// The first line to the agent.
pub(crate) fn task_line(task: &Task) -> String {
    let outputs: Vec<&str> = task.outputs.iter().map(|output| output.as_str()).collect();
    let about = json!({ "id": task.id, "target": task.target, "contract": task.contract, "outputs": outputs });
    // By hand: `protocol` comes first, so that an agent can look at it before it reads on.
    let feedback = task.feedback.as_ref().map(|told| format!(",\"feedback\":{}", canonical_json(told)));
    format!(
        "{{\"protocol\":{PROTOCOL},\"task\":{},\"context\":{}{}}}\n",
        canonical_json(&about),
        canonical_json(&task.context),
        feedback.unwrap_or_default()
    )
}

/// The answer to a need.
pub(crate) fn artifact_line(value: &Value) -> String {
    format!("{{\"artifact\":{}}}\n", canonical_json(value))
}

/// The answer to a need that cannot be met.
pub(crate) fn absent_line(need: &Need) -> String {
    format!("{{\"absent\":{}}}\n", canonical_json(&need.to_json()))
}

/// Tells the agent to stop.
pub(crate) const CANCEL_LINE: &str = "{\"cancel\":true}\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_line_is_taken_or_refused_in_words() {
        const LINES: [&str; 3] = [
            r#"{"type":"completed","protocol":1,"artifacts":[{"path":"docs/a.md","text":"é\u0000"}],"needs":[]}"#,
            r#"{"type":"need","kind":"artifact","target":"models","contract":"contracts/a.json"}"#,
            r#"{"type":"progress","done":18446744073709551616,"total":-1,"text":null}"#,
        ];
        let mut random = 7u64;
        let mut below = |limit: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % limit.max(1)
        };
        for _ in 0..3_000 {
            let mut line = LINES[below(3)].as_bytes().to_vec();
            for _ in 0..=below(3) {
                let at = below(line.len());
                match below(4) {
                    0 => line[at] ^= 1 << below(8),
                    1 => line.truncate(at.max(1)),
                    2 => drop(line.splice(at..at, b"[".repeat(below(400)))),
                    _ => drop(line.splice(at..at, LINES[below(3)].bytes().skip(at).take(30))),
                }
            }
            let read = parse(&line);
            assert!(read.is_ok() || read.is_err_and(|why| !why.is_empty()));
        }
    }
}
