//! How a section becomes another one: parts of it replaced.
//!
//! ```text
//! 4   number of sections that change, then for each:
//!     4 + n name, 4 number of edits, then for each:
//!     8 where it begins in what was there, 8 bytes that go, 8 + n bytes that come
//! ```
//!
//! Edits of a section are in order and do not overlap.

use std::ops::Range;

/// Bytes that are compared at once where two sections have the same length.
const BLOCK: usize = 32;

/// A part of a section that is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Which bytes of what was there.
    pub range: Range<usize>,
    /// What comes instead.
    pub bytes: Vec<u8>,
}

/// A section's bytes: in a manifest's file as it was read, or on their own.
#[derive(Debug)]
pub(super) enum Bytes {
    Read(Range<usize>),
    Own(Vec<u8>),
}

impl Bytes {
    pub(super) fn of<'a>(&'a self, all: &'a [u8]) -> &'a [u8] {
        match self {
            Bytes::Read(range) => all.get(range.clone()).unwrap_or_default(),
            Bytes::Own(own) => own,
        }
    }

    /// Applies edits; `None`, with some of them applied, if they do not fit.
    pub(super) fn edit(&mut self, all: &mut [u8], edits: &[Edit]) -> Option<()> {
        if edits.iter().all(|edit| edit.range.len() == edit.bytes.len()) {
            let own = match self {
                Bytes::Read(range) => all.get_mut(range.clone())?,
                Bytes::Own(own) => own,
            };
            return edits.iter().try_for_each(|edit| {
                own.get_mut(edit.range.clone())?.copy_from_slice(&edit.bytes);
                Some(())
            });
        }
        let old = self.of(all);
        let grown: usize = edits.iter().map(|edit| edit.bytes.len()).sum();
        let (mut new, mut at) = (Vec::with_capacity(old.len() + grown), 0);
        for Edit { range, bytes } in edits {
            new.extend_from_slice(old.get(at..range.start)?);
            old.get(range.clone())?;
            new.extend_from_slice(bytes);
            at = range.end;
        }
        new.extend_from_slice(old.get(at..)?);
        *self = Bytes::Own(new);
        Some(())
    }
}

/// What has to be replaced to get from one to the other: few bytes where a part of them is another, or longer, or shorter.
pub(super) fn difference(old: &[u8], new: &[u8]) -> Vec<Edit> {
    let blocks = |old: &[u8], new: &[u8]| {
        let same = old.as_chunks::<BLOCK>().0.iter().zip(new.as_chunks::<BLOCK>().0).take_while(|(a, b)| a == b);
        same.count() * BLOCK
    };
    let start = blocks(old, new);
    let start = start + old[start..].iter().zip(&new[start..]).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    if old_rest.is_empty() && new_rest.is_empty() {
        return Vec::new();
    }
    if old_rest.len() != new_rest.len() {
        let same = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
        let bytes = new_rest[..new_rest.len() - same].to_vec();
        return vec![Edit { range: start..old.len() - same, bytes }];
    }
    let mut edits: Vec<Edit> = Vec::new();
    for (number, (was, is)) in old_rest.chunks(BLOCK).zip(new_rest.chunks(BLOCK)).enumerate() {
        if was == is {
            continue;
        }
        let at = start + number * BLOCK;
        match edits.last_mut().filter(|edit| edit.range.end == at) {
            Some(edit) => {
                edit.range.end += is.len();
                edit.bytes.extend_from_slice(is);
            }
            None => edits.push(Edit { range: at..at + is.len(), bytes: is.to_vec() }),
        }
    }
    edits
}

/// A patch of these sections; `None` if something has more parts than can be counted.
pub(super) fn encode(sections: &[(&str, &[Edit])]) -> Option<Vec<u8>> {
    let mut all = u32::try_from(sections.len()).ok()?.to_le_bytes().to_vec();
    for (name, edits) in sections {
        all.extend_from_slice(&u32::try_from(name.len()).ok()?.to_le_bytes());
        all.extend_from_slice(name.as_bytes());
        all.extend_from_slice(&u32::try_from(edits.len()).ok()?.to_le_bytes());
        for Edit { range, bytes } in *edits {
            for number in [range.start, range.len(), bytes.len()] {
                all.extend_from_slice(&(number as u64).to_le_bytes());
            }
            all.extend_from_slice(bytes);
        }
    }
    Some(all)
}

/// What [`encode`] stands for; `None` if it is no such thing.
pub(super) fn decode(patch: &[u8]) -> Option<Vec<(String, Vec<Edit>)>> {
    let mut reader = Reader(patch);
    let count = reader.short()?;
    let mut sections = Vec::new();
    for _ in 0..count {
        let length = reader.short()?;
        let name = String::from_utf8(reader.take(length)?.to_vec()).ok()?;
        let mut edits = Vec::new();
        for _ in 0..reader.short()? {
            let (start, gone, length) = (reader.long()?, reader.long()?, reader.long()?);
            edits.push(Edit { range: start..start.checked_add(gone)?, bytes: reader.take(length)?.to_vec() });
        }
        sections.push((name, edits));
    }
    reader.0.is_empty().then_some(sections)
}

/// Takes parts off the front.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (part, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(part)
    }

    /// Four bytes.
    pub(super) fn short(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.take(4)?.try_into().ok()?)).ok()
    }

    /// Eight bytes.
    pub(super) fn long(&mut self) -> Option<usize> {
        usize::try_from(u64::from_le_bytes(self.take(8)?.try_into().ok()?)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_leads_from_one_to_the_other_and_is_small() {
        let old: Vec<u8> = (0..10_000_u32).flat_map(|number| number.to_le_bytes()).collect();
        let changed = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut new = old.clone();
            change(&mut new);
            let edits = difference(&old, &new);
            let patch = encode(&[("a", &edits)]).unwrap();
            assert_eq!(decode(&patch).unwrap(), [("a".to_owned(), edits.clone())]);
            for length in 0..patch.len().min(200) {
                assert_eq!(decode(&patch[..length]), None);
            }
            for read in [true, false] {
                let mut all = [b"..", old.as_slice(), b".."].concat();
                let mut bytes = if read { Bytes::Read(2..2 + old.len()) } else { Bytes::Own(old.clone()) };
                bytes.edit(&mut all, &edits).unwrap();
                assert_eq!(bytes.of(&all), new);
            }
            patch.len()
        };
        assert!(changed(&|_| {}) < 20);
        assert!(changed(&|new| new[17] = 9) < 100);
        assert!(changed(&|new| (new[17], new[39_000]) = (9, 9)) < 200);
        assert!(changed(&|new| new.truncate(100)) < 100);
        assert!(changed(&|new| new.extend([7; 10])) < 100);
        assert!(changed(&|new| drop(new.splice(500..503, [1; 40]))) < 150);
        assert!(changed(&|new| new.clear()) < 100);
        let mut empty = Bytes::Own(Vec::new());
        assert_eq!(empty.edit(&mut [], &[Edit { range: 1..2, bytes: vec![0] }]), None);
        assert_eq!(empty.edit(&mut [], &[Edit { range: 3..3, bytes: vec![0, 1] }]), None);
    }
}
