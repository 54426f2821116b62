//! AWS credentials: access key ids by their prefix, secret access keys by the name that they are
//! assigned to.
//!
//! A secret key is forty characters of base64 without a mark of its own, so only the name before it
//! tells it from a hash: `aws_secret_access_key = ...`, `"SecretAccessKey": "..."`,
//! `AWS_SECRET_KEY=...` and the like.

use super::kind::Kind;
use super::scan::Scan;

/// The length of an access key id, its prefix included.
const ID_LENGTH: usize = 20;
/// The length of a secret access key.
const SECRET_LENGTH: usize = 40;
/// The most bytes between a name and its value.
const MAX_ASSIGNMENT: usize = 16;

/// Looks for an access key id, long-lived (`AKIA`) or temporary (`ASIA`), around its `I` at `at`.
pub(super) fn at_upper_i(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let start = at.checked_sub(2)?;
    let prefix = scan.window(start, 4);
    if !matches!(prefix, b"AKIA" | b"ASIA") || scan.inside_word(start) {
        return None;
    }
    let is_id = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let end = scan.run_end(start, ID_LENGTH + 1, is_id);
    let is_whole = end - start == ID_LENGTH && !scan.word_at(end);
    is_whole.then(|| scan.record(&Kind::AwsKey, start, end))
}

/// Looks for a secret access key after the name whose last word, `key`, is at `at`.
pub(super) fn at_key(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    let name_end = at + "key".len();
    if !scan.window(at, "key".len()).eq_ignore_ascii_case(b"key") {
        return None;
    }
    let before_key = skip_back(scan, at, b"");
    let before_access = skip_back(scan, before_key, b"access");
    let before_secret = skip_back(scan, before_access, b"secret");
    let has_secret = before_secret < before_access;
    let says_aws =
        before_access < before_key || skip_back(scan, before_secret, b"aws") < before_secret;
    if !has_secret || !says_aws {
        return None;
    }
    let is_assignment = |byte: u8| {
        matches!(
            byte,
            b'"' | b'\'' | b'\\' | b' ' | b'\t' | b'=' | b':' | b'>'
        )
    };
    let start = scan.run_end(name_end, MAX_ASSIGNMENT, is_assignment);
    let end = scan.run_end(start, SECRET_LENGTH + 1, is_base64);
    let value = scan.slice(start, end);
    // Names and hashes of that length have letters of one case.
    let is_secret = start > name_end
        && value.len() == SECRET_LENGTH
        && scan.byte(end) != Some(b'=')
        && value.bytes().any(|byte| byte.is_ascii_lowercase())
        && value.bytes().any(|byte| byte.is_ascii_uppercase());
    is_secret.then(|| scan.record(&Kind::AwsKey, start, end))
}

/// The start of `word` before `at`, with the separator before it; `at` itself if it is not there.
fn skip_back(scan: &mut Scan<'_>, at: usize, word: &[u8]) -> usize {
    if !scan.looking_back_at_any_case(at, word) {
        return at;
    }
    let start = at - word.len();
    scan.run_start(start, 1, |byte| matches!(byte, b'_' | b'-' | b'.' | b' '))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}
