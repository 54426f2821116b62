//! The libraries that are reloaded: one plugin in three sizes, each as one build after the other.

use std::error::Error;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::build::Crate;
use crate::output::Output;

/// A size of the plugin.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) label: &'static str,
    bytes: Vec<u8>,
    /// Where the number of the build is.
    at: usize,
}

/// By what the number of the build is found; as in the plugin's `build.rs`.
const MARK: &[u8; 16] = b"keyway-bench-no:";

/// The release build of libstd has one relocated pointer for about as many bytes that are mapped.
const BYTES_PER_POINTER: usize = 400;

/// A pointer, and what tells the dynamic loader to relocate it.
const BYTES_OF_POINTER: usize = 8 + 24;

impl Template {
    /// Builds the plugin as small as it is, and with ballast for the larger sizes; the last one is
    /// the small one with as many bytes appended as the middle one has.
    pub(crate) fn build(dir: &Path) -> Result<[Template; 4], Box<dyn Error>> {
        let small = library("", &[])?;
        let ballasted = |size: usize| -> Result<Vec<u8>, Box<dyn Error>> {
            let more = size.saturating_sub(small.len());
            let pointers = more / (BYTES_PER_POINTER + BYTES_OF_POINTER);
            // Another name for each size, by which cargo sees that it has to build again.
            let file = dir.join(format!("ballast{size}"));
            std::fs::write(&file, noise(pointers * BYTES_PER_POINTER))?;
            let pointers = pointers.to_string();
            let env = [
                ("KEYWAY_BENCH_BALLAST", file.as_os_str()),
                ("KEYWAY_BENCH_POINTERS", OsStr::new(&pointers)),
            ];
            Ok(library("ballast", &env)?)
        };
        let (middle, large) = (ballasted(5_000_000)?, ballasted(50_000_000)?);
        let mut appended = small.clone();
        appended.extend(noise(middle.len() - small.len()));
        Ok([
            Template::new("0.8 MB", small)?,
            Template::new("5 MB", middle)?,
            Template::new("50 MB", large)?,
            Template::new("5 MB, appended and never mapped", appended)?,
        ])
    }

    fn new(label: &'static str, bytes: Vec<u8>) -> Result<Self, String> {
        let mut marks = bytes
            .windows(MARK.len())
            .enumerate()
            .filter(|(_, window)| window == MARK);
        let at = match (marks.next(), marks.next()) {
            (Some((at, _)), None) => at + MARK.len(),
            (None, _) => return Err("the library has no mark".to_owned()),
            (Some(_), Some(_)) => return Err("the library has several marks".to_owned()),
        };
        Ok(Template { label, bytes, at })
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// Bytes that nothing can shorten, the same ones each time.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_ne_bytes()
    });
    words.flatten().take(len).collect()
}

fn library(features: &str, env: &[(&str, &OsStr)]) -> Result<Vec<u8>, String> {
    let plugin = Crate {
        package: "bench-plugin",
        what: "--lib",
        features,
        strip: "symbols",
        env,
    };
    let file = plugin.build(std::env::consts::DLL_EXTENSION)?;
    std::fs::read(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}

/// A library that is built again and again.
#[derive(Debug)]
pub(crate) struct Builds<'a> {
    template: &'a Template,
    output: Output,
    /// The build that was written last.
    pub(crate) number: u64,
}

impl<'a> Builds<'a> {
    /// Publishes the first build in this directory.
    pub(crate) fn begin(template: &'a Template, dir: &Path) -> io::Result<Self> {
        let output = Output::at(dir);
        if let Some(deps) = output.linked.parent() {
            std::fs::create_dir_all(deps)?;
        }
        let mut builds = Builds {
            template,
            output,
            number: 0,
        };
        builds.link_next()?;
        builds.publish()?;
        Ok(builds)
    }

    pub(crate) fn library(&self) -> &PathBuf {
        &self.output.library
    }

    /// Writes the next build where the linker does, as a new file.
    pub(crate) fn link_next(&mut self) -> io::Result<()> {
        self.number += 1;
        let Template { bytes, at, .. } = self.template;
        let mut bytes = bytes.clone();
        bytes[*at..*at + 8].copy_from_slice(&self.number.to_ne_bytes());
        let linked = &self.output.linked;
        match std::fs::remove_file(linked) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => std::fs::write(linked, bytes),
        }
    }

    /// See [`Output::publish`].
    pub(crate) fn publish(&self) -> io::Result<Instant> {
        self.output.publish()
    }
}
