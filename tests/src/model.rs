//! A language model behind its real server, with a proxy before it that misbehaves on demand; both are processes.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::python;

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// The key that the server wants.
pub const KEY: &str = "tok-5ecret-key";

/// Server and proxy; ended when it is dropped.
#[derive(Debug)]
pub struct Model {
    children: Vec<Child>,
    address: String,
    said: Receiver<String>,
}

impl Model {
    /// Starts both. `None`: there is no Python for tests, which was told.
    pub fn start() -> Option<Model> {
        let mut children = Vec::new();
        let (server, _) = start("model.py", KEY, &mut children)?;
        let (address, said) = start("proxy.py", &server, &mut children)?;
        Some(Model { children, address, said })
    }

    /// The base address of requests to which this happens, one after the other: `pass`, `429,pass`, `hang`; see `proxy.py`.
    pub fn url(&self, faults: &str) -> String {
        format!("{}/{faults}/v1", self.address)
    }

    /// The requests since the last call, each a line of JSON.
    pub fn requests(&self) -> Vec<String> {
        // What was answered was said before: only a moment for the pipe.
        let mut lines = Vec::new();
        while let Ok(line) = self.said.recv_timeout(Duration::from_millis(100)) {
            lines.push(line);
        }
        lines
    }

    /// Waits for a request.
    #[track_caller]
    pub fn request(&self) -> String {
        self.said.recv_timeout(PATIENCE).expect("a request")
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        for child in &mut self.children {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn start(script: &str, argument: &str, children: &mut Vec<Child>) -> Option<(String, Receiver<String>)> {
    let path = format!("{}/python/{script}", env!("CARGO_MANIFEST_DIR"));
    let mut child = python()?
        .args([&path, argument])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Python starts");
    let stdout = child.stdout.take().expect("stdout");
    children.push(child);
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let first = lines.recv_timeout(PATIENCE);
    let first = first.unwrap_or_else(|_| panic!("{script} does not start; `cargo xtask test` installs what it needs"));
    Some((first, lines))
}
