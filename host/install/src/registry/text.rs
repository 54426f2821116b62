//! The text of an index: one line of JSON for each release. Its keys are here and nowhere else.
//!
//! The index of a registry may have been made to do harm, so nothing of it is believed that can be checked: a
//! line is about the plugin whose file it is in, and an archive lies inside of the registry.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use keyway_host::keyway::version::InterfaceVersion;
use keyway_host::manifest::PluginId;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::index::{Archived, Index, Release};
use crate::error::{InstallError, Result};
use crate::limits::MAX_ARCHIVE_BYTES;
use crate::lock::Needed;

/// The version of the format. Lines of later ones are passed over.
pub(super) const FORMAT: u32 = 1;

/// The root file.
#[derive(Serialize, Deserialize)]
struct Versioned {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Line {
    format: u32,
    name: String,
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interface: Option<String>,
    min_host_version: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<DependencyEntry>,
    targets: BTreeMap<String, TargetEntry>,
    #[serde(default)]
    yanked: bool,
}

#[derive(Serialize, Deserialize)]
struct DependencyEntry {
    id: String,
    version: String,
    #[serde(default)]
    optional: bool,
}

#[derive(Serialize, Deserialize)]
struct TargetEntry {
    archive: String,
    hash: String,
    size: u64,
}

/// The text of the file at the root of a registry.
pub(super) fn root() -> String {
    format!("{{\"format\":{FORMAT}}}\n")
}

/// Whether a text is that of the root file, of a format that is known here.
pub(super) fn check_root(text: &str) -> Result<(), String> {
    let Versioned { format } =
        serde_json::from_str(text).map_err(|error| format!("it does not read: {error}"))?;
    match format {
        FORMAT => Ok(()),
        other => Err(format!(
            "expected format {FORMAT}, found {other}: it needs another version of keyway"
        )),
    }
}

/// Reads what the index says of a plugin.
///
/// # Errors
///
/// `index`, with the line in which something is wrong.
pub(super) fn read(name: &PluginId, text: &str) -> Result<Index> {
    let mut index = Index::default();
    for (number, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
    {
        let refuse = |fault: String| {
            let number = number + 1;
            let message = format!("the index of '{name}' does not read: line {number}: {fault}");
            InstallError::unfit("index", message).hint("tell whoever keeps the registry")
        };
        let json = |error: serde_json::Error| {
            // It counts the lines of its own text, which is always one.
            let fault = error.to_string();
            let fault = fault.split(" at line ").next().unwrap_or_default();
            refuse(format!("{fault}, at column {}", error.column()))
        };
        let Versioned { format } = serde_json::from_str(line).map_err(json)?;
        if format > FORMAT {
            index.newer.push(line.to_owned());
            continue;
        }
        let line: Line = serde_json::from_str(line).map_err(json)?;
        let release = release(name, line).map_err(refuse)?;
        let version = release.version.clone();
        if index.releases.insert(version.clone(), release).is_some() {
            return Err(refuse(format!("version {version} is there twice")));
        }
    }
    Ok(index)
}

fn release(name: &PluginId, line: Line) -> Result<Release, String> {
    if line.name != name.as_str() {
        return Err(format!("expected the name '{name}', found {:?}", line.name));
    }
    let mut dependencies = BTreeMap::new();
    for DependencyEntry {
        id,
        version,
        optional,
    } in line.dependencies
    {
        let versions = parse("the requirement", &version)?;
        let needed = Needed { versions, optional };
        if dependencies
            .insert(parse::<PluginId>("the id", &id)?, needed)
            .is_some()
        {
            return Err(format!("the dependency {id:?} is there twice"));
        }
    }
    let mut targets = BTreeMap::new();
    for (
        target,
        TargetEntry {
            archive,
            hash,
            size,
        },
    ) in line.targets
    {
        check_archive_path(&archive)?;
        if size > MAX_ARCHIVE_BYTES {
            return Err(format!(
                "the archive {archive:?} is too large: expected at most {MAX_ARCHIVE_BYTES} bytes, found \
                 {size}"
            ));
        }
        let archived = Archived {
            hash: parse("the hash", &hash)?,
            path: archive,
            size,
        };
        targets.insert(target, archived);
    }
    Ok(Release {
        name: name.clone(),
        version: parse::<Version>("the version", &line.version)?,
        interface: line.interface.as_deref().map(interface).transpose()?,
        min_host_version: parse("min_host_version", &line.min_host_version)?,
        dependencies,
        targets,
        yanked: line.yanked,
    })
}

/// An archive is inside of the registry: a path without `..`, without a scheme, of letters that mean the same in
/// paths and in URLs.
fn check_archive_path(path: &str) -> Result<(), String> {
    if path.contains("://") {
        return Err(format!(
            "the archive {path:?} is a URL: expected a path inside of the registry"
        ));
    }
    crate::name::check(path).map_err(|error| of_archive(error.message()))?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+');
    match path.chars().find(|c| !is_plain(*c)) {
        None => Ok(()),
        Some(bad) => Err(format!("the archive {path:?} has {bad:?} in its path")),
    }
}

/// What is wrong with the name of an entry, said of an archive.
fn of_archive(fault: &str) -> String {
    let inside = "a path inside of the registry";
    fault
        .replacen("the entry", "the archive", 1)
        .replace("a path inside of the package", inside)
}

fn parse<T: FromStr<Err: Display>>(what: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|error| format!("{what} {text:?}: {error}"))
}

fn interface(text: &str) -> Result<InterfaceVersion, String> {
    let parts = text.split_once('.');
    let parsed = parts.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let (major, minor) =
        parsed.ok_or_else(|| format!("the interface: expected such as \"1.0\", found {text:?}"))?;
    Ok(InterfaceVersion { major, minor })
}

/// The text of an index: the oldest release first, and at the end what only later versions of Keyway know.
pub(super) fn write(index: &Index) -> String {
    let lines = index.releases.values().map(|release| {
        // Strings, numbers and booleans: JSON has all of that.
        serde_json::to_string(&line(release)).unwrap_or_default()
    });
    let all = lines.chain(index.newer.iter().cloned());
    all.map(|line| line + "\n").collect()
}

fn line(release: &Release) -> Line {
    let dependencies = release.dependencies.iter();
    let targets = release.targets.iter();
    Line {
        format: FORMAT,
        name: release.name.to_string(),
        version: release.version.to_string(),
        interface: release.interface.map(|interface| interface.to_string()),
        min_host_version: release.min_host_version.to_string(),
        dependencies: dependencies
            .map(|(id, needed)| DependencyEntry {
                id: id.to_string(),
                version: needed.versions.to_string(),
                optional: needed.optional,
            })
            .collect(),
        targets: targets
            .map(|(target, archived)| {
                let entry = TargetEntry {
                    archive: archived.path.clone(),
                    hash: archived.hash.to_string(),
                    size: archived.size,
                };
                (target.clone(), entry)
            })
            .collect(),
        yanked: release.yanked,
    }
}

#[cfg(test)]
mod tests;
