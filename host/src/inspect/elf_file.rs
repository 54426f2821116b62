//! ELF: what the dynamic loader would use, found the way it does (segments and the dynamic table),
//! and the section table for the note and the completeness of the file.

use object::elf;
use object::read::ReadRef;
use object::read::elf::{
    Dyn, FileHeader, GnuHashTable, HashTable, ProgramHeader, SectionHeader, Sym,
};

use super::error::Fault;
use super::extent::Extent;
use super::facts::{Arch, Endian, Inspection, NoteState, ObjectFormat, Os, UniqueSymbols};
use super::{names, note};

/// Reads the facts of an ELF file of `len` bytes and of class `E`.
pub(super) fn read<'d, E: FileHeader, R: ReadRef<'d>>(
    data: R,
    len: u64,
) -> Result<Inspection, Fault> {
    let elf = Elf::<E, R>::parse(data, len)?;
    let dynamic = elf.dynamic()?;
    elf.require_library(&dynamic)?;
    let symbols = elf.symbols(&dynamic)?;
    let endian = Endian::new(elf.header.is_little_endian());
    Ok(Inspection {
        path: None,
        format: ObjectFormat::Elf,
        arch: arch(elf.header.e_machine(elf.endian)),
        endian,
        bits: if elf.header.is_type_64() { 64 } else { 32 },
        os: os(elf.header.e_ident().os_abi),
        size: len,
        mapped_bytes: Some(elf.mapped_bytes()),
        needed: dynamic.needed()?,
        soname: dynamic.soname()?,
        nodelete: dynamic.flags_1 & elf::DF_1_NODELETE.0 != 0,
        unique_symbols: symbols.unique()?,
        note: elf.note(endian, &symbols)?,
    })
}

/// A complete ELF file: everything that its headers claim lies inside of it.
struct Elf<'d, E: FileHeader, R> {
    data: R,
    endian: E::Endian,
    header: &'d E,
    segments: &'d [E::ProgramHeader],
    sections: &'d [E::SectionHeader],
}

impl<'d, E: FileHeader, R: ReadRef<'d>> Elf<'d, E, R> {
    /// What its segments take of the address space.
    fn mapped_bytes(&self) -> u64 {
        let loaded = self.segments.iter();
        let loaded = loaded.filter(|segment| segment.p_type(self.endian) == elf::PT_LOAD);
        let sizes = loaded.map(|segment| segment.p_memsz(self.endian).into());
        sizes.fold(0, u64::saturating_add)
    }

    fn parse(data: R, len: u64) -> Result<Self, Fault> {
        let malformed = |error: object::read::Error| Fault::malformed(error.to_string());
        let mut extent = Extent::new(len);
        extent.require("the ELF header", 0, size_of::<E>() as u64)?;
        let header = E::parse(data).map_err(malformed)?;
        let endian = header.endian().map_err(malformed)?;
        match header.e_type(endian) {
            elf::ET_DYN => {}
            elf::ET_REL => return Err(Fault::wrong_crate_type("an ELF object file")),
            elf::ET_EXEC => return Err(Fault::wrong_crate_type("an ELF executable")),
            elf::ET_CORE => return Err(Fault::not_a_library("an ELF core dump", None)),
            other => {
                return Err(Fault::malformed(format!(
                    "expected ELF type {} (shared object), found {}",
                    elf::ET_DYN.0,
                    other.0
                )));
            }
        }

        // Segments first: they are at the front, and tell the length of a cut file best.
        let phoff: u64 = header.e_phoff(endian).into();
        let shoff: u64 = header.e_shoff(endian).into();
        let mut segments = &[][..];
        if phoff != 0 && header.e_phnum(endian) < elf::PN_XNUM {
            let size = u64::from(header.e_phnum(endian)) * size_of::<E::ProgramHeader>() as u64;
            extent.require("the program header table", phoff, size)?;
        }
        if phoff != 0 {
            segments = header.program_headers(endian, data).map_err(malformed)?;
        }
        for segment in segments {
            let (offset, size) = segment.file_range(endian);
            extent.claim("a segment", offset, size)?;
        }

        let mut sections = &[][..];
        if shoff != 0 {
            let entry = size_of::<E::SectionHeader>() as u64;
            // The first entry may hold the real number of entries, so it is needed before the
            // others.
            extent.claim("the section header table", shoff, entry)?;
            extent.claim(
                "the section header table",
                shoff,
                u64::from(header.e_shnum(endian)) * entry,
            )?;
            extent.check()?;
            let count = header.shnum(endian, data).map_err(malformed)?;
            extent.require("the section header table", shoff, u64::from(count) * entry)?;
            sections = header.section_headers(endian, data).map_err(malformed)?;
        }
        for section in sections {
            // The first entry is reserved, and its fields may have other meanings.
            if section.sh_type(endian) == elf::SHT_NULL {
                continue;
            }
            if let Some((offset, size)) = section.file_range(endian) {
                extent.claim("a section", offset, size)?;
            }
        }
        extent.check()?;
        Ok(Self {
            data,
            endian,
            header,
            segments,
            sections,
        })
    }

    fn bytes(&self, what: &str, offset: u64, size: u64) -> Result<&'d [u8], Fault> {
        self.data.read_bytes_at(offset, size).map_err(|()| {
            Fault::malformed(format!(
                "expected {what} of {size} bytes at offset {offset}, found the end of the file"
            ))
        })
    }

    /// Where the byte at a virtual address is in the file, and how many of its segment follow.
    fn at_address(&self, what: &str, address: u64) -> Result<(u64, u64), Fault> {
        let load = self
            .segments
            .iter()
            .filter(|segment| segment.p_type(self.endian) == elf::PT_LOAD);
        for segment in load {
            let (offset, size) = segment.file_range(self.endian);
            let start: u64 = segment.p_vaddr(self.endian).into();
            if let Some(into) = address.checked_sub(start).filter(|into| *into < size) {
                // The extent check made sure that the sum is inside of the file.
                return Ok((offset + into, size - into));
            }
        }
        Err(Fault::malformed(format!(
            "expected {what} at address {address:#x}, found no segment there"
        )))
    }

    fn dynamic(&self) -> Result<Dynamic<'d>, Fault> {
        let mut dynamic = Dynamic::default();
        let is_dynamic = |s: &&E::ProgramHeader| s.p_type(self.endian) == elf::PT_DYNAMIC;
        let Some(segment) = self.segments.iter().find(is_dynamic) else {
            return Err(Fault::not_a_library(
                "an ELF file without a dynamic table",
                Some("a file of separate debug information cannot be loaded"),
            ));
        };
        let entries = segment.data_as_array::<E::Dyn, _>(self.endian, self.data).map_err(|()| {
            let (offset, size) = segment.file_range(self.endian);
            Fault::malformed(format!(
                "expected whole entries in the dynamic table at offset {offset}, found {size} bytes"
            ))
        })?;
        let (mut strings, mut strings_len) = (None, 0);
        for entry in entries {
            let value = entry.val(self.endian);
            match entry.tag(self.endian) {
                elf::DT_NULL => break,
                elf::DT_NEEDED => dynamic.needed.push(value),
                elf::DT_SONAME => dynamic.soname = Some(value),
                elf::DT_FLAGS_1 => dynamic.flags_1 = value,
                elf::DT_STRTAB => strings = Some(value),
                elf::DT_STRSZ => strings_len = value,
                elf::DT_SYMTAB => dynamic.symbols = Some(value),
                elf::DT_HASH => dynamic.hash = Some(value),
                elf::DT_GNU_HASH => dynamic.gnu_hash = Some(value),
                _ => {}
            }
        }
        if let Some(strings) = strings {
            let (offset, available) = self.at_address("the dynamic string table", strings)?;
            if strings_len > available {
                return Err(Fault::malformed(format!(
                    "expected a dynamic string table of {strings_len} bytes at offset {offset}, found a \
                     segment that ends after {available}"
                )));
            }
            dynamic.strings = self.bytes("the dynamic string table", offset, strings_len)?;
        }
        Ok(dynamic)
    }

    /// A position independent executable has the type of a library, but `dlopen` refuses it.
    fn require_library(&self, dynamic: &Dynamic<'_>) -> Result<(), Fault> {
        let interpreted = self
            .segments
            .iter()
            .any(|segment| segment.p_type(self.endian) == elf::PT_INTERP);
        // Old linkers do not set the flag. A library with an interpreter (libc has one) has a name.
        if dynamic.flags_1 & elf::DF_1_PIE.0 != 0 || (interpreted && dynamic.soname.is_none()) {
            return Err(Fault::wrong_crate_type(
                "a position independent ELF executable",
            ));
        }
        Ok(())
    }

    fn symbols(&self, dynamic: &Dynamic<'d>) -> Result<Symbols<'d, E>, Fault> {
        let Some(address) = dynamic.symbols else {
            return Ok(Symbols {
                endian: self.endian,
                symbols: &[],
                strings: &[],
            });
        };
        let (offset, available) = self.at_address("the dynamic symbol table", address)?;
        let of_section = self.sections.iter().find(|section| {
            section.sh_type(self.endian) == elf::SHT_DYNSYM
                && section.sh_offset(self.endian).into() == offset
        });
        let entry = size_of::<E::Sym>() as u64;
        // The dynamic table does not tell the number of symbols. The section table does; if it was
        // stripped, the hash table has it.
        let count = match of_section {
            Some(section) => section.sh_size(self.endian).into() / entry,
            None => self.count_by_hash(dynamic)?,
        };
        let symbols = usize::try_from(count)
            .ok()
            .filter(|_| count <= available / entry)
            .and_then(|count| self.data.read_slice_at::<E::Sym>(offset, count).ok());
        let Some(symbols) = symbols else {
            return Err(Fault::malformed(format!(
                "expected {count} dynamic symbols at offset {offset}, found a segment that ends after \
                 {available} bytes"
            )));
        };
        Ok(Symbols {
            endian: self.endian,
            symbols,
            strings: dynamic.strings,
        })
    }

    fn count_by_hash(&self, dynamic: &Dynamic<'d>) -> Result<u64, Fault> {
        let what = "the symbol hash table";
        let table = |address| {
            let (offset, available) = self.at_address(what, address)?;
            self.bytes(what, offset, available)
        };
        let malformed = |error: object::read::Error| Fault::malformed(error.to_string());
        if let Some(address) = dynamic.hash {
            let table = HashTable::<E>::parse(self.endian, table(address)?).map_err(malformed)?;
            return Ok(table.symbol_table_length().into());
        }
        let Some(address) = dynamic.gnu_hash else {
            return Ok(0);
        };
        let table = GnuHashTable::<E>::parse(self.endian, table(address)?).map_err(malformed)?;
        // A library without exports has no buckets in use.
        Ok(table.symbol_table_length(self.endian).unwrap_or(0).into())
    }

    fn note(&self, endian: Endian, symbols: &Symbols<'d, E>) -> Result<NoteState, Fault> {
        let exports = |name: &str| Ok(symbols.export(name.as_bytes()));
        let own = self.note_sections()?;
        if !own.is_empty() {
            return note::in_own_sections(&own, endian, exports);
        }
        // Without a section table, the notes are still in the segments that the loader sees.
        let mut segments = Vec::new();
        for segment in self.segments {
            if segment.p_type(self.endian) == elf::PT_NOTE {
                let (offset, size) = segment.file_range(self.endian);
                segments.push(self.bytes("a note segment", offset, size)?);
            }
        }
        note::among_others(&segments, endian, exports)
    }

    fn note_sections(&self) -> Result<Vec<&'d [u8]>, Fault> {
        let mut found = Vec::new();
        if self.sections.is_empty() || self.header.e_shstrndx(self.endian) == elf::SHN_UNDEF {
            return Ok(found);
        }
        let malformed = |error: object::read::Error| Fault::malformed(error.to_string());
        let index = self
            .header
            .shstrndx(self.endian, self.data)
            .map_err(malformed)?;
        let names = usize::try_from(index)
            .ok()
            .and_then(|index| self.sections.get(index));
        let Some(names) = names else {
            return Err(Fault::malformed(format!(
                "expected the section names in section {index}, found {} sections",
                self.sections.len()
            )));
        };
        let names = names.data(self.endian, self.data).map_err(malformed)?;
        let wanted = ObjectFormat::Elf.note_section().as_bytes();
        for section in self.sections {
            if names::is(names, section.sh_name(self.endian).into(), wanted) {
                found.push(section.data(self.endian, self.data).map_err(malformed)?);
            }
        }
        Ok(found)
    }
}

/// What the dynamic table says; names are offsets into its strings.
#[derive(Default)]
struct Dynamic<'d> {
    needed: Vec<u64>,
    soname: Option<u64>,
    flags_1: u64,
    strings: &'d [u8],
    symbols: Option<u64>,
    hash: Option<u64>,
    gnu_hash: Option<u64>,
}

impl Dynamic<'_> {
    fn needed(&self) -> Result<Vec<String>, Fault> {
        let mut needed = Vec::new();
        for offset in &self.needed {
            names::push_needed(
                &mut needed,
                names::at(self.strings, *offset, names::NEEDED)?,
            )?;
        }
        Ok(needed)
    }

    fn soname(&self) -> Result<Option<String>, Fault> {
        let Some(offset) = self.soname else {
            return Ok(None);
        };
        let name = names::at(self.strings, offset, names::OWN)?;
        names::text(name, names::OWN).map(Some)
    }
}

/// The dynamic symbols.
struct Symbols<'d, E: FileHeader> {
    endian: E::Endian,
    symbols: &'d [E::Sym],
    strings: &'d [u8],
}

impl<E: FileHeader> Symbols<'_, E> {
    fn unique(&self) -> Result<UniqueSymbols, Fault> {
        let mut unique = UniqueSymbols::default();
        for symbol in self.symbols {
            if symbol.st_bind() != elf::STB_GNU_UNIQUE || symbol.is_undefined(self.endian) {
                continue;
            }
            unique.count += 1;
            if unique.names.len() < names::EXAMPLES {
                let what = "the name of a unique symbol";
                let name = names::at(self.strings, symbol.st_name(self.endian).into(), what)?;
                unique.names.push(names::text(name, what)?);
            }
        }
        Ok(unique)
    }

    fn export(&self, name: &[u8]) -> bool {
        self.symbols.iter().any(|symbol| {
            !symbol.is_undefined(self.endian)
                && symbol.st_bind() != elf::STB_LOCAL
                && matches!(
                    symbol.st_visibility(),
                    elf::STV_DEFAULT | elf::STV_PROTECTED
                )
                && names::is(self.strings, symbol.st_name(self.endian).into(), name)
        })
    }
}

fn arch(machine: elf::Machine) -> Arch {
    match machine {
        elf::EM_386 => Arch::X86,
        elf::EM_X86_64 => Arch::X86_64,
        elf::EM_AARCH64 => Arch::Aarch64,
        elf::EM_ARM => Arch::Arm,
        elf::EM_LOONGARCH => Arch::LoongArch,
        elf::EM_MIPS => Arch::Mips,
        elf::EM_PPC => Arch::PowerPc,
        elf::EM_PPC64 => Arch::PowerPc64,
        elf::EM_RISCV => Arch::RiscV,
        elf::EM_S390 => Arch::S390,
        elf::EM_SPARC | elf::EM_SPARC32PLUS => Arch::Sparc,
        elf::EM_SPARCV9 => Arch::Sparc64,
        other => Arch::Other(other.0.into()),
    }
}

fn os(abi: elf::OsAbi) -> Os {
    match abi {
        elf::ELFOSABI_SYSV => Os::Unspecified,
        elf::ELFOSABI_GNU => Os::Linux,
        elf::ELFOSABI_FREEBSD => Os::FreeBsd,
        elf::ELFOSABI_NETBSD => Os::NetBsd,
        elf::ELFOSABI_OPENBSD => Os::OpenBsd,
        elf::ELFOSABI_SOLARIS => Os::Solaris,
        other => Os::Other(other.0.into()),
    }
}
