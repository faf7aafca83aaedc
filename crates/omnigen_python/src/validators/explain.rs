//! The second pass, over what the first one refused: every violation with its place.
//!
//! Written as a table in the shape of the contract, and read by a function that the module brings along ([`super::explainer`]):
//! `{"type": "an array", "maxItems": 3, "items": {…}}`. What has no form of its own there is a condition under `checks`.

use std::borrow::Cow;

use bumpalo::Bump;
use compact_str::ToCompactString as _;
use omnigen_ir::{ArrayRules, Json, Logic, Node, NumberRules, ObjectRules, Schema, StringRules, TypeSet};

use super::condition::{Condition, Operator, together};
use super::explainer::{Assertion, Part};
use super::rules::{Message, Rule};
use super::table::Table;
use super::{Emitter, Need, evaluated};
use crate::layout;

/// Shorter tables (in bytes) are looked through as fast as anything.
const SIMPLE: usize = 60;

/// The level of the lines of a whole table.
const OUTERMOST: usize = 2;

/// Deeper tables go to a function of their own: their lines get short.
const MAX_LEVEL: usize = 10;

/// Longer tables (in bytes, on one line) are made once: to make them anew would cost more than to look something up in them.
const LARGE: usize = 4_000;

/// Numbers of more characters may look otherwise when Python prints them.
const LONGEST_NUMBER: usize = 15;

impl<'a> Emitter<'a> {
    /// Writes `def name(data: Any, at: str, out: list[Issue]) -> None`.
    pub(super) fn collect_function(&mut self, name: &str, schema: &'a Schema, docstring: Option<&str>) {
        let place = self.reserve();
        let mut code = self.code();
        let mut table = std::mem::take(&mut self.table);
        table.clear();
        let suffix = name.strip_prefix("collect").filter(|suffix| !suffix.is_empty());
        self.rules_within(&mut table, schema, OUTERMOST, suffix);
        let kept = (table.flat().len() > LARGE)
            .then(|| ["_rules", name.strip_prefix("collect").unwrap_or(name)].concat())
            .filter(|kept| code.fits(&["def ", kept, "() -> Any:"]));
        if let Some(kept) = &kept {
            code.line(&["@cache"]);
            code.line(&["def ", kept, "() -> Any:"]);
            code.indent();
            code.line(&["\"\"\"What the function below looks for.\"\"\""]);
            code.table("return ", &table);
            code.dedent();
            code.line(&[]);
            code.line(&[]);
        }
        code.call(&["def ", name], &["data: Any", "at: str", "out: list[Issue]"], " -> None:");
        code.indent();
        if let Some(docstring) = docstring {
            code.line(&["\"\"\"", docstring, "\"\"\""]);
        }
        match table.flat() {
            _ if kept.is_some() => {
                let rules = [kept.as_deref().unwrap_or_default(), "()"].concat();
                code.call(&["_explain"], &[&rules, "data", "at", "out"], "");
            }
            "{}" if docstring.is_some() => {}
            "{}" => code.line(&["pass"]),
            flat => {
                let arguments = [flat, "data", "at", "out"];
                if !flat.starts_with('{') && flat != "False" {
                    code.call(&[flat], &arguments[1..], "");
                } else if code.fits(&["_explain(", flat, ", data, at, out)"]) {
                    code.call(&["_explain"], &arguments, "");
                } else {
                    code.table("rules: Any = ", &table);
                    code.line(&["_explain(rules, data, at, out)"]);
                }
            }
        }
        self.table = table;
        self.put(place, code);
    }

    /// The rules of a schema; `{}` if there are none; a function that collects, if all is said there. `level` is how deep their
    /// lines may stand.
    fn rules(&mut self, t: &mut Table, schema: &'a Schema, level: usize) {
        self.rules_within(t, schema, level, None);
    }

    /// The same, of a definition whose functions have this suffix.
    fn rules_within(&mut self, t: &mut Table, schema: &'a Schema, level: usize, suffix: Option<&str>) {
        let node = match schema {
            Schema::Bool(true) => return t.text("{}"),
            Schema::Bool(false) => {
                self.part(Part::False);
                return t.text("False");
            }
            Schema::Node(node) => &**node,
        };
        let (mark, mut parts) = (t.mark(), self.parts);
        t.open('{');
        if level >= MAX_LEVEL && (node.array.is_some() || node.object.is_some() || node.logic.is_some()) {
            let number = self.collector(schema, t);
            parts = self.parts;
            self.part(Part::Ref);
            t.key("$ref");
            t.text("_collect_");
            t.text(&number.to_compact_string());
        } else {
            self.node_rules(t, node, level);
        }
        // What a reference leads to is mostly valid, and that is told much faster than explained.
        if let Some(suffix) = suffix.filter(|_| t.since(mark).len() > SIMPLE) {
            self.part(Part::Accepts);
            t.key("accepts");
            t.text("accepts");
            t.text(suffix);
        }
        t.close('}');
        // Rules that are nothing but a function are that function.
        let only = t.since(mark).strip_prefix("{\"$ref\": ").and_then(|rest| rest.strip_suffix('}'));
        if let Some(function) = only.filter(|rest| !rest.contains([',', '{'])).map(str::to_owned) {
            t.back_to(mark);
            t.text(&function);
            self.parts = parts;
            if level > OUTERMOST {
                self.part(Part::Call);
            }
        }
    }

    /// `"key": rules`, unless these are empty.
    fn member(&mut self, t: &mut Table, part: Part, key: &str, schema: &'a Schema, level: usize) {
        let mark = t.mark();
        t.key(key);
        self.rules(t, schema, level);
        if t.ends_with(": {}") { t.back_to(mark) } else { self.part(part) }
    }

    fn node_rules(&mut self, t: &mut Table, node: &'a Node, level: usize) {
        let types = node.types.unwrap_or(TypeSet::ALL);
        if types != TypeSet::ALL {
            self.part(Part::Type);
            if !self.types.contains(&types) {
                self.types.push(types);
            }
            t.key("type");
            t.string(&type_phrase(types));
        }
        let mut checks = Vec::new();
        self.value_rules(t, node, types, &mut checks);
        if let Some(rules) = node.string.as_deref().filter(|_| types.meets(TypeSet::STRING)) {
            self.string_entries(t, rules, &node.at, types, &mut checks);
        }
        if let Some(rules) = node.number.as_deref().filter(|_| types.meets(TypeSet::NUMBER)) {
            self.number_entries(t, rules, types, &mut checks);
        }
        let array = node.array.as_deref().filter(|_| types.meets(TypeSet::ARRAY));
        let object = node.object.as_deref().filter(|_| types.meets(TypeSet::OBJECT));
        if let Some(rules) = array {
            self.array_entries(t, rules, types, &mut checks);
        }
        if let Some(rules) = object {
            if !rules.required.is_empty() {
                self.part(Part::Required);
                t.key("required");
                t.open('[');
                for name in &rules.required {
                    t.item();
                    t.string(name);
                }
                t.close(']');
            }
            if rules.min_properties.is_some() || rules.max_properties.is_some() || !rules.dependent_required.is_empty()
            {
                let list = self.object_rules(rules, "data");
                let guard = self.typed(TypeSet::OBJECT, types, "data");
                checks.extend(list.into_iter().skip(rules.required.len()).map(|rule| guarded(self.arena, rule, guard)));
            }
        }
        self.logic_entries(t, node, types, level);
        self.check_entries(t, checks, level);
        if let Some(rules) = array {
            self.item_entries(t, rules, level);
        }
        if let Some(rules) = object {
            self.property_entries(t, rules, level);
        }
        self.unevaluated_entries(t, node, types, level);
    }

    /// `enum` and `const`.
    fn value_rules(&mut self, t: &mut Table, node: &'a Node, types: TypeSet, checks: &mut Vec<Rule<'a>>) {
        let Some(values) = Emitter::values(node, types) else { return };
        let plain = |value: &&Json| matches!(value, Json::String(text) if layout::is_plain(text));
        if let (Some(Json::String(text)), None, [_]) = (&node.constant, &node.enumeration, &values[..])
            && text.len() <= 58
            && layout::is_plain(text)
        {
            self.assertion(Assertion::Const, types);
            t.key("const");
            return t.string(text);
        }
        let all = node.enumeration.as_ref().is_some_and(|list| list.len() == values.len());
        let size = |value: &&Json| if let Json::String(text) = value { text.len() + "\"\", ".len() } else { 0 };
        let listed = || values.iter().map(size).sum::<usize>() <= LISTED + ", ".len();
        if node.constant.is_none() && all && values.iter().all(plain) && listed() {
            self.part(Part::Enum);
            t.key("enum");
            t.open('[');
            for value in values {
                t.item();
                if let Json::String(text) = value {
                    t.string(text);
                }
            }
            return t.close(']');
        }
        let (keyword, message) = value_message(node);
        let fails = self.one_of_values(&values, types, "data").opposite(self.arena);
        checks.push(Rule { fails, keyword, message: Message::Text(self.arena.alloc_str(&message)) });
    }

    fn assertion(&mut self, assertion: Assertion, types: TypeSet) {
        self.part(Part::Assertions);
        self.assertions |= 1 << assertion as u32;
        if !assertion.types().has(types) {
            self.untyped |= 1 << assertion as u32;
        }
    }

    fn counted(&mut self, t: &mut Table, assertion: Assertion, count: u64, types: TypeSet) {
        self.assertion(assertion, types);
        t.key(assertion.keyword());
        t.text(&count.to_compact_string());
    }

    fn string_entries(
        &mut self,
        t: &mut Table,
        rules: &'a StringRules,
        at: &str,
        types: TypeSet,
        checks: &mut Vec<Rule<'a>>,
    ) {
        if let Some(min) = rules.min_length.filter(|&min| min > 0) {
            self.counted(t, Assertion::MinLength, min, types);
        }
        if let Some(max) = rules.max_length {
            self.counted(t, Assertion::MaxLength, max, types);
        }
        if rules.pattern.is_none() && rules.format.is_none() {
            return;
        }
        let guard = self.typed(TypeSet::STRING, types, "data");
        let list = self.string_rules(rules, at, "data");
        let told = |rule: &Rule<'_>| matches!(rule.keyword, "minLength" | "maxLength");
        checks.extend(list.into_iter().filter(|rule| !told(rule)).map(|rule| guarded(self.arena, rule, guard)));
    }

    fn number_entries(&mut self, t: &mut Table, rules: &'a NumberRules, types: TypeSet, checks: &mut Vec<Rule<'a>>) {
        let NumberRules { minimum, exclusive_minimum, maximum, exclusive_maximum, multiple_of, unfractioned } = rules;
        let bounds = [
            (minimum, Assertion::Minimum),
            (exclusive_minimum, Assertion::ExclusiveMinimum),
            (maximum, Assertion::Maximum),
            (exclusive_maximum, Assertion::ExclusiveMaximum),
        ];
        let plain = |text: &str| text.len() <= LONGEST_NUMBER && !text.contains(['e', 'E']);
        let told = bounds.iter().filter_map(|(bound, _)| bound.as_ref()).all(|bound| plain(bound.text()));
        if told {
            for (bound, assertion) in bounds {
                if let Some(bound) = bound {
                    self.assertion(assertion, types);
                    t.key(assertion.keyword());
                    t.text(&bound.python());
                }
            }
            if multiple_of.is_none() && !unfractioned {
                return;
            }
        }
        let guard = self.typed(TypeSet::NUMBER, types, "data");
        let list = self.number_rules(rules, "data");
        let told = |rule: &Rule<'_>| told && !matches!(rule.keyword, "multipleOf" | "type");
        checks.extend(list.into_iter().filter(|rule| !told(rule)).map(|rule| guarded(self.arena, rule, guard)));
    }

    fn array_entries(&mut self, t: &mut Table, rules: &'a ArrayRules, types: TypeSet, checks: &mut Vec<Rule<'a>>) {
        if let Some(min) = rules.min_items.filter(|&min| min > 0) {
            self.counted(t, Assertion::MinItems, min, types);
        }
        if let Some(max) = rules.max_items {
            self.counted(t, Assertion::MaxItems, max, types);
        }
        if rules.unique && rules.max_items.is_none_or(|max| max > 1) {
            self.need(Need::IsUnique);
            self.assertion(Assertion::UniqueItems, types);
            t.key("uniqueItems");
            t.text("True");
        }
        let guard = self.typed(TypeSet::ARRAY, types, "data");
        if rules.items == Some(Schema::Bool(false)) {
            let list = self.array_rules(rules, "data");
            let rest = list.into_iter().filter(|rule| rule.keyword == "items");
            checks.extend(rest.map(|rule| guarded(self.arena, rule, guard)));
        }
        let Some(contains) = rules.contains.as_ref().filter(|rule| rule.min > 0 || rule.max.is_some()) else { return };
        let counted = match self.condition(&contains.schema, "item", TypeSet::ALL) {
            Condition::Known(true) => "len(data)".to_owned(),
            Condition::Known(false) => "0".to_owned(),
            condition => match self.callable(&condition, "item") {
                Some(function) => format!("sum(map({function}, data))"),
                None => {
                    let number = self.branch(&contains.schema);
                    format!("sum(map(_accepts_{number}, data))")
                }
            },
        };
        let arena = self.arena;
        let mut rule = |operator, count: u64, keyword, message: &str| {
            let message = arena.alloc_str(message);
            let fails = Condition::of(arena, &[&counted], operator, &[&count.to_compact_string()]);
            checks.push(guarded(arena, Rule { fails, keyword, message: Message::Text(message) }, guard));
        };
        match contains.min {
            0 => {}
            1 => rule(Operator::Less, 1, "contains", "must contain a matching item"),
            min => rule(Operator::Less, min, "minContains", &format!("must contain at least {min} matching items")),
        }
        match contains.max {
            None => {}
            Some(1) => rule(Operator::Greater, 1, "maxContains", "must contain at most 1 matching item"),
            Some(max) => {
                rule(Operator::Greater, max, "maxContains", &format!("must contain at most {max} matching items"));
            }
        }
    }

    fn logic_entries(&mut self, t: &mut Table, node: &'a Node, types: TypeSet, level: usize) {
        if let Some(logic) = node.logic.as_deref() {
            let Logic { all_of, any_of, one_of, not, condition } = logic;
            if !any_of.is_empty() {
                let holds = self.any_of(any_of, "data", TypeSet::ALL);
                self.holds(t, Assertion::AnyOf, &holds, level);
            }
            if !one_of.is_empty() {
                let holds = self.one_of(one_of, "data", TypeSet::ALL);
                self.holds(t, Assertion::OneOf, &holds, level);
            }
            if let Some(schema) = not {
                let holds = self.condition(schema, "data", TypeSet::ALL);
                self.holds(t, Assertion::Not, &holds, level);
            }
            if !all_of.is_empty() {
                let before = t.mark();
                t.key("allOf");
                t.open('[');
                for schema in all_of {
                    let mark = t.mark();
                    t.item();
                    self.rules(t, schema, level + 2);
                    if t.ends_with("{}") {
                        t.back_to(mark);
                    }
                }
                t.close(']');
                if t.ends_with("[]") { t.back_to(before) } else { self.part(Part::AllOf) }
            }
            if let Some(condition) = condition {
                let test = self.condition(&condition.test, "data", types);
                self.part(Part::If);
                t.key("if");
                self.function(t, &test, 4 * (level + 1) + 6);
                if let Some(schema) = &condition.then {
                    self.member(t, Part::If, "then", schema, level + 1);
                }
                if let Some(schema) = &condition.otherwise {
                    self.member(t, Part::If, "else", schema, level + 1);
                }
            }
        }
        if let Some(reference) = &node.reference
            && let Some(callee) = self.callee(reference)
        {
            self.part(Part::Ref);
            t.key("$ref");
            t.text(&callee.collect);
        }
    }

    fn holds(&mut self, t: &mut Table, assertion: Assertion, holds: &Condition<'a>, level: usize) {
        if *holds == Condition::Known(true) && assertion != Assertion::Not {
            return;
        }
        self.assertion(assertion, TypeSet::ALL);
        t.key(assertion.keyword());
        self.function(t, holds, 4 * (level + 1) + assertion.keyword().len() + 4);
    }

    /// `"checks": [(keyword, message, function), …]`
    fn check_entries(&mut self, t: &mut Table, checks: Vec<Rule<'a>>, level: usize) {
        if checks.is_empty() {
            return;
        }
        self.part(Part::Checks);
        t.key("checks");
        t.open('[');
        for rule in checks {
            t.item();
            t.open('(');
            t.string(rule.keyword);
            t.item();
            t.string(&rule.message.text());
            t.item();
            self.function(t, &rule.fails.opposite(self.arena), 4 * (level + 3));
            t.close(')');
        }
        t.close(']');
    }

    /// A function of `data` that tells whether a condition holds: one that is there, or `lambda`, or one that is written for it.
    /// `column` is where it begins if nothing stands before it that need not.
    fn function(&mut self, t: &mut Table, holds: &Condition<'a>, column: usize) {
        if let Some(function) = self.callable(holds, "data") {
            return t.text(function);
        }
        if column + "lambda data: ".len() + holds.columns(false) < self.settings.line_length {
            t.text("lambda data: ");
            return t.condition(holds);
        }
        let number = self.condition_function(holds);
        t.text("_accepts_");
        t.text(&number.to_compact_string());
    }

    /// The function that is called with `var` and nothing else.
    fn callable(&mut self, holds: &Condition<'a>, var: &str) -> Option<&'a str> {
        let Condition::Test(test) = holds else { return None };
        let called = test.called()?.strip_suffix(')')?.strip_suffix(var)?.strip_suffix('(')?;
        let name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        (!called.is_empty() && called.chars().all(name) && called != "len").then_some(called)
    }

    fn item_entries(&mut self, t: &mut Table, rules: &'a ArrayRules, level: usize) {
        let asks = |schema: &Schema| *schema != Schema::Bool(true);
        if rules.prefix.iter().any(asks) {
            self.part(Part::Prefix);
            t.key("prefixItems");
            t.open('[');
            for schema in &rules.prefix {
                t.item();
                self.rules(t, schema, level + 2);
            }
            t.close(']');
        }
        if let Some(schema @ Schema::Node(_)) = &rules.items {
            let mark = t.mark();
            // Without rules for the first ones they are skipped all the same.
            if !rules.prefix.is_empty() && !rules.prefix.iter().any(asks) {
                self.part(Part::Prefix);
                t.key("prefixItems");
                t.text(&format!("[{{}}] * {}", rules.prefix.len()));
            }
            self.member(t, Part::Items, "items", schema, level + 1);
            if t.ends_with(&format!("[{{}}] * {}", rules.prefix.len())) {
                t.back_to(mark);
            }
        }
    }

    fn property_entries(&mut self, t: &mut Table, rules: &'a ObjectRules, level: usize) {
        let rest = rules.additional.as_ref().filter(|schema| **schema != Schema::Bool(true));
        let searches = self.searches(rules);
        // Where others are looked at, all that are declared have to be known.
        let mark = t.mark();
        t.key("properties");
        t.open('{');
        for property in &rules.properties {
            let mark = t.mark();
            t.name(&property.name);
            self.rules(t, &property.schema, level + 2);
            if rest.is_none() && t.ends_with(": {}") {
                t.back_to(mark);
            }
        }
        t.close('}');
        if t.ends_with(": {}") && !rules.properties.iter().any(|_| rest.is_some()) {
            t.back_to(mark);
        } else {
            self.part(Part::Properties);
        }
        if !searches.is_empty() {
            let mark = t.mark();
            t.key("patternProperties");
            t.open('[');
            for (search, schema) in searches {
                let mark = t.mark();
                t.item();
                t.open('(');
                t.text(search);
                t.item();
                self.rules(t, schema, level + 3);
                if rest.is_none() && t.ends_with(", {}") {
                    t.close(')');
                    t.back_to(mark);
                } else {
                    t.close(')');
                }
            }
            t.close(']');
            if t.ends_with("[]") { t.back_to(mark) } else { self.part(Part::Patterns) }
        }
        if let Some(schema) = rest {
            self.member(t, Part::Additional, "additionalProperties", schema, level + 1);
        }
        if let Some(names) = rules.names.as_ref().filter(|schema| **schema != Schema::Bool(true)) {
            let holds = self.condition(names, "data", TypeSet::STRING);
            if holds != Condition::Known(true) {
                self.part(Part::Names);
                t.key("propertyNames");
                t.open('{');
                let message = Message::Plain("is no name that is allowed here");
                let rule = Rule { fails: holds.opposite(self.arena), keyword: "propertyNames", message };
                self.check_entries(t, vec![rule], level + 1);
                t.close('}');
            }
        }
        if !rules.dependent_schemas.is_empty() {
            self.part(Part::Dependent);
            t.key("dependentSchemas");
            t.open('{');
            for (name, schema) in &rules.dependent_schemas {
                t.name(name);
                self.rules(t, schema, level + 2);
            }
            t.close('}');
        }
    }

    /// `unevaluatedProperties` and `unevaluatedItems`: what tells which are spoken for, and the rules for the others.
    fn unevaluated_entries(&mut self, t: &mut Table, node: &'a Node, types: TypeSet, level: usize) {
        for (kind, schema) in evaluated::unevaluated(node) {
            if !types.meets(kind.types()) {
                continue;
            }
            let Some(function) = self.evaluated_function(node, kind) else { continue };
            let (part, keyword) = match kind {
                evaluated::Kind::Properties => (Part::UnevaluatedProperties, "unevaluatedProperties"),
                evaluated::Kind::Items => (Part::UnevaluatedItems, "unevaluatedItems"),
            };
            let mark = t.mark();
            t.key(keyword);
            t.open('(');
            t.text(&function);
            t.item();
            self.rules(t, schema, level + 2);
            let empty = t.ends_with(", {}");
            t.close(')');
            if empty { t.back_to(mark) } else { self.part(part) }
        }
    }

    /// The number of the function that collects what is wrong with a schema.
    fn collector(&mut self, schema: &'a Schema, table: &mut Table) -> usize {
        let address = super::simple::key(schema) ^ 2;
        if let Some(&number) = self.branches.get(&(address, self.scope)) {
            return number;
        }
        self.collector_count += 1;
        let number = self.collector_count;
        self.branches.insert((address, self.scope), number);
        // One table is under way already: it is kept from being used again.
        let outer = std::mem::take(table);
        self.collect_function(together(self.arena, &["_collect_", &number.to_compact_string()]), schema, None);
        *table = outer;
        number
    }
}

/// The rule, asked of one type only.
fn guarded<'a>(arena: &'a Bump, rule: Rule<'a>, guard: Condition<'a>) -> Rule<'a> {
    Rule { fails: Condition::all(arena, &[guard, rule.fails]), ..rule }
}

/// `a string or null`
pub(super) fn type_phrase(types: TypeSet) -> Cow<'static, str> {
    const USUAL: [(TypeSet, &str); 4] = [
        (TypeSet::STRING, "a string"),
        (TypeSet::OBJECT, "an object"),
        (TypeSet::ARRAY, "an array"),
        (TypeSet::BOOLEAN, "a boolean"),
    ];
    if let Some((_, phrase)) = USUAL.iter().find(|(usual, _)| *usual == types) {
        return Cow::Borrowed(phrase);
    }
    let mut phrase = Cow::Borrowed("");
    for name in types.names() {
        let one = match name {
            "null" => "null",
            "boolean" => "a boolean",
            "integer" => "an integer",
            "number" => "a number",
            "string" => "a string",
            "array" => "an array",
            _ => "an object",
        };
        phrase = if phrase.is_empty() { Cow::Borrowed(one) } else { Cow::Owned([&phrase, " or ", one].concat()) };
    }
    if phrase.is_empty() { Cow::Borrowed("of no type") } else { phrase }
}

/// So many characters of values are listed; of more their number is told.
const LISTED: usize = 80;

fn value_message(node: &Node) -> (&'static str, String) {
    if let Some(only) = &node.constant {
        let text = only.to_string();
        let message = if text.chars().count() <= 60 {
            format!("must be {text}")
        } else {
            "must be the value of the contract".to_owned()
        };
        return ("const", message);
    }
    let list: Vec<String> = node.enumeration.iter().flatten().map(Json::to_string).collect();
    let text = list.join(", ");
    let message = if text.chars().count() <= LISTED {
        format!("must be one of {text}")
    } else {
        format!("must be one of {} values", list.len())
    };
    ("enum", message)
}
