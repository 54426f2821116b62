//! The table of checks.

mod calls;
mod file;
mod hosts;
mod input;
mod leaks;
mod life;
mod settings;
mod state;

use std::fmt::{self, Write};

use crate::bench::Bench;
use crate::random::Random;
use crate::verdict::Verdict;

/// What a check needs to be worth running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    /// That the file is a plugin.
    Plugin,
    /// That the plugin loads. Where its tools fail, they are not called.
    Loaded,
    /// That its tools can be called.
    Tools,
}

/// What answers; an error is a verdict as well, told where it was found.
type Run = fn(&Bench) -> Result<Verdict, Verdict>;

/// One thing that is expected of plugins.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Check {
    /// A stable name in kebab-case.
    pub id: &'static str,
    /// What is expected, in one line.
    pub expects: &'static str,
    /// How it is found out.
    pub how: &'static str,
    pub(crate) needs: Needs,
    pub(crate) run: Run,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The check whose failure means that the file is no plugin at all.
pub(crate) const INSPECTS: &str = "inspects";
/// The check whose failure means that the plugin does not load.
pub(crate) const LOADS: &str = "loads";
/// The check whose failure means that calls of its tools show nothing else.
pub(crate) const TOOL_INPUT: &str = "tool-input";

/// All checks, in the order in which they are reported.
pub const CHECKS: &[Check] = &[
    Check {
        id: INSPECTS,
        expects: "The file is a complete library with one note and a manifest that reads",
        how: "Reads the file as a host does before it decides on it; no code of the plugin runs.",
        needs: Needs::Nothing,
        run: file::inspects,
    },
    Check {
        id: LOADS,
        expects: "It loads, says that it is well, and ends in order",
        how: "Opens the library with all its symbols bound (`RTLD_NOW`), compares layouts, prepares and activates \
              the plugin, asks for its health, and stops it.",
        needs: Needs::Plugin,
        run: life::loads,
    },
    Check {
        id: "contract",
        expects: "The manifest, the note and what it registers say the same",
        how: "Compares the manifest in the file with what the loaded library registers, and each tool with its \
              description.",
        needs: Needs::Loaded,
        run: file::contract,
    },
    Check {
        id: "unloads",
        expects: "Nothing of it stays in memory when it was stopped",
        how: "Loads it, calls its tools from several threads that end, and stops it; eight times. After each the host \
              looks whether the library is gone.",
        needs: Needs::Loaded,
        run: life::unloads,
    },
    Check {
        id: "reloads",
        expects: "A new version takes over each time, and the old one goes",
        how: "Reloads it from the same file eight times, with calls in between.",
        needs: Needs::Loaded,
        run: life::reloads,
    },
    Check {
        id: "state-round-trip",
        expects: "The next version takes the state that it hands over, and has the same state then",
        how: "Exports the state after some calls, reloads, and exports again.",
        needs: Needs::Loaded,
        run: state::round_trip,
    },
    Check {
        id: "unknown-capability",
        expects: "A host that does not know its extension points loads it all the same",
        how: "Loads it into a host that knows no extension points but those of Keyway.",
        needs: Needs::Loaded,
        run: hosts::unknown_capability,
    },
    Check {
        id: "older-host",
        expects: "It works in a host that offers fewer methods",
        how: "Gives it a host table that ends after the methods which every host has, and calls its tools.",
        needs: Needs::Loaded,
        run: hosts::older,
    },
    Check {
        id: "newer-host",
        expects: "It works in a host that offers more methods",
        how: "Gives it a host table with methods that it cannot know, and calls its tools.",
        needs: Needs::Loaded,
        run: hosts::newer,
    },
    Check {
        id: "denied-services",
        expects: "What it is not granted is an error for it, and no disaster",
        how: "Grants nothing of what its manifest asks for, loads it and calls its tools.",
        needs: Needs::Loaded,
        run: hosts::denied,
    },
    Check {
        id: "config",
        expects: "Every configuration is taken, or refused with an error",
        how: "Loads it with random settings that its manifest allows, and with such that it does not, which the host \
              has to refuse before any code of the plugin runs.",
        needs: Needs::Plugin,
        run: settings::config,
    },
    Check {
        id: TOOL_INPUT,
        expects: "Tools answer what their schema allows, or refuse it with an error",
        how: "Calls each tool with random arguments that its JSON Schema allows, and with such that it does not: these \
              the host refuses, and given past the host they may be refused or answered, and nothing else.",
        needs: Needs::Loaded,
        run: input::tool_input,
    },
    Check {
        id: "tool-garbage",
        expects: "Tools refuse what is no JSON, or no sensible JSON",
        how: "Gives each tool, past the host's check, broken and strange texts and damaged arguments.",
        needs: Needs::Tools,
        run: input::tool_garbage,
    },
    Check {
        id: "panic-containment",
        expects: "Nothing in it panics, from its start to its end, on whichever thread",
        how: "Calls its tools from four threads at once, asks for its health before and after, stops it, and looks at \
              every panic that the host has contained.",
        needs: Needs::Loaded,
        run: calls::panics,
    },
    Check {
        id: "cancel-mid-poll",
        expects: "A call may be dropped at any moment",
        how: "Polls calls of each tool so many times and drops them; then the plugin has to answer, and to unload.",
        needs: Needs::Tools,
        run: calls::cancel,
    },
    Check {
        id: "drop-elsewhere",
        expects: "A call may be dropped on another thread than the one that polled it",
        how: "Polls calls of each tool on a thread that ends, drops them on another one, and unloads the plugin.",
        needs: Needs::Tools,
        run: calls::drop_elsewhere,
    },
    Check {
        id: "leaks",
        expects: "Loading, calling and unloading it again and again needs no more memory, threads or files",
        how: "Measures resident memory, threads and open files over windows of forty rounds; what grows in three \
              windows in a row grows.",
        needs: Needs::Loaded,
        run: leaks::leaks,
    },
];

/// The check of this id.
pub(crate) fn find(id: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.id == id)
}

/// The table of checks as Markdown, for the documentation.
pub fn reference() -> String {
    let mut text =
        String::from("| check | what is expected | how it is found out |\n|---|---|---|\n");
    for Check {
        id, expects, how, ..
    } in CHECKS
    {
        let _ = writeln!(text, "| `{id}` | {expects} | {how} |");
    }
    text
}

/// Whether a case of `tool-input` is about input that the schema allows: two of three are.
pub(crate) fn is_valid_case(random: &mut Random) -> bool {
    !random.one_in(3)
}

/// So many of something, for messages.
fn counted(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_kebab_case_and_there_once() {
        for (at, check) in CHECKS.iter().enumerate() {
            let is_kebab = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(check.id.chars().all(is_kebab), "{}", check.id);
            assert!(
                CHECKS[..at].iter().all(|other| other.id != check.id),
                "{}",
                check.id
            );
            assert!(
                !check.expects.ends_with('.') && check.how.ends_with('.'),
                "{}",
                check.id
            );
        }
    }

    #[test]
    fn what_the_others_rely_on_comes_first() {
        assert_eq!((CHECKS[0].id, CHECKS[1].id), (INSPECTS, LOADS));
    }
}
