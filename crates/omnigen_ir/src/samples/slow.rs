//! Documents that a pattern would take very long for: a test of them would never end.

use super::check::World;
use super::{Candidate, Edit, Samples};
use crate::Json;

/// Shorter texts end in time with any pattern.
const SHORT: usize = 12;

/// Leaves out what holds a text on which one of the patterns that were asked for is not done within the matcher's budget.
pub(super) fn bearable(mut samples: Samples, world: &World<'_>) -> Samples {
    let risky = world.risky();
    if risky.is_empty() {
        return samples;
    }
    let endless = |text: &str| text.chars().count() >= SHORT && risky.iter().any(|p| p.remembered(text).is_none());
    let bases: Vec<bool> = samples.bases.iter().map(|base| holds(&base.document, &endless)).collect();
    samples.candidates.retain(|Candidate { base, edits, .. }| {
        // What is put there may be short again.
        let base = bases[*base] && !matches!(edits.as_slice(), [Edit::Put(path, _)] if path.is_empty());
        let edited = edits.iter().any(|edit| match edit {
            Edit::Put(path, json) => {
                path.iter().any(|step| matches!(step, super::Step::Name(name) if endless(name)))
                    || holds(json, &endless)
            }
            Edit::Drop(_) => false,
        });
        !base && !edited
    });
    samples
}

fn holds(json: &Json, endless: &dyn Fn(&str) -> bool) -> bool {
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
        Json::String(text) => endless(text),
        Json::Array(items) => items.iter().any(|item| holds(item, endless)),
        Json::Object(members) => members.iter().any(|(name, value)| endless(name) || holds(value, endless)),
    }
}
