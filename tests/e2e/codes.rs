//! The page of codes: every example gives its code and no other.

use std::collections::BTreeSet;
use std::process::Command;

use omnigen_report::Code;
use omnigen_tests::{Project, Server, omnigen};

#[test]
fn every_example_gives_its_code() {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let wrong = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(code) = Code::ALL.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    if let Err(why) = example(*code) {
                        wrong.lock().expect("the list").push(why);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("the list");
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), Code::ALL.len(), wrong.join("\n"));
}

/// Runs the example of a code as its page shows it.
fn example(code: Code) -> Result<(), String> {
    let project = Project::empty();
    let page = code.page();
    let files = page.files();
    if !files.iter().any(|(path, _)| *path == "omnigen.toml") {
        project.write("omnigen.toml", "[project]\nname = \"shop\"\n");
    }
    files.iter().for_each(|(path, text)| project.write(path, text));
    let server = Server::start();
    server.folder(project.path("site"));
    let mut said = String::new();
    for step in page.steps() {
        let mut shell = Command::new("sh");
        let folder = omnigen().parent().expect("the folder of the binary");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(folder.to_path_buf()).chain(std::env::split_paths(&path)));
        shell
            .args(["-c", step])
            .current_dir(project.root())
            .env("SITE", server.url(""))
            .env("PATH", path.expect("a path"));
        said = String::from_utf8_lossy(&shell.output().expect("a shell").stderr).into_owned();
    }
    let found: BTreeSet<&str> = said
        .lines()
        .filter_map(|line| {
            let rest = ["error[", "warning[", "note["].iter().find_map(|word| line.strip_prefix(word))?;
            rest.split_once(']').map(|(code, _)| code)
        })
        .collect();
    // This one is the consequence of another.
    let others: &[&str] = if code == Code::HeldBack { &["syntax"] } else { &[] };
    if found.iter().filter(|other| !others.contains(other)).eq([&code.id()]) {
        Ok(())
    } else {
        Err(format!("`{}` gives {found:?}:\n{said}", code.id()))
    }
}

#[test]
fn a_code_is_explained() {
    let project = Project::empty();
    let run = project.run(&["codes"]);
    run.ends(0).lists("dangling-ref         error    A reference leads nowhere.");
    let run = project.run(&["codes", "dangling-ref"]);
    run.ends(0).lists("# dangling-ref");
    assert!(run.stdout.contains("**What to do.**"), "{}", run.text());
    project.run(&["codes", "dangling-reff"]).ends(2).says("did you mean `dangling-ref`?");
}
