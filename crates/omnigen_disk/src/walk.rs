//! Work over a tree of folders on a few threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many threads to use when there is work for `useful` of them.
pub(crate) fn threads(useful: usize) -> usize {
    let machine = std::thread::available_parallelism().map_or(1, |count| count.get());
    useful.min(machine).clamp(1, 8)
}

struct State<J> {
    waiting: Vec<J>,
    busy: usize,
}

/// Runs `work` on every job and on the jobs it adds; each thread gathers into a value of its own.
///
/// The order of jobs is not fixed: callers sort what they gathered.
pub(crate) fn walk<J: Send, O: Send + Default>(start: Vec<J>, work: impl Fn(J, &mut Vec<J>, &mut O) + Sync) -> Vec<O> {
    // Most trees of one folder are done before a second thread would have started.
    let mut own = O::default();
    let mut waiting = start;
    while waiting.len() == 1 {
        let Some(job) = waiting.pop() else { break };
        work(job, &mut waiting, &mut own);
    }
    let count = threads(waiting.len());
    let state = Mutex::new(State { waiting, busy: 0 });
    let wake = Condvar::new();
    let run = |mut gathered: O| {
        let mut more = Vec::new();
        let mut guard = lock(&state);
        loop {
            if let Some(job) = guard.waiting.pop() {
                guard.busy += 1;
                drop(guard);
                work(job, &mut more, &mut gathered);
                guard = lock(&state);
                guard.busy -= 1;
                guard.waiting.append(&mut more);
                wake.notify_all();
            } else if guard.busy == 0 {
                return gathered;
            } else {
                guard = wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
            }
        }
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..count).map(|_| scope.spawn(|| run(O::default()))).collect();
        let mut all = vec![run(own)];
        all.extend(others.into_iter().filter_map(|thread| thread.join().ok()));
        all
    })
}

fn lock<J>(state: &Mutex<State<J>>) -> MutexGuard<'_, State<J>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_job_and_every_added_job_runs_once() {
        let found = super::walk(vec![1_u32, 2], |job, more, seen: &mut Vec<u32>| {
            seen.push(job);
            if job < 500 {
                more.push(job * 2 + 1);
                more.push(job * 2 + 2);
            }
        });
        let mut all: Vec<u32> = found.into_iter().flatten().collect();
        all.sort_unstable();
        assert_eq!(all, (1..=all.len() as u32).collect::<Vec<_>>());
    }
}
