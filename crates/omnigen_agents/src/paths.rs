//! Paths that an agent names: safe on every system, and within what its target may write.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};
use omnigen_disk::safe::safe_relative;
use unicode_normalization::is_nfc;

/// Refuses a path that an agent named if it is not safe, or could be spelled in another way.
pub(crate) fn check_path(path: &str) -> Result<(), String> {
    safe_relative(path).map_err(|bad| bad.to_string())?;
    if is_nfc(path) { Ok(()) } else { Err("the path is not in Unicode's normal form NFC".into()) }
}

/// A path as disks see it that do not tell upper case from lower case: by way of upper case, since `\u{df}` is the same as `ss` to them.
pub fn folded(path: &str) -> String {
    path.to_uppercase().to_lowercase()
}

/// The paths of artifacts that a target may have: a path, or a glob (`*` within a part, `**` over parts).
#[derive(Clone)]
pub struct OutputPattern {
    text: String,
    /// `None` for a path.
    glob: Option<GlobMatcher>,
}

impl OutputPattern {
    /// From a target's `output`: `{name}` is replaced by its value in `names`, taken literally; if the rest has one of
    /// `*`, `?`, `[`, all of it is a glob, else it is a path.
    ///
    /// # Errors
    /// Says what is wrong: a name that is not in `names`, a brace without its partner, a bad glob.
    pub fn new(template: &str, names: &[(&str, &str)]) -> Result<OutputPattern, String> {
        let (mut path, mut glob) = (String::new(), String::new());
        let mut is_path = true;
        let mut rest = template;
        loop {
            let (own, after) = rest.split_at(rest.find(['{', '}']).unwrap_or(rest.len()));
            is_path &= !own.contains(['*', '?', '[']);
            path.push_str(own);
            glob.push_str(own);
            if after.is_empty() {
                break;
            }
            let Some((name, after)) = after.strip_prefix('{').and_then(|after| after.split_once('}')) else {
                return Err(format!("a brace without its partner in `{template}`"));
            };
            let Some((_, value)) = names.iter().find(|(known, _)| *known == name) else {
                return Err(format!("`{{{name}}}` in `{template}` is not known here"));
            };
            path.push_str(value);
            glob.push_str(&globset::escape(value));
            rest = after;
        }
        if is_path {
            return Ok(OutputPattern { text: path, glob: None });
        }
        let built = GlobBuilder::new(&glob).literal_separator(true).backslash_escape(false).build();
        let built = built.map_err(|error| format!("`{template}` is no pattern of paths: {}", error.kind()))?;
        Ok(OutputPattern { text: glob, glob: Some(built.compile_matcher()) })
    }

    /// The path or the glob, with names filled in. The agent sees it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a path, so that there is but one artifact.
    pub fn is_path(&self) -> bool {
        self.glob.is_none()
    }

    /// Whether an artifact may have this path.
    pub fn matches(&self, path: &str) -> bool {
        self.glob.as_ref().map_or(self.text == path, |glob| glob.is_match(path))
    }
}

impl fmt::Debug for OutputPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl PartialEq for OutputPattern {
    fn eq(&self, other: &OutputPattern) -> bool {
        self.text == other.text && self.is_path() == other.is_path()
    }
}
impl Eq for OutputPattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_and_unsafe_paths() {
        for path in ["a", "docs/a.md", "Gr\u{fc}\u{df}e/\u{65e5}.md", "a b/c"] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
        for path in ["", "/a", "a/../b", "a\\b", "c:a", "a\nb", "nul", ".git/config", "e\u{301}"] {
            assert!(check_path(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn patterns() {
        let pattern = |template: &str| OutputPattern::new(template, &[("contract", "shop/a[1]*")]).expect(template);
        let path = pattern("docs/{contract}.md");
        assert!(path.is_path() && path.as_str() == "docs/shop/a[1]*.md");
        assert!(path.matches("docs/shop/a[1]*.md"));
        assert!(!path.matches("docs/shop/a1x.md") && !path.matches("docs/shop/a[1]*.mdx"));
        let glob = pattern("docs/{contract}/*.md");
        assert!(glob.matches("docs/shop/a[1]*/x.md"));
        assert!(!glob.matches("docs/shop/a1x/x.md") && !glob.matches("docs/shop/a[1]*/x/y.md"));
        assert!(pattern("docs/**").matches("docs/a/b") && !pattern("docs/**").matches("doc/a"));
        for bad in ["{other}", "{contract", "contract}", "a/[", "}{"] {
            OutputPattern::new(bad, &[("contract", "x")]).expect_err(bad);
        }
    }
}
