//! The plugin under measurement: built by cargo in release, and opened beside the host for what it
//! exports besides.
#![expect(unsafe_code, reason = "reads a symbol of a library")]

use std::path::{Path, PathBuf};

use keyway_host::{Host, HostBuilder};
use libloading::Library;
use semver::Version;

use crate::bare::{BareAdderBox, Peers};
use crate::build::Crate;

/// Builds the plugin; answers its library.
pub(crate) fn build() -> Result<PathBuf, String> {
    let plugin = Crate {
        package: "bench-plugin",
        what: "--lib",
        features: "stabby",
        strip: "debuginfo",
        env: &[],
    };
    plugin.build(std::env::consts::DLL_EXTENSION)
}

pub(crate) fn host_builder() -> HostBuilder {
    Host::builder("overhead", Version::new(1, 0, 0))
}

/// What the plugin exports besides, from a mapping of its own.
pub(crate) struct Opened {
    pub(crate) peers: &'static Peers,
    pub(crate) bare_adder: BareAdderBox,
}

pub(crate) fn open(path: &Path) -> Result<Opened, libloading::Error> {
    // SAFETY: the library was built from this workspace a moment ago.
    let library: &'static Library = Box::leak(Box::new(unsafe { Library::new(path) }?));
    // SAFETY: the symbol names a static of this type, from the same source file.
    let peers: &'static Peers = unsafe { *library.get::<&'static Peers>(b"keyway_bench_peers\0")? };
    Ok(Opened {
        peers,
        bare_adder: (peers.bare_adder)(),
    })
}
