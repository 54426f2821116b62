//! Callers of two slots on many threads, while all of a plugin is switched again and again.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::{Clock, Generation, Versioned, VersionedHandle, entry, eventually};
use crate::capability::{Capability, Entry, Owner, RoomLimits, Target, WaitingRoom};
use crate::slot::Slot;

const SWITCHES: u64 = if cfg!(miri) { 20 } else { 5_000 };
const CALLERS: usize = 4;
/// Only decides when the test has failed.
const GIVE_UP: Duration = Duration::from_secs(60);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => {
                let since = Instant::now();
                thread::park_timeout(GIVE_UP);
                assert!(since.elapsed() < GIVE_UP, "the call was never woken");
            }
        }
    }
}

/// Ends the test when one of its threads ends, also by a panic.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn handle(slot: &Arc<Slot<Entry>>) -> VersionedHandle {
    VersionedHandle::from_target(Target::slot(Arc::clone(slot), "test.versioned/1".into()))
}

/// Switches all slots to a version in the three phases that let no caller see it too early.
fn switch(slots: &[Arc<Slot<Entry>>], version: u64, clock: &Arc<Clock>, limits: RoomLimits) {
    let owner: Arc<dyn Owner> = Arc::new(Generation {
        clock: Arc::clone(clock),
        gate: None,
    });
    let room = WaitingRoom::new(limits);
    for slot in slots {
        let old = slot.lease().expect("something serves");
        let closed = Entry::closed(Arc::clone(&room), Arc::clone(&owner), &old);
        drop(slot.swap(Some(Arc::new(closed))));
    }
    for slot in slots {
        drop(slot.swap(Some(entry(version, clock, None))));
    }
    room.open();
}

#[test]
fn no_caller_of_two_slots_fails_or_sees_the_old_version_after_the_new_one() {
    let clock = Arc::default();
    let slots = [0, 0].map(|version| Arc::new(Slot::new(Some(entry(version, &clock, None)))));
    let limits = RoomLimits {
        waiting: usize::MAX,
        patience: GIVE_UP,
    };
    let done = AtomicBool::new(false);
    let progress = [const { AtomicU64::new(0) }; CALLERS];
    thread::scope(|scope| {
        for (index, calls) in progress.iter().enumerate() {
            let handles = [handle(&slots[0]), handle(&slots[1])];
            let done = &done;
            scope.spawn(move || {
                let _ends = Ends(done);
                let mut latest = 0;
                while !done.load(Ordering::Relaxed) {
                    for (at, handle) in handles.iter().enumerate() {
                        // Half of the callers wait for a future, half block.
                        let version = match index % 2 {
                            0 => handle.number(),
                            _ => block_on(handle.number_later()),
                        };
                        let version = version.expect("no call fails");
                        assert!(
                            version >= latest,
                            "slot {at} served version {version} after {latest} was seen"
                        );
                        latest = version;
                        calls.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let _ends = Ends(&done);
        for version in 1..=SWITCHES {
            switch(&slots, version, &clock, limits);
            if version % 50 == 0 {
                // Everybody gets on, now that everything is open.
                let seen = progress
                    .each_ref()
                    .map(|calls| calls.load(Ordering::Relaxed));
                eventually("every caller has called again", || {
                    let calls = progress.iter().map(|calls| calls.load(Ordering::Relaxed));
                    let all_called = calls.zip(seen).all(|(calls, seen)| calls > seen);
                    all_called || done.load(Ordering::Relaxed)
                });
            }
        }
    });
    for slot in &slots {
        assert_eq!(handle(slot).number(), Ok(SWITCHES));
    }
}
