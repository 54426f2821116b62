//! The arguments of the commands for who runs plugins: what is there, whether it may run, how it is set.

use std::path::PathBuf;

use clap::Subcommand;
use keyway_host::manifest::PluginId;
use semver::Version;

use super::{Place, value};

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
#[derive(Debug, Default, clap::Args)]
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

/// Show, check and change the settings of plugins.
#[derive(Debug, clap::Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show the values that plugins get. Secrets stay hidden.
    Show(ConfigShow),
    /// Set a value in the settings file, after a check against the plugin's own schema.
    Set(ConfigSet),
    /// Remove a value from the settings file.
    Unset(ConfigUnset),
    /// Print the settings that a plugin takes, as a JSON Schema.
    Schema(ConfigSchema),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConfigShow {
    /// The plugin; all of them if none is named.
    #[arg(value_name = "NAME")]
    pub(crate) plugin: Option<PluginId>,

    /// Also where each value comes from.
    #[arg(long)]
    pub(crate) origin: bool,

    #[command(flatten)]
    pub(crate) place: Setup,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConfigSet {
    /// The plugin and the setting.
    #[arg(value_name = "NAME.KEY", value_parser = value::key)]
    pub(crate) key: (PluginId, String),

    /// The value: a text as it is, everything else as JSON; `${VARIABLE}` stays as it is written.
    #[arg(value_name = "VALUE")]
    pub(crate) value: String,

    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConfigUnset {
    /// The plugin and the setting.
    #[arg(value_name = "NAME.KEY", value_parser = value::key)]
    pub(crate) key: (PluginId, String),

    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConfigSchema {
    /// The plugin.
    #[arg(value_name = "NAME")]
    pub(crate) plugin: PluginId,

    #[command(flatten)]
    pub(crate) place: Setup,
}

/// Show what plugins ask for, what of it is granted and by whom, and what is new.
///
/// In process this is consent and mediation, not a sandbox: native plugins are trusted code, and can do what the
/// process can. What is granted is what the host does on their behalf when they ask.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Permissions {
    #[command(subcommand)]
    pub(crate) command: Option<PermissionsCommand>,

    /// The plugin; all that ask for anything if none is named.
    #[arg(value_name = "NAME")]
    pub(crate) plugin: Option<PluginId>,

    #[command(flatten)]
    pub(crate) place: Setup,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PermissionsCommand {
    /// Agree to what an installed plugin asks for.
    Grant(PermissionsGrant),
    /// Take back what was agreed to. A plugin that asks for it will not start until it is granted again.
    Revoke(PermissionsRevoke),
}

#[derive(Debug, clap::Args)]
pub(crate) struct PermissionsGrant {
    /// The plugin.
    #[arg(value_name = "NAME")]
    pub(crate) plugin: PluginId,

    /// Agree without being asked.
    #[arg(short, long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PermissionsRevoke {
    /// The plugin.
    #[arg(value_name = "NAME")]
    pub(crate) plugin: PluginId,

    #[command(flatten)]
    pub(crate) place: Place,
}

/// Start all plugins that there are, and serve until Ctrl-C.
///
/// Plugins are reloaded when their files change, and the settings file is read again when it does. What is
/// installed or updated meanwhile is taken at the next start. It ends with 1 if at the end a plugin did not run that
/// is to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// The settings file, beside which the lockfile is.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Reload nothing by itself.
    #[arg(long)]
    pub(crate) no_watch: bool,

    #[command(flatten)]
    pub(crate) application: StandIn,
}

/// Print the completions of a shell, which know the ids of the plugins that there are.
///
/// For bash: `source <(keyway completions bash)` in ~/.bashrc. For zsh: `keyway completions zsh > _keyway` in a
/// directory of $fpath. For fish: `keyway completions fish > ~/.config/fish/completions/keyway.fish`. Elsewhere the
/// ids are not completed.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// Print the manual page, or write one for each command into a directory.
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Where the pages go; they are called keyway.1, keyway-list.1 and so on.
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

impl ConfigCommand {
    /// Whether errors are printed as JSON.
    pub(super) fn wants_json(&self) -> bool {
        match self {
            ConfigCommand::Show(command) => command.place.json,
            ConfigCommand::Set(command) => command.place.json,
            ConfigCommand::Unset(command) => command.place.json,
            ConfigCommand::Schema(command) => command.place.json,
        }
    }
}

impl Permissions {
    /// Whether errors are printed as JSON.
    pub(super) fn wants_json(&self) -> bool {
        match &self.command {
            None => self.place.json,
            Some(PermissionsCommand::Grant(command)) => command.place.json,
            Some(PermissionsCommand::Revoke(command)) => command.place.json,
        }
    }
}
