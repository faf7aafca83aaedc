//! What `discriminator` says about the schemas that it chooses between.

use omnigen_ir::{Pointer, Schema};

use crate::json_schema::Lowerer;

/// Gives schemas the tags by which a discriminator chooses them.
pub(super) fn apply(
    _lowerer: &mut Lowerer<'_, '_>,
    _definitions: &mut Vec<(Pointer, Schema)>,
    _exported: &mut Vec<Pointer>,
) {
}
