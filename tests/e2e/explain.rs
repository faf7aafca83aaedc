//! `explain`, `log` and `graph`: the answers to "why?".

use omnigen_tests::Project;
use serde_json::{Value, json};

use crate::machines::valid;

const CUSTOMER: &str = r##"{
  "description": "A customer.",
  "type": "object",
  "properties": { "name": { "type": "string" }, "home": { "$ref": "#/$defs/Address" } },
  "$defs": { "Address": { "type": "object", "properties": { "city": { "type": "string" } } }, "Other": { "type": "integer" } }
}
"##;
const ORDER: &str = r#"{
  "type": "object",
  "properties": { "to": { "$ref": "customer.json#/$defs/Address" }, "for": { "$ref": "customer.json" } }
}
"#;

fn built() -> Project {
    let project = Project::with(&[("contracts/customer.json", CUSTOMER), ("contracts/order.json", ORDER)]);
    project.build().ends(0);
    project
}

#[track_caller]
fn explained(project: &Project, artifact: &str) -> Value {
    let run = project.run(&["explain", artifact, "--message-format", "json"]);
    run.ends(0);
    let found: Value = serde_json::from_str(&run.stdout).expect("JSON");
    valid("explain", std::slice::from_ref(&found));
    found
}

const VALIDATOR: &str = "generated/validators/validator_customer.py";

#[test]
fn before_and_after_the_build_the_same_chain_is_told() {
    let project = built();
    let first = explained(&project, VALIDATOR);
    assert_eq!((&first[0]["state"], &first[0]["revision"]), (&json!("up-to-date"), &json!(1)));
    assert_eq!(first[0]["causes"], json!([{ "kind": "cold" }]));
    project.edit("contracts/customer.json", r#""city": { "type": "string" }"#, r#""city": { "type": "integer" }"#);
    let before = explained(&project, VALIDATOR);
    assert_eq!(before[0]["state"], "stale");
    project.build().ends(0);
    let after = explained(&project, VALIDATOR);
    assert_eq!(after[0]["state"], "up-to-date");
    for part in ["causes", "reads", "before", "digest", "revision"] {
        assert_eq!(before[0][part], after[0][part], "{part}");
    }
    let file = &after[0]["causes"][0];
    assert_eq!(file["path"], "contracts/customer.json");
    let changed: Vec<&Value> = file["definitions"].as_array().expect("a list").iter().map(|d| &d["pointer"]).collect();
    assert_eq!(changed, [&json!("/$defs/Address")], "{file:#}");
    assert!(file["definitions"][0]["before"] != file["definitions"][0]["after"]);
    let broken: Vec<&Value> =
        after[0]["reads"].as_array().expect("a list").iter().filter(|read| read["held"] == false).collect();
    assert_eq!(broken.len(), 1, "{broken:#?}");
    assert_eq!(broken[0]["what"], "all schemas of contracts/customer.json itself, without annotations");
    assert!(broken[0]["before"].is_string() && broken[0]["now"].is_string());
    let generator = after[0]["reads"].as_array().expect("a list").iter().find(|read| read["enters"] != json!([]));
    let enters = &generator.expect("the generator")["enters"];
    assert!(enters.as_array().expect("a list").contains(&json!(["python.line-length", "88"])), "{enters}");
}

#[test]
fn it_is_told_where_a_change_was_cut_off() {
    let project = built();
    project.edit("contracts/customer.json", "A customer.", "Someone.");
    project.build().ends(0);
    let found = explained(&project, VALIDATOR);
    assert_eq!(found[0]["revision"], 1, "a description does not touch a validator");
    let cut = &found[0]["cut_off"][0];
    assert_eq!((&cut["revision"], &cut["cause"]["path"]), (&json!(2), &json!("contracts/customer.json")));
    assert!(
        cut["at"].as_array().expect("a list").iter().any(|at| at.as_str().is_some_and(|at| at.contains("all schemas")))
    );
    let run = project.run(&["explain", VALIDATOR]);
    run.ends(0);
    assert!(run.stdout.contains("changed since, and cut off before it:"), "{}", run.text());
    // The model was made again, and says why.
    let run = project.run(&["explain", "contracts/customer.json:models"]);
    assert!(
        run.stdout.contains("#  (annotations only)") || run.stdout.contains("# (annotations only)"),
        "{}",
        run.text()
    );
    // Who only refers was not.
    let found = explained(&project, "contracts/order.json:models");
    assert_eq!((&found[0]["revision"], &found[0]["state"]), (&json!(1), &json!("up-to-date")));
}

#[test]
fn settings_hand_edits_and_errors_are_reasons_too() {
    let project = built();
    let toml = project.read("omnigen.toml");
    project.write("omnigen.toml", toml + "[python]\nline-length = 100\n");
    let found = explained(&project, VALIDATOR);
    let setting = json!({ "kind": "setting", "name": "python.line-length", "before": "88", "after": "100" });
    assert!(found[0]["causes"].as_array().expect("a list").contains(&setting), "{found:#}");
    project.build().ends(0);
    project.write(VALIDATOR, project.read(VALIDATOR) + "# mine\n");
    assert_eq!(explained(&project, VALIDATOR)[0]["state"], "edited");
    project.remove(VALIDATOR);
    let found = explained(&project, VALIDATOR);
    assert_eq!(found[0]["state"], "missing");
    assert_eq!(found[0]["causes"], json!([{ "kind": "output", "path": VALIDATOR }]));
    project.build().ends(0);
    project.write("contracts/customer.json", "{");
    assert_eq!(explained(&project, VALIDATOR)[0]["state"], "held");
    project.run(&["explain", "nothing.py"]).ends(2).says("there is no artifact `nothing.py`");
}

#[test]
fn what_is_no_artifact_any_more_is_explained_too() {
    let project = built();
    let (model, kept) = ("generated/models/model_order.py", "generated/validators/validator_order.py");
    project.write(kept, project.read(kept) + "# mine\n");
    project.remove("contracts/order.json");
    let gone = |found: &Value| found[0]["causes"][0]["path"] == "contracts/order.json";
    let found = explained(&project, model);
    assert!(found[0]["state"] == "orphaned" && gone(&found), "{found:#}");
    let found = explained(&project, kept);
    assert!(found[0]["state"] == "kept" && gone(&found), "{found:#}");
    project.build().ends(1);
    let found = explained(&project, model);
    assert!(found[0]["state"] == "removed" && found[0]["revision"] == 2 && gone(&found), "{found:#}");
    let found = explained(&project, kept);
    assert!(found[0]["state"] == "kept" && found[0]["revision"] == 2 && gone(&found), "{found:#}");
    assert_eq!(explained(&project, "contracts/order.json").as_array().map(Vec::len), Some(3));
    // What only makes a package of a folder; what somebody has put where an output belongs, or beside them.
    assert_eq!(explained(&project, "generated/models/__init__.py")[0]["state"], "up-to-date");
    project.write(VALIDATOR, "mine = True\n");
    assert_eq!(explained(&project, VALIDATOR)[0]["state"], "blocked");
    project.write("generated/own.py", "mine = True\n");
    project.run(&["explain", "generated/own.py"]).ends(2).says("is not an output");
    project.run(&["explain", "contracts/custmer.json"]).ends(2).says("did you mean `contracts/customer.json`?");
}

#[test]
fn the_log_keeps_what_was_done_and_why() {
    let project = built();
    project.run(&["build"]).ends(0);
    project.edit("contracts/customer.json", "A customer.", "Someone.");
    project.run(&["build"]).ends(0);
    project.remove("contracts/order.json");
    project.run(&["build"]).ends(0);
    let run = project.run(&["log", "--message-format", "json"]);
    run.ends(0);
    let log = crate::machines::lines(&run.stdout);
    valid("log", &log);
    let numbers: Vec<&Value> = log.iter().map(|revision| &revision["revision"]).collect();
    assert_eq!(numbers, [&json!(3), &json!(2), &json!(1)], "a build that does nothing is none");
    assert_eq!(log[1]["causes"][0]["path"], "contracts/customer.json");
    assert_eq!(log[1]["artifacts"].as_array().map(Vec::len), Some(1));
    let changed = &log[1]["artifacts"][0];
    assert!(changed["before"] != changed["after"] && changed["target"] == "models", "{changed}");
    assert!(log[0]["artifacts"].as_array().is_some_and(|list| list.iter().all(|change| change["change"] == "remove")));
    // It outlives the manifest.
    project.write(".omnigen/manifest", "garbage");
    project.run(&["build"]).ends(0).says("everything is built anew");
    let run = project.run(&["log", "-n", "2"]);
    assert!(run.stdout.starts_with("revision 4") && run.stdout.contains("\nrevision 3"), "{}", run.text());
}

#[test]
fn the_graph_has_every_format() {
    let project = built();
    project.edit("contracts/customer.json", "A customer.", "Someone.");
    project.build().ends(0);
    project.write("contracts/lost.json", r#"{ "properties": { "a": { "$ref": "gone.json" } } }"#);
    let run = project.run(&["graph", "--format", "json"]);
    run.ends(0);
    let graph: Value = serde_json::from_str(&run.stdout).expect("JSON");
    valid("graph", std::slice::from_ref(&graph));
    let reference = json!({ "from": "contracts/order.json", "to": "contracts/customer.json", "definitions": ["", "/$defs/Address"] });
    assert!(graph["references"].as_array().expect("a list").contains(&reference), "{graph:#}");
    let node =
        |path: &str| graph["contracts"].as_array().expect("a list").iter().find(|node| node["path"] == path).cloned();
    assert_eq!(node("contracts/gone.json").expect("a node")["present"], false);
    assert_eq!(node("contracts/customer.json").expect("a node")["touched"], true);
    assert_eq!(node("contracts/order.json").expect("a node")["touched"], false);
    assert_eq!(graph["last"]["revision"], 2);
    let dot = project.run(&["graph"]).stdout;
    assert!(
        dot.starts_with("digraph") && dot.contains("\"contracts/order.json\" -> \"contracts/customer.json\";"),
        "{dot}"
    );
    let mermaid = project.run(&["graph", "--format", "mermaid"]).stdout;
    assert!(mermaid.starts_with("flowchart LR") && mermaid.contains(" --> "), "{mermaid}");
    let page = project.run(&["graph", "--format", "html"]).stdout;
    assert!(page.contains("contracts/customer.json") && !page.contains("%DATA%"));
    for outside in ["http://", "https://"] {
        assert!(!page.replace("http://www.w3.org/2000/svg", "").contains(outside), "the page needs something else");
    }
}

/// What somebody does with the page: back to all contracts, a search, the pointer over a contract, a click on it.
const HANDS: &str = r#"
const done = [], see = selector => [...document.querySelectorAll(selector)].filter(found => found.getClientRects().length);
const own = () => done.push(see("[data-own]").length ? "own" : "none");
own();
see(".back")[0].click();
done.push(see("[data-path]").length + " nodes");
const field = document.getElementById("search");
field.value = "validator_c2.py";
field.dispatchEvent(new Event("input"));
const [found, ...others] = see("[data-path]:not(.dim)");
done.push(1 + others.length + " found");
found.dispatchEvent(new Event("mouseenter"));
done.push(document.querySelectorAll("[data-path].to").length + " lit");
found.click();
own();
document.body.dataset.hands = done.join();
"#;

/// Opens the page in a real browser. On command: `OMNIGEN_TEST_BROWSER=chromium cargo nextest run -p omnigen_tests browser`.
#[test]
fn a_browser_opens_the_page() {
    let Some(browser) = std::env::var_os("OMNIGEN_TEST_BROWSER") else { return };
    for contracts in [3, 10, 1_000] {
        let project = Project::with(&[]);
        for number in 0..contracts {
            let next = (number * 7 + 1) % contracts;
            let text = format!(r#"{{ "type": "object", "properties": {{ "a": {{ "$ref": "c{next}.json" }} }} }}"#);
            project.write(&format!("contracts/c{number}.json"), text);
        }
        project.build().ends(0);
        let page = project.run(&["graph", "--format", "html"]).stdout;
        project.write("graph.html", page.replace("</body>", &format!("<script>{HANDS}</script></body>")));
        let output = std::process::Command::new(&browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--dump-dom"])
            .arg(format!("--user-data-dir={}", project.path("browser").display()))
            .arg(format!("file://{}#contracts%2Fc1.json", project.path("graph.html").display()))
            .output()
            .expect("the browser starts");
        let page = String::from_utf8_lossy(&output.stdout);
        assert!(page.contains("data-ready=\"yes\""), "the script did not come to its end");
        assert!(page.contains("referred to by") && page.contains("validator_c1.py"), "the contract is not shown");
        let done = format!("data-hands=\"own,{contracts} nodes,1 found,1 lit,own\"");
        assert!(page.contains(&done), "{:?}", page.split("data-hands=").nth(1).map(|rest| &rest[..60.min(rest.len())]));
    }
}
