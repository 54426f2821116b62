//! The command line of `keyway new`.

use std::path::PathBuf;

use clap::ValueEnum;

/// Write the crate of a new plugin, and say what to run next.
///
/// What is written builds, passes its tests, loads and reloads as it is; `cargo generate` makes the same from
/// the directory `template` of Keyway's repository.
#[derive(Debug, clap::Args)]
pub(crate) struct New {
    /// The name of the package and the id of the plugin: up to 64 of a-z, 0-9 and `-`, starting with a letter.
    pub(crate) name: String,

    /// What the plugin offers. A skill needs no crate: see `[plugin.content]` in MANIFEST.md.
    #[arg(long, default_value_t, value_enum)]
    pub(crate) kind: Kind,

    /// Give it a tokio runtime of its own.
    #[arg(long)]
    pub(crate) tokio: bool,

    /// How it hands its state to the next version of itself: not, while it serves on, or while calls wait.
    #[arg(long, value_name = "MODE", default_value_t, value_enum)]
    pub(crate) state: Handover,

    /// What the plugin does, in one sentence.
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,

    /// The directory to write it into, which is new or empty; by default NAME.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) keyway: Keyway,

    /// Say what would be written, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print JSON; an error is then JSON too, the last line of stderr.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the crate `keyway` comes from; by default from the checkout that this command was built in, or from the
/// registry where there is none.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct Keyway {
    /// Take the crate keyway from a checkout of Keyway.
    #[arg(long, value_name = "DIR")]
    pub(crate) keyway_path: Option<PathBuf>,

    /// Take the crate keyway from a git repository.
    #[arg(long, value_name = "URL")]
    pub(crate) keyway_git: Option<String>,

    /// Take the crate keyway from the registry, at this version.
    #[arg(long, value_name = "VERSION")]
    pub(crate) keyway_version: Option<String>,
}

/// The kinds of extension that a plugin is written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    #[default]
    Tool,
    Command,
    PipelineStage,
    Provider,
    MemoryBackend,
    EventHook,
    Service,
    Channel,
}

/// The modes of `[plugin.reload]`, and none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Handover {
    #[default]
    None,
    Snapshot,
    Exclusive,
}

/// The word of a choice, on the command line and in the template.
pub(crate) fn word(choice: impl ValueEnum) -> String {
    let value = choice.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}
