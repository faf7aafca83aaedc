//! What is run: the agent as declared, the one task it gets, and what of them decides the answer.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use omnigen_ir::{Digest, Encoder, KeyPart, View};
use serde_json::Value;

use crate::paths::OutputPattern;
use crate::protocol::PROTOCOL;

/// A command agent, as `[agent.NAME]` declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentSpec {
    /// Its name in the configuration. For display; not part of its identity.
    pub name: String,
    /// The program and its arguments, not empty. A program without a `/` is looked up in the engine's `PATH`
    /// ([`Environment::path`]); a relative one with a `/` must be one of the task's files; an absolute one is taken as
    /// it is. Arguments are passed as they are: relative paths in them lead into the scratch folder.
    pub command: Vec<String>,
    /// Names of the only environment variables that it sees. Not even `PATH` and `HOME` are passed unless they are here.
    pub env: Vec<String>,
    /// Globs of project files that decide what it does. The caller resolves them into [`Task::files`].
    pub inputs: Vec<String>,
    /// Whether it may use the network.
    pub network: bool,
    /// Whether it is kept from everything that it did not declare, where the system can do that.
    pub sandbox: bool,
    /// Folders outside the project that it may read, beside the system's and its program's own. Absolute.
    pub read: Vec<PathBuf>,
    /// How long one task may take. The clock stands still while a need is being answered.
    pub timeout: Duration,
    /// Bounds on what it may send.
    pub limits: Limits,
}

/// Bounds on what one run of an agent may send and on how long it may linger. Not part of an agent's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes on its standard output, in all. Reaching it is a violation of the protocol.
    pub output: u64,
    /// How many artifacts it may give.
    pub artifacts: usize,
    /// How many needs it may ask for.
    pub needs: usize,
    /// The longest silence on both of its outputs, or `None` for any. Longer counts as a time-out.
    pub progress_within: Option<Duration>,
    /// How long it may live on after its last line, or after it closed its standard output.
    pub linger: Duration,
    /// How long it may live on after it was told to cancel.
    pub cancel_grace: Duration,
}

impl Default for Limits {
    /// 64 MiB of output, 4,096 artifacts, 4,096 needs, 30 s of silence, 2 s to exit, half a second to cancel.
    fn default() -> Limits {
        Limits {
            output: 64 << 20,
            artifacts: 4096,
            needs: 4096,
            progress_within: Some(Duration::from_secs(30)),
            linger: Duration::from_secs(2),
            cancel_grace: Duration::from_millis(500),
        }
    }
}

/// One task for an agent. It sees these values and nothing else of the project.
#[derive(Clone, Debug)]
pub struct Task {
    /// Names the task, the same on every machine and in every run (`docs:contracts/shop.json`): the agent sees it.
    pub id: String,
    /// The target that is built.
    pub target: String,
    /// The contract it is built for, a project path; `None` for a task over the whole project.
    pub contract: Option<String>,
    /// The context package. Written with sorted keys, whatever order it has here.
    pub context: Value,
    /// The agent's declared input files: put into its scratch folder, under their project paths.
    pub files: Vec<(String, Vec<u8>)>,
    /// The artifact paths that it may give: each must match one of these.
    pub outputs: Vec<OutputPattern>,
    /// The answer that it gave before, and what was wrong with it, if it is asked again because of that. Not part of the digest.
    pub feedback: Option<Value>,
}

/// What a run takes from the machine. Nothing of it is in an identity, except the values of declared variables.
#[derive(Clone, Default)]
pub struct Environment {
    /// The engine's `PATH`: where programs without a `/` are looked up.
    pub path: OsString,
    /// Each variable that the agent declares, in its order, with its value or `None` if it is not set.
    pub values: Vec<(String, Option<String>)>,
}

impl Environment {
    /// What the engine's own environment has for an agent.
    ///
    /// # Errors
    /// The name of a declared variable whose value is not UTF-8, or whose name cannot be one.
    #[expect(clippy::disallowed_methods, reason = "only what is declared is read, and its values are in the key")]
    pub fn of_engine(names: &[String]) -> Result<Environment, String> {
        let mut values = Vec::with_capacity(names.len());
        for name in names {
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(name.clone());
            }
            match std::env::var(name) {
                Ok(value) => values.push((name.clone(), Some(value))),
                Err(std::env::VarError::NotPresent) => values.push((name.clone(), None)),
                Err(std::env::VarError::NotUnicode(_)) => return Err(name.clone()),
            }
        }
        Ok(Environment { path: std::env::var_os("PATH").unwrap_or_default(), values })
    }
}

impl fmt::Debug for Environment {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values.iter().map(|(name, _)| name)).finish()
    }
}

impl AgentSpec {
    /// What makes this agent another agent: its command line, its input files, the values of its variables, what it may
    /// reach, the output of its version command, and the protocol. Its name, time-out, limits, globs (what they match
    /// counts) and all paths of the machine are left out.
    ///
    /// `inputs` are the project paths and digests of [`Task::files`], `values` those of [`Environment`]; the order of
    /// either does not matter.
    ///
    /// Encodings ([`Encoder`]): `agent.command` domain `omnigen agent command 1`, list of strings; `agent.input PATH`
    /// the digest of the bytes; `agent.env NAME` the digest of the value, or absent; `agent.version` the digest of the
    /// output; `agent.protocol` the digest of the number in decimal digits.
    pub fn identity(
        &self,
        inputs: &[(String, Digest)],
        values: &[(String, Option<String>)],
        version: Option<&str>,
    ) -> Vec<KeyPart> {
        let AgentSpec { name: _, command, env: _, inputs: _, network, sandbox, read, timeout: _, limits: _ } = self;
        let mut to = Encoder::new("omnigen agent command 1", View::Full);
        to.part(command);
        let mut parts =
            vec![KeyPart::new("agent.command", to.finish()), KeyPart::text("agent.protocol", &PROTOCOL.to_string())];
        if *network {
            parts.push(KeyPart::text("agent.network", "true"));
        }
        if !*sandbox {
            parts.push(KeyPart::text("agent.sandbox", "false"));
        }
        let read: Vec<&str> = read.iter().filter_map(|path| path.to_str()).collect();
        if !read.is_empty() {
            parts.push(KeyPart::text("agent.read", &read.join("\0")));
        }
        parts.extend(version.map(|version| KeyPart::text("agent.version", version)));
        let mut inputs = inputs.to_vec();
        inputs.sort();
        parts.extend(inputs.into_iter().map(|(path, digest)| KeyPart::new(format!("agent.input {path}"), digest)));
        let mut values = values.to_vec();
        values.sort();
        parts.extend(values.into_iter().map(|(name, value)| {
            let name = format!("agent.env {name}");
            value.map_or_else(|| KeyPart::absent(name.as_str()), |value| KeyPart::text(name.as_str(), &value))
        }));
        parts
    }
}

impl Task {
    /// The digest of everything that the agent sees of its task.
    ///
    /// Encoding ([`Encoder`]): domain `omnigen task 1`; id, target (strings); contract (option of string); context
    /// (string, as [`canonical_json`] writes it); files sorted by path (list of string, digest of the bytes); outputs
    /// (list of flag [`OutputPattern::is_path`], string).
    pub fn digest(&self) -> Digest {
        let Task { id, target, contract, context, files, outputs, feedback: _ } = self;
        let mut to = Encoder::new("omnigen task 1", View::Full);
        to.str(id);
        to.str(target);
        to.part(contract);
        to.str(&canonical_json(context));
        let mut files: Vec<_> = files.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes))).collect();
        files.sort();
        to.part(&files);
        to.int(outputs.len() as u64);
        for output in outputs {
            to.byte(u8::from(output.is_path()));
            to.str(output.as_str());
        }
        to.finish()
    }
}

/// A JSON value as one line with sorted keys and without spaces: equal values give equal text.
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn different<T: Ord>(digests: impl IntoIterator<Item = T>) {
        let mut digests: Vec<T> = digests.into_iter().collect();
        let count = digests.len();
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), count);
    }

    fn spec(command: &[&str]) -> AgentSpec {
        AgentSpec {
            name: "writer".into(),
            command: command.iter().map(|part| part.to_string()).collect(),
            env: Vec::new(),
            inputs: Vec::new(),
            network: false,
            sandbox: true,
            read: Vec::new(),
            timeout: Duration::from_secs(1),
            limits: Limits::default(),
        }
    }

    #[test]
    fn identity_is_what_decides_the_answer() {
        let file = |path: &str, text: &str| (path.to_string(), Digest::of(text.as_bytes()));
        let value = |name: &str, value: Option<&str>| (name.to_string(), value.map(String::from));
        let python = spec(&["python3", "a.py"]);
        different([
            python.identity(&[], &[], None),
            spec(&["python3 a.py"]).identity(&[], &[], None),
            spec(&["python3", "a.py", ""]).identity(&[], &[], None),
            python.identity(&[file("a.py", "x")], &[], None),
            python.identity(&[file("a.py", "y")], &[], None),
            python.identity(&[file("b.py", "x")], &[], None),
            python.identity(&[], &[value("A", None)], None),
            python.identity(&[], &[value("A", Some(""))], None),
            python.identity(&[], &[value("A", Some("1"))], None),
            python.identity(&[], &[], Some("")),
            python.identity(&[], &[], Some("1")),
            AgentSpec { network: true, ..python.clone() }.identity(&[], &[], None),
            AgentSpec { read: vec!["/opt".into()], ..python.clone() }.identity(&[], &[], None),
        ]);
        let files = [file("b", "1"), file("a", "2")];
        let values = [value("B", None), value("A", Some("x"))];
        let reversed = |files: &[(String, Digest)]| files.iter().rev().cloned().collect::<Vec<_>>();
        assert_eq!(
            python.identity(&files, &values, None),
            python.identity(&reversed(&files), &[values[1].clone(), values[0].clone()], None)
        );
        let elsewhere = AgentSpec {
            name: "other".into(),
            timeout: Duration::from_secs(9),
            limits: Limits { output: 1, ..Limits::default() },
            ..python.clone()
        };
        assert_eq!(elsewhere.identity(&files, &values, None), python.identity(&files, &values, None));
    }

    #[test]
    fn every_part_of_a_task_counts() {
        let output = |text: &str| OutputPattern::new(text, &[]).expect("a pattern");
        let task = Task {
            id: "docs:a".into(),
            target: "docs".into(),
            contract: Some("a".into()),
            context: json!({"b": [1, 1.5, null], "a": {"y": 1, "x": "\u{e9}\n"}}),
            files: vec![("f".into(), b"1".to_vec())],
            outputs: vec![output("docs/a")],
            feedback: None,
        };
        assert_eq!(canonical_json(&task.context), "{\"a\":{\"x\":\"\u{e9}\\n\",\"y\":1},\"b\":[1,1.5,null]}");
        different([
            task.digest(),
            Task { id: "x".into(), ..task.clone() }.digest(),
            Task { target: "x".into(), ..task.clone() }.digest(),
            Task { contract: None, ..task.clone() }.digest(),
            Task { contract: Some(String::new()), ..task.clone() }.digest(),
            Task { context: json!({}), ..task.clone() }.digest(),
            Task { files: vec![("f".into(), b"2".to_vec())], ..task.clone() }.digest(),
            Task { files: Vec::new(), ..task.clone() }.digest(),
            Task { outputs: vec![output("docs/*")], ..task.clone() }.digest(),
        ]);
    }

    #[test]
    fn values_are_not_printed() {
        let values = vec![("TOKEN".to_string(), Some("tok-5ecret".to_string()))];
        assert_eq!(format!("{:?}", Environment { values, ..Environment::default() }), "[\"TOKEN\"]");
    }
}
