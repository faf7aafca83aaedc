//! Generated tests of contracts that are no schema themselves: all that they export is judged at once.

use std::collections::BTreeSet;

use omnigen_contracts::Declarations;
use omnigen_ir::naming::{name_at, plain_pointer, snake};
use omnigen_ir::samples::{Limit, Samples, samples_at};
use omnigen_ir::{Asked, Contract, Export, Json, NodeManifest, Place, RefTarget, Reference, Schema, plain};
use omnigen_python::exports_tests::{Judged, tests as module};
use omnigen_python::{Emitted, Settings};
use omnigen_report::{At, Code, Diagnostic};

use crate::graph::Db;
use crate::inputs::Source;
use crate::tasks::{base, encoded, question, refused, too_much};
use crate::trace::Reads;

/// Documents of all exports of a contract together, of one at least, and of one at most.
const DOCUMENTS: usize = 600;
const FEWEST: usize = 3;
const MOST: usize = 60;
/// Values in all of them together.
const VALUES: usize = 20_000;

/// The URI of the schema that chooses between exports.
const CHOICE: &str = "urn:omnigen:exports";

/// The tests of a node that has no types; none if it is no node's contract.
pub(crate) fn manifest(
    source: Source,
    contract: &Contract<'_>,
    reads: &Reads<'_>,
    settings: &Settings,
) -> Option<Emitted> {
    reads.node(source).map(|node| module(contract, settings, &[], Some(node)))
}

/// Candidates, verdicts, test module.
pub(crate) fn tests(
    db: &dyn Db,
    source: Source,
    contract: &Contract<'_>,
    reads: &Reads<'_>,
    settings: &Settings,
) -> Emitted {
    let node: Option<&NodeManifest> = reads.node(source);
    // Those that share functions with another are tested with it.
    let own = |export: &&Export| {
        !export.opaque && *export.function == *format!("_{}", snake(&name_at(contract.unit, &export.pointer)))
    };
    let own: Vec<&Export> = contract.exports.list.iter().filter(own).collect();
    // Without verdicts there are no documents: they would prove nothing.
    let without_verdicts = |reason: String| {
        let mut emitted = module(contract, settings, &[], node);
        let message = format!("the oracle cannot judge documents of this contract: {reason}");
        emitted.diagnostics.push(Diagnostic::new(Code::NoVerdict, At::file(contract.file), message));
        emitted
    };
    if let Some(reason) = too_much(contract, reads) {
        return without_verdicts(reason);
    }
    let count = own.len().max(1);
    let limit =
        Limit { documents: (DOCUMENTS / count).clamp(FEWEST, MOST), values: (VALUES / count).clamp(200, 2_000) };
    let made: Vec<Samples> =
        own.iter().map(|export| samples_at(&Place::new(contract.file, &export.pointer), reads, limit)).collect();
    if made.iter().all(|samples| samples.candidates.is_empty()) {
        return module(contract, settings, &[], node);
    }
    let judged = reads.declared(source).ok_or_else(|| "nothing is known of it".to_owned()).and_then(|declared| {
        let (keys, base) = (keys(declared), base(db, contract.file, source));
        // All at once: a judge takes longer to read a contract than to decide.
        let members = own.iter().zip(&made).map(|(export, samples)| (&*export.pointer, samples));
        let (choice, asked) = choice(CHOICE, members, &|pointer| format!("{base}#{}", encoded(&keyed(&keys, pointer))));
        let question = question(db, source, contract, reads, settings, choice, asked)?;
        db.shared().verdicts.ask(&question)
    });
    let verdicts = match judged {
        Ok(verdicts) => verdicts,
        Err(reason) => return without_verdicts(reason),
    };
    let mut rest = verdicts.as_slice();
    let mut groups = Vec::with_capacity(own.len());
    for (&export, samples) in own.iter().zip(&made) {
        let (verdicts, others) = rest.split_at(samples.candidates.len().min(rest.len()));
        rest = others;
        groups.push(Judged { export, samples, verdicts });
    }
    let mut emitted = module(contract, settings, &groups, node);
    for Judged { export, samples, verdicts } in &groups {
        // An example of a schema with two forms may be one of either.
        let forms = format!("{}~", export.pointer);
        if *plain_pointer(&export.pointer) == *export.pointer
            && !contract.exports.list.iter().any(|other| other.pointer.starts_with(&forms))
        {
            let judged = samples.candidates.iter().zip(*verdicts);
            emitted.diagnostics.extend(
                judged.filter_map(|(candidate, valid)| refused(contract.file, &export.pointer, candidate, *valid)),
            );
        }
    }
    emitted
}

/// A schema, called `uri`, that chooses between the schemas of `members` by a member's name, and what it decides about.
pub(crate) fn choice<'a>(
    uri: &str,
    members: impl Iterator<Item = (&'a str, &'a Samples)>,
    target: &dyn Fn(&str) -> String,
) -> (Vec<(String, Json)>, Vec<Asked<'a>>) {
    let (mut properties, mut asked) = (Vec::new(), Vec::new());
    for (member, samples) in members {
        let reference = ("$ref".into(), Json::String(target(member).into()));
        properties.push((member.into(), Json::Object(vec![reference])));
        asked.push(Asked { root: uri.to_owned(), member: Some(member), samples });
    }
    let schema = Json::Object(vec![("properties".into(), Json::Object(properties))]);
    (vec![(uri.to_owned(), schema)], asked)
}

/// The places of a contract's schemas: its definitions, and what references lead to within them.
pub(crate) fn keys(declared: &Declarations) -> BTreeSet<&str> {
    let mut keys: BTreeSet<&str> = declared.definitions.iter().map(|(pointer, _)| &**pointer).collect();
    fn gather<'d>(schema: &'d Schema, keys: &mut BTreeSet<&'d str>) {
        let Some(node) = schema.node() else { return };
        if let Some(RefTarget::Here(pointer)) = node.reference.as_deref().map(|reference| &reference.target) {
            keys.insert(pointer);
        }
        node.each_child(&mut |child| gather(child, keys));
    }
    declared.definitions.iter().for_each(|(_, schema)| gather(schema, &mut keys));
    keys
}

/// Where the schema at a pointer stands in what [`written`] gives.
pub(crate) fn keyed(keys: &BTreeSet<&str>, pointer: &str) -> String {
    let mut end = pointer.len();
    while end > 0 && !keys.contains(&pointer[..end]) {
        end = pointer[..end].rfind('/').unwrap_or(0);
    }
    let key = pointer[..end].replace('~', "~0").replace('/', "~1");
    format!("/$defs/{key}{}", &pointer[end..])
}

/// A contract that is no JSON Schema, written as one: its schemas by their places. `reference` gives the text of a `$ref`.
pub(crate) fn written(declared: &Declarations, reference: &dyn Fn(&Reference) -> String) -> Result<Json, String> {
    if dynamic(declared) {
        return Err("it has dynamic references within an API description".to_owned());
    }
    let members = keys(declared).into_iter().filter_map(|pointer| {
        let schema = declared.schema(pointer)?;
        Some((pointer.into(), plain::schema(schema, reference)))
    });
    Ok(Json::Object(vec![("$defs".into(), Json::Object(members.collect()))]))
}

fn dynamic(declared: &Declarations) -> bool {
    let mut open: Vec<&Schema> = declared.definitions.iter().map(|(_, schema)| schema).collect();
    while let Some(schema) = open.pop() {
        let Some(node) = schema.node() else { continue };
        if node.reference.as_deref().is_some_and(|reference| reference.dynamic.is_some()) {
            return true;
        }
        node.each_child(&mut |child| open.push(child));
    }
    false
}
