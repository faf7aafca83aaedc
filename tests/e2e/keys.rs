//! What agents see, and the keys that this makes: `context`, `explain`, `schema agent-protocol`.

use std::os::unix::fs::PermissionsExt;

use omnigen_tests::Project;
use serde_json::{Value, json};

use crate::agents::{NOTE, project, target};
use crate::machines::valid;

/// A project in which one target sees everything that a target can see.
fn curious() -> Project {
    let curious = "say('message', to=['nobody'], kind='x', data=1)\ndone('text', task['outputs'][0])";
    let rest = "[target.outline]\nagent = \"teller\"\noutput = \"outline/{contract}.txt\"\n\
                [target.docs]\nagent = \"curious\"\noutput = \"docs/{contract}.md\"\nneeds = [\"models\", \"outline\"]\nlistens = [\"teller\"]\n\
                sees = [\"document\", \"meaning\", \"source\", \"types\"]\ntemplates = [\"templates/*\"]\n\
                patterns = { files = [\"examples/*\"], top = 1 }\nassignment = { objective = \"Explain.\" }\n";
    let teller = "say('message', to=['curious'], kind='hint', data={'length': len(json.dumps(context['contract']['meaning']))})\n\
                  done('outline')";
    let project = project(&[], &[("curious", curious), ("teller", teller)], rest);
    project.edit("omnigen.toml", "agent = \"teller\"\noutput", "agent = \"teller\"\nsees = [\"meaning\"]\noutput");
    project.edit(
        "omnigen.toml",
        "inputs = [\"agents/curious.py\"]\n",
        "inputs = [\"agents/curious.py\", \"agents/words.txt\"]\nenv = [\"MOOD\", \"UNSET\"]\nversion = [\"cat\", \"VERSION\"]\n",
    );
    let version = project.path("VERSION").display().to_string();
    project.edit("omnigen.toml", "\"VERSION\"", &format!("\"{version}\""));
    project.edit("omnigen.toml", "name = \"test\"", "name = \"test\"\ncontracts = [\"contracts/**/*.{json,yaml}\"]");
    for (path, text) in [
        (
            "contracts/order.yaml",
            "# An order.\ndescription: An order.\ntype: object\nproperties:\n  note: { $ref: note.json }\n",
        ),
        ("contracts/note.json", NOTE),
        ("contracts/far.json", NOTE),
        ("agents/words.txt", "words"),
        ("templates/page.md", "# {}"),
        ("examples/order.md", "an order has a note"),
        ("examples/other.md", "weather is fine"),
        ("VERSION", "1.0"),
    ] {
        project.write(path, text);
    }
    project
}

/// Key and names of the changed parts.
#[track_caller]
fn key(project: &Project) -> (String, Vec<String>) {
    let mut command = project.command();
    command.args(["explain", "contracts/order.yaml:docs", "--message-format", "json"]);
    command.env("MOOD", if project.has("mood") { project.read("mood") } else { "calm".to_owned() });
    let run = project.finish(&mut command);
    run.ends(0);
    let found: Value = serde_json::from_str(&run.stdout).expect("JSON");
    valid("explain", std::slice::from_ref(&found));
    let asked = &found[0]["asked"];
    assert!(asked.is_object(), "{}\n{found:#}", run.text());
    let changed = asked["parts"].as_array().expect("parts").iter().filter(|part| part["changed"] == true);
    let names = changed.map(|part| part["name"].as_str().expect("a name").to_owned()).collect();
    (asked["key"].as_str().expect("a key").to_owned(), names)
}

fn build(project: &Project) -> omnigen_tests::Run {
    project.finish(project.command().arg("build").env("MOOD", "calm"))
}

#[test]
fn every_part_that_an_agent_sees_changes_its_key_and_nothing_else_does() {
    let project = curious();
    build(&project).ends(0);
    let (first, changed) = key(&project);
    assert!(changed.is_empty(), "{changed:?}");
    // Each change, alone: where, what, into what, and which parts of the key are others then.
    let seen: &[(&str, &str, &str, &[&str])] = &[
        ("agents/curious.py", "kind='x'", "kind='y'", &["agent.input agents/curious.py"]),
        ("agents/words.txt", "words", "other words", &["agent.input agents/words.txt"]),
        (
            "omnigen.toml",
            "command = [\"python3\", \"agents/curious.py\"]",
            "command = [\"python3\", \"-u\", \"agents/curious.py\"]",
            &["agent.command"],
        ),
        ("omnigen.toml", "env = [\"MOOD\", \"UNSET\"]", "env = [\"MOOD\"]", &["agent.env UNSET"]),
        ("omnigen.toml", "env = [\"MOOD\"", "network = true\nenv = [\"MOOD\"", &["agent.network"]),
        ("omnigen.toml", "env = [\"MOOD\"", "sandbox = false\nenv = [\"MOOD\"", &["agent.sandbox"]),
        ("omnigen.toml", "env = [\"MOOD\"", "read = [\"/opt\"]\nenv = [\"MOOD\"", &["agent.read"]),
        ("omnigen.toml", "docs/{contract}.md", "pages/{contract}.md", &["coordination"]),
        ("omnigen.toml", "Explain.", "Explain well.", &["assignment"]),
        ("omnigen.toml", "listens = [\"teller\"]", "", &["messages outline"]),
        ("omnigen.toml", "needs = [\"models\", \"outline\"]", "needs = [\"models\"]", &["artifact outline"]),
        ("omnigen.toml", "\"source\", ", "", &["contract.source"]),
        ("VERSION", "1.0", "1.1", &["agent.version"]),
        ("templates/page.md", "# {}", "## {}", &["templates"]),
        ("examples/order.md", "has a note", "has one note", &["patterns"]),
        ("contracts/order.yaml", "# An order.", "# No order.", &["contract.source"]),
        (
            "contracts/order.yaml",
            "n: An order.",
            "n: Some order.",
            &["contract.document", "contract.source", "artifact models"],
        ),
        ("contracts/note.json", "A note.", "One note.", &[]),
        ("contracts/note.json", "\"type\": \"object\"", "\"title\": \"Slip\", \"type\": \"object\"", &[]),
    ];
    for (path, from, to, parts) in seen {
        let before = project.read(path);
        project.edit(path, from, to);
        let (now, changed) = key(&project);
        assert_eq!(changed, *parts, "{path}: {from} → {to}");
        assert_eq!(now == first, parts.is_empty(), "{path}: {from} → {to}");
        project.write(path, before);
    }
    for (path, text, parts) in [
        ("mood", "wild", &["agent.env MOOD"][..]),
        ("agents/nobody.txt", "not declared", &[]),
        ("templates/more.md", "more", &["templates"]),
        // Only what is found counts, not what was searched.
        ("examples/third.md", "nothing like it", &[]),
        ("examples/best.md", "order note order note order note description object properties", &["patterns"]),
        ("contracts/new.json", NOTE, &[]),
    ] {
        project.write(path, text);
        let (now, changed) = key(&project);
        assert_eq!(changed, parts, "{path}");
        assert_eq!(now == first, parts.is_empty(), "{path}");
        project.remove(path);
    }
    // Limits, retries, pools, other targets, other contracts, threads, the time, the place.
    for (from, to) in [
        (
            "env = [\"MOOD\"",
            "timeout = \"7s\"\nretry = { attempts = 9 }\nconcurrency = 2\nkind = \"cpu\"\nprogress_within = \"9s\"\nenv = [\"MOOD\"",
        ),
        ("agent = \"curious\"", "agent = \"curious\"\npriority = 7\nquality_threshold = 0.1"),
        ("[project]", "[run]\nio = 3\ntimeout = \"60s\"\n[gate.g]\nchecks = [\"ruff\"]\n[project]"),
        ("[target.outline]", "[target.more]\nagent = \"curious\"\noutput = \"more/{contract}\"\n[target.outline]"),
    ] {
        let before = project.read("omnigen.toml");
        project.edit("omnigen.toml", from, to);
        assert_eq!(key(&project), (first.clone(), Vec::new()), "{to}");
        project.write("omnigen.toml", before);
    }
    let again = project.finish(project.command().args(["build", "--frozen", "--force", "-j", "1"]).env("MOOD", "calm"));
    again.ends(0);
    let elsewhere = Project::empty();
    for (path, bytes) in project.tree("") {
        if !path.starts_with(".omnigen") {
            elsewhere.write(&path, bytes);
        }
    }
    assert_eq!(key(&elsewhere).0, first, "another folder, another store, another day");
    // Another run, with other numbers and other files for what it tells.
    let run = ["build", "--refresh", "docs", "--events", "events.jsonl", "-v"];
    project.finish(project.command().args(run).env("MOOD", "calm")).ends(0).says("3 agent calls");
    assert_eq!(key(&project).0, first);
    // Another omnigen: it trusts no manifest, but all answers.
    let bytes = std::fs::read(omnigen_tests::omnigen()).expect("the program");
    let newer = project.path("newer");
    std::fs::write(&newer, another_version(bytes)).expect("written");
    std::fs::set_permissions(&newer, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let newer = |arguments: &[&str]| {
        let mut command = std::process::Command::new(&newer);
        let known = project.command();
        command.envs(known.get_envs().filter_map(|(name, value)| Some((name, value?))));
        project.finish(command.args(arguments).current_dir(project.root()).env("MOOD", "calm"))
    };
    assert!(newer(&["--version"]).stdout.contains("9.9.9"));
    newer(&["build", "--frozen", "--offline", "-v"])
        .ends(0)
        .says("another build of omnigen")
        .does_not_say("agent call");
    let explained = newer(&["explain", "contracts/order.yaml:docs", "--message-format", "json"]);
    assert!(explained.ends(0).stdout.contains(&first), "{}", explained.text());
}

/// The program as it might be released next.
fn another_version(mut program: Vec<u8>) -> Vec<u8> {
    let own = env!("CARGO_PKG_VERSION").as_bytes();
    for at in 0..program.len() - own.len() {
        if program[at..].starts_with(own) {
            program[at..at + own.len()].fill(b'9');
            program[at..at + own.len()].iter_mut().skip(1).step_by(2).for_each(|byte| *byte = b'.');
        }
    }
    program
}

#[test]
fn attempts_are_not_part_of_a_key() {
    let program = "import os\nmark = 'MARK'\nif not os.path.exists(mark):\n    open(mark, 'w').close()\n    sys.exit(1)\ndone('x')";
    let project = crate::agents::project(&["order"], &[("writer", program)], &target("docs", "writer", ""));
    let mark = project.path("mark").display().to_string();
    project.edit("agents/writer.py", "MARK", &mark);
    project.edit(
        "omnigen.toml",
        "[agent.writer]\n",
        "[agent.writer]\nsandbox = false\nretry = { initial = \"1ms\" }\n",
    );
    let key = |project: &Project| {
        let run = project.run(&["explain", "contracts/order.json:docs", "--message-format", "json"]);
        let found: Value = serde_json::from_str(&run.ends(0).stdout).expect("JSON");
        found[0]["asked"]["key"].as_str().expect("a key").to_owned()
    };
    let planned = key(&project);
    project.build().ends(0).says("2 agent calls");
    assert_eq!(key(&project), planned);
    assert!(project.read("omnigen.lock").contains(&format!("task docs contracts/order.json key={planned}")));
    // One that succeeds at once.
    project.remove("omnigen.lock");
    project.remove(".omnigen");
    project.build().ends(0).says("1 agent call");
    assert!(project.read("omnigen.lock").contains(&format!("task docs contracts/order.json key={planned}")));
}

#[test]
fn after_a_build_it_is_still_told_what_had_changed() {
    let project = curious();
    build(&project).ends(0);
    project.edit("contracts/order.yaml", "n: An order.", "n: Some order.");
    let (next, before) = key(&project);
    build(&project).ends(0);
    let after = key(&project);
    assert_eq!(after, (next, before));
    let run = project.finish(project.command().args(["explain", "generated/docs/order.md"]).env("MOOD", "calm"));
    assert!(run.stdout.contains("asked of `curious`: key "), "{}", run.text());
    assert!(run.stdout.contains("  * contract.document  "), "{}", run.text());
    assert!(run.stdout.contains("    agent.env UNSET  absent"), "{}", run.text());
}

#[test]
fn the_context_is_what_the_agent_gets_and_both_are_as_the_schema_says() {
    let project = curious();
    // This one writes down what it hears.
    project.edit("agents/curious.py", "say('message', to=['nobody']", "say('need', file='VERSION')\nheard = [request, hear()]\nsay('need', target='outline')\nheard.append(hear())\nsay('need', file='nowhere')\nheard.append(hear())\nsay('message', to=['nobody']");
    project.edit("agents/curious.py", "done('text'", "done(json.dumps(heard)");
    build(&project).ends(0);
    let page = project.read("generated/docs/order.md");
    let heard: Value = serde_json::from_str(page.lines().last().expect("a line")).expect("JSON");
    let run = project.finish(
        project
            .command()
            .args(["context", "docs", "contracts/order.yaml", "--message-format", "json"])
            .env("MOOD", "calm"),
    );
    run.ends(0);
    let context: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(context, heard[0]["context"]);
    assert_eq!(context["messages"][0]["data"]["length"].as_u64().map(|length| length > 10), Some(true));
    assert_eq!(context["types"][0]["name"], "ModelNote");
    let mut lines: Vec<Value> = heard.as_array().expect("a list").clone();
    lines.extend([
        json!({ "type": "initialized" }),
        json!({ "type": "need", "target": "outline" }),
        json!({ "type": "message", "to": ["nobody"], "kind": "x", "data": 1 }),
        json!({ "type": "artifact", "path": "docs/order.md", "text": "x" }),
        json!({ "type": "completed", "score": 0.5 }),
        json!({ "type": "failed", "class": "syntax", "text": "no", "span": { "path": "a", "line": 1 } }),
        json!({ "type": "progress", "done": 1 }),
        json!({ "cancel": true }),
    ]);
    valid("agent-protocol", &lines);
    // Nobody was asked, and what cannot be told is said.
    project.run(&["context", "models", "contracts/order.yaml"]).ends(2).says("there are `docs`, `outline`");
    project.run(&["context", "docs", "contracts/none.json"]).ends(2).says("there is no contract");
    project.edit("contracts/order.yaml", "type: object", "type: object\ntitle: Order\nminProperties: 1");
    project
        .finish(project.command().args(["context", "docs", "contracts/order.yaml"]).env("MOOD", "calm"))
        .ends(2)
        .says("it needs `outline` of contracts/order.yaml, which is not known yet");
    let plain = crate::agents::project(&["a"], &[("writer", "done('x')")], &target("docs", "writer", ""));
    plain.run(&["context", "docs", "contracts/a.json"]).ends(0);
    assert!(!plain.has(".omnigen/answers.redb") && !plain.has("generated"));
}
