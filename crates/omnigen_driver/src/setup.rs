//! Where everything is: one project, or some files without one, brought into the same shape.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use omnigen_disk::{Globs, ReadProblem};
use omnigen_engine::{Content, Project};
use omnigen_ir::naming::Unit;
use omnigen_ir::{Digest, FileId};
use omnigen_report::{At, Code, Diagnostic};

use crate::config::{DuplicateKeys, Format, Python};
use crate::tasks::LOCK;
use crate::{Config, Mode, Options};

/// Prefix of files of a mirror that lies outside the root.
const MIRROR: &str = "@refs";

/// A project's places and settings.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// What paths of contracts are relative to.
    pub(crate) root: PathBuf,
    /// The folder of the outputs.
    pub(crate) out: PathBuf,
    /// The same as messages show it.
    pub(crate) out_name: String,
    /// The folder of the manifest, the journal and the stores.
    pub(crate) state: PathBuf,
    /// The configuration.
    pub(crate) config: Config,
    /// The part of it that queries read.
    pub(crate) project: Project,
    /// The folder of the store that checkouts share, if there is to be one.
    pub(crate) shelf: Option<PathBuf>,
    /// The mirror's folder.
    refs: Option<PathBuf>,
    /// Copies of remote schemas whose bytes are locked.
    pub(crate) locked: Locked,
    /// The contracts' folder: what units do not mirror.
    base: String,
    /// Globs of contracts, and the drafts that they are read in if they state none.
    dialects: Arc<[(Globs, Box<str>)]>,
    /// The contracts, if they were named one by one.
    pub(crate) named: Option<Vec<FileId>>,
    /// Threads for computing, reading and writing.
    pub(crate) threads: usize,
}

impl Setup {
    /// # Errors
    /// The configuration cannot be used: its diagnostics.
    pub(crate) fn new(options: &Options) -> Result<(Setup, Vec<Diagnostic>), Vec<Diagnostic>> {
        let threads =
            options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1);
        let mirror = options.refs.as_ref().map(|refs| normal(&options.root.join(refs)));
        match &options.mode {
            Mode::Project => {
                let file = FileId::from(crate::config::FILE);
                let text = omnigen_disk::read_text(&options.root.join(&*file))
                    .map_err(|problem| vec![unreadable(&file, &problem)])?;
                let (config, mut diagnostics) = Config::parse(&text.text);
                let Some(mut config) = config else { return Err(diagnostics) };
                let mirror = match mirror {
                    Some(mirror) => {
                        config.refs = Some(name_of_mirror(&normal(&options.root), &mirror));
                        Some(mirror)
                    }
                    None => config.refs.as_ref().map(|refs| options.root.join(refs)),
                };
                let base = config.base();
                let dialects = config.dialects.iter();
                let dialects =
                    dialects.map(|(glob, draft)| (Globs::new(std::slice::from_ref(glob)).0, draft.as_str().into()));
                let dialects = dialects.collect();
                let locked = match &config.refs {
                    Some(_) => locked(&options.root, &mut diagnostics),
                    None => Locked::new(),
                };
                let setup = Setup {
                    out: options.root.join(&config.out),
                    out_name: config.out.clone(),
                    state: options.root.join(".omnigen"),
                    project: project(&config, config.refs.clone()),
                    shelf: options.shelf.clone().or_else(|| config.cache.folder.as_ref().map(|f| options.root.join(f))),
                    refs: mirror,
                    locked,
                    root: options.root.clone(),
                    base,
                    dialects,
                    named: None,
                    threads,
                    config,
                };
                Ok((setup, diagnostics))
            }
            Mode::Files { contracts, out } => {
                let contracts: Vec<PathBuf> = contracts.iter().map(|path| normal(&options.root.join(path))).collect();
                let mut root = normal(&options.root);
                if !contracts.iter().all(|path| path.starts_with(&root)) {
                    root = above_all(&contracts);
                }
                let named: Vec<FileId> = contracts.iter().map(|path| slashed(&root, path).into()).collect();
                let base = slashed(&root, &above_all(&contracts));
                let out_path = normal(&options.root.join(out));
                let refs_name = mirror.as_ref().map(|mirror| name_of_mirror(&root, mirror));
                let config = Config::for_files(&out.to_string_lossy(), refs_name.as_deref());
                let setup = Setup {
                    root,
                    state: out_path.join(".omnigen"),
                    out: out_path,
                    out_name: out.to_string_lossy().replace('\\', "/"),
                    project: project(&config, refs_name),
                    shelf: options.shelf.clone(),
                    refs: mirror,
                    locked: Locked::new(),
                    base,
                    dialects: Arc::default(),
                    named: Some(named),
                    threads,
                    config,
                };
                Ok((setup, Vec::new()))
            }
        }
    }

    /// Takes what the lock says of copies now. What cannot be read of it was told, or will be by the next run.
    pub(crate) fn read_lock(&mut self) {
        if self.named.is_none() && self.refs.is_some() {
            self.locked = locked(&self.root, &mut Vec::new());
        }
    }

    /// Where a file is on this machine.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        match (&self.refs, file.strip_prefix(MIRROR).and_then(|rest| rest.strip_prefix('/'))) {
            (Some(refs), Some(rest)) => refs.join(rest),
            _ => self.root.join(file),
        }
    }

    /// The mirror's folder, if it is not below the root.
    pub(crate) fn mirror_outside(&self) -> Option<&Path> {
        self.refs.as_deref().filter(|refs| !refs.starts_with(&self.root))
    }

    /// A path on this machine as that of a file of such a mirror.
    pub(crate) fn in_mirror(&self, path: &Path) -> Option<String> {
        let below = path.strip_prefix(self.mirror_outside()?).ok()?;
        Some(format!("{MIRROR}/{}", crate::watch::slashed(below)))
    }

    /// Where a file's modules go.
    pub(crate) fn unit(&self, file: &str) -> Unit {
        let mirror = self
            .project
            .refs
            .as_deref()
            .filter(|refs| file.strip_prefix(*refs).is_some_and(|rest| rest.starts_with('/')));
        let mut unit = Unit::new(file, mirror.unwrap_or(&self.base));
        unit.assumed = self.dialects.iter().find(|(globs, _)| globs.matches(file)).map(|(_, draft)| draft.clone());
        unit
    }

    /// What the outlines of contracts hang on beside their texts and paths. [`Former`] reads it.
    pub(crate) fn outlined(&self) -> Cow<'_, str> {
        let naming = &self.config.python.naming;
        if self.config.dialects.is_empty() {
            return naming.into();
        }
        let dialects = self.config.dialects.iter().map(|(glob, draft)| format!("\n{glob}\n{draft}"));
        std::iter::once(naming.clone()).chain(dialects).collect::<String>().into()
    }

    /// Where a file's modules go, folded as some disks fold names.
    pub(crate) fn site(&self, file: &str) -> Box<str> {
        let unit = self.unit(file);
        format!("{}/{}", unit.folders.join("/"), unit.stem).to_lowercase().into()
    }

    /// A contract's path as headers hold it: the same wherever the build was started.
    pub(crate) fn label<'a>(&self, file: &'a str) -> &'a str {
        if self.named.is_none() || self.base.is_empty() {
            return file;
        }
        file.strip_prefix(self.base.as_str()).and_then(|rest| rest.strip_prefix('/')).unwrap_or(file)
    }

    /// All that decides what there is to do beside the files themselves, by name, in text form. One list: a build is compared with
    /// the last one by it, and what differs in it is told as the cause.
    pub(crate) fn settings(&self, agents: &[(String, Digest)]) -> Vec<(String, String)> {
        let Config {
            name,
            contracts,
            exclude,
            out,
            refs,
            dialects,
            duplicate_keys,
            targets,
            python,
            agents: commands,
            own_targets,
            gates,
            run,
            answers,
            // Where artifacts may come from decides nothing about them.
            cache: _,
        } = &self.config;
        let Python { naming, line_length, format, external } = python;
        let mut list = vec![
            ("project.name".to_owned(), name.clone()),
            ("project.contracts".to_owned(), contracts.join(", ")),
            ("project.exclude".to_owned(), exclude.join(", ")),
            ("project.out".to_owned(), out.clone()),
            ("project.refs".to_owned(), refs.clone().unwrap_or_default()),
            ("project.duplicate-keys".to_owned(), format!("{duplicate_keys:?}").to_lowercase()),
            ("project.targets".to_owned(), targets.join(", ")),
            ("python.naming".to_owned(), naming.clone()),
            ("python.line-length".to_owned(), line_length.to_string()),
            ("python.format".to_owned(), format!("{format:?}").to_lowercase()),
        ];
        list.extend(dialects.iter().map(|(glob, draft)| (format!("project.dialects.{glob}"), draft.clone())));
        list.extend(external.iter().map(|(class, from)| (format!("python.external.{class}"), from.clone())));
        list.extend(commands.iter().map(|agent| (format!("agent.{}", agent.name), format!("{agent:?}"))));
        list.extend(gates.iter().map(|gate| (format!("gate.{}", gate.name), format!("{gate:?}"))));
        list.push(("run".to_owned(), format!("{run:?}")));
        list.push(("recover".to_owned(), answers.to_string()));
        list.extend(own_targets.iter().map(|target| (format!("target.{}", target.name), format!("{target:?}"))));
        if let Some(named) = &self.named {
            list.push(("contracts".to_owned(), named.join(", ")));
        }
        list.extend(agents.iter().map(|(name, identity)| (format!("what `{name}` is"), identity.hex())));
        list
    }

    /// Reads a file as an input of the graph.
    pub(crate) fn read(&self, file: &FileId) -> (Content, Option<omnigen_disk::Stat>, Digest) {
        match omnigen_disk::read_text(&self.path(file)) {
            Ok(text) => {
                let digest = Digest::of(text.text.as_bytes());
                if let Some((uri, _)) = self.locked.get(file).filter(|(_, locked)| !locked.contains(&digest)) {
                    let message = format!("the copy of `{uri}` is not the one that {LOCK} names");
                    let diagnostic = Diagnostic::new(Code::MirrorChanged, At::file(file), message).hint(format!(
                        "restore it, or look at what the remote says now with `omnigen vendor {uri}`; --update takes that"
                    ));
                    return (Content::Unusable(diagnostic), Some(text.stat), Digest::of(b""));
                }
                (Content::Text(text.text.into()), Some(text.stat), digest)
            }
            Err(ReadProblem::NotFound) => (Content::Absent, None, Digest::of(b"")),
            Err(problem) => (Content::Unusable(unreadable(file, &problem)), None, Digest::of(b"")),
        }
    }
}

/// What outlines of earlier runs were made with: what [`Setup::outlined`] gave then.
#[derive(Debug)]
pub(crate) struct Former {
    recorded: String,
    /// Is the naming template the same as now?
    named: bool,
    dialects: Vec<(Globs, String)>,
}

impl Former {
    pub(crate) fn new(setup: &Setup, recorded: &str) -> Former {
        let mut lines = recorded.lines();
        let named = lines.next() == Some(&*setup.config.python.naming);
        let mut dialects = Vec::new();
        while let (Some(glob), Some(draft)) = (lines.next(), lines.next()) {
            dialects.push((Globs::new(std::slice::from_ref(&glob.to_owned())).0, draft.to_owned()));
        }
        Former { recorded: recorded.to_owned(), named, dialects }
    }

    pub(crate) fn is_of(&self, recorded: &str) -> bool {
        self.recorded == recorded
    }

    /// Would the outline of a file be the same now, if its text is?
    pub(crate) fn holds(&self, setup: &Setup, file: &str) -> bool {
        let assumed = self.dialects.iter().find(|(globs, _)| globs.matches(file)).map(|(_, draft)| draft.as_str());
        self.named && assumed == setup.unit(file).assumed.as_deref()
    }
}

/// Where copies of remote schemas are from, and their digests, by path. After a careless merge one may have two.
pub(crate) type Locked = BTreeMap<FileId, (String, Vec<Digest>)>;

/// The schemas that the lock names.
fn locked(root: &Path, diagnostics: &mut Vec<Diagnostic>) -> Locked {
    let mut locked = Locked::new();
    let Ok(text) = omnigen_disk::read_text(&root.join(LOCK)) else { return locked };
    match omnigen_store::lock_file::parse(&text.text) {
        Ok(lock) => {
            for schema in lock.schemas {
                locked.entry(schema.path.into()).or_insert((schema.uri, Vec::new())).1.push(schema.digest);
            }
            diagnostics.extend(lock.problems.iter().map(|problem| {
                let message = format!("{LOCK}, line {}: {}", problem.line, problem.text);
                Diagnostic::global(Code::BadConfig, message).hint("take the line as it was committed, or remove it")
            }));
        }
        Err(problem) => diagnostics.push(Diagnostic::global(Code::BadConfig, format!("{LOCK}: {problem}"))),
    }
    locked
}

fn unreadable(file: &FileId, problem: &ReadProblem) -> Diagnostic {
    match problem {
        ReadProblem::NotUtf8 { at } => {
            let message = format!("the file is not UTF-8: byte {at} starts no character");
            Diagnostic::new(Code::NotUtf8, At::file(file), message).hint("save the file as UTF-8")
        }
        ReadProblem::TooLarge { .. } => Diagnostic::new(Code::TooLarge, At::file(file), problem.to_string()),
        _ => Diagnostic::new(Code::Unreadable, At::file(file), problem.to_string()),
    }
}

fn project(config: &Config, refs: Option<String>) -> Project {
    Project {
        python: omnigen_engine::Settings {
            naming: config.naming(),
            line_length: usize::from(config.python.line_length),
            external: omnigen_engine::Imports { rules: config.python.external.clone() },
            assert_formats: config.python.format == Format::Assert,
        },
        refs: refs.map(String::into_boxed_str),
        strict_keys: config.duplicate_keys == DuplicateKeys::Error,
    }
}

/// What the mirror's files are called: by their path, or by a name of ours if they are outside of the project, since no
/// absolute path may reach an output.
fn name_of_mirror(root: &Path, mirror: &Path) -> String {
    if mirror.starts_with(root) { slashed(root, mirror) } else { MIRROR.to_owned() }
}

/// Without `.` and `..`, by the text alone.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if parts.file_name().is_some() => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}

/// The deepest folder that all files are in.
fn above_all(files: &[PathBuf]) -> PathBuf {
    let mut folders = files.iter().filter_map(|file| file.parent());
    let mut above = folders.next().map(Path::to_path_buf).unwrap_or_default();
    for folder in folders {
        while !folder.starts_with(&above) {
            above.pop();
        }
    }
    above
}

fn slashed(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
