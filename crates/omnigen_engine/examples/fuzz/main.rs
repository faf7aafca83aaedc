//! Changed copies of real files through all that reads, checks and writes: `cargo xtask fuzz`.
//!
//! Every input is made from the seed and its number, so that a finding can be had again from both. A panic, an input that takes
//! longer than a second of its thread's CPU, and memory beyond a bound are findings; the input is written down. What ends the process (a stack that
//! overflows) is found by running the numbers around the last one that was told with `--careful`.
#![expect(clippy::disallowed_methods, reason = "a tool that reads files and the clock")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]

mod mutate;
mod subject;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use subject::{Input, Seed, Subject};

/// One input may take so long.
const SLOW: Duration = Duration::from_secs(1);
/// The process may hold so many bytes, all threads together.
const MEMORY: u64 = 3 << 30;
/// Files that are larger are no seeds.
const LARGEST: u64 = 96 << 10;
/// A graph serves so many inputs: what it remembers of old ones is not the question.
const INPUTS: usize = 200;

struct Options {
    count: u64,
    from: u64,
    seed: u64,
    threads: usize,
    careful: bool,
    out: PathBuf,
    folders: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("usage: fuzz [--count N] [--from N] [--seed N] [--threads N] [--careful] [--out DIR] FOLDER...");
        return ExitCode::from(2);
    };
    let mut seeds = Vec::new();
    options.folders.iter().for_each(|folder| gather(folder, &mut seeds));
    seeds.sort_by(|a, b| a.name.cmp(&b.name));
    println!("{} inputs from {} files, seed {}", options.count, seeds.len(), options.seed);
    // What is said of each panic is written with its input.
    std::panic::set_hook(Box::new(|_| {}));
    let run = Run {
        options: &options,
        seeds: &seeds,
        next: AtomicU64::new(options.from),
        made: AtomicU64::new(0),
        found: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    };
    let started = Instant::now();
    let threads: Vec<OnceLock<PathBuf>> = (0..options.threads).map(|_| OnceLock::new()).collect();
    std::thread::scope(|scope| {
        let (tell, watch): (Vec<_>, Vec<_>) =
            (0..options.threads).map(|_| std::sync::mpsc::channel::<Option<u64>>()).unzip();
        for (tell, thread) in tell.into_iter().zip(&threads) {
            let run = &run;
            let worker = std::thread::Builder::new().stack_size(64 << 20);
            let work = move || {
                let _once = thread.set(std::fs::read_link("/proc/thread-self").unwrap_or_default());
                run.work(&tell);
            };
            if let Err(error) = worker.spawn_scoped(scope, work) {
                eprintln!("no thread: {error}");
                run.stop.store(true, Ordering::Relaxed);
            }
        }
        run.watch(&watch, &threads, started);
    });
    let (found, made) = (run.found.into_inner(), run.made.into_inner());
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{} inputs in {seconds:.0} s, {made} artifacts made, {found} findings, {} MiB at most",
        options.count,
        memory("VmHWM") >> 20
    );
    if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn options() -> Option<Options> {
    let mut options = Options {
        count: 10_000,
        from: 0,
        seed: 1,
        threads: 2,
        careful: false,
        out: "target/fuzz".into(),
        folders: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next()?.replace('_', "").parse::<u64>().ok();
        match argument.as_str() {
            "--count" => options.count = number()?,
            "--from" => options.from = number()?,
            "--seed" => options.seed = number()?,
            "--threads" => options.threads = number()?.clamp(1, 64) as usize,
            "--careful" => options.careful = true,
            "--out" => options.out = arguments.next()?.into(),
            folder if !folder.starts_with('-') => options.folders.push(folder.into()),
            _ => return None,
        }
    }
    (!options.folders.is_empty()).then_some(options)
}

/// All contracts below a folder.
fn gather(folder: &Path, seeds: &mut Vec<Seed>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            gather(&path, seeds);
        } else if path.extension().is_some_and(|kind| ["json", "yaml", "yml"].iter().any(|known| kind == *known))
            && entry.metadata().is_ok_and(|stat| stat.len() <= LARGEST)
            && let Ok(text) = std::fs::read_to_string(&path)
        {
            seeds.push(Seed { name: path.to_string_lossy().into_owned(), text });
        }
    }
}

struct Run<'a> {
    options: &'a Options,
    seeds: &'a [Seed],
    next: AtomicU64,
    made: AtomicU64,
    found: AtomicU64,
    stop: AtomicBool,
}

impl Run<'_> {
    /// Tries inputs until there are no more; tells which one it is at.
    fn work(&self, tell: &std::sync::mpsc::Sender<Option<u64>>) {
        let mut subject = None;
        let mut left = 0;
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.options.from + self.options.count || self.stop.load(Ordering::Relaxed) {
                let _gone = tell.send(None);
                return;
            }
            let _gone = tell.send(Some(number));
            let input = Input::new(self.seeds, self.options.seed, number);
            if self.options.careful {
                self.write("last", number, &input, "the last one");
            }
            if left == 0 {
                (subject, left) = (Subject::new().ok(), INPUTS);
            }
            left -= 1;
            let Some(current) = &mut subject else { return eprintln!("no graph") };
            match catch_unwind(AssertUnwindSafe(|| current.attempt(&input))) {
                Ok(made) => drop(self.made.fetch_add(made as u64, Ordering::Relaxed)),
                Err(panic) => {
                    let said = panic.downcast_ref::<String>().cloned();
                    let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    self.finding(number, &input, &format!("panic: {}", said.unwrap_or_default()));
                    for (file, text) in &current.around {
                        let path = self.options.out.join(format!("found-{}-{number}", self.options.seed)).join(&**file);
                        let folder = path.parent().unwrap_or(&self.options.out);
                        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
                        println!(
                            "      beside it: {} {}",
                            path.display(),
                            if written.is_ok() { "" } else { "(not written)" }
                        );
                    }
                    left = 0;
                }
            }
        }
    }

    fn finding(&self, number: u64, input: &Input<'_>, what: &str) {
        self.found.fetch_add(1, Ordering::Relaxed);
        let path = self.write("found", number, input, what);
        println!("FOUND seed {} number {number}: {what}\n      {}", self.options.seed, path.display());
    }

    fn write(&self, kind: &str, number: u64, input: &Input<'_>, what: &str) -> PathBuf {
        let name = match input {
            Input::File(name, ..) => name.rsplit('/').next().unwrap_or("file"),
            Input::Pattern(_) => "pattern.txt",
        };
        let number = if kind == "last" { "one".to_owned() } else { number.to_string() };
        let path = self.options.out.join(format!("{kind}-{}-{number}-{name}", self.options.seed));
        let written = std::fs::create_dir_all(&self.options.out).and_then(|()| std::fs::write(&path, input.bytes()));
        if let Err(error) = written {
            eprintln!("{}: {error} ({what})", path.display());
        }
        path
    }

    /// Looks whether the workers get on and memory stays bounded, until all are done.
    fn watch(
        &self,
        workers: &[std::sync::mpsc::Receiver<Option<u64>>],
        threads: &[OnceLock<PathBuf>],
        started: Instant,
    ) {
        let spent = |thread: &OnceLock<PathBuf>| cpu(thread).unwrap_or_else(|| started.elapsed());
        let mut at: Vec<(Option<u64>, Duration, bool)> = vec![(Some(0), Duration::ZERO, false); workers.len()];
        let mut told = started;
        while at.iter().any(|(number, ..)| number.is_some()) {
            std::thread::sleep(Duration::from_millis(20));
            for ((worker, thread), state) in workers.iter().zip(threads).zip(&mut at) {
                let now = spent(thread);
                if let Some(number) = worker.try_iter().last() {
                    *state = (number, now, false);
                } else if let (Some(number), since, false) = *state
                    && now.saturating_sub(since) > SLOW
                {
                    state.2 = true;
                    let input = Input::new(self.seeds, self.options.seed, number);
                    self.finding(number, &input, "it takes longer than a second");
                }
                if state.2 && now.saturating_sub(state.1) > 30 * SLOW {
                    println!("it never ends");
                    std::process::exit(1);
                }
            }
            if memory("VmRSS") > MEMORY {
                println!(
                    "memory beyond {} MiB; at numbers {:?}",
                    MEMORY >> 20,
                    at.iter().map(|(n, ..)| n).collect::<Vec<_>>()
                );
                std::process::exit(1);
            }
            if told.elapsed() > Duration::from_secs(10) {
                told = Instant::now();
                println!(
                    "at {} after {} s, {} MiB",
                    self.next.load(Ordering::Relaxed),
                    started.elapsed().as_secs(),
                    memory("VmRSS") >> 20
                );
            }
        }
    }
}

/// How long a thread has had a processor: a busy machine makes nothing slow. `None` where nobody tells.
fn cpu(thread: &OnceLock<PathBuf>) -> Option<Duration> {
    let task = thread.get().filter(|task| !task.as_os_str().is_empty())?;
    let text = std::fs::read_to_string(Path::new("/proc").join(task).join("schedstat")).ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

/// Bytes that the process holds, or held at most; 0 where nobody tells.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    found.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0) << 10
}
