//! The part of a round that is about asking once more: an agent whose answer did not pass is told what was found (`[[recover]]`).

use std::collections::BTreeSet;
use std::sync::Arc;

use omnigen_agents::Answer;
use omnigen_ir::{Digest, Encoder, View};
use omnigen_report::{Diagnostic, TaskEventKind};
use serde_json::{Value, json};

use super::Flow;
use crate::commit::Commit;
use crate::session::Session;
use crate::tasks::judging;
use crate::tasks::known::{self, Again, Call};

/// The name under which an agent's own opinion of its answer is told.
const OPINION: &str = "quality_threshold";

impl Flow {
    /// An answer did not pass: the agent is asked again, as often as the configuration allows, and told why; what it has answered
    /// to that before is known.
    pub(super) fn not_good_enough(
        &mut self,
        session: &mut Session,
        commit: &mut Commit,
        call: Call,
        answer: Answer,
        why: Vec<Diagnostic>,
        found: Vec<Value>,
    ) -> Result<(), String> {
        let answers = call.again.as_ref().map_or(1, |again| again.answers);
        if answers >= session.setup.config.answers {
            self.reject(session, &call, &answer, why);
            return Ok(());
        }
        let next = once_more(&call, &answer, found);
        let key = next.asked_as();
        let task = next.id();
        if let Some(id) = session.flight.by_key(&key) {
            if let Some(flying) = session.flight.get_mut(id) {
                flying.wanted = true;
            }
            self.asked.entry(id).or_insert_with(|| (next, BTreeSet::new())).1.insert(task);
            return Ok(());
        }
        let refreshed = session.manners.refresh.iter().any(|name| **name == *next.target);
        let stored = session.agents.answers.answer(&key).filter(|_| !refreshed);
        if let Some(stored) = stored.and_then(|bytes| Answer::decode(&bytes).ok())
            && known::still_holds(session, &next, &stored)?
        {
            self.recalled = true;
            return self.answered(session, commit, next, stored, false);
        }
        let worker = session.agents.worker(&next.target).cloned();
        let manners = &session.manners;
        let Some(worker) = worker.filter(|it| !(manners.compare || manners.frozen || manners.offline && it.remote()))
        else {
            self.reject(session, &call, &answer, why);
            return Ok(());
        };
        judging::keep_rejected(session, &answer);
        let why = why.first().map(|why| why.message.clone()).unwrap_or_default();
        self.tell(session, &task, answers, TaskEventKind::Retrying { after_millis: 0, why });
        self.enqueue(worker.priority, next, 1);
        Ok(())
    }
}

/// What is asked after an answer that did not pass.
///
/// Encoding of the key ([`Encoder`]): domain `omnigen once more 1`; what the answer was asked under, its digest (digests); what was
/// found, as canonical JSON (string).
fn once_more(call: &Call, answer: &Answer, found: Vec<Value>) -> Call {
    let found = Value::from(found);
    let mut encoder = Encoder::new("omnigen once more 1", View::Full);
    encoder.digest(&call.asked_as());
    encoder.digest(&answer.digest());
    encoder.str(&found.to_string());
    let files = answer.artifacts.iter().map(|(path, bytes)| match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "path": path, "text": text }),
        Err(_) => json!({ "path": path, "digest": Digest::of(bytes).hex() }),
    });
    let mut chain = call.again.as_ref().map(|again| again.chain.clone()).unwrap_or_default();
    chain.push((answer.digest(), Digest::of(found.to_string().as_bytes())));
    let again = Again {
        key: encoder.finish(),
        answers: chain.len() as u32 + 1,
        feedback: json!({ "artifacts": files.collect::<Vec<_>>(), "gates": found }),
        chain,
    };
    Call { again: Some(Arc::new(again)), ..call.clone() }
}

/// An agent's own opinion of its answer, as gates' findings are told.
pub(super) fn opinion(score: u32, least: u32) -> Value {
    let share = |score: u32| f64::from(score) / 1000.0;
    json!({ "gate": OPINION, "score": share(score), "wanted": share(least), "findings": [] })
}

/// The same for a model, behind its prompt.
pub(super) fn in_words(feedback: &Value) -> String {
    let mut text = "\n\nAn earlier answer to this was not accepted:\n".to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for file in list(&feedback["artifacts"]) {
        text += &format!("\n```\n{}\n```\n", string(&file["text"]).trim_end());
    }
    text += "\nWhat was found:\n\n";
    for gate in list(&feedback["gates"]) {
        let (name, score, wanted) = (string(&gate["gate"]), &gate["score"], &gate["wanted"]);
        text += &format!("- {name}: it scores {score}, and {wanted} are wanted\n");
        for it in list(&gate["findings"]) {
            let place = if it["line"] == 0 { String::new() } else { format!("line {}: ", it["line"]) };
            text += &format!("- {place}{}: {}\n", string(&it["check"]), string(&it["text"]));
        }
    }
    text + "\nGive an answer without these faults.\n"
}
