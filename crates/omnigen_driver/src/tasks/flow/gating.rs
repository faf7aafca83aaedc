//! The part of a round that is about gates: which answers may be placed.

use std::collections::BTreeMap;

use omnigen_agents::Answer;
use omnigen_engine::ReadKey;
use omnigen_ir::FileId;
use omnigen_report::{Change, ChangeKind, Diagnostic, TaskEventKind};

use super::super::judging::{self, Judging, Standing, Subjects, Unjudged};
use super::super::known::{self, Call};
use super::super::{TaskId, show};
use super::Flow;
use crate::commit::Commit;
use crate::session::Session;

/// How often it is looked whether answers have changed what others were judged by: enough for files that import each other.
const REOPENED: u32 = 4;

impl Flow {
    /// An answer must not be placed. It stays in the store, so that nobody pays for the same mistake again, and lies open to be
    /// looked at.
    pub(super) fn reject(&mut self, session: &mut Session, call: &Call, answer: &Answer, why: Vec<Diagnostic>) {
        let task = call.id();
        judging::keep_rejected(session, answer);
        self.outcome.failed = true;
        let text = why.first().map(|why| why.message.clone()).unwrap_or_default();
        self.outcome.diagnostics.extend(why);
        self.tell(session, &task, 0, TaskEventKind::Failed { class: "quality".to_owned(), text });
        known::leave_open(session, call);
        self.finished(&task);
        self.refuse(session, &task, "its answer did not pass its gates");
    }

    /// Has the gates judge what waits for them, if they are not at work already; what they have judged before is known.
    pub(super) fn judge(&mut self, session: &mut Session, commit: &mut Commit) -> Result<(), String> {
        if session.flight.judging || self.unjudged.is_empty() {
            return Ok(());
        }
        // What artifacts import is read where it lies.
        if !session.manners.compare {
            commit.flush(session)?;
        }
        let mut waiting = std::mem::take(&mut self.unjudged);
        let mut open = Vec::new();
        loop {
            let unplaced = self.unplaced(session, &waiting);
            let before = waiting.len();
            let mut blocked = Vec::new();
            for unjudged in waiting {
                let own = unjudged.call.id();
                let coming = |path: &str| unplaced.get(path).is_some_and(|task| *task != own);
                match judging::standing(session, unjudged, &coming)? {
                    Standing::Known(judging, true) => self.pass(session, commit, *judging)?,
                    Standing::Known(judging, false) => self.conclude(session, commit, vec![*judging])?,
                    Standing::Open(judging) => open.push(*judging),
                    Standing::Blocked(unjudged) => blocked.push(*unjudged),
                }
            }
            // Answers that import each other are judged with what lies there.
            let idle = self.asked.is_empty()
                && self.queue.is_empty()
                && self.later.is_empty()
                && self.open.is_empty()
                && self.contested.is_empty();
            if blocked.len() == before && idle && open.is_empty() {
                for unjudged in blocked {
                    match judging::standing(session, unjudged, &|_| false)? {
                        Standing::Known(judging, true) => self.pass(session, commit, *judging)?,
                        Standing::Known(judging, false) => self.conclude(session, commit, vec![*judging])?,
                        Standing::Open(judging) => open.push(*judging),
                        Standing::Blocked(_) => {}
                    }
                }
                break;
            }
            if blocked.len() == before || blocked.is_empty() || !open.is_empty() {
                self.unjudged.extend(blocked);
                break;
            }
            if !session.manners.compare {
                commit.flush(session)?;
            }
            waiting = blocked;
        }
        if session.manners.compare {
            // A check writes nothing and starts nothing: what has no receipt is stale.
            for judging in open {
                self.note_missing(session, commit, &judging.call);
                self.finished(&judging.call.id());
            }
        } else if !open.is_empty() {
            session.flight.judging = true;
            self.judged.extend(open.iter().map(|subject| subject.call.id()));
            judging::start(session, open);
        }
        Ok(())
    }

    /// Paths, below the output folder, that unfinished tasks may still bring.
    fn unplaced(&self, session: &Session, waiting: &[Unjudged]) -> BTreeMap<String, TaskId> {
        let answers =
            waiting.iter().flat_map(|it| it.answer.artifacts.iter().map(|(path, _)| (path.clone(), it.call.id())));
        let expected = |task: &TaskId| Some((show::pattern(session, task)?.as_str().to_owned(), task.clone()));
        self.unfinished.iter().filter_map(expected).chain(answers).collect()
    }

    pub(super) fn note_missing(&self, session: &mut Session, commit: &mut Commit, call: &Call) {
        // Nothing is recorded of it in a run that compares; what is there is not what is wanted.
        if let Some(record) = session.records.get_mut(&call.file).filter(|r| !r.waiting.contains(&call.target)) {
            record.waiting.push(call.target.clone());
        }
        for path in show::expected(session, &call.id()) {
            let (contract, target) = (call.file.to_string(), call.target.to_string());
            commit.note(Change { path, change: ChangeKind::AnswerMissing, contract, target, ..Change::default() });
        }
    }

    pub(super) fn pass(&mut self, session: &mut Session, commit: &mut Commit, judging: Judging) -> Result<(), String> {
        let Judging { call, answer, receipts, reads, .. } = judging;
        judging::forget_rejected(session, &answer);
        self.admit(session, commit, call, answer, receipts, reads)
    }

    /// Opens tasks again whose answers were judged beside files that other answers have changed since.
    pub(super) fn reopen(&mut self, session: &mut Session, commit: &mut Commit) -> Result<(), String> {
        let wide = |target: &str| {
            let names = session.agents.worker(target).map(|worker| worker.gates.as_slice()).unwrap_or_default();
            names.iter().filter_map(|name| session.agents.gates.get(name)).any(|gate| gate.is_wide())
        };
        let targets: Vec<Box<str>> =
            session.agents.targets.iter().map(|target| target.name.clone()).filter(|target| wide(target)).collect();
        if targets.is_empty() || session.manners.compare || self.outcome.calls + self.outcome.cached == 0 {
            return Ok(());
        }
        self.reopened += 1;
        if self.reopened > REOPENED {
            return Ok(());
        }
        commit.flush(session)?;
        let files: Vec<FileId> =
            session.records.iter().filter(|(_, r)| r.contract && !r.held).map(|(file, _)| file.clone()).collect();
        for file in files {
            for target in &targets {
                let made = session.records.details(&file).and_then(|details| details.made.get(&**target));
                let Some(trace) = made.filter(|made| made.ready).map(|made| made.trace.clone()) else { continue };
                let mut old = false;
                for read in trace.iter() {
                    let beside = matches!(read.key, ReadKey::Artifact(..) | ReadKey::Bytes(_));
                    old |= beside && session.current(&read.key)? != read.digest;
                }
                if old {
                    session.readable(&file)?;
                    let all = session.agents.targets.clone();
                    session.graph_mut()?.set_tasks(&all, std::slice::from_ref(&file));
                    let task = (file.clone(), target.clone());
                    self.unfinished.insert(task.clone());
                    self.open.insert(task);
                }
            }
        }
        Ok(())
    }

    /// Takes verdicts in: what passes is placed, the rest is not.
    pub(super) fn conclude(
        &mut self,
        session: &mut Session,
        commit: &mut Commit,
        subjects: Subjects,
    ) -> Result<(), String> {
        for subject in subjects {
            match judging::objections(session, &subject) {
                why if why.is_empty() => self.pass(session, commit, subject)?,
                why => {
                    let found = judging::found(&subject);
                    let Judging { call, answer, .. } = subject;
                    self.not_good_enough(session, commit, call, answer, why, found)?;
                }
            }
        }
        Ok(())
    }
}
