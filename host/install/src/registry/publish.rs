//! Publishing: a package and its release are put into a registry that is a directory, from where it is served.
//!
//! The archive comes first and then the index, each by one rename: whoever reads the registry meanwhile sees the
//! old or the new one. What is published stays what it is; another content needs another version.

use std::fs;
use std::path::{Path, PathBuf};

use keyway_host::manifest::PluginId;
use semver::Version;

use super::index::{ANY_TARGET, Archived, Index, ROOT, Release, archive_path, path_of};
use super::reader::read_text;
use super::text;
use crate::archive::{self, Packed};
use crate::disk;
use crate::error::{InstallError, Result};
use crate::fetch;
use crate::guard::Guard;
use crate::package::{self, Facts};
use crate::staged;

/// What was, or would be, published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// The release, as the index has it now.
    pub release: Release,
    /// Its archive in the registry.
    pub archive: PathBuf,
    /// The target that it is for, or `any`.
    pub target: String,
    /// Whether the registry says something else now; not if just this was published already.
    pub changed: bool,
}

/// Publishes a plugin in the registry that is in the directory `to`, which is made if it is not there: a crate that
/// was built, a directory, a library, or an archive of [`package`](crate::package). A version that is there for
/// other targets gets this one in addition. A dry run checks everything, and writes nothing in the registry.
///
/// # Errors
///
/// `published` if the version is there with other content; whatever [`package`](crate::package) refuses.
pub fn publish(plugin: &Path, to: &Path, dry_run: bool) -> Result<Published> {
    let temporary = tempfile::tempdir()
        .map_err(|error| InstallError::io("make a directory", &std::env::temp_dir(), error))?;
    let (packed, facts) = match plugin.to_str().is_some_and(archive::is_archive_name) {
        true => read_packed(plugin, temporary.path())?,
        false => package::pack(plugin, temporary.path())?,
    };
    let manifest = &facts.manifest;
    let target = facts.libraries.keys().next();
    let target = target.map_or(ANY_TARGET, String::as_str).to_owned();
    let archived = Archived {
        path: archive_path(&manifest.id, &manifest.version, &target),
        hash: packed.hash,
        size: packed.size,
    };
    let new = release(&facts, &target, &archived);

    let _guard = match dry_run {
        true => None,
        false => Some(hold(to)?),
    };
    check_root(to)?;
    let mut index = read(to, &new.name)?;
    let old = index.releases.get(&new.version);
    let published = Published {
        archive: to.join(&archived.path),
        changed: old.is_none_or(|old| old.targets.get(&target) != Some(&archived)),
        release: match old {
            Some(old) => joined(old, new, &target)?,
            None => new,
        },
        target,
    };
    if dry_run || !published.changed {
        return Ok(published);
    }
    make_root(to)?;
    put_archive(&packed.path, &published.archive)?;
    let release = published.release.clone();
    index
        .releases
        .insert(release.version.clone(), release.clone());
    write(to, &release.name, &index)?;
    Ok(published)
}

/// Takes a version back, or takes that back: who has it keeps it, and nobody else gets it. Answers whether that is
/// a change.
///
/// # Errors
///
/// `not-published` if there is no such version.
pub fn yank(
    name: &PluginId,
    version: &Version,
    yanked: bool,
    registry: &Path,
    dry_run: bool,
) -> Result<bool> {
    let _guard = match dry_run || !registry.is_dir() {
        true => None,
        false => Some(hold(registry)?),
    };
    let mut index = read(registry, name)?;
    let versions: Vec<String> = index.releases.keys().map(Version::to_string).collect();
    let Some(release) = index.releases.get_mut(version) else {
        let message = format!("version {version} of '{name}' is not published");
        let error = InstallError::not_found("not-published", message).at(registry);
        return Err(match versions.is_empty() {
            true => error,
            false => error.hint(format!("published: {}", versions.join(", "))),
        });
    };
    let changed = release.yanked != yanked;
    release.yanked = yanked;
    if changed && !dry_run {
        write(registry, name, &index)?;
    }
    Ok(changed)
}

/// An archive that is there already, with what it says of the plugin.
fn read_packed(path: &Path, temporary: &Path) -> Result<(Packed, Facts)> {
    let unreadable = |error| InstallError::io("read the archive", path, error);
    // A copy, so that what was checked is what is published.
    let copy = temporary.join("archive.tar.gz");
    fs::copy(path, &copy).map_err(unreadable)?;
    let root = temporary.join("package");
    disk::create_dir(&root)?;
    let hash = archive::unpack(&copy, &root).map_err(|error| error.instead_of(&copy, path))?;
    let root = staged::within_top(root)?;
    let facts = Facts::of_package(&root, None).map_err(|error| error.instead_of(&root, path))?;
    let packed = Packed {
        hash,
        size: fs::metadata(&copy).map_err(unreadable)?.len(),
        path: copy,
        files: Vec::new(),
    };
    Ok((packed, facts))
}

fn release(facts: &Facts, target: &str, archived: &Archived) -> Release {
    let manifest = &facts.manifest;
    Release {
        name: manifest.id.clone(),
        version: manifest.version.clone(),
        interface: facts.needed_interface,
        min_host_version: manifest.min_host_version.clone(),
        dependencies: fetch::needed(facts),
        targets: [(target.to_owned(), archived.clone())].into(),
        yanked: false,
    }
}

/// A release with one more target.
fn joined(old: &Release, new: Release, target: &str) -> Result<Release> {
    let refuse = |what: &str, expected: &dyn ToString, found: &dyn ToString| {
        let message = format!(
            "version {} is published with other content: {what}: expected {}, found {}",
            new.version,
            expected.to_string(),
            found.to_string()
        );
        let label = format!("'{}' v{}", new.name, new.version);
        Err(InstallError::refused("published", message)
            .of_plugin(label)
            .hint("what is published does not change: give it a new version"))
    };
    let archived = &new.targets[target];
    if let Some(there) = old.targets.get(target)
        && there != archived
    {
        return refuse(
            &format!("the archive for {target}"),
            &there.hash,
            &archived.hash,
        );
    }
    if old.min_host_version != new.min_host_version {
        return refuse(
            "min_host_version",
            &old.min_host_version,
            &new.min_host_version,
        );
    }
    let interface = |release: &Release| {
        release
            .interface
            .map_or("none".to_owned(), |interface| interface.to_string())
    };
    if old.interface != new.interface {
        return refuse("the interface", &interface(old), &interface(&new));
    }
    if old.dependencies != new.dependencies {
        return refuse(
            "the plugins that it needs",
            &fetch::listed(&old.dependencies),
            &fetch::listed(&new.dependencies),
        );
    }
    let mut joined = old.clone();
    joined.targets.insert(target.to_owned(), archived.clone());
    Ok(joined)
}

/// Takes turns with others who publish in the same registry.
fn hold(registry: &Path) -> Result<Guard> {
    fs::create_dir_all(registry)
        .map_err(|error| InstallError::io("make the directory", registry, error))?;
    Guard::exclusive(
        &registry.join(".keyway-publish.guard"),
        "keyway publish",
        &mut |_| {},
    )
}

fn check_root(registry: &Path) -> Result<()> {
    match read_text(&registry.join(ROOT))? {
        None => Ok(()),
        Some(text) => text::check_root(&text)
            .map_err(|fault| InstallError::unfit("index", fault).at(&registry.join(ROOT))),
    }
}

fn make_root(registry: &Path) -> Result<()> {
    let path = registry.join(ROOT);
    match path.exists() {
        true => Ok(()),
        false => disk::replace_shared(&path, text::root().as_bytes()),
    }
}

fn read(registry: &Path, name: &PluginId) -> Result<Index> {
    let text = read_text(&registry.join(path_of(name)))?;
    text.map_or(Ok(Index::default()), |text| text::read(name, &text))
}

fn write(registry: &Path, name: &PluginId, index: &Index) -> Result<()> {
    let path = registry.join(path_of(name));
    make_parent(&path)?;
    disk::replace_shared(&path, text::write(index).as_bytes())
}

/// Whoever serves the registry has to read what is in it, so the directories are as the user's others.
fn make_parent(path: &Path) -> Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(|error| InstallError::io("make the directory", dir, error))
}

fn put_archive(from: &Path, to: &Path) -> Result<()> {
    make_parent(to)?;
    let bytes =
        fs::read(from).map_err(|error| InstallError::io("read the archive", from, error))?;
    disk::replace_shared(to, &bytes)
}
