//! What candidates there are for small schemas.

use super::*;
use crate::link::{FileId, Link};
use crate::naming::Unit;
use crate::{
    Condition, Contains, Export, Exports, Logic, Node, Notes, NumberRules, ObjectRules, Property, RefTarget, Reference,
    Schema, StringRules, TypeSet,
};

/// Two files: the contract, and one that it refers to.
struct Files {
    own: Schema,
    other: Schema,
}

impl Resolve for Files {
    fn link(&self, from: &FileId, reference: &Reference) -> Link {
        match &reference.target {
            RefTarget::Here(pointer) => Link::To(Place::new(from, pointer)),
            RefTarget::Elsewhere { .. } => Link::To(Place::new(&"other.json".into(), "")),
            RefTarget::Dangling => Link::Dangling,
        }
    }

    fn schema(&self, place: &Place) -> Option<&Schema> {
        if &*place.file == "other.json" { &self.other } else { &self.own }.at(&place.pointer)
    }

    fn export(&self, _: &Place) -> Option<&Export> {
        None
    }

    fn unit(&self, file: &FileId) -> std::borrow::Cow<'_, Unit> {
        std::borrow::Cow::Owned(Unit::new(file, ""))
    }
}

/// A candidate as a document, and whether our own reading of the schema accepts it.
#[derive(Clone, Debug)]
struct Shown {
    document: Json,
    pointer: Pointer,
    keyword: &'static str,
    certain: bool,
    expect: Option<bool>,
}

fn all(own: Schema, other: Schema, limit: usize) -> (Vec<Shown>, bool) {
    let file: FileId = "own.json".into();
    let unit = Unit::new(&file, "");
    let exports = Exports::default();
    let files = Files { own, other };
    let limit = Limit { documents: limit, values: 100_000 };
    let found = samples(&Contract { file: &file, unit: &unit, exports: &exports }, &files, limit);
    let world = World::new(&files);
    let root = world.seat(&Place::new(&file, "")).expect("the root is there");
    let shown = found.candidates.iter().map(|candidate| {
        let document = found.document(candidate);
        let Candidate { pointer, keyword, certain, .. } = candidate.clone();
        let expect = Some(world.accepts(&root, &document));
        Shown { document, pointer, keyword, certain, expect }
    });
    (shown.collect(), found.cut)
}

fn of(own: Node) -> Vec<Shown> {
    let (found, cut) = all(schema(own), Schema::Bool(true), 200);
    assert!(!cut);
    found
}

fn schema(node: Node) -> Schema {
    Schema::Node(Box::new(node))
}

fn typed(at: &str, types: TypeSet) -> Node {
    let mut node = Node::new(at);
    node.types = Some(types);
    node
}

fn reference(at: &str, target: RefTarget) -> Schema {
    let mut node = Node::new(at);
    node.reference = Some(Box::new(Reference { text: "somewhere".into(), target, dynamic: None }));
    schema(node)
}

fn object(at: &str, required: &[&str], properties: Vec<(&str, Schema)>) -> Node {
    let mut node = typed(at, TypeSet::OBJECT);
    node.object = Some(Box::new(ObjectRules {
        properties: properties.into_iter().map(|(name, schema)| Property { name: name.into(), schema }).collect(),
        required: required.iter().map(|name| (*name).into()).collect(),
        ..ObjectRules::default()
    }));
    node
}

fn number(text: &str) -> Number {
    Number::new(text).unwrap_or_else(|| panic!("{text} is a number"))
}

/// The documents about a keyword, with what is expected of them.
fn about(list: &[Shown], keyword: &str) -> Vec<(String, Option<bool>)> {
    list.iter().filter(|c| c.keyword == keyword).map(|c| (c.document.to_string(), c.expect)).collect()
}

fn pairs(list: &[(&str, bool)]) -> Vec<(String, Option<bool>)> {
    list.iter().map(|(text, valid)| ((*text).to_owned(), Some(*valid))).collect()
}

#[test]
fn bounds_have_both_sides() {
    let mut node = typed("", TypeSet::INTEGER);
    node.number = Some(Box::new(NumberRules {
        minimum: Some(number("1")),
        exclusive_maximum: Some(number("5")),
        ..NumberRules::default()
    }));
    let list = of(node);
    assert_eq!(list[0].document.to_string(), "1");
    assert_eq!(about(&list, "minimum"), pairs(&[("0", false)]));
    assert_eq!(about(&list, "exclusiveMaximum"), pairs(&[("5", false), ("6", false), ("4", true)]));

    let mut node = typed("", TypeSet::STRING);
    node.string = Some(Box::new(StringRules {
        min_length: Some(2),
        max_length: Some(3),
        pattern: Some("^x".into()),
        format: None,
        asserted: false,
    }));
    let list = of(node);
    assert_eq!(about(&list, "minLength"), pairs(&[("\"x\"", false)]));
    assert_eq!(about(&list, "maxLength"), pairs(&[("\"xaa\"", true), ("\"xaaa\"", false)]));
    let near = [("\"!a\"", false), ("\"!xa\"", false), ("\"xa!\"", true), ("\"a\"", false), ("\"\"", false)];
    assert_eq!(about(&list, "pattern"), pairs(&near));
    assert!(list.iter().filter(|c| c.expect == Some(false) && c.keyword != "pattern").all(|c| c.certain));
}

#[test]
fn each_required_property_is_left_out_once() {
    let list = of(object(
        "",
        &["a", "b"],
        vec![
            ("a", schema(typed("/properties/a", TypeSet::STRING))),
            ("b", schema(typed("/properties/b", TypeSet::BOOLEAN))),
            ("c", schema(typed("/properties/c", TypeSet::NULL))),
        ],
    ));
    assert_eq!(list[0].document.to_string(), r#"{"a":"text","b":true,"c":null}"#);
    let least = list.iter().find(|c| c.document.to_string() == r#"{"a":"text","b":true}"#);
    assert_eq!(least.and_then(|c| c.expect), Some(true));
    let found = about(&list, "required");
    let (without_a, without_b) = (r#"{"b":true,"c":null}"#, r#"{"a":"text","c":null}"#);
    assert_eq!(found[..2], pairs(&[(without_a, false), (without_b, false)]));
    let nested = list.iter().find(|c| &*c.pointer == "/b" && c.keyword == "type").expect("a wrong type inside");
    assert!(nested.certain && nested.expect == Some(false), "{nested:?}");
}

#[test]
fn every_branch_has_a_document() {
    let branch = |at: &str, tag: &str| {
        let mut kind = Node::new(&format!("{at}/properties/kind"));
        kind.constant = Some(Json::String(tag.into()));
        schema(object(at, &["kind", tag], vec![("kind", schema(kind)), (tag, Schema::Bool(true))]))
    };
    let mut node = Node::new("");
    node.logic =
        Some(Box::new(Logic { one_of: vec![branch("/oneOf/0", "a"), branch("/oneOf/1", "b")], ..Logic::default() }));
    let list = of(node);
    for tag in ["a", "b"] {
        let wanted = Some(&Json::String(tag.into()));
        assert!(list.iter().any(|c| c.expect == Some(true) && c.document.get("kind") == wanted), "{tag}: {list:?}");
    }
    // What only a branch forbids is not promised to be reported in a certain way.
    assert!(list.iter().filter(|c| c.keyword == "required").all(|c| !c.certain), "{list:?}");
}

#[test]
fn conditions_by_tag_find_their_branch() {
    // Three conditions, of which exactly one must be met at a time.
    let condition = |i: usize, tag: &str| {
        let at = format!("/allOf/{i}");
        let mut test = Node::new(&format!("{at}/if/properties/kind"));
        test.constant = Some(Json::String(tag.into()));
        let mut node = Node::new(&at);
        node.logic = Some(Box::new(Logic {
            condition: Some(Condition {
                test: schema(object(&format!("{at}/if"), &[], vec![("kind", schema(test))])),
                then: Some(schema(object(&format!("{at}/then"), &[tag], Vec::new()))),
                otherwise: None,
            }),
            ..Logic::default()
        }));
        schema(node)
    };
    let mut kind = Node::new("/properties/kind");
    kind.enumeration = Some(["a", "b", "c"].map(|tag| Json::String(tag.into())).into());
    let mut root = object("", &["kind"], vec![("kind", schema(kind))]);
    root.logic = Some(Box::new(Logic {
        all_of: vec![condition(0, "a"), condition(1, "b"), condition(2, "c")],
        ..Logic::default()
    }));
    let list = of(root);
    for tag in ["a", "b", "c"] {
        let met = |c: &Shown| c.document.get("kind").and_then(Json::as_str) == Some(tag) && c.expect == Some(true);
        assert!(list.iter().any(met), "{tag}: {list:#?}");
    }
}

#[test]
fn recursion_and_dangling_references_end() {
    let here = |at: &str| reference(at, RefTarget::Here("".into()));
    let list = of(object(
        "",
        &["name"],
        vec![("name", schema(typed("/properties/name", TypeSet::STRING))), ("next", here("/properties/next"))],
    ));
    assert!(list.iter().any(|c| c.expect == Some(true)));
    // A document that must contain itself does not exist; there are still documents that are wrong.
    let endless = of(object("", &["next"], vec![("next", here("/properties/next"))]));
    assert!(!endless.is_empty() && endless.iter().all(|c| c.expect != Some(true)), "{endless:?}");
    let nowhere = all(reference("", RefTarget::Dangling), Schema::Bool(true), 50);
    assert!(nowhere.0.iter().all(|c| c.expect == Some(false)));
}

#[test]
fn other_files_are_seen_through() {
    let away = RefTarget::Elsewhere { uri: "file:///other.json".into(), fragment: "".into(), beside: None };
    let own = schema(object("", &["id"], vec![("id", reference("/properties/id", away))]));
    let mut other = typed("", TypeSet::STRING);
    other.string = Some(Box::new(StringRules { pattern: Some("^[A-Z]{2}\\d$".into()), ..StringRules::default() }));
    let list = all(own, schema(other), 50).0;
    let Some(Json::String(id)) = list[0].document.get("id") else { panic!("{list:?}") };
    assert!(id.len() == 3 && id.ends_with(|c: char| c.is_ascii_digit()), "{id}");
    assert!(list.iter().any(|c| c.keyword == "pattern" && &*c.pointer == "/id" && c.certain));
}

#[test]
fn arrays_cover_length_uniqueness_and_contained_items() {
    let mut node = typed("", TypeSet::ARRAY);
    let mut wanted = Node::new("/contains");
    wanted.constant = Some(Json::Number(number("7")));
    node.array = Some(Box::new(crate::ArrayRules {
        items: Some(schema(typed("/items", TypeSet::INTEGER))),
        contains: Some(Contains { schema: schema(wanted), min: 1, max: None, evaluates: true }),
        max_items: Some(2),
        unique: true,
        ..crate::ArrayRules::default()
    }));
    let list = of(node);
    assert_eq!(list[0].document.to_string(), "[7]");
    assert_eq!(about(&list, "uniqueItems"), pairs(&[("[7,7]", false)]));
    assert!(about(&list, "contains").contains(&("[12]".to_owned(), Some(false))), "{list:?}");
    assert!(about(&list, "maxItems").iter().any(|(_, expect)| *expect == Some(false)));
}

#[test]
fn stated_examples_come_in_and_limits_are_told() {
    let mut node = typed("", TypeSet::STRING);
    let examples = vec![Json::String("stated".into()), Json::Number(number("1E400"))];
    node.notes = Some(Box::new(Notes { examples, ..Notes::default() }));
    let (whole, cut) = all(schema(node.clone()), Schema::Bool(true), 200);
    assert!(!cut && whole[0].document == Json::String("stated".into()));
    // No reader holds that number.
    assert!(whole.iter().all(|c| !c.document.to_string().contains("E400")));
    let (part, cut) = all(schema(node), Schema::Bool(true), 3);
    assert!(cut);
    let documents = |list: &[Shown]| list.iter().map(|c| c.document.to_string()).collect::<Vec<_>>();
    assert_eq!(documents(&part), documents(&whole[..3]));
}

#[test]
fn places_deep_inside_have_a_small_document_of_their_own() {
    let text = |at: &str| schema(typed(at, TypeSet::STRING));
    let deep = |at: &str| {
        let inner = object(&format!("{at}/properties/in"), &["name"], vec![("name", text(&format!("{at}/in/name")))]);
        schema(object(at, &[], vec![("in", schema(inner)), ("other", text(&format!("{at}/other")))]))
    };
    let list = of(object("", &["id"], vec![("id", text("/id")), ("a", deep("/a")), ("b", deep("/b"))]));
    let wrong = list.iter().find(|c| &*c.pointer == "/b/in/name" && c.keyword == "type").expect("a wrong type there");
    assert_eq!(wrong.document.to_string(), r#"{"id":"text","b":{"in":{"name":null},"other":"text"}}"#);
    let lean = list.iter().find(|c| &*c.pointer == "/b" && c.keyword == "required").expect("the least of b");
    assert_eq!((lean.document.to_string().as_str(), lean.expect), (r#"{"id":"text","b":{"extra":null}}"#, Some(true)));
}

#[test]
fn members_beyond_the_first_document_share_one() {
    let names: Vec<String> = (0..40).map(|i| format!("m{i}")).collect();
    let text = |i: usize| schema(typed(&format!("/m{i}"), TypeSet::STRING));
    let list = of(object("", &[], names.iter().enumerate().map(|(i, name)| (name.as_str(), text(i))).collect()));
    let wrong = |name: &str| {
        let at = format!("/{name}");
        list.iter().filter(|c| *c.pointer == *at && c.keyword == "type" && c.expect == Some(false)).count()
    };
    assert!(names.iter().all(|name| wrong(name) > 0), "{list:#?}");
    assert!(list.iter().filter(|c| c.expect == Some(true)).count() < 10, "{list:#?}");
    let last = list.iter().find(|c| &*c.pointer == "/m39").expect("the last member has a turn");
    assert_eq!(last.document.get("m38"), Some(&Json::String("text".into())));
}

#[test]
fn what_is_used_twice_is_looked_at_once_and_glanced_at_again() {
    let here = |at: &str| reference(at, RefTarget::Here("/properties/first".into()));
    let mut first = typed("/properties/first", TypeSet::INTEGER);
    first.number = Some(Box::new(NumberRules { minimum: Some(number("1")), ..NumberRules::default() }));
    let list = of(object("", &[], vec![("first", schema(first)), ("second", here("/properties/second"))]));
    let count = |pointer: &str| list.iter().filter(|c| &*c.pointer == pointer && c.expect == Some(false)).count();
    assert!(count("/first") > 3 && count("/second") == 1, "{list:#?}");
}

#[test]
fn changes_are_small() {
    let object = |members: &[(&str, &str)]| {
        Json::Object(members.iter().map(|(name, value)| ((*name).into(), Json::String((*value).into()))).collect())
    };
    let old = object(&[("a", "1"), ("b", "2"), ("c", "3")]);
    for (new, edits) in [
        (object(&[("a", "1"), ("b", "2")]), 1),
        (object(&[("a", "1"), ("b", "x"), ("c", "3"), ("d", "4")]), 2),
        (object(&[("z", "1")]), 1),
        (object(&[]), 1),
        (Json::Null, 1),
    ] {
        let found = difference(&[], &old, new.clone());
        assert_eq!(found.len(), edits, "{new}");
        let mut document = old.clone();
        found.iter().for_each(|edit| edit.apply(&mut document));
        assert!(document.same(&new), "{document} is not {new}");
    }
}

#[test]
fn the_effort_of_a_ladder_doubles_with_every_step() {
    /// `$defs` hang below `properties` here, where a pointer finds them without help.
    fn ladder(steps: usize) -> Schema {
        let to = |i: usize| {
            let mut node = Node::new("");
            let target = RefTarget::Here(format!("/properties/d{i}").into());
            node.reference = Some(Box::new(Reference { text: "#".into(), target, dynamic: None }));
            Schema::Node(Box::new(node))
        };
        let mut root = Node::new("");
        let properties = (0..=steps).map(|i| {
            let mut node = Node::new(&format!("/properties/d{i}"));
            if i < steps {
                let all_of = vec![to(i + 1), to(i + 1)];
                node.logic = Some(Box::new(Logic { all_of, ..Logic::default() }));
            } else {
                node.types = Some(TypeSet::STRING);
            }
            Property { name: format!("d{i}").into(), schema: Schema::Node(Box::new(node)) }
        });
        root.object = Some(Box::new(ObjectRules { properties: properties.collect(), ..ObjectRules::default() }));
        Schema::Node(Box::new(root))
    }
    let file: FileId = "own.json".into();
    let of = |own: Schema| {
        let files = Files { own, other: Schema::Bool(true) };
        let root = Export {
            pointer: "".into(),
            class: "ModelOwn".into(),
            function: "".into(),
            types: TypeSet::ALL,
            tags: Vec::new(),
            opaque: false,
            meaning: crate::Digest::of(b""),
            full: crate::Digest::of(b""),
        };
        let exports = Exports { list: vec![root], ..Exports::default() };
        effort(&Contract { file: &file, unit: &Unit::new("own.json", ""), exports: &exports }, &files)
    };
    // Each step is itself, and two references to the next.
    assert_eq!(of(ladder(1)), 5);
    assert_eq!(of(ladder(2)), 13);
    assert!(of(ladder(40)) > 1 << 40);
}

#[test]
fn each_member_of_an_object_of_one_member_is_shown_beside_a_shorthand() {
    let mut bounded = typed("/oneOf/1/properties/b", TypeSet::INTEGER);
    bounded.number = Some(Box::new(NumberRules { minimum: Some(number("5")), ..NumberRules::default() }));
    let text = schema(typed("/oneOf/1/properties/a", TypeSet::STRING));
    let mut one = object("/oneOf/1", &[], vec![("a", text), ("b", schema(bounded))]);
    if let Some(rules) = &mut one.object {
        (rules.min_properties, rules.max_properties) = (Some(1), Some(1));
    }
    let mut node = Node::new("");
    let shorthand = schema(typed("/oneOf/0", TypeSet::STRING));
    node.logic = Some(Box::new(Logic { one_of: vec![shorthand, schema(one)], ..Logic::default() }));
    let list = of(node);
    let documents: Vec<String> = list.iter().map(|shown| shown.document.to_string()).collect();
    assert!(documents.iter().any(|text| text == r#"{"a":"text"}"#), "{documents:?}");
    let bounds = pairs(&[(r#"{"b":5}"#, true), (r#"{"b":4}"#, false)]);
    let minimum = about(&list, "minimum");
    assert!(bounds[1..].iter().all(|bound| minimum.contains(bound)) && documents.contains(&bounds[0].0), "{list:?}");
}

#[test]
fn every_pattern_of_names_has_its_turn() {
    let mut node = typed("", TypeSet::OBJECT);
    node.object = Some(Box::new(ObjectRules {
        patterns: vec![
            ("^a".into(), schema(typed("/patternProperties/^a", TypeSet::INTEGER))),
            ("^b".into(), schema(typed("/patternProperties/^b", TypeSet::BOOLEAN))),
        ],
        additional: Some(schema(typed("/additionalProperties", TypeSet::STRING))),
        ..ObjectRules::default()
    }));
    let list = of(node);
    let wrong = |start: &str| {
        let mut types = list.iter().filter(|shown| shown.keyword == "type" && shown.expect == Some(false));
        types.any(|shown| shown.pointer.starts_with(start))
    };
    assert!(wrong("/a") && wrong("/b") && wrong("/extra"), "{list:?}");
}

#[test]
fn a_branch_has_little_beside_it() {
    let mut choice = Node::new("/properties/choice");
    let branch = |at: &str, types| schema(typed(at, types));
    choice.logic = Some(Box::new(Logic {
        any_of: vec![branch("/anyOf/0", TypeSet::STRING), branch("/anyOf/1", TypeSet::INTEGER)],
        ..Logic::default()
    }));
    let text = |name: &str| schema(typed(&format!("/properties/{name}"), TypeSet::STRING));
    let node = object("", &["id"], vec![("id", text("id")), ("choice", schema(choice)), ("other", text("other"))]);
    let shown: Vec<String> = of(node).iter().map(|shown| shown.document.to_string()).collect();
    assert!(shown.iter().any(|text| text == r#"{"id":"text","choice":1}"#), "{shown:?}");
}

#[test]
fn what_takes_a_pattern_for_ever_is_left_out() {
    let mut node = typed("", TypeSet::STRING);
    let slow = Some("^(a+)+$".into());
    node.string = Some(Box::new(StringRules { min_length: Some(32), pattern: slow, ..StringRules::default() }));
    let list = of(node);
    let a = "a".repeat(32);
    let has = |text: &str| list.iter().any(|shown| shown.document == Json::String(text.into()));
    assert!(has(&a) && has(&format!("!{}", &a[1..])) && has(&a[1..]), "{list:?}");
    assert!(!has(&format!("{a}!")), "{list:?}");
}
