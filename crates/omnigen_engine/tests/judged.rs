//! What the judge of generated tests is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use omnigen_engine::{Content, Graph, Project, Target};
use omnigen_ir::naming::Unit;
use omnigen_ir::{FileId, Json, Judge, Question};

/// Says that everything is valid, and keeps the schemas that it was asked about.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<BTreeMap<String, Json>>>);

impl Judge for Asked {
    fn identity(&self) -> &'static str {
        "asked"
    }

    fn verdicts(&self, question: &Question<'_>) -> Result<Vec<bool>, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(question.documents.iter().cloned());
        Ok(vec![true; question.count()])
    }
}

/// The schemas that a judge is given with the tests of the first file.
fn schemas(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    let asked = Asked::default();
    let mut graph = Graph::new(&Project::default(), 1, Box::new(asked.clone())).expect("threads");
    for (path, text) in files {
        graph.set_files([(FileId::from(*path), Unit::new(path, "contracts"), Content::Text((*text).into()))]);
    }
    loop {
        let built = graph.make(&[(FileId::from(files[0].0), Target::Tests)]);
        let needs: Vec<FileId> = built.iter().flat_map(|built| built.needs.iter().cloned()).collect();
        if needs.is_empty() {
            break;
        }
        let absent = needs.into_iter().map(|file| (file.clone(), Unit::new(&file, "contracts"), Content::Absent));
        graph.set_files(absent.collect::<Vec<_>>());
    }
    let asked = asked.0.lock().unwrap_or_else(PoisonError::into_inner);
    asked.iter().map(|(uri, json)| (uri.clone(), json.to_string())).collect()
}

const PERSON: &str = r##"{"type": "object", "required": ["name"], "properties": {
    "name": {"type": "string"}, "title": {"type": "string"}, "home": {"$ref": "home.json"}}}"##;
const HOME: &str = r#"{"type": "object", "properties": {"street": {"type": "string"}}}"#;

#[test]
fn of_another_type_the_judge_sees_what_its_values_have() {
    // A title stands in the documents, but not in what a person may be.
    let order = r##"{"type": "object", "properties": {
        "title": {"type": "string"}, "buyers": {"type": "array", "items": {"$ref": "person.json"}}}}"##;
    let asked =
        schemas(&[("contracts/order.json", order), ("contracts/person.json", PERSON), ("contracts/home.json", HOME)]);
    let person = &asked["file:///contracts/person.json"];
    assert!(person.contains("name") && !person.contains("title"), "{person}");
    assert!(asked["file:///contracts/order.json"].contains("title"));
    // Nothing that is left leads there.
    assert!(!asked.contains_key("file:///contracts/home.json"), "{asked:?}");
}

#[test]
fn what_is_a_type_of_another_file_as_a_whole_is_seen_with_all_names() {
    let order = r##"{"allOf": [{"$ref": "person.json"}], "properties": {"title": {"minLength": 2}}}"##;
    let asked =
        schemas(&[("contracts/order.json", order), ("contracts/person.json", PERSON), ("contracts/home.json", HOME)]);
    let person = &asked["file:///contracts/person.json"];
    assert!(person.contains("name") && person.contains("title"), "{person}");
}
