//! Very many plugins, made from one library.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use keyway::abi::note::{self, Endian, NoteParts};
use serde_json::{Value, json};

use crate::build::Crate;

/// What the plugins are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// They start with the host.
    Plain,
    /// The host watches their files.
    Watched,
    /// Each starts when it is first called.
    Lazy,
    /// Each has a tokio runtime, as the feature `tokio` of the SDK gives it.
    WithRuntime,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Kind::Plain, Kind::Watched, Kind::Lazy, Kind::WithRuntime];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Plain => "plain",
            Kind::Watched => "watched",
            Kind::Lazy => "lazy",
            Kind::WithRuntime => "with-runtime",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Plain => "plugins that start with the host",
            Kind::Watched => "plugins whose files are watched",
            Kind::Lazy => "plugins that start with their first call",
            Kind::WithRuntime => "plugins that have a tokio runtime each",
        })
    }
}

/// The id of a plugin, which is also the name of its tool.
pub(crate) fn id(number: usize) -> String {
    format!("part-{number:06}")
}

/// The library that is copied.
#[derive(Debug)]
pub(crate) struct Template {
    kind: Kind,
    bytes: Vec<u8>,
    /// Where its note is.
    at: usize,
}

/// Before the name of a note are its two lengths and its type.
const NAME_AT: usize = 12;

impl Template {
    pub(crate) fn build(kind: Kind) -> Result<Self, Box<dyn Error>> {
        let plugin = Crate {
            package: "part-of-many",
            what: "--lib",
            features: if kind == Kind::WithRuntime {
                "keyway/tokio"
            } else {
                ""
            },
            strip: "symbols",
            env: &[],
        };
        let bytes = std::fs::read(plugin.build(std::env::consts::DLL_EXTENSION)?)?;
        // The name with its padding, and the beginning of the description.
        let head = [note::NAME.as_slice(), &[0], &note::MAGIC].concat();
        let mut found = bytes.windows(head.len()).enumerate();
        let mut found = found.by_ref().filter(|(_, window)| *window == head);
        let (Some((at, _)), None) = (found.next(), found.next()) else {
            return Err("expected one note in the library".into());
        };
        let at = at - NAME_AT;
        Ok(Template { kind, bytes, at })
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Writes so many plugins into a directory, as files that are an hour old: what was just written is
    /// read again at the second look.
    pub(crate) fn copy(&self, plugins: usize, dir: &Path) -> Result<(), Box<dyn Error>> {
        let old = SystemTime::now() - Duration::from_secs(3600);
        for number in 0..plugins {
            let name = format!(
                "{}{}{}",
                std::env::consts::DLL_PREFIX,
                id(number).replace('-', "_"),
                std::env::consts::DLL_SUFFIX
            );
            let path = dir.join(name);
            std::fs::write(&path, self.plugin(number)?)?;
            File::options().write(true).open(path)?.set_modified(old)?;
        }
        Ok(())
    }

    /// The library with the note of another plugin in the place of its own. The descriptor refers to the
    /// note, so both say the same.
    fn plugin(&self, number: usize) -> Result<Vec<u8>, Box<dyn Error>> {
        let rest = &self.bytes[self.at..];
        let raw = note::split(rest, Endian::NATIVE)
            .next()
            .ok_or("no note")??;
        let old = raw.decode()?;
        let mut manifest: Value = serde_json::from_str(old.manifest)?;
        let plugin = manifest["plugin"].as_object_mut().ok_or("no table")?;
        // It makes the room for the rest.
        plugin.remove("description");
        plugin.insert("id".to_owned(), id(number).into());
        let tools = json!({ "tools": [id(number)] });
        plugin.insert("capabilities".to_owned(), tools);
        plugin["config"]["name"]["default"] = id(number).into();
        if number > 0 {
            let needs = json!({ id(number / 8): "*" });
            plugin.insert("dependencies".to_owned(), needs);
        }
        if self.kind == Kind::Lazy {
            let activation = json!({ "startup": false });
            plugin.insert("activation".to_owned(), activation);
        }
        let manifest = manifest.to_string();
        // Blanks after the JSON change nothing but its length.
        let manifest = format!("{manifest:<width$}", width = old.manifest.len());
        let new = note::to_vec(
            &NoteParts {
                interface_major: old.interface_major,
                built_minor: old.built_minor,
                required_minor: old.required_minor,
                panic_abort: old.panic_abort,
                target: old.target,
                rustc: old.rustc,
                symbol: old.symbol,
                manifest: &manifest,
            },
            Endian::NATIVE,
        );
        if manifest.len() > old.manifest.len() {
            return Err("no room for the manifest".into());
        }
        let mut copy = self.bytes.clone();
        copy[self.at..self.at + new.len()].copy_from_slice(&new);
        Ok(copy)
    }
}
