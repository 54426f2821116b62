//! What a command is about: from what was given on the command line to libraries.

use std::path::{Path, PathBuf};

use crate::cargo::PluginCrate;
use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;

/// Extensions of dynamic libraries; of all systems, since a library can be inspected anywhere.
const EXTENSIONS: [&str; 3] = ["so", "dylib", "dll"];

/// The libraries that a file or directory stands for; at least one.
///
/// A directory is a crate if it has a `Cargo.toml`: then it stands for the newest library that was
/// built of it. Else it stands for each library in it.
pub(crate) fn libraries(subject: &Path) -> Outcome<Vec<PathBuf>> {
    if !subject.is_dir() {
        // Whatever is wrong with a file is for the host to say.
        return Ok(vec![subject.to_owned()]);
    }
    if subject.join("Cargo.toml").is_file() {
        let plugin = PluginCrate::at(subject)?;
        let library = plugin.built().ok_or_else(|| {
            Failure::new(
                exit::NOT_FOUND,
                "not-built",
                format!(
                    "no library of package `{}` was built yet: expected one under target/debug or \
                     target/release",
                    plugin.package
                ),
            )
            .at(subject)
            .hint(format!(
                "run `cargo build` there, or `keyway dev {}`",
                subject.display()
            ))
        })?;
        return Ok(vec![shorten(&library)]);
    }
    let found = in_directory(subject)?;
    if found.is_empty() {
        return Err(Failure::new(
            exit::NOT_FOUND,
            "no-library",
            "expected a crate or libraries, found a directory with neither a Cargo.toml nor a \
             .so, .dylib or .dll file",
        )
        .at(subject)
        .into());
    }
    Ok(found)
}

/// The one library that a file or directory stands for.
pub(crate) fn library(subject: &Path) -> Outcome<PathBuf> {
    let mut libraries = libraries(subject)?;
    if let [one] = &mut *libraries {
        return Ok(std::mem::take(one));
    }
    let names: Vec<String> = libraries
        .iter()
        .filter_map(|library| Some(library.file_name()?.to_string_lossy().into_owned()))
        .collect();
    Err(Failure::new(
        exit::USAGE,
        "several-libraries",
        format!(
            "expected one library, found {}: {}",
            names.len(),
            names.join(", ")
        ),
    )
    .at(subject)
    .hint("give the file of one of them")
    .into())
}

/// The crate in a directory, for the commands that build.
pub(crate) fn plugin_crate(dir: &Path) -> Outcome<PluginCrate> {
    if dir.join("Cargo.toml").is_file() {
        return PluginCrate::at(dir);
    }
    let found = match dir.metadata() {
        Err(error) => format!("nothing that can be read: {error}"),
        Ok(metadata) if metadata.is_dir() => "a directory without a Cargo.toml".to_owned(),
        Ok(_) => "a file".to_owned(),
    };
    Err(Failure::new(
        exit::NOT_FOUND,
        "no-crate",
        format!("expected the directory of a plugin's crate, found {found}"),
    )
    .at(dir)
    .into())
}

/// The path from the current directory, where that is shorter to read.
pub(crate) fn shorten(path: &Path) -> PathBuf {
    let current = std::env::current_dir().ok();
    let inside = current.and_then(|current| path.strip_prefix(current).ok().map(Path::to_owned));
    inside.unwrap_or_else(|| path.to_owned())
}

fn in_directory(dir: &Path) -> Outcome<Vec<PathBuf>> {
    let unreadable = |error: std::io::Error| {
        Failure::new(
            exit::NOT_FOUND,
            "directory",
            format!("cannot read the directory: {error}"),
        )
        .at(dir)
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_library = path
            .extension()
            .is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known));
        if is_library && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
