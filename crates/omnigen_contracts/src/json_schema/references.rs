//! Where `$ref` leads within one document, and which references lead in a circle.

use omnigen_ir::{Pointer, RefTarget};
use omnigen_report::{At, Code, Diagnostic, Severity, nearest};
use rustc_hash::FxHashMap;

use super::resources::Resources;
use crate::uri::{Parts, beside};
use crate::value::{Value, push_token, unescape};

/// A reference to a place of the same document.
#[derive(Clone, Debug)]
pub(crate) struct LocalReference {
    /// The schema that has it.
    pub(crate) at: Pointer,
    /// Length of the pointer of the outermost schema around `at` that applies to the same instance.
    pub(crate) entry: usize,
    /// Where it leads.
    pub(crate) target: Pointer,
    /// It may lead elsewhere when it is followed.
    pub(crate) dynamic: bool,
}

/// Finds where a reference leads. `at` is the pointer of the reference's value.
pub(crate) fn resolve(
    root: &Value<'_>,
    resources: &Resources,
    file: &std::sync::Arc<str>,
    resource: usize,
    text: &str,
    at: &str,
) -> (RefTarget, Option<Diagnostic>) {
    let report = |code: Code, message: String| Diagnostic::new(code, At::value(file, at), message);
    let parts = match Parts::new(text) {
        Ok(parts) => parts,
        Err(why) => {
            return (
                RefTarget::Dangling,
                Some(report(Code::BadReference, format!("`{text}` is no URI reference: {why}"))),
            );
        }
    };
    let fragment = parts.fragment();
    let target = if parts.only_fragment() {
        Some(resource)
    } else {
        let uri = resources.list[resource].base.join(&parts).text();
        match resources.named(&uri) {
            Some(target) => Some(target),
            None => {
                let mut fragment = fragment.into_owned();
                let mut diagnostic = None;
                if fragment == "/" {
                    // By the letter a member without a name; nobody has one, and many write it for the whole document.
                    diagnostic = Some(whole(report(Code::DanglingReference, nameless(text))));
                    fragment.clear();
                }
                let relative = parts.scheme.is_none() && parts.authority.is_none() && !parts.path.is_empty();
                let beside = if relative { beside(file, parts.path) } else { None };
                let target =
                    RefTarget::Elsewhere { uri: uri.into(), fragment: fragment.into(), beside: beside.map(Into::into) };
                return (target, diagnostic);
            }
        }
    };
    let target = target.unwrap_or(resource);
    let start = &*resources.list[target].pointer;
    if fragment.is_empty() {
        return (RefTarget::Here(start.into()), None);
    }
    if !fragment.starts_with('/') {
        if let Some(pointer) = resources.anchor(target, &fragment) {
            return (RefTarget::Here(pointer.into()), None);
        }
        let mut diagnostic =
            report(Code::DanglingReference, format!("`{text}` leads nowhere: there is no anchor `{fragment}`"));
        if let Some(name) = nearest(&fragment, resources.anchor_names(target), 3) {
            diagnostic = diagnostic.hint(format!("did you mean `#{name}`?"));
        } else if root.at(&format!("/{fragment}")).is_some() {
            diagnostic = diagnostic.hint(format!("a pointer begins with a slash: `#/{fragment}`"));
        }
        return (RefTarget::Dangling, Some(diagnostic));
    }
    let pointer = format!("{start}{}", normal(&fragment));
    if root.at(&pointer).is_some() {
        return (RefTarget::Here(pointer.into()), None);
    }
    if fragment == "/" {
        let diagnostic = whole(report(Code::DanglingReference, nameless(text)));
        return (RefTarget::Here(start.into()), Some(diagnostic));
    }
    if !start.is_empty() && parts.only_fragment() && root.at(&normal(&fragment)).is_some() {
        // Strictly it dangles: the pointer counts from the `$id` around it. Nearly always the document is meant.
        let mut diagnostic = report(
            Code::DanglingReference,
            format!("`{text}` counts from the schema with `$id` at `{start}`, and nothing is there; it is taken from the document's root"),
        )
        .hint("remove the inner `$id`, or begin the reference with the URI of the document");
        diagnostic.severity = Severity::Warning;
        return (RefTarget::Here(normal(&fragment).into()), Some(diagnostic));
    }
    let mut diagnostic = report(Code::DanglingReference, format!("`{text}` leads nowhere: nothing is at `{pointer}`"));
    if let Some(hint) = hint(root, &pointer, start.len()) {
        diagnostic = diagnostic.hint(hint);
    }
    (RefTarget::Dangling, Some(diagnostic))
}

fn nameless(text: &str) -> String {
    format!("`{text}` asks for a member without a name; it is taken for the whole document")
}

fn whole(mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.severity = Severity::Warning;
    diagnostic.hint("leave out the slash behind `#`")
}

/// Tokens escaped in the one way that pointers of this crate are.
fn normal(pointer: &str) -> String {
    if !pointer.contains('~') {
        return pointer.to_owned();
    }
    let mut normal = String::with_capacity(pointer.len());
    for token in pointer.split('/').skip(1) {
        push_token(&mut normal, &unescape(token));
    }
    normal
}

/// What to write instead of a pointer that leads nowhere.
fn hint(root: &Value<'_>, pointer: &str, start: usize) -> Option<String> {
    // The deepest part that exists, and the first token that does not.
    let mut found = "";
    let mut value = root;
    let (mut missing, mut rest) = ("", "");
    for (index, token) in pointer.split('/').enumerate().skip(1) {
        match value.step(&unescape(token)) {
            Some(inner) => {
                value = inner;
                let end = pointer.match_indices('/').nth(index).map_or(pointer.len(), |(at, _)| at);
                found = &pointer[..end];
            }
            None => {
                missing = token;
                rest = pointer.get(found.len() + 1..).unwrap_or("");
                break;
            }
        }
    }
    let missing = unescape(missing);
    let rest = unescape(rest);
    let shown = |folder: &str, name: &str| {
        let mut path = folder.get(start..).unwrap_or("").to_owned();
        push_token(&mut path, name);
        path
    };
    let names = || value.members().unwrap_or(&[]).iter().map(|member| member.name.as_ref());
    if let Some(name) = names().find(|name| *name == rest) {
        return Some(format!("a slash within a name is written `~1`: `#{}`", shown(found, name)));
    }
    if let Some(name) = nearest(&missing, names(), 1 + missing.len() / 4) {
        return Some(format!("did you mean `#{}`?", shown(found, name)));
    }
    // A definition of that name in the other place for definitions, or one spelled nearly so.
    let last = unescape(pointer.rsplit('/').next().unwrap_or(""));
    for folder in ["$defs", "definitions"] {
        let definitions = root.get(folder).and_then(Value::members).unwrap_or(&[]);
        let names = definitions.iter().map(|member| member.name.as_ref());
        if let Some(name) = nearest(&last, names, 1 + last.len() / 4) {
            let mut path = format!("/{folder}");
            push_token(&mut path, name);
            return Some(format!("did you mean `#{path}`?"));
        }
    }
    let list: Vec<&str> = names().take(8).collect();
    (!list.is_empty() && !found.is_empty()).then(|| format!("`{found}` has {}", list.join(", ")))
}

/// Reports references that lead in a circle without descending into the instance: they never come to an end. Where that hangs
/// on a condition it is a warning: documents that do not meet it are judged as they should be.
pub(crate) fn loops(file: &std::sync::Arc<str>, references: &[LocalReference]) -> Vec<Diagnostic> {
    // Which references are met when the schema at a pointer is applied, and whether only under a condition.
    let mut met: FxHashMap<&str, Vec<(usize, bool)>> =
        references.iter().map(|reference| (&*reference.target, Vec::new())).collect();
    for (index, reference) in references.iter().enumerate() {
        let mut end = reference.at.len();
        loop {
            if reference.dynamic {
                break;
            }
            if let Some(list) = met.get_mut(&reference.at[..end]) {
                list.push((index, is_conditional(&reference.at[end..])));
            }
            if end <= reference.entry {
                break;
            }
            end = reference.at[..end].rfind('/').unwrap_or(0);
        }
    }
    // Where everything refers to everything there are more circles than references: each reference is told of once.
    let mut told = vec![false; references.len()];
    let mut diagnostics = circles(file, references, &met, false, &mut told);
    diagnostics.extend(circles(file, references, &met, true, &mut told).into_iter().map(|mut found| {
        found.severity = Severity::Warning;
        found.message += ", for documents that meet the conditions on the way";
        found.hint("no validator comes to an end with these: `errors` raises a `RecursionError`")
    }));
    diagnostics
}

/// Does what stands on the way of keywords that apply in place, apply only if something else holds?
fn is_conditional(way: &str) -> bool {
    way.split('/').any(|token| matches!(token, "then" | "else" | "dependentSchemas" | "dependencies"))
}

fn circles(
    file: &std::sync::Arc<str>,
    references: &[LocalReference],
    met: &FxHashMap<&str, Vec<(usize, bool)>>,
    conditional: bool,
    told: &mut [bool],
) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    // 0: not seen, 1: on the path, 2: done. An explicit stack, because chains of references can be long.
    let mut state = vec![0u8; references.len()];
    for start in 0..references.len() {
        if state[start] != 0 {
            continue;
        }
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        state[start] = 1;
        while let Some(top) = path.last_mut() {
            let (index, next) = *top;
            let following = met.get(&*references[index].target).and_then(|list| list.get(next)).copied();
            top.1 += 1;
            match following {
                None => {
                    state[index] = 2;
                    path.pop();
                }
                Some((_, true)) if !conditional => {}
                Some((next, _)) if state[next] == 0 => {
                    state[next] = 1;
                    path.push((next, 0));
                }
                Some((next, _)) if state[next] == 1 => {
                    let from = path.iter().position(|(index, _)| *index == next).unwrap_or(0);
                    let circle: Vec<usize> = path[from..].iter().map(|(index, _)| *index).collect();
                    if !circle.iter().any(|&index| told[index]) {
                        circle.iter().for_each(|&index| told[index] = true);
                        diagnostics.push(circle_found(file, references, &circle));
                    }
                }
                Some(_) => {}
            }
        }
    }
    diagnostics
}

/// The references of a circle that a message names.
const STATIONS: usize = 8;

fn circle_found(file: &std::sync::Arc<str>, references: &[LocalReference], circle: &[usize]) -> Diagnostic {
    // Begin where the document does, so that the message does not depend on the search.
    let first = circle.iter().enumerate().min_by_key(|(_, index)| **index).map_or(0, |(position, _)| position);
    let name = |index: usize| match &*references[index].at {
        "" => "the root".to_owned(),
        at => format!("`{at}`"),
    };
    let stations = circle.len();
    let mut route: Vec<String> =
        circle[first..].iter().chain(&circle[..first]).take(STATIONS).map(|&index| name(index)).collect();
    if stations > STATIONS {
        route.push(format!("{} more", stations - STATIONS));
    }
    route.extend(route.first().cloned());
    let at = format!("{}/$ref", references[circle[first]].at);
    Diagnostic::new(
        Code::ReferenceLoop,
        At::value(file, &at),
        format!("the references lead in a circle: {}", route.join(" → ")),
    )
    .hint("one of them must be replaced by what the schema is meant to say")
}
