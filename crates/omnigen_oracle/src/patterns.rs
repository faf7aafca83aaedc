//! Patterns that the crate's own engine cannot read, or reads otherwise than ECMA 262 does: an engine of ECMA 262 decides about
//! these.
//!
//! Only these: to the crate they are no patterns, and the other engine counts no steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jsonschema::{Keyword, ValidationError};
use regress::Regex;
use serde_json::Value;

/// Longer texts are not given to a pattern with a loop around a group: there may be no end to it.
const LONGEST: usize = 20;

/// The keyword that stands for `pattern` where the other engine decides.
pub(crate) const KEYWORD: &str = "omnigen:pattern";

/// Hands the patterns of a schema document that need it to the engine of ECMA 262. Are there any?
pub(crate) fn hand_over(document: &mut Value) -> bool {
    match document {
        Value::Object(members) => {
            let odd = members.get("pattern").and_then(Value::as_str).is_some_and(is_odd);
            if odd && let Some(pattern) = members.remove("pattern") {
                members.insert(KEYWORD.to_owned(), pattern);
            }
            // What only looks like a schema stays as it is.
            let others = members.iter_mut().filter(|(name, _)| !VALUES.contains(&name.as_str()));
            // Each of them, not only up to the first.
            others.map(|(_, value)| hand_over(value)).filter(|found| *found).count() > 0 || odd
        }
        Value::Array(items) => items.iter_mut().map(hand_over).filter(|found| *found).count() > 0,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Keywords whose values are no schemas.
const VALUES: [&str; 5] = ["const", "enum", "default", "examples", "example"];

/// Is there more in it than what all engines read alike? `false` for what the engine of ECMA 262 refuses, and for what the crate
/// had better decide because its engine ends.
fn is_odd(pattern: &str) -> bool {
    let read = || jsonschema::options().build(&serde_json::json!({ "pattern": pattern })).is_ok();
    !is_plain(pattern) && compiled(pattern).is_some() && !(is_looping(pattern) && read())
}

/// Is there a loop around a group?
fn is_looping(pattern: &str) -> bool {
    [")*", ")+", "){"].iter().any(|part| pattern.contains(part))
}

fn is_plain(pattern: &str) -> bool {
    let mut rest = pattern.chars();
    let (mut class, mut last) = (false, ' ');
    while let Some(c) = rest.next() {
        let text = rest.as_str();
        let digits = |count: usize| text.len() > count && text.as_bytes()[1..=count].iter().all(u8::is_ascii_hexdigit);
        match c {
            '\\' => {
                let known = match text.chars().next() {
                    // Beside a dash it is no end of a range.
                    Some('d' | 'D' | 'w' | 'W' | 's' | 'S') => {
                        let begins = text[1..].starts_with('-') && !text[1..].starts_with("-]");
                        !(class && (last == '-' || begins))
                    }
                    Some('t' | 'n' | 'r' | 'f' | 'v') => true,
                    Some('p' | 'P') => text[1..].starts_with('{'),
                    Some('x') => digits(2),
                    Some('u') => digits(4) && !text[1..].starts_with(['d', 'D']),
                    Some(c) => c.is_ascii_punctuation() && !matches!(c, '<' | '>'),
                    None => false,
                };
                if !known {
                    return false;
                }
                rest.next();
            }
            // Empty, or all but nothing.
            ']' if class && matches!(last, '[' | '^') => return false,
            ']' => class = false,
            '[' | '&' | '~' if class => return false,
            '[' => class = true,
            _ if class => {}
            '(' if text.starts_with('?') && !text.starts_with("?:") => return false,
            '{' if !text.starts_with(|c: char| c.is_ascii_digit()) => return false,
            '}' if !(last.is_ascii_digit() || last == ',') => return false,
            _ => {}
        }
        last = c;
    }
    true
}

/// In unicode mode if it can be, else in the older one. Without regard to case the engine fails on some (`(?i:\c)`).
fn compiled(pattern: &str) -> Option<Regex> {
    let made = || Regex::with_flags(pattern, "u").or_else(|_| Regex::new(pattern)).ok();
    if pattern.contains("(?i") { None } else { std::panic::catch_unwind(made).ok().flatten() }
}

/// A `pattern`, for the crate to ask.
pub(crate) struct Ecma {
    regex: Regex,
    looping: bool,
    /// Something was not decided.
    gave_up: Arc<AtomicBool>,
}

impl Ecma {
    pub(crate) fn new<'a>(value: &Value, gave_up: &Arc<AtomicBool>) -> Result<Ecma, ValidationError<'a>> {
        let text = value.as_str().ok_or_else(|| ValidationError::custom("a pattern must be a string"))?;
        let regex = compiled(text).ok_or_else(|| ValidationError::custom(format!("{text:?} is not a \"regex\"")))?;
        Ok(Ecma { regex, looping: is_looping(text), gave_up: gave_up.clone() })
    }
}

impl<'i> Keyword<'i> for Ecma {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) { Ok(()) } else { Err(ValidationError::custom("does not match")) }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        let Some(text) = instance.as_str() else { return true };
        if self.looping && text.chars().count() > LONGEST {
            self.gave_up.store(true, Ordering::Relaxed);
            return true;
        }
        self.regex.find(text).is_some()
    }
}
