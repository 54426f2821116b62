//! Packages as `.tar.gz` files: reading those of anybody, and writing the same bytes for the same package.

mod read;
mod write;

pub(crate) use read::unpack;
pub use write::Packed;
pub(crate) use write::pack;

/// What the name of an archive ends with.
pub(crate) const EXTENSIONS: [&str; 2] = [".tar.gz", ".tgz"];

/// Whether a file is an archive, by its name.
pub(crate) fn is_archive_name(name: &str) -> bool {
    EXTENSIONS.iter().any(|end| name.ends_with(end))
}
