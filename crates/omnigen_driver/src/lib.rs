//! The loop of `build` and `watch`: changes in, dirty artifacts asked for, agents run, outputs committed.
//!
//! The driver alone owns the graph. It reads and writes through `disk` and `store`, asks agents through `agents`, and never
//! prints.

mod api;
mod commit;
pub mod config;
mod records;
mod session;
mod setup;
mod show;
mod survey;
mod tasks;
mod vendor;
mod watch;

use std::time::Instant;

use omnigen_report::{BuildEvent, Diagnostic, Severity, Shown, Summary, summary::Activity};

pub use api::{Change, ChangeKind, Failure, Mode, Options, Outcome, Round};
pub use config::{Agent, Config, Format, Python, Target};
pub use vendor::{Vendoring, vendor};
pub use watch::watch;

use session::{Manners, Session};
use setup::Setup;
use show::Places;
use survey::{Scan, Survey};

/// Brings outputs up to date, or with `check` compares them.
pub fn build(options: &Options, on_event: &mut dyn FnMut(BuildEvent)) -> Outcome {
    let started = Instant::now();
    let (mut session, scan) = match open(options) {
        Ok(opened) => opened,
        Err(outcome) => return *outcome,
    };
    let survey = Survey::full(&session.setup, &session.records, &session.meta, scan);
    let outcome = match session.round(survey) {
        Ok(round) => outcome(&mut session, round, started),
        Err(problem) => environment(problem),
    };
    on_event(BuildEvent::Finished(outcome.summary.clone()));
    // The process ends soon, and the system takes the graph's memory back faster than its parts can be freed one by one.
    std::mem::forget(session.graph.take());
    outcome
}

/// Reads the contracts only: nothing is written, no manifest is used.
pub fn check(options: &Options) -> Outcome {
    let started = Instant::now();
    let (mut setup, found) = match Setup::new(options) {
        Ok(setup) => setup,
        Err(found) => return unusable(options, found),
    };
    setup.config.targets.clear();
    let manners = Manners { check: true, frozen: true, force: false };
    let mut session = Session::fresh(setup, found, manners, &options.stop);
    let survey = Survey::full(&session.setup, &session.records, &session.meta, Scan::new(&session.setup));
    match session.round(survey) {
        Ok(round) => {
            let mut outcome = outcome(&mut session, round, started);
            outcome.changes.clear();
            outcome.summary.activity = Activity::Contracts;
            outcome.summary.total = session.records.iter().filter(|(_, record)| record.contract).count();
            outcome
        }
        Err(problem) => environment(problem),
    }
}

/// A session for the options, and the folders as they are; or why there cannot be one. The folders are read while the
/// manifest is.
fn open(options: &Options) -> Result<(Session, Scan), Box<Outcome>> {
    let (setup, found) = Setup::new(options).map_err(|found| Box::new(unusable(options, found)))?;
    let Options { check, frozen, force, .. } = *options;
    let manners = Manners { check, frozen: frozen || check, force };
    let scanned = setup.clone();
    Ok(std::thread::scope(|scope| {
        let scan = scope.spawn(|| Scan::new(&scanned));
        let session = Session::open(setup, found, manners, &options.stop);
        (session, scan.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }))
}

/// The outcome of a run whose configuration cannot be used.
fn unusable(options: &Options, found: Vec<Diagnostic>) -> Outcome {
    let mut diagnostics: Vec<Diagnostic> = found;
    diagnostics.sort();
    let diagnostics: Vec<Shown> = diagnostics
        .iter()
        .map(|diagnostic| {
            Shown::new(diagnostic, |at| {
                let text = omnigen_disk::read_text(&options.root.join(&*at.file)).ok()?.text;
                match at.spot {
                    omnigen_report::Spot::Span { start, end } => Some((text.into(), start..end)),
                    omnigen_report::Spot::File | omnigen_report::Spot::Pointer { .. } => None,
                }
            })
        })
        .collect();
    let message = format!("{} cannot be used", config::FILE);
    Outcome { diagnostics, failure: Some(Failure::Environment(message, None)), ..Outcome::default() }
}

fn environment(problem: String) -> Outcome {
    Outcome { failure: Some(Failure::Environment(problem, None)), ..Outcome::default() }
}

/// What a round amounts to, for showing.
fn outcome(session: &mut Session, round: session::Round, started: Instant) -> Outcome {
    let session::Round {
        diagnostics,
        commit,
        held_back,
        total,
        agent_calls,
        agent_cached,
        agent_failed,
        environment,
        idle: _,
        changed: _,
    } = round;
    let mut shown = Places::new(&session.setup).show(diagnostics);
    for shown in &mut shown {
        let path = shown.at.as_ref().map(|at| at.file.to_string());
        shown.diff = path.and_then(|path| commit.diffs.get(&path).cloned());
    }
    let count = |severity| shown.iter().filter(|shown| shown.severity == severity).count();
    let of = |kinds: &[ChangeKind]| {
        let real = commit.changes.iter().filter(|change| !change.path.ends_with("/__init__.py"));
        real.filter(|change| kinds.contains(&change.kind)).count()
    };
    let written = of(&[ChangeKind::Create, ChangeKind::Update]);
    let held_back =
        if session.manners.check { of(&[ChangeKind::HandEdited, ChangeKind::AnswerMissing]) } else { held_back };
    let summary = Summary {
        activity: if session.manners.check { Activity::Compare } else { Activity::Build },
        written,
        removed: of(&[ChangeKind::Remove]),
        total,
        unchanged: total.saturating_sub(written + held_back),
        held_back,
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notes: count(Severity::Note),
        agent_calls,
        agent_cached,
        millis: started.elapsed().as_millis() as u64,
    };
    let failure = match environment {
        Some(problem) => Some(Failure::Environment(problem, None)),
        None => agent_failed.then_some(Failure::Agent),
    };
    Outcome { diagnostics: shown, summary, changes: commit.changes, failure }
}
