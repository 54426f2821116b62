//! The fence between a reader's write and its second read, and who executes it: the reader, or the
//! kernel on the writer's behalf.

use super::sync::{Ordering, compiler_fence, fence};

/// The reader's part where [`asymmetric`] holds: the compiler keeps the order, the writer's
/// [`heavy`] does the rest.
#[inline(always)]
pub(super) fn light() {
    compiler_fence(Ordering::SeqCst);
}

/// The reader's part that is right in either mode.
pub(super) fn full() {
    fence(Ordering::SeqCst);
}

/// The writer's part. Once it has returned `true`, each reader's accesses before some point of that
/// thread come before what the writer does next, and those after that point come after what the
/// writer did last.
///
/// `false` means that nothing is known, and the caller must treat everything as still in use:
/// `membarrier` was available when the process started to use slots and is refused now (a seccomp
/// filter that was installed later).
pub(super) fn heavy() -> bool {
    fence(Ordering::SeqCst);
    !asymmetric() || membarrier::execute()
}

/// Whether readers may do without a fence. It never changes once it was asked.
pub(super) fn asymmetric() -> bool {
    membarrier::available()
}

#[cfg(all(target_os = "linux", not(miri), not(keyway_loom)))]
mod membarrier {
    use std::sync::OnceLock;

    pub(super) fn available() -> bool {
        static AVAILABLE: OnceLock<bool> = OnceLock::new();
        *AVAILABLE.get_or_init(register)
    }

    /// Registration belongs to the address space, so a forked child may have to repeat it.
    pub(super) fn execute() -> bool {
        call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED)
            || (register() && call(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED))
    }

    fn register() -> bool {
        call(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)
    }

    fn call(command: libc::c_int) -> bool {
        let (flags, cpu): (libc::c_uint, libc::c_int) = (0, 0);
        // SAFETY: membarrier takes three integers and touches no memory of the caller's.
        unsafe { libc::syscall(libc::SYS_membarrier, command, flags, cpu) == 0 }
    }
}

#[cfg(not(all(target_os = "linux", not(miri), not(keyway_loom))))]
mod membarrier {
    pub(super) fn available() -> bool {
        false
    }

    pub(super) fn execute() -> bool {
        false
    }
}
