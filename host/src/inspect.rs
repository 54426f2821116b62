//! Facts of a plugin from its file alone: nothing is loaded, so no code of the plugin can run.
//!
//! [`inspect`](inspect()) reads the few tables that it needs from an ELF, Mach-O or PE library of
//! any target, and the note that `export_plugin!` put there. It answers for a library that is no
//! plugin too, so that a tool can show any file; [`Inspection::require_note`] is where being a
//! plugin begins. Whether the plugin fits the host is decided elsewhere, from these facts.
//!
//! A file may be anything, also one crafted to do harm: whatever it holds, the answer is a result
//! or a precise error, without a panic, in bounded memory and time. That holds for the facts, not
//! for the library: a file that looks harmless here can still run anything once it is loaded.
//!
//! *Architecture invariant:* this module maps no file into memory and has no unsafe code. A mapped
//! file that is overwritten during a build would end the process.

use std::io::{Read, Seek};
use std::path::Path;

use object::read::ReadRef;
use object::{elf, macho, pe};

mod elf_file;
mod error;
mod extent;
mod facts;
mod hash;
mod macho_file;
mod names;
mod note;
mod pe_file;
mod source;
mod target;

#[cfg(test)]
pub(crate) mod tests;

pub use error::{InspectError, InspectErrorKind};
pub use facts::{
    Arch, Endian, Inspection, NoteFacts, NoteState, ObjectFormat, Os, PanicStrategy, UniqueSymbols,
};
pub use hash::{ContentHash, ContentHasher, ParseContentHashError, hash_bytes, hash_file};
pub use target::TargetMismatch;

use error::Fault;
use source::Source;

use crate::regular::{self, Links};

/// Reads the facts of the library at `path` without loading it.
///
/// # Errors
///
/// If there is no complete dynamic library at `path`; see [`InspectErrorKind`]. A library without a
/// note, or with a bad one, is no error here: see [`Inspection::require_note`].
pub fn inspect(path: impl AsRef<Path>) -> Result<Inspection, InspectError> {
    let path = path.as_ref();
    match inspect_at(path) {
        Ok(inspection) => Ok(inspection.at(Some(path))),
        Err(fault) => Err(InspectError::new(Some(path), fault)),
    }
}

/// Reads the facts of a library that is in memory.
///
/// # Errors
///
/// As [`inspect`](inspect()), without those of the file system.
pub fn inspect_bytes(bytes: &[u8]) -> Result<Inspection, InspectError> {
    source::with_bytes(bytes, |data| survey(data, bytes.len() as u64))
        .map_err(|fault| InspectError::new(None, fault))
}

// The errors of `std::fs` are right here: they do not name the file, and `InspectError` does.
fn inspect_at(path: &Path) -> Result<Inspection, Fault> {
    // Opening a pipe would wait for its other end, so the type is asked for first.
    let metadata = std::fs::metadata(path).map_err(|error| Fault::io("open the file", error))?;
    if metadata.is_dir() {
        let hint = "give the library inside of it, under target/debug or target/release";
        return Err(Fault::not_a_library("a directory", Some(hint)));
    }
    if !metadata.is_file() {
        return Err(Fault::not_a_library(
            "a special file (pipe, socket or device)",
            None,
        ));
    }
    let file =
        regular::open(path, Links::Follow).map_err(|error| Fault::io("open the file", error))?;
    // The length of the file that was opened, which need not be the one that was asked about.
    let len = file
        .metadata()
        .map_err(|error| Fault::io("open the file", error))?
        .len();
    inspect_reader(file, len)
}

fn inspect_reader<S: Read + Seek>(reader: S, len: u64) -> Result<Inspection, Fault> {
    source::with_reader(Source::new(reader, len), |data| survey(data, len))
}

/// Bytes that tell the formats apart.
const MAGIC_LEN: u64 = 16;

/// Finds the container format and has its module read the facts.
fn survey<'d, R: ReadRef<'d>>(data: R, len: u64) -> Result<Inspection, Fault> {
    if len == 0 {
        return Err(Fault::truncated("any header", MAGIC_LEN, 0));
    }
    let magic = data
        .read_bytes_at(0, len.min(MAGIC_LEN))
        .map_err(|()| Fault::malformed("the first bytes cannot be read"))?;
    match magic {
        [0x7F, b'E', b'L', b'F', 1, ..] => {
            elf_file::read::<elf::FileHeader32<object::Endianness>, R>(data, len)
        }
        [0x7F, b'E', b'L', b'F', 2, ..] => {
            elf_file::read::<elf::FileHeader64<object::Endianness>, R>(data, len)
        }
        start if elf::ELFMAG.starts_with(start) => {
            Err(Fault::truncated("the ELF header", MAGIC_LEN, len))
        }
        [0x7F, b'E', b'L', b'F', class, ..] => Err(Fault::malformed(format!(
            "expected ELF class 1 or 2, found {class}"
        ))),
        [0xFE, 0xED, 0xFA, 0xCE, ..] | [0xCE, 0xFA, 0xED, 0xFE, ..] => {
            macho_file::read::<macho::MachHeader32<object::Endianness>, R>(data, len)
        }
        [0xFE, 0xED, 0xFA, 0xCF, ..] | [0xCF, 0xFA, 0xED, 0xFE, ..] => {
            macho_file::read::<macho::MachHeader64<object::Endianness>, R>(data, len)
        }
        // Java classes have the same magic, with a version of at least 45 where the number of
        // architectures would be.
        [0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 0..45, ..] | [0xCA, 0xFE, 0xBA, 0xBF, ..] => {
            let hint =
                "take the part for one architecture out of it: lipo -thin ARCH FILE -output NEW";
            Err(Fault::unsupported(
                "a Mach-O file for several architectures",
                Some(hint),
            ))
        }
        [b'M', b'Z', ..] => survey_pe(data, len),
        other => Err(foreign(other)),
    }
}

fn survey_pe<'d, R: ReadRef<'d>>(data: R, len: u64) -> Result<Inspection, Fault> {
    let mut extent = extent::Extent::new(len);
    extent.require("the DOS header", 0, size_of::<pe::ImageDosHeader>() as u64)?;
    let malformed = |error: object::read::Error| Fault::malformed(error.to_string());
    let dos = pe::ImageDosHeader::parse(data).map_err(malformed)?;
    let offset = u64::from(dos.nt_headers_offset());
    // The smaller headers of 32-bit files have what tells the two kinds apart in the same place.
    extent.require(
        "the PE headers",
        offset,
        size_of::<pe::ImageNtHeaders32>() as u64,
    )?;
    let headers: &pe::ImageNtHeaders32 = data
        .read_at(offset)
        .map_err(|()| Fault::malformed("the PE headers cannot be read"))?;
    if headers.signature.get(object::LittleEndian) != pe::IMAGE_NT_SIGNATURE {
        return Err(Fault::unsupported("a DOS program", None));
    }
    match headers.optional_header.magic.get(object::LittleEndian) {
        pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC => {
            pe_file::read::<pe::ImageNtHeaders32, R>(data, len, offset)
        }
        pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC => {
            pe_file::read::<pe::ImageNtHeaders64, R>(data, len, offset)
        }
        other => Err(Fault::malformed(format!(
            "expected PE optional header magic {:#x} or {:#x}, found {other:#x}",
            pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC,
            pe::IMAGE_NT_OPTIONAL_HDR64_MAGIC
        ))),
    }
}

/// Names what is not a library by its first bytes, as far as a plugin author may meet it.
fn foreign(magic: &[u8]) -> Fault {
    match magic {
        [b'!', b'<', b'a' | b't', ..] => {
            Fault::wrong_crate_type("a static archive (.a, .lib or .rlib)")
        }
        [0x64, 0x86, ..] | [0x4C, 0x01, ..] | [0x64, 0xAA, ..] | [0xC4, 0x01, ..] => {
            Fault::wrong_crate_type("what looks like a COFF object file")
        }
        [0, b'a', b's', b'm', ..] => Fault::unsupported(
            "a WebAssembly module",
            Some("build for the host: leave --target out"),
        ),
        [b'B', b'C', 0xC0, 0xDE, ..] => Fault::unsupported("LLVM bitcode", None),
        [1, 0xDF | 0xF7, ..] => Fault::unsupported("an XCOFF file", None),
        [b'#', b'!', ..] => Fault::not_a_library("a script", None),
        text if text
            .iter()
            .all(|byte| matches!(byte, b'\t'..=b'\r' | b' '..=b'~' | 0x80..)) =>
        {
            let found = format!("text that begins with \"{}\"", text.escape_ascii());
            Fault::not_a_library(
                found,
                Some("give the file that cargo build reports, not its source"),
            )
        }
        _ => Fault::not_a_library(format_args!("a file that begins with {magic:02x?}"), None),
    }
}
