//! `!include other.yaml`: the document of another file in the place of a value.
//!
//! The path is relative to the file that it stands in, and leads neither up nor to an absolute place. Texts come from
//! outside: what is missing is asked for by name. Knows nothing of what documents mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use omnigen_ir::FileId;
use omnigen_report::{At, Code, Diagnostic};

use crate::value::{Data, Loaded, MAX_DEPTH, Value};

/// Files within files.
const MAX_LEVELS: usize = 10;
/// Bytes of an included file.
const MAX_INCLUDED: usize = 1 << 20;
/// Included files of one contract, each as often as it is included, and their bytes all together.
const MAX_FILES: usize = 1_000;
const MAX_TOTAL: usize = 16 << 20;

/// Texts of included files, by path from the project's root; `None`: there is no such file, or it has no text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Includes {
    texts: BTreeMap<FileId, Option<Arc<str>>>,
}

impl Includes {
    /// Adds what is known of a file.
    pub fn insert(&mut self, file: FileId, text: Option<Arc<str>>) {
        self.texts.insert(file, text);
    }

    /// All that are known, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&FileId, Option<&str>)> {
        self.texts.iter().map(|(file, text)| (file, text.as_deref()))
    }

    /// The text of a file, if it is known; `None` inside: there is none.
    pub(crate) fn text(&self, file: &str) -> Option<Option<&str>> {
        self.texts.get(file).map(Option::as_deref)
    }

    /// Is it known what is there?
    pub fn knows(&self, file: &str) -> bool {
        self.texts.contains_key(file)
    }
}

/// What came of the includes of one document.
#[derive(Default)]
pub(crate) struct Spliced {
    /// All files that were asked for, sorted.
    pub(crate) asked: Vec<FileId>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Puts documents in the place of the includes of a loaded one.
pub(crate) fn splice<'t>(file: &FileId, loaded: &mut Loaded<'t>, includes: &'t Includes) -> Spliced {
    let mut splicer = Splicer { includes, spliced: Spliced::default(), files: 0, bytes: 0 };
    splicer.document(&mut vec![file.clone()], loaded, 0);
    splicer.spliced.asked.sort();
    splicer.spliced.asked.dedup();
    splicer.spliced
}

struct Splicer<'t> {
    includes: &'t Includes,
    spliced: Spliced,
    files: usize,
    bytes: usize,
}

impl<'t> Splicer<'t> {
    /// `stack`: the files that are open, the one at hand last. `around`: containers around its document.
    fn document(&mut self, stack: &mut Vec<FileId>, loaded: &mut Loaded<'t>, around: usize) {
        let places = std::mem::take(&mut loaded.includes);
        let (Some(file), Some(root)) = (stack.last().cloned(), &mut loaded.value) else { return };
        for pointer in places {
            let Some(value) = root.at_mut(&pointer) else { continue };
            let Data::String(path) = &value.data else { continue };
            let path = path.trim().to_owned();
            let depth = around + pointer.matches('/').count();
            let data = self.included(stack, &file, &pointer, &path, depth).unwrap_or(Data::Null);
            value.data = data;
        }
    }

    fn refuse(&mut self, file: &FileId, pointer: &str, message: String, hint: Option<&str>) {
        let mut diagnostic = Diagnostic::new(Code::BadInclude, At::value(file, pointer), message);
        diagnostic.hint = hint.map(str::to_owned);
        self.spliced.diagnostics.push(diagnostic);
    }

    fn included(
        &mut self,
        stack: &mut Vec<FileId>,
        file: &FileId,
        pointer: &str,
        path: &str,
        depth: usize,
    ) -> Option<Data<'t>> {
        let target = match resolve(file, path) {
            Ok(target) => target,
            Err(why) => {
                let hint = "name a file in the folder of this one, or below it";
                self.refuse(file, pointer, format!("`{path}` cannot be included: {why}"), Some(hint));
                return None;
            }
        };
        if let Some(at) = stack.iter().position(|open| *open == target) {
            let round: Vec<&str> = stack[at..].iter().map(|file| &**file).collect();
            let message = match round.as_slice() {
                [_] => "the file includes itself".to_owned(),
                round => format!("files include each other in a circle: {} → back", round.join(" → ")),
            };
            self.refuse(file, pointer, message, Some("leave one of the includes out"));
            return None;
        }
        if stack.len() > MAX_LEVELS {
            let message = format!("`{path}` is included {} levels deep; the limit is {MAX_LEVELS}", stack.len());
            self.refuse(file, pointer, message, Some("include it from a file nearer to the contract"));
            return None;
        }
        self.spliced.asked.push(target.clone());
        let text = match self.includes.texts.get(&target) {
            // Asked for: the result is thrown away.
            None => return None,
            Some(None) => {
                let message = format!("`{path}` cannot be included: there is no file {target} that can be read");
                self.refuse(file, pointer, message, None);
                return None;
            }
            Some(Some(text)) => text,
        };
        if text.len() > MAX_INCLUDED {
            let message = format!("`{path}` has {} bytes; the limit for included files is {MAX_INCLUDED}", text.len());
            self.refuse(file, pointer, message, Some("split it, or keep what is needed in a smaller file"));
            return None;
        }
        self.files += 1;
        self.bytes += text.len();
        if self.files > MAX_FILES || self.bytes > MAX_TOTAL {
            let message =
                format!("the includes of one contract are more than {MAX_FILES} files, or more than {MAX_TOTAL} bytes");
            self.refuse(file, pointer, message, None);
            return None;
        }
        let mut loaded = crate::load(&target, text);
        if loaded.value.is_none() && loaded.flaws.iter().all(|flaw| flaw.code == Code::Empty) {
            return Some(Data::Null);
        }
        let flaws = std::mem::take(&mut loaded.flaws);
        self.spliced.diagnostics.extend(flaws.into_iter().map(|flaw| crate::diagnostic(&target, flaw)));
        stack.push(target);
        self.document(stack, &mut loaded, depth);
        stack.pop();
        let value = loaded.value?;
        if depth + height(&value) > MAX_DEPTH {
            let message = format!("with `{path}` the document is nested deeper than {MAX_DEPTH} levels");
            self.refuse(file, pointer, message, None);
            return None;
        }
        Some(value.data)
    }
}

/// The path from the project's root.
fn resolve(file: &str, path: &str) -> Result<FileId, &'static str> {
    if path.is_empty() {
        return Err("there is no path");
    }
    let drive = path.as_bytes().get(1) == Some(&b':');
    if path.starts_with(['/', '\\', '~']) || drive || path.contains("://") {
        return Err("absolute paths are not allowed");
    }
    if path.contains('\\') || path.contains('\0') {
        return Err("folders are separated by `/`");
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            ".." => return Err("`..` is not allowed"),
            "" | "." => {}
            part => parts.push(part),
        }
    }
    Ok(parts.join("/").into())
}

/// Containers within containers; documents that a loader let through are not too deep to be walked.
pub(crate) fn height(value: &Value<'_>) -> usize {
    match &value.data {
        Data::Object(members) => 1 + members.iter().map(|member| height(&member.value)).max().unwrap_or(0),
        Data::Array(items) => 1 + items.iter().map(height).max().unwrap_or(0),
        _ => 0,
    }
}
