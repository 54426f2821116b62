//! Plugins that are reloaded together take over together.

use keeps_state::{Counter, CounterHandle};
use keyway_host::{Host, LoadOptions};
use keyway_tests::variant;

use super::scene::{NAME, assert_committed, without_probation};

fn load(host: &Host, namespace: &str, path: &std::path::Path) -> CounterHandle {
    let options = LoadOptions::new().namespace(namespace);
    host.block_on(host.load_with(path, options))
        .expect("it loads");
    host.capability(&format!("{namespace}/counter"))
        .expect("it is offered")
}

#[test]
fn all_plugins_whose_files_have_changed_are_reloaded_and_nobody_sees_the_old_after_the_new() {
    let host = without_probation().build().expect("a host");
    let home = tempfile::tempdir().expect("a directory");
    let files = ["a", "b"].map(|name| home.path().join(name));
    let put = |version: &str| {
        let library = std::fs::read(variant(NAME, version)).expect("a library");
        for file in &files {
            std::fs::write(file.with_extension("new"), &library).expect("a file");
            std::fs::rename(file.with_extension("new"), file).expect("it takes its place");
        }
    };
    put("v1");
    let a = load(&host, "a", &files[0]);
    let b = load(&host, "b", &files[1]);
    let version = |counter: &CounterHandle| counter.version().expect("no call fails");
    std::thread::scope(|scope| {
        let callers = [(&a, &b), (&b, &a)].map(|(first, second)| {
            scope.spawn(move || {
                loop {
                    let (one, other) = (version(first), version(second));
                    assert!(one <= other, "{one} and afterwards {other}");
                    if one == "0.1.1" {
                        return;
                    }
                }
            })
        });
        put("v2");
        let reports = host.block_on(host.reload_all()).expect("the host lives");
        assert_eq!(reports.len(), 2);
        reports.iter().for_each(|report| assert_committed(report));
        for caller in callers {
            caller.join().expect("nobody saw the old after the new");
        }
    });
}
