//! The part of a source line that is shown under a problem.
//!
//! A line can be the whole of a minified file, and can hold anything. The excerpt is a bounded
//! window in which every character takes one column, so that the caret below it fits.

use super::position::Position;

/// The most characters that are shown of a line.
const WIDTH: usize = 100;
/// How much is shown before the problem when a line is cut.
const LEAD: usize = 40;
const CUT: &str = "...";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The window.
    pub(super) text: String,
    /// The number of columns before the caret.
    pub(super) indent: usize,
    /// The number of carets, at least one.
    pub(super) carets: usize,
}

impl Excerpt {
    /// Cuts the window around a problem that covers `length` characters.
    pub(super) fn new(position: &Position<'_>, length: usize) -> Self {
        let chars = position.line_text.chars().count();
        let at = position.column - 1;
        let first = if chars <= WIDTH {
            0
        } else {
            at.saturating_sub(LEAD).min(chars - WIDTH)
        };
        let last = chars.min(first + WIDTH);

        let mut text = String::from(if first > 0 { CUT } else { "" });
        let indent = text.len() + (at - first);
        let window = position.line_text.chars().skip(first).take(last - first);
        text.extend(window.map(|c| match c {
            '\t' => ' ',
            c if c.is_control() || is_direction_mark(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        }));
        if last < chars {
            text.push_str(CUT);
        }
        Self {
            text,
            indent,
            carets: length.min(last.saturating_sub(at)).max(1),
        }
    }
}

/// Characters that reorder or hide the text around them on a terminal.
pub(crate) fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::super::position::LineIndex;
    use super::Excerpt;

    fn excerpt(text: &str, offset: usize, length: usize) -> Excerpt {
        Excerpt::new(&LineIndex::new(text).position(offset), length)
    }

    #[test]
    fn a_short_line_is_shown_whole_with_tabs_as_single_columns() {
        let shown = excerpt("\tid = 3", 6, 1);
        assert_eq!(
            (shown.text.as_str(), shown.indent, shown.carets),
            (" id = 3", 6, 1)
        );
    }

    #[test]
    fn a_long_line_is_cut_to_a_window_around_the_problem() {
        let line = format!("{}HERE{}", "a".repeat(500), "b".repeat(500));
        let shown = excerpt(&line, 500, 4);
        let from_caret: String = shown
            .text
            .chars()
            .skip(shown.indent)
            .take(shown.carets)
            .collect();
        assert_eq!(from_caret, "HERE");
        assert_eq!(shown.text.chars().count(), 3 + super::WIDTH + 3);

        let end = excerpt(&line, line.len(), 1);
        assert_eq!((end.indent, end.carets), (3 + super::WIDTH, 1));
        assert!(end.text.starts_with("...") && end.text.ends_with('b'));
    }

    #[test]
    fn control_characters_and_direction_marks_never_reach_the_terminal() {
        assert_eq!(
            excerpt("a\u{1b}[31m\u{202e}b", 0, 1).text,
            "a\u{fffd}[31m\u{fffd}b"
        );
    }
}
