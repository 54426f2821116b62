//! What `cargo metadata` says of a crate. Nothing is resolved and nothing is built for it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use keyway_host::keyway::version::TARGET;
use serde::Deserialize;

use super::sources::{SourceCrate, Sources};
use super::{command, not_started};
use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;

/// A crate that makes a dynamic library.
#[derive(Clone, Debug)]
pub(crate) struct PluginCrate {
    /// Its directory, as it was given.
    pub(crate) dir: PathBuf,
    /// The name of its package.
    pub(crate) package: String,
    /// The package as cargo's messages name it.
    pub(super) id: String,
    /// What its build reads.
    pub(crate) sources: Sources,
    file_name: String,
    target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    /// None for a normal one.
    kind: Option<String>,
    /// Of one that is given by its path.
    path: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    crate_types: Vec<String>,
    src_path: PathBuf,
}

impl PluginCrate {
    /// The crate in a directory that has a `Cargo.toml`.
    pub(crate) fn at(dir: &Path) -> Outcome<Self> {
        let Metadata {
            packages,
            target_directory,
            workspace_root,
        } = read(dir)?;
        let own = dir.join("Cargo.toml").canonicalize().ok();
        let is_own = |package: &Package| package.manifest_path.canonicalize().ok() == own;
        let Some(package) = packages.iter().find(|package| is_own(package)) else {
            return Err(no_package(dir, &packages).into());
        };
        let Some(library) = package.targets.iter().find(|target| target.is_cdylib()) else {
            return Err(no_library(dir, package).into());
        };
        Ok(PluginCrate {
            dir: dir.to_owned(),
            package: package.name.clone(),
            id: package.id.clone(),
            sources: Sources::new(read_by(package, &packages), &workspace_root),
            file_name: format!(
                "{}{}{}",
                std::env::consts::DLL_PREFIX,
                library.name.replace('-', "_"),
                std::env::consts::DLL_SUFFIX
            ),
            target_directory,
        })
    }

    /// The newest library that was built of it, if there is one.
    pub(crate) fn built(&self) -> Option<PathBuf> {
        self.newest(&["debug", "release"])
    }

    /// The library that `cargo build` makes, with or without `--release`, if it is there.
    pub(crate) fn built_as(&self, release: bool) -> Option<PathBuf> {
        self.newest(if release { &["release"] } else { &["debug"] })
    }

    fn newest(&self, profiles: &[&str]) -> Option<PathBuf> {
        let root = &self.target_directory;
        let places = [root.clone(), root.join(TARGET)];
        let files = places.iter().flat_map(|place| {
            let file = |profile| place.join(profile).join(&self.file_name);
            profiles.iter().map(file).collect::<Vec<_>>()
        });
        let dated = files.filter_map(|file| Some((modified(&file)?, file)));
        dated.max().map(|(_, file)| file)
    }
}

/// A package with those that it depends on by their paths, directly or not.
fn read_by(package: &Package, members: &[Package]) -> Vec<SourceCrate> {
    let mut crates = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = package.manifest_path.parent().map(Path::to_owned);
    let mut open = Vec::new();
    while let Some(dir) = next.or_else(|| open.pop()) {
        next = None;
        if !seen.insert(dir.clone()) {
            continue;
        }
        let is_member = |member: &&Package| member.manifest_path.parent() == Some(&*dir);
        let Some(member) = members.iter().find(is_member) else {
            // Of a crate in another workspace nothing is known but where crates usually have what.
            crates.push(SourceCrate::usual(&dir));
            continue;
        };
        let built = |target: &&Target| target.is_library() || target.is_build_script();
        let roots = member.targets.iter().filter(built);
        crates.push(SourceCrate::new(
            &dir,
            roots.map(|target| &*target.src_path),
        ));
        let needed = |dependency: &&Dependency| dependency.kind.as_deref() != Some("dev");
        let needed = member.dependencies.iter().filter(needed);
        open.extend(needed.filter_map(|dependency| dependency.path.clone()));
    }
    crates
}

impl Target {
    fn is_build_script(&self) -> bool {
        self.kind.iter().any(|kind| kind == "custom-build")
    }

    fn is_cdylib(&self) -> bool {
        let is_example = self.kind.iter().any(|kind| kind == "example");
        !is_example && self.crate_types.iter().any(|kind| kind == "cdylib")
    }

    fn is_library(&self) -> bool {
        self.kind
            .iter()
            .any(|kind| kind.ends_with("lib") || kind == "proc-macro")
    }
}

fn read(dir: &Path) -> Outcome<Metadata> {
    let output = command::cargo(dir)?
        .args(["metadata", "--no-deps", "--format-version=1"])
        .output()
        .map_err(|error| not_started(&error))?;
    let refuse = |what: &str| {
        let message = format!("cargo cannot read the crate: {what}");
        Failure::new(exit::BUILD, "cargo", message).at(&dir.join("Cargo.toml"))
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().strip_prefix("error: ").unwrap_or(said.trim());
        return Err(refuse(said).into());
    }
    let metadata = serde_json::from_slice(&output.stdout);
    Ok(metadata.map_err(|error| refuse(&format!("its answer does not read: {error}")))?)
}

fn modified(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).ok()?.modified().ok()
}

fn no_package(dir: &Path, members: &[Package]) -> Failure {
    let plugins = members
        .iter()
        .filter(|member| member.targets.iter().any(Target::is_cdylib));
    let names: Vec<&str> = plugins.map(|member| member.name.as_str()).collect();
    let failure = Failure::new(
        exit::UNFIT,
        "no-plugin-crate",
        "expected a plugin's crate, found a workspace without a package of its own",
    )
    .at(dir);
    if names.is_empty() {
        return failure;
    }
    failure.hint(format!(
        "give the directory of one of its plugins: {}",
        names.join(", ")
    ))
}

fn no_library(dir: &Path, package: &Package) -> Failure {
    let library = package.targets.iter().find(|target| target.is_library());
    let found = match library {
        Some(library) => format!("[\"{}\"]", library.crate_types.join("\", \"")),
        None => "no library".to_owned(),
    };
    Failure::new(
        exit::UNFIT,
        "no-plugin-crate",
        format!(
            "package `{}` makes no dynamic library: expected \"cdylib\" in its crate-type, found \
             {found}",
            package.name
        ),
    )
    .at(dir)
    .hint("set crate-type = [\"cdylib\", \"rlib\"] under [lib] in Cargo.toml")
}
