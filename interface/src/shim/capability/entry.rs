//! An object of a plugin together with everything that a call into it needs.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::door::{Attendance, Closed, Door, no_object};
use super::gate::Gate;
use super::pending::PendingCalls;
use super::provided::drop_object;
use super::room::WaitingRoom;
use super::warden::Warden;
use crate::abi::pass::{Lease, Origin, Pass};
use crate::abi::{AbiResult, RResult, RawObject};
use crate::error::{ErrorKind, PluginError, Result};
use crate::shim::This;

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
    /// None where a call may go straight to the object.
    pub(super) door: Option<Door>,
    pub(super) pending: PendingCalls,
    /// Last, so that the object is gone before its library may go.
    pub(super) owner: Arc<dyn Owner>,
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
            door: owner.gate().map(|gate| {
                Door::Attended(Attendance {
                    gate: Some(gate),
                    warden: None,
                })
            }),
            pending: PendingCalls::default(),
            owner,
        }
    }

    /// The same entry with somebody who looks at its calls.
    #[doc(hidden)]
    #[must_use]
    pub fn watched(mut self, warden: Arc<dyn Warden>) -> Self {
        let door = self
            .door
            .get_or_insert(Door::Attended(Attendance::default()));
        if let Door::Attended(attendance) = door {
            attendance.warden = Some(warden);
        }
        self
    }

    /// An entry for the time of a reload: calls that find it in their slot wait in `room`, and
    /// enter the slot again when that opens. It has no object, and offers the methods of the entry
    /// that it stands for.
    ///
    /// The waiting calls take from `owner` its name, its deadline and its clock, and keep nothing
    /// of it. The entry itself does keep it, for as long as a call may be looking at it, so this
    /// owner had better keep no library loaded.
    #[doc(hidden)]
    pub fn closed(room: Arc<WaitingRoom>, owner: Arc<dyn Owner>, stands_for: &Entry) -> Self {
        let closed = Closed::new(room, owner.describe(), stands_for.table_size());
        Entry {
            object: no_object(),
            door: Some(Door::Closed(closed)),
            pending: PendingCalls::default(),
            owner,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.door, Some(Door::Closed(_)))
    }

    /// How many async calls have started and not ended. Sync calls are not counted: who takes the
    /// entry out of its slot finds out by the slot.
    pub fn pending_calls(&self) -> usize {
        self.pending.count()
    }

    /// Ends all async calls that are pending: each answers that it was cancelled when it is polled
    /// next, and those who wait for one are woken. For an entry that nobody can reach any more.
    pub fn end_calls(&self) {
        self.pending.end();
    }

    #[inline(always)]
    pub(super) fn object(&self) -> Object<'_> {
        debug_assert!(!self.is_closed(), "a closed entry has no methods to call");
        Object {
            raw: self.object,
            entry: std::marker::PhantomData,
        }
    }

    pub(super) fn table_size(&self) -> usize {
        if let Some(Door::Closed(closed)) = &self.door {
            return closed.table_size;
        }
        // SAFETY: the owner keeps the library of the table loaded.
        unsafe { (*self.object.vtable).size }
    }

    #[inline(always)]
    pub(super) fn finish<R: Pass>(
        &self,
        answer: AbiResult<R::Abi>,
        lease: &dyn Fn() -> Lease,
    ) -> Result<R> {
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
    pub(super) fn cancelled(&self) -> PluginError {
        PluginError::of(
            ErrorKind::Cancelled,
            format!(
                "{} was stopped while this call was running",
                self.owner.describe()
            ),
        )
    }

    #[cold]
    pub(super) fn busy(&self) -> PluginError {
        PluginError::of(
            ErrorKind::Busy,
            format!(
                "{} is at its limit of concurrent calls",
                self.owner.describe()
            ),
        )
    }

    #[cold]
    pub(super) fn too_late(&self, deadline: Duration) -> PluginError {
        PluginError::of(
            ErrorKind::DeadlineExceeded,
            format!(
                "{} did not answer within {deadline:?}",
                self.owner.describe()
            ),
        )
    }

    #[cold]
    pub(super) fn lacks_method(&self) -> PluginError {
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
        let closed = if self.is_closed() { ", closed" } else { "" };
        write!(f, "Entry({}{closed})", self.owner.describe())
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
