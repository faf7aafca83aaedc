//! Checks of `format`, embedded where they are asserted (2020-12 validation, section 7.3). Each is a function of a string.

/// A format that is checked.
pub(super) struct Format {
    /// As contracts call it; empty for what only others need.
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
    LIST.iter().find(|format| format.name == name && !name.is_empty())
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

/// What names in other scripts need.
const IDN: &[&str] = &["_is_domain", "_is_idn_char", "_idn_label", "_is_bidi"];
/// The same, and the check itself.
const HOST: &[&str] = &["_is_domain", "_is_idn_char", "_idn_label", "_is_bidi", "_is_idn_hostname"];

static LIST: &[Format] = &[
    Format { name: "date", function: "_is_date", needs: &[], text: DATE },
    Format { name: "time", function: "_is_time", needs: &[], text: TIME },
    Format { name: "date-time", function: "_is_date_time", needs: &["_is_date", "_is_time"], text: DATE_TIME },
    Format { name: "duration", function: "_is_duration", needs: &[], text: DURATION },
    Format { name: "", function: "_is_domain", needs: &[], text: DOMAIN },
    Format { name: "", function: "_is_idn_char", needs: &[], text: IDN_CHAR },
    Format { name: "", function: "_idn_label", needs: &[], text: IDN_LABEL },
    Format { name: "", function: "_is_bidi", needs: &[], text: BIDI },
    Format { name: "idn-hostname", function: "_is_idn_hostname", needs: IDN, text: IDN_HOSTNAME },
    Format { name: "hostname", function: "_is_hostname", needs: HOST, text: HOSTNAME },
    Format { name: "ipv4", function: "_is_ipv4", needs: &[], text: IPV4 },
    Format { name: "ipv6", function: "_is_ipv6", needs: &["_is_ipv4"], text: IPV6 },
    Format { name: "email", function: "_is_email", needs: &["_is_domain", "_is_ipv4", "_is_ipv6"], text: EMAIL },
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


@cache
def _date() -> re.Pattern[str]:
    months = "(0[1-9]|1[0-2])"
    days = "(0[1-9]|[12][0-9]|3[01])"
    return re.compile(rf"[0-9]{{4}}-{months}-{days}")


def _is_date(text: str) -> bool:
    """RFC 3339, full-date."""
    found = _date().fullmatch(text)
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

const TIME: &str = r##"@cache
def _time() -> re.Pattern[str]:
    hours = "([01][0-9]|2[0-3])"
    minutes = "([0-5][0-9])"
    seconds = r"([0-5][0-9]|60)(?:\.[0-9]+)?"
    zone = rf"(?:[zZ]|([+-]){hours}:{minutes})"
    return re.compile(f"{hours}:{minutes}:{seconds}{zone}")


def _is_time(text: str) -> bool:
    """RFC 3339, full-time; a leap second is one of UTC."""
    found = _time().fullmatch(text)
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

/// What nearly all points in time look like is told by one pattern: no last days of months, no leap seconds.
const DATE_TIME: &str = r##"@cache
def _common_date_time() -> Any:
    day = "0[1-9]|[12][0-9]|30"
    day = f"(?:(?:0[13-9]|1[0-2])-(?:{day})|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    hours, minutes = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
    seconds = r"[0-5][0-9](?:\.[0-9]+)?"
    zone = f"(?:[Zz]|[+-]{hours}:{minutes})"
    form = f"[0-9]{{4}}-{day}[Tt]{hours}:{minutes}:{seconds}{zone}"
    return re.compile(form).fullmatch


def _is_date_time(text: str) -> bool:
    """RFC 3339, date-time."""
    if _common_date_time()(text):
        return True
    if text[10:11] not in ("T", "t"):
        return False
    return _is_date(text[:10]) and _is_time(text[11:])
"##;

const DURATION: &str = r##"@cache
def _duration() -> re.Pattern[str]:
    months = "[0-9]+M(?:[0-9]+D)?"
    days = rf"(?:[0-9]+Y(?:{months})?|{months}|[0-9]+D)"
    minutes = "[0-9]+M(?:[0-9]+S)?"
    hours = rf"T(?:[0-9]+H(?:{minutes})?|{minutes}|[0-9]+S)"
    form = rf"P(?:[0-9]+W|{days}(?:{hours})?|{hours})"
    return re.compile(form)


def _is_duration(text: str) -> bool:
    """RFC 3339, appendix A."""
    return _duration().fullmatch(text) is not None
"##;

const DOMAIN: &str = r##"@cache
def _domain() -> re.Pattern[str]:
    label = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    return re.compile(rf"{label}(?:\.{label})*")


def _is_domain(text: str) -> bool:
    """RFC 1123, section 2.1."""
    found = _domain().fullmatch(text)
    return found is not None and len(text) <= 253
"##;

const IDN_CHAR: &str = r##"def _is_idn_char(label: str, at: int) -> bool:
    """RFC 5892: section 3, and appendix A for the context."""
    char = label[at]
    before, after = label[:at], label[at + 1 :]
    if char in "-\u00df\u03c2\u06fd\u06fe\u0f0b\u3007":
        return True
    if char == "\u00b7":
        return before[-1:] == after[:1] == "l"
    if char == "\u0375":
        greek = "[\u0370-\u03ff\u1f00-\u1fff]"
        return re.match(greek, after) is not None
    if char in "\u05f3\u05f4":
        return "\u0590" <= before[-1:] <= "\u05ff"
    if char == "\u30fb":
        kana = "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff"
        han = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff"
        return bool(re.search(f"[{kana}{han}]", label))
    if re.match("[\u0660-\u0669]", char):
        return re.search("[\u06f0-\u06f9]", label) is None
    if re.match("[\u06f0-\u06f9]", char):
        return re.search("[\u0660-\u0669]", label) is None
    if char in "\u200c\u200d":
        virama = map(unicodedata.combining, before[-1:])
        if 9 in virama:
            return True
        marks = "[\u064b-\u065f\u0670]*"
        end = "[\u0622-\u0625\u0627\u0629\u062f-\u0632]"
        joins = "[\u0620-\u064a\u066e-\u06d3\u0710-\u074f]"
        left = f"(?!{end}){joins}{marks}$"
        joined = re.search(left, before) is not None
        if re.match(f"{marks}{joins}", after) is None:
            return False
        return joined and char == "\u200c"
    never = (
        "[\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b\u034f"
        "\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb\u17b4\u17b5"
        "\u180b-\u180f\u20d0-\u20ff\ufe00-\ufe0f"
        "\U0001d100-\U0001d24f\U000e0100-\U000e01ef]"
    )
    if re.match(never, char):
        return False
    folded = unicodedata.normalize("NFKC", char).casefold()
    if unicodedata.normalize("NFKC", folded) != char:
        return False
    kinds = ("Ll", "Lo", "Lm", "Mn", "Mc", "Nd")
    return unicodedata.category(char) in kinds
"##;

const IDN_LABEL: &str = r##"def _idn_label(label: str) -> str | None:
    """The label in Unicode, if it is one (RFC 5891, section 4)."""
    plain = label
    if label.isascii():
        if label[:4].lower() != "xn--":
            return label if _is_domain(label) else None
        label = label.lower()
        try:
            plain = label[4:].encode().decode("punycode")
        except ValueError:
            return None
        if plain.isascii():
            return None
    if plain[2:4] == "--" or plain.strip("-") != plain:
        return None
    if unicodedata.normalize("NFC", plain) != plain:
        return None
    if unicodedata.category(plain[0]).startswith("M"):
        return None
    for at in range(len(plain)):
        if not _is_idn_char(plain, at):
            return None
    punycode = "xn--" + plain.encode("punycode").decode()
    if label.isascii() and label != punycode:
        return None
    return plain if len(punycode) <= 63 else None
"##;

const BIDI: &str = r##"def _is_bidi(label: str) -> bool:
    """RFC 5893, section 2."""
    kinds = " ".join(map(unicodedata.bidirectional, label))
    neutral = "EN|ES|CS|ET|ON|BN|NSM"
    if not kinds.startswith(("R", "AL")):
        form = f"L( L| {neutral.replace('|', '| ')})*"
        ended = re.search("(L|EN)( NSM)*$", kinds)
    else:
        form = rf"(R|AL)( (R|AL|AN|{neutral}))*"
        ended = re.search("(R|AL|EN|AN)( NSM)*$", kinds)
        if "EN" in kinds and "AN" in kinds:
            return False
    return bool(ended and re.fullmatch(form, kinds))
"##;

const IDN_HOSTNAME: &str = r##"def _is_idn_hostname(text: str) -> bool:
    """RFC 5890, section 2.3.2.3."""
    labels = []
    length = -1
    for part in re.split("[.\u3002\uff0e\uff61]", text):
        label = _idn_label(part)
        if label is None:
            return False
        labels.append(label)
        if not label.isascii():
            part = label.encode("punycode").decode()
            length += len("xn--")
        length += 1 + len(part)
    if length > 253:
        return False
    name = "".join(labels)
    kinds = set(map(unicodedata.bidirectional, name))
    if kinds.isdisjoint({"R", "AL", "AN"}):
        return True
    return all(map(_is_bidi, labels))
"##;

const HOSTNAME: &str = r##"def _is_hostname(text: str) -> bool:
    """RFC 1123, section 2.1; Punycode as in RFC 5891."""
    if not _is_domain(text):
        return False
    if "xn--" not in text.lower():
        return True
    return _is_idn_hostname(text)
"##;

const IPV4: &str = r##"@cache
def _ipv4() -> re.Pattern[str]:
    byte = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
    return re.compile(rf"{byte}(?:\.{byte}){{3}}")


def _is_ipv4(text: str) -> bool:
    """RFC 2673, section 3.2."""
    return _ipv4().fullmatch(text) is not None
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

const EMAIL: &str = r##"@cache
def _local_part() -> re.Pattern[str]:
    atom = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
    quoted = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
    return re.compile(rf"{atom}(?:\.{atom})*|{quoted}")


def _is_email(text: str) -> bool:
    """RFC 5321, Mailbox."""
    local, _, domain = text.rpartition("@")
    if not _local_part().fullmatch(local):
        return False
    if domain.startswith("[") and domain.endswith("]"):
        address = domain[1:-1]
        if address.lower().startswith("ipv6:"):
            return _is_ipv6(address[5:])
        return _is_ipv4(address)
    return _is_domain(domain)
"##;

const IDN_EMAIL: &str = r##"def _is_idn_email(text: str) -> bool:
    """RFC 6531: something on both sides of the last @."""
    local, _, domain = text.rpartition("@")
    if not local or not domain:
        return False
    return re.search(r"\s", domain) is None
"##;

const IRI_REFERENCE: &str = r##"@cache
def _web_address() -> re.Pattern[str]:
    """Most of what is written, but by far not all that is right."""
    path = r"(?:/[A-Za-z0-9/._~-]*)?"
    rest = r"(?:\?[A-Za-z0-9&=._-]*)?(?:#[A-Za-z0-9/._-]*)?"
    return re.compile(rf"https?://[A-Za-z0-9.-]+{path}{rest}")


@cache
def _iri_parts() -> re.Pattern[str]:
    start = r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?"
    return re.compile(rf"{start}([^?#]*)(?:\?[^#]*)?(?:#.*)?")


@cache
def _iri_faults() -> re.Pattern[str]:
    escape = "%(?![0-9A-Fa-f]{2})"
    chars = r'[\x00-\x20\x7f"<>\\^`{|}]'
    return re.compile(f"{chars}|{escape}")


def _is_iri_reference(text: str) -> bool:
    """RFC 3987."""
    if _web_address().fullmatch(text):
        return True
    found = _iri_parts().fullmatch(text)
    if not found or _iri_faults().search(text):
        return False
    scheme, authority, path = found[1], found[2], found[3]
    if text.count("#") > 1 or "[" in path or "]" in path:
        return False
    if authority is None:
        first = path.partition("/")[0]
        return scheme is not None or ":" not in first
    if authority.count("@") > 1:
        return False
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
    if _web_address().fullmatch(text):
        return True
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

const URI_TEMPLATE: &str = r##"@cache
def _uri_template() -> re.Pattern[str]:
    literal = r"[^\x00-\x20\x7f\"%<>\\^`{|}]"
    name = r"(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})"
    tail = r"(?::[1-9][0-9]{0,3}|\*)?"
    variable = rf"{name}(?:\.?{name})*{tail}"
    list_of = rf"[+#./;?&=,!@|]?{variable}(?:,{variable})*"
    escape = "%[0-9A-Fa-f]{2}"
    form = rf"(?:{literal}|{escape}|\{{{list_of}\}})*"
    return re.compile(form)


def _is_uri_template(text: str) -> bool:
    """RFC 6570."""
    return _uri_template().fullmatch(text) is not None
"##;

const UUID: &str = r##"@cache
def _uuid() -> re.Pattern[str]:
    digits = r"[0-9A-Fa-f]"
    middle = rf"(?:-{digits}{{4}}){{3}}"
    return re.compile(rf"{digits}{{8}}{middle}-{digits}{{12}}")


def _is_uuid(text: str) -> bool:
    """RFC 4122, section 3."""
    return _uuid().fullmatch(text) is not None
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
