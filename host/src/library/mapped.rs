//! Whether a library is in memory.
#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "asks the dynamic loader")
)]

use std::path::Path;

/// Whether the dynamic loader has a library of this path.
#[cfg(target_os = "linux")]
pub(super) fn is_mapped(path: &Path) -> bool {
    use std::ffi::{CStr, c_int, c_void};
    use std::os::unix::ffi::OsStrExt;

    struct Search<'a> {
        path: &'a [u8],
        found: bool,
    }

    unsafe extern "C" fn look(
        info: *mut libc::dl_phdr_info,
        _: usize,
        search: *mut c_void,
    ) -> c_int {
        // SAFETY: `dl_iterate_phdr` passes what it was given, and it was given a search.
        let search = unsafe { &mut *search.cast::<Search<'_>>() };
        // SAFETY: the loader passes a valid entry with a terminated name.
        let name = unsafe { CStr::from_ptr((*info).dlpi_name) };
        search.found |= name.to_bytes() == search.path;
        c_int::from(search.found)
    }

    let mut search = Search {
        path: path.as_os_str().as_bytes(),
        found: false,
    };
    // SAFETY: the callback gets the pointer back as what it is, during this call only.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
    search.found
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_mapped(_: &Path) -> bool {
    false
}
