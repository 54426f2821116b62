//! One round of the calls of `keyway dev`, on a thread of its own: a tool that never answers, or
//! that blocks its thread, keeps nobody from mending it.

use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use keyway_host::ToolClient;
use serde_json::Value;

use super::cycle::Happening;
use super::{Call, no_thread};
use crate::ending::{Ending, Outcome};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::session::call;

/// Calls that are being made, one after the other. Dropping it gives up those that are not
/// answered.
#[derive(Debug)]
pub(super) struct Round {
    number: u64,
    stop: Interrupt,
    /// How many answers are still to come.
    left: usize,
}

/// What came of one call.
#[derive(Debug)]
pub(super) struct Answer {
    /// The number of its round.
    pub(super) round: u64,
    /// Which of the calls.
    pub(super) call: usize,
    pub(super) took: Duration,
    pub(super) result: Result<Value, Failure>,
}

impl Round {
    /// Starts to call; each answer goes to `outbox`. A tool that was not found is one of the
    /// answers.
    ///
    /// The thread holds nothing of the host: if it never comes back, the host ends all the same.
    pub(super) fn start(
        number: u64,
        calls: &[Call],
        tools: Vec<Outcome<ToolClient>>,
        outbox: Sender<Happening>,
    ) -> Outcome<Self> {
        let stop = Interrupt::default();
        let stopped = stop.clone();
        let calls = calls.to_vec();
        let left = calls.len();
        let work = move || {
            for (index, (each, tool)) in calls.into_iter().zip(tools).enumerate() {
                let clock = Instant::now();
                let Ok(result) = answer(each, tool, &stopped) else {
                    return;
                };
                let answer = Answer {
                    round: number,
                    call: index,
                    took: clock.elapsed(),
                    result,
                };
                if outbox.send(Happening::Answered(answer)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("keyway-calls".to_owned())
            .spawn(work)
            .map_err(|error| no_thread(&error))?;
        Ok(Round { number, stop, left })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Counts an answer; whether it was the last.
    pub(super) fn count(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left == 0
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        self.stop.ask();
    }
}

fn answer(
    each: Call,
    tool: Outcome<ToolClient>,
    stopped: &Interrupt,
) -> Outcome<Result<Value, Failure>> {
    let tool = match tool {
        Ok(tool) => tool,
        Err(Ending::Failed(failure)) => return Ok(Err(*failure)),
        Err(ending) => return Err(ending),
    };
    block_on(stopped.or(call(&tool, &each.tool, each.arguments)))
}

/// Runs a future to its end on this thread. It is the host's business that calls make progress.
fn block_on<F: Future>(work: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(output) = work.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::park();
    }
}
