//! A plugin that uses tokio, under whatever executor its host has.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use keyway::{ErrorKind, PluginError, Result};
use keyway_host::{Host, HostErrorKind, ToolClient};
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use keyway_tests::child;
use keyway_tests::{cargo, cargo_libraries, host, host_builder};
use serde_json::{Value, json};

/// The fixture with these options of cargo, in a place where the next build does not change it.
fn build(name: &str, options: &[&str]) -> PathBuf {
    let libraries = cargo_libraries(cargo(&["build", "-p", "async-plugin"]).args(options));
    let copy = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // A new file: a test that still runs may have mapped the old one.
    let _ = std::fs::remove_file(&copy);
    std::fs::copy(&libraries["async-plugin"], &copy).expect("it was built");
    copy
}

/// One test at a time, since some count the threads of the process, and one build for all.
fn plugins() -> (MutexGuard<'static, ()>, &'static [PathBuf; 2]) {
    static TURN: Mutex<()> = Mutex::new(());
    static BUILT: OnceLock<[PathBuf; 2]> = OnceLock::new();
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let built = BUILT.get_or_init(|| {
        let without = build("without_runtime.so", &["--no-default-features"]);
        [build("with_runtime.so", &[]), without]
    });
    (turn, built)
}

async fn run(tool: &ToolClient, work: &str) -> Result<String> {
    let answer = tool.call(json!({ "work": work })).await?;
    match answer {
        Value::String(text) => Ok(text),
        other => panic!("expected a text, found {other}"),
    }
}

/// Everything that the plugin can do, on any executor.
async fn everything_works(host: &Host) {
    let tool = host.tool("run").expect("it is offered");
    assert_eq!(
        run(&tool, "spawn").await.expect("it works"),
        "keyway:async-plugin"
    );
    assert_eq!(
        run(&tool, "spawn-blocking").await.expect("it works"),
        "keyway:async-plugin"
    );
    assert_eq!(run(&tool, "echo").await.expect("it works"), "OVER THE WIRE");
    assert_eq!(run(&tool, "select").await.expect("it works"), "the timer");
    assert_eq!(run(&tool, "tick").await.expect("it works"), "ticked");
    assert_eq!(
        run(&tool, "panic-in-task").await.expect("it works"),
        "is_panic: true"
    );
    let error = run(&tool, "panic").await.expect_err("it panics");
    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert_eq!(error.message(), "the call panics");
    let late = tool.with_deadline(Duration::from_millis(5));
    let error = run(&late, "hang").await.expect_err("it never ends");
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    // What came before has left nothing behind that hinders it.
    assert_eq!(run(&tool, "tick").await.expect("it works"), "ticked");
    host.health_check("async-plugin").await.expect("it ticks");
}

/// How many epoll descriptors the process has.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn epolls() -> usize {
    let open = std::fs::read_dir("/proc/self/fd").expect("linux has it");
    let targets = open.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    targets
        .filter(|target| target.as_os_str() == "anon_inode:[eventpoll]")
        .count()
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn a_runtime_is_gone_with_its_plugin_and_leaves_no_file_descriptor_open() {
    let (_turn, [with_runtime, _]) = plugins();
    // Descriptors are counted, so the process has to be one of its own.
    child::passes(
        "runtimes_come_and_go",
        &[("KEYWAY_TEST_PLUGIN", with_runtime.as_os_str())],
    );
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[ignore = "the second half of a_runtime_is_gone_with_its_plugin_and_leaves_no_file_descriptor_open"]
fn runtimes_come_and_go() {
    let plugin = PathBuf::from(child::variable("KEYWAY_TEST_PLUGIN"));
    let host = host_builder()
        .idle_thread_deadline(Duration::ZERO)
        .build()
        .expect("a host");
    let before = epolls();
    for generation in 1..=5 {
        host.block_on(host.load(&plugin)).expect("it loads");
        assert!(epolls() > before, "its runtime has one");
        host.block_on(host.stop("async-plugin")).expect("it stops");
        let counts = host.wait_for_unload(Duration::from_secs(60));
        assert_eq!(counts.unloaded, generation, "{counts:?}");
        assert_eq!(epolls(), before);
    }
}

async fn live(host: Host, library: PathBuf) {
    host.load(library).await.expect("it loads");
    everything_works(&host).await;
    host.stop("async-plugin").await.expect("it ends well");
}

#[test]
fn tokio_works_under_the_executor_of_the_host() {
    let (_turn, [library, _]) = plugins();
    let host = host();
    host.block_on(live(host.clone(), library.clone()));
}

#[test]
fn tokio_works_under_an_executor_that_knows_nothing_of_tokio() {
    let (_turn, [library, _]) = plugins();
    block_on(live(host(), library.clone()));
}

#[test]
fn tokio_works_under_the_runtime_of_the_application() {
    let (_turn, [library, _]) = plugins();
    for runtime in [
        tokio::runtime::Builder::new_current_thread().build(),
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build(),
    ] {
        let runtime = runtime.expect("a runtime");
        let (host, library) = (host(), library.clone());
        // On a worker thread, as a server would.
        let task = runtime.spawn(live(host, library));
        runtime.block_on(task).expect("it ends well");
    }
}

#[test]
fn calls_from_many_threads_share_one_runtime() {
    let (_turn, [library, _]) = plugins();
    let host = host();
    block_on(host.load(library)).expect("it loads");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| block_on(everything_works(&host)));
        }
    });
    block_on(host.stop("async-plugin")).expect("it ends well");
}

#[cfg(target_os = "linux")]
#[test]
fn the_threads_of_the_plugin_end_when_it_stops() {
    let (_turn, [library, _]) = plugins();
    // Its predecessors may still be on their way out.
    eventually("no thread is left of the tests before", || threads() == 0);
    let host = host();
    host.block_on(async {
        host.load(library).await.expect("it loads");
        let tool = host.tool("run").expect("it is offered");
        run(&tool, "spawn-blocking").await.expect("it works");
        assert!(threads() >= 3, "two workers, and one thread that may block");
        host.stop("async-plugin").await.expect("it ends well");
    });
    // Joined means that the thread has ended; the kernel may list it a moment longer.
    eventually("the threads have ended", || threads() == 0);
    let error = host.plugin("async-plugin").expect_err("it is gone");
    assert_eq!(error.kind(), HostErrorKind::NotFound);
}

#[test]
fn a_call_that_waits_for_a_task_of_its_plugin_gets_its_answer_before_the_plugin_ends() {
    let (_turn, [library, _]) = plugins();
    let host = host();
    block_on(host.load(library)).expect("it loads");
    let tool = host.tool("run").expect("it is offered");
    let mut call = Box::pin(run(&tool, "spawn"));
    // From here on it has started, whenever its task may finish.
    let first = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let stopping = std::thread::scope(|scope| {
        let stopping = scope.spawn(|| block_on(host.stop("async-plugin")));
        let answer = match first {
            Poll::Ready(answer) => answer,
            Poll::Pending => block_on(call),
        };
        assert_eq!(
            answer.expect("its task was not cancelled"),
            "keyway:async-plugin"
        );
        stopping.join().expect("it does not panic")
    });
    stopping.expect("it ends well");
}

#[test]
fn a_task_that_never_ends_does_not_keep_the_plugin_from_stopping() {
    let (_turn, [library, _]) = plugins();
    let host = host_builder()
        .lifecycle_deadline(Duration::from_secs(5))
        .build()
        .expect("a host");
    host.block_on(async {
        host.load(library).await.expect("it loads");
        let tool = host.tool("run").expect("it is offered");
        let hanging = tokio::spawn(async move { run(&tool, "hang").await });
        tokio::task::yield_now().await;
        host.stop("async-plugin").await.expect("it ends well");
        hanging.abort();
    });
}

#[test]
fn without_the_feature_the_panic_is_contained_and_names_the_feature() {
    let (_turn, [_, library]) = plugins();
    let host = host();
    let error = block_on(host.load(library)).expect_err("it spawns in prepare");
    assert_eq!(error.kind(), HostErrorKind::Prepare);
    let cause: &PluginError = error.plugin_error().expect("the plugin's own error");
    assert_eq!(cause.kind(), ErrorKind::Panicked);
    assert!(
        cause.message().starts_with("there is no reactor running"),
        "{cause}"
    );
    assert!(
        cause
            .message()
            .contains("enable the feature `tokio` of `keyway`"),
        "{cause}"
    );
}

/// The smallest executor there is.
fn block_on<F: Future>(future: F) -> F::Output {
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

/// How many threads of this process belong to the plugin. The kernel keeps 15 bytes of a name.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("procfs");
    let names = tasks.filter_map(|task| {
        // A thread may end while it is looked at.
        std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
    });
    names
        .filter(|name| name.trim_end() == "keyway:async-pl")
        .count()
}

#[cfg(target_os = "linux")]
fn eventually(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("expected after ten seconds that {what}");
}
