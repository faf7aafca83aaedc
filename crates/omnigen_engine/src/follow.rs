//! References of one file that lead out of it: to nothing, or round in a circle.

use omnigen_ir::naming::{WRITE, plain_pointer};
use omnigen_ir::{FileId, Link, Node, Place, RefTarget, Reference, Resolve, Schema};
use omnigen_report::{At, Code, Diagnostic};

use crate::trace::Reads;

/// Follows references of one file and reports those that lead out of it to nothing, or round in a circle.
pub(crate) struct Follow<'a, 'db> {
    pub(crate) file: &'a FileId,
    pub(crate) reads: &'a Reads<'db>,
    pub(crate) diagnostics: &'a mut Vec<Diagnostic>,
}

impl Follow<'_, '_> {
    pub(crate) fn schema(&mut self, schema: &Schema) {
        let Some(node) = schema.node() else { return };
        if let Some(reference) = &node.reference {
            let link = self.reads.link(self.file, reference);
            match link {
                Link::To(place) if reference.dynamic.is_none() && place.file != *self.file => self.circle(node, place),
                Link::Dangling if !matches!(reference.target, RefTarget::Dangling) => {
                    let keyword = if reference.dynamic.is_some() { "$dynamicRef" } else { "$ref" };
                    // Forms of one schema have one place in the text, and miss one target.
                    let at = At::value(self.file, &plain_pointer(&format!("{}/{keyword}", node.at)));
                    let message = format!("`{}` leads nowhere", reference.text);
                    let found = Diagnostic::new(Code::DanglingReference, at, message).hint(self.hint(reference));
                    if !self.diagnostics.contains(&found) {
                        self.diagnostics.push(found);
                    }
                }
                Link::To(_) | Link::Dangling | Link::Pending => {}
            }
        }
        node.each_child(&mut |child| self.schema(child));
    }

    /// What to do about a reference that leads to nothing.
    fn hint(&self, reference: &Reference) -> String {
        let RefTarget::Elsewhere { uri, fragment, beside } = &reference.target else {
            return "expected a schema there".to_owned();
        };
        let fragment = fragment.trim_end_matches(WRITE);
        if let Some(file) = self.reads.found(uri, beside.as_deref()) {
            return match fragment {
                "" => format!("{file} is there, but is no schema as a whole: refer to one of those in it"),
                fragment => format!("{file} is there, but has no schema at `{fragment}`"),
            };
        }
        match uri.strip_prefix("file:///") {
            Some(path) if fragment.is_empty() => format!("expected a contract at {path}"),
            Some(path) => format!("expected a schema at {path}#{fragment}"),
            None => match omnigen_contracts::remote::mirror_path(uri) {
                Some(path) => format!(
                    "builds never use the network: `omnigen vendor {uri}` puts a copy at <refs>/{path}, where `refs` in \
                     omnigen.toml (or `--refs`) names the folder"
                ),
                None => "expected a schema with this `$id` among the contracts".to_owned(),
            },
        }
    }

    /// Reports references that lead back to where they started without a step into the data: no validator comes to an end.
    fn circle(&mut self, node: &Node, first: Place) {
        let starts = around(&node.at);
        // Places with the one that led there.
        let mut seen: Vec<(Place, usize)> = vec![(first, 0)];
        let mut next = 0;
        while let Some((place, _)) = seen.get(next).filter(|_| next < STATIONS) {
            if place.file == *self.file && starts.contains(&&*place.pointer) {
                let mut path = vec![next];
                while let Some(&at) = path.last().filter(|at| **at != 0) {
                    path.push(seen[at].1);
                }
                let names = path.iter().rev().map(|at| &seen[*at].0).map(|p| format!("{}#{} → ", p.file, p.pointer));
                let start = format!("{}#{}", self.file, place.pointer);
                let route: String = std::iter::once(format!("{start} → ")).chain(names).collect();
                let route = route.strip_suffix(&format!("{start} → ")).unwrap_or(&route);
                let at = At::value(self.file, &format!("{}/$ref", node.at));
                let message = format!("references lead in a circle: {route}back");
                let diagnostic = Diagnostic::new(Code::ReferenceLoop, at, message);
                self.diagnostics.push(diagnostic.hint("one of them has to say something about the data"));
                return;
            }
            let place = place.clone();
            for reference in self.reads.forward(&place) {
                if let Link::To(target) = self.reads.link(&place.file, reference)
                    && !seen.iter().any(|(other, _)| *other == target)
                {
                    seen.push((target, next));
                }
            }
            next += 1;
        }
    }
}

/// So many places of a circle are looked at.
const STATIONS: usize = 64;

/// The pointers of the schemas that ask for what stands at one, of the same data: its own, and those that it is a branch of.
fn around(pointer: &str) -> Vec<&str> {
    let mut list = vec![pointer];
    let mut rest = pointer;
    while let Some((before, token)) = rest.rsplit_once('/') {
        let branch = || before.rsplit_once('/').filter(|(_, keyword)| matches!(*keyword, "allOf" | "anyOf" | "oneOf"));
        rest = match token {
            "not" | "if" => before,
            _ if token.bytes().all(|byte| byte.is_ascii_digit()) => match branch() {
                Some((outer, _)) => outer,
                None => break,
            },
            _ => break,
        };
        list.push(rest);
    }
    list
}
