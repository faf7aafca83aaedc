//! A contract's test module: example documents that were judged when they were generated, as Pytest cases.
//!
//! Most documents differ from another one at a single place, and are written as that difference. Knows the calling
//! convention of model and validator modules; knows nothing of how the documents were made or who judged them.

use std::collections::HashSet;

use omnigen_ir::samples::Candidate;
use omnigen_ir::{Contract, Json, Resolve};

use crate::layout::{Doc, Writer, string, value};
use crate::{Emitted, Settings};

/// Strings of one character repeated more often than this are written as a product.
const REPEATED: usize = 32;
/// Documents that differ from a base at more places are written out.
const EDITS: usize = 3;

/// A document and what the judge said of it.
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'a> {
    /// The document.
    pub candidate: &'a Candidate,
    /// Is it valid?
    pub valid: bool,
}

/// The module `test_<stem>.py` of a contract.
pub fn tests(
    contract: &Contract<'_>,
    _resolve: &dyn Resolve,
    settings: &Settings,
    verdicts: &[Verdict<'_>],
) -> Emitted {
    if contract.exports.list.first().is_none_or(|export| !export.pointer.is_empty()) {
        return Emitted { body: rootless(contract, settings), diagnostics: Vec::new() };
    }
    let mut texts = HashSet::new();
    let unique = verdicts.iter().filter(|verdict| texts.insert(verdict.candidate.document.to_string()));
    let (valid, invalid): (Vec<&Verdict<'_>>, Vec<&Verdict<'_>>) = unique.partition(|verdict| verdict.valid);
    let unit = contract.unit;
    let model = match contract.exports.list.first() {
        Some(export) => export.class.to_string(),
        None => settings.naming.at(unit, ""),
    };
    let names =
        Names { model, validator: format!("Validator{}", unit.pascal), invalid: format!("Invalid{}", unit.pascal) };
    let mut module =
        Module { names, bases: bases(&valid), used: [false; 2], put: false, drop: false, line: settings.line_length };
    let good: Vec<Doc> = valid.iter().map(|verdict| module.case(verdict)).collect();
    let bad: Vec<Doc> = invalid.iter().map(|verdict| module.case(verdict)).collect();

    let mut out = Writer::new(settings.line_length);
    module.head(&mut out, contract, !good.is_empty(), !bad.is_empty());
    module.functions(&mut out);
    if good.is_empty() && bad.is_empty() {
        module.nothing(&mut out);
    }
    let lists: Vec<(&str, &[Doc])> = [("VALID", good.as_slice()), ("INVALID", bad.as_slice())]
        .into_iter()
        .filter(|(_, cases)| !cases.is_empty())
        .collect();
    if !lists.is_empty() {
        out.line("");
        // Two empty lines behind a function, one behind imports.
        if module.used.contains(&true) {
            out.line("");
        }
    }
    for (i, (name, cases)) in lists.iter().enumerate() {
        if i > 0 {
            out.line("");
        }
        out.statement(&format!("{name} = "), &Doc::group("[", cases.to_vec(), "]"), "");
    }
    if !good.is_empty() {
        module.accepted(&mut out);
    }
    if !bad.is_empty() {
        module.refused(&mut out);
    }
    Emitted { body: out.finish(), diagnostics: Vec::new() }
}

/// The module for a contract that is no schema itself.
fn rootless(contract: &Contract<'_>, settings: &Settings) -> String {
    let unit = contract.unit;
    let invalid = format!("Invalid{}", unit.pascal);
    let mut out = Writer::new(settings.line_length);
    out.line("\"\"\"Tests of a contract without documents.\"\"\"");
    out.line("");
    import(&mut out, settings.line_length, &unit.import("test", unit, "validator"), &[&invalid]);
    function(&mut out, "def test_modules() -> None:", "No document could be made; the modules load.");
    out.indent();
    let arguments = vec![Doc::text(invalid), Doc::text("ValueError")];
    out.statement("assert ", &Doc::group("issubclass(", arguments, ")"), "");
    out.finish()
}

struct Names {
    model: String,
    validator: String,
    invalid: String,
}

struct Module<'a> {
    names: Names,
    /// Documents that others are written as differences from: the full one and the smallest.
    bases: Vec<&'a Json>,
    used: [bool; 2],
    put: bool,
    drop: bool,
    line: usize,
}

/// What a base function is called, and its docstring.
const BASES: [(&str, &str); 2] = [
    ("base", "A valid document; most cases change one place of it."),
    ("small", "A valid document with little more than what is required."),
];

/// The first two valid documents that have an inside.
fn bases<'a>(valid: &[&Verdict<'a>]) -> Vec<&'a Json> {
    let inside = |json: &Json| {
        matches!(json, Json::Object(members) if !members.is_empty())
            || matches!(json, Json::Array(items) if !items.is_empty())
    };
    valid.iter().map(|verdict| &verdict.candidate.document).filter(|json| inside(json)).take(2).collect()
}

enum Edit<'j> {
    Put(Vec<Key<'j>>, &'j Json),
    Drop(Vec<Key<'j>>),
}

#[derive(Clone, Copy)]
enum Key<'j> {
    Name(&'j str),
    Index(usize),
}

/// What makes `new` of `old`; false if that is not possible, or takes too many steps.
fn difference<'j>(old: &'j Json, new: &'j Json, path: &mut Vec<Key<'j>>, edits: &mut Vec<Edit<'j>>) -> bool {
    match (old, new) {
        (Json::Object(before), Json::Object(after)) if !after.is_empty() || path.is_empty() => {
            for (name, value) in before {
                path.push(Key::Name(name));
                let fine = match new.get(name) {
                    Some(other) => difference(value, other, path, edits),
                    None => {
                        edits.push(Edit::Drop(path.clone()));
                        true
                    }
                };
                path.pop();
                if !fine || edits.len() > EDITS {
                    return false;
                }
            }
            for (name, value) in after {
                if old.get(name).is_none() {
                    path.push(Key::Name(name));
                    edits.push(Edit::Put(path.clone(), value));
                    path.pop();
                }
            }
            edits.len() <= EDITS
        }
        (Json::Array(before), Json::Array(after)) if before.len() == after.len() => {
            before.iter().zip(after).enumerate().all(|(i, (value, other))| {
                path.push(Key::Index(i));
                let fine = difference(value, other, path, edits);
                path.pop();
                fine
            })
        }
        (old, new) if old == new => true,
        (_, new) if !path.is_empty() => {
            edits.push(Edit::Put(path.clone(), new));
            true
        }
        _ => false,
    }
}

fn call(function: &'static str, inner: Doc, path: &[Key<'_>], to: Option<Doc>) -> Doc {
    let mut items = vec![inner];
    items.extend(path.iter().map(|key| match key {
        Key::Name(name) => Doc::text(string(name)),
        Key::Index(i) => Doc::text(i.to_string()),
    }));
    items.extend(to.map(|to| Doc::keyword("to", to)));
    Doc::group(function, items, ")")
}

/// About how many characters the value takes.
fn weight(json: &Json) -> usize {
    match json {
        Json::String(text) => text.len() + 2,
        Json::Array(items) => 2 + items.iter().map(|item| 2 + weight(item)).sum::<usize>(),
        Json::Object(members) => 2 + members.iter().map(|(name, value)| name.len() + 6 + weight(value)).sum::<usize>(),
        _ => 4,
    }
}

/// A value; long runs of one character as a product.
fn literal(json: &Json) -> Doc {
    match json {
        Json::String(text) => {
            let mut chars = text.chars();
            match chars.next() {
                Some(first) if text.len() > REPEATED && chars.all(|c| c == first) => {
                    Doc::text(format!("{} * {}", string(&first.to_string()), text.chars().count()))
                }
                _ => value(json),
            }
        }
        Json::Array(items) => Doc::group("[", items.iter().map(literal).collect(), "]"),
        Json::Object(members) => {
            let member = |(name, value): &(Box<str>, Json)| {
                Doc::Concat(vec![Doc::text(string(name)), Doc::text(": "), literal(value)])
            };
            Doc::group("{", members.iter().map(member).collect(), "}")
        }
        _ => value(json),
    }
}

impl<'a> Module<'a> {
    fn case(&mut self, verdict: &Verdict<'a>) -> Doc {
        let candidate = verdict.candidate;
        let mut items = vec![self.document(&candidate.document)];
        if !verdict.valid {
            items.push(if candidate.certain {
                let texts = [&*candidate.pointer, candidate.keyword];
                Doc::group("(", texts.iter().map(|text| Doc::text(string(text))).collect(), ")")
            } else {
                Doc::text("None")
            });
        }
        items.push(Doc::keyword("id", Doc::text(string(&candidate.about))));
        Doc::group("pytest.param(", items, ")")
    }

    /// The document, as a difference from a base where that is shorter.
    fn document(&mut self, document: &'a Json) -> Doc {
        let mut best: Option<(usize, usize, Vec<Edit<'a>>)> = None;
        for (i, base) in self.bases.iter().enumerate() {
            let mut edits = Vec::new();
            if difference(base, document, &mut Vec::new(), &mut edits) {
                let cost = edits.iter().map(|edit| match edit {
                    Edit::Put(_, value) => 20 + weight(value),
                    Edit::Drop(_) => 20,
                });
                let cost = cost.sum();
                if best.as_ref().is_none_or(|(other, ..)| cost < *other) {
                    best = Some((cost, i, edits));
                }
            }
        }
        match best {
            Some((cost, i, edits)) if edits.is_empty() || cost < 40 || cost < weight(document) => {
                self.used[i] = true;
                let base = Doc::text(format!("{}()", BASES[i].0));
                edits.into_iter().fold(base, |inner, edit| match edit {
                    Edit::Put(path, value) => {
                        self.put = true;
                        call("put(", inner, &path, Some(literal(value)))
                    }
                    Edit::Drop(path) => {
                        self.drop = true;
                        call("drop(", inner, &path, None)
                    }
                })
            }
            _ => literal(document),
        }
    }

    fn head(&self, out: &mut Writer, contract: &Contract<'_>, good: bool, bad: bool) {
        let Names { model, validator, invalid } = &self.names;
        let unit = contract.unit;
        let about = format!("\"\"\"Tests of {model} and {validator}.");
        if about.chars().count() <= self.line {
            out.line(&about);
        } else {
            out.line("\"\"\"Tests of a model and its validator.");
        }
        out.line("");
        out.line("An independent judge decided about each document when this file was made.");
        out.line("\"\"\"");
        out.line("");
        if good || bad {
            out.line("from typing import Any");
            out.line("");
            out.line("import pytest");
            out.line("");
        }
        if good || !bad {
            self.import(out, &unit.import("test", unit, "model"), &[model]);
        }
        let names: Vec<&str> = if bad { vec![invalid, validator] } else { vec![validator] };
        self.import(out, &unit.import("test", unit, "validator"), &names);
    }

    fn import(&self, out: &mut Writer, module: &str, names: &[&str]) {
        import(out, self.line, module, names);
    }

    fn functions(&self, out: &mut Writer) {
        for (i, (name, about)) in BASES.iter().enumerate() {
            if let (true, Some(document)) = (self.used[i], self.bases.get(i)) {
                function(out, &format!("def {name}() -> Any:"), about);
                out.indent();
                out.statement("return ", &literal(document), "");
                out.dedent();
            }
        }
        if self.put {
            function(
                out,
                "def put(document: Any, *path: str | int, to: Any) -> Any:",
                "The document with another value at a path.",
            );
            walk(out, "at[path[-1]] = to");
        }
        if self.drop {
            function(
                out,
                "def drop(document: Any, *path: str | int) -> Any:",
                "The document without the member at a path.",
            );
            walk(out, "del at[path[-1]]");
        }
    }

    fn accepted(&self, out: &mut Writer) {
        let Names { model, validator, .. } = &self.names;
        out.line("");
        out.line("");
        out.line("@pytest.mark.parametrize(\"document\", VALID)");
        out.line("def test_valid(document: Any) -> None:");
        out.indent();
        out.line("\"\"\"A valid document has no issues and comes back as it was.\"\"\"");
        out.line(&format!("assert {validator}.errors(document) == []"));
        out.line(&format!("model = {validator}.validate(document)"));
        out.line(&format!("assert isinstance(model, {model})"));
        out.line("dumped = model.model_dump(by_alias=True, exclude_unset=True, mode=\"json\")");
        out.line("assert dumped == document");
        out.dedent();
    }

    fn refused(&self, out: &mut Writer) {
        let Names { validator, invalid, .. } = &self.names;
        out.line("");
        out.line("");
        out.line("@pytest.mark.parametrize((\"document\", \"issue\"), INVALID)");
        out.line("def test_invalid(document: Any, issue: tuple[str, str] | None) -> None:");
        out.indent();
        out.line("\"\"\"An invalid document is refused, with the issue where it is known.\"\"\"");
        out.line(&format!("issues = {validator}.errors(document)"));
        out.line("found = [(one[\"pointer\"], one[\"keyword\"]) for one in issues]");
        out.line("assert found");
        out.line("if issue is not None:");
        out.line("    assert issue in found");
        out.line(&format!("with pytest.raises({invalid}) as caught:"));
        out.line(&format!("    {validator}.validate(document)"));
        out.line("assert caught.value.issues == issues");
        out.dedent();
    }

    fn nothing(&self, out: &mut Writer) {
        let Names { model, validator, .. } = &self.names;
        function(out, "def test_modules() -> None:", "No document could be made; the modules load.");
        out.indent();
        out.line(&format!("assert {model}.__name__ == {}", string(model)));
        out.line(&format!("assert callable({validator}.errors)"));
        out.dedent();
    }
}

fn import(out: &mut Writer, line: usize, module: &str, names: &[&str]) {
    let flat = format!("from {module} import {}", names.join(", "));
    if flat.chars().count() <= line {
        out.line(&flat);
        return;
    }
    out.line(&format!("from {module} import ("));
    for name in names {
        out.line(&format!("    {name},"));
    }
    out.line(")");
}

fn function(out: &mut Writer, signature: &str, about: &str) {
    out.line("");
    out.line("");
    out.line(signature);
    out.line(&format!("    \"\"\"{about}\"\"\""));
}

fn walk(out: &mut Writer, last: &str) {
    out.indent();
    out.line("at = document");
    out.line("for step in path[:-1]:");
    out.line("    at = at[step]");
    out.line(last);
    out.line("return document");
    out.dedent();
}

#[cfg(test)]
mod tests {
    use omnigen_ir::naming::{Naming, Unit};
    use omnigen_ir::{Digest, Export, Exports, FileId, Link, Number, Place, Reference, Schema, TypeSet};

    use super::*;

    struct Nothing;

    impl Resolve for Nothing {
        fn link(&self, _: &FileId, _: &Reference) -> Link {
            Link::Dangling
        }
        fn schema(&self, _: &Place) -> Option<&Schema> {
            None
        }
        fn export(&self, _: &Place) -> Option<&Export> {
            None
        }
        fn unit(&self, file: &FileId) -> Unit {
            Unit::new(file, "")
        }
    }

    fn number(text: &str) -> Json {
        Json::Number(Number::new(text).unwrap_or_else(|| panic!("{text} is a number")))
    }

    fn object(members: &[(&str, Json)]) -> Json {
        Json::Object(members.iter().map(|(name, value)| ((*name).into(), value.clone())).collect())
    }

    fn body(path: &str, cases: &[(Json, &str, &str, &'static str, bool, bool)]) -> String {
        let file: FileId = path.into();
        let unit = Unit::new(&file, "contracts");
        let export = Export {
            pointer: "".into(),
            class: Naming::default().at(&unit, "").into(),
            function: "".into(),
            types: TypeSet::ALL,
            tags: Vec::new(),
            meaning: Digest::of(b""),
            full: Digest::of(b""),
        };
        let exports = Exports { list: vec![export], ..Exports::default() };
        let contract = Contract { file: &file, unit: &unit, exports: &exports };
        let candidates: Vec<(Candidate, bool)> = cases
            .iter()
            .map(|(document, about, pointer, keyword, certain, valid)| {
                let candidate = Candidate {
                    document: document.clone(),
                    about: (*about).to_owned(),
                    pointer: (*pointer).into(),
                    keyword,
                    expect: None,
                    certain: *certain,
                };
                (candidate, *valid)
            })
            .collect();
        let verdicts: Vec<Verdict<'_>> =
            candidates.iter().map(|(candidate, valid)| Verdict { candidate, valid: *valid }).collect();
        tests(&contract, &Nothing, &Settings::default(), &verdicts).body
    }

    #[test]
    fn documents_are_written_as_differences() {
        let lines = Json::Array(vec![object(&[("sku", Json::String("a".into())), ("count", number("2"))])]);
        let base = object(&[("id", number("1")), ("lines", lines), ("note", Json::Null)]);
        let small = object(&[("id", number("1"))]);
        let worse = Json::Array(vec![object(&[("sku", Json::String("".into())), ("count", number("2"))])]);
        let long = Json::String("a".repeat(50).into());
        let text = body(
            "contracts/sales/order.json",
            &[
                (base.clone(), "everything", "", "", false, true),
                (small, "only what is required", "", "", false, true),
                (
                    object(&[("id", number("1")), ("lines", worse), ("note", Json::Null)]),
                    "short",
                    "/lines/0/sku",
                    "minLength",
                    true,
                    false,
                ),
                (object(&[("id", number("1")), ("note", Json::Null)]), "gone", "", "", false, false),
                (long, "text", "", "type", true, false),
                (base, "again", "", "", false, true),
            ],
        );
        let expected = r#""""Tests of ModelOrder and ValidatorOrder.

An independent judge decided about each document when this file was made.
"""

from typing import Any

import pytest

from ...models.sales.model_order import ModelOrder
from ...validators.sales.validator_order import InvalidOrder, ValidatorOrder


def base() -> Any:
    """A valid document; most cases change one place of it."""
    return {"id": 1, "lines": [{"sku": "a", "count": 2}], "note": None}


def small() -> Any:
    """A valid document with little more than what is required."""
    return {"id": 1}


def put(document: Any, *path: str | int, to: Any) -> Any:
    """The document with another value at a path."""
    at = document
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to
    return document


def drop(document: Any, *path: str | int) -> Any:
    """The document without the member at a path."""
    at = document
    for step in path[:-1]:
        at = at[step]
    del at[path[-1]]
    return document


VALID = [
    pytest.param(base(), id="everything"),
    pytest.param(small(), id="only what is required"),
]

INVALID = [
    pytest.param(
        put(base(), "lines", 0, "sku", to=""),
        ("/lines/0/sku", "minLength"),
        id="short",
    ),
    pytest.param(drop(base(), "lines"), None, id="gone"),
    pytest.param("a" * 50, ("", "type"), id="text"),
]


@pytest.mark.parametrize("document", VALID)
def test_valid(document: Any) -> None:
    """A valid document has no issues and comes back as it was."""
    assert ValidatorOrder.errors(document) == []
    model = ValidatorOrder.validate(document)
    assert isinstance(model, ModelOrder)
    dumped = model.model_dump(by_alias=True, exclude_unset=True, mode="json")
    assert dumped == document


@pytest.mark.parametrize(("document", "issue"), INVALID)
def test_invalid(document: Any, issue: tuple[str, str] | None) -> None:
    """An invalid document is refused, with the issue where it is known."""
    issues = ValidatorOrder.errors(document)
    found = [(one["pointer"], one["keyword"]) for one in issues]
    assert found
    if issue is not None:
        assert issue in found
    with pytest.raises(InvalidOrder) as caught:
        ValidatorOrder.validate(document)
    assert caught.value.issues == issues
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn nothing_unused_is_defined_or_imported() {
        let valid = body("contracts/any.json", &[(Json::Null, "null", "", "", false, true)]);
        assert!(!valid.contains("INVALID") && !valid.contains("InvalidAny") && !valid.contains("def put"), "{valid}");
        let invalid = body("contracts/never.json", &[(Json::Null, "null", "", "", false, false)]);
        assert!(!invalid.contains("\nVALID") && !invalid.contains("ModelNever\n"), "{invalid}");
        let nothing = body("contracts/nothing.json", &[]);
        assert!(!nothing.contains("pytest") && !nothing.contains("Any\n"), "{nothing}");
        assert!(nothing.contains("def test_modules"), "{nothing}");
    }

    #[test]
    fn differences_keep_to_what_can_be_reached() {
        let edits = |old: &Json, new: &Json| {
            let mut edits = Vec::new();
            difference(old, new, &mut Vec::new(), &mut edits).then_some(edits.len())
        };
        let pair = |a: Json, b: Json| object(&[("a", a), ("b", b)]);
        let one = pair(number("1"), Json::Array(vec![Json::Null]));
        assert_eq!(edits(&one, &one), Some(0));
        assert_eq!(edits(&one, &pair(number("2"), Json::Array(Vec::new()))), Some(2));
        assert_eq!(edits(&one, &object(&[("c", Json::Null)])), Some(3));
        assert_eq!(edits(&one, &Json::Null), None);
        // The order of members is no difference.
        assert_eq!(edits(&one, &object(&[("b", Json::Array(vec![Json::Null])), ("a", number("1"))])), Some(0));
    }
}
