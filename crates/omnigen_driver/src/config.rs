//! `omnigen.toml`: text in, a [`Config`] and what is wrong with it out.
//!
//! Everything is plain data, equal for texts that differ only in comments, layout and order of tables, so that the
//! fields that something read can be recorded one by one. Does not know the file system: whether a folder or a command
//! exists is found out by those who use it.

mod agents;
mod declared;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use omnigen_engine::DRAFTS;
use omnigen_ir::naming::{Naming, is_keyword};
use omnigen_report::Diagnostic;
use toml::de::DeTable;

use self::agents::{agent, circles, gate, recover, run, target};
use self::read::{Later, Reader, Table, Text};

pub use self::agents::{Agent, Check, Gate, Llm, Patterns, Pool, Retry, Run, See, Target};
pub use self::declared::schema;

/// The file's name, and what diagnostics call it.
pub const FILE: &str = "omnigen.toml";
/// The targets that need no table, in the order in which they need each other.
pub const BUILT_IN: [&str; 4] = ["models", "validators", "tests", "nodes"];
/// Where contracts are looked for unless the project says otherwise.
pub const CONTRACTS: &str = "contracts/**/*.{json,yaml,yml}";
/// Where outputs go unless the project says otherwise.
pub const OUT: &str = "generated";
/// Characters a line of generated Python may have.
const LINE_LENGTH: std::ops::RangeInclusive<u16> = 40..=320;

/// Megabytes that the shared store may have unless the project says otherwise.
const MAX_SIZE: usize = 1024;

/// A project as `omnigen.toml` describes it. Paths and globs have `/`, are relative to the project's root and stay in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// What the project is called; empty without a project.
    pub name: String,
    /// Globs of the contracts.
    pub contracts: Vec<String>,
    /// Globs of what is no contract even if it looks so.
    pub exclude: Vec<String>,
    /// Folder of the outputs, a Python package.
    pub out: String,
    /// Folder with copies of remote schemas.
    pub refs: Option<String>,
    /// Drafts in which schemas are read that state none: globs and drafts, those that win first.
    pub dialects: Vec<(String, String)>,
    /// What two members of one name are.
    pub duplicate_keys: DuplicateKeys,
    /// Targets to build and all that they need: built-in ones in the order of [`BUILT_IN`], then own ones by name.
    pub targets: Vec<String>,
    /// How Python is written.
    pub python: Python,
    /// Agents, by name.
    pub agents: Vec<Agent>,
    /// The project's own targets, by name.
    pub own_targets: Vec<Target>,
    /// Gates, by name.
    pub gates: Vec<Gate>,
    /// Limits of a run.
    pub run: Run,
    /// Answers that a task may have before it is given up, if each is told what was wrong with the one before; 1: the first counts.
    pub answers: u32,
    /// The store that checkouts share.
    pub cache: Cache,
}

/// The store that checkouts share. Nothing that is made hangs on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cache {
    /// Its folder; a relative path is relative to the project's root. None: nothing is shared.
    pub folder: Option<String>,
    /// Megabytes (of 2^20 bytes) that it may have, if that is said.
    pub max_size: Option<usize>,
}

impl Cache {
    /// Bytes that it may have.
    pub fn most(&self) -> u64 {
        (self.max_size.unwrap_or(MAX_SIZE) as u64) << 20
    }
}

/// How Python is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Python {
    /// Template of class names; holds `{Name}` once.
    pub naming: String,
    /// Characters a line may have.
    pub line_length: u16,
    /// What `format` means.
    pub format: Format,
    /// Patterns of classes that contracts name, and where they are imported from; sorted.
    pub external: Vec<(String, String)>,
}

impl Default for Python {
    fn default() -> Self {
        Python { naming: Naming::default().class, line_length: 88, format: Format::Annotate, external: Vec::new() }
    }
}

/// What the keyword `format` means in validators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// It is a remark, as JSON Schema 2020-12 has it by default.
    #[default]
    Annotate,
    /// It is checked.
    Assert,
}

/// What two members of one name in an object are. The default goes with what nearly every reader of JSON and YAML does, so that a
/// contract means here what it means elsewhere, and says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DuplicateKeys {
    /// The last one counts, with a warning.
    #[default]
    Warn,
    /// The contract is not built.
    Error,
}

impl Config {
    /// Reads the text of `omnigen.toml`. No configuration comes back if anything is an error; all of them are told at once.
    pub fn parse(text: &str) -> (Option<Config>, Vec<Diagnostic>) {
        let mut reader = Reader::new(FILE);
        let (document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            // What the parser made of the rest could miss things that are there.
            errors.iter().for_each(|error| reader.syntax(error, text));
            return (None, reader.finish());
        }
        let config = project(&mut reader, &Table::document(document.get_ref()));
        let found = reader.finish();
        let sound = !found.iter().any(Diagnostic::is_error);
        (sound.then_some(config), found)
    }

    /// What is built from files without a project: the built-in targets with all defaults. Which files is not said here:
    /// `contracts` is empty.
    pub fn for_files(out: &str, refs: Option<&str>) -> Config {
        Config {
            name: String::new(),
            contracts: Vec::new(),
            exclude: Vec::new(),
            out: out.to_owned(),
            refs: refs.map(str::to_owned),
            dialects: Vec::new(),
            duplicate_keys: DuplicateKeys::default(),
            targets: BUILT_IN.map(str::to_owned).to_vec(),
            python: Python::default(),
            agents: Vec::new(),
            own_targets: Vec::new(),
            gates: Vec::new(),
            run: Run::default(),
            answers: 1,
            cache: Cache::default(),
        }
    }

    /// The agent of a name.
    pub fn agent(&self, name: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.name == name)
    }

    /// The project's own target of a name.
    pub fn own_target(&self, name: &str) -> Option<&Target> {
        self.own_targets.iter().find(|target| target.name == name)
    }

    /// Is this target built?
    pub fn builds(&self, target: &str) -> bool {
        self.targets.iter().any(|name| name == target)
    }

    /// The template of class names.
    pub fn naming(&self) -> Naming {
        Naming { class: self.python.naming.clone() }
    }

    /// The folder above all contracts that output folders do not mirror: the part that the globs share before their first
    /// wildcard. No trailing slash; empty if they share none.
    pub fn base(&self) -> String {
        let mut globs = self.contracts.iter().map(|glob| {
            let fixed = glob.find(['*', '?', '[', '{', '\\']).map_or(glob.as_str(), |end| &glob[..end]);
            fixed.rsplit_once('/').map_or("", |(folder, _)| folder)
        });
        let mut base = globs.next().unwrap_or_default();
        for folder in globs {
            while !(base.is_empty()
                || folder == base
                || folder.strip_prefix(base).is_some_and(|rest| rest.starts_with('/')))
            {
                base = base.rsplit_once('/').map_or("", |(above, _)| above);
            }
        }
        base.to_owned()
    }
}

fn error(message: &'static str) -> Later {
    Later { stops: true, advice: message }
}

/// Reads the whole document.
fn project(reader: &mut Reader, document: &Table<'_>) -> Config {
    let later = error("remove it: nothing in this version acts on it");
    reader.keys(document, &declared::tables(), &[("resource", later), ("route", later)]);
    let mut config = Config::for_files(OUT, None);
    config.contracts = vec![CONTRACTS.to_owned()];

    let mut wanted = None;
    match reader.table(document, "project", "[project]") {
        Some(table) => wanted = head(reader, &table, &mut config),
        None if reader.has(document, "project") => {}
        None => {
            reader.error(document.span.clone(), "the table `[project]` is missing").hint =
                Some("begin the file with\n[project]\nname = \"…\"".to_owned());
        }
    }
    if let Some(table) = reader.table(document, "python", "[python]") {
        config.python = python(reader, &table);
    }
    if let Some(agents) = reader.table(document, "agent", "[agent.NAME]") {
        for table in reader.named(&agents) {
            config.agents.extend(agent(reader, &table));
        }
    }
    if let Some(gates) = reader.table(document, "gate", "[gate.NAME]") {
        for table in reader.named(&gates) {
            config.gates.extend(gate(reader, &table));
        }
    }
    if let Some(table) = reader.table(document, "run", "[run]") {
        config.run = run(reader, &table);
    }
    for table in reader.tables(document, "recover", "[[recover]]") {
        config.answers = recover(reader, &table).unwrap_or(config.answers);
    }
    if let Some(table) = reader.table(document, "cache", "[cache]") {
        config.cache = cache(reader, &table);
    }
    let mut edges = Vec::new();
    if let Some(targets) = reader.table(document, "target", "[target.NAME]") {
        let mut outputs: BTreeMap<String, String> = BTreeMap::new();
        for table in reader.named(&targets) {
            let Some(target) = target(reader, &table, document, &mut edges) else { continue };
            if let Some(other) = outputs.insert(target.output.clone(), target.name.clone()) {
                let message = format!("targets `{other}` and `{}` have one output pattern", target.name);
                reader.error(table.span.clone(), message).hint =
                    Some("give each its own folder or extension".to_owned());
            }
            config.own_targets.push(target);
        }
    }
    circles(reader, &edges);

    if let Some(wanted) = &wanted {
        for name in wanted {
            let own = document.names("target");
            if !BUILT_IN.contains(&name.get_ref().as_str()) && !own.contains(name.get_ref()) {
                unknown_target(reader, name, &own);
            }
        }
    }
    config.targets = closure(&config, wanted.as_deref());
    config
}

/// `[project]`. Gives back the targets that it lists, if it does.
fn head(reader: &mut Reader, table: &Table<'_>, config: &mut Config) -> Option<Vec<Text>> {
    reader.keys(table, &declared::names(declared::PROJECT), &[]);
    match reader.text(table, "name", "\"shop\"") {
        Some(name) if name.get_ref().trim().is_empty() => {
            reader.error(name.span(), "`project.name` is empty");
        }
        Some(name) => config.name = name.into_inner(),
        None if reader.has(table, "name") => {}
        None => {
            reader.error(table.span.clone(), "`project.name` is missing").hint =
                Some("add a line such as\nname = \"shop\"".to_owned());
        }
    }
    if let Some(globs) = reader.texts(table, "contracts", &format!("[\"{CONTRACTS}\"]")) {
        if globs.is_empty() {
            reader.error(
                table.value_span("contracts"),
                "`project.contracts` lists no glob, so there is nothing to build",
            );
        }
        config.contracts = self::globs(reader, "project.contracts", globs);
    }
    if let Some(globs) = reader.texts(table, "exclude", "[\"contracts/drafts/**\"]") {
        config.exclude = self::globs(reader, "project.exclude", globs);
    }
    if let Some(out) = reader.text(table, "out", "\"generated\"")
        && let Some(path) = folder(reader, "project.out", &out)
    {
        let package = path.rsplit('/').next().unwrap_or(&path);
        if !is_name(package) {
            let message = format!("`project.out` ends in `{package}`, which cannot be the name of a Python package");
            reader.error(out.span(), message).hint = Some(
                "use a name of letters, digits and `_` that does not begin with a digit, such as \"generated\""
                    .to_owned(),
            );
        }
        config.out = path;
    }
    if let Some(refs) = reader.text(table, "refs", "\"refs\"") {
        config.refs = folder(reader, "project.refs", &refs);
    }
    if let Some(table) = reader.table(table, "dialects", "[project.dialects]") {
        config.dialects = dialects(reader, &table);
    }
    if let Some(word) = reader.text(table, "duplicate-keys", "\"warn\"") {
        match word.get_ref().as_str() {
            "warn" => config.duplicate_keys = DuplicateKeys::Warn,
            "error" => config.duplicate_keys = DuplicateKeys::Error,
            other => {
                let message = format!("`project.duplicate-keys` must be \"warn\" or \"error\", not \"{other}\"");
                reader.error(word.span(), message).hint =
                    read::suggestion(other, ["warn", "error"]).map(|word| format!("did you mean \"{word}\"?"));
            }
        }
    }
    reader.texts(table, "targets", "[\"models\", \"validators\", \"tests\"]")
}

/// `[project.dialects]`: globs and drafts. Of several globs that match, the longest wins.
fn dialects(reader: &mut Reader, table: &Table<'_>) -> Vec<(String, String)> {
    let mut list = Vec::new();
    for glob in table.keys() {
        let Some(draft) = reader.text(table, &glob, "\"draft-07\"") else { continue };
        let name = draft.get_ref();
        if !DRAFTS.contains(&name.as_str()) {
            let message = format!("`{name}` is no draft of JSON Schema");
            reader.error(draft.span(), message).hint = Some(match read::suggestion(name, DRAFTS) {
                Some(word) => format!("did you mean \"{word}\"?"),
                None => format!("there are {}", DRAFTS.join(", ")),
            });
            continue;
        }
        let place = Text::new(draft.span(), glob);
        let globs = globs(reader, "project.dialects", vec![place]);
        list.extend(globs.into_iter().map(|glob| (glob, name.clone())));
    }
    list.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    list
}

/// `[cache]`.
fn cache(reader: &mut Reader, table: &Table<'_>) -> Cache {
    reader.keys(table, &declared::names(declared::CACHE), &[]);
    let folder = reader.text(table, "folder", "\"../omnigen-cache\"").map(Text::into_inner);
    Cache { folder: folder.filter(|folder| !folder.is_empty()), max_size: reader.count(table, "max-size", 1 << 30) }
}

/// `[python]`.
fn python(reader: &mut Reader, table: &Table<'_>) -> Python {
    reader.keys(table, &declared::names(declared::PYTHON), &[]);
    let mut python = Python::default();
    if let Some(naming) = reader.text(table, "naming", "\"Model{Name}\"") {
        let template = naming.get_ref();
        let example = template.replacen("{Name}", "Order", 1);
        if !template.contains("{Name}") {
            reader
                .error(naming.span(), "`python.naming` does not contain `{Name}`, so all classes would have one name")
                .hint = Some("write for example \"Model{Name}\", or \"{Name}\" for no prefix".to_owned());
        } else if !is_name(&example) {
            let message = format!("`python.naming` makes `{example}`, which is no name in Python");
            reader.error(naming.span(), message).hint =
                Some("use `{Name}` once, and around it only letters, digits and `_`".to_owned());
        }
        python.naming = template.clone();
    }
    if let Some(length) = reader.number(table, "line-length", "88") {
        match u16::try_from(*length.get_ref()).ok().filter(|length| LINE_LENGTH.contains(length)) {
            Some(length) => python.line_length = length,
            None => {
                let (least, most) = (LINE_LENGTH.start(), LINE_LENGTH.end());
                let message = format!("`python.line-length` must be from {least} to {most}, not {}", length.get_ref());
                reader.error(length.span(), message);
            }
        }
    }
    if let Some(format) = reader.text(table, "format", "\"annotate\"") {
        match format.get_ref().as_str() {
            "annotate" => python.format = Format::Annotate,
            "assert" => python.format = Format::Assert,
            other => {
                let message = format!("`python.format` must be \"annotate\" or \"assert\", not \"{other}\"");
                reader.error(format.span(), message).hint =
                    read::suggestion(other, ["annotate", "assert"]).map(|word| format!("did you mean \"{word}\"?"));
            }
        }
    }
    if let Some(external) = reader.table(table, "external", "[python.external]") {
        python.external = imports(reader, &external);
    }
    python
}

/// `[python.external]`: patterns of classes and where they are imported from.
fn imports(reader: &mut Reader, table: &Table<'_>) -> Vec<(String, String)> {
    let mut rules = Vec::new();
    for pattern in table.keys() {
        let Some(target) = reader.text(table, &pattern, "\"import\"") else { continue };
        let dotted = |path: &str| path.split('.').all(is_name);
        if !dotted(pattern.strip_suffix(".*").unwrap_or(&pattern)) && pattern != "*" {
            let message = format!("`{pattern}` is no class of Python, nor `package.*`");
            reader.error(target.span(), message).hint =
                Some("write for example \"shop.models.Order\", \"Order\" or \"shop.models.*\"".to_owned());
        }
        let to = target.get_ref();
        let class = to.contains('.') && dotted(to);
        if !matches!(to.as_str(), "import" | "opaque") && !class {
            let message =
                format!("`python.external.\"{pattern}\"` must be \"import\", \"opaque\" or the path of a class");
            reader.error(target.span(), message).hint = Some(
                "\"import\" takes the module that the contract names; another class is \"mine.models.Order\""
                    .to_owned(),
            );
        }
        rules.push((pattern, to.clone()));
    }
    rules.sort();
    rules
}

fn required(reader: &mut Reader, table: &Table<'_>, key: &str, example: &str) -> Option<Text> {
    if !reader.has(table, key) {
        reader.error(table.span.clone(), format!("`{}.{key}` is missing", table.path)).hint =
            Some(format!("add a line such as\n{key} = {example}"));
    }
    reader.text(table, key, example)
}

fn unknown_target(reader: &mut Reader, name: &Text, own: &[String]) {
    let own = own.iter().map(String::as_str).filter(|name| !BUILT_IN.contains(name));
    let all = BUILT_IN.into_iter().chain(own);
    let hint = match read::suggestion(name.get_ref(), all.clone()) {
        Some(word) => format!("did you mean \"{word}\"?"),
        None => format!("there are {}", all.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")),
    };
    reader.error(name.span(), format!("there is no target `{}`", name.get_ref())).hint = Some(hint);
}

/// May it be the name of a class or a package?
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_numeric())
        && text.chars().all(|c| c == '_' || c.is_alphanumeric())
        && !is_keyword(text)
}

/// A folder inside the project, without `./` and a trailing slash.
fn folder(reader: &mut Reader, key: &str, text: &Text) -> Option<String> {
    let path = text.get_ref().trim_end_matches('/');
    let path = path.strip_prefix("./").unwrap_or(path);
    match outside(path) {
        Some(why) => {
            reader.error(text.span(), format!("`{key}` must be a folder inside the project: {why}"));
            None
        }
        None => Some(path.to_owned()),
    }
}

/// Globs inside the project, without `./`.
fn globs(reader: &mut Reader, key: &str, texts: Vec<Text>) -> Vec<String> {
    let mut out = Vec::new();
    for text in texts {
        let glob = text.get_ref().strip_prefix("./").unwrap_or(text.get_ref());
        if let Some(why) = outside(glob) {
            reader.error(text.span(), format!("`{key}` must stay inside the project: {why}"));
        } else if let Err(error) = globset::GlobBuilder::new(glob).literal_separator(true).build() {
            reader.error(text.span(), format!("`{key}` holds a glob that cannot be read: {}", error.kind()));
        } else {
            out.push(glob.to_owned());
        }
    }
    out
}

/// The pattern of a target's outputs.
fn pattern(reader: &mut Reader, key: &str, text: &Text) -> Option<String> {
    let pattern = text.get_ref().strip_prefix("./").unwrap_or(text.get_ref());
    let rest = pattern.replace("{contract}", "");
    let wrong = if let Some(why) = outside(pattern) {
        format!("`{key}` must stay inside the project: {why}")
    } else if let Some(start) = rest.find(['{', '}']) {
        let end = rest[start..].find('}').map_or(rest.len(), |length| start + length + 1);
        let name = &rest[start..end];
        format!("`{key}` holds `{name}`; the only placeholder is `{{contract}}`")
    } else if !pattern.contains("{contract}") {
        format!("`{key}` does not contain `{{contract}}`, so all contracts would have one output")
    } else {
        return Some(pattern.to_owned());
    };
    reader.error(text.span(), wrong).hint = Some("write for example \"docs/{contract}.md\"".to_owned());
    None
}

/// Why a path is not a plain one inside the project.
fn outside(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("it is empty");
    }
    if path.starts_with('/') || path.get(1..2) == Some(":") {
        return Some("it is an absolute path");
    }
    if path.contains('\\') {
        return Some("write `/` between folders");
    }
    if path.chars().any(char::is_control) {
        return Some("it holds a control character");
    }
    for part in path.split('/') {
        match part {
            ".." => return Some("`..` leads out of a folder"),
            "." => return Some("it holds a part `.`"),
            "" => return Some("it holds an empty part"),
            _ => {}
        }
    }
    None
}

/// What is built if `wanted` is listed, or all there is if nothing is: with all that is needed, in the order of
/// [`Config::targets`].
fn closure(config: &Config, wanted: Option<&[Text]>) -> Vec<String> {
    let mut pending: Vec<&str> = match wanted {
        Some(list) => list.iter().map(|text| text.get_ref().as_str()).collect(),
        None => BUILT_IN.into_iter().chain(config.own_targets.iter().map(|target| target.name.as_str())).collect(),
    };
    let mut all: BTreeMap<&str, ()> = BTreeMap::new();
    while let Some(name) = pending.pop() {
        if all.insert(name, ()).is_some() {
            continue;
        }
        match name {
            // Validators give back models, tests call both, and those of ONEX contracts look at the manifest.
            "validators" => pending.push("models"),
            "tests" => pending.extend(["validators", "nodes"]),
            _ => pending.extend(config.own_target(name).iter().flat_map(|target| &target.needs).map(String::as_str)),
        }
    }
    let built_in = BUILT_IN.into_iter().filter(|name| all.contains_key(name));
    let own = config.own_targets.iter().map(|target| target.name.as_str()).filter(|name| all.contains_key(name));
    built_in.chain(own).map(str::to_owned).collect()
}
