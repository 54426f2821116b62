//! Approvals in a file.
//!
//! The file is JSON that people can read. It is replaced as a whole, so a reader sees the one before
//! or the one after; who changes it holds a lock meanwhile. A file that cannot be read refuses: to take it
//! for empty would lose what was decided.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::{Plugins, format};
use crate::finding::Finding;
use crate::permission::codes;
use crate::private;
use crate::regular::{self, Links};

/// Larger than any file that we write for a thousand plugins.
const LONGEST: u64 = 64 << 20;

/// A file of approvals.
#[derive(Debug)]
pub(super) struct StoreFile {
    pub(super) path: PathBuf,
}

impl StoreFile {
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Plugins) -> T) -> Result<T, Finding> {
        let io = |doing: &str, error: io::Error| self.io(doing, &error);
        private::create_dir(self.dir()).map_err(|error| io("make its directory", error))?;
        // On a file of its own, since the one with the content is another one after each change.
        let mut beside = self.path.clone().into_os_string();
        beside.push(".lock");
        let lock = lock(Path::new(&beside)).map_err(|error| io("lock it", error))?;
        let mut plugins = self.read()?;
        let answer = change(&mut plugins);
        self.write(&format::write(&plugins))
            .map_err(|error| io("write it", error))?;
        drop(lock);
        Ok(answer)
    }

    pub(super) fn read(&self) -> Result<Plugins, Finding> {
        // Nobody but us makes it, and a link would become a file at the first change.
        let file = match regular::open(&self.path, Links::Refuse) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Plugins::new()),
            Err(error) => return Err(self.io("open it", &error)),
        };
        if let Some(whose) = exposed(&file).map_err(|error| self.io("look at it", &error))? {
            let path = self.path.display();
            return Err(codes::STORE_EXPOSED
                .finding(format!("the approved permissions {whose}"))
                .at(&self.path)
                .hint(format!(
                    "check what is in it, then: chown \"$USER\" '{path}' && chmod 600 '{path}'"
                )));
        }
        let mut text = String::new();
        match file.take(LONGEST + 1).read_to_string(&mut text) {
            Ok(read) if read as u64 > LONGEST => Err(self.corrupt("it is larger than 64 MiB")),
            Ok(_) => format::read(&text).map_err(|fault| match fault {
                format::Fault::Corrupt(what) => self.corrupt(&what),
                format::Fault::Newer(version) => codes::STORE_NEWER
                    .finding(format!(
                        "the approved permissions have the schema version {version}, expected {}",
                        format::SCHEMA_VERSION
                    ))
                    .at(&self.path)
                    .hint(
                        "use the version of Keyway that wrote it, or give this host another file",
                    ),
            }),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                Err(self.corrupt("it is not UTF-8"))
            }
            Err(error) => Err(self.io("read it", &error)),
        }
    }

    /// Whole or not at all, also if the machine dies.
    fn write(&self, text: &str) -> io::Result<()> {
        let dir = self.dir();
        // It is made with the mode 0600.
        let mut file = tempfile::Builder::new()
            .prefix(".permissions-")
            .tempfile_in(dir)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        sync_dir(dir)
    }

    fn dir(&self) -> &Path {
        match self.path.parent() {
            Some(dir) if dir != Path::new("") => dir,
            _ => Path::new("."),
        }
    }

    fn corrupt(&self, what: &str) -> Finding {
        let path = self.path.display();
        codes::STORE_CORRUPT
            .finding(format!("the approved permissions cannot be read: {what}"))
            .at(&self.path)
            .hint(format!(
                "restore it from a backup, or, to have every plugin approved anew: mv '{path}' \
                 '{path}.corrupt'"
            ))
    }

    fn io(&self, doing: &str, error: &io::Error) -> Finding {
        codes::STORE_IO
            .finding(format!("the approved permissions: cannot {doing}: {error}"))
            .at(&self.path)
            .hint("check the directory, its permissions and the space on the disk")
    }
}

/// Waits for the lock; it is free again when the file is closed.
fn lock(path: &Path) -> io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = regular::open_with(&mut options, path, Links::Refuse)?;
    file.lock()?;
    Ok(file)
}

/// Who else can write the file, if anybody can.
#[cfg(unix)]
fn exposed(file: &File) -> io::Result<Option<String>> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata()?;
    let (owner, us) = (metadata.uid(), rustix::process::geteuid().as_raw());
    let writers = metadata.mode() & 0o022;
    Ok(if owner != us && owner != 0 {
        Some(format!("belong to the user {owner}, expected {us}"))
    } else if writers != 0 {
        let mode = metadata.mode() & 0o777;
        Some(format!(
            "can be written by others: mode {mode:o}, expected 600"
        ))
    } else {
        None
    })
}

#[cfg(not(unix))]
fn exposed(_: &File) -> io::Result<Option<String>> {
    Ok(None)
}

#[cfg(unix)]
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// A directory cannot be opened as a file there.
#[cfg(not(unix))]
fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}
