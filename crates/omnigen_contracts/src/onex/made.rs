//! What translated schemas are put together from: members, unions, shapes.

use std::borrow::Cow;

use super::expression::{Constant, Expression, Remarks};
use super::translate::Made;
use crate::value::{Data, Member, Span, Value, push_token};

/// What bounds mean for a type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Number,
    List,
    Map,
    Other,
}

impl Shape {
    pub(super) fn of(made: &[Member<'_>]) -> Shape {
        let of = |name: &str| match name {
            "string" => Shape::Text,
            "integer" | "number" => Shape::Number,
            "array" => Shape::List,
            "object" => Shape::Map,
            _ => Shape::Other,
        };
        match made.iter().find(|member| member.name == "type").map(|member| &member.value.data) {
            Some(Data::String(name)) => of(name),
            Some(Data::Array(items)) => {
                let mut shapes = items.iter().filter_map(Value::as_str).filter(|name| *name != "null").map(of);
                match (shapes.next(), shapes.next()) {
                    (Some(only), None) => only,
                    _ => Shape::Other,
                }
            }
            _ => Shape::Other,
        }
    }

    /// The keyword for a bound.
    pub(super) fn bound(self, word: &str) -> Option<&'static str> {
        Some(match (self, word) {
            (Shape::Number | Shape::Other, "ge") => "minimum",
            (Shape::Number | Shape::Other, "le") => "maximum",
            (Shape::Number | Shape::Other, "gt") => "exclusiveMinimum",
            (Shape::Number | Shape::Other, "lt") => "exclusiveMaximum",
            (Shape::Text, "ge" | "shortest") => "minLength",
            (Shape::Text, "le" | "longest") => "maxLength",
            (Shape::List, "ge" | "shortest") => "minItems",
            (Shape::List, "le" | "longest") => "maxItems",
            (Shape::Map, "ge" | "shortest") => "minProperties",
            (Shape::Map, "le" | "longest") => "maxProperties",
            _ => return None,
        })
    }

    pub(super) fn lacks(self, word: &str) -> &'static str {
        if matches!(word, "shortest" | "longest") { "a length" } else { "an order" }
    }
}

/// One of some types.
pub(super) fn union<'a>(members: Vec<Made<'a>>, span: Span) -> Made<'a> {
    let is_null = |made: &Made<'a>| made.len() == 1 && matches!(&made[0].value.data, Data::String(t) if t == "null");
    let null = members.iter().any(is_null);
    let mut rest: Vec<Made<'a>> = members.into_iter().filter(|made| !is_null(made)).collect();
    if rest.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    let plain = |made: &Made<'a>| made.len() == 1 && made[0].name == "type";
    let made = match rest.len() {
        0 => return vec![member("type", string("null"), span)],
        1 => rest.remove(0),
        _ if rest.iter().all(plain) => {
            let mut names: Vec<Value<'a>> = Vec::new();
            for value in rest.into_iter().flatten().map(|member| member.value) {
                let each = match value.data {
                    Data::Array(items) => items,
                    data => vec![Value { data, span }],
                };
                names.extend(
                    each.into_iter().filter(|n| !names.iter().any(|known| known.data == n.data)).collect::<Vec<_>>(),
                );
            }
            vec![member("type", Data::Array(names), span)]
        }
        _ => {
            let branches = rest.into_iter().map(|made| object(made, span)).collect();
            vec![member("anyOf", Data::Array(branches), span)]
        }
    };
    if null { nullable(made, span) } else { made }
}

/// The schema, or null.
pub(super) fn nullable<'a>(mut made: Made<'a>, span: Span) -> Made<'a> {
    if allows_null(&made) {
        return made;
    }
    let null = || Value { data: string("null"), span };
    if let Some(types) = made.iter_mut().find(|member| member.name == "type") {
        let known = std::mem::replace(&mut types.value.data, Data::Null);
        types.value.data = Data::Array(match known {
            Data::Array(mut items) => {
                items.push(null());
                items
            }
            data => vec![Value { data, span }, null()],
        });
        for part in &mut made {
            match (&*part.name, &mut part.value.data) {
                ("enum", Data::Array(items)) => items.push(Value { data: Data::Null, span }),
                ("const", data) => {
                    let constant = Value { data: std::mem::replace(data, Data::Null), span };
                    part.name = "enum".into();
                    part.value.data = Data::Array(vec![constant, Value { data: Data::Null, span }]);
                }
                _ => {}
            }
        }
        return made;
    }
    let notes = ["description", "title", "default", "examples", "deprecated", "readOnly", "writeOnly"];
    let (mut kept, asserted): (Made<'a>, Made<'a>) = made.into_iter().partition(|m| notes.contains(&&*m.name));
    let null = object(vec![member("type", string("null"), span)], span);
    let branches = match asserted.as_slice() {
        [Member { name, value: Value { data: Data::Array(items), .. }, .. }] if name == "anyOf" => {
            let mut items = items.clone();
            items.push(null);
            items
        }
        _ => vec![object(asserted, span), null],
    };
    put(&mut kept, "anyOf", Data::Array(branches), span);
    kept
}

/// Is null among what is allowed? Only what can be told at a glance.
pub(super) fn allows_null(made: &[Member<'_>]) -> bool {
    let null = |value: &Value<'_>| value.as_str() == Some("null");
    let asserts = |member: &&Member<'_>| !matches!(&*member.name, "description" | "title" | "default" | "examples");
    if !made.iter().any(|member| asserts(&member)) {
        return true;
    }
    if let Some(Data::Array(values)) = made.iter().find(|m| m.name == "enum").map(|m| &m.value.data) {
        return values.iter().any(|value| matches!(value.data, Data::Null));
    }
    made.iter().any(|member| match (&*member.name, &member.value.data) {
        ("type", Data::Array(items)) => items.iter().any(null),
        ("type", _) => null(&member.value),
        ("anyOf", Data::Array(items)) => items.iter().any(|item| item.get("type").is_some_and(null)),
        _ => false,
    })
}

pub(super) fn describe(remarks: &Remarks) -> String {
    let mut text = String::new();
    for (word, value) in [
        ("at least", &remarks.least),
        ("more than", &remarks.above),
        ("at most", &remarks.most),
        ("less than", &remarks.below),
    ] {
        if let Some(value) = value {
            text.push_str(&format!(", {word} {value}"));
        }
    }
    if let Some(default) = &remarks.default {
        let shown = match default {
            Constant::Text(text) | Constant::Number(text) => text.clone(),
            Constant::Bool(flag) => flag.to_string(),
            Constant::Null => "null".to_owned(),
        };
        text.push_str(&format!(", default {shown}"));
    }
    text
}

pub(super) fn show(expression: &Expression) -> String {
    let all = |list: &[Expression], between: &str| list.iter().map(show).collect::<Vec<_>>().join(between);
    match expression {
        Expression::Name(name) => name.clone(),
        Expression::Generic(name, arguments) => format!("{name}[{}]", all(arguments, ", ")),
        Expression::Union(members) => all(members, " | "),
        Expression::Literal(_) => "Literal[…]".to_owned(),
        Expression::Ellipsis => "...".to_owned(),
    }
}

/// A class' name without the prefix that generated names have anyway.
pub(super) fn bare(name: &str) -> &str {
    name.strip_prefix("Model").filter(|rest| rest.starts_with(char::is_uppercase)).unwrap_or(name)
}

pub(super) fn escaped(key: &str) -> String {
    let mut pointer = String::new();
    push_token(&mut pointer, key);
    pointer.remove(0);
    pointer
}

pub(super) fn constant<'a>(value: &Constant) -> Data<'a> {
    match value {
        Constant::Text(text) => Data::String(text.clone().into()),
        Constant::Number(text) => Data::Number(text.clone().into()),
        Constant::Bool(flag) => Data::Bool(*flag),
        Constant::Null => Data::Null,
    }
}

pub(super) fn string<'a>(text: &'static str) -> Data<'a> {
    Data::String(Cow::Borrowed(text))
}

pub(super) fn object(made: Made<'_>, span: Span) -> Value<'_> {
    Value { data: Data::Object(made), span }
}

pub(super) fn member<'a>(name: &'static str, data: Data<'a>, span: Span) -> Member<'a> {
    Member { name: Cow::Borrowed(name), key: span, value: Value { data, span } }
}

pub(super) fn has(made: &[Member<'_>], name: &str) -> bool {
    made.iter().any(|member| member.name == name)
}

/// Adds a keyword, in place of one of the same name.
pub(super) fn put<'a>(made: &mut Made<'a>, name: &str, data: Data<'a>, span: Span) {
    made.retain(|member| member.name != name);
    made.push(Member { name: name.to_owned().into(), key: span, value: Value { data, span } });
}

pub(super) fn put_required(made: &mut Made<'_>, required: Vec<String>, span: Span) {
    if !required.is_empty() {
        let names = required.into_iter().map(|name| Value { data: Data::String(name.into()), span }).collect();
        put(made, "required", Data::Array(names), span);
    }
}
