//! Generated modules, executed: one Python process for all cases.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use omnigen_contracts::{Declarations, declarations};
use omnigen_ir::naming::{Naming, Unit};
use omnigen_ir::{Contract, Export, Exports, FileId, Link, Place, RefTarget, Reference, Resolve, Schema};
use omnigen_report::{At, Code};

use crate::{Emitted, Settings, validators::validators};

struct Project(BTreeMap<FileId, (Declarations, Exports, Unit)>);

impl Project {
    fn new(files: &[(&str, &str)]) -> Project {
        let read = |&(name, text): &(&str, &str)| {
            let file: FileId = Arc::from(name);
            let declared = declarations(&file, text);
            let unit = Unit::new(name, "");
            let exports = declared.exports(&unit, &Naming::default());
            (file, (declared, exports, unit))
        };
        Project(files.iter().map(read).collect())
    }

    fn emit(&self, file: &str, assert_formats: bool) -> Emitted {
        let (file, (_, exports, unit)) = self.0.get_key_value(file).expect("the file is there");
        let settings = Settings { assert_formats, ..Settings::default() };
        validators(&Contract { file, unit, exports }, self, &settings)
    }
}

impl Resolve for Project {
    fn link(&self, from: &FileId, reference: &Reference) -> Link {
        match &reference.target {
            RefTarget::Here(pointer) => Link::To(Place::new(from, pointer)),
            RefTarget::Elsewhere { beside: Some(beside), fragment, .. } => {
                self.0.get_key_value(&**beside).map_or(Link::Dangling, |(f, _)| Link::To(Place::new(f, fragment)))
            }
            _ => Link::Dangling,
        }
    }

    fn schema(&self, place: &Place) -> Option<&Schema> {
        self.0.get(&place.file)?.0.schema(&place.pointer)
    }

    fn export(&self, place: &Place) -> Option<&Export> {
        self.0.get(&place.file)?.1.list.iter().find(|export| export.pointer == place.pointer)
    }

    fn unit(&self, file: &FileId) -> std::borrow::Cow<'_, Unit> {
        std::borrow::Cow::Owned(Unit::new(file, ""))
    }
}

/// Schema, valid documents, invalid documents.
const CASES: &[(&str, &[&str], &[&str])] = &[
    (r#"{"type": "integer"}"#, &["1", "1.0", "-3", "1e3"], &["true", "1.5", "\"1\"", "null", "NaN", "Infinity"]),
    (r#"{"type": "number"}"#, &["1", "1.5"], &["true", "\"1\"", "[]"]),
    (r#"{"type": ["string", "null"], "minLength": 2}"#, &["null", "\"ab\""], &["\"a\"", "1", "\"\\ud83d\\ude00\""]),
    (r#"{"minimum": 3, "exclusiveMaximum": 5}"#, &["3", "4.9", "\"x\"", "true"], &["2.9", "5"]),
    (r#"{"multipleOf": 0.01}"#, &["4.35", "1", "0.07", "1e300", "\"x\""], &["4.355", "1e-7"]),
    (r#"{"multipleOf": 3}"#, &["9", "9.0", "0"], &["10", "1.5", "Infinity", "NaN"]),
    (r#"{"pattern": "^\\d+$"}"#, &["\"12\"", "5"], &["\"1a\"", "\"12\\n\"", "\"\\u0663\""]),
    (r#"{"const": 1}"#, &["1", "1.0"], &["true", "2", "\"1\""]),
    (r#"{"const": {"a": [false]}}"#, &["{\"a\": [false]}"], &["{\"a\": [0]}", "{\"a\": [false], \"b\": 1}"]),
    (r#"{"enum": ["a", "b", null, 0, [1]]}"#, &["\"a\"", "null", "0.0", "[1.0]"], &["false", "[true]", "{}", "\"c\""]),
    (r#"{"type": "string", "enum": ["a", 1]}"#, &["\"a\""], &["1"]),
    (r#"{"allOf": [{"type": "string"}, {"type": "integer"}]}"#, &[], &["\"a\"", "1", "null"]),
    (r#"{"allOf": [{"type": ["string", "integer"]}, {"enum": ["a", 2, null]}]}"#, &["\"a\"", "2"], &["null", "\"b\""]),
    (
        r#"{"properties": {"x": {"allOf": [{"type": "object", "properties": {"y": {"items": {"minimum": 1}}}}, {"type": "array"}]}}}"#,
        &["{}", "{\"y\": 1}"],
        &["{\"x\": {}}", "{\"x\": []}"],
    ),
    (
        r#"{"items": {"allOf": [{"type": "string"}, {"enum": [1]}]}, "contains": {"type": "string"}, "minContains": 0}"#,
        &["[]", "{}"],
        &["[1]", "[\"a\"]"],
    ),
    (
        r#"{"items": {"type": "string", "enum": [1]}, "contains": true, "propertyNames": {"type": "array"}}"#,
        &["{}"],
        &["[]", "[1]", "{\"a\": 1}"],
    ),
    (r#"{"additionalProperties": {"type": "string", "enum": [1]}}"#, &["{}"], &["{\"a\": 1}", "{\"a\": \"b\"}"]),
    (
        r#"{"type": "object", "properties": {"a/b": {"type": "string"}, "n": {"maximum": 2}}, "required": ["n"],
            "additionalProperties": false}"#,
        &["{\"n\": 1}", "{\"n\": 1, \"a/b\": \"x\"}"],
        &["{}", "{\"n\": 3}", "{\"n\": 1, \"a/b\": 1}", "{\"n\": 1, \"z\": 1}", "[]"],
    ),
    (
        r#"{"properties": {"x": true}, "patternProperties": {"^p": {"type": "integer"}, "q$": {"minimum": 2}},
            "additionalProperties": {"type": "null"}}"#,
        &["{\"x\": 1, \"pq\": 2, \"y\": null}", "1"],
        &["{\"pq\": 1}", "{\"p\": \"s\"}", "{\"y\": 1}"],
    ),
    (r#"{"propertyNames": {"maxLength": 2}, "minProperties": 1}"#, &["{\"ab\": 1}"], &["{\"abc\": 1}", "{}"]),
    (r#"{"dependentRequired": {"a": ["b"]}}"#, &["{\"a\": 1, \"b\": 1}", "{\"b\": 1}"], &["{\"a\": 1}"]),
    (r#"{"dependentSchemas": {"a": {"required": ["b"], "minProperties": 3}}}"#, &["{}"], &["{\"a\": 1, \"b\": 2}"]),
    (
        r#"{"prefixItems": [{"type": "string"}, {"items": {"type": "null"}}], "items": {"minimum": 5}}"#,
        &["[]", "[\"a\"]", "[\"a\", [null], 5]"],
        &["[1]", "[\"a\", [1]]", "[\"a\", [], 4]"],
    ),
    (r#"{"prefixItems": [true], "items": false}"#, &["[1]"], &["[1, 2]"]),
    (r#"{"contains": {"type": "string"}, "minContains": 2, "maxContains": 3}"#, &["[\"a\", 1, \"b\"]"], &["[\"a\"]"]),
    (r#"{"uniqueItems": true}"#, &["[1, true, \"1\"]", "[[1], [true]]"], &["[1, 1.0]", "[{\"a\": 0}, {\"a\": 0.0}]"]),
    (
        r#"{"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}}]}"#,
        &["[1]"],
        &["[\"a\"]", "1"],
    ),
    (r#"{"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}"#, &["2", "9"], &["6", "7", "\"both\""]),
    (r#"{"not": {"required": ["a"]}}"#, &["{}"], &["{\"a\": 1}", "3"]),
    (
        r#"{"if": {"properties": {"k": {"const": "x"}}, "required": ["k"]}, "then": {"required": ["v"]}, "else": {"maxProperties": 1}}"#,
        &["{\"k\": \"x\", \"v\": 1}", "{\"k\": \"y\"}"],
        &["{\"k\": \"x\"}", "{\"k\": \"y\", \"v\": 1}"],
    ),
    (
        r##"{"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {"next": {"$ref": "#/$defs/tree"}}}}}"##,
        &["{\"next\": {\"next\": {}}}"],
        &["{\"next\": {\"next\": 1}}"],
    ),
    // An array that holds a name has no property of that name; and what is evaluated under a condition may be nothing.
    (r#"{"dependentSchemas": {"a": {"items": true}}, "unevaluatedItems": false}"#, &["[]", "{\"a\": 1}"], &["[\"a\"]"]),
    (
        r#"{"anyOf": [{"if": {"oneOf": [true, {"type": "string"}]}, "else": {"properties": {"a": true}}}, {"required": ["b"]}],
            "unevaluatedProperties": false}"#,
        &["{}", "1"],
        &["{\"a\": 1}"],
    ),
    ("true", &["1"], &[]),
    ("false", &[], &["1", "null"]),
    (
        r#"{"properties": {"a": {"properties": {"b": {"properties": {"c": {"items": {"items": {"items": {"type": "string"}}}}}}}}}}"#,
        &["{\"a\": {\"b\": {\"c\": [[[\"x\"]]]}}}"],
        &["{\"a\": {\"b\": {\"c\": [[[\"x\", 1]]]}}}"],
    ),
];

/// Runs a script that defines `check(condition, text)`-style assertions; skipped where there is no Python.
fn run(script: &str) {
    let spawned =
        Command::new("python3").arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else { return };
    child.stdin.take().expect("piped").write_all(script.as_bytes()).expect("python3 reads");
    let output = child.wait_with_output().expect("python3 ends");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.is_empty(), "{text}");
}

/// Puts a module's text into `sys.modules`.
fn load(script: &mut String, name: &str, body: &str) {
    let text = body.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"");
    let _ = writeln!(script, "load({name:?}, \"\"\"{text}\"\"\")");
}

const START: &str = "import json, sys, types\nfor n in ('out', 'out.validators'):\n    p = types.ModuleType(n); p.__path__ = []; sys.modules[n] = p\ndef load(name, text):\n    m = types.ModuleType('out.validators.' + name); m.__package__ = 'out.validators'\n    sys.modules[m.__name__] = m; setattr(sys.modules['out.validators'], name, m)\n    exec(compile(text, name, 'exec'), m.__dict__)\ndef check(name, text, valid, where=None):\n    m = sys.modules['out.validators.' + name]; data = json.loads(text)\n    found = m.accepts(data); issues = []; m.collect(data, '', issues)\n    if found is not valid or bool(issues) is valid and 'NaN' not in text:\n        print(name, text, found, issues)\n    if where is not None and [i['pointer'] + ' ' + i['keyword'] for i in issues] != where:\n        print(name, text, issues)\n";

#[test]
fn keywords_mean_what_they_mean() {
    let mut script = START.to_owned();
    for (i, (schema, valid, invalid)) in CASES.iter().enumerate() {
        let file = format!("case{i}.json");
        let emitted = Project::new(&[(&file, schema)]).emit(&file, false);
        assert!(emitted.diagnostics.is_empty(), "{schema}: {:?}", emitted.diagnostics);
        load(&mut script, &format!("validator_case{i}"), &emitted.body);
        for (texts, python) in [(valid, "True"), (invalid, "False")] {
            for text in texts.iter() {
                let _ = writeln!(script, "check('validator_case{i}', {}, {python})", crate::layout::string(text));
            }
        }
    }
    run(&script);
}

#[test]
fn issues_name_the_place_and_the_keyword() {
    let schema = r#"{"type": "object", "required": ["id"], "additionalProperties": false, "properties": {"id": {"type": "string"},
        "a/b~": {"items": {"properties": {"{x}": {"minimum": 1}}}}}}"#;
    let mut script = START.to_owned();
    load(&mut script, "validator_a", &Project::new(&[("a.json", schema)]).emit("a.json", false).body);
    for (text, found) in [
        ("{}", "[' required']"),
        ("[]", "[' type']"),
        (r#"{"id": 1, "q/": 2}"#, "['/id type', '/q~1 additionalProperties']"),
        (r#"{"id": "", "a/b~": [{}, {"{x}": 0}]}"#, "['/a~1b~0/1/{x} minimum']"),
    ] {
        let _ = writeln!(script, "check('validator_a', {}, False, {found})", crate::layout::string(text));
    }
    let schema = r#"{"contains": {"type": "string"}, "minContains": 2, "maxContains": 2, "items": {"multipleOf": 3}}"#;
    load(&mut script, "validator_c", &Project::new(&[("c.json", schema)]).emit("c.json", false).body);
    for (text, found) in [
        (r#"["a"]"#, "[' minContains']"),
        (r#"["a", "b", "c"]"#, "[' maxContains']"),
        (r#"["a", "b", 4, 6, 6.0, 1.5]"#, "['/2 multipleOf', '/5 multipleOf']"),
    ] {
        let _ = writeln!(script, "check('validator_c', {}, False, {found})", crate::layout::string(text));
    }
    run(&script);
}

#[test]
fn other_contracts_are_called() {
    let files = [
        (
            "a.json",
            r#"{"type": "object", "properties": {"b": {"$ref": "b.json#/$defs/item"}, "inner": {"$ref": "b.json#/properties/n"}}}"#,
        ),
        (
            "b.json",
            r##"{"properties": {"n": {"type": "array", "items": {"$ref": "#/$defs/item"}}}, "$defs": {"item": {"type": "string"}}}"##,
        ),
    ];
    let project = Project::new(&files);
    let (a, b) = (project.emit("a.json", false), project.emit("b.json", false));
    assert!(a.body.contains("from . import validator_b\n"), "{}", a.body);
    let mut script = START.to_owned();
    load(&mut script, "validator_b", &b.body);
    load(&mut script, "validator_a", &a.body);
    script.push_str("check('validator_a', '{\"b\": \"x\", \"inner\": [\"y\"]}', True)\n");
    script.push_str("check('validator_a', '{\"b\": 1, \"inner\": [2]}', False, ['/b type', '/inner/0 type'])\n");
    run(&script);
}

/// Format, valid, invalid.
const FORMATS: &[(&str, &[&str], &[&str])] = &[
    ("date", &["2024-02-29"], &["2023-02-29", "2024-1-1", "2024-13-01", "२०२४-01-01"]),
    (
        "time",
        &["12:00:00Z", "23:59:60Z", "01:29:60+01:30", "12:00:00.5-08:00"],
        &["12:00:00", "24:00:00Z", "22:59:60Z"],
    ),
    ("date-time", &["2024-01-01T00:00:00Z", "2024-01-01t00:00:00z"], &["2024-01-01 00:00:00Z", "2024-01-01"]),
    ("duration", &["P1D", "PT1M", "P1Y2M3DT4H5M6S", "P4W"], &["P", "PT", "P1YT", "1D", "P1Y1W", "P1Y1D"]),
    ("email", &["a.b@example.org", "\"a b\"@example.org", "a@[127.0.0.1]"], &["a", "a..b@example.org", "@x", "a@b c"]),
    ("idn-email", &["é@é.org"], &["é"]),
    (
        "hostname",
        &["a", "a-b.example", "xn--bcher-kva.example"],
        &["-a", "a_b", "a..b", "", "b\u{fc}cher", "xn--X", "xn--bcher-kvb"],
    ),
    (
        "idn-hostname",
        &["b\u{fc}cher.example", "a\u{3002}b", "l\u{b7}l", "\u{5d0}\u{5d1}", "\u{915}\u{94d}\u{200d}\u{937}"],
        &["\u{300}a", "a\u{b7}l", "a\u{5d0}", "B\u{fc}cher", "\u{915}\u{200d}\u{937}", "a..b", "-\u{fc}"],
    ),
    ("ipv4", &["127.0.0.1"], &["127.0.0", "256.0.0.1", "01.0.0.1"]),
    (
        "ipv6",
        &["::", "::1", "1::2", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4"],
        &["1:2", "12345::", ":::", "1::2::3", "::1%e", "1:2:3:4:5:6:7:8::", ":1::"],
    ),
    (
        "uri",
        &["http://a.b/c?d#e", "urn:x:y", "http://[::1]:80/"],
        &["/a", "a", "http://a b", "http://é", "http://[x]/", "a:%zz"],
    ),
    ("uri-reference", &["/a", "", "#x", "a/b:c"], &["\\\\a", "1a:b", "a#b#c"]),
    ("iri", &["http://é/"], &["é"]),
    ("iri-reference", &["/é"], &["a b"]),
    ("uri-template", &["/a/{b}{?c*,d:3}"], &["/a/{b", "{}", "a}"]),
    ("uuid", &["2eb8aa08-aa98-11ea-b4aa-73b441d16380"], &["2eb8aa08aa9811eab4aa73b441d16380", "x"]),
    ("json-pointer", &["", "/a~0/b"], &["a", "/~2"]),
    ("relative-json-pointer", &["0", "1/a", "2#"], &["/a", "01", "-1"]),
    ("regex", &["^a(?<n>b)$", "[^]", r"\p{L}"], &["(a", "a**", r"\Z"]),
];

#[test]
fn formats_are_checked_when_asserted() {
    let mut script = START.to_owned();
    for (i, (format, valid, invalid)) in FORMATS.iter().enumerate() {
        let schema = format!("{{\"format\": \"{format}\"}}");
        let project = Project::new(&[("f.json", &schema)]);
        let emitted = project.emit("f.json", true);
        assert!(emitted.diagnostics.is_empty(), "{format}: {:?}", emitted.diagnostics);
        load(&mut script, &format!("validator_f{i}"), &emitted.body);
        load(&mut script, &format!("validator_n{i}"), &project.emit("f.json", false).body);
        for (texts, python) in [(valid, "True"), (invalid, "False")] {
            for text in texts.iter() {
                let json = crate::layout::string(&omnigen_ir::Json::String((*text).into()).to_string());
                let _ = writeln!(
                    script,
                    "check('validator_f{i}', {json}, {python})\ncheck('validator_n{i}', {json}, True)"
                );
            }
        }
    }
    run(&script);
    let unknown = Project::new(&[("f.json", r#"{"format": "shoe-size"}"#)]).emit("f.json", true);
    assert_eq!(unknown.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::UnknownFormat]);
}

#[test]
fn a_large_table_is_made_once() {
    let property =
        |i: usize| format!(r#""property{i}": {{"type": "array", "items": {{"type": "integer", "minimum": {i}}}}}"#);
    let schema =
        |count| format!(r#"{{"properties": {{{}}}}}"#, (0..count).map(property).collect::<Vec<_>>().join(", "));
    let emit = |count| Project::new(&[("a.json", &schema(count))]).emit("a.json", false).body;
    let (small, large) = (emit(3), emit(80));
    assert!(small.contains("    rules: Any = {\n") && !small.contains("cache"), "{small}");
    assert!(large.contains("\n\n\n@cache\ndef _rules() -> Any:\n") && !large.contains("rules: Any = "), "{large}");
    let mut script = START.to_owned();
    load(&mut script, "validator_a", &large);
    for _ in 0..2 {
        let _ = writeln!(script, "check('validator_a', '{{\"property7\": [7, 6]}}', False, ['/property7/1 minimum'])");
    }
    run(&script);
}

#[test]
fn a_large_object_is_checked_in_parts() {
    let properties: Vec<String> =
        (0..200).map(|i| format!(r#""p{i}": {{"type": "integer", "minimum": {i}}}"#)).collect();
    let schema = format!(r#"{{"type": "object", "required": ["p7"], "properties": {{{}}}}}"#, properties.join(", "));
    let body = Project::new(&[("large.json", &schema)]).emit("large.json", false).body;
    let branches = body.split("\ndef ").map(|function| function.matches("    if ").count()).max();
    assert!(branches < Some(150), "{branches:?}");
    let mut script = START.to_owned();
    load(&mut script, "validator_large", &body);
    script += "check('validator_large', '{\"p7\": 7, \"p199\": 199}', True)\n";
    script += "check('validator_large', '{\"p199\": 199}', False)\n";
    script += "check('validator_large', '{\"p7\": 7, \"p130\": 129}', False, ['/p130 minimum'])\n";
    run(&script);
}

#[test]
fn two_schemas_of_one_name_are_both_reported() {
    let schema = r#"{"$defs": {"a_b": {"type": "string"}, "aB": {"type": "null"}}}"#;
    let emitted = Project::new(&[("n.json", schema)]).emit("n.json", false);
    assert_eq!(emitted.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::NameCollision; 2]);
}

#[test]
fn copies_of_what_other_contracts_have_inside_keep_their_names_apart() {
    let own = r##"{"properties": {"n": {"$ref": "b.json#/properties/n"}}, "$defs": {"bN": {"type": "null"}}}"##;
    let other = r#"{"properties": {"n": {"type": "string"}}}"#;
    let emitted = Project::new(&[("a.json", own), ("b.json", other)]).emit("a.json", false);
    let found: Vec<(Code, Option<At>)> = emitted.diagnostics.into_iter().map(|d| (d.code, d.at)).collect();
    let file = Arc::from("a.json");
    let expected = [At::file(&file), At::key(&file, "/$defs/bN")].map(|at| (Code::NameCollision, Some(at)));
    assert_eq!(found, expected, "{}", emitted.body);
    // Of a contract that is no JSON nothing can be copied, so nothing collides.
    let broken = Project::new(&[("a.json", own), ("b.json", "{")]).emit("a.json", false);
    assert!(broken.diagnostics.is_empty(), "{:?}", broken.diagnostics);
    assert!(!broken.body.contains("validator_b"), "{}", broken.body);
}

/// Type checkers follow the branches of a function only so far.
#[test]
fn a_long_function_leaves_nested_objects_to_others() {
    let inner: Vec<String> = (0..12).map(|i| format!(r#""p{i}": {{"type": "integer", "minimum": {i}}}"#)).collect();
    let inner = format!(r#"{{"type": "object", "properties": {{{}}}}}"#, inner.join(", "));
    let outer: Vec<String> = (0..30).map(|i| format!(r#""o{i}": {inner}"#)).collect();
    let schema = format!(r#"{{"type": "object", "properties": {{{}}}}}"#, outer.join(", "));
    let body = Project::new(&[("long.json", &schema)]).emit("long.json", false).body;
    let functions: Vec<&str> = body.split("\n\n\n").filter(|text| text.starts_with("def ")).collect();
    let longest = functions.iter().map(|text| text.matches("if ").count()).max();
    assert!(longest < Some(300), "{longest:?} branches in one function");
    assert!(functions.len() > 20, "{} functions", functions.len());
}
