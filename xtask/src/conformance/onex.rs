//! ONEX contracts: what an inventory says that a reader should find in them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::{Setup, copy, row};

/// Findings that are listed; the rest is counted.
const SHOWN: usize = 40;

/// Labels and goals.
const ROWS: &[(&str, &str)] = &[
    ("files that plain YAML cannot read: made or told", "all"),
    ("files with artifacts", ">= 95 %"),
    ("files without artifacts that a diagnostic tells", "all"),
    ("modules imported", ">= 99 %"),
    ("fields of the inventory found", ">= 99 %"),
    ("typed fields of the contracts found", ">= 99 %"),
    ("fields with the type that the file states", ">= 99 %"),
    ("definitions found", "all"),
    ("names, kinds and versions found", ">= 99 %"),
    ("topics found", ">= 99 %"),
    ("operations found", "all"),
    ("routing tables with all routes", ">= 99 %"),
    ("dependency lists complete", ">= 99 %"),
    ("fields of models annotated without Any", ""),
    ("opaque classes of Python (aliases of Any)", ""),
];

/// Puts all contracts into a project.
pub(crate) fn lay_out(setup: &Setup, project: &Path) -> Result<(), String> {
    let corpus = setup.corpus.join("onex");
    let files = crate::tidy::walk(&corpus)?;
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "yaml")) {
        let below = file.strip_prefix(&corpus).map_err(|error| error.to_string())?;
        copy(file, &project.join("contracts").join(below))?;
    }
    Ok(())
}

pub(super) fn score(setup: &Setup) -> Result<String, String> {
    let corpus = setup.corpus.join("onex");
    let project = setup.project("onex", "")?;
    lay_out(setup, &project)?;
    let said = setup.omnigen(&project, "build")?;
    let told: BTreeSet<&str> = said.errors.keys().map(String::as_str).collect();
    let inventory = corpus.join("inventory.json");
    let input = json!({ "contracts": project.join("contracts"), "inventory": inventory, "told": told });
    let found = setup.script("onex.py", &project, &input)?;
    let mut out = "ONEX contracts: all files, and what the inventory lists\n\n".to_owned();
    for (label, goal) in ROWS {
        let count = |index: usize| found["rows"][*label][index].as_u64().unwrap_or(0);
        out += &row(label, count(0), count(1), goal);
    }
    out += "\nFields of the inventory without a type, by reason:\n";
    for (why, count) in found["reasons"].as_object().into_iter().flatten() {
        out += &format!("  {why:<60} {:>6}\n", count.as_u64().unwrap_or(0));
    }
    out += "\n";
    let (table, lint) = super::lint::score(setup, &project)?;
    out += &table;
    out += "\nDiagnostics:\n";
    for (code, count) in &said.codes {
        out += &format!("  {code:<40} {count:>6}\n");
    }
    let wrong: Vec<&str> = found["wrong"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    out += "\nWrong:\n";
    out += &lint;
    for line in wrong.iter().take(SHOWN) {
        out += &format!("  {}\n", line.chars().take(200).collect::<String>());
    }
    if wrong.len() > SHOWN {
        out += &format!("  and {} more\n", wrong.len() - SHOWN);
    }
    Ok(out)
}
