use omnigen_ir::TypeSet;
use omnigen_ir::naming::{Naming, Unit};

use super::{draft_2020, json};

#[test]
fn exports_are_the_root_and_the_top_level_definitions() {
    let declarations = json(
        r##"{"type": "object", "definitions": {"old": {"enum": [1, "x"], "definitions": {"inner": {}}}},
        "$defs": {"Cat": {"type": "object", "properties": {"kind": {"const": "cat"}, "size": {"enum": ["s", "l"]}, "n": {"const": 1}, "free": {"const": "x"}},
            "required": ["kind", "size", "n"]}, "no": false,
        "part": {"type": ["string", "number"], "allOf": [{"type": ["integer", "string"]}, {"$ref": "#"}]}}}"##,
    );
    let exports = declarations.exports(&Unit::new("contracts/order.json", "contracts"), &Naming::default());
    let shown: Vec<_> =
        exports.list.iter().map(|export| (&*export.pointer, &*export.class, &*export.function, export.types)).collect();
    assert_eq!(
        shown,
        [
            ("", "ModelOrder", "", TypeSet::OBJECT),
            ("/$defs/Cat", "ModelCat", "_cat", TypeSet::OBJECT),
            ("/$defs/no", "ModelNo", "_no", TypeSet::NONE),
            ("/$defs/part", "ModelPart", "_part", TypeSet::STRING.or(TypeSet::INTEGER)),
            ("/definitions/old", "ModelOld", "_old", TypeSet::STRING.or(TypeSet::INTEGER)),
        ]
    );
    assert_eq!(
        exports.list[1].tags,
        [("kind".into(), vec!["cat".into()]), ("size".into(), vec!["s".into(), "l".into()])]
    );
    assert!(json("{").exports(&Unit::new("a.json", ""), &Naming::default()).list.is_empty());
}

#[test]
fn digests_tell_meaning_from_annotations() {
    let exports = |members: &str| {
        draft_2020(members).exports(&Unit::new("contracts/order.json", "contracts"), &Naming::default()).list
    };
    let plain = exports(r#""$defs": {"a": {"type": "string"}}"#);
    let noted = exports(r#""$defs": {"a": {"type": "string", "description": "x"}}"#);
    let other = exports(r#""$defs": {"a": {"type": "integer"}}"#);
    assert_eq!(plain[1].meaning, noted[1].meaning);
    assert_ne!(plain[1].full, noted[1].full);
    assert_ne!(plain[1].meaning, other[1].meaning);
    assert_eq!(plain[0], other[0]);
}

#[test]
fn one_walk_gives_both_digests() {
    use omnigen_ir::{Encode, View};
    for members in [
        r#""type": "string""#,
        r#""title": "x", "properties": {"a": {"description": "y", "items": {"default": [1]}}, "b": true}"#,
    ] {
        let root = draft_2020(members).root;
        assert_eq!(root.digests("d"), (root.digest("d", View::Meaning), root.digest("d", View::Full)), "{members}");
    }
}
