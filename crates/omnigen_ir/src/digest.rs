//! Digests: BLAKE3 over a documented encoding.
//!
//! The encoding of a value is its parts in declaration order. Integers are 8 bytes little-endian; strings and byte
//! strings are their length, then the bytes; an option is `0`, or `1` and the value; a list is its length, then the items;
//! an enum is one byte for the variant (in the order of declaration), then its parts. Every kind of digest starts with a
//! domain string, so that equal parts of different kinds differ.

use std::fmt;
use std::sync::LazyLock;

use crate::schema::*;
use crate::{Json, Number};

/// A BLAKE3 digest, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// As one byte string: an array would be 32 values.
impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let bytes: &[u8] = serde::Deserialize::deserialize(deserializer)?;
        let bytes = bytes.try_into().map_err(|_| serde::de::Error::invalid_length(bytes.len(), &"32 bytes"))?;
        Ok(Digest(bytes))
    }
}

impl Digest {
    /// The digest of a byte string as it is (a file's content, a blob).
    pub fn of(bytes: &[u8]) -> Digest {
        // Asked for again and again: what makes nothing has this digest.
        static NOTHING: LazyLock<Digest> = LazyLock::new(|| Digest(*blake3::hash(b"").as_bytes()));
        if bytes.is_empty() { *NOTHING } else { Digest(*blake3::hash(bytes).as_bytes()) }
    }

    /// From stored bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Digest {
        Digest(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().as_str().to_owned()
    }

    /// From 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Digest> {
        blake3::Hash::from_hex(text).ok().map(|hash| Digest(*hash.as_bytes()))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex()[..12])
    }
}

/// What of a schema counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum View {
    /// What decides validity: annotations are left out.
    Meaning,
    /// Everything, annotations included.
    Full,
}

/// Collects the encoding of a value.
pub struct Encoder {
    /// What was hashed already, of a large value.
    hasher: Option<Box<blake3::Hasher>>,
    /// Small parts are gathered here: hashing a few bytes at a time is what costs.
    buffer: Vec<u8>,
    view: View,
    /// Where the buffer has annotations, if both views are wanted of one walk; nothing is hashed before its end then.
    annotations: Option<Vec<std::ops::Range<usize>>>,
}

impl Encoder {
    /// An encoder for a kind of digest.
    pub fn new(domain: &str, view: View) -> Encoder {
        let mut encoder = Encoder { hasher: None, buffer: Vec::with_capacity(1024), view, annotations: None };
        encoder.str(domain);
        encoder
    }

    /// One byte: a variant or a flag.
    pub fn byte(&mut self, value: u8) {
        self.buffer.push(value);
    }

    /// An integer.
    pub fn int(&mut self, value: u64) {
        self.buffer.extend_from_slice(&value.to_le_bytes());
    }

    /// A string.
    pub fn str(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) {
        self.int(value.len() as u64);
        self.buffer.extend_from_slice(value);
        if self.buffer.len() > 1 << 14 && self.annotations.is_none() {
            self.hasher.get_or_insert_default().update(&self.buffer);
            self.buffer.clear();
        }
    }

    /// A digest.
    pub fn digest(&mut self, value: &Digest) {
        self.buffer.extend_from_slice(value.as_bytes());
    }

    /// A part.
    pub fn part<T: Encode + ?Sized>(&mut self, value: &T) {
        value.encode(self);
    }

    /// The digest of all parts.
    pub fn finish(self) -> Digest {
        match self.hasher {
            None => Digest::of(&self.buffer),
            Some(mut hasher) => Digest(*hasher.update(&self.buffer).finalize().as_bytes()),
        }
    }
}

impl Schema {
    /// The digests in [`View::Meaning`] and [`View::Full`], by one walk.
    pub fn digests(&self, domain: &str) -> (Digest, Digest) {
        let mut encoder = Encoder::new(domain, View::Full);
        encoder.annotations = Some(Vec::new());
        self.encode(&mut encoder);
        let full = Digest::of(&encoder.buffer);
        let mut meaning = Vec::with_capacity(encoder.buffer.len());
        let mut from = 0;
        for range in encoder.annotations.into_iter().flatten() {
            meaning.extend_from_slice(&encoder.buffer[from..range.start]);
            from = range.end;
        }
        meaning.extend_from_slice(&encoder.buffer[from..]);
        (Digest::of(&meaning), full)
    }
}

/// Values with a digest.
pub trait Encode {
    /// Feeds the parts, in the order of declaration.
    fn encode(&self, to: &mut Encoder);

    /// The digest in a domain and view.
    fn digest(&self, domain: &str, view: View) -> Digest {
        let mut encoder = Encoder::new(domain, view);
        self.encode(&mut encoder);
        encoder.finish()
    }
}

impl Encode for str {
    fn encode(&self, to: &mut Encoder) {
        to.str(self);
    }
}
impl Encode for Box<str> {
    fn encode(&self, to: &mut Encoder) {
        to.str(self);
    }
}
impl Encode for String {
    fn encode(&self, to: &mut Encoder) {
        to.str(self);
    }
}
impl Encode for u64 {
    fn encode(&self, to: &mut Encoder) {
        to.int(*self);
    }
}
impl Encode for bool {
    fn encode(&self, to: &mut Encoder) {
        to.byte(u8::from(*self));
    }
}
impl Encode for Digest {
    fn encode(&self, to: &mut Encoder) {
        to.digest(self);
    }
}
impl<T: Encode> Encode for Option<T> {
    fn encode(&self, to: &mut Encoder) {
        match self {
            None => to.byte(0),
            Some(value) => {
                to.byte(1);
                value.encode(to);
            }
        }
    }
}
impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, to: &mut Encoder) {
        to.int(self.len() as u64);
        for item in self {
            item.encode(to);
        }
    }
}
impl<T: Encode> Encode for Box<T> {
    fn encode(&self, to: &mut Encoder) {
        (**self).encode(to);
    }
}
impl<A: Encode, B: Encode> Encode for (A, B) {
    fn encode(&self, to: &mut Encoder) {
        self.0.encode(to);
        self.1.encode(to);
    }
}
impl Encode for Number {
    fn encode(&self, to: &mut Encoder) {
        to.str(self.text());
    }
}
impl Encode for Json {
    fn encode(&self, to: &mut Encoder) {
        match self {
            Json::Null => to.byte(0),
            Json::Bool(value) => {
                to.byte(1);
                value.encode(to);
            }
            Json::Number(value) => {
                to.byte(2);
                value.encode(to);
            }
            Json::String(value) => {
                to.byte(3);
                value.encode(to);
            }
            Json::Array(items) => {
                to.byte(4);
                items.encode(to);
            }
            Json::Object(members) => {
                to.byte(5);
                members.encode(to);
            }
        }
    }
}

/// Encodes a struct whole: a new field does not compile until somebody has decided about it.
macro_rules! encode_struct {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl Encode for $type {
            fn encode(&self, to: &mut Encoder) {
                let $type { $($field),* } = self;
                $( $field.encode(to); )*
            }
        }
    };
}

encode_struct!(Reference { text, target, dynamic });
encode_struct!(NumberRules { minimum, exclusive_minimum, maximum, exclusive_maximum, multiple_of, unfractioned });
encode_struct!(StringRules { min_length, max_length, pattern, format, asserted });
encode_struct!(ArrayRules { prefix, items, contains, min_items, max_items, unique, unevaluated });
encode_struct!(Contains { schema, min, max, evaluates });
encode_struct!(ObjectRules {
    properties,
    patterns,
    additional,
    names,
    required,
    min_properties,
    max_properties,
    dependent_required,
    dependent_schemas,
    unevaluated,
});
encode_struct!(Property { name, schema });
encode_struct!(Logic { all_of, any_of, one_of, not, condition });
encode_struct!(Condition { test, then, otherwise });
encode_struct!(Notes { title, description, default, examples, deprecated, read_only, write_only, frozen });
encode_struct!(External { module, name });

impl Encode for TypeSet {
    fn encode(&self, to: &mut Encoder) {
        to.byte(self.bits());
    }
}
impl Encode for RefTarget {
    fn encode(&self, to: &mut Encoder) {
        match self {
            RefTarget::Here(pointer) => {
                to.byte(0);
                pointer.encode(to);
            }
            RefTarget::Elsewhere { uri, fragment, beside } => {
                to.byte(1);
                uri.encode(to);
                fragment.encode(to);
                beside.encode(to);
            }
            RefTarget::Dangling => to.byte(2),
        }
    }
}
impl Encode for Schema {
    fn encode(&self, to: &mut Encoder) {
        match self {
            Schema::Bool(value) => {
                to.byte(0);
                value.encode(to);
            }
            Schema::Node(node) => {
                to.byte(1);
                node.encode(to);
            }
        }
    }
}
impl Encode for Node {
    fn encode(&self, to: &mut Encoder) {
        let Node { at, reference, types, enumeration, constant, number, string, array, object, logic, external, notes } =
            self;
        at.encode(to);
        reference.encode(to);
        types.encode(to);
        enumeration.encode(to);
        constant.encode(to);
        number.encode(to);
        string.encode(to);
        array.encode(to);
        object.encode(to);
        logic.encode(to);
        external.encode(to);
        if to.view == View::Full {
            let start = to.buffer.len();
            notes.encode(to);
            let end = to.buffer.len();
            if let Some(annotations) = &mut to.annotations {
                annotations.push(start..end);
            }
        }
    }
}
