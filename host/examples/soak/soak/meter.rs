//! What the system says of this process.
#![expect(unsafe_code, reason = "asks the C library")]

use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Resident memory in kilobytes.
pub(crate) fn rss_kb() -> io::Result<i64> {
    // `statm` is cheaper, and off by up to 64 pages for each thread.
    let text = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = text.lines().find(|line| line.starts_with("Rss:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.ok_or_else(|| io::Error::other("the kernel does not tell the resident memory"))
}

/// Kilobytes that were allocated and not freed, in all arenas of the C library.
pub(crate) fn allocated_kb() -> i64 {
    // SAFETY: no arguments; the C library adds its own numbers up.
    let found = unsafe { libc::mallinfo2() };
    ((found.uordblks + found.hblkhd) / 1_024) as i64
}

/// Has the C library give back what is free, so that what stays resident is in use.
pub(crate) fn trim() {
    // SAFETY: takes the locks of the allocator as any allocation does.
    unsafe { libc::malloc_trim(0) };
}

/// Mappings of files in this directory, also of files that are deleted.
pub(crate) fn mappings(dir: &Path) -> io::Result<usize> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let dir = dir.to_string_lossy();
    Ok(maps.lines().filter(|line| line.contains(&*dir)).count())
}

/// Libraries in this directory that the dynamic loader has.
pub(crate) fn libraries(dir: &Path) -> usize {
    struct Search<'a> {
        dir: &'a [u8],
        found: usize,
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
        search.found += usize::from(name.to_bytes().starts_with(search.dir));
        0
    }

    let mut search = Search {
        dir: dir.as_os_str().as_bytes(),
        found: 0,
    };
    // SAFETY: the callback gets the pointer back as what it is, during this call only.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
    search.found
}

/// How many pthread keys are free. All are taken for a moment: nobody else may want one meanwhile.
pub(crate) fn free_keys() -> usize {
    let mut taken = Vec::new();
    loop {
        let mut key = 0;
        // SAFETY: the key is a place to write to; it has no destructor.
        if unsafe { libc::pthread_key_create(&mut key, None) } != 0 {
            break;
        }
        taken.push(key);
    }
    for key in &taken {
        // SAFETY: the key was just created, and nobody else knows it.
        unsafe { libc::pthread_key_delete(*key) };
    }
    taken.len()
}

/// Threads of this process.
pub(crate) fn threads() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

/// Open files of this process.
pub(crate) fn files() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}
