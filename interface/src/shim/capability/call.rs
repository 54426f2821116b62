//! An asynchronous call.
//!
//! It starts at its first poll, inside the slot's hazard record as a synchronous call does; only
//! when that poll is pending does it take a counted lease, which it holds as its last field. Where
//! the plugin is closed for a reload it waits outside of the slot, and holds nothing of the plugin.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_ffi::BorrowingFfiFuture;

use super::door::{Attendance, Closed, Door};
use super::entry::{Entry, Object};
use super::gate::{Gate, Permit, Turn};
use super::pending::Pending;
use super::room::Place;
use super::target::{Route, Target};
use super::warden::{Admission, Attended, Question, Warden};
use crate::abi::AbiResult;
use crate::abi::pass::{Lease, Pass};
use crate::error::{PluginError, Result};

/// An asynchronous call. Dropping it cancels the call.
pub struct AsyncCall<'a, R: Pass, F> {
    target: &'a Target,
    needed: usize,
    start: Option<F>,
    /// Set once the call has to wait for anything.
    timer: Option<Timer>,
    /// Set once a warden has admitted the call.
    attended: Option<Attended>,
    state: State<'a, R>,
}

struct Timer {
    deadline: Duration,
    sleep: Pin<Box<dyn Future<Output = ()> + Send>>,
}

enum State<'a, R: Pass> {
    Idle,
    /// Waits for somebody to allow it.
    Asking(Question, Arc<dyn Warden>),
    /// Waits for its turn at the limit of concurrent calls.
    Queued(Turn),
    /// Waits for a closed plugin to open.
    Waiting(Waiting),
    Running(Running<'a, R>),
    Done,
}

struct Waiting {
    place: Place,
    closed: Arc<Closed>,
    /// Ends when the room's patience does.
    patience: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The order of the fields is the order in which they are dropped.
struct Running<'a, R: Pass> {
    future: BorrowingFfiFuture<'a, AbiResult<R::Abi>>,
    _permit: Option<Permit>,
    lease: Pending,
}

impl<R: Pass, F> fmt::Debug for AsyncCall<'_, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncCall")
            .field("target", self.target)
            .finish_non_exhaustive()
    }
}

// Nothing in an `AsyncCall` is pinned in place: the plugin's future and the timer are boxed.
impl<R: Pass, F> Unpin for AsyncCall<'_, R, F> {}

impl<'a, R, F> Future for AsyncCall<'a, R, F>
where
    R: Pass,
    F: FnOnce(Object<'_>) -> Result<BorrowingFfiFuture<'a, AbiResult<R::Abi>>>,
{
    type Output = Result<R>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<R>> {
        let this = self.get_mut();
        let polled = match &mut this.state {
            State::Running(running) => match running.poll(cx) {
                Poll::Pending => {
                    let entry = running.lease.entry();
                    poll_timer(&mut this.timer, |late| entry.too_late(late), cx)
                }
                ready => ready,
            },
            State::Done => panic!("a call was polled after its end"),
            State::Idle | State::Queued(_) => match this.enter(cx) {
                Poll::Pending if matches!(this.state, State::Waiting(_)) => {
                    this.enter_when_open(cx)
                }
                polled => polled,
            },
            State::Waiting(_) => this.enter_when_open(cx),
            State::Asking(..) => this.enter_when_allowed(cx),
        };
        if let Poll::Ready(answer) = &polled {
            if let Some(attended) = this.attended.take() {
                attended.end(answer);
            }
            // What still runs is dropped here, which cancels it.
            this.state = State::Done;
        }
        polled
    }
}

impl<'a, R, F> AsyncCall<'a, R, F>
where
    R: Pass,
    F: FnOnce(Object<'_>) -> Result<BorrowingFfiFuture<'a, AbiResult<R::Abi>>>,
{
    #[inline]
    pub(super) fn new(target: &'a Target, needed: usize, start: F) -> Self {
        AsyncCall {
            target,
            needed,
            start: Some(start),
            timer: None,
            attended: None,
            state: State::Idle,
        }
    }

    #[inline]
    fn enter(&mut self, cx: &mut Context<'_>) -> Poll<Result<R>> {
        let target = self.target;
        match &target.route {
            Route::Slot(slot, _) => slot
                .with(|entered| self.start_in(entered, || entered.lease(), cx))
                .unwrap_or_else(|| Poll::Ready(Err(target.unavailable()))),
            Route::Fixed(entry) => self.start_in(entry, || Arc::clone(entry), cx),
        }
    }

    #[inline]
    fn start_in(
        &mut self,
        entry: &Entry,
        lease: impl Fn() -> Arc<Entry>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<R>> {
        let permit = match &entry.door {
            None => None,
            Some(Door::Closed(closed)) => return self.wait_outside(entry, closed),
            Some(Door::Attended(attendance)) => match self.pass(entry, attendance, cx) {
                Poll::Ready(Ok(permit)) => permit,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.arm_timer(entry);
                    return poll_timer(&mut self.timer, |late| entry.too_late(late), cx);
                }
            },
        };
        let start = self.start.take().expect("a call starts once");
        if self.needed > 0 && entry.table_size() < self.needed {
            return Poll::Ready(Err(entry.lacks_method()));
        }
        let mut future = match start(entry.object()) {
            Ok(future) => future,
            Err(error) => return Poll::Ready(Err(error)),
        };
        match Pin::new(&mut future).poll(cx) {
            Poll::Ready(answer) => Poll::Ready(entry.finish(answer, &|| lease() as Lease)),
            Poll::Pending => {
                let (lease, goes_on) = Pending::new(lease(), cx);
                self.state = State::Running(Running {
                    future,
                    _permit: permit,
                    lease,
                });
                if !goes_on {
                    return Poll::Ready(Err(entry.cancelled()));
                }
                self.arm_timer(entry);
                poll_timer(&mut self.timer, |late| entry.too_late(late), cx)
            }
        }
    }

    /// Takes a place in the room of a closed entry; pending if there is one.
    #[cold]
    fn wait_outside(&mut self, entry: &Entry, closed: &Arc<Closed>) -> Poll<Result<R>> {
        let place = match closed.enter() {
            Ok(place) => place,
            Err(error) => return Poll::Ready(Err(error)),
        };
        self.arm_timer(entry);
        self.state = State::Waiting(Waiting {
            place,
            closed: Arc::clone(closed),
            patience: entry.owner.sleep(closed.patience()),
        });
        Poll::Pending
    }

    /// Waits for its room to open and enters the slot again, where it may meet the next closed
    /// entry.
    #[cold]
    fn enter_when_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<R>> {
        let mut polled = Poll::Pending;
        while let State::Waiting(waiting) = &mut self.state {
            if waiting.place.poll(cx).is_pending() {
                return waiting.poll_clocks(&mut self.timer, cx);
            }
            self.state = State::Idle;
            polled = self.enter(cx);
        }
        polled
    }

    /// Starts the clock, unless it runs since the call had to wait.
    fn arm_timer(&mut self, entry: &Entry) {
        if self.timer.is_none() {
            let deadline = self.target.deadline.or_else(|| entry.owner.deadline());
            self.timer = deadline.map(|deadline| Timer {
                deadline,
                sleep: entry.owner.sleep(deadline),
            });
        }
    }

    /// Goes past the warden and the gate.
    #[cold]
    fn pass(
        &mut self,
        entry: &Entry,
        attendance: &Attendance,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Permit>>> {
        if let Some(warden) = &attendance.warden
            && !self.attended.as_ref().is_some_and(|own| own.is_of(warden))
        {
            match warden.admit() {
                Admission::Granted => {}
                Admission::Refused(error) => return Poll::Ready(Err(error)),
                Admission::Asked(mut question) => match question.as_mut().poll(cx) {
                    Poll::Ready(answer) => answer?,
                    Poll::Pending => {
                        self.state = State::Asking(question, Arc::clone(warden));
                        return Poll::Pending;
                    }
                },
            }
            self.attended = Some(Attended::begin(Arc::clone(warden)));
        }
        match &attendance.gate {
            None => Poll::Ready(Ok(None)),
            Some(gate) => self.wait_for_turn(entry, gate, cx).map_ok(Some),
        }
    }

    /// Waits for the answer, and enters the slot again: the plugin may have been replaced meanwhile.
    #[cold]
    fn enter_when_allowed(&mut self, cx: &mut Context<'_>) -> Poll<Result<R>> {
        let State::Asking(question, warden) = &mut self.state else {
            unreachable!("it was just looked at")
        };
        if let Poll::Ready(answer) = question.as_mut().poll(cx) {
            answer?;
            self.attended = Some(Attended::begin(Arc::clone(warden)));
            self.state = State::Idle;
            return match self.enter(cx) {
                Poll::Pending if matches!(self.state, State::Waiting(_)) => {
                    self.enter_when_open(cx)
                }
                polled => polled,
            };
        }
        let target = self.target;
        let late = |late| target.late_for_approval(late);
        poll_timer(&mut self.timer, late, cx)
    }

    #[cold]
    fn wait_for_turn(
        &mut self,
        entry: &Entry,
        gate: &Arc<Gate>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Permit>> {
        if !matches!(&self.state, State::Queued(turn) if turn.is_of(gate)) {
            match gate.queue() {
                Some(turn) => self.state = State::Queued(turn),
                None => return Poll::Ready(Err(entry.busy())),
            }
        }
        let State::Queued(turn) = &mut self.state else {
            unreachable!("it was just put there")
        };
        turn.poll(cx).map(Ok)
    }
}

impl Waiting {
    /// What ends the waiting while the room is closed: the call's own deadline, or the room's
    /// patience.
    fn poll_clocks<R>(
        &mut self,
        timer: &mut Option<Timer>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<R>> {
        let late = poll_timer(timer, |late| self.closed.too_late(late), cx);
        if late.is_ready() {
            return late;
        }
        match self.patience.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(self.closed.waited_too_long())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<R: Pass> Running<'_, R> {
    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<R>> {
        if self.lease.has_ended() {
            // Whatever the call waits for inside the plugin may be gone.
            return Poll::Ready(Err(self.lease.entry().cancelled()));
        }
        match Pin::new(&mut self.future).poll(cx) {
            Poll::Ready(answer) => {
                let entry = self.lease.entry();
                Poll::Ready(entry.finish(answer, &|| Arc::clone(entry) as Lease))
            }
            Poll::Pending if self.lease.watch(cx) => Poll::Pending,
            Poll::Pending => Poll::Ready(Err(self.lease.entry().cancelled())),
        }
    }
}

fn poll_timer<R>(
    timer: &mut Option<Timer>,
    too_late: impl FnOnce(Duration) -> PluginError,
    cx: &mut Context<'_>,
) -> Poll<Result<R>> {
    let Some(Timer { deadline, sleep }) = timer else {
        return Poll::Pending;
    };
    match sleep.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(Err(too_late(*deadline))),
        Poll::Pending => Poll::Pending,
    }
}
