//! What there is to say about each code: what it means, what to do, and an example that gives exactly this code.
//!
//! `CODES.md` is made of this (`cargo xtask codegen`), `omnigen codes` shows it, and a test runs every example.

use std::fmt::Write as _;

use crate::{Code, Severity};

/// The page of one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// What it means, and why it is told.
    pub about: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Files (`-- path --`, then the text) and steps (`$ command`) in an empty folder. Without an `omnigen.toml` there is one
    /// that says `[project]` and a name; without steps the step is `omnigen check`. The last step gives this code and no other.
    /// `$SITE` is the address of a server that serves the folder `site`.
    pub example: &'static str,
}

impl Page {
    /// The files of the example: path and text.
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let mut files: Vec<(&'static str, String)> = Vec::new();
        for line in self.example.lines().filter(|line| !line.starts_with("$ ")) {
            if let Some(path) = line.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --")) {
                files.push((path, String::new()));
            } else if let Some((_, text)) = files.last_mut() {
                text.push_str(line);
                text.push('\n');
            }
        }
        files
    }

    /// The steps of the example.
    pub fn steps(&self) -> Vec<&'static str> {
        let steps: Vec<&str> = self.example.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
        if steps.is_empty() { vec!["omnigen check"] } else { steps }
    }
}

const fn page(about: &'static str, fix: &'static str, example: &'static str) -> Page {
    Page { about, fix, example }
}

impl Severity {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// The page of one code as Markdown, without a heading of its own.
pub fn markdown(code: Code) -> String {
    let Page { about, fix, example } = code.page();
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write!(out, "*{}.* {}\n\n{about}\n\n**What to do.** {fix}\n\n", code.severity().word(), code.title());
    for (index, block) in blocks(example).iter().enumerate() {
        let gap = if index > 0 { "\n" } else { "" };
        let _ = write!(out, "{gap}{block}");
    }
    out
}

/// Files and runs of steps of an example, each as a fenced block.
fn blocks(example: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = example.lines().peekable();
    while let Some(line) = lines.next() {
        let mut body = String::new();
        let (head, language, step) = match line.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --")) {
            Some(path) => (format!("`{path}`:\n\n"), path.rsplit('.').next().unwrap_or_default(), false),
            None => {
                body = format!("{line}\n");
                (String::new(), "sh", true)
            }
        };
        while let Some(line) = lines.next_if(|next| !next.starts_with("-- ") && next.starts_with("$ ") == step) {
            body.push_str(line);
            body.push('\n');
        }
        blocks.push(format!("{head}```{language}\n{body}```\n"));
    }
    blocks
}

/// All codes with their pages, as `CODES.md` holds them.
pub fn all_pages() -> String {
    let mut out = String::from(
        "<!-- Made by `cargo xtask codegen` from codes.rs and pages.rs; do not edit. -->\n\n# Codes\n\n\
         Every finding has one of these codes; `omnigen codes CODE` shows its page. Errors hold back what depends on the \
         contract; the rest is still built. Notes are shown with `-v`. Each example begins in an empty folder with an \
         `omnigen.toml` that names a project, unless it has its own; `omnigen check` finds what it shows, unless it says how.\n\n\
         | Code | | |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let _ = writeln!(out, "| [`{0}`](#{0}) | {1} | {2} |", code.id(), code.severity().word(), code.title());
    }
    out.push_str(LIMITS);
    for code in Code::ALL {
        let _ = write!(out, "\n## {}\n\n{}", code.id(), markdown(*code));
    }
    out
}

/// What input may not exceed. The numbers are those of the crates that check them; tests hold them together.
const LIMITS: &str = "
## Limits

What goes beyond a limit is an error with the code in the last column, never a crash, and the other contracts are still built.

| What | Limit | Code |
|---|---|---|
| Bytes of one file | 64 MiB | `too-large` |
| Nesting of one document | 256 levels | `too-deep` |
| Values that the aliases of one YAML document stand for | 1,000,000 | `too-large` |
| Schemas of one file | 200,000 | `too-large` |
| References of one file | 200,000 | `too-large` |
| Bytes of one pattern | 20,000 | `pattern-not-carried` |
| Nesting of groups in one pattern | 90 levels | `pattern-not-carried` |
| Files within files by `!include` | 10 levels, 1,000 files, 16 MiB together | `bad-include` |
| Bytes of one included file | 1 MiB | `bad-include` |
| Bytes of one remote schema | 16 MiB | `fetch-failed` |
| Remote schemas fetched by one run | 1,000 | `fetch-failed` |
";

impl Code {
    /// Its page.
    pub fn page(self) -> Page {
        match self {
            Code::Unreadable => page(
                "A contract cannot be opened: it is a link to nothing, a folder, a pipe, or belongs to somebody else.",
                "Make the file readable, or leave it out with `exclude`.",
                "$ mkdir contracts\n$ ln -s ../gone.json contracts/order.json\n$ omnigen check",
            ),
            Code::NotUtf8 => page(
                "JSON and YAML are read as UTF-8 only. The message names the first byte that is not.",
                "Save the file as UTF-8. A byte order mark is fine.",
                "$ mkdir contracts\n$ printf '{ \"title\": \"Gr\\366\\337e\" }' > contracts/size.json\n$ omnigen check",
            ),
            Code::Empty => page(
                "The file is empty, or holds nothing but spaces and comments. That is more often an accident than a schema.",
                "Write the contract, or remove the file. `{}` is the schema that accepts everything.",
                "-- contracts/order.yaml --\n# to be written",
            ),
            Code::Syntax => page(
                "The text cannot be read at all. JSON is read strictly: no comments, no trailing commas.",
                "Mend the marked place.",
                "-- contracts/order.json --\n{ \"type\": \"object\", }",
            ),
            Code::DuplicateKey => page(
                "JSON leaves open what two members of one name mean; most readers take the last, and so does omnigen. The earlier \
                 one is lost, which is rarely meant.",
                "Remove one of them. With `duplicate-keys = \"error\"` in `[project]` it is an error.",
                "-- contracts/order.yaml --\ntype: object\ndescription: The first.\ndescription: The second.",
            ),
            Code::TooDeep => page(
                "The document is nested deeper than the limit below. No contract that people wrote comes near.",
                "Give the inner parts names under `$defs`, and refer to them.",
                "$ mkdir contracts\n$ (yes '[' | head -n 300; yes ']' | head -n 300) > contracts/deep.json\n$ omnigen check",
            ),
            Code::TooLarge => page(
                "The file, or what its YAML aliases stand for, exceeds a limit below. A few lines of aliases can stand for \
                 gigabytes.",
                "Split the contract into several files.",
                "-- contracts/bomb.yaml --\na: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n\
                 c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n\
                 e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\n\
                 g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]",
            ),
            Code::NotAContract => page(
                "The document is of no kind that omnigen builds from. A document without any keyword of JSON Schema is a warning: it \
                 accepts everything, but others may refer into it.",
                "Leave the file out with `exclude`, or narrow the globs of `contracts`.",
                "-- contracts/list.json --\n[1, 2, 3]",
            ),
            Code::WrongType => page(
                "A keyword's value is not what the specification asks for, so nobody can know what it means. Where the keyword is \
                 only a remark (`title`, `examples`, …) it is a warning, and the remark is left out.",
                "Write what the message expects.",
                "-- contracts/order.json --\n{ \"type\": \"object\", \"properties\": { \"id\": { \"minLength\": \"5\" } } }",
            ),
            Code::UnknownType => page(
                "JSON Schema has seven types: `null`, `boolean`, `integer`, `number`, `string`, `array`, `object`.",
                "Take the one that is meant; the hint names the nearest.",
                "-- contracts/order.json --\n{ \"type\": \"objec\" }",
            ),
            Code::UnknownKeyword => page(
                "JSON Schema ignores what it does not know, and so do validators. Each such name is told once a file.",
                "Nothing, if it is there for other tools. Names that begin with `x-` are not told.",
                "-- contracts/order.json --\n{ \"type\": \"string\", \"table\": \"orders\" }\n$ omnigen check -v",
            ),
            Code::MisspelledKeyword => page(
                "A name that is no keyword, but looks like one. JSON Schema ignores it without a word, so the rule that was meant \
                 is not checked by anybody.",
                "Take the spelling of the hint. A name with `x-` in front is never taken for a keyword.",
                "-- contracts/order.json --\n{ \"type\": \"object\", \"requried\": [\"id\"] }",
            ),
            Code::IgnoredKeyword => page(
                "The specification gives the keyword no effect where it stands: beside `$ref` in draft-07, in a draft that does not \
                 have it yet, or without the keyword that it goes with.",
                "Put it where it counts, or remove it.",
                "-- contracts/order.json --\n{ \"type\": \"integer\", \"then\": { \"minimum\": 1 } }",
            ),
            Code::NotCarried => page(
                "The keyword means something that the generated code does not check yet. It is told rather than dropped.",
                "Know that validators accept more than the contract.",
                "-- contracts/order.json --\n{ \"openapi\": \"3.0.3\", \"info\": { \"title\": \"Orders\", \"version\": \"1\" },\n  \"components\": { \
                 \"schemas\": { \"Id\": { \"type\": \"string\" } } },\n  \"paths\": { \"/orders\": { \"post\": { \"responses\": {},\n    \
                 \"parameters\": [{ \"name\": \"order\", \"in\": \"body\", \"schema\": { \"type\": \"object\" } }] } } } }",
            ),
            Code::UnknownDialect => page(
                "`$schema` says how all other keywords are to be read, and this one is not known; the file is read as draft 2020-12.",
                "Name a draft of JSON Schema, or leave `$schema` out.",
                "-- contracts/order.json --\n{ \"$schema\": \"https://far.example/own-dialect\", \"type\": \"object\" }",
            ),
            Code::UnknownFormat => page(
                "With `format = \"assert\"` validators check the formats of the specification. This one is not among them, so it \
                 stays a remark.",
                "Nothing, or a `pattern` that says the same.",
                "-- omnigen.toml --\n[project]\nname = \"shop\"\n\n[python]\nformat = \"assert\"\n-- contracts/order.json --\n\
                 { \"type\": \"string\", \"format\": \"order-number\" }\n$ omnigen build -v",
            ),
            Code::BadPattern => page(
                "Patterns of JSON Schema are regular expressions of ECMA 262 (those of JavaScript), with the flag `u`.",
                "Mend the pattern at the byte that the message names. In JSON a backslash is written twice.",
                "-- contracts/order.json --\n{ \"type\": \"string\", \"pattern\": \"^(a|b\" }",
            ),
            Code::PatternNotCarried => page(
                "The pattern is right, but means something that Python's `re` has no way to say, such as a look-behind of changing \
                 length.",
                "Say it in another way; often the anchors `^` and `$` are enough.",
                "-- contracts/order.json --\n{ \"type\": \"string\", \"pattern\": \"(?<=a+)b\" }",
            ),
            Code::SlowPattern => page(
                "A text of a few dozen characters can keep a backtracking matcher busy for years: who sends it stops your service.",
                "Take away the ambiguity: `^(a+)+$` says the same as `^a+$`. Generated tests leave out the documents for which it would take long.",
                "-- contracts/order.json --\n{ \"type\": \"string\", \"pattern\": \"^(a+)+$\" }",
            ),
            Code::BadReference => page(
                "A `$ref` is a URI reference: `#/$defs/a`, `other.json`, `https://far.example/a.json#/b`.",
                "Escape what URIs do not allow: a space is `%20`.",
                "-- contracts/order.json --\n{ \"$ref\": \"my file.json\" }",
            ),
            Code::DanglingReference => page(
                "Nothing is where the reference leads. Paths are relative to the file, or to its `$id`; builds never use the network.",
                "Correct the reference, add what is missing, or get a remote schema with `omnigen vendor URL`.",
                "-- contracts/order.json --\n{ \"$ref\": \"#/$defs/adress\", \"$defs\": { \"address\": { \"type\": \"object\" } } }",
            ),
            Code::ReferenceLoop => page(
                "Schemas that are nothing but references to each other say nothing about the data, and no validator could ever end.",
                "Give one of them the content that was meant. Recursion through a property or an item is fine.",
                "-- contracts/order.json --\n{ \"$ref\": \"#/$defs/a\", \"$defs\": { \"a\": { \"$ref\": \"#/$defs/b\" }, \
                 \"b\": { \"$ref\": \"#/$defs/a\" } } }",
            ),
            Code::DuplicateId => page(
                "An `$id` is the name by which other files find a schema. With two of one name, references by it lead to the first \
                 file by path, which may not be the one that was meant.",
                "Give one of them another `$id`, or leave it out: relative references work without.",
                "-- contracts/a.json --\n{ \"$id\": \"https://far.example/order\", \"type\": \"object\" }\n-- contracts/b.json --\n\
                 { \"$id\": \"https://far.example/order\", \"type\": \"array\" }",
            ),
            Code::MismatchedDefault => page(
                "A model with such a default would make documents that its own validator refuses, so the default is left out.",
                "Correct the default or the schema.",
                "-- contracts/order.json --\n{ \"type\": \"object\", \"properties\": { \"count\": { \"type\": \"integer\", \
                 \"default\": \"one\" } } }\n$ omnigen build",
            ),
            Code::NeverValid => page(
                "What the contract says at this place excludes itself, so every document that comes to it is refused.",
                "One of the marked values is wrong.",
                "-- contracts/order.json --\n{ \"type\": \"string\", \"minLength\": 5, \"maxLength\": 3 }",
            ),
            Code::ExampleInvalid => page(
                "Examples are what people copy first. This one is refused by its own contract.",
                "Correct the example, or the rule that it breaks.",
                "-- contracts/order.json --\n{ \"type\": \"object\", \"required\": [\"id\"], \"examples\": [{ \"key\": 1 }] }\n\
                 $ omnigen build",
            ),
            Code::NoVerdict => page(
                "Documents of generated tests are judged by an independent implementation of JSON Schema. It cannot read this \
                 contract, so its tests hold no documents.",
                "Look at what the message says of the contract; models and validators are not touched by it.",
                "-- contracts/order.json --\n{ \"type\": \"number\", \"maximum\": 1E400 }\n$ omnigen build",
            ),
            Code::HeldBack => page(
                "A contract is built from what it refers to. As long as that has errors, which are told beside this, the last good outputs \
                 stay.",
                "Mend the contract that the message names.",
                "-- contracts/base.json --\n{ \"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"allOf\": [{ \"$ref\": \
                 \"part.json\" }] }\n-- contracts/part.json --\n{ \"type\": \"object\"\n$ omnigen build",
            ),
            Code::NameCollision => page(
                "Two definitions of one contract would become classes of one name. omnigen never numbers them: a number would \
                 change its meaning when a third comes.",
                "Rename one of the definitions.",
                "-- contracts/user.json --\n{ \"$defs\": { \"user-role\": { \"enum\": [1] }, \"userRole\": { \"enum\": [2] } } }\n\
                 $ omnigen build",
            ),
            Code::OutputCollision => page(
                "Names of outputs come from the paths of contracts, without their extensions, and some disks do not tell `A` from `a`.",
                "Rename one of the files, or leave it out with `exclude`.",
                "-- contracts/order.json --\n{}\n-- contracts/order.yaml --\ntype: object",
            ),
            Code::ForeignFile => page(
                "A file without omnigen's mark is where an output belongs. What others wrote is never touched.",
                "Move the file, or choose another `out` folder.",
                "-- contracts/order.json --\n{ \"type\": \"object\" }\n-- generated/models/model_order.py --\nprint(\"mine\")\n\
                 $ omnigen build",
            ),
            Code::EditedOutput => page(
                "The mark at the top of an output holds a digest of the rest. It does not fit any more, so somebody changed the \
                 file, or a formatter did; what was changed is shown as a diff.",
                "Put the change into the contract and build with `--force`, or keep formatters away from the folder.",
                "-- contracts/order.json --\n{ \"type\": \"object\" }\n$ omnigen build\n$ echo '# mine' >> \
                 generated/models/model_order.py\n$ rm -r .omnigen\n$ omnigen build",
            ),
            Code::Unwritable => page(
                "An output could not be put in its place, or an old one not removed. The first such problem ends the run with exit \
                 code 2; this code is for the others, and for copies of remote schemas.",
                "See what the system says: permissions, a full disk, a folder in the place of a file.",
                "-- omnigen.toml --\n[project]\nname = \"shop\"\nrefs = \"refs\"\n-- site/a.json --\n{ \"type\": \"object\" }\n\
                 -- refs --\nA file where a folder belongs.\n$ omnigen vendor $SITE/a.json",
            ),
            Code::FetchFailed => page(
                "`omnigen vendor` could not get a schema: no connection, an answer that is no schema, one that is too large, or one \
                 that took too long.",
                "Look at the address; `--timeout` gives it more time.",
                "-- omnigen.toml --\n[project]\nname = \"shop\"\nrefs = \"refs\"\n-- site/a.json --\n{ \"type\": \"object\" }\n\
                 $ omnigen vendor $SITE/b.json",
            ),
            Code::RemoteChanged => page(
                "The schema at an address is not what it was when it was locked, or the copy here is not what the address says. \
                 Neither is taken unasked, because generated code would change with it.",
                "Read the difference; `omnigen vendor --update URL` takes it.",
                "-- omnigen.toml --\n[project]\nname = \"shop\"\nrefs = \"refs\"\n-- site/a.json --\n{ \"type\": \"object\" }\n\
                 $ omnigen vendor $SITE/a.json\n$ echo '{ \"type\": \"array\" }' > site/a.json\n$ omnigen vendor $SITE/a.json",
            ),
            Code::MirrorChanged => page(
                "`omnigen.lock` holds a digest of every vendored schema, and this copy has another. What refers to it waits.",
                "Restore the copy, or take what the remote says now with `omnigen vendor --update URL`.",
                "-- omnigen.toml --\n[project]\nname = \"shop\"\nrefs = \"refs\"\ncontracts = [\"refs/**/*.json\"]\n-- site/a.json \
                 --\n{ \"type\": \"object\" }\n$ omnigen vendor $SITE/a.json\n$ echo '{}' | tee refs/*/a.json\n$ omnigen check",
            ),
            Code::BadConfig => page(
                "A value in `omnigen.toml` is not what is expected there, or a line of `omnigen.lock` cannot be read.",
                "Write what the message expects.",
                "-- omnigen.toml --\n[project]\nname = \"shop\"\n\n[python]\nline-length = 10",
            ),
            Code::UnknownConfigKey => page(
                "`omnigen.toml` has a key that means nothing, so what it was to set is not set.",
                "Take the spelling of the hint.",
                "-- omnigen.toml --\n[project]\nname = \"shop\"\nexlude = [\"drafts/**\"]",
            ),
            Code::AgentFailed => page(
                "The agent exited with an error, or said itself that it failed. The last good output stays.",
                "Look at what it wrote to standard error, which is shown.",
                "-- omnigen.toml --\n[project]\nname = \"shop\"\ntargets = [\"docs\"]\n[agent.writer]\ncommand = [\"sh\", \"-c\", \
                 \"exit 7\"]\n[target.docs]\nagent = \"writer\"\noutput = \"docs/{contract}.md\"\n-- contracts/order.json --\n\
                 { \"type\": \"object\" }\n$ omnigen build",
            ),
            Code::GateFailed => page(
                "An answer did not pass a gate of its target, or its agent scores it below `quality_threshold`. It is not placed: the \
                 last good output stays, and the answer lies below `.omnigen/rejected`.",
                "Look at the findings. The answer is stored: it is not asked for again until something that its agent sees, or the \
                 gate, is another.",
                r#"-- omnigen.toml --
[project]
name = "shop"
targets = ["docs"]
[agent.writer]
command = ["sh", "-c", """
echo '{"type":"artifact","path":"docs/order.py","text":"def"}'
echo '{"type":"completed"}'
"""]
[target.docs]
agent = "writer"
output = "docs/{contract}.py"
gates = ["python"]
[gate.python]
checks = ["python-syntax"]
-- contracts/order.json --
{ "type": "object" }
$ omnigen build"#,
            ),
            Code::AgentProtocol => page(
                "The agent said something that is no message of the protocol, or said it at the wrong time.",
                "An agent writes one JSON object a line to standard output and nothing else; remarks go to standard error.",
                "-- omnigen.toml --\n[project]\nname = \"shop\"\ntargets = [\"docs\"]\n[agent.writer]\ncommand = [\"echo\", \
                 \"hello\"]\n[target.docs]\nagent = \"writer\"\noutput = \"docs/{contract}.md\"\n-- contracts/order.json --\n\
                 { \"type\": \"object\" }\n$ omnigen build",
            ),
            Code::AgentTimeout => page(
                "The agent did not answer within its `timeout`, and was ended.",
                "Give it more time, or find out what it waits for.",
                "-- omnigen.toml --\n[project]\nname = \"shop\"\ntargets = [\"docs\"]\n[agent.writer]\ncommand = [\"sleep\", \
                 \"60\"]\ntimeout = \"100ms\"\n[target.docs]\nagent = \"writer\"\noutput = \"docs/{contract}.md\"\n\
                 -- contracts/order.json --\n{ \"type\": \"object\" }\n$ omnigen build",
            ),
            Code::AgentMissing => page(
                "The program of an agent cannot be started.",
                "Install it, or correct `command`. Its own files have to be among its `inputs`.",
                "-- omnigen.toml --\n[project]\nname = \"shop\"\ntargets = [\"docs\"]\n[agent.writer]\ncommand = \
                 [\"no-such-program\"]\n[target.docs]\nagent = \"writer\"\noutput = \"docs/{contract}.md\"\n\
                 -- contracts/order.json --\n{ \"type\": \"object\" }\n$ omnigen build",
            ),
            Code::BadTypeExpression => page(
                "Fields of ONEX contracts have types in Python's notation; this one ends too early, or has something else where a \
                 type belongs. The field is built as one that takes everything.",
                "Write a type such as `str`, `list[str]`, `dict[str, int]` or `int | null`.",
                "-- contracts/pay.yaml --\ncontract_version: {major: 1, minor: 0, patch: 0}\nnode_type: effect\nname: pay\ninputs:\n  lines: {type: \"list[str\"}",
            ),
            Code::ProseType => page(
                "A type is followed by words. What could be understood of them (defaults and bounds) counts, the rest is kept as a \
                 description.",
                "Put the type alone into `type`, and the rest into `description`, `default`, `minimum` and `maximum`.",
                "-- contracts/pay.yaml --\ncontract_version: {major: 1, minor: 0, patch: 0}\nnode_type: effect\nname: pay\ninputs:\n  lines: {type: list of strings that were read}",
            ),
            Code::UntypedField => page(
                "A state lists names of fields and nothing says what may be in them, so everything may. Operations that only name \
                 their fields are a note.",
                "Say the types in `validation_rules.constraint_definitions`, or write `properties`.",
                "-- contracts/pay.yaml --\ncontract_version: {major: 1, minor: 0, patch: 0}\nnode_type: effect\nname: pay\ninput_state:\n  object_type: object\n  required: [amount]",
            ),
            Code::BadInclude => page(
                "`!include` takes a path that is relative to its file, without `..`, of a file of at most 1 MiB. Files may include \
                 others ten levels deep, but not in a circle.",
                "Correct the path, or move the file below the contract's folder.",
                "-- contracts/pay.yaml --\ncontract_version: {major: 1, minor: 0, patch: 0}\nnode_type: effect\nname: pay\nrouting: !include ../routing.yaml",
            ),
            Code::BadTopic => page(
                "Topics are called `onex.<kind>.<service>.<name>.v<N>`, with hyphens in between. The constant is made all the same.",
                "Rename the topic everywhere it is used.",
                "-- contracts/pay.yaml --\ncontract_version: {major: 1, minor: 0, patch: 0}\nnode_type: effect\nname: pay\nterminal_event: onex.evt.shop.order_paid.v1",
            ),
            Code::DifferingNames => page(
                "`name`, `node_name` and `contract_name` say different things. The node is called what the first of them says.",
                "Give it one name.",
                "-- contracts/pay.yaml --\ncontract_version: {major: 1, minor: 0, patch: 0}\nnode_type: effect\nname: pay\nnode_name: node_pay",
            ),
            Code::MissingKey => page(
                "Something that belongs to a contract is not there: its name, kind or version, a route's handler, the states of a \
                 transition. Whatever needs it is left out, the rest is built.",
                "Add it.",
                "-- contracts/pay.yaml --\nnode_type: effect\nname: pay",
            ),
            Code::PlaceholderKey => page(
                "A key looks as if it came from a template and should have been replaced.",
                "Replace it, or take it out.",
                "-- contracts/pay.yaml --\ncontract_version: {major: 1, minor: 0, patch: 0}\nnode_type: effect\nname: pay\ninputs:\n  TEMPLATE_REQUIRED_FIELD: {type: str}",
            ),
            Code::UnknownState => page(
                "A transition names a state that is not among the machine's states. It becomes one.",
                "Correct the name, or declare the state.",
                "-- contracts/pay.yaml --\ncontract_version: {major: 1, minor: 0, patch: 0}\nnode_type: effect\nname: pay\nfsm:\n  states: [open, paid]\n  transitions:\n    - {from: open, to: payed}",
            ),
            Code::AnswerMissing => page(
                "With `--frozen` no agent is started: answers come from `omnigen.lock` and the committed outputs, and this one is \
                 not there.",
                "Run `omnigen build` where agents may run, and commit the lock and the outputs.",
                "-- omnigen.toml --\n[project]\nname = \"shop\"\ntargets = [\"docs\"]\n[agent.writer]\ncommand = \
                 [\"cat\"]\n[target.docs]\nagent = \"writer\"\noutput = \"docs/{contract}.md\"\n\
                 -- contracts/order.json --\n{ \"type\": \"object\" }\n$ omnigen build --frozen",
            ),
            Code::TaskCycle => page(
                "Targets that need each other can never begin.",
                "Take one of the needs away.",
                "-- omnigen.toml --\n[project]\nname = \"shop\"\n[agent.writer]\ncommand = [\"cat\"]\n[target.docs]\nagent = \
                 \"writer\"\noutput = \"docs/{contract}.md\"\nneeds = [\"notes\"]\n[target.notes]\nagent = \"writer\"\n\
                 output = \"notes/{contract}.md\"\nneeds = [\"docs\"]",
            ),
            Code::DamagedManifest => page(
                "What was remembered between runs could not be used. It is only a cache: everything is built anew, and hand edits are \
                 still seen, because the marks stand in the outputs.",
                "Nothing. If it comes again and again, look at the disk.",
                "-- contracts/order.json --\n{ \"type\": \"object\" }\n$ omnigen build\n$ printf x >> .omnigen/manifest\n\
                 $ omnigen build",
            ),
            Code::StoreUnwritable => page(
                "What was made is where it belongs, but other checkouts cannot take it from the shared store (`--cache-dir`, \
                 `OMNIGEN_CACHE`, `[cache]`). What lies there is used all the same.",
                "Make room, or see to the rights of the folder; where it is only to be read from on purpose, nothing.",
                "-- contracts/order.json --\n{ \"type\": \"object\" }\n$ touch store\n$ omnigen build --cache-dir store",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_is_this_one() {
        let (committed, now) = (include_str!("../CODES.md"), all_pages());
        let differs = committed.lines().zip(now.lines()).find(|(old, new)| old != new);
        assert!(committed == now, "run `cargo xtask codegen`; the first difference: {differs:?}");
    }

    #[test]
    fn examples_are_files_and_steps() {
        let example = "-- a.json --\n{\n}\n-- b/c.toml --\nx = 1\n$ one\n$ two -- three --";
        let page = page("", "", example);
        assert_eq!(page.files(), [("a.json", "{\n}\n".to_owned()), ("b/c.toml", "x = 1\n".to_owned())]);
        assert_eq!(page.steps(), ["one", "two -- three --"]);
        assert_eq!(
            blocks(example),
            [
                "`a.json`:\n\n```json\n{\n}\n```\n",
                "`b/c.toml`:\n\n```toml\nx = 1\n```\n",
                "```sh\n$ one\n$ two -- three --\n```\n"
            ]
        );
        for code in Code::ALL {
            let page = code.page();
            assert!(page.about.ends_with('.') && page.fix.ends_with('.'), "{}", code.id());
            assert!(page.steps().last().is_some_and(|step| step.starts_with("omnigen ")), "{}", code.id());
        }
    }
}
