use omnigen_ir::naming::{Naming, Unit};
use omnigen_ir::{Digest, Export, Exports, FileId, Number, TypeSet};

use super::*;

fn number(text: &str) -> Json {
    Json::Number(Number::new(text).unwrap_or_else(|| panic!("{text} is a number")))
}

fn object(members: &[(&str, Json)]) -> Json {
    Json::Object(members.iter().map(|(name, value)| ((*name).into(), value.clone())).collect())
}

/// Base, changes, label, pointer, keyword, is the keyword certain, is it valid.
type Case = (usize, Vec<Edit>, &'static str, &'static str, &'static str, bool, bool);

fn body(path: &str, bases: &[(Json, &str)], cases: &[Case]) -> String {
    let file: FileId = path.into();
    let unit = Unit::new(&file, "contracts");
    let export = Export {
        pointer: "".into(),
        class: Naming::default().at(&unit, "").into(),
        function: "".into(),
        types: TypeSet::ALL,
        tags: Vec::new(),
        opaque: false,
        meaning: Digest::of(b""),
        full: Digest::of(b""),
    };
    let exports = Exports { list: vec![export], ..Exports::default() };
    let contract = Contract { file: &file, unit: &unit, exports: &exports };
    let candidates = cases.iter().map(|(base, edits, about, pointer, keyword, certain, _)| Candidate {
        base: *base,
        edits: edits.clone(),
        about: (*about).to_owned(),
        pointer: (*pointer).into(),
        keyword,
        certain: *certain,
    });
    let samples = Samples {
        bases: bases.iter().map(|(d, at)| Base { document: d.clone(), pointer: (*at).into() }).collect(),
        candidates: candidates.collect(),
        cut: false,
    };
    let verdict = |case: &Case| match case {
        (.., true) => Verdict::Valid,
        (_, _, _, _, "type", true, _) => Verdict::Mistyped,
        _ => Verdict::Invalid,
    };
    let verdicts: Vec<Verdict> = cases.iter().map(verdict).collect();
    tests(&contract, &Settings::default(), &samples, &verdicts, &[], &[]).body
}

fn path(steps: &[&str]) -> Vec<Step> {
    steps.iter().map(|step| step.parse().map_or_else(|_| Step::Name((*step).into()), Step::Index)).collect()
}

#[test]
fn documents_are_written_as_changes() {
    let put = |steps: &[&str], to: Json| Edit::Put(path(steps), to);
    let lines = Json::Array(vec![object(&[("sku", Json::String("a".into())), ("count", number("2"))])]);
    let bases = [
        (object(&[("id", number("1")), ("note", Json::Null)]), ""),
        (object(&[("id", number("1")), ("lines", lines)]), "/lines/0"),
        (object(&[("id", number("2"))]), "/id"),
    ];
    let text = |text: &str| Json::String(text.into());
    let gone = || Edit::Drop(path(&["id"]));
    let short = put(&["lines", "0", "sku"], text(""));
    let text = body(
        "contracts/sales/order.json",
        &bases,
        &[
            (0, vec![], "a bit of everything", "", "", false, true),
            (0, vec![put(&["note"], text("x"))], "note", "", "", false, true),
            (0, vec![gone()], "gone", "", "required", false, false),
            (0, vec![put(&[], text(&"a".repeat(50)))], "text", "", "type", true, false),
            (1, vec![], "with /lines/0", "/lines/0", "", false, true),
            (1, vec![short], "short", "/lines/0/sku", "minLength", true, false),
            (1, vec![put(&["lines", "0", "x"], number("1")), gone()], "two changes", "", "", false, false),
            (2, vec![], "with /id", "/id", "", false, true),
        ],
    );
    let expected = r#""""Tests of ModelOrder and ValidatorOrder.

An independent judge decided about each document when this file was made.
"""

from typing import Any

import pytest
from pydantic import ValidationError

from ...models.sales.model_order import ModelOrder
from ...validators.sales.validator_order import InvalidOrder, ValidatorOrder


def base() -> Any:
    """A valid document; cases change one place of it."""
    return {"id": 1, "note": None}


def with_lines_0() -> Any:
    """A valid document with /lines/0."""
    return {"id": 1, "lines": [{"sku": "a", "count": 2}]}


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
    pytest.param(base(), id="a bit of everything"),
    pytest.param(put(base(), "note", to="x"), id="note"),
    pytest.param(with_lines_0(), id="with /lines/0"),
    pytest.param({"id": 2}, id="with /id"),
]

INVALID = [
    pytest.param(drop(base(), "id"), None, id="gone"),
    pytest.param(
        put(with_lines_0(), "lines", 0, "sku", to=""),
        ("/lines/0/sku", "minLength"),
        id="short",
    ),
    pytest.param(
        drop(put(with_lines_0(), "lines", 0, "x", to=1), "id"),
        None,
        id="two changes",
    ),
]

MISTYPED = [pytest.param("a" * 50, ("", "type"), id="text")]


@pytest.mark.parametrize("document", VALID)
def test_valid(document: Any) -> None:
    """A valid document has no issues and comes back as it was."""
    assert ValidatorOrder.errors(document) == []
    model = ValidatorOrder.validate(document)
    assert isinstance(model, ModelOrder)
    dumped = model.model_dump(by_alias=True, exclude_unset=True, mode="json")
    assert dumped == document


def refuse(document: Any, issue: tuple[str, str] | None) -> None:
    """The validator has issues with it; one is certain, where it is given."""
    issues = ValidatorOrder.errors(document)
    found = [(one["pointer"], one["keyword"]) for one in issues]
    assert found
    if issue is not None:
        assert issue in found


@pytest.mark.parametrize(("document", "issue"), INVALID)
def test_invalid(document: Any, issue: tuple[str, str] | None) -> None:
    """An invalid document is refused, with the issue where it is known."""
    refuse(document, issue)


@pytest.mark.parametrize(("document", "issue"), MISTYPED)
def test_mistyped(document: Any, issue: tuple[str, str] | None) -> None:
    """What the types rule out is refused by the model on its own, too."""
    refuse(document, issue)
    with pytest.raises(ValidationError):
        ModelOrder.model_validate(document)


def test_no_model() -> None:
    """Of an invalid document there is no model."""
    document: Any = drop(base(), "id")
    issues = ValidatorOrder.errors(document)
    with pytest.raises(InvalidOrder) as caught:
        ValidatorOrder.validate(document)
    assert caught.value.issues == issues
"#;
    assert_eq!(text, expected);
}

#[test]
fn nothing_unused_is_defined_or_imported() {
    let null = [(Json::Null, "")];
    let case = |keyword| (0, vec![], "null", "", keyword, true, false);
    let mistyped = body("contracts/never.json", &null, &[case("type")]);
    let alone = r#"    found = [(one["pointer"], one["keyword"]) for one in issues]
    assert found
    if issue is not None:
        assert issue in found
    with pytest.raises(ValidationError):
        ModelNever.model_validate(document)
"#;
    assert!(mistyped.contains(alone) && !mistyped.contains("def refuse"), "{mistyped}");
    let both = body("contracts/never.json", &null, &[case("type"), case("not")]);
    let shared = "    refuse(document, issue)\n    with pytest.raises(ValidationError):\n";
    assert!(both.contains(shared) && both.contains("from pydantic import ValidationError\n"), "{both}");
    let valid = body("contracts/any.json", &null, &[(0, vec![], "null", "", "", false, true)]);
    assert!(!valid.contains("INVALID") && !valid.contains("InvalidAny") && !valid.contains("def put"), "{valid}");
    let invalid = body("contracts/never.json", &null, &[(0, vec![], "null", "", "", false, false)]);
    assert!(!invalid.contains("\nVALID") && !invalid.contains("ModelNever\n"), "{invalid}");
    let nothing = body("contracts/nothing.json", &[], &[]);
    assert!(!nothing.contains("pytest") && !nothing.contains("Any\n"), "{nothing}");
    assert!(nothing.contains("def test_modules"), "{nothing}");
}

#[test]
fn functions_are_called_after_the_place() {
    for (pointer, name) in [
        ("", "base"),
        ("/lines/0", "with_lines_0"),
        ("/firstName/~1x", "with_first_name_1x"),
        ("/é", "with_another"),
        ("/a_very_long_name_of_a_property_indeed/and_another", "with_a_very_long_name_of_a_property_inde"),
    ] {
        assert_eq!(function_name(pointer), name, "{pointer}");
    }
}
