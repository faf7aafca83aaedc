//! Python out of the IR: models, validators, tests, manifests of nodes. Pure text; laid out as `ruff format` would.
//!
//! Knows Python. Does not know files, headers (the ownership mark is put before the body when it is written), or salsa:
//! everything about other schemas comes through [`omnigen_ir::Resolve`].
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests run Python over what is generated"))]

pub mod exports_tests;
pub mod external;
pub mod layout;
pub mod nodes;
mod nodes_tests;
pub mod pydantic;
pub mod pytest;
pub mod regex;
pub mod validators;

use omnigen_ir::naming::Naming;
use omnigen_report::Diagnostic;

/// What of the configuration decides about the text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// How classes are called.
    pub naming: Naming,
    /// `[python] line-length`, columns; 88 unless configured.
    pub line_length: usize,
    /// `[python.external]`: where foreign classes are imported from.
    pub external: external::Imports,
    /// `[python] format`: is `format` asserted by validators, or an annotation (the specification's default)?
    pub assert_formats: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            naming: Naming::default(),
            line_length: 88,
            external: external::Imports::default(),
            assert_formats: false,
        }
    }
}

/// A generated module, and what could not be said in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// The text behind the header: starts with the module's docstring, ends with one newline.
    pub body: String,
    /// Findings of this target only (those of the contract itself come from its declarations).
    pub diagnostics: Vec<Diagnostic>,
}
