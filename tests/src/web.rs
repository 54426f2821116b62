//! A web server on this machine that serves a directory, and that a test can have answer in any other way.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What a client asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The path, without the host.
    pub path: String,
    /// The headers in lower case, such as `range: bytes=5-`.
    pub headers: Vec<String>,
}

impl Asked {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter_map(|line| line.split_once(": "));
        values.find(|(own, _)| *own == name).map(|(_, value)| value)
    }
}

type Rule = dyn Fn(&Asked, Vec<u8>) -> Vec<u8> + Send;

/// A server; it goes on until the process ends.
pub struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    rule: Arc<Mutex<Box<Rule>>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Serves the files of a directory: with tags, and with ranges.
    ///
    /// # Panics
    ///
    /// When there is no port.
    pub fn serve(dir: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let rule: Arc<Mutex<Box<Rule>>> = Arc::new(Mutex::new(Box::new(|_, regular| regular)));
        let (dir, kept, rules) = (dir.to_owned(), Arc::clone(&asked), Arc::clone(&rule));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let Some(asking) = read(&stream) else {
                    continue;
                };
                lock(&kept).push(asking.clone());
                let answer = lock(&rules)(&asking, regular(&dir, &asking));
                // The client may have gone, having seen enough.
                let _ = stream.write_all(&answer);
            }
        });
        Server {
            address,
            asked,
            rule,
        }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on a function makes of each regular answer the bytes that are sent; then the connection is closed.
    pub fn answer(&self, rule: impl Fn(&Asked, Vec<u8>) -> Vec<u8> + Send + 'static) {
        *lock(&self.rule) = Box::new(rule);
    }

    /// What was asked since this was asked last.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *lock(&self.asked))
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = Vec::new();
    for line in BufReader::new(stream).lines() {
        let line = line.ok()?;
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let headers = lines[1..].iter().map(|line| {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        format!("{}: {}", name.to_lowercase(), value.trim())
    });
    Some(Asked {
        path,
        headers: headers.collect(),
    })
}

/// As a server of files answers.
fn regular(dir: &Path, asked: &Asked) -> Vec<u8> {
    let path: PathBuf = dir.join(asked.path.trim_start_matches('/').replace("%2B", "+"));
    let Ok(content) = std::fs::read(path) else {
        return response("404 Not Found", &[], b"not here");
    };
    let sum = content.iter().fold(0_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add((*byte).into())
    });
    let etag = format!("\"{sum:x}\"");
    if asked.header("if-none-match") == Some(&etag) {
        return response("304 Not Modified", &[("ETag", &etag)], b"");
    }
    let from = asked.header("range").and_then(|range| {
        let from: usize = range
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()?;
        (from < content.len()).then_some(from)
    });
    match from {
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", content.len() - 1, content.len());
            let headers = [("ETag", etag.as_str()), ("Content-Range", &range)];
            response("206 Partial Content", &headers, &content[from..])
        }
        None => response("200 OK", &[("ETag", &etag)], &content),
    }
}

/// An answer with its length.
pub fn response(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
