//! A contract's test module: example documents that were judged when they were generated, as Pytest cases.
//!
//! Most documents are a change of another one, and are written as that. Knows the calling convention of model and validator
//! modules; knows nothing of how the documents were made or who judged them.

mod definitions;
mod foreign;

use std::collections::HashSet;

use omnigen_ir::samples::{Base, Candidate, Edit, Samples, Step};
use omnigen_ir::{Contract, Json};

use crate::layout::{Doc, Writer, push_string, string, value};
use crate::{Emitted, Settings};

/// Strings of one character repeated more often than this are written as a product.
const REPEATED: usize = 32;

pub use definitions::Definition;
pub(crate) use definitions::{case, put_adapter};
pub use foreign::Foreign;

/// What is known of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is valid.
    Valid,
    /// It is valid; only the validator is asked, since the model has been given enough of them.
    Accepted,
    /// It is not; only the validator has to say so.
    Invalid,
    /// It is not, and the types of the model alone rule it out.
    Mistyped,
}

impl Verdict {
    fn valid(self) -> bool {
        matches!(self, Verdict::Valid | Verdict::Accepted)
    }
}

/// The module `test_<stem>.py` of a contract; `verdicts` are about the candidates, in their order. `definitions`: those that have
/// documents of their own; `foreign`: members of the first valid document that another contract describes.
pub fn tests(
    contract: &Contract<'_>,
    settings: &Settings,
    samples: &Samples,
    verdicts: &[Verdict],
    definitions: &[Definition<'_>],
    foreign: &[Foreign],
) -> Emitted {
    let unit = contract.unit;
    let model = match contract.exports.list.first() {
        Some(export) => export.class.to_string(),
        None => settings.naming.at(unit, ""),
    };
    let names =
        Names { model, validator: format!("Validator{}", unit.pascal), invalid: format!("Invalid{}", unit.pascal) };
    let judged = || samples.candidates.iter().zip(verdicts.iter().copied());
    let module = Module { names, bases: bases(samples, judged()), line: settings.line_length };
    let any = |wanted| verdicts.contains(&wanted);
    let lists = Lists {
        valid: any(Verdict::Valid),
        accepted: any(Verdict::Accepted),
        invalid: any(Verdict::Invalid),
        mistyped: any(Verdict::Mistyped),
        foreign: any(Verdict::Valid) && !foreign.is_empty(),
    };
    let edits = || samples.candidates.iter().flat_map(|candidate| &candidate.edits);
    let put = edits().any(|edit| matches!(edit, Edit::Put(path, _) if !path.is_empty()));
    let drop = edits().any(|edit| matches!(edit, Edit::Drop(_)));
    let named = module.bases.iter().any(|base| base.name.is_some());

    let mut out = Writer::with_capacity(settings.line_length, 1 << 15);
    let defined = definitions::Lists::new(contract, definitions);
    module.head(&mut out, contract, lists, &defined, samples.cut);
    module.functions(&mut out, put, drop);
    if lists.any() {
        out.line("");
        // Two empty lines behind a function, one behind imports.
        if named || put || drop {
            out.line("");
        }
    } else {
        module.nothing(&mut out);
    }
    let written = [
        ("VALID", Verdict::Valid),
        ("ACCEPTED", Verdict::Accepted),
        ("INVALID", Verdict::Invalid),
        ("MISTYPED", Verdict::Mistyped),
    ];
    for (i, (name, verdict)) in written.into_iter().filter(|(_, verdict)| any(*verdict)).enumerate() {
        if i > 0 {
            out.line("");
        }
        let cases = judged().filter(|(_, other)| *other == verdict).map(|(candidate, _)| candidate);
        module.list(&mut out, name, &cases.collect::<Vec<_>>(), verdict);
    }
    if lists.foreign {
        foreign::put_list(&mut out, unit, foreign);
    }
    if lists.valid {
        module.accepted(&mut out, lists);
    }
    if let Some((candidate, _)) = judged().find(|(_, verdict)| !verdict.valid()) {
        module.refused(&mut out, lists, &module.document(candidate));
    }
    defined.put(&mut out);
    Emitted { body: out.finish(), diagnostics: Vec::new() }
}

/// Which lists of cases there are.
#[derive(Clone, Copy)]
struct Lists {
    valid: bool,
    /// Only beside those.
    accepted: bool,
    invalid: bool,
    mistyped: bool,
    /// Members that another contract describes; only beside valid documents.
    foreign: bool,
}

impl Lists {
    fn any(self) -> bool {
        self.valid || self.invalid || self.mistyped
    }
}

struct Names {
    model: String,
    validator: String,
    invalid: String,
}

struct Module<'a> {
    names: Names,
    bases: Vec<Named<'a>>,
    line: usize,
}

/// A base, and the function that gives it if several cases need it.
struct Named<'a> {
    base: &'a Base,
    name: Option<String>,
    valid: bool,
}

/// Names for the bases that two or more cases need.
fn bases<'a>(samples: &'a Samples, judged: impl Iterator<Item = (&'a Candidate, Verdict)>) -> Vec<Named<'a>> {
    let mut bases: Vec<Named<'a>> = samples.bases.iter().map(|base| Named { base, name: None, valid: false }).collect();
    let mut uses = vec![0; bases.len()];
    for (candidate, verdict) in judged {
        if !replaces(candidate) {
            uses[candidate.base] += 1;
        }
        bases[candidate.base].valid |= verdict == Verdict::Valid && candidate.edits.is_empty();
    }
    let mut taken: HashSet<String> = ["put", "drop", "accept", "refuse"].map(str::to_owned).into();
    for (base, uses) in bases.iter_mut().zip(uses) {
        let inside = match &base.base.document {
            Json::Object(members) => !members.is_empty(),
            Json::Array(items) => !items.is_empty(),
            _ => false,
        };
        if uses < 2 || !inside {
            continue;
        }
        let wanted = function_name(&base.base.pointer);
        let mut name = wanted.clone();
        let mut count = 2;
        while !taken.insert(name.clone()) {
            name = format!("{wanted}_{count}");
            count += 1;
        }
        base.name = Some(name);
    }
    bases
}

/// Does it put a document of its own in the base's place?
fn replaces(candidate: &Candidate) -> bool {
    matches!(candidate.edits.first(), Some(Edit::Put(path, _)) if path.is_empty())
}

/// What the function of a base is called: `with_lines_0` for the one about `/lines/0`.
fn function_name(pointer: &str) -> String {
    const LONGEST: usize = 40;
    if pointer.is_empty() {
        return "base".to_owned();
    }
    let mut name = "with".to_owned();
    for c in pointer.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => {
                // `firstName` as `first_name`.
                if c.is_ascii_uppercase() && name.ends_with(|last: char| last.is_ascii_lowercase()) {
                    name.push('_');
                }
                name.push(c.to_ascii_lowercase());
            }
            _ if !name.ends_with('_') => name.push('_'),
            _ => {}
        }
    }
    let cut = name.len().min(LONGEST);
    match name[..cut].trim_end_matches('_') {
        // A word of the language.
        "with" => "with_another".to_owned(),
        name => name.to_owned(),
    }
}

fn call(function: &'static str, inner: Doc, path: &[Step], to: Option<Doc>) -> Doc {
    let mut items = Vec::with_capacity(path.len() + 2);
    items.push(inner);
    items.extend(path.iter().map(|step| match step {
        Step::Name(name) => Doc::text(string(name)),
        Step::Index(i) => Doc::text(i.to_string()),
    }));
    items.extend(to.map(|to| Doc::keyword("to", to)));
    Doc::group(function, items, ")")
}

/// A value; long runs of one character as a product.
pub(crate) fn literal(json: &Json) -> Doc {
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

/// The columns that a case takes at least, its document aside, if it stands on one line within a list. Most take more than there are.
fn least(candidate: &Candidate, verdict: Verdict) -> usize {
    let issue = match (verdict, candidate.certain) {
        (Verdict::Valid | Verdict::Accepted, _) => "",
        (_, true) => "(, ), ",
        (_, false) => "None, ",
    };
    let around = "    pytest.param(, id=),".len() + issue.len();
    // Characters beyond ASCII may take no column at all.
    if candidate.about.is_ascii() { around + candidate.about.len() + 2 } else { around }
}

/// The changes of a document that is not replaced as a whole.
fn changes(edits: &[Edit]) -> &[Edit] {
    match edits {
        [Edit::Put(path, _), others @ ..] if path.is_empty() => others,
        edits => edits,
    }
}

/// Writes `lead value trail` as one logical line, as [`Writer::statement`] writes [`literal`].
fn spread(out: &mut Writer, lead: &str, json: &Json, trail: &str) {
    // At most four bytes for a column.
    let most = out.width() * 4;
    let flat = |text: &mut String| {
        text.push_str(lead);
        let end = text.len() + most;
        let fits = literal_within(text, json, end);
        text.push_str(trail);
        fits
    };
    if out.line_if(flat) {
        return;
    }
    match json {
        Json::Object(members) if !members.is_empty() => {
            out.pieces(&[lead, "{"]);
            out.indent();
            for (name, value) in members {
                let mut lead = string(name);
                lead.push_str(": ");
                spread(out, &lead, value, ",");
            }
            out.dedent();
            out.pieces(&["}", trail]);
        }
        Json::Array(items) if !items.is_empty() => {
            out.pieces(&[lead, "["]);
            out.indent();
            items.iter().for_each(|item| spread(out, "", item, ","));
            out.dedent();
            out.pieces(&["]", trail]);
        }
        json => out.statement(lead, &literal(json), trail),
    }
}

/// Writes what [`literal`] gives on one line; false, with less than that, where it does not end before `end`.
fn literal_within(out: &mut String, json: &Json, end: usize) -> bool {
    match json {
        Json::String(text) => {
            let first = text.chars().next();
            match first {
                Some(first) if text.len() > REPEATED && text.chars().all(|c| c == first) => {
                    out.push_str(&format!("{} * {}", string(&first.to_string()), text.chars().count()));
                }
                _ => push_string(out, text),
            }
        }
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                if !literal_within(out, item, end) {
                    return false;
                }
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (i, (name, value)) in members.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                push_string(out, name);
                out.push_str(": ");
                if !literal_within(out, value, end) {
                    return false;
                }
            }
            out.push('}');
        }
        json => value(json).flat(out),
    }
    out.len() < end
}

impl<'a> Module<'a> {
    /// Most cases stand on few lines, one item a line or all on one, which is written without looking further.
    fn list(&self, out: &mut Writer, name: &str, cases: &[&Candidate], verdict: Verdict) {
        if cases.len() < 3 {
            let cases = cases.iter().map(|candidate| self.case(candidate, verdict)).collect();
            out.statement(&format!("{name} = "), &Doc::group("[", cases, "]"), "");
            return;
        }
        out.line(&format!("{name} = ["));
        out.indent();
        for candidate in cases {
            let issue = |text: &mut String| match (verdict, candidate.certain) {
                (Verdict::Valid | Verdict::Accepted, _) => {}
                (_, true) => {
                    text.push('(');
                    push_string(text, &candidate.pointer);
                    text.push_str(", ");
                    push_string(text, candidate.keyword);
                    text.push(')');
                }
                (_, false) => text.push_str("None"),
            };
            let id = |text: &mut String| {
                text.push_str("id=");
                push_string(text, &candidate.about);
            };
            let whole = |text: &mut String| {
                text.push_str("pytest.param(");
                if !self.document_within(text, candidate) {
                    return false;
                }
                text.push_str(", ");
                issue(text);
                text.push_str(if verdict.valid() { "" } else { ", " });
                id(text);
                text.push_str("),");
                true
            };
            if least(candidate, verdict) <= self.line && out.line_if(whole) {
                continue;
            }
            out.line("pytest.param(");
            out.indent();
            let ended = |text: &mut String| {
                text.push(',');
                true
            };
            if !out.line_if(|text| self.document_within(text, candidate) && ended(text)) {
                self.spread_document(out, candidate, changes(&candidate.edits));
            }
            if !verdict.valid() {
                let fits = out.line_if(|text| {
                    issue(text);
                    ended(text)
                });
                if !fits {
                    out.item(&self.issue(candidate));
                }
            }
            let mut text = String::with_capacity(candidate.about.len() + 6);
            id(&mut text);
            text.push(',');
            out.line(&text);
            out.dedent();
            out.line("),");
        }
        out.dedent();
        out.line("]");
    }

    /// Writes the document after these changes, which does not fit on a line, as an item.
    fn spread_document(&self, out: &mut Writer, candidate: &Candidate, edits: &[Edit]) {
        let Some((last, before)) = edits.split_last() else {
            let document = match candidate.edits.first() {
                Some(Edit::Put(path, document)) if path.is_empty() => document,
                _ => &self.bases[candidate.base].base.document,
            };
            return spread(out, "", document, ",");
        };
        let (Edit::Put(path, _) | Edit::Drop(path)) = last;
        out.line(if matches!(last, Edit::Put(..)) { "put(" } else { "drop(" });
        out.indent();
        let flat = |text: &mut String| {
            let fits = self.edits_within(text, candidate, before);
            text.push(',');
            fits
        };
        if !out.line_if(flat) {
            self.spread_document(out, candidate, before);
        }
        for step in path {
            match step {
                Step::Name(name) => out.pieces(&[&string(name), ","]),
                Step::Index(index) => out.pieces(&[&index.to_string(), ","]),
            }
        }
        if let Edit::Put(_, value) = last {
            spread(out, "to=", value, ",");
        }
        out.dedent();
        out.line("),");
    }

    fn case(&self, candidate: &Candidate, verdict: Verdict) -> Doc {
        let mut items = vec![self.document(candidate)];
        if !verdict.valid() {
            items.push(self.issue(candidate));
        }
        items.push(Doc::keyword("id", Doc::text(string(&candidate.about))));
        Doc::group("pytest.param(", items, ")")
    }

    fn issue(&self, candidate: &Candidate) -> Doc {
        if !candidate.certain {
            return Doc::text("None");
        }
        let texts = [&*candidate.pointer, candidate.keyword];
        Doc::group("(", texts.iter().map(|text| Doc::text(string(text))).collect(), ")")
    }

    /// The document, as a change of its base.
    fn document(&self, candidate: &Candidate) -> Doc {
        let base = &self.bases[candidate.base];
        let inner = match (&base.name, candidate.edits.first()) {
            (_, Some(Edit::Put(path, document))) if path.is_empty() => literal(document),
            (Some(name), _) => Doc::text(format!("{name}()")),
            (None, _) => literal(&base.base.document),
        };
        candidate.edits.iter().fold(inner, |inner, edit| match edit {
            Edit::Put(path, _) if path.is_empty() => inner,
            Edit::Put(path, value) => call("put(", inner, path, Some(literal(value))),
            Edit::Drop(path) => call("drop(", inner, path, None),
        })
    }

    /// Writes what [`Module::document`] gives, on one line; false, with less than that, where it is certainly too long for one.
    fn document_within(&self, text: &mut String, candidate: &Candidate) -> bool {
        self.edits_within(text, candidate, changes(&candidate.edits))
    }

    /// The same after these changes only.
    fn edits_within(&self, text: &mut String, candidate: &Candidate, edits: &[Edit]) -> bool {
        // At most four bytes for a column.
        let end = text.len() + self.line * 4;
        let base = &self.bases[candidate.base];
        for edit in edits.iter().rev() {
            text.push_str(if matches!(edit, Edit::Put(..)) { "put(" } else { "drop(" });
        }
        let written = match (&base.name, candidate.edits.first()) {
            (_, Some(Edit::Put(path, document))) if path.is_empty() => literal_within(text, document, end),
            (Some(name), _) => {
                text.push_str(name);
                text.push_str("()");
                true
            }
            (None, _) => literal_within(text, &base.base.document, end),
        };
        written
            && edits.iter().all(|edit| {
                let (Edit::Put(path, _) | Edit::Drop(path)) = edit;
                for step in path {
                    text.push_str(", ");
                    match step {
                        Step::Name(name) => push_string(text, name),
                        Step::Index(index) => text.push_str(&index.to_string()),
                    }
                }
                if let Edit::Put(_, value) = edit {
                    text.push_str(", to=");
                    if !literal_within(text, value, end) {
                        return false;
                    }
                }
                text.push(')');
                text.len() < end
            })
    }

    fn head(&self, out: &mut Writer, contract: &Contract<'_>, lists: Lists, defined: &definitions::Lists, cut: bool) {
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
        if cut {
            out.line("Rules deepest inside are left out: they are too many for tests of milliseconds.");
        }
        out.line("\"\"\"");
        out.line("");
        let bad = lists.invalid || lists.mistyped;
        if lists.any() || defined.any() {
            if defined.valid() {
                out.line("from functools import cache");
            }
            if lists.foreign {
                out.line("from importlib import import_module");
            }
            out.line("from typing import Any");
            out.line("");
            out.line("import pytest");
            let wanted = [("TypeAdapter", defined.valid()), ("ValidationError", lists.mistyped)];
            let wanted: Vec<&str> = wanted.into_iter().filter_map(|(name, wanted)| wanted.then_some(name)).collect();
            if !wanted.is_empty() {
                out.line(&format!("from pydantic import {}", wanted.join(", ")));
            }
            out.line("");
        }
        let path = |kind| unit.import("test", unit, kind);
        if defined.valid() {
            import_as(out, &path("model"), "models");
        }
        if lists.valid || lists.mistyped || !bad {
            self.import(out, &path("model"), &[model]);
        }
        if defined.any() {
            import_as(out, &path("validator"), "validators");
        }
        let names: Vec<&str> = if bad { vec![invalid, validator] } else { vec![validator] };
        self.import(out, &path("validator"), &names);
    }

    fn import(&self, out: &mut Writer, module: &str, names: &[&str]) {
        import(out, self.line, module, names);
    }

    fn functions(&self, out: &mut Writer, put: bool, drop: bool) {
        for Named { base, name, valid } in &self.bases {
            let Some(name) = name else { continue };
            let kind = if *valid { "A valid document" } else { "A document" };
            let mut about = format!("{kind} with {}.", base.pointer);
            let room = self.line.saturating_sub(10);
            if base.pointer.is_empty()
                || about.len() > room
                || base.pointer.contains(['"', '\\'])
                || !base.pointer.is_ascii()
            {
                about = format!("{kind}; cases change one place of it.");
            }
            function(out, &format!("def {name}() -> Any:"), &about);
            out.indent();
            spread(out, "return ", &base.document, "");
            out.dedent();
        }
        if put {
            function(
                out,
                "def put(document: Any, *path: str | int, to: Any) -> Any:",
                "The document with another value at a path.",
            );
            walk(out, "at[path[-1]] = to");
        }
        if drop {
            function(
                out,
                "def drop(document: Any, *path: str | int) -> Any:",
                "The document without the member at a path.",
            );
            walk(out, "del at[path[-1]]");
        }
    }

    /// What is asked of every valid document; a function of its own if two tests ask it.
    fn accepted(&self, out: &mut Writer, lists: Lists) {
        if lists.foreign {
            function(out, "def accept(document: Any) -> None:", "It has no issues and comes back as it was.");
            self.accept(out);
        }
        out.line("");
        out.line("");
        out.line("@pytest.mark.parametrize(\"document\", VALID)");
        out.line("def test_valid(document: Any) -> None:");
        out.line("    \"\"\"A valid document has no issues and comes back as it was.\"\"\"");
        if lists.foreign {
            out.line("    accept(document)");
            foreign::put_test(out);
        } else {
            self.accept(out);
        }
        if lists.accepted {
            out.line("");
            out.line("");
            out.line("@pytest.mark.parametrize(\"document\", ACCEPTED)");
            out.line("def test_accepted(document: Any) -> None:");
            out.line("    \"\"\"A valid document has no issues.\"\"\"");
            out.line(&format!("    assert {}.errors(document) == []", self.names.validator));
        }
    }

    fn accept(&self, out: &mut Writer) {
        let (model, validator) = (&self.names.model, &self.names.validator);
        out.indent();
        out.line(&format!("assert {validator}.errors(document) == []"));
        out.line(&format!("model = {validator}.validate(document)"));
        out.line(&format!("assert isinstance(model, {model})"));
        out.line("dumped = model.model_dump(by_alias=True, exclude_unset=True, mode=\"json\")");
        out.line("assert dumped == document");
        out.dedent();
    }

    fn refused(&self, out: &mut Writer, lists: Lists, document: &Doc) {
        let Names { model, validator, invalid } = &self.names;
        let both = lists.invalid && lists.mistyped;
        if both {
            function(
                out,
                "def refuse(document: Any, issue: tuple[str, str] | None) -> None:",
                "The validator has issues with it; one is certain, where it is given.",
            );
            self.issues(out);
        }
        if lists.invalid {
            out.line("");
            out.line("");
            out.line("@pytest.mark.parametrize((\"document\", \"issue\"), INVALID)");
            out.line("def test_invalid(document: Any, issue: tuple[str, str] | None) -> None:");
            out.line("    \"\"\"An invalid document is refused, with the issue where it is known.\"\"\"");
            if both {
                out.line("    refuse(document, issue)");
            } else {
                self.issues(out);
            }
        }
        if lists.mistyped {
            out.line("");
            out.line("");
            out.line("@pytest.mark.parametrize((\"document\", \"issue\"), MISTYPED)");
            out.line("def test_mistyped(document: Any, issue: tuple[str, str] | None) -> None:");
            out.line("    \"\"\"What the types rule out is refused by the model on its own, too.\"\"\"");
            if both {
                out.line("    refuse(document, issue)");
            } else {
                self.issues(out);
            }
            out.line("    with pytest.raises(ValidationError):");
            out.line(&format!("        {model}.model_validate(document)"));
        }
        function(out, "def test_no_model() -> None:", "Of an invalid document there is no model.");
        out.indent();
        out.statement("document: Any = ", document, "");
        out.statement("issues = ", &Doc::group(format!("{validator}.errors("), vec![Doc::text("document")], ")"), "");
        out.line(&format!("with pytest.raises({invalid}) as caught:"));
        out.line(&format!("    {validator}.validate(document)"));
        out.line("assert caught.value.issues == issues");
        out.dedent();
    }

    /// What every invalid document is asked.
    fn issues(&self, out: &mut Writer) {
        out.indent();
        let call = Doc::group(format!("{}.errors(", self.names.validator), vec![Doc::text("document")], ")");
        out.statement("issues = ", &call, "");
        out.line("found = [(one[\"pointer\"], one[\"keyword\"]) for one in issues]");
        out.line("assert found");
        out.line("if issue is not None:");
        out.line("    assert issue in found");
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

/// `from package import module as name`.
pub(crate) fn import_as(out: &mut Writer, path: &str, name: &str) {
    let (package, module) = path.rsplit_once('.').unwrap_or((".", path));
    let package = if package.is_empty() || package.ends_with('.') { format!("{package}.") } else { package.to_owned() };
    let flat = format!("from {package} import {module} as {name}");
    if flat.chars().count() <= out.width() {
        out.line(&flat);
    } else {
        out.line(&format!("from {package} import ("));
        out.line(&format!("    {module} as {name},"));
        out.line(")");
    }
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
mod tests;
