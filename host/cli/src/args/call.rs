//! The arguments of `keyway call`: of a file, or of what is installed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Application, Settings, value};

/// Load a plugin and call one of its tools; print the answer.
///
/// With --installed no file is named: the tool is that of a plugin which is installed, or in a root of the settings
/// file. Only the plugins that it needs are started.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "keyway call [OPTIONS] <FILE|DIR> <TOOL> [JSON|-]\n       \
                            keyway call [OPTIONS] --installed <TOOL> [JSON|-]"
)]
pub(crate) struct Call {
    /// A library, a directory with one library, or a crate that cargo has built; with --installed the tool.
    #[arg(value_name = "FILE|DIR")]
    first: PathBuf,

    /// The tool to call; with --installed its arguments.
    #[arg(value_name = "TOOL", required_unless_present = "installed")]
    second: Option<String>,

    /// The tool's arguments; `-` reads them from stdin. Default: {}
    #[arg(value_name = "JSON|-", conflicts_with = "installed")]
    third: Option<String>,

    /// Call a tool of a plugin that is installed, by the tool's name.
    #[arg(long, conflicts_with = "config")]
    pub(crate) installed: bool,

    /// With --installed: the settings file, beside which the lockfile is.
    #[arg(long, value_name = "FILE", requires = "installed")]
    pub(crate) settings_file: Option<PathBuf>,

    /// Print compact JSON; an error is then JSON too, the last line of stderr.
    #[arg(long)]
    pub(crate) json: bool,

    /// How long the call may take, such as 5s, 500ms or 2m.
    #[arg(long, value_name = "TIME", value_parser = value::duration)]
    pub(crate) deadline: Option<Duration>,

    #[command(flatten)]
    pub(crate) settings: Settings,

    #[command(flatten)]
    pub(crate) application: Application,
}

/// What is called.
#[derive(Debug)]
pub(crate) enum Target<'a> {
    /// A tool of the plugin in a file.
    File(&'a Path),
    /// A tool of whichever plugin has it.
    Installed,
}

impl Call {
    /// What is called, the tool, and its arguments as they are given.
    pub(crate) fn target(&self) -> (Target<'_>, &str, &str) {
        let second = self.second.as_deref();
        match self.installed {
            // A tool's name is text; what is not has been given for a file.
            true => (
                Target::Installed,
                self.first.to_str().unwrap_or_default(),
                second.unwrap_or("{}"),
            ),
            false => (
                Target::File(&self.first),
                second.unwrap_or_default(),
                self.third.as_deref().unwrap_or("{}"),
            ),
        }
    }
}
