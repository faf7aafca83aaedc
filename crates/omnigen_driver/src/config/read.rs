//! Reading TOML with places: types, unknown keys and what to write instead. Does not know what the keys mean.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use omnigen_ir::{Json, Number};
use omnigen_report::{At, Code, Diagnostic, Severity};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A string and the bytes where it is written.
pub(super) type Text = Spanned<String>;

/// The longest time that may be configured: a day.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A key that is described and that this version does not act on.
#[derive(Clone, Copy)]
pub(super) struct Later {
    /// Without it the result is another one, so nothing is built.
    pub(super) stops: bool,
    /// What to do instead.
    pub(super) advice: &'static str,
}

/// A table and where it is.
pub(super) struct Table<'t> {
    /// Dotted path: `agent.doc-writer`; empty for the document.
    pub(super) path: String,
    /// The last part of its path.
    pub(super) name: String,
    /// Where its name is written.
    pub(super) span: Range<usize>,
    /// Its members.
    pub(super) entries: &'t DeTable<'t>,
}

impl<'t> Table<'t> {
    /// The document itself.
    pub(super) fn document(entries: &'t DeTable<'t>) -> Table<'t> {
        Table { path: String::new(), name: String::new(), span: 0..0, entries }
    }

    /// Is there such a member, of whatever type?
    fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Where a member's value is; where the table is if there is none.
    pub(super) fn value_span(&self, key: &str) -> Range<usize> {
        self.entries.get(key).map_or(self.span.clone(), Spanned::span)
    }

    /// The names of all members.
    pub(super) fn keys(&self) -> Vec<String> {
        self.entries.keys().map(|key| key.get_ref().to_string()).collect()
    }

    /// The names in a member that is a table.
    pub(super) fn names(&self, key: &str) -> Vec<String> {
        match self.entries.get(key).map(Spanned::get_ref) {
            Some(DeValue::Table(entries)) => entries.keys().map(|key| key.get_ref().to_string()).collect(),
            _ => Vec::new(),
        }
    }

    /// Is this member a table, as far as can be told?
    pub(super) fn names_of(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Own targets of the document whose agent this is, sorted.
    pub(super) fn made_by(&self, agent: &str) -> Vec<String> {
        let Some(DeValue::Table(targets)) = self.entries.get("target").map(Spanned::get_ref) else { return Vec::new() };
        let is_it = |value: &DeValue<'_>| match value {
            DeValue::Table(entries) => {
                matches!(entries.get("agent").map(Spanned::get_ref), Some(DeValue::String(name)) if name == agent)
            }
            _ => false,
        };
        targets.iter().filter(|(_, value)| is_it(value.get_ref())).map(|(key, _)| key.get_ref().to_string()).collect()
    }

    fn below(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// Collects what is wrong while a document is read.
pub(super) struct Reader {
    /// What diagnostics call the file.
    pub(super) file: Arc<str>,
    found: Vec<Diagnostic>,
    /// Paths of keys that wrong keys were probably meant to be.
    meant: Vec<String>,
}

impl Reader {
    pub(super) fn new(file: &str) -> Reader {
        Reader { file: file.into(), found: Vec::new(), meant: Vec::new() }
    }

    /// Is there such a member, or one that was probably meant to be it and has been told of?
    pub(super) fn has(&self, table: &Table<'_>, key: &str) -> bool {
        table.has(key) || self.meant.contains(&table.below(key))
    }

    /// What was found, in the order of the text.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.found.sort();
        self.found.dedup();
        self.found
    }

    /// Adds a finding; the caller may add to it.
    pub(super) fn tell(&mut self, code: Code, span: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        let at = At::span(&self.file, span.start, span.end);
        self.found.push(Diagnostic::new(code, at, message));
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    /// Adds a finding about a value.
    pub(super) fn error(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.tell(Code::BadConfig, span, message)
    }

    /// Adds what the parser found.
    pub(super) fn syntax(&mut self, error: &toml::de::Error, text: &str) {
        let span = error.span().unwrap_or(0..0);
        let span = span.start.min(text.len())..span.end.min(text.len());
        let mut lines = error.message().lines();
        let first = lines.next().unwrap_or("the text is no TOML");
        let rest = lines.collect::<Vec<_>>().join(", ");
        let diagnostic = self.error(span, format!("this is no TOML: {first}"));
        diagnostic.hint = (!rest.is_empty()).then_some(rest);
    }

    /// Tells of members that are not in `known`; of those in `later` with their advice.
    pub(super) fn keys(&mut self, table: &Table<'_>, known: &[&str], later: &[(&str, Later)]) {
        for key in table.entries.keys() {
            let (name, span) = (key.get_ref().as_ref(), key.span());
            if known.contains(&name) {
                continue;
            }
            let path = table.below(name);
            if let Some((_, later)) = later.iter().find(|(word, _)| *word == name) {
                let diagnostic = self.error(span, format!("`{path}` is not supported yet"));
                if !later.stops {
                    diagnostic.severity = Severity::Warning;
                    diagnostic.message.push_str(" and has no effect");
                }
                diagnostic.hint = Some(later.advice.to_owned());
            } else {
                let hint = match suggestion(name, known.iter().copied()) {
                    Some(word) => {
                        self.meant.push(table.below(word));
                        format!("did you mean `{word}`?")
                    }
                    None => {
                        format!(
                            "known here: {}",
                            known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
                        )
                    }
                };
                let what = if table.path.is_empty() { "top-level key" } else { "key" };
                self.tell(Code::UnknownConfigKey, span, format!("there is no {what} `{path}`")).hint = Some(hint);
            }
        }
    }

    /// A member that is a table, with `header` before it.
    pub(super) fn table<'t>(&mut self, table: &Table<'t>, key: &str, header: &str) -> Option<Table<'t>> {
        let (name, value) = table.entries.get_key_value(key)?;
        let path = table.below(key);
        match value.get_ref() {
            DeValue::Table(entries) => Some(Table { name: key.to_owned(), path, span: name.span(), entries }),
            _ => {
                let message = format!("`{path}` must be a table; this is {}", kind(value.get_ref()));
                self.error(name.span(), message).hint = Some(format!("write `{header}`"));
                None
            }
        }
    }

    /// The members of a table of tables whose names people choose. What is no table or has an unusable name is told and
    /// left out.
    pub(super) fn named<'t>(&mut self, table: &Table<'t>) -> Vec<Table<'t>> {
        let mut out = Vec::new();
        for (key, value) in table.entries {
            let name = key.get_ref().as_ref();
            let path = table.below(name);
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
                let message = format!("`{name}` is no name for {} {}", article(&table.name), table.name);
                self.error(key.span(), message).hint = Some("use ASCII letters, digits, `-` and `_`".to_owned());
                continue;
            }
            match value.get_ref() {
                DeValue::Table(entries) => out.push(Table { name: name.to_owned(), path, span: key.span(), entries }),
                other => {
                    let message = format!("`{path}` must be a table; this is {}", kind(other));
                    let whole = table.path.clone();
                    self.error(key.span(), message).hint =
                        Some(format!("write `[{whole}.NAME]` with a name of your choice"));
                }
            }
        }
        out
    }

    /// A member that is a string. `example` stands in the message if it is something else.
    pub(super) fn text(&mut self, table: &Table<'_>, key: &str, example: &str) -> Option<Text> {
        let value = table.entries.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Spanned::new(value.span(), text.to_string())),
            other => self.wrong(value.span(), &table.below(key), "a string", example, other),
        }
    }

    /// A member that is a list of strings. What is no string is told and left out.
    pub(super) fn texts(&mut self, table: &Table<'_>, key: &str, example: &str) -> Option<Vec<Text>> {
        let value = table.entries.get(key)?;
        let list = match value.get_ref() {
            DeValue::Array(list) => list,
            other => return self.wrong(value.span(), &table.below(key), "a list of strings", example, other),
        };
        let mut out = Vec::with_capacity(list.len());
        for item in list.iter() {
            match item.get_ref() {
                DeValue::String(text) => out.push(Spanned::new(item.span(), text.to_string())),
                other => {
                    self.wrong::<()>(item.span(), &table.below(key), "a list of strings", example, other);
                }
            }
        }
        Some(out)
    }

    /// A member that is a list of tables.
    pub(super) fn tables<'t>(&mut self, table: &Table<'t>, key: &str, example: &str) -> Vec<Table<'t>> {
        let Some(value) = table.entries.get(key) else { return Vec::new() };
        let (path, mut out) = (table.below(key), Vec::new());
        match value.get_ref() {
            DeValue::Array(list) => {
                for item in list.iter() {
                    match item.get_ref() {
                        DeValue::Table(entries) => {
                            out.push(Table { path: path.clone(), name: key.to_owned(), span: item.span(), entries });
                        }
                        other => {
                            self.wrong::<()>(item.span(), &path, "a list of tables", example, other);
                        }
                    }
                }
            }
            other => {
                self.wrong::<()>(value.span(), &path, "a list of tables", example, other);
            }
        }
        out
    }

    /// A member that is a whole number.
    pub(super) fn number(&mut self, table: &Table<'_>, key: &str, example: &str) -> Option<Spanned<i64>> {
        let value = table.entries.get(key)?;
        match value.get_ref() {
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Some(Spanned::new(value.span(), number)),
                Err(_) => {
                    self.error(value.span(), format!("`{}` is too large a number", table.below(key)));
                    None
                }
            },
            other => self.wrong(value.span(), &table.below(key), "a whole number", example, other),
        }
    }

    /// A member that is a whole number from 1 to `most`.
    pub(super) fn count(&mut self, table: &Table<'_>, key: &str, most: usize) -> Option<usize> {
        let number = self.number(table, key, "3")?;
        let count = usize::try_from(*number.get_ref()).ok().filter(|count| (1..=most).contains(count));
        if count.is_none() {
            let message = format!("`{}` must be from 1 to {most}, not {}", table.below(key), number.get_ref());
            self.error(number.span(), message);
        }
        count
    }

    /// A member that is true or false.
    pub(super) fn flag(&mut self, table: &Table<'_>, key: &str) -> Option<bool> {
        let value = table.entries.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            other => self.wrong(value.span(), &table.below(key), "true or false", "true", other),
        }
    }

    /// A member that is a number, as it is written.
    pub(super) fn decimal(&mut self, table: &Table<'_>, key: &str) -> Option<String> {
        let value = table.entries.get(key)?;
        match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
            DeValue::Float(number) if number.as_str().parse::<f64>().is_ok_and(f64::is_finite) => {
                Some(number.as_str().to_owned())
            }
            other => self.wrong(value.span(), &table.below(key), "a number", "0.2", other),
        }
    }

    /// A member that is a share from 0 to 1, in thousandths.
    pub(super) fn share(&mut self, table: &Table<'_>, key: &str) -> Option<u32> {
        let text = self.decimal(table, key)?;
        let number: Option<f64> = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
        if number.is_none() {
            self.error(table.value_span(key), format!("`{}` must be from 0 to 1, not {text}", table.below(key)));
        }
        number.map(|number| (number * 1000.0).round() as u32)
    }

    /// A member that is one of some words.
    pub(super) fn choice<'w>(&mut self, table: &Table<'_>, key: &str, words: &[&'w str]) -> Option<&'w str> {
        let text = self.text(table, key, &format!("\"{}\"", words[0]))?;
        let found = words.iter().copied().find(|word| word == text.get_ref());
        if found.is_none() {
            let all = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ");
            let message = format!("`{}` must be {all}, not \"{}\"", table.below(key), text.get_ref());
            self.error(text.span(), message).hint =
                suggestion(text.get_ref(), words.iter().copied()).map(|word| format!("did you mean \"{word}\"?"));
        }
        found
    }

    /// A table as JSON, members in the order of their names.
    pub(super) fn json(&mut self, table: &Table<'_>) -> Json {
        members(table.entries)
    }

    /// A member that is a time such as "30s".
    pub(super) fn duration(&mut self, table: &Table<'_>, key: &str) -> Option<Duration> {
        let text = self.text(table, key, "\"30s\"")?;
        let path = table.below(key);
        let wrong = match duration(text.get_ref()) {
            Some(Duration::ZERO) => format!("`{path}` must be longer than nothing"),
            Some(duration) if duration > LONGEST => format!("`{path}` must not be longer than a day"),
            Some(duration) => return Some(duration),
            None => format!("`{path}` must be a time such as \"30s\", not \"{}\"", text.get_ref()),
        };
        self.error(text.span(), wrong).hint = Some("units: `ms`, `s`, `m`, `h`; whole numbers".to_owned());
        None
    }

    /// The member `needs`: names, or tables with `target`.
    pub(super) fn needs(&mut self, table: &Table<'_>) -> Vec<(Text, Option<Duration>)> {
        let path = table.below("needs");
        let example = "[\"models\"]";
        let Some(value) = table.entries.get("needs") else { return Vec::new() };
        let list = match value.get_ref() {
            DeValue::Array(list) => list,
            other => {
                self.wrong::<()>(value.span(), &path, "a list of targets", example, other);
                return Vec::new();
            }
        };
        let mut out = Vec::with_capacity(list.len());
        for item in list.iter() {
            match item.get_ref() {
                DeValue::String(text) => out.push((Spanned::new(item.span(), text.to_string()), None)),
                DeValue::Table(entries) => {
                    let need = Table { path: path.clone(), name: "needs".to_owned(), span: item.span(), entries };
                    self.keys(&need, &["target", "timeout"], &[]);
                    if !self.has(&need, "target") {
                        self.error(item.span(), format!("`{path}.target` is missing"));
                    }
                    let timeout = self.duration(&need, "timeout");
                    out.extend(self.text(&need, "target", "\"models\"").map(|target| (target, timeout)));
                }
                other => {
                    self.wrong::<()>(item.span(), &path, "a list of targets", example, other);
                }
            }
        }
        out
    }

    fn wrong<T>(
        &mut self,
        span: Range<usize>,
        path: &str,
        expected: &str,
        example: &str,
        found: &DeValue<'_>,
    ) -> Option<T> {
        self.error(span, format!("`{path}` must be {expected}, such as {example}; this is {}", kind(found)));
        None
    }
}

fn members(entries: &DeTable<'_>) -> Json {
    let members = entries.iter().map(|(key, value)| (key.get_ref().as_ref().into(), json(value.get_ref())));
    Json::Object(members.collect())
}

fn json(value: &DeValue<'_>) -> Json {
    match value {
        DeValue::String(text) => Json::String(text.as_ref().into()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Json::Number(Number::from_i64(number)),
            Err(_) => Json::String(number.as_str().into()),
        },
        DeValue::Float(number) => Json::String(number.as_str().into()),
        DeValue::Boolean(flag) => Json::Bool(*flag),
        DeValue::Datetime(time) => Json::String(time.to_string().into()),
        DeValue::Array(list) => Json::Array(list.iter().map(|item| json(item.get_ref())).collect()),
        DeValue::Table(entries) => members(entries),
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// A whole number and a unit, without anything between or around them.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
    match &text[digits..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(60 * 60),
        _ => None,
    }
}

/// The word that was probably meant: the nearest, if it is near. Case and `_` for `-` do not count as differences.
pub(super) fn suggestion<'w>(wrong: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let plain = |word: &str| word.to_lowercase().replace('_', "-");
    let wrong = plain(wrong);
    let limit = match wrong.chars().count() {
        0 | 1 => return None,
        2..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    words
        .into_iter()
        .map(|word| (strsim::osa_distance(&wrong, &plain(word)), word))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
