//! The text of one function.

use super::condition::Condition;

/// Lines with indentation. What turned out to have no content can be taken back.
pub(super) struct Code {
    out: String,
    level: usize,
    width: usize,
    /// Numbers local variables.
    counter: usize,
    /// The last `if …: return False` of the outermost level: its start, its end, its condition.
    last: Option<(usize, usize, Condition)>,
    /// The last `if` without `else`: its start, the start of its body, its end, its condition.
    branch: Option<(usize, usize, usize, Condition)>,
}

impl Code {
    /// Nothing yet, for lines of at most `width` columns.
    pub(super) fn new(width: usize) -> Code {
        Code { out: String::with_capacity(512), level: 0, width, counter: 0, last: None, branch: None }
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// The level of indentation.
    pub(super) fn level(&self) -> usize {
        self.level
    }

    /// One level deeper.
    pub(super) fn indent(&mut self) {
        self.level += 1;
    }

    /// One level back.
    pub(super) fn dedent(&mut self) {
        self.level -= 1;
    }

    /// Is there room for these on one line?
    pub(super) fn fits(&self, parts: &[&str]) -> bool {
        let used: usize =
            parts.iter().map(|part| if part.is_ascii() { part.len() } else { part.chars().count() }).sum();
        4 * self.level + used <= self.width
    }

    /// One line of these.
    pub(super) fn line(&mut self, parts: &[&str]) {
        for _ in 0..self.level {
            self.out.push_str("    ");
        }
        for part in parts {
            self.out.push_str(part);
        }
        self.out.push('\n');
    }

    /// `head(arguments)tail`, one argument a line if there is no room.
    pub(super) fn call(&mut self, head: &str, arguments: &[&str], tail: &str) {
        let flat = arguments.join(", ");
        if self.fits(&[head, "(", &flat, ")", tail]) {
            self.line(&[head, "(", &flat, ")", tail]);
            return;
        }
        self.line(&[head, "("]);
        self.level += 1;
        for argument in arguments {
            self.line(&[argument, ","]);
        }
        self.level -= 1;
        self.line(&[")", tail]);
    }

    /// Where the text ends now.
    pub(super) fn mark(&self) -> usize {
        self.out.len()
    }

    /// Has anything been written since?
    pub(super) fn grew(&self, mark: usize) -> bool {
        self.out.len() > mark
    }

    /// Takes back what was written since.
    pub(super) fn back_to(&mut self, mark: usize) {
        self.out.truncate(mark);
    }

    /// A local variable that no other has the name of.
    pub(super) fn variable(&mut self, kind: &str) -> String {
        self.counter += 1;
        format!("{kind}{}", self.counter)
    }
}

impl Code {
    /// Puts another line in the place of one that was written at a mark.
    pub(super) fn replace(&mut self, mark: usize, old: &str, new: &str) {
        if let Some(at) = self.out[mark..].find(old) {
            self.out.replace_range(mark + at..mark + at + old.len(), new);
        }
    }
}

impl Code {
    /// What was written since.
    pub(super) fn since(&self, mark: usize) -> &str {
        &self.out[mark..]
    }
}

impl Code {
    /// Notes that what was written since the mark returns `False` if the condition holds.
    pub(super) fn remember(&mut self, mark: usize, fails: &Condition) {
        if self.level == 1 {
            self.last = Some((mark, self.out.len(), fails.clone()));
        }
    }

    /// If the text ends with what was remembered, takes that back and gives the condition.
    pub(super) fn take_last(&mut self) -> Option<Condition> {
        let (start, end, condition) = self.last.take()?;
        if end != self.out.len() {
            return None;
        }
        self.out.truncate(start);
        Some(condition)
    }
}

impl Code {
    /// An `if` without `else` was written: its head from `before`, its body from `start`. If the body is nothing but another such
    /// `if`, the two become one.
    pub(super) fn joined(&mut self, before: usize, start: usize, condition: &Condition) {
        let mut whole = condition.clone();
        let mut body = start;
        if let Some((inner, inner_body, end, inner_condition)) = self.branch.take()
            && inner == start
            && end == self.out.len()
            && !self.out[inner_body..].lines().any(broken_condition)
        {
            let text: String = self.out[inner_body..].lines().flat_map(|line| [&line[4..], "\n"]).collect();
            self.out.truncate(before);
            whole = Condition::all(vec![condition.clone(), inner_condition]);
            whole.line(self, "if ", ":");
            body = self.out.len();
            self.out.push_str(&text);
        }
        if self.out[body..].trim() == "return False" {
            self.remember(before, &whole);
        }
        self.branch = Some((before, body, self.out.len(), whole));
    }

    /// A variable was assigned from `before` to `mark`, and used from there, or not: then the assignment goes.
    pub(super) fn used(&mut self, before: usize, mark: usize, variable: &str) {
        if !self.out[mark..].contains(variable) {
            self.out.replace_range(before..mark, "");
            self.branch = None;
        }
    }
}

/// Is it the head of a condition that is broken into lines? With less indentation it might not have been. Calls stay as they are,
/// by their last comma.
fn broken_condition(line: &str) -> bool {
    line.ends_with('(')
        && ["if ", "elif ", "return ", "and ", "or ", "("].iter().any(|start| line.trim_start().starts_with(start))
}
