//! What plugins have left on each thread.
//!
//! A thread gets a list when a plugin puts the first thread-local with a destructor on it. The list
//! outlives what is in it: a thread that ends waits until the reaper has given back what it took,
//! since thread-locals end with their thread.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use keyway::shim::hooks::Destructor;
use keyway::slot::{Flag, set_errand};

use super::{Occasion, Pointer, Record, lock, record, this_thread};
use crate::thread_name::thread_name;

static LISTS: Mutex<Vec<Arc<List>>> = Mutex::new(Vec::new());

/// What plugins have left on one thread.
struct List {
    /// The kernel's id of the thread.
    thread: u64,
    /// Asks the thread to come by; none for a thread that would not.
    flag: Option<Flag>,
    entries: Mutex<Entries>,
    returned: Condvar,
}

#[derive(Default)]
struct Entries {
    /// In the order in which they were left.
    here: Vec<Entry>,
    /// How many the reaper has taken out and is not done with.
    lent: usize,
}

/// A thread-local that waits for its destructor, or a thread's key values that wait for theirs.
pub(super) struct Entry {
    record: Arc<Record>,
    destructor: Destructor,
    object: Pointer,
    /// Whether it runs after all others of its generation, and on its own thread only.
    last: bool,
}

/// What became of the entries that the reaper took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::library) struct Taken {
    pub(in crate::library) done: usize,
    /// Those that only their own threads could have run.
    pub(in crate::library) lost: usize,
}

impl Entry {
    /// # Safety
    ///
    /// The library is open and stays so. This is the thread of the entry; or that thread does not
    /// end, and nothing of the library runs anywhere.
    pub(super) unsafe fn run(self) {
        // SAFETY: the destructor was left for this object, and an entry runs once.
        unsafe { (self.destructor)(self.object.0) };
    }

    /// Lets the object be.
    pub(super) fn forget(self) {}

    /// Whether others of its generation come before one that is run last.
    fn is_preceded(&self, here: &[Entry]) -> bool {
        here.iter()
            .any(|other| !other.last && Arc::ptr_eq(&other.record, &self.record))
    }
}

thread_local! {
    /// Reachable at any time in the life of a thread, hence without a destructor.
    static LIST: Cell<*const List> = const { Cell::new(std::ptr::null()) };
    static OF_HOST: Cell<bool> = const { Cell::new(false) };
    static END: End = const { End };
}

/// Says that the calling thread is one of the host's own. It does not call by way of slots, so
/// nobody waits for it to come by.
pub(crate) fn host_thread() {
    OF_HOST.set(true);
}

/// Runs the list of its thread when that ends.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        let Some(list) = own() else {
            return;
        };
        list.run(Occasion::End);
        // What is left belongs to the reaper. Nothing is added any more, so one wait is enough.
        let entries = lock(&list.entries);
        let busy = |entries: &mut Entries| entries.lent > 0 || !entries.here.is_empty();
        let waited = list.returned.wait_while(entries, busy);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        let list = LIST.replace(std::ptr::null());
        lock(&LISTS).retain(|other| !std::ptr::eq(Arc::as_ptr(other), list));
    }
}

/// The list of the calling thread.
fn own<'a>() -> Option<&'a List> {
    // SAFETY: the list is in `LISTS` for as long as the pointer is here, which is until the thread
    // ends; no caller keeps the reference longer than its own call.
    unsafe { LIST.get().as_ref() }
}

/// Runs what plugins have left on this thread, last first, also what is added meanwhile.
pub(super) fn run_all() {
    if let Some(list) = own() {
        list.run(Occasion::End);
    }
}

/// The errand of flagged threads.
fn run_closing() {
    if let Some(list) = own() {
        list.run(Occasion::Errand);
    }
}

impl List {
    /// Runs entries on their own thread, last first, also what is added meanwhile.
    fn run(&self, occasion: Occasion) {
        loop {
            let entry = {
                let mut entries = lock(&self.entries);
                let here = &entries.here;
                let is_due = |entry: &Entry| !entry.last || !entry.is_preceded(here);
                let may = |entry: &Entry| is_due(entry) && entry.record.start(occasion);
                let Some(next) = here.iter().rposition(may) else {
                    return;
                };
                // The order of the others stays.
                entries.here.remove(next)
            };
            let record = Arc::clone(&entry.record);
            // SAFETY: this is the list of the calling thread, and the record said that the entry may
            // run: the library is not closed while an entry has not ended.
            unsafe { entry.run() };
            record.ended();
        }
    }

    fn has(&self, context: usize) -> bool {
        self.has_such(context, |_| true)
    }

    /// Whether it has entries that are not run last.
    fn has_in_turn(&self, context: usize) -> bool {
        self.has_such(context, |entry| !entry.last)
    }

    fn has_such(&self, context: usize, such: impl Fn(&Entry) -> bool) -> bool {
        let entries = lock(&self.entries);
        let mut here = entries.here.iter();
        here.any(|entry| entry.record.context == context && such(entry))
    }
}

fn with_something_of(context: usize) -> Vec<Arc<List>> {
    let lists = lock(&LISTS);
    let having = lists.iter().filter(|list| list.has(context));
    having.cloned().collect()
}

/// Asks all threads that have something of a generation to come by.
pub(super) fn flag(context: usize) {
    for list in with_something_of(context) {
        if let Some(flag) = list.flag {
            flag.raise();
        }
    }
}

/// Whether a thread that has something of a generation was asked to come by.
pub(super) fn is_awaited(context: usize) -> bool {
    let lists = with_something_of(context);
    lists.iter().any(|list| list.flag.is_some())
}

/// The names of the threads that have something of a generation.
pub(super) fn holders(context: usize) -> Vec<String> {
    let lists = with_something_of(context);
    lists.iter().map(|list| thread_name(list.thread)).collect()
}

/// Takes all entries of a generation, thread by thread, last first, and does `each` with them, until
/// there are none. Their threads cannot end meanwhile.
///
/// Those that run last on their own thread only are lost, unless the calling thread is theirs: the
/// values of a key are out of reach, and the destructor of std's key would take from the calling
/// thread what it was to take from another.
pub(super) fn take_all(context: usize, each: impl Fn(Entry)) -> Taken {
    let mut taken = Taken::default();
    loop {
        // A destructor may touch a thread-local that is new on the calling thread.
        let lists = with_something_of(context);
        if lists.is_empty() {
            return taken;
        }
        let last = !lists.iter().any(|list| list.has_in_turn(context));
        for list in lists {
            let entries: Vec<Entry> = {
                let mut entries = lock(&list.entries);
                let ours =
                    |entry: &mut Entry| entry.record.context == context && entry.last == last;
                let ours: Vec<Entry> = entries.here.extract_if(.., ours).collect();
                entries.lent += ours.len();
                ours
            };
            let is_own = std::ptr::eq(Arc::as_ptr(&list), LIST.get());
            for entry in entries.into_iter().rev() {
                let record = Arc::clone(&entry.record);
                if last && !is_own {
                    entry.forget();
                    taken.lost += 1;
                } else {
                    each(entry);
                    taken.done += 1;
                }
                record.is_done();
                lock(&list.entries).lent -= 1;
            }
            list.returned.notify_all();
        }
    }
}

/// See [`HostThreads::at_exit`](keyway::shim::hooks::HostThreads::at_exit).
#[cfg_attr(
    not(any(target_os = "linux", test)),
    expect(dead_code, reason = "no plugin of this platform has hooks")
)]
pub(in crate::library) unsafe extern "C" fn at_thread_exit(
    context: usize,
    destructor: Destructor,
    object: *mut c_void,
) -> c_int {
    leave(context, destructor, object, false)
}

/// See [`HostThreads::at_end`](keyway::shim::hooks::HostThreads::at_end).
#[cfg_attr(
    not(any(target_os = "linux", test)),
    expect(dead_code, reason = "no plugin of this platform has hooks")
)]
pub(in crate::library) unsafe extern "C" fn at_thread_end(
    context: usize,
    destructor: Destructor,
    object: *mut c_void,
) -> c_int {
    leave(context, destructor, object, true)
}

fn leave(context: usize, destructor: Destructor, object: *mut c_void, last: bool) -> c_int {
    // Unknown is a library that is being unmapped: whoever could run the destructor is too late.
    let Some(record) = record(context) else {
        return 0;
    };
    let list = match own() {
        Some(list) => list,
        None => match new_list() {
            Some(list) => list,
            // A thread that is past the end of its list runs no more destructors: std does likewise.
            None => return 0,
        },
    };
    record.add();
    lock(&list.entries).here.push(Entry {
        record,
        destructor,
        object: Pointer(object),
        last,
    });
    0
}

/// The first list of the calling thread; none where it has had its last.
fn new_list<'a>() -> Option<&'a List> {
    END.try_with(|_| ()).ok()?;
    set_errand(run_closing);
    let new = Arc::new(List {
        thread: this_thread(),
        flag: if OF_HOST.get() {
            None
        } else {
            Flag::of_this_thread()
        },
        entries: Mutex::default(),
        returned: Condvar::new(),
    });
    LIST.set(Arc::as_ptr(&new));
    lock(&LISTS).push(new);
    own()
}
