//! A plugin's whole life in a unit test of its own crate, without a host and without a library.
//!
//! [`TestPlugin`] prepares and activates a plugin through the same tables that a host goes through, so
//! a panic is contained and the state crosses as it does in a reload. What the plugin asks of its host is
//! answered by a [`TestContext`]: from memory, and only as far as the test grants it. Needs the feature
//! `testing`, in `[dev-dependencies]`:
//!
//! ```toml
//! [dev-dependencies]
//! keyway = { path = "../keyway/interface", features = ["testing"] }
//! ```
//!
//! ```
//! use keyway::testing::{TestContext, TestPlugin, block_on};
//! use serde_json::json;
//! # use keyway::{Activation, Context, Plugin, Result};
//! # #[keyway::data] struct Greeting { name: String }
//! # /// Greets somebody by name.
//! # #[keyway::tool]
//! # async fn greet(context: &Context, greeting: Greeting) -> Result<String> {
//! #     let word = context.text("greeting")?.unwrap_or_else(|| "Hello".into());
//! #     Ok(format!("{word}, {}!", greeting.name))
//! # }
//! # struct Greeter { context: Context }
//! # impl Plugin for Greeter {
//! #     async fn prepare(context: Context) -> Result<Self> { Ok(Greeter { context }) }
//! #     async fn activate(&self, activation: &mut Activation) -> Result<()> {
//! #         activation.tool_with::<greet>(self.context.clone())?;
//! #         Ok(())
//! #     }
//! # }
//! # keyway::export_plugin!(Greeter, manifest = "src/greeter.toml");
//!
//! block_on(async {
//!     let context = TestContext::new().text("greeting", "Good day");
//!     let greeter = TestPlugin::<Greeter>::activate(context).await?;
//!
//!     assert!(greeter.has("tool", "greet"));
//!     greeter.contract().assert_kept();
//!     let answer = greeter.call("greet", json!({ "name": "Ada" })).await?;
//!     assert_eq!(answer, "Good day, Ada!");
//! # Ok::<(), keyway::PluginError>(())
//! # })?;
//! # Ok::<(), keyway::PluginError>(())
//! ```
//!
//! What a host decides from files alone is not a part of it: versions, types of settings, the schema of a
//! tool's arguments, and whether a path or a peer is within what `plugin.toml` asks for. A test that wants
//! all of that takes `keyway_host::testing`.

mod audit;
mod context;
mod plugin;
mod services;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as Waiting, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

pub use audit::{AuditRecord, Service};
pub use context::TestContext;
pub use keyway_manifest::Contract;
pub use plugin::TestPlugin;

use crate::capability::Owner;
use crate::error::PluginError;

/// Runs a future to its end on the calling thread, for tests without a runtime of their own.
///
/// Timers and sockets of tokio work inside of a plugin whose crate has the feature `tokio`, which brings a
/// runtime along.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut cx = Waiting::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// What stands behind the objects of a test, in messages.
struct UnderTest(String);

impl Owner for UnderTest {
    fn describe(&self) -> String {
        self.0.clone()
    }

    // The panic hook of the test has printed it, and the caller gets the error.
    fn panicked(&self, _: &PluginError) {}

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        // Without a clock no deadline ever passes; a test runner has its own.
        Box::pin(std::future::pending())
    }
}

#[cfg(test)]
mod tests;
