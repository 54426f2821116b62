//! Tells the plugins when the application's log filter changes.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Inner;
use crate::error::{HostError, HostErrorKind};
use crate::log::FilterWatch;

/// How long a plugin may take to ask again what is wanted.
const PATIENCE: Duration = Duration::from_secs(1);

/// Starts the thread, which ends with the host.
///
/// It is not a task of the host's runtime, since the change is announced under the locks of
/// `tracing`, to a condition variable.
pub(super) fn start(mut watch: FilterWatch, host: &Arc<Inner>) -> Result<(), HostError> {
    let host = Arc::downgrade(host);
    let run = move || while watch.wait() && tell(&host) {};
    std::thread::Builder::new()
        .name("keyway-log".to_owned())
        .spawn(run)
        .map(drop)
        .map_err(|error| {
            HostError::new(
                HostErrorKind::Host,
                format!("cannot start a thread: {error}"),
            )
            .source(error)
        })
}

/// Tells all plugins; answers whether the host is still there.
fn tell(host: &Weak<Inner>) -> bool {
    let Some(host) = host.upgrade() else {
        return false;
    };
    let plugins: Vec<_> = host.plugins().values().cloned().collect();
    let runtime = host.clock.handle().clone();
    for plugin in plugins {
        runtime.block_on(plugin.serving().log_filter_changed(&runtime, PATIENCE));
    }
    true
}
