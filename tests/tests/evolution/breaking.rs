//! Changes that no minor may make: each is refused, in one line that says which method and what.

use codec::{Codec, CodecHandle};
use keyway_host::{Host, HostError, HostErrorKind, LoadOptions};
use keyway_tests::{host, plugin};
use serde_json::json;

/// The variants that the plugin can offer, and why each is refused.
const REFUSED: [(&str, &str); 8] = [
    (
        "renamed",
        "method 2: expected `decode`, found `unpack`; methods may only be appended",
    ),
    (
        "argument_type",
        "method `encode`, argument `text`: expected type `RStr`, found `RString`",
    ),
    (
        "argument_field",
        "method `measure`, argument `span`: type `Span` has another layout: field `end`: \
         expected `u32`, found `u64`",
    ),
    (
        "argument_added",
        "method `encode`: expected 1 arguments, found 2",
    ),
    (
        "result_type",
        "method `encode`, result: expected type `RString`, found `RVec<u8>`",
    ),
    (
        "became_async",
        "method `encode`: expected it to be not async, found it async",
    ),
    (
        "reordered",
        "method 0: expected `encode`, found `measure`; methods may only be appended",
    ),
    (
        "removed",
        "method `decode` is required, and the implementation ends after 2 of 4 methods",
    ),
];

async fn load(host: &Host, variant: &str) -> Result<(), HostError> {
    let config = json!({ "offers": variant });
    let config = config.as_object().expect("it is one").clone();
    host.load_with(plugin("codec"), LoadOptions::new().config(config))
        .await?;
    Ok(())
}

fn check(error: &HostError, variant: &str, expected: &str) {
    assert_eq!(error.kind(), HostErrorKind::Layout, "{variant}: {error}");
    let expected = format!("interface acme.codec/1: {expected}");
    assert_eq!(error.message(), expected, "{variant}");
    let plugin = error.plugin().expect("it says which plugin");
    assert!(plugin.contains("codec"), "{variant}: {plugin}");
    let differ_inside = error.message().contains("type `");
    let details = error.details().unwrap_or_default();
    assert_eq!(
        details.contains("Compared <this>"),
        differ_inside,
        "{variant}: {details}"
    );
}

#[test]
fn a_breaking_change_is_refused_when_the_plugin_is_loaded() {
    let host = host();
    host.block_on(async {
        // The host knows the extension point from here on.
        let unknown = host
            .capability::<CodecHandle>("rot13")
            .expect_err("nothing is loaded");
        assert_eq!(unknown.kind(), HostErrorKind::NotFound);
        for (variant, expected) in REFUSED {
            let error = load(&host, variant).await.expect_err(variant);
            check(&error, variant, expected);
        }
        // None of them left anything behind.
        host.load(plugin("codec")).await.expect("the original fits");
        let codec = host
            .capability::<CodecHandle>("rot13")
            .expect("it is offered");
        assert_eq!(codec.encode("Hello").expect("it works"), "Uryyb");
    });
}

#[test]
fn a_breaking_change_is_refused_when_the_application_asks_for_a_handle() {
    for (variant, expected) in REFUSED {
        let host = host();
        host.block_on(async {
            load(&host, variant)
                .await
                .expect("the host does not know the extension point yet");
            let error = host.capability::<CodecHandle>("rot13").expect_err(variant);
            check(&error, variant, expected);
        });
    }
}
