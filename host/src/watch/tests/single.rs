//! One real file, and the ways in which it may change.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::time::{Duration, SystemTime};

use super::scene::Scene;
use crate::watch::{Report, Settle};

#[test]
fn a_hard_link_in_the_place_of_a_deleted_file_is_one_change() {
    let mut scene = Scene::patient();
    scene.watch("x.so");
    for _ in 0..5 {
        scene.link_to("x.so");
        assert_eq!(scene.settled(), ["x.so"]);
        scene.synchronize();
    }
}

#[test]
fn a_rename_into_place_is_one_change() {
    let mut scene = Scene::patient();
    scene.watch("x.so");
    scene.move_to("x.so");
    assert_eq!(scene.settled(), ["x.so"]);
    scene.synchronize();
}

#[test]
fn a_report_says_when_the_change_was_seen_and_when_it_was_over() {
    let mut scene = Scene::patient();
    let path = scene.watch("x.so");
    let before = std::time::Instant::now();
    scene.move_to("x.so");
    let Report::Detected { at, path: found } = scene.next() else {
        panic!("the detection comes first");
    };
    let Report::Settled { set } = scene.next() else {
        panic!("then it has settled");
    };
    assert_eq!(found, path);
    assert_eq!(set[0].path, path);
    assert!(before <= at);
    assert_eq!(set[0].detected, at);
    assert_eq!(set[0].complete, at);
    assert!(set[0].complete + Settle::default().coalesce <= set[0].settled);
}

#[test]
fn a_slow_writer_is_reported_when_it_has_closed() {
    let mut scene = Scene::patient();
    let path = scene.watch("x.so");
    let target = path.clone();
    let writer = std::thread::spawn(move || {
        let mut file = File::create(target).expect("the file");
        for _ in 0..50 {
            file.write_all(&[7; 1000]).expect("to be written");
            // This is how slow linkers are; nothing waits for it.
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    assert!(matches!(scene.next(), Report::Detected { .. }));
    assert_eq!(scene.settled(), ["x.so"]);
    assert_eq!(fs::metadata(path).expect("the file").len(), 50_000);
    writer.join().expect("the writer");
    scene.synchronize();
}

#[test]
fn a_copy_over_the_file_is_one_change() {
    let mut scene = Scene::patient();
    let path = scene.watch("x.so");
    let source = scene.path("source");
    fs::write(&source, vec![7; 3_000_000]).expect("a file");
    fs::copy(source, path).expect("a copy");
    assert_eq!(scene.settled(), ["x.so"]);
    scene.synchronize();
}

#[test]
fn a_writer_that_never_closes_is_reported_when_the_file_holds_still() {
    let mut scene = Scene::new();
    let path = scene.watch("x.so");
    let mut file = OpenOptions::new()
        .append(true)
        .open(path)
        .expect("the file");
    file.write_all(b"more").expect("to be written");
    assert_eq!(scene.settled(), ["x.so"]);
    file.write_all(b"and more").expect("to be written");
    assert_eq!(scene.settled(), ["x.so"]);
    // The close of what was reported is nothing new.
    drop(file);
    scene.synchronize();
}

#[test]
fn a_touch_is_reported_once() {
    let mut scene = Scene::new();
    let path = scene.watch("x.so");
    let file = OpenOptions::new()
        .append(true)
        .open(path)
        .expect("the file");
    let earlier = SystemTime::now() - Duration::from_secs(100);
    file.set_modified(earlier).expect("to be set");
    drop(file);
    assert_eq!(scene.settled(), ["x.so"]);
    scene.synchronize();
}

#[cfg(unix)]
#[test]
fn another_mode_is_no_change() {
    use std::os::unix::fs::PermissionsExt;
    let mut scene = Scene::new();
    let path = scene.watch("x.so");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("to be set");
    scene.synchronize();
}

#[test]
fn reading_is_no_change() {
    let mut scene = Scene::new();
    let path = scene.watch("x.so");
    fs::read(path).expect("its content");
    scene.synchronize();
}

#[test]
fn a_deleted_file_is_missing_once_and_its_return_is_a_change() {
    let mut scene = Scene::settling(Settle {
        missing: Duration::from_millis(20),
        ..Settle::default()
    });
    let path = scene.watch("x.so");
    fs::remove_file(path).expect("to be deleted");
    assert_eq!(scene.missing(), "x.so");
    scene.synchronize();
    scene.move_to("x.so");
    assert_eq!(scene.settled(), ["x.so"]);
    scene.synchronize();
}

#[test]
fn a_file_need_not_exist_yet() {
    let mut scene = Scene::patient();
    scene.add("x.so");
    scene.synchronize();
    scene.link_to("x.so");
    assert_eq!(scene.settled(), ["x.so"]);
    scene.synchronize();
}

#[test]
fn a_change_right_after_the_call_is_seen_and_the_state_before_it_is_not() {
    for _ in 0..20 {
        let mut scene = Scene::new();
        scene.move_to("x.so");
        scene.add("x.so");
        scene.link_to("x.so");
        assert_eq!(scene.settled(), ["x.so"]);
        scene.synchronize();
    }
}

#[test]
fn a_directory_under_the_name_counts_as_missing() {
    let mut scene = Scene::settling(Settle {
        missing: Duration::from_millis(20),
        ..Settle::default()
    });
    let path = scene.watch("x.so");
    fs::remove_file(path).expect("to be deleted");
    scene.create_dir("x.so");
    assert_eq!(scene.missing(), "x.so");
    scene.synchronize();
}
