//! Findings drawn for a terminal, with colours and lines between marks and labels. Where that cannot be, the plain form of
//! `omnigen_report` is used.

use std::fmt::{self, Display, Write};
use std::sync::Arc;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, Severity,
    SourceCode, SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};
use omnigen_report::{Marked, Shown, Source};

/// Below this many columns drawings are harder to read than plain text.
const NARROW: usize = 40;
/// Bytes of the longest line that is drawn: a line that a terminal would break many times is shown in part instead.
const LONG: usize = 400;

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Draw at all; otherwise plain text.
    pub(crate) drawn: bool,
    /// With escape codes for colours.
    pub(crate) color: bool,
    /// With characters beyond ASCII.
    pub(crate) unicode: bool,
    /// Columns.
    pub(crate) width: usize,
}

/// One finding, ending in a line end.
pub(crate) fn draw(shown: &Shown, look: Look) -> String {
    let mut out = String::new();
    let drawn = look.drawn && look.width >= NARROW && drawable(shown);
    // miette leaves out a label whose place it finds nothing to draw for, such as one behind the last character of a line
    // that another label ends on. What was found must not be lost.
    if drawn && graphic(shown, look, &mut out).is_ok() && complete(shown, &out) {
        return out;
    }
    out.clear();
    if omnigen_report::plain(shown, &mut out).is_err() {
        out = format!("{}\n", omnigen_report::heading(shown));
    }
    out
}

/// Are all labels in the drawing?
fn complete(shown: &Shown, drawing: &str) -> bool {
    shown.related.iter().all(|related| harmless(&related.label).lines().all(|line| drawing.contains(line)))
}

/// Are the lines short enough?
fn drawable(shown: &Shown) -> bool {
    let mut places = shown.at.iter().chain(shown.related.iter().map(|related| &related.at));
    places.all(|place| {
        place.source.as_ref().is_none_or(|source| {
            let start = source.text[..source.span.start].rfind('\n').map_or(0, |at| at + 1);
            let end = source.text[source.span.end..].find('\n').map_or(source.text.len(), |at| source.span.end + at);
            // One line before and behind is drawn as well.
            let start = source.text[..start.saturating_sub(1)].rfind('\n').map_or(0, |at| at + 1);
            let end =
                source.text[(end + 1).min(source.text.len())..].find('\n').map_or(source.text.len(), |at| end + 1 + at);
            source.text[start..end].lines().all(|line| line.len() <= LONG)
        })
    })
}

fn graphic(shown: &Shown, look: Look, out: &mut String) -> fmt::Result {
    let theme = GraphicalTheme {
        characters: if look.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() },
        styles: if look.color { ThemeStyles::ansi() } else { ThemeStyles::none() },
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(look.width)
        .with_context_lines(1)
        .with_links(false)
        .without_cause_chain();
    let drawing = Drawing::new(shown);
    handler.render_report(out, &drawing)?;
    for elsewhere in &drawing.elsewhere {
        if elsewhere.text.is_some() {
            writeln!(out)?;
        }
        handler.render_report(out, elsewhere)?;
    }
    if let Some(diff) = &shown.diff {
        writeln!(out)?;
        for line in diff.lines() {
            let color = match line.as_bytes().first() {
                _ if !look.color => "",
                Some(b'+') => "\x1b[32m",
                Some(b'-') => "\x1b[31m",
                Some(b'@') => "\x1b[36m",
                _ => "",
            };
            let reset = if color.is_empty() { "" } else { "\x1b[0m" };
            writeln!(out, "  {color}{}{reset}", harmless(line))?;
        }
    }
    writeln!(out)
}

/// A finding, or one of its places in another file, as miette wants it.
#[derive(Debug)]
struct Drawing {
    message: String,
    code: Option<String>,
    severity: Severity,
    hint: Option<String>,
    text: Option<Text>,
    labels: Vec<LabeledSpan>,
    /// Places in other files: drawn below, one by one.
    elsewhere: Vec<Drawing>,
}

impl Drawing {
    fn new(shown: &Shown) -> Drawing {
        let severity = match shown.severity {
            omnigen_report::Severity::Error => Severity::Error,
            omnigen_report::Severity::Warning => Severity::Warning,
            omnigen_report::Severity::Note => Severity::Advice,
        };
        let word = omnigen_report::heading(shown);
        let word = word.split(": ").next().unwrap_or_default();
        let mut code = word.to_owned();
        let mut drawing = Drawing {
            message: harmless(&shown.message),
            code: None,
            severity,
            hint: shown.hint.as_deref().map(harmless),
            text: None,
            labels: Vec::new(),
            elsewhere: Vec::new(),
        };
        match &shown.at {
            Some(Marked { file, source: Some(source) }) => {
                drawing.labels.push(LabeledSpan::new_primary_with_span(None, span(source)));
                drawing.text = Some(Text::new(file, source));
            }
            Some(place) => code = format!("{word}: {}", harmless(&place.file)),
            None => {}
        }
        drawing.code = Some(code);
        for related in &shown.related {
            let label = harmless(&related.label);
            let own = shown.at.as_ref().filter(|at| at.source.is_some()).map(|at| &at.file);
            match &related.at.source {
                Some(source) if own == Some(&related.at.file) => {
                    drawing.labels.push(LabeledSpan::new_with_span(Some(label), span(source)));
                }
                Some(source) => drawing.elsewhere.push(Drawing {
                    message: format!("in {}", harmless(&related.at.file)),
                    code: None,
                    severity: Severity::Advice,
                    hint: None,
                    text: Some(Text::new(&related.at.file, source)),
                    labels: vec![LabeledSpan::new_with_span(Some(label), span(source))],
                    elsewhere: Vec::new(),
                }),
                None => drawing.elsewhere.push(Drawing {
                    message: format!("{}: {label}", harmless(&related.at.file)),
                    code: None,
                    severity: Severity::Advice,
                    hint: None,
                    text: None,
                    labels: Vec::new(),
                    elsewhere: Vec::new(),
                }),
            }
        }
        drawing
    }
}

/// The bytes to mark: of a tall place its first line.
fn span(source: &Source) -> SourceSpan {
    let part = source.text[source.span.clone()].lines().next().unwrap_or_default();
    (source.span.start, part.trim_end().len()).into()
}

/// The text of a file with nothing in it that a terminal would act on. All bytes stay where they are.
#[derive(Debug)]
struct Text {
    file: String,
    text: Arc<str>,
}

impl Text {
    fn new(file: &str, source: &Source) -> Text {
        let text = if source.text.chars().any(|c| dangerous(c) && c != '\r') {
            // As many bytes as before, so that spans stay right.
            let replaced = source.text.chars().map(|c| match c.len_utf8() {
                _ if !dangerous(c) || c == '\r' => c,
                1 => '?',
                2 => '¿',
                _ => '\u{fffd}',
            });
            replaced.collect::<String>().into()
        } else {
            source.text.clone()
        };
        Text { file: harmless(file), text }
    }
}

impl SourceCode for Text {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        behind: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let part = self.text.read_span(span, before, behind)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.file.clone(),
            part.data(),
            *part.span(),
            part.line(),
            part.column(),
            part.line_count(),
        )))
    }
}

impl Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawing {}

impl Diagnostic for Drawing {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as Box<dyn Display>)
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.hint.as_ref().map(|hint| Box::new(hint) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.text.as_ref().map(|text| text as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// Would a terminal act on it, or show what follows in another order?
fn dangerous(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if dangerous(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use omnigen_report::{At, Code, Spot};

    use super::*;

    const LOOK: Look = Look { drawn: true, color: false, unicode: false, width: 80 };
    const ORDER: &str = "{\n  \"$ref\": \"#/$defs/Adress\",\n  \"$defs\": {\n    \"Address\": {}\n  }\n}\n";

    fn at(file: &str, start: usize, end: usize) -> At {
        At::span(&file.into(), start, end)
    }

    /// All files have the text.
    fn shown(diagnostic: &omnigen_report::Diagnostic, text: &str) -> Shown {
        Shown::new(diagnostic, |at| match at.spot {
            Spot::Span { start, end } => Some((text.into(), start..end)),
            _ => None,
        })
    }

    fn dangling() -> omnigen_report::Diagnostic {
        omnigen_report::Diagnostic::new(
            Code::DanglingReference,
            at("a/order.json", 12, 28),
            "`#/$defs/Adress` does not exist",
        )
        .related(at("a/order.json", ORDER.find("\"Address").unwrap_or(0), 56), "this one does")
        .related(at("a/other.json", 0, 1), "and this file")
        .related(At::file(&"gone.json".into()), "it was here")
        .hint("did you mean `#/$defs/Address`?")
    }

    #[test]
    fn a_drawing() {
        let expected = r##"error[dangling-ref]

  x `#/$defs/Adress` does not exist
   ,-[a/order.json:2:11]
 1 | {
 2 |   "$ref": "#/$defs/Adress",
   :           ^^^^^^^^^^^^^^^^
 3 |   "$defs": {
 4 |     "Address": {}
   :     ^^^^|^^^^
   :         `-- this one does
 5 |   }
   `----
  help: did you mean `#/$defs/Address`?

  > in a/other.json
   ,-[a/other.json:1:1]
 1 | {
   : |
   : `-- and this file
 2 |   "$ref": "#/$defs/Adress",
   `----
  > gone.json: it was here

"##;
        assert_eq!(draw(&shown(&dangling(), ORDER), LOOK), expected);
        let full = draw(&shown(&dangling(), ORDER), Look { color: true, unicode: true, ..LOOK });
        assert!(full.contains("\u{1b}[") && full.contains("╰── ") && full.contains("☞"), "{full}");
    }

    #[test]
    fn places_without_text() {
        let file = omnigen_report::Diagnostic::new(Code::Unreadable, At::file(&"a.json".into()), "no permission");
        assert_eq!(draw(&shown(&file, ""), LOOK), "error[unreadable]: a.json\n\n  x no permission\n\n");
        let run = omnigen_report::Diagnostic::global(Code::TaskCycle, "busy");
        assert_eq!(draw(&shown(&run, ""), LOOK), "error[task-cycle]\n\n  x busy\n\n");
    }

    #[test]
    fn a_diff_below() {
        let edited = omnigen_report::Diagnostic::new(Code::EditedOutput, At::file(&"m.py".into()), "edited by hand");
        let shown = shown(&edited, "").diff("@@ -1 +1 @@\n-a\n+b\n");
        assert!(draw(&shown, LOOK).ends_with("\n  @@ -1 +1 @@\n  -a\n  +b\n\n"));
        assert!(draw(&shown, Look { color: true, ..LOOK }).contains("\u{1b}[31m-a\u{1b}[0m"));
    }

    #[test]
    fn narrow_dumb_and_long_lines_fall_back_to_plain_text() {
        let shown = shown(&dangling(), ORDER);
        let mut plain = String::new();
        assert!(omnigen_report::plain(&shown, &mut plain).is_ok());
        assert_eq!(draw(&shown, Look { width: 39, ..LOOK }), plain);
        assert_eq!(draw(&shown, Look { drawn: false, ..LOOK }), plain);
        let long = format!("{{}}\n{}\n", "x".repeat(LONG + 1));
        let text = draw(&self::shown(&dangling(), &long), LOOK);
        assert!(text.contains(" --> a/order.json:2:10\n"), "{text}");
    }

    #[test]
    fn files_cannot_speak_to_the_terminal() {
        let text = "{ \u{1b}[2J\u{9b}31m \u{202e}abc\r\n}";
        let mut diagnostic =
            omnigen_report::Diagnostic::new(Code::Syntax, at("a\u{1b}.json", 0, text.len()), "odd \u{1b}]0;x\u{7}");
        diagnostic.hint = Some("\u{1b}[1m".to_owned());
        for look in [LOOK, Look { drawn: false, ..LOOK }, Look { unicode: true, ..LOOK }] {
            let out = draw(&shown(&diagnostic, text).diff("+\u{1b}[1m"), look);
            assert!(!out.chars().any(|c| dangerous(c) && c != '\r'), "{out:?}");
        }
    }

    #[test]
    fn spans_of_any_shape() {
        let text = "{\r\n\t\"größe\": \u{1f600}\n\n}\n";
        for start in 0..=text.len() + 1 {
            for end in start..=text.len() + 2 {
                let diagnostic = omnigen_report::Diagnostic::new(Code::Syntax, at("a.json", start, end), "the message")
                    .related(at("a.json", end, end), "a label")
                    .related(at("b.json", start, start), "another");
                for width in [40, 80] {
                    let look = Look { unicode: true, width, ..LOOK };
                    let out = draw(&shown(&diagnostic, text), look);
                    assert!(out.contains("the message") && out.contains("a label"), "{start}..{end}\n{out}");
                }
            }
        }
        // Taller than what is drawn.
        let tall = "x\n".repeat(500);
        let diagnostic = omnigen_report::Diagnostic::new(Code::Syntax, at("a.json", 0, 1_000), "m");
        assert!(draw(&shown(&diagnostic, &tall), LOOK).lines().count() < 30);
    }
}
