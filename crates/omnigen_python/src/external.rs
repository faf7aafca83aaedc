//! Classes that contracts name and do not describe: where the project says that they are imported from.

use omnigen_ir::External;

/// `[python.external]`: patterns of classes, and where each is imported from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Imports {
    /// `pkg.mod.Class`, `pkg.*` or `Class`, and `import` (from where the contract says), `opaque` (not at all) or the dotted
    /// path of another class. Sorted.
    pub rules: Vec<(String, String)>,
}

impl Imports {
    /// Module and name of the class to import; `None` if it stays opaque. The longest pattern that fits decides; one without
    /// a wildcard is longer than any with one.
    pub fn of(&self, external: &External) -> Option<(String, String)> {
        let path = external.path();
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == pattern || *external.name == *pattern,
        };
        let rule = self.rules.iter().filter(|(pattern, _)| fits(pattern));
        let (_, target) = rule.max_by_key(|(pattern, _)| (!pattern.ends_with('*'), pattern.len()))?;
        match target.as_str() {
            "opaque" => None,
            "import" => Some((external.module.as_deref()?.to_owned(), external.name.to_string())),
            path => path.rsplit_once('.').map(|(module, name)| (module.to_owned(), name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_pattern_decides() {
        let rules = [
            ("shop.*", "import"),
            ("shop.models.*", "opaque"),
            ("shop.models.Order", "mine.Order"),
            ("Bare", "mine.b.Bare"),
        ];
        let imports = Imports { rules: rules.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec() };
        let of = |module: Option<&str>, name: &str| {
            let external = External { module: module.map(Into::into), name: name.into() };
            imports.of(&external).map(|(module, name)| format!("{module}:{name}"))
        };
        assert_eq!(of(Some("shop.kinds"), "Kind").as_deref(), Some("shop.kinds:Kind"));
        assert_eq!(of(Some("shop.models"), "Item"), None);
        assert_eq!(of(Some("shop.models"), "Order").as_deref(), Some("mine:Order"));
        assert_eq!(of(None, "Bare").as_deref(), Some("mine.b:Bare"));
        assert_eq!(of(Some("other"), "Kind"), None);
        // Nobody knows where it is.
        assert_eq!(
            Imports { rules: vec![("Lost".to_owned(), "import".to_owned())] }
                .of(&External { module: None, name: "Lost".into() }),
            None
        );
    }
}
