//! What `cargo metadata` says of a crate. Nothing is resolved and nothing is built for it.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use keyway_host::keyway::version::TARGET;
use serde::Deserialize;

use super::{command, not_started};
use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;

/// A crate that makes a dynamic library.
#[derive(Debug)]
pub(crate) struct PluginCrate {
    /// Its directory, as it was given.
    pub(crate) dir: PathBuf,
    /// The name of its package.
    pub(crate) package: String,
    /// The package as cargo's messages name it.
    pub(super) id: String,
    file_name: String,
    target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    crate_types: Vec<String>,
}

impl PluginCrate {
    /// The crate in a directory that has a `Cargo.toml`.
    pub(crate) fn at(dir: &Path) -> Outcome<Self> {
        let Metadata {
            packages,
            target_directory,
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
        let root = &self.target_directory;
        let places = [root.clone(), root.join(TARGET)];
        let files = places.iter().flat_map(|place| {
            ["debug", "release"].map(|profile| place.join(profile).join(&self.file_name))
        });
        let dated = files.filter_map(|file| Some((modified(&file)?, file)));
        dated.max().map(|(_, file)| file)
    }
}

impl Target {
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
