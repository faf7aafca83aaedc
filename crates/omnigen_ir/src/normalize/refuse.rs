//! Is a document certainly not of a type? Then a model that says what the type says refuses it.

use std::cmp::Ordering;

use super::{Body, Class, Range, Size, Type, Types};
use crate::json::position_from;
use crate::{Json, Number, Place};

/// Types and values within each other.
const DEEPEST: usize = 100;

impl Types {
    /// Does the type at a place rule the document out? Left open, as `false`, is what depends on other contracts, on patterns, on
    /// what undeclared members may be, or on how fractions are rounded.
    pub fn refuses(&self, place: &Place, document: &Json) -> bool {
        self.named(place, document, DEEPEST)
    }

    fn named(&self, place: &Place, document: &Json, left: usize) -> bool {
        match self.get(place).map(|definition| &definition.body) {
            Some(Body::Class(class)) => self.class(class, document, left),
            Some(Body::Alias(alias)) => self.typed(alias, document, left),
            Some(Body::External(_)) | None => false,
        }
    }

    fn class(&self, class: &Class, document: &Json, left: usize) -> bool {
        let Json::Object(members) = document else { return true };
        let mut wanted = class.fields.iter().filter(|field| field.required).count();
        // Members mostly stand in the order of the fields.
        let (mut next, fields) = (0, &class.fields);
        for (name, value) in members {
            let at = position_from(fields, next, |field| *field.name == **name);
            let refused = match at.map(|at| (at, &fields[at])) {
                Some((at, field)) => {
                    next = at + 1;
                    wanted = wanted.saturating_sub(usize::from(field.required));
                    self.typed(&field.r#type, value, left)
                }
                None => class.extra == Type::Never,
            };
            if refused {
                return true;
            }
        }
        wanted > 0
    }

    fn typed(&self, r#type: &Type, document: &Json, left: usize) -> bool {
        let Some(left) = left.checked_sub(1) else { return false };
        match (r#type, document) {
            (Type::Any | Type::Never, _) => false,
            (Type::Null, document) => *document != Json::Null,
            (Type::Boolean, document) => !matches!(document, Json::Bool(_)),
            (Type::Integer(range), Json::Number(number)) => !number.is_integer() || beyond(range, number),
            (Type::Number(range), Json::Number(number)) => beyond(range, number),
            (Type::String(rules), Json::String(text)) => misses(&rules.size, text.chars().count()),
            (Type::Literal(values), document) => !values.iter().any(|value| value.same(document)),
            (Type::Array { item, size }, Json::Array(items)) => {
                misses(size, items.len()) || items.iter().any(|value| self.typed(item, value, left))
            }
            (Type::Tuple(types), Json::Array(items)) => {
                items.len() != types.len() || types.iter().zip(items).any(|(item, value)| self.typed(item, value, left))
            }
            (Type::Map { value, size }, Json::Object(members)) => {
                misses(size, members.len()) || members.iter().any(|(_, member)| self.typed(value, member, left))
            }
            (Type::Named(place), document) => self.named(place, document, left),
            (Type::Union(members), document) => members.iter().all(|member| self.typed(member, document, left)),
            (
                Type::Integer(_)
                | Type::Number(_)
                | Type::String(_)
                | Type::Array { .. }
                | Type::Tuple(_)
                | Type::Map { .. },
                _,
            ) => true,
        }
    }
}

fn misses(size: &Size, count: usize) -> bool {
    let count = count as u64;
    size.min.is_some_and(|min| count < min) || size.max.is_some_and(|max| count > max)
}

/// Among whole numbers that every reader holds exactly; of others nothing is said.
fn beyond(range: &Range, number: &Number) -> bool {
    let Range { minimum, exclusive_minimum, maximum, exclusive_maximum, multiple_of: _ } = range;
    let plain = |number: &Number| number.as_i64().is_some_and(|whole| whole.unsigned_abs() < 1 << 53);
    let against = |bound: &Option<Number>| {
        bound.as_ref().filter(|bound| plain(bound) && plain(number)).map(|bound| number.compare(bound))
    };
    against(minimum) == Some(Ordering::Less)
        || matches!(against(exclusive_minimum), Some(Ordering::Less | Ordering::Equal))
        || against(maximum) == Some(Ordering::Greater)
        || matches!(against(exclusive_maximum), Some(Ordering::Greater | Ordering::Equal))
}
