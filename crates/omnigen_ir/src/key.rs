//! Keys of tasks: a list of named digests, with two readers: [`key`] hashes it, and whoever explains a key prints it.
//! Both see the same list, so an explanation cannot drift from what decides.

use serde::{Deserialize, Serialize};

use crate::{Digest, Encoder, View};

/// One thing that decides what an agent answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyPart {
    /// What it is, for people: `agent.command`, `contract.document`, `artifact models`. Each name once in a list.
    pub name: Box<str>,
    /// Its digest; `None` is ABSENT, which is not the same as empty.
    pub digest: Option<Digest>,
}

impl KeyPart {
    /// A part that is there.
    pub fn new(name: impl Into<Box<str>>, digest: Digest) -> KeyPart {
        KeyPart { name: name.into(), digest: Some(digest) }
    }

    /// A part that is text.
    pub fn text(name: impl Into<Box<str>>, text: &str) -> KeyPart {
        KeyPart::new(name, Digest::of(text.as_bytes()))
    }

    /// A part that is not there.
    pub fn absent(name: impl Into<Box<str>>) -> KeyPart {
        KeyPart { name: name.into(), digest: None }
    }
}

/// The key that a list of parts makes. The order of the list counts.
///
/// Encoding ([`Encoder`]): domain `omnigen key 1`; list of name (string), option of digest.
pub fn key(parts: &[KeyPart]) -> Digest {
    let mut encoder = Encoder::new("omnigen key 1", View::Full);
    encoder.int(parts.len() as u64);
    for KeyPart { name, digest } in parts {
        encoder.str(name);
        encoder.part(digest);
    }
    encoder.finish()
}

/// The parts that two keys do not have in common, by name: what it was, what it is.
pub fn changed<'a>(old: &'a [KeyPart], new: &'a [KeyPart]) -> Vec<&'a str> {
    let find = |parts: &'a [KeyPart], name: &str| parts.iter().find(|part| &*part.name == name).map(|part| part.digest);
    let mut names: Vec<&str> = Vec::new();
    for part in new.iter().chain(old) {
        if find(old, &part.name) != find(new, &part.name) && !names.contains(&&*part.name) {
            names.push(&part.name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts_and_absent_is_not_empty() {
        let list = |digest: Option<Digest>| [KeyPart { name: "a".into(), digest }];
        let keys = [
            key(&[]),
            key(&list(None)),
            key(&list(Some(Digest::of(b"")))),
            key(&list(Some(Digest::of(b"x")))),
            key(&[KeyPart::text("b", "x")]),
            key(&[KeyPart::text("a", "x"), KeyPart::absent("b")]),
        ];
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn what_changed_is_named_once() {
        let old = [KeyPart::text("a", "1"), KeyPart::text("b", "1"), KeyPart::absent("c")];
        let new = [KeyPart::text("a", "1"), KeyPart::text("b", "2"), KeyPart::text("d", "")];
        assert_eq!(changed(&old, &new), ["b", "d", "c"]);
        assert!(changed(&old, &old).is_empty());
    }
}
