//! The kit for tests, on real plugins: as authors use it in their crates, and as embedders do.

use image_filter::{ImageFilter, ImageFilterHandle, ImagePlugin};
use keyway::testing::{TestContext, TestPlugin, block_on};
use keyway_host::testing::TestHost;
use keyway_host::{EventKind, HostErrorKind};
use keyway_tests::plugin;
use serde_json::json;
use text_filter::TextFilter;

#[test]
fn a_test_instance_has_what_the_plugin_registers_and_works_without_a_host() {
    let context = TestContext::new().config(json!({ "replacement": "*" }));
    let filter = block_on(TestPlugin::<TextFilter>::activate(context)).expect("it activates");
    assert!(filter.has("tool", "redact"));
    assert!(!filter.has("tool", "stage"));
    filter.contract().assert_kept();
    let answer = block_on(filter.call("redact", json!({ "text": "bob@example.com" })));
    assert_eq!(answer.expect("it works")["text"], "*");
    block_on(filter.health()).expect("it is well");
    assert_eq!(filter.audit(), [], "it asks its host for nothing");
}

#[test]
fn an_extension_point_of_an_application_is_there_by_its_handle() {
    let filters = block_on(TestPlugin::<ImagePlugin>::activate(TestContext::new()));
    let filters = filters.expect("it activates");
    assert!(filters.has("acme.image-filter", "invert"));
    let invert = filters.capability::<ImageFilterHandle>("invert");
    let mut pixels = [0, 255, 7];
    invert
        .expect("it is one")
        .apply(&mut pixels, 3)
        .expect("it works");
    assert_eq!(pixels, [255, 0, 248]);
    let error = filters.capability::<ImageFilterHandle>("blur");
    let error = error.expect_err("there is none of this name");
    assert_eq!(
        error.message(),
        "the plugin did not register acme.image-filter `blur`: it registered acme.image-filter `invert`"
    );
}

#[test]
fn a_test_host_loads_a_library_and_tells_what_it_has_and_whether_it_keeps_its_contract() {
    let host = TestHost::new();
    host.load(plugin("text-filter"), json!({ "replacement": "*" }))
        .expect("it loads");
    assert!(host.has("tool", "redact") && host.has("pipeline-stage", "redact"));
    host.contract("text-filter").assert_kept();
    let answer = host.call("redact", json!({ "text": "bob@example.com" }));
    assert_eq!(answer.expect("it works")["text"], "*");
    let error = host.call("reduct", json!({})).expect_err("there is none");
    assert!(error.message().contains("did you mean"), "{error}");
    let wrong = json!({ "replacement": 7 });
    host.block_on(host.host().stop("text-filter"))
        .expect("it stops");
    let error = host.load(plugin("text-filter"), wrong);
    assert_eq!(
        error.expect_err("it is a number").kind(),
        HostErrorKind::Config
    );
}

#[test]
fn a_linked_plugin_and_a_library_are_the_same_to_a_test_host() {
    let host = TestHost::new();
    let linked = host.load_static::<TextFilter>(json!({})).expect("it loads");
    assert_eq!(linked.path, None);
    host.contract("text-filter").assert_kept();
    assert!(host.has("tools", "redact"));
}

#[test]
fn what_happens_is_captured_from_the_beginning_and_waited_for_without_a_sleep() {
    let host = TestHost::new();
    host.load(plugin("text-filter"), json!({}))
        .expect("it loads");
    host.block_on(host.host().stop("text-filter"))
        .expect("it stops");
    host.load(plugin("text-filter"), json!({}))
        .expect("it loads");
    // In any order, and each once.
    let stopped = |kind: &EventKind| matches!(kind, EventKind::Stopped { .. });
    let loaded = |kind: &EventKind| matches!(kind, EventKind::Loaded { .. });
    host.events().wait_for(|event| stopped(&event.kind));
    let first = host.events().wait_for(|event| loaded(&event.kind));
    let second = host.events().wait_for(|event| loaded(&event.kind));
    assert!(first.at <= second.at);
    assert_eq!(&*second.plugin, "text-filter");
    let all = host.events().all();
    assert_eq!(all.iter().filter(|event| loaded(&event.kind)).count(), 2);
}

#[test]
fn the_files_of_a_test_host_are_in_a_directory_of_its_own() {
    let host = TestHost::with(|builder| builder.max_concurrency(3));
    host.load(plugin("text-filter"), json!({}))
        .expect("it loads");
    let dir = host.dir().to_owned();
    let staged = host.host().plugin("text-filter").expect("it runs").staged;
    assert!(staged.expect("it was copied").starts_with(&dir));
}
