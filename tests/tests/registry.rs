//! Who may offer what, what is told of changes, and what kind of plugin it makes one, in static mode.

use std::sync::Arc;

use image_filter::ImageFilterHandle;
use keyway::memory::{MemoryBackend, MemoryBackendHandle, MemoryEntry, MemoryHit, MemoryQuery};
use keyway::{Activation, Context, Json, Plugin, Result};
use keyway_host::{Event, EventKind, Events, Host, HostBuilder, HostErrorKind, LoadOptions, Shape};
use keyway_tests::plugin;
use semver::Version;

/// A backend that keeps nothing.
struct Forgetful;

impl MemoryBackend for Forgetful {
    async fn store(&self, _: Json<MemoryEntry>) -> Result<()> {
        Ok(())
    }

    async fn retrieve(&self, _: &str, _: &str) -> Result<Json<Option<MemoryEntry>>> {
        Ok(Json(None))
    }

    async fn delete(&self, _: &str, _: &str) -> Result<bool> {
        Ok(false)
    }

    async fn search(&self, _: Json<MemoryQuery>) -> Result<Json<Vec<MemoryHit>>> {
        Ok(Json(Vec::new()))
    }
}

mod one {
    use super::*;

    pub(super) struct One;
    keyway::export_plugin!(One, manifest = "manifests/memory-one.toml");

    impl Plugin for One {
        async fn prepare(_: Context) -> Result<Self> {
            Ok(One)
        }

        async fn activate(&self, activation: &mut Activation) -> Result<()> {
            activation.memory_backend("one", Forgetful)?;
            Ok(())
        }
    }
}

mod other {
    use super::*;

    pub(super) struct Other;
    keyway::export_plugin!(Other, manifest = "manifests/memory-other.toml");

    impl Plugin for Other {
        async fn prepare(_: Context) -> Result<Self> {
            Ok(Other)
        }

        async fn activate(&self, activation: &mut Activation) -> Result<()> {
            activation.memory_backend("other", Forgetful)?;
            Ok(())
        }
    }
}

fn builder() -> HostBuilder {
    Host::builder("registry", Version::new(1, 0, 0))
}

fn register<P: keyway::Exported>(
    host: &Host,
    options: LoadOptions,
) -> Result<(), keyway_host::HostError> {
    host.block_on(host.register_static::<P>(options)).map(drop)
}

#[test]
fn a_second_plugin_for_an_exclusive_capability_is_refused_and_both_are_named() {
    let host = builder().build().expect("a host");
    register::<one::One>(&host, LoadOptions::new()).expect("it is the first");
    let error = register::<other::Other>(&host, LoadOptions::new()).expect_err("it is the second");
    assert_eq!(error.kind(), HostErrorKind::Registration);
    assert_eq!(
        error.to_string(),
        "plugin 'memory-other' v0.1.0: offers keyway.memory-backend `other`, and one plugin at a time \
         may offer keyway.memory-backend: plugin 'memory-one' does, with `one`; hint: stop one of the \
         two, or name the one that is wanted under [slots]"
    );
    assert_eq!(host.names_of::<MemoryBackendHandle>(), ["one"]);

    register::<other::Other>(&host, LoadOptions::new().namespace("tenant"))
        .expect("a namespace is counted apart");
    assert_eq!(
        host.names_of::<MemoryBackendHandle>(),
        ["one", "tenant/other"]
    );

    host.block_on(host.stop("memory-one")).expect("it ends");
    register::<other::Other>(&host, LoadOptions::new()).expect("the place is free");
}

#[test]
fn an_application_decides_what_is_exclusive() {
    let host = builder()
        .shared::<MemoryBackendHandle>()
        .build()
        .expect("a host");
    register::<one::One>(&host, LoadOptions::new()).expect("it is the first");
    register::<other::Other>(&host, LoadOptions::new()).expect("there may be several");
    assert_eq!(host.names_of::<MemoryBackendHandle>(), ["one", "other"]);

    let host = builder()
        .exclusive::<ImageFilterHandle>()
        .build()
        .expect("a host");
    host.block_on(host.load(plugin("image-filter")))
        .expect("it is the first");
    host.block_on(host.reload_with("image-filter", keyway_host::ReloadOptions::new().force()))
        .expect("its own next version is no rival");
    assert_eq!(
        host.plugin("image-filter")
            .expect("it is loaded")
            .generation,
        2
    );
}

#[test]
fn changes_of_what_is_offered_are_told_with_the_epoch_that_they_made() {
    let host = builder().build().expect("a host");
    let mut events = host.events();
    let before = host.epoch();
    register::<one::One>(&host, LoadOptions::new()).expect("it loads");
    let loaded = host.epoch();
    host.block_on(host.stop("memory-one")).expect("it ends");
    let ended = host.epoch();
    assert!(before < loaded && loaded < ended);

    let (plugin, epoch, told) = offers(&host, &mut events);
    assert_eq!((&*plugin, epoch), ("memory-one", loaded));
    assert_eq!(told, "offers +keyway.memory-backend `one`");
    let (_, epoch, told) = offers(&host, &mut events);
    assert_eq!(epoch, ended);
    assert_eq!(told, "offers -keyway.memory-backend `one`");
}

/// The next change of what is offered.
fn offers(host: &Host, events: &mut Events) -> (Arc<str>, u64, String) {
    loop {
        let next = host.block_on(events.next());
        let Event { plugin, kind, .. } = next.expect("the host lives");
        if let EventKind::Offers { epoch, .. } = kind {
            return (plugin, epoch, kind.to_string());
        }
    }
}

#[test]
fn the_shape_of_a_plugin_follows_from_what_it_registered() {
    let host = builder().build().expect("a host");
    host.block_on(async {
        for name in ["image-filter", "text-filter", "runs-at-load"] {
            host.load(plugin(name)).await.expect("it loads");
        }
    });
    let shape = |name| host.plugin(name).expect("it is loaded").shape;
    assert_eq!(shape("image-filter"), Shape::Plain);
    assert_eq!(
        shape("text-filter"),
        Shape::Plain,
        "a pipeline stage, and tools besides"
    );
    assert_eq!(shape("runs-at-load"), Shape::NonCapability);
    assert_eq!(shape("runs-at-load").to_string(), "non-capability");
}
