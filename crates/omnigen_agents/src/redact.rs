//! Keeps the values of declared environment variables out of everything that is shown, also in the forms that programs and models
//! bring them into without thinking: escaped, encoded, broken over lines.

use std::ops::Range;

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use serde_json::Value;

use crate::answer::{Answer, Message};
use crate::task::Environment;

/// Shorter values are no secrets, and blotting them out would make texts unreadable.
const SHORTEST: usize = 4;

/// Shorter ones are not looked for in other forms: their encodings are too short to be theirs alone.
const TELLING: usize = 8;

/// Parts of names of variables whose values are nobody's business: not even the answer's, which is committed.
const SECRET: [&str; 6] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"];

/// Is the value of such a variable a secret, by its name?
fn is_secret(name: &str) -> bool {
    SECRET.iter().any(|part| name.to_ascii_uppercase().contains(part))
}

/// The variable whose secret value an answer gives away, and where.
pub(crate) fn given_away(environment: &Environment, answer: &Answer) -> Option<(String, String)> {
    for value in environment.values.iter().filter(|(name, _)| is_secret(name)) {
        let secrets = Secrets::of(&Environment { values: vec![value.clone()], ..Environment::default() });
        let holds = |bytes: &[u8]| secrets.stand_in(bytes);
        for (path, bytes) in &answer.artifacts {
            if holds(bytes) || holds(path.as_bytes()) {
                return Some((value.0.clone(), format!("`{}`", secrets.redact(path))));
            }
        }
        // Needs and messages stand in the lock.
        let said = |message: &Message| {
            let words = message.to.iter().chain([&message.kind]);
            holds(message.canonical().as_bytes()) || words.into_iter().any(|word| holds(word.as_bytes()))
        };
        if answer.messages.iter().any(said) {
            return Some((value.0.clone(), "a message".to_owned()));
        }
        if answer.needs.iter().any(|(need, _)| holds(need.to_string().as_bytes())) {
            return Some((value.0.clone(), "a need".to_owned()));
        }
    }
    None
}

/// The texts that must not be shown.
#[derive(Default)]
pub(crate) struct Secrets {
    /// As they may stand somewhere; longest first, so that one within another is no way round.
    plain: Vec<String>,
    /// As they stand in [`unfolded`] texts.
    folded: Vec<String>,
}

impl Secrets {
    /// Of the variables that are secrets by their names, and no others: for texts that are read and not only shown.
    pub(crate) fn by_name(environment: &Environment) -> Secrets {
        let values = environment.values.iter().filter(|(name, _)| is_secret(name)).cloned().collect();
        Secrets::of(&Environment { values, ..Environment::default() })
    }

    pub(crate) fn of(environment: &Environment) -> Secrets {
        let mut secrets = Vec::new();
        let mut folded = Vec::new();
        for value in environment.values.iter().filter_map(|(_, value)| value.as_ref()) {
            // A variable may hold several lines (a key in PEM form), which are then printed one by one.
            for text in std::iter::once(value.as_str()).chain(value.lines()) {
                let text = text.trim();
                if text.len() < SHORTEST {
                    continue;
                }
                // Also as it stands within JSON, with and without escapes for other scripts.
                let json = Value::from(text).to_string();
                let json = json[1..json.len() - 1].to_string();
                let ascii = json.chars().fold(String::new(), |mut out, c| {
                    if c.is_ascii() {
                        out.push(c);
                    } else {
                        let mut units = [0; 2];
                        for unit in c.encode_utf16(&mut units) {
                            out.push_str(&format!("\\u{unit:04x}"));
                        }
                    }
                    out
                });
                secrets.extend([text.to_string(), json, ascii]);
            }
            if value.trim().len() >= TELLING {
                folded.extend(forms(value.trim()));
            }
        }
        for list in [&mut secrets, &mut folded] {
            list.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
            list.dedup();
        }
        Secrets { plain: secrets, folded }
    }

    /// Does one of them stand in these bytes?
    pub(crate) fn stand_in(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        if self.plain.iter().any(|secret| text.contains(secret.as_str())) {
            return true;
        }
        if self.folded.is_empty() {
            return false;
        }
        let mut flat = String::new();
        unfold(&text, &mut |byte, _| flat.push(char::from(byte)));
        self.folded.iter().any(|secret| flat.contains(secret.as_str()))
    }

    /// The text without secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut text = text.to_string();
        for secret in &self.plain {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), "***");
            }
        }
        if self.folded.is_empty() {
            return text;
        }
        let (mut flat, mut places) = (String::new(), Vec::new());
        unfold(&text, &mut |byte, place| {
            // One `char` for a byte, so that places in both are the same but for those above ASCII.
            let char = char::from(byte);
            places.extend((0..char.len_utf8()).map(|_| place.clone()));
            flat.push(char);
        });
        let mut hidden: Vec<Range<usize>> = Vec::new();
        for secret in &self.folded {
            for (at, _) in flat.match_indices(secret.as_str()) {
                if let (Some(first), Some(last)) = (places.get(at), places.get(at + secret.len() - 1)) {
                    hidden.push(first.start..last.end);
                }
            }
        }
        hidden.sort_by_key(|range| (range.start, range.end));
        let (mut out, mut done) = (String::new(), 0);
        for range in hidden {
            if range.start >= done {
                out.push_str(&text[done..range.start]);
                out.push_str("***");
            }
            done = done.max(range.end);
        }
        out.push_str(&text[done..]);
        out
    }

    /// The length of the longest, in bytes: a text that is to be cut must be kept longer by this, or half a secret stays.
    pub(crate) fn longest(&self) -> usize {
        // Each of its bytes may be an escape of six characters.
        self.plain.first().map_or(0, |secret| 6 * secret.len())
    }
}

/// What a secret is in [`unfolded`](unfold) texts: itself, and encoded.
fn forms(secret: &str) -> Vec<String> {
    let latin = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
    let whole: Vec<u8> = secret.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let mut flat = Vec::new();
    unfold(secret, &mut |byte, _| flat.push(byte));
    let mut forms = vec![latin(&whole), latin(&flat)];
    forms.extend([HEXLOWER.encode(secret.as_bytes()), HEXUPPER.encode(secret.as_bytes())]);
    // Three bytes are four characters of base64, so what stands before decides which ones they are; first and last may be shared.
    for before in 0..3_usize {
        let bytes = [&[0; 3][..before], secret.as_bytes()].concat();
        for encoding in [BASE64_NOPAD, BASE64URL_NOPAD] {
            let text = encoding.encode(&bytes);
            let end = text.len() - usize::from(!bytes.len().is_multiple_of(3));
            forms.extend(text.get((before * 8).div_ceil(6)..end).map(str::to_owned));
        }
    }
    forms.retain(|form| form.len() >= TELLING);
    forms
}

/// Gives the bytes of a text one by one, with their places: escapes of JSON and of URIs (RFC 3986, section 2.1) are read, white
/// space, line ends within a string, and what cannot be seen are left out.
fn unfold(text: &str, give: &mut dyn FnMut(u8, Range<usize>)) {
    let bytes = text.as_bytes();
    let hex = |range: Range<usize>| {
        let digits = text.get(range).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut at = 0;
    while let Some(char) = text[at..].chars().next() {
        let plain = at + char.len_utf8();
        let escape = match (char, bytes.get(at + 1)) {
            ('%', _) => hex(at + 1..at + 3).map(|value| (value, at + 3)),
            ('\\', Some(b'u')) => hex(at + 2..at + 6).map(|value| (value, at + 6)),
            ('\\', Some(b'x')) => hex(at + 2..at + 4).map(|value| (value, at + 4)),
            ('\\', Some(b'n' | b'r' | b't' | b'\n')) => Some((u32::from(b' '), at + 2)),
            ('\\', Some(other @ (b'"' | b'\'' | b'/' | b'\\'))) => Some((u32::from(*other), at + 2)),
            _ => None,
        };
        let (value, end) = escape.unwrap_or((u32::from(char), plain));
        let read = char::from_u32(value).unwrap_or(char);
        if char == '%' && escape.is_some() {
            // A byte, not a character.
            let [byte, ..] = value.to_le_bytes();
            if !byte.is_ascii_whitespace() {
                give(byte, at..end);
            }
        } else if !(read.is_whitespace() || read.is_control() || unseen(read)) {
            let mut buffer = [0; 4];
            read.encode_utf8(&mut buffer).bytes().for_each(|byte| give(byte, at..end));
        }
        at = end;
    }
}

/// Characters that a reader does not see.
fn unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// At most `limit` characters of a text, without control characters, for a message.
pub(crate) fn quote(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == limit {
            out.push_str(&format!("… ({} bytes)", text.len()));
            break;
        }
        if c.is_control() || unseen(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(values: &[&str]) -> Secrets {
        let values = values.iter().map(|value| (String::from("V"), Some(value.to_string()))).collect();
        Secrets::of(&Environment { values, ..Environment::default() })
    }

    #[test]
    fn values_are_blotted_out_in_every_form() {
        let it = secrets(&["tok-1234", "tok-1234-long", "a\"b\u{e9}c", "abc", "first line\nsecond line"]);
        assert_eq!(it.redact("x tok-1234 y tok-1234-long"), "x *** y ***");
        assert_eq!(it.redact("raw a\"b\u{e9}c json a\\\"b\u{e9}c ascii a\\\"b\\u00e9c"), "raw *** json *** ascii ***");
        assert_eq!(it.redact("abc stays"), "abc stays");
        assert_eq!(it.redact("at second line of it"), "at *** of it");
    }

    #[test]
    fn values_are_found_escaped_encoded_and_broken_over_lines() {
        let secret = "sk-5ecret/Key+0123=\u{e9}";
        let it = secrets(&[secret]);
        let mut forms: Vec<String> = (0..3)
            .map(|skip| format!("{}{secret} tail", &"abc"[skip..]))
            .flat_map(|text| {
                [
                    data_encoding::BASE64.encode(text.as_bytes()),
                    data_encoding::BASE64URL.encode(text.as_bytes()),
                    data_encoding::BASE64_MIME.encode(text.repeat(9).as_bytes()),
                    HEXLOWER.encode(text.as_bytes()),
                ]
            })
            .collect();
        let every = |form: &dyn Fn(u8) -> String| secret.bytes().map(form).collect::<String>();
        forms.extend([
            HEXUPPER.encode(secret.as_bytes()),
            every(&|byte| format!("%{byte:02x}")),
            "sk-5ecret%2FKey%2B0123%3D%C3%A9".to_owned(),
            every(&|byte| if byte.is_ascii() { format!("\\u{:04X}", byte) } else { String::new() }) + "\\u00e9",
            "s\\u006b-5ecret\\/Key+0123=\u{e9}".to_owned(),
            "sk-5ecr\n  et/Key+\r\n0123=\u{e9}".to_owned(),
            "sk-5ecr\\net/Key\\\n+0123=\u{e9}".to_owned(),
            "sk-5\u{200b}ecret/Key+01\u{202e}23=\u{e9}".to_owned(),
        ]);
        for form in forms {
            assert!(it.stand_in(form.as_bytes()), "{form}");
            let shown = it.redact(&format!("<<{form}>>"));
            assert!(shown.starts_with("<<") && shown.ends_with(">>") && shown.contains("***"), "{form}: {shown}");
            assert!(!it.stand_in(shown.as_bytes()), "{form}: {shown}");
        }
        let text = "s k - nothing of it: %41 \\u0041 100% \\ \\u12 %";
        assert!(!it.stand_in(text.as_bytes()));
        assert_eq!(it.redact(text), text);
    }

    #[test]
    fn quotes_are_short_and_plain() {
        assert_eq!(quote("a\u{1b}[31m\tb\u{202e}", 20), "a\\u{1b}[31m\\tb\\u{202e}");
        assert_eq!(quote("abcdef", 3), "abc… (6 bytes)");
        assert_eq!(quote("abc", 3), "abc");
    }
}
