//! Folders that have changed: would the same files be found in them as before? Editors save by way of other files, which changes the
//! folder and nothing that counts.

use std::collections::BTreeSet;
use std::path::Path;

use crate::discover::RULES;
use crate::globs::Globs;
use crate::would_find;

/// What is to be found below a root; see [`discover`](crate::discover).
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// Where paths begin.
    pub root: &'a Path,
    /// Which files.
    pub globs: &'a [String],
    /// Which not.
    pub exclude: &'a [String],
    /// The folder of outputs.
    pub out: &'a str,
}

/// Whether the files that are sought in a folder, not further down, are these `names` as before. `place` tells which folders and lists
/// of rules were looked at then. False too where a closer look is needed to tell.
pub fn same_names(sought: &Sought<'_>, folder: &str, names: &BTreeSet<&str>, place: impl Fn(&str) -> bool) -> bool {
    let Ok(entries) = std::fs::read_dir(sought.root.join(folder)) else { return false };
    let (mut found, mut globs) = (0, None);
    for entry in entries {
        let Ok((kind, name)) = entry.and_then(|entry| Ok((entry.file_type()?, entry.file_name()))) else {
            return false;
        };
        let Some(name) = name.to_str() else { return false };
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        if name.starts_with('.') {
            if name == RULES && !place(&path) {
                return false;
            }
        } else if kind.is_file() {
            if names.contains(name) {
                found += 1;
            } else {
                let globs = globs.get_or_insert_with(|| Globs::new(sought.globs).0);
                if name.contains(char::is_control) || would_find(sought.root, globs, sought.exclude, sought.out, &path)
                {
                    return false;
                }
            }
        } else if !kind.is_dir() || !place(&path) {
            return false;
        }
    }
    found == names.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_sought_counts() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("c/sub")).unwrap();
        for name in ["a.json", "b.json", "notes.txt", ".hidden.json"] {
            std::fs::write(root.join("c").join(name), "").unwrap();
        }
        let globs = ["c/**/*.json".to_owned()];
        let sought = Sought { root, globs: &globs, exclude: &["c/not.json".to_owned()], out: "generated" };
        let places = BTreeSet::from(["c", "c/sub", "c/.gitignore"]);
        let same =
            |names: &[&str]| same_names(&sought, "c", &names.iter().copied().collect(), |path| places.contains(path));
        assert!(same(&["a.json", "b.json"]));
        assert!(!same(&["a.json"]), "one came");
        assert!(!same(&["a.json", "b.json", "d.json"]), "one went");
        std::fs::write(root.join("c/a.json~"), "").unwrap();
        std::fs::write(root.join("c/not.json"), "").unwrap();
        std::fs::write(root.join("c/.gitignore"), "").unwrap();
        assert!(same(&["a.json", "b.json"]), "others may come and go");
        std::fs::create_dir(root.join("c/new")).unwrap();
        assert!(!same(&["a.json", "b.json"]), "a folder");
        std::fs::remove_dir(root.join("c/new")).unwrap();
        std::fs::write(root.join("c/sub/.gitignore"), "").unwrap();
        let below = same_names(&sought, "c/sub", &BTreeSet::new(), |path| places.contains(path));
        assert!(!below, "rules");
        assert!(!same_names(&sought, "gone", &BTreeSet::new(), |_| true));
    }
}
