//! The conversation with one agent: bytes in, steps out. Knows no process and no time.

use std::collections::{BTreeMap, BTreeSet};

use omnigen_ir::Digest;

use crate::answer::{Answer, Message};
use crate::paths::{check_path, folded};
use crate::protocol::{AgentLine, Need, Span, parse};
use crate::redact::{Secrets, quote};
use crate::run::AgentEvent;
use crate::task::{Limits, Task};

/// What a line of the agent asks of the engine.
pub(crate) enum Step {
    /// To pass on an event.
    Event(AgentEvent),
    /// To answer a need, by [`Conversation::answered`].
    Need(Need),
}

/// How the agent ended the conversation.
pub(crate) enum Ending {
    Completed { score: Option<f64>, summary: Option<String> },
    Failed { class: String, text: String, span: Option<Span> },
}

/// What was wrong, with the offending line; without secrets.
pub(crate) struct Violation(pub(crate) String);

/// Everything an agent has said so far.
pub(crate) struct Conversation<'a> {
    task: &'a Task,
    limits: &'a Limits,
    secrets: &'a Secrets,
    /// What was received and not yet parsed.
    buffer: Vec<u8>,
    /// Where in the buffer the next line starts.
    start: usize,
    /// Up to where in the buffer there is no line feed after `start`.
    searched: usize,
    /// How many bytes, not more than the limit.
    received: u64,
    /// Whether there were more than that.
    too_much: bool,
    initialized: bool,
    artifacts: BTreeMap<String, Vec<u8>>,
    /// The artifacts' paths in small letters: two that differ only in case are one file on many systems.
    folded: BTreeSet<String>,
    needs: Vec<(Need, Option<Digest>)>,
    messages: Vec<Message>,
    ending: Option<Ending>,
}

impl<'a> Conversation<'a> {
    pub(crate) fn new(task: &'a Task, limits: &'a Limits, secrets: &'a Secrets) -> Conversation<'a> {
        Conversation {
            task,
            limits,
            secrets,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            received: 0,
            too_much: false,
            initialized: false,
            artifacts: BTreeMap::new(),
            folded: BTreeSet::new(),
            needs: Vec::new(),
            messages: Vec::new(),
            ending: None,
        }
    }

    /// Takes bytes of standard output. Those over the limit are left out: [`Conversation::next`] tells.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        let room = usize::try_from(self.limits.output - self.received).unwrap_or(usize::MAX);
        let bytes = match bytes.get(..room) {
            Some(first) if bytes.len() > room => {
                self.too_much = true;
                first
            }
            _ => bytes,
        };
        self.received += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next line, if there is a whole one; `at_end` is when nothing more will come, and a last line may lack its
    /// line feed.
    pub(crate) fn next(&mut self, at_end: bool) -> Result<Option<Step>, Violation> {
        let feed = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
        let (end, after) = match feed {
            Some(index) => (self.searched + index, self.searched + index + 1),
            None if self.too_much => {
                let what = format!("more than {} bytes of output", self.limits.output);
                return Err(self.violation(&what, &self.buffer[self.start..]));
            }
            None if at_end && self.start < self.buffer.len() => (self.buffer.len(), self.buffer.len()),
            None => {
                self.searched = self.buffer.len();
                return Ok(None);
            }
        };
        let line = self.start..end;
        (self.start, self.searched) = (after, after);
        let result = match &self.ending {
            Some(_) => Err("a line after the last one".to_string()),
            None => parse(&self.buffer[line.clone()]),
        };
        let result = result.and_then(|parsed| self.step(parsed));
        result.map(Some).map_err(|what| self.violation(&what, &self.buffer[line]))
    }

    fn step(&mut self, line: AgentLine) -> Result<Step, String> {
        let event = match line {
            AgentLine::Initialized if self.initialized => return Err("`initialized` for the second time".into()),
            AgentLine::Initialized => {
                self.initialized = true;
                AgentEvent::Initialized
            }
            AgentLine::Progress { done, total, text } => {
                AgentEvent::Progress { done, total, text: text.map(|text| quote(&self.secrets.redact(&text), 500)) }
            }
            AgentLine::Need(_) if self.needs.len() >= self.limits.needs => {
                return Err(format!("more than {} needs", self.limits.needs));
            }
            AgentLine::Need(need) => return Ok(Step::Need(need)),
            AgentLine::Message { to, kind, data } => {
                let event = AgentEvent::Message {
                    to: to.iter().map(|name| quote(&self.secrets.redact(name), 100)).collect(),
                    kind: quote(&self.secrets.redact(&kind), 100),
                };
                self.messages.push(Message { to, kind, data });
                event
            }
            AgentLine::Artifact { .. } if self.artifacts.len() >= self.limits.artifacts => {
                return Err(format!("more than {} artifacts", self.limits.artifacts));
            }
            AgentLine::Artifact { path, bytes } => {
                self.check_artifact(&path)?;
                let event = AgentEvent::Artifact { path: self.secrets.redact(&path), bytes: bytes.len() as u64 };
                self.artifacts.insert(path, bytes);
                event
            }
            AgentLine::Completed { score, summary } => {
                let summary = summary.map(|text| self.secrets.redact(&text));
                self.ending = Some(Ending::Completed { score, summary });
                AgentEvent::Completed
            }
            AgentLine::Failed { class, text, span } => {
                let text = quote(&self.secrets.redact(&text), 2000);
                let span = span.map(|span| Span { path: quote(&self.secrets.redact(&span.path), 500), ..span });
                let class = self.secrets.redact(&class);
                self.ending = Some(Ending::Failed { class, text, span });
                AgentEvent::Completed
            }
        };
        Ok(Step::Event(event))
    }

    fn check_artifact(&mut self, path: &str) -> Result<(), String> {
        check_path(path).map_err(|bad| format!("`artifact`: {bad}"))?;
        if !self.task.outputs.iter().any(|output| output.matches(path)) {
            let allowed: Vec<_> = self.task.outputs.iter().map(|output| format!("`{}`", output.as_str())).collect();
            let allowed = if allowed.is_empty() { "nothing".into() } else { allowed.join(", ") };
            return Err(format!("`artifact`: the path is not among those of the target's outputs ({allowed})"));
        }
        let folded = folded(path);
        let above = folded.match_indices('/').any(|(index, _)| self.folded.contains(&folded[..index]));
        let folder = format!("{folded}/");
        let below = self.folded.range(folder.clone()..).next().is_some_and(|other| other.starts_with(&folder));
        if above || below {
            return Err("`artifact`: the path is a folder for another one, or the other way round".into());
        }
        if !self.folded.insert(folded) {
            return Err("`artifact`: the path occurs twice, or differs from another one only in case".into());
        }
        Ok(())
    }

    /// Records what a need was answered with.
    pub(crate) fn answered(&mut self, need: Need, digest: Option<Digest>) {
        self.needs.push((need, digest));
    }

    /// How the agent ended it, if it has.
    pub(crate) fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// The answer and the ending, when all is over.
    pub(crate) fn finish(self) -> (Option<Ending>, Answer) {
        let Conversation { artifacts, needs, messages, ending, .. } = self;
        let artifacts = artifacts.into_iter().collect();
        (ending, Answer { artifacts, needs, messages, ..Answer::default() })
    }

    fn violation(&self, what: &str, line: &[u8]) -> Violation {
        // Longer than what is shown, so that a secret at the cut is found whole.
        let cut = &line[..line.len().min(1000 + self.secrets.longest())];
        let shown = self.secrets.redact(&String::from_utf8_lossy(cut));
        let shown = quote(&shown, 200);
        let what = quote(&self.secrets.redact(what), 400);
        Violation(if line.len() > cut.len() && !shown.contains("… (") {
            format!("{what}: {shown}…")
        } else {
            format!("{what}: {shown}")
        })
    }
}

#[cfg(test)]
#[path = "conversation_tests.rs"]
mod tests;
