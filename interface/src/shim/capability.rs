//! Extension points: what `#[capability]` generates is built from the parts in here.
//!
//! A [`Provided`] is an implementation on its way to the host. A [`Target`] is what a generated
//! handle calls through: a slot that points to whatever version serves at the moment, or one
//! fixed object.

mod call;
mod door;
mod entry;
mod gate;
mod pending;
pub(crate) mod provided;
mod room;
mod target;
mod warden;

pub use call::AsyncCall;
pub use entry::{Entry, Object, Owner};
pub use gate::{Gate, GateLimits};
pub use provided::{Capability, Provide, Provided};
pub use room::{RoomLimits, WaitingRoom};
pub use target::Target;
pub use warden::{Admission, Ending, Question, Warden};
