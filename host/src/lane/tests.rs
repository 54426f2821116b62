use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{ThreadId, current};

use tokio::runtime::{Builder, Runtime};

use super::*;

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).build().expect("a runtime")
}

/// Runs a task on a lane, for somebody who may stop waiting.
fn spawned<T: Send + 'static>(
    runtime: &Runtime,
    task: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<Option<T>> {
    let handle = runtime.handle().clone();
    runtime.spawn(async move { run(&handle, task).await })
}

/// The thread of a step.
async fn thread_of_a_step(runtime: &Handle) -> ThreadId {
    let thread = on_thread(runtime, || current().id()).await;
    thread.expect("the runtime lives")
}

#[test]
fn the_steps_of_a_task_and_the_task_share_a_thread() {
    let runtime = runtime();
    let handle = runtime.handle().clone();
    let threads = runtime.block_on(run(runtime.handle(), async move {
        let mut threads = vec![current().id()];
        for _ in 0..100 {
            threads.push(thread_of_a_step(&handle).await);
            threads.push(current().id());
        }
        threads
    }));
    let threads = threads.expect("the runtime lives");
    assert!(threads.iter().all(|thread| *thread == threads[0]));
    assert_ne!(threads[0], current().id());
}

#[test]
fn steps_of_no_lane_have_threads_of_their_own() {
    let runtime = runtime();
    let thread = runtime.block_on(thread_of_a_step(runtime.handle()));
    assert_ne!(thread, current().id());
}

#[test]
fn another_thread_goes_on_with_a_task_that_is_woken_while_its_step_hangs() {
    let runtime = runtime();
    let handle = runtime.handle().clone();
    let (give_up, given_up) = oneshot::channel::<()>();
    let (let_go, held): (Sender<()>, Receiver<()>) = channel();
    let (say, entered) = channel();
    let task = spawned(&runtime, async move {
        let mut hanging = Box::pin(on_thread(&handle, move || {
            say.send(current().id()).expect("the test waits");
            let _ = held.recv();
            "late"
        }));
        tokio::select! {
            biased;
            _ = &mut hanging => panic!("nobody has let it go"),
            _ = given_up => {}
        }
        let moved = current().id();
        // The next steps are that thread's, and the first step's answer still arrives.
        assert_eq!(thread_of_a_step(&handle).await, moved);
        let_go.send(()).expect("the step waits");
        (moved, hanging.await)
    });
    let stuck = entered.recv().expect("it is entered");
    give_up.send(()).expect("the task waits");
    let (moved, late) = runtime.block_on(task).expect("no panic").expect("it ends");
    assert_ne!(moved, stuck);
    assert_eq!(late, Some("late"));
}

#[test]
fn two_steps_at_a_time_run_at_a_time() {
    let runtime = runtime();
    let handle = runtime.handle().clone();
    let done = runtime.block_on(run(runtime.handle(), async move {
        let ((to_one, one), (to_two, two)) = (channel(), channel());
        // Each waits for the other.
        let first = on_thread(&handle, move || {
            to_two.send(()).expect("the other waits");
            one.recv().expect("the other lives");
        });
        let second = on_thread(&handle, move || {
            to_one.send(()).expect("the other waits");
            two.recv().expect("the other lives");
        });
        tokio::join!(first, second)
    }));
    assert_eq!(done, Some((Some(()), Some(()))));
}

#[test]
fn panics_of_a_task_and_of_a_step_arrive() {
    let runtime = runtime();
    let task = spawned(&runtime, async { panic!("the task's") });
    let panic = runtime.block_on(task).map(|_: Option<()>| ());
    let panic = panic.expect_err("it panics").into_panic();
    assert_eq!(panic.downcast_ref(), Some(&"the task's"));

    let handle = runtime.handle().clone();
    let task = spawned(&runtime, async move {
        on_thread(&handle, || panic!("the step's"))
            .await
            .unwrap_or(())
    });
    let panic = runtime.block_on(task).expect_err("it panics").into_panic();
    assert_eq!(panic.downcast_ref(), Some(&"the step's"));
}

/// Says when it is dropped.
struct Dropped(Sender<ThreadId>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(current().id());
    }
}

#[test]
fn a_task_whose_answer_nobody_waits_for_is_dropped_on_a_lane() {
    let runtime = runtime();
    let (say, dropped) = channel();
    let witness = Dropped(say);
    let task = spawned(&runtime, async move {
        let _witness = witness;
        pending::<()>().await;
    });
    task.abort();
    let cancelled = runtime.block_on(task).expect_err("it is aborted");
    assert!(cancelled.is_cancelled());
    let thread = dropped.recv().expect("it is dropped");
    assert_ne!(thread, current().id());
}

#[test]
fn a_task_is_not_polled_any_more_when_nobody_waits_though_its_step_goes_on() {
    let runtime = runtime();
    let handle = runtime.handle().clone();
    let (say, dropped) = channel();
    let (witness, finished) = (Dropped(say), Arc::new(AtomicBool::new(false)));
    let (let_go, held) = channel::<()>();
    let (enter, entered) = channel();
    let (end, ended) = channel();
    let reached = Arc::clone(&finished);
    let task = spawned(&runtime, async move {
        let _witness = witness;
        let _ = on_thread(&handle, move || {
            enter.send(()).expect("the test waits");
            let _ = held.recv();
            end.send(()).expect("the test waits");
        })
        .await;
        reached.store(true, Ordering::Release);
    });
    entered.recv().expect("the step runs");
    task.abort();
    dropped
        .recv()
        .expect("the task is dropped while the step runs");
    let_go.send(()).expect("the step waits");
    ended.recv().expect("the step goes on to its end");
    assert!(!finished.load(Ordering::Acquire));
}

#[test]
fn a_runtime_that_ends_drops_the_task_and_says_so() {
    let (ending, asking) = (runtime(), runtime());
    let (say, dropped) = channel();
    let witness = Dropped(say);
    let handle = ending.handle().clone();
    ending.shutdown_background();
    let task = run(&handle, async move {
        let _witness = witness;
    });
    assert_eq!(asking.block_on(task), None);
    dropped.recv().expect("it is dropped");
}

#[test]
fn many_wakings_from_many_threads_lose_none() {
    let runtime = runtime();
    let handle = runtime.handle().clone();
    let total = runtime.block_on(run(runtime.handle(), async move {
        let (give, mut take) = tokio::sync::mpsc::unbounded_channel();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let give = give.clone();
                std::thread::spawn(move || {
                    (0..1000).for_each(|_| give.send(()).expect("it listens"))
                })
            })
            .collect();
        drop(give);
        let mut total = 0;
        while take.recv().await.is_some() {
            total += 1;
            // Steps in between, so that wakings find the task in each of its phases.
            if total % 7 == 0 {
                on_thread(&handle, || ()).await.expect("the runtime lives");
            }
        }
        threads.into_iter().for_each(|thread| drop(thread.join()));
        total
    }));
    assert_eq!(total, Some(4000));
}
