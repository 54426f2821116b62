//! What a resolution finds.

use crate::finding::Code;

pub(crate) static DEPENDENCY_MISSING: Code = Code::error(
    "dependency-missing",
    "The plugin needs another one that is not there: it is not installed, it is disabled, or its id is \
     written in another way.",
    "Install or enable the plugin that the message names, or correct its id under [plugin.dependencies].",
);

pub(crate) static DEPENDENCY_VERSION: Code = Code::error(
    "dependency-version",
    "The plugin needs another version of a plugin than the one that is there. If others need that \
     plugin too, the message says whether one version can serve all of them.",
    "Install a version within the range that the message or the hint names. If no version fits all, \
     update those that need it, or disable one of them.",
);

pub(crate) static DEPENDENCY_CYCLE: Code = Code::error(
    "dependency-cycle",
    "Plugins need each other in a circle, so that none of them can start first. The message has one \
     such circle.",
    "Take one of the dependencies of the circle out, or make it optional.",
);

pub(crate) static DEPENDENCY_BLOCKED: Code = Code::error(
    "dependency-blocked",
    "What the plugin needs is there and cannot start itself. The message names the way to the plugin \
     where it begins.",
    "Correct what is found about the last plugin in that chain.",
);

pub(crate) static CAPABILITY_MISSING: Code = Code::error(
    "capability-missing",
    "The plugin needs a capability that neither the application nor another plugin declares.",
    "Install or enable a plugin that offers it, or correct the id or the name under [plugin.requires].",
);

pub(crate) static DUPLICATE_ID: Code = Code::error(
    "id-repeated",
    "Several plugins of the same id were given to one resolution. None of them is taken, since which \
     one it would be is for the application to say.",
    "Give the resolution one plugin for each id; discovery decides between those of the same id.",
);

pub(crate) static OPTIONAL_UNMET: Code = Code::note(
    "optional-unmet",
    "Something that the plugin can use, and can do without, is not there, does not fit, or is blocked.",
    "Nothing is to be done, unless the plugin is to have it.",
);

pub(crate) static OPTIONAL_CYCLE: Code = Code::note(
    "optional-cycle",
    "An optional dependency is part of a circle. It does not decide who starts first, so it holds \
     nobody up.",
    "Nothing is to be done, unless the plugin is to start after the other one: then that one must not \
     depend on it.",
);

pub(crate) static ALL: &[&Code] = &[
    &DEPENDENCY_MISSING,
    &DEPENDENCY_VERSION,
    &DEPENDENCY_CYCLE,
    &DEPENDENCY_BLOCKED,
    &CAPABILITY_MISSING,
    &DUPLICATE_ID,
    &OPTIONAL_UNMET,
    &OPTIONAL_CYCLE,
];
