//! Nothing changed, and one thing changed, in a tree with all three outputs of every contract; `git` and `ninja` beside it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use super::{Bench, Rows, mb, median, ms, row, times};
use crate::{finish, quiet, read, write};

impl Bench {
    /// All that is done again and again; with tests, unless there are very many contracts.
    pub(super) fn idle_and_edits(&self, rows: &mut Rows) -> Result<(), String> {
        let project = match (self.large(), &self.ram) {
            (true, Some(ram)) => {
                let settings = "targets = [\"models\", \"validators\"]\n";
                self.project_in(ram, "again", settings, "jsonschema", self.contracts)?
            }
            _ => self.project("tests", "", "jsonschema")?,
        };
        self.measure(&self.build(&project, &[]))?;
        self.idle(rows, &project)?;
        self.edits(rows, &project)?;
        if self.large() { crate::remove(&project) } else { Ok(()) }
    }

    fn idle(&self, rows: &mut Rows, project: &Path) -> Result<(), String> {
        let said = self.build(project, &[]).output().map_err(|error| format!("omnigen: {error}"))?;
        if !String::from_utf8_lossy(&said.stderr).contains("nothing to do") {
            return Err("a second build found something to do".to_owned());
        }
        commit(project)?;
        let ninja = self.ninja(project)?;
        let (mut own, mut git, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..2 * self.short() {
            git.push(self.measure(git_in(project).arg("status"))?);
            own.push(self.measure(&self.build(project, &[]))?);
            if let Some(ninja) = &ninja {
                others.push(self.measure(ninja)?);
            }
        }
        let (own, git) = (median(&own), median(&git));
        row(rows, "`git status` of the same tree, wall", ms(git.wall), "");
        row(rows, "nothing changed, wall", ms(own.wall), "");
        row(rows, "nothing changed, CPU", ms(own.cpu), "");
        row(rows, "nothing changed, wall, of `git status`", times(own.wall / git.wall), "≤ 0.6 ×");
        if !others.is_empty() {
            let ninja = median(&others);
            row(rows, "`ninja` with the same edges, wall", ms(ninja.wall), "");
            row(rows, "nothing changed, wall, of `ninja`", times(own.wall / ninja.wall), "≤ 0.4 ×");
        }
        row(rows, "nothing changed, memory", mb(own), "");
        Ok(())
    }

    /// `ninja` for the same tree, once everything is up to date for it; nothing if it is not to be had.
    fn ninja(&self, project: &Path) -> Result<Option<Command>, String> {
        let Some(ninja) = &self.ninja else { return Ok(None) };
        let contracts = index(project)?;
        let path: BTreeMap<u64, &str> = contracts.iter().map(|(id, path, _)| (*id, path.as_str())).collect();
        let mut text = "rule make\n  command = true\n".to_owned();
        for (_, own, references) in &contracts {
            let outputs = outputs_of(own).into_iter().take(if self.large() { 2 } else { 3 }).collect::<Vec<_>>();
            let _ = write!(text, "build {}: make contracts/{own}", outputs.join(" "));
            let others: Vec<String> =
                references.iter().filter_map(|id| Some(format!("contracts/{}", path.get(id)?))).collect();
            let _ = if others.is_empty() { writeln!(text) } else { writeln!(text, " | {}", others.join(" ")) };
        }
        write(&project.join("build.ninja"), &text)?;
        let run = || {
            let mut command = Command::new(ninja);
            command.arg("-C").arg(project);
            command
        };
        if !quiet(&mut run()) {
            return Err("ninja has failed".to_owned());
        }
        let said = run().output().map_err(|error| format!("ninja: {error}"))?;
        if !String::from_utf8_lossy(&said.stdout).contains("no work to do") {
            return Err("ninja found something to do twice".to_owned());
        }
        Ok(Some(run()))
    }

    fn edits(&self, rows: &mut Rows, project: &Path) -> Result<(), String> {
        for (at, (pick, variant, what, goal)) in [
            ("leaf", "field", "a field added to a contract without referrers", "+ 25 ms"),
            ("leaf", "description", "one description edited", "+ 25 ms"),
            ("leaf", "comment", "one `$comment` edited", ""),
            ("hub", "field", "a field added to a hub", "by what it touches"),
        ]
        .into_iter()
        .enumerate()
        {
            // Each edit against a run without one right before it; the first run after an edit looks again at what was just
            // written, and is not that one.
            let (mut more, mut written, mut made) = (Vec::new(), Vec::new(), Vec::new());
            let profile = project.join(".omnigen/bench-profile.json");
            for round in 0..self.short() {
                self.measure(&self.build(project, &[]))?;
                let before = self.measure(&self.build(project, &[]))?;
                self.touch(project, pick, variant, at * self.short() + round + 1)?;
                let log = project.join(".omnigen/log");
                let known = read(&log).unwrap_or_default().len();
                let mut build = self.build(project, &[]);
                if pick == "hub" {
                    build.arg("--profile").arg(&profile);
                }
                let after = self.measure(&build)?;
                more.push(after.wall - before.wall);
                if pick == "hub" {
                    let count = made_by(&read(&profile)?).max(1);
                    made.push((count, (after.wall - before.wall) / count as f64));
                }
                let log = read(&log).unwrap_or_default();
                written.push(log.get(known..).unwrap_or_default().lines().map(outputs_in).sum::<u64>());
            }
            more.sort_by(f64::total_cmp);
            written.sort_unstable();
            row(
                rows,
                &format!("{what}, wall beyond nothing changed"),
                format!("+ {}", ms(more[self.short() / 2])),
                goal,
            );
            row(rows, &format!("{what}, outputs written"), written[self.short() / 2].to_string(), "");
            made.sort_by_key(|(count, _)| *count);
            if let Some((count, _)) = made.get(self.short() / 2) {
                row(rows, &format!("{what}, artifacts made again, by their traces"), count.to_string(), "");
                made.sort_by(|(_, a), (_, b)| a.total_cmp(b));
                let each = format!("{:.2} ms", made[self.short() / 2].1 * 1e3);
                row(rows, &format!("{what}, wall for each of them"), each, "");
            }
        }
        Ok(())
    }
}

/// How many artifacts a run has made, as its profile tells.
fn made_by(profile: &str) -> u64 {
    let profile: serde_json::Value = serde_json::from_str(profile).unwrap_or_default();
    let events = profile["traceEvents"].as_array().or(profile.as_array());
    let made = |event: &serde_json::Value| (event["name"] == "make").then(|| event["args"]["artifacts"].as_u64());
    events.into_iter().flatten().filter_map(made).flatten().sum()
}

/// How many outputs a revision of the log has written.
fn outputs_in(revision: &str) -> u64 {
    let revision: serde_json::Value = serde_json::from_str(revision).unwrap_or_default();
    let listed = revision["artifacts"].as_array().map_or(0, |artifacts| artifacts.len() as u64);
    listed + revision["more_artifacts"].as_u64().unwrap_or(0)
}

/// The contracts of a synthetic tree: number, path, and the numbers of those that it refers to.
pub(super) fn index(project: &Path) -> Result<Vec<(u64, String, Vec<u64>)>, String> {
    let text = read(&project.join("contracts/_index.jsonl"))?;
    let line = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        let references = value["refs"].as_array()?.iter().filter_map(serde_json::Value::as_u64).collect();
        Some((value["id"].as_u64()?, value["path"].as_str()?.to_owned(), references))
    };
    text.lines().map(|own| line(own).ok_or_else(|| format!("_index.jsonl: {own}"))).collect()
}

/// The outputs of a contract `folder/name.schema.json`, from the project's root.
pub(super) fn outputs_of(contract: &str) -> Vec<String> {
    let stem = contract.strip_suffix(".schema.json").unwrap_or(contract);
    let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
    let output = |kind: &str| format!("generated/{kind}s/{folder}/{kind}_{name}.py");
    ["model", "validator", "test"].map(output).to_vec()
}

/// A repository of the whole tree, whose index is fresh.
fn commit(project: &Path) -> Result<(), String> {
    finish("git init", git_in(project).args(["init", "--quiet"]))?;
    finish("git add", git_in(project).args(["add", "."]))?;
    let mut commit = git_in(project);
    commit.args(["-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "--message", "all"]);
    finish("git commit", &mut commit)?;
    if quiet(git_in(project).arg("status")) { Ok(()) } else { Err("git status has failed".to_owned()) }
}

/// Git in a folder, without what its user has set up.
fn git_in(project: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(project).args([
        "-c",
        "core.fsmonitor=false",
        "-c",
        "gc.auto=0",
        "-c",
        "core.hooksPath=",
        "-c",
        "core.excludesFile=",
    ]);
    command
}
