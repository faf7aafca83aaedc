//! The store that checkouts share: what one has made, the others take; nothing that is wrong comes out of it.

use std::fs;
use std::process::Stdio;

use omnigen_tests::{Project, Run, difference};

/// A hub, and contracts that refer to it.
fn project() -> Project {
    let project = Project::with(&[("contracts/hub.json", HUB)]);
    for at in 0..6 {
        let text =
            r#"{ "type": "object", "properties": { "a": { "$ref": "hub.json" } }, "allOf": [{ "$ref": "hub.json" }] }"#;
        project.write(&format!("contracts/c{at}.json"), text);
    }
    project
}

const HUB: &str = r#"{ "type": "object", "properties": { "text": { "type": "string" } } }"#;

/// Starts as after an upgrade or a damage: nothing is known but what was judged.
fn forget(project: &Project) {
    for path in [".omnigen/manifest", ".omnigen/details", "generated"] {
        project.remove(path);
    }
}

#[test]
fn tests_that_were_judged_are_taken_again() {
    let project = project();
    for at in 6..9 {
        project.write(&format!("contracts/c{at}.json"), r#"{ "properties": { "a": { "type": "integer" } } }"#);
    }
    project.build().ends(0).says("built 30 of 30").does_not_say("restored");
    let before = project.tree("generated");
    forget(&project);
    project.build().ends(0).says("built 30 of 30").says("10 restored");
    assert_eq!(difference(&before, &project.tree("generated")), "");
    // Where something that was read has changed, the tests are made; an error holds them back.
    forget(&project);
    project.write("contracts/hub.json", HUB.replace("string", "integer"));
    project.write("contracts/c8.json", r#"{ "type": "objec" }"#);
    project.build().ends(1).says("2 restored");
    assert!(!project.has("generated/tests/test_c8.py"));
    let now = project.tree("generated");
    project.remove(".omnigen");
    project.remove("generated");
    project.build().ends(1).does_not_say("restored");
    assert_eq!(difference(&now, &project.tree("generated")), "");
    // A text that is not what it was is found out, and whole packs that are damaged go.
    for (end, expected) in [(true, "8 restored"), (false, "built 27 of 30")] {
        forget(&project);
        let pack = fs::read_dir(project.path(".omnigen/judged"))
            .expect("packs")
            .next()
            .expect("one")
            .expect("readable")
            .path();
        let mut bytes = fs::read(&pack).expect("a pack");
        let at = if end { bytes.len() - 100 } else { 60 };
        bytes[at] ^= 1;
        fs::write(&pack, bytes).expect("written");
        project.build().ends(1).says(expected);
        assert_eq!(difference(&now, &project.tree("generated")), "");
    }
}

/// A build with the store, and how many artifacts were computed in it.
fn build(project: &Project, store: &Project) -> (Run, usize) {
    let run = project.run(&["build", "--cache-dir", &store.path("").display().to_string(), "--profile", "trace.json"]);
    let trace: Vec<serde_json::Value> = serde_json::from_str(&project.read("trace.json")).expect("JSON");
    project.remove("trace.json");
    (run, trace.iter().filter(|event| event["name"] == "emit").count())
}

#[test]
fn a_fresh_checkout_restores_instead_of_computing() {
    let store = Project::empty();
    let first = project();
    let (run, computed) = build(&first, &store);
    run.ends(0).says("built 21 of 21 artifacts in [TIME]").does_not_say("restored");
    assert!(computed >= 21);
    let second = project();
    let (run, computed) = build(&second, &store);
    run.ends(0).says("built 21 of 21 artifacts").says("21 restored");
    assert_eq!(computed, 0);
    assert_eq!(difference(&first.tree("generated"), &second.tree("generated")), "");
    second.build().ends(0).says("nothing to do");
    // Outputs that are committed are found to be right, and not written.
    second.remove(".omnigen");
    let (run, computed) = build(&second, &store);
    run.ends(0).says("nothing to do (21 artifacts)");
    assert_eq!(computed, 0);
    // What a build foretells is the same.
    let third = project();
    let folder = store.path("").display().to_string();
    third.run(&["build", "-n", "--cache-dir", &folder]).ends(0).says("would build 21 of 21 artifacts");
    assert!(!third.has("generated") && !third.has(".omnigen"));
    // Another project has other paths and names, and takes nothing.
    let other = Project::with(&[("contracts/else.json", HUB)]);
    build(&other, &store).0.ends(0).does_not_say("restored");
}

#[test]
fn a_branch_and_back_computes_nothing_twice() {
    let store = Project::empty();
    let project = project();
    build(&project, &store).0.ends(0);
    let main = project.tree("generated");
    project.write("contracts/hub.json", HUB.replace("string", "integer"));
    let (run, computed) = build(&project, &store);
    run.ends(0).does_not_say("restored");
    assert!(computed > 0);
    let branch = project.tree("generated");
    for (hub, expected) in [(HUB.to_owned(), &main), (HUB.replace("string", "integer"), &branch)] {
        project.write("contracts/hub.json", hub);
        let (run, computed) = build(&project, &store);
        run.ends(0).says("restored");
        assert_eq!((computed, difference(expected, &project.tree("generated"))), (0, String::new()));
        project.build().ends(0).says("nothing to do");
    }
    // The store is configured as well as named; and a setting that nothing here was made under finds nothing.
    let toml = project.read("omnigen.toml");
    let folder = store.path("").display().to_string();
    project.write("omnigen.toml", format!("{toml}[cache]\nfolder = \"{folder}\"\n[python]\nline-length = 60\n"));
    project.build().ends(0).does_not_say("restored");
    project.write("omnigen.toml", format!("{toml}[cache]\nfolder = \"{folder}\"\n"));
    project.build().ends(0).says("21 restored");
    let run = project.finish(project.command().args(["cache", "info"]).env("OMNIGEN_CACHE", store.path("other")));
    assert!(run.stdout.contains("other"), "the environment comes first: {}", run.text());
    assert_eq!(difference(&branch, &project.tree("generated")), "");
}

#[test]
fn errors_and_their_end_are_restored_too() {
    let store = Project::empty();
    let broken = HUB.replace("string", "strnig");
    for round in 0..2 {
        let project = project();
        project.write("contracts/hub.json", &broken);
        let (run, computed) = build(&project, &store);
        let clean = Project::empty();
        project.tree("contracts").into_iter().for_each(|(path, text)| clean.write(&format!("contracts/{path}"), text));
        clean.write("omnigen.toml", project.read("omnigen.toml"));
        let said =
            |run: &Run| run.stderr.lines().filter(|line| !line.starts_with("built")).collect::<Vec<_>>().join("\n");
        let expected = clean.build();
        assert_eq!((run.code, said(&run)), (expected.code, said(&expected)), "round {round}");
        assert_eq!(difference(&clean.tree("generated"), &project.tree("generated")), "", "round {round}");
        assert_eq!(computed == 0, round == 1);
    }
}

#[test]
fn damage_means_computing_and_sizes_have_limits() {
    let store = Project::empty();
    let first = project();
    build(&first, &store).0.ends(0);
    let folder = store.path("").display().to_string();
    let cache = |act: &[&str]| first.run(&[&["cache", "--cache-dir", &folder], act].concat());
    cache(&["verify"]).ends(0);
    assert!(cache(&["info"]).stdout.contains("shared"));
    for (number, path) in store.tree("").into_keys().filter(|path| path.contains('/')).enumerate() {
        let mut bytes = fs::read(store.path(&path)).expect("read");
        match number % 3 {
            0 => bytes.truncate(bytes.len() / 2),
            1 => bytes[0] ^= 1,
            _ => bytes.clear(),
        }
        fs::write(store.path(&path), bytes).expect("written");
    }
    let run = cache(&["verify"]);
    assert!(run.code == 1 && run.stdout.contains("is damaged"), "{}", run.text());
    let second = project();
    let (run, computed) = build(&second, &store);
    run.ends(0).says("built 21 of 21 artifacts in [TIME]");
    assert!(computed > 0);
    assert_eq!(difference(&first.tree("generated"), &second.tree("generated")), "");
    // What was found damaged has been made anew; an hour has not passed, so nothing was trimmed.
    let (_, computed) = build(&project(), &store);
    assert_eq!(computed, 0);
    store.write("texts/mine", "not a file of the store");
    cache(&["gc", "--max-size", "0"]).ends(0);
    assert_eq!(store.tree("").keys().filter(|path| path.contains('/')).collect::<Vec<_>>(), ["texts/mine"]);
    build(&second, &store).0.ends(0);
}

#[test]
fn a_store_that_cannot_be_written_is_told_and_costs_nothing_else() {
    let project = project();
    project.write("store", "a file where a folder is wanted");
    let store = project.path("store").display().to_string();
    let run = project.run(&["build", "--cache-dir", &store]);
    run.ends(0).says("built 21 of 21 artifacts").says("store-unwritable").says("1 warning");
    project.run(&["build", "--cache-dir", &store]).ends(0).says("nothing to do").does_not_say("store-unwritable");
}

#[test]
fn many_use_it_at_once() {
    let store = Project::empty();
    let projects: Vec<Project> = (0..4).map(|_| project()).collect();
    let start = |project: &Project| {
        let arguments = ["build", "--cache-dir", &store.path("").display().to_string()];
        project.command().args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts")
    };
    let builds: Vec<_> = projects.iter().map(start).collect();
    for build in builds {
        let output = build.wait_with_output().expect("ends");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let plain = project();
    plain.build().ends(0);
    for project in &projects {
        assert_eq!(difference(&plain.tree("generated"), &project.tree("generated")), "");
    }
    plain.run(&["cache", "verify", "--cache-dir", &store.path("").display().to_string()]).ends(0);
    assert_eq!(build(&project(), &store).1, 0);
    // A store that cannot be written to, or is no folder, is no reason to fail.
    let odd = project();
    odd.write("file", "no folder");
    odd.run(&["build", "--cache-dir", "file"]).ends(0).says("built 21 of 21");
}
