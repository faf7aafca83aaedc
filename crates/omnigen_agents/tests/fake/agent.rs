//! An agent that behaves, or misbehaves, as its first argument says.
#![expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "an agent is a program of its own, and this one misbehaves"
)]

use std::io::{self, BufRead, Write};
use std::process::{Command, Stdio, exit};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

fn main() {
    let mut args = std::env::args().skip(1);
    let mode = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    // What cannot be written was not wanted any more.
    if behave(&mode, &rest).is_err() {
        exit(9);
    }
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn complain(text: &str) -> io::Result<()> {
    io::stderr().lock().write_all(text.as_bytes())
}

fn hear() -> io::Result<Value> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    serde_json::from_str(&line).map_err(io::Error::other)
}

fn artifact(path: &str, text: &str) -> io::Result<()> {
    say(&serde_json::json!({"type": "artifact", "path": path, "text": text}).to_string())
}

fn completed() -> io::Result<()> {
    say(r#"{"type":"completed"}"#)
}

fn for_ever() -> ! {
    loop {
        sleep(Duration::from_secs(3600));
    }
}

/// Starts another process of this program, with the same pipes and in the same group.
fn fork(mode: &str) -> io::Result<u32> {
    let program = std::env::current_exe()?;
    let child = Command::new(program).arg(mode).stdin(Stdio::inherit()).spawn()?;
    Ok(child.id())
}

fn behave(mode: &str, rest: &[String]) -> io::Result<()> {
    match mode {
        "ok" => {
            say(r#"{"type":"initialized"}"#)?;
            let task = hear()?;
            say(r#"{"type":"progress","done":1,"total":2,"text":"half"}"#)?;
            say(r#"{"type":"artifact","path":"docs/b.bin","base64":"AP8="}"#)?;
            artifact("docs/a.md", &task.to_string())?;
            say(r#"{"type":"message","to":["other"],"kind":"note","data":{"b":1,"a":2}}"#)?;
            say(r#"{"type":"completed","score":0.9,"summary":"done"}"#)
        }
        // Asks for everything first, then reads the answers.
        "needs" => {
            hear()?;
            say(r#"{"type":"need","target":"models"}"#)?;
            say(r#"{"type":"need","contract":"contracts/other.json"}"#)?;
            say(r#"{"type":"need","file":"missing.md"}"#)?;
            let answers = [hear()?, hear()?, hear()?];
            artifact("docs/a.md", &Value::from(answers.to_vec()).to_string())?;
            completed()
        }
        "need-forever" => loop {
            say(r#"{"type":"need","target":"models"}"#)?;
        },
        "slow" => {
            hear()?;
            let steps = rest.first().and_then(|steps| steps.parse().ok()).unwrap_or(3);
            for _ in 0..steps {
                sleep(Duration::from_millis(100));
                say(r#"{"type":"progress","text":"busy"}"#)?;
            }
            artifact("docs/a.md", "slow")?;
            completed()
        }
        "hang" => {
            complain(&format!("hanging as {}\n", std::process::id()))?;
            for_ever()
        }
        "crash" => {
            complain(&format!("boom {}\u{1b}[31m\n", std::env::var("TOKEN").unwrap_or_default()))?;
            exit(3)
        }
        "crash-after" => {
            artifact("docs/a.md", "x")?;
            completed()?;
            exit(4)
        }
        "abort" => std::process::abort(),
        "garbage" => {
            io::stdout().lock().write_all(b"\x00\xff\xfe{]\x07 noise\n")?;
            for_ever()
        }
        "say" => {
            for line in rest {
                say(line)?;
            }
            Ok(())
        }
        "say-and-hang" => {
            for line in rest {
                say(line)?;
            }
            for_ever()
        }
        // Without a line feed.
        "unended" => {
            artifact("docs/a.md", "x")?;
            io::stdout().lock().write_all(br#"{"type":"completed"}"#)
        }
        "chatty" => loop {
            say(r#"{"type":"progress","text":"again and again and again and again and again and again"}"#)?;
        },
        "many-files" => {
            for number in 0..10_000 {
                artifact(&format!("docs/{number}.md"), "x")?;
            }
            completed()
        }
        "gigabyte" => {
            io::stdout().lock().write_all(br#"{"type":"artifact","path":"docs/a.md","text":""#)?;
            for _ in 0..1024 {
                io::stdout().lock().write_all(&vec![b'x'; 1 << 20])?;
            }
            completed()
        }
        "chatty-line" => loop {
            io::stdout().lock().write_all(&[b'x'; 65536])?;
        },
        "chatty-stderr" => {
            let until = Instant::now() + Duration::from_secs(60);
            while Instant::now() < until {
                complain(&"noise ".repeat(10_000))?;
            }
            Ok(())
        }
        "long-stderr" => {
            complain(&"early ".repeat(100_000))?;
            complain("late\n")?;
            exit(1)
        }
        // Leaves a child behind that holds all pipes.
        "fork-and-live" => {
            let child = fork("hang")?;
            artifact("docs/a.md", &child.to_string())?;
            completed()
        }
        "fork-and-hang" => {
            let child = fork("hang")?;
            complain(&format!("child {child}\n"))?;
            say(r#"{"type":"progress","text":"forked"}"#)?;
            for_ever()
        }
        "fork-and-crash" => {
            let child = fork("hang")?;
            complain(&format!("child {child}\n"))?;
            exit(5)
        }
        // Leaves a child behind in a session of its own, where the group's end does not reach it.
        "escape" => {
            let mut command = Command::new("/bin/sh");
            let child = command.arg("-c").arg("exec setsid sleep 20").stdin(Stdio::inherit()).spawn()?;
            sleep(Duration::from_millis(200));
            artifact("docs/a.md", &child.id().to_string())?;
            completed()
        }
        // `exec` closes the shell's own pipes; Rust's standard streams cannot be closed without `unsafe`.
        "close-all" => shell("exec 0<&- 1>&-; exec sleep 60"),
        "close-stdin" => shell(
            "exec 0<&-; echo '{\"type\":\"artifact\",\"path\":\"docs/a.md\",\"text\":\"x\"}'; echo '{\"type\":\"completed\"}'",
        ),
        "never-reads" => {
            artifact("docs/a.md", "unread")?;
            completed()
        }
        "never-reads-and-hangs" => for_ever(),
        "lingers" => {
            artifact("docs/a.md", "x")?;
            completed()?;
            for_ever()
        }
        "obeys-cancel" => {
            hear()?;
            say(r#"{"type":"initialized"}"#)?;
            let line = hear()?;
            complain(&format!("heard {line}\n"))?;
            exit(0)
        }
        "environment" => {
            let mut names: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
            names.sort();
            artifact("docs/a.md", &names.join("\n"))?;
            completed()
        }
        "folder" => {
            let mut names: Vec<String> = Vec::new();
            for file in ["agents/a.txt", "agents/deep/b.txt"] {
                names.push(format!("{file}: {}", String::from_utf8_lossy(&std::fs::read(file)?)));
            }
            std::fs::write("left-behind", std::env::current_dir()?.as_os_str().as_encoded_bytes())?;
            artifact("docs/a.md", &names.join("\n"))?;
            say(&serde_json::json!({"type": "completed", "summary": std::env::current_dir()?}).to_string())
        }
        other => {
            complain(&format!("no such mode: {other}\n"))?;
            exit(2)
        }
    }
}

fn shell(script: &str) -> io::Result<()> {
    #[cfg(unix)]
    return Err(std::os::unix::process::CommandExt::exec(Command::new("/bin/sh").arg("-c").arg(script)));
    #[cfg(not(unix))]
    return Err(io::Error::other(script));
}
