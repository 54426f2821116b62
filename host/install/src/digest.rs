//! The identity of a package: one hash over all that it consists of.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use keyway_host::inspect::{ContentHash, ContentHasher, ParseContentHashError, hash_file};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{InstallError, Result};
use crate::tree::{self, Entry};

/// BLAKE3 over the files of a package: their paths, whether they can be executed, and their contents. Two
/// packages with the same digest are the same. It prints and parses as `blake3:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(ContentHash);

/// What the hashed text begins with, so that no other use of the same hash can have the same input.
const DOMAIN: &[u8] = b"keyway package 1\n";

impl Digest {
    /// The digest of the package in a directory. Directories themselves do not count, nor do times and owners.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, and when there is anything but files and directories.
    pub fn of_package(dir: &Path) -> Result<Self> {
        let mut hasher = ContentHasher::new();
        hasher.update(DOMAIN);
        for Entry {
            name,
            path,
            executable,
        } in tree::files(dir)?
        {
            let content = hash_file(&path)?;
            hasher.update(&[b'f', u8::from(executable)]);
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            hasher.update(content.as_bytes());
        }
        Ok(Digest(hasher.finish()))
    }

    /// The 64 digits alone, which is what directories of the store are called.
    pub fn hex(&self) -> String {
        let text = self.0.to_string();
        text.split_once(':')
            .map_or(text.clone(), |(_, hex)| hex.to_owned())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Digest {
    type Err = ParseContentHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Digest)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Hashes a file that somebody named a hash for, and compares.
pub(crate) fn expect_hash(path: &Path, expected: Option<&ContentHash>) -> Result<ContentHash> {
    let found = hash_file(path)?;
    expect_found(path, expected, &found)?;
    Ok(found)
}

/// The same for a file that was hashed already.
pub(crate) fn expect_found(
    path: &Path,
    expected: Option<&ContentHash>,
    found: &ContentHash,
) -> Result<()> {
    match expected {
        Some(expected) if expected != found => Err(InstallError::unfit(
            "hash-mismatch",
            format!("the file is not the one that was meant: expected {expected}, found {found}"),
        )
        .at(path)
        .hint("get the file again; if it is meant to be another one, install it by its new hash")),
        _ => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_a_package_is_counts_and_what_its_files_happen_to_be_does_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let digest = || Digest::of_package(dir.path()).expect("a package");
        let file = dir.path().join("a");
        fs::write(&file, "one").expect("a file");
        let one = digest();
        assert_eq!(one.to_string().parse(), Ok(one));
        assert_eq!(one.hex().len(), 64);

        // An empty directory, another owner's rights and a time are not the package.
        fs::create_dir(dir.path().join("empty")).expect("a directory");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("rights");
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        let opened = fs::File::options().write(true).open(&file).expect("a file");
        opened.set_modified(long_ago).expect("a time");
        assert_eq!(digest(), one);

        fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).expect("rights");
        let executable = digest();
        assert_ne!(executable, one);
        fs::write(&file, "two").expect("a file");
        assert_ne!(digest(), executable);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("rights");
        fs::write(&file, "one").expect("a file");
        fs::rename(&file, dir.path().join("b")).expect("another name");
        assert_ne!(digest(), one);
    }

    #[test]
    fn neither_names_nor_contents_can_be_moved_into_each_other() {
        let digest = |files: &[(&str, &str)]| {
            let dir = tempfile::tempdir().expect("a directory");
            for (name, content) in files {
                fs::write(dir.path().join(name), content).expect("a file");
            }
            Digest::of_package(dir.path()).expect("a package")
        };
        let digests = [
            digest(&[("a", "bc")]),
            digest(&[("ab", "c")]),
            digest(&[("a", ""), ("b", "c")]),
            digest(&[("a", "b"), ("c", "")]),
            digest(&[]),
        ];
        for (index, one) in digests.iter().enumerate() {
            assert!(!digests[index + 1..].contains(one), "{index}");
        }
    }
}
