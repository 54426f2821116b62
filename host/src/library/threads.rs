//! The host's side of the thread hooks: the threads of plugins, and what plugins have left on which
//! thread.
//!
//! A record per generation counts the destructors that it has left in the [lists](list) of threads.
//! Each is run by its own thread, when that ends, or when it comes by while the generation is being
//! closed; or else by the reaper, which takes the rest of them only when no thread runs any.
#![expect(
    unsafe_code,
    reason = "runs destructors and start functions of plugins"
)]

mod list;

use std::any::Any;
use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use keyway::shim::hooks::{HostThreads, Start};

use crate::thread_name::thread_name;

pub(crate) use list::host_thread;

pub(super) use list::Taken;
#[cfg(target_os = "linux")]
use list::{at_thread_end, at_thread_exit};
#[cfg(test)]
pub(super) use list::{at_thread_end as leave_last, at_thread_exit as leave};

/// Keeps a generation, hence its library.
pub(crate) type Lease = Arc<dyn Any + Send + Sync>;

/// What the process knows of one generation, by the number that its library was given.
pub(crate) struct Record {
    context: usize,
    generation: OnceLock<Weak<dyn Any + Send + Sync>>,
    /// The kernel's ids of the plugin's own threads.
    threads: Mutex<Vec<u64>>,
    left: Mutex<Left>,
}

/// What a generation has left on threads.
#[derive(Default)]
struct Left {
    /// Destructors that have not returned yet.
    destructors: usize,
    /// Those of them that run at the moment, each on its own thread.
    running: usize,
    /// Nothing but destructors can be inside of the library any more.
    closing: bool,
    /// What is in the lists belongs to the reaper.
    taken: bool,
}

static RECORDS: Mutex<Option<HashMap<usize, Arc<Record>>>> = Mutex::new(None);

/// The table for [`PluginThreads::install`](keyway::shim::hooks::PluginThreads::install).
#[cfg(target_os = "linux")]
pub(super) fn table() -> *const HostThreads {
    static HOST: HostThreads = HostThreads {
        size: size_of::<HostThreads>(),
        at_exit: at_thread_exit,
        create: create_thread,
        at_end: at_thread_end,
    };
    &raw const HOST
}

/// No plugin of this platform has hooks to give the table to.
#[cfg(not(target_os = "linux"))]
pub(super) fn table() -> *const HostThreads {
    std::ptr::null()
}

/// The kernel's id of the calling thread.
#[cfg(target_os = "linux")]
fn this_thread() -> u64 {
    // SAFETY: no arguments, no failure.
    let id = unsafe { libc::syscall(libc::SYS_gettid) };
    u64::try_from(id).unwrap_or(0)
}

/// No list is made on this platform.
#[cfg(not(target_os = "linux"))]
fn this_thread() -> u64 {
    0
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code of others runs under these locks.
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
            generation: OnceLock::new(),
            threads: Mutex::default(),
            left: Mutex::default(),
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
        ids.into_iter().map(thread_name).collect()
    }

    /// From here on threads that come by destroy what they have of the generation; those that have
    /// something are asked to come by. Nothing of the plugin may run any more but destructors, and
    /// nothing may enter it.
    pub(super) fn begin_closing(&self) {
        lock(&self.left).closing = true;
        list::flag(self.context);
    }

    /// Whether no thread has anything of the generation.
    pub(super) fn is_clear(&self) -> bool {
        lock(&self.left).destructors == 0
    }

    /// Whether any thread that has something of the generation can be expected to come by.
    pub(super) fn is_awaited(&self) -> bool {
        list::is_awaited(self.context)
    }

    /// The names of the threads that have something of the generation.
    pub(super) fn holders(&self) -> Vec<String> {
        list::holders(self.context)
    }

    /// Takes what is left away from its threads. Not while one of them is about it: then that one
    /// tells the reaper when it is done.
    pub(super) fn take(&self) -> bool {
        let mut left = lock(&self.left);
        left.taken |= left.running == 0;
        left.taken
    }

    /// Runs all that was [taken](Self::take) and can run away from its thread.
    ///
    /// For a value that is bound to the thread that made it, this is the wrong thread; there is no
    /// better one, since the right one may never come back.
    pub(super) fn run_left(&self) -> Taken {
        list::take_all(self.context, |entry| {
            // SAFETY: the entry was in a list, so it has not run; the library is open; the thread
            // that it belongs to neither runs anything of the library nor ends meanwhile.
            unsafe { entry.run() };
        })
    }

    /// Forgets all that was [taken](Self::take) without running it.
    pub(super) fn drop_left(&self) -> Taken {
        list::take_all(self.context, |entry| entry.forget())
    }

    /// The library can leave nothing on any thread any more, and start none.
    pub(super) fn forget(&self) {
        lock(&RECORDS).get_or_insert_default().remove(&self.context);
    }

    /// Counts a destructor that was put into a list.
    fn add(&self) {
        lock(&self.left).destructors += 1;
    }

    /// Whether the thread of a list may run one of its destructors now; if so, it has to say
    /// [`ended`](Self::ended).
    fn start(&self, occasion: Occasion) -> bool {
        let mut left = lock(&self.left);
        let may = !left.taken && (left.closing || occasion == Occasion::End);
        left.running += usize::from(may);
        may
    }

    /// A destructor has returned on its own thread.
    fn ended(&self) {
        let mut left = lock(&self.left);
        left.running -= 1;
        left.destructors -= 1;
        let closing = left.closing;
        drop(left);
        if closing {
            super::reaper::look_again();
        }
    }

    /// The reaper is done with a destructor.
    fn is_done(&self) {
        lock(&self.left).destructors -= 1;
    }
}

/// Why a thread runs its list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// It ends: everything is run.
    End,
    /// It comes by: what belongs to closing generations is run.
    Errand,
}

struct Pointer(*mut c_void);

// SAFETY: a destructor runs on another thread only when nothing else of its library runs; the
// argument of a start function is made for another thread.
unsafe impl Send for Pointer {}

/// A thread of a plugin that is about to start.
struct Job {
    start: Start,
    argument: Pointer,
    record: Arc<Record>,
    lease: Lease,
}

/// See [`HostThreads::create`].
#[cfg(target_os = "linux")]
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
    let id = this_thread();
    lock(&record.threads).push(id);
    // SAFETY: the plugin's own start function with its own argument; the lease holds the library.
    let answer = unsafe { start(argument.0) };
    // Thread-locals and key values of the plugin end here, while the lease is held, and not after this
    // function.
    list::run_all();
    lock(&record.threads).retain(|other| *other != id);
    drop(lease);
    answer
}
