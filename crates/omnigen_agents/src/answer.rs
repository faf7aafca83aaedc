//! What an agent answered, and how it is stored.

use std::fmt;

use omnigen_ir::{Digest, Encoder, View};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::Need;
use crate::task::canonical_json;

/// The answer to a task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Paths and contents, sorted by path, each path once. The paths are safe ([`omnigen_disk::safe`]) and match one of
    /// the task's outputs.
    pub artifacts: Vec<(String, Vec<u8>)>,
    /// What it asked for while it ran, in that order, with the digest of what it got ([`crate::NeedReply`]), or `None`
    /// if that did not exist.
    pub needs: Vec<(Need, Option<Digest>)>,
    /// What it said to other agents, in that order.
    pub messages: Vec<Message>,
    /// Its own opinion of the answer, from 0 to 1.
    pub score: Option<f64>,
    /// Its own words about the answer. For display.
    pub summary: Option<String>,
    /// Where it is from; an answer that is replayed from the lock does not tell. For display; not part of the digest.
    pub provenance: Option<Provenance>,
}

/// Where an answer is from, and what it cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The agent's name.
    pub agent: String,
    /// The model's name; empty for a command.
    pub model: String,
    /// Tokens of the prompt; 0 if the server did not tell.
    pub prompt_tokens: u64,
    /// Tokens of the reply; 0 if the server did not tell.
    pub reply_tokens: u64,
    /// How long the call took.
    pub millis: u64,
}

/// A message to other agents.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Names of agents, not empty.
    pub to: Vec<String>,
    /// What kind of message, in words that sender and receivers know.
    pub kind: String,
    /// Anything.
    pub data: Value,
}

impl Message {
    /// The data as canonical JSON.
    pub fn canonical(&self) -> String {
        canonical_json(&self.data)
    }

    /// The digest of what it says, whoever it is for.
    ///
    /// Encoding ([`Encoder`]): domain `omnigen message 1`; kind (string); data (string of canonical JSON).
    pub fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("omnigen message 1", View::Full);
        encoder.str(&self.kind);
        encoder.str(&self.canonical());
        encoder.finish()
    }
}

/// Why stored bytes are not an answer: damaged, or of another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerError;

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a stored answer of this version")
    }
}

impl std::error::Error for AnswerError {}

/// The first bytes of a stored answer; the last one is the version of what follows.
const MAGIC: &[u8; 8] = b"omniansw";
const VERSION: u8 = 2;

/// An answer as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    artifacts: Vec<(String, Vec<u8>)>,
    needs: Vec<(Need, Option<Digest>)>,
    /// Receivers, kind, data as canonical JSON.
    messages: Vec<(Vec<String>, String, String)>,
    /// The bits of the number.
    score: Option<u64>,
    summary: Option<String>,
    provenance: Option<Provenance>,
}

impl Answer {
    /// The stored form: 8 bytes `omniansw`, one byte for the version, the parts in postcard's encoding. Equal answers
    /// give equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        let Answer { artifacts, needs, messages, score, summary, provenance } = self.clone();
        let messages = messages.into_iter().map(|it| (it.to, it.kind, canonical_json(&it.data))).collect();
        let stored = Stored { artifacts, needs, messages, score: score.map(f64::to_bits), summary, provenance };
        let mut out = MAGIC.to_vec();
        out.push(VERSION);
        // Writing plain data into a vector has nothing to fail on; an empty body would be refused by `decode`.
        out.extend(postcard::to_stdvec(&stored).unwrap_or_default());
        out
    }

    /// An answer from its stored form.
    ///
    /// # Errors
    /// If the bytes are damaged or of another version: then they are as good as not there.
    pub fn decode(bytes: &[u8]) -> Result<Answer, AnswerError> {
        let body = bytes.strip_prefix(MAGIC).and_then(|rest| rest.strip_prefix(&[VERSION])).ok_or(AnswerError)?;
        let (stored, rest): (Stored, &[u8]) = postcard::take_from_bytes(body).map_err(|_| AnswerError)?;
        if !rest.is_empty() {
            return Err(AnswerError);
        }
        let Stored { artifacts, needs, messages, score, summary, provenance } = stored;
        let messages = messages
            .into_iter()
            .map(|(to, kind, data)| Ok(Message { to, kind, data: serde_json::from_str(&data)? }))
            .collect::<Result<_, serde_json::Error>>()
            .map_err(|_| AnswerError)?;
        Ok(Answer { artifacts, needs, messages, score: score.map(f64::from_bits), summary, provenance })
    }

    /// The digest of the whole answer.
    ///
    /// Encoding ([`Encoder`]): domain `omnigen answer 1`; artifacts (list of string, digest of the bytes); needs (list
    /// of variant and its strings, option of digest); messages (list of list of strings, string, string of canonical
    /// JSON); score (option of the number's bits, an integer); summary (option of string).
    pub fn digest(&self) -> Digest {
        let Answer { artifacts, needs, messages, score, summary, provenance: _ } = self;
        let mut to = Encoder::new("omnigen answer 1", View::Full);
        to.int(artifacts.len() as u64);
        for (path, bytes) in artifacts {
            to.str(path);
            to.digest(&Digest::of(bytes));
        }
        to.int(needs.len() as u64);
        for (need, digest) in needs {
            match need {
                Need::Target { target, contract } => {
                    to.byte(0);
                    to.str(target);
                    to.part(contract);
                }
                Need::Contract { contract } => {
                    to.byte(1);
                    to.str(contract);
                }
                Need::File { file } => {
                    to.byte(2);
                    to.str(file);
                }
                Need::Pattern { pattern } => {
                    to.byte(3);
                    to.str(pattern);
                }
            }
            to.part(digest);
        }
        to.int(messages.len() as u64);
        for Message { to: receivers, kind, data } in messages {
            to.part(receivers);
            to.str(kind);
            to.str(&canonical_json(data));
        }
        to.part(&score.map(f64::to_bits));
        to.part(summary);
        to.finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer() -> Answer {
        Answer {
            artifacts: vec![("docs/a.md".into(), b"# A\n".to_vec()), ("docs/b.bin".into(), vec![0, 255])],
            needs: vec![
                (Need::Target { target: "models".into(), contract: None }, Some(Digest::of(b"x"))),
                (Need::File { file: "docs/STYLE.md".into() }, None),
            ],
            messages: vec![Message {
                to: vec!["other".into()],
                kind: "note".into(),
                data: json!({"b": 1.5, "a": [null]}),
            }],
            score: Some(0.75),
            summary: Some("fine".into()),
            provenance: None,
        }
    }

    #[test]
    fn stored_and_read_back() {
        let bytes = answer().encode();
        assert_eq!(Answer::decode(&bytes), Ok(answer()));
        assert_eq!(Answer::decode(&bytes).map(|it| it.encode()), Ok(bytes));
    }

    #[test]
    fn damage_is_told() {
        let bytes = answer().encode();
        for end in 0..bytes.len() {
            assert_eq!(Answer::decode(&bytes[..end]), Err(AnswerError), "{end} bytes");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(Answer::decode(&longer), Err(AnswerError));
        let mut newer = bytes;
        newer[8] = VERSION + 1;
        assert_eq!(Answer::decode(&newer), Err(AnswerError));
    }

    #[test]
    fn every_part_counts() {
        let mut digests = vec![answer().digest()];
        let changes: [fn(&mut Answer); 9] = [
            |it| it.artifacts[0].1.push(b'x'),
            |it| it.artifacts[0].0 = "docs/c.md".into(),
            |it| it.needs.swap(0, 1),
            |it| it.needs[1].1 = Some(Digest::of(b"")),
            |it| it.needs[0].0 = Need::Target { target: "models".into(), contract: Some(String::new()) },
            |it| it.messages[0].data = json!({}),
            |it| it.score = None,
            |it| it.summary = None,
            |it| it.summary = Some(String::new()),
        ];
        for change in changes {
            let mut changed = answer();
            change(&mut changed);
            digests.push(changed.digest());
        }
        let count = digests.len();
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), count);
    }
}
