//! Schemas as data, independent of the draft and format that they were written in.
//!
//! A [`Node`] holds every assertion of one schema; the rules for one instance type sit together and are absent as a
//! whole when nothing was said. `$defs` are not part of a node: a file's definitions are listed beside its root.

use crate::{Json, Number};

/// A JSON pointer (RFC 6901) into a contract's document; the root is the empty string.
pub type Pointer = Box<str>;

/// A schema: `true`, `false`, or assertions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema {
    /// `true` (and `{}`) accepts everything, `false` nothing.
    Bool(bool),
    /// A schema object with at least one assertion, reference or annotation.
    Node(Box<Node>),
}

impl Schema {
    /// The node, unless this is a boolean schema.
    pub fn node(&self) -> Option<&Node> {
        match self {
            Schema::Node(node) => Some(node),
            Schema::Bool(_) => None,
        }
    }

    /// The schema at `rest`, a pointer relative to this schema (empty, or `/properties/x…`).
    pub fn at(&self, rest: &str) -> Option<&Schema> {
        if rest.is_empty() {
            return Some(self);
        }
        let node = self.node()?;
        if let Some((property, inner)) = node.property(rest) {
            return property.at(inner);
        }
        let mut found = None;
        node.children(&mut |pointer, child| {
            if found.is_none()
                && let Some(inner) = rest.strip_prefix(pointer)
                && (inner.is_empty() || inner.starts_with('/'))
            {
                found = child.at(inner);
            }
        });
        found
    }
}

/// The instance types that a schema's `type` allows. `integer` is kept apart from `number`; a set with `number`
/// admits integers whether or not `integer` is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct TypeSet(u8);

impl TypeSet {
    /// Nothing.
    pub const NONE: TypeSet = TypeSet(0);
    /// `null`
    pub const NULL: TypeSet = TypeSet(1);
    /// `boolean`
    pub const BOOLEAN: TypeSet = TypeSet(2);
    /// `integer`: numbers without a fraction.
    pub const INTEGER: TypeSet = TypeSet(4);
    /// `number`, integers included.
    pub const NUMBER: TypeSet = TypeSet(4 | 8);
    /// `string`
    pub const STRING: TypeSet = TypeSet(16);
    /// `array`
    pub const ARRAY: TypeSet = TypeSet(32);
    /// `object`
    pub const OBJECT: TypeSet = TypeSet(64);
    /// Every type.
    pub const ALL: TypeSet = TypeSet(127);

    /// The set for a name of the specification.
    pub fn named(name: &str) -> Option<TypeSet> {
        Some(match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => return None,
        })
    }

    /// The type of a value: `INTEGER` for a whole number, `NUMBER` for another number.
    pub fn of(value: &Json) -> TypeSet {
        match value {
            Json::Null => Self::NULL,
            Json::Bool(_) => Self::BOOLEAN,
            Json::Number(n) if n.is_integer() => Self::INTEGER,
            Json::Number(_) => Self::NUMBER,
            Json::String(_) => Self::STRING,
            Json::Array(_) => Self::ARRAY,
            Json::Object(_) => Self::OBJECT,
        }
    }

    /// Names in the order null, boolean, integer, number, string, array, object; `number` hides `integer`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        [
            (Self::NULL, "null"),
            (Self::BOOLEAN, "boolean"),
            (Self::INTEGER, "integer"),
            (Self::NUMBER, "number"),
            (Self::STRING, "string"),
            (Self::ARRAY, "array"),
            (Self::OBJECT, "object"),
        ]
        .into_iter()
        .filter(move |&(set, name)| self.has(set) && !(name == "integer" && self.has(Self::NUMBER)))
        .map(|(_, name)| name)
    }

    /// Does it hold all of `other`?
    pub fn has(self, other: TypeSet) -> bool {
        self.0 & other.0 == other.0
    }

    /// Have they a type in common?
    pub fn meets(self, other: TypeSet) -> bool {
        self.0 & other.0 != 0
    }

    /// Both together.
    pub fn or(self, other: TypeSet) -> TypeSet {
        TypeSet(self.0 | other.0)
    }

    /// What both hold.
    pub fn and(self, other: TypeSet) -> TypeSet {
        TypeSet(self.0 & other.0)
    }

    /// Is nothing allowed?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The bits, for digests: null 1, boolean 2, integer 4, other numbers 8, string 16, array 32, object 64.
    pub fn bits(self) -> u8 {
        self.0
    }
}

/// One schema object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Where it stands in its file.
    pub at: Pointer,
    /// `$ref`. In draft-07 and before nothing stands beside it (core, section 8.3): the loader has dropped siblings.
    pub reference: Option<Box<Reference>>,
    /// `type`; `None` allows all.
    pub types: Option<TypeSet>,
    /// `enum`
    pub enumeration: Option<Vec<Json>>,
    /// `const`
    pub constant: Option<Json>,
    /// What holds for numbers.
    pub number: Option<Box<NumberRules>>,
    /// What holds for strings.
    pub string: Option<Box<StringRules>>,
    /// What holds for arrays.
    pub array: Option<Box<ArrayRules>>,
    /// What holds for objects.
    pub object: Option<Box<ObjectRules>>,
    /// Combinations of schemas.
    pub logic: Option<Box<Logic>>,
    /// A class of another language that the contract names and does not describe: everything is allowed, and whoever writes a
    /// type for it may know more.
    pub external: Option<Box<External>>,
    /// What asserts nothing.
    pub notes: Option<Box<Notes>>,
}

/// A class by name, as ONEX contracts refer to Python's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// Its module, with dots; `None` if the contract does not say.
    pub module: Option<Box<str>>,
    /// Its name in the module.
    pub name: Box<str>,
}

impl External {
    /// Module and name with a dot between them.
    pub fn path(&self) -> String {
        match &self.module {
            Some(module) => format!("{module}.{}", self.name),
            None => self.name.to_string(),
        }
    }
}

/// `$ref` as written, and where it leads as far as one file can tell.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reference {
    /// The text of the document.
    pub text: Box<str>,
    /// Where it leads.
    pub target: RefTarget,
    /// Of a dynamic reference (2020-12 core, section 8.2.3.2) the anchor that it looks up in the schemas under way, the outermost
    /// first; empty for `$recursiveRef` (2019-09 core, section 8.2.4.2). `target` is where it leads if nobody has that anchor.
    pub dynamic: Option<Box<str>>,
}

/// Where a reference leads, as far as its own file can tell.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum RefTarget {
    /// To a schema of the same file.
    Here(Pointer),
    /// Out of the file: an absolute URI without fragment, and the fragment (decoded; a pointer, an anchor, or empty).
    /// A file without `$id` has the base `file:///<its path>`, so a relative path becomes `file:///<path>`.
    Elsewhere {
        /// Absolute, normalised.
        uri: Box<str>,
        /// Percent-decoded.
        fragment: Box<str>,
        /// If the text was a relative path: the project path that it names seen from the folder of this file, for
        /// the common case of an `$id` that names no real place.
        beside: Option<Box<str>>,
    },
    /// Into this file, but nothing is there; the loader has reported it.
    Dangling,
}

/// Numeric assertions (2020-12 validation, section 6.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberRules {
    /// `minimum`
    pub minimum: Option<Number>,
    /// `exclusiveMinimum`
    pub exclusive_minimum: Option<Number>,
    /// `maximum`
    pub maximum: Option<Number>,
    /// `exclusiveMaximum`
    pub exclusive_maximum: Option<Number>,
    /// `multipleOf`, greater than zero.
    pub multiple_of: Option<Number>,
    /// `integer` in draft-04: a number written with a fraction, as `1.0`, is none (core, section 3.5).
    pub unfractioned: bool,
}

/// String assertions (2020-12 validation, sections 6.3 and 7). Lengths count code points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StringRules {
    /// `minLength`
    pub min_length: Option<u64>,
    /// `maxLength`
    pub max_length: Option<u64>,
    /// `pattern`: ECMA 262 text, searched, not anchored.
    pub pattern: Option<Box<str>>,
    /// `format`
    pub format: Option<Box<str>>,
    /// The dialect asserts formats, whatever the configuration says (2020-12 validation, section 7.2.2).
    pub asserted: bool,
}

/// Array assertions and applicators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrayRules {
    /// `prefixItems` (draft-07: `items` as an array).
    pub prefix: Vec<Schema>,
    /// `items` (draft-07: `additionalItems` beside an array, else `items`): what holds after the prefix.
    pub items: Option<Schema>,
    /// `contains` with its bounds.
    pub contains: Option<Contains>,
    /// `minItems`
    pub min_items: Option<u64>,
    /// `maxItems`
    pub max_items: Option<u64>,
    /// `uniqueItems`
    pub unique: bool,
    /// `unevaluatedItems`
    pub unevaluated: Option<Schema>,
}

/// `contains`, `minContains`, `maxContains`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contains {
    /// What the counted items match.
    pub schema: Schema,
    /// At least so many; 1 unless stated.
    pub min: u64,
    /// At most so many.
    pub max: Option<u64>,
    /// Does it evaluate the items that match (2020-12 core, section 10.3.1.3)? Not in earlier drafts.
    pub evaluates: bool,
}

/// Object assertions and applicators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectRules {
    /// `properties`, in document order.
    pub properties: Vec<Property>,
    /// `patternProperties`: ECMA 262 pattern and schema.
    pub patterns: Vec<(Box<str>, Schema)>,
    /// `additionalProperties`
    pub additional: Option<Schema>,
    /// `propertyNames`
    pub names: Option<Schema>,
    /// `required`, in document order, each name once.
    pub required: Vec<Box<str>>,
    /// `minProperties`
    pub min_properties: Option<u64>,
    /// `maxProperties`
    pub max_properties: Option<u64>,
    /// `dependentRequired`
    pub dependent_required: Vec<(Box<str>, Vec<Box<str>>)>,
    /// `dependentSchemas`
    pub dependent_schemas: Vec<(Box<str>, Schema)>,
    /// `unevaluatedProperties`
    pub unevaluated: Option<Schema>,
}

/// One entry of `properties`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The name in JSON.
    pub name: Box<str>,
    /// Its schema.
    pub schema: Schema,
}

/// Combinators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logic {
    /// `allOf`
    pub all_of: Vec<Schema>,
    /// `anyOf`; empty means absent.
    pub any_of: Vec<Schema>,
    /// `oneOf`; empty means absent.
    pub one_of: Vec<Schema>,
    /// `not`
    pub not: Option<Schema>,
    /// `if`, `then`, `else`
    pub condition: Option<Condition>,
}

/// `if` with its branches; without both branches it only evaluates properties and items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `if`
    pub test: Schema,
    /// `then`
    pub then: Option<Schema>,
    /// `else`
    pub otherwise: Option<Schema>,
}

/// Annotations: they never decide validity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// `title`
    pub title: Option<Box<str>>,
    /// `description`
    pub description: Option<Box<str>>,
    /// `default`
    pub default: Option<Json>,
    /// `examples` (and `example`, as a list of one)
    pub examples: Vec<Json>,
    /// `deprecated`
    pub deprecated: bool,
    /// `readOnly`
    pub read_only: bool,
    /// `writeOnly`
    pub write_only: bool,
    /// Values are not changed once they are made (ONEX' `frozen`).
    pub frozen: bool,
}

impl Node {
    /// A node that says nothing, at a place.
    pub fn new(at: &str) -> Node {
        Node { at: at.into(), ..Node::default() }
    }

    /// The property at `rest`, a pointer relative to this node, and what is left of that. Objects may have thousands.
    fn property<'s, 'r>(&'s self, rest: &'r str) -> Option<(&'s Schema, &'r str)> {
        let token = rest.strip_prefix("/properties/")?;
        let length = token.find('/').unwrap_or(token.len());
        let taken = rest.len() - token.len() + length;
        let plain = !token[..length].contains('~');
        let named = |name: &str| if plain { *name == token[..length] } else { *escape(name) == token[..length] };
        let property = &self.object.as_deref()?.properties.iter().find(|property| named(&property.name))?.schema;
        // It stands where its name says, unless another keyword was read as `properties`.
        let there = property.node().is_none_or(|node| {
            node.at.len() == self.at.len() + taken
                && node.at.starts_with(&*self.at)
                && node.at.ends_with(&rest[..taken])
        });
        there.then_some((property, &rest[taken..]))
    }

    /// Where it leads within its file, if it is nothing but such a reference and annotations.
    pub fn forward(&self) -> Option<&str> {
        let reference = self.reference.as_deref()?;
        match &reference.target {
            RefTarget::Here(pointer) if self.is_only_reference() && reference.dynamic.is_none() => Some(pointer),
            _ => None,
        }
    }

    /// Does it say nothing but where to look, annotations aside?
    pub fn is_only_reference(&self) -> bool {
        let Node {
            at: _,
            reference,
            types,
            enumeration,
            constant,
            number,
            string,
            array,
            object,
            logic,
            external,
            notes: _,
        } = self;
        let rules = number.is_some() || string.is_some() || array.is_some() || object.is_some();
        let own = types.is_some() || enumeration.is_some() || constant.is_some() || rules || logic.is_some();
        reference.is_some() && !own && external.is_none()
    }

    /// The node, and those that apply to the same data whenever it does: what circles of references without content are made of.
    pub fn in_place<'a>(&'a self, f: &mut dyn FnMut(&'a Node)) {
        f(self);
        let Some(logic) = self.logic.as_deref() else { return };
        let Logic { all_of, any_of, one_of, not, condition } = logic;
        let test = condition.as_ref().map(|condition| &condition.test);
        let schemas = all_of.iter().chain(any_of).chain(one_of).chain(not.as_ref()).chain(test);
        schemas.filter_map(Schema::node).for_each(|node| node.in_place(f));
    }

    /// Calls `f` with every direct subschema and its pointer relative to this node (escaped, with a leading slash), in a
    /// fixed order. The keyword is the one the schema *stands* under: it is read off the child where that has a place.
    pub fn children<'a>(&'a self, f: &mut dyn FnMut(&str, &'a Schema)) {
        // Most children know where they stand: the pointer is spelled out only for the others.
        self.keyed(&mut |keyword, key, schema| match schema {
            Schema::Node(node) if node.at.starts_with(&*self.at) => f(&node.at[self.at.len()..], schema),
            _ => match key {
                Some(Key::Name(name)) => f(&["/", keyword, "/", &escape(name)].concat(), schema),
                Some(Key::Index(index)) => f(&format!("/{keyword}/{index}"), schema),
                None => f(&["/", keyword].concat(), schema),
            },
        });
    }

    /// Calls `f` with every direct subschema, in the order of [`Node::children`].
    pub fn each_child<'a>(&'a self, f: &mut dyn FnMut(&'a Schema)) {
        self.keyed(&mut |_, _, schema| f(schema));
    }

    /// Like [`Node::each_child`], with the name if it is that of a property.
    pub fn each_member<'a>(&'a self, f: &mut dyn FnMut(Option<&'a str>, &'a Schema)) {
        self.keyed(&mut |keyword, key, schema| match key {
            Some(Key::Name(name)) if keyword == "properties" => f(Some(name), schema),
            _ => f(None, schema),
        });
    }

    fn keyed<'a>(&'a self, give: &mut dyn FnMut(&str, Option<Key<'a>>, &'a Schema)) {
        if let Some(array) = self.array.as_deref() {
            for (i, schema) in array.prefix.iter().enumerate() {
                give("prefixItems", Some(Key::Index(i)), schema);
            }
            if let Some(schema) = &array.items {
                give("items", None, schema);
            }
            if let Some(contains) = &array.contains {
                give("contains", None, &contains.schema);
            }
            if let Some(schema) = &array.unevaluated {
                give("unevaluatedItems", None, schema);
            }
        }
        if let Some(object) = self.object.as_deref() {
            for property in &object.properties {
                give("properties", Some(Key::Name(&property.name)), &property.schema);
            }
            for (pattern, schema) in &object.patterns {
                give("patternProperties", Some(Key::Name(pattern)), schema);
            }
            if let Some(schema) = &object.additional {
                give("additionalProperties", None, schema);
            }
            if let Some(schema) = &object.names {
                give("propertyNames", None, schema);
            }
            for (name, schema) in &object.dependent_schemas {
                give("dependentSchemas", Some(Key::Name(name)), schema);
            }
            if let Some(schema) = &object.unevaluated {
                give("unevaluatedProperties", None, schema);
            }
        }
        if let Some(logic) = self.logic.as_deref() {
            for (keyword, list) in [("allOf", &logic.all_of), ("anyOf", &logic.any_of), ("oneOf", &logic.one_of)] {
                for (i, schema) in list.iter().enumerate() {
                    give(keyword, Some(Key::Index(i)), schema);
                }
            }
            if let Some(schema) = &logic.not {
                give("not", None, schema);
            }
            if let Some(condition) = &logic.condition {
                give("if", None, &condition.test);
                if let Some(schema) = &condition.then {
                    give("then", None, schema);
                }
                if let Some(schema) = &condition.otherwise {
                    give("else", None, schema);
                }
            }
        }
    }
}

/// Where a subschema stands below its keyword.
enum Key<'k> {
    Name(&'k str),
    Index(usize),
}

/// Escapes one token of a JSON pointer (RFC 6901, section 3).
pub(crate) fn escape(token: &str) -> std::borrow::Cow<'_, str> {
    if token.contains(['~', '/']) { token.replace('~', "~0").replace('/', "~1").into() } else { token.into() }
}
