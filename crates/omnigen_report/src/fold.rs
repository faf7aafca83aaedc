//! Floods made readable: one cause is shown a few times and then counted.
//!
//! Only what people read is folded; programs get everything. Order and severities stay as they are, and errors are shown before
//! warnings are.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Code, Severity, Shown, count};

/// Places of one file where the same is told.
const IN_FILE: usize = 3;
/// Files in which the same is told.
const IN_FILES: usize = 3;
/// Findings of one file.
const OF_FILE: usize = 10;
/// Warnings of one code, whatever they say: who has learnt what is meant has learnt enough.
const OF_CODE: usize = 12;

/// A finding that is shown, and what is left out after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded<'a> {
    /// The finding.
    pub shown: &'a Shown,
    /// Lines to put below: how many others are left out, and of what kind.
    pub below: Vec<String>,
}

/// What two findings share that have one cause.
type Cause<'a> = (Code, &'a str);

/// Those that are shown, at most `most`, in their order: never a warning in the place of an error.
pub fn fold<'a>(found: &[&'a Shown], most: usize) -> Vec<Folded<'a>> {
    // Which files tell of a cause, and how often.
    let mut causes: BTreeMap<Cause<'a>, Vec<(&str, usize)>> = BTreeMap::new();
    let mut order: Vec<usize> = (0..found.len()).collect();
    // What is an error takes the places of its file first.
    order.sort_by_key(|&index| (found[index].severity, index));
    let mut keep: BTreeSet<usize> = BTreeSet::new();
    let mut kept: BTreeMap<&str, usize> = BTreeMap::new();
    let mut of_file: BTreeMap<&str, usize> = BTreeMap::new();
    // How many of a code are shown, and how many are not for that alone.
    let mut of_code: BTreeMap<Code, (usize, usize)> = BTreeMap::new();
    for &index in &order {
        let Some(file) = file(found[index]) else {
            keep.insert(index);
            continue;
        };
        let files = causes.entry(cause(found[index])).or_default();
        let rank = files.iter().position(|(other, _)| *other == file).unwrap_or_else(|| {
            files.push((file, 0));
            files.len() - 1
        });
        files[rank].1 += 1;
        if rank >= IN_FILES || files[rank].1 > IN_FILE {
            continue;
        }
        let kept = kept.entry(file).or_default();
        let (seen, left) = of_code.entry(found[index].code).or_default();
        if *seen >= OF_CODE && found[index].severity != Severity::Error {
            *left += 1;
        } else if *kept < OF_FILE {
            *seen += 1;
            *kept += 1;
            keep.insert(index);
        } else {
            *of_file.entry(file).or_default() += 1;
        }
    }
    if keep.len() > most {
        keep = order.iter().copied().filter(|index| keep.contains(index)).take(most).collect();
    }
    let mut folded: Vec<Folded<'a>> =
        keep.iter().map(|&index| Folded { shown: found[index], below: Vec::new() }).collect();
    // From behind: what is counted stands below the last finding that it belongs to.
    let (mut told_causes, mut told_files, mut told_codes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for entry in folded.iter_mut().rev() {
        let Some(file) = file(entry.shown) else { continue };
        let cause = cause(entry.shown);
        let code = entry.shown.code;
        let left = of_code.get(&code).map_or(0, |(_, left)| *left);
        let of_code = (left > 0 && told_codes.insert(code)).then(|| {
            format!(
                "and {} of this kind; `omnigen codes {}` says what it is about",
                count(left, "more finding"),
                code.id()
            )
        });
        let files = causes.get(&cause).map(Vec::as_slice).unwrap_or_default();
        if told_causes.insert((cause, file)) {
            let here =
                files.iter().find(|(other, _)| *other == file).map_or(0, |(_, times)| times.saturating_sub(IN_FILE));
            if here > 0 {
                entry.below.push(format!("and in {} of this file", count(here, "more place")));
            }
        }
        if files.len() > IN_FILES && files[IN_FILES - 1].0 == file && told_causes.insert((cause, "")) {
            entry.below.push(format!("and in {}", count(files.len() - IN_FILES, "more file")));
        }
        if told_files.insert(file)
            && let Some(more) = of_file.get(file)
        {
            entry.below.push(format!("and {} in this file", count(*more, "other finding")));
        }
        entry.below.extend(of_code);
    }
    folded
}

fn file(shown: &Shown) -> Option<&str> {
    shown.at.as_ref().map(|at| &*at.file)
}

fn cause(shown: &Shown) -> Cause<'_> {
    let message = &*shown.message;
    // Whatever is missing in another file: the file is the cause.
    let file = message.split_once('#').filter(|(file, _)| file.len() > 1 && shown.code == Code::DanglingReference);
    (shown.code, file.map_or(message, |(file, _)| file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{At, Diagnostic};

    fn shown(code: Code, file: &str, message: &str) -> Shown {
        Shown::new(&Diagnostic::new(code, At::file(&file.into()), message), |_| None)
    }

    /// `message@file` of each, and what stands below.
    fn told(found: &[Shown]) -> Vec<String> {
        let all: Vec<&Shown> = found.iter().collect();
        let line = |folded: &Folded<'_>| {
            let below: String = folded.below.iter().map(|line| format!(" | {line}")).collect();
            format!("{}@{}{below}", folded.shown.message, file(folded.shown).unwrap_or("-"))
        };
        fold(&all, usize::MAX).iter().map(line).collect()
    }

    #[test]
    fn few_are_all_shown() {
        let found = ["a", "a", "a", "b", "c"].map(|file| shown(Code::Syntax, file, "m"));
        assert_eq!(told(&found), ["m@a", "m@a", "m@a", "m@b", "m@c"]);
        assert_eq!(told(&[]), Vec::<String>::new());
    }

    #[test]
    fn one_cause_is_counted_in_a_file_and_over_files() {
        let mut found: Vec<Shown> = (0..10).map(|_| shown(Code::Syntax, "a", "m")).collect();
        found.extend(["b", "c", "d", "e"].map(|file| shown(Code::Syntax, file, "m")));
        found.push(shown(Code::Syntax, "e", "other"));
        assert_eq!(
            told(&found),
            ["m@a", "m@a", "m@a | and in 7 more places of this file", "m@b", "m@c | and in 2 more files", "other@e"]
        );
    }

    #[test]
    fn all_that_is_missing_in_one_file_has_one_cause() {
        let missing = |name: &str| shown(Code::DanglingReference, "a", &format!("`b.json#/{name}` leads nowhere"));
        let here = |name: &str| shown(Code::DanglingReference, "a", &format!("`#/{name}` leads nowhere"));
        let found = ["v", "w", "x", "y", "z"].map(missing);
        assert!(told(&found)[2].ends_with(" | and in 2 more places of this file"));
        assert_eq!(told(&["v", "w", "x", "y", "z"].map(here)).len(), 5);
    }

    #[test]
    fn of_one_kind_a_dozen_is_shown() {
        let found: Vec<Shown> =
            (0..30).map(|n| shown(Code::BadTopic, &format!("{}", n / 3), &format!("{n}"))).collect();
        let lines = told(&found);
        assert_eq!(lines.len(), OF_CODE);
        assert!(
            lines[11]
                .ends_with("@3 | and 18 more findings of this kind; `omnigen codes bad-topic` says what it is about")
        );
        let found: Vec<Shown> = (0..30).map(|n| shown(Code::Syntax, &format!("{n}"), &format!("{n}"))).collect();
        assert_eq!(told(&found).len(), 30, "errors are all shown");
    }

    #[test]
    fn a_file_has_its_share_and_errors_come_first() {
        let mut found: Vec<Shown> =
            (0..12).map(|n| shown(Code::MisspelledKeyword, "a", &format!("warning {n}"))).collect();
        found.push(shown(Code::Syntax, "a", "error"));
        let lines = told(&found);
        assert_eq!(lines.len(), OF_FILE);
        assert_eq!(lines[0], "warning 0@a");
        assert_eq!(lines[OF_FILE - 1], "error@a | and 3 other findings in this file");
    }

    #[test]
    fn errors_are_shown_before_warnings_are() {
        let found = [
            shown(Code::SlowPattern, "a", "1"),
            shown(Code::SlowPattern, "b", "2"),
            shown(Code::Syntax, "c", "3"),
            shown(Code::UnknownKeyword, "d", "4"),
        ];
        let all: Vec<&Shown> = found.iter().collect();
        let messages = |most| fold(&all, most).iter().map(|folded| folded.shown.message.as_str()).collect::<String>();
        assert_eq!([messages(0), messages(1), messages(2), messages(3), messages(9)], ["", "3", "13", "123", "1234"]);
    }

    #[test]
    fn what_has_no_file_is_never_left_out() {
        let found: Vec<Shown> =
            (0..20).map(|_| Shown::new(&Diagnostic::global(Code::BadConfig, "m"), |_| None)).collect();
        assert_eq!(told(&found).len(), 20);
    }
}
