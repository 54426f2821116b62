//! The codes of what is found in the host's file, and of what it decides about plugins.

use crate::finding::Code;

pub(crate) static UNREADABLE: Code = Code::error(
    "settings-unreadable",
    "The host's file, keyway.toml, could not be read: it is missing, too long, no regular file, or no UTF-8 text.",
    "The message says which; give the host the right path, or correct the file.",
);

pub(crate) static INVALID: Code = Code::error(
    "settings-invalid",
    "Something in keyway.toml is wrong: its syntax, the type of a value, or a value itself. The whole file is refused.",
    "Correct the places that the message names by file, line and column; CONFIG.md has all keys.",
);

pub(crate) static UNKNOWN_KEY: Code = Code::warning(
    "settings-unknown-key",
    "keyway.toml has a key that means nothing to this version of the host; it was passed over.",
    "Correct the spelling, or remove the key; CONFIG.md has all keys.",
);

pub(crate) static DENIED: Code = Code::error(
    "plugin-denied",
    "The plugin is on the list `deny` under [plugins] in keyway.toml.",
    "Take it off the list if it is to be used.",
);

pub(crate) static NOT_ALLOWED: Code = Code::error(
    "plugin-not-allowed",
    "There is a list `allow` under [plugins] in keyway.toml, and the plugin is not on it.",
    "Add its id to the list if it is to be used.",
);

pub(crate) static NOT_PINNED: Code = Code::error(
    "plugin-not-pinned",
    "The list `allow` under [plugins] in keyway.toml names the plugin with the hash of another build; or the \
     application has pinned the plugin's file, and the file has changed since it was installed.",
    "If this build is the right one, put its hash on the list; `keyway inspect` shows it. A file that was \
     installed is not edited in place: install the plugin again.",
);

pub(crate) static ALL: &[&Code] = &[
    &UNREADABLE,
    &INVALID,
    &UNKNOWN_KEY,
    &DENIED,
    &NOT_ALLOWED,
    &NOT_PINNED,
];
