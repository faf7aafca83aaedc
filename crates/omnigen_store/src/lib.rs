//! omnigen_store
