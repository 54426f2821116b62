//! Names of files: which are libraries, and which library belongs to which plugin.

use std::env::consts::{DLL_EXTENSION, DLL_PREFIX, DLL_SUFFIX};
use std::ffi::OsStr;
use std::path::Path;

/// Whether a file of this name is a dynamic library on this platform. Names with a version after
/// the extension (`libz.so.1`) are those of ordinary libraries.
pub(super) fn is_library(name: &OsStr) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == DLL_EXTENSION)
}

/// Not looked at: what tools keep for themselves, and files that are just being made.
pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// The name that cargo gives to the library of a plugin's crate.
pub(super) fn library_of(id: &str) -> String {
    format!("{DLL_PREFIX}{}{DLL_SUFFIX}", id.replace('-', "_"))
}

/// The other way round, as far as that goes.
pub(super) fn id_of_library(name: &str) -> String {
    let stem = name.strip_suffix(DLL_SUFFIX).unwrap_or(name);
    let stem = stem.strip_prefix(DLL_PREFIX).unwrap_or(stem);
    stem.replace('_', "-")
}

/// The first few of a list, and how many more there are.
pub(super) fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_and_the_name_of_its_library_belong_together() {
        let name = library_of("text-filter");
        assert!(is_library(OsStr::new(&name)));
        assert!(name.contains("text_filter"));
        assert_eq!(id_of_library(&name), "text-filter");
    }

    #[test]
    fn versioned_and_extensionless_names_are_no_libraries() {
        for name in ["libz.so.1", "libz", ".so", "README.md"] {
            assert!(!is_library(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn a_long_list_is_cut() {
        assert_eq!(listed(&["a", "b"]), "a, b");
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(listed(&names[..5]), "a, b, c, d, e");
        assert_eq!(listed(&names), "a, b, c, d, e and 2 more");
    }
}
