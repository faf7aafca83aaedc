//! The last line of a run: true, and different when there was nothing to do.

use serde::{Deserialize, Serialize};

/// What kind of run a summary is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Activity {
    /// Outputs were brought up to date.
    #[default]
    Build,
    /// Outputs were only compared (`build --check`): `written`, `removed` and `held_back` count what a build would do.
    Compare,
    /// What a build would do was found out (`build --dry-run`, `diff`): the numbers are those that it would have, and
    /// `agent_calls` the agents that would have to be asked.
    Plan,
    /// Only contracts were read (`check`): `total` counts contracts.
    Contracts,
    /// Remote schemas were fetched (`vendor`): `written` counts copies taken, `unchanged` those that were right.
    Vendor,
}

/// Numbers of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Summary {
    /// What was done.
    pub activity: Activity,
    /// Artifacts written, because they were new or differed.
    pub written: usize,
    /// Artifacts that were already right.
    pub unchanged: usize,
    /// Artifacts removed, because nothing wants them any more.
    pub removed: usize,
    /// Artifacts wanted in all; with [`Activity::Contracts`] contracts read.
    pub total: usize,
    /// Artifacts not written, because of an error, a hand edit or a missing answer.
    pub held_back: usize,
    /// Diagnostics that are errors.
    pub errors: usize,
    /// Diagnostics that are warnings.
    pub warnings: usize,
    /// Diagnostics that are notes.
    pub notes: usize,
    /// Agents called.
    pub agent_calls: usize,
    /// Agents' answers that were known already.
    pub agent_cached: usize,
    /// Artifacts that were taken from the shared store instead of being computed.
    #[serde(default)]
    pub restored: usize,
    /// Milliseconds from start to end.
    pub millis: u64,
}

impl Summary {
    /// The summary as one line, without a line end.
    pub fn line(&self) -> String {
        let mut line = match self.activity {
            Activity::Build => self.built(),
            Activity::Compare => self.compared(),
            Activity::Plan => self.planned(),
            Activity::Contracts => {
                format!("checked {} in {}", count(self.total, "contract"), duration(self.millis))
            }
            Activity::Vendor => self.vendored(),
        };
        let mut findings = Vec::new();
        if self.errors > 0 {
            findings.push(count(self.errors, "error"));
        }
        if self.warnings > 0 {
            findings.push(count(self.warnings, "warning"));
        }
        if !findings.is_empty() {
            line.push_str(": ");
            line.push_str(&findings.join(", "));
        } else if self.activity == Activity::Contracts {
            line.push_str(": no errors");
        }
        line
    }

    fn built(&self) -> String {
        if self.written == 0 && self.removed == 0 && self.held_back == 0 {
            // Answers that were known are no work; a call that changed nothing is.
            return if self.agent_calls == 0 {
                format!("nothing to do ({})", count(self.total, "artifact"))
            } else {
                format!(
                    "nothing changed ({}, {}) in {}",
                    count(self.total, "artifact"),
                    self.agents().unwrap_or_default(),
                    duration(self.millis)
                )
            };
        }
        let mut parts = Vec::new();
        if self.written > 0 || self.removed == 0 {
            parts.push(format!("built {} of {}", thousands(self.written), count(self.total, "artifact")));
        }
        if self.removed > 0 {
            let removed = if parts.is_empty() { count(self.removed, "artifact") } else { thousands(self.removed) };
            parts.push(format!("removed {removed}"));
        }
        if self.held_back > 0 {
            parts.push(format!("held back {}", thousands(self.held_back)));
        }
        let mut line = format!("{} in {}", parts.join(", "), duration(self.millis));
        let restored = (self.restored > 0).then(|| format!("{} restored", thousands(self.restored)));
        // Answers that were known are no work.
        let agents = self.agents().filter(|_| self.agent_calls > 0 || self.written > 0);
        let asides: Vec<String> = agents.into_iter().chain(restored).collect();
        if !asides.is_empty() {
            line.push_str(&format!(" ({})", asides.join(", ")));
        }
        line
    }

    fn vendored(&self) -> String {
        let time = duration(self.millis);
        match (self.written, self.unchanged) {
            (0, 0) => "no schema was taken".to_owned(),
            (0, same) => format!("nothing changed ({}) in {time}", count(same, "remote schema")),
            (taken, 0) => format!("took {} in {time}", count(taken, "remote schema")),
            (taken, same) => {
                format!("took {}, {} unchanged, in {time}", count(taken, "remote schema"), thousands(same))
            }
        }
    }

    fn planned(&self) -> String {
        let mut parts = Vec::new();
        if self.written > 0 {
            parts.push(format!("build {} of {}", thousands(self.written), count(self.total, "artifact")));
        }
        if self.removed > 0 {
            parts.push(format!("remove {}", count(self.removed, "artifact")));
        }
        if self.agent_calls > 0 {
            parts.push(format!("ask for {}", count(self.agent_calls, "answer")));
        }
        if self.held_back > 0 {
            parts.push(format!("hold back {}", thousands(self.held_back)));
        }
        if parts.is_empty() {
            return format!("nothing to do ({})", count(self.total, "artifact"));
        }
        format!("would {}", parts.join(", "))
    }

    fn compared(&self) -> String {
        let stale = self.written + self.removed + self.held_back;
        if stale == 0 {
            return format!("up to date ({})", count(self.total, "artifact"));
        }
        let mut parts = Vec::new();
        if self.written > 0 {
            parts.push(format!("{} to write", thousands(self.written)));
        }
        if self.removed > 0 {
            parts.push(format!("{} to remove", thousands(self.removed)));
        }
        if self.held_back > 0 {
            parts.push(format!("{} held back", thousands(self.held_back)));
        }
        let verb = if stale == 1 { "is" } else { "are" };
        format!("{} {verb} out of date ({})", count(stale, "artifact"), parts.join(", "))
    }

    fn agents(&self) -> Option<String> {
        let calls = count(self.agent_calls, "agent call");
        match (self.agent_calls, self.agent_cached) {
            (0, 0) => None,
            (_, 0) => Some(calls),
            (_, cached) => Some(format!("{calls}, {} cached", thousands(cached))),
        }
    }
}

/// A number with commas between thousands, and the noun it counts: `1 artifact`, `30,000 artifacts`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// A number with commas between thousands.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A time for people: `41 ms`, `1.2 s`, `59 s`, `2 min 5 s`.
pub fn duration(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        // Cut, not rounded: 9,999 ms is not 10.0 s.
        1_000..10_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        10_000..60_000 => format!("{} s", millis / 1_000),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(summary: Summary, expected: &str) {
        assert_eq!(summary.line(), expected);
    }

    #[test]
    fn builds() {
        let base = Summary { total: 30_000, unchanged: 30_000, millis: 41, ..Summary::default() };
        check(base.clone(), "nothing to do (30,000 artifacts)");
        check(Summary { agent_cached: 10, ..base.clone() }, "nothing to do (30,000 artifacts)");
        check(Summary { agent_calls: 1, ..base.clone() }, "nothing changed (30,000 artifacts, 1 agent call) in 41 ms");
        check(
            Summary { written: 12, agent_calls: 2, agent_cached: 10, ..base.clone() },
            "built 12 of 30,000 artifacts in 41 ms (2 agent calls, 10 cached)",
        );
        check(
            Summary { written: 1, total: 1, agent_calls: 0, agent_cached: 1, ..base.clone() },
            "built 1 of 1 artifact in 41 ms (0 agent calls, 1 cached)",
        );
        check(
            Summary { written: 12, restored: 9, ..base.clone() },
            "built 12 of 30,000 artifacts in 41 ms (9 restored)",
        );
        check(
            Summary { held_back: 1, agent_cached: 1, errors: 1, ..base.clone() },
            "built 0 of 30,000 artifacts, held back 1 in 41 ms: 1 error",
        );
        check(Summary { removed: 1, ..base.clone() }, "removed 1 artifact in 41 ms");
        check(
            Summary { written: 1_234, removed: 1_000, millis: 1_299, ..base.clone() },
            "built 1,234 of 30,000 artifacts, removed 1,000 in 1.2 s",
        );
        check(
            Summary { held_back: 3, errors: 1, warnings: 2, ..base.clone() },
            "built 0 of 30,000 artifacts, held back 3 in 41 ms: 1 error, 2 warnings",
        );
        check(Summary { warnings: 1, ..base }, "nothing to do (30,000 artifacts): 1 warning");
        check(Summary::default(), "nothing to do (0 artifacts)");
    }

    #[test]
    fn comparisons() {
        let base = Summary { activity: Activity::Compare, total: 12, unchanged: 12, ..Summary::default() };
        check(base.clone(), "up to date (12 artifacts)");
        check(Summary { written: 1, ..base.clone() }, "1 artifact is out of date (1 to write)");
        check(
            Summary { written: 1, removed: 1, held_back: 1, errors: 1, ..base },
            "3 artifacts are out of date (1 to write, 1 to remove, 1 held back): 1 error",
        );
    }

    #[test]
    fn plans() {
        let base = Summary { activity: Activity::Plan, total: 12, unchanged: 12, ..Summary::default() };
        check(base.clone(), "nothing to do (12 artifacts)");
        check(Summary { written: 1, ..base.clone() }, "would build 1 of 12 artifacts");
        check(
            Summary { written: 1, removed: 2, agent_calls: 1, held_back: 3, errors: 1, ..base },
            "would build 1 of 12 artifacts, remove 2 artifacts, ask for 1 answer, hold back 3: 1 error",
        );
    }

    #[test]
    fn contracts_alone() {
        let base = Summary { activity: Activity::Contracts, total: 1, millis: 3, ..Summary::default() };
        check(base.clone(), "checked 1 contract in 3 ms: no errors");
        check(Summary { total: 2, errors: 1, warnings: 1, ..base }, "checked 2 contracts in 3 ms: 1 error, 1 warning");
    }

    #[test]
    fn remote_schemas() {
        let base = Summary { activity: Activity::Vendor, millis: 3, ..Summary::default() };
        check(Summary { errors: 1, ..base.clone() }, "no schema was taken: 1 error");
        check(Summary { written: 1, ..base.clone() }, "took 1 remote schema in 3 ms");
        check(Summary { unchanged: 2, ..base.clone() }, "nothing changed (2 remote schemas) in 3 ms");
        check(Summary { written: 2, unchanged: 1, ..base }, "took 2 remote schemas, 1 unchanged, in 3 ms");
    }

    #[test]
    fn numbers_and_times() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(duration(999), "999 ms");
        assert_eq!(duration(9_999), "9.9 s");
        assert_eq!(duration(59_999), "59 s");
        assert_eq!(duration(125_000), "2 min 5 s");
    }
}
