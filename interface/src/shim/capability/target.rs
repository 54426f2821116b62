//! The way of a call from a handle to the object that serves it.
//!
//! A synchronous call runs inside the slot's hazard record and touches no shared counter. An
//! asynchronous call starts at its first poll, in the same way; only when that poll is pending
//! does it take a counted lease, which it holds as its last field.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_ffi::BorrowingFfiFuture;

use super::gate::{Gate, Permit, Turn};
use super::provided::drop_object;
use crate::abi::pass::{Lease, Origin, Pass};
use crate::abi::{AbiResult, RResult, RawObject};
use crate::error::{ErrorKind, PluginError, Result};
use crate::shim::This;
use crate::slot::{Entered, Slot};

/// What stands behind an object: the generation of a plugin that made it.
///
/// The host implements it; it keeps the library loaded for as long as it lives.
pub trait Owner: Send + Sync + 'static {
    /// Who serves the calls, for messages: `plugin 'x' v0.1.0`.
    fn describe(&self) -> String;

    /// Called with every error that tells of a contained panic.
    fn panicked(&self, error: &PluginError);

    /// The limit on concurrent calls, where there is one.
    fn gate(&self) -> Option<Arc<Gate>> {
        None
    }

    /// The deadline of asynchronous calls that have none of their own.
    fn deadline(&self) -> Option<Duration> {
        None
    }

    /// A future that ends after this time, on the host's clock.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// An object together with everything that a call into it needs.
pub struct Entry {
    object: RawObject,
    gate: Option<Arc<Gate>>,
    /// Async calls that have started and are pending.
    pending: AtomicUsize,
    /// Last, so that the object is gone before its library may go.
    owner: Arc<dyn Owner>,
}

impl Entry {
    /// Takes an object over.
    ///
    /// # Safety
    ///
    /// The object belongs to the caller, its table is `size` bytes long as its header says, and
    /// `owner` keeps its library loaded.
    #[doc(hidden)]
    pub unsafe fn new(object: RawObject, owner: Arc<dyn Owner>) -> Self {
        Entry {
            object,
            gate: owner.gate(),
            pending: AtomicUsize::new(0),
            owner,
        }
    }

    /// How many async calls have started and not ended. Sync calls are not counted: who takes the
    /// entry out of its slot finds out by the slot.
    pub fn pending_calls(&self) -> usize {
        self.pending.load(Ordering::Acquire)
    }

    #[inline(always)]
    fn object(&self) -> Object<'_> {
        Object {
            raw: self.object,
            entry: std::marker::PhantomData,
        }
    }

    fn table_size(&self) -> usize {
        // SAFETY: the owner keeps the library of the table loaded.
        unsafe { (*self.object.vtable).size }
    }

    #[inline(always)]
    fn finish<R: Pass>(&self, answer: AbiResult<R::Abi>, lease: &dyn Fn() -> Lease) -> Result<R> {
        match answer {
            // SAFETY: the answer came from a method whose layout was compared with the caller's,
            // and the library is held during this call.
            RResult::ROk(value) => unsafe { R::receive(value, &Origin::leased(lease)) },
            RResult::RErr(error) => Err(self.failed(error.into())),
        }
    }

    #[cold]
    fn failed(&self, error: PluginError) -> PluginError {
        if error.kind() == ErrorKind::Panicked {
            self.owner.panicked(&error);
        }
        error
    }

    /// The same for an error that comes when the call itself is over, from what holds a lease.
    #[cold]
    pub(crate) fn failed_later(lease: &Lease, error: PluginError) -> PluginError {
        match lease.downcast_ref::<Entry>() {
            Some(entry) => entry.failed(error),
            None => error,
        }
    }

    #[cold]
    fn busy(&self) -> PluginError {
        PluginError::of(
            ErrorKind::Busy,
            format!(
                "{} is at its limit of concurrent calls",
                self.owner.describe()
            ),
        )
    }

    #[cold]
    fn too_late(&self, deadline: Duration) -> PluginError {
        PluginError::of(
            ErrorKind::DeadlineExceeded,
            format!(
                "{} did not answer within {deadline:?}",
                self.owner.describe()
            ),
        )
    }

    #[cold]
    fn lacks_method(&self) -> PluginError {
        PluginError::of(
            ErrorKind::Unsupported,
            format!(
                "{} was replaced during the call by a version that lacks this method",
                self.owner.describe()
            ),
        )
        .retryable(true)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // SAFETY: the object belongs to this entry, nobody else can reach it any more, and the
        // owner still holds the library.
        if let Err(error) = unsafe { drop_object(self.object) } {
            self.failed(error);
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({})", self.owner.describe())
    }
}

/// The object of a call in progress, for generated code.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    raw: RawObject,
    entry: std::marker::PhantomData<&'a Entry>,
}

impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Object(..)")
    }
}

impl<'a> Object<'a> {
    /// The method table.
    ///
    /// # Safety
    ///
    /// `Table` follows the layout that the object's was compared with, and only methods that the
    /// object has are read from it.
    #[inline(always)]
    pub unsafe fn table<Table>(&self) -> &'a Table {
        // SAFETY: the library is held for 'a; the type is right, says the caller.
        unsafe { &*self.raw.vtable.cast::<Table>() }
    }

    /// The first argument of a method.
    ///
    /// # Safety
    ///
    /// What the method answers is not kept longer than the entry is held.
    #[inline(always)]
    pub unsafe fn this<'any>(&self) -> This<'any> {
        // SAFETY: the object lives while the entry is held; how long that is, the caller watches.
        unsafe { This::new(self.raw.data) }
    }
}

/// What a generated handle calls through.
#[derive(Clone)]
pub struct Target {
    route: Route,
    deadline: Option<Duration>,
}

#[derive(Clone)]
enum Route {
    /// Whatever the slot points to at the moment of the call.
    Slot(Arc<Slot<Entry>>, Arc<str>),
    /// One object for good.
    Fixed(Arc<Entry>),
}

impl Target {
    /// Calls go to what the slot points to; `name` is for messages.
    #[doc(hidden)]
    pub fn slot(slot: Arc<Slot<Entry>>, name: Arc<str>) -> Self {
        Target {
            route: Route::Slot(slot, name),
            deadline: None,
        }
    }

    /// Calls go to this object.
    #[doc(hidden)]
    pub fn fixed(entry: Arc<Entry>) -> Self {
        Target {
            route: Route::Fixed(entry),
            deadline: None,
        }
    }

    /// The same target with a deadline for asynchronous calls.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Target {
            route: self.route.clone(),
            deadline: Some(deadline),
        }
    }

    /// Runs a synchronous method.
    ///
    /// # Errors
    ///
    /// Whatever the method answers; unavailable when nothing serves; busy at the limit of
    /// concurrent calls.
    #[doc(hidden)]
    #[inline(always)]
    pub fn call<R: Pass>(&self, method: impl FnOnce(Object<'_>) -> AbiResult<R::Abi>) -> Result<R> {
        match &self.route {
            Route::Slot(slot, _) => {
                let answer = slot.with(
                    #[inline(always)]
                    |entered| {
                        if entered.gate.is_some() {
                            return limited(entered, method);
                        }
                        entered.finish(method(entered.object()), &|| entered.lease())
                    },
                );
                match answer {
                    Some(answer) => answer,
                    None => Err(self.unavailable()),
                }
            }
            Route::Fixed(entry) => {
                entry.finish(method(entry.object()), &|| Arc::clone(entry) as Lease)
            }
        }
    }

    /// Runs a synchronous method that a later minor appended.
    #[doc(hidden)]
    #[inline(always)]
    pub fn call_appended<R: Pass>(
        &self,
        needed: usize,
        method: impl FnOnce(Object<'_>) -> AbiResult<R::Abi>,
    ) -> Result<R> {
        self.call(|object| {
            // SAFETY: the header is the head of every table.
            let header = unsafe { object.table::<crate::abi::VTableHeader>() };
            if header.size < needed {
                // Between `offers` and this call the plugin was replaced by an older version.
                return RResult::RErr(self.lacks_method().into());
            }
            method(object)
        })
    }

    /// Whether the object that serves now has a table of at least this size.
    #[doc(hidden)]
    #[inline]
    pub fn offers(&self, needed: usize) -> bool {
        match &self.route {
            Route::Slot(slot, _) => {
                // An empty slot goes the way of the call, which says that nothing serves.
                slot.with(|entered| entered.table_size() >= needed)
                    .unwrap_or(true)
            }
            Route::Fixed(entry) => entry.table_size() >= needed,
        }
    }

    /// Starts an asynchronous method at the first poll of what this answers.
    #[doc(hidden)]
    #[inline]
    pub fn call_async<'a, R, F>(&'a self, needed: usize, start: F) -> AsyncCall<'a, R, F>
    where
        R: Pass,
        F: FnOnce(Object<'_>) -> Result<BorrowingFfiFuture<'a, AbiResult<R::Abi>>>,
    {
        AsyncCall {
            target: self,
            needed,
            start: Some(start),
            timer: None,
            state: State::Idle,
        }
    }

    #[cold]
    fn unavailable(&self) -> PluginError {
        let name = match &self.route {
            Route::Slot(_, name) => name,
            Route::Fixed(_) => "the object",
        };
        PluginError::of(
            ErrorKind::Unavailable,
            format!("no plugin serves {name} at the moment"),
        )
    }

    #[cold]
    fn lacks_method(&self) -> PluginError {
        match &self.route {
            Route::Slot(slot, _) => slot
                .with(|entered| entered.lacks_method())
                .unwrap_or_else(|| self.unavailable()),
            Route::Fixed(entry) => entry.lacks_method(),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.route {
            Route::Slot(_, name) => write!(f, "Target({name})"),
            Route::Fixed(entry) => write!(f, "Target({entry:?})"),
        }
    }
}

/// A synchronous call of a plugin with a limit: refused at the limit, since a thread that waits
/// in here could be the very one that the plugin waits for.
#[cold]
#[inline(never)]
fn limited<R: Pass>(
    entered: &Entered<'_, Entry>,
    method: impl FnOnce(Object<'_>) -> AbiResult<R::Abi>,
) -> Result<R> {
    let permit = match &entered.gate {
        Some(gate) => Some(gate.try_enter().ok_or_else(|| entered.busy())?),
        None => None,
    };
    let answer = entered.finish(method(entered.object()), &|| entered.lease());
    drop(permit);
    answer
}

/// An asynchronous call. Dropping it cancels the call.
pub struct AsyncCall<'a, R: Pass, F> {
    target: &'a Target,
    needed: usize,
    start: Option<F>,
    /// Set once the call has to wait for anything.
    timer: Option<Timer>,
    state: State<'a, R>,
}

struct Timer {
    deadline: Duration,
    sleep: Pin<Box<dyn Future<Output = ()> + Send>>,
}

enum State<'a, R: Pass> {
    Idle,
    /// Waits for its turn at the limit of concurrent calls.
    Queued(Turn),
    Running(Running<'a, R>),
    Done,
}

/// The order of the fields is the order in which they are dropped.
struct Running<'a, R: Pass> {
    future: BorrowingFfiFuture<'a, AbiResult<R::Abi>>,
    _permit: Option<Permit>,
    lease: Pending,
}

/// A lease that counts as a pending call.
struct Pending(Arc<Entry>);

impl Pending {
    fn new(lease: Arc<Entry>) -> Self {
        lease.pending.fetch_add(1, Ordering::Relaxed);
        Pending(lease)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Release: whoever sees the count fall may end what the call has used.
        self.0.pending.fetch_sub(1, Ordering::Release);
    }
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
                Poll::Pending => poll_timer(&mut this.timer, &running.lease.0, cx),
                ready => ready,
            },
            State::Done => panic!("a call was polled after its end"),
            State::Idle | State::Queued(_) => this.first_poll(cx),
        };
        if polled.is_ready() {
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
    fn first_poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<R>> {
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
        let permit = match &entry.gate {
            None => None,
            Some(gate) => match self.wait_for_turn(entry, gate, cx) {
                Poll::Ready(Ok(permit)) => Some(permit),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.arm_timer(entry);
                    return poll_timer(&mut self.timer, entry, cx);
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
                self.state = State::Running(Running {
                    future,
                    _permit: permit,
                    lease: Pending::new(lease()),
                });
                self.arm_timer(entry);
                poll_timer(&mut self.timer, entry, cx)
            }
        }
    }

    /// Starts the clock, unless it runs since the call was queued.
    fn arm_timer(&mut self, entry: &Entry) {
        if self.timer.is_none() {
            let deadline = self.target.deadline.or_else(|| entry.owner.deadline());
            self.timer = deadline.map(|deadline| Timer {
                deadline,
                sleep: entry.owner.sleep(deadline),
            });
        }
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

impl<R: Pass> Running<'_, R> {
    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<R>> {
        match Pin::new(&mut self.future).poll(cx) {
            Poll::Ready(answer) => {
                let lease = &self.lease.0;
                Poll::Ready(lease.finish(answer, &|| Arc::clone(lease) as Lease))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

fn poll_timer<R>(
    timer: &mut Option<Timer>,
    entry: &Entry,
    cx: &mut Context<'_>,
) -> Poll<Result<R>> {
    let Some(Timer { deadline, sleep }) = timer else {
        return Poll::Pending;
    };
    match sleep.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(Err(entry.too_late(*deadline))),
        Poll::Pending => Poll::Pending,
    }
}
