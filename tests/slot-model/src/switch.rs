//! Models of the switch of a plugin with two slots: a writer closes both, puts the new version into
//! both, and opens the room; callers that find a slot closed wait and enter it again.

use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use loom::sync::{Arc, Notify};
use loom::thread;

use crate::models::explore;
use crate::room::{RoomLimits, WaitingRoom};
use crate::slot::{Slot, end_thread};

/// What a slot leads to, as an entry does.
enum Entry {
    Version(usize),
    Closed(std::sync::Arc<WaitingRoom>),
}

struct Plugin {
    slots: [Slot<Entry>; 2],
}

impl Plugin {
    /// Version 1 serves.
    fn new() -> Arc<Self> {
        Arc::new(Plugin {
            slots: [1, 1].map(|version| Slot::new(Some(Arc::new(Entry::Version(version))))),
        })
    }

    fn switch(&self, version: usize) {
        let room = WaitingRoom::new(RoomLimits {
            waiting: usize::MAX,
            patience: Duration::MAX,
        });
        for slot in &self.slots {
            let closed = Entry::Closed(std::sync::Arc::clone(&room));
            drop(slot.swap(Some(Arc::new(closed))));
        }
        for slot in &self.slots {
            drop(slot.swap(Some(Arc::new(Entry::Version(version)))));
        }
        room.open();
    }

    /// The version that answers a call of one slot, as `Target` calls.
    fn call(&self, slot: usize, wait: fn(std::sync::Arc<WaitingRoom>)) -> usize {
        loop {
            let entered = self.slots[slot].with(|entry| match &**entry {
                Entry::Version(version) => Ok(*version),
                Entry::Closed(room) => Err(std::sync::Arc::clone(room)),
            });
            match entered.expect("the slot is never empty") {
                Ok(version) => return version,
                Err(room) => wait(room),
            }
        }
    }
}

/// Waits as a synchronous call does.
fn block(room: std::sync::Arc<WaitingRoom>) {
    let place = room.enter().expect("there is room for all");
    assert!(place.block(), "loom's clock stands still");
}

/// Waits as an asynchronous call does, on an executor that polls when it is woken.
fn poll(room: std::sync::Arc<WaitingRoom>) {
    struct Executor(Notify);
    impl Wake for Executor {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.notify();
        }
    }
    let executor = std::sync::Arc::new(Executor(Notify::new()));
    let waker = Waker::from(std::sync::Arc::clone(&executor));
    let place = room.enter().expect("there is room for all");
    while place.poll(&Context::from_waker(&waker)) == Poll::Pending {
        executor.0.wait();
    }
}

/// A caller of both slots against a writer.
fn caller_and_switches(wait: fn(std::sync::Arc<WaitingRoom>), calls: [usize; 2], switches: usize) {
    let plugin = Plugin::new();
    let caller = thread::spawn({
        let plugin = Arc::clone(&plugin);
        move || {
            let seen = calls.map(|slot| plugin.call(slot, wait));
            end_thread();
            seen
        }
    });
    for switch in 0..switches {
        plugin.switch(switch + 2);
    }
    let [first, second] = caller.join().unwrap();
    assert!(
        first <= second,
        "one slot served version {first}, and then the other one the older {second}"
    );
}

#[test]
fn a_caller_that_blocks_and_a_switch_in_the_order_of_its_calls() {
    explore(3, || caller_and_switches(block, [0, 1], 1));
}

#[test]
fn a_caller_that_blocks_and_a_switch_against_the_order_of_its_calls() {
    explore(3, || caller_and_switches(block, [1, 0], 1));
}

#[test]
fn a_caller_that_polls_and_a_switch_in_the_order_of_its_calls() {
    explore(3, || caller_and_switches(poll, [0, 1], 1));
}

#[test]
fn a_caller_that_polls_and_a_switch_against_the_order_of_its_calls() {
    explore(3, || caller_and_switches(poll, [1, 0], 1));
}

#[test]
fn a_caller_that_blocks_and_two_switches() {
    explore(2, || caller_and_switches(block, [0, 1], 2));
}

#[test]
fn a_caller_that_polls_and_two_switches() {
    explore(2, || caller_and_switches(poll, [0, 1], 2));
}
