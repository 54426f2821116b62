//! Whether a call may be made: decided by the application, before the plugin sees the call.
//!
//! A policy mediates the calls that go through the host's handles. It is no sandbox: it decides what
//! an application does with its plugins, and not what a plugin's code does once it runs.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keyway::{ErrorKind, PluginError};
use serde_json::Value;

/// A call that is about to be made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Call {
    /// The name under which the plugin is loaded.
    pub plugin: Arc<str>,
    /// The identifier of the capability, for example `keyway.tool`.
    pub capability: Arc<str>,
    /// The name under which it is offered, for example that of the tool.
    pub name: Arc<str>,
    /// The arguments, as far as they are known to the host: those of tools and commands are.
    pub arguments: Option<Arc<Value>>,
}

/// `keyway.tool `redact` of plugin 'text-filter'`.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Call {
            plugin,
            capability,
            name,
            ..
        } = self;
        write!(f, "{capability} `{name}` of plugin '{plugin}'")
    }
}

/// What a policy says of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// It is made.
    Allow,
    /// It is not made. The caller gets an error of kind [`ErrorKind::Denied`] with the code
    /// `denied-by-policy`.
    Deny {
        /// Why, for the caller.
        reason: String,
    },
    /// It waits for [`Policy::approve`]. A synchronous call cannot wait, and is denied with the code
    /// `needs-approval`.
    NeedsApproval {
        /// Why, for whoever is asked and for the caller.
        reason: String,
    },
}

/// The answer of [`Policy::approve`].
pub type Approval = Pin<Box<dyn Future<Output = bool> + Send>>;

/// Decides about calls. Asked before each call by any number of threads at once, so it should be
/// quick and must not call plugins.
pub trait Policy: Send + Sync + 'static {
    /// Whether a call may be made.
    fn decide(&self, call: &Call) -> Decision;

    /// Asks somebody about a call that needs an approval. By default nobody is there to be asked, and
    /// the answer is no.
    ///
    /// The caller's deadline runs meanwhile. Dropping the future withdraws the question.
    fn approve(&self, call: &Call, reason: &str) -> Approval {
        let _ = (call, reason);
        Box::pin(std::future::ready(false))
    }
}

/// A policy may be a closure that decides.
impl<F: Fn(&Call) -> Decision + Send + Sync + 'static> Policy for F {
    fn decide(&self, call: &Call) -> Decision {
        self(call)
    }
}

#[cold]
pub(crate) fn denied(call: &Call, reason: &str) -> PluginError {
    PluginError::of(
        ErrorKind::Denied,
        format!("{call}: the policy of the host denies the call: {reason}"),
    )
    .code("denied-by-policy")
}

#[cold]
pub(crate) fn not_approved(call: &Call, reason: &str) -> PluginError {
    PluginError::of(
        ErrorKind::Denied,
        format!("{call}: the call needs an approval, and got none: {reason}"),
    )
    .code("not-approved")
}

std::thread_local! {
    /// What this thread is about to call with, for the policy.
    static ABOUT_TO_CALL: RefCell<Option<Arc<Arguments>>> = const { RefCell::new(None) };
}

/// The arguments of one call, for the policy to see when it decides on that call, and not on those
/// that the plugin makes in the course of it.
pub(crate) struct Arguments {
    value: Arc<Value>,
    seen: AtomicBool,
}

impl Arguments {
    pub(crate) fn new(value: Value) -> Arc<Self> {
        Arc::new(Arguments {
            value: Arc::new(value),
            seen: AtomicBool::new(false),
        })
    }

    /// Runs `work`, which begins the call on this thread, or goes on with it.
    pub(crate) fn of_call<R>(self: &Arc<Self>, work: impl FnOnce() -> R) -> R {
        if self.seen.load(Ordering::Relaxed) {
            return work();
        }
        let before = ABOUT_TO_CALL.replace(Some(Arc::clone(self)));
        let _restored = Restored(before);
        work()
    }
}

/// The arguments of the call that this thread is about to make, if somebody has said them.
pub(crate) fn arguments() -> Option<Arc<Value>> {
    let arguments = ABOUT_TO_CALL.take()?;
    arguments.seen.store(true, Ordering::Relaxed);
    Some(Arc::clone(&arguments.value))
}

struct Restored(Option<Arc<Arguments>>);

impl Drop for Restored {
    fn drop(&mut self) {
        ABOUT_TO_CALL.set(self.0.take());
    }
}
