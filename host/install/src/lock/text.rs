//! The text of a lockfile. Its keys are here and nowhere else; a newer one says so by its version.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;

use keyway_host::keyway::version::InterfaceVersion;
use keyway_host::manifest::{Access, Filesystem, Permissions, PluginId};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::{Lock, Locked, Needed};
use crate::package::Library;

const VERSION: u32 = 1;

const HEAD: &str = "# Written by keyway. It says exactly what is installed; keep it under version control to \
                    have the same elsewhere.\n";

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default, rename = "plugin")]
    plugins: Vec<Entry>,
}

/// Simple values come first, since in TOML nothing of a table can follow after its tables.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    version: String,
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    interface: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    requested: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pinned: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    libraries: BTreeMap<String, LibraryEntry>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    dependencies: BTreeMap<String, DependencyEntry>,
    #[serde(default, skip_serializing_if = "PermissionsEntry::is_empty")]
    permissions: PermissionsEntry,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LibraryEntry {
    file: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DependencyEntry {
    version: String,
    #[serde(default, skip_serializing_if = "is_false")]
    optional: bool,
}

#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PermissionsEntry {
    #[serde(default, skip_serializing_if = "is_nothing")]
    network: AccessEntry,
    #[serde(default, skip_serializing_if = "is_nothing")]
    read: AccessEntry,
    #[serde(default, skip_serializing_if = "is_nothing")]
    write: AccessEntry,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    #[serde(default, skip_serializing_if = "is_nothing")]
    subprocess: AccessEntry,
}

impl PermissionsEntry {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `true`, or a list, as in manifests.
#[derive(Default, PartialEq)]
struct AccessEntry(Access);

fn is_nothing(access: &AccessEntry) -> bool {
    access.0.is_none()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

impl Serialize for AccessEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.is_all() {
            true => serializer.serialize_bool(true),
            false => self.0.patterns().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for AccessEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyAccess;
        impl<'de> Visitor<'de> for AnyAccess {
            type Value = Access;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, or an array of strings")
            }

            fn visit_bool<E: de::Error>(self, all: bool) -> Result<Access, E> {
                Ok(all.into())
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Access, A::Error> {
                let mut patterns: Vec<String> = Vec::new();
                while let Some(pattern) = list.next_element()? {
                    patterns.push(pattern);
                }
                Ok(patterns.into())
            }
        }
        deserializer.deserialize_any(AnyAccess).map(AccessEntry)
    }
}

pub(super) fn write(lock: &Lock) -> String {
    let file = File {
        version: VERSION,
        plugins: lock.plugins().map(entry).collect(),
    };
    // These are strings, booleans, lists and tables of them: TOML has all of that.
    let text = toml::to_string(&file).unwrap_or_default();
    format!("{HEAD}{text}")
}

fn entry(locked: &Locked) -> Entry {
    let text = |value: &dyn Display| value.to_string();
    let access = |access: &Access| AccessEntry(access.clone());
    let permissions = &locked.permissions;
    Entry {
        id: text(&locked.id),
        version: text(&locked.version),
        source: text(&locked.source),
        revision: locked.revision.clone(),
        interface: locked.interface.map(|interface| interface.to_string()),
        digest: locked.digest.map(|digest| digest.to_string()),
        requested: locked.requested,
        pinned: locked.pinned,
        libraries: locked
            .libraries
            .iter()
            .map(|(target, library)| {
                let file = library.file.to_string_lossy().into_owned();
                let hash = library.hash.map(|hash| hash.to_string());
                (target.clone(), LibraryEntry { file, hash })
            })
            .collect(),
        dependencies: locked
            .dependencies
            .iter()
            .map(|(id, needed)| {
                let entry = DependencyEntry {
                    version: text(&needed.versions),
                    optional: needed.optional,
                };
                (text(id), entry)
            })
            .collect(),
        permissions: PermissionsEntry {
            network: access(&permissions.network),
            read: access(&permissions.filesystem.read),
            write: access(&permissions.filesystem.write),
            env: permissions.env.clone(),
            subprocess: access(&permissions.subprocess),
        },
    }
}

/// Why a text is no lockfile.
pub(super) enum Fault {
    /// It has another version.
    Newer(u32),
    /// Something in it is wrong.
    Wrong(String),
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Newer(found) => write!(
                f,
                "expected version {VERSION}, found {found}: it was written by another version of keyway"
            ),
            Fault::Wrong(what) => f.write_str(what),
        }
    }
}

impl From<String> for Fault {
    fn from(what: String) -> Self {
        Fault::Wrong(what)
    }
}

pub(super) fn read(text: &str) -> Result<Lock, Fault> {
    let shown = |error: toml::de::Error| error.to_string().trim_end().to_owned();
    // First alone: a newer format may have anything else.
    let Versioned { version } = toml::from_str(text).map_err(shown)?;
    if version != VERSION {
        return Err(Fault::Newer(version));
    }
    let file: File = toml::from_str(text).map_err(shown)?;
    let mut lock = Lock::default();
    for entry in file.plugins {
        let id = entry.id.clone();
        let locked = locked(entry).map_err(|fault| format!("plugin {id:?}: {fault}"))?;
        if lock.get(locked.id.as_str()).is_some() {
            return Err(Fault::Wrong(format!("plugin {id:?} is there twice")));
        }
        lock.set(locked);
    }
    Ok(lock)
}

fn locked(entry: Entry) -> Result<Locked, String> {
    let mut libraries = BTreeMap::new();
    for (target, LibraryEntry { file, hash }) in entry.libraries {
        let hash = hash.map(|hash| parse("hash", &hash)).transpose()?;
        if hash.is_some() {
            // It is joined to the package's directory.
            crate::name::check(&file).map_err(|error| error.message().to_owned())?;
        }
        let library = Library {
            file: file.into(),
            hash,
        };
        libraries.insert(target, library);
    }
    let mut dependencies = BTreeMap::new();
    for (id, DependencyEntry { version, optional }) in entry.dependencies {
        let needed = Needed {
            versions: parse("version", &version)?,
            optional,
        };
        dependencies.insert(parse::<PluginId>("id", &id)?, needed);
    }
    let PermissionsEntry {
        network,
        read,
        write,
        env,
        subprocess,
    } = entry.permissions;
    let mut filesystem = Filesystem::default();
    (filesystem.read, filesystem.write) = (read.0, write.0);
    let mut permissions = Permissions::default();
    (permissions.network, permissions.subprocess) = (network.0, subprocess.0);
    (permissions.filesystem, permissions.env) = (filesystem, env);
    let locked = Locked {
        id: parse("id", &entry.id)?,
        version: parse("version", &entry.version)?,
        source: parse("source", &entry.source)?,
        revision: entry.revision,
        interface: entry.interface.as_deref().map(interface).transpose()?,
        digest: entry
            .digest
            .map(|digest| parse("digest", &digest))
            .transpose()?,
        libraries,
        dependencies,
        permissions,
        pinned: entry.pinned,
        requested: entry.requested,
    };
    match (locked.source.is_link(), &locked.digest) {
        (false, None) => Err("it has no digest, and is no link".to_owned()),
        (true, Some(_)) => Err("it is a link, and has a digest".to_owned()),
        _ => Ok(locked),
    }
}

fn parse<T: FromStr<Err: Display>>(what: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|error| format!("{what} {text:?}: {error}"))
}

fn interface(text: &str) -> Result<InterfaceVersion, String> {
    let parts = text.split_once('.');
    let parsed = parts.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let (major, minor) =
        parsed.ok_or_else(|| format!("interface: expected such as \"1.0\", found {text:?}"))?;
    Ok(InterfaceVersion { major, minor })
}
