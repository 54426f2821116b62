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

/// The result of a method.
pub trait Answers<'call>: Outcome {}
impl<O: Outcome> Answers<'_> for O {}

/// Demands that a type crosses.
pub const fn crosses<T: Pass>() {}

/// Demands that slices of a type cross.
pub const fn element<T: Plain>() {}

/// Demands that a type is the result of a method.
pub const fn answers<O: Outcome>() {}

/// The caller's side of a method: passes the arguments, calls, and answers the result as the
/// method declares it.
#[inline(always)]
pub fn forward<O: Outcome>(call: impl FnOnce() -> Result<O::Ok>) -> O {
    O::from_result(call())
}

/// How long a method table has to be for a method at this offset.
pub const fn end_of(offset: usize) -> usize {
    offset + size_of::<unsafe extern "C" fn()>()
}
