//! Whether a library is in memory.
#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "asks the dynamic loader")
)]

use std::path::Path;

/// Whether the dynamic loader has a library of this path.
#[cfg(target_os = "linux")]
pub(super) fn is_mapped(path: &Path) -> bool {
    let mut found = false;
    each(|name, _| {
        found = name == path;
        found
    });
    found
}

/// Shows each library that the dynamic loader has, with its program headers, until `look` answers true.
#[cfg(target_os = "linux")]
fn each(mut look: impl FnMut(&Path, &[Segment]) -> bool) {
    use std::ffi::{CStr, OsStr, c_int, c_void};
    use std::os::unix::ffi::OsStrExt;

    unsafe extern "C" fn show<F: FnMut(&Path, &[Segment]) -> bool>(
        library: *mut libc::dl_phdr_info,
        _: usize,
        look: *mut c_void,
    ) -> c_int {
        // SAFETY: `dl_iterate_phdr` passes what it was given, and it was given the closure.
        let look = unsafe { &mut *look.cast::<F>() };
        // SAFETY: the loader passes a valid entry, for the time of this call.
        let library = unsafe { &*library };
        if library.dlpi_name.is_null() || library.dlpi_phdr.is_null() {
            return 0;
        }
        // SAFETY: the loader's names are terminated.
        let name = unsafe { CStr::from_ptr(library.dlpi_name) };
        let count = usize::from(library.dlpi_phnum);
        // SAFETY: the loader says how many headers there are.
        let segments = unsafe { std::slice::from_raw_parts(library.dlpi_phdr, count) };
        c_int::from(look(
            Path::new(OsStr::from_bytes(name.to_bytes())),
            segments,
        ))
    }

    fn callback<F: FnMut(&Path, &[Segment]) -> bool>(
        _: &F,
    ) -> unsafe extern "C" fn(*mut libc::dl_phdr_info, usize, *mut c_void) -> c_int {
        show::<F>
    }

    let callback = callback(&look);
    // SAFETY: the callback gets the pointer back as what it is, during this call only. The closures in
    // this module do not panic.
    unsafe { libc::dl_iterate_phdr(Some(callback), (&raw mut look).cast()) };
}

/// A program header of this process's own format.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
type Segment = libc::Elf64_Phdr;
#[cfg(all(target_os = "linux", target_pointer_width = "32"))]
type Segment = libc::Elf32_Phdr;

/// How many bytes of address space the segments of a library take; none if the dynamic loader has none of
/// this path.
#[cfg(target_os = "linux")]
pub(super) fn bytes(path: &Path) -> Option<u64> {
    let mut bytes = None;
    each(|name, segments| {
        if name == path {
            let loaded = segments.iter().filter(|one| one.p_type == libc::PT_LOAD);
            // Of the width of this process's addresses.
            bytes = Some(loaded.map(|one| one.p_memsz as usize).sum::<usize>() as u64);
        }
        bytes.is_some()
    });
    bytes
}

#[cfg(not(target_os = "linux"))]
pub(super) fn bytes(_: &Path) -> Option<u64> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_mapped(_: &Path) -> bool {
    false
}
