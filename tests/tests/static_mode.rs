//! Plugins that are linked into the application, next to each other and through the same tables
//! as libraries.

use std::panic::PanicHookInfo;
use std::sync::{Mutex, Once, PoisonError};

use image_filter::{ImageFilter, ImageFilterHandle, ImagePlugin};
use keyway::{ErrorKind, Exported};
use keyway_host::{Host, HostErrorKind, LoadOptions};
use keyway_tests::host;
use misbehaves::{Misbehaves, Trouble, TroubleHandle};
use serde_json::json;
use text_filter::TextFilter;

/// What the application's own panic hook has seen.
static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A host with three plugins of three crates, in an application that has a panic hook.
fn application() -> Host {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let harness = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
            // The panics of interest have a message with arguments.
            if let Some(text) = info.payload().downcast_ref::<String>() {
                let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
                seen.push(text.clone());
            }
            harness(info);
        }));
    });
    let host = host();
    host.block_on(async {
        let start = LoadOptions::new;
        let text = host.register_static::<TextFilter>(start()).await;
        let image = host.register_static::<ImagePlugin>(start()).await;
        let bad = host.register_static::<Misbehaves>(start()).await;
        for started in [text, image, bad] {
            let status = started.expect("it starts");
            assert_eq!(
                (status.path, status.staged, status.hash),
                (None, None, None)
            );
            assert!(status.warnings.is_empty(), "{:?}", status.warnings);
        }
    });
    host
}

#[test]
fn several_plugins_live_in_one_binary_each_with_a_descriptor_of_its_own() {
    let descriptors = [
        TextFilter::descriptor(),
        ImagePlugin::descriptor(),
        Misbehaves::descriptor(),
    ];
    for (index, one) in descriptors.iter().enumerate() {
        for other in &descriptors[index + 1..] {
            assert!(!std::ptr::eq(*one, *other));
            assert_ne!(one.note(), other.note());
        }
    }
    let host = application();
    let names: Vec<_> = host
        .plugins()
        .into_iter()
        .map(|plugin| plugin.name)
        .collect();
    assert_eq!(names, ["image-filter", "misbehaves", "text-filter"]);
}

#[test]
fn linked_plugins_do_the_same_work_as_libraries() {
    let host = application();
    let filter = host
        .capability::<ImageFilterHandle>("invert")
        .expect("it is offered");
    let mut pixels = [0, 255];
    assert_eq!(filter.apply(&mut pixels, 2).expect("it works"), 2);
    assert_eq!(pixels, [255, 0]);
    let redact = host.tool("redact").expect("it is offered");
    let answer = host.block_on(redact.call(json!({ "text": "mail bob@example.com" })));
    let answer = answer.expect("it works");
    assert_eq!(answer["findings"][0]["kind"], "email");
    // Arguments are checked against the schema before the plugin is called, here as well.
    let error = host.block_on(redact.call(json!({ "txt": "mail" })));
    let error = error.expect_err("there is no such argument");
    assert_eq!(error.error_code(), "invalid-arguments");
}

#[test]
fn one_plugin_can_serve_several_times_and_again_after_it_stopped() {
    let host = application();
    host.block_on(async {
        let error = host
            .register_static::<ImagePlugin>(LoadOptions::new())
            .await
            .expect_err("its name is taken");
        assert_eq!(error.kind(), HostErrorKind::AlreadyLoaded);
        host.register_static::<ImagePlugin>(LoadOptions::new().namespace("second"))
            .await
            .expect("it starts");
        let first = host
            .capability::<ImageFilterHandle>("invert")
            .expect("it is offered");
        let second = host
            .capability::<ImageFilterHandle>("second/invert")
            .expect("it is offered");
        assert_eq!(second.sum(&[1, 2]).expect("it works"), 3);
        host.stop("image-filter").await.expect("it ends well");
        let error = first.sum(&[1, 2]).expect_err("nobody serves");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(second.sum(&[1, 2]).expect("it works"), 3);
        host.register_static::<ImagePlugin>(LoadOptions::new())
            .await
            .expect("it starts again");
        assert_eq!(first.sum(&[1, 2]).expect("the handle serves again"), 3);
    });
}

#[test]
fn a_contained_panic_still_reaches_the_hook_of_the_application() {
    let host = application();
    let trouble = host
        .capability::<TroubleHandle>("trouble")
        .expect("it is offered");
    let error = trouble.panic("where all can hear").expect_err("it panics");
    assert_eq!(error.kind(), ErrorKind::Panicked);
    let location = error.location().expect("the place of the panic");
    assert!(location.contains("trouble.rs:"), "{location}");
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let heard = seen
        .iter()
        .filter(|text| text.contains("where all can hear"));
    assert_eq!(heard.count(), 1, "{seen:?}");
}

#[test]
#[should_panic(expected = "the test's own")]
fn the_test_harness_still_sees_panics_of_its_tests() {
    let host = application();
    let trouble = host
        .capability::<TroubleHandle>("trouble")
        .expect("it is offered");
    trouble.panic("contained").expect_err("it panics");
    panic!("the test's own");
}
