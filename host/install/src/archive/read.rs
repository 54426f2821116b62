//! Unpacking an archive that may have been made to do harm.
//!
//! Names are checked before anything is made of them, and whatever is neither a file nor a directory is
//! refused: so there is never a link in the directory that is written to, and no path can lead out of it.
//! All is bounded: bytes, entries, and what comes out against what went in.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;
use keyway_host::inspect::{ContentHash, ContentHasher};
use std::fs;
use tar::{Archive, EntryType};

use crate::disk;
use crate::error::{InstallError, Result};
use crate::limits::{
    MAX_ENTRIES, MAX_FILE_BYTES, MAX_PACKAGE_BYTES, MAX_RATIO, RATIO_FREE_BYTES, too_many_entries,
};
use crate::name;

/// Unpacks the archive at `path` into a directory, which is empty. Answers the hash of the very bytes that were
/// read.
///
/// # Errors
///
/// When anything in the archive is not as it should be. What was written until then is inside of the
/// directory, for its owner to remove.
pub(crate) fn unpack(path: &Path, into: &Path) -> Result<ContentHash> {
    let file = fs::File::open(path).map_err(|error| unreadable(path, error))?;
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if !is_file {
        let message = "expected an archive, found a directory or a special file";
        return Err(InstallError::unfit("archive", message).at(path));
    }
    let spent = Spent::default();
    let counted = Counted {
        inner: BufReader::new(file),
        spent: &spent,
    };
    let mut archive = Archive::new(Bounded {
        inner: GzDecoder::new(BufReader::new(counted)),
        spent: &spent,
    });
    let unpacked = unpack_entries(&mut archive, into, &spent);
    let whole = unpacked.and_then(|()| read_to_end(archive.into_inner(), &spent));
    whole.map_err(|error| error.at(path))?;
    Ok(spent.hasher.into_inner().finish())
}

fn unreadable(path: &Path, error: io::Error) -> InstallError {
    InstallError::io("read the archive", path, error)
}

/// What was read, what came of it, and which bound that passed.
#[derive(Default)]
struct Spent {
    read: Cell<u64>,
    made: Cell<u64>,
    bound: Cell<Option<Bound>>,
    hasher: RefCell<ContentHasher>,
}

#[derive(Clone, Copy)]
enum Bound {
    Total,
    Ratio,
}

impl Spent {
    /// Accounts for bytes that came out of the decoder.
    fn add(&self, bytes: u64) -> io::Result<()> {
        let made = self.made.get() + bytes;
        self.made.set(made);
        // Headers and padding come out as well; they are small against what they stand before.
        let bound = if made > MAX_PACKAGE_BYTES + (MAX_ENTRIES as u64) * 2048 {
            Bound::Total
        } else if made > RATIO_FREE_BYTES && made / MAX_RATIO > self.read.get() {
            Bound::Ratio
        } else {
            return Ok(());
        };
        self.bound.set(Some(bound));
        Err(io::Error::other("too much comes out of the archive"))
    }

    /// What is wrong with an archive, of which reading failed.
    fn fault(&self, error: io::Error) -> InstallError {
        let message = match self.bound.get() {
            Some(Bound::Total) => return too_large("all files", MAX_PACKAGE_BYTES),
            Some(Bound::Ratio) => {
                return InstallError::unfit(
                    "archive-bomb",
                    format!(
                        "the archive is a bomb: expected at most {MAX_RATIO} bytes out of each byte, \
                         found more"
                    ),
                );
            }
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                "the archive is truncated".to_owned()
            }
            None => {
                let cause = error.to_string();
                format!("the archive does not read as .tar.gz: {cause}")
            }
        };
        InstallError::unfit("archive", message)
            .hint("get the archive again, or have it packed anew")
            .source(error)
    }
}

/// Counts and hashes what is read of the file.
struct Counted<'a, R> {
    inner: R,
    spent: &'a Spent,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        let read = &self.spent.read;
        read.set(read.get() + len as u64);
        self.spent.hasher.borrow_mut().update(&buffer[..len]);
        Ok(len)
    }
}

/// Stops where too much comes out.
struct Bounded<'a, R> {
    inner: R,
    spent: &'a Spent,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        self.spent.add(len as u64)?;
        Ok(len)
    }
}

fn unpack_entries<R: Read>(archive: &mut Archive<R>, into: &Path, spent: &Spent) -> Result<()> {
    /// What a name stands for; directories may come twice.
    #[derive(PartialEq)]
    enum Seen {
        File,
        Directory,
    }
    let mut seen: HashMap<String, Seen> = HashMap::new();
    let mut total = 0;
    let entries = archive.entries().map_err(|error| spent.fault(error))?;
    for (number, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|error| spent.fault(error))?;
        if number >= MAX_ENTRIES {
            return Err(too_many_entries());
        }
        let kind = entry.header().entry_type();
        let bytes = entry.path_bytes();
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| name::not_unicode(&String::from_utf8_lossy(&bytes)))?;
        let is_dir = kind == EntryType::Directory;
        // Directories are written with a slash at the end, and `tar -C dir .` begins every name with a dot.
        let text = text.strip_prefix("./").unwrap_or(text);
        let text = match is_dir {
            true => text.strip_suffix('/').unwrap_or(text).to_owned(),
            false => text.to_owned(),
        };
        if is_dir && (text.is_empty() || text == ".") {
            continue;
        }
        if kind == EntryType::XGlobalHeader {
            // Such as `git archive` writes; it says nothing that counts here.
            continue;
        }
        name::check(&text)?;
        if !is_dir && !matches!(kind, EntryType::Regular) {
            return Err(wrong_kind(&text, &entry));
        }
        let new = if is_dir { Seen::Directory } else { Seen::File };
        match seen.insert(name::folded(&text), new) {
            None => {}
            Some(Seen::Directory) if is_dir => continue,
            Some(_) => {
                let message = format!("the entry {text:?} is there twice, or differs only in case");
                return Err(InstallError::unfit("duplicate-entry", message));
            }
        }
        let target = into.join(&text);
        let parent = if is_dir {
            Some(&*target)
        } else {
            target.parent()
        };
        if let Some(parent) = parent {
            // A file that stands where a directory is to be fails here.
            fs::create_dir_all(parent)
                .map_err(|error| InstallError::io("unpack into the directory", parent, error))?;
        }
        if is_dir {
            continue;
        }
        let size = entry.size();
        if size > MAX_FILE_BYTES {
            return Err(too_large(&format!("the entry {text:?}"), MAX_FILE_BYTES));
        }
        total += size;
        if total > MAX_PACKAGE_BYTES {
            return Err(too_large("all files", MAX_PACKAGE_BYTES));
        }
        let executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
        let mut content = Failing {
            inner: &mut entry,
            error: None,
            len: 0,
        };
        let written = disk::write_file(&mut content, &target, executable);
        let Failing { error, len, .. } = content;
        if let Some(error) = error {
            return Err(spent.fault(error));
        }
        written.map_err(|error| InstallError::io("unpack the file", &target, error))?;
        if len != size {
            return Err(spent.fault(io::ErrorKind::UnexpectedEof.into()));
        }
    }
    Ok(())
}

/// Keeps the error of a reader, so that it can be told from those of the writer.
struct Failing<'a, R> {
    inner: &'a mut R,
    error: Option<io::Error>,
    len: u64,
}

impl<R: Read> Read for Failing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(len) => {
                self.len += len as u64;
                Ok(len)
            }
            Err(error) => {
                let kind = error.kind();
                self.error = Some(error);
                Err(kind.into())
            }
        }
    }
}

fn wrong_kind<R: Read>(text: &str, entry: &tar::Entry<'_, R>) -> InstallError {
    let target = || {
        let target = entry.link_name_bytes().unwrap_or_default();
        format!("{:?}", String::from_utf8_lossy(&target))
    };
    let found = match entry.header().entry_type() {
        EntryType::Symlink => format!("a symbolic link to {}", target()),
        EntryType::Link => format!("a hard link to {}", target()),
        EntryType::Char => "a character device".to_owned(),
        EntryType::Block => "a block device".to_owned(),
        EntryType::Fifo => "a named pipe".to_owned(),
        EntryType::GNUSparse => "a sparse file".to_owned(),
        other => format!("an entry of type {:?}", char::from(other.as_byte())),
    };
    let message =
        format!("the entry {text:?} is {found}: a package has files and directories only");
    InstallError::unfit("entry-kind", message)
}

fn too_large(what: &str, limit: u64) -> InstallError {
    let message = format!("{what}: expected at most {limit} bytes, found more");
    InstallError::unfit("too-large", message)
}

/// Has the decoder come to its end, where it compares the checksum, and sees that nothing follows.
fn read_to_end<R: Read>(
    mut rest: Bounded<'_, GzDecoder<BufReader<R>>>,
    spent: &Spent,
) -> Result<()> {
    io::copy(&mut rest, &mut io::sink()).map_err(|error| spent.fault(error))?;
    let mut after = rest.inner.into_inner();
    match after.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(spent.fault(io::Error::other("something follows after its end"))),
        Err(error) => Err(spent.fault(error)),
    }
}
