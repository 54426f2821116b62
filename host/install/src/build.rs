//! Crates of plugins: which library cargo makes of one, and having it made.
//!
//! Building a crate runs code of its author and of all that it depends on: build scripts and macros. That
//! is so for `cargo build` anywhere, and the one place where an installation runs anything of a plugin.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keyway_host::keyway::version::TARGET;
use serde::Deserialize;

use crate::error::{InstallError, Result};

/// A crate that makes a plugin's library.
#[derive(Clone, Debug)]
pub(crate) struct Crate {
    /// Its directory.
    pub(crate) dir: PathBuf,
    package: String,
    /// As cargo's messages name it.
    id: String,
    file_name: String,
    target_directory: PathBuf,
}

/// How a crate is built.
#[derive(Clone, Debug, Default)]
pub(crate) struct BuildOptions {
    pub(crate) offline: bool,
    /// Where cargo builds, unless the environment says.
    pub(crate) target_directory: Option<PathBuf>,
    /// Whether what cargo says goes to stderr at once.
    pub(crate) show: bool,
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

/// A message of cargo's, as far as it is about a file that was made.
#[derive(Debug, Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    package_id: String,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

impl Target {
    fn is_cdylib(&self) -> bool {
        let is_example = self.kind.iter().any(|kind| kind == "example");
        !is_example && self.crate_types.iter().any(|kind| kind == "cdylib")
    }
}

impl Crate {
    /// The crate in a directory with a `Cargo.toml`; of a workspace without a package of its own, the one member
    /// that makes a dynamic library.
    pub(crate) fn at(dir: &Path) -> Result<Self> {
        let output = cargo(dir)
            .args(["metadata", "--no-deps", "--format-version=1"])
            .output()
            .map_err(not_started)?;
        let refuse = |what: &str| {
            let message = format!("cargo cannot read the crate: {what}");
            InstallError::build("cargo", message).at(&dir.join("Cargo.toml"))
        };
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(refuse(
                said.trim().strip_prefix("error: ").unwrap_or(said.trim()),
            ));
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .map_err(|error| refuse(&format!("its answer does not read: {error}")))?;
        let own = dir.join("Cargo.toml").canonicalize().ok();
        let is_own = |package: &&Package| package.manifest_path.canonicalize().ok() == own;
        let makes_plugin = |package: &&Package| package.targets.iter().any(Target::is_cdylib);
        let package = match metadata.packages.iter().find(is_own) {
            Some(package) => package,
            None => {
                let members: Vec<&Package> =
                    metadata.packages.iter().filter(makes_plugin).collect();
                match members[..] {
                    [package] => package,
                    _ => return Err(no_package(dir, &members)),
                }
            }
        };
        let Some(library) = package.targets.iter().find(|target| target.is_cdylib()) else {
            let message = format!(
                "package `{}` makes no dynamic library: expected \"cdylib\" in its crate-type",
                package.name
            );
            return Err(InstallError::unfit("no-plugin-crate", message)
                .at(dir)
                .hint("set crate-type = [\"cdylib\", \"rlib\"] under [lib] in Cargo.toml"));
        };
        Ok(Crate {
            dir: package
                .manifest_path
                .parent()
                .map_or_else(|| dir.to_owned(), Path::to_owned),
            package: package.name.clone(),
            id: package.id.clone(),
            file_name: format!(
                "{}{}{}",
                std::env::consts::DLL_PREFIX,
                library.name.replace('-', "_"),
                std::env::consts::DLL_SUFFIX
            ),
            target_directory: metadata.target_directory,
        })
    }

    /// The newest library that was built of it.
    pub(crate) fn built(&self) -> Result<PathBuf> {
        let root = &self.target_directory;
        let places = [root.clone(), root.join(TARGET)];
        let files = places.iter().flat_map(|place| {
            ["debug", "release"].map(|profile| place.join(profile).join(&self.file_name))
        });
        let dated = files.filter_map(|file| {
            let modified = std::fs::metadata(&file).ok()?.modified().ok()?;
            Some((modified, file))
        });
        dated.max().map(|(_, file)| file).ok_or_else(|| {
            let message = format!(
                "no library of package `{}` was built yet: expected one under target/debug or \
                 target/release",
                self.package
            );
            InstallError::not_found("not-built", message)
                .at(&self.dir)
                .hint("run `cargo build --release` there")
        })
    }

    /// Builds it with optimizations, with the versions in its `Cargo.lock`; answers the library.
    pub(crate) fn build(&self, options: &BuildOptions) -> Result<PathBuf> {
        let mut command = cargo(&self.dir);
        command.args([
            "build",
            "--lib",
            "--release",
            "--locked",
            "--message-format=json-render-diagnostics",
        ]);
        if options.offline {
            command.arg("--offline");
        }
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if let Some(dir) = &options.target_directory
            && !is_set("CARGO_TARGET_DIR")
            && !is_set("CARGO_BUILD_TARGET_DIR")
        {
            command.env("CARGO_TARGET_DIR", dir);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(match options.show {
            true => Stdio::inherit(),
            false => Stdio::piped(),
        });
        let mut child = command.spawn().map_err(not_started)?;
        let said = child.stderr.take().map(|stderr| {
            // Both pipes have to be read, or cargo waits for ever.
            std::thread::spawn(move || std::io::read_to_string(stderr).unwrap_or_default())
        });
        let messages = child.stdout.take().into_iter().map(BufReader::new);
        let lines = messages.flat_map(|messages| messages.lines().map_while(Result::ok));
        let library = lines.filter_map(|line| self.library_in(&line)).last();
        let said = said.and_then(|thread| thread.join().ok());
        let status = child.wait().map_err(not_started)?;
        if !status.success() {
            return Err(self.not_built(said.unwrap_or_default()));
        }
        library.ok_or_else(|| {
            let message = format!(
                "cargo built package `{}` and reported no dynamic library of it",
                self.package
            );
            InstallError::build("build", message).at(&self.dir)
        })
    }

    fn library_in(&self, line: &str) -> Option<PathBuf> {
        let message: Message = serde_json::from_str(line).ok()?;
        let is_own = message.reason == "compiler-artifact" && message.package_id == self.id;
        if !is_own || !message.target.as_ref().is_some_and(Target::is_cdylib) {
            return None;
        }
        message.filenames.into_iter().find(|file| {
            file.extension()
                .is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION)
        })
    }

    fn not_built(&self, said: String) -> InstallError {
        let message = format!("cargo could not build package `{}`", self.package);
        let error = InstallError::build("build", message).details(said);
        match self.dir.join("Cargo.lock").is_file() {
            true => error,
            // A member of a workspace has it further up; then cargo has said what is wrong.
            false => error.hint(
                "a plugin that is built from its source has its Cargo.lock beside Cargo.toml, so that \
                 everybody builds the same",
            ),
        }
    }
}

fn no_package(dir: &Path, members: &[&Package]) -> InstallError {
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let found = match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    };
    InstallError::unfit(
        "no-plugin-crate",
        format!("expected one package that makes a plugin, found {found}"),
    )
    .at(dir)
}

fn not_started(error: std::io::Error) -> InstallError {
    InstallError::build("cargo", format!("cannot run cargo: {error}"))
        .hint("install Rust from https://rustup.rs, or set CARGO to the cargo to use")
}

/// What an outer `cargo run` or `cargo test` sets for its own package; a build that sees it takes it for its own.
const LEAKING: [&str; 10] = [
    "CARGO_PKG_",
    "CARGO_CFG_",
    "CARGO_FEATURE_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_NAME",
    "CARGO_MAKEFLAGS",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
    "OUT_DIR",
];

/// Cargo in the directory of a crate, so that the toolchain and the configuration that are set there apply.
fn cargo(dir: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(program);
    cargo.current_dir(dir);
    for (name, value) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if LEAKING.iter().any(|prefix| text.starts_with(prefix)) {
            cargo.env_remove(&name);
        } else if matches!(&*text, "CARGO_TARGET_DIR" | "CARGO_BUILD_TARGET_DIR")
            && let Ok(dir) = std::path::absolute(&value)
        {
            // It is meant from where this process was started.
            cargo.env(&name, dir);
        }
    }
    cargo
}
