//! Disks and directories that do not play along: a clear error, and what was there before.

use std::process::Command;

use expect_test::expect;
use keyway_tests::many::Part;

use crate::site::Site;

#[test]
fn a_store_that_cannot_be_made_is_told() {
    let site = Site::new();
    site.plugin("one", &Part::new("one"));
    // In the way of everybody, also of root.
    std::fs::write(site.path("data"), "a file").expect("a file");
    site.keyway("install ./one").check(&expect![[r#"
        exit 7
        --- stderr
        error: [DIR]/data/keyway/store: cannot make the directory: Not a directory (os error 20)
    "#]]);
    assert!(!site.path("config").exists());
}

#[test]
fn a_lockfile_that_cannot_be_written_stays_and_so_does_the_store() {
    let site = Site::new();
    site.install("one", &Part::new("one"));
    site.plugin("two", &Part::new("two"));
    // Where the new text is to be written there is a directory.
    let new = site.path("config/keyway/.plugins.lock.new");
    std::fs::create_dir(&new).expect("a directory");
    site.keyway("install ./two").check(&expect![[r#"
        exit 7
        --- stdout
        install  two 1.0.0  from directory+[DIR]/two
        --- stderr
        error: [DIR]/config/keyway/plugins.lock: cannot write the file: Is a directory (os error 21)
    "#]]);
    assert_eq!(site.installed(), ["one 1.0.0"]);
    site.check_consistency();
    std::fs::remove_dir(&new).expect("it is empty");
    site.succeed("install ./two");
    assert_eq!(site.installed(), ["one 1.0.0", "two 1.0.0"]);
}

#[test]
fn a_disk_that_is_full_leaves_what_was_there() {
    let site = Site::new();
    site.install("one", &Part::new("one"));
    site.plugin("one", &Part::new("one").version("2.0.0"));
    let run = site.keyway("update").into_command();
    // A limit on the size of files is what a test can have of a disk that is full: writing fails in the middle.
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "sh"])
        .arg(run.get_program())
        .args(run.get_args())
        .current_dir(site.path(""));
    for (name, value) in run.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let output = shell.output().expect("a shell");
    assert_eq!(output.status.code(), Some(7));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("cannot copy the file: File too large"),
        "{errors}"
    );
    assert_eq!(site.installed(), ["one 1.0.0"]);
    site.check_consistency();
    site.check_tidiness();
    site.succeed("update");
    assert_eq!(site.installed(), ["one 2.0.0"]);
}
