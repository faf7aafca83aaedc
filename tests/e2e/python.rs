//! The generated Python, used: imported, run, checked by the tools that its users have.

use std::io::Write;
use std::process::Stdio;

use omnigen_tests::{Project, Run, python};

mod behaves {
    crate::cases::each_case!(super::behaves);
}

mod own_tests_pass {
    crate::cases::each_case!(super::own_tests_pass);
}

/// Documents of a case through its validators and models.
fn behaves(case: &str) {
    let Some(mut command) = python() else { return };
    let project = Project::fixture(case);
    project.build().ends(0);
    let entries: Vec<serde_json::Value> = project
        .tree("documents")
        .keys()
        .map(|path| {
            let module = omnigen_ir::naming::Unit::new(path, "").path("validator");
            let module = module.trim_end_matches(".py").replace('/', ".");
            serde_json::json!({ "documents": format!("documents/{path}"), "module": format!("generated.{module}") })
        })
        .collect();
    assert!(!entries.is_empty(), "fixtures/{case} has no documents");
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("python/probe.py");
    let mut child = command
        .arg(script)
        .current_dir(project.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let input = serde_json::Value::Array(entries).to_string();
    child.stdin.take().expect("stdin").write_all(input.as_bytes()).expect("the list of documents");
    let output = child.wait_with_output().expect("Python ends");
    assert!(
        output.status.success(),
        "{case}:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The generated tests of a case, by pytest.
fn own_tests_pass(case: &str) {
    let Some(mut command) = python() else { return };
    let project = Project::fixture(case);
    project.build().ends(0);
    command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "generated/tests"]);
    tool(&project, command.current_dir(project.root()));
}

#[test]
fn shop_behaves() {
    behaves("shop");
}

#[test]
fn shop_own_tests_pass() {
    own_tests_pass("shop");
}

/// A value of another contract's type comes from that contract's own tests, where nothing but its type decides about it.
#[test]
fn samples_of_foreign_types_come_from_their_module() {
    let Some(_) = python() else { return };
    let order = r##"{"type": "object", "required": ["price", "kind"], "properties": {
        "price": {"$ref": "money.json"}, "paid": {"$ref": "money.json"}, "kind": {"type": "string"}, "odd": {"$ref": "money.json#/$defs/unit"}},
        "if": {"properties": {"paid": {"minProperties": 2}}}, "then": {"required": ["paid"]}}"##;
    let money = r##"{"type": "object", "required": ["amount"], "properties": {"amount": {"const": 271828}},
        "$defs": {"unit": {"type": "string"}}}"##;
    let project = Project::with(&[
        ("omnigen.toml", "[project]\nname = \"t\"\n"),
        ("contracts/order.json", order),
        ("contracts/money.json", money),
    ]);
    project.build().ends(0);
    let text = project.read("generated/tests/test_order.py");
    assert!(text.contains(r#"pytest.param("price", ".test_money", id="price")"#), "{text}");
    assert!(!text.contains(r#""paid", ".test_money""#) && !text.contains(r#""odd", ".test_money""#), "{text}");
    let pytest = |code: i32, says: &str| {
        let Some(mut command) = python() else { return };
        command.args(["-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "generated/tests/test_order.py"]);
        let run = project.finish(command.current_dir(project.root()));
        assert!(run.code == code && run.stdout.contains(says), "{}", run.stdout);
    };
    pytest(0, "passed");
    // The other module decides what is tried.
    project.edit("generated/tests/test_money.py", "271828", "\"none\"");
    pytest(1, "test_foreign[price]");
    project.remove("generated/tests/test_money.py");
    pytest(0, "the other contract has no valid samples");
}

/// All cases and the shop below one folder; the names of the cases.
fn everything() -> (Project, Vec<String>) {
    let all = Project::empty();
    let mut names = crate::cases::all();
    names.push("shop".to_owned());
    for case in &names {
        all.add_fixture(case, &format!("cases/{case}"));
        all.run(&["-C", &format!("cases/{case}"), "build"]).ends(0);
    }
    (all, names)
}

fn tool(project: &Project, command: &mut std::process::Command) -> Run {
    let run = project.finish(command);
    run.ends(0);
    run
}

#[test]
fn mypy_strict() {
    let Some(mut command) = python() else { return };
    let (all, names) = everything();
    command.args(["-m", "mypy", "--strict", "--namespace-packages", "--explicit-package-bases", "--no-incremental"]);
    command.args(["--config-file="]).args(names.iter().map(|case| format!("cases/{case}/generated")));
    tool(&all, command.current_dir(all.root()));
}

/// In its basic mode. What SchemaStore makes of it, `cargo xtask conformance` tells.
#[test]
fn pyright_basic() {
    let Some(mut command) = python() else { return };
    let (all, names) = everything();
    all.write("pyrightconfig.json", r#"{"typeCheckingMode": "basic", "include": ["cases"]}"#);
    command.args(["-m", "basedpyright", "--outputjson", "--project", "pyrightconfig.json", "--pythonpath"]);
    let program = command.get_program().to_owned();
    let run = tool(&all, command.arg(program).current_dir(all.root()));
    let said: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let modules = names.iter().flat_map(|case| all.tree(&format!("cases/{case}/generated")).into_keys());
    let modules = modules.filter(|path| path.ends_with(".py")).count();
    assert!(said["summary"]["filesAnalyzed"].as_u64() >= Some(modules as u64), "{modules} modules: {said}");
    assert_eq!(said["summary"]["errorCount"], 0, "{said}");
}

#[test]
fn ruff_check() {
    let Some(_) = python() else { return };
    let (all, _) = everything();
    for rules in [&[][..], &["--extend-select", "I,UP,B"][..]] {
        let Some(mut command) = python() else { return };
        command.args(["-m", "ruff", "check", "--isolated", "--no-cache", "--target-version", "py310"]).args(rules);
        let folders = std::fs::read_dir(all.path("cases")).expect("cases");
        command.args(folders.map(|entry| entry.expect("a case").path().join("generated")));
        tool(&all, command.current_dir(all.root()));
    }
}

#[test]
fn ruff_format() {
    let Some(_) = python() else { return };
    let (all, names) = everything();
    for case in names {
        let Some(mut command) = python() else { return };
        let width = if case == "naming" { "120" } else { "88" };
        command.args(["-m", "ruff", "format", "--check", "--diff", "--isolated", "--no-cache", "--line-length", width]);
        tool(&all, command.arg(format!("cases/{case}/generated")).current_dir(all.root()));
    }
}

/// Names come from titles and places alone: what stands beside them does not matter.
#[test]
fn names_stay_when_unrelated_types_come() {
    let project = Project::fixture("realistic");
    project
        .write("contracts/api/user.schema.json", r#"{"type": "object", "properties": {"kind": {"type": "string"}}}"#);
    project.build().ends(0);
    let before = project.tree("generated");
    assert!(before.keys().any(|path| path == "models/api/model_user.py"), "{:?}", before.keys());
    let classes = |text: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(text).into_owned();
        text.lines().filter_map(|line| line.strip_prefix("class ")).map(str::to_owned).collect()
    };

    // Definitions whose names begin as others do, in the middle and at the end; contracts in other folders with the same names.
    let unrelated = r#""definitions": {
    "Nodes": { "title": "Node", "type": "object", "properties": { "step": { "type": "object", "properties": { "a": {} } } } },"#;
    project.edit("contracts/workflow.json", "\"definitions\": {", unrelated);
    let last =
        "$defs:\n  deployName: { type: object, properties: { check: { type: object, properties: { x: {} } } } }\n";
    project.edit("contracts/deploy.yaml", "$defs:\n", last);
    project.write("contracts/api/api_user.json", r#"{"title": "User", "type": "object", "properties": {"kind": {}}}"#);
    project.write("contracts/user.json", r#"{"title": "User", "type": "object"}"#);
    project.build().ends(0);
    for (path, text) in project.tree("generated") {
        let Some(old) = before.get(&path).filter(|_| !path.ends_with("__init__.py")) else { continue };
        let (old, new) = (classes(old), classes(&text));
        if path.contains("workflow") || path.contains("deploy") {
            let missing: Vec<&String> = old.iter().filter(|class| !new.contains(class)).collect();
            assert!(missing.is_empty(), "{path} has {missing:?} no more");
        } else {
            assert_eq!(old, new, "{path}");
        }
    }
}

/// The other way round: whatever the IR says about where things are, this is what the README promises.
#[test]
fn imports_as_the_readme_says() {
    let Some(mut command) = python() else { return };
    let project = Project::fixture("shop");
    project.build().ends(0);
    let script = "\
from generated.models.model_customer import ModelCustomer
from generated.validators.sales.validator_payment import ValidatorPayment

customer = ModelCustomer.model_validate({'id': 'C-000017', 'email': 'a@b.example', 'name': {'full': 'Jo'}})
assert customer.id == 'C-000017'
issues = ValidatorPayment.errors({'method': 'cash'})
assert issues and issues[0]['keyword'], issues
";
    tool(&project, command.args(["-c", script]).current_dir(project.root()));
}
