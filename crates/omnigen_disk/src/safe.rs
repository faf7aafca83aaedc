//! Which relative paths may be written.

use std::fmt;

/// The longest path, in bytes; common limits of file systems and tools are above it.
const LONGEST_PATH: usize = 1024;
/// The longest part of a path, in bytes: the limit of common file systems, less what a temporary name adds.
const LONGEST_PART: usize = 200;

/// Why a path may not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsafe {
    /// Nothing at all, or a part of it is empty.
    Empty,
    /// It starts at the root of the file system, or with a drive letter.
    Absolute,
    /// It has a part `.` or `..`.
    Dots,
    /// It has a character that is invisible, reorders text, or means something to some file system.
    Character(char),
    /// A part ends in a dot or a blank, or starts with a blank: not the same file everywhere.
    Edge(String),
    /// A part that is a device on some systems, such as `con` or `nul.txt`.
    Device(String),
    /// A part of our own state or of git: `.omnigen`, `.git`.
    Reserved(String),
    /// The path or one of its parts is too long.
    TooLong,
}

impl fmt::Display for Unsafe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsafe::Empty => f.write_str("the path or a part of it is empty"),
            Unsafe::Absolute => f.write_str("the path is absolute"),
            Unsafe::Dots => f.write_str("the path has a part `.` or `..`"),
            Unsafe::Character(char) => write!(f, "the path has the character {}", char.escape_unicode()),
            Unsafe::Edge(part) => write!(f, "`{part}` starts or ends with a blank, or ends with a dot"),
            Unsafe::Device(part) => write!(f, "`{part}` is a device on some systems"),
            Unsafe::Reserved(part) => write!(f, "`{part}` is not for outputs"),
            Unsafe::TooLong => write!(f, "the path is longer than {LONGEST_PATH} bytes, or a part than {LONGEST_PART}"),
        }
    }
}

impl std::error::Error for Unsafe {}

/// Whether a path stays below its folder and names the same file on every system.
///
/// # Errors
/// The first reason against it.
pub fn safe_relative(path: &str) -> Result<(), Unsafe> {
    if path.len() > LONGEST_PATH {
        return Err(Unsafe::TooLong);
    }
    if path.starts_with('/') || path.starts_with('\\') || path.get(1..2) == Some(":") {
        return Err(Unsafe::Absolute);
    }
    // One look at the bytes suffices for the usual path.
    if !path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'.'))
        && let Some(bad) = path.chars().find(|char| is_odd(*char))
    {
        return Err(Unsafe::Character(bad));
    }
    for part in path.split('/') {
        safe_part(part)?;
    }
    Ok(())
}

fn safe_part(part: &str) -> Result<(), Unsafe> {
    if part.is_empty() {
        return Err(Unsafe::Empty);
    }
    if part == "." || part == ".." {
        return Err(Unsafe::Dots);
    }
    if part.len() > LONGEST_PART {
        return Err(Unsafe::TooLong);
    }
    if part.ends_with('.') || part.ends_with(char::is_whitespace) || part.starts_with(char::is_whitespace) {
        return Err(Unsafe::Edge(part.to_owned()));
    }
    if [".omnigen", ".git"].iter().any(|own| part.eq_ignore_ascii_case(own)) {
        return Err(Unsafe::Reserved(part.to_owned()));
    }
    if is_device(part) {
        return Err(Unsafe::Device(part.to_owned()));
    }
    Ok(())
}

fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end();
    let bytes = stem.as_bytes();
    match bytes.len() {
        3 => ["con", "prn", "aux", "nul"].iter().any(|name| stem.eq_ignore_ascii_case(name)),
        4 => {
            (bytes[..3].eq_ignore_ascii_case(b"com") || bytes[..3].eq_ignore_ascii_case(b"lpt"))
                && matches!(bytes[3], b'1'..=b'9')
        }
        _ => false,
    }
}

/// Characters that no output's path has: controls, what some file system reserves, and what a reader cannot see.
fn is_odd(char: char) -> bool {
    char.is_control()
        || matches!(char, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{ffff}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}')
        // Looks of a separator.
        || matches!(char, '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{ff0f}' | '\u{ff3c}' | '\u{2024}' | '\u{ff0e}')
}

/// Folder and name: `("a/b", "c")` for `a/b/c`, `("", "c")` for `c`.
pub(crate) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_pass() {
        for path in ["a", "a/b.py", "models/über/model_x.py", "docs/my order.md", ".hidden", "a/..b/c", "comet/lpt0.x"]
        {
            assert_eq!(safe_relative(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn ways_out_and_odd_names_do_not() {
        let long = "x".repeat(201);
        let longer = "abc/".repeat(300) + "x";
        for path in [
            "",
            "/",
            "/etc/x",
            "a//b",
            "a/",
            "..",
            "a/../b",
            "./a",
            "a/.",
            "\\x",
            "a\\..\\b",
            "C:/x",
            "c:x",
            "a:b",
            "nul",
            "x/NUL.txt",
            "Com1",
            "lpt9.md",
            "a./b",
            "a /b",
            " a",
            "a\nb",
            "a\0",
            "\u{202e}yp.x",
            "a\u{200b}",
            "a\u{ff0f}b",
            ".git/config",
            "x/.GIT",
            ".omnigen/manifest",
            "a*",
            &long,
            &longer,
        ] {
            assert!(safe_relative(path).is_err(), "{path:?}");
        }
    }
}
