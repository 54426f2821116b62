//! What holds for calls that meet a closed door. Futures are polled by hand and the clock is set by
//! hand; sync calls run on threads of their own. The protocol's small cases are the loom models,
//! its large ones are in `stress`.

mod stress;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::capability::{
    Capability, Entry, Gate, GateLimits, Owner, RoomLimits, Target, WaitingRoom,
};
use crate::error::{ErrorKind, PluginError, Result};
use crate::slot::Slot;

/// Offered by the plugin that is reloaded.
#[keyway_macros::capability(id = "test.versioned", version = 1)]
pub trait Versioned: Send + Sync {
    /// The version that runs the call, after an argument that is given away.
    fn tell(&self, to: String) -> Result<String>;
    /// The version that runs the call.
    fn number(&self) -> Result<u64>;
    /// The version that runs the call.
    async fn number_later(&self) -> Result<u64>;
    /// Never answers.
    async fn stay(&self) -> Result<u64>;
    /// What a later minor appended.
    fn appended(&self) -> Result<u64> {
        Ok(0)
    }
}

struct Version(u64);

impl Versioned for Version {
    fn tell(&self, to: String) -> Result<String> {
        Ok(format!("{} to {to}", self.0))
    }

    fn number(&self) -> Result<u64> {
        Ok(self.0)
    }

    async fn number_later(&self) -> Result<u64> {
        Ok(self.0)
    }

    async fn stay(&self) -> Result<u64> {
        std::future::pending().await
    }

    fn appended(&self) -> Result<u64> {
        Ok(self.0)
    }
}

/// Time as the test sets it, in milliseconds.
#[derive(Default)]
struct Clock(AtomicU64);

impl Clock {
    fn advance(&self, duration: Duration) {
        self.0
            .fetch_add(duration.as_millis() as u64, Ordering::SeqCst);
    }
}

struct Generation {
    clock: Arc<Clock>,
    gate: Option<Arc<Gate>>,
}

impl Owner for Generation {
    fn describe(&self) -> String {
        "plugin 'x'".to_owned()
    }

    fn panicked(&self, error: &PluginError) {
        panic!("the plugin panicked: {error}");
    }

    fn gate(&self) -> Option<Arc<Gate>> {
        self.gate.clone()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let clock = Arc::clone(&self.clock);
        let end = clock
            .0
            .load(Ordering::SeqCst)
            .saturating_add(duration.as_millis() as u64);
        Box::pin(std::future::poll_fn(move |_| {
            if clock.0.load(Ordering::SeqCst) >= end {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }))
    }
}

/// One registration of a plugin that is reloaded.
struct Scene {
    slot: Arc<Slot<Entry>>,
    handle: VersionedHandle,
    clock: Arc<Clock>,
    old: Arc<Entry>,
}

impl Scene {
    /// Version 1 serves.
    fn new() -> Self {
        Self::with_gate(None)
    }

    fn with_gate(gate: Option<Arc<Gate>>) -> Self {
        let clock = Arc::default();
        let old = entry(1, &clock, gate);
        let slot = Arc::new(Slot::new(Some(Arc::clone(&old))));
        let target = Target::slot(Arc::clone(&slot), "test.versioned/1 `x`".into());
        Scene {
            slot,
            handle: VersionedHandle::from_target(target),
            clock,
            old,
        }
    }

    /// Closes the slot.
    fn close(&self, waiting: usize, patience: Duration) -> Arc<WaitingRoom> {
        let room = WaitingRoom::new(RoomLimits { waiting, patience });
        let entry = Entry::closed(Arc::clone(&room), self.owner(), &self.old);
        drop(self.slot.swap(Some(Arc::new(entry))));
        room
    }

    /// Lets this version serve.
    fn serve(&self, number: u64) {
        drop(self.slot.swap(Some(entry(number, &self.clock, None))));
    }

    fn owner(&self) -> Arc<dyn Owner> {
        Arc::new(Generation {
            clock: Arc::clone(&self.clock),
            gate: None,
        })
    }

    /// A sync call on a thread of its own.
    fn tell(&self) -> thread::JoinHandle<Result<String>> {
        let handle = self.handle.clone();
        thread::spawn(move || handle.tell("Ada".to_owned()))
    }
}

fn entry(number: u64, clock: &Arc<Clock>, gate: Option<Arc<Gate>>) -> Arc<Entry> {
    let (object, ..) = VersionedHandle::provide(Version(number)).into_raw();
    let clock = Arc::clone(clock);
    // SAFETY: the object was just made for this table and is given away here; its code is this
    // test's own.
    Arc::new(unsafe { Entry::new(object, Arc::new(Generation { clock, gate })) })
}

/// More than any test advances its clock.
const LONG: Duration = Duration::from_secs(3600);

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The answer of a call that has one.
fn answer<T>(polled: Poll<T>) -> T {
    match polled {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the call is still pending"),
    }
}

/// Yields until `condition` holds.
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < end, "never came true: {what}");
        thread::yield_now();
    }
}

/// Counts how often it was woken, and uses the room meanwhile, which no lock may be held for.
struct Wakes {
    room: Arc<WaitingRoom>,
    count: AtomicUsize,
}

impl Wakes {
    fn of(room: &Arc<WaitingRoom>) -> Arc<Self> {
        Arc::new(Wakes {
            room: Arc::clone(room),
            count: AtomicUsize::new(0),
        })
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    fn poll<F: Future + ?Sized>(self: &Arc<Self>, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(self))))
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.room.waiting();
        self.count.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        self.room.waiting();
    }
}

#[test]
fn an_async_call_waits_and_runs_on_the_new_version_once_the_room_opens() {
    let scene = Scene::new();
    let room = scene.close(1, LONG);
    let wakes = Wakes::of(&room);
    let mut call = pin!(scene.handle.number_later());
    assert!(wakes.poll(call.as_mut()).is_pending());
    assert_eq!(room.waiting(), 1);
    scene.serve(2);
    assert!(wakes.poll(call.as_mut()).is_pending());
    assert_eq!(wakes.count(), 0, "only the opening wakes");
    room.open();
    assert_eq!(wakes.count(), 1);
    assert_eq!(answer(wakes.poll(call)), Ok(2));
    assert_eq!(room.waiting(), 0);
}

#[test]
fn a_call_that_is_polled_by_another_task_wakes_that_one() {
    let scene = Scene::new();
    let room = scene.close(1, LONG);
    let (first, second) = (Wakes::of(&room), Wakes::of(&room));
    let mut call = pin!(scene.handle.number_later());
    assert!(first.poll(call.as_mut()).is_pending());
    assert!(second.poll(call.as_mut()).is_pending());
    scene.serve(2);
    room.open();
    assert_eq!((first.count(), second.count()), (0, 1));
    assert_eq!(answer(second.poll(call)), Ok(2));
}

#[test]
fn a_sync_call_waits_and_runs_on_the_new_version_with_its_arguments() {
    let scene = Scene::new();
    let room = scene.close(1, LONG);
    let call = scene.tell();
    eventually("the call waits", || room.waiting() == 1);
    scene.serve(2);
    room.open();
    assert_eq!(call.join().unwrap().as_deref(), Ok("2 to Ada"));
    assert_eq!(room.waiting(), 0);
}

#[test]
fn calls_run_on_the_old_version_when_that_comes_back() {
    let scene = Scene::new();
    let room = scene.close(2, LONG);
    let mut later = pin!(scene.handle.number_later());
    assert!(poll(later.as_mut()).is_pending());
    let call = scene.tell();
    eventually("both calls wait", || room.waiting() == 2);
    drop(scene.slot.swap(Some(Arc::clone(&scene.old))));
    room.open();
    assert_eq!(call.join().unwrap().as_deref(), Ok("1 to Ada"));
    assert_eq!(answer(poll(later)), Ok(1));
}

#[test]
fn who_waits_is_inside_of_nothing_and_keeps_nothing_of_the_plugin() {
    let scene = Scene::new();
    let owner = scene.owner();
    let kept: Weak<dyn Owner> = Arc::downgrade(&owner);
    let room = WaitingRoom::new(RoomLimits {
        waiting: 2,
        patience: LONG,
    });
    let closed = Entry::closed(Arc::clone(&room), owner, &scene.old);
    assert_eq!(closed.pending_calls(), 0);
    let old = scene.slot.swap(Some(Arc::new(closed))).expect("it served");
    let mut later = pin!(scene.handle.number_later());
    assert!(poll(later.as_mut()).is_pending());
    let call = scene.tell();
    eventually("both calls wait", || room.waiting() == 2);

    assert!(old.try_reclaim().is_ok(), "a call is inside the old entry");
    let closed = scene.slot.swap(None).expect("it was closed");
    let closed = closed
        .wait(Duration::from_secs(60))
        .expect("nobody waits inside");
    assert_eq!(closed.pending_calls(), 0);
    drop(Arc::into_inner(closed).expect("nobody has a lease"));
    assert!(kept.upgrade().is_none(), "a waiting call keeps the owner");

    scene.serve(2);
    room.open();
    assert_eq!(call.join().unwrap().as_deref(), Ok("2 to Ada"));
    assert_eq!(answer(poll(later)), Ok(2));
}

#[test]
fn calls_over_the_limit_of_the_room_are_refused() {
    let scene = Scene::new();
    let room = scene.close(2, LONG);
    let mut later = pin!(scene.handle.number_later());
    assert!(poll(later.as_mut()).is_pending());
    let call = scene.tell();
    eventually("both calls wait", || room.waiting() == 2);

    let refused = [
        scene.handle.number().expect_err("the room is full"),
        answer(poll(pin!(scene.handle.number_later()))).expect_err("the room is full"),
    ];
    for error in refused {
        assert_eq!(
            error.message(),
            "plugin 'x' is being reloaded and 2 calls wait already"
        );
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert_eq!(error.error_code(), "reload-queue-full");
        assert!(error.is_retryable());
    }
    assert_eq!(room.waiting(), 2);
    scene.serve(2);
    room.open();
    assert_eq!(call.join().unwrap().as_deref(), Ok("2 to Ada"));
    assert_eq!(answer(poll(later)), Ok(2));
}

#[test]
fn a_waiting_call_that_is_dropped_frees_its_place() {
    let scene = Scene::new();
    let room = scene.close(1, LONG);
    let wakes = Wakes::of(&room);
    {
        let mut given_up = pin!(scene.handle.number_later());
        assert!(wakes.poll(given_up.as_mut()).is_pending());
        assert_eq!(room.waiting(), 1);
    }
    assert_eq!(room.waiting(), 0);
    let mut call = pin!(scene.handle.number_later());
    assert!(poll(call.as_mut()).is_pending());
    scene.serve(2);
    room.open();
    assert_eq!(wakes.count(), 0, "who gave up is not woken");
    assert_eq!(answer(poll(call)), Ok(2));
}

fn assert_timed_out(error: &PluginError, message: &str) {
    assert_eq!(error.message(), message);
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(error.error_code(), "reload-queue-timeout");
    assert!(error.is_retryable());
}

#[test]
fn an_async_call_is_refused_when_the_patience_ends() {
    let scene = Scene::new();
    let patience = Duration::from_secs(5);
    let room = scene.close(1, patience);
    let mut call = pin!(scene.handle.number_later());
    assert!(poll(call.as_mut()).is_pending());
    scene.clock.advance(patience - Duration::from_millis(1));
    assert!(poll(call.as_mut()).is_pending());
    scene.clock.advance(Duration::from_millis(1));
    let error = answer(poll(call)).expect_err("nobody has opened");
    assert_timed_out(
        &error,
        "plugin 'x' is being reloaded, and the call has waited 5s for it",
    );
    assert_eq!(room.waiting(), 0);
}

#[test]
fn a_sync_call_is_refused_when_the_patience_ends() {
    let scene = Scene::new();
    let room = scene.close(1, Duration::from_millis(1));
    let error = scene.handle.number().expect_err("nobody has opened");
    assert_timed_out(
        &error,
        "plugin 'x' is being reloaded, and the call has waited 1ms for it",
    );
    assert_eq!(room.waiting(), 0);
}

#[test]
fn a_room_that_opens_just_as_the_patience_ends_lets_the_call_run() {
    let scene = Scene::new();
    let room = scene.close(1, Duration::from_secs(5));
    let mut call = pin!(scene.handle.number_later());
    assert!(poll(call.as_mut()).is_pending());
    scene.clock.advance(LONG);
    scene.serve(2);
    room.open();
    assert_eq!(answer(poll(call)), Ok(2));
}

#[test]
fn a_deadline_of_the_call_ends_the_waiting_before_the_patience_does() {
    let scene = Scene::new();
    let _room = scene.close(1, LONG);
    let hurried = scene.handle.with_deadline(Duration::from_secs(5));
    let mut call = pin!(hurried.number_later());
    assert!(poll(call.as_mut()).is_pending());
    scene.clock.advance(Duration::from_secs(5));
    let error = answer(poll(call)).expect_err("it is late");
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(error.error_code(), "deadline-exceeded");
    assert_eq!(
        error.message(),
        "plugin 'x' did not answer within 5s: it is being reloaded"
    );
}

#[test]
fn the_time_that_a_call_waits_counts_against_its_deadline() {
    let scene = Scene::new();
    let room = scene.close(1, LONG);
    let hurried = scene.handle.with_deadline(Duration::from_secs(5));
    let mut call = pin!(hurried.stay());
    assert!(poll(call.as_mut()).is_pending());
    scene.clock.advance(Duration::from_secs(4));
    scene.serve(2);
    room.open();
    assert!(poll(call.as_mut()).is_pending(), "it runs");
    scene.clock.advance(Duration::from_secs(1));
    let error = answer(poll(call)).expect_err("it is late");
    assert_eq!(error.message(), "plugin 'x' did not answer within 5s");
}

#[test]
fn a_call_that_meets_a_second_closed_room_waits_there_with_its_patience() {
    let scene = Scene::new();
    let first = scene.close(2, Duration::from_secs(5));
    let mut later = pin!(scene.handle.number_later());
    assert!(poll(later.as_mut()).is_pending());
    let call = scene.tell();
    eventually("both calls wait", || first.waiting() == 2);
    scene.clock.advance(Duration::from_secs(4));

    let second = scene.close(2, Duration::from_secs(5));
    first.open();
    assert!(poll(later.as_mut()).is_pending());
    eventually("both calls have moved", || second.waiting() == 2);
    assert_eq!(first.waiting(), 0);
    scene.clock.advance(Duration::from_secs(4));
    assert!(poll(later.as_mut()).is_pending(), "patience begins anew");
    scene.serve(3);
    second.open();
    assert_eq!(call.join().unwrap().as_deref(), Ok("3 to Ada"));
    assert_eq!(answer(poll(later)), Ok(3));
}

#[test]
fn a_call_that_meets_an_open_room_looks_into_the_slot_again_even_if_nobody_may_wait() {
    let room = WaitingRoom::new(RoomLimits {
        waiting: 0,
        patience: Duration::ZERO,
    });
    assert!(room.enter().is_none(), "nobody may wait");
    room.open();
    let place = room.enter().expect("who comes now passes");
    assert!(place.poll(&Context::from_waker(Waker::noop())).is_ready());
    assert!(place.block());
    assert_eq!(room.waiting(), 0);
}

#[test]
fn calls_are_told_when_nothing_serves_after_the_opening() {
    let scene = Scene::new();
    let room = scene.close(2, LONG);
    let mut later = pin!(scene.handle.number_later());
    assert!(poll(later.as_mut()).is_pending());
    let call = scene.tell();
    eventually("both calls wait", || room.waiting() == 2);
    drop(scene.slot.swap(None));
    room.open();
    let errors = [
        call.join().unwrap().expect_err("nobody serves"),
        answer(poll(later)).expect_err("nobody serves"),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(
            error.message(),
            "no plugin serves test.versioned/1 `x` at the moment"
        );
    }
}

#[test]
fn a_closed_entry_offers_what_the_one_it_stands_for_does() {
    let scene = Scene::new();
    let size = scene.old.table_size();
    let room = scene.close(1, LONG);
    let target = scene.handle.target();
    assert!(target.offers(size));
    assert!(!target.offers(size + 1));

    // One that stands for a closed one, since a plugin can be closed twice.
    let twice = scene.slot.lease().expect("it is closed");
    let twice = Entry::closed(Arc::clone(&room), scene.owner(), &twice);
    drop(scene.slot.swap(Some(Arc::new(twice))));
    assert!(target.offers(size));
    assert!(!target.offers(size + 1));

    let handle = scene.handle.clone();
    let call = thread::spawn(move || handle.appended());
    eventually("the call waits", || room.waiting() == 1);
    scene.serve(2);
    room.open();
    assert_eq!(call.join().unwrap(), Ok(2), "the method runs, no default");
}

#[test]
#[should_panic(expected = "a fixed target of a closed entry")]
fn a_fixed_target_of_a_closed_entry_is_refused() {
    let scene = Scene::new();
    let _room = scene.close(1, LONG);
    Target::fixed(scene.slot.lease().expect("it is closed"));
}

#[test]
fn a_call_in_the_queue_of_a_limit_goes_to_the_room_and_passes_its_turn_on() {
    let gate = Gate::new(GateLimits {
        concurrent: 1,
        queued: 1,
    });
    let scene = Scene::with_gate(Some(Arc::clone(&gate)));
    let mut running = Box::pin(scene.handle.stay());
    assert!(poll(running.as_mut()).is_pending());
    let mut queued = pin!(scene.handle.number_later());
    assert!(poll(queued.as_mut()).is_pending());
    assert_eq!(gate.load(), (1, 1));
    let room = scene.close(1, LONG);
    drop(running);
    assert_eq!(gate.load(), (1, 0), "its turn has come");
    assert!(poll(queued.as_mut()).is_pending());
    assert_eq!((gate.load(), room.waiting()), ((0, 0), 1));
    scene.serve(2);
    room.open();
    assert_eq!(answer(poll(queued)), Ok(2));
}

#[test]
fn a_call_from_a_thread_inside_the_old_version_waits_no_longer_than_the_patience() {
    let scene = Scene::new();
    let nested = scene
        .slot
        .with(|_| {
            scene.close(1, Duration::from_millis(1));
            scene.handle.number()
        })
        .expect("it serves");
    assert_eq!(
        nested.expect_err("nobody has opened").error_code(),
        "reload-queue-timeout"
    );
}
