//! The second pass, over what the first one refused: every violation with its place.

use compact_str::CompactString;
use omnigen_ir::{ArrayRules, Json, Node, ObjectRules, Schema, TypeSet};

use super::code::Code;
use super::condition::{Condition, Operator};
use super::rules::{Message, Rule, found, has};
use super::{Emitter, Need};
use crate::layout;

const MAX_LEVEL: usize = 5;

/// The JSON pointer of a value: the inside of an f-string.
#[derive(Clone)]
struct Path(CompactString);

impl Path {
    fn start() -> Path {
        Path(CompactString::const_new("{at}"))
    }

    /// With the name of a member.
    fn member(&self, name: &str) -> Path {
        if !name.contains(['~', '/', '{', '}']) {
            return self.with(&["/", name]);
        }
        self.with(&["/", &name.replace('~', "~0").replace('/', "~1").replace('{', "{{").replace('}', "}}")])
    }

    /// With what an expression gives.
    fn dynamic(&self, expression: &str) -> Path {
        self.with(&["/{", expression, "}"])
    }

    fn with(&self, parts: &[&str]) -> Path {
        let mut path = CompactString::with_capacity(self.0.len() + parts.iter().map(|part| part.len()).sum::<usize>());
        path.push_str(&self.0);
        parts.iter().for_each(|part| path.push_str(part));
        Path(path)
    }

    /// As an expression.
    fn text(&self) -> String {
        if self.0 == "{at}" {
            return "at".to_owned();
        }
        let mut text = String::with_capacity(self.0.len() + 3);
        text.push('f');
        layout::push_string(&mut text, &self.0);
        text
    }
}

impl<'a> Emitter<'a> {
    /// Writes `def name(data: Any, at: str, out: list[Issue]) -> None`.
    pub(super) fn collect_function(&mut self, name: &str, schema: &'a Schema, docstring: Option<&str>) {
        let place = self.reserve();
        let mut code = self.code();
        code.call(&format!("def {name}"), &["data: Any", "at: str", "out: list[Issue]"], " -> None:");
        code.indent();
        if let Some(docstring) = docstring {
            code.line(&["\"\"\"", docstring, "\"\"\""]);
        }
        let mark = code.mark();
        self.collect_at(&mut code, schema, "data", TypeSet::ALL, &Path::start(), "schema", true);
        if !code.grew(mark) && docstring.is_none() {
            code.line(&["pass"]);
        }
        self.put(place, code);
    }

    fn report(&mut self, code: &mut Code, path: &Path, keyword: &str, message: &str) {
        self.report_as(code, path, keyword, &layout::string(message));
    }

    /// The same with a message that is an expression.
    fn report_as(&mut self, code: &mut Code, path: &Path, keyword: &str, message: &str) {
        self.need(Need::Report);
        code.call("_report", &["out", &path.text(), &layout::string(keyword), message], "");
    }

    fn report_if(&mut self, code: &mut Code, fails: Condition, path: &Path, keyword: &str, message: &str) {
        self.block(code, fails, |this, code| this.report(code, path, keyword, message));
    }

    fn report_rules(&mut self, code: &mut Code, rules: Vec<Rule>, var: &str, path: &Path) {
        let required = |rule: &&Rule| matches!(&rule.message, Message::Required(name) if layout::is_plain(name));
        let names: Vec<String> = rules
            .iter()
            .take_while(required)
            .filter_map(
                |rule| if let Message::Required(name) = &rule.message { Some(layout::string(name)) } else { None },
            )
            .collect();
        let looped = if names.len() > 1 { names.len() } else { 0 };
        if looped > 0 {
            let name = code.variable("name");
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            code.call(&["for ", &name, " in "].concat(), &names, ":");
            code.indent();
            code.line(&["if ", &name, " not in ", var, ":"]);
            code.indent();
            self.report_as(code, path, "required", &["f'\"{", &name, "}\" is required'"].concat());
            code.dedent();
            code.dedent();
        }
        for rule in rules.into_iter().skip(looped) {
            self.report_if(code, rule.fails, path, rule.keyword, &rule.message.text());
        }
    }

    /// `keyword` is the one that the schema stands under, for `false`.
    fn collect(&mut self, code: &mut Code, schema: &'a Schema, var: &str, known: TypeSet, path: &Path, keyword: &str) {
        self.collect_at(code, schema, var, known, path, keyword, false);
    }

    /// `last`: nothing comes after it in its function.
    #[expect(clippy::too_many_arguments, reason = "what is known about a value, and where it is")]
    fn collect_at(
        &mut self,
        code: &mut Code,
        schema: &'a Schema,
        var: &str,
        known: TypeSet,
        path: &Path,
        keyword: &str,
        last: bool,
    ) {
        let node = match schema {
            Schema::Bool(true) => return,
            Schema::Bool(false) => return self.report(code, path, keyword, "is not allowed"),
            Schema::Node(node) => &**node,
        };
        if code.level() >= MAX_LEVEL && !short(node) {
            let number = self.collector(schema);
            code.call(&format!("_collect_{number}"), &[var, &path.text(), "out"], "");
            return;
        }
        let types = node.types.unwrap_or(TypeSet::ALL);
        let mut inner_known = known.and(types);
        let type_fails = self.typed(types, known, var).opposite();
        let value_fails = Emitter::values(node, types).map(|values| {
            inner_known = values.iter().fold(TypeSet::NONE, |set, value| set.or(TypeSet::of(value))).and(inner_known);
            self.one_of_values(&values, known.and(types), var).opposite()
        });
        if type_fails == Condition::Known(false) {
            if let Some(fails) = value_fails {
                let (keyword, message) = value_message(node);
                self.report_if(code, fails, path, keyword, &message);
                // What else is asked is asked of what was given.
                inner_known = known;
            }
            self.collect_rest(code, node, var, inner_known, path);
            return;
        }
        let message = type_message(types);
        if type_fails == Condition::Known(true) {
            self.report(code, path, "type", &message);
            return;
        }
        let head = code.mark();
        type_fails.line(code, "if ", ":");
        let start = code.mark();
        code.indent();
        self.report(code, path, "type", &message);
        code.dedent();
        let alone = value_fails.is_none();
        if let Some(fails) = value_fails {
            let (keyword, message) = value_message(node);
            fails.line(code, "elif ", ":");
            code.indent();
            self.report(code, path, keyword, &message);
            code.dedent();
        }
        let before = code.mark();
        if let Some(rules) = self.alternatives(node, var, inner_known) {
            for rule in rules {
                rule.fails.line(code, "elif ", ":");
                code.indent();
                self.report(code, path, rule.keyword, &rule.message.text());
                code.dedent();
            }
        } else if last && alone {
            // The rest is asked of a value of an allowed type only.
            code.indent();
            code.line(&["return"]);
            code.dedent();
            let mark = code.mark();
            self.collect_rest(code, node, var, inner_known, path);
            if !code.grew(mark) {
                code.back_to(before);
            }
        } else {
            code.line(&["else:"]);
            self.body(code, before, |this, code| this.collect_rest(code, node, var, inner_known, path));
        }
        if alone && !code.grew(before) {
            code.joined(head, start, type_fails);
        }
    }

    /// The rules that are all there is to ask of a value of an allowed type, if one at most of them can be violated.
    fn alternatives(&mut self, node: &'a Node, var: &str, known: TypeSet) -> Option<Vec<Rule>> {
        let of = |set: TypeSet| known.meets(set);
        let more = node.logic.is_some()
            || node.reference.is_some()
            || (node.array.is_some() && of(TypeSet::ARRAY))
            || (node.object.is_some() && of(TypeSet::OBJECT));
        if more {
            return None;
        }
        let mut groups = self.groups(node, var, known);
        let (set, rules) = groups.pop()?;
        let bounds = |rules: &[Rule]| match rules {
            [_] => true,
            [least, most] => {
                (least.keyword.starts_with("min") || least.keyword == "exclusiveMinimum")
                    && (most.keyword.starts_with("max") || most.keyword == "exclusiveMaximum")
            }
            _ => false,
        };
        (groups.is_empty() && set.has(known) && bounds(&rules)).then_some(rules)
    }

    /// What is asked of a value of an allowed type.
    fn collect_rest(&mut self, code: &mut Code, node: &'a Node, var: &str, known: TypeSet, path: &Path) {
        for (set, rules) in self.groups(node, var, known) {
            self.guarded(code, set, known, var, |this, code| this.report_rules(code, rules, var, path));
        }
        if let Some(rules) = node.array.as_deref().filter(|_| known.meets(TypeSet::ARRAY)) {
            self.guarded(code, TypeSet::ARRAY, known, var, |this, code| this.collect_items(code, rules, var, path));
        }
        if let Some(rules) = node.object.as_deref().filter(|_| known.meets(TypeSet::OBJECT)) {
            self.guarded(code, TypeSet::OBJECT, known, var, |this, code| this.collect_members(code, rules, var, path));
        }
        self.collect_logic(code, node, var, known, path);
        self.collect_unevaluated(code, node, var, known, &mut |this, code, schema, value, key, keyword| {
            this.collect(code, schema, value, TypeSet::ALL, &path.dynamic(key), keyword);
        });
    }

    fn collect_items(&mut self, code: &mut Code, rules: &'a ArrayRules, var: &str, path: &Path) {
        for (i, schema) in rules.prefix.iter().enumerate() {
            if *schema == Schema::Bool(true) {
                continue;
            }
            let present = Condition::of(&["len(", var, ")"], Operator::Greater, &[&i.to_string()]);
            self.block(code, present, |this, code| {
                let item = code.variable("item");
                let before = code.mark();
                let index = i.to_string();
                code.line(&[&item, " = ", var, "[", &index, "]"]);
                let mark = code.mark();
                this.collect(code, schema, &item, TypeSet::ALL, &path.member(&index), "prefixItems");
                code.used(before, mark, &item);
            });
        }
        if let Some(schema @ Schema::Node(_)) = &rules.items {
            let (index, item) = (code.variable("index"), code.variable("item"));
            let before = code.mark();
            match rules.prefix.len() {
                0 => code.call(&format!("for {index}, {item} in enumerate"), &[var], ":"),
                skip => {
                    let rest = format!("{var}[{skip}:]");
                    code.call(&format!("for {index}, {item} in enumerate"), &[&rest, &skip.to_string()], ":");
                }
            }
            let path = path.dynamic(&index);
            self.body(code, before, |this, code| this.collect(code, schema, &item, TypeSet::ALL, &path, "items"));
        }
        if let Some(contains) = &rules.contains {
            if contains.min == 0 && contains.max.is_none() {
                return;
            }
            let (few, many) = self.count(code, contains, var);
            let (keyword, message) = match contains.min {
                0 | 1 => ("contains", "must contain a matching item".to_owned()),
                min => ("minContains", format!("must contain at least {min} matching items")),
            };
            self.report_if(code, few, path, keyword, &message);
            let message = match contains.max {
                Some(1) => "must contain at most 1 matching item".to_owned(),
                max => format!("must contain at most {} matching items", max.unwrap_or_default()),
            };
            self.report_if(code, many, path, "maxContains", &message);
        }
    }

    fn collect_members(&mut self, code: &mut Code, rules: &'a ObjectRules, var: &str, path: &Path) {
        for property in &rules.properties {
            let path = path.member(&property.name);
            match &property.schema {
                Schema::Bool(true) => {}
                Schema::Bool(false) => {
                    self.report_if(code, has(&property.name, var), &path, "properties", "is not allowed");
                }
                schema => self.block(code, has(&property.name, var), |this, code| {
                    let value = code.variable("value");
                    let before = code.mark();
                    code.assignment(
                        &[&value, " = "].concat(),
                        &[var, "[", &layout::string(&property.name), "]"].concat(),
                    );
                    let mark = code.mark();
                    this.collect(code, schema, &value, TypeSet::ALL, &path, "properties");
                    code.used(before, mark, &value);
                }),
            }
        }
        self.collect_others(code, rules, var, path);
        if let Some(names) = rules.names.as_ref().filter(|schema| **schema != Schema::Bool(true)) {
            let name = code.variable("name");
            let before = code.mark();
            code.line(&["for ", &name, " in ", var, ":"]);
            self.need(Need::Escape);
            let inner = path.dynamic(&format!("_escape({name})"));
            let fails = self.condition(names, &name, TypeSet::STRING).opposite();
            self.body(code, before, |this, code| {
                this.report_if(code, fails, &inner, "propertyNames", "is no name that is allowed here");
            });
        }
        for (name, schema) in &rules.dependent_schemas {
            self.block(code, has(name, var), |this, code| {
                this.collect(code, schema, var, TypeSet::OBJECT, path, "dependentSchemas");
            });
        }
    }

    /// `patternProperties` and `additionalProperties`.
    fn collect_others(&mut self, code: &mut Code, rules: &'a ObjectRules, var: &str, path: &Path) {
        let rest = rules.additional.as_ref().filter(|schema| **schema != Schema::Bool(true));
        let searches = self.searches(rules);
        if rest.is_none() && searches.iter().all(|(_, schema)| **schema == Schema::Bool(true)) {
            return;
        }
        let (name, value) = (code.variable("name"), code.variable("value"));
        let path = path.dynamic(&format!("_escape({name})"));
        let before = code.mark();
        let head = format!("for {name}, {value} in {var}.items():");
        code.line(&[&head]);
        let start = code.mark();
        let mut values = false;
        self.body(code, before, |this, code| {
            for (search, schema) in &searches {
                let matches = found(search, &name);
                let schema = *schema;
                this.block(code, matches, |this, code| {
                    let mark = code.mark();
                    this.collect(code, schema, &value, TypeSet::ALL, &path, "patternProperties");
                    values |= code.since(mark).contains(value.as_str());
                });
            }
            if let Some(schema) = rest {
                let mut other = Vec::new();
                if !rules.properties.is_empty() {
                    let names = this.names(rules);
                    other.push(Condition::of(&[&name], Operator::NotIn, &[&names]));
                }
                for (search, _) in &searches {
                    other.push(found(search, &name).opposite());
                }
                this.block(code, Condition::all(other), |this, code| {
                    let mark = code.mark();
                    this.collect(code, schema, &value, TypeSet::ALL, &path, "additionalProperties");
                    values |= code.since(mark).contains(value.as_str());
                });
            }
        });
        if code.grew(start) {
            self.need(Need::Escape);
            if !values {
                code.replace(before, &head, &format!("for {name} in {var}:"));
            }
        }
    }

    fn collect_logic(&mut self, code: &mut Code, node: &'a Node, var: &str, known: TypeSet, path: &Path) {
        if let Some(logic) = node.logic.as_deref() {
            for schema in &logic.all_of {
                self.collect(code, schema, var, known, path, "allOf");
            }
            if !logic.any_of.is_empty() {
                let fails = self.any_of(&logic.any_of, var, known).opposite();
                self.report_if(code, fails, path, "anyOf", "must match one of the alternatives");
            }
            if !logic.one_of.is_empty() {
                let fails = self.one_of(&logic.one_of, var, known).opposite();
                self.report_if(code, fails, path, "oneOf", "must match exactly one of the alternatives");
            }
            if let Some(schema) = &logic.not {
                let fails = self.condition(schema, var, known);
                self.report_if(code, fails, path, "not", "must not match what is excluded");
            }
            if let Some(condition) = &logic.condition {
                let test = self.condition(&condition.test, var, known);
                let (then, otherwise) = (condition.then.as_ref(), condition.otherwise.as_ref());
                self.either(code, test, then, otherwise, &mut |this, code, schema| {
                    let is_then = then.is_some_and(|then| std::ptr::eq(then, schema));
                    this.collect(code, schema, var, known, path, if is_then { "then" } else { "else" });
                });
            }
        }
        if let Some(reference) = &node.reference
            && let Some(callee) = self.callee(reference)
        {
            code.call(&callee.collect(), &[var, &path.text(), "out"], "");
        }
    }

    /// The number of the function that collects what is wrong with a schema.
    fn collector(&mut self, schema: &'a Schema) -> usize {
        let address = super::simple::key(schema) ^ 2;
        if let Some(&number) = self.branches.get(&(address, self.scope)) {
            return number;
        }
        self.collector_count += 1;
        let number = self.collector_count;
        self.branches.insert((address, self.scope), number);
        self.collect_function(&format!("_collect_{number}"), schema, None);
        number
    }
}

/// Is it not worth a function?
fn short(node: &Node) -> bool {
    node.array.is_none() && node.object.is_none() && node.logic.is_none()
}

/// `must be a string or null`
fn type_message(types: TypeSet) -> String {
    let names: Vec<&str> = types
        .names()
        .map(|name| match name {
            "null" => "null",
            "boolean" => "a boolean",
            "integer" => "an integer",
            "number" => "a number",
            "string" => "a string",
            "array" => "an array",
            _ => "an object",
        })
        .collect();
    if names.is_empty() { "cannot be of any type".to_owned() } else { format!("must be {}", names.join(" or ")) }
}

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
    let message = if text.chars().count() <= 80 {
        format!("must be one of {text}")
    } else {
        format!("must be one of {} values", list.len())
    };
    ("enum", message)
}
