//! omnigen_engine
