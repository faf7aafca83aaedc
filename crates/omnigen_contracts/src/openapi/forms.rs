//! What is sent and what is received: `readOnly` and `writeOnly`.

use omnigen_ir::{Pointer, Schema};

/// Splits definitions whose two forms differ.
pub(super) fn split(_definitions: &mut Vec<(Pointer, Schema)>, _exported: &mut Vec<Pointer>) {}
