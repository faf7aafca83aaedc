//! What agents cost beside their own time, as a committed table. Figures are for reading; that the right agents were started is
//! checked.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::{finish, read, remove, write};

/// The committed table, from the root.
const TABLE: &str = "tests/bench_agents.md";
/// How often short runs are repeated; the median counts.
const TURNS: usize = 5;
/// Tasks of the large project.
const MANY: usize = 10_000;
/// Tasks whose cold overhead is measured.
const COLD: usize = 500;

struct Bench {
    omnigen: PathBuf,
    agent: PathBuf,
    folder: PathBuf,
}

/// Measures everything.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let target = crate::target(root)?;
    let folder = target.join("bench-agents");
    remove(&folder)?;
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let agent = folder.join("brief");
    let mut compile = Command::new("rustc");
    compile.args(["--edition", "2021", "-O", "-o"]).arg(&agent).arg(root.join("tests/agents/brief.rs"));
    finish("rustc", &mut compile)?;
    let bench = Bench { omnigen: crate::release(root, &target)?, agent, folder };
    let load = read(Path::new("/proc/loadavg")).unwrap_or_default();
    let load = load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned();
    let mut rows: Vec<[String; 3]> = Vec::new();
    for part in [Bench::waves, Bench::lifecycle, Bench::cold, Bench::signals, Bench::wide, Bench::many] {
        part(&bench, &mut rows)?;
        let mut text = format!(
            "<!-- Written by `cargo xtask bench-agents`. Do not edit. -->

Release build, a small compiled agent in its sandbox, on a shared 2-core machine with a load average of {load} when it began; what is short is the
median of {TURNS}. Times are wall times, the start of omnigen included.

| What | Figure | Goal |
|---|---:|---:|
"
        );
        rows.iter().for_each(|[what, figure, goal]| text += &format!("| {what} | {figure} | {goal} |\n"));
        write(&root.join(TABLE), &text)?;
    }
    Ok(())
}

impl Bench {
    /// Fifty agents, twenty at a time, ten of which need another one's artifact.
    fn waves(&self, rows: &mut Vec<[String; 3]>) -> Result<(), String> {
        let project = self.project("waves", 50, &[("page", "page", "200", "ask", "")], "io = 20\n", 20)?;
        let time = self.repeated(TURNS, || {
            clean(&project)?;
            self.build(&project, "50 agent calls")
        })?;
        row(
            rows,
            "50 agents of 200 ms, 20 at a time, 10 of which need another's artifact (three waves: 600 ms)",
            ms(time),
            "≤ 650 ms",
        );
        Ok(())
    }

    /// Three agents one after the other, with a message between two.
    fn lifecycle(&self, rows: &mut Vec<[String; 3]>) -> Result<(), String> {
        let targets = [
            ("first", "first", "50", "tell", "needs = [\"models\"]"),
            ("second", "second", "50", "", "listens = [\"first\"]\nneeds = [\"validators\"]"),
            ("third", "third", "50", "", "needs = [\"second\", \"tests\"]"),
        ];
        let project = self.project("lifecycle", 1, &targets, "", 5)?;
        let config = project.join("omnigen.toml");
        let text = read(&config)?.replace("targets = [", "targets = [\"models\", \"validators\", \"tests\", ");
        write(&config, &text)?;
        let mut all = Vec::new();
        for _ in 0..TURNS {
            clean(&project)?;
            self.timed(&project, &["build", "--events", "events.jsonl"], "3 agent calls")?;
            let (mut own, mut first, mut last) = (0.0, f64::MAX, 0.0_f64);
            for line in read(&project.join("events.jsonl"))?.lines() {
                let event: serde_json::Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
                let at = event["at_millis"].as_f64().unwrap_or(0.0);
                match event["event"].as_str() {
                    Some("started") => first = first.min(at),
                    Some("completed") => {
                        own += event["millis"].as_f64().unwrap_or(0.0);
                        last = last.max(at);
                    }
                    _ => {}
                }
            }
            all.push((last - first - own).max(0.0) / 1000.0);
        }
        row(
            rows,
            "contract → model → validator → tests with three agents and a message: coordination, first start to last answer, less the agents' own time",
            ms(median(all)),
            "≤ 5 ms",
        );
        Ok(())
    }

    /// What a task costs beside its process.
    fn cold(&self, rows: &mut Vec<[String; 3]>) -> Result<(), String> {
        let project = self.project("cold", COLD, &[("page", "page", "0", "", "")], "", 1)?;
        let task = "{\"protocol\":1,\"task\":{\"id\":\"page:contracts/c00001.json\",\"target\":\"page\",\"contract\":\"contracts/c00001.json\",\"outputs\":[\"page/c00001.md\"]},\"context\":{}}\n";
        let mut more = Vec::new();
        for _ in 0..TURNS {
            let started = Instant::now();
            for _ in 0..COLD {
                self.alone(&["0"], task)?;
            }
            let bare = started.elapsed().as_secs_f64();
            clean(&project)?;
            let whole = self.build(&project, &format!("{COLD} agent calls"))?;
            more.push((whole - bare) / COLD as f64);
        }
        row(
            rows,
            "a task, one after the other, beyond starting its process and hearing it out",
            us(median(more)),
            "≤ 1,000 µs",
        );
        Ok(())
    }

    /// What a signal costs.
    fn signals(&self, rows: &mut Vec<[String; 3]>) -> Result<(), String> {
        let project = self.project("signals", 1, &[("page", "page", "0", "signals", "")], "", 1)?;
        let task = "{\"task\":{\"contract\":\"contracts/c00001.json\",\"outputs\":[\"page/c00001.md\"]}}\n";
        let mut more = Vec::new();
        for _ in 0..TURNS {
            let started = Instant::now();
            self.alone(&["0", "signals"], task)?;
            let bare = started.elapsed().as_secs_f64();
            clean(&project)?;
            let whole = self.timed(&project, &["build", "--events", "events.jsonl"], "1 agent call")?;
            more.push(((whole - bare) / 10_000.0).max(0.0));
        }
        row(
            rows,
            "a signal, mean of 10,000, written as an event, beyond reading the line",
            us(median(more)),
            "≤ 20 µs",
        );
        Ok(())
    }

    /// Two hundred agents, a hundred at a time.
    fn wide(&self, rows: &mut Vec<[String; 3]>) -> Result<(), String> {
        let wide = self.project("wide", 200, &[("page", "page", "200", "", "")], "io = 100\n", 100)?;
        let time = self.repeated(TURNS, || {
            clean(&wide)?;
            self.build(&wide, "200 agent calls")
        })?;
        let narrow = self.project("narrow", 200, &[("page", "page", "200", "", "")], "io = 1\n", 1)?;
        let serial = self.build(&narrow, "200 agent calls")?;
        row(rows, "200 agents of 200 ms, 100 at a time", ms(time), "");
        row(rows, "the same, beside one at a time", format!("{:.0} × faster", serial / time), "≥ 40 ×");
        Ok(())
    }

    /// Ten thousand stored tasks.
    fn many(&self, rows: &mut Vec<[String; 3]>) -> Result<(), String> {
        let built_in = self.project("built-in", MANY, &[], "", 1)?;
        let config = built_in.join("omnigen.toml");
        write(&config, &read(&config)?.replace("targets = []", "targets = [\"models\"]"))?;
        self.build(&built_in, "")?;
        let project = self.project(
            "many",
            MANY,
            &[("page", "page", "0", "", ""), ("more", "more", "0", "", "sees = [\"meaning\"]")],
            "io = 4\n",
            4,
        )?;
        let config = project.join("omnigen.toml");
        write(&config, &read(&config)?.replace("targets = [\"page\", \"more\", ]", "targets = [\"page\"]"))?;
        self.build(&project, "10000 agent calls")?;
        let (mut agents, mut models) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            models.push(self.build(&built_in, "nothing to do")?);
            agents.push(self.build(&project, "nothing to do")?);
        }
        let (agents, models) = (median(agents), median(models));
        row(rows, "nothing changed, 10,000 stored agent tasks", ms(agents), "");
        row(rows, "the same, beside 10,000 models", format!("{:.2} ×", agents / models), "≤ 1.5 ×");
        let mut found = Vec::new();
        for _ in 0..3 {
            remove_file(&project.join(".omnigen/manifest"))?;
            let known = self.build(&project, "nothing to do")?;
            remove_file(&built_in.join(".omnigen/manifest"))?;
            let bare = self.timed(&built_in, &["check"], "")?;
            found.push((known - bare) / MANY as f64);
        }
        row(
            rows,
            "a cached task: planned, looked up, compared with its output (no manifest; beyond reading the contracts)",
            us(median(found)),
            "≤ 50 µs",
        );
        let contract = project.join("contracts/c00007.json");
        let text = read(&contract)?;
        write(&contract, &text.replace("{ \"description\"", "{  \"description\""))?;
        let time = self.build(&project, "")?;
        row(rows, "layout of one of 10,000 contracts edited: no agent is started", ms(time), "0 agents");
        write(&config, &read(&config)?.replace("targets = [\"page\"]", "targets = [\"page\", \"more\"]"))?;
        self.build(&project, "10000 agent calls")?;
        write(&contract, &text.replace("\"string\"", "\"integer\""))?;
        let time = self.build(&project, "2 agent calls")?;
        row(rows, "an edit that two agents can see: two are started", ms(time), "2 agents");
        Ok(())
    }

    /// Runs the agent by itself and hears it out.
    fn alone(&self, words: &[&str], task: &str) -> Result<(), String> {
        let told = |error: std::io::Error| format!("{}: {error}", self.agent.display());
        let mut child =
            Command::new(&self.agent).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(told)?;
        if let Some(stdin) = child.stdin.as_mut() {
            stdin.write_all(task.as_bytes()).map_err(told)?;
        }
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).lines() {
                line.map_err(told)?;
            }
        }
        child.wait().map_err(told).map(drop)
    }

    /// A project with so many contracts and these targets: name, agent, milliseconds, manner, more lines.
    fn project(
        &self,
        name: &str,
        contracts: usize,
        targets: &[(&str, &str, &str, &str, &str)],
        run: &str,
        concurrency: usize,
    ) -> Result<PathBuf, String> {
        let project = self.folder.join(name);
        let mut config = "[project]\nname = \"bench\"\ntargets = [".to_owned();
        targets.iter().for_each(|(target, ..)| config += &format!("\"{target}\", "));
        config += &format!("]\n[run]\n{run}");
        for (target, agent, millis, manner, more) in targets {
            let manner = if manner.is_empty() { String::new() } else { format!(", \"{manner}\"") };
            config += &format!(
                "[agent.{agent}]\ncommand = [\"{}\", \"{millis}\"{manner}]\nconcurrency = {concurrency}\nread = [\"{}\"]\n\
                 [target.{target}]\nagent = \"{agent}\"\noutput = \"{target}/{{contract}}.md\"\n{more}\n",
                self.agent.display(),
                self.folder.display(),
            );
        }
        write(&project.join("omnigen.toml"), &config)?;
        for number in 0..contracts {
            let text = format!(
                "{{ \"description\": \"Number {number}.\", \"type\": \"object\", \"properties\": {{ \"text\": {{ \"type\": \"string\" }} }} }}\n"
            );
            write(&project.join(format!("contracts/c{number:05}.json")), &text)?;
        }
        Ok(project)
    }

    /// Seconds that a build takes; it has to say something.
    fn build(&self, project: &Path, says: &str) -> Result<f64, String> {
        self.timed(project, &["build"], says)
    }

    fn timed(&self, project: &Path, arguments: &[&str], says: &str) -> Result<f64, String> {
        let mut command = Command::new(&self.omnigen);
        command.args(arguments).current_dir(project);
        let started = Instant::now();
        let output = command.output().map_err(|error| format!("omnigen: {error}"))?;
        let time = started.elapsed().as_secs_f64();
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() || !said.replace(',', "").contains(&says.replace(',', "")) {
            return Err(format!("{}: `{says}` was not said, but: {said}", project.display()));
        }
        Ok(time)
    }

    fn repeated(&self, turns: usize, mut once: impl FnMut() -> Result<f64, String>) -> Result<f64, String> {
        let times: Vec<f64> = (0..turns).map(|_| once()).collect::<Result<_, _>>()?;
        Ok(median(times))
    }
}

/// A project as it was before its first build.
fn clean(project: &Path) -> Result<(), String> {
    remove(&project.join(".omnigen"))?;
    remove(&project.join("generated"))?;
    remove_file(&project.join("omnigen.lock"))
}

fn remove_file(path: &Path) -> Result<(), String> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {error}", path.display())),
        _ => Ok(()),
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn ms(seconds: f64) -> String {
    format!("{:.0} ms", seconds * 1000.0)
}

fn us(seconds: f64) -> String {
    format!("{:.0} µs", seconds * 1e6)
}

fn row(rows: &mut Vec<[String; 3]>, what: &str, figure: String, goal: &str) {
    println!("{what}: {figure} ({goal})");
    rows.push([what.to_owned(), figure, goal.to_owned()]);
}
