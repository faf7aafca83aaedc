//! Checks of `format`, embedded where they are asserted (2020-12 validation, section 7.3). Each is a function of a string.

/// A format that is checked.
pub(super) struct Format {
    /// As contracts call it.
    pub(super) name: &'static str,
    /// The function that checks it.
    pub(super) function: &'static str,
    /// Functions that the check needs, before it.
    needs: &'static [&'static str],
    /// Its text; empty if another one does the work.
    text: &'static str,
}

/// The check for a format.
pub(super) fn find(name: &str) -> Option<&'static Format> {
    LIST.iter().find(|format| format.name == name)
}

/// The functions for formats, in the order of the list, each once.
pub(super) fn texts(names: &[&str]) -> Vec<&'static str> {
    let wanted = |format: &&Format| {
        !format.text.is_empty()
            && names
                .iter()
                .filter_map(|name| find(name))
                .any(|used| used.function == format.function || used.needs.contains(&format.function))
    };
    LIST.iter().filter(wanted).map(|format| format.text).collect()
}

static LIST: &[Format] = &[
    Format { name: "date", function: "_is_date", needs: &[], text: DATE },
    Format { name: "time", function: "_is_time", needs: &[], text: TIME },
    Format { name: "date-time", function: "_is_date_time", needs: &["_is_date", "_is_time"], text: DATE_TIME },
    Format { name: "duration", function: "_is_duration", needs: &[], text: DURATION },
    Format { name: "hostname", function: "_is_hostname", needs: &[], text: HOSTNAME },
    Format { name: "ipv4", function: "_is_ipv4", needs: &[], text: IPV4 },
    Format { name: "ipv6", function: "_is_ipv6", needs: &["_is_ipv4"], text: IPV6 },
    Format { name: "email", function: "_is_email", needs: &["_is_hostname", "_is_ipv4", "_is_ipv6"], text: EMAIL },
    Format { name: "idn-email", function: "_is_idn_email", needs: &[], text: IDN_EMAIL },
    Format {
        name: "iri-reference",
        function: "_is_iri_reference",
        needs: &["_is_ipv4", "_is_ipv6"],
        text: IRI_REFERENCE,
    },
    Format { name: "iri", function: "_is_iri", needs: &["_is_ipv4", "_is_ipv6", "_is_iri_reference"], text: IRI },
    Format {
        name: "uri-reference",
        function: "_is_uri_reference",
        needs: &["_is_ipv4", "_is_ipv6", "_is_iri_reference"],
        text: URI_REFERENCE,
    },
    Format {
        name: "uri",
        function: "_is_uri",
        needs: &["_is_ipv4", "_is_ipv6", "_is_iri_reference", "_is_iri"],
        text: URI,
    },
    Format { name: "uri-template", function: "_is_uri_template", needs: &[], text: URI_TEMPLATE },
    Format { name: "uuid", function: "_is_uuid", needs: &[], text: UUID },
    Format { name: "json-pointer", function: "_is_json_pointer", needs: &[], text: JSON_POINTER },
    Format {
        name: "relative-json-pointer",
        function: "_is_relative_json_pointer",
        needs: &[],
        text: RELATIVE_JSON_POINTER,
    },
    Format { name: "regex", function: "_is_regex", needs: &[], text: REGEX },
];

const DATE: &str = r##"_SHORT_MONTHS = ("04", "06", "09", "11")


def _is_date(text: str) -> bool:
    """RFC 3339, full-date."""
    months = "(0[1-9]|1[0-2])"
    days = "(0[1-9]|[12][0-9]|3[01])"
    form = rf"[0-9]{{4}}-{months}-{days}"
    found = re.fullmatch(form, text)
    if not found:
        return False
    month, day = found[1], found[2]
    if month != "02":
        return day != "31" or month not in _SHORT_MONTHS
    year = int(text[:4])
    if day == "29":
        return year % (400 if year % 100 == 0 else 4) == 0
    return day < "29"
"##;

const TIME: &str = r##"def _is_time(text: str) -> bool:
    """RFC 3339, full-time; a leap second is one of UTC."""
    hours = "([01][0-9]|2[0-3])"
    minutes = "([0-5][0-9])"
    form = (
        rf"{hours}:{minutes}:([0-5][0-9]|60)(?:\.[0-9]+)?"
        rf"(?:[zZ]|([+-]){hours}:{minutes})"
    )
    found = re.fullmatch(form, text)
    if not found:
        return False
    if found[3] != "60":
        return True
    offset = int(found[5] or 0) * 60 + int(found[6] or 0)
    if found[4] != "-":
        offset = -offset
    utc = int(found[1]) * 60 + int(found[2]) + offset
    return utc % 1440 == 1439
"##;

const DATE_TIME: &str = r##"def _is_date_time(text: str) -> bool:
    """RFC 3339, date-time."""
    if text[10:11] not in ("T", "t"):
        return False
    return _is_date(text[:10]) and _is_time(text[11:])
"##;

const DURATION: &str = r##"def _is_duration(text: str) -> bool:
    """RFC 3339, appendix A."""
    months = "[0-9]+M(?:[0-9]+D)?"
    days = rf"(?:[0-9]+Y(?:{months})?|{months}|[0-9]+D)"
    minutes = "[0-9]+M(?:[0-9]+S)?"
    hours = rf"T(?:[0-9]+H(?:{minutes})?|{minutes}|[0-9]+S)"
    form = rf"P(?:[0-9]+W|{days}(?:{hours})?|{hours})"
    return re.fullmatch(form, text) is not None
"##;

const HOSTNAME: &str = r##"def _is_hostname(text: str) -> bool:
    """RFC 1123, section 2.1."""
    label = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    found = re.fullmatch(rf"{label}(?:\.{label})*", text)
    return found is not None and len(text) <= 253
"##;

const IPV4: &str = r##"def _is_ipv4(text: str) -> bool:
    """RFC 2673, section 3.2."""
    byte = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
    form = rf"{byte}(?:\.{byte}){{3}}"
    return re.fullmatch(form, text) is not None
"##;

const IPV6: &str = r##"def _is_ipv6(text: str) -> bool:
    """RFC 4291, section 2.2."""
    head, colon, last = text.rpartition(":")
    if "." in last:
        if not colon or not _is_ipv4(last):
            return False
        text = f"{head}:0:0"
    before, gap, after = text.partition("::")
    if "::" in after or after.startswith(":"):
        return False
    groups = before.split(":") if before else []
    groups += after.split(":") if after else []
    digits = re.compile(r"[0-9A-Fa-f]{1,4}").fullmatch
    if not all(map(digits, groups)):
        return False
    return len(groups) <= 7 if gap else len(groups) == 8
"##;

const EMAIL: &str = r##"def _is_email(text: str) -> bool:
    """RFC 5321, Mailbox."""
    local, _, domain = text.rpartition("@")
    atom = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
    quoted = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
    form = rf"{atom}(?:\.{atom})*|{quoted}"
    if not re.fullmatch(form, local):
        return False
    if domain.startswith("[") and domain.endswith("]"):
        address = domain[1:-1]
        if address.lower().startswith("ipv6:"):
            return _is_ipv6(address[5:])
        return _is_ipv4(address)
    return _is_hostname(domain)
"##;

const IDN_EMAIL: &str = r##"def _is_idn_email(text: str) -> bool:
    """RFC 6531: something on both sides of the last @."""
    local, _, domain = text.rpartition("@")
    if not local or not domain:
        return False
    return re.search(r"\s", domain) is None
"##;

const IRI_REFERENCE: &str = r##"def _is_iri_reference(text: str) -> bool:
    """RFC 3987."""
    form = (
        r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?"
        r"([^?#]*)(?:\?[^#]*)?(?:#.*)?"
    )
    found = re.fullmatch(form, text)
    wrong = r'[\x00-\x20\x7f"<>\\^`{|}]|%(?![0-9A-Fa-f]{2})'
    if not found or re.search(wrong, text):
        return False
    scheme, authority, path = found[1], found[2], found[3]
    if text.count("#") > 1 or "[" in path or "]" in path:
        return False
    if authority is None:
        first = path.partition("/")[0]
        return scheme is not None or ":" not in first
    host = authority.rpartition("@")[2]
    literal = re.fullmatch(r"\[(.*)\](?::[0-9]*)?", host)
    if literal:
        inner = literal[1]
        future = r"[vV][0-9A-Fa-f]+\.[\w.~!$&'()*+,;=:-]+"
        if re.fullmatch(future, inner):
            return True
        return _is_ipv6(inner)
    if re.search(r"[\[\]]", authority):
        return False
    form = r"[^:]*(?::[0-9]*)?"
    return re.fullmatch(form, host) is not None
"##;

const IRI: &str = r##"def _is_iri(text: str) -> bool:
    """RFC 3987, with a scheme."""
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text):
        return False
    return _is_iri_reference(text)
"##;

const URI_REFERENCE: &str = r##"def _is_uri_reference(text: str) -> bool:
    """RFC 3986."""
    return text.isascii() and _is_iri_reference(text)
"##;

const URI: &str = r##"def _is_uri(text: str) -> bool:
    """RFC 3986, with a scheme."""
    return text.isascii() and _is_iri(text)
"##;

const URI_TEMPLATE: &str = r##"def _is_uri_template(text: str) -> bool:
    """RFC 6570."""
    literal = r"[^\x00-\x20\x7f\"'%<>\\^`{|}]"
    name = r"(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})"
    tail = r"(?::[1-9][0-9]{0,3}|\*)?"
    variable = rf"{name}(?:\.?{name})*{tail}"
    list_of = rf"[+#./;?&=,!@|]?{variable}(?:,{variable})*"
    form = rf"(?:{literal}|%[0-9A-Fa-f]{{2}}|\{{{list_of}\}})*"
    return re.fullmatch(form, text) is not None
"##;

const UUID: &str = r##"def _is_uuid(text: str) -> bool:
    """RFC 4122, section 3."""
    digits = r"[0-9A-Fa-f]"
    middle = rf"(?:-{digits}{{4}}){{3}}"
    form = rf"{digits}{{8}}{middle}-{digits}{{12}}"
    return re.fullmatch(form, text) is not None
"##;

const JSON_POINTER: &str = r##"def _is_json_pointer(text: str) -> bool:
    """RFC 6901."""
    form = r"(?:/(?:[^~/]|~[01])*)*"
    return re.fullmatch(form, text) is not None
"##;

const RELATIVE_JSON_POINTER: &str = r##"def _is_relative_json_pointer(text: str) -> bool:
    """Relative JSON Pointer, draft 1."""
    form = r"(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~[01])*)*)"
    return re.fullmatch(form, text) is not None
"##;

const REGEX: &str = r##"def _is_regex(text: str) -> bool:
    """ECMA 262, as far as `re` can tell."""
    plain = re.sub(r"\\\\", "", text)
    if re.search(r"\\[aAZz]|\(\?[P#(a-z]", plain):
        return False
    if re.search(r"[*+?}][*+](?<!\\[*+?}].)", plain):
        return False
    for ours, theirs in (
        (r"\(\?<(?![=!])[^>]*>", "("),
        (r"\\[pP]\{[^}]*\}|\\k<[^>]*>|\\c[A-Za-z]", "x"),
        (r"\\u\{[0-9A-Fa-f]+\}", "x"),
        (r"\[\^?\]", "x"),
        (r"\\[^\W\d_]|\\[1-9]", "x"),
    ):
        plain = re.sub(ours, theirs, plain)
    try:
        re.compile(plain)
    except re.error as error:
        return "requires fixed-width" in str(error)
    except (OverflowError, RecursionError):
        return False
    return True
"##;
