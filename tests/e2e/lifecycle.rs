//! Projects with agents from end to end: one in three languages, and the one to copy with the job that replays it.
#![expect(clippy::disallowed_methods, reason = "tests run programs")]

use std::process::Command;

use omnigen_tests::{Project, difference, omnigen, python};
use serde_json::Value;

/// An agent in Rust, as its authors would compile it.
fn compile(project: &Project, source: &str, binary: &str) {
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition", "2021", "-o"]).arg(project.path(binary)).arg(project.path(source));
    assert!(rustc.status().is_ok_and(|status| status.success()), "rustc {source}");
}

#[test]
fn three_agents_in_three_languages_make_code_that_is_known_to_work() {
    if python().is_none() {
        return;
    }
    let project = Project::fixture("lifecycle");
    compile(&project, "agents/warden.rs", "agents/warden");
    let run = project.run(&["build", "--events", "events.jsonl"]);
    run.ends(0).says("built 3 of 3 artifacts").says("3 agent calls");
    crate::golden::snapshot("lifecycle", &project, &run);
    let events: Vec<Value> =
        project.read("events.jsonl").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let at = |event: &str, target: &str| {
        let mut found = events.iter().enumerate().filter(|(_, it)| it["event"] == event && it["target"] == target);
        found.next().map(|(at, _)| at).unwrap_or_else(|| panic!("`{target}` was not `{event}`"))
    };
    assert!(at("message", "record") < at("started", "trials"), "the tester has been told");
    assert!(at("completed", "record") < at("started", "check") && at("completed", "check") < at("started", "trials"));
    project.build().ends(0).says("nothing to do");
    // What the tester proves, and who has told it what: a member that is required now is tested now.
    project.edit("contracts/visit.json", "\"minutes\"]", "\"minutes\", \"notes\"]");
    project.build().ends(0).says("3 agent calls");
    assert!(project.read("generated/trials/test_visit.py").contains("\"minutes\", \"notes\"]"));
    // A check that does not hold what it promises is not placed, nor are tests that say so.
    let before = project.read("generated/check/visit.py");
    project.edit("agents/warden.rs", "if name not in document", "if name in document");
    compile(&project, "agents/warden.rs", "agents/warden");
    project.build().ends(3).says("did not pass gate `proved`");
    assert_ne!(project.read("generated/check/visit.py"), before, "it passes its own gate");
    assert!(project.read(".omnigen/rejected/trials/test_visit.py").contains("test_what_is_required_is_missed"));
}

#[test]
fn the_project_to_copy_is_replayed_by_its_own_job() {
    if python().is_none() {
        return;
    }
    let clinic = Project::fixture("clinic");
    assert!(clinic.read("agents/guide.py").lines().count() <= 20, "an agent is twenty lines");
    let job = clinic.read(".github/workflows/contracts.yml");
    let steps: Vec<(&str, &str)> =
        job.split("      - name: ").skip(1).filter_map(|step| step.split_once("        run: |\n")).collect();
    let path = omnigen().parent().expect("a folder").display().to_string();
    let run = |script: &str| {
        let known = clinic.command();
        let known = known.get_envs().find_map(|(name, value)| (name == "PATH").then_some(value?)).expect("PATH");
        let path = format!("{path}:{}", known.to_string_lossy());
        let mut shell = Command::new("sh");
        shell.args(["-ec", script]).current_dir(clinic.root()).env("PATH", path).env_remove("OMNIGEN_API_KEY");
        let output = shell.output().expect("sh");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    run(
        "git init -q && git -c core.autocrlf=false add -A && git -c user.name=T -c user.email=t@example.org commit -qm start",
    );
    let before = clinic.tree("generated");
    let names: Vec<&str> = steps.iter().filter_map(|(name, _)| name.lines().next()).collect();
    assert_eq!(names, ["Install", "Check", "Replay"]);
    for (name, script) in &steps[1..] {
        let (ended_well, said) = run(script);
        assert!(ended_well, "{name}: {said}");
    }
    let after = clinic.tree("generated").into_iter().filter(|(path, _)| !path.contains("__pycache__")).collect();
    assert_eq!(difference(&before, &after), "");
    // A contract that says something else: the job fails.
    clinic.edit("contracts/patient.json", "treated here", "treated there");
    let (ended_well, said) = run(steps[1].1);
    assert!(!ended_well && said.contains("3 artifacts are out of date"), "{said}");
}
