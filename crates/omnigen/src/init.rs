//! `omnigen init`: the first files of a project. Overwrites nothing.

use std::io;
use std::path::Path;

use omnigen_disk::files::read_bytes;
use omnigen_disk::outputs::How;
use omnigen_disk::{place, stat, write_atomic};

/// A first contract: path and text.
pub(crate) struct Example {
    path: &'static str,
    text: &'static str,
}

/// A JSON Schema.
pub(crate) const JSON_SCHEMA: Example = Example { path: "contracts/greeting.json", text: GREETING };

/// The contract of an ONEX node.
pub(crate) const ONEX: Example = Example { path: "contracts/node_greeting_effect/contract.yaml", text: NODE };

const NODE: &str = r#"# The contract of an ONEX node: change it, and run `omnigen build` again.
name: greeting_effect
contract_version: {major: 1, minor: 0, patch: 0}
node_version: {major: 1, minor: 0, patch: 0}
node_type: effect
description: Greets whoever it is told to.

inputs:
  to: {type: str, required: true, min_length: 1, description: Who is greeted.}
  times: {type: int, default: 1, minimum: 1, maximum: 10}
  mood: {type: enum, enum: [friendly, formal], default: friendly}

outputs:
  greeting: {type: str, required: true}
  sent_at: {type: datetime, required: true}

io_operations:
  - operation: greet
    description: Say hello.
    idempotent: false
    input_fields:
      - to: str
      - times: int (default 1, max 10)
    output_fields:
      - greeting: str

handler_routing:
  routing_strategy: operation_match
  handlers:
    - operation: greet
      handler: {name: HandlerGreet, module: greeting.handlers}

event_bus:
  subscribe_topics: [onex.cmd.greeting.greet.v1]
  publish_topics: [onex.evt.greeting.greeted.v1]
terminal_event: onex.evt.greeting.greeted.v1

error_handling:
  retry_policy: {max_retries: 3, initial_delay_ms: 100}

fsm:
  states: [idle, greeting, done]
  initial_state: idle
  terminal_states: [done]
  transitions:
    - {from: idle, to: greeting, trigger: greet}
    - {from: greeting, to: done, trigger: greeted}
"#;

const GREETING: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Greeting",
  "description": "A first contract: change it, and run `omnigen build` again.",
  "type": "object",
  "properties": {
    "to": { "type": "string", "minLength": 1, "description": "Who is greeted." },
    "times": { "type": "integer", "minimum": 1, "maximum": 10, "default": 1 },
    "mood": { "enum": ["friendly", "formal"] }
  },
  "required": ["to"],
  "additionalProperties": false,
  "examples": [{ "to": "World", "mood": "friendly" }]
}
"#;

/// What became of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It was not there.
    Wrote,
    /// Lines were added at its end.
    Added,
    /// It was left as it was.
    Kept,
}

impl Step {
    /// For people: `wrote`.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Step::Wrote => "wrote",
            Step::Added => "added to",
            Step::Kept => "kept",
        }
    }
}

/// Makes the files in `root`, and says what became of each: path and step. In a folder that has an `omnigen.toml` nothing is
/// changed.
///
/// # Errors
///
/// With the path of the file that cannot be read or written.
pub(crate) fn init(
    root: &Path,
    name: &str,
    example: &Example,
) -> Result<Vec<(&'static str, Step)>, (&'static str, io::Error)> {
    let mut steps = Vec::new();
    let mut note = |path: &'static str, step: io::Result<Step>| {
        let step = step.map_err(|error| (path, error))?;
        steps.push((path, step));
        Ok(step)
    };
    // A folder with contracts needs no example.
    let found = if example.path == ONEX.path { contracts(root) } else { Vec::new() };
    let wanted = found.is_empty() && stat(&root.join("contracts")).map_err(|error| ("contracts", error))?.is_none();
    let text = config(name, &found);
    if note(omnigen_driver::config::FILE, create(root, omnigen_driver::config::FILE, &text))? == Step::Wrote {
        if wanted {
            note(example.path, create(root, example.path, example.text))?;
        }
        note(".gitattributes", append(root, ".gitattributes", "generated/** linguist-generated"))?;
        note(".gitignore", append(root, ".gitignore", ".omnigen/"))?;
    }
    Ok(steps)
}

/// Globs of the contracts that a repository of nodes has: they stand beside the code, each in its node's folder.
fn contracts(root: &Path) -> Vec<String> {
    let names = ["contract.yaml", "*_contract.yaml", "*.contract.yaml"];
    let globs: Vec<String> = names.iter().map(|name| format!("**/{name}")).collect();
    let exclude = ["**/.*/**", "**/node_modules/**", "**/site-packages/**"].map(str::to_owned);
    let found = omnigen_disk::discover(root, &globs, &exclude, "generated");
    let mut places = std::collections::BTreeSet::new();
    for file in &found.files {
        let (folder, file) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        let top = folder.split('/').next().filter(|top| !top.is_empty());
        let name = match file {
            "contract.yaml" => names[0],
            file if file.ends_with(".contract.yaml") => names[2],
            _ => names[1],
        };
        places.insert(top.map_or_else(|| name.to_owned(), |top| format!("{top}/**/{name}")));
    }
    if places.iter().all(|place| place.starts_with("contracts/")) {
        // Where they are looked for anyway.
        return Vec::new();
    }
    places.into_iter().collect()
}

fn config(name: &str, contracts: &[String]) -> String {
    let mut quoted = String::new();
    for c in name.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    let stated: String = match contracts {
        [] => String::new(),
        globs => {
            let lines: String = globs.iter().map(|glob| format!("    \"{glob}\",\n")).collect();
            format!("contracts = [\n{lines}]\n")
        }
    };
    let default = if contracts.is_empty() { "# contracts = [\"contracts/**/*.{json,yaml,yml}\"]\n" } else { "" };
    format!(
        r#"[project]
name = "{quoted}"
{stated}# These are the defaults:
{default}# exclude = []
# out = "generated"
# targets = ["models", "validators", "tests", "nodes"]

# [python]
# naming = "Model{{Name}}"
# line-length = 88
# format = "annotate"
"#
    )
}

fn create(root: &Path, path: &str, text: &str) -> io::Result<Step> {
    match place(root, path, text.as_bytes(), How::CreateOnly) {
        Ok(placed) if placed.outcome == omnigen_disk::Outcome::Same => Ok(Step::Kept),
        Ok(_) => Ok(Step::Wrote),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Step::Kept),
        Err(error) => Err(error),
    }
}

/// Adds a line unless the file has it.
fn append(root: &Path, path: &str, line: &str) -> io::Result<Step> {
    if create(root, path, &format!("{line}\n"))? == Step::Wrote {
        return Ok(Step::Wrote);
    }
    let path = root.join(path);
    let (mut text, _) = read_bytes(&path).map_err(|problem| io::Error::other(problem.to_string()))?;
    if text.split(|&byte| byte == b'\n').any(|other| other.trim_ascii() == line.as_bytes()) {
        return Ok(Step::Kept);
    }
    if text.last().is_some_and(|&byte| byte != b'\n') {
        text.push(b'\n');
    }
    text.extend(line.as_bytes());
    text.push(b'\n');
    write_atomic(&path, &text).map(|()| Step::Added)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests look at files for themselves")]
mod tests {
    use std::fs;

    use super::*;

    fn read(root: &Path, path: &str) -> String {
        fs::read_to_string(root.join(path)).unwrap_or_else(|error| format!("{path}: {error}"))
    }

    #[test]
    fn an_empty_folder_becomes_a_project_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let steps = init(folder.path(), "sh\"op\\", &JSON_SCHEMA).expect("written");
        assert_eq!(
            steps,
            [
                ("omnigen.toml", Step::Wrote),
                ("contracts/greeting.json", Step::Wrote),
                (".gitattributes", Step::Wrote),
                (".gitignore", Step::Wrote)
            ]
        );
        let text = read(folder.path(), "omnigen.toml");
        let (config, found) = omnigen_driver::Config::parse(&text);
        assert!(found.is_empty(), "{found:?}\n{text}");
        assert_eq!(config.map(|config| config.name).as_deref(), Some("sh\"op\\"));
        // The remarks say what holds without them.
        let spoken = text.replace("# These are the defaults:\n", "").replace("# ", "");
        assert_eq!(omnigen_driver::Config::parse(&spoken), omnigen_driver::Config::parse(&text), "{spoken}");

        fs::write(folder.path().join("contracts/greeting.json"), "mine").expect("written");
        assert_eq!(init(folder.path(), "other", &JSON_SCHEMA).expect("nothing to do"), [("omnigen.toml", Step::Kept)]);
        assert_eq!(read(folder.path(), "omnigen.toml"), text);
        assert_eq!(read(folder.path(), "contracts/greeting.json"), "mine");
    }

    #[test]
    fn files_that_are_there_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("contracts")).expect("made");
        fs::write(folder.path().join("contracts/order.json"), "{}").expect("written");
        fs::write(folder.path().join(".gitignore"), "target").expect("written");
        fs::write(folder.path().join(".gitattributes"), "a\r\ngenerated/** linguist-generated\r\n").expect("written");
        let steps = init(folder.path(), "shop", &JSON_SCHEMA).expect("written");
        assert_eq!(steps, [("omnigen.toml", Step::Wrote), (".gitattributes", Step::Kept), (".gitignore", Step::Added)]);
        assert_eq!(read(folder.path(), ".gitignore"), "target\n.omnigen/\n");
    }

    #[test]
    fn contracts_of_nodes_are_found_where_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in
            ["src/shop/nodes/node_pay/contract.yaml", "tests/a.contract.yaml", ".venv/lib/contract.yaml", "src/x.yaml"]
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "name: pay\n").expect("written");
        }
        let steps = init(folder.path(), "shop", &ONEX).expect("written");
        assert!(steps.iter().all(|(path, _)| *path != ONEX.path), "no example: {steps:?}");
        let (config, found) = omnigen_driver::Config::parse(&read(folder.path(), "omnigen.toml"));
        assert!(found.is_empty(), "{found:?}");
        let globs = config.map(|config| config.contracts).unwrap_or_default();
        assert_eq!(globs, ["src/**/contract.yaml", "tests/**/*.contract.yaml"]);
    }

    #[test]
    fn what_is_in_the_way_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join(".gitignore")).expect("made");
        assert_eq!(init(folder.path(), "shop", &JSON_SCHEMA).map_err(|(path, _)| path), Err(".gitignore"));
    }
}
