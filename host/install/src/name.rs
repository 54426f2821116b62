//! Which names files of a package may have: those that mean one and the same file on every system, inside of
//! the package.

use crate::error::InstallError;
use crate::limits::{MAX_DEPTH, MAX_NAME_BYTES, MAX_PART_BYTES};

/// Names that Windows takes for devices, with any extension.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Whether a path, with `/` between its parts, may be in a package.
///
/// # Errors
///
/// The code `entry-name`, with what is wrong with it.
pub(crate) fn check(name: &str) -> Result<(), InstallError> {
    fault(name).map_or(Ok(()), |fault| Err(refused(name, &fault)))
}

/// A name that is no text.
pub(crate) fn not_unicode(shown: &str) -> InstallError {
    refused(shown, "is not UTF-8")
}

/// The form in which two names are compared that some systems take for the same file.
pub(crate) fn folded(name: &str) -> String {
    name.to_lowercase()
}

fn refused(name: &str, fault: &str) -> InstallError {
    let shown: String = name.chars().take(120).collect();
    let more = if shown.len() < name.len() { ".." } else { "" };
    InstallError::unfit("entry-name", format!("the entry {shown:?}{more} {fault}"))
}

fn fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("has no name".to_owned());
    }
    if name.len() > MAX_NAME_BYTES {
        let found = name.len();
        return Some(format!(
            "is too long: expected at most {MAX_NAME_BYTES} bytes, found {found}"
        ));
    }
    let drive = |name: &str| matches!(name.as_bytes(), [b'a'..=b'z' | b'A'..=b'Z', b':', ..]);
    if name.starts_with(['/', '\\']) || drive(name) {
        return Some("is absolute: expected a path inside of the package".to_owned());
    }
    let depth = name.split('/').count() - 1;
    if depth > MAX_DEPTH {
        return Some(format!(
            "lies too deep: expected at most {MAX_DEPTH} directories, found {depth}"
        ));
    }
    name.split('/').find_map(part_fault)
}

fn part_fault(part: &str) -> Option<String> {
    let is_bad = |c: char| c.is_control() || "\\:*?\"<>|".contains(c);
    let stem = part.split('.').next().unwrap_or_default().to_lowercase();
    let what = match part {
        ".." => "has `..` in it: expected a path inside of the package",
        "" | "." => "has an empty part, or one that is `.`",
        _ if part.len() > MAX_PART_BYTES => {
            return Some(format!(
                "has a part that is too long: expected at most {MAX_PART_BYTES} bytes, found {}",
                part.len()
            ));
        }
        _ if part.ends_with([' ', '.']) => "has a part that ends with a space or a dot",
        _ if DEVICES.contains(&&*stem) => "has a part that is a device on some systems",
        _ => {
            let bad = part.chars().find(|c| is_bad(*c))?;
            return Some(format!("has {bad:?} in it, which not every system takes"));
        }
    };
    Some(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_the_same_everywhere_are_taken() {
        for name in [
            "plugin.toml",
            "libweather.so",
            "docs/a b.md",
            "Grüße/日本.md",
            ".hidden",
            "a..b",
        ] {
            check(name).expect(name);
        }
    }

    #[test]
    fn each_other_name_is_refused_with_its_reason() {
        let long = "a".repeat(256);
        let deep = "a/".repeat(17) + "a";
        let longest = "a/".repeat(600);
        for (name, fault) in [
            ("", "has no name"),
            (
                "/etc/passwd",
                "is absolute: expected a path inside of the package",
            ),
            (
                "\\\\server\\share",
                "is absolute: expected a path inside of the package",
            ),
            (
                "C:evil",
                "is absolute: expected a path inside of the package",
            ),
            (
                "../evil",
                "has `..` in it: expected a path inside of the package",
            ),
            (
                "a/../../evil",
                "has `..` in it: expected a path inside of the package",
            ),
            ("a//b", "has an empty part, or one that is `.`"),
            ("a/./b", "has an empty part, or one that is `.`"),
            ("a\\b", "has '\\\\' in it, which not every system takes"),
            ("a\nb", "has '\\n' in it, which not every system takes"),
            ("lib:stream", "has ':' in it, which not every system takes"),
            ("docs./a", "has a part that ends with a space or a dot"),
            ("NUL.txt", "has a part that is a device on some systems"),
            (
                &long,
                "has a part that is too long: expected at most 255 bytes, found 256",
            ),
            (
                &deep,
                "lies too deep: expected at most 16 directories, found 17",
            ),
            (
                &longest,
                "is too long: expected at most 1024 bytes, found 1200",
            ),
        ] {
            let error = check(name).expect_err(name);
            assert_eq!(error.code(), "entry-name");
            assert!(error.message().ends_with(fault), "{}", error.message());
        }
    }
}
