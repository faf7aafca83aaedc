//! Sets of characters, as sorted ranges of code points (surrogates included: JSON strings can hold lone ones).

use regex_syntax::hir::{Class, HirKind};

/// The last code point.
pub(super) const MAX: u32 = 0x0010_ffff;

/// Ranges of code points, both ends included.
pub(super) type Ranges = Vec<(u32, u32)>;

/// `\d`
pub(super) const DIGITS: &[(u32, u32)] = &[(0x30, 0x39)];
/// `\w`
pub(super) const WORD: &[(u32, u32)] = &[(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)];
/// `\s`: WhiteSpace and LineTerminator of ECMA 262, sections 12.2 and 12.3.
pub(super) const SPACE: &[(u32, u32)] = &[
    (0x09, 0x0d),
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x2000, 0x200a),
    (0x2028, 0x2029),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
    (0xfeff, 0xfeff),
];
/// What `.` leaves out.
pub(super) const LINE_ENDS: &[(u32, u32)] = &[(0x0a, 0x0a), (0x0d, 0x0d), (0x2028, 0x2029)];

/// Sorted, without overlaps or neighbours.
pub(super) fn merged(mut ranges: Ranges) -> Ranges {
    ranges.sort_unstable();
    let mut out: Ranges = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match out.last_mut() {
            Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

/// Everything else. The ranges must be merged.
pub(super) fn complement(ranges: &[(u32, u32)]) -> Ranges {
    let mut out = Vec::with_capacity(ranges.len() + 1);
    let mut next = 0;
    for &(from, to) in ranges {
        if from > next {
            out.push((next, from - 1));
        }
        next = to + 1;
    }
    if next <= MAX {
        out.push((next, MAX));
    }
    out
}

/// Have two merged sets a character in common?
pub(super) fn meet(a: &[(u32, u32)], b: &[(u32, u32)]) -> bool {
    let (mut i, mut j) = (0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        if x.0 <= y.1 && y.0 <= x.1 {
            return true;
        }
        if x.1 < y.1 { i += 1 } else { j += 1 }
    }
    false
}

/// The characters with a Unicode property, `L`, `Script=Greek`; `None` if there is no such property. Lone surrogates are in
/// none of the tables; the few properties that hold for them get them back.
pub(super) fn property(name: &str) -> Option<Ranges> {
    const SURROGATES: (u32, u32) = (0xd800, 0xdfff);
    let (key, value) = name.split_once('=').unwrap_or(("", name));
    match (key, value) {
        ("", "Any") => return Some(vec![(0, MAX)]),
        ("", "ASCII") => return Some(vec![(0, 0x7f)]),
        ("" | "gc" | "General_Category", "Cs" | "Surrogate") => return Some(vec![SURROGATES]),
        ("", "Assigned") => {
            let unassigned = merged(property("Cn")?);
            return Some(complement(&unassigned));
        }
        _ => {}
    }
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '=') {
        return None;
    }
    let hir = regex_syntax::Parser::new().parse(&format!(r"\p{{{name}}}")).ok()?;
    let HirKind::Class(Class::Unicode(class)) = hir.kind() else {
        // A property of one character is a literal.
        let HirKind::Literal(literal) = hir.kind() else { return None };
        let mut chars = std::str::from_utf8(&literal.0).ok()?.chars();
        let only = u32::from(chars.next()?);
        return Some(vec![(only, only)]);
    };
    let mut ranges: Ranges = class.ranges().iter().map(|r| (u32::from(r.start()), u32::from(r.end()))).collect();
    // Ranges of `char` run across the surrogates without holding them.
    if matches!((key, value), ("" | "gc" | "General_Category", "C" | "Other")) {
        ranges.push(SURROGATES);
    } else {
        ranges = ranges
            .into_iter()
            .flat_map(|(from, to)| {
                let below = (from < SURROGATES.0).then_some((from, to.min(SURROGATES.0 - 1)));
                let above = (to > SURROGATES.1).then_some((from.max(SURROGATES.1 + 1), to));
                below.into_iter().chain(above)
            })
            .collect();
    }
    Some(merged(ranges))
}
