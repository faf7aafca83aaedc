//! Findings and events as text without colour (for pipes, logs and editors) and as JSON lines.
//!
//! The drawing for terminals is the binary's. Does not know where its text goes.

use std::fmt::{self, Write};

use serde::Serialize;

use crate::{BuildEvent, Marked, Shown, Source, position};

/// Characters of a line that are shown: generated contracts may have one line of a megabyte.
const WIDTH: usize = 160;

/// `error[dangling-ref]: message`.
pub fn heading(shown: &Shown) -> String {
    let severity = shown.severity.word();
    format!("{severity}[{}]: {}", shown.code.id(), visible(&shown.message))
}

/// One finding in the manner of rustc, ending in a line end:
///
/// ```text
/// error[dangling-ref]: `#/$defs/Adress` does not exist
///   --> contracts/order.json:12:15
///    |
/// 12 |       "$ref": "#/$defs/Adress"
///    |               ^^^^^^^^^^^^^^^^
///    = hint: did you mean `#/$defs/Address`?
/// ```
pub fn plain(shown: &Shown, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "{}", heading(shown))?;
    let places = shown.at.iter().chain(shown.related.iter().map(|related| &related.at));
    let gutter = places.filter_map(Marked::end).map(|end| end.line.to_string().len()).max().unwrap_or(1);
    if let Some(at) = &shown.at {
        place(at, "-->", '^', "", gutter, out)?;
    }
    for related in &shown.related {
        place(&related.at, ":::", '-', &related.label, gutter, out)?;
    }
    if let Some(hint) = &shown.hint {
        let mut lines = hint.lines();
        writeln!(out, "{:gutter$} = hint: {}", "", visible(lines.next().unwrap_or_default()))?;
        for line in lines {
            writeln!(out, "{:gutter$}         {}", "", visible(line))?;
        }
    }
    if let Some(diff) = &shown.diff {
        for line in diff.lines() {
            writeln!(out, "{:gutter$} | {}", "", visible(line))?;
        }
    }
    Ok(())
}

fn place(at: &Marked, arrow: &str, mark: char, label: &str, gutter: usize, out: &mut dyn Write) -> fmt::Result {
    let label = &*visible(label);
    write!(out, "{:gutter$}{arrow} {}", "", visible(&at.link()))?;
    let Some(source) = &at.source else {
        return if label.is_empty() { writeln!(out) } else { writeln!(out, ": {label}") };
    };
    writeln!(out)?;
    snippet(source, mark, label, gutter, out)
}

fn snippet(source: &Source, mark: char, label: &str, gutter: usize, out: &mut dyn Write) -> fmt::Result {
    let Source { text, span } = source;
    let first = position(text, span.start).line;
    // A span that ends with a line end does not mark the next line.
    let last = position(text, if span.end > span.start { span.end - 1 } else { span.end }).line;
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    writeln!(out, "{:gutter$} |", "")?;
    let line = text[start..].split('\n').next().unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    let from = span.start.clamp(start, start + line.len()) - start;
    let to = span.end.clamp(start + from, start + line.len()) - start;
    marked_line(line, from..to, first, mark, label, gutter, out)?;
    // Where a thing begins says which one it is; all of it would bury the message.
    if last > first { writeln!(out, "{:gutter$} …", "") } else { Ok(()) }
}

fn marked_line(
    line: &str,
    span: std::ops::Range<usize>,
    number: usize,
    mark: char,
    label: &str,
    gutter: usize,
    out: &mut dyn Write,
) -> fmt::Result {
    let before = line[..span.start].chars().count();
    let inside = line[span.clone()].chars().count();
    // Of a long line the part around the mark is shown.
    let skip = if line.len() > WIDTH { before.saturating_sub(WIDTH / 4) } else { 0 };
    let cut: String = line.chars().skip(skip).take(WIDTH).collect();
    let more = line.chars().count() > skip + WIDTH;
    let (head, tail) = (if skip > 0 { "…" } else { "" }, if more { "…" } else { "" });
    writeln!(out, "{number:gutter$} | {head}{}{tail}", visible(&cut))?;
    let room = WIDTH.saturating_sub(before - skip).max(1);
    let marks: String = std::iter::repeat_n(mark, inside.clamp(1, room)).collect();
    let space: usize = before - skip + head.chars().count();
    write!(out, "{:gutter$} | {:space$}{marks}", "", "")?;
    if !label.is_empty() {
        write!(out, " {label}")?;
    }
    writeln!(out)
}

/// Text of a file is data: a control character in it must not reach a terminal. Each becomes one visible character, so
/// that columns stay.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
            '\u{7f}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                '\u{fffd}'
            }
            _ => c,
        })
        .collect()
}

/// An event as a JSON object in one line, without a line end.
pub fn event_json(event: &BuildEvent) -> String {
    line(event)
}

pub(crate) fn line<T: Serialize>(value: &T) -> String {
    // These types hold only strings, numbers and lists, which always can be written; should that change, the line says so.
    serde_json::to_string(value).unwrap_or_else(|error| {
        format!("{{\"reason\":\"bug\",\"text\":{}}}", serde_json::Value::String(error.to_string()))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{At, Change, ChangeKind, Code, Diagnostic, Exit, Summary};

    const TEXT: &str =
        "{\n  \"$ref\": \"#/$defs/Adress\",\n  \"$defs\": {\n    \"Address\": {},\n    \"größe\": {}\n  }\n}\n";

    /// Resolves spans against `TEXT`; files called `gone` have no text.
    fn shown(diagnostic: &Diagnostic) -> Shown {
        Shown::new(diagnostic, |at| match &at.spot {
            crate::Spot::Span { start, end } if &*at.file != "gone" => Some((TEXT.into(), *start..*end)),
            _ => None,
        })
    }

    fn at(part: &str) -> At {
        let start = TEXT.find(part).unwrap_or_default();
        At::span(&Arc::from("contracts/order.json"), start, start + part.len())
    }

    fn text(shown: &Shown) -> String {
        let mut out = String::new();
        assert!(plain(shown, &mut out).is_ok());
        out
    }

    #[test]
    fn everything_at_once() {
        let diagnostic =
            Diagnostic::new(Code::DanglingReference, at("\"#/$defs/Adress\""), "`#/$defs/Adress` does not exist")
                .related(at("\"Address\""), "this one does")
                .related(At::file(&Arc::from("gone")), "in this file as well")
                .hint("did you mean `#/$defs/Address`?\nor add it");
        let mut shown = shown(&diagnostic);
        shown.diff = Some("@@ -1 +1 @@\n-a\n+\u{1b}[31mb\n".to_owned());
        let expected = r##"error[dangling-ref]: `#/$defs/Adress` does not exist
 --> contracts/order.json:2:11
  |
2 |   "$ref": "#/$defs/Adress",
  |           ^^^^^^^^^^^^^^^^
 ::: contracts/order.json:4:5
  |
4 |     "Address": {},
  |     --------- this one does
 ::: gone: in this file as well
  = hint: did you mean `#/$defs/Address`?
          or add it
  | @@ -1 +1 @@
  | -a
  | +␛[31mb
"##;
        assert_eq!(text(&shown), expected);
    }

    #[test]
    fn no_place_and_no_text() {
        assert_eq!(text(&shown(&Diagnostic::global(Code::TaskCycle, "busy"))), "error[task-cycle]: busy\n");
        let diagnostic = Diagnostic::new(Code::Unreadable, At::file(&Arc::from("a.json")), "no permission");
        assert_eq!(text(&shown(&diagnostic)), "error[unreadable]: no permission\n --> a.json\n");
    }

    #[test]
    fn marks_stand_below_characters_not_bytes() {
        let diagnostic = Diagnostic::new(Code::UnknownKeyword, at("{}\n  }"), "m");
        let expected = "note[unknown-keyword]: m
 --> contracts/order.json:5:14
  |
5 |     \"größe\": {}
  |              ^^
  …
  = hint: leave it out, or begin it with `x-` if it is meant for another reader
";
        assert_eq!(text(&shown(&diagnostic)), expected);
    }

    #[test]
    fn spans_of_any_shape() {
        // Empty, at the end of the text, behind it, and over all of it: something readable each time.
        for (start, end) in [(0, 0), (TEXT.len(), TEXT.len()), (999, 1_000), (0, TEXT.len()), (1, 2)] {
            let at = At::span(&Arc::from("a.json"), start, end);
            let text = text(&shown(&Diagnostic::new(Code::Syntax, at, "m")));
            assert!(text.contains("^"), "{start}..{end}\n{text}");
        }
    }

    #[test]
    fn of_tall_places_the_beginning_is_shown_and_long_lines_are_cut() {
        let source = |text: &str, span| Source { text: text.into(), span };
        let mut out = String::new();
        let many = "  x\n".repeat(30);
        assert!(snippet(&source(&many, 2..60), '^', "here", 2, &mut out).is_ok());
        assert_eq!(out, "   |\n 1 |   x\n   |   ^ here\n   …\n");

        let mut out = String::new();
        let wide = format!("{}MARK{}", "a".repeat(100_000), "b".repeat(100_000));
        assert!(snippet(&source(&wide, 100_000..100_004), '^', "here", 1, &mut out).is_ok());
        let lines: Vec<&str> = out.lines().collect();
        assert!(
            lines[1].chars().count() < 180 && lines[1].starts_with("1 | …aaa") && lines[1].ends_with("bbb…"),
            "{out}"
        );
        let column = |line: &str, part: char| line.chars().position(|c| c == part);
        assert_eq!(column(lines[1], 'M'), column(lines[2], '^'));
        assert!(lines[2].ends_with("^^^^ here"));
    }

    #[test]
    fn json_lines() {
        let diagnostic = Diagnostic::new(Code::DanglingReference, at("\"größe\""), "m \"q\"").hint("h");
        assert_eq!(
            event_json(&BuildEvent::Diagnostic(shown(&diagnostic))),
            r#"{"reason":"diagnostic","severity":"error","code":"dangling-ref","message":"m \"q\"","hint":"h","at":{"file":"contracts/order.json","start":{"line":5,"column":5},"end":{"line":5,"column":12},"bytes":[66,75]}}"#
        );
        let change = Change { path: "generated/a.py".to_owned(), change: ChangeKind::Update, ..Change::default() };
        assert_eq!(
            event_json(&BuildEvent::Artifact(change)),
            r#"{"reason":"artifact","path":"generated/a.py","change":"update","contract":"","target":""}"#
        );
        let summary = Summary { written: 2, total: 3, ..Summary::default() };
        let finished = BuildEvent::Finished { exit: Exit::Done, failure: None, summary };
        assert!(
            event_json(&finished)
                .starts_with(r#"{"reason":"finished","exit":"done","activity":"build","written":2,"unchanged":0,"#)
        );
    }
}
