//! Keeps the values of declared environment variables out of everything that is shown.

use serde_json::Value;

use crate::answer::Answer;
use crate::task::Environment;

/// Shorter values are no secrets, and blotting them out would make texts unreadable.
const SHORTEST: usize = 4;

/// Parts of names of variables whose values are nobody's business: not even the answer's, which is committed.
const SECRET: [&str; 6] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"];

/// The variable whose secret value an answer gives away, and where.
pub(crate) fn given_away(environment: &Environment, answer: &Answer) -> Option<(String, String)> {
    let is_secret = |name: &str| SECRET.iter().any(|part| name.to_ascii_uppercase().contains(part));
    for value in environment.values.iter().filter(|(name, _)| is_secret(name)) {
        let secrets = Secrets::of(&Environment { values: vec![value.clone()], ..Environment::default() });
        let holds = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            secrets.0.iter().any(|secret| text.contains(secret.as_str()))
        };
        for (path, bytes) in &answer.artifacts {
            if holds(bytes) || holds(path.as_bytes()) {
                return Some((value.0.clone(), format!("`{}`", secrets.redact(path))));
            }
        }
        if answer.messages.iter().any(|message| holds(message.canonical().as_bytes()) || holds(message.kind.as_bytes()))
        {
            return Some((value.0.clone(), "a message".to_owned()));
        }
    }
    None
}

/// The texts that must not be shown: longest first, so that one within another is no way round.
#[derive(Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn of(environment: &Environment) -> Secrets {
        let mut secrets = Vec::new();
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
        }
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        Secrets(secrets)
    }

    /// The text without secrets.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut text = text.to_string();
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), "***");
            }
        }
        text
    }

    /// The length of the longest, in bytes: a text that is to be cut must be kept longer by this, or half a secret stays.
    pub(crate) fn longest(&self) -> usize {
        self.0.first().map_or(0, String::len)
    }
}

/// At most `limit` characters of a text, without control characters, for a message.
pub(crate) fn quote(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == limit {
            out.push_str(&format!("… ({} bytes)", text.len()));
            break;
        }
        if c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        {
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
    fn quotes_are_short_and_plain() {
        assert_eq!(quote("a\u{1b}[31m\tb\u{202e}", 20), "a\\u{1b}[31m\\tb\\u{202e}");
        assert_eq!(quote("abcdef", 3), "abc… (6 bytes)");
        assert_eq!(quote("abc", 3), "abc");
    }
}
