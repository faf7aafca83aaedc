//! Places within a document, and changes of one.

use crate::schema::escape;
use crate::{Encode, Encoder, Json, Pointer};

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The member with this name.
    Name(Box<str>),
    /// The item at this index.
    Index(usize),
}

/// A change of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Another value there; a name that is not there yet is added at the end. An empty path replaces the document.
    Put(Vec<Step>, Json),
    /// The member goes.
    Drop(Vec<Step>),
}

/// What makes a change undone.
enum Undo {
    /// Nothing was changed.
    Nothing,
    /// Another value was there.
    Value(Json),
    /// The last member was added.
    Added,
    /// The member at this index went.
    Gone(usize, (Box<str>, Json)),
}

impl Edit {
    /// Changes the document; nothing happens if the place is not there.
    pub fn apply(&self, document: &mut Json) {
        self.change(document);
    }

    fn change(&self, document: &mut Json) -> Undo {
        let (Edit::Put(path, _) | Edit::Drop(path)) = self;
        let Some((last, way)) = path.split_last() else {
            return match self {
                Edit::Put(_, value) => Undo::Value(std::mem::replace(document, value.clone())),
                Edit::Drop(_) => Undo::Nothing,
            };
        };
        let Some(at) = found_mut(document, way) else { return Undo::Nothing };
        match (at, last, self) {
            (Json::Object(members), Step::Name(name), edit) => {
                let index = members.iter().position(|(other, _)| other == name);
                match (edit, index) {
                    (Edit::Put(_, value), Some(index)) => {
                        Undo::Value(std::mem::replace(&mut members[index].1, value.clone()))
                    }
                    (Edit::Put(_, value), None) => {
                        members.push((name.clone(), value.clone()));
                        Undo::Added
                    }
                    (Edit::Drop(_), Some(index)) => Undo::Gone(index, members.remove(index)),
                    (Edit::Drop(_), None) => Undo::Nothing,
                }
            }
            (Json::Array(items), Step::Index(index), Edit::Put(_, value)) if *index < items.len() => {
                Undo::Value(std::mem::replace(&mut items[*index], value.clone()))
            }
            _ => Undo::Nothing,
        }
    }

    fn undo(&self, document: &mut Json, undo: Undo) {
        let (Edit::Put(path, _) | Edit::Drop(path)) = self;
        match undo {
            Undo::Nothing => {}
            Undo::Value(old) => {
                if let Some(at) = found_mut(document, path) {
                    *at = old;
                }
            }
            Undo::Added | Undo::Gone(..) => {
                let way = &path[..path.len().saturating_sub(1)];
                if let Some(Json::Object(members)) = found_mut(document, way) {
                    match undo {
                        Undo::Gone(index, member) => members.insert(index, member),
                        _ => drop(members.pop()),
                    }
                }
            }
        }
    }
}

/// Looks at the document with these changes, which are undone afterwards: a copy of each would cost more than looking.
pub(super) fn changed<T>(document: &mut Json, edits: &[Edit], look: impl FnOnce(&Json) -> T) -> T {
    let undo: Vec<Undo> = edits.iter().map(|edit| edit.change(document)).collect();
    let seen = look(document);
    for (edit, undo) in edits.iter().zip(undo).rev() {
        edit.undo(document, undo);
    }
    seen
}

impl Encode for Edit {
    fn encode(&self, encoder: &mut Encoder) {
        let (path, value) = match self {
            Edit::Put(path, value) => (path, Some(value)),
            Edit::Drop(path) => (path, None),
        };
        encoder.str(&pointer(path));
        match value {
            Some(value) => {
                encoder.byte(1);
                encoder.part(value);
            }
            None => encoder.byte(0),
        }
    }
}

/// The value at a place.
pub(super) fn found<'j>(document: &'j Json, path: &[Step]) -> Option<&'j Json> {
    path.iter().try_fold(document, |value, step| match (value, step) {
        (Json::Object(_), Step::Name(name)) => value.get(name),
        (Json::Array(items), Step::Index(i)) => items.get(*i),
        _ => None,
    })
}

fn found_mut<'j>(document: &'j mut Json, path: &[Step]) -> Option<&'j mut Json> {
    path.iter().try_fold(document, |value, step| match (value, step) {
        (Json::Object(members), Step::Name(name)) => {
            members.iter_mut().find(|(other, _)| other == name).map(|(_, value)| value)
        }
        (Json::Array(items), Step::Index(i)) => items.get_mut(*i),
        _ => None,
    })
}

/// The document with another value at a place.
pub(super) fn replaced(document: &Json, path: &[Step], value: Json) -> Json {
    if path.is_empty() {
        return value;
    }
    let mut document = document.clone();
    if let Some(at) = found_mut(&mut document, path) {
        *at = value;
    }
    document
}

/// What makes `new` of `old` at a place: single members if there are few, else the whole value.
pub(super) fn difference(path: &[Step], old: &Json, new: Json) -> Vec<Edit> {
    /// More members than this are written as one value.
    const MOST: usize = 2;
    let whole = |new| vec![Edit::Put(path.to_vec(), new)];
    let (Json::Object(before), Json::Object(after)) = (old, &new) else { return whole(new) };
    let below = |name: &str| path.iter().cloned().chain([Step::Name(name.into())]).collect::<Vec<_>>();
    let mut edits = Vec::new();
    for (name, value) in before {
        match new.get(name) {
            None => edits.push(Edit::Drop(below(name))),
            Some(other) if other != value => edits.push(Edit::Put(below(name), other.clone())),
            Some(_) => {}
        }
        if edits.len() > MOST {
            return whole(new);
        }
    }
    let added = after.iter().filter(|(name, _)| old.get(name).is_none());
    edits.extend(added.map(|(name, value)| Edit::Put(below(name), value.clone())));
    if edits.len() > MOST || after.is_empty() { whole(new) } else { edits }
}

/// How many values a document has.
pub(super) fn weight(json: &Json) -> usize {
    match json {
        Json::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Json::Object(members) => 1 + members.iter().map(|(_, value)| weight(value)).sum::<usize>(),
        Json::String(text) => 1 + text.len() / 64,
        _ => 1,
    }
}

pub(super) fn pointer(path: &[Step]) -> Pointer {
    let mut text = String::new();
    for step in path {
        text.push('/');
        match step {
            Step::Name(name) => text.push_str(&escape(name)),
            Step::Index(i) => text.push_str(&i.to_string()),
        }
    }
    text.into()
}
