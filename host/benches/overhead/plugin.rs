//! The plugin under measurement: built by cargo in release, and opened beside the host for what it
//! exports besides.
#![expect(unsafe_code, reason = "reads a symbol of a library")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keyway_host::{Host, HostBuilder};
use libloading::Library;
use semver::Version;
use serde_json::Value;

use crate::calls::{BareAdderBox, Peers};

/// Builds the plugin; answers its library.
pub(crate) fn build() -> Result<PathBuf, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["rustc", "--lib", "--release", "-p", "bench-plugin"])
        .args([
            "--features",
            "stabby",
            "--message-format=json-render-diagnostics",
        ])
        // As in cargo's own release profile; this workspace keeps line tables, and std's would
        // make the library ten times as large.
        .args(["--", "-C", "strip=debuginfo"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit());
    // What cargo sets for a benchmark must not leak into a build that it starts.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_CFG_") {
            cargo.env_remove(&name);
        }
    }
    let output = cargo
        .output()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err("cargo could not build the plugin bench-plugin".to_owned());
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(library_of_message)
        .ok_or_else(|| "cargo reported no library of the plugin".to_owned())
}

fn library_of_message(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message["target"]["name"] != "bench_plugin" {
        return None;
    }
    let files = message["filenames"].as_array()?;
    files
        .iter()
        .filter_map(|file| Some(PathBuf::from(file.as_str()?)))
        .find(|file| {
            let extension = file.extension().and_then(|extension| extension.to_str());
            extension == Some(std::env::consts::DLL_EXTENSION)
        })
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
