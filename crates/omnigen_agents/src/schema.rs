//! The JSON Schemas (2020-12) of the protocol: what agents are told and may say, and the context package.

use serde_json::{Value, json};

use crate::protocol::PROTOCOL;

/// One schema for any line between engine and agent; `$defs` has one for each of them, and for the context package.
pub fn protocol_schema() -> Value {
    let text = || json!({ "type": "string" });
    let name = || json!({ "type": "string", "minLength": 1 });
    let path = || json!({ "$ref": "#/$defs/path" });
    let digest = || json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" });
    let list = |items: Value| json!({ "type": "array", "items": items });
    let object = |about: &str, members: Value, required: &[&str]| {
        json!({
            "description": about, "type": "object", "properties": members, "required": required,
            "additionalProperties": false,
        })
    };
    let said = |kind: &str, about: &str, mut members: Value, required: &[&str]| {
        members["type"] = json!({ "const": kind });
        object(about, members, &[&["type"], required].concat())
    };
    let one_of = |members: &[&str]| {
        let one = |name: &&str| json!({ "required": [name], "properties": { *name: { "not": { "type": "null" } } } });
        json!(members.iter().map(one).collect::<Vec<_>>())
    };
    let optional = |shape: Value| json!({ "anyOf": [shape, { "type": "null" }] });
    let need_members = || {
        json!({
            "target": optional(name()), "contract": optional(path()), "file": optional(path()), "pattern": optional(name()),
        })
    };
    let mut need = said(
        "need",
        "Asks for something; the answer comes on standard input, in the order of the needs.",
        need_members(),
        &[],
    );
    need["anyOf"] = one_of(&["target", "contract", "file", "pattern"]);
    let mut artifact = said(
        "artifact",
        "A file of the answer; each path once, one of the task's outputs.",
        json!({ "path": path(), "text": optional(text()), "base64": optional(json!({ "type": "string", "contentEncoding": "base64" })) }),
        &["path"],
    );
    artifact["oneOf"] = one_of(&["text", "base64"]);
    let mut progress = said(
        "progress",
        "Still at work.",
        json!({ "done": optional(json!({ "type": "integer", "minimum": 0 })), "total": optional(json!({ "type": "integer", "minimum": 0 })), "text": optional(text()) }),
        &[],
    );
    progress["anyOf"] = one_of(&["done", "total", "text"]);
    let span = object(
        "A place that is to blame.",
        json!({ "path": text(), "line": { "type": "integer", "minimum": 0 }, "column": optional(json!({ "type": "integer", "minimum": 0 })) }),
        &["path", "line"],
    );
    let from_agent = ["initialized", "progress", "need", "message", "artifact", "completed", "failed"];
    let to_agent = ["request", "needed", "absent", "cancel"];
    let refs =
        |names: &[&str]| names.iter().map(|name| json!({ "$ref": format!("#/$defs/{name}") })).collect::<Vec<_>>();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "omnigen agent protocol 1",
        "description": "A line between omnigen and a command agent: one JSON object in UTF-8, ended by a line feed.",
        "oneOf": [{ "$ref": "#/$defs/from-agent" }, { "$ref": "#/$defs/to-agent" }],
        "$defs": {
            "from-agent": { "description": "What an agent writes to standard output.", "oneOf": refs(&from_agent) },
            "to-agent": { "description": "What an agent reads from standard input.", "oneOf": refs(&to_agent) },
            "path": { "description": "A safe relative path, with `/`.", "type": "string", "minLength": 1 },
            "initialized": said("initialized", "Ready; at most once.", json!({}), &[]),
            "progress": progress,
            "need": need,
            "message": said(
                "message",
                "For other agents, which get it if they listen.",
                json!({ "to": { "type": "array", "items": name(), "minItems": 1 }, "kind": name(), "data": true }),
                &["to", "kind", "data"],
            ),
            "artifact": artifact,
            "completed": said(
                "completed",
                "The answer is whole; nothing may follow.",
                json!({ "score": optional(json!({ "type": "number", "minimum": 0, "maximum": 1 })), "summary": optional(text()) }),
                &[],
            ),
            "failed": said(
                "failed",
                "There is no answer; nothing may follow.",
                json!({ "class": { "type": "string", "pattern": "^[a-z0-9-]{1,64}$" }, "text": text(), "span": optional(span) }),
                &["class", "text"],
            ),
            "request": object(
                "The first line, once.",
                json!({
                    "protocol": { "const": PROTOCOL },
                    "task": object(
                        "What is to be made.",
                        json!({ "id": text(), "target": text(), "contract": optional(path()), "outputs": list(text()) }),
                        &["id", "target", "contract", "outputs"],
                    ),
                    "context": { "$ref": "#/$defs/context" },
                    "feedback": { "$ref": "#/$defs/feedback" },
                }),
                &["protocol", "task", "context"],
            ),
            "feedback": object(
                "An earlier answer to this, and what kept it from being placed.",
                json!({
                    "artifacts": list(json!({ "$ref": "#/$defs/file" })),
                    "gates": list(object(
                        "A gate that it did not pass, or its agent's own opinion.",
                        json!({
                            "gate": text(), "score": { "type": "number" }, "wanted": { "type": "number" },
                            "findings": list(object(
                                "What was found; a place of 0 is the whole file, or the whole line.",
                                json!({
                                    "path": text(), "line": { "type": "integer" }, "column": { "type": "integer" },
                                    "check": text(), "text": text(),
                                }),
                                &["path", "line", "column", "check", "text"],
                            )),
                        }),
                        &["gate", "score", "wanted", "findings"],
                    )),
                }),
                &["artifacts", "gates"],
            ),
            "needed": object("The answer to a need: files, or a contract's document.", json!({ "artifact": true }), &["artifact"]),
            "absent": object(
                "What was needed does not exist; the need is repeated.",
                json!({ "absent": object("The need.", need_members(), &[]) }),
                &["absent"],
            ),
            "cancel": object("The answer is no longer wanted; exit soon.", json!({ "cancel": { "const": true } }), &["cancel"]),
            "file": {
                "description": "A file: its text, or if it is none, its digest.",
                "type": "object",
                "properties": { "path": path(), "text": text(), "digest": digest() },
                "required": ["path"],
                "oneOf": [{ "required": ["text"] }, { "required": ["digest"] }],
                "additionalProperties": false,
            },
            "context": object(
                "All that the agent sees of the project; `omnigen context` prints it.",
                json!({
                    "version": { "const": 1 },
                    "coordination": object(
                        "Who makes what of what.",
                        json!({
                            "agent": text(), "target": text(), "contract": path(), "output": text(), "candidate": optional(text()),
                        }),
                        &["agent", "target", "contract", "output", "candidate"],
                    ),
                    "assignment": object(
                        "What it is told to do, as the configuration has it.",
                        json!({ "objective": text(), "tasks": list(text()), "success_criteria": list(text()), "priority": text() }),
                        &[],
                    ),
                    "contract": object(
                        "The contract, as far as the target `sees` it.",
                        json!({ "path": path(), "name": text(), "document": true, "meaning": true, "source": text() }),
                        &["path", "name"],
                    ),
                    "types": list(object(
                        "A type of another contract that it refers to.",
                        json!({ "contract": path(), "pointer": text(), "name": text(), "module": path() }),
                        &["contract", "pointer", "name", "module"],
                    )),
                    "artifacts": {
                        "description": "What the target `needs`, by target.",
                        "type": "object",
                        "additionalProperties": list(json!({ "$ref": "#/$defs/file" })),
                    },
                    "messages": list(object(
                        "A message for this agent.",
                        json!({ "from": text(), "kind": text(), "data": true }),
                        &["from", "kind", "data"],
                    )),
                    "patterns": list(json!({ "$ref": "#/$defs/file" })),
                    "templates": list(json!({ "$ref": "#/$defs/file" })),
                    "protocols": object(
                        "How it is to behave.",
                        json!({ "progress_within": { "type": "integer" }, "signals": list(text()) }),
                        &["progress_within", "signals"],
                    ),
                }),
                &["version", "coordination", "contract", "artifacts", "protocols"],
            ),
        },
    })
}
