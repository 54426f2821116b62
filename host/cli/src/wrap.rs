//! Lines that fit their place.

/// Breaks lines that are too long between words, and keeps their indent. A word that is too long
/// for a line has one of its own.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        if paragraph.chars().count() <= columns {
            lines.push(paragraph.to_owned());
            continue;
        }
        let indent: String = paragraph.chars().take_while(|c| *c == ' ').collect();
        let mut line = indent.clone();
        let mut width = indent.len();
        for word in paragraph.split_whitespace() {
            let columns_of_word = word.chars().count();
            if width > indent.len() {
                if width + 1 + columns_of_word > columns {
                    lines.push(std::mem::replace(&mut line, indent.clone()));
                    width = indent.len();
                } else {
                    line.push(' ');
                    width += 1;
                }
            }
            line.push_str(word);
            width += columns_of_word;
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn text_is_broken_between_words_and_keeps_its_indent() {
        assert_eq!(wrap("a bc def", 5), ["a bc", "def"]);
        assert_eq!(wrap("  aa bb", 5), ["  aa", "  bb"]);
        assert_eq!(wrap("a  b", 5), ["a  b"]);
        assert_eq!(wrap("toolong b", 4), ["toolong", "b"]);
        assert_eq!(wrap("one\n\ntwo", 9), ["one", "", "two"]);
    }
}
