//! The command `omnigen`: arguments, printing, exit codes. What is to be done is `omnigen_driver`'s.

mod args;
mod draw;
mod init;
mod profile;
mod screen;
mod stream;

use std::env;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use omnigen_driver::{Drawing, Mode, Options, Outcome, Vendoring};
use omnigen_report::{Activity, Exit};

use crate::args::{Build, Cli, Command, Described, Format, Global, Picture};
use crate::init::Step;
use crate::profile::Profile;
use crate::screen::{Asked, Screen};
use crate::stream::Lines;

// On Linux it is `malloc`, which the system's allocator calls.
#[cfg(target_os = "linux")]
use mimalloc as _;

#[cfg(not(target_os = "linux"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long a run may take to end after Ctrl-C.
const MOMENT: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut screen = Screen::new(&cli.global);
    let (lines, profile) = match listen(&cli, &screen) {
        Ok(listening) => listening,
        Err(Unusable { message, hint }) => {
            screen.failure(&message, hint.as_deref());
            return ExitCode::from(Exit::Usage.code());
        }
    };
    report_bugs(lines.clone());
    let mut exit = match run(&cli, &mut screen, lines.as_ref()) {
        Ok(exit) => exit,
        Err(Unusable { message, hint }) => {
            if let Some(lines) = &lines {
                lines.refuse(Exit::Usage, &message);
            }
            screen.failure(&message, hint.as_deref());
            Exit::Usage
        }
    };
    let mut lost = screen.lost();
    if let Some(lines) = lines {
        lines.close(exit, None);
        lost = lost.or_else(|| lines.lost());
    }
    // Half of an answer is none: whoever reads it must not take it for the whole.
    if let Some(lost) = lost {
        screen.failure(&lost, None);
        exit = Exit::Usage;
    }
    if let (Some(profile), Some(path)) = (profile, &cli.global.profile)
        && let Err(error) = omnigen_disk::write_atomic(path, profile.render().as_bytes())
    {
        screen.failure(&format!("the profile cannot be written to `{}`: {error}", path.display()), None);
        exit = Exit::Usage;
    }
    ExitCode::from(exit.code())
}

/// Sets up whatever listens to the run.
fn listen(cli: &Cli, screen: &Screen) -> Result<(Option<Lines>, Option<Profile>), Unusable> {
    let global = &cli.global;
    let mut sinks: Vec<stream::Sink> = Vec::new();
    // Commands that answer a question have only the answer on stdout.
    let answers = matches!(
        cli.command,
        Command::Explain { .. }
            | Command::Context { .. }
            | Command::Graph { .. }
            | Command::Log { .. }
            | Command::Cache { .. }
    );
    if global.message_format == Format::Json && !answers {
        sinks.push(("stdout".to_owned(), Box::new(std::io::stdout())));
    }
    if let Some(path) = &global.events {
        let unwritable = |error: std::io::Error| Unusable {
            message: format!("events cannot be written to `{}`: {error}", path.display()),
            hint: None,
        };
        let file = omnigen_disk::files::stream(path).map_err(unwritable)?;
        sinks.push((format!("`{}`", path.display()), Box::new(file)));
    }
    let lines = (!sinks.is_empty()).then(|| Lines::to(sinks));
    let profile = global.profile.as_ref().map(|_| Profile::new());
    stream::listen(lines.clone(), screen.bar(), profile.clone(), log_filter());
    Ok((lines, profile))
}

/// Why the command cannot be run at all.
#[derive(Debug, PartialEq, Eq)]
struct Unusable {
    message: String,
    hint: Option<String>,
}

impl Unusable {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Unusable {
        Unusable { message: message.into(), hint: Some(hint.into()) }
    }
}

fn run(cli: &Cli, screen: &mut Screen, lines: Option<&Lines>) -> Result<Exit, Unusable> {
    let folder = folder(&cli.global)?;
    let mut prepared = |build: &Build| {
        let options = options(&folder, build, &cli.global)?;
        end_on_interrupt(&options, lines.cloned())?;
        screen.stand(prefix(&options.root));
        Ok(options)
    };
    let json = cli.global.message_format == Format::Json;
    let (outcome, asked) = match &cli.command {
        Command::Codes { code } => return codes(code.as_deref(), screen),
        Command::Init { name, onex } => return init(&folder, name.as_deref(), *onex, screen),
        Command::Build(build) => {
            let options = prepared(build)?;
            let asked = if options.activity == Activity::Build { Asked::Nothing } else { Asked::List };
            (omnigen_driver::build(&options), asked)
        }
        Command::Diff => {
            let options = Options { activity: Activity::Plan, diffs: true, ..prepared(&Build::default())? };
            (omnigen_driver::build(&options), Asked::Patch)
        }
        Command::Vendor(arguments) => {
            let options = prepared(&Build { refs: arguments.refs.clone(), ..Build::default() })?;
            let mut vendoring =
                Vendoring { addresses: arguments.urls.clone(), update: arguments.update, ..Vendoring::default() };
            if let Some(seconds) = arguments.timeout {
                vendoring.timeout = Duration::from_secs(seconds.get().into());
            }
            let mut outcome = omnigen_driver::vendor(&options, &vendoring, &mut |change| screen.taken(change));
            // They have been listed as they came.
            outcome.changes.clear();
            (outcome, Asked::Nothing)
        }
        Command::Check => (omnigen_driver::check(&prepared(&Build::default())?), Asked::Nothing),
        Command::Watch => {
            let options = prepared(&Build::default())?;
            return Ok(watch(&options, screen));
        }
        Command::Explain { artifact } => {
            let options = prepared(&Build::default())?;
            let artifact = from_root(&options.root, &folder, artifact);
            match omnigen_driver::explain(&options, &artifact) {
                Ok(found) if json => {
                    screen.answer(&format!("{:#}\n", serde_json::to_value(&found).unwrap_or_default()));
                    return Ok(Exit::Done);
                }
                Ok(found) => {
                    let texts: Vec<String> = found.iter().map(omnigen_driver::Explanation::text).collect();
                    screen.answer(&texts.join("\n"));
                    return Ok(Exit::Done);
                }
                Err(outcome) => (*outcome, Asked::Nothing),
            }
        }
        Command::Context { target, contract } => {
            let options = prepared(&Build::default())?;
            let contract = from_root(&options.root, &folder, contract);
            match omnigen_driver::context(&options, target, &contract) {
                Ok(omnigen_driver::Seen::Package(line)) if json => screen.answer(&(line + "\n")),
                Ok(omnigen_driver::Seen::Package(line)) => {
                    let value: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                    screen.answer(&format!("{value:#}\n"));
                }
                Ok(omnigen_driver::Seen::Prompt(prompt)) if json => {
                    screen.answer(&format!("{}\n", serde_json::json!({ "prompt": prompt })));
                }
                Ok(omnigen_driver::Seen::Prompt(prompt)) => screen.answer(&prompt),
                Err(outcome) => {
                    screen.outcome(&outcome, Asked::Nothing, "");
                    return Ok(ended(&outcome, screen));
                }
            }
            return Ok(Exit::Done);
        }
        Command::Cache { act } => {
            let options = prepared(&Build::default())?;
            let act = match act {
                args::Cache::Info => omnigen_driver::Care::Info,
                args::Cache::Gc { max_size } => {
                    omnigen_driver::Care::Collect { most: max_size.map(|megabytes| u64::from(megabytes) << 20) }
                }
                args::Cache::Verify => omnigen_driver::Care::Verify,
                args::Cache::Clear => omnigen_driver::Care::Clear,
            };
            let unable = |message| Unusable { message, hint: None };
            let kept = omnigen_driver::care(&options, act).map_err(unable)?;
            screen.answer(&if json { format!("{:#}\n", kept.json()) } else { kept.text() });
            return Ok(if kept.sound() { Exit::Done } else { Exit::Errors });
        }
        Command::Log { number } => {
            let revisions = omnigen_driver::log(&prepared(&Build::default())?);
            for revision in revisions.iter().rev().take(*number) {
                screen.answer(&match serde_json::to_string(revision) {
                    Ok(line) if json => line + "\n",
                    _ => revision.text(),
                });
            }
            if revisions.is_empty() {
                screen.say("nothing has been built here yet");
            }
            return Ok(Exit::Done);
        }
        Command::Graph { format } => match omnigen_driver::picture(&prepared(&Build::default())?) {
            Ok(picture) => {
                screen.answer(&picture.draw(match format {
                    Picture::Dot => Drawing::Dot,
                    Picture::Mermaid => Drawing::Mermaid,
                    Picture::Json => Drawing::Json,
                    Picture::Html => Drawing::Html,
                }));
                return Ok(Exit::Done);
            }
            Err(outcome) => (*outcome, Asked::Nothing),
        },
        Command::Schema { format } => {
            screen.answer(&schema(*format));
            return Ok(Exit::Done);
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "omnigen", &mut script);
            screen.answer(&String::from_utf8_lossy(&script));
            return Ok(Exit::Done);
        }
        Command::Man => {
            let mut page = Vec::new();
            let unwritable = |error: std::io::Error| Unusable { message: error.to_string(), hint: None };
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(unwritable)?;
            screen.answer(&String::from_utf8_lossy(&page));
            return Ok(Exit::Done);
        }
    };
    screen.outcome(&outcome, asked, "");
    Ok(ended(&outcome, screen))
}

fn watch(options: &Options, screen: &mut Screen) -> Exit {
    let mut first = true;
    let outcome = omnigen_driver::watch(options, &options.stop, &mut |round| {
        screen.outcome(&round.outcome, Asked::Nothing, &round.cause);
        if std::mem::take(&mut first) {
            screen.say("watching for changes; Ctrl-C ends it");
        }
    });
    if options.stop.load(Ordering::Relaxed) {
        screen.say("stopped");
        return Exit::Interrupted;
    }
    // It ends by itself only if it cannot go on.
    screen.outcome(&outcome, Asked::Nothing, "");
    outcome.exit
}

/// The exit code of a run that may have been stopped.
fn ended(outcome: &Outcome, screen: &mut Screen) -> Exit {
    if outcome.exit == Exit::Interrupted {
        screen.say("stopped");
    }
    outcome.exit
}

/// From the folder where the command was started down to the project; empty if the project is not below it.
#[expect(clippy::disallowed_methods, reason = "asked once, here")]
fn prefix(root: &Path) -> String {
    let here = env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
    let below = root.strip_prefix(&here).unwrap_or(Path::new(""));
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// A path as a person types it, from the root. What is no path stays as it is.
fn from_root(root: &Path, folder: &Path, typed: &str) -> String {
    let mut full = folder.to_path_buf();
    for part in Path::new(typed).components() {
        match part {
            // By the words alone: an output that is gone has no folders to ask.
            Component::ParentDir => {
                full.pop();
            }
            part => full.push(part),
        }
    }
    match full.strip_prefix(root) {
        Ok(below) => below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"),
        Err(_) => typed.to_owned(),
    }
}

/// A JSON Schema of one of our own formats.
fn schema(format: Described) -> String {
    let schema = match format {
        Described::Config => omnigen_driver::config::schema(),
        Described::AgentProtocol => omnigen_driver::protocol_schema(),
        Described::Events => omnigen_report::schema(),
        Described::Explain => omnigen_report::schema_of::<Vec<omnigen_driver::Explanation>>(),
        Described::Log => omnigen_report::schema_of::<omnigen_driver::Revision>(),
        Described::Graph => omnigen_report::schema_of::<omnigen_driver::Picture>(),
    };
    format!("{schema:#}\n")
}

fn init(folder: &Path, name: Option<&str>, onex: bool, screen: &mut Screen) -> Result<Exit, Unusable> {
    let own = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.map(str::to_owned).or(own).unwrap_or_else(|| "project".to_owned());
    let example = if onex { &init::ONEX } else { &init::JSON_SCHEMA };
    let steps = init::init(folder, &name, example)
        .map_err(|(path, error)| Unusable { message: format!("`{path}` cannot be written: {error}"), hint: None })?;
    for (path, step) in &steps {
        screen.say(&format!("{:>8} {path}", step.verb()));
    }
    screen.say(if steps.iter().any(|(_, step)| *step == Step::Wrote) {
        "next: omnigen build"
    } else {
        "this is a project already; next: omnigen build"
    });
    Ok(Exit::Done)
}

/// Pages of codes, on stdout.
fn codes(code: Option<&str>, screen: &mut Screen) -> Result<Exit, Unusable> {
    let Some(id) = code else {
        let all = omnigen_report::Code::ALL;
        let width = all.iter().map(|code| code.id().len()).max().unwrap_or(0);
        for code in all {
            screen.answer(&format!("{:<width$}  {:<7}  {}\n", code.id(), code.severity().word(), code.title()));
        }
        return Ok(Exit::Done);
    };
    let id = id.trim_start_matches(['[']).trim_end_matches([']']);
    match omnigen_report::Code::named(id) {
        Ok(code) => {
            screen.answer(&format!("# {}\n\n{}", code.id(), omnigen_report::markdown(code)));
            Ok(Exit::Done)
        }
        Err(near) => Err(Unusable {
            message: format!("there is no code `{id}`"),
            hint: Some(match near {
                Some(near) => format!("did you mean `{}`? `omnigen codes` lists all", near.id()),
                None => "`omnigen codes` lists all".to_owned(),
            }),
        }),
    }
}

/// The folder to start in, as an absolute path.
#[expect(clippy::disallowed_methods, reason = "asked once, here")]
fn folder(global: &Global) -> Result<PathBuf, Unusable> {
    let given = global.directory.as_deref().unwrap_or(Path::new("."));
    match given.canonicalize() {
        Ok(folder) if folder.is_dir() => Ok(folder),
        Ok(_) => Err(Unusable { message: format!("`{}` is no folder", given.display()), hint: None }),
        Err(error) => Err(Unusable { message: format!("cannot enter `{}`: {error}", given.display()), hint: None }),
    }
}

/// What the driver is asked to do.
fn options(folder: &Path, build: &Build, global: &Global) -> Result<Options, Unusable> {
    let (root, mode) = match (&build.files[..], &build.out) {
        ([], None) => (project(folder)?, Mode::Project),
        ([], Some(_)) => {
            return Err(Unusable::new(
                "--out is for contracts without a project, and none is named",
                format!(
                    "name contracts (omnigen build schema.json --out DIR), or set `out` in {}",
                    omnigen_driver::config::FILE
                ),
            ));
        }
        ([first, ..], None) => {
            let hint = format!("add --out DIR: omnigen build {} --out DIR", first.display());
            let project = match project(folder) {
                Ok(_) => "; without any, `omnigen build` builds the whole project",
                Err(_) => "",
            };
            return Err(Unusable::new("contracts are named, but not where their outputs go", hint + project));
        }
        (files, Some(out)) => {
            let mode = Mode::Files { contracts: files.to_vec(), out: out.clone() };
            (folder.to_path_buf(), mode)
        }
    };
    Ok(Options {
        root,
        mode,
        threads: global.jobs.map(Into::into),
        activity: match (build.check, build.dry_run) {
            (true, _) => Activity::Compare,
            (false, true) => Activity::Plan,
            (false, false) => Activity::Build,
        },
        diffs: false,
        fail_fast: build.fail_fast,
        // A comparison asks no agent anyway, and an answer that is missing is one of the things that it finds.
        frozen: build.frozen && !build.check,
        offline: build.offline || build.check,
        force: build.force,
        shelf: shared(folder, global),
        notes: global.verbose
            || global.events.is_some()
            || !matches!(global.message_format, Format::Human | Format::Github),
        no_index: build.no_index,
        refs: build.refs.clone(),
        refresh: build.refresh.clone(),
        stop: Arc::default(),
    })
}

/// The nearest folder with an `omnigen.toml`, from `start` upwards.
fn project(start: &Path) -> Result<PathBuf, Unusable> {
    let file = omnigen_driver::config::FILE;
    match omnigen_disk::files::find_up(start, file) {
        Some(folder) => Ok(folder),
        None => Err(Unusable::new(
            format!("there is no `{file}` in this folder or above"),
            "omnigen init begins a project; omnigen build schema.json --out DIR needs none",
        )),
    }
}

/// Lets Ctrl-C end a run: the first asks it to end, and gives it a moment to cancel its agents and to finish what it is
/// writing; after that, or at the second, it is over. Outputs are replaced whole, so that the next build goes on from there.
fn end_on_interrupt(options: &Options, lines: Option<Lines>) -> Result<(), Unusable> {
    let stop = options.stop.clone();
    let act = move || {
        let lines = lines.clone();
        if !stop.swap(true, Ordering::Relaxed) {
            // Beside the thread that hears of signals, which has to hear of the second.
            std::thread::spawn(move || {
                std::thread::sleep(MOMENT);
                quit(lines.as_ref());
            });
        } else {
            quit(lines.as_ref());
        }
    };
    ctrlc::set_handler(act)
        .map_err(|error| Unusable { message: format!("signals cannot be handled: {error}"), hint: None })
}

#[expect(clippy::exit, reason = "another thread is at work that is not to be waited for any longer")]
fn quit(lines: Option<&Lines>) {
    if let Some(lines) = lines {
        lines.close(Exit::Interrupted, None);
    }
    std::process::exit(Exit::Interrupted.code().into());
}

/// A panic is a bug of ours: says so, and what to send.
fn report_bugs(lines: Option<Lines>) {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        usual(info);
        let version = env!("CARGO_PKG_VERSION");
        let text = format!(
            "\nThis is a bug of omnigen {version}, not of your contracts. Please report it with the lines above, and with the \
             contract if you can.\nOMNIGEN_LOG=debug shows more.\n"
        );
        let _gone = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
        if let Some(lines) = &lines {
            lines.close(Exit::Bug, Some(&info.to_string()));
        }
    }));
}

/// The folder of the store that checkouts share, if the command or the environment names one.
#[expect(clippy::disallowed_methods, reason = "the binary reads the environment")]
fn shared(folder: &Path, global: &Global) -> Option<PathBuf> {
    let named = global.cache_dir.clone().or_else(|| env::var_os("OMNIGEN_CACHE").map(PathBuf::from));
    named.filter(|path| !path.as_os_str().is_empty()).map(|path| folder.join(path))
}

/// The filter of what is told on stderr of what happens inside, if that is wanted.
#[expect(clippy::disallowed_methods, reason = "the binary reads the environment")]
fn log_filter() -> Option<String> {
    env::var("OMNIGEN_LOG").ok().filter(|filter| !filter.is_empty())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests look at files for themselves")]
mod tests {
    use super::*;

    fn asked(folder: &Path, line: &str) -> Result<Options, Unusable> {
        let cli = Cli::try_parse_from(line.split_whitespace()).expect("a sound command line");
        match &cli.command {
            Command::Build(build) => options(folder, build, &cli.global),
            _ => options(folder, &Build::default(), &cli.global),
        }
    }

    #[test]
    fn projects_are_found_upwards() {
        let outer = tempfile::tempdir().expect("a folder");
        let inner = outer.path().join("a/b");
        std::fs::create_dir_all(&inner).expect("made");
        let error = asked(&inner, "omnigen build").expect_err("no project");
        assert!(
            error.message.contains("no `omnigen.toml`") && error.hint.is_some_and(|hint| hint.contains("omnigen init"))
        );
        std::fs::write(outer.path().join("omnigen.toml"), "").expect("written");
        let options = asked(&inner, "omnigen build --check -j 2").expect("a project");
        assert_eq!((options.root.as_path(), options.mode), (outer.path(), Mode::Project));
        assert_eq!(options.threads, Some(2));
        assert!(options.activity == Activity::Compare && options.offline && !options.force, "--check asks nobody");
    }

    #[test]
    fn files_need_no_project() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = asked(folder.path(), "omnigen build a.json --out made --refs mirror").expect("files");
        assert_eq!(options.root, folder.path());
        let contracts = vec!["a.json".into()];
        assert_eq!(options.mode, Mode::Files { contracts, out: "made".into() });
        assert_eq!(options.refs, Some("mirror".into()));
        let hint = |line: &str| asked(folder.path(), line).expect_err(line).hint.unwrap_or_default();
        assert_eq!(hint("omnigen build a.json"), "add --out DIR: omnigen build a.json --out DIR");
        assert!(hint("omnigen build --out made").contains("set `out` in omnigen.toml"));
        std::fs::write(folder.path().join("omnigen.toml"), "").expect("written");
        assert!(hint("omnigen build a.json").contains("builds the whole project"));
    }
}
