//! The module around the functions.

use crate::layout::{Doc, Writer, columns};
use crate::regex;
use omnigen_ir::Place;
use omnigen_ir::naming::name_at;

use super::condition::find;
use super::{Emitter, Import, Need, formats, prelude};

/// The bytes of a usual module around its functions.
const ROOM: usize = 8192;

/// The text of the module.
pub(super) fn assemble(emitter: &Emitter<'_>) -> String {
    let unit = emitter.contract.unit;
    // All at once: a text that grows by doubling touches twice its memory.
    let functions: usize = emitter.functions.iter().map(|text| text.len() + 2).sum();
    let mut w = Writer::with_capacity(emitter.settings.line_length, functions + ROOM);
    let file = emitter.contract.file.replace(|c: char| matches!(c, '"' | '\\') || c.is_control(), "_");
    w.pieces(&["\"\"\"Validators of `", &file, "`.\"\"\""]);
    w.line("");
    w.line("from __future__ import annotations");
    w.line("");
    let helpers = formats::texts(&emitter.formats);
    if !emitter.patterns.is_empty() || helpers.iter().any(|text| text.contains("re.")) {
        w.line("import re");
    }
    if helpers.iter().any(|text| text.contains("unicodedata.")) {
        w.line("import unicodedata");
    }
    let tables = emitter.functions.iter().any(|text| text.starts_with("@cache"));
    if tables || helpers.iter().any(|text| text.contains("@cache")) {
        w.line("from functools import cache");
    }
    let typed = !emitter.contract.exports.list.is_empty();
    let numbers = emitter.needs(Need::IsInteger) || emitter.needs(Need::IsNumber);
    w.line(match (typed, numbers) {
        (true, true) => "from typing import TYPE_CHECKING, Any, TypedDict, TypeGuard",
        (true, false) => "from typing import TYPE_CHECKING, Any, TypedDict",
        (false, _) => "from typing import TypedDict",
    });
    w.line("");
    // A condition that asked for another module may have been left out again.
    let called = |import: &Import| {
        let call = [import.called(), "."].concat();
        emitter.functions.iter().any(|text| find(text, &call).is_some())
    };
    let imports: Vec<Import> =
        emitter.imports.iter().map(|(_, import)| import).filter(|import| called(import)).cloned().collect();
    if !imports.is_empty() {
        put_imports(&mut w, emitter.settings.line_length, imports);
        w.line("");
    }
    let path = unit.import("validator", unit, "model");
    let list = checked(emitter);
    if !list.is_empty() {
        let mut models: Vec<String> = list.iter().map(|checked| checked.model.clone()).collect();
        models.sort_by(|a, b| member_order(a, b));
        models.dedup();
        w.line("if TYPE_CHECKING:");
        w.indent();
        put_import(&mut w, emitter.settings.line_length, &path, &models);
        w.dedent();
        w.line("");
    }
    for (i, pattern) in emitter.patterns.iter().enumerate() {
        let compile = Doc::group("re.compile(", vec![Doc::text(regex::literal(pattern))], ")");
        w.statement(&["_search_", &(i + 1).to_string(), " = "].concat(), &compile, ".search");
    }
    for (name, value) in &emitter.constants {
        // What an empty list may hold, a type checker cannot guess.
        let json = matches!(value, Doc::Group { open, .. } if matches!(&**open, "[" | "{"));
        w.assignment("", &Doc::text([*name, if json { ": Any" } else { "" }].concat()), value);
    }
    if !emitter.patterns.is_empty() || !emitter.constants.is_empty() {
        w.line("");
    }
    w.line("");
    w.line("class Issue(TypedDict):");
    w.line("    \"\"\"A violation: where in the data, of which keyword, and what was expected.\"\"\"");
    w.line("");
    w.line("    pointer: str");
    w.line("    keyword: str");
    w.line("    message: str");
    let mut out = w.finish();
    let class = classes(emitter, &path, &list);
    let helpers_size: usize = helpers.iter().map(|text| text.len() + 2).sum();
    out.reserve(functions + helpers_size + class.len());
    for (need, text) in [
        (Need::IsInteger, prelude::IS_INTEGER),
        (Need::IsNumber, prelude::IS_NUMBER),
        (Need::IsMultiple, prelude::IS_MULTIPLE),
        (Need::Equal, prelude::EQUAL),
        (Need::IsAmong, prelude::IS_AMONG),
        (Need::IsUnique, prelude::IS_UNIQUE),
    ] {
        if emitter.needs(need) {
            out.push_str("\n\n");
            out.push_str(text);
        }
    }
    for text in helpers {
        out.push_str("\n\n");
        out.push_str(text);
    }
    emitter.explainer(&mut out);
    for function in emitter.functions.iter().filter(|text| !text.is_empty()) {
        out.push_str("\n\n");
        out.push_str(function);
    }
    out.push_str(&class);
    out
}

/// What a class of the module checks.
struct Checked {
    /// `Order` in `ValidatorOrder`.
    name: String,
    /// Of the functions.
    suffix: String,
    /// The type that is given back.
    model: String,
    /// Is that certainly a class? Else it may be another name for a type.
    class: bool,
}

/// The root, if the contract is a schema, else everything that it exports.
fn checked(emitter: &Emitter<'_>) -> Vec<Checked> {
    let contract = &emitter.contract;
    let exports = &contract.exports.list;
    if exports.first().is_some_and(|export| export.pointer.is_empty()) {
        let model = emitter.settings.naming.at(contract.unit, "");
        return vec![Checked { name: contract.unit.pascal.clone(), suffix: String::new(), model, class: true }];
    }
    let list = exports.iter().filter(|export| !export.opaque).map(|export| Checked {
        name: name_at(contract.unit, &export.pointer),
        suffix: export.function.to_string(),
        model: export.class.to_string(),
        class: emitter
            .resolve
            .schema(&Place::new(contract.file, &export.pointer))
            .is_some_and(omnigen_ir::normalize::only_object),
    });
    list.collect()
}

fn classes(emitter: &Emitter<'_>, path: &str, list: &[Checked]) -> String {
    let pascal = &emitter.contract.unit.pascal;
    let mut w = Writer::new(emitter.settings.line_length);
    w.line("");
    w.line("");
    w.class(&["Invalid", pascal].concat(), &Doc::text("ValueError"));
    w.indent();
    w.line("\"\"\"Data that is not valid; `issues` tells why.\"\"\"");
    w.line("");
    w.line("def __init__(self, issues: list[Issue]) -> None:");
    w.indent();
    w.line("lines = []");
    w.line("for issue in issues:");
    w.indent();
    w.line("pointer = issue[\"pointer\"] or \"/\"");
    w.line("lines.append(f\"{pointer}: {issue['message']}\")");
    w.dedent();
    w.line("super().__init__(\"; \".join(lines))");
    w.line("self.issues = issues");
    w.dedent();
    w.dedent();
    for checked in list {
        class(&mut w, emitter, path, checked);
    }
    w.finish()
}

fn class(w: &mut Writer, emitter: &Emitter<'_>, path: &str, checked: &Checked) {
    let Checked { name, suffix, model, class } = checked;
    w.line("");
    w.line("");
    w.pieces(&["class Validator", name, ":"]);
    w.indent();
    w.line("\"\"\"Checks data, as `json.loads` gives it, against the contract.\"\"\"");
    w.line("");
    w.line("@staticmethod");
    w.line("def errors(data: Any) -> list[Issue]:");
    w.indent();
    w.line("\"\"\"Return all violations; none if data is valid.\"\"\"");
    w.line("issues: list[Issue] = []");
    call(w, "if not ", &["accepts", suffix], &["data"], ":");
    w.indent();
    call(w, "", &["collect", suffix], &["data", "\"\"", "issues"], "");
    w.dedent();
    w.line("return issues");
    w.dedent();
    w.line("");
    w.line("@staticmethod");
    if columns(") -> :") + 4 + columns(model) > w.width() && 8 + columns(model) <= w.width() {
        w.line("def validate(");
        w.line("    data: Any,");
        w.line(") -> (");
        w.pieces(&["    ", model]);
        w.line("):");
    } else {
        let result = [" -> ", model, ":"].concat();
        call(w, "def ", &["validate"], &["data: Any"], &result);
    }
    w.indent();
    let kind = if *class { "a model" } else { "its type" };
    w.pieces(&["\"\"\"Return data as ", kind, "; raise if it is not valid.\"\"\""]);
    if !class {
        w.line("from pydantic import TypeAdapter");
        w.line("");
    }
    put_import(w, emitter.settings.line_length, path, std::slice::from_ref(model));
    w.line("");
    let errors = ["Validator", name, ".errors("].concat();
    w.assignment("", &Doc::text("issues"), &Doc::group(errors, vec![Doc::text("data")], ")"));
    w.line("if issues:");
    w.indent();
    call(w, "raise ", &["Invalid", &emitter.contract.unit.pascal], &["issues"], "");
    w.dedent();
    if *class {
        let call = [model, ".model_validate("].concat();
        w.returned(&Doc::group(call, vec![Doc::text("data")], ")"));
    } else {
        let annotation = Doc::group("TypeAdapter[", vec![Doc::text(model.clone())], "]");
        w.assignment("adapter: ", &annotation, &Doc::group("TypeAdapter(", vec![Doc::text(model.clone())], ")"));
        w.line("return adapter.validate_python(data)");
    }
    w.dedent();
    w.dedent();
}

/// `before function(arguments)after`, its name in pieces; one argument a line if there is no room.
fn call(w: &mut Writer, before: &str, function: &[&str], arguments: &[&'static str], after: &str) {
    let whole = w.line_if(|out| {
        out.push_str(before);
        function.iter().for_each(|piece| out.push_str(piece));
        out.push('(');
        for (i, argument) in arguments.iter().enumerate() {
            out.push_str(if i > 0 { ", " } else { "" });
            out.push_str(argument);
        }
        out.push(')');
        out.push_str(after);
        true
    });
    if !whole {
        let arguments = arguments.iter().map(|argument| Doc::text(*argument)).collect();
        w.statement(before, &Doc::group([&function.concat(), "("].concat(), arguments, ")"), after);
    }
}

/// `from package import names`, one a line if there is no room.
fn put_import(w: &mut Writer, width: usize, package: &str, names: &[String]) {
    let head = "from  import ".len() + columns(package);
    let list = names.iter().map(|name| columns(name) + 2).sum::<usize>();
    if w.level() * 4 + head + list.saturating_sub(2) <= width {
        let mut pieces = Vec::with_capacity(3 + 2 * names.len());
        pieces.extend(["from ", package, " import "]);
        for (i, name) in names.iter().enumerate() {
            pieces.extend([if i > 0 { ", " } else { "" }, name]);
        }
        w.pieces(&pieces);
        return;
    }
    w.pieces(&["from ", package, " import ("]);
    w.indent();
    for name in names {
        w.pieces(&[name, ","]);
    }
    w.dedent();
    w.line(")");
}

/// Imports in the order of `ruff`: furthest packages first, names as people count, renamed ones by themselves.
fn put_imports(w: &mut Writer, width: usize, mut imports: Vec<Import>) {
    let dots = |import: &Import| import.package.chars().take_while(|&c| c == '.').count();
    imports.sort_by(|a, b| {
        let (x, y) = (dots(a), dots(b));
        y.cmp(&x)
            .then_with(|| natural(&a.package[x..], &b.package[y..]))
            .then_with(|| a.alias.is_some().cmp(&b.alias.is_some()))
            .then_with(|| natural(&a.module, &b.module))
    });
    let mut rest = imports.as_slice();
    while let Some(first) = rest.first() {
        let same = rest
            .iter()
            .take_while(|i| i.package == first.package && i.alias.is_none() && first.alias.is_none())
            .count();
        let (group, others) = rest.split_at(same.max(1));
        let names: Vec<String> = group
            .iter()
            .map(|i| i.alias.as_ref().map_or_else(|| i.module.clone(), |alias| format!("{} as {alias}", i.module)))
            .collect();
        put_import(w, width, &first.package, &names);
        rest = others;
    }
}

/// The order of names in one import statement, as `ruff` has it: constants, classes, others; then as people count.
pub(crate) fn member_order(a: &str, b: &str) -> std::cmp::Ordering {
    let kind = |name: &str| {
        let constant = name.len() > 1 && !name.contains(char::is_lowercase) && name.contains(char::is_uppercase);
        if constant { 0 } else { 2 - u8::from(name.starts_with(char::is_uppercase)) }
    };
    kind(a).cmp(&kind(b)).then_with(|| natural(&a.to_lowercase(), &b.to_lowercase())).then_with(|| natural(a, b))
}

/// Order of texts with numbers in them: `a2` before `a10`.
pub(crate) fn natural(a: &str, b: &str) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        match (a.first(), b.first()) {
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let run = |s: &[u8]| s.iter().take_while(|c| c.is_ascii_digit()).count();
                let ((x, rest_a), (y, rest_b)) = (a.split_at(run(a)), b.split_at(run(b)));
                let strip = |s: &[u8]| s.iter().position(|&c| c != b'0').map_or_else(Vec::new, |at| s[at..].to_vec());
                let (x, y) = (strip(x), strip(y));
                let order = x.len().cmp(&y.len()).then_with(|| x.cmp(&y));
                if order != Ordering::Equal {
                    return order;
                }
                (a, b) = (rest_a, rest_b);
            }
            (Some(x), Some(y)) if x == y => (a, b) = (&a[1..], &b[1..]),
            (Some(x), Some(y)) => return x.cmp(y),
        }
    }
}
