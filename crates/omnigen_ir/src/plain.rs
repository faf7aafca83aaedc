//! Schemas written as JSON Schema 2020-12 again: for a judge that knows no other dialect.

use crate::{
    ArrayRules, Condition, Contains, Json, Logic, Node, Number, NumberRules, ObjectRules, Reference, Schema,
    StringRules,
};

/// The schema as a document. `reference` gives the text of a `$ref`. Annotations are left out.
pub fn schema(schema: &Schema, reference: &dyn Fn(&Reference) -> String) -> Json {
    let node = match schema {
        Schema::Bool(flag) => return Json::Bool(*flag),
        Schema::Node(node) => node,
    };
    let Node {
        at: _,
        reference: leads,
        types,
        enumeration,
        constant,
        number,
        string,
        array,
        object,
        logic,
        external: _,
        notes: _,
    } = &**node;
    let mut writer = Writer { members: Vec::new(), reference };
    if let Some(leads) = leads {
        writer.put("$ref", Json::String(reference(leads).into()));
    }
    if let Some(types) = types {
        writer.put("type", Json::Array(types.names().map(|name| Json::String(name.into())).collect()));
    }
    if let Some(values) = enumeration {
        writer.put("enum", Json::Array(values.clone()));
    }
    if let Some(value) = constant {
        writer.put("const", value.clone());
    }
    if let Some(rules) = number {
        writer.number(rules);
    }
    if let Some(rules) = string {
        writer.string(rules);
    }
    if let Some(rules) = array {
        writer.array(rules);
    }
    if let Some(rules) = object {
        writer.object(rules);
    }
    if let Some(logic) = logic {
        writer.logic(logic);
    }
    Json::Object(writer.members)
}

struct Writer<'a> {
    members: Vec<(Box<str>, Json)>,
    reference: &'a dyn Fn(&Reference) -> String,
}

impl Writer<'_> {
    fn put(&mut self, name: &str, value: Json) {
        self.members.push((name.into(), value));
    }

    fn one(&mut self, name: &str, inner: &Option<Schema>) {
        if let Some(inner) = inner {
            self.put(name, schema(inner, self.reference));
        }
    }

    fn list(&mut self, name: &str, list: &[Schema]) {
        if !list.is_empty() {
            self.put(name, Json::Array(list.iter().map(|inner| schema(inner, self.reference)).collect()));
        }
    }

    fn map<'s>(&mut self, name: &str, map: impl ExactSizeIterator<Item = (&'s str, &'s Schema)>) {
        if map.len() > 0 {
            let members = map.map(|(name, inner)| (name.into(), schema(inner, self.reference)));
            self.put(name, Json::Object(members.collect()));
        }
    }

    fn count(&mut self, name: &str, count: Option<u64>) {
        if let Some(number) = count.and_then(|count| Number::new(&count.to_string())) {
            self.put(name, Json::Number(number));
        }
    }

    fn number(&mut self, rules: &NumberRules) {
        // A whole number written with a fraction is no integer in draft-04 alone, in which no such contract is read.
        let NumberRules { minimum, exclusive_minimum, maximum, exclusive_maximum, multiple_of, unfractioned: _ } =
            rules;
        for (name, number) in [
            ("minimum", minimum),
            ("exclusiveMinimum", exclusive_minimum),
            ("maximum", maximum),
            ("exclusiveMaximum", exclusive_maximum),
            ("multipleOf", multiple_of),
        ] {
            if let Some(number) = number {
                self.put(name, Json::Number(number.clone()));
            }
        }
    }

    fn string(&mut self, rules: &StringRules) {
        let StringRules { min_length, max_length, pattern, format, asserted: _ } = rules;
        self.count("minLength", *min_length);
        self.count("maxLength", *max_length);
        for (name, text) in [("pattern", pattern), ("format", format)] {
            if let Some(text) = text {
                self.put(name, Json::String(text.clone()));
            }
        }
    }

    fn array(&mut self, rules: &ArrayRules) {
        let ArrayRules { prefix, items, contains, min_items, max_items, unique, unevaluated } = rules;
        self.list("prefixItems", prefix);
        self.one("items", items);
        if let Some(Contains { schema: inner, min, max, evaluates: _ }) = contains {
            self.put("contains", schema(inner, self.reference));
            self.count("minContains", Some(*min));
            self.count("maxContains", *max);
        }
        self.count("minItems", *min_items);
        self.count("maxItems", *max_items);
        if *unique {
            self.put("uniqueItems", Json::Bool(true));
        }
        self.one("unevaluatedItems", unevaluated);
    }

    fn object(&mut self, rules: &ObjectRules) {
        let ObjectRules {
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
        } = rules;
        let texts = |list: &[Box<str>]| Json::Array(list.iter().cloned().map(Json::String).collect());
        self.map("properties", properties.iter().map(|property| (&*property.name, &property.schema)));
        self.map("patternProperties", patterns.iter().map(|(pattern, inner)| (&**pattern, inner)));
        self.one("additionalProperties", additional);
        self.one("propertyNames", names);
        if !required.is_empty() {
            self.put("required", texts(required));
        }
        self.count("minProperties", *min_properties);
        self.count("maxProperties", *max_properties);
        if !dependent_required.is_empty() {
            let members = dependent_required.iter().map(|(name, list)| (name.clone(), texts(list)));
            self.put("dependentRequired", Json::Object(members.collect()));
        }
        self.map("dependentSchemas", dependent_schemas.iter().map(|(name, inner)| (&**name, inner)));
        self.one("unevaluatedProperties", unevaluated);
    }

    fn logic(&mut self, logic: &Logic) {
        let Logic { all_of, any_of, one_of, not, condition } = logic;
        self.list("allOf", all_of);
        self.list("anyOf", any_of);
        self.list("oneOf", one_of);
        self.one("not", not);
        if let Some(Condition { test, then, otherwise }) = condition {
            self.put("if", schema(test, self.reference));
            self.one("then", then);
            self.one("else", otherwise);
        }
    }
}
