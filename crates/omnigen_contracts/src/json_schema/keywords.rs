//! The vocabulary of JSON Schema: which keywords exist, in which drafts, and what kind of value holds subschemas.

use omnigen_report::nearest;

/// Drafts of the specification, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) draft: Draft,
    /// `$schema` says so. If not, older spellings are understood as well where they are unambiguous.
    pub(crate) stated: bool,
}

impl Dialect {
    /// Without `$schema`.
    pub(crate) const UNSTATED: Dialect = Dialect { draft: Draft::D2020, stated: false };

    /// The dialect that a `$schema` names.
    pub(crate) fn named(uri: &str) -> Option<Dialect> {
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
        Some(Dialect { draft, stated: true })
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

    /// Does `dependencies` assert?
    pub(crate) fn dependencies(self) -> bool {
        self.up_to(Draft::D07)
    }

    /// May the exclusive limits be booleans?
    pub(crate) fn boolean_limits(self) -> bool {
        self.up_to(Draft::D04)
    }

    /// The draft in which a keyword came, if that is later than this one.
    pub(crate) fn too_new(self, keyword: &str) -> Option<Draft> {
        let since = match keyword {
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
        // Draft-04 and -06 are read as draft-07.
        (self.stated && self.draft < since).then_some(since)
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
