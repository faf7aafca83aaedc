use omnigen_ir::FileId;

use super::{draft_2020, found, json, node, yaml};
use crate::{document, locate};

/// Text of the whole document, or `-`.
fn shown(file: &str, text: &str) -> String {
    document(&FileId::from(file), text).map_or("-".to_owned(), |value| value.to_string())
}

#[test]
fn json_that_is_none_is_refused_with_a_span() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        ("", "empty 0..0"),
        (" \n ", "empty 0..3"),
        (r#"{"type": "object", "properties": {"a": {"#, "syntax 39..40"),
        (r#"{"type": "obj"#, "syntax 9..13"),
        (r#"{"type": "object"} {"#, "syntax 19..20"),
        (r#"{"type": "object",}"#, "syntax 17..18"),
        (r#"{"type": "object" "title": "x"}"#, "syntax 17..18"),
        ("{'type': 'object'}", "syntax 1..2"),
        ("{type: 1}", "syntax 1..5"),
        ("{\"a\": 01}", "syntax 7..8"),
        ("{\"a\": 1.}", "syntax 6..8"),
        ("{\"a\": NaN}", "syntax 6..9"),
        ("// x\n{}", "syntax 0..4"),
        ("{\"a\": \"x\ny\"}", "syntax 8..9"),
        ("{\"a\": \"x\u{1}y\"}", "syntax 8..9"),
        ("{\"a\":\u{b} 1}", "syntax 5..6"),
        ("{\"a\":\u{a0} 1}", "syntax 5..7"),
        (r#"{"a": "\ud800"}"#, "syntax 7..14"),
        (r#"{"a": "\udc00x"}"#, "syntax 7..13"),
        (r#"{"a": "\x41"}"#, "syntax 7..9"),
    ] {
        let declarations = json(text);
        let found = found(&declarations);
        assert!(declarations.broken, "{text}");
        if found != [expected] {
            wrong.push(format!("{text}: {found:?}, not {expected}: {:?}", declarations.diagnostics));
        }
        assert_eq!(shown("a.json", text), "-", "{text}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn json_values_survive() {
    for text in [
        r#"{"a":[1,2.50,-0,1E400,123456789012345678901234567890],"b":{"c":null,"d":true},"e":"x\ny\u0001ü😀"}"#,
        "[]",
        "\"x\"",
        "true",
    ] {
        assert_eq!(shown("a.json", text), text);
    }
    assert_eq!(shown("a.json", "\u{feff}{\"a\": \"\\ud83d\\ude00\\/\"}"), "{\"a\":\"😀/\"}");
}

#[test]
fn yaml_scalars_follow_the_core_schema() {
    for (text, expected) in [
        ("a", "\"a\""),
        ("'1'", "\"1\""),
        ("\"true\"", "\"true\""),
        ("yes", "\"yes\""),
        ("on", "\"on\""),
        ("12:30:00", "\"12:30:00\""),
        ("2024-01-01", "\"2024-01-01\""),
        ("1_000", "\"1_000\""),
        ("null", "null"),
        ("~", "null"),
        ("True", "true"),
        ("FALSE", "false"),
        ("12", "12"),
        ("+12", "12"),
        ("-012", "-12"),
        ("0x1F", "31"),
        ("0o17", "15"),
        ("1.50", "1.50"),
        ("-.5", "-0.5"),
        ("5.", "5.0"),
        ("1e3", "1e3"),
        ("00.5E+2", "0.5e+2"),
        ("1.2.3", "\"1.2.3\""),
        ("-", "[null]"),
        ("!!str 5", "\"5\""),
        ("!!int '5'", "5"),
        ("!mine 5", "5"),
        ("|\n  a\n  b\n", "\"a\\nb\\n\""),
        (">\n  a\n  b\n", "\"a b\\n\""),
    ] {
        assert_eq!(
            shown("a.yaml", &format!("v: {text}\n").replace("v: -\n", "v:\n  -\n")),
            format!("{{\"v\":{expected}}}"),
            "{text}"
        );
    }
}

#[test]
fn yaml_aliases_and_merges_are_written_out() {
    let text = "base: &base {a: 1, b: 2}\nitem:\n  <<: *base\n  b: 3\n  c: *base\nlist:\n  <<: [{d: 1, a: 5}, *base]\nkey: &k name\n*k : 4\n";
    assert_eq!(
        shown("a.yml", text),
        r#"{"base":{"a":1,"b":2},"item":{"a":1,"b":3,"c":{"a":1,"b":2}},"list":{"d":1,"a":5,"b":2},"key":"name","name":4}"#
    );
    assert_eq!(shown("a.yaml", "a:\n  \"<<\": {b: 1}\n"), r#"{"a":{"<<":{"b":1}}}"#);
    assert_eq!(found(&yaml("type: object\n<<: 5\n")), ["wrong-type /<<"]);
}

#[test]
fn yaml_that_is_none_is_refused_with_a_span() {
    for (text, expected) in [
        ("# nothing\n", "empty"),
        ("---\n", "empty"),
        ("type: [object", "syntax"),
        ("type: object\n title: x\n", "syntax"),
        ("a: &x [*x]\n", "syntax"),
        ("a: *x\n", "syntax"),
        ("? [a]\n: 1\n", "syntax"),
        ("a: \"x\n", "syntax"),
    ] {
        let declarations = yaml(text);
        assert!(declarations.broken, "{text}");
        let found = found(&declarations);
        assert!(found.len() == 1 && found[0].starts_with(expected) && found[0].contains(".."), "{text}: {found:?}");
    }
}

#[test]
fn oddities_of_yaml_are_said_and_the_rest_is_read() {
    let declarations = yaml("type: object\nproperties:\n  1: {type: string}\n  on: {type: string}\n");
    assert_eq!(found(&declarations), ["wrong-type key:/properties/1"]);
    assert!(!declarations.diagnostics[0].is_error());
    assert!(declarations.schema("/properties/1").is_some());

    assert_eq!(found(&yaml("type: number\nminimum: -.inf\n")), ["wrong-type /minimum", "wrong-type /minimum"]);
    let two = yaml("type: object\n---\ntype: string\n");
    assert_eq!(found(&two), ["syntax 13..16"]);
    assert_eq!(node(&two, "").types, Some(omnigen_ir::TypeSet::OBJECT));
}

#[test]
fn duplicate_keys_are_said_and_the_last_one_counts() {
    let text = r#"{"properties": {"a": {"type": "string"}, "b": {}, "a": {"type": "null"}}, "type": "object"}"#;
    let declarations = json(text);
    assert_eq!(found(&declarations), ["duplicate-key key:/properties/a"]);
    assert_eq!(shown("a.json", text), r#"{"properties":{"b":{},"a":{"type":"null"}},"type":"object"}"#);
    assert_eq!(locate(&"a.json".into(), text, "/properties/a", true).map(|range| &text[range]), Some("\"a\""));

    assert_eq!(found(&yaml("type: object\nrequired: [a]\nrequired: [b]\n")), ["duplicate-key key:/required"]);

    let many: String = (0..40).map(|i| format!("\"k{}\": {i}, ", i % 20)).collect();
    assert_eq!(found(&json(&format!("{{\"const\": {{{many}\"z\": 1}}}}"))).len(), 20);
}

#[test]
fn depth_has_a_limit_and_no_stack_overflows() {
    for levels in [10_000, 1_000_000] {
        for text in
            ["[".repeat(levels), "{\"not\":".repeat(levels), format!("{}1{}", "[".repeat(levels), "]".repeat(levels))]
        {
            let declarations = json(&text);
            assert!(
                declarations.broken && found(&declarations)[0].starts_with("too-deep"),
                "{:?}",
                found(&declarations)
            );
        }
    }
    for text in ["[".repeat(10_000), "- ".repeat(10_000), "{a: ".repeat(10_000)] {
        let declarations = yaml(&text);
        assert!(declarations.broken, "{}", &text[..4]);
        assert!(found(&declarations)[0].starts_with("too-deep"), "{}: {:?}", &text[..4], found(&declarations));
    }
    let block: String = (0..2_000).map(|level| format!("{}not:\n", " ".repeat(level))).collect();
    assert!(found(&yaml(&block))[0].starts_with("too-deep"));

    // The deepest that is allowed goes through everything.
    let fine = format!("{}true{}", "{\"not\":".repeat(256), "}".repeat(256));
    assert_eq!(found(&json(&fine)), Vec::<String>::new());
    assert!(json(&fine).schema(&"/not".repeat(255)).is_some());
    assert!(found(&json(&format!("{{\"not\":{fine}}}")))[0].starts_with("too-deep"));
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let inner = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    assert!(found(&yaml(&bomb))[0].starts_with("too-large"), "{:?}", found(&yaml(&bomb)));

    let mut deep = "a0: &a0 [x]\n".to_owned();
    for level in 1..400 {
        deep.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(found(&yaml(&deep))[0].starts_with("too-deep"), "{:?}", found(&yaml(&deep)));
}

#[test]
fn other_documents_are_told_from_schemas() {
    for (text, expected) in [
        ("swagger: '2.0'\ninfo: {}\n", "not-a-contract key:/swagger"),
        ("openapi: 4.0.0\ninfo: {}\n", "not-a-contract /openapi"),
        ("- a\n", "not-a-contract "),
        ("just words\n", "not-a-contract "),
    ] {
        let declarations = yaml(text);
        assert!(declarations.broken, "{text}");
        assert_eq!(found(&declarations), [expected], "{text}");
    }
    let fine = yaml("$schema: https://json-schema.org/draft/2020-12/schema\nopenapi: 3\n");
    assert!(!fine.broken);
    let strange = json(r#"{"shared": {"a": {"type": "string"}}}"#);
    assert_eq!(found(&strange), ["not-a-contract ", "unknown-keyword key:/shared"]);
    assert!(!strange.broken && strange.schema("/shared/a").is_some());
}

#[test]
fn comments_and_layout_do_not_count_but_order_does() {
    let one = yaml("type: object # of orders\nproperties:\n  a: {type: string, minLength: null}\n  b: {tpye: 1}\n");
    let two = yaml(
        "# All of them\ntype:   object\nproperties:\n    a:\n        type: string\n        minLength: ~\n\n    b:\n        tpye: 1\n",
    );
    assert_eq!(one, two);
    assert_eq!(one.diagnostics.len(), 2);
    assert_ne!(one, yaml("type: object\nproperties:\n  b: {tpye: 1}\n  a: {type: string, minLength: null}\n"));
    assert_eq!(draft_2020(r#""minimum": 1"#), draft_2020("\n\n \"minimum\":\t1\n"));
}

#[test]
fn json_and_yaml_declare_the_same() {
    let text = r##"{"type": "object", "properties": {"a": {"enum": [1, "x", null]}}, "required": ["a"], "$defs": {"d": {"$ref": "#"}}}"##;
    let (json, yaml) = (json(text), yaml(text));
    assert_eq!((&json.root, &json.definitions), (&yaml.root, &yaml.definitions));
}

#[test]
fn places_are_found_in_the_text() {
    let text = "\u{feff}{\"a\": {\"b/c\": [1, {\"d\": \"é\"}]}}";
    let at = |pointer: &str, key| locate(&"x.json".into(), text, pointer, key).map(|range| &text[range]);
    for (pointer, key, expected) in [
        ("/a", true, "\"a\""),
        ("/a/b~1c", true, "\"b/c\""),
        ("/a/b~1c/0", false, "1"),
        ("/a/b~1c/1/d", false, "\"é\""),
        ("/a/b~1c/0", true, "1"),
        ("/a/b~1c/7", false, "[1, {\"d\": \"é\"}]"),
        ("/a/b~1c/1/nothing/here", false, "{\"d\": \"é\"}"),
    ] {
        assert_eq!(at(pointer, key), Some(expected), "{pointer}");
    }
    assert_eq!(at("", false), Some(&text[3..]));

    let text = "# é\na:\n  b: [1, 'two']\n  c:\n    - x\n    - d: |\n        y\n\ne: f\n";
    let at = |pointer: &str, key| locate(&"x.yaml".into(), text, pointer, key).map(|range| &text[range]);
    for (pointer, key, expected) in [
        ("/a/b", true, "b"),
        ("/a/b", false, "[1, 'two']"),
        ("/a/b/1", false, "'two'"),
        ("/a/c/0", false, "x"),
        ("/e", false, "f"),
        ("/e", true, "e"),
    ] {
        assert_eq!(at(pointer, key), Some(expected), "{pointer}");
    }
    assert!(
        at("/a", false).is_some_and(|text| text.starts_with("b: [") && !text.contains("e: f")),
        "{:?}",
        at("/a", false)
    );
    assert_eq!(locate(&"x.json".into(), "{", "", false), None);
}

#[test]
fn findings_about_a_node_lead_into_its_own_text() {
    let text = "node_type: effect\nhandler:\n  class: Pay\n  input_model: ModelPay\ninput_state:\n  object_type: object\n  required: [amount]\n";
    let file = omnigen_ir::FileId::from("contracts/pay.yaml");
    let locate = |pointer: &str, key: bool| &text[crate::locate(&file, text, pointer, key).unwrap()];
    assert_eq!(locate("/input_state", true), "input_state");
    assert_eq!(locate("/$defs/PayInputState/properties/amount", false), "amount");
    assert_eq!(locate("/handler/class", false), "Pay");
}
