//! ECMA 262 patterns as Python's `re` has them.
//!
//! JSON Schema patterns are ECMA 262 regular expressions, best in unicode mode (core, section 6.4). Python's `re` differs in
//! what `$`, `.`, `\d`, `\s`, `\w` and `\b` mean, in its syntax for names and properties, and in what it takes for a quantifier.
//! Knows both; does not match anything itself.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

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
    known(pattern).translated.clone()
}

/// What there is to know of a pattern.
struct Known {
    translated: Result<String, PatternError>,
    /// Can a search take exponential time? `false` without a translation.
    slow: bool,
}

thread_local! {
    /// Patterns come again and again, in each target and from contract to contract.
    static KNOWN: RefCell<FxHashMap<Box<str>, Rc<Known>>> = RefCell::default();
}

/// So many patterns are remembered.
const MOST: usize = 256;

fn known(pattern: &str) -> Rc<Known> {
    KNOWN.with_borrow_mut(|all| {
        if let Some(known) = all.get(pattern) {
            return known.clone();
        }
        let parsed = parse::parse(pattern);
        let translated = parsed.as_ref().map_err(PatternError::clone).and_then(|parsed| emit::emit(&parsed.body));
        let slow = translated.is_ok() && parsed.is_ok_and(|parsed| slow::is_slow(&parsed.body));
        let known = Rc::new(Known { translated, slow });
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(pattern.into(), known.clone());
        known
    })
}

/// A translated pattern as a raw string literal.
pub fn literal(translated: &str) -> String {
    format!("r\"{translated}\"")
}

/// Can a search take exponential time, as with `^(a+)+$`? A guess with few false alarms; `false` for what has no translation.
pub fn is_slow(pattern: &str) -> bool {
    known(pattern).slow
}
