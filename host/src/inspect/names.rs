//! Names in string tables. Their number and length are bounded, since a crafted table can name
//! everything with one long string.

use super::error::Fault;

/// Longest name that is read, in bytes; `PATH_MAX` of Linux, and longer than any symbol's name
/// needs to be.
const MAX_LEN: usize = 4096;

/// Most libraries that one library may need; the largest programs need a few hundred.
pub(super) const MAX_NEEDED: usize = 4096;

/// What [`text`] and [`at`] call these names in an error.
pub(super) const NEEDED: &str = "the name of a needed library";
pub(super) const OWN: &str = "the library's own name";

/// How many names of a long list are kept as examples.
pub(super) const EXAMPLES: usize = 16;

/// The name at `offset` in a table of names that end with NUL.
pub(super) fn at<'d>(table: &'d [u8], offset: u64, what: &str) -> Result<&'d [u8], Fault> {
    let rest = usize::try_from(offset)
        .ok()
        .and_then(|offset| table.get(offset..));
    let rest = rest.map(|rest| &rest[..rest.len().min(MAX_LEN)]);
    let end = rest.and_then(|rest| rest.iter().position(|byte| *byte == 0));
    match (rest, end) {
        (Some(rest), Some(end)) => Ok(&rest[..end]),
        _ => Err(Fault::malformed(format!(
            "expected {what} of at most {MAX_LEN} bytes at offset {offset} of the string table, found \
             none in its {} bytes",
            table.len()
        ))),
    }
}

/// Whether the name at `offset` is `name`; a name that cannot be read is not.
pub(super) fn is(table: &[u8], offset: u64, name: &[u8]) -> bool {
    let rest = usize::try_from(offset)
        .ok()
        .and_then(|offset| table.get(offset..));
    rest.and_then(|rest| rest.strip_prefix(name))
        .is_some_and(|rest| rest.first() == Some(&0))
}

/// A name as text, with what is not UTF-8 replaced.
pub(super) fn text(name: &[u8], what: &str) -> Result<String, Fault> {
    if name.len() > MAX_LEN {
        return Err(Fault::malformed(format!(
            "expected {what} of at most {MAX_LEN} bytes, found {}",
            name.len()
        )));
    }
    Ok(String::from_utf8_lossy(name).into_owned())
}

/// Adds a needed library, unless there are too many. Both limits together bound what a crafted
/// table can make of one long string.
pub(super) fn push_needed(needed: &mut Vec<String>, name: &[u8]) -> Result<(), Fault> {
    if needed.len() == MAX_NEEDED {
        return Err(Fault::malformed(format!(
            "expected at most {MAX_NEEDED} needed libraries, found more"
        )));
    }
    needed.push(text(name, NEEDED)?);
    Ok(())
}
