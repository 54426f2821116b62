//! The data that crosses the boundary, byte for byte.
//!
//! Everything in here is `repr(C)` and frozen or append-only; ABI.md at the root of the
//! repository states the rules, and a golden text of the layouts guards them. Authors and
//! embedders normally never name these types: `#[capability]` and [`export_plugin!`] generate
//! the code that uses them.
//!
//! [`export_plugin!`]: crate::export_plugin

pub mod buffer;
pub mod descriptor;
pub mod error;
pub mod layout;
pub mod note;
pub mod object;
pub mod pass;
pub mod raw_stream;
pub mod root;
pub mod stream;

pub use abi_stable::StableAbi;
pub use abi_stable::std_types::{ROption, RResult, RSlice, RSliceMut, RStr, RString, RVec, Tuple2};
pub use async_ffi::{BorrowingFfiFuture, FfiFuture};

pub use buffer::RawBuffer;
pub use descriptor::Descriptor;
pub use error::{AbiError, AbiResult};
pub use layout::{ArgLayout, InterfaceLayout, MethodLayout};
pub use object::{RawObject, Registration, VTableHeader};
pub use raw_stream::RawStream;

/// One of each type that every interface uses. Its layout is compared once per load, so that the
/// method tables only have to compare what is their own.
#[repr(C)]
#[derive(StableAbi)]
pub(crate) struct CoreTypes<'a> {
    text: RStr<'a>,
    owned_text: RString,
    slice: RSlice<'a, u8>,
    result: AbiResult<u64>,
    future: FfiFuture<AbiResult<u64>>,
    stream: RawStream<u64>,
    buffer: RawBuffer,
    object: RawObject,
    registration: Registration,
}
