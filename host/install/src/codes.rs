//! The codes of what can be found out about an installation, as `keyway doctor` tells it.
//!
//! They belong to the same page as those of the host, `DIAGNOSTICS.md`, and none of them is one of the host's.

use keyway_host::Code;

/// Others can write the settings file.
pub static SETTINGS_EXPOSED: Code = Code::warning(
    "settings-exposed",
    "Others than this user can write the settings file, and so say which plugins run and what they are granted.",
    "Take the right to write it from others: `keyway doctor --fix` does.",
);

/// Others can write a directory that plugins are loaded from or decided by.
pub static DIRECTORY_EXPOSED: Code = Code::warning(
    "directory-exposed",
    "A directory of Keyway's belongs to somebody else, or others can write in it: they can put other plugins there.",
    "Take the right to write in it from others, which `keyway doctor --fix` does; what belongs to somebody else is for that user or the administrator to mend.",
);

/// The lockfile does not read.
pub static LOCKFILE: Code = Code::error(
    "lockfile",
    "The lockfile cannot be read, or says what no version of Keyway writes, so nothing that is installed is found.",
    "Take it from version control, or go back to the one before with `keyway rollback`. One that a newer version wrote needs that version.",
);

/// The store does not have a package that the lockfile names.
pub static PACKAGE_MISSING: Code = Code::error(
    "package-missing",
    "The lockfile names a package that is not in the store: it was removed by hand, or the lockfile comes from another machine.",
    "`keyway install` without a source gets what the lockfile says again.",
);

/// A package is not what was installed.
pub static PACKAGE_CHANGED: Code = Code::error(
    "package-changed",
    "The files of a package in the store are not those that were installed. A host refuses its library.",
    "Find out who changed it. `keyway install` without a source gets what the lockfile says again.",
);

/// A package is for another kind of machine.
pub static OTHER_TARGET: Code = Code::error(
    "other-target",
    "The plugin was installed on another kind of machine, and has no library for this one.",
    "`keyway update NAME` gets the one for this machine, if its source has one.",
);

/// Another error of the installation.
pub static INSTALLATION: Code = Code::error(
    "installation",
    "A plugin of the lockfile cannot be found where it was installed, or a place of Keyway's cannot be used.",
    "The message says which, and what the system answered.",
);

/// The store has more than any lockfile names.
pub static PACKAGE_ORPHAN: Code = Code::note(
    "package-orphan",
    "The store has packages that no lockfile names, nor has named as far as `keyway rollback` goes back. They do no harm, and the next change removes them.",
    "`keyway doctor --fix` removes them now.",
);

/// A plugin that updates leave alone.
pub static PINNED: Code = Code::note(
    "plugin-pinned",
    "The plugin is pinned: updates leave it alone, also those that mend something.",
    "`keyway unpin NAME` has updates look after it again.",
);

/// A plugin that is used where it is developed.
pub static LINKED: Code = Code::note(
    "plugin-linked",
    "The plugin is a link to a directory, and whatever is built there is loaded without a comparison of hashes. That is for development.",
    "`keyway install SOURCE` without `--link` takes a copy, and pins its bytes.",
);

/// A build of a plugin that ended a process.
pub static QUARANTINED: Code = Code::warning(
    "build-quarantined",
    "A process died while it loaded this build of a plugin, and it is refused since.",
    "Mend the plugin and build it anew. `keyway release`, or `keyway doctor --fix --release`, lets the same build be loaded again.",
);

/// The system watches fewer files than it takes.
pub static WATCH_LIMIT: Code = Code::warning(
    "watch-limit",
    "The limits of inotify for this user are too low for the directories that a host with hot reload watches. It looks at them now and then instead, which is slower.",
    "Raise `fs.inotify.max_user_watches` or `fs.inotify.max_user_instances` with sysctl, or set `watch_interval_secs` under [host].",
);

/// Plugins come from several compilers.
pub static TOOLCHAINS: Code = Code::note(
    "toolchains-differ",
    "The plugins were built by several compilers. That is what the stable interface is for; it is good to know when one of them misbehaves.",
    "Nothing is to be done. Building them with one compiler rules it out as a cause.",
);

/// All of them.
pub static ALL: &[&Code] = &[
    &SETTINGS_EXPOSED,
    &DIRECTORY_EXPOSED,
    &LOCKFILE,
    &PACKAGE_MISSING,
    &PACKAGE_CHANGED,
    &OTHER_TARGET,
    &INSTALLATION,
    &PACKAGE_ORPHAN,
    &PINNED,
    &LINKED,
    &QUARANTINED,
    &WATCH_LIMIT,
    &TOOLCHAINS,
];
