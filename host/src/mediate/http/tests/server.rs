//! A server on this machine, and what it answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A server on this machine that answers each request with what a function makes of it, and keeps what it was
/// asked.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) asked: Arc<Mutex<Vec<Asking>>>,
}

#[derive(Clone, Debug)]
pub(super) struct Asking {
    /// Method and target.
    pub(super) line: String,
    /// In lower case.
    pub(super) headers: Vec<String>,
    pub(super) body: Vec<u8>,
}

impl Asking {
    pub(super) fn has(&self, header: &str) -> bool {
        self.headers.iter().any(|own| own == header)
    }
}

impl Server {
    pub(super) fn start(answer: impl Fn(&Asking) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let Some(asking) = read(&stream) else {
                    continue;
                };
                kept.lock().expect("no panic").push(asking.clone());
                // The client may have gone, having seen enough.
                let _ = stream.write_all(&answer(&asking));
            }
        });
        Server { address, asked }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn asked(&self) -> Vec<Asking> {
        std::mem::take(&mut self.asked.lock().expect("no panic"))
    }
}

fn read(stream: &TcpStream) -> Option<Asking> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader
            .read_line(&mut line)
            .ok()
            .filter(|count| *count > 0)?;
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let headers: Vec<String> = lines[1..].iter().map(|line| line.to_lowercase()).collect();
    let length = headers
        .iter()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
    reader.read_exact(&mut body).ok()?;
    Some(Asking {
        line: lines[0].trim_end_matches(" HTTP/1.1").to_owned(),
        headers,
        body,
    })
}

pub(super) fn ok(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nX-Answer: yes\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(super) fn leads_to(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
        .into_bytes()
}
