//! What a build costs, as a committed table. Figures are for reading: nothing is asserted about time.
//!
//! Everything is measured in one run on one machine; where that matters, what is compared takes turns. Knows the goals.

mod cold;
mod idle;
mod onex;
mod watching;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::conformance::Setup;
use crate::{finish, quiet, read, remove, write};

/// How many contracts the committed table is about.
pub(crate) const CONTRACTS: usize = 10_000;

/// How many the second table is about: what is linear there, and what is not.
const MANY: usize = 100_000;

/// The committed tables, from the root.
const TABLE: &str = "tests/bench.md";
const LARGE: &str = "tests/bench_100k.md";

/// How often short and long runs are repeated; the median counts.
const SHORT: usize = 7;
const LONG: usize = 3;
/// The same with very many contracts.
const FEW: usize = 3;

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
    let target = crate::target(root)?;
    let ninja = crate::python::environment_of(root, "tests/bench-requirements.txt", &target.join("bench-venv"));
    let bench = Bench {
        folder: target.join("bench"),
        ram: ram(),
        contracts,
        tool,
        without_tests: Cell::new(0.0),
        ninja: ninja.ok().map(|python| python.with_file_name(format!("ninja{}", std::env::consts::EXE_SUFFIX))),
        setup,
    };
    let begin = load();
    let mut rows = Rows::new();
    // The table grows part by part: the long ones come last.
    let parts: &[Part] = match bench.large() {
        true => &[Bench::pair, Bench::idle_and_edits, Bench::watching],
        false => {
            &[Bench::pair, Bench::with_tests, Bench::idle_and_edits, Bench::watching, Bench::schemastore, Bench::onex]
        }
    };
    let usual = read(&root.join(TABLE)).unwrap_or_default();
    for part in parts {
        part(&bench, &mut rows)?;
        let text = table(&bench, &usual, &begin, &load(), &rows);
        match contracts {
            CONTRACTS => write(&root.join(TABLE), &text)?,
            MANY => write(&root.join(LARGE), &text)?,
            _ => write(&bench.folder.join(format!("bench-{contracts}.md")), &text)?,
        }
    }
    bench.ram.iter().try_for_each(|ram| remove(ram))
}

/// The load average of the last minute.
fn load() -> String {
    let load = read(Path::new("/proc/loadavg")).unwrap_or_default();
    load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}

/// A folder of our own in memory, where the system has such.
fn ram() -> Option<PathBuf> {
    let shm = Path::new("/dev/shm");
    shm.is_dir().then(|| shm.join(format!("omnigen-bench-{}", std::process::id())))
}

/// What the table of the usual size says of a row.
fn usually<'t>(usual: &'t str, what: &str) -> &'t str {
    let figure = |line: &'t str| line.strip_prefix("| ")?.strip_prefix(what)?.strip_prefix(" | ")?.split(" | ").next();
    usual.lines().find_map(figure).unwrap_or_default()
}

fn table(bench: &Bench, usual: &str, begin: &str, end: &str, rows: &Rows) -> String {
    let contracts = bench.contracts;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let busy = |load: &str| load.parse::<f64>().is_ok_and(|load| load > 1.0);
    let noise = if busy(begin) {
        "**The machine was busy with other work**: wall times, latencies and `-j2` against `-j1` say more about that than about \
         omnigen; ratios of what took turns, CPU and memory can be compared"
    } else {
        "The machine was quiet when it began"
    };
    let (short, long) = (bench.short(), bench.long());
    let (task, tests, third) = match bench.large() {
        true => {
            (format!("bench --n {contracts}"), "no tests are made, and what is computed is measured once", "At 10,000")
        }
        false => ("bench".to_owned(), "runs with tests were made once", "Goal"),
    };
    let mut text = format!(
        "<!-- Written by `cargo xtask {task}`. Do not edit. -->

Release build, {contracts} JSON contracts by `synth_contracts.py`, {cores} cores, everything in one run. {noise} (load average \
{begin} when it began, {end} at the end, its own work included). The median of {short}, of {long} where a run writes all outputs; \
{tests}. What is compared took turns. `cold` is on a RAM disk where the system has one.

| What | Figure | {third} |
|---|---:|---:|
"
    );
    for (what, figure, goal) in rows {
        let third = if bench.large() { usually(usual, what) } else { goal };
        text += &format!("| {what} | {figure} | {third} |\n");
    }
    text
}

type Rows = Vec<(String, String, String)>;

/// Measures some rows.
type Part = fn(&Bench, &mut Rows) -> Result<(), String>;

struct Bench {
    setup: Setup,
    folder: PathBuf,
    /// A folder in memory.
    ram: Option<PathBuf>,
    contracts: usize,
    /// Writes and edits the contracts.
    tool: PathBuf,
    /// CPU of models and validators alone, cold.
    without_tests: Cell<f64>,
    /// The program, if it could be installed.
    ninja: Option<PathBuf>,
}

impl Bench {
    /// Are there so many contracts that everything takes long?
    fn large(&self) -> bool {
        self.contracts >= MANY
    }

    fn short(&self) -> usize {
        if self.large() { FEW } else { SHORT }
    }

    fn long(&self) -> usize {
        if self.large() { 1 } else { LONG }
    }

    /// A project with fresh contracts and no outputs.
    fn project(&self, name: &str, settings: &str, format: &str) -> Result<PathBuf, String> {
        self.project_in(&self.folder, name, settings, format, self.contracts)
    }

    fn project_in(
        &self,
        folder: &Path,
        name: &str,
        settings: &str,
        format: &str,
        contracts: usize,
    ) -> Result<PathBuf, String> {
        let project = folder.join(name);
        remove(&project)?;
        write(&project.join("omnigen.toml"), &format!("[project]\nname = \"{name}\"\n{settings}"))?;
        write(&project.join(".gitignore"), ".omnigen/\nbuild.ninja\n.ninja_*\n")?;
        finish("synth_contracts.py", &mut self.synth(&project, format, contracts))?;
        Ok(project)
    }

    fn synth(&self, project: &Path, format: &str, contracts: usize) -> Command {
        let mut command = Command::new(&self.setup.python);
        command.arg(&self.tool).args(["--n", &contracts.to_string(), "--format", format, "--out"]);
        command.arg(project.join("contracts"));
        command
    }

    fn touch(&self, project: &Path, pick: &str, variant: &str, round: usize) -> Result<(), String> {
        let mut command = self.synth(project, "jsonschema", self.contracts);
        command.args(["--touch", "1", "--pick", pick, "--variant", variant, "--round", &round.to_string()]);
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

fn times(ratio: f64) -> String {
    format!("{ratio:.2} ×")
}

fn mb(cost: Cost) -> String {
    format!("{:.0} MB", cost.mb)
}

/// Removes outputs and what omnigen remembers.
fn clean(project: &Path) -> Result<(), String> {
    remove(&project.join("generated"))?;
    remove(&project.join(".omnigen"))
}
