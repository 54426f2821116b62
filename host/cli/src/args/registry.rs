//! The arguments of the commands about registries.

use std::path::PathBuf;

use semver::Version;

/// Publish a plugin that was built in a registry, or take a version back.
///
/// A registry is a directory, to be served by any web server or bucket. What is published stays what it is: other
/// content needs another version. The same version for another target is added.
#[derive(Debug, clap::Args)]
pub(crate) struct Publish {
    /// A crate that cargo has built, a directory with a plugin, a library, or an archive of keyway package.
    #[arg(
        value_name = "DIR|FILE",
        required_unless_present_any = ["yank", "unyank"],
        conflicts_with_all = ["yank", "unyank"]
    )]
    pub(crate) subject: Option<PathBuf>,

    /// The registry; it is made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,

    /// Take a version back: who has it keeps it, and nobody else gets it.
    #[arg(long, num_args = 2, value_names = ["NAME", "VERSION"], conflicts_with = "unyank")]
    pub(crate) yank: Option<Vec<String>>,

    /// Let a version be installed again that was taken back.
    #[arg(long, num_args = 2, value_names = ["NAME", "VERSION"])]
    pub(crate) unyank: Option<Vec<String>>,

    /// Check everything, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print JSON; an error is then JSON too, the last line of stderr.
    #[arg(long)]
    pub(crate) json: bool,
}

/// List the plugins of which their registries have newer versions.
#[derive(Debug, clap::Args)]
pub(crate) struct Outdated {
    /// Ask nothing over a network: what is in the cache has to do.
    #[arg(long)]
    pub(crate) offline: bool,

    /// Leave out what does not fit this version of the application.
    #[arg(long, value_name = "VERSION")]
    pub(crate) host_version: Option<Version>,

    /// The settings file beside which the lockfile is.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Print JSON; an error is then JSON too, the last line of stderr.
    #[arg(long)]
    pub(crate) json: bool,
}
