//! Globs over paths from the project's root.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::discover::{Problem, Trouble};

/// A list of globs, ready to match. `*` and `?` stop at `/`, `**` does not; `{a,b}` and `[a-z]` as usual.
#[derive(Debug, Default)]
pub struct Globs {
    simple: Vec<Simple>,
    others: Option<GlobSet>,
    starts: Vec<Start>,
}

/// `base/**/*.{ext,ext}`: the form nearly everybody uses, matched without a regular expression.
#[derive(Debug)]
struct Simple {
    /// With a `/` at its end, or empty.
    base: String,
    /// With their dots.
    extensions: Vec<String>,
}

/// Where a walk for the globs starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) folder: String,
    /// How many levels of folders below it can hold a match.
    pub(crate) depth: usize,
}

impl Globs {
    /// Compiles the globs; those that are no globs, or that leave the project, are told and left out.
    pub fn new(globs: &[String]) -> (Globs, Vec<Problem>) {
        let mut compiled = Globs::default();
        let mut problems = Vec::new();
        let mut builder = GlobSetBuilder::new();
        let mut others = false;
        for glob in globs {
            let trouble = |text: &str| Problem { path: glob.clone(), trouble: Trouble::BadGlob(text.to_owned()) };
            let text = clean(glob);
            if text.starts_with('/') || text.split('/').any(|part| part == "..") {
                problems.push(trouble("it must stay inside the project"));
                continue;
            }
            if let Some(simple) = Simple::new(text) {
                compiled.simple.push(simple);
            } else {
                match GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build() {
                    Ok(glob) => {
                        builder.add(glob);
                        others = true;
                    }
                    Err(error) => {
                        problems.push(trouble(&error.kind().to_string()));
                        continue;
                    }
                }
            }
            let folder = glob_base(text);
            let below = text.matches('/').count() - if folder.is_empty() { 0 } else { folder.matches('/').count() + 1 };
            compiled.starts.push(Start { folder, depth: if text.contains("**") { usize::MAX } else { below } });
        }
        if others {
            match builder.build() {
                Ok(set) => compiled.others = Some(set),
                Err(error) => problems.push(Problem {
                    path: error.glob().unwrap_or_default().to_owned(),
                    trouble: Trouble::BadGlob(error.kind().to_string()),
                }),
            }
        }
        compiled.starts = merged(compiled.starts);
        (compiled, problems)
    }

    /// Whether a path from the root matches one of them.
    pub fn matches(&self, path: &str) -> bool {
        self.simple.iter().any(|simple| simple.matches(path))
            || self.others.as_ref().is_some_and(|others| others.is_match(path))
    }

    /// The folders that hold everything they can match, sorted, none inside another unless hidden; `""` is the root.
    pub fn bases(&self) -> Vec<&str> {
        self.starts.iter().map(|start| start.folder.as_str()).collect()
    }

    pub(crate) fn starts(&self) -> &[Start] {
        &self.starts
    }
}

impl Simple {
    fn new(glob: &str) -> Option<Simple> {
        let (base, rest) = glob.split_once("**/*.")?;
        if !(base.is_empty() || base.ends_with('/')) || base.contains(is_special) {
            return None;
        }
        let list = match rest.strip_prefix('{') {
            Some(list) => list.strip_suffix('}')?,
            None => rest,
        };
        if list.contains(is_special) || list.contains('/') || (rest.len() == list.len() && list.contains(',')) {
            return None;
        }
        let extensions = list.split(',').map(|extension| format!(".{extension}")).collect();
        Some(Simple { base: base.to_owned(), extensions })
    }

    fn matches(&self, path: &str) -> bool {
        path.strip_prefix(&self.base)
            .is_some_and(|rest| self.extensions.iter().any(|extension| rest.ends_with(extension.as_str())))
    }
}

fn is_special(char: char) -> bool {
    matches!(char, '*' | '?' | '[' | ']' | '{' | '}' | '\\' | '!')
}

fn clean(glob: &str) -> &str {
    let mut text = glob;
    while let Some(rest) = text.strip_prefix("./") {
        text = rest;
    }
    text
}

/// The fixed part of a glob: the deepest folder that holds everything it matches; `""` is the root.
pub fn glob_base(glob: &str) -> String {
    let text = clean(glob);
    let parts: Vec<&str> = text.split('/').collect();
    let folders = &parts[..parts.len() - 1];
    let fixed = folders.iter().position(|part| part.contains(is_special)).unwrap_or(folders.len());
    folders[..fixed].join("/")
}

/// Whether a path from the root matches one of the globs. For many paths, compile [`Globs`] once.
pub fn matches(globs: &[String], path: &str) -> bool {
    Globs::new(globs).0.matches(path)
}

/// Drops starts that another start's walk passes anyway.
fn merged(mut starts: Vec<Start>) -> Vec<Start> {
    starts.sort_by(|a, b| (a.folder.matches('/').count(), &a.folder).cmp(&(b.folder.matches('/').count(), &b.folder)));
    let mut kept: Vec<Start> = Vec::new();
    for start in starts {
        let outer = kept.iter_mut().find_map(|outer| {
            let rest = below(&outer.folder, &start.folder)?;
            // A walk does not enter hidden folders by itself.
            (!rest.split('/').any(|part| part.starts_with('.'))).then_some((outer, rest))
        });
        match outer {
            Some((outer, rest)) => {
                let between = if rest.is_empty() { 0 } else { rest.matches('/').count() + 1 };
                outer.depth = outer.depth.max(start.depth.saturating_add(between));
            }
            None => kept.push(start),
        }
    }
    kept.sort_by(|a, b| a.folder.cmp(&b.folder));
    kept
}

/// What remains of `path` below `folder`; `""` if they are the same.
pub(crate) fn below<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    if folder.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(list: &[&str]) -> Globs {
        let (globs, problems) = Globs::new(&list.iter().map(|&glob| glob.to_owned()).collect::<Vec<_>>());
        assert_eq!(problems, []);
        globs
    }

    #[test]
    fn bases() {
        for (glob, base) in [
            ("contracts/**/*.{json,yaml,yml}", "contracts"),
            ("a/b/c.json", "a/b"),
            ("*.json", ""),
            ("**/x.json", ""),
            ("./a/x?/y/*.json", "a"),
            ("a{b,c}/d", ""),
        ] {
            assert_eq!(glob_base(glob), base, "{glob}");
        }
        assert_eq!(globs(&["a/**/*.json", "a/b/*.yaml", "c/*.json", "a/.h/*.json"]).bases(), ["a", "a/.h", "c"]);
        assert_eq!(globs(&["*.json", "a/b/*.yaml"]).starts(), [Start { folder: String::new(), depth: 2 }]);
    }

    /// The quick way and the library agree.
    #[test]
    fn the_usual_form_means_what_the_library_means() {
        let paths = [
            "contracts/a.json",
            "contracts/x/y/a.yml",
            "contracts/a.jsonx",
            "contracts/a",
            "a.json",
            "contractsx/a.json",
            "contracts/a.b.json",
            "contracts/x.json/b.txt",
            "contracts/x.json/b.yaml",
            "x/contracts/a.json",
        ];
        for glob in ["contracts/**/*.{json,yaml,yml}", "contracts/**/*.json", "**/*.json", "contracts/x/**/*.{yml}"] {
            let reference = GlobBuilder::new(glob).literal_separator(true).build().unwrap().compile_matcher();
            assert_eq!(globs(&[glob]).simple.len(), 1, "{glob}");
            for path in paths {
                assert_eq!(globs(&[glob]).matches(path), reference.is_match(path), "{glob} {path}");
            }
        }
        for glob in ["a**/*.json", "a/**/*.[jy]son", "a/**/*.{json,y*}", "a/**/b/*.json", "a/*/**/*.json"] {
            assert_eq!(globs(&[glob]).simple.len(), 0, "{glob}");
        }
    }

    #[test]
    fn stars_stop_at_slashes() {
        let globs = globs(&["c/*.json", "d/?.yaml"]);
        assert!(globs.matches("c/a.json") && globs.matches("d/a.yaml"));
        assert!(!globs.matches("c/x/a.json") && !globs.matches("d/ab.yaml"));
    }

    #[test]
    fn bad_globs_are_told() {
        let (globs, problems) =
            Globs::new(&["a/[".to_owned(), "../x/*.json".to_owned(), "/x".to_owned(), "ok.json".to_owned()]);
        assert_eq!(
            problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(),
            ["a/[", "../x/*.json", "/x"]
        );
        assert!(globs.matches("ok.json"));
    }
}
