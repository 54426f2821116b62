//! `keyway list`: everything that discovery and resolution know, without running any plugin.

use expect_test::expect;
use keyway_tests::many::Part;
use serde_json::json;

use crate::site::Site;

/// Plugins of every status: installed, in a root, disabled, blocked, shadowed, of another slot, missing.
fn crowd() -> Site {
    let site = Site::new();
    site.install("geo", &Part::new("geo").version("1.4.0"));
    site.install("maps", &Part::new("maps").needs("geo", json!("^1")));
    site.install("quiet", &Part::new("quiet"));
    site.install("lost", &Part::new("lost"));
    std::fs::remove_dir_all(site.package("lost")).expect("it is there");
    site.plugin("roots/geo", &Part::new("geo").version("2.0.0"));
    site.plugin(
        "roots/routes",
        &Part::new("routes").needs("traffic", json!("^1")),
    );
    std::fs::write(site.path("roots/broken.so"), "no library").expect("a file");
    site.settings(
        "[[host.roots]]\norigin = \"workspace\"\npath = \"[DIR]/roots\"\n\n\
         [plugin.quiet]\nenabled = false\n",
    );
    site
}

#[test]
fn without_plugins_the_first_step_is_told() {
    Site::new().keyway("list").check(&expect![[r#"
        exit 0
        --- stderr
        note: there are no plugins; keyway install SOURCE gets one
    "#]]);
}

#[test]
fn each_plugin_has_a_line_and_what_does_not_run_says_why() {
    let site = crowd();
    site.keyway("list").check(&expect![[r#"
        exit 0
        --- stdout
        Name    Version  Status    Capabilities
        geo     1.4.0    enabled   tool geo
        lost    1.0.0    missing
          the package [HASH] is not in the store
        maps    1.0.0    enabled   tool maps
        quiet   1.0.0    disabled  tool quiet
          `plugin.quiet.enabled` is false in the host's file
        routes  1.0.0    blocked   tool routes
          needs 'traffic' ^1, which is missing
        --- stderr
        note: 2 more files are not used: keyway list --all
    "#]]);
    site.keyway("list --all").check(&expect![[r#"
        exit 0
        --- stdout
        Name       Version  Status    Capabilities
        geo        1.4.0    enabled   tool geo
        geo        2.0.0    shadowed  tool geo
          the installed one comes first
        lost       1.0.0    missing
          the package [HASH] is not in the store
        maps       1.0.0    enabled   tool maps
        quiet      1.0.0    disabled  tool quiet
          `plugin.quiet.enabled` is false in the host's file
        routes     1.0.0    blocked   tool routes
          needs 'traffic' ^1, which is missing
        broken.so  -        blocked
          not a dynamic library: expected an ELF, Mach-O or PE library, found text…
    "#]]);
    site.keyway("list --ids").check(&expect![[r#"
        exit 0
        --- stdout
        geo
        lost
        maps
        quiet
        routes
    "#]]);
}

#[test]
fn with_details_come_origins_and_whole_reasons() {
    crowd().keyway("list -v").check(&expect![[r#"
        exit 0
        --- stdout
        Name    Version  Status    Capabilities
        geo     1.4.0    enabled   tool geo
          origin: installed
          source: directory+[DIR]/geo
          path: [DIR]/data/keyway/store/[DIGEST]/libgeo.so
          needed by: maps
        lost    1.0.0    missing
          origin: installed
          source: directory+[DIR]/lost
          error [package-missing]: the package
          [HASH] is not
          in the store
            hint: get what the lockfile says again: keyway install
        maps    1.0.0    enabled   tool maps
          origin: installed
          source: directory+[DIR]/maps
          path: [DIR]/data/keyway/store/[DIGEST]/libmaps.so
          needs: geo
        quiet   1.0.0    disabled  tool quiet
          origin: installed
          source: directory+[DIR]/quiet
          path: [DIR]/data/keyway/store/[DIGEST]/libquiet.so
          reason: `plugin.quiet.enabled` is false in the host's file
        routes  1.0.0    blocked   tool routes
          origin: workspace
          path: [DIR]/roots/routes/libroutes.so
          error [dependency-missing]: needs 'traffic' ^1, which is missing
            hint: install 'traffic', or enable it if it is disabled
        --- stderr
        note: 2 more files are not used: keyway list --all
    "#]]);
}

#[test]
fn as_json_each_plugin_has_its_findings() {
    crowd().keyway("list --json").check(&expect![[r#"
        exit 0
        --- stdout
        {"schema_version":1,"settings":"[DIR]/config/keyway/keyway.toml","plugins":[{"id":"geo","version":"1.4.0","status":"enabled","reason":null,"lazy":false,"capabilities":[{"id":"keyway.tool","names":["geo"]}],"origin":"installed","source":"directory+[DIR]/geo","pinned":false,"path":"[DIR]/data/keyway/store/[DIGEST]/libgeo.so","needs":[],"needed_by":["maps"],"signal":"ok","findings":[]},{"id":"lost","version":"1.0.0","status":"missing","reason":"the package [HASH] is not in the store","lazy":false,"capabilities":[],"origin":"installed","source":"directory+[DIR]/lost","pinned":false,"path":null,"needs":[],"needed_by":[],"signal":"error","findings":[{"code":"package-missing","severity":"error","plugin":"lost","path":"[DIR]/data/keyway/store/[DIGEST]","message":"the package [HASH] is not in the store","hint":"get what the lockfile says again: keyway install"}]},{"id":"maps","version":"1.0.0","status":"enabled","reason":null,"lazy":false,"capabilities":[{"id":"keyway.tool","names":["maps"]}],"origin":"installed","source":"directory+[DIR]/maps","pinned":false,"path":"[DIR]/data/keyway/store/[DIGEST]/libmaps.so","needs":["geo"],"needed_by":[],"signal":"ok","findings":[]},{"id":"quiet","version":"1.0.0","status":"disabled","reason":"`plugin.quiet.enabled` is false in the host's file","lazy":false,"capabilities":[{"id":"keyway.tool","names":["quiet"]}],"origin":"installed","source":"directory+[DIR]/quiet","pinned":false,"path":"[DIR]/data/keyway/store/[DIGEST]/libquiet.so","needs":[],"needed_by":[],"signal":"ok","findings":[]},{"id":"routes","version":"1.0.0","status":"blocked","reason":"needs 'traffic' ^1, which is missing","lazy":false,"capabilities":[{"id":"keyway.tool","names":["routes"]}],"origin":"workspace","pinned":false,"path":"[DIR]/roots/routes/libroutes.so","needs":[],"needed_by":[],"signal":"error","findings":[{"code":"dependency-missing","severity":"error","plugin":"routes","message":"needs 'traffic' ^1, which is missing","hint":"install 'traffic', or enable it if it is disabled"}]}],"findings":[]}
    "#]]);
}

#[test]
fn a_slot_has_one_winner_and_the_other_says_so() {
    let site = Site::new();
    for id in ["first", "second"] {
        let offers = json!({ "memory_backends": [id] });
        site.install(id, &Part::new(id).with("capabilities", offers));
    }
    site.keyway("list").check(&expect![[r#"
        exit 0
        --- stdout
        Name    Version  Status      Capabilities
        first   1.0.0    enabled     memory-backend first
        second  1.0.0    slot-loser  memory-backend second
          'first' has the slot keyway.memory-backend
        --- stderr
        warning: first, second offer keyway.memory-backend, which one plugin at a time may: 'first' does, since it was found first; hint: say which one is wanted: `memory = "first"` under [slots]
    "#]]);
}

#[test]
fn a_project_has_a_pair_of_its_own() {
    let site = Site::new();
    site.plugin("one", &Part::new("one"));
    site.succeed("install --yes ./one --config project/keyway.toml");
    site.keyway("list --config project/keyway.toml")
        .check(&expect![[r#"
        exit 0
        --- stdout
        Name  Version  Status   Capabilities
        one   1.0.0    enabled  tool one
    "#]]);
    site.keyway("list --ids").check(&expect![[r#"
        exit 0
    "#]]);
}

#[test]
fn settings_that_do_not_read_are_told_with_their_place() {
    let site = Site::new();
    site.settings("[plugin.one]\nenabled = 1\n");
    site.keyway("list").check(&expect![[r#"
        exit 2
        --- stderr
        error: plugin 'one': [DIR]/config/keyway/keyway.toml:2:11: `plugin.one.enabled` has the wrong type; expected true or false, found a number
    "#]]);
    site.keyway("list --json").check(&expect![[r#"
        exit 2
        --- stderr
        {"error":{"code":"settings-invalid","exit_code":2,"message":"plugin 'one': [DIR]/config/keyway/keyway.toml:2:11: `plugin.one.enabled` has the wrong type; expected true or false, found a number"},"schema_version":1}
    "#]]);
}
