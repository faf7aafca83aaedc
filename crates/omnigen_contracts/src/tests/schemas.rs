use omnigen_ir::{FileId, Json, Number, Schema, TypeSet};

use super::{draft, draft_07, draft_2020, found, hint, json, node};
use crate::{Declarations, Dialect, Includes, declarations_in};

#[test]
fn every_keyword_arrives() {
    let declarations = draft_2020(
        r##""type": ["object", "null"], "enum": [null, {"$ref": "#/no"}], "const": null,
        "minimum": 1, "maximum": 2.5, "exclusiveMinimum": 0, "exclusiveMaximum": 1e2, "multipleOf": 0.1,
        "minLength": 2.0, "maxLength": 30, "pattern": "^a$", "format": "date",
        "prefixItems": [true, {"type": "string"}], "items": false, "contains": {"const": 1}, "minContains": 0,
        "maxContains": 3, "minItems": 1, "maxItems": 9, "uniqueItems": true,
        "properties": {"a": {}, "b/c": {"type": "null"}}, "patternProperties": {"^x": true}, "additionalProperties": {"type": "number"},
        "propertyNames": {"maxLength": 3}, "required": ["a", "b"], "minProperties": 1, "maxProperties": 1e1,
        "dependentRequired": {"a": ["b"]}, "dependentSchemas": {"a": {"type": "object"}},
        "allOf": [true], "anyOf": [{"title": "x"}], "oneOf": [false], "not": {"type": "array"},
        "if": {"type": "string"}, "then": true, "else": {"type": "integer"},
        "title": "T", "description": "D", "default": {"$ref": "#/no"}, "examples": [1, null], "deprecated": true, "readOnly": true,
        "writeOnly": true, "$comment": "c", "x-more": 1, "contentEncoding": "base64""##,
    );
    // Many keywords, few types.
    let ignored = ["minimum", "minLength", "prefixItems"].map(|keyword| format!("ignored-keyword key:/{keyword}"));
    assert_eq!(found(&declarations), ignored);
    let root = node(&declarations, "");
    let number = |text: &str| Number::new(text);
    assert_eq!(root.types, Some(TypeSet::OBJECT.or(TypeSet::NULL)));
    assert_eq!(root.enumeration.as_ref().map(Vec::len), Some(2));
    assert_eq!(root.constant, Some(Json::Null));
    let numbers = root.number.as_ref().expect("rules for numbers");
    assert_eq!((&numbers.minimum, &numbers.maximum), (&number("1"), &number("2.5")));
    assert_eq!((&numbers.exclusive_minimum, &numbers.exclusive_maximum), (&number("0"), &number("1e2")));
    assert_eq!(numbers.multiple_of, number("0.1"));
    let strings = root.string.as_ref().expect("rules for strings");
    assert_eq!((strings.min_length, strings.max_length), (Some(2), Some(30)));
    assert_eq!((strings.pattern.as_deref(), strings.format.as_deref()), (Some("^a$"), Some("date")));
    let arrays = root.array.as_ref().expect("rules for arrays");
    assert_eq!((arrays.prefix.len(), &arrays.items), (2, &Some(Schema::Bool(false))));
    assert_eq!(arrays.contains.as_ref().map(|c| (c.min, c.max)), Some((0, Some(3))));
    assert_eq!((arrays.min_items, arrays.max_items, arrays.unique), (Some(1), Some(9), true));
    let objects = root.object.as_ref().expect("rules for objects");
    assert_eq!(objects.properties[0].schema, Schema::Bool(true));
    assert_eq!(objects.patterns, [("^x".into(), Schema::Bool(true))]);
    assert_eq!(objects.required, ["a".into(), "b".into()]);
    assert_eq!((objects.min_properties, objects.max_properties), (Some(1), Some(10)));
    assert_eq!(objects.dependent_required, [("a".into(), vec!["b".into()])]);
    assert_eq!((objects.dependent_schemas.len(), objects.names.is_some()), (1, true));
    let logic = root.logic.as_ref().expect("combinators");
    assert_eq!((logic.all_of.len(), logic.any_of.len(), logic.one_of.len(), logic.not.is_some()), (1, 1, 1, true));
    assert!(logic.condition.as_ref().is_some_and(|condition| condition.then == Some(Schema::Bool(true))));
    let notes = root.notes.as_ref().expect("annotations");
    assert_eq!((notes.title.as_deref(), notes.description.as_deref(), notes.examples.len()), (Some("T"), Some("D"), 2));
    assert!(notes.deprecated && notes.read_only && notes.write_only && notes.default.is_some());
    for pointer in [
        "/prefixItems/1",
        "/properties/b~1c",
        "/additionalProperties",
        "/propertyNames",
        "/anyOf/0",
        "/not",
        "/if",
        "/else",
        "/dependentSchemas/a",
        "/contains",
    ] {
        assert_eq!(&*node(&declarations, pointer).at, pointer);
    }
    assert_eq!(declarations.schema("/prefixItems/0"), Some(&Schema::Bool(true)));
    assert_eq!(declarations.schema("/nothing"), None);
}

#[test]
fn what_says_nothing_is_true() {
    for text in [
        "{}",
        "true",
        r#"{"$schema": "https://json-schema.org/draft/2020-12/schema"}"#,
        r#"{"$defs": {"a": {}}}"#,
        r#"{"properties": {}, "required": [], "uniqueItems": false}"#,
    ] {
        assert_eq!(json(text).root, Schema::Bool(true), "{text}");
    }
    assert_eq!(json("false").root, Schema::Bool(false));
    assert!(json(r#"{"title": "x"}"#).root.node().is_some());
}

#[test]
fn draft_07_spellings() {
    let declarations = draft_07(
        r#""items": [{"type": "string"}, true], "additionalItems": false,
        "dependencies": {"a": ["b", "c"], "d": {"required": ["e"]}}, "definitions": {"x": {"type": "null"}}"#,
    );
    assert_eq!(found(&declarations), Vec::<String>::new());
    let root = node(&declarations, "");
    assert_eq!(
        root.array.as_ref().map(|array| (array.prefix.len(), array.items.clone())),
        Some((2, Some(Schema::Bool(false))))
    );
    assert_eq!(&*node(&declarations, "/items/0").at, "/items/0");
    assert_eq!(declarations.schema("/items/1"), Some(&Schema::Bool(true)));
    assert_eq!(declarations.schema("/additionalItems"), Some(&Schema::Bool(false)));
    let object = root.object.as_ref().expect("rules for objects");
    assert_eq!(object.dependent_required, [("a".into(), vec!["b".into(), "c".into()])]);
    assert_eq!(&*node(&declarations, "/dependencies/d").at, "/dependencies/d");

    // Without an array `additionalItems` asserts nothing.
    let single = draft_07(r#""items": {"type": "string"}, "additionalItems": false"#);
    assert_eq!(node(&single, "").array.as_ref().map(|array| array.prefix.len()), Some(0));
    assert_eq!(&*node(&single, "/items").at, "/items");
    assert_eq!(draft_07(r#""additionalItems": false"#).root, Schema::Bool(true));
}

#[test]
fn keywords_of_other_drafts_are_said() {
    for (declarations, expected) in [
        (draft_07(r#""prefixItems": [true]"#), "ignored-keyword key:/prefixItems"),
        (draft_07(r#""dependentRequired": {"a": ["b"]}"#), "ignored-keyword key:/dependentRequired"),
        (draft_07(r#""unevaluatedProperties": false"#), "ignored-keyword key:/unevaluatedProperties"),
        (draft_07(r#""id": "x""#), "ignored-keyword key:/id"),
        (draft_07(r#""minimum": 1, "exclusiveMinimum": true"#), "wrong-type /exclusiveMinimum"),
        (draft_2020(r#""items": [true]"#), "wrong-type /items"),
        (draft_2020(r#""prefixItems": [true], "additionalItems": false"#), "ignored-keyword key:/additionalItems"),
        (draft_2020(r##""$recursiveRef": "#""##), "ignored-keyword key:/$recursiveRef"),
        (draft("-06", r#""if": {"type": "null"}"#), "ignored-keyword key:/if"),
        (draft("-04", r#""const": 1"#), "ignored-keyword key:/const"),
        (draft("-04", r#""contains": {"type": "null"}"#), "ignored-keyword key:/contains"),
        (draft("-04", r#""propertyNames": {"maxLength": 1}"#), "ignored-keyword key:/propertyNames"),
        (draft("-04", r#""$id": "http://example.com/a""#), "ignored-keyword key:/$id"),
        (draft("-04", r#""properties": {"a": true}"#), "wrong-type /properties/a"),
        (draft("/2019-09", r#""prefixItems": [true]"#), "ignored-keyword key:/prefixItems"),
        (draft("/2019-09", r##""$dynamicRef": "#a""##), "ignored-keyword key:/$dynamicRef"),
        (draft_2020(r##""$id": "#here""##), "ignored-keyword key:/$id"),
        (draft_2020(r#""then": false"#), "ignored-keyword key:/then"),
        (draft_2020(r#""if": false"#), "ignored-keyword key:/if"),
    ] {
        assert_eq!(found(&declarations), [expected]);
    }
    // Without `$schema` both spellings are understood.
    let both = json(
        r#"{"items": [{"type": "string"}], "dependencies": {"a": ["b"]}, "minimum": 3, "exclusiveMinimum": true, "prefixItem": 1}"#,
    );
    assert_eq!(found(&both), ["misspelled-keyword key:/prefixItem"]);
    let root = node(&both, "");
    assert!(root.array.is_some() && root.object.is_some());
    assert_eq!(
        root.number.as_ref().map(|n| (n.minimum.clone(), n.exclusive_minimum.clone())),
        Some((None, Number::new("3")))
    );
}

#[test]
fn dialects_are_recognised() {
    for (uri, expected) in [
        ("http://json-schema.org/draft-07/schema", None),
        ("https://json-schema.org/draft-07/schema#", None),
        ("https://json-schema.org/draft/2020-12/schema#", None),
        ("http://json-schema.org/draft-04/schema#", None),
        ("http://json-schema.org/draft-06/schema", None),
        ("http://json-schema.org/draft/2019-09/schema", None),
        ("https://example.org/mine", Some("unknown-dialect /$schema")),
    ] {
        let declarations = json(&format!(r#"{{"$schema": "{uri}"}}"#));
        assert_eq!(found(&declarations).first().map(String::as_str), expected, "{uri}");
        assert!(!declarations.broken);
    }
    let old = json(
        r##"{"$schema": "http://json-schema.org/draft-04/schema#", "id": "http://x.org/a", "maximum": 5, "exclusiveMaximum": true,
        "properties": {"a": {"id": "#foo", "type": "string"}, "b": {"$ref": "#foo"}}}"##,
    );
    assert_eq!(found(&old), Vec::<String>::new());
    assert_eq!(old.ids, [("http://x.org/a".into(), "".into())]);
    assert_eq!(node(&old, "").number.as_ref().and_then(|n| n.exclusive_maximum.clone()), Number::new("5"));
    assert_eq!(super::target(&old, "/properties/b"), "/properties/a");
}

#[test]
fn values_of_wrong_types_are_said_where_they_stand() {
    for (members, expected) in [
        (r#""properties": null"#, "wrong-type /properties"),
        (r#""properties": {"a": null}"#, "wrong-type /properties/a"),
        (r#""properties": {"a": "string"}"#, "wrong-type /properties/a"),
        (r#""minLength": -1"#, "wrong-type /minLength"),
        (r#""minLength": 1.5"#, "wrong-type /minLength"),
        (r#""minLength": "1""#, "wrong-type /minLength"),
        (r#""minimum": "1""#, "wrong-type /minimum"),
        (r#""multipleOf": 0"#, "wrong-type /multipleOf"),
        (r#""required": true"#, "wrong-type /required"),
        (r#""enum": {}"#, "wrong-type /enum"),
        (r#""pattern": 1"#, "wrong-type /pattern"),
        (r#""allOf": []"#, "wrong-type /allOf"),
        (r#""anyOf": {}"#, "wrong-type /anyOf"),
        (r#""uniqueItems": 1"#, "wrong-type /uniqueItems"),
        (r#""type": []"#, "wrong-type /type"),
        (r#""type": {}"#, "wrong-type /type"),
        (r#""type": ["string", 1]"#, "wrong-type /type/1"),
        (r#""type": "objec""#, "unknown-type /type"),
        (r#""type": "a list of strings""#, "unknown-type /type"),
        (r#""type": ["string", "Null"]"#, "unknown-type /type/1"),
        (r#""$ref": 5"#, "wrong-type /$ref"),
        (r#""dependentRequired": {"a": "b"}"#, "wrong-type /dependentRequired/a"),
        (r#""$defs": []"#, "wrong-type /$defs"),
    ] {
        let declarations = draft_2020(members);
        assert_eq!(found(&declarations), [expected], "{members}");
        assert!(declarations.diagnostics[0].is_error() && !declarations.broken, "{members}");
    }
    for members in [r#""title": 1"#, r#""examples": "x""#, r#""deprecated": "yes""#, r#""required": ["a", 1]"#] {
        let declarations = draft_2020(members);
        assert_eq!(found(&declarations).len(), 1, "{members}");
        assert!(!declarations.diagnostics[0].is_error(), "{members}");
    }
    for (kind, meant) in
        [("objec", "object"), ("int", "integer"), ("Strng", "string"), ("dict", "object"), ("bool", "boolean")]
    {
        assert_eq!(hint(&draft_2020(&format!(r#""type": "{kind}""#))), format!("did you mean `{meant}`?"));
    }
    // The rest of the schema is read all the same.
    let declarations = draft_2020(r#""minLength": null, "maxLength": 3"#);
    assert_eq!(node(&declarations, "").string.as_ref().map(|s| (s.min_length, s.max_length)), Some((None, Some(3))));
    assert_eq!(
        node(&draft_2020(r#""maxLength": 1e30"#), "").string.as_ref().and_then(|s| s.max_length),
        Some(u64::MAX)
    );
}

#[test]
fn unknown_keywords_are_said_once() {
    for (name, code) in [
        ("requird", "misspelled-keyword"),
        ("propertes", "misspelled-keyword"),
        ("additionalproperties", "misspelled-keyword"),
        ("addtionalProperites", "misspelled-keyword"),
        ("tpye", "misspelled-keyword"),
        ("$reff", "misspelled-keyword"),
        ("markdownDescription", "unknown-keyword"),
        ("unit", "unknown-keyword"),
        ("name", "unknown-keyword"),
        ("nullable", "misspelled-keyword"),
    ] {
        let declarations = json(&format!(r#"{{"properties": {{"a": {{"{name}": 1}}, "b": {{"{name}": 2}}}}}}"#));
        assert_eq!(found(&declarations), [format!("{code} key:/properties/a/{name}")]);
    }
    assert_eq!(hint(&draft_2020(r#""requird": []"#)), "did you mean `required`?");
    // Names of properties are no keywords, and data is no schema.
    let fine = draft_2020(
        r#""properties": {"requird": {}}, "x-foo": {}, "default": {"tpye": 1}, "enum": [{"tpye": 1}], "const": {"tpye": 1}"#,
    );
    assert_eq!(found(&fine), Vec::<String>::new());
}

#[test]
fn what_is_left_over_is_kept_apart_where_schemas_apply_in_place() {
    let object = |d: &Declarations| {
        let rules = node(d, "").object.clone().expect("an object");
        (rules.additional, rules.unevaluated)
    };
    let array = |d: &Declarations| {
        let rules = node(d, "").array.clone().expect("an array");
        (rules.items, rules.unevaluated)
    };
    let no = || Some(Schema::Bool(false));
    let beside = r#""allOf": [{"required": ["a"]}], "unevaluatedProperties": false"#;
    assert_eq!(object(&draft_2020(beside)), (None, no()));
    // With nothing applied in place the keywords beside it are all that counts.
    assert_eq!(object(&draft_2020(r#""properties": {"a": true}, "unevaluatedProperties": false"#)), (no(), None));
    let nothing_left = r#""allOf": [true], "additionalProperties": false, "unevaluatedProperties": true"#;
    assert_eq!(object(&draft_2020(nothing_left)), (no(), None));
    assert_eq!(array(&draft_2020(r#""prefixItems": [true], "unevaluatedItems": false"#)), (no(), None));
    // What `contains` matches is evaluated since 2020-12.
    let contains = r#""contains": {"type": "null"}, "unevaluatedItems": false"#;
    assert_eq!(array(&draft_2020(contains)), (None, no()));
    assert_eq!(array(&draft("/2019-09", contains)), (no(), None));
}

#[test]
fn dynamic_references_need_an_anchor_where_they_lead() {
    let name = |d: &Declarations, at: &str| node(d, at).reference.as_ref().expect("a reference").dynamic.clone();
    let tree = draft_2020(
        r##""$dynamicAnchor": "node", "$defs": {"plain": {"$anchor": "here"}},
        "properties": {"a": {"$dynamicRef": "#node"}, "b": {"$dynamicRef": "#here"}, "c": {"$dynamicRef": "#/$defs/plain"},
            "d": {"$dynamicRef": "other.json#node"}}"##,
    );
    assert_eq!(found(&tree), Vec::<String>::new());
    assert_eq!(name(&tree, "/properties/a").as_deref(), Some("node"));
    assert_eq!(name(&tree, "/properties/b"), None);
    assert_eq!(name(&tree, "/properties/c"), None);
    assert_eq!(name(&tree, "/properties/d").as_deref(), Some("node"), "seen when it is followed");
    assert_eq!(tree.scopes, [("".into(), vec![("node".into(), "".into())])]);
    assert_eq!(tree.reach.looked_up, ["node".into()]);
    assert_eq!(found(&draft_2020(r##""$dynamicRef": "#nobody""##)), ["dangling-ref /$dynamicRef"]);
    for (anchor, expected) in [("true", Some("")), ("false", None)] {
        let old = draft("/2019-09", &format!(r##""$recursiveAnchor": {anchor}, "items": {{"$recursiveRef": "#"}}"##));
        assert_eq!(name(&old, "/items").as_deref(), expected);
    }
    // Both hold where both stand.
    let both = draft_2020(
        r##""$dynamicAnchor": "x", "properties": {"a": {"$ref": "#/$defs/s", "$dynamicRef": "#x"}}, "$defs": {"s": {"type": "object"}}"##,
    );
    let a = node(&both, "/properties/a");
    assert!(a.reference.as_ref().is_some_and(|reference| reference.dynamic.is_none()));
    assert_eq!(a.logic.as_ref().map(|logic| logic.all_of.len()), Some(1));
}

#[test]
fn vocabularies_turn_keywords_off() {
    let of = |vocabularies: &[(&str, bool)], draft: &str| {
        let list: Vec<(Box<str>, bool)> = vocabularies
            .iter()
            .map(|(name, required)| match name.contains(':') {
                true => ((*name).into(), *required),
                false => (format!("https://json-schema.org/draft/{draft}/vocab/{name}").into(), *required),
            })
            .collect();
        let base = Dialect::named(&format!("https://json-schema.org/draft/{draft}/schema")).expect("a draft");
        Dialect::custom(base, Some(&list))
    };
    let text = r#"{"$schema": "https://example.com/mine", "properties": {"a": {"minimum": 3, "format": "date"}}}"#;
    let read = |dialect: Dialect| declarations_in(&FileId::from("a.json"), text, dialect, &Includes::default());
    let bare = read(of(&[("core", true), ("applicator", true)], "2020-12").expect("known"));
    assert_eq!(found(&bare), ["ignored-keyword key:/properties/a/minimum"]);
    assert!(node(&bare, "/properties/a").number.is_none());
    let asserted = |dialect: Dialect| {
        read(dialect)
            .schema("/properties/a")
            .and_then(Schema::node)
            .is_some_and(|a| a.string.as_ref().is_some_and(|s| s.asserted))
    };
    let full: [(&str, bool); 3] = [("core", true), ("applicator", true), ("validation", true)];
    for (more, draft, expected) in [
        (("format-assertion", false), "2020-12", true),
        (("format-annotation", true), "2020-12", false),
        (("format", true), "2019-09", true),
        (("format", false), "2019-09", false),
    ] {
        let list: Vec<(&str, bool)> = full.iter().copied().chain([more]).collect();
        assert_eq!(asserted(of(&list, draft).expect("known")), expected, "{more:?}");
    }
    assert_eq!(of(&[("urn:strange", true)], "2020-12"), Err("urn:strange".into()));
    assert!(of(&[("urn:strange", false)], "2020-12").is_ok());
}

#[test]
fn what_excludes_itself() {
    for (text, place, message) in [
        (
            r#""minLength": 5, "maxLength": 3"#,
            "/minLength",
            "no string can be valid: `minLength` is 5, but `maxLength` is 3",
        ),
        (r#""minItems": 2, "maxItems": 1"#, "/minItems", "no array can be valid: `minItems` is 2, but `maxItems` is 1"),
        (
            r#""minProperties": 1, "maxProperties": 0"#,
            "/minProperties",
            "no object can be valid: `minProperties` is 1, but `maxProperties` is 0",
        ),
        (r#""minimum": 1.5, "maximum": 1"#, "/minimum", "no number can be valid: `minimum` is 1.5, but `maximum` is 1"),
        (
            r#""minimum": 1, "exclusiveMaximum": 1"#,
            "/minimum",
            "no number can be valid: `minimum` is 1, but `exclusiveMaximum` is 1",
        ),
        (
            r#""required": ["a", "b"], "maxProperties": 1"#,
            "/required",
            "no object can be valid: `required` lists 2 names, but `maxProperties` is 1",
        ),
        (
            r#""required": ["adress"], "properties": {"address": true}, "additionalProperties": false"#,
            "/required/0",
            "no object can be valid: `adress` is required, but `additionalProperties` forbids all that `properties` does not list",
        ),
        (
            r#""type": "integer", "enum": [1, "x", 2.0, 2.5, null]"#,
            "/enum/1",
            "`\"x\"`, and 2 more, can never be valid: `type` allows `integer`",
        ),
        (
            r#""type": ["string", "null"], "const": 1"#,
            "/const",
            "`1` can never be valid: `type` allows `null`, `string`",
        ),
        (r#""required": ["a", "b", "a"]"#, "/required/2", "`a` stands in `required` twice; once is enough"),
    ] {
        let declarations = draft_2020(text);
        let expected = format!("{place}: {message}");
        let told: Vec<String> = declarations
            .diagnostics
            .iter()
            .map(|diagnostic| match diagnostic.at.as_ref().map(|at| &at.spot) {
                Some(omnigen_report::Spot::Pointer { pointer, .. }) => format!("{pointer}: {}", diagnostic.message),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(told, [expected], "{text}");
        assert!(declarations.diagnostics.iter().all(|found| !found.is_error()));
    }
    for fine in [
        r#""minLength": 3, "maxLength": 3"#,
        r#""minimum": 1, "maximum": 1"#,
        r#""exclusiveMinimum": 1, "exclusiveMaximum": 2, "type": "number""#,
        r#""required": ["a"], "patternProperties": {"^a": true}, "additionalProperties": false"#,
        r#""type": "number", "enum": [1, 2.5]"#,
        r#""type": "integer", "const": 1.0"#,
    ] {
        assert_eq!(found(&draft_2020(fine)), Vec::<String>::new(), "{fine}");
    }
    assert_eq!(
        hint(&draft_2020(r#""required": ["adress"], "properties": {"address": true}, "additionalProperties": false"#)),
        "did you mean `address`?"
    );
}
