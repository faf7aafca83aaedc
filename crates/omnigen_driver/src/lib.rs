//! omnigen_driver
