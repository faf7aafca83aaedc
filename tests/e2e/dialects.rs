//! Facts that come from other files: metaschemas, dynamic scope, evaluated properties. A change there reaches those, and only
//! those, who read it, and the outcome is that of a clean build.

use omnigen_tests::{Project, difference};

/// Applies an edit, rebuilds, and compares with a build from scratch; gives the validators that were written.
#[track_caller]
fn edited(project: &Project, path: &str, from: &str, to: &str) -> Vec<String> {
    project.edit(path, from, to);
    let (run, touched) = project.rebuild();
    run.ends(0);
    let incremental = project.tree("generated");
    project.remove("generated");
    project.remove(".omnigen");
    project.build().ends(0);
    let clean = project.tree("generated");
    assert!(incremental == clean, "{}", difference(&incremental, &clean));
    touched.into_iter().filter(|path| path.starts_with("validators/")).collect()
}

#[test]
fn a_metaschema_reaches_those_who_state_it() {
    let project = Project::fixture("vocabularies");
    project.build().ends(0);
    let touched = edited(
        &project,
        "refs/contracts.example/shapes-only",
        "\"https://json-schema.org/draft/2020-12/vocab/applicator\": true",
        "\"https://json-schema.org/draft/2020-12/vocab/applicator\": true,\n\"https://json-schema.org/draft/2020-12/vocab/validation\": true",
    );
    assert_eq!(touched, ["validators/validator_shapes.py"]);
    assert!(project.read("generated/validators/validator_shapes.py").contains("\"minimum\": 10"));
    // The draft of the metaschema is that of those who state it.
    project.edit(
        "refs/contracts.example/old-school",
        "http://json-schema.org/draft-04",
        "http://json-schema.org/draft-07",
    );
    project.build().ends(1).says("must be a number in draft-07");
}

#[test]
fn a_vocabulary_that_nobody_knows_is_refused() {
    let project = Project::fixture("vocabularies");
    project.edit(
        "refs/contracts.example/shapes-only",
        "\"https://contracts.example/vocab/colours\": false",
        "\"https://contracts.example/vocab/colours\": true",
    );
    project.build().ends(1).says("error[unknown-dialect]").says("https://contracts.example/vocab/colours");
}

#[test]
fn a_metaschema_of_the_project_is_found_by_its_id() {
    let project = Project::with(&[
        (
            "contracts/meta.json",
            r#"{"$id": "https://a.example/m", "$schema": "http://json-schema.org/draft-04/schema#"}"#,
        ),
        ("contracts/x.json", r#"{"$schema": "https://a.example/m", "minimum": 3, "exclusiveMinimum": true}"#),
    ]);
    // Draft-04 has `id`.
    project.build().ends(0).says("unknown-dialect");
    let touched = edited(&project, "contracts/meta.json", "$id", "id");
    assert_eq!(touched, Vec::<String>::new(), "read as draft 2020-12 without `$schema` it says the same");
    project.build().ends(0).does_not_say("unknown-dialect");
}

#[test]
fn a_dynamic_reference_far_away_counts() {
    let schema = |body: &str| format!(r#"{{"$schema": "https://json-schema.org/draft/2020-12/schema", {body}}}"#);
    let project = Project::with(&[
        ("contracts/a.json", &schema(r##""$dynamicAnchor": "item", "type": "array", "items": {"$ref": "b.json"}"##)),
        ("contracts/b.json", &schema(r#""properties": {"c": {"$ref": "c.json"}}"#)),
        ("contracts/c.json", &schema(r##""$defs": {"any": {"$dynamicAnchor": "item"}}, "not": {"const": 1}"##)),
        ("contracts/d.json", &schema(r#""type": "null""#)),
    ]);
    project.build().ends(0);
    assert!(project.read("generated/validators/validator_a.py").contains("validator_b.accepts("));
    let touched = edited(
        &project,
        "contracts/c.json",
        r#""not": {"const": 1}"#,
        r##""not": {"const": 1}, "properties": {"inner": {"$dynamicRef": "#item"}}"##,
    );
    assert_eq!(touched, ["validators/validator_a.py", "validators/validator_c.py"]);
    let text = project.read("generated/validators/validator_a.py");
    assert!(text.contains("def accepts_b_scope_1(") && text.contains("def accepts_c_scope_1("), "{text}");
    // A constraint in there reaches the copy.
    let touched = edited(&project, "contracts/c.json", "\"const\": 1", "\"const\": 2");
    assert_eq!(touched, ["validators/validator_a.py", "validators/validator_c.py"]);
    assert!(!project.read("generated/validators/validator_b.py").contains("scope"));
}

#[test]
fn what_another_file_evaluates_is_read_where_it_is_asked_for() {
    let project = Project::fixture("unevaluated");
    project.build().ends(0);
    let touched = edited(&project, "contracts/base.json", "\"^x-\"", "\"^y-\"");
    assert_eq!(
        touched,
        ["validators/validator_base.py", "validators/validator_closed.py", "validators/validator_event.py"]
    );
}
