//! `--profile FILE`: what ran when on which thread, as a Chrome trace (open it in Perfetto or `chrome://tracing`).
//!
//! Every span becomes one complete event (`ph: X`) of each stretch of time in which its thread was in it: queries
//! (`declarations`, `emit`), reading (`scan`, `load`, `survey`), waiting (`lock`, `agent`), writing (`write`, `save`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::stream::Spans;

/// Gathers until it is rendered. Clones share one state.
#[derive(Clone)]
pub(crate) struct Profile {
    began: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// One event a line, without separators.
    events: Vec<String>,
    /// Names of threads by number.
    threads: BTreeMap<u64, String>,
}

/// The fields of a span, in text form.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let comma = if self.0.is_empty() { "" } else { "," };
        let _infallible = write!(self.0, "{comma}{}:{}", json!(field.name()), json!(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let comma = if self.0.is_empty() { "" } else { "," };
        let _infallible = write!(self.0, "{comma}{}:{}", json!(field.name()), json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let comma = if self.0.is_empty() { "" } else { "," };
        let _infallible = write!(self.0, "{comma}{}:{value}", json!(field.name()));
    }
}

thread_local! {
    /// This thread's number, and when it entered the spans that it is in.
    static HERE: RefCell<(Option<u64>, Vec<u128>)> = const { RefCell::new((None, Vec::new())) };
}

impl Profile {
    pub(crate) fn new() -> Profile {
        Profile { began: Instant::now(), state: Arc::default() }
    }

    /// The whole file.
    pub(crate) fn render(&self) -> String {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::from("[\n");
        out.push_str(r#"{"name":"process_name","ph":"M","pid":1,"args":{"name":"omnigen"}}"#);
        for (number, name) in &state.threads {
            let name = json!(name);
            let _infallible = write!(
                out,
                ",\n{{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":{number},\"args\":{{\"name\":{name}}}}}"
            );
        }
        for event in &state.events {
            out.push_str(",\n");
            out.push_str(event);
        }
        out.push_str("\n]\n");
        out
    }

    fn thread(&self) -> u64 {
        HERE.with_borrow_mut(|(number, _)| {
            *number.get_or_insert_with(|| {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                let number = state.threads.len() as u64;
                let name = std::thread::current().name().map_or_else(|| format!("worker {number}"), str::to_owned);
                state.threads.insert(number, name);
                number
            })
        })
    }
}

impl<S: Spans> Layer<S> for Profile {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields(String::new());
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_enter(&self, _: &Id, _: Context<'_, S>) {
        let now = self.began.elapsed().as_nanos();
        HERE.with_borrow_mut(|(_, entered)| entered.push(now));
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let now = self.began.elapsed().as_nanos();
        let Some(entered) = HERE.with_borrow_mut(|(_, entered)| entered.pop()) else { return };
        let Some(span) = context.span(id) else { return };
        let thread = self.thread();
        let extensions = span.extensions();
        let fields = extensions.get::<Fields>().map_or("", |fields| &fields.0);
        let micros = |nanos: u128| format!("{}.{:03}", nanos / 1_000, nanos % 1_000);
        let event = format!(
            r#"{{"name":{},"cat":{},"ph":"X","pid":1,"tid":{thread},"ts":{},"dur":{},"args":{{{fields}}}}}"#,
            json!(span.name()),
            json!(span.metadata().target()),
            micros(entered),
            micros(now.saturating_sub(entered)),
        );
        self.state.lock().unwrap_or_else(PoisonError::into_inner).events.push(event);
    }
}
