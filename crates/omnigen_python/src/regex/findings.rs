//! What is the matter with the patterns of a schema.

use std::collections::HashMap;

use omnigen_ir::{FileId, Node, Schema};
use omnigen_report::{At, Code, Diagnostic};

use super::{PatternError, known};

/// Findings about every `pattern` and every key of `patternProperties` within a schema of `file`, in the order of the
/// schema's keywords: no regular expression, not to be said in Python, or slow. What `$ref` leads to is not looked at.
pub fn findings(file: &FileId, schema: &Schema) -> Vec<Diagnostic> {
    let mut walk = Walk { file, known: HashMap::new(), found: Vec::new() };
    walk.schema(schema);
    walk.found
}

/// Code, message, hint.
type Verdict = Option<(Code, String, Option<&'static str>)>;

struct Walk<'a> {
    file: &'a FileId,
    /// Patterns come again and again: each is looked at once. Never iterated.
    known: HashMap<&'a str, Verdict>,
    found: Vec<Diagnostic>,
}

impl<'a> Walk<'a> {
    fn schema(&mut self, schema: &'a Schema) {
        let Schema::Node(node) = schema else { return };
        if let Some(pattern) = node.string.as_deref().and_then(|rules| rules.pattern.as_deref()) {
            self.pattern(pattern, |file| At::value(file, &format!("{}/pattern", node.at)));
        }
        for (pattern, _) in node.object.iter().flat_map(|rules| &rules.patterns) {
            self.pattern(pattern, |file| At::key(file, &key(node, pattern)));
        }
        node.each_child(&mut |child| self.schema(child));
    }

    fn pattern(&mut self, pattern: &'a str, at: impl FnOnce(&FileId) -> At) {
        if let Some((code, message, hint)) = self.known.entry(pattern).or_insert_with(|| verdict(pattern)) {
            let mut finding = Diagnostic::new(*code, at(self.file), message.as_str());
            finding.hint = hint.map(str::to_owned);
            self.found.push(finding);
        }
    }
}

/// The pointer of a key of `patternProperties`.
fn key(node: &Node, pattern: &str) -> String {
    format!("{}/patternProperties/{}", node.at, pattern.replace('~', "~0").replace('/', "~1"))
}

fn verdict(pattern: &str) -> Verdict {
    let known = known(pattern);
    match &known.translated {
        Ok(_) if !known.slow => None,
        Ok(_) => Some((
            Code::SlowPattern,
            "this pattern can take exponential time on some texts".to_owned(),
            Some("let only one part of the pattern repeat what another could match as well"),
        )),
        Err(PatternError::Bad { at, message }) => {
            Some((Code::BadPattern, format!("at byte {at} of the pattern: {message}"), None))
        }
        Err(PatternError::NotCarried { at, message }) => {
            Some((Code::PatternNotCarried, format!("at byte {at} of the pattern: {message}"), None))
        }
    }
}
