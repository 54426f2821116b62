//! Two threads in the same object at once: what a call costs against a thread that is alone.

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::calls::{Calls, CallsHandle};
use crate::measure::{Effort, Measured, Quantiles, calls_per_batch, time};
use crate::report::Row;
use crate::sync::{chain, native};

pub(crate) fn rows(effort: Effort, handle: &CallsHandle) -> Vec<Row> {
    let native = native();
    let locked = RwLock::new(self::native());
    let mut rows = Vec::new();
    let mut add = |what: &str, batch: &(dyn Fn(u64) + Sync)| {
        rows.push(Row::against(what, against_alone(effort, batch)));
    };
    add("Box<dyn Trait> (control)", &|calls| {
        chain(calls, |a, b| native.add(a, b));
    });
    add("Keyway handle", &|calls| {
        chain(calls, |a, b| handle.add(a, b));
    });
    add("RwLock read guard", &|calls| {
        chain(calls, |a, b| locked.read().expect("no poison").add(a, b));
    });
    rows
}

/// Times batches in turns with and without a second thread that does the same.
fn against_alone(effort: Effort, batch: &(dyn Fn(u64) + Sync)) -> Measured {
    let running = AtomicBool::new(false);
    thread::scope(|scope| {
        let (start, starts) = channel();
        let (ended, ends) = channel();
        scope.spawn(|| second_thread(&running, starts, ended, batch));
        let calls = calls_per_batch(effort.batch, &mut |calls| batch(calls));
        let pairs: Vec<(f64, f64)> = (0..effort.rounds)
            .map(|_| {
                let alone = time(calls, &mut |calls| batch(calls));
                start.send(()).expect("the second thread listens");
                while !running.load(Ordering::Acquire) {
                    thread::yield_now();
                }
                let together = time(calls, &mut |calls| batch(calls));
                running.store(false, Ordering::Release);
                ends.recv().expect("the second thread answers");
                (alone, together)
            })
            .collect();
        drop(start);
        Measured {
            ns: Quantiles::of(pairs.iter().map(|(_, both)| *both).collect()),
            ratio: Quantiles::of(pairs.iter().map(|(alone, both)| both / alone).collect()),
            extra: Quantiles::of(pairs.iter().map(|(alone, both)| both - alone).collect()),
        }
    })
}

fn second_thread(
    running: &AtomicBool,
    starts: Receiver<()>,
    ended: Sender<()>,
    batch: &(dyn Fn(u64) + Sync),
) {
    for () in starts {
        running.store(true, Ordering::Release);
        while running.load(Ordering::Acquire) {
            batch(100);
        }
        if ended.send(()).is_err() {
            return;
        }
    }
}
