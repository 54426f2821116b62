//! Small crates without dependencies, written for one test.

use std::path::Path;

use keyway_tests::edited::replace;
use tempfile::TempDir;

/// A crate in a workspace of its own, with its target directory inside.
pub(crate) fn library_crate(name: &str, crate_type: &str, source: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [lib]\ncrate-type = [\"{crate_type}\"]\n\n[workspace]\n"
    );
    write(dir.path(), "Cargo.toml", &manifest);
    write(dir.path(), "src/lib.rs", source);
    dir
}

/// Writes a file at once, and the directories above it.
pub(crate) fn write(dir: &Path, name: &str, text: &str) {
    replace(&dir.join(name), text);
}
