//! The manifest of a node as a Python module: constants, enumerations, tables.
//!
//! Made of the standard library alone: whoever needs a topic's name or a state machine does not load Pydantic. Every module
//! stands alone, so the small classes that its tables are made of are written out in it.

use std::collections::{BTreeMap, BTreeSet};

use omnigen_ir::naming::{identifier, pascal, snake};
use omnigen_ir::{Contract, Machine, NodeManifest, Setting, Topic, TopicRole, Version};
use omnigen_report::{At, Code, Diagnostic};

use crate::layout::{Doc, Writer, string};
use crate::{Emitted, Settings};

/// The module `node_<stem>.py` of a contract.
pub fn nodes(contract: &Contract<'_>, node: &NodeManifest, settings: &Settings) -> Emitted {
    let mut module = Module {
        contract: *contract,
        classes: Writer::new(settings.line_length),
        constants: Writer::new(settings.line_length),
        functions: Writer::new(settings.line_length),
        uses: BTreeSet::new(),
        diagnostics: Vec::new(),
    };
    module.head(node);
    module.topics(&node.topics);
    module.routing(node);
    module.operations(node);
    module.machines(&node.machines);
    module.rest(node);
    module.finish(node)
}

/// What may be imported.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Enum,
    NamedTuple,
}

struct Module<'a> {
    contract: Contract<'a>,
    classes: Writer,
    constants: Writer,
    functions: Writer,
    uses: BTreeSet<Use>,
    diagnostics: Vec<Diagnostic>,
}

impl Module<'_> {
    fn finish(self, node: &NodeManifest) -> Emitted {
        let width = self.constants.width();
        let mut out = Writer::with_capacity(width, 1024);
        let name: String = node.name.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
        crate::pydantic::docstring::write(&mut out, &format!("The node `{name}`, as its contract describes it."));
        out.line("");
        out.line("from __future__ import annotations");
        out.line("");
        if self.uses.contains(&Use::Enum) {
            out.line("from enum import Enum");
        }
        out.line(if self.uses.contains(&Use::NamedTuple) {
            "from typing import Final, NamedTuple"
        } else {
            "from typing import Final"
        });
        let mut text = out.finish();
        let (classes, constants, functions) = (self.classes.finish(), self.constants.finish(), self.functions.finish());
        text.push_str(&classes);
        text.push_str(if classes.is_empty() { "\n" } else { "\n\n" });
        text.push_str(constants.trim_start_matches('\n'));
        text.push_str(&functions);
        Emitted { body: text, diagnostics: self.diagnostics }
    }

    fn constant(&mut self, name: &str, annotation: &'static str, value: Doc) {
        self.constants.assignment(&format!("{name}: "), &Doc::text(annotation), &value);
    }

    fn text(&mut self, name: &str, value: &str) {
        self.constant(name, "Final", Doc::text(string(value)));
    }

    fn documented(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            crate::pydantic::docstring::write(&mut self.constants, text);
        }
    }

    /// A table: one row a line.
    fn table(&mut self, name: &str, class: &str, rows: &[Doc]) {
        if let [row] = rows {
            let annotation = Doc::text(format!("Final[tuple[{class}, ...]]"));
            let row = Doc::group("(", vec![row.clone()], ",)");
            return self.constants.assignment(&format!("{name}: "), &annotation, &row);
        }
        self.constants.exploded(&format!("{name}: Final[tuple[{class}, ...]] = "), "(", rows, ")");
    }

    /// A class of named columns. Those with a default come last.
    fn columns(&mut self, class: &str, about: &str, columns: &[(&str, &str, Option<&str>)]) {
        self.uses.insert(Use::NamedTuple);
        let out = &mut self.classes;
        out.line("");
        out.line("");
        out.line(&format!("class {class}(NamedTuple):"));
        out.indent();
        out.line(&format!("\"\"\"{about}\"\"\""));
        out.line("");
        for (name, r#type, default) in columns {
            match default {
                Some(default) => out.line(&format!("{name}: {type} = {default}")),
                None => out.line(&format!("{name}: {type}")),
            }
        }
        out.dedent();
    }

    /// A class whose members are constants of the contract, under names made of them. Gives back the names by value.
    fn enumeration(&mut self, class: &str, about: &str, members: &[(&str, Option<&str>)]) -> BTreeMap<String, String> {
        self.uses.insert(Use::Enum);
        let mut names = BTreeMap::new();
        let mut taken: BTreeMap<String, &str> = BTreeMap::new();
        let out = &mut self.classes;
        out.line("");
        out.line("");
        out.line(&format!("class {class}(Enum):"));
        out.indent();
        out.line(&format!("\"\"\"{about}\"\"\""));
        out.line("");
        let mut documented = false;
        for (value, description) in members {
            let name = constant_name(value);
            if let Some(other) = taken.insert(name.clone(), value) {
                let message = format!("`{value}` and `{other}` would both be `{class}.{name}`");
                let at = At::file(self.contract.file);
                self.diagnostics.push(Diagnostic::new(Code::NameCollision, at, message).hint("rename one of them"));
                continue;
            }
            if documented {
                out.line("");
            }
            out.assignment(&name, &Doc::text(""), &Doc::text(string(value)));
            names.insert((*value).to_owned(), format!("{class}.{name}"));
            documented = description.is_some();
            if let Some(description) = description {
                crate::pydantic::docstring::write(out, description);
            }
        }
        out.dedent();
        names
    }

    fn head(&mut self, node: &NodeManifest) {
        self.text("NAME", &node.name);
        for (key, name) in node.names.iter().filter(|(key, _)| &**key != "name") {
            self.text(&constant_name(key), name);
        }
        if let (Some(kind), Some(stated)) = (&node.kind, &node.node_type) {
            self.text("KIND", kind);
            self.text("NODE_TYPE", stated);
        }
        if let Some(description) = &node.description {
            self.text("DESCRIPTION", &one_line(description));
        }
        if !node.versions.is_empty() {
            let pre = node.versions.iter().any(|(_, version)| !version.prerelease.is_empty());
            let mut columns = vec![("major", "int", None), ("minor", "int", None), ("patch", "int", None)];
            if pre {
                columns.push(("prerelease", "str", Some("\"\"")));
            }
            self.columns("Version", "A semantic version.", &columns);
        }
        for (key, version) in &node.versions {
            self.constant(&constant_name(key), "Final", version_doc(version));
        }
        let mut roles: Vec<(&str, Vec<String>)> = Vec::new();
        for model in &node.models {
            let path = if model.module.is_empty() {
                model.class.to_string()
            } else {
                format!("{}.{}", model.module, model.class)
            };
            match roles.iter_mut().find(|(role, _)| *role == &*model.role) {
                Some((_, paths)) => paths.push(path),
                None => roles.push((&model.role, vec![path])),
            }
        }
        for (role, paths) in roles {
            if role == "output_models" {
                let rows: Vec<Doc> = paths.iter().map(|path| Doc::text(string(path))).collect();
                self.table("OUTPUT_MODELS", "str", &rows);
            } else if let Some(path) = paths.first() {
                self.text(&constant_name(role), path);
            }
        }
    }

    fn topics(&mut self, topics: &[Topic]) {
        if topics.is_empty() {
            return;
        }
        let names = topic_names(topics);
        self.constants.line("");
        let mut written = BTreeSet::new();
        let mut documented = false;
        for topic in topics {
            if !written.insert(&*topic.name) {
                continue;
            }
            if documented {
                self.constants.line("");
            }
            self.text(&names[&*topic.name], &topic.name);
            let same = topics.iter().filter(|other| other.name == topic.name);
            let about = same.filter_map(|other| other.description.as_deref()).next();
            documented = about.is_some();
            self.documented(about);
        }
        self.constants.line("");
        for (role, name) in [
            (TopicRole::Published, "PUBLISHED_TOPICS"),
            (TopicRole::Subscribed, "SUBSCRIBED_TOPICS"),
            (TopicRole::DeadLetter, "DEAD_LETTER_TOPICS"),
            (TopicRole::Terminal, "TERMINAL_TOPICS"),
            (TopicRole::Success, "SUCCESS_TOPICS"),
            (TopicRole::Failure, "FAILURE_TOPICS"),
        ] {
            let rows: Vec<Doc> = topics
                .iter()
                .filter(|topic| topic.role == role)
                .map(|topic| Doc::text(names[&*topic.name].clone()))
                .collect();
            if !rows.is_empty() {
                self.table(name, "str", &rows);
            }
        }
        let mut schemas: Vec<(&str, &str)> = Vec::new();
        for topic in topics {
            if let Some(schema) = &topic.schema
                && schemas.iter().all(|(known, _)| *known != &*topic.name)
            {
                schemas.push((&topic.name, schema));
            }
        }
        if !schemas.is_empty() {
            let pair = |(topic, schema): &(&str, &str)| {
                Doc::Concat(vec![Doc::text(names[*topic].clone()), Doc::text(": "), Doc::text(string(schema))])
            };
            let rows: Vec<Doc> = schemas.iter().map(pair).collect();
            self.constants.exploded("TOPIC_SCHEMAS: Final[dict[str, str]] = ", "{", &rows, "}");
        }
    }

    fn routing(&mut self, node: &NodeManifest) {
        let Some(routing) = &node.routing else { return };
        if routing.default.is_some() || !routing.routes.is_empty() {
            self.columns(
                "Handler",
                "Who handles something.",
                &[("name", "str", None), ("module", "str", Some("\"\"")), ("kind", "str", Some("\"\""))],
            );
        }
        self.constants.line("");
        if let Some(strategy) = &routing.strategy {
            self.text("ROUTING_STRATEGY", strategy);
        }
        if let Some(default) = &routing.default {
            self.constant("DEFAULT_HANDLER", "Final", handler(default));
        }
        if routing.routes.is_empty() {
            return;
        }
        self.columns(
            "Route",
            "What a handler gets: everything whose `by` is `key`.",
            &[
                ("by", "str", None),
                ("key", "str", None),
                ("handler", "Handler", None),
                ("model", "str", Some("\"\"")),
                ("topic", "str", Some("\"\"")),
                ("output_events", "tuple[str, ...]", Some("()")),
                ("operations", "tuple[str, ...]", Some("()")),
                ("priority", "float | None", Some("None")),
                ("description", "str", Some("\"\"")),
            ],
        );
        let rows: Vec<Doc> = routing
            .routes
            .iter()
            .map(|route| {
                let mut row = Row::new("Route");
                row.text("by", &route.by);
                row.text("key", &route.key);
                row.value("handler", handler(&route.handler));
                row.given("model", &route.model);
                row.given("topic", &route.topic);
                row.texts("output_events", &route.output_events);
                row.texts("operations", &route.operations);
                if let Some(number) = omnigen_ir::Number::new(&route.priority) {
                    row.value("priority", Doc::text(number.python_as_written()));
                }
                row.about(route.description.as_deref());
                row.doc()
            })
            .collect();
        self.table("ROUTES", "Route", &rows);
    }

    fn operations(&mut self, node: &NodeManifest) {
        if node.operations.is_empty() {
            return;
        }
        let members: Vec<(&str, Option<&str>)> =
            node.operations.iter().map(|operation| (&*operation.name, operation.description.as_deref())).collect();
        let names = self.enumeration("Operation", "What the node can be asked to do.", &members);
        self.columns(
            "OperationInfo",
            "What the contract says about an operation.",
            &[
                ("operation", "Operation", None),
                ("idempotent", "bool | None", Some("None")),
                ("method", "str", Some("\"\"")),
                ("inputs", "tuple[str, ...]", Some("()")),
                ("outputs", "tuple[str, ...]", Some("()")),
            ],
        );
        let rows: Vec<Doc> = node
            .operations
            .iter()
            .filter_map(|operation| {
                let mut row = Row::new("OperationInfo");
                row.items.push(Doc::text(names.get(&*operation.name)?.clone()));
                if let Some(flag) = operation.idempotent {
                    row.value("idempotent", Doc::text(python_flag(flag)));
                }
                row.given("method", &operation.method);
                row.texts("inputs", &operation.inputs);
                row.texts("outputs", &operation.outputs);
                Some(row.doc())
            })
            .collect();
        self.constants.line("");
        self.table("OPERATIONS", "OperationInfo", &rows);
    }

    fn machines(&mut self, machines: &[Machine]) {
        for machine in machines {
            let named = machine_names(machines, machine);
            let members: Vec<(&str, Option<&str>)> =
                machine.states.iter().map(|state| (&*state.name, state.description.as_deref())).collect();
            let about = if machine.name.is_empty() {
                "States of the node.".to_owned()
            } else {
                let shown: String =
                    machine.name.chars().filter(|c| !matches!(c, '"' | '\\') && !c.is_control()).collect();
                format!("States of `{shown}`.")
            };
            let names = self.enumeration(&named.state, &about, &members);
            let state = named.state.as_str();
            self.columns(
                &named.transition,
                "A step from a state (`None`: from any) to another.",
                &[
                    ("source", &format!("{state} | None"), None),
                    ("target", state, None),
                    ("trigger", "str", Some("\"\"")),
                ],
            );
            self.constants.line("");
            if let Some(initial) = machine.initial.as_deref().and_then(|initial| names.get(initial)) {
                self.constant(&format!("INITIAL_{}", named.constant), "Final", Doc::text(initial.clone()));
            }
            let terminal: Vec<Doc> = machine
                .states
                .iter()
                .filter(|state| state.terminal)
                .filter_map(|state| Some(Doc::text(names.get(&*state.name)?.clone())))
                .collect();
            let terminal = if terminal.is_empty() {
                Doc::text("frozenset()")
            } else {
                Doc::group("frozenset(", vec![Doc::group("{", terminal, "}")], ")")
            };
            self.constants.assignment(
                &format!("TERMINAL_{}S: ", named.constant),
                &Doc::text(format!("Final[frozenset[{state}]]")),
                &terminal,
            );
            let rows: Vec<Doc> = machine
                .transitions
                .iter()
                .filter_map(|transition| {
                    let from = match &transition.from {
                        Some(from) => names.get(&**from)?.clone(),
                        None => "None".to_owned(),
                    };
                    let mut items = vec![Doc::text(from), Doc::text(names.get(&*transition.to)?.clone())];
                    if !transition.trigger.is_empty() {
                        items.push(Doc::text(string(&transition.trigger)));
                    }
                    Some(Doc::group(format!("{}(", named.transition), items, ")"))
                })
                .collect();
            if rows.is_empty() {
                self.constants.line(&format!("{}S: Final[tuple[{}, ...]] = ()", named.step, named.transition));
            } else {
                self.table(&format!("{}S", named.step), &named.transition, &rows);
            }
            let out = &mut self.functions;
            out.line("");
            out.line("");
            let arguments = [format!("source: {state}"), format!("target: {state}")].map(Doc::text).to_vec();
            out.statement("def ", &Doc::group(format!("{}(", named.function), arguments, ")"), " -> bool:");
            out.indent();
            out.line("\"\"\"Tell whether one transition leads from a state to another.\"\"\"");
            let test = "step.source in (None, source) and step.target is target";
            let each = format!("for step in {}S", named.step);
            let indent = out.level() * 4;
            if indent + "return any( )".len() + test.len() + each.len() <= out.width() {
                out.line(&format!("return any({test} {each})"));
            } else {
                out.line("return any(");
                out.indent();
                if indent + 4 + test.len() + 1 + each.len() <= out.width() {
                    out.line(&format!("{test} {each}"));
                } else {
                    out.line(test);
                    out.line(&each);
                }
                out.dedent();
                out.line(")");
            }
            out.dedent();
        }
    }

    fn rest(&mut self, node: &NodeManifest) {
        if !node.dependencies.is_empty() {
            self.columns(
                "Dependency",
                "What the node needs.",
                &[
                    ("name", "str", None),
                    ("kind", "str", Some("\"\"")),
                    ("target", "str", Some("\"\"")),
                    ("required", "bool", Some("True")),
                    ("version", "str", Some("\"\"")),
                    ("description", "str", Some("\"\"")),
                ],
            );
            let rows: Vec<Doc> = node
                .dependencies
                .iter()
                .map(|dependency| {
                    let mut row = Row::new("Dependency");
                    row.items.push(Doc::text(string(&dependency.name)));
                    row.given("kind", &dependency.kind);
                    row.given("target", &dependency.target);
                    if !dependency.required {
                        row.value("required", Doc::text("False"));
                    }
                    row.given("version", &dependency.version);
                    row.about(dependency.description.as_deref());
                    row.doc()
                })
                .collect();
            self.constants.line("");
            self.table("DEPENDENCIES", "Dependency", &rows);
        }
        if let Some(retry) = &node.retry {
            self.settings("RetryPolicy", "RETRY_POLICY", "What is tried again, and when.", &retry.settings);
        }
        if !node.errors.is_empty() {
            self.columns(
                "ErrorType",
                "An error that the node declares.",
                &[
                    ("name", "str", None),
                    ("code", "str", Some("\"\"")),
                    ("recoverable", "bool", Some("False")),
                    ("retry_strategy", "str", Some("\"\"")),
                    ("description", "str", Some("\"\"")),
                ],
            );
            let rows: Vec<Doc> = node
                .errors
                .iter()
                .map(|error| {
                    let mut row = Row::new("ErrorType");
                    row.items.push(Doc::text(string(&error.name)));
                    row.given("code", &error.code);
                    if error.recoverable {
                        row.value("recoverable", Doc::text("True"));
                    }
                    row.given("retry_strategy", &error.retry_strategy);
                    row.about(error.description.as_deref());
                    row.doc()
                })
                .collect();
            self.constants.line("");
            self.table("ERROR_TYPES", "ErrorType", &rows);
        }
        if !node.capabilities.is_empty() {
            self.columns(
                "Capability",
                "What the node can do.",
                &[("name", "str", None), ("version", "str", Some("\"\"")), ("description", "str", Some("\"\""))],
            );
            let rows: Vec<Doc> = node
                .capabilities
                .iter()
                .map(|capability| {
                    let mut row = Row::new("Capability");
                    row.items.push(Doc::text(string(&capability.name)));
                    row.given("version", &capability.version);
                    row.about(capability.description.as_deref());
                    row.doc()
                })
                .collect();
            self.constants.line("");
            self.table("CAPABILITIES", "Capability", &rows);
        }
        self.settings("Descriptor", "DESCRIPTOR", "How the node behaves.", &node.descriptor);
        self.settings("Metadata", "METADATA", "About the contract.", &node.metadata);
    }

    /// Plain values by name, as one row of a class of their own.
    fn settings(&mut self, class: &str, name: &str, about: &str, settings: &[(Box<str>, Setting)]) {
        let mut columns: Vec<(String, &str)> = Vec::new();
        let mut items = Vec::new();
        for (key, setting) in settings {
            let column = identifier(snake(key).trim_start_matches('_'));
            if columns.iter().any(|(known, _)| *known == column) || column.starts_with('_') {
                let message = format!("`{key}` cannot be an attribute beside the others; it is left out of `{name}`");
                let mut diagnostic = Diagnostic::new(Code::NameCollision, At::file(self.contract.file), message);
                diagnostic.severity = omnigen_report::Severity::Warning;
                self.diagnostics.push(diagnostic);
                continue;
            }
            let (r#type, value) = match setting {
                Setting::Text(text) => ("str", Doc::text(string(text))),
                Setting::Number(text) => match omnigen_ir::Number::new(text) {
                    Some(number) => {
                        let r#type = if number.is_written_whole() { "int" } else { "float" };
                        (r#type, Doc::text(number.python_as_written()))
                    }
                    None => ("str", Doc::text(string(text))),
                },
                Setting::Flag(flag) => ("bool", Doc::text(python_flag(*flag))),
                Setting::Texts(texts) => ("tuple[str, ...]", tuple(texts)),
            };
            items.push(Doc::Concat(vec![Doc::text(column.clone()), Doc::text("="), value]));
            columns.push((column, r#type));
        }
        if items.is_empty() {
            return;
        }
        let columns: Vec<(&str, &str, Option<&str>)> =
            columns.iter().map(|(name, r#type)| (name.as_str(), *r#type, None)).collect();
        self.columns(class, about, &columns);
        self.constants.line("");
        self.constant(name, "Final", Doc::group(format!("{class}("), items, ")"));
    }
}

/// What belongs to a machine is called: plainly if it is the only one.
pub(crate) struct MachineNames {
    pub(crate) state: String,
    pub(crate) transition: String,
    pub(crate) constant: String,
    pub(crate) step: String,
    pub(crate) function: String,
}

pub(crate) fn machine_names(machines: &[Machine], machine: &Machine) -> MachineNames {
    if machines.len() == 1 {
        return MachineNames {
            state: "State".to_owned(),
            transition: "Transition".to_owned(),
            constant: "STATE".to_owned(),
            step: "TRANSITION".to_owned(),
            function: "can_transition".to_owned(),
        };
    }
    let (name, upper) = (pascal(&machine.key), constant_name(&machine.key));
    MachineNames {
        state: format!("{name}State"),
        transition: format!("{name}Transition"),
        constant: format!("{upper}_STATE"),
        step: format!("{upper}_TRANSITION"),
        function: format!("can_transition_{}", snake(&machine.key)),
    }
}

/// A constant for each topic: the name of the event, with its kind where two have the same, in full where that is not enough.
fn topic_names(topics: &[Topic]) -> BTreeMap<&str, String> {
    let all: BTreeSet<&str> = topics.iter().map(|topic| &*topic.name).collect();
    let forms: [fn(&str) -> String; 3] = [
        |name| {
            let parts: Vec<&str> = name.split('.').collect();
            let event = match parts.as_slice() {
                ["onex", _, _, event @ .., _] if !event.is_empty() => event.join("_"),
                _ => name.trim_start_matches("onex.").to_owned(),
            };
            format!("TOPIC_{}", constant_name(&event))
        },
        |name| {
            let parts: Vec<&str> = name.split('.').collect();
            match parts.as_slice() {
                ["onex", kind, _, event @ .., _] if !event.is_empty() => {
                    format!("TOPIC_{}_{}", constant_name(kind), constant_name(&event.join("_")))
                }
                _ => format!("TOPIC_{}", constant_name(name)),
            }
        },
        |name| format!("TOPIC_{}", constant_name(name.trim_start_matches("onex."))),
    ];
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    let mut left = all;
    for (i, form) in forms.iter().enumerate() {
        let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for topic in &left {
            groups.entry(form(topic)).or_default().push(topic);
        }
        for (name, group) in groups {
            let free = !names.values().any(|known| *known == name);
            if (group.len() == 1 && free) || i + 1 == forms.len() {
                for topic in group {
                    names.insert(topic, name.clone());
                    left.remove(topic);
                }
            }
        }
    }
    // Topics that differ by nothing but their separators.
    let mut seen = BTreeSet::new();
    for (topic, name) in &mut names {
        if !seen.insert(name.clone()) {
            *name = format!("TOPIC_{}", topic.bytes().map(|byte| format!("{byte:02X}")).collect::<String>());
        }
    }
    names
}

/// A row of a table: a call with keyword arguments.
struct Row {
    open: String,
    items: Vec<Doc>,
}

impl Row {
    fn new(class: &str) -> Row {
        Row { open: format!("{class}("), items: Vec::new() }
    }

    fn value(&mut self, name: &'static str, value: Doc) {
        self.items.push(Doc::keyword(name, value));
    }

    fn text(&mut self, name: &'static str, value: &str) {
        self.value(name, Doc::text(string(value)));
    }

    fn given(&mut self, name: &'static str, value: &str) {
        if !value.is_empty() {
            self.text(name, value);
        }
    }

    fn texts(&mut self, name: &'static str, values: &[Box<str>]) {
        if !values.is_empty() {
            self.value(name, tuple(values));
        }
    }

    fn about(&mut self, text: Option<&str>) {
        self.given("description", &one_line(text.unwrap_or_default()));
    }

    fn doc(self) -> Doc {
        Doc::group(self.open, self.items, ")")
    }
}

fn handler(handler: &omnigen_ir::Handler) -> Doc {
    let mut row = Row::new("Handler");
    row.items.push(Doc::text(string(&handler.name)));
    if !handler.module.is_empty() {
        row.items.push(Doc::text(string(&handler.module)));
    }
    row.given("kind", &handler.kind);
    row.doc()
}

fn tuple(texts: &[Box<str>]) -> Doc {
    let items: Vec<Doc> = texts.iter().map(|text| Doc::text(string(text))).collect();
    if items.len() == 1 { Doc::group("(", items, ",)") } else { Doc::group("(", items, ")") }
}

fn version_doc(version: &Version) -> Doc {
    let mut items: Vec<Doc> =
        [version.major, version.minor, version.patch].iter().map(|number| Doc::text(number.to_string())).collect();
    if !version.prerelease.is_empty() {
        items.push(Doc::text(string(&version.prerelease)));
    }
    Doc::group("Version(", items, ")")
}

fn python_flag(flag: bool) -> &'static str {
    if flag { "True" } else { "False" }
}

/// `send-alert`, `sendAlert` → `SEND_ALERT`.
pub(crate) fn constant_name(text: &str) -> String {
    identifier(snake(text)).to_uppercase()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
