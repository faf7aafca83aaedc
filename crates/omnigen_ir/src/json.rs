//! JSON values as contracts state them: order kept, numbers exact.

use std::cmp::Ordering;
use std::fmt;

use rustc_hash::FxHashSet;

/// A JSON value. Objects keep the order of the document; a number keeps its text, so that `1E400` or a 30-digit
/// integer survives. `Eq` is structural (order and number text count); [`Json::same`] is equality of JSON values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, exact.
    Number(Number),
    /// A string.
    String(Box<str>),
    /// An array.
    Array(Vec<Json>),
    /// An object: names are unique (the loader has settled duplicates), in document order.
    Object(Vec<(Box<str>, Json)>),
}

impl Json {
    /// Equality as JSON Schema defines it (2020-12 core, section 4.2.2): numbers by mathematical value, objects without order.
    pub fn same(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Null, Json::Null) => true,
            (Json::Bool(a), Json::Bool(b)) => a == b,
            (Json::Number(a), Json::Number(b)) => a.compare(b) == Ordering::Equal,
            (Json::String(a), Json::String(b)) => a == b,
            (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.same(y)),
            (Json::Object(a), Json::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(name, value)| b.iter().any(|(n, v)| n == name && value.same(v)))
            }
            _ => false,
        }
    }

    /// The member of an object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(n, _)| &**n == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }
}

/// Where there is one of them that `is` it, looked for from an index on, then from the start: two lists of names mostly have one order.
pub(crate) fn position_from<T>(list: &[T], from: usize, is: impl Fn(&T) -> bool) -> Option<usize> {
    let (before, behind) = list.split_at_checked(from).unwrap_or((list, &[]));
    behind.iter().position(&is).map(|at| from + at).or_else(|| before.iter().position(is))
}

/// Values of which no two are the same, as [`Json::same`] has it. Texts and whole numbers, of which there may be thousands, are
/// found by hash.
#[derive(Debug, Default)]
pub struct Distinct<'v> {
    texts: FxHashSet<&'v str>,
    whole: FxHashSet<i64>,
    others: Vec<&'v Json>,
}

impl<'v> Distinct<'v> {
    /// Takes a value in; `false` if it was there.
    pub fn insert(&mut self, value: &'v Json) -> bool {
        match value {
            Json::String(text) => return self.texts.insert(text),
            Json::Number(number) => {
                if let Some(whole) = number.as_i64() {
                    return self.whole.insert(whole);
                }
            }
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => {}
        }
        let fresh = !self.others.iter().any(|other| other.same(value));
        if fresh {
            self.others.push(value);
        }
        fresh
    }

    /// Is the value there?
    pub fn contains(&self, value: &Json) -> bool {
        match value {
            Json::String(text) => self.texts.contains(&**text),
            Json::Number(number) if number.as_i64().is_some_and(|whole| self.whole.contains(&whole)) => true,
            value => self.others.iter().any(|other| other.same(value)),
        }
    }
}

impl<'v> FromIterator<&'v Json> for Distinct<'v> {
    fn from_iter<I: IntoIterator<Item = &'v Json>>(values: I) -> Self {
        let mut distinct = Distinct::default();
        for value in values {
            distinct.insert(value);
        }
        distinct
    }
}

/// Compact JSON text (RFC 8259), members in their order.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Bool(value) => write!(f, "{value}"),
            Json::Number(number) => f.write_str(number.text()),
            Json::String(text) => write_string(f, text),
            Json::Array(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
            Json::Object(members) => {
                f.write_str("{")?;
                for (i, (name, value)) in members.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    write_string(f, name)?;
                    f.write_str(":")?;
                    value.fmt(f)?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_string(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write as _;
    f.write_char('"')?;
    let mut start = 0;
    // Everything that is escaped is a single byte, and no byte of a longer character looks like one.
    for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'"' | b'\\' | 0..b' ')) {
        f.write_str(&text[start..at])?;
        start = at + 1;
        match byte {
            b'"' => f.write_str("\\\"")?,
            b'\\' => f.write_str("\\\\")?,
            b'\n' => f.write_str("\\n")?,
            b'\r' => f.write_str("\\r")?,
            b'\t' => f.write_str("\\t")?,
            byte => write!(f, "\\u{byte:04x}")?,
        }
    }
    f.write_str(&text[start..])?;
    f.write_char('"')
}

/// A JSON number: the text of the document (RFC 8259, section 6, which the loader has checked).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number(Box<str>);

/// Sign, significant digits without leading or trailing zeros, power of ten of the last digit. Zero has no digits.
struct Decimal<'a> {
    negative: bool,
    digits: std::borrow::Cow<'a, str>,
    exponent: i64,
}

impl Number {
    /// A number from JSON number text. `None` if the text is not one.
    pub fn new(text: &str) -> Option<Number> {
        let rest = text.strip_prefix('-').unwrap_or(text).as_bytes();
        let digits = |from: usize| rest[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let whole = digits(0);
        if whole == 0 || (whole > 1 && rest[0] == b'0') {
            return None;
        }
        let mut at = whole;
        if rest.get(at) == Some(&b'.') {
            let fraction = digits(at + 1);
            if fraction == 0 {
                return None;
            }
            at += 1 + fraction;
        }
        if matches!(rest.get(at), Some(b'e' | b'E')) {
            at += 1;
            if matches!(rest.get(at), Some(b'+' | b'-')) {
                at += 1;
            }
            let exponent = digits(at);
            if exponent == 0 {
                return None;
            }
            at += exponent;
        }
        (at == rest.len()).then(|| Number(text.into()))
    }

    /// From an integer.
    pub fn from_i64(value: i64) -> Number {
        Number(value.to_string().into())
    }

    /// The text as the document has it.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Is the value a whole number (`1.0` and `1e3` are)? JSON Schema's sense of `integer` since draft-06.
    pub fn is_integer(&self) -> bool {
        if !self.0.contains(['.', 'e', 'E']) {
            return true;
        }
        self.decimal().exponent >= 0
    }

    /// The value, if it is whole and fits.
    pub fn as_i64(&self) -> Option<i64> {
        if let Ok(value) = self.0.parse() {
            return Some(value);
        }
        let decimal = self.decimal();
        if decimal.exponent < 0 || decimal.exponent > 18 {
            return None;
        }
        let mut value: i128 = if decimal.digits.is_empty() { 0 } else { decimal.digits.parse().ok()? };
        for _ in 0..decimal.exponent {
            value = value.checked_mul(10)?;
        }
        i64::try_from(if decimal.negative { -value } else { value }).ok()
    }

    /// The nearest double; infinite if too large.
    pub fn as_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }

    /// Exact comparison by value.
    pub fn compare(&self, other: &Number) -> Ordering {
        if let (Ok(a), Ok(b)) = (self.0.parse::<i64>(), other.0.parse::<i64>()) {
            return a.cmp(&b);
        }
        let (a, b) = (self.decimal(), other.decimal());
        match (a.digits.is_empty(), b.digits.is_empty()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return if b.negative { Ordering::Greater } else { Ordering::Less },
            (false, true) => return if a.negative { Ordering::Less } else { Ordering::Greater },
            (false, false) => {}
        }
        if a.negative != b.negative {
            return if a.negative { Ordering::Less } else { Ordering::Greater };
        }
        let magnitude = |d: &Decimal<'_>| d.digits.len() as i64 + d.exponent;
        // With equal magnitudes the digit strings compare like fractions: "12" < "123" because "12" is "120".
        let order = magnitude(&a).cmp(&magnitude(&b)).then_with(|| a.digits.cmp(&b.digits));
        if a.negative { order.reverse() } else { order }
    }

    /// The number as a Python literal: an `int` if it is whole and written without exponent overflow, else a `float`.
    /// Whole numbers of up to 400 digits become exact integers, unless their text has a point or an exponent and a `float` is
    /// likely not to hold them: Python reads such a text as a `float` in data too, and `1e25` has to be `1e25`.
    pub fn python(&self) -> String {
        if let Ok(value) = self.0.parse::<i64>() {
            return if value == 0 { "0".to_owned() } else { self.0.to_string() };
        }
        let decimal = self.decimal();
        if decimal.digits.is_empty() {
            return "0".to_owned();
        }
        let sign = if decimal.negative { "-" } else { "" };
        let rounded = !self.is_written_whole() && decimal.digits.len() as i64 + decimal.exponent > 15;
        if (0..=400).contains(&decimal.exponent) && !rounded {
            return format!("{sign}{}{}", decimal.digits, "0".repeat(decimal.exponent as usize));
        }
        if decimal.exponent > 400 {
            return format!("{sign}1e999");
        }
        let text = self.0.to_ascii_lowercase().replace("e+", "e");
        if text.contains(['.', 'e']) { text } else { format!("{text}.0") }
    }

    /// Is the number written as an integer, without point and exponent?
    pub fn is_written_whole(&self) -> bool {
        !self.0.contains(['.', 'e', 'E'])
    }

    /// The number as a Python literal of the type that its text has: `2.0` and `1e3` stay a `float`.
    pub fn python_as_written(&self) -> String {
        if self.is_written_whole() {
            return self.python();
        }
        let text = self.0.to_ascii_lowercase().replace("e+", "e");
        if self.decimal().exponent > 400 { self.python() } else { text }
    }

    fn decimal(&self) -> Decimal<'_> {
        let (negative, rest) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, &*self.0),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => {
                let text = rest[at + 1..].trim_start_matches('+');
                // An exponent beyond i64 is clamped: nothing that far out can be told apart in practice.
                let clamp = if text.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
                (&rest[..at], text.parse::<i64>().unwrap_or(clamp).clamp(i64::MIN / 4, i64::MAX / 4))
            }
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: std::borrow::Cow<'_, str> =
            if fraction.is_empty() { whole.into() } else { format!("{whole}{fraction}").into() };
        let mut exponent = exponent - fraction.len() as i64;
        let trimmed = digits.trim_end_matches('0');
        exponent += (digits.len() - trimmed.len()) as i64;
        let significant = trimmed.trim_start_matches('0');
        let (from, to) = (trimmed.len() - significant.len(), trimmed.len());
        let digits: std::borrow::Cow<'_, str> = match digits {
            std::borrow::Cow::Borrowed(text) => text[from..to].into(),
            std::borrow::Cow::Owned(text) => text[from..to].to_owned().into(),
        };
        if digits.is_empty() {
            exponent = 0;
        }
        Decimal { negative, digits, exponent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::new(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn numbers_compare_by_value() {
        let ascending = ["-1e3", "-12", "-1.5", "-0.1", "0", "1e-9", "0.1", "1", "1.5", "12", "123", "1e3", "1E400"];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(number(a).compare(&number(b)), i.cmp(&j), "{a} against {b}");
            }
        }
        for (a, b) in [("1", "1.0"), ("100", "1e2"), ("0", "-0.0"), ("1.50", "15e-1"), ("0.00", "0")] {
            assert_eq!(number(a).compare(&number(b)), Ordering::Equal, "{a} against {b}");
        }
    }

    #[test]
    fn strings_are_escaped() {
        let text = Json::String("a\"\\\n\u{1}é\u{1f600}".into());
        assert_eq!(text.to_string(), r#""a\"\\\n\u0001é😀""#);
    }

    #[test]
    fn integers_are_recognised_by_value() {
        for (text, whole) in [("1.0", true), ("1e3", true), ("1.5", false), ("15e-1", false), ("10e-1", true)] {
            assert_eq!(number(text).is_integer(), whole, "{text}");
        }
        assert_eq!(number("1.2e1").as_i64(), Some(12));
        assert_eq!(number("9223372036854775808").as_i64(), None);
    }

    #[test]
    fn text_that_is_no_number_is_refused() {
        for text in ["", "-", "01", "1.", ".5", "1e", "+1", "0x1", "1 ", "NaN", "1_0"] {
            assert!(Number::new(text).is_none(), "{text}");
        }
    }

    #[test]
    fn python_literals() {
        for (text, python) in [
            ("1.0", "1"),
            ("1e3", "1000"),
            ("-0.0", "0"),
            ("0.5", "0.5"),
            ("1.5E+3", "1500"),
            ("2E-7", "2e-7"),
            ("1E+25", "1e25"),
            ("9007199254740993", "9007199254740993"),
        ] {
            assert_eq!(number(text).python(), python, "{text}");
        }
    }
}
