//! Every code that a diagnostic can have, in one list.

use crate::Severity;

macro_rules! codes {
    ($($name:ident $id:literal $severity:ident $title:literal;)*) => {
        /// What kind of finding a diagnostic is. The text form is stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum Code {
            $(#[doc = $title] #[serde(rename = $id)] $name,)*
        }

        impl Code {
            /// All codes, in the order of their declaration.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The stable text form.
            pub fn id(self) -> &'static str {
                match self { $(Code::$name => $id),* }
            }

            /// The code of a text form; or the one that was probably meant.
            ///
            /// # Errors
            /// There is no such code: the nearest one, if any is near.
            pub fn named(id: &str) -> Result<Code, Option<Code>> {
                let id = id.to_ascii_lowercase();
                match Code::ALL.iter().find(|code| code.id() == id) {
                    Some(code) => Ok(*code),
                    None => Err(crate::nearest(&id, Code::ALL.iter().map(|code| code.id()), 3)
                        .and_then(|near| Code::ALL.iter().copied().find(|code| code.id() == near))),
                }
            }

            /// What it means, in a sentence.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title),* }
            }

            /// How bad it usually is.
            pub fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity),* }
            }
        }
    };
}

codes! {
    // Files and syntax.
    Unreadable "unreadable" Error "The file cannot be read.";
    NotUtf8 "not-utf8" Error "The file is not UTF-8.";
    Empty "empty" Error "The file holds no document.";
    Syntax "syntax" Error "The text is no JSON or YAML.";
    DuplicateKey "duplicate-key" Warning "An object has two members of one name; the last one counts.";
    TooDeep "too-deep" Error "The document is nested deeper than the limit.";
    TooLarge "too-large" Error "The document is larger than a limit allows.";
    NotAContract "not-a-contract" Error "The document is not a contract that omnigen knows.";

    // Schemas.
    WrongType "wrong-type" Error "A keyword has a value of the wrong type.";
    UnknownType "unknown-type" Error "`type` names a type that does not exist.";
    UnknownKeyword "unknown-keyword" Note "A keyword that JSON Schema does not define; it asserts nothing.";
    MisspelledKeyword "misspelled-keyword" Warning "A word that is close to one with a meaning; as written it has none.";
    IgnoredKeyword "ignored-keyword" Warning "A keyword has no effect where it stands.";
    NotCarried "not-carried" Warning "A keyword that asserts something and is not yet carried over into the generated code.";
    UnknownDialect "unknown-dialect" Warning "`$schema` names a dialect that omnigen does not know.";
    UnknownFormat "unknown-format" Note "A format that omnigen does not check.";
    BadPattern "bad-pattern" Error "A pattern is no regular expression of ECMA 262.";
    PatternNotCarried "pattern-not-carried" Error "A pattern that Python's `re` cannot express.";
    SlowPattern "slow-pattern" Warning "A pattern that can take exponential time.";
    BadReference "bad-reference" Error "A reference is no URI reference.";
    DanglingReference "dangling-ref" Error "A reference leads nowhere.";
    ReferenceLoop "ref-loop" Error "References lead in a circle without any content.";
    DuplicateId "duplicate-id" Warning "Two contracts have one `$id`.";
    MismatchedDefault "mismatched-default" Warning "A default that its own schema does not allow; it is not carried over.";
    NeverValid "never-valid" Warning "Nothing can be valid here.";
    ExampleInvalid "example-invalid" Warning "An example that its own schema does not allow.";

    // ONEX.
    BadTypeExpression "bad-type-expression" Warning "A type of an ONEX contract cannot be read; everything is allowed.";
    ProseType "prose-type" Warning "A type of an ONEX contract is prose; what was understood of it counts.";
    UntypedField "untyped-field" Warning "Fields are named and have no type; everything is allowed.";
    BadInclude "bad-include" Error "`!include` names a file that cannot be included.";
    BadTopic "bad-topic" Warning "A topic is not named as the others are.";
    DifferingNames "differing-names" Warning "A node has several names; the first one counts.";
    MissingKey "missing-key" Warning "A contract lacks a key that belongs to it.";
    PlaceholderKey "placeholder-key" Warning "A key of a template was not replaced.";
    UnknownState "unknown-state" Warning "A transition names a state that the machine does not declare.";

    NoVerdict "no-verdict" Warning "The oracle cannot judge documents of a contract; its tests have none.";

    // Names and outputs.
    HeldBack "held-back" Warning "Nothing is written for a contract, because one that it refers to has errors.";
    NameCollision "name-collision" Error "Two types of one contract want the same name.";
    OutputCollision "output-collision" Error "Two contracts want the same output.";
    ForeignFile "foreign-file" Error "A file that omnigen did not make is in the place of an output.";
    EditedOutput "edited-output" Error "An output was edited by hand; it is not overwritten.";
    Unwritable "unwritable" Error "An output cannot be written.";

    // Schemas elsewhere.
    FetchFailed "fetch-failed" Error "A remote schema cannot be fetched.";
    RemoteChanged "remote-changed" Error "A remote schema is not the one that is here; it is not taken unasked.";
    MirrorChanged "mirror-changed" Error "The copy of a remote schema is not the one that `omnigen.lock` names.";

    // Configuration.
    BadConfig "bad-config" Error "`omnigen.toml` is not as it should be.";
    UnknownConfigKey "unknown-config-key" Error "`omnigen.toml` has a key that does not exist.";

    // Agents.
    AgentFailed "agent-failed" Error "An agent gave no usable answer.";
    AgentProtocol "agent-protocol" Error "An agent broke the protocol.";
    AgentTimeout "agent-timeout" Error "An agent did not answer in time.";
    AgentMissing "agent-missing" Error "An agent's command cannot be started.";
    GateFailed "gate-failed" Error "An agent's answer did not pass a gate.";
    AnswerMissing "answer-missing" Error "An agent's answer is needed and may not be asked for.";
    TaskCycle "task-cycle" Error "Tasks need each other in a circle.";

    // State.
    DamagedManifest "damaged-manifest" Warning "The manifest could not be used; everything is built anew.";
    StoreUnwritable "store-unwritable" Warning "The store that checkouts share cannot be written to.";
}

impl Code {
    /// What usually helps, for findings that know nothing better.
    pub fn advice(self) -> Option<&'static str> {
        Some(match self {
            Code::Empty | Code::NotAContract => {
                "write a contract there, or leave the file out: `exclude` in omnigen.toml"
            }
            Code::UnknownKeyword => "leave it out, or begin it with `x-` if it is meant for another reader",
            Code::TooDeep | Code::TooLarge => "split it, and refer from one part to the other",
            Code::NeverValid => "change one of the two",
            Code::BadPattern => "a pattern is one of ECMA 262; what is meant as it stands is escaped, as in `\\[`",
            Code::DanglingReference => "add what is missing, or mend the reference",
            Code::UnknownDialect => "state a version that is known, and see whether the rest holds",
            Code::BadInclude => "paths count from the folder of the including file",
            Code::DifferingNames => "give it one name, and leave the other keys out",
            Code::BadTopic => "for example `onex.evt.shop.order-placed.v1`",
            Code::MissingKey => "add it, or leave the entry out",
            _ => return None,
        })
    }
}
