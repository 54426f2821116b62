//! The manifest as its users see it: through the public functions, from text to model or message.

mod base;
#[cfg(feature = "json")]
mod embedded;
mod hostile;
#[cfg(feature = "json")]
mod json;
mod messages;
mod model;
#[cfg(feature = "json")]
mod properties;
