//! Is this document valid? An independent answer, for generated tests: the `jsonschema` crate, the slow compile, alone
//! here.
//!
//! Knows nothing of our own reading of schemas: it gets the contracts as JSON text. Never reaches a network or a file:
//! what is not among the documents of a question is an error.

mod patterns;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::{Draft, Keyword, PatternCache, PatternOptions, ReferencingError, Registry, Retrieve, Uri, Validator};
use omnigen_ir::samples::{Edit, Samples, Step};
use omnigen_ir::{Asked, Json, Judge, Question};
use serde_json::{Map, Value};

/// Backtracking steps of one match of one pattern; a catastrophic one then counts as no match.
const BACKTRACKS: usize = 200_000;
/// For so many questions expressions are kept: there may be many of them, and large ones.
const QUESTIONS: usize = 256;

/// The judge that asks the `jsonschema` crate. A schema without `$schema` is read as 2020-12.
#[derive(Clone, Copy, Debug, Default)]
pub struct Oracle;

/// Retrieves nothing, and remembers what was wanted: all of it, since the crate asks in no particular order.
#[derive(Clone, Default)]
struct Nothing(Arc<Mutex<BTreeSet<String>>>);

impl Retrieve for Nothing {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(uri.to_string());
        Ok(Value::Object(Map::new()))
    }
}

impl Nothing {
    /// An error if something was wanted.
    fn complete(&self) -> Result<(), String> {
        let wanted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.is_empty() {
            return Ok(());
        }
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        Err(format!("not among the schemas of the question: {}", wanted.join(", ")))
    }
}

/// The crate that judges, and how many times we have changed what it is asked.
const IDENTITY: &str = "jsonschema 0.61.2/3";

/// Formats that not every draft names. Where formats are asserted they are in every draft, with the one meaning that they were
/// given: custom attributes are a matter of agreement (draft-07 validation, section 7.2; draft-04, section 7.1), and who asks
/// for assertion agrees. The crate looks only at those that a draft names, so it is asked in the newest.
static LATER: LazyLock<Vec<(&str, Arc<Validator>)>> = LazyLock::new(|| {
    let names = [
        "uuid",
        "duration",
        "iri",
        "iri-reference",
        "uri-reference",
        "uri-template",
        "idn-hostname",
        "json-pointer",
        "relative-json-pointer",
    ];
    let one = |name| {
        let schema = serde_json::json!({ "format": name });
        let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        Some((name, Arc::new(options.build(&schema).ok()?)))
    };
    names.into_iter().filter_map(one).collect()
});

impl Judge for Oracle {
    fn identity(&self) -> &'static str {
        IDENTITY
    }

    fn verdicts(&self, question: &Question<'_>) -> Result<Vec<bool>, String> {
        let mut documents = Vec::with_capacity(question.documents.len());
        let mut odd = false;
        for (uri, json) in &question.documents {
            let mut contents = value(json).map_err(|error| format!("{uri}: {error}"))?;
            let draft = dialect(&contents);
            odd |= patterns::hand_over(&mut contents);
            documents.push((uri.as_str(), contents, draft));
        }
        let drafts: Vec<(&str, Draft)> = documents.iter().map(|(uri, _, draft)| (*uri, *draft)).collect();
        let resources = documents.into_iter().map(|(uri, contents, draft)| (uri, draft.create_resource(contents)));
        let nothing = Nothing::default();
        let registry = Registry::new()
            .retriever(nothing.clone())
            .retrieve_known_draft_meta_schemas(false)
            .extend(resources)
            .and_then(|builder| builder.prepare())
            .map_err(|error: ReferencingError| nothing.complete().err().unwrap_or_else(|| error.to_string()))?;
        let mut options = jsonschema::options();
        if question.assert_formats {
            for (name, check) in &*LATER {
                let check = check.clone();
                options = options.with_format(*name, move |text: &str| check.is_valid(&Value::String(text.to_owned())));
            }
        }
        let mut options = options
            .with_registry(&registry)
            .with_retriever(nothing.clone())
            .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS))
            .with_pattern_cache(patterns())
            .should_validate_formats(question.assert_formats)
            // Annotations for us, in every draft (draft-07 leaves the choice: validation, section 8.2).
            .without_content_media_type_support("application/json")
            .without_content_encoding_support("base64");
        let gave_up = Arc::new(AtomicBool::new(false));
        if odd {
            let gave_up = gave_up.clone();
            options = options.with_keyword(patterns::KEYWORD, move |_, value, _| {
                patterns::Ecma::new(value, &gave_up).map(|ecma| Box::new(ecma) as Box<dyn for<'i> Keyword<'i>>)
            });
        }
        let mut verdicts = Vec::with_capacity(question.count());
        let mut last: Option<(&str, Validator)> = None;
        for Asked { root, member, samples } in &question.asked {
            let validator = match last.take().filter(|(other, _)| other == root) {
                Some((_, validator)) => validator,
                None => {
                    let base = root.split('#').next().unwrap_or_default();
                    let draft = drafts.iter().find(|(uri, _)| *uri == base).map(|(_, draft)| *draft);
                    let draft = draft.ok_or_else(|| format!("{base} is not among the schemas of the question"))?;
                    options = options.with_draft(draft);
                    let validator = options.build(&serde_json::json!({ "$ref": root }));
                    nothing.complete()?;
                    validator.map_err(|error| error.to_string())?
                }
            };
            judge(&validator, *member, samples, &mut verdicts)?;
            last = Some((root, validator));
        }
        if gave_up.load(Ordering::Relaxed) {
            return Err("a pattern could take for ever".to_owned());
        }
        Ok(verdicts)
    }
}

/// Expressions that were made for earlier questions: contracts of one project share theirs. Nothing hangs on what is there.
fn patterns() -> PatternCache {
    static KEPT: Mutex<Option<(PatternCache, usize)>> = Mutex::new(None);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let (cache, questions) = kept.get_or_insert_with(|| (PatternCache::new(), 0));
    *questions += 1;
    if *questions > QUESTIONS {
        (*cache, *questions) = (PatternCache::new(), 0);
    }
    cache.clone()
}

/// Judges documents, in their order.
fn judge(
    validator: &Validator,
    member: Option<&str>,
    samples: &Samples,
    verdicts: &mut Vec<bool>,
) -> Result<(), String> {
    let mut bases = Vec::with_capacity(samples.bases.len());
    for base in &samples.bases {
        let document = value(&base.document).map_err(|error| error.to_string())?;
        bases.push(match member {
            Some(member) => Value::Object(Map::from_iter([(member.to_owned(), document)])),
            None => document,
        });
    }
    for candidate in &samples.candidates {
        let judged = bases.get_mut(candidate.base).ok_or_else(|| format!("there is no base {}", candidate.base))?;
        // Changed in place and back: a copy of each document would cost more than judging it.
        let mut undo = Vec::with_capacity(candidate.edits.len());
        if let Some(document) = inside(judged, member) {
            for edit in &candidate.edits {
                undo.push(changed(document, edit).map_err(|error| error.to_string())?);
            }
        }
        verdicts.push(validator.is_valid(judged));
        if let Some(document) = inside(judged, member) {
            let edits = candidate.edits.iter().rev();
            undo.into_iter().rev().zip(edits).for_each(|(undo, edit)| restore(document, edit, undo));
        }
    }
    Ok(())
}

/// The document within what is judged.
fn inside<'v>(judged: &'v mut Value, member: Option<&str>) -> Option<&'v mut Value> {
    match member {
        Some(member) => judged.as_object_mut()?.get_mut(member),
        None => Some(judged),
    }
}

/// What is wrong with a document: pointers into it, each with a sentence; nothing if it satisfies the schema. `format` counts.
///
/// # Errors
/// The schema does not compile: what is wrong with it.
pub fn objections(schema: &Value, document: &Value) -> Result<Vec<(String, String)>, String> {
    let draft = dialect(schema);
    let validator = jsonschema::options()
        .with_draft(draft)
        .with_retriever(Nothing::default())
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS))
        .should_validate_formats(true)
        .build(schema)
        .map_err(|error| error.to_string())?;
    let errors = validator.iter_errors(document);
    Ok(errors.map(|error| (error.instance_path().to_string(), error.to_string())).collect())
}

/// What an edit has replaced.
enum Undo {
    /// There was this value.
    Value(Value),
    /// There was nothing.
    Nothing,
    /// The place does not exist.
    Nowhere,
}

/// Does what [`Edit::apply`] does.
fn changed(document: &mut Value, edit: &Edit) -> Result<Undo, serde_json::Error> {
    let (Edit::Put(path, _) | Edit::Drop(path)) = edit;
    let new = match edit {
        Edit::Put(_, json) => Some(value(json)?),
        Edit::Drop(_) => None,
    };
    let Some((last, way)) = path.split_last() else {
        return Ok(new.map_or(Undo::Nowhere, |new| Undo::Value(std::mem::replace(document, new))));
    };
    Ok(match (found(document, way), last, new) {
        (Some(Value::Object(members)), Step::Name(name), Some(new)) => {
            members.insert(owned(name), new).map_or(Undo::Nothing, Undo::Value)
        }
        (Some(Value::Object(members)), Step::Name(name), None) => {
            members.remove(&**name).map_or(Undo::Nowhere, Undo::Value)
        }
        (Some(Value::Array(items)), Step::Index(index), Some(new)) => match items.get_mut(*index) {
            Some(item) => Undo::Value(std::mem::replace(item, new)),
            None => Undo::Nowhere,
        },
        _ => Undo::Nowhere,
    })
}

fn restore(document: &mut Value, edit: &Edit, undo: Undo) {
    let (Edit::Put(path, _) | Edit::Drop(path)) = edit;
    let old = match undo {
        Undo::Nowhere => return,
        Undo::Nothing => None,
        Undo::Value(old) => Some(old),
    };
    let Some((last, way)) = path.split_last() else {
        if let Some(old) = old {
            *document = old;
        }
        return;
    };
    match (found(document, way), last, old) {
        (Some(Value::Object(members)), Step::Name(name), Some(old)) => drop(members.insert(owned(name), old)),
        (Some(Value::Object(members)), Step::Name(name), None) => drop(members.remove(&**name)),
        (Some(Value::Array(items)), Step::Index(index), Some(old)) => {
            if let Some(item) = items.get_mut(*index) {
                *item = old;
            }
        }
        _ => {}
    }
}

fn found<'v>(document: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(document, |value, step| match (value, step) {
        (Value::Object(members), Step::Name(name)) => members.get_mut(&**name),
        (Value::Array(items), Step::Index(index)) => items.get_mut(*index),
        _ => None,
    })
}

/// A value as the engine has it. A number that it cannot hold is an error.
fn value(json: &Json) -> Result<Value, serde_json::Error> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(yes) => Value::Bool(*yes),
        Json::Number(number) => match number.text() {
            // Most are short, and need no parser. (Zero may have a sign.)
            text if text.len() < 18 && text != "-0" => match text.parse::<i64>() {
                Ok(whole) => Value::from(whole),
                Err(_) => serde_json::from_str(text)?,
            },
            text => serde_json::from_str(text)?,
        },
        Json::String(text) => Value::String(owned(text)),
        Json::Array(items) => Value::Array(items.iter().map(value).collect::<Result<_, _>>()?),
        Json::Object(members) => {
            let members = members.iter().map(|(name, json)| Ok((owned(name), value(json)?)));
            Value::Object(members.collect::<Result<Map<String, Value>, serde_json::Error>>()?)
        }
    })
}

/// `to_string` would go through a formatter.
fn owned(text: &str) -> String {
    text.to_owned()
}

/// The draft that a schema names; 2020-12 without a name, or with one that nobody knows.
fn dialect(schema: &Value) -> Draft {
    match Draft::Draft202012.detect(schema) {
        Draft::Unknown => Draft::Draft202012,
        draft => draft,
    }
}

#[cfg(test)]
mod tests {
    use omnigen_ir::samples::Candidate;

    use super::*;

    fn ask(documents: &[(&str, &str)], formats: bool, instances: &[&str]) -> Result<Vec<bool>, String> {
        let samples = Samples::of(instances.iter().map(|text| json(text)));
        Oracle.verdicts(&Question {
            documents: documents.iter().map(|(uri, text)| ((*uri).to_owned(), json(text))).collect(),
            assert_formats: formats,
            asked: vec![Asked { root: documents[0].0.to_owned(), member: None, samples: &samples }],
        })
    }

    fn json(text: &str) -> Json {
        fn from(value: &Value) -> Json {
            match value {
                Value::Null => Json::Null,
                Value::Bool(yes) => Json::Bool(*yes),
                Value::Number(number) => Json::Number(omnigen_ir::Number::new(&number.to_string()).expect("a number")),
                Value::String(text) => Json::String(text.as_str().into()),
                Value::Array(items) => Json::Array(items.iter().map(from).collect()),
                Value::Object(members) => {
                    Json::Object(members.iter().map(|(name, value)| (name.as_str().into(), from(value))).collect())
                }
            }
        }
        from(&serde_json::from_str(text).expect("JSON"))
    }

    #[test]
    fn another_release_of_the_crate_is_another_judge() {
        let lock = include_str!("../../../Cargo.lock");
        let (_, rest) = lock.split_once("name = \"jsonschema\"\nversion = \"").expect("the crate");
        let version = rest.split('"').next().unwrap_or_default();
        assert!(IDENTITY.starts_with(&format!("jsonschema {version}/")), "{version}");
    }

    #[test]
    fn the_dialect_decides() {
        // In draft-07 nothing stands beside a reference; in 2020-12 it does.
        let body = r##""$ref": "#/definitions/a", "maximum": 5, "definitions": {"a": {"type": "integer"}}}"##;
        let old = format!(r#"{{"$schema": "http://json-schema.org/draft-07/schema#", {body}"#);
        let new = format!(r#"{{"$schema": "https://json-schema.org/draft/2020-12/schema", {body}"#);
        let none = format!("{{{body}");
        let strange = format!(r#"{{"$schema": "https://example.com/nobody", {body}"#);
        for (text, expected) in [(&old, true), (&new, false), (&none, false), (&strange, false)] {
            assert_eq!(
                ask(&[("file:///a.json", text)], false, &["9", "1", "null"]),
                Ok(vec![expected, true, false]),
                "{text}"
            );
        }
    }

    #[test]
    fn references_lead_across_documents_and_drafts() {
        let root = r#"{"items": {"$ref": "sub/b.json#/$defs/pair"}}"#;
        let other = r#"{"$schema": "http://json-schema.org/draft-07/schema#", "$defs": {
            "pair": {"items": [{"type": "null"}], "additionalItems": false}}}"#;
        let both = [("file:///c/a.json", root), ("file:///c/sub/b.json", other)];
        assert_eq!(ask(&both, false, &["[[null]]", "[[null, 1]]", "[[1]]"]), Ok(vec![true, false, false]));
        let named = r##"{"$id": "https://example.com/real.json", "$ref": "#/$defs/a", "$defs": {"a": {"const": 1}}}"##;
        assert_eq!(ask(&[("file:///a.json", named)], false, &["1", "2"]), Ok(vec![true, false]));
    }

    #[test]
    fn objections_point_into_the_document() {
        let schema = serde_json::json!({ "properties": { "a": { "items": { "type": "string" } } }, "required": ["b"] });
        let told = objections(&schema, &serde_json::json!({ "a": ["x", 1] })).expect("a schema");
        let places: Vec<&str> = told.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert!(places.contains(&"/a/1") && places.contains(&"") && places.len() == 2, "{told:?}");
        assert_eq!(objections(&schema, &serde_json::json!({ "b": 1 })), Ok(Vec::new()));
        assert!(objections(&serde_json::json!({ "type": 1 }), &Value::Null).is_err());
    }

    #[test]
    fn nothing_is_fetched() {
        for text in [
            r#"{"$ref": "https://example.com/x.json"}"#,
            r##"{"$ref": "#/$defs/nowhere"}"##,
            r#"{"$ref": "other.json"}"#,
        ] {
            let answer = ask(&[("file:///a.json", text)], false, &["1"]);
            assert!(answer.is_err(), "{text}: {answer:?}");
        }
    }

    #[test]
    fn what_is_no_schema_is_an_error() {
        assert!(ask(&[("file:///a.json", r#"{"type": "objec"}"#)], false, &["1"]).is_err());
    }

    #[test]
    fn a_change_is_undone_before_the_next() {
        let schema = r#"{"required": ["a"], "maxProperties": 2, "properties": {"a": {"items": {"type": "null"}}}}"#;
        let name = |name: &str| Step::Name(name.into());
        let put = |path: &[Step], to: &str| Edit::Put(path.to_vec(), json(to));
        let a = [name("a")];
        let instances = [
            vec![],
            vec![Edit::Drop(a.to_vec())],
            vec![put(&[name("a"), Step::Index(0)], "1")],
            vec![put(&[name("c")], "1")],
            vec![Edit::Drop(vec![name("b")]), put(&[name("c")], "1")],
            vec![put(&[], "[]")],
            vec![put(&[name("b"), name("c")], "1"), Edit::Drop(vec![name("x")])],
            vec![],
        ];
        let mut samples = Samples::of([json(r#"{"a": [null], "b": 1}"#)]);
        let template = samples.candidates[0].clone();
        samples.candidates =
            instances.iter().map(|edits| Candidate { edits: edits.clone(), ..template.clone() }).collect();
        let choice = r#"{"properties": {"it": {"$ref": "file:///a.json"}}, "required": ["it"]}"#;
        let documents = [("file:///a.json", schema), ("urn:choice", choice)];
        fn question<'a>(documents: &[(&str, &str)], asked: Vec<Asked<'a>>) -> Question<'a> {
            let documents = documents.iter().map(|(uri, text)| ((*uri).to_owned(), json(text))).collect();
            Question { documents, assert_formats: false, asked }
        }
        let alone = Asked { root: "file:///a.json".to_owned(), member: None, samples: &samples };
        let within = Asked { root: "urn:choice".to_owned(), member: Some("it"), samples: &samples };
        let expected = vec![true, false, false, false, true, true, true, true];
        assert_eq!(Oracle.verdicts(&question(&documents, vec![alone.clone()])), Ok(expected.clone()));
        // Several schemas in one question; documents within others.
        assert_eq!(
            Oracle.verdicts(&question(&documents, vec![alone, within])),
            Ok([expected.clone(), expected.clone()].concat())
        );
        // The same as on whole documents.
        for (candidate, expected) in samples.candidates.iter().zip(expected) {
            let whole = Samples::of([samples.document(candidate)]);
            let one = Asked { root: "file:///a.json".to_owned(), member: None, samples: &whole };
            assert_eq!(Oracle.verdicts(&question(&documents, vec![one])), Ok(vec![expected]), "{candidate:?}");
        }
    }

    #[test]
    fn formats_are_asserted_only_when_asked() {
        for schema in
            [r#"{"format": "date"}"#, r#"{"$schema": "http://json-schema.org/draft-07/schema#", "format": "date"}"#]
        {
            let instances = [r#""2023-02-29""#, r#""2024-02-29""#];
            assert_eq!(ask(&[("file:///a.json", schema)], false, &instances), Ok(vec![true, true]));
            assert_eq!(ask(&[("file:///a.json", schema)], true, &instances), Ok(vec![false, true]));
        }
    }

    #[test]
    fn formats_that_a_draft_does_not_name_are_asserted_as_well() {
        for (format, bad, good) in [
            ("uuid", "123e4567-e89b-12d3-a456-42661417400", "123e4567-e89b-12d3-a456-426614174000"),
            ("duration", "1 day", "P1D"),
            ("iri", "http://[bad", "http://é.example/"),
            ("iri-reference", "http://[bad", "é"),
            ("uri-reference", "http://[bad", "a/b"),
            ("uri-template", "{open", "{closed}"),
            ("json-pointer", "a/b", "/a/b"),
            ("relative-json-pointer", "/a", "1/a"),
        ] {
            for draft in ["http://json-schema.org/draft-04/schema#", "https://json-schema.org/draft/2020-12/schema"] {
                let schema = format!(r#"{{"$schema": "{draft}", "format": "{format}"}}"#);
                let instances = [format!("{bad:?}"), format!("{good:?}"), "1".to_owned()];
                let instances: Vec<&str> = instances.iter().map(String::as_str).collect();
                assert_eq!(
                    ask(&[("file:///a.json", &schema)], true, &instances),
                    Ok(vec![false, true, true]),
                    "{schema}"
                );
            }
        }
    }

    #[test]
    fn patterns_mean_what_ecma_262_says() {
        for (pattern, valid, invalid) in [
            ("^[^]$", "\n", ""),
            ("^(?:[]|b)$", "b", "a"),
            (r"^(?<q>[ab])x\k<q>$", "axa", "axb"),
            (r"^(a)?\1b$", "b", "ab"),
            (r"^(?!(a)c)\1b$", "b", "ab"),
            (r"^\cA$", "\u{1}", "A"),
            (r"^\ud83d\ude00$", "\u{1f600}", "x"),
            (r"^\z\A$", "zA", ""),
            (r"^(?=\d)\w$", "1", "٣"),
            (r"\bé", "aé", "é"),
            ("^a{,2}$", "a{,2}", "aa"),
            (r"^[\b]$", "\u{8}", "b"),
            ("^[[a]$", "[", "]"),
        ] {
            for schema in [
                serde_json::json!({ "pattern": pattern }),
                serde_json::json!({ "$ref": "#/$defs/x", "$defs": { "x": { "allOf": [{ "pattern": pattern }] } } }),
            ] {
                let instances = [valid, invalid].map(|text| serde_json::json!(text).to_string());
                let instances: Vec<&str> = instances.iter().map(String::as_str).collect();
                let answer = ask(&[("file:///a.json", &schema.to_string())], false, &instances);
                assert_eq!(answer, Ok(vec![true, false]), "{pattern}");
            }
        }
        let endless = r#"{"pattern": "^(a+)+[^]$"}"#;
        assert!(ask(&[("file:///a.json", endless)], false, &[&format!("\"{}\"", "a".repeat(60))]).is_err());
    }

    #[test]
    fn content_is_not_looked_into() {
        let schema = r#"{"$schema": "http://json-schema.org/draft-07/schema#", 
            "contentMediaType": "application/json", "contentEncoding": "base64"}"#;
        assert_eq!(ask(&[("file:///a.json", schema)], true, &[r#""%""#]), Ok(vec![true]));
    }

    #[test]
    fn decimals_are_exact_and_catastrophic_patterns_end() {
        assert_eq!(
            ask(&[("file:///a.json", r#"{"multipleOf": 0.01}"#)], false, &["1.13", "4.35", "1.005"]),
            Ok(vec![true, true, false])
        );
        let slow = r#"{"pattern": "^(?=a)(a+)+$"}"#;
        let text = format!("\"{}!\"", "a".repeat(60));
        assert_eq!(ask(&[("file:///a.json", slow)], false, &[&text]), Ok(vec![false]));
    }
}
