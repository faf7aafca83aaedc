//! One round of work on tasks: plan, look up, call, take in; until nothing is pending, or an edit comes first.

mod claims;
mod feedback;
mod gating;
mod waits;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use omnigen_agents::{AgentEvent, Answer, Failure, FailureClass, Task};
use omnigen_engine::{Package, Planned};
use omnigen_ir::{Digest, Json};
use omnigen_report::{BuildEvent, CallResult, TaskEvent, TaskEventKind};

use self::claims::{Claims, Contested};
use super::flight::{Job, Mail};
use super::judging::{self, Unjudged};
use super::known::{self, Call, Known};
use super::seen::Parts;
use super::{Runner, TaskId, TaskOutcome, Worker, lock, show};
use crate::commit::Commit;
use crate::events;
use crate::session::Session;

/// How often the wish to stop is looked at while nothing happens.
const TICK: Duration = Duration::from_millis(50);
/// How long answers that cost nothing may wait to be stored together: a transaction takes longer than a small task.
const STORE_AFTER: Duration = Duration::from_secs(1);
/// So many answers are stored as soon as there is nothing else to do.
const ENOUGH: usize = 8;
/// How long nothing must have been edited before a call that costs money begins, in `watch`.
const QUIET: Duration = Duration::from_millis(300);

/// The state of a round.
pub(super) struct Flow {
    outcome: TaskOutcome,
    started: Instant,
    /// To be planned.
    open: BTreeSet<TaskId>,
    /// Neither answered nor given up.
    unfinished: BTreeSet<TaskId>,
    /// Planned, and waiting for another task: needed → waiting.
    waiting: BTreeMap<TaskId, BTreeSet<TaskId>>,
    /// Since when tasks wait, that do not wait for ever: waiting, needed.
    waits: BTreeMap<(TaskId, TaskId), Instant>,
    /// To be called when there is room: highest priority first, then in order.
    queue: VecDeque<(i64, Call, u32)>,
    /// To be called again at a time.
    later: Vec<(Instant, Call, u32)>,
    /// Answers that gates have to judge.
    unjudged: Vec<Unjudged>,
    /// Tasks whose answers are being judged.
    judged: BTreeSet<TaskId>,
    /// Called: what for, by the call's number.
    asked: BTreeMap<u64, (Call, BTreeSet<TaskId>)>,
    /// Agents that wait for a task that is answered by now, and for a slot.
    resumed: Vec<u64>,
    /// Tasks that were taken up in this round.
    seen: BTreeSet<TaskId>,
    /// Answers, and what their keys are made of, on their way into the store.
    answers: Vec<(Digest, Vec<u8>)>,
    parts: Vec<(Digest, Vec<u8>)>,
    kept_at: Instant,
    /// An answer to a question that was asked once more was known, and waits for its gates.
    recalled: bool,
    /// There was nothing to do but wait.
    waited: bool,
    /// An edit came in.
    edited: bool,
    /// How often tasks were opened again.
    reopened: u32,
    /// Whose outputs are, once something is to be placed.
    claims: Option<Claims>,
    /// Answers that may have paths which others give as well: placed in the order of their tasks when no other can come.
    contested: BTreeMap<TaskId, Contested>,
    /// Tasks for which what their agents had asked for was another when they were done.
    overtaken: BTreeSet<TaskId>,
}

impl Flow {
    pub(super) fn new(open: BTreeSet<TaskId>, outcome: TaskOutcome) -> Flow {
        let now = Instant::now();
        Flow {
            outcome,
            started: now,
            unfinished: open.clone(),
            seen: open.clone(),
            open,
            waiting: BTreeMap::new(),
            waits: BTreeMap::new(),
            queue: VecDeque::new(),
            later: Vec::new(),
            unjudged: Vec::new(),
            judged: BTreeSet::new(),
            asked: BTreeMap::new(),
            resumed: Vec::new(),
            answers: Vec::new(),
            parts: Vec::new(),
            kept_at: now,
            waited: false,
            recalled: false,
            edited: false,
            reopened: 0,
            claims: None,
            contested: BTreeMap::new(),
            overtaken: BTreeSet::new(),
        }
    }

    pub(super) fn run(mut self, session: &mut Session, commit: &mut Commit) -> Result<TaskOutcome, String> {
        session.flight.unwant();
        let result = self.work(session, commit);
        if result.is_err() {
            session.flight.cancel_all();
        }
        // Whatever was answered is kept, also if the run is to end.
        self.keep(session);
        result?;
        let left: Vec<TaskId> = self.unfinished.iter().cloned().collect();
        for task in &left {
            if session.records.get(&task.0).is_some_and(|record| !record.held) && !session.manners.compare {
                known::leave_unasked(session, task);
            }
        }
        lock::save(session, !self.edited)?;
        session.agents.answers.release();
        Ok(self.outcome)
    }

    fn work(&mut self, session: &mut Session, commit: &mut Commit) -> Result<(), String> {
        self.plan(session, commit)?;
        session.flight.cancel_unwanted();
        self.take_up(session, commit)?;
        loop {
            self.plan(session, commit)?;
            self.resume(session)?;
            // Also one that came in before the round came here.
            self.edited |= session.edited();
            if self.edited {
                return Ok(());
            }
            self.start(session)?;
            self.judge(session, commit)?;
            if !self.open.is_empty() || std::mem::take(&mut self.recalled) {
                continue;
            }
            if self.settle_contested(session, commit)? {
                continue;
            }
            let idle = self.asked.is_empty() && self.queue.is_empty() && self.later.is_empty();
            if idle && self.unjudged.is_empty() && self.judged.is_empty() {
                self.reopen(session, commit)?;
                if self.open.is_empty() {
                    return Ok(());
                }
                continue;
            }
            self.unblock(session);
            let Some(mail) = session.flight.next(self.pause()) else {
                session.go_on()?;
                if session.setup.config.run.timeout.is_some_and(|most| self.started.elapsed() > most) {
                    self.out_of_time(session);
                    return Ok(());
                }
                self.due(session);
                self.lose_patience(session);
                self.use_the_wait(session);
                // While all wait for agents, what has come in is stored and placed: less is left for the end.
                if self.answers.len() >= ENOUGH {
                    self.keep(session);
                    if !session.manners.compare {
                        commit.flush(session)?;
                    }
                }
                continue;
            };
            self.receive(session, commit, mail)?;
            // What came in at the same time is dealt with together.
            while let Some(mail) = session.flight.next(Duration::ZERO) {
                self.receive(session, commit, mail)?;
            }
            self.due(session);
            self.lose_patience(session);
            if self.edited {
                return Ok(());
            }
            if self.kept_at.elapsed() > STORE_AFTER {
                self.keep(session);
            }
        }
    }

    /// What the end of a first build needs of the program, and takes longer than a small task, is found out while all wait.
    fn use_the_wait(&mut self, session: &Session) {
        if !std::mem::replace(&mut self.waited, true)
            && let Some(executable) = session.executable.clone()
        {
            std::thread::spawn(move || {
                let _told_again = executable.digest();
            });
        }
    }

    /// Plans everything that is open, and what that opens.
    fn plan(&mut self, session: &mut Session, commit: &mut Commit) -> Result<(), String> {
        while let Some(task) = self.open.pop_first() {
            match plan(session, &task)? {
                Planned::Ready(request) => {
                    let call = Call { file: task.0, target: task.1, request, again: None };
                    self.ready(session, commit, call)?;
                }
                Planned::Waiting(need) => {
                    let needed = (task.0.clone(), need);
                    self.wait_for(session, task, needed);
                }
                Planned::Failed(why) => {
                    self.outcome.failed = true;
                    self.outcome.diagnostics.push(show::unaskable(&task, &why));
                    self.finished(&task);
                    known::leave_unasked(session, &task);
                }
                Planned::Held | Planned::Unread(_) => {
                    self.finished(&task);
                }
            }
        }
        Ok(())
    }

    /// A task waits for another one, which is looked up if it is settled, or given up if it cannot be had.
    fn wait_for(&mut self, session: &mut Session, task: TaskId, needed: TaskId) {
        if !self.unfinished.contains(&needed) {
            if !self.seen.insert(needed.clone()) {
                // It was worked off already, and gave nothing.
                self.finished(&task);
                known::leave_unasked(session, &task);
                return;
            }
            self.unfinished.insert(needed.clone());
            self.open.insert(needed.clone());
        }
        if waits::patience(session, &task, &needed).is_some() {
            self.waits.entry((task.clone(), needed.clone())).or_insert_with(Instant::now);
        }
        self.waiting.entry(needed).or_default().insert(task);
    }

    /// A request is complete: looks for its answer, or puts it into the queue.
    fn ready(&mut self, session: &mut Session, commit: &mut Commit, call: Call) -> Result<(), String> {
        let task = call.id();
        let key = call.request.key;
        if let Some(id) = session.flight.by_key(&key) {
            if let Some(flying) = session.flight.get_mut(id) {
                flying.wanted = true;
            }
            self.asked.entry(id).or_insert_with(|| (call, BTreeSet::new())).1.insert(task);
            return Ok(());
        }
        let known = if session.manners.refresh.iter().any(|name| **name == *call.target) {
            Known::Nothing
        } else {
            let unfinished = &self.unfinished;
            known::look_up(session, &call, &|other| *other != task && unfinished.contains(other))?
        };
        if let Known::Replayed(answer) = &known
            && !session.manners.compare
        {
            self.answers.push((key, answer.encode()));
            self.parts.push((key, parts(session, &call)));
        }
        let known = match known {
            // Answers that need each other cannot be told to hold: the agent has to be asked.
            Known::Waiting(needed) if self.circle(session, &task, &needed).is_none() => {
                self.wait_for(session, task, needed);
                return Ok(());
            }
            Known::Waiting(_) => Known::Nothing,
            known => known,
        };
        let manners = &session.manners;
        match known {
            Known::Answer(answer) | Known::Replayed(answer) => {
                self.outcome.cached += 1;
                self.tell(session, &task, 0, TaskEventKind::Cached);
                self.answered(session, commit, call, *answer, false)?;
            }
            known if manners.compare || manners.frozen => {
                if manners.frozen {
                    self.outcome.failed = true;
                    self.outcome.diagnostics.push(show::missing(session, &call));
                    known::leave_open(session, &call);
                } else {
                    self.note_missing(session, commit, &call);
                }
                if let Known::Digests(entry) = known {
                    known::give_digests(session, &call, &entry)?;
                }
                self.finished(&task);
            }
            Known::Digests(_) | Known::Nothing | Known::Waiting(_) => {
                let Some(worker) = session.agents.worker(&call.target) else { return Ok(()) };
                if session.manners.offline && worker.remote() {
                    self.outcome.failed = true;
                    self.outcome.diagnostics.push(show::offline(&call, &worker.agent.name));
                    known::leave_open(session, &call);
                    self.finished(&task);
                } else {
                    let priority = worker.priority;
                    self.enqueue(priority, call, 1);
                }
            }
        }
        Ok(())
    }

    /// An answer is there: takes it in. `fresh`: an agent has just given it.
    fn answered(
        &mut self,
        session: &mut Session,
        commit: &mut Commit,
        call: Call,
        answer: Answer,
        fresh: bool,
    ) -> Result<(), String> {
        if fresh {
            self.answers.push((call.asked_as(), answer.encode()));
            if call.again.is_none() {
                self.parts.push((call.request.key, parts(session, &call)));
            }
        }
        if fresh && !known::still_holds(session, &call, &answer)? {
            self.ask_again(session, call);
            return Ok(());
        }
        let worker = session.agents.worker(&call.target).cloned();
        let least = worker.as_ref().map_or(0, |worker| worker.least);
        if let Some(score) = answer.score.map(thousandths).filter(|score| *score < least) {
            let why = show::too_low(&call, score, least);
            let found = feedback::opinion(score, least);
            return self.not_good_enough(session, commit, call, answer, vec![why], vec![found]);
        }
        if !judging::gated(session, &call) {
            return self.admit(session, commit, call, answer, Vec::new(), Vec::new());
        }
        self.unjudged.push(Unjudged { call, answer, fresh });
        Ok(())
    }

    /// A task is answered or given up: those who wait for it are planned again. Names them.
    fn finished(&mut self, task: &TaskId) -> Vec<String> {
        self.unfinished.remove(task);
        let waiting = self.waiting.remove(task).unwrap_or_default();
        let names = waiting.iter().map(name).collect();
        self.open.extend(waiting);
        names
    }

    /// Begins calls as long as there is room.
    fn start(&mut self, session: &mut Session) -> Result<(), String> {
        let run = &session.setup.config.run;
        let (io, cpu) = (run.io, run.cpu.unwrap_or(session.setup.threads));
        let quiet = session.quiet_since.is_none_or(|since| since.elapsed() >= QUIET);
        // Agents that take no more calls now: of thousands that wait, only those are looked at that could begin.
        let mut full: BTreeSet<Box<str>> = BTreeSet::new();
        let mut at = 0;
        while full.len() < session.agents.targets.len()
            && let Some((_, call, _)) = self.queue.get(at)
        {
            let Some(worker) = session.agents.worker(&call.target).cloned() else {
                self.queue.remove(at);
                continue;
            };
            if full.contains(&call.target) {
                at += 1;
                continue;
            }
            if !session.flight.room(&worker, io, cpu) || (worker.paid() && !quiet) {
                full.insert(call.target.clone());
                at += 1;
                continue;
            }
            let Some((_, call, attempt)) = self.queue.remove(at) else { break };
            let task = call.id();
            session.readable(&call.file)?;
            let Some(package) = session.graph_mut()?.package(&call.file, &call.target) else { continue };
            let job = job(session, &call, &worker, package)?;
            let id = session.flight.start(task.clone(), call.asked_as(), attempt, &worker, job);
            self.outcome.calls += 1;
            self.tell(session, &task, attempt, TaskEventKind::Started);
            events::tell(|| BuildEvent::AgentStarted {
                target: task.1.to_string(),
                contract: task.0.to_string(),
                agent: worker.agent.name.clone(),
            });
            self.asked.insert(id, (call, BTreeSet::from([task])));
        }
        Ok(())
    }

    /// How long the mailbox may be waited at.
    fn pause(&self) -> Duration {
        let now = Instant::now();
        let next = self.later.iter().map(|(at, ..)| at.saturating_duration_since(now)).min();
        next.map_or(TICK, |next| next.min(TICK))
    }

    /// Puts a call behind those that are as urgent.
    fn enqueue(&mut self, priority: i64, call: Call, attempt: u32) {
        let at = self.queue.partition_point(|(other, ..)| *other >= priority);
        self.queue.insert(at, (priority, call, attempt));
    }

    /// Moves what is to be tried again into the queue, when its time has come.
    fn due(&mut self, session: &Session) {
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut self.later).into_iter().partition(|(at, ..)| *at <= now);
        self.later = later;
        let due: Vec<(Instant, Call, u32)> = due;
        for (_, call, attempt) in due {
            let priority = session.agents.worker(&call.target).map_or(0, |worker| worker.priority);
            self.enqueue(priority, call, attempt);
        }
    }

    /// The run has taken as long as it may.
    fn out_of_time(&mut self, session: &mut Session) {
        session.flight.cancel_all();
        let most = session.setup.config.run.timeout.unwrap_or_default();
        let queued = self.queue.drain(..).map(|(_, call, _)| call).chain(self.later.drain(..).map(|(_, call, _)| call));
        let calls: Vec<Call> =
            queued.chain(std::mem::take(&mut self.asked).into_values().map(|(call, _)| call)).collect();
        for call in calls {
            let text = format!("the run's time is over ({most:?}, `run.timeout`)");
            let failure = Failure { class: FailureClass::Timeout, text, ..Failure::start(String::new()) };
            self.give_up(session, &call, &failure, 1);
        }
    }

    fn receive(&mut self, session: &mut Session, commit: &mut Commit, mail: Mail) -> Result<(), String> {
        match mail {
            Mail::Changed(change) => {
                session.flight.edits.push(change);
                self.edited = true;
            }
            Mail::Said(id, event) => self.said(session, id, event),
            Mail::Need(id, need, reply) => self.need(session, id, need, reply)?,
            Mail::Done(id, result) => self.done(session, commit, id, *result)?,
            Mail::Judged(judged) => {
                session.flight.judging = false;
                match judging::taken(session, *judged) {
                    Ok(subjects) => {
                        // Those of a round that an edit has ended are planned again, and find their verdicts.
                        let ours =
                            subjects.into_iter().filter(|subject| self.judged.remove(&subject.call.id())).collect();
                        self.conclude(session, commit, ours)?;
                    }
                    Err(subjects) => {
                        for (subject, why) in subjects {
                            if !self.judged.remove(&subject.call.id()) {
                                continue;
                            }
                            self.reject(session, &subject.call, &subject.answer, vec![why]);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn said(&self, session: &Session, id: u64, event: AgentEvent) {
        let Some(call) = session.flight.get(id) else { return };
        let kind = match event {
            AgentEvent::Initialized => TaskEventKind::Initialized,
            AgentEvent::Progress { done, total, text } => TaskEventKind::Progress { done, total, text },
            AgentEvent::Message { to, kind } => TaskEventKind::Message { to, kind },
            AgentEvent::Waiting(need) => TaskEventKind::Waiting { need },
            AgentEvent::Resumed(need) => TaskEventKind::Resumed { need },
            AgentEvent::Started | AgentEvent::Artifact { .. } | AgentEvent::Completed => return,
        };
        self.tell(session, &call.task, call.attempt, kind);
    }

    /// A call is over.
    fn done(
        &mut self,
        session: &mut Session,
        commit: &mut Commit,
        id: u64,
        result: Result<Answer, Failure>,
    ) -> Result<(), String> {
        let Some(flown) = session.flight.over(id) else { return Ok(()) };
        self.resumed.retain(|waiting| *waiting != id);
        let millis = flown.since.elapsed().as_millis() as u64;
        events::tell(|| BuildEvent::AgentFinished {
            target: flown.task.1.to_string(),
            contract: flown.task.0.to_string(),
            agent: flown.worker.agent.name.clone(),
            result: match &result {
                Ok(_) => CallResult::Answered,
                Err(failure) if failure.class == FailureClass::Timeout => CallResult::TimedOut,
                Err(failure) if failure.class == FailureClass::Cancelled => CallResult::Cancelled,
                Err(_) => CallResult::Failed,
            },
            millis,
        });
        let Some((call, _)) = self.asked.remove(&id) else {
            // Nobody needs it any more. What was paid for is kept all the same.
            if let Ok(answer) = &result {
                self.answers.push((flown.key, answer.encode()));
                self.keep(session);
            }
            self.tell(session, &flown.task, flown.attempt, TaskEventKind::Cancelled);
            return Ok(());
        };
        match result {
            Ok(answer) => {
                let tokens = answer.provenance.as_ref().map(|from| from.prompt_tokens + from.reply_tokens);
                let score = answer.score.map(thousandths);
                let kind = TaskEventKind::Completed { millis, score, tokens: tokens.filter(|tokens| *tokens > 0) };
                self.tell(session, &flown.task, flown.attempt, kind);
                self.answered(session, commit, call, answer, true)?;
                if flown.worker.paid() {
                    self.keep(session);
                }
            }
            Err(failure) => {
                let retry = &flown.worker.agent.retry;
                if failure.is_worth_another_attempt() && flown.attempt < retry.attempts {
                    let pause = failure.retry_after.unwrap_or_else(|| super::flight::pause(retry, flown.attempt));
                    let why = failure.to_string();
                    let kind = TaskEventKind::Retrying { after_millis: pause.as_millis() as u64, why };
                    self.tell(session, &flown.task, flown.attempt, kind);
                    self.later.push((Instant::now() + pause, call, flown.attempt + 1));
                } else {
                    self.give_up(session, &call, &failure, flown.attempt);
                }
            }
        }
        Ok(())
    }

    fn give_up(&mut self, session: &mut Session, call: &Call, failure: &Failure, attempts: u32) {
        let task = call.id();
        self.outcome.failed = true;
        self.outcome.diagnostics.push(show::failed(session, call, failure, attempts));
        let (class, text) = (failure.class.name().to_owned(), failure.text.clone());
        self.tell(session, &task, attempts, TaskEventKind::Failed { class, text });
        known::leave_open(session, call);
        self.finished(&task);
        self.refuse(session, &task, "it has no answer");
    }

    /// Stores what has come in.
    fn keep(&mut self, session: &mut Session) {
        session.agents.answers.put_answered(&self.answers, &self.parts);
        self.answers.clear();
        self.parts.clear();
        self.kept_at = Instant::now();
    }

    /// Tells whoever listens.
    fn tell(&self, session: &Session, task: &TaskId, attempt: u32, kind: TaskEventKind) {
        let agent = session.agents.target(&task.1).map_or("", |target| &target.agent);
        tracing::debug!(task = name(task), agent, attempt, ?kind, "task");
        events::tell(|| {
            BuildEvent::Task(TaskEvent {
                at_millis: self.started.elapsed().as_millis() as u64,
                task: name(task),
                target: task.1.to_string(),
                contract: task.0.to_string(),
                agent: agent.to_owned(),
                attempt,
                kind,
            })
        });
    }
}

/// A share from 0 to 1 as it is told.
fn thousandths(share: f64) -> u32 {
    (share * 1000.0).round() as u32
}

/// What a task is called: `docs:contracts/order.json`.
pub(super) fn name((file, target): &TaskId) -> String {
    format!("{target}:{file}")
}

pub(super) fn plan(session: &mut Session, (file, target): &TaskId) -> Result<Planned, String> {
    for _ in 0..1000 {
        match session.graph_mut()?.plan(file, target) {
            Planned::Unread(files) => session.supply(files)?,
            planned => return Ok(planned),
        }
    }
    Ok(Planned::Held)
}

/// The parts of a call's key, as the store has them, with the key that its task had before.
fn parts(session: &Session, call: &Call) -> Vec<u8> {
    let locked = session.agents.lock.of(&call.target, &call.file);
    let before = locked.iter().map(|entry| entry.key).find(|key| *key != call.request.key);
    Parts { parts: call.request.parts.clone(), before }.encode()
}

/// What an agent is asked.
fn job(session: &Session, call: &Call, worker: &Worker, package: Package) -> Result<Job, String> {
    let task = &call.id();
    let told = call.again.as_ref().map(|again| &again.feedback);
    let outputs: Vec<_> = show::pattern(session, task).into_iter().collect();
    let Some(text) = package.prompt else {
        let context = serde_json::from_str(&package.context.to_string()).map_err(|error| error.to_string())?;
        return Ok(Job::Task(Task {
            id: name(task),
            target: task.1.to_string(),
            contract: Some(task.0.to_string()),
            context,
            files: worker.files.clone(),
            outputs,
            feedback: told.cloned(),
        }));
    };
    let text = text + &told.map(feedback::in_words).unwrap_or_default();
    let output = outputs.first().map(|output| output.as_str().to_owned()).unwrap_or_default();
    let Runner::Llm(spec, _) = &worker.runner else { return Err("a prompt for a command".to_owned()) };
    let (reply, render) = (spec.reply.clone(), spec.render.clone());
    let context = package.context;
    let finish = move |text: &str| {
        let mut value = Json::String(text.into());
        if let Some((path, schema)) = &reply {
            let read: serde_json::Value =
                serde_json::from_str(text).map_err(|error| format!("the reply is not JSON: {error}"))?;
            let told = omnigen_oracle::objections(schema, &read).map_err(|why| format!("`{path}`: {why}"))?;
            if let Some((pointer, why)) = told.first() {
                return Err(format!("the reply does not satisfy `{path}`, at `{pointer}`: {why}"));
            }
            let document = omnigen_engine::document(&"reply.json".into(), text);
            value = document.ok_or_else(|| "the reply is not JSON".to_owned())?;
        }
        let text = match &render {
            None => text.to_owned(),
            Some((path, template)) => {
                let mut members = vec![("reply".into(), value)];
                if let Json::Object(rest) = &context {
                    members.extend(rest.iter().cloned());
                }
                omnigen_engine::render(path, template, &Json::Object(members))?
            }
        };
        Ok(if text.ends_with('\n') { text } else { text + "\n" }.into_bytes())
    };
    Ok(Job::Prompt { text, output, finish: Box::new(finish) })
}
