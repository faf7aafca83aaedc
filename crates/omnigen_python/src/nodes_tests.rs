//! Tests of a node's manifest: that the module says what the contract says, and that its machines go where they may.

use omnigen_ir::{NodeManifest, TopicRole, Version};

use crate::layout::{Doc, Writer, string};
use crate::nodes::{constant_name, machine_names};

/// What a manifest's tests add to a test module: their imports are the writer's matter.
pub(crate) struct NodeTests<'n> {
    node: &'n NodeManifest,
    /// Constant → its value.
    facts: Vec<(String, Doc)>,
}

impl<'n> NodeTests<'n> {
    pub(crate) fn new(node: &'n NodeManifest) -> NodeTests<'n> {
        let mut facts = vec![("NAME".to_owned(), Doc::text(string(&node.name)))];
        for (key, name) in node.names.iter().filter(|(key, _)| &**key != "name") {
            facts.push((constant_name(key), Doc::text(string(name))));
        }
        if let (Some(kind), Some(stated)) = (&node.kind, &node.node_type) {
            facts.push(("KIND".to_owned(), Doc::text(string(kind))));
            facts.push(("NODE_TYPE".to_owned(), Doc::text(string(stated))));
        }
        let pre = node.versions.iter().any(|(_, version)| !version.prerelease.is_empty());
        facts.extend(node.versions.iter().map(|(key, version)| (constant_name(key), parts(version, pre))));
        for (role, name) in [
            (TopicRole::Published, "PUBLISHED_TOPICS"),
            (TopicRole::Subscribed, "SUBSCRIBED_TOPICS"),
            (TopicRole::DeadLetter, "DEAD_LETTER_TOPICS"),
            (TopicRole::Terminal, "TERMINAL_TOPICS"),
            (TopicRole::Success, "SUCCESS_TOPICS"),
            (TopicRole::Failure, "FAILURE_TOPICS"),
        ] {
            let topics: Vec<Doc> = node
                .topics
                .iter()
                .filter(|topic| topic.role == role)
                .map(|topic| Doc::text(string(&topic.name)))
                .collect();
            if !topics.is_empty() {
                facts.push((name.to_owned(), tuple(topics)));
            }
        }
        if let Some(strategy) = node.routing.as_ref().and_then(|routing| routing.strategy.as_deref()) {
            facts.push(("ROUTING_STRATEGY".to_owned(), Doc::text(string(strategy))));
        }
        NodeTests { node, facts }
    }

    /// The tables that the tests go through.
    pub(crate) fn tables(&self, out: &mut Writer) {
        let entry = |key: String, value: Doc| Doc::Concat(vec![Doc::text(key), Doc::text(": "), value]);
        let facts: Vec<Doc> = self.facts.iter().map(|(name, value)| entry(string(name), value.clone())).collect();
        out.exploded("FACTS: dict[str, object] = ", "{", &facts, "}");
    }

    /// The tests.
    pub(crate) fn functions(&self, out: &mut Writer) {
        let head = |out: &mut Writer, name: &str, about: &str| {
            out.line("");
            out.line("");
            out.line(&format!("def test_{name}() -> None:"));
            out.indent();
            out.line(&format!("\"\"\"{about}\"\"\""));
        };
        head(out, "facts", "The manifest says what the contract says.");
        out.line("assert {name: getattr(node, name) for name in FACTS} == FACTS");
        out.dedent();
        let node = self.node;
        let list =
            |texts: &mut dyn Iterator<Item = &str>| -> Vec<Doc> { texts.map(|text| Doc::text(string(text))).collect() };
        if let Some(routing) = &node.routing
            && !(routing.routes.is_empty() && routing.default.is_none())
        {
            head(out, "routing", "Each message goes to the handler that the contract names.");
            if !routing.routes.is_empty() {
                let routes: Vec<Doc> = routing
                    .routes
                    .iter()
                    .map(|route| {
                        let texts = [&route.by, &route.key, &route.handler.name, &route.handler.module];
                        tuple(list(&mut texts.into_iter().map(|text| &**text)))
                    })
                    .collect();
                out.exploded("expected = ", "[", &routes, "]");
                out.line("found = [");
                out.line("    (route.by, route.key, route.handler.name, route.handler.module)");
                out.line("    for route in node.ROUTES");
                out.line("]");
                out.line("assert found == expected");
            }
            if let Some(default) = &routing.default {
                let texts = [&*default.name, &*default.module];
                out.statement("default = ", &tuple(list(&mut texts.into_iter())), "");
                out.line("assert node.DEFAULT_HANDLER[:2] == default");
            }
            out.dedent();
        }
        for (name, about, found, expected) in [
            (
                "operations",
                "The node can be asked for exactly what the contract lists.",
                "[one.value for one in node.Operation]",
                list(&mut node.operations.iter().map(|operation| &*operation.name)),
            ),
            (
                "dependencies",
                "The node needs exactly what the contract lists.",
                "[one.name for one in node.DEPENDENCIES]",
                list(&mut node.dependencies.iter().map(|dependency| &*dependency.name)),
            ),
        ] {
            if !expected.is_empty() {
                head(out, name, about);
                out.exploded("expected = ", "[", &expected, "]");
                out.line(&format!("assert {found} == expected"));
                out.dedent();
            }
        }
        for machine in &node.machines {
            let named = machine_names(&node.machines, machine);
            head(out, &named.function, "Exactly the transitions of the contract are possible.");
            let mut possible: Vec<(&str, &str)> = Vec::new();
            for source in &machine.states {
                for target in &machine.states {
                    let leads = machine.transitions.iter().any(|step| {
                        step.from.as_deref().is_none_or(|from| *from == *source.name) && *step.to == *target.name
                    });
                    if leads && !possible.contains(&(&source.name, &target.name)) {
                        possible.push((&source.name, &target.name));
                    }
                }
            }
            if possible.is_empty() {
                out.line("possible: set[tuple[str, str]] = set()");
            } else {
                let pairs: Vec<Doc> =
                    possible.iter().map(|(from, to)| tuple(list(&mut [*from, *to].into_iter()))).collect();
                out.exploded("possible = ", "{", &pairs, "}");
            }
            out.line(&format!("for source in node.{}:", named.state));
            out.line(&format!("    for target in node.{}:", named.state));
            out.line("        expected = (source.value, target.value) in possible");
            let call = format!("        assert node.{}(source, target) is expected", named.function);
            if out.level() * 4 + call.len() <= out.width() {
                out.line(&call);
            } else {
                out.line(&format!("        allowed = node.{}", named.function));
                out.line("        assert allowed(source, target) is expected");
            }
            out.dedent();
        }
    }
}

fn tuple(items: Vec<Doc>) -> Doc {
    if items.len() == 1 { Doc::group("(", items, ",)") } else { Doc::group("(", items, ")") }
}

/// A version as the tuple that it is.
fn parts(version: &Version, prerelease: bool) -> Doc {
    let numbers = [version.major, version.minor, version.patch];
    let mut items: Vec<Doc> = numbers.iter().map(|number| Doc::text(number.to_string())).collect();
    if prerelease {
        items.push(Doc::text(string(&version.prerelease)));
    }
    tuple(items)
}
