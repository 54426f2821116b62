//! What discovery has to say of files, directories and roots.
//!
//! An error means that the file it is about is not taken; see [`Verdict`](super::Verdict).

use crate::finding::Code;

pub(crate) static ROOT_MISSING: Code = Code::note(
    "root-missing",
    "A directory in which plugins are looked for is not there. It may appear later.",
    "Nothing is to be done, unless plugins were expected there: then check the path.",
);

pub(crate) static PATH_MISSING: Code = Code::error(
    "path-missing",
    "There is nothing at a path that was named explicitly.",
    "Check the path, and whether the plugin was built or installed.",
);

pub(crate) static ROOT_NOT_DIRECTORY: Code = Code::error(
    "root-not-directory",
    "A root is a file. Only an explicit path may be one, and that has to be a library.",
    "Name the directory that the plugin's directory is in, or give the library as an explicit path.",
);

pub(crate) static ROOT_REPEATED: Code = Code::note(
    "root-repeated",
    "A root leads to the same directory or library as one before it, which counts.",
    "Remove one of the two, if that was not meant.",
);

pub(crate) static TOO_MANY_ENTRIES: Code = Code::error(
    "too-many-entries",
    "A root and the directories in it have more entries than are looked at, so some of them were not.",
    "Give the plugins a directory of their own, or raise `Gates::max_entries`.",
);

pub(crate) static UNREADABLE: Code = Code::error(
    "unreadable",
    "A file or a directory could not be looked at: rights are missing, a link leads to nothing or in a circle, or the file system failed.",
    "The message has the system's own words; check the rights of the user that the host runs as, and where links lead.",
);

pub(crate) static NAME_NOT_UTF8: Code = Code::warning(
    "name-not-utf8",
    "The name of a library or a directory is no UTF-8, so that no setting and no command could name it. It is not taken.",
    "Rename it to something in UTF-8.",
);

pub(crate) static STRAY_MANIFEST: Code = Code::warning(
    "stray-manifest",
    "A manifest stands in a root itself, where it belongs to no plugin. It is not read.",
    "Give the plugin a directory of its own in the root, or give this directory as an explicit path.",
);

pub(crate) static NO_PLUGIN_INSIDE: Code = Code::note(
    "no-plugin-inside",
    "A directory in a root has neither a manifest nor a library. Directories further down are not looked into.",
    "Nothing is to be done, unless a plugin lies deeper: then make the directory above it a root.",
);

pub(crate) static FOUND_BEFORE: Code = Code::note(
    "found-before",
    "A file or directory was found before, under another name or in another root. It has its record there.",
    "Nothing is to be done; remove the link, or one of the roots, if that was not meant.",
);

pub(crate) static LINK_CYCLE: Code = Code::warning(
    "link-cycle",
    "A link in a root leads back to the root, or to a directory above it. It is not followed.",
    "Remove the link, which leads nowhere new.",
);

pub(crate) static WORLD_WRITABLE: Code = Code::error(
    "world-writable",
    "Everybody on this machine may replace the plugin, since they may write to its file, to its directory, or to one on the way to it.",
    "Take that right away with `chmod o-w`.",
);

pub(crate) static FOREIGN_OWNER: Code = Code::error(
    "foreign-owner",
    "A file, a directory on the way to it or a link belongs neither to the user that the host runs as nor to root, so that somebody else may replace the plugin.",
    "Give it to the right user with `chown`, or have the application trust its owner: `Gates::trust_owner`.",
);

pub(crate) static LINK_ESCAPES: Code = Code::error(
    "link-escapes",
    "A link leads out of the root that it was found in.",
    "Put what it leads to into the root, make that a root of its own, or allow it: `Root::allow_links_out`.",
);

pub(crate) static NOT_REGULAR: Code = Code::error(
    "not-regular",
    "Where a file should be is something else: a directory, a pipe, a socket or a device.",
    "Put the file itself in its place.",
);

pub(crate) static MANIFEST_INVALID: Code = Code::error(
    "manifest-invalid",
    "A manifest, beside a library or inside of it, does not read.",
    "Correct what the message lists; `export_plugin!` checks the same when the plugin is compiled.",
);

pub(crate) static MANIFEST_NEWER: Code = Code::warning(
    "manifest-newer",
    "The manifest inside of a library has keys that this host does not know, since the plugin was built with a newer version of Keyway. They are passed over.",
    "Update the host, if what the keys ask for matters.",
);

pub(crate) static ID_NOT_PACKAGE: Code = Code::warning(
    "id-not-package",
    "The id of a plugin is neither the name of the cargo package that it was built from nor the last part of that name. The id is free to choose, while the name of a package belongs to who has published it; so this plugin may pass for another one.",
    "If it is your plugin, make `id` in plugin.toml and `name` in Cargo.toml agree, such as `weather` in a package `acme-weather`; else make sure where it comes from.",
);

pub(crate) static MANIFEST_MISMATCH: Code = Code::error(
    "manifest-mismatch",
    "The manifest beside a library says something else than the one inside of it: one of the two files is of another version.",
    "Build the plugin again, and copy library and manifest together; the manifest beside the library may also be left out.",
);

pub(crate) static LIBRARY_MISSING: Code = Code::error(
    "library-missing",
    "There is a manifest, and no library that belongs to it. The directories that cargo builds into are not searched.",
    "Put the library beside plugin.toml. In a crate, `keyway dev` builds and runs it.",
);

pub(crate) static LIBRARY_AMBIGUOUS: Code = Code::error(
    "library-ambiguous",
    "Several libraries stand beside a manifest, and none has the name that belongs to the plugin's id.",
    "Rename the plugin's own library to what the message says, or remove the others.",
);

pub(crate) static LIBRARY_DAMAGED: Code = Code::error(
    "library-damaged",
    "A file with the name of a library could not be read as one: it is incomplete, damaged, or something else.",
    "Build or copy it again; `keyway inspect` shows what is in it.",
);

pub(crate) static NOTE_MISSING: Code = Code::error(
    "note-missing",
    "A library that was given as a plugin, by a manifest beside it or as an explicit path, has no note of Keyway's in it.",
    "Call `keyway::export_plugin!` in its crate, or give the right library.",
);

pub(crate) static NOT_A_PLUGIN: Code = Code::note(
    "not-a-plugin",
    "A library in a root has no note of Keyway's in it: it is an ordinary library.",
    "Nothing is to be done, unless it should be a plugin: then call `keyway::export_plugin!` in its crate.",
);

pub(crate) static UNUSED_BESIDE: Code = Code::note(
    "unused-beside",
    "Beside a manifest are libraries, or a second manifest, that the plugin does not consist of. They are not looked at.",
    "Nothing is to be done; give another plugin a directory of its own.",
);

pub(crate) static CONTENT_MISSING: Code = Code::error(
    "content-missing",
    "A file that `[plugin.content]` lists is not there.",
    "Add the file, or take it out of plugin.toml.",
);

pub(crate) static SHADOWED: Code = Code::note(
    "shadowed",
    "Another root, which comes before this one, has a plugin with the same id. That one is used.",
    "Nothing is to be done, unless this one should be used: then remove the other one.",
);

pub(crate) static DUPLICATE_ID: Code = Code::warning(
    "duplicate-id",
    "One root has several plugins with the same id. The first in the order of names is used.",
    "Remove all of them but one.",
);

pub(crate) static STANDS_IN: Code = Code::warning(
    "stands-in",
    "The plugin is used since one that comes before it was refused.",
    "Repair or remove the one that was refused; the message names it.",
);

pub(crate) static ALL: &[&Code] = &[
    &ROOT_MISSING,
    &PATH_MISSING,
    &ROOT_NOT_DIRECTORY,
    &ROOT_REPEATED,
    &TOO_MANY_ENTRIES,
    &UNREADABLE,
    &NAME_NOT_UTF8,
    &STRAY_MANIFEST,
    &NO_PLUGIN_INSIDE,
    &FOUND_BEFORE,
    &LINK_CYCLE,
    &WORLD_WRITABLE,
    &FOREIGN_OWNER,
    &LINK_ESCAPES,
    &NOT_REGULAR,
    &MANIFEST_INVALID,
    &MANIFEST_NEWER,
    &ID_NOT_PACKAGE,
    &MANIFEST_MISMATCH,
    &LIBRARY_MISSING,
    &LIBRARY_AMBIGUOUS,
    &LIBRARY_DAMAGED,
    &NOTE_MISSING,
    &NOT_A_PLUGIN,
    &UNUSED_BESIDE,
    &CONTENT_MISSING,
    &SHADOWED,
    &DUPLICATE_ID,
    &STANDS_IN,
];
