//! `keyway release`: takes a library out of quarantine.

use std::path::Path;

use keyway_host::Host;
use keyway_host::inspect::{ContentHash, ParseContentHashError, hash_file};

use crate::args::Release;
use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;
use crate::session::with_state;
use crate::subject::library;
use crate::terminal::Terminal;

pub(crate) fn run(command: &Release, terminal: &Terminal) -> Outcome {
    let subject = &*command.subject;
    let hash = hash_of(subject)?;
    let version = semver::Version::new(0, 0, 0);
    let host = with_state(Host::builder("keyway", version))
        .build()
        .map_err(Failure::from)?;
    let quarantined = host.quarantined();
    if host.release(&hash).map_err(Failure::from)? {
        let plugin = match quarantined.iter().find(|found| found.hash == hash) {
            Some(found) => format!(
                "{} v{} ({})",
                found.plugin,
                found.version,
                found.path.display()
            ),
            None => hash.to_string(),
        };
        terminal.status("Released", plugin);
    } else {
        // It loads, which is what was asked for.
        terminal.warning(&format!("{}: not in quarantine", subject.display()));
    }
    Ok(())
}

/// The hash that was given, or that of the file that was given.
fn hash_of(subject: &Path) -> Outcome<ContentHash> {
    if let Some(text) = subject.to_str().filter(|text| text.starts_with("blake3:")) {
        let hash = text.parse();
        return Ok(hash.map_err(|error: ParseContentHashError| {
            Failure::new(exit::USAGE, "hash", error.to_string())
        })?);
    }
    Ok(hash_file(library(subject)?).map_err(Failure::from)?)
}
