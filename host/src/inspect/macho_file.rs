//! Mach-O: load commands, the note in its section, and the exports as dyld looks them up.

use object::endian::U32;
use object::macho;
use object::read::ReadRef;
use object::read::macho::{LoadCommandData, MachHeader, Nlist, Section, Segment};

use super::error::Fault;
use super::extent::Extent;
use super::facts::{Arch, Endian, Inspection, ObjectFormat, Os, UniqueSymbols};
use super::{names, note};

/// Reads the facts of a Mach-O file of `len` bytes and of header type `M`.
pub(super) fn read<'d, M: MachHeader, R: ReadRef<'d>>(
    data: R,
    len: u64,
) -> Result<Inspection, Fault> {
    let mut extent = Extent::new(len);
    let header_size = size_of::<M>() as u64;
    extent.require("the Mach-O header", 0, header_size)?;
    let header = M::parse(data, 0).map_err(malformed)?;
    let endian = header.endian().map_err(malformed)?;
    require_library(header.filetype(endian))?;
    extent.require(
        "the load commands",
        header_size,
        header.sizeofcmds(endian).into(),
    )?;

    let mut commands = Commands::<M>::default();
    let mut iterator = header.load_commands(endian, data, 0).map_err(malformed)?;
    while let Some(command) = iterator.next().map_err(malformed)? {
        commands.take(endian, command, &mut extent)?;
    }
    extent.check()?;

    let mut sections = Vec::new();
    for (offset, size) in &commands.notes {
        let bytes = data.read_bytes_at(*offset, *size);
        sections.push(bytes.map_err(|()| Fault::malformed("the note's section cannot be read"))?);
    }
    let order = Endian::new(header.is_little_endian());
    let note = note::in_own_sections(&sections, order, |name| {
        commands.exports(endian, data, name)
    })?;
    Ok(Inspection {
        path: None,
        format: ObjectFormat::MachO,
        arch: arch(header.cputype(endian)),
        endian: order,
        // `arm64_32` has 32-bit headers too.
        bits: if header.is_type_64() { 64 } else { 32 },
        os: commands.os.unwrap_or(Os::Unspecified),
        size: len,
        mapped_bytes: None,
        needed: commands.needed,
        soname: commands.install_name,
        nodelete: false,
        unique_symbols: UniqueSymbols::default(),
        note,
    })
}

fn malformed(error: object::read::Error) -> Fault {
    Fault::malformed(error.to_string())
}

fn require_library(found: macho::FileType) -> Result<(), Fault> {
    match found {
        macho::MH_DYLIB | macho::MH_BUNDLE => Ok(()),
        macho::MH_OBJECT => Err(Fault::wrong_crate_type("a Mach-O object file")),
        macho::MH_EXECUTE => Err(Fault::wrong_crate_type("a Mach-O executable")),
        macho::MH_DSYM => Err(Fault::not_a_library(
            "Mach-O debug information",
            Some("give the library, not its .dSYM"),
        )),
        other => Err(Fault::not_a_library(
            format_args!("a Mach-O file of type {:#x}", other.0),
            None,
        )),
    }
}

/// What the load commands say. Ranges are offset and size in the file.
struct Commands<M: MachHeader> {
    os: Option<Os>,
    needed: Vec<String>,
    install_name: Option<String>,
    notes: Vec<(u64, u64)>,
    trie: Option<(u64, u64)>,
    symbols: Option<macho::SymtabCommand<M::Endian>>,
}

impl<M: MachHeader> Default for Commands<M> {
    fn default() -> Self {
        Self {
            os: None,
            needed: Vec::new(),
            install_name: None,
            notes: Vec::new(),
            trie: None,
            symbols: None,
        }
    }
}

impl<M: MachHeader> Commands<M> {
    fn take(
        &mut self,
        endian: M::Endian,
        command: LoadCommandData<'_, M::Endian>,
        extent: &mut Extent,
    ) -> Result<(), Fault> {
        let range = |offset: U32<M::Endian>, size: U32<M::Endian>| {
            (u64::from(offset.get(endian)), u64::from(size.get(endian)))
        };
        if let Some((segment, sections)) = M::Segment::from_command(command).map_err(malformed)? {
            let (offset, size) = segment.file_range(endian);
            extent.claim("a segment", offset, size)?;
            return self.take_sections(endian, segment, sections, extent);
        }
        if let Some(dylib) = command.dylib().map_err(malformed)? {
            let name = command
                .string(endian, dylib.dylib.name)
                .map_err(malformed)?;
            return names::push_needed(&mut self.needed, name);
        }
        match command.cmd() {
            macho::LC_ID_DYLIB => {
                let dylib: &macho::DylibCommand<M::Endian> = command.data().map_err(malformed)?;
                let name = command
                    .string(endian, dylib.dylib.name)
                    .map_err(malformed)?;
                self.install_name = Some(names::text(name, names::OWN)?);
            }
            macho::LC_SYMTAB => {
                let symbols: &macho::SymtabCommand<M::Endian> =
                    command.data().map_err(malformed)?;
                let size = u64::from(symbols.nsyms.get(endian)) * size_of::<M::Nlist>() as u64;
                extent.claim("the symbol table", symbols.symoff.get(endian).into(), size)?;
                let (offset, size) = range(symbols.stroff, symbols.strsize);
                extent.claim("the string table", offset, size)?;
                self.symbols = Some(*symbols);
            }
            macho::LC_DYLD_INFO | macho::LC_DYLD_INFO_ONLY => {
                let dyld: &macho::DyldInfoCommand<M::Endian> = command.data().map_err(malformed)?;
                let trie = range(dyld.export_off, dyld.export_size);
                extent.claim("the exports", trie.0, trie.1)?;
                self.trie = Some(trie);
            }
            macho::LC_DYLD_EXPORTS_TRIE => {
                let linked: &macho::LinkeditDataCommand<M::Endian> =
                    command.data().map_err(malformed)?;
                let trie = range(linked.dataoff, linked.datasize);
                extent.claim("the exports", trie.0, trie.1)?;
                self.trie = Some(trie);
            }
            macho::LC_CODE_SIGNATURE => {
                let linked: &macho::LinkeditDataCommand<M::Endian> =
                    command.data().map_err(malformed)?;
                let (offset, size) = range(linked.dataoff, linked.datasize);
                extent.claim("the code signature", offset, size)?;
            }
            macho::LC_BUILD_VERSION => {
                let build: &macho::BuildVersionCommand<M::Endian> =
                    command.data().map_err(malformed)?;
                self.os = Some(match build.platform.get(endian) {
                    macho::PLATFORM_MACOS => Os::MacOs,
                    _ => Os::AppleMobile,
                });
            }
            macho::LC_VERSION_MIN_MACOSX => self.os = Some(Os::MacOs),
            macho::LC_VERSION_MIN_IPHONEOS
            | macho::LC_VERSION_MIN_TVOS
            | macho::LC_VERSION_MIN_WATCHOS => self.os = Some(Os::AppleMobile),
            _ => {}
        }
        Ok(())
    }

    fn take_sections(
        &mut self,
        endian: M::Endian,
        segment: &M::Segment,
        sections: &[u8],
        extent: &mut Extent,
    ) -> Result<(), Fault> {
        let sections = segment.sections(endian, sections).map_err(malformed)?;
        // The section begins with two underscores: `__DATA,__keyway` in the notation of
        // `link_section`.
        let wanted = ObjectFormat::MachO
            .note_section()
            .rsplit(',')
            .next()
            .unwrap_or_default();
        for section in segment.section_offsets(endian, sections) {
            let (section, offset) = section.map_err(malformed)?;
            if let Some((offset, size)) = section.file_range(endian, offset) {
                extent.claim("a section", offset, size)?;
                // A linker may move constant data to a segment of its own, `__DATA_CONST`.
                if section.name() == wanted.as_bytes()
                    && section.segment_name().starts_with(b"__DATA")
                {
                    self.notes.push((offset, size));
                }
            }
        }
        Ok(())
    }

    /// Whether dyld would find the symbol: in the exports trie, or without one in the symbol table.
    fn exports<'d, R: ReadRef<'d>>(
        &self,
        endian: M::Endian,
        data: R,
        name: &str,
    ) -> Result<bool, Fault> {
        let name = format!("_{name}");
        if let Some((offset, size)) = self.trie.filter(|trie| trie.1 != 0) {
            let trie = data.read_bytes_at(offset, size);
            let trie = trie.map_err(|()| Fault::malformed("the exports cannot be read"))?;
            return Ok(trie_has(trie, name.as_bytes()).unwrap_or(false));
        }
        let Some(symbols) = &self.symbols else {
            return Ok(false);
        };
        let unreadable = |()| Fault::malformed("the symbol table cannot be read");
        let strings = data
            .read_bytes_at(
                symbols.stroff.get(endian).into(),
                symbols.strsize.get(endian).into(),
            )
            .map_err(unreadable)?;
        let symbols = data
            .read_slice_at::<M::Nlist>(
                symbols.symoff.get(endian).into(),
                symbols.nsyms.get(endian) as usize,
            )
            .map_err(unreadable)?;
        Ok(symbols.iter().any(|symbol| {
            symbol.n_type().0 & macho::N_EXT.0 != 0
                && symbol.is_definition()
                && names::is(strings, symbol.n_strx(endian).into(), name.as_bytes())
        }))
    }
}

/// Walks the exports trie down to `name`. Each step takes at least one byte of the name, so a
/// crafted trie cannot make it loop. `None` means that the trie is malformed on the way.
fn trie_has(trie: &[u8], name: &[u8]) -> Option<bool> {
    let (mut node, mut name) = (trie, name);
    loop {
        let (terminal, rest) = uleb128(node)?;
        if name.is_empty() {
            return Some(terminal != 0);
        }
        let mut rest = rest.get(usize::try_from(terminal).ok()?..)?;
        let edges;
        (edges, rest) = rest.split_first()?;
        let mut next = None;
        for _ in 0..*edges {
            let end = rest.iter().position(|byte| *byte == 0)?;
            let (offset, after) = uleb128(&rest[end + 1..])?;
            if end != 0 && next.is_none() {
                next = name.strip_prefix(&rest[..end]).map(|name| (offset, name));
            }
            rest = after;
        }
        let Some((offset, left)) = next else {
            return Some(false);
        };
        (node, name) = (trie.get(usize::try_from(offset).ok()?..)?, left);
    }
}

/// An unsigned number in base 128, and what follows it.
fn uleb128(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7F).checked_shl(7 * index as u32)?;
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

fn arch(cpu: macho::CpuType) -> Arch {
    match cpu {
        macho::CPU_TYPE_X86 => Arch::X86,
        macho::CPU_TYPE_X86_64 => Arch::X86_64,
        macho::CPU_TYPE_ARM => Arch::Arm,
        macho::CPU_TYPE_ARM64 | macho::CPU_TYPE_ARM64_32 => Arch::Aarch64,
        macho::CPU_TYPE_POWERPC => Arch::PowerPc,
        macho::CPU_TYPE_POWERPC64 => Arch::PowerPc64,
        other => Arch::Other(other.0),
    }
}
