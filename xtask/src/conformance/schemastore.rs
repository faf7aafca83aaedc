//! SchemaStore: the schemas that the corpus calls clean, with documents that are known to be valid or invalid.

use std::path::Path;

use serde_json::{Value, json};

use super::{Setup, codes, copy, lint, names, row};

pub(super) fn score(setup: &Setup) -> Result<String, String> {
    let project = setup.project("schemastore", "[python]\nformat = \"assert\"\n")?;
    let entries = lay_out(setup, &project)?;
    let said = setup.omnigen(&project, "build")?;
    let scored = setup.script("conformance.py", &project, &Value::Array(entries))?;
    let count = |name: &str| scored["counts"][name].as_u64().unwrap_or(0);
    let schemas = count("schemas");

    let mut text = format!("SchemaStore, the {schemas} schemas that the corpus calls clean, formats asserted\n\n");
    let wrong = scored["wrong"].as_object().map_or(0, serde_json::Map::len) as u64;
    text += &row("all right", schemas - wrong, schemas, "all");
    text += &row("all three artifacts generated", count("generated"), schemas, "all");
    text += &row("imported", count("imported"), schemas, "all");
    text += &row("all valid documents accepted", count("accept_all"), schemas, "all");
    text += &row("all invalid documents rejected, if any", count("reject_all"), count("with_invalid"), "all");
    text += &row("accepted documents equal to the model's dump", count("kept"), count("accepted"), "all");
    text += &row("invalid documents on which `validate` raises", count("raised"), count("invalid"), "all");
    text += &row("  of them taken by the model alone", count("bare"), count("invalid"), "");
    text += &row("  of them changed by it into something else", count("coerced"), count("invalid"), "none");
    text +=
        &row("typed properties annotated without Any", count("fields") - count("untyped"), count("fields"), ">= 98 %");
    text += &row("valid documents accepted", count("accepted"), count("documents"), "all");
    let (table, found) = lint::score(setup, &project)?;
    text += &table;

    text += "\nDiagnostics:\n";
    text += &codes(&said.codes);
    text += "\nWrong:\n";
    for (file, errors) in &said.errors {
        text += &format!("  {file}: {}\n", errors.join(", "));
    }
    for (name, problems) in scored["wrong"].as_object().into_iter().flatten() {
        let problems: Vec<&str> = problems.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        text += &format!("  {name}: {}\n", problems.join("; "));
    }
    text += &found;
    Ok(text)
}

/// Copies the contracts and the mirror, and says which documents belong to which contract.
pub(crate) fn lay_out(setup: &Setup, project: &Path) -> Result<Vec<Value>, String> {
    let store = setup.json_schema().join("schemastore");
    let mut entries = Vec::new();
    for name in clean(setup)? {
        let name = name.as_str();
        let contract = format!("contracts/{name}.json");
        copy(&store.join(name).join("schema.json"), &project.join(&contract))?;
        let documents = |kind: &str| -> Result<Vec<String>, String> {
            let folder = store.join(name).join(kind);
            Ok(names(&folder)?.iter().map(|file| folder.join(file).display().to_string()).collect())
        };
        entries.push(json!({
            "name": name,
            "contract": contract,
            "valid": documents("valid")?,
            "invalid": documents("invalid")?,
        }));
    }
    // Where a schema has no URL of its own, relative references lead to its neighbours, as in SchemaStore's one folder.
    // Draft-07 ignores what stands beside `$ref`, a URL too.
    for entry in &entries {
        let schema = super::json(&project.join(entry["contract"].as_str().unwrap_or_default()))?;
        if (schema["$id"].is_string() || schema["id"].is_string()) && !schema["$ref"].is_string() {
            continue;
        }
        let mut found = Vec::new();
        references(&schema, &mut found);
        for name in found {
            let neighbour = store.join("_deps").join(&name);
            let place = project.join("contracts").join(&name);
            if neighbour.is_file() && !place.exists() {
                copy(&neighbour, &place)?;
            }
        }
    }
    setup.mirror_schemastore(&project.join("refs"))?;
    setup.mirror_metaschemas(&project.join("refs"))?;
    Ok(entries)
}

/// The names of the schemas that the corpus calls clean: they are valid, and its own judge agrees about all documents.
pub(crate) fn clean(setup: &Setup) -> Result<Vec<String>, String> {
    let index = super::json(&setup.json_schema().join("schemastore-index.json"))?;
    let entries = index["entries"].as_array().into_iter().flatten();
    Ok(entries
        .filter(|entry| entry["clean"] == true)
        .filter_map(|entry| entry["name"].as_str())
        .map(str::to_owned)
        .collect())
}

/// The file names that a schema refers to without folder or host.
fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                let file = reference.split('#').next().unwrap_or_default();
                if !file.is_empty() && !file.contains(['/', ':']) {
                    found.push(file.to_owned());
                }
            }
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}
