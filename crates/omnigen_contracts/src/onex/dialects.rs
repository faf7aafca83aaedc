//! Where in a contract typed fields stand, and what the types are called.

use omnigen_ir::naming::pascal;
use omnigen_report::Code;

use super::expression;
use super::made::{bare, has, member, object, put, put_required, string};
use super::translate::{Made, Translator};
use super::types::is_class;
use crate::value::{Data, Member, Value, push_index};

/// Nesting in which classes with their modules are looked for.
const DEPTH: usize = 12;

/// The types of a node contract; `stem` begins the names of those that have none of their own.
pub(super) fn node<'v, 'a>(t: &mut Translator<'v, 'a>, root: &'v Value<'a>, stem: &str) {
    modules(t, root, DEPTH);
    definitions(t, root);
    for (key, name) in [("inputs", "Input"), ("outputs", "Output")] {
        let Some(value) = root.get(key) else { continue };
        fields(t, key, value, &format!("{stem}{name}"), &format!("What goes {}.", way(key)));
    }
    for (key, name) in [("input_state", "InputState"), ("output_state", "OutputState"), ("error_state", "ErrorState")] {
        if let Some(value) = root.get(key) {
            state(t, root, key, value, &format!("{stem}{name}"));
        }
    }
    for key in ["io_operations", "operations"] {
        if let Some(Data::Array(items)) = root.get(key).map(|value| &value.data) {
            t.at(key, &[], |t| operations(t, items, stem));
        }
    }
    if let Some(Data::Array(routes)) = root.get("handler_routing").and_then(|r| r.get("handlers")).map(|h| &h.data) {
        t.at("handler_routing", &[], |t| t.at("handlers", &[], |t| payloads(t, routes, stem, "payload", "operation")));
    }
    for key in ["published_events", "consumed_events"] {
        if let Some(Data::Array(events)) = root.get(key).map(|value| &value.data) {
            t.at(key, &[], |t| payloads(t, events, stem, "payload_fields", "event_type"));
        }
    }
    if let Some(value) = root.get("config_schema") {
        fields(t, "config_schema", value, &format!("{stem}Config"), "Settings.");
    }
    models(t, root);
}

fn way(key: &str) -> &'static str {
    if key == "inputs" { "in" } else { "out" }
}

/// The message that a wire schema describes: the document's own type.
pub(super) fn wire<'v, 'a>(t: &mut Translator<'v, 'a>, root: &'v Value<'a>) -> Made<'a> {
    modules(t, root, DEPTH);
    let mut made = vec![member("type", string("object"), root.span)];
    let mut properties = Vec::new();
    let mut names = Vec::new();
    for (key, required) in [("required_fields", true), ("optional_fields", false)] {
        let Some(Data::Array(items)) = root.get(key).map(|value| &value.data) else { continue };
        let listed = t.at(key, &[], |t| t.list(items, required));
        for field in listed.fields {
            if has(&properties, &field.name) {
                let message = format!("the field `{}` is both required and optional; it is required", field.name);
                t.warn(Code::DuplicateKey, key, message, None);
                continue;
            }
            properties.push(field);
        }
        if required {
            names = listed.required;
        }
    }
    description(&mut made, root);
    put(&mut made, "properties", Data::Object(properties), root.span);
    put_required(&mut made, names, root.span);
    made
}

/// The settings of each mixin.
pub(super) fn mixins<'v, 'a>(t: &mut Translator<'v, 'a>, root: &'v Value<'a>) {
    for part in root.members().unwrap_or_default() {
        let Some(schema) = part.value.get("config_schema") else { continue };
        let name = part.value.get("name").and_then(Value::as_str).unwrap_or(&part.name);
        let name = format!("{}Config", pascal(name));
        let about = format!("Settings of {}.", part.value.get("name").and_then(Value::as_str).unwrap_or(&part.name));
        t.at(&part.name, &[], |t| fields(t, "config_schema", schema, &name, &about));
    }
}

/// Remembers where classes come from: wherever a map has a name and a module.
fn modules<'v, 'a>(t: &mut Translator<'v, 'a>, value: &'v Value<'a>, depth: usize) {
    if depth == 0 {
        return;
    }
    match &value.data {
        Data::Object(members) => {
            let text = |names: &[&str]| names.iter().find_map(|name| value.get(name)?.as_str());
            let module = text(&["module", "handler_module"]);
            if let (Some(module), Some(name)) =
                (module, text(&["class_name", "enum_class", "class", "type_name", "handler_class", "name"]))
                && is_class(name)
                && !module.is_empty()
            {
                t.modules.entry(name.to_owned()).or_insert_with(|| module.to_owned());
            }
            members.iter().for_each(|member| modules(t, &member.value, depth - 1));
        }
        Data::Array(items) => items.iter().for_each(|item| modules(t, item, depth - 1)),
        _ => {}
    }
}

/// Adds a definition, unless its name is taken.
fn define<'a>(t: &mut Translator<'_, 'a>, key: &str, made: Made<'a>, value: &Value<'a>) {
    if has(&t.definitions, key) {
        let message = format!("two types of this contract want the name `{key}`; the first one has it");
        t.warn(Code::NameCollision, "", message, Some("rename one of them".to_owned()));
        return;
    }
    t.definitions.push(Member { name: key.to_owned().into(), key: value.span, value: object(made, value.span) });
}

fn definitions<'v, 'a>(t: &mut Translator<'v, 'a>, root: &'v Value<'a>) {
    let Some(definitions) = root.get("definitions") else { return };
    let Data::Object(members) = &definitions.data else {
        let message = format!("`definitions` must be a map of types, not {}", definitions.kind());
        return t.warn(Code::WrongType, "definitions", message, None);
    };
    for part in members.iter().filter(|part| !is_pointer(&part.value)) {
        let short = bare(&part.name);
        let both = short != part.name && members.iter().any(|other| other.name == short);
        let key = if both { &*part.name } else { short };
        t.names.insert(part.name.to_string(), key.to_owned());
    }
    for part in members {
        if is_pointer(&part.value) {
            t.at("definitions", &[], |t| t.at(&part.name, &[], |t| model(t, &part.value)));
            continue;
        }
        let key = t.names.get(&*part.name).cloned().unwrap_or_else(|| part.name.to_string());
        t.at("definitions", &[], |t| {
            t.at(&part.name, &["$defs", &key], |t| {
                let field = t.field(&part.value);
                let made = match field.schema.data {
                    Data::Object(made) => made,
                    _ => Vec::new(),
                };
                define(t, &key, made, &part.value);
            });
        });
    }
}

/// Is it the name of a Python model, rather than a type?
fn is_pointer(value: &Value<'_>) -> bool {
    let named = value.get("name").or_else(|| value.get("type_name")).is_some();
    named && value.get("module").is_some() && value.get("properties").is_none() && value.get("type").is_none()
}

/// A map or list of fields as a type of its own.
fn fields<'v, 'a>(t: &mut Translator<'v, 'a>, key: &str, value: &'v Value<'a>, name: &str, about: &str) {
    t.at(key, &["$defs", name], |t| {
        let mut made = vec![member("type", string("object"), value.span)];
        put(&mut made, "description", Data::String(about.to_owned().into()), value.span);
        let (properties, required) = match &value.data {
            // Some spell the whole schema out.
            Data::Object(_)
                if value.get("properties").is_some_and(|fields| fields.members().is_some())
                    && value.get("type").is_some_and(|name| name.as_str().is_some()) =>
            {
                let field = t.field(value);
                if let Data::Object(made) = field.schema.data {
                    define(t, name, made, value);
                }
                return;
            }
            Data::Object(members) => t.fields(members),
            Data::Array(items) => {
                let listed = t.list(items, false);
                untyped(t, listed.untyped, name);
                (listed.fields, listed.required)
            }
            Data::Null => return,
            _ => {
                let message = format!("`{key}` must be a map of fields, not {}", value.kind());
                return t.warn(Code::WrongType, "", message, None);
            }
        };
        if properties.is_empty() {
            return;
        }
        put(&mut made, "properties", Data::Object(properties), value.span);
        put_required(&mut made, required, value.span);
        define(t, name, made, value);
    });
}

/// A state: a JSON Schema, or lists of names whose types stand in the rules for validation, if anywhere.
fn state<'v, 'a>(t: &mut Translator<'v, 'a>, root: &'v Value<'a>, key: &str, value: &'v Value<'a>, name: &str) {
    let Data::Object(members) = &value.data else {
        let message = format!("`{key}` must be a map, not {}", value.kind());
        return t.warn(Code::WrongType, key, message, None);
    };
    let lists = members.iter().any(|part| part.name == "object_type" || part.name == "optional");
    if !lists || value.get("properties").is_some() {
        t.at(key, &["$defs", name], |t| {
            let (made, _) = t.spec(value, members);
            define(t, name, made, value);
        });
        return;
    }
    let rules = root.get("validation_rules").and_then(|rules| rules.get("constraint_definitions"));
    let mut properties: Made<'a> = Vec::new();
    let mut required = Vec::new();
    let mut untyped = Vec::new();
    let mut first = None;
    for list in ["required", "optional"] {
        let Some(Data::Array(items)) = value.get(list).map(|value| &value.data) else { continue };
        for (index, item) in items.iter().enumerate() {
            let Data::String(field) = &item.data else {
                let message = format!("`{list}` lists names of fields, not {}", item.kind());
                t.at(key, &[], |t| t.warn(Code::WrongType, list, message, None));
                continue;
            };
            if has(&properties, field) {
                continue;
            }
            let rule = rules.and_then(|rules| rules.get(field));
            let schema = match rule {
                Some(rule) => t.at("validation_rules", &[], |t| {
                    t.at("constraint_definitions", &[], |t| {
                        t.at(field, &["$defs", name, "properties", field], |t| t.field(rule).schema)
                    })
                }),
                None => {
                    untyped.push(field.to_string());
                    let mut token = String::new();
                    push_index(&mut token, index);
                    first.get_or_insert_with(|| (list, token[1..].to_owned()));
                    let here = ["$defs", name, "properties", field];
                    t.at(key, &[], |t| t.at(list, &[], |t| t.at(&token[1..], &here, |_| object(Vec::new(), item.span))))
                }
            };
            if list == "required" && schema.get("default").is_none() {
                required.push(field.to_string());
            }
            properties.push(Member { name: field.clone(), key: item.span, value: schema });
        }
    }
    if let Some((list, token)) = first {
        let message = format!("`{key}` names {} without a type: everything is allowed there", list_of(&untyped));
        let hint = "say the types in `validation_rules.constraint_definitions`, or write `properties`";
        t.at(key, &[], |t| t.at(list, &[], |t| t.warn(Code::UntypedField, &token, message, Some(hint.to_owned()))));
    }
    t.at(key, &["$defs", name], |t| {
        let mut made = vec![member("type", string("object"), value.span)];
        description(&mut made, value);
        put(&mut made, "properties", Data::Object(properties), value.span);
        put_required(&mut made, required, value.span);
        define(t, name, made, value);
    });
}

fn list_of(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(8).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(8);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// Tells of fields without a type; only with `-v`, since whole families of contracts list names alone.
fn untyped(t: &mut Translator<'_, '_>, count: usize, name: &str) {
    if count == 0 {
        return;
    }
    let (fields, are) = if count == 1 { ("a field".to_owned(), "is") } else { (format!("{count} fields"), "are") };
    let message = format!("{fields} of `{name}` {are} only named: everything is allowed there");
    t.warn(Code::UntypedField, "", message, Some("write `name: type` for each".to_owned()));
    if let Some(last) = t.diagnostics.last_mut() {
        last.severity = omnigen_report::Severity::Note;
    }
}

/// What an operation is called.
pub(super) fn operation_name<'v>(item: &'v Value<'_>) -> Option<&'v str> {
    ["operation", "name", "operation_id", "operation_type"].iter().find_map(|key| item.get(key)?.as_str())
}

fn operations<'v, 'a>(t: &mut Translator<'v, 'a>, items: &'v [Value<'a>], stem: &str) {
    for (index, item) in items.iter().enumerate() {
        let Some(name) = operation_name(item).map(pascal) else { continue };
        let mut token = String::new();
        push_index(&mut token, index);
        t.at(&token[1..], &[], |t| {
            for (keys, suffix) in
                [(["input_fields", "inputs", "input"], "Input"), (["output_fields", "outputs", "output"], "Output")]
            {
                let Some((key, value)) = keys.iter().find_map(|key| Some((*key, item.get(key)?))) else { continue };
                if matches!(value.data, Data::Array(_) | Data::Object(_)) {
                    let about = format!("What operation `{}` {}.", operation_name(item).unwrap_or_default(), does(key));
                    fields(t, key, value, &format!("{stem}{name}{suffix}"), &about);
                }
            }
        });
    }
}

fn does(key: &str) -> &'static str {
    if key.starts_with("in") { "takes" } else { "gives" }
}

/// Payloads of routes and events.
fn payloads<'v, 'a>(t: &mut Translator<'v, 'a>, items: &'v [Value<'a>], stem: &str, key: &str, named: &str) {
    for (index, item) in items.iter().enumerate() {
        let Some(payload) = item.get(key).filter(|p| matches!(p.data, Data::Array(_) | Data::Object(_))) else {
            continue;
        };
        let Some(name) = item.get(named).and_then(Value::as_str) else { continue };
        let mut token = String::new();
        push_index(&mut token, index);
        let class = format!("{stem}{}Payload", pascal(name));
        let about = format!("The payload of `{name}`.");
        t.at(&token[1..], &[], |t| fields(t, key, payload, &class, &about));
    }
}

/// Names of Python models that stand for whole messages.
fn models<'v, 'a>(t: &mut Translator<'v, 'a>, root: &'v Value<'a>) {
    for key in ["input_model", "output_model", "state_model", "metadata_model", "event_model"] {
        if let Some(value) = root.get(key) {
            t.at(key, &[], |t| model(t, value));
        }
    }
    if let Some(value) = root.get("handler").and_then(|handler| handler.get("input_model")) {
        t.at("handler", &[], |t| t.at("input_model", &[], |t| model(t, value)));
    }
    let mut each = |path: &[&str], keys: &[&str]| {
        let mut value = Some(root);
        for step in path {
            value = value.and_then(|value| value.get(step));
        }
        let Some(Data::Array(items)) = value.map(|value| &value.data) else { return };
        for item in items {
            if keys.is_empty() {
                model(t, item);
            }
            keys.iter().filter_map(|key| item.get(key)).for_each(|value| model(t, value));
        }
    };
    each(&["output_models"], &[]);
    each(&["handler_routing", "handlers"], &["event_model", "input_model", "output_model"]);
    each(&["io_operations"], &["input_model", "output_model"]);
    each(&["operations"], &["input_model", "output_model"]);
}

/// One name of a Python model: `{name, module}`, or a text with or without dots.
fn model<'v, 'a>(t: &mut Translator<'v, 'a>, value: &'v Value<'a>) {
    match &value.data {
        Data::String(text) if is_class(text) && expression::read(text).is_ok_and(|read| !read.remarks.any) => {
            t.class(text, None, None);
        }
        Data::Object(_) => {
            let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            if let Some(name) = text("name").or_else(|| text("type_name")).or_else(|| text("class"))
                && is_class(name)
            {
                t.class(name, text("module"), text("description"));
            }
            if let Some(Data::Array(variants)) = value.get("variants").map(|variants| &variants.data) {
                variants.iter().for_each(|variant| model(t, variant));
            }
        }
        _ => {}
    }
}

fn description<'a>(made: &mut Made<'a>, value: &Value<'a>) {
    if let Some(text) = value.get("description").and_then(Value::as_str) {
        put(made, "description", Data::String(text.trim().to_owned().into()), value.span);
    }
}
