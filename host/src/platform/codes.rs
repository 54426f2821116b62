//! What is found out when it is decided which plugins run.

use crate::finding::Code;

pub(crate) static SLOT_CONTESTED: Code = Code::warning(
    "slot-contested",
    "Several enabled plugins offer a capability that one at a time may offer, and nobody has said \
     which of them is to: the one that was found first does.",
    "Name the one that is wanted in the table [slots] of keyway.toml, or disable the others.",
);

pub(crate) static SLOT_UNKNOWN: Code = Code::warning(
    "slot-unknown",
    "The table [slots] of keyway.toml names a slot that no capability has, or a plugin that does not \
     offer what belongs there.",
    "Correct the name; the message lists those that there are.",
);

pub(crate) static DEPENDENCY_FAILED: Code = Code::error(
    "dependency-failed",
    "A plugin that this one needs could not be started, so this one was not tried.",
    "Repair the plugin that the message names; then enable or restart either of the two.",
);

pub(crate) static UNHEALTHY: Code = Code::error(
    "unhealthy",
    "The plugin failed its health checks again and again, also after it was restarted, and was stopped \
     for good.",
    "Look at what the checks said, which is in the message and in the log; `Host::enable` lets it try \
     again.",
);

pub(crate) static CONFIG_NOT_TAKEN: Code = Code::error(
    "config-not-taken",
    "A setting that the manifest declares with `reload = \"hot\"` has changed while the plugin runs, and the \
     plugin does not implement `Plugin::on_config_change`; the host's strategy does not allow to reload it \
     instead.",
    "Restart the plugin, or allow reloads with `strategy = \"hybrid\"`; as the plugin's author, implement \
     `on_config_change`, or leave `reload = \"hot\"` away.",
);

pub(crate) static ALL: &[&Code] = &[
    &SLOT_CONTESTED,
    &SLOT_UNKNOWN,
    &DEPENDENCY_FAILED,
    &UNHEALTHY,
    &CONFIG_NOT_TAKEN,
];
