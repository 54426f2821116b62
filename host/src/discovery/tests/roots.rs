//! Several roots, and roots that are not as they should be.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::scene::{Scene, library, manifest};
use crate::discovery::{Gates, Origin, Root, discover};

#[test]
fn the_first_root_wins_whatever_order_the_roots_are_given_in() {
    let scene = Scene::new();
    scene
        .plugin("opt/weather", "weather", "2.0.0")
        .plugin("user/weather", "weather", "1.1.0")
        .plugin("ws/weather", "weather", "1.0.0");
    let roots = [
        scene.root(Origin::Builtin, "opt"),
        scene.root(Origin::Workspace, "ws"),
        scene.root(Origin::User, "user"),
    ];
    let expected = "\
~/ws/weather/plugin.toml weather 1.0.0: found
~/user/weather/plugin.toml weather 1.1.0: shadowed by ~/ws/weather/plugin.toml (workspace)
  shadowed: plugin 'weather' (~/user/weather/plugin.toml): v1.1.0 is not used: ~/ws/weather/plugin.toml (workspace) comes first with v1.0.0; hint: the one that is used is older; remove it to use v1.1.0
~/opt/weather/plugin.toml weather 2.0.0: shadowed by ~/ws/weather/plugin.toml (workspace)
  shadowed: plugin 'weather' (~/opt/weather/plugin.toml): v2.0.0 is not used: ~/ws/weather/plugin.toml (workspace) comes first with v1.0.0; hint: the one that is used is older; remove it to use v2.0.0
";
    assert_eq!(scene.found(&roots), expected);
    let mut reversed = roots;
    reversed.reverse();
    assert_eq!(scene.found(&reversed), expected);
}

#[test]
fn within_an_origin_the_order_is_as_given() {
    let scene = Scene::new();
    scene
        .plugin("one/weather", "weather", "1.0.0")
        .plugin("two/weather", "weather", "1.0.0");
    for order in [["one", "two"], ["two", "one"]] {
        let roots = order.map(|name| scene.root(Origin::User, name));
        let found = scene.found(&roots);
        let first = format!("~/{}/weather/plugin.toml weather 1.0.0: found\n", order[0]);
        assert!(found.starts_with(&first), "{found}");
    }
}

#[test]
fn a_broken_one_lets_the_next_one_serve_with_a_warning() {
    let scene = Scene::new();
    scene
        .file("ws/weather/plugin.toml", "no manifest")
        .file("ws/libmail.so", "no library")
        .plugin("opt/weather", "weather", "1.0.0")
        .plugin("opt/mail", "mail", "1.0.0");
    let found = scene.found(&[
        scene.root(Origin::Workspace, "ws"),
        scene.root(Origin::Builtin, "opt"),
    ]);
    for expected in [
        "~/opt/weather/plugin.toml weather 1.0.0: found\n  stands-in: plugin 'weather' \
         (~/opt/weather/plugin.toml): v1.0.0 is used instead of ~/ws/weather/plugin.toml \
         (workspace), which comes first and was refused: manifest-invalid; hint: repair or remove \
         the one that was refused\n",
        "~/opt/mail/plugin.toml mail 1.0.0: found\n  stands-in: plugin 'mail' \
         (~/opt/mail/plugin.toml): v1.0.0 is used instead of ~/ws/libmail.so (workspace), which \
         comes first and was refused: library-damaged; hint: repair or remove the one that was \
         refused\n",
    ] {
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn two_of_an_id_in_one_root_are_a_warning() {
    let scene = Scene::new();
    scene
        .plugin("ws/a", "weather", "1.0.0")
        .plugin("ws/b", "weather", "1.0.0");
    assert_eq!(
        scene.of_workspace("ws"),
        "\
~/ws/a/plugin.toml weather 1.0.0: found
~/ws/b/plugin.toml weather 1.0.0: shadowed by ~/ws/a/plugin.toml (workspace)
  duplicate-id: plugin 'weather' (~/ws/b/plugin.toml): v1.0.0 is not used: ~/ws/a/plugin.toml (workspace) comes first with v1.0.0
"
    );
}

#[test]
fn roots_that_are_not_there_are_told_by_who_named_them() {
    let scene = Scene::new();
    scene.file("file", "").link("dangling", "nothing");
    let long = scene.path(&"x".repeat(300));
    let found = scene.found(&[
        scene.root(Origin::Explicit, "named"),
        scene.root(Origin::Explicit, "file"),
        scene.root(Origin::Workspace, "ws"),
        scene.root(Origin::Workspace, "file"),
        scene.root(Origin::User, "file/below"),
        scene.root(Origin::User, "dangling"),
        Root::new(Origin::Builtin, &long),
    ]);
    let long = format!("~/{}", "x".repeat(300));
    assert_eq!(
        found,
        format!(
            "\
path-missing: ~/named: there is nothing here
root-not-directory: ~/file: expected a directory, or a library if it is explicit; found something else; hint: give the directory that it is in: ~
root-missing: ~/ws: this workspace root does not exist
root-repeated: ~/file: the same as ~/file, which counts
unreadable: ~/file/below: it cannot be looked at: Not a directory (os error 20)
unreadable: ~/dangling: it cannot be looked at: No such file or directory (os error 2)
unreadable: {long}: it cannot be looked at: File name too long (os error 36)
"
        )
    );
}

#[test]
fn the_same_root_is_looked_at_once() {
    let scene = Scene::new();
    scene
        .plugin("ws/weather", "weather", "1.0.0")
        .link("again", "ws");
    let roots = [
        scene.root(Origin::Workspace, "ws"),
        scene.root(Origin::User, "again"),
    ];
    assert_eq!(
        scene.found(&roots),
        "\
~/ws/weather/plugin.toml weather 1.0.0: found
root-repeated: ~/again: the same as ~/ws, which counts
"
    );
}

#[test]
fn what_lies_in_two_roots_has_one_record() {
    let scene = Scene::new();
    scene
        .plugin("ws/weather", "weather", "1.0.0")
        .file("ws/lone.so", library(&manifest("lone", "1.0.0")));
    let found = scene.found(&[
        scene.root(Origin::Explicit, "ws/weather"),
        scene.root(Origin::Explicit, "ws/lone.so"),
        scene.root(Origin::Workspace, "ws"),
    ]);
    assert_eq!(
        found,
        "\
~/ws/weather/plugin.toml weather 1.0.0: found
~/ws/lone.so lone 1.0.0: found
found-before: ~/ws/lone.so: found before as ~/ws/lone.so
found-before: ~/ws/weather/plugin.toml: found before as ~/ws/weather/plugin.toml
"
    );
}

#[test]
fn what_belongs_to_no_plugin_is_said() {
    let scene = Scene::new();
    scene
        .file("ws/plugin.toml", manifest("stray", "1.0.0"))
        .file(
            "ws/vendor/weather/plugin.toml",
            manifest("weather", "1.0.0"),
        );
    assert_eq!(
        scene.of_workspace("ws"),
        "\
stray-manifest: ~/ws/plugin.toml: this manifest stands in the root itself, where it belongs to no plugin; hint: give the plugin a directory of its own here, or name this directory as an explicit path
no-plugin-inside: ~/ws/vendor: no plugin in it: expected plugin.toml or a library (*.so), found neither
"
    );
}

#[test]
fn names_that_are_no_utf_8_are_said() {
    let scene = Scene::new();
    scene.directory("ws");
    for name in [&b"lib\xFF.so"[..], b"dir\xFF", b"README\xFF"] {
        let path = scene.path("ws").join(OsStr::from_bytes(name));
        match name.starts_with(b"dir") {
            true => std::fs::create_dir(path).expect("a directory"),
            false => std::fs::write(path, "").expect("a file"),
        }
    }
    assert_eq!(
        scene.of_workspace("ws"),
        "\
name-not-utf8: ~/ws/dir\u{FFFD}: the name is no UTF-8, so nothing could refer to it; hint: rename it
name-not-utf8: ~/ws/lib\u{FFFD}.so: the name is no UTF-8, so nothing could refer to it; hint: rename it
"
    );
}

#[test]
fn the_number_of_names_is_bounded_and_what_is_left_out_is_said() {
    let scene = Scene::new();
    scene
        .plugin("ws/a", "a", "1.0.0")
        .plugin("ws/b", "b", "1.0.0")
        .plugin("ws/c", "c", "1.0.0");
    let roots = [scene.root(Origin::Workspace, "ws")];
    let found = |entries| scene.text(&discover(&roots, &Gates::new().max_entries(entries)));
    // Three directories, with two files in each.
    let all = found(9);
    assert_eq!(all.matches(": found\n").count(), 3, "{all}");
    assert_eq!(
        found(8),
        "\
~/ws/a/plugin.toml a 1.0.0: found
~/ws/b/plugin.toml b 1.0.0: found
too-many-entries: ~/ws/c: more than 8 names in this root: nothing was looked at in this directory, and in what comes after it in the order of names
"
    );
    assert_eq!(
        found(2),
        "too-many-entries: ~/ws: more than 2 names in this root: nothing was looked at in this \
         directory, and in what comes after it in the order of names\n"
    );
}
