//! Plugins of an older major of a capability on a host that has a newer one, over a real library.

use image_filter::{ImageFilter, ImageFilterHandle};
use keyway::{ErrorKind, Result};
use keyway_host::{
    Call, Decision, Deprecation, Host, HostBuilder, HostErrorKind, LoadOptions, Signal,
};
use keyway_tests::plugin;
use keyway_tests::scene::told;
use semver::Version;

/// What an application made of `acme.image-filter` later.
#[keyway::capability(id = "acme.image-filter", version = 2)]
pub trait Filter: Send + Sync {
    /// The pixels, changed.
    fn filtered(&self, pixels: Vec<u8>, width: u32) -> Result<Vec<u8>>;

    /// The title, and that it came by way of the older one.
    async fn name(&self) -> Result<String>;
}

struct FromV1(ImageFilterHandle);

impl Filter for FromV1 {
    fn filtered(&self, mut pixels: Vec<u8>, width: u32) -> Result<Vec<u8>> {
        self.0.apply(&mut pixels, width)?;
        Ok(pixels)
    }

    async fn name(&self) -> Result<String> {
        Ok(format!("{}, of the first major", self.0.title().await?))
    }
}

fn builder() -> HostBuilder {
    Host::builder("adapters", Version::new(2, 0, 0))
        .adapter::<ImageFilterHandle, FilterHandle>(|old| FilterHandle::provide(FromV1(old)))
}

fn load(builder: HostBuilder) -> Host {
    let host = builder.build().expect("a host");
    host.block_on(host.load(plugin("image-filter")))
        .expect("it loads");
    host
}

#[test]
fn what_an_older_plugin_offers_serves_as_the_newer_capability_and_over_reloads() {
    let host = load(builder());
    let filter: FilterHandle = host.capability("invert").expect("it is adapted");
    assert_eq!(
        filter.filtered(vec![0, 255], 2).expect("it works"),
        [255, 0]
    );
    let name = host.block_on(filter.name()).expect("it works");
    assert_eq!(name, "Invert, of the first major");
    let error = filter
        .filtered(vec![1], 0)
        .expect_err("a width of 0 makes no sense");
    assert_eq!(
        error.kind(),
        ErrorKind::InvalidInput,
        "its errors come through"
    );

    let old: ImageFilterHandle = host.capability("invert").expect("the older one serves too");
    assert_eq!(old.sum(&[1, 2]).expect("it works"), 3);

    let again = keyway_host::ReloadOptions::new().force();
    let report = host
        .block_on(host.reload_with("image-filter", again))
        .expect("it is loaded");
    assert!(report.outcome.is_committed(), "{:?}", report.outcome);
    assert_eq!(filter.filtered(vec![7], 1).expect("it serves on"), [248]);

    host.block_on(host.stop("image-filter")).expect("it ends");
    let error = filter.filtered(vec![7], 1).expect_err("nobody serves");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let left = host.wait_for_unload(std::time::Duration::from_secs(30));
    assert_eq!(
        left.open, 0,
        "the adapted object held nothing back: {left:?}"
    );
}

#[test]
fn the_calls_behind_an_adapted_one_are_limited_and_decided_on_once() {
    let calls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let seen = std::sync::Arc::clone(&calls);
    let host = load(builder().max_concurrency(1).policy(move |call: &Call| {
        assert_eq!(
            (&*call.capability, &*call.name),
            ("acme.image-filter", "invert")
        );
        seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Decision::Allow
    }));
    let filter: FilterHandle = host.capability("invert").expect("it is adapted");
    filter
        .filtered(vec![1], 1)
        .expect("one call at a time fits the limit");
    host.block_on(filter.name()).expect("it fits the limit");
    assert_eq!(calls.load(std::sync::atomic::Ordering::Relaxed), 2);
}

#[test]
fn an_adapter_that_makes_something_else_refuses_the_plugin_and_says_so() {
    let host = Host::builder("adapters", Version::new(2, 0, 0))
        .adapter::<ImageFilterHandle, FilterHandle>(|_| {
            ImageFilterHandle::provide(image_filter::Invert)
        })
        .build()
        .expect("a host");
    let error = host
        .block_on(host.load(plugin("image-filter")))
        .expect_err("it is wrong");
    assert_eq!(error.kind(), HostErrorKind::Registration);
    assert_eq!(
        error.message(),
        "the application's adapter of acme.image-filter/1 `invert` made another capability: expected \
         acme.image-filter/2, found acme.image-filter/1"
    );
}

#[test]
fn a_deprecated_capability_is_served_with_a_warning_that_says_what_to_do() {
    let deprecation = Deprecation::since("1.4.0")
        .replaced_by("acme.image-filter/2")
        .removed_in("3.0.0");
    let host = Host::builder("adapters", Version::new(2, 0, 0))
        .deprecated::<ImageFilterHandle>(deprecation.clone())
        .build()
        .expect("a host");
    let load = host.load_with(plugin("image-filter"), LoadOptions::new());
    let status = host.block_on(load).expect("it is served all the same");
    assert_eq!(
        told(&status.warnings),
        [
            "deprecated-capability: offers acme.image-filter/1 `invert`: deprecated since 1.4.0, removed in 3.0.0; hint: offer \
          acme.image-filter/2 in its place"
        ]
    );
    assert_eq!(status.signal(), Signal::Legacy);
    assert_eq!(
        host.deprecations(),
        [("acme.image-filter/1".to_owned(), deprecation)]
    );
}
