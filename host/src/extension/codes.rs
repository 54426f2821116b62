//! What can go wrong while the extension points run.

use crate::finding::Code;

pub(crate) static STAGE_FAILED: Code = Code::error(
    "stage-failed",
    "A stage of the pipeline failed, so the message went no further.",
    "The message says which stage of which plugin, and why; repair the message or the plugin.",
);

pub(crate) static NO_PROVIDER: Code = Code::error(
    "no-provider",
    "A request was made, and no plugin that runs offers a provider for it.",
    "Enable or install a plugin with a provider that serves such requests.",
);

pub(crate) static REQUEST_INVALID: Code = Code::error(
    "request-invalid",
    "A provider called the request invalid, so no other one was asked.",
    "Correct the request; the message has the words of the provider.",
);

pub(crate) static PROVIDERS_FAILED: Code = Code::error(
    "providers-failed",
    "Every provider that was asked failed or declined.",
    "The message says of each why; see to the one that should have answered.",
);

pub(crate) static UNKNOWN_COMMAND: Code = Code::error(
    "unknown-command",
    "Somebody typed a command that no plugin has which is enabled.",
    "`/help` lists the commands that there are; `Commands::findings` says which of them collide.",
);

pub(crate) static COMMAND_COLLISION: Code = Code::error(
    "command-collision",
    "Two plugins have a command of the same name, or a plugin has one of a name that is the host's own. \
     Only one gets it.",
    "Disable one of the two plugins, or rename the command in one of them; a plugin that is loaded under a \
     namespace has commands of its own.",
);

pub(crate) static ALIAS_COLLISION: Code = Code::warning(
    "alias-collision",
    "A command wants to go by a name that is the name of another command, or another name of one.",
    "The command works by its own name; take the other name out of `aliases` in one of the two manifests.",
);

pub(crate) static SERVICE_FAILED: Code = Code::warning(
    "service-failed",
    "A service of a plugin could not be started, or ended with an error. The plugin serves on without it.",
    "Look at the error; the service runs again when its plugin is reloaded or restarted.",
);

pub(crate) static CHANNEL_FAILED: Code = Code::warning(
    "channel-failed",
    "A channel could not be opened again, or ended with an error. Nothing comes in through it any more.",
    "Look at the error; `Channels::open` opens the channel again, and so does a reload of its plugin.",
);

pub(crate) static RESOURCE_TOO_LARGE: Code = Code::error(
    "resource-too-large",
    "A resource of a skill is larger than 16 MiB.",
    "Split the resource; or let a tool of the plugin read it, which can answer a part.",
);

pub(crate) static PATH_ESCAPES: Code = Code::error(
    "path-escapes",
    "A tool was called with a path that leads out of the directory that its paths belong to, by its text \
     or by way of a link.",
    "Use a path inside of the directory; `HostBuilder::work_dir` and `ToolClient::with_work_dir` say which it is.",
);

pub(crate) static PATH_UNCHECKED: Code = Code::error(
    "path-unchecked",
    "A tool was called with a path, and the host could not look where it leads.",
    "See to it that the directory is there, and that the host may look into it.",
);

pub(crate) static LISTENER_FAILED: Code = Code::warning(
    "listener-failed",
    "An event hook, or an observer of the pipeline, failed or took too long. Whatever it was told of went \
     on without it.",
    "Look at the error of the plugin; `HostBuilder::listener_deadline` says how long a listener may take.",
);

pub(crate) static ALL: &[&Code] = &[
    &STAGE_FAILED,
    &NO_PROVIDER,
    &REQUEST_INVALID,
    &PROVIDERS_FAILED,
    &UNKNOWN_COMMAND,
    &COMMAND_COLLISION,
    &ALIAS_COLLISION,
    &RESOURCE_TOO_LARGE,
    &PATH_ESCAPES,
    &PATH_UNCHECKED,
    &SERVICE_FAILED,
    &CHANNEL_FAILED,
    &LISTENER_FAILED,
];
