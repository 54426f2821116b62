//! The private copies of a process that died are removed by the next host, and by nobody sooner.

use std::path::{Path, PathBuf};

use keyway_tests::plugin;
use serde_json::json;

use super::{Stuck, dies, host_in};

fn stages(home: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(home).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let is_stage = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("keyway-")
    };
    paths.filter(is_stage).collect()
}

#[test]
fn the_private_copies_of_a_process_that_died_are_removed() {
    let home = tempfile::tempdir().expect("a directory");
    let config = json!({ "at": "activate", "how": "abort" });
    dies(home.path(), &plugin("misbehaves"), &config, &[]);
    let left = stages(home.path());
    assert_eq!(left.len(), 1, "or nothing of the below is proven");
    let files = std::fs::read_dir(&left[0]).expect("the stage").count();
    assert_eq!(files, 2, "the lock and the copy");

    let host = host_in(home.path());
    assert!(!left[0].exists());
    assert_eq!(stages(home.path()).len(), 1, "its own");
    drop(host);
}

#[test]
fn the_private_copies_of_a_process_that_lives_are_left_until_it_is_killed() {
    let home = tempfile::tempdir().expect("a directory");
    let stuck = Stuck::at("prepare", home.path(), &plugin("misbehaves"));
    let in_use = stages(home.path());
    assert_eq!(in_use.len(), 1);
    let host = host_in(home.path());
    assert!(in_use[0].exists());
    stuck.kill();
    drop(host);
    let _host = host_in(home.path());
    assert!(!in_use[0].exists());
}
