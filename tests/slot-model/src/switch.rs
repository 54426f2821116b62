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

/// What a writer puts into the slots.
struct Switch {
    room: std::sync::Arc<WaitingRoom>,
    closed: [Arc<Entry>; 2],
    serving: [Arc<Entry>; 2],
}

impl Switch {
    fn to(version: usize) -> Self {
        let room = WaitingRoom::new(RoomLimits {
            waiting: usize::MAX,
            patience: Duration::MAX,
        });
        let closed = || Arc::new(Entry::Closed(std::sync::Arc::clone(&room)));
        Switch {
            closed: [closed(), closed()],
            serving: serving(version),
            room,
        }
    }
}

fn serving(version: usize) -> [Arc<Entry>; 2] {
    [version, version].map(|version| Arc::new(Entry::Version(version)))
}

impl Plugin {
    fn switch(&self, switch: &Switch) {
        for entries in [&switch.closed, &switch.serving] {
            for (slot, entry) in self.slots.iter().zip(entries) {
                drop(slot.swap(Some(Arc::clone(entry))));
            }
        }
        switch.room.open();
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
    // All that is ever in a slot lives for the whole of the model: an address that the allocator
    // gives out again, or does not, would make one execution differ from its repetition.
    let first = serving(1);
    let switches: Vec<Switch> = (2..).take(switches).map(Switch::to).collect();
    let plugin = Arc::new(Plugin {
        slots: first
            .each_ref()
            .map(|entry| Slot::new(Some(Arc::clone(entry)))),
    });
    let caller = thread::spawn({
        let plugin = Arc::clone(&plugin);
        move || {
            let seen = calls.map(|slot| plugin.call(slot, wait));
            end_thread();
            seen
        }
    });
    for switch in &switches {
        plugin.switch(switch);
    }
    let [one, then] = caller.join().unwrap();
    assert!(
        one <= then,
        "one slot served version {one}, and then the other one the older {then}"
    );
    drop(plugin);
    drop((first, switches));
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
