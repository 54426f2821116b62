//! Paths in commands that a hint proposes.

use std::path::Path;

/// A path as a shell reads it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if text.chars().all(is_plain) && !text.starts_with('-') {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_read_otherwise_is_quoted() {
        let cases = [
            ("/opt/a-b_c.so", "/opt/a-b_c.so"),
            ("/opt/plug ins", "'/opt/plug ins'"),
            ("/opt/it's;rm", "'/opt/it'\\''s;rm'"),
        ];
        for (path, expected) in cases {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }
}
