//! `omnigen vendor` against a real server.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use omnigen_tests::{Answer, Project, Server, python};

const ADDRESS: &str = r##"{
  "type": "object",
  "properties": { "street": { "$ref": "parts/street.json" }, "country": { "$ref": "#/$defs/country" } },
  "$defs": { "country": { "type": "string", "minLength": 2 } }
}
"##;
const STREET: &str = "{ \"type\": \"string\", \"minLength\": 1 }\n";

/// A contract that refers to the server, and a folder for copies.
fn project(server: &Server) -> Project {
    let project = Project::empty();
    project.write("omnigen.toml", "[project]\nname = \"test\"\nrefs = \"refs\"\n");
    let contract = format!(
        "{{ \"type\": \"object\", \"properties\": {{ \"home\": {{ \"$ref\": \"{}\" }} }} }}\n",
        server.url("/a/address.json")
    );
    project.write("contracts/person.json", contract);
    server.serve("/a/address.json", ADDRESS);
    server.serve("/a/parts/street.json", STREET);
    project
}

#[test]
fn fetches_locks_and_follows() {
    let server = Server::start();
    let project = project(&server);
    // Missing: the way out is named, and the network is left alone.
    let url = server.url("/a/address.json");
    project.build().ends(1).says("dangling-ref").says(&format!("omnigen vendor {url}"));
    assert_eq!(server.asked(), [""; 0]);
    let run = project.run(&["vendor", &url]);
    run.ends(0).says("took 2 remote schemas");
    let folder = format!("refs/{}", server.host());
    assert_eq!(project.read(&format!("{folder}/a/address.json")), ADDRESS);
    assert_eq!(project.read(&format!("{folder}/a/parts/street.json")), STREET);
    let lock = project.read("omnigen.lock");
    let digest = omnigen_ir::Digest::of(STREET.as_bytes()).hex();
    let line =
        format!("schema {} path={folder}/a/parts/street.json digest={digest}", server.url("/a/parts/street.json"));
    assert!(lock.lines().any(|other| other == line), "{lock}");
    project.build().ends(0);
    assert_eq!(server.asked(), ["/a/address.json", "/a/parts/street.json"], "a build asks nobody");
    assert!(project.tree("generated").keys().any(|path| path.ends_with("a/parts/model_street.py")));
    // What is there is not fetched again, except for what is named, and what that refers to.
    project.run(&["vendor"]).ends(0);
    assert_eq!(server.asked(), [""; 0]);
    project.run(&["vendor", &url]).ends(0).says("nothing changed");
    assert_eq!(server.asked(), ["/a/address.json", "/a/parts/street.json"]);
    server.serve("/a/parts/street.json", "{ \"type\": \"string\" }\n");
    project.run(&["vendor", &url]).ends(1).says("error[remote-changed]").says("parts/street.json");
    assert_eq!(project.read(&format!("{folder}/a/parts/street.json")), STREET, "told, not taken");
    server.serve("/a/parts/street.json", STREET);
    server.asked();
    // A fresh clone without copies gets them back as they were locked.
    project.remove("refs");
    project.run(&["vendor"]).ends(0).says("took 2 remote schemas");
    assert_eq!(project.read("omnigen.lock"), lock);
}

#[test]
fn a_change_is_told_and_not_taken() {
    let server = Server::start();
    let project = project(&server);
    let url = server.url("/a/address.json");
    project.run(&["vendor"]).ends(0);
    let lock = project.read("omnigen.lock");
    server.serve("/a/address.json", &ADDRESS.replace("\"minLength\": 2", "\"minLength\": 3"));
    let run = project.run(&["vendor", &url]);
    run.ends(1).says("error[remote-changed]").says("another schema now").says("vendor --update");
    run.says("-  \"$defs\": { \"country\": { \"type\": \"string\", \"minLength\": 2 } }");
    run.says("+  \"$defs\": { \"country\": { \"type\": \"string\", \"minLength\": 3 } }");
    let copy = format!("refs/{}/a/address.json", server.host());
    assert_eq!((project.read(&copy), project.read("omnigen.lock")), (ADDRESS.to_owned(), lock.clone()));
    project.build().ends(0);
    // Without the copy too: the lock says what it was.
    project.remove(&copy);
    project.run(&["vendor"]).ends(1).says("remote-changed");
    assert!(!project.has(&copy));
    project.run(&["vendor", "--update"]).ends(0).says("took 1 remote schema, 1 unchanged");
    assert!(project.read(&copy).contains("\"minLength\": 3"));
    assert_ne!(project.read("omnigen.lock"), lock);
    project.build().ends(0);
}

#[test]
fn a_copy_that_is_not_the_locked_one_is_no_input() {
    let server = Server::start();
    let project = project(&server);
    project.run(&["vendor"]).ends(0);
    project.build().ends(0);
    let (good, lock) = (project.tree("generated"), project.read("omnigen.lock"));
    let copy = format!("refs/{}/a/parts/street.json", server.host());
    project.write(&copy, "{ \"type\": \"string\", \"minLength\": 5 }\n");
    for command in ["build", "check"] {
        project
            .run(&[command])
            .ends(1)
            .says("error[mirror-changed]")
            .says(&format!("omnigen vendor {}", server.url("/a/parts/street.json")));
    }
    assert_eq!(project.tree("generated"), good);
    // An edit here is not lost by asking.
    project.run(&["vendor", &server.url("/a/parts/street.json")]).ends(1).says("was changed");
    assert!(project.read(&copy).contains('5'));
    project.write(&copy, STREET);
    project.build().ends(0).does_not_say("mirror-changed");
    // The lock may change without the copy.
    let other = omnigen_ir::Digest::of(b"other").hex();
    project.write("omnigen.lock", lock.replace(&omnigen_ir::Digest::of(STREET.as_bytes()).hex(), &other));
    project.build().ends(1).says("mirror-changed");
    project.write("omnigen.lock", lock);
    project.build().ends(0);
    assert_eq!(project.tree("generated"), good);
}

#[test]
fn what_cannot_be_fetched_is_told() {
    let server = Server::start();
    let project = project(&server);
    server.set("/gone.json", Answer::Status(404));
    server.set("/broken.json", Answer::Status(500));
    server.serve("/page.json", "<html><body>Not found</body></html>");
    server.serve("/list.json", "[1, 2]");
    server.set("/bytes.json", Answer::Body(vec![0xff, 0xfe, 0x00]));
    server.set("/large.json", Answer::Spaces(17 << 20));
    server.set("/loop.json", Answer::Redirect("/loop.json".to_owned()));
    server.set("/out.json", Answer::Redirect("ftp://far.example/a.json".to_owned()));
    server.set("/slow.json", Answer::Hangs);
    for (path, part) in [
        ("/gone.json", "404 (Not Found)"),
        ("/broken.json", "500"),
        ("/page.json", "is no schema"),
        ("/list.json", "is no schema"),
        ("/bytes.json", "not UTF-8"),
        ("/large.json", "more than 16 MiB"),
        ("/loop.json", "redirects"),
        ("/out.json", "cannot be fetched"),
        ("/slow.json", "within 1 s"),
        ("/a/../b.json", "path"),
        ("/a/%2e%2e/b.json", "path"),
        ("/", "path"),
        ("/a%2Fb.json", "path"),
    ] {
        project.run(&["vendor", "--timeout", "1", &server.url(path)]).ends(1).says("error[fetch-failed]").says(part);
    }
    for (url, part) in [
        ("ftp://far.example/a.json", "begins with"),
        ("http://me:secret@127.0.0.1/a.json", "password"),
        ("http://127.0.0.1:1/a.json", "cannot be fetched"),
        ("nonsense", "begins with"),
    ] {
        project.run(&["vendor", "--timeout", "1", url]).ends(1).says("error[fetch-failed]").says(part);
    }
    assert!(!project.has("refs") && !project.has("omnigen.lock"), "nothing was taken");
    // What some schema in the middle refers to is named with its place; the rest is taken.
    server.serve("/top.json", "{ \"anyOf\": [{ \"$ref\": \"gone.json\" }, { \"$ref\": \"a/address.json\" }] }\n");
    let run = project.run(&["vendor", &server.url("/top.json")]);
    run.ends(1).says("404").says("top.json:1:23").says("took 3 remote schemas");
}

#[test]
fn redirects_queries_and_ids() {
    let server = Server::start();
    let project = project(&server);
    server.set("/moved.json", Answer::Redirect("/new/place.json".to_owned()));
    server.serve("/new/place.json", "{ \"type\": \"integer\" }");
    server.serve("/q.json?v=2", "{ \"$ref\": \"https://far.example/ids/own.json\" }");
    server.serve("/own.json", "{ \"$id\": \"https://far.example/ids/own.json\", \"type\": \"null\" }");
    let urls = ["/moved.json", "/q.json?v=2", "/own.json"].map(|path| server.url(path));
    let run = project.run(&["vendor", "--timeout", "5", &urls[0], &urls[1], &urls[2]]);
    run.says("took 3 remote schemas");
    for name in ["moved.json", "q%3Fv=2.json", "own.json"] {
        assert!(project.has(&format!("refs/{}/{name}", server.host())), "{name}");
    }
    // The `$id` that one of them has is not asked for elsewhere in the end.
    run.ends(0);
}

#[test]
fn watch_takes_what_is_vendored() {
    let server = Server::start();
    let project = project(&server);
    let mut watch = project.watch();
    watch.line("watching");
    project.run(&["vendor"]).ends(0);
    watch.until("the outputs", || project.tree("generated").keys().any(|path| path.ends_with("model_person.py")));
    server.serve("/a/parts/street.json", "{ \"type\": \"string\", \"minLength\": 7 }\n");
    project.run(&["vendor", "--update"]).ends(0);
    watch.until("the change", || {
        project.tree("generated").values().any(|bytes| String::from_utf8_lossy(bytes).contains("min_length=7"))
    });
}

#[test]
fn without_a_folder_the_way_out_is_named() {
    Project::with(&[]).run(&["vendor"]).ends(2).says("refs = \"refs\"");
}

/// Another server, in a process of its own.
#[test]
fn from_a_server_of_python() {
    let Some(python) = python() else { return };
    let program = std::path::absolute(python.get_program()).expect("a path");
    let site = Project::empty();
    site.write("schemas/note.json", STREET);
    let mut server = std::process::Command::new(program)
        .args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "0"])
        .current_dir(site.root())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a server");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("its output")).read_line(&mut line).expect("its first line");
    let port = line.split("port ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a port").to_owned();
    let project = Project::empty();
    project.write("omnigen.toml", "[project]\nname = \"test\"\nrefs = \"refs\"\n");
    let run = project.run(&["vendor", &format!("http://127.0.0.1:{port}/schemas/note.json")]);
    let gone = project.run(&["vendor", &format!("http://127.0.0.1:{port}/schemas/none.json")]);
    server.kill().expect("ended");
    server.wait().expect("gone");
    run.ends(0).says("took 1 remote schema");
    gone.ends(1).says("404");
    assert_eq!(project.read(&format!("refs/127.0.0.1:{port}/schemas/note.json")), STREET);
}
