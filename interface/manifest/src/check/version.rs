//! Versions and requirements on versions.

use semver::{Version, VersionReq};

use super::field::Field;
use super::suggest;
use crate::diagnostic::report::Report;

/// A semantic version of three numbers.
pub(super) fn version(field: &Field<'_>, report: &mut Report) -> Option<Version> {
    let text = field.string(report)?;
    let error = match Version::parse(text) {
        Ok(version) => return Some(version),
        Err(error) => error,
    };
    let repaired = repaired_version(text).map(|version| suggest::did_you_mean(&version));
    report.push(
        field
            .problem(format!("is no semantic version: {error}"))
            .expected("three numbers, such as \"1.2.0\"")
            .found(field.found(report))
            .maybe_hint(repaired),
    );
    None
}

/// The version that was probably meant by `v1.2.0`, ` 1.2.0` or `1.2`.
fn repaired_version(text: &str) -> Option<String> {
    let trimmed = text.trim().trim_start_matches(['v', 'V', '=']).trim_start();
    ["", ".0", ".0.0"]
        .iter()
        .map(|missing| format!("{trimmed}{missing}"))
        .find(|candidate| Version::parse(candidate).is_ok())
}

/// A requirement in the syntax of Cargo.
pub(super) fn requirement(field: &Field<'_>, report: &mut Report) -> Option<VersionReq> {
    let text = field.string(report)?;
    match VersionReq::parse(text) {
        Ok(requirement) => Some(requirement),
        Err(error) => {
            report.push(
                field
                    .problem(format!("is no version requirement: {error}"))
                    .expected("a requirement, such as \"^1.2\" or \">=1.0, <2\"")
                    .found(field.found(report)),
            );
            None
        }
    }
}
