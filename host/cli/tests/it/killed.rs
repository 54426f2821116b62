//! Processes that are killed at any moment, and processes at the same time: the lockfile says the old or the new,
//! its packages are there, and the next command works.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use keyway_tests::many::Part;

use crate::site::Site;

/// How often a command is killed before it is done; the variable asks for more.
fn kills() -> u64 {
    let asked = std::env::var("KEYWAY_KILLS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(40)
}

/// Numbers that look random, and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}

/// Runs a command and kills it after so long. Whether it was killed before it was done.
fn kill_after(site: &Site, arguments: &str, patience: Duration) -> bool {
    let mut child = site
        .keyway(arguments)
        .into_command()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    // Nothing is waited for: this is the moment at which it dies.
    std::thread::sleep(patience);
    child.kill().expect("it can be killed");
    let status = child.wait().expect("it ends");
    status.code().is_none()
}

#[test]
fn a_command_that_is_killed_leaves_the_old_or_the_new() {
    let site = Site::new();
    let mut numbers = Numbers(7);
    let versions = |number: u64| Part::new("one").version(&format!("1.{number}.0"));
    site.plugin("one", &versions(0));
    let clock = Instant::now();
    site.succeed("install ./one");
    // About as long as a command takes; it follows what is seen, so that most die before they are done.
    let mut typical = clock.elapsed();
    let (mut killed, mut round) = (0, 0);
    while killed < kills() {
        round += 1;
        assert!(
            round < 50 * kills(),
            "commands are done before they are killed"
        );
        let before = site.installed();
        let (command, after) = match round % 3 {
            0 => ("uninstall one", Vec::new()),
            1 => {
                site.plugin("one", &versions(round));
                ("install ./one", vec![format!("one 1.{round}.0")])
            }
            _ => {
                site.plugin("one", &versions(round));
                ("update one", vec![format!("one 1.{round}.0")])
            }
        };
        let micros = u64::try_from(typical.as_micros()).expect("it is short");
        let patience = Duration::from_micros(numbers.below(micros));
        match kill_after(&site, command, patience) {
            true => {
                killed += 1;
                typical = typical.mul_f64(1.05);
            }
            false => typical = typical.mul_f64(0.95),
        }
        let left = site.installed();
        assert!(
            left == before || left == after,
            "{command} killed after {patience:?}: {before:?}, then {left:?}"
        );
        site.check_consistency();
        // The next command works, whichever it is, and tidies up.
        site.succeed("install ./one");
        site.check_consistency();
        site.check_tidiness();
    }
}

#[test]
fn commands_at_the_same_time_take_turns_and_none_is_lost() {
    let site = Site::new();
    let ids = ["a", "b", "c", "d", "e", "f"];
    for id in ids {
        site.plugin(id, &Part::new(id));
    }
    std::thread::scope(|scope| {
        for id in ids {
            let site = &site;
            scope.spawn(move || site.succeed(&format!("install ./{id}")));
        }
    });
    assert_eq!(site.installed(), ids.map(|id| format!("{id} 1.0.0")));
    site.check_consistency();
}

#[test]
fn who_waits_is_told_for_whom() {
    let site = Site::new();
    site.plugin("one", &Part::new("one"));
    let installer = site.installer();
    let held = installer.hold("a test that takes its time", |_| {});
    let held = held.expect("it is free");
    let mut child = site
        .keyway("install ./one")
        .into_command()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let first = lines.next().expect("it says something").expect("UTF-8");
    let expected = format!(
        "     Waiting for process {}, a test that takes its time",
        std::process::id()
    );
    assert_eq!(first, expected);
    assert!(site.installed().is_empty());
    drop(held);
    assert!(child.wait().expect("it ends").success());
    assert_eq!(site.installed(), ["one 1.0.0"]);
}
