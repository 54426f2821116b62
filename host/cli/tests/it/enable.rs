//! `keyway enable` and `keyway disable`, with what becomes of the settings file.

use expect_test::expect;
use keyway_tests::many::Part;
use serde_json::json;

use crate::site::Site;

/// A plugin, and one that needs it.
fn two() -> Site {
    let site = Site::new();
    site.install("geo", &Part::new("geo"));
    site.install("maps", &Part::new("maps").needs("geo", json!("^1")));
    site
}

#[test]
fn the_settings_file_is_made_where_there_is_none() {
    let site = two();
    site.keyway("disable maps --dry-run").check(&expect![[r#"
        exit 0
        --- stdout
        disable  maps
        --- stderr
        note: nothing was changed, since this is a dry run
    "#]]);
    assert!(!site.path("config/keyway/.keyway.toml.guard").exists());
    site.keyway("disable maps").check(&expect![[r#"
        exit 0
        --- stdout
        disable  maps
        --- stderr
            Disabled maps
    "#]]);
    expect![[r#"
        [plugin.maps]
        enabled = false
    "#]]
    .assert_eq(&site.written());
    site.keyway("disable maps").check(&expect![[r#"
        exit 0
        --- stdout
        keep     maps  as it is already
    "#]]);
    site.keyway("list").check(&expect![[r#"
        exit 0
        --- stdout
        Name  Version  Status    Capabilities
        geo   1.0.0    enabled   tool geo
        maps  1.0.0    disabled  tool maps
          `plugin.maps.enabled` is false in the host's file
    "#]]);
    site.keyway("enable maps --json").check(&expect![[r#"
        exit 0
        --- stdout
        {"schema_version":1,"dry_run":false,"changed":true,"settings":"[DIR]/config/keyway/keyway.toml","steps":[{"action":"enable","plugin":"maps"}],"blocked":[]}
        --- stderr
             Enabled maps
    "#]]);
    site.keyway("list").check(&expect![[r#"
        exit 0
        --- stdout
        Name  Version  Status   Capabilities
        geo   1.0.0    enabled  tool geo
        maps  1.0.0    enabled  tool maps
    "#]]);
}

#[test]
fn comments_and_order_are_kept() {
    let site = two();
    site.settings(
        "# What I want.\n\n[plugin.maps]   # not yet\nenabled = false # soon\n\n[slots]\n# none\n",
    );
    site.succeed("enable maps");
    expect![[r#"
        # What I want.

        [plugin.maps]   # not yet
        enabled = true # soon

        [slots]
        # none
    "#]]
    .assert_eq(&site.written());
}

#[test]
fn what_others_need_stays_enabled_unless_it_is_forced() {
    let site = two();
    site.keyway("disable geo").check(&expect![[r#"
        exit 9
        --- stdout
        disable  geo
        --- stderr
        error: geo is needed by maps
        hint: disable them too: keyway disable maps geo; or go on all the same with --force (risky: maps will not start)
    "#]]);
    site.keyway("disable geo --json --dry-run").check(&expect![[r#"
        exit 9
        --- stdout
        {"schema_version":1,"dry_run":true,"changed":false,"settings":"[DIR]/config/keyway/keyway.toml","steps":[{"action":"disable","plugin":"geo"}],"blocked":[{"plugin":"maps","reason":"needs 'geo' ^1, which is missing"}]}
        --- stderr
        {"error":{"code":"needed","exit_code":9,"hint":"disable them too: keyway disable maps geo; or go on all the same with --force (risky: maps will not start)","message":"geo is needed by maps"},"schema_version":1}
    "#]]);
    assert!(!site.home().settings_file().exists());
    site.keyway("disable geo maps").check(&expect![[r#"
        exit 0
        --- stdout
        disable  geo
        disable  maps
        --- stderr
            Disabled geo
            Disabled maps
    "#]]);
    site.keyway("enable maps").check(&expect![[r#"
        exit 0
        --- stdout
        enable   maps
        --- stderr
        warning: maps is enabled and will not start: needs 'geo' ^1, which is missing
             Enabled maps
    "#]]);
    site.succeed("enable geo");
    site.keyway("disable geo --force").check(&expect![[r#"
        exit 0
        --- stdout
        disable  geo
        --- stderr
        warning: geo is needed by maps; --force goes on
            Disabled geo
    "#]]);
}

#[test]
fn an_unknown_plugin_changes_nothing_and_the_one_that_is_meant_is_told() {
    let site = two();
    site.keyway("disable maps geoo").check(&expect![[r#"
        exit 5
        --- stderr
        error: there is no plugin 'geoo'
        hint: did you mean geo?
    "#]]);
    site.keyway("enable weather").check(&expect![[r#"
        exit 5
        --- stderr
        error: there is no plugin 'weather'
        hint: keyway list shows those that there are
    "#]]);
    site.keyway("enable Maps").check(&expect![[r#"
        exit 2
        --- stderr
        error: invalid value 'Maps' for '<NAME>...': contains 'M'

        For more information, try '--help'.
    "#]]);
    assert!(!site.home().settings_file().exists());
}

#[test]
fn a_settings_file_that_does_not_read_is_left_as_it_is() {
    let site = two();
    site.settings("[plugin.maps]\nenabled = \"yes\"\n");
    site.keyway("disable maps").check(&expect![[r#"
        exit 2
        --- stderr
        error: plugin 'maps': [DIR]/config/keyway/keyway.toml:2:11: `plugin.maps.enabled` has the wrong type; expected true or false, found a string
    "#]]);
    site.settings("[plugin.maps\n");
    site.keyway("disable maps").check(&expect![[r#"
        exit 2
        --- stderr
        error: [DIR]/config/keyway/keyway.toml: the settings file is not TOML: unclosed table, expected `]`
    "#]]);
    assert_eq!(site.written(), "[plugin.maps\n");
}
