//! Broken input: a clear error each, the rest still built, nothing lost, and the exit code that is documented.

use omnigen_tests::{Project, Run, difference};

const NOTE: &str = r#"{ "description": "A note.", "type": "object", "properties": { "text": { "type": "string" } } }
"#;

/// Builds these files beside a contract that is in order, which must come out whatever happens.
#[track_caller]
fn check(files: &[(&str, &[u8])], code: i32) -> (Project, Run) {
    let project = Project::with(&[("contracts/note.json", NOTE)]);
    for (path, bytes) in files {
        project.write(path, bytes);
    }
    let run = project.build();
    run.ends(code).does_not_say("panicked");
    assert_eq!(run.stdout, "", "diagnostics are on stderr");
    for kind in ["model", "validator", "test"] {
        assert!(project.has(&format!("generated/{kind}s/{kind}_note.py")), "the rest is built\n{}", run.text());
    }
    // Asked again, it says the same again.
    let again = project.build();
    assert_eq!((again.code, without_summary(&again.stderr)), (code, without_summary(&run.stderr)));
    (project, run)
}

fn without_summary(stderr: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = stderr.lines().collect();
    lines.pop();
    lines
}

/// One broken contract `contracts/bad.<extension>`: an error with this code at this line.
#[track_caller]
fn bad(extension: &str, text: impl AsRef<[u8]>, code: &str, line: Option<u32>) -> (Project, Run) {
    let path = format!("contracts/bad.{extension}");
    let (project, run) = check(&[(&path, text.as_ref())], 1);
    let place = line.map_or_else(|| path.clone(), |line| format!("{path}:{line}:"));
    run.says(&format!("error[{code}]: ")).says(&format!("--> {place}"));
    assert!(!project.has("generated/models/model_bad.py"), "nothing half-right is written");
    (project, run)
}

#[test]
fn not_utf8() {
    bad("json", b"{ \"description\": \"caf\xe9\" }", "not-utf8", None);
    bad("yaml", b"description: caf\xe9\n", "not-utf8", None);
}

#[test]
fn empty_file() {
    bad("json", "", "empty", None);
    bad("json", " \n\n", "empty", None);
    bad("yaml", "# only a comment\n", "empty", None);
}

#[test]
fn json_cut_in_half() {
    bad("json", "{\n  \"type\": \"object\",\n  \"properties\": {\n    \"a\": { \"ty", "syntax", Some(4));
}

#[test]
fn yaml_that_is_none() {
    bad("yaml", "type: object\nproperties: {a: [}\n", "syntax", Some(2));
}

#[test]
fn duplicate_keys() {
    let text = "{\n  \"type\": \"object\",\n  \"properties\": {\n    \"a\": true,\n    \"a\": { \"type\": \"integer\" }\n  }\n}\n";
    let (project, run) = check(&[("contracts/bad.json", text.as_bytes())], 0);
    run.says("warning[duplicate-key]: ").says("--> contracts/bad.json:5:");
    assert!(project.read("generated/models/model_bad.py").contains("int"), "the last one counts");
}

#[test]
fn dangling_reference() {
    let text = "{\n  \"$ref\": \"#/$defs/Adress\",\n  \"$defs\": { \"Address\": true }\n}\n";
    let (_, run) = bad("json", text, "dangling-ref", Some(2));
    run.says("#/$defs/Adress").says("#/$defs/Address");
    let (_, run) = bad("json", "{ \"$ref\": \"absent.json\" }", "dangling-ref", Some(1));
    run.says("absent.json");
    let (_, run) = bad("json", "{ \"$ref\": \"https://far.example/a.json\" }", "dangling-ref", Some(1));
    run.says("https://far.example/a.json");
}

#[test]
fn reference_loop_without_content() {
    bad(
        "json",
        r##"{ "$ref": "#/$defs/A", "$defs": { "A": { "$ref": "#/$defs/B" }, "B": { "$ref": "#/$defs/A" } } }"##,
        "ref-loop",
        Some(1),
    );
    bad("json", r##"{ "$ref": "#" }"##, "ref-loop", Some(1));
}

#[test]
fn reference_loop_over_files() {
    let (_, run) = check(
        &[("contracts/one.json", br#"{ "$ref": "two.json" }"#), ("contracts/two.json", br#"{ "$ref": "one.json" }"#)],
        1,
    );
    run.says("error[ref-loop]: ").says("contracts/one.json").says("contracts/two.json");
}

#[test]
fn a_pattern_that_is_none() {
    bad("json", "{\n  \"type\": \"string\",\n  \"pattern\": \"(unclosed\"\n}\n", "bad-pattern", Some(3));
    bad("json", "{ \"patternProperties\": { \"[z-a]\": true } }", "bad-pattern", Some(1));
}

#[test]
fn ten_thousand_levels() {
    let deep = |open: &str, close: &str| format!("{}true{}", open.repeat(10_000), close.repeat(10_000));
    bad("json", deep("{ \"items\": ", "}"), "too-deep", Some(1));
    bad("json", format!("{{ \"const\": {} }}", deep("[", "]")), "too-deep", Some(1));
    bad("yaml", deep("{items: ", "}"), "too-deep", Some(1));
}

#[test]
fn yaml_alias_bomb() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", [below.as_str(); 10].join(", ")));
    }
    let start = std::time::Instant::now();
    bad("yaml", text, "too-large", None);
    assert!(start.elapsed().as_secs() < 20, "it was expanded");
}

#[test]
fn wrong_values() {
    bad("json", r#"{ "type": "objec" }"#, "unknown-type", Some(1)).1.says("object");
    bad("json", r#"{ "properties": [] }"#, "wrong-type", Some(1));
    bad("json", r#"{ "required": "a" }"#, "wrong-type", Some(1));
    bad("json", r#"{ "minimum": "1" }"#, "wrong-type", Some(1));
    bad("json", r#""a text""#, "not-a-contract", None);
}

#[test]
fn what_asserts_nothing_is_told() {
    let text = "{\n  \"$schema\": \"http://json-schema.org/draft-06/schema#\",\n  \"if\": { \"type\": \"null\" }\n}\n";
    let (_, run) = check(&[("contracts/bad.json", text.as_bytes())], 0);
    run.says("warning[ignored-keyword]: ").says("--> contracts/bad.json:3:").says("draft-06");
    let text = "{ \"type\": \"object\", \"requierd\": [\"a\"] }\n";
    let (_, run) = check(&[("contracts/bad.json", text.as_bytes())], 0);
    run.says("warning[misspelled-keyword]: ").says("required");
}

#[test]
fn several_in_one_run_are_all_told_in_order() {
    let (_, run) = check(
        &[
            ("contracts/c.json", b"{"),
            ("contracts/a.json", br##"{ "properties": { "x": { "$ref": "#/no" }, "y": { "type": "strng" } } }"##),
            ("contracts/b.yaml", b"pattern: '('\n"),
        ],
        1,
    );
    let places: Vec<&str> = run.stderr.lines().filter_map(|line| line.trim().strip_prefix("--> ")).collect();
    assert_eq!(places.len(), 4, "{}", run.text());
    assert!(places.is_sorted(), "{places:?}");
    run.says("4 errors");
}

#[test]
fn two_contracts_that_want_the_same_output() {
    let (project, run) =
        check(&[("contracts/twice.json", NOTE.as_bytes()), ("contracts/twice.yaml", NOTE.as_bytes())], 1);
    run.says("error[output-collision]: ").says("contracts/twice.json").says("contracts/twice.yaml");
    assert!(!project.has("generated/models/model_twice.py"));
    project.remove("contracts/twice.yaml");
    project.build().ends(0);
    assert!(project.has("generated/models/model_twice.py"));
}

#[test]
fn names_that_differ_only_in_case_collide() {
    let (_, run) =
        check(&[("contracts/deep/one.json", NOTE.as_bytes()), ("contracts/Deep/One.json", NOTE.as_bytes())], 1);
    run.says("error[output-collision]: ");
}

#[test]
fn two_types_that_want_the_same_name() {
    let text = r#"{ "$defs": { "user-role": { "enum": [1] }, "userRole": { "enum": [2] } } }"#;
    let (_, run) = bad("json", text, "name-collision", Some(1));
    run.says("ModelUserRole");
}

#[test]
fn a_contract_that_is_not_there_when_it_is_read() {
    // What a contract that vanishes during the run comes down to: its name is listed, its text is not to be had.
    let project = Project::with(&[("contracts/note.json", NOTE)]);
    std::os::unix::fs::symlink("nowhere.json", project.path("contracts/gone.json")).expect("a link");
    let run = project.build();
    assert!(matches!(run.code, 0 | 1), "{}", run.text());
    assert!(project.has("generated/models/model_note.py"), "the rest is built\n{}", run.text());
}

#[test]
fn a_contract_that_breaks_keeps_its_last_good_outputs() {
    let project = Project::with(&[
        ("contracts/note.json", NOTE),
        ("contracts/user.json", r#"{ "properties": { "n": { "$ref": "note.json" } } }"#),
    ]);
    project.build().ends(0);
    let good = project.tree("generated");
    project.write("contracts/note.json", "{");
    project.build().ends(1).says("error[syntax]");
    assert_eq!(difference(&project.tree("generated"), &good), "");
    project.write("contracts/note.json", NOTE);
    project.build().ends(0).says("nothing to do");
}

#[test]
fn an_output_folder_that_is_none() {
    // A file in the place of the folder: unlike permissions it stops every user.
    let project = Project::with(&[("contracts/note.json", NOTE), ("generated", "a file\n")]);
    project.build().ends(2).says("generated");
    assert_eq!(project.read("generated"), "a file\n");
}

#[test]
fn a_folder_within_the_outputs_that_is_none() {
    let project = Project::with(&[("contracts/note.json", NOTE), ("generated/models", "a file\n")]);
    let run = project.build();
    assert!(run.code == 1 || run.code == 2, "{}", run.text());
    run.says("generated/models");
    assert_eq!(project.read("generated/models"), "a file\n");
    assert!(project.has("generated/validators/validator_note.py"), "the rest is built\n{}", run.text());
}

#[test]
fn unknown_keys_in_the_configuration() {
    let project = Project::with(&[("contracts/note.json", NOTE)]);
    project.write("omnigen.toml", "[project]\nname = \"test\"\ncontract = [\"contracts/**\"]\n");
    project.build().ends(2).says("error[unknown-config-key]").says("omnigen.toml:3:1").says("contracts");
    assert!(!project.has("generated"), "nothing is built with a configuration that means something else");
    project.write("omnigen.toml", "[project]\nname = \"test\"\nout = 3\n");
    project.build().ends(2).says("error[bad-config]").says("omnigen.toml:3:");
    project.write("omnigen.toml", "[project\n");
    project.build().ends(2).says("error[bad-config]").says("omnigen.toml:1:");
}

#[test]
fn no_contracts() {
    let project = Project::with(&[]);
    let run = project.build();
    assert!(run.code == 0 || run.code == 1, "{}", run.text());
    assert!(!run.stderr.is_empty());
}

#[test]
fn a_damaged_manifest_is_a_cold_build() {
    let project = Project::with(&[("contracts/note.json", NOTE)]);
    project.build().ends(0);
    let (good, times) = (project.tree("generated"), project.times("generated"));
    let manifest = std::fs::read(project.path(".omnigen/manifest")).expect("a manifest");
    for at in [0, 9, manifest.len() / 3, manifest.len() / 2, manifest.len() - 1] {
        let mut damaged = manifest.clone();
        damaged[at] ^= 0x55;
        project.write(".omnigen/manifest", &damaged);
        let run = project.run(&["build", "-v"]);
        run.ends(0).says("damaged-manifest").does_not_say("error");
        assert_eq!((&good, &times), (&project.tree("generated"), &project.times("generated")), "byte {at}");
        project.build().ends(0).does_not_say("damaged-manifest").says("nothing to do");
    }
    // What it is the head of: the ledgers.
    for (gone, flipped) in [(0, 4), (0, 400), (1, 0), (90, 0)] {
        let name = format!(".omnigen/ledgers/{}", project.tree(".omnigen/ledgers").keys().next().expect("one"));
        let mut damaged = std::fs::read(project.path(&name)).expect("the ledgers");
        damaged.truncate(damaged.len() - gone);
        damaged[flipped] ^= 0x55;
        project.write(&name, &damaged);
        project.run(&["build", "-v"]).ends(0).says("damaged-manifest").does_not_say("error");
        assert_eq!((&good, &times), (&project.tree("generated"), &project.times("generated")), "{gone} {flipped}");
        project.build().ends(0).does_not_say("damaged-manifest").says("nothing to do");
    }
    for text in ["", "omnigen", "not a manifest, but a text that somebody put here"] {
        project.write(".omnigen/manifest", text);
        project.build().ends(0);
        assert_eq!(times, project.times("generated"));
    }
}

#[test]
fn a_damaged_manifest_does_not_hide_an_edit() {
    let project = Project::with(&[("contracts/note.json", NOTE)]);
    project.build().ends(0);
    project.write(".omnigen/manifest", "nonsense");
    project.edit("contracts/note.json", "A note.", "A short note.");
    project.build().ends(0).says("built 1 of 3 artifacts");
    assert!(project.read("generated/models/model_note.py").contains("A short note."));
}

/// A project with an agent whose program is this Python text.
fn with_agent(program: &str, more: &str) -> Project {
    let project = Project::with(&[("contracts/note.json", NOTE), ("agents/agent.py", program)]);
    project.write(
        "omnigen.toml",
        format!(
            "[project]\nname = \"test\"\n\n[agent.writer]\ncommand = [\"python3\", \"agents/agent.py\"]\ninputs = [\"agents/**\"]\n{more}\n\
             [target.docs]\nagent = \"writer\"\noutput = \"docs/{{contract}}.md\"\nneeds = [\"models\"]\n"
        ),
    );
    project
}

const AGENT: &str = "\
import json, sys
request = json.loads(sys.stdin.readline())
def say(**message):
    print(json.dumps(message), flush=True)
say(type='initialized')
path = request['task']['outputs'][0]
";

/// An agent that gives no usable answer: its error, and the built-in targets all the same.
#[track_caller]
fn bad_agent(rest: &str, more: &str, code: &str) -> Run {
    let project = with_agent(&format!("{AGENT}{rest}\n"), more);
    let run = project.build();
    run.ends(3).says(&format!("error[{code}]: "));
    assert!(project.has("generated/models/model_note.py"), "the rest is built\n{}", run.text());
    assert!(!project.has("generated/docs/note.md"));
    assert!(!project.has("docs/note.md"));
    run
}

#[test]
fn an_agent_that_exits_with_an_error() {
    let run = bad_agent("sys.stderr.write('the disk is full of eels\\n')\nsys.exit(1)", "", "agent-failed");
    run.says("the disk is full of eels");
    bad_agent("raise SystemExit(0)", "", "agent-protocol");
    bad_agent("say(type='failed', **{'class': 'input', 'text': 'no such style'})", "", "agent-failed")
        .says("no such style");
}

#[test]
fn an_agent_that_breaks_the_protocol() {
    bad_agent("print('hello')", "", "agent-protocol").says("hello");
    bad_agent("say(type='dance')", "", "agent-protocol").says("dance");
    for path in ["../out.md", "/etc/out.md", "docs/other.md", "models/model_note.py"] {
        bad_agent(
            &format!("say(type='artifact', path='{path}', text='x')\nsay(type='completed')"),
            "",
            "agent-protocol",
        )
        .says(path);
    }
}

#[test]
fn an_agent_that_hangs() {
    let start = std::time::Instant::now();
    bad_agent("import time\ntime.sleep(60)", "timeout = \"1s\"\n", "agent-timeout");
    assert!(start.elapsed().as_secs() < 20, "the deadline ends it");
}

#[test]
fn an_agent_that_is_not_there() {
    let project = with_agent("", "");
    project.edit("omnigen.toml", "\"python3\", \"agents/agent.py\"", "\"no-such-program-anywhere\"");
    project.build().ends(3).says("error[agent-missing]: ").says("no-such-program-anywhere");
    assert!(project.has("generated/models/model_note.py"));
}

#[test]
fn an_agent_is_not_asked_twice() {
    let counting = "open(sys.argv[1], 'a').write('x')\nsay(type='artifact', path=path, text=path + '\\n')\nsay(type='completed')\n";
    let project = with_agent(&format!("{AGENT}{counting}"), "");
    let calls = project.path("calls").to_string_lossy().into_owned();
    project.edit("omnigen.toml", "\"agents/agent.py\"", &format!("\"agents/agent.py\", \"{calls}\""));
    project.edit("omnigen.toml", "[agent.writer]\n", "[agent.writer]\nsandbox = false\n");
    let called = || if project.has("calls") { project.read("calls").len() } else { 0 };

    project.build().ends(0).says("1 agent call");
    assert_eq!(called(), 1);
    project.build().ends(0).says("nothing to do (4 artifacts)");
    // Its answer is in the lock; the state of this machine is not needed for it.
    project.remove(".omnigen");
    project.run(&["build", "--frozen"]).ends(0);
    project.run(&["build", "--check"]).ends(0);
    assert_eq!(called(), 1);

    // What it was given is another thing now.
    project.edit("contracts/note.json", "A note.", "A short note.");
    project.run(&["build", "--frozen"]).ends(3).says("answer-missing");
    project.run(&["build", "--check"]).ends(1);
    assert_eq!(called(), 1, "neither starts an agent");
    project.build().ends(0);
    assert_eq!(called(), 2);

    // Another program is another agent.
    project.write("agents/agent.py", format!("{AGENT}{counting}# changed\n"));
    project.build().ends(0);
    assert_eq!(called(), 3);
}

#[test]
fn what_waits_for_a_broken_contract_has_a_line_of_its_own() {
    let project = Project::with(&[
        ("contracts/base.json", "{ \"type\": \"objec\" }"),
        ("contracts/far.json", "{ \"type\": \"array\", \"items\": { \"$ref\": \"user.json\" } }"),
        ("contracts/user.json", "{ \"allOf\": [{ \"$ref\": \"base.json\" }], \"properties\": { \"a\": {} } }"),
    ]);
    let run = project.build();
    run.ends(1).says("error[unknown-type]").says("warning[held-back]: held back until contracts/base.json");
    run.says(" --> contracts/user.json");
    project.write("contracts/base.json", "{ \"type\": \"object\" }");
    project.build().ends(0).does_not_say("held-back");
}

#[test]
fn two_contracts_with_one_id() {
    let contract = |types: &str| format!("{{ \"$id\": \"https://far.example/one\", \"type\": \"{types}\" }}");
    let project = Project::with(&[
        ("contracts/b.json", &contract("integer")),
        ("contracts/a.json", "{ \"items\": { \"$ref\": \"https://far.example/one\" } }"),
    ]);
    project.build().ends(0).does_not_say("duplicate-id");
    // In any order: the one that comes first by path is the one that is meant.
    project.write("contracts/a/new.json", contract("string"));
    let run = project.build();
    run.ends(0).says("warning[duplicate-id]").says(" --> contracts/b.json:1:10").says(" ::: contracts/a/new.json:1:10");
    let clean = Project::empty();
    for (path, bytes) in project.tree("") {
        if !path.starts_with("generated") && !path.starts_with(".omnigen") {
            clean.write(&path, bytes);
        }
    }
    assert_eq!(clean.build().stderr.lines().next(), run.stderr.lines().next());
    assert_eq!(omnigen_tests::difference(&clean.tree("generated"), &project.tree("generated")), "");
    project.remove("contracts/a/new.json");
    project.build().ends(0).does_not_say("duplicate-id");
}

#[test]
fn duplicate_keys_by_policy() {
    for (path, text) in [
        ("contracts/a.json", "{ \"type\": \"string\", \"type\": \"array\" }"),
        ("contracts/a.yaml", "type: string\ntype: array\n"),
    ] {
        let project = Project::with(&[(path, text)]);
        project.build().ends(0).says("warning[duplicate-key]");
        let good = project.tree("generated");
        assert!(String::from_utf8_lossy(&good["models/model_a.py"]).contains("list["), "the last one counts");
        let config = project.read("omnigen.toml");
        project.write("omnigen.toml", config.clone() + "duplicate-keys = \"error\"\n");
        project.build().ends(1).says("error[duplicate-key]").says("held back");
        project.run(&["check"]).ends(1).says("error[duplicate-key]");
        assert_eq!(project.tree("generated"), good);
        project.write("omnigen.toml", config.clone() + "duplicate-keys = \"eror\"\n");
        project.build().ends(2).says("did you mean \"error\"?");
        project.write("omnigen.toml", config);
        project.build().ends(0).says("warning[duplicate-key]");
    }
}

/// What is wrong within one definition holds back that one and those that lead there, no others.
#[test]
fn the_rest_of_a_document_is_built() {
    let api = |kind: &str| {
        format!(
            "openapi: 3.1.0\npaths: {{}}\ncomponents:\n  schemas:\n    Pet:\n      type: object\n      properties:\n        \
             kind: {{ $ref: '#/components/schemas/{kind}' }}\n    Pets: {{ type: array, items: {{ $ref: '#/components/schemas/Pet' }} }}\n    \
             Kind: {{ enum: [cat, dog] }}\n    Other: {{ $ref: 'other.json' }}\n"
        )
    };
    let user = r##"{ "type": "object", "properties": { "a": { "$ref": "api.yaml#/components/schemas/Kind" } } }"##;
    let other = ("contracts/other.json", "{ \"type\": \"string\" }");
    let (project, run) =
        check(&[("contracts/api.yaml", api("Kin").as_bytes()), ("contracts/user.json", user.as_bytes())], 1);
    run.says("error[dangling-ref]: `#/components/schemas/Kin` leads nowhere").says("`other.json` leads nowhere");
    let models = project.read("generated/models/model_api.py");
    assert!(models.contains("ModelKind") && !models.contains("ModelPet") && !models.contains("ModelOther"), "{models}");
    for path in ["validators/validator_api.py", "tests/test_api.py", "models/model_user.py"] {
        assert!(project.has(&format!("generated/{path}")), "{path}");
    }
    // Mended in two steps, the outcome is that of a clean build.
    project.write(other.0, other.1);
    let run = project.build();
    run.ends(1);
    let models = project.read("generated/models/model_api.py");
    assert!(models.contains("ModelOther") && !models.contains("ModelPet"), "{models}");
    project.write("contracts/api.yaml", api("Kind"));
    project.build().ends(0);
    let clean = Project::with(&[
        ("contracts/note.json", NOTE),
        ("contracts/user.json", user),
        other,
        ("contracts/api.yaml", &api("Kind")),
    ]);
    clean.build().ends(0);
    assert_eq!(difference(&project.tree("generated"), &clean.tree("generated")), "");
}

#[test]
fn a_reference_that_dangles_in_another_file_holds_back_those_who_need_it() {
    let base = r##"{ "$defs": { "sound": { "type": "object", "properties": { "n": { "type": "integer" } } },
        "bad": { "type": "object", "properties": { "x": { "$ref": "https://far.example/x.json" } } } } }"##;
    let user = |name: &str| {
        format!(
            r##"{{ "allOf": [{{ "$ref": "../refs/base.json#/$defs/{name}" }}], "properties": {{ "own": {{ "type": "string" }} }} }}"##
        )
    };
    let files = [
        ("omnigen.toml", "[project]\nname = \"test\"\nrefs = \"refs\"\n".to_owned()),
        ("refs/base.json", base.to_owned()),
        ("contracts/good.json", user("sound")),
        ("contracts/poor.json", user("bad")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let project = Project::with(&files);
    for again in [false, true] {
        let run = project.run(&["build"]);
        run.ends(1).says("`https://far.example/x.json` leads nowhere").says("held back until refs/base.json");
        for folder in ["models/model", "validators/validator", "tests/test"] {
            assert!(project.has(&format!("generated/{folder}_good.py")), "{folder} {again}\n{}", run.text());
            assert!(!project.has(&format!("generated/{folder}_poor.py")), "{folder} {again}\n{}", run.text());
        }
    }
    project.write("refs/base.json", base.replace("https://far.example/x.json", "#/$defs/sound"));
    project.run(&["build"]).ends(0);
    assert!(project.has("generated/tests/test_poor.py"));
}

#[test]
fn who_waits_for_a_whole_file_is_made_when_only_a_part_of_it_is_held_back() {
    let project = Project::with(&[
        ("contracts/part.json", r#"{ "$defs": {} }"#),
        (
            "contracts/base.json",
            r#"{ "properties": { "p": { "$ref": "part.json#/$defs/A" } },
                "$defs": { "Bad": { "$ref": "none.json" }, "Good": { "type": "string", "minLength": 2 } } }"#,
        ),
        ("contracts/user.json", r#"{ "properties": { "u": { "$ref": "base.json#/$defs/Good" } } }"#),
    ]);
    project.build().ends(1);
    assert!(!project.has("generated/models/model_user.py"), "the root of what it refers to is broken");
    // Neither file that has to do with it changes; and the check of the one in between still finds an error.
    project.write("contracts/part.json", r#"{ "$defs": { "A": { "type": "integer" } } }"#);
    project.build().ends(1);
    assert!(project.has("generated/models/model_user.py"));
    let clean = Project::empty();
    for (path, bytes) in project.tree("contracts") {
        clean.write(&format!("contracts/{path}"), bytes);
    }
    clean.write("omnigen.toml", project.read("omnigen.toml"));
    clean.build().ends(1);
    assert_eq!(omnigen_tests::difference(&clean.tree("generated"), &project.tree("generated")), "");
}
