use std::fs;
use std::path::PathBuf;

use keyway_manifest::PluginId;
use semver::Version;

use super::*;
use crate::inspect::hash_bytes;

fn approved(build: &str, grant: Grant) -> Approved {
    Approved {
        hash: hash_bytes(build.as_bytes()),
        version: Version::new(1, 0, 0),
        grant,
        at: "2026-11-21 12:30:01 UTC".to_owned(),
    }
}

fn id(text: &str) -> PluginId {
    PluginId::new(text).expect("an id")
}

fn home() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("permissions.json");
    (home, path)
}

#[cfg(unix)]
fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).expect("it can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("it is ours");
}

#[cfg(unix)]
#[test]
fn the_file_reads_as_people_would_write_it_and_only_its_user_can() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, path) = home();
    let store = PermissionStore::open(&path).expect("there is none yet");
    let mut grant = grant([&["a.com:443"], &["data"], &[], &["TZ"], &["git"]]);
    grant.write = Reach::all();
    store
        .remember(&id("weather"), approved("one", grant))
        .expect("it is written");
    let expected = format!(
        r#"{{
  "schema_version": 1,
  "plugins": {{
    "weather": [
      {{
        "hash": "{}",
        "version": "1.0.0",
        "approved_at": "2026-11-21 12:30:01 UTC",
        "permissions": {{
          "network": [
            "a.com:443"
          ],
          "filesystem": {{
            "read": [
              "/srv/data"
            ],
            "write": true
          }},
          "env": [
            "TZ"
          ],
          "subprocess": [
            "git"
          ]
        }}
      }}
    ]
  }}
}}
"#,
        hash_bytes(b"one")
    );
    assert_eq!(fs::read_to_string(&path).expect("it is there"), expected);
    let mode = fs::metadata(&path)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_is_written_is_what_is_read() {
    let (_home, path) = home();
    let store = PermissionStore::open(&path).expect("there is none yet");
    let all = [
        approved("one", everything()),
        approved("two", Grant::default()),
        approved(
            "three",
            network(&["*.a.com:*", "https://b.com/v1/*", "[::1]:1", "127.0.0.1:1"]),
        ),
    ];
    for each in &all {
        store
            .remember(&id("weather"), each.clone())
            .expect("it is written");
    }
    let other = PermissionStore::open(&path).expect("it is a store");
    assert_eq!(
        other.of_plugin(&id("weather")).as_deref(),
        Ok(all.as_slice())
    );
    assert_eq!(other.of_plugin(&id("other")), Ok(Vec::new()));
}

#[test]
fn a_content_is_there_once_and_the_oldest_go_first() {
    let (_home, path) = home();
    let store = PermissionStore::open(&path).expect("there is none yet");
    for build in 0..40 {
        let each = approved(&build.to_string(), Grant::default());
        store.remember(&id("weather"), each).expect("it is written");
    }
    let again = approved("10", network(&["a.com:1"]));
    store
        .remember(&id("weather"), again.clone())
        .expect("it is written");
    let known = store.of_plugin(&id("weather")).expect("it reads");
    assert_eq!(known.len(), 32);
    assert_eq!(known.last(), Some(&again));
    assert_eq!(
        known
            .iter()
            .filter(|known| known.hash == again.hash)
            .count(),
        1
    );
    assert_eq!(known[0].hash, hash_bytes(b"8"));
}

#[test]
fn many_writers_at_a_time_lose_nothing() {
    let (_home, path) = home();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let path = path.clone();
            scope.spawn(move || {
                let store = PermissionStore::open(path).expect("it is a store");
                for round in 0..4 {
                    let build = format!("{writer}-{round}");
                    let plugin = id(&format!("plugin-{writer}"));
                    store
                        .remember(&plugin, approved(&build, Grant::default()))
                        .expect("it is written");
                }
            });
        }
    });
    let all = PermissionStore::open(&path)
        .expect("it is a store")
        .list()
        .expect("it reads");
    assert_eq!(all.len(), 8);
    assert!(all.values().all(|contents| contents.len() == 4));
}

#[cfg(unix)]
#[test]
fn a_store_that_cannot_be_read_refuses_and_stays_as_it_is() {
    let (_home, path) = home();
    let store = PermissionStore::open(&path).expect("there is none yet");
    let hash = hash_bytes(b"one");
    let record = |rest: &str| {
        format!(
            "{{\"schema_version\":1,\"plugins\":{{\"weather\":[{{\"hash\":\"{hash}\",{rest}}}]}}}}"
        )
    };
    let permissions = |network: &str| {
        record(&format!(
            "\"version\":\"1.0.0\",\"approved_at\":\"\",\"permissions\":{{\"network\":{network},\
             \"filesystem\":{{\"read\":[],\"write\":[]}},\"env\":[],\"subprocess\":[]}}"
        ))
    };
    for (text, what) in [
        (
            String::new(),
            "EOF while parsing a value at line 1 column 0",
        ),
        (
            "{\"schema_version\":1,\"plug".to_owned(),
            "EOF while parsing a string at line 1 column 25",
        ),
        (
            "{}".to_owned(),
            "missing field `schema_version` at line 1 column 2",
        ),
        (
            "{\"schema_version\":0}".to_owned(),
            "there is no schema version 0",
        ),
        (
            "{\"schema_version\":1}".to_owned(),
            "missing field `plugins` at line 1 column 20",
        ),
        (
            "{\"schema_version\":1,\"plugins\":{\"A\":[]}}".to_owned(),
            "plugin \"A\": the id contains 'A'",
        ),
        (
            permissions("\"all\""),
            "plugin \"weather\": `network` is neither a boolean nor a list of texts",
        ),
        (
            permissions("[\"a..b\"]"),
            "plugin \"weather\": the entry \"a..b\" of `network` has a malformed host",
        ),
    ] {
        write_private(&path, &text);
        let refused = PermissionStore::open(&path).expect_err("it is corrupt");
        assert_eq!(refused.code.id, "permission-store-corrupt", "{text}");
        assert_eq!(
            refused.to_string(),
            format!(
                "{0}: the approved permissions cannot be read: {what}; hint: restore it from a \
                 backup, or, to have every plugin approved anew: mv '{0}' '{0}.corrupt'",
                path.display()
            )
        );
        let change = store.remember(&id("weather"), approved("one", Grant::default()));
        assert_eq!(
            change.expect_err("it is corrupt").code.id,
            "permission-store-corrupt"
        );
        assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
    }
    write_private(&path, &permissions("true"));
    PermissionStore::open(&path).expect("this one is a store");
}

#[cfg(unix)]
#[test]
fn a_newer_store_is_not_touched() {
    let (_home, path) = home();
    write_private(&path, "{\"schema_version\": 2, \"anything\": 1}");
    let refused = PermissionStore::open(&path).expect_err("it is newer");
    assert_eq!(refused.code.id, "permission-store-newer");
    assert_eq!(
        refused.message,
        "the approved permissions have the schema version 2, expected 1"
    );
}

#[cfg(unix)]
#[test]
fn a_store_that_others_can_write_is_not_believed() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, path) = home();
    write_private(&path, "{\"schema_version\":1,\"plugins\":{}}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).expect("it is ours");
    let refused = PermissionStore::open(&path).expect_err("its group can write it");
    assert_eq!(refused.code.id, "permission-store-exposed");
    assert_eq!(
        refused.message,
        "the approved permissions can be written by others: mode 620, expected 600"
    );
}

#[cfg(unix)]
#[test]
fn a_link_or_a_directory_is_no_store() {
    let (home, path) = home();
    write_private(
        &home.path().join("elsewhere"),
        "{\"schema_version\":1,\"plugins\":{}}",
    );
    std::os::unix::fs::symlink(home.path().join("elsewhere"), &path).expect("a link");
    let refused = PermissionStore::open(&path).expect_err("it is a link");
    assert_eq!(refused.code.id, "permission-store-io");
    let refused = PermissionStore::open(home.path()).expect_err("it is a directory");
    assert_eq!(refused.code.id, "permission-store-io");
}
