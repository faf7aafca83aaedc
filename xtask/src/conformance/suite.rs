//! The official test suite of JSON Schema, through the generated validators and models: all drafts, required and optional tests.
//!
//! Knows the table; `tests/python/suite.py` lays the suite out as projects and runs it.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{Setup, names, row};

/// Folder in the suite, what it is called, what a schema without `$schema` is taken for: the drafts that peers are measured on.
pub(super) const DRAFTS: [(&str, &str, &str); 2] = [
    ("draft2020-12", "draft 2020-12", "https://json-schema.org/draft/2020-12/schema"),
    ("draft7", "draft-07", "http://json-schema.org/draft-07/schema#"),
];

/// The parts of the suite: what the script calls them, what they are called here, how it is asked, and the goal.
const PARTS: [(&str, &str, &[&str], &str); 4] = [
    ("required", "required tests, formats as annotations", &["--models"], "all"),
    ("required", "required tests, formats asserted", &["--asserted"], "all but `format`"),
    ("optional", "optional tests", &["--models"], ">= 95 %"),
    ("format", "optional/format, formats asserted", &["--models"], ">= 99 %"),
];

pub(super) fn score(setup: &Setup) -> Result<String, String> {
    let mut text = "Official test suite of JSON Schema\n".to_owned();
    for (part, what, arguments, goal) in PARTS {
        text += &format!("\n{what}:\n");
        let scored = run(setup, part, arguments)?;
        let (mut passed, mut total, mut misses) = (0, 0, String::new());
        for (name, result) in scored.as_object().into_iter().flatten() {
            let count = |field: &str| result[field].as_u64().unwrap_or(0);
            let draft = name.trim_end_matches(part).trim();
            text += &row(draft, count("passed"), count("total"), "");
            (passed, total) = (passed + count("passed"), total + count("total"));
            for line in result["missed"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                misses += &format!("  {draft}: {line}\n");
            }
            if arguments.contains(&"--models") {
                let what = format!("{draft}: valid documents that models give back");
                text += &row(&what, count("kept"), count("documents"), "all");
                let refused = format!("{draft}: invalid documents on which `validate` raises");
                text += &row(&refused, count("raised"), count("invalid"), "all");
                text += &row("  of them taken by the model alone", count("bare"), count("invalid"), "");
                text += &row("  of them changed by it into something else", count("coerced"), count("invalid"), "none");
                for line in result["changed"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    misses += &format!("  {draft}: model: {line}\n");
                }
            }
        }
        text += &row("all drafts", passed, total, goal);
        text += &misses;
    }
    Ok(text)
}

/// Our own figures for the drafts that peers are measured on, by draft: passed and all required tests.
pub(super) fn ours(setup: &Setup) -> Result<Vec<(&'static str, u64, u64)>, String> {
    let drafts: Vec<&str> = DRAFTS.iter().flat_map(|(name, _, _)| ["--draft", *name]).collect();
    let scored = run(setup, "required", &drafts)?;
    let count = |name: &str, field: &str| scored[format!("{name} required")][field].as_u64().unwrap_or(0);
    Ok(DRAFTS.iter().map(|(name, title, _)| (*title, count(name, "passed"), count(name, "total"))).collect())
}

fn run(setup: &Setup, part: &str, arguments: &[&str]) -> Result<Value, String> {
    let output = Command::new(&setup.python)
        .arg(setup.scripts.join("suite.py"))
        .arg(&setup.omnigen)
        .arg(setup.json_schema().join("JSON-Schema-Test-Suite"))
        .arg(setup.folder.join("suite"))
        .args(["--part", part])
        .args(arguments)
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .map_err(|error| format!("suite.py: {error}"))?;
    if !output.status.success() {
        return Err(format!("suite.py: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("suite.py: {error}"))
}

/// The required cases of a draft, for peers: each a contract, in that draft, said or not.
pub(super) fn cases(folder: &Path, dialect: &str) -> Result<Vec<Value>, String> {
    let mut cases = Vec::new();
    for file in names(folder)?.iter().filter(|file| file.ends_with(".json")) {
        let stem = file.trim_end_matches(".json");
        let Value::Array(groups) = super::json(&folder.join(file))? else { return Err(format!("{file}: no list")) };
        for (at, mut group) in groups.into_iter().enumerate() {
            if let Value::Object(members) = &mut group["schema"] {
                members.entry("$schema").or_insert_with(|| dialect.into());
            }
            cases.push(json!({
                "name": format!("{stem}: {}", group["description"].as_str().unwrap_or_default()),
                "contract": format!("contracts/{stem}_{at:03}.json"),
                "schema": group["schema"],
                "tests": group["tests"],
            }));
        }
    }
    Ok(cases)
}
