//! Type expressions as ONEX contracts write them: Python's notation, and the prose that people put behind it.
//!
//! `list[str] | null`, `dict[str, object]`, `tuple[T, ...]`, `Literal['a', 'b']`, `int (default 100, max 10000) - text`.
//! Knows no contract: what a name means is decided by who reads the result.

/// Brackets within brackets.
const MAX_DEPTH: usize = 24;
/// Characters of one expression; longer ones are prose.
const MAX_LENGTH: usize = 2_000;

/// A type as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// `str`, `ModelOrder`, `pkg.mod.Class`
    Name(String),
    /// `list[str]`
    Generic(String, Vec<Expression>),
    /// `A | B`, `A or B`
    Union(Vec<Expression>),
    /// `Literal['a', 1, true]`
    Literal(Vec<Constant>),
    /// `...` among the arguments of `tuple`
    Ellipsis,
}

/// A value that stands in an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Constant {
    Text(String),
    /// Text of a JSON number.
    Number(String),
    Bool(bool),
    Null,
}

/// What an expression says beside its type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Remarks {
    /// At least, more than, at most, less than: of the value, or of its length where it has one. Texts of JSON numbers.
    pub(super) least: Option<String>,
    pub(super) above: Option<String>,
    pub(super) most: Option<String>,
    pub(super) below: Option<String>,
    pub(super) default: Option<Constant>,
    /// What stands behind ` - `.
    pub(super) description: String,
    /// Words that mean nothing to us.
    pub(super) prose: String,
    /// Is there anything behind the type?
    pub(super) any: bool,
}

/// An expression and what stands behind it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Read {
    pub(super) r#type: Expression,
    pub(super) remarks: Remarks,
}

/// Why a text is no type expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Characters before the place, counted from zero.
    pub(super) at: usize,
    /// What should stand there.
    pub(super) expected: &'static str,
}

/// Reads a text.
pub(super) fn read(text: &str) -> Result<Read, Fault> {
    if text.chars().count() > MAX_LENGTH {
        return Err(Fault { at: MAX_LENGTH, expected: "a shorter type" });
    }
    let chars: Vec<char> = text.chars().collect();
    let mut parser = Parser { chars: &chars, at: 0 };
    let mut r#type = parser.union(0)?;
    let mut rest: String = chars[parser.at..].iter().collect();
    // `list of strings`
    if let Expression::Name(name) = &r#type
        && matches!(name.as_str(), "list" | "array" | "set" | "tuple" | "sequence")
        && let Some(words) = rest.trim_start().strip_prefix("of ")
    {
        let noun: String = words.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let item = if noun.starts_with(char::is_uppercase) { noun.as_str() } else { noun.trim_end_matches('s') };
        if !item.is_empty() {
            r#type = Expression::Generic(name.clone(), vec![Expression::Name(item.to_owned())]);
            rest = words.trim_start()[noun.len()..].to_owned();
        }
    }
    Ok(Read { r#type, remarks: remarks(&rest) })
}

struct Parser<'c> {
    chars: &'c [char],
    at: usize,
}

impl Parser<'_> {
    fn blank(&mut self) {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.blank();
        self.chars.get(self.at).copied()
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += 1;
        }
        found
    }

    fn fault<T>(&self, expected: &'static str) -> Result<T, Fault> {
        Err(Fault { at: self.at, expected })
    }

    /// The word `or` between two types.
    fn or(&mut self) -> bool {
        self.blank();
        let rest = &self.chars[self.at..];
        if rest.len() > 3 && rest[0] == 'o' && rest[1] == 'r' && rest[2].is_whitespace() {
            let word: String =
                rest[3..].iter().skip_while(|c| c.is_whitespace()).take_while(|c| c.is_alphanumeric()).collect();
            if super::types::is_known(&word) || word.chars().next().is_some_and(char::is_uppercase) {
                self.at += 3;
                return true;
            }
        }
        false
    }

    fn union(&mut self, depth: usize) -> Result<Expression, Fault> {
        if depth > MAX_DEPTH {
            return self.fault("fewer brackets within brackets");
        }
        let mut members = vec![self.single(depth)?];
        while self.eat('|') || self.or() {
            members.push(self.single(depth)?);
        }
        Ok(if members.len() == 1 { members.remove(0) } else { Expression::Union(members) })
    }

    fn single(&mut self, depth: usize) -> Result<Expression, Fault> {
        if self.eat('(') {
            let inner = self.union(depth + 1)?;
            return if self.eat(')') { Ok(inner) } else { self.fault("`)`") };
        }
        if self.chars[self.at..].starts_with(&['.', '.', '.']) {
            self.at += 3;
            return Ok(Expression::Ellipsis);
        }
        if matches!(self.peek(), Some('\'' | '"')) {
            // A name in quotes, as Python has forward references.
            let Constant::Text(name) = self.constant()? else { return self.fault("the name of a type") };
            return Ok(Expression::Name(name));
        }
        let name = self.name()?;
        if !self.eat('[') {
            if self.eat('?') {
                return Ok(Expression::Union(vec![Expression::Name(name), Expression::Name("null".to_owned())]));
            }
            return Ok(Expression::Name(name));
        }
        if matches!(name.as_str(), "Literal" | "literal" | "typing.Literal" | "enum" | "Enum") {
            return Ok(Expression::Literal(self.constants()?));
        }
        let mut arguments = Vec::new();
        loop {
            if self.eat(']') {
                break;
            }
            self.blank();
            arguments.push(self.union(depth + 1)?);
            if self.eat(']') {
                break;
            }
            if !self.eat(',') {
                return self.fault("`,` or `]`");
            }
        }
        Ok(Expression::Generic(name, arguments))
    }

    fn name(&mut self) -> Result<String, Fault> {
        self.blank();
        let start = self.at;
        while self.chars.get(self.at).is_some_and(|c| c.is_alphanumeric() || matches!(c, '_'))
            || (self.at > start
                && self.chars.get(self.at).is_some_and(|c| matches!(c, '.' | '-'))
                && self.chars.get(self.at + 1).is_some_and(|c| c.is_alphanumeric() || *c == '_'))
        {
            self.at += 1;
        }
        if start == self.at || self.chars[start].is_numeric() {
            self.at = start;
            return self.fault("the name of a type");
        }
        Ok(self.chars[start..self.at].iter().collect())
    }

    fn constants(&mut self) -> Result<Vec<Constant>, Fault> {
        let mut list = Vec::new();
        while !self.eat(']') {
            list.push(self.constant()?);
            if !self.eat(',') && self.peek() != Some(']') {
                return self.fault("`,` or `]`");
            }
        }
        Ok(list)
    }

    fn constant(&mut self) -> Result<Constant, Fault> {
        let Some(first) = self.peek() else { return self.fault("a value") };
        if matches!(first, '\'' | '"') {
            self.at += 1;
            let start = self.at;
            while let Some(&c) = self.chars.get(self.at) {
                self.at += 1;
                if c == first {
                    return Ok(Constant::Text(self.chars[start..self.at - 1].iter().collect()));
                }
            }
            self.at = start;
            return self.fault("the closing quote");
        }
        let start = self.at;
        while self.chars.get(self.at).is_some_and(|c| !matches!(c, ',' | ']' | '[' | ')' | '(') && !c.is_whitespace()) {
            self.at += 1;
        }
        let word: String = self.chars[start..self.at].iter().collect();
        if word.is_empty() {
            return self.fault("a value");
        }
        Ok(constant(&word))
    }
}

/// A word as a value: what is no other constant is a text.
fn constant(word: &str) -> Constant {
    let bare = word.trim();
    match bare {
        "true" | "True" => return Constant::Bool(true),
        "false" | "False" => return Constant::Bool(false),
        "null" | "None" => return Constant::Null,
        _ => {}
    }
    if omnigen_ir::Number::new(bare).is_some() {
        return Constant::Number(bare.to_owned());
    }
    let unquoted = [('\'', '\''), ('"', '"')]
        .iter()
        .find_map(|(open, close)| bare.strip_prefix(*open)?.strip_suffix(*close))
        .unwrap_or(bare);
    Constant::Text(unquoted.to_owned())
}

/// What stands behind a type: `(1-100) - text`, `, ge=0, le=1`, `>= 0`, `type for something`.
fn remarks(text: &str) -> Remarks {
    let mut found = Remarks { any: !text.trim().is_empty(), ..Remarks::default() };
    let mut text = text.trim();
    let mut description = "";
    for dash in [" - ", " – ", " — "] {
        let whole = [" ", text].concat();
        if let Some(at) = whole.find(dash) {
            description = &text[(at + dash.len() - 1).min(text.len())..];
            text = text[..at.saturating_sub(1).min(text.len())].trim_end();
            break;
        }
    }
    found.description = description.trim().to_owned();
    let mut prose: Vec<&str> = Vec::new();
    // Parentheses and commas both separate.
    for clause in text.split(['(', ')', ',', ';']) {
        let clause = clause.trim();
        if !clause.is_empty() && !found.clause(clause) {
            prose.push(clause);
        }
    }
    found.prose = prose.join(", ");
    found
}

impl Remarks {
    /// Takes one clause, if it is understood.
    fn clause(&mut self, clause: &str) -> bool {
        let number = |text: &str| {
            let bare = text.trim();
            omnigen_ir::Number::new(bare).map(|_| bare.to_owned())
        };
        if clause == "optional" || clause == "required" || clause == "type" {
            return true;
        }
        for separator in ["-", "..", " to "] {
            if let Some((least, most)) = clause.split_once(separator)
                && let (Some(least), Some(most)) = (number(least), number(most))
            {
                (self.least, self.most) = (Some(least), Some(most));
                return true;
            }
        }
        for (sign, which) in [(">=", 0), ("<=", 2), (">", 1), ("<", 3), ("≥", 0), ("≤", 2)] {
            if let Some(value) = clause.strip_prefix(sign).and_then(number) {
                self.bound(which, value);
                return true;
            }
        }
        let (word, value) = match clause.split_once(['=', ':']) {
            Some((word, value)) => (word.trim().to_owned(), value.trim()),
            None => match clause.rsplit_once(' ') {
                Some((word, value)) if !word.starts_with("default") => (word.trim().replace(' ', "_"), value),
                _ => match clause.split_once(' ') {
                    Some((word, value)) => (word.to_owned(), value),
                    None => return false,
                },
            },
        };
        if word == "default" {
            self.default = Some(constant(value));
            return true;
        }
        let which = match word.as_str() {
            "ge" | "min" | "minimum" | "min_length" | "min_len" | "min_items" | "minLength" | "at_least" => 0,
            "gt" => 1,
            "le" | "max" | "maximum" | "max_length" | "max_len" | "max_items" | "maxLength" | "at_most" => 2,
            "lt" => 3,
            _ => return false,
        };
        match number(value) {
            Some(value) => {
                self.bound(which, value);
                true
            }
            None => false,
        }
    }

    fn bound(&mut self, which: usize, value: String) {
        match which {
            0 => self.least = Some(value),
            1 => self.above = Some(value),
            2 => self.most = Some(value),
            _ => self.below = Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match read(text) {
            Ok(read) => format!("{:?}", read.r#type).replace("Name(", "").replace(['"', ')'], ""),
            Err(fault) => format!("{}: {}", fault.at, fault.expected),
        }
    }

    #[test]
    fn types() {
        for (text, expected) in [
            ("str", "str"),
            ("list[str] | null", "Union([Genericlist, [str], null]"),
            ("dict[str, object]", "Genericdict, [str, object]"),
            ("UUID | None", "Union([UUID, None]"),
            ("tuple[ModelAction, ...]", "Generictuple, [ModelAction, Ellipsis]"),
            ("UUID or string", "Union([UUID, string]"),
            ("str?", "Union([str, null]"),
            ("list of strings for filtering", "Genericlist, [string]"),
            ("pkg.mod.Class", "pkg.mod.Class"),
            ("list[str", "8: `,` or `]`"),
            ("list[str]]", "Genericlist, [str]"),
            ("", "0: the name of a type"),
            ("12", "0: the name of a type"),
            ("Literal['a', 'b", "14: the closing quote"),
        ] {
            assert_eq!(shown(text).replace("Generic(", "Generic"), expected, "{text}");
        }
        let deep = "list[".repeat(100_000);
        assert!(read(&deep).is_err());
        assert!(read(&"list[".repeat(300)).is_err());
    }

    #[test]
    fn literals() {
        let read = read("Literal['a', 2, True, None] - text").expect("a type");
        assert_eq!(
            read.r#type,
            Expression::Literal(vec![
                Constant::Text("a".into()),
                Constant::Number("2".into()),
                Constant::Bool(true),
                Constant::Null
            ])
        );
        assert_eq!(read.remarks.description, "text");
    }

    #[test]
    fn what_stands_behind() {
        let of = |text: &str| read(text).expect("a type").remarks;
        let prose = of("int (default 100, max 10000) - Maximum results");
        assert_eq!(prose.default, Some(Constant::Number("100".into())));
        assert_eq!((prose.most.as_deref(), prose.description.as_str()), (Some("10000"), "Maximum results"));
        assert_eq!(prose.prose, "");
        let range = of("float (0.0-1.0) - minimum similarity");
        assert_eq!((range.least.as_deref(), range.most.as_deref()), (Some("0.0"), Some("1.0")));
        let listed = of("float, ge=0.0, le=1.0, default=0.0");
        assert_eq!((listed.least.as_deref(), listed.most.as_deref()), (Some("0.0"), Some("1.0")));
        assert_eq!(listed.default, Some(Constant::Number("0.0".into())));
        assert_eq!(of("int >= 0").least.as_deref(), Some("0"));
        assert_eq!(of("list[str], min length 1").least.as_deref(), Some("1"));
        assert_eq!(of("string (max 4000) - text").most.as_deref(), Some("4000"));
        assert_eq!(of("dict (serialized ModelExecutionManifest)").prose, "serialized ModelExecutionManifest");
        assert_eq!(of("bool (default False) - text").default, Some(Constant::Bool(false)));
        assert_eq!(of("string type for something").prose, "type for something");
        assert!(!of("str").any);
    }
}
