//! What is printed where. Terminals are asked about themselves once, here.
//!
//! | | stderr is a terminal | pipe or file |
//! |---|---|---|
//! | findings | drawn; folded, a hundred at most; all with `-v` | plain text, folded; all with `-v` |
//! | colours | unless `NO_COLOR`, `TERM=dumb` | with `--color always` |
//! | characters beyond ASCII in drawings | if the locale is UTF-8 | as on a terminal |
//! | progress | a bar after half a second, with the agents at work and tokens, unless `CI`, `TERM=dumb`, `-q` | none |
//! | summary | always, unless `-q` | the same |
//!
//! stdout gets only what was asked for: with `--check` and `--dry-run` the outputs that differ, with `diff` how, and what
//! programs read with `--message-format`.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fmt};

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use omnigen_driver::{Change, ChangeKind, Failure, Outcome};
use omnigen_report::{
    BuildEvent, Code, Folded, Severity, Shown, TaskEvent, TaskEventKind, count, fold, machine, thousands,
};

use crate::args::{Color, Format, Global};
use crate::draw::{Look, draw, harmless};
use crate::stream::Listener;

/// Findings shown on a terminal without `-v`.
const MANY: usize = 100;
/// Work that is done sooner shows no progress.
const SOON: Duration = Duration::from_millis(500);
/// How often the line of progress is drawn anew although nothing is told: agents' seconds go on.
const TICK: Duration = Duration::from_millis(250);

/// What the surroundings say. Empty variables count as not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Surroundings {
    terminal: bool,
    columns: Option<u16>,
    unicode: bool,
    no_color: bool,
    dumb: bool,
    ci: bool,
}

impl Surroundings {
    #[expect(clippy::disallowed_methods, reason = "the binary reads the environment")]
    fn ask() -> Surroundings {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        Surroundings {
            terminal: io::stderr().is_terminal(),
            columns: terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| width.0),
            unicode: supports_unicode::on(supports_unicode::Stream::Stderr),
            no_color: set("NO_COLOR"),
            dumb: env::var_os("TERM").is_some_and(|term| term == "dumb"),
            ci: set("CI"),
        }
    }

    fn look(self, color: Color) -> Look {
        let capable = self.terminal && !self.dumb;
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => capable && !self.no_color,
        };
        Look {
            drawn: capable || color,
            color,
            unicode: self.unicode && !self.dumb,
            // Lines over a hundred columns are hard to read.
            width: usize::from(self.columns.unwrap_or(80)).min(100),
        }
    }
}

/// What a command puts on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    /// Outputs that differ.
    List,
    /// How they differ.
    Patch,
}

/// Both streams.
pub(crate) struct Screen {
    look: Look,
    quiet: bool,
    verbose: bool,
    format: Format,
    /// From where the reader stands to the project: put before paths in formats of other programs.
    prefix: String,
    /// Is it a person who reads?
    terminal: bool,
    errors: AutoStream<io::Stderr>,
    progress: Option<Progress>,
    /// Why an answer could not be written.
    lost: Option<String>,
}

struct Progress {
    bar: ProgressBar,
    running: Running,
    began: Instant,
}

impl Screen {
    pub(crate) fn new(global: &Global) -> Screen {
        let around = Surroundings::ask();
        let look = around.look(global.color);
        let progress = (around.terminal && !around.dumb && !around.ci && !global.quiet).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            let running = Running::default();
            let drawn = running.clone();
            let said = move |state: &ProgressState, to: &mut dyn fmt::Write| {
                // Where it cannot be written nobody reads it.
                let _ = to.write_str(&drawn.say(state.pos(), state.len()));
            };
            if let Ok(style) = ProgressStyle::with_template("{bar:24} {said}") {
                let style = style.with_key("said", said);
                bar.set_style(style.progress_chars(if look.unicode { "━━─" } else { "=>-" }));
            }
            Progress { bar, running, began: Instant::now() }
        });
        Screen {
            look: if global.quiet { Look { drawn: false, ..look } } else { look },
            quiet: global.quiet,
            verbose: global.verbose,
            format: global.message_format,
            prefix: String::new(),
            terminal: around.terminal,
            errors: AutoStream::new(io::stderr(), if look.color { ColorChoice::Always } else { ColorChoice::Never }),
            progress,
            lost: None,
        }
    }

    /// Says where the project is, seen from where the command was started.
    pub(crate) fn stand(&mut self, prefix: String) {
        self.prefix = prefix;
    }

    /// What draws the bar, if there is to be one. Findings and outputs are shown at the end, sorted.
    pub(crate) fn bar(&self) -> Option<Listener> {
        let Progress { bar, running, began } = self.progress.as_ref()?;
        let (bar, running, began) = (bar.clone(), running.clone(), *began);
        let shown = std::sync::Once::new();
        Some(Box::new(move |event| {
            match event {
                BuildEvent::Progress { done, total } => {
                    bar.set_length(*total as u64);
                    bar.set_position(*done as u64);
                }
                BuildEvent::Task(task) => running.hear(task),
                BuildEvent::AgentStarted { .. } | BuildEvent::AgentFinished { .. } => {}
                BuildEvent::Started { .. }
                | BuildEvent::Diagnostic(_)
                | BuildEvent::Artifact(_)
                | BuildEvent::Finished { .. } => return,
            }
            // There is work. Whether it takes long is not known from events: an agent may be silent for minutes.
            shown.call_once(|| {
                let bar = bar.clone();
                let wait = SOON.saturating_sub(began.elapsed());
                std::thread::spawn(move || {
                    std::thread::sleep(wait);
                    if !bar.is_finished() {
                        bar.set_draw_target(ProgressDrawTarget::stderr());
                        bar.enable_steady_tick(TICK);
                    }
                });
            });
        }))
    }

    /// How a run ended: findings, what changed, the summary. `cause` begins the summary.
    pub(crate) fn outcome(&mut self, outcome: &Outcome, asked: Asked, cause: &str) {
        if let Some(Progress { bar, .. }) = self.progress.take() {
            bar.finish_and_clear();
        }
        match self.format {
            Format::Human => self.findings(&outcome.diagnostics),
            Format::Json => {}
            Format::Github => self.answer(&machine::github(&self.told(&outcome.diagnostics), &self.prefix)),
            Format::Sarif => {
                let found = self.told(&outcome.diagnostics);
                self.answer(&machine::sarif(&found, &self.prefix, env!("CARGO_PKG_VERSION")));
            }
            Format::Junit => self.answer(&machine::junit(&outcome.diagnostics, &self.prefix)),
        }
        match asked {
            Asked::List | Asked::Patch if self.format != Format::Human => {}
            Asked::List => self.listed(&outcome.changes),
            Asked::Patch => {
                let patches: String = outcome.changes.iter().filter_map(|change| change.diff.as_deref()).collect();
                self.answer(&patches);
            }
            Asked::Nothing if self.verbose => {
                for change in &outcome.changes {
                    self.line(&format!("{:>9} {}", done(change.change), change.path));
                }
            }
            Asked::Nothing => {}
        }
        match &outcome.failure {
            Some(Failure::Environment(message, hint)) => self.failure(message, hint.as_deref()),
            Some(Failure::Agent) | None if self.quiet => {}
            Some(Failure::Agent) | None => {
                let before = if cause.is_empty() { String::new() } else { format!("{cause}: ") };
                self.line(&format!("{before}{}", outcome.summary.line()));
            }
        }
    }

    /// The copy of a remote schema was written.
    pub(crate) fn taken(&mut self, change: &Change) {
        self.say(&format!("{:>9} {}", done(change.change), change.path));
    }

    fn findings(&mut self, found: &[Shown]) {
        let wanted = chosen(found, self.least());
        let folded = if self.verbose {
            wanted.iter().map(|shown| Folded { shown, below: Vec::new() }).collect()
        } else {
            fold(&wanted, if self.terminal { MANY } else { usize::MAX })
        };
        let left_out = wanted.len() - folded.len();
        for Folded { shown, below } in folded {
            let mut text = draw(shown, self.look);
            // Below the drawing, before the empty line that parts it from the next.
            let gap = !below.is_empty() && text.ends_with("\n\n");
            if gap {
                text.pop();
            }
            below.iter().for_each(|line| text.push_str(&format!("  … {line}\n")));
            if gap {
                text.push('\n');
            }
            self.write(&text);
        }
        if left_out > 0 {
            self.line(&format!("{} left out; -v shows all", count(left_out, "finding")));
        }
    }

    /// Outputs that differ, one a line, on stdout.
    fn listed(&mut self, changes: &[Change]) {
        let mut text = String::new();
        for change in changes {
            text.push_str(&format!("{:<8} {}\n", state(change.change), change.path));
        }
        self.answer(&text);
    }

    /// Findings that are to be told: without notes, unless they are asked for.
    fn told(&self, found: &[Shown]) -> Vec<Shown> {
        chosen(found, self.least()).into_iter().cloned().collect()
    }

    fn least(&self) -> Severity {
        match (self.quiet, self.verbose) {
            (true, _) => Severity::Error,
            (false, false) => Severity::Warning,
            (false, true) => Severity::Note,
        }
    }

    /// What was asked for, on stdout.
    pub(crate) fn answer(&mut self, text: &str) {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            // A reader that went away (`| head`) has seen enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.lost.get_or_insert_with(|| format!("stdout cannot be written: {error}"));
            }
            _ => {}
        }
    }

    /// Why somebody who asked has not got all of the answer, if so.
    pub(crate) fn lost(&self) -> Option<String> {
        self.lost.clone()
    }

    /// Why nothing could be done.
    pub(crate) fn failure(&mut self, message: &str, hint: Option<&str>) {
        let error = if self.look.color { "\x1b[1;31merror\x1b[0m" } else { "error" };
        self.line(&format!("{error}: {message}"));
        if let Some(hint) = hint {
            let word = if self.look.color { "\x1b[36mhint\x1b[0m" } else { "hint" };
            self.line(&format!(" {word}: {hint}"));
        }
    }

    /// One line for a person.
    pub(crate) fn say(&mut self, line: &str) {
        if !self.quiet {
            self.line(line);
        }
    }

    fn line(&mut self, line: &str) {
        self.write(&format!("{line}\n"));
    }

    fn write(&mut self, text: &str) {
        // Nobody is left to be told that stderr is gone.
        let _gone = self.errors.write_all(text.as_bytes());
    }
}

/// Those that are bad enough, in their order.
fn chosen(found: &[Shown], least: Severity) -> Vec<&Shown> {
    // That an upgrade takes longer is no fault, and told all the same.
    let upgrade = |shown: &Shown| shown.code == Code::DamagedManifest && least != Severity::Error;
    found.iter().filter(|shown| shown.severity <= least || upgrade(shown)).collect()
}

/// What `--check` calls it.
fn state(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Create => "missing",
        ChangeKind::Update => "stale",
        ChangeKind::Remove => "orphaned",
        ChangeKind::HandEdited => "edited",
        ChangeKind::AnswerMissing => "unanswered",
    }
}

/// What `-v` says was done.
fn done(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Create => "created",
        ChangeKind::Update => "updated",
        ChangeKind::Remove => "removed",
        ChangeKind::HandEdited => "edited",
        ChangeKind::AnswerMissing => "unanswered",
    }
}

/// Agents at work, for the line of progress: who, since when, what they say of it, and the tokens that models have used.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<Work>>);

#[derive(Default)]
struct Work {
    tasks: BTreeMap<String, (Instant, String)>,
    tokens: u64,
}

impl Running {
    fn hear(&self, event: &TaskEvent) {
        let mut work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.kind {
            TaskEventKind::Started => {
                work.tasks.insert(event.task.clone(), (Instant::now(), String::new()));
            }
            TaskEventKind::Progress { done, total, text } => {
                if let Some((_, said)) = work.tasks.get_mut(&event.task) {
                    let parts = [
                        done.map(|done| match total {
                            Some(total) => format!("{done}/{total}"),
                            None => done.to_string(),
                        }),
                        text.as_deref().and_then(|text| text.lines().next()).map(harmless),
                    ];
                    *said = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
                }
            }
            TaskEventKind::Completed { tokens, .. } => {
                work.tokens += tokens.unwrap_or_default();
                work.tasks.remove(&event.task);
            }
            TaskEventKind::Failed { .. } | TaskEventKind::Retrying { .. } | TaskEventKind::Cancelled => {
                work.tasks.remove(&event.task);
            }
            _ => {}
        }
    }

    /// The line behind the bar, as it is at this moment. Checks are steps as well, so there are more of them than artifacts.
    fn say(&self, done: u64, total: Option<u64>) -> String {
        let work = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut parts = Vec::new();
        if let Some(total) = total {
            parts.push(format!("{} of {}", thousands(done as usize), count(total as usize, "step")));
        }
        if work.tokens > 0 {
            parts.push(count(work.tokens as usize, "token"));
        }
        // The one that has been at work longest: what a person waits for.
        if let Some((name, (since, said))) = work.tasks.iter().min_by_key(|(_, (since, _))| *since) {
            let more = if work.tasks.len() > 1 { format!(" and {} more", work.tasks.len() - 1) } else { String::new() };
            let said = if said.is_empty() { String::new() } else { format!(": {said}") };
            parts.push(format!("{}, {} s{said}{more}", harmless(name), since.elapsed().as_secs()));
        }
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_progress_tells_who_is_at_work_and_what_it_costs() {
        let running = Running::default();
        let tell = |task: &str, kind: TaskEventKind| {
            running.hear(&TaskEvent {
                at_millis: 0,
                task: task.to_owned(),
                target: String::new(),
                contract: String::new(),
                agent: String::new(),
                attempt: 1,
                kind,
            });
        };
        assert_eq!(running.say(2, Some(1_500)), "2 of 1,500 steps");
        tell("docs:a.json", TaskEventKind::Started);
        tell("docs:b.json", TaskEventKind::Started);
        let text = Some("writing\u{1b}[2J".to_owned());
        tell("docs:a.json", TaskEventKind::Progress { done: Some(1), total: Some(3), text });
        assert_eq!(running.say(2, None), "docs:a.json, 0 s: 1/3 writing\u{fffd}[2J and 1 more");
        tell("docs:a.json", TaskEventKind::Completed { millis: 5, score: None, tokens: Some(1_200) });
        tell("docs:b.json", TaskEventKind::Completed { millis: 5, score: None, tokens: Some(34) });
        assert_eq!(running.say(4, Some(4)), "4 of 4 steps, 1,234 tokens");
    }

    #[test]
    fn looks() {
        let terminal = Surroundings { terminal: true, unicode: true, columns: Some(300), ..Surroundings::default() };
        let full = Look { drawn: true, color: true, unicode: true, width: 100 };
        assert_eq!(terminal.look(Color::Auto), full);
        assert_eq!(terminal.look(Color::Never), Look { color: false, ..full });
        assert_eq!(Surroundings { ci: true, ..terminal }.look(Color::Auto), full);
        assert_eq!(Surroundings { no_color: true, ..terminal }.look(Color::Auto), Look { color: false, ..full });
        assert_eq!(Surroundings { no_color: true, ..terminal }.look(Color::Always), full, "the command line is nearer");
        assert_eq!(Surroundings { unicode: false, ..terminal }.look(Color::Auto), Look { unicode: false, ..full });
        let dumb = Surroundings { dumb: true, ..terminal }.look(Color::Auto);
        assert_eq!(dumb, Look { drawn: false, color: false, unicode: false, width: 100 });
        let pipe = Surroundings { terminal: false, columns: None, ..terminal };
        assert_eq!(pipe.look(Color::Auto), Look { drawn: false, color: false, unicode: true, width: 80 });
        assert_eq!(pipe.look(Color::Always), Look { width: 80, ..full });
    }
}
