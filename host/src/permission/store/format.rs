//! The JSON of a store.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

use keyway_manifest::document::Fault as EntryFault;
use keyway_manifest::{Access, PluginId};
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Approved, Plugins};
use crate::permission::{EnvName, Grant, PathRoot, Peer, Program, Reach, reach};

/// What this version writes, and the only one that it reads.
pub(super) const SCHEMA_VERSION: u64 = 1;

/// Why a text is no store that can be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Corrupt(String),
    Newer(u64),
}

/// Of the file of any version.
#[derive(Deserialize)]
struct Head {
    schema_version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema_version: u64,
    plugins: BTreeMap<String, Vec<Record>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    hash: String,
    version: String,
    approved_at: String,
    permissions: Permissions,
}

/// As in a manifest; each but `env` is a boolean or a list.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Permissions {
    network: Value,
    filesystem: Filesystem,
    env: Vec<String>,
    subprocess: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filesystem {
    read: Value,
    write: Value,
}

pub(super) fn write(plugins: &Plugins) -> String {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        plugins: plugins
            .iter()
            .map(|(id, contents)| (id.to_string(), contents.iter().map(record).collect()))
            .collect(),
    };
    let mut text = serde_json::to_string_pretty(&document).expect("it has nothing but texts in it");
    text.push('\n');
    text
}

pub(super) fn read(text: &str) -> Result<Plugins, Fault> {
    let corrupt = |what: &dyn Display| Fault::Corrupt(what.to_string());
    let head: Head = serde_json::from_str(text).map_err(|error| corrupt(&error))?;
    if head.schema_version > SCHEMA_VERSION {
        return Err(Fault::Newer(head.schema_version));
    }
    if head.schema_version < SCHEMA_VERSION {
        return Err(corrupt(&"there is no schema version 0"));
    }
    let document: Document = serde_json::from_str(text).map_err(|error| corrupt(&error))?;
    let mut plugins = Plugins::new();
    for (id, records) in document.plugins {
        let of_plugin = |what: &dyn Display| Fault::Corrupt(format!("plugin {id:?}: {what}"));
        let contents = records.into_iter().map(approved);
        let contents = contents
            .collect::<Result<Vec<_>, _>>()
            .map_err(|what| of_plugin(&what))?;
        let id = PluginId::new(&id).map_err(|invalid| of_plugin(&format!("the id {invalid}")))?;
        plugins.insert(id, contents);
    }
    Ok(plugins)
}

fn record(approved: &Approved) -> Record {
    let Approved {
        hash,
        version,
        grant,
        at,
    } = approved;
    Record {
        hash: hash.to_string(),
        version: version.to_string(),
        approved_at: at.clone(),
        permissions: Permissions {
            network: show(&grant.network),
            filesystem: Filesystem {
                read: show(&grant.read),
                write: show(&grant.write),
            },
            env: grant.env.entries().iter().map(EnvName::to_string).collect(),
            subprocess: show(&grant.subprocess),
        },
    }
}

fn show<T: Display>(reach: &Reach<T>) -> Value {
    if reach.is_all() {
        return true.into();
    }
    reach.entries().iter().map(T::to_string).collect()
}

fn approved(record: Record) -> Result<Approved, String> {
    let Record {
        hash,
        version,
        approved_at,
        permissions,
    } = record;
    // In normal form there is nothing relative, and the base turns up nowhere.
    let base = Path::new("");
    let root = |text: &str| PathRoot::parse(text, base).map(|root| vec![root]);
    let program = |text: &str| Program::parse(text, base).map(|program| vec![program]);
    let variable = |text: &str| EnvName::parse(text).map(|name| vec![name]);
    let grant = Grant {
        network: parse("network", permissions.network, Peer::parse)?,
        read: parse("filesystem.read", permissions.filesystem.read, root)?,
        write: parse("filesystem.write", permissions.filesystem.write, root)?,
        env: entries("env", permissions.env, variable)?,
        subprocess: parse("subprocess", permissions.subprocess, program)?,
    };
    Ok(Approved {
        hash: hash.parse().map_err(|error| format!("{error}"))?,
        version: Version::parse(&version).map_err(|error| format!("the version: {error}"))?,
        grant,
        at: approved_at,
    })
}

fn parse<T: reach::Covers + Ord + Clone>(
    key: &str,
    value: Value,
    parse: impl Fn(&str) -> Result<Vec<T>, EntryFault>,
) -> Result<Reach<T>, String> {
    match value {
        Value::Bool(all) => Ok(if all { Reach::all() } else { Reach::default() }),
        list => {
            let list = serde_json::from_value(list)
                .map_err(|_| format!("`{key}` is neither a boolean nor a list of texts"))?;
            entries(key, list, parse)
        }
    }
}

fn entries<T: reach::Covers + Ord + Clone>(
    key: &str,
    texts: Vec<String>,
    parse: impl Fn(&str) -> Result<Vec<T>, EntryFault>,
) -> Result<Reach<T>, String> {
    crate::permission::reach(key, &Access::from(texts), parse).map_err(|finding| finding.message)
}
