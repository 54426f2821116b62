//! Which Rust types may stand in a capability, and how each one crosses the boundary.
//!
//! [`Pass`] maps a type of an author's signature to its form at the boundary. Borrowed slices and
//! strings cross as pointer and length; owned strings and vectors are copied by the receiver and
//! given back while the sender is still held; [`Bytes`] crosses without a copy, with a lease on
//! the plugin that owns the memory; any serde type crosses as JSON inside [`Json`].
#![expect(
    unsafe_code,
    reason = "values are read back from their boundary form here"
)]

mod message;

use std::any::Any;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use abi_stable::StableAbi;
use abi_stable::std_types::{ROption, RSlice, RSliceMut, RStr, RString, RVec, Tuple2, Tuple3};
use bytes::Bytes;

use super::stream::Stream;
use super::{RawBuffer, RawStream};
use crate::error::{ErrorKind, PluginError, Result};

/// Keeps the library that owns some memory from being unloaded.
pub type Lease = Arc<dyn Any + Send + Sync>;

/// Where a value comes from, and how to keep its sender alive for as long as the value lives.
pub struct Origin<'a> {
    lease: Option<&'a dyn Fn() -> Lease>,
}

impl<'a> Origin<'a> {
    /// A sender that outlives the receiver, as a host outlives its plugins.
    pub const OUTLIVES_US: Origin<'static> = Origin { lease: None };

    /// A sender that may be unloaded; `lease` prevents it.
    pub fn leased(lease: &'a dyn Fn() -> Lease) -> Self {
        Origin { lease: Some(lease) }
    }

    /// A lease on the sender, where it needs one.
    pub fn lease(&self) -> Option<Lease> {
        self.lease.map(|lease| lease())
    }
}

impl fmt::Debug for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin")
            .field("leased", &self.lease.is_some())
            .finish()
    }
}

/// A type that may stand as an argument or a result in a capability.
///
/// Implemented for integers, floats, `bool`, `()`, `&str`, `&[T]` and `&mut [T]` of [`Plain`]
/// types, `String`, `Vec<T>`, `Option<T>`, pairs and triples, [`Bytes`], [`Json<T>`] for any
/// serde type, [`Message`](crate::channel::Message), and, as a result, [`Stream<T>`].
///
/// # Safety
///
/// `Abi` must be the same on both sides of the boundary whenever its `StableAbi` layouts are
/// compatible, and [`Pass::receive`] must copy whatever it keeps unless it also keeps a lease.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross a capability",
    label = "this type has no form at the plugin boundary",
    note = "numbers, bool, &str, &[T], &mut [T], String, Vec<T>, Option<T>, tuples and Bytes cross as they are",
    note = "any type with serde::Serialize and Deserialize crosses inside `keyway::Json<T>`",
    note = "a `repr(C)` type with `abi_stable::StableAbi` crosses after `keyway::plain!(Type)`"
)]
pub unsafe trait Pass: Sized {
    /// The form at the boundary.
    type Abi: StableAbi + Send;

    /// Turns the value into its boundary form.
    ///
    /// # Errors
    ///
    /// When the value cannot be written, as a map with non-string keys inside [`Json`].
    fn pass(self) -> Result<Self::Abi>;

    /// Reads the value back.
    ///
    /// # Safety
    ///
    /// `abi` came out of [`Pass::pass`] of this type, on this or the other side, and its sender
    /// is alive during this call. What is kept longer is copied or kept with `origin`'s lease.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Malformed`] when the bytes do not read as the type.
    unsafe fn receive(abi: Self::Abi, origin: &Origin<'_>) -> Result<Self>;

    /// [`Pass::pass`] for each element of a vector. Plain elements go as one block.
    ///
    /// # Errors
    ///
    /// That of the first element which has one.
    #[doc(hidden)]
    fn pass_all(values: Vec<Self>) -> Result<RVec<Self::Abi>> {
        let passed: Result<Vec<_>> = values.into_iter().map(Self::pass).collect();
        Ok(passed?.into())
    }

    /// [`Pass::receive`] for each element of a vector. Plain elements are copied as one block.
    ///
    /// # Safety
    ///
    /// As for [`Pass::receive`].
    ///
    /// # Errors
    ///
    /// That of the first element which has one.
    #[doc(hidden)]
    unsafe fn receive_all(abi: RVec<Self::Abi>, origin: &Origin<'_>) -> Result<Vec<Self>> {
        abi.into_vec()
            .into_iter()
            // SAFETY: passed on to the caller.
            .map(|element| unsafe { Self::receive(element, origin) })
            .collect()
    }
}

/// A `Copy` type whose bytes cross as they are, also in slices.
///
/// # Safety
///
/// The type is `repr(C)` (or a primitive), owns nothing, and its `StableAbi` layout says all
/// there is to know of it.
#[diagnostic::on_unimplemented(
    message = "slices of `{Self}` cannot cross a capability",
    label = "this type's bytes mean nothing on the other side",
    note = "slices of numbers and of bool cross as they are",
    note = "`Vec<T>` crosses if `T` does, and `keyway::Json<Vec<T>>` if `T` is a serde type",
    note = "a `Copy` type that is `repr(C)` with `abi_stable::StableAbi` crosses after `keyway::plain!(Type)`"
)]
pub unsafe trait Plain: StableAbi + Copy + Send + Sync + 'static {}

/// Lets a `Copy` type with a `StableAbi` layout cross capabilities as it is.
///
/// The type must be `repr(C)`, own nothing, and derive `abi_stable::StableAbi` (for which the
/// crate that defines it depends on `abi_stable`, at the version that keyway re-exports).
#[macro_export]
macro_rules! plain {
    ($type:ty) => {
        #[allow(
            unsafe_code,
            reason = "the caller of plain! vouches for a plain repr(C) type"
        )]
        const _: () = {
            // SAFETY: the StableAbi layout, which both sides compare, describes the whole type,
            // and the trait's Copy bound keeps it from owning anything.
            unsafe impl $crate::abi::pass::Plain for $type {}
            // SAFETY: the type is its own boundary form.
            unsafe impl $crate::abi::pass::Pass for $type {
                type Abi = $type;
                #[inline(always)]
                fn pass(self) -> $crate::Result<$type> {
                    Ok(self)
                }
                #[inline(always)]
                unsafe fn receive(
                    abi: $type,
                    _: &$crate::abi::pass::Origin<'_>,
                ) -> $crate::Result<$type> {
                    Ok(abi)
                }
                fn pass_all(
                    values: ::std::vec::Vec<$type>,
                ) -> $crate::Result<$crate::abi::RVec<$type>> {
                    Ok(values.into())
                }
                unsafe fn receive_all(
                    abi: $crate::abi::RVec<$type>,
                    _: &$crate::abi::pass::Origin<'_>,
                ) -> $crate::Result<::std::vec::Vec<$type>> {
                    Ok(abi.into_vec())
                }
            }
        };
    };
}

plain!(u8);
plain!(u16);
plain!(u32);
plain!(u64);
plain!(usize);
plain!(i8);
plain!(i16);
plain!(i32);
plain!(i64);
plain!(isize);
plain!(f32);
plain!(f64);
plain!(bool);
plain!(());

// SAFETY: pointer and length of a borrow that the caller holds during the call.
unsafe impl<'a> Pass for &'a str {
    type Abi = RStr<'a>;
    #[inline(always)]
    fn pass(self) -> Result<RStr<'a>> {
        Ok(RStr::from_str(self))
    }
    #[inline(always)]
    unsafe fn receive(abi: RStr<'a>, _: &Origin<'_>) -> Result<&'a str> {
        Ok(abi.as_str())
    }
}

// SAFETY: as for `&str`; the elements are plain.
unsafe impl<'a, T: Plain> Pass for &'a [T] {
    type Abi = RSlice<'a, T>;
    #[inline(always)]
    fn pass(self) -> Result<RSlice<'a, T>> {
        Ok(RSlice::from_slice(self))
    }
    #[inline(always)]
    unsafe fn receive(abi: RSlice<'a, T>, _: &Origin<'_>) -> Result<&'a [T]> {
        Ok(abi.as_slice())
    }
}

// SAFETY: as for `&[T]`; the borrow is exclusive on the caller's side.
unsafe impl<'a, T: Plain> Pass for &'a mut [T] {
    type Abi = RSliceMut<'a, T>;
    #[inline(always)]
    fn pass(self) -> Result<RSliceMut<'a, T>> {
        Ok(RSliceMut::from_mut_slice(self))
    }
    #[inline(always)]
    unsafe fn receive(abi: RSliceMut<'a, T>, _: &Origin<'_>) -> Result<&'a mut [T]> {
        Ok(abi.into_mut_slice())
    }
}

// SAFETY: the receiver copies the text into its own memory and gives the sender's back through
// the function that travels with it, all inside `receive`.
unsafe impl Pass for String {
    type Abi = RString;
    fn pass(self) -> Result<RString> {
        Ok(self.into())
    }
    unsafe fn receive(abi: RString, _: &Origin<'_>) -> Result<String> {
        Ok(abi.into_string())
    }
}

// SAFETY: as for `String`, element by element.
unsafe impl<T: Pass> Pass for Vec<T> {
    type Abi = RVec<T::Abi>;
    fn pass(self) -> Result<RVec<T::Abi>> {
        T::pass_all(self)
    }
    unsafe fn receive(abi: RVec<T::Abi>, origin: &Origin<'_>) -> Result<Vec<T>> {
        // SAFETY: passed on to the caller.
        unsafe { T::receive_all(abi, origin) }
    }
}

// SAFETY: as for the inner type.
unsafe impl<T: Pass> Pass for Option<T> {
    type Abi = ROption<T::Abi>;
    fn pass(self) -> Result<ROption<T::Abi>> {
        Ok(self.map(T::pass).transpose()?.into())
    }
    unsafe fn receive(abi: ROption<T::Abi>, origin: &Origin<'_>) -> Result<Option<T>> {
        // SAFETY: passed on to the caller.
        abi.into_option()
            .map(|value| unsafe { T::receive(value, origin) })
            .transpose()
    }
}

// SAFETY: as for the inner types.
unsafe impl<A: Pass, B: Pass> Pass for (A, B) {
    type Abi = Tuple2<A::Abi, B::Abi>;
    fn pass(self) -> Result<Self::Abi> {
        Ok(Tuple2(self.0.pass()?, self.1.pass()?))
    }
    unsafe fn receive(abi: Self::Abi, origin: &Origin<'_>) -> Result<Self> {
        // SAFETY: passed on to the caller.
        Ok(unsafe { (A::receive(abi.0, origin)?, B::receive(abi.1, origin)?) })
    }
}

// SAFETY: as for the inner types.
unsafe impl<A: Pass, B: Pass, C: Pass> Pass for (A, B, C) {
    type Abi = Tuple3<A::Abi, B::Abi, C::Abi>;
    fn pass(self) -> Result<Self::Abi> {
        Ok(Tuple3(self.0.pass()?, self.1.pass()?, self.2.pass()?))
    }
    unsafe fn receive(abi: Self::Abi, origin: &Origin<'_>) -> Result<Self> {
        // SAFETY: passed on to the caller.
        Ok(unsafe {
            (
                A::receive(abi.0, origin)?,
                B::receive(abi.1, origin)?,
                C::receive(abi.2, origin)?,
            )
        })
    }
}

// SAFETY: the buffer is kept together with a lease on its sender.
unsafe impl Pass for Bytes {
    type Abi = RawBuffer;
    fn pass(self) -> Result<RawBuffer> {
        Ok(RawBuffer::new(self))
    }
    unsafe fn receive(abi: RawBuffer, origin: &Origin<'_>) -> Result<Bytes> {
        Ok(match origin.lease() {
            Some(lease) => Bytes::from_owner(LeasedBuffer {
                buffer: abi,
                _lease: lease,
            }),
            None => Bytes::from_owner(abi),
        })
    }
}

/// A plugin's buffer; the lease is the last field, so the buffer is released before it.
struct LeasedBuffer {
    buffer: RawBuffer,
    _lease: Lease,
}

impl AsRef<[u8]> for LeasedBuffer {
    fn as_ref(&self) -> &[u8] {
        self.buffer.as_ref()
    }
}

// SAFETY: the stream is kept together with a lease on its sender.
unsafe impl<T: Pass + 'static> Pass for Stream<T>
where
    T::Abi: Send + 'static,
{
    type Abi = RawStream<T::Abi>;
    fn pass(self) -> Result<Self::Abi> {
        Ok(self.into_raw())
    }
    unsafe fn receive(abi: Self::Abi, origin: &Origin<'_>) -> Result<Self> {
        // SAFETY: passed on to the caller.
        Ok(unsafe { Stream::from_raw(abi, origin.lease()) })
    }
}

/// Carries any serde type across a capability, as JSON text.
///
/// JSON describes itself, so both sides may differ in fields as far as serde allows; what does
/// not read is an [`ErrorKind::Malformed`] error, never a panic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Json<T>(pub T);

impl<T> Deref for Json<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> From<T> for Json<T> {
    fn from(value: T) -> Self {
        Json(value)
    }
}

/// What [`Json`] carries.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross as JSON",
    label = "this type cannot be written as JSON or not be read back",
    note = "derive both serde::Serialize and Deserialize, or put `#[keyway::data]` on the type"
)]
pub trait JsonValue: serde::Serialize + serde::de::DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: serde::Serialize + serde::de::DeserializeOwned> JsonValue for T {}

// SAFETY: only text crosses, and the receiver parses it into its own memory inside `receive`.
unsafe impl<T: JsonValue> Pass for Json<T> {
    type Abi = RString;
    fn pass(self) -> Result<RString> {
        let text = serde_json::to_string(&self.0).map_err(|error| {
            PluginError::of(
                ErrorKind::Malformed,
                format!("{} does not serialize: {error}", std::any::type_name::<T>()),
            )
        })?;
        Ok(text.into())
    }
    unsafe fn receive(abi: RString, _: &Origin<'_>) -> Result<Self> {
        serde_json::from_str(abi.as_str())
            .map(Json)
            .map_err(|error| {
                PluginError::of(
                    ErrorKind::Malformed,
                    format!(
                        "the other side's {} does not read: {error}",
                        std::any::type_name::<T>()
                    ),
                )
            })
    }
}

/// The result type of a capability method.
#[diagnostic::on_unimplemented(
    message = "a capability method returns `Result<T, PluginError>`, not `{Self}`",
    label = "wrap this in `keyway::Result<...>`",
    note = "a call into a plugin can always fail: the plugin may panic, be busy, or be gone"
)]
pub trait Outcome {
    /// What the method answers when all is well.
    type Ok: Pass + 'static;
    /// The outcome as the result that it is.
    fn into_result(self) -> Result<Self::Ok>;
    /// The same, the other way.
    fn from_result(result: Result<Self::Ok>) -> Self;
}

impl<T: Pass + 'static> Outcome for Result<T, PluginError> {
    type Ok = T;
    #[inline(always)]
    fn into_result(self) -> Result<T> {
        self
    }
    #[inline(always)]
    fn from_result(result: Result<T>) -> Self {
        result
    }
}
