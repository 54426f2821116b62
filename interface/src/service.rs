//! Services: what a plugin does all the time, without being asked.
//!
//! A running service is a stream and not a call. A call has a deadline, takes one of the plugin's
//! places for concurrent calls, and is waited for when the plugin is replaced; a service should do
//! none of that. Its stream is read for as long as the host wants it, says how the service is
//! doing, and ends it when it is dropped.

use serde::{Deserialize, Serialize};

use crate::abi::pass::Json;
use crate::abi::stream::Stream;
use crate::error::Result;

/// How a service is doing. A report holds until the next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceReport {
    /// Whether the service does what it is there for.
    pub ready: bool,
    /// What there is to say, for people.
    #[serde(default)]
    pub message: String,
}

impl ServiceReport {
    /// The service does what it is there for.
    pub fn ready(message: impl Into<String>) -> Self {
        ServiceReport {
            ready: true,
            message: message.into(),
        }
    }

    /// The service runs, and cannot do what it is there for: it is not that far, or lacks something.
    pub fn not_ready(message: impl Into<String>) -> Self {
        ServiceReport {
            ready: false,
            message: message.into(),
        }
    }
}

/// The extension point of services.
///
/// ```
/// use keyway::service::{Service, ServiceReport};
/// use keyway::{Json, Result, Stream};
///
/// struct Cleaner;
/// # impl Cleaner { async fn clean() -> Result<usize> { Ok(0) } }
///
/// impl Service for Cleaner {
///     fn run(&self) -> Result<Stream<Json<ServiceReport>>> {
///         Ok(Stream::produce(|reports| async move {
///             loop {
///                 let count = Cleaner::clean().await?;
///                 let report = ServiceReport::ready(format!("removed {count} files"));
///                 reports.send(Json(report)).await?;
///             }
///         }))
///     }
/// }
/// # keyway::service::ServiceHandle::provide(Cleaner);
/// ```
///
/// A host that ends a service calls [`stop`](Service::stop), reads on until the stream ends or its
/// patience does, and drops the stream, which cancels whatever still runs in it. Dropping it is also
/// what joins the service: when that returns, nothing of the stream's own runs any more. Threads
/// and tasks that it has spawned are the plugin's to end, at the latest in
/// [`Plugin::deactivate`](crate::Plugin::deactivate).
///
/// The stream belongs to the version of the plugin that made it, and keeps that version in memory. On
/// a reload the host ends it and runs the service of the new version.
#[keyway_macros::capability(id = "keyway.service", version = 1)]
pub trait Service: Send + Sync {
    /// Starts the service. It runs while the stream is read, and is over when that ends; an error is
    /// its last item.
    fn run(&self) -> Result<Stream<Json<ServiceReport>>>;

    /// Asks the service to end in order. By default nothing: the host drops the stream.
    async fn stop(&self) -> Result<()> {
        Ok(())
    }
}
