//! The way of a call from a handle to the object that serves it.
//!
//! A synchronous call runs inside the slot's hazard record and touches no shared counter.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_ffi::BorrowingFfiFuture;

use super::call::AsyncCall;
use super::door::{Attendance, Closed, Door};
use super::entry::{Entry, Object};
use super::gate::Gate;
use super::warden::{Admission, Attended, cannot_wait};
use crate::abi::pass::{Lease, Pass};
use crate::abi::{AbiResult, RResult};
use crate::error::{ErrorKind, PluginError, Result};
use crate::slot::{Entered, Slot};

/// What a generated handle calls through.
#[derive(Clone)]
pub struct Target {
    pub(super) route: Route,
    pub(super) deadline: Option<Duration>,
}

#[derive(Clone)]
pub(super) enum Route {
    /// Whatever the slot points to at the moment of the call.
    Slot(Arc<Slot<Entry>>, Arc<str>),
    /// One object for good, which is never a closed entry (`Target::fixed`).
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
    ///
    /// # Panics
    ///
    /// The entry is a closed one: its calls would wait for a slot that this target does not have.
    #[doc(hidden)]
    pub fn fixed(entry: Arc<Entry>) -> Self {
        assert!(!entry.is_closed(), "a fixed target of a closed entry");
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
    /// concurrent calls, and where the plugin is closed for a reload and too many calls wait for
    /// it already or this one has waited for too long.
    #[doc(hidden)]
    #[inline(always)]
    pub fn call<R: Pass>(&self, method: impl FnOnce(Object<'_>) -> AbiResult<R::Abi>) -> Result<R> {
        match &self.route {
            Route::Slot(slot, _) => {
                let passage = slot.with(
                    #[inline(always)]
                    move |entered| {
                        if entered.door.is_some() {
                            return through_door(entered, method);
                        }
                        Passage::Answered(
                            entered.finish(method(entered.object()), &|| entered.lease()),
                        )
                    },
                );
                match passage {
                    Some(Passage::Answered(answer)) => answer,
                    Some(Passage::Closed(closed, method)) => {
                        self.call_when_open(slot, closed, method)
                    }
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
        AsyncCall::new(self, needed, start)
    }

    /// A synchronous call that has found its plugin closed, and has left the slot since: a thread
    /// that waited inside would keep the host from taking the closed entry back.
    #[cold]
    #[inline(never)]
    fn call_when_open<R, M>(
        &self,
        slot: &Slot<Entry>,
        mut closed: Arc<Closed>,
        mut method: M,
    ) -> Result<R>
    where
        R: Pass,
        M: FnOnce(Object<'_>) -> AbiResult<R::Abi>,
    {
        loop {
            closed.wait()?;
            match slot.with(|entered| through_door(entered, method)) {
                Some(Passage::Answered(answer)) => return answer,
                Some(Passage::Closed(again, back)) => (closed, method) = (again, back),
                None => return Err(self.unavailable()),
            }
        }
    }

    #[cold]
    pub(super) fn unavailable(&self) -> PluginError {
        let name = match &self.route {
            Route::Slot(_, name) => name,
            Route::Fixed(_) => "the object",
        };
        PluginError::of(
            ErrorKind::Unavailable,
            format!("no plugin serves {name} at the moment"),
        )
    }

    /// For a deadline that ends while somebody is asked.
    #[cold]
    pub(super) fn late_for_approval(&self, deadline: Duration) -> PluginError {
        let name = match &self.route {
            Route::Slot(_, name) => name,
            Route::Fixed(_) => "the object",
        };
        PluginError::of(
            ErrorKind::DeadlineExceeded,
            format!("nobody has allowed the call of {name} within {deadline:?}"),
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

/// What came of a synchronous call that entered a slot.
enum Passage<R, M> {
    Answered(Result<R>),
    /// The plugin is closed: the method was not called, and comes back.
    Closed(Arc<Closed>, M),
}

/// A synchronous call of an entry that may have a door. At a limit it is refused, since a thread
/// that waits in here could be the very one that the plugin waits for; and for the same reason where
/// somebody would have to be asked.
#[cold]
#[inline(never)]
fn through_door<R, M>(entered: &Entered<'_, Entry>, method: M) -> Passage<R, M>
where
    R: Pass,
    M: FnOnce(Object<'_>) -> AbiResult<R::Abi>,
{
    let attendance = match &entered.door {
        None => &Attendance::default(),
        Some(Door::Attended(attendance)) => attendance,
        Some(Door::Closed(closed)) => return Passage::Closed(Arc::clone(closed), method),
    };
    let attended = match attendance.warden.as_ref().map(|warden| warden.admit()) {
        None => None,
        Some(Admission::Granted) => attendance.warden.clone().map(Attended::begin),
        Some(Admission::Refused(error)) => return Passage::Answered(Err(error)),
        Some(Admission::Asked(_)) => {
            return Passage::Answered(Err(cannot_wait(&entered.owner.describe())));
        }
    };
    let permit = attendance.gate.as_ref().map(Gate::try_enter);
    let answer = match &permit {
        Some(None) => Err(entered.busy()),
        _ => entered.finish(method(entered.object()), &|| entered.lease()),
    };
    drop(permit);
    if let Some(attended) = attended {
        attended.end(&answer);
    }
    Passage::Answered(answer)
}
