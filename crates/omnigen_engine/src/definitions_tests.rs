//! Tests of definitions that the documents of their contract's root say nothing of, or not enough: those that nothing leads to,
//! and those that are alternatives only, of which a validator says yes or no there and never why not.

use omnigen_ir::naming::function_at;
use omnigen_ir::samples::{Limit, Samples, samples_at};
use omnigen_ir::{Asked, Contract, Export, Json, Link, Node, Place, Resolve, Schema};
use omnigen_python::pytest::Definition;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::exports_tests::choice;
use crate::tasks::encoded;
use crate::trace::Reads;

/// Documents of all definitions that nothing leads to, of one at least, and of one at most; values likewise.
const DOCUMENTS: usize = 400;
const FEWEST: usize = 4;
const MOST: usize = 60;
const VALUES: usize = 12_000;

/// Documents that are looked at to find why an alternative is refused, and those that are kept.
const TRIED: usize = 12;
const KEPT: usize = 3;
/// So many alternatives of one contract get any.
const ALTERNATIVES: usize = 60;

/// The URI of the schema that chooses between definitions.
const CHOICE: &str = "urn:omnigen:definitions";

/// How the documents of the root reach a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    Never,
    /// Within conditions only.
    Alternative,
}

/// A definition that needs documents of its own, with these.
pub(crate) struct Made<'c> {
    export: &'c Export,
    reached: Reached,
    samples: Samples,
}

/// The definitions that need documents of their own.
pub(crate) fn made<'c>(contract: &'c Contract<'_>, reads: &Reads<'_>) -> Vec<Made<'c>> {
    let wanted = wanted(contract, reads);
    let count = wanted.iter().filter(|(_, reached)| *reached == Reached::Never).count().max(1);
    let limit = |reached| match reached {
        Reached::Never => {
            Limit { documents: (DOCUMENTS / count).clamp(FEWEST, MOST), values: (VALUES / count).clamp(200, 1_500) }
        }
        Reached::Alternative => Limit { documents: TRIED, values: 1_000 },
    };
    let made = wanted.into_iter().map(|(export, reached)| {
        let samples = samples_at(&Place::new(contract.file, &export.pointer), reads, limit(reached));
        Made { export, reached, samples }
    });
    made.filter(|made| !made.samples.candidates.is_empty()).collect()
}

/// Takes in the verdicts about all of these documents, in their order.
pub(crate) fn judged<'c>(made: Vec<Made<'c>>, verdicts: &[bool]) -> Vec<Definition<'c>> {
    let mut rest = verdicts;
    let mut found = Vec::with_capacity(made.len());
    for Made { export, reached, mut samples } in made {
        let (own, others) = rest.split_at(samples.candidates.len().min(rest.len()));
        rest = others;
        let mut verdicts = own.to_vec();
        if reached == Reached::Alternative {
            // That it accepts what is valid has been seen.
            let mut kept = Vec::new();
            for (candidate, valid) in samples.candidates.drain(..).zip(own) {
                if !valid && kept.len() < KEPT {
                    kept.push(candidate);
                }
            }
            verdicts = vec![false; kept.len()];
            samples.candidates = kept;
        }
        if !verdicts.is_empty() {
            found.push(Definition { export, samples, verdicts });
        }
    }
    found
}

/// The definitions with functions of their own that the root does not explain, in the order of the contract.
fn wanted<'c>(contract: &'c Contract<'_>, reads: &Reads<'_>) -> Vec<(&'c Export, Reached)> {
    let own = |export: &&Export| {
        !export.opaque && !export.pointer.is_empty() && *export.function == *function_at(contract.unit, &export.pointer)
    };
    let mut own = contract.exports.list.iter().filter(own).peekable();
    if own.peek().is_none() {
        return Vec::new();
    }
    let reached = reached(contract, reads);
    let mut alternatives = 0;
    own.filter_map(|export| match reached.get(&*export.pointer) {
        None => Some((export, Reached::Never)),
        Some(true) => None,
        Some(false) => {
            alternatives += 1;
            (alternatives <= ALTERNATIVES).then_some((export, Reached::Alternative))
        }
    })
    .collect()
}

/// What the root leads to within the file, by pointer, and whether not only through conditions.
fn reached(contract: &Contract<'_>, reads: &Reads<'_>) -> FxHashMap<String, bool> {
    let mut found: FxHashMap<String, bool> = FxHashMap::default();
    let mut seen: FxHashSet<(*const Node, bool)> = FxHashSet::default();
    let mut open: Vec<(&Schema, bool)> =
        reads.schema(&Place::new(contract.file, "")).map(|root| (root, true)).into_iter().collect();
    while let Some((schema, explained)) = open.pop() {
        let Some(node) = schema.node() else { continue };
        if !seen.insert((std::ptr::from_ref(node), explained)) {
            continue;
        }
        node.children(&mut |at, child| {
            let keyword = at.split('/').nth(1).unwrap_or_default();
            open.push((child, explained && !CONDITIONS.contains(&keyword)));
        });
        let Some(reference) = node.reference.as_deref() else { continue };
        let Link::To(place) = reads.link(contract.file, reference) else { continue };
        if place.file != *contract.file {
            continue;
        }
        if let Some(schema) = reads.schema(&place) {
            *found.entry(place.pointer.to_string()).or_default() |= explained;
            open.push((schema, explained));
        }
    }
    found
}

/// Keywords of schemas of which it only counts whether they hold.
const CONDITIONS: [&str; 6] = ["anyOf", "oneOf", "not", "if", "contains", "propertyNames"];

/// The schema that chooses between them, if there are any, and every document as the member of an object, with the definition's
/// place for its name.
pub(crate) fn asked<'a>(base: &str, made: &'a [Made<'_>]) -> (Vec<(String, Json)>, Vec<Asked<'a>>) {
    if made.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let members = made.iter().map(|made| (&*made.export.pointer, &made.samples));
    choice(CHOICE, members, &|pointer| format!("{base}#{}", encoded(pointer)))
}
