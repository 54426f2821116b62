//! Records the target triple and the compiler that the plugin is built with: neither is visible
//! to `cfg` or to a procedural macro, and both stand in every plugin's note.

use std::process::Command;

fn main() {
    let target = std::env::var("TARGET").unwrap_or_default();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or_default();
    println!("cargo:rustc-env=KEYWAY_TARGET={target}");
    println!("cargo:rustc-env=KEYWAY_RUSTC={}", version.trim());
    println!("cargo:rerun-if-changed=build.rs");
}
