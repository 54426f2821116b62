//! From the content of note sections to the state of the note.

use keyway::abi::note::{self, NoteError, RawNote};

use super::error::Fault;
use super::facts::{Endian, NoteFacts, NoteState};
use super::names;

/// Reads the notes of Keyway's own sections, where everything else is an error.
pub(super) fn in_own_sections(
    sections: &[&[u8]],
    endian: Endian,
    exports: impl FnOnce(&str) -> Result<bool, Fault>,
) -> Result<NoteState, Fault> {
    let notes = sections
        .iter()
        .flat_map(|section| note::split(section, endian.of_note()));
    state(notes, exports)
}

/// Reads the notes of Keyway among those of other programs. Their frames need not be sound: what
/// follows a broken one is not found.
pub(super) fn among_others(
    sections: &[&[u8]],
    endian: Endian,
    exports: impl FnOnce(&str) -> Result<bool, Fault>,
) -> Result<NoteState, Fault> {
    let notes = sections
        .iter()
        .flat_map(|section| note::split(section, endian.of_note()))
        .filter(|note| note.as_ref().is_ok_and(RawNote::is_keyway));
    state(notes, exports)
}

fn state<'d>(
    mut notes: impl Iterator<Item = Result<RawNote<'d>, NoteError>>,
    exports: impl FnOnce(&str) -> Result<bool, Fault>,
) -> Result<NoteState, Fault> {
    let Some(first) = notes.next() else {
        return Ok(NoteState::Absent);
    };
    let mut rest = notes.peekable();
    if rest.peek().is_none() {
        return match first.and_then(|note| note.decode()) {
            Ok(note) => Ok(NoteState::One(NoteFacts::new(&note, exports(note.symbol)?))),
            Err(error) => Ok(NoteState::Bad(error)),
        };
    }
    let mut symbols = Vec::new();
    let mut count = 0;
    for note in std::iter::once(first).chain(rest) {
        count += 1;
        // A damaged length makes one note look like several, so only sound notes count as such.
        match note.and_then(|note| note.decode()) {
            Ok(note) if symbols.len() < names::EXAMPLES => symbols.push(note.symbol.to_owned()),
            Ok(_) => {}
            Err(error) => return Ok(NoteState::Bad(error)),
        }
    }
    Ok(NoteState::Several { symbols, count })
}
