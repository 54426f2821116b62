//! Starting cargo as its user would, also from inside of another cargo.

use std::ffi::OsString;
use std::path::{Path, absolute};
use std::process::Command;

use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;

/// What an outer `cargo run` or `cargo test` sets for its own package; a build that sees it takes
/// it for its own.
const LEAKING: [&str; 9] = [
    "CARGO_PKG_",
    "CARGO_CFG_",
    "CARGO_FEATURE_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_NAME",
    "CARGO_MAKEFLAGS",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
];

/// Directories that are meant from where `keyway` was started.
const DIRECTORIES: [&str; 2] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];

/// Cargo in the directory of a crate, so that the configuration and the toolchain that are set
/// there apply: the one that started `keyway`, else the one that is installed.
pub(super) fn cargo(dir: &Path) -> Outcome<Command> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(program);
    cargo.current_dir(dir);
    for (name, _) in std::env::vars_os() {
        if leaks(&name) {
            cargo.env_remove(name);
        }
    }
    for name in DIRECTORIES {
        if let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) {
            cargo.env(name, resolve(Path::new(&value))?);
        }
    }
    Ok(cargo)
}

fn leaks(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    LEAKING.iter().any(|prefix| name.starts_with(prefix)) || name == "OUT_DIR"
}

fn resolve(path: &Path) -> Outcome<std::path::PathBuf> {
    Ok(absolute(path).map_err(|error| {
        Failure::new(
            exit::HOST,
            "directory",
            format!("cannot tell the current directory: {error}"),
        )
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_sets_for_its_own_package_leaks_and_what_a_user_sets_does_not() {
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "OUT_DIR"] {
            assert!(leaks(&name.into()), "{name}");
        }
        for name in [
            "CARGO_TARGET_DIR",
            "CARGO_HOME",
            "CARGO_PROFILE_DEV_DEBUG",
            "PATH",
        ] {
            assert!(!leaks(&name.into()), "{name}");
        }
    }
}
