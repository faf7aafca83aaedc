//! Differences of outputs as text, for people and for `git apply`.

/// What a person changed in an output.
pub(crate) fn edits(intended: &[u8], there: &[u8]) -> String {
    let (intended, there) = (String::from_utf8_lossy(intended), String::from_utf8_lossy(there));
    let diff = similar::TextDiff::from_lines(&*intended, &*there);
    diff.unified_diff().context_radius(2).header("as generated", "as it is").to_string()
}

/// How a file changes, as a patch that `git apply` takes; `None` is a file that is not there.
pub(crate) fn patch(path: &str, before: Option<&[u8]>, after: Option<&[u8]>) -> String {
    let (from, to) = (quoted("a", path), quoted("b", path));
    let mut out = format!("diff --git {from} {to}\n");
    match (before, after) {
        (None, _) => out.push_str("new file mode 100644\n"),
        (_, None) => out.push_str("deleted file mode 100644\n"),
        (Some(_), Some(_)) => {}
    }
    let old = if before.is_some() { &*from } else { "/dev/null" };
    let new = if after.is_some() { &*to } else { "/dev/null" };
    let text = |bytes: Option<&[u8]>| std::str::from_utf8(bytes.unwrap_or_default()).map(str::to_owned);
    match (text(before), text(after)) {
        (Ok(before), Ok(after)) => {
            let diff = similar::TextDiff::from_lines(&before, &after);
            out.push_str(&diff.unified_diff().context_radius(3).header(old, new).to_string());
        }
        _ => out.push_str(&format!("Binary files {old} and {new} differ\n")),
    }
    out
}

/// A path in a patch. Names with anything unusual are quoted as C strings.
fn quoted(side: &str, path: &str) -> String {
    if !path.contains(|c: char| c.is_control() || c == '"' || c == '\\' || !c.is_ascii()) {
        return format!("{side}/{path}");
    }
    let mut out = format!("\"{side}/");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_change_and_go() {
        assert_eq!(
            patch("out/a.py", None, Some(b"x\n")),
            "diff --git a/out/a.py b/out/a.py\nnew file mode 100644\n--- /dev/null\n+++ b/out/a.py\n@@ -0,0 +1 @@\n+x\n"
        );
        assert_eq!(
            patch("out/a.py", Some(b"x\n"), None),
            "diff --git a/out/a.py b/out/a.py\ndeleted file mode 100644\n--- a/out/a.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
        );
        assert!(
            patch("a", Some(b"x"), Some(b"y"))
                .ends_with("-x\n\\ No newline at end of file\n+y\n\\ No newline at end of file\n")
        );
        assert_eq!(patch("a", Some(b"\xff"), Some(b"y")), "diff --git a/a b/a\nBinary files a/a and b/a differ\n");
        assert_eq!(quoted("a", "größe \"x\".md"), r#""a/gr\303\266\303\237e \"x\".md""#);
    }
}
