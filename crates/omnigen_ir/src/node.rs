//! What a node contract says beside its types: versions, names, topics, routes, dependencies, retries, operations, states.
//!
//! Plain data, in the contract's order; texts are as the contract spells them. Knows neither ONEX' many spellings of the same
//! thing (the loader does) nor Python.

/// The manifest of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeManifest {
    /// What the node is called: `name`, or the first of the other keys that there is.
    pub name: Box<str>,
    /// All names that the contract gives, by key: `node_name`, `contract_name`, `node_id`, `handler_id`, …
    pub names: Vec<(Box<str>, Box<str>)>,
    /// `node_type` in lower case without `_generic`: `effect`, `compute`, `reducer`, `orchestrator`, …
    pub kind: Option<Box<str>>,
    /// `node_type` as it is spelled.
    pub node_type: Option<Box<str>>,
    /// Versions by key, such as `contract_version`.
    pub versions: Vec<(Box<str>, Version)>,
    /// What the node is for.
    pub description: Option<Box<str>>,
    /// Python models of whole messages, by role: `input_model`, `output_model`, …
    pub models: Vec<ModelUse>,
    /// Topics, each once per role.
    pub topics: Vec<Topic>,
    /// Which handler gets what.
    pub routing: Option<Routing>,
    /// What the node needs.
    pub dependencies: Vec<Dependency>,
    /// What is tried again, and when.
    pub retry: Option<Retry>,
    /// Errors that the contract declares.
    pub errors: Vec<ErrorType>,
    /// What the node can do.
    pub capabilities: Vec<Capability>,
    /// Its operations.
    pub operations: Vec<Operation>,
    /// Its state machines.
    pub machines: Vec<Machine>,
    /// `descriptor`: purity, time limits and such, by name.
    pub descriptor: Vec<(Box<str>, Setting)>,
    /// `metadata`: texts and lists of texts, by name.
    pub metadata: Vec<(Box<str>, Setting)>,
}

/// A version as in semantic versioning 2.0.0, without build metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Incompatible changes.
    pub major: u64,
    /// Additions.
    pub minor: u64,
    /// Corrections.
    pub patch: u64,
    /// What stands behind a hyphen; empty if nothing does.
    pub prerelease: Box<str>,
}

/// A plain value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A text.
    Text(Box<str>),
    /// JSON number text.
    Number(Box<str>),
    /// A flag.
    Flag(bool),
    /// Texts.
    Texts(Vec<Box<str>>),
}

/// A Python model that stands for a whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelUse {
    /// The key: `input_model`.
    pub role: Box<str>,
    /// Its module; empty if the contract does not say.
    pub module: Box<str>,
    /// The class.
    pub class: Box<str>,
}

/// What a topic is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TopicRole {
    /// The node publishes there.
    Published,
    /// The node listens there.
    Subscribed,
    /// Messages that nobody could handle go there.
    DeadLetter,
    /// The message that ends the work.
    Terminal,
    /// A message that tells of success.
    Success,
    /// A message that tells of failure.
    Failure,
}

/// A topic in a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name on the bus.
    pub name: Box<str>,
    /// What for.
    pub role: TopicRole,
    /// What the contract says about it.
    pub description: Option<Box<str>>,
    /// The schema or model of its messages, as the contract spells it.
    pub schema: Option<Box<str>>,
}

/// Which handler gets what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// `routing_strategy`
    pub strategy: Option<Box<str>>,
    /// Who gets what no route takes.
    pub default: Option<Handler>,
    /// The routes in order.
    pub routes: Vec<Route>,
}

/// Who handles something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handler {
    /// Class or function.
    pub name: Box<str>,
    /// Its module; empty if the contract does not say.
    pub module: Box<str>,
    /// `type` or `handler_type`; empty if the contract does not say.
    pub kind: Box<str>,
}

/// One route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// What it matches: the operation, routing key, event type, topic, backend, or class of the payload.
    pub key: Box<str>,
    /// Which of these it is: `operation`, `event_type`, …; empty if the route matches by its handler alone.
    pub by: Box<str>,
    /// Who gets it.
    pub handler: Handler,
    /// The class of the message, with its module; empty if the contract does not say.
    pub model: Box<str>,
    /// `topic` or `subscribe_topic`; empty if the contract does not say.
    pub topic: Box<str>,
    /// `output_events`
    pub output_events: Vec<Box<str>>,
    /// `supported_operations` and `actions`
    pub operations: Vec<Box<str>>,
    /// `priority`; JSON number text, empty if the contract does not say.
    pub priority: Box<str>,
    /// What the contract says about it.
    pub description: Option<Box<str>>,
}

/// What a node needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependency {
    /// What it is called.
    pub name: Box<str>,
    /// `protocol`, `handler`, `service`, `environment`, `node`, `package`, …
    pub kind: Box<str>,
    /// Where it is, as `module.Class` or `module`; empty if the contract does not say.
    pub target: Box<str>,
    /// Can the node do without?
    pub required: bool,
    /// `version`; empty if the contract does not say.
    pub version: Box<str>,
    /// What the contract says about it.
    pub description: Option<Box<str>>,
}

/// When something is tried again. Numbers are JSON number texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    /// The settings in the contract's order: `max_retries`, `initial_delay_ms`, …
    pub settings: Vec<(Box<str>, Setting)>,
}

/// An error that the contract declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorType {
    /// Its name.
    pub name: Box<str>,
    /// `error_code`; empty if the contract does not say.
    pub code: Box<str>,
    /// Can the node go on?
    pub recoverable: bool,
    /// `retry_strategy`; empty if the contract does not say.
    pub retry_strategy: Box<str>,
    /// What the contract says about it.
    pub description: Option<Box<str>>,
}

/// What a node can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capability {
    /// Its name.
    pub name: Box<str>,
    /// `version`; empty if the contract does not say.
    pub version: Box<str>,
    /// What the contract says about it.
    pub description: Option<Box<str>>,
}

/// An operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    /// Its name.
    pub name: Box<str>,
    /// May it be done twice?
    pub idempotent: Option<bool>,
    /// `handler_method` or `protocol_method`; empty if the contract does not say.
    pub method: Box<str>,
    /// Names of the fields that it takes.
    pub inputs: Vec<Box<str>>,
    /// Names of the fields that it gives.
    pub outputs: Vec<Box<str>>,
    /// What the contract says about it.
    pub description: Option<Box<str>>,
}

/// A state machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The contract's key for it: `state_machine`, `fsm`, `state_transitions`.
    pub key: Box<str>,
    /// Its name; empty if the contract does not say.
    pub name: Box<str>,
    /// Where it begins.
    pub initial: Option<Box<str>>,
    /// Its states, those only named by transitions at the end.
    pub states: Vec<MachineState>,
    /// Its transitions.
    pub transitions: Vec<Transition>,
}

/// A state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MachineState {
    /// Its name.
    pub name: Box<str>,
    /// Does the machine end there?
    pub terminal: bool,
    /// What the contract says about it.
    pub description: Option<Box<str>>,
}

/// A transition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transition {
    /// The state before; `None` is any (`*`).
    pub from: Option<Box<str>>,
    /// The state after.
    pub to: Box<str>,
    /// What sets it off; empty if the contract does not say.
    pub trigger: Box<str>,
}
