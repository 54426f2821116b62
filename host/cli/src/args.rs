//! The command line.

mod call;
mod install;
mod new;
mod operate;
mod registry;
mod validate;
mod value;

use std::path::PathBuf;

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use semver::Version;
use serde_json::{Map, Value};

pub(crate) use self::call::{Call, Target};
pub(crate) use self::install::{
    Change, Fetching, Install, Package, Pin, Place, Rollback, Uninstall, Unpin, Update,
};
pub(crate) use self::new::{Handover, Keyway, Kind, New, word};
pub(crate) use self::operate::{
    Completions, Config, ConfigCommand, ConfigSchema, ConfigSet, ConfigShow, ConfigUnset, Disable,
    Doctor, Enable, List, Man, Permissions, PermissionsCommand, PermissionsGrant,
    PermissionsRevoke, Run, StandIn,
};
pub(crate) use self::registry::{Outdated, Publish};
pub(crate) use self::validate::{Checks, TestCrate, Validate};
use crate::exit;

/// Native plugins for Rust applications: begin, inspect, call, develop, validate and install them.
#[derive(Debug, Parser)]
#[command(
    name = "keyway",
    disable_help_subcommand = true,
    version,
    long_version = long_version(),
    styles = STYLES,
    after_help = exit::help(),
    max_term_width = 100,
    arg_required_else_help = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Show more: all details of errors, and one more level of what is logged; repeatable
    #[arg(
        short,
        long,
        global = true,
        help_heading = GLOBAL,
        action = ArgAction::Count,
        conflicts_with = "quiet"
    )]
    pub(crate) verbose: u8,

    /// Show results and errors only; twice: nothing that is logged either
    #[arg(short, long, global = true, help_heading = GLOBAL, action = ArgAction::Count)]
    pub(crate) quiet: u8,

    /// When to use colours; `auto` respects NO_COLOR
    #[arg(
        long,
        global = true,
        help_heading = GLOBAL,
        value_name = "WHEN",
        default_value_t,
        value_enum
    )]
    pub(crate) color: Color,
}

const GLOBAL: &str = "Global options";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(New),
    Inspect(Inspect),
    Call(Call),
    Dev(Dev),
    Test(TestCrate),
    Validate(Validate),
    Release(Release),
    /// Runs one check of `keyway validate`, which starts it.
    #[command(name = RUN_CHECK, hide = true)]
    RunCheck,
    Install(Install),
    Uninstall(Uninstall),
    Update(Update),
    Rollback(Rollback),
    Pin(Pin),
    Unpin(Unpin),
    Package(Package),
    List(List),
    Enable(Enable),
    Disable(Disable),
    Config(Config),
    Permissions(Permissions),
    Run(Run),
    Doctor(Doctor),
    Completions(Completions),
    Man(Man),
    Publish(Publish),
    Outdated(Outdated),
}

/// The command by which `keyway` starts itself for a check.
pub(crate) const RUN_CHECK: &str = "run-check";

/// Show the facts of a plugin from its file alone; no code of it runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Inspect {
    /// A library, a directory of libraries, or a crate that cargo has built.
    #[arg(value_name = "FILE|DIR")]
    pub(crate) subject: PathBuf,

    /// Print JSON; an error is then JSON too, the last line of stderr.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) application: Application,
}

/// Build a plugin's crate, load it, call its tools; and again whenever its sources change.
///
/// A new build takes over in place: what the plugin serves goes on without a gap, and a build that
/// fails or does not fit changes nothing. Ctrl-C ends it.
#[derive(Debug, clap::Args)]
pub(crate) struct Dev {
    /// The crate's directory.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,

    /// Call a tool and print its answer, now and after each reload; repeatable.
    #[arg(long, num_args = 2, value_names = ["TOOL", "JSON"], action = ArgAction::Append)]
    call: Vec<String>,

    /// Build, load and call once, then end; the first that fails ends the run.
    #[arg(long)]
    pub(crate) once: bool,

    /// Leave building to somebody else: load what is built, and again when that is replaced.
    #[arg(long)]
    pub(crate) no_build: bool,

    /// Build with optimizations, as `cargo build --release` does.
    #[arg(short, long)]
    pub(crate) release: bool,

    #[command(flatten)]
    pub(crate) settings: Settings,

    #[command(flatten)]
    pub(crate) application: Application,
}

impl Dev {
    /// The calls to make: tool and JSON text.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&str, &str)> {
        // The parser takes exactly two values each time.
        self.call.chunks_exact(2).map(|pair| (&*pair[0], &*pair[1]))
    }
}

/// Let a library be loaded again that is in quarantine, since a process died while it loaded it.
#[derive(Debug, clap::Args)]
pub(crate) struct Release {
    /// The library, a directory with one library, a crate that cargo has built, or a hash.
    #[arg(value_name = "FILE|DIR|HASH")]
    pub(crate) subject: PathBuf,
}

/// The plugin's configuration.
#[derive(Debug, clap::Args)]
pub(crate) struct Settings {
    /// Set a value of the plugin's configuration; repeatable.
    #[arg(long, value_name = "KEY=JSON", value_parser = value::setting)]
    config: Vec<(String, Value)>,
}

impl Settings {
    /// The values by key; of several for one key, the last.
    pub(crate) fn to_map(&self) -> Map<String, Value> {
        self.config.iter().cloned().collect()
    }
}

/// The application that `keyway` stands in for.
#[derive(Debug, clap::Args)]
pub(crate) struct Application {
    /// The version of the application that keyway stands in for.
    #[arg(long, value_name = "VERSION", default_value = env!("CARGO_PKG_VERSION"))]
    pub(crate) host_version: Version,
}

impl Args {
    /// Whether errors are printed as JSON.
    pub(crate) fn wants_json(&self) -> bool {
        match &self.command {
            Command::New(command) => command.json,
            Command::Inspect(command) => command.json,
            Command::Call(command) => command.json,
            Command::Test(command) => command.json,
            Command::Validate(command) => command.json,
            Command::Install(command) => command.change.place.json,
            Command::Uninstall(command) => command.change.place.json,
            Command::Update(command) => command.change.place.json,
            Command::Rollback(command) => command.change.place.json,
            Command::Pin(command) => command.place.json,
            Command::Unpin(command) => command.place.json,
            Command::Package(command) => command.json,
            Command::Enable(command) => command.place.json,
            Command::Disable(command) => command.place.json,
            Command::Config(command) => command.command.wants_json(),
            Command::Permissions(command) => command.wants_json(),
            Command::Doctor(command) => command.place.json,
            Command::List(command) => command.place.json,
            Command::Publish(command) => command.json,
            Command::Outdated(command) => command.json,
            Command::Dev(_)
            | Command::Run(_)
            | Command::Completions(_)
            | Command::Man(_)
            | Command::Release(_)
            | Command::RunCheck => false,
        }
    }
}

fn long_version() -> String {
    use keyway_host::keyway::version::{INTERFACE, RUSTC, TARGET};
    format!(
        "{}\ninterface {INTERFACE}\ntarget {TARGET}\n{RUSTC}",
        env!("CARGO_PKG_VERSION")
    )
}

/// The colours of cargo's own help.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::BrightGreen.on_default().bold())
    .usage(AnsiColor::BrightGreen.on_default().bold())
    .literal(AnsiColor::BrightCyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Args;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
