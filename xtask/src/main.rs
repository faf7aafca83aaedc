//! Tasks around the workspace: `cargo xtask tidy` and `cargo xtask test`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "a tool that runs other tools and looks at the tree; not part of omnigen"
)]

mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <task>

tasks:
  tidy            check what is not left to review: arrows between crates, sizes, names, leftovers
  test [ARG...]   tidy, then a virtual environment with pinned packages, then every test;
                  ARGs go to the test runner (`cargo nextest run`, or `cargo test` without it)";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let done = match (task.as_deref(), rest.as_slice()) {
        (Some("tidy"), []) => tidy::run(&root()),
        (Some("test"), rest) => test::run(&root(), rest),
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

/// The folder of the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The cargo that runs us.
fn cargo() -> std::process::Command {
    std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
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
