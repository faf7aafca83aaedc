//! omnigen_disk
