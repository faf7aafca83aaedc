//! The score on real schemas: a committed text file, so that a regression is a diff.
//!
//! Knows how the corpus is laid out and what is counted. Python does the counting of what is generated, since it has to
//! run it. Nothing of the corpus goes into the file but names.

mod lint;
pub(crate) mod mutants;
pub(crate) mod onex;
mod openapi;
pub(crate) mod peers;
mod rest;
pub(crate) mod schemastore;
mod suite;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{python, read, write};

/// The committed file, from the root.
const SCORE: &str = "tests/conformance.txt";

/// Scores everything; `check` compares with what is committed, else that is replaced.
pub(crate) fn run(root: &Path, check: bool) -> Result<(), String> {
    let Some(setup) = Setup::new(root)? else {
        println!("xtask: skipped: there is no corpus at ../shared/corpus; {SCORE} stays as it is");
        return Ok(());
    };
    let text = [
        "Written by `cargo xtask conformance`: what the generated code of real schemas is worth. Do not edit.\n\
         Beside it, of the same command: peers.md (what others make of the same schemas) and mutants.md (generated tests).\n"
            .to_owned(),
        schemastore::score(&setup)?,
        suite::score(&setup)?,
        openapi::score(&setup)?,
        rest::score(&setup)?,
        onex::score(&setup)?,
    ]
    .join("\n");
    let committed = root.join(SCORE);
    let before = read(&committed).unwrap_or_default();
    if text == before {
        println!("xtask: {SCORE} holds");
        return Ok(());
    }
    if check {
        let now = setup.folder.join("conformance.txt");
        write(&now, &text)?;
        return Err(format!("{SCORE} does not hold; compare it with {}", now.display()));
    }
    write(&committed, &text)?;
    println!("xtask: {SCORE} has changed; look at its diff");
    Ok(())
}

/// What every part works with.
pub(crate) struct Setup {
    pub(crate) python: PathBuf,
    /// A Python with pyright, which brings its own program along.
    pyright: PathBuf,
    pub(crate) omnigen: PathBuf,
    /// Where our Python scripts are.
    pub(crate) scripts: PathBuf,
    corpus: PathBuf,
    /// Where projects are made.
    pub(crate) folder: PathBuf,
    /// JSON Schema's own schemas, as a crate that we use anyway brings them.
    metaschemas: Option<PathBuf>,
}

/// What a build said.
#[derive(Default)]
struct Said {
    /// Severity and code → how many.
    codes: BTreeMap<String, usize>,
    /// File → the codes of its errors, without repetition.
    errors: BTreeMap<String, Vec<String>>,
    /// Files of which something is not carried over.
    partial: BTreeSet<String>,
    /// Files that only hold parts of others.
    parts: BTreeSet<String>,
}

impl Setup {
    /// Builds and installs what is needed; nothing if there is no corpus.
    pub(crate) fn new(root: &Path) -> Result<Option<Setup>, String> {
        let Some(corpus) = crate::shared(root).map(|shared| shared.join("corpus")).filter(|corpus| corpus.is_dir())
        else {
            return Ok(None);
        };
        let target = crate::target(root)?;
        Ok(Some(Setup {
            python: python::environment(root, &target.join("venv"))?,
            pyright: python::environment_of(root, "tests/pyright.txt", &target.join("pyright"))?,
            omnigen: crate::release(root, &target)?,
            scripts: root.join("tests/python"),
            corpus,
            folder: target.join("conformance"),
            metaschemas: metaschemas(root)?,
        }))
    }

    /// A new empty folder for a project.
    pub(crate) fn project(&self, name: &str, settings: &str) -> Result<PathBuf, String> {
        let folder = self.folder.join(name);
        crate::remove(&folder)?;
        write(&folder.join("omnigen.toml"), &format!("[project]\nname = \"{name}\"\nrefs = \"refs\"\n\n{settings}"))?;
        Ok(folder)
    }

    /// Runs omnigen; any end but 0 and 1 is a failure of ours.
    fn omnigen(&self, project: &Path, command: &str) -> Result<Said, String> {
        let output = Command::new(&self.omnigen)
            .args([command, "--verbose", "--color", "never", "-C"])
            .arg(project)
            .output()
            .map_err(|error| format!("{}: {error}", self.omnigen.display()))?;
        let text = String::from_utf8_lossy(&output.stderr);
        if !matches!(output.status.code(), Some(0 | 1)) {
            let from = text.lines().count().saturating_sub(20);
            let last: Vec<&str> = text.lines().skip(from).collect();
            return Err(format!("omnigen {command} in {}: {}\n{}", project.display(), output.status, last.join("\n")));
        }
        Ok(said(&text))
    }

    /// Runs one of our scripts on a project; `input` is the file that it is given.
    fn script(&self, name: &str, project: &Path, input: &Value) -> Result<Value, String> {
        let file = project.join("input.json");
        write(&file, &input.to_string())?;
        let output = Command::new(&self.python)
            .arg(self.scripts.join(name))
            .args([project, &file])
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .map_err(|error| format!("{name}: {error}"))?;
        if !output.status.success() {
            return Err(format!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| format!("{name}: {error}"))
    }

    /// Where the corpus has its schemas of JSON Schema.
    fn json_schema(&self) -> PathBuf {
        self.corpus.join("jsonschema")
    }

    /// JSON Schema's own schemas under the URLs that they have.
    fn mirror_metaschemas(&self, refs: &Path) -> Result<(), String> {
        let Some(metaschemas) = &self.metaschemas else { return Ok(()) };
        let draft7 = refs.join("json-schema.org/draft-07/schema");
        let newest = refs.join("json-schema.org/draft/2020-12");
        copy(&metaschemas.join("draft7.json"), &draft7)?;
        copy(&metaschemas.join("draft2020-12/schema.json"), &newest.join("schema"))?;
        for name in names(&metaschemas.join("draft2020-12/meta"))? {
            let stem = name.trim_end_matches(".json");
            copy(&metaschemas.join("draft2020-12/meta").join(&name), &newest.join("meta").join(stem))?;
        }
        Ok(())
    }

    /// All of SchemaStore under its URLs, with and without `.json`.
    fn mirror_schemastore(&self, refs: &Path) -> Result<(), String> {
        let store = self.json_schema().join("schemastore");
        for host in ["json.schemastore.org", "www.schemastore.org"] {
            for name in names(&store)? {
                let schema = store.join(&name).join("schema.json");
                if schema.is_file() {
                    copy(&schema, &refs.join(host).join(&name))?;
                    copy(&schema, &refs.join(host).join(format!("{name}.json")))?;
                }
            }
            for name in names(&store.join("_deps"))? {
                let schema = store.join("_deps").join(&name);
                copy(&schema, &refs.join(host).join(&name))?;
                copy(&schema, &refs.join(host).join(name.trim_end_matches(".json")))?;
            }
        }
        Ok(())
    }
}

/// Reads diagnostics as a terminal shows them: `error[code]: …`, and ` --> file:line:column` below.
fn said(text: &str) -> Said {
    let mut said = Said::default();
    let mut last: Option<(&str, &str)> = None;
    for line in text.lines() {
        if let Some((severity, rest)) = line.split_once('[')
            && matches!(severity, "error" | "warning" | "note")
            && let Some((code, _)) = rest.split_once("]: ")
        {
            *said.codes.entry(format!("{severity}[{code}]")).or_default() += 1;
            last = Some((severity, code));
        } else if let Some(place) = line.trim_start().strip_prefix("--> ")
            && let Some((severity, code)) = last.take()
        {
            // A place has line and column, but for what concerns a file as a whole.
            let number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
            let mut parts: Vec<&str> = place.split(':').collect();
            while parts.len() > 1 && parts.last().is_some_and(number) {
                parts.pop();
            }
            let file = parts.join(":");
            if code == "not-carried" {
                said.partial.insert(file.clone());
            }
            if (severity, code) == ("note", "not-a-contract") {
                said.parts.insert(file.clone());
            }
            if severity == "error" {
                let codes = said.errors.entry(file).or_default();
                if !codes.iter().any(|known| known == code) {
                    codes.push(code.to_owned());
                }
            }
        }
    }
    said
}

/// The contracts that have a module of a kind, as its header says.
fn generated(project: &Path, kind: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for path in crate::tidy::walk(&project.join("generated").join(kind))? {
        let first = read(&path)?.lines().next().unwrap_or_default().to_owned();
        let header = first.strip_prefix("# Generated by omnigen from ");
        found.extend(header.and_then(|rest| Some(rest.split_once(". Do not edit")?.0.to_owned())));
    }
    Ok(found)
}

/// One row of a table: what, how many of how many, per cent, goal.
fn row(what: &str, count: u64, all: u64, goal: &str) -> String {
    // Rounded down: only all is 100 %.
    let tenths = (count * 1000).checked_div(all).unwrap_or(1000);
    let share = format!("{}.{} %", tenths / 10, tenths % 10);
    format!("{what:<44}{count:>7} of {all:>7}{share:>9}   {goal}").trim_end().to_owned() + "\n"
}

/// Codes and how often, one a line.
fn codes(codes: &BTreeMap<String, usize>) -> String {
    codes.iter().map(|(code, count)| format!("  {code:<42}{count:>7}\n")).collect()
}

/// Names in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>, String> {
    crate::tidy::listed(folder)
}

fn json(path: &Path) -> Result<Value, String> {
    let text = read(path)?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| format!("{}: {error}", path.display()))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    std::fs::copy(from, to).map(drop).map_err(|error| format!("{}: {error}", from.display()))
}

/// The folder of metaschemas in the crate `jsonschema`, whose version the lock file says.
fn metaschemas(root: &Path) -> Result<Option<PathBuf>, String> {
    let output = crate::cargo()
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages.filter(|package| package["name"] == "jsonschema").find_map(|package| {
        let folder = Path::new(package["manifest_path"].as_str()?).parent()?.join("metaschemas");
        folder.is_dir().then_some(folder)
    });
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagnostics_are_counted() {
        let said = said(
            "error[dangling-ref]: x\n  --> contracts/a:b.json:3:4\n   |\nerror[dangling-ref]: y\n --> contracts/a:b.json:5:1\nwarning[odd]: z\n --> contracts/c.json\nerror[empty]: w\n --> contracts/d.json\n",
        );
        assert_eq!(said.codes["error[dangling-ref]"], 2);
        assert_eq!(said.codes["warning[odd]"], 1);
        assert_eq!(said.errors["contracts/a:b.json"], ["dangling-ref"]);
        assert_eq!(said.errors["contracts/d.json"], ["empty"]);
        assert_eq!(said.errors.len(), 2);
    }

    #[test]
    fn only_all_is_all() {
        assert!(row("x", 9999, 10_000, "").ends_with("99.9 %\n"));
        assert!(row("x", 0, 0, ">= 95 %").ends_with("100.0 %   >= 95 %\n"));
    }
}
