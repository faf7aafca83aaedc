use std::time::Duration;

use omnigen_report::{At, Severity, Spot};

use super::*;

/// Each finding as `code|marked text|message|hint`, with `warning ` before it where it is one.
fn findings(text: &str) -> Vec<String> {
    let (config, found) = Config::parse(text);
    assert_eq!(config.is_some(), !found.iter().any(Diagnostic::is_error), "{found:?}");
    found
        .iter()
        .map(|diagnostic| {
            let Some(At { file, spot: Spot::Span { start, end } }) = &diagnostic.at else {
                panic!("no span: {diagnostic:?}");
            };
            assert_eq!(&**file, FILE);
            let severity = if diagnostic.severity == Severity::Warning { "warning " } else { "" };
            let hint = diagnostic.hint.as_deref().unwrap_or("-");
            format!("{severity}{}|{}|{}|{hint}", diagnostic.code.id(), &text[*start..*end], diagnostic.message)
        })
        .collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(findings(text), expected, "\n{text}");
}

/// The same with a project before it.
#[track_caller]
fn check_rest(text: &str, expected: &[&str]) {
    check(&format!("[project]\nname = \"shop\"\n{text}"), expected);
}

fn config(text: &str) -> Config {
    match Config::parse(text) {
        (Some(config), found) if found.is_empty() => config,
        (_, found) => panic!("{found:?}"),
    }
}

#[test]
fn drafts_are_assumed_by_glob() {
    let text = "[project]\nname = \"shop\"\n[project.dialects]\n\"**/*.json\" = \"draft-07\"\n\"old/**/*.json\" = \"draft-04\"\n";
    let globs = [("old/**/*.json", "draft-04"), ("**/*.json", "draft-07")];
    assert_eq!(config(text).dialects, globs.map(|(glob, draft)| (glob.to_owned(), draft.to_owned())));
    check(
        "[project]\nname = \"shop\"\ndialects = { \"a\" = \"draft-7\", \"../b\" = \"draft-07\", \"c\" = 7 }\n",
        &[
            "bad-config|\"draft-7\"|`draft-7` is no draft of JSON Schema|did you mean \"draft-07\"?",
            "bad-config|\"draft-07\"|`project.dialects` must stay inside the project: `..` leads out of a folder|-",
            "bad-config|7|`project.dialects.c` must be a string, such as \"draft-07\"; this is an integer|-",
        ],
    );
}

#[test]
fn the_least_there_can_be() {
    let config = config("project.name = \"shop\"");
    assert_eq!(
        config,
        Config {
            name: "shop".to_owned(),
            contracts: vec!["contracts/**/*.{json,yaml,yml}".to_owned()],
            exclude: Vec::new(),
            out: "generated".to_owned(),
            refs: None,
            dialects: Vec::new(),
            duplicate_keys: DuplicateKeys::default(),
            targets: vec!["models".to_owned(), "validators".to_owned(), "tests".to_owned(), "nodes".to_owned()],
            python: Python {
                naming: "Model{Name}".to_owned(),
                line_length: 88,
                format: Format::Annotate,
                external: Vec::new()
            },
            agents: Vec::new(),
            own_targets: Vec::new(),
            gates: Vec::new(),
            answers: 1,
            run: Run::default(),
            cache: Cache::default(),
        }
    );
    assert_eq!(config.base(), "contracts");
}

const EVERYTHING: &str = r#"
[project]
name = "shop"
contracts = ["./schemas/a/*.json", "schemas/b/**/*.yaml"]
exclude = ["schemas/b/old/**"]
out = "./src/made/"
refs = "refs/"
targets = ["docs"]
[python]
naming = "{Name}"
line-length = 100
format = "assert"
[agent.writer]
command = ["python3", "agents/docs.py"]
inputs = ["agents/**"]
env = ["LANG", "HOME", "LANG"]
timeout = "1500ms"
progress_within = "1s"
concurrency = 8
kind = "cpu"
network = true
version = ["python3", "--version"]
retry = { attempts = 3, jitter = false }
[run]
timeout = "600s"
io = 7
[agent.other]
command = ["true"]
[target.docs]
agent = "writer"
output = "docs/{contract}.md"
needs = ["outline", { target = "models" }]
listens = ["other"]
sees = ["types", "document"]
priority = 3
patterns = { files = ["examples/**"], top = 2 }
templates = ["templates/*"]
assignment = { tasks = ["one", "two"], objective = "Explain it" }
[target.outline]
agent = "other"
output = "outlines/{contract}.txt"
[target.unused]
agent = "other"
output = "unused/{contract}.txt"
"#;

#[test]
fn everything() {
    let config = config(EVERYTHING);
    assert_eq!(config.contracts, ["schemas/a/*.json", "schemas/b/**/*.yaml"]);
    assert_eq!(config.base(), "schemas");
    assert_eq!(config.exclude, ["schemas/b/old/**"]);
    assert_eq!((config.out.as_str(), config.refs.as_deref()), ("src/made", Some("refs")));
    assert_eq!(config.targets, ["models", "docs", "outline"], "what is wanted and what that needs");
    assert_eq!(
        config.python,
        Python { naming: "{Name}".to_owned(), line_length: 100, format: Format::Assert, external: Vec::new() }
    );
    let [other, writer] = &config.agents[..] else { panic!("{:?}", config.agents) };
    assert_eq!((other.name.as_str(), other.timeout, other.concurrency), ("other", Duration::from_secs(300), 5));
    assert_eq!((&other.retry, other.pool, other.network), (&Retry::default(), Pool::Io, false));
    assert_eq!(writer.command, ["python3", "agents/docs.py"]);
    assert_eq!((writer.inputs.as_slice(), writer.version.len()), (&["agents/**".to_owned()][..], 2));
    assert_eq!(writer.env, ["HOME", "LANG"]);
    assert_eq!((writer.timeout, writer.progress_within), (Duration::from_millis(1500), Duration::from_secs(1)));
    assert_eq!((writer.concurrency, writer.pool, writer.network), (8, Pool::Cpu, true));
    let retry = Retry {
        attempts: 3,
        initial: Duration::from_millis(200),
        factor: 2,
        max: Duration::from_secs(5),
        jitter: false,
    };
    assert_eq!(writer.retry, retry);
    assert_eq!(config.run, Run { timeout: Some(Duration::from_secs(600)), io: 7, cpu: None });
    let names: Vec<&str> = config.own_targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["docs", "outline", "unused"]);
    let docs = config.own_target("docs");
    let docs = docs.expect("the target");
    assert_eq!(docs.needs, ["models", "outline"]);
    assert_eq!(
        (docs.listens.as_slice(), docs.sees.as_slice()),
        (&["other".to_owned()][..], &[See::Document, See::Types][..])
    );
    assert_eq!(docs.priority, 3);
    assert_eq!(docs.patterns, Some(Patterns { files: vec!["examples/**".to_owned()], top: 2 }));
    assert_eq!(docs.assignment, r#"{"objective":"Explain it","tasks":["one","two"]}"#);
}

#[test]
fn layout_order_and_line_ends_do_not_matter() {
    let (project, rest) = EVERYTHING.split_at(EVERYTHING.find("[agent.writer]").unwrap_or(0));
    let turned = format!("{rest}\n# a remark\n{project}");
    assert_eq!(config(&turned), config(EVERYTHING));
    assert_eq!(config(&EVERYTHING.replace('\n', "\r\n")), config(EVERYTHING));
    assert_eq!(config(&format!("\u{feff}{EVERYTHING}")), config(EVERYTHING));
}

#[test]
fn all_targets_unless_some_are_listed() {
    let own = "[agent.a]\ncommand = [\"a\"]\n[target.docs]\nagent = \"a\"\noutput = \"{contract}.md\"\n";
    let targets = |list: &str| config(&format!("[project]\nname = \"s\"\n{list}\n{own}")).targets;
    assert_eq!(targets(""), ["models", "validators", "tests", "nodes", "docs"]);
    assert_eq!(targets("targets = []"), [""; 0]);
    assert_eq!(targets("targets = [\"docs\"]"), ["docs"]);
    assert_eq!(targets("targets = [\"validators\"]"), ["models", "validators"], "validators import models");
    assert_eq!(targets("targets = [\"docs\", \"tests\"]"), ["models", "validators", "tests", "nodes", "docs"]);
}

#[test]
fn the_folder_that_globs_share() {
    let base = |globs: &[&str]| {
        let mut config = Config::for_files("out", None);
        config.contracts = globs.iter().map(|&glob| glob.to_owned()).collect();
        config.base()
    };
    assert_eq!(base(&[]), "");
    assert_eq!(base(&["*.json"]), "");
    assert_eq!(base(&["a/b/order.json"]), "a/b");
    assert_eq!(base(&["a/b*/c/*.json"]), "a");
    assert_eq!(base(&["a/b/*.json", "a/bc/*.json"]), "a");
    assert_eq!(base(&["a/bc/*.json", "a/b/*.json"]), "a");
    assert_eq!(base(&["a/{b,c}/*.json", "d/*.json"]), "");
}

#[test]
fn syntax() {
    check("[project", &["bad-config||this is no TOML: unclosed table, expected `]`|-"]);
    // One finding each, and nothing about what might have followed.
    assert_eq!(findings("[project]\nname = \nout = @\n").len(), 2);
    let twice = findings("[project]\nname = \"a\"\nname = \"b\"\n");
    assert_eq!(twice, ["bad-config|name|this is no TOML: duplicate key|-"]);
}

#[test]
fn unknown_keys() {
    check(
        "[project]\nname = \"s\"\ncontract = [\"a\"]\n[pyhton]\nline_length = 1\n[python]\nline_length = 1\n",
        &[
            "unknown-config-key|contract|there is no key `project.contract`|did you mean `contracts`?",
            "unknown-config-key|pyhton|there is no top-level key `pyhton`|did you mean `python`?",
            "unknown-config-key|line_length|there is no key `python.line_length`|did you mean `line-length`?",
        ],
    );
    check_rest(
        "colour = 1\n",
        &[
            "unknown-config-key|colour|there is no key `project.colour`|known here: `name`, `contracts`, `exclude`, `out`, \
             `refs`, `duplicate-keys`, `dialects`, `targets`",
        ],
    );
}

#[test]
fn a_misspelled_key_is_not_missing_as_well() {
    check(
        "[projekt]\nname = \"s\"\n",
        &["unknown-config-key|projekt|there is no top-level key `projekt`|did you mean `project`?"],
    );
    check_rest(
        "[agent.a]\ncomand = [\"a\"]\n",
        &["unknown-config-key|comand|there is no key `agent.a.comand`|did you mean `command`?"],
    );
}

#[test]
fn missing_tables_and_keys() {
    check("", &["bad-config||the table `[project]` is missing|begin the file with\n[project]\nname = \"…\""]);
    check(
        "[project]\nout = \"generated\"",
        &["bad-config|project|`project.name` is missing|add a line such as\nname = \"shop\""],
    );
    check("project = 3", &["bad-config|project|`project` must be a table; this is an integer|write `[project]`"]);
    check_rest(
        "[agent.a]\n[target.t]\n",
        &[
            "bad-config|a|`agent.a.command` is missing|add a line such as\ncommand = [\"python3\", \"agents/docs.py\"]",
            "bad-config|t|`target.t.agent` is missing|add a line such as\nagent = \"doc-writer\"",
            "bad-config|t|`target.t.output` is missing|add a line such as\noutput = \"docs/{contract}.md\"",
        ],
    );
}

#[test]
fn wrong_types() {
    check(
        "[project]\nname = 1\ncontracts = \"a\"\nexclude = [1.5, \"b\"]\nout = true\n[python]\nline-length = \"88\"\nformat = []\n",
        &[
            "bad-config|1|`project.name` must be a string, such as \"shop\"; this is an integer|-",
            "bad-config|\"a\"|`project.contracts` must be a list of strings, such as \
             [\"contracts/**/*.{json,yaml,yml}\"]; this is a string|-",
            "bad-config|1.5|`project.exclude` must be a list of strings, such as [\"contracts/drafts/**\"]; this is a float|-",
            "bad-config|true|`project.out` must be a string, such as \"generated\"; this is a boolean|-",
            "bad-config|\"88\"|`python.line-length` must be a whole number, such as 88; this is a string|-",
            "bad-config|[]|`python.format` must be a string, such as \"annotate\"; this is a list|-",
        ],
    );
    check_rest(
        "[[agent]]\nname = \"a\"\n",
        &["bad-config|agent|`agent` must be a table; this is a list|write `[agent.NAME]`"],
    );
    check_rest(
        "[agent]\nx = 1\n[target.t]\nagent = \"a\"\noutput = \"{contract}\"\nneeds = \"models\"\n",
        &[
            "bad-config|x|`agent.x` must be a table; this is an integer|write `[agent.NAME]` with a name of your choice",
            "bad-config|\"a\"|there is no agent `a`|add a table `[agent.a]`",
            "bad-config|\"models\"|`target.t.needs` must be a list of targets, such as [\"models\"]; this is a string|-",
        ],
    );
}

#[test]
fn values() {
    check(
        "[project]\nname = \" \"\ncontracts = []\nout = \"../x\"\nrefs = \"/abs\"\nexclude = [\"a/[\", \"..\"]\n",
        &[
            "bad-config|\" \"|`project.name` is empty|-",
            "bad-config|[]|`project.contracts` lists no glob, so there is nothing to build|-",
            "bad-config|\"../x\"|`project.out` must be a folder inside the project: `..` leads out of a folder|-",
            "bad-config|\"/abs\"|`project.refs` must be a folder inside the project: it is an absolute path|-",
            "bad-config|\"a/[\"|`project.exclude` holds a glob that cannot be read: unclosed character class; missing ']'|-",
            "bad-config|\"..\"|`project.exclude` must stay inside the project: `..` leads out of a folder|-",
        ],
    );
    for out in ["", ".", "a//b", "a\\\\b", "C:/x", "a/./b", "my-code", "a/class", "1st"] {
        let found = findings(&format!("[project]\nname = \"s\"\nout = \"{out}\""));
        assert_eq!(found.len(), 1, "{out}: {found:?}");
    }
    check_rest(
        "[python]\nnaming = \"Model\"\nline-length = 10\nformat = \"asert\"\n",
        &[
            "bad-config|\"Model\"|`python.naming` does not contain `{Name}`, so all classes would have one name|write for \
             example \"Model{Name}\", or \"{Name}\" for no prefix",
            "bad-config|10|`python.line-length` must be from 40 to 320, not 10|-",
            "bad-config|\"asert\"|`python.format` must be \"annotate\" or \"assert\", not \"asert\"|did you mean \"assert\"?",
        ],
    );
    for naming in ["{Name}{Name}", "my-{Name}", "1{Name}", "{Name} "] {
        let found = findings(&format!("[project]\nname = \"s\"\n[python]\nnaming = \"{naming}\""));
        assert_eq!(found.len(), 1, "{naming}: {found:?}");
    }
}

#[test]
fn times() {
    assert_eq!(
        ["200ms", "30s", "5m", "1h"].map(read::duration),
        [200, 30_000, 300_000, 3_600_000].map(|millis| Some(Duration::from_millis(millis)))
    );
    for wrong in ["", "30", "s", "1.5s", "30 s", "-1s", "99999999999999999999s", "9999999999999999999h", "1d"] {
        assert_eq!(read::duration(wrong), None, "{wrong}");
    }
    let agent = "[agent.a]\ncommand = [\"a\"]\ntimeout = ";
    check_rest(
        &format!("{agent}\"soon\""),
        &[
            "bad-config|\"soon\"|`agent.a.timeout` must be a time such as \"30s\", not \"soon\"|units: `ms`, `s`, `m`, `h`; whole numbers",
        ],
    );
    for (value, part) in
        [("\"0s\"", "longer than nothing"), ("\"25h\"", "longer than a day"), ("30", "this is an integer")]
    {
        let found = findings(&format!("[project]\nname = \"s\"\n{agent}{value}"));
        assert!(found.len() == 1 && found[0].contains(part), "{found:?}");
    }
}

#[test]
fn what_is_not_supported_yet_is_told() {
    check_rest(
        "[[route]]\nwhen = \"x\"\n",
        &["bad-config|route|`route` is not supported yet|remove it: nothing in this version acts on it"],
    );
    check_rest(
        "[[recover]]\non = \"syntax\"\ndo = \"retry-with-feedback\"\n",
        &[
            "bad-config|\"syntax\"|`recover.on` cannot be \"syntax\" in this version|there is \"quality\"; failures that may pass are tried again by `retry` of the agent",
        ],
    );
    for key in ["candidates", "strategy", "requires", "wait_for", "scope", "hedge", "aggregate", "cancel"] {
        let text = format!(
            "[project]\nname = \"s\"\n[agent.a]\ncommand = [\"a\"]\n[target.t]\nagent = \"a\"\noutput = \"{{contract}}\"\n{key} = 1"
        );
        let found = findings(&text);
        assert!(found.len() == 1 && found[0].starts_with(&format!("bad-config|{key}|")), "{found:?}");
    }
    check_rest(
        "[agent.a]\ncommand = [\"a\"]\n[target.t]\nagent = \"a\"\noutput = \"{contract}\"\nneeds = [{ target = \"models\", timeout = \"soon\" }]",
        &[
            "bad-config|\"soon\"|`target.t.needs.timeout` must be a time such as \"30s\", not \"soon\"|units: `ms`, `s`, `m`, `h`; whole numbers",
        ],
    );
}

#[test]
fn agents_and_gates_that_cannot_be() {
    check_rest(
        "[agent.a]\ncommand = [\"a\"]\nkind = \"disk\"\nconcurrency = 0\nprompt = \"p\"\nretry = { attempts = 0 }\n",
        &[
            "bad-config|\"disk\"|`agent.a.kind` must be \"io\" or \"cpu\", not \"disk\"|-",
            "bad-config|0|`agent.a.concurrency` must be from 1 to 10000, not 0|-",
            "bad-config|\"p\"|`agent.a.prompt` is for agents with `llm`|-",
            "bad-config|0|`agent.a.retry.attempts` must be from 1 to 100, not 0|-",
        ],
    );
    check_rest(
        "[agent.a]\nllm = { base_url = \"localhost\", model = \"m\" }\n",
        &[
            "bad-config|a|`agent.a.prompt` is missing|add a line such as\nprompt = \"prompts/summary.md.j2\"",
            "bad-config|\"localhost\"|`agent.a.llm.base_url` must begin with http:// or https://|-",
        ],
    );
    check_rest(
        "[gate.g]\nchecks = [\"rufff\", \"json-schema\"]\nthreshold = 2\n",
        &[
            "bad-config|g|`gate.g` checks nothing|add a line such as\nchecks = [\"python-syntax\", \"ruff\"]",
            "bad-config|\"rufff\"|there is no check `rufff`|did you mean \"ruff\"?",
            "bad-config|\"json-schema\"|`gate.g.schema` is missing: json-schema checks against it|-",
        ],
    );
}

#[test]
fn what_has_no_effect_yet_is_refused() {
    check_rest(
        "[agent.a]\ncommand = [\"a\"]\n[agent.m]\nllm = { base_url = \"http://h/v1\", model = \"m\" }\nprompt = \"p\"\n\
         budget = { tokens = 5 }\n[gate.g]\nchecks = [\"ruff\"]\n[target.t]\nagent = \"a\"\noutput = \"{contract}\"\n\
         gates = [\"g\"]\nquality_threshold = 0.5\n[run]\nquality_threshold = 0.5\n",
        &[
            "bad-config|quality_threshold|`run.quality_threshold` is not supported yet|remove it: nothing in this version \
             acts on it",
        ],
    );
}

#[test]
fn references() {
    check_rest(
        "targets = [\"model\", \"dosc\", \"nothing\"]\n[agent.writer]\ncommand = [\"a\"]\n[target.docs]\nagent = \"writr\"\n\
         output = \"{contract}.md\"\nneeds = [\"validator\"]\n[target.tests]\nagent = \"writer\"\noutput = \"x\"\n",
        &[
            "bad-config|\"model\"|there is no target `model`|did you mean \"models\"?",
            "bad-config|\"dosc\"|there is no target `dosc`|did you mean \"docs\"?",
            "bad-config|\"nothing\"|there is no target `nothing`|there are `models`, `validators`, `tests`, `nodes`, `docs`",
            "bad-config|\"writr\"|there is no agent `writr`|did you mean \"writer\"?",
            "bad-config|\"validator\"|there is no target `validator`|did you mean \"validators\"?",
            "bad-config|tests|`tests` is a built-in target and cannot be defined|choose another name, or leave `tests` out of \
             `project.targets`",
        ],
    );
    check_rest(
        "[agent.\"a b\"]\ncommand = [\"a\"]\n",
        &["bad-config|\"a b\"|`a b` is no name for an agent|use ASCII letters, digits, `-` and `_`"],
    );
    check_rest(
        "[agent.a]\ncommand = []\nenv = [\"A=1\"]\n",
        &[
            "bad-config|[]|`agent.a.command` names no program|-",
            "bad-config|\"A=1\"|`agent.a.env` must list names of variables|write the name alone: the value is taken from \
             omnigen's own environment",
        ],
    );
}

#[test]
fn outputs() {
    let target = |output: &str| {
        let text = format!(
            "[project]\nname = \"s\"\n[agent.a]\ncommand = [\"a\"]\n[target.t]\nagent = \"a\"\noutput = \"{output}\""
        );
        findings(&text).join("\n")
    };
    assert_eq!(target("docs/{contract}/*.md"), "");
    assert!(target("docs/all.md").contains("all contracts would have one output"));
    assert!(target("docs/{contract}/{candidate}.md").contains("holds `{candidate}`; the only placeholder"));
    assert!(target("../{contract}.md").contains("must stay inside the project"));
    let two = "[agent.a]\ncommand = [\"a\"]\n[target.s]\nagent = \"a\"\noutput = \"./{contract}.md\"\n[target.t]\nagent = \"a\"\noutput = \"{contract}.md\"";
    check_rest(
        two,
        &["bad-config|t|targets `s` and `t` have one output pattern|give each its own folder or extension"],
    );
}

fn needing(edges: &[(&str, &[&str])]) -> String {
    let mut text = "[project]\nname = \"s\"\n[agent.a]\ncommand = [\"a\"]\n".to_owned();
    for (name, needs) in edges {
        text += &format!("[target.{name}]\nagent = \"a\"\noutput = \"{name}/{{contract}}\"\nneeds = {needs:?}\n");
    }
    text
}

#[test]
fn circles_are_drawn() {
    check(&needing(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &["models"])]), &[]);
    check(&needing(&[("a", &["a"])]), &["task-cycle|\"a\"|target `a` needs itself|leave out one of these needs"]);
    let text = needing(&[("d", &["c"]), ("c", &["b"]), ("b", &["models", "d"]), ("a", &["d"])]);
    check(
        &text,
        &["task-cycle|\"d\"|targets need each other in a circle: `b` → `d` → `c` → `b`|leave out one of these needs"],
    );
    let (_, found) = Config::parse(&text);
    let labels: Vec<&str> = found[0].related.iter().map(|(_, label)| label.as_str()).collect();
    assert_eq!(labels, ["`d` needs `c`", "`c` needs `b`"]);
    // Two circles, two findings.
    assert_eq!(findings(&needing(&[("a", &["b"]), ("b", &["a"]), ("c", &["d"]), ("d", &["c"])])).len(), 2);
}

#[test]
fn a_long_chain_is_no_circle() {
    let mut text = "[project]\nname = \"s\"\n[agent.a]\ncommand = [\"a\"]\n".to_owned();
    for index in 0..3_000 {
        text += &format!(
            "[target.t{index}]\nagent = \"a\"\noutput = \"{index}/{{contract}}\"\nneeds = [\"t{}\"]\n",
            index + 1
        );
    }
    text += "[target.t3000]\nagent = \"a\"\noutput = \"last/{contract}\"\n";
    assert_eq!(config(&text).targets.len(), 3_005);
}
