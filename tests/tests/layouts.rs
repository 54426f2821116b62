//! The boundary as text, compared with the text that was approved.
//!
//! `golden/interface-MAJOR.MINOR.txt` is what hosts and plugins in the field were built with. A
//! difference is either an addition, which takes a new minor, or a break, which takes a new major;
//! the test says which, and what to run to approve it. It writes nothing by itself.
#![cfg(all(target_pointer_width = "64", not(feature = "next-minor")))]

use std::fs;
use std::path::PathBuf;

use keyway::abi::layout::describe_types;
use keyway::abi::note;
use keyway::abi::root::PluginRootHandle;
use keyway::abi::{Descriptor, descriptor};
use keyway::capability::Capability;
use keyway::channel::ChannelHandle;
use keyway::command::CommandHandle;
use keyway::event::EventHookHandle;
use keyway::host::HostServicesHandle;
use keyway::memory::MemoryBackendHandle;
use keyway::pipeline::PipelineStageHandle;
use keyway::provider::ProviderHandle;
use keyway::service::ServiceHandle;
use keyway::skill::SkillHandle;
use keyway::tool::ToolHandle;
use keyway::version::{INTERFACE, InterfaceVersion};
use keyway::voice::VoiceHandlerHandle;

/// The variable that approves a change, and its values.
const APPROVE: &str = "KEYWAY_APPROVE_LAYOUT";

#[test]
fn the_boundary_is_the_one_that_was_approved() {
    let path = golden(INTERFACE);
    let approved = fs::read_to_string(&path).unwrap_or_default();
    let found = boundary();
    let Some(change) = Change::between(&approved, &found) else {
        return;
    };
    let report = format!(
        "the boundary is not the one in {}:\n\n{}\n{}",
        path.display(),
        diff(&approved, &found),
        change.consequence()
    );
    match std::env::var(APPROVE) {
        Ok(approval) if approval == change.name() => {
            fs::write(&path, found).expect("the golden file can be written");
            // An approval never passes by itself, so that none can stand in a script by accident.
            panic!(
                "{report}\n\nthe new text was written as approved; read it, then run this again"
            );
        }
        Ok(approval) if !approval.is_empty() => panic!(
            "{report}\n\n{APPROVE}: expected `{}`, found `{approval}`; nothing was written",
            change.name()
        ),
        _ => panic!(
            "{report}\n\nif all this is meant: {APPROVE}={} cargo test -p keyway-tests --test \
             layouts",
            change.name()
        ),
    }
}

#[test]
fn a_minor_has_everything_that_the_minors_before_it_had() {
    let found = boundary();
    for minor in (0..=INTERFACE.minor).rev().skip(1) {
        let older = golden(InterfaceVersion { minor, ..INTERFACE });
        let older = fs::read_to_string(&older).expect("every minor keeps its golden file");
        assert_ne!(
            Change::between(&older, &found),
            Some(Change::Break),
            "minor {minor}"
        );
    }
}

/// All that host and plugins have to agree on.
fn boundary() -> String {
    let mut text = format!(
        "note: sections {} {} {}, name {:?}, type {}, magic {:?}, format {}, abort flag {}\n",
        note::SECTION_ELF,
        note::SECTION_MACHO,
        note::SECTION_PE,
        ascii(&note::NAME),
        note::TYPE,
        ascii(&note::MAGIC),
        note::FORMAT,
        note::FLAG_PANIC_ABORT,
    );
    text.push_str(&format!("magic: {:?}\n", ascii(&descriptor::MAGIC)));
    text.push_str(&Descriptor::describe());
    for layout in [
        PluginRootHandle::LAYOUT,
        HostServicesHandle::LAYOUT,
        ToolHandle::LAYOUT,
        PipelineStageHandle::LAYOUT,
        MemoryBackendHandle::LAYOUT,
        ChannelHandle::LAYOUT,
        ProviderHandle::LAYOUT,
        SkillHandle::LAYOUT,
        VoiceHandlerHandle::LAYOUT,
        CommandHandle::LAYOUT,
        EventHookHandle::LAYOUT,
        ServiceHandle::LAYOUT,
    ] {
        text.push('\n');
        text.push_str(&layout.describe());
    }
    text.push('\n');
    text.push_str(&describe_types(&[Descriptor::CORE]));
    text
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("names are ASCII")
}

fn golden(version: InterfaceVersion) -> PathBuf {
    let name = format!("golden/interface-{version}.txt");
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// Everything that was there is still there, in its place.
    Addition,
    /// Something changed or went away.
    Break,
}

impl Change {
    fn between(approved: &str, found: &str) -> Option<Self> {
        if approved == found {
            return None;
        }
        let (approved, found) = (blocks(approved), blocks(found));
        // A table may grow at its end; every other block stays as it is.
        let is_kept = approved.iter().all(|old| {
            found.iter().any(|new| {
                let grows = old[0].starts_with("interface ");
                if grows {
                    new.starts_with(old)
                } else {
                    new == old
                }
            })
        });
        Some(if is_kept {
            Change::Addition
        } else {
            Change::Break
        })
    }

    fn name(self) -> &'static str {
        match self {
            Change::Addition => "addition",
            Change::Break => "break",
        }
    }

    fn consequence(self) -> &'static str {
        match self {
            Change::Addition => {
                "this is an addition: old plugins go on working. Once this minor is released, \
                 raise INTERFACE.minor in interface/src/version.rs instead of changing its text."
            }
            Change::Break => {
                "this is a break: no plugin that was built before works with this. Once this \
                 major is released, raise INTERFACE.major in interface/src/version.rs instead of \
                 changing its text."
            }
        }
    }
}

/// The text in blocks of one line that is not indented and the indented lines below it.
fn blocks(text: &str) -> Vec<Vec<&str>> {
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match blocks.last_mut() {
            Some(block) if line.starts_with(' ') => block.push(line),
            _ => blocks.push(vec![line]),
        }
    }
    blocks
}

/// The blocks that differ, with `-` for what was approved and `+` for what was found.
fn diff(approved: &str, found: &str) -> String {
    let (old, new) = (blocks(approved), blocks(found));
    let signed = |sign: char, blocks: &[Vec<&str>], others: &[Vec<&str>]| -> String {
        let changed = blocks.iter().filter(|block| !others.contains(block));
        let lines = changed.flatten().map(|line| format!("{sign} {line}\n"));
        lines.collect()
    };
    signed('-', &old, &new) + &signed('+', &new, &old)
}

#[test]
fn an_appended_method_and_a_new_type_are_additions_and_all_else_is_a_break() {
    const OLD: &str =
        "note: 1\n\ninterface a/1 required 1\n  fn x() -> ()\nstruct S: size 8\n  0 a: u64\n";
    let with = |from: &str, to: &str| {
        assert!(OLD.contains(from), "{from}");
        Change::between(OLD, &OLD.replace(from, to))
    };
    for (from, to, expected) in [
        ("note", "note", None),
        ("-> ()\n", "-> ()\n  fn y() -> u8\n", Some(Change::Addition)),
        (
            "struct",
            "struct R: size 1\n  0 a: u8\nstruct",
            Some(Change::Addition),
        ),
        ("  fn x", "  fn w() -> ()\n  fn x", Some(Change::Break)),
        ("required 1", "required 0", Some(Change::Break)),
        ("-> ()", "-> u8", Some(Change::Break)),
        ("0 a: u64\n", "0 a: u64\n  8 b: u64\n", Some(Change::Break)),
        ("note: 1", "note: 2", Some(Change::Break)),
        ("  fn x() -> ()\n", "", Some(Change::Break)),
    ] {
        assert_eq!(with(from, to), expected, "{from:?} to {to:?}");
    }
}
