//! Files by way of the host.

use bytes::Bytes;

use super::Asked;
use crate::error::{ErrorKind, PluginError, Result};
use crate::host::{HostServices, HostServicesHandle};

/// Files that the plugin may read and write by `filesystem` under `[plugin.permissions]`.
///
/// A relative path begins at the directory that the plugin's library is in. Neither `..` nor a link leads
/// out of what is granted. Everything here fails with `rate-limited` if it is asked too often.
#[derive(Clone, Debug)]
pub struct Files {
    host: HostServicesHandle,
}

impl Files {
    pub(super) fn new(host: HostServicesHandle) -> Self {
        Files { host }
    }

    /// The content of a file, as a whole.
    ///
    /// # Errors
    ///
    /// `read-not-granted`, `leads-outside`, `not-a-file`, `size-limit`, `file-failed`, which is of the kind
    /// [`NotFound`](ErrorKind::NotFound) where there is none, and `bad-request`.
    pub fn read(&self, path: impl Into<String>) -> Asked<Bytes> {
        let path = path.into();
        Asked::blocking(self.host.clone(), move |host| host.read_file(&path))
    }

    /// The content of a file with text.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and of the kind [`Malformed`](ErrorKind::Malformed) if it is not UTF-8.
    pub fn read_to_string(&self, path: impl Into<String>) -> Asked<String> {
        let path = path.into();
        Asked::blocking(self.host.clone(), move |host| {
            let bytes = host.read_file(&path)?;
            as_text(&bytes).map_err(|error| error.context(format!("reading {path}")))
        })
    }

    /// Puts a file with this content in its place. Whoever reads it meanwhile sees the old content or the
    /// new one. Missing directories are made.
    ///
    /// # Errors
    ///
    /// `write-not-granted`, and otherwise as [`read`](Self::read).
    pub fn write(&self, path: impl Into<String>, content: impl Into<Bytes>) -> Asked<()> {
        let (path, content) = (path.into(), content.into());
        Asked::blocking(self.host.clone(), move |host| {
            host.write_file(&path, &content)
        })
    }
}

/// Bytes as the text that they are to be.
pub(super) fn as_text(bytes: &[u8]) -> Result<String> {
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned)
        .map_err(|error| PluginError::of(ErrorKind::Malformed, format!("it is not UTF-8: {error}")))
}
