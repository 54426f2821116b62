//! The host's side of the thread hooks: what plugins have left on which thread.
//!
//! Each thread that a plugin has put a thread-local with a destructor on has a list. It is run when
//! the thread ends, or emptied of one generation's entries when that generation is closed. A record
//! per generation says whether its library is still there; whoever runs a destructor holds the
//! record open meanwhile, and whoever closes the library waits for that.
#![expect(
    unsafe_code,
    reason = "runs destructors and start functions of plugins"
)]

use std::any::Any;
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};

use keyway::shim::hooks::{Destructor, HostThreads, Start};

/// Keeps a generation, hence its library.
pub(crate) type Lease = Arc<dyn Any + Send + Sync>;

/// What the process knows of one generation, by the number that its library was given.
pub(crate) struct Record {
    context: usize,
    /// True until the library is closed.
    open: RwLock<bool>,
    generation: OnceLock<Weak<dyn Any + Send + Sync>>,
    /// The kernel's ids of the plugin's own threads.
    threads: Mutex<Vec<i64>>,
}

static RECORDS: Mutex<Option<HashMap<usize, Arc<Record>>>> = Mutex::new(None);
/// Held while destructors of other threads run: a thread that ends waits for it, since its
/// thread-locals end with it.
static CLOSING: Mutex<()> = Mutex::new(());
static LISTS: Mutex<Vec<Arc<List>>> = Mutex::new(Vec::new());

/// The table for [`PluginThreads::install`](keyway::shim::hooks::PluginThreads::install).
#[cfg(target_os = "linux")]
pub(super) fn table() -> *const HostThreads {
    static HOST: HostThreads = HostThreads {
        size: size_of::<HostThreads>(),
        at_exit: at_thread_exit,
        create: create_thread,
    };
    &raw const HOST
}

/// No plugin of this platform has hooks to give the table to.
#[cfg(not(target_os = "linux"))]
pub(super) fn table() -> *const HostThreads {
    std::ptr::null()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code of others runs under these locks, but for CLOSING, which guards no data.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn record(context: usize) -> Option<Arc<Record>> {
    lock(&RECORDS).as_ref()?.get(&context).cloned()
}

impl Record {
    /// A record of a library that was just opened.
    pub(super) fn new() -> Arc<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let context = NEXT.fetch_add(1, Ordering::Relaxed);
        let record = Arc::new(Record {
            context,
            open: RwLock::new(true),
            generation: OnceLock::new(),
            threads: Mutex::default(),
        });
        lock(&RECORDS)
            .get_or_insert_default()
            .insert(context, Arc::clone(&record));
        record
    }

    pub(super) fn context(&self) -> usize {
        self.context
    }

    /// Says whom the plugin's threads hold. Until then it can start none.
    pub(super) fn set_generation(&self, generation: Weak<dyn Any + Send + Sync>) {
        let _ = self.generation.set(generation);
    }

    /// The names of the plugin's threads that run.
    pub(crate) fn thread_names(&self) -> Vec<String> {
        let ids = lock(&self.threads).clone();
        let name = |id: i64| {
            let comm = std::fs::read_to_string(format!("/proc/self/task/{id}/comm"));
            comm.map_or_else(
                |_| format!("thread {id}"),
                |name| name.trim_end().to_owned(),
            )
        };
        ids.into_iter().map(name).collect()
    }

    /// Waits until no destructor of the generation runs, runs those that are left on any thread,
    /// then `close`, and forgets the generation. Nothing of the plugin may run any more, and
    /// nothing may enter it.
    ///
    /// The destructors run on the calling thread. For a value that is bound to the thread that made
    /// it that is the wrong one; there is no better one, since the right one may never come back.
    pub(super) fn close(&self, close: impl FnOnce()) -> usize {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let mut run = 0;
        // Before the entries are taken, or their thread could find its list empty and end.
        let closing = lock(&CLOSING);
        loop {
            // A destructor may touch a thread-local that is new on this very thread.
            let left = self.take_entries();
            if left.is_empty() {
                break;
            }
            run += left.len();
            for entry in left {
                // SAFETY: the entry was in a list, so it has not run; the library is open; the
                // thread that it belongs to waits for CLOSING before it ends.
                unsafe { (entry.destructor)(entry.object.0) };
            }
        }
        drop(closing);
        close();
        *open = false;
        drop(open);
        lock(&RECORDS).get_or_insert_default().remove(&self.context);
        run
    }

    /// The entries of this generation, last first, out of all lists.
    fn take_entries(&self) -> Vec<Entry> {
        let mut taken = Vec::new();
        for list in lock(&LISTS).iter() {
            let mut entries = lock(&list.entries);
            taken.extend(entries.extract_if(.., |entry| entry.context == self.context));
        }
        taken.reverse();
        taken
    }
}

struct Pointer(*mut c_void);

// SAFETY: a destructor runs on another thread only when nothing else of its library runs.
unsafe impl Send for Pointer {}

struct Entry {
    context: usize,
    destructor: Destructor,
    object: Pointer,
}

/// What plugins have left on one thread, in the order in which they left it.
#[derive(Default)]
struct List {
    entries: Mutex<Vec<Entry>>,
}

thread_local! {
    /// Reachable at any time in the life of a thread, hence without a destructor.
    static LIST: Cell<*const List> = const { Cell::new(std::ptr::null()) };
    static END: End = const { End };
}

/// Runs the list of its thread when that ends.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        run_all();
        // The list is empty: by this thread, or by a library that is being closed and is not done
        // with what it took. Nothing is added any more, so one look is enough.
        drop(lock(&CLOSING));
        let list = LIST.replace(std::ptr::null());
        lock(&LISTS).retain(|other| !std::ptr::eq(Arc::as_ptr(other), list));
    }
}

/// Runs what plugins have left on this thread, last first, also what is added meanwhile.
fn run_all() {
    // SAFETY: the list is in `LISTS` for as long as the pointer is here.
    let Some(list) = (unsafe { LIST.get().as_ref() }) else {
        return;
    };
    loop {
        let Some(entry) = lock(&list.entries).pop() else {
            return;
        };
        run(entry);
    }
}

fn run(entry: Entry) {
    let Some(record) = record(entry.context) else {
        return;
    };
    let open = record.open.read().unwrap_or_else(PoisonError::into_inner);
    if *open {
        // SAFETY: the entry was taken out of the list of this thread, so it runs once; the library
        // is open, and stays so while the record is held.
        unsafe { (entry.destructor)(entry.object.0) };
    }
}

/// See [`HostThreads::at_exit`].
unsafe extern "C" fn at_thread_exit(
    context: usize,
    destructor: Destructor,
    object: *mut c_void,
) -> c_int {
    let mut list = LIST.get();
    if list.is_null() {
        // A thread that is past the end of its list runs no more destructors: std does likewise.
        if END.try_with(|_| ()).is_err() {
            return 0;
        }
        let new = Arc::new(List::default());
        list = Arc::as_ptr(&new);
        lock(&LISTS).push(new);
        LIST.set(list);
    }
    // SAFETY: the list is in `LISTS` for as long as the pointer is here.
    let list = unsafe { &*list };
    lock(&list.entries).push(Entry {
        context,
        destructor,
        object: Pointer(object),
    });
    0
}

/// A thread of a plugin that is about to start.
struct Job {
    start: Start,
    argument: Pointer,
    record: Arc<Record>,
    lease: Lease,
}

#[cfg(target_os = "linux")]
/// See [`HostThreads::create`].
unsafe extern "C" fn create_thread(
    context: usize,
    thread: *mut c_void,
    attributes: *const c_void,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    let lease = record(context).and_then(|record| {
        let lease = record.generation.get()?.upgrade()?;
        Some((record, lease))
    });
    // A generation that is being closed starts no threads.
    let Some((record, lease)) = lease else {
        return libc::EAGAIN;
    };
    let job = Box::new(Job {
        start,
        argument: Pointer(argument),
        record,
        lease,
    });
    let job = Box::into_raw(job);
    // SAFETY: thread and attributes are the plugin's arguments of pthread_create, passed on.
    let answer =
        unsafe { libc::pthread_create(thread.cast(), attributes.cast(), run_job, job.cast()) };
    if answer != 0 {
        // SAFETY: the thread did not start, so the job still belongs to us.
        drop(unsafe { Box::from_raw(job) });
    }
    answer
}

#[cfg(target_os = "linux")]
extern "C" fn run_job(job: *mut c_void) -> *mut c_void {
    // SAFETY: `create_thread` boxed the job and gave it to this thread.
    let Job {
        start,
        argument,
        record,
        lease,
    } = *unsafe { Box::from_raw(job.cast::<Job>()) };
    // SAFETY: no arguments, no failure.
    let id = unsafe { libc::syscall(libc::SYS_gettid) };
    lock(&record.threads).push(id);
    // SAFETY: the plugin's own start function with its own argument; the lease holds the library.
    let answer = unsafe { start(argument.0) };
    // Thread-locals of the plugin end here, while the lease is held, and not after this function.
    run_all();
    lock(&record.threads).retain(|other| *other != id);
    drop(lease);
    answer
}
