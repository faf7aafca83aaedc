//! What the errors of a file hold back: the definitions that they stand in, and those that lead there.

use std::collections::{BTreeMap, BTreeSet};

use omnigen_ir::naming::plain_pointer;
use omnigen_ir::{Pointer, RefTarget, Schema};
use omnigen_report::{Code, Diagnostic, Spot};

use crate::Declarations;

/// How much of a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nothing: it has no errors.
    Nothing,
    /// Some of its definitions; the others know nothing of them.
    Some(BTreeSet<Pointer>),
    /// All of it.
    Everything,
}

impl Held {
    /// Is the definition at a pointer held back?
    pub fn has(&self, pointer: &str) -> bool {
        match self {
            Held::Nothing => false,
            Held::Some(held) => held.contains(pointer),
            Held::Everything => true,
        }
    }
}

impl Held {
    /// Does a place belong to what is held back?
    pub fn concerns(&self, pointer: &str) -> bool {
        match self {
            Held::Nothing => false,
            Held::Some(held) => {
                let inside = |at: &Pointer| {
                    pointer.strip_prefix(&**at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                held.iter().any(inside)
            }
            Held::Everything => true,
        }
    }
}

impl Declarations {
    /// What the errors among `found`, diagnostics about this file, hold back.
    pub fn held<'d>(&self, found: impl IntoIterator<Item = &'d Diagnostic>) -> Held {
        let mut errors = found.into_iter().filter(|diagnostic| diagnostic.is_error()).peekable();
        if errors.peek().is_none() {
            return Held::Nothing;
        }
        let owners = Owners::new(self);
        let mut open: Vec<usize> = Vec::new();
        for error in errors {
            let Some(pointer) = place(error) else { return Held::Everything };
            match owners.around(&plain_pointer(pointer)) {
                found if !found.is_empty() => open.extend(found),
                _ if self.rooted() => return Held::Everything,
                _ => match owners.concerned(pointer) {
                    Some(found) => open.extend(found),
                    None => return Held::Everything,
                },
            }
        }
        let users = owners.users();
        let mut held: BTreeSet<usize> = BTreeSet::new();
        while let Some(index) = open.pop() {
            if held.insert(index) {
                open.extend(&users[index]);
            }
        }
        let held: BTreeSet<Pointer> = held.into_iter().map(|index| owners.list[index].0.into()).collect();
        // Of a schema as a whole nothing is left without its root.
        if held.contains("") || !self.exported.iter().any(|pointer| !held.contains(pointer)) {
            return Held::Everything;
        }
        Held::Some(held)
    }

    /// Takes back what its own errors make unusable: for others it is not there.
    pub(crate) fn take_back(&mut self) {
        if let Held::Some(held) = self.held(&self.diagnostics) {
            self.exported.retain(|pointer| !held.contains(pointer));
        }
    }
}

/// The place of an error that concerns a part of a file only.
fn place(error: &Diagnostic) -> Option<&str> {
    let whole = matches!(
        error.code,
        Code::Unreadable
            | Code::NotUtf8
            | Code::Empty
            | Code::Syntax
            | Code::TooDeep
            | Code::TooLarge
            | Code::NotAContract
            | Code::UnknownDialect
            | Code::BadInclude
            | Code::DuplicateKey
    );
    match &error.at.as_ref()?.spot {
        Spot::Pointer { pointer, .. } if !whole => Some(pointer),
        _ => None,
    }
}

/// The schemas of a file, by place.
struct Owners<'d> {
    list: Vec<(&'d str, &'d Schema)>,
    /// Indexes of those that stand at a place of the text: forms of one schema share it.
    places: BTreeMap<String, Vec<usize>>,
}

impl<'d> Owners<'d> {
    fn new(declarations: &'d Declarations) -> Owners<'d> {
        let root = declarations.rooted().then_some(("", &declarations.root));
        let definitions = declarations.definitions.iter().map(|(pointer, schema)| (&**pointer, schema));
        let list: Vec<(&str, &Schema)> = root.into_iter().chain(definitions).collect();
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, (pointer, _)) in list.iter().enumerate() {
            places.entry(plain_pointer(pointer).into_owned()).or_default().push(index);
        }
        Owners { list, places }
    }

    /// The innermost schemas around a place of the text.
    fn around(&self, pointer: &str) -> &[usize] {
        let mut end = pointer.len();
        loop {
            if let Some(found) = self.places.get(&pointer[..end]) {
                return found;
            }
            match pointer[..end].rfind('/') {
                Some(cut) => end = cut,
                None => return &[],
            }
        }
    }

    /// The schemas of an API description that lack what an error left out: an error within no schema is about a
    /// parameter, a body or a section. `None` if it is about the document.
    fn concerned(&self, pointer: &str) -> Option<Vec<usize>> {
        let plain = plain_pointer(pointer);
        let tokens: Vec<&str> = plain.split('/').collect();
        let item = match tokens.get(1..)? {
            ["components", "pathItems", _, ..] => 4,
            ["paths" | "webhooks", _, ..] => 3,
            ["components", ..] | ["paths" | "webhooks"] => return Some(Vec::new()),
            _ => return None,
        };
        if tokens.get(item) != Some(&"parameters") {
            return Some(Vec::new());
        }
        // Parameters of a path are parameters of all its operations.
        let folder = format!("{}/", tokens[..item].join("/"));
        let inside = self.places.range(folder.clone()..).take_while(|(place, _)| place.starts_with(&folder));
        let parameters = inside.filter(|(place, _)| place[folder.len()..].split('/').nth(1) == Some("parameters"));
        Some(parameters.flat_map(|(_, found)| found.iter().copied()).collect())
    }

    /// Who leads to each schema.
    fn users(&self) -> Vec<Vec<usize>> {
        let index: BTreeMap<&str, usize> = self.list.iter().enumerate().map(|(i, (at, _))| (*at, i)).collect();
        let owner = |pointer: &str| {
            let mut end = pointer.len();
            loop {
                if let Some(found) = index.get(&pointer[..end]) {
                    return Some(*found);
                }
                end = pointer[..end].rfind('/')?;
            }
        };
        let mut users = vec![Vec::new(); self.list.len()];
        for (user, (_, schema)) in self.list.iter().enumerate() {
            let mut open = vec![*schema];
            while let Some(schema) = open.pop() {
                let Some(node) = schema.node() else { continue };
                if let Some(RefTarget::Here(pointer)) = node.reference.as_deref().map(|reference| &reference.target)
                    && let Some(target) = owner(pointer)
                    && target != user
                {
                    users[target].push(user);
                }
                node.each_child(&mut |child| open.push(child));
            }
        }
        users
    }
}
