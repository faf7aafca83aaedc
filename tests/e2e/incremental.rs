//! What a second run does, and what it leaves alone.

use omnigen_tests::{Project, difference};

const CUSTOMER: &str = r##"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "description": "Somebody.",
  "type": "object",
  "properties": { "id": { "$ref": "#/$defs/Id" }, "name": { "type": "string" } },
  "required": ["id"],
  "$defs": { "Id": { "type": "string", "pattern": "^C-" } }
}
"##;
const ORDER: &str = "\
# An order.
description: A purchase.
type: object
properties:
  customer: {$ref: customer.json}
  buyer: {$ref: 'customer.json#/$defs/Id'}
";
const NOTE: &str = r#"{ "description": "Refers to nobody.", "type": "object", "properties": { "text": { "type": "string" } } }
"#;

/// Three contracts, built.
fn built() -> Project {
    let project = Project::with(&[
        ("contracts/customer.json", CUSTOMER),
        ("contracts/order.yaml", ORDER),
        ("contracts/note.json", NOTE),
    ]);
    project.build().ends(0).says("built 9 of 9 artifacts in [TIME]");
    project
}

#[test]
fn a_hand_edit_that_was_there_before_the_first_build_is_told_every_time() {
    let project = Project::fixture("scalars");
    project.build().ends(0);
    let path = "generated/models/model_reading.py";
    let made = project.read(path);
    project.write(path, format!("{made}MINE = 1\n"));
    project.remove(".omnigen");
    for _ in 0..2 {
        project.build().ends(1).says("edited-output").says(path);
    }
    project.run(&["build", "--force"]).ends(0);
    assert_eq!(project.read(path), made);
    project.build().ends(0).says("nothing to do");
    project.write(path, "MINE = 1\n");
    project.remove(".omnigen");
    for _ in 0..2 {
        project.build().ends(1).says("foreign-file").says(path);
    }
}

#[test]
fn whoever_waits_for_a_file_is_made_when_that_file_is_mended_by_a_third() {
    let part = r##"{ "type": "object", "$defs": { "Used": { "type": "object", "properties": { "a": { "$ref": "#/$defs/Other" } } },
        "Other": { "properties": { "x": { "$ref": "third.json#/$defs/X" } } } } }"##;
    let whole = r##"{ "type": "object", "allOf": [{ "$ref": "part.json#/$defs/Used" }], "properties": { "b": {} } }"##;
    let there = r#"{ "$defs": { "X": { "type": "string" } } }"#;
    let gone = r#"{ "$defs": { "Y": { "type": "string" } } }"#;
    let project = Project::with(&[
        ("contracts/part.json", part),
        ("contracts/whole.json", whole),
        ("contracts/third.json", gone),
    ]);
    project.build().ends(1).says("held back until contracts/part.json");
    assert!(!project.has("generated/models/model_whole.py"));
    project.write("contracts/third.json", there);
    project.build().ends(0).does_not_say("held back");
    assert!(project.has("generated/models/model_whole.py"));
    project.write("contracts/third.json", gone);
    project.build().ends(1).says("held back until contracts/part.json");
}

#[test]
fn what_waits_counts_as_held_back_though_its_last_output_stays() {
    let project = built();
    project.write("contracts/customer.json", &CUSTOMER[..CUSTOMER.len() / 2]);
    let before = project.tree("generated");
    // The order is in order, but it needs the customer.
    project.build().ends(1).says("built 0 of 9 artifacts, held back 6 in [TIME]: 1 error");
    project.build().ends(1).says("held back 6");
    project.run(&["build", "--check"]).ends(1).says("6 artifacts are out of date (6 held back)");
    project.run(&["build", "-n"]).ends(1).says("would hold back 6");
    assert_eq!(difference(&before, &project.tree("generated")), "");
    project.write("contracts/customer.json", CUSTOMER);
    project.build().ends(0).says("nothing to do (9 artifacts)");
}

#[test]
fn what_a_broken_file_lacks_is_not_known() {
    let user = r##"{ "type": "object", "properties": { "a": { "$ref": "used.json#/$defs/Part" } } }"##;
    let lacking = r#"{ "$defs": { "Other": { "type": "string" } } }"#;
    let project = Project::with(&[("contracts/user.json", user), ("contracts/used.json", lacking)]);
    project.build().ends(1).says("dangling-ref");
    // The same names are absent as before, but now nothing can be said about them.
    project.write("contracts/used.json", &lacking[..lacking.len() / 2]);
    project.build().ends(1).does_not_say("dangling-ref").says("held back until contracts/used.json");
    project.write("contracts/used.json", lacking);
    project.build().ends(1).says("dangling-ref");
}

#[test]
fn nothing_to_do() {
    let project = built();
    let (run, touched) = project.rebuild();
    run.ends(0);
    assert_eq!(run.stderr.trim(), "nothing to do (9 artifacts)");
    assert_eq!(run.stdout, "");
    assert_eq!(touched, Vec::<String>::new());
}

#[test]
fn a_comment_writes_nothing() {
    let project = built();
    project.edit("contracts/order.yaml", "# An order.", "# An order, said otherwise.\n# In two lines.");
    let (run, touched) = project.rebuild();
    run.ends(0).says("nothing to do (9 artifacts)");
    assert_eq!(touched, Vec::<String>::new());
}

#[test]
fn layout_writes_nothing() {
    let project = built();
    project.edit("contracts/customer.json", "{ \"id\":", "{\n\n\t\"id\"   :");
    let (run, touched) = project.rebuild();
    run.ends(0).says("nothing to do (9 artifacts)");
    assert_eq!(touched, Vec::<String>::new());
}

#[test]
fn a_description_reaches_only_the_model() {
    let project = built();
    project.edit("contracts/customer.json", "Somebody.", "Somebody with an account.");
    let (run, touched) = project.rebuild();
    run.ends(0).says("built 1 of 9 artifacts");
    assert_eq!(touched, ["models/model_customer.py"]);
}

#[test]
fn a_field_reaches_its_own_artifacts() {
    let project = built();
    project.edit("contracts/note.json", "\"text\":", "\"stars\": { \"type\": \"integer\" }, \"text\":");
    let (run, touched) = project.rebuild();
    run.ends(0).says("built 3 of 9 artifacts");
    assert_eq!(touched, ["models/model_note.py", "tests/test_note.py", "validators/validator_note.py"]);
}

#[test]
fn a_changed_constraint_does_not_rewrite_referrers() {
    // Validators and models refer to the other contract by name; that its pattern is another one is not their business.
    let project = built();
    project.edit("contracts/customer.json", "^C-", "^D-");
    let (run, touched) = project.rebuild();
    run.ends(0);
    assert!(touched.contains(&"models/model_customer.py".to_owned()), "{touched:?}");
    assert!(touched.contains(&"validators/validator_customer.py".to_owned()), "{touched:?}");
    assert!(!touched.contains(&"models/model_order.py".to_owned()), "{touched:?}");
    assert!(!touched.contains(&"validators/validator_order.py".to_owned()), "{touched:?}");
}

#[test]
fn an_unrelated_contract_rewrites_nothing() {
    let project = built();
    project.write("contracts/extra.json", NOTE);
    let (run, touched) = project.rebuild();
    run.ends(0).says("built 3 of 12 artifacts");
    assert_eq!(touched, ["models/model_extra.py", "tests/test_extra.py", "validators/validator_extra.py"]);
}

#[test]
fn a_new_file_mends_those_that_missed_it() {
    let project = built();
    project.remove("contracts/customer.json");
    project.build().ends(1).says("dangling-ref").says("contracts/order.yaml:5");
    project.write("contracts/customer.json", CUSTOMER);
    project.build().ends(0).does_not_say("dangling-ref");
    let clean = built();
    assert_eq!(difference(&project.tree("generated"), &clean.tree("generated")), "");
}

#[test]
fn a_definition_that_appears_mends_those_that_missed_it() {
    let project = built();
    project.edit("contracts/order.yaml", "#/$defs/Id", "#/$defs/Key");
    project.build().ends(1).says("dangling-ref");
    project.edit("contracts/customer.json", "\"$defs\": { ", "\"$defs\": { \"Key\": { \"type\": \"integer\" }, ");
    project.build().ends(0).does_not_say("dangling-ref");
    assert!(project.read("generated/models/model_order.py").contains("ModelKey"));
}

#[test]
fn what_nobody_wants_any_more_is_removed() {
    let project = built();
    project.write("contracts/deep/inside.json", NOTE);
    project.build().ends(0);
    assert!(project.has("generated/models/deep/model_inside.py"));
    project.remove("contracts/deep");
    let (run, touched) = project.rebuild();
    run.ends(0).says("removed");
    assert!(touched.iter().all(|path| path.contains("deep/")), "{touched:?}");
    assert!(!project.has("generated/models/deep"), "the empty folder is gone too");
    assert_eq!(difference(&project.tree("generated"), &built().tree("generated")), "");
}

#[test]
fn orphans_are_found_without_a_manifest() {
    let project = built();
    project.remove("contracts/note.json");
    project.remove(".omnigen");
    project.build().ends(0);
    assert!(!project.has("generated/models/model_note.py"));
}

#[test]
fn a_renamed_contract_takes_its_outputs_along() {
    let project = built();
    project.rename("contracts/note.json", "contracts/memo.json");
    project.build().ends(0);
    assert!(project.has("generated/models/model_memo.py"));
    assert!(!project.has("generated/models/model_note.py"));
}

#[test]
fn foreign_files_are_left_alone() {
    let project = built();
    project.write("generated/README.md", "ours\n");
    project.write("generated/models/handmade.py", "VALUE = 1\n");
    project.edit("contracts/note.json", "Refers to nobody.", "Alone.");
    project.build().ends(0);
    project.remove("contracts/note.json");
    project.build().ends(0);
    assert_eq!(project.read("generated/README.md"), "ours\n");
    assert_eq!(project.read("generated/models/handmade.py"), "VALUE = 1\n");
}

#[test]
fn a_foreign_file_in_the_place_of_an_output_is_not_overwritten() {
    let project = Project::with(&[("contracts/note.json", NOTE), ("generated/models/model_note.py", "VALUE = 1\n")]);
    project.build().ends(1).says("foreign-file").says("generated/models/model_note.py");
    assert_eq!(project.read("generated/models/model_note.py"), "VALUE = 1\n");
    assert!(project.has("generated/validators/validator_note.py"), "the rest is built");
}

#[test]
fn hand_edits_are_protected() {
    let project = built();
    let path = "generated/models/model_note.py";
    let edited = project.read(path) + "\nEDITED = True\n";
    project.write(path, &edited);
    project.build().ends(1).says("edited-output").says(path).says("EDITED = True");
    assert_eq!(project.read(path), edited, "it is still there");
    project.edit("contracts/note.json", "Refers to nobody.", "Alone.");
    project.build().ends(1).says("edited-output");
    assert_eq!(project.read(path), edited, "also when there is something new to write");
    project.run(&["build", "--force"]).ends(0);
    assert!(!project.read(path).contains("EDITED"));
    project.build().ends(0).says("nothing to do");
}

#[test]
fn hand_edits_are_protected_without_a_manifest() {
    let project = built();
    let path = "generated/validators/validator_order.py";
    project.write(path, project.read(path) + "\nEDITED = True\n");
    project.remove(".omnigen");
    project.build().ends(1).says("edited-output").says(path);
    assert!(project.read(path).contains("EDITED"));
}

#[test]
fn an_edited_orphan_is_kept() {
    let project = built();
    let path = "generated/models/model_note.py";
    project.write(path, project.read(path) + "\nEDITED = True\n");
    project.remove("contracts/note.json");
    project.build().says(path);
    assert!(project.read(path).contains("EDITED"));
}

#[test]
fn conflict_markers_are_no_hand_edit() {
    let project = built();
    let path = "generated/models/model_note.py";
    let text = project.read(path);
    project.write(path, text.replacen("class ", "<<<<<<< ours\nclass A: ...\n=======\n>>>>>>> theirs\nclass ", 1));
    project.build().ends(0);
    assert_eq!(project.read(path), text);
}

#[test]
fn a_deleted_output_comes_back() {
    let project = built();
    let text = project.read("generated/models/model_note.py");
    project.remove("generated/models/model_note.py");
    let (run, touched) = project.rebuild();
    run.ends(0).says("built 1 of 9 artifacts");
    assert_eq!(touched, ["models/model_note.py"]);
    assert_eq!(project.read("generated/models/model_note.py"), text);
}

#[test]
fn without_a_manifest_nothing_is_rewritten() {
    let project = built();
    project.remove(".omnigen");
    let (run, touched) = project.rebuild();
    run.ends(0).says("nothing to do");
    assert_eq!(touched, Vec::<String>::new());
}

#[test]
fn touched_files_are_no_change() {
    let project = built();
    for path in ["contracts/note.json", "contracts/customer.json", "generated/models/model_note.py"] {
        project.write(path, project.read(path));
    }
    let (run, touched) = project.rebuild();
    run.ends(0).says("nothing to do");
    assert_eq!(touched, Vec::<String>::new());
}

#[test]
fn the_configuration_is_an_input() {
    let project = built();
    project.write("omnigen.toml", "[project]\nname = \"test\"\n\n[python]\nnaming = \"{Name}Data\"\n");
    project.build().ends(0);
    assert!(project.read("generated/models/model_note.py").contains("class NoteData"));
    project.write("omnigen.toml", "[project]\nname = \"test\"\nout = \"elsewhere\"\n");
    project.build().ends(0);
    assert!(project.has("elsewhere/models/model_note.py"));
}

#[test]
fn a_target_that_is_no_longer_wanted_is_forgotten() {
    let project = built();
    let targets = |targets: &str| project.write("omnigen.toml", format!("[project]\nname = \"test\"\n{targets}"));
    targets("targets = [\"models\"]\n");
    project.build().ends(0).says("removed 6 artifacts");
    // Nothing is left of it that every later run would look for.
    let log = project.read(".omnigen/log");
    project.build().ends(0).says("nothing to do (3 artifacts)");
    project.edit("contracts/note.json", "Refers to nobody.", "Alone.");
    project.build().ends(0).says("built 1 of 3 artifacts");
    let added = project.read(".omnigen/log").replace(&log, "");
    assert!(!added.contains("validator") && !added.contains("test_note"), "{added}");
    targets("");
    project.build().ends(0).says("built 6 of 9 artifacts");
}

#[test]
fn check_compares_and_writes_nothing() {
    let project = built();
    project.run(&["build", "--check"]).ends(0).says("up to date (9 artifacts)");

    project.edit("contracts/note.json", "Refers to nobody.", "Alone.");
    let (before, times) = (project.tree(""), project.times(""));
    project.run(&["build", "--check"]).ends(1).lists("stale    generated/models/model_note.py");
    assert_eq!(difference(&before, &project.tree("")), "", "not even its own state");
    assert_eq!(times, project.times(""));
    project.build().ends(0);

    project.remove("generated/tests/test_order.py");
    project.run(&["build", "--check"]).ends(1).lists("missing  generated/tests/test_order.py");
    project.build().ends(0);

    project.remove("contracts/note.json");
    project.run(&["build", "--check"]).ends(1).lists("orphaned generated/models/model_note.py");
    project.build().ends(0);

    project.write("generated/models/model_order.py", project.read("generated/models/model_order.py") + "# edited\n");
    project.run(&["build", "--check"]).ends(1).lists("edited   generated/models/model_order.py");
}

#[test]
fn check_needs_no_state_of_its_own() {
    let project = built();
    project.remove(".omnigen");
    project.run(&["build", "--check"]).ends(0);
    assert!(!project.has(".omnigen"), "a check leaves nothing behind");
}

#[test]
fn who_refers_to_contracts_that_want_the_same_output_waits() {
    let user = r##"{ "type": "object", "properties": { "a": { "$ref": "part.json" } } }"##;
    let project = Project::with(&[
        ("contracts/part.json", r#"{ "type": "string" }"#),
        ("contracts/part.yaml", "type: integer"),
        ("contracts/user.json", user),
        ("contracts/note.json", NOTE),
    ]);
    let run = project.build();
    run.ends(1).says("want").says("the same output, models/model_part.py").says("held back until contracts/part.json");
    assert!(!project.has("generated/models/model_user.py") && project.has("generated/models/model_note.py"));
    project.build().ends(1).says("held back until contracts/part.json");
    project.remove("contracts/part.yaml");
    project.build().ends(0).does_not_say("held back");
    assert!(project.has("generated/models/model_user.py") && project.has("generated/models/model_part.py"));
    project.write("contracts/part.yaml", "type: integer");
    project.build().ends(1).says("held back until contracts/part.json");
}

#[test]
fn a_type_has_a_second_form_while_what_it_refers_to_in_other_documents_has_one() {
    let api = |schemas: &str, rest: &str| {
        format!(
            "openapi: 3.0.3\ninfo: {{title: A, version: '1'}}\npaths: {{{rest}}}\ncomponents:\n  schemas:\n{schemas}"
        )
    };
    let team = api(
        "    Team: {type: array, items: {$ref: 'user.yaml#/components/schemas/User'}}\n    Note: {type: string}\n",
        "/teams: {post: {operationId: addTeam, requestBody: {content: {application/json: {schema: \
         {$ref: '#/components/schemas/Team'}}}}, responses: {'204': {description: done}}}}",
    );
    let user = api(
        "    User: {type: object, properties: {id: {type: string}, owner: {$ref: '#/components/schemas/Owner'}}}\n    \
         Owner: {type: object, properties: {teams: {$ref: 'team.yaml#/components/schemas/Team'}}}\n",
        "",
    );
    let project = Project::with(&[("contracts/team.yaml", &team), ("contracts/user.yaml", &user)]);
    project.build().ends(0);
    let same_as_clean = || {
        let clean = Project::with(&[("contracts/team.yaml", &team)]);
        clean.write("contracts/user.yaml", project.read("contracts/user.yaml"));
        clean.build().ends(0);
        assert_eq!(difference(&clean.tree("generated"), &project.tree("generated")), "");
    };
    let written = |stem: &str| project.read(&format!("generated/models/model_{stem}.py")).contains("Write");
    assert!(!written("team") && !written("user"));
    same_as_clean();
    let before = project.tree("generated");
    project.edit("contracts/user.yaml", "id: {type: string}", "id: {type: string, readOnly: true}");
    project.build().ends(0);
    assert!(written("team") && written("user"));
    assert!(project.read("generated/models/model_user.py").contains("import ModelTeam, ModelTeamWrite"));
    same_as_clean();
    project.edit("contracts/user.yaml", ", readOnly: true", "");
    project.build().ends(0);
    assert_eq!(difference(&before, &project.tree("generated")), "");
}

#[test]
fn what_an_outsider_led_to_is_not_made_when_it_does_so_no_longer() {
    let reference = |to: &str| format!(r#"{{ "type": "object", "properties": {{ "a": {{ "$ref": "{to}" }} }} }}"#);
    let project = Project::with(&[
        ("contracts/a.json", &reference("../shared/b.json")),
        ("shared/b.json", &reference("https://far.example/c.json")),
        ("refs/far.example/c.json", r#"{ "type": "string", "minLength": 1 }"#),
    ]);
    let plain = project.read("omnigen.toml");
    project.write("omnigen.toml", plain.clone() + "refs = \"refs\"\n");
    project.build().ends(0);
    // The mirror has another name for its files where nobody knows that it is one; and nobody leads there any more.
    project.write("omnigen.toml", plain);
    project.build().ends(1).says("leads nowhere");
    assert!(!project.has("generated/models/refs"));
    project.build().ends(1).says("built 0 of");
}

/// A chain of so many contracts, built and looked at once more.
fn chained(count: usize) -> Project {
    let project = Project::empty();
    project.write("omnigen.toml", "[project]\nname = \"test\"\ntargets = [\"models\"]\n");
    for number in 0..count {
        let text = format!(
            "{{ \"description\": \"First.\", \"type\": \"object\", \"properties\": {{ \"to\": {{ \"$ref\": \"c{:04}.json\" }} }} }}\n",
            number / 2
        );
        project.write(&format!("contracts/c{number:04}.json"), text);
    }
    project.build().ends(0);
    std::thread::sleep(std::time::Duration::from_millis(20));
    project.build().ends(0).says("nothing to do");
    project
}

/// Saves a contract with another description, by way of another file if `renamed`.
fn describe(project: &Project, path: &str, words: &str, renamed: bool) {
    let text = project.read(path).replacen("First.", words, 1);
    if renamed {
        project.write("contracts/.saved~", &text);
        std::fs::rename(project.path("contracts/.saved~"), project.path(path)).expect("renamed");
    } else {
        project.write(path, &text);
    }
}

/// The same, and builds; gives back how many shards of records were read.
fn shards_read(project: &Project, path: &str, words: &str, renamed: bool) -> u64 {
    describe(project, path, words, renamed);
    project.run(&["build", "--profile", "trace.json"]).ends(0).says("built 1 of ");
    let trace: serde_json::Value = serde_json::from_str(&project.read("trace.json")).expect("JSON");
    let events = trace.as_array().expect("a list");
    assert!(!events.iter().any(|event| event["name"] == "scan"), "all folders were read, renamed: {renamed}");
    let spans = events.iter().filter(|event| event["name"] == "records");
    spans.filter_map(|span| span["args"]["shards"].as_u64()).sum()
}

#[test]
fn an_edit_reads_and_writes_what_it_is_about() {
    let project = chained(640);
    let kept = |name: &str| project.tree(&format!(".omnigen/{name}"));
    let size = |name: &str| kept(name).values().map(Vec::len).sum::<usize>();
    assert_eq!(kept("details").len(), 16, "eight shards of records, eight of details");
    let whole = size("ledgers");
    for (number, renamed) in [(600, false), (601, true), (602, false), (603, true)] {
        let (details, ledgers) = (kept("details"), size("ledgers"));
        let read = shards_read(&project, &format!("contracts/c{number:04}.json"), "Second.", renamed);
        assert!((1..=2).contains(&read), "{read} of 8 shards were read, renamed: {renamed}");
        let fresh = kept("details").into_keys().filter(|name| !details.contains_key(name)).count();
        assert_eq!(fresh, 2, "one shard and its details are written");
        let more = size("ledgers") - ledgers;
        assert!(more * 20 < whole, "{more} bytes were added to {whole}");
        project.build().ends(0).says("nothing to do");
    }
    // A file beside it that comes or goes is another matter.
    project.write("contracts/more.json", "{ \"type\": \"string\" }\n");
    project.build().ends(0).says("built 1 of 641");
    project.remove("contracts/more.json");
    project.build().ends(0);
    assert!(!project.has("generated/models/model_more.py"));
    project.build().ends(0).says("nothing to do");
}

#[test]
fn a_watch_reads_what_an_edit_is_about() {
    let project = chained(640);
    let mut watching = project.watch_as(&["--profile", "trace.json"]);
    watching.line("watching for changes");
    let edits = [(600, false), (601, true), (602, false), (603, true)];
    for (number, renamed) in edits {
        describe(&project, &format!("contracts/c{number:04}.json"), "Second.", renamed);
        let model = format!("generated/models/model_c{number:04}.py");
        watching.until("the description in the model", || project.read(&model).contains("Second."));
        watching.line(&format!("c{number:04}.json"));
    }
    assert_eq!(watching.interrupt().0, 130);
    let trace: serde_json::Value = serde_json::from_str(&project.read("trace.json")).expect("JSON");
    let events = trace.as_array().expect("a list");
    let begins = |event: &serde_json::Value| event["ts"].as_f64().unwrap_or_default();
    let first = events.iter().filter(|event| event["name"] == "make").map(begins).fold(f64::MAX, f64::min);
    let later = || events.iter().filter(|event| begins(event) >= first);
    assert!(later().filter(|event| event["name"] == "write").count() >= edits.len(), "what is measured is there");
    assert!(!later().any(|event| event["name"] == "scan"), "all folders were read");
    assert!(!events.iter().any(|event| event["name"] == "unfold"), "all records were read when it began");
    let read: u64 = later().filter(|e| e["name"] == "records").filter_map(|e| e["args"]["shards"].as_u64()).sum();
    assert!((1..=3 * edits.len() as u64).contains(&read), "{read} shards were read");
    project.build().ends(0).says("nothing to do");
}

/// The contracts that a build reads, and those that it makes something of, after the configuration has become another one.
fn asked_for(project: &Project, configuration: &str, code: i32) -> (Vec<String>, Vec<String>) {
    project.write("omnigen.toml", configuration);
    project.run(&["build", "--profile", "trace.json"]).ends(code);
    let trace: serde_json::Value = serde_json::from_str(&project.read("trace.json")).expect("JSON");
    project.remove("trace.json");
    let of = |name: &str| {
        let spans =
            trace.as_array().expect("a list").iter().filter(|event| event["name"] == name && event["ph"] == "X");
        let mut files: Vec<String> = spans.filter_map(|span| Some(span["args"]["file"].as_str()?.to_owned())).collect();
        files.sort();
        files.dedup();
        files
    };
    (of("declarations"), of("emit"))
}

#[test]
fn a_setting_reaches_whom_it_says_something_about() {
    let node = |class: &str| {
        format!(
            "contract_version: {{major: 1, minor: 0, patch: 0}}\nname: node_pay\nnode_type: COMPUTE\ninput_model: \
             {{name: ModelIn, module: m}}\noutput_model: {{name: ModelOut, module: m}}\ninputs:\n  order: {{type: {class}, required: true}}\n"
        )
    };
    let project = Project::with(&[
        ("contracts/note.json", NOTE),
        ("contracts/twice.json", r#"{ "type": "object", "title": "a", "title": "b", "required": ["x"] }"#),
        ("contracts/old/plain.json", r#"{ "properties": { "n": { "minimum": 3 } } }"#),
        ("contracts/pay.yaml", &node("shop.models.ModelOrder")),
    ]);
    let plain = "[project]\nname = \"test\"\n";
    project.write("omnigen.toml", plain);
    project.build().ends(0);
    let clean = project.tree("generated");
    let nobody: (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let asked = |more: &str, code| asked_for(&project, &format!("{plain}{more}"), code);

    // A key that stands twice: its contract is checked again, and held back.
    let twice = vec!["contracts/twice.json".to_owned()];
    let strict = asked("duplicate-keys = \"error\"\n", 1);
    assert_eq!(strict, (twice.clone(), twice.clone()));
    assert_eq!(difference(&clean, &project.tree("generated")), "", "the last good outputs stay");
    // While it is held back it is looked at, and when it is not any more it is made.
    project.edit("contracts/twice.json", "\"x\"", "\"y\"");
    project.build().ends(1);
    assert_eq!(asked("", 0), (twice.clone(), twice));
    project.edit("contracts/twice.json", "\"y\"", "\"x\"");
    project.build().ends(0);
    assert_eq!(difference(&clean, &project.tree("generated")), "");

    // A draft for files that there are not, for files that state none, for other files.
    let old = vec!["contracts/old/plain.json".to_owned()];
    assert_eq!(asked("[project.dialects]\n\"contracts/none/**\" = \"draft-07\"\n", 0), nobody);
    assert_eq!(asked("[project.dialects]\n\"contracts/old/**\" = \"draft-07\"\n", 0).0, old);
    assert_eq!(asked("[project.dialects]\n\"contracts/o*/**\" = \"draft-07\"\n", 0), nobody);
    assert_eq!(asked("", 0).0, old);
    assert_eq!(difference(&clean, &project.tree("generated")), "");

    // Classes that nobody names, and one that somebody does.
    let pay = vec!["contracts/pay.yaml".to_owned()];
    assert_eq!(asked("[python.external]\n\"other.*\" = \"import\"\n", 0), nobody);
    let imported = asked("[python.external]\n\"shop.*\" = \"import\"\n", 0);
    assert_eq!(imported, (pay.clone(), pay.clone()));
    assert!(project.read("generated/models/model_pay.py").contains("from shop.models import ModelOrder"));
    assert_eq!(asked("[python.external]\nModelOrder = \"shop.models.ModelOrder\"\n", 0), nobody);
    assert_eq!(asked("", 0).1, pay);
    assert_eq!(difference(&clean, &project.tree("generated")), "");
}
