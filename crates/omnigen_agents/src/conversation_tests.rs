use serde_json::json;

use super::*;
use crate::paths::OutputPattern;
use crate::task::Environment;

fn task() -> Task {
    let outputs = ["docs/a.md", "docs/**"].map(|glob| OutputPattern::new(glob, &[]).expect("a pattern"));
    Task {
        id: "docs:c.json".into(),
        target: "docs".into(),
        contract: Some("c.json".into()),
        context: json!({}),
        files: Vec::new(),
        outputs: outputs.to_vec(),
        feedback: None,
    }
}

/// Feeds the text in pieces of every size and gives what came of it, which must not depend on the size.
fn converse(text: &[u8], limits: &Limits) -> Result<(bool, Answer), String> {
    let task = task();
    let secrets = Secrets::of(&Environment {
        values: vec![("TOKEN".into(), Some("tok-5ecret".into()))],
        ..Environment::default()
    });
    let one = |size: usize| -> Result<(bool, Answer), Violation> {
        let mut it = Conversation::new(&task, limits, &secrets);
        let pieces = text.chunks(size).map(Some).chain([None]);
        for piece in pieces {
            it.feed(piece.unwrap_or_default());
            while let Some(step) = it.next(piece.is_none())? {
                if let Step::Need(need) = step {
                    it.answered(need, None);
                }
            }
        }
        let (ending, answer) = it.finish();
        Ok((matches!(ending, Some(Ending::Completed { .. })), answer))
    };
    let whole = one(text.len().max(1)).map_err(|violation| violation.0);
    for size in [1, 2, 3, 7, 50] {
        assert_eq!(one(size).map_err(|violation| violation.0), whole, "pieces of {size} bytes");
    }
    whole
}

fn refused(line: &str) -> String {
    converse(format!("{line}\n").as_bytes(), &Limits::default()).expect_err(line)
}

#[test]
fn lines_may_come_in_pieces() {
    let text = concat!(
        "{\"type\":\"initialized\"}\n",
        "{\"type\":\"progress\",\"done\":3}\r\n",
        "{\"type\":\"need\",\"target\":\"models\",\"contract\":\"x/y.json\"}\n",
        "{\"type\":\"artifact\",\"path\":\"docs/z.md\",\"text\":\"Grüße\"}\n",
        "{\"type\":\"artifact\",\"path\":\"docs/a.md\",\"base64\":\"\"}\n",
        "  {\"type\":\"completed\",\"score\":null}  "
    );
    let (completed, answer) = converse(text.as_bytes(), &Limits::default()).expect("a clean conversation");
    assert!(completed);
    assert_eq!(answer.artifacts, [("docs/a.md".into(), vec![]), ("docs/z.md".into(), "Grüße".as_bytes().to_vec())]);
    assert_eq!(answer.needs, [(Need::Target { target: "models".into(), contract: Some("x/y.json".into()) }, None)]);
}

#[test]
fn violations_show_the_line() {
    let cases = [
        ("hello", "the line is not JSON: hello"),
        ("", "the line is not JSON: "),
        ("{\"type\":\"completed\"} trailing", "the line is not JSON: {\"type\":\"completed\"} trailing"),
        ("[1]", "the line is not a JSON object: [1]"),
        ("{}", "missing field `type`: {}"),
        (r#"{"type":"completed","type":"completed"}"#, "duplicate field `type`"),
        (r#"{"type":"progress"}"#, "`progress` needs one of"),
        (r#"{"type":"progress","done":-1}"#, "invalid value: integer `-1`"),
        (r#"{"type":"completed","score":1.5}"#, "`score` is not between 0 and 1"),
        (r#"{"type":"completed","score":"1"}"#, "invalid type: string \"1\""),
        (r#"{"type":"completed","extra":1}"#, "unknown field `extra`"),
        (r#"{"type":"initialized","extra":1}"#, "unknown field `extra`"),
        (r#"{"type":"artifact","path":"docs/a.md"}"#, "`artifact` needs either `text` or `base64`"),
        (r#"{"type":"artifact","path":"docs/a.md","text":"","base64":""}"#, "`artifact` needs either"),
        (r#"{"type":"artifact","path":"docs/a.md","base64":"A"}"#, "`base64` is damaged"),
        (r#"{"type":"artifact","text":""}"#, "missing field `path`"),
        (r#"{"type":"need"}"#, "`need` needs a `target`"),
        (r#"{"type":"need","target":""}"#, "`need` needs a `target`"),
        (r#"{"type":"need","file":"a","contract":"b"}"#, "`need` needs a `target`"),
        (r#"{"type":"need","file":"../a"}"#, "`need`: the path has a part `.` or `..`"),
        (r#"{"type":"need","contract":"/etc/passwd"}"#, "`need`: the path is absolute"),
        (r#"{"type":"message","to":[],"kind":"a","data":1}"#, "`message` needs a receiver"),
        (r#"{"type":"message","to":["a"],"kind":"a"}"#, "missing field `data`"),
        (r#"{"type":"failed","class":"Bad Class","text":""}"#, "`class` is not a word"),
        (r#"{"type":"failed","class":"syntax"}"#, "missing field `text`"),
        (r#"{"type":"failed","class":"a","text":"","span":{"path":"a"}}"#, "missing field `line`"),
    ];
    for (line, expected) in cases {
        let text = refused(line);
        assert!(text.starts_with(expected), "{line}\n  gave {text}\n  not  {expected}");
        assert!(text.ends_with(line), "{text} should end with {line}");
    }
    let text = refused(r#"{"type":"compleated"}"#);
    assert!(text.starts_with("unknown variant `compleated`, expected one of `initialized`"), "{text}");
}

#[test]
fn paths_of_artifacts_are_guarded() {
    let artifact = |path: &str| format!("{}\n", json!({"type": "artifact", "path": path, "text": ""}));
    for path in ["../a.md", "/docs/a.md", "docs/../../a", "docs//a", "docs/./a", "docs\\a", "C:/a", "docs/nul.md", ""] {
        assert!(refused(artifact(path).trim_end()).starts_with("`artifact`: "), "{path}");
    }
    assert!(
        refused(artifact("src/a.md").trim_end())
            .contains("not among those of the target's outputs (`docs/a.md`, `docs/**`)")
    );
    for (one, two) in
        [("docs/a.md", "docs/a.md"), ("docs/a.md", "docs/A.md"), ("docs/a", "docs/a/b"), ("docs/a/b", "docs/A")]
    {
        let text = artifact(one) + &artifact(two);
        converse(text.as_bytes(), &Limits::default()).expect_err(two);
    }
    let text = artifact("docs/a") + &artifact("docs/a-b") + &artifact("docs/ab/c");
    converse(text.as_bytes(), &Limits::default()).expect("three different files");
}

#[test]
fn nothing_follows_the_end() {
    let end = "{\"type\":\"completed\"}\n";
    assert!(refused(format!("{end}{end}").trim_end()).starts_with("a line after the last one"));
    assert!(refused(&format!("{end}x")).starts_with("a line after the last one: x"));
    assert!(
        refused("{\"type\":\"initialized\"}\n{\"type\":\"initialized\"}").starts_with("`initialized` for the second")
    );
}

#[test]
fn limits_hold() {
    let limits = Limits { output: 100, needs: 2, ..Limits::default() };
    let text = "{\"type\":\"progress\",\"done\":1}\n".repeat(4);
    let error = converse(text.as_bytes(), &limits);
    assert_eq!(error, Err("more than 100 bytes of output: {\"type\":\"prog".into()));
    assert!(converse(text.as_bytes(), &Limits { output: text.len() as u64, ..Limits::default() }).is_ok());
    let need = "{\"type\":\"need\",\"target\":\"m\"}\n";
    assert!(converse(need.repeat(2).as_bytes(), &limits).is_ok());
    assert!(converse(need.repeat(3).as_bytes(), &limits).is_err_and(|text| text.starts_with("more than 2 needs")));
}

#[test]
fn offending_lines_are_cut_escaped_and_without_secrets() {
    let error = refused("\u{1b}[2J tok-5ecret \u{202e}");
    assert_eq!(error, "the line is not JSON: \\u{1b}[2J *** \\u{202e}");
    // The secret lies across the place where the line is cut.
    let error = refused(&format!("{}tok-5ecret{}", "x".repeat(996), "y".repeat(5000)));
    assert!(error.len() < 400 && !error.contains("tok-"), "{error}");
    let error = refused(&format!("{}tok-5ecret", "x".repeat(196)));
    assert!(!error.contains("tok-"), "{error}");
    let error = refused(r#"{"type":"tok-5ecret"}"#);
    assert!(!error.contains("tok-"), "{error}");
    let error = converse(b"\xff\xfe\n", &Limits::default());
    assert_eq!(error, Err("the line is not UTF-8: \u{fffd}\u{fffd}".into()));
}
