//! The command line as data. Does not know what the commands do.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// What `omnigen` was asked to do.
#[derive(Debug, Parser, PartialEq, Eq)]
#[command(
    name = "omnigen",
    version,
    about = "Builds Pydantic models, validators and tests from contracts, and keeps them up to date",
    after_help = "Exit codes: 0 done, 1 contracts have errors or --check found something, 2 usage or environment,\n\
                  3 an agent gave no usable answer, 101 a bug of omnigen, 130 interrupted.\n\
                  Variables: OMNIGEN_CACHE (see --cache-dir), OMNIGEN_LOG (a filter such as `debug`), NO_COLOR, CI, TERM=dumb.",
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Options of all commands.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Options of all commands.
#[derive(Debug, Args, PartialEq, Eq)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub(crate) directory: Option<PathBuf>,
    /// Threads [default: one for each processor]
    #[arg(short = 'j', long, value_name = "N", global = true)]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Show errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Show notes, and every output that changes
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Use colours
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    pub(crate) color: Color,
    /// How findings and changes are told: for people, as JSON lines on stdout, or in a format of CI systems
    #[arg(long, value_name = "FORMAT", global = true, default_value = "human")]
    pub(crate) message_format: Format,
    /// Share what is made with other checkouts, by way of the store in DIR [env: OMNIGEN_CACHE, or `cache.folder` in omnigen.toml]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Write what happens to FILE, as JSON lines, while it happens
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) events: Option<PathBuf>,
    /// Write what ran when on which thread to FILE, as a Chrome trace
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) profile: Option<PathBuf>,
}

/// How findings are told.
#[derive(Clone, Copy, Debug, Default, ValueEnum, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text for people, on stderr
    #[default]
    Human,
    /// JSON lines on stdout; `omnigen schema events` describes them
    Json,
    /// Annotations of GitHub Actions, on stdout
    Github,
    /// One SARIF 2.1.0 log, on stdout
    Sarif,
    /// One JUnit report, on stdout
    Junit,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum, PartialEq, Eq)]
pub(crate) enum Color {
    /// On a terminal that can, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand, PartialEq, Eq)]
pub(crate) enum Command {
    /// Begin a project in this folder
    Init {
        /// What the project is called [default: the folder's name]
        #[arg(long)]
        name: Option<String>,
        /// With the contract of an ONEX node as the example
        #[arg(long)]
        onex: bool,
    },
    /// Bring the outputs up to date
    ///
    /// Without files: those of the project, which is described by `omnigen.toml` in this folder or one above.
    /// With files: those of these contracts, without a project; --out says where they go.
    Build(Build),
    /// Keep the outputs up to date until Ctrl-C
    Watch,
    /// Read the contracts and say what is wrong; write nothing
    Check,
    /// Show what `build` would change, as a patch; write nothing
    Diff,
    /// Say why an artifact was built, or would be: from what changed to its bytes
    Explain {
        /// An output, a contract, or contract:target
        #[arg(value_name = "ARTIFACT")]
        artifact: String,
    },
    /// Print what an agent would see of a contract: the context package of a command, the prompt of a model
    Context {
        /// A target that an agent makes
        #[arg(value_name = "TARGET")]
        target: String,
        /// A contract
        #[arg(value_name = "CONTRACT")]
        contract: String,
    },
    /// Look after what is kept between builds, in `.omnigen` and in the shared store (--cache-dir)
    ///
    /// Nothing in it is needed for a right result: without it the next build is slower and asks agents again, unless their
    /// answers are pinned by `omnigen.lock` and the committed outputs.
    Cache {
        /// What to do
        #[command(subcommand)]
        act: Cache,
    },
    /// List builds that changed something, the newest first: when, because of what, and what they wrote
    Log {
        /// So many
        #[arg(short = 'n', long, value_name = "N", default_value = "10")]
        number: usize,
    },
    /// Show contracts, what they refer to, what is made of them, and what the last build touched
    Graph {
        /// For Graphviz, for Mermaid, as data, or as one page for looking
        #[arg(long, value_name = "FORMAT", default_value = "dot")]
        format: Picture,
    },
    /// Print a JSON Schema of one of our own formats
    Schema {
        /// The format
        #[arg(value_name = "FORMAT")]
        format: Described,
    },
    /// Print a script that completes commands and options in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
    /// Copy remote schemas into the folder `refs` and lock what they say
    ///
    /// Copies lie at <refs>/<host>/<path>; what a schema refers to is fetched too. This is the only command that reads the
    /// network for contracts. A remote schema that has changed is told, with exit code 1, and not taken.
    Vendor(Vendor),
    /// Say what a code of a finding means, and what to do
    ///
    /// Without a code: all codes, one a line.
    Codes {
        /// A code, as it stands in brackets: dangling-ref
        #[arg(value_name = "CODE")]
        code: Option<String>,
    },
}

/// Arguments of `vendor`.
#[derive(Debug, Default, Args, PartialEq, Eq)]
pub(crate) struct Vendor {
    /// Schemas to fetch [default: those that contracts refer to, or omnigen.lock names, and that are not there]
    #[arg(value_name = "URL")]
    pub(crate) urls: Vec<String>,
    /// Take schemas that have changed; without URL look at all that are locked
    #[arg(long)]
    pub(crate) update: bool,
    /// Folder with copies of remote schemas [default: `refs` in omnigen.toml]
    #[arg(long, value_name = "DIR")]
    pub(crate) refs: Option<PathBuf>,
    /// How long one answer may take [default: 30]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) timeout: Option<NonZeroU32>,
}

/// What can be done with what is kept between builds.
#[derive(Clone, Copy, Debug, Subcommand, PartialEq, Eq)]
pub(crate) enum Cache {
    /// Say what is kept, and how large it is
    Info,
    /// Remove what nothing refers to any more, and of the shared store what was not used for longest
    Gc {
        /// Megabytes that the shared store may have afterwards [default: `cache.max-size` in omnigen.toml, 1024]
        #[arg(long, value_name = "MB")]
        max_size: Option<u32>,
    },
    /// Check that everything is as it was written; exit code 1 if something is not
    Verify,
    /// Forget everything, also for those who share the store
    Clear,
}

/// Formats of our own.
#[derive(Clone, Copy, Debug, ValueEnum, PartialEq, Eq)]
pub(crate) enum Described {
    /// `omnigen.toml`
    Config,
    /// Lines between omnigen and command agents, and the context package
    AgentProtocol,
    /// Lines of `--events` and of `--message-format json`
    #[value(alias = "messages")]
    Events,
    /// `explain --message-format json`
    Explain,
    /// A line of `log --message-format json`
    Log,
    /// `graph --format json`
    Graph,
}

/// How the graph is drawn.
#[derive(Clone, Copy, Debug, ValueEnum, PartialEq, Eq)]
pub(crate) enum Picture {
    /// For Graphviz
    Dot,
    /// For Mermaid
    Mermaid,
    /// As data
    Json,
    /// One page that needs nothing else
    Html,
}

/// Arguments of `build`.
#[derive(Debug, Default, Args, PartialEq, Eq)]
pub(crate) struct Build {
    /// Contracts to build without a project
    #[arg(value_name = "CONTRACT")]
    pub(crate) files: Vec<PathBuf>,
    /// Folder of the outputs, with CONTRACT
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Folder with copies of remote schemas, instead of the one that omnigen.toml names
    #[arg(long, value_name = "DIR")]
    pub(crate) refs: Option<PathBuf>,
    /// Write nothing and start no agent; list outputs that are not up to date, with exit code 1 if there are any
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) check: bool,
    /// Write nothing and start no agent; list what would be done
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,
    /// Build what can be built beside contracts that have errors (the default)
    #[arg(short = 'k', long, overrides_with = "fail_fast")]
    pub(crate) keep_going: bool,
    /// End at the first contract with errors
    #[arg(long, overrides_with = "keep_going")]
    pub(crate) fail_fast: bool,
    /// Start no agent; an answer that is not known is an error
    #[arg(long)]
    pub(crate) frozen: bool,
    /// Start no agent that needs a network
    #[arg(long)]
    pub(crate) offline: bool,
    /// Ask the agent of this target again, whatever is stored
    #[arg(long, value_name = "TARGET", conflicts_with_all = ["check", "frozen"])]
    pub(crate) refresh: Vec<String>,
    /// Overwrite outputs that were edited by hand
    #[arg(long, conflicts_with = "check")]
    pub(crate) force: bool,
    /// Ask every artifact's reads, not only those that the index names: for tests, which prove that it is the same
    #[arg(long, hide = true)]
    pub(crate) no_index: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, String> {
        Cli::try_parse_from(line.split_whitespace()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn files_and_flags() {
        let cli =
            parse("omnigen build a.json b.yaml --out made --refs mirror -C here -j 3 -v --color never").expect("right");
        assert_eq!(
            cli,
            Cli {
                command: Command::Build(Build {
                    files: vec!["a.json".into(), "b.yaml".into()],
                    out: Some("made".into()),
                    refs: Some("mirror".into()),
                    ..Build::default()
                }),
                global: Global {
                    directory: Some("here".into()),
                    jobs: NonZeroUsize::new(3),
                    quiet: false,
                    verbose: true,
                    color: Color::Never,
                    message_format: Format::Human,
                    cache_dir: None,
                    events: None,
                    profile: None,
                }
            }
        );
        // Global options may stand before the command as well.
        assert_eq!(parse("omnigen -q -j 3 watch"), parse("omnigen watch -j 3 -q"));
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (line, part) in [
            ("omnigen", "Usage:"),
            ("omnigen built", "'build'"),
            ("omnigen build --chek", "'--check'"),
            ("omnigen build -q -v", "cannot be used with"),
            ("omnigen build --check --force", "cannot be used with"),
            ("omnigen build --check -n", "cannot be used with"),
            ("omnigen build -j 0", "invalid value '0'"),
            ("omnigen build --color sometimes", "possible values: auto, always, never"),
            ("omnigen watch file.json", "unexpected argument"),
        ] {
            let message = parse(line).expect_err(line);
            assert!(message.contains(part), "{line}: {message}");
        }
    }
}
