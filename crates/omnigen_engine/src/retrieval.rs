//! Examples that are like a text, by BM25: the same ranking on every machine.
//!
//! `k1 = 1.2`, `b = 0.75`, the inverse document frequency with one added, so that it is never negative. Scores are rounded to a
//! millionth, and equal ones are ordered by path, so that the last bit of a logarithm does not choose.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use omnigen_ir::{Digest, Encoder, View};

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// Examples, ready to be searched. Equal if paths and texts are.
#[derive(Clone, Debug)]
pub struct Library {
    files: Vec<Example>,
    /// In how many examples a word occurs.
    spread: BTreeMap<Box<str>, usize>,
    /// Words in an example, on average.
    mean: f64,
}

#[derive(Clone, Debug)]
struct Example {
    path: Box<str>,
    text: Arc<str>,
    digest: Digest,
    words: BTreeMap<Box<str>, u32>,
    length: u32,
}

impl PartialEq for Library {
    fn eq(&self, other: &Library) -> bool {
        let same = |(a, b): (&Example, &Example)| a.path == b.path && a.digest == b.digest;
        self.files.len() == other.files.len() && self.files.iter().zip(&other.files).all(same)
    }
}
impl Eq for Library {}

impl Library {
    /// Examples from paths and texts.
    pub fn new(mut files: Vec<(String, String)>) -> Library {
        files.sort();
        files.dedup_by(|a, b| a.0 == b.0);
        let mut spread: BTreeMap<Box<str>, usize> = BTreeMap::new();
        let mut examples = Vec::with_capacity(files.len());
        for (path, text) in files {
            let mut words: BTreeMap<Box<str>, u32> = BTreeMap::new();
            let mut length = 0;
            for word in words_of(&text) {
                length += 1;
                *words.entry(word.into()).or_default() += 1;
            }
            for word in words.keys() {
                *spread.entry(word.clone()).or_default() += 1;
            }
            let digest = Digest::of(text.as_bytes());
            examples.push(Example { path: path.into(), text: text.into(), digest, words, length });
        }
        let total: f64 = examples.iter().map(|example| f64::from(example.length)).sum();
        let mean = total / (examples.len().max(1) as f64);
        Library { files: examples, spread, mean }
    }

    /// Digest of what [`like`](Library::like) gives.
    pub fn digest_like(&self, text: &str, top: usize) -> Digest {
        let found = self.like(text, top);
        let mut encoder = Encoder::new("patterns/1", View::Full);
        encoder.int(found.len() as u64);
        for (path, _, digest) in &found {
            encoder.str(path);
            encoder.digest(digest);
        }
        encoder.finish()
    }

    /// Digest of all paths and texts.
    pub fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("library/1", View::Full);
        encoder.int(self.files.len() as u64);
        for Example { path, digest, .. } in &self.files {
            encoder.str(path);
            encoder.digest(digest);
        }
        encoder.finish()
    }

    /// The examples that are most like a text, at most `top`, the best first: path, text, digest of the text. Examples that
    /// share no word with it are left out.
    pub fn like(&self, text: &str, top: usize) -> Vec<(Box<str>, Arc<str>, Digest)> {
        let query: BTreeSet<String> = words_of(text).collect();
        let count = self.files.len() as f64;
        let mut scored: Vec<(i64, &Example)> = Vec::new();
        for example in &self.files {
            let mut score = 0.0;
            for word in &query {
                let Some(&often) = example.words.get(word.as_str()) else { continue };
                let spread = self.spread.get(word.as_str()).copied().unwrap_or(0) as f64;
                let rarity = (1.0 + (count - spread + 0.5) / (spread + 0.5)).ln();
                let often = f64::from(often);
                let norm = K1 * (1.0 - B + B * f64::from(example.length) / self.mean.max(1.0));
                score += rarity * often * (K1 + 1.0) / (often + norm);
            }
            if score > 0.0 {
                scored.push(((score * 1e6).round() as i64, example));
            }
        }
        scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.path.cmp(&b.1.path)));
        let best = scored.into_iter().take(top);
        best.map(|(_, example)| (example.path.clone(), example.text.clone(), example.digest)).collect()
    }
}

/// Words in small letters; `customerName` and `customer_name` are two words each.
fn words_of(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).flat_map(|run| {
        let mut words = Vec::new();
        let mut word = String::new();
        let mut before = ' ';
        for c in run.chars() {
            if c.is_uppercase() && before.is_lowercase() && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            word.extend(c.to_lowercase());
            before = c;
        }
        if !word.is_empty() {
            words.push(word);
        }
        words
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(library: &Library, text: &str, top: usize) -> Vec<String> {
        library.like(text, top).into_iter().map(|(path, ..)| path.into()).collect()
    }

    #[test]
    fn the_most_similar_come_first() {
        let files = [
            ("c/order.md", "An order has lines. Each line of an order names a product."),
            ("a/customer.md", "A customer has a name and an e-mail address."),
            ("b/address.md", "An address has a street and a postcode."),
        ];
        let library = Library::new(files.iter().map(|(p, t)| (p.to_string(), t.to_string())).collect());
        assert_eq!(paths(&library, r#"{"properties":{"orderLines":{}}}"#, 3), ["c/order.md"]);
        assert_eq!(paths(&library, "address customer", 2), ["a/customer.md", "b/address.md"]);
        assert_eq!(paths(&library, "address", 1), ["b/address.md"]);
        assert!(paths(&library, "zebra", 3).is_empty());
    }

    #[test]
    fn equal_scores_are_ordered_by_path() {
        let files = ["b", "a", "c"].map(|path| (path.to_owned(), "the same words".to_owned()));
        assert_eq!(paths(&Library::new(files.to_vec()), "words", 9), ["a", "b", "c"]);
    }
}
