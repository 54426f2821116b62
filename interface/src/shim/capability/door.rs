//! What a call may find before an entry: a warden, a limit on concurrent calls, or a closed door.
//!
//! An entry without any has no door, and a call into it pays one test of a field for that.

use std::sync::Arc;
use std::time::Duration;

use super::gate::Gate;
use super::room::{Place, WaitingRoom};
use super::warden::Warden;
use crate::abi::{AbiResult, RResult, RawObject, VTableHeader};
use crate::error::{ErrorKind, PluginError, Result};

/// What stands before an entry.
pub(super) enum Door {
    /// Calls go through one by one.
    Attended(Attendance),
    /// There is no object behind it: calls wait, and then enter their slot again.
    Closed(Arc<Closed>),
}

/// Who stands in an open door; at least one of the two.
#[derive(Default)]
pub(super) struct Attendance {
    /// The plugin has a limit on concurrent calls.
    pub(super) gate: Option<Arc<Gate>>,
    pub(super) warden: Option<Arc<dyn Warden>>,
}

/// The closed door of one slot. It keeps nothing of a plugin, so neither do those who wait.
pub(super) struct Closed {
    room: Arc<WaitingRoom>,
    /// For messages.
    who: String,
    /// What the object that served before offers.
    pub(super) table_size: usize,
}

impl Closed {
    pub(super) fn new(room: Arc<WaitingRoom>, who: String, table_size: usize) -> Arc<Self> {
        Arc::new(Closed {
            room,
            who,
            table_size,
        })
    }

    /// A place to wait.
    pub(super) fn enter(&self) -> Result<Place> {
        self.room.enter().ok_or_else(|| self.full())
    }

    /// Blocks the thread until the room opens.
    pub(super) fn wait(&self) -> Result<()> {
        if self.enter()?.block() {
            Ok(())
        } else {
            Err(self.waited_too_long())
        }
    }

    /// How long a call waits.
    pub(super) fn patience(&self) -> Duration {
        self.room.limits().patience
    }

    #[cold]
    fn full(&self) -> PluginError {
        PluginError::of(
            ErrorKind::Busy,
            format!(
                "{} is being reloaded and {} calls wait already",
                self.who,
                self.room.limits().waiting
            ),
        )
        .code("reload-queue-full")
    }

    /// Busy and not deadline-exceeded: the call has not started, so trying again repeats nothing.
    #[cold]
    pub(super) fn waited_too_long(&self) -> PluginError {
        PluginError::of(
            ErrorKind::Busy,
            format!(
                "{} is being reloaded, and the call has waited {:?} for it",
                self.who,
                self.patience()
            ),
        )
        .code("reload-queue-timeout")
    }

    /// For a deadline of the call's own that ends while it waits.
    #[cold]
    pub(super) fn too_late(&self, deadline: Duration) -> PluginError {
        PluginError::of(
            ErrorKind::DeadlineExceeded,
            format!(
                "{} did not answer within {deadline:?}: it is being reloaded",
                self.who
            ),
        )
    }
}

/// What a closed entry has in place of an object: a table without methods.
pub(super) fn no_object() -> RawObject {
    static TABLE: VTableHeader = VTableHeader {
        size: size_of::<VTableHeader>(),
        drop: drop_nothing,
    };
    RawObject {
        data: std::ptr::NonNull::<()>::dangling().as_ptr(),
        vtable: &raw const TABLE,
    }
}

unsafe extern "C" fn drop_nothing(_: *mut ()) -> AbiResult<()> {
    RResult::ROk(())
}

#[cfg(test)]
mod tests;
