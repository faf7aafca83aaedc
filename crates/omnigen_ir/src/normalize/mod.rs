//! From schemas to types: what a typed model can say of a contract.
//!
//! A type accepts *at least* what its schema accepts: what it cannot express is left out (and stays with the validator),
//! never narrowed. Knows no language: types that need a name are identified by their [`Place`], from which
//! [`crate::naming`] makes the name. A place may be *derived* (`/$defs/Car/oneOf/0/properties/x`) where a type is made of several schemas.

mod check;
mod combine;
mod project;
mod refuse;
#[cfg(test)]
mod tests;
mod unsaid;

use rustc_hash::FxHashMap;

use crate::{Contract, Distinct, External, Json, Number, Place, Pointer, Resolve};

pub use check::allows;
pub use project::only_object;
pub use unsaid::Unchecked;

/// What a value may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Everything: nothing is known.
    Any,
    /// Nothing.
    Never,
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A whole number, `1.0` included.
    Integer(Box<Range>),
    /// A number.
    Number(Box<Range>),
    /// A string.
    String(Box<Text>),
    /// One of some values: null, booleans, whole numbers, strings; none twice.
    Literal(Vec<Json>),
    /// An array.
    Array {
        /// Its items.
        item: Box<Type>,
        /// How many.
        size: Size,
    },
    /// An array of a fixed length.
    Tuple(Vec<Type>),
    /// An object without declared properties.
    Map {
        /// Its members.
        value: Box<Type>,
        /// How many.
        size: Size,
    },
    /// What is defined elsewhere: a class or alias of this contract's [`Types`], or an export of another contract.
    Named(Place),
    /// One of some types; at least two, none of them a union, no `Any` or `Never`, none twice.
    Union(Vec<Type>),
}

/// How many items or members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// At least.
    pub min: Option<u64>,
    /// At most.
    pub max: Option<u64>,
}

/// Bounds of numbers; the tightest of all parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Not less than.
    pub minimum: Option<Number>,
    /// Greater than.
    pub exclusive_minimum: Option<Number>,
    /// Not greater than.
    pub maximum: Option<Number>,
    /// Less than.
    pub exclusive_maximum: Option<Number>,
    /// A multiple of it.
    pub multiple_of: Option<Number>,
}

/// Bounds of strings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// Length in code points.
    pub size: Size,
    /// ECMA 262 pattern, searched; the first if several hold.
    pub pattern: Option<Box<str>>,
}

/// An object with declared properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its properties in document order.
    pub fields: Vec<Field>,
    /// What other members may be; [`Type::Never`] if there are none.
    pub extra: Type,
    /// Its values are not changed once they are made.
    pub frozen: bool,
}

/// A property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in JSON.
    pub name: Box<str>,
    /// What it may be.
    pub r#type: Type,
    /// Must it be there?
    pub required: bool,
    /// The default of its schema, unless that schema does not allow it.
    pub default: Option<Json>,
    /// What it says about itself.
    pub notes: About,
    /// What holds beyond the type, as far as no definition that the type names says so.
    pub unchecked: Unchecked,
}

/// What a schema says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// `title`
    pub title: Option<Box<str>>,
    /// `description`
    pub description: Option<Box<str>>,
    /// `deprecated`
    pub deprecated: bool,
}

/// How a definition is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// An object with properties.
    Class(Class),
    /// Another name for a type.
    Alias(Type),
    /// A class of another language, of which nothing is known.
    External(External),
}

/// A type with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What it is named by.
    pub place: Place,
    /// Is it one that other contracts may name?
    pub exported: bool,
    /// What it is.
    pub body: Body,
    /// What it says about itself.
    pub notes: About,
    /// What holds beyond the type.
    pub unchecked: Unchecked,
}

/// A default that its own schema does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadDefault {
    /// The schema in the contract's own file.
    pub at: Pointer,
    /// The value.
    pub value: Json,
}

/// All types of a contract.
#[derive(Debug, Default)]
pub struct Types {
    /// In the order in which they were met: exports first to last, each followed by what it needs.
    pub definitions: Vec<Definition>,
    /// Defaults that are not carried over.
    pub bad_defaults: Vec<BadDefault>,
    /// Combinators of the contract's own file that are too large to be spelled out: the pointer and the keyword.
    pub too_wide: Vec<(Pointer, &'static str)>,
    index: FxHashMap<Place, usize>,
}

impl Types {
    /// The types of a contract and of what it needs from the inside of others.
    pub fn of(contract: &Contract<'_>, resolve: &dyn Resolve) -> Types {
        let mut types = project::project(contract, resolve);
        types.break_loops();
        types
    }

    /// The definition at a place, if this contract has one.
    pub fn get(&self, place: &Place) -> Option<&Definition> {
        self.index.get(place).map(|&at| &self.definitions[at])
    }

    /// The position of the definition at a place.
    pub fn position(&self, place: &Place) -> Option<usize> {
        self.index.get(place).copied()
    }

    /// The property that tells the members of a union apart (null aside): required in all of them, with strings that no
    /// two share. `None` unless that is certain.
    pub fn tag(&self, members: &[Type], resolve: &dyn Resolve) -> Option<Box<str>> {
        let places: Vec<&Place> = members
            .iter()
            .filter(|member| **member != Type::Null)
            .map(|member| if let Type::Named(place) = member { Some(place) } else { None })
            .collect::<Option<_>>()?;
        if places.len() < 2 {
            return None;
        }
        let tags: Vec<Vec<(&str, Vec<&str>)>> =
            places.iter().map(|place| self.tags(place, resolve)).collect::<Option<_>>()?;
        tags[0]
            .iter()
            .map(|(name, _)| *name)
            .find(|name| {
                let mut seen: Vec<&str> = Vec::new();
                tags.iter().all(|own| {
                    own.iter().find(|(other, _)| other == name).is_some_and(|(_, values)| {
                        let fresh = values.iter().all(|value| !seen.contains(value));
                        seen.extend(values);
                        fresh
                    })
                })
            })
            .map(Into::into)
    }

    fn tags<'a>(&'a self, place: &Place, resolve: &'a dyn Resolve) -> Option<Vec<(&'a str, Vec<&'a str>)>> {
        if let Some(definition) = self.get(place) {
            let Body::Class(class) = &definition.body else { return None };
            let tags = class.fields.iter().filter(|field| field.required).filter_map(|field| {
                let Type::Literal(values) = &field.r#type else { return None };
                Some((&*field.name, values.iter().map(Json::as_str).collect::<Option<_>>()?))
            });
            return Some(tags.collect());
        }
        let export = resolve.export(place).filter(|export| export.types == crate::TypeSet::OBJECT)?;
        Some(export.tags.iter().map(|(name, values)| (&**name, values.iter().map(|v| &**v).collect())).collect())
    }

    /// An alias that leads to itself without any content in between says nothing: it becomes `Any`.
    fn break_loops(&mut self) {
        let names = |definition: &Definition| match &definition.body {
            Body::Alias(Type::Union(members)) => members.iter().any(|member| matches!(member, Type::Named(_))),
            Body::Alias(alias) => matches!(alias, Type::Named(_)),
            Body::Class(_) | Body::External(_) => false,
        };
        if !self.definitions.iter().any(names) {
            return;
        }
        let candidates = self.around_loops();
        for at in candidates {
            let mut seen = vec![at];
            let mut todo = vec![at];
            let mut looped = false;
            while let Some(next) = todo.pop() {
                for target in self.aliased(next) {
                    if target == at {
                        looped = true;
                    } else if !seen.contains(&target) {
                        seen.push(target);
                        todo.push(target);
                    }
                }
            }
            if looped {
                self.definitions[at].body = Body::Alias(Type::Any);
            }
        }
    }

    /// What an alias is another name for, or a union of.
    fn aliased(&self, at: usize) -> Vec<usize> {
        let Body::Alias(alias) = &self.definitions[at].body else { return Vec::new() };
        let members = if let Type::Union(members) = alias { members } else { std::slice::from_ref(alias) };
        let named =
            members.iter().filter_map(|member| if let Type::Named(place) = member { Some(place) } else { None });
        named.filter_map(|place| self.position(place)).collect()
    }

    /// The aliases that are left when those at the end of chains are taken away, again and again: loops, and what leads to them.
    fn around_loops(&self) -> Vec<usize> {
        let leads: Vec<Vec<usize>> = (0..self.definitions.len()).map(|at| self.aliased(at)).collect();
        let mut open: Vec<usize> = leads.iter().map(Vec::len).collect();
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); leads.len()];
        for (at, targets) in leads.iter().enumerate() {
            targets.iter().for_each(|&target| users[target].push(at));
        }
        let mut ends: Vec<usize> = (0..leads.len()).filter(|&at| open[at] == 0).collect();
        while let Some(end) = ends.pop() {
            for &user in &users[end] {
                open[user] -= 1;
                if open[user] == 0 {
                    ends.push(user);
                }
            }
        }
        (0..leads.len()).filter(|&at| open[at] > 0).collect()
    }
}

impl Type {
    /// One of some types; says it as simply as it can.
    pub fn union(types: impl IntoIterator<Item = Type>) -> Type {
        fn add(flat: &mut Vec<Type>, item: Type) {
            match item {
                Type::Union(members) => members.into_iter().for_each(|member| add(flat, member)),
                Type::Never => {}
                item => {
                    if let Type::Literal(values) = &item
                        && let Some(Type::Literal(known)) = flat.iter_mut().find(|t| matches!(t, Type::Literal(_)))
                    {
                        let mut seen: Distinct<'_> = known.iter().collect();
                        let fresh: Vec<Json> = values.iter().filter(|value| seen.insert(value)).cloned().collect();
                        known.extend(fresh);
                    } else if !flat.contains(&item) {
                        flat.push(item);
                    }
                }
            }
        }
        let mut types = types.into_iter();
        let Some(first) = types.next() else { return Type::Never };
        let Some(second) = types.next() else {
            // The members of a union are plain already.
            return first;
        };
        let mut flat: Vec<Type> = Vec::with_capacity(2 + types.size_hint().0);
        [first, second].into_iter().chain(types).for_each(|item| add(&mut flat, item));
        if flat.contains(&Type::Any) {
            return Type::Any;
        }
        match flat.len() {
            0 => Type::Never,
            1 => flat.remove(0),
            _ => Type::Union(flat),
        }
    }

    /// Calls `f` with every place that it names.
    pub fn names<'a>(&'a self, f: &mut dyn FnMut(&'a Place)) {
        match self {
            Type::Named(place) => f(place),
            Type::Array { item, .. } => item.names(f),
            Type::Map { value, .. } => value.names(f),
            Type::Tuple(items) | Type::Union(items) => items.iter().for_each(|item| item.names(f)),
            _ => {}
        }
    }
}

impl Body {
    /// Calls `f` with every place that it names.
    pub fn names<'a>(&'a self, f: &mut dyn FnMut(&'a Place)) {
        match self {
            Body::External(_) => {}
            Body::Alias(alias) => alias.names(f),
            Body::Class(class) => {
                class.fields.iter().for_each(|field| field.r#type.names(f));
                class.extra.names(f);
            }
        }
    }
}
