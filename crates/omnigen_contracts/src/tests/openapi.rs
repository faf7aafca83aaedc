//! What API descriptions declare.

use omnigen_ir::naming::{Naming, Unit};
use omnigen_ir::{Json, TypeSet};

use super::{found, json, node, target, yaml};
use crate::{Declarations, Includes};

/// The classes of what a document exports.
fn classes(declarations: &Declarations) -> Vec<String> {
    let exports = declarations.exports(&Unit::new("api.yaml", ""), &Naming { class: "{Name}".to_owned() });
    exports.list.iter().map(|export| export.class.to_string()).collect()
}

/// A document with these component schemas.
fn schemas(version: &str, members: &str) -> Declarations {
    json(&format!(r#"{{"openapi": "{version}", "components": {{"schemas": {{{members}}}}}}}"#))
}

#[test]
fn an_api_has_no_root() {
    let api = schemas("3.1.0", r#""Pet": {"type": "object"}, "pet-kind": {"enum": ["a"]}"#);
    assert!(!api.rooted() && !api.broken && api.schema("").is_none() && api.schema("/info").is_none());
    assert_eq!(classes(&api), ["Pet", "PetKind"]);
    assert_eq!(found(&yaml("openapi: 3.0.0\npaths: {}\n")), ["not-a-contract key:/openapi"]);
    assert_eq!(
        found(&yaml("openapi: 3.2.0\ncomponents: {schemas: {A: {type: string}}}\n")),
        ["unknown-dialect /openapi"]
    );
}

#[test]
fn parts_in_other_files_are_taken_in() {
    let text = r##"
openapi: 3.1.0
paths:
  /a: { $ref: "paths/a.yaml" }
  /b:
    get:
      parameters: [{ $ref: "parts.yaml#/parameters/Id" }]
      responses: { "200": { $ref: "gone.yaml" } }
  /c: { $ref: "round.yaml" }
  /d: { get: { parameters: [{ $ref: "parts.yaml#/parameters/None" }] } }
"##;
    let mut includes = Includes::default();
    let mut insert = |file: &str, text: Option<&str>| includes.insert(file.into(), text.map(Into::into));
    insert("api/paths/a.yaml", Some("get: { responses: { 200: { $ref: \"../parts.yaml#/responses/One\" } } }"));
    insert(
        "api/parts.yaml",
        Some(
            "parameters: { Id: { name: id, in: query, schema: { $ref: 'types.json' } } }\n\
             responses: { One: { content: { application/json: { schema: { $ref: '#/here' } } } } }\nhere: {}",
        ),
    );
    insert("api/gone.yaml", None);
    insert("api/round.yaml", Some("$ref: ./round.yaml"));
    let file = "api/main.yaml".into();
    let api = crate::declarations_with(&file, text, &includes, None);
    assert_eq!(
        api.includes,
        ["api/gone.yaml".into(), "api/parts.yaml".into(), "api/paths/a.yaml".into(), "api/round.yaml".into()]
            as [std::sync::Arc<str>; 4]
    );
    assert_eq!(
        found(&api),
        [
            "dangling-ref /paths/~1b/get/responses/200/$ref",
            "ref-loop /paths/~1c/$ref",
            "dangling-ref /paths/~1d/get/parameters/0/$ref"
        ]
    );
    assert_eq!(classes(&api), ["GetAResponse200", "GetBParameters"]);
    let leads: Vec<&str> = api.reach.leads.iter().filter_map(|(_, beside)| beside.as_deref()).collect();
    assert_eq!(leads, ["api/gone.yaml", "api/parts.yaml", "api/round.yaml", "api/types.json"]);
    // Nobody has read the other files yet.
    assert_eq!(crate::declarations(&file, text).includes.len(), 4);
    let part = crate::declarations(&"p.yaml".into(), "get: { responses: {} }\n");
    assert!(part.exported.is_empty() && found(&part) == ["not-a-contract "]);
}

#[test]
fn what_operations_take_and_give_is_named_by_them() {
    let api = yaml(
        r##"
openapi: 3.0.3
paths:
  /pets/{id}:
    parameters: [{ $ref: "#/components/parameters/Id" }]
    get:
      parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
      responses: { "200": { $ref: "#/components/responses/One" }, 4XX: { description: no } }
    put:
      operationId: put_pet
      requestBody: { content: { application/merge-patch+json: { schema: { type: object } }, image/png: { schema: {} } } }
      responses: {}
components:
  parameters: { Id: { name: id, in: path, required: true, schema: { type: string } } }
  responses: { One: { description: one, content: { application/json: { schema: { type: array, items: {} } } } } }
"##,
    );
    assert_eq!(
        classes(&api),
        [
            "IdParameter",
            "OneResponseBody",
            "GetPetsIdParameters",
            "GetPetsIdResponse200",
            "PutPetParameters",
            "PutPetRequestBodyMergePatchJson"
        ]
    );
    // The operation's own parameter stands for that of the path.
    let own = "/paths/~1pets~1{id}/get/parameters/properties/path/properties/id";
    assert_eq!(node(&api, own).types, Some(TypeSet::INTEGER));
    let shared = "/paths/~1pets~1{id}/put~@put_pet/parameters/properties/path/properties/id";
    assert_eq!(target(&api, shared), "/components/parameters/Id/schema");
    assert_eq!(found(&api), ["not-carried key:/paths/~1pets~1{id}/put~@put_pet/requestBody/content/image~1png/schema"]);
}

#[test]
fn nullable_allows_null_where_it_is_meant() {
    let members = r##""A": {"type": "string", "nullable": true, "enum": ["x"]},
        "B": {"nullable": true, "allOf": [{"$ref": "#/components/schemas/A"}]},
        "C": {"$ref": "#/components/schemas/A", "nullable": true, "maxLength": 3}"##;
    let api = schemas("3.0.0", members);
    let a = node(&api, "/components/schemas/A");
    assert_eq!(a.types, Some(TypeSet::STRING.or(TypeSet::NULL)));
    assert_eq!(a.enumeration.as_deref().map(|values| values.contains(&Json::Null)), Some(true));
    for name in ["B", "C"] {
        let logic = node(&api, &format!("/components/schemas/{name}")).logic.as_deref().expect("alternatives");
        assert_eq!(logic.any_of.len(), 2, "{name}");
    }
    let key = |keyword: &str| format!("ignored-keyword key:/components/schemas/C/{keyword}");
    assert_eq!(found(&api), [key("maxLength"), key("nullable")]);
    assert_eq!(
        found(&schemas("3.1.0", r#""A": {"type": "string", "nullable": true}"#)),
        ["ignored-keyword key:/components/schemas/A/nullable"]
    );
}

#[test]
fn what_is_only_read_is_not_sent() {
    let api = schemas(
        "3.1.0",
        r##""User": {"type": "object", "required": ["id", "name"],
            "properties": {"id": {"readOnly": true, "type": "string"}, "name": {"type": "string"}}},
        "Team": {"type": "array", "items": {"$ref": "#/components/schemas/User"}},
        "Name": {"type": "string"}"##,
    );
    assert_eq!(classes(&api), ["User", "UserWrite", "Team", "TeamWrite", "Name"]);
    let write = node(&api, "/components/schemas/User~write").object.as_deref().expect("an object");
    assert_eq!((write.properties.len(), write.required.len()), (1, 1));
    assert_eq!(target(&api, "/components/schemas/Team~write/items"), "/components/schemas/User~write");
    assert_eq!(target(&api, "/components/schemas/Team/items"), "/components/schemas/User");
}

#[test]
fn a_discriminator_gives_values() {
    let api = schemas(
        "3.0.0",
        r##""Pet": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}},
            "discriminator": {"propertyName": "kind", "mapping": {"tabby": "Cat", "x": "Nobody"}}},
        "Cat": {"allOf": [{"$ref": "#/components/schemas/Pet"}]},
        "Dog": {"allOf": [{"$ref": "#/components/schemas/Pet"}]}"##,
    );
    assert_eq!(classes(&api), ["Pet", "PetBase", "Cat", "Dog"]);
    assert_eq!(target(&api, "/components/schemas/Cat/allOf/0"), "/components/schemas/Pet~base");
    for (name, value) in [("Cat", "tabby"), ("Dog", "Dog")] {
        let kind = node(&api, &format!("/components/schemas/{name}/properties/kind"));
        assert_eq!(kind.enumeration.as_deref(), Some(&[Json::String(value.into())][..]), "{name}");
    }
    assert_eq!(found(&api), ["dangling-ref /components/schemas/Pet/discriminator/mapping/x"]);
}

#[test]
fn an_error_holds_back_what_it_stands_in_and_what_leads_there() {
    let api = yaml(
        r##"
openapi: 3.1.0
paths:
  /pets:
    parameters: [{ $ref: "#/components/parameters/Gone" }]
    get:
      parameters: [{ name: limit, in: query, schema: { type: integer } }]
      responses:
        "200": { content: { application/json: { schema: { $ref: "#/components/schemas/Pets" } } } }
        "404": { $ref: "#/components/responses/Gone" }
        "500": { content: { application/json: { schema: { $ref: "#/components/schemas/Fine" } } } }
components:
  schemas:
    Fine: { type: object, properties: { name: { type: string } } }
    Kind: { type: strin }
    Pet: { type: object, properties: { kind: { $ref: "#/components/schemas/Kind" } } }
    Pets: { type: array, items: { $ref: "#/components/schemas/Pet" } }
    Ring: { allOf: [{ $ref: "#/components/schemas/Ring" }] }
"##,
    );
    assert_eq!(classes(&api), ["Fine", "GetPetsResponse500"]);
    assert_eq!(
        found(&api),
        [
            "unknown-type /components/schemas/Kind/type",
            "dangling-ref /paths/~1pets/parameters/0/$ref",
            "dangling-ref /paths/~1pets/get/responses/404/$ref",
            "ref-loop /components/schemas/Ring/allOf/0/$ref",
        ]
    );
    // Nothing is left.
    assert_eq!(classes(&schemas("3.1.0", r#""A": {"type": "strin"}"#)), ["A"]);
}

#[test]
fn a_definition_that_the_root_does_not_need_is_held_back_alone() {
    let text = |properties: &str| {
        format!(
            r##"{{"properties": {{{properties}}}, "$defs": {{"A": {{"$ref": "#/$defs/C"}}, "B": {{"$ref": "#/$defs/A"}}, "D": true}}}}"##
        )
    };
    let names = |text: &str| {
        let exports = json(text).exports(&Unit::new("root.json", ""), &Naming { class: "{Name}".to_owned() });
        exports.list.iter().map(|export| export.class.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(&text("")), ["Root", "D"], "the others lead nowhere");
    assert_eq!(names(&text(r##""b": {"$ref": "#/$defs/B"}"##)), ["Root", "A", "B", "D"], "all of it is held back");
}

#[test]
fn headers_and_callbacks_are_types() {
    let api = yaml(
        r##"
openapi: 3.0.3
paths:
  /pets:
    post:
      operationId: addPet
      responses:
        "201": { description: made, headers: { Location: { required: true, schema: { type: string } }, X-Rest: { $ref: "#/components/headers/Rest" } } }
        "429": { $ref: "#/components/responses/Slow" }
      callbacks: { onAdded: { $ref: "#/components/callbacks/Added" } }
components:
  headers: { Rest: { description: How many are left., schema: { type: integer } } }
  responses: { Slow: { description: slow, headers: { Retry-After: { schema: { type: integer } }, content-type: { schema: {} } } } }
  callbacks:
    Added:
      "{$request.body#/url}":
        post: { requestBody: { content: { application/json: { schema: { type: string } } } }, responses: {} }
"##,
    );
    assert_eq!(found(&api), [""; 0]);
    assert_eq!(
        classes(&api),
        [
            "RestHeader",
            "SlowResponseHeaders",
            "AddPetResponse201Headers",
            "AddPetResponse429Headers",
            "PostAddedCallbackRequestBody"
        ]
    );
    let headers = "/paths/~1pets/post~@addPet/responses/201/headers";
    let rules = node(&api, headers).object.as_deref().unwrap();
    assert_eq!((rules.properties.len(), &*rules.required), (2, &["Location".into()][..]));
    assert_eq!(target(&api, &format!("{headers}/properties/X-Rest")), "/components/headers/Rest/schema");
    assert_eq!(target(&api, "/paths/~1pets/post~@addPet/responses/429/headers"), "/components/responses/Slow/headers");
}

#[test]
fn alternatives_of_other_documents_are_chosen_by_the_mapping_too() {
    let members = r##""Cat": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}},
        "Animal": {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "other.yaml#/components/schemas/Newt"}, {"$ref": "fish.yaml"}],
            "discriminator": {"propertyName": "kind", "mapping": {"cat": "Cat", "newt": "other.yaml#/components/schemas/Newt"}}}"##;
    let api = schemas("3.0.3", members);
    assert_eq!(found(&api), [""; 0]);
    let not = |place: usize| {
        let branch = &node(&api, "/components/schemas/Animal").logic.as_deref().expect("alternatives").one_of[place];
        branch.node().and_then(|branch| branch.logic.as_deref()?.not.as_ref()?.node())
    };
    let values = |node: &omnigen_ir::Node| {
        let kind = node.object.as_deref()?.properties.first()?.schema.node()?.enumeration.clone()?;
        Some(kind.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect::<Vec<_>>())
    };
    // Ours has its value itself, another one's must have its own, or at least none of the others.
    assert!(not(0).is_none());
    let newt = not(1).and_then(|node| node.logic.as_deref()?.not.as_ref()?.node());
    assert_eq!(newt.and_then(values), Some(vec!["newt".to_owned()]));
    assert_eq!(not(2).and_then(values), Some(vec!["cat".to_owned(), "newt".to_owned()]));
}

#[test]
fn what_refers_to_another_document_has_the_form_for_requests_too() {
    let members = r##""User": {"$ref": "other.yaml#/components/schemas/User"},
        "Team": {"type": "array", "items": {"$ref": "#/components/schemas/User"}},
        "Note": {"$ref": "note.json"}, "Kind": {"type": "string"}"##;
    let api = schemas("3.0.3", members);
    assert_eq!(classes(&api), ["User", "UserWrite", "Team", "TeamWrite", "Note", "Kind"]);
    let foreign = |pointer| target(&api, pointer).split(" # ").nth(1).map(str::to_owned);
    let there = |name: &str| Some(format!("/components/schemas/{name} | contracts/other.yaml"));
    assert_eq!(foreign("/components/schemas/User"), there("User"));
    assert_eq!(foreign("/components/schemas/User~write"), there("User~write"));
    assert_eq!(target(&api, "/components/schemas/Team~write/items"), "/components/schemas/User~write");
}
