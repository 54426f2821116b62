//! The reaper with thread-locals of a library that was never opened: its place is taken by this
//! binary, which no `dlclose` unmaps.

use std::ffi::{c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use keyway::shim::hooks::{HostThreads, PluginThreads};
use keyway::slot::Slot;

use super::reaper::{Closing, close};
use super::tally::{Closed, Tally};
use super::threads::{Record, leave, leave_last};
use super::{IdleThreads, host_thread};

/// More than any of these tests needs, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than any of these tests runs.
const AN_HOUR: Duration = Duration::from_secs(3600);

static HOOKS: PluginThreads = PluginThreads {
    size: size_of::<PluginThreads>(),
    install,
    delete_keys: none,
    before_install: none,
};

unsafe extern "C" fn install(_: *const HostThreads, _: usize) {}

unsafe extern "C" fn none() -> u32 {
    0
}

/// A thread-local that tells the name of the thread that destroys it.
struct Local {
    told: Sender<String>,
    /// Left by its destructor in turn.
    next: Option<(usize, Box<Local>)>,
}

/// Makes the values of keys that a thread has tell the name of the thread that destroys them.
fn put_values(context: usize, values: Box<Local>) {
    // SAFETY: the destructor is made for it.
    let answer: c_int = unsafe { leave_last(context, destroy, Box::into_raw(values).cast()) };
    assert_eq!(answer, 0);
}

unsafe extern "C" fn destroy(local: *mut c_void) {
    // SAFETY: `put` made it of a box, and it is destroyed once.
    let local = unsafe { Box::from_raw(local.cast::<Local>()) };
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("without a name").to_owned();
    local.told.send(name).expect("the test listens");
    if let Some((context, next)) = local.next {
        put(context, next);
    }
}

fn put(context: usize, local: Box<Local>) {
    // SAFETY: the destructor is made for it.
    let answer: c_int = unsafe { leave(context, destroy, Box::into_raw(local).cast()) };
    assert_eq!(answer, 0);
}

/// Tells its own name when it is destroyed.
struct Step {
    name: &'static str,
    told: Sender<&'static str>,
}

impl Step {
    fn put(self, context: usize, last: bool) {
        unsafe extern "C" fn destroy(step: *mut c_void) {
            // SAFETY: it was made of a box, and is destroyed once.
            let step = unsafe { Box::from_raw(step.cast::<Step>()) };
            // A test that is over does not listen any more.
            let _ = step.told.send(step.name);
        }
        let leave = if last { leave_last } else { leave };
        let step = Box::into_raw(Box::new(self)).cast();
        // SAFETY: the destructor is made for it.
        assert_eq!(unsafe { leave(context, destroy, step) }, 0);
    }
}

/// A thread that does what it is told.
struct Worker {
    work: Sender<Box<dyn FnOnce() + Send>>,
    done: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Worker {
    fn new(name: &str) -> Self {
        let (work, todo) = channel::<Box<dyn FnOnce() + Send>>();
        let (say, done) = channel();
        let run = move || {
            for work in todo {
                work();
                say.send(()).expect("the test waits");
            }
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .expect("a thread");
        Worker { work, done, thread }
    }

    fn does(&self, work: impl FnOnce() + Send + 'static) {
        self.work.send(Box::new(work)).expect("the thread waits");
        self.done.recv().expect("the thread is well");
    }

    fn end(self) {
        drop(self.work);
        self.thread.join().expect("the thread is well");
    }

    /// Calls, through some slot.
    fn calls(&self) {
        self.does(|| assert_eq!(Slot::<()>::new(None).with(|_| ()), None));
    }

    /// Calls again and again until the library has ended: who calls before the reaper has asked it
    /// to come by comes too early.
    fn calls_until(&self, closed: &Receiver<Closed>) -> Closed {
        let bound = Instant::now() + PATIENCE;
        loop {
            self.calls();
            if let Ok(closed) = closed.try_recv() {
                return closed;
            }
            assert!(Instant::now() < bound, "the library does not end");
        }
    }
}

/// A library that was opened, and what became of it.
struct Scene {
    record: Arc<Record>,
    tally: Arc<Tally>,
    path: PathBuf,
    destroyed: Receiver<String>,
    tell: Sender<String>,
}

impl Scene {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let tally = Arc::new(Tally::new(64));
        tally.opened();
        let (tell, destroyed) = channel();
        Scene {
            record: Record::new(),
            tally,
            path: Path::new("/nowhere").join(number.to_string()),
            destroyed,
            tell,
        }
    }

    fn local(&self) -> Box<Local> {
        Box::new(Local {
            told: self.tell.clone(),
            next: None,
        })
    }

    fn put_on(&self, worker: &Worker) {
        let (context, local) = (self.record.context(), self.local());
        worker.does(move || put(context, local));
    }

    fn close(&self, idle_threads: IdleThreads, patience: Duration) -> Receiver<Closed> {
        let (say, closed) = channel();
        close(Closing {
            handle: libloading::os::unix::Library::this().into(),
            threads: Some(&HOOKS),
            record: Arc::clone(&self.record),
            path: self.path.clone(),
            tally: Arc::clone(&self.tally),
            pin: None,
            idle_threads,
            patience,
            listeners: Mutex::new(vec![Box::new(move |closed: &Closed| {
                say.send(closed.clone()).expect("the test listens");
            })]),
        });
        closed
    }

    /// The threads on which its thread-locals were destroyed so far.
    fn destroyed_on(&self) -> Vec<String> {
        self.destroyed.try_iter().collect()
    }

    fn open(&self) -> usize {
        self.tally.counts().open
    }
}

fn end(closed: &Receiver<Closed>) -> Closed {
    closed.recv_timeout(PATIENCE).expect("the library ends")
}

#[test]
fn a_library_that_left_nothing_waits_for_nobody() {
    let scene = Scene::new();
    let closed = scene.close(IdleThreads::Retain, AN_HOUR);
    assert_eq!(end(&closed), Closed::Unloaded);
    assert_eq!((scene.open(), scene.tally.counts().unloaded), (0, 1));
}

#[test]
fn a_thread_that_calls_in_time_destroys_its_own_last_first_whatever_the_policy() {
    for policy in [IdleThreads::Run, IdleThreads::Leak, IdleThreads::Retain] {
        let (scene, worker) = (Scene::new(), Worker::new("caller"));
        scene.put_on(&worker);
        let context = scene.record.context();
        let mut last = scene.local();
        last.next = Some((context, scene.local()));
        worker.does(move || put(context, last));
        let closed = scene.close(policy, AN_HOUR);
        assert_eq!(worker.calls_until(&closed), Closed::Unloaded, "{policy:?}");
        assert_eq!(scene.destroyed_on(), ["caller"; 3], "{policy:?}");
        let counts = scene.tally.counts();
        assert_eq!(
            (
                counts.open,
                counts.destructors_run,
                counts.destructors_leaked
            ),
            (0, 0, 0)
        );
        worker.end();
    }
}

#[test]
fn a_call_leaves_the_thread_locals_of_open_libraries_alone() {
    let (open, closing, worker) = (Scene::new(), Scene::new(), Worker::new("caller"));
    open.put_on(&worker);
    closing.put_on(&worker);
    let closed = closing.close(IdleThreads::Run, AN_HOUR);
    assert_eq!(worker.calls_until(&closed), Closed::Unloaded);
    assert_eq!(open.destroyed_on(), [""; 0]);
    worker.end();
    assert_eq!(open.destroyed_on(), ["caller"]);
}

#[test]
fn a_thread_that_ends_in_time_destroys_its_own() {
    let (scene, worker) = (Scene::new(), Worker::new("ender"));
    scene.put_on(&worker);
    let closed = scene.close(IdleThreads::Leak, AN_HOUR);
    worker.end();
    assert_eq!(end(&closed), Closed::Unloaded);
    assert_eq!(scene.destroyed_on(), ["ender"]);
}

#[test]
fn one_library_that_waits_for_a_thread_holds_up_no_other() {
    let (scene, worker) = (Scene::new(), Worker::new("idle"));
    scene.put_on(&worker);
    let closed = scene.close(IdleThreads::Run, AN_HOUR);
    let other = Scene::new();
    assert_eq!(
        end(&other.close(IdleThreads::Run, AN_HOUR)),
        Closed::Unloaded
    );
    assert_eq!((scene.open(), other.open()), (1, 0));
    worker.end();
    assert_eq!(end(&closed), Closed::Unloaded);
}

#[test]
fn what_an_idle_thread_has_is_destroyed_by_the_reaper_at_the_deadline() {
    let (scene, worker) = (Scene::new(), Worker::new("idle"));
    let context = scene.record.context();
    let mut local = scene.local();
    local.next = Some((context, scene.local()));
    worker.does(move || put(context, local));
    let closed = scene.close(IdleThreads::Run, Duration::ZERO);
    assert_eq!(end(&closed), Closed::Unloaded);
    // The second came into being on the reaper.
    assert_eq!(scene.destroyed_on(), ["keyway-reaper"; 2]);
    assert_eq!(scene.tally.counts().destructors_run, 2);
    worker.end();
    assert_eq!(scene.destroyed_on(), [""; 0]);
}

#[test]
fn what_an_idle_thread_has_is_lost_and_counted_where_the_plugin_wants_that() {
    let (scene, worker) = (Scene::new(), Worker::new("idle"));
    scene.put_on(&worker);
    scene.put_on(&worker);
    let closed = scene.close(IdleThreads::Leak, Duration::ZERO);
    assert_eq!(end(&closed), Closed::Unloaded);
    let counts = scene.tally.counts();
    assert_eq!((counts.destructors_run, counts.destructors_leaked), (0, 2));
    worker.calls();
    worker.end();
    assert_eq!(scene.destroyed_on(), [""; 0]);
}

#[test]
fn a_library_is_retained_for_an_idle_thread_where_the_plugin_wants_that_until_it_comes() {
    let (scene, worker) = (Scene::new(), Worker::new("idle"));
    scene.put_on(&worker);
    let closed = scene.close(IdleThreads::Retain, Duration::ZERO);
    let Closed::Retained { cause } = end(&closed) else {
        panic!("it ended in another way");
    };
    assert!(cause.ends_with("idle"), "{cause}");
    let counts = scene.tally.counts();
    assert_eq!(
        (counts.open, counts.retained.get(&scene.path)),
        (0, Some(&cause))
    );
    assert_eq!(scene.destroyed_on(), [""; 0]);
    worker.calls();
    assert_eq!(scene.destroyed_on(), ["idle"]);
    let bound = Instant::now() + PATIENCE;
    while scene.tally.counts().unloaded == 0 {
        assert!(Instant::now() < bound, "it was not closed");
        std::thread::yield_now();
    }
    assert!(scene.tally.counts().retained.is_empty());
    assert!(closed.recv().is_err(), "its end is told once");
    worker.end();
}

#[test]
fn key_values_go_after_the_thread_locals_of_their_generation() {
    let (first, second) = (Scene::new(), Scene::new());
    let worker = Worker::new("caller");
    let context = first.record.context();
    let (told, order) = channel();
    let step = |name: &'static str| Step {
        name,
        told: told.clone(),
    };
    let other = second.record.context();
    let steps = [
        (other, false, step("of another generation")),
        (context, false, step("first thread-local")),
        (context, true, step("key values")),
        (context, false, step("second thread-local")),
    ];
    worker.does(move || {
        for (context, last, step) in steps {
            step.put(context, last);
        }
    });
    let closed = first.close(IdleThreads::Retain, AN_HOUR);
    assert_eq!(worker.calls_until(&closed), Closed::Unloaded);
    let order: Vec<_> = order.try_iter().collect();
    assert_eq!(
        order,
        ["second thread-local", "first thread-local", "key values"]
    );
    worker.end();
}

#[test]
fn key_values_of_an_idle_thread_are_lost_and_counted_and_its_thread_locals_are_not() {
    let (scene, worker) = (Scene::new(), Worker::new("idle"));
    let context = scene.record.context();
    scene.put_on(&worker);
    let values = scene.local();
    worker.does(move || put_values(context, values));
    let closed = scene.close(IdleThreads::Run, Duration::ZERO);
    assert_eq!(end(&closed), Closed::Unloaded);
    assert_eq!(scene.destroyed_on(), ["keyway-reaper"]);
    let counts = scene.tally.counts();
    assert_eq!((counts.destructors_run, counts.destructors_leaked), (1, 1));
    worker.end();
    assert_eq!(scene.destroyed_on(), [""; 0]);
}

#[test]
fn key_values_that_come_into_being_on_the_reaper_are_destroyed_there() {
    unsafe extern "C" fn destroy_and_put(local: *mut c_void) {
        // SAFETY: the test made it of a box, and it is destroyed once.
        let mut local = unsafe { Box::from_raw(local.cast::<Local>()) };
        let (context, values) = local.next.take().expect("the test put it there");
        put_values(context, values);
    }
    let (scene, worker) = (Scene::new(), Worker::new("idle"));
    let context = scene.record.context();
    let mut local = scene.local();
    local.next = Some((context, scene.local()));
    worker.does(move || {
        let local = Box::into_raw(local).cast();
        // SAFETY: the destructor is made for it.
        assert_eq!(unsafe { leave(context, destroy_and_put, local) }, 0);
    });
    let closed = scene.close(IdleThreads::Run, Duration::ZERO);
    assert_eq!(end(&closed), Closed::Unloaded);
    assert_eq!(scene.destroyed_on(), ["keyway-reaper"]);
    let counts = scene.tally.counts();
    assert_eq!((counts.destructors_run, counts.destructors_leaked), (2, 0));
    worker.end();
}

#[test]
fn nobody_waits_for_a_thread_of_the_host() {
    let (scene, worker) = (Scene::new(), Worker::new("of the host"));
    worker.does(host_thread);
    scene.put_on(&worker);
    let closed = scene.close(IdleThreads::Run, AN_HOUR);
    assert_eq!(end(&closed), Closed::Unloaded);
    assert_eq!(scene.destroyed_on(), ["keyway-reaper"]);
    worker.end();
}

#[test]
fn a_library_without_hooks_is_retained() {
    let scene = Scene::new();
    let (say, closed) = channel();
    close(Closing {
        handle: libloading::os::unix::Library::this().into(),
        threads: None,
        record: Arc::clone(&scene.record),
        path: scene.path.clone(),
        tally: Arc::clone(&scene.tally),
        pin: None,
        idle_threads: IdleThreads::Run,
        patience: AN_HOUR,
        listeners: Mutex::new(vec![Box::new(move |closed: &Closed| {
            say.send(closed.clone()).expect("the test listens");
        })]),
    });
    let Closed::Retained { cause } = end(&closed) else {
        panic!("it ended in another way");
    };
    assert!(cause.contains("thread hooks"), "{cause}");
    assert_eq!(scene.tally.counts().retained.len(), 1);
}

#[test]
fn a_host_opens_nothing_more_once_as_many_libraries_stay_as_it_may_keep() {
    use super::tally::Took;
    use crate::error::HostErrorKind;
    let tally = Tally::new(2);
    for (path, cause) in [("/nowhere/a", "one"), ("/nowhere/b", "another")] {
        tally.admit().expect("there is room");
        tally.opened();
        let cause = cause.to_owned();
        tally.closed(
            Path::new(path),
            &Closed::Retained { cause },
            Took::default(),
        );
    }
    let error = tally.admit().expect_err("there is none");
    assert_eq!(error.kind(), HostErrorKind::Retained);
    let text = error.to_string();
    for words in [
        "2 stay in memory",
        "may keep 2",
        "1 because one",
        "1 because another",
        "restart",
    ] {
        assert!(text.contains(words), "`{words}` is missing in: {text}");
    }
}
