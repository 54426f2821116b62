//! One thread for all steps of a task, for as long as none of them holds it up.
//!
//! A load is a few short steps that may block, each under a deadline. A thread for each would cost two
//! wakings of sleeping threads a step, which is more than most steps take. So a task on a *lane* is
//! polled by a thread that may block, and what the task would have run elsewhere is run by that very
//! thread, outside of the task's poll. When the task is woken meanwhile, say by the deadline of a step
//! that hangs, another thread goes on with it, and the first keeps the step.

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// What a step has come to, on its way to the task.
pub(crate) type Deliver = Box<dyn FnOnce() + Send>;

type Step = Box<dyn FnOnce() -> Deliver + Send>;

thread_local! {
    /// The lane whose task this thread polls, and the step that the task has asked for.
    static ASKED: RefCell<Option<Option<Step>>> = const { RefCell::new(None) };
}

/// Runs `work` on a thread that may block; answers what it answers, or none if the host ends before.
///
/// # Panics
///
/// When `work` does, with its panic.
pub(crate) async fn on_thread<T: Send + 'static>(
    runtime: &Handle,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, finished) = oneshot::channel();
    step(runtime, move || {
        let answer = catch_unwind(AssertUnwindSafe(work));
        // Nobody may listen any more.
        Box::new(move || drop(done.send(answer)))
    });
    match finished.await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_closed) => None,
    }
}

/// Runs a step: on the lane of the task that asks for it, or on a thread of its own where there is none.
/// Must be called while the task is polled.
pub(crate) fn step(runtime: &Handle, step: impl FnOnce() -> Deliver + Send + 'static) {
    let left = ASKED.with_borrow_mut(|asked| match asked {
        // A task that wants two steps at a time gets them at a time.
        Some(asked @ None) => {
            *asked = Some(Box::new(step));
            None
        }
        _ => Some(step),
    });
    if let Some(step) = left {
        runtime.spawn_blocking(move || step()());
    }
}

/// Runs a task on a lane of its own; answers what it answers, or none if the host ends before. The task is
/// dropped, on the lane, if the answer is not waited for any more.
///
/// # Panics
///
/// When the task does, with its panic.
pub(crate) async fn run<T: Send + 'static>(
    runtime: &Handle,
    task: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let (done, finished) = oneshot::channel();
    let lane = Arc::new(Lane {
        runtime: runtime.clone(),
        state: Mutex::new(State {
            task: Some(Running {
                task: Box::pin(task),
                done,
            }),
            phase: Phase::Due,
            cancelled: false,
        }),
    });
    Lane::schedule(&lane);
    let waiting = Waiting(lane);
    let answer = finished.await;
    drop(waiting);
    match answer {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(panic)) => resume_unwind(panic),
        Err(_closed) => None,
    }
}

struct Lane<T> {
    runtime: Handle,
    state: Mutex<State<T>>,
}

struct State<T> {
    /// Taken while it is polled, and when it has ended.
    task: Option<Running<T>>,
    phase: Phase,
    cancelled: bool,
}

struct Running<T> {
    task: Pin<Box<dyn Future<Output = T> + Send>>,
    done: oneshot::Sender<std::thread::Result<T>>,
}

#[derive(Debug)]
enum Phase {
    /// A thread is to poll it, or is about to.
    Due,
    /// A thread polls it.
    Polled {
        /// It was woken since.
        again: bool,
    },
    /// The thread that has polled it runs its step.
    Stepping(Arc<()>),
    /// It waits for something else, and has no thread.
    Idle,
}

/// What a thread does after it has polled a task that goes on.
enum Next {
    Poll,
    Rest,
    /// It runs the step, and polls the task after that if nobody else does by then.
    Step(Step, Arc<()>),
    /// It runs the step, and another thread goes on with the task.
    StepAside(Step),
}

impl<T: Send + 'static> Lane<T> {
    /// Has a thread poll the task, which is due.
    fn schedule(lane: &Arc<Self>) {
        let turn = Turn(Some(Arc::clone(lane)));
        lane.runtime.spawn_blocking(move || turn.take());
    }

    /// Polls the task, and runs its steps, until it has ended, rests, or was taken over.
    fn drive(self: &Arc<Self>) {
        let waker = Waker::from(Arc::clone(self));
        while let Some(mut running) = self.begin_poll() {
            let (polled, step) = poll(running.task.as_mut(), &waker);
            let ended = match polled {
                Ok(Poll::Pending) => None,
                Ok(Poll::Ready(answer)) => Some(Ok(answer)),
                Err(panic) => Some(Err(panic)),
            };
            if let Some(ended) = ended {
                let Running { task, done } = running;
                drop(task);
                let _ = done.send(ended);
                return;
            }
            match self.end_poll(running, step) {
                Next::Poll => {}
                Next::Rest => return,
                Next::StepAside(step) => {
                    Self::schedule(self);
                    deliver(run_step(step));
                    return;
                }
                Next::Step(step, mine) => {
                    let delivery = run_step(step);
                    let still_mine = self.is_still(&mine);
                    deliver(delivery);
                    if !still_mine {
                        return;
                    }
                }
            }
        }
    }

    /// The task, if it is to be polled.
    fn begin_poll(&self) -> Option<Running<T>> {
        let mut state = self.lock();
        let running = state.task.take()?;
        if state.cancelled {
            // What it owns is not dropped under the lock.
            drop(state);
            drop(running);
            return None;
        }
        state.phase = Phase::Polled { again: false };
        Some(running)
    }

    fn end_poll(&self, running: Running<T>, step: Option<Step>) -> Next {
        let mut state = self.lock();
        state.task = Some(running);
        let again = matches!(state.phase, Phase::Polled { again: true });
        state.phase = Phase::Due;
        match step {
            None if again => Next::Poll,
            None => {
                state.phase = Phase::Idle;
                Next::Rest
            }
            Some(step) if again => Next::StepAside(step),
            Some(step) => {
                let mine = Arc::new(());
                state.phase = Phase::Stepping(Arc::clone(&mine));
                Next::Step(step, mine)
            }
        }
    }

    /// Whether nobody has taken the task over; it is due if so.
    fn is_still(&self, mine: &Arc<()>) -> bool {
        let mut state = self.lock();
        let still = matches!(&state.phase, Phase::Stepping(step) if Arc::ptr_eq(step, mine));
        if still {
            state.phase = Phase::Due;
        }
        still
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Wake for Lane<T> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.lock();
        match &mut state.phase {
            Phase::Due => return,
            Phase::Polled { again } => {
                *again = true;
                return;
            }
            Phase::Stepping(_) | Phase::Idle => state.phase = Phase::Due,
        }
        drop(state);
        Self::schedule(self);
    }
}

/// Polls a task; answers the step that it has asked for, too.
fn poll<T>(
    task: Pin<&mut (dyn Future<Output = T> + Send)>,
    waker: &Waker,
) -> (std::thread::Result<Poll<T>>, Option<Step>) {
    let before = ASKED.replace(Some(None));
    let polled = catch_unwind(AssertUnwindSafe(|| {
        task.poll(&mut Context::from_waker(waker))
    }));
    let asked = ASKED.replace(before);
    (polled, asked.flatten())
}

/// A step that panics has no delivery; who waits for it is told by the end of its channel.
fn run_step(step: Step) -> Option<Deliver> {
    catch_unwind(AssertUnwindSafe(step)).ok()
}

fn deliver(delivery: Option<Deliver>) {
    if let Some(deliver) = delivery {
        deliver();
    }
}

/// The right to poll a task that is due. A runtime that ends drops it, and the task with it.
struct Turn<T: Send + 'static>(Option<Arc<Lane<T>>>);

impl<T: Send + 'static> Turn<T> {
    fn take(mut self) {
        if let Some(lane) = self.0.take() {
            lane.drive();
        }
    }
}

impl<T: Send + 'static> Drop for Turn<T> {
    fn drop(&mut self) {
        if let Some(lane) = &self.0 {
            let task = lane.lock().task.take();
            drop(task);
        }
    }
}

/// Somebody waits for the answer.
struct Waiting<T: Send + 'static>(Arc<Lane<T>>);

impl<T: Send + 'static> Drop for Waiting<T> {
    fn drop(&mut self) {
        self.0.lock().cancelled = true;
        // Where the task has ended, that finds nothing to do.
        self.0.wake_by_ref();
    }
}

#[cfg(test)]
mod tests;
