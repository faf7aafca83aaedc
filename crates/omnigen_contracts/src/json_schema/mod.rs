//! JSON Schema: drafts 2020-12 and draft-07 in full measure, the others as the nearest of the two.
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

pub(crate) use keywords::{Dialect, Draft, is_known};
pub(crate) use lower::{Lowerer, lower};
pub(crate) use references::{LocalReference, loops};
pub(crate) use resources::Resources;
