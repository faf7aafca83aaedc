//! Properties as fields: their names and lines.

use std::borrow::Cow;

use omnigen_ir::naming::is_keyword;
use omnigen_ir::normalize::{Class, Definition, Field, Type};
use omnigen_report::{At, Code, Diagnostic};
use rustc_hash::FxHashMap;

use super::Module;
use crate::Settings;
use crate::layout::{Doc, Writer, string};

/// Attributes of `BaseModel` and its metaclass, names that annotations need, and letters that look like digits.
fn reserved(name: &str) -> bool {
    matches!(
        name,
        "construct"
            | "copy"
            | "dict"
            | "from_orm"
            | "json"
            | "model_computed_fields"
            | "model_config"
            | "model_construct"
            | "model_copy"
            | "model_extra"
            | "model_fields"
            | "model_fields_set"
            | "model_json_schema"
            | "model_parametrized_name"
            | "model_post_init"
            | "model_rebuild"
            | "parse_file"
            | "parse_obj"
            | "parse_raw"
            | "schema"
            | "schema_json"
            | "update_forward_refs"
            | "validate"
            | "mro"
            | "register"
            | "str"
            | "int"
            | "float"
            | "bool"
            | "list"
            | "tuple"
            | "re"
            | "l"
            | "O"
            | "I"
    ) || super::annotation::imported(name)
        || protected(name)
}

/// Prefixes that Pydantic keeps for itself, whatever is behind them.
fn protected(name: &str) -> bool {
    name.starts_with("model_validate") || name.starts_with("model_dump")
}

/// Letters that Python takes in identifiers as they are (its own normalisation does not change them).
fn letter(c: char) -> bool {
    c.is_ascii_alphabetic()
        || (matches!(c, '\u{c0}'..='\u{ff}' | '\u{391}'..='\u{3c9}' | '\u{400}'..='\u{45f}') && c.is_alphabetic())
        || matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// Could it be the name of a class of this module? Then an annotation would find the field instead.
fn like_class(name: &str, settings: &Settings) -> bool {
    let prefix = settings.naming.class.split('{').next().unwrap_or_default();
    name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(char::is_uppercase))
}

/// Is the property's name its Python name?
pub(super) fn plain(name: &str, settings: &Settings) -> bool {
    name.starts_with(letter)
        && name.chars().all(|c| letter(c) || c.is_ascii_digit() || c == '_')
        && !is_keyword(name)
        && !reserved(name)
        && !like_class(name, settings)
}

/// The Python name of a property: a function of the property's name alone. `spelled` writes out what else would be lost.
fn python(name: &str, spelled: bool, settings: &Settings) -> String {
    let mut made = String::with_capacity(name.len() + 1);
    for c in name.chars() {
        if letter(c) || c.is_ascii_digit() || (c == '_' && !spelled) {
            made.push(c);
        } else if spelled {
            made.push_str(&format!("_u{:x}_", c as u32));
        } else if c.is_ascii() {
            made.push('_');
        } else {
            made.push_str(&format!("u{:x}", c as u32));
        }
    }
    let trimmed = made.trim_start_matches('_');
    let mut made = match trimmed.chars().next() {
        None => {
            let codes: Vec<String> = name.chars().map(|c| format!("u{:x}", c as u32)).collect();
            if codes.is_empty() { "empty".to_owned() } else { codes.join("_") }
        }
        Some(first) if letter(first) => trimmed.to_owned(),
        Some(_) => format!("n{trimmed}"),
    };
    if protected(&made) {
        made.insert_str(0, "x_");
    } else if is_keyword(&made) || reserved(&made) || like_class(&made, settings) {
        made.push('_');
    }
    made
}

impl Module<'_> {
    /// The Python names of a class's fields, in their order.
    pub(super) fn members<'c>(&mut self, definition: &Definition, class: &'c Class) -> Vec<Cow<'c, str>> {
        let settings = self.settings;
        let made: Vec<Cow<'c, str>> = class
            .fields
            .iter()
            .map(|field| {
                if plain(&field.name, settings) {
                    Cow::Borrowed(&*field.name)
                } else {
                    python(&field.name, false, settings).into()
                }
            })
            .collect();
        // No two properties of a class have the same name.
        if made.iter().all(|name| matches!(name, Cow::Borrowed(_))) {
            return made;
        }
        let mut count: FxHashMap<&str, usize> =
            FxHashMap::with_capacity_and_hasher(made.len(), rustc_hash::FxBuildHasher);
        made.iter().for_each(|name| *count.entry(name).or_default() += 1);
        if count.len() == made.len() {
            return made;
        }
        let names: Vec<Cow<'c, str>> = class
            .fields
            .iter()
            .zip(&made)
            .map(|(field, name)| {
                let spelled = count[&**name] > 1 && **name != *field.name;
                if spelled { python(&field.name, true, settings).into() } else { name.clone() }
            })
            .collect();
        let mut seen: FxHashMap<&str, &str> = FxHashMap::default();
        for (field, name) in class.fields.iter().zip(&names) {
            if let Some(other) = seen.insert(name, &field.name) {
                let at = |property: &str| {
                    let property = property.replace('~', "~0").replace('/', "~1");
                    let pointer = format!("{}/properties/{property}", definition.place.pointer);
                    At::key(self.contract.file, &pointer)
                };
                for (one, two) in [(other, &*field.name), (&*field.name, other)] {
                    self.diagnostics.push(
                        Diagnostic::new(
                            Code::NameCollision,
                            at(one),
                            format!("two properties want the Python name `{name}`"),
                        )
                        .related(at(two), "the other one")
                        .hint("rename one of them"),
                    );
                }
            }
        }
        names
    }

    fn annotation_or(&mut self, r#type: &Type, null: bool, reject: bool) -> Doc {
        if null { self.optional(r#type, reject) } else { self.annotation(r#type) }
    }

    /// What [`Module::straight`] has to write.
    fn laid_out(&mut self, r#type: &Type, null: bool, reject: bool) -> String {
        let mut text = String::new();
        self.annotation_or(r#type, null, reject).flat(&mut text);
        text
    }

    /// The line of a field.
    pub(super) fn field(&mut self, code: &mut Writer, field: &Field, name: &str) {
        let alias = (*name != *field.name).then(|| Doc::keyword("alias", Doc::text(string(&field.name))));
        let default = if field.required { None } else { self.default(field) };
        let null = !field.required && default.is_none();
        let reject = null && !self.nullable(&field.r#type);
        let default = if null { Some(super::default::Default::Value(Doc::text("None"))) } else { default };
        let value = match (default, alias) {
            (None, None) => None,
            (Some(super::default::Default::Value(value)), None) => Some(value),
            (None, Some(alias)) => Some(Doc::group("Field(", vec![alias], ")")),
            (Some(default), alias) => {
                let mut items = vec![match default {
                    super::default::Default::Value(value) => Doc::keyword("default", value),
                    super::default::Default::Factory(value) => {
                        Doc::keyword("default_factory", Doc::Lambda(Box::new(value)))
                    }
                }];
                items.extend(alias);
                Some(Doc::group("Field(", items, ")"))
            }
        };
        if matches!(&value, Some(Doc::Group { open, .. }) if open == "Field(") {
            self.uses.field = true;
        }
        let usual = code.line_if(|out| {
            out.push_str(name);
            out.push_str(": ");
            let start = out.len();
            let fine = self.straight(out, &field.r#type, null, reject);
            debug_assert!(!fine || self.laid_out(&field.r#type, null, reject) == out[start..]);
            if let Some(value) = value.as_ref().filter(|_| fine) {
                out.push_str(" = ");
                value.flat(out);
            }
            fine
        });
        if usual {
            return;
        }
        let annotation = self.annotation_or(&field.r#type, null, reject);
        let prefix = [name, ": "].concat();
        match value {
            None => code.declaration(&prefix, &annotation),
            Some(value) => code.assignment(&prefix, &annotation, &value),
        }
    }
}
