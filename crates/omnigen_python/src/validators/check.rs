//! The fast pass: yes or no.

use bumpalo::Bump;
use bumpalo::collections::Vec as List;
use compact_str::ToCompactString as _;
use omnigen_ir::{ArrayRules, Node, ObjectRules, Property, Schema, TypeSet};

use super::Emitter;
use super::code::Code;
use super::condition::{Condition, Operator, find, quoted, together};
use super::rules::{Rule, found, has, longer, violated};
use super::simple::{accepted, constant, only_types, outer_types};
use crate::layout;

/// Deeper code goes to a function of its own: lines get short, and CPython nests 20 blocks at most.
const MAX_LEVEL: usize = 5;

/// So many properties of the same types are looked for in the data, instead of the data for each of them.
const ALIKE: usize = 10;

/// So many properties are checked by one function: type checkers follow branches only so far.
const TOGETHER: usize = 60;

/// A function of so many bytes leaves what more there is to functions of their own, for the same reason.
const LONG: usize = 12_000;

impl<'a> Emitter<'a> {
    /// Writes `def name(data: Any) -> bool`.
    pub(super) fn accept_function(&mut self, name: &str, schema: &'a Schema, docstring: Option<&str>) {
        let place = self.reserve();
        let mut code = self.code();
        code.call(&["def ", name], &["data: Any"], " -> bool:");
        code.indent();
        if let Some(docstring) = docstring {
            code.line(&["\"\"\"", docstring, "\"\"\""]);
        }
        match self.simple(schema, "data", TypeSet::ALL, 2) {
            Some(condition) if condition.size() <= 3 => condition.returned(&mut code),
            _ => {
                self.accept(&mut code, schema, "data", TypeSet::ALL);
                match code.take_last() {
                    Some(fails) => fails.opposite(self.arena).returned(&mut code),
                    None => code.line(&["return True"]),
                }
            }
        }
        self.put(place, code);
    }

    /// `return False` if `var` is not valid.
    pub(super) fn accept(&mut self, code: &mut Code<'a>, schema: &'a Schema, var: &str, known: TypeSet) {
        let node = match schema {
            Schema::Bool(_) => return fail_if(code, Condition::Known(*schema == Schema::Bool(false))),
            Schema::Node(node) => &**node,
        };
        let together = node.logic.as_deref().is_some_and(|logic| !logic.all_of.is_empty());
        if together && !outer_types(schema).meets(known) {
            return fail_if(code, Condition::Known(true));
        }
        if code.level() >= MAX_LEVEL {
            let condition = self.condition(schema, var, known);
            return fail_if(code, condition.opposite(self.arena));
        }
        if let Some(fails) = self.short(schema, var, known) {
            return fail_if(code, fails);
        }
        let types = node.types.unwrap_or(TypeSet::ALL);
        let mut first = List::new_in(self.arena);
        let mut known = known;
        if let Some(mut values) = Emitter::values(node, types) {
            values.retain(|value| TypeSet::of(value).meets(known));
            first.push(self.one_of_values(&values, known, var).opposite(self.arena));
            known = values.iter().fold(TypeSet::NONE, |set, value| set.or(TypeSet::of(value))).and(known);
        } else {
            first.push(self.typed(types, known, var).opposite(self.arena));
            known = known.and(types);
        }
        if first.iter().any(|fails| fails.size() > 1) {
            fail_if(code, Condition::any(self.arena, &first));
            first.clear();
        }
        for (set, mut rules) in self.groups(node, var, known) {
            if set == TypeSet::OBJECT
                && let Some(object) = &node.object
            {
                tags(self.arena, &mut rules, object, var);
            }
            let fails = violated(self.arena, &rules);
            if set.has(known) {
                first.push(fails);
            } else {
                fail_if(code, Condition::any(self.arena, &first));
                first.clear();
                let guard = self.typed(set, known, var);
                fail_if(code, Condition::all(self.arena, &[guard, fails]));
            }
        }
        fail_if(code, Condition::any(self.arena, &first));
        if let Some(rules) = node.array.as_deref().filter(|_| known.meets(TypeSet::ARRAY)) {
            self.guarded(code, TypeSet::ARRAY, known, var, |this, code| this.accept_items(code, rules, var));
        }
        if let Some(rules) = node.object.as_deref().filter(|_| known.meets(TypeSet::OBJECT)) {
            self.guarded(code, TypeSet::OBJECT, known, var, |this, code| this.accept_members(code, rules, var));
        }
        self.accept_logic(code, node, var, known);
        self.accept_unevaluated(code, node, var, known);
    }

    /// The rules that need no loop, by the type that they are about.
    pub(super) fn groups(
        &mut self,
        node: &'a Node,
        var: &str,
        known: TypeSet,
    ) -> List<'a, (TypeSet, List<'a, Rule<'a>>)> {
        let mut list = List::new_in(self.arena);
        if let Some(rules) = node.string.as_deref().filter(|_| known.meets(TypeSet::STRING)) {
            list.push((TypeSet::STRING, self.string_rules(rules, &node.at, var)));
        }
        if let Some(rules) = node.number.as_deref().filter(|_| known.meets(TypeSet::NUMBER)) {
            list.push((TypeSet::NUMBER, self.number_rules(rules, var)));
        }
        if let Some(rules) = node.array.as_deref().filter(|_| known.meets(TypeSet::ARRAY)) {
            list.push((TypeSet::ARRAY, self.array_rules(rules, var)));
        }
        if let Some(rules) = node.object.as_deref().filter(|_| known.meets(TypeSet::OBJECT)) {
            list.push((TypeSet::OBJECT, self.object_rules(rules, var)));
        }
        list.retain(|(_, rules)| !rules.is_empty());
        list
    }

    /// `body`, under a test of the type where that is not certain.
    pub(super) fn guarded(
        &mut self,
        code: &mut Code<'a>,
        set: TypeSet,
        known: TypeSet,
        var: &str,
        body: impl FnOnce(&mut Self, &mut Code<'a>),
    ) {
        match self.typed(set, known, var) {
            Condition::Known(true) => body(self, code),
            guard => self.block(code, guard, |this, code| body(this, code)),
        }
    }

    /// `if condition:` with a body; nothing if the body is empty.
    pub(super) fn block(
        &mut self,
        code: &mut Code<'a>,
        condition: Condition<'a>,
        body: impl FnOnce(&mut Self, &mut Code<'a>),
    ) {
        match condition {
            Condition::Known(true) => return body(self, code),
            Condition::Known(false) => return,
            _ => {}
        }
        let before = code.mark();
        condition.line(code, "if ", ":");
        let start = code.mark();
        self.body(code, before, body);
        if code.grew(before) {
            code.joined(before, start, condition);
        }
    }

    /// An indented body behind a head that starts at `before`, and that goes if the body is empty.
    pub(super) fn body(&mut self, code: &mut Code<'a>, before: usize, body: impl FnOnce(&mut Self, &mut Code<'a>)) {
        let mark = code.mark();
        code.indent();
        body(self, code);
        code.dedent();
        if !code.grew(mark) {
            code.back_to(before);
        }
    }

    /// A loop with the head `each`, over `item`; where its body does the same for all, `some` is the head.
    fn each(
        &mut self,
        code: &mut Code<'a>,
        item: &str,
        each: &str,
        some: &str,
        body: impl FnOnce(&mut Self, &mut Code<'a>),
    ) {
        let before = code.mark();
        code.line(&[each]);
        let start = code.mark();
        self.body(code, before, body);
        if code.grew(start) && find(code.since(start), item).is_none() {
            code.replace(before, each, some);
        }
    }

    /// `if test: … else: …`; what is empty is left out.
    pub(super) fn either(
        &mut self,
        code: &mut Code<'a>,
        test: Condition<'a>,
        then: Option<&'a Schema>,
        otherwise: Option<&'a Schema>,
        body: &mut dyn FnMut(&mut Self, &mut Code<'a>, &'a Schema),
    ) {
        let before = code.mark();
        match then {
            Some(schema) if otherwise.is_none() || matches!(test, Condition::Known(_)) => {
                self.block(code, test, |this, code| body(this, code, schema));
            }
            Some(schema) => {
                test.line(code, "if ", ":");
                self.body(code, before, |this, code| body(this, code, schema));
            }
            None => {}
        }
        let Some(schema) = otherwise else { return };
        if !code.grew(before) || matches!(test, Condition::Known(_)) {
            self.block(code, test.opposite(self.arena), |this, code| body(this, code, schema));
            return;
        }
        let before = code.mark();
        code.line(&["else:"]);
        self.body(code, before, |this, code| body(this, code, schema));
    }

    fn accept_items(&mut self, code: &mut Code<'a>, rules: &'a ArrayRules, var: &str) {
        for (i, schema) in rules.prefix.iter().enumerate() {
            let present = if (i as u64) < rules.min_items.unwrap_or(0) {
                Condition::Known(true)
            } else {
                Condition::of(self.arena, &["len(", var, ")"], Operator::Greater, &[&i.to_string()])
            };
            if *schema == Schema::Bool(true) {
                continue;
            }
            if *schema == Schema::Bool(false) {
                fail_if(code, present);
                continue;
            }
            self.block(code, present, |this, code| {
                let item = code.variable("item");
                let before = code.mark();
                let expression = [var, "[", &i.to_string(), "]"].concat();
                code.line(&[&item, " = ", &expression]);
                let mark = code.mark();
                this.accept(code, schema, &item, TypeSet::ALL);
                code.used(before, mark, &item, &expression);
            });
        }
        match &rules.items {
            Some(schema @ Schema::Node(_)) if outer_types(schema).is_empty() => {
                fail_if(code, longer(self.arena, var, rules.prefix.len() as u64));
            }
            Some(schema @ Schema::Node(_)) => {
                let item = code.variable("item");
                let (head, some) = match rules.prefix.len() {
                    0 => (
                        together(self.arena, &["for ", &item, " in ", var, ":"]),
                        together(self.arena, &["if ", var, ":"]),
                    ),
                    skip => {
                        let skip = skip.to_compact_string();
                        (
                            together(self.arena, &["for ", &item, " in ", var, "[", &skip, ":]:"]),
                            together(self.arena, &["if len(", var, ") > ", &skip, ":"]),
                        )
                    }
                };
                self.each(code, &item, head, some, |this, code| this.accept(code, schema, &item, TypeSet::ALL));
            }
            Some(Schema::Bool(_)) | None => {}
        }
        if let Some(contains) = &rules.contains {
            if contains.min == 0 && contains.max.is_none() {
                return;
            }
            let (few, many) = self.count(code, contains, var);
            fail_if(code, Condition::any(self.arena, &[few, many]));
        }
    }

    /// Counts what is contained; gives the conditions that there are too few, and too many.
    pub(super) fn count(
        &mut self,
        code: &mut Code<'a>,
        contains: &'a omnigen_ir::Contains,
        var: &str,
    ) -> (Condition<'a>, Condition<'a>) {
        let item = code.variable("item");
        let count = code.variable("count");
        let few = match contains.min {
            0 => Condition::Known(false),
            // As a comparison, whose result is a `bool` wherever it stands.
            1 => Condition::of(self.arena, &[&count], Operator::Equal, &["0"]),
            min => Condition::of(self.arena, &[&count], Operator::Less, &[&min.to_string()]),
        };
        let many = match contains.max {
            None => Condition::Known(false),
            Some(max) => Condition::of(self.arena, &[&count], Operator::Greater, &[&max.to_string()]),
        };
        match self.condition(&contains.schema, &item, TypeSet::ALL) {
            Condition::Known(true) => code.line(&[&count, " = len(", var, ")"]),
            Condition::Known(false) => code.line(&[&count, " = 0"]),
            condition => {
                code.line(&[&count, " = 0"]);
                code.line(&["for ", &item, " in ", var, ":"]);
                code.indent();
                condition.line(code, "if ", ":");
                code.indent();
                code.line(&[&count, " += 1"]);
                code.dedent();
                code.dedent();
            }
        }
        (few, many)
    }

    fn accept_members(&mut self, code: &mut Code<'a>, rules: &'a ObjectRules, var: &str) {
        let alike = self.accept_alike(code, rules, var);
        let open = |property: &&'a Property| {
            property.schema != Schema::Bool(true)
                && (alike.is_empty() || optional_type(rules, property).is_none_or(|types| !alike.contains(&types)))
                && !(rules.required.contains(&property.name) && is_tag(&property.schema))
        };
        if rules.properties.iter().filter(open).count() <= TOGETHER {
            rules.properties.iter().filter(open).for_each(|property| self.accept_property(code, rules, property, var));
        } else {
            let list: Vec<&'a Property> = rules.properties.iter().filter(open).collect();
            for properties in list.chunks(TOGETHER) {
                let number = self.some_members(rules, properties);
                fail_if(code, accepted(self.arena, number, var).opposite(self.arena));
            }
        }
        self.accept_others(code, rules, var);
        if rules.names.as_ref().is_some_and(|names| !outer_types(names).meets(TypeSet::STRING)) {
            fail_if(code, Condition::call(self.arena, var));
        } else if let Some(names) = &rules.names {
            let name = code.variable("name");
            let head = together(self.arena, &["for ", &name, " in ", var, ":"]);
            let some = together(self.arena, &["if ", var, ":"]);
            self.each(code, &name, head, some, |this, code| this.accept(code, names, &name, TypeSet::STRING));
        }
        for (name, schema) in &rules.dependent_schemas {
            let present =
                if rules.required.contains(name) { Condition::Known(true) } else { has(self.arena, name, var) };
            self.block(code, present, |this, code| this.accept(code, schema, var, TypeSet::OBJECT));
        }
    }

    /// The number of a function that checks some of the properties of an object.
    fn some_members(&mut self, rules: &'a ObjectRules, properties: &[&'a Property]) -> usize {
        self.branch_count += 1;
        let number = self.branch_count;
        let place = self.reserve();
        let mut code = self.code();
        code.line(&["def _accepts_", &number.to_compact_string(), "(data: Any) -> bool:"]);
        code.indent();
        properties.iter().for_each(|property| self.accept_property(&mut code, rules, property, "data"));
        match code.take_last() {
            Some(fails) => fails.opposite(self.arena).returned(&mut code),
            None => code.line(&["return True"]),
        }
        self.put(place, code);
        number
    }

    fn accept_property(&mut self, code: &mut Code<'a>, rules: &'a ObjectRules, property: &'a Property, var: &str) {
        if property.schema == Schema::Bool(false) {
            return fail_if(code, has(self.arena, &property.name, var));
        }
        let needed = rules.required.contains(&property.name);
        let present = if needed { Condition::Known(true) } else { has(self.arena, &property.name, var) };
        self.accept_member(code, property, present, var);
    }

    /// `if "name" in var and fails(var["name"]): return False`, with a variable for the value where that is asked more than once.
    fn accept_member(&mut self, code: &mut Code<'a>, property: &'a Property, present: Condition<'a>, var: &str) {
        let always = present == Condition::Known(true);
        let level = code.level() + usize::from(!always);
        let value = code.variable("value");
        let expression = quoted(self.arena, &[var, "["], &property.name, "]");
        let short = match &property.schema {
            schema @ Schema::Node(_) if level < MAX_LEVEL => self.short(schema, &value, TypeSet::ALL),
            _ => None,
        };
        if let Some(fails) = short {
            let single = |fails: &Condition<'a>| match fails {
                Condition::Known(_) => false,
                Condition::Any(_) => code.has_room(level, "if :".len() + fails.columns(false)),
                Condition::Test(_) | Condition::All(_) => true,
            };
            if fails == Condition::Known(false) {
                return;
            }
            if single(&fails) && fails.mentions(&value) == 1 {
                let fails = fails.replaced(self.arena, &value, expression);
                if single(&fails) {
                    let fails = if always { fails } else { Condition::all(self.arena, &[present, fails]) };
                    return fail_if_one(code, fails);
                }
            }
        }
        self.block(code, present, |this, code| {
            let before = code.mark();
            code.assignment(together(this.arena, &[&value, " = "]), expression);
            let mark = code.mark();
            match short {
                Some(fails) => fail_if(code, fails),
                None if before > LONG => {
                    let valid = this.apart(&property.schema, &value);
                    fail_if(code, valid.opposite(this.arena));
                }
                None => this.accept(code, &property.schema, &value, TypeSet::ALL),
            }
            code.used(before, mark, &value, expression);
        });
    }

    /// When a schema is violated, if that is short enough to be written out.
    fn short(&mut self, schema: &'a Schema, var: &str, known: TypeSet) -> Option<Condition<'a>> {
        let condition = self.simple(schema, var, known, 0).filter(|condition| condition.size() <= 6)?;
        Some(condition.opposite(self.arena))
    }

    /// Where many properties that may be left out differ in nothing but their names, data is gone through once: it has few
    /// of them as a rule. Gives the types that are done with.
    fn accept_alike(&mut self, code: &mut Code<'a>, rules: &'a ObjectRules, var: &str) -> Vec<TypeSet> {
        if rules.properties.len() < ALIKE {
            return Vec::new();
        }
        let mut groups: Vec<(TypeSet, Vec<String>)> = Vec::new();
        for property in &rules.properties {
            let Some(types) = optional_type(rules, property) else { continue };
            let name = layout::string(&property.name);
            match groups.iter_mut().find(|(other, _)| *other == types) {
                Some((_, names)) => names.push(name),
                None => groups.push((types, vec![name])),
            }
        }
        groups.retain(|(_, names)| names.len() >= 4);
        if groups.iter().map(|(_, names)| names.len()).sum::<usize>() < ALIKE {
            return Vec::new();
        }
        let (name, value) = (code.variable("name"), code.variable("value"));
        code.line(&["for ", &name, ", ", &value, " in ", var, ".items():"]);
        code.indent();
        let mut done = Vec::new();
        let last = groups.len() - 1;
        for (i, (types, names)) in groups.into_iter().enumerate() {
            let set = self.set(&names);
            let fails = self.typed(types, TypeSet::ALL, &value).opposite(self.arena);
            let head = if i == 0 { "if " } else { "elif " };
            if i == last {
                let named = Condition::of(self.arena, &[&name], Operator::In, &[set]);
                Condition::all(self.arena, &[named, fails]).line(code, head, ":");
                code.indent();
                code.line(&["return False"]);
            } else {
                code.line(&[head, &name, " in ", set, ":"]);
                code.indent();
                fail_if_one(code, fails);
            }
            code.dedent();
            done.push(types);
        }
        code.dedent();
        done
    }

    /// `patternProperties` and `additionalProperties`.
    fn accept_others(&mut self, code: &mut Code<'a>, rules: &'a ObjectRules, var: &str) {
        let rest = rules.additional.as_ref().filter(|schema| **schema != Schema::Bool(true));
        if rules.patterns.is_empty() {
            match rest {
                None => return,
                Some(schema) if outer_types(schema).is_empty() => {
                    if rules.properties.is_empty() {
                        fail_if(code, Condition::call(self.arena, var));
                        return;
                    }
                    let names = self.names(rules);
                    let within = Condition::of(self.arena, &[names, ".issuperset(", var, ")"], Operator::Not, &[]);
                    fail_if(code, within);
                    return;
                }
                Some(_) => {}
            }
        }
        let (name, value) = (code.variable("name"), code.variable("value"));
        let before = code.mark();
        let mut values = false;
        let head = together(self.arena, &["for ", &name, ", ", &value, " in ", var, ".items():"]);
        code.line(&[head]);
        let body_at = code.mark();
        code.indent();
        let searches = self.searches(rules);
        let known = (rest.is_some() && searches.len() > 1).then(|| code.variable("known"));
        if let Some(known) = &known {
            if rules.properties.is_empty() {
                code.line(&[known, " = False"]);
            } else {
                let names = self.names(rules);
                code.line(&[known, " = ", &name, " in ", names]);
            }
        }
        for (search, schema) in &searches {
            let matches = found(self.arena, search, &name);
            if *schema == &Schema::Bool(false) {
                fail_if(code, matches);
                continue;
            }
            self.block(code, matches, |this, code| {
                if let Some(known) = &known {
                    code.line(&[known, " = True"]);
                }
                let mark = code.mark();
                this.accept(code, schema, &value, TypeSet::ALL);
                values |= code.since(mark).contains(value.as_str());
            });
        }
        if let Some(schema) = rest {
            let mut other = Vec::new();
            match &known {
                Some(known) => other.push(Condition::call(self.arena, known).opposite(self.arena)),
                None => {
                    if !rules.properties.is_empty() {
                        let names = self.names(rules);
                        other.push(Condition::of(self.arena, &[&name], Operator::NotIn, &[names]));
                    }
                    for (search, _) in &searches {
                        other.push(found(self.arena, search, &name).opposite(self.arena));
                    }
                }
            }
            if outer_types(schema).is_empty() {
                fail_if(code, Condition::all(self.arena, &other));
            } else {
                self.block(code, Condition::all(self.arena, &other), |this, code| {
                    let mark = code.mark();
                    this.accept(code, schema, &value, TypeSet::ALL);
                    values |= code.since(mark).contains(value.as_str());
                });
            }
        }
        code.dedent();
        if !code.grew(body_at) {
            code.back_to(before);
        } else if !values {
            let same = !code.since(body_at).contains(name.as_str());
            let pieces: &[&str] = if same { &["if ", var, ":"] } else { &["for ", &name, " in ", var, ":"] };
            code.replace(before, head, &pieces.concat());
        } else if searches.is_empty() && rules.properties.is_empty() {
            code.replace(before, head, &["for ", &value, " in ", var, ".values():"].concat());
        }
    }

    fn accept_logic(&mut self, code: &mut Code<'a>, node: &'a Node, var: &str, known: TypeSet) {
        if let Some(logic) = node.logic.as_deref() {
            // Each part is asked only what the parts before it leave open.
            let mut known = known;
            for schema in &logic.all_of {
                self.accept(code, schema, var, known);
                known = known.and(outer_types(schema));
            }
            if !logic.any_of.is_empty() {
                let condition = self.any_of(&logic.any_of, var, known);
                fail_if(code, condition.opposite(self.arena));
            }
            if !logic.one_of.is_empty() {
                let condition = self.one_of(&logic.one_of, var, known);
                fail_if(code, condition.opposite(self.arena));
            }
            if let Some(schema) = &logic.not {
                let condition = self.condition(schema, var, known);
                fail_if(code, condition);
            }
            if let Some(condition) = &logic.condition {
                let test = self.condition(&condition.test, var, known);
                // What passes the test is of its types.
                let tested = known.and(outer_types(&condition.test));
                let then = condition.then.as_ref();
                self.either(code, test, then, condition.otherwise.as_ref(), &mut |this, code, schema| {
                    let known = if then.is_some_and(|then| std::ptr::eq(then, schema)) { tested } else { known };
                    if !known.is_empty() {
                        this.accept(code, schema, var, known);
                    }
                });
            }
        }
        if let Some(reference) = &node.reference
            && let Some(callee) = self.callee(reference)
        {
            fail_if(code, Condition::of(self.arena, &[&callee.accepts, "(", var, ")"], Operator::Not, &[]));
        }
    }
}

/// The types of a property that may be left out and of which nothing else is asked.
fn optional_type(rules: &ObjectRules, property: &Property) -> Option<TypeSet> {
    let types = only_types(&property.schema).filter(|types| !types.is_empty() && *types != TypeSet::ALL)?;
    (!rules.required.contains(&property.name)).then_some(types)
}

/// Is a schema nothing but one string?
fn is_tag(schema: &Schema) -> bool {
    constant(schema).is_some_and(|text| text.len() <= 40)
        && schema.node().is_some_and(|node| {
            let Node {
                at: _,
                reference,
                types,
                enumeration: _,
                constant: _,
                number: _,
                string,
                array: _,
                object: _,
                logic,
                external: _,
                notes: _,
            } = node;
            reference.is_none()
                && types.is_none_or(|types| types.has(TypeSet::STRING))
                && string.is_none()
                && logic.is_none()
        })
}

/// Asks for required properties that are constants with one look: `data.get("kind") != "circle"`.
fn tags<'a>(arena: &'a Bump, rules: &mut [Rule<'a>], object: &ObjectRules, var: &str) {
    for (rule, name) in rules.iter_mut().zip(&object.required) {
        let property = object.properties.iter().find(|property| property.name == *name);
        if let Some(property) = property.filter(|property| is_tag(&property.schema))
            && let Some(text) = constant(&property.schema)
        {
            let value = quoted(arena, &[var, ".get("], name, ")");
            let text = quoted(arena, &[], text, "");
            rule.fails = Condition::of(arena, &[value], Operator::Unequal, &[text]);
        }
    }
}

/// `if fails: return False`; one such statement for each part of a condition that is too long for a line.
pub(super) fn fail_if<'a>(code: &mut Code<'a>, fails: Condition<'a>) {
    match fails {
        Condition::Known(false) => {}
        Condition::Known(true) => code.line(&["return False"]),
        Condition::Any(parts) => {
            let before = code.mark();
            if code.condition(&fails, "if ", ":") {
                return failing(code, before, fails);
            }
            let mut start = 0;
            for next in 1..parts.len() {
                let together = Condition::any(code.arena, &parts[start..=next]);
                if !code.has_room(code.level(), "if :".len() + together.columns(false)) {
                    fail_if_one(code, Condition::any(code.arena, &parts[start..next]));
                    start = next;
                }
            }
            fail_if_one(code, Condition::any(code.arena, &parts[start..]));
        }
        fails => fail_if_one(code, fails),
    }
}

fn fail_if_one<'a>(code: &mut Code<'a>, fails: Condition<'a>) {
    let before = code.mark();
    fails.line(code, "if ", ":");
    failing(code, before, fails);
}

/// The body of an `if` that has been written from `before` on.
fn failing<'a>(code: &mut Code<'a>, before: usize, fails: Condition<'a>) {
    let start = code.mark();
    code.indent();
    code.line(&["return False"]);
    code.dedent();
    code.joined(before, start, fails);
}
