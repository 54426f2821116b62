//! What an inspection finds out: plain data, complete without the file.

use std::fmt;
use std::path::{Path, PathBuf};

use keyway::abi::note::{self, NoteError};

use super::error::{Fault, InspectError};

/// The facts of a dynamic library; see [`inspect`](super::inspect()).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// The file, unless bytes were inspected.
    pub path: Option<PathBuf>,
    /// Container format.
    pub format: ObjectFormat,
    /// Architecture of the machine code.
    pub arch: Arch,
    /// Byte order.
    pub endian: Endian,
    /// Width of an address: 32 or 64.
    pub bits: u8,
    /// Operating system, as far as the headers name it.
    pub os: Os,
    /// Length of the file in bytes.
    pub size: u64,
    /// How many bytes of address space its code and data take, as the segments of the file say (ELF only).
    pub mapped_bytes: Option<u64>,
    /// Libraries that the loader must find: `DT_NEEDED`, `LC_LOAD_DYLIB`, PE imports; in file
    /// order.
    pub needed: Vec<String>,
    /// The name that the library gives itself: `DT_SONAME`, install name, name in the PE export
    /// table.
    pub soname: Option<String>,
    /// Whether the library forbids its unloading (`DF_1_NODELETE`; ELF only).
    pub nodelete: bool,
    /// Symbols that keep the library loaded once they are bound (`STB_GNU_UNIQUE`; ELF only).
    pub unique_symbols: UniqueSymbols,
    /// What the plugin says about itself.
    pub note: NoteState,
}

impl Inspection {
    /// The note, of which a plugin has exactly one.
    ///
    /// # Errors
    ///
    /// [`NoNote`](super::InspectErrorKind::NoNote), [`BadNote`](super::InspectErrorKind::BadNote)
    /// or [`SeveralNotes`](super::InspectErrorKind::SeveralNotes).
    pub fn require_note(&self) -> Result<&NoteFacts, InspectError> {
        let section = self.format.note_section();
        let fault = match &self.note {
            NoteState::One(note) => return Ok(note),
            NoteState::Absent => Fault::no_note(section),
            NoteState::Bad(error) => Fault::bad_note(section, error.clone()),
            NoteState::Several { symbols, count } => Fault::several_notes(section, symbols, *count),
        };
        Err(InspectError::new(self.path.as_deref(), fault))
    }

    /// Whether loading the library may make its unloading impossible.
    pub fn may_pin(&self) -> bool {
        self.nodelete || self.unique_symbols.count > 0
    }

    pub(super) fn at(mut self, path: Option<&Path>) -> Self {
        self.path = path.map(Path::to_path_buf);
        self
    }
}

/// The state of the note in a library.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteState {
    /// There is none: a library, but not a plugin.
    Absent,
    /// There is exactly one, and its checksum holds.
    One(NoteFacts),
    /// There are several, which is what linking one plugin crate into another makes.
    Several {
        /// The descriptor symbols of the first few, in file order.
        symbols: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// There is something in the place of the note that is not a note.
    Bad(NoteError),
}

/// A decoded note.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoteFacts {
    /// Major version of the interface.
    pub interface_major: u16,
    /// Minor version of the interface that the plugin was built against.
    pub built_minor: u16,
    /// Newest minor version of the interface that the plugin requires.
    pub required_minor: u16,
    /// What a panic does in the plugin.
    pub panic: PanicStrategy,
    /// Target triple, as the plugin states it.
    pub target: String,
    /// Version of the compiler, for people to read.
    pub rustc: String,
    /// Name of the descriptor symbol.
    pub symbol: String,
    /// Whether the library really exports that symbol.
    pub symbol_exported: bool,
    /// The manifest as JSON, not yet parsed.
    pub manifest: String,
}

impl NoteFacts {
    pub(crate) fn new(note: &note::Note<'_>, symbol_exported: bool) -> Self {
        Self {
            interface_major: note.interface_major,
            built_minor: note.built_minor,
            required_minor: note.required_minor,
            panic: if note.panic_abort {
                PanicStrategy::Abort
            } else {
                PanicStrategy::Unwind
            },
            target: note.target.to_owned(),
            rustc: note.rustc.to_owned(),
            symbol: note.symbol.to_owned(),
            symbol_exported,
            manifest: note.manifest.to_owned(),
        }
    }
}

/// What a panic does in a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PanicStrategy {
    /// It unwinds, so the boundary can catch it.
    Unwind,
    /// It ends the process.
    Abort,
}

impl fmt::Display for PanicStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unwind => "unwind",
            Self::Abort => "abort",
        })
    }
}

/// Symbols that the dynamic loader keeps unique over all libraries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UniqueSymbols {
    /// How many there are.
    pub count: usize,
    /// The names of the first few, in file order.
    pub names: Vec<String>,
}

/// Container format of a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectFormat {
    /// Linux, the BSDs, and others.
    Elf,
    /// Apple.
    MachO,
    /// Windows.
    Pe,
}

impl ObjectFormat {
    /// Name of the section that holds the note, as the tools of the platform print it.
    pub fn note_section(self) -> &'static str {
        match self {
            Self::Elf => note::SECTION_ELF,
            Self::MachO => note::SECTION_MACHO,
            Self::Pe => note::SECTION_PE,
        }
    }
}

impl fmt::Display for ObjectFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Elf => "ELF",
            Self::MachO => "Mach-O",
            Self::Pe => "PE",
        })
    }
}

/// Byte order of a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl Endian {
    pub(super) fn new(is_little: bool) -> Self {
        if is_little { Self::Little } else { Self::Big }
    }

    pub(super) fn of_note(self) -> note::Endian {
        match self {
            Self::Little => note::Endian::Little,
            Self::Big => note::Endian::Big,
        }
    }
}

impl fmt::Display for Endian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Little => "little endian",
            Self::Big => "big endian",
        })
    }
}

/// Architecture of a library, by the name that target triples give the family. Variants of one
/// family (`armv7` and `thumbv7`, `x86_64` and `x86_64h`) are one here: the headers do not tell
/// them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each variant is named for the architecture, and Display prints it"
)]
pub enum Arch {
    Aarch64,
    Arm,
    LoongArch,
    Mips,
    PowerPc,
    PowerPc64,
    RiscV,
    S390,
    Sparc,
    Sparc64,
    X86,
    X86_64,
    /// Any other, with the number that the container format gives it.
    Other(u32),
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Aarch64 => "aarch64",
            Self::Arm => "arm",
            Self::LoongArch => "loongarch",
            Self::Mips => "mips",
            Self::PowerPc => "powerpc",
            Self::PowerPc64 => "powerpc64",
            Self::RiscV => "riscv",
            Self::S390 => "s390",
            Self::Sparc => "sparc",
            Self::Sparc64 => "sparc64",
            Self::X86 => "x86",
            Self::X86_64 => "x86_64",
            Self::Other(number) => return write!(f, "architecture {number:#x}"),
        })
    }
}

/// Operating system of a library, as far as its headers name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each variant is named for the system, and Display prints it"
)]
pub enum Os {
    /// ELF without a named system, which is what most Linux libraries are.
    Unspecified,
    Linux,
    FreeBsd,
    NetBsd,
    OpenBsd,
    Solaris,
    MacOs,
    /// iOS and the other Apple systems, with their simulators.
    AppleMobile,
    Windows,
    Uefi,
    /// Any other, with the number that the container format gives it.
    Other(u32),
}

impl fmt::Display for Os {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unspecified => "unspecified",
            Self::Linux => "linux",
            Self::FreeBsd => "freebsd",
            Self::NetBsd => "netbsd",
            Self::OpenBsd => "openbsd",
            Self::Solaris => "solaris",
            Self::MacOs => "macos",
            Self::AppleMobile => "apple-mobile",
            Self::Windows => "windows",
            Self::Uefi => "uefi",
            Self::Other(number) => return write!(f, "system {number:#x}"),
        })
    }
}
