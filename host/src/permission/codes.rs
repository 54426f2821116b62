//! The codes of permissions.

use crate::finding::Code;

pub(crate) static MALFORMED: Code = Code::error(
    "permission-malformed",
    "An entry of [plugin.permissions] cannot be compared with anything: a pattern or a path in a form that means nothing, or not one thing.",
    "Write the entry as the message says, and build the plugin again.",
);

pub(crate) static DENIED: Code = Code::error(
    "permission-denied",
    "The plugin asks for permissions that nobody has approved, and the approver refused them.",
    "Approve them if you trust the plugin with what the message lists, or use a version of it that asks for less.",
);

pub(crate) static NOT_GRANTED: Code = Code::warning(
    "permission-not-granted",
    "The plugin asks for permissions that the host's file does not grant, and this host has no approver who could. It runs without them: what it asks the host for is refused with the code of that.",
    "Grant them under [plugin.ID.permissions] in keyway.toml, or give the host an approver (`HostBuilder::approver`).",
);

pub(crate) static STORE_CORRUPT: Code = Code::error(
    "permission-store-corrupt",
    "The file with the approved permissions cannot be read as such. It is never replaced by an empty one, since that would forget what was refused and approved.",
    "Restore the file from a backup, or move it away: then every plugin that asks for permissions has to be approved anew.",
);

pub(crate) static STORE_NEWER: Code = Code::error(
    "permission-store-newer",
    "The file with the approved permissions was written by a newer version of Keyway.",
    "Use that version, or give this host another file.",
);

pub(crate) static STORE_EXPOSED: Code = Code::error(
    "permission-store-exposed",
    "Others than the user of this process can write the file with the approved permissions, so what is in it may not be what anybody approved.",
    "Look whether its content is what you approved; then make yourself its owner, and take the right to write it from others.",
);

pub(crate) static STORE_IO: Code = Code::error(
    "permission-store-io",
    "The system refused to read, lock or write the file with the approved permissions.",
    "Check the directory, its permissions and the space on the disk.",
);

pub(crate) static NETWORK_NOT_GRANTED: Code = Code::error(
    "network-not-granted",
    "The plugin asked the host for a request to a peer that its grant does not name.",
    "Add the peer to `network` under [plugin.permissions] and approve that, if the plugin should reach it.",
);

pub(crate) static ADDRESS_REFUSED: Code = Code::error(
    "address-refused",
    "The name of a peer leads to an address of this machine, of the network around it, or of no single peer. A name in a grant does not reach those.",
    "Grant the address itself, such as \"127.0.0.1:8080\", if the plugin should reach it. Multicast, unspecified and cloud metadata addresses cannot be granted.",
);

pub(crate) static READ_NOT_GRANTED: Code = Code::error(
    "read-not-granted",
    "The plugin asked the host for a file that is below none of the directories which it may read.",
    "Add a directory to `filesystem.read` under [plugin.permissions] and approve that, if the plugin should read there.",
);

pub(crate) static WRITE_NOT_GRANTED: Code = Code::error(
    "write-not-granted",
    "The plugin asked the host to write a file that is below none of the directories which it may write.",
    "Add a directory to `filesystem.write` under [plugin.permissions] and approve that, if the plugin should write there.",
);

pub(crate) static ENV_NOT_GRANTED: Code = Code::error(
    "env-not-granted",
    "The plugin asked the host for an environment variable that its grant does not name.",
    "Add the name to `env` under [plugin.permissions] and approve that, if the plugin should know it.",
);

pub(crate) static ENV_NEVER: Code = Code::error(
    "env-never-granted",
    "The plugin asked for an environment variable that no plugin gets: it steers the loader of programs, or is a key of the host or its user.",
    "Declare a setting of type `secret` with `env` in the manifest, if the plugin needs a key of its own.",
);

pub(crate) static SUBPROCESS_NOT_GRANTED: Code = Code::error(
    "subprocess-not-granted",
    "The plugin asked the host to start a program that its grant does not name.",
    "Add the program to `subprocess` under [plugin.permissions] and approve that, if the plugin should start it.",
);

pub(crate) static ALL: &[&Code] = &[
    &MALFORMED,
    &DENIED,
    &NOT_GRANTED,
    &STORE_CORRUPT,
    &STORE_NEWER,
    &STORE_EXPOSED,
    &STORE_IO,
    &NETWORK_NOT_GRANTED,
    &ADDRESS_REFUSED,
    &READ_NOT_GRANTED,
    &WRITE_NOT_GRANTED,
    &ENV_NOT_GRANTED,
    &ENV_NEVER,
    &SUBPROCESS_NOT_GRANTED,
];
