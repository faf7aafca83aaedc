use proptest::prelude::*;

use super::{json, yaml};

const SEEDS: [&str; 5] = [
    r##"{"$schema": "http://json-schema.org/draft-07/schema#", "$id": "http://x.org/a", "type": ["object", "null"], "properties": {"a": {"$ref": "#/definitions/b"}}, "definitions": {"b": {"type": "array", "items": [{"minimum": 1.5e2}], "additionalItems": false}}}"##,
    r##"{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {"n": {"$anchor": "x", "allOf": [{"$ref": "#"}, {"$ref": "b.json#/x"}]}}, "prefixItems": [true, {"$ref": "#x"}], "if": {"const": null}, "then": {"enum": ["é\u0041", 1]}}"##,
    "type: object\nrequired: [a, b]\nproperties: &p\n  a: {type: string, pattern: '^x'}\n  b:\n    <<: *p\n    minLength: 0x10\n",
    "$defs:\n  a: &a\n    - 1\n    - {b: *a}\ndescription: >\n  folded\n  text\n",
    r##"{"shared": {"x": {"type": "string", "$ref": "#/shared/y~1z/0"}, "y/z": [{"not": {"not": {}}}]}, "dependencies": {"a": ["b"], "c": {}}}"##,
];

/// One change to a text.
#[derive(Clone, Debug)]
enum Change {
    Flip(usize, u8),
    Cut(usize, usize),
    Splice(usize, usize, usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Flip(at, byte)),
        (any::<usize>(), 1..40usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (any::<usize>(), 0..SEEDS.len(), any::<usize>(), 1..60usize)
            .prop_map(|(at, seed, from, length)| Change::Splice(at, seed, from, length)),
    ]
}

fn apply(text: &mut Vec<u8>, change: &Change) {
    let place = |at: usize, length: usize| if length == 0 { 0 } else { at % length };
    match *change {
        Change::Flip(at, byte) => {
            let at = place(at, text.len());
            if let Some(old) = text.get_mut(at) {
                *old ^= byte;
            }
        }
        Change::Cut(at, length) => {
            let at = place(at, text.len());
            text.drain(at..(at + length).min(text.len()));
        }
        Change::Splice(at, seed, from, length) => {
            let at = place(at, text.len());
            let seed = SEEDS[seed].as_bytes();
            let from = place(from, seed.len());
            text.splice(at..at, seed[from..(from + length).min(seed.len())].iter().copied());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the text: no panic, the same twice, and positions that the text has.
    #[test]
    fn any_text_is_read(seed in 0..SEEDS.len(), changes in prop::collection::vec(change(), 1..6)) {
        let mut bytes = SEEDS[seed].as_bytes().to_vec();
        for change in &changes {
            apply(&mut bytes, change);
        }
        let text = String::from_utf8_lossy(&bytes);
        for (file, read) in [("contracts/order.json", json(&text)), ("contracts/order.yaml", yaml(&text))] {
            prop_assert_eq!(&read, &crate::declarations(&file.into(), &text));
            prop_assert!(!read.broken || read.diagnostics.iter().any(|diagnostic| diagnostic.is_error()));
            for diagnostic in &read.diagnostics {
                let range = match diagnostic.at.as_ref().map(|at| &at.spot) {
                    Some(omnigen_report::Spot::Pointer { pointer, key }) => crate::locate(&file.into(), &text, pointer, *key),
                    Some(omnigen_report::Spot::Span { start, end }) => Some(*start..*end),
                    _ => None,
                };
                prop_assert!(range.is_some_and(|range| text.get(range).is_some()), "{:?}", diagnostic);
            }
            for (pointer, schema) in &read.definitions {
                prop_assert_eq!(read.schema(pointer), Some(schema));
            }
        }
    }
}
