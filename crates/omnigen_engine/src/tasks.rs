//! Generated tests: text in which a judge takes part.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use omnigen_ir::normalize::Types;
use omnigen_ir::samples::{Candidate, Limit, Samples, effort, samples};
use omnigen_ir::{Asked, Contract, FileId, Json, Link, Node, Place, Question, RefTarget, Reference, Resolve, Schema};
use omnigen_python::pytest::{Definition, Verdict};
use omnigen_python::{Emitted, Settings};
use omnigen_report::{At, Code, Diagnostic};
use rustc_hash::FxHashSet;

use crate::definitions_tests;
use crate::exports_tests::{keyed, keys, written};
use crate::graph::{Db, declarations, source_of};
use crate::inputs::Source;
use crate::lean::{self, Names};
use crate::settings::Setting;
use crate::trace::{Reads, Target};

/// How many documents one contract's tests have: enough for every constraint of all but the largest, and still milliseconds.
const LIMIT: Limit = Limit { documents: 1_300, values: 32_000 };

/// So many valid documents are loaded and dumped by the model: that takes ten times as long as to check one.
const LOADED: usize = 200;

/// So many documents are given to the model alone as well: it takes ten times as long to refuse one as the validator.
const MODELS: usize = 100;

/// Whose turn it is when there are more: the first wrong type of a place (0), something missing (1), anything else (2).
const TURNS: [usize; 5] = [0, 0, 1, 0, 2];

/// Schemas that one value of a test may be checked against: no judge, and no validator, comes to an end with many more.
const EFFORT: u64 = 20_000;

/// Why documents of a contract are not judged, if one value of it is too much work.
pub(crate) fn too_much(contract: &Contract<'_>, reads: &Reads<'_>) -> Option<String> {
    let effort = effort(contract, reads);
    (effort > EFFORT)
        .then(|| format!("its alternatives multiply, so that one value is checked against {effort} schemas"))
}

/// An example of a schema that the schema itself does not allow.
pub(crate) fn refused(file: &FileId, schema: &str, candidate: &Candidate, valid: bool) -> Option<Diagnostic> {
    let number: usize = candidate.about.strip_prefix("example ")?.parse().ok()?;
    if valid || candidate.keyword != "examples" || !candidate.pointer.is_empty() {
        return None;
    }
    let at = At::value(file, &format!("{schema}/examples/{}", number.checked_sub(1)?));
    let message = format!("example {number} is not valid by its own contract");
    Some(Diagnostic::new(Code::ExampleInvalid, at, message))
}

/// Candidates, verdicts, test module.
pub(crate) fn tests(
    db: &dyn Db,
    source: Source,
    contract: &Contract<'_>,
    reads: &Reads<'_>,
    settings: &Settings,
) -> Emitted {
    if contract.exports.list.first().is_none_or(|export| !export.pointer.is_empty()) {
        return crate::exports_tests::tests(db, source, contract, reads, settings);
    }
    if let Some(reason) = too_much(contract, reads) {
        return without_verdicts(contract, settings, &reason);
    }
    let samples = samples(contract, reads, LIMIT);
    let made = definitions_tests::made(contract, reads);
    let base = base(db, contract.file, source);
    let root = || Asked { root: base.clone(), member: None, samples: &samples };
    let ask = |choices, asked| {
        let question = question(db, source, contract, reads, settings, choices, asked)?;
        db.shared().verdicts.ask(&question)
    };
    // All at once: to read a contract takes the judge longer than to decide.
    let (choice, mut asked) = definitions_tests::asked(&base, &made);
    asked.insert(0, root());
    let (judged, unjudged) = match ask(choice, asked) {
        // What is wrong may be a definition that nothing leads to.
        Err(reason) if !made.is_empty() => (ask(Vec::new(), vec![root()]), Some(no_verdict(contract, &reason))),
        judged => (judged, None),
    };
    match judged {
        Ok(mut verdicts) => {
            let others = verdicts.split_off(samples.candidates.len().min(verdicts.len()));
            let definitions = if unjudged.is_none() { definitions_tests::judged(made, &others) } else { Vec::new() };
            let types = Types::of(contract, reads);
            let root = Place::new(contract.file, "");
            let known = known(&samples, &verdicts, &|document| types.refuses(&root, document));
            let foreign = crate::foreign_tests::foreign(contract, reads, &samples, &known);
            let mut emitted =
                omnigen_python::pytest::tests(contract, settings, &samples, &known, &definitions, &foreign);
            emitted.diagnostics.extend(unjudged);
            for Definition { export, samples, verdicts } in &definitions {
                let judged = samples.candidates.iter().zip(verdicts);
                emitted.diagnostics.extend(
                    judged.filter_map(|(candidate, valid)| refused(contract.file, &export.pointer, candidate, *valid)),
                );
            }
            let judged = samples.candidates.iter().zip(&verdicts);
            let refused = judged.filter_map(|(candidate, valid)| refused(contract.file, "", candidate, *valid));
            emitted.diagnostics.extend(refused);
            emitted
        }
        Err(reason) => without_verdicts(contract, settings, &reason),
    }
}

/// What is known of each document. The model alone is given some of every kind, as long as there is room: of wrong types the first
/// of every place.
fn known(samples: &Samples, verdicts: &[bool], refuses: &dyn Fn(&Json) -> bool) -> Vec<Verdict> {
    let mut known: Vec<Verdict> =
        verdicts.iter().map(|valid| if *valid { Verdict::Valid } else { Verdict::Invalid }).collect();
    spare(samples, &mut known);
    let mut scratch = samples.scratch();
    if verdicts.iter().filter(|valid| !**valid).count() <= MODELS {
        for (known, candidate) in known.iter_mut().zip(&samples.candidates) {
            if *known == Verdict::Invalid && scratch.look(candidate, refuses) {
                *known = Verdict::Mistyped;
            }
        }
        return known;
    }
    let mut places: FxHashSet<&str> = FxHashSet::default();
    let mut kinds: [Vec<usize>; 3] = [const { Vec::new() }; 3];
    for (at, candidate) in samples.candidates.iter().enumerate() {
        match known.get(at) {
            Some(Verdict::Invalid) if candidate.keyword == "type" && places.insert(&candidate.pointer) => {
                kinds[0].push(at)
            }
            Some(Verdict::Invalid) if candidate.keyword == "required" => kinds[1].push(at),
            Some(Verdict::Invalid) => kinds[2].push(at),
            _ => {}
        }
    }
    let mut room = MODELS;
    let mut kinds = kinds.map(Vec::into_iter);
    while room > 0 && kinds.iter().any(|kind| kind.len() > 0) {
        for kind in TURNS {
            let found = kinds[kind].find(|at| scratch.look(&samples.candidates[*at], refuses));
            let Some(at) = found.filter(|_| room > 0) else { continue };
            known[at] = Verdict::Mistyped;
            room -= 1;
        }
    }
    known
}

/// Of more valid documents than the model is given it gets those that show no rule in particular, then the first of every place.
fn spare(samples: &Samples, known: &mut [Verdict]) {
    if known.iter().filter(|verdict| **verdict == Verdict::Valid).count() <= LOADED {
        return;
    }
    let mut places: FxHashSet<&str> = FxHashSet::default();
    let valid = samples.candidates.iter().zip(known).filter(|(_, verdict)| **verdict == Verdict::Valid);
    let mut ranked: Vec<(bool, &mut Verdict)> = valid
        .map(|(candidate, verdict)| (!candidate.keyword.is_empty() && !places.insert(&candidate.pointer), verdict))
        .collect();
    ranked.sort_by_key(|(later, _)| *later);
    ranked.into_iter().skip(LOADED).for_each(|(_, verdict)| *verdict = Verdict::Accepted);
}

/// Tests without verdicts would prove nothing: keeps what can be tested without documents, and says so.
fn without_verdicts(contract: &Contract<'_>, settings: &Settings, reason: &str) -> Emitted {
    let none = Samples { bases: Vec::new(), candidates: Vec::new(), cut: false };
    let mut emitted = omnigen_python::pytest::tests(contract, settings, &none, &[], &[], &[]);
    emitted.diagnostics.push(no_verdict(contract, reason));
    emitted
}

fn no_verdict(contract: &Contract<'_>, reason: &str) -> Diagnostic {
    let message = format!("the oracle cannot judge documents of this contract: {reason}");
    Diagnostic::new(Code::NoVerdict, At::file(contract.file), message)
}

/// The question about the candidates: the contract's document, those of the files that were read for it, and those of `choices`,
/// with their URIs. References between the former are rewritten to lead where the build has found them to lead; what is referenced
/// beyond them accepts everything (the candidates hold nothing there).
pub(crate) fn question<'a>(
    db: &dyn Db,
    source: Source,
    contract: &Contract<'_>,
    reads: &Reads<'_>,
    settings: &Settings,
    choices: Vec<(String, Json)>,
    asked: Vec<Asked<'a>>,
) -> Result<Question<'a>, String> {
    let mut included: BTreeSet<FileId> = reads.foreign();
    included.insert(contract.file.clone());
    let sources: BTreeMap<FileId, Source> =
        included.into_iter().filter_map(|file| source_of(db, &file).map(|source| (file, source))).collect();
    let bases: BTreeMap<&FileId, String> =
        sources.iter().map(|(file, source)| (file, base(db, file, *source))).collect();
    let mut documents = vec![(ANYTHING.to_owned(), Json::Object(Vec::new()))];
    let metaschemas = std::cell::Cell::new(sources.keys().any(|file| reads.built_in(file)));
    // Files that something leads to which is written down: the others need not be.
    let wanted: RefCell<Vec<FileId>> = RefCell::new(vec![contract.file.clone()]);
    // Contracts that are no schema themselves are written as one, with their schemas at other places.
    let rootless: BTreeMap<&FileId, BTreeSet<&str>> = sources
        .iter()
        .filter_map(|(file, source)| Some((file, reads.declared(*source).filter(|declared| !declared.rooted())?)))
        .map(|(file, declared)| (file, keys(declared)))
        .collect();
    // What the candidates touch of another file has been linked and recorded when they were made. Its other references are only
    // written down here: that somebody has read them is not true, and would hold back what does not need them.
    let aside = Reads::new(db, source, Target::Tests);
    let link = |file: &FileId, reference: &Reference| match file == contract.file {
        true => reads.link(file, reference),
        false => aside.link(file, reference),
    };
    let target = |file: &FileId, reference: &Reference| match link(file, reference) {
        Link::To(place) if reads.built_in(&place.file) => {
            metaschemas.set(true);
            Some(reference.text.to_string())
        }
        Link::To(place) => bases.get(&place.file).map(|base| {
            wanted.borrow_mut().push(place.file.clone());
            match (&reference.dynamic, rootless.get(&place.file)) {
                (_, Some(keys)) => format!("{base}#{}", encoded(&keyed(keys, &place.pointer))),
                // The name of the anchor is what makes it dynamic.
                (Some(name), None) if !name.is_empty() => format!("{base}#{name}"),
                _ => format!("{base}#{}", encoded(&place.pointer)),
            }
        }),
        Link::Dangling | Link::Pending => None,
    };
    // Of a contract that refers to no other one nothing is left out.
    let mut names = match reads.declared(source).filter(|_| sources.len() > 1) {
        Some(own) => Names::of(&asked, own),
        None => Names::default(),
    };
    let mut literal = true;
    for (file, &source) in &sources {
        if let Some(declared) = reads.declared(source).filter(|_| !reads.built_in(file)) {
            literal &= names.referred(declared);
        }
    }
    if !literal {
        wanted.borrow_mut().extend(sources.keys().cloned());
    }
    let mut written_down: BTreeSet<FileId> = BTreeSet::new();
    loop {
        let next = wanted.borrow_mut().pop();
        let Some(next) = next else { break };
        let Some((file, &source)) = sources.get_key_value(&next).filter(|(file, _)| !reads.built_in(file)) else {
            continue;
        };
        if !written_down.insert(next) {
            continue;
        }
        let Some(parsed) = declarations(db, source).as_deref() else { continue };
        let Some(declared) = reads.declared(source) else { continue };
        if !declared.rooted() {
            let found = |reference: &Reference| {
                let target = target(file, reference);
                target.unwrap_or_else(|| ANYTHING.to_owned())
            };
            documents.push((bases[file].clone(), written(declared, &found)?));
            continue;
        }
        let Some(document) = parsed.document(file) else { continue };
        if parsed.text.contains("unevaluatedItems") && contains_without_evaluating(declared) {
            return Err("it takes `contains` for one of 2020-12 beside `unevaluatedItems`".to_owned());
        }
        let own = file == contract.file;
        let mut document = lean::stripped(document, &names, !own && literal && lean::nameless(declared));
        // The judge has to be told what the project assumes.
        let assumed = source.unit(db).assumed.as_deref();
        reads.setting(Setting::Dialects, file, || assumed.map(Setting::said));
        let assumed = assumed.and_then(omnigen_contracts::Dialect::draft);
        if let (Some(dialect), Json::Object(members)) = (assumed, &mut document)
            && !members.iter().any(|(name, _)| **name == *"$schema")
        {
            members.insert(0, ("$schema".into(), Json::String(dialect.draft_uri().into())));
        }
        if let Ok(Some(dialect)) = reads.dialect(source) {
            if !dialect.is_whole() {
                return Err(format!("the metaschema of {file} changes what keywords mean"));
            }
            if let Some(value) = at_mut(&mut document, "/$schema") {
                *value = Json::String(dialect.draft_uri().into());
            }
        }
        let mut rewrite = |node: &Node| {
            let Some(reference) = &node.reference else { return };
            if matches!(reference.target, RefTarget::Here(_)) {
                // The judge is stricter about what a URI may hold.
                if let Some(text) = spelled_out(&reference.text)
                    && let Some(value) = at_mut(&mut document, &format!("{}/$ref", node.at))
                {
                    *value = Json::String(text.into());
                }
                return;
            }
            let keyword = if reference.dynamic.is_some() { "$dynamicRef" } else { "$ref" };
            // What was left out need not be linked.
            if !own && at_mut(&mut document, &format!("{}/{keyword}", node.at)).is_none() {
                return;
            }
            let target = target(file, reference).unwrap_or_else(|| ANYTHING.to_owned());
            if let Some(value) = at_mut(&mut document, &format!("{}/{keyword}", node.at)) {
                *value = Json::String(target.into());
            }
        };
        each_node(&declared.root, &mut rewrite);
        declared.definitions.iter().for_each(|(_, schema)| each_node(schema, &mut rewrite));
        documents.push((bases[file].clone(), document));
    }
    if metaschemas.get() {
        for (_, text) in omnigen_contracts::metaschemas() {
            let Some(document) = omnigen_contracts::document(&FileId::from("metaschema.json"), text) else { continue };
            let Json::Object(members) = &document else { continue };
            let id = members.iter().find(|(name, _)| matches!(&**name, "$id" | "id")).and_then(|(_, id)| id.as_str());
            if let Some(id) = id.map(|id| id.trim_end_matches('#').to_owned()) {
                documents.push((id, document));
            }
        }
    }
    documents.extend(choices);
    Ok(Question { documents, assert_formats: settings.assert_formats, asked })
}

/// The URI of a schema that accepts everything.
const ANYTHING: &str = "urn:omnigen:anything";

/// The URI that a file's own references start from: its `$id`, or where it is.
pub(crate) fn base(db: &dyn Db, file: &FileId, source: Source) -> String {
    let ids = declarations(db, source).as_ref().map(|parsed| &parsed.declared.ids);
    let own = ids.into_iter().flatten().find(|(_, pointer)| pointer.is_empty());
    own.map_or_else(|| format!("file:///{}", encoded(file)), |(uri, _)| uri.to_string())
}

/// Percent-encodes what may not stand in a URI's path or fragment (RFC 3986, section 3.5).
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A reference with what may stand in no URI percent-encoded; none if there is nothing such in it (RFC 3986, section 2).
fn spelled_out(reference: &str) -> Option<String> {
    let bad = |byte: u8| !byte.is_ascii_graphic() || b"\"<>\\^`{|}".contains(&byte);
    if !reference.bytes().any(bad) {
        return None;
    }
    let spelled =
        reference.bytes().map(|byte| if bad(byte) { format!("%{byte:02X}") } else { char::from(byte).to_string() });
    Some(spelled.collect())
}

/// Calls `found` with every node of a schema, itself included.
pub(crate) fn each_node<'a>(schema: &'a Schema, found: &mut dyn FnMut(&'a Node)) {
    let Some(node) = schema.node() else { return };
    found(node);
    node.each_child(&mut |child| each_node(child, found));
}

/// Is there a `contains` of a draft in which it evaluates nothing (before 2020-12)?
fn contains_without_evaluating(declared: &omnigen_contracts::Declarations) -> bool {
    let mut found = false;
    let mut look = |node: &Node| {
        found |= node.array.as_ref().is_some_and(|rules| rules.contains.as_ref().is_some_and(|c| !c.evaluates));
    };
    each_node(&declared.root, &mut look);
    declared.definitions.iter().for_each(|(_, schema)| each_node(schema, &mut look));
    found
}

/// The value at a pointer.
fn at_mut<'a>(json: &'a mut Json, pointer: &str) -> Option<&'a mut Json> {
    let mut value = json;
    for token in pointer.split('/').skip(1) {
        value = match value {
            Json::Object(members) => {
                let name = token.replace("~1", "/").replace("~0", "~");
                &mut members.iter_mut().find(|(n, _)| **n == *name)?.1
            }
            Json::Array(items) => items.get_mut(token.parse::<usize>().ok()?)?,
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => return None,
        };
    }
    Some(value)
}
