//! Real processes, well-behaved and otherwise.
#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "tests look at processes and files")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use omnigen_agents::{
    AgentEvent, AgentSpec, Answer, Environment, Failure, FailureClass, Limits, Message, Need, NeedReply, OutputPattern,
    Span, Task, run,
};
use omnigen_ir::Digest;
use serde_json::{Value, json};

/// Far more than anything here takes, also on a busy machine; what must end sooner says so itself.
const LONG: Duration = Duration::from_secs(60);

struct Case {
    spec: AgentSpec,
    environment: Environment,
    task: Task,
    cancelled: AtomicBool,
    events: Vec<AgentEvent>,
    asked: Vec<Need>,
}

impl Case {
    fn new(mode: &str) -> Case {
        let command = vec![env!("CARGO_BIN_EXE_omnigen-fake-agent").to_string(), mode.to_string()];
        Case {
            spec: AgentSpec {
                name: "fake".into(),
                command,
                env: Vec::new(),
                inputs: Vec::new(),
                network: false,
                sandbox: true,
                read: Vec::new(),
                timeout: LONG,
                limits: Limits { progress_within: None, ..Limits::default() },
            },
            environment: Environment::default(),
            task: Task {
                id: "docs:contracts/shop.json".into(),
                target: "docs".into(),
                contract: Some("contracts/shop.json".into()),
                context: json!({"title": "Shop"}),
                files: Vec::new(),
                outputs: vec![OutputPattern::new("docs/*", &[]).expect("a pattern")],
                feedback: None,
            },
            cancelled: AtomicBool::new(false),
            events: Vec::new(),
            asked: Vec::new(),
        }
    }

    fn says(mode: &str, lines: &[&str]) -> Case {
        let mut case = Case::new(mode);
        case.spec.command.extend(lines.iter().map(|line| line.to_string()));
        case
    }

    fn run(&mut self) -> Result<Answer, Failure> {
        let asked = &mut self.asked;
        let mut answer_need = |need: &Need| {
            asked.push(need.clone());
            match need {
                Need::Target { .. } => NeedReply::files(&[("models/shop.py".into(), b"class Shop: ...\n".to_vec())]),
                Need::Contract { .. } => NeedReply::value(json!({"b": 1, "a": 2})),
                Need::File { .. } | Need::Pattern { .. } => NeedReply::Absent,
            }
        };
        let events = &mut self.events;
        let mut on_event = |event| events.push(event);
        run(&self.spec, &self.environment, &self.task, &mut answer_need, &self.cancelled, &mut on_event)
    }

    fn answer(&mut self) -> Answer {
        self.run().unwrap_or_else(|failure| panic!("{failure}\n{}", failure.stderr))
    }

    fn failure(&mut self, class: FailureClass) -> Failure {
        let failure = self.run().expect_err("a failure");
        assert_eq!(failure.class, class, "{failure}\n{}", failure.stderr);
        failure
    }
}

fn text<'a>(answer: &'a Answer, path: &str) -> &'a str {
    let (_, bytes) = answer.artifacts.iter().find(|(known, _)| known == path).expect(path);
    std::str::from_utf8(bytes).expect("text")
}

/// Whether a process still does anything: one that is dead and not yet waited for does not.
fn lives(pid: &str) -> bool {
    if Path::new("/proc/self/stat").exists() {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        // The name, in brackets, may hold anything; the state follows it.
        return stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']));
    }
    let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid.trim()]).output().expect("ps");
    let state = String::from_utf8_lossy(&state.stdout).trim().to_string();
    !state.is_empty() && !state.starts_with('Z')
}

fn assert_gone(pid: &str) {
    assert!(pid.trim().parse::<u32>().is_ok(), "{pid} is no process id");
    // A kill has an effect soon, not at once.
    let until = Instant::now() + Duration::from_secs(5);
    while lives(pid) {
        assert!(Instant::now() < until, "{pid} is still alive");
        sleep(Duration::from_millis(5));
    }
}

/// The rest of a line of standard error that starts so.
fn noted<'a>(failure: &'a Failure, start: &str) -> &'a str {
    failure.stderr.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_else(|| panic!("{}", failure.stderr))
}

#[test]
fn an_answer_is_whole() {
    let mut case = Case::new("ok");
    let answer = case.answer();
    let seen: Value = serde_json::from_str(text(&answer, "docs/a.md")).expect("the task");
    let task = json!({"id": case.task.id, "target": "docs", "contract": "contracts/shop.json", "outputs": ["docs/*"]});
    assert_eq!(seen, json!({"protocol": 1, "task": task, "context": {"title": "Shop"}}));
    assert_eq!(answer.artifacts[1], ("docs/b.bin".into(), vec![0, 255]));
    let message = Message { to: vec!["other".into()], kind: "note".into(), data: json!({"a": 2, "b": 1}) };
    assert_eq!(answer.messages, [message]);
    assert_eq!((answer.score, answer.summary.as_deref()), (Some(0.9), Some("done")));
    assert_eq!(case.events[..2], [AgentEvent::Started, AgentEvent::Initialized]);
    let progress = AgentEvent::Progress { done: Some(1), total: Some(2), text: Some("half".into()) };
    assert!(case.events.contains(&progress));
    assert_eq!(case.events.last(), Some(&AgentEvent::Completed));
    assert_eq!(Answer::decode(&answer.encode()), Ok(answer.clone()));
    assert_eq!(case.answer().digest(), answer.digest());
}

#[test]
fn needs_are_answered_in_order() {
    let mut case = Case::new("needs");
    let answer = case.answer();
    let needs = [
        Need::Target { target: "models".into(), contract: None },
        Need::Contract { contract: "contracts/other.json".into() },
        Need::File { file: "missing.md".into() },
    ];
    assert_eq!(case.asked, needs);
    let digests = [
        Some(NeedReply::files_digest(&[("models/shop.py".into(), Digest::of(b"class Shop: ...\n"))])),
        Some(NeedReply::value_digest(&json!({"a": 2, "b": 1}))),
        None,
    ];
    assert_eq!(answer.needs, needs.into_iter().zip(digests).collect::<Vec<_>>());
    let heard: Value = serde_json::from_str(text(&answer, "docs/a.md")).expect("what it heard");
    let file = json!({"path": "models/shop.py", "text": "class Shop: ...\n"});
    assert_eq!(
        heard,
        json!([{"artifact": {"files": [file]}}, {"artifact": {"a": 2, "b": 1}}, {"absent": {"file": "missing.md"}}])
    );
}

#[test]
fn the_clock_stands_still_while_a_need_is_answered() {
    let case = Case::new("needs");
    let spec = AgentSpec {
        timeout: Duration::from_secs(2),
        limits: Limits { progress_within: Some(Duration::from_secs(2)), ..Limits::default() },
        ..case.spec
    };
    let mut slowly = |_: &Need| {
        sleep(Duration::from_millis(1500));
        NeedReply::Absent
    };
    let result = run(&spec, &case.environment, &case.task, &mut slowly, &case.cancelled, &mut |_| {});
    assert_eq!(result.map(|answer| answer.needs.len()), Ok(3));
}

#[test]
fn a_need_that_cannot_be_met_ends_the_run() {
    let case = Case::new("needs");
    let mut impossible = |_: &Need| NeedReply::Impossible("it waits for this task".into());
    let failure = run(&case.spec, &case.environment, &case.task, &mut impossible, &case.cancelled, &mut |_| {});
    let failure = failure.expect_err("a failure");
    assert_eq!(failure.to_string(), "need: it needs target `models`: it waits for this task");
}

#[test]
fn twenty_lines_of_python_are_an_agent() {
    let mut case = Case::new("");
    case.spec.command = vec!["python3".into(), "agents/doc_writer.py".into()];
    case.task.files = vec![("agents/doc_writer.py".into(), include_bytes!("doc_writer.py").to_vec())];
    case.task.outputs = vec![OutputPattern::new("docs/{contract}.md", &[("contract", "shop")]).expect("a pattern")];
    case.environment.path = std::env::var_os("PATH").unwrap_or_default();
    let answer = case.answer();
    assert_eq!(text(&answer, "docs/shop.md"), "# Shop\n\n- `models/shop.py`\n");
    assert_eq!(answer.needs.len(), 1);
}

#[test]
fn a_slow_agent_has_its_time() {
    let mut case = Case::new("slow");
    assert_eq!(text(&case.answer(), "docs/a.md"), "slow");
}

#[test]
fn time_outs_kill_the_whole_group() {
    let mut case = Case::new("fork-and-hang");
    case.spec.timeout = Duration::from_millis(2500);
    let start = Instant::now();
    let failure = case.failure(FailureClass::Timeout);
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(failure.text, "no answer within 2.5s");
    assert_gone(noted(&failure, "child "));
    assert_gone(noted(&failure, "hanging as "));
}

#[test]
fn a_hanging_agent_is_gone() {
    let mut case = Case::new("hang");
    case.spec.timeout = Duration::from_millis(2500);
    let failure = case.failure(FailureClass::Timeout);
    assert_gone(noted(&failure, "hanging as "));
}

#[test]
fn silence_is_a_time_out() {
    let mut case = Case::new("hang");
    case.spec.limits.progress_within = Some(Duration::from_millis(1000));
    let failure = case.failure(FailureClass::Timeout);
    assert_eq!(failure.text, "no sign of life within 1s (`progress_within`)");
}

#[test]
fn progress_is_no_silence() {
    // 4 s in steps of 0.1 s.
    let mut case = Case::says("slow", &["40"]);
    case.spec.limits.progress_within = Some(Duration::from_millis(2500));
    case.answer();
}

#[test]
fn crashes_are_told_with_standard_error() {
    let mut case = Case::new("crash");
    case.spec.env = vec!["TOKEN".into()];
    case.environment.values = vec![("TOKEN".into(), Some("tok-5ecret".into()))];
    let failure = case.failure(FailureClass::Crash);
    assert_eq!(failure.text, "exited with status 3");
    assert_eq!(failure.stderr, "boom ***\\u{1b}[31m\n");

    assert_eq!(Case::new("crash-after").failure(FailureClass::Crash).text, "exited with status 4 after `completed`");
    assert_eq!(Case::new("abort").failure(FailureClass::Crash).text, "killed by signal 6");
}

#[test]
fn the_end_of_a_long_standard_error_is_kept() {
    let failure = Case::new("long-stderr").failure(FailureClass::Crash);
    assert!(failure.stderr.ends_with("early late\n"));
    assert!(failure.stderr.len() <= 64 << 10, "{}", failure.stderr.len());
    assert!(failure.stderr.len() > 60 << 10, "{}", failure.stderr.len());
}

#[test]
fn violations_end_the_run_at_once() {
    let start = Instant::now();
    let failure = Case::new("garbage").failure(FailureClass::Protocol);
    assert_eq!(failure.text, "the line is not UTF-8: \\u{0}\u{fffd}\u{fffd}{]\\u{7} noise");

    let path = r#"{"type":"artifact","path":"src/a.py","text":""}"#;
    let failure = Case::says("say-and-hang", &[path]).failure(FailureClass::Protocol);
    assert!(failure.text.ends_with(path) && failure.text.contains("(`docs/*`)"), "{failure}");

    let path = r#"{"type":"artifact","path":"docs/../../a.py","text":""}"#;
    let failure = Case::says("say-and-hang", &[path]).failure(FailureClass::Protocol);
    assert!(failure.text.contains("has a part `.` or `..`"), "{failure}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn no_path_leads_out_or_can_be_taken_for_another() {
    let artifact = |path: &str| json!({"type": "artifact", "path": path, "text": "x"}).to_string();
    for (paths, said) in [
        (&["/etc/passwd"][..], "the path is absolute"),
        (&["docs/..\\..\\a"], "the path has the character"),
        (&["docs/../a"], "has a part `.` or `..`"),
        (&["C:/a"], "the path is absolute"),
        (&["docs/NUL.md"], "device"),
        (&["docs/com1"], "device"),
        (&["docs/a."], "ends with a dot"),
        (&["docs/.git/config"], "not for outputs"),
        // Decomposed, right to left, of no width, and what only looks like a separator or a dot.
        (&["docs/e\u{301}.md"], "normal form NFC"),
        (&["docs/a\u{202e}dm.exe"], "the path has the character"),
        (&["docs/a\u{200b}.md"], "the path has the character"),
        (&["docs/x\u{ff0f}a.md"], "the path has the character"),
        (&["docs/\u{ff0e}\u{ff0e}/a.md"], "the path has the character"),
        (&["docs/A.md", "docs/a.md"], "only in case"),
        (&["docs/stra\u{df}e.md", "docs/STRASSE.md"], "only in case"),
        (&["docs/\u{17f}.md", "docs/s.md"], "only in case"),
        (&["docs/a", "docs/A/b"], "a folder for another one"),
    ] {
        let mut lines: Vec<String> = paths.iter().map(|path| artifact(path)).collect();
        lines.push(r#"{"type":"completed"}"#.to_owned());
        let mut case = Case::says("say", &lines.iter().map(String::as_str).collect::<Vec<_>>());
        case.task.outputs = vec![OutputPattern::new("**", &[]).expect("a pattern")];
        let failure = case.failure(FailureClass::Protocol);
        assert!(failure.text.contains(said), "{paths:?}: {said}: {failure}");
    }
}

#[test]
fn an_exit_needs_a_last_word() {
    let failure = Case::says("say", &[]).failure(FailureClass::Protocol);
    assert_eq!(failure.text, "exited with status 0 without `completed`");
    let mut case = Case::new("unended");
    assert_eq!(text(&case.answer(), "docs/a.md"), "x");
}

#[test]
fn nothing_may_follow_the_last_word() {
    let completed = r#"{"type":"completed"}"#;
    let failure = Case::says("say", &[completed, "bye"]).failure(FailureClass::Protocol);
    assert_eq!(failure.text, "a line after the last one: bye");
}

#[test]
fn agents_can_say_that_they_failed() {
    let line = r#"{"type":"failed","class":"syntax","text":"bad name","span":{"path":"c.json","line":3}}"#;
    for mode in ["say", "say-and-hang"] {
        let failure = Case::says(mode, &[line]).failure(FailureClass::Reported("syntax".into()));
        assert_eq!(failure.to_string(), "syntax: bad name");
        assert_eq!(failure.span, Some(Box::new(Span { path: "c.json".into(), line: 3, column: None })));
    }
}

#[test]
fn endless_output_ends() {
    for mode in ["chatty", "chatty-line"] {
        let mut case = Case::new(mode);
        case.spec.limits.output = 1 << 20;
        let failure = case.failure(FailureClass::Protocol);
        assert!(failure.text.starts_with("more than 1048576 bytes of output: "), "{failure}");
        assert!(failure.text.len() < 400, "{failure}");
    }
    let mut case = Case::new("chatty-stderr");
    case.spec.timeout = Duration::from_millis(700);
    case.failure(FailureClass::Timeout);
    let mut case = Case::new("need-forever");
    case.failure(FailureClass::Protocol);
    assert_eq!(case.asked.len(), 4096);
}

#[test]
fn children_do_not_outlive_the_task() {
    let start = Instant::now();
    let mut case = Case::new("fork-and-live");
    let answer = case.answer();
    assert_gone(text(&answer, "docs/a.md"));
    let failure = Case::new("fork-and-crash").failure(FailureClass::Crash);
    assert_gone(noted(&failure, "child "));
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
#[cfg(target_os = "linux")]
fn a_child_that_left_the_group_hangs_nobody() {
    let start = Instant::now();
    let mut case = Case::new("escape");
    let answer = case.answer();
    assert!(start.elapsed() < Duration::from_secs(10), "waited for a process that holds the pipes");
    // The group's end does not reach it; but it has become ours, and is found.
    assert_gone(text(&answer, "docs/a.md"));
}

#[test]
fn pipes_may_be_closed() {
    let start = Instant::now();
    let failure = Case::new("close-all").failure(FailureClass::Protocol);
    assert_eq!(failure.text, "closed its standard output without `completed`");
    assert_eq!(text(&Case::new("close-stdin").answer(), "docs/a.md"), "x");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_task_need_not_be_read() {
    let large = json!({"text": "x".repeat(4 << 20)});
    let mut case = Case::new("never-reads");
    case.task.context = large.clone();
    assert_eq!(text(&case.answer(), "docs/a.md"), "unread");
    let mut case = Case::new("never-reads-and-hangs");
    case.task.context = large.clone();
    case.spec.timeout = Duration::from_millis(700);
    case.failure(FailureClass::Timeout);
    // And a large one arrives whole.
    let mut case = Case::new("ok");
    case.task.context = large;
    assert!(text(&case.answer(), "docs/a.md").len() > 4 << 20);
}

#[test]
fn who_has_completed_may_linger_only_for_a_while() {
    let start = Instant::now();
    assert_eq!(text(&Case::new("lingers").answer(), "docs/a.md"), "x");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn cancelled_agents_are_told_and_killed() {
    for mode in ["obeys-cancel", "fork-and-hang"] {
        let mut case = Case::new(mode);
        if mode == "obeys-cancel" {
            case.spec.limits.cancel_grace = LONG;
        }
        let mut none = |_: &Need| NeedReply::Absent;
        let mut cancels = |event| {
            if matches!(event, AgentEvent::Initialized | AgentEvent::Progress { .. }) {
                case.cancelled.store(true, Ordering::Relaxed);
            }
        };
        let failure = run(&case.spec, &case.environment, &case.task, &mut none, &case.cancelled, &mut cancels);
        let failure = failure.expect_err("a failure");
        assert_eq!(failure.class, FailureClass::Cancelled);
        if mode == "obeys-cancel" {
            assert_eq!(failure.stderr, "heard {\"cancel\":true}\n");
        } else {
            assert_gone(noted(&failure, "child "));
        }
    }
    // Before it starts, and while it waits for a need.
    let mut case = Case::new("hang");
    case.cancelled = AtomicBool::new(true);
    case.failure(FailureClass::Cancelled);
    assert_eq!(case.events, []);
    let case = Case::new("needs");
    let mut cancels = |_: &Need| {
        case.cancelled.store(true, Ordering::Relaxed);
        NeedReply::Absent
    };
    let failure = run(&case.spec, &case.environment, &case.task, &mut cancels, &case.cancelled, &mut |_| {});
    assert_eq!(failure.expect_err("a failure").class, FailureClass::Cancelled);
}

#[test]
fn only_declared_variables_are_seen() {
    let mut case = Case::new("environment");
    assert_eq!(text(&case.answer(), "docs/a.md"), "");
    case.spec.env = vec!["A".into(), "B".into(), "C".into()];
    case.environment.values = vec![("A".into(), Some("1".into())), ("B".into(), None), ("C".into(), Some("".into()))];
    assert_eq!(text(&case.answer(), "docs/a.md"), "A=1\nC=");
}

#[test]
fn the_scratch_folder_has_the_declared_files_and_goes() {
    let mut case = Case::new("folder");
    case.task.files = vec![("agents/a.txt".into(), b"A".to_vec()), ("agents/deep/b.txt".into(), b"B".to_vec())];
    let answer = case.answer();
    assert_eq!(text(&answer, "docs/a.md"), "agents/a.txt: A\nagents/deep/b.txt: B");
    assert!(answer.summary.is_some_and(|folder| !Path::new(&folder).exists()));
    for path in ["../a", "/a", "", "a/../../b"] {
        case.task.files = vec![(path.into(), Vec::new())];
        case.failure(FailureClass::Start);
    }
}

#[test]
fn programs_are_found() {
    let mut case = Case::new("");
    let script = "#!/bin/sh\necho '{\"type\":\"artifact\",\"path\":\"docs/a.md\",\"text\":\"'\"$1\"'\"}'\necho '{\"type\":\"completed\"}'\n";
    case.task.files = vec![("agents/run.sh".into(), script.as_bytes().to_vec())];
    for program in ["agents/run.sh", "./agents/run.sh"] {
        case.spec.command = vec![program.into(), "argument".into()];
        assert_eq!(text(&case.answer(), "docs/a.md"), "argument");
    }
    let wrong = [
        (vec!["agents/other.sh"], "its program `agents/other.sh` is not among its declared inputs"),
        (vec!["no-such-program"], "its program `no-such-program` is not on the PATH"),
        (vec!["/no/such/program"], "cannot start `/no/such/program`: No such file or directory (os error 2)"),
        (vec![], "its command is empty"),
    ];
    for (command, text) in wrong {
        case.spec.command = command.into_iter().map(String::from).collect();
        assert_eq!(case.failure(FailureClass::Start).text, text);
    }
}

#[test]
fn many_run_at_once() {
    // Own programs in scratch folders, so that files are written while other threads start processes.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let mut case = Case::new("");
                    let script = "#!/bin/sh\necho '{\"type\":\"completed\"}'\n";
                    case.task.files = vec![("run".into(), script.as_bytes().to_vec())];
                    case.spec.command = vec!["./run".into()];
                    assert_eq!(case.answer().artifacts, []);
                }
            });
        }
    });
}

/// A shell as the agent: what a script prints on its third descriptor is the artifact.
#[cfg(target_os = "linux")]
fn script(script: &str) -> Case {
    let mut case = Case::new("");
    let whole = format!(
        "said=$( {{ {script}\n}} 2>&1 | tr -d '\"\\\\\\n' )\necho \"{{\\\"type\\\":\\\"artifact\\\",\\\"path\\\":\\\"docs/a.md\\\",\\\"text\\\":\\\"$said\\\"}}\"\necho '{{\"type\":\"completed\"}}'"
    );
    case.spec.command = vec!["/bin/sh".into(), "-c".into(), whole];
    case.environment.values = vec![("PATH".into(), std::env::var("PATH").ok())];
    case
}

#[test]
#[cfg(target_os = "linux")]
fn walls_leave_the_scratch_folder_and_the_system() {
    let project = tempfile::tempdir().expect("a folder");
    let secret = project.path().join("secret.txt");
    std::fs::write(&secret, "5ecret").expect("written");
    let path = secret.display();
    let attempts = format!(
        "echo own > own.txt && cat own.txt; cat {path} || echo unread; echo x > {path}.new || echo unwritten; ls {} || echo unlisted; \
         rm {path} || echo kept; ln {path} link || echo unlinked; ln -s {path} soft; cat soft || echo unfollowed; \
         cat /proc/$PPID/environ > /dev/null && echo environ; kill -CONT $PPID && echo signalled; cat /etc/hostname > /dev/null && echo system",
        project.path().display()
    );
    let mut case = script(&attempts);
    let answer = case.answer();
    let said = text(&answer, "docs/a.md");
    for word in ["own", "unread", "unwritten", "unlisted", "kept", "unlinked", "unfollowed", "system"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(!said.contains("5ecret") && !said.contains("signalled"), "{said}");
    // The environment of the process that started it.
    assert!(!said.replace("/environ", "").contains("environ"), "{said}");
    assert!(secret.exists() && !project.path().join("secret.txt.new").exists());
    // What is declared is read.
    case.spec.read = vec![project.path().to_path_buf()];
    assert!(text(&case.answer(), "docs/a.md").contains("5ecret"));
    // Without walls it is not kept from anything.
    let mut free = script(&format!("cat {path}"));
    free.spec.sandbox = false;
    assert_eq!(text(&free.answer(), "docs/a.md"), "5ecret");
}

#[test]
#[cfg(target_os = "linux")]
fn the_network_is_off_unless_it_is_declared() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let reach = format!(
        "python3 -c 'import socket\nfor kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):\n  for family in (socket.AF_INET, socket.AF_INET6):\n    try:\n      it = socket.socket(family, kind); print(1)\n    except OSError as error:\n      print(error.errno)\ntry:\n  socket.create_connection((str(127) + str(chr(46)) + str(0) + str(chr(46)) + str(0) + str(chr(46)) + str(1), {port}), 2); print(str(chr(99)) + str(chr(43)))\nexcept OSError: pass'"
    );
    let mut case = script(&reach);
    assert_eq!(text(&case.answer(), "docs/a.md"), "13131313", "permission denied, four times");
    case.spec.network = true;
    assert!(text(&case.answer(), "docs/a.md").contains("c+"), "{}", text(&case.answer(), "docs/a.md"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_daemon_that_hides_is_found() {
    // Leaves its session, its folder and its pipes, by two forks, before the agent ends.
    let hide = "setsid sh -c 'cd /; sleep 300 > /dev/null 2>&1 < /dev/null & echo $!' | cat; sleep 0.2";
    let mut case = script(hide);
    let answer = case.answer();
    assert_gone(text(&answer, "docs/a.md"));
    // One that hides while its agent is killed at the deadline.
    let pid = tempfile::NamedTempFile::new().expect("a file");
    let mut hangs = script(&format!("setsid sh -c 'cd /; sleep 300 & echo $! > {}'; sleep 60", pid.path().display()));
    hangs.spec.sandbox = false;
    hangs.spec.timeout = Duration::from_millis(700);
    hangs.failure(FailureClass::Timeout);
    assert_gone(&std::fs::read_to_string(pid.path()).expect("a pid"));
}

#[test]
#[cfg(target_os = "linux")]
fn descriptors_are_not_inherited() {
    let open = tempfile::tempfile().expect("a file");
    let open = rustix::io::fcntl_dupfd_cloexec(&open, 77).expect("a descriptor");
    // As careless code leaves it: open in every program that is started.
    rustix::io::fcntl_setfd(&open, rustix::io::FdFlags::empty()).expect("set");
    let mut case = script("ls /proc/self/fd | tr '\\n' ' '");
    case.spec.sandbox = false;
    let answer = case.answer();
    let number = std::os::fd::AsRawFd::as_raw_fd(&open);
    let said = text(&answer, "docs/a.md");
    assert!(!said.split(' ').any(|fd| fd == number.to_string()), "{number} in {said}");
}

#[test]
fn ten_thousand_files_and_a_gigabyte_are_too_much() {
    let start = Instant::now();
    let failure = Case::new("many-files").failure(FailureClass::Protocol);
    assert!(failure.text.contains("more than 4096 artifacts"), "{}", failure.text);
    let failure = Case::new("gigabyte").failure(FailureClass::Protocol);
    assert!(failure.text.contains("more than 67108864 bytes of output"), "{}", failure.text);
    assert!(start.elapsed() < Duration::from_secs(30));
}
