//! Docstrings and raw strings.

use std::borrow::Cow;

use omnigen_ir::normalize::About;

use crate::layout::Writer;

/// The docstring of a type or field, if there is anything to say. `unchecked` is what only the validator checks.
pub(super) fn text<'a>(about: &'a About, unchecked: &[&str]) -> Option<Cow<'a, str>> {
    fn said(text: &Option<Box<str>>) -> Option<&str> {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }
    let mut text = Cow::Borrowed(said(&about.description).or_else(|| said(&about.title)).unwrap_or_default());
    let mut add = |paragraph: &str| {
        let text = text.to_mut();
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(paragraph);
    };
    if about.deprecated {
        add("Deprecated.");
    }
    if !unchecked.is_empty() {
        add(&format!("Checked by the validator only: {}.", unchecked.join(", ")));
    }
    (!text.is_empty()).then_some(text)
}

/// Writes a docstring as `ruff format` leaves it: trimmed, its lines indented by the smallest indentation they share.
pub(crate) fn write(code: &mut Writer, text: &str) {
    // Without an early end: so that many bytes are looked at at once.
    let odd = |b: u8| !matches!(b, b' '..=b'~' | b'\n') | (b == b'"') | (b == b'\\');
    if !text.bytes().fold(false, |found, b| found | odd(b)) {
        return write_plain(code, text);
    }
    let mut lines: Vec<String> = text
        .replace("\r\n", "\n")
        .split(['\n', '\r', '\u{2028}', '\u{2029}', '\u{85}', '\u{b}', '\u{c}'])
        .map(|line| escaped(&line.replace('\t', "    ")).trim_end_matches(python_blank).to_owned())
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let Some(first) = lines.first_mut() else { return };
    *first = first.trim_start_matches(python_blank).to_owned();
    if first.starts_with('"') {
        first.insert(0, '\\');
    }
    if lines.len() == 1 {
        let mut line = lines.remove(0);
        if line.ends_with('"') {
            line.pop();
            // An escape that is there already must not be taken apart.
            line.push_str(if line.ends_with('\\') { "\"" } else { "\\\"" });
        }
        code.line(&format!("\"\"\"{line}\"\"\""));
        return;
    }
    let shared = lines[1..]
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0);
    code.line(&format!("\"\"\"{}", lines[0]));
    for line in &lines[1..] {
        code.line(line.get(shared..).unwrap_or_default());
    }
    code.line("\"\"\"");
}

/// The same for a text of printable ASCII that needs no escapes.
fn write_plain(code: &mut Writer, text: &str) {
    let text = text.trim_end_matches([' ', '\n']);
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let first = first.trim_matches(' ');
    if rest.is_empty() {
        if !first.is_empty() {
            code.pieces(&["\"\"\"", first, "\"\"\""]);
        }
        return;
    }
    let lines = || rest.split('\n').map(|line| line.trim_end_matches(' '));
    let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let shared = lines().filter(|line| !line.is_empty()).map(indentation).min().unwrap_or(0);
    code.pieces(&["\"\"\"", first]);
    for line in lines() {
        code.line(line.get(shared..).unwrap_or_default());
    }
    code.line("\"\"\"");
}

/// What Python's `str.strip` would take.
fn python_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// Escapes for a string in triple quotes; invisible characters are spelled out.
fn escaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut quotes = 0;
    for c in line.chars() {
        quotes = if c == '"' { quotes + 1 } else { 0 };
        match c {
            '\\' => out.push_str("\\\\"),
            '"' if quotes == 3 => {
                out.push_str("\\\"");
                quotes = 0;
            }
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out
}
