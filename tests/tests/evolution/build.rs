//! The host binary and the plugins in both minors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use keyway_tests::{cargo, plugin};
use serde_json::Value;

/// One build of everything that the tests pair up.
#[derive(Debug)]
pub(crate) struct Minor {
    pub(crate) host: PathBuf,
    pub(crate) plugin: PathBuf,
}

/// As everything else in the workspace is built.
pub(crate) fn this_minor() -> Minor {
    Minor {
        host: PathBuf::from(env!("CARGO_BIN_EXE_evolution-host")),
        plugin: plugin("codec"),
    }
}

/// With one method more in the root table, in the host table, and two more in the codec.
pub(crate) fn next_minor() -> Minor {
    let built = built_next_minor();
    Minor {
        host: built["evolution-host"].clone(),
        plugin: built["codec"].clone(),
    }
}

/// A plugin of the next minor that says that it needs it.
pub(crate) fn requires_next_minor() -> PathBuf {
    built_next_minor()["requires_next_minor"].clone()
}

/// All of it in one build, in a target directory of its own: the features would otherwise make
/// every other build of the workspace start again.
fn built_next_minor() -> &'static BTreeMap<String, PathBuf> {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut build = cargo(&["build", "-p", "keyway-tests", "-p", "codec"]);
        build
            .args(["--lib", "--bin", "evolution-host"])
            .args(["--example", "requires_next_minor"])
            .args(["--features", "keyway-tests/next-minor,codec/next-minor"])
            .arg("--target-dir")
            .arg(target_dir().join("next-minor"));
        artifacts(&mut build)
    })
}

fn target_dir() -> &'static Path {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().expect("it lies in the target directory")
}

/// The executables and dynamic libraries that a `cargo build` made, by the name of their target.
fn artifacts(build: &mut Command) -> BTreeMap<String, PathBuf> {
    let output = build
        .arg("--message-format=json-render-diagnostics")
        .output()
        .expect("cargo can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{build:?} failed:\n{errors}");
    let messages = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let artifacts = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let name = message["target"]["name"].as_str()?.to_owned();
        let executable = message["executable"].as_str().map(PathBuf::from);
        let files = message["filenames"].as_array()?;
        let library = files.iter().filter_map(Value::as_str).find(|file| {
            let extension = Path::new(file).extension();
            extension.is_some_and(|found| found == std::env::consts::DLL_EXTENSION)
        });
        Some((name, executable.or(library.map(PathBuf::from))?))
    });
    artifacts.collect()
}
