//! How a run ends, as a word and as the number that the process gives back. Both are stable.

use serde::{Deserialize, Serialize};

/// If several hold: [`Exit::Usage`], then [`Exit::Agent`], then [`Exit::Errors`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// 0: everything was done.
    #[default]
    Done,
    /// 1: contracts have errors, or `--check` found outputs that are not up to date. What could be built is built.
    Errors,
    /// 2: the command line, the configuration or the machine does not allow it.
    Usage,
    /// 3: an agent gave no usable answer, or one is needed and may not be asked for.
    Agent,
    /// 101: a bug of omnigen. The number is what Rust itself uses for a panic.
    Bug,
    /// 130: stopped by Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Errors => 1,
            Exit::Usage => 2,
            Exit::Agent => 3,
            Exit::Bug => 101,
            Exit::Interrupted => 130,
        }
    }
}
