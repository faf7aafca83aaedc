//! What must not lose or invent anything: two builds at once, full disks, closed folders, lying times, links, odd names,
//! fresh clones, upgrades, and what is kept between builds.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use omnigen_tests::{Project, difference, omnigen};

const NOTE: &str = r#"{ "description": "A note.", "type": "object", "properties": { "text": { "type": "string" } } }
"#;
const MODEL: &str = "generated/models/model_note.py";

fn many(number: usize) -> Project {
    let project = Project::with(&[("contracts/note.json", NOTE)]);
    for at in 0..number {
        let text = format!(r#"{{ "type": "object", "properties": {{ "a": {{ "$ref": "c{}.json" }} }} }}"#, at / 2);
        project.write(&format!("contracts/c{at}.json"), text);
    }
    project
}

/// The outputs are those of a fresh copy, and the next build finds nothing to do.
#[track_caller]
fn as_clean(project: &Project) {
    let fresh = Project::empty();
    for (path, bytes) in project.tree("") {
        if !path.starts_with("generated/") && !path.starts_with(".omnigen/") {
            fresh.write(&path, &bytes);
        }
    }
    fresh.build();
    assert_eq!(difference(&fresh.tree("generated"), &project.tree("generated")), "");
    project.build().ends(0).says("nothing to do");
}

#[test]
fn two_builds_at_once_are_one() {
    let project = many(60);
    for round in 0..3 {
        let start =
            || project.command().arg("build").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
        let builds: Vec<_> = (0..3).map(|_| start()).collect();
        for build in builds {
            let output = build.wait_with_output().expect("ends");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "round {round}: {said}");
            assert!(!said.contains("warning") && !said.contains("anew"), "round {round}: {said}");
        }
        as_clean(&project);
        project.write("contracts/note.json", NOTE.replace("A note.", &format!("Round {round}.")));
    }
}

#[test]
fn a_full_disk_is_told_and_mended_by_the_next_build() {
    let project = many(40);
    project.build().ends(0);
    project
        .write("omnigen.toml", project.read("omnigen.toml") + "[python]\nline-length = 60\nnaming = \"Other{Name}\"\n");
    let before = project.tree("generated");
    // No file may grow beyond so many blocks, and trying to is an error instead of a signal: what a full disk is like. The journal
    // does not find room, then outputs, then the manifest.
    for blocks in [3, 24, 50] {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec '{}' build", omnigen().display());
        let run = project.finish(Command::new("sh").args(["-c", &script]).current_dir(project.root()));
        run.ends(2).says("File too large");
    }
    for (path, bytes) in project.tree("generated") {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(before.get(&path) == Some(&bytes) || text.contains("omnigen: "), "{path} is neither old nor new");
    }
    project.build().ends(0).does_not_say("by hand");
    as_clean(&project);
}

#[test]
fn folders_that_may_not_be_written_to_are_told() {
    let project = Project::with(&[("contracts/note.json", NOTE)]);
    project.build().ends(0);
    let mode = |folder: &str, mode| {
        fs::set_permissions(project.path(folder), PermissionsExt::from_mode(mode)).expect("set");
    };
    mode("generated/models", 0o555);
    // The superuser may write anywhere, unless that is taken from it.
    let probe = project.path("generated/models/probe");
    let superuser = fs::write(&probe, "").is_ok();
    if superuser {
        fs::remove_file(probe).expect("removed");
    }
    let build = || match superuser {
        false => project.build(),
        true => project.finish(
            Command::new("setpriv")
                .args(["--bounding-set=-dac_override,-dac_read_search", "--"])
                .arg(omnigen())
                .arg("build")
                .current_dir(project.root()),
        ),
    };
    project.write("contracts/note.json", NOTE.replace("A note.", "Another."));
    build().ends(2).says(MODEL).says("cannot be written");
    assert!(project.read(MODEL).contains("A note."));
    mode("generated/models", 0o755);
    // Where nothing can be journaled nothing is written.
    mode(".omnigen", 0o555);
    build().ends(2).says(".omnigen");
    assert!(project.read(MODEL).contains("A note."));
    mode(".omnigen", 0o755);
    project.build().ends(0).says("built 1 of 3 artifacts");
    as_clean(&project);
}

#[test]
fn a_file_of_the_mirror_invalidates_what_reads_it_and_nothing_else() {
    let far = r#"{ "type": "object", "properties": { "n": { "type": "integer" } } }"#;
    let whole = r#"{ "allOf": [{ "$ref": "https://far.example/far.json" }], "properties": { "m": {} } }"#;
    let named = r#"{ "type": "object", "properties": { "far": { "$ref": "https://far.example/far.json" } } }"#;
    let project = Project::with(&[
        ("refs/far.example/far.json", far),
        ("contracts/note.json", NOTE),
        ("contracts/whole.json", whole),
        ("contracts/named.json", named),
    ]);
    let toml = "[project]\nname = \"test\"\nrefs = \"refs\"\ntargets = [\"models\", \"validators\"]\n";
    project.write("omnigen.toml", toml);
    project.build().ends(0).says("built 8 of 8 artifacts");
    project.write("refs/far.example/far.json", far.replace("integer", "string"));
    let (run, touched) = project.rebuild();
    run.ends(0);
    assert!(touched.iter().all(|path| path.ends_with("far.py") || path.ends_with("whole.py")), "{touched:?}");
    assert!(touched.len() >= 3, "{touched:?}");
    as_clean(&project);
}

/// As many as do not fit on a stack in a long run (`cargo xtask soak`), fewer otherwise.
#[test]
fn a_long_chain_of_references_is_built_and_edited() {
    let length = if crate::random::steps(0) > 0 { 50_000 } else { 400 };
    let project = Project::empty();
    project.write("omnigen.toml", "[project]\nname = \"chain\"\ntargets = [\"models\"]\n");
    for at in 0..length {
        let next = format!(r#"{{ "$ref": "c{}.json" }}"#, at + 1);
        let text = match at {
            _ if at + 1 == length => r#"{ "type": "string" }"#.to_owned(),
            // Each tenth has nothing of its own.
            _ if at % 10 == 9 => next,
            _ => format!(r#"{{ "type": "object", "properties": {{ "next": {next} }} }}"#),
        };
        project.write(&format!("contracts/c{at}.json"), text);
    }
    project.build().ends(0);
    project.build().ends(0).says("nothing to do");
    // Work is in proportion to those whose reads are touched, not to the chain.
    project.write(&format!("contracts/c{}.json", length - 1), r#"{ "type": "integer" }"#);
    let (run, touched) = project.rebuild();
    run.ends(0);
    assert!(touched.len() < 20, "{}", touched.len());
}

#[test]
fn times_that_lie_are_seen_through() {
    let project = Project::with(&[("contracts/note.json", NOTE)]);
    project.build().ends(0);
    let path = project.path("contracts/note.json");
    let time = fs::metadata(&path).and_then(|stat| stat.modified()).expect("a time");
    // The same size, the same time of change: only the attributes' time tells.
    std::thread::sleep(Duration::from_millis(20));
    fs::write(&path, NOTE.replace("A note.", "A nose.")).expect("written");
    fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(time)).expect("set");
    project.build().ends(0).says("built 1 of 3 artifacts");
    assert!(project.read(MODEL).contains("A nose."));
    // A clock that jumps back: what is written now looks older than what was known.
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::write(&path, NOTE.replace("A note.", "A past.")).expect("written");
    fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(old)).expect("set");
    project.build().ends(0).says("built 1 of 3 artifacts");
    as_clean(&project);
    // The same of an output: it was edited, whatever its times say.
    let output = project.path(MODEL);
    let time = fs::metadata(&output).and_then(|stat| stat.modified()).expect("a time");
    let text = project.read(MODEL);
    fs::write(&output, text.replace("A past.", "A pasT.")).expect("written");
    fs::File::options().write(true).open(&output).and_then(|file| file.set_modified(time)).expect("set");
    project.build().ends(1).says("edited by hand");
}

#[test]
fn links_lead_in_and_never_out() {
    let project = Project::with(&[("contracts/note.json", NOTE), ("elsewhere/linked.json", NOTE)]);
    symlink(project.path("elsewhere/linked.json"), project.path("contracts/linked.json")).expect("a link");
    project.build().ends(0).says("built 6 of 6");
    project.write("elsewhere/linked.json", NOTE.replace("A note.", "Behind a link."));
    project.build().ends(0).says("built 1 of 6");
    assert!(project.read("generated/models/model_linked.py").contains("Behind a link."));
    // An output folder that somebody made a link is not followed.
    project.write("precious/model_note.py", "mine");
    project.remove("generated/models");
    symlink(project.path("precious"), project.path("generated/models")).expect("a link");
    let run = project.build();
    assert_ne!(run.code, 0, "{}", run.text());
    assert_eq!(project.read("precious/model_note.py"), "mine");
    assert_eq!(project.tree("precious").len(), 1);
}

#[test]
fn names_that_some_disks_fold_or_cannot_hold() {
    let project = Project::with(&[("contracts/note.json", NOTE), ("contracts/Note.json", NOTE)]);
    project.build().ends(1).says("output-collision").says("contracts/Note.json").says("contracts/note.json");
    project.remove("contracts/Note.json");
    project.build().ends(0);
    let odd = project.path("contracts").join(std::ffi::OsStr::from_bytes(b"caf\xe9.json"));
    fs::write(&odd, NOTE).expect("written");
    project.build().ends(1).says("is not UTF-8");
    assert!(project.has(MODEL), "the others are built");
    fs::remove_file(odd).expect("removed");
    as_clean(&project);
}

#[test]
fn a_fresh_clone_and_an_upgrade_write_nothing_that_is_right() {
    let project = many(5);
    project.build().ends(0);
    let (tree, times) = (project.tree("generated"), project.times("generated"));
    // Outputs are committed, `.omnigen` is not.
    project.remove(".omnigen");
    project.build().ends(0).says("nothing to do (18 artifacts)");
    assert_eq!((difference(&tree, &project.tree("generated")), times), (String::new(), project.times("generated")));
    // An edit by hand is found without any manifest.
    project.remove(".omnigen");
    project.write(MODEL, project.read(MODEL) + "# mine\n");
    project.build().ends(1).says("edited by hand");
    assert!(project.read(MODEL).ends_with("# mine\n"));
    project.write(MODEL, &tree["models/model_note.py"]);
    project.build().ends(0);
    // Another omnigen: a cold build, said in one line, and the same outputs.
    let upgraded = project.path("omnigen-next");
    fs::write(&upgraded, [fs::read(omnigen()).expect("the binary"), b"next".to_vec()].concat()).expect("written");
    fs::set_permissions(&upgraded, PermissionsExt::from_mode(0o755)).expect("set");
    let run = project.finish(Command::new(&upgraded).arg("build").current_dir(project.root()));
    run.ends(0)
        .says("everything is built anew: the manifest was written by another build of omnigen")
        .says("nothing to do");
    assert_eq!(difference(&tree, &project.tree("generated")), "");
}

#[test]
fn what_is_kept_is_told_checked_and_forgotten() {
    let project = many(3);
    project.run(&["cache", "info"]).ends(0).lists("nothing is kept");
    project.build().ends(0);
    let run = project.run(&["cache", "info"]);
    assert!(["manifest", "details", "log"].iter().all(|part| run.stdout.contains(part)), "{}", run.text());
    project.run(&["cache", "verify"]).ends(0);
    project.write(".omnigen/details/00000000000000000000000000000000", "left over");
    let run = project.run(&["cache", "gc"]);
    assert!(run.code == 0 && run.stdout.contains("removed 9 B"), "{}", run.text());
    project.build().ends(0).says("nothing to do");
    let shard = project.tree(".omnigen/details").into_keys().next().expect("a shard");
    let path = format!(".omnigen/details/{shard}");
    let whole = fs::read(project.path(&path)).expect("read");
    fs::write(project.path(&path), &whole[..whole.len() - 1]).expect("written");
    let run = project.run(&["cache", "verify"]);
    assert!(run.code == 1 && run.stdout.contains(&shard), "{}", run.text());
    project.run(&["cache", "clear"]).ends(0);
    assert!(!project.has(".omnigen/manifest") && !project.has(".omnigen/details"));
    project.build().ends(0).says("nothing to do (12 artifacts)");
    project.run(&["cache", "verify"]).ends(0);
}

#[test]
fn a_setting_invalidates_what_reads_it_and_nothing_else() {
    let project = many(4);
    project.build().ends(0);
    let toml = project.read("omnigen.toml");
    let told = |text: &str| {
        project.write("omnigen.toml", toml.clone() + text);
        let run = project.run(&["explain", "contracts/note.json", "--message-format", "json"]);
        run.ends(0);
        let found: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        let found = found.as_array().expect("a list").iter();
        let made = found
            .filter(|one| one["reads"].as_array().is_some_and(|reads| reads.iter().any(|read| read["held"] == false)));
        made.map(|one| one["target"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told("exclude = [\"nothing/**\"]\n"), Vec::<String>::new());
    // Models say which formats only the validator checks.
    assert_eq!(told("[python]\nformat = \"assert\"\n"), ["models", "validators", "tests"]);
    let all = told("[python]\nnaming = \"{Name}\"\n");
    assert_eq!(all, ["models", "validators", "tests"]);
    // Neither a comment nor the order of tables is a setting.
    project.write("omnigen.toml", format!("# a comment\n{toml}"));
    let (run, touched) = project.rebuild();
    run.ends(0).says("nothing to do");
    assert!(touched.is_empty(), "{touched:?}");
}

#[test]
fn a_long_chain_of_what_is_evaluated_is_built() {
    let project = Project::empty();
    project.write("omnigen.toml", "[project]\nname = \"test\"\ntargets = [\"validators\"]\n");
    // Who asks stands at one end; in the second half each link asks as well.
    let count = 1_600;
    for number in 0..count {
        let asks = if number == 0 || number * 2 > count { ", \"unevaluatedProperties\": false" } else { "" };
        let next =
            if number + 1 == count { "{}".to_owned() } else { format!(r#"{{ "$ref": "c{:04}.json" }}"#, number + 1) };
        let text = format!(
            "{{ \"type\": \"object\", \"properties\": {{ \"p{number}\": {{ \"type\": \"integer\" }} }}, \"allOf\": [{next}]{asks} }}\n"
        );
        project.write(&format!("contracts/c{number:04}.json"), text);
    }
    project.build().ends(0);
    let named = |contract: usize, property: usize| {
        let validator = project.read(&format!("generated/validators/validator_c{contract:04}.py"));
        validator.contains(&format!("\"p{property}\""))
    };
    assert!(named(0, 0), "its own");
    // Behind a schema that leaves nothing over, nobody looks.
    assert!(named(900, 900) && !named(900, 902));
}
