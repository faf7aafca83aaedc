//! Verdicts on documents: those that are known already, by what was asked, and those that a judge has given meanwhile.
//!
//! A verdict is a function of the question alone, so that it does not matter to any result which of them are known.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use omnigen_ir::{Digest, Judge, Question};

/// What was answered to a question: one verdict for each document, or why there is none.
type Answer = Result<Vec<bool>, String>;

/// The judge, and what it need not be asked again.
pub(crate) struct Verdicts {
    judge: Box<dyn Judge + Send + Sync>,
    known: Mutex<HashMap<Digest, Vec<u8>>>,
    fresh: Mutex<Vec<(Digest, Vec<u8>)>>,
}

impl Verdicts {
    pub(crate) fn new(judge: Box<dyn Judge + Send + Sync>) -> Verdicts {
        Verdicts { judge, known: Mutex::default(), fresh: Mutex::default() }
    }

    /// One verdict for each instance, or why there is none.
    pub(crate) fn ask(&self, question: &Question<'_>) -> Answer {
        let key = question.key(self.judge.identity());
        let known = lock(&self.known).get(&key).and_then(|bytes| decode(bytes, question.count()));
        known.unwrap_or_else(|| {
            let answer = self.judge.verdicts(question);
            let bytes = encode(&answer);
            lock(&self.known).insert(key, bytes.clone());
            lock(&self.fresh).push((key, bytes));
            answer
        })
    }

    /// Adds what is known.
    pub(crate) fn know(&self, entries: impl IntoIterator<Item = (Digest, Vec<u8>)>) {
        lock(&self.known).extend(entries);
    }

    /// How many answers nobody has taken yet.
    pub(crate) fn fresh(&self) -> usize {
        lock(&self.fresh).len()
    }

    /// Takes them, in the order of their keys.
    pub(crate) fn take(&self) -> Vec<(Digest, Vec<u8>)> {
        let mut fresh = std::mem::take(&mut *lock(&self.fresh));
        fresh.sort();
        fresh
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One byte that says which; then the reason, or one bit for each document, from the lowest of each byte.
fn encode(answer: &Answer) -> Vec<u8> {
    match answer {
        Err(reason) => std::iter::once(0).chain(reason.bytes()).collect(),
        Ok(verdicts) => {
            let eight = |bits: &[bool]| bits.iter().enumerate().fold(0, |byte, (i, bit)| byte | (u8::from(*bit) << i));
            std::iter::once(1).chain(verdicts.chunks(8).map(eight)).collect()
        }
    }
}

/// `None`: nothing that [`encode`] makes of so many documents.
fn decode(bytes: &[u8], documents: usize) -> Option<Answer> {
    match bytes.split_first()? {
        (0, reason) => Some(Err(String::from_utf8(reason.to_vec()).ok()?)),
        (1, bits) if bits.len() == documents.div_ceil(8) => {
            Some(Ok((0..documents).map(|i| bits[i / 8] >> (i % 8) & 1 == 1).collect()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_survive_their_encoding() {
        for count in [0, 1, 7, 8, 9, 100] {
            let verdicts: Vec<bool> = (0..count).map(|i| i % 3 == 0).collect();
            let bytes = encode(&Ok(verdicts.clone()));
            assert_eq!(decode(&bytes, count), Some(Ok(verdicts)));
            assert_eq!(decode(&bytes, count + 8), None);
        }
        let reason = Err("no schema".to_owned());
        assert_eq!(decode(&encode(&reason), 5), Some(reason));
        assert_eq!((decode(&[], 0), decode(&[2], 0)), (None, None));
    }
}
