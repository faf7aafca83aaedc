//! Models behind endpoints: a real server, and a proxy before it that does what servers do.

use std::time::Duration;

use omnigen_tests::{KEY, Model, Project};
use serde_json::Value;

use crate::agents::{NOTE, target};

/// A project with one target for each agent: (name, address, more keys of `llm`, more keys of the agent).
fn project(contracts: &[&str], agents: &[(&str, String, &str, &str)]) -> Project {
    let project = Project::with(&[
        ("prompts/page.j2", "Write about {{ contract.document.description }}"),
        ("prompts/page.md.j2", "# {{ reply.text }}"),
        (
            "prompts/reply.json",
            r#"{"type":"object","additionalProperties":false,"required":["text"],"properties":{"text":{"type":"string","pattern":"^[a-z]{3,8}$"}}}"#,
        ),
    ]);
    for contract in contracts {
        project.write(&format!("contracts/{contract}.json"), NOTE);
    }
    let mut config = "[project]\nname = \"test\"\ntargets = [".to_owned();
    agents.iter().for_each(|(name, ..)| config += &format!("\"{name}\","));
    config += "]\n";
    for (name, url, llm, more) in agents {
        config += &format!(
            "[agent.{name}]\nllm = {{ base_url = \"{url}\", model = \"m\", api_key_env = \"KEY\", temperature = 0, seed = 7{llm} }}\n\
             prompt = \"prompts/page.j2\"\nreply = \"prompts/reply.json\"\nrender = \"prompts/page.md.j2\"\n{more}\n{}",
            target(name, name, "")
        );
    }
    project.write("omnigen.toml", config);
    project
}

fn run(project: &Project, arguments: &[&str]) -> omnigen_tests::Run {
    project.finish(project.command().args(arguments).env("KEY", KEY))
}

#[test]
fn a_real_model_answers_and_its_answers_are_replayed_without_a_network() {
    let Some(model) = Model::start() else { return };
    let pass = || model.url("pass");
    let one = "concurrency = 1";
    let project = project(
        &["a", "b"],
        &[
            ("whole", pass(), "", one),
            ("pieces", pass(), ", stream = true", one),
            ("short", pass(), ", max_tokens = 3", one),
        ],
    );
    run(&project, &["build", "--offline"]).ends(3).says("this run is offline");
    let built = run(&project, &["build", "--events", "events.jsonl"]);
    built.ends(3).says("cut off at 3 tokens").says("6 agent calls").does_not_say("5ecret");
    // The same weights, the same seed: the same word, whichever way it comes.
    let page = project.read("generated/whole/a.md");
    let word = page.lines().last().and_then(|line| line.strip_prefix("# ")).expect("a title");
    assert!((3..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase()), "{page}");
    assert_eq!(project.read("generated/pieces/a.md").lines().last(), page.lines().last());
    let asked: Vec<Value> = model.requests().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(asked.len(), 6);
    for request in &asked {
        assert_eq!(request["key"], format!("Bearer {KEY}"));
        assert_eq!(request["path"], "v1/chat/completions");
        assert_eq!(request["body"]["messages"][0]["content"], "Write about A note.");
        assert_eq!(request["body"]["response_format"]["json_schema"]["schema"]["required"][0], "text");
    }
    let events = project.read("events.jsonl");
    let tokens = events.lines().filter(|line| line.contains("\"event\":\"completed\"") && line.contains("\"tokens\":"));
    assert_eq!(tokens.count(), 4, "{events}");
    // Nobody is asked again, except who has not answered.
    project.edit("omnigen.toml", "\"short\",", "");
    run(&project, &["build"]).ends(0);
    // Only what the prompt shows is seen.
    project.edit("contracts/a.json", "\"string\"", "\"integer\"");
    run(&project, &["build"]).ends(0).says("nothing to do");
    assert_eq!(model.requests().len(), 0);
    for (path, bytes) in project.tree("") {
        assert!(!String::from_utf8_lossy(&bytes).contains("5ecret"), "{path}");
    }
    // A clone, without store, key and server.
    drop(model);
    project.remove(".omnigen");
    project.run(&["build", "--frozen", "--offline"]).ends(0);
    project.run(&["build", "--check"]).ends(0);
    project.edit("contracts/b.json", "A note.", "Another note.");
    project.run(&["build", "--frozen", "--offline"]).ends(3).says("error[answer-missing]");
    project.run(&["build", "--check"]).ends(1);
    run(&project, &["build"]).ends(3).says("cannot be reached");
}

#[test]
fn whatever_a_server_does_the_build_goes_on_and_says_what_it_was() {
    let Some(model) = Model::start() else { return };
    let quick = "timeout = \"700ms\"\nretry = { attempts = 1 }";
    let once = "timeout = \"20s\"\nretry = { attempts = 1 }";
    let again = "retry = { initial = \"1ms\" }";
    let cases: Vec<(&str, &str, &str, &str, &str)> = vec![
        ("hang", "hang", "", quick, "no answer within 700ms"),
        ("drip", "drip", ", stream = true", quick, "no answer within 700ms"),
        ("empty", "empty", "", once, "cannot be reached"),
        ("cut", "cut", "", once, "broke off"),
        ("noise", "noise", "", once, "the reply broke off"),
        ("page", "page", "", once, "the answer is not JSON"),
        ("strange", "strange", "", once, "the answer has no message"),
        ("flood", "flood", "", once, "the answer is not JSON"),
        ("moved", "moved", "", once, "status 302"),
        ("bad-events", "events-bad", ", stream = true", once, "the data of an event is not JSON"),
        ("no-end", "events-end", ", stream = true", once, "the reply has no end"),
        ("error-event", "events-error", ", stream = true", once, "out of memory"),
        ("refuses", "refuses", "", once, "it refused: I cannot."),
        ("free", "free", "", once, "the reply is not JSON"),
        ("telling", "telling", "", once, "the reply holds the key that it was asked with"),
        ("wordy", "wordy", "", once, "***"),
        ("denied", "401", "", again, "status 401: no, Bearer ***"),
        ("twice", "500,503", "", again, "in 2 attempts: status 503"),
        ("budget", "pass", "", "budget = { tokens = 100 }", "the budget of 100 tokens for this run does not hold"),
    ];
    let mut agents: Vec<(&str, String, &str, &str)> =
        cases.iter().map(|(name, faults, llm, more, _)| (*name, model.url(faults), *llm, *more)).collect();
    agents.push(("limited", model.url("429,pass"), "", again));
    agents.push(("shaky", model.url("500,cut,pass"), "", "retry = { attempts = 3, initial = \"1ms\" }"));
    let project = project(&["a"], &agents);
    let built = run(&project, &["build", "-v"]);
    built.ends(3).does_not_say("5ecret").does_not_say("tok-5").does_not_say("dG9rLTVlY3");
    for (name, _, _, _, said) in &cases {
        let line = built.stderr.lines().find(|line| line.contains(&format!("`{name}`"))).unwrap_or_default();
        assert!(line.contains(said), "{name}: `{said}` is not in `{line}`\n{}", built.stderr);
        assert!(!project.has(&format!("generated/{name}/a.md")), "{name}");
    }
    assert!(project.has("generated/limited/a.md") && project.has("generated/shaky/a.md"), "{}", built.stderr);
    // `Retry-After: 1` was obeyed, and what cannot pass was not tried again.
    let asked: Vec<Value> = model.requests().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let at = |fault: &str| {
        asked
            .iter()
            .filter(|request| request["fault"] == fault)
            .filter_map(|request| request["at"].as_f64())
            .collect::<Vec<_>>()
    };
    let limited = at("429")[0];
    assert!(
        at("pass")
            .iter()
            .all(|pass| *pass < limited || *pass >= limited + 0.9 || at("cut").iter().any(|cut| cut < pass))
    );
    assert_eq!(at("401").len(), 1);
    // What has failed for a moment was stored nowhere: it is asked again.
    assert_eq!(asked.iter().filter(|request| request["fault"] == "hang").count(), 1);
    for (path, bytes) in project.tree("") {
        assert!(!String::from_utf8_lossy(&bytes).contains("5ecret"), "{path}");
    }
}

#[test]
fn a_budget_is_for_the_run_and_reserved_before_each_call() {
    let Some(model) = Model::start() else { return };
    // Each call reserves its prompt and 60 tokens: at once only one fits, one after the other several.
    let llm = ", max_tokens = 60";
    let more = |tokens: u32, concurrency: u32| format!("budget = {{ tokens = {tokens} }}\nconcurrency = {concurrency}");
    let project = project(&["a", "b", "c"], &[("model", model.url("late,pass"), llm, &more(100, 3))]);
    run(&project, &["build"]).ends(3).says("2 errors").says("the budget of 100 tokens");
    assert_eq!(model.requests().len(), 1);
    // What was reserved and not used is given back.
    project.edit("omnigen.toml", "concurrency = 3", "concurrency = 1");
    project.edit("omnigen.toml", "tokens = 100", "tokens = 160");
    run(&project, &["build"]).ends(0).says("2 agent calls");
    assert_eq!(model.requests().len(), 2);
    // All targets of an agent share it: of five tasks one fits.
    project.edit("omnigen.toml", "concurrency = 1", "concurrency = 3");
    project.edit("omnigen.toml", "tokens = 160", "tokens = 100");
    project.edit("omnigen.toml", "[\"model\",]", "[\"model\", \"more\"]");
    let text = project.read("omnigen.toml") + &target("more", "model", "");
    project.write("omnigen.toml", text);
    project.write("contracts/d.json", project.read("contracts/a.json").replace("note", "word"));
    run(&project, &["build"]).ends(3).says("4 errors");
    assert_eq!(model.requests().len(), 1);
}

#[test]
fn in_watch_a_paid_call_ends_and_is_stored_and_going_back_asks_nobody() {
    let Some(model) = Model::start() else { return };
    let project = project(&["a"], &[("model", model.url("pass,late,pass"), "", "")]);
    let mut watching = project.watch_with(&[("KEY", KEY)]);
    watching.line("1 agent call");
    project.edit("contracts/a.json", "A note.", "A late note.");
    while !model.request().contains("late") {}
    // In the middle of the call.
    project.edit("contracts/a.json", "A late note.", "A third note.");
    watching.line("1 agent call");
    while !model.request().contains("A third note.") {}
    // The late answer takes a second, and is stored then: in good time also where the machine is busy.
    std::thread::sleep(Duration::from_millis(2500));
    project.edit("contracts/a.json", "A third note.", "A late note.");
    watching.line("0 agent calls, 1 cached");
    assert_eq!(model.requests().len(), 0);
    watching.interrupt();
}
