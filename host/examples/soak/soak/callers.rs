//! Threads of an application that call all the time, in all the ways that there are, and notice
//! when something is not as it should be.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use keyway::{Bytes, ErrorKind, PluginError, Stream};

use super::calls::{Soak, SoakHandle};
use super::nested::{Nests, NestsHandle};

/// How many failures are told in full.
const TOLD: usize = 5;

/// What callers have seen so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) calls: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// What was added, which the state must not lose in exclusive mode.
    pub(crate) added: AtomicU64,
    /// Threads that called a few times and ended.
    pub(crate) visitors: AtomicU64,
    pub(crate) failures: Mutex<Vec<String>>,
}

impl Seen {
    fn failed(&self, what: String) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() < TOLD {
            failures.push(what);
        }
    }
}

/// How the callers call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) threads: usize,
    pub(crate) rest: Duration,
    /// Whether they call what panics, which counts against a version that is on probation.
    pub(crate) panics: bool,
    /// Whether the total never goes back: only where calls wait while the state is handed over.
    pub(crate) exact_total: bool,
}

/// The threads.
#[derive(Debug)]
pub(crate) struct Callers {
    stop: Arc<AtomicBool>,
    pub(crate) seen: Arc<Seen>,
    threads: Vec<JoinHandle<()>>,
}

impl Callers {
    pub(crate) fn start(soak: &SoakHandle, nests: &NestsHandle, manner: Manner) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Seen::default());
        let caller = |number: usize| {
            let mut caller = Caller {
                soak: soak.clone(),
                nests: nests.clone(),
                seen: Arc::clone(&seen),
                manner,
                last_ancestors: 0,
                last_total: 0,
                kept: None,
            };
            let stop = Arc::clone(&stop);
            std::thread::Builder::new()
                .name(format!("caller-{number}"))
                .spawn(move || {
                    let mut round = number as u64;
                    while !stop.load(Ordering::Relaxed) {
                        caller.round(round);
                        round += 1;
                        if !manner.rest.is_zero() {
                            std::thread::sleep(manner.rest);
                        }
                    }
                })
        };
        let mut threads: Vec<_> = (0..manner.threads).filter_map(|n| caller(n).ok()).collect();
        if threads.len() < manner.threads {
            seen.failed("the system started no more threads".to_owned());
        }
        threads.extend(Self::visitors(soak, &stop, &seen));
        Callers {
            stop,
            seen,
            threads,
        }
    }

    /// A thread whose children call a few times and end, at any moment of a reload.
    fn visitors(
        soak: &SoakHandle,
        stop: &Arc<AtomicBool>,
        seen: &Arc<Seen>,
    ) -> std::io::Result<JoinHandle<()>> {
        let (soak, stop, seen) = (soak.clone(), Arc::clone(stop), Arc::clone(seen));
        let visit = {
            let seen = Arc::clone(&seen);
            move || {
                for result in [soak.thread_local(), soak.current_thread()] {
                    seen.calls.fetch_add(1, Ordering::Relaxed);
                    if let Err(error) = result {
                        seen.failed(format!("a visitor's call: {error}"));
                    }
                }
            }
        };
        std::thread::Builder::new()
            .name("visitors".to_owned())
            .spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let visitor = std::thread::Builder::new()
                        .name("visitor".to_owned())
                        .spawn(visit.clone());
                    match visitor.map(JoinHandle::join) {
                        Ok(Ok(())) => {}
                        Ok(Err(_panic)) => seen.failed("a visitor panicked".to_owned()),
                        Err(error) => seen.failed(format!("cannot start a visitor: {error}")),
                    }
                    seen.visitors.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(1));
                }
            })
    }

    /// Lets all threads end; answers how many ended with a panic.
    pub(crate) fn stop(&mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let ends = self.threads.drain(..).map(JoinHandle::join);
        ends.filter(Result::is_err).count()
    }
}

/// What a caller holds of a version for a while, in the manner of an application.
struct Kept {
    buffer: Bytes,
    byte: u8,
    stream: Stream<u64>,
    next: u64,
}

struct Caller {
    soak: SoakHandle,
    nests: NestsHandle,
    seen: Arc<Seen>,
    manner: Manner,
    last_ancestors: u64,
    last_total: u64,
    kept: Option<Kept>,
}

impl Caller {
    /// The cheap calls each time, the expensive ones now and then.
    fn round(&mut self, round: u64) {
        let soak = self.soak.clone();
        self.count_up();
        self.expect("thread_local", soak.thread_local(), |calls| *calls > 0);
        self.expect("current_thread", soak.current_thread(), |_| true);
        self.expect("ready", block_on(soak.ready(round)), |n| *n == round);
        let nests = self.nests.clone();
        self.expect("nest", nests.nest(2), |calls| *calls > 0);
        self.expect("wait", block_on(nests.wait(round)), |n| *n == round);
        if round.is_multiple_of(8) {
            self.expect("task", block_on(soak.task(50)), |calls| *calls > 0);
            self.hold(round);
        }
        if round.is_multiple_of(16) {
            self.expect("caught_panic", soak.caught_panic(), |caught| *caught);
            if self.manner.panics {
                self.expect_panic();
            }
        }
        if round.is_multiple_of(64) {
            self.expect("joined_thread", soak.joined_thread(), |calls| *calls == 1);
            self.expect("detached_thread", soak.detached_thread(), |()| true);
        }
    }

    /// What is handed from version to version never goes back.
    fn count_up(&mut self) {
        let last = self.last_ancestors;
        let ancestors = self.soak.ancestors();
        if let Some(ancestors) = self.expect("ancestors", ancestors, |now| *now >= last) {
            self.last_ancestors = ancestors;
        }
        let added = self.soak.add(1);
        let (exact, last) = (self.manner.exact_total, self.last_total);
        if let Some(total) = self.expect("add", added, |total| !exact || *total > last) {
            self.last_total = total;
            self.seen.added.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Reads on in a buffer and a stream of a version that may have been replaced, and takes new
    /// ones.
    fn hold(&mut self, round: u64) {
        if let Some(mut kept) = self.kept.take() {
            let (byte, next) = (kept.byte, kept.next);
            let is_whole = kept.buffer.len() == 4_096 && kept.buffer.iter().all(|one| *one == byte);
            if !is_whole {
                self.seen.failed("a buffer has changed".to_owned());
            }
            let item = block_on(kept.stream.next());
            match item.transpose() {
                Ok(Some(number)) if number == next => {}
                other => self.seen.failed(format!("a stream answered {other:?}")),
            }
        }
        let byte = (round % 251) as u8;
        let buffer = self.soak.buffer(byte);
        let buffer = self.expect("buffer", buffer, |_| true);
        let stream = self.soak.numbers();
        let stream = self.expect("numbers", stream, |_| true);
        self.kept = buffer.zip(stream).map(|(buffer, stream)| Kept {
            buffer,
            byte,
            stream,
            next: 0,
        });
    }

    fn expect<T: std::fmt::Debug>(
        &self,
        what: &str,
        answer: keyway::Result<T>,
        is_right: impl FnOnce(&T) -> bool,
    ) -> Option<T> {
        self.seen.calls.fetch_add(1, Ordering::Relaxed);
        match answer {
            Ok(answer) if is_right(&answer) => return Some(answer),
            Ok(answer) => self.seen.failed(format!("{what} answered {answer:?}")),
            Err(error) => self.seen.failed(format!("{what}: {error}")),
        }
        None
    }

    fn expect_panic(&self) {
        self.seen.calls.fetch_add(1, Ordering::Relaxed);
        let is_contained = |error: &PluginError| error.kind() == ErrorKind::Panicked;
        match self.soak.panic() {
            Err(error) if is_contained(&error) => {}
            other => self.seen.failed(format!("panic answered {other:?}")),
        }
    }
}

/// The smallest executor there is.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => std::thread::park(),
        }
    }
}
