//! The lints that careful crates deny say nothing of generated code.
#![deny(
    warnings,
    unsafe_code,
    unsafe_op_in_unsafe_fn,
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    unreachable_pub,
    unused_qualifications,
    single_use_lifetimes,
    elided_lifetimes_in_paths,
    unused_lifetimes,
    trivial_casts,
    let_underscore_drop,
    clippy::all,
    clippy::pedantic,
    clippy::undocumented_unsafe_blocks,
    clippy::allow_attributes_without_reason,
    clippy::missing_docs_in_private_items,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![allow(
    dead_code,
    clippy::unused_async,
    reason = "nothing calls it, and it waits for nothing"
)]

use keyway::{Bytes, Json, Result, Stream};

/// What a careful author writes.
#[keyway::capability(id = "acme.careful", version = 1)]
pub(super) trait Careful: Send + Sync {
    /// A method with many arguments.
    ///
    /// # Errors
    ///
    /// None.
    #[must_use = "the answer is why one asks"]
    #[expect(clippy::too_many_arguments, reason = "as many as it takes")]
    fn many(
        &self,
        one: u8,
        two: &str,
        three: &[u8],
        four: &mut [u8],
        five: String,
        six: Vec<u32>,
        seven: Option<Vec<(u8, String)>>,
        eight: Bytes,
    ) -> Result<Stream<(u8, String)>>;

    /// A method that has seen better days.
    ///
    /// # Errors
    ///
    /// None.
    #[deprecated = "use `many`"]
    async fn old(&self, text: &str, bytes: &[u8]) -> Result<Json<u8>>;

    /// An appended method.
    ///
    /// # Errors
    ///
    /// None.
    #[deprecated]
    #[must_use]
    async fn newer(&self, text: &str) -> Result<u8> {
        #[expect(deprecated, reason = "it has to go on")]
        let old = self.old(text, &[]).await?;
        Ok(*old)
    }

    /// Another.
    ///
    /// # Errors
    ///
    /// None.
    fn newest(&self, text: &str) -> Result<usize> {
        Ok(text.len())
    }
}

/// What a tool takes.
#[keyway::data]
#[derive(Debug)]
pub(super) struct Input {
    /// A text.
    text: String,
}

/// A tool.
///
/// # Errors
///
/// None.
#[keyway::tool]
pub(super) async fn careful_tool(input: Input) -> Result<usize> {
    Ok(input.text.len())
}
