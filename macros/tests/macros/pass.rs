//! What the macros accept.

mod data;
mod lints;
mod names;
mod places;
mod prelude;
