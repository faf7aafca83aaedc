//! A real HTTP server on this machine, for tests of what reads the network.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How a path answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// With this body.
    Body(Vec<u8>),
    /// With a status and nothing else.
    Status(u16),
    /// With a redirect to a location.
    Redirect(String),
    /// With so many spaces.
    Spaces(usize),
    /// With half of an answer; the rest never comes.
    Hangs,
}

/// Serves until the tests end.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    answers: BTreeMap<String, Answer>,
    folder: Option<PathBuf>,
    asked: Vec<String>,
}

impl Server {
    /// Listens on a free port.
    pub fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                // A client that goes away in the middle is its own business.
                std::thread::spawn(move || drop(answer(&stream, &shared)));
            }
        });
        Server { address, state }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `127.0.0.1:<port>`
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Serves the files of a folder, as they are at each moment, where nothing else is set.
    pub fn folder(&self, folder: PathBuf) {
        self.state.lock().expect("the server").folder = Some(folder);
    }

    /// Sets what a path (with its query) answers from now on.
    pub fn set(&self, path: &str, answer: Answer) {
        self.state.lock().expect("the server").answers.insert(path.to_owned(), answer);
    }

    /// Sets a body.
    pub fn serve(&self, path: &str, body: &str) {
        self.set(path, Answer::Body(body.as_bytes().to_vec()));
    }

    /// The paths that were asked for since the last call, sorted.
    pub fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut self.state.lock().expect("the server").asked);
        asked.sort();
        asked
    }
}

fn answer(mut stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or("/").to_owned();
        while line.trim_end() != "" {
            line.clear();
            reader.read_line(&mut line)?;
        }
        let answer = {
            let mut state = state.lock().expect("the server");
            state.asked.push(path.clone());
            let file = || Some(Answer::Body(std::fs::read(state.folder.as_ref()?.join(path.get(1..)?)).ok()?));
            state.answers.get(&path).cloned().or_else(file).unwrap_or(Answer::Status(404))
        };
        let head = |status: u16, more: &str, length: usize| {
            format!("HTTP/1.1 {status} X\r\n{more}Content-Length: {length}\r\n\r\n").into_bytes()
        };
        match answer {
            Answer::Body(body) => {
                stream.write_all(&head(200, "Content-Type: application/json\r\n", body.len()))?;
                stream.write_all(&body)?;
            }
            Answer::Status(status) => stream.write_all(&head(status, "", 0))?,
            Answer::Redirect(to) => stream.write_all(&head(302, &format!("Location: {to}\r\n"), 0))?,
            Answer::Spaces(count) => {
                stream.write_all(&head(200, "", count))?;
                let spaces = [b' '; 1 << 16];
                for _ in 0..count / spaces.len() {
                    stream.write_all(&spaces)?;
                }
            }
            Answer::Hangs => {
                stream.write_all(&head(200, "", 100))?;
                stream.write_all(b"{ \"type\":")?;
                std::thread::sleep(Duration::from_secs(60));
            }
        }
    }
}
