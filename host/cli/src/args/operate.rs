//! The arguments of the commands for who runs plugins: what is there, whether it may run, how it is set.

use std::path::PathBuf;

use keyway_host::manifest::PluginId;
use semver::Version;

use super::Place;

/// Show the plugins that there are: those that are installed, and those in the roots of the settings file.
///
/// Nothing of them runs. With -v come their origins, their paths, and all that there is to say of them.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Also those that another file comes before, and files that are no plugins.
    #[arg(long)]
    pub(crate) all: bool,

    /// Only the ids, one a line, as completions need them.
    #[arg(long, conflicts_with_all = ["json", "all"])]
    pub(crate) ids: bool,

    #[command(flatten)]
    pub(crate) place: Setup,
}

/// Let plugins run, in the settings file.
#[derive(Debug, clap::Args)]
pub(crate) struct Enable {
    /// The plugins.
    #[arg(value_name = "NAME", required = true)]
    pub(crate) plugins: Vec<PluginId>,

    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) application: StandIn,
}

/// Keep plugins from running, in the settings file.
///
/// Refused while others that are enabled need them.
#[derive(Debug, clap::Args)]
pub(crate) struct Disable {
    /// The plugins.
    #[arg(value_name = "NAME", required = true)]
    pub(crate) plugins: Vec<PluginId>,

    /// Go on although others would not start any more. Risky.
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    pub(crate) application: StandIn,
}

/// Which installation a command reads.
#[derive(Debug, clap::Args)]
pub(crate) struct Setup {
    /// The settings file, beside which the lockfile is.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Print JSON; an error is then JSON too, the last line of stderr.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) application: StandIn,
}

/// The application that `keyway` stands in for, where that is known.
#[derive(Debug, clap::Args)]
pub(crate) struct StandIn {
    /// Refuse plugins that do not fit this version of the application.
    #[arg(long, value_name = "VERSION")]
    pub(crate) host_version: Option<Version>,
}

/// Look for what is not in order: settings, lockfile, store, plugins, rights, limits.
///
/// No plugin runs for that, unless it is asked for with --start. It ends with 1 if there are errors, with 10 if there
/// are warnings, and with 0 else.
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// Mend what can be mended safely: rights of own files, and packages that nobody needs.
    #[arg(long)]
    pub(crate) fix: bool,

    /// With --fix: also let the builds be loaded again that are in quarantine. Risky.
    #[arg(long, requires = "fix")]
    pub(crate) release: bool,

    /// Also start all plugins, and ask each whether it is well.
    #[arg(long)]
    pub(crate) start: bool,

    #[command(flatten)]
    pub(crate) place: Setup,
}
