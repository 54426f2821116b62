use std::path::Path;

use keyway_host::inspect::hash_bytes;
use proptest::prelude::*;

use super::*;

fn locked(id: &str, version: &str) -> Locked {
    Locked {
        id: PluginId::new(id).expect("an id"),
        version: Version::parse(version).expect("a version"),
        source: "library+/srv/libx.so".parse().expect("a source"),
        revision: None,
        interface: None,
        digest: Some(digest(id)),
        libraries: BTreeMap::new(),
        dependencies: BTreeMap::new(),
        permissions: Permissions::default(),
        pinned: false,
        requested: true,
    }
}

fn digest(of: &str) -> Digest {
    let hash = hash_bytes(of.as_bytes()).to_string();
    hash.parse().expect("a digest")
}

fn read(text: &str) -> Result<Lock> {
    Lock::from_toml(text, Path::new("plugins.lock"))
}

#[test]
fn the_example_of_the_reference_reads_and_is_written_in_the_same_way() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../LOCKFILE.md");
    let page = std::fs::read_to_string(page).expect("it is there");
    let example = page.split("```toml\n").nth(1).expect("an example");
    let (example, _) = example.split_once("```").expect("it ends");
    let lock = read(example).expect("it reads");
    let written = lock.to_toml();
    let (_, without_head) = written.split_once('\n').expect("a line at its head");
    assert_eq!(without_head, example);
    assert_eq!(lock.len(), 1);
}

#[test]
fn entries_are_sorted_whatever_came_first() {
    let mut one = Lock::default();
    let mut other = Lock::default();
    for id in ["b", "a", "c"] {
        one.set(locked(id, "1.0.0"));
    }
    for id in ["c", "b", "a"] {
        other.set(locked(id, "1.0.0"));
    }
    assert_eq!(one.to_toml(), other.to_toml());
    assert_eq!(read(&one.to_toml()).expect("it reads"), one);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let mut lock = Lock::default();
    lock.set(locked("one", "1.0.0"));
    let good = lock.to_toml();
    let entry = good.split_once("[[plugin]]").expect("an entry").1;
    let cases = [
        (
            good.replace("1.0.0", "1.0"),
            "plugin \"one\": version \"1.0\": unexpected end of input while parsing minor version number",
        ),
        (
            good.replace("\"one\"", "\"One\""),
            "plugin \"One\": id \"One\": contains 'O'",
        ),
        (
            format!("{good}[[plugin]]{entry}"),
            "plugin \"one\" is there twice",
        ),
        (
            good.replace("library+", "link+"),
            "plugin \"one\": it is a link, and has a digest",
        ),
        (
            good.lines()
                .filter(|line| !line.starts_with("digest"))
                .map(|line| format!("{line}\n"))
                .collect(),
            "plugin \"one\": it has no digest, and is no link",
        ),
    ];
    for (text, fault) in cases {
        let error = read(&text).expect_err(fault);
        assert_eq!(
            error.message(),
            format!("the lockfile does not read: {fault}")
        );
        assert_eq!(error.code(), "lockfile");
    }
}

#[test]
fn a_library_outside_of_its_package_is_refused() {
    let mut lock = Lock::default();
    let mut one = locked("one", "1.0.0");
    let library = Library {
        file: "../../evil.so".into(),
        hash: Some(hash_bytes(b"evil")),
    };
    one.libraries.insert("x".to_owned(), library);
    lock.set(one);
    let error = read(&lock.to_toml()).expect_err("it leads out");
    assert!(error.message().contains("has `..` in it"), "{error}");
}

#[test]
fn who_is_not_there_is_told_with_who_may_be_meant() {
    let mut lock = Lock::default();
    let id = PluginId::new("weathr").expect("an id");
    let hint = |lock: &Lock| {
        lock.require(&id)
            .expect_err("it is not")
            .advice()
            .map(str::to_owned)
    };
    assert_eq!(hint(&lock).as_deref(), Some("nothing is installed"));
    lock.set(locked("geocoding", "1.0.0"));
    assert_eq!(hint(&lock).as_deref(), Some("installed: geocoding"));
    lock.set(locked("weather", "1.0.0"));
    assert_eq!(hint(&lock).as_deref(), Some("did you mean weather?"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        let _ = read(&text);
        let _ = read(&format!("version = 1\n[[plugin]]\n{text}"));
    }

    #[test]
    fn what_is_written_reads_back(
        paths in prop::collection::vec("[a-zA-Z0-9 ./\"'\\\\\u{e9}-]{1,20}", 0..4),
        env in prop::collection::vec("[A-Z_]{1,8}", 0..3),
        all in any::<bool>(),
        pinned in any::<bool>(),
        revision in prop::option::of("[0-9a-f]{40}"),
    ) {
        let mut one = locked("one", "1.2.3-rc.1+build");
        one.permissions.filesystem.read = paths.into();
        one.permissions.env = env;
        one.permissions.network = all.into();
        one.pinned = pinned;
        one.revision = revision;
        let mut lock = Lock::default();
        lock.set(one);
        prop_assert_eq!(read(&lock.to_toml()).expect("it reads"), lock);
    }
}
