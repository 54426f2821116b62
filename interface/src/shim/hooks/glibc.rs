//! The functions behind the hidden symbols, for glibc.

use std::ffi::{CStr, c_int, c_void};
use std::mem::offset_of;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use super::{Destructor, HostThreads, PluginThreads, Start};

macro_rules! libc_function {
    ($name:literal as $type:ty) => {
        match libc_function($name) {
            function if function.is_null() => None,
            // SAFETY: the C library's function of this name has this type.
            function => Some(unsafe { std::mem::transmute::<*mut c_void, $type>(function) }),
        }
    };
}

mod keys;

pub(super) use keys::has_ended_values;
pub use keys::{key_create, key_delete, key_set};

/// What the descriptor offers.
pub(super) static TABLE: PluginThreads = PluginThreads {
    size: size_of::<PluginThreads>(),
    install,
    delete_keys,
    before_install,
};

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

/// The host that this library was handed to.
#[derive(Clone, Copy)]
struct Host {
    /// As long as its `size` says, which may be less than this library knows of. Valid for as long
    /// as the process.
    table: *const HostThreads,
    context: usize,
}

fn host() -> Option<Host> {
    let table = HOST.load(Ordering::Acquire).cast_const();
    let context = CONTEXT.load(Ordering::Relaxed);
    (!table.is_null()).then_some(Host { table, context })
}

impl Host {
    /// See [`HostThreads::at_end`]. Answers whether the host will do it: one that is older than this
    /// function does not.
    fn at_end(self, destructor: Destructor) -> bool {
        // SAFETY: `install` got a table, and every table starts with its size.
        let size = unsafe { (&raw const (*self.table).size).read() };
        if size < offset_of!(HostThreads, at_end) + size_of::<usize>() {
            return false;
        }
        // SAFETY: the table is long enough to have the function. The destructor is this library's
        // and made for no object.
        unsafe { ((*self.table).at_end)(self.context, destructor, std::ptr::null_mut()) == 0 }
    }
}

/// A function of the C library, past the hidden symbol of the same name.
fn libc_function(name: &CStr) -> *mut c_void {
    // SAFETY: the name is terminated. The hidden symbols are in no dynamic symbol table, so what
    // is found is the C library's.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
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
    if let Some(host) = host() {
        // SAFETY: every table has the function. The rest is passed on to the caller; the host runs the
        // destructor once, on this thread or when nothing else is inside the library.
        return unsafe { ((*host.table).at_exit)(host.context, destructor, object) };
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
    if let Some(host) = host() {
        // SAFETY: every table has the function. The rest is passed on to the caller.
        return unsafe {
            ((*host.table).create)(host.context, thread, attributes, start, argument)
        };
    }
    BEFORE.fetch_add(1, Ordering::Relaxed);
    match libc_function!(c"pthread_create" as Real) {
        // SAFETY: passed on to the caller.
        Some(real) => unsafe { real(thread, attributes, start, argument) },
        None => libc::EAGAIN,
    }
}

unsafe extern "C" fn delete_keys() -> u32 {
    // SAFETY: nothing of the library runs, and nothing will, says the host.
    unsafe { super::super::lasting::give_back_all() };
    keys::delete_all()
}
