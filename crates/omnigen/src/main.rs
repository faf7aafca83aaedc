//! The command `omnigen`: arguments, printing, exit codes. What is to be done is `omnigen_driver`'s.

mod args;
mod draw;
mod exit;
mod init;
mod screen;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Parser;
use omnigen_driver::{Mode, Options, Outcome, Vendoring};

use crate::args::{Build, Cli, Command, Global};
use crate::exit::Exit;
use crate::init::Step;
use crate::screen::Screen;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long a run may take to end after Ctrl-C.
const MOMENT: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    report_bugs();
    let cli = Cli::parse();
    log();
    let mut screen = Screen::new(&cli.global);
    match run(&cli, &mut screen) {
        Ok(exit) => exit.into(),
        Err(Unusable { message, hint }) => {
            screen.failure(&message, hint.as_deref());
            Exit::Usage.into()
        }
    }
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

fn run(cli: &Cli, screen: &mut Screen) -> Result<Exit, Unusable> {
    let folder = folder(&cli.global)?;
    match &cli.command {
        Command::Init { name } => init(&folder, name.as_deref(), screen),
        Command::Build(build) => {
            let options = options(&folder, build, &cli.global)?;
            end_on_interrupt(&options)?;
            let outcome = omnigen_driver::build(&options, &mut |event| screen.event(&event));
            screen.outcome(&outcome, build.check, "");
            Ok(ended(&options, Exit::of(&outcome, build.check), screen))
        }
        Command::Check => {
            let options = options(&folder, &Build::default(), &cli.global)?;
            end_on_interrupt(&options)?;
            let outcome = omnigen_driver::check(&options);
            screen.outcome(&outcome, false, "");
            Ok(ended(&options, Exit::of(&outcome, false), screen))
        }
        Command::Vendor(arguments) => {
            let mirror = Build { refs: arguments.refs.clone(), ..Build::default() };
            let options = options(&folder, &mirror, &cli.global)?;
            end_on_interrupt(&options)?;
            let mut vendoring =
                Vendoring { addresses: arguments.urls.clone(), update: arguments.update, ..Vendoring::default() };
            if let Some(seconds) = arguments.timeout {
                vendoring.timeout = Duration::from_secs(seconds.get().into());
            }
            let outcome = omnigen_driver::vendor(&options, &vendoring, &mut |change| screen.taken(change));
            screen.outcome(&Outcome { changes: Vec::new(), ..outcome.clone() }, false, "");
            Ok(ended(&options, Exit::of(&outcome, false), screen))
        }
        Command::Watch => {
            let options = options(&folder, &Build::default(), &cli.global)?;
            end_on_interrupt(&options)?;
            watch(&options, screen)
        }
    }
}

fn watch(options: &Options, screen: &mut Screen) -> Result<Exit, Unusable> {
    let mut first = true;
    let outcome = omnigen_driver::watch(options, &options.stop, &mut |round| {
        screen.outcome(&round.outcome, false, &round.cause);
        if std::mem::take(&mut first) {
            screen.say("watching for changes; Ctrl-C ends it");
        }
    });
    if !options.stop.load(Ordering::Relaxed) {
        // It ends by itself only if it cannot go on.
        screen.outcome(&outcome, false, "");
    }
    Ok(ended(options, Exit::of(&outcome, false), screen))
}

/// The exit code of a run that may have been stopped.
fn ended(options: &Options, exit: Exit, screen: &mut Screen) -> Exit {
    if !options.stop.load(Ordering::Relaxed) {
        return exit;
    }
    screen.say("stopped");
    Exit::Interrupted
}

fn init(folder: &Path, name: Option<&str>, screen: &mut Screen) -> Result<Exit, Unusable> {
    let own = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.map(str::to_owned).or(own).unwrap_or_else(|| "project".to_owned());
    let steps = init::init(folder, &name)
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
        check: build.check,
        frozen: build.frozen || build.check,
        offline: build.offline || build.check,
        force: build.force,
        refs: build.refs.clone(),
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
fn end_on_interrupt(options: &Options) -> Result<(), Unusable> {
    let stop = options.stop.clone();
    let act = move || {
        if !stop.swap(true, Ordering::Relaxed) {
            // Beside the thread that hears of signals, which has to hear of the second.
            std::thread::spawn(|| {
                std::thread::sleep(MOMENT);
                quit();
            });
        } else {
            quit();
        }
    };
    ctrlc::set_handler(act)
        .map_err(|error| Unusable { message: format!("signals cannot be handled: {error}"), hint: None })
}

#[expect(clippy::exit, reason = "another thread is at work that is not to be waited for any longer")]
fn quit() {
    std::process::exit(Exit::Interrupted.code().into());
}

/// A panic is a bug of ours: says so, and what to send.
fn report_bugs() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        usual(info);
        let version = env!("CARGO_PKG_VERSION");
        let text = format!(
            "\nThis is a bug of omnigen {version}, not of your contracts. Please report it with the lines above, and with the \
             contract if you can.\nOMNIGEN_LOG=debug shows more.\n"
        );
        let _gone = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
    }));
}

#[expect(clippy::disallowed_methods, reason = "the binary reads the environment")]
/// With `OMNIGEN_LOG` set, says on stderr what happens inside.
fn log() {
    let Some(filter) = env::var("OMNIGEN_LOG").ok().filter(|filter| !filter.is_empty()) else { return };
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
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
        assert!(options.check && options.frozen && options.offline && !options.force, "--check asks nobody");
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
