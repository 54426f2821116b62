//! The exit codes of `keyway`. Scripts rely on them: a number keeps its meaning.

use std::fmt::Write;

/// Everything that was asked for was done. `keyway dev` is asked to go on until it is told to end,
/// so Ctrl-C is the way to end it well, once the plugin was loaded.
pub(crate) const SUCCESS: u8 = 0;
/// The plugin or the tool failed by itself: an error that it answered, a panic, a check or a test
/// that it does not pass; or `keyway doctor` found an error.
pub(crate) const FAILED: u8 = 1;
/// The command line cannot be followed: an unknown option, arguments that are not JSON or do not
/// fit the tool, settings that do not fit the plugin. The number is the one that clap ends with.
pub(crate) const USAGE: u8 = 2;
/// The file is not a plugin, or not one that this host can load.
pub(crate) const UNFIT: u8 = 3;
/// Cargo could not build the crate.
pub(crate) const BUILD: u8 = 4;
/// There is no such file, crate, built library or tool, or it cannot be read.
pub(crate) const NOT_FOUND: u8 = 5;
/// A call, or a step of the plugin's life, passed its deadline; or all checks that failed their limit.
pub(crate) const TIMEOUT: u8 = 6;
/// `keyway` itself could not go on: no space for private copies, no thread, no output.
pub(crate) const HOST: u8 = 7;
/// The library is in quarantine: an earlier process died while it loaded it.
pub(crate) const QUARANTINED: u8 = 8;
/// Something that is installed, pinned, locked or not agreed to stands against it; nothing was changed.
pub(crate) const REFUSED: u8 = 9;
/// `keyway doctor` found what is not in order, and nothing that keeps a plugin from running.
pub(crate) const WARNED: u8 = 10;
/// Ended by Ctrl-C, or by a signal that asks to end, before what was asked for was done; 128 and
/// the number of SIGINT, as shells count.
pub(crate) const INTERRUPTED: u8 = 130;

const TABLE: [(u8, &str); 12] = [
    (
        SUCCESS,
        "done; dev and run, once they serve, are done at Ctrl-C",
    ),
    (FAILED, "the plugin or the tool failed; doctor has errors"),
    (USAGE, "wrong usage, or arguments that do not fit the tool"),
    (UNFIT, "not a plugin, or not one that this host can load"),
    (BUILD, "cargo could not build the crate"),
    (NOT_FOUND, "no such file, crate, built library or tool"),
    (TIMEOUT, "a deadline passed"),
    (HOST, "keyway itself could not go on"),
    (
        QUARANTINED,
        "in quarantine, since a process died while it loaded this library",
    ),
    (
        REFUSED,
        "what is installed, pinned or not agreed to stands against it",
    ),
    (WARNED, "doctor has warnings, and no errors"),
    (INTERRUPTED, "ended by Ctrl-C or a signal"),
];

/// The table for `--help`.
pub(crate) fn help() -> String {
    let mut help = "Exit codes:".to_owned();
    for (code, meaning) in TABLE {
        let _ = write!(help, "\n  {code:>3}  {meaning}");
    }
    help
}
