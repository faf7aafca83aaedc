//! Types as annotations, and what a module has to import for them.

use omnigen_ir::normalize::{Body, Range, Size, Text, Type};
use omnigen_ir::{Json, Number, Place, TypeSet};

use super::Module;
use crate::layout::{Doc, Writer, columns, string, value};

/// Names that a model module may import or define beside its types.
const IMPORTED: &[&str] = &[
    "Annotated",
    "Any",
    "BaseModel",
    "BeforeValidator",
    "ConfigDict",
    "Field",
    "Literal",
    "RootModel",
    "TypeAliasType",
    "re",
];

/// Is it a name that every model module may need for something else?
pub(super) fn imported(name: &str) -> bool {
    IMPORTED.contains(&name)
}

/// What the text of a module uses.
#[derive(Debug, Default)]
pub(super) struct Uses {
    pub annotated: bool,
    pub any: bool,
    pub literal: bool,
    pub re: bool,
    pub base_model: bool,
    pub config: bool,
    pub field: bool,
    pub root_model: bool,
    pub type_alias: bool,
    /// `_integral`
    pub integral: bool,
    /// `_Integer`
    pub integer: bool,
    /// `_not_bool`
    pub not_bool: bool,
    /// `_boolean`
    pub boolean: bool,
    /// `_NotNull`
    pub not_null: bool,
    /// Foreign classes: module, name, and name here.
    pub classes: Vec<(String, String, String)>,
}

impl Uses {
    /// Imports and helpers; ends with the blank lines that stand before what follows.
    pub(super) fn head(&self, out: &mut Writer, class_follows: bool) {
        let width = out.width();
        out.line("");
        out.line("from __future__ import annotations");
        out.line("");
        if self.re {
            out.line("import re");
        }
        let before = self.integral || self.integer || self.not_bool || self.boolean || self.not_null;
        let typing: Vec<&str> =
            [("Annotated", self.annotated || self.integer), ("Any", self.any), ("Literal", self.literal)]
                .into_iter()
                .filter(|(_, used)| *used)
                .map(|(name, _)| name)
                .collect();
        if !typing.is_empty() {
            import(out, "typing", &typing, width);
        }
        if self.re || !typing.is_empty() {
            out.line("");
        }
        let names: Vec<&str> = [
            ("BaseModel", self.base_model),
            ("BeforeValidator", before),
            ("ConfigDict", self.config),
            ("Field", self.field),
            ("RootModel", self.root_model),
        ]
        .into_iter()
        .filter(|(_, used)| *used)
        .map(|(name, _)| name)
        .collect();
        let mut classes: Vec<&(String, String, String)> = self.classes.iter().collect();
        let natural = |a: &str, b: &str| crate::validators::natural(&a.to_lowercase(), &b.to_lowercase());
        classes.sort_by(|a, b| {
            natural(&a.0, &b.0).then_with(|| crate::validators::member_order(&a.1, &b.1)).then_with(|| a.cmp(b))
        });
        let mut classes = classes.into_iter().peekable();
        let mut foreign = |out: &mut Writer, before: Option<&str>| {
            while let Some((module, name, alias)) =
                classes.next_if(|(module, ..)| before.is_none_or(|before| natural(module, before).is_lt()))
            {
                import(out, module, &[&format!("{name} as {alias}")], width);
            }
        };
        foreign(out, Some("pydantic"));
        if !names.is_empty() {
            import(out, "pydantic", &names, width);
        }
        foreign(out, Some("typing_extensions"));
        if self.type_alias {
            out.line("from typing_extensions import TypeAliasType");
        }
        foreign(out, None);
        let functions: [(bool, &str); 4] = [
            (
                self.integral || self.integer,
                "def _integral(value: object) -> object:\n    if isinstance(value, float) and value.is_integer():\n        return int(value)\n    return value\n",
            ),
            (
                self.not_bool,
                "def _not_bool(value: object) -> object:\n    if value is True or value is False:\n        raise ValueError(\"must not be a boolean\")\n    return value\n",
            ),
            (
                self.boolean,
                "def _boolean(value: object) -> object:\n    if value is not True and value is not False:\n        raise ValueError(\"must be a boolean\")\n    return value\n",
            ),
            (
                self.not_null,
                "def _not_null(value: object) -> object:\n    if value is None:\n        raise ValueError(\"must not be null\")\n    return value\n",
            ),
        ];
        let mut function = false;
        for (_, text) in functions.iter().filter(|(used, _)| *used) {
            function = true;
            out.line("");
            out.line("");
            text.lines().for_each(|line| out.line(line));
        }
        if self.integer || self.not_null {
            out.line("");
            out.line("");
            function = false;
            if self.integer {
                out.line("_Integer = Annotated[int, BeforeValidator(_integral)]");
            }
            if self.not_null {
                out.line("_NotNull = BeforeValidator(_not_null)");
            }
        }
        out.line("");
        if class_follows || function {
            out.line("");
        }
    }
}

/// `from path import names`, exploded if it must be. The names are sorted.
pub(super) fn import(out: &mut Writer, path: &str, names: &[&str], width: usize) {
    let size = "from  import ".len() + columns(path) + names.iter().map(|name| columns(name) + 2).sum::<usize>();
    if size.saturating_sub(2) <= width {
        let mut pieces = Vec::with_capacity(3 + 2 * names.len());
        pieces.extend(["from ", path, " import "]);
        for (i, name) in names.iter().enumerate() {
            pieces.extend([if i > 0 { ", " } else { "" }, name]);
        }
        out.pieces(&pieces);
        return;
    }
    out.line(&format!("from {path} import ("));
    for name in names {
        out.pieces(&["    ", name, ","]);
    }
    out.line(")");
}

/// What stands in `Annotated`: alternatives, and what is said about all of them.
pub(super) struct Parts {
    pub members: Vec<Doc>,
    pub notes: Vec<Doc>,
}

impl Module<'_> {
    /// The annotation of a type.
    pub(super) fn annotation(&mut self, r#type: &Type) -> Doc {
        let parts = self.parts(r#type);
        self.joined(parts)
    }

    /// The annotation of a type, or null. `reject` adds that null is refused all the same: it only stands for absence.
    pub(super) fn optional(&mut self, r#type: &Type, reject: bool) -> Doc {
        let mut parts = self.parts(r#type);
        let known = |doc: &Doc| matches!(doc, Doc::Text(text) if text == "None" || text == "Any");
        if !parts.members.iter().any(known) {
            parts.members.push(Doc::text("None"));
        }
        if reject {
            self.uses.not_null = true;
            parts.notes.push(Doc::text("_NotNull"));
        }
        self.joined(parts)
    }

    fn joined(&mut self, parts: Parts) -> Doc {
        let base = Doc::chain("|", parts.members);
        if parts.notes.is_empty() {
            return base;
        }
        self.uses.annotated = true;
        let mut items = vec![base];
        items.extend(parts.notes);
        Doc::group("Annotated[", items, "]")
    }

    fn parts(&mut self, r#type: &Type) -> Parts {
        let bare = |members| Parts { members, notes: Vec::new() };
        match r#type {
            Type::Any | Type::Never => {
                self.uses.any = true;
                bare(vec![Doc::text("Any")])
            }
            Type::Null => bare(vec![Doc::text("None")]),
            Type::Boolean => bare(vec![Doc::text("bool")]),
            Type::Integer(range) => {
                let bounds = integer_bounds(range);
                if bounds.is_empty() {
                    self.uses.integer = true;
                    return bare(vec![Doc::text("_Integer")]);
                }
                self.uses.integral = true;
                let notes = vec![self.note(bounds), Doc::text("BeforeValidator(_integral)")];
                Parts { members: vec![Doc::text("int")], notes }
            }
            Type::Number(range) => {
                let bounds = number_bounds(range);
                let notes = if bounds.is_empty() { Vec::new() } else { vec![self.note(bounds)] };
                Parts { members: vec![Doc::text("int"), Doc::text("float")], notes }
            }
            Type::String(text) => {
                let bounds = self.text_bounds(text);
                let notes = if bounds.is_empty() { Vec::new() } else { vec![self.note(bounds)] };
                Parts { members: vec![Doc::text("str")], notes }
            }
            Type::Literal(values) => bare(self.literal(values)),
            Type::Array { item, size } => {
                let item = self.annotation(item);
                self.sized(Doc::group("list[", vec![item], "]"), size)
            }
            Type::Map { value, size } => {
                let value = self.annotation(value);
                self.sized(Doc::group("dict[", vec![Doc::text("str"), value], "]"), size)
            }
            Type::Tuple(items) => {
                self.uses.field = true;
                let items = items.iter().map(|item| self.annotation(item)).collect();
                // Strictness would ask for a tuple; its items stay strict.
                Parts { members: vec![Doc::group("tuple[", items, "]")], notes: vec![Doc::text("Field(strict=False)")] }
            }
            Type::Named(place) => bare(vec![Doc::text(self.name_of(place))]),
            Type::Union(members) => {
                let tag = self
                    .types
                    .tag(members, self.resolve)
                    .filter(|tag| super::member::plain(tag, self.settings))
                    .map(|tag| string(&tag));
                let mut docs = Vec::new();
                let mut ordered: Vec<&Type> = members.iter().filter(|member| **member != Type::Null).collect();
                // A serializer of numbers takes a bool for one, so inside another union `False` would come back as 0.
                let number = ordered.iter().position(|member| matches!(member, Type::Integer(_) | Type::Number(_)));
                let boolean = ordered.iter().position(|member| **member == Type::Boolean);
                if let (Some(number), Some(boolean)) = (number, boolean)
                    && number < boolean
                {
                    let boolean = ordered.remove(boolean);
                    ordered.insert(number, boolean);
                }
                for member in ordered {
                    let parts = self.parts(member);
                    if parts.notes.is_empty() {
                        for doc in parts.members {
                            let known = matches!(&doc, Doc::Text(text) if docs.iter().any(|d| matches!(d, Doc::Text(t) if t == text)));
                            if !known {
                                docs.push(doc);
                            }
                        }
                    } else {
                        docs.push(self.joined(parts));
                    }
                }
                if members.contains(&Type::Null) && !docs.iter().any(|d| matches!(d, Doc::Text(t) if t == "None")) {
                    docs.push(Doc::text("None"));
                }
                let notes = match tag {
                    Some(tag) => {
                        self.uses.field = true;
                        vec![Doc::group("Field(", vec![Doc::keyword("discriminator", Doc::text(tag))], ")")]
                    }
                    None => Vec::new(),
                };
                Parts { members: docs, notes }
            }
        }
    }

    fn note(&mut self, items: Vec<Doc>) -> Doc {
        self.uses.field = true;
        Doc::group("Field(", items, ")")
    }

    fn sized(&mut self, base: Doc, size: &Size) -> Parts {
        let bounds = size_bounds(size);
        let notes = if bounds.is_empty() { Vec::new() } else { vec![self.note(bounds)] };
        Parts { members: vec![base], notes }
    }

    pub(super) fn text_bounds(&mut self, text: &Text) -> Vec<Doc> {
        let mut bounds = size_bounds(&text.size);
        if let Some(pattern) = &text.pattern
            && let Ok(translated) = crate::regex::translate(pattern)
        {
            self.uses.re = true;
            let argument = Doc::text(crate::regex::literal(&translated));
            bounds.push(Doc::keyword("pattern", Doc::group("re.compile(", vec![argument], ")")));
        }
        bounds
    }

    /// Literals of one kind each: Python takes `True`, `1` and `1.0` for the same thing.
    fn literal(&mut self, values: &[Json]) -> Vec<Doc> {
        let mut docs = Vec::new();
        let pick = |wanted: fn(&Json) -> bool| values.iter().filter(|v| wanted(v)).map(value).collect::<Vec<_>>();
        let strings = pick(|v| matches!(v, Json::String(_)));
        if !strings.is_empty() {
            self.uses.literal = true;
            docs.push(Doc::group("Literal[", strings, "]"));
        }
        let numbers = pick(|v| matches!(v, Json::Number(_)));
        if !numbers.is_empty() {
            docs.push(self.guarded(numbers, "_not_bool"));
            self.uses.not_bool = true;
        }
        let booleans = pick(|v| matches!(v, Json::Bool(_)));
        match booleans.len() {
            0 => {}
            1 => {
                docs.push(self.guarded(booleans, "_boolean"));
                self.uses.boolean = true;
            }
            _ => docs.push(Doc::text("bool")),
        }
        if values.contains(&Json::Null) {
            docs.push(Doc::text("None"));
        }
        docs
    }

    fn guarded(&mut self, values: Vec<Doc>, guard: &str) -> Doc {
        self.uses.literal = true;
        self.uses.annotated = true;
        Doc::group(
            "Annotated[",
            vec![Doc::group("Literal[", values, "]"), Doc::text(format!("BeforeValidator({guard})"))],
            "]",
        )
    }

    fn name_of(&mut self, place: &Place) -> String {
        if let Some(at) = self.types.position(place) {
            return self.names[at].clone();
        }
        match self.foreign.get(place) {
            Some(name) => name.clone(),
            None => {
                self.uses.any = true;
                "Any".to_owned()
            }
        }
    }

    /// May the type be null? What cannot be told from here counts as yes.
    pub(super) fn nullable(&self, r#type: &Type) -> bool {
        let mut seen: Vec<&Place> = Vec::new();
        let mut todo = vec![r#type];
        while let Some(next) = todo.pop() {
            match next {
                Type::Any | Type::Null => return true,
                Type::Literal(values) if values.contains(&Json::Null) => return true,
                Type::Union(members) => todo.extend(members),
                Type::Named(place) if !seen.contains(&place) => {
                    seen.push(place);
                    match self.types.get(place).map(|definition| &definition.body) {
                        Some(Body::Alias(alias)) => todo.push(alias),
                        Some(Body::External(_)) => return true,
                        Some(Body::Class(_)) => {}
                        None => {
                            if self.resolve.export(place).is_none_or(|export| export.types.has(TypeSet::NULL)) {
                                return true;
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        false
    }
}

pub(super) fn size_bounds(size: &Size) -> Vec<Doc> {
    let mut bounds = Vec::new();
    if let Some(min) = size.min.filter(|min| *min > 0) {
        bounds.push(Doc::keyword("min_length", Doc::text(min.to_string())));
    }
    // Lengths beyond 2^53 cannot occur, and Pydantic's own limit is near.
    if let Some(max) = size.max.filter(|max| *max < 1 << 53) {
        bounds.push(Doc::keyword("max_length", Doc::text(max.to_string())));
    }
    bounds
}

/// Bounds of whole numbers: rounded to whole numbers, inwards.
pub(super) fn integer_bounds(range: &Range) -> Vec<Doc> {
    let mut bounds = Vec::new();
    for (keyword, bound, up) in [
        ("ge", &range.minimum, true),
        ("gt", &range.exclusive_minimum, false),
        ("le", &range.maximum, false),
        ("lt", &range.exclusive_maximum, true),
    ] {
        let Some(bound) = bound else { continue };
        let text = if bound.is_integer() {
            bound.python()
        } else {
            // `> 0.5` is `> 0`, `>= 0.5` is `>= 1`, and so on.
            let near = bound.as_f64();
            if near.abs() > 1e9 {
                continue;
            }
            format!("{}", if up { near.ceil() } else { near.floor() })
        };
        // A bound of 1e999 bounds nothing.
        if text.contains('e') {
            continue;
        }
        bounds.push(Doc::keyword(keyword, Doc::text(if text == "-0" { "0".to_owned() } else { text })));
    }
    if let Some(step) = range.multiple_of.as_ref().and_then(Number::as_i64).filter(|step| *step > 1) {
        bounds.push(Doc::keyword("multiple_of", Doc::text(step.to_string())));
    }
    bounds
}

/// Bounds of numbers, where doubles decide as decimals do.
pub(super) fn number_bounds(range: &Range) -> Vec<Doc> {
    let mut bounds = Vec::new();
    for (keyword, bound) in [
        ("ge", &range.minimum),
        ("gt", &range.exclusive_minimum),
        ("le", &range.maximum),
        ("lt", &range.exclusive_maximum),
    ] {
        let Some(bound) = bound else { continue };
        let text = bound.python();
        if text.len() <= 16 && bound.as_f64().is_finite() {
            bounds.push(Doc::keyword(keyword, Doc::text(text)));
        }
    }
    bounds
}
