mod server;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use keyway::{ErrorKind, PluginError};

use super::super::tests::{Asked, parts};
use super::super::{AuditOutcome, Limits, MediatorBuilder};
use super::*;
use server::{Server, leads_to, ok};

fn builder(network: &'static [&'static str]) -> MediatorBuilder {
    let asked = Asked {
        network,
        ..Asked::default()
    };
    let limits = Limits {
        request_rate: None,
        ..Limits::default()
    };
    asked.builder(Path::new("/srv")).limits(limits)
}

fn mediator(network: &'static [&'static str]) -> Mediator {
    builder(network).build().expect("the base is absolute")
}

fn with_limits(network: &'static [&'static str], change: impl FnOnce(&mut Limits)) -> Mediator {
    let mut limits = Limits {
        request_rate: None,
        ..Limits::default()
    };
    change(&mut limits);
    builder(network)
        .limits(limits)
        .build()
        .expect("the base is absolute")
}

/// Any port of this machine.
const HERE: &[&str] = &["127.0.0.1:*"];

fn code(outcome: Result<HttpResponse>) -> String {
    let error: PluginError = outcome.expect_err("it is refused");
    error.error_code().to_owned()
}

#[test]
fn a_request_arrives_as_it_was_sent_and_its_answer_comes_back() {
    let server = Server::start(|_| ok("hello"));
    let request = HttpRequest::new("POST", server.url("/a/b?c=d#fragment"))
        .header("X-Mine", "yes")
        .body("body");
    let response = mediator(HERE).request(request).expect("it is granted");
    assert_eq!(
        (response.status, response.body.as_slice()),
        (200, b"hello".as_slice())
    );
    assert_eq!(response.header("x-ANSWER"), Some("yes"));
    let asked = server.asked();
    assert_eq!(asked[0].line, "POST /a/b?c=d");
    assert_eq!(asked[0].body, b"body");
    assert!(asked[0].has("x-mine: yes"), "{asked:?}");
    assert!(
        asked[0].has(&format!("host: {}", server.address)),
        "{asked:?}"
    );
}

#[test]
fn every_method_is_sent_with_its_body_or_without() {
    let server = Server::start(|asking| {
        if asking.line.starts_with("HEAD") {
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_vec()
        } else {
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno".to_vec()
        }
    });
    let mediator = mediator(HERE);
    for (method, body) in [
        ("GET", None),
        ("HEAD", None),
        ("OPTIONS", None),
        ("DELETE", None),
        ("POST", None),
        ("PUT", Some("x")),
        ("PATCH", Some("x")),
        ("DELETE", Some("x")),
    ] {
        let mut request = HttpRequest::new(method, server.url("/"));
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = mediator.request(request).expect("an answer is no error");
        assert_eq!(
            response.status,
            if method == "HEAD" { 200 } else { 404 },
            "{method}"
        );
        let asked = server.asked();
        assert_eq!(asked[0].line, format!("{method} /"));
        assert_eq!(
            asked[0].body,
            body.unwrap_or_default().as_bytes(),
            "{method}"
        );
    }
}

#[test]
fn what_is_not_granted_is_not_even_looked_up() {
    let server = Server::start(|_| ok(""));
    let looked_up = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&looked_up);
    let mediator = builder(&["https://api.example.com/v1/*", "127.0.0.1:1"])
        .resolver(move |_, _| {
            *counted.lock().expect("no panic") += 1;
            Ok(Vec::new())
        })
        .build()
        .expect("the base is absolute");
    let error = mediator.request(HttpRequest::get("https://evil.example/x?key=secret"));
    assert_eq!(
        parts(&error.expect_err("it is not granted")),
        (
            ErrorKind::Denied,
            "network-not-granted",
            "a request to https://evil.example:443 is not granted; add \"evil.example:443\" to \
             network under [plugin.permissions]"
        )
    );
    for url in [
        server.url("/"),
        "http://api.example.com/v1/x".to_owned(),
        "https://api.example.com/v2/x".to_owned(),
        "https://api.example.com/v1/../v2".to_owned(),
        "https://api.example.com:444/v1/x".to_owned(),
    ] {
        assert_eq!(
            code(mediator.request(HttpRequest::get(&url))),
            "network-not-granted",
            "{url}"
        );
    }
    assert_eq!(*looked_up.lock().expect("no panic"), 0);
    assert!(server.asked().is_empty());
}

#[test]
fn a_name_that_leads_to_this_machine_is_refused_and_connects_to_nobody() {
    let server = Server::start(|_| ok("secret"));
    let address = server.address;
    let port = address.port();
    let mediator = builder(&["inner.example:*"])
        .resolver(move |_, _| Ok(vec![address]))
        .build()
        .expect("the base is absolute");
    let url = format!("http://inner.example:{port}/");
    let error = mediator
        .request(HttpRequest::get(url))
        .expect_err("it is inside");
    let message = format!(
        "inner.example leads to 127.0.0.1, a loopback address; add \"127.0.0.1:{port}\" to network \
         under [plugin.permissions] if it is meant"
    );
    assert_eq!(
        parts(&error),
        (ErrorKind::Denied, "address-refused", message.as_str())
    );
    assert!(server.asked().is_empty());
}

#[test]
fn every_address_that_is_not_public_is_refused_by_name_and_by_itself() {
    for address in [
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1]",
        "0.0.0.0",
    ] {
        let socket: SocketAddr = format!("{address}:80").parse().expect("an address");
        let mediator = builder(&["a.example"])
            .resolver(move |_, _| Ok(vec![socket]))
            .build()
            .expect("the base is absolute");
        let by_name = mediator.request(HttpRequest::get("http://a.example/"));
        assert_eq!(code(by_name), "address-refused", "{address}");
        let by_itself = mediator.request(HttpRequest::get(format!("http://{address}/")));
        assert_eq!(code(by_itself), "network-not-granted", "{address}");
    }
    // One is granted, and the name also leads to one that is not.
    let mediator = mediator(&["169.254.169.254:80"]);
    let metadata = mediator.request(HttpRequest::get("http://169.254.169.254/latest"));
    assert_eq!(code(metadata), "address-refused", "nobody can grant it");
}

#[test]
fn the_connection_is_made_to_what_was_checked_and_the_name_looked_up_once() {
    let server = Server::start(|_| ok("hello"));
    let address = server.address;
    let times = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&times);
    let mediator = builder(&["a.example:*", "127.0.0.1:*"])
        .resolver(move |host, port| {
            assert_eq!((host, port), ("a.example", address.port()));
            let mut times = counted.lock().expect("no panic");
            *times += 1;
            // Whoever asks twice is led astray.
            let evil = "10.0.0.1:1".parse().expect("an address");
            Ok(if *times == 1 {
                vec![evil, address]
            } else {
                vec![evil]
            })
        })
        .build()
        .expect("the base is absolute");
    let url = format!("http://a.example:{}/", address.port());
    let response = mediator
        .request(HttpRequest::get(url))
        .expect("one address is granted");
    assert_eq!(response.body, b"hello");
    assert_eq!(*times.lock().expect("no panic"), 1);
    let host = format!("host: a.example:{}", address.port());
    assert!(server.asked()[0].has(&host));
}

#[test]
fn localhost_by_name_is_this_machine() {
    let server = Server::start(|_| ok("hello"));
    let address = server.address;
    let mediator = builder(&["localhost:*"])
        .resolver(move |_, _| Ok(vec![address]))
        .build()
        .expect("the base is absolute");
    let url = format!("http://localhost:{}/", address.port());
    assert!(mediator.request(HttpRequest::get(url)).is_ok());
}

#[test]
fn redirects_are_followed_as_far_as_they_are_granted() {
    let server = Server::start(|asking| match asking.line.as_str() {
        "GET /relative/x" => leads_to(302, "../there?q=1#f"),
        "GET /there?q=1" => ok("there"),
        "GET /out" => leads_to(301, "https://evil.example/?key=secret"),
        "GET /metadata" => leads_to(307, "http://169.254.169.254/latest"),
        "GET /file" => leads_to(302, "file:///etc/passwd"),
        "GET /nowhere" => b"HTTP/1.1 302 Found\r\nContent-Length: 4\r\n\r\nstay".to_vec(),
        _ => ok("?"),
    });
    let mediator = mediator(HERE);
    let get = |path: &str| mediator.request(HttpRequest::get(server.url(path)));
    let response = get("/relative/x").expect("it is granted");
    assert_eq!(response.body, b"there");
    assert_eq!(response.url, server.url("/there?q=1"));
    assert_eq!(code(get("/out")), "network-not-granted");
    assert_eq!(code(get("/metadata")), "network-not-granted");
    assert_eq!(code(get("/file")), "bad-request");
    assert_eq!(get("/nowhere").expect("it leads nowhere").status, 302);

    mediator.audit().take();
    let _ = get("/out");
    let records = mediator.audit().take();
    let targets: Vec<_> = records
        .iter()
        .map(|record| record.target.as_str())
        .collect();
    assert_eq!(
        targets,
        [
            format!("GET {}", server.url("/out")).as_str(),
            "GET https://evil.example/?key=…"
        ]
    );
    assert_eq!(records[0].outcome, AuditOutcome::Done);
    let denied = AuditOutcome::Denied {
        code: "network-not-granted".to_owned(),
    };
    assert_eq!(records[1].outcome, denied);
}

#[test]
fn not_more_redirects_are_followed_than_the_limit() {
    let server = Server::start(|asking| {
        let count: usize = asking
            .line
            .trim_start_matches("GET /")
            .parse()
            .expect("a number");
        if count == 0 {
            ok("end")
        } else {
            leads_to(302, &format!("/{}", count - 1))
        }
    });
    let mediator = mediator(HERE);
    assert_eq!(
        mediator
            .request(HttpRequest::get(server.url("/5")))
            .expect("5")
            .body,
        b"end"
    );
    server.asked();
    let error = mediator
        .request(HttpRequest::get(server.url("/6")))
        .expect_err("6");
    assert_eq!(
        parts(&error),
        (
            ErrorKind::Denied,
            "too-many-redirects",
            "the answer leads on after Limits::max_redirects, 5 redirects"
        )
    );
    assert_eq!(server.asked().len(), 6);
}

#[test]
fn a_redirect_elsewhere_takes_no_secrets_along() {
    let there = Server::start(|_| ok("there"));
    let to = there.url("/x");
    let here = Server::start(move |asking| match asking.line.as_str() {
        "POST /away" => leads_to(307, &to),
        "POST /here" => leads_to(307, "/stay"),
        "POST /page" => leads_to(303, "/stay"),
        _ => ok("stayed"),
    });
    let post = |path: &str| {
        let request = HttpRequest::new("POST", here.url(path))
            .header("Authorization", "secret")
            .header("X-Api-Key", "secret")
            .header("Accept", "text/plain")
            .header("Content-Type", "text/x")
            .body("body");
        mediator(HERE).request(request).expect("it is granted");
    };
    post("/away");
    let asked = there.asked();
    assert_eq!(
        (asked[0].line.as_str(), asked[0].body.as_slice()),
        ("POST /x", b"body".as_slice())
    );
    assert!(asked[0].has("accept: text/plain") && asked[0].has("content-type: text/x"));
    assert!(
        !asked[0].headers.iter().any(|line| line.contains("secret")),
        "{asked:?}"
    );

    post("/here");
    let asked = here.asked();
    let last = asked.last().expect("it was asked");
    assert_eq!(
        (last.line.as_str(), last.body.as_slice()),
        ("POST /stay", b"body".as_slice())
    );
    assert!(last.has("authorization: secret"));

    post("/page");
    let asked = here.asked();
    let last = asked.last().expect("it was asked");
    assert_eq!(
        (last.line.as_str(), last.body.as_slice()),
        ("GET /stay", b"".as_slice())
    );
    assert!(last.has("authorization: secret") && !last.has("content-type: text/x"));
}

#[test]
fn bodies_that_are_too_large_are_refused() {
    let server = Server::start(|asking| match asking.line.as_str() {
        "GET /large" => ok("four+"),
        // It says no length, and is chunked.
        "GET /chunks" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
            3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n"
            .to_vec(),
        "GET /until-the-end" => b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcdef".to_vec(),
        _ => ok("four"),
    });
    let mediator = with_limits(HERE, |limits| {
        limits.max_response_bytes = 4;
        limits.max_request_bytes = 4;
    });
    let get = |path: &str| mediator.request(HttpRequest::get(server.url(path)));
    assert_eq!(get("/").expect("it is not too large").body, b"four");
    let message = format!(
        "the answer of {} is larger than Limits::max_response_bytes, 4 bytes",
        server.address
    );
    for path in ["/large", "/chunks", "/until-the-end"] {
        let error = get(path).expect_err(path);
        assert_eq!(
            parts(&error),
            (ErrorKind::Denied, "size-limit", message.as_str()),
            "{path}"
        );
    }
    let request = HttpRequest::new("POST", server.url("/")).body("five+");
    let error = mediator.request(request).expect_err("it is too large");
    assert_eq!(
        parts(&error),
        (
            ErrorKind::Denied,
            "size-limit",
            "the body is larger than Limits::max_request_bytes, 4 bytes"
        )
    );
}

#[test]
fn who_never_answers_is_not_waited_for() {
    // It takes connections by itself, and nobody reads them.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let timeout = Duration::from_millis(200);
    let request = HttpRequest::get(format!("http://{address}/")).timeout(timeout);
    let error = mediator(HERE).request(request).expect_err("nobody answers");
    let message = format!("the request to {address} took longer than 200ms");
    assert_eq!(
        parts(&error),
        (ErrorKind::DeadlineExceeded, "time-limit", message.as_str())
    );

    // Neither is a resolver.
    let (end, ended) = mpsc::channel::<()>();
    let ended = Mutex::new(ended);
    let mediator = builder(&["a.example"])
        .resolver(move |_, _| {
            let _ = ended.lock().expect("no panic").recv();
            Ok(Vec::new())
        })
        .build()
        .expect("the base is absolute");
    let request = HttpRequest::get("http://a.example/").timeout(timeout);
    let error = mediator.request(request).expect_err("nobody answers");
    assert_eq!(error.error_code(), "time-limit");
    drop(end);
}

#[test]
fn only_so_many_requests_run_at_a_time() {
    let (answer, may_answer) = mpsc::channel::<()>();
    let (arrived, has_arrived) = mpsc::channel::<()>();
    let server = Server::start(move |_| {
        arrived.send(()).expect("the test waits");
        let _ = may_answer.recv();
        ok("")
    });
    let mediator = with_limits(HERE, |limits| limits.max_requests = 1);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| mediator.request(HttpRequest::get(server.url("/"))));
        has_arrived.recv().expect("it was asked");
        let busy = mediator.request(HttpRequest::get(server.url("/")));
        drop(answer);
        assert_eq!(
            parts(&busy.expect_err("one runs already")),
            (
                ErrorKind::Busy,
                "too-many-at-once",
                "1 requests of the plugin run already"
            )
        );
        assert!(first.join().expect("no panic").is_ok());
    });
}

#[test]
fn what_means_nothing_is_refused_before_anything_is_sent() {
    let server = Server::start(|_| ok(""));
    let mediator = mediator(HERE);
    let message = |request: HttpRequest| {
        let error = mediator.request(request).expect_err("it means nothing");
        assert_eq!(
            (error.kind(), error.error_code()),
            (ErrorKind::InvalidInput, "bad-request")
        );
        error.message().to_owned()
    };
    let url = |url: &str| message(HttpRequest::get(url));
    assert_eq!(
        url("ftp://a.com/"),
        "the URL ftp://a.com/ is neither http nor https"
    );
    assert_eq!(url("/x"), "the URL … is neither http nor https");
    assert_eq!(
        url("http://u:secret@127.0.0.1/"),
        "the URL http://…@127.0.0.1/ contains a user name"
    );
    assert_eq!(
        url("http://127.1/?k=secret"),
        "the URL http://127.1/?k=… has an IPv4 address that is not four decimal numbers"
    );
    assert_eq!(
        url("http://127.0.0.1:99999/"),
        "the URL http://127.0.0.1:99999/ has a malformed port"
    );
    assert_eq!(
        url("http://127.0.0.1:0/"),
        "the URL http://127.0.0.1:0/ has port 0"
    );
    assert!(url("http://a b/").starts_with("the URL http://a b/ is none: "));
    assert!(url(&format!("http://127.0.0.1/{}", "x".repeat(20_000))).ends_with("is too long"));

    let request = |method: &str| HttpRequest::new(method, server.url("/"));
    assert_eq!(
        message(request("CONNECT")),
        "the method \"CONNECT\" is none of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    );
    assert_eq!(
        message(request("GET").body("x")),
        "a GET request has no body"
    );
    for name in ["Host", "transfer-encoding", "Content-Length", "UPGRADE"] {
        let expected = format!("the header {name:?} is not for plugins to set");
        assert_eq!(message(request("GET").header(name, "x")), expected);
    }
    assert_eq!(
        message(request("GET").header("X-A", "b\r\nX-Evil: yes")),
        "the request is none: failed to parse header value"
    );
    assert_eq!(
        message(request("GET").header("X A", "b")),
        "the request is none: invalid HTTP header name"
    );
    assert!(server.asked().is_empty());
    let mut many = request("GET");
    for _ in 0..65 {
        many = many.header("x", "y");
    }
    assert_eq!(code(mediator.request(many)), "size-limit");
}

#[test]
fn who_is_not_there_or_speaks_something_else_is_an_error() {
    let server = Server::start(|_| b"SSH-2.0-none\r\n".to_vec());
    let mediator = mediator(HERE);
    assert_eq!(
        code(mediator.request(HttpRequest::get(server.url("/")))),
        "request-failed"
    );
    let tls = server.url("/").replace("http://", "https://");
    assert_eq!(
        code(mediator.request(HttpRequest::get(tls))),
        "request-failed"
    );
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address")
    };
    let error = mediator.request(HttpRequest::get(format!("http://{closed}/")));
    let error = error.expect_err("nobody is there");
    assert_eq!(
        (error.kind(), error.error_code()),
        (ErrorKind::Failed, "request-failed")
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(
        url in "(https?://)?[a-c0-9:/.@?#%\\[\\]=&;\\PC-]{0,24}",
        location in "\\PC{0,16}",
        header in proptest::prelude::any::<(String, String)>(),
    ) {
        let request = HttpRequest::get(&url).header(header.0, header.1);
        let mediator = builder(&[]).resolver(|_, _| Ok(Vec::new())).build();
        let _ = mediator.expect("the base is absolute").request(request);
        let next = redirect::target(&url, &location);
        let _ = url::shown(&next);
    }
}
