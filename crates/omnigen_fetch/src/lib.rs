//! One address in, its bytes out, or why not. The only place that reads the network for contracts, and only `omnigen vendor`
//! asks it.
//!
//! Knows HTTP and its limits. Does not know schemas, files, or what the bytes are for.

use std::fmt;
use std::time::Duration;

use ureq::Agent;
use ureq::http::Uri;
use ureq::http::uri::Scheme;

/// Bytes of the largest answer that is taken.
pub const LARGEST: u64 = 16 << 20;
/// Redirects that are followed.
pub const REDIRECTS: u32 = 5;
/// How long an answer may take from start to end unless somebody says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);
/// How long it may take to reach the host; never more than the whole.
const CONNECT: Duration = Duration::from_secs(10);

/// Fetches, keeping connections open between calls.
#[derive(Debug)]
pub struct Fetcher {
    /// For hosts elsewhere: TLS only, through a proxy if the environment names one.
    far: Agent,
    /// For this machine: plain HTTP too, never through a proxy.
    near: Agent,
    timeout: Duration,
}

/// Why there are no bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The address cannot be asked for.
    Address(String),
    /// The host answered with a status that is no success.
    Status(u16),
    /// The host has no address.
    UnknownHost,
    /// It did not answer in time.
    Timeout(Duration),
    /// The answer has more than [`LARGEST`] bytes.
    TooLarge,
    /// It redirects more than [`REDIRECTS`] times, or to nowhere.
    Redirects,
    /// It leads to an address without TLS.
    Plain,
    /// Anything else about the connection.
    Connection(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Address(why) => f.write_str(why),
            Problem::Status(status) => match reason(*status) {
                Some(reason) => write!(f, "the server answers {status} ({reason})"),
                None => write!(f, "the server answers {status}"),
            },
            Problem::UnknownHost => f.write_str("there is no such host"),
            Problem::Timeout(limit) => write!(f, "no complete answer within {} s", limit.as_secs_f32()),
            Problem::TooLarge => write!(f, "the answer has more than {} MiB", LARGEST >> 20),
            Problem::Redirects => write!(f, "it redirects to nowhere, or more than {REDIRECTS} times"),
            Problem::Plain => f.write_str("it redirects to an address without TLS"),
            Problem::Connection(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Problem {}

fn reason(status: u16) -> Option<&'static str> {
    ureq::http::StatusCode::from_u16(status).ok()?.canonical_reason()
}

impl Fetcher {
    /// One whose answers may take so long each.
    pub fn new(timeout: Duration) -> Fetcher {
        let agent = |near: bool| {
            let config = Agent::config_builder()
                .https_only(!near)
                .max_redirects(REDIRECTS)
                .timeout_global(Some(timeout))
                .timeout_connect(Some(CONNECT.min(timeout)))
                .user_agent(concat!("omnigen/", env!("CARGO_PKG_VERSION")))
                .accept("application/schema+json, application/json, application/yaml, */*;q=0.1");
            let config = if near { config.proxy(None) } else { config };
            config.build().new_agent()
        };
        Fetcher { far: agent(false), near: agent(true), timeout }
    }

    /// The bytes at an `http` or `https` address. Beyond this machine `http` is asked for over TLS: what is fetched becomes
    /// part of what is generated.
    ///
    /// # Errors
    /// See [`Problem`].
    pub fn fetch(&self, address: &str) -> Result<Vec<u8>, Problem> {
        let uri: Uri = address.parse().map_err(|error| Problem::Address(format!("it is no address: {error}")))?;
        let near = uri.host().is_some_and(loopback);
        let secure = if !near && uri.scheme() == Some(&Scheme::HTTP) && uri.port().is_none() {
            Some(address.replacen("http://", "https://", 1))
        } else {
            None
        };
        let agent = if near { &self.near } else { &self.far };
        let mut answer =
            agent.get(secure.as_deref().unwrap_or(address)).call().map_err(|error| self.problem(&error))?;
        answer.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(|error| self.problem(&error))
    }

    fn problem(&self, error: &ureq::Error) -> Problem {
        match error {
            ureq::Error::StatusCode(status) => Problem::Status(*status),
            ureq::Error::BadUri(why) => Problem::Address(why.clone()),
            ureq::Error::Timeout(_) => Problem::Timeout(self.timeout),
            ureq::Error::HostNotFound => Problem::UnknownHost,
            ureq::Error::BodyExceedsLimit(_) => Problem::TooLarge,
            ureq::Error::TooManyRedirects | ureq::Error::RedirectFailed => Problem::Redirects,
            ureq::Error::RequireHttpsOnly(_) => Problem::Plain,
            ureq::Error::ConnectionFailed => Problem::Connection("the host cannot be reached".to_owned()),
            other => Problem::Connection(other.to_string()),
        }
    }
}

/// Is it this very machine?
fn loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_hosts_are_near() {
        for near in ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "[::1]"] {
            assert!(loopback(near), "{near}");
        }
        for far in ["localhost.example.org", "128.0.0.1", "127.0.0.1.example.org", "[::2]", ""] {
            assert!(!loopback(far), "{far}");
        }
    }

    #[test]
    fn without_tls_only_to_this_machine() {
        let fetcher = Fetcher::new(Duration::from_secs(1));
        assert_eq!(fetcher.fetch("http://far.example:8080/a.json"), Err(Problem::Plain));
        assert!(matches!(fetcher.fetch("nonsense at all"), Err(Problem::Address(_))));
    }
}
