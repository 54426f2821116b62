//! Libraries to inspect: real ones, built with rustc for the host.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use keyway::abi::note::NoteParts;
use tempfile::TempDir;

use super::super::{InspectError, InspectErrorKind, Inspection, inspect, inspect_bytes};

/// The parts of the note in [`sample`]; the sources of the fixtures repeat them.
pub(super) const PARTS: NoteParts<'static> = NoteParts {
    interface_major: 1,
    built_minor: 7,
    required_minor: 3,
    panic_abort: false,
    target: "x86_64-unknown-linux-gnu",
    rustc: "rustc 1.95.0",
    symbol: "KEYWAY_SAMPLE",
    manifest: r#"{"plugin":{"id":"sample"}}"#,
};

/// A plugin's source as the macro expands it, with another suffix for each plugin in a file.
pub(super) fn source(symbol: &str) -> String {
    let abi = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interface/src/abi");
    format!(
        r##"
        #![allow(dead_code, unused_imports)]
        #[path = {abi:?}]
        mod abi {{ pub mod note; }}
        use abi::note::{{self, NoteParts}};

        const PARTS: NoteParts<'static> = NoteParts {{
            interface_major: 1,
            built_minor: 7,
            required_minor: 3,
            panic_abort: false,
            target: "x86_64-unknown-linux-gnu",
            rustc: "rustc 1.95.0",
            symbol: "{symbol}",
            manifest: r#"{{"plugin":{{"id":"sample"}}}}"#,
        }};

        #[used]
        #[cfg_attr(windows, unsafe(link_section = ".keyway"))]
        #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__keyway"))]
        #[cfg_attr(not(any(windows, target_vendor = "apple")), unsafe(link_section = ".note.keyway"))]
        static NOTE: note::Aligned<{{ note::len(&PARTS) }}> = note::Aligned(note::encode(&PARTS));

        #[unsafe(no_mangle)]
        pub static {symbol}: u8 = 1;
        "##
    )
}

/// Builds `source` in `dir` and returns the file that rustc wrote.
pub(super) fn build(dir: &Path, source: &str, name: &str, args: &[&str]) -> PathBuf {
    let input = dir.join(format!("{name}.rs"));
    let output = dir.join(name);
    std::fs::write(&input, source).expect("the source can be written");
    let crate_name = name
        .trim_start_matches("lib")
        .split('.')
        .next()
        .unwrap_or(name);
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let result = Command::new(rustc)
        .args(["--edition=2024", "--crate-name", crate_name, "-o"])
        .args([&output, &input])
        .args(args)
        .output()
        .expect("rustc runs");
    let errors = String::from_utf8_lossy(&result.stderr);
    assert!(result.status.success(), "{name} does not build: {errors}");
    output
}

pub(super) fn temp_dir() -> TempDir {
    tempfile::tempdir().expect("a temporary directory can be made")
}

/// The bytes of a debug build of one plugin.
pub(super) fn sample() -> &'static [u8] {
    static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let dir = temp_dir();
        let file = build(
            dir.path(),
            &source(PARTS.symbol),
            "sample",
            &["--crate-type=cdylib", "-g"],
        );
        std::fs::read(file).expect("the fixture can be read")
    });
    &SAMPLE
}

/// Inspects bytes both ways, which must agree.
pub(super) fn both(bytes: &[u8]) -> Result<Inspection, InspectError> {
    let dir = temp_dir();
    let path = dir.path().join("library");
    std::fs::write(&path, bytes).expect("the file can be written");
    let from_bytes = inspect_bytes(bytes);
    match (inspect(&path), from_bytes) {
        (Ok(from_file), Ok(mut from_bytes)) => {
            from_bytes.path = Some(path);
            assert_eq!(from_file, from_bytes);
            Ok(from_file)
        }
        (Err(from_file), Err(from_bytes)) => {
            assert_eq!(from_file.path(), Some(path.as_path()));
            assert_eq!(
                from_file.to_string(),
                format!("{}: {from_bytes}", path.display()),
                "both ways fail alike"
            );
            Err(from_bytes)
        }
        (from_file, from_bytes) => panic!("{from_file:?} is not like {from_bytes:?}"),
    }
}

/// The text of the error for bytes, which must be of this kind.
pub(super) fn refusal(bytes: &[u8], kind: InspectErrorKind) -> String {
    let error = both(bytes).expect_err("a refusal");
    assert_eq!(error.kind(), kind, "{error}");
    error.to_string()
}
