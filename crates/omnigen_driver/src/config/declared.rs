//! The keys of `omnigen.toml`, declared once: what the reader knows, and what the published JSON Schema says.

use omnigen_engine::DRAFTS;
use serde_json::{Map, Value, json};

use super::{BUILT_IN, CONTRACTS, LINE_LENGTH, OUT, Python};

/// One key of a table.
pub(super) struct Key {
    /// As it is written.
    pub(super) name: &'static str,
    /// What it is for, in a sentence or two.
    about: &'static str,
    /// What its value may be, as a JSON Schema.
    shape: fn() -> Value,
    /// Must it be there?
    required: bool,
}

const fn key(name: &'static str, about: &'static str, shape: fn() -> Value) -> Key {
    Key { name, about, shape, required: false }
}

const fn required(name: &'static str, about: &'static str, shape: fn() -> Value) -> Key {
    Key { name, about, shape, required: true }
}

fn texts() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn with_default(mut shape: Value, default: impl Into<Value>) -> Value {
    shape["default"] = default.into();
    shape
}

/// `[project]`.
pub(super) const PROJECT: &[Key] = &[
    required("name", "What the project is called.", || json!({ "type": "string", "pattern": "\\S" })),
    key("contracts", "Globs of the contracts.", || {
        let mut shape = with_default(texts(), json!([CONTRACTS]));
        shape["minItems"] = json!(1);
        shape
    }),
    key("exclude", "Globs of what is no contract even if it looks so.", texts),
    key(
        "out",
        "Folder of the outputs; its name is that of a Python package.",
        || json!({ "type": "string", "default": OUT }),
    ),
    key("refs", "Folder with copies of remote schemas, laid out <host>/<path>.", || json!({ "type": "string" })),
    key(
        "duplicate-keys",
        "Two members of one name in a contract: a warning, and the last one counts; or an error.",
        || json!({ "enum": ["warn", "error"], "default": "warn" }),
    ),
    key(
        "dialects",
        "Globs of schemas that state no `$schema`, and the draft that they are read in.",
        || json!({ "type": "object", "additionalProperties": { "enum": DRAFTS } }),
    ),
    key("targets", "What is built; what these need is built too. Everything unless it is listed.", texts),
];

/// `[python]`.
pub(super) const PYTHON: &[Key] = &[
    key(
        "naming",
        "Template of class names; {Name} stands for the contract's own name.",
        || json!({ "type": "string", "pattern": "\\{Name\\}", "default": Python::default().naming }),
    ),
    key("line-length", "Characters that a line of generated Python may have.", || {
        json!({
            "type": "integer", "minimum": LINE_LENGTH.start(), "maximum": LINE_LENGTH.end(),
            "default": Python::default().line_length,
        })
    }),
    key(
        "format",
        "Is the keyword `format` a remark, or checked?",
        || json!({ "enum": ["annotate", "assert"], "default": "annotate" }),
    ),
    key(
        "external",
        "Classes that ONEX contracts name, by path, name or `package.*`: `import` them, keep them `opaque`, or the path of another class.",
        || json!({ "type": "object", "additionalProperties": { "type": "string" } }),
    ),
];

fn flag() -> Value {
    json!({ "type": "boolean" })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 1 })
}

fn time() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h)$" })
}

fn words() -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })
}

fn members(list: &[(&str, Value)], required: &[&str]) -> Value {
    let members: Map<String, Value> = list.iter().map(|(name, shape)| ((*name).to_owned(), shape.clone())).collect();
    json!({ "type": "object", "properties": members, "required": required, "additionalProperties": false })
}

/// `[agent.NAME]`.
pub(super) const AGENT: &[Key] = &[
    key("command", "The program and its arguments; or else `llm`.", words),
    key("llm", "An OpenAI-compatible endpoint, instead of a command.", || {
        let list = [
            ("base_url", json!({ "type": "string", "pattern": "^https?://" })),
            ("model", text()),
            ("api_key_env", text()),
            ("temperature", json!({ "type": "number" })),
            ("seed", json!({ "type": "integer" })),
            ("max_tokens", with_default(count(), 2048)),
            ("stream", with_default(flag(), false)),
        ];
        members(&list, &["base_url", "model"])
    }),
    key("prompt", "Template of what a model is asked: all that it sees.", text),
    key("reply", "JSON Schema of a model's reply, sent along and checked.", text),
    key("render", "Template that makes the artifact of a model's reply.", text),
    key("budget", "What a model may use in a whole run.", || members(&[("tokens", count())], &["tokens"])),
    key("inputs", "Globs of the files that decide what it does; it sees these and no others.", texts),
    key("version", "A command whose output is part of what the agent is.", words),
    key("env", "Names of the environment variables that it sees.", texts),
    key("network", "May it use the network?", || with_default(flag(), false)),
    key("sandbox", "Is it kept from what it did not declare, where the system can do that?", || {
        with_default(flag(), true)
    }),
    key("read", "Absolute folders outside the project that it may read.", texts),
    key("timeout", "How long a call may take.", || with_default(time(), "300s")),
    key("progress_within", "How long it may be silent.", || with_default(time(), "30s")),
    key("retry", "Attempts after failures that may pass, and the pauses between them.", || {
        let list =
            [("attempts", count()), ("initial", time()), ("factor", count()), ("max", time()), ("jitter", flag())];
        members(&list, &[])
    }),
    key("concurrency", "Tasks of it at the same time.", || with_default(count(), 5)),
    key("kind", "Does it mostly wait, or compute?", || json!({ "enum": ["io", "cpu"], "default": "io" })),
];

/// `[target.NAME]`.
pub(super) const TARGET: &[Key] = &[
    required("agent", "The agent that makes it.", text),
    required(
        "output",
        "Pattern of its outputs, below the output folder.",
        || json!({ "type": "string", "pattern": "\\{contract\\}" }),
    ),
    key(
        "needs",
        "Targets whose artifacts of the same contract it is given, and how long it waits for them.",
        || json!({ "type": "array", "items": { "anyOf": [text(), members(&[("target", text()), ("timeout", time())], &["target"])] } }),
    ),
    key("listens", "Agents whose messages for the same contract it is given.", texts),
    key(
        "sees",
        "What of the contract it sees.",
        || json!({ "type": "array", "items": { "enum": ["document", "meaning", "source", "types"] }, "default": ["document"] }),
    ),
    key("assignment", "What it is told to do.", || {
        let list = [("objective", text()), ("tasks", texts()), ("success_criteria", texts()), ("priority", text())];
        members(&list, &[])
    }),
    key("templates", "Globs of files whose texts it is given.", texts),
    key("patterns", "Examples of which it is given those that are most like the contract.", || {
        members(&[("files", texts()), ("top", count())], &["files"])
    }),
    key("gates", "What its answers have to pass before they are placed.", texts),
    key("quality_threshold", "The least score that an agent may give its own answer.", || with_default(share(), 0.8)),
    key("priority", "Higher goes first.", || json!({ "type": "integer", "default": 0 })),
];

fn share() -> Value {
    json!({ "type": "number", "minimum": 0, "maximum": 1 })
}

/// `[gate.NAME]`.
pub(super) const GATE: &[Key] = &[
    key(
        "checks",
        "What is checked, in order.",
        || json!({ "type": "array", "items": { "enum": ["python-syntax", "json-schema", "ruff", "mypy", "pytest", "command"] } }),
    ),
    key("command", "A program that gets the artifacts' paths as arguments; exit status 0 passes.", words),
    key("schema", "The JSON Schema for `json-schema`.", text),
    key("coverage", "For `pytest`: the least share of the tested code's lines and branches.", share),
    key("threshold", "The least score that passes.", || with_default(share(), 1.0)),
    key("inputs", "Globs of files that decide what it says: configuration of tools, scripts.", texts),
    key("env", "Names of the environment variables that its programs see beside PATH.", texts),
    key("timeout", "How long a batch may take.", || with_default(time(), "300s")),
];

/// `[run]`.
pub(super) const RUN: &[Key] = &[
    key("timeout", "How long all agents together may take.", time),
    key("io", "Tasks at the same time of agents that mostly wait.", || with_default(count(), 128)),
    key("cpu", "Tasks at the same time of agents that compute.", count),
];

/// `[[recover]]`.
pub(super) const RECOVER: &[Key] = &[
    required("on", "What it follows: an answer that did not pass its gates.", || json!({ "enum": ["quality"] })),
    required(
        "do",
        "What is done: the agent is asked again, and told what was found.",
        || json!({ "enum": ["retry-with-feedback"] }),
    ),
    key("attempts", "Answers in all, the first included.", || with_default(count(), 3)),
];

/// `[cache]`.
pub(super) const CACHE: &[Key] = &[
    key(
        "folder",
        "Folder of a store that checkouts and projects share; --cache-dir and OMNIGEN_CACHE come first.",
        text,
    ),
    key("max-size", "Megabytes that it may have.", || with_default(count(), super::MAX_SIZE)),
];

/// The tables of the document.
const TABLES: &[(&str, &str, &[Key], bool)] = &[
    ("project", "What is built from what.", PROJECT, false),
    ("python", "How Python is written.", PYTHON, false),
    ("agent", "What makes artifacts: commands and models, by name.", AGENT, true),
    ("gate", "Checks that answers must pass, by name.", GATE, true),
    ("run", "Limits of a run.", RUN, false),
    ("cache", "What checkouts share.", CACHE, false),
    ("target", "Targets of the project's own, made by an agent once for each contract, by name.", TARGET, true),
];

/// The names of keys.
pub(super) fn names(keys: &[Key]) -> Vec<&'static str> {
    keys.iter().map(|key| key.name).collect()
}

/// The names of the document's tables.
pub(super) fn tables() -> Vec<&'static str> {
    TABLES.iter().map(|(name, ..)| *name).chain(["recover"]).collect()
}

/// The JSON Schema (2020-12) of `omnigen.toml`, for editors.
pub fn schema() -> Value {
    let object = |about: &str, keys: &[Key]| {
        let members = keys.iter().map(|key| {
            let mut shape = (key.shape)();
            shape["description"] = json!(key.about);
            (key.name.to_owned(), shape)
        });
        let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
        json!({
            "description": about, "type": "object", "properties": members.collect::<Map<_, _>>(),
            "required": required, "additionalProperties": false,
        })
    };
    let tables = TABLES.iter().map(|(name, about, keys, named)| {
        let table = if *named {
            let mut one = object(about, keys);
            one["description"] = json!(format!("`[{name}.NAME]`"));
            let mut shape = json!({ "description": about, "type": "object", "additionalProperties": one });
            if *name == "target" {
                shape["propertyNames"] = json!({ "not": { "enum": BUILT_IN } });
            }
            shape
        } else {
            object(about, keys)
        };
        ((*name).to_owned(), table)
    });
    let recover = json!({
        "description": "What follows answers that do not pass.", "type": "array", "items": object("`[[recover]]`", RECOVER),
    });
    let tables = tables.chain([("recover".to_owned(), recover)]);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "omnigen.toml",
        "type": "object",
        "properties": tables.collect::<Map<_, _>>(),
        "required": ["project"],
        "additionalProperties": false,
    })
}
