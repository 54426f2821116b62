//! The thread hooks: what makes it sound to unload a plugin's library.
//!
//! Every cdylib has its own copy of std, which leaves pointers into the library with the C
//! library: destructors of thread-locals, destructors of pthread keys, start functions of threads.
//! `export_plugin!` therefore defines [five hidden symbols](crate::__thread_hooks) to which the
//! plugin's std and C code bind at link time, and which the rest of the process does not see. They
//! lead here. Once a host has [installed](PluginThreads::install) its own functions,
//!
//! - destructors of thread-locals are kept in a list of the host's,
//! - pthread keys are created without a destructor, and are remembered with it: it runs on the thread
//!   of a value when the host has that thread come back, and the keys are deleted in the end,
//! - threads start through a function of the host's, which holds a lease for as long as they run.
//!
//! Without a host (under `cargo test`, or linked into a binary) they do what the C library does.

use std::ffi::{c_int, c_void};
use std::fmt;

#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(keyway_no_thread_hooks)
))]
mod glibc;

/// Destroys the thread-local that it is called with.
pub type Destructor = unsafe extern "C" fn(object: *mut c_void);

/// The start function of a thread.
pub type Start = unsafe extern "C" fn(argument: *mut c_void) -> *mut c_void;

/// The host's functions. Append only; `size` tells how many there are.
#[repr(C)]
pub struct HostThreads {
    /// Bytes of this table.
    pub size: usize,
    /// Keeps a destructor of the calling thread for the generation `context`. Answers 0.
    pub at_exit:
        unsafe extern "C" fn(context: usize, destructor: Destructor, object: *mut c_void) -> c_int,
    /// Starts a thread for the generation `context`, as `pthread_create` does.
    pub create: unsafe extern "C" fn(
        context: usize,
        thread: *mut c_void,
        attributes: *const c_void,
        start: Start,
        argument: *mut c_void,
    ) -> c_int,
    /// Keeps a destructor of the calling thread for the generation `context`, as `at_exit` does, but
    /// runs it when no other of the generation is left on this thread, and on no thread but this:
    /// for a thread that does not come by in time it does not run. Answers 0.
    pub at_end:
        unsafe extern "C" fn(context: usize, destructor: Destructor, object: *mut c_void) -> c_int,
}

/// The plugin's functions, for its host. Append only; `size` tells how many there are.
#[repr(C)]
pub struct PluginThreads {
    /// Bytes of this table.
    pub size: usize,
    /// Hands thread-locals, keys and threads of this library to a host, which knows them by
    /// `context`. Called once, before the entry function. The table lives as long as the process.
    pub install: unsafe extern "C" fn(host: *const HostThreads, context: usize),
    /// Deletes all keys that the library has created; answers how many. Called once, when nothing
    /// of the library runs any more, so it also drops what the library has kept until then.
    pub delete_keys: unsafe extern "C" fn() -> u32,
    /// How many thread-locals with destructors, keys and threads came into being before `install`,
    /// by constructors of the library. Nobody can say when these are gone.
    pub before_install: unsafe extern "C" fn() -> u32,
}

impl fmt::Debug for HostThreads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostThreads")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PluginThreads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginThreads")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// What the descriptor offers: none where the symbols are not defined.
#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(keyway_no_thread_hooks)
))]
pub const EXPORTED: Option<&'static PluginThreads> = Some(&glibc::TABLE);
/// What the descriptor offers: none where the symbols are not defined.
#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(keyway_no_thread_hooks)
)))]
pub const EXPORTED: Option<&'static PluginThreads> = None;

#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(keyway_no_thread_hooks)
))]
pub use glibc::{key_create, key_delete, key_set, thread_atexit, thread_create};

/// Whether values of this library's keys were destroyed on the calling thread, std's own perhaps among
/// them: after that `std::thread::current` may panic.
pub(crate) fn has_ended_values() -> bool {
    #[cfg(all(
        target_os = "linux",
        target_env = "gnu",
        any(target_arch = "x86_64", target_arch = "aarch64"),
        not(keyway_no_thread_hooks)
    ))]
    return glibc::has_ended_values();
    #[cfg(not(all(
        target_os = "linux",
        target_env = "gnu",
        any(target_arch = "x86_64", target_arch = "aarch64"),
        not(keyway_no_thread_hooks)
    )))]
    false
}

/// Both tables with the offsets of their functions, for the golden file that guards them.
pub fn describe() -> String {
    macro_rules! table {
        ($table:ident: $($field:ident),*) => {{
            let mut text = format!("{}: size {}\n", stringify!($table), size_of::<$table>());
            $(text.push_str(&format!(
                "  {} {}\n", std::mem::offset_of!($table, $field), stringify!($field)
            ));)*
            text
        }};
    }
    table!(HostThreads: size, at_exit, create, at_end)
        + &table!(PluginThreads: size, install, delete_keys, before_install)
}

/// Defines the hidden symbols, inside the crate of a plugin.
///
/// They are weak, since several plugins may be linked into one binary, and hidden, since no other
/// library of the process may bind to them.
#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(keyway_no_thread_hooks)
))]
#[doc(hidden)]
#[macro_export]
macro_rules! __thread_hooks {
    () => {
        #[cfg(target_arch = "x86_64")]
        $crate::__thread_hooks!("jmp");
        #[cfg(target_arch = "aarch64")]
        $crate::__thread_hooks!("b");
    };
    ($jump:literal) => {
        ::core::arch::global_asm!(
            ".pushsection .text.keyway_hooks,\"ax\",@progbits",
            ".weak __cxa_thread_atexit_impl",
            ".hidden __cxa_thread_atexit_impl",
            ".type __cxa_thread_atexit_impl,@function",
            ::core::concat!("__cxa_thread_atexit_impl: ", $jump, " {at_exit}"),
            ".weak pthread_create",
            ".hidden pthread_create",
            ".type pthread_create,@function",
            ::core::concat!("pthread_create: ", $jump, " {create}"),
            ".weak pthread_key_create",
            ".hidden pthread_key_create",
            ".type pthread_key_create,@function",
            ::core::concat!("pthread_key_create: ", $jump, " {key_create}"),
            ".weak pthread_key_delete",
            ".hidden pthread_key_delete",
            ".type pthread_key_delete,@function",
            ::core::concat!("pthread_key_delete: ", $jump, " {key_delete}"),
            ".weak pthread_setspecific",
            ".hidden pthread_setspecific",
            ".type pthread_setspecific,@function",
            ::core::concat!("pthread_setspecific: ", $jump, " {key_set}"),
            ".popsection",
            at_exit = sym $crate::shim::hooks::thread_atexit,
            create = sym $crate::shim::hooks::thread_create,
            key_create = sym $crate::shim::hooks::key_create,
            key_delete = sym $crate::shim::hooks::key_delete,
            key_set = sym $crate::shim::hooks::key_set,
        );
    };
}

/// Where the symbols are not defined, a host keeps the library in memory.
#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(keyway_no_thread_hooks)
)))]
#[doc(hidden)]
#[macro_export]
macro_rules! __thread_hooks {
    () => {};
}
