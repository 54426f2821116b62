//! Whether a file is as long as its headers say: the difference between a finished build and one
//! that is still being written.

use super::error::Fault;

/// The furthest end of anything that the headers claim.
#[derive(Debug)]
pub(super) struct Extent {
    len: u64,
    needed: u64,
    what: &'static str,
}

impl Extent {
    pub(super) fn new(len: u64) -> Self {
        Self {
            len,
            needed: 0,
            what: "the headers",
        }
    }

    /// Notes that `size` bytes at `offset` belong to the file, and says whether they are there.
    pub(super) fn claim(
        &mut self,
        what: &'static str,
        offset: u64,
        size: u64,
    ) -> Result<bool, Fault> {
        let Some(end) = offset.checked_add(size) else {
            return Err(Fault::malformed(format!(
                "{what} at offset {offset} and of {size} bytes ends beyond any file"
            )));
        };
        if end > self.needed {
            (self.needed, self.what) = (end, what);
        }
        Ok(end <= self.len)
    }

    /// Claims a part without which nothing more can be found out.
    pub(super) fn require(
        &mut self,
        what: &'static str,
        offset: u64,
        size: u64,
    ) -> Result<(), Fault> {
        self.claim(what, offset, size)?;
        self.check()
    }

    /// Fails if anything claimed so far is beyond the end of the file.
    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.needed > self.len {
            return Err(Fault::truncated(self.what, self.needed, self.len));
        }
        Ok(())
    }
}
