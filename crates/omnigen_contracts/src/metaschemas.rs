//! The metaschemas of all drafts, as published at json-schema.org: known without a mirror.

/// URI (without fragment) and text.
const ALL: &[(&str, &str)] = &[
    ("https://json-schema.org/draft-04/schema", include_str!("../metaschemas/draft-04.json")),
    ("https://json-schema.org/draft-06/schema", include_str!("../metaschemas/draft-06.json")),
    ("https://json-schema.org/draft-07/schema", include_str!("../metaschemas/draft-07.json")),
    ("https://json-schema.org/draft/2019-09/schema", include_str!("../metaschemas/2019-09/schema.json")),
    ("https://json-schema.org/draft/2019-09/meta/applicator", include_str!("../metaschemas/2019-09/applicator.json")),
    ("https://json-schema.org/draft/2019-09/meta/content", include_str!("../metaschemas/2019-09/content.json")),
    ("https://json-schema.org/draft/2019-09/meta/core", include_str!("../metaschemas/2019-09/core.json")),
    ("https://json-schema.org/draft/2019-09/meta/format", include_str!("../metaschemas/2019-09/format.json")),
    ("https://json-schema.org/draft/2019-09/meta/meta-data", include_str!("../metaschemas/2019-09/meta-data.json")),
    ("https://json-schema.org/draft/2019-09/meta/validation", include_str!("../metaschemas/2019-09/validation.json")),
    ("https://json-schema.org/draft/2020-12/schema", include_str!("../metaschemas/2020-12/schema.json")),
    ("https://json-schema.org/draft/2020-12/meta/applicator", include_str!("../metaschemas/2020-12/applicator.json")),
    ("https://json-schema.org/draft/2020-12/meta/content", include_str!("../metaschemas/2020-12/content.json")),
    ("https://json-schema.org/draft/2020-12/meta/core", include_str!("../metaschemas/2020-12/core.json")),
    (
        "https://json-schema.org/draft/2020-12/meta/format-annotation",
        include_str!("../metaschemas/2020-12/format-annotation.json"),
    ),
    (
        "https://json-schema.org/draft/2020-12/meta/format-assertion",
        include_str!("../metaschemas/2020-12/format-assertion.json"),
    ),
    ("https://json-schema.org/draft/2020-12/meta/meta-data", include_str!("../metaschemas/2020-12/meta-data.json")),
    ("https://json-schema.org/draft/2020-12/meta/unevaluated", include_str!("../metaschemas/2020-12/unevaluated.json")),
    ("https://json-schema.org/draft/2020-12/meta/validation", include_str!("../metaschemas/2020-12/validation.json")),
];

/// All of them: `https` URI without fragment, and text.
pub fn metaschemas() -> &'static [(&'static str, &'static str)] {
    ALL
}

/// The `https` URI of the metaschema that a URI names, be it by `http` or `https`.
pub fn metaschema(uri: &str) -> Option<&'static str> {
    let rest = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://"))?;
    ALL.iter().map(|(known, _)| *known).find(|known| known.strip_prefix("https://") == Some(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_read_without_a_finding() {
        for (uri, text) in metaschemas() {
            let declared = crate::declarations(&(*uri).into(), text);
            assert!(declared.diagnostics.is_empty(), "{uri}: {:?}", declared.diagnostics);
            let id = &declared.ids.first().expect("an identifier").0;
            assert_eq!(metaschema(id), Some(*uri));
        }
        assert_eq!(
            metaschema("http://json-schema.org/draft-07/schema"),
            Some("https://json-schema.org/draft-07/schema")
        );
        assert_eq!(metaschema("http://json-schema.org/draft-08/schema"), None);
    }
}
