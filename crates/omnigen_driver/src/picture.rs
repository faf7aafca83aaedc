//! `omnigen graph`: contracts, what they refer to, what is made of them, and what the last build touched; as data, for two
//! drawing programs, and as one page for looking.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Instant;

use omnigen_engine::{ReadKey, Target};
use omnigen_report::Activity;
use schemars::JsonSchema;
use serde::Serialize;

use crate::revision::{Cause, Log, Revision};
use crate::session::Session;
use crate::survey::Survey;
use crate::{Options, Outcome};

/// The page. `"%DATA%"` stands for the picture as JSON.
const PAGE: &str = include_str!("picture.html");

/// A project as a graph. Every list is sorted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Picture {
    /// What the project is called.
    pub project: String,
    /// Contracts, and files that they refer to.
    pub contracts: Vec<Node>,
    /// What is made of them.
    pub artifacts: Vec<Made>,
    /// Which contract refers to which.
    pub references: Vec<Reference>,
    /// Which artifact reads which other one: both are paths.
    pub needs: Vec<(String, String)>,
    /// The last build that changed something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Revision>,
}

/// A contract, or a file that one refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Node {
    /// Path from the project's root, with `/`.
    pub path: String,
    /// Is it a contract of the project, or only referred to?
    pub contract: bool,
    /// Is it there?
    pub present: bool,
    /// Has it errors?
    pub held: bool,
    /// Did the last build find it changed?
    pub touched: bool,
    /// Its definitions, as JSON pointers.
    pub definitions: Vec<String>,
}

/// An artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Made {
    /// Path from the project's root, with `/`.
    pub path: String,
    /// The contract.
    pub contract: String,
    /// The target.
    pub target: String,
    /// Is it as it should be? If not, the next build makes it, or it is held back.
    pub current: bool,
    /// Did the last build write it?
    pub touched: bool,
}

/// One contract refers to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reference {
    /// The file that refers.
    pub from: String,
    /// The file that is referred to.
    pub to: String,
    /// The definitions that are meant, as JSON pointers.
    pub definitions: Vec<String>,
}

/// How a picture is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawing {
    /// For Graphviz.
    Dot,
    /// For Mermaid, as Markdown renderers have it.
    Mermaid,
    /// As data.
    Json,
    /// One page that needs nothing else.
    Html,
}

/// Makes the picture of a project as the next build will find it. Nothing is written.
///
/// # Errors
/// The outcome of a project that cannot be read.
pub fn picture(options: &Options) -> Result<Picture, Box<Outcome>> {
    let started = Instant::now();
    let options = Options { activity: Activity::Plan, ..options.clone() };
    crate::events::started(Activity::Plan, None);
    let (mut session, scan) = crate::open(&options).map_err(|outcome| Box::new(crate::finished(&options, *outcome)))?;
    let survey = Survey::full(&session.setup, &session.records, &session.meta, scan);
    let round =
        session.round(survey).map_err(|problem| Box::new(crate::finished(&options, crate::environment(problem))))?;
    let stale: BTreeSet<&str> = round.commit.changes.iter().map(|change| &*change.path).collect();
    let picture = Picture::of(&mut session, &stale);
    let outcome = crate::outcome(&mut session, &options, round, started);
    crate::finished(&options, outcome);
    Ok(picture)
}

impl Picture {
    fn of(session: &mut Session, stale: &BTreeSet<&str>) -> Picture {
        let last = Log::new(&session.setup).read().pop();
        let written: BTreeSet<&str> =
            last.iter().flat_map(|last| &last.artifacts).map(|change| &*change.path).collect();
        let causes = last.iter().flat_map(|last| &last.causes);
        let changed: BTreeSet<&str> = causes
            .filter_map(|cause| match cause {
                Cause::File { path, .. } => Some(&**path),
                Cause::Setting { .. } | Cause::Output { .. } | Cause::Cold => None,
            })
            .collect();
        let cold = last.as_ref().is_some_and(|last| last.causes.contains(&Cause::Cold));
        let mut nodes = BTreeMap::new();
        let mut artifacts = Vec::new();
        let mut references: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        let mut needs = BTreeSet::new();
        let files: Vec<_> = session.records.iter().map(|(file, record)| (file.clone(), record.clone())).collect();
        for (file, record) in files {
            let details = session.records.details(&file).cloned().unwrap_or_default();
            let exports = details.outline.iter().flat_map(|outline| &outline.exports.list);
            nodes.insert(
                file.to_string(),
                Node {
                    path: file.to_string(),
                    contract: record.contract,
                    present: record.stat.is_some(),
                    held: record.held,
                    touched: cold || changed.contains(&*file),
                    definitions: exports.map(|export| export.pointer.to_string()).filter(|p| !p.is_empty()).collect(),
                },
            );
            // What the check follows is what stands in the file itself; generators read further.
            for read in details.made.get(Target::Check.name()).map(|made| &made.trace[..]).unwrap_or_default() {
                let (to, pointer) = match &read.key {
                    ReadKey::File(to) => (to, None),
                    ReadKey::Name(to, pointer, _) | ReadKey::Schema(to, pointer, _) => (to, Some(pointer)),
                    _ => continue,
                };
                let definitions = references.entry((file.to_string(), to.to_string())).or_default();
                definitions.extend(pointer.map(ToString::to_string));
            }
            let unit = session.setup.unit(&file);
            let out = session.setup.out_name.clone();
            for (target, made) in &details.made {
                let built_in = Target::ALL.into_iter().find(|known| known.name() == &**target);
                let paths: Vec<String> = match built_in {
                    Some(Target::Check) => continue,
                    Some(known) if record.makes_nothing(known) => continue,
                    Some(known) => vec![unit.path(known.kind())],
                    None => {
                        let own = record.outputs.iter().filter(|output| output.target == *target);
                        own.map(|output| output.path.to_string()).collect()
                    }
                };
                for path in paths {
                    let path = format!("{out}/{path}");
                    for read in made.trace.iter() {
                        if let ReadKey::Artifact(of, target) = &read.key
                            && let Some(known) = Target::ALL.into_iter().find(|known| known.name() == &**target)
                        {
                            let read = session.setup.unit(of).path(known.kind());
                            needs.insert((path.clone(), format!("{out}/{read}")));
                        }
                    }
                    artifacts.push(Made {
                        contract: file.to_string(),
                        target: target.to_string(),
                        current: made.ready && !stale.contains(&*path),
                        touched: written.contains(&*path) || (cold && made.ready),
                        path,
                    });
                }
            }
        }
        // What is referred to and is not there is a node too.
        for (_, to) in references.keys() {
            nodes.entry(to.clone()).or_insert_with(|| Node {
                path: to.clone(),
                contract: false,
                present: false,
                held: false,
                touched: changed.contains(&**to),
                definitions: Vec::new(),
            });
        }
        artifacts.sort_by(|a, b| a.path.cmp(&b.path));
        let references = references.into_iter().filter(|((from, to), _)| from != to);
        Picture {
            project: session.setup.config.name.clone(),
            contracts: nodes.into_values().collect(),
            artifacts,
            references: references
                .map(|((from, to), definitions)| Reference { from, to, definitions: definitions.into_iter().collect() })
                .collect(),
            needs: needs.into_iter().collect(),
            last,
        }
    }

    /// As text in one of the formats.
    pub fn draw(&self, drawing: Drawing) -> String {
        match drawing {
            Drawing::Dot => self.dot(),
            Drawing::Mermaid => self.mermaid(),
            Drawing::Json => self.json() + "\n",
            // Inside of a script nothing may look like its end.
            Drawing::Html => PAGE.replace("\"%DATA%\"", &self.json().replace('<', "\\u003c")),
        }
    }

    fn json(&self) -> String {
        // Texts, numbers and lists can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn dot(&self) -> String {
        let text = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
        let mut out = String::from("digraph omnigen {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
        for node in &self.contracts {
            let style = match node {
                Node { present: false, .. } => ", style=dashed",
                Node { held: true, .. } => ", color=red",
                Node { touched: true, .. } => ", style=filled, fillcolor=\"#ffe9b8\"",
                _ => "",
            };
            let _infallible = writeln!(out, "  {} [label={}{style}];", text(&node.path), text(&node.path));
        }
        for Reference { from, to, .. } in &self.references {
            let _infallible = writeln!(out, "  {} -> {};", text(from), text(to));
        }
        for made in &self.artifacts {
            let style = if made.current { "" } else { ", color=gray" };
            let (path, contract) = (text(&made.path), text(&made.contract));
            let _infallible = writeln!(out, "  {path} [shape=note{style}];\n  {contract} -> {path} [style=dotted];");
        }
        for (from, to) in &self.needs {
            let _infallible = writeln!(out, "  {} -> {} [style=dotted];", text(to), text(from));
        }
        out + "}\n"
    }

    fn mermaid(&self) -> String {
        let text = |text: &str| {
            let escaped = text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
            escaped.replace('#', "&num;")
        };
        let names: BTreeMap<&str, String> =
            self.contracts.iter().enumerate().map(|(number, node)| (&*node.path, format!("c{number}"))).collect();
        let made: BTreeMap<&str, String> =
            self.artifacts.iter().enumerate().map(|(number, made)| (&*made.path, format!("a{number}"))).collect();
        let mut out = String::from("flowchart LR\n");
        for node in &self.contracts {
            let _infallible = writeln!(out, "  {}[\"{}\"]", names[&*node.path], text(&node.path));
        }
        for artifact in &self.artifacts {
            let _infallible = writeln!(out, "  {}([\"{}\"])", made[&*artifact.path], text(&artifact.path));
        }
        for Reference { from, to, .. } in &self.references {
            let _infallible = writeln!(out, "  {} --> {}", names[&**from], names[&**to]);
        }
        for artifact in &self.artifacts {
            if let Some(contract) = names.get(&*artifact.contract) {
                let _infallible = writeln!(out, "  {contract} -.-> {}", made[&*artifact.path]);
            }
        }
        for (from, to) in &self.needs {
            if let (Some(from), Some(to)) = (made.get(&**from), made.get(&**to)) {
                let _infallible = writeln!(out, "  {to} -.-> {from}");
            }
        }
        let touched: Vec<&str> =
            self.contracts.iter().filter(|node| node.touched).map(|node| &*names[&*node.path]).collect();
        if !touched.is_empty() {
            let _infallible = writeln!(out, "  classDef touched fill:#ffe9b8\n  class {} touched", touched.join(","));
        }
        out
    }
}
