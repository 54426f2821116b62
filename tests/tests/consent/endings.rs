//! What becomes of what is under way when nobody waits for it, when the plugin is replaced, and when it
//! ends.

use std::fs::File;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use keyway::ErrorKind;
use keyway_host::{Limits, Probation};
use keyway_tests::host_builder;
use serde_json::{Value, json};

use crate::scene::{Home, PATIENCE, Scene, Waits, ask, entry, script};

/// Two processes that have the pipe open and would stay for ever; the first one writes a line when both
/// run.
fn stays(pipe: &Path) -> Value {
    let path = pipe.to_str().expect("text");
    script(
        "exec 3>\"$1\"; sleep 100000 & echo ready >&3; sleep 100000",
        &[path],
    )
}

/// A pipe that a program has open: it is readable while the program writes, and ends with it.
struct Watched {
    ready: mpsc::Receiver<()>,
    ended: mpsc::Receiver<()>,
}

impl Watched {
    fn new(pipe: &Path) -> Self {
        let (tell_ready, ready) = mpsc::channel();
        let (tell_ended, ended) = mpsc::channel();
        let path = pipe.to_owned();
        std::thread::spawn(move || {
            // This waits for somebody who writes.
            let mut pipe = File::open(path).expect("a pipe");
            let mut line = [0; 6];
            pipe.read_exact(&mut line).expect("a line");
            assert_eq!(&line, b"ready\n");
            let _ = tell_ready.send(());
            let rest = pipe.read_to_end(&mut Vec::new());
            assert_eq!(rest.expect("it ends"), 0);
            let _ = tell_ended.send(());
        });
        Watched { ready, ended }
    }

    fn until_ready(&self) {
        self.ready.recv_timeout(PATIENCE).expect("the program runs");
    }

    fn until_ended(&self) {
        self.ended
            .recv_timeout(PATIENCE)
            .expect("the program and what it started are killed");
    }

    fn still_runs(&self) -> bool {
        self.ended.try_recv() == Err(mpsc::TryRecvError::Empty)
    }
}

fn shell(waits: Waits) -> Scene {
    let home = Home::of(waits);
    Scene::granted(
        home,
        json!({ "subprocess": ["sh"] }),
        "subprocess = [\"sh\"]",
    )
}

fn dropping_the_call_kills(waits: Waits) {
    let scene = shell(waits);
    let pipe = scene.home.pipe();
    let program = Watched::new(&pipe);
    let tool = scene.host.tool("run").expect("it is offered");
    let mut call = Box::pin(tool.call(stays(&pipe)));
    // The program begins with the first poll.
    let poll = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending()));
    assert!(scene.host.block_on(poll));
    program.until_ready();
    drop(call);
    program.until_ended();
    scene.end();
    let seen = scene.audit();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].2, "ask-cancelled");
}

#[test]
fn a_call_that_is_dropped_kills_its_program_and_the_library_goes() {
    dropping_the_call_kills(Waits::OnThreads);
    dropping_the_call_kills(Waits::InRuntime);
}

fn stopping_kills(waits: Waits) {
    let scene = shell(waits);
    let pipe = scene.home.pipe();
    let program = Watched::new(&pipe);
    scene.ask("background", stays(&pipe)).expect("it begins");
    program.until_ready();
    assert!(program.still_runs());
    // Nobody calls, so it is the plugin's end that ends the program.
    scene.end();
    program.until_ended();
    let seen = scene.audit();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].2, "ask-cancelled");
}

#[test]
fn a_plugin_that_is_stopped_takes_its_programs_along() {
    stopping_kills(Waits::OnThreads);
    stopping_kills(Waits::InRuntime);
}

#[test]
fn a_call_that_waits_for_a_program_is_cancelled_with_its_plugin() {
    let home = Home::new();
    home.put("1.0.0", &json!({ "subprocess": ["sh"] }));
    let file = home.grants("subprocess = [\"sh\"]");
    // Calls get so long to end by themselves.
    let builder = host_builder()
        .config_file(file)
        .lifecycle_deadline(Duration::from_millis(500));
    let scene = Scene::with(builder, home);
    let pipe = scene.home.pipe();
    let program = Watched::new(&pipe);
    let call = {
        let (host, arguments) = (scene.host.clone(), stays(&pipe));
        std::thread::spawn(move || ask(&host, "run", arguments))
    };
    program.until_ready();
    scene.end();
    program.until_ended();
    let error = call.join().expect("no panic").expect_err("it is cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn a_request_that_nobody_answers_does_not_keep_the_library() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let home = Home::of(Waits::InRuntime);
    home.put("1.0.0", &json!({ "network": ["127.0.0.1:*"] }));
    let limits = {
        let mut limits = Limits::default();
        limits.request_timeout = PATIENCE * 10;
        limits
    };
    let builder = host_builder()
        .config_file(home.grants("network = [\"127.0.0.1:*\"]"))
        .service_limits(limits)
        .lifecycle_deadline(Duration::from_millis(500));
    let scene = Scene::with(builder, home);
    let call = {
        let (host, url) = (scene.host.clone(), format!("http://127.0.0.1:{port}/"));
        std::thread::spawn(move || ask(&host, "fetch", entry(url, "")))
    };
    let (_silent, _) = listener.accept().expect("it connects");
    scene.end();
    let error = call.join().expect("no panic").expect_err("it is cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(scene.audit()[0].2, "ask-cancelled");
}

#[test]
fn what_is_under_way_goes_on_over_a_reload_and_counts_for_both_versions() {
    let home = Home::of(Waits::InRuntime);
    let asked = json!({ "subprocess": ["sh"] });
    home.put("1.0.0", &asked);
    let limits = {
        let mut limits = Limits::default();
        limits.max_programs = 1;
        limits
    };
    let builder = host_builder()
        .config_file(home.grants("subprocess = [\"sh\"]"))
        .service_limits(limits)
        // The old version stays until the test is done with it.
        .probation(Probation::of(PATIENCE * 10));
    let scene = Scene::with(builder, home);
    let pipe = scene.home.pipe();
    let program = Watched::new(&pipe);
    scene.ask("background", stays(&pipe)).expect("it begins");
    program.until_ready();

    scene.home.put("1.1.0", &asked);
    let report = scene.host.block_on(scene.host.reload("asks"));
    let report = report.expect("it is loaded");
    assert!(report.outcome.is_committed(), "{report:?}");
    assert!(program.still_runs(), "its version may serve again");
    let refused = scene.refused("run", script("true", &[]));
    assert_eq!(refused, "too-many-at-once");

    let stop = scene.host.stop("asks");
    scene.host.block_on(stop).expect("it stops");
    program.until_ended();
    let counts = scene.host.wait_for_unload(PATIENCE);
    assert_eq!((counts.open, counts.unloaded), (0, 2), "{counts:?}");
}

#[test]
fn calls_that_ask_lose_nothing_over_reloads_and_every_version_goes() {
    const RELOADS: usize = 5;
    let home = Home::of(Waits::InRuntime);
    home.file("data/a", "A");
    let asked = json!({ "filesystem": { "read": ["data"] } });
    home.put("1.0.0", &asked);
    let limits = {
        let mut limits = Limits::default();
        limits.file_rate = None;
        limits
    };
    let builder = host_builder()
        .config_file(home.grants("filesystem = { read = [\"data\"] }"))
        .service_limits(limits)
        .probation(Probation::NONE);
    let scene = Scene::with(builder, home);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (host, done) = (&scene.host, &done);
        let callers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(move || {
                    let mut calls = 0;
                    while !done.load(std::sync::atomic::Ordering::Relaxed) || calls == 0 {
                        let answer = ask(host, "read", json!({ "name": "data/a" }));
                        assert_eq!(answer.expect("no call is lost"), "A");
                        calls += 1;
                    }
                })
            })
            .collect();
        for minor in 1..=RELOADS {
            scene.home.put(&format!("1.{minor}.0"), &asked);
            let report = host.block_on(host.reload("asks")).expect("it is loaded");
            assert!(report.outcome.is_committed(), "{report:?}");
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        for caller in callers {
            caller.join().expect("no call is lost");
        }
    });
    scene.host.block_on(scene.host.shutdown());
    let counts = scene.host.wait_for_unload(PATIENCE);
    assert_eq!(
        (counts.open, counts.unloaded),
        (0, RELOADS + 1),
        "{counts:?}"
    );
}
