//! What there is to say of plugins that run.

use crate::finding::Code;

pub(crate) static HOOK_ONLY: Code = Code::advisory(
    "hook-only",
    "The plugin registers event hooks and nothing else. That is supported, and says little of what the \
     plugin is there for.",
    "Nothing is to be done. Where there is a kind of capability for what the plugin does, offer that.",
);

pub(crate) static CAPABILITY_UNREGISTERED: Code = Code::warning(
    "capability-unregistered",
    "The plugin's manifest declares something that the plugin did not register. Who goes by the manifest \
     expects it.",
    "As the plugin's author, register it in `activate`, or take it out of plugin.toml.",
);

pub(crate) static CAPABILITY_GONE: Code = Code::warning(
    "capability-gone",
    "The version that took over offers something no longer that the one before it did. Handles to that \
     answer an error.",
    "Nothing, if that was meant; else go back with `Host::rollback`, or build the plugin again.",
);

pub(crate) static CONFIG_UNDECLARED: Code = Code::warning(
    "config-undeclared",
    "A setting was given that the plugin's manifest does not declare. Its value is passed on unchecked.",
    "Correct the name, or declare it under [plugin.config] in plugin.toml.",
);

pub(crate) static STATE_DROPPED: Code = Code::warning(
    "state-dropped",
    "The new version could not take the state of the old one, and has started without it: the manifest \
     says `state = \"prefer\"`.",
    "Look at the reason in the message; as the plugin's author, migrate states of older versions in \
     `import_state`, or require the hand-over with `state = \"require\"`.",
);

pub(crate) static STATE_OLDER: Code = Code::warning(
    "state-older",
    "A version that serves again could not take the newest state, and went back to an older one. What \
     was changed since is lost.",
    "Look at the reason in the message.",
);

pub(crate) static ALL: &[&Code] = &[
    &HOOK_ONLY,
    &CAPABILITY_UNREGISTERED,
    &CAPABILITY_GONE,
    &CONFIG_UNDECLARED,
    &STATE_DROPPED,
    &STATE_OLDER,
];
