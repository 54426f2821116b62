use std::io::Read;
use std::net::TcpListener;
use std::sync::Mutex;

use keyway_tests::web::{Server, response};

use super::*;

fn patience() -> Patience {
    Patience {
        piece: Duration::from_millis(200),
        whole: Duration::from_millis(400),
        retries: 1,
        ..Patience::default()
    }
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/x", listener.local_addr().expect("an address"));
    let error = Web::new(false, patience())
        .text(&url, None)
        .expect_err("nobody answers");
    assert_eq!(error.message(), format!("{url} takes too long"));
}

#[test]
fn a_server_that_sends_a_byte_now_and_then_comes_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/x", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
            let mut sent = stream.write_all(head);
            while sent.is_ok() {
                // Often enough for each piece, and far too slow for the whole; until the client has gone.
                std::thread::sleep(Duration::from_millis(20));
                sent = stream.write_all(b"x");
            }
        }
    });
    let mut file = tempfile::tempfile().expect("a file");
    let patience = Patience {
        piece: Duration::from_secs(30),
        ..patience()
    };
    let error = Web::new(false, patience)
        .download(&url, &mut file, "x", 100_000, &Tell::default())
        .expect_err("it takes too long");
    assert_eq!(error.message(), format!("{url} takes too long"));
}

#[test]
fn nothing_is_asked_without_tls_of_a_registry_that_has_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::serve(dir.path());
    let url = format!("{}/x", server.url());
    let error = Web::new(true, patience())
        .text(&url, None)
        .expect_err("it is http");
    assert_eq!(error.code(), "network");
    assert!(error.message().contains("is not asked without"), "{error}");
    assert!(server.asked().is_empty());
}

#[test]
fn progress_is_told_from_the_start_to_the_end() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::serve(dir.path());
    server.answer(|_, _| response("200 OK", &[], &[7; 200_000]));
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    let tell = Tell::to(move |progress| {
        assert_eq!((progress.what, progress.total), ("x 1", 200_000));
        kept.lock().expect("no panic").push(progress.done);
    });
    let mut file = tempfile::tempfile().expect("a file");
    let url = format!("{}/x", server.url());
    let joined = Web::new(false, Patience::default())
        .download(&url, &mut file, "x 1", 200_000, &tell)
        .expect("it comes");
    assert!(!joined);
    let told = told.lock().expect("no panic");
    assert!(told.is_sorted());
    assert_eq!((told.first(), told.last()), (Some(&0), Some(&200_000)));
    let mut content = Vec::new();
    file.rewind().expect("a file");
    file.read_to_end(&mut content).expect("a file");
    assert_eq!(content, [7; 200_000]);
}
