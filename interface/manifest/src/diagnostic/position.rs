//! From byte offsets to lines and columns.

/// The starts of the lines of a text.
#[derive(Debug)]
pub struct LineIndex<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

/// A place in a text, for people and for the excerpt.
#[derive(Debug)]
pub(super) struct Position<'t> {
    /// Counted from 1.
    pub(super) line: usize,
    /// In characters, counted from 1.
    pub(super) column: usize,
    /// The whole line without its line ending.
    pub(super) line_text: &'t str,
}

impl<'t> LineIndex<'t> {
    /// Looks for the ends of the lines.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0)
            .chain(ends.map(|(at, _)| at + 1))
            .collect();
        Self { text, starts }
    }

    /// The line and the column of a byte offset, both counted from 1; the column in characters.
    #[must_use]
    pub fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let position = self.position(offset);
        (position.line, position.column)
    }

    /// The position of a byte offset.
    ///
    /// An offset in the blank rest of the text, where something was missing, is moved back behind
    /// the last visible character: that is where it has to be added.
    pub(super) fn position(&self, offset: usize) -> Position<'t> {
        let visible = self.text.trim_end().len();
        let offset = if offset >= self.text.len() {
            visible
        } else {
            offset
        };
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let start = self.starts[line];
        let end = self
            .starts
            .get(line + 1)
            .copied()
            .unwrap_or(self.text.len());
        let line_text = self.text[start..end].trim_end_matches(['\r', '\n']);
        // A byte order mark is no character of the first line.
        let (start, line_text) = match line_text.strip_prefix('\u{feff}') {
            Some(rest) if line == 0 => (start + '\u{feff}'.len_utf8(), rest),
            _ => (start, line_text),
        };
        let before = offset.saturating_sub(start);
        let column = line_text
            .char_indices()
            .take_while(|(at, _)| *at < before)
            .count()
            + 1;
        Position {
            line: line + 1,
            column,
            line_text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LineIndex;

    #[track_caller]
    fn check(text: &str, offset: usize, expected: (usize, usize, &str)) {
        let position = LineIndex::new(text).position(offset);
        assert_eq!(
            (position.line, position.column, position.line_text),
            expected
        );
    }

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        check("", 0, (1, 1, ""));
        check("ab\ncd", 0, (1, 1, "ab"));
        check("ab\ncd", 2, (1, 3, "ab"));
        check("ab\ncd", 3, (2, 1, "cd"));
        check("ab\r\ncd", 5, (2, 2, "cd"));
        check("äö = 1", 5, (1, 4, "äö = 1"));
    }

    #[test]
    fn the_end_of_the_text_is_where_the_visible_text_ends() {
        check("ab\n", 3, (1, 3, "ab"));
        check("ab\n\n  \n", 7, (1, 3, "ab"));
        check("ab", 9, (1, 3, "ab"));
        check("\n\n", 2, (1, 1, ""));
    }

    #[test]
    fn a_byte_order_mark_takes_no_column() {
        check("\u{feff}ab", 3, (1, 1, "ab"));
        check("\u{feff}ab", 4, (1, 2, "ab"));
        check("\u{feff}ab", 0, (1, 1, "ab"));
    }
}
