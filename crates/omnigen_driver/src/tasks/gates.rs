//! Gates: what an answer has to pass before it is placed. Checks run over everything that waits, at once, so that the start-up of a
//! tool is paid once; verdicts are stored, so that the same answer is never judged twice.
//!
//! A *receipt* says which gate (its checks, threshold and declared files) has let which answer pass; it is in the lock and holds on
//! every machine. A *verdict* is stored under more: also what the artifact imports, the tools' versions and the distributions that are
//! installed.

mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use omnigen_agents::Environment;
use omnigen_ir::{Digest, Encoder, KeyPart, View};
use serde::{Deserialize, Serialize};

use crate::config::{self, Check};
use crate::setup::Setup;

/// Files in the project's root that configure the tools. Whether they are there counts.
const CONFIGURATION: [&str; 10] = [
    "pyproject.toml",
    "ruff.toml",
    ".ruff.toml",
    "mypy.ini",
    ".mypy.ini",
    "setup.cfg",
    "pytest.ini",
    "tox.ini",
    ".coveragerc",
    "conftest.py",
];
/// Lists what is installed, as one text.
const DISTRIBUTIONS: &str =
    "import importlib.metadata as m\nprint(sorted({(d.metadata['Name'] or '', d.version) for d in m.distributions()}))";

/// What is wrong with an artifact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Finding {
    /// The artifact's path below the output folder.
    pub(super) path: String,
    /// From 1; 0 if it is about the whole file.
    pub(super) line: u32,
    /// From 1; 0 if it is about the whole line.
    pub(super) column: u32,
    /// Which check, and the tool's own code if it has one.
    pub(super) check: String,
    /// What.
    pub(super) text: String,
}

/// What a gate says of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Verdict {
    /// In thousandths: the least of its checks.
    pub(super) score: u32,
    pub(super) findings: Vec<Finding>,
}

/// A gate with its files.
pub(super) struct Gate {
    pub(super) config: config::Gate,
    /// Declared files and configuration of tools: path and bytes.
    files: Vec<(String, Vec<u8>)>,
    environment: Environment,
    /// Where mypy keeps what it knows of libraries.
    cache: String,
    /// What it is, on any machine.
    pub(super) definition: Digest,
    /// What it is on this one: asked for when something has to be judged.
    here: OnceLock<Result<Digest, String>>,
}

/// An answer that is to be judged.
#[derive(Clone)]
pub(super) struct Subject {
    /// Its artifacts.
    pub(super) artifacts: Vec<(String, Vec<u8>)>,
    /// What they import, of the project's own package; and what makes it a package.
    pub(super) closure: Vec<(String, Vec<u8>)>,
}

impl Subject {
    fn encode(&self, encoder: &mut Encoder, wide: bool) {
        let none = Vec::new();
        for files in [&self.artifacts, if wide { &self.closure } else { &none }] {
            encoder.int(files.len() as u64);
            for (path, bytes) in files {
                encoder.str(path);
                encoder.digest(&Digest::of(bytes));
            }
        }
    }
}

impl Gate {
    pub(super) fn new(setup: &Setup, config: &config::Gate) -> Result<Gate, String> {
        let mut names = config.env.clone();
        names.push("PATH".to_owned());
        let environment = Environment::of_engine(&names)
            .map_err(|name| format!("gate `{}`: the variable `{name}` is not valid UTF-8", config.name))?;
        let mut files = super::inputs(setup, &config.inputs);
        let mut parts = vec![
            KeyPart::text("checks", &format!("{:?}", config.checks)),
            KeyPart::text("threshold", &config.threshold.to_string()),
        ];
        if config.checks.iter().any(Check::is_tool) {
            for name in CONFIGURATION {
                match omnigen_disk::files::read_bytes(&setup.root.join(name)) {
                    Ok((bytes, _)) => files.push((name.to_owned(), bytes)),
                    Err(_) => parts.push(KeyPart::absent(name)),
                }
            }
        }
        for check in &config.checks {
            if let Check::JsonSchema(path) = check {
                let (bytes, _) = omnigen_disk::files::read_bytes(&setup.root.join(path))
                    .map_err(|problem| format!("gate `{}`: `{path}`: {problem}", config.name))?;
                files.push((path.clone(), bytes));
            }
        }
        files.sort();
        files.dedup();
        parts.extend(files.iter().map(|(path, bytes)| KeyPart::new(path.as_str(), Digest::of(bytes))));
        for (name, value) in environment.values.iter().filter(|(name, _)| name != "PATH") {
            parts.push(value.as_ref().map_or_else(
                || KeyPart::absent(format!("env {name}")),
                |value| KeyPart::text(format!("env {name}"), value),
            ));
        }
        let definition = omnigen_ir::key::key(&parts);
        let cache = setup.state.join("mypy").to_string_lossy().into_owned();
        Ok(Gate { config: config.clone(), files, environment, cache, definition, here: OnceLock::new() })
    }

    /// Does it look at more than the artifacts themselves?
    pub(super) fn is_wide(&self) -> bool {
        self.config.checks.iter().any(Check::is_tool)
    }

    /// The receipt for an answer: what it is and what it imports, and what the gate is.
    ///
    /// Encoding ([`Encoder`]): domain `omnigen receipt 1`; name of the gate (string); its definition (digest); artifacts, then
    /// imports (number; string, digest of the bytes).
    pub(super) fn receipt(&self, subject: &Subject) -> Digest {
        let mut encoder = Encoder::new("omnigen receipt 1", View::Full);
        encoder.str(&self.config.name);
        encoder.digest(&self.definition);
        subject.encode(&mut encoder, self.is_wide());
        encoder.finish()
    }

    /// The key of the verdict on a subject.
    ///
    /// # Errors
    /// A tool is not there.
    pub(super) fn key(&self, subject: &Subject) -> Result<Digest, String> {
        let mut encoder = Encoder::new("omnigen verdict 1", View::Full);
        encoder.digest(&self.definition);
        encoder.digest(self.here.get_or_init(|| self.tools()).as_ref().map_err(Clone::clone)?);
        subject.encode(&mut encoder, self.is_wide());
        Ok(encoder.finish())
    }

    /// Versions of the tools, and what is installed beside them.
    fn tools(&self) -> Result<Digest, String> {
        let mut said = String::new();
        let mut commands: BTreeSet<Vec<&str>> = BTreeSet::new();
        for check in &self.config.checks {
            match check {
                Check::Ruff => {
                    commands.insert(vec!["ruff", "--version"]);
                }
                Check::Mypy => {
                    commands.insert(vec!["mypy", "--version"]);
                    commands.insert(vec!["python3", "-c", DISTRIBUTIONS]);
                }
                Check::Pytest(_) => {
                    commands.insert(vec!["python3", "-c", DISTRIBUTIONS]);
                }
                Check::PythonSyntax | Check::JsonSchema(_) | Check::Command(_) => {}
            }
        }
        for command in commands {
            let command: Vec<String> = command.into_iter().map(str::to_owned).collect();
            said.push_str(&omnigen_agents::version(&command, &self.environment)?);
        }
        Ok(Digest::of(said.as_bytes()))
    }

    /// Judges a batch: one verdict for each subject. The error is a sentence: a tool could not do its work.
    pub(super) fn judge(&self, subjects: &[Subject], out: &str) -> Result<Vec<Verdict>, String> {
        let mut verdicts = vec![Verdict { score: 1000, findings: Vec::new() }; subjects.len()];
        for check in &self.config.checks {
            // Each artifact's findings, and the share that it passes; nothing for what the check does not look at.
            let found = match check {
                Check::PythonSyntax => python_syntax(subjects),
                Check::JsonSchema(schema) => self.json_schema(subjects, schema)?,
                check => tools::run(self, check, subjects, out)?,
            };
            for (verdict, subject) in verdicts.iter_mut().zip(subjects) {
                let own: BTreeSet<&str> = subject.artifacts.iter().map(|(path, _)| path.as_str()).collect();
                let mut score = 1000;
                for (path, passed) in &found.scores {
                    if own.contains(path.as_str()) {
                        score = score.min(*passed);
                    }
                }
                verdict.score = verdict.score.min(score);
                verdict.findings.extend(found.findings.iter().filter(|f| own.contains(f.path.as_str())).cloned());
            }
        }
        for verdict in &mut verdicts {
            verdict.findings.sort();
            verdict.findings.dedup();
        }
        Ok(verdicts)
    }

    fn json_schema(&self, subjects: &[Subject], path: &str) -> Result<Found, String> {
        let schema = self.files.iter().find(|(name, _)| name == path).map(|(_, bytes)| bytes.as_slice());
        let schema: serde_json::Value =
            serde_json::from_slice(schema.unwrap_or_default()).map_err(|error| format!("`{path}`: {error}"))?;
        let mut findings = Vec::new();
        let check = || "json-schema".to_owned();
        for (path_of, bytes) in subjects.iter().flat_map(|subject| &subject.artifacts) {
            let document: serde_json::Value = match serde_json::from_slice(bytes) {
                Ok(document) => document,
                Err(error) => {
                    let (line, column) = (error.line() as u32, error.column() as u32);
                    let text = format!("this is no JSON: {error}");
                    findings.push(Finding { path: path_of.clone(), line, column, check: check(), text });
                    continue;
                }
            };
            let told = omnigen_oracle::objections(&schema, &document).map_err(|why| format!("`{path}`: {why}"))?;
            let text = String::from_utf8_lossy(bytes);
            findings.extend(told.into_iter().map(|(pointer, why)| {
                let range = omnigen_engine::locate(&"artifact.json".into(), &text, &pointer, false);
                let (line, column) = range.map_or((0, 0), |range| position(&text, range.start));
                Finding { path: path_of.clone(), line, column, check: check(), text: why }
            }));
        }
        Ok(Found::failed(findings))
    }
}

/// Line and column of a place in a text, from 1; columns are characters.
fn position(text: &str, at: usize) -> (u32, u32) {
    let before = &text[..text.floor_char_boundary(at)];
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() as u32 + 1, column as u32)
}

impl Check {
    fn is_tool(&self) -> bool {
        matches!(self, Check::Ruff | Check::Mypy | Check::Pytest(_) | Check::Command(_))
    }
}

/// What a check found in a batch: scores in thousandths and findings, by artifact.
#[derive(Default)]
pub(super) struct Found {
    pub(super) scores: BTreeMap<String, u32>,
    pub(super) findings: Vec<Finding>,
}

impl Found {
    /// Takes findings of which one is too many.
    fn failed(findings: Vec<Finding>) -> Found {
        let scores = findings.iter().map(|finding| (finding.path.clone(), 0)).collect();
        Found { scores, findings }
    }

    /// Takes findings whose artifacts get a score that falls with their number.
    pub(super) fn of(findings: Vec<Finding>) -> Found {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for finding in &findings {
            *counts.entry(finding.path.clone()).or_default() += 1;
        }
        let scores = counts.into_iter().map(|(path, count)| (path, 1000 / (1 + count))).collect();
        Found { scores, findings }
    }
}

/// Is it Python? Decided here, without starting anything.
fn python_syntax(subjects: &[Subject]) -> Found {
    let mut found = Found::default();
    for (path, bytes) in subjects.iter().flat_map(|subject| &subject.artifacts) {
        if !path.ends_with(".py") && !path.ends_with(".pyi") {
            continue;
        }
        let problem = match std::str::from_utf8(bytes) {
            Ok(text) => ruff_python_parser::parse_module(text).err().map(|error| {
                let at = usize::from(error.location.start()).min(text.len());
                let (line, column) = position(text, at);
                (line, column, error.error.to_string())
            }),
            Err(error) => Some((0, 0, format!("it is not UTF-8: {error}"))),
        };
        if let Some((line, column, text)) = problem {
            found.scores.insert(path.clone(), 0);
            let check = "python-syntax".to_owned();
            found.findings.push(Finding { path: path.clone(), line, column, check, text });
        }
    }
    found
}

/// The modules that a Python module may import, as paths below the output folder without extension; more than it does is harmless.
/// `package` is the output folder's name.
pub(super) fn imports(path: &str, text: &str, package: &str) -> Vec<String> {
    let folder: Vec<&str> = path.rsplit_once('/').map_or(Vec::new(), |(folder, _)| folder.split('/').collect());
    let mut found = Vec::new();
    let joined = text.replace("\\\n", " ");
    let mut lines = joined.lines();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        if let Some(rest) = line.strip_prefix("from ") {
            let Some((module, names)) = rest.split_once(" import ") else { continue };
            let mut names = names.to_owned();
            if names.contains('(') && !names.contains(')') {
                for more in lines.by_ref() {
                    names.push_str(more);
                    names.push(' ');
                    if more.contains(')') {
                        break;
                    }
                }
            }
            let module = module.trim();
            let level = module.bytes().take_while(|byte| *byte == b'.').count();
            let mut base: Vec<&str> = match level {
                0 => Vec::new(),
                level => folder[..folder.len().saturating_sub(level - 1)].to_vec(),
            };
            base.extend(module[level..].split('.').filter(|part| !part.is_empty()));
            if level == 0 {
                if base.first() != Some(&package) {
                    continue;
                }
                base.remove(0);
            }
            found.push(base.join("/"));
            for name in names.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| !name.is_empty()) {
                found.push([base.as_slice(), &[name]].concat().join("/"));
            }
        } else if let Some(rest) = line.strip_prefix("import ") {
            for module in rest.split(',') {
                let module = module.split_whitespace().next().unwrap_or_default();
                let mut parts: Vec<&str> = module.split('.').collect();
                if parts.first() == Some(&package) {
                    parts.remove(0);
                    found.push(parts.join("/"));
                }
            }
        }
    }
    found.retain(|module| !module.is_empty());
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_of_the_own_package_are_found() {
        let text = "import os, generated.models.a\nfrom ..models.model_b import (\n    B,\n    C,\n)\nfrom . import helper\nfrom generated.x import y\n    from .late import z\nfrom pydantic import BaseModel\n";
        let found = imports("tests/test_b.py", text, "generated");
        for module in ["models/a", "models/model_b", "tests/helper", "x", "x/y", "tests/late"] {
            assert!(found.contains(&module.to_owned()), "{module}: {found:?}");
        }
        assert!(!found.iter().any(|module| module.contains("pydantic")), "{found:?}");
    }

    #[test]
    fn syntax_errors_have_a_place() {
        let subject = |text: &str| Subject {
            artifacts: vec![("a.py".to_owned(), text.as_bytes().to_vec()), ("a.md".to_owned(), b"def".to_vec())],
            closure: Vec::new(),
        };
        assert!(python_syntax(&[subject("x = 1\n")]).findings.is_empty());
        let found = python_syntax(&[subject("x = 1\ny = (\n")]);
        assert_eq!((found.findings.len(), found.findings[0].line, found.scores["a.py"]), (1, 3, 0));
    }
}
