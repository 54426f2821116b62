//! What the integration tests share: plugins built by cargo, and hosts to load them into.
//!
//! Fixtures are crates under `tests/fixtures`, each named for what it does, or for what it does
//! wrong. They are built by the same cargo, into the same target directory and with the same
//! profile as the tests, once per test process; what is built already costs a fraction of a
//! second.

pub mod any_input;
#[cfg(target_os = "linux")]
pub mod binary;
pub mod child;
pub mod edited;
#[cfg(target_os = "linux")]
pub mod many;
pub mod poll;
mod rustc;
pub mod scene;
#[cfg(target_os = "linux")]
pub mod scripted;
pub mod web;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use keyway_host::{Host, HostBuilder};

pub use rustc::rustc_cdylib;

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie inside the workspace")
}

/// The library of a fixture or example, by the name of its directory.
///
/// # Panics
///
/// When the fixtures do not build, or there is none of this name.
pub fn plugin(package: &str) -> PathBuf {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| cargo_libraries(&mut build_of_all_fixtures()));
    built
        .get(package)
        .unwrap_or_else(|| panic!("no fixture {package}: {built:?}"))
        .clone()
}

/// One of the versions that a fixture comes in, each an example of its package:
/// `variant("keeps-state", "v2")` is the example `keeps_state_v2`.
///
/// # Panics
///
/// When they do not build, or there is none of this name.
pub fn variant(package: &str, name: &str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, BTreeMap<String, PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let variants = built.entry(package.to_owned()).or_insert_with(|| {
        let mut build = cargo(&["build", "-p", package, "--examples"]);
        libraries_by(&mut build, |message| {
            Some(message["target"]["name"].as_str()?.to_owned())
        })
    });
    let example = format!("{}_{name}", package.replace('-', "_"));
    variants
        .get(&example)
        .unwrap_or_else(|| panic!("no example {example}: {variants:?}"))
        .clone()
}

/// The packages of the examples that are plugins. [`plugin`] knows each by the name of its directory.
const EXAMPLES: [&str; 5] = [
    "text-filter",
    "gateway-accounts",
    "gateway-geo",
    "gateway-greeter",
    "gateway-quota",
];

/// The build of all fixtures and examples at once, so that each of them links the same `keyway`.
fn build_of_all_fixtures() -> Command {
    let mut packages: Vec<String> = std::fs::read_dir(workspace().join("tests/fixtures"))
        .expect("the fixtures are there")
        .filter_map(|entry| {
            let entry = entry.expect("a readable directory");
            let is_crate = entry.path().join("Cargo.toml").is_file();
            is_crate.then(|| entry.file_name().to_string_lossy().into_owned())
        })
        // What it enables in `keyway` would be enabled for all that is built along with it.
        .filter(|package| !["asks", "async-plugin", "soaks"].contains(&package.as_str()))
        .collect();
    packages.extend(EXAMPLES.map(str::to_owned));
    packages.sort();
    let mut args = vec!["build".to_owned()];
    args.extend(
        packages
            .into_iter()
            .flat_map(|package| ["-p".to_owned(), package]),
    );
    cargo(&args)
}

/// The cargo that runs the tests, at the root of the workspace.
pub fn cargo<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(args).current_dir(workspace());
    // What cargo sets for a test must not leak into a build that the test starts.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_CFG_") {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Runs a `cargo build`; answers the dynamic libraries that it made, by package name.
///
/// # Panics
///
/// With cargo's own output when it fails.
pub fn cargo_libraries(build: &mut Command) -> BTreeMap<String, PathBuf> {
    libraries_by(build, |message| {
        let manifest = Path::new(message["manifest_path"].as_str()?);
        let directory = manifest.parent()?.file_name()?;
        Some(directory.to_string_lossy().into_owned())
    })
}

/// Runs a `cargo build`; answers the dynamic libraries that it made, by what `name` reads from the
/// message about each.
fn libraries_by(
    build: &mut Command,
    name: impl Fn(&serde_json::Value) -> Option<String>,
) -> BTreeMap<String, PathBuf> {
    let output = build
        .arg("--message-format=json-render-diagnostics")
        .output()
        .expect("cargo can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{build:?} failed:\n{errors}");
    String::from_utf8(output.stdout)
        .expect("cargo writes UTF-8")
        .lines()
        .filter_map(|line| {
            let message = serde_json::from_str(line).ok()?;
            Some((name(&message)?, library_of_message(&message)?))
        })
        .collect()
}

fn library_of_message(message: &serde_json::Value) -> Option<PathBuf> {
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    let is_cdylib = message["target"]["crate_types"]
        .as_array()?
        .iter()
        .any(|ty| ty == "cdylib");
    if !is_cdylib {
        return None;
    }
    let extension = std::env::consts::DLL_EXTENSION;
    message["filenames"]
        .as_array()?
        .iter()
        .filter_map(|name| Some(PathBuf::from(name.as_str()?)))
        .find(|name| name.extension().is_some_and(|found| found == extension))
}

/// A host of an application `tests` at version 1.0.0, to be set up further.
pub fn host_builder() -> HostBuilder {
    Host::builder("tests", semver::Version::new(1, 0, 0))
}

/// A host of an application `tests` at version 1.0.0.
///
/// # Panics
///
/// When it cannot be made.
pub fn host() -> Host {
    host_builder().build().expect("a host with default options")
}
