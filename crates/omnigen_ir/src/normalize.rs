//! From schemas to types.
