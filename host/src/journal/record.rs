//! The two formats on disk: a line of a journal, and the file of one quarantined content.
//!
//! Both are JSON with a `schema_version`. What another version has written is not guessed at.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::phase::{Occasion, Phase};
use super::quarantine::Quarantined;

const SCHEMA_VERSION: u32 = 1;

/// What ran, as both formats have it.
#[derive(Debug, Deserialize, Serialize)]
struct Record {
    hash: String,
    plugin: String,
    version: String,
    /// For people, so what is not Unicode in it is replaced.
    path: String,
    occasion: String,
    /// The other version of a reload.
    other: Option<String>,
    phase: String,
    /// Milliseconds since 1970.
    at_ms: u64,
}

/// The latest state of one load of a journal; without a record none of its code runs.
#[derive(Debug, Deserialize, Serialize)]
struct Line {
    schema_version: u32,
    load: u64,
    record: Option<Record>,
}

#[derive(Debug, Deserialize, Serialize)]
struct File {
    schema_version: u32,
    quarantined: Record,
}

/// What every version has.
#[derive(Debug, Deserialize)]
struct Head {
    schema_version: u32,
}

/// Why a text is no record.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// It is from a newer, or an unknown, version of this library; that one can read it.
    OtherVersion(u32),
    Malformed(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::OtherVersion(found) => {
                write!(f, "expected schema_version {SCHEMA_VERSION}, found {found}")
            }
            Unreadable::Malformed(what) => f.write_str(what),
        }
    }
}

impl Record {
    fn of(entry: &Quarantined) -> Self {
        let since = entry.at.duration_since(SystemTime::UNIX_EPOCH);
        let (occasion, other) = entry.occasion.parts();
        Record {
            hash: entry.hash.to_string(),
            plugin: entry.plugin.clone(),
            version: entry.version.to_string(),
            path: entry.path.to_string_lossy().into_owned(),
            occasion: occasion.to_owned(),
            other: other.map(ToString::to_string),
            phase: entry.phase.as_str().to_owned(),
            at_ms: since.map_or(0, |since| {
                u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
            }),
        }
    }

    fn read(self) -> Result<Quarantined, Unreadable> {
        let malformed = |what: String| Unreadable::Malformed(what);
        let version = |text: String| {
            let version = text.parse();
            version.map_err(|error| malformed(format!("version: {error}")))
        };
        let other = self.other.map(version).transpose()?;
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(self.at_ms));
        Ok(Quarantined {
            hash: self
                .hash
                .parse()
                .map_err(|error| malformed(format!("{error}")))?,
            plugin: self.plugin,
            version: version(self.version)?,
            path: self.path.into(),
            occasion: Occasion::from_parts(&self.occasion, other)
                .ok_or_else(|| malformed(format!("unknown occasion {:?}", self.occasion)))?,
            phase: Phase::parse(&self.phase)
                .ok_or_else(|| malformed(format!("unknown phase {:?}", self.phase)))?,
            at: at.ok_or_else(|| malformed(format!("impossible time {}", self.at_ms)))?,
        })
    }
}

/// The line of a journal that says how far a load is; without an entry, that none of its code runs.
pub(super) fn line(load: u64, entry: Option<&Quarantined>) -> String {
    let line = Line {
        schema_version: SCHEMA_VERSION,
        load,
        record: entry.map(Record::of),
    };
    json(&line)
}

/// The text of a file in quarantine.
pub(super) fn file(entry: &Quarantined) -> String {
    json(&File {
        schema_version: SCHEMA_VERSION,
        quarantined: Record::of(entry),
    })
}

/// Reads a file in quarantine.
pub(super) fn read_file(text: &[u8]) -> Result<Quarantined, Unreadable> {
    parse::<File>(text)?.quarantined.read()
}

/// The loads that were under way when a journal was last written, and what is wrong with its first
/// bad line.
pub(super) fn read_journal(text: &[u8]) -> (Vec<Quarantined>, Option<Unreadable>) {
    let mut open = BTreeMap::new();
    let mut unreadable = None;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        // The process died while it wrote the last line, or the disk was full. What it would have
        // said had not happened yet, so the line before it holds.
        let Some(line) = line.strip_suffix(b"\n") else {
            break;
        };
        let read = parse::<Line>(line).and_then(|line| {
            let record = line.record.map(Record::read).transpose()?;
            Ok((line.load, record))
        });
        match read {
            Ok((load, Some(entry))) => drop(open.insert(load, entry)),
            Ok((load, None)) => drop(open.remove(&load)),
            Err(error) => drop(unreadable.get_or_insert(error)),
        }
    }
    (open.into_values().collect(), unreadable)
}

fn parse<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, Unreadable> {
    let malformed = |error: serde_json::Error| Unreadable::Malformed(error.to_string());
    let Head { schema_version } = serde_json::from_slice(text).map_err(malformed)?;
    if schema_version != SCHEMA_VERSION {
        return Err(Unreadable::OtherVersion(schema_version));
    }
    serde_json::from_slice(text).map_err(malformed)
}

fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string(value).expect("texts and numbers are JSON");
    text.push('\n');
    text
}
