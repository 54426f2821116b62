//! Registries in directories: publishing, and installing by name with what is needed.

mod harm;

use expect_test::expect;
use keyway_tests::many::Part;
use serde_json::json;

use crate::site::Site;

/// A plugin in the registry `registry` of the site.
pub(crate) fn publish(site: &Site, part: &Part, id: &str) {
    let dir = site.path("to-publish");
    let _ = std::fs::remove_dir_all(&dir);
    site.plugin("to-publish", part);
    let library = format!("to-publish/lib{}.so", id.replace('-', "_"));
    site.succeed(&format!("publish {library} --to registry"));
}

/// Id, version, and what it needs.
type Plugin<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// Such as `geo` of some versions, and `weather` that needs it: `[("weather", "1.0.0", &[("geo", "^1")])]`.
pub(crate) fn publish_all(site: &Site, plugins: &[Plugin<'_>]) {
    for (id, version, needs) in plugins {
        let part = Part::new(id).version(version);
        let part = needs.iter().fold(part, |part, (needed, range)| {
            part.needs(needed, json!(range))
        });
        publish(site, &part, id);
    }
    let configured = "default = \"../../registry\"\n";
    let file = site.path("config/keyway/registries.toml");
    std::fs::create_dir_all(site.path("config/keyway")).expect("a directory");
    std::fs::write(file, configured).expect("a file");
}

#[test]
fn a_version_is_published_once_and_stays_what_it_is() {
    let site = Site::new();
    let part = Part::new("one").needs("geo", json!("^1.2"));
    site.plugin("one", &part);
    site.keyway("publish one --to registry --dry-run")
        .check(&expect![[r#"
            exit 0
            --- stdout
            archives/one/one-1.0.0-[TRIPLE].tar.gz
            [HASH]
            --- stderr
            note: one 1.0.0 for [TRIPLE] would be published; this is a dry run
        "#]]);
    assert!(!site.path("registry").exists());
    site.keyway("publish one --to registry").check(&expect![[r#"
            exit 0
            --- stdout
            archives/one/one-1.0.0-[TRIPLE].tar.gz
            [HASH]
            --- stderr
               Published one 1.0.0 for [TRIPLE]
        "#]]);
    site.keyway("publish one --to registry").check(&expect![[r#"
            exit 0
            --- stdout
            archives/one/one-1.0.0-[TRIPLE].tar.gz
            [HASH]
            --- stderr
            note: one 1.0.0 for [TRIPLE] is published already, just as it is
        "#]]);
    let index = std::fs::read_to_string(site.path("registry/index/3/o/one"));
    let index = index.expect("it is there");
    let digits = regex_lite::Regex::new("[0-9a-f]{64}|\"size\":[0-9]+").expect("a pattern");
    expect![[r#"
        {"format":1,"name":"one","version":"1.0.0","interface":"1.0","min_host_version":"1.0.0","dependencies":[{"id":"geo","version":"^1.2","optional":false}],"targets":{"x86_64-unknown-linux-gnu":{"archive":"archives/one/one-1.0.0-x86_64-unknown-linux-gnu.tar.gz","hash":"blake3:[..]",[..]}},"yanked":false}
    "#]].assert_eq(&digits.replace_all(&index, "[..]"));
    expect![[r#"
        .keyway-publish.guard
        archives/one/one-1.0.0-x86_64-unknown-linux-gnu.tar.gz
        index/3/o/one
        keyway-registry.json
    "#]]
    .assert_eq(&files(&site));
    // Another build of the same version.
    site.plugin("one", &part.clone().config("greeting", "Hello"));
    site.keyway("publish one --to registry")
        .check(&expect![[r#"
            exit 9
            --- stderr
            error: plugin 'one' v1.0.0: version 1.0.0 is published with other content: the archive for [TRIPLE]: expected [HASH], found [HASH]
            hint: what is published does not change: give it a new version
        "#]]);
    assert_eq!(
        std::fs::read_to_string(site.path("registry/index/3/o/one")).expect("it is there"),
        index
    );
    site.plugin("one", &part.version("1.0.1"));
    site.keyway("package one --out packed").output();
    site.keyway("publish packed/one-1.0.1.tar.gz --to registry --json")
        .check(&expect![[r#"
            exit 0
            --- stdout
            {"schema_version":1,"dry_run":false,"changed":true,"name":"one","version":"1.0.1","yanked":false,"published":{"target":"[TRIPLE]","archive":"archives/one/one-1.0.1-[TRIPLE].tar.gz","hash":"[HASH]","size":[SIZE]}}
        "#]]);
}

/// The files of the registry.
fn files(site: &Site) -> String {
    let mut found = Vec::new();
    let root = site.path("registry");
    let mut open = vec![root.clone()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push(
                    path.strip_prefix(&root)
                        .expect("inside")
                        .display()
                        .to_string(),
                ),
            }
        }
    }
    found.sort();
    found.join("\n") + "\n"
}

#[test]
fn a_name_is_installed_with_what_it_needs_and_takes_it_along_when_it_goes() {
    let site = Site::new();
    publish_all(
        &site,
        &[
            ("geo", "1.0.0", &[]),
            ("geo", "1.4.0", &[]),
            ("geo", "2.0.0", &[]),
            ("weather", "1.0.0", &[("geo", "^1")]),
        ],
    );
    site.keyway("install weather --dry-run").check(&expect![[r#"
        exit 0
        --- stdout
        install  geo 1.4.0      from registry+[DIR]/registry#geo
        install  weather 1.0.0  from registry+[DIR]/registry#weather
        --- stderr
        note: nothing was changed, since this is a dry run
    "#]]);
    assert!(site.installed().is_empty());
    site.keyway("install weather").check(&expect![[r#"
        exit 0
        --- stdout
        install  geo 1.4.0      from registry+[DIR]/registry#geo
        install  weather 1.0.0  from registry+[DIR]/registry#weather
        --- stderr
           Installed geo 1.4.0
           Installed weather 1.0.0
    "#]]);
    site.check_consistency();
    site.check_tidiness();
    let lock = site.lock();
    let of = |id: &str| lock.get(id).expect("it is installed");
    assert!(of("weather").requested && !of("geo").requested);
    // What was asked for by itself stays.
    site.keyway("uninstall weather --dry-run")
        .check(&expect![[r#"
            exit 0
            --- stdout
            remove   geo 1.4.0      nobody needs it any more
            remove   weather 1.0.0
            --- stderr
            note: nothing was changed, since this is a dry run
        "#]]);
    site.keyway("install geo@1").check(&expect![[r#"
        exit 0
        --- stdout
        update   geo 1.4.0  asked for now, from registry+[DIR]/registry#geo@^1
        --- stderr
             Updated geo 1.4.0
    "#]]);
    site.keyway("uninstall weather").check(&expect![[r#"
        exit 0
        --- stdout
        remove   weather 1.0.0
        --- stderr
             Removed weather 1.0.0
    "#]]);
    site.succeed("rollback");
    site.succeed("rollback");
    site.keyway("uninstall weather").check(&expect![[r#"
        exit 0
        --- stdout
        remove   geo 1.4.0      nobody needs it any more
        remove   weather 1.0.0
        --- stderr
             Removed geo 1.4.0
             Removed weather 1.0.0
    "#]]);
    assert!(site.installed().is_empty());
}

#[test]
fn the_same_lockfile_gets_the_same_archives_elsewhere() {
    let site = Site::new();
    publish_all(&site, &[("one", "1.0.0", &[])]);
    site.succeed("install one");
    publish_all(&site, &[("one", "1.1.0", &[])]);
    site.succeed("publish --to registry --yank one 1.0.0");
    std::fs::remove_dir_all(site.package("one")).expect("it is there");
    site.keyway("install --frozen").check(&expect![[r#"
        exit 0
        --- stdout
        restore  one 1.0.0  from registry+[DIR]/registry#one
        --- stderr
            Restored one 1.0.0
    "#]]);
    site.check_consistency();
}

#[test]
fn a_conflict_over_what_a_registry_has_says_why_no_other_versions_do() {
    let site = Site::new();
    publish_all(
        &site,
        &[
            ("geo", "1.4.0", &[]),
            ("geo", "2.0.0", &[]),
            ("weather", "1.0.0", &[("geo", "^1")]),
            ("maps", "1.0.0", &[("geo", "^2")]),
            ("maps", "1.1.0", &[("geo", "^2")]),
        ],
    );
    site.succeed("install weather");
    site.keyway("install maps").check(&expect![[r#"
        exit 9
        --- stdout
        install  maps 1.1.0  from registry+[DIR]/registry#maps
        --- stderr
        error: conflict over geo: maps requires ^2 and weather requires ^1, and 1.4.0 is installed
          maps 1.1.0     requires geo ^2  (to be installed)
          weather 1.0.0  requires geo ^1  (installed)
          geo 1.4.0 is installed
          ^2 and ^1 are incompatible: no version of geo satisfies both
          what can be done:
            1. install a version of maps that accepts geo 1.4.0: keyway install PATH-OR-URL
            2. uninstall weather: keyway uninstall weather
            3. go on all the same with --force (risky: maps will not start)
          other versions were looked for, and none do:
            maps 1.0.0, 1.1.0 requires geo ^2
            weather 1.0.0 requires geo ^1
            geo can be had as 1.4.0, 2.0.0
            maps can be had as 1.0.0, 1.1.0
            weather can be had as 1.0.0
    "#]]);
    assert_eq!(site.installed(), ["geo 1.4.0", "weather 1.0.0"]);
    // With a version of the other one that gets along with it, both move.
    publish_all(&site, &[("weather", "1.1.0", &[("geo", ">=1, <3")])]);
    site.keyway("install maps").check(&expect![[r#"
        exit 0
        --- stdout
        update   geo 1.4.0 -> 2.0.0      from registry+[DIR]/registry#geo
        install  maps 1.1.0              from registry+[DIR]/registry#maps
        update   weather 1.0.0 -> 1.1.0  from registry+[DIR]/registry#weather
        --- stderr
             Updated geo 1.4.0 -> 2.0.0
           Installed maps 1.1.0
             Updated weather 1.0.0 -> 1.1.0
    "#]]);
    site.check_consistency();
}

#[test]
fn a_directory_gets_what_it_needs_from_the_registry_and_counts_with_its_one_version() {
    let site = Site::new();
    publish_all(
        &site,
        &[
            ("geo", "1.4.0", &[]),
            ("weather", "2.0.0", &[("maps", "^2")]),
            ("weather", "1.0.0", &[("maps", "^1")]),
        ],
    );
    site.plugin("maps", &Part::new("maps").needs("geo", json!("^1")));
    site.keyway("install ./maps").check(&expect![[r#"
        exit 0
        --- stdout
        install  geo 1.4.0   from registry+[DIR]/registry#geo
        install  maps 1.0.0  from directory+[DIR]/maps
        --- stderr
           Installed geo 1.4.0
           Installed maps 1.0.0
    "#]]);
    // The newest weather would need another maps than the directory has.
    site.keyway("install weather").check(&expect![[r#"
        exit 0
        --- stdout
        install  weather 1.0.0  from registry+[DIR]/registry#weather
        --- stderr
           Installed weather 1.0.0
    "#]]);
}

#[test]
fn what_cannot_be_chosen_is_told_version_by_version() {
    let site = Site::new();
    publish_all(
        &site,
        &[
            ("one", "1.0.0", &[]),
            ("one", "1.1.0", &[]),
            ("one", "2.0.0-rc.1", &[]),
        ],
    );
    site.succeed("publish --to registry --yank one 1.1.0");
    edit_index(&site, "one", |index| {
        let line = index.lines().next().expect("a line");
        let other = line
            .replace("\"1.0.0\"", "\"1.2.0\"")
            .replace("x86_64-unknown-linux-gnu", "wasm32-wasip1");
        let interface = line
            .replace("\"1.0.0\"", "\"1.3.0\"")
            .replace("\"1.0\"", "\"9.0\"");
        format!("{index}{other}\n{interface}\n{{\"format\":2,\"anything\":[]}}\n")
    });
    site.keyway("install one@>=1.1").check(&expect![[r#"
        exit 5
        --- stderr
        error: no version of 'one' can be installed from [DIR]/registry: 2.0.0-rc.1 is a pre-release, to be asked for as one@=2.0.0-rc.1; 1.3.0 needs interface 9.0, and this is 1.0; 1.2.0 is for wasm32-wasip1, and this is [TRIPLE]; 1.1.0 was yanked; 1.0.0 is not >=1.1; one more needs a newer keyway
    "#]]);
    site.keyway("install two").check(&expect![[r#"
        exit 5
        --- stderr
        error: there is no 'two' in the registry [DIR]/registry
    "#]]);
    site.keyway("install one --registry nowhere")
        .check(&expect![[r#"
            exit 5
            --- stderr
            error: there is no registry at [DIR]/nowhere: it has no keyway-registry.json
            hint: a registry is made by: keyway publish PLUGIN --to DIR
        "#]]);
    site.succeed("install one");
    assert_eq!(site.installed(), ["one 1.0.0"]);
    site.succeed("install one@=2.0.0-rc.1");
    assert_eq!(site.installed(), ["one 2.0.0-rc.1"]);
}

/// Writes the index of a plugin anew.
pub(crate) fn edit_index(site: &Site, id: &str, edit: impl FnOnce(String) -> String) {
    let path = match id.len() {
        3 => site.path(&format!("registry/index/3/{}/{id}", &id[..1])),
        _ => site.path(&format!("registry/index/{}/{}/{id}", &id[..2], &id[2..4])),
    };
    let text = std::fs::read_to_string(&path).expect("an index");
    std::fs::write(&path, edit(text)).expect("a file");
}

#[test]
fn a_registry_that_changes_or_loses_what_was_published_moves_nobody() {
    let site = Site::new();
    publish_all(&site, &[("one", "1.0.0", &[]), ("one", "1.1.0", &[])]);
    site.succeed("install one");
    let whole = std::fs::read_to_string(site.path("registry/index/3/o/one")).expect("an index");
    // The newest is gone: nobody is taken back to an older one.
    edit_index(&site, "one", |text| {
        text.lines().next().expect("a line").to_owned() + "\n"
    });
    site.keyway("update").check(&expect![[r#"
        exit 0
        --- stdout
        keep     one 1.1.0
    "#]]);
    // The same version with another archive.
    edit_index(&site, "one", |_| {
        let digits = regex_lite::Regex::new("[0-9a-f]{64}").expect("a pattern");
        digits.replace_all(&whole, "0".repeat(64)).into_owned()
    });
    site.keyway("update").check(&expect![[r#"
        exit 9
        --- stdout
        nothing to do
        --- stderr
        error: cannot update plugin 'one': [DIR]/registry has other content for this version than before: expected [HASH], found [HASH]
        hint: a version that is published does not change; ask whoever keeps the registry, and uninstall it first if the new content is good
    "#]]);
    site.keyway("install one").check(&expect![[r#"
        exit 9
        --- stderr
        error: plugin 'one' v1.1.0: [DIR]/registry has other content for this version than before: expected [HASH], found [HASH]
        hint: a version that is published does not change; ask whoever keeps the registry, and uninstall it first if the new content is good
    "#]]);
    assert_eq!(site.installed(), ["one 1.1.0"]);
}

#[test]
fn updates_stay_within_what_was_asked_for_and_outdated_tells_of_the_rest() {
    let site = Site::new();
    publish_all(
        &site,
        &[
            ("geo", "1.0.0", &[]),
            ("one", "1.0.0", &[]),
            ("pinned", "1.0.0", &[]),
            ("weather", "1.0.0", &[("geo", "^1")]),
        ],
    );
    for source in ["one@1", "pinned", "weather"] {
        site.succeed(&format!("install {source}"));
    }
    site.install("local", &Part::new("local"));
    site.succeed("pin pinned");
    site.keyway("outdated").check(&expect![[r#"
        exit 0
        --- stderr
        note: everything from registries is up to date
    "#]]);
    publish_all(
        &site,
        &[
            ("geo", "1.1.0", &[]),
            ("geo", "2.0.0", &[]),
            ("one", "1.1.0", &[]),
            ("one", "2.0.0", &[]),
            ("pinned", "1.1.0", &[]),
            ("weather", "1.0.1", &[]),
        ],
    );
    site.succeed("publish --to registry --yank pinned 1.0.0");
    site.keyway("outdated").check(&expect![[r#"
        exit 0
        --- stdout
        Name     Installed  Compatible  Latest
        geo      1.0.0      1.1.0       2.0.0
        one      1.0.0      1.1.0       2.0.0
        pinned   1.0.0      1.1.0       1.1.0   pinned, yanked
        weather  1.0.0      1.0.1       1.0.1
    "#]]);
    site.keyway("outdated --json").check(&expect![[r#"
        exit 0
        --- stdout
        {"schema_version":1,"plugins":[{"plugin":"geo","version":"1.0.0","compatible":"1.1.0","latest":"2.0.0","pinned":false,"yanked":false,"registry":"[DIR]/registry"},{"plugin":"one","version":"1.0.0","compatible":"1.1.0","latest":"2.0.0","pinned":false,"yanked":false,"registry":"[DIR]/registry"},{"plugin":"pinned","version":"1.0.0","compatible":"1.1.0","latest":"1.1.0","pinned":true,"yanked":true,"registry":"[DIR]/registry"},{"plugin":"weather","version":"1.0.0","compatible":"1.0.1","latest":"1.0.1","pinned":false,"yanked":false,"registry":"[DIR]/registry"}],"failures":[]}
    "#]]);
    site.keyway("update one").check(&expect![[r#"
        exit 0
        --- stdout
        update   one 1.0.0 -> 1.1.0  from registry+[DIR]/registry#one@^1
        --- stderr
             Updated one 1.0.0 -> 1.1.0
    "#]]);
    // The new weather does without geo.
    site.keyway("update").check(&expect![[r#"
        exit 0
        --- stdout
        remove   geo 1.0.0               nobody needs it any more
        keep     local 1.0.0
        keep     one 1.1.0
        keep     pinned 1.0.0            pinned
        update   weather 1.0.0 -> 1.0.1  from registry+[DIR]/registry#weather
        --- stderr
             Removed geo 1.0.0
             Updated weather 1.0.0 -> 1.0.1
    "#]]);
    site.check_consistency();
}

#[test]
fn what_was_yanked_is_kept_by_those_who_have_it_and_nobody_else_gets_it() {
    let site = Site::new();
    publish_all(&site, &[("one", "1.0.0", &[]), ("one", "1.1.0", &[])]);
    site.succeed("install one");
    site.keyway("publish --to registry --yank one 1.1.0")
        .check(&expect![[r#"
            exit 0
            --- stderr
                  Yanked one 1.1.0
        "#]]);
    site.keyway("publish --to registry --yank one 1.1.0")
        .check(&expect![[r#"
            exit 0
            --- stderr
            note: one 1.1.0 is yanked already
        "#]]);
    site.keyway("publish --to registry --yank one 3.0.0")
        .check(&expect![[r#"
            exit 5
            --- stderr
            error: registry: version 3.0.0 of 'one' is not published
            hint: published: 1.0.0, 1.1.0
        "#]]);
    site.keyway("update").check(&expect![[r#"
        exit 0
        --- stdout
        keep     one 1.1.0  yanked
    "#]]);
    site.keyway("install one").check(&expect![[r#"
        exit 0
        --- stdout
        keep     one 1.1.0
    "#]]);
    site.succeed("uninstall one");
    site.keyway("install one@1.1").check(&expect![[r#"
        exit 5
        --- stderr
        error: no version of 'one' can be installed from [DIR]/registry: 1.1.0 was yanked; 1.0.0 is not ^1.1
    "#]]);
    site.succeed("install one");
    assert_eq!(site.installed(), ["one 1.0.0"]);
    site.keyway("publish --to registry --unyank one 1.1.0")
        .check(&expect![[r#"
            exit 0
            --- stderr
                Unyanked one 1.1.0
        "#]]);
    site.succeed("update");
    assert_eq!(site.installed(), ["one 1.1.0"]);
}
