//! What the types of a module are called.
//!
//! By their place (see [`omnigen_ir::naming`]), with one exception: alternatives (`anyOf`, `oneOf`) that have a title, or a
//! required property with but one value, are called by that instead of by their number, `ModelShapeCircle` instead of
//! `ModelShapeVariant1`, and so is what is inside of them.

use std::borrow::Cow;

use omnigen_ir::naming::{Naming, Unit, name_at, pascal};
use omnigen_ir::normalize::{Body, Definition, Type};
use omnigen_ir::{FileId, Json, Place};
use rustc_hash::{FxHashMap, FxHashSet};

/// A title with more words is a sentence, and no name.
const WORDS: usize = 4;

/// The Python names of definitions, in their order. A title that would give two types the same name is not used at all.
pub(super) fn names<'u>(
    definitions: &[Definition],
    naming: &Naming,
    unit: &dyn Fn(&FileId) -> Cow<'u, Unit>,
) -> Vec<String> {
    let place = |definition: &Definition| naming.at(&unit(&definition.place.file), &definition.place.pointer);
    let mut titles: FxHashMap<&FileId, FxHashMap<Box<str>, String>> = FxHashMap::default();
    for definition in definitions {
        if let Some(title) = title(definition) {
            let Place { file, pointer } = &definition.place;
            titles.entry(file).or_default().insert(pointer.clone(), title);
        }
    }
    while !titles.is_empty() {
        let names: Vec<String> = definitions
            .iter()
            .map(|definition| {
                let Place { file, pointer } = &definition.place;
                let title = |pointer: &str| titles.get(file)?.get(pointer).map(String::as_str);
                naming.class(&called(&unit(file), pointer, &title))
            })
            .collect();
        let mut met: FxHashSet<&str> = FxHashSet::default();
        let twice: FxHashSet<&str> = names.iter().map(String::as_str).filter(|name| !met.insert(name)).collect();
        let mut dropped = false;
        for (definition, _) in definitions.iter().zip(&names).filter(|(_, name)| twice.contains(name.as_str())) {
            let Some(titles) = titles.get_mut(&definition.place.file) else { continue };
            for above in upwards(&definition.place.pointer) {
                dropped |= titles.remove(above).is_some();
            }
        }
        if !dropped {
            return names;
        }
    }
    definitions.iter().map(place).collect()
}

/// The name of a place, if some places have titles.
fn called<'t>(unit: &Unit, pointer: &str, title: &dyn Fn(&str) -> Option<&'t str>) -> String {
    let Some((above, title_of)) = upwards(pointer).find_map(|above| Some((above, title(above)?))) else {
        return name_at(unit, pointer);
    };
    let owner = above.rsplitn(3, '/').nth(2).unwrap_or_default();
    let mut name = called(unit, owner, title);
    name.push_str(title_of.strip_prefix(&*name).filter(|rest| !rest.is_empty()).unwrap_or(title_of));
    if above.len() < pointer.len() {
        name.push_str(name_at(unit, pointer).get(name_at(unit, above).len()..).unwrap_or_default());
    }
    name
}

/// What an alternative is called, as part of a name: by its title, else by the value that marks it.
fn title(definition: &Definition) -> Option<String> {
    let mut tokens = definition.place.pointer.rsplit('/');
    let (_, keyword) = (tokens.next()?, tokens.next()?);
    if !matches!(keyword, "anyOf" | "oneOf") {
        return None;
    }
    let short = |text: &&str| text.split_whitespace().count() <= WORDS && text.chars().any(char::is_alphabetic);
    definition.notes.title.as_deref().filter(short).or_else(|| mark(definition).filter(short)).map(pascal)
}

/// The first value that a property of it must have.
fn mark(definition: &Definition) -> Option<&str> {
    let Body::Class(class) = &definition.body else { return None };
    class.fields.iter().filter(|field| field.required).find_map(|field| match &field.r#type {
        Type::Literal(values) => match &values[..] {
            [Json::String(value)] => Some(&**value),
            _ => None,
        },
        _ => None,
    })
}

/// A pointer and all that are above it, itself first and without the root.
fn upwards(pointer: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(pointer), |pointer| pointer.rsplit_once('/').map(|(above, _)| above))
        .filter(|pointer| !pointer.is_empty())
}

#[cfg(test)]
mod tests {
    use omnigen_ir::normalize::{About, Class, Field, Unchecked};

    use super::*;

    fn named(types: &[(&str, &str)]) -> Vec<String> {
        let definitions: Vec<Definition> = types
            .iter()
            .map(|(pointer, title)| Definition {
                place: Place { file: "shape.json".into(), pointer: (*pointer).into() },
                exported: false,
                body: Body::Alias(Type::Any),
                notes: About { title: Some((*title).into()), ..About::default() },
                unchecked: Unchecked::default(),
            })
            .collect();
        let unit = Unit::new("shape.json", "");
        names(&definitions, &Naming::default(), &|_| Cow::Borrowed(&unit))
    }

    #[test]
    fn alternatives_are_called_by_their_titles() {
        let types = [
            ("", "Anything"),
            ("/oneOf/0", "Circle"),
            ("/oneOf/0/properties/centre", "The centre"),
            ("/oneOf/1", "Shape with corners"),
            ("/oneOf/1/properties/corners/items/anyOf/0", "3d"),
            ("/oneOf/2", "Everything else that somebody could want to draw"),
            ("/oneOf/3", "…"),
            ("/properties/lines/items", "Line"),
        ];
        let names = [
            "ModelShape",
            "ModelShapeCircle",
            "ModelShapeCircleCentre",
            "ModelShapeWithCorners",
            "ModelShapeWithCornersCornersItem3d",
            "ModelShapeVariant3",
            "ModelShapeVariant4",
            "ModelShapeLinesItem",
        ];
        assert_eq!(named(&types), names);
    }

    #[test]
    fn a_title_that_is_not_alone_is_not_used() {
        let types = [
            ("/anyOf/0", "Round"),
            ("/anyOf/0/properties/x", ""),
            ("/anyOf/1", "round"),
            ("/anyOf/2", "Flat"),
            ("/properties/flat", ""),
            ("/anyOf/3", "Long"),
        ];
        let names = [
            "ModelShapeOption1",
            "ModelShapeOption1X",
            "ModelShapeOption2",
            "ModelShapeOption3",
            "ModelShapeFlat",
            "ModelShapeLong",
        ];
        assert_eq!(named(&types), names);
    }

    #[test]
    fn without_a_title_the_value_that_marks_an_alternative_names_it() {
        let field = |name: &str, value: &str, required| Field {
            name: name.into(),
            r#type: Type::Literal(vec![Json::String(value.into())]),
            required,
            default: None,
            notes: About::default(),
            unchecked: Unchecked::default(),
        };
        let definition = |pointer: &str, fields| Definition {
            place: Place { file: "shape.json".into(), pointer: pointer.into() },
            exported: false,
            body: Body::Class(Class { fields, extra: Type::Any, frozen: false }),
            notes: About::default(),
            unchecked: Unchecked::default(),
        };
        let definitions = [
            definition("/oneOf/0", vec![field("sort", "optional", false), field("kind", "circle", true)]),
            definition("/oneOf/1", vec![field("kind", "half-circle", true)]),
            definition("/oneOf/2", vec![field("kind", "*", true)]),
            definition("/properties/a", vec![field("kind", "line", true)]),
        ];
        let unit = Unit::new("shape.json", "");
        let names = names(&definitions, &Naming::default(), &|_| Cow::Borrowed(&unit));
        assert_eq!(names, ["ModelShapeCircle", "ModelShapeHalfCircle", "ModelShapeVariant3", "ModelShapeA"]);
    }
}
