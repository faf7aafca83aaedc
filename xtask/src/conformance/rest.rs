//! Everything else in the corpus: nothing may break on it, and every file that gives nothing has to be told why.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Setup, codes, copy, generated, names, row};

pub(super) fn score(setup: &Setup) -> Result<String, String> {
    let project = setup.project("rest", "[python]\nformat = \"assert\"\n")?;
    let groups = lay_out(setup, &project)?;
    setup.omnigen(&project, "check")?;
    let said = setup.omnigen(&project, "build")?;
    let kinds = ["models", "validators", "tests"];
    let mut made: BTreeMap<String, usize> = BTreeMap::new();
    for kind in kinds {
        for contract in generated(&project, kind)? {
            *made.entry(contract).or_default() += 1;
        }
    }
    let mut table = "The rest of the corpus: no panic, a diagnostic for what is not carried\n\n".to_owned();
    let mut silent = String::new();
    let mut without: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for (group, files) in &groups {
        let whole = |file: &&String| made.get(*file) == Some(&kinds.len());
        let (full, part): (Vec<&String>, Vec<&String>) = files.iter().partition(whole);
        let told = part.iter().filter(|file| said.errors.contains_key(**file)).count();
        table += &row(&format!("{group}: all three artifacts"), full.len() as u64, files.len() as u64, "");
        table += &row(&format!("{group}: the others have an error"), told as u64, part.len() as u64, "all");
        for file in part {
            match said.errors.get(file.as_str()) {
                Some(codes) => {
                    for code in codes {
                        *without.entry(group.clone()).or_default().entry(code.clone()).or_default() += 1;
                    }
                }
                None => silent += &format!("  {file}\n"),
            }
        }
    }
    table += "\nFiles that lack an artifact, by code:\n";
    for (group, counts) in &without {
        for (code, count) in counts {
            table += &format!("  {:<42}{count:>7}\n", format!("{group}: {code}"));
        }
    }
    if !silent.is_empty() {
        table += &format!("\nFiles that lack an artifact without an error of their own:\n{silent}");
    }
    table += "\nDiagnostics:\n";
    table += &codes(&said.codes);
    Ok(table)
}

/// Copies what is neither scored already nor the corpus' own list. Group → contracts.
fn lay_out(setup: &Setup, project: &Path) -> Result<BTreeMap<String, Vec<String>>, String> {
    let store = setup.json_schema().join("schemastore");
    let scored: BTreeSet<String> = super::schemastore::clean(setup)?.into_iter().collect();
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in names(&store)? {
        let schema = store.join(&name).join("schema.json");
        if schema.is_file() && !scored.contains(&name) {
            let contract = format!("contracts/schemastore/{name}.json");
            copy(&schema, &project.join(&contract))?;
            groups.entry("schemastore".to_owned()).or_default().push(contract);
        }
    }
    for name in names(&store.join("_deps"))? {
        let contract = format!("contracts/schemastore/{name}");
        copy(&store.join("_deps").join(&name), &project.join(&contract))?;
        groups.entry("schemastore".to_owned()).or_default().push(contract);
    }
    let others = [
        ("features", setup.json_schema().join("features")),
        ("openapi", setup.corpus.join("openapi")),
        ("onex", setup.corpus.join("onex")),
    ];
    for (group, folder) in others {
        for path in crate::tidy::walk(&folder)? {
            let within = path.strip_prefix(&folder).unwrap_or(&path);
            let own = matches!(within.to_str(), Some("manifest.json" | "inventory.json"));
            let known =
                path.extension().is_some_and(|extension| matches!(extension.to_str(), Some("json" | "yaml" | "yml")));
            if known && !own {
                let contract = format!("contracts/{group}/{}", within.display());
                copy(&path, &project.join(&contract))?;
                groups.entry(group.to_owned()).or_default().push(contract);
            }
        }
    }
    setup.mirror_schemastore(&project.join("refs"))?;
    setup.mirror_metaschemas(&project.join("refs"))?;
    Ok(groups)
}
