//! What programs read: JSON lines, event files, traces, annotations, schemas.

use omnigen_ir::samples::Samples;
use omnigen_ir::{Asked, Judge as _, Question};
use omnigen_oracle::Oracle;
use omnigen_tests::{Project, Run, python};
use serde_json::{Value, json};

const NOTE: &str = r#"{ "description": "A note.", "type": "object", "properties": { "text": { "type": "string" } } }
"#;
const DANGLING: &str = r#"{ "properties": { "a": { "$ref": "none.json" } } }"#;

/// JSON lines as values.
#[track_caller]
pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Everything that opens is closed, in this order, and nothing stands outside.
#[track_caller]
fn closed(lines: &[Value]) {
    let mut open = Vec::new();
    for line in lines {
        let call = || json!([line["target"], line["contract"], line["agent"]]);
        match line["reason"].as_str().expect("a reason") {
            "started" => {
                assert!(open.is_empty(), "a run within a run: {lines:#?}");
                open.push(json!("run"));
            }
            "finished" => assert_eq!(open.pop(), Some(json!("run")), "{lines:#?}"),
            "agent-started" => open.push(call()),
            "agent-finished" => {
                let at = open.iter().position(|other| *other == call());
                open.remove(at.unwrap_or_else(|| panic!("closed without having been opened: {line}")));
            }
            _ => assert!(!open.is_empty(), "outside of a run: {line}"),
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

/// Documents that are valid by the schema that `omnigen schema FORMAT` prints, as an independent validator sees it.
#[track_caller]
pub(crate) fn valid(format: &str, documents: &[Value]) {
    let project = Project::empty();
    let run = project.run(&["schema", format]);
    run.ends(0);
    let schema: Value = serde_json::from_str(&run.stdout).expect("a schema");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let json = |value: &Value| {
        let text = value.to_string();
        omnigen_contracts::document(&"document.json".into(), &text).unwrap_or_else(|| panic!("no JSON: {text}"))
    };
    let root = "urn:test:schema".to_owned();
    let samples = Samples::of(documents.iter().map(json));
    let question = Question {
        documents: vec![(root.clone(), json(&schema))],
        assert_formats: true,
        asked: vec![Asked { root, member: None, samples: &samples }],
    };
    let verdicts = Oracle.verdicts(&question).expect("a schema that compiles");
    for (document, valid) in documents.iter().zip(verdicts) {
        assert!(valid, "not as `omnigen schema {format}` says: {document}");
    }
}

fn events(run: &Run) -> Vec<Value> {
    let all = lines(&run.stdout);
    closed(&all);
    valid("events", &all);
    all
}

#[test]
fn every_line_is_as_its_schema_says() {
    let project = Project::with(&[("contracts/note.json", NOTE), ("contracts/order.json", DANGLING)]);
    let run = project.run(&["build", "--message-format", "json", "--events", "events.jsonl"]);
    run.ends(1).does_not_say("error[");
    let told = events(&run);
    let reasons: Vec<&str> = told.iter().filter_map(|line| line["reason"].as_str()).collect();
    assert_eq!(reasons.first(), Some(&"started"));
    assert!(reasons.contains(&"progress") && reasons.contains(&"artifact") && reasons.contains(&"diagnostic"));
    let last = told.last().expect("a last line");
    assert_eq!((&last["reason"], &last["exit"], &last["errors"]), (&json!("finished"), &json!("errors"), &json!(1)));
    assert_eq!(project.read("events.jsonl"), run.stdout, "the file says the same");
    let found = told.iter().find(|line| line["reason"] == "diagnostic").expect("a finding");
    assert_eq!((&found["code"], &found["at"]["file"]), (&json!("dangling-ref"), &json!("contracts/order.json")));
    assert_eq!(found["at"]["start"], json!({ "line": 1, "column": 34 }));
}

#[test]
fn agents_open_and_close() {
    let project = Project::fixture("shop");
    project.remove("omnigen.lock");
    let run = project.run(&["build", "--message-format", "json"]);
    run.ends(0);
    let told = events(&run);
    let calls = told.iter().filter(|line| line["reason"] == "agent-started").count();
    assert!(calls > 0);
    assert_eq!(told.last().expect("a summary")["agent_calls"], json!(calls));
}

#[test]
fn what_cannot_begin_says_so_in_the_same_words() {
    let project = Project::empty();
    let run = project.run(&["build", "--message-format", "json"]);
    run.ends(2).says("omnigen init");
    let told = events(&run);
    assert_eq!(told.last().expect("an end")["exit"], "usage");
    project.write("omnigen.toml", "[project]\nnmae = 3\n");
    let run = project.run(&["build", "--message-format", "json"]);
    run.ends(2);
    let told = events(&run);
    assert_eq!(told.last().expect("an end")["exit"], "usage");
    assert!(told.iter().any(|line| line["code"] == "unknown-config-key"), "{told:#?}");
    project.run(&["build", "--events", "no/such/folder/events"]).ends(2).says("no/such/folder/events");
}

#[test]
fn annotations_lead_to_the_line_from_where_the_job_stands() {
    let project = Project::empty();
    project.write("sub/omnigen.toml", "[project]\nname = \"test\"\n");
    project.write("sub/contracts/order.json", DANGLING);
    let run = project.run(&["build", "-C", "sub", "--message-format", "github"]);
    run.ends(1);
    let line = "::error file=sub/contracts/order.json,line=1,endLine=1,col=34,endColumn=45,title=dangling-ref::";
    assert!(run.stdout.starts_with(line), "{}", run.text());
    let run = project.run(&["check", "-C", "sub", "--message-format", "sarif"]);
    let log: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "dangling-ref");
    let run = project.run(&["check", "-C", "sub", "--message-format", "junit"]);
    assert!(run.stdout.contains("<failure type=\"dangling-ref\""), "{}", run.text());
}

#[test]
fn a_profile_shows_threads_and_changes_nothing() {
    let (with, without) = (Project::fixture("references"), Project::fixture("references"));
    with.run(&["build", "-j", "2", "--profile", "trace.json"]).ends(0);
    without.run(&["build", "-j", "2"]).ends(0);
    assert_eq!(omnigen_tests::difference(&with.tree("generated"), &without.tree("generated")), "");
    let trace: Value = serde_json::from_str(&with.read("trace.json")).expect("JSON");
    let events = trace.as_array().expect("a list");
    for name in ["declarations", "emit", "make", "lock", "write", "save", "scan", "load"] {
        assert!(events.iter().any(|event| event["name"] == name && event["ph"] == "X"), "no {name}");
    }
    let thread = |event: &Value| event["tid"].as_u64();
    for event in events.iter().filter(|event| event["ph"] == "X") {
        assert!(event["dur"].as_f64().is_some_and(|dur| dur >= 0.0) && event["ts"].is_number(), "{event}");
        let named = |other: &Value| other["name"] == "thread_name" && thread(other) == thread(event);
        assert!(events.iter().any(named), "a thread without a name: {event}");
    }
}

#[test]
fn the_configuration_has_a_schema() {
    let project = Project::fixture("shop");
    let toml = project.read("omnigen.toml");
    let Some(mut python) = python() else { return };
    let script = "import json, sys, tomllib; print(json.dumps(tomllib.loads(sys.stdin.read())))";
    let mut child = python
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python");
    std::io::Write::write_all(&mut child.stdin.take().expect("stdin"), toml.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("python");
    valid("config", &[serde_json::from_slice(&output.stdout).expect("JSON")]);
}

#[test]
#[cfg(target_os = "linux")]
fn half_of_an_answer_is_an_error_unless_its_reader_went_away() {
    let project = Project::with(&[("contracts/note.json", NOTE)]);
    project.build().ends(0);
    // A device that is always full.
    let full = |arguments: &[&str]| {
        let device = std::fs::File::options().write(true).open("/dev/full").expect("a device");
        let output = project.command().args(arguments).stdout(device).output().expect("omnigen");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).contains("stdout cannot be written: "))
    };
    for arguments in [&["codes"][..], &["graph"], &["log"], &["build", "--message-format", "json"]] {
        assert_eq!(full(arguments), (Some(2), true), "{arguments:?}");
    }
    assert_eq!(full(&["build"]), (Some(0), false), "nothing was to be told there");
    project.run(&["build", "--events", "/dev/full"]).ends(2).says("`/dev/full` cannot be written: ");
    let mut child = project.command().arg("codes").stdout(std::process::Stdio::piped()).spawn().expect("omnigen");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("its end").code(), Some(0));
}

#[test]
fn the_first_error_ends_it_if_that_is_wanted() {
    let project = Project::with(&[("contracts/note.json", NOTE), ("contracts/order.json", DANGLING)]);
    project.run(&["build", "--fail-fast"]).ends(1).says("error[dangling-ref]");
    assert!(!project.has("generated"), "nothing is made after an error");
    project.run(&["build", "-k"]).ends(1).says("error[dangling-ref]").says("built 3 of 6 artifacts");
    project.run(&["build", "--fail-fast"]).ends(1);
    project.write("contracts/order.json", NOTE);
    project.run(&["build", "--fail-fast"]).ends(0).says("built 3 of 6 artifacts");
}

#[test]
fn shells_and_man_are_served() {
    let project = Project::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = project.run(&["completions", shell]);
        run.ends(0);
        assert!(run.stdout.contains("dry-run") && run.stderr.is_empty(), "{shell}");
    }
    let run = project.run(&["man"]);
    run.ends(0);
    assert!(run.stdout.starts_with(".ie") && run.stdout.contains(".SH SYNOPSIS"), "{}", run.stdout);
}
