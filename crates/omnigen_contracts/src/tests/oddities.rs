//! What stands in real contracts and should not: each is said at its place, and the rest is read all the same.

use omnigen_ir::FileId;
use omnigen_report::{Severity, Spot};

use crate::{declarations, locate};

/// One oddity: file, text, the text that is marked, `severity code`, and a part of what is said about it.
type Oddity = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// A node without faults.
const NODE: &str = "name: pay\ncontract_version: {major: 1, minor: 0, patch: 0}\nnode_type: EFFECT_GENERIC\n";

const NODES: &[Oddity] = &[
    (
        "type",
        "output_state: {type: objec, properties: {a: {type: str}}}",
        "objec",
        "warning unknown-type",
        "did you mean `object`?",
    ),
    ("type", "inputs: {a: {type: strng}}", "strng", "warning unknown-type", "`str"),
    (
        "twice",
        "descriptor:\n  runtime_profiles: [a]\n  runtime_profiles: [b]",
        "runtime_profiles",
        "warning duplicate-key",
        "remove or rename",
    ),
    ("null", "event_bus:", "event_bus", "warning wrong-type", "must be a map"),
    ("include", "event_bus: !include /etc/passwd", "/etc/passwd", "error bad-include", "absolute paths"),
    ("include", "event_bus: !include ../a.yaml", "../a.yaml", "error bad-include", "`..` is not allowed"),
    (
        "prose",
        "io_operations: [{operation: a, input_fields: [{n: dict (serialized Order)}]}]",
        "dict (serialized",
        "warning prose-type",
        "read as `dict`",
    ),
    ("names", "contract_name: other", "other", "warning differing-names", "the node is called `pay`"),
    (
        "topic",
        "event_bus: {publish_topics: [onex.evt.shop.order_placed.v1]}",
        "onex.evt",
        "warning bad-topic",
        "order-placed",
    ),
    ("topic", "event_bus: {publish_topics: [done]}", "done", "warning bad-topic", "onex.<kind>.<service>"),
    (
        "untyped",
        "output_state: {object_type: object, required: [a], optional: [b]}",
        "a",
        "warning untyped-field",
        "`a`, `b` without a type",
    ),
    ("bare", "io_operations: [{operation: a, input_fields: [n]}]", "input_fields", "note untyped-field", "only named"),
    (
        "template",
        "inputs: {TEMPLATE_REQUIRED_FIELD: {type: str}}",
        "TEMPLATE_REQUIRED_FIELD",
        "warning placeholder-key",
        "replace it",
    ),
    (
        "state",
        "state_machine: {states: [a, b], transitions: [{from: a, to: c}]}",
        "c",
        "warning unknown-state",
        "no state `c`",
    ),
    ("route", "handler_routing: {handlers: [{operation: a}]}", "{operation: a}", "warning missing-key", "handler"),
    ("version", "node_version: {major: one}", "{major: one}", "warning wrong-type", "1.0.0"),
    ("list", "dependencies: text", "text", "warning wrong-type", "must be a list"),
    ("dependency", "dependencies: [{type: node}]", "{type: node}", "warning missing-key", "`name`"),
    ("retry", "error_handling: {retry_policy: often}", "often", "warning wrong-type", "max_retries"),
    ("self", "event_bus: !include odd.yaml", "odd.yaml", "error bad-include", "itself"),
    (
        "prose",
        "io_operations: [{operation: a, output_fields: [{n: the thing that was made}]}]",
        "the thing",
        "warning prose-type",
        "names no type; everything is allowed",
    ),
    ("key", "inpts: {a: {type: str}}", "inpts", "warning misspelled-keyword", "did you mean `inputs`?"),
    (
        "word",
        "inputs: {a: {type: int, minumum: 3}}",
        "minumum",
        "warning misspelled-keyword",
        "did you mean `minimum`?",
    ),
    ("word", "inputs: {a: {type: str, enum: x}}", "x", "warning wrong-type", "write `[x]`"),
    ("word", "inputs: {a: {type: str, required: 'true'}}", "'true'", "warning wrong-type", "without quotes"),
    ("word", "inputs: {a: {type: int, minimum: '3'}}", "'3'", "warning wrong-type", "write `minimum: 3`"),
    ("word", "inputs: {a: {type: str, pattern: 3}}", "3", "warning wrong-type", "a regular expression"),
    ("text", "description: 42", "42", "warning wrong-type", "quote it"),
    ("list", "capabilities: validate", "validate", "warning wrong-type", "write `[validate]`"),
    ("entry", "tags: [a, 3]", "3", "warning wrong-type", "an entry of `tags` must be a text"),
    ("entry", "dependencies: [5]", "5", "warning wrong-type", "a name, or a map"),
    ("dependency", "dependencies: [{name: 123}]", "123", "warning wrong-type", "quote it"),
    (
        "old",
        "meta_type: tool\nlifecycle: activ\nentrypoint: {type: python, target: a.py}",
        "activ",
        "warning wrong-type",
        "did you mean `active`?",
    ),
    ("old", "meta_type: tool\nlifecycle: draft\nentrypoint: {}\nhash: short", "short", "warning wrong-type", "64"),
    ("definitions", "definitions: [a]", "[a]", "warning wrong-type", "map of types"),
];

const APIS: &[Oddity] = &[
    ("root", "componets: {}", "componets", "warning misspelled-keyword", "did you mean `components`?"),
    ("section", "components: {schema: {}}", "schema", "warning misspelled-keyword", "did you mean `schemas`?"),
    ("method", "paths: {/a: {gett: {}}}", "gett", "warning misspelled-keyword", "did you mean `get`?"),
    ("operation", "paths: {/a: {get: {respones: {}}}}", "respones", "warning misspelled-keyword", "`responses`"),
    (
        "body",
        "paths: {/a: {get: {requestBody: {contnt: {}}}}}",
        "contnt",
        "warning misspelled-keyword",
        "did you mean `content`?",
    ),
    (
        "media",
        "paths: {/a: {get: {responses: {'200': {content: {application/json: {schma: {}}}}}}}}",
        "schma",
        "warning misspelled-keyword",
        "did you mean `schema`?",
    ),
    ("status", "paths: {/a: {get: {responses: {2O1: {}}}}}", "2O1", "warning wrong-type", "such as `200`"),
    ("response", "paths: {/a: {get: {responses: {'200': text}}}}", "text", "error wrong-type", "content"),
    (
        "place",
        "paths: {/a: {get: {parameters: [{name: a, in: querry, schema: {}}]}}}",
        "querry",
        "warning not-carried",
        "did you mean `query`?",
    ),
    (
        "required",
        "paths: {/a: {get: {parameters: [{name: a, in: query, required: 'true', schema: {}}]}}}",
        "'true'",
        "warning wrong-type",
        "without quotes",
    ),
    ("parameter", "paths: {/a: {get: {parameters: [{name: a, in: query}]}}}", "a", "warning untyped-field", "schema"),
    (
        "mapping",
        "components: {schemas: {Ok: {}, A: {oneOf: [{$ref: '#/components/schemas/Ok'}], discriminator: {propertyName: k, mapping: {a: Okk}}}}}",
        "Okk",
        "warning dangling-ref",
        "did you mean `Ok`?",
    ),
    ("bound", "components: {schemas: {A: {minimum: '1'}}}", "'1'", "error wrong-type", "write `1`, without quotes"),
    (
        "limit",
        "components: {schemas: {A: {exclusiveMinimum: 1}}}",
        "exclusiveMinimum",
        "warning ignored-keyword",
        "taken as the limit",
    ),
    ("flag", "components: {schemas: {A: {additionalProperties: 'false'}}}", "'false'", "error wrong-type", "`false`"),
    ("later", "components: {schemas: {A: {const: 3}}}", "const", "warning ignored-keyword", "`enum` of one value"),
];

const SCHEMAS: &[Oddity] = &[
    ("json", r#"{"type": "objec"}"#, "\"objec\"", "error unknown-type", "did you mean `object`?"),
    ("json", r#"{"requird": ["a"], "type": "object"}"#, "\"requird\"", "warning misspelled-keyword", "`required`"),
    (
        "json",
        r##"{"$ref": "#/$defs/Adress", "$defs": {"Address": true}}"##,
        "\"#/$defs/Adress\"",
        "error dangling-ref",
        "#/$defs/Address",
    ),
    (
        "json",
        r##"{"$ref": "#/definitions/A", "$defs": {"A": true}}"##,
        "\"#/definitions/A\"",
        "error dangling-ref",
        "#/$defs/A",
    ),
    ("json", r##"{"$ref": "#"}"##, "\"#\"", "error ref-loop", "circle"),
    ("json", r#"{"required": "a"}"#, "\"a\"", "error wrong-type", "array of strings"),
    ("json", r#"{"properties": {"a": {"required": true}}}"#, "true", "error wrong-type", "array of strings"),
    ("json", r#"{"minLength": -1}"#, "-1", "error wrong-type", "minLength"),
    (
        "json",
        r#"{"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMaximum": 5}"#,
        "\"exclusiveMaximum\"",
        "warning ignored-keyword",
        "write `maximum: 5` and `exclusiveMaximum: true`",
    ),
    ("json", r#"{"enum": "a"}"#, "\"a\"", "error wrong-type", "array"),
    ("json", r#"{"type": "string", "enum": [1]}"#, "1", "warning never-valid", "`type` allows `string`"),
    ("json", r#"{"enum": []}"#, "[]", "warning never-valid", "lists no value"),
    (
        "json",
        r#"{"type": "string", "minimum": 1}"#,
        "\"minimum\"",
        "warning ignored-keyword",
        "about the type `number`",
    ),
    (
        "json",
        r#"{"required": ["a"], "properties": {"a": false}}"#,
        "\"a\"",
        "warning never-valid",
        "its schema is `false`",
    ),
    (
        "json",
        r#"{"properties": {"a": {}}, "additionalProperties": false, "minProperties": 2}"#,
        "2",
        "warning never-valid",
        "leaves only 1",
    ),
    (
        "json",
        r#"{"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 4}"#,
        "3",
        "warning never-valid",
        "no integer can be valid",
    ),
    ("json", r#"{"contains": {}, "minContains": 3, "maxContains": 1}"#, "1", "warning never-valid", "3 must match"),
    ("json", r#"{"contains": {}, "maxItems": 0}"#, "0", "warning never-valid", "1 must match"),
    (
        "json",
        r#"{"prefixItems": [{}], "items": false, "minItems": 2}"#,
        "2",
        "warning never-valid",
        "after the first 1",
    ),
    (
        "json",
        r#"{"allOf": [{"type": "string"}, {"type": "integer"}]}"#,
        "\"integer\"",
        "warning never-valid",
        "`string` beside it",
    ),
    (
        "json",
        r#"{"oneOf": [{"type": "string"}, {"type":  "string"}]}"#,
        "{\"type\":  \"string\"}",
        "warning never-valid",
        "by alternative 1",
    ),
    ("json", r#"{"minContains": 2}"#, "\"minContains\"", "warning ignored-keyword", "without `contains`"),
    (
        "json",
        r#"{"$schema": "https://json-schema.org/draft/2019-09/schema", "additionalItems": false}"#,
        "\"additionalItems\"",
        "warning ignored-keyword",
        "a list in `items`",
    ),
    ("json", r#"{"nullable": true}"#, "\"nullable\"", "warning misspelled-keyword", "OpenAPI 3.0"),
    ("json", r#"{"properties": {"a": {}, "a": {}}}"#, "\"a\"", "warning duplicate-key", "once"),
    (
        "json",
        r#"{"$schema": "http://example.com/own#"}"#,
        "\"http://example.com/own#\"",
        "warning unknown-dialect",
        "2020-12",
    ),
    ("json", r#"{"type": "string" "enum": []}"#, " ", "error syntax", "expected a comma"),
    ("json", r#"{"enum": ["a",]}"#, ",", "error syntax", "comma"),
    ("json", "[1]", "[1]", "error not-a-contract", "object or a boolean"),
    ("json", " ", " ", "error empty", "empty"),
    ("yaml", "a: [", "[", "error syntax", "bracket"),
    ("yaml", "a: 1\n---\nb: 2\n", "", "error syntax", "document"),
    ("yaml", "swagger: '2.0'\npaths: {}\n", "swagger", "error not-a-contract", "swagger2openapi"),
    (
        "yaml",
        "openapi: 3.1.0\npaths:\ncomponents: {schemas: {A: {type: string}}}\n",
        "",
        "warning wrong-type",
        "`paths` must be an object",
    ),
    (
        "yaml",
        "openapi: 3.0.3\ncomponents: {schemas: {A: {type: strng}, B: {type: string}}}\n",
        "strng",
        "error unknown-type",
        "`string`",
    ),
    (
        "yaml",
        "openapi: 3.1.0\ncomponents: {schemas: {A: {type: string, nullable: true}}}\n",
        "nullable",
        "warning ignored-keyword",
        "\"null\"",
    ),
];

/// What is not as it should be, if anything is.
fn wrong(extension: &str, text: &str, (_, _, marked, said, part): &Oddity) -> Option<String> {
    let file = FileId::from(format!("contracts/odd.{extension}"));
    let declared = declarations(&file, text);
    let word = |severity| match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut all = declared.diagnostics.iter();
    let Some(found) = all.find(|found| format!("{} {}", word(found.severity), found.code.id()) == *said) else {
        return Some(format!("no {said} in {:?}\n{text}", declared.diagnostics));
    };
    let hint = found.hint.as_deref().or(found.code.advice()).unwrap_or_default();
    let whole = format!("{} {hint}", found.message);
    if !whole.contains(part) {
        return Some(format!("`{part}` is not said: {whole}\n{text}"));
    }
    let span = match found.at.as_ref().map(|at| &at.spot) {
        None | Some(Spot::File) => return Some(format!("no line: {found:?}\n{text}")),
        Some(Spot::Span { start, end }) => *start..*end,
        Some(Spot::Pointer { pointer, key }) => locate(&file, text, pointer, *key).unwrap_or_default(),
    };
    let there = text[span].trim_matches('"');
    let right = there.starts_with(marked.trim_matches('"'));
    // A warning takes nothing else away.
    let kept = extension == "json" || !text.starts_with(NODE) || declared.node.is_some_and(|node| &*node.name == "pay");
    (!right || !kept).then(|| format!("{there:?} is marked, not {marked:?} ({kept})\n{text}"))
}

#[test]
fn each_is_said_where_it_stands() {
    let nodes = NODES.iter().map(|odd| ("yaml", format!("{NODE}{}\n", odd.1), odd));
    let api = "openapi: 3.0.3\ninfo: {title: A, version: '1'}\n";
    let apis = APIS.iter().map(|odd| ("yaml", format!("{api}{}\n", odd.1), odd));
    let others = SCHEMAS.iter().map(|odd| (odd.0, odd.1.to_owned(), odd));
    let wrong: Vec<String> =
        nodes.chain(apis).chain(others).filter_map(|(kind, text, odd)| wrong(kind, &text, odd)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
