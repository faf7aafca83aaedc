//! Instructions as callgrind counts them. They do not depend on load, so that what has become slower is noticed on any machine;
//! where there is no valgrind these tests say so (as `cargo xtask test` does) and pass.

use std::process::Command;

use omnigen_tests::{Project, omnigen};

/// What a run costs that finds nothing changed among [`FEW`] contracts, and what each contract more adds, in this (unoptimized) build;
/// and the same of one edit, beyond a run that finds nothing. As it was when these numbers were written: raise them only for something
/// that is worth it, and lower them after a gain.
const IDLE: i64 = 4_211_000;
const IDLE_PER_CONTRACT: i64 = 14_900;
const EDIT: i64 = 24_106_000;
const EDIT_PER_CONTRACT: i64 = 195_000;
/// Counts differ a little between compilers and between machines.
const TOLERANCE: f64 = 1.15;

const FEW: i64 = 20;
const MANY: i64 = 80;

/// The instructions of a build; `None` without valgrind.
fn instructions(project: &Project) -> Option<i64> {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(omnigen())
        .args(["build", "-j1", "-C"])
        .arg(project.root())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    let count = said.lines().find_map(|line| line.split_once("Collected :")).expect("a count").1;
    Some(count.trim().parse().expect("a number"))
}

/// What nothing costs, and what one edited description costs beyond that, in a project of `count` contracts.
fn costs(count: i64) -> Option<(i64, i64)> {
    let project = Project::with(&[]);
    for i in 0..count {
        let before = (i - 1).max(0);
        let text = format!(
            r#"{{"type": "object", "description": "First.", "required": ["name"], "properties": {{
                "name": {{"type": "string", "minLength": 1}}, "next": {{"$ref": "c{before:03}.json"}}}}}}"#
        );
        project.write(&format!("contracts/c{i:03}.json"), text);
    }
    project.build().ends(0);
    // The first run after a build trusts no stat of the same tick.
    std::thread::sleep(std::time::Duration::from_millis(20));
    project.build().ends(0).says("nothing to do");
    let idle = instructions(&project)?;
    project.edit(&format!("contracts/c{:03}.json", count - 1), "First.", "Second.");
    let edit = instructions(&project)?;
    assert!(project.read(&format!("generated/models/model_c{:03}.py", count - 1)).contains("Second."));
    Some((idle, edit - idle))
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn idle_runs_and_edits_cost_what_they_did() {
    let (Some((few_idle, few_edit)), Some((many_idle, many_edit))) = (costs(FEW), costs(MANY)) else {
        eprintln!("skipped: there is no valgrind to count instructions with");
        return;
    };
    let idle = (many_idle - few_idle) / (MANY - FEW);
    let more = (many_edit - few_edit) / (MANY - FEW);
    let counts = [
        ("a run that finds nothing changed", few_idle, IDLE),
        ("a run that finds nothing changed, a contract", idle, IDLE_PER_CONTRACT),
        ("an edited description", few_edit, EDIT),
        ("an edited description, a contract", more, EDIT_PER_CONTRACT),
    ];
    let most = |known: i64| (known as f64 * TOLERANCE) as i64;
    let dearer: Vec<String> = counts
        .iter()
        .filter(|(_, now, known)| *now > most(*known))
        .map(|(what, now, known)| format!("{what}: {now} instructions, {known} when it was last looked at"))
        .collect();
    assert!(dearer.is_empty(), "{}", dearer.join("\n"));
}
