//! What a build costs, as a committed table. Figures are for reading: nothing is asserted about time.
//!
//! Everything is measured in one run on one machine; where that matters, what is compared takes turns. Knows the goals.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::conformance::{Setup, schemastore};
use crate::{finish, quiet, read, remove, write};

/// How many contracts the committed table is about.
pub(crate) const CONTRACTS: usize = 10_000;

/// The committed table, from the root.
const TABLE: &str = "tests/bench.md";

/// How often short and long runs are repeated; the median counts.
const SHORT: usize = 7;
const LONG: usize = 3;

/// What a run has cost: wall and CPU in seconds, the largest resident set in MB.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
    mb: f64,
}

/// Measures everything with `contracts` contracts.
pub(crate) fn run(root: &Path, contracts: usize) -> Result<(), String> {
    let Some(setup) = Setup::new(root)? else {
        println!("xtask: skipped: there is no corpus at ../shared/corpus; {TABLE} stays as it is");
        return Ok(());
    };
    let tool = crate::shared(root).unwrap_or_default().join("tools/synth_contracts.py");
    let bench = Bench { folder: crate::target(root)?.join("bench"), contracts, tool, setup };
    let load = read(Path::new("/proc/loadavg")).unwrap_or_default();
    let load = load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned();
    let mut rows = Rows::new();
    // The table grows part by part: the long ones come last.
    for part in [Bench::pair, Bench::schemastore, Bench::all_three] {
        part(&bench, &mut rows)?;
        let text = table(contracts, &load, &rows);
        if contracts == CONTRACTS {
            write(&root.join(TABLE), &text)?;
        } else {
            write(&bench.folder.join("bench.md"), &text)?;
        }
    }
    Ok(())
}

fn table(contracts: usize, load: &str, rows: &Rows) -> String {
    let mut text = format!(
        "<!-- Written by `cargo xtask bench`. Do not edit. -->

Release build, {contracts} JSON contracts by `synth_contracts.py`, measured on a shared 2-core machine in one run. The load
average was {load} when it began: above 1, wall times and `-j2` against `-j1` say more about the machine than about omnigen;
CPU, memory and ratios of what took turns can be compared. The median of {SHORT}, of {LONG} where a run writes all outputs;
the runs with tests were made once.

| What | Figure | Goal |
|---|---:|---:|
"
    );
    for (what, figure, goal) in rows {
        text += &format!("| {what} | {figure} | {goal} |\n");
    }
    text
}

type Rows = Vec<(String, String, String)>;

struct Bench {
    setup: Setup,
    folder: PathBuf,
    contracts: usize,
    /// Writes and edits the contracts.
    tool: PathBuf,
}

impl Bench {
    /// Models and validators: cold, computing alone, nothing changed, one thing changed.
    fn pair(&self, rows: &mut Rows) -> Result<(), String> {
        let project = self.project("pair", "targets = [\"models\", \"validators\"]\n")?;
        let what = "models and validators";
        self.computing(rows, &project, what)?;
        self.cold(rows, &project, what)?;

        let said = Command::new(&self.setup.omnigen)
            .args(["build", "-C"])
            .arg(&project)
            .output()
            .map_err(|error| format!("omnigen: {error}"))?;
        if !String::from_utf8_lossy(&said.stderr).contains("nothing to do") {
            return Err("a second build found something to do".to_owned());
        }
        commit(&project)?;
        let (mut idle, mut git) = (Vec::new(), Vec::new());
        for _ in 0..SHORT {
            git.push(self.measure(git_in(&project).arg("status"))?);
            idle.push(self.measure(&self.build(&project, &[]))?);
        }
        let (idle, git) = (median(&idle), median(&git));
        row(rows, "`git status` of the same tree, wall", ms(git.wall), "");
        row(rows, "nothing changed, wall", ms(idle.wall), "");
        row(rows, "nothing changed, wall, of `git status`", format!("{:.2} ×", idle.wall / git.wall), "< 1 ×");
        row(rows, "nothing changed, memory", mb(idle), "");

        for (at, (variant, what, goal)) in [
            ("field", "a field added to a contract without referrers", "+ 50 ms"),
            ("description", "one description edited", "+ 50 ms"),
            ("comment", "one `$comment` edited", ""),
        ]
        .into_iter()
        .enumerate()
        {
            // Each edit against a run without one right before it.
            let mut more = Vec::new();
            for round in 0..SHORT {
                let before = self.measure(&self.build(&project, &[]))?;
                self.touch(&project, variant, at * SHORT + round + 1)?;
                let after = self.measure(&self.build(&project, &[]))?;
                more.push(after.wall - before.wall);
            }
            more.sort_by(f64::total_cmp);
            row(rows, &format!("{what}, wall beyond nothing changed"), format!("+ {}", ms(more[SHORT / 2])), goal);
        }
        Ok(())
    }

    /// The same with tests.
    fn all_three(&self, rows: &mut Rows) -> Result<(), String> {
        let project = self.project("tests", "")?;
        let cost = self.measure(&self.build(&project, &["--check", "-j2"]))?;
        row(rows, "with tests, computing, `-j2`, CPU", seconds(cost.cpu), "");
        row(rows, "with tests, computing, `-j2`, memory", mb(cost), "");
        Ok(())
    }

    /// The set of real schemas.
    fn schemastore(&self, rows: &mut Rows) -> Result<(), String> {
        let project = self.setup.project("schemastore-bench", "[python]\nformat = \"assert\"\n")?;
        schemastore::lay_out(&self.setup, &project)?;
        let mut costs = Vec::new();
        for _ in 0..SHORT {
            clean(&project)?;
            costs.push(self.measure(&self.build(&project, &[]))?);
        }
        let cost = median(&costs);
        row(rows, "SchemaStore, all three, cold, CPU", seconds(cost.cpu), "< 2 s");
        row(rows, "SchemaStore, all three, cold, wall", seconds(cost.wall), "");
        row(rows, "SchemaStore, all three, cold, memory", mb(cost), "");
        Ok(())
    }

    /// Everything but writing: a check where there are no outputs.
    fn computing(&self, rows: &mut Rows, project: &Path, what: &str) -> Result<(), String> {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for _ in 0..SHORT {
            one.push(self.measure(&self.build(project, &["--check", "-j1"]))?);
            two.push(self.measure(&self.build(project, &["--check", "-j2"]))?);
        }
        let (one, two) = (median(&one), median(&two));
        for (cost, threads) in [(one, "-j1"), (two, "-j2")] {
            row(rows, &format!("{what}, computing, `{threads}`, CPU"), seconds(cost.cpu), "≤ 1.5 s");
            row(rows, &format!("{what}, computing, `{threads}`, wall"), seconds(cost.wall), "");
            row(rows, &format!("{what}, computing, `{threads}`, memory"), mb(cost), "≤ 450 MB");
        }
        row(
            rows,
            &format!("{what}, computing, `-j2` faster than `-j1`"),
            format!("{:.2} ×", one.wall / two.wall),
            "≥ 1.5 ×",
        );
        Ok(())
    }

    /// Everything; leaves the outputs there.
    fn cold(&self, rows: &mut Rows, project: &Path, what: &str) -> Result<(), String> {
        for threads in ["-j1", "-j2"] {
            let mut costs = Vec::new();
            for _ in 0..LONG {
                clean(project)?;
                costs.push(self.measure(&self.build(project, &[threads]))?);
            }
            let cost = median(&costs);
            row(rows, &format!("{what}, cold, `{threads}`, CPU"), seconds(cost.cpu), "");
            row(rows, &format!("{what}, cold, `{threads}`, wall"), seconds(cost.wall), "");
            row(rows, &format!("{what}, cold, `{threads}`, memory"), mb(cost), "≤ 450 MB");
        }
        Ok(())
    }

    /// A project with fresh contracts and no outputs.
    fn project(&self, name: &str, settings: &str) -> Result<PathBuf, String> {
        let project = self.folder.join(name);
        remove(&project)?;
        write(&project.join("omnigen.toml"), &format!("[project]\nname = \"{name}\"\n{settings}"))?;
        write(&project.join(".gitignore"), ".omnigen/\n")?;
        finish("synth_contracts.py", &mut self.synth(&project))?;
        Ok(project)
    }

    fn synth(&self, project: &Path) -> Command {
        let mut command = Command::new(&self.setup.python);
        command.arg(&self.tool).args(["--n", &self.contracts.to_string(), "--format", "jsonschema", "--out"]);
        command.arg(project.join("contracts"));
        command
    }

    fn touch(&self, project: &Path, variant: &str, round: usize) -> Result<(), String> {
        let mut command = self.synth(project);
        command.args(["--touch", "1", "--pick", "leaf", "--variant", variant, "--round", &round.to_string()]);
        if quiet(&mut command) { Ok(()) } else { Err("synth_contracts.py --touch has failed".to_owned()) }
    }

    fn build(&self, project: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.setup.omnigen);
        command.args(["build", "-C"]).arg(project).args(arguments);
        command
    }

    /// Runs a program once.
    fn measure(&self, command: &Command) -> Result<Cost, String> {
        let output = Command::new(&self.setup.python)
            .arg(self.setup.scripts.join("measure.py"))
            .arg(command.get_program())
            .args(command.get_args())
            .output()
            .map_err(|error| format!("measure.py: {error}"))?;
        let error = |what: String| format!("measure.py: {what}\n{}", String::from_utf8_lossy(&output.stderr));
        let said: serde_json::Value =
            serde_json::from_slice(&output.stdout).map_err(|parse| error(parse.to_string()))?;
        // 1: a check that found something, or a contract with an error.
        if !matches!(said["code"].as_i64(), Some(0 | 1)) {
            return Err(format!("{command:?}: exit code {}", said["code"]));
        }
        let figure = |name: &str| said[name].as_f64().ok_or_else(|| error(format!("no {name}")));
        Ok(Cost { wall: figure("wall")?, cpu: figure("cpu")?, mb: figure("mb")? })
    }
}

/// The median of each figure by itself.
fn median(costs: &[Cost]) -> Cost {
    let middle = |figure: fn(&Cost) -> f64| {
        let mut figures: Vec<f64> = costs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    Cost { wall: middle(|cost| cost.wall), cpu: middle(|cost| cost.cpu), mb: middle(|cost| cost.mb) }
}

fn row(rows: &mut Rows, what: &str, figure: String, goal: &str) {
    println!("{what}: {figure}");
    rows.push((what.to_owned(), figure, goal.to_owned()));
}

fn seconds(time: f64) -> String {
    format!("{time:.2} s")
}

fn ms(time: f64) -> String {
    format!("{:.0} ms", time * 1e3)
}

fn mb(cost: Cost) -> String {
    format!("{:.0} MB", cost.mb)
}

/// Removes outputs and what omnigen remembers.
fn clean(project: &Path) -> Result<(), String> {
    remove(&project.join("generated"))?;
    remove(&project.join(".omnigen"))
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
