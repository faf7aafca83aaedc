//! Schemas elsewhere: how their addresses are written, where their copies lie, and which of them a document needs.

use std::collections::BTreeSet;

use omnigen_ir::{FileId, Pointer, RefTarget, Schema};
use omnigen_report::Diagnostic;

use crate::uri::{Parts, Uri, decode};

/// Bytes of one folder's or file's name that disks take.
const NAME: usize = 255;

/// The normal form of an address that a person wrote: absolute, `http` or `https`, without fragment.
///
/// # Errors
/// Why it names nothing that can be fetched and kept.
pub fn address(text: &str) -> Result<String, String> {
    let parts = Parts::new(text).map_err(str::to_owned)?;
    let scheme = parts.scheme.map(str::to_ascii_lowercase);
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return Err("an address begins with `https://` or `http://`".to_owned());
    }
    match parts.authority {
        None | Some("") => return Err("it names no host".to_owned()),
        Some(authority) if authority.contains('@') => {
            return Err("it holds a user or a password, which must not get into a committed file".to_owned());
        }
        Some(_) => {}
    }
    // The text before it counts too: what `..` removes must not be there at all.
    if mirror_path(&text.split('#').next().unwrap_or(text).replacen(parts.scheme.unwrap_or_default(), "https", 1))
        .is_none()
    {
        return Err("its path names no file that a copy could have (see `..`, empty and very long parts)".to_owned());
    }
    Ok(Uri::file("").join(&parts).text())
}

/// Where the copy of a schema lies below the mirror's folder: `<host>/<path>`, decoded. `None` for what is no `http` address,
/// and for paths that a folder cannot have: `..`, empty parts, an escaped `/`.
///
/// The query belongs to the name: `a.json?v=2` lies at `a%3Fv=2.json`.
pub fn mirror_path(address: &str) -> Option<String> {
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"))?;
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let mut path = String::with_capacity(rest.len());
    for (index, part) in rest.split('/').enumerate() {
        let part = decode(part)?;
        let odd = |c: char| c == '/' || c == '\\' || c.is_control();
        if part.is_empty() || part == "." || part == ".." || part.contains(odd) || part.len() > NAME {
            return None;
        }
        if index > 0 {
            path.push('/');
        }
        path.push_str(&part);
    }
    // A host alone would be a folder.
    let name = path.find('/').map(|_| path.rfind('/').unwrap_or(0) + 1)?;
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        let query: String = query.chars().map(|c| if c == '/' { "%2F".to_owned() } else { c.to_string() }).collect();
        let at = path[name..].rfind('.').filter(|dot| *dot > 0).map_or(path.len(), |dot| name + dot);
        path.insert_str(at, &format!("%3F{query}"));
        if path.len() - name > NAME {
            return None;
        }
    }
    Some(path)
}

/// The address of the file at a path below the mirror's folder, as [`mirror_path`] puts it there.
pub fn address_of(path: &str, scheme: &str) -> String {
    let mut address = format!("{scheme}://");
    for c in path.chars() {
        match c {
            '%' | '?' | '#' | ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => {
                address.push_str(&format!("%{:02X}", c as u32));
            }
            c if c.is_ascii() => address.push(c),
            c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| address.push_str(&format!("%{byte:02X}"))),
        }
    }
    address
}

/// What one document has to do with schemas elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The absolute URIs that identify schemas of it.
    pub ids: Vec<Box<str>>,
    /// The files that it refers to, each once, in the order of the document.
    pub needs: Vec<Need>,
    /// Why nothing can be read of it.
    pub broken: Option<Diagnostic>,
}

/// A file that a document refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Absolute, without fragment.
    pub uri: Box<str>,
    /// The path from the project's root that the reference names seen from the document's folder, if it is relative.
    pub beside: Option<Box<str>>,
    /// The schema that has the reference.
    pub at: Pointer,
}

/// Reads one document for what it refers to. `file` is its path from the project's root.
pub fn remote(file: &FileId, text: &str) -> Remote {
    let declared = crate::declarations(file, text);
    let broken = declared.broken.then(|| declared.diagnostics.iter().find(|found| found.is_error()).cloned()).flatten();
    let mut found = Found { needs: Vec::new(), seen: BTreeSet::new() };
    found.walk(&declared.root);
    declared.definitions.iter().for_each(|(_, schema)| found.walk(schema));
    let ids = declared.ids.into_iter().map(|(uri, _)| uri).collect();
    Remote { ids, needs: found.needs, broken }
}

struct Found {
    needs: Vec<Need>,
    seen: BTreeSet<Box<str>>,
}

impl Found {
    fn walk(&mut self, schema: &Schema) {
        let Some(node) = schema.node() else { return };
        if let Some(reference) = &node.reference
            && let RefTarget::Elsewhere { uri, beside, .. } = &reference.target
            && self.seen.insert(uri.clone())
        {
            self.needs.push(Need { uri: uri.clone(), beside: beside.clone(), at: node.at.clone() });
        }
        node.each_child(&mut |child| self.walk(child));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_copies_lie() {
        for (address, path) in [
            ("https://example.org/a/b.json", Some("example.org/a/b.json")),
            ("http://127.0.0.1:8080/b.json", Some("127.0.0.1:8080/b.json")),
            ("https://example.org/a/", Some("example.org/a")),
            ("https://example.org/a%20b.json", Some("example.org/a b.json")),
            ("https://example.org/a.json?v=2", Some("example.org/a%3Fv=2.json")),
            ("https://example.org/a?x=/../y", Some("example.org/a%3Fx=%2F..%2Fy")),
            ("https://example.org/.well?x", Some("example.org/.well%3Fx")),
            ("https://example.org", None),
            ("https://example.org/", None),
            ("https://example.org//a.json", None),
            ("https://example.org/a/../b.json", None),
            ("https://example.org/a/%2e%2E/b.json", None),
            ("https://example.org/a%2Fb.json", None),
            ("https://example.org/a%5C..%5Cb.json", None),
            ("https://example.org/%00.json", None),
            ("https://example.org/%ff.json", None),
            ("https:///etc/passwd", None),
            ("ftp://example.org/a.json", None),
            ("file:///etc/passwd", None),
        ] {
            assert_eq!(mirror_path(address).as_deref(), path, "{address}");
        }
        assert_eq!(mirror_path(&format!("https://example.org/{}", "x".repeat(256))), None);
    }

    #[test]
    fn addresses_that_people_write() {
        assert_eq!(address("HTTPS://Example.ORG/a.json#/x").as_deref(), Ok("https://example.org/a.json"));
        assert_eq!(address("http://127.0.0.1:80/a?b").as_deref(), Ok("http://127.0.0.1:80/a?b"));
        for (text, part) in [
            ("example.org/a.json", "begins with"),
            ("file:///a.json", "begins with"),
            ("https:a.json", "no host"),
            ("https://me:secret@example.org/a.json", "password"),
            ("https://example.org/a/../../b.json", "no file"),
            ("https://example.org/", "no file"),
            ("https://example.org/a b.json", "%20"),
            ("https://example.org/%zz", "hexadecimal"),
        ] {
            assert!(address(text).is_err_and(|why| why.contains(part)), "{text}: {:?}", address(text));
        }
    }

    #[test]
    fn a_copy_knows_its_address() {
        for path in ["example.org/a/b.json", "127.0.0.1:8080/a b%é.json"] {
            assert_eq!(mirror_path(&address_of(path, "https")).as_deref(), Some(path));
        }
    }

    #[test]
    fn what_a_document_needs() {
        let text = r##"{ "$ref": "b.json#/x", "not": { "$ref": "https://far.example/c.json" },
            "anyOf": [{ "$ref": "b.json" }, { "$ref": "#/not" }, { "$id": "https://far.example/d.json" }] }"##;
        let remote = remote(&"refs/far.example/a.json".into(), text);
        let needs: Vec<_> = remote.needs.iter().map(|need| (&*need.uri, need.beside.as_deref(), &*need.at)).collect();
        assert_eq!(
            needs,
            [
                ("file:///refs/far.example/b.json", Some("refs/far.example/b.json"), ""),
                ("https://far.example/c.json", None, "/not")
            ]
        );
        assert_eq!((remote.ids, remote.broken), (vec!["https://far.example/d.json".into()], None));
        let page = super::remote(&"a.json".into(), "<html>");
        assert!(page.broken.is_some_and(|found| found.code == omnigen_report::Code::Syntax));
    }
}
