//! `omnigen watch` as a process that tests talk to.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `omnigen watch`; killed when it is dropped.
#[derive(Debug)]
pub struct Watching {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Watching {
    pub(crate) fn start(command: &mut Command) -> Watching {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("omnigen watch starts");
        let (sender, lines) = channel();
        let (stdout, stderr) = (child.stdout.take().expect("stdout"), child.stderr.take().expect("stderr"));
        pass_on(stdout, sender.clone());
        pass_on(stderr, sender);
        Watching { child, lines, seen: Vec::new() }
    }

    /// Waits until something is so.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut so: impl FnMut() -> bool) {
        let start = Instant::now();
        while !so() {
            self.drain(Duration::from_millis(20));
            assert!(start.elapsed() < PATIENCE, "{what} did not happen\n{}", self.seen.join("\n"));
            if let Ok(Some(status)) = self.child.try_wait() {
                self.drain(Duration::from_millis(200));
                panic!("{what} did not happen: watch ended with {status}\n{}", self.seen.join("\n"));
            }
        }
    }

    /// Waits for a line that holds the text, and gives back all lines since the last call.
    #[track_caller]
    pub fn line(&mut self, text: &str) -> Vec<String> {
        let start = Instant::now();
        while !self.seen.iter().any(|line| line.contains(text)) {
            self.drain(Duration::from_millis(20));
            assert!(start.elapsed() < PATIENCE, "no line with `{text}`\n{}", self.seen.join("\n"));
        }
        self.lines_for(Duration::ZERO)
    }

    /// What is said within this time, and was said since the last call.
    pub fn lines_for(&mut self, time: Duration) -> Vec<String> {
        self.drain(time);
        std::mem::take(&mut self.seen)
    }

    fn drain(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => {
                    std::thread::sleep(end.saturating_duration_since(Instant::now()));
                    return;
                }
            }
        }
    }

    /// Sends a signal: `STOP`, `CONT`.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill").success(), "the signal could not be sent");
    }

    /// Presses Ctrl-C, waits for the end, and gives back the exit code (-1: ended by the signal) and what was said last.
    #[track_caller]
    pub fn interrupt(mut self) -> (i32, Vec<String>) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().expect("kill");
        assert!(sent.success(), "the signal could not be sent");
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "watch does not end\n{}", self.seen.join("\n"));
            std::thread::sleep(Duration::from_millis(10));
        };
        let said = self.lines_for(Duration::from_millis(200));
        (status.code().unwrap_or(-1), said)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It has ended already where a test got as far as that.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pass_on(stream: impl Read + Send + 'static, sender: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
}
