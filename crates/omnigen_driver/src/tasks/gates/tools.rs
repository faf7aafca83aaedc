//! Checks by tools that Python people trust, or by any program: run in a folder with the artifacts, what these import, and the
//! declared files; their reports read back as findings.

use std::collections::{BTreeMap, BTreeSet};

use omnigen_agents::Tool;
use omnigen_disk::Scratch;

use super::{Finding, Found, Gate, Subject};
use crate::config::Check;

/// Runs one check over a batch.
pub(super) fn run(gate: &Gate, check: &Check, subjects: &[Subject], out: &str) -> Result<Found, String> {
    let room = Room::make(gate, subjects, out)?;
    let python: Vec<&String> =
        room.artifacts.iter().filter(|path| path.ends_with(".py") || path.ends_with(".pyi")).collect();
    match check {
        Check::Ruff if python.is_empty() => Ok(Found::default()),
        Check::Mypy if python.is_empty() => Ok(Found::default()),
        Check::Ruff => {
            let said = room.call(gate, &["ruff", "check", "--no-cache", "--output-format", "json", "--"], &python)?;
            // 1: there are findings.
            if said.status > 1 {
                return Err(format!("ruff: {}", said.tail()));
            }
            let list: Vec<serde_json::Value> =
                serde_json::from_str(&said.stdout).map_err(|error| format!("ruff's report: {error}"))?;
            let number = |value: &serde_json::Value| value.as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
            let finding = |item: &serde_json::Value| Finding {
                path: room.below(item["filename"].as_str().unwrap_or_default()),
                line: number(&item["location"]["row"]),
                column: number(&item["location"]["column"]),
                check: format!("ruff {}", item["code"].as_str().unwrap_or("syntax")),
                text: item["message"].as_str().unwrap_or_default().to_owned(),
            };
            Ok(Found::of(list.iter().map(finding).collect()))
        }
        Check::Mypy => {
            // Of the project's own modules it keeps digests, so that another text is read again.
            let cache = format!("--cache-dir={}", gate.cache);
            let arguments = [
                "mypy",
                "--strict",
                "--no-color-output",
                "--no-error-summary",
                "--show-column-numbers",
                "--no-pretty",
                &cache,
                "--",
            ];
            let said = room.call(gate, &arguments, &python)?;
            if said.status > 1 {
                return Err(format!("mypy: {}", said.tail()));
            }
            let findings = said.stdout.lines().filter_map(|line| room.line(line, "mypy"));
            Ok(Found::of(findings.filter(|finding| !finding.text.starts_with("note:")).collect()))
        }
        Check::Pytest(coverage) => pytest(gate, &room, *coverage),
        Check::Command(command) => {
            let words: Vec<&str> = command.iter().map(String::as_str).collect();
            let all: Vec<&String> = room.artifacts.iter().collect();
            let said = room.call(gate, &words, &all)?;
            if said.status == 0 {
                return Ok(Found::default());
            }
            let findings: Vec<Finding> = said
                .stdout
                .lines()
                .chain(said.stderr.lines())
                .filter_map(|line| room.line(line, &command[0]))
                .collect();
            if !findings.is_empty() {
                return Ok(Found::of(findings));
            }
            // It does not say which: none of them passes.
            let finding = |path: &String| Finding {
                path: path.clone(),
                line: 0,
                column: 0,
                check: command[0].clone(),
                text: format!("exited with status {}: {}", said.status, said.tail()),
            };
            let paths = room.paths.iter();
            Ok(Found {
                scores: paths.clone().map(|path| (path.clone(), 0)).collect(),
                findings: paths.map(finding).collect(),
            })
        }
        Check::PythonSyntax | Check::JsonSchema(_) => Ok(Found::default()),
    }
}

/// Runs tests among the artifacts; a file's score is the share of its tests that pass.
fn pytest(gate: &Gate, room: &Room, coverage: Option<u32>) -> Result<Found, String> {
    let is_test =
        |path: &&String| path.rsplit('/').next().is_some_and(|name| name.starts_with("test_") && name.ends_with(".py"));
    let tests: Vec<&String> = room.artifacts.iter().filter(is_test).collect();
    if tests.is_empty() {
        return Ok(Found::default());
    }
    let mut arguments = vec!["python3"];
    if coverage.is_some() {
        arguments.extend(["-m", "coverage", "run", "--branch"]);
    }
    arguments.extend(["-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header", "-rA", "--tb=line", "--"]);
    let said = room.call(gate, &arguments, &tests)?;
    if said.status > 1 && said.status != 2 {
        return Err(format!("pytest: {}", said.tail()));
    }
    let mut counts: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let mut findings = Vec::new();
    for line in said.stdout.lines() {
        let Some((word, rest)) = line.split_once(' ') else { continue };
        let passed = match word {
            "PASSED" => true,
            "FAILED" | "ERROR" => false,
            _ => continue,
        };
        let file = rest.split([':', ' ']).next().unwrap_or_default();
        let path = room.below(file);
        let count = counts.entry(path.clone()).or_default();
        count.1 += 1;
        count.0 += u32::from(passed);
        if !passed {
            let text = rest.split_once("::").map_or(rest, |(_, test)| test).to_owned();
            findings.push(Finding { path, line: 0, column: 0, check: "pytest".to_owned(), text });
        }
    }
    // A file without any test proves nothing.
    let mut scores: BTreeMap<String, u32> = tests.iter().map(|path| (room.below(path), 0)).collect();
    for (path, (passed, all)) in counts {
        scores.insert(path, passed * 1000 / all.max(1));
    }
    if let Some(least) = coverage {
        let said = room.call(gate, &["python3", "-m", "coverage", "json", "-q", "-o", "coverage.json"], &[])?;
        let report =
            room.folder.read("coverage.json").map_err(|error| format!("coverage: {error}: {}", said.tail()))?;
        let report: serde_json::Value =
            serde_json::from_slice(&report).map_err(|error| format!("coverage's report: {error}"))?;
        let (mut covered, mut all) = (0, 0);
        for (file, data) in report["files"].as_object().into_iter().flatten() {
            if !is_test(&&file.clone()) && file.starts_with(&format!("{}/", room.out)) {
                let number = |name: &str| data["summary"][name].as_u64().unwrap_or(0);
                covered += number("covered_lines") + number("covered_branches");
                all += number("num_statements") + number("num_branches");
            }
        }
        let share = (covered * 1000).checked_div(all).map_or(1000, |share| share as u32);
        if share < least {
            let percent = |share: u32| format!("{}.{} %", share / 10, share % 10);
            let text = format!("{} of what is tested is covered, and {} are wanted", percent(share), percent(least));
            for (path, score) in &mut scores {
                *score = (*score).min(share * 1000 / least.max(1));
                let check = "pytest coverage".to_owned();
                findings.push(Finding { path: path.clone(), line: 0, column: 0, check, text: text.clone() });
            }
        }
    }
    Ok(Found { scores, findings })
}

/// A folder with a batch in it.
struct Room {
    folder: Scratch,
    out: String,
    /// Paths of the artifacts, from the folder.
    artifacts: Vec<String>,
    /// The same from the output folder.
    paths: Vec<String>,
}

impl Room {
    fn make(gate: &Gate, subjects: &[Subject], out: &str) -> Result<Room, String> {
        let folder = Scratch::new().map_err(|error| format!("the scratch folder cannot be made: {}", error.kind()))?;
        let write = |path: &str, bytes: &[u8]| folder.write(path, bytes).map_err(|error| format!("`{path}`: {error}"));
        for (path, bytes) in &gate.files {
            write(path, bytes)?;
        }
        let mut written: BTreeSet<String> = BTreeSet::new();
        let mut artifacts = Vec::new();
        let mut paths = Vec::new();
        for subject in subjects {
            for (path, bytes) in &subject.artifacts {
                let full = format!("{out}/{path}");
                write(&full, bytes)?;
                written.insert(full.clone());
                artifacts.push(full);
                paths.push(path.clone());
            }
        }
        for (path, bytes) in subjects.iter().flat_map(|subject| &subject.closure) {
            let full = format!("{out}/{path}");
            if written.insert(full.clone()) {
                write(&full, bytes)?;
            }
        }
        // A package has a file in each of its folders, whether or not it has been written yet.
        let folders: BTreeSet<String> = written
            .iter()
            .filter(|path| path.ends_with(".py"))
            .flat_map(|path| path.match_indices('/').map(|(end, _)| format!("{}/__init__.py", &path[..end])))
            .collect();
        for init in folders.into_iter().filter(|init| !written.contains(init)) {
            write(&init, b"")?;
        }
        artifacts.sort();
        Ok(Room { folder, out: out.to_owned(), artifacts, paths })
    }

    fn call(&self, gate: &Gate, words: &[&str], files: &[&String]) -> Result<omnigen_agents::Said, String> {
        let command = words.iter().map(|word| (*word).to_owned()).chain(files.iter().map(|path| (*path).clone()));
        let tool = Tool {
            command: command.collect(),
            folder: self.folder.path().to_path_buf(),
            environment: gate.environment.clone(),
            timeout: gate.config.timeout,
        };
        tool.run()
    }

    /// A path of a report, as one below the output folder.
    fn below(&self, path: &str) -> String {
        let root = self.folder.path().to_string_lossy();
        let path = path.strip_prefix(&*root).unwrap_or(path).trim_start_matches(['/', '.']);
        path.strip_prefix(self.out.as_str()).map_or(path, |rest| rest.trim_start_matches('/')).to_owned()
    }

    /// `path:line:column: text`, as compilers have it.
    fn line(&self, line: &str, check: &str) -> Option<Finding> {
        let mut parts = line.splitn(4, ':');
        let path = parts.next()?;
        if !self.artifacts.iter().any(|artifact| artifact == path.trim_start_matches("./")) {
            return None;
        }
        let number = parts.next()?.trim().parse().ok()?;
        let third = parts.next().unwrap_or_default();
        let (column, text) = match (third.trim().parse(), parts.next()) {
            (Ok(column), Some(text)) => (column, text.to_owned()),
            (_, rest) => (0, rest.map_or_else(|| third.to_owned(), |rest| format!("{third}:{rest}"))),
        };
        let text = text.trim().trim_start_matches("error: ").to_owned();
        Some(Finding { path: self.below(path), line: number, column, check: check.to_owned(), text })
    }
}
