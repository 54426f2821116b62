//! Installing, updating, going back and removing, with what is printed of it.

mod needs;

use expect_test::expect;
use keyway_tests::binary::with_note;
use keyway_tests::edited::EditedPlugin;
use keyway_tests::many::Part;
use serde_json::json;

use crate::crates::write;
use crate::libraries::library;
use crate::run::Run;
use crate::site::Site;

#[test]
fn a_directory_is_installed_and_a_dry_run_prints_the_same() {
    let site = Site::new();
    site.plugin("one", &Part::new("one"));
    site.keyway("install ./one --dry-run").check(&expect![[r#"
        exit 0
        --- stdout
        install  one 1.0.0  from directory+[DIR]/one
        --- stderr
        note: nothing was changed, since this is a dry run
    "#]]);
    assert!(site.installed().is_empty());
    site.keyway("install ./one").check(&expect![[r#"
        exit 0
        --- stdout
        install  one 1.0.0  from directory+[DIR]/one
        --- stderr
           Installed one 1.0.0
    "#]]);
    site.keyway("install ./one").check(&expect![[r#"
        exit 0
        --- stdout
        keep     one 1.0.0
    "#]]);
    site.check_consistency();
    site.check_tidiness();
    let text = std::fs::read_to_string(site.path("config/keyway/plugins.lock"));
    let text = text.expect("it is there");
    let text = text.replace(&*site.path("").to_string_lossy(), "[DIR]/");
    let digits = regex_lite::Regex::new("[0-9a-f]{64}").expect("a pattern");
    expect![[r##"
        # Written by keyway. It says exactly what is installed; keep it under version control to have the same elsewhere.
        version = 1

        [[plugin]]
        id = "one"
        version = "1.0.0"
        source = "directory+[DIR]/one"
        interface = "1.0"
        digest = "blake3:[HEX]"
        requested = true

        [plugin.libraries.x86_64-unknown-linux-gnu]
        file = "libone.so"
        hash = "blake3:[HEX]"
    "##]].assert_eq(&digits.replace_all(&text, "[HEX]"));
}

#[test]
fn a_library_and_an_archive_are_installed() {
    let site = Site::new();
    let dir = site.plugin("one", &Part::new("one"));
    site.keyway("install one/libone.so").check(&expect![[r#"
        exit 0
        --- stdout
        install  one 1.0.0  from library+[DIR]/one/libone.so
        --- stderr
           Installed one 1.0.0
    "#]]);
    std::fs::write(dir.join("README.md"), "One.").expect("a file");
    site.keyway("package one --out packed").check(&expect![[r#"
            exit 0
            --- stdout
            packed/one-1.0.0.tar.gz
            [HASH]
            --- stderr
                  Packed README.md, libone.so
        "#]]);
    site.keyway("install packed/one-1.0.0.tar.gz")
        .check(&expect![[r#"
            exit 0
            --- stdout
            update   one 1.0.0  another build, from archive+[DIR]/packed/one-1.0.0.tar.gz
            --- stderr
                 Updated one 1.0.0
        "#]]);
    assert!(site.package("one").join("README.md").is_file());
    site.check_consistency();
}

#[test]
fn the_same_files_are_packed_into_the_same_bytes() {
    let site = Site::new();
    let part = Part::new("one");
    for name in ["here", "there"] {
        let dir = site.plugin(name, &part);
        std::fs::create_dir(dir.join("resources")).expect("a directory");
        std::fs::write(dir.join("resources/data"), "data").expect("a file");
        site.succeed(&format!("package {name} --out packed-{name}"));
    }
    let packed = |name: &str| std::fs::read(site.path(name)).expect("an archive");
    assert_eq!(
        packed("packed-here/one-1.0.0.tar.gz"),
        packed("packed-there/one-1.0.0.tar.gz")
    );
    site.keyway("package here --out packed --json")
        .check(&expect![[r#"
            exit 0
            --- stdout
            {"schema_version":1,"path":"packed/one-1.0.0.tar.gz","hash":"[HASH]","size":[SIZE],"files":["libone.so","resources/data"]}
            --- stderr
                  Packed libone.so, resources/data
        "#]]);
}

#[test]
fn a_crate_that_was_built_is_packed_with_its_resources_and_papers() {
    let site = Site::new();
    let plugin = EditedPlugin::new(env!("CARGO_TARGET_TMPDIR"), "packed-crate");
    plugin.edit("1.0.0", "Ok(name)");
    plugin.build();
    for file in [
        "README.md",
        "LICENSE-MIT",
        "notes.txt",
        "resources/words/en.txt",
    ] {
        write(plugin.dir(), file, "text");
    }
    site.keyway("package --out packed")
        .arg(plugin.dir())
        .env("CARGO_TARGET_DIR", plugin.target())
        .check(&expect![[r#"
            exit 0
            --- stdout
            packed/packed-crate-1.0.0.tar.gz
            [HASH]
            --- stderr
                  Packed LICENSE-MIT, README.md, libpacked_crate.so, resources/words/en.txt
        "#]]);
    site.succeed("install packed/packed-crate-1.0.0.tar.gz");
    assert_eq!(site.installed(), ["packed-crate 1.0.0"]);
}

/// A plugin that asks for more from version to version.
fn asks(version: &str, hosts: &[&str]) -> Part {
    Part::new("one")
        .version(version)
        .with("permissions", json!({ "network": hosts }))
}

#[test]
fn an_update_shows_versions_and_new_permissions_and_asks() {
    let site = Site::new();
    site.plugin("one", &asks("1.0.0", &["a.example.com:443"]));
    site.keyway("install ./one").check(&expect![[r#"
        exit 9
        --- stdout
        install  one 1.0.0  from directory+[DIR]/one
                 + connect to a.example.com:443
        --- stderr
        note: native plugins are trusted code, and can do what the process can; in process this is consent and mediation, not a sandbox
        error: one asks for permissions, and there is nobody to ask
        hint: --yes agrees to what --dry-run lists
    "#]]);
    site.keyway("install ./one --yes").check(&expect![[r#"
        exit 0
        --- stdout
        install  one 1.0.0  from directory+[DIR]/one
                 + connect to a.example.com:443
        --- stderr
           Installed one 1.0.0
    "#]]);
    site.plugin("one", &asks("1.1.0", &["b.example.com:443"]));
    site.keyway("update --dry-run").check(&expect![[r#"
        exit 0
        --- stdout
        update   one 1.0.0 -> 1.1.0  from directory+[DIR]/one
                 + connect to b.example.com:443
                 - connect to a.example.com:443
        --- stderr
        note: nothing was changed, since this is a dry run
    "#]]);
    site.keyway("update").check(&expect![[r#"
        exit 9
        --- stdout
        update   one 1.0.0 -> 1.1.0  from directory+[DIR]/one
                 + connect to b.example.com:443
                 - connect to a.example.com:443
        --- stderr
        note: native plugins are trusted code, and can do what the process can; in process this is consent and mediation, not a sandbox
        error: one asks for permissions, and there is nobody to ask
        hint: --yes agrees to what --dry-run lists
    "#]]);
    assert_eq!(site.installed(), ["one 1.0.0"]);
    site.keyway("update --yes").check(&expect![[r#"
        exit 0
        --- stdout
        update   one 1.0.0 -> 1.1.0  from directory+[DIR]/one
                 + connect to b.example.com:443
                 - connect to a.example.com:443
        --- stderr
             Updated one 1.0.0 -> 1.1.0
    "#]]);
    assert_eq!(site.installed(), ["one 1.1.0"]);
    site.keyway("update one").check(&expect![[r#"
        exit 0
        --- stdout
        keep     one 1.1.0
    "#]]);
    site.keyway("rollback one --yes").check(&expect![[r#"
        exit 0
        --- stdout
        update   one 1.1.0 -> 1.0.0  from directory+[DIR]/one
                 + connect to a.example.com:443
                 - connect to b.example.com:443
        --- stderr
             Updated one 1.1.0 -> 1.0.0
    "#]]);
    assert_eq!(site.installed(), ["one 1.0.0"]);
    site.check_consistency();
}

#[test]
fn what_is_pinned_stays_until_it_is_unpinned() {
    let site = Site::new();
    site.install("one", &Part::new("one"));
    site.install("two", &Part::new("two"));
    site.keyway("pin one").check(&expect![[r#"
        exit 0
        --- stdout
        pin      one 1.0.0
        --- stderr
              Pinned one 1.0.0
    "#]]);
    site.plugin("one", &Part::new("one").version("1.1.0"));
    site.plugin("two", &Part::new("two").version("1.1.0"));
    site.keyway("update").check(&expect![[r#"
        exit 0
        --- stdout
        keep     one 1.0.0           pinned
        update   two 1.0.0 -> 1.1.0  from directory+[DIR]/two
        --- stderr
             Updated two 1.0.0 -> 1.1.0
    "#]]);
    assert_eq!(site.installed(), ["one 1.0.0", "two 1.1.0"]);
    site.keyway("update one").check(&expect![[r#"
        exit 9
        --- stderr
        error: plugin 'one' v1.0.0: it is pinned to what is installed
        hint: keyway unpin one
    "#]]);
    site.keyway("install ./one").check(&expect![[r#"
        exit 9
        --- stderr
        error: plugin 'one' v1.0.0: it is pinned to what is installed
        hint: keyway unpin one
    "#]]);
    site.succeed("unpin one");
    site.keyway("update one").check(&expect![[r#"
        exit 0
        --- stdout
        update   one 1.0.0 -> 1.1.0  from directory+[DIR]/one
        --- stderr
             Updated one 1.0.0 -> 1.1.0
    "#]]);
    assert_eq!(site.installed(), ["one 1.1.0", "two 1.1.0"]);
}

#[test]
fn going_back_goes_from_change_to_change() {
    let site = Site::new();
    site.keyway("rollback").check(&expect![[r#"
        exit 5
        --- stderr
        error: there is nothing to go back to
    "#]]);
    site.install("one", &Part::new("one"));
    site.install("two", &Part::new("two"));
    site.plugin("one", &Part::new("one").version("2.0.0"));
    site.succeed("update");
    site.keyway("rollback --dry-run").check(&expect![[r#"
        exit 0
        --- stdout
        update   one 2.0.0 -> 1.0.0  from directory+[DIR]/one
        keep     two 1.0.0
        --- stderr
        note: nothing was changed, since this is a dry run
    "#]]);
    assert_eq!(site.installed(), ["one 2.0.0", "two 1.0.0"]);
    for expected in [&["one 1.0.0", "two 1.0.0"][..], &["one 1.0.0"], &[]] {
        site.succeed("rollback");
        assert_eq!(site.installed(), expected);
        site.check_consistency();
    }
    site.keyway("rollback").check(&expect![[r#"
        exit 5
        --- stderr
        error: there is nothing to go back to
    "#]]);
}

#[test]
fn a_link_is_used_where_it_is() {
    let site = Site::new();
    site.plugin("one", &Part::new("one"));
    site.keyway("install ./one --link").check(&expect![[r#"
        exit 0
        --- stdout
        install  one 1.0.0  from link+[DIR]/one
        --- stderr
           Installed one 1.0.0
    "#]]);
    site.plugin("one", &Part::new("one").version("1.1.0"));
    site.keyway("update").check(&expect![[r#"
        exit 0
        --- stdout
        update   one 1.0.0 -> 1.1.0  from link+[DIR]/one
        --- stderr
             Updated one 1.0.0 -> 1.1.0
    "#]]);
    assert_eq!(site.installed(), ["one 1.1.0"]);
    site.keyway("pin one").check(&expect![[r#"
        exit 9
        --- stderr
        error: plugin 'one' v1.1.0: a link cannot be pinned: what it leads to changes
        hint: install it without --link first: link+[DIR]/one
    "#]]);
    site.keyway("install one/libone.so --link")
        .check(&expect![[r#"
            exit 2
            --- stderr
            error: --link is for directories, found library+[DIR]/one/libone.so
        "#]]);
}

#[test]
fn what_the_lockfile_says_is_got_again_and_nothing_else() {
    let site = Site::new();
    site.install("one", &Part::new("one"));
    site.install("two", &Part::new("two"));
    std::fs::remove_dir_all(site.package("one")).expect("it is there");
    let library = site.package("two").join("libtwo.so");
    std::fs::remove_file(&library).expect("it is there");
    std::fs::write(&library, "tampered").expect("a file");
    site.keyway("install --frozen").check(&expect![[r#"
        exit 0
        --- stdout
        restore  one 1.0.0  from directory+[DIR]/one
        restore  two 1.0.0  from directory+[DIR]/two
        --- stderr
            Restored one 1.0.0
            Restored two 1.0.0
    "#]]);
    site.check_consistency();
    site.keyway("install --locked").check(&expect![[r#"
        exit 0
        --- stdout
        keep     one 1.0.0
        keep     two 1.0.0
    "#]]);
    std::fs::remove_dir_all(site.package("one")).expect("it is there");
    site.plugin("one", &Part::new("one").version("1.1.0"));
    site.keyway("install").check(&expect![[r#"
        exit 3
        --- stderr
        error: plugin 'one' v1.0.0: directory+[DIR]/one does not have what the lockfile says any more: expected [HASH], found [HASH]
        hint: take what is there now: keyway update one
    "#]]);
    assert_eq!(site.installed(), ["one 1.0.0", "two 1.0.0"]);
    site.keyway("install ./one --locked").check(&expect![[r#"
        exit 9
        --- stdout
        update   one 1.0.0 -> 1.1.0  from directory+[DIR]/one
        --- stderr
        error: the lockfile would change, and --locked has it stay as it is
        hint: leave --locked out
    "#]]);
}

#[test]
fn a_project_has_a_lockfile_of_its_own_and_its_packages_stay() {
    let site = Site::new();
    site.install("one", &Part::new("one"));
    site.plugin("two", &Part::new("two"));
    std::fs::create_dir(site.path("project")).expect("a directory");
    site.keyway("install ./two --config project/keyway.toml")
        .check(&expect![[r#"
            exit 0
            --- stdout
            install  two 1.0.0  from directory+[DIR]/two
            --- stderr
               Installed two 1.0.0
        "#]]);
    assert!(site.path("project/plugins.lock").is_file());
    assert_eq!(site.installed(), ["one 1.0.0"]);
    // Enough changes here for all that is not needed to go.
    for _ in 0..12 {
        site.succeed("pin one");
        site.succeed("unpin one");
    }
    let lock = keyway_install::Lock::read(&site.path("project/plugins.lock")).expect("it reads");
    let two = lock
        .get("two")
        .and_then(|two| two.digest)
        .expect("it is there");
    site.installer().store().verify(&two).expect("it is there");
}

#[test]
fn what_a_lockfile_out_of_reach_says_is_kept() {
    let site = Site::new();
    site.install("one", &Part::new("one"));
    site.plugin("two", &Part::new("two"));
    std::fs::create_dir(site.path("disk")).expect("a directory");
    site.succeed("install ./two --config disk/keyway.toml");
    // As if the disk were not there.
    std::fs::rename(site.path("disk"), site.path("elsewhere")).expect("it moves");
    for _ in 0..12 {
        site.succeed("pin one");
        site.succeed("unpin one");
    }
    std::fs::rename(site.path("elsewhere"), site.path("disk")).expect("it moves");
    let lock = keyway_install::Lock::read(&site.path("disk/plugins.lock")).expect("it reads");
    let two = lock.get("two").and_then(|two| two.digest);
    let two = two.expect("it is locked");
    site.installer().store().verify(&two).expect("it is there");
}

#[test]
fn packages_that_nobody_needs_any_more_go() {
    let site = Site::new();
    for minor in 0..15 {
        site.install("one", &Part::new("one").version(&format!("1.{minor}.0")));
    }
    let packages = site.installer().store().packages().expect("it reads");
    assert_eq!(packages.len(), 11, "this one, and ten to go back to");
}

#[test]
fn what_cannot_be_installed_is_told() {
    let site = Site::new();
    site.keyway("install ./missing").check(&expect![[r#"
        exit 5
        --- stderr
        error: [DIR]/missing: cannot read the source: No such file or directory (os error 2)
    "#]]);
    site.keyway("install weather").check(&expect![[r#"
        exit 2
        --- stderr
        error: no registry is known in which "weather" could be looked for
        hint: name a registry with --registry, or give a path such as ./weather, or the URL of a git repository
    "#]]);
    site.keyway("install ./missing --json")
        .check(&expect![[r#"
            exit 5
            --- stderr
            {"error":{"code":"io","exit_code":5,"message":"cannot read the source: No such file or directory (os error 2)","path":"[DIR]/missing"},"schema_version":1}
        "#]]);
    std::fs::create_dir(site.path("empty")).expect("a directory");
    site.keyway("install ./empty").check(&expect![[r#"
        exit 3
        --- stderr
        error: [DIR]/empty/: no plugin: expected a plugin.toml or one library, found neither
    "#]]);
    let not_a_plugin = library("not-a-plugin");
    site.keyway("install")
        .arg(&not_a_plugin)
        .name(not_a_plugin.parent().expect("a directory"), "[LIBS]")
        .check(&expect![[r#"
            exit 3
            --- stderr
            error: [LIBS]/not-a-plugin.so: not a Keyway plugin: expected a note in section .note.keyway, found none
            hint: if this is your plugin: call keyway::export_plugin! in its crate
        "#]]);
    let foreign = with_note(&Part::new("one").library(), |note| {
        note.target = "aarch64-apple-darwin".to_owned();
    });
    std::fs::write(site.path("libforeign.so"), foreign).expect("a file");
    site.keyway("install ./libforeign.so").check(&expect![[r#"
        exit 3
        --- stderr
        error: [DIR]/libforeign.so: wrong target triple for [TRIPLE]: expected [TRIPLE], found aarch64-apple-darwin
        hint: build the plugin with `cargo build --target [TRIPLE]`
    "#]]);
    site.plugin(
        "one",
        &Part::new("one").with("min_host_version", "3.0.0".into()),
    );
    site.keyway("install ./one --host-version 2.0.0")
        .check(&expect![[r#"
            exit 3
            --- stderr
            error: [DIR]/one: wants another version of keyway: expected at least 3.0.0 (min_host_version), found 2.0.0
            hint: update the application, or use an older version of the plugin
        "#]]);
    site.succeed("install ./one");
    site.keyway("install --link").check(&expect![[r#"
        exit 2
        --- stderr
        error: the following required arguments were not provided:
          <SOURCE>

        Usage: keyway install --link <SOURCE>

        For more information, try '--help'.
    "#]]);
}

#[test]
fn a_lockfile_that_is_damaged_is_told_and_left_alone() {
    let site = Site::new();
    site.install("one", &Part::new("one"));
    let path = site.path("config/keyway/plugins.lock");
    let good = std::fs::read_to_string(&path).expect("it is there");
    for (text, name) in [
        (good.replace("version = 1\n", "version = 2\n"), "newer"),
        (good.replace("id = \"one\"", "id = \"One\""), "id"),
        (good.replace("blake3:", "sha256:"), "hash"),
        (good.replace("libone.so", "../../libone.so"), "path"),
        (good.replace("requested", "reqested"), "key"),
        (good[..good.len() / 2].to_owned(), "half"),
    ] {
        std::fs::write(&path, &text).expect("a file");
        let output = site.keyway("update").output();
        assert_eq!(output.status.code(), Some(7), "{name}");
        let left = std::fs::read_to_string(&path).expect("it is there");
        assert_eq!(left, text, "{name}");
    }
    std::fs::write(&path, good.replace("version = 1\n", "version = 2\n")).expect("a file");
    site.keyway("update").check(&expect![[r#"
        exit 7
        --- stderr
        error: [DIR]/config/keyway/plugins.lock: the lockfile does not read: expected version 1, found 2: it was written by another version of keyway
        hint: update keyway
    "#]]);
    // One can go back from a damaged one: to what was there before the last change.
    std::fs::write(&path, good).expect("a file");
    site.install("two", &Part::new("two"));
    std::fs::write(&path, "version = 1\n[[plugin").expect("a file");
    site.keyway("install ./one").check(&expect![[r#"
        exit 7
        --- stderr
        error: [DIR]/config/keyway/plugins.lock: the lockfile does not read: TOML parse error at line 2, column 9
          |
        2 | [[plugin
          |         ^
        unclosed array table, expected `]]`
        hint: take it from version control, or go back to the one before: keyway rollback
    "#]]);
    site.keyway("rollback").check(&expect![[r#"
        exit 0
        --- stdout
        install  one 1.0.0  from directory+[DIR]/one
        --- stderr
           Installed one 1.0.0
    "#]]);
    assert_eq!(site.installed(), ["one 1.0.0"]);
    site.check_consistency();
}

#[test]
fn json_has_the_plan_and_what_came_of_it() {
    let site = Site::new();
    site.plugin("one", &asks("1.0.0", &["a.example.com:443"]));
    let check = |run: Run, expected| run.name(&site.path(""), "[DIR]/").check(expected);
    check(
        site.keyway("install ./one --json --yes"),
        &expect![[r#"
        exit 0
        --- stdout
        {"schema_version":1,"dry_run":false,"changed":true,"steps":[{"action":"install","plugin":"one","to":"1.0.0","source":"directory+[DIR]/one","digest":"[HASH]","permissions":{"added":["connect to a.example.com:443"],"removed":[]}}],"conflicts":[],"failures":[]}
        --- stderr
           Installed one 1.0.0
    "#]],
    );
    check(
        site.keyway("uninstall one --json --dry-run"),
        &expect![[r#"
            exit 0
            --- stdout
            {"schema_version":1,"dry_run":true,"changed":false,"steps":[{"action":"remove","plugin":"one","from":"1.0.0","source":"directory+[DIR]/one","digest":"[HASH]","permissions":{"added":[],"removed":[]}}],"conflicts":[],"failures":[]}
            --- stderr
            note: nothing was changed, since this is a dry run
        "#]],
    );
    check(
        site.keyway("uninstall two --json"),
        &expect![[r#"
        exit 5
        --- stderr
        {"error":{"code":"not-installed","exit_code":5,"hint":"installed: one","message":"plugin 'two' is not installed"},"schema_version":1}
    "#]],
    );
}
