//! What others make of the same schemas, beside ours: the official suite, SchemaStore, speed of validators, time of imports.
//!
//! Measured by our own scripts in one run, with pinned versions of the others in an environment of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{Setup, row, schemastore, suite};
use crate::{python, read, write};

/// The committed table, from the root.
const TABLE: &str = "tests/peers.md";

/// Those whose validators and models are timed, in the order of the table; the first is ours.
const CONTESTANTS: [&str; 5] = ["errors", "fastjsonschema", "validate", "datamodel-code-generator", "jsonschema-rs"];

/// The generator that comes from npm, pinned.
const QUICKTYPE: &str = "quicktype-core@26.0.0";

/// Rows of the scores.
const RIGHT: &str = "SchemaStore, all right";
const KEPT: &str = "documents equal to the model's dump";

/// Modules larger than this are told apart, in bytes.
const LARGE: u64 = 100_000;

/// Measures everything and writes the table.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let Some(mut setup) = Setup::new(root)? else {
        println!("xtask: skipped: there is no corpus at ../shared/corpus; {TABLE} stays as it is");
        return Ok(());
    };
    let project = setup.project("peers", "[python]\nformat = \"assert\"\n")?;
    let entries = schemastore::lay_out(&setup, &project)?;
    setup.omnigen(&project, "build")?;
    let ours = setup.script("conformance.py", &project, &Value::Array(entries.clone()))?;
    let suite = suite::ours(&setup)?;
    setup.python = python::environment_of(root, "tests/peers.txt", &crate::target(root)?.join("peers"))?;

    let package = crate::target(root)?.join("peers/npm");
    let mut text = format!(
        "<!-- Written by `cargo xtask peers`. Do not edit. -->\n\n\
         Other generators on the schemas that `tests/conformance.txt` scores, by the same scripts in one run. Versions: `tests/peers.txt`.\n\n{}",
        scores(&setup, &project, &entries, &Ours { suite, schemas: ours }, &package)?
    );
    text += &speed(&setup, &project, &entries)?;
    text += &imports(&setup, &project)?;
    write(&root.join(TABLE), &text)?;
    println!("xtask: wrote {TABLE}");
    Ok(())
}

/// What omnigen makes of the same: required tests by draft, passed and all; and what `conformance.py` says of the schemas.
struct Ours {
    suite: Vec<(&'static str, u64, u64)>,
    schemas: Value,
}

fn scores(setup: &Setup, project: &Path, entries: &[Value], ours: &Ours, package: &Path) -> Result<String, String> {
    let folder = setup.json_schema().join("JSON-Schema-Test-Suite/tests");
    let mut cases = Map::new();
    for (name, title, dialect) in suite::DRAFTS {
        cases.insert(title.to_owned(), Value::Array(suite::cases(&folder.join(name), dialect)?));
    }
    let schemas: Vec<Value> = entries
        .iter()
        .map(|entry| {
            let schema = project.join(entry["contract"].as_str().unwrap_or_default());
            json!({ "schema": schema, "valid": entry["valid"], "invalid": entry["invalid"] })
        })
        .collect();
    let drafts: Vec<String> = cases.keys().cloned().collect();
    let mut tools = vec!["datamodel-code-generator", "fastjsonschema"];
    let mut text = "```text\n".to_owned();
    match installed(package) {
        Ok(()) => tools.push("quicktype"),
        Err(problem) => text += &format!("quicktype was not measured: {problem}\n"),
    }
    let given = json!({ "suite": cases, "entries": schemas, "mirror": project.join("refs"), "tools": tools, "quicktype": package });
    let found = setup.script("peers.py", project, &given)?;
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let row_of = |what: &str, (passed, all): (u64, u64)| row(&format!("  {what}"), passed, all, "");
    text += "omnigen\n";
    for (draft, passed, all) in &ours.suite {
        text += &row_of(&format!("{draft}, required tests"), (*passed, *all));
    }
    let wrong = ours.schemas["wrong"].as_object().map_or(0, Map::len) as u64;
    let own = |name: &str| count(&ours.schemas["counts"][name]);
    text += &row_of(RIGHT, (own("schemas") - wrong, own("schemas")));
    text += &row_of(KEPT, (own("kept"), own("accepted")));
    for tool in tools {
        text += &format!("{tool}\n");
        for draft in drafts.iter() {
            let said = &found[tool][draft.as_str()];
            text += &row_of(&format!("{draft}, required tests"), (count(&said[0]), count(&said[1])));
        }
        let said = &found[tool]["schemas"];
        text += &row_of(RIGHT, (count(&said["right"]), count(&said["schemas"])));
        if tool != "fastjsonschema" {
            text += &row_of(KEPT, (count(&said["kept"]), count(&said["accepted"])));
        }
    }
    Ok(text + "```\n\n")
}

/// Gets quicktype, unless it is there. An error if npm or Node.js are missing.
fn installed(package: &Path) -> Result<(), String> {
    if package.join("node_modules/quicktype-core").is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(package).map_err(|problem| problem.to_string())?;
    let status = std::process::Command::new("npm")
        .args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
        .arg(package)
        .arg(QUICKTYPE)
        .status()
        .map_err(|problem| format!("npm: {problem}"))?;
    if status.success() { Ok(()) } else { Err("npm could not install it".to_owned()) }
}

fn speed(setup: &Setup, project: &Path, entries: &[Value]) -> Result<String, String> {
    let list = read(&setup.scripts.join("speed.txt"))?;
    let names: Vec<&str> = list.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let chosen: Vec<&Value> =
        names.iter().filter_map(|name| entries.iter().find(|entry| entry["name"].as_str() == Some(name))).collect();
    let given = json!({ "entries": chosen, "mirror": project.join("refs") });
    let found = setup.script("speed.py", project, &given)?;
    let mut text = format!(
        "## Speed\n\nMicroseconds for all valid documents of a schema, formats checked, the best of several rounds in which all take turns.\n\
         `errors` and `validate` are ours; `validate` makes a model as datamodel-code-generator's `model_validate` does.\n\n\
         | Schema | KB | documents, KB | {} | `errors` against fastjsonschema |\n|---|---:|---:|{}---:|\n",
        CONTESTANTS.join(" | "),
        "---:|".repeat(CONTESTANTS.len())
    );
    let mut ratios: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for name in &names {
        let said = &found[*name];
        let time = |who: &str| said["us"][who].as_f64();
        let kb = |what: &str| said[what].as_f64().unwrap_or(0.0) / 1000.0;
        text += &format!("| {name} | {:.1} | {:.1} |", kb("schema"), kb("documents"));
        for who in CONTESTANTS {
            text += &time(who).map_or_else(|| " – |".to_owned(), |time| format!(" {time:.1} |"));
            if let (Some(other), Some(own)) = (time(who), time("errors")) {
                ratios.entry(who).or_default().push(other / own);
            }
        }
        let ratio = time("fastjsonschema").zip(time("errors")).map(|(other, own)| other / own);
        text += &ratio.map_or_else(|| " – |\n".to_owned(), |ratio| format!(" {ratio:.2} × |\n"));
    }
    text += "\n`errors` against the others, geometric mean and worst:\n\n";
    for (who, ratios) in ratios.iter().filter(|(who, _)| **who != "errors") {
        let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
        let worst = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let goal = if *who == "fastjsonschema" { " (goal: ≥ 2 ×, never below 1 ×)" } else { "" };
        text += &format!("- {who}, {} schemas: {mean:.2} ×, {worst:.2} ×{goal}\n", ratios.len());
    }
    Ok(text)
}

fn imports(setup: &Setup, project: &Path) -> Result<String, String> {
    let sizes_of = |kind: &str, prefix: &str| -> Result<Vec<(PathBuf, u64)>, String> {
        let mut sizes: Vec<(PathBuf, u64)> = Vec::new();
        for path in crate::tidy::walk(&project.join("generated").join(kind))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with(prefix) {
                sizes.push((path.clone(), std::fs::metadata(&path).map(|file| file.len()).unwrap_or(0)));
            }
        }
        Ok(sizes)
    };
    let dotted = |path: &Path| {
        let inside = path.strip_prefix(project).unwrap_or(path).with_extension("");
        inside.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join(".")
    };
    let mut text = "\n## Imports\n\n\
        CPU time of importing one module, all that it loads included, against pydantic with a first model of one field, in processes of their\n\
        own that take turns, byte code already there, the least of as many runs of each. `import pydantic` loads next to nothing, `from\n\
        pydantic import BaseModel` a half; the rest comes with the first class, whoever writes it. So the first model is what \"pydantic\n\
        itself\" means here; the other two are told beside it.\n\n"
        .to_owned();
    let mut large = String::new();
    for (kind, prefix) in [("models", "model_"), ("validators", "validator_")] {
        let sizes = sizes_of(kind, prefix)?;
        let names: Vec<String> = sizes.iter().map(|(path, _)| dotted(path)).collect();
        let found = setup.script("imports.py", project, &json!({ "modules": names }))?;
        let pydantic = found["pydantic"].as_f64().unwrap_or(f64::NAN);
        let alone = found["alone"].as_f64().unwrap_or(f64::NAN);
        let ratio = |name: &str| found["ratios"][name].as_f64().unwrap_or(f64::NAN);
        let mut ratios: Vec<f64> = names.iter().map(|name| ratio(name)).collect();
        ratios.retain(|ratio| ratio.is_finite());
        ratios.sort_by(f64::total_cmp);
        text += &format!(
            "- {kind}, {} modules: median {:.2} × (goal: ≤ 1.2 ×), worst {:.2} ×; a first model {:.0} ms, the bare import {:.0} ms\n",
            ratios.len(),
            ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN),
            ratios.last().copied().unwrap_or(f64::NAN),
            pydantic * 1e3,
            alone * 1e3,
        );
        for ((_, size), name) in sizes.iter().zip(&names).filter(|((_, size), _)| *size > LARGE) {
            large += &format!("- `{name}`, {} KB: {:.2} ×\n", size / 1000, ratio(name));
        }
    }
    Ok(format!("{text}\nModules over {} KB:\n\n{large}", LARGE / 1000))
}
