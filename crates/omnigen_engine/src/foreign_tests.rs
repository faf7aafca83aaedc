//! Which members of a contract's root are, and only are, what another contract describes: the samples that the other one's own tests
//! have are valid there, whatever they are.

use omnigen_ir::samples::Samples;
use omnigen_ir::{Contract, Json, Link, Node, Place, Resolve, Schema};
use omnigen_python::pytest::{Foreign, Verdict};

use crate::trace::Reads;

/// So many of one contract are tried.
const MOST: usize = 20;

/// Those that the first valid document has: nothing but the value changes there.
pub(crate) fn foreign(
    contract: &Contract<'_>,
    reads: &Reads<'_>,
    samples: &Samples,
    verdicts: &[Verdict],
) -> Vec<Foreign> {
    let Some(Schema::Node(root)) = reads.schema(&Place::new(contract.file, "")) else { return Vec::new() };
    let Some(rules) = root.object.as_deref() else { return Vec::new() };
    // What a dynamic reference of the other contract means may hang on where it stands.
    if !reads.scopes(contract.file).is_empty() {
        return Vec::new();
    }
    let mut candidates = samples.candidates.iter().zip(verdicts);
    let Some((first, _)) = candidates.find(|(_, verdict)| **verdict == Verdict::Valid) else { return Vec::new() };
    let names = samples.scratch().look(first, |document| match document {
        Json::Object(members) => members.iter().map(|(name, _)| name.clone()).collect(),
        _ => Vec::new(),
    });
    let named = rules.properties.iter().filter(|property| names.contains(&property.name));
    let members = named.filter(|property| !looks(root, &property.name, true));
    let found = members.filter_map(|property| {
        let place = only_reference(&property.schema).map(|reference| reads.link(contract.file, reference))?;
        let Link::To(place) = place else { return None };
        let whole = place.pointer.is_empty() && place.file != *contract.file && !reads.built_in(&place.file);
        let export = reads.export(&place).filter(|export| whole && !export.opaque);
        export.map(|_| Foreign { name: property.name.clone(), unit: reads.unit(&place.file).into_owned() })
    });
    found.take(MOST).collect()
}

/// Do rules of an object look at the value of this member? At `own` its schema in `properties` does not count.
fn looks(node: &Node, name: &str, own: bool) -> bool {
    let others = node.reference.is_some()
        || node.enumeration.is_some()
        || node.constant.is_some()
        || node.external.is_some()
        || node.object.as_deref().is_some_and(|rules| {
            !rules.patterns.is_empty()
                || !rules.dependent_schemas.is_empty()
                || rules.unevaluated.is_some()
                || !own && (rules.additional.is_some() || rules.properties.iter().any(|other| *other.name == *name))
        });
    let Some(logic) = node.logic.as_deref().filter(|_| !others) else { return others };
    let condition =
        logic.condition.as_ref().map(|found| [Some(&found.test), found.then.as_ref(), found.otherwise.as_ref()]);
    let lists = logic.all_of.iter().chain(&logic.any_of).chain(&logic.one_of).chain(&logic.not);
    let inner = lists.chain(condition.into_iter().flatten().flatten());
    inner.filter_map(Schema::node).any(|inner| looks(inner, name, false))
}

/// The reference, if there is nothing else that asserts.
fn only_reference(schema: &Schema) -> Option<&omnigen_ir::Reference> {
    let node = schema.node()?;
    let others = node.types.is_some()
        || node.enumeration.is_some()
        || node.constant.is_some()
        || node.number.is_some()
        || node.string.is_some()
        || node.array.is_some()
        || node.object.is_some()
        || node.logic.is_some()
        || node.external.is_some();
    node.reference.as_deref().filter(|reference| !others && reference.dynamic.is_none())
}
