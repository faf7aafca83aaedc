//! The loop of `build` and `watch`: changes in, dirty artifacts asked for, agents run, outputs committed.
//!
//! The driver alone owns the graph. It reads and writes through `disk` and `store`, asks agents through `agents`, and never
//! prints.

mod api;
mod care;
mod commit;
pub mod config;
mod context;
mod events;
mod explain;
mod glance;
mod judged;
mod patch;
mod picture;
mod records;
mod revision;
mod round;
mod session;
mod setup;
mod shelf;
mod show;
mod survey;
mod tasks;
mod vendor;
mod watch;
mod whole;

use std::sync::atomic::Ordering;
use std::time::Instant;

use omnigen_report::{Activity, BuildEvent, Diagnostic, Exit, Severity, Shown, Summary};

pub use api::{Failure, Mode, Options, Outcome, Round};
pub use care::{Care, Kept, care};
pub use config::{Agent, Config, Format, Python, Target};
pub use context::{Seen, context};
pub use explain::{Explanation, explain};
pub use omnigen_agents::protocol_schema;
pub use omnigen_report::{Change, ChangeKind};
pub use picture::{Drawing, Picture, picture};
pub use revision::{Cause, Definition, Revision};
pub use vendor::{Vendoring, vendor};
pub use watch::watch;

use glance::Glance;
use session::{Manners, Session};
use setup::Setup;
use show::Places;
use survey::{Scan, Survey};

/// Brings outputs up to date, or with `compare` finds out what that would do.
pub fn build(options: &Options) -> Outcome {
    let started = Instant::now();
    events::started(options.activity, None);
    let outcome = match begin(options) {
        Ok(mut session) => {
            session.unsettled = options.no_index;
            let glance = session.glance();
            let round = match glance {
                Glance::Same(idle) => Ok(session.idle(idle)),
                moved => {
                    let survey = session.seen(moved);
                    session.round(survey)
                }
            };
            let outcome = match round {
                Ok(round) => outcome(&mut session, options, round, started),
                Err(problem) => environment(problem),
            };
            // The process ends soon, and the system takes the graph's memory back faster than its parts can be freed one by
            // one.
            std::mem::forget((session.graph.take(), std::mem::take(&mut session.records)));
            outcome
        }
        Err(outcome) => *outcome,
    };
    finished(options, outcome)
}

/// Reads the contracts only: nothing is written, no manifest is used.
pub fn check(options: &Options) -> Outcome {
    let started = Instant::now();
    events::started(Activity::Contracts, None);
    let outcome = match Setup::new(options) {
        Ok((mut setup, found)) => {
            setup.config.targets.clear();
            let manners = Manners { compare: true, frozen: true, fail_fast: options.fail_fast, ..Manners::default() };
            let mut session = Session::fresh(setup, found, manners, &options.stop);
            let scan = Scan::new(&session.setup);
            let survey = Survey::full(&session.setup, &session.records, &session.meta, scan);
            match session.round(survey) {
                Ok(mut round) => {
                    round.commit.changes.clear();
                    let mut outcome = outcome(&mut session, options, round, started);
                    outcome.summary.activity = Activity::Contracts;
                    outcome.summary.total = session.records.iter().filter(|(_, record)| record.contract).count();
                    outcome
                }
                Err(problem) => environment(problem),
            }
        }
        Err(found) => unusable(options, found),
    };
    finished(options, outcome)
}

/// Tells of everything that an outcome holds, and how the process is to end.
fn finished(options: &Options, mut outcome: Outcome) -> Outcome {
    let activity = outcome.summary.activity;
    outcome.exit = if options.stop.load(Ordering::Relaxed) {
        Exit::Interrupted
    } else {
        match &outcome.failure {
            Some(Failure::Environment(..)) => Exit::Usage,
            Some(Failure::Agent) => Exit::Agent,
            None if outcome.diagnostics.iter().any(Shown::is_error) => Exit::Errors,
            None if activity == Activity::Compare && !outcome.changes.is_empty() => Exit::Errors,
            None => Exit::Done,
        }
    };
    for shown in &outcome.diagnostics {
        events::tell(|| BuildEvent::Diagnostic(shown.clone()));
    }
    events::tell(|| BuildEvent::Finished {
        exit: outcome.exit,
        failure: match &outcome.failure {
            Some(Failure::Environment(message, _)) => Some(message.clone()),
            Some(Failure::Agent) => Some("an agent gave no usable answer".to_owned()),
            None => None,
        },
        summary: outcome.summary.clone(),
    });
    outcome
}

/// The revisions that are kept, the oldest first.
pub fn log(options: &Options) -> Vec<Revision> {
    Setup::new(options).map(|(setup, _)| revision::Log::new(&setup).read()).unwrap_or_default()
}

/// A session for the options, and the folders as they are; or why there cannot be one.
fn open(options: &Options) -> Result<(Session, Scan), Box<Outcome>> {
    let mut session = begin(options)?;
    session.unfold();
    let scan = session.scan();
    Ok((session, scan))
}

/// A session whose records are left as they are in the manifest, until [`Session::unfold`].
fn begin(options: &Options) -> Result<Session, Box<Outcome>> {
    let (setup, found) = Setup::new(options).map_err(|found| Box::new(unusable(options, found)))?;
    let Options { activity, diffs, frozen, offline, force, fail_fast, .. } = *options;
    let compare = activity != Activity::Build;
    let manners = Manners {
        compare,
        diffs: compare && diffs,
        frozen,
        offline,
        force,
        fail_fast,
        refresh: options.refresh.clone(),
    };
    Ok(Session::open(setup, found, manners, &options.stop))
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
fn outcome(session: &mut Session, options: &Options, round: round::Round, started: Instant) -> Outcome {
    let round::Round {
        diagnostics,
        commit,
        held_back,
        total,
        agent_calls,
        agent_cached,
        agent_failed,
        environment,
        restored,
        idle: _,
        changed: _,
    } = round;
    let mut shown = Places::new(&session.setup).show(diagnostics, options.notes);
    for shown in &mut shown {
        let path = shown.at.as_ref().map(|at| at.file.to_string());
        shown.diff = path.and_then(|path| commit.diffs.get(&path).cloned());
    }
    let count = |severity| shown.iter().filter(|shown| shown.severity == severity).count();
    let of = |kinds: &[ChangeKind]| {
        let real = commit.changes.iter().filter(|change| !change.path.ends_with("/__init__.py"));
        real.filter(|change| kinds.contains(&change.change)).count()
    };
    let written = of(&[ChangeKind::Create, ChangeKind::Update]);
    let unanswered = of(&[ChangeKind::AnswerMissing]);
    let (held_back, agent_calls) = match options.activity {
        // What an agent would answer is not known: it is neither built nor held back.
        Activity::Plan => (held_back.saturating_sub(unanswered), unanswered),
        _ => (held_back, agent_calls),
    };
    let summary = Summary {
        activity: options.activity,
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
        restored,
        millis: started.elapsed().as_millis() as u64,
    };
    let failure = match environment {
        Some(problem) => Some(Failure::Environment(problem, None)),
        None => agent_failed.then_some(Failure::Agent),
    };
    Outcome { diagnostics: shown, summary, changes: commit.changes, failure, exit: Exit::Done }
}
