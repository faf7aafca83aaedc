//! `omnigen.lock`: what is committed so that a fresh clone, with no other record, knows what was made and why.
//!
//! Text, one line per entry, sorted, without totals, so that changes in different entries merge by themselves:
//!
//! ```text
//! # omnigen.lock: version 1. Written by omnigen; commit it.
//! output docs/order.json source=contracts/order.json emitter=docs/1 digest=<64 hex digits>
//! schema https://example.org/address.json path=vendor/address.json digest=<64 hex digits>
//! task docs contracts/order.json key=<hex> answer=<hex> artifact=docs/order.md:<hex> need=models:<hex> message=b:hint:{"n":1} gate=typed:<hex>
//! ```
//!
//! A word is written with `%` and two hexadecimal digits for each byte of a blank, a control character or a `%`; nothing at
//! all is `-`, and a lone `-` is `%2D`. A message is there whole (receivers with `,` between them, kind, canonical JSON; a `,` or `:`
//! in one of the first two is written like a blank): no file holds it, and whoever it is for needs it. `artifact`, `need`, `message` and `gate` may come any number of times; needs and
//! messages are in the order in which they were asked for and sent, and a need that did not exist has `absent` for a digest. Several lines may name one task (after a careless merge, or with several candidates): who looks an
//! entry up takes the one whose key is the computed one.

use std::fmt::Write as _;

use omnigen_ir::Digest;

/// The version that is written, and the newest that is read.
const VERSION: u32 = 1;
const HEADER: &str = "# omnigen.lock: version ";
/// In place of a digest, for a need that did not exist.
const ABSENT: &str = "absent";
const HEADER_END: &str = ". Written by omnigen; commit it.";

/// A lock file's entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockFile {
    /// Answers that were used.
    pub tasks: Vec<LockEntry>,
    /// Generated files whose format has no comments, so that they cannot bear the ownership mark.
    pub outputs: Vec<LockOutput>,
    /// Schemas fetched from elsewhere.
    pub schemas: Vec<LockSchema>,
    /// Whether git's conflict markers were among the lines. Both sides were read: writing the file again resolves them.
    pub conflicted: bool,
    /// Lines that could not be read.
    pub problems: Vec<LockProblem>,
    /// Lines that begin with an unknown word, as they are: kept when the file is written again.
    pub unknown: Vec<String>,
}

/// A task's answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockEntry {
    /// The target's name.
    pub target: String,
    /// The contract's path; empty for a task over the whole project.
    pub contract: String,
    /// The task's key.
    pub key: Digest,
    /// Digest of the answer as stored.
    pub answer: Digest,
    /// Path and digest of each artifact.
    pub artifacts: Vec<(String, Digest)>,
    /// Name and digest of each need, in the order asked; `None`: it did not exist.
    pub needs: Vec<(String, Option<Digest>)>,
    /// Each message, in the order sent.
    pub messages: Vec<LockMessage>,
    /// Name and receipt of each gate that let it pass, in the target's order.
    pub gates: Vec<(String, Digest)>,
    /// Digest of what was decided about, key and policy; `None` where there was nothing to decide.
    pub decision: Option<Digest>,
}

/// A message that belongs to an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockMessage {
    /// Names of agents, not empty.
    pub to: Vec<String>,
    /// What kind of message.
    pub kind: String,
    /// Canonical JSON.
    pub data: String,
}

/// A generated file without a mark of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockOutput {
    /// From the output folder.
    pub path: String,
    /// The contract's path; empty for the whole project.
    pub source: String,
    /// The emitter and its format number.
    pub emitter: String,
    /// Of the file's bytes.
    pub digest: Digest,
}

/// A schema fetched from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockSchema {
    /// Where it is from.
    pub uri: String,
    /// Where it lies, from the project's root.
    pub path: String,
    /// Of its bytes.
    pub digest: Digest,
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockProblem {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub text: String,
}

impl LockFile {
    /// Every entry of a task, in the file's order.
    pub fn tasks_of<'a>(&'a self, target: &'a str, contract: &'a str) -> impl Iterator<Item = &'a LockEntry> {
        self.tasks.iter().filter(move |entry| entry.target == target && entry.contract == contract)
    }

    /// The entry of a task with this key.
    pub fn task(&self, target: &str, contract: &str, key: &Digest) -> Option<&LockEntry> {
        self.tasks.iter().find(|entry| entry.target == target && entry.contract == contract && entry.key == *key)
    }

    /// The file's text: depends on the entries only, not on their order here. Entries that are the same are written once.
    pub fn render(&self) -> String {
        let mut lines: Vec<String> = self.unknown.clone();
        for LockEntry { target, contract, key, answer, artifacts, needs, messages, gates, decision } in &self.tasks {
            let mut line =
                format!("task {} {} key={} answer={}", word(target), word(contract), key.hex(), answer.hex());
            let mut artifacts: Vec<_> = artifacts.iter().collect();
            artifacts.sort();
            for (path, digest) in artifacts {
                let _ = write!(line, " artifact={}:{}", word(path), digest.hex());
            }
            for (name, digest) in needs {
                let digest = digest.map_or_else(|| ABSENT.to_owned(), |digest| digest.hex());
                let _ = write!(line, " need={}:{digest}", word(name));
            }
            for LockMessage { to, kind, data } in messages {
                let to: Vec<String> = to.iter().map(|name| part(name)).collect();
                let _ = write!(line, " message={}:{}:{}", to.join(","), part(kind), word(data));
            }
            for (name, digest) in gates {
                let _ = write!(line, " gate={}:{}", word(name), digest.hex());
            }
            if let Some(decision) = decision {
                let _ = write!(line, " decision={}", decision.hex());
            }
            lines.push(line);
        }
        for LockOutput { path, source, emitter, digest } in &self.outputs {
            let (path, source, emitter) = (word(path), word(source), word(emitter));
            lines.push(format!("output {path} source={source} emitter={emitter} digest={}", digest.hex()));
        }
        for LockSchema { uri, path, digest } in &self.schemas {
            lines.push(format!("schema {} path={} digest={}", word(uri), word(path), digest.hex()));
        }
        lines.sort_unstable();
        lines.dedup();
        let mut text = format!("{HEADER}{VERSION}{HEADER_END}\n");
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

/// Reads a lock file. Lines that cannot be read are told in [`LockFile::problems`]; comments are skipped.
///
/// # Errors
/// In words, if a newer omnigen wrote it: then it must be left alone.
pub fn parse(text: &str) -> Result<LockFile, String> {
    let mut file = LockFile::default();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim_end();
        if is_marker(line) {
            file.conflicted = true;
            continue;
        }
        if let Some(rest) = line.strip_prefix(HEADER) {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if digits.parse::<u32>().is_ok_and(|found| found > VERSION) {
                return Err(format!("omnigen.lock has version {digits}; this omnigen reads {VERSION}"));
            }
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Err(text) = read_line(line, &mut file) {
            file.problems.push(LockProblem { line: index + 1, text });
        }
    }
    Ok(file)
}

fn is_marker(line: &str) -> bool {
    // `|||||||` begins the common ancestor in the three-part style.
    line == "======="
        || ["<<<<<<< ", ">>>>>>> ", "||||||| "].iter().any(|marker| line.starts_with(marker))
        || ["<<<<<<<", ">>>>>>>", "|||||||"].contains(&line)
}

fn read_line(line: &str, file: &mut LockFile) -> Result<(), String> {
    let mut words = line.split(' ');
    let kind = words.next().unwrap_or_default();
    if !["task", "output", "schema"].contains(&kind) {
        file.unknown.push(line.to_owned());
        return Ok(());
    }
    let mut name = |what: &str| words.next().ok_or(format!("`{kind}` without {what}")).and_then(unword);
    match kind {
        "task" => {
            let (target, contract) = (name("a target")?, name("a contract")?);
            let mut fields = Fields::new(words)?;
            let (key, answer) = (fields.digest("key")?, fields.digest("answer")?);
            let (artifacts, needs) = (fields.pairs("artifact")?, fields.needs()?);
            let (messages, gates) = (fields.messages()?, fields.pairs("gate")?);
            let decision = match fields.all("decision").as_slice() {
                [] => None,
                [one] => Some(read_digest(one)?),
                _ => return Err("`decision` is there twice".to_owned()),
            };
            fields.end()?;
            file.tasks.push(LockEntry { target, contract, key, answer, artifacts, needs, messages, gates, decision });
        }
        "output" => {
            let path = name("a path")?;
            let mut fields = Fields::new(words)?;
            let (source, emitter, digest) = (fields.text("source")?, fields.text("emitter")?, fields.digest("digest")?);
            fields.end()?;
            file.outputs.push(LockOutput { path, source, emitter, digest });
        }
        _ => {
            let uri = name("an address")?;
            let mut fields = Fields::new(words)?;
            let (path, digest) = (fields.text("path")?, fields.digest("digest")?);
            fields.end()?;
            file.schemas.push(LockSchema { uri, path, digest });
        }
    }
    Ok(())
}

/// `name=value` words of a line, taken by name.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn new(words: impl Iterator<Item = &'a str>) -> Result<Fields<'a>, String> {
        let field = |word: &'a str| word.split_once('=').ok_or(format!("`{word}` is not `name=value`"));
        words.map(field).collect::<Result<_, _>>().map(Fields)
    }

    fn all(&mut self, name: &str) -> Vec<&'a str> {
        let found = self.0.iter().filter(|(own, _)| *own == name).map(|(_, value)| *value).collect();
        self.0.retain(|(own, _)| *own != name);
        found
    }

    fn one(&mut self, name: &str) -> Result<&'a str, String> {
        match self.all(name).as_slice() {
            [value] => Ok(value),
            [] => Err(format!("`{name}` is missing")),
            _ => Err(format!("`{name}` is there twice")),
        }
    }

    fn text(&mut self, name: &str) -> Result<String, String> {
        unword(self.one(name)?)
    }

    fn digest(&mut self, name: &str) -> Result<Digest, String> {
        read_digest(self.one(name)?)
    }

    fn pairs(&mut self, name: &str) -> Result<Vec<(String, Digest)>, String> {
        let pair = |value: &str| {
            let (text, digest) = value.rsplit_once(':').ok_or(format!("`{value}` is not `name:digest`"))?;
            Ok((unword(text)?, read_digest(digest)?))
        };
        self.all(name).into_iter().map(pair).collect()
    }

    fn needs(&mut self) -> Result<Vec<(String, Option<Digest>)>, String> {
        let pair = |value: &str| {
            let (text, digest) = value.rsplit_once(':').ok_or(format!("`{value}` is not `name:digest`"))?;
            let digest = if digest == ABSENT { None } else { Some(read_digest(digest)?) };
            Ok((unword(text)?, digest))
        };
        self.all("need").into_iter().map(pair).collect()
    }

    fn messages(&mut self) -> Result<Vec<LockMessage>, String> {
        let message = |value: &str| {
            let told = || format!("`{value}` is not `receivers:kind:data`");
            let (to, rest) = value.split_once(':').ok_or_else(told)?;
            let (kind, data) = rest.split_once(':').ok_or_else(told)?;
            let to: Vec<String> = to.split(',').map(unword).collect::<Result<_, _>>()?;
            Ok(LockMessage { to, kind: unword(kind)?, data: unword(data)? })
        };
        self.all("message").into_iter().map(message).collect()
    }

    fn end(self) -> Result<(), String> {
        self.0.first().map_or(Ok(()), |(name, _)| Err(format!("`{name}` is not known here")))
    }
}

fn read_digest(text: &str) -> Result<Digest, String> {
    Digest::from_hex(text).ok_or_else(|| format!("`{text}` is not a digest"))
}

fn word(text: &str) -> String {
    match text {
        "" => return "-".to_owned(),
        "-" => return "%2D".to_owned(),
        _ => {}
    }
    let mut word = String::with_capacity(text.len());
    for char in text.chars() {
        if char == '%' || char.is_whitespace() || char.is_control() {
            let mut buffer = [0; 4];
            for byte in char.encode_utf8(&mut buffer).bytes() {
                let _ = write!(word, "%{byte:02X}");
            }
        } else {
            word.push(char);
        }
    }
    word
}

/// A word that stands before a `,` or a `:`.
fn part(text: &str) -> String {
    word(text).replace(',', "%2C").replace(':', "%3A")
}

fn unword(word: &str) -> Result<String, String> {
    let bad = || format!("`{word}` is not a word of this file");
    match word {
        "" => return Err(bad()),
        "-" => return Ok(String::new()),
        _ => {}
    }
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or_else(bad)?;
        let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+')).ok_or_else(bad)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| bad())?);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    fn message(to: &[&str], kind: &str, data: &str) -> LockMessage {
        let to = to.iter().map(|name| (*name).to_owned()).collect();
        LockMessage { to, kind: kind.to_owned(), data: data.to_owned() }
    }

    fn sample() -> LockFile {
        LockFile {
            tasks: vec![
                LockEntry {
                    target: "docs".to_owned(),
                    contract: "contracts/order.json".to_owned(),
                    key: digest("key"),
                    answer: digest("answer"),
                    artifacts: vec![("docs/b: 1%.md".to_owned(), digest("b")), ("docs/a=1.md".to_owned(), digest("a"))],
                    needs: vec![("models".to_owned(), Some(digest("m"))), ("file:x".to_owned(), None)],
                    messages: vec![
                        message(&["b,:", "a"], "a kind: -", "{\"a b\":[1,\"%\"]}"),
                        message(&["a"], "", "-"),
                    ],
                    gates: vec![("typed".to_owned(), digest("g"))],
                    decision: Some(digest("d")),
                },
                LockEntry {
                    target: "-".to_owned(),
                    contract: String::new(),
                    key: digest("key 2"),
                    answer: digest("answer 2"),
                    artifacts: vec![],
                    needs: vec![],
                    messages: vec![],
                    gates: vec![],
                    decision: None,
                },
            ],
            outputs: vec![LockOutput {
                path: "docs/ü\u{a0}\n.json".to_owned(),
                source: String::new(),
                emitter: "docs/1".to_owned(),
                digest: digest("o"),
            }],
            schemas: vec![LockSchema {
                uri: "https://example.org/a?b=c#d".to_owned(),
                path: "vendor/a.json".to_owned(),
                digest: digest("s"),
            }],
            ..LockFile::default()
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let text = sample().render();
        assert!(text.starts_with("# omnigen.lock: version 1. Written by omnigen; commit it.\noutput docs/"));
        let mut read = parse(&text).unwrap();
        assert_eq!(read.render(), text);
        // Sorted by now: the artifacts, not the needs.
        let mut expected = sample();
        expected.tasks[0].artifacts.reverse();
        read.tasks.reverse();
        assert_eq!(read, expected);
        assert_eq!(parse(&text.replace('\n', "\r\n")).unwrap().render(), text);
        assert_eq!(parse("").unwrap(), LockFile::default());
    }

    #[test]
    fn the_order_of_entries_does_not_show() {
        let mut shuffled = sample();
        shuffled.tasks.reverse();
        shuffled.tasks.push(sample().tasks[0].clone());
        assert_eq!(shuffled.render(), sample().render());
    }

    #[test]
    fn a_merge_gone_wrong_is_read_whole() {
        let line = |key: &str| {
            let entry = LockEntry { key: digest(key), ..sample().tasks[0].clone() };
            LockFile { tasks: vec![entry], ..LockFile::default() }.render().lines().last().unwrap().to_owned()
        };
        let text = format!(
            "{HEADER}1\n<<<<<<< HEAD\n{}\n||||||| base\n{}\n=======\n{}\n>>>>>>> other\n",
            line("ours"),
            line("base"),
            line("theirs")
        );
        let file = parse(&text).unwrap();
        assert!(file.conflicted && file.problems.is_empty());
        assert_eq!(file.tasks_of("docs", "contracts/order.json").count(), 3);
        assert_eq!(file.task("docs", "contracts/order.json", &digest("theirs")).unwrap().key, digest("theirs"));
        assert_eq!(file.task("docs", "contracts/order.json", &digest("nobody")), None);
        assert!(!parse(&file.render()).unwrap().conflicted);
    }

    #[test]
    fn bad_lines_are_told_with_their_number() {
        let hex = digest("x").hex();
        let cases = [
            "task docs".to_owned(),
            format!("task docs c key={hex}"),
            format!("task docs c key={hex} key={hex} answer={hex}"),
            format!("task docs c key={} answer={hex}", &hex[1..]),
            format!("task docs c key={hex} answer={hex} artifact={hex}"),
            format!("task docs c key={hex} answer={hex} color=red"),
            format!("task docs c key={hex} answer={hex} red"),
            format!("task do%g0cs c key={hex} answer={hex}"),
            format!("task do%f c key={hex} answer={hex}"),
            format!("task  c key={hex} answer={hex}"),
            format!("output x digest={hex}"),
            format!("schema https://x path=%ff digest={hex}"),
        ];
        for case in &cases {
            let file = parse(&format!("# comment\n\n{case}\n")).unwrap();
            assert_eq!(file.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [3], "{case}");
            assert!(file.tasks.is_empty() && file.outputs.is_empty() && file.schemas.is_empty());
        }
    }

    #[test]
    fn what_others_added_is_kept_and_newer_files_are_left_alone() {
        let file = parse("# omnigen.lock: version 1\nreceipt docs x=1\n").unwrap();
        assert_eq!(file.unknown, ["receipt docs x=1"]);
        assert!(file.render().ends_with("\nreceipt docs x=1\n"));
        assert!(parse("# omnigen.lock: version 2. Written\n").unwrap_err().contains("version 2"));
    }

    #[test]
    fn any_text_is_read_and_what_is_written_of_it_stays() {
        let text = sample().render();
        let mut random = 7u64;
        let mut below = |limit: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % limit.max(1)
        };
        for _ in 0..3_000 {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..=below(4) {
                let at = below(bytes.len());
                match below(4) {
                    0 => bytes[at] ^= 1 << below(8),
                    1 => bytes.truncate(at.max(1)),
                    2 => bytes.insert(at, b" =:%-\n#~\0\xc3"[below(10)]),
                    _ => drop(bytes.splice(at..at, text.as_bytes()[below(text.len())..].iter().copied().take(90))),
                }
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Ok(file) = parse(&text) else { continue };
            let once = file.render();
            let again = parse(&once).map(|file| file.render());
            assert_eq!(again.as_ref(), Ok(&once), "{text:?}");
        }
    }
}
