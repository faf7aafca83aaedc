//! Values that are wrong in a certain way, whatever the schema is.

use std::sync::LazyLock;

use super::decimal::Decimal;
use crate::{Json, Number, TypeSet};

/// One value of each type, the likeliest mistakes for these types first; and how many these are.
pub(super) fn near(types: TypeSet) -> ([&'static (&'static str, Json); 7], usize) {
    // Of a number also what Python takes for one, or for the same one.
    let first: &[&str] = if types.meets(TypeSet::OBJECT.or(TypeSet::ARRAY).or(TypeSet::STRING)) {
        &["null"]
    } else if types.meets(TypeSet::NUMBER) {
        &["null", "number", "boolean"]
    } else if types.meets(TypeSet::BOOLEAN) {
        &["null", "integer"]
    } else {
        &["string"]
    };
    let mut list = wrong_types().each_ref();
    list.sort_by_key(|(name, _)| first.iter().position(|other| other == name).unwrap_or(first.len()));
    (list, first.len())
}

/// One value of each type.
pub(super) fn wrong_types() -> &'static [(&'static str, Json); 7] {
    static TYPES: LazyLock<[(&str, Json); 7]> = LazyLock::new(|| {
        let number = |text| Number::new(text).map_or(Json::Null, Json::Number);
        [
            ("null", Json::Null),
            ("string", Json::String("text".into())),
            ("integer", number("12")),
            ("boolean", Json::Bool(true)),
            ("number", number("0.5")),
            ("array", Json::Array(Vec::new())),
            ("object", Json::Object(Vec::new())),
        ]
    });
    &TYPES
}

/// With every innermost value replaced.
pub(super) fn spoiled(json: &Json, by: &dyn Fn(&Json) -> Json) -> Json {
    match json {
        Json::Array(items) if !items.is_empty() => Json::Array(items.iter().map(|item| spoiled(item, by)).collect()),
        Json::Object(members) if !members.is_empty() => {
            Json::Object(members.iter().map(|(name, value)| (name.clone(), spoiled(value, by))).collect())
        }
        value => by(value),
    }
}

/// A value that is none of these, of the same type where that is easy.
pub(super) fn other_than(members: &[&Json]) -> Json {
    let number = |n: i64| Json::Number(Number::from_i64(n));
    let tries: Vec<Json> = match members.first() {
        Some(Json::String(text)) => {
            vec![Json::String(format!("{text}!").into()), Json::String("no such value".into())]
        }
        Some(Json::Number(_)) => (0..).map(number).take(members.len() + 1).collect(),
        Some(Json::Bool(value)) => vec![Json::Bool(!value)],
        Some(Json::Array(_)) => vec![Json::Array(vec![Json::String("no such value".into())])],
        Some(Json::Object(_)) => vec![Json::Object(vec![("no such name".into(), Json::Null)])],
        _ => Vec::new(),
    };
    let fits = |value: &Json| members.iter().all(|member| !member.same(value));
    tries.into_iter().find(fits).unwrap_or_else(|| Json::String("no such value, nor any other".into()))
}

/// Can every reader hold all numbers of this value?
pub(super) fn exact(json: &Json) -> bool {
    match json {
        Json::Number(number) => Decimal::new(number).is_some(),
        Json::Array(items) => items.iter().all(exact),
        Json::Object(members) => members.iter().all(|(_, value)| exact(value)),
        _ => true,
    }
}
