//! A few thousand changed files through everything, the same ones every time. `cargo xtask fuzz` tries as many as one likes.
#![expect(clippy::disallowed_methods, reason = "tests read files")]

#[path = "../examples/fuzz/mutate.rs"]
mod mutate;
#[path = "../examples/fuzz/subject.rs"]
mod subject;

use std::path::Path;

use subject::{Input, Seed, Subject};

fn seeds() -> Vec<Seed> {
    fn gather(folder: &Path, seeds: &mut Vec<Seed>) {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                gather(&path, seeds);
            } else if path.extension().is_some_and(|kind| kind == "json" || kind == "yaml")
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                seeds.push(Seed { name: path.to_string_lossy().into_owned(), text });
            }
        }
    }
    let mut seeds = Vec::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures"), &mut seeds);
    seeds.sort_by(|a, b| a.name.cmp(&b.name));
    seeds
}

#[test]
fn changed_files_make_nothing_fall_over() {
    let seeds = seeds();
    let mut made = 0;
    for number in 0..1_500u64 {
        let input = Input::new(&seeds, 1, number);
        let attempt = std::panic::catch_unwind(|| {
            let mut subject = Subject::new().expect("a graph");
            subject.attempt(&input)
        });
        match attempt {
            Ok(artifacts) => made += artifacts,
            Err(_) => panic!("number {number}: {}", String::from_utf8_lossy(input.bytes())),
        }
    }
    assert!(made > 1_000, "most changes leave something to make: {made}");
}
