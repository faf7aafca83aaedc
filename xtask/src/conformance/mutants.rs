//! Do generated tests find faults? Contracts with one constraint changed, validators with one operator changed and models with
//! something less in them, each told apart from the original by some document, are run against the original's generated tests.
//!
//! Python does the work, since it has to run what is generated; see `tests/python/mutants.py`.

use std::path::Path;

use serde_json::{Value, json};

use super::{Setup, row, schemastore};
use crate::{python, write};

/// The committed table, from the root.
const TABLE: &str = "tests/mutants.md";

/// Contracts whose survivors are listed, and how many of each.
const WORST: usize = 25;
const SHOWN: usize = 4;

/// Milliseconds that the test calls of a contract stay below.
const SLOW: f64 = 50.0;

/// Measures everything and writes the table.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let Some(mut setup) = Setup::new(root)? else {
        println!("xtask: skipped: there is no corpus at ../shared/corpus; {TABLE} stays as it is");
        return Ok(());
    };
    setup.python = python::environment_of(root, "tests/mutants.txt", &crate::target(root)?.join("mutants"))?;
    let project = setup.project("mutants", "[python]\nformat = \"assert\"\n")?;
    let entries = schemastore::lay_out(&setup, &project)?;
    setup.omnigen(&project, "build")?;
    let covered = setup.script("covered.py", &project, &Value::Array(entries.clone()))?;
    let given = json!({ "omnigen": setup.omnigen, "entries": entries });
    let found = setup.script("mutants.py", &project, &given)?;

    write(&setup.folder.join("mutants.json"), &found.to_string())?;

    let mut text = "<!-- Written by `cargo xtask mutants`. Do not edit. -->\n\n\
        What generated tests are worth: how much of models and validators they reach, and which faults they find.\n\n```text\n"
        .to_owned();
    for kind in ["models", "validators"] {
        let count = |at: usize| covered["total"][kind][at].as_u64().unwrap_or(0);
        text += &row(&format!("lines of {kind} reached"), count(0), count(1), "> 80 %");
        text += &row(
            &format!("branches of {kind} reached"),
            count(2),
            count(3),
            if kind == "models" { "" } else { ">= 90 %" },
        );
    }
    let few = &covered["contracts"];
    let few = |name: &str| few[name].as_u64().unwrap_or(0);
    text += &row("contracts with >= 90 % of the validator's branches", few("reached"), few("all"), "");
    let times: Vec<(f64, &str, u64)> = found["milliseconds"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|line| Some((line[0].as_f64()?, line[1].as_str()?, line[2].as_u64()?)))
        .collect();
    let quick = times.iter().filter(|(time, _, _)| *time < SLOW).count() as u64;
    text += &row("contracts whose test calls take < 50 ms", quick, times.len() as u64, "all");
    for (time, name, calls) in times.iter().take(SHOWN) {
        text += &format!("  {name}: {calls} calls, {time:.0} ms\n");
    }
    for group in ["contract", "validator", "model"] {
        let kinds = found["kinds"].as_object().into_iter().flatten();
        let kinds: Vec<(&str, u64, u64)> = kinds
            .filter_map(|(name, counts)| {
                let name = name.strip_prefix(group)?.strip_prefix(": ")?;
                Some((name, counts[0].as_u64()?, counts[1].as_u64()?))
            })
            .collect();
        let (caught, all) = kinds.iter().fold((0, 0), |(a, b), (_, caught, all)| (a + caught, b + all));
        text += &format!("\nfaults of the {group}\n");
        text += &row("found", caught, all, ">= 95 %");
        for (name, caught, all) in kinds {
            text += &row(&format!("  {name}"), caught, all, "");
        }
    }
    let counts = &found["counts"];
    let mut survivors: Vec<(&str, Vec<&str>)> =
        found["survived"].as_object().into_iter().flatten().map(listed).collect();
    survivors.sort_by_key(|(name, list)| (std::cmp::Reverse(list.len()), *name));
    text += "\nContracts with most faults that were not found:\n";
    for (name, list) in survivors.iter().take(WORST) {
        text += &format!("  {name}: {} of {}\n", list.len(), counts[*name].as_u64().unwrap_or(0));
        for what in list.iter().take(SHOWN) {
            text += &format!("    {}\n", what.split(", seen on ").next().unwrap_or(what));
        }
    }
    text += "\nNot measured:\n";
    let failed = covered["failed"].as_object().into_iter().flatten();
    for (name, why) in failed.chain(found["problems"].as_object().into_iter().flatten()) {
        text += &format!("  {name}: {}\n", why.to_string().chars().take(160).collect::<String>());
    }
    text += "```\n";
    write(&root.join(TABLE), &text)?;
    println!("xtask: wrote {TABLE}");
    Ok(())
}

/// The name of a contract and its survivors.
fn listed<'v>((name, list): (&'v String, &'v Value)) -> (&'v str, Vec<&'v str>) {
    (name, list.as_array().into_iter().flatten().filter_map(Value::as_str).collect())
}
