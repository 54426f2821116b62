//! A fixture built by the compiler itself, for what cargo would need a target directory of its own
//! for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{build_of_all_fixtures, workspace};

/// Compiles a fixture that depends on `keyway` alone with further arguments, and with the
/// `keyway` that cargo has built for all fixtures.
///
/// # Panics
///
/// With the compiler's own output when it fails.
pub fn rustc_cdylib(package: &str, args: &[&str], output: &Path) {
    let keyway = keyway_rlib();
    let root = workspace().join("tests/fixtures").join(package);
    let mut library = OsString::from("keyway=");
    library.push(&keyway);
    let mut dependencies = OsString::from("dependency=");
    dependencies.push(keyway.parent().expect("a file in a directory"));
    let compiled = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .env("CARGO_MANIFEST_DIR", &root)
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "cdylib",
            "--crate-name",
        ])
        .arg(package.replace('-', "_"))
        .arg(root.join("src/lib.rs"))
        .arg("-o")
        .arg(output)
        .arg("--extern")
        .arg(library)
        .arg("-L")
        .arg(dependencies)
        .args(args)
        .output()
        .expect("the compiler starts");
    let errors = String::from_utf8_lossy(&compiled.stderr);
    assert!(
        compiled.status.success(),
        "{package} {args:?} failed:\n{errors}"
    );
}

/// The `keyway` that the fixtures link, in the directory of all that it depends on.
fn keyway_rlib() -> PathBuf {
    let build = build_of_all_fixtures()
        .arg("--message-format=json-render-diagnostics")
        .output()
        .expect("cargo can be started");
    assert!(build.status.success(), "the fixtures do not build");
    let messages = String::from_utf8(build.stdout).expect("cargo writes UTF-8");
    let messages = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        (message["target"]["name"] == "keyway").then_some(message)
    });
    let files = messages.flat_map(|message| {
        let names = message["filenames"].as_array().cloned().unwrap_or_default();
        names.into_iter()
    });
    files
        .filter_map(|name| Some(PathBuf::from(name.as_str()?)))
        .find(|name| {
            name.extension()
                .is_some_and(|extension| extension == "rlib")
        })
        .expect("the fixtures depend on keyway")
}
