//! Generated tests of contracts that are no schema themselves: all that they export is judged at once.

use std::collections::BTreeSet;

use omnigen_contracts::Declarations;
use omnigen_ir::naming::{name_at, plain_pointer, snake};
use omnigen_ir::samples::{Edit, Limit, Samples, Step, samples_at};
use omnigen_ir::{Contract, Export, Json, NodeManifest, Place, RefTarget, Reference, Schema, plain};
use omnigen_python::exports_tests::{Judged, tests as module};
use omnigen_python::{Emitted, Settings};
use omnigen_report::{At, Code, Diagnostic};

use crate::graph::Db;
use crate::inputs::Source;
use crate::tasks::{Asked, encoded, question, refused, too_much};
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
    let judged = asked(db, source, contract, reads, settings, &own, &made)
        .and_then(|question| db.shared().verdicts.ask(&question));
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

/// Every document as the member of an object, with the export's place for its name: a judge takes longer to read a contract than
/// to decide.
fn asked(
    db: &dyn Db,
    source: Source,
    contract: &Contract<'_>,
    reads: &Reads<'_>,
    settings: &Settings,
    own: &[&Export],
    made: &[Samples],
) -> Result<omnigen_ir::Question, String> {
    let declared = reads.declared(source).ok_or("nothing is known of it")?;
    let keys = keys(declared);
    let base = crate::tasks::base(db, contract.file, source);
    let mut asked = Asked { root: None, bases: Vec::new(), instances: Vec::new() };
    let mut properties = Vec::with_capacity(own.len());
    for (export, samples) in own.iter().zip(made) {
        let target = format!("{base}#{}", encoded(&keyed(&keys, &export.pointer)));
        properties.push((export.pointer.clone(), Json::Object(vec![("$ref".into(), Json::String(target.into()))])));
        within(&mut asked, &export.pointer, samples);
    }
    let choice = Json::Object(vec![("properties".into(), Json::Object(properties))]);
    asked.root = Some((CHOICE.to_owned(), choice));
    question(db, source, contract, reads, settings, asked)
}

/// Asks about documents as a member of an object.
pub(crate) fn within(asked: &mut Asked, member: &str, samples: &Samples) {
    let first = asked.bases.len();
    let name = Step::Name(member.into());
    let within = |path: &[Step]| std::iter::once(name.clone()).chain(path.iter().cloned()).collect::<Vec<Step>>();
    for base in &samples.bases {
        asked.bases.push(Json::Object(vec![(member.into(), base.document.clone())]));
    }
    for candidate in &samples.candidates {
        let edits = candidate.edits.iter().map(|edit| match edit {
            Edit::Put(path, value) => Edit::Put(within(path), value.clone()),
            Edit::Drop(path) => Edit::Drop(within(path)),
        });
        asked.instances.push((first + candidate.base, edits.collect()));
    }
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
