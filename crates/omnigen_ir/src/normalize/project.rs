//! The walk: which schemas become definitions, and what holds where they are used.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::combine::{
    Part, about, combinator, informative_beside_type, informative_branches, merge_ranges, merge_text, notes_of,
    range_of, says_object, spent, structured, text_of,
};
use super::unsaid::{Unsaid, apart};
use super::{About, BadDefault, Body, Class, Definition, Field, Size, Type, Types, allows};
use crate::schema::escape;
use crate::{Contract, Distinct, FileId, Json, Link, ObjectRules, Place, Reference, Resolve, Schema, TypeSet};

/// Nesting of types inside one definition.
const DEPTH: usize = 48;
/// Definitions of one contract. Combinations beyond that are left to the validator.
const DEFINITIONS: usize = 20_000;
/// Properties that a combinator may multiply (alternatives times the properties beside it), and its alternatives, those of
/// alternatives included.
const PRODUCT: usize = 400;
const BRANCHES: usize = 400;
/// Alternatives that are spelled out for one definition, at all depths together.
const SPELLED: usize = 4_000;

pub(super) fn project(contract: &Contract<'_>, resolve: &dyn Resolve) -> Types {
    let mut projector = Projector {
        file: contract.file,
        resolve,
        types: Types::default(),
        queue: VecDeque::new(),
        exported: contract.exports.list.iter().map(|export| &*export.pointer).collect(),
        requested: FxHashSet::default(),
        open: Vec::new(),
        keys: FxHashMap::default(),
        depth: 0,
        unsaid: Unsaid::default(),
        spelled: 0,
        widths: FxHashMap::default(),
    };
    for export in &contract.exports.list {
        projector.define(&Place::new(contract.file, &export.pointer), true);
        while let Some((place, name)) = projector.queue.pop_front() {
            if place == name {
                projector.define(&place, false);
            } else {
                projector.define_beside(&place, name);
            }
        }
    }
    projector.types
}

/// What a class is made of: the parts by file, pointer and whether their combinators are spent.
type Key = Vec<(FileId, Box<str>, bool)>;

struct Projector<'a> {
    file: &'a FileId,
    /// Pointers of the contract's own exports.
    exported: FxHashSet<&'a str>,
    resolve: &'a dyn Resolve,
    types: Types,
    /// Places inside of definitions that are still to be defined, and what they are named by.
    queue: VecDeque<(Place, Place)>,
    /// Places inside of definitions that references lead to.
    requested: FxHashSet<Place>,
    /// Classes under way, to tie recursion back to them.
    open: Vec<(Key, Place)>,
    /// What the classes are made of that are named by a derived place.
    keys: FxHashMap<Place, Key>,
    depth: usize,
    /// What the type under way does not say.
    unsaid: Unsaid,
    /// How many alternatives the definition under way spells out.
    spelled: usize,
    /// How many alternatives a schema amounts to, by its address and whether something stands beside it. Never iterated.
    widths: FxHashMap<(*const Schema, bool), usize>,
}

/// Where a type is made.
#[derive(Clone, Copy)]
struct Context<'c> {
    place: &'c Place,
    /// Is this the definition itself, whose name is already taken by its place?
    top: bool,
}

/// Schemas that hold together: their flat parts.
#[derive(Default)]
struct Gathered<'a> {
    parts: Vec<Part<'a>>,
    references: Vec<Place>,
    never: bool,
}

impl<'a> Projector<'a> {
    fn define(&mut self, place: &Place, exported: bool) {
        if self.types.index.contains_key(place) {
            return;
        }
        self.spelled = 0;
        self.unsaid = Unsaid::default();
        let Some(schema) = self.resolve.schema(place) else {
            self.add(place.clone(), exported, Body::Alias(Type::Any), About::default());
            return;
        };
        if let Some(external) = schema.node().and_then(|node| node.external.as_deref()) {
            self.add(place.clone(), exported, Body::External(external.clone()), about(schema));
            return;
        }
        let made = self.conjunction(&[], &[(&place.file, schema)], Context { place, top: true });
        if made == Type::Named(place.clone()) && self.types.index.contains_key(place) {
            let at = self.types.index[place];
            self.types.definitions[at].exported = exported;
            return;
        }
        self.add(place.clone(), exported, Body::Alias(made), about(schema));
    }

    /// Defines an alias for a place inside of a definition, made as where the schema stands.
    fn define_beside(&mut self, place: &Place, name: Place) {
        self.spelled = 0;
        self.unsaid = Unsaid::default();
        let Some(schema) = self.resolve.schema(place) else {
            self.add(name, false, Body::Alias(Type::Any), About::default());
            return;
        };
        let made = self.conjunction(&[], &[(&place.file, schema)], Context { place, top: false });
        self.add(name, false, Body::Alias(made), about(schema));
    }

    fn add(&mut self, place: Place, exported: bool, body: Body, notes: About) {
        self.types.index.insert(place.clone(), self.types.definitions.len());
        let unchecked = std::mem::take(&mut self.unsaid).told();
        self.types.definitions.push(Definition { place, exported, body, notes, unchecked });
    }

    /// The place that a reference leads to, if there is something.
    fn target(&self, file: &FileId, reference: &Reference) -> Option<Place> {
        // Where a dynamic reference leads depends on who refers to this: a type that others use too cannot say it.
        if reference.dynamic.is_some() {
            return None;
        }
        match self.resolve.link(file, reference) {
            Link::To(place) => Some(place),
            Link::Dangling | Link::Pending => None,
        }
    }

    /// A reference as a type.
    fn named(&mut self, place: Place) -> Type {
        if self.resolve.built_in(&place.file) {
            // "Any schema": what it says in detail is the validator's.
            return if place.pointer.is_empty() { Type::union([Type::Boolean, any_map()]) } else { Type::Any };
        }
        let exported = if place.file == *self.file {
            self.exported.contains(&*place.pointer)
        } else {
            self.resolve.export(&place).is_some()
        };
        if exported {
            return Type::Named(place);
        }
        // Inside of a definition the place itself names the class that is made wherever the schema is used; what may be
        // anything else is an alias beside it.
        let class = self.resolve.schema(&place).is_some_and(only_object);
        let name = if class { place.clone() } else { below(&place, &["/type"]) };
        if self.requested.insert(place.clone()) {
            self.queue.push_back((place, name.clone()));
        }
        Type::Named(name)
    }

    /// Adds a schema and what it is made of, references kept aside.
    fn gather(&self, file: &FileId, schema: &'a Schema, out: &mut Gathered<'a>) {
        let node = match schema {
            Schema::Bool(true) => return,
            Schema::Bool(false) => {
                out.never = true;
                return;
            }
            Schema::Node(node) => &**node,
        };
        if out.parts.len() > 256 {
            return;
        }
        out.parts.push(Part { file: file.clone(), node, spent: false });
        if let Some(place) = node.reference.as_deref().and_then(|reference| self.target(file, reference))
            && !out.references.contains(&place)
        {
            out.references.push(place);
        }
        for schema in node.logic.iter().flat_map(|logic| &logic.all_of) {
            self.gather(file, schema, out);
        }
    }

    /// The type of what is allowed by all of `rest` and all of `schemas`.
    fn conjunction(&mut self, rest: &[Part<'a>], schemas: &[(&FileId, &'a Schema)], context: Context<'_>) -> Type {
        if self.depth >= DEPTH {
            return Type::Any;
        }
        if let ([], [(file, schema)]) = (rest, schemas)
            && let Some(made) = self.scalar(file, schema)
        {
            return made;
        }
        self.depth += 1;
        let made = match (rest, schemas) {
            // The usual case: nothing to gather.
            ([], [(file, Schema::Node(node))]) if node.reference.is_none() && node.logic.is_none() => {
                self.by_type(&[Part { file: FileId::clone(file), node, spent: false }], context)
            }
            _ => self.conjunction_inner(rest, schemas, context),
        };
        self.depth -= 1;
        made
    }

    /// The type of a schema that allows one scalar type and says nothing but its bounds.
    fn scalar(&mut self, file: &FileId, schema: &'a Schema) -> Option<Type> {
        let made = simple(schema)?;
        if let Some(node) = schema.node().filter(|node| node.string.is_some() || node.number.is_some()) {
            let parts = [Part { file: file.clone(), node, spent: false }];
            match made {
                Type::String(_) => self.unsaid.string(&parts),
                Type::Number(_) => self.unsaid.number(&parts, false),
                Type::Integer(_) => self.unsaid.number(&parts, true),
                _ => {}
            }
        }
        Some(made)
    }

    fn conjunction_inner(
        &mut self,
        rest: &[Part<'a>],
        schemas: &[(&FileId, &'a Schema)],
        context: Context<'_>,
    ) -> Type {
        let mut all = Gathered { parts: Vec::with_capacity(rest.len() + schemas.len() + 1), ..Gathered::default() };
        all.parts.extend_from_slice(rest);
        for (file, schema) in schemas {
            self.gather(file, schema, &mut all);
        }
        if all.never {
            return Type::Never;
        }
        if let [place] = all.references.as_slice()
            && self.says_nothing_beside(&all.parts, place)
        {
            self.unsaid.everything(&all.parts);
            return self.named(place.clone());
        }
        self.follow(&mut all, context.top.then_some(context.place));
        if all.never {
            return Type::Never;
        }
        let parts = all.parts;
        if let Some(made) = self.expanded(&parts, context) {
            return made;
        }
        self.by_type(&parts, context)
    }

    /// Adds what the references lead to, but for one place.
    fn follow(&self, all: &mut Gathered<'a>, except: Option<&Place>) {
        let mut at = 0;
        while at < all.references.len() {
            let place = all.references[at].clone();
            at += 1;
            if except == Some(&place) {
                continue;
            }
            if let Some(schema) = self.resolve.schema(&place) {
                self.gather(&place.file, schema, all);
            }
        }
    }

    /// Do the parts add nothing to the reference that a type could tell?
    fn says_nothing_beside(&self, parts: &[Part<'a>], place: &Place) -> bool {
        let mut types = TypeSet::ALL;
        for part in parts {
            types = types.and(part.node.types.unwrap_or(TypeSet::ALL));
        }
        if parts.iter().any(informative_beside_type) {
            return false;
        }
        if types == TypeSet::ALL {
            return true;
        }
        let target = if place.file == *self.file {
            self.resolve.schema(place).and_then(Schema::node).and_then(|node| node.types)
        } else {
            match self.resolve.export(place) {
                Some(export) => Some(export.types),
                None => self.resolve.schema(place).and_then(Schema::node).and_then(|node| node.types),
            }
        };
        target.is_some_and(|target| types.has(target))
    }

    /// The first combinator that says something about types, as a union; `None` if there is none, or it would grow too large.
    fn expanded(&mut self, parts: &[Part<'a>], context: Context<'_>) -> Option<Type> {
        let (owner, keyword, branches) = combinator(parts)?;
        let file = owner.file.clone();
        let spent = spent(parts);
        let beside: usize = parts.iter().filter_map(|p| p.node.object.as_deref()).map(|o| o.properties.len()).sum();
        let width = branches.iter().fold(0usize, |sum, branch| {
            // Wide enough is wide enough.
            if sum > BRANCHES { sum } else { sum.saturating_add(self.width(&file, branch, !spent.is_empty(), 0)) }
        });
        self.spelled += branches.len();
        if width.max(branches.len()) > BRANCHES
            || beside.saturating_mul(width) > PRODUCT
            || self.spelled > SPELLED
            || self.types.definitions.len() > DEFINITIONS
        {
            if file == *self.file && !self.types.too_wide.iter().any(|(at, _)| *at == owner.node.at) {
                self.types.too_wide.push((owner.node.at.clone(), keyword));
            }
            return None;
        }
        self.unsaid.logic(parts, Some((std::ptr::from_ref(owner.node), keyword)));
        let mut members = Vec::with_capacity(branches.len());
        for (i, branch) in branches.iter().enumerate() {
            let place = below(context.place, &["/", keyword, "/", &i.to_string()]);
            let made = self.conjunction(&spent, &[(&file, branch)], Context { place: &place, top: false });
            if made == Type::Any {
                self.unsaid.everything(parts);
                return Some(Type::Any);
            }
            members.push(made);
        }
        if keyword == "oneOf" && !apart(&members.iter().map(|member| self.kinds(member)).collect::<Vec<_>>()) {
            self.unsaid.add("oneOf");
        }
        Some(Type::union(members))
    }

    /// How many alternatives a schema amounts to as a type, `beside` something or alone.
    fn width(&mut self, file: &FileId, schema: &'a Schema, beside: bool, depth: usize) -> usize {
        if simple(schema).is_some() {
            return 1;
        }
        if depth > DEPTH {
            return BRANCHES + 1;
        }
        let key = (std::ptr::from_ref(schema), beside);
        if let Some(known) = self.widths.get(&key) {
            return *known;
        }
        // What leads back to itself is one.
        self.widths.insert(key, 1);
        let mut all = Gathered::default();
        self.gather(file, schema, &mut all);
        let alone =
            !beside && matches!(all.references.as_slice(), [place] if self.says_nothing_beside(&all.parts, place));
        let mut width = 1;
        if !alone {
            self.follow(&mut all, None);
            if let Some((owner, _, branches)) = combinator(&all.parts) {
                let beside = beside || !spent(&all.parts).is_empty();
                width = 0;
                for branch in branches {
                    width += self.width(&owner.file, branch, beside, depth + 1);
                    if width > BRANCHES {
                        break;
                    }
                }
            }
        }
        self.widths.insert(key, width);
        width
    }

    /// The types that a type allows, as far as that can be told without following it further.
    fn kinds(&self, r#type: &Type) -> TypeSet {
        match r#type {
            Type::Any => TypeSet::ALL,
            Type::Never => TypeSet::NONE,
            Type::Null => TypeSet::NULL,
            Type::Boolean => TypeSet::BOOLEAN,
            Type::Integer(_) => TypeSet::INTEGER,
            Type::Number(_) => TypeSet::NUMBER,
            Type::String(_) => TypeSet::STRING,
            Type::Literal(values) => values.iter().fold(TypeSet::NONE, |all, value| all.or(TypeSet::of(value))),
            Type::Array { .. } | Type::Tuple(_) => TypeSet::ARRAY,
            Type::Map { .. } => TypeSet::OBJECT,
            Type::Union(members) => members.iter().fold(TypeSet::NONE, |all, member| all.or(self.kinds(member))),
            Type::Named(place) => match self.types.get(place).map(|definition| &definition.body) {
                Some(Body::Class(_)) => TypeSet::OBJECT,
                _ => self.resolve.export(place).map_or(TypeSet::ALL, |export| export.types),
            },
        }
    }

    /// The type of flat parts without combinators: a union over what `type` allows.
    fn by_type(&mut self, parts: &[Part<'a>], context: Context<'_>) -> Type {
        let mut types = TypeSet::ALL;
        let mut values: Option<Vec<&Json>> = None;
        for part in parts {
            if let Some(own) = part.node.types {
                types = types.and(own);
            }
            let own: Option<Vec<&Json>> = match (&part.node.constant, &part.node.enumeration) {
                (Some(value), None) => Some(vec![value]),
                (None, Some(list)) => Some(list.iter().collect()),
                (Some(value), Some(list)) => Some(list.iter().filter(|v| v.same(value)).collect()),
                (None, None) => None,
            };
            if let Some(own) = own {
                values = Some(match values {
                    None => own,
                    Some(known) => {
                        let own: Distinct<'_> = own.into_iter().collect();
                        known.into_iter().filter(|value| own.contains(value)).collect()
                    }
                });
            }
        }
        // Of one kind, as usual: no union.
        match (&values, types) {
            (None, TypeSet::OBJECT) => return self.object(parts, context, true),
            (None, TypeSet::ARRAY) => {
                self.unsaid.logic(parts, None);
                return self.array(parts, context);
            }
            _ => {}
        }
        let mut members = Vec::with_capacity(2);
        if let Some(values) = values {
            let one = values.len() == 1;
            let mut literals: Vec<Json> = Vec::with_capacity(values.len());
            let mut others = TypeSet::NONE;
            let mut seen = Distinct::default();
            for value in values.into_iter().filter(|value| types.has(TypeSet::of(value))) {
                match value {
                    Json::Array(_) | Json::Object(_) => others = others.or(TypeSet::of(value)),
                    // Type checkers take literals of 64 bits.
                    Json::Number(number) if number.as_i64().is_none() => {
                        others = others.or(if number.is_integer() { TypeSet::INTEGER } else { TypeSet::NUMBER });
                    }
                    value => {
                        if one || seen.insert(value) {
                            literals.push(value.clone());
                        }
                    }
                }
            }
            if !literals.is_empty() {
                members.push(Type::Literal(literals));
            }
            types = types.and(others);
            if !types.is_empty() {
                let listed = parts.iter().any(|part| part.node.enumeration.is_some());
                self.unsaid.add(if listed { "enum" } else { "const" });
            }
        }
        if types == TypeSet::ALL && !parts.iter().any(|part| structured(part.node)) {
            self.unsaid.everything(parts);
            return Type::Any;
        }
        // With other members beside it the class cannot have the place's own name if that is a definition.
        let lone = types == TypeSet::OBJECT && members.is_empty();
        if !lone {
            self.unsaid.logic(parts, None);
        }
        if types.has(TypeSet::OBJECT) {
            members.push(self.object(parts, context, lone));
        }
        if types.has(TypeSet::ARRAY) {
            members.push(self.array(parts, context));
        }
        if types.has(TypeSet::STRING) {
            self.unsaid.string(parts);
            members.push(Type::String(Box::new(merge_text(parts))));
        }
        if types.has(TypeSet::NUMBER) {
            self.unsaid.number(parts, false);
            members.push(Type::Number(Box::new(merge_ranges(parts))));
        } else if types.has(TypeSet::INTEGER) {
            self.unsaid.number(parts, true);
            members.push(Type::Integer(Box::new(merge_ranges(parts))));
        }
        if types.has(TypeSet::BOOLEAN) {
            members.push(Type::Boolean);
        }
        if types.has(TypeSet::NULL) {
            members.push(Type::Null);
        }
        Type::union(members)
    }

    fn array(&mut self, parts: &[Part<'a>], context: Context<'_>) -> Type {
        let rules: Vec<(&FileId, &'a crate::ArrayRules)> =
            parts.iter().filter_map(|part| Some((&part.file, part.node.array.as_deref()?))).collect();
        let mut size = Size::default();
        for (_, own) in &rules {
            size.min = size.min.max(own.min_items);
            size.max = [size.max, own.max_items].into_iter().flatten().min();
        }
        let shaped: Vec<_> = rules.iter().filter(|(_, own)| own.items.is_some() || !own.prefix.is_empty()).collect();
        let prefixed = shaped.iter().any(|(_, own)| !own.prefix.is_empty());
        let item = match shaped.as_slice() {
            [] => Type::Any,
            [(file, own)] if prefixed => {
                let mut made = Vec::new();
                for (i, schema) in own.prefix.iter().enumerate() {
                    let place = below(context.place, &["/prefixItems/", &i.to_string()]);
                    made.push(self.conjunction(&[], &[(*file, schema)], Context { place: &place, top: false }));
                }
                let count = made.len() as u64;
                let closed = matches!(own.items, Some(Schema::Bool(false))) || size.max.is_some_and(|max| max <= count);
                if closed && size.min == Some(count) && size.max.is_none_or(|max| max == count) {
                    self.unsaid.array(parts, true);
                    return Type::Tuple(made);
                }
                if closed {
                    size.max = Some(size.max.map_or(count, |max| max.min(count)));
                } else if let Some(schema) = &own.items {
                    let place = below(context.place, &["/items"]);
                    made.push(self.conjunction(&[], &[(*file, schema)], Context { place: &place, top: false }));
                } else {
                    made.push(Type::Any);
                }
                Type::union(made)
            }
            _ if prefixed => {
                self.unsaid.add("items");
                Type::Any
            }
            all => {
                let schemas: Vec<(&FileId, &'a Schema)> =
                    all.iter().filter_map(|(file, own)| own.items.as_ref().map(|items| (*file, items))).collect();
                let place = below(context.place, &["/items"]);
                self.conjunction(&[], &schemas, Context { place: &place, top: false })
            }
        };
        self.unsaid.array(parts, false);
        if item == Type::Never {
            size.max = Some(0);
            return Type::Array { item: Box::new(Type::Any), size };
        }
        Type::Array { item: Box::new(item), size }
    }

    /// An object: a class if it has properties or must be one, else a map.
    fn object(&mut self, parts: &[Part<'a>], context: Context<'_>, lone: bool) -> Type {
        let rules: Vec<(&Part<'a>, &'a ObjectRules)> =
            parts.iter().filter_map(|part| Some((part, part.node.object.as_deref()?))).collect();
        let named = context.top && lone;
        if !named && rules.iter().all(|(_, own)| own.properties.is_empty()) {
            let mut size = Size::default();
            for (_, own) in &rules {
                size.min = size.min.max(own.min_properties);
                size.max = [size.max, own.max_properties].into_iter().flatten().min();
            }
            self.unsaid.map(parts);
            self.unsaid.logic(parts, None);
            let value = self.extra(&rules, context);
            if value == Type::Never {
                size.max = Some(0);
                return Type::Map { value: Box::new(Type::Any), size };
            }
            return Type::Map { value: Box::new(value), size };
        }
        let saying: Vec<&Part<'a>> = parts.iter().filter(|part| says_object(part.node)).collect();
        let key: Key = {
            let mut key: Key = saying.iter().map(|p| (p.file.clone(), p.node.at.clone(), p.spent)).collect();
            key.sort();
            key.dedup();
            key
        };
        let place = match saying.as_slice() {
            // A schema of this file that stands alone is named by itself, wherever it is used.
            [part] if parts.len() == 1 && !part.spent && part.file == *self.file && !context.top => {
                Place { file: part.file.clone(), pointer: part.node.at.clone() }
            }
            _ if context.top && !lone => below(context.place, &["/object"]),
            _ => context.place.clone(),
        };
        if let Some((_, open)) = self.open.iter().find(|(other, _)| *other == key) {
            return Type::Named(open.clone());
        }
        if self.types.index.contains_key(&place) {
            // The same place may be reached by itself and through a combination that adds to it.
            if self.keys.get(&place) == Some(&key) {
                return Type::Named(place);
            }
            self.unsaid.everything(parts);
            self.unsaid.add("properties");
            return any_map();
        }
        if self.types.definitions.len() > DEFINITIONS {
            self.unsaid.everything(parts);
            self.unsaid.add("properties");
            return any_map();
        }
        self.keys.insert(place.clone(), key.clone());
        let notes = saying
            .iter()
            .map(|part| notes_of(part.node))
            .find(|notes| notes.description.is_some() || notes.title.is_some())
            .unwrap_or_default();
        let outside = std::mem::take(&mut self.unsaid);
        // Its number is taken before its fields are made, so that it stands before what it needs.
        self.add(place.clone(), false, Body::Alias(Type::Any), notes);
        let at = self.types.index[&place];
        self.open.push((key, place.clone()));
        let inner = Context { place: &place, top: false };
        let fields = self.fields(&rules, inner);
        let declared: FxHashSet<&str> = fields.iter().map(|field| &*field.name).collect();
        let needed = |own: &ObjectRules| own.required.iter().any(|name| !declared.contains(&**name));
        if rules.iter().any(|(_, own)| needed(own)) {
            self.unsaid.add("required");
        }
        let extra = self.extra(&rules, inner);
        if extra != Type::Never
            && rules.iter().any(|(_, own)| own.properties.iter().any(|p| !declared.contains(&*p.name)))
        {
            self.unsaid.add("properties");
        }
        self.unsaid.object(parts);
        self.unsaid.logic(parts, None);
        let unchecked = std::mem::replace(&mut self.unsaid, outside).told();
        let frozen = saying.iter().any(|part| part.node.notes.as_deref().is_some_and(|notes| notes.frozen));
        self.open.pop();
        self.types.definitions[at].body = Body::Class(Class { fields, extra, frozen });
        self.types.definitions[at].unchecked = unchecked;
        Type::Named(place)
    }

    fn fields(&mut self, rules: &[(&Part<'a>, &'a ObjectRules)], context: Context<'_>) -> Vec<Field> {
        let count: usize = rules.iter().map(|(_, own)| own.required.len()).sum();
        let many: Option<FxHashSet<&str>> =
            (count > 16).then(|| rules.iter().flat_map(|(_, own)| own.required.iter().map(|name| &**name)).collect());
        let required = |name: &str| match &many {
            Some(names) => names.contains(name),
            None => rules.iter().any(|(_, own)| own.required.iter().any(|known| **known == *name)),
        };
        let mut declaring = rules.iter().filter(|(_, own)| !own.properties.is_empty());
        let (first, second) = (declaring.next(), declaring.next());
        if let (Some((part, own)), None) = (first, second) {
            // The usual case: each name stands once.
            let mut made = Vec::with_capacity(own.properties.len());
            for property in &own.properties {
                let schemas = [(&part.file, &property.schema)];
                made.extend(self.field(&property.name, &schemas, required(&property.name), context));
            }
            return made;
        }
        let mut fields: Vec<(&'a str, Vec<(&FileId, &'a Schema)>)> = Vec::new();
        let mut index: FxHashMap<&str, usize> = FxHashMap::default();
        for (part, own) in rules {
            for property in &own.properties {
                let at = *index.entry(&property.name).or_insert_with(|| {
                    fields.push((&property.name, Vec::new()));
                    fields.len() - 1
                });
                let known = &mut fields[at].1;
                if !known.iter().any(|(_, schema)| std::ptr::eq(*schema, &property.schema)) {
                    known.push((&part.file, &property.schema));
                }
            }
        }
        let mut made = Vec::with_capacity(fields.len());
        for (name, schemas) in fields {
            made.extend(self.field(name, &schemas, required(name), context));
        }
        made
    }

    /// A property of some schemas; none if it must not be there.
    fn field(
        &mut self,
        name: &str,
        schemas: &[(&FileId, &'a Schema)],
        required: bool,
        context: Context<'_>,
    ) -> Option<Field> {
        let outside = std::mem::take(&mut self.unsaid);
        let simple = match schemas {
            [(file, schema)] if self.depth < DEPTH => self.scalar(file, schema),
            _ => None,
        };
        let r#type = match simple {
            Some(made) => made,
            None => {
                let place = below(context.place, &["/properties/", &escape(name)]);
                self.conjunction(&[], schemas, Context { place: &place, top: false })
            }
        };
        let unchecked = std::mem::replace(&mut self.unsaid, outside).told();
        if r#type == Type::Never {
            return None;
        }
        let default = self.default(schemas);
        let mut about = About::default();
        for notes in schemas.iter().filter_map(|(_, schema)| schema.node()?.notes.as_deref()) {
            if about.title.is_none() {
                about.title.clone_from(&notes.title);
            }
            if about.description.is_none() {
                about.description.clone_from(&notes.description);
            }
            about.deprecated |= notes.deprecated;
        }
        Some(Field { name: name.into(), r#type, required, default, notes: about, unchecked })
    }

    /// The first default, if all schemas of the property allow it.
    fn default(&mut self, schemas: &[(&FileId, &'a Schema)]) -> Option<Json> {
        let (file, node, value) = schemas.iter().find_map(|(file, schema)| {
            let node = schema.node()?;
            Some((file, node, node.notes.as_deref()?.default.as_ref()?))
        })?;
        if schemas.iter().any(|(file, schema)| allows(self.resolve, file, schema, value) == Some(false)) {
            if *file == self.file && !self.types.bad_defaults.iter().any(|bad| bad.at == node.at) {
                self.types.bad_defaults.push(BadDefault { at: node.at.clone(), value: value.clone() });
            }
            return None;
        }
        Some(value.clone())
    }

    /// What members without a declaration may be.
    fn extra(&mut self, rules: &[(&Part<'a>, &'a ObjectRules)], context: Context<'_>) -> Type {
        let closed = |own: &ObjectRules| matches!(own.additional, Some(Schema::Bool(false)));
        if rules.iter().any(|(_, own)| closed(own) && own.patterns.is_empty()) {
            return Type::Never;
        }
        // Each part with `additionalProperties` bounds the others from above: one of them is enough.
        let Some((part, own)) = rules.iter().find(|(_, own)| own.additional.is_some()) else { return Type::Any };
        let mut members = Vec::new();
        for (pattern, schema) in &own.patterns {
            let place = below(context.place, &["/patternProperties/", &escape(pattern)]);
            members.push(self.conjunction(&[], &[(&part.file, schema)], Context { place: &place, top: false }));
        }
        if let Some(schema) = own.additional.as_ref().filter(|_| !closed(own)) {
            let place = below(context.place, &["/additionalProperties"]);
            members.push(self.conjunction(&[], &[(&part.file, schema)], Context { place: &place, top: false }));
        }
        Type::union(members)
    }
}

/// The type of a schema that allows one scalar type and says nothing but its bounds.
fn simple(schema: &Schema) -> Option<Type> {
    let node = match schema {
        Schema::Bool(true) => return Some(Type::Any),
        Schema::Bool(false) => return Some(Type::Never),
        Schema::Node(node) => node,
    };
    if node.reference.is_some() || node.logic.is_some() || node.enumeration.is_some() || node.constant.is_some() {
        return None;
    }
    Some(match node.types? {
        TypeSet::STRING => Type::String(Box::new(text_of(node))),
        TypeSet::INTEGER => Type::Integer(Box::new(range_of(node))),
        TypeSet::NUMBER => Type::Number(Box::new(range_of(node))),
        TypeSet::BOOLEAN => Type::Boolean,
        TypeSet::NULL => Type::Null,
        _ => return None,
    })
}

/// The place at a pointer, given in pieces, below another.
fn below(place: &Place, pieces: &[&str]) -> Place {
    let length = place.pointer.len() + pieces.iter().map(|piece| piece.len()).sum::<usize>();
    let mut pointer = String::with_capacity(length);
    pointer.push_str(&place.pointer);
    pieces.iter().for_each(|piece| pointer.push_str(piece));
    Place { file: place.file.clone(), pointer: pointer.into() }
}

/// Is it certain that only objects are possible, without a look at anything else? Then a definition of it is a class.
pub fn only_object(schema: &Schema) -> bool {
    schema.node().is_some_and(|node| {
        node.types == Some(TypeSet::OBJECT)
            && node.reference.is_none()
            && node.enumeration.is_none()
            && node.constant.is_none()
            && node.logic.as_deref().is_none_or(|logic| {
                logic.all_of.is_empty() && !informative_branches(&logic.any_of) && !informative_branches(&logic.one_of)
            })
    })
}

fn any_map() -> Type {
    Type::Map { value: Box::new(Type::Any), size: Size::default() }
}
