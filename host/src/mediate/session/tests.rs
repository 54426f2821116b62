use std::path::Path;
use std::sync::Arc;

use keyway::ErrorKind;

use super::super::tests::Asked;
use super::*;

const SHELL: Asked = Asked {
    subprocess: &["sh"],
    network: &["127.0.0.1:*"],
    read: &[],
    write: &[],
    env: &["LANG"],
};

fn session() -> Arc<Session> {
    Arc::new(Session::new(SHELL.mediator(Path::new("/srv"))))
}

fn sleeps() -> RunRequest {
    RunRequest::new("sh").args(["-c", "sleep 100000"])
}

fn assert_cancelled<T: fmt::Debug>(outcome: Result<T>) {
    let error = outcome.expect_err("it is cancelled");
    assert_eq!(
        (error.kind(), error.error_code(), error.message()),
        (
            ErrorKind::Cancelled,
            "ask-cancelled",
            "nobody waits for it any more, or the plugin was stopped"
        )
    );
}

/// Waits until something that was begun on another thread uses its ticket.
fn until_used(session: &Session, number: u64) {
    while !session.lock().tickets[&number].used {
        std::thread::yield_now();
    }
}

#[test]
fn a_ticket_is_good_for_one_thing_and_gone_with_it() {
    let session = session();
    let ticket = session.take_ticket().expect("it is open");
    let outcome = session.run(ticket, RunRequest::new("sh").args(["-c", "exit 7"]));
    assert_eq!(outcome.expect("it runs").code, Some(7));
    assert!(session.lock().tickets.is_empty());
    assert_cancelled(session.run(ticket, sleeps()));
    assert_cancelled(session.run(1_000, sleeps()));
    // Nothing to end any more.
    session.cancel(ticket);
}

#[test]
fn what_was_cancelled_before_it_began_does_not_begin() {
    let session = session();
    let ticket = session.take_ticket().expect("it is open");
    session.cancel(ticket);
    assert!(session.lock().tickets.is_empty());
    assert_cancelled(session.run(ticket, sleeps()));
    let mediator = session.mediator().expect("it is open");
    assert!(mediator.audit().take().is_empty());
}

#[test]
fn what_is_under_way_ends_when_it_is_cancelled() {
    let session = session();
    let ticket = session.take_ticket().expect("it is open");
    let other = Arc::clone(&session);
    let running = std::thread::spawn(move || other.run(ticket, sleeps()));
    until_used(&session, ticket);
    session.cancel(ticket);
    assert_cancelled(running.join().expect("no panic"));
    assert!(session.lock().tickets.is_empty());
}

#[test]
fn closing_ends_all_that_is_under_way_and_refuses_what_comes() {
    let session = session();
    let tickets = [(); 3].map(|()| session.take_ticket().expect("it is open"));
    let running = tickets[..2].iter().map(|&ticket| {
        let other = Arc::clone(&session);
        std::thread::spawn(move || other.run(ticket, sleeps()))
    });
    let running: Vec<_> = running.collect();
    for &ticket in &tickets[..2] {
        until_used(&session, ticket);
    }
    session.close();
    for running in running {
        assert_cancelled(running.join().expect("no panic"));
    }
    assert_cancelled(session.run(tickets[2], sleeps()));
    assert_cancelled(session.take_ticket());
    assert_cancelled(session.mediator().map(|_| ()));
    session.close();
}

#[cfg(feature = "http")]
#[test]
fn a_request_that_waits_for_its_answer_ends_when_it_is_cancelled() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let session = session();
    let ticket = session.take_ticket().expect("it is open");
    let other = Arc::clone(&session);
    let asking = std::thread::spawn(move || other.request(ticket, HttpRequest::get(url)));
    let (_silent, _) = listener.accept().expect("it connects");
    session.cancel(ticket);
    assert_cancelled(asking.join().expect("no panic"));
}

#[cfg(feature = "http")]
#[test]
fn a_request_that_waits_for_its_host_to_be_found_ends_when_it_is_cancelled() {
    let asked = Asked {
        network: &["slow.example:80"],
        ..SHELL
    };
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    let (give, given) = std::sync::mpsc::sync_channel::<()>(1);
    let given = Mutex::new(given);
    let mediator = asked.builder(Path::new("/srv")).resolver(move |_, _| {
        tell.send(()).expect("the test waits");
        let given = given.lock().expect("no panic");
        // Until the test is over.
        let _ = given.recv();
        Ok(Vec::new())
    });
    let mediator = mediator.build().expect("the base is absolute");
    let session = Arc::new(Session::new(mediator));
    let ticket = session.take_ticket().expect("it is open");
    let other = Arc::clone(&session);
    let request = HttpRequest::get("http://slow.example/");
    let asking = std::thread::spawn(move || other.request(ticket, request));
    told.recv().expect("it is looked for");
    session.cancel(ticket);
    assert_cancelled(asking.join().expect("no panic"));
    drop(give);
}
