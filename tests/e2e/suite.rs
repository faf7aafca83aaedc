//! The official test suite of JSON Schema: every required test of every draft, through the generated validators.
//!
//! It lies in the corpus beside the checkout, or where `cargo xtask test` has unpacked it.

use omnigen_tests::{Project, omnigen, python};

/// Where the suite is: tests and remote schemas.
fn suite() -> Option<std::path::PathBuf> {
    let beside =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/jsonschema/JSON-Schema-Test-Suite");
    let unpacked = std::env::var_os("OMNIGEN_TEST_SUITE").map(std::path::PathBuf::from);
    [Some(beside), unpacked].into_iter().flatten().find(|suite| suite.is_dir())
}

/// Runs the required tests of a draft; skips, and says so, where the suite is not there.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn required(draft: &str) {
    let Some(suite) = suite() else {
        eprintln!("skipped: the suite is not there; `cargo xtask test` fetches it");
        return;
    };
    let Some(mut command) = python() else { return };
    let project = Project::empty();
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("python/suite.py");
    command.arg(script).arg(omnigen()).arg(suite).arg(project.path("suite")).args(["--draft", draft]);
    let run = project.finish(&mut command);
    run.ends(0);
    let result: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let result = &result[format!("{draft} required")];
    assert!(result["total"].as_u64() > Some(500), "{result}");
    assert_eq!(result["missed"], serde_json::json!([]), "{draft}");
}

#[test]
fn draft_2020_12() {
    required("draft2020-12");
}

#[test]
fn draft_2019_09() {
    required("draft2019-09");
}

#[test]
fn draft_07() {
    required("draft7");
}

#[test]
fn draft_06() {
    required("draft6");
}

#[test]
fn draft_04() {
    required("draft4");
}
