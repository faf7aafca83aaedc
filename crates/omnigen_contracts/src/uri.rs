//! URI references (RFC 3986), as far as identifiers and references of schemas need them.

use std::borrow::Cow;

/// An absolute URI without its fragment. The path of a `file:` URI is kept decoded, so that it equals a project path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Uri {
    scheme: String,
    authority: Option<String>,
    path: String,
    query: Option<String>,
}

/// The parts of a URI reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) scheme: Option<&'a str>,
    pub(crate) authority: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Takes a reference apart. Characters that should have been escaped are accepted where they do no harm, because many
    /// contracts have them (`#/definitions/List<Item>`); the error says what cannot be accepted.
    pub(crate) fn new(text: &'a str) -> Result<Parts<'a>, &'static str> {
        if text.chars().any(char::is_control) {
            return Err("it holds a control character");
        }
        let (rest, fragment) = match text.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (text, None),
        };
        if rest.contains('\\') {
            return Err("it holds a backslash; paths of URIs have `/`");
        }
        if rest.contains(char::is_whitespace) {
            return Err("it holds a space; write `%20`");
        }
        if !escapes_fine(rest) || !fragment.is_none_or(escapes_fine) {
            return Err("a `%` must be followed by two hexadecimal digits");
        }
        if fragment.is_some_and(|fragment| decode(fragment).is_none()) {
            return Err("its fragment is not UTF-8");
        }
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let colon = rest.find(':').filter(|&colon| !rest[..colon].contains('/'));
        let (scheme, rest) = match colon {
            Some(colon) => {
                let scheme = &rest[..colon];
                let letters = scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
                if !letters || !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    return Err("what stands before its colon is no scheme");
                }
                (Some(scheme), &rest[colon + 1..])
            }
            None => (None, rest),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
            None => (None, rest),
        };
        Ok(Parts { scheme, authority, path, query, fragment })
    }

    /// The fragment, decoded; empty if there is none.
    pub(crate) fn fragment(&self) -> Cow<'a, str> {
        self.fragment.and_then(decode).unwrap_or_default()
    }

    /// Is there nothing but a fragment?
    pub(crate) fn only_fragment(&self) -> bool {
        self.scheme.is_none() && self.authority.is_none() && self.path.is_empty() && self.query.is_none()
    }
}

impl Uri {
    /// The URI of a file of the project, by its path from the root.
    pub(crate) fn file(path: &str) -> Uri {
        Uri { scheme: "file".to_owned(), authority: Some(String::new()), path: format!("/{path}"), query: None }
    }

    /// Resolves a reference against this base (RFC 3986, section 5.2.2); the fragment is left out.
    pub(crate) fn join(&self, parts: &Parts<'_>) -> Uri {
        let lower = |text: &str| text.to_ascii_lowercase();
        let query = |text: Option<&str>| text.map(str::to_owned);
        if let Some(scheme) = parts.scheme {
            let scheme = lower(scheme);
            let file = scheme == "file";
            // `file:/x`, `file:///x` and `file://localhost/x` are one file.
            let authority = match parts.authority.map(lower) {
                None if file => Some(String::new()),
                Some(host) if file && host == "localhost" => Some(String::new()),
                other => other,
            };
            let path = self::path(parts.path, file);
            let path = if authority.is_some() && path.is_empty() { "/".to_owned() } else { remove_dots(&path, file) };
            return Uri { scheme, authority, path, query: query(parts.query) };
        }
        let file = self.scheme == "file";
        if let Some(authority) = parts.authority {
            let path = remove_dots(&path(parts.path, file), file);
            return Uri {
                scheme: self.scheme.clone(),
                authority: Some(lower(authority)),
                path,
                query: query(parts.query),
            };
        }
        if parts.path.is_empty() {
            let query = query(parts.query).or_else(|| self.query.clone());
            return Uri { query, ..self.clone() };
        }
        let written = path(parts.path, file);
        let path = if written.starts_with('/') {
            remove_dots(&written, file)
        } else {
            let folder = self.path.rfind('/').map_or("", |slash| &self.path[..=slash]);
            let folder = if folder.is_empty() && self.authority.is_some() { "/" } else { folder };
            remove_dots(&format!("{folder}{written}"), file)
        };
        Uri { path, query: query(parts.query), ..self.clone() }
    }

    /// The text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}:", self.scheme);
        if let Some(authority) = &self.authority {
            text.push_str("//");
            text.push_str(authority);
        }
        text.push_str(&self.path);
        if let Some(query) = &self.query {
            text.push('?');
            text.push_str(query);
        }
        text
    }
}

/// The project path that a relative path names seen from the folder of `file`; `None` if it leads out of the project.
pub(crate) fn beside(file: &str, path: &str) -> Option<String> {
    let path = decode(path)?;
    let joined = match path.strip_prefix('/') {
        Some(path) => path.to_owned(),
        None => format!("{}{path}", file.rfind('/').map_or("", |slash| &file[..=slash])),
    };
    let mut folders: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(folders.pop()?),
            part => folders.push(part),
        }
    }
    (!folders.is_empty()).then(|| folders.join("/"))
}

fn path(path: &str, file: bool) -> String {
    if file { decode(path).unwrap_or(path.into()).into_owned() } else { path.to_owned() }
}

/// RFC 3986, section 5.2.4. In a file's path a `..` too many stays: what leads out of the project must not come back in
/// by being cut off.
fn remove_dots(path: &str, file: bool) -> String {
    let dotted = path.contains("/.") || path.starts_with('.');
    let doubled = file && path.contains("//");
    if !dotted && !doubled {
        return path.to_owned();
    }
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path[usize::from(rooted)..].split('/').collect();
    let last = segments.len() - 1;
    for (index, &segment) in segments.iter().enumerate() {
        match segment {
            "." | ".." => {
                if segment == ".." && parts.last().is_none_or(|part| *part == "..") {
                    if file {
                        parts.push("..");
                    }
                } else if segment == ".." {
                    parts.pop();
                }
                if index == last {
                    parts.push("");
                }
            }
            "" if file && index != last => {}
            segment => parts.push(segment),
        }
    }
    format!("{}{}", if rooted { "/" } else { "" }, parts.join("/"))
}

fn escapes_fine(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes
        .iter()
        .enumerate()
        .filter(|&(_, &b)| b == b'%')
        .all(|(i, _)| bytes.get(i + 1..i + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

/// Decodes `%xx`; `None` if the result is not UTF-8.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(text.into());
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}
