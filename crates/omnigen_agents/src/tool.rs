//! Programs that answer at once: what an agent's `version` command says, and the tools of gates. Bounded like agents: in time, in
//! output, with the declared environment only, and with nobody left behind.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::process::{Got, Process};
use crate::redact::Secrets;
use crate::task::Environment;

/// How long a `version` command may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of each of the two outputs that are read.
const LIMIT: usize = 16 << 20;

/// A program to be run to its end.
#[derive(Clone, Debug)]
pub struct Tool {
    /// The program, looked up in the environment's `PATH`, and its arguments.
    pub command: Vec<String>,
    /// Where it runs.
    pub folder: PathBuf,
    /// What it sees.
    pub environment: Environment,
    /// How long it may take.
    pub timeout: Duration,
}

/// What a program said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its exit status.
    pub status: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Said {
    /// The end of what it said, for a message.
    pub fn tail(&self) -> String {
        let text = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let lines: Vec<&str> = text.trim().lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Tool {
    /// Runs it. The error is a sentence.
    ///
    /// # Errors
    /// It cannot be started, is killed, does not end in time, or says too much.
    pub fn run(&self) -> Result<Said, String> {
        let [name, arguments @ ..] = &self.command[..] else { return Err("its command is empty".to_owned()) };
        let program = crate::scratch::installed(name, &self.environment)?;
        let mut process = Process::start(&program, arguments, &self.environment.values, &self.folder, None)
            .map_err(|error| format!("`{name}` cannot be started: {error}"))?;
        process.close_stdin();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let until = Instant::now() + self.timeout;
        let mut buffer = vec![0; 64 << 10];
        loop {
            process.wait(false, Duration::from_millis(5));
            let exited = process.exited();
            while let Got::Bytes(count) = process.read_stdout(&mut buffer) {
                out.extend_from_slice(&buffer[..count]);
                if out.len() > LIMIT {
                    return Err(format!("`{name}` said more than {LIMIT} bytes"));
                }
            }
            while let Got::Bytes(count) = process.read_stderr(&mut buffer) {
                err.extend_from_slice(&buffer[..count]);
                if err.len() > LIMIT {
                    return Err(format!("`{name}` said more than {LIMIT} bytes"));
                }
            }
            if exited {
                break;
            }
            if Instant::now() > until {
                return Err(format!("`{name}` did not end within {:?}", self.timeout));
            }
        }
        let status = process.end().and_then(|status| status.code());
        // What a tool says is kept and shown.
        let secrets = Secrets::by_name(&self.environment);
        let text = |bytes: &[u8]| secrets.redact(&String::from_utf8_lossy(bytes));
        let status = status.ok_or_else(|| format!("`{name}` was killed"))?;
        Ok(Said { status, stdout: text(&out), stderr: text(&err) })
    }
}

/// Runs a command in an empty folder and gives what it wrote to its standard output, and after that to standard error: many
/// programs tell their version there. The error is a sentence.
///
/// # Errors
/// As [`Tool::run`]; or it fails.
pub fn version(command: &[String], environment: &Environment) -> Result<String, String> {
    let room = omnigen_disk::scratch::Scratch::new()
        .map_err(|error| format!("the scratch folder cannot be made: {}", error.kind()))?;
    let folder = room.path().to_path_buf();
    let tool = Tool { command: command.to_vec(), folder, environment: environment.clone(), timeout: TIMEOUT };
    let said = tool.run()?;
    match said.status {
        0 => Ok(said.stdout + &said.stderr),
        status => Err(format!("`{}` exited with status {status}", command.first().map_or("", String::as_str))),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_a_tool_says_holds_no_secrets() {
        let room = omnigen_disk::scratch::Scratch::new().expect("a scratch folder");
        let folder = room.path().to_path_buf();
        let value = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let values = vec![value("API_TOKEN", "tok-5ecret"), value("MOOD", "calm")];
        let environment = Environment { path: "/bin:/usr/bin".into(), values };
        let command = ["sh", "-c", "echo $API_TOKEN $MOOD; echo $API_TOKEN >&2"].map(str::to_owned).to_vec();
        let tool = Tool { command, folder, environment, timeout: Duration::from_secs(20) };
        let said = tool.run().expect("it runs");
        assert!(!said.stdout.contains("5ecret") && !said.stderr.contains("5ecret"), "{said:?}");
        assert!(said.stdout.contains("calm"), "{said:?}");
    }
}
