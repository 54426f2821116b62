//! The arguments of the commands that change what is installed.

use std::path::PathBuf;

use keyway_host::manifest::PluginId;
use semver::Version;

/// Install a plugin from a registry, a directory, a library, an archive or a git repository.
///
/// Without a source: get everything again that the lockfile says and that is not there. What would be done is
/// printed first; a plugin that asks for permissions is installed once you agree to them.
#[derive(Debug, clap::Args)]
pub(crate) struct Install {
    /// A name such as weather or weather@1.2, a directory, a library, a .tar.gz, or the URL of a git repository,
    /// whose crate is built.
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<String>,

    /// Use the directory where it is, and follow what changes there, instead of copying it.
    #[arg(long, requires = "source", conflicts_with_all = ["branch", "tag", "rev"])]
    pub(crate) link: bool,

    /// The newest commit of this branch.
    #[arg(long, requires = "source", value_name = "NAME", group = "reference")]
    pub(crate) branch: Option<String>,

    /// The commit of this tag.
    #[arg(long, requires = "source", value_name = "NAME", group = "reference")]
    pub(crate) tag: Option<String>,

    /// This commit.
    #[arg(long, requires = "source", value_name = "HASH", group = "reference")]
    pub(crate) rev: Option<String>,

    /// Refuse to change the lockfile.
    #[arg(long)]
    pub(crate) locked: bool,

    /// Both --locked and --offline.
    #[arg(long)]
    pub(crate) frozen: bool,

    #[command(flatten)]
    pub(crate) fetching: Fetching,

    #[command(flatten)]
    pub(crate) change: Change,
}

/// Remove plugins.
///
/// Refused while others need them. Their packages stay for as long as `keyway rollback` can bring them back.
#[derive(Debug, clap::Args)]
pub(crate) struct Uninstall {
    /// The plugins.
    #[arg(value_name = "NAME", required = true)]
    pub(crate) plugins: Vec<PluginId>,

    #[command(flatten)]
    pub(crate) change: Change,
}

/// Look again where plugins came from, and take what is new there.
///
/// Versions and new permissions are shown first. Plugins that are pinned stay what they are.
#[derive(Debug, clap::Args)]
pub(crate) struct Update {
    /// The plugin; all of them if none is named.
    #[arg(value_name = "NAME")]
    pub(crate) plugin: Option<PluginId>,

    #[command(flatten)]
    pub(crate) fetching: Fetching,

    #[command(flatten)]
    pub(crate) change: Change,
}

/// Go back to what was installed before the last change, or to the version that a plugin had before.
#[derive(Debug, clap::Args)]
pub(crate) struct Rollback {
    /// The plugin; without one, everything goes back.
    #[arg(value_name = "NAME")]
    pub(crate) plugin: Option<PluginId>,

    #[command(flatten)]
    pub(crate) change: Change,
}

/// Have updates leave plugins alone.
#[derive(Debug, clap::Args)]
pub(crate) struct Pin {
    /// The plugins.
    #[arg(value_name = "NAME", required = true)]
    pub(crate) plugins: Vec<PluginId>,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Have updates look after plugins again.
#[derive(Debug, clap::Args)]
pub(crate) struct Unpin {
    /// The plugins.
    #[arg(value_name = "NAME", required = true)]
    pub(crate) plugins: Vec<PluginId>,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Pack a plugin that was built as NAME-VERSION.tar.gz, the same bytes each time.
#[derive(Debug, clap::Args)]
pub(crate) struct Package {
    /// A crate that cargo has built, a directory with a plugin, or a library.
    #[arg(value_name = "DIR|FILE")]
    pub(crate) subject: PathBuf,

    /// Where the archive goes.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) out: PathBuf,

    /// Print JSON; an error is then JSON too, the last line of stderr.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How sources are got.
#[derive(Debug, clap::Args)]
pub(crate) struct Fetching {
    /// Ask nothing over a network: what is in the cache has to do.
    #[arg(long)]
    pub(crate) offline: bool,

    /// Refuse plugins that do not fit this version of the application.
    #[arg(long, value_name = "VERSION")]
    pub(crate) host_version: Option<Version>,

    /// The registry in which plugins are looked for by their names, instead of the default of registries.toml.
    #[arg(long, value_name = "URL|DIR")]
    pub(crate) registry: Option<String>,
}

/// How a change is made.
#[derive(Debug, clap::Args)]
pub(crate) struct Change {
    /// Go on although something that is installed would not start any more. Risky.
    #[arg(long)]
    pub(crate) force: bool,

    /// Agree to the permissions that plugins ask for.
    #[arg(short, long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Which lockfile it is about, and how the plan is shown.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// The settings file beside which the lockfile is.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print JSON; an error is then JSON too, the last line of stderr.
    #[arg(long)]
    pub(crate) json: bool,
}
