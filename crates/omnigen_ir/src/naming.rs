//! Names in the generated code: a pure function of path, pointer and template. Nothing is ever numbered to make room
//! for something else; what collides is reported.

use unicode_normalization::UnicodeNormalization;

/// Where a contract's modules go and what they are called: made from its path alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unit {
    /// Folders below `models/`, `validators/`, `tests/`: those of the contract below its glob's fixed part.
    pub folders: Vec<String>,
    /// The file's stem in snake case: `order_item`.
    pub stem: String,
    /// The same in Pascal case: `OrderItem`.
    pub pascal: String,
}

impl Unit {
    /// The unit of the contract at `path` (with `/`), of which the first `base` (no trailing slash) is not mirrored.
    /// The extensions `.json`, `.yaml`, `.yml` and, before them, `.schema`, `.contract` and `.openapi` do not count.
    pub fn new(path: &str, base: &str) -> Unit {
        let below = path.strip_prefix(base).filter(|rest| base.is_empty() || rest.starts_with('/')).unwrap_or(path);
        let mut folders: Vec<&str> =
            below.split('/').filter(|part| !part.is_empty() && *part != "." && *part != "..").collect();
        let file = folders.pop().unwrap_or("contract");
        let mut stem = file;
        for extension in [".json", ".yaml", ".yml"] {
            stem = stem.strip_suffix(extension).unwrap_or(stem);
        }
        for extension in [".schema", ".contract", ".openapi"] {
            stem = stem.strip_suffix(extension).filter(|s| !s.is_empty()).unwrap_or(stem);
        }
        Unit {
            folders: folders.into_iter().map(|folder| identifier(&snake(folder))).collect(),
            stem: snake(stem),
            pascal: pascal(stem),
        }
    }

    /// The output of a built-in target, below the output folder: `models/billing/model_invoice.py`. `kind` is the singular
    /// (`model`, `validator`, `test`), which is also the folder without its plural.
    pub fn path(&self, kind: &str) -> String {
        let mut path = format!("{kind}s");
        for folder in &self.folders {
            path.push('/');
            path.push_str(folder);
        }
        format!("{path}/{kind}_{}.py", self.stem)
    }

    /// The relative import path, seen from this unit's module of `kind`, of `target`'s module of `target_kind`:
    /// `.model_customer`, `..billing.model_invoice`, `...models.billing.model_invoice`.
    pub fn import(&self, kind: &str, target: &Unit, target_kind: &str) -> String {
        let from: Vec<String> = std::iter::once(format!("{kind}s")).chain(self.folders.iter().cloned()).collect();
        let to: Vec<String> =
            std::iter::once(format!("{target_kind}s")).chain(target.folders.iter().cloned()).collect();
        let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        let mut path = ".".repeat(1 + from.len() - shared);
        for folder in &to[shared..] {
            path.push_str(folder);
            path.push('.');
        }
        format!("{path}{target_kind}_{}", target.stem)
    }
}

/// How classes are called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Naming {
    /// Template with `{Name}`, `Model{Name}` unless configured.
    pub class: String,
}

impl Default for Naming {
    fn default() -> Self {
        Naming { class: "Model{Name}".to_owned() }
    }
}

impl Naming {
    /// The class for a Pascal-case name.
    pub fn class(&self, name: &str) -> String {
        identifier(&self.class.replace("{Name}", name))
    }

    /// The class for the schema at `pointer` of a contract: the contract's own name for the root, that of the
    /// definition for a definition (with `Def` if both have the same), and the owner's name with the path appended for what is
    /// inside: `ModelOrder`, `ModelAddress`, `ModelOrderLinesItem`.
    pub fn at(&self, unit: &Unit, pointer: &str) -> String {
        self.class(&name_at(unit, pointer))
    }
}

/// The part of a class name that stands for `{Name}`, see [`Naming::at`].
pub fn name_at(unit: &Unit, pointer: &str) -> String {
    let mut tokens = pointer.split('/').skip(1).map(unescape);
    let mut name = unit.pascal.clone();
    let mut pending = tokens.next();
    if matches!(pending.as_deref(), Some("$defs" | "definitions"))
        && let Some(definition) = tokens.next()
    {
        name = pascal(&definition);
        if name == unit.pascal {
            name.push_str("Def");
        }
        pending = tokens.next();
    }
    while let Some(token) = pending {
        match token.as_str() {
            "properties" | "$defs" | "definitions" => {
                if let Some(property) = tokens.next() {
                    name.push_str(&pascal(&property));
                }
            }
            "items" | "additionalItems" => name.push_str("Item"),
            "additionalProperties" => name.push_str("Value"),
            "propertyNames" => name.push_str("Name"),
            "contains" => name.push_str("Contained"),
            "patternProperties" => {
                tokens.next().inspect(|pattern| name.push_str(&format!("Pattern{}", pascal(pattern))));
            }
            "dependentSchemas" | "dependencies" => {
                tokens.next().inspect(|property| name.push_str(&format!("With{}", pascal(property))));
            }
            keyword @ ("prefixItems" | "allOf" | "anyOf" | "oneOf") => {
                name.push_str(match keyword {
                    "prefixItems" => "Item",
                    "allOf" => "Part",
                    "anyOf" => "Option",
                    _ => "Variant",
                });
                if let Some(index) = tokens.next() {
                    // People count from one.
                    match index.parse::<u64>() {
                        Ok(index) => name.push_str(&(index + 1).to_string()),
                        Err(_) => name.push_str(&pascal(&index)),
                    }
                }
            }
            other => name.push_str(&pascal(other)),
        }
        pending = tokens.next();
    }
    name
}

/// The suffix of functions for the definition at `pointer`: empty for the root, `_address` for a definition.
pub fn function_at(unit: &Unit, pointer: &str) -> String {
    if pointer.is_empty() { String::new() } else { format!("_{}", snake(&name_at(unit, pointer))) }
}

/// `order-item`, `orderItem`, `ORDER_ITEM` → `OrderItem`; runs of capitals inside mixed case stay (`HTTPServer`).
pub fn pascal(text: &str) -> String {
    let parts = words(text);
    let shouting = !parts.iter().any(|word| word.chars().any(char::is_lowercase));
    parts
        .iter()
        .map(|word| {
            let mut chars = word.chars();
            let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
            let rest = chars.as_str();
            // A lone acronym stays (`ID`); constants (`ORDER_ITEM`) become words.
            if shouting && parts.len() > 1 { first + &rest.to_lowercase() } else { first + rest }
        })
        .collect()
}

/// `OrderItem`, `order-item` → `order_item`.
pub fn snake(text: &str) -> String {
    words(text).iter().map(|word| word.to_lowercase()).collect::<Vec<_>>().join("_")
}

/// A valid Python identifier that is not a keyword: a leading digit gets an underscore before it, a keyword one behind.
pub fn identifier(name: &str) -> String {
    let mut name = name.to_owned();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    if is_keyword(&name) {
        name.push('_');
    }
    name
}

/// Is it a keyword of Python (3.10 to 3.14, soft ones left out)?
pub fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "False"
            | "None"
            | "True"
            | "and"
            | "as"
            | "assert"
            | "async"
            | "await"
            | "break"
            | "class"
            | "continue"
            | "def"
            | "del"
            | "elif"
            | "else"
            | "except"
            | "finally"
            | "for"
            | "from"
            | "global"
            | "if"
            | "import"
            | "in"
            | "is"
            | "lambda"
            | "nonlocal"
            | "not"
            | "or"
            | "pass"
            | "raise"
            | "return"
            | "try"
            | "while"
            | "with"
            | "yield"
    )
}

/// Splits at everything that is no letter or digit, and before a capital that follows a lower-case letter or digit or
/// starts a word after capitals (`HTTPServer` → `HTTP`, `Server`). A text without letters or digits is spelled by code points.
fn words(text: &str) -> Vec<String> {
    let text: String = if text.is_ascii() { text.to_owned() } else { text.nfkc().collect() };
    let chars: Vec<char> = text.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (i, &c) in chars.iter().enumerate() {
        if !(c.is_alphabetic() || c.is_ascii_digit()) {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        if c.is_uppercase() && !word.is_empty() {
            let before = chars[i - 1];
            let next_lower = chars.get(i + 1).is_some_and(|n| n.is_lowercase());
            if !before.is_uppercase() || next_lower {
                words.push(std::mem::take(&mut word));
            }
        }
        word.push(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    if words.is_empty() {
        words.push(chars.iter().map(|c| format!("U{:X}", *c as u32)).collect());
        if chars.is_empty() {
            words = vec!["Empty".to_owned()];
        }
    }
    words
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        for (text, p, s) in [
            ("order-item", "OrderItem", "order_item"),
            ("orderItem", "OrderItem", "order_item"),
            ("ORDER_ITEM", "OrderItem", "order_item"),
            ("HTTPServer", "HTTPServer", "http_server"),
            ("ID", "ID", "id"),
            ("v1.2", "V12", "v1_2"),
            ("+", "U2B", "u2b"),
            ("", "Empty", "empty"),
            ("größe", "Größe", "größe"),
        ] {
            assert_eq!((pascal(text).as_str(), snake(text).as_str()), (p, s), "{text}");
        }
    }

    #[test]
    fn units_and_classes() {
        let unit = Unit::new("contracts/billing/order.schema.json", "contracts");
        assert_eq!(unit.path("model"), "models/billing/model_order.py");
        let other = Unit::new("contracts/customer.json", "contracts");
        assert_eq!(unit.import("model", &other, "model"), "..model_customer");
        assert_eq!(other.import("model", &unit, "model"), ".billing.model_order");
        assert_eq!(unit.import("validator", &unit, "model"), "...models.billing.model_order");
        let naming = Naming::default();
        for (pointer, class) in [
            ("", "ModelOrder"),
            ("/$defs/Address", "ModelAddress"),
            ("/$defs/order", "ModelOrderDef"),
            ("/properties/lines/items", "ModelOrderLinesItem"),
            ("/definitions/Address/properties/geo", "ModelAddressGeo"),
            ("/properties/a~1b/oneOf/0", "ModelOrderABVariant1"),
        ] {
            assert_eq!(naming.at(&unit, pointer), class, "{pointer}");
        }
        let plain = Naming { class: "{Name}".to_owned() };
        assert_eq!(plain.at(&unit, ""), "Order");
        assert_eq!(plain.class("None"), "None_");
    }
}
