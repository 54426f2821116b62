//! `keyway package`: a plugin as one file, to be installed anywhere.

use std::path::Path;

use keyway_install::{Packed, package};
use serde::Serialize;

use crate::args::Package;
use crate::ending::Outcome;
use crate::failure::SCHEMA_VERSION;
use crate::subject::shorten;
use crate::terminal::{Form, Terminal};

#[derive(Debug, Serialize)]
struct Report<'a> {
    schema_version: u32,
    path: &'a Path,
    hash: String,
    /// In bytes.
    size: u64,
    files: &'a [String],
}

pub(crate) fn run(command: &Package, terminal: &Terminal) -> Outcome {
    let packed = package(&command.subject, &command.out)?;
    let Packed {
        path,
        hash,
        size,
        files,
    } = &packed;
    let path = shorten(path);
    terminal.status("Packed", format_args!("{}", files.join(", ")));
    if command.json {
        let report = Report {
            schema_version: SCHEMA_VERSION,
            path: &path,
            hash: hash.to_string(),
            size: *size,
            files,
        };
        return terminal.json(&report, Form::ForReader);
    }
    terminal.text(&format!("{}\n{hash}\n", path.display()))
}
