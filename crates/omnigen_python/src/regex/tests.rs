//! The translation is compared with an engine of ECMA 262: the same finds on the same texts.

use std::io::Write as _;
use std::process::{Command, Stdio};

use omnigen_report::{At, Code};

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
fn python(patterns: &[String]) -> Option<Vec<Vec<bool>>> {
    const SCRIPT: &str = "import ast, re, sys, warnings\nwarnings.simplefilter('error')\npatterns, texts = ast.literal_eval(sys.stdin.read())\nfor p in patterns:\n    s = re.compile(p).search\n    print(''.join('1' if s(t) else '0' for t in texts))\n";
    let mut child =
        Command::new("python3").args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let list = |items: Vec<String>| format!("[{}]", items.join(", "));
    let input = format!(
        "({}, {})",
        list(patterns.iter().map(|p| crate::layout::string(p)).collect()),
        list(TEXTS.iter().map(|t| crate::layout::string(t).replace('\0', "\\x00")).collect())
    );
    child.stdin.take()?.write_all(input.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    assert!(output.status.success(), "python3 refuses a translation");
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.lines().map(|line| line.bytes().map(|b| b == b'1').collect()).collect())
}

#[test]
fn finds_what_ecma_262_finds() {
    let translated: Vec<String> =
        PATTERNS.iter().map(|p| translate(p).unwrap_or_else(|error| panic!("{p}: {error:?}"))).collect();
    let Some(found) = python(&translated) else { return };
    let mut wrong = Vec::new();
    for ((pattern, translated), found) in PATTERNS.iter().zip(&translated).zip(found) {
        let oracle = regress::Regex::with_flags(pattern, "u").or_else(|_| regress::Regex::new(pattern));
        let oracle = oracle.unwrap_or_else(|error| panic!("{pattern}: {error}"));
        for (text, found) in TEXTS.iter().zip(found) {
            if oracle.find(text).is_some() != found {
                wrong.push(format!("{pattern} as {translated} on {text:?}: {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
    for pattern in ["^(a+)+$", "^(a*)*$", r"^(\w+\s?)+$", "^([a-z]+)*x", r"^(\d|\w)+$", "^(.*,?)*;$", "^((a+)b?)*$"] {
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
    let file = std::sync::Arc::from("p.json");
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
