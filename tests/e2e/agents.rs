//! Agents as build steps: asked only if something that they see has changed, in parallel, within limits, pinned by the lock.

use std::time::Duration;

use omnigen_tests::Project;

pub(crate) const NOTE: &str = r#"{ "description": "A note.", "type": "object", "properties": { "text": { "type": "string" } } }
"#;

/// What every Python agent here begins with.
const PREAMBLE: &str = r#"import json, sys

def say(_type, **members):
    print(json.dumps({"type": _type, **members}), flush=True)

def hear():
    return json.loads(sys.stdin.readline())

request = hear()
context, task = request["context"], request["task"]

def done(text, path=None):
    say("artifact", path=path or task["outputs"][0], text=text)
    say("completed")

"#;

/// A project with these contracts, agents (name, program) and the rest of the configuration.
pub(crate) fn project(contracts: &[&str], agents: &[(&str, &str)], rest: &str) -> Project {
    let project = Project::with(&[]);
    for contract in contracts {
        project.write(&format!("contracts/{contract}.json"), NOTE);
    }
    let mut config = "[project]\nname = \"test\"\n".to_owned();
    for (name, program) in agents {
        project.write(&format!("agents/{name}.py"), format!("{PREAMBLE}{program}\n"));
        config += &format!(
            "[agent.{name}]\ncommand = [\"python3\", \"agents/{name}.py\"]\ninputs = [\"agents/{name}.py\"]\n"
        );
    }
    project.write("omnigen.toml", config + rest);
    project
}

pub(crate) fn target(name: &str, agent: &str, more: &str) -> String {
    format!("[target.{name}]\nagent = \"{agent}\"\noutput = \"{name}/{{contract}}.md\"\n{more}\n")
}

#[test]
fn an_agent_asks_another_one_while_it_runs_and_neither_holds_the_other_up() {
    let asks = r#"say("need", target="outline")
outline = hear()["artifact"]["files"][0]["text"]
say("need", file="STYLE.md")
style = hear()
done(outline + ("" if "absent" in style else style["artifact"]["files"][0]["text"]))"#;
    let rest = target("docs", "writer", "") + &target("outline", "outliner", "priority = -1");
    let project =
        project(&["a", "b", "c"], &[("writer", asks), ("outliner", "done('outline of ' + task['contract'])")], &rest);
    // One slot for all: a writer that waits must give it back, or nothing would ever run.
    project.edit("omnigen.toml", "[project]", "[run]\nio = 1\n[project]");
    project.build().ends(0).says("6 agent calls");
    assert!(project.read("generated/docs/b.md").contains("outline of contracts/b.json"));
    // The lock has what was asked for, in order, also what was not there.
    let lock = project.read("omnigen.lock");
    let line = lock.lines().find(|line| line.starts_with("task docs contracts/a.json")).expect("a line");
    let needs: Vec<&str> = line.split(' ').filter_map(|word| word.strip_prefix("need=")).collect();
    assert!(needs[0].starts_with("target:outline:") && needs[1] == "file:STYLE.md:absent", "{needs:?}");
    project.build().ends(0).says("nothing to do");
    // What was not there is there now.
    project.write("STYLE.md", "Be brief.");
    project.build().ends(0).says("3 agent calls");
    assert!(project.read("generated/docs/b.md").contains("Be brief."));
    // What another agent says about another contract does not matter.
    project.edit("contracts/a.json", "A note.", "Another note.");
    project.build().ends(0).says("2 agent calls");
}

#[test]
fn that_nothing_has_changed_is_seen_without_reading_what_is_known_of_tasks() {
    let asks = "say('need', file='STYLE.md')\nsay('message', to=['writer'], kind='k', data=hear())\ndone('x')";
    let more = "templates = [\"templates/*\"]\npatterns = { files = [\"examples/*\"], top = 1 }\ngates = [\"g\"]\n";
    let rest = target("docs", "writer", more) + "[gate.g]\nchecks = [\"command\"]\ncommand = [\"true\"]\n";
    let project = project(&["a", "b"], &[("writer", asks)], &rest);
    let version = project.path("VERSION").display().to_string();
    let described = format!("inputs = [\"agents/**\"]\nenv = [\"MOOD\"]\nversion = [\"cat\", \"{version}\"]\n");
    project.edit("omnigen.toml", "inputs = [\"agents/writer.py\"]\n", &described);
    for path in ["STYLE.md", "VERSION", "templates/t", "examples/note"] {
        project.write(path, "a note");
    }
    let run = |arguments: &[&str], mood: &str| project.finish(project.command().args(arguments).env("MOOD", mood));
    run(&["build"], "calm").ends(0).says("2 agent calls");
    run(&["build"], "wild").ends(0).says("2 agent calls");
    for (path, text, said) in [
        ("STYLE.md", "Be brief.", "2 agent calls"),
        ("VERSION", "2.0", "2 agent calls"),
        ("templates/t", "another note", "2 agent calls"),
        ("examples/note", "a note of text", "2 agent calls"),
        ("agents/more", "", "2 agent calls"),
        ("contracts/a.json", "{ \"type\": \"string\" }\n", "1 agent call"),
        ("contracts/c.json", "{ \"type\": \"string\" }\n", "1 agent call"),
        ("generated/docs/a.md", "by hand", "error[edited-output]"),
        ("omnigen.toml", "", "the configuration is empty"),
        ("omnigen.lock", "# omnigen.lock: version 9.", "version 9"),
    ] {
        // The first run after a build trusts no stat of the same tick; the next one has nothing to look at but stats.
        std::thread::sleep(Duration::from_millis(8));
        run(&["build"], "wild").ends(0).says("nothing to do");
        let before = project.has(path).then(|| project.read(path));
        project.write(path, text);
        let found = run(&["build"], "wild");
        if found.code == 0 {
            found.says(said);
        } else if let Some(before) = before {
            project.write(path, before);
        }
        assert!(found.code != 0 || !found.stderr.contains("nothing to do"), "{path}: {}", found.text());
    }
    std::thread::sleep(Duration::from_millis(8));
    run(&["build"], "wild").ends(0).says("nothing to do");
    project
        .tree(".omnigen/details")
        .into_keys()
        .for_each(|path| project.write(&format!(".omnigen/details/{path}"), "!"));
    for arguments in [&["build"][..], &["build", "--check"], &["build", "--frozen", "--offline"]] {
        run(arguments, "wild").ends(0).says("(12 artifacts)").does_not_say("damaged");
    }
    run(&["build", "--check"], "calm").says("damaged");
}

#[test]
fn an_agent_may_give_several_files_for_one_contract() {
    let program = "for name in context['contract']['document']['required']:\n    \
                   say('artifact', path=f'docs/{context[\"contract\"][\"name\"]}/{name}', text=name)\nsay('completed')";
    let rest = "[target.docs]\nagent = \"writer\"\noutput = \"docs/{contract}/*\"\n";
    let project = project(&[], &[("writer", program)], rest);
    project.edit("omnigen.toml", "name = \"test\"\n", "name = \"test\"\ntargets = [\"docs\"]\n");
    for contract in ["a", "b"] {
        let text = "{ \"required\": [\"one.md\", \"two.md\", \"three.json\"] }";
        project.write(&format!("contracts/{contract}.json"), text);
    }
    let files =
        || project.tree("generated").into_keys().map(|path| path.replace("docs/", "")).collect::<Vec<_>>().join(" ");
    let all = "a/one.md a/three.json a/two.md b/one.md b/three.json b/two.md";
    project.build().ends(0).says("built 6 of 6 artifacts").says("2 agent calls");
    project.build().ends(0).says("nothing to do (6 artifacts)");
    project.run(&["build", "--check"]).ends(0);
    assert_eq!(files(), all);
    project.remove("generated/docs/a/two.md");
    project.build().ends(0).says("built 1 of 6 artifacts").says("0 agent calls, 1 cached");
    project.remove(".omnigen");
    project.run(&["build", "--frozen", "--offline"]).ends(0).says("nothing to do (6 artifacts)");
    // What cannot be restored takes nothing with it.
    project.remove(".omnigen");
    project.remove("generated/docs/a/two.md");
    project.run(&["build", "--frozen", "--offline"]).ends(3).says("a/two.md is not there as it says");
    assert_eq!(files(), all.replace("a/two.md ", ""));
    project.build().ends(0).says("1 agent call");
    assert_eq!(files(), all);
    // What is given no more goes, also what can carry no mark; and so does what nobody wants.
    project.edit("contracts/a.json", "\"two.md\", \"three.json\"", "\"four.json\"");
    project.build().ends(0).says("removed 2");
    assert_eq!(files(), "a/four.json a/one.md b/one.md b/three.json b/two.md");
    project.remove("contracts/b.json");
    project.build().ends(0).says("removed 3 artifacts");
    assert_eq!(files(), "a/four.json a/one.md");
}

#[test]
fn an_agent_may_have_nothing_to_give() {
    let program = "say('completed') if 'bare' in task['contract'] else done('x')";
    let project = project(&["a", "bare"], &[("writer", program)], &target("docs", "writer", ""));
    project.build().ends(0).says("built 7 of 7 artifacts");
    project.build().ends(0).says("nothing to do (7 artifacts)");
    project.run(&["build", "--check"]).ends(0).says("up to date");
    project.remove(".omnigen");
    project.run(&["build", "--frozen", "--offline"]).ends(0).says("nothing to do (7 artifacts)");
    project.edit("contracts/a.json", "A note.", "Another note.");
    project.build().ends(0).says("1 agent call");
}

#[test]
fn nobody_gives_what_is_somebody_elses() {
    let program = "done('# ' + context['contract']['document']['title'], context['contract']['document']['title'])";
    let rest = "[target.docs]\nagent = \"writer\"\noutput = \"**/*{contract}*\"\n";
    let project = project(&[], &[("writer", program)], rest);
    project.edit("omnigen.toml", "name = \"test\"\n", "name = \"test\"\ntargets = [\"models\", \"docs\"]\n");
    for (contract, path) in [("a", "docs/ab.md"), ("b", "docs/Ab.md"), ("c", "models/model_c.py")] {
        project.write(&format!("contracts/{contract}.json"), format!("{{ \"title\": \"{path}\" }}"));
    }
    let run = project.build();
    run.ends(3)
        .says("error[output-collision]")
        .says("generated/models/model_c.py, which is `models` of contracts/c.json");
    assert_eq!(run.stderr.matches("error[output-collision]").count(), 2, "{}", run.text());
    assert!(project.read("generated/models/model_c.py").contains("class"), "{}", run.text());
    assert_eq!(project.tree("generated/docs").len(), 1);
    project.build().ends(3).says("error[output-collision]").does_not_say("1 agent call");
}

#[test]
fn whose_a_path_is_does_not_depend_on_who_is_quicker() {
    for slow in ["left", "right"] {
        let program = |name: &str| {
            let pause = if name == slow { 0.3 } else { 0.0 };
            format!("import time\ntime.sleep({pause})\ndone('{name}', 'pages/one.md')")
        };
        let rest = "[target.left]\nagent = \"left\"\noutput = \"pages/*{contract}*\"\n\
                    [target.right]\nagent = \"right\"\noutput = \"pages/{contract}*\"\n";
        let project = project(&["one"], &[("left", &program("left")), ("right", &program("right"))], rest);
        project.build().ends(3).says("`right` gives generated/pages/one.md, which is `left` of contracts/one.json");
        assert!(project.read("generated/pages/one.md").contains("left"));
        project.build().ends(3).says("`right` gives generated/pages/one.md").does_not_say("1 agent call");
    }
}

#[test]
fn what_an_agent_asked_for_is_what_it_is_when_it_is_done() {
    let program = "import time\nsay('need', file='STYLE.md')\nstyle = hear()['artifact']['files'][0]['text']\n\
                   if style == 'old':\n    time.sleep(0.6)\ndone(style)";
    let project = project(&["a"], &[("writer", program)], &target("docs", "writer", ""));
    project.write("STYLE.md", "old");
    let mut build = project.command().args(["build", "--events", "events.jsonl"]).spawn().expect("omnigen");
    while !(project.has("events.jsonl") && project.read("events.jsonl").contains("\"resumed\"")) {
        std::thread::sleep(Duration::from_millis(10));
    }
    project.write("STYLE.md", "new");
    assert!(build.wait().is_ok_and(|status| status.success()));
    assert!(project.read("generated/docs/a.md").ends_with("new"), "{}", project.read("generated/docs/a.md"));
    project.build().ends(0).says("nothing to do");
}

#[test]
fn outputs_without_a_mark_go_by_any_way_of_building() {
    let project = project(
        &["a", "b"],
        &[("writer", "done('{}')")],
        "[target.data]\nagent = \"writer\"\noutput = \"data/{contract}.json\"\n",
    );
    project.edit("omnigen.toml", "[project]", "[project]\ntargets = [\"models\", \"data\"]");
    project.build().ends(0).says("2 agent calls");
    project.remove("contracts/b.json");
    project.run(&["build", "--check"]).ends(1).lists("orphaned generated/data/b.json");
    assert!(project.has("generated/data/b.json"));
    project.run(&["build", "--frozen", "--offline"]).ends(0);
    assert!(!project.has("generated/data/b.json") && project.has("generated/data/a.json"));
    project.build().ends(0);
    // Also when there are no agents any more.
    project.edit("omnigen.toml", "\"models\", \"data\"", "\"models\"");
    project.build().ends(0);
    assert!(!project.has("generated/data/a.json"));
}

#[test]
fn a_need_may_be_waited_for_so_long_and_no_longer() {
    let slow = "import time\ntime.sleep(0.5)\ndone('slow')";
    let rest = target("late", "slow", "")
        + &target("hasty", "quick", "needs = [{ target = \"late\", timeout = \"100ms\" }]")
        + &target("calm", "quick", "needs = [{ target = \"late\", timeout = \"20s\" }]");
    let project = project(&["a"], &[("slow", slow), ("quick", "done('quick')")], &rest);
    project.build().ends(3).says("error[agent-timeout]").says("`hasty` waited 100ms for `late`").says("2 agent calls");
    assert!(project.has("generated/late/a.md") && project.has("generated/calm/a.md"));
    assert!(!project.has("generated/hasty/a.md"));
    project.build().ends(0).says("1 agent call");
}

#[test]
fn agents_that_wait_for_each_other_are_told() {
    let asks = |other: &str| format!("say('need', target='{other}')\nhear()\ndone('never')");
    let rest = target("left", "l", "") + &target("right", "r", "");
    let project = project(&["a"], &[("l", &asks("right")), ("r", &asks("left"))], &rest);
    let run = project.build();
    run.ends(3).says("error[task-cycle]").says("`left` of contracts/a.json → `right` of contracts/a.json → `left`");
    assert!(project.has("generated/models/model_a.py"), "the rest is built");
}

#[test]
fn a_message_reaches_those_it_is_for() {
    let sender = r#"say("message", to=["reader"], kind="note", data={"b": 1, "a": [task["contract"]]})
say("message", to=["somebody"], kind="note", data="not for the reader")
done("x" + str(len(context["contract"]["document"])))"#;
    let reader = "done(json.dumps(context['messages']))";
    let rest = target("first", "sender", "") + &target("second", "reader", "listens = [\"sender\"]");
    let project = project(&["a"], &[("sender", sender), ("reader", reader)], &rest);
    project.build().ends(0).says("2 agent calls");
    // A fresh clone has the messages too, and can tell from them what the reader would be asked.
    project.remove(".omnigen");
    project.run(&["build", "--frozen", "--offline"]).ends(0).says("nothing to do");
    project.remove(".omnigen");
    project.edit(
        "omnigen.toml",
        "listens = [\"sender\"]",
        "listens = [\"sender\"]\nassignment = { objective = \"Read.\" }",
    );
    project.build().ends(0).says("1 agent call, 1 cached");
    let heard = project.read("generated/second/a.md");
    assert!(
        heard.contains(r#"[{"data": {"a": ["contracts/a.json"], "b": 1}, "from": "sender", "kind": "note"}]"#),
        "{heard}"
    );
    // Another artifact of the sender, and the same messages: nothing new for the reader.
    project.edit("contracts/a.json", "\"type\": \"object\"", "\"title\": \"A\", \"type\": \"object\"");
    project.edit("omnigen.toml", "listens = [\"sender\"]", "listens = [\"sender\"]\nsees = [\"meaning\"]");
    project.build().ends(0).says("2 agent calls");
    project.edit("contracts/a.json", "\"title\": \"A\", ", "");
    project.build().ends(0).says("0 agent calls, 2 cached");
}

#[test]
fn what_an_agent_does_not_see_does_not_start_it() {
    let rest = target("meant", "one", "sees = [\"meaning\"]") + &target("read", "two", "sees = [\"source\"]");
    let program = "done(json.dumps(context['contract']))";
    let project = project(&["a", "b"], &[("one", program), ("two", program)], &rest);
    project.build().ends(0).says("4 agent calls");
    assert!(!project.read("generated/meant/a.md").contains("description"));
    // A description is in the text only.
    project.edit("contracts/a.json", "A note.", "Another note.");
    project.build().ends(0).says("1 agent call");
    // Layout too.
    project.edit("contracts/a.json", "{ \"text\"", "{  \"text\"");
    project.build().ends(0).says("1 agent call");
    // A type is seen by both; the other contract by nobody.
    project.edit("contracts/b.json", "\"string\"", "\"integer\"");
    project.build().ends(0).says("2 agent calls");
    // And back: everything is known.
    project.edit("contracts/b.json", "\"integer\"", "\"string\"");
    project.build().ends(0).says("0 agent calls, 2 cached");
}

#[test]
fn examples_enter_the_key_by_what_is_found_among_them() {
    let rest = target("docs", "writer", "patterns = { files = [\"examples/*.md\"], top = 1 }");
    let program = "done(json.dumps([p['path'] for p in context['patterns']]))";
    let project = project(&["note"], &[("writer", program)], &rest);
    project.write("examples/note.md", "A note has a text.");
    project.write("examples/order.md", "An order has lines.");
    project.build().ends(0).says("1 agent call");
    assert!(project.read("generated/docs/note.md").contains("[\"examples/note.md\"]"));
    project.write("examples/order.md", "An order has lines, and a customer.");
    project.build().ends(0).does_not_say("agent call");
    project.write("examples/note.md", "A note has a text, or none.");
    project.build().ends(0).says("1 agent call");
}

#[test]
fn a_failure_that_may_pass_is_tried_again_and_others_are_not() {
    // The first attempt leaves a mark outside its folder.
    let crash = r#"import os
mark = "MARK"
if not os.path.exists(mark):
    open(mark, "w").close()
    sys.exit(1)
done("at last")"#;
    let folder = Project::empty();
    let mark = folder.path("mark");
    let crash = crash.replace("MARK", &mark.display().to_string());
    let project = project(&["a"], &[("writer", &crash)], &target("docs", "writer", ""));
    project.edit(
        "omnigen.toml",
        "[agent.writer]\n",
        "[agent.writer]\nsandbox = false\nretry = { initial = \"1ms\" }\n",
    );
    project.build().ends(0).says("2 agent calls");
    let fails = self::project(
        &["a"],
        &[("writer", "say('failed', **{'class': 'input', 'text': 'no'})")],
        &target("docs", "writer", ""),
    );
    fails.build().ends(3).says("1 agent call").says("error[agent-failed]");
}

#[test]
fn refresh_asks_again() {
    let rest = target("docs", "writer", "") + &target("notes", "writer", "");
    let project = project(&["a"], &[("writer", "import os\ndone(os.urandom(8).hex())")], &rest);
    project.build().ends(0).says("2 agent calls");
    let (docs, notes) = (project.read("generated/docs/a.md"), project.read("generated/notes/a.md"));
    project.run(&["build", "--refresh", "docs"]).ends(0).says("1 agent call");
    assert_ne!(project.read("generated/docs/a.md"), docs);
    assert_eq!(project.read("generated/notes/a.md"), notes);
    project.build().ends(0).says("nothing to do");
    project.run(&["build", "--check"]).ends(0);
}

#[test]
fn a_fresh_clone_replays_the_lock_and_names_what_it_cannot_restore() {
    let rest = target("docs", "writer", "needs = [\"outline\"]") + &target("outline", "outliner", "");
    let program = "done(json.dumps(context['artifacts']))";
    let project = project(&["a", "b"], &[("writer", program), ("outliner", "done('outline')")], &rest);
    project.build().ends(0).says("4 agent calls");
    let model = project.read("generated/models/model_a.py");
    project.remove(".omnigen");
    project.remove("generated/models/model_a.py");
    let replay = ["build", "--frozen", "--offline"];
    project.run(&replay).ends(0).says("4 cached");
    assert_eq!(project.read("generated/models/model_a.py"), model, "built-in outputs come back byte for byte");
    // A lost output of an agent cannot be made; what depends on it is known to be right all the same.
    project.remove(".omnigen");
    project.remove("generated/outline/a.md");
    let run = project.run(&replay);
    run.ends(3).says("error[answer-missing]").says("generated/outline/a.md is not there as it says");
    assert!(project.has("generated/docs/a.md"));
    // Another text in its place is no answer either.
    project.write("generated/outline/a.md", "something else");
    project.run(&replay).ends(3);
    project.remove("generated/outline/a.md");
    project.build().ends(0).says("1 agent call");
}

#[test]
fn locks_merge() {
    let project = project(
        &["a", "b", "c"],
        &[("writer", "done(json.dumps(context['contract']['document']))")],
        &target("docs", "writer", ""),
    );
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]);
        let output = command.args(arguments).current_dir(project.root()).output().expect("git runs");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    project.write(".gitignore", ".omnigen/\n");
    project.build().ends(0);
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "-A"]);
    assert!(git(&["commit", "-qm", "start"]).0);
    // Two people change two contracts that are far from each other: git merges the lock by itself.
    git(&["checkout", "-qb", "other"]);
    project.edit("contracts/c.json", "A note.", "The third.");
    project.build().ends(0).says("1 agent call");
    git(&["commit", "-qam", "c"]);
    git(&["checkout", "-q", "main"]);
    project.edit("contracts/a.json", "A note.", "The first.");
    project.build().ends(0).says("1 agent call");
    git(&["commit", "-qam", "a"]);
    assert!(git(&["merge", "-q", "other", "-m", "both"]).0, "{}", git(&["diff"]).1);
    project.remove(".omnigen");
    project.run(&["build", "--frozen", "--offline"]).ends(0).says("nothing to do (12 artifacts)");
    // Two people change one contract: both lines are there, and the one that fits counts.
    git(&["checkout", "-qb", "third"]);
    project.edit("contracts/b.json", "A note.", "Theirs.");
    project.build().ends(0);
    git(&["commit", "-qam", "theirs"]);
    git(&["checkout", "-q", "main"]);
    project.edit("contracts/b.json", "A note.", "Ours.");
    project.build().ends(0);
    git(&["commit", "-qam", "ours"]);
    assert!(!git(&["merge", "-q", "third", "-m", "conflict"]).0);
    assert!(project.read("omnigen.lock").contains("<<<<<<<"));
    git(&["checkout", "-q", "--theirs", "contracts/b.json", "generated"]);
    project.remove(".omnigen");
    project.run(&["build", "--frozen", "--offline"]).ends(0).says("nothing to do (12 artifacts)");
    project.build().ends(0).does_not_say("agent call");
    assert!(!project.read("omnigen.lock").contains("<<<<<<<"), "written again, it is whole");
}

#[test]
fn in_watch_an_edit_in_the_middle_of_a_call_is_taken_at_once() {
    // It is slow only for the second text, and says with its life that it was killed.
    let program = r#"import os, time
if "slow" in json.dumps(context["contract"]["document"]):
    open("PIDS", "a").write(f"{os.getpid()}\n")
    say("progress", text="slow")
    time.sleep(60)
done("quick")"#;
    let folder = Project::empty();
    let pids = folder.path("pids");
    let program = program.replace("PIDS", &pids.display().to_string());
    let project = project(&["a"], &[("writer", &program)], &target("docs", "writer", ""));
    project.edit("omnigen.toml", "[agent.writer]\n", "[agent.writer]\nsandbox = false\n");
    let mut watching = project.watch();
    watching.line("1 agent call");
    project.edit("contracts/a.json", "A note.", "A slow note.");
    watching.until("the slow call", || pids.exists() && !std::fs::read_to_string(&pids).unwrap_or_default().is_empty());
    // Built-in outputs of the edit are there already, or come with the next one; either way nobody waits for the agent.
    project.edit("contracts/a.json", "A slow note.", "A note.");
    watching.line("0 agent calls, 1 cached");
    let pid = std::fs::read_to_string(&pids).expect("a pid");
    watching.until("the end of the slow agent", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    });
    assert!(watching.lines_for(Duration::from_millis(200)).is_empty());
    watching.interrupt();
}

#[test]
fn what_is_secret_is_shown_and_stored_nowhere() {
    let program = r#"import os, base64, urllib.parse
token = os.environ["API_TOKEN"]
print("stderr " + token, file=sys.stderr)
say("progress", text="progress " + token)
name = task["contract"]
if "/a." in name:
    say("failed", **{"class": "refusal", "text": "failed " + token})
elif "/b." in name:
    done("artifact " + token)
elif "/c." in name:
    say("message", to=["somebody"], kind="note", data={"x": [token]})
    done("fine")
elif "/d." in name:
    print("noise " + token, flush=True)
elif "/f." in name:
    say("need", file=token.encode().hex())
    hear()
    done("fine")
elif "/g." in name:
    done("pasted\n" + base64.encodebytes(("user:" + token).encode()).decode())
elif "/h." in name:
    say("message", to=[token], kind="note", data=1)
    done("fine")
elif "/i." in name:
    for form in urllib.parse.quote(token), token.encode().hex(), "\n".join(token), base64.b64encode(token.encode()).decode():
        print(form, file=sys.stderr)
    say("failed", **{"class": "refusal", "text": urllib.parse.quote(token)})
else:
    say("artifact", path=task["outputs"][0], text="fine")
    say("completed", summary="summary " + token)"#;
    let contracts = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let project = project(&contracts, &[("writer", program)], &target("docs", "writer", ""));
    project.edit("omnigen.toml", "[agent.writer]\n", "[agent.writer]\nenv = [\"API_TOKEN\"]\n");
    let mut command = project.command();
    command.args(["build", "-v", "--events", "events.jsonl", "--message-format", "json"]);
    let run = project.finish(command.env("API_TOKEN", "tok-5ecret\u{e9}\"x").env("OMNIGEN_LOG", "trace"));
    run.ends(3);
    assert!(run.stdout.contains("holds the value of the variable `API_TOKEN`"), "{}", run.text());
    let placed: Vec<String> = project.tree("generated/docs").into_keys().collect();
    assert_eq!(placed, ["e.md"]);
    // The value, as hexadecimal digits, as base64, one character a line.
    let all = [("".to_owned(), run.text().into_bytes())].into_iter().chain(project.tree(""));
    for (path, bytes) in all.filter(|(path, _)| !path.starts_with("agents/")) {
        let text = String::from_utf8_lossy(&bytes);
        for form in ["5ecret", "746f6b2d3565", "dG9rLTVlY3", "rLTVlY3JldM", "c\nr\ne\nt", "c\\nr\\ne\\nt"] {
            assert!(!text.contains(form), "{path}: {form}\n{text}");
        }
    }
}
