//! Contracts as JSON in, module text out.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use omnigen_contracts::{Declarations, declarations};
use omnigen_ir::naming::{Naming, Unit};
use omnigen_ir::{Contract, Export, Exports, FileId, Link, Place, RefTarget, Reference, Resolve, Schema};
use omnigen_report::{Code, Spot};

use super::models;
use crate::{Emitted, Settings};

/// Contracts in memory. References find each other by path. How often a schema was looked up is counted.
struct World(BTreeMap<FileId, (Declarations, Unit, Exports)>, Cell<usize>);

impl World {
    fn new(files: &[(&str, &str)]) -> World {
        let mut world = BTreeMap::new();
        for (name, text) in files {
            let file: FileId = Arc::from(*name);
            let declared = declarations(&file, text);
            assert!(!declared.broken, "{name} reads: {:?}", declared.diagnostics);
            let unit = Unit::new(name, "");
            let exports = declared.exports(&unit, &Naming::default());
            world.insert(file, (declared, unit, exports));
        }
        World(world, Cell::new(0))
    }

    fn models(&self, name: &str, settings: &Settings) -> Emitted {
        let (file, (_, unit, exports)) = self.0.get_key_value(name).expect("the file is there");
        models(&Contract { file, unit, exports }, self, settings)
    }
}

impl Resolve for World {
    fn link(&self, from: &FileId, reference: &Reference) -> Link {
        match &reference.target {
            RefTarget::Here(pointer) => Link::To(Place::new(from, pointer)),
            RefTarget::Elsewhere { uri, fragment, .. } => {
                match uri.strip_prefix("file:///").and_then(|path| self.0.get_key_value(path)) {
                    Some((file, _)) => Link::To(Place::new(file, fragment)),
                    None => Link::Dangling,
                }
            }
            RefTarget::Dangling => Link::Dangling,
        }
    }

    fn schema(&self, place: &Place) -> Option<&Schema> {
        self.1.set(self.1.get() + 1);
        assert!(self.1.get() < 100_000, "no contract of these tests is worth so many look-ups");
        self.0.get(&place.file)?.0.schema(&place.pointer)
    }

    fn export(&self, place: &Place) -> Option<&Export> {
        self.0.get(&place.file)?.2.list.iter().find(|export| export.pointer == place.pointer)
    }

    fn unit(&self, file: &FileId) -> std::borrow::Cow<'_, Unit> {
        std::borrow::Cow::Owned(Unit::new(file, ""))
    }
}

/// The module of a lone contract.
fn module(text: &str) -> String {
    let emitted = World::new(&[("thing.json", text)]).models("thing.json", &Settings::default());
    assert_eq!(emitted.diagnostics, []);
    emitted.body
}

/// The line of a field in a contract that has only this property, without the indentation.
fn field(name: &str, schema: &str, required: bool) -> String {
    let required = if required { format!(r#""required": [{name:?}],"#) } else { String::new() };
    let text = module(&format!(r#"{{"type": "object", {required} "properties": {{{name:?}: {schema}}}}}"#));
    let (_, fields) = text.rsplit_once("extra=\"allow\")\n").expect("there is a class");
    fields.trim().to_owned()
}

#[test]
fn a_whole_module() {
    let text = module(
        r##"{
            "title": "A thing",
            "description": "Says \"hi\".",
            "type": "object",
            "required": ["id", "parts"],
            "additionalProperties": false,
            "not": {"required": ["a", "b"]},
            "properties": {
                "id": {"type": "string", "minLength": 1, "description": "What it is\nknown by."},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
                "size": {"type": "integer", "default": 3}
            },
            "$defs": {
                "Part": {"type": "object", "properties": {"thing": {"$ref": "#"}, "code": {"$ref": "#/$defs/Code"}}},
                "Code": {"enum": ["x", "y"]}
            }
        }"##,
    );
    assert_eq!(
        text,
        r#""""Types of A thing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from typing_extensions import TypeAliasType


def _integral(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _not_null(value: object) -> object:
    if value is None:
        raise ValueError("must not be null")
    return value


_Integer = Annotated[int, BeforeValidator(_integral)]
_NotNull = BeforeValidator(_not_null)

ModelCode = TypeAliasType("ModelCode", Literal["x", "y"])


class ModelPart(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")

    thing: Annotated[ModelThing | None, _NotNull] = None
    code: Annotated[ModelCode | None, _NotNull] = None


class ModelThing(BaseModel):
    """Says "hi".

    Checked by the validator only: not.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    id: Annotated[str, Field(min_length=1)]
    """What it is
    known by.
    """

    parts: list[ModelPart]
    size: _Integer = 3


ModelPart.model_rebuild(raise_errors=False)
ModelThing.model_rebuild(raise_errors=False)
"#
    );
}

#[test]
fn required_optional_nullable_and_defaulted_are_four_things() {
    assert_eq!(field("x", r#"{"type": "string"}"#, true), "x: str");
    assert_eq!(field("x", r#"{"type": "string"}"#, false), "x: Annotated[str | None, _NotNull] = None");
    assert_eq!(field("x", r#"{"type": ["string", "null"]}"#, true), "x: str | None");
    assert_eq!(field("x", r#"{"type": ["string", "null"]}"#, false), "x: str | None = None");
    assert_eq!(field("x", r#"{"type": "string", "default": "a"}"#, false), "x: str = \"a\"");
}

#[test]
fn constraints_are_carried_where_python_decides_alike() {
    for (schema, line) in [
        (
            r#"{"type": "integer", "minimum": 0.5, "exclusiveMaximum": 9}"#,
            "Field(ge=1, lt=9), BeforeValidator(_integral)",
        ),
        (r#"{"type": "integer", "multipleOf": 5}"#, "Field(multiple_of=5), BeforeValidator(_integral)"),
        (r#"{"type": "number", "exclusiveMinimum": 0}"#, "Field(gt=0)"),
        (r#"{"type": "array", "items": {"type": "boolean"}, "maxItems": 2}"#, "Field(max_length=2)"),
        (r#"{"type": "string", "pattern": "^a$"}"#, "Field(pattern=re.compile("),
    ] {
        let made = field("x", schema, true);
        assert!(made.contains(line), "{schema} gives {made}");
    }
    // Doubles and decimals disagree about multiples of fractions.
    let made = field("x", r#"{"type": "number", "multipleOf": 0.1}"#, true);
    assert_eq!(made.lines().next(), Some("x: int | float"));
}

#[test]
fn literals_keep_booleans_and_numbers_apart() {
    let made = field("x", r#"{"enum": ["a", 1, true, null]}"#, true);
    for part in [
        "Literal[\"a\"]",
        "Annotated[Literal[1], BeforeValidator(_not_bool)]",
        "Annotated[Literal[True], BeforeValidator(_boolean)]",
        "None",
    ] {
        assert!(made.contains(part), "{made}");
    }
}

#[test]
fn names_that_python_or_pydantic_need_get_an_alias() {
    for (name, python) in [
        ("def", "def_"),
        ("x-y", "x_y"),
        ("$schema", "schema_"),
        ("_id", "id"),
        ("1st", "n1st"),
        ("", "empty"),
        ("+", "u2b"),
        ("model_dump", "x_model_dump"),
        ("str", "str_"),
        ("ModelThing", "ModelThing_"),
    ] {
        let made = field(name, r#"{"type": "string"}"#, true);
        assert_eq!(made, format!("{python}: str = Field(alias={name:?})"), "{name}");
    }
    assert_eq!(field("größe", r#"{"type": "string"}"#, true), "größe: str");
}

#[test]
fn names_that_fall_together_are_spelled_out() {
    let text = module(
        r#"{"type": "object", "required": ["a-b", "a.b", "a_b"],
        "properties": {"a-b": {"type": "null"}, "a.b": {"type": "null"}, "a_b": {"type": "null"}}}"#,
    );
    for line in ["a_u2d_b: None = Field(alias=\"a-b\")", "a_u2e_b: None = Field(alias=\"a.b\")", "    a_b: None\n"] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn a_default_that_does_not_fit_is_reported_and_left_out() {
    let text = r#"{"type": "object", "properties": {"x": {"type": "integer", "default": "3"}}}"#;
    let emitted = World::new(&[("thing.json", text)]).models("thing.json", &Settings::default());
    let [found] = emitted.diagnostics.as_slice() else { panic!("one finding: {:?}", emitted.diagnostics) };
    assert_eq!(found.code, Code::MismatchedDefault);
    let spot = found.at.as_ref().map(|at| at.spot.clone());
    assert_eq!(spot, Some(Spot::Pointer { pointer: "/properties/x/default".into(), key: false }));
    assert!(emitted.body.contains("x: Annotated[_Integer | None, _NotNull] = None"), "{}", emitted.body);
}

#[test]
fn other_contracts_are_imported_late_and_their_insides_copied() {
    let world = World::new(&[
        (
            "a/order.json",
            r##"{"type": "object", "properties": {
                "customer": {"$ref": "../customer.json"},
                "address": {"$ref": "../customer.json#/properties/address"},
                "kind": {"$ref": "../customer.json#/$defs/Kind", "default": "x"}}}"##,
        ),
        (
            "customer.json",
            r#"{"type": "object", "properties": {
                "address": {"type": "object", "properties": {"street": {"type": "string"}}},
                "last": {"$ref": "a/order.json"}},
                "$defs": {"Kind": {"enum": ["x", "y"]}}}"#,
        ),
    ]);
    let order = world.models("a/order.json", &Settings::default());
    assert_eq!(order.diagnostics, []);
    let (_, late) = order.body.rsplit_once("\n\n\n").expect("there are late imports");
    assert_eq!(
        late,
        "from ..model_customer import ModelCustomer, ModelKind\n\nModelOrder.model_rebuild(raise_errors=False)\n"
    );
    assert!(order.body.contains("\n# ruff: noqa: E402, RUF100\n"));
    assert!(order.body.contains("class ModelCustomerAddress(BaseModel):"));
    assert!(order.body.contains("    kind: ModelKind = \"x\"\n"));
    let customer = world.models("customer.json", &Settings::default()).body;
    assert!(customer.contains("from .a.model_order import ModelOrder\n"), "{customer}");
}

#[test]
fn imported_names_that_exist_here_get_another_one() {
    let world = World::new(&[
        ("a.json", r##"{"$ref": "sub/b.json#/$defs/X", "$defs": {"X": {"type": "null"}}}"##),
        ("sub/b.json", r#"{"$defs": {"X": {"type": "object"}}}"#),
    ]);
    let text = world.models("a.json", &Settings::default()).body;
    assert!(text.contains("from .sub.model_b import ModelX as SubBModelX\n"), "{text}");
    assert!(text.contains("class ModelA(RootModel[\"SubBModelX\"]):"), "{text}");
}

#[test]
fn a_discriminator_is_named_only_where_it_is_certain() {
    let make = |two: &str| {
        module(&format!(
            r##"{{"type": "object", "required": ["x"], "properties": {{"x": {{"oneOf": [
                {{"type": "object", "required": ["k"], "properties": {{"k": {{"const": "a"}}}}}},
                {{"type": "object", "required": ["k"], "properties": {{"k": {two}}}}}]}}}}}}"##
        ))
    };
    assert!(make(r#"{"const": "b"}"#).contains("Field(discriminator=\"k\")"));
    assert!(!make(r#"{"const": "a"}"#).contains("discriminator"));
    assert!(!make(r#"{"type": "string"}"#).contains("discriminator"));
}

#[test]
fn parts_of_all_of_become_one_class() {
    let text = module(
        r##"{"allOf": [{"$ref": "#/$defs/Base"}, {"properties": {"y": {"type": "integer"}}, "required": ["x"]}],
            "$defs": {"Base": {"type": "object", "properties": {"x": {"type": ["string", "null"]}}}}}"##,
    );
    let (_, class) = text.split_once("class ModelThing(BaseModel):").expect("a class");
    assert!(class.contains("    x: str | None\n"), "{text}");
    assert!(class.contains("    y: Annotated[_Integer | None, _NotNull] = None\n"), "{text}");
}

#[test]
fn without_a_type_other_values_stay_valid() {
    let text = module(r#"{"properties": {"x": {"type": "null"}}, "required": ["x"]}"#);
    assert!(text.contains("class ModelThingObject(BaseModel):"), "{text}");
    assert!(text.contains("ModelThingObject | list[Any] | str | bool | int | float | None"), "{text}");
}

#[test]
fn a_reference_to_the_inside_keeps_what_is_nullable_there() {
    let text = module(
        r##"{"type": "object", "properties": {
            "p": {"$ref": "#/properties/q/items"},
            "q": {"type": "array", "items": {"type": ["object", "null"], "properties": {"r": {"type": "null"}}}}}}"##,
    );
    assert!(
        text.contains("ModelThingQItemType = TypeAliasType(\"ModelThingQItemType\", ModelThingQItem | None)"),
        "{text}"
    );
    assert!(text.contains("    p: ModelThingQItemType | None = None\n"), "{text}");
    assert!(text.contains("    q: Annotated[list[ModelThingQItem | None] | None, _NotNull] = None\n"), "{text}");
}

#[test]
fn branches_are_combined_with_what_stands_beside_them() {
    let text = module(
        r#"{"type": "object", "required": ["k"], "properties": {"n": {"type": "integer"}},
            "oneOf": [{"properties": {"k": {"const": "a"}}}, {"properties": {"k": {"const": "b"}}}]}"#,
    );
    assert!(text.contains("class ModelThingA(BaseModel):"), "{text}");
    assert_eq!(text.matches("    n: Annotated[_Integer | None, _NotNull] = None\n").count(), 2, "{text}");
    assert!(text.contains("Annotated[ModelThingA | ModelThingB, Field(discriminator=\"k\")]"), "{text}");
}

#[test]
fn branches_that_only_require_make_no_union() {
    let text = module(
        r#"{"type": "object", "properties": {"a": {"type": "null"}, "b": {"type": "null"}},
            "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}"#,
    );
    assert!(
        text.contains("class ModelThing(BaseModel):\n    \"\"\"Checked by the validator only: anyOf.\"\"\"\n"),
        "{text}"
    );
}

/// A class that takes what a pattern allows takes all else, too.
#[test]
fn what_patterns_leave_open_is_noted() {
    let text = module(
        r#"{"type": "object", "patternProperties": {"^x": {"type": "null"}}, "properties": {"a": {"type": "null"}},
            "additionalProperties": false}"#,
    );
    assert!(text.contains("validator only: patternProperties, additionalProperties."), "{text}");
}

#[test]
fn circles_end() {
    // A circle without content, one through a combination, and one through a part that adds to its owner.
    for text in [
        r##"{"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [{"$ref": "#/$defs/B"}, {"type": "null"}]}, "B": {"$ref": "#/$defs/A"}}}"##,
        r##"{"allOf": [{"$ref": "#"}], "type": "object", "properties": {"x": {"$ref": "#"}}}"##,
        r##"{"type": "object", "allOf": [{"$ref": "#/$defs/P"}], "properties": {"x": {"properties": {"z": {"type": "null"}}}},
            "$defs": {"P": {"type": "object", "properties": {"x": {"$ref": "#"}}}}}"##,
    ] {
        let text = module(text);
        assert!(text.len() < 10_000, "{text}");
    }
}

#[test]
fn names_that_collide_are_reported_on_both_sides() {
    let text = r#"{"$defs": {"a-b": {"type": "null"}, "a.b": {"type": "null"}}}"#;
    let emitted = World::new(&[("thing.json", text)]).models("thing.json", &Settings::default());
    let spots: Vec<_> = emitted.diagnostics.iter().map(|found| (found.code, found.at.clone())).collect();
    assert_eq!(spots.len(), 2, "{spots:?}");
    assert!(spots.iter().all(|(code, _)| *code == Code::NameCollision));
    assert_ne!(spots[0].1, spots[1].1);
}

#[test]
fn docstrings_are_escaped() {
    let about = |text: &str| omnigen_ir::normalize::About {
        description: Some(text.into()),
        ..omnigen_ir::normalize::About::default()
    };
    for (text, wanted) in [
        ("plain", "\"\"\"plain\"\"\"\n"),
        ("back\\slash", "\"\"\"back\\\\slash\"\"\"\n"),
        ("\"quoted\"", "\"\"\"\\\"quoted\\\"\"\"\"\n"),
        ("a\"\"\"b", "\"\"\"a\"\"\\\"b\"\"\"\n"),
        ("two  \n\n    lines\n  x", "\"\"\"two\n\n  lines\nx\n\"\"\"\n"),
        ("bell\u{7}", "\"\"\"bell\\x07\"\"\"\n"),
    ] {
        let mut code = crate::layout::Writer::new(88);
        super::docstring::write(&mut code, &super::docstring::text(&about(text), &[]).expect("there is a text"));
        assert_eq!(code.finish(), wanted, "{text}");
    }
}

#[test]
fn what_only_the_validator_says_is_noted() {
    let only = |schema: &str| {
        let text = field("x", schema, true);
        let note = text.split_once("Checked by the validator only: ").map(|(_, rest)| rest);
        note.map_or_else(String::new, |rest| rest.split('.').next().unwrap_or_default().to_owned())
    };
    for (schema, told) in [
        (r#"{"type": "integer", "minimum": 1, "multipleOf": 3}"#, ""),
        (r#"{"type": "string", "minLength": 1, "pattern": "^a"}"#, ""),
        (r#"{"minimum": 1}"#, "minimum"),
        (r#"{"type": "number", "multipleOf": 0.1}"#, "multipleOf"),
        (r#"{"type": "string", "not": {"const": "a"}}"#, "not"),
        (r#"{"type": "array", "items": {"type": "string"}, "uniqueItems": true}"#, "uniqueItems"),
        (r#"{"type": "array", "items": {"type": "number", "multipleOf": 0.5}}"#, "multipleOf"),
        (r#"{"type": "object", "required": ["a"], "propertyNames": {"maxLength": 3}}"#, "propertyNames, required"),
        (r#"{"oneOf": [{"type": "string"}, {"type": "boolean"}]}"#, ""),
        (r#"{"oneOf": [{"type": "string", "maxLength": 3}, {"type": "string", "minLength": 2}]}"#, "oneOf"),
        (r#"{"anyOf": [{"type": "string", "maxLength": 3}, {"type": "string", "minLength": 2}]}"#, ""),
        (r#"{"allOf": [{"anyOf": [{"type": "string"}, {"type": "null"}]}, {"anyOf": [{"const": "a"}]}]}"#, "anyOf"),
        (r#"{"enum": ["a", {"b": 1}]}"#, "enum"),
        (r#"{"const": 123456789012345678901234567890}"#, "const"),
        (r#"{"if": {"minLength": 1}, "then": {"type": "string"}}"#, "if/then"),
    ] {
        assert_eq!(only(schema), told, "{schema}");
    }
    let text = module(
        r#"{"type": "object", "properties": {"x": {"type": "object", "properties": {"y": {}}, "not": {"required": ["y"]}}}}"#,
    );
    assert_eq!(text.matches("Checked by the validator only: not.").count(), 1, "a class says so itself\n{text}");
}

/// Definitions `a0`, `b0`, `a1`…, each of which may be one of the next two and has a property of its own.
fn ladder(steps: usize) -> String {
    let step = |name: &str, i: usize| {
        let next = i + 1;
        let choice = format!(r##""anyOf": [{{"$ref": "#/$defs/a{next}"}}, {{"$ref": "#/$defs/b{next}"}}]"##);
        format!(r#""{name}{i}": {{{choice}, "properties": {{"{name}": {{"type": "string"}}}}}}"#)
    };
    let steps_of: Vec<String> = (0..steps).flat_map(|i| [step("a", i), step("b", i)]).collect();
    let last =
        ["a", "b"].map(|name| format!(r#""{name}{steps}": {{"type": "object", "properties": {{"{name}": {{}}}}}}"#));
    format!(r##"{{"$ref": "#/$defs/a0", "$defs": {{{}, {}}}}}"##, steps_of.join(", "), last.join(", "))
}

#[test]
fn alternatives_of_alternatives_are_not_spelled_out_without_end() {
    let few = module(&ladder(3));
    assert!(few.contains("ModelA0Option1Option2"), "{few}");
    let world = World::new(&[("thing.json", &ladder(40))]);
    let many = world.models("thing.json", &Settings::default());
    assert!(many.body.len() < 1_000_000, "{}", many.body.len());
    let codes: Vec<Code> = many.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert!(codes.len() > 30 && codes.iter().all(|code| *code == Code::NotCarried), "{codes:?}");
    let at = many.diagnostics[0].at.as_ref().map(|at| &at.spot);
    assert_eq!(at, Some(&Spot::Pointer { pointer: "/$defs/a0/anyOf".into(), key: true }));
}
