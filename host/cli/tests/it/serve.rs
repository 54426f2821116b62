//! `keyway run`: everything serves until Ctrl-C, follows its files, and says what did not start.

use expect_test::expect;
use keyway_tests::many::Part;
use serde_json::json;

use crate::live::Live;
use crate::site::Site;

#[test]
fn without_plugins_there_is_nothing_to_run() {
    let site = Site::new();
    site.keyway("run").check(&expect![[r#"
        exit 5
        --- stderr
        error: [DIR]/config/keyway/keyway.toml: there are no plugins to run
        hint: keyway install SOURCE gets one
    "#]]);
}

#[test]
fn plugins_serve_until_ctrl_c_and_follow_the_settings() {
    let site = Site::new();
    site.install("geo", &Part::new("geo"));
    site.install("maps", &Part::new("maps").needs("geo", json!("^1")));
    site.settings("[host]\nstrategy = \"hybrid\"\n");
    let mut live = Live::start(site.keyway("run"));
    live.tells("Started geo v1.0.0 (non-capability): tool geo");
    live.tells("Started maps v1.0.0");
    live.tells("Serving 2 plugins; Ctrl-C ends it");
    site.succeed("disable maps");
    live.tells("Adjusted stopped maps");
    site.succeed("enable maps");
    live.tells("Adjusted started maps");
    assert_eq!(live.interrupt(), Some(0));
}

#[test]
fn what_does_not_start_is_told_and_decides_on_the_exit_code() {
    let site = Site::new();
    site.install("one", &Part::new("one"));
    site.install("ill", &Part::new("ill").config("fail", "activate"));
    let mut live = Live::start(site.keyway("run"));
    live.tells("Started one v1.0.0");
    live.tells("ill fails in activate");
    live.tells("Serving 1 plugin");
    assert_eq!(live.interrupt(), Some(1));
}
