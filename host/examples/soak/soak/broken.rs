//! The ways in which a build is broken, and the phase in which each of them has to be refused.
//!
//! Not among them is a library that exports something else as its descriptor. Where its thread hooks
//! are is not known then, so that it stays in memory, and of such a host takes a limited number.

use keyway::abi::descriptor::MAGIC;
use keyway_host::ReloadPhase;

use super::binary::with_note;

/// What is wrong with a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flaw {
    /// Cut short somewhere.
    Truncated,
    /// No library.
    Garbage,
    /// For another major version of the interface.
    Interface,
    /// Its descriptor is that of another abi_stable.
    AbiStable,
    /// Its note in the file is not the one that it loads.
    TwoFaced,
    /// It panics in prepare.
    PanicInPrepare,
    /// It does not take the state.
    State,
    /// Its activation never ends.
    HangInActivate,
    /// It is ill.
    Health,
}

impl Flaw {
    pub(crate) const ALL: [Flaw; 9] = [
        Flaw::Truncated,
        Flaw::Garbage,
        Flaw::Interface,
        Flaw::AbiStable,
        Flaw::TwoFaced,
        Flaw::PanicInPrepare,
        Flaw::State,
        Flaw::HangInActivate,
        Flaw::Health,
    ];

    /// Where it has to be noticed.
    pub(crate) fn phase(self) -> ReloadPhase {
        match self {
            Flaw::Truncated | Flaw::Garbage | Flaw::Interface => ReloadPhase::Check,
            Flaw::AbiStable | Flaw::TwoFaced => ReloadPhase::Open,
            Flaw::PanicInPrepare => ReloadPhase::Prepare,
            Flaw::State => ReloadPhase::State,
            Flaw::HangInActivate => ReloadPhase::Activate,
            Flaw::Health => ReloadPhase::Health,
        }
    }

    /// A word of the reason.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Flaw::Truncated => "truncated",
            Flaw::Garbage => "not a",
            Flaw::Interface => "wrong interface major",
            Flaw::AbiStable => "another abi_stable",
            Flaw::TwoFaced => "note and descriptor disagree",
            Flaw::PanicInPrepare => "asked to panic in prepare",
            Flaw::State => "asked to refuse the state",
            Flaw::HangInActivate => "did not finish within",
            Flaw::Health => "asked to be ill",
        }
    }

    /// A copy of a good build with this flaw.
    pub(crate) fn of(self, good: &[u8], number: u64) -> Vec<u8> {
        match self {
            // Each time at another place, from the middle on: what is missing is never only the
            // mark at the end.
            Flaw::Truncated => {
                let half = good.len() / 2;
                let step = good.len() / 4 / 997;
                good[..half + step * (number % 997) as usize].to_vec()
            }
            Flaw::Garbage => number.to_le_bytes().repeat(1_024),
            Flaw::Interface => with_note(good, |note| note.interface_major = 9),
            Flaw::AbiStable => with_abi_stable(good, u32::MAX),
            Flaw::TwoFaced => with_note(good, |note| note.built_minor = 7),
            Flaw::PanicInPrepare => with_trouble(good, "prepare"),
            Flaw::State => with_trouble(good, "import"),
            Flaw::HangInActivate => with_trouble(good, "activate"),
            Flaw::Health => with_trouble(good, "health-check"),
        }
    }
}

/// A copy whose manifest asks for trouble.
fn with_trouble(good: &[u8], step: &str) -> Vec<u8> {
    with_note(good, |note| {
        note.change_manifest(|plugin| plugin["config"]["trouble"]["default"] = step.into());
    })
}

/// Where the descriptor begins in the file.
fn descriptor(good: &[u8]) -> usize {
    // The size comes after the magic: the code that compares the magic has it without.
    let size = (keyway::abi::Descriptor::SIZE as u32).to_ne_bytes();
    let head = [&MAGIC[..], &size[..]].concat();
    let found = good.windows(head.len()).position(|bytes| bytes == head);
    found.expect("a plugin has a descriptor")
}

/// A copy whose descriptor states another version of abi_stable.
fn with_abi_stable(good: &[u8], minor: u32) -> Vec<u8> {
    // Behind the magic, the size, three versions and the flags: 32 bytes of magic of its own, then
    // major and minor.
    const MINOR: usize = 16 + 4 + 8 + 32 + 4;
    let at = descriptor(good) + MINOR;
    let mut copy = good.to_vec();
    copy[at..at + 4].copy_from_slice(&minor.to_ne_bytes());
    copy
}
