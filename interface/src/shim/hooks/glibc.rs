//! The functions behind the hidden symbols, for glibc.

use std::cell::Cell;
use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use super::{Destructor, HostThreads, PluginThreads, Start};

/// What the descriptor offers.
pub(super) static TABLE: PluginThreads = PluginThreads {
    size: size_of::<PluginThreads>(),
    install,
    delete_keys,
    before_install,
    release,
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

unsafe extern "C" fn release() {
    #[cfg(feature = "tokio")]
    {
        // SAFETY: nothing of the library runs, says the caller, hence nobody uses the handle.
        let release = || unsafe { crate::runtime::HANDLE.release() };
        // No panic crosses, and nobody is there to be told of one.
        let _ = std::panic::catch_unwind(release).map_err(std::mem::forget);
    }
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

/// The destructors of the keys in `CREATED`; null for a key that has none.
static DESTRUCTORS: [AtomicPtr<c_void>; KEYS] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; KEYS];

thread_local! {
    /// The places in `CREATED` whose keys this thread has set, as bits.
    static SET: Cell<[u64; KEYS / 64]> = const { Cell::new([0; KEYS / 64]) };
}

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
    let remembered = CREATED.iter().position(|slot| {
        slot.compare_exchange(FREE, created, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    });
    if let Some(place) = remembered {
        let destructor = destructor.map_or(std::ptr::null_mut(), |run| run as *mut c_void);
        DESTRUCTORS[place].store(destructor, Ordering::Relaxed);
        return 0;
    }
    // A key that nobody would delete is one that the next generations lack.
    // SAFETY: the key was just created and nobody knows it.
    unsafe { delete(created) };
    libc::EAGAIN
}

/// Stands in for `pthread_setspecific`.
///
/// # Safety
///
/// As for that function.
pub unsafe extern "C" fn set_specific(key: libc::pthread_key_t, value: *const c_void) -> c_int {
    if !value.is_null() {
        leave_to_destructor(key);
    }
    // SAFETY: passed on to the caller.
    unsafe { set(key, value) }
}

unsafe fn set(key: libc::pthread_key_t, value: *const c_void) -> c_int {
    type Real = unsafe extern "C" fn(libc::pthread_key_t, *const c_void) -> c_int;
    match libc_function!(c"pthread_setspecific" as Real) {
        // SAFETY: passed on to the caller.
        Some(real) => unsafe { real(key, value) },
        None => libc::ENOMEM,
    }
}

/// Has the destructor of a key run at the end of this thread, if it has one.
fn leave_to_destructor(key: libc::pthread_key_t) {
    let Some((host, context)) = host() else {
        return;
    };
    let is_key = |created: &AtomicU32| created.load(Ordering::Relaxed) == key;
    let Some(place) = CREATED.iter().position(is_key) else {
        return;
    };
    let (word, bit) = (place / 64, 1 << (place % 64));
    let mut left = SET.get();
    if DESTRUCTORS[place].load(Ordering::Relaxed).is_null() || left[word] & bit != 0 {
        return;
    }
    left[word] |= bit;
    SET.set(left);
    // The place and not the value, which may be another one by then.
    let place = std::ptr::without_provenance_mut(place + 1);
    // SAFETY: the host runs it once, on this thread or when nothing else is inside the library.
    unsafe { (host.at_exit_last)(context, destroy_value, place) };
}

/// Destroys the calling thread's value of a key.
///
/// On the thread of a host that does this for an idle thread there is no such value, and the one of
/// the idle thread stays: what such destructors do is about their own thread. That of std ends what
/// std knows of the thread.
unsafe extern "C" fn destroy_value(place: *mut c_void) {
    /// As in POSIX: a destructor may set its key again.
    const ROUNDS: usize = 4;
    let place = place.addr() - 1;
    let destructor = DESTRUCTORS[place].load(Ordering::Relaxed);
    // SAFETY: what is there is a destructor, or null.
    let destructor = unsafe { std::mem::transmute::<*mut c_void, Option<Destructor>>(destructor) };
    let key = CREATED[place].load(Ordering::Relaxed);
    let Some(destructor) = destructor.filter(|_| key != FREE) else {
        return;
    };
    for _ in 0..ROUNDS {
        // SAFETY: the key is the library's.
        let value = unsafe { libc::pthread_getspecific(key) };
        if value.is_null() {
            break;
        }
        // SAFETY: as above; the destructor was given for the values of this key.
        unsafe {
            set(key, std::ptr::null());
            destructor(value);
        }
    }
    let mut left = SET.get();
    left[place / 64] &= !(1 << (place % 64));
    SET.set(left);
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
