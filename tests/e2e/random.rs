//! Incremental equals clean: after every edit of a random history, the outputs are those of a fresh copy.

use std::collections::BTreeMap;

use omnigen_tests::{Project, difference};

/// A generator of numbers that is the same everywhere; the histories are data, not luck.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.roll(list.len())]
    }
}

/// Places for contracts; few, so that histories come back to them.
pub(crate) const PATHS: [&str; 7] =
    ["a.json", "b.json", "c.yaml", "deep/d.json", "deep/e.yaml", "deep/er/f.json", "g.yml"];
pub(crate) const CONFIGS: [&str; 4] =
    ["", "[python]\nnaming = \"{Name}\"\n", "[python]\nline-length = 120\n", "[python]\nformat = \"assert\"\n"];

/// One contract, put together by chance. References go to places that may or may not be there.
pub(crate) fn contract(dice: &mut Dice, path: &str) -> String {
    let up = "../".repeat(path.matches('/').count());
    let mut properties = Vec::new();
    for name in ["one", "two", "three", "four"] {
        if dice.roll(3) == 0 {
            continue;
        }
        let schema = match dice.roll(10) {
            8 => r#"{ "$ref": "https://far.example/m.json" }"#.to_owned(),
            0 => format!(r#"{{ "type": "string", "minLength": {} }}"#, dice.roll(3)),
            1 => format!(r#"{{ "type": "integer", "maximum": {} }}"#, 5 + dice.roll(3)),
            2 => r#"{ "type": "array", "items": { "type": "object", "properties": { "x": { "type": "number" } } } }"#
                .to_owned(),
            3 => r##"{ "$ref": "#" }"##.to_owned(),
            4 => r##"{ "$ref": "#/$defs/Part" }"##.to_owned(),
            5 => format!(r#"{{ "$ref": "{up}{}" }}"#, dice.pick(&PATHS)),
            6 => format!(r#"{{ "$ref": "{up}{}#/$defs/Part" }}"#, dice.pick(&PATHS)),
            7 => format!(r#"{{ "$ref": "{up}{}#/properties/one" }}"#, dice.pick(&PATHS)),
            _ => format!(
                r#"{{ "anyOf": [{{ "type": "null" }}, {{ "$ref": "{up}{}" }}], "description": "d{}" }}"#,
                dice.pick(&PATHS),
                dice.roll(2)
            ),
        };
        properties.push(format!("    \"{name}\": {schema}"));
    }
    let part = match dice.roll(3) {
        0 => r#"{ "enum": ["x", "y"] }"#,
        1 => r##"{ "type": "object", "properties": { "deep": { "$ref": "#" } } }"##,
        _ => r#"{ "type": "string", "format": "date" }"#,
    };
    let defs = if dice.roll(4) > 0 { format!(",\n  \"$defs\": {{ \"Part\": {part} }}") } else { String::new() };
    let comment = if path.ends_with(".json") { String::new() } else { format!("# comment {}\n", dice.roll(3)) };
    format!(
        "{comment}{{\n  \"description\": \"d{}\",\n  \"type\": \"object\",\n  \"properties\": {{\n{}\n  }}{defs}\n}}\n",
        dice.roll(3),
        properties.join(",\n")
    )
}

/// One step: what was done, for the message of a failure.
pub(crate) fn step(
    dice: &mut Dice,
    contracts: &mut BTreeMap<&'static str, String>,
    config: &mut &'static str,
) -> String {
    let there: Vec<&'static str> = contracts.keys().copied().collect();
    match dice.roll(12) {
        0..=4 => {
            let path = *dice.pick(&PATHS);
            contracts.insert(path, contract(dice, path));
            format!("write {path}")
        }
        5 if !there.is_empty() => {
            let path = *dice.pick(&there);
            contracts.remove(path);
            format!("delete {path}")
        }
        6 if !there.is_empty() => {
            let (from, to) = (*dice.pick(&there), *dice.pick(&PATHS));
            let text = contracts.remove(from).unwrap_or_default();
            contracts.insert(to, text);
            format!("rename {from} to {to}")
        }
        7 if !there.is_empty() => {
            let path = *dice.pick(&there);
            if let Some(text) = contracts.get_mut(path) {
                // One in three is misspelled: a finding comes or goes, and nothing else changes.
                let key = ["description", "description", "descripton"][dice.roll(3)];
                let at = text.find("\"descript").unwrap_or_default();
                let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
                text.replace_range(at..end, &format!("\"{key}\": \"d{}\",", dice.roll(5)));
            }
            format!("describe {path}")
        }
        8 if !there.is_empty() => {
            let path = *dice.pick(&there);
            if let Some(text) = contracts.get_mut(path) {
                text.push('\n');
            }
            format!("blank line in {path}")
        }
        9 if !there.is_empty() => {
            let path = *dice.pick(&there);
            if let Some(text) = contracts.get_mut(path) {
                text.truncate(text.len() / 2);
            }
            format!("cut {path} in half")
        }
        10 => {
            *config = CONFIGS[dice.roll(CONFIGS.len())];
            format!("configure {config:?}")
        }
        _ => "nothing".to_owned(),
    }
}

pub(crate) fn put(project: &Project, contracts: &BTreeMap<&'static str, String>, config: &str) {
    for path in PATHS {
        let full = format!("contracts/{path}");
        match contracts.get(path) {
            // What did not change is not written: a real edit touches one file.
            Some(text) if project.has(&full) && project.read(&full) == *text => {}
            Some(text) => project.write(&full, text),
            None if project.has(&full) => project.remove(&full),
            None => {}
        }
    }
    project.write("omnigen.toml", format!("[project]\nname = \"random\"\nrefs = \"refs\"\n\n{config}"));
}

/// With `store`, by way of a store that other checkouts use as well.
fn history(seed: u64, steps: usize, store: Option<&Project>) {
    let folder = store.map(|store| store.path("").display().to_string());
    let arguments: Vec<&str> = folder.iter().flat_map(|folder| ["--cache-dir", folder]).collect();
    let mut dice = Dice(seed);
    let (mut contracts, mut config) = (BTreeMap::new(), CONFIGS[0]);
    for path in PATHS {
        contracts.insert(path, contract(&mut dice, path));
    }
    let lived = Project::empty();
    let mut done = Vec::new();
    for _ in 0..steps {
        done.push(step(&mut dice, &mut contracts, &mut config));
        put(&lived, &contracts, config);
        done.extend(meddle(&mut dice, &lived));
        // Neither the number of threads nor the index of mentions decides anything.
        let threads = (1 + dice.roll(8)).to_string();
        let index: &[&str] = if dice.roll(3) == 0 { &["--no-index"] } else { &[] };
        let build = |project: &Project| project.run(&[&["build", "-j", &threads], index, &arguments].concat());
        let run = build(&lived);

        let fresh = Project::empty();
        put(&fresh, &contracts, config);
        let clean = fresh.build();

        let told =
            || format!("seed {seed}: {}\n\nincremental: {}\nclean: {}", done.join(", "), run.text(), clean.text());
        assert_eq!(run.code, clean.code, "{}", told());
        assert_eq!(diagnostics(&run.stderr), diagnostics(&clean.stderr), "{}", told());
        let (mut left, right) = (lived.tree("generated"), fresh.tree("generated"));
        if run.code != 0 {
            // What cannot be made keeps its last good output; a fresh copy never had one.
            left.retain(|path, _| right.contains_key(path));
        }
        assert_eq!(difference(&left, &right), "", "{}", told());
        if run.code == 0 {
            lived.build().ends(0).says("nothing to do");
        }
        if store.is_some() {
            let other = Project::empty();
            put(&other, &contracts, config);
            let run = build(&other);
            assert_eq!(diagnostics(&run.stderr), diagnostics(&clean.stderr), "another checkout; {}", told());
            assert_eq!(difference(&other.tree("generated"), &right), "", "another checkout; {}", told());
        }
    }
}

/// The same, without a mirror: nothing can be referred to but contracts.
fn alone(project: &Project, contracts: &BTreeMap<&'static str, String>, config: &str) {
    put(project, contracts, config);
    project.write("omnigen.toml", format!("[project]\nname = \"random\"\n\n{config}"));
}

/// The same while somebody watches: a state is reached by edits that are taken one by one, or together, saved in place or by way of
/// another file.
#[test]
fn a_watch_equals_clean() {
    let steps = steps(30);
    let mut dice = Dice(0x77a7_c4ed);
    let (mut contracts, mut config) = (BTreeMap::new(), CONFIGS[0]);
    // Nothing beyond contracts is referred to, as a rule: that is when few records are at hand.
    let near = |text: String| text.replace("https://far.example/m.json", "#");
    for path in PATHS {
        contracts.insert(path, near(contract(&mut dice, path)));
    }
    let lived = Project::empty();
    alone(&lived, &contracts, config);
    let mut watching = lived.watch();
    watching.line("watching for changes");
    let mut done = Vec::new();
    for _ in 0..steps {
        let configured = config;
        done.push(step(&mut dice, &mut contracts, &mut config));
        contracts.values_mut().for_each(|text| *text = near(std::mem::take(text)));
        let direct = dice.roll(2) == 0;
        for path in PATHS {
            let full = format!("contracts/{path}");
            match contracts.get(path) {
                Some(text) if lived.has(&full) && lived.read(&full) == *text => {}
                Some(text) if direct => lived.write(&full, text),
                Some(text) => {
                    let aside = format!("{full}~");
                    lived.write(&aside, text);
                    std::fs::rename(lived.path(&aside), lived.path(&full)).expect("renamed");
                }
                None if lived.has(&full) => lived.remove(&full),
                None => {}
            }
        }
        if config != configured {
            alone(&lived, &contracts, config);
        }
        if dice.roll(3) == 0 {
            continue;
        }
        let fresh = Project::empty();
        alone(&fresh, &contracts, config);
        let clean = fresh.build();
        let right = fresh.tree("generated");
        watching.until(&format!("a clean build's tree after {}", done.join(", ")), || {
            let mut left = lived.tree("generated");
            if clean.code != 0 {
                left.retain(|path, _| right.contains_key(path));
            }
            difference(&left, &right).is_empty()
        });
    }
    watching.interrupt();
    let fresh = Project::empty();
    alone(&fresh, &contracts, config);
    let (run, clean) = (lived.build(), fresh.build());
    assert_eq!(diagnostics(&run.stderr), diagnostics(&clean.stderr), "{}", done.join(", "));
    let mut left = lived.tree("generated");
    if clean.code != 0 {
        left.retain(|path, _| fresh.has(&format!("generated/{path}")));
    }
    assert_eq!(difference(&left, &fresh.tree("generated")), "", "{}", done.join(", "));
}

/// What else happens to a project: somebody edits an output, a build is killed. What was done, if anything was.
fn meddle(dice: &mut Dice, project: &Project) -> Option<String> {
    let outputs: Vec<String> =
        project.tree("generated").into_keys().filter(|path| !path.ends_with("__init__.py")).collect();
    match dice.roll(8) {
        0 if !outputs.is_empty() => {
            let path = format!("generated/{}", dice.pick(&outputs));
            let text = project.read(&path) + "# mine\n";
            project.write(&path, &text);
            project.build();
            // Kept as it is, or removed by its owner: nobody else may.
            assert_eq!(project.read(&path), text, "a hand edit is lost");
            project.remove(&path);
            Some(format!("edit {path} by hand and remove it"))
        }
        1 => {
            let mut build = project.command().arg("build").stderr(std::process::Stdio::null()).spawn().expect("starts");
            std::thread::sleep(std::time::Duration::from_micros(dice.roll(20_000) as u64));
            build.kill().expect("killed");
            build.wait().expect("ended");
            Some("kill a build".to_owned())
        }
        _ => None,
    }
}

/// So many steps, or as many as a long run wants (`cargo xtask soak`).
pub(crate) fn steps(usual: usize) -> usize {
    std::env::var("OMNIGEN_TEST_STEPS").ok().and_then(|steps| steps.parse().ok()).unwrap_or(usual)
}

/// All but the summary, which tells how much was done.
fn diagnostics(stderr: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = stderr.lines().collect();
    lines.pop();
    lines
}

#[test]
fn incremental_equals_clean_1() {
    history(0x5eed_0001, steps(40), None);
}

#[test]
fn incremental_equals_clean_2() {
    history(0x5eed_0002, steps(40), None);
}

#[test]
fn incremental_equals_clean_3() {
    history(0xfeed_beef_0003, steps(40), None);
}

#[test]
fn incremental_equals_clean_with_a_shared_store() {
    history(0xcafe_0004, steps(25), Some(&Project::empty()));
}

/// Contracts in which nothing is wrong, each with references to two others.
fn sound() -> BTreeMap<&'static str, String> {
    let text = |(i, path): (usize, &&'static str)| {
        let up = "../".repeat(path.matches('/').count());
        let other = |by: usize| format!("{up}{}", PATHS[(i + by) % PATHS.len()]);
        let text = format!(
            r##"{{ "description": "d{i}", "type": "object", "required": ["two"], "properties": {{
                "one": {{ "$ref": "{}" }}, "two": {{ "type": "string", "minLength": {i} }},
                "three": {{ "$ref": "{}#/$defs/Part" }}, "four": {{ "items": {{ "$ref": "#/$defs/Part" }} }} }},
                "$defs": {{ "Part": {{ "enum": ["x", {i}] }} }} }}"##,
            other(1),
            other(3)
        );
        (*path, text)
    };
    PATHS.iter().enumerate().map(text).collect()
}

/// Whatever has been built before, with any number of threads, and whatever of it is still known. Fifty runs and more in a long run.
#[test]
fn the_same_bytes_by_any_way() {
    let others = ["first", "second", "third"].map(|name| (format!("contracts/{name}.json"), sound()["a.json"].clone()));
    let begin = || Project::with(&others.each_ref().map(|(path, text)| (path.as_str(), text.as_str())));
    let (wanted, reference) = (sound(), begin());
    put(&reference, &wanted, CONFIGS[0]);
    reference.build().ends(0);
    let expected = reference.tree("generated");
    for run in 0..steps(3) {
        let mut dice = Dice(0x0dd5_eed5 + 7919 * run as u64);
        let (mut contracts, mut config) = (sound(), CONFIGS[0]);
        let lived = begin();
        let mut done = Vec::new();
        let build = |dice: &mut Dice, done: &mut Vec<String>| {
            let threads = (1 + dice.roll(8)).to_string();
            let index: &[&str] = if dice.roll(3) == 0 { &["--no-index"] } else { &[] };
            let run = lived.run(&[&["build", "-j", &threads], index].concat());
            done.push(format!("build with {threads} threads {index:?}"));
            run
        };
        for _ in 0..1 + dice.roll(5) {
            for _ in 0..1 + dice.roll(4) {
                done.push(step(&mut dice, &mut contracts, &mut config));
            }
            put(&lived, &contracts, config);
            build(&mut dice, &mut done);
            done.extend(meddle(&mut dice, &lived));
            match dice.roll(6) {
                0 => lived.remove(".omnigen/manifest"),
                1 => lived.remove(".omnigen"),
                2 => lived.remove("generated"),
                _ => continue,
            }
            done.push("forget something".to_owned());
        }
        put(&lived, &wanted, CONFIGS[0]);
        let last = build(&mut dice, &mut done);
        let told = || format!("run {run}: {}\n\n{}", done.join(", "), last.text());
        assert_eq!((last.code, difference(&lived.tree("generated"), &expected)), (0, String::new()), "{}", told());
    }
}

/// Projects with contracts of every kind.
const KINDS: [&str; 6] = ["api", "onex", "draft07", "references", "dynamic", "realistic"];

/// One edit of a text: a number changes, a line goes, comes twice or changes places, the end is cut off.
fn edited(dice: &mut Dice, text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return "{}\n".to_owned();
    }
    let at = dice.roll(lines.len());
    match dice.roll(6) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at].clone()),
        2 => {
            let other = dice.roll(lines.len());
            lines.swap(at, other);
        }
        3 => lines.truncate(at),
        _ => {
            let digit = char::from(b'0' + dice.roll(10) as u8);
            let place = lines.iter().skip(at).position(|line| line.contains(|c: char| c.is_ascii_digit()));
            let line = &mut lines[at + place.unwrap_or_default()];
            *line = line.replace(|c: char| c.is_ascii_digit(), &digit.to_string());
        }
    }
    lines.join("\n") + "\n"
}

/// The same of every kind of contract: APIs, nodes, older drafts, references to files, dynamic ones. Each run takes one kind.
#[test]
fn the_same_bytes_of_every_kind() {
    for run in 0..steps(KINDS.len()) {
        let kind = KINDS[run % KINDS.len()];
        let (reference, lived) = (Project::fixture(kind), Project::fixture(kind));
        let first = reference.build();
        let expected = reference.tree("generated");
        let mut dice = Dice(0x0dd5_eed7 + 104_729 * run as u64);
        let sources: Vec<String> =
            reference.tree("contracts").into_keys().map(|path| format!("contracts/{path}")).collect();
        let mut done = Vec::new();
        for _ in 0..1 + dice.roll(3) {
            for _ in 0..1 + dice.roll(3) {
                let path = dice.pick(&sources).clone();
                match dice.roll(5) {
                    0 if lived.has(&path) => lived.remove(&path),
                    1 => lived.write(&path, reference.read(&path)),
                    _ if lived.has(&path) => lived.write(&path, edited(&mut dice, &lived.read(&path))),
                    _ => continue,
                }
                done.push(path);
            }
            lived.run(&["build", "-j", &(1 + dice.roll(8)).to_string()]);
            let forgotten = [".omnigen", "generated"][dice.roll(2)];
            if dice.roll(4) == 0 && lived.has(forgotten) {
                lived.remove(forgotten);
            }
        }
        sources.iter().for_each(|path| lived.write(path, reference.read(path)));
        let last = lived.run(&["build", "-j", &(1 + dice.roll(8)).to_string()]);
        let told = || format!("run {run}, {kind}: {}\n\n{}", done.join(", "), last.text());
        assert_eq!((last.code, diagnostics(&last.stderr)), (first.code, diagnostics(&first.stderr)), "{}", told());
        assert_eq!(difference(&lived.tree("generated"), &expected), "", "{}", told());
    }
}
