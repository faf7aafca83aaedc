//! The narrow waist between contract formats and generated code.
//!
//! Knows: schemas as data ([`Schema`]), where they are ([`Place`]), how they refer to each other ([`link`]),
//! what they are called ([`naming`]), what types they amount to ([`normalize`]) and how all of this is digested
//! ([`digest`]). Does *not* know: any contract format, any Python, salsa, or the file system.

pub mod digest;
mod json;
mod judge;
pub mod key;
pub mod link;
pub mod naming;
mod node;
pub mod normalize;
pub mod plain;
pub mod samples;
mod schema;

pub use digest::{Digest, Encode, Encoder, View};
pub use json::{Distinct, Json, Number};
pub use judge::{Asked, Judge, Question};
pub use key::KeyPart;
pub use link::{Contract, Export, Exports, FileId, Forms, Link, Place, Reach, Resolve, Scopes};
pub use node::{
    Capability, Dependency, ErrorType, Handler, Machine, MachineState, ModelUse, NodeManifest, Operation, Retry, Route,
    Routing, Setting, Topic, TopicRole, Transition, Version,
};
pub use schema::{
    ArrayRules, Condition, Contains, External, Logic, Node, Notes, NumberRules, ObjectRules, Pointer, Property,
    RefTarget, Reference, Schema, StringRules, TypeSet,
};
