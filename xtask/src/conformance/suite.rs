//! The official test suite of JSON Schema: required tests, through the generated validators.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::{Setup, names, row};
use crate::write;

/// Folder in the suite, what it is called, what a schema without `$schema` is taken for.
pub(super) const DRAFTS: [(&str, &str, &str); 2] = [
    ("draft2020-12", "draft 2020-12", "https://json-schema.org/draft/2020-12/schema"),
    ("draft7", "draft-07", "http://json-schema.org/draft-07/schema#"),
];

pub(super) fn score(setup: &Setup) -> Result<String, String> {
    let suite = setup.json_schema().join("JSON-Schema-Test-Suite");
    let mut table = "Official test suite, required tests, formats as annotations\n\n".to_owned();
    let mut missed = "\nMissed:\n".to_owned();
    for (folder, name, dialect) in DRAFTS {
        let (mut total, mut passed, mut told, mut misses) = (0, 0, 0, 0);
        let cases = cases(&suite.join("tests").join(folder), dialect)?;
        for (at, cases) in apart(cases).into_iter().enumerate() {
            let project = setup.project(&format!("suite-{folder}-{at}"), "")?;
            setup.mirror_metaschemas(&project.join("refs"))?;
            mirror(&suite.join("remotes"), &project.join("refs/localhost:1234"), "", folder, dialect)?;
            for case in &cases {
                write(&project.join(case["contract"].as_str().unwrap_or_default()), &case["schema"].to_string())?;
            }
            let said = setup.omnigen(&project, "build")?;
            let scored = setup.script("suite.py", &project, &Value::Array(cases.clone()))?;
            total += scored["total"].as_u64().unwrap_or(0);
            passed += scored["passed"].as_u64().unwrap_or(0);
            for line in scored["missed"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                let why = cause(line, &cases, &said);
                misses += 1;
                told += u64::from(why.is_some());
                missed += &format!("  {name}: {line}{}\n", why.map(|why| format!(" [{why}]")).unwrap_or_default());
            }
        }
        table += &row(name, passed, total, "");
        table += &row(&format!("{name}: misses that a diagnostic tells"), told, misses, "all");
    }
    Ok(table + &missed)
}

/// What was said of the contract of a missed test, if it explains the miss.
fn cause(line: &str, cases: &[Value], said: &super::Said) -> Option<String> {
    let of = |case: &&Value| case["name"].as_str().is_some_and(|name| line.starts_with(&format!("{name}: ")));
    // The longest name: one may begin with another.
    let case = cases.iter().filter(of).max_by_key(|case| case["name"].as_str().map(str::len))?;
    let contract = case["contract"].as_str()?;
    match said.errors.get(contract) {
        Some(codes) => Some(codes.join(", ")),
        None => said.partial.contains(contract).then(|| "not-carried".to_owned()),
    }
}

/// The cases of a draft, each a contract.
pub(super) fn cases(folder: &Path, dialect: &str) -> Result<Vec<Value>, String> {
    let mut cases = Vec::new();
    for file in names(folder)?.iter().filter(|file| file.ends_with(".json")) {
        let stem = file.trim_end_matches(".json");
        let Value::Array(groups) = super::json(&folder.join(file))? else { return Err(format!("{file}: no list")) };
        for (at, group) in groups.into_iter().enumerate() {
            cases.push(json!({
                "name": format!("{stem}: {}", group["description"].as_str().unwrap_or_default()),
                "contract": format!("contracts/{stem}_{at:03}.json"),
                "schema": with_dialect(group["schema"].clone(), dialect),
                "tests": group["tests"],
            }));
        }
    }
    Ok(cases)
}

/// Each draft's tests are in that draft, said or not.
fn with_dialect(mut schema: Value, dialect: &str) -> Value {
    if let Value::Object(members) = &mut schema {
        members.entry("$schema").or_insert_with(|| dialect.into());
    }
    schema
}

/// Cases in as few projects as possible, none of which has two schemas that call themselves by one URI.
fn apart(cases: Vec<Value>) -> Vec<Vec<Value>> {
    let mut projects: Vec<(BTreeSet<String>, Vec<Value>)> = Vec::new();
    for case in cases {
        let mut own = BTreeSet::new();
        identifiers(&case["schema"], &mut own);
        let place = projects.iter().position(|(ids, _)| ids.is_disjoint(&own)).unwrap_or_else(|| {
            projects.push(Default::default());
            projects.len() - 1
        });
        projects[place].0.extend(own);
        projects[place].1.push(case);
    }
    projects.into_iter().map(|(_, cases)| cases).collect()
}

fn identifiers(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            found.extend(members.get("$id").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| identifiers(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| identifiers(item, found)),
        _ => {}
    }
}

/// The remote schemas of the suite that a draft may see: its own, and those that belong to none.
fn mirror(remotes: &Path, refs: &Path, below: &str, draft: &str, dialect: &str) -> Result<(), String> {
    for name in names(&remotes.join(below))? {
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        if remotes.join(&path).is_dir() {
            let foreign = below.is_empty() && (name.starts_with("draft") || name == "v1") && name != draft;
            if !foreign {
                mirror(remotes, refs, &path, draft, dialect)?;
            }
        } else {
            let schema = with_dialect(super::json(&remotes.join(&path))?, dialect);
            write(&refs.join(&path), &schema.to_string())?;
        }
    }
    Ok(())
}
