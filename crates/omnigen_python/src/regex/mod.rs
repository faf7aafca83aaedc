//! ECMA 262 patterns as Python's `re` has them.
//!
//! JSON Schema patterns are ECMA 262 regular expressions, best in unicode mode (core, section 6.4). Python's `re` differs in
//! what `$`, `.`, `\d`, `\s`, `\w` and `\b` mean, in its syntax for names and properties, and in what it takes for a quantifier.
//! Knows both; does not match anything itself.

mod ambiguous;
mod emit;
mod findings;
mod parse;
mod set;
mod slow;
#[cfg(test)]
mod tests;

pub use findings::findings;

/// Why a pattern has no translation. Offsets are bytes into the pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// It is no regular expression of ECMA 262.
    Bad {
        /// Where.
        at: usize,
        /// What is the matter, without a full stop.
        message: String,
    },
    /// Python's `re` cannot say it.
    NotCarried {
        /// Where.
        at: usize,
        /// What is the matter, without a full stop.
        message: String,
    },
}

/// The pattern of Python's `re` that finds the same under `re.search`, without flags: printable ASCII without double
/// quotes, so that [`literal`] can write it as it is.
pub fn translate(pattern: &str) -> Result<String, PatternError> {
    emit::emit(&parse::parse(pattern)?.body)
}

/// A translated pattern as a raw string literal.
pub fn literal(translated: &str) -> String {
    format!("r\"{translated}\"")
}

/// Can a search take exponential time, as with `^(a+)+$`? A guess with few false alarms; `false` for what is no pattern.
pub fn is_slow(pattern: &str) -> bool {
    parse::parse(pattern).is_ok_and(|parsed| slow::is_slow(&parsed.body))
}
