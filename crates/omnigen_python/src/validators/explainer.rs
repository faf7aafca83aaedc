//! The function that reads tables of rules and reports what is violated: only the parts of it that a module's tables use.
//!
//! Its lines are short, and what is broken ends with a comma, so that `ruff format` leaves them as they are (from 60 columns on).

use omnigen_ir::TypeSet;

use super::explain::type_phrase;
use super::table::Table;
use super::{Emitter, Need};

/// A part of the function, by what uses it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Rules that are a function.
    Call,
    /// The function that tells whether there is anything to explain.
    Accepts,
    /// A rule that is `False`.
    False,
    Type,
    Enum,
    /// What [`Assertion`]s say.
    Assertions,
    /// Conditions with messages of their own.
    Checks,
    Prefix,
    Items,
    UnevaluatedItems,
    Required,
    Properties,
    Patterns,
    Additional,
    Names,
    Dependent,
    UnevaluatedProperties,
    AllOf,
    If,
    Ref,
}

/// Keywords that are one condition and one message each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assertion {
    Const,
    MinLength,
    MaxLength,
    Minimum,
    ExclusiveMinimum,
    Maximum,
    ExclusiveMaximum,
    MinItems,
    MaxItems,
    UniqueItems,
    AnyOf,
    OneOf,
    Not,
}

use Assertion::*;

const ASSERTIONS: [Assertion; 13] = [
    Const,
    MinLength,
    MaxLength,
    Minimum,
    ExclusiveMinimum,
    Maximum,
    ExclusiveMaximum,
    MinItems,
    MaxItems,
    UniqueItems,
    AnyOf,
    OneOf,
    Not,
];

impl Assertion {
    /// The keyword.
    pub(super) fn keyword(self) -> &'static str {
        self.says().0
    }

    /// The types that it is about.
    pub(super) fn types(self) -> TypeSet {
        match self {
            MinLength | MaxLength => TypeSet::STRING,
            Minimum | ExclusiveMinimum | Maximum | ExclusiveMaximum => TypeSet::NUMBER,
            MinItems | MaxItems | UniqueItems => TypeSet::ARRAY,
            Const | AnyOf | OneOf | Not => TypeSet::ALL,
        }
    }

    /// Keyword, message with a place for the rule and for the ending of the plural, name of the rule, condition of data and rule.
    fn says(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Const => ("const", "must be \"{}\"", "value", "data == value"),
            MinLength => ("minLength", "must have at least {} character{}", "least", "len(data) >= least"),
            MaxLength => ("maxLength", "must have at most {} character{}", "most", "len(data) <= most"),
            Minimum => ("minimum", "must be at least {}", "least", "data >= least"),
            ExclusiveMinimum => ("exclusiveMinimum", "must be greater than {}", "bound", "data > bound"),
            Maximum => ("maximum", "must be at most {}", "most", "data <= most"),
            ExclusiveMaximum => ("exclusiveMaximum", "must be less than {}", "bound", "data < bound"),
            MinItems => ("minItems", "must have at least {} item{}", "least", "len(data) >= least"),
            MaxItems => ("maxItems", "must have at most {} item{}", "most", "len(data) <= most"),
            UniqueItems => ("uniqueItems", "must not have equal items", "_", "_is_unique(data)"),
            AnyOf => ("anyOf", "must match one of the alternatives", "fits", "fits(data)"),
            OneOf => ("oneOf", "must match exactly one of the alternatives", "fits", "fits(data)"),
            Not => ("not", "must not match what is excluded", "fits", "not fits(data)"),
        }
    }

    /// Is data of another type than it is about?
    fn passes(self) -> &'static str {
        match self {
            MinLength | MaxLength => "not isinstance(data, str) or ",
            Minimum | ExclusiveMinimum | Maximum | ExclusiveMaximum => "not _is_number(data) or ",
            MinItems | MaxItems | UniqueItems => "not isinstance(data, list) or ",
            Const | AnyOf | OneOf | Not => "",
        }
    }
}

impl Emitter<'_> {
    /// Notes that the tables use a part.
    pub(super) fn part(&mut self, part: Part) {
        self.parts |= 1 << part as u32;
    }

    fn uses(&self, part: Part) -> bool {
        self.parts & (1 << part as u32) != 0
    }

    /// Functions of the module that the tables alone need.
    pub(super) fn table_needs(&mut self) {
        let types = std::mem::take(&mut self.types);
        for set in &types {
            self.typed(*set, TypeSet::ALL, "data");
        }
        let uses = |assertion: &Assertion| self.untyped & (1 << *assertion as u32) != 0;
        if ASSERTIONS.iter().any(|assertion| assertion.types() == TypeSet::NUMBER && uses(assertion)) {
            self.need(Need::IsNumber);
        }
        self.types = types;
        self.types.sort_unstable();
    }

    /// The function and what it looks up.
    pub(super) fn explainer(&self, out: &mut String) {
        if self.parts == 0 {
            return;
        }
        let mut table = Table::with_capacity(1024);
        let assignment = |out: &mut String, table: &Table, name: &str| {
            let head = [name, ": dict[str, Any] = "].concat();
            out.push_str(&head);
            table.put(out, self.settings.line_length, 0, head.len(), 0);
            out.push('\n');
        };
        if self.uses(Part::Type) {
            table.open('{');
            for types in &self.types {
                table.name(&type_phrase(*types));
                let holds = type_test(*types);
                if let Some(function) = holds.strip_suffix("(data)").filter(|name| !name.contains([' ', '('])) {
                    table.text(function);
                } else {
                    table.text("lambda data: ");
                    table.text(&holds);
                }
            }
            table.close('}');
            out.push_str("\n\n");
            assignment(out, &table, "_TYPES");
        }
        if self.uses(Part::Assertions) {
            table.clear();
            table.open('{');
            for assertion in ASSERTIONS.into_iter().filter(|assertion| self.assertions & (1 << *assertion as u32) != 0)
            {
                let (keyword, message, rule, holds) = assertion.says();
                table.key(keyword);
                table.open('(');
                table.item();
                table.string(message);
                table.item();
                table.text("lambda data, ");
                table.text(rule);
                table.text(": ");
                if self.untyped & (1 << assertion as u32) != 0 {
                    table.text(assertion.passes());
                }
                table.text(holds);
                table.close(')');
            }
            table.close('}');
            if !self.uses(Part::Type) {
                out.push_str("\n\n");
            }
            assignment(out, &table, "_ASSERTIONS");
        }
        out.push_str("\n\n");
        self.function_text(out);
    }

    fn function_text(&self, out: &mut String) {
        let any = |parts: &[Part]| parts.iter().any(|part| self.uses(*part));
        let wide = self.settings.line_length >= WIDE;
        let called = self.uses(Part::False);
        let mut put = |wanted: bool, text: &str| {
            if wanted {
                // Every other piece is about keywords that rules stand under.
                text.split('@')
                    .enumerate()
                    .filter(|(i, _)| called || i % 2 == 0)
                    .for_each(|(_, part)| out.push_str(part));
            }
        };
        let reports = [Part::False, Part::Type, Part::Enum, Part::Assertions, Part::Checks, Part::Required];
        let below = any(ITEMS) || any(MEMBERS);
        put(wide && !called, HEAD);
        put(!wide || called, HEAD_BROKEN);
        put(self.uses(Part::Call), CALL);
        // As a rule there is nothing to explain: before anything is made for that.
        put(self.uses(Part::Accepts) && called, ACCEPTS_UNLESS_FALSE);
        put(self.uses(Part::Accepts) && !called, ACCEPTS);
        put(wide && any(&reports), REPORT);
        put(!wide && any(&reports), REPORT_BROKEN);
        put(wide && below, BELOW);
        put(!wide && below, BELOW_BROKEN);
        put(called, FALSE);
        put(self.uses(Part::Type), TYPE);
        put(self.uses(Part::Enum), ENUM);
        put(self.uses(Part::Assertions), ASSERTED);
        put(self.uses(Part::Checks), CHECKS);
        put(self.uses(Part::Prefix) && self.uses(Part::Items), PREFIX_AND_ITEMS);
        put(self.uses(Part::Prefix) && !self.uses(Part::Items), PREFIX);
        put(!self.uses(Part::Prefix) && self.uses(Part::Items), EACH_ITEM);
        put(self.uses(Part::UnevaluatedItems), UNEVALUATED_ITEMS);
        put(any(MEMBERS) || any(&[Part::Required, Part::Dependent]), "    if isinstance(data, dict):\n");
        put(self.uses(Part::Required), REQUIRED);
        put(self.uses(Part::Properties), PROPERTIES);
        let others = self.uses(Part::Additional);
        put(self.uses(Part::Patterns), if others { PATTERNS_FIRST } else { PATTERNS });
        put(self.uses(Part::Patterns) && others, PATTERNS_ELSE);
        put(!self.uses(Part::Patterns) && others, ADDITIONAL);
        put(self.uses(Part::Names), NAMES);
        put(self.uses(Part::Dependent), DEPENDENT);
        put(self.uses(Part::UnevaluatedProperties), UNEVALUATED_PROPERTIES);
        put(self.uses(Part::AllOf), ALL_OF);
        put(self.uses(Part::If), IF);
        put(self.uses(Part::Ref), REF);
    }
}

/// Lines of so many columns leave room for heads of functions.
const WIDE: usize = 80;

/// Has `data` one of the types?
fn type_test(types: TypeSet) -> String {
    let mut parts = Vec::new();
    if types.has(TypeSet::NULL) {
        parts.push("data is None".to_owned());
    }
    let classes: Vec<&str> =
        [(TypeSet::BOOLEAN, "bool"), (TypeSet::STRING, "str"), (TypeSet::ARRAY, "list"), (TypeSet::OBJECT, "dict")]
            .into_iter()
            .filter_map(|(set, class)| types.has(set).then_some(class))
            .collect();
    match &classes[..] {
        [] => {}
        [class] => parts.push(format!("isinstance(data, {class})")),
        several => parts.push(format!("isinstance(data, ({}))", several.join(", "))),
    }
    if types.has(TypeSet::NUMBER) {
        parts.push("_is_number(data)".to_owned());
    } else if types.has(TypeSet::INTEGER) {
        parts.push("_is_integer(data)".to_owned());
    }
    if parts.is_empty() { "False".to_owned() } else { parts.join(" or ") }
}

/// Parts that look at items.
const ITEMS: &[Part] = &[Part::Prefix, Part::Items, Part::UnevaluatedItems];

/// Parts that look at members.
const MEMBERS: &[Part] =
    &[Part::Properties, Part::Patterns, Part::Additional, Part::Names, Part::UnevaluatedProperties];

const HEAD: &str = r#"def _explain(rules: Any, data: Any, at: str, out: list[Issue]) -> None:
    """Append what is wrong; rules are shaped as the contract."""

"#;

const HEAD_BROKEN: &str = r#"def _explain(
    rules: Any,
    data: Any,
    at: str,
    out: list[Issue],
@    under: str = "schema",
@) -> None:
    """Append what is wrong; rules are shaped as the contract."""

"#;

const CALL: &str = r#"    if callable(rules):
        rules(data, at, out)
        return

"#;

const REPORT: &str = r#"    def report(keyword: str, message: str) -> None:
        out.append({"pointer": at, "keyword": keyword, "message": message})

"#;

const REPORT_BROKEN: &str = r#"    def report(keyword: str, message: str) -> None:
        out.append(
            {
                "pointer": at,
                "keyword": keyword,
                "message": message,
            }
        )

"#;

const BELOW: &str = r#"    def below(@under: str, @inner: Any, name: Any, value: Any) -> None:
        token = str(name).replace("~", "~0").replace("/", "~1")
        _explain(inner, value, f"{at}/{token}", out@, under@)

"#;

const BELOW_BROKEN: &str = r#"    def below(
@        under: str,
@        inner: Any,
        name: Any,
        value: Any,
    ) -> None:
        token = str(name).replace("~", "~0")
        token = token.replace("/", "~1")
        _explain(inner, value, f"{at}/{token}", out@, under@)

"#;

const FALSE: &str = r#"    if rules is False:
        report(under, "is not allowed")
        return
"#;

const ACCEPTS: &str = r#"    if "accepts" in rules and rules["accepts"](data):
        return

"#;

const ACCEPTS_UNLESS_FALSE: &str = r#"    accepts = rules is not False and rules.get("accepts")
    if accepts and accepts(data):
        return

"#;

const TYPE: &str = r#"    if "type" in rules and not _TYPES[rules["type"]](data):
        report("type", f"must be {rules['type']}")
        return
"#;

const ENUM: &str = r#"    if "enum" in rules and data not in rules["enum"]:
        allowed = '", "'.join(rules["enum"])
        report("enum", f'must be one of "{allowed}"')
        return
"#;

const ASSERTED: &str = r#"    for keyword, rule in rules.items():
        if keyword in _ASSERTIONS:
            message, holds = _ASSERTIONS[keyword]
            if not holds(data, rule):
                plural = "" if rule == 1 else "s"
                report(keyword, message.format(rule, plural))
"#;

const CHECKS: &str = r#"    for keyword, message, holds in rules.get("checks", ()):
        if not holds(data):
            report(keyword, message)
"#;

const PREFIX_AND_ITEMS: &str = r#"    if isinstance(data, list):
        head = rules.get("prefixItems", ())
        for index, item in enumerate(data):
            if index < len(head):
                below(@"prefixItems", @head[index], index, item)
            elif "items" in rules:
                below(@"items", @rules["items"], index, item)
"#;

const PREFIX: &str = r#"    if isinstance(data, list) and "prefixItems" in rules:
        head = rules["prefixItems"]
        for index, item in enumerate(data[: len(head)]):
            below(@"prefixItems", @head[index], index, item)
"#;

const EACH_ITEM: &str = r#"    if isinstance(data, list) and "items" in rules:
        for index, item in enumerate(data):
            below(@"items", @rules["items"], index, item)
"#;

const UNEVALUATED_ITEMS: &str = r#"    keyword = "unevaluatedItems"
    if isinstance(data, list) and keyword in rules:
        evaluated, inner = rules[keyword]
        seen = evaluated(data)
        for index, item in enumerate(data):
            if index not in seen:
                below(@keyword, @inner, index, item)
"#;

const REQUIRED: &str = r#"        for name in rules.get("required", ()):
            if name not in data:
                report("required", f'"{name}" is required')
"#;

const PROPERTIES: &str = r#"        for name, inner in rules.get("properties", {}).items():
            if name in data:
                below(@"properties", @inner, name, data[name])
"#;

const PATTERNS: &str = r#"        keyword = "patternProperties"
        if keyword in rules:
            for name, value in data.items():
                for search, inner in rules[keyword]:
                    if search(name):
                        below(@keyword, @inner, name, value)
"#;

const PATTERNS_FIRST: &str = r#"        patterns = rules.get("patternProperties", ())
        keyword = "additionalProperties"
        names = data if patterns or keyword in rules else ()
        for name in names:
            known = name in rules.get("properties", {})
            for search, inner in patterns:
                if search(name):
                    known = True
                    below(@"patternProperties", @inner, name, data[name])
"#;

const PATTERNS_ELSE: &str = r#"            if keyword in rules and not known:
                below(@keyword, @rules[keyword], name, data[name])
"#;

const ADDITIONAL: &str = r#"        keyword = "additionalProperties"
        if keyword in rules:
            known = rules.get("properties", {})
            for name, value in data.items():
                if name not in known:
                    below(@keyword, @rules[keyword], name, value)
"#;

const NAMES: &str = r#"        keyword = "propertyNames"
        if keyword in rules:
            for name in data:
                below(@keyword, @rules[keyword], name, name)
"#;

const DEPENDENT: &str = r#"        dependent = rules.get("dependentSchemas", {})
        for name, inner in dependent.items():
            if name in data:
                _explain(inner, data, at, out@, "dependentSchemas"@)
"#;

const UNEVALUATED_PROPERTIES: &str = r#"        keyword = "unevaluatedProperties"
        if keyword in rules:
            evaluated, inner = rules[keyword]
            seen = evaluated(data)
            for name, value in data.items():
                if name not in seen:
                    below(@keyword, @inner, name, value)
"#;

const ALL_OF: &str = r#"    for inner in rules.get("allOf", ()):
        _explain(inner, data, at, out@, "allOf"@)
"#;

const IF: &str = r#"    if "if" in rules:
        branch = "then" if rules["if"](data) else "else"
        _explain(rules.get(branch, {}), data, at, out@, branch@)
"#;

const REF: &str = r#"    if "$ref" in rules:
        rules["$ref"](data, at, out)
"#;
