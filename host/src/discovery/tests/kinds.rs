//! What a plugin looks like, and what is said of what only looks like one.

use super::scene::{Scene, library, manifest};
use crate::discovery::{Gates, Origin, Root, discover};
use crate::inspect::tests::craft::elf_with_manifest;

#[test]
fn every_kind_of_plugin_is_found_in_the_order_of_names() {
    let scene = Scene::new();
    scene
        .plugin("ws/weather", "weather", "1.0.0")
        .file("ws/loose.so", library(&manifest("loose", "0.2.0")))
        .file("ws/bundle/liba.so", library(&manifest("a", "1.0.0")))
        .file("ws/bundle/libb.so", library(&manifest("b", "1.0.0")))
        .file(
            "ws/review/plugin.toml",
            manifest("review", "3.0.0")
                + "[plugin.content]\nskills = [\"skills/review.md\"]\nresources = [\"guide.md\"]\n",
        )
        .file("ws/review/skills/review.md", "Review.")
        .file("ws/review/guide.md", "A guide.")
        .file(
            "ws/as-json/plugin.json",
            r#"{"plugin": {"id": "as-json", "version": "1.0.0", "min_host_version": "1.0.0"}}"#,
        )
        .file(
            "ws/as-json/libas_json.so",
            library(&manifest("as-json", "1.0.0")),
        )
        .file("ws/README.md", "Plugins.")
        .file("ws/.hidden/plugin.toml", "this is not looked at")
        .file("ws/.libx.so.tmp", "neither is this");
    assert_eq!(
        scene.of_workspace("ws"),
        "\
~/ws/as-json/plugin.json as-json 1.0.0: found
~/ws/bundle/liba.so a 1.0.0: found
~/ws/bundle/libb.so b 1.0.0: found
~/ws/loose.so loose 0.2.0: found
~/ws/review/plugin.toml review 3.0.0: found
~/ws/weather/plugin.toml weather 1.0.0: found
"
    );
}

#[test]
fn a_candidate_carries_what_was_read() {
    let scene = Scene::new();
    scene.plugin("ws/weather", "weather", "1.0.0");
    let root = scene.root(Origin::User, "ws");
    let discovery = discover(std::slice::from_ref(&root), &Gates::new());
    let [candidate] = &discovery.candidates[..] else {
        panic!("one candidate: {discovery:?}");
    };
    assert_eq!(
        (candidate.origin, &candidate.root),
        (Origin::User, &root.path)
    );
    let library = scene.path("ws/weather/libweather.so");
    assert_eq!(candidate.library.as_ref(), Some(&library));
    let manifest = candidate.manifest.as_ref().expect("its manifest");
    assert_eq!(manifest.id.as_str(), "weather");
    let facts = candidate.facts.as_ref().expect("its facts");
    assert_eq!(facts.require_note().expect("a note").built_minor, 7);
    assert!(discovery.found().eq([candidate]));
}

#[test]
fn the_library_of_a_manifest_goes_by_the_id_or_is_the_only_one() {
    let scene = Scene::new();
    scene
        .plugin("ws/a", "text-filter", "1.0.0")
        .file("ws/a/libhelper.so", "not looked at")
        .file("ws/a/plugin.json", "nor this")
        .file("ws/b/plugin.toml", manifest("b", "1.0.0"))
        .file("ws/b/plugin-v1.so", library(&manifest("b", "1.0.0")))
        .file("ws/c/plugin.toml", manifest("c", "1.0.0"))
        .file("ws/c/one.so", "either")
        .file("ws/c/two.so", "or")
        .file("ws/d/plugin.toml", manifest("d", "1.0.0"))
        .file("ws/e/plugin.toml", manifest("e-e", "1.0.0"))
        .file("ws/e/Cargo.toml", "")
        .file(
            "ws/e/target/debug/libe_e.so",
            library(&manifest("e-e", "1.0.0")),
        );
    assert_eq!(
        scene.of_workspace("ws"),
        "\
~/ws/a/plugin.toml text-filter 1.0.0: found
  unused-beside: plugin 'text-filter' (~/ws/a/plugin.toml): not looked at beside it: plugin.json, libhelper.so
~/ws/b/plugin.toml b 1.0.0: found
~/ws/c/plugin.toml c 1.0.0: refused
  library-ambiguous: plugin 'c' (~/ws/c): several libraries beside the manifest: expected libc.so, found one.so, two.so; hint: rename the plugin's own to libc.so, or remove the others
~/ws/d/plugin.toml d 1.0.0: refused
  library-missing: plugin 'd' (~/ws/d): no library beside the manifest: expected libd.so, or one *.so of another name; found none; hint: copy the plugin's library here, as libd.so
~/ws/e/plugin.toml e-e 1.0.0: refused
  library-missing: plugin 'e-e' (~/ws/e): no library beside the manifest: expected libe_e.so, or one *.so of another name; found none; hint: this is a crate: `keyway dev ~/ws/e` builds and runs it; to install it, copy its library here
"
    );
}

#[test]
fn both_manifests_must_say_the_same() {
    let scene = Scene::new();
    scene
        .plugin("ws/weather", "weather", "1.0.0")
        .file("ws/weather/plugin.toml", manifest("weather", "1.1.0"));
    assert_eq!(
        scene.of_workspace("ws"),
        "\
~/ws/weather/plugin.toml weather 1.1.0: refused
  manifest-mismatch: plugin 'weather' (~/ws/weather/plugin.toml): plugin.version differs: \"1.1.0\" in plugin.toml, \"1.0.0\" in libweather.so; hint: copy both files of one build here, or remove plugin.toml: the library has its own manifest
"
    );
}

#[test]
fn a_manifest_that_does_not_read_says_all_that_is_wrong() {
    let scene = Scene::new();
    scene
        .plugin("ws/weather", "weather", "1.0.0")
        .file(
            "ws/weather/plugin.toml",
            "[plugin]\nid = \"Weather\"\nversion = \"1.0.0\"\nmin_host_version = \"one\"\n",
        )
        .file("ws/zz/plugin.toml", [0xFF, 0xFE]);
    assert_eq!(
        scene.of_workspace("ws"),
        "\
~/ws/weather/plugin.toml weather 1.0.0: refused
  manifest-invalid: plugin 'weather' (~/ws/weather/plugin.toml): plugin.toml:2:6: `plugin.id` contains 'W'; expected 1 to 64 of a-z, 0-9 and `-`, starting with a letter, such as \"text-filter\", found \"Weather\"; did you mean `weather`? (and 1 more problem); hint: correct plugin.toml:
error: `plugin.id` contains 'W'
 --> plugin.toml:2:6
  |
2 | id = \"Weather\"
  |      ^^^^^^^^^
  = expected: 1 to 64 of a-z, 0-9 and `-`, starting with a letter, such as \"text-filter\"
  = found: \"Weather\"
  = help: did you mean `weather`?

error: `plugin.min_host_version` is no semantic version: unexpected character 'o' while parsing major version number
 --> plugin.toml:4:20
  |
4 | min_host_version = \"one\"
  |                    ^^^^^
  = expected: three numbers, such as \"1.2.0\"
  = found: the string \"one\"
~/ws/zz/plugin.toml - -: refused
  manifest-invalid: ~/ws/zz/plugin.toml: the text is not valid UTF-8
"
    );
}

#[test]
fn what_is_no_plugin_is_told_from_what_is_a_broken_one() {
    let scene = Scene::new();
    let whole = library(&manifest("cut", "1.0.0"));
    scene
        .file("ws/cut.so", &whole[..100])
        .file("ws/empty.so", "")
        .file("ws/ordinary.so", elf_with_manifest(None))
        .file("ws/other.so", elf_with_manifest(Some(r#"{"plugin": {}}"#)))
        .file("ws/text.so", "INPUT(libc.so.6)")
        .file("ws/weather/plugin.toml", manifest("weather", "1.0.0"))
        .file("ws/weather/libweather.so", elf_with_manifest(None));
    let found = scene.of_workspace("ws");
    let lines: Vec<&str> = found.lines().collect();
    for expected in [
        "~/ws/cut.so - -: refused",
        "  library-damaged: ~/ws/empty.so: truncated: expected at least 16 bytes (to the end of any header), found 0; hint: wait for the build or the copy to finish, or do it again",
        "~/ws/other.so - -: refused",
        "  library-damaged: ~/ws/text.so: not a dynamic library: expected an ELF, Mach-O or PE library, found text that begins with \"INPUT(libc.so.6)\"; hint: give the file that cargo build reports, not its source",
        "  note-missing: plugin 'weather' (~/ws/weather/libweather.so): expected a note of Keyway's in section .note.keyway, found none; hint: if this is your plugin: call keyway::export_plugin! in its crate",
        "not-a-plugin: ~/ws/ordinary.so: expected a note of Keyway's in section .note.keyway, found none; hint: if this is your plugin: call keyway::export_plugin! in its crate",
    ] {
        assert!(
            lines.contains(&expected),
            "{expected}\n is missing in\n{found}"
        );
    }
    assert!(
        !found.contains("~/ws/ordinary.so -"),
        "an ordinary library is no candidate: {found}"
    );
    assert!(
        found.contains("  manifest-invalid: ~/ws/other.so: embedded manifest:1:"),
        "{found}"
    );
}

#[test]
fn a_library_that_was_named_has_to_be_a_plugin() {
    let scene = Scene::new();
    scene.file("ws/ordinary.so", elf_with_manifest(None));
    assert_eq!(
        scene.found(&[scene.root(Origin::Explicit, "ws/ordinary.so")]),
        "\
~/ws/ordinary.so - -: refused
  note-missing: ~/ws/ordinary.so: expected a note of Keyway's in section .note.keyway, found none; hint: if this is your plugin: call keyway::export_plugin! in its crate
"
    );
}

#[test]
fn keys_from_the_future_are_passed_over_with_a_warning() {
    let scene = Scene::new();
    let json = r#"{"plugin": {"id": "new", "version": "1.0.0", "min_host_version": "1.0.0", "shiny": true}}"#;
    scene.file("ws/new.so", elf_with_manifest(Some(json)));
    assert_eq!(
        scene.of_workspace("ws"),
        "\
~/ws/new.so new 1.0.0: found
  manifest-newer: plugin 'new' (~/ws/new.so): keys that this host does not know: plugin.shiny
"
    );
}

#[test]
fn the_files_of_a_plugin_without_code_have_to_be_there() {
    let scene = Scene::new();
    let content = "[plugin.content]\nskills = [\"a.md\", \"b.md\", \"c.md\"]\n";
    scene
        .file(
            "ws/review/plugin.toml",
            manifest("review", "1.0.0") + content,
        )
        .file("ws/review/a.md", "Here.")
        .directory("ws/review/c.md")
        .file("ws/review/libz.so", "not looked at");
    assert_eq!(
        scene.of_workspace("ws"),
        "\
~/ws/review/plugin.toml review 1.0.0: refused
  content-missing: plugin 'review' (~/ws/review/b.md): [plugin.content] lists \"b.md\", which is not there
  not-regular: plugin 'review' (~/ws/review/c.md): expected a regular file, found a directory
  unused-beside: plugin 'review' (~/ws/review/plugin.toml): not looked at beside it: libz.so
"
    );
}

#[test]
fn an_explicit_path_may_be_a_root_a_plugin_or_a_library() {
    let scene = Scene::new();
    scene
        .plugin("all/weather", "weather", "1.0.0")
        .plugin("one", "one", "1.0.0")
        .file("lone.so", library(&manifest("lone", "1.0.0")));
    let roots = ["lone.so", "one", "all"].map(|name| scene.root(Origin::Explicit, name));
    assert_eq!(
        scene.found(&roots),
        "\
~/lone.so lone 1.0.0: found
~/one/plugin.toml one 1.0.0: found
~/all/weather/plugin.toml weather 1.0.0: found
"
    );
}

#[test]
fn a_relative_path_is_made_absolute() {
    let root = Root::new(Origin::Explicit, "no/such/plugins");
    let discovery = discover(&[root], &Gates::new());
    let path = discovery.findings[0].path.as_ref().expect("its path");
    assert!(path.is_absolute(), "{}", path.display());
    assert!(path.ends_with("no/such/plugins"));
}
