//! Is this document valid? An independent answer, for generated tests: the `jsonschema` crate, the slow compile, alone
//! here.
//!
//! Knows nothing of our own reading of schemas: it gets the contracts as JSON text. Never reaches a network or a file:
//! what is not among the documents of a question is an error.

use jsonschema::{Draft, PatternOptions, ReferencingError, Registry, Retrieve, Uri};
use omnigen_ir::{Judge, Question};
use serde_json::Value;

/// Backtracking steps of one match of one pattern; a catastrophic one then counts as no match.
const BACKTRACKS: usize = 200_000;

/// The judge that asks the `jsonschema` crate. A schema without `$schema` is read as 2020-12.
#[derive(Clone, Copy, Debug, Default)]
pub struct Oracle;

/// Retrieves nothing.
struct Nothing;

impl Retrieve for Nothing {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("{uri} is not among the schemas of the question").into())
    }
}

impl Judge for Oracle {
    fn verdicts(&self, question: &Question) -> Result<Vec<bool>, String> {
        let mut documents = Vec::with_capacity(question.documents.len());
        for (uri, text) in &question.documents {
            let contents = parsed(text).map_err(|error| format!("{uri}: {error}"))?;
            let draft = dialect(&contents);
            documents.push((uri.as_str(), contents, draft));
        }
        let base = question.root.split('#').next().unwrap_or_default();
        let draft = documents
            .iter()
            .find(|(uri, ..)| *uri == base)
            .map(|(_, _, draft)| *draft)
            .ok_or_else(|| format!("{base} is not among the schemas of the question"))?;
        let resources = documents.into_iter().map(|(uri, contents, draft)| (uri, draft.create_resource(contents)));
        let registry = Registry::new()
            .retriever(Nothing)
            .retrieve_known_draft_meta_schemas(false)
            .extend(resources)
            .and_then(|builder| builder.prepare())
            .map_err(|error: ReferencingError| error.to_string())?;
        let validator = jsonschema::options()
            .with_draft(draft)
            .with_registry(&registry)
            .with_retriever(Nothing)
            .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS))
            .should_validate_formats(question.assert_formats)
            // Annotations for us, in every draft (draft-07 leaves the choice: validation, section 8.2).
            .without_content_media_type_support("application/json")
            .without_content_encoding_support("base64")
            .build(&serde_json::json!({ "$ref": question.root }))
            .map_err(|error| error.to_string())?;
        question
            .instances
            .iter()
            .map(|text| parsed(text).map(|instance| validator.is_valid(&instance)).map_err(|error| error.to_string()))
            .collect()
    }
}

/// The draft that a schema names; 2020-12 without a name, or with one that nobody knows.
fn dialect(schema: &Value) -> Draft {
    match Draft::Draft202012.detect(schema) {
        Draft::Unknown => Draft::Draft202012,
        draft => draft,
    }
}

fn parsed(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(documents: &[(&str, &str)], formats: bool, instances: &[&str]) -> Result<Vec<bool>, String> {
        Oracle.verdicts(&Question {
            root: documents[0].0.to_owned(),
            documents: documents.iter().map(|(uri, text)| ((*uri).to_owned(), (*text).to_owned())).collect(),
            assert_formats: formats,
            instances: instances.iter().map(|text| (*text).to_owned()).collect(),
        })
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
    fn what_is_no_schema_or_no_json_is_an_error() {
        assert!(ask(&[("file:///a.json", r#"{"type": "objec"}"#)], false, &["1"]).is_err());
        assert!(ask(&[("file:///a.json", "{")], false, &["1"]).is_err());
        assert!(ask(&[("file:///a.json", "{}")], false, &["{"]).is_err());
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
