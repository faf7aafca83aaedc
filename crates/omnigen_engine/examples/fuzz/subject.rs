//! What is tried: one file, with those that it refers to, through all that reads, checks and writes, as a build would.

use std::collections::BTreeMap;

use omnigen_engine::{Content, Graph, Project, Target};
use omnigen_ir::naming::Unit;
use omnigen_ir::{FileId, Judge, Question};
use omnigen_report::Spot;

use crate::mutate::{Random, mutated};

/// Patterns that changed ones are made of.
const PATTERNS: &[&str] = &[
    "^[a-z0-9_-]{3,16}$",
    "^(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)(?:\\.(?!$)|$)){4}$",
    "^\\p{Lu}[\\p{L}\\p{N}]*$",
    "(?<year>\\d{4})-\\k<year>",
    "^(a+)+$",
    "[^\\s\\S]|[\\b\\0\\x41\\u{1F600}]",
    "(?=.*[A-Z])(?<!a|b)(?!x)y*?z{2,}",
    "^\\$\\{\\{.+\\}\\}$",
    "\\cA\\w\\W\\d\\D\\s\\S\\B.",
];

/// Everything is valid: what a real judge says changes nothing about what may fall over.
struct Yes;

impl Judge for Yes {
    fn identity(&self) -> &'static str {
        "yes"
    }

    fn verdicts(&self, question: &Question<'_>) -> Result<Vec<bool>, String> {
        Ok(vec![true; question.count()])
    }
}

/// A file to begin from.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Other files that one input may have around it.
const AROUND: usize = 6;

/// One input: a file's name and bytes, or a pattern.
#[derive(Clone, Debug)]
pub(crate) enum Input<'s> {
    File(String, Vec<u8>, Around<'s>),
    Pattern(String),
}

/// What stands in the files that an input refers to.
#[derive(Clone, Debug)]
pub(crate) struct Around<'s> {
    seeds: &'s [Seed],
    random: Random,
}

impl Around<'_> {
    /// The text of a file that was asked for, if there is to be one: a changed copy of a file of that name, or of any of its kind.
    /// A pure function of the input and the path.
    fn text(&self, path: &str) -> Option<String> {
        let mut random = self.random.clone();
        path.bytes().for_each(|byte| random.stir(u64::from(byte)));
        if random.below(3) == 0 {
            return None;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        let kind = if name.ends_with("json") { "json" } else { "yaml" };
        let fits = |seed: &&Seed| seed.name.ends_with(kind) && seed.text.len() <= 20_000;
        let named: Vec<&Seed> = self.seeds.iter().filter(|seed| seed.name.rsplit('/').next() == Some(name)).collect();
        let picked = match named.as_slice() {
            [] => (0..8).map(|_| random.one(self.seeds)).find(fits)?,
            named => *random.one(named),
        };
        if random.below(3) == 0 {
            return Some(picked.text.clone());
        }
        String::from_utf8(mutated(&mut random, &picked.text, &picked.text)).ok()
    }
}

impl<'s> Input<'s> {
    /// The input of a number; a pure function of its arguments.
    pub(crate) fn new(seeds: &'s [Seed], seed: u64, number: u64) -> Input<'s> {
        let mut random = Random::new(seed, number);
        if random.below(12) == 0 || seeds.is_empty() {
            let (one, other) = (*random.one(PATTERNS), *random.one(PATTERNS));
            return Input::Pattern(String::from_utf8_lossy(&mutated(&mut random, one, other)).into_owned());
        }
        // Small files rather than large ones: more of what is tried is new.
        let mut pick = |most: usize| {
            let picked = (0..6).map(|_| random.below(seeds.len())).collect::<Vec<_>>();
            picked.iter().copied().find(|&index| seeds[index].text.len() <= most).unwrap_or(picked[0])
        };
        let (one, other) = (pick(6_000), pick(60_000));
        let bytes = mutated(&mut random, &seeds[one].text, &seeds[other].text);
        let extension = seeds[one].name.rsplit('.').next().unwrap_or("json");
        Input::File(format!("contracts/file.{extension}"), bytes, Around { seeds, random })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Input::File(_, bytes, _) => bytes,
            Input::Pattern(text) => text.as_bytes(),
        }
    }
}

/// A graph that inputs go through, one after the other, as versions of one file.
pub(crate) struct Subject {
    graph: Graph,
    /// The texts of the other files that the last input had around it.
    pub(crate) around: BTreeMap<FileId, String>,
}

impl Subject {
    pub(crate) fn new() -> Result<Subject, String> {
        let mut project = Project { refs: Some("refs".into()), ..Project::default() };
        project.python.assert_formats = true;
        Ok(Subject { graph: Graph::new(&project, 1, Box::new(Yes))?, around: BTreeMap::new() })
    }

    /// Tries one input. Gives how many artifacts could be made.
    pub(crate) fn attempt(&mut self, input: &Input<'_>) -> usize {
        let (name, bytes, around) = match input {
            Input::Pattern(pattern) => return usize::from(omnigen_python::regex::translate(pattern).is_ok()),
            Input::File(name, bytes, around) => (name, bytes, around),
        };
        // The driver tells of bytes that are no UTF-8 by itself.
        let Ok(text) = std::str::from_utf8(bytes) else { return 0 };
        let file = FileId::from(name.as_str());
        let unit = Unit::new(name, "contracts");
        // What stood around the input before is nobody's any more.
        let before = std::mem::take(&mut self.around).into_keys();
        let before = before.map(|file| (file.clone(), Unit::new(&file, "contracts"), Content::Unread));
        self.graph.set_files(before.collect::<Vec<_>>());
        self.graph.set_files([(file.clone(), unit.clone(), Content::Text(text.into()))]);
        let mut asked: Vec<_> = Target::ALL.into_iter().map(|target| (file.clone(), target)).collect();
        let mut made = 0;
        for _ in 0..20 {
            let built = self.graph.make(&asked);
            let needs: Vec<FileId> = built.iter().flat_map(|built| built.needs.iter().cloned()).collect();
            if needs.is_empty() {
                made = built.iter().filter(|built| built.state == omnigen_engine::State::Ready).count();
                let places = built.iter().flat_map(|built| &built.diagnostics).filter_map(|found| found.at.as_ref());
                for at in places.take(20) {
                    if let Spot::Pointer { pointer, key } = &at.spot {
                        let text = self.around.get(&at.file).map_or(text, String::as_str);
                        let span = omnigen_engine::locate(&at.file, text, pointer, *key);
                        assert!(
                            span.is_none_or(|span| text.get(span).is_some()),
                            "a place that the text does not have"
                        );
                    }
                }
                break;
            }
            let mut files = Vec::new();
            for need in needs {
                let text = if self.around.len() < AROUND { around.text(&need) } else { None };
                let content = text.as_deref().map_or(Content::Absent, |text| Content::Text(text.into()));
                if let Some(text) = text
                    && self.around.insert(need.clone(), text).is_none()
                {
                    asked.extend(Target::ALL.into_iter().map(|target| (need.clone(), target)));
                }
                files.push((need.clone(), Unit::new(&need, "contracts"), content));
            }
            self.graph.set_files(files);
        }
        self.graph.forget_texts();
        omnigen_engine::remote::remote(&file, text);
        made
    }
}
