//! Asks a model behind an OpenAI-compatible endpoint: one prompt, one reply.
//!
//! Two kinds of answers are read: one JSON document, or server-sent events. Whatever else a server does (nothing, errors, half
//! answers, noise) is a [`Failure`] with a class, in bounded time and memory.

use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use omnigen_ir::KeyPart;
use serde_json::{Value, json};

use crate::answer::{Answer, Provenance};
use crate::failure::{Failure, FailureClass};
use crate::redact::{Secrets, quote};
use crate::task::{Environment, canonical_json};

/// Bytes of an answer that are read.
const LARGEST: u64 = 16 << 20;
/// Bytes of what a server has said that a message may be made of.
const SAID: usize = 16 << 10;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// Longer waits that a server asks for are not obeyed: the deadline of the run would be over.
const LONGEST_PAUSE: u64 = 120;

/// An endpoint, as `[agent.NAME]` declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LlmSpec {
    /// The agent's name. For display.
    pub name: String,
    /// Up to and with `/v1`. Not part of what it is: the same model may be somewhere else tomorrow.
    pub base_url: String,
    /// The model's name.
    pub model: String,
    /// The variable that holds the bearer key, if there is one. Not part of what it is.
    pub api_key_env: Option<String>,
    /// A decimal number.
    pub temperature: Option<String>,
    /// For repeatable answers.
    pub seed: Option<i64>,
    /// The longest reply, in tokens.
    pub max_tokens: u64,
    /// Whether the reply comes in pieces. Not part of what it is.
    pub stream: bool,
    /// JSON Schema of the reply: path and text.
    pub reply: Option<(String, Value)>,
    /// Template that makes the artifact of the reply: path and text.
    pub render: Option<(String, String)>,
    /// How long a call may take.
    pub timeout: Duration,
}

impl LlmSpec {
    /// What makes this agent another agent: the model and all that decides its replies, the prompt left out.
    pub fn identity(&self) -> Vec<KeyPart> {
        let LlmSpec {
            name: _,
            base_url: _,
            model,
            api_key_env: _,
            temperature,
            seed,
            max_tokens,
            stream: _,
            reply,
            render,
            timeout: _,
        } = self;
        let parameters = json!({ "temperature": temperature, "seed": seed, "max_tokens": max_tokens });
        let mut parts =
            vec![KeyPart::text("agent.model", model), KeyPart::text("agent.parameters", &canonical_json(&parameters))];
        parts.extend(reply.as_ref().map(|(_, schema)| KeyPart::text("agent.reply", &canonical_json(schema))));
        parts.extend(render.as_ref().map(|(_, template)| KeyPart::text("agent.render", template)));
        parts
    }

    fn request(&self, prompt: &str) -> String {
        let mut body = json!({
            "model": self.model,
            "messages": [{ "role": "user", "content": prompt }],
            "max_tokens": self.max_tokens,
            "stream": self.stream,
        });
        if let Some(temperature) = self.temperature.as_deref().and_then(|text| text.parse::<f64>().ok()) {
            body["temperature"] = json!(temperature);
        }
        if let Some(seed) = self.seed {
            body["seed"] = json!(seed);
        }
        if self.stream {
            body["stream_options"] = json!({ "include_usage": true });
        }
        if let Some((_, schema)) = &self.reply {
            let schema = json!({ "name": "reply", "strict": true, "schema": schema });
            body["response_format"] = json!({ "type": "json_schema", "json_schema": schema });
        }
        body.to_string()
    }
}

/// Tokens for a whole run. They are reserved before each call, so that calls at the same time cannot spend them twice.
#[derive(Debug)]
pub struct Budget {
    left: AtomicU64,
    whole: u64,
}

impl Budget {
    /// So many tokens; `None` for any number.
    pub fn new(tokens: Option<u64>) -> Budget {
        let whole = tokens.unwrap_or(u64::MAX);
        Budget { left: AtomicU64::new(whole), whole }
    }

    /// Takes tokens, if there are enough.
    fn reserve(&self, tokens: u64) -> bool {
        let take = |left: u64| left.checked_sub(tokens);
        self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    /// Gives back what was reserved and not spent; what was spent beyond it is taken.
    fn settle(&self, reserved: u64, spent: u64) {
        let _ = self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| {
            Some(left.saturating_add(reserved).saturating_sub(spent).min(self.whole))
        });
    }
}

/// What came back.
#[derive(Debug, Default)]
struct Reply {
    text: String,
    refusal: String,
    finish: Option<String>,
    /// Tokens of prompt and reply, if the server tells.
    usage: Option<(u64, u64)>,
}

/// Asks once. `finish` checks the reply and makes the artifact of it; its error says what is wrong with the reply.
///
/// # Errors
/// Whatever keeps it from a whole reply; the text holds no key.
pub fn ask(
    spec: &LlmSpec,
    environment: &Environment,
    prompt: &str,
    output: &str,
    budget: &Budget,
    finish: &dyn Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<Answer, Failure> {
    let secrets = Secrets::of(environment);
    let started = Instant::now();
    // Three bytes a token is less than any text of a person has, so the prompt is rather over- than underestimated.
    let reserved = (prompt.len() as u64).div_ceil(3) + spec.max_tokens;
    if !budget.reserve(reserved) {
        let text = format!("the budget of {} tokens for this run does not hold {reserved} more", budget.whole);
        return Err(failure("budget", text));
    }
    let reply = call(spec, environment, prompt);
    let spent = match &reply {
        Ok(reply) => reply.usage.map_or(reserved, |(prompt, completion)| prompt + completion),
        // A reply that was under way may have been written, and billed, to its end.
        Err(Failure { class: FailureClass::Timeout | FailureClass::Protocol, .. }) => reserved,
        Err(_) => 0,
    };
    budget.settle(reserved, spent);
    let hide = |failure: Failure| Failure { text: quote(&secrets.redact(&failure.text), 600), ..failure };
    let reply = reply.map_err(hide)?;
    if !reply.refusal.is_empty() {
        return Err(hide(failure("refusal", format!("it refused: {}", reply.refusal))));
    }
    match reply.finish.as_deref() {
        Some("stop" | "eos" | "end_turn") => {}
        Some("length") => {
            return Err(failure("truncated", format!("the reply was cut off at {} tokens", spec.max_tokens)));
        }
        Some("content_filter") => return Err(failure("refusal", "the reply was filtered".to_owned())),
        Some(other) => return Err(hide(failure("server", format!("the reply ended with `{other}`")))),
        None => return Err(failure("server", "the reply has no end".to_owned())),
    }
    let holds = |bytes: &[u8]| match secrets.stand_in(bytes) {
        true => Err(failure("secret", "the reply holds the key that it was asked with".to_owned())),
        false => Ok(()),
    };
    holds(reply.text.as_bytes())?;
    let bytes = finish(&reply.text).map_err(|why| hide(failure("reply", why)))?;
    holds(&bytes)?;
    let (prompt_tokens, reply_tokens) = reply.usage.unwrap_or_default();
    let provenance = Provenance {
        agent: spec.name.clone(),
        model: spec.model.clone(),
        prompt_tokens,
        reply_tokens,
        millis: started.elapsed().as_millis() as u64,
    };
    Ok(Answer { artifacts: vec![(output.to_owned(), bytes)], provenance: Some(provenance), ..Answer::default() })
}

/// What a server has said, for a message: longer than what is shown in the end, so that a secret at the cut is found whole.
fn said(text: &str) -> &str {
    &text[..text.floor_char_boundary(SAID)]
}

fn failure(class: &str, text: String) -> Failure {
    Failure { class: FailureClass::Reported(class.to_owned()), ..Failure::start(text) }
}

fn call(spec: &LlmSpec, environment: &Environment, prompt: &str) -> Result<Reply, Failure> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(spec.timeout))
        .timeout_connect(Some(CONNECT.min(spec.timeout)))
        .http_status_as_error(false)
        .max_redirects(0)
        .build();
    let url = format!("{}/chat/completions", spec.base_url);
    let mut request = ureq::Agent::new_with_config(config).post(&url).header("content-type", "application/json");
    if let Some(name) = &spec.api_key_env {
        let value = environment.values.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_deref());
        let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else {
            return Err(failure("auth", format!("the variable `{name}` with its key is not set")));
        };
        request = request.header("authorization", format!("Bearer {value}"));
    }
    let mut response = request.send(spec.request(prompt)).map_err(|error| broken(&error, spec))?;
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let now = header("date").and_then(|date| httpdate::parse_http_date(&date).ok());
    let pause = header("retry-after").and_then(|text| pause(&text, now));
    let events = header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
    let mut body = response.body_mut().as_reader().take(LARGEST);
    if status != 200 {
        let mut text = String::new();
        let _half = body.read_to_string(&mut text);
        let text = format!("status {status}: {}", said(text.trim()));
        let class = match status {
            429 => "rate-limit",
            401 | 403 => "auth",
            408 | 500..=599 => "server",
            _ => "request",
        };
        let retry_after = pause.map(|pause| pause.min(Duration::from_secs(LONGEST_PAUSE)));
        return Err(Failure { retry_after, ..failure(class, text) });
    }
    if events {
        return streamed(BufReader::new(body)).map_err(|why| why.into_failure(spec));
    }
    let mut text = String::new();
    body.read_to_string(&mut text).map_err(|error| Broken::Io(error).into_failure(spec))?;
    whole(&text).map_err(|why| why.into_failure(spec))
}

/// How long `Retry-After` says to wait: seconds, or until a moment, by the clock of who says it (RFC 9110, section 10.2.3).
fn pause(text: &str, now: Option<SystemTime>) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(now?).unwrap_or_default())
}

/// Why an answer could not be read.
enum Broken {
    Io(std::io::Error),
    Noise(String),
}

impl Broken {
    fn into_failure(self, spec: &LlmSpec) -> Failure {
        match self {
            // The library's time-outs come as errors of the reader.
            Broken::Io(error)
                if error.kind() == std::io::ErrorKind::TimedOut || error.to_string().contains("timeout") =>
            {
                late(spec)
            }
            Broken::Io(error) => failure("server", format!("the reply broke off: {error}")),
            Broken::Noise(why) => Failure { class: FailureClass::Protocol, ..Failure::start(why) },
        }
    }
}

fn late(spec: &LlmSpec) -> Failure {
    let text = format!("no answer within {:?}", spec.timeout);
    Failure { class: FailureClass::Timeout, ..Failure::start(text) }
}

fn broken(error: &ureq::Error, spec: &LlmSpec) -> Failure {
    match error {
        ureq::Error::Timeout(_) => late(spec),
        ureq::Error::BadUri(_) => failure("request", format!("{}: {error}", spec.base_url)),
        error => failure("server", format!("{} cannot be reached: {error}", spec.base_url)),
    }
}

fn usage(value: &Value) -> Option<(u64, u64)> {
    let count = |name: &str| value["usage"][name].as_u64();
    Some((count("prompt_tokens")?, count("completion_tokens")?))
}

/// Reads one JSON document.
fn whole(text: &str) -> Result<Reply, Broken> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Broken::Noise(format!("the answer is not JSON ({error}): {}", said(text))))?;
    let choice = &value["choices"][0];
    let Some(message) = choice["message"].as_object() else {
        return Err(Broken::Noise(format!("the answer has no message: {}", said(text))));
    };
    let string = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Reply {
        text: string("content"),
        refusal: string("refusal"),
        finish: choice["finish_reason"].as_str().map(str::to_owned),
        usage: usage(&value),
    })
}

/// Reads server-sent events (WHATWG HTML, section 9.2), each with a piece of the reply.
fn streamed(mut lines: impl BufRead) -> Result<Reply, Broken> {
    let mut reply = Reply::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).map_err(Broken::Io)? == 0 {
            // A stream may end without `[DONE]`; whether the reply was whole is for its `finish_reason` to say.
            return Ok(reply);
        }
        let text =
            std::str::from_utf8(&line).map_err(|_| Broken::Noise("an event is not UTF-8".to_owned()))?.trim_end();
        let Some(data) = text.strip_prefix("data:").map(str::trim_start) else {
            if text.is_empty() || text.starts_with(':') || text.contains(':') {
                // Between events, comments, and fields that are not used.
                continue;
            }
            return Err(Broken::Noise(format!("not an event: {}", said(text))));
        };
        if data == "[DONE]" {
            return Ok(reply);
        }
        let value: Value = serde_json::from_str(data)
            .map_err(|_| Broken::Noise(format!("the data of an event is not JSON: {}", said(data))))?;
        if let Some(error) = value.get("error").filter(|error| !error.is_null()) {
            return Err(Broken::Io(std::io::Error::other(said(&error.to_string()).to_owned())));
        }
        let choice = &value["choices"][0];
        for (name, whole) in [("content", &mut reply.text), ("refusal", &mut reply.refusal)] {
            whole.push_str(choice["delta"][name].as_str().unwrap_or_default());
        }
        if let Some(finish) = choice["finish_reason"].as_str() {
            reply.finish = Some(finish.to_owned());
        }
        reply.usage = usage(&value).or(reply.usage);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_a_number_of_seconds_or_ends_at_a_moment() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").ok();
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60)),
            ("Sun Nov  6 08:49:38 1994", Some(1)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(pause(text, now), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(pause("Sun, 06 Nov 1994 08:50:07 GMT", None), None);
    }

    #[test]
    fn a_budget_is_never_overdrawn_by_reservations() {
        let budget = Budget::new(Some(100));
        assert!(budget.reserve(60) && !budget.reserve(60));
        budget.settle(60, 10);
        assert!(budget.reserve(90) && !budget.reserve(1));
        // More than was reserved: the next one finds less.
        budget.settle(90, 100);
        assert!(!budget.reserve(1));
        assert!(Budget::new(None).reserve(u64::MAX));
    }

    #[test]
    fn events_are_put_together_and_noise_is_told() {
        let read = |text: &str| streamed(text.as_bytes());
        let good = ": hello\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\nevent: x\ndata:{\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\nrubbish";
        let reply = read(good).unwrap_or_default();
        assert_eq!((reply.text.as_str(), reply.finish.as_deref(), reply.usage), ("ab", Some("stop"), Some((3, 2))));
        assert!(matches!(read("data: {\"choices\"\n\n"), Err(Broken::Noise(_))));
        assert!(matches!(read("<html>\n"), Err(Broken::Noise(_))));
        assert!(matches!(read("data: {\"error\":{\"message\":\"no\"}}\n"), Err(Broken::Io(_))));
        // Cut off: no end, which the caller tells.
        assert!(
            read("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n").is_ok_and(|reply| reply.finish.is_none())
        );
    }
}
