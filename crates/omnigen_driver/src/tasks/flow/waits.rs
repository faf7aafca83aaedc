//! The part of a round that is about waiting: agents that ask for something while they run, who waits for whom, and who goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use omnigen_agents::{Need, NeedReply};
use omnigen_report::TaskEventKind;

use super::{Flow, name};
use crate::commit::Commit;
use crate::session::Session;
use crate::tasks::flight::Wait;
use crate::tasks::needs::{self, Met};
use crate::tasks::{TaskId, known, show};

/// How long a task waits for another one, if that is said.
pub(super) fn patience(session: &Session, task: &TaskId, needed: &TaskId) -> Option<Duration> {
    let worker = session.agents.worker(&task.1)?;
    worker.patience.iter().find(|(target, _)| **target == *needed.1).map(|(_, most)| *most)
}

impl Flow {
    /// Gives up tasks that have waited for others longer than their targets say. Those others go on, and are found the next time.
    pub(super) fn lose_patience(&mut self, session: &mut Session) {
        let still = |(task, needed): &(TaskId, TaskId)| self.waiting.get(needed).is_some_and(|all| all.contains(task));
        self.waits.retain(|pair, _| still(pair));
        let over = self.waits.iter().filter(|((task, needed), since)| {
            patience(session, task, needed).is_some_and(|most| since.elapsed() > most)
        });
        let over: Vec<(TaskId, TaskId)> = over.map(|(pair, _)| pair.clone()).collect();
        for (task, needed) in over {
            if let Some(waiting) = self.waiting.get_mut(&needed) {
                waiting.remove(&task);
            }
            let most = patience(session, &task, &needed).unwrap_or_default();
            let why = show::waited(&task, &needed, most);
            let (class, text) = ("timeout".to_owned(), why.message.clone());
            self.outcome.failed = true;
            self.outcome.diagnostics.push(why);
            self.tell(session, &task, 0, TaskEventKind::Failed { class, text });
            known::leave_unasked(session, &task);
            self.finished(&task);
            self.refuse(session, &task, "it has no answer");
        }
    }

    /// Ends those that wait, while they run, for a task that will not be answered.
    pub(super) fn refuse(&mut self, session: &mut Session, task: &TaskId, why: &str) {
        let waiting: Vec<u64> = session
            .flight
            .iter()
            .filter(|(_, call)| call.wait.as_ref().is_some_and(|wait| wait.task == *task))
            .map(|(id, _)| id)
            .collect();
        for id in waiting {
            let Some(wait) = session.flight.get_mut(id).and_then(|call| call.wait.take()) else { continue };
            // The call may be over by now.
            let _gone = wait.reply.send(NeedReply::Impossible(why.to_owned()));
        }
    }

    /// An agent asks for something while it runs.
    pub(super) fn need(
        &mut self,
        session: &mut Session,
        id: u64,
        need: Need,
        reply: std::sync::mpsc::Sender<NeedReply>,
    ) -> Result<(), String> {
        let Some(task) = session.flight.get(id).map(|call| call.task.clone()) else { return Ok(()) };
        match needs::met(session, &task, &need)? {
            Met::Reply(answer) => {
                let _gone = reply.send(answer);
            }
            Met::Task(needed) => {
                if let Some(call) = session.flight.get_mut(id) {
                    call.wait = Some(Wait { need, task: needed, reply });
                }
                self.pursue(session, id)?;
            }
        }
        Ok(())
    }

    /// An agent waits for a task: finds out whether it can be had, and sees to it that it is made.
    pub(super) fn pursue(&mut self, session: &mut Session, id: u64) -> Result<(), String> {
        let Some(call) = session.flight.get(id) else { return Ok(()) };
        let (task, Some(needed)) = (call.task.clone(), call.wait.as_ref().map(|wait| wait.task.clone())) else {
            return Ok(());
        };
        if let Some(mut circle) = self.circle(session, &task, &needed) {
            let smallest = (0..circle.len()).min_by_key(|at| name(&circle[*at])).unwrap_or(0);
            circle.rotate_left(smallest);
            self.outcome.diagnostics.push(show::circle(&circle));
            let why = "it waits for this very task";
            if let Some(wait) = session.flight.get_mut(id).and_then(|call| call.wait.take()) {
                let _gone = wait.reply.send(NeedReply::Impossible(why.to_owned()));
            }
            return Ok(());
        }
        if known::given(session, &needed)?.is_some() {
            self.resumed.push(id);
        } else if !self.unfinished.contains(&needed) {
            if self.seen.insert(needed.clone()) {
                let files = [needed.0.clone()];
                session.readable(&needed.0)?;
                let targets = session.agents.targets.clone();
                session.graph_mut()?.set_tasks(&targets, &files);
                self.unfinished.insert(needed.clone());
                self.open.insert(needed);
            } else {
                self.refuse(session, &needed, "it has no answer");
            }
        }
        Ok(())
    }

    /// The tasks that would wait for each other if `task` waited for `needed`.
    pub(super) fn circle(&self, session: &Session, task: &TaskId, needed: &TaskId) -> Option<Vec<TaskId>> {
        // Who waits for whom: a task waits, planned, for one other; or it runs, and waits for one other.
        let mut waits: BTreeMap<&TaskId, &TaskId> = BTreeMap::new();
        for (needed, waiting) in &self.waiting {
            waits.extend(waiting.iter().map(|task| (task, needed)));
        }
        for (_, call) in session.flight.iter().filter(|(id, _)| self.asked.contains_key(id)) {
            if let Some(wait) = &call.wait {
                waits.insert(&call.task, &wait.task);
            }
        }
        let mut path = vec![task.clone()];
        let mut at = needed;
        while at != task {
            if path.contains(at) {
                return None;
            }
            path.push(at.clone());
            at = waits.get(at)?;
        }
        Some(path)
    }

    /// Agents whose need is met go on, as soon as there is a slot for them; they come before new calls.
    pub(super) fn resume(&mut self, session: &mut Session) -> Result<(), String> {
        let met: Vec<u64> = session.flight.iter().filter(|(_, call)| call.wait.is_some()).map(|(id, _)| id).collect();
        for id in met {
            let needed = session.flight.get(id).and_then(|call| Some(call.wait.as_ref()?.task.clone()));
            let Some(needed) = needed.filter(|needed| !self.unfinished.contains(needed)) else { continue };
            if !self.resumed.contains(&id) {
                self.resumed.push(id);
            }
            if known::given(session, &needed)?.is_none() {
                self.refuse(session, &needed, "it has no answer");
            }
        }
        let run = &session.setup.config.run;
        let (io, cpu) = (run.io, run.cpu.unwrap_or(session.setup.threads));
        for id in std::mem::take(&mut self.resumed) {
            let Some(call) = session.flight.get(id) else { continue };
            let Some(needed) = call.wait.as_ref().map(|wait| wait.task.clone()) else { continue };
            if !session.flight.room(&call.worker.clone(), io, cpu) {
                self.resumed.push(id);
                continue;
            }
            let answer = known::given(session, &needed)?.and_then(|given| needs::files(&given));
            let Some(wait) = session.flight.get_mut(id).and_then(|call| call.wait.take()) else { continue };
            let answer = answer.unwrap_or_else(|| NeedReply::Impossible(format!("{} is not here", wait.need)));
            let _gone = wait.reply.send(answer);
        }
        Ok(())
    }

    /// Calls of an earlier round that are still wanted and wait for something: their tasks have to be made in this one.
    pub(super) fn take_up(&mut self, session: &mut Session, commit: &mut Commit) -> Result<(), String> {
        let waiting: Vec<u64> = self
            .asked
            .keys()
            .copied()
            .filter(|id| session.flight.get(*id).is_some_and(|call| call.wait.is_some()))
            .collect();
        for id in waiting {
            self.pursue(session, id)?;
        }
        self.plan(session, commit)
    }

    /// If all that runs waits and nothing else is to come, nobody will ever answer: says who waits for what.
    pub(super) fn unblock(&mut self, session: &mut Session) {
        let idle = self.unjudged.is_empty()
            && self.judged.is_empty()
            && self.queue.is_empty()
            && self.later.is_empty()
            && self.resumed.is_empty();
        let stuck = self.asked.keys().all(|id| session.flight.get(*id).is_some_and(|call| call.wait.is_some()));
        if !idle || !stuck || self.asked.is_empty() {
            return;
        }
        let tasks: BTreeSet<TaskId> =
            session.flight.iter().filter_map(|(_, call)| Some(call.wait.as_ref()?.task.clone())).collect();
        for task in tasks {
            tracing::debug!(task = name(&task), "nobody will answer");
            self.refuse(session, &task, "nobody is left to make it");
        }
    }
}
