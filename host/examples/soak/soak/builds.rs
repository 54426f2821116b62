//! Builds of the plugin: the one that cargo makes, copies of it that are other builds, and how they
//! come to the place that is watched.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use super::binary::with_reload;
use super::broken::Flaw;

/// The name of the plugin.
pub(crate) const NAME: &str = "soaks";

/// What there is to be put in place.
#[derive(Debug)]
pub(crate) struct Builds {
    good: Vec<u8>,
    /// Where the file is that is watched, and beside it those that are on their way there.
    dir: PathBuf,
    number: u64,
}

impl Builds {
    /// Has cargo build the plugin, in the profile of this program.
    pub(crate) fn new(dir: &Path, exclusive: bool) -> Result<Self, String> {
        let library = cargo_build()?;
        let read = std::fs::read(&library);
        let built = read.map_err(|error| format!("cannot read {}: {error}", library.display()))?;
        let good = match exclusive {
            true => with_reload(&built, json!({ "mode": "exclusive" })),
            false => built,
        };
        Ok(Builds {
            good,
            dir: dir.to_owned(),
            number: 0,
        })
    }

    /// The file that the plugin is loaded from.
    pub(crate) fn file(&self) -> PathBuf {
        self.dir.join("libsoaks.so")
    }

    /// The size of a build in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.good.len()
    }

    /// Puts a build in place that is like no other; answers when it was complete.
    pub(crate) fn put_good(&mut self) -> std::io::Result<Instant> {
        self.number += 1;
        let mut build = self.good.clone();
        mark(&mut build, self.number);
        self.put(&build)
    }

    /// Puts a build with a flaw in place that is like no other.
    pub(crate) fn put_broken(&mut self, flaw: Flaw) -> std::io::Result<Instant> {
        self.number += 1;
        let mut build = flaw.of(&self.good, self.number);
        mark(&mut build, self.number);
        self.put(&build)
    }

    /// By turns as cargo does, which deletes the old file and makes a hard link to the new one, and
    /// as an installer does, by a rename.
    fn put(&self, build: &[u8]) -> std::io::Result<Instant> {
        let (file, new) = (self.file(), self.dir.join("libsoaks-built"));
        // A new file, and not the old one written anew: that may be what is watched.
        remove(&new)?;
        std::fs::write(&new, build)?;
        if self.number.is_multiple_of(2) {
            std::fs::rename(&new, &file)?;
        } else {
            remove(&file)?;
            std::fs::hard_link(&new, &file)?;
        }
        Ok(Instant::now())
    }
}

fn remove(file: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Appends a number. The loader reads what the headers of a file speak of, and no more.
fn mark(build: &mut Vec<u8>, number: u64) {
    build.extend(number.to_le_bytes());
}

fn cargo_build() -> Result<PathBuf, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["rustc", "--lib", "-p", NAME, "--crate-type", "cdylib"])
        .arg("--message-format=json-render-diagnostics")
        .args((!cfg!(debug_assertions)).then_some("--release"))
        // As in cargo's own release profile; this workspace keeps line tables, and std's would
        // make the library ten times as large.
        .args(["--", "-C", "strip=debuginfo"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit());
    // What cargo sets for this program must not leak into a build that it starts.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_CFG_") {
            cargo.env_remove(&name);
        }
    }
    let output = cargo.output();
    let output = output.map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo could not build the plugin {NAME}"));
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(library_of_message)
        .ok_or_else(|| format!("cargo reported no library of the plugin {NAME}"))
}

fn library_of_message(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" || message["target"]["name"] != NAME {
        return None;
    }
    let files = message["filenames"].as_array()?;
    files
        .iter()
        .filter_map(|file| Some(PathBuf::from(file.as_str()?)))
        .find(|file| file.extension() == Some(OsStr::new("so")))
}
