//! Lines as `ruff format` lays them out.
//!
//! A [`Doc`] is written flat if it fits the line; else its outermost group is exploded, one item a line with a trailing
//! comma. `ruff format` keeps such a layout even where it could join it, so only what stays flat has to fit exactly as
//! `ruff` measures: in [`columns`], the line end not counted.

use std::borrow::Cow;

/// A piece of an expression.
#[derive(Clone, Debug)]
pub enum Doc {
    /// Text that is never broken.
    Text(Cow<'static, str>),
    /// Pieces one after the other; the last group in it that is not empty is the one that gets broken.
    Concat(Vec<Doc>),
    /// `open item, item close`: a call, a subscript, a literal. `open` holds the head: `Field(`, `list[`, `{`.
    Group {
        /// What stands before the first item.
        open: Cow<'static, str>,
        /// The items.
        items: Vec<Doc>,
        /// What stands behind the last.
        close: &'static str,
    },
    /// `lambda: body`; the body stands in parentheses where even its head does not fit.
    Lambda(Box<Doc>),
    /// `a or b or c`, broken before each operator; parentheses are added where it is broken outside of brackets.
    Chain {
        /// The operator without blanks: `or`, `and`, `|`.
        operator: &'static str,
        /// The operands.
        items: Vec<Doc>,
    },
}

impl Doc {
    /// Text.
    pub fn text(text: impl Into<Cow<'static, str>>) -> Doc {
        Doc::Text(text.into())
    }

    /// A group.
    pub fn group(open: impl Into<Cow<'static, str>>, items: Vec<Doc>, close: &'static str) -> Doc {
        Doc::Group { open: open.into(), items, close }
    }

    /// A chain; a single operand is itself.
    pub fn chain(operator: &'static str, mut items: Vec<Doc>) -> Doc {
        if items.len() == 1 { items.remove(0) } else { Doc::Chain { operator, items } }
    }

    /// `name = value`, as a keyword argument is written.
    pub fn keyword(name: &'static str, value: Doc) -> Doc {
        Doc::Concat(vec![Doc::text(name), Doc::text("="), value])
    }

    /// All on one line, unless the text gets longer than `end` bytes: then only the beginning of it, and false.
    fn flat_within(&self, out: &mut String, end: usize) -> bool {
        match self {
            Doc::Concat(parts) if !parts.iter().all(|part| part.flat_within(out, end)) => return false,
            Doc::Concat(_) => {}
            Doc::Group { open, items, close } => {
                out.push_str(open);
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    if !item.flat_within(out, end) {
                        return false;
                    }
                }
                out.push_str(close);
            }
            doc => doc.flat(out),
        }
        out.len() <= end
    }

    /// The columns that it takes on one line.
    pub fn columns(&self) -> usize {
        let all = |items: &[Doc], between: usize| {
            items.iter().map(Doc::columns).sum::<usize>() + between * items.len().saturating_sub(1)
        };
        match self {
            Doc::Text(text) => columns(text),
            Doc::Concat(parts) => all(parts, 0),
            Doc::Lambda(body) => columns("lambda: ") + body.columns(),
            Doc::Group { open, items, close } => columns(open) + all(items, 2) + columns(close),
            Doc::Chain { operator, items } => all(items, columns(operator) + 2),
        }
    }

    /// All on one line.
    pub fn flat(&self, out: &mut String) {
        match self {
            Doc::Text(text) => out.push_str(text),
            Doc::Concat(parts) => parts.iter().for_each(|part| part.flat(out)),
            Doc::Lambda(body) => {
                out.push_str("lambda: ");
                body.flat(out);
            }
            Doc::Group { open, items, close } => {
                out.push_str(open);
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    item.flat(out);
                }
                out.push_str(close);
            }
            Doc::Chain { operator, items } => {
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(' ');
                        out.push_str(operator);
                        out.push(' ');
                    }
                    item.flat(out);
                }
            }
        }
    }
}

/// Text with indentation.
#[derive(Debug)]
pub struct Writer {
    out: String,
    indent: usize,
    width: usize,
}

impl Writer {
    /// An empty text for lines of at most `width` columns.
    pub fn new(width: usize) -> Writer {
        Writer::with_capacity(width, 4096)
    }

    /// The same, for about so many bytes.
    pub fn with_capacity(width: usize, capacity: usize) -> Writer {
        Writer { out: String::with_capacity(capacity), indent: 0, width }
    }

    /// The text.
    pub fn finish(self) -> String {
        self.out
    }

    /// One level deeper (four blanks).
    pub fn indent(&mut self) {
        self.indent += 1;
    }

    /// One level back.
    pub fn dedent(&mut self) {
        self.indent -= 1;
    }

    /// The level, counted from zero.
    pub fn level(&self) -> usize {
        self.indent
    }

    /// A line as it is; an empty one is left without blanks.
    pub fn line(&mut self, text: &str) {
        if !text.is_empty() {
            self.pad(self.indent);
            self.out.push_str(text);
        }
        self.out.push('\n');
    }

    /// A line that `write` appends, if it says so and the line fits; else nothing.
    pub fn line_if(&mut self, write: impl FnOnce(&mut String) -> bool) -> bool {
        let start = self.out.len();
        self.pad(self.indent);
        if write(&mut self.out) && within(&self.out[start..], self.width) {
            self.out.push('\n');
            return true;
        }
        self.out.truncate(start);
        false
    }

    /// A line in pieces; not all of them are empty.
    pub fn pieces(&mut self, pieces: &[&str]) {
        self.pad(self.indent);
        pieces.iter().for_each(|piece| self.out.push_str(piece));
        self.out.push('\n');
    }

    /// `prefix doc suffix` as one logical line, broken if it must be.
    pub fn statement(&mut self, prefix: &str, doc: &Doc, suffix: &str) {
        self.pad(self.indent);
        self.out.push_str(prefix);
        self.put(doc, self.indent, suffix, false);
        self.out.push_str(suffix);
        self.out.push('\n');
    }

    /// `return value`: in parentheses where even the head of a call does not fit beside `return`.
    pub fn returned(&mut self, value: &Doc) {
        let head = match value {
            Doc::Group { open, .. } => columns(open),
            _ => 0,
        };
        if self.indent * 4 + columns("return ") + head <= self.width || (self.indent + 1) * 4 + head > self.width {
            return self.statement("return ", value, "");
        }
        self.line("return (");
        self.indent += 1;
        self.statement("", value, "");
        self.indent -= 1;
        self.line(")");
    }

    /// The columns of a line.
    pub fn width(&self) -> usize {
        self.width
    }

    /// `class name(base):`, the base on a line of its own if it must be.
    pub fn class(&mut self, name: &str, base: &Doc) {
        let start = self.out.len();
        self.pad(self.indent);
        self.out.push_str("class ");
        self.out.push_str(name);
        self.out.push('(');
        base.flat(&mut self.out);
        self.out.push_str("):");
        if within(&self.out[start..], self.width) {
            self.out.push('\n');
            return;
        }
        self.out.truncate(start);
        self.line(&format!("class {name}("));
        self.indent();
        self.statement("", base, "");
        self.dedent();
        self.line("):");
    }

    /// `prefix annotation`, without a value.
    pub fn declaration(&mut self, prefix: &str, annotation: &Doc) {
        let start = self.out.len();
        self.pad(self.indent);
        self.out.push_str(prefix);
        annotation.flat(&mut self.out);
        if within(&self.out[start..], self.width) {
            self.out.push('\n');
            return;
        }
        self.out.truncate(start);
        if !annotation.breaks() {
            let (alone, whole) = (annotation.columns() + 4, annotation.columns() + columns(prefix));
            if self.indent * 4 + whole > self.width && self.indent * 4 + alone <= self.width {
                let mut text = String::new();
                annotation.flat(&mut text);
                self.line(&format!("{prefix}("));
                self.line(&format!("    {text}"));
                self.line(")");
                return;
            }
        }
        self.statement(prefix, annotation, "");
    }

    /// `prefix open items close suffix`, one item a line even if it would fit.
    pub fn exploded(&mut self, prefix: &str, open: &str, items: &[Doc], close: &str) {
        self.line(&format!("{prefix}{open}"));
        self.indent += 1;
        items.iter().for_each(|item| self.item(item));
        self.indent -= 1;
        self.line(close);
    }

    /// An item of what is broken into one item a line.
    pub fn item(&mut self, doc: &Doc) {
        self.pad(self.indent);
        self.put(doc, self.indent, ",", true);
        self.out.push_str(",\n");
    }

    /// `prefix annotation = value` as one logical line. The value is broken first; the annotation too if it does not fit beside the
    /// value's head.
    pub fn assignment(&mut self, prefix: &str, annotation: &Doc, value: &Doc) {
        let line = self.out.len();
        self.pad(self.indent);
        self.out.push_str(prefix);
        let start = self.out.len();
        annotation.flat(&mut self.out);
        let middle = self.out.len();
        self.out.push_str(" = ");
        value.flat(&mut self.out);
        if within(&self.out[line..], self.width) {
            self.out.push('\n');
            return;
        }
        let rest = self.out[middle..].to_owned();
        self.out.truncate(start);
        if !value.breaks() && self.fits(annotation, " = (") {
            annotation.flat(&mut self.out);
            // Parentheses help only what fits a line of its own; `ruff` sees to that unless the annotation could break too.
            if annotation.breaks() || (self.indent + 1) * 4 + columns(&rest) - 3 <= self.width {
                self.out.push_str(" = (\n");
                self.pad(self.indent + 1);
                self.out.push_str(&rest[3..]);
                self.out.push('\n');
                self.pad(self.indent);
                self.out.push(')');
            } else {
                self.out.push_str(&rest);
            }
        } else if !value.breaks() {
            self.put(annotation, self.indent, &rest, false);
            self.out.push_str(&rest);
        } else {
            let head = match value {
                Doc::Group { open, .. } => format!(" = {open}"),
                _ => rest,
            };
            if !self.fits(annotation, &head) && self.fits(annotation, " = (") {
                annotation.flat(&mut self.out);
                self.out.push_str(" = (\n");
                let inner = self.out.len();
                self.pad(self.indent + 1);
                self.put(value, self.indent + 1, "", true);
                // Parentheses that leave a line too long help nobody: `ruff` goes without them then.
                if self.out[inner..].lines().all(|line| columns(line) <= self.width) {
                    self.out.push('\n');
                    self.pad(self.indent);
                    self.out.push_str(")\n");
                    return;
                }
                self.out.truncate(start);
            }
            self.put(annotation, self.indent, &head, false);
            self.out.push_str(" = ");
            self.put(value, self.indent, "", false);
        }
        self.out.push('\n');
    }

    fn fits(&self, doc: &Doc, suffix: &str) -> bool {
        self.column() + doc.columns() + columns(suffix) <= self.width
    }

    fn pad(&mut self, level: usize) {
        for _ in 0..level {
            self.out.push_str("    ");
        }
    }

    fn column(&self) -> usize {
        let start = memchr::memrchr(b'\n', self.out.as_bytes()).map_or(0, |at| at + 1);
        columns(&self.out[start..])
    }

    /// Writes a doc at the current column. `bracketed`: inside brackets, where a chain may break without parentheses.
    fn put(&mut self, doc: &Doc, level: usize, suffix: &str, bracketed: bool) {
        let start = self.out.len();
        let column = self.column();
        // At most four bytes for a column: what is longer cannot fit.
        let end = start + 4 * self.width.saturating_sub(column);
        let room = self.width.saturating_sub(column + columns(suffix));
        if doc.flat_within(&mut self.out, end)
            && column + columns(suffix) <= self.width
            && within(&self.out[start..], room)
        {
            return;
        }
        self.out.truncate(start);
        match doc {
            Doc::Text(text) => self.out.push_str(text),
            Doc::Concat(parts) => {
                let broken = parts.iter().rposition(|part| part.breaks());
                for (i, part) in parts.iter().enumerate() {
                    if Some(i) == broken {
                        let mut rest = String::new();
                        parts[i + 1..].iter().for_each(|part| part.flat(&mut rest));
                        rest.push_str(suffix);
                        self.put(part, level, &rest, bracketed);
                    } else {
                        part.flat(&mut self.out);
                    }
                }
            }
            Doc::Lambda(body) => {
                self.out.push_str("lambda: ");
                let head = match &**body {
                    Doc::Group { open, .. } => columns(open),
                    _ => 0,
                };
                if self.column() + head <= self.width {
                    self.put(body, level, suffix, bracketed);
                    return;
                }
                self.out.push_str("(\n");
                self.pad(level + 1);
                self.put(body, level + 1, "", true);
                self.out.push('\n');
                self.pad(level);
                self.out.push(')');
            }
            Doc::Group { open, items, close } => {
                self.out.push_str(open);
                if items.is_empty() {
                    self.out.push_str(close);
                    return;
                }
                self.out.push('\n');
                // A comma behind a lone subscript would make a tuple of it.
                let comma = if items.len() == 1 && *close == "]" && open.len() > 1 { "" } else { "," };
                for item in items {
                    self.pad(level + 1);
                    self.put(item, level + 1, comma, true);
                    self.out.push_str(comma);
                    self.out.push('\n');
                }
                self.pad(level);
                // The comma of a lone item in a tuple is there already.
                self.out.push_str(close.trim_start_matches(','));
            }
            Doc::Chain { operator, items } => {
                let inner = if bracketed { level } else { level + 1 };
                if !bracketed {
                    self.out.push_str("(\n");
                    self.pad(inner);
                }
                // In parentheses of its own it may fit one line.
                let whole = !bracketed && {
                    let mut text = String::new();
                    doc.flat(&mut text);
                    let fits = inner * 4 + columns(&text) <= self.width;
                    if fits {
                        self.out.push_str(&text);
                    }
                    fits
                };
                for (i, item) in items.iter().enumerate().filter(|_| !whole) {
                    if i > 0 {
                        self.out.push('\n');
                        self.pad(inner);
                        self.out.push_str(operator);
                        self.out.push(' ');
                    }
                    self.put(item, inner, if i + 1 == items.len() && bracketed { suffix } else { "" }, true);
                }
                if !bracketed {
                    self.out.push('\n');
                    self.pad(level);
                    self.out.push(')');
                }
            }
        }
    }
}

impl Doc {
    fn breaks(&self) -> bool {
        match self {
            Doc::Text(_) => false,
            Doc::Concat(parts) => parts.iter().any(Doc::breaks),
            Doc::Group { items, .. } => !items.is_empty(),
            Doc::Chain { .. } | Doc::Lambda(_) => true,
        }
    }
}

/// How many columns a text takes, as `ruff format` counts: two for a wide character, none for one that combines.
pub fn columns(text: &str) -> usize {
    use unicode_width::UnicodeWidthChar;
    if text.is_ascii() { text.len() } else { text.chars().map(|c| c.width().unwrap_or(0)).sum() }
}

/// Is there room for a text in so many columns? No character takes more columns than bytes.
pub fn within(text: &str, width: usize) -> bool {
    text.len() <= width || columns(text) <= width
}

/// A Python string literal in the quotes that `ruff format` prefers: double, unless that needs more escapes.
pub fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

/// Does a text stand in its literal as it is?
pub fn is_plain(text: &str) -> bool {
    oddities(text) == 0
}

/// What a text has that does not stand in its literal as it is.
fn oddities(text: &str) -> u8 {
    text.bytes().fold(0, |found, byte| found | ODD[usize::from(byte)])
}

const QUOTED: u8 = 1;
const OTHER: u8 = 2;

/// By byte. An apostrophe is odd beside quotes only.
static ODD: [u8; 256] = {
    let mut odd = [OTHER; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        odd[byte as usize] = 0;
        byte += 1;
    }
    odd[b'"' as usize] = QUOTED;
    odd[b'\\' as usize] = OTHER;
    odd
};

/// Writes the literal that [`string`] gives.
pub fn push_string(out: &mut String, text: &str) {
    let quote = match oddities(text) {
        0 => Some("\""),
        QUOTED if !text.contains('\'') => Some("'"),
        _ => None,
    };
    if let Some(quote) = quote {
        out.reserve(text.len() + 2);
        out.push_str(quote);
        out.push_str(text);
        out.push_str(quote);
        return;
    }
    let (double, single) = (text.matches('"').count(), text.matches('\'').count());
    let quote = if double > single { '\'' } else { '"' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            // Invisible and bidirectional characters are spelled out: a reader must see what is there.
            c if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}') =>
            {
                let code = c as u32;
                out.push_str(&if code < 0x100 { format!("\\x{code:02x}") } else { format!("\\u{code:04x}") });
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// A JSON value as a Python expression.
pub fn value(json: &omnigen_ir::Json) -> Doc {
    use omnigen_ir::Json;
    match json {
        Json::Null => Doc::text("None"),
        Json::Bool(true) => Doc::text("True"),
        Json::Bool(false) => Doc::text("False"),
        Json::Number(number) => Doc::text(number.python()),
        Json::String(text) => Doc::text(string(text)),
        Json::Array(items) => Doc::group("[", items.iter().map(value).collect(), "]"),
        Json::Object(members) => Doc::group(
            "{",
            members
                .iter()
                .map(|(name, member)| Doc::Concat(vec![Doc::text(string(name)), Doc::text(": "), value(member)]))
                .collect(),
            "}",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[&'static str]) -> Doc {
        Doc::group("list[", vec![Doc::chain("|", items.iter().map(|item| Doc::text(*item)).collect())], "]")
    }

    /// Every text here was left unchanged by `ruff format`, with lines of 40 columns.
    #[test]
    fn what_has_no_more_bytes_than_columns_fits() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            assert!(columns(&text) <= text.len(), "{c:?}");
        }
        assert!(within("字字", 4) && !within("字字", 3) && within("é", 1));
    }

    #[test]
    fn assignments_break_where_ruff_breaks_them() {
        let chain = |items: &[&'static str]| Doc::chain("|", items.iter().map(|item| Doc::text(*item)).collect());
        let call = |argument: &'static str| Doc::group("Field(", vec![Doc::text(argument)], ")");
        for (name, annotation, value, text) in [
            ("a: ", Doc::text("int"), Doc::text("1"), "a: int = 1\n"),
            (
                "a: ",
                Doc::text("int"),
                call("alias=\"a-long-name-of-it\""),
                "a: int = Field(\n    alias=\"a-long-name-of-it\",\n)\n",
            ),
            (
                "name_of: ",
                chain(&["First", "SecondOfThem", "None"]),
                Doc::text("None"),
                "name_of: First | SecondOfThem | None = (\n    None\n)\n",
            ),
            (
                "name_of_it: ",
                chain(&["FirstOfThem", "SecondOfThem", "None"]),
                Doc::text("None"),
                "name_of_it: (\n    FirstOfThem | SecondOfThem | None\n) = None\n",
            ),
            (
                "name: ",
                chain(&["FirstOfThemAll", "SecondOfThemAll", "ThirdOfThem"]),
                Doc::text("None"),
                "name: (\n    FirstOfThemAll\n    | SecondOfThemAll\n    | ThirdOfThem\n) = None\n",
            ),
            (
                "name: ",
                list(&["FirstOfThemAll", "SecondOfThemAll"]),
                call("alias=\"n\""),
                "name: list[\n    FirstOfThemAll | SecondOfThemAll\n] = Field(alias=\"n\")\n",
            ),
        ] {
            let mut writer = Writer::new(40);
            writer.assignment(name, &annotation, &value);
            assert_eq!(writer.finish(), text);
        }
    }

    #[test]
    fn strings_take_the_quotes_that_need_fewer_escapes() {
        for (text, literal) in [
            ("plain", "\"plain\""),
            ("say \"hi\"", "'say \"hi\"'"),
            ("both \" and '", "\"both \\\" and '\""),
            ("a\\b\n", "\"a\\\\b\\n\""),
            ("\u{200b}", "\"\\u200b\""),
        ] {
            assert_eq!(string(text), literal);
        }
    }
}
