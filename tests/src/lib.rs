//! What end-to-end tests need: projects in folders of their own, the binary, a Python to run what it generates.
//!
//! Knows files and processes. Does not know any crate of omnigen: it sees what a user sees.
#![expect(clippy::disallowed_methods, reason = "tests make files and run programs")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod model;
mod server;
mod watching;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

pub use model::{KEY, Model};
pub use server::{Answer, Server};
pub use watching::Watching;

/// A file tree: path with `/` → bytes.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// A project in a folder of its own, gone when it is dropped.
#[derive(Debug)]
pub struct Project {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Exit code; -1 if a signal ended it.
    pub code: i32,
    /// What was asked for.
    pub stdout: String,
    /// Diagnostics and summary.
    pub stderr: String,
}

impl Run {
    /// Code and streams as one text.
    pub fn text(&self) -> String {
        format!("exit code: {}\n----- stdout -----\n{}----- stderr -----\n{}", self.code, self.stdout, self.stderr)
    }

    /// Fails, with all that was said, unless the exit code is this one.
    #[track_caller]
    pub fn ends(&self, code: i32) -> &Run {
        assert_eq!(self.code, code, "exit code\n{}", self.text());
        self
    }

    /// Fails unless the text is on stderr.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Run {
        assert!(self.stderr.contains(text), "`{text}` is not on stderr\n{}", self.text());
        self
    }

    /// Fails unless the line is on stdout.
    #[track_caller]
    pub fn lists(&self, line: &str) -> &Run {
        assert!(self.stdout.lines().any(|other| other == line), "`{line}` is no line of stdout\n{}", self.text());
        self
    }

    /// Fails if the text is on stderr.
    #[track_caller]
    pub fn does_not_say(&self, text: &str) -> &Run {
        assert!(!self.stderr.contains(text), "`{text}` is on stderr\n{}", self.text());
        self
    }
}

impl Project {
    /// An empty folder.
    pub fn empty() -> Project {
        let folder = tempfile::Builder::new().prefix("omnigen-").tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("the temporary folder").join("project");
        std::fs::create_dir(&root).expect("a folder for the project");
        Project { _folder: folder, root }
    }

    /// A project with a name and these files.
    pub fn with(files: &[(&str, &str)]) -> Project {
        let project = Project::empty();
        project.write("omnigen.toml", "[project]\nname = \"test\"\n");
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// A copy of `fixtures/<case>`, committed outputs included.
    pub fn fixture(case: &str) -> Project {
        let project = Project::empty();
        project.add_fixture(case, "");
        project
    }

    /// Copies `fixtures/<case>` into a folder of this one.
    pub fn add_fixture(&self, case: &str, folder: &str) {
        let from = fixtures().join(case);
        assert!(from.is_dir(), "there is no fixtures/{case}");
        for (path, bytes) in tree(&from) {
            if !path.contains(".omnigen/") && !path.contains("__pycache__/") {
                self.write(&join(folder, &path), &bytes);
            }
        }
    }

    /// The folder of the project.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// An absolute path.
    pub fn path(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.root.clone() } else { self.root.join(path) }
    }

    /// Writes a file and the folders above it.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("folders");
        std::fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// A file's text.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Is there a file?
    pub fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// Replaces the one place where `from` stands in a file.
    #[track_caller]
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(from).count(), 1, "`{from}` must stand in {path} once:\n{text}");
        self.write(path, text.replacen(from, to, 1));
    }

    /// Removes a file or folder.
    pub fn remove(&self, path: &str) {
        let path = self.path(path);
        let done = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        done.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Renames a file; the folders of the new name are made.
    pub fn rename(&self, from: &str, to: &str) {
        let to = self.path(to);
        std::fs::create_dir_all(to.parent().expect("a file has a folder")).expect("folders");
        std::fs::rename(self.path(from), &to).unwrap_or_else(|error| panic!("{from}: {error}"));
    }

    /// Files below a folder of the project.
    pub fn tree(&self, folder: &str) -> Tree {
        tree(&self.path(folder))
    }

    /// When the files below a folder were last written.
    pub fn times(&self, folder: &str) -> BTreeMap<String, SystemTime> {
        let root = self.path(folder);
        let time = |path: &str| std::fs::metadata(root.join(path)).and_then(|stat| stat.modified()).expect("a time");
        tree(&root).keys().map(|path| (path.clone(), time(path))).collect()
    }

    /// The binary, to be run in the project's folder.
    pub fn command(&self) -> Command {
        let mut command = Command::new(omnigen());
        command.current_dir(&self.root).stdin(Stdio::null()).env("PATH", search_path());
        for name in [
            "CI",
            "NO_COLOR",
            "CLICOLOR_FORCE",
            "FORCE_COLOR",
            "RUST_LOG",
            "RUST_BACKTRACE",
            "GITHUB_ACTIONS",
            "OMNIGEN_CACHE",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// Runs the binary in the project's folder.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.finish(self.command().args(arguments))
    }

    /// Runs a prepared command. Times and the folder's own path are replaced by `[TIME]` and `[ROOT]`.
    pub fn finish(&self, command: &mut Command) -> Run {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: self.redact(&String::from_utf8_lossy(&output.stdout)),
            stderr: self.redact(&String::from_utf8_lossy(&output.stderr)),
        }
    }

    /// `omnigen build`.
    pub fn build(&self) -> Run {
        self.run(&["build"])
    }

    /// `omnigen build`, and the outputs that it wrote, replaced or removed.
    pub fn rebuild(&self) -> (Run, Vec<String>) {
        let (before, times) = (self.tree("generated"), self.times("generated"));
        let run = self.build();
        let (after, now) = (self.tree("generated"), self.times("generated"));
        let mut touched: Vec<String> = after
            .keys()
            .chain(before.keys())
            .filter(|path| times.get(*path) != now.get(*path) || before.get(*path) != after.get(*path))
            .cloned()
            .collect();
        touched.sort();
        touched.dedup();
        (run, touched)
    }

    fn redact(&self, text: &str) -> String {
        times(&text.replace(&*self.root.to_string_lossy(), "[ROOT]"))
    }

    /// Starts `omnigen watch`.
    pub fn watch(&self) -> Watching {
        self.watch_with(&[])
    }

    /// Starts `omnigen watch` with these variables.
    pub fn watch_with(&self, variables: &[(&str, &str)]) -> Watching {
        Watching::start(self.command().arg("watch").envs(variables.iter().copied()))
    }

    /// Starts `omnigen watch` with these options.
    pub fn watch_as(&self, options: &[&str]) -> Watching {
        Watching::start(self.command().arg("watch").args(options))
    }
}

/// ` in 41 ms`, ` in 1.2 s`, ` in 2 min 5 s` → ` in [TIME]`.
fn times(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(" in ") {
        let (head, tail) = rest.split_at(at + 4);
        out.push_str(head);
        rest = tail;
        let number = |text: &str| text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let mut end = 0;
        for unit in [" min", " ms", " s"] {
            let begin = if end == 0 { 0 } else { end + 1 };
            let Some(part) = rest.get(begin..) else { break };
            let digits = number(part);
            let ends = |text: &str| !text.starts_with(|c: char| c.is_alphanumeric());
            if digits > 0 && part[digits..].starts_with(unit) && ends(&part[digits + unit.len()..]) {
                end = begin + digits + unit.len();
            }
        }
        if end > 0 {
            out.push_str("[TIME]");
            rest = &rest[end..];
        }
    }
    out + rest
}

fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}

/// Files below a folder; none if it is not there.
pub fn tree(root: &Path) -> Tree {
    fn walk(root: &Path, folder: &Path, out: &mut Tree) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.is_symlink() {
                walk(root, &path, out);
            } else if let Ok(bytes) = std::fs::read(&path) {
                let below = path.strip_prefix(root).expect("below the root");
                let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
                out.insert(parts.join("/"), bytes);
            }
        }
    }
    let mut out = Tree::new();
    walk(root, root, &mut out);
    out
}

/// What differs between two trees, for people; empty if nothing does.
pub fn difference(left: &Tree, right: &Tree) -> String {
    let mut out = String::new();
    for path in left.keys().chain(right.keys().filter(|path| !left.contains_key(*path))) {
        match (left.get(path), right.get(path)) {
            (Some(a), Some(b)) if a == b => {}
            (Some(a), Some(b)) => {
                let (a, b) = (String::from_utf8_lossy(a), String::from_utf8_lossy(b));
                let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
                let differ = |line: &usize| a.get(*line) != b.get(*line);
                // The digest in a header differs whenever anything does; what else differs tells more.
                let digest = |line: &usize| a.get(*line).is_some_and(|text| text.contains("# omnigen: "));
                let all = 0..a.len().max(b.len());
                let line = all.clone().find(|line| differ(line) && !digest(line)).or_else(|| all.clone().find(differ));
                let line = line.unwrap_or_default();
                let at =
                    |lines: &[&str]| lines.get(line).map_or("(no more lines)".to_owned(), |text| (*text).to_owned());
                out.push_str(&format!("{path}:{}\n  left:  {}\n  right: {}\n", line + 1, at(&a), at(&b)));
            }
            (Some(_), None) => out.push_str(&format!("{path}: only on the left\n")),
            (None, _) => out.push_str(&format!("{path}: only on the right\n")),
        }
    }
    out
}

/// The folder with the inputs.
pub fn fixtures() -> PathBuf {
    workspace().join("fixtures")
}

/// The folder with the expected outputs.
pub fn snapshots() -> PathBuf {
    workspace().join("snapshots")
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

/// The binary beside the tests: `cargo xtask test` has built it; if it is not there, it is built now.
pub fn omnigen() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let test = std::env::current_exe().expect("the path of the test");
        let deps = test.parent().expect("the folder of the test");
        let profile = if deps.ends_with("deps") { deps.parent().expect("the profile's folder") } else { deps };
        let binary = profile.join(format!("omnigen{}", std::env::consts::EXE_SUFFIX));
        if !binary.exists() {
            let target = profile.parent().expect("the target folder");
            let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            build.args(["build", "--workspace", "--bin", "omnigen", "--target-dir"]).arg(target);
            if profile.ends_with("release") {
                build.arg("--release");
            }
            let status = build.current_dir(workspace()).status().expect("cargo");
            assert!(status.success(), "the binary could not be built");
        }
        binary
    })
}

/// A Python with the packages of `tests/requirements.txt`, which `cargo xtask test` names in `OMNIGEN_TEST_PYTHON`. Without
/// it the test is skipped, but never in CI.
pub fn python() -> Option<Command> {
    let Some(path) = named_python() else {
        assert!(std::env::var_os("CI").is_none(), "OMNIGEN_TEST_PYTHON is not set; run `cargo xtask test`");
        eprintln!("SKIPPED: OMNIGEN_TEST_PYTHON is not set, so no generated Python is run; use `cargo xtask test`");
        return None;
    };
    let mut command = Command::new(path);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONHASHSEED", "0").env_remove("PYTHONPATH");
    Some(command)
}

fn named_python() -> Option<PathBuf> {
    std::env::var_os("OMNIGEN_TEST_PYTHON").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// `PATH` with the Python of the tests first, so that agents run with it too.
fn search_path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let Some(folder) = named_python().and_then(|python| python.parent().map(Path::to_path_buf)) else { return path };
    std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path))).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_are_redacted() {
        for (text, redacted) in [
            ("built 3 of 9 artifacts in 41 ms", "built 3 of 9 artifacts in [TIME]"),
            ("built 3 in 1.2 s: 1 error", "built 3 in [TIME]: 1 error"),
            ("in all, done in 2 min 5 s\n", "in all, done in [TIME]\n"),
            ("written in 3 seconds", "written in 3 seconds"),
            ("written in 2 models in 59 s (1 agent call)", "written in 2 models in [TIME] (1 agent call)"),
            ("fits in 5", "fits in 5"),
        ] {
            assert_eq!(times(text), redacted);
        }
    }

    #[test]
    fn differences_are_named() {
        let tree = |files: &[(&str, &str)]| -> Tree {
            files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
        };
        let left = tree(&[("a", "1\n2\n"), ("b", "x")]);
        assert_eq!(difference(&left, &left), "");
        let right = tree(&[("a", "1\n3\n"), ("c", "x")]);
        assert_eq!(
            difference(&left, &right),
            "a:2\n  left:  2\n  right: 3\nb: only on the left\nc: only on the right\n"
        );
    }
}
