//! What holds for types without a contract around them.

use super::{About, Body, Class, Definition, Field, Range, Size, Text, Type, Types, Unchecked, allows};
use crate::{
    Contract, Export, FileId, Json, Link, Node, Number, NumberRules, Place, Reference, Resolve, Schema, StringRules,
    TypeSet, naming::Unit,
};

/// Nothing can be referred to.
struct Nowhere;

impl Resolve for Nowhere {
    fn link(&self, _: &FileId, _: &Reference) -> Link {
        Link::Dangling
    }
    fn schema(&self, _: &Place) -> Option<&Schema> {
        None
    }
    fn export(&self, _: &Place) -> Option<&Export> {
        None
    }
    fn unit(&self, file: &FileId) -> std::borrow::Cow<'_, Unit> {
        std::borrow::Cow::Owned(Unit::new(file, ""))
    }
}

fn text(value: &str) -> Json {
    Json::String(value.into())
}

fn number(text: &str) -> Json {
    Json::Number(Number::new(text).expect("a number"))
}

#[test]
fn unions_say_it_simply() {
    let integer = || Type::Integer(Box::default());
    assert_eq!(Type::union([]), Type::Never);
    assert_eq!(Type::union([Type::Never, integer(), integer()]), integer());
    assert_eq!(Type::union([integer(), Type::Any]), Type::Any);
    assert_eq!(
        Type::union([Type::Null, Type::union([integer(), Type::Boolean])]),
        Type::Union(vec![Type::Null, integer(), Type::Boolean])
    );
    assert_eq!(
        Type::union([Type::Literal(vec![text("a"), number("1")]), Type::Literal(vec![number("1.0"), text("b")])]),
        Type::Literal(vec![text("a"), number("1"), text("b")])
    );
}

#[test]
fn defaults_are_judged_or_left_open() {
    let file: FileId = "thing.json".into();
    let mut node = Node::new("");
    node.types = Some(TypeSet::INTEGER.or(TypeSet::STRING));
    node.number = Some(Box::new(NumberRules { minimum: Number::new("2"), ..NumberRules::default() }));
    node.string = Some(Box::new(StringRules { max_length: Some(1), ..StringRules::default() }));
    let judge = |node: &Node, value: Json| allows(&Nowhere, &file, &Schema::Node(Box::new(node.clone())), &value);
    for (value, answer) in [
        (number("2.0"), Some(true)),
        (number("1"), Some(false)),
        (number("2.5"), Some(false)),
        (text("ä"), Some(true)),
        (text("ab"), Some(false)),
        (Json::Null, Some(false)),
        (Json::Bool(true), Some(false)),
    ] {
        assert_eq!(judge(&node, value.clone()), answer, "{value}");
    }
    node.string = Some(Box::new(StringRules { pattern: Some("a".into()), ..StringRules::default() }));
    assert_eq!(judge(&node, text("a")), None, "patterns are not run here");
    assert_eq!(judge(&node, number("1")), Some(false));
}

#[test]
fn what_is_missing_may_be_anything() {
    let file: FileId = "thing.json".into();
    let exports = crate::Exports::default();
    let unit = Unit::new(&file, "");
    let types = super::Types::of(&Contract { file: &file, unit: &unit, exports: &exports }, &Nowhere);
    assert!(types.definitions.is_empty());
    assert!(types.get(&Place::new(&file, "")).is_none());
}

#[test]
fn what_a_type_rules_out_is_certain() {
    let object = |members: &[(&str, Json)]| {
        Json::Object(members.iter().map(|(name, value)| ((*name).into(), value.clone())).collect())
    };
    let field = |name: &str, r#type: Type, required: bool| Field {
        name: name.into(),
        r#type,
        required,
        default: None,
        unchecked: Unchecked::default(),
        notes: About::default(),
    };
    let root = Place::new(&FileId::from("thing.json"), "");
    let away = Place::new(&FileId::from("other.json"), "");
    let size = Size { min: Some(1), max: Some(2) };
    let range = Range { minimum: Number::new("1"), exclusive_maximum: Number::new("2.5"), ..Range::default() };
    let class = Class {
        fields: vec![
            field("name", Type::String(Box::new(Text { size, pattern: None })), true),
            field("next", Type::Union(vec![Type::Null, Type::Named(root.clone())]), false),
            field("count", Type::Integer(Box::new(range)), false),
            field("away", Type::Named(away), false),
        ],
        extra: Type::Never,
        frozen: false,
    };
    let body = Body::Class(class);
    let definition = Definition {
        place: root.clone(),
        exported: true,
        body,
        unchecked: Unchecked::default(),
        notes: About::default(),
    };
    let types = Types {
        definitions: vec![definition],
        bad_defaults: Vec::new(),
        too_wide: Vec::new(),
        index: [(root.clone(), 0)].into_iter().collect(),
    };
    let named = |rest: &[(&str, Json)]| object(&[&[("name", text("x"))], rest].concat());
    for (document, refused) in [
        (named(&[]), false),
        (Json::Null, true),
        (object(&[]), true),
        (object(&[("name", text("xxx"))]), true),
        (named(&[("other", Json::Null)]), true),
        (named(&[("next", Json::Null)]), false),
        (named(&[("next", object(&[]))]), true),
        (named(&[("next", named(&[("count", number("0"))]))]), true),
        (named(&[("count", number("1.5"))]), true),
        // Whether a fraction is too large is left to those who know how it is rounded.
        (named(&[("count", number("3"))]), false),
        (named(&[("away", number("3"))]), false),
    ] {
        assert_eq!(types.refuses(&root, &document), refused, "{document}");
    }
}
