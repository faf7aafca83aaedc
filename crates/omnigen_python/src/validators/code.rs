//! The text of one function.

use bumpalo::Bump;
use compact_str::{CompactString, ToCompactString as _};

use super::broken;
use super::condition::{Condition, find};
use super::table::Table;
use crate::layout::{columns, within};

/// The deepest indentation that is written at once.
const BLANKS: &str = "                                                                ";

/// Lines with indentation. What turned out to have no content can be taken back.
pub(super) struct Code<'a> {
    /// Where conditions lie.
    pub(super) arena: &'a Bump,
    out: String,
    level: usize,
    width: usize,
    /// Numbers local variables.
    counter: usize,
    /// The last `if` without `else`.
    branch: Option<Branch<'a>>,
    /// What was broken into lines, in the order of the text: it may fit one line when it moves to the left.
    breaks: Vec<Break<'a>>,
}

/// An `if` without `else`.
struct Branch<'a> {
    start: usize,
    body: usize,
    end: usize,
    condition: Condition<'a>,
}

/// A condition or an assignment of several lines.
struct Break<'a> {
    start: usize,
    end: usize,
    level: usize,
    text: Broken<'a>,
}

enum Broken<'a> {
    Condition { before: String, condition: Condition<'a>, after: String },
    Assignment { before: String, expression: String },
}

impl<'a> Code<'a> {
    /// Nothing yet, for lines of at most `width` columns.
    pub(super) fn new(arena: &'a Bump, width: usize, buffer: String) -> Code<'a> {
        Code { arena, out: buffer, level: 0, width, counter: 0, branch: None, breaks: Vec::new() }
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
        let room = self.width.saturating_sub(4 * self.level);
        4 * self.level <= self.width
            && (parts.iter().map(|part| part.len()).sum::<usize>() <= room
                || parts.iter().map(|part| columns(part)).sum::<usize>() <= room)
    }

    /// Is there room for so many columns at a level of indentation?
    pub(super) fn has_room(&self, level: usize, columns: usize) -> bool {
        4 * level + columns <= self.width
    }

    fn pad(&mut self) {
        let mut blanks = 4 * self.level;
        while blanks > 0 {
            let some = blanks.min(BLANKS.len());
            self.out.push_str(&BLANKS[..some]);
            blanks -= some;
        }
    }

    /// One line of these.
    pub(super) fn line(&mut self, parts: &[&str]) {
        self.pad();
        for part in parts {
            self.out.push_str(part);
        }
        self.out.push('\n');
    }

    /// Keeps what was written from `start` on as a line if there is room for it, else takes it back.
    fn line_from(&mut self, start: usize) -> bool {
        let fits = within(&self.out[start..], self.width);
        if fits {
            self.out.push('\n');
        } else {
            self.out.truncate(start);
        }
        fits
    }

    /// A condition on one line, if there is room for it.
    pub(super) fn condition(&mut self, condition: &Condition<'a>, before: &str, after: &str) -> bool {
        let start = self.out.len();
        self.pad();
        self.out.push_str(before);
        condition.put(&mut self.out, false);
        self.out.push_str(after);
        self.line_from(start)
    }

    /// `head(arguments)tail`, one argument a line if there is no room.
    pub(super) fn call(&mut self, head: &[&str], arguments: &[&str], tail: &str) {
        let start = self.out.len();
        self.pad();
        head.iter().for_each(|piece| self.out.push_str(piece));
        self.out.push('(');
        for (i, argument) in arguments.iter().enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            self.out.push_str(argument);
        }
        self.out.push(')');
        self.out.push_str(tail);
        if self.line_from(start) {
            return;
        }
        self.pad();
        head.iter().for_each(|piece| self.out.push_str(piece));
        self.out.push_str("(\n");
        self.level += 1;
        for argument in arguments {
            self.line(&[argument, ","]);
        }
        self.level -= 1;
        self.line(&[")", tail]);
    }

    /// `head table` as one logical line.
    pub(super) fn table(&mut self, head: &str, table: &Table) {
        self.pad();
        self.out.push_str(head);
        table.put(&mut self.out, self.width, self.level, 4 * self.level + head.len(), 0);
        self.out.push('\n');
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
        while self.breaks.last().is_some_and(|last| last.start >= mark) {
            self.breaks.pop();
        }
    }

    /// A local variable that no other has the name of.
    pub(super) fn variable(&mut self, kind: &str) -> CompactString {
        self.counter += 1;
        let mut name = CompactString::from(kind);
        name.push_str(&self.counter.to_compact_string());
        name
    }
}

impl<'a> Code<'a> {
    /// Puts another line in the place of one that was written at a mark.
    pub(super) fn replace(&mut self, mark: usize, old: &str, new: &str) {
        if let Some(at) = find(&self.out[mark..], old) {
            self.out.replace_range(mark + at..mark + at + old.len(), new);
            for part in self.breaks.iter_mut().filter(|part| part.start > mark) {
                part.start = part.start + new.len() - old.len();
                part.end = part.end + new.len() - old.len();
            }
        }
    }
}

impl<'a> Code<'a> {
    /// What was written since.
    pub(super) fn since(&self, mark: usize) -> &str {
        &self.out[mark..]
    }
}

impl<'a> Code<'a> {
    /// If the text ends with `if condition: return False` on the outermost level, takes that back and gives the condition.
    pub(super) fn take_last(&mut self) -> Option<Condition<'a>> {
        let Branch { start, body, end, condition } = self.branch.take()?;
        if end != self.out.len() || &self.out[body..] != "        return False\n" {
            return None;
        }
        self.back_to(start);
        Some(condition)
    }
}

impl<'a> Code<'a> {
    /// An `if` without `else` was written: its head from `before`, its body from `start`. If the body is nothing but another such
    /// `if`, the two become one.
    pub(super) fn joined(&mut self, before: usize, start: usize, condition: Condition<'a>) {
        let (mut condition, mut body) = (condition, start);
        if let Some(inner) = self.branch.take()
            && inner.start == start
            && inner.end == self.out.len()
        {
            let text = self.out.split_off(inner.body);
            let breaks = self.breaks.split_off(self.breaks.partition_point(|at| at.start < inner.body));
            self.back_to(before);
            condition = Condition::all(self.arena, &[condition, inner.condition]);
            condition.line(self, "if ", ":");
            body = self.out.len();
            self.moved(&text, inner.body, breaks);
        }
        self.branch = Some(Branch { start: before, body, end: self.out.len(), condition });
    }

    /// Writes text that stood at `start`, one level to the left of where it was.
    fn moved(&mut self, text: &str, start: usize, breaks: Vec<Break<'a>>) {
        let (mut done, level) = (start, self.level);
        for part in breaks {
            self.lines(&text[done - start..part.start - start]);
            done = part.end;
            self.level = part.level - 1;
            match part.text {
                Broken::Condition { before, condition, after } => condition.line(self, &before, &after),
                Broken::Assignment { before, expression } => self.assignment(&before, &expression),
            }
        }
        self.level = level;
        self.lines(&text[done - start..]);
    }

    /// Lines with four blanks less. Calls stay broken, by their last comma.
    fn lines(&mut self, text: &str) {
        for line in text.lines() {
            self.out.push_str(line.get(4..).unwrap_or_default());
            self.out.push('\n');
        }
    }

    /// A variable was assigned an expression from `before` to `mark`, and used from there. If it is not, the assignment goes; if
    /// one condition is all there is and names it once, the expression stands there.
    pub(super) fn used(&mut self, before: usize, mark: usize, variable: &str, expression: &str) {
        if let Some(branch) = &self.branch
            && branch.start == mark
            && branch.end == self.out.len()
            && self.out[branch.body..].trim_start() == "return False\n"
            && branch.condition.mentions(variable) == 1
        {
            let condition = branch.condition.replaced(self.arena, variable, expression);
            self.branch = None;
            self.back_to(before);
            super::check::fail_if(self, condition);
            return;
        }
        if find(&self.out[mark..], variable).is_none() {
            self.out.replace_range(before..mark, "");
            // A branch that ended where the assignment began still ends the text if nothing else came.
            self.branch = self.branch.take().filter(|branch| branch.end <= before);
            self.breaks.retain(|part| part.start < before || part.start >= mark);
            for part in self.breaks.iter_mut().filter(|part| part.start >= mark) {
                part.start -= mark - before;
                part.end -= mark - before;
            }
        }
    }

    /// Notes that a condition was broken into the lines from `start` on.
    pub(super) fn note(&mut self, start: usize, condition: Condition<'a>, before: &str, after: &str) {
        let text = Broken::Condition { before: before.to_owned(), condition, after: after.to_owned() };
        self.breaks.push(Break { start, end: self.out.len(), level: self.level, text });
    }

    /// `before expression` where `before` is the head of an assignment, or of a loop.
    pub(super) fn assignment(&mut self, before: &str, expression: &str) {
        if self.fits(&[before, expression]) {
            self.line(&[before, expression]);
            return;
        }
        let start = self.out.len();
        broken::assignment(self, before, expression);
        let text = Broken::Assignment { before: before.to_owned(), expression: expression.to_owned() };
        self.breaks.push(Break { start, end: self.out.len(), level: self.level, text });
    }
}
