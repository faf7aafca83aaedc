//! What an agent's `version` command says: a short-lived program, bounded like any other.

use std::time::{Duration, Instant};

use crate::process::{Got, Process};
use crate::task::Environment;

/// How long it may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes that it may say.
const LIMIT: usize = 64 << 10;

/// Runs a command in an empty folder and gives what it wrote to its standard output, and after that to standard error: many
/// programs tell their version there. The error is a sentence.
///
/// # Errors
/// It cannot be started, fails, does not end in time, or says too much.
pub fn version(command: &[String], environment: &Environment) -> Result<String, String> {
    let [name, arguments @ ..] = command else { return Err("its command is empty".to_owned()) };
    let program = crate::scratch::installed(name, environment)?;
    let room = omnigen_disk::scratch::Scratch::new()
        .map_err(|error| format!("the scratch folder cannot be made: {}", error.kind()))?;
    let mut process = Process::start(&program, arguments, &environment.values, room.path(), None)
        .map_err(|error| format!("`{name}` cannot be started: {error}"))?;
    process.close_stdin();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let until = Instant::now() + TIMEOUT;
    let mut buffer = vec![0; 8 << 10];
    loop {
        process.wait(false, Duration::from_millis(5));
        let exited = process.exited();
        for (read, kept) in
            [(Process::read_stdout as fn(&mut Process, &mut [u8]) -> Got, &mut out), (Process::read_stderr, &mut err)]
        {
            while let Got::Bytes(count) = read(&mut process, &mut buffer) {
                kept.extend_from_slice(&buffer[..count]);
                if kept.len() > LIMIT {
                    return Err(format!("`{name}` said more than {LIMIT} bytes"));
                }
            }
        }
        if exited {
            break;
        }
        if Instant::now() > until {
            return Err(format!("`{name}` did not end within {TIMEOUT:?}"));
        }
    }
    match process.end() {
        Some(status) if !status.success() => Err(format!("`{name}`: {status}")),
        _ => Ok(String::from_utf8_lossy(&[out, err].concat()).into_owned()),
    }
}
