//! The smallest valid manifests, to which the tests add.

/// Four lines, so that what a test adds starts in the fifth.
pub(crate) const BASE_TOML: &str =
    "[plugin]\nid = \"demo\"\nversion = \"1.0.0\"\nmin_host_version = \"1.0.0\"\n";

/// One line without the closing braces, so that a test can add keys.
#[cfg(feature = "json")]
pub(crate) const BASE_JSON: &str =
    r#"{"plugin": {"id": "demo", "version": "1.0.0", "min_host_version": "1.0.0""#;
