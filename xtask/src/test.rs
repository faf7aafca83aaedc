//! Every test, as a newcomer and CI run them: tidy, the pinned Python packages, the binary, the test runner.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{finish, python, quiet};

/// Runs it all; the first failure ends it.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    crate::tidy::run(root)?;
    let python = python::environment(root, &crate::target(root)?.join("venv"))?;

    let suite = suite(root, &python)?;

    // The tests run the binary; `--workspace` resolves features as the test run does, so that nothing is built twice.
    let mut build = crate::cargo();
    build.args(["build", "--workspace", "--bin", "omnigen"]).current_dir(root);
    finish("cargo build", &mut build)?;

    let nextest = quiet(crate::cargo().args(["nextest", "--version"]));
    let mut tests = crate::cargo();
    if nextest {
        tests.args(["nextest", "run", "--workspace"]);
    } else {
        println!("xtask: cargo-nextest is not installed; `cargo test` does it too, without time limits");
        tests.args(["test", "--workspace"]);
    }
    tests.args(arguments).current_dir(root).env("OMNIGEN_TEST_PYTHON", &python).env("OMNIGEN_TEST_SUITE", suite);
    if std::env::var_os("CI").is_some() {
        tests.env("INSTA_UPDATE", "no");
    }
    finish(if nextest { "cargo nextest run" } else { "cargo test" }, &mut tests)?;
    if !quiet(Command::new("valgrind").arg("--version")) {
        // The test passes, and what it says is not shown.
        println!("xtask: skipped: there is no valgrind to count the instructions of builds with");
    }
    Ok(())
}

/// The folder of JSON Schema's official test suite: of the corpus, or fetched once (pinned by its hash) where that is absent.
fn suite(root: &Path, python: &Path) -> Result<PathBuf, String> {
    let corpus = crate::shared(root).map(|shared| shared.join("corpus/jsonschema/JSON-Schema-Test-Suite"));
    if let Some(suite) = corpus.filter(|suite| suite.is_dir()) {
        return Ok(suite);
    }
    let suite = crate::target(root)?.join("json-schema-test-suite");
    if !suite.is_dir() {
        println!("xtask: fetching the official test suite of JSON Schema into {}", suite.display());
        let script = root.join("tests/python/fetch_suite.py");
        finish("fetch_suite.py", Command::new(python).arg(script).arg(&suite))?;
    }
    Ok(suite)
}

/// The histories of random edits, each of so many steps.
pub(crate) fn soak(root: &Path, steps: &str) -> Result<(), String> {
    let mut build = crate::cargo();
    finish("cargo build", build.args(["build", "--workspace", "--bin", "omnigen"]).current_dir(root))?;
    let mut tests = crate::cargo();
    // The test runner ends what takes minutes; this does.
    tests.args(["test", "--package", "omnigen_tests", "--test", "e2e", "--"]);
    tests.args([
        "incremental_equals_clean",
        "the_same_bytes",
        "what_is_foretold_is_done",
        "after_each_kill",
        "a_long_chain",
    ]);
    finish("cargo test", tests.current_dir(root).env("OMNIGEN_TEST_STEPS", steps))
}
