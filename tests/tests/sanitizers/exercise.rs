//! Everything that the unsafe core does, with the result of each step asserted, so that a
//! sanitizer has something to watch. The same for plugins that are linked in and for libraries.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use image_filter::{ImageFilter, ImageFilterHandle, ImagePlugin};
use keyway::{Bytes, ErrorKind, PluginError, Result};
use keyway_host::{Host, HostBuilder, LoadOptions, ReloadOptions, ReloadOutcome};
use keyway_tests::host_builder;
use misbehaves::{Misbehaves, Trouble, TroubleHandle};
use tempfile::TempDir;

use crate::nests::{Nests, NestsHandle, NestsPlugin, OTHER};

/// Where the plugins come from.
#[derive(Clone, Debug)]
pub(crate) enum Plugins {
    /// This binary.
    Linked,
    /// Libraries, by the names of their packages.
    Libraries(fn(&str) -> PathBuf),
}

/// A host with the plugins, and a directory for the marks that destructors leave.
struct Bench {
    host: Host,
    plugins: Plugins,
    marks: TempDir,
}

/// Runs all of it.
pub(crate) fn everything(plugins: &Plugins) {
    let bench = Bench::new(plugins, host_builder());
    bench.values_cross();
    bench.panics_are_contained();
    bench.dropped_calls_are_cancelled();
    bench.results_outlive_their_plugin();
    bench.end();
    // A step that shares the turns of a tool with callers that never stop takes its time.
    let patience = Duration::from_secs(120);
    let bench = Bench::new(plugins, host_builder().lifecycle_deadline(patience));
    bench.plugins_come_and_go_under_load();
    match plugins {
        Plugins::Linked => bench.calls_nest(),
        Plugins::Libraries(_) => bench.plugins_are_reloaded_under_load(),
    }
    bench.end();
    limits_hold(plugins);
}

impl Bench {
    fn new(plugins: &Plugins, builder: HostBuilder) -> Self {
        let bench = Bench {
            host: builder.build().expect("a host"),
            plugins: plugins.clone(),
            marks: tempfile::tempdir().expect("a directory"),
        };
        bench.start("image-filter");
        bench.start("misbehaves");
        bench
    }

    fn end(self) {
        let ended = self.host.block_on(self.host.shutdown());
        assert!(ended.is_empty(), "{ended:?}");
    }

    fn start(&self, name: &str) {
        let (host, options) = (&self.host, LoadOptions::new());
        let started = match (&self.plugins, name) {
            (Plugins::Libraries(library), name) => {
                host.block_on(host.load_with(library(name), options))
            }
            (Plugins::Linked, "image-filter") => {
                host.block_on(host.register_static::<ImagePlugin>(options))
            }
            (Plugins::Linked, "misbehaves") => {
                host.block_on(host.register_static::<Misbehaves>(options))
            }
            (Plugins::Linked, _) => host.block_on(host.register_static::<NestsPlugin>(options)),
        };
        started.unwrap_or_else(|error| panic!("{name} starts: {error}"));
    }

    fn stop(&self, name: &str) {
        let stopped = self.host.block_on(self.host.stop(name));
        stopped.unwrap_or_else(|error| panic!("{name} stops: {error}"));
    }

    fn filter(&self) -> ImageFilterHandle {
        self.host.capability("invert").expect("it is offered")
    }

    fn trouble(&self) -> TroubleHandle {
        self.host.capability("trouble").expect("it is offered")
    }

    /// A name of a file that a destructor creates.
    fn mark(&self, name: &str) -> String {
        let path = self.marks.path().join(name);
        path.into_os_string().into_string().expect("UTF-8")
    }

    fn is_marked(&self, name: &str) -> bool {
        self.marks.path().join(name).exists()
    }

    fn values_cross(&self) {
        let filter = self.filter();
        let mut pixels = vec![1_u8; 1 << 12];
        assert_eq!(filter.apply(&mut pixels, 3).expect("it works"), 1 << 12);
        assert!(pixels.iter().all(|pixel| *pixel == 254));
        assert_eq!(filter.apply(&mut [], 3).expect("it works"), 0);
        assert_eq!(filter.sum(&[]).expect("it works"), 0);
        assert_eq!(filter.sum_twice(&[1, 2]).expect("it works"), 6);
        let joined = filter.join("", String::new(), vec![String::new(), "ab".into()]);
        assert_eq!(joined.expect("it works"), "ab");
        let buffer = Bytes::from(vec![7; 1 << 12]);
        let back = filter.pass_through(buffer.slice(1..9)).expect("it works");
        assert_eq!(back.slice(2..4), buffer.slice(2..4));
        self.host.block_on(async {
            let described = filter.describe(vec![1, 2, 3]).await.expect("it works");
            assert_eq!(described.sizes, [1, 2, 3]);
            let found = filter.find(b"haystack", b"st").await;
            assert_eq!(found.expect("it works"), Some(3));
            assert_eq!(filter.title().await.expect("it works"), "Invert");
            let mut rows = filter.rows(buffer.clone(), 1 << 10).expect("it works");
            for _ in 0..4 {
                let row = rows.next().await.expect("four rows").expect("a row");
                assert_eq!(row.len(), 1 << 10);
            }
            assert!(rows.next().await.is_none());
            assert!(rows.next().await.is_none(), "the end is the end");
            let half_read = filter.rows(buffer, 2).expect("it works");
            drop(half_read);
            let error = filter.apply(&mut [0], 0).expect_err("it is refused");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert_eq!(self.trouble().pend(20).await.expect("it ends"), 20);
        });
    }

    fn panics_are_contained(&self) {
        let trouble = self.trouble();
        let before = self.panics();
        let panicked = |error: PluginError| assert_eq!(error.kind(), ErrorKind::Panicked);
        panicked(trouble.panic("loud").expect_err("it panics"));
        panicked(trouble.panic_with_number(1).expect_err("it panics"));
        assert!(trouble.panic_on_thread().expect("it answers"));
        self.host.block_on(async {
            for poll in [1, 3] {
                let mark = format!("panicked at poll {poll}");
                let call = trouble.panic_at_poll(poll, self.mark(&mark));
                panicked(call.await.expect_err("it panics"));
                assert!(self.is_marked(&mark), "what the future owned is dropped");
            }
            let mut numbers = trouble.numbers(2).expect("it starts");
            assert_eq!(numbers.next().await.expect("a number").expect("0"), 0);
            assert_eq!(numbers.next().await.expect("a number").expect("1"), 1);
            panicked(numbers.next().await.expect("an item").expect_err("2"));
            assert!(numbers.next().await.is_none());
        });
        assert_eq!(self.panics() - before, 5, "in calls, polls and streams");
        poll_once(trouble.panic_at_drop());
        drop(trouble.stream_that_panics_at_drop().expect("it starts"));
        let buffer = trouble.buffer_that_panics_at_drop().expect("it answers");
        assert_eq!(buffer, "a buffer");
        drop(buffer);
        trouble.count().expect("the plugin goes on");
    }

    fn panics(&self) -> u64 {
        let status = self.host.plugin("misbehaves").expect("it serves");
        status.panics
    }

    fn dropped_calls_are_cancelled(&self) {
        let trouble = self.trouble();
        poll_once(trouble.never(self.mark("cancelled")));
        assert!(
            self.is_marked("cancelled"),
            "the future is dropped with its call"
        );
        drop(trouble.never(self.mark("never polled")));
        assert!(!self.is_marked("never polled"), "it has never started");
        let late = trouble.with_deadline(Duration::from_millis(2));
        let error = self.host.block_on(late.never(self.mark("late")));
        let error = error.expect_err("it is late");
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert!(self.is_marked("late"));
    }

    /// Buffers, streams and pending calls hold what they come from.
    fn results_outlive_their_plugin(&self) {
        let trouble = self.trouble();
        let buffer = trouble
            .buffer("kept", self.mark("released"))
            .expect("it answers");
        let mut numbers = trouble.numbers(u64::MAX).expect("it starts");
        let mut pending = Box::pin(trouble.pend(3));
        assert!(poll(&mut pending).is_none());
        self.stop("misbehaves");
        let error = trouble.count().expect_err("it has gone");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let error = self
            .host
            .block_on(pending)
            .expect_err("nobody polled it in time");
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        let first = self.host.block_on(numbers.next()).expect("an item");
        assert_eq!(first.expect("a number"), 0);
        drop(numbers);
        assert_eq!(buffer, "kept");
        let part = buffer.slice(1..);
        drop(buffer);
        assert!(!self.is_marked("released"));
        std::thread::spawn(move || drop(part))
            .join()
            .expect("it drops anywhere");
        assert!(self.is_marked("released"));
        self.start("misbehaves");
        trouble.count().expect("the old handle serves again");
    }

    /// Callers on many threads while one of the plugins stops and starts: each call either works
    /// or says that nobody serves.
    fn plugins_come_and_go_under_load(&self) {
        let (filter, trouble) = (self.filter(), self.trouble());
        let unless_away = |answer: Result<()>| match answer {
            Ok(()) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        unless_away(trouble.count().map(drop));
                        assert_eq!(filter.sum(&[1, 2, 3]).expect("it stays"), 6);
                        unless_away(self.host.block_on(trouble.pend(2)).map(drop));
                        unless_away(trouble.numbers(u64::MAX).map(drop));
                        std::thread::yield_now();
                    }
                });
            }
            for _ in 0..5 {
                self.stop("misbehaves");
                self.start("misbehaves");
            }
        });
        trouble.count().expect("it serves");
    }

    /// The same while one of them is reloaded, with a version on probation beside the one that
    /// serves, and sent back: no call ever fails.
    fn plugins_are_reloaded_under_load(&self) {
        let trouble = self.trouble();
        let over = AtomicBool::new(false);
        let failed = std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        trouble.count().expect("no call fails");
                        let pended = self.host.block_on(trouble.pend(2));
                        pended.expect("no call fails");
                        let mut numbers = trouble.numbers(u64::MAX).expect("no call fails");
                        let next = self.host.block_on(numbers.next());
                        next.expect("there are more").expect("no call fails");
                        // Valgrind runs one thread at a time; the reload has to have its turns.
                        std::thread::yield_now();
                    }
                });
            }
            let mut failed = Vec::new();
            for round in 0..6 {
                let options = ReloadOptions::new().force();
                let reload = self.host.reload_with("misbehaves", options);
                let mut reports = vec![self.host.block_on(reload)];
                if round % 3 == 2 {
                    reports.push(self.host.block_on(self.host.rollback("misbehaves")));
                }
                let refused = |outcome: &ReloadOutcome| {
                    matches!(
                        outcome,
                        ReloadOutcome::Unchanged | ReloadOutcome::Refused { .. }
                    )
                };
                failed.extend(reports.into_iter().filter(|report| {
                    report.as_ref().is_err() || report.as_ref().is_ok_and(|r| refused(&r.outcome))
                }));
            }
            over.store(true, Ordering::Relaxed);
            failed
        });
        assert!(failed.is_empty(), "{failed:#?}");
    }

    fn calls_nest(&self) {
        self.start("nests");
        let nests = self
            .host
            .capability::<NestsHandle>("nests")
            .expect("it is offered");
        *OTHER.lock().expect("nothing panics under this lock") = Some(self.trouble());
        // More levels than a thread has hazard records.
        nests.nest(40).expect("it works at any depth");
        let waited = self.host.block_on(nests.wait(5));
        assert_eq!(waited.expect("it works"), 5);
        *OTHER.lock().expect("nothing panics under this lock") = None;
        assert!(nests.nest(1).is_err());
    }
}

/// One call at a time, and one that waits.
fn limits_hold(plugins: &Plugins) {
    let bench = Bench::new(plugins, host_builder().max_concurrency(1).max_queued(1));
    let trouble = bench.trouble();
    let busy = |error: PluginError| assert_eq!(error.kind(), ErrorKind::Busy);
    let mut first = Box::pin(trouble.pend(2));
    let mut second = Box::pin(trouble.pend(1));
    let mut third = Box::pin(trouble.pend(1));
    assert!(poll(&mut first).is_none(), "it runs");
    assert!(poll(&mut second).is_none(), "it waits");
    busy(
        poll(&mut third)
            .expect("it is refused")
            .expect_err("at once"),
    );
    busy(trouble.count().expect_err("sync calls do not wait"));
    assert!(poll(&mut first).is_none());
    assert_eq!(poll(&mut first).expect("it ends").expect("well"), 2);
    // The turn of the second has come; it gives it up.
    drop(second);
    trouble.count().expect("nobody is inside");
    let mut again = Box::pin(trouble.panic_at_poll(2, bench.mark("limited")));
    assert!(poll(&mut again).is_none());
    busy(trouble.count().expect_err("the call is inside"));
    poll(&mut again)
        .expect("it ends")
        .expect_err("with a panic");
    trouble.count().expect("the panic gave its place back");
}

fn poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// Starts a call and drops it.
fn poll_once<T>(call: impl Future<Output = T>) {
    assert!(poll(&mut Box::pin(call)).is_none(), "it waits");
}
