//! Calls under way: who runs, whose turn it is, and the one mailbox in which everything arrives that a round waits for.
//!
//! A call has a thread of its own that holds no database. It outlives the round that began it: in `watch` an edit ends a round at
//! once, and the next round finds the calls that it still wants under way.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use omnigen_agents::{AgentEvent, Answer, Failure, Need, NeedReply, Task};
use omnigen_ir::Digest;

use super::judging::Judged;
use super::{Runner, TaskId, Worker};
use crate::config::{Pool, Retry};

/// Stack of a call's thread: it reads pipes and parses lines.
const STACK: usize = 1 << 20;

/// Something that happened elsewhere.
pub(crate) enum Mail {
    /// Files changed.
    Changed(omnigen_disk::Change),
    /// An agent asks for something.
    Need(u64, Need, Sender<NeedReply>),
    /// An agent said something.
    Said(u64, AgentEvent),
    /// A call is over.
    Done(u64, Box<Result<Answer, Failure>>),
    /// Gates have judged.
    Judged(Box<Judged>),
}

/// Makes an artifact of a reply, or says what is wrong with it.
pub(super) type Finish = Box<dyn Fn(&str) -> Result<Vec<u8>, String> + Send>;

/// What is asked.
pub(super) enum Job {
    /// Of a command.
    Task(Task),
    /// Of an endpoint.
    Prompt { text: String, output: String, finish: Finish },
}

/// A need that is being made.
pub(super) struct Wait {
    pub(super) need: Need,
    pub(super) task: TaskId,
    pub(super) reply: Sender<NeedReply>,
}

/// A call under way.
pub(super) struct InFlight {
    pub(super) task: TaskId,
    pub(super) key: Digest,
    pub(super) worker: Arc<Worker>,
    pub(super) attempt: u32,
    pub(super) since: Instant,
    /// Does anybody still need the answer?
    pub(super) wanted: bool,
    /// It waits for another task, and holds no slot.
    pub(super) wait: Option<Wait>,
    cancel: Arc<AtomicBool>,
}

/// All calls under way, and the mailbox.
pub(crate) struct Flight {
    sender: Sender<Mail>,
    inbox: Receiver<Mail>,
    /// Mail that was taken out and not yet looked at.
    early: VecDeque<Mail>,
    calls: BTreeMap<u64, InFlight>,
    next: u64,
    /// Gates are at work.
    pub(super) judging: bool,
    /// Changes that came in while a round was under way; `watch` takes them up.
    pub(crate) edits: Vec<omnigen_disk::Change>,
}

impl Default for Flight {
    fn default() -> Self {
        let (sender, inbox) = mpsc::channel();
        Flight {
            sender,
            inbox,
            early: VecDeque::new(),
            calls: BTreeMap::new(),
            next: 0,
            judging: false,
            edits: Vec::new(),
        }
    }
}

impl Flight {
    /// Where changes are to be sent.
    pub(crate) fn sender(&self) -> Sender<Mail> {
        self.sender.clone()
    }

    /// The next mail, if one comes in time.
    pub(crate) fn next(&mut self, within: Duration) -> Option<Mail> {
        if let Some(mail) = self.early.pop_front() {
            return Some(mail);
        }
        self.inbox.recv_timeout(within).ok()
    }

    /// Sets changes that have come in aside; other mail is kept for who waits for it.
    pub(crate) fn look(&mut self) {
        while let Ok(mail) = self.inbox.try_recv() {
            self.sort(mail);
        }
    }

    /// All mail but changes, which are set aside: what there is, or what comes in time.
    pub(crate) fn take(&mut self, within: Duration) -> VecDeque<Mail> {
        if let Ok(mail) = self.inbox.recv_timeout(within) {
            self.sort(mail);
        }
        self.look();
        std::mem::take(&mut self.early)
    }

    fn sort(&mut self, mail: Mail) {
        match mail {
            Mail::Changed(change) => self.edits.push(change),
            mail => self.early.push_back(mail),
        }
    }

    /// Puts mail back that a later round has to see.
    pub(crate) fn keep(&mut self, mail: Mail) {
        self.early.push_back(mail);
    }

    pub(super) fn get(&self, id: u64) -> Option<&InFlight> {
        self.calls.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut InFlight> {
        self.calls.get_mut(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &InFlight)> {
        self.calls.iter().map(|(id, call)| (*id, call))
    }

    /// A call that will answer this key.
    pub(super) fn by_key(&self, key: &Digest) -> Option<u64> {
        let mut found = self.calls.iter().filter(|(_, call)| call.key == *key && !call.cancel.load(Ordering::Relaxed));
        found.next().map(|(id, _)| *id)
    }

    /// Is there room for one more call of this worker?
    pub(super) fn room(&self, worker: &Worker, io: usize, cpu: usize) -> bool {
        let (mut pool, mut own) = (0, 0);
        for call in self.calls.values().filter(|call| call.wait.is_none()) {
            pool += usize::from(call.worker.agent.pool == worker.agent.pool);
            own += usize::from(call.worker.agent.name == worker.agent.name);
        }
        let limit = match worker.agent.pool {
            Pool::Io => io,
            Pool::Cpu => cpu,
        };
        pool < limit && own < worker.agent.concurrency
    }

    /// Begins a call.
    pub(super) fn start(&mut self, id: TaskId, key: Digest, attempt: u32, worker: &Arc<Worker>, job: Job) -> u64 {
        let number = self.next;
        self.next += 1;
        let cancel = Arc::new(AtomicBool::new(false));
        let call = InFlight {
            task: id,
            key,
            worker: worker.clone(),
            attempt,
            since: Instant::now(),
            wanted: true,
            wait: None,
            cancel: cancel.clone(),
        };
        self.calls.insert(number, call);
        let (sender, worker) = (self.sender.clone(), worker.clone());
        let work = move || {
            let mut need = |need: &Need| {
                let (reply, answer) = mpsc::channel();
                if sender.send(Mail::Need(number, need.clone(), reply)).is_err() {
                    return NeedReply::Absent;
                }
                // A call that nobody wants any more is told so while it waits, too.
                loop {
                    match answer.recv_timeout(Duration::from_millis(50)) {
                        Ok(reply) => return reply,
                        Err(RecvTimeoutError::Timeout) if !cancel.load(Ordering::Relaxed) => {}
                        Err(_) => return NeedReply::Impossible("nobody answers any more".to_owned()),
                    }
                }
            };
            let mut event = |event: AgentEvent| {
                let _gone = sender.send(Mail::Said(number, event));
            };
            let result = match (&worker.runner, &job) {
                (Runner::Command(spec), Job::Task(task)) => {
                    omnigen_agents::run(spec, &worker.environment, task, &mut need, &cancel, &mut event)
                }
                (Runner::Llm(spec, budget), Job::Prompt { text, output, finish }) => {
                    omnigen_agents::ask(spec, &worker.environment, text, output, budget, finish)
                }
                (Runner::Command(_), Job::Prompt { .. }) | (Runner::Llm(..), Job::Task(_)) => {
                    Err(Failure::start("it cannot be asked like this".to_owned()))
                }
            };
            let _gone = sender.send(Mail::Done(number, Box::new(result)));
        };
        let thread = std::thread::Builder::new().name(format!("agent {number}")).stack_size(STACK).spawn(work);
        if let Err(error) = thread {
            let failure = Failure::start(format!("no thread can be made: {error}"));
            self.early.push_back(Mail::Done(number, Box::new(Err(failure))));
        }
        number
    }

    /// Takes a call out that is over.
    pub(super) fn over(&mut self, id: u64) -> Option<InFlight> {
        self.calls.remove(&id)
    }

    /// From here on nobody wants anything, until somebody says so again.
    pub(super) fn unwant(&mut self) {
        self.calls.values_mut().for_each(|call| call.wanted = false);
    }

    /// Cancels what nobody wants and what costs nothing.
    pub(super) fn cancel_unwanted(&mut self) {
        for call in self.calls.values().filter(|call| !call.wanted && !call.worker.paid()) {
            call.cancel.store(true, Ordering::Relaxed);
        }
    }

    /// Cancels everything: the run is to end.
    pub(crate) fn cancel_all(&mut self) {
        self.calls.values().for_each(|call| call.cancel.store(true, Ordering::Relaxed));
    }

    /// There are no agents any more.
    pub(super) fn forget_all(&mut self) {
        self.unwant();
        self.cancel_unwanted();
    }
}

/// How long to wait after an attempt: exponential, and with jitter anything up to that.
pub(super) fn pause(retry: &Retry, attempt: u32) -> Duration {
    let factor = f64::from(retry.factor).powi(i32::try_from(attempt).unwrap_or(i32::MAX) - 1);
    let whole = retry.initial.mul_f64(factor.min(1e6)).min(retry.max);
    if !retry.jitter {
        return whole;
    }
    // The standard library's random hasher, since pauses enter no key and no output.
    use std::hash::{BuildHasher, Hasher};
    let random = std::hash::RandomState::new().build_hasher().finish();
    whole.mul_f64((random % 1000) as f64 / 1000.0)
}
