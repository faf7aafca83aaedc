//! Rules of the tree that no compiler checks. Each finding is a line; one is enough to fail.
//!
//! Knows `cargo metadata` and file names. Does not know what is in the crates, except for the few words that it forbids.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

/// Which crate of the workspace may name which others. `omnigen_report` may be named by anyone and is left out.
/// A new arrow is a decision about the design: it comes with a change of `crates/README.md`.
const ARROWS: &[(&str, &[&str])] = &[
    ("omnigen", &["omnigen_driver", "omnigen_disk"]),
    (
        "omnigen_driver",
        &[
            "omnigen_agents",
            "omnigen_contracts",
            "omnigen_disk",
            "omnigen_engine",
            "omnigen_fetch",
            "omnigen_ir",
            "omnigen_oracle",
            "omnigen_python",
            "omnigen_store",
        ],
    ),
    ("omnigen_engine", &["omnigen_contracts", "omnigen_ir", "omnigen_python"]),
    ("omnigen_contracts", &["omnigen_ir"]),
    ("omnigen_python", &["omnigen_ir"]),
    ("omnigen_ir", &[]),
    ("omnigen_oracle", &["omnigen_ir"]),
    ("omnigen_agents", &["omnigen_disk", "omnigen_ir"]),
    ("omnigen_store", &["omnigen_disk", "omnigen_ir"]),
    ("omnigen_disk", &[]),
    ("omnigen_fetch", &[]),
    ("omnigen_report", &[]),
];

/// Members that stand beside the product: nothing may name them, they may name anything.
const BESIDE: &[&str] = &["omnigen_tests", "xtask"];

/// The crate that everybody may name.
const FREE: &str = "omnigen_report";

/// Crates from outside that have one owner each.
const OWNED: &[(&str, &[&str])] = &[
    ("salsa", &["omnigen_engine"]),
    ("rayon", &["omnigen_engine"]),
    ("clap", &["omnigen"]),
    ("miette", &["omnigen"]),
    ("jsonschema", &["omnigen_oracle"]),
    ("redb", &["omnigen_store"]),
    ("process-wrap", &["omnigen_agents"]),
    ("ureq", &["omnigen_agents", "omnigen_fetch"]),
];

/// Crates that compute and have no effects, neither themselves nor through what they name.
const PURE: &[&str] = &["omnigen_engine", "omnigen_ir", "omnigen_contracts", "omnigen_python", "omnigen_report"];

/// Crates from outside that touch files, programs, the network, the clock or the terminal.
const EFFECTS: &[&str] = &[
    "anstream",
    "ctrlc",
    "fs-err",
    "getrandom",
    "ignore",
    "indicatif",
    "landlock",
    "libc",
    "nix",
    "notify",
    "process-wrap",
    "rand",
    "redb",
    "reqwest",
    "rustix",
    "tempfile",
    "tokio",
    "tracing-subscriber",
    "ureq",
    "walkdir",
];

/// What may lie at the top, beside dotfiles.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "crates",
    "fixtures",
    "snapshots",
    "target",
    "tests",
    "xtask",
];

/// A file of Rust with more lines is two files.
const LINES: usize = 800;

/// Package → what it names outside of its tests, sorted.
type Names = BTreeMap<String, BTreeSet<String>>;

/// Checks everything.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let mut findings = arrows(&names(&crate::metadata(root)?)?);
    findings.extend(top(&listed(root)?));
    findings.extend(cases(root)?);
    for folder in ["crates", "tests", "xtask"] {
        for path in sources(&root.join(folder))? {
            let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            findings.extend(source(&shown, &text));
        }
    }
    if findings.is_empty() {
        return Ok(());
    }
    findings.sort();
    Err(format!("tidy: {} finding(s)\n  {}", findings.len(), findings.join("\n  ")))
}

/// The members and what they name; dependencies of tests are free and left out.
fn names(metadata: &serde_json::Value) -> Result<Names, String> {
    let packages = metadata["packages"].as_array().ok_or("cargo metadata: no packages")?;
    let mut names = Names::new();
    for package in packages {
        let name = package["name"].as_str().ok_or("cargo metadata: a package without a name")?;
        let dependencies = package["dependencies"].as_array().ok_or("cargo metadata: no dependencies")?;
        let named = dependencies
            .iter()
            .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
            .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned))
            .collect();
        names.insert(name.to_owned(), named);
    }
    Ok(names)
}

/// Arrows between crates, owners of outside crates, and purity.
fn arrows(names: &Names) -> Vec<String> {
    let mut findings = Vec::new();
    for (from, named) in names {
        if BESIDE.contains(&from.as_str()) {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| name == from) else {
            findings.push(format!("{from}: a crate that the table of arrows in xtask/src/tidy.rs does not have"));
            continue;
        };
        for to in named {
            if names.contains_key(to) && to != FREE && !allowed.contains(&to.as_str()) {
                findings.push(format!("{from} -> {to}: forbidden arrow; allowed: {}", list(allowed)));
            }
            if let Some((_, owners)) = OWNED.iter().find(|(outside, _)| outside == to)
                && !owners.contains(&from.as_str())
            {
                findings.push(format!("{from} -> {to}: only {} may name it", list(owners)));
            }
        }
    }
    for from in PURE {
        for effect in EFFECTS {
            if let Some(path) = path(names, from, effect) {
                findings.push(format!("{}: {from} may have no effects", path.join(" -> ")));
            }
        }
    }
    findings
}

/// The shortest way from a member to a crate, if there is one.
fn path(names: &Names, from: &str, to: &str) -> Option<Vec<String>> {
    let mut queue = VecDeque::from([vec![from.to_owned()]]);
    let mut seen = BTreeSet::from([from.to_owned()]);
    while let Some(way) = queue.pop_front() {
        let Some(named) = way.last().and_then(|last| names.get(last)) else { continue };
        for next in named {
            let mut longer = way.clone();
            longer.push(next.clone());
            if next == to {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                queue.push_back(longer);
            }
        }
    }
    None
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Names at the top that were not agreed on.
fn top(listed: &[String]) -> Vec<String> {
    listed
        .iter()
        .filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str()))
        .map(|name| format!("{name}: the top level has only {}", TOP.join(", ")))
        .collect()
}

/// A case has its input in `fixtures/` and its expected output in `snapshots/`, or, where it is a project to copy, committed
/// beside the input.
fn cases(root: &Path) -> Result<Vec<String>, String> {
    let (fixtures, snapshots) = (root.join("fixtures"), root.join("snapshots"));
    let mut findings = Vec::new();
    for case in listed(&snapshots)? {
        if !fixtures.join(&case).is_dir() {
            findings.push(format!("snapshots/{case}: there is no fixtures/{case}"));
        }
    }
    for case in listed(&fixtures)? {
        if !snapshots.join(&case).is_dir() && !fixtures.join(&case).join("generated").is_dir() {
            findings.push(format!("fixtures/{case}: there is no snapshots/{case}, and no output beside it"));
        }
    }
    Ok(findings)
}

/// Rules for one file of Rust.
fn source(shown: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if lines > LINES {
        findings.push(format!("{shown}: {lines} lines; more than {LINES} are two files"));
    }
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("#[ignore") {
            findings.push(format!(
                "{shown}:{}: a test that is not run proves nothing; assert what happens, with a FIXME",
                at + 1
            ));
        }
    }
    let stem = Path::new(shown).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if matches!(stem, "utils" | "util" | "common" | "helpers" | "misc") {
        findings.push(format!("{shown}: a name that says nothing about what is inside"));
    }
    findings
}

/// Names in a folder, sorted; none if there is no such folder.
pub(crate) fn listed(folder: &Path) -> Result<Vec<String>, String> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Files below a folder, sorted; `target` left out.
pub(crate) fn walk(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for name in listed(folder)? {
        let path = folder.join(&name);
        if path.is_symlink() || name == "target" {
            continue;
        }
        if path.is_dir() {
            files.extend(walk(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

fn sources(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = walk(folder)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace as `cargo metadata` shows it: package, what it names, what its tests name.
    fn workspace(packages: &[(&str, &[&str], &[&str])]) -> Names {
        let packages: Vec<serde_json::Value> = packages
            .iter()
            .map(|(name, named, tested)| {
                let dependency = |name: &&str, kind: Option<&str>| serde_json::json!({ "name": name, "kind": kind });
                let all: Vec<_> = named
                    .iter()
                    .map(|name| dependency(name, None))
                    .chain(tested.iter().map(|name| dependency(name, Some("dev"))))
                    .collect();
                serde_json::json!({ "name": name, "dependencies": all })
            })
            .collect();
        names(&serde_json::json!({ "packages": packages })).expect("a workspace")
    }

    #[test]
    fn the_agreed_arrows_pass() {
        let names = workspace(&[
            ("omnigen", &["omnigen_driver", "omnigen_disk", "omnigen_report", "clap", "miette"], &[]),
            ("omnigen_driver", &["omnigen_engine", "omnigen_store", "toml"], &[]),
            ("omnigen_engine", &["omnigen_contracts", "omnigen_ir", "omnigen_python", "salsa", "rayon"], &["tempfile"]),
            ("omnigen_contracts", &["omnigen_ir", "omnigen_report"], &["omnigen_python"]),
            ("omnigen_python", &["omnigen_ir"], &[]),
            ("omnigen_ir", &["omnigen_report", "blake3"], &[]),
            ("omnigen_store", &["omnigen_disk", "omnigen_ir", "redb"], &[]),
            ("omnigen_disk", &["notify", "tempfile"], &[]),
            ("omnigen_report", &["serde"], &[]),
            ("omnigen_tests", &["omnigen_driver", "tempfile"], &[]),
            ("xtask", &["serde_json"], &[]),
        ]);
        assert_eq!(arrows(&names), Vec::<String>::new());
    }

    #[test]
    fn a_forbidden_arrow_is_named() {
        let names = workspace(&[("omnigen_disk", &["omnigen_ir"], &[]), ("omnigen_ir", &[], &[])]);
        assert_eq!(arrows(&names), ["omnigen_disk -> omnigen_ir: forbidden arrow; allowed: none"]);
    }

    #[test]
    fn nobody_names_what_stands_beside() {
        let names = workspace(&[("omnigen_disk", &["xtask"], &[]), ("xtask", &[], &[])]);
        assert_eq!(arrows(&names), ["omnigen_disk -> xtask: forbidden arrow; allowed: none"]);
    }

    #[test]
    fn only_the_engine_names_salsa_and_rayon() {
        let names = workspace(&[("omnigen_driver", &["rayon", "salsa"], &[])]);
        assert_eq!(
            arrows(&names),
            [
                "omnigen_driver -> rayon: only omnigen_engine may name it",
                "omnigen_driver -> salsa: only omnigen_engine may name it",
            ]
        );
    }

    #[test]
    fn an_effect_is_found_through_others() {
        let names = workspace(&[
            ("omnigen_engine", &["omnigen_python"], &[]),
            ("omnigen_python", &["omnigen_ir"], &[]),
            ("omnigen_ir", &["tempfile"], &[]),
        ]);
        let found = arrows(&names);
        assert!(
            found.contains(
                &"omnigen_engine -> omnigen_python -> omnigen_ir -> tempfile: omnigen_engine may have no effects"
                    .to_owned()
            ),
            "{found:#?}"
        );
    }

    #[test]
    fn a_crate_without_a_row_is_told() {
        let names = workspace(&[("omnigen_extra", &[], &[])]);
        assert_eq!(arrows(&names).len(), 1);
    }

    #[test]
    fn the_table_has_no_circle() {
        let mut names = Names::new();
        for (from, to) in ARROWS {
            names.insert((*from).to_owned(), to.iter().map(|to| (*to).to_owned()).collect());
        }
        for (from, _) in ARROWS {
            assert_eq!(path(&names, from, from), None);
        }
    }

    #[test]
    fn rules_for_sources() {
        assert_eq!(source("crates/a/src/lib.rs", "fn a() {}\n"), Vec::<String>::new());
        assert_eq!(source("crates/a/src/lib.rs", &"\n".repeat(LINES)), Vec::<String>::new());
        assert_eq!(source("crates/a/src/lib.rs", &"\n".repeat(LINES + 1)).len(), 1);
        let skipped = format!("    #[{}]\n", "ignore = \"later\"");
        assert_eq!(source("crates/a/src/lib.rs", &skipped).len(), 1);
        assert_eq!(source("crates/a/src/utils.rs", "").len(), 1);
    }

    #[test]
    fn the_top_level() {
        assert_eq!(top(&["Cargo.toml".to_owned(), ".ci".to_owned()]), Vec::<String>::new());
        assert_eq!(top(&["docs".to_owned()]).len(), 1);
    }
}
