//! A small agent, for measuring what is around agents: it reads its task, waits, and writes a line.
//!
//! usage: brief MILLISECONDS [ask|tell|signals]. `ask`: if the contract's number is large, it needs the artifact of another one first; `tell`:
//! it sends a message; `signals`: it says ten thousand times that it is at work.

use std::io::{BufRead, Write};
use std::thread::sleep;
use std::time::Duration;

/// The text behind a name in a line of JSON, up to the next quote.
fn after<'a>(line: &'a str, name: &str) -> &'a str {
    line.split_once(name).map_or("", |(_, rest)| rest.split('"').next().unwrap_or(""))
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let pause = Duration::from_millis(words.get(1).and_then(|word| word.parse().ok()).unwrap_or(0));
    let manner = words.get(2).map_or("", String::as_str);
    let mut line = String::new();
    let mut hear = || {
        line.clear();
        let _ended = std::io::stdin().lock().read_line(&mut line);
        line.clone()
    };
    let task = hear();
    let mut out = std::io::stdout().lock();
    let mut say = |text: String| {
        let _gone = writeln!(out, "{text}").and_then(|()| out.flush());
    };
    let contract = after(&task, "\"contract\":\"");
    if manner == "ask" {
        let number: usize = contract.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
        if number >= 40 {
            let other = number - 40;
            say(format!("{{\"type\":\"need\",\"target\":\"page\",\"contract\":\"contracts/c{other:05}.json\"}}"));
            hear();
        }
    }
    if manner == "tell" {
        say("{\"type\":\"message\",\"to\":[\"second\"],\"kind\":\"note\",\"data\":1}".to_owned());
    }
    if manner == "signals" {
        for done in 0..10_000 {
            say(format!("{{\"type\":\"progress\",\"done\":{done}}}"));
        }
    }
    sleep(pause);
    let output = after(&task, "\"outputs\":[\"");
    say(format!("{{\"type\":\"artifact\",\"path\":\"{output}\",\"text\":\"{contract}\\n\"}}"));
    say("{\"type\":\"completed\"}".to_owned());
}
