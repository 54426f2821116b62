//! Ranged reading under a budget. Only the tables that an inspection needs are read, and a crafted
//! file cannot make it take more memory or time than [`BUDGET`] allows.

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::rc::Rc;

use object::read::{ReadCache, ReadCacheOps, ReadRef};

use super::error::Fault;

/// Bytes that one inspection may read in all. The tables of the largest libraries of a Linux system
/// are a tenth of this.
const BUDGET: u64 = 64 << 20;

/// A reader of known length, as the `object` crate wants it, that keeps the error which the crate
/// drops.
#[derive(Debug)]
pub(super) struct Source<S> {
    reader: S,
    len: u64,
    error: Rc<RefCell<Option<io::Error>>>,
}

impl<S> Source<S> {
    pub(super) fn new(reader: S, len: u64) -> Self {
        Self {
            reader,
            len,
            error: Rc::default(),
        }
    }

    /// Where the first error of the reader will be found.
    pub(super) fn error(&self) -> Rc<RefCell<Option<io::Error>>> {
        Rc::clone(&self.error)
    }

    fn keep<T>(&self, result: io::Result<T>) -> Result<T, ()> {
        result.map_err(|error| *self.error.borrow_mut() = Some(error))
    }
}

impl<S: Read + Seek> ReadCacheOps for Source<S> {
    fn len(&mut self) -> Result<u64, ()> {
        Ok(self.len)
    }

    fn seek(&mut self, pos: u64) -> Result<u64, ()> {
        let result = self.reader.seek(SeekFrom::Start(pos));
        self.keep(result)
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ()> {
        let result = self.reader.read(buf);
        self.keep(result)
    }

    fn read_exact(&mut self, buf: &mut [u8]) -> Result<(), ()> {
        let result = self.reader.read_exact(buf);
        self.keep(result)
    }
}

/// Runs an inspection over a reader. Its error takes the place of the follow-up error that the
/// inspection makes of it.
pub(super) fn with_reader<S: Read + Seek, T>(
    source: Source<S>,
    inspect: impl FnOnce(Budgeted<'_, &ReadCache<Source<S>>>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let error = source.error();
    let cache = ReadCache::new(source);
    let account = Account::default();
    let result = account.settle(inspect(Budgeted {
        data: &cache,
        account: &account,
    }));
    match error.take() {
        Some(error) => Err(Fault::io("read the file", error)),
        None => result,
    }
}

/// Runs an inspection over bytes in memory.
pub(super) fn with_bytes<T>(
    bytes: &[u8],
    inspect: impl FnOnce(Budgeted<'_, &[u8]>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let account = Account::default();
    account.settle(inspect(Budgeted {
        data: bytes,
        account: &account,
    }))
}

/// What was spent of the budget, and the read that was too much for it.
#[derive(Debug, Default)]
struct Account {
    spent: Cell<u64>,
    refused: Cell<Option<u64>>,
}

impl Account {
    /// Pays for a read. A repeated read is paid again although a cache has it: looking at it takes
    /// time.
    fn pay(&self, size: u64) -> Result<(), ()> {
        let spent = self.spent.get().saturating_add(size);
        if spent > BUDGET {
            self.refused.set(Some(size));
            return Err(());
        }
        self.spent.set(spent);
        Ok(())
    }

    /// Replaces the follow-up error of a refused read.
    fn settle<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        match self.refused.get() {
            Some(wanted) => Err(Fault::too_large(wanted, BUDGET)),
            None => result,
        }
    }
}

/// The file, as far as the budget reaches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budgeted<'a, R> {
    data: R,
    account: &'a Account,
}

impl<'a, R: ReadRef<'a>> ReadRef<'a> for Budgeted<'a, R> {
    fn len(self) -> Result<u64, ()> {
        self.data.len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        // A read beyond the end costs nothing: it is an error of its own kind.
        if offset
            .checked_add(size)
            .is_none_or(|end| self.data.len().is_ok_and(|len| end > len))
        {
            return Err(());
        }
        self.account.pay(size)?;
        self.data.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        self.account.pay(range.end.saturating_sub(range.start))?;
        self.data.read_bytes_at_until(range, delimiter)
    }
}
