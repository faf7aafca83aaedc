//! End to end: the binary as a user runs it, and Python as a user runs it.
#![expect(clippy::disallowed_methods, reason = "tests make files and run programs")]

mod agents;
mod broken;
mod cases;
mod cli;
mod codes;
mod counts;
mod dialects;
mod endpoints;
mod explain;
mod gates;
mod golden;
mod incremental;
mod keys;
mod killed;
mod lifecycle;
mod machines;
mod onex;
mod plan;
mod python;
mod random;
mod shared;
mod suite;
mod trust;
mod vendor;
mod watch;
mod watching;
