//! What is said to people and programs: diagnostics with stable codes, build events, and their plain and JSON rendering.
//!
//! Knows no other crate. Does not print: it renders to a [`std::fmt::Write`], and the binary decides where that goes.

mod codes;
mod diagnostic;

pub use codes::Code;
pub use diagnostic::{At, Diagnostic, Severity, Spot};
