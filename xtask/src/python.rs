//! The Python that generated code is run with.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{finish, quiet};

/// The Python of a virtual environment with exactly the packages of `tests/requirements.txt`. Made once; the file's text is
/// kept beside it, and another text makes it anew.
pub(crate) fn environment(root: &Path, folder: &Path) -> Result<PathBuf, String> {
    environment_of(root, "tests/requirements.txt", folder)
}

/// The same with the packages of another list, named from the root.
pub(crate) fn environment_of(root: &Path, list: &str, folder: &Path) -> Result<PathBuf, String> {
    let named = list;
    let list = root.join(list);
    let wanted = std::fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let marker = folder.join("requirements.txt");
    if python.exists() && std::fs::read_to_string(&marker).is_ok_and(|text| text == wanted) {
        return Ok(python);
    }
    println!("xtask: installing the packages of {named} into {}", folder.display());
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
