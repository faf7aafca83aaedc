//! The API descriptions of the corpus, in one project: what is made of them, and what Python's tools say of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Setup, codes, copy, lint, row};

/// Codes of files that cannot be read at all.
const UNREADABLE: [&str; 3] = ["syntax", "empty", "not-a-contract"];

pub(super) fn score(setup: &Setup) -> Result<String, String> {
    let project = setup.project("openapi", "")?;
    let corpus = setup.corpus.join("openapi");
    let mut contracts = Vec::new();
    for group in ["documents", "features"] {
        let folder = corpus.join(group);
        for path in crate::tidy::walk(&folder)? {
            let within = path.strip_prefix(&folder).unwrap_or(&path);
            let contract = format!("contracts/{group}/{}", within.display());
            copy(&path, &project.join(&contract))?;
            contracts.push(contract);
        }
    }
    // What `omnigen vendor` would have fetched: the corpus has it as one of the files.
    let remote = corpus.join("features/read_only_write_only_url_ref_remote.yaml");
    if remote.is_file() {
        copy(&remote, &project.join("refs/example.com/common.yaml"))?;
    }
    let said = setup.omnigen(&project, "build")?;
    let entries = contracts.iter().map(|name| json!({"name": name, "contract": name, "valid": [], "invalid": []}));
    let scored = setup.script("conformance.py", &project, &Value::Array(entries.collect()))?;
    let count = |name: &str| scored["counts"][name].as_u64().unwrap_or(0);
    let unreadable = |file: &String| {
        said.errors.get(file).is_some_and(|codes| codes.iter().any(|code| UNREADABLE.contains(&code.as_str())))
    };
    // What only holds parts is taken in by the document that refers to it.
    let part = |file: &String| said.parts.contains(file.as_str());
    let read = contracts.iter().filter(|file| !unreadable(file) && !part(file)).count() as u64;
    let wrong = scored["wrong"].as_object().cloned().unwrap_or_default();
    let without: Vec<&String> =
        contracts.iter().filter(|file| wrong.contains_key(file.as_str()) && !part(file)).collect();
    let told = without.iter().filter(|file| said.errors.contains_key(file.as_str())).count() as u64;

    let mut text = "OpenAPI: all documents and feature files of the corpus in one project\n\n".to_owned();
    text += &row("all three artifacts, of the files that parse", count("generated"), read, ">= 95 %");
    let parts = contracts.iter().filter(|file| part(file)).count() as u64;
    text += &row("left aside: a note says that it is a part", parts, contracts.len() as u64, "");
    text += &row("the others have an error", told, without.len() as u64, "all");
    text += &row("imported", count("imported"), count("generated"), ">= 99 %");
    text += &row("fields annotated without Any", count("fields") - count("untyped"), count("fields"), "");
    let (table, found) = lint::score(setup, &project)?;
    text += &table;
    text += "\nFiles that parse and lack an artifact, by code:\n";
    let mut lacking: BTreeMap<String, usize> = BTreeMap::new();
    for file in without.iter().filter(|file| !unreadable(file)) {
        let codes = said.errors.get(file.as_str()).map_or_else(|| "none".to_owned(), |codes| codes.join(", "));
        *lacking.entry(codes).or_default() += 1;
    }
    text += &codes(&lacking);
    text += "\nDiagnostics:\n";
    text += &codes(&said.codes);
    text += "\nWrong:\n";
    text += &found;
    Ok(text)
}
