//! The identity of a file's content, by which generations, pins and remembered refusals are told
//! apart.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;
use std::str::FromStr;

use super::error::{Fault, InspectError};
use crate::regular::{self, Links};

/// BLAKE3 of a file's content. It prints and parses as `blake3:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

const PREFIX: &str = "blake3:";

impl ContentHash {
    /// The bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a [`ContentHash`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseContentHashError {
    found: String,
}

impl fmt::Display for ParseContentHashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "bad content hash: expected blake3: and 64 hexadecimal digits, found {:?}",
            self.found
        )
    }
}

impl std::error::Error for ParseContentHashError {}

impl FromStr for ContentHash {
    type Err = ParseContentHashError;

    /// Digits of either case are accepted; nothing else may precede or follow.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let digits = text.strip_prefix(PREFIX)?;
            let hash = blake3::Hash::from_hex(digits).ok()?;
            Some(Self(*hash.as_bytes()))
        };
        parse().ok_or_else(|| ParseContentHashError {
            found: text.chars().take(100).collect(),
        })
    }
}

/// Takes content piece by piece, for a copy that hashes on the way.
#[derive(Clone, Debug, Default)]
pub struct ContentHasher(blake3::Hasher);

impl ContentHasher {
    /// A hasher that has taken nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of everything taken so far.
    pub fn finish(&self) -> ContentHash {
        ContentHash(*self.0.finalize().as_bytes())
    }
}

impl Write for ContentHasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hashes bytes.
pub fn hash_bytes(bytes: &[u8]) -> ContentHash {
    ContentHash(*blake3::hash(bytes).as_bytes())
}

/// Hashes a file, piece by piece.
///
/// # Errors
///
/// [`NotFound`](super::InspectErrorKind::NotFound) or [`Io`](super::InspectErrorKind::Io).
pub fn hash_file(path: impl AsRef<Path>) -> Result<ContentHash, InspectError> {
    let path = path.as_ref();
    hash_at(path).map_err(|error| InspectError::new(Some(path), Fault::io("hash the file", error)))
}

fn hash_at(path: &Path) -> io::Result<ContentHash> {
    let mut file = regular::open(path, Links::Follow)?;
    let mut hasher = ContentHasher::new();
    // The wide kernels of BLAKE3 need pieces of 16 KiB and more; this is far from any stack limit.
    let mut piece = vec![0; 64 << 10];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(len) => hasher.update(&piece[..len]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
