//! `cargo build` of one plugin, whose messages tell which file it made.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use serde::Deserialize;

use super::{PluginCrate, command, not_started};
use crate::args::Color;
use crate::ending::Outcome;
use crate::exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

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

#[derive(Debug, Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

/// Builds the library of a crate. What cargo and the compiler say goes to stderr, as they say it.
pub(crate) fn build(plugin: &PluginCrate, release: bool, terminal: &Terminal) -> Outcome<PathBuf> {
    let mut cargo = command::cargo(&plugin.dir)?;
    cargo.args(["build", "--lib", "--message-format=json-render-diagnostics"]);
    if release {
        cargo.arg("--release");
    }
    if terminal.is_quiet() {
        cargo.arg("--quiet");
    }
    match terminal.color() {
        Color::Auto => {}
        Color::Always => drop(cargo.arg("--color=always")),
        Color::Never => drop(cargo.arg("--color=never")),
    }
    let mut running = cargo
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| not_started(&error))?;
    let messages = running.stdout.take().map(BufReader::new);
    let lines = messages
        .into_iter()
        .flat_map(|messages| messages.lines().map_while(Result::ok));
    let library = lines.filter_map(|line| plugin.library_in(&line)).last();
    let status = running.wait().map_err(|error| not_started(&error))?;
    if !status.success() {
        return Err(not_built(plugin, status).into());
    }
    Ok(library.ok_or_else(|| {
        Failure::new(
            exit::BUILD,
            "build",
            format!(
                "cargo built package `{}` and reported no dynamic library of it",
                plugin.package
            ),
        )
        .at(&plugin.dir)
    })?)
}

impl PluginCrate {
    /// The library that a message of cargo's reports, if it is this crate's.
    fn library_in(&self, line: &str) -> Option<PathBuf> {
        let message: Message = serde_json::from_str(line).ok()?;
        let is_own = message.reason == "compiler-artifact" && message.package_id == self.id;
        let is_cdylib = |target: &Target| target.crate_types.iter().any(|kind| kind == "cdylib");
        if !is_own || !message.target.as_ref().is_some_and(is_cdylib) {
            return None;
        }
        message.filenames.into_iter().find(|file| {
            file.extension()
                .is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION)
        })
    }
}

fn not_built(plugin: &PluginCrate, status: ExitStatus) -> Failure {
    /// What cargo ends with when it has said what is wrong.
    const TOLD: i32 = 101;
    let mut message = format!("cargo could not build package `{}`", plugin.package);
    if status.code() != Some(TOLD) {
        message = format!("{message}: it ended with {status}");
    }
    Failure::new(exit::BUILD, "build", message)
}
