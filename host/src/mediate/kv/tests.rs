use std::path::PathBuf;
use std::sync::Arc;

use super::super::tests::{Asked, parts};
use super::super::{Limits, Mediator};
use super::*;

struct Setting {
    _home: tempfile::TempDir,
    path: PathBuf,
}

impl Setting {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        Setting {
            path: home.path().join("values.redb"),
            _home: home,
        }
    }

    fn open(&self) -> Arc<KeyValueStore> {
        Arc::new(KeyValueStore::open(&self.path).expect("it opens"))
    }
}

fn of(store: &Arc<KeyValueStore>, id: &str, limits: Limits) -> Mediator {
    let base = std::env::temp_dir();
    let id = PluginId::new(id).expect("an id");
    Mediator::builder(id, Asked::default().grant(&base), base)
        .key_values(Arc::clone(store))
        .limits(limits)
        .build()
        .expect("the base is absolute")
}

fn plain(store: &Arc<KeyValueStore>, id: &str) -> Mediator {
    let limits = Limits {
        kv_rate: None,
        ..Limits::default()
    };
    of(store, id, limits)
}

#[test]
fn what_is_set_is_there_after_the_store_was_closed() {
    let setting = Setting::new();
    let store = setting.open();
    let plugin = plain(&store, "weather");
    assert_eq!(plugin.kv_get("a"), Ok(None), "there is nothing at all yet");
    assert_eq!(plugin.kv_keys("", None), Ok(Vec::new()));
    plugin.kv_set("a", b"1").expect("it is written");
    plugin.kv_set("a", b"2").expect("it is written");
    plugin.kv_set("", b"empty").expect("it is written");
    drop((plugin, store));

    let plugin = plain(&setting.open(), "weather");
    assert_eq!(plugin.kv_get("a"), Ok(Some(b"2".to_vec())));
    assert_eq!(plugin.kv_get(""), Ok(Some(b"empty".to_vec())));
    assert_eq!(plugin.kv_delete("a"), Ok(true));
    assert_eq!(plugin.kv_delete("a"), Ok(false));
    assert_eq!(plugin.kv_get("a"), Ok(None));
}

#[test]
fn no_plugin_sees_what_another_one_has() {
    let store = Setting::new().open();
    let plugins = ["a", "ab", "a-b", "b"].map(|id| plain(&store, id));
    for plugin in &plugins {
        plugin
            .kv_set("key", plugin.plugin().as_str().as_bytes())
            .expect("it is written");
    }
    for plugin in &plugins {
        assert_eq!(plugin.kv_keys("", None), Ok(vec!["key".to_owned()]));
        let own = plugin.plugin().as_str().as_bytes().to_vec();
        assert_eq!(plugin.kv_get("key"), Ok(Some(own)));
    }
    store.clear(plugins[0].plugin()).expect("it is written");
    assert_eq!(plugins[0].kv_keys("", None), Ok(Vec::new()));
    for plugin in &plugins[1..] {
        assert_eq!(plugin.kv_keys("", None), Ok(vec!["key".to_owned()]));
    }
}

#[test]
fn keys_are_listed_by_prefix_in_order_and_in_pieces() {
    let plugin = plain(&Setting::new().open(), "weather");
    for key in ["b/2", "a", "b/1", "b", "c", "b/ä"] {
        plugin.kv_set(key, b"").expect("it is written");
    }
    let keys = |prefix: &str, after| plugin.kv_keys(prefix, after).expect("it reads");
    assert_eq!(keys("", None), ["a", "b", "b/1", "b/2", "b/ä", "c"]);
    assert_eq!(keys("b/", None), ["b/1", "b/2", "b/ä"]);
    assert_eq!(keys("b/", Some("b/1")), ["b/2", "b/ä"]);
    assert_eq!(keys("b/", Some("b/ä")), [""; 0]);
    assert_eq!(keys("b/", Some("a")), ["b/1", "b/2", "b/ä"]);
}

#[test]
fn what_is_too_large_is_refused_and_changes_nothing() {
    let store = Setting::new().open();
    let limits = Limits {
        max_key_bytes: 4,
        max_value_bytes: 8,
        max_store_bytes: 20,
        ..Limits::default()
    };
    let plugin = of(&store, "weather", limits);
    let key = plugin
        .kv_set("12345", b"")
        .expect_err("the key is too long");
    assert_eq!(
        parts(&key),
        (
            ErrorKind::Denied,
            "size-limit",
            "the key is longer than Limits::max_key_bytes, 4 bytes"
        )
    );
    let value = plugin
        .kv_set("1", b"123456789")
        .expect_err("the value is too large");
    assert_eq!(
        parts(&value),
        (
            ErrorKind::Denied,
            "size-limit",
            "the value is larger than Limits::max_value_bytes, 8 bytes"
        )
    );
    plugin.kv_set("1", b"12345678").expect("9 bytes");
    plugin.kv_set("2", b"12345678").expect("18 bytes");
    let full = plugin.kv_set("3", b"12").expect_err("21 bytes");
    assert_eq!(
        parts(&full),
        (
            ErrorKind::Denied,
            "kv-full",
            "the plugin would store more than Limits::max_store_bytes, 20 bytes"
        )
    );
    assert_eq!(plugin.kv_get("3"), Ok(None));
    plugin.kv_set("3", b"1").expect("20 bytes");
    plugin.kv_set("1", b"").expect("less than before");
    plugin.kv_set("4", b"1234567").expect("20 bytes");
    assert_eq!(plugin.kv_delete("2"), Ok(true));
    plugin.kv_set("5", b"12345678").expect("20 bytes");
    plugin.kv_set("6", b"").expect_err("21 bytes");
    // The next one has its own.
    plain(&store, "other")
        .kv_set("1", b"12345678")
        .expect("it is another plugin");
}

#[test]
fn who_has_more_than_a_lowered_limit_can_make_it_less() {
    let store = Setting::new().open();
    plain(&store, "weather")
        .kv_set("key", b"12345678")
        .expect("it is written");
    let limits = Limits {
        max_store_bytes: 5,
        ..Limits::default()
    };
    let plugin = of(&store, "weather", limits);
    plugin.kv_set("key", b"1234567").expect("less than before");
    plugin
        .kv_set("key", b"12345678")
        .expect_err("more than before");
}

#[test]
fn a_host_without_a_store_says_so() {
    let base = std::env::temp_dir();
    let error = Asked::default()
        .mediator(&base)
        .kv_get("a")
        .expect_err("there is none");
    assert_eq!(
        parts(&error),
        (
            ErrorKind::Unsupported,
            "unsupported-here",
            "this host has no key-value store: it was set up without a state directory"
        )
    );
}

#[test]
fn a_store_that_somebody_has_open_or_that_is_damaged_is_refused() {
    let setting = Setting::new();
    let store = setting.open();
    let refused = KeyValueStore::open(&setting.path).expect_err("it is open already");
    assert_eq!(refused.code.id, "kv-open");
    assert_eq!(
        refused.hint.as_deref(),
        Some("end the other process, or give each its own file")
    );
    drop(store);
    std::fs::write(&setting.path, vec![7; 8192]).expect("a file");
    let refused = KeyValueStore::open(&setting.path).expect_err("it is no database");
    assert_eq!(refused.code.id, "kv-open");
    assert_eq!(
        std::fs::read(&setting.path).expect("it is there"),
        vec![7; 8192]
    );
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_a_new_store() {
    use std::os::unix::fs::PermissionsExt;
    let setting = Setting::new();
    let _store = setting.open();
    let mode = std::fs::metadata(&setting.path)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
