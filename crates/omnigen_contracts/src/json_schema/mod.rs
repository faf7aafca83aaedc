//! JSON Schema: drafts 2020-12, 2019-09, -07, -06 and -04, each with its own meaning.
//!
//! Knows one document. What leads out of it stays a URI.

mod keywords;
mod lower;
mod places;
mod references;
mod resources;
mod sense;
mod together;
mod values;

pub use keywords::{DRAFTS, Dialect};
pub(crate) use keywords::{Draft, is_known};
pub(crate) use lower::{Lowerer, lower};
pub(crate) use references::{LocalReference, loops};
pub(crate) use resources::Resources;
