//! `omnigen context`: what an agent would see of a contract, and nothing else that it could.

use omnigen_agents::canonical_json;
use omnigen_ir::FileId;
use omnigen_report::Activity;

use crate::survey::Survey;
use crate::{Options, Outcome};

/// What an agent would see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A command: the context package, as canonical JSON.
    Package(String),
    /// A model: the rendered prompt.
    Prompt(String),
}

/// What the agent of a target would see of a contract, a path from the root. Nobody is asked and nothing is written.
///
/// # Errors
/// The outcome of a project that cannot be read, or in which this cannot be told.
pub fn context(options: &Options, target: &str, contract: &str) -> Result<Seen, Box<Outcome>> {
    let options = Options { activity: Activity::Plan, ..options.clone() };
    crate::events::started(Activity::Plan, None);
    let (mut session, scan) = crate::open(&options).map_err(|outcome| Box::new(crate::finished(&options, *outcome)))?;
    let failed = |problem| Box::new(crate::finished(&options, crate::environment(problem)));
    let survey = Survey::full(&session.setup, &session.records, &session.meta, scan);
    session.round(survey).map_err(failed)?;
    if session.agents.identity_of(target).is_none() {
        let known: Vec<String> = session.agents.targets().iter().map(|known| format!("`{}`", known.name)).collect();
        let known =
            if known.is_empty() { "there are none".to_owned() } else { format!("there are {}", known.join(", ")) };
        return Err(failed(format!("there is no target `{target}` that an agent makes; {known}")));
    }
    let file = FileId::from(contract);
    if session.records.get(&file).is_none_or(|record| !record.contract) {
        return Err(failed(format!("there is no contract `{contract}`")));
    }
    let package = crate::tasks::package(&mut session, &file, target)
        .map_err(|why| failed(format!("what `{target}` would see cannot be told: {why}")))?;
    match package.prompt {
        Some(prompt) => Ok(Seen::Prompt(prompt)),
        None => {
            let value =
                serde_json::from_str(&package.context.to_string()).map_err(|error| failed(error.to_string()))?;
            Ok(Seen::Package(canonical_json(&value)))
        }
    }
}
