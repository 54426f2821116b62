//! `keyway doctor`: what is not in order is found under its code, and what is safe is mended.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use expect_test::expect;
use keyway_tests::binary::with_note;
use keyway_tests::many::Part;
use serde_json::{Value, json};

use crate::libraries::library;
use crate::site::Site;

/// The codes that it finds, each with what it is about.
fn codes(site: &Site, options: &str) -> Vec<String> {
    let output = site.keyway(&format!("doctor --json {options}")).output();
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("a list").iter();
    let code = |finding: &Value| {
        let about = finding["plugin"].as_str().unwrap_or_default();
        format!("{} {about}", finding["code"].as_str().expect("a code"))
            .trim()
            .to_owned()
    };
    findings.map(code).collect()
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
}

#[test]
fn what_is_in_order_is_told_in_one_line() {
    let site = Site::new();
    site.keyway("doctor").check(&expect![[r#"
        exit 0
        --- stdout
        everything is in order: 0 plugins
    "#]]);
    site.install("one", &Part::new("one"));
    site.keyway("doctor").check(&expect![[r#"
        exit 0
        --- stdout
        everything is in order: 1 plugin
    "#]]);
    site.keyway("doctor --start --json").check(&expect![[r#"
        exit 0
        --- stdout
        {"schema_version":1,"worst":null,"plugins":1,"fixed":[],"findings":[]}
    "#]]);
}

#[test]
fn the_worst_comes_first_and_decides_on_the_exit_code() {
    let site = Site::new();
    site.install("one", &Part::new("one"));
    site.install("lost", &Part::new("lost"));
    site.succeed("pin one");
    std::fs::remove_dir_all(site.package("lost")).expect("it is there");
    site.settings("[plugin.one]\nenable = true\n");
    mode(&site.home().settings_file(), 0o666);
    site.keyway("doctor").check(&expect![[r#"
        exit 1
        --- stdout
        error    package-missing  lost
                 the package
                 [HASH]
                 is not in the store
                 hint: get what the lockfile says again: keyway install
        warning  settings-exposed  [DIR]/config/keyway/keyway.toml
                 others can write it: its mode is 666
                 hint: chmod go-w [DIR]/config/keyway/keyway.toml
        warning  settings-unknown-key  one
                 [DIR]/config/keyway/keyway.toml:2:1: unknown key `enable` in
                 [plugin.one]; expected one of enabled, config, permissions
                 hint: did you mean `enabled`?
        note     plugin-pinned  one
                 v1.0.0 is pinned: updates leave it alone

        2 plugins: 1 error, 2 warnings, 1 note; keyway doctor --fix mends some of it
    "#]]);
    site.keyway("doctor -v").check(&expect![[r#"
        exit 1
        --- stdout
        error    package-missing  lost
                 the package
                 [HASH]
                 is not in the store
                 hint: get what the lockfile says again: keyway install
                 at:
                 [DIR]/data/keyway/store/[DIGEST]
                 cause: The lockfile names a package that is not in the store: it was
                 removed by hand, or the lockfile comes from another machine.
                 cure: `keyway install` without a source gets what the lockfile says
                 again.
        warning  settings-exposed  [DIR]/config/keyway/keyway.toml
                 others can write it: its mode is 666
                 hint: chmod go-w [DIR]/config/keyway/keyway.toml
                 cause: Others than this user can write the settings file, and so say
                 which plugins run and what they are granted.
                 cure: Take the right to write it from others: `keyway doctor --fix`
                 does.
        warning  settings-unknown-key  one
                 [DIR]/config/keyway/keyway.toml:2:1: unknown key `enable` in
                 [plugin.one]; expected one of enabled, config, permissions
                 hint: did you mean `enabled`?
                 cause: keyway.toml has a key that means nothing to this version of the
                 host; it was passed over.
                 cure: Correct the spelling, or remove the key; CONFIG.md has all keys.
        note     plugin-pinned  one
                 v1.0.0 is pinned: updates leave it alone
                 cause: The plugin is pinned: updates leave it alone, also those that
                 mend something.
                 cure: `keyway unpin NAME` has updates look after it again.

        2 plugins: 1 error, 2 warnings, 1 note; keyway doctor --fix mends some of it
    "#]]);
    site.keyway("doctor --json").check(&expect![[r#"
        exit 1
        --- stdout
        {"schema_version":1,"worst":"error","plugins":2,"fixed":[],"findings":[{"code":"package-missing","severity":"error","plugin":"lost","path":"[DIR]/data/keyway/store/[DIGEST]","message":"the package [HASH] is not in the store","hint":"get what the lockfile says again: keyway install","cause":"The lockfile names a package that is not in the store: it was removed by hand, or the lockfile comes from another machine.","cure":"`keyway install` without a source gets what the lockfile says again.","fixable":false},{"code":"settings-exposed","severity":"warning","plugin":null,"path":"[DIR]/config/keyway/keyway.toml","message":"others can write it: its mode is 666","hint":"chmod go-w [DIR]/config/keyway/keyway.toml","cause":"Others than this user can write the settings file, and so say which plugins run and what they are granted.","cure":"Take the right to write it from others: `keyway doctor --fix` does.","fixable":true},{"code":"settings-unknown-key","severity":"warning","plugin":"one","path":null,"message":"[DIR]/config/keyway/keyway.toml:2:1: unknown key `enable` in [plugin.one]; expected one of enabled, config, permissions","hint":"did you mean `enabled`?","cause":"keyway.toml has a key that means nothing to this version of the host; it was passed over.","cure":"Correct the spelling, or remove the key; CONFIG.md has all keys.","fixable":false},{"code":"plugin-pinned","severity":"note","plugin":"one","path":null,"message":"v1.0.0 is pinned: updates leave it alone","hint":null,"cause":"The plugin is pinned: updates leave it alone, also those that mend something.","cure":"`keyway unpin NAME` has updates look after it again.","fixable":false}]}
    "#]]);
}

#[test]
fn what_is_safe_is_mended() {
    let site = Site::new();
    site.install("one", &Part::new("one"));
    site.settings("");
    mode(&site.home().settings_file(), 0o622);
    mode(&site.path("data/keyway"), 0o777);
    let orphan = site.path("data/keyway/store").join("0".repeat(64));
    std::fs::create_dir(&orphan).expect("a directory");
    site.keyway("doctor").check(&expect![[r#"
        exit 1
        --- stdout
        error    world-writable  one
                 everybody may write to this directory: expected mode 0775, found 0777
                 hint: run `chmod o-w [DIR]/data/keyway`
        warning  directory-exposed  [DIR]/data/keyway
                 others can write it: its mode is 777
                 hint: chmod go-w [DIR]/data/keyway
        warning  settings-exposed  [DIR]/config/keyway/keyway.toml
                 others can write it: its mode is 622
                 hint: chmod go-w [DIR]/config/keyway/keyway.toml
        note     package-orphan  [DIR]/data/keyway/store
                 1 package is named by no lockfile

        1 plugin: 1 error, 2 warnings, 1 note; keyway doctor --fix mends some of it
    "#]]);
    site.keyway("doctor --fix").check(&expect![[r#"
        exit 0
        --- stdout
        everything is in order: 1 plugin
        --- stderr
               Fixed took the right to write [DIR]/data/keyway from others
               Fixed took the right to write [DIR]/config/keyway/keyway.toml from others
               Fixed removed 1 package that nobody needs
    "#]]);
    assert!(!orphan.exists());
    site.check_consistency();
}

#[test]
fn files_that_do_not_read_are_findings_and_the_rest_is_looked_at() {
    let site = Site::new();
    site.install("one", &Part::new("one"));
    site.settings("[plugin.one]\nenabled = 3\n");
    std::fs::write(site.home().lock_file(), "version = 1\nplugin = 3\n").expect("a file");
    site.keyway("doctor").check(&expect![[r#"
        exit 1
        --- stdout
        error    lockfile  [DIR]/config/keyway/plugins.lock
                 the lockfile does not read: TOML parse error at line 2, column 10
                   |
                 2 | plugin = 3
                   |          ^
                 invalid type: integer `3`, expected a sequence
                 hint: take it from version control, or go back to the one before:
                 keyway rollback
        error    settings-invalid  one
                 [DIR]/config/keyway/keyway.toml:2:11: `plugin.one.enabled`
                 has the wrong type; expected true or false, found a number
                 hint: Correct the places that the message names by file, line and
                 column; CONFIG.md has all keys.

        0 plugins: 2 errors
    "#]]);
}

#[test]
fn a_package_that_was_changed_and_one_of_another_machine_are_found() {
    let site = Site::new();
    site.install("one", &Part::new("one"));
    let file = site.package("one").join("libone.so");
    mode(&file, 0o755);
    let mut bytes = std::fs::read(&file).expect("it is there");
    bytes.push(0);
    std::fs::write(&file, bytes).expect("it can be written");
    assert!(codes(&site, "").contains(&"package-changed one".to_owned()));
    let lock = site.home().lock_file();
    let text = std::fs::read_to_string(&lock).expect("it is there");
    let text = text.replace(keyway_host::keyway::version::TARGET, "riscv64-unknown-none");
    std::fs::write(&lock, text).expect("it can be written");
    assert!(codes(&site, "").contains(&"other-target one".to_owned()));
}

/// A library in the root of the site.
fn write(site: &Site, id: &str, library: &[u8]) {
    let dir = site.path("roots");
    std::fs::create_dir_all(&dir).expect("a directory");
    std::fs::write(dir.join(format!("lib{id}.so")), library).expect("a file");
}

#[test]
fn blocked_and_shadowed_plugins_have_the_codes_of_the_host() {
    let site = Site::new();
    site.install("geo", &Part::new("geo"));
    site.plugin("roots/geo", &Part::new("geo").version("2.0.0"));
    site.plugin(
        "roots/maps",
        &Part::new("maps").needs("traffic", json!("^1")),
    );
    let library = Part::new("foreign").library();
    write(
        &site,
        "foreign",
        &with_note(&library, |note| note.target = "riscv64-none".to_owned()),
    );
    let library = Part::new("aborts").library();
    write(
        &site,
        "aborts",
        &with_note(&library, |note| note.panic_abort = true),
    );
    let library = Part::new("future").library();
    write(
        &site,
        "future",
        &with_note(&library, |note| note.interface_major = 99),
    );
    site.settings("[[host.roots]]\norigin = \"workspace\"\npath = \"[DIR]/roots\"\n");
    let found = codes(&site, "");
    assert_eq!(
        found,
        [
            "panic-strategy aborts",
            "target foreign",
            "interface future",
            "dependency-missing maps",
            "shadowed geo"
        ]
    );
}

#[test]
fn settings_that_are_missing_are_told_with_the_variable() {
    let site = Site::new();
    let config = json!({
        "key": { "type": "secret", "required": true, "env": "ONE_KEY" },
        "size": { "type": "integer", "default": 1 },
    });
    site.install("one", &Part::new("one").with("config", config));
    site.keyway("doctor").check(&expect![[r#"
        exit 1
        --- stdout
        error    config  one
                 setting `key`: required, expected a secret string, found no value
                 hint: keyway config set one.key VALUE, or set ONE_KEY

        1 plugin: 1 error
    "#]]);
    site.settings("[plugin.one.config]\nkey = \"${NOT_SET}\"\n");
    site.keyway("doctor").check(&expect![[r#"
        exit 1
        --- stdout
        error    config  one
                 setting `key` ([DIR]/config/keyway/keyway.toml:2:7): needs
                 the environment variable NOT_SET, which is not set
                 hint: keyway config set one.key VALUE, or set ONE_KEY

        1 plugin: 1 error
    "#]]);
    site.settings("[plugin.one]\nenabled = false\n");
    site.keyway("doctor").check(&expect![[r#"
        exit 0
        --- stdout
        everything is in order: 1 plugin
    "#]]);
}

#[test]
fn builds_in_quarantine_are_told_and_released_if_that_is_asked_for() {
    let site = Site::new();
    let crash = |site: &Site| {
        site.keyway("call --host-version 1.0.0")
            .arg(library("misbehaves"))
            .arg("double")
            .arg(r#"{"number": 21}"#)
            .args(r#"--config=at="activate" --config=how="abort""#)
            .output()
    };
    crash(&site);
    site.keyway("doctor --fix")
        .name(&library("misbehaves"), "[LIB]")
        .check(&expect![[r#"
            exit 10
            --- stdout
            warning  build-quarantined  misbehaves
                     a process died while it loaded v0.1.0
                     ([HASH]),
                     in phase activate
                     hint: mend it and build it anew; to load this build again: keyway
                     release
                     [HASH]

            0 plugins: 1 warning
        "#]]);
    site.keyway("doctor --fix --release").check(&expect![[r#"
        exit 0
        --- stdout
        everything is in order: 0 plugins
        --- stderr
               Fixed released [HASH]
    "#]]);
}

#[test]
fn plugins_are_started_only_where_that_is_asked_for() {
    let site = Site::new();
    site.install("one", &Part::new("one").config("fail", "prepare"));
    assert!(codes(&site, "").is_empty());
    site.keyway("doctor --start").check(&expect![[r#"
        exit 1
        --- stdout
        error    prepare  one
                 prepare failed: one fails in prepare
                 hint: The message has the plugin's own error; check its settings.

        1 plugin: 1 error
    "#]]);
}
