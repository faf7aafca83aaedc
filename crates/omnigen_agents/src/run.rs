//! Runs an agent for one task, from its start to its certain end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use omnigen_ir::{Digest, Encoder, View};
use serde_json::{Value, json};

use crate::answer::{Answer, Provenance};
use crate::failure::{Failure, FailureClass};
use crate::live::Live;
use crate::process::Process;
use crate::protocol::Need;
use crate::redact::{Secrets, given_away};
use crate::sandbox::Walls;
use crate::scratch::Room;
use crate::task::{AgentSpec, Environment, Task, canonical_json};

/// What a need is answered with.
#[derive(Clone, Debug, PartialEq)]
pub enum NeedReply {
    /// What the agent gets, and the digest under which that is recorded.
    Artifact {
        /// As [`NeedReply::files`] or [`NeedReply::value`] make it.
        value: Value,
        /// Must change whenever the value does.
        digest: Digest,
    },
    /// It does not exist. The agent may go on without it.
    Absent,
    /// It exists and cannot be had (it failed, or waits for this very task): the run ends. The text says why.
    Impossible(String),
}

impl NeedReply {
    /// Files, in this order, as `{"files":[{"path":…,"text":…}]}`; `base64` in place of `text` where a file is not
    /// UTF-8. The digest is [`NeedReply::files_digest`].
    pub fn files(files: &[(String, Vec<u8>)]) -> NeedReply {
        let digests: Vec<_> = files.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes))).collect();
        let files: Vec<Value> = files
            .iter()
            .map(|(path, bytes)| match std::str::from_utf8(bytes) {
                Ok(text) => json!({ "path": path, "text": text }),
                Err(_) => json!({ "path": path, "base64": data_encoding::BASE64.encode(bytes) }),
            })
            .collect();
        NeedReply::Artifact { value: json!({ "files": files }), digest: NeedReply::files_digest(&digests) }
    }

    /// The digest of [`NeedReply::files`], from the digests of the files' bytes.
    ///
    /// Encoding ([`Encoder`]): domain `omnigen need files 1`; list of path (string), digest.
    pub fn files_digest(files: &[(String, Digest)]) -> Digest {
        let mut to = Encoder::new("omnigen need files 1", View::Full);
        to.part(&files.to_vec());
        to.finish()
    }

    /// Any JSON. The digest is [`NeedReply::value_digest`].
    pub fn value(value: Value) -> NeedReply {
        let digest = NeedReply::value_digest(&value);
        NeedReply::Artifact { value, digest }
    }

    /// The digest of [`NeedReply::value`].
    ///
    /// Encoding ([`Encoder`]): domain `omnigen need value 1`; string, as [`canonical_json`] writes it.
    pub fn value_digest(value: &Value) -> Digest {
        let mut to = Encoder::new("omnigen need value 1", View::Full);
        to.str(&canonical_json(value));
        to.finish()
    }
}

/// What happens while an agent runs. Texts are cut, escaped and without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentEvent {
    /// Its process runs.
    Started,
    /// It says that it is ready.
    Initialized,
    /// It says how far it is.
    Progress {
        /// How much is done.
        done: Option<u64>,
        /// Of how much.
        total: Option<u64>,
        /// In words.
        text: Option<String>,
    },
    /// It waits for a need; its clock stands still.
    Waiting(String),
    /// The need is answered.
    Resumed(String),
    /// It sent a message.
    Message {
        /// The receivers.
        to: Vec<String>,
        /// The kind of message.
        kind: String,
    },
    /// It gave an artifact.
    Artifact {
        /// The path.
        path: String,
        /// Its size in bytes.
        bytes: u64,
    },
    /// It said its last word, `completed` or `failed`; it may still break the protocol or crash.
    Completed,
}

/// Runs an agent for one task and waits for its end. When this returns, the agent's process group is gone.
///
/// `answer_need` is called for each need in turn, on this thread; the agent's clock stands still meanwhile, and `cancelled`
/// is looked at right after. `cancelled` is otherwise looked at about every 25 ms.
///
/// # Errors
/// Whenever there is no whole answer. The text says why.
pub fn run(
    spec: &AgentSpec,
    environment: &Environment,
    task: &Task,
    answer_need: &mut dyn FnMut(&Need) -> NeedReply,
    cancelled: &AtomicBool,
    on_event: &mut dyn FnMut(AgentEvent),
) -> Result<Answer, Failure> {
    let (secrets, started) = (Secrets::of(environment), Instant::now());
    let failure = |class, text: &str| Failure {
        class,
        text: secrets.redact(text),
        span: None,
        stderr: String::new(),
        retry_after: None,
    };
    if cancelled.load(Ordering::Relaxed) {
        return Err(failure(FailureClass::Cancelled, "cancelled before it started"));
    }
    let room = Room::make(task).map_err(|text| failure(FailureClass::Start, &text))?;
    let program = room.program(spec, environment).map_err(|text| failure(FailureClass::Start, &text))?;
    let walls = spec.sandbox.then(|| Walls {
        scratch: room.path().to_path_buf(),
        program: program.clone(),
        read: spec.read.clone(),
        network: spec.network,
    });
    let process = Process::start(&program, &spec.command[1..], &environment.values, room.path(), walls.as_ref())
        .map_err(|error| failure(FailureClass::Start, &format!("cannot start `{}`: {error}", spec.command[0])))?;
    let answer = Live::new(spec, task, &secrets, process).run(answer_need, cancelled, on_event)?;
    if let Some((name, place)) = given_away(environment, &answer) {
        let text = format!("{place} holds the value of the variable `{name}`, which is a secret by its name");
        return Err(failure(FailureClass::Reported("secret".to_owned()), &text));
    }
    let millis = started.elapsed().as_millis() as u64;
    let provenance = Provenance { agent: spec.name.clone(), millis, ..Provenance::default() };
    let summary = answer.summary.map(|summary| secrets.redact(&summary));
    Ok(Answer { summary, provenance: Some(provenance), ..answer })
}
