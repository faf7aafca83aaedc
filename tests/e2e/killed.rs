//! `kill -9` in the middle of a build: the next one loses no hand edit, invents none, and equals a clean one.

use std::process::Stdio;
use std::time::{Duration, Instant};

use omnigen_tests::{Project, Tree, difference};

const CONTRACTS: usize = 150;

/// Both versions of all contracts differ in every output.
fn write(project: &Project, version: usize) {
    for number in 0..CONTRACTS {
        let text = format!(
            "{{ \"type\": \"object\", \"properties\": {{ \"a{version}\": {{ \"type\": \"string\", \"maxLength\": {} }}, \
             \"next\": {{ \"$ref\": \"c{}.json\" }} }} }}\n",
            version + 1,
            (number + 1) % CONTRACTS
        );
        project.write(&format!("contracts/c{number}.json"), text);
    }
}

#[test]
fn after_each_kill_the_next_build_is_right() {
    let project = Project::with(&[]);
    project.write("omnigen.toml", "[project]\nname = \"test\"\ntargets = [\"models\", \"validators\"]\n");
    let mut took = Duration::ZERO;
    let clean: Vec<Tree> = (0..2)
        .map(|version| {
            write(&project, version);
            let start = Instant::now();
            project.build().ends(0);
            took = start.elapsed();
            project.tree("generated")
        })
        .collect();
    assert_ne!(clean[0], clean[1]);
    let mut random =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").subsec_nanos();
    // A hundred in a long run (`cargo xtask soak`).
    for round in 0..crate::random::steps(10).min(100) {
        let version = round % 2;
        write(&project, version);
        let mut build = project.command();
        let mut child =
            build.arg("build").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("omnigen build starts");
        // Over all of the build: each round has its tenth, and any moment of that.
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let moment = took * (1_000 * (round as u32 % 10) + random % 1_000) / 10_000;
        std::thread::sleep(moment);
        let _ended = child.kill();
        child.wait().expect("it is gone");
        // In every third round somebody edits an output before anything else happens.
        let edited = (round % 3 == 1).then(|| format!("generated/models/model_c{}.py", random as usize % CONTRACTS));
        if let Some(path) = &edited {
            project.write(path, project.read(path) + "# by hand\n");
        }
        let said = format!("round {round}, killed after {moment:?} of {took:?}");
        let run = project.build();
        let mut tree = project.tree("generated");
        let mut expected = clean[version].clone();
        match &edited {
            Some(path) => {
                run.ends(1).says("edited-output").says(path);
                assert_eq!(run.stderr.matches("error[").count(), 1, "{said}\n{}", run.text());
                let path = path.trim_start_matches("generated/");
                expected.remove(path);
                let kept = tree.remove(path).expect("it is there");
                assert!(String::from_utf8_lossy(&kept).ends_with("# by hand\n"), "{said}");
                project.run(&["build", "--force"]).ends(0);
                assert_eq!(project.tree("generated").get(path), clean[version].get(path), "{said}");
            }
            None => drop(run.ends(0)),
        }
        assert_eq!(difference(&tree, &expected), "", "{said}");
        project.build().ends(0).says("nothing to do");
    }
}
