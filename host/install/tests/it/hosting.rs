//! What a lockfile says is what a host loads, byte by byte.

use std::path::{Path, PathBuf};

use keyway_host::{Enablement, Host, HostBuilder, PluginStatus, Runtime};
use keyway_install::{Home, InstallError, Installer, Source};
use keyway_tests::host_builder;
use keyway_tests::many::Part;
use serde_json::json;
use tempfile::TempDir;

struct Site {
    dir: TempDir,
    installer: Installer,
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let home = Home::under(dir.path().join("home"));
        let lock = home.lock_file();
        let installer = Installer::new(home, lock).expect("an installer");
        Site { dir, installer }
    }

    fn install(&self, part: &Part) {
        let library = part.write(self.dir.path());
        self.install_from(&Source::Library { path: library });
    }

    fn install_from(&self, source: &Source) {
        let held = self.installer.hold("a test", |_| {}).expect("a turn");
        let plan = self.installer.plan_install(source).expect("a plan");
        self.installer
            .apply(plan, &held, false)
            .expect("it is done");
    }

    fn equipped(&self) -> (HostBuilder, Vec<InstallError>) {
        let lock = self.installer.lock().expect("a lockfile");
        lock.equip(host_builder(), self.installer.store())
    }

    /// The library of an installed plugin, in the store.
    fn library(&self, id: &str) -> PathBuf {
        let lock = self.installer.lock().expect("a lockfile");
        let locked = lock.get(id).expect("it is installed");
        locked
            .hosted(self.installer.store())
            .expect("it is there")
            .path
    }
}

/// A plugin that serves.
fn status(host: &Host, id: &str) -> Option<PluginStatus> {
    let mut plugins = host.plugins().into_iter();
    plugins.find(|plugin| plugin.id == id && plugin.serves)
}

/// Puts another file in the place of one in the store.
fn tamper(library: &Path, with: &[u8]) {
    std::fs::remove_file(library).expect("it is there");
    std::fs::write(library, with).expect("a file");
}

#[test]
fn a_host_loads_what_the_lockfile_says() {
    let site = Site::new();
    site.install(&Part::new("one").version("1.2.0"));
    site.install(&Part::new("two").needs("one", json!("^1")));
    let (builder, errors) = site.equipped();
    assert!(errors.is_empty(), "{errors:?}");
    let host = builder.build().expect("a host");
    let report = host.block_on(host.start_all()).expect("they start");
    assert!(report.is_ok(), "{report:?}");
    for (id, version) in [("one", "1.2.0"), ("two", "1.0.0")] {
        let status = status(&host, id).expect("it serves");
        assert_eq!(status.version.to_string(), version);
        assert_eq!(status.path.as_deref(), Some(&*site.library(id)));
    }
    let answer = host.block_on(host.tool("two").expect("a tool").call(json!({})));
    answer.expect("it answers");
}

#[test]
fn a_file_in_the_store_that_was_tampered_with_is_refused_and_runs_nothing() {
    let site = Site::new();
    site.install(&Part::new("one"));
    site.install(&Part::new("two"));
    let library = site.library("one");
    // A plugin in all respects, but not the one that was installed.
    tamper(&library, &Part::new("one").version("6.6.6").library());
    let (builder, errors) = site.equipped();
    assert!(errors.is_empty(), "{errors:?}");
    let host = builder.build().expect("a host");
    let report = host.block_on(host.start_all()).expect("the others start");
    assert!(!report.is_ok());
    assert!(status(&host, "one").is_none());
    assert!(status(&host, "two").is_some());
    let records = host.records();
    let one = records
        .iter()
        .find(|record| record.id.as_ref().is_some_and(|id| id.as_str() == "one"));
    let one = one.expect("it has a record");
    assert_eq!(one.enablement, Enablement::Enabled);
    let Runtime::Failed { .. } = &one.runtime else {
        panic!("{:?}", one.runtime);
    };
    // The same when it is loaded by its path.
    let error = host
        .block_on(host.load(&library))
        .expect_err("it is refused");
    assert_eq!(error.code(), "plugin-not-pinned");
    assert!(
        error
            .to_string()
            .contains("the file is not the one that was installed: expected blake3:"),
        "{error}"
    );
}

#[test]
fn a_reload_of_a_file_that_was_tampered_with_leaves_the_version_that_serves() {
    let site = Site::new();
    site.install(&Part::new("one"));
    let (builder, _) = site.equipped();
    let host = builder.build().expect("a host");
    host.block_on(host.start_all()).expect("it starts");
    tamper(
        &site.library("one"),
        &Part::new("one").version("6.6.6").library(),
    );
    let report = host.block_on(host.reload("one")).expect("a report");
    assert!(!report.outcome.is_committed(), "{:?}", report.outcome);
    let status = status(&host, "one").expect("it serves on");
    assert_eq!(status.version.to_string(), "1.0.0");
}

#[test]
fn a_package_that_is_gone_is_told_and_the_others_run() {
    let site = Site::new();
    site.install(&Part::new("one"));
    site.install(&Part::new("two"));
    let library = site.library("one");
    std::fs::remove_dir_all(library.parent().expect("its package")).expect("it is there");
    let (builder, errors) = site.equipped();
    let [error] = &errors[..] else {
        panic!("{errors:?}");
    };
    assert_eq!(error.code(), "package-missing");
    assert_eq!(error.plugin(), Some("'one' v1.0.0"));
    let host = builder.build().expect("a host");
    host.block_on(host.start_all()).expect("the other starts");
    assert!(status(&host, "two").is_some());
}

#[test]
fn what_was_agreed_to_is_granted_to_the_very_library_that_was_installed() {
    let site = Site::new();
    let asks = json!({ "network": ["api.example.com:443"], "filesystem": { "read": ["data"] } });
    site.install(&Part::new("one").with("permissions", asks));
    let lock = site.installer.lock().expect("a lockfile");
    let (builder, _) = site.equipped();
    let host = builder
        .approver(lock.approvals(site.installer.store()))
        .build()
        .expect("a host");
    let report = host.block_on(host.start_all()).expect("it starts");
    assert!(report.is_ok(), "{report:?}");
    let hosted = lock
        .get("one")
        .expect("it is installed")
        .hosted(site.installer.store());
    let hosted = hosted.expect("it is there");
    let data = hosted.path.with_file_name("data");
    assert_eq!(
        hosted.granted.lines(),
        [
            "connect to api.example.com:443".to_owned(),
            format!("read {}", data.display())
        ]
    );
}

#[test]
fn a_linked_directory_is_followed() {
    let site = Site::new();
    let dir = site.dir.path().join("developed");
    std::fs::create_dir(&dir).expect("a directory");
    Part::new("one").write(&dir);
    site.install_from(&Source::Directory {
        path: dir.clone(),
        link: true,
    });
    let (builder, errors) = site.equipped();
    assert!(errors.is_empty(), "{errors:?}");
    let host = builder.build().expect("a host");
    host.block_on(host.start_all()).expect("it starts");
    Part::new("one").version("1.1.0").write(&dir);
    let report = host.block_on(host.reload("one")).expect("a report");
    assert!(report.outcome.is_committed(), "{:?}", report.outcome);
    let status = status(&host, "one").expect("it serves");
    assert_eq!(status.version.to_string(), "1.1.0");
}
