//! Validator modules: straight-line Python for everything that a contract asserts.
//!
//! For each definition two functions: `accepts…` says yes or no as fast as it can, `collect…` finds every violation and is
//! called only after a no. Other contracts' validators are called by the names that their exports give.
//! Knows schemas, through [`Resolve`]. Does not know models beyond the name of the root's class.

mod broken;
mod check;
mod code;
mod condition;
mod evaluated;
mod explain;
mod explainer;
mod formats;
mod module;
mod prelude;
mod rules;
mod scope;
mod simple;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use module::{member_order, natural};

use std::cell::Cell;
use std::rc::Rc;

use bumpalo::Bump;
use compact_str::ToCompactString as _;
use omnigen_ir::naming::function_at;
use omnigen_ir::{Contract, Export, FileId, ObjectRules, Place, Resolve, Schema, TypeSet};
use omnigen_report::{At, Code as Finding, Diagnostic};
use rustc_hash::FxHashMap;

use crate::layout::{self, Doc};
use crate::regex;
use crate::{Emitted, Settings};

/// Is there a check for a format of this name?
pub(crate) fn checks_format(name: &str) -> bool {
    formats::find(name).is_some()
}

/// Room that one module after the other is written in.
struct Room {
    arena: Bump,
    buffers: Vec<String>,
    table: table::Table,
}

thread_local! {
    /// The room of the last module of this thread: to make room takes longer than to fill it.
    static ROOM: Cell<Option<Box<Room>>> = const { Cell::new(None) };
}

/// More than this is not kept, bytes.
const ROOMY: usize = 1 << 20;

/// The validator module of a contract.
pub fn validators(contract: &Contract<'_>, resolve: &dyn Resolve, settings: &Settings) -> Emitted {
    let mut room = ROOM.take().unwrap_or_else(|| {
        Box::new(Room { arena: Bump::with_capacity(1 << 16), buffers: Vec::new(), table: table::Table::default() })
    });
    let mut emitter = Emitter {
        arena: &room.arena,
        contract: *contract,
        resolve,
        settings,
        file: contract.file.clone(),
        scope: scope::OPEN,
        bindings: vec![scope::Bindings::new()],
        functions: Vec::new(),
        buffers: std::mem::take(&mut room.buffers),
        branches: FxHashMap::default(),
        evaluations: FxHashMap::default(),
        conditions: FxHashMap::default(),
        summaries: FxHashMap::default(),
        evaluation_count: 0,
        branch_count: 0,
        collector_count: 0,
        constants: Vec::new(),
        constant_names: FxHashMap::default(),
        patterns: Vec::new(),
        pattern_names: FxHashMap::default(),
        formats: Vec::new(),
        imports: Vec::new(),
        needs: 0,
        parts: 0,
        assertions: 0,
        untyped: 0,
        types: Vec::new(),
        table: std::mem::take(&mut room.table),
        places: Vec::new(),
        suffixes: FxHashMap::default(),
        callees: FxHashMap::default(),
        diagnostics: Vec::new(),
    };
    emitter.run();
    emitter.table_needs();
    let body = module::assemble(&emitter);
    let Emitter { mut diagnostics, mut buffers, table, .. } = emitter;
    if room.arena.allocated_bytes() <= ROOMY {
        buffers.retain(|buffer| buffer.capacity() <= ROOMY);
        (room.buffers, room.table) = (buffers, table);
        room.arena.reset();
        ROOM.set(Some(room));
    }
    diagnostics.sort();
    diagnostics.dedup();
    Emitted { body, diagnostics }
}

/// A function that a module may bring along.
#[derive(Clone, Copy)]
enum Need {
    IsInteger,
    IsNumber,
    IsMultiple,
    Equal,
    IsAmong,
    IsUnique,
}

/// Functions of another module, or of this one.
struct Callee {
    accepts: String,
    collect: String,
}

impl Callee {
    /// The functions with a suffix, of a module that is imported here, or of this one.
    fn new(module: Option<&str>, suffix: &str) -> Callee {
        let (module, dot) = module.map_or(("", ""), |module| (module, "."));
        Callee {
            accepts: [module, dot, "accepts", suffix].concat(),
            collect: [module, dot, "collect", suffix].concat(),
        }
    }
}

/// An import of another validator module.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Import {
    /// `.`, `..billing`
    package: String,
    /// `validator_invoice`
    module: String,
    /// What it is called here, if not that.
    alias: Option<String>,
}

impl Import {
    /// What it is called here.
    fn called(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.module)
    }
}

struct Emitter<'a> {
    /// Where conditions lie.
    arena: &'a Bump,
    contract: Contract<'a>,
    resolve: &'a dyn Resolve,
    settings: &'a Settings,
    /// The file of the schema that is being written.
    file: FileId,
    /// What is bound there: an index into `bindings`.
    scope: usize,
    /// Sets of bound anchors, the empty one first.
    bindings: Vec<scope::Bindings>,
    /// Finished functions; a place is reserved before a function is written, so that callers stand before callees.
    functions: Vec<&'a str>,
    /// Buffers of functions that are finished, to be used again: most of the time for a text goes into making room for it.
    buffers: Vec<String>,
    /// Numbers of private functions, by the address of their schema and what is bound.
    branches: FxHashMap<(usize, usize), usize>,
    /// Functions that tell what is evaluated for a node, by the same.
    evaluations: FxHashMap<(usize, usize, evaluated::Kind), String>,
    /// Numbers of private functions of conditions, by their text.
    conditions: FxHashMap<String, usize>,
    /// What schemas evaluate that references lead to.
    summaries: FxHashMap<(usize, usize, evaluated::Kind), evaluated::Summary<'a>>,
    evaluation_count: usize,
    branch_count: usize,
    collector_count: usize,
    /// Constants of the module, in the order of their use.
    constants: Vec<(&'a str, Doc)>,
    constant_names: FxHashMap<String, &'a str>,
    /// Translated patterns; the name is `_search_<place, from one>`.
    patterns: Vec<String>,
    /// Of the patterns as the contracts have them; `None` for those without a translation.
    pattern_names: FxHashMap<&'a str, Option<&'a str>>,
    /// Names of formats that are checked, in the order of their use.
    formats: Vec<&'static str>,
    imports: Vec<(FileId, Import)>,
    needs: u32,
    /// What the tables of rules use: bits of [`explainer::Part`] and of [`explainer::Assertion`], and the types.
    parts: u32,
    assertions: u32,
    /// Assertions that are asked of data of other types, too.
    untyped: u32,
    types: Vec<TypeSet>,
    /// The table that is being written, or room for one.
    table: table::Table,
    /// Places that get functions, with what is bound there, and the functions' suffix.
    places: Vec<(Place, usize, String)>,
    suffixes: FxHashMap<String, (Place, usize)>,
    /// What references lead to, by their address and what is bound.
    callees: FxHashMap<(usize, usize), Option<Rc<Callee>>>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Emitter<'a> {
    fn run(&mut self) {
        let exports = self.contract.exports;
        for export in &exports.list {
            if export.opaque || !self.own(export) {
                continue;
            }
            let place = Place::new(self.contract.file, &export.pointer);
            let scope = self.enter(scope::OPEN, &place);
            self.place(place, scope, export.function.to_string());
        }
        let mut next = 0;
        while let Some((place, scope, suffix)) = self.places.get(next).cloned() {
            next += 1;
            (self.file, self.scope) = (place.file.clone(), scope);
            let resolve = self.resolve;
            let Some(schema) = resolve.schema(&place) else { continue };
            let root = suffix.is_empty();
            let name = |kind| condition::together(self.arena, &[kind, &suffix]);
            let (accepts, collect) = (name("accepts"), name("collect"));
            self.accept_function(accepts, schema, root.then_some("Tell whether data is valid."));
            self.collect_function(collect, schema, root.then_some("Append what is wrong with data."));
        }
    }

    /// Has an export functions of its own? One that only refers to another has its.
    fn own(&self, export: &Export) -> bool {
        export.pointer.is_empty() || *export.function == *function_at(self.contract.unit, &export.pointer)
    }

    /// Asks for functions for a place.
    fn place(&mut self, place: Place, scope: usize, suffix: String) {
        if let Some((other, bound)) = self.suffixes.get(&suffix) {
            if *other != place || *bound != scope {
                for (here, there) in [(&place, other), (other, &place)] {
                    // The inside of another contract is copied here: that contract is not at fault.
                    let (at, whose) = if here.file == *self.contract.file {
                        (At::key(&here.file, &here.pointer), String::new())
                    } else {
                        (At::file(self.contract.file), format!(", one for `{}#{}`", here.file, here.pointer))
                    };
                    let message =
                        format!("two schemas want the functions `accepts{suffix}` and `collect{suffix}`{whose}");
                    self.diagnostics.push(
                        Diagnostic::new(Finding::NameCollision, at, message)
                            .hint("rename one of the definitions")
                            .related(At::key(&there.file, &there.pointer), "the other one"),
                    );
                }
            }
            return;
        }
        self.suffixes.insert(suffix.clone(), (place.clone(), scope));
        self.places.push((place, scope, suffix));
    }

    /// What another contract's validator module is called here.
    fn import(&mut self, file: &FileId) -> String {
        if let Some((_, import)) = self.imports.iter().find(|(f, _)| f == file) {
            return import.called().to_owned();
        }
        let unit = self.resolve.unit(file);
        let path = self.contract.unit.import("validator", &unit, "validator");
        let (package, module) = path.rsplit_once('.').unwrap_or((".", &path));
        let package = if package.is_empty() || package.chars().all(|c| c == '.') {
            format!("{package}.")
        } else {
            package.to_owned()
        };
        // Whether another import has the same name must not depend on the others: the own name is the only exception
        // that could be known, so a module of another folder always carries its folders.
        let alias = (unit.folders != self.contract.unit.folders).then(|| {
            format!("{}_{module}", if unit.folders.is_empty() { "root".to_owned() } else { unit.folders.join("_") })
        });
        let import = Import { package, module: module.to_owned(), alias };
        let called = import.called().to_owned();
        self.imports.push((file.clone(), import));
        called
    }

    /// A place for the text of a function.
    fn reserve(&mut self) -> usize {
        self.functions.push("");
        self.functions.len() - 1
    }

    /// An empty text for a function.
    fn code(&mut self) -> code::Code<'a> {
        let buffer = self.buffers.pop().unwrap_or_else(|| String::with_capacity(1 << 14));
        code::Code::new(self.arena, self.settings.line_length, buffer)
    }

    /// Puts a finished function at its place.
    fn put(&mut self, place: usize, code: code::Code<'_>) {
        let mut buffer = code.finish();
        self.functions[place] = self.arena.alloc_str(&buffer);
        buffer.clear();
        self.buffers.push(buffer);
    }

    fn need(&mut self, need: Need) {
        self.needs |= 1 << need as u32;
    }

    fn needs(&self, need: Need) -> bool {
        self.needs & (1 << need as u32) != 0
    }

    /// The name of a constant with this value.
    fn constant(&mut self, value: Doc) -> &'a str {
        let mut text = String::new();
        value.flat(&mut text);
        match self.constant_names.get(text.as_str()) {
            Some(name) => name,
            None => self.new_constant(text, value),
        }
    }

    fn new_constant(&mut self, flat: String, value: Doc) -> &'a str {
        let name = condition::together(self.arena, &["_VALUE_", &(self.constants.len() + 1).to_compact_string()]);
        self.constant_names.insert(flat, name);
        self.constants.push((name, value));
        name
    }

    /// A set of string literals.
    fn set<S: AsRef<str>>(&mut self, literals: &[S]) -> &'a str {
        let size = literals.iter().map(|literal| literal.as_ref().len() + 2).sum::<usize>();
        let mut flat = String::with_capacity(size + "frozenset({})".len());
        flat.push_str("frozenset({");
        for (i, literal) in literals.iter().enumerate() {
            flat.push_str(if i > 0 { ", " } else { "" });
            flat.push_str(literal.as_ref());
        }
        flat.push_str("})");
        if let Some(name) = self.constant_names.get(&flat) {
            return name;
        }
        let before = "_VALUE_ = ".len() + (self.constants.len() + 1).to_compact_string().len();
        let value = if before + layout::columns(&flat) <= self.settings.line_length {
            Doc::text(flat.clone())
        } else {
            let items = literals.iter().map(|literal| Doc::text(literal.as_ref().to_owned())).collect();
            Doc::group("frozenset(", vec![Doc::group("{", items, "}")], ")")
        };
        self.new_constant(flat, value)
    }

    /// The names of the declared properties.
    fn names(&mut self, rules: &ObjectRules) -> &'a str {
        let arena = self.arena;
        let mut names = bumpalo::collections::Vec::with_capacity_in(rules.properties.len(), arena);
        names.extend(rules.properties.iter().map(|property| condition::quoted(arena, &[], &property.name, "")));
        self.set(&names)
    }

    /// The search functions of `patternProperties`.
    fn searches(&mut self, rules: &'a ObjectRules) -> Vec<(&'a str, &'a Schema)> {
        let mut list = Vec::new();
        for (pattern, schema) in &rules.patterns {
            if let Some(search) = self.pattern(pattern) {
                list.push((search, schema));
            }
        }
        list
    }

    /// The name of the search function for a pattern; `None` if it has no translation, which the check of the contract
    /// reports ([`regex::findings`]).
    fn pattern(&mut self, pattern: &'a str) -> Option<&'a str> {
        if let Some(known) = self.pattern_names.get(pattern) {
            return *known;
        }
        let name = regex::translate(pattern).ok().map(|translated| {
            let place = self.patterns.iter().position(|other| *other == translated).unwrap_or_else(|| {
                self.patterns.push(translated);
                self.patterns.len() - 1
            });
            condition::together(self.arena, &["_search_", &(place + 1).to_compact_string()])
        });
        self.pattern_names.insert(pattern, name);
        name
    }

    /// The name of the function that checks a format.
    fn format(&mut self, format: &str, at: &str) -> Option<&'static str> {
        let Some(found) = formats::find(format) else {
            let at = At::value(&self.file, &format!("{at}/format"));
            self.diagnostics.push(Diagnostic::new(
                Finding::UnknownFormat,
                at,
                format!("the format `{format}` is not checked"),
            ));
            return None;
        };
        if !self.formats.contains(&found.name) {
            self.formats.push(found.name);
        }
        Some(found.function)
    }
}
