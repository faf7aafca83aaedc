//! `omnigen vendor`: copies of remote schemas into the mirror, their digests into `omnigen.lock`. The only command that reads
//! the network for contracts.
//!
//! What is fetched becomes part of what is generated, so nothing that differs from what is here is ever taken unasked: it is
//! told, with the difference. Does not know how bytes travel (`omnigen_fetch`) nor what references look like (`contracts`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use omnigen_engine::remote::{self, Need, Remote};
use omnigen_fetch::Fetcher;
use omnigen_ir::{Digest, FileId};
use omnigen_report::{At, Code, Diagnostic, Severity, Shown, Summary, summary::Activity};
use omnigen_store::lock_file::{self, LockFile, LockSchema};

use crate::config;
use crate::setup::Setup;
use crate::show::Places;
use crate::survey::Scan;
use crate::tasks::LOCK;
use crate::{Change, ChangeKind, Failure, Options, Outcome};

/// So many schemas are fetched in one run: enough for any set of schemas, and an end for one that never ends.
const MOST: usize = 1_000;
/// Lines of a difference that are shown.
const LINES: usize = 60;
/// Characters of such a line.
const WIDTH: usize = 160;
/// Bytes of the largest text that is compared line by line.
const COMPARED: usize = 1 << 20;

/// What to fetch, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendoring {
    /// Addresses as a person wrote them. None: what contracts refer to and is not there, and what is locked and is not there.
    pub addresses: Vec<String>,
    /// Take what differs from what is here; without addresses also look whether locked schemas do.
    pub update: bool,
    /// How long one answer may take.
    pub timeout: Duration,
}

impl Default for Vendoring {
    fn default() -> Vendoring {
        Vendoring { addresses: Vec::new(), update: false, timeout: omnigen_fetch::TIMEOUT }
    }
}

/// Fetches what is asked for, and all that it refers to. `on_taken` hears of each schema as it is written.
pub fn vendor(options: &Options, vendoring: &Vendoring, on_taken: &mut dyn FnMut(&Change)) -> Outcome {
    crate::events::started(Activity::Vendor, None);
    crate::finished(options, fetch(options, vendoring, on_taken))
}

fn fetch(options: &Options, vendoring: &Vendoring, on_taken: &mut dyn FnMut(&Change)) -> Outcome {
    let started = Instant::now();
    let (setup, found) = match Setup::new(options) {
        Ok(setup) => setup,
        Err(found) => return crate::unusable(options, found),
    };
    let Some(refs) = setup.project.refs.as_deref() else {
        let hint = format!("add a line such as `refs = \"refs\"` to [project] in {}", config::FILE);
        return failed("no folder is set for copies of remote schemas".to_owned(), Some(hint));
    };
    let (lock, text) = match read_lock(&setup) {
        Ok(lock) => lock,
        Err(problem) => return failed(problem, None),
    };
    let mut work = Work {
        setup: &setup,
        refs: refs.to_owned(),
        fetcher: Fetcher::new(vendoring.timeout),
        lock,
        update: vendoring.update,
        look: vendoring.update || !vendoring.addresses.is_empty(),
        queue: VecDeque::new(),
        seen: BTreeSet::new(),
        ids: BTreeSet::new(),
        missing: Vec::new(),
        diagnostics: found,
        diffs: BTreeMap::new(),
        changes: Vec::new(),
        unchanged: 0,
        fetched: 0,
        on_taken,
    };
    work.begin(&vendoring.addresses);
    work.run(options);
    let Work { lock, mut diagnostics, diffs, ids, missing, changes, unchanged, .. } = work;
    // What one schema's address did not give, another may have said to be.
    diagnostics.extend(missing.into_iter().filter(|(uri, _)| !ids.contains(uri)).map(|(_, diagnostic)| diagnostic));
    let rendered = lock.render();
    if rendered != text && !lock.schemas.is_empty() {
        let path = setup.root.join(LOCK);
        if let Err(error) = omnigen_disk::write_atomic(&path, rendered.as_bytes()) {
            return failed(format!("{LOCK} cannot be written: {error}"), None);
        }
    }
    let mut places = Places::new(&setup);
    diagnostics.sort();
    diagnostics.dedup();
    let mut shown: Vec<Shown> = diagnostics.iter().map(|diagnostic| places.shown(diagnostic)).collect();
    for shown in shown.iter_mut().filter(|shown| shown.code == Code::RemoteChanged) {
        shown.diff = shown.at.as_ref().and_then(|at| diffs.get(&*at.file).cloned());
    }
    let count = |severity| shown.iter().filter(|shown| shown.severity == severity).count();
    let summary = Summary {
        activity: Activity::Vendor,
        written: changes.len(),
        unchanged,
        total: changes.len() + unchanged,
        errors: count(Severity::Error),
        warnings: count(Severity::Warning),
        notes: count(Severity::Note),
        millis: started.elapsed().as_millis() as u64,
        ..Summary::default()
    };
    Outcome { diagnostics: shown, summary, changes, ..Outcome::default() }
}

fn failed(message: String, hint: Option<String>) -> Outcome {
    Outcome { failure: Some(Failure::Environment(message, hint)), ..Outcome::default() }
}

fn read_lock(setup: &Setup) -> Result<(LockFile, String), String> {
    let text = match omnigen_disk::read_text(&setup.root.join(LOCK)) {
        Ok(text) => text.text,
        Err(omnigen_disk::ReadProblem::NotFound) => String::new(),
        Err(problem) => return Err(format!("{LOCK}: {problem}")),
    };
    let lock = lock_file::parse(&text).map_err(|problem| format!("{LOCK}: {problem}"))?;
    match lock.problems.first() {
        // What cannot be read would be lost when the file is written again.
        Some(problem) => Err(format!("{LOCK}, line {}: {}", problem.line, problem.text)),
        None => Ok((lock, text)),
    }
}

/// A schema that is wanted.
struct Wanted {
    uri: String,
    /// Where it may be instead.
    instead: Option<String>,
    /// Who refers to it.
    from: Option<At>,
    /// Somebody wants to know whether it is still the same.
    look: bool,
}

struct Work<'a> {
    setup: &'a Setup,
    refs: String,
    fetcher: Fetcher,
    lock: LockFile,
    update: bool,
    /// What others refer to is looked at again too: addresses were named, or all are to be brought up to date.
    look: bool,
    queue: VecDeque<Wanted>,
    /// Paths in the mirror that were looked at.
    seen: BTreeSet<String>,
    /// URIs that schemas of the project, or fetched ones, say to be theirs.
    ids: BTreeSet<String>,
    /// What could not be fetched.
    missing: Vec<(String, Diagnostic)>,
    diagnostics: Vec<Diagnostic>,
    /// How copies differ from what the remote says, by path.
    diffs: BTreeMap<String, String>,
    changes: Vec<Change>,
    unchanged: usize,
    fetched: usize,
    on_taken: &'a mut dyn FnMut(&Change),
}

impl Work<'_> {
    /// What is wanted at first.
    fn begin(&mut self, addresses: &[String]) {
        for (file, _) in Scan::new(self.setup).into_contracts() {
            let Ok(text) = omnigen_disk::read_text(&self.setup.path(&file)) else { continue };
            let Remote { ids, needs, broken: _ } = remote::remote(&file, &text.text);
            self.ids.extend(ids.into_iter().map(String::from));
            if addresses.is_empty() {
                needs.into_iter().for_each(|need| self.want(&file, need));
            }
        }
        if addresses.is_empty() {
            let locked: Vec<String> = self.lock.schemas.iter().map(|schema| schema.uri.clone()).collect();
            for uri in locked {
                self.queue.push_back(Wanted { uri, instead: None, from: None, look: self.update });
            }
        }
        for text in addresses {
            match remote::address(text) {
                Ok(uri) => self.queue.push_back(Wanted { uri, instead: None, from: None, look: true }),
                Err(why) => {
                    let message = format!("`{text}` cannot be fetched: {why}");
                    self.diagnostics.push(Diagnostic::global(Code::FetchFailed, message));
                }
            }
        }
    }

    /// Takes in what a file of the project or of the mirror refers to.
    fn want(&mut self, file: &FileId, need: Need) {
        let within =
            |path: &str| path.strip_prefix(&self.refs).and_then(|rest| rest.strip_prefix('/')).map(str::to_owned);
        // Files of a mirror may refer to each other by relative paths.
        let address = |path: &str| within(path).map(|path| remote::address_of(&path, "https"));
        let known = |path: &str| omnigen_disk::stat(&self.setup.path(path)).is_ok_and(|stat| stat.is_some());
        let at = At::value(file, &format!("{}/$ref", need.at));
        let (uri, instead) = match need.uri.strip_prefix("file:///") {
            Some(path) => match address(path) {
                Some(uri) => (self.with_scheme_of(file, uri), None),
                None => return,
            },
            None => (need.uri.to_string(), need.beside.as_deref().and_then(address)),
        };
        let there = need.beside.as_deref().is_some_and(|path| within(path).is_none() && known(path));
        if there || self.ids.contains(&uri) {
            return;
        }
        self.queue.push_back(Wanted { uri, instead, from: Some(at), look: self.look });
    }

    /// A file beside another is asked for in the same way.
    fn with_scheme_of(&self, file: &FileId, uri: String) -> String {
        let plain = self.lock.schemas.iter().any(|known| known.path == **file && known.uri.starts_with("http://"));
        if plain { uri.replacen("https://", "http://", 1) } else { uri }
    }

    fn run(&mut self, options: &Options) {
        while let Some(wanted) = self.queue.pop_front() {
            if options.stop.load(Ordering::Relaxed) {
                return;
            }
            if self.fetched >= MOST {
                let message = format!("more than {MOST} schemas were to be fetched; the rest is left out");
                self.diagnostics.push(Diagnostic::global(Code::FetchFailed, message));
                return;
            }
            self.one(wanted);
        }
    }

    fn one(&mut self, wanted: Wanted) {
        if self.ids.contains(&wanted.uri) && wanted.from.is_some() {
            return;
        }
        let Some(below) = remote::mirror_path(&wanted.uri) else {
            if let Some(at) = wanted.from.filter(|_| wanted.uri.starts_with("http")) {
                let message =
                    format!("`{}` cannot be fetched: its path names no file that a copy could have", wanted.uri);
                self.missing.push((wanted.uri, Diagnostic::new(Code::FetchFailed, at, message)));
            }
            return;
        };
        let path = format!("{}/{below}", self.refs);
        if !self.seen.insert(path.clone()) {
            return;
        }
        let file = FileId::from(path.as_str());
        let here = omnigen_disk::files::read_bytes(&self.setup.path(&file)).ok().map(|(bytes, _)| bytes);
        if let Some(bytes) = here.as_ref().filter(|_| !wanted.look) {
            return self.follow(&file, bytes);
        }
        self.fetched += 1;
        let bytes = match self.fetcher.fetch(&wanted.uri) {
            Ok(bytes) => bytes,
            Err(problem) => return self.not_fetched(wanted, &problem),
        };
        if let Err(why) = schema(&file, &bytes) {
            let message = format!("what `{}` answers is no schema: {why}", wanted.uri);
            return self.told(Code::FetchFailed, wanted.from, message);
        }
        self.decide(&wanted, file, here, bytes);
    }

    fn not_fetched(&mut self, wanted: Wanted, problem: &omnigen_fetch::Problem) {
        let message = format!("`{}` cannot be fetched: {problem}", wanted.uri);
        if let Some(instead) = wanted.instead {
            let again = Wanted { uri: instead, instead: None, from: wanted.from, look: wanted.look };
            return self.queue.push_front(again);
        }
        let diagnostic = match wanted.from {
            Some(at) => Diagnostic::new(Code::FetchFailed, at, message),
            None => Diagnostic::global(Code::FetchFailed, message),
        };
        self.missing.push((wanted.uri, diagnostic));
    }

    /// Takes what was fetched, or says why not.
    fn decide(&mut self, wanted: &Wanted, file: FileId, here: Option<Vec<u8>>, bytes: Vec<u8>) {
        let digest = Digest::of(&bytes);
        let locked = self.lock.schemas.iter().find(|known| known.path == *file).map(|known| known.digest);
        let same_here = here.as_ref().is_none_or(|here| *here == bytes);
        let same_locked = locked.is_none_or(|locked| locked == digest);
        let same = same_here && same_locked;
        if !self.update && !same {
            let uri = &wanted.uri;
            let message = match locked {
                None => format!("the copy of `{uri}`, which is not locked, is not what the remote says"),
                Some(_) if same_locked => {
                    format!("the copy of `{uri}` was changed; the remote schema is still the locked one")
                }
                Some(locked) => {
                    let (was, is) = (short(&locked), short(&digest));
                    format!("`{uri}` is another schema now; it was not taken (locked {was}, now {is})")
                }
            };
            let hint = format!("`omnigen vendor --update {uri}` takes what the remote says");
            self.diagnostics.push(Diagnostic::new(Code::RemoteChanged, At::file(&file), message).hint(hint));
            if let Some(diff) = here.as_deref().and_then(|here| difference(here, &bytes)) {
                self.diffs.insert(file.to_string(), diff);
            }
            if let Some(here) = here {
                self.follow(&file, &here);
            }
            return;
        }
        if here.as_ref() == Some(&bytes) {
            self.unchanged += 1;
        } else {
            if let Err(error) = omnigen_disk::write_atomic(&self.setup.path(&file), &bytes) {
                let message = format!("the copy of `{}` cannot be written: {error}", wanted.uri);
                return self.told(Code::Unwritable, Some(At::file(&file)), message);
            }
            let kind = if here.is_some() { ChangeKind::Update } else { ChangeKind::Create };
            let change = Change { path: file.to_string(), change: kind, ..Change::default() };
            (self.on_taken)(&change);
            self.changes.push(change);
        }
        self.lock.schemas.retain(|known| known.path != *file);
        self.lock.schemas.push(LockSchema { uri: wanted.uri.clone(), path: file.to_string(), digest });
        self.follow(&file, &bytes);
    }

    /// What a copy refers to is wanted as well.
    fn follow(&mut self, file: &FileId, bytes: &[u8]) {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let Remote { ids, needs, broken: _ } = remote::remote(file, text);
        self.ids.extend(ids.into_iter().map(String::from));
        needs.into_iter().for_each(|need| self.want(file, need));
    }

    fn told(&mut self, code: Code, at: Option<At>, message: String) {
        self.diagnostics.push(match at {
            Some(at) => Diagnostic::new(code, at, message),
            None => Diagnostic::global(code, message),
        });
    }
}

/// Is it a document that contracts could refer to?
fn schema(file: &FileId, bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    match remote::remote(file, text).broken {
        Some(found) => Err(found.message),
        None => Ok(()),
    }
}

/// Enough of a digest to tell two apart.
fn short(digest: &Digest) -> String {
    digest.hex().chars().take(12).collect()
}

/// How a copy differs from what was fetched, as a unified diff; `None` for what is too large to read.
fn difference(here: &[u8], now: &[u8]) -> Option<String> {
    if here.len() > COMPARED || now.len() > COMPARED {
        return None;
    }
    let (here, now) = (String::from_utf8_lossy(here), String::from_utf8_lossy(now));
    let diff = similar::TextDiff::from_lines(&*here, &*now);
    let text = diff.unified_diff().context_radius(2).header("the copy here", "the remote schema").to_string();
    let mut out = String::new();
    let lines = text.lines().count();
    for line in text.lines().take(LINES) {
        match line.char_indices().nth(WIDTH) {
            Some((cut, _)) => out.push_str(&format!("{}…\n", &line[..cut])),
            None => out.push_str(&format!("{line}\n")),
        }
    }
    if lines > LINES {
        out.push_str(&format!("… and {} more lines\n", lines - LINES));
    }
    Some(out)
}
