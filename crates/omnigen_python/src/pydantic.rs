//! pydantic
