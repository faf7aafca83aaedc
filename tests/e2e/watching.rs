//! `omnigen watch` against what editors, version control and other commands do to files.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use omnigen_tests::{Project, Watching, difference};

const NOTE: &str = r#"{ "description": "A note.", "type": "object", "properties": { "text": { "type": "string" } } }
"#;
const MODEL: &str = "generated/models/model_note.py";

/// What an editor does to save a text, by name.
type Dance<'a> = (&'a str, &'a dyn Fn(&str));

fn started(files: &[(&str, &str)]) -> (Project, Watching) {
    let project = Project::with(files);
    let mut watching = project.watch();
    watching.line("watching for changes");
    watching.lines_for(Duration::from_millis(200));
    (project, watching)
}

fn note(text: &str) -> String {
    NOTE.replace("A note.", text)
}

/// In the end the outputs are those of a fresh copy.
#[track_caller]
fn settles(project: &Project, watching: &mut Watching) {
    let fresh = Project::empty();
    for (path, bytes) in project.tree("") {
        if !path.starts_with("generated/") && !path.starts_with(".omnigen/") {
            fresh.write(&path, &bytes);
        }
    }
    fresh.build();
    let wanted = fresh.tree("generated");
    watching.until("the outputs of a clean build", || difference(&wanted, &project.tree("generated")).is_empty());
}

#[test]
fn editors_dances_are_one_edit_each() {
    let (project, mut watching) = started(&[("contracts/note.json", NOTE)]);
    let path = project.path("contracts/note.json");
    let aside = |name: &str| project.path(&format!("contracts/{name}"));
    let dances: [Dance<'_>; 7] = [
        ("a temporary file renamed over it", &|text: &str| {
            fs::write(aside(".note.json.tmp"), text).expect("written");
            fs::rename(aside(".note.json.tmp"), &path).expect("renamed");
        }),
        ("written, then its mode set", &|text: &str| {
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("set");
        }),
        ("a probe, a backup, then written", &|text: &str| {
            fs::write(aside("4913"), "").expect("written");
            fs::remove_file(aside("4913")).expect("removed");
            fs::rename(&path, aside("note.json~")).expect("renamed");
            fs::write(&path, text).expect("written");
            fs::remove_file(aside("note.json~")).expect("removed");
        }),
        ("emptied, then filled", &|text: &str| {
            let file = fs::File::create(&path).expect("emptied");
            std::io::Write::write_all(&mut &file, text.as_bytes()).expect("written");
        }),
        ("moved away, and written anew when the move is old news", &|text: &str| {
            fs::rename(&path, aside("note.json~")).expect("renamed");
            std::thread::sleep(Duration::from_millis(40));
            fs::write(&path, text).expect("written");
        }),
        ("emptied, and filled when that is old news", &|text: &str| {
            let file = fs::File::create(&path).expect("emptied");
            std::thread::sleep(Duration::from_millis(40));
            std::io::Write::write_all(&mut &file, text.as_bytes()).expect("written");
        }),
        ("a swap file beside it", &|text: &str| {
            fs::write(aside(".note.json.swp"), "b0VIM").expect("written");
            fs::write(&path, text).expect("written");
            fs::remove_file(aside(".note.json.swp")).expect("removed");
        }),
    ];
    let mut number = 0;
    let mut left = dances.iter().cycle().take(10 * dances.len());
    let mut danced = BTreeSet::new();
    while danced.len() < dances.len() {
        let Some((name, dance)) = left.next().filter(|(name, _)| !danced.contains(name)) else { continue };
        number += 1;
        let text = format!("Note {number}.");
        let began = Instant::now();
        dance(&note(&text));
        // A busy machine may stop in the middle of it: then it is no dance, but two edits.
        let in_time = began.elapsed() < Duration::from_millis(100);
        watching.until(name, || project.read(MODEL).contains(&text));
        // The line comes when the records are on disk, which can take a while; a second one would follow soon.
        let mut lines = Vec::new();
        for _ in 0..40 {
            let quiet = !lines.is_empty();
            lines.extend(watching.lines_for(Duration::from_millis(250)));
            if quiet {
                break;
            }
        }
        if !in_time {
            continue;
        }
        danced.insert(name);
        let told =
            lines.iter().filter(|line| line.starts_with("contracts/note.json: built 1 of 3 artifacts in ")).count();
        assert_eq!(told, 1, "{name}: {lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("swp") || line.contains("4913")), "{name}: {lines:#?}");
    }
    watching.interrupt();
}

#[test]
fn a_branch_switch_is_taken_as_a_whole() {
    let (project, mut watching) = started(&[("contracts/note.json", NOTE)]);
    project.write("omnigen.toml", "[project]\nname = \"test\"\ntargets = [\"models\"]\n");
    for number in 0..5_000 {
        if number % 50 == 0 {
            project.write(&format!("contracts/area{}/thing{number}.json", number % 7), note("Many."));
        } else {
            project.write(&format!("other/folder{}/file{number}.txt", number % 40), "x");
        }
    }
    project.remove("contracts/note.json");
    settles(&project, &mut watching);
    let lines = watching.lines_for(Duration::from_millis(100));
    assert!(!lines.iter().any(|line| line.contains("error")), "{lines:#?}");
    // How many at a time is a matter of speed; but nothing is told of what is no contract: 100 come, one goes, one setting.
    assert!(lines.len() <= 102, "{lines:#?}");
    watching.interrupt();
}

#[test]
fn folders_come_and_go_as_a_whole() {
    let (project, mut watching) = started(&[("contracts/a/note.json", NOTE), ("aside/b/note.json", NOTE)]);
    project.rename("contracts/a", "contracts/c");
    watching.until("the moved folder", || {
        project.has("generated/models/c/model_note.py") && !project.has("generated/models/a/model_note.py")
    });
    // From outside of what is looked for, with all that is in it; and files put into it later are seen.
    project.rename("aside/b", "contracts/b");
    watching.until("the folder from outside", || project.has("generated/models/b/model_note.py"));
    project.write("contracts/b/late.json", NOTE);
    watching.until("a file in it", || project.has("generated/models/b/model_late.py"));
    project.rename("contracts/b", "aside/b");
    watching.until("the folder's end", || !project.has("generated/models/b"));
    settles(&project, &mut watching);
    watching.interrupt();
}

#[test]
fn what_decides_what_there_is_is_watched_too() {
    let reference = r#"{ "type": "object", "properties": { "a": { "$ref": "https://far.example/b.json" } } }"#;
    let (project, mut watching) = started(&[
        ("contracts/note.json", NOTE),
        ("contracts/far.json", reference),
        ("refs/far.example/b.json", r#"{ "type": "string", "minLength": 1 }"#),
    ]);
    project.write("omnigen.toml", "[project]\nname = \"test\"\nrefs = \"refs\"\n");
    let validator = "generated/validators/validator_far.py";
    watching.until("the mirror to count", || project.has(validator));
    let before = project.tree("generated");
    project.write("refs/far.example/b.json", r#"{ "type": "string", "minLength": 2 }"#);
    watching.until("the changed mirror", || project.tree("generated") != before);
    project.write(".gitignore", "note.json\n");
    watching.until("the ignored contract's end", || !project.has(MODEL));
    project.write(".gitignore", "");
    watching.until("its return", || project.has(MODEL));
    // Gone for a moment, as when a program removes and writes it.
    let text = project.read("omnigen.toml");
    project.remove("omnigen.toml");
    std::thread::sleep(Duration::from_millis(15));
    project.write("omnigen.toml", text + "out = \"made\"\n");
    watching.until("the other folder", || project.has("made/models/model_note.py"));
    project.write("contracts/note.json", note("Again."));
    watching.until("an edit after it", || project.read("made/models/model_note.py").contains("Again."));
    // The new folder's own files are no changes.
    watching.lines_for(Duration::from_millis(300));
    assert_eq!(watching.lines_for(Duration::from_millis(300)), Vec::<String>::new());
    watching.interrupt();
}

#[test]
fn files_that_vanish_while_they_are_read_are_no_errors() {
    let (project, mut watching) = started(&[("contracts/note.json", NOTE)]);
    for number in 0..150_u64 {
        let path = format!("contracts/flash{}.json", number % 5);
        project.write(&path, note(&format!("Flash {number}.")));
        std::thread::sleep(Duration::from_micros(number * 67 % 3_000));
        project.remove(&path);
    }
    settles(&project, &mut watching);
    let lines = watching.lines_for(Duration::from_millis(200));
    assert!(!lines.iter().any(|line| line.contains("error")), "{lines:#?}");
    watching.interrupt();
}

#[test]
fn an_edit_is_taken_up_while_work_is_under_way_and_others_do_not_wait() {
    let (project, mut watching) = started(&[("contracts/note.json", NOTE)]);
    for number in 0..700 {
        let next = number / 3;
        let text = format!(r#"{{ "type": "object", "properties": {{ "a": {{ "$ref": "t{next}.json" }} }} }}"#);
        project.write(&format!("contracts/many/t{number}.json"), text);
    }
    // The many are being made; meanwhile somebody saves, and others look and build.
    watching.until("the first of many", || project.has("generated/models/many"));
    project.write("contracts/note.json", note("While under way."));
    let check = project.run(&["build", "--check"]);
    assert!(check.code == 1 || check.code == 0, "{}", check.text());
    project.run(&["explain", "contracts/note.json:models"]).ends(0);
    project.build().ends(0);
    watching.until("the edit", || project.read(MODEL).contains("While under way."));
    settles(&project, &mut watching);
    watching.until("rest", || project.run(&["build", "--check"]).code == 0);
    project.write("contracts/note.json", note("Afterwards."));
    watching.until("an edit after another build", || project.read(MODEL).contains("Afterwards."));
    let (code, said) = watching.interrupt();
    assert_eq!(code, 130, "{said:#?}");
    project.build().ends(0).says("nothing to do");
}

#[test]
#[cfg(target_os = "linux")]
fn lost_events_are_made_up_for_and_nobody_waits_for_a_watch_that_stands_still() {
    let (project, mut watching) = started(&[("contracts/note.json", NOTE)]);
    watching.signal("STOP");
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").expect("a limit");
    let junk = project.path("contracts/junk.tmp");
    // Each turn is two events at least, so the queue is full when the contract is written, and that is never told.
    for _ in 0..limit.trim().parse::<usize>().expect("a number") {
        fs::write(&junk, "").expect("written");
        fs::remove_file(&junk).expect("removed");
    }
    project.write("contracts/note.json", note("Written unseen."));
    project.run(&["build", "--check"]).ends(1).says("1 artifact is out of date");
    project.run(&["explain", MODEL]).ends(0);
    project.run(&["build", "-n"]).ends(0).says("would build 1 of 3 artifacts");
    watching.signal("CONT");
    watching.until("the output", || project.read(MODEL).contains("Written unseen."));
    // Others build beside one that stands still, and it takes that in.
    watching.lines_for(Duration::from_millis(200));
    watching.signal("STOP");
    project.write("contracts/note.json", note("Built by another."));
    project.build().ends(0).says("built 1 of 3 artifacts");
    watching.signal("CONT");
    project.write("contracts/note.json", note("And by itself again."));
    watching.until("the output", || project.read(MODEL).contains("And by itself again."));
    settles(&project, &mut watching);
    watching.interrupt();
}
