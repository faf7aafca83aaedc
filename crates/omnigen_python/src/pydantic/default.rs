//! Defaults as Python expressions.

use omnigen_ir::normalize::{Body, Field, Type};
use omnigen_ir::{Json, Place};

use super::Module;
use crate::layout::{Doc, string, value};

/// How a field gets its default.
pub(super) enum Default {
    /// By a value; Pydantic copies it for each instance.
    Value(Doc),
    /// By a call, since it holds models.
    Factory(Doc),
}

/// An expression, and whether it holds models.
struct Made {
    doc: Doc,
    models: bool,
}

impl Module<'_> {
    /// The default of a field, if there is one that its type can hold.
    pub(super) fn default(&mut self, field: &Field) -> Option<Default> {
        let made = self.made(&field.r#type, field.default.as_ref()?, 0)?;
        Some(if made.models { Default::Factory(made.doc) } else { Default::Value(made.doc) })
    }

    fn made(&self, r#type: &Type, json: &Json, depth: usize) -> Option<Made> {
        if depth > 16 {
            return None;
        }
        let plain = || Some(Made { doc: value(json), models: false });
        match (r#type, json) {
            (Type::Any, _) | (Type::Null, Json::Null) | (Type::Boolean, Json::Bool(_)) => plain(),
            (Type::Number(_), Json::Number(number)) => {
                Some(Made { doc: Doc::text(number.python_as_written()), models: false })
            }
            (Type::String(_), Json::String(_)) => plain(),
            (Type::Integer(_), Json::Number(number)) if number.is_integer() => plain(),
            (Type::Literal(values), _) => {
                if values.iter().any(|known| known.same(json)) {
                    plain()
                } else {
                    None
                }
            }
            (Type::Array { item, .. }, Json::Array(items)) => {
                let made = items.iter().map(|own| self.made(item, own, depth + 1)).collect::<Option<Vec<_>>>()?;
                let models = made.iter().any(|own| own.models);
                // Type checkers take a list of models and other things for a list of objects.
                if models && !made.iter().all(|own| own.models) {
                    return None;
                }
                Some(Made { doc: Doc::group("[", made.into_iter().map(|own| own.doc).collect(), "]"), models })
            }
            (Type::Map { value: inner, .. }, Json::Object(members)) => {
                let mut models = false;
                let mut items = Vec::with_capacity(members.len());
                for (name, own) in members {
                    let made = self.made(inner, own, depth + 1)?;
                    models |= made.models;
                    items.push(Doc::Concat(vec![Doc::text(string(name)), Doc::text(": "), made.doc]));
                }
                Some(Made { doc: Doc::group("{", items, "}"), models })
            }
            (Type::Union(members), _) => members.iter().find_map(|member| self.made(member, json, depth + 1)),
            (Type::Named(place), _) => self.named(place, json, depth),
            _ => None,
        }
    }

    fn named(&self, place: &Place, json: &Json, depth: usize) -> Option<Made> {
        let model = |name: &str| {
            Some(Made { doc: Doc::group(format!("{name}.model_validate("), vec![value(json)], ")"), models: true })
        };
        let root = place.pointer.is_empty();
        let Some(definition) = self.types.get(place) else {
            // Roots of other contracts are models, whatever they hold. A definition that allows a scalar is an alias, since
            // classes allow objects only; whether one that allows an object is a class cannot be seen from outside.
            return match json {
                _ if root => model(self.foreign.get(place)?),
                Json::Array(_) | Json::Object(_) => None,
                _ => Some(Made { doc: value(json), models: false }),
            };
        };
        let name = &self.names[self.types.position(place)?];
        match &definition.body {
            Body::Class(class) => {
                let Json::Object(members) = json else { return None };
                // What a union's other member is for must not be forced into this class.
                let known = |name: &str| class.fields.iter().find(|field| &*field.name == name);
                let complete =
                    class.fields.iter().all(|field| !field.required || members.iter().any(|(n, _)| *n == field.name));
                let fits = members.iter().all(|(name, own)| match known(name) {
                    Some(field) => self.made(&field.r#type, own, depth + 1).is_some(),
                    None => self.made(&class.extra, own, depth + 1).is_some(),
                });
                if complete && fits { model(name) } else { None }
            }
            Body::External(_) => None,
            Body::Alias(_) if root && definition.exported => model(name),
            Body::Alias(alias) => self.made(alias, json, depth + 1),
        }
    }
}
