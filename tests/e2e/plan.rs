//! `--dry-run`, `diff` and `--check` say what `build` then does, neither more nor less.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use omnigen_tests::{Project, Run, difference};

use crate::machines::lines;
use crate::random::{CONFIGS, Dice, PATHS, contract, put, step, steps};

const NOTE: &str = r#"{ "description": "A note.", "type": "object", "properties": { "text": { "type": "string" } } }
"#;

/// What a run says of each output: path, kind of change, digests before and after.
fn artifacts(run: &Run) -> Vec<[String; 4]> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let told = lines(&run.stdout).into_iter().filter(|line| line["reason"] == "artifact");
    let mut list: Vec<_> = told
        .map(|line| [text(&line["path"]), text(&line["change"]), text(&line["before"]), text(&line["after"])])
        .collect();
    list.sort();
    list
}

/// Applies a patch in a folder.
fn apply(project: &Project, patch: &str) {
    if patch.is_empty() {
        return;
    }
    let mut git = Command::new("git")
        .args(["apply", "--whitespace=nowarn", "-"])
        .current_dir(project.root())
        .env("GIT_CEILING_DIRECTORIES", project.root())
        .stdin(Stdio::piped())
        .spawn()
        .expect("git");
    git.stdin.take().expect("stdin").write_all(patch.as_bytes()).expect("the patch");
    assert!(git.wait().expect("git").success(), "git does not take the patch\n{patch}");
}

/// Asks in all ways what a build would do, then builds, and compares.
fn foretold(project: &Project, story: &str) {
    let before = project.tree("generated");
    let state = project.tree(".omnigen");
    let dry = project.run(&["build", "-n", "--message-format", "json"]);
    // Asking every trace finds the same as asking those that the index names.
    let thorough = project.run(&["build", "-n", "--no-index", "--message-format", "json"]);
    assert_eq!(artifacts(&thorough), artifacts(&dry), "{story}: the index has left something out");
    let check = project.run(&["build", "--check", "--message-format", "json"]);
    let diff = project.run(&["diff"]);
    assert_eq!(difference(&before, &project.tree("generated")), "", "{story}: something was written");
    assert_eq!(difference(&state, &project.tree(".omnigen")), "", "{story}: the state was written");
    apply(project, &diff.stdout);
    let patched = project.tree("generated");
    // Back to where it was: the patch was for a look only.
    for path in patched.keys().filter(|path| !before.contains_key(*path)) {
        project.remove(&format!("generated/{path}"));
    }
    for (path, bytes) in before.iter().filter(|(path, bytes)| patched.get(*path) != Some(bytes)) {
        project.write(&format!("generated/{path}"), bytes);
    }
    let built = project.run(&["build", "--message-format", "json"]);
    let told = format!("{story}\n{}\n{}", dry.text(), built.text());
    assert_eq!(artifacts(&dry), artifacts(&built), "the dry run foretold something else: {told}");
    assert_eq!(artifacts(&check), artifacts(&built), "the check foretold something else: {told}");
    assert_eq!(difference(&patched, &project.tree("generated")), "", "the patch is something else: {told}");
    assert_eq!((dry.code, diff.code), (built.code, built.code), "{told}");
    let stale = !artifacts(&built).is_empty() || built.code != 0;
    assert_eq!(check.code, i32::from(stale), "{told}");
    let summary = |run: &Run| {
        let last = lines(&run.stdout).pop().unwrap_or_default();
        let numbers = ["written", "removed", "total", "held_back", "unchanged", "errors", "warnings"];
        numbers.map(|name| last[name].as_u64())
    };
    assert_eq!(summary(&dry), summary(&built), "{told}");
}

fn history(seed: u64, steps: usize) {
    let mut dice = Dice(seed);
    let (mut contracts, mut config) = (BTreeMap::new(), CONFIGS[0]);
    for path in PATHS {
        contracts.insert(path, contract(&mut dice, path));
    }
    let project = Project::empty();
    put(&project, &contracts, config);
    foretold(&project, "from nothing");
    for number in 0..steps {
        let mut done = step(&mut dice, &mut contracts, &mut config);
        put(&project, &contracts, config);
        // Outputs are edited, removed and put in the way, too.
        let outputs: Vec<String> = project.tree("generated").into_keys().collect();
        if !outputs.is_empty() && dice.roll(3) == 0 {
            let path = format!("generated/{}", dice.pick(&outputs));
            match dice.roll(3) {
                0 => project.remove(&path),
                1 => project.write(&path, project.read(&path) + "# by hand\n"),
                _ => project.write(&path, project.read(&path).replace("omnigen: edited", "")),
            }
            done.push_str(&format!(", {path} by hand"));
        }
        foretold(&project, &format!("seed {seed:#x}, step {number}: {done}"));
    }
}

#[test]
fn what_is_foretold_is_done_1() {
    history(0x0f0e_0001, steps(20));
}

#[test]
fn what_is_foretold_is_done_2() {
    history(0xbeef_0002, steps(20));
}

#[test]
fn a_patch_is_all_that_diff_prints() {
    let project = Project::with(&[("contracts/note.json", NOTE)]);
    project.build().ends(0);
    let run = project.run(&["diff"]);
    run.ends(0).says("nothing to do (3 artifacts)");
    assert_eq!(run.stdout, "");
    project.edit("contracts/note.json", "A note.", "A short note.");
    let run = project.run(&["diff"]);
    run.ends(0).says("would build 1 of 3 artifacts");
    run.lists("-    \"\"\"A note.\"\"\"").lists("+    \"\"\"A short note.\"\"\"");
    run.lists("--- a/generated/models/model_note.py").lists("+++ b/generated/models/model_note.py");
}

#[test]
fn a_dry_run_lists_and_asks_nobody() {
    let project = Project::fixture("shop");
    let before = project.tree("");
    project.remove("omnigen.lock");
    project.remove("generated/models/model_customer.py");
    let run = project.run(&["build", "-n"]);
    run.ends(0).lists("missing  generated/models/model_customer.py").says("would build 1 of").says("ask for");
    assert!(!project.has("omnigen.lock") && !project.has(".omnigen"));
    project.write("omnigen.lock", &before["omnigen.lock"]);
    project.run(&["build", "--check"]).ends(1).lists("missing  generated/models/model_customer.py");
}
