//! GitHub tokens: a prefix that says which sort, then random letters and digits.

use super::kind::Kind;
use super::scan::{Scan, is_word};

/// The lengths of what follows the prefix: 36 characters in the classic tokens, 82 in the
/// fine-grained ones, and up to 255 with the prefix in what GitHub says to be ready for.
const MIN_BODY: usize = 36;
const MAX_BODY: usize = 251;

/// Looks for a token whose prefix ends with the underscore at `at`.
pub(super) fn at_underscore(scan: &mut Scan<'_>, at: usize) -> Option<usize> {
    const PREFIXES: [&[u8]; 6] = [b"ghp", b"gho", b"ghu", b"ghs", b"ghr", b"github_pat"];
    let prefix = PREFIXES
        .into_iter()
        .find(|prefix| scan.looking_back_at(at, prefix))?;
    let start = at - prefix.len();
    if scan.before(start).is_some_and(is_word) {
        return None;
    }
    let end = scan.run_end(at + 1, MAX_BODY + 1, is_word);
    let is_token = (MIN_BODY..=MAX_BODY).contains(&(end - at - 1));
    is_token.then(|| scan.record(&Kind::GithubToken, start, end))
}
