//! What `discriminator` says about the schemas that it chooses between.
//!
//! "The discriminator will be the name of the property that decides which schema definition validates the structure of the
//! model" (3.0.3, section 4.7.24.3): so a schema that is chosen by some values allows only these for that property. With
//! `oneOf` or `anyOf` the alternatives get their values; a schema without them stands for all that extend it by `allOf`, and
//! for its own fields where the value is none of theirs. What is extended is what the schema says itself (its *base*), since a
//! cat is a pet with the value of cats, not one with the value of all pets.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use omnigen_ir::naming::BASE;
use omnigen_ir::{Json, Logic, Node, Number, ObjectRules, Pointer, Property, RefTarget, Schema, TypeSet};
use omnigen_report::{At, Code, Diagnostic, Severity};

use super::operations::here;
use super::rewrite::{each_mut, moved};
use crate::json_schema::Lowerer;
use crate::value::{Data, Value, push_token, unescape};

/// References and parts that are followed to see what a schema says about a property.
const HOPS: usize = 12;

/// A discriminator as it is written.
struct Choice {
    at: Pointer,
    property: Box<str>,
    mapping: Vec<(Box<str>, RefTarget)>,
}

/// Gives schemas the values by which a discriminator chooses them.
pub(super) fn apply(
    lowerer: &mut Lowerer<'_, '_>,
    definitions: &mut Vec<(Pointer, Schema)>,
    exported: &mut Vec<Pointer>,
) {
    let found = lowerer.api.as_mut().map(|api| std::mem::take(&mut api.discriminators)).unwrap_or_default();
    if found.is_empty() {
        return;
    }
    let choices: Vec<Choice> =
        found.into_iter().filter_map(|(at, value)| choice(lowerer, definitions, at, value)).collect();
    let mut tags = Tags::new(definitions);
    for choice in &choices {
        tags.choose(choice);
    }
    let Tags { extends, values, bases, stated, foreign, .. } = tags;
    let extended: BTreeSet<usize> = extends.iter().flatten().copied().collect();

    // What is extended stays as it is, under a name of its own.
    let mut kept: BTreeMap<usize, Schema> = BTreeMap::new();
    let unions =
        definitions.iter().enumerate().filter(|(index, (_, schema))| extended.contains(index) && united(schema));
    let unions: Vec<usize> = unions.map(|(index, _)| index).collect();
    for index in values.keys().chain(bases.keys()).chain(&unions) {
        if extended.contains(index) || bases.contains_key(index) {
            let (pointer, schema) = &definitions[*index];
            let mut schema = moved(schema.clone(), pointer, &format!("{pointer}{BASE}"));
            // The alternatives of a schema are no part of what they extend.
            if let Schema::Node(node) = &mut schema
                && let Some(logic) = node.logic.as_deref_mut()
                && unions.contains(index)
            {
                logic.one_of.clear();
                logic.any_of.clear();
            }
            kept.insert(*index, schema);
        }
    }
    let targets: HashMap<Pointer, Pointer> = kept
        .keys()
        .map(|index| &definitions[*index].0)
        .map(|pointer| (pointer.clone(), format!("{pointer}{BASE}").into()))
        .collect();
    let components: BTreeSet<Pointer> =
        definitions.iter().map(|(pointer, _)| pointer).filter(|pointer| component(pointer)).cloned().collect();
    let mut redirect = |schema: &mut Schema| each_mut(schema, &mut |node| extend(node, &components, &targets));
    definitions.iter_mut().for_each(|(_, schema)| redirect(schema));
    kept.values_mut().for_each(&mut redirect);

    for (&index, tags) in &values {
        for (property, values) in tags {
            let own = own_values(definitions, &definitions[index].1, property, HOPS);
            let pointer = definitions[index].0.clone();
            let allowed: Vec<Box<str>> = match &own {
                None => values.iter().cloned().collect(),
                Some(own) => values.iter().filter(|value| own.contains(*value)).cloned().collect(),
            };
            if allowed.is_empty() {
                // Nobody has said that it is chosen by its name.
                if !stated.contains(&index) {
                    continue;
                }
                let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
                let message = format!(
                    "a discriminator chooses this schema by {}, which its own `{property}` does not allow",
                    values.join(" and ")
                );
                let diagnostic = Diagnostic::new(Code::IgnoredKeyword, At::key(&lowerer.file, &pointer), message);
                lowerer.diagnostics.push(diagnostic.hint("add a `mapping` with the values that it has"));
            } else if own.is_none_or(|own| own.len() != allowed.len()) {
                tag(&mut definitions[index].1, &pointer, property, &allowed);
            }
        }
    }
    if !foreign.is_empty() {
        let mut told = |node: &mut Node| {
            if let Some(tag) = foreign.get(&node.at) {
                tag.put(node);
            }
        };
        definitions.iter_mut().for_each(|(_, schema)| each_mut(schema, &mut told));
    }
    for (index, (property, children)) in bases {
        let pointer = definitions[index].0.clone();
        let values: BTreeSet<&str> = children.iter().flat_map(|(_, values)| values).map(|value| &**value).collect();
        let own = own_values(definitions, &kept[&index], &property, HOPS);
        let exhausted = own.is_some_and(|own| own.iter().all(|value| values.contains(&**value)));
        let branch = |place: usize, target: &str| {
            let at = format!("{pointer}/anyOf/{place}");
            Node { reference: Some(Box::new(here(target))), ..Node::new(&at) }
        };
        let mut any_of: Vec<Schema> = children
            .iter()
            .enumerate()
            .map(|(place, (child, _))| Schema::Node(Box::new(branch(place, &definitions[*child].0))))
            .collect();
        if !exhausted {
            let mut node = branch(any_of.len(), &format!("{pointer}{BASE}"));
            node.logic = Some(Box::new(Logic { not: Some(tagged(&node.at, &property, &values)), ..Logic::default() }));
            any_of.push(Schema::Node(Box::new(node)));
        }
        let notes = definitions[index].1.node().and_then(|node| node.notes.clone());
        let logic = Some(Box::new(Logic { any_of, ..Logic::default() }));
        definitions[index].1 = Schema::Node(Box::new(Node { logic, notes, ..Node::new(&pointer) }));
        if let Some(place) = exported.iter().position(|other| *other == pointer) {
            exported.insert(place + 1, format!("{pointer}{BASE}").into());
        }
    }
    for (index, schema) in kept.into_iter().rev() {
        let pointer = format!("{}{BASE}", definitions[index].0).into();
        definitions.insert(index + 1, (pointer, schema));
    }
}

/// What a discriminator says of an alternative in another document, whose schema is not ours to change.
struct Foreign {
    property: Box<str>,
    /// The values that choose it, as the mapping says.
    chosen: BTreeSet<Box<str>>,
    /// The values that choose the others: what no mapping names may have all but these.
    others: BTreeSet<Box<str>>,
}

impl Foreign {
    /// Lets the alternative allow only what it is chosen by. As a negation, which leaves the reference what it is for models.
    fn put(&self, node: &mut Node) {
        let texts = |values: &'_ BTreeSet<Box<str>>| values.iter().map(|value| value.to_string()).collect::<Vec<_>>();
        let values = texts(if self.chosen.is_empty() { &self.others } else { &self.chosen });
        let values: BTreeSet<&str> = values.iter().map(String::as_str).collect();
        if values.is_empty() || node.logic.as_deref().is_some_and(|logic| logic.not.is_some()) {
            return;
        }
        let one_of = tagged(&node.at, &self.property, &values);
        let not = if self.chosen.is_empty() {
            one_of
        } else {
            let logic = Some(Box::new(Logic { not: Some(one_of), ..Logic::default() }));
            Schema::Node(Box::new(Node { logic, ..Node::new(&format!("{}/not", node.at)) }))
        };
        node.logic.get_or_insert_default().not = Some(not);
    }
}

/// A schema for objects that have one of some values for a property.
fn tagged(at: &str, property: &str, values: &BTreeSet<&str>) -> Schema {
    let values = Some(values.iter().map(|value| Json::String((*value).into())).collect());
    let schema = Node { enumeration: values, ..Node::new(&format!("{at}/not/properties/tag")) };
    let object = ObjectRules {
        required: vec![property.into()],
        properties: vec![Property { name: property.into(), schema: Schema::Node(Box::new(schema)) }],
        ..ObjectRules::default()
    };
    Schema::Node(Box::new(Node { object: Some(Box::new(object)), ..Node::new(&format!("{at}/not")) }))
}

fn component(pointer: &str) -> bool {
    pointer.strip_prefix("/components/schemas/").is_some_and(|name| !name.contains('/'))
}

fn united(schema: &Schema) -> bool {
    let logic = schema.node().and_then(|node| node.logic.as_deref());
    logic.is_some_and(|logic| !(logic.one_of.is_empty() && logic.any_of.is_empty()))
}

fn target(node: &Node) -> Option<&Pointer> {
    match &node.reference.as_deref()?.target {
        RefTarget::Here(pointer) => Some(pointer),
        _ => None,
    }
}

/// Reads a discriminator.
fn choice<'v, 'a>(
    lowerer: &mut Lowerer<'v, 'a>,
    definitions: &[(Pointer, Schema)],
    at: Pointer,
    value: &'v Value<'a>,
) -> Option<Choice> {
    let warn = |lowerer: &mut Lowerer<'v, 'a>, code, pointer: &str, message: String| {
        let mut diagnostic = Diagnostic::new(code, At::value(&lowerer.file, pointer), message);
        diagnostic.severity = Severity::Warning;
        lowerer.push(diagnostic);
    };
    let place = format!("{at}/discriminator");
    let Some(property) = value.get("propertyName").and_then(Value::as_str) else {
        let message = "`discriminator` must be an object with `propertyName`; it is left out".to_owned();
        warn(lowerer, Code::WrongType, &place, message);
        if let Some(last) = lowerer.diagnostics.last_mut() {
            last.hint = Some("write `discriminator: {propertyName: …}`".to_owned());
        }
        return None;
    };
    let mut mapping = Vec::new();
    for member in value.get("mapping").and_then(Value::members).unwrap_or(&[]) {
        let mut place = format!("{place}/mapping");
        push_token(&mut place, &member.name);
        let Some(text) = member.value.as_str() else {
            let message = format!("`mapping` must name schemas, not hold {}", member.value.kind());
            warn(lowerer, Code::WrongType, &place, message);
            continue;
        };
        // A name of a component or a URI reference; names first (3.1.1, section 4.8.25.3).
        let mut named = "/components/schemas".to_owned();
        push_token(&mut named, text);
        let target = if definitions.iter().any(|(pointer, _)| **pointer == *named) {
            RefTarget::Here(named.into())
        } else if text.contains(['/', '#', '.']) {
            let before = lowerer.diagnostics.len();
            place.truncate(place.rfind('/').unwrap_or(0));
            lowerer.path = place;
            let target = lowerer.target(&member.name, text);
            lowerer.path.clear();
            // What is not there is not chosen; the rest holds.
            lowerer.diagnostics[before..].iter_mut().for_each(|found| found.severity = Severity::Warning);
            target
        } else {
            let message = format!("there is no component schema `{text}`");
            warn(lowerer, Code::DanglingReference, &place, message);
            let names = definitions.iter().filter_map(|(pointer, _)| pointer.strip_prefix("/components/schemas/"));
            if let Some(near) = omnigen_report::nearest(text, names.filter(|name| !name.contains('/')), 3)
                && let Some(last) = lowerer.diagnostics.last_mut()
            {
                last.hint = Some(format!("did you mean `{near}`?"));
            }
            continue;
        };
        mapping.push((member.name.as_ref().into(), target));
    }
    if let Some(Data::Object(_)) | None = value.get("mapping").map(|value| &value.data) {
    } else {
        warn(lowerer, Code::WrongType, &format!("{place}/mapping"), "`mapping` must be an object".to_owned());
    }
    Some(Choice { at, property: property.into(), mapping })
}

/// Values by property.
type Values = BTreeMap<Box<str>, BTreeSet<Box<str>>>;
/// Property and children with their values.
type Children = (Box<str>, Vec<(usize, BTreeSet<Box<str>>)>);

/// Which schemas are chosen by what.
struct Tags<'d> {
    definitions: &'d [(Pointer, Schema)],
    index: HashMap<&'d str, usize>,
    /// What each definition extends by `allOf`.
    extends: Vec<Vec<usize>>,
    values: BTreeMap<usize, Values>,
    bases: BTreeMap<usize, Children>,
    /// Those whose values a mapping states.
    stated: BTreeSet<usize>,
    /// Alternatives in other documents, by where they are referred to.
    foreign: BTreeMap<Pointer, Foreign>,
}

impl<'d> Tags<'d> {
    fn new(definitions: &'d [(Pointer, Schema)]) -> Tags<'d> {
        let index: HashMap<&str, usize> = definitions.iter().enumerate().map(|(i, (p, _))| (&**p, i)).collect();
        let extends = definitions.iter().map(|(pointer, schema)| {
            let parts = schema.node().filter(|_| component(pointer)).and_then(|node| node.logic.as_deref());
            let parts = parts.into_iter().flat_map(|logic| &logic.all_of).filter_map(Schema::node);
            parts.filter_map(|part| index.get(&**target(part)?).copied()).collect()
        });
        let extends = extends.collect();
        let (values, bases, stated, foreign) = Default::default();
        Tags { definitions, index, extends, values, bases, stated, foreign }
    }

    fn choose(&mut self, choice: &Choice) {
        let Some(&index) = self.index.get(&*choice.at) else {
            let node = self.definitions.iter().find_map(|(pointer, schema)| {
                let rest = choice.at.strip_prefix(&**pointer).filter(|rest| rest.starts_with('/'))?;
                schema.at(rest)?.node()
            });
            if let Some(node) = node {
                self.branches(node, choice);
            }
            return;
        };
        let Some(node) = self.definitions[index].1.node() else { return };
        if united(&self.definitions[index].1) {
            return self.branches(node, choice);
        }
        let mut children: BTreeSet<usize> = self.below(index);
        children.extend(choice.mapping.iter().filter_map(|(_, target)| self.local(target)));
        children.remove(&index);
        if children.is_empty() || !component(&choice.at) {
            return;
        }
        let list: Vec<(usize, BTreeSet<Box<str>>)> =
            children.into_iter().map(|child| (child, self.names(child, choice))).collect();
        for (child, values) in &list {
            self.add(*child, &choice.property, values);
        }
        self.bases.insert(index, (choice.property.clone(), list));
    }

    /// The alternatives of a schema.
    fn branches(&mut self, node: &Node, choice: &Choice) {
        // A schema that is nullable has them one step further in.
        let mut open = vec![node];
        let mut found = Vec::new();
        let mut foreign: Vec<(Pointer, BTreeSet<Box<str>>)> = Vec::new();
        while let Some(node) = open.pop() {
            let Some(logic) = node.logic.as_deref() else { continue };
            for branch in logic.any_of.iter().chain(&logic.one_of).filter_map(Schema::node) {
                let lone = branch.logic.as_deref().and_then(|logic| match logic.all_of.as_slice() {
                    [part] => target(part.node()?),
                    _ => None,
                });
                match target(branch).or(lone).and_then(|pointer| self.index.get(&**pointer)) {
                    Some(&child) => found.push(child),
                    None if branch.at == node.at => open.push(branch),
                    None => {
                        if let Some(away @ RefTarget::Elsewhere { .. }) = branch.reference.as_deref().map(|r| &r.target)
                        {
                            let mapped = choice.mapping.iter().filter(|(_, target)| target == away);
                            foreign.push((branch.at.clone(), mapped.map(|(name, _)| name.clone()).collect()));
                        }
                    }
                }
            }
        }
        let mut all: BTreeSet<Box<str>> = foreign.iter().flat_map(|(_, chosen)| chosen).cloned().collect();
        for child in found {
            let values = self.names(child, choice);
            all.extend(values.iter().cloned());
            self.add(child, &choice.property, &values);
        }
        for (at, chosen) in foreign {
            self.foreign.insert(at, Foreign { property: choice.property.clone(), chosen, others: all.clone() });
        }
    }

    /// The values that choose a schema: those of the mapping, else its name.
    fn names(&mut self, child: usize, choice: &Choice) -> BTreeSet<Box<str>> {
        let mapped = choice.mapping.iter().filter(|(_, target)| self.local(target) == Some(child));
        let mapped: BTreeSet<Box<str>> = mapped.map(|(name, _)| name.clone()).collect();
        if mapped.is_empty() {
            let name = self.definitions[child].0.rsplit('/').next().unwrap_or_default();
            return BTreeSet::from([unescape(name).as_ref().into()]);
        }
        self.stated.insert(child);
        mapped
    }

    fn add(&mut self, child: usize, property: &str, values: &BTreeSet<Box<str>>) {
        // Alternatives of their own are chosen by their own discriminator.
        if united(&self.definitions[child].1) || self.definitions[child].1.node().is_none_or(|n| n.reference.is_some())
        {
            return;
        }
        self.values.entry(child).or_default().entry(property.into()).or_default().extend(values.iter().cloned());
        // A puppy is a dog: what is extended allows the values of what extends it.
        let above: Vec<usize> = self.above(child).into_iter().collect();
        for index in above {
            if let Some(known) = self.values.get_mut(&index).and_then(|tags| tags.get_mut(property)) {
                known.extend(values.iter().cloned());
            }
        }
        let below: BTreeSet<Box<str>> = self
            .below(child)
            .iter()
            .filter_map(|index| self.values.get(index)?.get(property))
            .flatten()
            .cloned()
            .collect();
        if let Some(known) = self.values.get_mut(&child).and_then(|tags| tags.get_mut(property)) {
            known.extend(below);
        }
    }

    fn local(&self, target: &RefTarget) -> Option<usize> {
        match target {
            RefTarget::Here(pointer) => self.index.get(&**pointer).copied(),
            _ => None,
        }
    }

    /// Everything that extends a definition.
    fn below(&self, index: usize) -> BTreeSet<usize> {
        self.closure(index, |at| {
            (0..self.extends.len()).filter(|&other| self.extends[other].contains(&at)).collect::<Vec<_>>()
        })
    }

    /// Everything that a definition extends.
    fn above(&self, index: usize) -> BTreeSet<usize> {
        self.closure(index, |at| self.extends[at].clone())
    }

    fn closure(&self, index: usize, next: impl Fn(usize) -> Vec<usize>) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open = next(index);
        while let Some(at) = open.pop() {
            if at != index && found.insert(at) {
                open.extend(next(at));
            }
        }
        found
    }
}

/// Makes a schema that extends others refer to their bases.
fn extend(node: &mut Node, components: &BTreeSet<Pointer>, targets: &HashMap<Pointer, Pointer>) {
    let more = node.object.as_deref().is_some_and(|object| !object.properties.is_empty());
    let own = node.at.strip_suffix(BASE).map_or_else(|| node.at.clone(), Into::into);
    let root = components.contains(&own);
    if let Some(logic) = node.logic.as_deref_mut()
        && (root || more || logic.all_of.len() > 1)
    {
        for part in &mut logic.all_of {
            if let Schema::Node(part) = part {
                redirect(part, targets);
            }
        }
    }
    if more {
        redirect(node, targets);
    }
}

fn redirect(node: &mut Node, targets: &HashMap<Pointer, Pointer>) {
    if let Some(reference) = node.reference.as_deref_mut()
        && let RefTarget::Here(pointer) = &mut reference.target
        && let Some(base) = targets.get(pointer)
    {
        *pointer = base.clone();
    }
}

/// The strings that a schema allows for a property, if it allows only some.
fn own_values(
    definitions: &[(Pointer, Schema)],
    schema: &Schema,
    property: &str,
    hops: usize,
) -> Option<BTreeSet<Box<str>>> {
    let node = schema.node().filter(|_| hops > 0)?;
    let find = |pointer: &str| definitions.iter().find(|(at, _)| **at == *pointer).map(|(_, schema)| schema);
    let mut found: Option<BTreeSet<Box<str>>> = None;
    let mut add = |values: Option<BTreeSet<Box<str>>>| {
        if let Some(values) = values {
            found = Some(match found.take() {
                None => values,
                Some(known) => known.intersection(&values).cloned().collect(),
            });
        }
    };
    for own in node.object.iter().flat_map(|object| &object.properties).filter(|own| *own.name == *property) {
        add(strings(&own.schema, &find, hops));
    }
    if let Some(inner) = target(node).and_then(|pointer| find(pointer)) {
        add(own_values(definitions, inner, property, hops - 1));
    }
    for part in node.logic.iter().flat_map(|logic| &logic.all_of) {
        add(own_values(definitions, part, property, hops - 1));
    }
    found
}

/// The values of a schema that allows only some, as texts.
fn strings<'d>(schema: &Schema, find: &dyn Fn(&str) -> Option<&'d Schema>, hops: usize) -> Option<BTreeSet<Box<str>>> {
    let node = schema.node().filter(|_| hops > 0)?;
    let text = |value: &Json| match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.text().into()),
        Json::Bool(flag) => Some(flag.to_string().into()),
        _ => None,
    };
    if let Some(value) = &node.constant {
        return Some(text(value).into_iter().collect());
    }
    if let Some(values) = &node.enumeration {
        return Some(values.iter().filter_map(text).collect());
    }
    if let Some(inner) = target(node).and_then(|pointer| find(pointer)) {
        return strings(inner, find, hops - 1);
    }
    node.logic.iter().flat_map(|logic| &logic.all_of).find_map(|part| strings(part, find, hops - 1))
}

/// Lets a schema allow only some values for a property.
fn tag(schema: &mut Schema, pointer: &str, property: &str, values: &[Box<str>]) {
    let Schema::Node(node) = schema else { return };
    let object = node.object.get_or_insert_default();
    let mut at = format!("{pointer}/properties");
    push_token(&mut at, property);
    let known = object.properties.iter_mut().find(|own| *own.name == *property);
    let typed = |types: Option<TypeSet>| -> Vec<Json> {
        match types {
            Some(types) if !types.has(TypeSet::STRING) && types.meets(TypeSet::NUMBER) => {
                values.iter().filter_map(|value| Number::new(value).map(Json::Number)).collect()
            }
            _ => values.iter().cloned().map(Json::String).collect(),
        }
    };
    match known {
        None => {
            let schema = Node { enumeration: Some(typed(None)), ..Node::new(&at) };
            object.properties.push(Property { name: property.into(), schema: Schema::Node(Box::new(schema)) });
        }
        Some(Property { schema: Schema::Node(own), .. }) if own.reference.is_none() && own.logic.is_none() => {
            let values = typed(own.types);
            match &mut own.enumeration {
                Some(known) => known.retain(|value| values.iter().any(|other| other.same(value))),
                None => own.enumeration = Some(values),
            }
        }
        Some(own @ Property { schema: Schema::Bool(_), .. }) => {
            own.schema = Schema::Node(Box::new(Node { enumeration: Some(typed(None)), ..Node::new(&at) }));
        }
        // It refers to something: both hold.
        Some(Property { schema: Schema::Node(own), .. }) => {
            let part = Node { enumeration: Some(typed(None)), ..Node::new(&format!("{at}/discriminator")) };
            let inner = std::mem::replace(&mut **own, Node::new(&at));
            let all_of = vec![Schema::Node(Box::new(inner)), Schema::Node(Box::new(part))];
            own.logic = Some(Box::new(Logic { all_of, ..Logic::default() }));
        }
    }
}
