//! Rights, owners, links and what is no regular file, on the disk.

use std::fs;
use std::process::Command;

use super::scene::{Scene, library, manifest};
use crate::discovery::{Gates, Origin, discover};

#[test]
fn what_everybody_may_write_to_is_refused_at_each_level() {
    let scene = Scene::new();
    scene.plugin("ws/weather", "weather", "1.0.0");
    let cases = [
        (
            "ws/weather/libweather.so",
            0o666,
            0o644,
            "file: expected mode 0664, found 0666",
        ),
        (
            "ws/weather/plugin.toml",
            0o646,
            0o644,
            "file: expected mode 0644, found 0646",
        ),
        (
            "ws/weather",
            0o777,
            0o755,
            "directory: expected mode 0775, found 0777",
        ),
        // The sticky bit is no help where names may be added.
        (
            "ws/weather",
            0o1777,
            0o755,
            "directory: expected mode 1775, found 1777",
        ),
    ];
    for (name, open, closed, text) in cases {
        scene.mode(name, open);
        assert_eq!(
            scene.of_workspace("ws"),
            format!(
                "~/ws/weather/plugin.toml weather 1.0.0: refused\n  world-writable: plugin \
                 'weather' (~/{name}): everybody may write to this {text}; hint: run `chmod o-w \
                 ~/{name}`\n"
            )
        );
        scene.mode(name, closed);
    }
    let good = "~/ws/weather/plugin.toml weather 1.0.0: found\n";
    assert_eq!(scene.of_workspace("ws"), good);
}

#[test]
fn a_root_that_everybody_may_write_to_is_said_and_all_in_it_is_refused() {
    let scene = Scene::new();
    scene
        .plugin("ws/weather", "weather", "1.0.0")
        .mode("ws", 0o777);
    let text = "everybody may write to this directory: expected mode 0775, found 0777; hint: run \
                `chmod o-w ~/ws`\n";
    assert_eq!(
        scene.of_workspace("ws"),
        format!(
            "~/ws/weather/plugin.toml weather 1.0.0: refused\n  world-writable: plugin 'weather' \
             (~/ws): {text}world-writable: ~/ws: {text}"
        )
    );
    let roots = [scene.root(Origin::Workspace, "ws")];
    let relaxed = discover(&roots, &Gates::new().allow_world_writable(true));
    assert_eq!(
        scene.text(&relaxed),
        "~/ws/weather/plugin.toml weather 1.0.0: found\n"
    );
}

#[test]
fn the_directories_above_count_unless_they_are_sticky() {
    let scene = Scene::new();
    scene
        .plugin("above/ws/weather", "weather", "1.0.0")
        .mode("above", 0o777);
    let refused = scene.of_workspace("above/ws");
    assert!(
        refused.contains("world-writable: ~/above: everybody"),
        "{refused}"
    );
    assert!(refused.contains("weather 1.0.0: refused"), "{refused}");
    scene.mode("above", 0o1777);
    let found = scene.of_workspace("above/ws");
    assert_eq!(
        found,
        "~/above/ws/weather/plugin.toml weather 1.0.0: found\n"
    );
}

#[test]
fn explicit_paths_pass_the_same_gates() {
    let scene = Scene::new();
    scene
        .file("open/lone.so", library(&manifest("lone", "1.0.0")))
        .mode("open", 0o777);
    let found = scene.found(&[scene.root(Origin::Explicit, "open/lone.so")]);
    assert!(
        found.starts_with("~/open/lone.so lone 1.0.0: refused\n"),
        "{found}"
    );
    scene.mode("open", 0o755).mode("open/lone.so", 0o602);
    let found = scene.found(&[scene.root(Origin::Explicit, "open/lone.so")]);
    assert!(found.contains("expected mode 0600, found 0602"), "{found}");
}

/// Only root may give files away; the rule itself has its own tests.
#[test]
fn files_of_other_users_are_refused_until_they_are_trusted() {
    const SOMEBODY: u32 = 4711;
    let scene = Scene::new();
    scene.plugin("ws/weather", "weather", "1.0.0");
    let library = scene.path("ws/weather/libweather.so");
    if std::os::unix::fs::chown(&library, Some(SOMEBODY), None).is_err() {
        return;
    }
    assert_eq!(
        scene.of_workspace("ws"),
        "\
~/ws/weather/plugin.toml weather 1.0.0: refused
  foreign-owner: plugin 'weather' (~/ws/weather/libweather.so): it belongs to another user: expected uid 0 (root), found uid 4711; hint: run `chown -h 0 ~/ws/weather/libweather.so`, or have the application trust that user
"
    );
    let roots = [scene.root(Origin::Workspace, "ws")];
    let trusting = discover(&roots, &Gates::new().trust_owner(SOMEBODY));
    assert_eq!(trusting.found().count(), 1);
}

#[test]
fn a_link_of_another_user_in_a_sticky_directory_is_refused() {
    let scene = Scene::new();
    scene
        .plugin("safe/ws/weather", "weather", "1.0.0")
        .directory("tmp")
        .mode("tmp", 0o1777);
    scene.link("tmp/ws", scene.path("safe/ws"));
    let link = scene.path("tmp/ws");
    assert!(scene.of_workspace("tmp/ws").contains(": found\n"));
    if std::os::unix::fs::lchown(link, Some(4711), None).is_err() {
        return;
    }
    let found = scene.of_workspace("tmp/ws");
    assert!(
        found.contains("foreign-owner: ~/tmp/ws: it belongs"),
        "{found}"
    );
    assert!(found.contains("weather 1.0.0: refused"), "{found}");
}

#[test]
fn links_stay_in_their_root_unless_it_lets_them_leave() {
    let scene = Scene::new();
    scene
        .plugin("elsewhere/weather", "weather", "1.0.0")
        .file("elsewhere/libmail.so", library(&manifest("mail", "1.0.0")))
        .file("elsewhere/secret", "not to be shown")
        .directory("ws/odd")
        .link("ws/weather", "../elsewhere/weather")
        .link("ws/libmail.so", scene.path("elsewhere/libmail.so"))
        .link("ws/odd/plugin.toml", scene.path("elsewhere/secret"))
        .link("ws/NOTES", scene.path("elsewhere/secret"));
    assert_eq!(
        scene.of_workspace("ws"),
        "\
~/ws/odd/plugin.toml - -: refused
  link-escapes: ~/ws/odd/plugin.toml: a link out of the root: expected a target in ~/ws, found ~/elsewhere/secret; hint: put the file itself here, or make ~/elsewhere a root
~/ws/libmail.so - -: refused
  link-escapes: ~/ws/libmail.so: a link out of the root: expected a target in ~/ws, found ~/elsewhere/libmail.so; hint: put the file itself here, or make ~/elsewhere a root
~/ws/weather - -: refused
  link-escapes: ~/ws/weather: a link out of the root: expected a target in ~/ws, found ~/elsewhere/weather; hint: put the file itself here, or make ~/elsewhere a root
"
    );
    fs::remove_dir_all(scene.path("ws/odd")).expect("it is there");
    let open = [scene.root(Origin::Workspace, "ws").allow_links_out()];
    assert_eq!(
        scene.found(&open),
        "\
~/ws/libmail.so mail 1.0.0: found
~/ws/weather/plugin.toml weather 1.0.0: found
"
    );
    // What they lead to passes the same gates, and so does the way there.
    scene.mode("elsewhere", 0o777);
    let found = scene.found(&open);
    assert_eq!(found.matches(": refused\n").count(), 2, "{found}");
    assert_eq!(found.matches("world-writable: ").count(), 2, "{found}");
}

#[test]
fn links_inside_of_a_root_are_followed_and_lead_to_one_record() {
    let scene = Scene::new();
    scene
        .plugin("ws/weather-1.0", "weather", "1.0.0")
        .link("ws/current", "weather-1.0")
        .link("ws/libw.so", "weather-1.0/libweather.so")
        .link("ws/around", ".")
        .link("ws/up", "..")
        .link("ws/circle.so", "circle.so")
        .link("ws/nowhere", "nothing");
    assert_eq!(
        scene.of_workspace("ws"),
        "\
~/ws/weather-1.0/plugin.toml weather 1.0.0: found
~/ws/circle.so - -: refused
  unreadable: ~/ws/circle.so: it cannot be looked at: Too many levels of symbolic links (os error 40)
link-cycle: ~/ws/around: a link back to ~/ws
found-before: ~/ws/current: found before as ~/ws/weather-1.0
found-before: ~/ws/libw.so: found before as ~/ws/weather-1.0/libweather.so
unreadable: ~/ws/nowhere: it cannot be looked at: No such file or directory (os error 2)
link-cycle: ~/ws/up: a link back to ~
"
    );
    scene.end();
}

#[test]
fn what_is_no_regular_file_is_refused_without_being_opened() {
    let scene = Scene::new();
    scene.directory("ws/weather/plugin.toml").file(
        "ws/weather/libweather.so",
        library(&manifest("weather", "1.0.0")),
    );
    let pipe = Command::new("mkfifo")
        .arg(scene.path("ws/pipe.so"))
        .status();
    assert!(pipe.expect("mkfifo starts").success());
    assert_eq!(
        scene.of_workspace("ws"),
        "\
~/ws/pipe.so - -: refused
  not-regular: ~/ws/pipe.so: expected a regular file, found a special file (pipe, socket or device)
~/ws/weather/plugin.toml weather 1.0.0: refused
  not-regular: plugin 'weather' (~/ws/weather/plugin.toml): expected a regular file, found a directory
"
    );
}
