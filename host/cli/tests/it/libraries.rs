//! The libraries that the tests use: copies of the fixtures, since `keyway dev` builds anew while
//! other tests run.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

const FIXTURES: [&str; 4] = ["text-filter", "logs", "misbehaves", "not-a-plugin"];

/// The directory with the copies.
pub(crate) fn libraries() -> &'static Path {
    static COPIES: OnceLock<TempDir> = OnceLock::new();
    let copies = COPIES.get_or_init(|| {
        let copies = tempfile::tempdir().expect("a directory");
        for fixture in FIXTURES {
            let built = keyway_tests::plugin(fixture);
            std::fs::copy(&built, copy(copies.path(), fixture)).expect("a copy");
        }
        copies
    });
    copies.path()
}

/// The library of a fixture, from [`libraries`].
pub(crate) fn library(fixture: &str) -> PathBuf {
    copy(libraries(), fixture)
}

fn copy(dir: &Path, fixture: &str) -> PathBuf {
    dir.join(format!("{fixture}.{}", std::env::consts::DLL_EXTENSION))
}
