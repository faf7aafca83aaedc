//! The vocabulary of JSON Schema: which keywords exist, in which drafts, and what kind of value holds subschemas.

use omnigen_report::nearest;

/// Drafts of the specification, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Draft {
    /// The subset that OpenAPI 3.0 takes from the draft before draft-04's successor (3.0.3, section 4.7.24), where it
    /// differs from draft-04.
    OpenApi30,
    D04,
    D06,
    D07,
    D2019,
    D2020,
}

impl Draft {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Draft::OpenApi30 => "OpenAPI 3.0",
            Draft::D04 => "draft-04",
            Draft::D06 => "draft-06",
            Draft::D07 => "draft-07",
            Draft::D2019 => "draft 2019-09",
            Draft::D2020 => "draft 2020-12",
        }
    }
}

/// How a schema resource is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dialect {
    pub(crate) draft: Draft,
    /// `$schema` says so. If not, older spellings are understood as well where they are unambiguous.
    pub(crate) stated: bool,
    /// Vocabularies that its metaschema leaves out (2020-12 core, section 8.1.2), and whether it asserts formats.
    vocabularies: Vocabularies,
}

/// What a metaschema with `$vocabulary` makes of its draft.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Vocabularies {
    no_applicators: bool,
    no_validation: bool,
    no_unevaluated: bool,
    asserts_formats: bool,
}

/// Short names of the drafts, oldest first.
pub const DRAFTS: [&str; 5] = ["draft-04", "draft-06", "draft-07", "2019-09", "2020-12"];

impl Dialect {
    /// Without `$schema`.
    pub const UNSTATED: Dialect = Dialect::new(Draft::D2020, false);

    pub(crate) const fn new(draft: Draft, stated: bool) -> Dialect {
        let vocabularies =
            Vocabularies { no_applicators: false, no_validation: false, no_unevaluated: false, asserts_formats: false };
        Dialect { draft, stated, vocabularies }
    }

    /// The dialect that a `$schema` names, by `http` or `https`, with an empty fragment or none.
    pub fn named(uri: &str) -> Option<Dialect> {
        let uri = uri.strip_suffix('#').unwrap_or(uri);
        let rest = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://"))?;
        let draft = match rest.strip_prefix("json-schema.org/")? {
            "draft-04/schema" => Draft::D04,
            "draft-06/schema" => Draft::D06,
            "draft-07/schema" => Draft::D07,
            "draft/2019-09/schema" => Draft::D2019,
            "draft/2020-12/schema" => Draft::D2020,
            _ => return None,
        };
        Some(Dialect::new(draft, true))
    }

    /// The dialect of a draft by its short name, one of [`DRAFTS`].
    pub fn draft(name: &str) -> Option<Dialect> {
        let draft = match name {
            "draft-04" => Draft::D04,
            "draft-06" => Draft::D06,
            "draft-07" => Draft::D07,
            "2019-09" => Draft::D2019,
            "2020-12" => Draft::D2020,
            _ => return None,
        };
        Some(Dialect::new(draft, true))
    }

    /// The dialect of schemas whose metaschema is in the dialect `base` and has this `$vocabulary`.
    ///
    /// # Errors
    /// The vocabulary that is required and that nobody here knows.
    pub fn custom(base: Dialect, vocabulary: Option<&[(Box<str>, bool)]>) -> Result<Dialect, Box<str>> {
        let mut dialect = Dialect { stated: true, ..base };
        // Earlier drafts have no vocabularies.
        let Some(list) = vocabulary.filter(|_| base.draft >= Draft::D2019) else { return Ok(dialect) };
        let draft = if base.draft == Draft::D2019 { "2019-09" } else { "2020-12" };
        let folder = format!("https://json-schema.org/draft/{draft}/vocab/");
        let mut listed = Vec::with_capacity(list.len());
        for (uri, required) in list {
            let name = uri.strip_prefix(&*folder).unwrap_or_default();
            let known = match name {
                "core" | "applicator" | "validation" | "meta-data" | "content" => true,
                "format" => base.draft == Draft::D2019,
                "unevaluated" | "format-annotation" | "format-assertion" => base.draft == Draft::D2020,
                _ => false,
            };
            if !known && *required {
                return Err(uri.clone());
            }
            listed.push((name, *required));
        }
        let has = |name: &str| listed.iter().any(|(listed, _)| *listed == name);
        dialect.vocabularies = Vocabularies {
            no_applicators: !has("applicator"),
            no_validation: !has("validation"),
            // 2019-09 has these among the applicators.
            no_unevaluated: if base.draft == Draft::D2019 { !has("applicator") } else { !has("unevaluated") },
            // In 2019-09 `true` asks for assertions (validation, section 7.2); later they have a vocabulary of their own.
            asserts_formats: has("format-assertion") || listed.contains(&("format", true)),
        };
        Ok(dialect)
    }

    /// The draft that it is, or is made from: the URI of its metaschema.
    pub fn draft_uri(self) -> &'static str {
        match self.draft {
            Draft::OpenApi30 | Draft::D04 => "http://json-schema.org/draft-04/schema#",
            Draft::D06 => "http://json-schema.org/draft-06/schema#",
            Draft::D07 => "http://json-schema.org/draft-07/schema#",
            Draft::D2019 => "https://json-schema.org/draft/2019-09/schema",
            Draft::D2020 => "https://json-schema.org/draft/2020-12/schema",
        }
    }

    /// Has it all of its draft's vocabularies, with formats as annotations?
    pub fn is_whole(self) -> bool {
        let Vocabularies { no_applicators, no_validation, no_unevaluated, asserts_formats } = self.vocabularies;
        !(no_applicators || no_validation || no_unevaluated || asserts_formats)
    }

    /// Does it assert formats?
    pub(crate) fn asserts_formats(self) -> bool {
        self.vocabularies.asserts_formats
    }

    /// Does its metaschema leave out the vocabulary of a keyword?
    pub(crate) fn leaves_out(self, keyword: &str) -> bool {
        if self.is_whole() {
            return false;
        }
        let Vocabularies { no_applicators, no_validation, no_unevaluated, asserts_formats: _ } = self.vocabularies;
        match keyword {
            "unevaluatedProperties" | "unevaluatedItems" => no_unevaluated,
            "additionalProperties"
            | "additionalItems"
            | "allOf"
            | "anyOf"
            | "oneOf"
            | "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "dependentSchemas"
            | "items"
            | "prefixItems"
            | "patternProperties"
            | "properties"
            | "propertyNames"
            | "dependencies" => no_applicators,
            "type" | "enum" | "const" | "multipleOf" | "maximum" | "minimum" | "exclusiveMaximum"
            | "exclusiveMinimum" | "maxLength" | "minLength" | "pattern" | "maxItems" | "minItems" | "uniqueItems"
            | "maxContains" | "minContains" | "maxProperties" | "minProperties" | "required" | "dependentRequired" => {
                no_validation
            }
            _ => false,
        }
    }

    fn up_to(self, draft: Draft) -> bool {
        !self.stated || self.draft <= draft
    }

    /// Does `$ref` stand alone (draft-07 core, section 8.3)?
    pub(crate) fn reference_alone(self) -> bool {
        self.stated && self.draft <= Draft::D07
    }

    /// The keyword that names a schema.
    pub(crate) fn id(self) -> &'static str {
        if self.draft == Draft::D04 { "id" } else { "$id" }
    }

    /// Is `$id: "#name"` an anchor?
    pub(crate) fn id_is_anchor(self) -> bool {
        self.up_to(Draft::D07)
    }

    /// May `items` be an array?
    pub(crate) fn array_items(self) -> bool {
        self.up_to(Draft::D2019)
    }

    /// May the exclusive limits be booleans?
    pub(crate) fn boolean_limits(self) -> bool {
        self.up_to(Draft::D04)
    }

    /// The draft in which a keyword came, if that is later than this one.
    pub(crate) fn too_new(self, keyword: &str) -> Option<Draft> {
        if !self.stated || self.draft == Draft::D2020 {
            return None;
        }
        let since = match keyword {
            "const" | "contains" | "propertyNames" => Draft::D06,
            "if" | "then" | "else" => Draft::D07,
            "$anchor"
            | "dependentRequired"
            | "dependentSchemas"
            | "minContains"
            | "maxContains"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "$recursiveRef"
            | "$recursiveAnchor" => Draft::D2019,
            "prefixItems" | "$dynamicRef" | "$dynamicAnchor" => Draft::D2020,
            _ => return None,
        };
        (self.draft < since).then_some(since)
    }

    /// The draft since which a keyword means nothing any more, if that is not later than this one.
    pub(crate) fn too_old(self, keyword: &str) -> Option<Draft> {
        let until = match keyword {
            "$recursiveRef" | "$recursiveAnchor" | "additionalItems" => Draft::D2020,
            _ => return None,
        };
        (self.stated && self.draft >= until).then_some(until)
    }

    /// Does `contains` evaluate the items that match (2020-12 core, section 10.3.1.3)?
    pub(crate) fn contains_evaluates(self) -> bool {
        self.draft >= Draft::D2020
    }

    /// Has `false` as a schema a meaning, and `true`? Draft-04 has objects only.
    pub(crate) fn boolean_schemas(self) -> bool {
        self.draft != Draft::D04
    }
}

/// How subschemas stand under a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A schema.
    One,
    /// An array of schemas.
    List,
    /// An object whose members are schemas.
    Map,
    /// `items`: a schema or an array of schemas.
    OneOrList,
    /// `dependencies`: an object whose members are schemas or lists of names.
    MapOrNames,
}

/// How subschemas stand under a keyword; `None` if it holds none.
pub(crate) fn shape(keyword: &str) -> Option<Shape> {
    Some(match keyword {
        "additionalItems"
        | "additionalProperties"
        | "contains"
        | "else"
        | "if"
        | "not"
        | "propertyNames"
        | "then"
        | "unevaluatedItems"
        | "unevaluatedProperties"
        | "contentSchema" => Shape::One,
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => Shape::List,
        "$defs" | "definitions" | "dependentSchemas" | "patternProperties" | "properties" => Shape::Map,
        "items" => Shape::OneOrList,
        "dependencies" => Shape::MapOrNames,
        _ => return None,
    })
}

/// Every keyword of every draft, for suggestions.
pub(crate) const ALL: &[&str] = &[
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$recursiveAnchor",
    "$recursiveRef",
    "$ref",
    "$schema",
    "$vocabulary",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "deprecated",
    "description",
    "else",
    "enum",
    "example",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "readOnly",
    "required",
    "then",
    "title",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
    "writeOnly",
];

/// Is it a keyword of some draft?
pub(crate) fn is_known(name: &str) -> bool {
    ALL.contains(&name)
}

/// The keyword that a name was probably meant to be.
pub(crate) fn meant(name: &str) -> Option<&'static str> {
    // Short names are close to each other by chance.
    let most = match name.len() {
        0..=3 => return None,
        4..=7 => 1,
        _ => 2,
    };
    if let Some(keyword) = ALL.iter().find(|keyword| keyword.eq_ignore_ascii_case(name)) {
        return Some(keyword);
    }
    nearest(name, ALL.iter().copied(), most)
}
