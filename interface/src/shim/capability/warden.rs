//! Who looks at the calls into one object before and after them.
//!
//! An object without a warden pays nothing for there being such a thing. One with a warden pays a
//! reading of the clock before and after each call, and whatever the warden does.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{ErrorKind, PluginError, Result};

/// Looks at the calls into one object.
///
/// A host implements it. It must not panic, and is called by any number of threads at once. One that
/// stays the same over the versions of a plugin asks nobody twice when the plugin is replaced while
/// somebody is being asked.
pub trait Warden: Send + Sync + 'static {
    /// Whether this call may be made.
    fn admit(&self) -> Admission;

    /// A call that was admitted has ended.
    fn ended(&self, ending: Ending<'_>, took: Duration);
}

/// What a warden says before a call.
pub enum Admission {
    /// The call is made.
    Granted,
    /// The call is not made, and answers this.
    Refused(PluginError),
    /// Somebody has to be asked. An asynchronous call waits for the answer; a synchronous one, whose
    /// thread must not be held up, is refused with the code `needs-approval`.
    Asked(Question),
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Admission::Granted => f.write_str("Granted"),
            Admission::Refused(error) => f.debug_tuple("Refused").field(error).finish(),
            Admission::Asked(_) => f.write_str("Asked(..)"),
        }
    }
}

/// Answers when the call may be made, or why it may not.
pub type Question = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub enum Ending<'a> {
    /// It answered.
    Answered,
    /// It failed.
    Failed(&'a PluginError),
    /// Its caller gave it up.
    Dropped,
}

/// A call that was admitted and has not ended.
pub(super) struct Attended {
    warden: Option<Arc<dyn Warden>>,
    began: Instant,
}

impl Attended {
    pub(super) fn begin(warden: Arc<dyn Warden>) -> Self {
        Attended {
            warden: Some(warden),
            began: Instant::now(),
        }
    }

    pub(super) fn is_of(&self, warden: &Arc<dyn Warden>) -> bool {
        self.warden
            .as_ref()
            .is_some_and(|own| Arc::ptr_eq(own, warden))
    }

    pub(super) fn end<R>(mut self, answer: &Result<R>) {
        self.tell(match answer {
            Ok(_) => Ending::Answered,
            Err(error) => Ending::Failed(error),
        });
    }

    fn tell(&mut self, ending: Ending<'_>) {
        if let Some(warden) = self.warden.take() {
            warden.ended(ending, self.began.elapsed());
        }
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        self.tell(Ending::Dropped);
    }
}

/// For a synchronous call that somebody would have to be asked about.
#[cold]
pub(super) fn cannot_wait(who: &str) -> PluginError {
    PluginError::of(
        ErrorKind::Denied,
        format!(
            "{who}: the call needs an approval, and a synchronous call does not wait for one; \
             hint: make the method `async`, or allow the call by policy"
        ),
    )
    .code("needs-approval")
}
