//! The translation is compared with an engine of ECMA 262: the same finds on the same texts.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use omnigen_ir::Schema;
use omnigen_report::{At, Code};

use super::parse::{self, Item};
use super::{PatternError, findings, is_slow, translate};

/// Patterns that have a translation.
const PATTERNS: &[&str] = &[
    "^a$",
    "a.c",
    r"^\d+$",
    r"^\w+$",
    r"^\W$",
    r"^\s$",
    r"^\S$",
    r"^\D$",
    r"[\s\d]",
    r"[^\w]",
    r"[\S]x",
    r"[\D]$",
    r"[\w-]+$",
    r"\bab\b",
    r"\Bb",
    r"\B",
    "^$",
    "[^]",
    "[]",
    "a|b|",
    "(a|b)+$",
    "(?:ab){2}",
    "a{2}",
    "a{2,}",
    "a{1,2}$",
    "a{,5}",
    "{}",
    "a{",
    "x{1",
    r"\cA",
    r"\cj",
    r"\x41",
    r"\u0041",
    r"\u{41}",
    r"\u{1f600}",
    r"\ud83d\ude00",
    r"\0",
    r"\/",
    r"\-",
    r"\t",
    r"\v",
    r"[\b]",
    r"(?<year>\d)\k<year>",
    r"(a)\1",
    r"(a)?\1b",
    r"\1(a)",
    r"(a\1)",
    r"(?!(a)b)\1a",
    r"(?!(a)\1)a",
    "(?=a)ab",
    "(?!a)b",
    "(?<=a)b",
    "(?<!a)b",
    "(?<=a|bc)d",
    "(?<!a|bc)d",
    r"\p{L}",
    r"\P{L}",
    r"^\p{Lu}+$",
    r"[\p{Nd}_]",
    r"[^\p{L}]",
    r"\p{Script=Greek}",
    r"\p{Letter}",
    "a+?b",
    "[a-c]*?c",
    "[&&]",
    "[a||b]",
    "[+--]",
    "[[a]",
    r"[\]]",
    r"[\^a]",
    "[a^]",
    r"^[^\s]+$",
    "é",
    "[à-ÿ]",
    "\"",
    "['\"]",
    "(?i:AB)c",
    "^.{2}$",
    r"[\w\W]",
    r"[\-a]",
    "[-a]",
    "[a-]",
    r"\.",
    "a/b",
    "~",
    "#",
    " ",
    r"[\u0041-\u0043]",
    r"\$",
    "(?:)",
    "()",
    "(a*)*b",
    "(?:a|ab)(?:c|bcd)$",
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "ab",
    "ba",
    "abc",
    "aa",
    "aab",
    "aaa",
    "abab",
    "abcd",
    "bcd",
    "d",
    "ad",
    "xd",
    "a\n",
    "a\nc",
    "a\u{2028}c",
    "axc",
    "1",
    "12",
    "11",
    "٣",
    "_",
    "-",
    " ",
    "\t",
    "\u{a0}",
    "\u{85}",
    "\u{feff}",
    "\u{1c}",
    "é",
    "É",
    "λ",
    "😀",
    "ab ab",
    "a{,5}",
    "{}",
    "a{",
    "x{1",
    "\u{1}",
    "A",
    "B",
    "AB",
    "ABc",
    "Abc",
    "\0",
    "/",
    "a/b",
    "\u{b}",
    "\u{8}",
    "&",
    "|",
    "[",
    "]",
    "^",
    "\"",
    "'",
    "~",
    "#",
    ".",
    "$",
    "x",
    "zx",
    "Ω",
    "acd",
    "abcx",
    "aabb",
    "\\",
    "c",
];

/// What Python finds, by pattern and text.
fn python(cases: &[(String, Vec<String>)]) -> Option<Vec<Vec<bool>>> {
    const SCRIPT: &str = "import ast, re, sys, warnings\nwarnings.simplefilter('error')\nfor line in sys.stdin:\n    p, texts = ast.literal_eval(line)\n    s = re.compile(p).search\n    print(''.join('1' if s(t) else '0' for t in texts))\n";
    let mut child =
        Command::new("python3").args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut input = String::new();
    for (pattern, texts) in cases {
        let texts: Vec<String> = texts.iter().map(|t| crate::layout::string(t).replace('\0', "\\x00")).collect();
        input += &format!("({}, [{}])\n", crate::layout::string(pattern), texts.join(", "));
    }
    let mut stdin = child.stdin.take()?;
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().ok()?;
    writer.join().ok()?.ok()?;
    assert!(output.status.success(), "python3 refuses a translation");
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.lines().map(|line| line.bytes().map(|b| b == b'1').collect()).collect())
}

/// Compares translations in Python with the engine of ECMA 262.
fn compare(cases: &[(String, Vec<String>)]) {
    let translated: Vec<(String, Vec<String>)> = cases
        .iter()
        .map(|(p, texts)| (translate(p).unwrap_or_else(|error| panic!("{p}: {error:?}")), texts.clone()))
        .collect();
    let Some(found) = python(&translated) else { return };
    let mut wrong = Vec::new();
    for (((pattern, texts), (translated, _)), found) in cases.iter().zip(&translated).zip(found) {
        let oracle = regress::Regex::with_flags(pattern, "u").or_else(|_| regress::Regex::new(pattern));
        let oracle = oracle.unwrap_or_else(|error| panic!("{pattern}: {error}"));
        for (text, found) in texts.iter().zip(found) {
            if oracle.find(text).is_some() != found {
                let translated: String = translated.chars().take(300).collect();
                wrong.push(format!("{pattern} as {translated} on {text:?}: {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}

#[test]
fn finds_what_ecma_262_finds() {
    let texts: Vec<String> = TEXTS.iter().map(|&text| text.to_owned()).collect();
    compare(&PATTERNS.iter().map(|&p| (p.to_owned(), texts.clone())).collect::<Vec<_>>());
}

#[test]
fn composed_patterns_find_the_same_on_generated_texts() {
    let mut chance = Chance(20);
    // Named groups cannot come twice, an open brace would meet what follows, and loops within loops take for ever.
    let parts = PATTERNS.iter().copied().filter(|p| !p.contains("(?<year>") && !p.contains('{') && !p.contains("*)*"));
    let parts: Vec<&str> = parts.collect();
    let mut cases = Vec::new();
    for _ in 0..800 {
        let (a, b) = (parts[chance.below(parts.len())], parts[chance.below(parts.len())]);
        let pattern = match chance.below(6) {
            0 => format!("{a}{b}"),
            1 => format!("{a}|{b}"),
            2 => format!("^(?:{a}|{b})"),
            3 => format!("(?:{a}){{1,2}}{b}"),
            4 => format!("(?={a}){b}"),
            _ => format!("(?!{a}){b}"),
        };
        // Groups are numbered anew, and a loop forgets them: what cannot be carried is refused, not got wrong.
        if translate(&pattern).is_ok() && !is_slow(&pattern) && regress::Regex::with_flags(&pattern, "u").is_ok() {
            let texts = texts(&pattern, &mut chance, 12);
            cases.push((pattern, texts));
        }
    }
    assert!(cases.len() > 500, "{}", cases.len());
    compare(&cases);
}

/// Makes random patterns with whatever ECMA 262 has.
struct Strange<'c> {
    chance: &'c mut Chance,
    /// Of unicode mode, or of the older one: where a pattern is not of the former, `\p` and `\u{…}` keep their meaning here, and
    /// the engine has the older one.
    atoms: Vec<&'static str>,
    groups: usize,
    /// The last group that is referred to.
    farthest: usize,
    /// Those that are not closed yet: of references to these the engine thinks otherwise than the standard.
    open: Vec<usize>,
}

impl Strange<'_> {
    /// `deep` levels of groups at most; in a loop no further one: that could take for ever.
    fn pattern(&mut self, deep: usize, in_loop: bool) -> String {
        let mut out = String::new();
        for _ in 0..1 + self.chance.below(3) {
            let before = out.len();
            let choice = self.chance.below(if deep == 0 || in_loop { 6 } else { 14 });
            let quantifier = match self.chance.below(18) {
                _ if in_loop => "",
                0..=4 => ["*", "+", "{1,}", "*?", "+?"][self.chance.below(5)],
                5 => ["?", "{2}", "{0,2}", "{0}", "??"][self.chance.below(5)],
                _ => "",
            };
            let inside = in_loop || !matches!(quantifier, "" | "?" | "{0}" | "??");
            let within = |this: &mut Self| this.pattern(deep.saturating_sub(1), inside);
            let bare = match choice {
                0..=5 => {
                    let atom = self.atoms[self.chance.below(self.atoms.len())];
                    out += atom;
                    matches!(atom, "^" | "$" | r"\b" | r"\B" | "{" | "}" | "]" | "{a" | "a{,2}" | r"\c")
                }
                6 | 7 => {
                    self.groups += 1;
                    let name = if self.chance.below(3) == 0 { format!("?<n{}>", self.groups) } else { String::new() };
                    self.open.push(self.groups);
                    out += &format!("({name}{})", within(self));
                    self.open.pop();
                    false
                }
                8 => {
                    out += &format!("(?:{})", within(self));
                    false
                }
                9 => {
                    out += &format!("(?:{}|{})", within(self), within(self));
                    false
                }
                10 => {
                    let open = ["(?=", "(?!", "(?<=", "(?<!"][self.chance.below(4)];
                    out += &format!("{open}{})", within(self));
                    true
                }
                11 | 12 => {
                    let index = 1 + self.chance.below(3);
                    if self.open.contains(&index) {
                        continue;
                    }
                    self.farthest = self.farthest.max(index);
                    out += &format!("\\{index}");
                    false
                }
                _ => {
                    out += &format!("{}|{}", within(self), within(self));
                    true
                }
            };
            if !bare && !out[before..].is_empty() {
                out += quantifier;
            }
        }
        out
    }
}

const ATOMS: &[&str] = &[
    "a", "b", "a", "b", "a", "b", "ab", ".", "$", "^", r"\b", r"\B", "[ab]", "[^a]", "[^]", "[]", r"\d", r"\w", r"\W",
    r"\s", r"\cA", r"\cZ", r"\x61", r"\u0062", r"\0", r"\t", r"[\b]", r"[a-b\s]", r"[^\W]", "é", r"\/", r"\$", "[a-]",
    r"[^\n]", r"\n", r"\v", r"\S",
];
const UNICODE: &[&str] = &[
    r"\u{61}",
    r"\p{L}",
    r"\P{Lu}",
    r"\p{Script=Greek}",
    r"\u{1f600}",
    r"\ud83d\ude00",
    r"\p{sc=Latn}",
    r"[\p{Lu}b]",
    "[😀a]",
    r"[^\p{L}]",
];
const OLDER: &[&str] = &[
    "{", "}", "]", "{a", "a{,2}", r"\z", r"\c", r"\_", r"\-", "[[]", r"[\d-]", r"[\d-x]", r"\12", r"\8", r"\k", r"\e",
];

#[test]
fn strange_patterns_find_the_same() {
    // More of them, from another seed: for looking, not for every day.
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let count = number("OMNIGEN_TEST_STEPS").unwrap_or(400);
    let mut chance = Chance(number("OMNIGEN_TEST_SEED").unwrap_or(22));
    let mut cases = Vec::new();
    for _ in 0..count {
        let unicode = chance.below(2) == 0;
        let more = if unicode { UNICODE } else { OLDER };
        let atoms = ATOMS.iter().chain(more).copied().collect();
        let mut strange = Strange { chance: &mut chance, atoms, groups: 0, farthest: 0, open: Vec::new() };
        let pattern = strange.pattern(3, false);
        // Of groups that there are not the engine thinks otherwise than the standard.
        if strange.farthest > strange.groups {
            continue;
        }
        let strict = regress::Regex::with_flags(&pattern, "u").is_ok();
        let engine = strict || (!unicode && regress::Regex::new(&pattern).is_ok());
        match translate(&pattern) {
            Ok(_) if engine && !is_slow(&pattern) => {
                let texts = texts(&pattern, &mut chance, 8);
                cases.push((pattern, texts));
            }
            Err(PatternError::Bad { at, message }) if engine => panic!("{pattern} at {at}: {message}"),
            _ => {}
        }
    }
    assert!(cases.len() as u64 > count / 4, "{}", cases.len());
    compare(&cases);
}

#[test]
fn patterns_of_real_schemas_find_the_same() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if !corpus.is_dir() {
        return; // The corpus lies beside the checkout, or not at all.
    }
    let mut patterns = BTreeSet::new();
    for folder in ["jsonschema/schemastore", "jsonschema/features", "openapi"] {
        gather(&corpus.join(folder), &mut patterns);
    }
    let mut chance = Chance(21);
    let engine = |p: &str| regress::Regex::with_flags(p, "u").or_else(|_| regress::Regex::new(p)).is_ok();
    let carried = |p: &&String| translate(p).is_ok();
    let (fine, refused): (Vec<&String>, Vec<&String>) = patterns.iter().partition(carried);
    let odd: Vec<&&String> = refused.iter().filter(|p| engine(p)).collect();
    assert!(odd.is_empty(), "an engine reads these, and we do not: {odd:?}");
    let quick = fine.into_iter().filter(|p| engine(p) && !is_slow(p));
    let cases: Vec<(String, Vec<String>)> = quick.map(|p| (p.clone(), texts(p, &mut chance, 24))).collect();
    assert!(cases.len() > 300, "{}", cases.len());
    compare(&cases);
}

/// All patterns of the contracts below a folder. What has documents, not contracts, is left out.
fn gather(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the corpus can be listed").flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "valid" | "invalid") {
                gather(&path, found);
            }
        } else if matches!(path.extension().and_then(|e| e.to_str()), Some("json" | "yaml" | "yml"))
            && let Ok(text) = std::fs::read_to_string(&path)
            && text.to_lowercase().contains("pattern")
        {
            let declared = omnigen_contracts::declarations(&Arc::from(name), &text);
            let roots = declared.definitions.iter().map(|(_, schema)| schema).chain([&declared.root]);
            roots.for_each(|schema| all(schema, found));
        }
    }
}

/// All patterns within a schema.
fn all(schema: &Schema, found: &mut BTreeSet<String>) {
    let Schema::Node(node) = schema else { return };
    found.extend(node.string.as_deref().and_then(|rules| rules.pattern.as_deref()).map(str::to_owned));
    found.extend(node.object.iter().flat_map(|rules| &rules.patterns).map(|(pattern, _)| (**pattern).to_owned()));
    node.each_child(&mut |child| all(child, found));
}

/// Numbers that look random and are the same each time (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// Texts that match, or nearly.
fn texts(pattern: &str, chance: &mut Chance, count: usize) -> Vec<String> {
    const STRANGE: &[char] =
        &['a', 'Z', '0', '٣', '_', '-', ' ', '\n', '\u{2028}', 'é', 'ſ', '😀', '/', '.', '\0', 'b'];
    let Ok(parsed) = parse::parse(pattern) else { return Vec::new() };
    let mut texts = vec![String::new()];
    for _ in 0..count {
        let mut text = String::new();
        write(&parsed.body, chance, &mut text);
        let mut chars: Vec<char> = text.chars().take(40).collect();
        texts.push(chars.iter().collect());
        let at = chance.below(chars.len() + 1);
        match chance.below(3) {
            0 if at < chars.len() => drop(chars.remove(at)),
            1 if at < chars.len() => chars[at] = STRANGE[chance.below(STRANGE.len())],
            _ => chars.insert(at, STRANGE[chance.below(STRANGE.len())]),
        }
        texts.push(chars.into_iter().collect());
    }
    texts
}

fn write(body: &[Vec<Item>], chance: &mut Chance, out: &mut String) {
    let sequence = &body[chance.below(body.len())];
    for item in sequence {
        one(item, chance, out);
    }
}

fn one(item: &Item, chance: &mut Chance, out: &mut String) {
    match item {
        Item::Char(code) => out.extend(char::from_u32(*code)),
        Item::Any { .. } => out.push(['x', '1', ' ', 'é', '"'][chance.below(5)]),
        Item::Class(class) => {
            let ranges = class.matched();
            if !ranges.is_empty() {
                let (from, to) = ranges[chance.below(ranges.len().min(8))];
                out.extend(char::from_u32(from + chance.below((to - from).min(90) as usize + 1) as u32));
            }
        }
        Item::Capture { body, .. } | Item::Group { body, .. } => write(body, chance, out),
        Item::Repeat { item, min, max, .. } => {
            let most = max.unwrap_or(min + 3).min(min + 3);
            for _ in 0..(*min + chance.below((most - min) as usize + 1) as u64).min(40) {
                one(item, chance, out);
            }
        }
        Item::Start { .. } | Item::End { .. } | Item::Word { .. } | Item::Look { .. } | Item::Back { .. } => {}
    }
}

#[test]
fn what_is_no_pattern_is_refused() {
    for (pattern, at) in [
        ("(", 0),
        ("a)", 1),
        ("[a", 0),
        ("*", 0),
        ("a**", 2),
        ("a++", 2),
        ("a{2,1}", 1),
        ("[b-a]", 2),
        ("(?i)a", 0),
        ("(?<a", 3),
        (r"\p{Nope}", 1),
        ("^*", 1),
        (r"a\", 1),
        ("(?#x)", 0),
        (r"(?<a>x)\k<b>", 7),
        ("{1}", 0),
    ] {
        match translate(pattern) {
            Err(PatternError::Bad { at: found, .. }) => assert_eq!(found, at, "{pattern}"),
            other => panic!("{pattern}: {other:?}"),
        }
    }
}

#[test]
fn what_re_cannot_say_is_not_carried() {
    let deep = format!("{}a{}", "(".repeat(200), ")".repeat(200));
    for pattern in ["(?<=a+)b", r"(?:(a)|b)*\1", r"(?<=(a)\1)b", "a{4294967296}", &deep] {
        let result = translate(pattern);
        assert!(matches!(result, Err(PatternError::NotCarried { .. })), "{pattern}: {result:?}");
    }
}

#[test]
fn exponential_patterns_are_found() {
    for pattern in [
        "^(a+)+$",
        "^(a*)*$",
        r"^(\w+\s?)+$",
        "^([a-z]+)*x",
        r"^(\d|\w)+$",
        "^(.*,?)*;$",
        "^((a+)b?)*$",
        "^(a|aa)+$",
        "^(?:ab|a|b)*$",
        "^(?:a{1,2})+$",
        "^(?:x+y*x*)+z",
        "^((a|b)?(b|c)?){30}$",
        "^(?:(?:a?){25})a{25}$",
        r"^(/?[a-z]+/?)+\.html$",
    ] {
        assert!(is_slow(pattern), "{pattern}");
    }
    for pattern in [
        "^a+$",
        r"^([a-z]+\.)+[a-z]+$",
        r"^\w+(-\w+)*$",
        "(a+)+",
        r"^(\.[a-z]+)*$",
        "^(a|b)+$",
        r"^([0-9a-f]{2}:)+$",
        r"^(?:[^\\]|\\.)*$",
        r"^[a-z]+(?:/[a-z]+)*/?$",
        r"^(\d{3})*$",
        r"^(?:\d{1,3},)+$",
        "^(?:ab|ac)*$",
        "^(?:a?b)*$",
        "^(?:a?){0,30}b$",
        r"^(?:[a-z]+(?:-[a-z]+)*\.)+[a-z]{2,}$",
        r"^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$",
        "(",
    ] {
        assert!(!is_slow(pattern), "{pattern}");
    }
}

#[test]
fn findings_stand_where_the_patterns_do() {
    let text = r#"{
        "properties": {"a": {"pattern": "("}, "b": {"items": {"pattern": "^(a+)+$"}}, "fine": {"pattern": "^a+$"}},
        "patternProperties": {"/(?<=a+)~": true, "^x": {"anyOf": [{"pattern": "("}]}}
    }"#;
    let file = Arc::from("p.json");
    let declared = omnigen_contracts::declarations(&file, text);
    let root = declared.schema("").expect("the root is there");
    let found: Vec<(Code, Option<At>)> = findings(&file, root).into_iter().map(|d| (d.code, d.at)).collect();
    let expected = [
        (Code::PatternNotCarried, At::key(&file, "/patternProperties/~1(?<=a+)~0")),
        (Code::BadPattern, At::value(&file, "/properties/a/pattern")),
        (Code::SlowPattern, At::value(&file, "/properties/b/items/pattern")),
        (Code::BadPattern, At::value(&file, "/patternProperties/^x/anyOf/0/pattern")),
    ];
    assert_eq!(found, expected.map(|(code, at)| (code, Some(at))));
}

#[test]
fn patterns_have_limits() {
    let page = omnigen_report::all_pages();
    let refused = |pattern: &str| match super::translate(pattern) {
        Err(PatternError::NotCarried { message, .. }) => Some(message),
        _ => None,
    };
    assert_eq!(refused(&"a".repeat(20_000)), None);
    assert_eq!(refused(&"a".repeat(20_001)).as_deref(), Some("the pattern has 20001 bytes; the limit is 20000"));
    let nested = |levels: usize| "(?:".repeat(levels) + "a" + &")".repeat(levels);
    assert_eq!(refused(&nested(89)), None);
    assert!(refused(&nested(90)).is_some_and(|message| message.contains("90 deep")));
    assert!(
        page.contains("| Bytes of one pattern | 20,000 |")
            && page.contains("| Nesting of groups in one pattern | 90 levels |")
    );
}
