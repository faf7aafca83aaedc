//! The usual case: an annotation that fits its line, written straight into the text.
//!
//! What is written here is what [`Module::annotation`] would lay out flat. At the first thing that is rare it gives up, without
//! a trace: the other way knows everything, also how to break a line.

use omnigen_ir::normalize::Type;

use super::Module;
use super::annotation::{integer_bounds, number_bounds, size_bounds};
use crate::layout::{Doc, push_string};

impl Module<'_> {
    /// Writes the annotation of a type; with `null` that of the type or null, with `reject` if null is refused all the same.
    /// `false`: it was given up, and the text ends anywhere.
    pub(super) fn straight(&mut self, out: &mut String, r#type: &Type, null: bool, reject: bool) -> bool {
        let Some(notes) = self.notes(r#type) else { return false };
        let annotated = reject || !notes.is_empty();
        if annotated {
            self.uses.annotated = true;
            out.push_str("Annotated[");
        }
        let Some(nullable) = self.members_straight(out, r#type, !notes.is_empty()) else { return false };
        if null && !nullable {
            out.push_str(" | None");
        }
        if !notes.is_empty() {
            self.uses.field = true;
            out.push_str(", Field(");
            for (i, note) in notes.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                note.flat(out);
            }
            out.push(')');
            if matches!(r#type, Type::Integer(_)) {
                self.uses.integral = true;
                out.push_str(", BeforeValidator(_integral)");
            }
        }
        if reject {
            self.uses.not_null = true;
            out.push_str(", _NotNull");
        }
        if annotated {
            out.push(']');
        }
        true
    }

    /// What stands in the `Field(…)` of a type.
    fn notes(&mut self, r#type: &Type) -> Option<Vec<Doc>> {
        Some(match r#type {
            Type::Integer(range) => integer_bounds(range),
            Type::Number(range) => number_bounds(range),
            Type::String(text) => self.text_bounds(text),
            Type::Array { size, .. } | Type::Map { size, .. } => size_bounds(size),
            Type::Tuple(_) => return None,
            _ => Vec::new(),
        })
    }

    /// Writes a type without its notes; tells whether it takes null as it stands.
    fn members_straight(&mut self, out: &mut String, r#type: &Type, bounded: bool) -> Option<bool> {
        match r#type {
            Type::Any | Type::Never => {
                self.uses.any = true;
                out.push_str("Any");
                return Some(true);
            }
            Type::Null => {
                out.push_str("None");
                return Some(true);
            }
            Type::Boolean => out.push_str("bool"),
            Type::Integer(_) if bounded => out.push_str("int"),
            Type::Integer(_) => {
                self.uses.integer = true;
                out.push_str("_Integer");
            }
            Type::Number(_) => out.push_str("int | float"),
            Type::String(_) => out.push_str("str"),
            Type::Literal(values) => {
                out.push_str("Literal[");
                for (i, value) in values.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    push_string(out, value.as_str()?);
                }
                out.push(']');
                self.uses.literal = true;
            }
            Type::Array { item, .. } => {
                out.push_str("list[");
                if !self.straight(out, item, false, false) {
                    return None;
                }
                out.push(']');
            }
            Type::Map { value, .. } => {
                out.push_str("dict[str, ");
                if !self.straight(out, value, false, false) {
                    return None;
                }
                out.push(']');
            }
            Type::Named(place) => match (self.types.position(place), self.foreign.get(place)) {
                (Some(at), _) => out.push_str(&self.names[at]),
                (None, Some(name)) => out.push_str(name),
                (None, None) => {
                    self.uses.any = true;
                    out.push_str("Any");
                    return Some(true);
                }
            },
            Type::Union(members) => return self.union_straight(out, members),
            Type::Tuple(_) => return None,
        }
        Some(false)
    }

    fn union_straight(&mut self, out: &mut String, members: &[Type]) -> Option<bool> {
        // Their order is not always that of the members.
        let number = |member: &Type| matches!(member, Type::Integer(_) | Type::Number(_));
        if members.contains(&Type::Boolean) && members.iter().any(number) || members.len() > 8 {
            return None;
        }
        if self.types.tag(members, self.resolve).is_some() {
            return None;
        }
        let mut nullable = false;
        let mut written: [(usize, usize); 8] = [(0, 0); 8];
        let mut count = 0;
        for member in members.iter().filter(|member| **member != Type::Null) {
            let before = out.len();
            if count > 0 {
                out.push_str(" | ");
            }
            let start = out.len();
            let bounded = !self.notes(member)?.is_empty();
            if bounded {
                if !self.straight(out, member, false, false) {
                    return None;
                }
            } else {
                nullable |= self.members_straight(out, member, false)?;
                if written[..count].iter().any(|&(from, to)| out[from..to] == out[start..]) {
                    out.truncate(before);
                    continue;
                }
            }
            written[count] = (start, out.len());
            count += 1;
        }
        if members.contains(&Type::Null) && !written[..count].iter().any(|&(from, to)| &out[from..to] == "None") {
            out.push_str(if count > 0 { " | None" } else { "None" });
            nullable = true;
        }
        Some(nullable)
    }
}
