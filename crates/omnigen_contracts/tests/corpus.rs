//! Real schemas, where a folder of them lies beside the checkout: none may panic, and every local reference must lead
//! to a schema.

#![expect(clippy::disallowed_methods, reason = "a test reads its own inputs")]

use std::path::{Path, PathBuf};

use omnigen_contracts::declarations;
use omnigen_ir::{FileId, RefTarget, Schema};

fn files(folder: &Path, list: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, list);
        } else if path.extension().is_some_and(|extension| extension == "json" || extension == "yaml") {
            list.push(path);
        }
    }
}

fn targets(schema: &Schema, list: &mut Vec<String>) {
    let Some(node) = schema.node() else { return };
    if let Some(RefTarget::Here(pointer)) = node.reference.as_ref().map(|reference| &reference.target) {
        list.push(pointer.to_string());
    }
    node.each_child(&mut |child| targets(child, list));
}

#[test]
fn real_schemas_are_read() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let mut list = Vec::new();
    files(&corpus, &mut list);
    if list.is_empty() {
        #[expect(clippy::print_stderr, reason = "a skipped test must say so")]
        {
            eprintln!("skipped: there is no corpus beside the checkout");
        }
        return;
    }
    list.sort();
    for path in list {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let file = FileId::from(path.to_string_lossy());
        let read = declarations(&file, &text);
        let mut wanted = Vec::new();
        targets(&read.root, &mut wanted);
        read.definitions.iter().for_each(|(_, schema)| targets(schema, &mut wanted));
        for pointer in wanted {
            assert!(read.schema(&pointer).is_some(), "{file}: nothing at {pointer}");
        }
    }
}
