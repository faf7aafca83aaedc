//! What input may not exceed: a clear error each, and the number that the page of codes states.

use super::{found, json, yaml};
use crate::value::{MAX_ALIASED, MAX_BYTES, MAX_DEPTH, MAX_REFERENCES, MAX_SCHEMAS};

#[test]
fn files_of_any_size_are_read_up_to_the_limit() {
    let mut text = " ".repeat(MAX_BYTES - 2) + "{}";
    assert_eq!(found(&json(&text)), Vec::<String>::new());
    text.insert(0, ' ');
    assert_eq!(found(&json(&text)), ["too-large 0..0"]);
}

#[test]
fn nesting_ends() {
    for levels in [MAX_DEPTH, MAX_DEPTH + 1, 400, 600, 100_000] {
        let deep = |open: &str, close: &str| {
            format!("{{\"const\": {}1{}}}", open.repeat(levels - 1), close.repeat(levels - 1))
        };
        for text in [deep("[", "]"), deep("{\"a\": ", "}")] {
            for declarations in [json(&text), yaml(&text)] {
                let codes: Vec<&str> = declarations.diagnostics.iter().map(|found| found.code.id()).collect();
                let expected: &[&str] = if levels > MAX_DEPTH { &["too-deep"] } else { &[] };
                assert_eq!(codes, expected, "{levels} levels: {:?}", declarations.diagnostics);
            }
        }
    }
}

#[test]
fn schemas_and_references_are_counted() {
    let many = |part: &str, times: usize| format!("{{\"anyOf\": [{}{{}}]}}", format!("{part},").repeat(times));
    let declarations = json(&many("{}", MAX_SCHEMAS));
    assert_eq!(declarations.diagnostics.len(), 1, "told once");
    assert!(found(&declarations)[0].starts_with("too-large /anyOf/"), "{:?}", found(&declarations));
    assert_eq!(found(&json(&many("{}", MAX_SCHEMAS - 2))), Vec::<String>::new());
    let both = format!("{{\"not\": {{}}, {}", &many("{\"$ref\": \"#/not\"}", MAX_REFERENCES / 2)[1..]);
    assert_eq!(found(&json(&both)), Vec::<String>::new());
}

#[test]
fn the_page_states_these_limits() {
    let page = omnigen_report::all_pages();
    let grouped = |number: usize| {
        let digits = number.to_string();
        let mut parts: Vec<&str> = Vec::new();
        let mut end = digits.len();
        while end > 0 {
            parts.insert(0, &digits[end.saturating_sub(3)..end]);
            end = end.saturating_sub(3);
        }
        parts.join(",")
    };
    for line in [
        format!("| Bytes of one file | {} MiB |", MAX_BYTES >> 20),
        format!("| Nesting of one document | {MAX_DEPTH} levels |"),
        format!("| Values that the aliases of one YAML document stand for | {} |", grouped(MAX_ALIASED)),
        format!("| Schemas of one file | {} |", grouped(MAX_SCHEMAS)),
        format!("| References of one file | {} |", grouped(MAX_REFERENCES)),
    ] {
        assert!(page.contains(&line), "{line}");
    }
}
