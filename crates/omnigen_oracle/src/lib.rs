//! Is this document valid? An independent answer, for generated tests: the `jsonschema` crate, the slow compile, alone here.
