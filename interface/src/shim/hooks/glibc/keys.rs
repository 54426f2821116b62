//! The pthread keys of this library.
//!
//! Of a key with a destructor the C library would call that on each thread that ends with a value,
//! whether the library is still there or not. So keys are created without, and the destructors are
//! kept in here. A thread that sets its first value leaves word with the host, which has it come
//! back for its values when it ends, or when the library is closed: after the thread-locals, as in
//! the C library, since the destructor of std's own key takes away what `thread::current` answers.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::super::Destructor;
use super::{BEFORE, host, libc_function};

/// glibc's PTHREAD_KEYS_MAX, of which all keys of a process are smaller.
const KEYS: usize = 1024;

/// glibc's PTHREAD_DESTRUCTOR_ITERATIONS: how often a thread comes back for values that destructors
/// have set.
const ROUNDS: u8 = 4;

/// No key of this library.
const FREE: usize = 0;

/// A key of this library without a destructor. No function has this address.
const PLAIN: usize = 1;

/// By key: [`FREE`], [`PLAIN`], or the address of the destructor.
static CREATED: [AtomicUsize; KEYS] = [const { AtomicUsize::new(FREE) }; KEYS];

thread_local! {
    // Without destructors, and reachable at any time in the life of a thread.
    /// Whether the host has word that this thread has values.
    static ASKED: Cell<bool> = const { Cell::new(false) };
    /// How often the thread came back for its values.
    static CAME_BACK: Cell<u8> = const { Cell::new(0) };
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
    // SAFETY: passed on to the caller.
    let answer = unsafe { real(key, None) };
    if answer != 0 {
        return answer;
    }
    // SAFETY: the function succeeded, so it has written the key.
    let created = unsafe { *key };
    let Some(slot) = slot(created) else {
        // A key that nobody would delete is one that the next generations lack.
        // SAFETY: the key was just created and nobody knows it.
        unsafe { delete(created) };
        return libc::EAGAIN;
    };
    let destructor = destructor.map_or(PLAIN, |destructor| destructor as usize);
    slot.store(destructor, Ordering::Relaxed);
    0
}

/// Stands in for `pthread_key_delete`.
///
/// # Safety
///
/// As for that function.
pub unsafe extern "C" fn key_delete(key: libc::pthread_key_t) -> c_int {
    // First: as soon as the key is deleted, another thread may get it.
    if let Some(slot) = slot(key) {
        slot.store(FREE, Ordering::Relaxed);
    }
    // SAFETY: passed on to the caller.
    unsafe { delete(key) }
}

/// Stands in for `pthread_setspecific`.
///
/// It allocates nothing from the library's allocator, which may be the one that calls it.
///
/// # Safety
///
/// As for that function.
pub unsafe extern "C" fn key_set(key: libc::pthread_key_t, value: *const c_void) -> c_int {
    // SAFETY: passed on to the caller.
    let answer = unsafe { set(key, value) };
    if answer == 0 && !value.is_null() && !ASKED.get() {
        ask_to_come_back(key);
    }
    answer
}

/// Has the host call [`end_values`] on this thread, for the first value of a key with a destructor.
#[cold]
fn ask_to_come_back(key: libc::pthread_key_t) {
    if destructor(key).is_none() || CAME_BACK.get() >= ROUNDS {
        return;
    }
    if let Some(host) = host() {
        // First: what the host does may come back here.
        ASKED.set(true);
        ASKED.set(host.at_end(end_values));
    }
}

/// Runs the destructors of the values that this thread has. One that sets a value in turn has it come
/// back once more, after the thread-locals that are new.
unsafe extern "C" fn end_values(_: *mut c_void) {
    CAME_BACK.set(CAME_BACK.get() + 1);
    ASKED.set(false);
    for key in 0..KEYS as libc::pthread_key_t {
        let Some(destructor) = destructor(key) else {
            continue;
        };
        // SAFETY: the key is the library's; of one that is deleted meanwhile the value is null.
        let value = unsafe { libc::pthread_getspecific(key) };
        if value.is_null() {
            continue;
        }
        // SAFETY: the destructor was given with the key, for values that are not null; the key has
        // the value no more when it runs.
        unsafe {
            set(key, std::ptr::null());
            destructor(value);
        }
    }
}

/// See [`has_ended_values`](super::super::has_ended_values).
pub(in crate::shim::hooks) fn has_ended_values() -> bool {
    CAME_BACK.get() > 0
}

/// Deletes all keys, when nothing of the library runs any more; answers how many.
pub(super) fn delete_all() -> u32 {
    let mut deleted = 0;
    for (key, slot) in CREATED.iter().enumerate() {
        if slot.swap(FREE, Ordering::Relaxed) != FREE {
            // SAFETY: the library created the key and has not deleted it; nothing of it runs.
            unsafe { delete(key as libc::pthread_key_t) };
            deleted += 1;
        }
    }
    deleted
}

fn slot(key: libc::pthread_key_t) -> Option<&'static AtomicUsize> {
    CREATED.get(usize::try_from(key).ok()?)
}

/// The destructor of a key of this library, if it has one.
fn destructor(key: libc::pthread_key_t) -> Option<Destructor> {
    match slot(key)?.load(Ordering::Relaxed) {
        FREE | PLAIN => None,
        // SAFETY: anything else in the table is the address of a destructor.
        address => Some(unsafe { std::mem::transmute::<usize, Destructor>(address) }),
    }
}

/// The C library's `pthread_setspecific`.
unsafe fn set(key: libc::pthread_key_t, value: *const c_void) -> c_int {
    type Real = unsafe extern "C" fn(libc::pthread_key_t, *const c_void) -> c_int;
    static REAL: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
    let mut real = REAL.load(Ordering::Relaxed);
    if real.is_null() {
        real = libc_function(c"pthread_setspecific");
        if real.is_null() {
            return libc::EINVAL;
        }
        REAL.store(real, Ordering::Relaxed);
    }
    // SAFETY: the C library's function of this name has this type; the rest is passed on to the
    // caller.
    unsafe { std::mem::transmute::<*mut c_void, Real>(real)(key, value) }
}

/// The C library's `pthread_key_delete`.
unsafe fn delete(key: libc::pthread_key_t) -> c_int {
    type Real = unsafe extern "C" fn(libc::pthread_key_t) -> c_int;
    match libc_function!(c"pthread_key_delete" as Real) {
        // SAFETY: passed on to the caller.
        Some(real) => unsafe { real(key) },
        None => libc::EINVAL,
    }
}
