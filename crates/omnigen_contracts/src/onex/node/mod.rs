//! What a node contract says beside its types, out of ONEX' many spellings.
//!
//! Nothing here is an error: what cannot be read is told, and the rest of the manifest is made.

mod identity;
mod machine;
mod routing;
mod topics;

use std::sync::Arc;

use omnigen_ir::{Capability, Dependency, ErrorType, ModelUse, NodeManifest, Operation, Retry, Setting, Version};
use omnigen_report::{At, Code, Diagnostic, Severity};

use super::Kind;
use super::dialects::operation_name;
use crate::value::{Data, Value, push_index, push_token};

/// Keys that may hold a node's name, best first.
const NAMES: [&str; 6] = ["name", "node_name", "contract_name", "node_id", "handler_id", "ticket_id"];

/// Keys whose values are texts.
const TEXTS: [&str; 8] =
    ["description", "author", "namespace", "lifecycle", "hash", "uuid", "state_contract", "meta_type"];
/// Keys whose values are lists of texts, or of maps.
const LISTS: [&str; 3] = ["capabilities", "tags", "protocols_supported"];

/// Keys that something is made of.
const KEYS: [&str; 30] = [
    "inputs",
    "outputs",
    "input_state",
    "output_state",
    "error_state",
    "io_operations",
    "operations",
    "definitions",
    "handler_routing",
    "published_events",
    "consumed_events",
    "config_schema",
    "event_bus",
    "dependencies",
    "error_handling",
    "retry_policy",
    "state_machine",
    "state_transitions",
    "contract_version",
    "node_version",
    "node_type",
    "input_model",
    "output_model",
    "state_model",
    "metadata",
    "descriptor",
    "capabilities",
    "terminal_event",
    "description",
    "validation_rules",
];

/// Reads a manifest.
pub(super) fn read(file: &Arc<str>, root: &Value<'_>, kind: Kind, found: &mut Vec<Diagnostic>) -> NodeManifest {
    let mut reader = Reader { file, found };
    let mut node = NodeManifest { description: description(root), ..NodeManifest::default() };
    reader.names(root, kind, &mut node);
    if let Some(stated) = root.get("node_type").or_else(|| root.get("node_kind")) {
        match stated.as_str() {
            Some(text) => {
                let lower = text.to_ascii_lowercase();
                node.kind = Some(lower.strip_suffix("_generic").unwrap_or(&lower).into());
                node.node_type = Some(text.into());
            }
            None => reader.wrong("/node_type", stated, "a kind of node such as `effect`"),
        }
    }
    for key in ["contract_version", "node_version", "version", "schema_version"] {
        if let Some(value) = root.get(key)
            && let Some(version) = reader.version(&format!("/{key}"), value)
        {
            node.versions.push((key.into(), version));
        }
    }
    if kind == Kind::Node {
        reader.missing(root);
        reader.misspelled(root);
        reader.shapes(root);
        reader.identity(root);
    }
    models(root, &mut node);
    topics::read(&mut reader, root, &mut node);
    node.routing = routing::read(&mut reader, root);
    reader.dependencies(root, &mut node);
    reader.errors(root, &mut node);
    reader.operations(root, &mut node);
    node.machines = machine::read(&mut reader, root);
    node.descriptor = settings(root.get("descriptor"));
    node.metadata = settings(root.get("metadata"));
    reader.placeholders(root);
    node
}

struct Reader<'r> {
    file: &'r Arc<str>,
    found: &'r mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn warn(&mut self, code: Code, at: At, message: impl Into<String>, hint: Option<String>) {
        let mut diagnostic = Diagnostic::new(code, at, message);
        if diagnostic.severity == Severity::Error {
            // The rest of the manifest is made all the same.
            diagnostic.severity = Severity::Warning;
        }
        diagnostic.hint = hint;
        self.found.push(diagnostic);
    }

    fn wrong(&mut self, pointer: &str, value: &Value<'_>, expected: &str) {
        let name = pointer.rsplit('/').next().unwrap_or(pointer);
        // Null stands where somebody wrote a key and nothing behind it: the key marks the place.
        let at =
            if matches!(value.data, Data::Null) { At::key(self.file, pointer) } else { At::value(self.file, pointer) };
        let message = format!("`{name}` must be {expected}, not {}", value.kind());
        let hint = match &value.data {
            Data::Null => Some("fill it in, or leave the key out".to_owned()),
            Data::Number(text) if expected.starts_with("a name") || expected.starts_with("a text") => {
                Some(format!("quote it: `\"{text}\"`"))
            }
            Data::String(text) if expected.starts_with("a list") && text.len() < 60 => {
                Some(format!("write `[{text}]`"))
            }
            _ => Some(format!("expected {expected}")),
        };
        self.warn(Code::WrongType, at, message, hint);
    }

    fn names(&mut self, root: &Value<'_>, kind: Kind, node: &mut NodeManifest) {
        for key in NAMES {
            let Some(value) = root.get(key) else { continue };
            match &value.data {
                Data::String(text) if !text.trim().is_empty() => node.names.push((key.into(), text.trim().into())),
                Data::Null => {}
                _ => self.wrong(&format!("/{key}"), value, "a name"),
            }
        }
        if let Some((key, first)) = node.names.first().cloned() {
            for (other, name) in node.names.iter().skip(1) {
                if *name != first && NAMES[..3].contains(&&**other) {
                    let message =
                        format!("`{other}` is `{name}`, but `{key}` is `{first}`; the node is called `{first}`");
                    let at = At::value(self.file, &format!("/{other}"));
                    self.warn(Code::DifferingNames, at, message, None);
                }
            }
            node.name = first;
        } else if kind != Kind::Wire {
            let unit = omnigen_ir::naming::Unit::new(self.file, "");
            node.name = unit.stem.into();
        } else {
            node.name = root.get("topic").and_then(Value::as_str).unwrap_or_default().into();
        }
    }

    /// Keys that nearly all contracts have.
    fn missing(&mut self, root: &Value<'_>) {
        let stated = |names: &[&str]| names.iter().any(|name| root.get(name).is_some());
        let mut missing = Vec::new();
        if !stated(&NAMES) {
            missing.push("name");
        }
        if !stated(&["contract_version", "version", "node_version", "schema_version"]) {
            missing.push("contract_version");
        }
        if !stated(&["node_type", "node_kind"]) {
            missing.push("node_type");
        }
        if missing.is_empty() {
            return;
        }
        let names = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        let names = match names.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
            names => names.concat(),
        };
        let message = format!("a node contract has {names}; this one does not say");
        // Where it would stand.
        let top = root.members().and_then(|members| members.first()).map(|first| {
            let mut pointer = String::new();
            push_token(&mut pointer, &first.name);
            pointer
        });
        let at = At::key(self.file, &top.unwrap_or_default());
        self.warn(Code::MissingKey, at, message, Some("add it at the top of the file".to_owned()));
    }

    /// What is text, or a list of texts, in all contracts.
    fn shapes(&mut self, root: &Value<'_>) {
        for key in TEXTS {
            if let Some(value) = root.get(key)
                && !matches!(value.data, Data::String(_) | Data::Null)
            {
                self.wrong(&format!("/{key}"), value, "a text");
            }
        }
        for key in LISTS {
            match root.get(key).map(|value| (value, &value.data)) {
                Some((_, Data::Array(items))) => {
                    for (index, item) in items.iter().enumerate() {
                        if !matches!(item.data, Data::String(_) | Data::Object(_)) {
                            self.entry(&indexed(&format!("/{key}"), index), key, item, "a text");
                        }
                    }
                }
                Some((_, Data::Null | Data::Object(_))) | None => {}
                Some((value, _)) => self.wrong(&format!("/{key}"), value, "a list of texts"),
            }
        }
    }

    /// An entry of a list that is not what it should be.
    fn entry(&mut self, pointer: &str, list: &str, value: &Value<'_>, expected: &str) {
        let message = format!("an entry of `{list}` must be {expected}, not {}", value.kind());
        let hint = match &value.data {
            Data::Number(text) if expected == "a text" => format!("quote it: `\"{text}\"`"),
            _ => format!("expected {expected}"),
        };
        self.warn(Code::WrongType, At::value(self.file, pointer), message, Some(hint));
    }

    /// Keys that are nearly those that something is made of.
    fn misspelled(&mut self, root: &Value<'_>) {
        for part in root.members().unwrap_or_default() {
            let name = &*part.name;
            if KEYS.contains(&name) || NAMES.contains(&name) || name.len() < 5 {
                continue;
            }
            let unsaid = KEYS.iter().copied().filter(|key| root.get(key).is_none());
            if let Some(meant) = omnigen_report::nearest(name, unsaid, if name.len() < 9 { 1 } else { 2 }) {
                let mut pointer = String::new();
                push_token(&mut pointer, name);
                let message = format!("nothing is made of `{name}`");
                let hint = Some(format!("did you mean `{meant}`?"));
                self.warn(Code::MisspelledKeyword, At::key(self.file, &pointer), message, hint);
            }
        }
    }

    /// A version: a map, a text, or a whole number.
    fn version(&mut self, pointer: &str, value: &Value<'_>) -> Option<Version> {
        let expected = "a version such as `{major: 1, minor: 0, patch: 0}` or \"1.0.0\"";
        let number = |value: &Value<'_>| match &value.data {
            Data::Number(text) => text.parse().ok(),
            Data::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let version = match &value.data {
            Data::Object(_) => {
                let part = |name: &str| value.get(name).map_or(Some(0), number);
                match (value.get("major").and_then(number), part("minor"), part("patch")) {
                    (Some(major), Some(minor), Some(patch)) => {
                        let text = value.get("prerelease").and_then(Value::as_str).unwrap_or_default();
                        Some(Version { major, minor, patch, prerelease: text.into() })
                    }
                    _ => None,
                }
            }
            Data::String(text) | Data::Number(text) => parse_version(text),
            _ => None,
        };
        if version.is_none() {
            match &value.data {
                Data::Object(_) | Data::String(_) => {
                    let name = pointer.rsplit('/').next().unwrap_or(pointer);
                    let message = format!("`{name}` is no version");
                    let hint = Some(format!("expected {expected}"));
                    self.warn(Code::WrongType, At::value(self.file, pointer), message, hint);
                }
                _ => self.wrong(pointer, value, expected),
            }
        }
        version
    }

    fn dependencies(&mut self, root: &Value<'_>, node: &mut NodeManifest) {
        match root.get("dependencies").map(|value| (value, &value.data)) {
            None => {}
            Some((_, Data::Array(items))) => {
                for (index, item) in items.iter().enumerate() {
                    match &item.data {
                        Data::Object(_) => node.dependencies.extend(self.dependency(item, index)),
                        Data::String(name) => node.dependencies.push(Dependency {
                            name: name.as_ref().into(),
                            required: true,
                            ..Dependency::default()
                        }),
                        _ => {
                            let at = indexed("/dependencies", index);
                            self.entry(&at, "dependencies", item, "a name, or a map with a `name`");
                        }
                    }
                }
            }
            Some((_, Data::Object(members))) => {
                for group in members {
                    let Data::Array(items) = &group.value.data else { continue };
                    let kind = match &*group.name {
                        "packages" => "package",
                        "nodes" => "node",
                        "commands" => "command",
                        "required" | "optional" => "",
                        other => other,
                    };
                    for item in items {
                        let name = item.as_str().or_else(|| item.get("name")?.as_str());
                        let Some(name) = name else { continue };
                        let required = group.name != "optional" && flag(item, "required").unwrap_or(true);
                        let description = description(item).or_else(|| Some(item.get("reason")?.as_str()?.into()));
                        node.dependencies.push(Dependency {
                            name: name.into(),
                            kind: kind.into(),
                            required,
                            version: text(item, "version").unwrap_or_default().into(),
                            description,
                            ..Dependency::default()
                        });
                    }
                }
            }
            Some((_, Data::Null)) => {}
            Some((value, _)) => self.wrong("/dependencies", value, "a list"),
        }
        for part in root.get("env_dependencies").and_then(Value::members).unwrap_or_default() {
            node.dependencies.push(Dependency {
                name: part.name.as_ref().into(),
                kind: "environment".into(),
                required: flag(&part.value, "required").unwrap_or(true),
                description: description(&part.value),
                ..Dependency::default()
            });
        }
    }

    fn dependency(&mut self, item: &Value<'_>, index: usize) -> Option<Dependency> {
        let name = ["name", "class_name", "env_var", "node_name", "protocol", "library"]
            .iter()
            .find_map(|key| text(item, key));
        let parts = ["name", "type", "dependency_type", "target", "module", "class_name", "protocol", "version"];
        let mut odd = false;
        for key in parts {
            if let Some(value) = item.get(key)
                && !matches!(value.data, Data::String(_) | Data::Null | Data::Object(_))
            {
                odd |= key == "name";
                self.wrong(&format!("{}/{key}", indexed("/dependencies", index)), value, "a text");
            }
        }
        let Some(name) = name else {
            if odd {
                return None;
            }
            let at = At::value(self.file, &indexed("/dependencies", index));
            self.warn(Code::MissingKey, at, "a dependency needs a `name`", None);
            return None;
        };
        let module = text(item, "module").unwrap_or_default();
        let class = text(item, "class_name").or_else(|| text(item, "function")).unwrap_or_default();
        let target = match (module, class) {
            ("", "") => ["protocol", "node_name", "env_var", "library", "key", "target", "seam_schema"]
                .iter()
                .find_map(|key| text(item, key))
                .unwrap_or_default()
                .to_owned(),
            ("", class) => class.to_owned(),
            (module, "") => module.to_owned(),
            (module, class) => format!("{module}.{class}"),
        };
        let optional = flag(item, "optional").unwrap_or(false);
        Some(Dependency {
            name: name.into(),
            kind: text(item, "type").or_else(|| text(item, "dependency_type")).unwrap_or_default().into(),
            target: target.into(),
            required: flag(item, "required").unwrap_or(!optional),
            version: text(item, "version").unwrap_or_default().into(),
            description: description(item),
        })
    }

    fn errors(&mut self, root: &Value<'_>, node: &mut NodeManifest) {
        let handling = match root.get("error_handling") {
            Some(value @ Value { data: Data::Object(_), .. }) => Some(value),
            Some(value) => {
                self.wrong("/error_handling", value, "a map");
                None
            }
            None => None,
        };
        let policy = handling.and_then(|handling| handling.get("retry_policy")).or_else(|| root.get("retry_policy"));
        let policy = policy.or_else(|| root.get("descriptor")?.get("retry_policy"));
        match policy {
            Some(value @ Value { data: Data::Object(_), .. }) => {
                node.retry = Some(Retry { settings: settings(Some(value)) });
            }
            Some(value) => self.wrong("/error_handling/retry_policy", value, "a map such as `{max_retries: 3}`"),
            None => {}
        }
        let Some(Data::Array(items)) = handling.and_then(|h| h.get("error_types")).map(|types| &types.data) else {
            return;
        };
        for item in items {
            let Some(name) = text(item, "name").or_else(|| item.as_str()) else { continue };
            node.errors.push(ErrorType {
                name: name.into(),
                code: text(item, "error_code").unwrap_or_default().into(),
                recoverable: flag(item, "recoverable").unwrap_or(false),
                retry_strategy: text(item, "retry_strategy").unwrap_or_default().into(),
                description: description(item),
            });
        }
    }

    fn operations(&mut self, root: &Value<'_>, node: &mut NodeManifest) {
        for key in ["io_operations", "operations"] {
            match root.get(key).map(|value| (value, &value.data)) {
                None | Some((_, Data::Null)) => {}
                Some((_, Data::Array(items))) => {
                    for (index, item) in items.iter().enumerate() {
                        let Some(name) = operation_name(item).or_else(|| item.as_str()) else {
                            let at = At::value(self.file, &indexed(&format!("/{key}"), index));
                            self.warn(Code::MissingKey, at, "an operation needs an `operation` or a `name`", None);
                            continue;
                        };
                        let method = ["handler_method", "protocol_method", "method"].iter().find_map(|k| text(item, k));
                        let operation = Operation {
                            name: name.into(),
                            idempotent: flag(item, "idempotent"),
                            method: method.unwrap_or_default().into(),
                            inputs: field_names(item.get("input_fields").or_else(|| item.get("inputs"))),
                            outputs: field_names(item.get("output_fields").or_else(|| item.get("outputs"))),
                            description: description(item),
                        };
                        if node.operations.iter().all(|known| known.name != operation.name) {
                            node.operations.push(operation);
                        }
                    }
                }
                Some((_, Data::Object(_))) => {}
                Some((value, _)) => self.wrong(&format!("/{key}"), value, "a list of operations"),
            }
        }
        match root.get("capabilities").map(|value| (value, &value.data)) {
            Some((_, Data::Array(items))) => {
                for item in items {
                    let Some(name) = item.as_str().or_else(|| text(item, "name")) else { continue };
                    node.capabilities.push(Capability {
                        name: name.into(),
                        version: text(item, "version").unwrap_or_default().into(),
                        description: description(item),
                    });
                }
            }
            Some((_, Data::String(name))) => {
                node.capabilities.push(Capability { name: name.as_ref().into(), ..Capability::default() });
            }
            _ => {}
        }
    }

    /// Keys that somebody forgot to replace.
    fn placeholders(&mut self, root: &Value<'_>) {
        let mut path = String::new();
        self.placeholders_in(root, &mut path, 16);
    }

    fn placeholders_in(&mut self, value: &Value<'_>, path: &mut String, depth: usize) {
        if depth == 0 {
            return;
        }
        for part in value.members().unwrap_or_default() {
            let length = path.len();
            push_token(path, &part.name);
            if is_placeholder(&part.name) {
                let message = format!("`{}` looks like the placeholder of a template", part.name);
                let at = At::key(self.file, path);
                self.warn(Code::PlaceholderKey, at, message, Some("replace it, or take it out".to_owned()));
            }
            self.placeholders_in(&part.value, path, depth - 1);
            path.truncate(length);
        }
    }
}

fn is_placeholder(name: &str) -> bool {
    let shouted = name.len() > 4 && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    (shouted && ["TEMPLATE_", "PLACEHOLDER", "REPLACE_", "CHANGE_ME", "TODO"].iter().any(|p| name.starts_with(p)))
        || (name.starts_with("{{") && name.ends_with("}}"))
        || (name.starts_with('<') && name.ends_with('>') && name.len() > 2)
}

fn models(root: &Value<'_>, node: &mut NodeManifest) {
    for role in ["input_model", "output_model", "state_model", "metadata_model"] {
        node.models.extend(root.get(role).and_then(|value| model(role, value)));
    }
    if let Some(Data::Array(items)) = root.get("output_models").map(|value| &value.data) {
        node.models.extend(items.iter().filter_map(|item| model("output_models", item)));
    }
}

fn model(role: &str, value: &Value<'_>) -> Option<ModelUse> {
    let (module, class) = class_of(value)?;
    Some(ModelUse { role: role.into(), module: module.into(), class: class.into() })
}

/// Module and name of a class: `{name, module}`, or a text with dots.
fn class_of<'v>(value: &'v Value<'_>) -> Option<(&'v str, &'v str)> {
    match &value.data {
        Data::String(path) => Some(path.rsplit_once('.').unwrap_or(("", path))),
        Data::Object(_) => {
            let name = ["name", "type_name", "class_name", "class"].iter().find_map(|key| text(value, key))?;
            Some((text(value, "module").unwrap_or_default(), name))
        }
        _ => None,
    }
}

/// `1.2.3`, `1.2`, `1`, with `-rc.1` behind.
fn parse_version(text: &str) -> Option<Version> {
    let text = text.trim().trim_start_matches('v');
    let text = text.split('+').next().unwrap_or(text);
    let (numbers, prerelease) = text.split_once('-').unwrap_or((text, ""));
    let mut parts = numbers.split('.').map(|part| part.parse::<u64>().ok());
    let version = Version {
        major: parts.next()??,
        minor: parts.next().unwrap_or(Some(0))?,
        patch: parts.next().unwrap_or(Some(0))?,
        prerelease: prerelease.into(),
    };
    parts.next().is_none().then_some(version)
}

fn indexed(folder: &str, index: usize) -> String {
    let mut pointer = folder.to_owned();
    push_index(&mut pointer, index);
    pointer
}

/// Names of fields as an operation lists them.
fn field_names(value: Option<&Value<'_>>) -> Vec<Box<str>> {
    match value.map(|value| &value.data) {
        Some(Data::Array(items)) => items
            .iter()
            .filter_map(|item| match &item.data {
                Data::String(name) => Some(name.split(": ").next().unwrap_or(name).trim().into()),
                Data::Object(members) => match (members.as_slice(), text(item, "name")) {
                    ([_, _, ..], Some(name)) => Some(name.into()),
                    ([one, ..], _) => Some(one.name.as_ref().into()),
                    ([], _) => None,
                },
                _ => None,
            })
            .collect(),
        Some(Data::Object(members)) => members.iter().map(|member| member.name.as_ref().into()).collect(),
        _ => Vec::new(),
    }
}

fn text<'v>(value: &'v Value<'_>, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn flag(value: &Value<'_>, key: &str) -> Option<bool> {
    match value.get(key)?.data {
        Data::Bool(flag) => Some(flag),
        _ => None,
    }
}

fn description(value: &Value<'_>) -> Option<Box<str>> {
    ["description", "contract_description", "summary", "title"].iter().find_map(|key| text(value, key)).map(Into::into)
}

/// Plain values of a map; what is a map itself is left out.
fn settings(value: Option<&Value<'_>>) -> Vec<(Box<str>, Setting)> {
    let setting = |value: &Value<'_>| match &value.data {
        Data::String(text) => Some(Setting::Text(text.trim().into())),
        Data::Number(text) => omnigen_ir::Number::new(text).map(|number| Setting::Number(number.text().into())),
        Data::Bool(flag) => Some(Setting::Flag(*flag)),
        Data::Array(items) => {
            let texts: Option<Vec<Box<str>>> = items.iter().map(|item| item.as_str().map(Into::into)).collect();
            texts.map(Setting::Texts)
        }
        Data::Null | Data::Object(_) => None,
    };
    let members = value.and_then(Value::members).unwrap_or_default();
    members.iter().filter_map(|member| Some((member.name.as_ref().into(), setting(&member.value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let shown = |text: &str| parse_version(text).map(|v| (v.major, v.minor, v.patch, v.prerelease.to_string()));
        assert_eq!(shown("1.2.3"), Some((1, 2, 3, String::new())));
        assert_eq!(shown("v1.2"), Some((1, 2, 0, String::new())));
        assert_eq!(shown("2"), Some((2, 0, 0, String::new())));
        assert_eq!(shown("1.0.0-rc.1+5"), Some((1, 0, 0, "rc.1".to_owned())));
        for text in ["", "one", "1.2.3.4", "1..2", "-1.0.0"] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn placeholders() {
        for (name, is) in [
            ("TEMPLATE_REQUIRED_FIELD", true),
            ("{{node_name}}", true),
            ("<name>", true),
            ("TODO_FIELD", true),
            ("LLM_CODER_URL", false),
            ("template_node", false),
        ] {
            assert_eq!(is_placeholder(name), is, "{name}");
        }
    }
}
