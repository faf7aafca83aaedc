//! Tasks around the workspace: what is checked, tested, scored and measured, as `USAGE` lists them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "a tool that runs other tools and looks at the tree; not part of omnigen"
)]

mod bench;
mod bench_agents;
mod conformance;
mod python;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

const USAGE: &str = "usage: cargo xtask <task>

tasks:
  tidy            check what is not left to review: arrows between crates, sizes, names, leftovers
  test [ARG...]   tidy, then a virtual environment with pinned packages, then every test;
                  ARGs go to the test runner (`cargo nextest run`, or `cargo test` without it)
  fuzz [--count N] [--seed N] [--from N] [--careful]
                  changed copies of real contracts (fixtures, and the corpus beside the checkout) through everything
  soak [STEPS]    the histories of random edits at length (1000 steps each): incremental equals clean, plans are kept,
                  a hundred kills, a chain of 50,000 contracts
  codegen [--check]
                  writes what is made of declarations (crates/omnigen_report/CODES.md); with --check, fails if it is not so
  conformance [--check | score | mutants | peers]
                  on the corpus beside the checkout, all of it or one part:
                  score    what generated code is worth, tests/conformance.txt; with --check, only that, and fails if
                           it says something else
                  mutants  generated tests run on faulty contracts and validators, tests/mutants.md
                  peers    other generators and ours on the same schemas, points and times, tests/peers.md
  bench [--n N]   measures a release build on N synthetic contracts (10000) and writes tests/bench.md if it is so many,
                  tests/bench_100k.md if it is 100000 (fewer rounds, no tests; needs 8 GB of memory for files)
  bench-agents    measures what agents cost beside their own time and writes tests/bench_agents.md";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let done = match (task.as_deref(), rest.as_slice()) {
        (Some("tidy"), []) => tidy::run(&root()),
        (Some("test"), rest) => test::run(&root(), rest),
        (Some("fuzz"), rest) => fuzz(&root(), rest),
        (Some("codegen"), []) => codegen(&root(), false),
        (Some("codegen"), [check]) if check == "--check" => codegen(&root(), true),
        (Some("soak"), []) => test::soak(&root(), "1000"),
        (Some("soak"), [steps]) if steps.parse::<usize>().is_ok() => test::soak(&root(), steps),
        (Some("conformance"), []) => conformance::run(&root(), false)
            .and_then(|()| conformance::mutants::run(&root()))
            .and_then(|()| conformance::peers::run(&root())),
        (Some("conformance"), [part]) if part == "score" => conformance::run(&root(), false),
        (Some("conformance"), [part]) if part == "mutants" => conformance::mutants::run(&root()),
        (Some("conformance"), [part]) if part == "peers" => conformance::peers::run(&root()),
        (Some("conformance"), [check]) if check == "--check" => conformance::run(&root(), true),
        (Some("mutants"), []) => conformance::mutants::run(&root()),
        (Some("peers"), []) => conformance::peers::run(&root()),
        (Some("bench-agents"), []) => bench_agents::run(&root()),
        (Some("bench"), []) => bench::run(&root(), bench::CONTRACTS),
        (Some("bench"), [flag, number])
            if flag == "--n" && number.parse::<usize>().is_ok_and(|number| number >= 20) =>
        {
            bench::run(&root(), number.parse().unwrap_or(bench::CONTRACTS))
        }
        (Some("help" | "-h" | "--help"), []) => {
            println!("{USAGE}");
            Ok(())
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("xtask: {text}");
            ExitCode::FAILURE
        }
    }
}

/// Tries changed files, with a release build.
fn fuzz(root: &Path, arguments: &[String]) -> Result<(), String> {
    let mut command = cargo();
    command.args(["run", "--release", "--quiet", "-p", "omnigen_engine", "--example", "fuzz", "--"]).current_dir(root);
    command.args(arguments).arg("--out").arg(target(root)?.join("fuzz")).arg(root.join("fixtures"));
    command.args(shared(root).map(|shared| shared.join("corpus")));
    finish("fuzz", &mut command)
}

/// Files that are made of declarations.
fn codegen(root: &Path, check: bool) -> Result<(), String> {
    let path = root.join("crates/omnigen_report/CODES.md");
    let text = omnigen_report::all_pages();
    if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if check {
        return Err(format!("{} is not up to date; run `cargo xtask codegen`", path.display()));
    }
    write(&path, &text)
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The cargo that runs us. What it has told us about ourselves is kept from it: build scripts that look at such variables would
/// run again, and all that hangs on them be compiled again, whenever a build by hand follows one of ours.
fn cargo() -> std::process::Command {
    let mut cargo = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let about_us = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(about_us)) {
        cargo.env_remove(name);
    }
    cargo
}

/// What `cargo metadata` knows of the workspace, without its dependencies' own.
fn metadata(root: &Path) -> Result<serde_json::Value, String> {
    let output = cargo()
        .args(["metadata", "--format-version", "1", "--offline", "--no-deps"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// The folder that cargo builds into.
fn target(root: &Path) -> Result<PathBuf, String> {
    let metadata = metadata(root)?;
    Ok(metadata["target_directory"].as_str().ok_or("cargo metadata: no target directory")?.into())
}

/// The release binary, built anew if it is not up to date.
fn release(root: &Path, target: &Path) -> Result<PathBuf, String> {
    finish("cargo build", cargo().args(["build", "--release", "--package", "omnigen"]).current_dir(root))?;
    Ok(target.join("release").join(format!("omnigen{}", std::env::consts::EXE_SUFFIX)))
}

/// The folder beside the checkout that holds the corpus and the tools around it, if it is there.
fn shared(root: &Path) -> Option<PathBuf> {
    let shared = root.parent()?.join("shared");
    shared.is_dir().then_some(shared)
}

/// Does it end well? Its output is dropped.
fn quiet(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs a program that has to end well.
fn finish(name: &str, command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name}: {status}")) }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a file and the folders that it needs.
fn write(path: &Path, text: &str) -> Result<(), String> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Removes a folder and all that is in it, if it is there.
fn remove(folder: &Path) -> Result<(), String> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {error}", folder.display())),
        _ => Ok(()),
    }
}
