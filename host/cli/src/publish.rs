//! `keyway publish`: a plugin goes into a registry, or a version of it is taken back.

use std::path::Path;

use keyway_host::manifest::PluginId;
use keyway_install::{Published, publish, yank};
use semver::Version;
use serde::Serialize;

use crate::args::Publish;
use crate::ending::Outcome;
use crate::exit;
use crate::failure::{Failure, SCHEMA_VERSION};
use crate::terminal::{Form, Terminal};

#[derive(Debug, Serialize)]
struct Report<'a> {
    schema_version: u32,
    dry_run: bool,
    /// Whether the registry says something else now, or would.
    changed: bool,
    name: &'a str,
    version: &'a Version,
    yanked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<Archive<'a>>,
}

/// What was put into the registry.
#[derive(Debug, Serialize)]
struct Archive<'a> {
    target: &'a str,
    archive: &'a str,
    hash: String,
    /// In bytes.
    size: u64,
}

pub(crate) fn run(command: &Publish, terminal: &Terminal) -> Outcome {
    match (&command.subject, &command.yank, &command.unyank) {
        (Some(subject), ..) => add(subject, command, terminal),
        (None, Some(words), _) => mark(words, true, command, terminal),
        (None, None, Some(words)) => mark(words, false, command, terminal),
        // The parser has one of the three.
        (None, None, None) => Ok(()),
    }
}

fn add(subject: &Path, command: &Publish, terminal: &Terminal) -> Outcome {
    let published = publish(subject, &command.to, command.dry_run)?;
    let Published {
        release,
        target,
        changed,
        ..
    } = &published;
    let Some(archived) = release.targets.get(target) else {
        return Ok(());
    };
    if command.json {
        let archive = Archive {
            target,
            archive: &archived.path,
            hash: archived.hash.to_string(),
            size: archived.size,
        };
        return terminal.json(
            &Report {
                schema_version: SCHEMA_VERSION,
                dry_run: command.dry_run,
                changed: *changed,
                name: release.name.as_str(),
                version: &release.version,
                yanked: release.yanked,
                published: Some(archive),
            },
            Form::ForReader,
        );
    }
    let subject = format!("{} {} for {target}", release.name, release.version);
    match (command.dry_run, changed) {
        (_, false) => terminal.note(&format!("{subject} is published already, just as it is")),
        (true, true) => terminal.note(&format!("{subject} would be published; this is a dry run")),
        (false, true) => terminal.status("Published", subject),
    }
    terminal.text(&format!("{}\n{}\n", archived.path, archived.hash))
}

fn mark(words: &[String], yanked: bool, command: &Publish, terminal: &Terminal) -> Outcome {
    let usage = |what: String| Failure::new(exit::USAGE, "arguments", what);
    // The parser takes exactly two values.
    let (name, version) = (&words[0], &words[1]);
    let name = PluginId::new(name).map_err(|error| usage(format!("NAME {name:?}: {error}")))?;
    let version =
        Version::parse(version).map_err(|error| usage(format!("VERSION {version:?}: {error}")))?;
    let changed = yank(&name, &version, yanked, &command.to, command.dry_run)?;
    if command.json {
        return terminal.json(
            &Report {
                schema_version: SCHEMA_VERSION,
                dry_run: command.dry_run,
                changed,
                name: name.as_str(),
                version: &version,
                yanked,
                published: None,
            },
            Form::ForReader,
        );
    }
    let (verb, done) = match yanked {
        true => ("Yanked", "yanked"),
        false => ("Unyanked", "unyanked"),
    };
    match (command.dry_run, changed) {
        (_, false) => terminal.note(&format!("{name} {version} is {done} already")),
        (true, true) => terminal.note(&format!(
            "{name} {version} would be {done}; this is a dry run"
        )),
        (false, true) => terminal.status(verb, format_args!("{name} {version}")),
    }
    Ok(())
}
