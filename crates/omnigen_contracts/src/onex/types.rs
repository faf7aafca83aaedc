//! What the names of types in ONEX contracts mean, as JSON Schema.

/// The meaning of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A type of JSON.
    Plain(&'static str),
    /// A string of a format.
    Format(&'static str),
    /// A list; of what is said by arguments or `items`.
    List,
    /// A map; of what is said by arguments, `value_type` or `additionalProperties`.
    Map,
    /// Everything.
    Any,
    /// Nothing but null.
    Null,
    /// The values stand elsewhere.
    Enum,
    /// The name stands in `ref`.
    Reference,
    /// `Optional[X]`
    Optional,
    /// `Union[X, Y]`
    Union,
    /// `Annotated[X, …]`: the first argument counts.
    First,
}

/// Names and their meanings. Spelled in lower case they are found however they are written, those with a capital only so.
const NAMES: &[(&str, Meaning)] = &[
    ("str", Meaning::Plain("string")),
    ("string", Meaning::Plain("string")),
    ("text", Meaning::Plain("string")),
    ("bytes", Meaning::Plain("string")),
    ("path", Meaning::Plain("string")),
    ("semver", Meaning::Plain("string")),
    ("int", Meaning::Plain("integer")),
    ("integer", Meaning::Plain("integer")),
    ("long", Meaning::Plain("integer")),
    ("float", Meaning::Plain("number")),
    ("double", Meaning::Plain("number")),
    ("number", Meaning::Plain("number")),
    ("decimal", Meaning::Plain("number")),
    ("bool", Meaning::Plain("boolean")),
    ("boolean", Meaning::Plain("boolean")),
    ("uuid", Meaning::Format("uuid")),
    ("uuid4", Meaning::Format("uuid")),
    ("datetime", Meaning::Format("date-time")),
    ("date-time", Meaning::Format("date-time")),
    ("timestamp", Meaning::Format("date-time")),
    ("date", Meaning::Format("date")),
    ("time", Meaning::Format("time")),
    ("timedelta", Meaning::Format("duration")),
    ("duration", Meaning::Format("duration")),
    ("url", Meaning::Format("uri")),
    ("uri", Meaning::Format("uri")),
    ("HttpUrl", Meaning::Format("uri")),
    ("AnyUrl", Meaning::Format("uri")),
    ("email", Meaning::Format("email")),
    ("list", Meaning::List),
    ("array", Meaning::List),
    ("tuple", Meaning::List),
    ("set", Meaning::List),
    ("frozenset", Meaning::List),
    ("sequence", Meaning::List),
    ("iterable", Meaning::List),
    ("collection", Meaning::List),
    ("dict", Meaning::Map),
    ("dictionary", Meaning::Map),
    ("map", Meaning::Map),
    ("mapping", Meaning::Map),
    ("object", Meaning::Map),
    ("any", Meaning::Any),
    ("JsonType", Meaning::Any),
    ("JsonValue", Meaning::Any),
    ("json", Meaning::Any),
    ("null", Meaning::Null),
    ("none", Meaning::Null),
    ("nonetype", Meaning::Null),
    ("enum", Meaning::Enum),
    ("ref", Meaning::Reference),
    ("reference", Meaning::Reference),
    ("Optional", Meaning::Optional),
    ("Union", Meaning::Union),
    ("Annotated", Meaning::First),
    ("Final", Meaning::First),
];

/// What a name means, if it is no class.
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    let bare = name.strip_prefix("typing.").or_else(|| name.strip_prefix("builtins.")).unwrap_or(name);
    let bare = match bare {
        "datetime.datetime" => "datetime",
        "datetime.date" => "date",
        "uuid.UUID" => "uuid",
        "pathlib.Path" => "path",
        "decimal.Decimal" => "decimal",
        bare => bare,
    };
    let lower = bare.to_ascii_lowercase();
    NAMES.iter().find(|(known, _)| *known == bare || *known == lower).map(|(_, meaning)| *meaning)
}

/// Is it the name of a type?
pub(super) fn is_known(name: &str) -> bool {
    meaning(name).is_some()
}

/// The name that a misspelled one was probably meant to be.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let most = if lower.len() < 5 { 1 } else { 2 };
    let usual = ["string", "integer", "number", "boolean", "object", "array", "float", "datetime"];
    omnigen_report::nearest(&lower, usual.into_iter(), most)
        .or_else(|| omnigen_report::nearest(&lower, NAMES.iter().map(|(known, _)| *known), 1))
}

/// Does the text look like the name of a class, rather than a misspelled type?
pub(super) fn is_class(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.starts_with(char::is_uppercase) || name.contains('.')
}
