//! Gates: what an answer has to pass before it is placed.

use crate::agents::{project, target};

#[test]
fn what_does_not_pass_its_gate_is_kept_and_never_placed() {
    let writer = "done('def broken(:' if 'bad' in json.dumps(context['contract']) else 'x = 1\\n')";
    let rest = "[target.code]\nagent = \"writer\"\noutput = \"code/{contract}.py\"\ngates = [\"python\"]\n[gate.python]\nchecks = [\"python-syntax\"]\n";
    let project = project(&["a", "b"], &[("writer", writer)], rest);
    project.build().ends(0).says("2 agent calls");
    let good = project.read("generated/code/a.py");
    project.edit("contracts/a.json", "A note.", "A bad note.");
    let run = project.build();
    run.ends(3).says("error[gate-failed]").says(".omnigen/rejected/code/a.py").says("python-syntax");
    assert_eq!(project.read("generated/code/a.py"), good, "the last good one stays");
    assert!(project.read(".omnigen/rejected/code/a.py").contains("def broken"));
    // Nobody pays twice for the same mistake.
    project.build().ends(3).says("error[gate-failed]").does_not_say("agent call");
    // Another gate judges stored answers without asking anybody.
    project.edit("omnigen.toml", "checks = [\"python-syntax\"]", "checks = [\"python-syntax\"]\nthreshold = 0");
    project.build().ends(0).says("0 agent calls");
    assert!(project.read("generated/code/a.py").contains("def broken"));
    // A clone takes the receipts of the lock.
    assert!(project.read("omnigen.lock").contains(" gate=python:"));
    project.remove(".omnigen");
    project.run(&["build", "--frozen", "--offline"]).ends(0);
}

#[test]
fn a_command_is_a_gate_and_a_batch_is_judged_at_once() {
    let rest = target("docs", "writer", "gates = [\"words\"]")
        + "[gate.words]\ncommand = [\"python3\", \"gates/words.py\"]\ninputs = [\"gates/*.py\"]\n";
    let project = project(&["a", "b", "c"], &[("writer", "done('one\\ntwo ' + task['contract'])")], &rest);
    let gate = "import sys\nbad = 0\nfor path in sys.argv[1:]:\n    for number, line in enumerate(open(path), 1):\n        if 'two contracts/b.json' in line:\n            print(f'{path}:{number}:5: error: no second words')\n            bad = 1\nsys.exit(bad)\n";
    project.write("gates/words.py", gate);
    let run = project.build();
    run.ends(3).says("error[gate-failed]").says("no second words").says("it scores 0.50, and 1.00 are wanted");
    assert!(project.has("generated/docs/a.md") && !project.has("generated/docs/b.md"));
    project.edit("gates/words.py", "b.json", "z.json");
    project.build().ends(0).says("0 agent calls");
    assert!(project.has("generated/docs/b.md"));
}

#[test]
fn tools_judge_artifacts_with_what_these_import() {
    // `calls` never sees `code`; only what it imports of it.
    let code = "twice = 'twice' in json.dumps(context['contract'])\n\
                kind, value = ('int', 'number * 2') if twice else ('str', 'str(number)')\n\
                done(f'def double(number: int) -> {kind}:\\n    return {value}\\n')";
    let calls = "done('from generated.code.a import double\\n\\nresult: int = double(2)\\n')";
    let tests =
        "done('from generated.code.a import double\\n\\n\\ndef test_double() -> None:\\n    assert double(2) == 4\\n')";
    let rest = "[target.code]\nagent = \"code\"\noutput = \"code/{contract}.py\"\n\
                [target.calls]\nagent = \"calls\"\noutput = \"calls/{contract}.py\"\nsees = [\"meaning\"]\ngates = [\"typed\"]\n\
                [target.checks]\nagent = \"tests\"\noutput = \"checks/test_{contract}.py\"\nsees = [\"meaning\"]\ngates = [\"tested\"]\n\
                [gate.typed]\nchecks = [\"ruff\", \"mypy\"]\n[gate.tested]\nchecks = [\"pytest\"]\ncoverage = 0.9\n";
    let project = project(&["a"], &[("code", code), ("calls", calls), ("tests", tests)], rest);
    project.edit("omnigen.toml", "[project]", "[project]\ntargets = [\"code\", \"calls\", \"checks\"]");
    let run = project.build();
    run.ends(3).says("3 agent calls").says("pytest: test_double").says("mypy: ");
    assert!(project.has("generated/code/a.py") && !project.has("generated/calls/a.py"));
    project.edit("contracts/a.json", "A note.", "A note, twice.");
    project.build().ends(0).says("1 agent call,");
    assert!(project.has("generated/calls/a.py") && project.has("generated/checks/test_a.py"));
    project.build().ends(0).says("nothing to do");
    // Receipts hold on another machine, tools or not. What mypy knows of libraries takes seconds to make again, and is kept.
    project.rename(".omnigen/mypy", "kept");
    project.remove(".omnigen");
    let path = std::env::temp_dir();
    project.finish(project.command().args(["build", "--frozen", "--offline"]).env("PATH", path)).ends(0);
    project.finish(project.command().args(["build", "--check"]).env("PATH", std::env::temp_dir())).ends(0);
    // What is imported is another: the same answers are judged again, and fall.
    project.rename("kept", ".omnigen/mypy");
    project.edit("contracts/a.json", "A note, twice.", "A note.");
    project.build().ends(3).says("error[gate-failed]").says("1 agent call, 2 cached");
    // The configuration of a tool is part of what its gate is.
    project.edit("contracts/a.json", "A note.", "A note, twice.");
    project.build().ends(0).says("0 agent calls");
    project.edit("omnigen.toml", "[\"ruff\", \"mypy\"]", "[\"ruff\"]");
    project.write("ruff.toml", "[lint]\nselect = [\"D100\"]\n");
    project.build().ends(3).says("ruff D100").does_not_say("agent call");
    assert!(project.has("generated/calls/a.py"), "the last good one stays");
}

#[test]
fn what_an_artifact_imports_may_be_written_by_hand_and_comes_or_goes() {
    let rest = "[target.code]\nagent = \"code\"\noutput = \"code/{contract}.py\"\ngates = [\"helped\"]\n\
                [gate.helped]\ncommand = [\"grep\", \"-q\", \"good\", \"generated/helpers.py\"]\n";
    let project = project(&["a"], &[("code", "done('from generated.helpers import x\\n')")], rest);
    project.edit("omnigen.toml", "[project]", "[project]\ntargets = [\"code\"]");
    let built = |code: i32| {
        project.build().ends(code).does_not_say("1 agent call");
    };
    project.build().ends(3).says("1 agent call");
    project.write("generated/helpers.py", "x = 'good'\n");
    built(0);
    project.build().ends(0).says("nothing to do");
    project.write("generated/helpers.py", "x = 'bad'\n");
    built(3);
    project.write("generated/helpers.py", "x = 'as good'\n");
    built(0);
    project.remove("generated/helpers.py");
    built(3);
}

#[test]
fn an_agent_is_told_what_was_found_and_asked_again() {
    // It is right the second time for `a`, the third time for `b`, and never for `c`; and it proves that it was told.
    let writer = r#"told = request.get("feedback")
wrong = told["artifacts"][0]["text"].count("(") if told else 0
if told:
    finding = told["gates"][0]["findings"][0]
    assert told["gates"][0]["gate"] == "python" and finding["line"] == 1 and finding["check"] == "python-syntax", told
enough = {"a": 1, "b": 2, "c": 9}[task["contract"][10]]
done("x = 1\n" if wrong == enough else "def broken" + "(" * (wrong + 1))"#;
    let rest = "[target.code]\nagent = \"writer\"\noutput = \"code/{contract}.py\"\ngates = [\"python\"]\n\
                [gate.python]\nchecks = [\"python-syntax\"]\n\
                [[recover]]\non = \"quality\"\ndo = \"retry-with-feedback\"\nattempts = 3\n";
    let project = project(&["a", "b"], &[("writer", writer)], rest);
    project.build().ends(0).says("5 agent calls");
    project.build().ends(0).says("nothing to do");
    // The chain is replayed from the store, and what was chosen from the lock.
    project.remove("generated/code");
    project.build().ends(0).does_not_say("agent call,").says("0 agent calls");
    for lost in [".omnigen/manifest", ".omnigen"] {
        project.remove(lost);
        project.run(&["build", "--check"]).ends(0);
        project.run(&["build", "--frozen", "--offline"]).ends(0);
        assert_eq!(project.read("generated/code/b.py").lines().last(), Some("x = 1"));
    }
    // Whoever never gives a good one is asked so often and no more, and not again for the same.
    project.write("contracts/c.json", crate::agents::NOTE);
    project.build().ends(3).says("error[gate-failed]").says("3 agent calls");
    assert!(project.read(".omnigen/rejected/code/c.py").contains("(((") && !project.has("generated/code/c.py"));
    project.build().ends(3).says("error[gate-failed]").does_not_say("agent call");
}

#[test]
fn json_is_checked_against_a_schema_and_findings_say_where() {
    let writer = "done(json.dumps({'title': task['contract'], 'lines': ['x', 1] if '/b.' in task['contract'] else []}, indent=1))";
    let rest = "[target.data]\nagent = \"writer\"\noutput = \"data/{contract}.json\"\ngates = [\"shape\"]\n\
                [gate.shape]\nchecks = [\"json-schema\"]\nschema = \"shape.json\"\n";
    let project = project(&["a", "b"], &[("writer", writer)], rest);
    project
        .write("shape.json", "{\"required\":[\"title\"],\"properties\":{\"lines\":{\"items\":{\"type\":\"string\"}}}}");
    project.build().ends(3).says(".omnigen/rejected/data/b.json:5:3").says("1 is not of type \"string\"");
    assert!(project.has("generated/data/a.json") && !project.has("generated/data/b.json"));
    project.write("shape.json", "{\"required\":[\"title\"]}");
    project.build().ends(0).says("0 agent calls");
}

#[test]
fn an_agent_that_doubts_its_answer_is_not_believed() {
    let doubts = "say('artifact', path=task['outputs'][0], text='x')\nsay('completed', score=0.5)";
    let project = project(&["a"], &[("writer", doubts)], &target("docs", "writer", ""));
    project.build().ends(3).says("scores 0.50 by its agent's own opinion, and 0.80 are wanted");
    assert!(!project.has("generated/docs/a.md"));
    project.edit("omnigen.toml", "agent = \"writer\"", "agent = \"writer\"\nquality_threshold = 0.5");
    project.build().ends(0).says("0 agent calls");
}
