//! The codes of what plugins ask of the host; those of what is not granted are with the permissions.

use crate::finding::Code;

pub(crate) static BAD_REQUEST: Code = Code::error(
    "bad-request",
    "What the plugin asked the host for means nothing: a malformed path, URL, name, header or argument.",
    "It is a mistake in the plugin; the message says what was expected.",
);

pub(crate) static SIZE_LIMIT: Code = Code::error(
    "size-limit",
    "A file, body, output, key or value is larger than the limit for plugins.",
    "Let the plugin ask for less at a time, or raise the limit that the message names.",
);

pub(crate) static TIME_LIMIT: Code = Code::error(
    "time-limit",
    "A request or a program took longer than it may, and was ended.",
    "Find out why it takes so long, or raise the limit that the message names.",
);

pub(crate) static RATE_LIMITED: Code = Code::error(
    "rate-limited",
    "The plugin asks more often than it may.",
    "It can try again after the time that the message names; the application can raise the rate.",
);

pub(crate) static TOO_MANY_AT_ONCE: Code = Code::error(
    "too-many-at-once",
    "As many requests or programs of the plugin run already as may run at a time.",
    "It can try again when one has ended; the application can raise the limit.",
);

pub(crate) static ASK_CANCELLED: Code = Code::error(
    "ask-cancelled",
    "Nobody waited any more for what the plugin had asked of the host, or the plugin was stopped.",
    "Nothing has to be done. A plugin that asks while it is being stopped does so too late: `deactivate` is its last chance.",
);

pub(crate) static LEADS_OUTSIDE: Code = Code::error(
    "leads-outside",
    "A path is below a granted directory as it is written, but a link on the way leads out of it, or is absolute.",
    "Grant the directory where the file really is, or make the link relative to where it stands and keep it inside.",
);

pub(crate) static NOT_A_FILE: Code = Code::error(
    "not-a-file",
    "The path is that of a directory, pipe, socket or device, or, for writing, of a link.",
    "Name a regular file, and no directory, pipe or device.",
);

pub(crate) static FILE_FAILED: Code = Code::error(
    "file-failed",
    "The system did not read or write the file.",
    "The message has the system's reason.",
);

pub(crate) static PROGRAM_MISSING: Code = Code::error(
    "program-missing",
    "A granted program was not in the host's search path when the plugin was given its permissions, or is not at its path.",
    "Install it and start the plugin again, or grant it by its absolute path.",
);

pub(crate) static RUN_FAILED: Code = Code::error(
    "run-failed",
    "The system did not start the program, or did not let its outputs be read.",
    "The message has the system's reason.",
);

pub(crate) static UNSUPPORTED_HERE: Code = Code::error(
    "unsupported-here",
    "This host cannot do what the plugin asks for: not on this system, or it was built or set up without it.",
    "The message says what is missing.",
);

pub(crate) static STORE_FAILED: Code = Code::error(
    "kv-failed",
    "The database of the key-value store could not be read or written.",
    "The message has its reason; check the space on the disk.",
);

pub(crate) static STORE_FULL: Code = Code::error(
    "kv-full",
    "The plugin stores as much as it may.",
    "Let it delete what it does not need, or raise `Limits::max_store_bytes`.",
);

pub(crate) static STORE_OPEN: Code = Code::error(
    "kv-open",
    "The database of the key-value store cannot be opened: another process has it open, it is damaged, or the system refused.",
    "End the other process, or give each its own file; restore a damaged one from a backup.",
);

pub(crate) static REQUEST_FAILED: Code = Code::error(
    "request-failed",
    "A web request found no host, no connection or no trust, or the answer was not HTTP.",
    "The message has the reason.",
);

pub(crate) static TOO_MANY_REDIRECTS: Code = Code::error(
    "too-many-redirects",
    "An answer led on to another address more often than is followed.",
    "Ask the last address directly, or raise `Limits::max_redirects`.",
);

/// All of them, whatever features this host is built with: the page is the same.
pub(crate) static ALL: &[&Code] = &[
    &BAD_REQUEST,
    &SIZE_LIMIT,
    &TIME_LIMIT,
    &RATE_LIMITED,
    &TOO_MANY_AT_ONCE,
    &ASK_CANCELLED,
    &LEADS_OUTSIDE,
    &NOT_A_FILE,
    &FILE_FAILED,
    &PROGRAM_MISSING,
    &RUN_FAILED,
    &UNSUPPORTED_HERE,
    &STORE_OPEN,
    &STORE_FAILED,
    &STORE_FULL,
    &REQUEST_FAILED,
    &TOO_MANY_REDIRECTS,
];
