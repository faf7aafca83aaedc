//! Commands, flags, streams and exit codes.

use omnigen_tests::{Project, difference};

const NOTE: &str = r#"{ "description": "A note.", "type": "object", "properties": { "text": { "type": "string" } } }
"#;

fn note() -> Project {
    Project::with(&[("contracts/note.json", NOTE)])
}

#[test]
fn help_names_the_commands() {
    let run = Project::empty().run(&["--help"]);
    run.ends(0);
    for command in ["init", "build", "watch", "check"] {
        assert!(run.stdout.contains(command), "{}", run.text());
    }
    assert_eq!(run.stderr, "");
}

#[test]
fn version() {
    let run = Project::empty().run(&["--version"]);
    run.ends(0);
    assert_eq!(run.stdout.trim(), concat!("omnigen ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_ends_with_2() {
    let project = note();
    project.run(&["bild"]).ends(2).says("build");
    project.run(&["build", "--chekc"]).ends(2).says("--check");
    project.run(&["build", "-j", "many"]).ends(2);
    project.run(&["-C", "no/such/folder", "build"]).ends(2).says("no/such/folder");
}

#[test]
fn no_project_ends_with_2_and_a_way_out() {
    Project::empty().build().ends(2).says("omnigen.toml").says("omnigen init");
}

#[test]
fn init_makes_a_project_that_builds() {
    let project = Project::empty();
    let run = project.run(&["init"]);
    run.ends(0);
    assert!((run.stdout.clone() + &run.stderr).contains("omnigen build"), "the next command\n{}", run.text());
    assert!(project.has("omnigen.toml"));
    assert!(project.read(".gitattributes").contains("linguist-generated"));
    assert!(!project.tree("contracts").is_empty());
    project.build().ends(0).says("built");
    project.run(&["build", "--check"]).ends(0);
}

#[test]
fn init_overwrites_nothing() {
    let project = note();
    project.write(".gitattributes", "*.png binary\n");
    let before = project.read("omnigen.toml");
    project.run(&["init"]).ends(0).says("this is a project already");
    assert_eq!(project.read("omnigen.toml"), before);
    assert_eq!(project.read(".gitattributes"), "*.png binary\n");
}

#[test]
fn streams() {
    let project = note();
    let run = project.build();
    run.ends(0);
    assert_eq!(run.stdout, "", "nothing was asked for");
    assert_eq!(run.stderr, "built 3 of 3 artifacts in [TIME]\n");
    let run = project.build();
    assert_eq!(run.stderr, "nothing to do (3 artifacts)\n");
}

#[test]
fn quiet() {
    let project = note();
    let run = project.run(&["-q", "build"]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""), "{}", run.text());
    project.write("contracts/note.json", "{");
    project.run(&["-q", "build"]).ends(1).says("error[syntax]");
}

#[test]
fn no_colour_into_a_pipe() {
    let project = note();
    project.write("contracts/broken.json", "{");
    project.build().ends(1).does_not_say("\u{1b}[");
    project.run(&["build", "--color", "always"]).ends(1).says("\u{1b}[");
    project.run(&["build", "--color", "never"]).ends(1).does_not_say("\u{1b}[");
    let forced = project.finish(project.command().arg("build").env("TERM", "dumb").env("NO_COLOR", "1"));
    forced.ends(1).does_not_say("\u{1b}[");
}

#[test]
fn a_project_is_found_upwards() {
    let project = note();
    let inside = project.finish(project.command().arg("build").current_dir(project.path("contracts")));
    inside.ends(0).says("built 3 of 3 artifacts");
    assert!(project.has("generated/models/model_note.py"));
    assert!(!project.has("contracts/generated"));
}

#[test]
fn another_folder() {
    let project = Project::empty();
    project.add_fixture("scalars", "there");
    project.run(&["-C", "there", "build"]).ends(0);
    assert!(project.has("there/generated/models/model_reading.py"));
    project.run(&["build", "-C", "there"]).ends(0).says("nothing to do");
}

#[test]
fn files_without_a_project() {
    let project = Project::empty();
    project.write("schemas/note.json", NOTE);
    project.write("schemas/other.yaml", "type: object\nproperties: {note: {$ref: note.json}}\n");
    project.run(&["build", "schemas/note.json", "schemas/other.yaml", "--out", "made"]).ends(0).says("built 6 of 6");
    let written: Vec<String> = project.tree("made").into_keys().filter(|path| path.ends_with("_note.py")).collect();
    assert_eq!(written.len(), 3, "{written:?}");
    project.run(&["build", "schemas/note.json", "schemas/other.yaml", "--out", "made"]).ends(0).says("nothing to do");
    project.run(&["build", "schemas/absent.json", "--out", "made"]).says("schemas/absent.json");
    project.run(&["build", "schemas/note.json"]).ends(2).says("--out");
}

#[test]
fn files_with_a_mirror() {
    let project = Project::empty();
    project.write(
        "note.json",
        r#"{ "type": "object", "properties": { "a": { "$ref": "https://far.example/a/b.json" } } }"#,
    );
    project
        .run(&["build", "note.json", "--out", "made"])
        .ends(1)
        .says("dangling-ref")
        .says("https://far.example/a/b.json");
    project.write("mirror/far.example/a/b.json", r#"{ "type": "integer", "minimum": 3 }"#);
    project.run(&["build", "note.json", "--out", "made", "--refs", "mirror"]).ends(0);
}

#[test]
fn a_project_with_another_mirror() {
    let project = Project::empty();
    project.write("p/omnigen.toml", "[project]\nname = \"far\"\nrefs = \"mirror\"\n");
    project.write("p/contracts/note.json", r#"{ "$ref": "https://far.example/b.json" }"#);
    project.write("p/mirror/far.example/b.json", r#"{ "type": "integer" }"#);
    project.write("elsewhere/far.example/b.json", r#"{ "type": "string" }"#);
    let model = || project.read("p/generated/models/far_example/model_b.py");
    project.run(&["-C", "p", "build"]).ends(0);
    let from_inside = model();
    project.run(&["-C", "p", "build", "--refs", "../elsewhere"]).ends(0);
    assert!(model().contains("str") && !model().contains("elsewhere"), "{}", model());
    project.run(&["-C", "p", "build", "--refs", "../elsewhere"]).ends(0).says("nothing to do");
    project.write("elsewhere/far.example/b.json", r#"{ "type": "boolean" }"#);
    project.run(&["-C", "p", "build", "--refs", "../elsewhere"]).ends(0);
    assert!(model().contains("bool"), "{}", model());
    project.run(&["-C", "p", "build"]).ends(0);
    assert_eq!(model(), from_inside);
    let written: Vec<String> = project.tree("p/generated/models").into_keys().collect();
    assert_eq!(written, ["__init__.py", "far_example/__init__.py", "far_example/model_b.py", "model_note.py"]);
}

#[test]
fn a_reference_that_moves_takes_its_outputs_along() {
    let project = note();
    project.write("omnigen.toml", "[project]\nname = \"far\"\nrefs = \"mirror\"\ntargets = [\"models\"]\n");
    project.write("mirror/far.example/a.json", r#"{ "type": "integer" }"#);
    project.write("mirror/far.example/b.json", r#"{ "type": "string" }"#);
    project.write("contracts/note.json", r#"{ "$ref": "https://far.example/a.json" }"#);
    project.build().ends(0);
    // As many files are referred to as before, but not the same.
    project.write("contracts/note.json", r#"{ "$ref": "https://far.example/b.json" }"#);
    project.build().ends(0).says("removed 1");
    assert!(project.has("generated/models/far_example/model_b.py"));
    assert!(!project.has("generated/models/far_example/model_a.py"));
    project.build().ends(0).says("nothing to do");
}

#[test]
fn check_reads_contracts_only() {
    let project = note();
    let run = project.run(&["check"]);
    run.ends(0).says("checked 1 contract");
    assert!(!project.has("generated") && !project.has(".omnigen"), "nothing is written");
    project.write("contracts/broken.json", r##"{ "$ref": "#/$defs/None" }"##);
    project.run(&["check"]).ends(1).says("dangling-ref").says("contracts/broken.json:1");
}

#[test]
fn the_same_bytes_with_any_number_of_threads() {
    let (one, four) = (Project::fixture("references"), Project::fixture("references"));
    one.run(&["build", "-j", "1"]).ends(0);
    four.run(&["build", "-j", "4"]).ends(0);
    assert_eq!(difference(&one.tree("generated"), &four.tree("generated")), "");
}

#[test]
fn the_same_bytes_in_any_folder() {
    let (here, there) = (note(), Project::empty());
    here.build().ends(0);
    there.add_fixture("scalars", "very/deep/inside/of/something");
    there.write("very/deep/inside/of/something/contracts/note.json", NOTE);
    there.run(&["-C", "very/deep/inside/of/something", "build"]).ends(0);
    let path = "generated/models/model_note.py";
    assert_eq!(here.read(path), there.read(&format!("very/deep/inside/of/something/{path}")));
    for (path, bytes) in here.tree("generated") {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains(&*here.root().to_string_lossy()), "{path} holds an absolute path");
    }
}

#[test]
fn the_shop_is_up_to_date() {
    let shop = Project::fixture("shop");
    assert!(shop.has("omnigen.lock"), "the shop's lock is committed");
    shop.run(&["build", "--check"]).ends(0);
    shop.build().ends(0).says("nothing to do");
}

#[test]
fn the_shop_needs_no_agent_in_a_fresh_clone() {
    // No program can be started: what the agent answered is in the lock and in the committed outputs.
    let shop = Project::fixture("shop");
    let before = shop.tree("generated");
    let run = shop.finish(shop.command().args(["build", "--frozen"]).env("PATH", shop.path("no-programs")));
    run.ends(0);
    assert_eq!(difference(&before, &shop.tree("generated")), "");
}

#[test]
fn the_shop_from_nothing() {
    let shop = Project::fixture("shop");
    let committed = (shop.tree("generated"), shop.read("omnigen.lock"));
    shop.remove("generated");
    shop.remove("omnigen.lock");
    shop.build().ends(0).says("built 36 of 36 artifacts");
    assert_eq!(difference(&committed.0, &shop.tree("generated")), "");
    assert_eq!(committed.1, shop.read("omnigen.lock"));
}
