//! What listens to the `tracing` stream of a run: JSON lines for programs, the bar for people, the log of `OMNIGEN_LOG`, and
//! the profile. All of them are layers; none changes what a run does.

use std::fmt;
use std::io::{ErrorKind, Write};
use std::sync::{Arc, Mutex, PoisonError};

use omnigen_report::{Activity, BuildEvent, CallResult, Carried, Exit, Summary, event_json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::profile::Profile;

/// Somebody who wants to know of events. Called on the thread on which they happen.
pub(crate) type Listener = Box<dyn Fn(&BuildEvent) + Send + Sync>;

/// Hands events to a listener.
struct Listening(Listener);

impl<S: Subscriber> Layer<S> for Listening {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut Unpack(&self.0));
    }
}

struct Unpack<'a>(&'a Listener);

impl Visit for Unpack<'_> {
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}

    fn record_error(&mut self, _: &Field, value: &(dyn std::error::Error + 'static)) {
        if let Some(Carried(event)) = value.downcast_ref::<Carried>() {
            (self.0)(event);
        }
    }
}

/// Where JSON lines go: stdout, a file, or both. Clones share one state.
#[derive(Clone)]
pub(crate) struct Lines(Arc<Mutex<State>>);

/// A place for lines, and what it is called.
pub(crate) type Sink = (String, Box<dyn Write + Send>);

struct State {
    sinks: Vec<Sink>,
    /// Why lines are missing somewhere.
    lost: Option<String>,
    /// A run has begun, and has not been closed.
    run: bool,
    /// Calls under way: target, contract, agent.
    calls: Vec<[String; 3]>,
}

impl Lines {
    pub(crate) fn to(sinks: Vec<Sink>) -> Lines {
        Lines(Arc::new(Mutex::new(State { sinks, lost: None, run: false, calls: Vec::new() })))
    }

    /// Why lines are missing, if some are that somebody waits for.
    pub(crate) fn lost(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).lost.clone()
    }

    fn hear(&self, event: &BuildEvent) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            BuildEvent::Started { .. } => state.run = true,
            BuildEvent::Finished { .. } => state.run = false,
            BuildEvent::AgentStarted { target, contract, agent } => {
                state.calls.push([target.clone(), contract.clone(), agent.clone()]);
            }
            BuildEvent::AgentFinished { target, contract, .. } => {
                state.calls.retain(|[t, c, _]| t != target || c != contract);
            }
            BuildEvent::Progress { .. } | BuildEvent::Diagnostic(_) | BuildEvent::Artifact(_) | BuildEvent::Task(_) => {
            }
        }
        state.write(event);
    }

    /// Closes what is open: whatever ends the process, each event that opens is followed by one that closes.
    pub(crate) fn close(&self, exit: Exit, failure: Option<&str>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for [target, contract, agent] in std::mem::take(&mut state.calls) {
            let result = CallResult::Cancelled;
            state.write(&BuildEvent::AgentFinished { target, contract, agent, result, millis: 0 });
        }
        if std::mem::take(&mut state.run) {
            let failure = failure.map(str::to_owned);
            state.write(&BuildEvent::Finished { exit, failure, summary: Summary::default() });
        }
    }

    /// A command that could not even begin.
    pub(crate) fn refuse(&self, exit: Exit, failure: &str) {
        self.hear(&BuildEvent::Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            activity: Activity::default(),
            cause: None,
        });
        self.close(exit, Some(failure));
    }
}

impl State {
    fn write(&mut self, event: &BuildEvent) {
        let line = event_json(event) + "\n";
        let lost = &mut self.lost;
        // A reader that went away is told no more; the others are.
        self.sinks.retain_mut(|(name, sink)| match sink.write_all(line.as_bytes()).and_then(|()| sink.flush()) {
            Ok(()) => true,
            Err(error) => {
                if error.kind() != ErrorKind::BrokenPipe {
                    lost.get_or_insert_with(|| format!("{name} cannot be written: {error}"));
                }
                false
            }
        });
    }
}

/// Begins to listen: to everything that somebody here wants to know, and to nothing else.
pub(crate) fn listen(lines: Option<Lines>, bar: Option<Listener>, profile: Option<Profile>, log: Option<String>) {
    type Boxed = Box<dyn Layer<Registry> + Send + Sync>;
    let events = |listener: Listener| -> Boxed {
        Box::new(Listening(listener).with_filter(filter_fn(|metadata| metadata.target() == Carried::TARGET)))
    };
    let mut layers: Vec<Boxed> = Vec::new();
    layers.extend(lines.map(|lines| events(Box::new(move |event| lines.hear(event)))));
    layers.extend(bar.map(events));
    layers.extend(
        profile.map(|profile| -> Boxed { Box::new(profile.with_filter(filter_fn(|metadata| metadata.is_span()))) }),
    );
    layers.extend(log.map(|filter| -> Boxed {
        let text = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
        Box::new(text.with_filter(tracing_subscriber::EnvFilter::new(filter)))
    }));
    // With nobody listening, spans and events cost next to nothing.
    if !layers.is_empty() {
        tracing_subscriber::registry().with(layers).init();
    }
}

/// What a layer needs of the registry.
pub(crate) trait Spans: Subscriber + for<'a> LookupSpan<'a> {}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Spans for S {}
