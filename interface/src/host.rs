//! What a host offers its plugins: the host table.
//!
//! Authors meet it only through [`Context`](crate::Context) and through `tracing`.
//!
//! What takes its time blocks: no method is async, so that a host never keeps a waker of a plugin's,
//! which would be gone with the plugin. [`Context`](crate::Context) calls those methods on threads of
//! the plugin's own.

#[doc(hidden)]
pub mod wire;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::abi::pass::Json;
use crate::error::{ErrorKind, PluginError, Result};
use crate::shim::hooks;
use wire::{ProgramEnd, ProgramStart, RequestHead, ResponseHead};

/// Where a plugin runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Environment {
    /// The name of the embedding application.
    pub host_name: String,
    /// The version of the embedding application.
    pub host_version: String,
    /// The interface minor that both sides speak.
    pub interface_minor: u16,
    /// Whether the plugin is linked into the host's own binary.
    pub linked_statically: bool,
}

impl Environment {
    /// An environment; for hosts.
    pub fn new(host_name: impl Into<String>, host_version: impl Into<String>) -> Self {
        Environment {
            host_name: host_name.into(),
            host_version: host_version.into(),
            interface_minor: crate::version::INTERFACE.minor,
            linked_statically: false,
        }
    }
}

macro_rules! host_services {
    ($($appended:tt)*) => {
        /// The host table. A host implements it once per plugin.
        ///
        /// Call sites, spans and their values cross in the forms of [`crate::log`].
        #[keyway_macros::capability(id = "keyway.host", version = 1)]
        pub trait HostServices: Send + Sync {
            /// Where the plugin runs.
            fn environment(&self) -> Result<Json<Environment>>;
            /// Makes a `tracing` call site of the plugin known; answers its number here.
            fn log_callsite(&self, callsite: &[u8]) -> Result<u64>;
            /// How much the host wants of what this call site reports: nothing, everything, or
            /// that it is asked each time.
            fn log_interest(&self, callsite: u64) -> Result<u8>;
            /// Whether the host wants what this call site would report now.
            fn log_enabled(&self, callsite: u64) -> Result<bool>;
            /// Reports an event. `parent` is a span, 0 for the current one, `u64::MAX` for none.
            fn log_event(&self, callsite: u64, parent: u64, values: &[u8]) -> Result<()>;
            /// Makes a span; answers its number, 0 if the host does not want it.
            fn span_new(&self, callsite: u64, parent: u64, values: &[u8]) -> Result<u64>;
            /// Adds values to a span.
            fn span_record(&self, span: u64, values: &[u8]) -> Result<()>;
            /// Says that a span follows from another.
            fn span_follows_from(&self, span: u64, follows: u64) -> Result<()>;
            /// The calling thread enters a span.
            fn span_enter(&self, span: u64) -> Result<()>;
            /// The calling thread leaves a span.
            fn span_exit(&self, span: u64) -> Result<()>;
            /// One more owner of a span; answers the number under which it knows the span, 0 if
            /// it has ended.
            fn span_clone(&self, span: u64) -> Result<u64>;
            /// One owner of a span less.
            fn span_drop(&self, span: u64) -> Result<()>;
            /// The span that the calling thread is in, 0 if none, and its call site, 0 if it is
            /// not one of the plugin's.
            fn span_current(&self) -> Result<(u64, u64)>;
            /// Reports a panic in the plugin: message, place and thread.
            fn log_panic(&self, message: &str, place: &str, thread: &str) -> Result<()>;
            /// A number for one request or program, by which it can be cancelled. It is taken back by
            /// the end of what it was taken for, or by [`cancel`](HostServices::cancel).
            fn take_ticket(&self) -> Result<u64> {
                Err(not_offered("requests and programs"))
            }
            /// Ends what has this ticket, now or as soon as it begins. Does nothing where that has
            /// ended.
            fn cancel(&self, ticket: u64) -> Result<()> {
                let _ = ticket;
                Ok(())
            }
            /// The content of a file. Blocks.
            fn read_file(&self, path: &str) -> Result<Bytes> {
                let _ = path;
                Err(not_offered("files"))
            }
            /// Puts a file with this content in its place. Blocks.
            fn write_file(&self, path: &str, bytes: &[u8]) -> Result<()> {
                let _ = (path, bytes);
                Err(not_offered("files"))
            }
            /// An environment variable of the host, where it is set.
            fn read_env(&self, name: &str) -> Result<Option<String>> {
                let _ = name;
                Err(not_offered("environment variables"))
            }
            /// Sends a web request and answers what came back. Blocks.
            fn send_request(
                &self,
                ticket: u64,
                request: Json<RequestHead>,
                body: &[u8],
            ) -> Result<(Json<ResponseHead>, Bytes)> {
                let _ = (ticket, request, body);
                Err(not_offered("web requests"))
            }
            /// Runs a program to its end; answers how that came, and what it wrote to its output and
            /// to its standard error. Blocks.
            fn run_program(
                &self,
                ticket: u64,
                start: Json<ProgramStart>,
                input: &[u8],
            ) -> Result<(Json<ProgramEnd>, Bytes, Bytes)> {
                let _ = (ticket, start, input);
                Err(not_offered("programs"))
            }
            /// The value of a key of the plugin's store. Blocks.
            fn kv_get(&self, key: &str) -> Result<Option<Bytes>> {
                let _ = key;
                Err(not_offered("a key-value store"))
            }
            /// Gives a key a value. Blocks until it is on the disk.
            fn kv_put(&self, key: &str, value: &[u8]) -> Result<()> {
                let _ = (key, value);
                Err(not_offered("a key-value store"))
            }
            /// Takes a key away; answers whether it was there. Blocks.
            fn kv_delete(&self, key: &str) -> Result<bool> {
                let _ = key;
                Err(not_offered("a key-value store"))
            }
            /// The first of the keys that begin with a prefix, sorted, and that come after another
            /// one, and whether there are more. Blocks.
            fn kv_keys(&self, prefix: &str, after: Option<String>) -> Result<(Vec<String>, bool)> {
                let _ = (prefix, after);
                Err(not_offered("a key-value store"))
            }
            /// A text of the host's, where there is one of this name.
            fn named_text(&self, name: &str) -> Result<Option<String>> {
                let _ = name;
                Err(not_offered("named texts"))
            }
            /// The names of the host's texts, sorted.
            fn text_names(&self) -> Result<Vec<String>> {
                Err(not_offered("named texts"))
            }
            $($appended)*
        }
    };
}

#[cfg(not(feature = "unstable-next-minor"))]
host_services! {}

#[cfg(feature = "unstable-next-minor")]
host_services! {
    /// Stands for whatever the next minor appends.
    fn appended(&self) -> Result<String> {
        Ok("the default of the host table".to_owned())
    }
}

/// The error of a host that was built before it offered something.
#[cold]
fn not_offered(what: &str) -> PluginError {
    let message = format!("this host was built before hosts offered {what} to plugins");
    PluginError::of(ErrorKind::Unsupported, message).code("unsupported-here")
}

pub(crate) fn report_panic(host: &HostServicesHandle, message: &str, place: &str) {
    // A panic in here would end the process, and std panics where it knows the thread no more.
    let thread = (!hooks::has_ended_values()).then(std::thread::current);
    let name = thread
        .as_ref()
        .map_or(Some("ending"), |thread| thread.name());
    let _ = host.log_panic(message, place, name.unwrap_or("unnamed"));
}
