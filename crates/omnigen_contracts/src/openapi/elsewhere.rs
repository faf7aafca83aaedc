//! Parts of an API description that stand in other files: path items, operations' parameters, bodies, responses, headers and
//! callbacks, put where they are referred to.
//!
//! Schemas are not: they are types of the other file, and what refers to them says so (`ir::Resolve::link`). References within
//! what is put in are written anew, as seen from the document. Texts come from outside, as those of `!include` do.

use std::collections::HashMap;

use omnigen_ir::FileId;
use omnigen_report::{At, Code, Diagnostic};

use super::operations::METHODS;
use crate::include::{Includes, Spliced, height};
use crate::uri::{Parts, beside};
use crate::value::{Data, MAX_DEPTH, Member, Value, push_index, push_token};

/// Parts that refer to parts that refer to parts.
const MAX_LEVELS: usize = 10;
/// Parts of other files in one document, and the values in them all together.
const MAX_PARTS: usize = 20_000;
const MAX_VALUES: usize = 1_000_000;

/// What may stand at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    PathItem,
    Callback,
    Body,
    /// A parameter or header: nothing in it but schemas.
    Leaf,
}

/// Puts parts of other files into a document.
pub(crate) fn splice<'t>(file: &FileId, root: &mut Value<'t>, includes: &'t Includes) -> Spliced {
    let mut splicer =
        Splicer { file, includes, documents: HashMap::new(), spliced: Spliced::default(), parts: 0, values: 0 };
    for (section, part) in [("paths", Part::PathItem), ("webhooks", Part::PathItem)] {
        if let Some(value) = member(root, section) {
            splicer.each(value, &format!("/{section}"), part, 0);
        }
    }
    if let Some(components) = member(root, "components") {
        for (section, part) in [
            ("pathItems", Part::PathItem),
            ("callbacks", Part::Callback),
            ("requestBodies", Part::Body),
            ("responses", Part::Body),
            ("parameters", Part::Leaf),
            ("headers", Part::Leaf),
        ] {
            if let Some(value) = member(components, section) {
                splicer.each(value, &format!("/components/{section}"), part, 0);
            }
        }
    }
    splicer.spliced.asked.sort();
    splicer.spliced.asked.dedup();
    splicer.spliced
}

fn member<'v, 'a>(value: &'v mut Value<'a>, name: &str) -> Option<&'v mut Value<'a>> {
    match &mut value.data {
        Data::Object(members) => members.iter_mut().find(|member| member.name == name).map(|member| &mut member.value),
        _ => None,
    }
}

struct Splicer<'f, 't> {
    file: &'f FileId,
    includes: &'t Includes,
    /// Documents of other files, read once; `None`: there is none.
    documents: HashMap<FileId, Option<Value<'t>>>,
    spliced: Spliced,
    parts: usize,
    values: usize,
}

impl<'t> Splicer<'_, 't> {
    /// All members of a map are such parts. `level`: how many references have led here.
    fn each(&mut self, map: &mut Value<'t>, at: &str, part: Part, level: usize) {
        // The whole map may stand in a file of its own; the specification does not say so, tools allow it.
        let level = self.replaced(map, at, level);
        let Data::Object(members) = &mut map.data else { return };
        for member in members.iter_mut().filter(|member| !member.name.starts_with("x-") && member.name != "$ref") {
            let mut at = at.to_owned();
            push_token(&mut at, &member.name);
            self.part(&mut member.value, &at, part, level);
        }
    }

    fn part(&mut self, value: &mut Value<'t>, at: &str, part: Part, level: usize) {
        let level = self.replaced(value, at, level);
        if level > MAX_LEVELS {
            return;
        }
        match part {
            Part::PathItem => {
                self.list(value, at, level);
                for method in METHODS {
                    let Some(operation) = member(value, method) else { continue };
                    let at = format!("{at}/{method}");
                    self.list(operation, &at, level);
                    if let Some(body) = member(operation, "requestBody") {
                        self.part(body, &format!("{at}/requestBody"), Part::Body, level);
                    }
                    for (section, part) in [("responses", Part::Body), ("callbacks", Part::Callback)] {
                        if let Some(map) = member(operation, section) {
                            self.each(map, &format!("{at}/{section}"), part, level);
                        }
                    }
                }
            }
            Part::Callback => self.each(value, at, Part::PathItem, level),
            Part::Body => {
                if let Some(headers) = member(value, "headers") {
                    self.each(headers, &format!("{at}/headers"), Part::Leaf, level);
                }
            }
            Part::Leaf => {}
        }
    }

    /// The parameters of a path item or an operation.
    fn list(&mut self, owner: &mut Value<'t>, at: &str, level: usize) {
        let Some(Data::Array(items)) = member(owner, "parameters").map(|value| &mut value.data) else { return };
        for (index, item) in items.iter_mut().enumerate() {
            let mut at = format!("{at}/parameters");
            push_index(&mut at, index);
            self.part(item, &at, Part::Leaf, level);
        }
    }

    /// Puts what a reference to another file leads to in the place of the reference; gives the level of what stands there now.
    fn replaced(&mut self, value: &mut Value<'t>, at: &str, level: usize) -> usize {
        let mut level = level;
        while let Some(text) = value.get("$ref").and_then(Value::as_str) {
            let Ok(parts) = Parts::new(text) else { break };
            if parts.scheme.is_some() || parts.authority.is_some() || parts.path.is_empty() {
                break;
            }
            let Some(target) = beside(self.file, parts.path).filter(|target| **target != **self.file) else { break };
            let (target, text) = (FileId::from(target), text.to_owned());
            let at = format!("{at}/$ref");
            level += 1;
            let depth = at.matches('/').count();
            let found = match self.found(&target, &parts.fragment(), level, depth) {
                Ok(Some(found)) => found,
                // Its text was asked for: the result is thrown away.
                Ok(None) => break,
                Err((code, why)) => {
                    let message = format!("`{text}` {why}");
                    self.spliced.diagnostics.push(Diagnostic::new(code, At::value(self.file, &at), message));
                    break;
                }
            };
            put(value, found);
        }
        level
    }

    fn found(
        &mut self,
        target: &FileId,
        fragment: &str,
        level: usize,
        depth: usize,
    ) -> Result<Option<Value<'t>>, (Code, String)> {
        if level > MAX_LEVELS {
            let why = format!("is the end of a chain of references through more than {MAX_LEVELS} files");
            return Err((Code::ReferenceLoop, why));
        }
        self.parts += 1;
        if self.parts > MAX_PARTS || self.values > MAX_VALUES {
            let why = format!(
                "is one too many: a document takes at most {MAX_PARTS} parts, and {MAX_VALUES} values, from other files"
            );
            return Err((Code::TooLarge, why));
        }
        if !self.documents.contains_key(target) {
            self.spliced.asked.push(target.clone());
            let Some(text) = self.includes.text(target) else { return Ok(None) };
            let loaded = text.map(|text| crate::load(target, text));
            self.documents.insert(target.clone(), loaded.and_then(|loaded| loaded.value));
        }
        let nothing = |what: String| (Code::DanglingReference, format!("leads nowhere: {what}"));
        let Some(Some(document)) = self.documents.get(target) else {
            return Err(nothing(format!("there is no file {target} that can be read")));
        };
        let found = if fragment.is_empty() { Some(document) } else { document.at(fragment) };
        let Some(found) = found.filter(|_| fragment.is_empty() || fragment.starts_with('/')) else {
            return Err(nothing(format!("nothing is at `{fragment}` of {target}")));
        };
        if depth + height(found) > MAX_DEPTH {
            return Err((Code::TooDeep, format!("would make the document deeper than {MAX_DEPTH} levels")));
        }
        let mut found = found.clone();
        self.values += rebase(&mut found, target, self.file, false);
        Ok(Some(found))
    }
}

/// Puts a part in the place of the reference to it. A summary or description beside the reference counts more than its own, and
/// what a path item has beside one is kept (3.1.0, sections 4.8.9 and 4.8.23).
fn put<'t>(value: &mut Value<'t>, mut found: Value<'t>) {
    if let (Data::Object(old), Data::Object(new)) = (&mut value.data, &mut found.data) {
        for member in std::mem::take(old).into_iter().filter(|member| member.name != "$ref") {
            let own = matches!(&*member.name, "summary" | "description");
            match new.iter_mut().find(|other| other.name == member.name) {
                Some(other) if own => other.value = member.value,
                Some(_) => {}
                None => new.push(member),
            }
        }
    }
    // Positions are those of the document: what stands elsewhere is shown where it is referred to.
    value.data = found.data;
}

/// Does a pointer lead to such a part, going by the names that it passes?
pub(crate) fn is_part_at(pointer: &str) -> bool {
    let mut tokens = pointer.rsplit('/');
    let (last, folder) = (tokens.next().unwrap_or_default(), tokens.next().unwrap_or_default());
    let folders = ["paths", "pathItems", "parameters", "requestBodies", "responses", "headers", "callbacks"];
    last == "requestBody" || folders.contains(&folder)
}

/// Keywords whose members have names of their own.
const NAMED: [&str; 14] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
    "schemas",
    "responses",
    "headers",
    "content",
    "callbacks",
    "parameters",
    "requestBodies",
    "links",
    "examples",
];

/// Writes references anew that stood in `from`, so that they lead to the same places from `to`; gives the number of values.
/// `named`: the members' names are not keywords.
fn rebase(value: &mut Value<'_>, from: &str, to: &str, named: bool) -> usize {
    let mut count = 1;
    match &mut value.data {
        Data::Array(items) => items.iter_mut().for_each(|item| count += rebase(item, from, to, false)),
        Data::Object(members) => {
            for Member { name, value, .. } in members {
                match (&**name, &mut value.data) {
                    ("$ref", Data::String(text)) if !named => {
                        if let Some(seen) = seen_from(text, from, to) {
                            *text = seen.into();
                        }
                    }
                    ("mapping", Data::Object(tags)) if !named => {
                        for tag in tags {
                            // What is no path is the name of a component.
                            if let Data::String(text) = &mut tag.value.data
                                && text.contains(['/', '#'])
                                && let Some(seen) = seen_from(text, from, to)
                            {
                                *text = seen.into();
                            }
                        }
                    }
                    ("example" | "default" | "enum" | "const", _) if !named => {}
                    (name, _) => {
                        let inner = !named && NAMED.contains(&name);
                        count += rebase(value, from, to, inner);
                    }
                }
            }
        }
        _ => {}
    }
    count
}

/// A reference of one file as another one writes it; `None` if it stays the same.
fn seen_from(text: &str, from: &str, to: &str) -> Option<String> {
    let parts = Parts::new(text).ok()?;
    if parts.scheme.is_some() || parts.authority.is_some() {
        return None;
    }
    let target = if parts.path.is_empty() { from.to_owned() } else { beside(from, parts.path)? };
    let fragment = parts.fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    if target == to {
        return Some(if fragment.is_empty() { "#".to_owned() } else { fragment });
    }
    let (mut here, mut there): (Vec<&str>, Vec<&str>) = (to.split('/').collect(), target.split('/').collect());
    here.pop();
    let same = here.iter().zip(&there[..there.len() - 1]).take_while(|(a, b)| a == b).count();
    there.drain(..same);
    let mut path = "../".repeat(here.len() - same);
    if path.is_empty() {
        path.push_str("./");
    }
    let escaped = there.join("/").replace('%', "%25").replace(' ', "%20").replace('#', "%23").replace('?', "%3F");
    Some(path + &escaped + &fragment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_written_as_the_document_would() {
        let seen = |text, from, to| seen_from(text, from, to);
        assert_eq!(seen("#/a", "api/paths/x.yaml", "api/main.yaml").as_deref(), Some("./paths/x.yaml#/a"));
        assert_eq!(seen("../main.yaml#/b", "api/paths/x.yaml", "api/main.yaml").as_deref(), Some("#/b"));
        assert_eq!(seen("../../y.json", "api/paths/x.yaml", "api/main.yaml").as_deref(), Some("../y.json"));
        assert_eq!(seen("a%20b.json", "x.yaml", "main.yaml").as_deref(), Some("./a%20b.json"));
        assert_eq!(seen("https://example.com/x", "x.yaml", "main.yaml"), None);
    }
}
