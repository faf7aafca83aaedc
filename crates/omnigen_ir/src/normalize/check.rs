//! Is a value allowed by a schema? Enough of an answer for defaults: what needs a pattern engine is left open.

use std::cmp::Ordering;

use crate::{FileId, Json, Link, Node, Resolve, Schema, TypeSet};

/// References that are followed from one value; beyond that the answer is open.
const STEPS: usize = 64;

/// `Some(false)` if the schema certainly does not allow the value, `None` if that cannot be told here.
pub fn allows(resolve: &dyn Resolve, file: &FileId, schema: &Schema, value: &Json) -> Option<bool> {
    Check { resolve, steps: STEPS }.schema(file, schema, value)
}

struct Check<'a> {
    resolve: &'a dyn Resolve,
    steps: usize,
}

/// All of them: one certain no decides, else one open answer leaves it open.
fn all(answers: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut open = false;
    for answer in answers {
        match answer {
            Some(false) => return Some(false),
            Some(true) => {}
            None => open = true,
        }
    }
    if open { None } else { Some(true) }
}

impl Check<'_> {
    fn schema(&mut self, file: &FileId, schema: &Schema, value: &Json) -> Option<bool> {
        match schema {
            Schema::Bool(answer) => Some(*answer),
            Schema::Node(node) => self.node(file, node, value),
        }
    }

    fn node(&mut self, file: &FileId, node: &Node, value: &Json) -> Option<bool> {
        let own = TypeSet::of(value);
        if node.types.is_some_and(|types| !types.has(own))
            || node.constant.as_ref().is_some_and(|constant| !constant.same(value))
            || node.enumeration.as_ref().is_some_and(|list| !list.iter().any(|item| item.same(value)))
        {
            return Some(false);
        }
        let first = match value {
            Json::Number(_) | Json::String(_) => scalar(node, value),
            Json::Array(items) => self.array(file, node, items),
            Json::Object(members) => self.object(file, node, members),
            Json::Null | Json::Bool(_) => Some(true),
        };
        if node.reference.is_none() && node.logic.is_none() {
            return first;
        }
        let mut answers = vec![first];
        if let Some(reference) = &node.reference {
            answers.push(match self.resolve.link(file, reference) {
                _ if reference.dynamic.is_some() => None,
                Link::To(place) if self.steps > 0 => {
                    self.steps -= 1;
                    let resolve = self.resolve;
                    resolve.schema(&place).and_then(|schema| self.schema(&place.file, schema, value))
                }
                _ => None,
            });
        }
        if let Some(logic) = node.logic.as_deref() {
            for schema in &logic.all_of {
                answers.push(self.schema(file, schema, value));
            }
            if !logic.any_of.is_empty() {
                answers.push(self.any(file, &logic.any_of, value));
            }
            if !logic.one_of.is_empty() {
                let found: Vec<_> = logic.one_of.iter().map(|schema| self.schema(file, schema, value)).collect();
                let (yes, open) = found.iter().fold((0, 0), |(yes, open), answer| match answer {
                    Some(true) => (yes + 1, open),
                    None => (yes, open + 1),
                    Some(false) => (yes, open),
                });
                answers.push(match (yes, open) {
                    (2.., _) | (0, 0) => Some(false),
                    (1, 0) => Some(true),
                    _ => None,
                });
            }
            if let Some(schema) = &logic.not {
                answers.push(self.schema(file, schema, value).map(|answer| !answer));
            }
            if let Some(condition) = &logic.condition {
                let branch = match self.schema(file, &condition.test, value) {
                    Some(true) => condition.then.as_ref(),
                    Some(false) => condition.otherwise.as_ref(),
                    None => {
                        answers.push(None);
                        None
                    }
                };
                if let Some(schema) = branch {
                    answers.push(self.schema(file, schema, value));
                }
            }
        }
        all(answers)
    }

    /// Is one of the schemas enough? Those that say all themselves are asked first: what another file declares is a read, and
    /// often not needed.
    fn any(&mut self, file: &FileId, schemas: &[Schema], value: &Json) -> Option<bool> {
        let refers = |schema: &&Schema| schema.node().is_some_and(|node| node.reference.is_some());
        let mut open = false;
        for referring in [false, true] {
            for schema in schemas.iter().filter(|schema| refers(schema) == referring) {
                match self.schema(file, schema, value) {
                    Some(true) => return Some(true),
                    Some(false) => {}
                    None => open = true,
                }
            }
        }
        if open { None } else { Some(false) }
    }

    fn array(&mut self, file: &FileId, node: &Node, items: &[Json]) -> Option<bool> {
        let Some(rules) = node.array.as_deref() else { return Some(true) };
        let count = items.len() as u64;
        if rules.min_items.is_some_and(|min| count < min) || rules.max_items.is_some_and(|max| count > max) {
            return Some(false);
        }
        let mut answers = Vec::new();
        for (i, item) in items.iter().enumerate() {
            if let Some(schema) = rules.prefix.get(i).or(rules.items.as_ref()) {
                answers.push(self.schema(file, schema, item));
            }
        }
        if rules.unique && (1..items.len()).any(|i| items[..i].iter().any(|other| other.same(&items[i]))) {
            return Some(false);
        }
        if rules.contains.is_some() || rules.unevaluated.is_some() {
            answers.push(None);
        }
        all(answers)
    }

    fn object(&mut self, file: &FileId, node: &Node, members: &[(Box<str>, Json)]) -> Option<bool> {
        let Some(rules) = node.object.as_deref() else { return Some(true) };
        let count = members.len() as u64;
        let has = |name: &str| members.iter().any(|(own, _)| &**own == name);
        if rules.min_properties.is_some_and(|min| count < min)
            || rules.max_properties.is_some_and(|max| count > max)
            || rules.required.iter().any(|name| !has(name))
            || rules.dependent_required.iter().any(|(name, needs)| has(name) && needs.iter().any(|need| !has(need)))
        {
            return Some(false);
        }
        let mut answers = Vec::new();
        for (name, value) in members {
            if let Some(property) = rules.properties.iter().find(|property| property.name == *name) {
                answers.push(self.schema(file, &property.schema, value));
            } else if !rules.patterns.is_empty() {
                answers.push(None);
            } else if let Some(schema) = &rules.additional {
                answers.push(self.schema(file, schema, value));
            }
        }
        if rules.names.is_some()
            || rules.unevaluated.is_some()
            || rules.dependent_schemas.iter().any(|(name, _)| has(name))
        {
            answers.push(None);
        }
        all(answers)
    }
}

fn scalar(node: &Node, value: &Json) -> Option<bool> {
    match value {
        Json::Number(number) => {
            let Some(rules) = node.number.as_deref() else { return Some(true) };
            if rules.unfractioned && number.text().contains(['.', 'e', 'E']) {
                return Some(false);
            }
            let fits = |bound: &Option<crate::Number>, wrong: &[Ordering]| {
                bound.as_ref().is_none_or(|bound| !wrong.contains(&number.compare(bound)))
            };
            if !(fits(&rules.minimum, &[Ordering::Less])
                && fits(&rules.maximum, &[Ordering::Greater])
                && fits(&rules.exclusive_minimum, &[Ordering::Less, Ordering::Equal])
                && fits(&rules.exclusive_maximum, &[Ordering::Greater, Ordering::Equal]))
            {
                return Some(false);
            }
            match rules.multiple_of.as_ref() {
                None => Some(true),
                Some(step) => {
                    let (number, step) = (number.as_i64()?, step.as_i64().filter(|step| *step != 0)?);
                    Some(number % step == 0)
                }
            }
        }
        Json::String(text) => {
            let Some(rules) = node.string.as_deref() else { return Some(true) };
            let count = text.chars().count() as u64;
            if rules.min_length.is_some_and(|min| count < min) || rules.max_length.is_some_and(|max| count > max) {
                return Some(false);
            }
            if rules.pattern.is_some() { None } else { Some(true) }
        }
        _ => Some(true),
    }
}
