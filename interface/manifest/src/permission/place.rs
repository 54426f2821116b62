//! How paths, programs and environment variables are written.

use super::Fault;

/// How a program is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramText<'t> {
    /// A file name without a directory.
    Name(&'t str),
    /// A path, absolute or not.
    Path(&'t str),
}

/// Whether a text can be the path of one file or directory.
///
/// # Errors
///
/// What is wrong with it.
pub fn path(text: &str) -> Result<(), Fault> {
    if text.is_empty() {
        return Err(Fault::new("is empty"));
    }
    if text.contains('\0') {
        return Err(Fault::new("contains a zero byte"));
    }
    if text == "~" || text.starts_with("~/") {
        return Err(Fault::with(
            "begins with `~`, which only a shell understands",
            "write the path out",
        ));
    }
    Ok(())
}

/// Whether a text can be a path that is granted, with all that is below it.
///
/// # Errors
///
/// What is wrong with it.
pub fn root(text: &str) -> Result<(), Fault> {
    let mut parts = text.split(std::path::is_separator);
    if parts.any(|part| part == "*" || part == "**") {
        return Err(Fault::with(
            "has a `*`",
            "a directory stands for all that is below it",
        ));
    }
    path(text)
}

/// Reads a program.
///
/// # Errors
///
/// What is wrong with the text.
pub fn program(text: &str) -> Result<ProgramText<'_>, Fault> {
    if text.contains(std::path::is_separator) {
        return path(text).map(|()| ProgramText::Path(text));
    }
    match text {
        "" => Err(Fault::new("is empty")),
        "." | ".." => Err(Fault::new("is a directory")),
        "*" => Err(Fault::with(
            "allows every program",
            "write `subprocess = true`, so that it is plain to see",
        )),
        _ if text.contains(char::is_whitespace) => Err(Fault::with(
            "has a space",
            "arguments are no part of a program",
        )),
        _ if text.contains('\0') => Err(Fault::new("contains a zero byte")),
        // On Windows this names a drive, or a stream of a file.
        _ if text.contains(':') => Err(Fault::new("contains a colon")),
        _ => Ok(ProgramText::Name(text)),
    }
}

/// Whether a text is the name of an environment variable.
///
/// # Errors
///
/// What is wrong with it.
pub fn env_name(text: &str) -> Result<(), Fault> {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if text.is_empty() || !text.bytes().all(of_name) || text.as_bytes()[0].is_ascii_digit() {
        return Err(Fault::new("is no name of an environment variable"));
    }
    Ok(())
}
