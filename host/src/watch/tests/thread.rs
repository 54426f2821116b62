//! The watcher's thread, and what it is told.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};

use super::scene::{PATIENCE, Scene};
use crate::watch::{WatchOptions, Watcher};

#[test]
fn what_is_removed_is_not_reported() {
    let mut scene = Scene::new();
    let path = scene.watch("x.so");
    scene.watcher.remove(&path);
    scene.move_to("x.so");
    scene.synchronize();
    // Added again, it begins with what it is now.
    scene.add("x.so");
    scene.synchronize();
    scene.move_to("x.so");
    assert_eq!(scene.settled(), ["x.so"]);
    scene.synchronize();
}

#[test]
fn what_is_added_twice_is_watched_once() {
    let mut scene = Scene::new();
    let path = scene.watch("x.so");
    scene.watcher.add(&path);
    scene.move_to("x.so");
    assert_eq!(scene.settled(), ["x.so"]);
    scene.synchronize();
    scene.watcher.remove(&path);
    scene.move_to("x.so");
    scene.synchronize();
}

#[test]
fn to_remove_what_was_never_added_does_nothing() {
    let mut scene = Scene::new();
    scene.watcher.remove(&scene.path("x.so"));
    scene.synchronize();
}

#[test]
fn a_path_that_cannot_be_a_file_does_no_harm() {
    let mut scene = Scene::new();
    for path in ["", "/", ".."] {
        scene.watcher.add(path.as_ref());
    }
    scene.synchronize();
}

#[test]
fn dropping_the_watcher_ends_its_thread() {
    for interval in [None, Some(std::time::Duration::from_millis(5))] {
        let (alive, ended) = channel::<()>();
        let options = WatchOptions {
            interval,
            ..WatchOptions::default()
        };
        let watcher = Watcher::start(options, move |_| drop(alive.clone())).expect("a watcher");
        let home = tempfile::tempdir().expect("a directory");
        watcher.add(&home.path().join("x.so"));
        drop(watcher);
        // The thread owns the other end.
        assert_eq!(
            ended.try_recv(),
            Err(std::sync::mpsc::TryRecvError::Disconnected)
        );
    }
}

#[test]
fn the_watcher_may_be_dropped_inside_of_a_report_which_is_the_last() {
    let slot = Arc::new(Mutex::new(None::<Watcher>));
    let (sender, reports) = channel();
    let own = slot.clone();
    let report = move |report| {
        drop(own.lock().expect("the watcher's place").take());
        sender.send(report).expect("a listener");
    };
    let home = tempfile::tempdir().expect("a directory");
    let mut held = slot.lock().expect("the watcher's place");
    let watcher = Watcher::start(WatchOptions::default(), report).expect("a watcher");
    let path = home.path().join("x.so");
    watcher.add(&path);
    *held = Some(watcher);
    drop(held);
    std::fs::write(&path, "content").expect("a file");
    reports.recv_timeout(PATIENCE).expect("the first report");
    // The thread ends, and with it the closure and the sender in it.
    assert_eq!(
        reports.recv_timeout(PATIENCE),
        Err(RecvTimeoutError::Disconnected)
    );
}

#[test]
fn a_report_that_panics_does_not_take_the_watcher_s_owner_with_it() {
    let (sender, reports) = channel();
    let report = move |report| {
        sender.send(report).expect("a listener");
        panic!("the listener is broken");
    };
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("x.so");
    let watcher = Watcher::start(WatchOptions::default(), report).expect("a watcher");
    watcher.add(&path);
    std::fs::write(&path, "content").expect("a file");
    reports.recv_timeout(PATIENCE).expect("the first report");
    assert_eq!(
        reports.recv_timeout(PATIENCE),
        Err(RecvTimeoutError::Disconnected)
    );
    watcher.add(&path);
    drop(watcher);
}
