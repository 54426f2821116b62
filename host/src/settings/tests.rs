mod messages;
mod properties;

use keyway_manifest::Access;

use super::*;
use crate::error::{HostError, HostErrorKind};
use crate::inspect::hash_bytes;

/// Where the file is said to be.
const FILE: &str = "conf/keyway.toml";

/// A file with every key in it.
const FULL: &str = include_str!("tests/full.toml");

/// Reads a text in an environment and among files that are the same wherever the test runs.
fn read(text: &str) -> Result<Settings, SettingsError> {
    let env = |name: &str| match name {
        "HOME" => Some(OsString::from("/home/ada")),
        "EMPTY" => Some(OsString::new()),
        _ => None,
    };
    let text_of = |path: &Path, max_bytes: u64| match path.to_str() {
        Some("conf/SOUL.md") => Ok(format!("at most {max_bytes} bytes of soul")),
        Some("conf/rules/HOUSE.md") => Ok(String::new()),
        _ => Err("is not there".to_owned()),
    };
    let world = World {
        env: &env,
        text_of: &text_of,
    };
    check::settings(text, Path::new(FILE), &world)
}

fn accepted(text: &str) -> Settings {
    let settings = read(text).expect("it reads");
    assert_eq!(settings.warnings, []);
    settings
}

#[test]
fn every_key_is_read() {
    let settings = accepted(FULL);
    let host = &settings.host;
    assert_eq!(host.strategy, Strategy::Restart);
    assert_eq!(host.hot_reload, Some(true));
    assert_eq!(host.watch_interval, Some(Duration::from_secs(2)));
    assert_eq!(host.lifecycle_deadline, Some(Duration::from_secs(30)));
    assert_eq!(host.call_deadline, Some(Duration::from_millis(1_500)));
    assert_eq!(host.max_concurrency, Some(16));
    assert_eq!(host.max_retained, Some(8));
    assert_eq!(host.stage_dir.as_deref(), Some(Path::new("/var/tmp")));
    let state = Path::new("/home/ada/.local/state/acme");
    assert_eq!(host.state_dir.as_deref(), Some(state));
    let roots: Vec<_> = host
        .roots
        .iter()
        .map(|root| (root.origin, root.path.to_str().expect("a path")))
        .collect();
    let expected = [
        (Origin::Workspace, "conf/./plugins"),
        (Origin::User, "/home/ada/plugins"),
    ];
    assert_eq!(roots, expected);

    let allow = settings.plugins.allow.as_ref().expect("there is a list");
    assert_eq!(allow.len(), 2);
    assert_eq!((allow[0].id.as_str(), allow[0].hash), ("weather", None));
    assert_eq!(allow[1].hash, Some(hash_bytes(b"")));
    assert_eq!(settings.plugins.deny[0].id.as_str(), "old-weather");

    assert_eq!(settings.slots["memory"].as_str(), "memory-sqlite");
    assert_eq!(settings.providers, ["local", "paid"]);
    assert_eq!(settings.context["soul"].text, "You are kind.");
    assert_eq!(settings.context["soul"].file, None);
    assert_eq!(
        settings.context["house-rules"].text,
        "at most 262144 bytes of soul"
    );
    let soul = Path::new("conf/SOUL.md");
    assert_eq!(settings.context["house-rules"].file.as_deref(), Some(soul));

    let weather = &settings.plugin["weather"];
    assert_eq!(weather.enabled, Some(true));
    let names: Vec<&str> = weather.config_names().collect();
    assert_eq!(names, ["api_key", "cities", "limits", "verbose"]);
    let permissions = weather.permissions.as_ref().expect("there are some");
    assert_eq!(
        permissions.network,
        Access::Only(vec!["api.example.com:443".to_owned()])
    );
    assert_eq!(permissions.filesystem.read, Access::All);
    assert_eq!(permissions.env, ["TZ"]);
    assert_eq!(permissions.subprocess, Access::All);
    let (place, _) = &weather.config["cities"];
    assert_eq!(place.to_string(), "conf/keyway.toml:37:10");

    assert!(
        !settings
            .plugin("old-weather")
            .expect("it is there")
            .is_enabled()
    );
    assert!(settings.plugin("other").is_none());
}

#[test]
fn the_examples_of_the_reference_are_read_and_every_key_is_in_it() {
    let reference = include_str!("../../../CONFIG.md");
    let mut blocks = 0;
    for block in reference.split("```toml\n").skip(1) {
        let (example, _) = block.split_once("```").expect("a block has an end");
        accepted(example);
        blocks += 1;
    }
    assert!(blocks >= 3, "{blocks}");
    for key in check::all_keys() {
        let named = [format!("`{key}`"), format!("[{key}]"), format!("[{key}.")];
        let is_there = named.iter().any(|name| reference.contains(name));
        assert!(is_there, "CONFIG.md does not have {key}");
    }
}

#[test]
fn what_is_not_said_is_left_open() {
    let settings = accepted("");
    assert_eq!(settings, Settings::default());
    assert_eq!(settings.host.strategy, Strategy::Hybrid);
    assert_eq!(settings.plugins.allow, None);
    let settings = accepted("[plugin.a]");
    assert!(settings.plugin["a"].is_enabled());
    assert_eq!(settings.plugin["a"].permissions, None);
    let settings = accepted("[plugin.a.permissions]\n[plugins]\nallow = []");
    assert!(
        settings.plugin["a"]
            .permissions
            .as_ref()
            .is_some_and(Permissions::is_empty)
    );
    assert_eq!(settings.plugins.allow, Some(Vec::new()));
}

#[test]
fn no_form_of_the_settings_shows_a_value_of_a_plugins() {
    let settings = accepted(FULL);
    let shown = format!("{settings:?} {settings:#?}");
    for private in ["Bearer", "WEATHER_KEY", "Oslo", "secondary"] {
        assert!(!shown.contains(private), "{private} is in {shown}");
    }
    assert!(shown.contains("api_key"));
}

/// A new directory with `keyway.toml` in it.
fn file(content: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("keyway.toml");
    std::fs::write(&path, content).expect("a file");
    (home, path)
}

#[test]
fn a_file_is_read_with_the_texts_beside_it() {
    let (home, path) = file("[context]\nsoul = { file = \"SOUL.md\" }\n");
    std::fs::write(home.path().join("SOUL.md"), "kind").expect("a file");
    let settings = Settings::read(&path).expect("it reads");
    assert_eq!(settings.context["soul"].text, "kind");
}

#[test]
fn a_text_that_is_too_long_or_no_text_refuses_the_file() {
    let (home, path) = file("[context]\nsoul = { file = \"SOUL.md\" }\n");
    let soul = home.path().join("SOUL.md");
    let long = "x".repeat(usize::try_from(MAX_TEXT_BYTES).expect("it fits") + 1);
    for (content, fault) in [
        (
            long.as_bytes(),
            "is too long: expected at most 262144 bytes",
        ),
        (
            b"ok\xff".as_slice(),
            "is no UTF-8 text: the byte at 2 does not fit",
        ),
    ] {
        std::fs::write(&soul, content).expect("a file");
        let error = Settings::read(&path).expect_err("the text does not fit");
        let text = error.to_string();
        let named = format!("keyway.toml:2:17: `context.soul.file` names a file that {fault}");
        assert!(text.contains(&named), "{text}");
    }
    std::fs::write(&soul, &long[1..]).expect("a file");
    Settings::read(&path).expect("it is just short enough");
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_reason() {
    let (home, path) = file(b"\xff");
    let cases = [
        (home.path().join("missing.toml"), "cannot be read: "),
        (home.path().to_owned(), "cannot be read: "),
        (path, "is no UTF-8 text: the byte at 0 does not fit"),
    ];
    for (path, fault) in cases {
        let error = Settings::read(&path).expect_err("it cannot be read");
        let [finding] = error.findings() else {
            panic!("one finding: {error}");
        };
        assert_eq!(finding.code.id, "settings-unreadable");
        assert_eq!(finding.path.as_deref(), Some(&*path));
        assert!(finding.message.starts_with(fault), "{finding}");
        let error = HostError::from(error);
        assert_eq!(error.kind(), HostErrorKind::Refused);
        assert_eq!(error.code(), "settings-unreadable");
    }
}

#[test]
fn a_file_that_is_too_long_is_not_read() {
    let long = "#".repeat(usize::try_from(MAX_FILE_BYTES).expect("it fits") + 1);
    let error = read(&long).expect_err("it is too long");
    assert_eq!(
        error.to_string(),
        "conf/keyway.toml: is too long: expected at most 1048576 bytes"
    );
    accepted(&long[1..]);
}

#[test]
fn the_hosts_error_has_every_line() {
    let error = HostError::from(read("host = 1\nslots = 2\n").expect_err("both are wrong"));
    assert_eq!(error.kind(), HostErrorKind::Refused);
    assert_eq!(error.code(), "settings-invalid");
    assert_eq!(
        error.message(),
        "conf/keyway.toml:1:8: `host` has the wrong type; expected a table, found the integer 1\n\
         conf/keyway.toml:2:9: `slots` has the wrong type; expected a table, found the integer 2"
    );
    let error = HostError::from(read("[plugin.a]\nenabled = 1").expect_err("it is wrong"));
    assert_eq!(error.plugin(), Some("'a'"));
    assert_eq!(error.code(), "settings-invalid");
}

#[test]
fn findings_have_codes_hints_and_the_plugin_that_they_are_about() {
    let settings = read("[plugin.a]\nenabeld = true\n[host]\nx = 1\n").expect("only warnings");
    let [first, second] = &settings.warnings[..] else {
        panic!("two: {:?}", settings.warnings);
    };
    assert_eq!(first.code.id, "settings-unknown-key");
    assert_eq!(first.plugin.as_deref(), Some("a"));
    assert_eq!(first.hint.as_deref(), Some("did you mean `enabled`?"));
    assert_eq!((&second.plugin, &second.hint), (&None, &None));
}
