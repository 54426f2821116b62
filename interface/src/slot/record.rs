//! A thread's record of what it is inside of, and the registry of all records.
//!
//! A thread claims a record at its first call and hands it back when it exits, for the next thread
//! to use. Records are never freed, so a writer can read them at any time and there are as many as
//! there were such threads at once.

use std::ptr;

use super::barrier;
use super::errand;
use super::sync::{AtomicPtr, AtomicU8, Cell, Mutex, Ordering, constant, global, local, lock};

/// How many calls of one thread, each inside the other, enter by a cell; deeper ones take a counted
/// lease.
pub const NEST: usize = 6;

/// Of [`Record::detour`]: the thread has an errand to run.
const FLAGGED: u8 = 1;

/// Of [`Record::detour`]: readers need a fence here, or there is no record. It never changes.
const FENCED: u8 = 2;

/// What one thread is inside of.
///
/// A cell is free if there is nothing in it. No mask or depth says so as well: that would be a
/// second thing to write and to read again at the next call, and each such round through the store
/// buffer takes longer than all the rest of a call. Nor does the order of leaving matter, so that a
/// stackful coroutine may suspend inside of a value.
///
/// What a call touches is the first cache line; the alignment to two keeps the prefetcher from
/// dragging in a neighbour's.
#[repr(C, align(128))]
pub(super) struct Record {
    cells: [AtomicPtr<()>; NEST],
    /// Protects a value for the moment it takes to count a lease on it. No foreign code runs
    /// meanwhile.
    transient: AtomicPtr<()>,
    /// Why calls do not take the fast path, if they do not: one test for all reasons.
    detour: AtomicU8,
    /// Whether the errand runs at the moment.
    on_errand: Cell<bool>,
    /// The kernel's id of the thread that claimed the record last; 0 where there are none. Guarded by
    /// the registry's lock.
    thread: Cell<u64>,
}

#[cfg(all(target_pointer_width = "64", not(keyway_loom)))]
const _: () = assert!(std::mem::offset_of!(Record, detour) < 64);

// SAFETY: the cells, `transient` and `detour` are atomic. `on_errand` is read and written by one
// thread at a time (Owner), `thread` under the registry's lock.
unsafe impl Sync for Record {}

constant! {
    /// An idle record.
    fn idle(detour: u8) -> Record {
        Record {
            cells: [cell(), cell(), cell(), cell(), cell(), cell()],
            transient: cell(),
            detour: AtomicU8::new(detour),
            on_errand: Cell::new(false),
            thread: Cell::new(0),
        }
    }
}
constant! {
    /// A cell with nothing in it.
    fn cell() -> AtomicPtr<()> {
        AtomicPtr::new(ptr::null_mut())
    }
}

impl Record {
    fn new() -> Self {
        idle(if barrier::asymmetric() { 0 } else { FENCED })
    }

    /// Asks for the errand. What the caller did before happens before the run that this brings about
    /// (Flagged).
    pub(super) fn flag(&self) {
        // No plain store: the second of two raises carries the first one's release on.
        self.detour.fetch_or(FLAGGED, Ordering::Release);
    }

    fn is_idle(&self) -> bool {
        self.cells.iter().all(is_free)
    }

    fn holds(&self, value: *const ()) -> bool {
        self.cells
            .iter()
            .chain([&self.transient])
            .any(|cell| ptr::eq(cell.load(Ordering::Acquire), value))
    }

    /// The first free cell.
    #[inline(always)]
    fn free(&self) -> Option<Occupied<'_>> {
        let [first, others @ ..] = &self.cells;
        if is_free(first) {
            return Some(Occupied { cell: first });
        }
        free_of(others)
    }
}

/// The first free one of the cells of nested calls.
#[inline(never)]
fn free_of(cells: &[AtomicPtr<()>]) -> Option<Occupied<'_>> {
    let cell = cells.iter().find(|cell| is_free(cell))?;
    Some(Occupied { cell })
}

/// Whether the calling thread, whose record it is, may take this cell.
#[inline(always)]
fn is_free(cell: &AtomicPtr<()>) -> bool {
    // Its own thread alone writes to a cell.
    cell.load(Ordering::Relaxed).is_null()
}

/// A cell to be used at once. Dropping it ends the protection and frees the cell.
pub(super) struct Occupied<'r> {
    cell: &'r AtomicPtr<()>,
}

impl Occupied<'_> {
    /// [`protect`](Self::protect) for a cell that came from [`occupy_quickly`].
    #[inline(always)]
    pub(super) fn protect_quickly<T>(&self, current: &AtomicPtr<T>) -> *mut T {
        self.protect_with(current, barrier::light)
    }

    /// Returns the current pointer, which may be null, with the guarantee named Entered.
    pub(super) fn protect<T>(&self, current: &AtomicPtr<T>) -> *mut T {
        self.protect_with(current, barrier::full)
    }

    #[inline(always)]
    fn protect_with<T>(&self, current: &AtomicPtr<T>, barrier: impl Fn()) -> *mut T {
        let mut seen = current.load(Ordering::Relaxed);
        loop {
            // Release, although it announces nothing: a scan may meet this value instead of the
            // null before it, and must then still come after what the call that stored the null had
            // done.
            self.cell.store(seen.cast(), Ordering::Release);
            barrier();
            let now = current.load(Ordering::Acquire);
            if ptr::eq(now, seen) {
                return now;
            }
            seen = now;
        }
    }
}

impl Drop for Occupied<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.cell.store(ptr::null_mut(), Ordering::Release);
    }
}

global! {
    /// Stands for the record of threads that have none, so that the fast path need not ask. Nobody ever
    /// writes to it.
    static NOBODY: Record = idle(FENCED);
}
local! {
    /// This thread's record. It has no destructor, so reading it takes no check and never fails.
    static CURRENT: std::cell::Cell<&'static Record> = std::cell::Cell::new(&NOBODY);
}
local! {
    /// Hands the record back when the thread exits.
    static OWNER: Owner = Owner { record: std::cell::Cell::new(None) };
}

struct Owner {
    record: std::cell::Cell<Option<&'static Record>>,
}

impl Owner {
    fn hand_back(&self) {
        // A record that is in use stays with the thread: this is `process::exit` from inside a
        // call.
        if let Some(record) = self.record.take().filter(|record| record.is_idle()) {
            set_current(None);
            release(record);
        }
    }
}

#[cfg(not(keyway_loom))]
impl Drop for Owner {
    fn drop(&mut self) {
        self.hand_back();
    }
}

/// What the end of a thread does. loom runs destructors of thread-locals when it may have dropped
/// the statics already, so there a modelled thread says itself that it ends.
#[cfg(keyway_loom)]
pub fn end_thread() {
    OWNER.with(Owner::hand_back);
}

fn current() -> Option<&'static Record> {
    let record = CURRENT.with(std::cell::Cell::get);
    (!ptr::eq(record, nobody())).then_some(record)
}

fn set_current(record: Option<&'static Record>) {
    CURRENT.with(|current| current.set(record.unwrap_or(nobody())));
}

fn nobody() -> &'static Record {
    &NOBODY
}

/// Takes a cell of this thread, if it has a record, a free cell, no errand to run, and needs no
/// fence.
#[inline(always)]
pub(super) fn occupy_quickly() -> Option<Occupied<'static>> {
    let record = CURRENT.with(std::cell::Cell::get);
    if record.detour.load(Ordering::Relaxed) != 0 {
        return None;
    }
    record.free()
}

/// This thread's record, claimed if there is none yet.
pub(super) fn attach() -> Attached {
    if let Some(record) = current() {
        return Attached {
            record,
            temporary: false,
        };
    }
    let record = claim();
    // The owner is gone where a destructor of a thread-local calls, after the owner's own has run.
    let owned = OWNER
        .try_with(|owner| owner.record.set(Some(record)))
        .is_ok();
    set_current(Some(record));
    Attached {
        record,
        temporary: !owned,
    }
}

/// The record a call works with.
pub(super) struct Attached {
    record: &'static Record,
    /// Nobody hands the record back when the thread exits, so it is handed back after this call.
    temporary: bool,
}

impl Attached {
    /// The record, if the thread keeps it until it exits.
    pub(super) fn kept(&self) -> Option<&'static Record> {
        (!self.temporary).then_some(self.record)
    }

    /// Runs the errand if the record is flagged and the thread is inside of nothing; otherwise the
    /// flag waits for a later entry.
    pub(super) fn run_errand(&self) {
        let record = self.record;
        if record.on_errand.get() || !record.is_idle() {
            return;
        }
        while record.detour.fetch_and(!FLAGGED, Ordering::Acquire) & FLAGGED != 0 {
            record.on_errand.set(true);
            let _ended = OnErrand(record);
            errand::run();
        }
    }

    /// Takes a free cell, in either mode.
    pub(super) fn occupy(&self) -> Option<Occupied<'static>> {
        self.record.free()
    }

    /// Takes the transient cell. The caller leaves it before it runs any code but its own.
    pub(super) fn occupy_transient(&self) -> Occupied<'static> {
        Occupied {
            cell: &self.record.transient,
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        if self.temporary && self.record.is_idle() {
            set_current(None);
            release(self.record);
        }
    }
}

/// The errand runs for as long as this lives.
struct OnErrand(&'static Record);

impl Drop for OnErrand {
    fn drop(&mut self) {
        self.0.on_errand.set(false);
    }
}

struct Registry {
    all: Vec<&'static Record>,
    free: Vec<&'static Record>,
}

global! {
    /// Taken by writers, and by readers only at a thread's first call and at its exit.
    static REGISTRY: Mutex<Registry> = Mutex::new(Registry { all: Vec::new(), free: Vec::new() });
}

fn claim() -> &'static Record {
    let mut registry = lock(&REGISTRY);
    let record = registry.free.pop().unwrap_or_else(|| {
        let record: &'static Record = Box::leak(Box::new(Record::new()));
        registry.all.push(record);
        record
    });
    record.thread.set(kernel_id());
    record
}

/// The kernel's id of the calling thread, by which `/proc` knows it.
#[cfg(all(target_os = "linux", not(miri), not(keyway_loom)))]
fn kernel_id() -> u64 {
    // SAFETY: no arguments, no failure.
    let id = unsafe { libc::syscall(libc::SYS_gettid) };
    u64::try_from(id).unwrap_or(0)
}

#[cfg(not(all(target_os = "linux", not(miri), not(keyway_loom))))]
fn kernel_id() -> u64 {
    0
}

fn release(record: &'static Record) {
    lock(&REGISTRY).free.push(record);
}

/// Whether any thread has `value` in a cell. It proves something only after the writer's fence
/// (Entered).
pub(super) fn is_held(value: *const ()) -> bool {
    lock(&REGISTRY).all.iter().any(|record| record.holds(value))
}

/// The threads that have `value` in a cell, as far as they can be named.
pub(super) fn holders(value: *const ()) -> Vec<u64> {
    let registry = lock(&REGISTRY);
    let holding = registry.all.iter().filter(|record| record.holds(value));
    let threads = holding.map(|record| record.thread.get());
    threads.filter(|thread| *thread != 0).collect()
}

/// Whether the calling thread itself has `value` in a cell.
pub(super) fn is_held_here(value: *const ()) -> bool {
    current().is_some_and(|record| record.holds(value))
}

/// How many records exist: the largest number of threads that used slots at the same time so far.
#[must_use]
pub fn records() -> usize {
    lock(&REGISTRY).all.len()
}
