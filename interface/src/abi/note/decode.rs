//! Reading the note: from the bytes of a section to notes, and from a description to its fields.
//! Any input gives a result or a precise error; nothing here panics or allocates more than an
//! error's text.

use super::{
    Endian, FLAG_PANIC_ABORT, FORMAT, FRAME_LEN, MAGIC, NAME, NoteError, TYPE, at, crc32, padded,
};

/// A decoded note; its texts borrow from the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note<'a> {
    /// Major version of the interface.
    pub interface_major: u16,
    /// Minor version of the interface that the plugin was built against.
    pub built_minor: u16,
    /// Newest minor version of the interface that the plugin requires. The decoder does not compare
    /// it with the built one; that is a question of versions, not of the format.
    pub required_minor: u16,
    /// Whether the plugin was compiled with `panic = "abort"`.
    pub panic_abort: bool,
    /// Target triple.
    pub target: &'a str,
    /// Version of the compiler.
    pub rustc: &'a str,
    /// Name of the exported descriptor symbol; not empty, without NUL.
    pub symbol: &'a str,
    /// The manifest as JSON; the decoder does not parse it.
    pub manifest: &'a str,
}

/// One note of a section, with its frame taken apart and its description not yet decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RawNote<'a> {
    /// Where the note begins in the section, in bytes.
    pub offset: usize,
    /// Name, with its terminator if it has one.
    pub name: &'a [u8],
    /// Type.
    pub kind: u32,
    /// Description, without its padding.
    pub desc: &'a [u8],
}

impl<'a> RawNote<'a> {
    /// Whether this is a note of Keyway, by its name.
    pub fn is_keyway(&self) -> bool {
        self.name == NAME
    }

    /// Decodes the description after a check of name and type.
    ///
    /// # Errors
    ///
    /// Any [`NoteError`], with offsets from the start of the section.
    pub fn decode(&self) -> Result<Note<'a>, NoteError> {
        let name_at = self.offset + FRAME_LEN;
        if !self.is_keyway() {
            let found = self.name[..self.name.len().min(32)]
                .escape_ascii()
                .to_string();
            return Err(NoteError::WrongName {
                offset: name_at,
                found,
            });
        }
        if self.kind != TYPE {
            return Err(NoteError::WrongType {
                offset: self.offset + 8,
                found: self.kind,
            });
        }
        decode_desc(self.desc).map_err(|error| error.moved(name_at + padded(NAME.len())))
    }
}

/// Takes a section apart into its notes, of whatever name. The byte order is that of the file's
/// target.
///
/// The iterator ends after the first error, since what follows a malformed note cannot be found.
pub fn split(section: &[u8], endian: Endian) -> Split<'_> {
    Split {
        section,
        endian,
        offset: 0,
    }
}

/// Iterator over the notes of a section; see [`split`].
#[derive(Clone, Debug)]
pub struct Split<'a> {
    section: &'a [u8],
    endian: Endian,
    offset: usize,
}

impl<'a> Iterator for Split<'a> {
    type Item = Result<RawNote<'a>, NoteError>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.offset;
        match first(&self.section[offset..], self.endian) {
            Ok(Some((note, len))) => {
                self.offset += len;
                Some(Ok(RawNote { offset, ..note }))
            }
            end => {
                self.offset = self.section.len();
                end.err().map(|error| Err(error.moved(offset)))
            }
        }
    }
}

/// The first note in `rest` and the bytes it takes with its padding, or none if nothing but padding
/// is left.
fn first(rest: &[u8], endian: Endian) -> Result<Option<(RawNote<'_>, usize)>, NoteError> {
    if is_padding(rest)? {
        Ok(None)
    } else {
        take(rest, endian).map(Some)
    }
}

/// Whether only padding is left. A zero header followed by anything else is an error, not an empty
/// note: the look-ahead would make a crafted section cost quadratic time.
fn is_padding(rest: &[u8]) -> Result<bool, NoteError> {
    if !rest.iter().take(FRAME_LEN).all(|byte| *byte == 0) {
        return Ok(false);
    }
    match rest.iter().position(|byte| *byte != 0) {
        None => Ok(true),
        Some(offset) => Err(NoteError::NotPadding {
            offset,
            found: rest[offset],
        }),
    }
}

/// Takes the frame of a note apart.
fn take(bytes: &[u8], endian: Endian) -> Result<(RawNote<'_>, usize), NoteError> {
    let cut = |part, offset, expected: u64| NoteError::Truncated {
        part,
        offset,
        expected,
        found: bytes.len().saturating_sub(offset),
    };
    let Some((frame, rest)) = bytes.split_first_chunk::<FRAME_LEN>() else {
        return Err(cut("note header", 0, FRAME_LEN as u64));
    };
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *frame;
    let name_len = endian.u32_from_bytes([a, b, c, d]);
    let desc_len = endian.u32_from_bytes([e, f, g, h]);
    let kind = endian.u32_from_bytes([i, j, k, l]);

    // A length is padded only once it is known to fit, so the sum cannot overflow on any target.
    let name = usize::try_from(name_len)
        .ok()
        .and_then(|len| rest.get(..len));
    let Some(name) = name else {
        return Err(cut("note name", FRAME_LEN, name_len.into()));
    };
    let desc_at = FRAME_LEN + padded(name.len());
    let desc = usize::try_from(desc_len)
        .ok()
        .and_then(|len| bytes.get(desc_at..)?.get(..len));
    let Some(desc) = desc else {
        return Err(cut("note description", desc_at, desc_len.into()));
    };
    // The padding of the last note may be missing: nothing that is read would be in it.
    let len = (desc_at + padded(desc.len())).min(bytes.len());
    Ok((
        RawNote {
            offset: 0,
            name,
            kind,
            desc,
        },
        len,
    ))
}

/// Decodes the description of a note.
///
/// # Errors
///
/// Any [`NoteError`], with offsets from the start of the description. The checksum is checked
/// before any text is looked at.
pub fn decode_desc(desc: &[u8]) -> Result<Note<'_>, NoteError> {
    let Some((fixed, texts)) = desc.split_first_chunk::<{ at::TEXT }>() else {
        return Err(NoteError::Truncated {
            part: "note description",
            offset: 0,
            expected: at::TEXT as u64,
            found: desc.len(),
        });
    };
    let u16_at = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
    let u32_at =
        |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);

    if !fixed.starts_with(&MAGIC) {
        let mut found = [0; MAGIC.len()];
        found.copy_from_slice(&fixed[..MAGIC.len()]);
        return Err(NoteError::WrongMagic { offset: 0, found });
    }
    let format = u16_at(at::FORMAT);
    if format != FORMAT {
        return Err(NoteError::UnsupportedFormat {
            offset: at::FORMAT,
            found: format,
        });
    }
    let lens = [
        u16_at(at::TARGET_LEN).into(),
        u16_at(at::RUSTC_LEN).into(),
        u16_at(at::SYMBOL_LEN).into(),
        u32_at(at::MANIFEST_LEN),
    ];
    let expected = at::TEXT as u64 + lens.iter().map(|len| u64::from(*len)).sum::<u64>();
    if expected != desc.len() as u64 {
        return Err(NoteError::WrongLength {
            offset: 0,
            expected,
            found: desc.len(),
        });
    }
    let stored = u32_at(at::CRC);
    let found = checksum(fixed, texts);
    if stored != found {
        return Err(NoteError::WrongChecksum {
            offset: at::CRC,
            expected: stored,
            found,
        });
    }

    let mut texts = Texts {
        rest: texts,
        offset: at::TEXT,
    };
    let target = texts.take("target triple", lens[0])?;
    let rustc = texts.take("rustc version", lens[1])?;
    let symbol_at = texts.offset;
    let symbol = texts.take("name of the descriptor symbol", lens[2])?;
    let manifest = texts.take("manifest", lens[3])?;
    let nul = if symbol.is_empty() {
        Some(0)
    } else {
        symbol.find('\0')
    };
    if let Some(nul) = nul {
        return Err(NoteError::BadSymbol {
            offset: symbol_at + nul,
        });
    }
    Ok(Note {
        interface_major: u16_at(at::INTERFACE_MAJOR),
        built_minor: u16_at(at::BUILT_MINOR),
        required_minor: u16_at(at::REQUIRED_MINOR),
        panic_abort: u16_at(at::FLAGS) & FLAG_PANIC_ABORT != 0,
        target,
        rustc,
        symbol,
        manifest,
    })
}

/// The checksum of a description, taking the field that holds it as zero.
fn checksum(fixed: &[u8; at::TEXT], texts: &[u8]) -> u32 {
    let crc = crc32::update(crc32::START, &fixed[..at::CRC]);
    let crc = crc32::update(crc, &[0; 4]);
    crc32::finish(crc32::update(crc, texts))
}

/// The texts that are left; their lengths were checked against the whole.
struct Texts<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Texts<'a> {
    fn take(&mut self, part: &'static str, len: u32) -> Result<&'a str, NoteError> {
        let (text, rest) = self.rest.split_at(len as usize);
        let text = std::str::from_utf8(text).map_err(|error| NoteError::NotUtf8 {
            part,
            offset: self.offset + error.valid_up_to(),
        })?;
        (self.rest, self.offset) = (rest, self.offset + len as usize);
        Ok(text)
    }
}
