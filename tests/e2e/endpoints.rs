//! Models behind endpoints.

use omnigen_tests::Project;

use crate::agents::{NOTE, target};

/// A server that is asked once for each answer, and says what it was told to.
fn server(answers: Vec<&'static str>) -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let (sender, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for answer in answers {
            let Ok((stream, _)) = listener.accept() else { return };
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while reader.read_line(&mut head).is_ok_and(|count| count > 2) {}
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            let mut body = vec![0; length.and_then(|text| text.parse().ok()).unwrap_or(0)];
            let _gone = reader.read_exact(&mut body);
            let _gone = sender.send(head + &String::from_utf8_lossy(&body));
            let (head, body) = answer.split_once("\n\n").expect("an answer");
            let text = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            let _gone = reader.get_mut().write_all(text.as_bytes());
        }
    });
    (url, asked)
}

#[test]
fn an_endpoint_is_asked_again_after_what_may_pass_and_its_key_is_shown_nowhere() {
    let good = "200 OK\ncontent-type: application/json\n\n{\"choices\":[{\"message\":{\"content\":\"{\\\"text\\\":\\\"A page.\\\"}\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":4}}";
    let cut = "200 OK\ncontent-type: application/json\n\n{\"choices\":[{\"message\":{\"content\":\"{\"},\"finish_reason\":\"length\"}]}";
    let limited = "429 Too Many\nretry-after: 0\n\nslow down, tok-5ecret-key";
    let (url, asked) = server(vec![limited, good, cut]);
    let project = Project::with(&[
        ("contracts/a.json", NOTE),
        ("prompts/page.j2", "Write about {{ contract.document.description }}"),
        ("prompts/page.md.j2", "# {{ reply.text }}"),
    ]);
    project.write(
        "prompts/reply.json",
        "{\"type\":\"object\",\"required\":[\"text\"],\"properties\":{\"text\":{\"type\":\"string\"}}}",
    );
    project.write(
        "omnigen.toml",
        format!(
            "[project]\nname = \"test\"\n[agent.model]\nllm = {{ base_url = \"{url}\", model = \"m\", api_key_env = \"KEY\", max_tokens = 50 }}\n\
             prompt = \"prompts/page.j2\"\nreply = \"prompts/reply.json\"\nrender = \"prompts/page.md.j2\"\nretry = {{ initial = \"1ms\" }}\nbudget = {{ tokens = 1000 }}\n{}",
            target("docs", "model", "")
        ),
    );
    let run = |arguments: &[&str]| project.finish(project.command().args(arguments).env("KEY", "tok-5ecret-key"));
    run(&["build", "--offline"]).ends(3).says("this run is offline");
    run(&["build"]).ends(0).says("2 agent calls").does_not_say("5ecret");
    assert!(project.read("generated/docs/a.md").ends_with("# A page.\n"));
    let first = asked.recv().expect("a request");
    assert!(
        first.contains("Bearer tok-5ecret-key")
            && first.contains("Write about A note.")
            && first.contains("json_schema")
    );
    // Only what the prompt shows is seen.
    project.edit("contracts/a.json", "\"string\"", "\"integer\"");
    run(&["build"]).ends(0).says("0 agent calls");
    project.edit("contracts/a.json", "A note.", "Another note.");
    run(&["build"]).ends(3).says("cut off at 50 tokens").does_not_say("5ecret");
    for (path, bytes) in project.tree("") {
        assert!(!String::from_utf8_lossy(&bytes).contains("tok-5ecret"), "{path}");
    }
    // Nobody is there any more.
    run(&["build"]).ends(3).says("cannot be reached");
}
