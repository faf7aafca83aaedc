//! The test module of a contract that is no schema itself: an API description, a node contract. All its types are tested in one
//! table, each document by the validator and the model of its type; and what a node says of itself beside them.

use omnigen_ir::naming::name_at;
use omnigen_ir::samples::Samples;
use omnigen_ir::{Contract, Export, NodeManifest};

use crate::layout::{Doc, Writer};
use crate::nodes_tests::NodeTests;
use crate::pytest::{case, put_adapter};
use crate::{Emitted, Settings};

/// Documents of one type, with the verdicts about them.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The type.
    pub export: &'a Export,
    /// Its documents.
    pub samples: &'a Samples,
    /// Which of them are valid.
    pub verdicts: &'a [bool],
}

/// The module `test_<stem>.py`. `node`: what a node contract says beside its types, if a manifest is made of it.
pub fn tests(
    contract: &Contract<'_>,
    settings: &Settings,
    judged: &[Judged<'_>],
    node: Option<&NodeManifest>,
) -> Emitted {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for one in judged {
        let name = name_at(contract.unit, &one.export.pointer);
        for (candidate, valid) in one.samples.candidates.iter().zip(one.verdicts) {
            let mut items = vec![Doc::text(format!("validators.Validator{name}"))];
            if *valid {
                items.push(Doc::text(format!("models.{}", one.export.class)));
            }
            let case = case(items, one.samples, candidate, *valid, &name);
            if *valid { &mut good } else { &mut bad }.push(case);
        }
    }
    let node = node.map(NodeTests::new);
    let mut out = Writer::new(settings.line_length);
    let typed = !contract.exports.list.is_empty();
    head(&mut out, contract, !good.is_empty(), !bad.is_empty(), node.is_some(), typed);
    if let Some(node) = &node {
        out.line("");
        node.tables(&mut out);
    }
    let any = !good.is_empty() || !bad.is_empty();
    for (name, cases) in [("VALID", &good), ("INVALID", &bad)] {
        if !cases.is_empty() {
            out.line("");
            out.statement(&format!("{name} = "), &Doc::group("[", cases.clone(), "]"), "");
        }
    }
    if !good.is_empty() {
        put_adapter(&mut out);
        out.line("");
        out.line("");
        out.line("@pytest.mark.parametrize((\"validator\", \"model\", \"document\"), VALID)");
        out.line("def test_valid(validator: Any, model: Any, document: Any) -> None:");
        out.indent();
        out.line("\"\"\"A valid document has no issues and comes back as it was.\"\"\"");
        out.line("assert validator.errors(document) == []");
        out.line("kind = adapter(model)");
        let arguments = ["validator.validate(document)", "by_alias=True", "exclude_unset=True", "mode=\"json\""];
        let arguments = arguments.into_iter().map(Doc::text).collect();
        out.statement("dumped = ", &Doc::group("kind.dump_python(", arguments, ")"), "");
        out.line("assert dumped == document");
        out.dedent();
    }
    if !bad.is_empty() {
        out.line("");
        out.line("");
        out.line("@pytest.mark.parametrize((\"validator\", \"document\", \"issue\"), INVALID)");
        let arguments = ["validator: Any", "document: Any", "issue: tuple[str, str] | None"];
        let arguments = arguments.into_iter().map(Doc::text).collect();
        out.statement("def ", &Doc::group("test_invalid(", arguments, ")"), " -> None:");
        out.indent();
        out.line("\"\"\"An invalid document is refused, with the issue where it is known.\"\"\"");
        out.line("issues = validator.errors(document)");
        out.line("found = [(one[\"pointer\"], one[\"keyword\"]) for one in issues]");
        out.line("assert found");
        out.line("if issue is not None:");
        out.line("    assert issue in found");
        let invalid = format!("validators.Invalid{}", contract.unit.pascal);
        out.statement("with ", &Doc::group("pytest.raises(", vec![Doc::text(invalid)], ")"), ":");
        out.line("    validator.validate(document)");
        out.dedent();
    }
    if let Some(node) = &node {
        node.functions(&mut out);
    }
    if !any && node.is_none() {
        out.line("");
        out.line("");
        out.line("def test_modules() -> None:");
        out.line("    \"\"\"No document could be made; the modules load.\"\"\"");
        out.line(&format!("    assert issubclass(validators.Invalid{}, ValueError)", contract.unit.pascal));
    }
    Emitted { body: out.finish(), diagnostics: Vec::new() }
}

fn head(out: &mut Writer, contract: &Contract<'_>, good: bool, bad: bool, node: bool, typed: bool) {
    let unit = contract.unit;
    let what = match (typed, node) {
        (true, true) => format!("the types and the manifest of {}", unit.pascal),
        (false, true) => format!("the manifest of {}", unit.pascal),
        _ => format!("the types of {}", unit.pascal),
    };
    let about = format!("\"\"\"Tests of {what}.");
    let about = if about.chars().count() <= out.width() - 3 { about } else { "\"\"\"Tests of a contract.".to_owned() };
    if good || bad {
        out.line(&about);
        out.line("");
        out.line("An independent judge decided about each document when this file was made.");
        out.line("\"\"\"");
        out.line("");
        if good {
            out.line("from functools import cache");
        }
        out.line("from typing import Any");
        out.line("");
        out.line("import pytest");
        if good {
            out.line("from pydantic import TypeAdapter");
        }
    } else {
        out.line(&format!("{about}\"\"\""));
    }
    out.line("");
    for (kind, name, wanted) in
        [("model", "models", good), ("node", "node", node), ("validator", "validators", good || bad || !node)]
    {
        if !wanted {
            continue;
        }
        crate::pytest::import_as(out, &unit.import("test", unit, kind), name);
    }
}
