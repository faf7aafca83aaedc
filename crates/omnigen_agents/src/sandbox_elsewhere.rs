//! No walls: only Linux offers them without privileges. Groups, limits and the empty environment remain.

use std::path::PathBuf;

/// What one program may reach; not enforced here.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "what is declared is the same on every system")]
pub(crate) struct Walls {
    pub(crate) scratch: PathBuf,
    pub(crate) program: PathBuf,
    pub(crate) read: Vec<PathBuf>,
    pub(crate) network: bool,
}
