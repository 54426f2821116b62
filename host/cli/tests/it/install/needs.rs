//! What plugins need of each other: conflicts, what is missing, and what is not removed.

use expect_test::expect;
use keyway_tests::many::Part;
use serde_json::json;

use crate::site::Site;

/// `geo`, and `weather` that needs it.
fn weather(site: &Site) {
    site.install("geo", &Part::new("geo").version("1.4.0"));
    site.install("weather", &Part::new("weather").needs("geo", json!("^1")));
}

#[test]
fn a_conflict_names_both_requirers_and_their_ranges_and_says_what_can_be_done() {
    let site = Site::new();
    weather(&site);
    site.plugin("maps", &Part::new("maps").needs("geo", json!("^2")));
    site.keyway("install ./maps").check(&expect![[r#"
        exit 9
        --- stdout
        install  maps 1.0.0  from directory+[DIR]/maps
        --- stderr
        error: conflict over geo: maps requires ^2 and weather requires ^1, and 1.4.0 is installed
          maps 1.0.0     requires geo ^2  (to be installed)
          weather 1.0.0  requires geo ^1  (installed)
          geo 1.4.0 is installed
          ^2 and ^1 are incompatible: no version of geo satisfies both
          what can be done:
            1. install a version of maps that accepts geo 1.4.0: keyway install PATH-OR-URL
            2. uninstall weather: keyway uninstall weather
            3. go on all the same with --force (risky: maps will not start)
    "#]]);
    site.keyway("install ./maps --dry-run --json")
        .check(&expect![[r#"
            exit 9
            --- stdout
            {"schema_version":1,"dry_run":true,"changed":false,"steps":[{"action":"install","plugin":"maps","to":"1.0.0","source":"directory+[DIR]/maps","digest":"[HASH]","permissions":{"added":[],"removed":[]}}],"conflicts":[{"kind":"version","needed":"geo","available":"1.4.0","available_is_new":false,"requirers":[{"plugin":"maps","version":"1.0.0","requires":"^2","satisfied":false,"new":true},{"plugin":"weather","version":"1.0.0","requires":"^1","satisfied":true,"new":false}],"can_agree":false,"suggestions":["install a version of maps that accepts geo 1.4.0: keyway install PATH-OR-URL","uninstall weather: keyway uninstall weather","go on all the same with --force (risky: maps will not start)"]}],"failures":[]}
            --- stderr
            {"error":{"code":"conflict","details":"maps 1.0.0     requires geo ^2  (to be installed)\nweather 1.0.0  requires geo ^1  (installed)\ngeo 1.4.0 is installed\n^2 and ^1 are incompatible: no version of geo satisfies both\nwhat can be done:\n  1. install a version of maps that accepts geo 1.4.0: keyway install PATH-OR-URL\n  2. uninstall weather: keyway uninstall weather\n  3. go on all the same with --force (risky: maps will not start)\n","exit_code":9,"message":"conflict over geo: maps requires ^2 and weather requires ^1, and 1.4.0 is installed"},"schema_version":1}
        "#]]);
    assert_eq!(site.installed(), ["geo 1.4.0", "weather 1.0.0"]);
    // The other way round: what is needed by both comes in a version for one of them.
    site.plugin("geo", &Part::new("geo").version("2.0.0"));
    site.keyway("update geo").check(&expect![[r#"
        exit 9
        --- stdout
        update   geo 1.4.0 -> 2.0.0  from directory+[DIR]/geo
        --- stderr
        error: conflict over geo: weather requires ^1, and 2.0.0 would be installed
          weather 1.0.0  requires geo ^1  (installed)
          geo 2.0.0 would be installed
          what can be done:
            1. update weather to a version that accepts geo 2.0.0: keyway update weather
            2. uninstall weather: keyway uninstall weather
            3. go on all the same with --force (risky: weather will not start)
    "#]]);
    site.keyway("install ./maps --force").check(&expect![[r#"
        exit 0
        --- stdout
        install  maps 1.0.0  from directory+[DIR]/maps
        --- stderr
        warning: conflict over geo: maps requires ^2 and weather requires ^1, and 1.4.0 is installed; --force goes on
           Installed maps 1.0.0
    "#]]);
    // What was forced is no reason to refuse something else.
    site.install("other", &Part::new("other"));
    site.check_consistency();
}

#[test]
fn ranges_that_meet_are_told_as_such() {
    let site = Site::new();
    weather(&site);
    site.plugin("maps", &Part::new("maps").needs("geo", json!(">=1.5")));
    site.keyway("install ./maps").check(&expect![[r#"
        exit 9
        --- stdout
        install  maps 1.0.0  from directory+[DIR]/maps
        --- stderr
        error: conflict over geo: maps requires >=1.5 and weather requires ^1, and 1.4.0 is installed
          maps 1.0.0     requires geo >=1.5  (to be installed)
          weather 1.0.0  requires geo ^1  (installed)
          geo 1.4.0 is installed
          to satisfy both, geo has to be >=1.5 and ^1
          what can be done:
            1. install a version of maps that accepts geo 1.4.0: keyway install PATH-OR-URL
            2. install geo in a version that is >=1.5 and ^1: keyway install PATH-OR-URL
            3. uninstall weather: keyway uninstall weather
            4. go on all the same with --force (risky: maps will not start)
    "#]]);
    site.install("geo", &Part::new("geo").version("1.6.0"));
    site.succeed("install ./maps");
}

#[test]
fn what_is_needed_and_not_there_is_told() {
    let site = Site::new();
    site.plugin("weather", &Part::new("weather").needs("geo", json!("^1")));
    site.keyway("install ./weather").check(&expect![[r#"
        exit 9
        --- stdout
        install  weather 1.0.0  from directory+[DIR]/weather
        --- stderr
        error: weather requires geo ^1, and geo is not installed
          weather 1.0.0  requires geo ^1  (to be installed)
          geo is not installed
          what can be done:
            1. install geo ^1 first: keyway install PATH-OR-URL
            2. go on all the same with --force (risky: weather will not start)
    "#]]);
    let optional = json!({ "version": "^1", "optional": true });
    site.install("weather", &Part::new("weather").needs("geo", optional));
}

#[test]
fn what_others_need_is_not_removed() {
    let site = Site::new();
    weather(&site);
    site.keyway("uninstall geo").check(&expect![[r#"
        exit 9
        --- stdout
        remove   geo 1.4.0
        --- stderr
        error: geo is needed by weather
          weather 1.0.0  requires geo ^1  (installed)
          geo would be removed
          what can be done:
            1. uninstall them too: keyway uninstall weather geo
            2. go on all the same with --force (risky: weather will not start)
    "#]]);
    assert_eq!(site.installed(), ["geo 1.4.0", "weather 1.0.0"]);
    site.keyway("uninstall geo weather").check(&expect![[r#"
        exit 0
        --- stdout
        remove   geo 1.4.0
        remove   weather 1.0.0
        --- stderr
             Removed geo 1.4.0
             Removed weather 1.0.0
    "#]]);
    assert!(site.installed().is_empty());
    site.succeed("rollback");
    site.keyway("uninstall geo --force").check(&expect![[r#"
        exit 0
        --- stdout
        remove   geo 1.4.0
        --- stderr
        warning: geo is needed by weather; --force goes on
             Removed geo 1.4.0
    "#]]);
    site.keyway("uninstall weathr").check(&expect![[r#"
        exit 5
        --- stderr
        error: plugin 'weathr' is not installed
        hint: did you mean weather?
    "#]]);
}
