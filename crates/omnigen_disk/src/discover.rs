//! Which files of a project are contracts.
//!
//! A walk from the globs' fixed folders, by the project's own rules only: its `.gitignore` files (from the root down;
//! never a user's global ones, and with or without a git repository), the `exclude` list, and nothing hidden, generated
//! or of our own state. Links to files and folders are followed; a link back into the walk is told and left.

use std::fmt;
use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::globs::{Globs, below};
use crate::stat::{Stat, stat_many};
use crate::walk::walk;

/// A list of what to leave out.
pub(crate) const RULES: &str = ".gitignore";

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// From the root, `/` between the parts.
    pub path: String,
    /// Links followed.
    pub stat: Stat,
}

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Sorted by path, each once.
    pub files: Vec<Found>,
    /// Sorted.
    pub problems: Vec<Problem>,
    /// Folders and lists of rules that decided what was found, sorted, each with what the disk said of it just before it was
    /// read; `None`: it was not there. While all of them stay so, the same paths would be found. Empty where that cannot be
    /// told, because links lead elsewhere.
    pub looked: Vec<(String, Option<Stat>)>,
}

/// Something that could not be taken in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// A path from the root (unreadable parts replaced), or the glob or pattern.
    pub path: String,
    /// What is wrong with it.
    pub trouble: Trouble,
}

/// What is wrong with a path or a glob.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// A glob, a pattern of `exclude`, or a line of a `.gitignore` that is none, and why.
    BadGlob(String),
    /// The name is not UTF-8.
    NotUtf8,
    /// The name has a control character.
    OddName,
    /// A link to nothing.
    DanglingLink,
    /// A link to a folder that it is in.
    LinkLoop,
    /// Neither file nor folder: a pipe, a socket, a device.
    NotAFile,
    /// The folder or file cannot be read, and why.
    Unreadable(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.trouble {
            Trouble::BadGlob(why) => write!(f, "`{path}` is not a usable pattern: {why}"),
            Trouble::NotUtf8 => write!(f, "the name `{path}` is not UTF-8"),
            Trouble::OddName => write!(f, "the name `{}` has a control character", path.escape_debug()),
            Trouble::DanglingLink => write!(f, "`{path}` is a link to nothing"),
            Trouble::LinkLoop => write!(f, "`{path}` is a link to a folder that it is in"),
            Trouble::NotAFile => write!(f, "`{path}` is neither a file nor a folder"),
            Trouble::Unreadable(why) => write!(f, "`{path}` cannot be read: {why}"),
        }
    }
}

/// Finds the files that match `globs`, less what the project ignores, `exclude` (in the syntax of `.gitignore` lines,
/// from the root), and the folder `out`. A folder that is not there holds nothing.
pub fn discover(root: &Path, globs: &[String], exclude: &[String], out: &str) -> Discovery {
    let (globs, mut problems) = Globs::new(globs);
    let (project, more) = Project::new(root, exclude, out);
    problems.extend(more);
    let mut start = Vec::new();
    let mut looked = Vec::new();
    for from in globs.starts() {
        if let Some(rules) = project.rules_down_to(&from.folder, &mut problems, &mut looked) {
            start.push(Job { folder: from.folder.clone(), depth: from.depth, rules, links: None });
        }
    }
    let gathered = walk(start, |job, more, into: &mut Gathered| project.enter(&globs, job, more, into));
    let mut paths = Vec::new();
    let mut linked = false;
    for part in gathered {
        paths.extend(part.paths);
        problems.extend(part.problems);
        looked.extend(part.looked);
        linked |= part.linked;
    }
    looked.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    looked.dedup_by(|a, b| a.0 == b.0);
    if linked {
        looked.clear();
    }
    paths.sort_unstable();
    paths.dedup();
    let stats = stat_many(root, &paths);
    let files = paths.into_iter().zip(stats).filter_map(|(path, stat)| Some(Found { path, stat: stat? })).collect();
    problems.sort();
    problems.dedup();
    Discovery { files, problems, looked }
}

/// Whether [`discover`] would find this path if a file were there: for one path out of a watch's events.
pub fn would_find(root: &Path, globs: &Globs, exclude: &[String], out: &str, path: &str) -> bool {
    if !globs.matches(path) {
        return false;
    }
    let project = Project::new(root, exclude, out).0;
    let (folder, name) = crate::safe::split(path);
    if name.starts_with('.') {
        return false;
    }
    // The folders that a glob names itself may be hidden.
    let named = globs.bases().into_iter().filter(|base| below(base, folder).is_some()).max_by_key(|base| base.len());
    let Some(rest) = named.and_then(|base| below(base, folder)) else { return false };
    if rest.split('/').any(|part| part.starts_with('.')) {
        return false;
    }
    match project.rules_down_to(folder, &mut Vec::new(), &mut Vec::new()) {
        Some(rules) => !project.ignored(&rules, path, false),
        None => false,
    }
}

/// The rules of a walk.
struct Project<'a> {
    root: &'a Path,
    exclude: Gitignore,
    /// `None`: the outputs are not in a folder of their own.
    out: Option<String>,
}

/// A folder to walk.
struct Job {
    folder: String,
    depth: usize,
    rules: Rules,
    links: Option<Arc<Links>>,
}

/// The `.gitignore` files from a folder up to the root, nearest first.
type Rules = Option<Arc<Layer>>;

struct Layer {
    ignore: Gitignore,
    above: Rules,
}

/// The real folders that were left through a link on the way to a folder.
struct Links {
    left: PathBuf,
    above: Option<Arc<Links>>,
}

#[derive(Default)]
struct Gathered {
    paths: Vec<String>,
    problems: Vec<Problem>,
    looked: Vec<(String, Option<Stat>)>,
    /// A link was met that may matter.
    linked: bool,
}

impl Gathered {
    fn problem(&mut self, path: &str, trouble: Trouble) {
        self.problems.push(Problem { path: path.to_owned(), trouble });
    }
}

impl<'a> Project<'a> {
    fn new(root: &'a Path, exclude: &[String], out: &str) -> (Project<'a>, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut builder = GitignoreBuilder::new("");
        for pattern in exclude {
            if let Err(error) = builder.add_line(None, pattern) {
                problems.push(Problem { path: pattern.clone(), trouble: Trouble::BadGlob(error.to_string()) });
            }
        }
        let exclude = builder.build().unwrap_or_else(|_| Gitignore::empty());
        let out = out.trim_start_matches("./").trim_end_matches('/');
        let out = (!out.is_empty() && out != ".").then(|| out.to_owned());
        (Project { root, exclude, out }, problems)
    }

    /// The rules that hold *for* a folder's entries, its own `.gitignore` excepted when the walk will read it; `None`
    /// if the folder itself is left out. Every place where rules could be goes into `looked`.
    fn rules_down_to(
        &self,
        folder: &str,
        problems: &mut Vec<Problem>,
        looked: &mut Vec<(String, Option<Stat>)>,
    ) -> Option<Rules> {
        if self.is_out(folder) {
            return None;
        }
        let mut rules = None;
        let mut end = 0;
        loop {
            let here = &folder[..end];
            if !here.is_empty() && self.ignored(&rules, here, true) {
                return None;
            }
            let path = join(here, RULES);
            looked.push((path.clone(), crate::stat(&self.root.join(&path)).ok().flatten()));
            if self.root.join(&path).is_file() {
                rules = self.layer(here, rules, problems);
            }
            if end == folder.len() {
                return Some(rules);
            }
            let from = if end == 0 { 0 } else { end + 1 };
            end = folder[from..].find('/').map_or(folder.len(), |at| from + at);
        }
    }

    /// Adds a folder's `.gitignore`.
    fn layer(&self, folder: &str, above: Rules, problems: &mut Vec<Problem>) -> Rules {
        let path = join(folder, RULES);
        let text = match std::fs::read(self.root.join(&path)) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => {
                problems.push(Problem { path, trouble: Trouble::Unreadable(plain(&error)) });
                return above;
            }
        };
        let mut builder = GitignoreBuilder::new(folder);
        for line in text.trim_start_matches('\u{feff}').lines() {
            if let Err(error) = builder.add_line(None, line) {
                problems.push(Problem { path: path.clone(), trouble: Trouble::BadGlob(error.to_string()) });
            }
        }
        match builder.build() {
            Ok(ignore) if !ignore.is_empty() => Some(Arc::new(Layer { ignore, above })),
            _ => above,
        }
    }

    fn ignored(&self, rules: &Rules, path: &str, is_dir: bool) -> bool {
        if !self.exclude.is_empty() && self.exclude.matched(path, is_dir).is_ignore() {
            return true;
        }
        let mut layer = rules.as_deref();
        while let Some(here) = layer {
            let found = here.ignore.matched(path, is_dir);
            if found.is_ignore() {
                return true;
            }
            if found.is_whitelist() {
                return false;
            }
            layer = here.above.as_deref();
        }
        false
    }

    fn is_out(&self, folder: &str) -> bool {
        self.out.as_deref().is_some_and(|out| below(out, folder).is_some())
    }

    fn enter(&self, globs: &Globs, job: Job, more: &mut Vec<Job>, into: &mut Gathered) {
        let mut job = job;
        let place = self.root.join(&job.folder);
        let folder = job.folder.as_str();
        into.looked.push((folder.to_owned(), crate::stat(&place).ok().flatten()));
        let entries = match std::fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return,
            Err(error) => return into.problem(folder, Trouble::Unreadable(plain(&error))),
        };
        let mut held: Vec<(String, FileType)> = Vec::new();
        let mut own_rules = false;
        for entry in entries {
            let found = entry.and_then(|entry| Ok((entry.file_type()?, entry.file_name())));
            let (kind, name) = match found {
                Ok(found) => found,
                Err(error) => {
                    into.problem(folder, Trouble::Unreadable(plain(&error)));
                    continue;
                }
            };
            let bytes = name.as_encoded_bytes();
            if bytes.first() == Some(&b'.') {
                own_rules |= bytes == RULES.as_bytes();
                continue;
            }
            match name.to_str() {
                Some(name) => held.push((join(folder, name), kind)),
                // Only names that could have mattered: other files may be called what they like.
                None => {
                    let path = join(folder, &name.to_string_lossy());
                    if kind.is_dir() || globs.matches(&path) {
                        into.problem(&path, Trouble::NotUtf8);
                    }
                }
            }
        }
        // The rules that led here include this folder's own where a glob named it.
        let known = job.rules.as_deref().is_some_and(|layer| layer.ignore.path() == Path::new(folder));
        if own_rules && !known {
            let path = join(folder, RULES);
            let stat = crate::stat(&self.root.join(&path)).ok().flatten();
            into.looked.push((path, stat));
            job.rules = self.layer(folder, job.rules.clone(), &mut into.problems);
        }
        for (path, kind) in held {
            self.entry(globs, path, kind, &job, more, into);
        }
    }

    fn entry(
        &self,
        globs: &Globs,
        path: String,
        kind: FileType,
        within: &Job,
        more: &mut Vec<Job>,
        into: &mut Gathered,
    ) {
        if kind.is_file() {
            if globs.matches(&path) && !self.ignored(&within.rules, &path, false) {
                into.file(path);
            }
            return;
        }
        let mut links = within.links.clone();
        let mut is_dir = kind.is_dir();
        if kind.is_symlink() {
            // What is ignored under any reading is not even looked at.
            if self.ignored(&within.rules, &path, false) {
                return;
            }
            into.linked = true;
            match std::fs::metadata(self.root.join(&path)) {
                Ok(meta) if meta.is_file() => {
                    if globs.matches(&path) {
                        into.file(path);
                    }
                    return;
                }
                Ok(meta) if meta.is_dir() => {
                    is_dir = true;
                    if within.depth == 0 {
                        return;
                    }
                    match self.through_link(&path, &within.folder, &within.links) {
                        Ok(Some(passed)) => links = Some(passed),
                        Ok(None) => return into.problem(&path, Trouble::LinkLoop),
                        Err(error) => return into.problem(&path, Trouble::Unreadable(plain(&error))),
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    if globs.matches(&path) {
                        let dangling = error.kind() == io::ErrorKind::NotFound;
                        into.problem(
                            &path,
                            if dangling { Trouble::DanglingLink } else { Trouble::Unreadable(plain(&error)) },
                        );
                    }
                    return;
                }
            }
        }
        if !is_dir {
            if globs.matches(&path) && !self.ignored(&within.rules, &path, false) {
                into.problem(&path, Trouble::NotAFile);
            }
        } else if within.depth > 0 && !self.is_out(&path) && !self.ignored(&within.rules, &path, true) {
            let depth = if within.depth == usize::MAX { usize::MAX } else { within.depth - 1 };
            more.push(Job { folder: path, depth, rules: within.rules.clone(), links });
        }
    }

    /// What has been left when a linked folder is entered; `None` if it leads back to where the walk has been.
    fn through_link(&self, path: &str, folder: &str, links: &Option<Arc<Links>>) -> io::Result<Option<Arc<Links>>> {
        let target = std::fs::canonicalize(self.root.join(path))?;
        let here = std::fs::canonicalize(self.root.join(folder))?;
        let passed = Links { left: here, above: links.clone() };
        let mut seen = Some(&passed);
        while let Some(link) = seen {
            if link.left.starts_with(&target) {
                return Ok(None);
            }
            seen = link.above.as_deref();
        }
        Ok(Some(Arc::new(passed)))
    }
}

impl Gathered {
    fn file(&mut self, path: String) {
        if path.chars().any(char::is_control) {
            self.problem(&path, Trouble::OddName);
        } else {
            self.paths.push(path);
        }
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        return name.to_owned();
    }
    let mut path = String::with_capacity(folder.len() + 1 + name.len());
    path.push_str(folder);
    path.push('/');
    path.push_str(name);
    path
}

/// An error of the system in plain words, without its number.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    fn put(root: &Path, path: &str, text: &str) {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), text).unwrap();
    }

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(|&text| text.to_owned()).collect()
    }

    /// What is found; and that the question about one path has the same answer.
    fn found(root: &Path, globs: &[&str], exclude: &[&str], out: &str) -> Vec<String> {
        let (globs, exclude) = (strings(globs), strings(exclude));
        let discovery = discover(root, &globs, &exclude, out);
        assert_eq!(discovery.problems, []);
        let paths: Vec<String> = discovery.files.into_iter().map(|file| file.path).collect();
        let compiled = Globs::new(&globs).0;
        let mut all = Vec::new();
        every_file(root, "", &mut all);
        for path in all {
            let expected = paths.contains(&path);
            assert_eq!(would_find(root, &compiled, &exclude, out, &path), expected, "{path}");
        }
        paths
    }

    fn every_file(root: &Path, folder: &str, into: &mut Vec<String>) {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let entry = entry.unwrap();
            let path = join(folder, entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                every_file(root, &path, into);
            } else {
                into.push(path);
            }
        }
    }

    const USUAL: &[&str] = &["contracts/**/*.{json,yaml,yml}"];

    #[test]
    fn the_usual_project() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in [
            "contracts/b.json",
            "contracts/a/x.yaml",
            "contracts/a/y.yml",
            "contracts/a/readme.md",
            "contracts/.hidden/x.json",
            "contracts/.x.json",
            "other/x.json",
            "omnigen.toml",
            ".omnigen/x.json",
            "contracts/out/x.json",
            "contracts/output/x.json",
        ] {
            put(root, path, "{}");
        }
        assert_eq!(
            found(root, USUAL, &[], "contracts/out"),
            ["contracts/a/x.yaml", "contracts/a/y.yml", "contracts/b.json", "contracts/output/x.json"]
        );
        assert_eq!(found(root, &["*.toml", "contracts/a/*.yml"], &[], "out"), ["contracts/a/y.yml", "omnigen.toml"]);
        assert_eq!(found(root, &["contracts/*/x.{json,yaml}"], &[], "out").len(), 3);
        assert_eq!(found(root, &["contracts/.hidden/*.json"], &[], "out"), ["contracts/.hidden/x.json"]);
        assert_eq!(found(root, &["none/**/*.json"], &[], "out"), Vec::<String>::new());
        assert_eq!(found(root, &["**/*.json"], &[], ".").len(), 4);
        let stat = discover(root, &strings(USUAL), &[], "out").files[0].stat;
        assert_eq!(Some(stat), crate::stat(&root.join("contracts/a/x.yaml")).unwrap());
    }

    #[test]
    fn the_projects_own_ignore_files_count() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in [
            "contracts/a.json",
            "contracts/draft-b.json",
            "contracts/tmp/c.json",
            "contracts/x/d.json",
            "contracts/x/keep.json",
            "contracts/x/y/e.json",
            "contracts/x/y/draft-f.json",
            "vendor/contracts/g.json",
        ] {
            put(root, path, "{}");
        }
        put(root, ".gitignore", "draft-*\ntmp/\n/vendor\n");
        put(root, "contracts/x/.gitignore", "\u{feff}*.json\n!keep.json\n!y/draft-f.json\n");
        put(root, ".ignore", "*\n");
        assert_eq!(
            found(root, &["contracts/**/*.json", "vendor/**/*.json"], &[], "out"),
            ["contracts/a.json", "contracts/x/keep.json", "contracts/x/y/draft-f.json"]
        );
        // A glob that starts inside still hears the files above and in its folder.
        assert_eq!(
            found(root, &["contracts/x/**/*.json"], &[], "out"),
            ["contracts/x/keep.json", "contracts/x/y/draft-f.json"]
        );
        assert_eq!(found(root, &["contracts/**/*.json"], &["x/", "/contracts/a.*"], "out"), Vec::<String>::new());
    }

    #[test]
    fn links_are_followed_but_not_in_circles() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        put(&root, "contracts/a.json", "{}");
        put(&root, "contracts/x/b.json", "{}");
        put(folder.path(), "shared/c.json", "{\"long\": 1}");
        symlink(folder.path().join("shared"), root.join("contracts/shared")).unwrap();
        symlink(folder.path().join("shared/c.json"), root.join("contracts/file.json")).unwrap();
        symlink("..", root.join("contracts/x/up")).unwrap();
        symlink(root.join("contracts"), folder.path().join("shared/back")).unwrap();
        symlink("nowhere", root.join("contracts/gone.json")).unwrap();
        symlink("nowhere", root.join("contracts/gone.txt")).unwrap();
        let discovery = discover(&root, &strings(USUAL), &[], "out");
        let paths: Vec<&str> = discovery.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["contracts/a.json", "contracts/file.json", "contracts/shared/c.json", "contracts/x/b.json"]);
        assert_eq!(discovery.files[1].stat, discovery.files[2].stat);
        let problems: Vec<String> = discovery.problems.iter().map(Problem::to_string).collect();
        assert_eq!(
            problems,
            [
                "`contracts/gone.json` is a link to nothing",
                "`contracts/shared/back` is a link to a folder that it is in",
                "`contracts/x/up` is a link to a folder that it is in",
            ]
        );
    }

    #[test]
    fn what_was_looked_at_tells_whether_it_would_be_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(root, "contracts/a.json", "{}");
        put(root, "contracts/x/b.json", "{}");
        put(root, "contracts/x/.gitignore", "c.json");
        let globs = strings(&["contracts/**/*.json", "more/*.json"]);
        let looked = || discover(root, &globs, &[], "out").looked;
        let names: Vec<String> = looked().into_iter().map(|(path, _)| path).collect();
        assert_eq!(
            names,
            [
                ".gitignore",
                "contracts",
                "contracts/.gitignore",
                "contracts/x",
                "contracts/x/.gitignore",
                "more",
                "more/.gitignore"
            ]
        );
        let mut before = looked();
        let mut differs = |what: &str| {
            let now = looked();
            assert_ne!(now, before, "{what}");
            before = now;
        };
        put(root, "contracts/x/d.json", "{}");
        differs("a new file");
        put(root, "more/e.json", "{}");
        differs("a new folder");
        put(root, "contracts/x/.gitignore", "d.json\nc.json");
        differs("other rules");
        put(root, ".gitignore", "x");
        differs("rules above");
        std::fs::remove_file(root.join("contracts/a.json")).unwrap();
        differs("one file less");
        put(root, "more/e.json", "{ }");
        assert_eq!(looked(), before, "content is another matter");
        symlink("a.json", root.join("contracts/l.json")).unwrap();
        assert_eq!(looked(), []);
    }

    #[test]
    fn names_that_cannot_be_used_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        put(root, "contracts/a.json", "{}");
        put(root, "contracts/b\n.json", "{}");
        std::fs::write(root.join("contracts").join(std::ffi::OsStr::from_bytes(b"c\xff.json")), "").unwrap();
        std::fs::write(root.join("contracts").join(std::ffi::OsStr::from_bytes(b"c\xff.png")), "").unwrap();
        let discovery = discover(root, &strings(&["contracts/**/*.json", "a["]), &strings(&["x{a"]), "out");
        assert_eq!(discovery.files.len(), 1);
        let told: Vec<(&str, &Trouble)> =
            discovery.problems.iter().map(|problem| (problem.path.as_str(), &problem.trouble)).collect();
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(matches!(told[0], ("a[", Trouble::BadGlob(_))));
        assert_eq!(told[1], ("contracts/b\n.json", &Trouble::OddName));
        assert_eq!(told[2], ("contracts/c\u{fffd}.json", &Trouble::NotUtf8));
        assert!(matches!(told[3], ("x{a", Trouble::BadGlob(_))));
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_told() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "contracts/closed/a.json", "{}");
        put(folder.path(), "contracts/b.json", "{}");
        let closed = folder.path().join("contracts/closed");
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o0)).unwrap();
        // The superuser may read anything.
        if std::fs::read_dir(&closed).is_err() {
            let discovery = discover(folder.path(), &strings(USUAL), &[], "out");
            assert_eq!(discovery.files.len(), 1);
            assert!(matches!(discovery.problems[0].trouble, Trouble::Unreadable(_)));
        }
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o755)).unwrap();
    }
}
