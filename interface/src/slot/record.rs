//! A thread's record of what it is inside of, and the registry of all records.
//!
//! A thread claims a record at its first call and hands it back when it exits, for the next thread
//! to use. Records are never freed, so a writer can read them at any time and there are as many as
//! there were such threads at once.

use std::ptr;

use super::barrier;
use super::errand;
use super::sync::{AtomicBool, AtomicPtr, Cell, Mutex, Ordering, constant, global, local, lock};

/// How many calls of one thread, each inside the other, enter by a cell; deeper ones take a counted
/// lease.
pub const NEST: usize = 6;

/// All cells free. A bit is set for each free cell.
const ALL: u32 = (1 << NEST) - 1;

/// What one thread is inside of.
///
/// Cells are taken by a bit mask rather than by depth. Calls nest, so that makes no difference,
/// unless a stackful coroutine suspends inside of one: then the order of leaving is free, and the
/// mask is still right.
///
/// What a call touches is the first cache line; the alignment to two keeps the prefetcher from
/// dragging in a neighbour's.
#[repr(C, align(128))]
pub(super) struct Record {
    cells: [AtomicPtr<()>; NEST],
    /// Protects a value for the moment it takes to count a lease on it. No foreign code runs
    /// meanwhile.
    transient: AtomicPtr<()>,
    /// The free cells that a call may take without a fence: none at all where readers need one, so
    /// that the fast path finds out about the mode, about a full record and about a free cell in
    /// one test.
    quick: Cell<u32>,
    /// Asks whoever uses the record to run the [errand] before the next call.
    flagged: AtomicBool,
    /// The free cells where readers need a fence, and otherwise none. The fence is what such a call
    /// pays for, and not a second cache line.
    fenced: Cell<u32>,
    /// Whether the errand runs at the moment.
    on_errand: Cell<bool>,
    /// The kernel's id of the thread that claimed the record last; 0 where there are none. Guarded by
    /// the registry's lock.
    thread: Cell<u64>,
}

#[cfg(all(target_pointer_width = "64", not(keyway_loom)))]
const _: () = assert!(std::mem::offset_of!(Record, flagged) < 64);

// SAFETY: the cells, `transient` and the flag are atomic. The masks and `on_errand` are read and
// written by one thread at a time (Owner), `thread` under the registry's lock.
unsafe impl Sync for Record {}

constant! {
    /// An idle record with these free cells.
    fn with_cells(quick: u32, fenced: u32) -> Record {
        Record {
            cells: [cell(), cell(), cell(), cell(), cell(), cell()],
            transient: cell(),
            quick: Cell::new(quick),
            flagged: AtomicBool::new(false),
            fenced: Cell::new(fenced),
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
        if barrier::asymmetric() {
            with_cells(ALL, 0)
        } else {
            with_cells(0, ALL)
        }
    }

    /// Asks for the errand. What the caller did before happens before the run that this brings about
    /// (Flagged).
    pub(super) fn flag(&self) {
        // A swap and no store: the second of two raises carries the first one's release on.
        self.flagged.swap(true, Ordering::Release);
    }

    fn is_idle(&self) -> bool {
        self.quick.get() | self.fenced.get() == ALL
    }

    fn holds(&self, value: *const ()) -> bool {
        self.cells
            .iter()
            .chain([&self.transient])
            .any(|cell| ptr::eq(cell.load(Ordering::Acquire), value))
    }

    /// Takes the first cell that is free in `mask`, which is one of this record's own.
    #[inline(always)]
    fn occupy<'r>(&'r self, mask: &'r Cell<u32>) -> Option<Occupied<'r>> {
        let free = mask.get();
        if free == 0 {
            return None;
        }
        mask.set(free & (free - 1));
        // SAFETY: a mask has bits below `NEST` only, and at least one of them.
        let cell = unsafe { self.cells.get_unchecked(free.trailing_zeros() as usize) };
        Some(Occupied {
            cell,
            mask,
            bit: free & free.wrapping_neg(),
        })
    }
}

/// A cell in use. Dropping it ends the protection and frees the cell.
pub(super) struct Occupied<'r> {
    cell: &'r AtomicPtr<()>,
    mask: &'r Cell<u32>,
    /// The cell's bit in the mask; zero for the transient one, which is in no mask.
    bit: u32,
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
        self.mask.set(self.mask.get() | self.bit);
    }
}

global! {
    /// Stands for the record of threads that have none: there is no free cell in it, so that the fast
    /// path need not ask. Nobody ever writes to it.
    static NOBODY: Record = with_cells(0, 0);
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
    if record.flagged.load(Ordering::Relaxed) {
        return None;
    }
    record.occupy(&record.quick)
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
        while record.flagged.swap(false, Ordering::Acquire) {
            record.on_errand.set(true);
            let _ended = OnErrand(record);
            errand::run();
        }
    }

    /// Takes a free cell, in either mode.
    pub(super) fn occupy(&self) -> Option<Occupied<'static>> {
        let record = self.record;
        record
            .occupy(&record.quick)
            .or_else(|| record.occupy(&record.fenced))
    }

    /// Takes the transient cell. The caller leaves it before it runs any code but its own.
    pub(super) fn occupy_transient(&self) -> Occupied<'static> {
        Occupied {
            cell: &self.record.transient,
            mask: &self.record.fenced,
            bit: 0,
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
