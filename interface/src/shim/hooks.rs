//! The thread hooks: what makes it sound to unload a plugin's library.
//!
//! Every cdylib has its own copy of std, which leaves pointers into the library with the C
//! library: destructors of thread-locals, destructors of pthread keys, start functions of threads.
//! `export_plugin!` therefore defines [four hidden symbols](crate::__thread_hooks) to which the
//! plugin's std and C code bind at link time, and which the rest of the process does not see. They
//! lead here. Once a host has [installed](PluginThreads::install) its own functions,
//!
//! - destructors of thread-locals are kept in a list of the host's,
//! - pthread keys are created without a destructor, and are remembered so that they can be deleted,
//! - threads start through a function of the host's, which holds a lease for as long as they run.
//!
//! Without a host (under `cargo test`, or linked into a binary) they do what the C library does.

use std::ffi::{CStr, c_int, c_void};
use std::fmt;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

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
    /// of the library runs any more.
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
pub const EXPORTED: Option<&'static PluginThreads> = if cfg!(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(keyway_no_thread_hooks)
)) {
    Some(&PluginThreads {
        size: size_of::<PluginThreads>(),
        install,
        delete_keys,
        before_install,
    })
} else {
    None
};

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
    table!(HostThreads: size, at_exit, create)
        + &table!(PluginThreads: size, install, delete_keys, before_install)
}

static HOST: AtomicPtr<HostThreads> = AtomicPtr::new(std::ptr::null_mut());
static BEFORE: AtomicU32 = AtomicU32::new(0);
static CONTEXT: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn install(host: *const HostThreads, context: usize) {
    CONTEXT.store(context, Ordering::Relaxed);
    // Release: whoever sees the host sees the context.
    HOST.store(host.cast_mut(), Ordering::Release);
}

unsafe extern "C" fn before_install() -> u32 {
    BEFORE.load(Ordering::Relaxed)
}

fn host() -> Option<(&'static HostThreads, usize)> {
    // SAFETY: `install` got a table that lives as long as the process.
    let host = unsafe { HOST.load(Ordering::Acquire).as_ref() }?;
    Some((host, CONTEXT.load(Ordering::Relaxed)))
}

/// A function of the C library, past the hidden symbol of the same name.
fn libc_function(name: &CStr) -> *mut c_void {
    // SAFETY: the name is terminated. The hidden symbols are in no dynamic symbol table, so what
    // is found is the C library's.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

macro_rules! libc_function {
    ($name:literal as $type:ty) => {
        match libc_function($name) {
            function if function.is_null() => None,
            // SAFETY: the C library's function of this name has this type.
            function => Some(unsafe { std::mem::transmute::<*mut c_void, $type>(function) }),
        }
    };
}

/// Stands in for `__cxa_thread_atexit_impl`.
///
/// # Safety
///
/// As for that function.
pub unsafe extern "C" fn thread_atexit(
    destructor: Destructor,
    object: *mut c_void,
    library: *mut c_void,
) -> c_int {
    type Real = unsafe extern "C" fn(Destructor, *mut c_void, *mut c_void) -> c_int;
    if let Some((host, context)) = host() {
        // SAFETY: passed on to the caller; the host runs the destructor once, on this thread or
        // when nothing else is inside the library.
        return unsafe { (host.at_exit)(context, destructor, object) };
    }
    BEFORE.fetch_add(1, Ordering::Relaxed);
    match libc_function!(c"__cxa_thread_atexit_impl" as Real) {
        // SAFETY: passed on to the caller.
        Some(real) => unsafe { real(destructor, object, library) },
        None => 0,
    }
}

/// Stands in for `pthread_create`.
///
/// # Safety
///
/// As for that function.
pub unsafe extern "C" fn thread_create(
    thread: *mut c_void,
    attributes: *const c_void,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    type Real = unsafe extern "C" fn(*mut c_void, *const c_void, Start, *mut c_void) -> c_int;
    if let Some((host, context)) = host() {
        // SAFETY: passed on to the caller.
        return unsafe { (host.create)(context, thread, attributes, start, argument) };
    }
    BEFORE.fetch_add(1, Ordering::Relaxed);
    match libc_function!(c"pthread_create" as Real) {
        // SAFETY: passed on to the caller.
        Some(real) => unsafe { real(thread, attributes, start, argument) },
        None => libc::EAGAIN,
    }
}

/// How many keys a plugin can have; glibc has 1,024 for the whole process.
const KEYS: usize = 256;

/// No key: glibc's keys are below 1,024.
const FREE: u32 = u32::MAX;

static CREATED: [AtomicU32; KEYS] = [const { AtomicU32::new(FREE) }; KEYS];

/// Stands in for `pthread_key_create`.
///
/// # Safety
///
/// As for that function.
pub unsafe extern "C" fn key_create(
    key: *mut libc::pthread_key_t,
    destructor: Option<Destructor>,
) -> c_int {
    type Real = unsafe extern "C" fn(*mut libc::pthread_key_t, Option<Destructor>) -> c_int;
    let Some(real) = libc_function!(c"pthread_key_create" as Real) else {
        return libc::EAGAIN;
    };
    if host().is_none() {
        BEFORE.fetch_add(1, Ordering::Relaxed);
        // SAFETY: passed on to the caller.
        return unsafe { real(key, destructor) };
    }
    // Without a destructor nothing of the library can run from a thread that ends after it is gone.
    // SAFETY: passed on to the caller.
    let answer = unsafe { real(key, None) };
    if answer != 0 {
        return answer;
    }
    // SAFETY: the function succeeded, so it has written the key.
    let created = unsafe { *key };
    let remembered = CREATED.iter().any(|slot| {
        slot.compare_exchange(FREE, created, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    });
    if remembered {
        return 0;
    }
    // A key that nobody would delete is one that the next generations lack.
    // SAFETY: the key was just created and nobody knows it.
    unsafe { delete(created) };
    libc::EAGAIN
}

/// Stands in for `pthread_key_delete`.
///
/// # Safety
///
/// As for that function.
pub unsafe extern "C" fn key_delete(key: libc::pthread_key_t) -> c_int {
    for slot in &CREATED {
        if slot
            .compare_exchange(key, FREE, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
        {
            break;
        }
    }
    // SAFETY: passed on to the caller.
    unsafe { delete(key) }
}

unsafe fn delete(key: libc::pthread_key_t) -> c_int {
    type Real = unsafe extern "C" fn(libc::pthread_key_t) -> c_int;
    match libc_function!(c"pthread_key_delete" as Real) {
        // SAFETY: passed on to the caller.
        Some(real) => unsafe { real(key) },
        None => libc::EINVAL,
    }
}

unsafe extern "C" fn delete_keys() -> u32 {
    let mut deleted = 0;
    for slot in &CREATED {
        let key = slot.swap(FREE, Ordering::Relaxed);
        if key != FREE {
            // SAFETY: the library created the key and has not deleted it; nothing of it runs.
            unsafe { delete(key) };
            deleted += 1;
        }
    }
    deleted
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
            ".popsection",
            at_exit = sym $crate::shim::hooks::thread_atexit,
            create = sym $crate::shim::hooks::thread_create,
            key_create = sym $crate::shim::hooks::key_create,
            key_delete = sym $crate::shim::hooks::key_delete,
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
