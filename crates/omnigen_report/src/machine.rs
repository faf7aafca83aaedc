//! Findings for programs that have formats of their own: annotations of GitHub's CI, SARIF 2.1.0, JUnit.
//!
//! Paths in them are relative to where the reader stands, which may be above the project: `prefix` is put before them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{Marked, Severity, Shown};

/// A path as the reader sees it.
fn path(prefix: &str, at: &Marked) -> String {
    if prefix.is_empty() { at.file.to_string() } else { format!("{prefix}/{}", at.file) }
}

/// Message, hint and related places as one text.
fn text(shown: &Shown) -> String {
    let mut text = shown.message.clone();
    for related in &shown.related {
        text.push_str(&format!("\n{}: {}", related.at.link(), related.label));
    }
    if let Some(hint) = &shown.hint {
        text.push_str(&format!("\nhint: {hint}"));
    }
    text
}

/// Workflow commands, one line a finding: GitHub shows them beside the line of the file.
pub fn github(found: &[Shown], prefix: &str) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut out = String::new();
    for shown in found {
        let command = match shown.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties = Vec::new();
        if let Some(at) = &shown.at {
            properties.push(format!("file={}", property(&path(prefix, at))));
            if let (Some(start), Some(end)) = (at.start(), at.end()) {
                properties.push(format!("line={},endLine={}", start.line, end.line));
                // GitHub takes columns only within one line.
                if start.line == end.line {
                    properties.push(format!("col={},endColumn={}", start.column, end.column));
                }
            }
        }
        properties.push(format!("title={}", property(shown.code.id())));
        out.push_str(&format!("::{command} {}::{}\n", properties.join(","), data(&text(shown))));
    }
    out
}

/// One SARIF log with one run.
pub fn sarif(found: &[Shown], prefix: &str, version: &str) -> String {
    let codes: BTreeSet<_> = found.iter().map(|shown| shown.code).collect();
    let rules: Vec<Value> =
        codes.iter().map(|code| json!({ "id": code.id(), "shortDescription": { "text": code.title() } })).collect();
    let location = |at: &Marked| {
        let mut place = json!({ "artifactLocation": { "uri": uri(&path(prefix, at)) } });
        if let (Some(start), Some(end)) = (at.start(), at.end()) {
            place["region"] = json!({
                "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column,
            });
        }
        place
    };
    let results: Vec<Value> = found
        .iter()
        .map(|shown| {
            let level = match shown.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let mut result = json!({ "ruleId": shown.code.id(), "level": level, "message": { "text": text(shown) } });
            if let Some(at) = &shown.at {
                result["locations"] = json!([{ "physicalLocation": location(at) }]);
            }
            if !shown.related.is_empty() {
                let related = shown.related.iter().map(|related| {
                    json!({ "physicalLocation": location(&related.at), "message": { "text": related.label } })
                });
                result["relatedLocations"] = related.collect();
            }
            result
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "omnigen", "version": version, "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

/// A relative reference (RFC 3986, section 4.2) to a file.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A suite with a failed case for each error, or one case that passed.
pub fn junit(found: &[Shown], prefix: &str) -> String {
    let errors: Vec<&Shown> = found.iter().filter(|shown| shown.is_error()).collect();
    let (tests, failures) = (errors.len().max(1), errors.len());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"omnigen\" tests=\"{tests}\" failures=\"{failures}\">\n  \
         <testsuite name=\"omnigen\" tests=\"{tests}\" failures=\"{failures}\">\n"
    );
    if errors.is_empty() {
        out.push_str("    <testcase name=\"contracts\" classname=\"omnigen\"/>\n");
    }
    for shown in errors {
        let file = shown.at.as_ref().map_or_else(|| "omnigen".to_owned(), |at| path(prefix, at));
        let link = shown.at.as_ref().map_or_else(String::new, |at| format!("{}\n", at.link()));
        out.push_str(&format!(
            "    <testcase name=\"{}\" classname=\"{}\">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
            xml(shown.code.id()),
            xml(&file),
            xml(shown.code.id()),
            xml(&shown.message),
            xml(&(link + &text(shown))),
        ));
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// Text of XML 1.0; characters that it cannot have are replaced.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let part: Cow<'_, str> = match c {
            '&' => "&amp;".into(),
            '<' => "&lt;".into(),
            '>' => "&gt;".into(),
            '"' => "&quot;".into(),
            '\n' => "&#10;".into(),
            '\t' => " ".into(),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}".into(),
            c => c.to_string().into(),
        };
        out.push_str(&part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{At, Code, Diagnostic};

    fn found() -> Vec<Shown> {
        let at = At::span(&"contracts/a,b.json".into(), 2, 5);
        let diagnostic = Diagnostic::new(Code::DanglingReference, at, "50% of <it>").hint("two\nlines");
        vec![Shown::new(&diagnostic, |_| Some(("\n\nxyz\n".into(), 2..5)))]
    }

    #[test]
    fn annotations() {
        assert_eq!(
            github(&found(), "sub"),
            "::error file=sub/contracts/a%2Cb.json,line=3,endLine=3,col=1,endColumn=4,title=dangling-ref::50%25 of \
             <it>%0Ahint: two%0Alines\n"
        );
    }

    #[test]
    fn logs() {
        let log: Value = serde_json::from_str(&sarif(&found(), "", "1")).unwrap_or_default();
        let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "contracts/a%2Cb.json");
        assert_eq!(place["region"]["endColumn"], 4);
        assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][0]["id"], "dangling-ref");
    }

    #[test]
    fn suites() {
        let suite = junit(&found(), "");
        assert!(suite.contains("message=\"50% of &lt;it&gt;\"") && suite.contains("failures=\"1\""), "{suite}");
        assert!(junit(&[], "").contains("tests=\"1\" failures=\"0\""));
    }
}
