//! What the exit code says. Stable.

use std::process::ExitCode;

use omnigen_driver::{Failure, Outcome};

/// How `omnigen` ends. Beside these, 101 is a bug of omnigen: what Rust itself uses for a panic. If several hold: [`Exit::Usage`], then [`Exit::Agent`], then [`Exit::Errors`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: everything was done.
    Done,
    /// 1: contracts have errors, or `--check` found outputs that are not up to date. What could be built is built.
    Errors,
    /// 2: the command line, the configuration or the machine does not allow it.
    Usage,
    /// 3: an agent gave no usable answer, or one is needed and may not be asked for.
    Agent,
    /// 130: stopped by Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Errors => 1,
            Exit::Usage => 2,
            Exit::Agent => 3,
            Exit::Interrupted => 130,
        }
    }

    /// How a run ends. With `check` an answer that is missing is an output that is not up to date.
    pub(crate) fn of(outcome: &Outcome, check: bool) -> Exit {
        let differs = check && !outcome.changes.is_empty();
        match &outcome.failure {
            Some(Failure::Environment(..)) => Exit::Usage,
            Some(Failure::Agent) if !check => Exit::Agent,
            Some(Failure::Agent) => Exit::Errors,
            None if differs || outcome.diagnostics.iter().any(omnigen_report::Shown::is_error) => Exit::Errors,
            None => Exit::Done,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use omnigen_driver::{Change, ChangeKind};
    use omnigen_report::{Code, Diagnostic, Shown};

    use super::*;

    #[test]
    fn what_counts_first() {
        let error = Shown::new(&Diagnostic::global(Code::Syntax, "m"), |_| None);
        let warning = Shown::new(&Diagnostic::global(Code::IgnoredKeyword, "m"), |_| None);
        let change = Change { path: "a".to_owned(), kind: ChangeKind::Update };
        let outcome = |failure: Option<Failure>, diagnostics: &[&Shown], changes: &[&Change]| Outcome {
            diagnostics: diagnostics.iter().map(|&shown| shown.clone()).collect(),
            changes: changes.iter().map(|&change| change.clone()).collect(),
            failure,
            ..Outcome::default()
        };
        let environment = || Some(Failure::Environment("m".to_owned(), None));
        let code = |outcome: Outcome, check| Exit::of(&outcome, check).code();
        assert_eq!(code(outcome(None, &[], &[]), true), 0);
        assert_eq!(code(outcome(None, &[&warning], &[&change]), false), 0, "a build may change outputs");
        assert_eq!(code(outcome(None, &[&warning], &[&change]), true), 1);
        assert_eq!(code(outcome(None, &[&warning, &error], &[]), false), 1);
        assert_eq!(code(outcome(Some(Failure::Agent), &[&error], &[]), false), 3);
        assert_eq!(code(outcome(Some(Failure::Agent), &[&error], &[]), true), 1);
        assert_eq!(code(outcome(environment(), &[&error], &[&change]), true), 2);
    }
}
