//! PE: the headers of a DLL, the note in its section, imports, and the exports as the loader looks
//! them up.

use std::cmp::Ordering;

use object::LittleEndian as LE;
use object::pe;
use object::read::ReadRef;
use object::read::coff::SectionTable;
use object::read::pe::{DataDirectories, ExportTable, ImageNtHeaders, ImageOptionalHeader};

use super::error::Fault;
use super::extent::Extent;
use super::facts::{Arch, Endian, Inspection, ObjectFormat, Os, UniqueSymbols};
use super::{names, note};

/// Reads the facts of a PE file of `len` bytes. Its DOS header is known to be there, and the NT
/// headers at `offset` to be of type `P`.
pub(super) fn read<'d, P: ImageNtHeaders, R: ReadRef<'d>>(
    data: R,
    len: u64,
    offset: u64,
) -> Result<Inspection, Fault> {
    let mut extent = Extent::new(len);
    extent.require("the PE headers", offset, size_of::<P>() as u64)?;
    let headers: &P = data
        .read_at(offset)
        .map_err(|()| Fault::malformed("the PE headers cannot be read"))?;
    let optional = headers.file_header().size_of_optional_header.get(LE);
    let optional_at = offset + (size_of::<u32>() + size_of::<pe::ImageFileHeader>()) as u64;
    extent.require("the PE optional header", optional_at, optional.into())?;
    let mut after = offset;
    let (headers, directories) = P::parse(data, &mut after).map_err(malformed)?;
    let file = headers.file_header();
    if file.characteristics.get(LE).0 & pe::IMAGE_FILE_DLL.0 == 0 {
        return Err(Fault::wrong_crate_type("a PE executable"));
    }
    let count = u64::from(file.number_of_sections.get(LE));
    let size = count * size_of::<pe::ImageSectionHeader>() as u64;
    extent.require("the section table", after, size)?;
    let sections = headers.sections(data, after).map_err(malformed)?;
    claim(&mut extent, file, &sections, &directories)?;
    extent.check()?;

    let exports = directories
        .export_table(data, &sections)
        .map_err(malformed)?;
    let mut notes = Vec::new();
    for section in sections.iter() {
        if section.raw_name() == ObjectFormat::Pe.note_section().as_bytes() {
            notes.push(section.pe_data(data).map_err(malformed)?);
        }
    }
    let note = note::in_own_sections(&notes, Endian::Little, |name| {
        Ok(exports
            .as_ref()
            .is_some_and(|exports| has(exports, name.as_bytes())))
    })?;
    Ok(Inspection {
        path: None,
        format: ObjectFormat::Pe,
        arch: arch(file.machine.get(LE)),
        endian: Endian::Little,
        bits: if headers.is_type_64() { 64 } else { 32 },
        os: match headers.optional_header().subsystem() {
            pe::IMAGE_SUBSYSTEM_EFI_APPLICATION
            | pe::IMAGE_SUBSYSTEM_EFI_BOOT_SERVICE_DRIVER
            | pe::IMAGE_SUBSYSTEM_EFI_RUNTIME_DRIVER
            | pe::IMAGE_SUBSYSTEM_EFI_ROM => Os::Uefi,
            _ => Os::Windows,
        },
        size: len,
        mapped_bytes: None,
        needed: needed(data, &sections, &directories)?,
        soname: own_name(exports.as_ref())?,
        nodelete: false,
        unique_symbols: UniqueSymbols::default(),
        note,
    })
}

fn malformed(error: object::read::Error) -> Fault {
    Fault::malformed(error.to_string())
}

/// Claims everything that the headers place in the file.
fn claim(
    extent: &mut Extent,
    file: &pe::ImageFileHeader,
    sections: &SectionTable<'_>,
    directories: &DataDirectories<'_>,
) -> Result<(), Fault> {
    for section in sections.iter() {
        let (offset, size) = (
            section.pointer_to_raw_data.get(LE),
            section.size_of_raw_data.get(LE),
        );
        if offset != 0 {
            extent.claim("a section", offset.into(), size.into())?;
        }
    }
    // MinGW leaves the symbol table of COFF in its libraries.
    let symbols = file.pointer_to_symbol_table.get(LE);
    if symbols != 0 {
        let size = u64::from(file.number_of_symbols.get(LE)) * size_of::<pe::ImageSymbol>() as u64;
        extent.claim("the symbol table", symbols.into(), size)?;
    }
    // The signature is the one directory whose address is an offset in the file.
    if let Some(signature) = directories.get(pe::IMAGE_DIRECTORY_ENTRY_SECURITY) {
        let (offset, size) = signature.address_range();
        extent.claim("the signature", offset.into(), size.into())?;
    }
    Ok(())
}

fn needed<'d, R: ReadRef<'d>>(
    data: R,
    sections: &SectionTable<'d>,
    directories: &DataDirectories<'d>,
) -> Result<Vec<String>, Fault> {
    let mut needed = Vec::new();
    let Some(imports) = directories
        .import_table(data, sections)
        .map_err(malformed)?
    else {
        return Ok(needed);
    };
    let mut descriptors = imports.descriptors().map_err(malformed)?;
    while let Some(descriptor) = descriptors.next().map_err(malformed)? {
        let name = imports.name(descriptor.name.get(LE)).map_err(malformed)?;
        names::push_needed(&mut needed, name)?;
    }
    Ok(needed)
}

fn own_name(exports: Option<&ExportTable<'_>>) -> Result<Option<String>, Fault> {
    let Some(exports) = exports else {
        return Ok(None);
    };
    match exports.directory().name.get(LE) {
        0 => Ok(None),
        name => {
            let name = exports.name_from_pointer(name).map_err(malformed)?;
            names::text(name, names::OWN).map(Some)
        }
    }
}

/// Looks a name up as the loader does: names are sorted, so one in the wrong place is not found.
fn has(exports: &ExportTable<'_>, name: &[u8]) -> bool {
    let found = exports.name_pointers().binary_search_by(|pointer| {
        exports
            .name_from_pointer(pointer.get(LE))
            .map_or(Ordering::Less, |found| found.cmp(name))
    });
    found.is_ok()
}

fn arch(machine: pe::Machine) -> Arch {
    match machine {
        pe::IMAGE_FILE_MACHINE_I386 => Arch::X86,
        pe::IMAGE_FILE_MACHINE_AMD64 => Arch::X86_64,
        pe::IMAGE_FILE_MACHINE_ARM64
        | pe::IMAGE_FILE_MACHINE_ARM64EC
        | pe::IMAGE_FILE_MACHINE_ARM64X => Arch::Aarch64,
        pe::IMAGE_FILE_MACHINE_ARM
        | pe::IMAGE_FILE_MACHINE_THUMB
        | pe::IMAGE_FILE_MACHINE_ARMNT => Arch::Arm,
        pe::IMAGE_FILE_MACHINE_RISCV32 | pe::IMAGE_FILE_MACHINE_RISCV64 => Arch::RiscV,
        other => Arch::Other(other.0.into()),
    }
}
