//! Schemas as conditions: written out where that is short, else as a call of a function of their own.

use bumpalo::Bump;
use bumpalo::collections::Vec as List;
use compact_str::ToCompactString as _;
use omnigen_ir::{Condition as If, Json, Logic, Node, ObjectRules, Schema, TypeSet};

use super::Emitter;
use super::condition::{Condition, Operator, quoted, together};
use super::rules::{has, passes};

impl<'a> Emitter<'a> {
    /// Is `var` valid? A condition in any case.
    pub(super) fn condition(&mut self, schema: &'a Schema, var: &str, known: TypeSet) -> Condition<'a> {
        if let Some(&number) = self.branches.get(&(key(schema), self.scope)) {
            return accepted(self.arena, number, var);
        }
        match self.simple(schema, var, known, 2) {
            Some(condition) if condition.size() <= 8 => condition,
            _ => self.apart(schema, var),
        }
    }

    /// Is `var` valid? A call of a function.
    pub(super) fn apart(&mut self, schema: &'a Schema, var: &str) -> Condition<'a> {
        let known = self.branches.get(&(key(schema), self.scope)).copied();
        let number = known.unwrap_or_else(|| self.branch(schema));
        accepted(self.arena, number, var)
    }

    /// The condition written out, if no loop and no function of its own is needed. `depth` counts the levels of properties
    /// that may be looked into.
    pub(super) fn simple(
        &mut self,
        schema: &'a Schema,
        var: &str,
        known: TypeSet,
        depth: usize,
    ) -> Option<Condition<'a>> {
        let node = match schema {
            Schema::Bool(value) => return Some(Condition::Known(*value)),
            Schema::Node(node) => &**node,
        };
        if !plain(node, depth) {
            return None;
        }
        let types = node.types.unwrap_or(TypeSet::ALL);
        let mut parts = List::new_in(self.arena);
        let mut known = known;
        if let Some(mut values) = Emitter::values(node, types) {
            values.retain(|value| TypeSet::of(value).meets(known));
            parts.push(self.one_of_values(&values, known, var));
            known = values.iter().fold(TypeSet::NONE, |set, value| set.or(TypeSet::of(value))).and(known);
        } else {
            parts.push(self.typed(types, known, var));
            known = known.and(types);
        }
        if known.is_empty() {
            return Some(Condition::all(self.arena, &parts));
        }
        if let Some(rules) = node.string.as_deref().filter(|_| known.meets(TypeSet::STRING)) {
            let rules = self.string_rules(rules, &node.at, var);
            let guard = self.typed(TypeSet::STRING, known, var).opposite(self.arena);
            parts.push(Condition::any(self.arena, &[guard, passes(self.arena, &rules)]));
        }
        if let Some(rules) = node.number.as_deref().filter(|_| known.meets(TypeSet::NUMBER)) {
            let rules = self.number_rules(rules, var);
            let guard = self.typed(TypeSet::NUMBER, known, var).opposite(self.arena);
            parts.push(Condition::any(self.arena, &[guard, passes(self.arena, &rules)]));
        }
        if let Some(rules) = node.array.as_deref().filter(|_| known.meets(TypeSet::ARRAY)) {
            let rules = self.array_rules(rules, var);
            let guard = self.typed(TypeSet::ARRAY, known, var).opposite(self.arena);
            parts.push(Condition::any(self.arena, &[guard, passes(self.arena, &rules)]));
        }
        if let Some(rules) = node.object.as_deref().filter(|_| known.meets(TypeSet::OBJECT)) {
            let mut inner = List::new_in(self.arena);
            inner.push(passes(self.arena, &self.object_rules(rules, var)));
            for property in &rules.properties {
                let value = quoted(self.arena, &[var, "["], &property.name, "]");
                let valid = self.simple(&property.schema, value, TypeSet::ALL, depth.saturating_sub(1))?;
                if valid == Condition::Known(true) {
                    continue;
                }
                if rules.required.contains(&property.name) {
                    inner.push(valid);
                } else {
                    inner.push(Condition::any(
                        self.arena,
                        &[has(self.arena, &property.name, var).opposite(self.arena), valid],
                    ));
                }
            }
            let guard = self.typed(TypeSet::OBJECT, known, var).opposite(self.arena);
            parts.push(Condition::any(self.arena, &[guard, Condition::all(self.arena, &inner)]));
        }
        if let Some(logic) = node.logic.as_deref() {
            for part in &logic.all_of {
                parts.push(self.simple(part, var, known, depth)?);
                known = known.and(outer_types(part));
            }
            if !logic.any_of.is_empty() {
                parts.push(self.any_of(&logic.any_of, var, known));
            }
            if !logic.one_of.is_empty() {
                parts.push(self.one_of(&logic.one_of, var, known));
            }
            if let Some(not) = &logic.not {
                parts.push(self.condition(not, var, known).opposite(self.arena));
            }
            if let Some(If { test, then, otherwise }) = &logic.condition {
                let test = self.condition(test, var, known);
                if let Some(then) = then {
                    let then = self.condition(then, var, known);
                    parts.push(Condition::any(self.arena, &[test.opposite(self.arena), then]));
                }
                if let Some(otherwise) = otherwise {
                    let otherwise = self.condition(otherwise, var, known);
                    parts.push(Condition::any(self.arena, &[test, otherwise]));
                }
            }
        }
        if let Some(reference) = &node.reference
            && let Some(callee) = self.callee(reference)
        {
            parts.push(Condition::of(self.arena, &[&callee.accepts, "(", var, ")"], Operator::Holds, &[]));
        }
        Some(Condition::all(self.arena, &parts))
    }

    /// One of the alternatives at least.
    pub(super) fn any_of(&mut self, list: &'a [Schema], var: &str, known: TypeSet) -> Condition<'a> {
        if let Some(&number) = self.branches.get(&(list.as_ptr().addr() ^ 1, self.scope)) {
            return accepted(self.arena, number, var);
        }
        let condition = self.any_of_here(list, var, known);
        if condition.calls() < 3 {
            return condition;
        }
        let number = self.alternatives(list, |this| this.any_of_here(list, "data", TypeSet::ALL));
        accepted(self.arena, number, var)
    }

    fn any_of_here(&mut self, list: &'a [Schema], var: &str, known: TypeSet) -> Condition<'a> {
        let mut types = TypeSet::NONE;
        let mut parts = List::new_in(self.arena);
        parts.push(Condition::Known(false));
        // Bounds of numbers come first: behind a test for strings a type checker takes what is compared for a string.
        let bounded = |schema: &Schema| schema.node().is_some_and(|node| node.number.is_some());
        for first in [true, false] {
            for schema in list.iter().filter(|schema| bounded(schema) == first) {
                match only_types(schema) {
                    Some(only) => types = types.or(only),
                    None => parts.push(self.condition(schema, var, known)),
                }
            }
        }
        parts[0] = self.typed(types, known, var);
        Condition::any(self.arena, &parts)
    }

    /// Exactly one of the alternatives.
    pub(super) fn one_of(&mut self, list: &'a [Schema], var: &str, known: TypeSet) -> Condition<'a> {
        if let Some(&number) = self.branches.get(&(list.as_ptr().addr() ^ 1, self.scope)) {
            return accepted(self.arena, number, var);
        }
        let types: Vec<TypeSet> = list.iter().map(outer_types).collect();
        let disjoint = types.iter().enumerate().all(|(i, a)| types[i + 1..].iter().all(|b| !a.meets(*b)));
        if disjoint || told_apart(list) {
            return self.any_of(list, var, known);
        }
        let mut always = 0;
        let mut conditions: Vec<Condition<'a>> = Vec::new();
        for schema in list {
            match self.condition(schema, var, known) {
                Condition::Known(true) => always += 1,
                Condition::Known(false) => {}
                condition => conditions.push(condition),
            }
        }
        match (always, conditions.len()) {
            (0, 0) => return Condition::Known(false),
            (0, 1) => return conditions.remove(0),
            (1, _) => return Condition::any(self.arena, &conditions).opposite(self.arena),
            (0, 2) => {
                // A truth value is 0 or 1.
                let term = |condition: &Condition<'_>| match condition {
                    Condition::Test(test) if test.is_call() => condition.flat(),
                    _ => format!("({})", condition.flat()),
                };
                let sum = [&term(&conditions[0]), " + ", &term(&conditions[1])].concat();
                if sum.len() <= 56 {
                    return Condition::of(self.arena, &[&sum], Operator::Equal, &["1"]);
                }
            }
            (0, _) => {}
            _ => return Condition::Known(false),
        }
        let number = self.exactly_one(list);
        accepted(self.arena, number, var)
    }

    /// The number of a function for a list of alternatives.
    fn alternatives(&mut self, list: &'a [Schema], holds: impl FnOnce(&mut Self) -> Condition<'a>) -> usize {
        self.branch_count += 1;
        let number = self.branch_count;
        self.branches.insert((list.as_ptr().addr() ^ 1, self.scope), number);
        let place = self.reserve();
        let holds = holds(self);
        let mut code = self.code();
        code.line(&["def _accepts_", &number.to_compact_string(), "(data: Any) -> bool:"]);
        code.indent();
        holds.returned(&mut code);
        self.put(place, code);
        number
    }

    /// The number of the function that tells whether exactly one of a list holds.
    fn exactly_one(&mut self, list: &'a [Schema]) -> usize {
        let address = list.as_ptr().addr() ^ 1;
        if let Some(&number) = self.branches.get(&(address, self.scope)) {
            return number;
        }
        self.branch_count += 1;
        let number = self.branch_count;
        self.branches.insert((address, self.scope), number);
        let place = self.reserve();
        let mut code = self.code();
        code.line(&["def _accepts_", &number.to_compact_string(), "(data: Any) -> bool:"]);
        code.indent();
        code.line(&["count = 0"]);
        for schema in list {
            let condition = self.condition(schema, "data", TypeSet::ALL);
            match condition {
                Condition::Known(false) => {}
                Condition::Known(true) => code.line(&["count += 1"]),
                condition => {
                    condition.line(&mut code, "if ", ":");
                    code.indent();
                    code.line(&["count += 1"]);
                    code.dedent();
                }
            }
        }
        code.line(&["return count == 1"]);
        self.put(place, code);
        number
    }

    /// The number of the function that tells whether a condition of `data` holds.
    pub(super) fn condition_function(&mut self, holds: &Condition<'a>) -> usize {
        let flat = holds.flat();
        if let Some(&number) = self.conditions.get(&flat) {
            return number;
        }
        self.branch_count += 1;
        let number = self.branch_count;
        self.conditions.insert(flat, number);
        let place = self.reserve();
        let mut code = self.code();
        code.line(&["def _accepts_", &number.to_compact_string(), "(data: Any) -> bool:"]);
        code.indent();
        holds.returned(&mut code);
        self.put(place, code);
        number
    }

    /// The number of the function that tells whether data is valid against a branch.
    pub(super) fn branch(&mut self, schema: &'a Schema) -> usize {
        self.branch_count += 1;
        let number = self.branch_count;
        self.branches.insert((key(schema), self.scope), number);
        self.accept_function(together(self.arena, &["_accepts_", &number.to_compact_string()]), schema, None);
        number
    }
}

/// Does the function with this number accept `var`?
pub(super) fn accepted<'a>(arena: &'a Bump, number: usize, var: &str) -> Condition<'a> {
    Condition::of(arena, &["_accepts_", &number.to_compact_string(), "(", var, ")"], Operator::Holds, &[])
}

/// Which schema it is: its address, as all are borrowed for the whole emission.
pub(super) fn key(schema: &Schema) -> usize {
    std::ptr::from_ref(schema).addr()
}

/// The types, if the schema asserts nothing else.
pub(super) fn only_types(schema: &Schema) -> Option<TypeSet> {
    let Schema::Node(node) = schema else { return None };
    let Node {
        at: _,
        reference,
        types,
        enumeration,
        constant,
        number,
        string,
        array,
        object,
        logic,
        external,
        notes: _,
    } = &**node;
    let bare = reference.is_none()
        && enumeration.is_none()
        && constant.is_none()
        && number.is_none()
        && string.is_none()
        && array.is_none()
        && object.is_none()
        && logic.is_none()
        && external.is_none();
    types.filter(|_| bare)
}

/// Are the alternatives objects that a required constant tells apart?
fn told_apart(list: &[Schema]) -> bool {
    let Some(Schema::Node(first)) = list.first() else { return false };
    let Some(rules) = first.object.as_deref() else { return false };
    rules.properties.iter().any(|property| {
        let mut seen: Vec<&str> = Vec::new();
        list.iter().all(|schema| {
            let tag = schema.node().and_then(|node| tag(node, &property.name));
            tag.is_some_and(|tag| {
                let new = !seen.contains(&tag);
                seen.push(tag);
                new
            })
        })
    })
}

/// The string that the property of an object has to be.
pub(super) fn tag<'s>(node: &'s Node, name: &str) -> Option<&'s str> {
    let rules = node.object.as_deref().filter(|_| node.types == Some(TypeSet::OBJECT))?;
    let property = rules.properties.iter().find(|property| *property.name == *name)?;
    let needed = rules.required.iter().any(|required| **required == *name);
    needed.then(|| constant(&property.schema)).flatten()
}

/// The only string that a schema allows.
pub(super) fn constant(schema: &Schema) -> Option<&str> {
    let node = schema.node()?;
    match (&node.constant, node.enumeration.as_deref()) {
        (Some(Json::String(text)), None) | (None, Some([Json::String(text)])) => Some(text),
        _ => None,
    }
}

/// The types that the schema's own keywords allow, what stands in `allOf` included.
pub(super) fn outer_types(schema: &Schema) -> TypeSet {
    match schema {
        Schema::Bool(true) => TypeSet::ALL,
        Schema::Bool(false) => TypeSet::NONE,
        Schema::Node(node) => {
            let types = node.types.unwrap_or(TypeSet::ALL);
            let types = match Emitter::values(node, types) {
                Some(values) => values.iter().fold(TypeSet::NONE, |set, value| set.or(TypeSet::of(value))),
                None => types,
            };
            let all_of = node.logic.iter().flat_map(|logic| &logic.all_of);
            all_of.fold(types, |types, part| types.and(outer_types(part)))
        }
    }
}

/// Can it be written out without a loop?
fn plain(node: &Node, depth: usize) -> bool {
    let array = node.array.as_deref().is_none_or(|array| {
        array.prefix.is_empty()
            && array.items.as_ref().is_none_or(|items| matches!(items, Schema::Bool(_)))
            && array.contains.is_none()
            && array.unevaluated.as_ref().is_none_or(|schema| *schema == Schema::Bool(true))
    });
    let object = node.object.as_deref().is_none_or(|object| {
        let ObjectRules { properties, patterns, additional, names, dependent_schemas, unevaluated, .. } = object;
        properties.len() <= if depth > 0 { 2 } else { 0 }
            && patterns.is_empty()
            && additional.as_ref().is_none_or(|schema| *schema == Schema::Bool(true))
            && names.as_ref().is_none_or(|schema| *schema == Schema::Bool(true))
            && unevaluated.as_ref().is_none_or(|schema| *schema == Schema::Bool(true))
            && dependent_schemas.is_empty()
            && object.required.len() <= 6
            && object.dependent_required.len() <= 2
    });
    let logic = node.logic.as_deref().is_none_or(|logic| {
        let Logic { all_of, any_of, one_of, not: _, condition } = logic;
        all_of.len() <= 4 && any_of.len() <= 4 && one_of.len() <= 4 && (condition.is_none() || depth > 1)
    });
    array && object && logic
}
