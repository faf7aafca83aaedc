//! What agents ask for while they run: how it is answered, recorded, and checked again.

use omnigen_agents::{Need, NeedReply};
use omnigen_engine::{Given, ReadKey, Target};
use omnigen_ir::{Digest, FileId};

use super::TaskId;
use crate::session::Session;

/// How a need stands.
pub(super) enum Met {
    /// It can be answered.
    Reply(NeedReply),
    /// Another task has to be answered first.
    Task(TaskId),
}

/// Needs as the lock writes them: `target:models`, `target:models:contracts/a.json`, `contract:…`, `file:…`, `pattern:…`.
pub(super) fn name(need: &Need) -> String {
    match need {
        Need::Target { target, contract: None } => format!("target:{target}"),
        Need::Target { target, contract: Some(contract) } => format!("target:{target}:{contract}"),
        Need::Contract { contract } => format!("contract:{contract}"),
        Need::File { file } => format!("file:{file}"),
        Need::Pattern { pattern } => format!("pattern:{pattern}"),
    }
}

pub(super) fn named(name: &str) -> Option<Need> {
    let (kind, rest) = name.split_once(':')?;
    Some(match kind {
        "target" => match rest.split_once(':') {
            Some((target, contract)) => Need::Target { target: target.into(), contract: Some(contract.into()) },
            None => Need::Target { target: rest.into(), contract: None },
        },
        "contract" => Need::Contract { contract: rest.into() },
        "file" => Need::File { file: rest.into() },
        "pattern" => Need::Pattern { pattern: rest.into() },
        _ => return None,
    })
}

/// The read that a need is.
pub(super) fn read_key(own: &FileId, target: &str, need: &Need) -> ReadKey {
    match need {
        Need::Target { target, contract } => {
            let file = contract.as_deref().map_or_else(|| own.clone(), FileId::from);
            ReadKey::Artifact(file, target.as_str().into())
        }
        Need::Contract { contract } => ReadKey::Document(contract.as_str().into()),
        Need::File { file } => ReadKey::Bytes(file.as_str().into()),
        Need::Pattern { pattern } => ReadKey::Like(own.clone(), target.into(), pattern.as_str().into()),
    }
}

/// What a task has given, as the answer to a need. `None` if its texts are not here.
pub(super) fn files(given: &Given) -> Option<NeedReply> {
    let files = given.files.iter();
    let files: Option<Vec<(String, Vec<u8>)>> =
        files.map(|file| Some((file.path.to_string(), file.bytes.as_deref()?.to_vec()))).collect();
    Some(NeedReply::files(&files?))
}

/// The digest under which [`files`] is recorded: known even where the texts are not.
pub(super) fn files_digest(given: &Given) -> Digest {
    let digests: Vec<(String, Digest)> = given.files.iter().map(|file| (file.path.to_string(), file.digest)).collect();
    NeedReply::files_digest(&digests)
}

/// The answer to a need of a task.
pub(super) fn met(session: &mut Session, (own, asking): &TaskId, need: &Need) -> Result<Met, String> {
    Ok(Met::Reply(match need {
        Need::Target { target, contract } => {
            let file = contract.as_deref().map_or_else(|| own.clone(), FileId::from);
            if let Some(builtin) = Target::ALL.into_iter().find(|t| t.name() == target && *t != Target::Check) {
                let made = session.records.details(&file).and_then(|d| d.made.get(builtin.name())).cloned();
                let Some(made) = made.filter(|made| made.ready) else { return Ok(Met::Reply(NeedReply::Absent)) };
                let path = session.setup.unit(&file).path(builtin.kind());
                session.readable(&file)?;
                match session.graph_mut()?.text(&file, builtin, made.digest) {
                    Some(text) => NeedReply::files(&[(path, text.into_bytes())]),
                    None => NeedReply::Absent,
                }
            } else if session.agents.target(target).is_none() {
                NeedReply::Impossible(format!("no target `{target}` is built"))
            } else if session.records.get(&file).is_none_or(|record| !record.contract) {
                NeedReply::Absent
            } else {
                return Ok(Met::Task((file, target.as_str().into())));
            }
        }
        Need::Contract { contract } => {
            let file = FileId::from(contract.as_str());
            if session.records.get(&file).is_none() {
                return Ok(Met::Reply(NeedReply::Absent));
            }
            session.readable(&file)?;
            match session.graph_mut()?.document(&file).and_then(|json| serde_json::from_str(&json.to_string()).ok()) {
                Some(value) => NeedReply::value(value),
                None => NeedReply::Absent,
            }
        }
        Need::File { file } => {
            if omnigen_disk::safe_relative(file).is_err() {
                return Ok(Met::Reply(NeedReply::Impossible(format!("`{file}` is not a path inside the project"))));
            }
            match omnigen_disk::files::read_bytes(&session.setup.root.join(file)) {
                Ok((bytes, _)) => NeedReply::files(&[(file.clone(), bytes)]),
                Err(_) => NeedReply::Absent,
            }
        }
        Need::Pattern { pattern } => match session.agents.target(asking).and_then(|target| target.patterns.clone()) {
            Some((library, top)) => {
                let found = library.like(pattern, top).into_iter();
                let found: Vec<(String, Vec<u8>)> =
                    found.map(|(path, text, _)| (path.into(), text.as_bytes().to_vec())).collect();
                NeedReply::files(&found)
            }
            None => NeedReply::Impossible(format!("target `{asking}` has no `patterns`")),
        },
    }))
}
