//! The scratch folder of a run, and which program is run in it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use omnigen_disk::scratch::Scratch;

use crate::task::{AgentSpec, Environment, Task};

/// A folder with an agent's declared files. Dropping it removes it.
pub(crate) struct Room {
    folder: Scratch,
    /// The project paths of its files.
    files: BTreeSet<PathBuf>,
}

impl Room {
    /// Makes the folder and its files. The error is a sentence without machine paths.
    pub(crate) fn make(task: &Task) -> Result<Room, String> {
        // The error of making it names the folder; its kind is enough.
        let folder = Scratch::new().map_err(|error| format!("the scratch folder cannot be made: {}", error.kind()))?;
        let mut files = BTreeSet::new();
        for (path, bytes) in &task.files {
            if !files.insert(PathBuf::from(path)) {
                return Err(format!("the input file `{path}` is declared twice"));
            }
            let written = folder.write(path, bytes);
            written
                .map_err(|error| format!("the input file `{path}` cannot be put into the scratch folder: {error}"))?;
        }
        Ok(Room { folder, files })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The absolute path of an agent's program. A program that is one of the files is made executable.
    pub(crate) fn program(&self, spec: &AgentSpec, environment: &Environment) -> Result<PathBuf, String> {
        let name = spec.command.first().filter(|name| !name.is_empty()).ok_or("its command is empty")?;
        let path = Path::new(name);
        if path.is_absolute() {
            return Ok(path.to_path_buf());
        }
        if name.contains(std::path::is_separator) {
            let within: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
            if !self.files.contains(&within) {
                return Err(format!("its program `{name}` is not among its declared inputs"));
            }
            let program = self.path().join(within);
            allow_execution(&program).map_err(|error| format!("`{name}` cannot be made executable: {error}"))?;
            return Ok(program);
        }
        installed(name, environment)
    }
}

/// The absolute path of a program that is not the project's own.
pub(crate) fn installed(name: &str, environment: &Environment) -> Result<PathBuf, String> {
    if Path::new(name).is_absolute() {
        return Ok(PathBuf::from(name));
    }
    std::env::split_paths(&environment.path)
        .filter(|folder| folder.is_absolute() && !name.contains(std::path::is_separator))
        .map(|folder| folder.join(name))
        .find(|program| is_executable(program))
        .ok_or_else(|| format!("its program `{name}` is not on the PATH"))
}

#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "a program in the scratch folder, which is ours")]
fn allow_execution(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "looks for a program as the system would")]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn allow_execution(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> bool {
    false
}
