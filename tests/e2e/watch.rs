//! `omnigen watch`: edits in, outputs and one line each out.

use std::time::Duration;

use omnigen_tests::{Project, Watching};

const NOTE: &str = r#"{ "description": "A note.", "type": "object", "properties": { "text": { "type": "string" } } }
"#;
const MODEL: &str = "generated/models/model_note.py";

/// A project that is watched and was built once.
fn started() -> (Project, Watching) {
    let project = Project::with(&[("contracts/note.json", NOTE)]);
    let mut watching = project.watch();
    watching.line("built 3 of 3 artifacts");
    // Whatever else belongs to the start is said by now.
    watching.lines_for(Duration::from_millis(300));
    (project, watching)
}

#[test]
fn an_edit_is_one_line_and_new_outputs() {
    let (project, mut watching) = started();
    project.edit("contracts/note.json", "A note.", "A short note.");
    watching.until("the new output", || project.read(MODEL).contains("A short note."));
    let lines = watching.lines_for(Duration::from_millis(500));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("contracts/note.json"), "{lines:#?}");
    watching.interrupt();
}

#[test]
fn edits_in_a_row_all_arrive() {
    let (project, mut watching) = started();
    for number in 0..10 {
        project.write("contracts/note.json", NOTE.replace("A note.", &format!("Note {number}.")));
        std::thread::sleep(Duration::from_millis(7));
    }
    watching.until("the last edit", || project.read(MODEL).contains("Note 9."));
    watching.interrupt();
}

#[test]
fn new_and_removed_contracts_are_seen() {
    let (project, mut watching) = started();
    project.write("contracts/new/folder/more.json", NOTE);
    watching.until("the new contract", || project.has("generated/models/new/folder/model_more.py"));
    project.remove("contracts/new");
    watching.until("the removal", || !project.has("generated/models/new/folder/model_more.py"));
    watching.interrupt();
}

#[test]
fn a_broken_contract_keeps_the_last_good_outputs() {
    let (project, mut watching) = started();
    let good = project.read(MODEL);
    project.write("contracts/note.json", &NOTE[..NOTE.len() / 2]);
    watching.line("error[syntax]");
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(project.read(MODEL), good);
    watching.lines_for(Duration::from_millis(300));
    project.write("contracts/note.json", NOTE.replace("A note.", "Mended."));
    watching.until("the mended output", || project.read(MODEL).contains("Mended."));
    watching.interrupt();
}

#[test]
fn a_broken_configuration_does_not_end_it() {
    let (project, mut watching) = started();
    let good = project.read("omnigen.toml");
    project.write("omnigen.toml", "[project]\nnmae = \"test\"\n");
    watching.line("unknown-config-key");
    // Nobody wonders whether it is as it should be again.
    project.write("omnigen.toml", &good);
    watching.line("omnigen.toml: nothing to do");
    project.write("omnigen.toml", good + "\n[python]\nnaming = \"{Name}\"\n");
    watching.until("the new names", || project.read(MODEL).contains("class Note("));
    watching.interrupt();
}

#[test]
fn own_outputs_are_not_changes() {
    let (_project, mut watching) = started();
    assert_eq!(watching.lines_for(Duration::from_millis(700)), Vec::<String>::new());
    watching.interrupt();
}

#[test]
fn ctrl_c_is_a_clean_end() {
    let (project, watching) = started();
    let (code, said) = watching.interrupt();
    assert!(code == 0 || code == 130, "exit code {code}: {said:#?}");
    assert!(!said.iter().any(|line| line.contains("panicked")), "{said:#?}");
    // Nothing is left half-done: a build finds everything in place.
    project.build().ends(0).says("nothing to do (3 artifacts)");
}
