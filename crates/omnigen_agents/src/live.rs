//! The life of one agent process: a single loop over its pipes, its exit, and the clock.

use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::answer::Answer;
use crate::conversation::{Conversation, Ending, Step, Violation};
use crate::failure::{Failure, FailureClass};
use crate::process::{Got, Process};
use crate::protocol::{CANCEL_LINE, Need, absent_line, artifact_line, task_line};
use crate::redact::Secrets;
use crate::run::{AgentEvent, NeedReply};
use crate::task::{AgentSpec, Task};

/// How often a quiet agent is looked at: for its exit, and for a cancellation.
const TICK: Duration = Duration::from_millis(25);

/// Room for one reading. On the stack: a heap of each thread's own costs more than what agents mostly say.
const PIECE: usize = 16 << 10;

/// So many readings at most between two looks at the clock.
const READINGS: usize = 64;

/// How much of standard error is kept, in bytes.
const STDERR_KEPT: usize = 64 << 10;

/// A running agent.
pub(crate) struct Live<'a> {
    spec: &'a AgentSpec,
    secrets: &'a Secrets,
    process: Process,
    conversation: Conversation<'a>,
    /// What is still to be written to the agent, from `written` on.
    outgoing: Vec<u8>,
    written: usize,
    /// Whether standard input is to be closed once all is written.
    closing: bool,
    stdout_ended: bool,
    stderr: Vec<u8>,
    clock: Clock,
}

/// When things are over.
struct Clock {
    /// The deadline; moved by the time that needs took.
    deadline: Option<Instant>,
    /// When the agent last gave a sign of life.
    sign: Instant,
    /// Since when it has had nothing more to say.
    done: Option<Instant>,
    /// When it was told to cancel.
    cancelled: Option<Instant>,
}

/// Why a run is over.
enum Over {
    Exited,
    Lingered,
    Deadline,
    Silent(Duration),
    Cancelled,
    Violation(Violation),
    /// A need that cannot be met, and why.
    Impossible(Need, String),
}

impl<'a> Live<'a> {
    pub(crate) fn new(spec: &'a AgentSpec, task: &'a Task, secrets: &'a Secrets, process: Process) -> Live<'a> {
        let now = Instant::now();
        Live {
            spec,
            secrets,
            process,
            conversation: Conversation::new(task, &spec.limits, secrets),
            outgoing: task_line(task).into_bytes(),
            written: 0,
            closing: false,
            stdout_ended: false,
            stderr: Vec::new(),
            // Without a deadline if it is too far away to be written down.
            clock: Clock { deadline: now.checked_add(spec.timeout), sign: now, done: None, cancelled: None },
        }
    }

    /// Runs it to its end.
    pub(crate) fn run(
        mut self,
        answer_need: &mut dyn FnMut(&Need) -> NeedReply,
        cancelled: &AtomicBool,
        on_event: &mut dyn FnMut(AgentEvent),
    ) -> Result<Answer, Failure> {
        on_event(AgentEvent::Started);
        let over = match self.talk(answer_need, cancelled, on_event) {
            Ok(over) | Err(over) => over,
        };
        let status = self.process.end();
        // What is there, and no more: a process that left the group may write for ever.
        self.read_stderr(&mut [0; PIECE]);
        self.outcome(over, status)
    }

    /// Talks until the run is over; both results say why.
    fn talk(
        &mut self,
        answer_need: &mut dyn FnMut(&Need) -> NeedReply,
        cancelled: &AtomicBool,
        on_event: &mut dyn FnMut(AgentEvent),
    ) -> Result<Over, Over> {
        let mut buffer = [0; PIECE];
        let mut pause = Duration::from_micros(500);
        loop {
            self.write();
            if !self.process.wait(self.written < self.outgoing.len(), self.pause(&mut pause)) {
                self.cancel_if_asked(cancelled);
                match self.expired(Instant::now()) {
                    Some(over) => return Ok(over),
                    None => continue,
                }
            }
            // The order matters: what an agent wrote before its exit is read after the exit is known.
            let exited = self.process.exited();
            if exited {
                // Before the last reading, so that nobody goes on writing.
                self.process.kill();
            }
            self.read_stderr(&mut buffer);
            // Not for ever: the clock must be looked at, too.
            for _ in 0..READINGS {
                let more = self.read_stdout(&mut buffer);
                self.steps(answer_need, cancelled, on_event)?;
                if !more {
                    break;
                }
            }
            if exited && self.clock.cancelled.is_none() {
                // What is left is as long as the pipe; what a process that left the group goes on writing ends at the
                // limit of output.
                while self.read_stdout(&mut buffer) {
                    self.steps(answer_need, cancelled, on_event)?;
                }
                self.stdout_ended = true;
                self.steps(answer_need, cancelled, on_event)?;
            }
            if exited {
                return Ok(if self.clock.cancelled.is_some() { Over::Cancelled } else { Over::Exited });
            }
            if self.stdout_ended || self.conversation.ending().is_some() {
                // It has no use for what it has not read yet.
                self.process.close_stdin();
                self.clock.done.get_or_insert_with(Instant::now);
            }
            self.cancel_if_asked(cancelled);
            if let Some(over) = self.expired(Instant::now()) {
                return Ok(over);
            }
        }
    }

    /// How long the pipes may be waited for.
    fn pause(&self, pause: &mut Duration) -> Duration {
        // When its output has ended, the agent is about to exit: nothing but looking tells.
        if self.stdout_ended {
            *pause = (*pause * 2).min(TICK);
            return *pause;
        }
        let now = Instant::now();
        let deadline = self.clock.deadline.map_or(TICK, |at| at.saturating_duration_since(now));
        TICK.min(deadline.max(Duration::from_millis(1)))
    }

    /// Whether time is up.
    fn expired(&self, now: Instant) -> Option<Over> {
        let since = |at: Instant| now.saturating_duration_since(at);
        let limits = &self.spec.limits;
        if let Some(at) = self.clock.cancelled {
            return (since(at) >= limits.cancel_grace).then_some(Over::Cancelled);
        }
        if let Some(at) = self.clock.done {
            return (since(at) >= limits.linger).then_some(Over::Lingered);
        }
        if self.clock.deadline.is_some_and(|at| now >= at) {
            return Some(Over::Deadline);
        }
        limits.progress_within.filter(|silence| since(self.clock.sign) >= *silence).map(Over::Silent)
    }

    fn cancel_if_asked(&mut self, cancelled: &AtomicBool) {
        // An answer that is complete is not thrown away for the moment that the exit takes.
        if self.clock.cancelled.is_none() && self.conversation.ending().is_none() && cancelled.load(Ordering::Relaxed) {
            self.clock.cancelled = Some(Instant::now());
            self.send(CANCEL_LINE);
            self.closing = true;
        }
    }

    fn send(&mut self, line: &str) {
        if self.written == self.outgoing.len() {
            self.outgoing.clear();
            self.written = 0;
        }
        self.outgoing.extend_from_slice(line.as_bytes());
    }

    fn write(&mut self) {
        while self.written < self.outgoing.len() {
            match self.process.write_stdin(&self.outgoing[self.written..]) {
                Some(0) => return,
                Some(count) => self.written += count,
                // An agent need not read to the end what it does not want to know.
                None => self.written = self.outgoing.len(),
            }
        }
        if self.closing {
            self.process.close_stdin();
        }
    }

    /// Reads a piece of standard output; says whether there may be more.
    fn read_stdout(&mut self, buffer: &mut [u8]) -> bool {
        if self.stdout_ended {
            return false;
        }
        match self.process.read_stdout(buffer) {
            Got::Bytes(count) => {
                self.clock.sign = Instant::now();
                if self.clock.cancelled.is_none() {
                    self.conversation.feed(&buffer[..count]);
                }
                true
            }
            Got::Nothing => false,
            Got::End => {
                self.stdout_ended = true;
                false
            }
        }
    }

    /// Follows the lines that were read.
    fn steps(
        &mut self,
        answer_need: &mut dyn FnMut(&Need) -> NeedReply,
        cancelled: &AtomicBool,
        on_event: &mut dyn FnMut(AgentEvent),
    ) -> Result<(), Over> {
        while self.clock.cancelled.is_none() {
            let need = match self.conversation.next(self.stdout_ended).map_err(Over::Violation)? {
                None => break,
                Some(Step::Event(event)) => {
                    on_event(event);
                    continue;
                }
                Some(Step::Need(need)) => need,
            };
            self.cancel_if_asked(cancelled);
            if self.clock.cancelled.is_some() {
                break;
            }
            on_event(AgentEvent::Waiting(self.secrets.redact(&need.to_string())));
            let asked = Instant::now();
            let reply = answer_need(&need);
            let now = Instant::now();
            self.clock.deadline = self.clock.deadline.and_then(|at| at.checked_add(now.duration_since(asked)));
            self.clock.sign = now;
            self.cancel_if_asked(cancelled);
            if self.clock.cancelled.is_some() {
                break;
            }
            on_event(AgentEvent::Resumed(self.secrets.redact(&need.to_string())));
            match reply {
                NeedReply::Artifact { value, digest } => {
                    self.send(&artifact_line(&value));
                    self.conversation.answered(need, Some(digest));
                }
                NeedReply::Absent => {
                    self.send(&absent_line(&need));
                    self.conversation.answered(need, None);
                }
                NeedReply::Impossible(why) => return Err(Over::Impossible(need, why)),
            }
        }
        Ok(())
    }

    fn read_stderr(&mut self, buffer: &mut [u8]) {
        for _ in 0..READINGS {
            match self.process.read_stderr(buffer) {
                Got::Bytes(count) => {
                    self.clock.sign = Instant::now();
                    self.keep_stderr(&buffer[..count]);
                }
                Got::Nothing | Got::End => return,
            }
        }
    }

    fn keep_stderr(&mut self, bytes: &[u8]) {
        self.stderr.extend_from_slice(bytes);
        // Longer than what is shown, so that a secret at the cut is found whole.
        let kept = STDERR_KEPT + self.secrets.longest();
        if self.stderr.len() > 2 * kept {
            self.stderr.drain(..self.stderr.len() - kept);
        }
    }

    /// The end of standard error: readable, without secrets.
    fn stderr_tail(&self) -> String {
        let start = self.stderr.len().saturating_sub(STDERR_KEPT + self.secrets.longest());
        let text = self.secrets.redact(&String::from_utf8_lossy(&self.stderr[start..]));
        let cut = text.ceil_char_boundary(text.len().saturating_sub(STDERR_KEPT));
        let mut out = String::with_capacity(text.len() - cut);
        for c in text[cut..].chars() {
            match c {
                '\n' | '\t' => out.push(c),
                '\r' => {}
                // Not to be acted on by a terminal.
                c if c.is_control() => out.extend(c.escape_default()),
                c => out.push(c),
            }
        }
        out
    }

    fn outcome(self, over: Over, status: Option<ExitStatus>) -> Result<Answer, Failure> {
        let stderr = self.stderr_tail();
        let timeout = self.spec.timeout;
        let (ending, answer) = self.conversation.finish();
        let failed = |class, text: String| {
            Err(Failure {
                class,
                text: self.secrets.redact(&text),
                span: None,
                stderr: stderr.clone(),
                retry_after: None,
            })
        };
        // A system that does not tell the status gets the benefit of the doubt.
        let bad = status.filter(|status| !status.success());
        match (over, ending, bad) {
            (Over::Violation(Violation(text)), ..) => failed(FailureClass::Protocol, text),
            (Over::Impossible(need, why), ..) => failed(FailureClass::Need, format!("it needs {need}: {why}")),
            (Over::Cancelled, ..) => failed(FailureClass::Cancelled, "cancelled".into()),
            (Over::Deadline, ..) => failed(FailureClass::Timeout, format!("no answer within {timeout:?}")),
            (Over::Silent(silence), ..) => {
                failed(FailureClass::Timeout, format!("no sign of life within {silence:?} (`progress_within`)"))
            }
            (_, Some(Ending::Failed { class, text, span }), _) => Err(Failure {
                class: FailureClass::Reported(class),
                text,
                span: span.map(Box::new),
                stderr: stderr.clone(),
                retry_after: None,
            }),
            (Over::Exited, Some(Ending::Completed { .. }), Some(status)) => {
                failed(FailureClass::Crash, format!("{} after `completed`", describe(status)))
            }
            (_, Some(Ending::Completed { score, summary }), _) => Ok(Answer { score, summary, ..answer }),
            (Over::Exited, None, Some(status)) => failed(FailureClass::Crash, describe(status)),
            (Over::Exited, None, None) => {
                failed(FailureClass::Protocol, "exited with status 0 without `completed`".into())
            }
            (Over::Lingered, None, _) => {
                failed(FailureClass::Protocol, "closed its standard output without `completed`".into())
            }
        }
    }
}

fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("killed by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("exited with status {code}"),
        None => "ended in an unknown way".into(),
    }
}
