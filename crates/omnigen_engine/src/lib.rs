//! The graph: inputs, every tracked query, what each artifact has read, what is dirty. Pure.
//!
//! Knows salsa and rayon, alone among the crates. Does not know files, clocks, processes or the manifest's bytes: text is
//! pushed in, and what is missing is *asked for* ([`Built::needs`]) and set as an input before the same question is asked again.

mod current;
mod definitions_tests;
mod exports_tests;
mod findings;
mod follow;
mod foreign_tests;
mod forms;
mod graph;
mod includes;
mod inputs;
mod lean;
mod prompt;
mod requests;
mod retrieval;
mod settings;
mod tasks;
mod trace;
mod verdicts;

pub use graph::{Counter, Graph};
pub use inputs::{Content, Project, Stored};
pub use prompt::{render, template_problem};
pub use requests::{AgentTarget, File, Given, Package, Planned, Request, Sees, Sent, output_path};
pub use retrieval::Library;
pub use settings::Setting;
pub use trace::{Built, Outline, Read, ReadKey, State, Target};

pub use omnigen_contracts::{DRAFTS, Lookup, document, locate, remote};
pub use omnigen_python::Settings;
pub use omnigen_python::external::Imports;
