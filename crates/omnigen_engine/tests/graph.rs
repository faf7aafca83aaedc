//! What runs after an edit, and what does not.

use std::collections::BTreeMap;

use omnigen_engine::{Built, Content, Counter, Graph, Project, ReadKey, State, Target};
use omnigen_ir::naming::Unit;
use omnigen_ir::{FileId, Judge, Question};

/// Says that everything is valid: these tests are about what runs.
struct Yes;

impl Judge for Yes {
    fn identity(&self) -> &'static str {
        "yes"
    }

    fn verdicts(&self, question: &Question<'_>) -> Result<Vec<bool>, String> {
        Ok(vec![true; question.count()])
    }
}

const TARGETS: [Target; 3] = [Target::Check, Target::Models, Target::Validators];

struct World {
    graph: Graph,
    files: Vec<FileId>,
}

impl World {
    fn new(files: &[(&str, &str)], threads: usize) -> World {
        let graph = Graph::new(&Project::default(), threads, Box::new(Yes)).expect("threads");
        let mut world = World { graph, files: Vec::new() };
        for (path, text) in files {
            world.set(path, text);
        }
        world
    }

    fn set(&mut self, path: &str, text: &str) {
        let file = FileId::from(path);
        if !self.files.contains(&file) {
            self.files.push(file.clone());
        }
        self.graph.set_files([(file, Unit::new(path, "contracts"), Content::Text(text.into()))]);
    }

    /// Asks for everything; says what is missing is not there.
    fn build(&mut self) -> BTreeMap<(String, Target), Built> {
        let asked: Vec<_> = self.files.iter().flat_map(|f| TARGETS.map(|target| (f.clone(), target))).collect();
        loop {
            let built = self.graph.make(&asked);
            let needs: Vec<FileId> = built.iter().flat_map(|built| built.needs.iter().cloned()).collect();
            if needs.is_empty() {
                return asked.iter().map(|(file, target)| (file.to_string(), *target)).zip(built).collect();
            }
            let absent = needs.into_iter().map(|file| (file.clone(), Unit::new(&file, "contracts"), Content::Absent));
            self.graph.set_files(absent.collect::<Vec<_>>());
        }
    }

    /// Which queries an edit executes: declarations, outlines, checks, models, validators.
    fn after(&mut self, path: &str, text: &str) -> [u64; 5] {
        let counters = [Counter::Declarations, Counter::Outline, Counter::Check, Counter::Models, Counter::Validators];
        self.build();
        let before = counters.map(|counter| self.graph.executed(counter));
        self.set(path, text);
        self.build();
        let after = counters.map(|counter| self.graph.executed(counter));
        std::array::from_fn(|i| after[i] - before[i])
    }
}

const CUSTOMER: &str = "# A customer.
type: object
description: Who buys.
required: [name]
properties:
  name: {type: string, minLength: 1}
";
const ORDER: &str =
    r##"{"type": "object", "properties": {"customer": {"$ref": "customer.yaml"}, "parent": {"$ref": "#"}}}"##;
const LOOSE: &str = r#"{"type": "object", "properties": {"n": {"type": "integer"}}}"#;

fn shop() -> World {
    let files =
        [("contracts/customer.yaml", CUSTOMER), ("contracts/order.json", ORDER), ("contracts/loose.json", LOOSE)];
    World::new(&files, 2)
}

#[test]
fn a_comment_edit_executes_one_query() {
    let edited = CUSTOMER.replace("# A customer.", "# Somebody who buys something,\n# or did.");
    assert_eq!(shop().after("contracts/customer.yaml", &edited), [1, 0, 0, 0, 0]);
}

#[test]
fn a_description_edit_does_not_emit_the_validator_again() {
    let edited = CUSTOMER.replace("Who buys.", "Who pays.");
    assert_eq!(shop().after("contracts/customer.yaml", &edited), [1, 1, 0, 1, 0]);
}

#[test]
fn a_field_emits_its_own_contract_again_and_nobody_who_only_refers_to_it() {
    let edited = format!("{CUSTOMER}  email: {{type: string}}\n");
    assert_eq!(shop().after("contracts/customer.yaml", &edited), [1, 1, 1, 1, 1]);
}

#[test]
fn a_default_that_another_alternative_allows_reads_nothing_of_what_is_referred_to() {
    let order =
        r#"{"properties": {"customer": {"anyOf": [{"$ref": "customer.yaml"}, {"type": "null"}], "default": null}}}"#;
    let mut world = World::new(&[("contracts/customer.yaml", CUSTOMER), ("contracts/order.json", order)], 1);
    let edited = format!("{CUSTOMER}  email: {{type: string}}\n");
    assert_eq!(world.after("contracts/customer.yaml", &edited), [1, 1, 1, 1, 1]);
}

#[test]
fn a_field_emits_those_again_that_have_it_flattened() {
    let extended = r#"{"allOf": [{"$ref": "customer.yaml"}], "properties": {"vat": {"type": "string"}}}"#;
    let mut world = shop();
    world.set("contracts/company.json", extended);
    let edited = format!("{CUSTOMER}  email: {{type: string}}\n");
    // The company's model has the customer's fields; its validator calls the customer's.
    assert_eq!(world.after("contracts/customer.yaml", &edited), [1, 1, 1, 2, 1]);
}

#[test]
fn an_unrelated_contract_emits_nothing_else() {
    assert_eq!(shop().after("contracts/other.json", LOOSE), [1, 1, 1, 1, 1]);
}

#[test]
fn a_new_file_reaches_those_who_missed_it() {
    let mut world = World::new(&[("contracts/order.json", ORDER), ("contracts/loose.json", LOOSE)], 2);
    let order = ("contracts/order.json".to_owned(), Target::Models);
    let missing = world.build();
    assert_eq!(missing[&order].state, State::Held);
    let check = &missing[&("contracts/order.json".to_owned(), Target::Check)];
    assert_eq!(check.diagnostics[0].code.id(), "dangling-ref");
    let absent = ReadKey::File("contracts/customer.yaml".into());
    assert!(check.trace.iter().any(|read| read.key == absent && read.digest.is_none()), "{:?}", check.trace);
    assert_eq!(world.after("contracts/customer.yaml", CUSTOMER), [1, 1, 2, 2, 2]);
    assert_eq!(world.build()[&order].state, State::Ready);
}

#[test]
fn traces_still_hold_exactly_while_nothing_they_name_has_changed() {
    let mut world = shop();
    let built = world.build();
    let project = Project::default();
    let holds = |world: &World, built: &Built| {
        built.trace.iter().all(|read| world.graph.current(&project, &read.key) == Ok(read.digest))
    };
    assert!(built.values().all(|built| holds(&world, built)));
    world.set("contracts/customer.yaml", &CUSTOMER.replace("Who buys.", "Who pays."));
    let dirty: Vec<_> = built.iter().filter(|(_, built)| !holds(&world, built)).map(|(key, _)| key.clone()).collect();
    assert_eq!(dirty, [("contracts/customer.yaml".to_owned(), Target::Models)]);
}

#[test]
fn contracts_may_refer_to_themselves_and_to_each_other() {
    let a = r##"{"type": "object", "properties": {"b": {"$ref": "b.json"}, "a": {"$ref": "#"}}}"##;
    let b = r##"{"type": "object", "properties": {"a": {"$ref": "a.json#/properties/a"}}}"##;
    let mut world = World::new(&[("contracts/a.json", a), ("contracts/b.json", b)], 1);
    assert!(world.build().values().all(|built| built.state == State::Ready));
}

#[test]
fn references_without_content_are_told() {
    let mut world =
        World::new(&[("contracts/a.json", r#"{"$ref": "b.json"}"#), ("contracts/b.json", r#"{"$ref": "a.json"}"#)], 1);
    for ((file, target), built) in world.build() {
        assert_eq!(built.state, State::Held, "{file} {target:?}");
        if target == Target::Check {
            assert_eq!(built.diagnostics[0].code.id(), "ref-loop", "{file}");
        }
    }
}

#[test]
fn circles_through_branches_are_told_and_recursion_is_not() {
    let a = r#"{"minimum": 1, "allOf": [{"not": {"$ref": "b.json#/$defs/b"}}]}"#;
    let b = r#"{"$defs": {"b": {"anyOf": [{"type": "string"}, {"$ref": "c.json"}]}}}"#;
    let c = |text: &str| {
        let mut world = World::new(&[("contracts/a.json", a), ("contracts/b.json", b), ("contracts/c.json", text)], 1);
        let built = world.build();
        let said = |file: &str| built[&(format!("contracts/{file}.json"), Target::Check)].diagnostics.clone();
        ["a", "b", "c"].map(|file| said(file).iter().map(|found| found.message.clone()).collect::<Vec<_>>())
    };
    let circle = c(r#"{"maximum": 3, "$ref": "a.json"}"#);
    assert_eq!(
        circle[0],
        ["references lead in a circle: contracts/a.json# → contracts/b.json#/$defs/b → contracts/c.json# → back"]
    );
    assert!(circle.iter().all(|found| found.len() == 1), "{circle:?}");
    for fine in [r#"{"items": {"$ref": "a.json"}}"#, r#"{"if": true, "else": {"$ref": "a.json"}}"#, "true"] {
        assert_eq!(c(fine), <[Vec<String>; 3]>::default(), "{fine}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same() {
    let texts: Vec<(String, String)> = (0..60)
        .map(|i| {
            let text = format!(
                r#"{{"type": "object", "properties": {{"next": {{"$ref": "c{}.json"}}, "n": {{"maximum": {i}}}}}}}"#,
                (i * 7 + 1) % 60
            );
            (format!("contracts/c{i}.json"), text)
        })
        .collect();
    let files: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let one = World::new(&files, 1).build();
    let backwards: Vec<(&str, &str)> = files.iter().rev().copied().collect();
    assert_eq!(one, World::new(&files, 2).build());
    assert_eq!(one, World::new(&backwards, 5).build());
}
