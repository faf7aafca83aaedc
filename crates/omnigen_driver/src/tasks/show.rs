//! What people are told about tasks.

use omnigen_agents::{Failure, FailureClass, OutputPattern};
use omnigen_report::{At, Code, Diagnostic};

use super::TaskId;
use super::known::Call;
use super::lock::LOCK;
use crate::session::Session;

/// What the outputs of a task may be called.
pub(super) fn pattern(session: &Session, (file, target): &TaskId) -> Option<OutputPattern> {
    let target = session.agents.target(target)?;
    let unit = session.setup.unit(file);
    OutputPattern::new(&omnigen_engine::output_path(&target.output, &unit), &[]).ok()
}

/// The same, as paths are shown.
pub(super) fn expected(session: &Session, task: &TaskId) -> Vec<String> {
    let pattern = pattern(session, task);
    pattern.iter().map(|pattern| format!("{}/{}", session.setup.out_name, pattern.as_str())).collect()
}

/// An answer is needed and must not be asked for.
pub(super) fn missing(session: &Session, call: &Call) -> Diagnostic {
    let locked = session.agents.lock.of(&call.target, &call.file).first();
    let message = match locked {
        Some(entry) if entry.key == call.request.key => {
            let files: Vec<String> =
                entry.artifacts.iter().map(|(path, _)| format!("{}/{path}", session.setup.out_name)).collect();
            let what = if files.is_empty() { "it".to_owned() } else { files.join(", ") };
            format!(
                "the answer of `{}` that {LOCK} names cannot be restored: it is in no store, and {what} is not there as it says",
                call.target
            )
        }
        Some(_) => format!("what `{}` may see has changed since {LOCK} was written", call.target),
        None => format!("{LOCK} has no answer of `{}`", call.target),
    };
    let hint = "run `omnigen build` where agents may run, and commit the lock and the outputs";
    Diagnostic::new(Code::AnswerMissing, At::file(&call.file), message).hint(hint)
}

/// An agent would have to be asked over the network.
pub(super) fn offline(call: &Call, agent: &str) -> Diagnostic {
    let message = format!("`{}` would have to ask `{agent}` over the network, and this run is offline", call.target);
    let hint = "run `omnigen build` without --offline once, and commit the lock and the outputs";
    Diagnostic::new(Code::AnswerMissing, At::file(&call.file), message).hint(hint)
}

/// A request cannot be made.
pub(super) fn unaskable((file, target): &TaskId, why: &str) -> Diagnostic {
    let message = format!("`{target}` cannot be asked for: {why}");
    Diagnostic::new(Code::AgentFailed, At::file(file), message)
}

/// Tasks that wait for each other, in order: the first is the smallest.
pub(super) fn circle(tasks: &[TaskId]) -> Diagnostic {
    let names: Vec<String> = tasks.iter().map(|(file, target)| format!("`{target}` of {file}")).collect();
    let first = names.first().cloned().unwrap_or_default();
    let message = format!("tasks wait for each other in a circle: {} → {first}", names.join(" → "));
    let at = tasks.first().map(|(file, _)| At::file(file));
    let diagnostic = match at {
        Some(at) => Diagnostic::new(Code::TaskCycle, at, message),
        None => Diagnostic::global(Code::TaskCycle, message),
    };
    diagnostic.hint("one of the agents must do without what it asks the other for")
}

/// A task has waited too long for another one.
pub(super) fn waited((file, target): &TaskId, (_, needed): &TaskId, most: std::time::Duration) -> Diagnostic {
    let message = format!("`{target}` waited {most:?} for `{needed}`, as long as its `needs` allow");
    let hint = format!("`{needed}` goes on: another build finds it; or raise its `timeout` in `needs`");
    Diagnostic::new(Code::AgentTimeout, At::file(file), message).hint(hint)
}

/// An agent thinks too little of its own answer.
pub(super) fn too_low(call: &Call, score: u32, least: u32) -> Diagnostic {
    let share = |share: u32| format!("{:.2}", f64::from(share) / 1000.0);
    let message = format!(
        "`{}` scores {} by its agent's own opinion, and {} are wanted (`quality_threshold`)",
        call.target,
        share(score),
        share(least)
    );
    Diagnostic::new(Code::GateFailed, At::file(&call.file), message)
}

/// An answer has a path that belongs to another one.
pub(super) fn taken(session: &Session, call: &Call, path: &str, (file, target): &TaskId) -> Diagnostic {
    let whose = if file.is_empty() { "the project".to_owned() } else { file.to_string() };
    let out = &session.setup.out_name;
    let message = format!(
        "`{}` gives {out}/{path}, which is `{target}` of {whose}, or differs from it only in case",
        call.target
    );
    Diagnostic::new(Code::OutputCollision, At::file(&call.file), message).hint("give each target a folder of its own")
}

/// An agent gave no answer.
pub(super) fn failed(session: &Session, call: &Call, failure: &Failure, attempts: u32) -> Diagnostic {
    let agent = session.agents.target(&call.target).map_or("", |target| &target.agent);
    let times = if attempts > 1 { format!(" in {attempts} attempts") } else { String::new() };
    let message = format!("agent `{agent}` gave no `{}` for this contract{times}: {}", call.target, failure.text);
    let mut diagnostic = Diagnostic::new(failure.class.code(), At::file(&call.file), message);
    if let Some(span) = &failure.span {
        let column = span.column.map(|column| format!(":{column}")).unwrap_or_default();
        diagnostic.message.push_str(&format!(" ({}:{}{column})", span.path, span.line));
    }
    let stderr = failure.stderr.trim();
    if !stderr.is_empty() {
        let tail: Vec<&str> = stderr.lines().rev().take(12).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        return diagnostic.hint(format!("it said:\n{}", tail.join("\n")));
    }
    match failure.class {
        FailureClass::Start => {
            diagnostic.hint("is the program installed, and are its files among the agent's `inputs`?")
        }
        _ => diagnostic,
    }
}
