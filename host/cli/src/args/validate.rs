//! The command lines of `keyway validate` and `keyway test`.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use keyway_validate::{CHECKS, GrantLevel, Reproduce, Validator};
use semver::Version;

use super::{Settings, value};

/// Find out whether a plugin keeps the rules: each check runs in a process of its own.
///
/// The plugin's code runs, with random input. What it asks its host for is granted up to --grant.
///
/// It ends with the code of the worst that was found: 0 if there is no failure (warnings and skipped
/// checks are none), 3 if a file is no plugin, 6 if all that failed took too long, and 1 otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct Validate {
    /// A library, a directory of libraries, or a crate that cargo has built.
    #[arg(value_name = "FILE|DIR", required_unless_present = "list")]
    pub(crate) subject: Option<PathBuf>,

    /// List the checks, and run none.
    #[arg(long)]
    pub(crate) list: bool,

    /// Print JSON; an error is then JSON too, the last line of stderr.
    #[arg(long)]
    pub(crate) json: bool,

    /// Write the results to a file as JUnit XML, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,

    /// Run one case of one check again, as a failure says it.
    #[arg(
        long,
        value_name = "CHECK:SEED:CASE",
        conflicts_with_all = ["only", "skip", "seed", "cases"]
    )]
    pub(crate) reproduce: Option<Reproduce>,

    #[command(flatten)]
    pub(crate) checks: Checks,
}

/// Build a plugin's crate, run its own tests, load it and validate it.
///
/// It stops at the first stage that fails, with its code: 4 if cargo cannot build the crate or its
/// tests, 1 if a test fails, and the code of `keyway validate` after that.
#[derive(Debug, clap::Args)]
pub(crate) struct TestCrate {
    /// The crate's directory.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,

    /// Print JSON; an error is then JSON too, the last line of stderr.
    #[arg(long)]
    pub(crate) json: bool,

    /// Build with optimizations, as `cargo build --release` does.
    #[arg(short, long)]
    pub(crate) release: bool,

    #[command(flatten)]
    pub(crate) checks: Checks,
}

/// Which checks, and with what.
#[derive(Debug, clap::Args)]
pub(crate) struct Checks {
    /// Run this check alone; repeatable.
    #[arg(long, value_name = "CHECK", value_parser = check_ids(), hide_possible_values = true)]
    pub(crate) only: Vec<String>,

    /// Leave this check out; repeatable.
    #[arg(long, value_name = "CHECK", value_parser = check_ids(), hide_possible_values = true)]
    pub(crate) skip: Vec<String>,

    /// What random input is made of: the same seed makes the same.
    #[arg(long, value_name = "N", default_value_t = Validator::SEED)]
    pub(crate) seed: u64,

    /// How many random inputs each tool gets.
    #[arg(long, value_name = "N", default_value_t = Validator::CASES)]
    pub(crate) cases: u64,

    /// How many checks run at the same time; by default as many as there are processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,

    /// How long each check may take, such as 90s or 2m.
    #[arg(long, value_name = "TIME", value_parser = value::duration, default_value = "60s")]
    pub(crate) time_limit: Duration,

    /// How much of what the plugin asks for is granted: none, read (files and variables) or all,
    /// with which tools are called too that say that they destroy something.
    #[arg(long, value_name = "HOW MUCH", default_value_t)]
    pub(crate) grant: GrantLevel,

    #[command(flatten)]
    pub(crate) settings: Settings,

    /// The version of the application that the hosts stand in for; by default the oldest that the
    /// plugin works with.
    #[arg(long, value_name = "VERSION")]
    pub(crate) host_version: Option<Version>,
}

impl Checks {
    /// The options that decide what a plugin meets, to be given again; each with a space before it.
    pub(crate) fn again(&self) -> String {
        let mut text = String::new();
        for (key, value) in self.settings.to_map() {
            // A quote in a text is left to whoever copies it.
            let _ = write!(text, " --config '{key}={value}'");
        }
        if self.grant != GrantLevel::default() {
            let _ = write!(text, " --grant {}", self.grant);
        }
        if let Some(version) = &self.host_version {
            let _ = write!(text, " --host-version {version}");
        }
        text
    }
}

fn check_ids() -> PossibleValuesParser {
    PossibleValuesParser::new(CHECKS.iter().map(|check| check.id))
}
