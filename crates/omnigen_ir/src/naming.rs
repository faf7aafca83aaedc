//! Names in the generated code: a pure function of path, pointer and template. Nothing is ever numbered to make room
//! for something else; what collides is reported.

mod api;

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

pub use api::{BASE, OPERATION, WRITE, plain_pointer};

/// What is known of a contract by its path alone: where its modules go, what they are called, and what the project says of such
/// paths.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unit {
    /// Folders below `models/`, `validators/`, `tests/`: those of the contract below its glob's fixed part.
    pub folders: Vec<String>,
    /// The file's stem in snake case: `order_item`.
    pub stem: String,
    /// The same in Pascal case: `OrderItem`.
    pub pascal: String,
    /// The draft that it is read in if it states none: `draft-07`.
    pub assumed: Option<Box<str>>,
}

impl Unit {
    /// The unit of the contract at `path` (with `/`), of which the first `base` (no trailing slash) is not mirrored.
    /// Many ONEX contracts are all called `contract.yaml`: those have the name of their folder, without a `node_` before it.
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
        if stem == "contract"
            && !file.ends_with(".json")
            && let Some(above) = path.rsplit('/').nth(1).filter(|above| !matches!(*above, "" | "." | ".."))
        {
            stem = above.strip_prefix("node_").filter(|s| !s.is_empty()).unwrap_or(above);
            folders.pop();
        }
        Unit {
            folders: folders.into_iter().map(|folder| identifier(snake(folder))).collect(),
            stem: snake(stem),
            pascal: pascal(stem),
            assumed: None,
        }
    }

    /// The output of a built-in target, below the output folder: `models/billing/model_invoice.py`. `kind` is the singular
    /// (`model`, `validator`, `test`), which is also the folder without its plural.
    pub fn path(&self, kind: &str) -> String {
        let mut path = String::with_capacity(64);
        for folder in self.packages(kind) {
            path.push_str(&folder);
            path.push('/');
        }
        path.extend([kind, "_", &self.stem, ".py"]);
        path
    }

    /// The folders of its module of `kind`, that of the kind included. A folder `node_pay` beside a module `node_pay.py` would hide
    /// it from Python: below `nodes/`, folders have no `node_` before them.
    fn packages(&self, kind: &str) -> Vec<Cow<'_, str>> {
        let mut packages = Vec::with_capacity(1 + self.folders.len());
        packages.push(match kind {
            "model" => Cow::Borrowed("models"),
            "validator" => Cow::Borrowed("validators"),
            "test" => Cow::Borrowed("tests"),
            kind => Cow::Owned([kind, "s"].concat()),
        });
        packages.extend(self.folders.iter().map(|folder| {
            let rest =
                folder.strip_prefix(kind).and_then(|rest| rest.strip_prefix('_')).filter(|rest| !rest.is_empty());
            rest.map_or(Cow::Borrowed(folder.as_str()), |rest| identifier(rest.to_owned()).into())
        }));
        packages
    }

    /// The relative import path, seen from this unit's module of `kind`, of `target`'s module of `target_kind`:
    /// `.model_customer`, `..billing.model_invoice`, `...models.billing.model_invoice`.
    pub fn import(&self, kind: &str, target: &Unit, target_kind: &str) -> String {
        let (from, to) = (self.packages(kind), target.packages(target_kind));
        let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        let mut path = String::with_capacity(64);
        (shared..=from.len()).for_each(|_| path.push('.'));
        for folder in &to[shared..] {
            path.push_str(folder);
            path.push('.');
        }
        path.extend([target_kind, "_", &target.stem]);
        path
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
        match self.class.strip_suffix("{Name}") {
            Some(prefix) if !prefix.contains('{') => identifier([prefix, name].concat()),
            _ => identifier(self.class.replace("{Name}", name)),
        }
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
    if let Some(name) = api::name_at(pointer) {
        return name;
    }
    let mut tokens = pointer.split('/').skip(1).map(unescape);
    let mut pending = tokens.next();
    let mut name = String::new();
    if matches!(pending.as_deref(), Some("$defs" | "definitions"))
        && let Some(definition) = tokens.next()
    {
        push_pascal(&mut name, &definition);
        if name == unit.pascal {
            name.push_str("Def");
        }
        pending = tokens.next();
    } else {
        name.push_str(&unit.pascal);
    }
    push_inside(&mut name, pending, &mut tokens);
    name
}

/// Appends what the inside of a schema adds to the name of the schema.
fn push_inside<'p>(
    name: &mut String,
    mut pending: Option<Cow<'p, str>>,
    tokens: &mut dyn Iterator<Item = Cow<'p, str>>,
) {
    while let Some(token) = pending {
        match &*token {
            "properties" | "$defs" | "definitions" => {
                if let Some(property) = tokens.next() {
                    push_pascal(name, &property);
                }
            }
            "items" | "additionalItems" => name.push_str("Item"),
            "additionalProperties" => name.push_str("Value"),
            "propertyNames" => name.push_str("Name"),
            "contains" => name.push_str("Contained"),
            "patternProperties" => {
                if let Some(pattern) = tokens.next() {
                    push_pattern(name, &pattern);
                }
            }
            "dependentSchemas" | "dependencies" => {
                if let Some(property) = tokens.next() {
                    name.push_str("With");
                    push_pascal(name, &property);
                }
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
                        Err(_) => push_pascal(name, &index),
                    }
                }
            }
            other => push_pascal(name, other),
        }
        pending = tokens.next();
    }
}

/// What the properties that match `pattern` are called: by the words that all of them have (`^x-` → `PatternX`), else `Entry`
/// if they may be any names with letters (`^[a-z]+$`), else by the pattern itself.
fn push_pattern(name: &mut String, pattern: &str) {
    let (mut literal, mut any) = (String::new(), false);
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // A class: which letters it has says nothing about the names.
            '[' => {
                let mut before = ' ';
                let class = chars.by_ref().take_while(|&c| {
                    let end = c == ']' && before != '\\';
                    before = if before == '\\' { ' ' } else { c };
                    !end
                });
                any |= class
                    .fold((true, false), |(first, any), c| (false, any || c.is_alphabetic() || (first && c == '^')))
                    .1;
                literal.push(' ');
            }
            '{' => {
                chars.by_ref().find(|&c| c == '}');
            }
            '(' if chars.next_if_eq(&'?').is_some() => match chars.next() {
                Some('<') if chars.peek().is_some_and(|c| c.is_alphabetic()) => {
                    chars.by_ref().find(|&c| c == '>');
                }
                // What the names are not.
                Some('!' | '<') => {
                    chars.by_ref().find(|&c| c == ')');
                }
                _ => {}
            },
            '\\' => match chars.next() {
                Some('w' | 'D' | 'S' | 'W') => {
                    any = true;
                    literal.push(' ');
                }
                Some('d') => literal.push(' '),
                Some(c) if !c.is_alphanumeric() => literal.push(c),
                _ => literal.push(' '),
            },
            '.' => {
                any = true;
                literal.push(' ');
            }
            c => literal.push(c),
        }
    }
    if literal.contains(char::is_alphabetic) {
        name.push_str("Pattern");
        push_pascal(name, &literal);
    } else if any || pattern.is_empty() {
        name.push_str("Entry");
    } else {
        name.push_str("Pattern");
        push_pascal(name, pattern);
    }
}

/// The suffix of functions for the definition at `pointer`: empty for the root, `_address` for a definition.
pub fn function_at(unit: &Unit, pointer: &str) -> String {
    if pointer.is_empty() { String::new() } else { ["_", &snake(&name_at(unit, pointer))].concat() }
}

/// `order-item`, `orderItem`, `ORDER_ITEM` → `OrderItem`; runs of capitals inside mixed case stay (`HTTPServer`).
pub fn pascal(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    push_pascal(&mut name, text);
    name
}

fn push_pascal(name: &mut String, text: &str) {
    if is_lower_words(text) {
        name.reserve(text.len());
        for word in text.split(['_', '-', ' ', '.']) {
            let start = name.len();
            name.push_str(word);
            if let Some(first) = name.get_mut(start..=start) {
                first.make_ascii_uppercase();
            }
        }
        return;
    }
    // As usual: one name of letters and digits, that has its words marked by capitals already.
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) && text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        let (first, rest) = text.split_at(1);
        name.push(char::from(first.as_bytes()[0].to_ascii_uppercase()));
        name.push_str(rest);
        return;
    }
    let text = normal(text);
    // A lone acronym stays (`ID`); constants (`ORDER_ITEM`) become words.
    let constant = !text.chars().any(char::is_lowercase) && {
        let mut count = 0;
        words(&text, &mut |_| count += 1);
        count > 1
    };
    words(&text, &mut |word| {
        let mut chars = word.chars();
        name.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        let rest = chars.as_str();
        if constant { name.push_str(&rest.to_lowercase()) } else { name.push_str(rest) }
    });
}

/// `OrderItem`, `order-item` → `order_item`.
pub fn snake(text: &str) -> String {
    if is_lower_words(text) && !text.contains(['-', ' ', '.']) && !text.contains("__") && !text.ends_with('_') {
        return text.to_owned();
    }
    let mut name = String::with_capacity(text.len() + 4);
    words(&normal(text), &mut |word| {
        if !name.is_empty() {
            name.push('_');
        }
        if word.is_ascii() {
            name.extend(word.chars().map(|c| c.to_ascii_lowercase()));
        } else {
            name.push_str(&word.to_lowercase());
        }
    });
    name
}

/// A valid Python identifier that is not a keyword: a leading digit gets an underscore before it, a keyword one behind.
pub fn identifier(name: impl Into<String>) -> String {
    let mut name = name.into();
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

/// The usual case: words of lower-case letters and digits of ASCII, first a letter, that `_`, `-`, `.` or a blank part.
fn is_lower_words(text: &str) -> bool {
    let usual = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b' ' | b'.');
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(usual)
}

fn normal(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { text.into() } else { text.nfkc().collect() }
}

/// Splits at everything that is no letter or digit, and before a capital that follows a lower-case letter or digit or
/// starts a word after capitals (`HTTPServer` → `HTTP`, `Server`). A text without letters or digits is spelled by code points.
fn words(text: &str, f: &mut dyn FnMut(&str)) {
    let mut none = true;
    let mut give = |word: &str| {
        none = false;
        f(word);
    };
    let mut start = None;
    let mut before = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !(c.is_alphabetic() || c.is_ascii_digit()) {
            if let Some(start) = start.take() {
                give(&text[start..at]);
            }
            continue;
        }
        match start {
            None => start = Some(at),
            Some(from) if c.is_uppercase() => {
                let next_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
                if !before.is_uppercase() || next_lower {
                    give(&text[from..at]);
                    start = Some(at);
                }
            }
            Some(_) => {}
        }
        before = c;
    }
    if let Some(start) = start {
        give(&text[start..]);
    }
    if text.is_empty() {
        f("Empty");
    } else if none {
        f(&text.chars().map(|c| format!("U{:X}", c as u32)).collect::<String>());
    }
}

fn unescape(token: &str) -> Cow<'_, str> {
    if token.contains('~') { token.replace("~1", "/").replace("~0", "~").into() } else { token.into() }
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
        // A package of the same name would hide a module.
        let node = Unit::new("contracts/node_pay/handlers/charge.yaml", "contracts");
        assert_eq!(node.path("node"), "nodes/pay/handlers/node_charge.py");
        assert_eq!(node.path("model"), "models/node_pay/handlers/model_charge.py");
        assert_eq!(node.import("node", &node, "model"), "....models.node_pay.handlers.model_charge");
        let naming = Naming::default();
        for (pointer, class) in [
            ("", "ModelOrder"),
            ("/$defs/Address", "ModelAddress"),
            ("/$defs/order", "ModelOrderDef"),
            ("/properties/lines/items", "ModelOrderLinesItem"),
            ("/definitions/Address/properties/geo", "ModelAddressGeo"),
            ("/properties/a~1b/oneOf/0", "ModelOrderABVariant1"),
            ("/patternProperties/^[a-zA-Z_][a-zA-Z0-9_-]{0,9}$", "ModelOrderEntry"),
            ("/patternProperties/.*", "ModelOrderEntry"),
            ("/patternProperties/^(?!bundle::)(?!with$).*", "ModelOrderEntry"),
            ("/patternProperties/^[^\\]:]+$", "ModelOrderEntry"),
            ("/patternProperties/^x-/items", "ModelOrderPatternXItem"),
            ("/patternProperties/^body_[a-z0-9]+", "ModelOrderPatternBody"),
            ("/patternProperties/^response\\.headers\\..+$", "ModelOrderPatternResponseHeaders"),
            ("/patternProperties/^WriteTo:((?<Name>[a-z]\\w*)|\\d*)$", "ModelOrderPatternWriteTo"),
            ("/patternProperties/^\\d+$", "ModelOrderPatternD"),
            ("/patternProperties/^[0-9]{3}$", "ModelOrderPattern093"),
            ("/patternProperties/[", "ModelOrderPatternU5B"),
            ("/patternProperties/\\", "ModelOrderPatternU5C"),
        ] {
            assert_eq!(naming.at(&unit, pointer), class, "{pointer}");
        }
        let plain = Naming { class: "{Name}".to_owned() };
        assert_eq!(plain.at(&unit, ""), "Order");
        for (pointer, class) in [
            ("/components/schemas/order", "Order"),
            ("/components/schemas/order~write/properties/lines/items", "OrderWriteLinesItem"),
            ("/components/schemas/Pet~base", "PetBase"),
            ("/components/responses/NotFound/content/application~1json/schema", "NotFoundResponseBody"),
            ("/components/responses/NotFound/headers", "NotFoundResponseHeaders"),
            ("/components/headers/RateLimit/schema", "RateLimitHeader"),
            (
                "/components/callbacks/onEvent/{$request.body#~1url}/post/requestBody/content/application~1json/schema",
                "PostOnEventCallbackRequestBody",
            ),
            ("/paths/~1pets/get/responses/200/headers/properties/X-Page", "GetPetsResponse200HeadersXPage"),
            ("/paths/~1pets~1{petId}/get/responses/200/content/application~1json/schema", "GetPetsPetIdResponse200"),
            ("/paths/~1pets/post~@addPet/requestBody/content/multipart~1form-data/schema", "AddPetRequestBodyFormData"),
            ("/paths/~1pets/get/responses/4XX/content/application~1json/schema", "GetPetsResponse4XX"),
            ("/paths/~1pets/get~@listPets/parameters", "ListPetsParameters"),
            ("/paths/~1pets/get~@listPets/parameters/properties/query", "ListPetsParametersQuery"),
            (
                "/webhooks/newPet/post/requestBody/content/application~1json/schema/items",
                "PostNewPetWebhookRequestBodyItem",
            ),
        ] {
            assert_eq!(plain.at(&unit, pointer), class, "{pointer}");
        }
        assert_eq!(plain_pointer("/paths/~1pets/get~@listPets~1x/a~0~write/b"), "/paths/~1pets/get/a~0/b");
        assert_eq!(plain.class("None"), "None_");
    }
}
