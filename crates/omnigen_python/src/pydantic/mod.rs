//! Pydantic models: one module a contract.
//!
//! A model accepts every document that its contract allows and gives it back. What types cannot say stays with the
//! validator. Definitions stand before what uses them; names of other modules are imported at the bottom, so that one form
//! of import serves for modules that need each other, and the classes that wait for such a name are completed there.

mod annotation;
mod default;
pub(crate) mod docstring;
mod member;
mod names;
mod straight;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use omnigen_ir::naming::Unit;
use omnigen_ir::normalize::{Body, Class, Definition, Type, Types, Unchecked};
use omnigen_ir::{Contract, External, FileId, Place, Resolve};
use omnigen_report::{At, Code, Diagnostic, Severity};
use rustc_hash::FxHashMap;

use crate::layout::{Doc, Writer, string};
use crate::{Emitted, Settings};
use annotation::Uses;

/// So many bytes more are reserved, for the lines that an output gets in front.
const HEADING: usize = 512;

/// The module of a contract's models.
pub fn models(contract: &Contract<'_>, resolve: &dyn Resolve, settings: &Settings) -> Emitted {
    let types = Types::of(contract, resolve);
    let mut module = Module {
        contract,
        resolve,
        settings,
        names: Vec::new(),
        order: Vec::new(),
        foreign: BTreeMap::new(),
        imports: BTreeMap::new(),
        uses: Uses::default(),
        diagnostics: Vec::new(),
        types: &types,
    };
    module.name();
    module.import();
    let order = module.sorted();
    let body = module.body(&order);
    module.mismatches();
    Emitted { body, diagnostics: module.diagnostics }
}

struct Module<'a> {
    contract: &'a Contract<'a>,
    resolve: &'a dyn Resolve,
    settings: &'a Settings,
    types: &'a Types,
    /// The Python name of each definition.
    names: Vec<String>,
    /// The rank of each definition in the module.
    order: Vec<usize>,
    /// What types of other contracts are called here.
    foreign: BTreeMap<Place, String>,
    /// The late imports: module, then name and alias.
    imports: BTreeMap<String, BTreeMap<String, String>>,
    uses: Uses,
    diagnostics: Vec<Diagnostic>,
}

impl Module<'_> {
    fn unit(&self, file: &FileId) -> Cow<'_, Unit> {
        if file == self.contract.file { Cow::Borrowed(self.contract.unit) } else { self.resolve.unit(file) }
    }

    /// Names the definitions, and reports those that want the same name.
    fn name(&mut self) {
        let unit = |file: &FileId| self.unit(file);
        let names = names::names(&self.types.definitions, &self.settings.naming, &unit);
        let mut taken: FxHashMap<&str, usize> =
            FxHashMap::with_capacity_and_hasher(names.len(), rustc_hash::FxBuildHasher);
        for (at, (definition, name)) in self.types.definitions.iter().zip(&names).enumerate() {
            if annotation::imported(name) {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::NameCollision,
                        self.at(definition),
                        format!("the type is called `{name}`, as is something that every model module imports"),
                    )
                    .hint("set `[python] naming` to a template with a prefix, such as `Model{Name}`"),
                );
            }
            if let Some(other) = taken.insert(name, at) {
                let other = &self.types.definitions[other];
                for (one, two) in [(other, definition), (definition, other)] {
                    self.diagnostics.push(
                        Diagnostic::new(
                            Code::NameCollision,
                            self.at(one),
                            format!("two types of this contract want the name `{name}`"),
                        )
                        .related(self.at(two), "the other one")
                        .hint("rename one of the definitions or properties that the name is made of"),
                    );
                }
            }
        }
        self.names = names;
    }

    /// The nearest place in the contract's own text.
    fn at(&self, definition: &Definition) -> At {
        if definition.place.file != *self.contract.file {
            return At::file(self.contract.file);
        }
        At::value(self.contract.file, &definition.place.pointer)
    }

    /// Finds what other contracts have to give, and what it is called here.
    fn import(&mut self) {
        let mut places: Vec<&Place> = Vec::new();
        for definition in &self.types.definitions {
            definition.body.names(&mut |place| {
                if self.types.position(place).is_none() {
                    places.push(place);
                }
            });
        }
        places.sort_unstable();
        places.dedup();
        if places.is_empty() {
            return;
        }
        let mut count: FxHashMap<&str, usize> = self.names.iter().map(|name| (name.as_str(), 1)).collect();
        let mut found = Vec::new();
        for place in places {
            let Some(export) = self.resolve.export(place) else { continue };
            *count.entry(&export.class).or_default() += 1;
            found.push((place, &*export.class));
        }
        for (place, class) in found {
            let unit = self.unit(&place.file);
            let alias = if count.get(class).is_some_and(|&count| count > 1) {
                let folders: String = unit.folders.iter().map(|folder| omnigen_ir::naming::pascal(folder)).collect();
                format!("{folders}{}{class}", unit.pascal)
            } else {
                class.to_owned()
            };
            let path = self.contract.unit.import("model", &unit, "model");
            self.imports.entry(path).or_default().insert(class.to_owned(), alias.clone());
            self.foreign.insert(place.clone(), alias);
        }
    }

    /// The definitions so that what is needed comes first, where it can.
    fn sorted(&mut self) -> Vec<usize> {
        let count = self.types.definitions.len();
        let needs: Vec<Vec<usize>> = self
            .types
            .definitions
            .iter()
            .map(|definition| {
                let mut needs = Vec::new();
                definition.body.names(&mut |place| needs.extend(self.types.position(place)));
                needs
            })
            .collect();
        let needs = self.knotted(needs);
        let mut order = Vec::with_capacity(count);
        let mut entered = vec![false; count];
        let mut stack: Vec<(usize, usize)> = Vec::new();
        for start in 0..count {
            if entered[start] {
                continue;
            }
            entered[start] = true;
            stack.push((start, 0));
            while let Some((at, next)) = stack.last_mut() {
                if let Some(&need) = needs[*at].get(*next) {
                    *next += 1;
                    if !entered[need] {
                        entered[need] = true;
                        stack.push((need, 0));
                    }
                } else {
                    order.push(*at);
                    stack.pop();
                }
            }
        }
        self.order = vec![0; count];
        for (rank, &at) in order.iter().enumerate() {
            self.order[at] = rank;
        }
        order
    }

    /// What definitions need, without the classes of which an alias that names itself is a part: such an alias comes before
    /// them. Behind them pyright takes it for a variable.
    fn knotted(&self, mut needs: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
        let class = |at: usize| matches!(self.types.definitions[at].body, Body::Class(_));
        for alias in (0..needs.len()).filter(|at| !class(*at)) {
            if !needs[alias].contains(&alias) {
                continue;
            }
            let kept = needs[alias].iter().copied().filter(|need| !class(*need) || !leads(&needs, *need, alias));
            needs[alias] = kept.collect();
        }
        needs
    }

    fn body(&mut self, order: &[usize]) -> String {
        let types = self.types;
        let width = self.settings.line_length;
        let mut code = Writer::new(width);
        let mut incomplete = vec![false; order.len()];
        let mut rebuilt = Vec::new();
        let mut after_class = true;
        for (rank, &at) in order.iter().enumerate() {
            let definition = &types.definitions[at];
            let (mut waits, mut quoted) = (false, false);
            definition.body.names(&mut |place| match types.position(place) {
                None => {
                    let known = self.foreign.contains_key(place);
                    waits |= known;
                    quoted |= known;
                }
                Some(target) => {
                    let later = self.order[target] >= rank;
                    quoted |= later;
                    waits |= (later && target != at) || incomplete[target];
                }
            });
            incomplete[at] = waits;
            let root = definition.exported && definition.place.pointer.is_empty();
            match &definition.body {
                Body::Class(class) => {
                    code.line("");
                    code.line("");
                    self.class(&mut code, at, class);
                    after_class = true;
                    if waits {
                        rebuilt.push(at);
                    }
                }
                Body::Alias(alias) if root => {
                    code.line("");
                    code.line("");
                    self.root(&mut code, at, alias, quoted);
                    after_class = true;
                    if waits || quoted {
                        rebuilt.push(at);
                    }
                }
                Body::External(external) if self.imported(at, external) => {}
                Body::External(external) => {
                    code.line("");
                    if after_class && rank > 0 {
                        code.line("");
                    }
                    after_class = false;
                    self.external(&mut code, at, external);
                }
                Body::Alias(alias) => {
                    code.line("");
                    if after_class && rank > 0 {
                        code.line("");
                    }
                    after_class = false;
                    self.alias(&mut code, at, alias, quoted);
                }
            }
        }
        if !self.imports.is_empty() {
            code.line("");
            if after_class {
                code.line("");
            }
            for (path, names) in late_order(&self.imports) {
                let mut plain: Vec<&str> =
                    names.iter().filter(|(name, alias)| name == alias).map(|(name, _)| name.as_str()).collect();
                plain.sort_by(|a, b| crate::validators::member_order(a, b));
                // isort wants a statement for each that is called otherwise, and all by their first names.
                let mut statements: Vec<(&str, Vec<String>)> = names
                    .iter()
                    .filter(|(name, alias)| name != alias)
                    .map(|(name, alias)| (name.as_str(), vec![format!("{name} as {alias}")]))
                    .collect();
                if let Some(first) = plain.first() {
                    statements.push((first, plain.iter().map(|name| (*name).to_owned()).collect()));
                }
                statements.sort_by(|(a, _), (b, _)| crate::validators::member_order(a, b));
                for (_, members) in statements {
                    let members: Vec<&str> = members.iter().map(String::as_str).collect();
                    annotation::import(&mut code, path, &members, width);
                }
            }
        }
        for (i, at) in rebuilt.into_iter().enumerate() {
            if i == 0 {
                code.line("");
                if self.imports.is_empty() && after_class {
                    code.line("");
                }
            }
            let line = format!("{}.model_rebuild(raise_errors=False)", self.names[at]);
            if line.chars().count() <= width {
                code.line(&line);
            } else {
                code.line(&format!("{}.model_rebuild(", self.names[at]));
                code.line("    raise_errors=False");
                code.line(")");
            }
        }
        let code = code.finish();
        let mut out = Writer::with_capacity(width, 512);
        let title = types
            .definitions
            .iter()
            .find(|definition| definition.exported && definition.place.pointer.is_empty())
            .and_then(|definition| definition.notes.title.as_deref())
            .map(|title| title.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|title| !title.is_empty());
        docstring::write(&mut out, &format!("Types of {}.", title.as_deref().unwrap_or(&self.contract.unit.pascal)));
        if !self.imports.is_empty() {
            out.line("# ruff: noqa: E402, RUF100");
        }
        self.uses.head(&mut out, code.trim_start_matches('\n').starts_with("class "));
        let mut text = out.finish();
        text.reserve_exact(code.len() + HEADING);
        // One blank line before a statement, two before a class: the head knows what it ends with.
        text.push_str(code.trim_start_matches('\n'));
        text
    }

    fn class(&mut self, code: &mut Writer, at: usize, class: &Class) {
        let definition = &self.types.definitions[at];
        self.uses.base_model = true;
        self.uses.config = true;
        code.class(&self.names[at], &Doc::text("BaseModel"));
        code.indent();
        if let Some(text) = docstring::text(&definition.notes, &self.unchecked(&definition.unchecked, None)) {
            docstring::write(code, &text);
            code.line("");
        }
        let extra = if class.extra == Type::Never { "forbid" } else { "allow" };
        let frozen = if class.frozen { "\", frozen=True)" } else { "\")" };
        code.pieces(&["model_config = ConfigDict(strict=True, extra=\"", extra, frozen]);
        let mut apart = false;
        if !matches!(class.extra, Type::Any | Type::Never) {
            self.uses.field = true;
            let value = self.annotation(&class.extra);
            code.line("");
            self.extra(code, value);
            apart = true;
        }
        if !class.fields.is_empty() && !apart {
            code.line("");
        }
        let names = self.members(definition, class);
        let mut documented = false;
        for (field, name) in class.fields.iter().zip(names) {
            if documented {
                code.line("");
            }
            self.field(code, field, &name);
            let unchecked = self.unchecked(&field.unchecked, Some(&field.r#type));
            documented = match docstring::text(&field.notes, &unchecked) {
                Some(text) => {
                    docstring::write(code, &text);
                    true
                }
                None => false,
            };
        }
        code.dedent();
    }

    /// The type of other members. The pragma has to stand on the first line.
    fn extra(&self, code: &mut Writer, value: Doc) {
        const PRAGMA: &str = "# pyright: ignore[reportIncompatibleVariableOverride]";
        const REST: &str = " = Field(init=False)";
        let items = [Doc::text("str"), value];
        let mut line = "__pydantic_extra__: ".to_owned();
        Doc::group("dict[", items.to_vec(), "]").flat(&mut line);
        line.push_str(REST);
        if code.level() * 4 + line.chars().count() <= code.width() {
            code.line(&format!("{line}  {PRAGMA}"));
        } else {
            code.exploded("__pydantic_extra__: ", &format!("dict[  {PRAGMA}"), &items, &format!("]{REST}"));
        }
    }

    /// What a type leaves to the validator, as readers are told.
    fn unchecked(&self, unchecked: &Unchecked, said: Option<&Type>) -> Vec<&'static str> {
        let mut told = unchecked.keywords.clone();
        if let Some(Type::Union(members)) = said
            && told.contains(&"oneOf")
            && self.types.tag(members, self.resolve).is_some()
        {
            // A tag tells the members apart: no two can match.
            told.retain(|keyword| *keyword != "oneOf");
        }
        let asserted = self.settings.assert_formats;
        if unchecked
            .formats
            .iter()
            .any(|(name, always)| (asserted || *always) && crate::validators::checks_format(name))
        {
            told.push("format");
        }
        told
    }

    fn root(&mut self, code: &mut Writer, at: usize, alias: &Type, quoted: bool) {
        self.uses.root_model = true;
        self.uses.config = true;
        let behind = self.class_behind(alias).clone();
        let made = self.annotation(&behind);
        let shown = if quoted {
            let mut text = String::new();
            made.flat(&mut text);
            Doc::text(string(&text))
        } else {
            made.clone()
        };
        code.class(&self.names[at], &Doc::group("RootModel[", vec![shown], "]"));
        code.indent();
        let definition = &self.types.definitions[at];
        if let Some(text) = docstring::text(&definition.notes, &self.unchecked(&definition.unchecked, Some(alias))) {
            docstring::write(code, &text);
            code.line("");
        }
        code.line("model_config = ConfigDict(strict=True)");
        if quoted {
            code.line("");
            code.statement("root: ", &made, "");
        }
        code.dedent();
    }

    /// The class that is meant by names for names. As the type of a root pydantic takes such a name for a reference to itself
    /// while something within the class is unfinished.
    fn class_behind<'t>(&'t self, alias: &'t Type) -> &'t Type {
        let mut behind = alias;
        for _ in 0..self.types.definitions.len() {
            let Type::Named(place) = behind else { return alias };
            let Some(at) = self.types.position(place) else { return alias };
            match &self.types.definitions[at].body {
                Body::Class(_) => return behind,
                Body::Alias(inner) => behind = inner,
                Body::External(_) => return alias,
            }
        }
        alias
    }

    fn alias(&mut self, code: &mut Writer, at: usize, alias: &Type, quoted: bool) {
        self.uses.type_alias = true;
        let made = self.annotation(alias);
        let shown = if quoted {
            let mut text = String::new();
            made.flat(&mut text);
            Doc::text(string(&text))
        } else {
            made
        };
        let name = &self.names[at];
        let items = vec![Doc::text(string(name)), shown];
        code.assignment("", &Doc::text(name.clone()), &Doc::group("TypeAliasType(", items, ")"));
        let definition = &self.types.definitions[at];
        if let Some(text) = docstring::text(&definition.notes, &self.unchecked(&definition.unchecked, Some(alias))) {
            docstring::write(code, &text);
        }
    }

    /// Where the project says that a foreign class is to be imported from: module and name.
    fn origin(&self, external: &External) -> Option<(String, String)> {
        self.resolve.external(external);
        self.settings.external.of(external)
    }

    /// Imports a foreign class, if it is called here as it is there. The import says that the name is meant for others too.
    fn imported(&mut self, at: usize, external: &External) -> bool {
        match self.origin(external) {
            Some((module, class)) if class == self.names[at] => {
                self.uses.classes.push((module, class.clone(), class));
                true
            }
            _ => false,
        }
    }

    /// A foreign class: another name for everything, unless the project says where to import it from.
    fn external(&mut self, code: &mut Writer, at: usize, external: &External) {
        let name = self.names[at].clone();
        let (value, about) = match self.origin(external) {
            Some((module, class)) => {
                let alias = format!("_{name}");
                self.uses.classes.push((module, class, alias.clone()));
                (alias, None)
            }
            None => {
                self.uses.any = true;
                let path: String =
                    external.path().chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
                ("Any".to_owned(), Some(format!("Stands for `{path}`, which is not imported.")))
            }
        };
        self.uses.type_alias = true;
        let items = vec![Doc::text(string(&name)), Doc::text(value)];
        code.assignment("", &Doc::text(name), &Doc::group("TypeAliasType(", items, ")"));
        let said = docstring::text(&self.types.definitions[at].notes, &[]);
        let parts: Vec<&str> = about.as_deref().into_iter().chain(said.as_deref()).collect();
        if !parts.is_empty() {
            docstring::write(code, &parts.join("\n\n"));
        }
    }

    /// Reports unions that are not spelled out, and defaults that are not carried over.
    fn mismatches(&mut self) {
        for (at, keyword) in &self.types.too_wide {
            let message = format!(
                "this `{keyword}` amounts to too many combinations for a type: the model leaves it to the validator"
            );
            let mut diagnostic =
                Diagnostic::new(Code::NotCarried, At::key(self.contract.file, &format!("{at}/{keyword}")), message);
            diagnostic.severity = Severity::Note;
            self.diagnostics
                .push(diagnostic.hint("alternatives that are references, with nothing beside them, stay short"));
        }
        for bad in &self.types.bad_defaults {
            let mut shown = bad.value.to_string();
            if shown.chars().count() > 60 {
                shown = shown.chars().take(57).collect();
                shown.push_str("...");
            }
            let mut message = String::new();
            let _ = write!(message, "the default `{shown}` is not allowed by its own schema");
            self.diagnostics.push(
                Diagnostic::new(
                    Code::MismatchedDefault,
                    At::value(self.contract.file, &format!("{}/default", bad.at)),
                    message,
                )
                .hint("change the default or the schema; the generated model has none"),
            );
        }
    }
}

/// Relative imports as isort sorts them: the farthest folder first, then by path.
fn late_order(imports: &BTreeMap<String, BTreeMap<String, String>>) -> Vec<(&String, &BTreeMap<String, String>)> {
    let mut sorted: Vec<_> = imports.iter().collect();
    let dots = |path: &str| path.bytes().take_while(|byte| *byte == b'.').count();
    sorted.sort_by(|(a, _), (b, _)| {
        let (x, y) = (dots(a), dots(b));
        y.cmp(&x).then_with(|| crate::validators::natural(&a[x..], &b[y..]))
    });
    sorted
}

/// Does one of the definitions need the other, itself or through others?
fn leads(needs: &[Vec<usize>], from: usize, to: usize) -> bool {
    let mut seen = vec![false; needs.len()];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if !std::mem::replace(&mut seen[at], true) {
            open.extend(&needs[at]);
        }
    }
    false
}
