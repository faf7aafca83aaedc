use omnigen_ir::Schema;

use super::{draft_07, draft_2020, found, hint, json, node, target};

#[test]
fn a_slash_for_the_whole_document_is_understood() {
    let text = r##""properties": {"a": {"$ref": "#/"}, "b": {"$ref": "other.json#/"}}"##;
    let declared = draft_2020(text);
    assert_eq!(found(&declared), ["dangling-ref /properties/a/$ref", "dangling-ref /properties/b/$ref"]);
    assert!(!declared.diagnostics.iter().any(omnigen_report::Diagnostic::is_error));
    assert_eq!(target(&declared, "/properties/a"), "");
    assert_eq!(target(&declared, "/properties/b"), "file:///contracts/other.json #  | contracts/other.json");
}

#[test]
fn references_resolve_against_the_base() {
    // Base, reference, where it leads.
    for (id, reference, expected) in [
        ("", "#", ""),
        ("", "", ""),
        ("", "#/$defs/a", "/$defs/a"),
        ("", "#/%24defs/a", "/$defs/a"),
        ("", "#/$defs/b~1c", "/$defs/b~1c"),
        ("", "#/$defs/p%25q", "/$defs/p%q"),
        ("", "order.json#/$defs/a", "/$defs/a"),
        ("", "./order.json", ""),
        ("", "../contracts/order.json#", ""),
        ("", "file:///contracts/order.json", ""),
        ("", "#here", "/$defs/a"),
        ("", "customer.json", "file:///contracts/customer.json #  | contracts/customer.json"),
        ("", "./x/../customer.json#/$defs/b", "file:///contracts/customer.json # /$defs/b | contracts/customer.json"),
        ("", "../shared/a%20b.json#x", "file:///shared/a b.json # x | shared/a b.json"),
        ("", "../../outside.json", "file:///../outside.json #  | -"),
        ("", "/root.json", "file:///root.json #  | root.json"),
        ("", "HTTP://Example.COM/a/./b/../c", "http://example.com/a/c #  | -"),
        ("", "http://json-schema.org/draft-07/schema#", "http://json-schema.org/draft-07/schema #  | -"),
        ("https://x.org/s/order", "#/$defs/a", "/$defs/a"),
        ("https://x.org/s/order", "order#here", "/$defs/a"),
        ("https://x.org/s/order", "https://x.org/s/order#/$defs/a", "/$defs/a"),
        ("https://x.org/s/order", "customer.json", "https://x.org/s/customer.json #  | contracts/customer.json"),
        ("https://x.org/s/order", "/t", "https://x.org/t #  | t"),
        ("https://x.org/s/order", "//y.org/t", "https://y.org/t #  | -"),
        ("https://x.org/s/order", "../../../t?q=1", "https://x.org/t?q=1 #  | -"),
        ("https://x.org", "t", "https://x.org/t #  | contracts/t"),
        ("urn:x:1", "#/$defs/a", "/$defs/a"),
        ("urn:x:1", "urn:x:1#/$defs/a", "/$defs/a"),
        ("urn:x:1", "urn:x:2", "urn:x:2 #  | -"),
    ] {
        let id = if id.is_empty() { String::new() } else { format!(r#""$id": "{id}","#) };
        let declarations = draft_2020(&format!(
            r#"{id} "properties": {{"r": {{"$ref": "{reference}"}}}},
            "$defs": {{"a": {{"$anchor": "here"}}, "b/c": {{"type": "null"}}, "p%q": true}}"#
        ));
        assert_eq!(target(&declarations, "/properties/r"), expected, "{reference} in {id}");
        assert_eq!(found(&declarations), Vec::<String>::new(), "{reference} in {id}");
    }
}

#[test]
fn embedded_resources_have_their_own_base() {
    let declarations = draft_2020(
        r##""$id": "https://x.org/root", "$defs": {
            "item": {"$id": "folder/item", "$anchor": "same", "$defs": {"in": {"type": "null"}}, "properties": {
                "a": {"$ref": "#/$defs/in"}, "b": {"$ref": "other"}, "c": {"$ref": "#same"}, "d": {"$ref": "/root#same"}, "e": {"$ref": "#"}}},
            "named": {"$anchor": "same"}},
        "properties": {"a": {"$ref": "folder/item"}, "b": {"$ref": "folder/item#/$defs/in"}, "c": {"$ref": "#same"}, "d": {"$ref": "folder/item#same"},
            "e": {"$ref": "#/$defs/item/$defs/in"}}"##,
    );
    assert_eq!(found(&declarations), Vec::<String>::new());
    for (pointer, expected) in [
        ("/$defs/item/properties/a", "/$defs/item/$defs/in"),
        ("/$defs/item/properties/b", "https://x.org/folder/other #  | contracts/other"),
        ("/$defs/item/properties/c", "/$defs/item"),
        ("/$defs/item/properties/d", "/$defs/named"),
        ("/$defs/item/properties/e", "/$defs/item"),
        ("/properties/a", "/$defs/item"),
        ("/properties/b", "/$defs/item/$defs/in"),
        ("/properties/c", "/$defs/named"),
        ("/properties/d", "/$defs/item"),
        ("/properties/e", "/$defs/item/$defs/in"),
    ] {
        assert_eq!(target(&declarations, pointer), expected, "{pointer}");
    }
    assert_eq!(
        declarations.ids,
        [("https://x.org/root".into(), "".into()), ("https://x.org/folder/item".into(), "/$defs/item".into())]
    );
    assert_eq!(
        declarations.anchors,
        [
            ("/$defs/item".into(), "same".into(), "/$defs/item".into()),
            ("".into(), "same".into(), "/$defs/named".into())
        ]
    );
    assert_eq!(
        declarations.definitions.iter().map(|(pointer, _)| &**pointer).collect::<Vec<_>>(),
        ["/$defs/item", "/$defs/item/$defs/in", "/$defs/named"]
    );
}

#[test]
fn a_pointer_meant_from_the_root_is_taken_with_a_warning() {
    let declarations = draft_07(
        r##""definitions": {"x": {"type": "null"}}, "properties": {"a": {"$id": "/properties/a", "items": {"$ref": "#/definitions/x"}}}"##,
    );
    assert_eq!(target(&declarations, "/properties/a/items"), "/definitions/x");
    assert_eq!(found(&declarations), ["dangling-ref /properties/a/items/$ref"]);
    assert!(!declarations.diagnostics[0].is_error());
}

#[test]
fn references_stand_alone_in_draft_07() {
    let declarations = draft_07(
        r##""$id": "http://x.org/a", "definitions": {"x": {"type": "null"}, "y": {"$id": "#why"}}, "properties": {
            "a": {"$ref": "#/definitions/x", "description": "kept", "minLength": 1},
            "b": {"$id": "http://y.org/", "$ref": "b.json"},
            "c": {"$ref": "#why"}}"##,
    );
    assert_eq!(found(&declarations), ["ignored-keyword key:/properties/a/minLength"]);
    let a = node(&declarations, "/properties/a");
    assert!(a.string.is_none() && a.notes.is_some() && a.reference.is_some());
    assert_eq!(target(&declarations, "/properties/b"), "http://x.org/b.json #  | contracts/b.json");
    assert_eq!(target(&declarations, "/properties/c"), "/definitions/y");
    let root = draft_07(r##""$ref": "#/definitions/x", "definitions": {"x": {"type": "null"}}"##);
    assert_eq!((target(&root, "").as_str(), root.definitions.len()), ("/definitions/x", 1));

    let beside = draft_2020(r##""$defs": {"x": {}}, "properties": {"a": {"$ref": "#/$defs/x", "minLength": 1}}"##);
    assert!(node(&beside, "/properties/a").string.is_some());
}

#[test]
fn references_that_lead_nowhere_are_said() {
    for (reference, code, advice) in [
        ("#/$defs/adress", "dangling-ref", "did you mean `#/$defs/address`?"),
        ("#/definitions/address", "dangling-ref", "did you mean `#/$defs/address`?"),
        ("#/$def/address", "dangling-ref", "did you mean `#/$defs`?"),
        ("#/$defs/a/b", "dangling-ref", "a slash within a name is written `~1`: `#/$defs/a~1b`"),
        ("#adres", "dangling-ref", "did you mean `#addr`?"),
        ("#$defs/address", "dangling-ref", "a pointer begins with a slash: `#/$defs/address`"),
        ("#/$defs/completely-different", "dangling-ref", "`/$defs` has address, a/b"),
        ("a b.json", "bad-reference", ""),
        ("a\\\\b.json", "bad-reference", ""),
        ("#/%zz", "bad-reference", ""),
        ("1x:y", "bad-reference", ""),
    ] {
        let text = format!(
            r#""properties": {{"r": {{"$ref": "{reference}"}}}}, "$defs": {{"address": {{"$anchor": "addr"}}, "a/b": {{}}}}"#
        );
        let declarations = draft_2020(&text);
        assert_eq!(found(&declarations), [format!("{code} /properties/r/$ref")], "{reference}");
        assert_eq!(hint(&declarations), advice, "{reference}");
        assert_eq!(target(&declarations, "/properties/r"), "nowhere");
    }
    // Where it is data, it is no reference.
    assert_eq!(
        found(&draft_2020(r##""const": {"$ref": "#/no"}, "examples": [{"$ref": "#/no"}]"##)),
        Vec::<String>::new()
    );
    // What is no schema cannot be the target.
    let text = draft_2020(r##""title": "T", "properties": {"a": {"$ref": "#/title"}}"##);
    assert_eq!(found(&text), ["dangling-ref /title"]);
}

#[test]
fn targets_below_unknown_keywords_become_definitions() {
    let declarations = json(
        r##"{"type": "object", "components": {"group": {"x": {"type": "string", "minLength": "1"}, "y": {"$ref": "#/more/deep/down/z"}, "note": {"text": "no schema"}}},
        "more": {"deep": {"down": {"z": {"type": "null"}}}}, "properties": {"a": {"$ref": "#/components/group/x"}},
        "if": {"properties": {"q": {"type": "integer"}}}, "items": {"$ref": "#/if/properties/q"}}"##,
    );
    assert_eq!(
        declarations.definitions.iter().map(|(pointer, _)| &**pointer).collect::<Vec<_>>(),
        ["/components/group/x", "/components/group/y", "/more/deep/down/z"]
    );
    // What this file uses is checked; what only others may use is not.
    assert!(found(&declarations).contains(&"wrong-type /components/group/x/minLength".to_owned()));
    assert_eq!(target(&declarations, "/components/group/y"), "/more/deep/down/z");
    assert!(declarations.schema("/if/properties/q").is_some());
}

#[test]
fn circles_of_references_are_said() {
    for (text, expected) in [
        (r##"{"$ref": "#"}"##, &["ref-loop /$ref"][..]),
        (r##"{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}"##, &["ref-loop /$defs/a/$ref"]),
        (r##"{"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}}"##, &["ref-loop /$defs/a/allOf/0/$ref"]),
        (
            r##"{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [true, {"$ref": "#/$defs/c"}]}, "c": {"not": {"$ref": "#/$defs/b"}}}}"##,
            &["ref-loop /$defs/b/anyOf/1/$ref"],
        ),
        // Under a condition, which not all data meets.
        (r##"{"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"$ref": "#"}}"##, &["ref-loop /else/$ref"]),
        (r##"{"dependencies": {"a": {"anyOf": [{"$ref": "#"}]}}}"##, &["ref-loop /dependencies/a/anyOf/0/$ref"]),
        // A circle that descends into the instance is a recursive type.
        (r##"{"properties": {"child": {"$ref": "#"}}, "items": {"allOf": [{"$ref": "#"}]}}"##, &[]),
        (r##"{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"items": {"$ref": "#/$defs/a"}}}}"##, &[]),
        (r##"{"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}, {"$ref": "#/$defs/b"}]}, "b": true}}"##, &[]),
    ] {
        assert_eq!(found(&json(text)), expected, "{text}");
    }
    let two = json(r##"{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}"##);
    assert_eq!(two.diagnostics[0].message, "the references lead in a circle: `/$defs/a` → `/$defs/b` → `/$defs/a`");

    let sometimes = json(r##"{"$ref": "#/$defs/a", "$defs": {"a": {"if": true, "then": {"$ref": "#"}}}}"##);
    assert_eq!(sometimes.diagnostics[0].severity, omnigen_report::Severity::Warning);
    let always = json(r##"{"if": true, "then": {"$ref": "#"}, "allOf": [{"$ref": "#"}]}"##);
    assert_eq!(always.diagnostics[0].severity, omnigen_report::Severity::Error);

    // Long chains end, and so do long circles.
    let chain = |last: &str| {
        let list: String = (0..20_000).map(|i| format!(r##""d{i}": {{"$ref": "#/$defs/d{}"}}, "##, i + 1)).collect();
        json(&format!(r##"{{"$defs": {{{list} "d20000": {last}}}}}"##))
    };
    assert_eq!(found(&chain("true")), Vec::<String>::new());
    let ring = chain(r##"{"$ref": "#/$defs/d0"}"##);
    assert_eq!(found(&ring), ["ref-loop /$defs/d0/$ref"]);
    assert!(ring.diagnostics[0].message.ends_with("`/$defs/d7` → 19993 more → `/$defs/d0`"), "{:?}", ring.diagnostics);

    // Where each refers to all, one circle is told of, not all of them.
    let one = |i: usize| {
        let others: Vec<String> = (0..12).map(|j| format!(r##"{{"$ref": "#/$defs/c{j}"}}"##)).collect();
        format!(r##""c{i}": {{"anyOf": [{}]}}"##, others.join(", "))
    };
    let all = json(&format!(r##"{{"$defs": {{{}}}}}"##, (0..12).map(one).collect::<Vec<_>>().join(", ")));
    assert!((1..100).contains(&all.diagnostics.len()), "{}", all.diagnostics.len());
}

#[test]
fn dynamic_references_that_are_plain_are_carried() {
    let plain = draft_2020(r##""$defs": {"a": {"type": "null"}}, "items": {"$dynamicRef": "#/$defs/a"}"##);
    assert_eq!(found(&plain), Vec::<String>::new());
    assert_eq!(target(&plain, "/items"), "/$defs/a");
    let anchor = draft_2020(r##""$defs": {"a": {"$dynamicAnchor": "n"}}, "items": {"$ref": "#n"}"##);
    assert_eq!(target(&anchor, "/items"), "/$defs/a");
}

#[test]
fn boolean_definitions_are_found() {
    let declarations =
        draft_2020(r#""$defs": {"yes": true, "no": false, "deep": {"$defs": {"in": {"items": false}}}}"#);
    assert_eq!(declarations.schema("/$defs/yes"), Some(&Schema::Bool(true)));
    assert_eq!(declarations.schema("/$defs/no"), Some(&Schema::Bool(false)));
    assert_eq!(declarations.schema("/$defs/deep/$defs/in/items"), Some(&Schema::Bool(false)));
    assert_eq!(declarations.schema("/$defs/de"), None);
}
