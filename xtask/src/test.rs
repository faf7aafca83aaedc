//! Every test, as a newcomer and CI run them: tidy, the pinned Python packages, the binary, the test runner.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs it all; the first failure ends it.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<(), String> {
    crate::tidy::run(root)?;
    let metadata = crate::metadata(root)?;
    let target = metadata["target_directory"].as_str().ok_or("cargo metadata: no target directory")?;
    let python = environment(root, &Path::new(target).join("venv"))?;

    // The tests run the binary; `--workspace` resolves features as the test run does, so that nothing is built twice.
    let mut build = crate::cargo();
    build.args(["build", "--workspace", "--bin", "omnigen"]).current_dir(root);
    finish("cargo build", &mut build)?;

    let nextest = quiet(crate::cargo().args(["nextest", "--version"]));
    let mut tests = crate::cargo();
    if nextest {
        tests.args(["nextest", "run", "--workspace"]);
    } else {
        println!("xtask: cargo-nextest is not installed; `cargo test` does it too, without time limits");
        tests.args(["test", "--workspace"]);
    }
    tests.args(arguments).current_dir(root).env("OMNIGEN_TEST_PYTHON", &python);
    if std::env::var_os("CI").is_some() {
        tests.env("INSTA_UPDATE", "no");
    }
    finish(if nextest { "cargo nextest run" } else { "cargo test" }, &mut tests)
}

/// The Python of a virtual environment with exactly the packages of `tests/requirements.txt`. Made once; the file's text is
/// kept beside it, and another text makes it anew.
fn environment(root: &Path, folder: &Path) -> Result<PathBuf, String> {
    let list = root.join("tests/requirements.txt");
    let wanted = std::fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let marker = folder.join("requirements.txt");
    if python.exists() && std::fs::read_to_string(&marker).is_ok_and(|text| text == wanted) {
        return Ok(python);
    }
    println!("xtask: installing the packages of tests/requirements.txt into {}", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let base = ["python3", "python"]
        .into_iter()
        .find(|name| quiet(Command::new(name).args(["-c", "import sys, venv; sys.exit(sys.version_info < (3, 10))"])))
        .ok_or("no Python 3.10 or later with `venv` was found; install one (Debian: python3-venv)")?;
    finish("python3 -m venv", Command::new(base).args(["-m", "venv"]).arg(folder))?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "-r"]);
    finish("pip install", install.arg(&list))?;
    std::fs::write(&marker, &wanted).map_err(|error| format!("{}: {error}", marker.display()))?;
    Ok(python)
}

/// Does it end well? Its output is dropped.
fn quiet(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn finish(name: &str, command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name}: {status}")) }
}
