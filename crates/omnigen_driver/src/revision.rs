//! Revisions: what a build has changed and because of what. Kept across runs in `.omnigen/log`, one JSON object a line, the
//! newest last; bounded. Nothing is decided by it: without it a build is as right, and only `log` and `explain` know less.

use std::path::PathBuf;

use omnigen_ir::Digest;
use omnigen_report::{Change, ChangeKind};
use rustc_hash::{FxHashMap, FxHashSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::setup::Setup;

/// At most so many causes, definitions, and artifacts are listed in a revision; the others are counted. A line has to be much
/// shorter than the log may be.
const LISTED: usize = 200;
/// Bytes of the log beyond which its older half goes.
const LARGEST: u64 = 1 << 20;

/// One build that changed something, or found something changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revision {
    /// Counted from 1.
    pub revision: u64,
    /// When its last output was written, by the clock of the file system: RFC 3339, in UTC.
    pub time: String,
    /// The command: `build` or `watch`.
    pub command: String,
    /// What had changed since the revision before.
    pub causes: Vec<Cause>,
    /// Causes that are not listed.
    pub more_causes: usize,
    /// Outputs that were written or removed, or had to be left as they are.
    pub artifacts: Vec<Change>,
    /// Outputs that are not listed.
    pub more_artifacts: usize,
    /// Agents that were asked.
    pub agent_calls: usize,
}

/// Something that had changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Cause {
    /// A contract, or a file that one refers to.
    File {
        /// Path from the project's root, with `/`.
        path: String,
        /// BLAKE3 of what it was; absent if it was not there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        /// BLAKE3 of what it is; absent if it is gone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
        /// Its definitions that say something else now. None if only its layout or comments have changed.
        definitions: Vec<Definition>,
        /// Definitions that are not listed.
        more_definitions: usize,
    },
    /// A field of the configuration, or what an agent is.
    Setting {
        /// As in `omnigen.toml`: `python.line-length`.
        name: String,
        /// Its value before; absent if there was none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        /// Its value now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// An output was not as it had been written.
    Output {
        /// Path from the project's root, with `/`.
        path: String,
    },
    /// Nothing was known of earlier builds: the first one, another omnigen, or a manifest that is damaged.
    Cold,
}

/// A definition that says something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Definition {
    /// JSON pointer in its file; empty for the root.
    pub pointer: String,
    /// Digest of what it said, annotations included; absent if it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Digest of what it says; absent if it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Does it also decide otherwise about validity? If not, only annotations changed.
    pub meaning: bool,
}

/// What a round finds out about why; becomes a [`Revision`] when it is committed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Causes {
    pub(crate) list: Vec<Cause>,
    pub(crate) more: usize,
}

impl Causes {
    /// Adds one, unless there are many already.
    pub(crate) fn add(&mut self, cause: impl FnOnce() -> Cause) {
        if self.list.len() < LISTED {
            self.list.push(cause());
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds what of a file's definitions has changed, if the file is listed.
    pub(crate) fn definitions(
        &mut self,
        file: &str,
        before: &omnigen_engine::Outline,
        after: Option<&omnigen_engine::Outline>,
    ) {
        let mut listed: usize = 0;
        for cause in &self.list {
            listed += if let Cause::File { definitions, .. } = cause { definitions.len() } else { 0 };
        }
        let own = self.list.iter_mut().find_map(|cause| match cause {
            Cause::File { path, definitions, more_definitions, .. } if path == file => {
                Some((definitions, more_definitions))
            }
            _ => None,
        });
        let Some((definitions, more)) = own else { return };
        let said = |outline: &omnigen_engine::Outline| -> FxHashMap<Box<str>, (Digest, Digest)> {
            outline.exports.list.iter().map(|one| ((*one.pointer).into(), (one.full, one.meaning))).collect()
        };
        let (old, new) = (said(before), after.map(said).unwrap_or_default());
        let both = before.exports.list.iter().chain(after.into_iter().flat_map(|outline| &outline.exports.list));
        let mut seen: FxHashSet<&str> = FxHashSet::default();
        for pointer in both.map(|export| &*export.pointer).filter(|pointer| seen.insert(pointer)) {
            let (before, after) = (old.get(pointer), new.get(pointer));
            if before == after {
                continue;
            }
            if listed >= LISTED {
                *more += 1;
                continue;
            }
            listed += 1;
            definitions.push(Definition {
                pointer: pointer.to_owned(),
                before: before.map(|(full, _)| full.hex()),
                after: after.map(|(full, _)| full.hex()),
                meaning: before.map(|(_, meaning)| meaning) != after.map(|(_, meaning)| meaning),
            });
        }
    }
}

/// What the settings of two builds differ in.
pub(crate) fn settings(before: &[(String, String)], after: &[(String, String)]) -> Vec<Cause> {
    let value = |list: &[(String, String)], name: &str| {
        list.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let fresh = after.iter().filter(|(name, _)| value(before, name).is_none());
    let names = before.iter().chain(fresh).map(|(name, _)| name);
    let both = names.map(|name| (name, value(before, name), value(after, name)));
    both.filter(|(_, before, after)| before != after)
        .map(|(name, before, after)| Cause::Setting { name: name.clone(), before, after })
        .collect()
}

/// The log of a project.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    path: PathBuf,
}

impl Log {
    pub(crate) fn new(setup: &Setup) -> Log {
        Log { path: setup.state.join("log") }
    }

    /// All revisions that are kept, the oldest first. Lines that are none are left out.
    pub(crate) fn read(&self) -> Vec<Revision> {
        self.text().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Whatever stands in it: a line that is not even text costs no other one.
    fn text(&self) -> String {
        let bytes = omnigen_disk::files::read_bytes(&self.path).map(|(bytes, _)| bytes).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Lines that are no revisions, in words.
    pub(crate) fn damage(&self) -> Option<String> {
        let broken = self.text().lines().filter(|line| serde_json::from_str::<Revision>(line).is_err()).count();
        (broken > 0).then(|| format!("log: {} cannot be read", omnigen_report::count(broken, "line")))
    }

    /// The number of the last revision; 0 if there is none.
    pub(crate) fn last(&self) -> u64 {
        let within = |bytes: u64| {
            let tail = omnigen_disk::files::tail(&self.path, bytes).unwrap_or_default();
            tail.lines().rev().find_map(|line| serde_json::from_str::<Revision>(line).ok())
        };
        // Paths of the longest kind make lines of the longest kind.
        within(1 << 18).or_else(|| within(LARGEST * 4)).map_or(0, |revision| revision.revision)
    }

    /// Adds a revision. Trouble is no reason to fail a build: the log only knows less then.
    pub(crate) fn add(&self, revision: &Revision) {
        let Ok(line) = serde_json::to_string(revision) else { return };
        match omnigen_disk::files::append_line(&self.path, &line) {
            Ok(size) if size > LARGEST => {
                let tail = omnigen_disk::files::tail(&self.path, LARGEST / 2).unwrap_or_default();
                if let Err(error) = omnigen_disk::write_atomic(&self.path, tail.as_bytes()) {
                    tracing::warn!(%error, "the log cannot be made shorter");
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the log cannot be written"),
        }
    }
}

impl Revision {
    /// A revision of what a round did; `None` if that is nothing that anybody will ask about.
    pub(crate) fn of(number: u64, nanos: i64, command: &str, causes: &Causes, changes: &[Change]) -> Option<Revision> {
        let left = |change: &Change| matches!(change.change, ChangeKind::HandEdited | ChangeKind::AnswerMissing);
        if causes.is_empty() && changes.iter().all(left) {
            return None;
        }
        let artifacts: Vec<Change> = changes.iter().take(LISTED).cloned().collect();
        Some(Revision {
            revision: number,
            time: time(nanos),
            command: command.to_owned(),
            causes: causes.list.clone(),
            more_causes: causes.more,
            more_artifacts: changes.len() - artifacts.len(),
            artifacts,
            agent_calls: 0,
        })
    }

    /// For people: a line of what, and a line of why.
    pub fn text(&self) -> String {
        let Revision { revision, time, command, causes, more_causes, artifacts, more_artifacts, agent_calls } = self;
        let of = |kind| artifacts.iter().filter(|change| change.change == kind).count();
        let mut counts = Vec::new();
        for (kind, verb) in [
            (ChangeKind::Create, "created"),
            (ChangeKind::Update, "updated"),
            (ChangeKind::Remove, "removed"),
            (ChangeKind::HandEdited, "kept by hand"),
            (ChangeKind::AnswerMissing, "unanswered"),
        ] {
            if of(kind) > 0 {
                counts.push(format!("{verb} {}", of(kind)));
            }
        }
        if *more_artifacts > 0 {
            counts.push(format!("and {more_artifacts} more"));
        }
        if *agent_calls > 0 {
            counts.push(omnigen_report::count(*agent_calls, "agent call"));
        }
        let counts = if counts.is_empty() { "nothing written".to_owned() } else { counts.join(", ") };
        let mut out = format!("revision {revision}  {time}  {command}: {counts}\n");
        for cause in causes {
            out.push_str(&cause.text(2));
        }
        if *more_causes > 0 {
            out.push_str(&format!("  and {more_causes} more causes\n"));
        }
        for change in artifacts {
            let word = match change.change {
                ChangeKind::Create => "created",
                ChangeKind::Update => "updated",
                ChangeKind::Remove => "removed",
                ChangeKind::HandEdited => "edited",
                ChangeKind::AnswerMissing => "unanswered",
            };
            out.push_str(&format!("  {word:>10} {}  {}\n", change.path, arrow(&change.before, &change.after)));
        }
        out
    }
}

impl Cause {
    /// For people, in lines with this much indentation.
    pub(crate) fn text(&self, indent: usize) -> String {
        let pad = " ".repeat(indent);
        match self {
            Cause::File { path, before, after, definitions, more_definitions } => {
                let verb = match (before, after) {
                    (None, _) => "is new",
                    (_, None) => "is gone",
                    (Some(_), Some(_)) => "changed",
                };
                let mut out = format!("{pad}{path} {verb}  {}\n", arrow(before, after));
                for Definition { pointer, before, after, meaning } in definitions {
                    let what = if *meaning { "" } else { " (annotations only)" };
                    out.push_str(&format!("{pad}  #{pointer}{what}  {}\n", arrow(before, after)));
                }
                if *more_definitions > 0 {
                    out.push_str(&format!("{pad}  and {more_definitions} more definitions\n"));
                }
                out
            }
            Cause::Setting { name, before, after } => {
                let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".to_owned());
                format!("{pad}{name} changed  {} -> {}\n", value(before), value(after))
            }
            Cause::Output { path } => format!("{pad}{path} was not as it had been written\n"),
            Cause::Cold => format!("{pad}nothing was known of earlier builds\n"),
        }
    }
}

/// Two digests, short.
pub(crate) fn arrow(before: &Option<String>, after: &Option<String>) -> String {
    let short = |digest: &Option<String>| match digest {
        Some(digest) => digest.get(..12).unwrap_or(digest).to_owned(),
        None => "absent".to_owned(),
    };
    format!("{} -> {}", short(before), short(after))
}

/// Digest of a file's text, for a cause.
pub(crate) fn digest(present: bool, digest: Digest) -> Option<String> {
    present.then(|| digest.hex())
}

/// Nanoseconds since 1970 as RFC 3339, to the second (civil from days: the calendar repeats every 400 years).
fn time(nanos: i64) -> String {
    let seconds = nanos.div_euclid(1_000_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years that begin in March have their leap day at the end.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(time(seconds * 1_000_000_000), text);
        }
    }

    #[test]
    fn settings_differ_by_name() {
        let list = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let found =
            settings(&list(&[("a", "1"), ("b", "2"), ("c", "3")]), &list(&[("a", "1"), ("b", "4"), ("d", "5")]));
        let text: String = found.iter().map(|cause| cause.text(0)).collect();
        assert_eq!(text, "b changed  2 -> 4\nc changed  3 -> (none)\nd changed  (none) -> 5\n");
    }

    #[test]
    fn the_log_is_bounded_and_outlives_damage() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Log { path: folder.path().join(".omnigen/log") };
        assert_eq!((log.last(), log.read().len()), (0, 0));
        let artifact = Change { path: "x".repeat(1_000), ..Change::default() };
        for number in 1..=2_000 {
            log.add(&Revision { revision: number, artifacts: vec![artifact.clone()], ..Revision::default() });
        }
        let kept = log.read();
        assert!(kept.len() > 300 && kept.len() < 1_100, "{}", kept.len());
        assert!(kept.windows(2).all(|two| two[0].revision + 1 == two[1].revision));
        assert_eq!(log.last(), 2_000);
        // A run that was cut off while it wrote.
        let text = omnigen_disk::read_text(&log.path).expect("there").text;
        omnigen_disk::write_atomic(&log.path, &text.as_bytes()[..text.len() - 100]).expect("written");
        assert_eq!(log.last(), 1_999);
        log.add(&Revision { revision: 2_000, ..Revision::default() });
        assert_eq!((log.last(), log.read().last().map(|last| last.revision)), (2_000, Some(2_000)));
        // A disk that has lost a block.
        let (whole, (mut bytes, _)) = (log.read(), omnigen_disk::files::read_bytes(&log.path).expect("there"));
        bytes.splice(0..0, *b"\xff\xfe\0\n");
        omnigen_disk::write_atomic(&log.path, &bytes).expect("written");
        assert_eq!((log.read().len(), log.last()), (whole.len(), 2_000));
        assert!(log.damage().is_some());
    }
}
