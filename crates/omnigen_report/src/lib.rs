//! What is said to people and programs: diagnostics with stable codes, build events, and their plain and JSON rendering.
//!
//! Knows no other crate. Does not print: it renders to a [`std::fmt::Write`], and the binary decides where that goes.

mod codes;
mod diagnostic;
mod events;
mod exit;
mod fold;
pub mod machine;
mod nearest;
mod pages;
mod render;
mod shown;
pub mod summary;
mod task_events;

pub use codes::Code;
pub use diagnostic::{At, Diagnostic, Severity, Spot};
pub use events::{BuildEvent, CallResult, Carried, Change, ChangeKind, schema, schema_of};
pub use exit::Exit;
pub use fold::{Folded, fold};
pub use nearest::nearest;
pub use pages::{Page, all_pages, markdown};
pub use render::{event_json, heading, plain};
pub use shown::{Marked, Position, Related, Shown, Source, position};
pub use summary::{Activity, Summary, count, duration, thousands};
pub use task_events::{TaskEvent, TaskEventKind};
