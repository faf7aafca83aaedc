//! What is sent and what is received: `readOnly` and `writeOnly` (3.1.0, section 4.8.24.2; 3.0.3, section 4.7.24.2).
//!
//! A schema with such properties, or that refers to one, has two forms. The form that is received has the schema's own
//! name, since that is what an API shows of a thing; the one that is sent has `Write` behind it and no properties that are
//! read only, which are not required there either. Requests use the one, everything else the other.
//!
//! Whether a component of another document has two forms is not known here. What refers to one is given both, so that a request
//! reaches the right form through any number of documents, and it is noted which of them are two only if others are.

use std::collections::{BTreeSet, HashMap, HashSet};

use omnigen_ir::naming::WRITE;
use omnigen_ir::{Forms, Node, Pointer, RefTarget, Schema};

use super::rewrite::{children_mut, moved};

/// References that are followed one after the other to see whether a property is read or written only.
const HOPS: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it is received: without what is only written.
    Read,
    /// As it is sent: without what is only read.
    Write,
}

/// Splits definitions whose two forms differ. Gives back those that are only there if others in other files are.
pub(super) fn split(definitions: &mut Vec<(Pointer, Schema)>, exported: &mut Vec<Pointer>) -> Forms {
    let all = All::new(definitions);
    let Apart { all: apart, certain } = all.apart();
    let requests = definitions.iter().any(|(pointer, _)| sent(pointer));
    if apart.is_empty() && !requests {
        return Forms::new();
    }
    let hanging = all.hanging(&apart, &certain);
    let mut made = Vec::with_capacity(definitions.len() + apart.len());
    let mut written: HashSet<Pointer> = HashSet::new();
    for (index, (pointer, schema)) in definitions.iter().enumerate() {
        if sent(pointer) {
            made.push((pointer.clone(), all.formed(schema, Form::Write, &apart)));
        } else if apart.contains(&index) {
            made.push((pointer.clone(), all.formed(schema, Form::Read, &apart)));
            if !received(pointer) {
                let name: Pointer = format!("{pointer}{WRITE}").into();
                made.push((name.clone(), moved(all.formed(schema, Form::Write, &apart), pointer, &name)));
                written.insert(pointer.clone());
            }
        } else {
            made.push((pointer.clone(), schema.clone()));
        }
    }
    *definitions = made;
    let before = std::mem::take(exported);
    for pointer in before {
        let name = written.contains(&pointer).then(|| format!("{pointer}{WRITE}").into());
        exported.push(pointer);
        exported.extend(name);
    }
    hanging
}

/// The definitions that may have two forms.
struct Apart {
    /// All of them.
    all: BTreeSet<usize>,
    /// Those that have two whatever other files say.
    certain: BTreeSet<usize>,
}

/// Is it part of a request?
fn sent(pointer: &str) -> bool {
    pointer.starts_with("/components/requestBodies/")
        || pointer.starts_with("/components/parameters/")
        || (operation(pointer) && (pointer.contains("/requestBody/") || pointer.contains("/parameters")))
}

/// Is it part of a response?
fn received(pointer: &str) -> bool {
    pointer.starts_with("/components/responses/") || pointer.starts_with("/components/headers/") || operation(pointer)
}

fn operation(pointer: &str) -> bool {
    ["/paths/", "/webhooks/", "/components/pathItems/", "/components/callbacks/"]
        .iter()
        .any(|folder| pointer.starts_with(folder))
}

/// Is it a component of another API description?
fn component(fragment: &str) -> bool {
    fragment.strip_prefix("/components/schemas/").is_some_and(|name| !name.contains('/'))
}

/// All definitions of a document.
struct All<'d> {
    list: &'d [(Pointer, Schema)],
    index: HashMap<&'d str, usize>,
}

impl<'d> All<'d> {
    fn new(list: &'d [(Pointer, Schema)]) -> All<'d> {
        All { list, index: list.iter().enumerate().map(|(i, (pointer, _))| (&**pointer, i)).collect() }
    }

    /// The definition that a pointer leads into, and what is left of the pointer.
    fn owner<'p>(&self, pointer: &'p str) -> Option<(usize, &'p str)> {
        let mut end = pointer.len();
        loop {
            if let Some(&index) = self.index.get(&pointer[..end]) {
                return Some((index, &pointer[end..]));
            }
            end = pointer[..end].rfind('/')?;
        }
    }

    fn at(&self, pointer: &str) -> Option<&'d Schema> {
        let (index, rest) = self.owner(pointer)?;
        self.list[index].1.at(rest)
    }

    /// The definitions that have two forms.
    fn apart(&self) -> Apart {
        let mut users: HashMap<usize, Vec<usize>> = HashMap::new();
        let (mut certain, mut open_ones) = (Vec::new(), Vec::new());
        for (index, (_, schema)) in self.list.iter().enumerate() {
            let (mut marked, mut leads) = (false, false);
            let mut open = vec![schema];
            while let Some(schema) = open.pop() {
                let Some(node) = schema.node() else { continue };
                match node.reference.as_deref().map(|reference| &reference.target) {
                    Some(RefTarget::Here(pointer)) => {
                        if let Some((target, _)) = self.owner(pointer) {
                            users.entry(target).or_default().push(index);
                        }
                    }
                    // Whether that one has two forms is not known here; so there are two of this one.
                    Some(RefTarget::Elsewhere { fragment, .. }) => leads |= component(fragment),
                    _ => {}
                }
                let properties = node.object.iter().flat_map(|object| &object.properties);
                marked |=
                    properties.map(|property| self.only(&property.schema, HOPS)).any(|only| only != (false, false));
                node.each_child(&mut |child| open.push(child));
            }
            if marked {
                certain.push(index);
            } else if leads {
                open_ones.push(index);
            }
        }
        let with_users = |mut todo: Vec<usize>| {
            let mut reached = BTreeSet::new();
            while let Some(index) = todo.pop() {
                if reached.insert(index) {
                    todo.extend(users.get(&index).into_iter().flatten());
                }
            }
            reached
        };
        let mut all = with_users(open_ones);
        let certain = with_users(certain);
        all.extend(&certain);
        Apart { all, certain }
    }

    /// Forms that are sent of definitions that have one only if what they refer to has, with what that is.
    fn hanging(&self, apart: &BTreeSet<usize>, certain: &BTreeSet<usize>) -> Forms {
        let named = |index: usize| !sent(&self.list[index].0) && !received(&self.list[index].0);
        let mut hanging = Forms::new();
        for &index in apart.difference(certain).filter(|&&index| named(index)) {
            let mut leads = Vec::new();
            let mut seen = HashSet::from([index]);
            let mut open = vec![&self.list[index].1];
            while let Some(schema) = open.pop() {
                let Some(node) = schema.node() else { continue };
                node.each_child(&mut |child| open.push(child));
                let lead = match node.reference.as_deref().map(|reference| &reference.target) {
                    Some(RefTarget::Here(pointer)) => match self.owner(pointer).map(|(owner, _)| owner) {
                        Some(owner) if owner == index || !apart.contains(&owner) => continue,
                        Some(owner) if named(owner) => RefTarget::Here(format!("{}{WRITE}", self.list[owner].0).into()),
                        // Has no forms of its own to ask about.
                        Some(owner) => {
                            if seen.insert(owner) {
                                open.push(&self.list[owner].1);
                            }
                            continue;
                        }
                        None => continue,
                    },
                    Some(RefTarget::Elsewhere { uri, fragment, beside }) if component(fragment) => {
                        let fragment = format!("{fragment}{WRITE}").into();
                        RefTarget::Elsewhere { uri: uri.clone(), fragment, beside: beside.clone() }
                    }
                    _ => continue,
                };
                if !leads.contains(&lead) {
                    leads.push(lead);
                }
            }
            hanging.push((format!("{}{WRITE}", self.list[index].0).into(), leads));
        }
        hanging
    }

    /// Is a property of this schema only read, only written?
    fn only(&self, schema: &Schema, hops: usize) -> (bool, bool) {
        let Some(node) = schema.node().filter(|_| hops > 0) else { return (false, false) };
        let mut only = node.notes.as_deref().map_or((false, false), |notes| (notes.read_only, notes.write_only));
        let mut add = |other: (bool, bool)| only = (only.0 || other.0, only.1 || other.1);
        if let Some(RefTarget::Here(pointer)) = node.reference.as_deref().map(|reference| &reference.target)
            && let Some(target) = self.at(pointer)
        {
            add(self.only(target, hops - 1));
        }
        for part in node.logic.iter().flat_map(|logic| &logic.all_of) {
            add(self.only(part, hops - 1));
        }
        only
    }

    /// The names of the properties that a form does not have, of a schema with all that holds together with it.
    fn missing(&self, node: &'d Node, form: Form, hops: usize, names: &mut HashSet<&'d str>) {
        for property in node.object.iter().flat_map(|object| &object.properties) {
            let (read, write) = self.only(&property.schema, HOPS);
            if (form == Form::Write && read) || (form == Form::Read && write) {
                names.insert(&property.name);
            }
        }
        if hops == 0 {
            return;
        }
        if let Some(RefTarget::Here(pointer)) = node.reference.as_deref().map(|reference| &reference.target)
            && let Some(target) = self.at(pointer).and_then(Schema::node)
        {
            self.missing(target, form, hops - 1, names);
        }
        for part in node.logic.iter().flat_map(|logic| &logic.all_of).filter_map(Schema::node) {
            self.missing(part, form, hops - 1, names);
        }
    }

    fn formed(&self, schema: &'d Schema, form: Form, apart: &BTreeSet<usize>) -> Schema {
        let mut made = schema.clone();
        self.form(schema, &mut made, form, apart, &HashSet::new());
        made
    }

    /// Brings `made`, a copy of `schema`, into a form. `without` are the names that are gone around it.
    fn form(
        &self,
        schema: &'d Schema,
        made: &mut Schema,
        form: Form,
        apart: &BTreeSet<usize>,
        without: &HashSet<&'d str>,
    ) {
        let (Schema::Node(from), Schema::Node(to)) = (schema, &mut *made) else { return };
        let mut names = without.clone();
        self.missing(from, form, HOPS, &mut names);
        if let Some(object) = to.object.as_deref_mut()
            && !names.is_empty()
        {
            object.properties.retain(|property| !names.contains(&*property.name));
            object.required.retain(|name| !names.contains(&**name));
        }
        if let Some(reference) = to.reference.as_deref_mut()
            && form == Form::Write
        {
            match &mut reference.target {
                RefTarget::Here(pointer) => {
                    if let Some((owner, rest)) = self.owner(pointer)
                        && apart.contains(&owner)
                        && !operation(pointer)
                        && !sent(pointer)
                    {
                        *pointer = format!("{}{WRITE}{rest}", self.list[owner].0).into();
                    }
                }
                // Whether there are two forms of it, the other file knows; see `Resolve::link`.
                RefTarget::Elsewhere { fragment, .. } => {
                    if component(fragment) {
                        *fragment = format!("{fragment}{WRITE}").into();
                    }
                }
                RefTarget::Dangling => {}
            }
        }
        // Copies have the same children, but for the properties that are gone.
        let mut originals: Vec<&'d Schema> = Vec::new();
        from.each_child(&mut |child| originals.push(child));
        let gone = from.object.as_deref().map_or(0, |object| object.properties.len())
            - to.object.as_deref().map_or(0, |object| object.properties.len());
        if gone > 0 {
            let dropped: HashSet<*const Schema> = from
                .object
                .iter()
                .flat_map(|object| &object.properties)
                .filter(|property| names.contains(&*property.name))
                .map(|property| std::ptr::from_ref(&property.schema))
                .collect();
            originals.retain(|schema| !dropped.contains(&std::ptr::from_ref(*schema)));
        }
        let nothing = HashSet::new();
        let mut originals = originals.into_iter();
        children_mut(to, &mut |child, in_place| {
            if let Some(original) = originals.next() {
                self.form(original, child, form, apart, if in_place { &names } else { &nothing });
            }
        });
    }
}
