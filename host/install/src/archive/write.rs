//! Packing: the same files give the same bytes, whoever packs them, when and in which directory.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use keyway_host::inspect::{ContentHash, ContentHasher};
use std::fs;
use tar::{Builder, Header};

use crate::disk;
use crate::error::{InstallError, Result};
use crate::tree::Entry;

/// An archive that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The archive.
    pub path: PathBuf,
    /// The hash of the archive itself.
    pub hash: ContentHash,
    /// Its length in bytes.
    pub size: u64,
    /// The files in it, in their order.
    pub files: Vec<String>,
}

/// Writes an archive with these files below the directory `top`.
pub(crate) fn pack(entries: &[Entry], top: &str, to: &Path) -> Result<Packed> {
    let dir = to.parent().filter(|dir| !dir.as_os_str().is_empty());
    let dir = dir.unwrap_or(Path::new("."));
    let unwritable = |error| InstallError::io("write the archive", to, error);
    fs::create_dir_all(dir).map_err(unwritable)?;
    // In the same directory, so that the archive gets its name by a rename.
    let temporary = tempfile::Builder::new()
        .prefix(".packing-")
        .tempfile_in(dir)
        .map_err(unwritable)?;
    let mut sink = Hashed {
        inner: io::BufWriter::new(temporary.as_file()),
        hasher: ContentHasher::new(),
        size: 0,
    };
    write(entries, top, &mut sink)?;
    sink.inner.flush().map_err(unwritable)?;
    let (hash, size) = (sink.hasher.finish(), sink.size);
    drop(sink);
    let finish = || -> io::Result<()> {
        disk::readable_by_all(temporary.as_file())?;
        temporary.as_file().sync_all()
    };
    finish().map_err(unwritable)?;
    temporary
        .persist(to)
        .map_err(|error| unwritable(error.error))?;
    Ok(Packed {
        path: to.to_owned(),
        hash,
        size,
        files: entries.iter().map(|entry| entry.name.clone()).collect(),
    })
}

fn write(entries: &[Entry], top: &str, sink: &mut impl Write) -> Result<()> {
    // Neither a time nor the name of a file nor the system stands in its header.
    let gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(sink, Compression::best());
    let mut archive = Builder::new(gzip);
    for Entry {
        name,
        path,
        executable,
    } in entries
    {
        let failed = |error| InstallError::io("pack the file", path, error);
        let file = fs::File::open(path).map_err(failed)?;
        let mut header = Header::new_ustar();
        header.set_size(file.metadata().map_err(failed)?.len());
        header.set_mode(if *executable { 0o755 } else { 0o644 });
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        archive
            .append_data(&mut header, format!("{top}/{name}"), file)
            .map_err(failed)?;
    }
    let end = archive.into_inner().and_then(|gzip| gzip.finish());
    end.map_err(|error| InstallError::io("finish the archive", Path::new(top), error))?;
    Ok(())
}

struct Hashed<W> {
    inner: W,
    hasher: ContentHasher,
    size: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..len]);
        self.size += len as u64;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
