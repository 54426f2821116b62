//! Plugins that were not built as the host was: by an older or a newer compiler, with every layout
//! that Rust does not promise shuffled, or optimized and stripped as for shipping.
//!
//! A test whose toolchain is not installed says so on stderr and passes.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use image_filter::{ImageFilter, ImageFilterHandle};
use keyway::{Bytes, ErrorKind};
use keyway_host::inspect;
use keyway_tests::{cargo, cargo_libraries, host, workspace};

#[test]
fn a_plugin_built_by_a_nightly_compiler_works() {
    let Some(mut build) = toolchain("nightly") else {
        return;
    };
    let library = image_filter(build.args(["build", "--target-dir"]).arg(target("nightly")));
    assert!(
        compiler(&library).contains("nightly"),
        "{}",
        compiler(&library)
    );
    every_kind_of_call_works(&library);
}

/// Nothing crosses the boundary whose layout Rust leaves open: here no two builds agree on any
/// such layout, in the plugin or in any crate below it.
#[test]
fn a_plugin_with_randomized_layouts_works() {
    let Some(mut build) = toolchain("nightly") else {
        return;
    };
    build.env("RUSTFLAGS", "-Zrandomize-layout");
    let library = image_filter(
        build
            .args(["build", "--target-dir"])
            .arg(target("randomized")),
    );
    every_kind_of_call_works(&library);
}

#[test]
fn what_plugins_are_built_with_compiles_with_the_oldest_compiler_and_works() {
    let oldest = oldest_compiler();
    let Some(mut check) = toolchain(&oldest) else {
        return;
    };
    let output = check
        .args([
            "check",
            "-p",
            "keyway",
            "-p",
            "keyway-macros",
            "-p",
            "keyway-manifest",
        ])
        .args([
            "--features",
            "keyway/tools,keyway/tokio,keyway/tracing",
            "--target-dir",
        ])
        .arg(target("oldest"))
        .output()
        .expect("rustup starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{check:?} failed:\n{errors}");

    let mut build = toolchain(&oldest).expect("it was just there");
    let library = image_filter(build.args(["build", "--target-dir"]).arg(target("oldest")));
    assert!(
        compiler(&library).contains(&oldest),
        "{}",
        compiler(&library)
    );
    every_kind_of_call_works(&library);
}

#[test]
fn a_plugin_built_for_shipping_works() {
    let mut build = cargo(&["build", "--release", "--target-dir"]);
    build
        .arg(target("shipping"))
        .env("CARGO_PROFILE_RELEASE_LTO", "fat")
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols");
    let library = image_filter(&mut build);
    every_kind_of_call_works(&library);
}

fn image_filter(build: &mut Command) -> PathBuf {
    let mut libraries = cargo_libraries(build.args(["-p", "image-filter"]));
    libraries.remove("image-filter").expect("it is a plugin")
}

/// The `rust-version` of the crates that plugins are built with, from the root Cargo.toml.
fn oldest_compiler() -> String {
    let manifest = std::fs::read_to_string(workspace().join("Cargo.toml")).expect("it is there");
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    version
        .expect("the workspace states it")
        .trim_matches('"')
        .to_owned()
}

/// The compiler that a plugin's note names.
fn compiler(library: &Path) -> String {
    let inspection = inspect(library).expect("it is a library");
    inspection
        .require_note()
        .expect("it is a plugin")
        .rustc
        .clone()
}

fn target(name: &str) -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = scratch.parent().expect("it lies in the target directory");
    target.join("other-toolchain").join(name)
}

/// The cargo of another toolchain, if rustup has it.
fn toolchain(name: &str) -> Option<Command> {
    let mut probe = rustup(name);
    probe
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if probe.status().is_ok_and(|status| status.success()) {
        return Some(rustup(name));
    }
    // Not by eprintln!, which the test harness keeps to itself when a test passes.
    let _ = writeln!(
        std::io::stderr(),
        "skipped: toolchain {name} is not installed; `rustup toolchain install {name}` adds it"
    );
    None
}

fn rustup(toolchain: &str) -> Command {
    let mut rustup = Command::new("rustup");
    rustup
        .args(["run", toolchain, "cargo"])
        .current_dir(workspace());
    // What this toolchain's cargo and rustup set for the test would bend the other one.
    let own: BTreeSet<&str> = [
        "CARGO",
        "RUSTC",
        "RUSTDOC",
        "RUSTFLAGS",
        "RUSTUP_TOOLCHAIN",
        "LD_LIBRARY_PATH",
    ]
    .into();
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let leaks = [
            "CARGO_PKG_",
            "CARGO_CFG_",
            "CARGO_ENCODED_",
            "CARGO_MANIFEST_",
        ];
        if own.contains(&*name) || leaks.iter().any(|prefix| name.starts_with(prefix)) {
            rustup.env_remove(name);
        }
    }
    rustup
}

fn every_kind_of_call_works(library: &Path) {
    let host = host();
    host.block_on(async {
        host.load(library).await.expect("it loads");
        let filter = host
            .capability::<ImageFilterHandle>("invert")
            .expect("it is offered");

        let mut pixels = vec![0_u8, 1, 255];
        assert_eq!(filter.apply(&mut pixels, 3).expect("apply"), 3);
        assert_eq!(pixels, [255, 254, 0]);
        assert_eq!(filter.sum(&pixels).expect("sum"), 509);
        let joined = filter.join("a", "b".into(), vec!["c".into(), "d".into()]);
        assert_eq!(joined.expect("join"), "abcd");
        let described = filter.describe(vec![1, 2]).await.expect("describe").0;
        assert_eq!(
            (&*described.title, &*described.sizes),
            ("Invert", &[1, 2][..])
        );
        assert_eq!(
            filter.find(b"haystack", b"st").await.expect("find"),
            Some(3)
        );
        assert_eq!(filter.find(b"haystack", b"xx").await.expect("find"), None);
        assert_eq!(filter.sum_twice(&[1, 2]).expect("sum_twice"), 6);
        assert_eq!(filter.title().await.expect("title"), "Invert");

        let buffer = Bytes::from(vec![7; 1 << 20]);
        let back = filter.pass_through(buffer.clone()).expect("pass_through");
        assert_eq!(back.as_ptr(), buffer.as_ptr());

        let mut rows = filter.rows(Bytes::from_static(b"abcdef"), 2).expect("rows");
        let mut seen = Vec::new();
        while let Some(row) = rows.next().await {
            seen.push(row.expect("no row fails"));
        }
        assert_eq!(seen, [&b"ab"[..], b"cd", b"ef"]);

        let error = filter
            .apply(&mut pixels, 0)
            .expect_err("a width of 0 makes no sense");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(error.message(), "width: expected at least 1, found 0");
        host.stop("image-filter").await.expect("it ends");
    });
}
