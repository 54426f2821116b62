//! What generated code assumes and checks of the types in a capability's signatures.
//!
//! The traits say the same as [`Pass`], [`Plain`] and [`Outcome`], with a lifetime that stands
//! for nothing: the compiler checks a bound without parameters wherever it is written, and one
//! with a lifetime only where it is used. So the generated code can assume a type to cross in
//! many places and have it checked in one, which makes a type that does not cross one error.

use crate::abi::pass::{Outcome, Pass, Plain};
use crate::error::Result;

/// A type that crosses.
pub trait Crosses<'call>: Pass {}
impl<T: Pass> Crosses<'_> for T {}

/// The element of a slice that crosses.
pub trait Element<'call>: Plain {}
impl<T: Plain> Element<'_> for T {}

/// The result of a method, where its name does not tell that it is one.
pub trait Answers<'call>: Outcome {}
impl<O: Outcome> Answers<'_> for O {}

/// [`Outcome`] for a result of which is known what it is a result of: without an associated type,
/// a result type that does not fit is one error.
#[diagnostic::on_unimplemented(
    message = "a capability method returns `Result<T, PluginError>`, not `{Self}`",
    label = "wrap this in `keyway::Result<...>`",
    note = "a call into a plugin can always fail: the plugin may panic, be busy, or be gone"
)]
pub trait ResultOf<T> {
    /// The result that it is.
    fn into_result(self) -> Result<T>;
    /// The same, the other way.
    fn from_result(result: Result<T>) -> Self;
}

impl<T> ResultOf<T> for Result<T> {
    #[inline(always)]
    fn into_result(self) -> Result<T> {
        self
    }
    #[inline(always)]
    fn from_result(result: Result<T>) -> Self {
        result
    }
}

/// Demands that a type crosses.
pub const fn crosses<T: Pass>() {}

/// Demands that slices of a type cross.
pub const fn element<T: Plain>() {}

/// Demands that a type is the result of a method.
pub const fn answers<O: Outcome>() {}

/// The caller's side of a method: passes the arguments and calls.
#[inline(always)]
pub fn forward<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    call()
}

/// How long a method table has to be for a method at this offset.
pub const fn end_of(offset: usize) -> usize {
    offset + size_of::<unsafe extern "C" fn()>()
}
