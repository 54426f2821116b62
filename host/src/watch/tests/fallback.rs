//! Without kernel events, with too few of them, and when they are lost.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use notify::{Config, EventHandler, NullWatcher, RecursiveMode, WatcherKind};

use super::scene::Scene;
use crate::watch::kernel::Kernel;
use crate::watch::shell::Message;
use crate::watch::{Report, Settle, WatchOptions};

#[test]
fn polling_sees_links_renames_and_writes() {
    let mut scene = Scene::polling();
    let path = scene.watch("x.so");
    scene.link_to("x.so");
    assert_eq!(scene.settled(), ["x.so"]);
    scene.move_to("x.so");
    assert_eq!(scene.settled(), ["x.so"]);
    let mut file = OpenOptions::new()
        .append(true)
        .open(path)
        .expect("the file");
    file.write_all(b"more").expect("to be written");
    assert_eq!(scene.settled(), ["x.so"]);
    scene.synchronize();
}

#[test]
fn polling_waits_for_a_slow_writer() {
    let mut scene = Scene::with(
        WatchOptions {
            interval: Some(Duration::from_millis(5)),
            settle: Settle::default(),
        },
        |_| unreachable!("polling was asked for"),
    );
    let path = scene.watch("x.so");
    let mut file = fs::File::create(&path).expect("the file");
    for _ in 0..50 {
        file.write_all(&[7; 1000]).expect("to be written");
        // This is how slow linkers are; nothing waits for it.
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(scene.settled(), ["x.so"]);
    scene.synchronize();
}

#[test]
fn polling_sees_files_go_and_come_back() {
    let mut scene = Scene::polling();
    let path = scene.watch("x.so");
    fs::remove_file(path).expect("to be deleted");
    assert_eq!(scene.missing(), "x.so");
    scene.move_to("x.so");
    assert_eq!(scene.settled(), ["x.so"]);
    scene.synchronize();
}

#[test]
fn polling_sees_directories_come_and_go() {
    let mut scene = Scene::polling();
    scene.add("target/debug/x.so");
    scene.synchronize();
    for _ in 0..3 {
        scene.create_dir("target/debug");
        scene.link_to("target/debug/x.so");
        assert_eq!(scene.settled(), ["target/debug/x.so"]);
        fs::remove_dir_all(scene.path("target")).expect("to be deleted");
        assert_eq!(scene.missing(), "target/debug/x.so");
    }
    scene.synchronize();
}

#[test]
fn polling_sees_files_that_are_replaced_together() {
    let mut scene = Scene::polling();
    scene.watch("a.so");
    scene.watch("b.so");
    fs::remove_file(scene.path("a.so")).expect("to be deleted");
    fs::remove_file(scene.path("b.so")).expect("to be deleted");
    scene.link_to("a.so");
    scene.link_to("b.so");
    let mut names = scene.settled();
    // A look may fall between the two; then the first is complete before the second has changed
    // as far as a look can tell.
    if names.len() == 1 {
        names.extend(scene.settled());
    }
    names.sort();
    assert_eq!(names, ["a.so", "b.so"]);
    scene.synchronize();
}

/// Gives no events, because the user's watches are used up.
#[derive(Debug)]
struct Exhausted;

impl notify::Watcher for Exhausted {
    fn new<F: EventHandler>(_: F, _: Config) -> notify::Result<Self> {
        Ok(Exhausted)
    }

    fn watch(&mut self, _: &Path, _: RecursiveMode) -> notify::Result<()> {
        Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch))
    }

    fn unwatch(&mut self, _: &Path) -> notify::Result<()> {
        Err(notify::Error::watch_not_found())
    }

    fn kind() -> WatcherKind {
        WatcherKind::NullWatcher
    }
}

/// Watches two files of one directory, and hears why it is polled, once.
fn polled_because(connect: impl FnOnce() -> Result<Kernel, String>) -> String {
    let mut scene = Scene::with(WatchOptions::default(), |_| connect());
    scene.create_dir("plugins");
    scene.add("plugins/x.so");
    scene.add("plugins/y.so");
    let Report::Polling { path, reason } = scene.next() else {
        panic!("it is said that there are no events");
    };
    assert_eq!(path, scene.path("plugins"));
    for name in ["plugins/x.so", "plugins/y.so"] {
        scene.link_to(name);
        assert_eq!(scene.settled(), [name]);
    }
    reason
}

#[test]
fn where_watches_are_used_up_files_are_polled_and_that_is_said() {
    let reason = polled_because(|| Ok(Kernel::with(Box::new(Exhausted))));
    assert!(reason.contains("fs.inotify.max_user_watches"), "{reason}");
}

#[test]
fn where_there_are_no_events_at_all_files_are_polled_and_that_is_said() {
    assert_eq!(
        polled_because(|| Err("out of order".to_owned())),
        "out of order"
    );
}

#[test]
fn after_lost_events_all_files_are_looked_at() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut scene = Scene::with(WatchOptions::default(), |messages| {
        sender.send(messages).expect("to be kept");
        Ok(Kernel::with(Box::new(NullWatcher)))
    });
    let messages = receiver.recv().expect("the way to the thread");
    let rescan = || {
        let rescan = Message::Rescan(std::time::Instant::now());
        messages.send(rescan).expect("to be sent");
    };
    for name in ["x.so", "y.so"] {
        scene.move_to(name);
        scene.add(name);
    }
    // When this is reported the others were looked at too, and no event will come for them.
    scene.add("first.so");
    scene.link_to("first.so");
    rescan();
    assert_eq!(scene.settled(), ["first.so"]);
    scene.link_to("x.so");
    scene.link_to("y.so");
    rescan();
    let mut names = scene.settled();
    // Two sets if the first of the rescans came between the two.
    if names.len() == 1 {
        names.extend(scene.settled());
    }
    names.sort();
    assert_eq!(names, ["x.so", "y.so"]);
}
