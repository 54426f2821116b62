//! What each kind of error means, and what to do about it.

use crate::finding::Code;

pub(super) static INSPECT: Code = Code::error(
    "inspect",
    "The file could not be read as a library, or has no note of Keyway's in it: it is damaged, \
     incomplete, of another kind, or no plugin.",
    "Build the plugin again and give the host that file; `keyway inspect` shows what is in a file.",
);

pub(super) static MANIFEST: Code = Code::error(
    "manifest",
    "The manifest that is embedded in the plugin does not read, or belongs to another plugin than \
     the file it stands for.",
    "Rebuild the plugin; `export_plugin!` checks plugin.toml when it is compiled.",
);

pub(super) static TARGET: Code = Code::error(
    "target",
    "The library was built for another processor or operating system.",
    "Build the plugin for the target of the host.",
);

pub(super) static PANIC_STRATEGY: Code = Code::error(
    "panic-strategy",
    "The plugin was built with `panic = \"abort\"`, so that a panic in it would end the host.",
    "Take `panic = \"abort\"` out of the profile that the plugin is built with.",
);

pub(super) static INTERFACE: Code = Code::error(
    "interface",
    "Plugin and host speak versions of the interface that do not fit.",
    "Rebuild the plugin with the version of the `keyway` crate that the message names, or update \
     the host.",
);

pub(super) static HOST_VERSION: Code = Code::error(
    "host-version",
    "The version of the application is outside the bounds in the plugin's manifest.",
    "Use a version of the plugin that is made for this version of the application.",
);

pub(super) static ISOLATION: Code = Code::error(
    "isolation",
    "The manifest asks for `process` or `wasm`, which this version does not have.",
    "Set `isolation = \"native\"` if the plugin may run in the host's process.",
);

pub(super) static SETTINGS: Code = Code::error(
    "settings",
    "The host's own file, keyway.toml, is not there, or something in it is wrong.",
    "Correct what the message lists, with file, line and column.",
);

pub(super) static CONFIG: Code = Code::error(
    "config",
    "A setting is missing, or does not fit what the manifest says of it.",
    "Correct the settings that the message lists.",
);

pub(super) static QUARANTINED: Code = Code::error(
    "quarantined",
    "An earlier process died while it loaded, activated or reloaded this very build of the plugin.",
    "Build a version that does not, or release the quarantine: `keyway release`, `Host::release`.",
);

pub(super) static STAGE: Code = Code::error(
    "stage",
    "The private copy of the file could not be made.",
    "Check the free space and the permissions of the directory for private copies; \
     `HostBuilder::stage_dir` chooses another.",
);

pub(super) static OPEN: Code = Code::error(
    "open",
    "The dynamic loader of the system refused the library, most often since a library that it \
     needs is missing.",
    "`keyway inspect` lists what the library needs; install that, or link it statically.",
);

pub(super) static DESCRIPTOR: Code = Code::error(
    "descriptor",
    "What the library says of itself when it is open is not what its file says.",
    "Rebuild the plugin from clean sources; a linker or packer may have altered it.",
);

pub(super) static LAYOUT: Code = Code::error(
    "layout",
    "Types or method tables of plugin and host differ.",
    "Rebuild the plugin against the version of `keyway`, and of the capability's crate, that the \
     host uses.",
);

pub(super) static CONSTRUCT: Code = Code::error(
    "construct",
    "The plugin failed, or panicked, when its library was entered.",
    "The message has the plugin's own error and its place.",
);

pub(super) static PREPARE: Code = Code::error(
    "prepare",
    "`Plugin::prepare` failed, panicked, or took longer than the lifecycle deadline.",
    "The message has the plugin's own error; check its settings.",
);

pub(super) static ACTIVATE: Code = Code::error(
    "activate",
    "`Plugin::activate` failed, panicked, or took longer than the lifecycle deadline.",
    "The message has the plugin's own error: often something it needs is taken or cannot be \
     reached.",
);

pub(super) static REGISTRATION: Code = Code::error(
    "registration",
    "The plugin registered what its manifest does not declare, or what another plugin offers \
     already.",
    "Correct [plugin.capabilities] in plugin.toml, or stop the other plugin, or load one of them \
     under a namespace.",
);

pub(super) static HEALTH: Code = Code::error(
    "health",
    "The plugin says that it cannot do its work, or did not answer in time.",
    "The message has the plugin's own words.",
);

pub(super) static STATE: Code = Code::error(
    "state",
    "The state of the version that serves could not be handed over to the new one.",
    "Teach the new version to migrate it, or say `state = \"prefer\"` or `\"reset\"` under \
     [plugin.reload].",
);

pub(super) static RELOAD: Code = Code::error(
    "reload",
    "The plugin cannot be reloaded now.",
    "The message says what is in the way.",
);

pub(super) static STOP: Code = Code::error(
    "stop",
    "The plugin failed to end its work in order. It has ended all the same.",
    "The message has the plugin's own error.",
);

pub(super) static NOT_FOUND: Code = Code::error(
    "not-found",
    "There is no such plugin, tool or capability, or what offered it was stopped.",
    "The message lists what there is; names with a namespace have it in front.",
);

pub(super) static ALREADY_LOADED: Code = Code::error(
    "already-loaded",
    "A plugin of this name is loaded already, or is being loaded.",
    "Stop it first, or load the other one under a namespace.",
);

pub(super) static RETAINED: Code = Code::error(
    "retained",
    "So many libraries of stopped plugins stay in memory that no further one is opened.",
    "`Host::libraries` and the log say why they stay; restart the process, or raise \
     `HostBuilder::max_retained`.",
);

pub(super) static REFUSED: Code = Code::error(
    "refused",
    "The host decided against the plugin, or against what was asked for; the error's code is that \
     of the finding which says why.",
    "Look that code up on this page.",
);

pub(super) static HOST: Code = Code::error(
    "host",
    "The options of the host contradict each other, a resource could not be had, or the host is \
     shutting down.",
    "The message says which.",
);

pub(crate) static ALL: &[&Code] = &[
    &INSPECT,
    &MANIFEST,
    &TARGET,
    &PANIC_STRATEGY,
    &INTERFACE,
    &HOST_VERSION,
    &ISOLATION,
    &SETTINGS,
    &CONFIG,
    &QUARANTINED,
    &STAGE,
    &OPEN,
    &DESCRIPTOR,
    &LAYOUT,
    &CONSTRUCT,
    &PREPARE,
    &ACTIVATE,
    &REGISTRATION,
    &HEALTH,
    &STATE,
    &RELOAD,
    &STOP,
    &NOT_FOUND,
    &ALREADY_LOADED,
    &RETAINED,
    &REFUSED,
    &HOST,
];
