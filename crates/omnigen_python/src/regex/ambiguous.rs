//! Can the body of a loop match one text in two ways? Asked of the automaton of its characters (Glushkov's): two different ways
//! from one character back to it that read the same text are twice as many ways with each turn.

use super::parse::{Body, Item};
use super::set::{self, Ranges};
use super::slow::single;

/// Larger automata are not looked at: pairs of characters are compared.
const MOST: usize = 40;

/// Are there two ways to match one text by turns of a loop with this body? `false` also where that cannot be told: the body is
/// large, looks around itself, or repeats what a group has found.
pub(super) fn in_loop(body: &Body) -> bool {
    let mut automaton = Automaton::default();
    let Some(part) = automaton.body(body) else { return false };
    automaton.connect(&part.last, &part.first);
    automaton.has_two_ways()
}

/// The characters of a pattern, each with those that may follow.
#[derive(Default)]
struct Automaton {
    chars: Vec<Ranges>,
    follow: Vec<Vec<usize>>,
    /// Steps that can be made for two reasons.
    doubled: Vec<(usize, usize)>,
}

/// Where a part of the pattern begins and ends.
struct Part {
    nullable: bool,
    first: Vec<usize>,
    last: Vec<usize>,
}

impl Part {
    fn empty() -> Part {
        Part { nullable: true, first: Vec::new(), last: Vec::new() }
    }
}

impl Automaton {
    fn body(&mut self, body: &Body) -> Option<Part> {
        let mut whole = Part { nullable: false, first: Vec::new(), last: Vec::new() };
        for sequence in body {
            let mut parts = Part::empty();
            for item in sequence {
                let next = self.item(item)?;
                parts = self.joined(parts, next);
            }
            whole.nullable |= parts.nullable;
            whole.first.extend(parts.first);
            whole.last.extend(parts.last);
        }
        Some(whole)
    }

    fn item(&mut self, item: &Item) -> Option<Part> {
        if let Some(chars) = single(item) {
            let at = self.chars.len();
            self.chars.push(chars);
            self.follow.push(Vec::new());
            return (at < MOST).then(|| Part { nullable: false, first: vec![at], last: vec![at] });
        }
        match item {
            Item::Start { .. } | Item::End { .. } | Item::Word { .. } => Some(Part::empty()),
            Item::Capture { body, .. } | Item::Group { body, .. } => self.body(body),
            Item::Repeat { item, min, max, .. } => self.repeat(item, *min, *max),
            _ => None,
        }
    }

    fn repeat(&mut self, item: &Item, min: u64, max: Option<u64>) -> Option<Part> {
        let most = MOST as u64;
        let mut rest = Part::empty();
        match max {
            None => {
                rest = self.item(item)?;
                self.connect(&rest.last, &rest.first);
                rest.nullable |= min == 0;
            }
            // One within the other: which of them are left out is certain.
            Some(max) => {
                for _ in 0..max.saturating_sub(min).min(most + 1) {
                    let one = self.item(item)?;
                    rest = self.joined(one, rest);
                    rest.nullable = true;
                }
            }
        }
        let needed = if max.is_none() { min.saturating_sub(1) } else { min };
        for _ in 0..needed.min(most + 1) {
            let one = self.item(item)?;
            rest = self.joined(one, rest);
        }
        Some(rest)
    }

    fn joined(&mut self, one: Part, other: Part) -> Part {
        self.connect(&one.last, &other.first);
        let (mut first, mut last) = (one.first, other.last);
        if one.nullable {
            first.extend(other.first);
        }
        if other.nullable {
            last.extend(one.last);
        }
        Part { nullable: one.nullable && other.nullable, first, last }
    }

    fn connect(&mut self, from: &[usize], to: &[usize]) {
        for &one in from {
            for &next in to {
                if self.follow[one].contains(&next) {
                    self.doubled.push((one, next));
                } else {
                    self.follow[one].push(next);
                }
            }
        }
    }

    /// Two ways from a character back to it: over a step with two reasons, or over two characters that can be the same.
    fn has_two_ways(&self) -> bool {
        let count = self.chars.len();
        let alike: Vec<bool> =
            (0..count * count).map(|at| set::meet(&self.chars[at / count], &self.chars[at % count])).collect();
        if self.doubled.iter().any(|&(from, to)| self.leads(to, from)) {
            return true;
        }
        if (0..count).all(|one| (0..one).all(|other| !alike[one * count + other])) {
            return false;
        }
        let mut back: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (from, next) in self.follow.iter().enumerate() {
            next.iter().for_each(|&to| back[to].push(from));
        }
        (0..count).any(|at| {
            let there = pairs(at, &self.follow, &alike);
            let again = pairs(at, &back, &alike);
            (0..count * count).any(|pair| pair / count != pair % count && there[pair] && again[pair])
        })
    }

    /// Can the one character be reached from the other, which may be itself?
    fn leads(&self, from: usize, to: usize) -> bool {
        let mut seen = vec![false; self.chars.len()];
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            if !std::mem::replace(&mut seen[at], true) {
                open.extend(&self.follow[at]);
            }
        }
        false
    }
}

/// The pairs of characters that two ways from one character have reached after the same text.
fn pairs(at: usize, steps: &[Vec<usize>], alike: &[bool]) -> Vec<bool> {
    let count = steps.len();
    let mut seen = vec![false; count * count];
    let mut open = vec![(at, at)];
    while let Some((one, other)) = open.pop() {
        for &a in &steps[one] {
            for &b in &steps[other] {
                let pair = a * count + b;
                if alike[pair] && !std::mem::replace(&mut seen[pair], true) {
                    open.push((a, b));
                }
            }
        }
    }
    seen
}
