//! Builds what a benchmark needs, with cargo and in release.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// One target of a package of this workspace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crate<'a> {
    pub(crate) package: &'a str,
    /// What cargo is to build of it: `--lib`, or `--bins`.
    pub(crate) what: &'a str,
    pub(crate) features: &'a str,
    /// What of the symbols is left out. This workspace keeps line tables, and std's would make a
    /// library ten times as large as cargo's own release profile makes it.
    pub(crate) strip: &'a str,
    pub(crate) env: &'a [(&'a str, &'a OsStr)],
}

impl Crate<'_> {
    /// Answers the file with this extension that cargo has made.
    pub(crate) fn build(self, extension: &str) -> Result<PathBuf, String> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(["rustc", self.what, "--release", "-p", self.package])
            .args(["--features", self.features])
            .arg("--message-format=json-render-diagnostics")
            .arg("--")
            .arg(format!("-Cstrip={}", self.strip))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit());
        // What cargo sets for a benchmark must not leak into a build that it starts.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_CFG_") {
                cargo.env_remove(&name);
            }
        }
        cargo.envs(self.env.iter().copied());
        let output = cargo
            .output()
            .map_err(|error| format!("cannot start cargo: {error}"))?;
        let package = self.package;
        if !output.status.success() {
            return Err(format!("cargo could not build {package}"));
        }
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .find_map(|line| file_of_message(line, package, extension))
            .ok_or_else(|| format!("cargo reported no .{extension} file of {package}"))
    }
}

fn file_of_message(line: &str, package: &str, extension: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    // The target of a library has the package's name with underscores.
    if message["target"]["name"].as_str()?.replace('_', "-") != package {
        return None;
    }
    let files = message["filenames"].as_array()?;
    files
        .iter()
        .filter_map(|file| Some(PathBuf::from(file.as_str()?)))
        .find(|file| file.extension().unwrap_or_default() == extension)
}
