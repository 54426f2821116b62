//! Takes a line apart that somebody has typed.

use keyway::PluginError;

/// A command with what it is called with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    /// All after the name, without the space around it.
    pub(super) text: &'a str,
    pub(super) words: Vec<String>,
}

impl<'a> Line<'a> {
    pub(super) fn parse(line: &'a str) -> Result<Self, PluginError> {
        let line = line.trim();
        let command = line.strip_prefix('/').ok_or_else(|| {
            PluginError::invalid_input("a command begins with a slash, such as `/help`")
        })?;
        let (name, text) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        if name.is_empty() {
            let message = "expected the name of a command after the slash, such as `/help`";
            return Err(PluginError::invalid_input(message));
        }
        let text = text.trim_start();
        Ok(Line {
            name,
            text,
            words: words(text)?,
        })
    }
}

fn words(text: &str) -> Result<Vec<String>, PluginError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(char) = rest.next() {
        match char {
            '"' | '\'' => quoted(char, &mut rest, word.get_or_insert_default())?,
            char if char.is_whitespace() => words.extend(word.take()),
            char => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Takes what is in quotes, up to the quote that ends it.
fn quoted(
    quote: char,
    rest: &mut std::str::Chars<'_>,
    word: &mut String,
) -> Result<(), PluginError> {
    while let Some(char) = rest.next() {
        match char {
            char if char == quote => return Ok(()),
            '\\' if quote == '"' && rest.as_str().starts_with(['"', '\\']) => {
                word.extend(rest.next())
            }
            char => word.push(char),
        }
    }
    Err(PluginError::invalid_input(format!(
        "the text has no end that begins with {quote}; expected another {quote} after it"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_white_space_that_is_in_no_quotes() {
        for (line, name, text, expected) in [
            ("/roll", "roll", "", &[][..]),
            ("  /roll  2d6 \t x ", "roll", "2d6 \t x", &["2d6", "x"]),
            (
                r#"/say "a b" 'c "d"' e"#,
                "say",
                r#""a b" 'c "d"' e"#,
                &["a b", r#"c "d""#, "e"],
            ),
            (
                r#"/say a" b"'c' """#,
                "say",
                r#"a" b"'c' """#,
                &["a bc", ""],
            ),
            (
                r#"/say "a\"b\\c\d" \x"#,
                "say",
                r#""a\"b\\c\d" \x"#,
                &[r#"a"b\c\d"#, r"\x"],
            ),
            (r"/open 'C:\a b'", "open", r"'C:\a b'", &[r"C:\a b"]),
        ] {
            let parsed = Line::parse(line).expect("a command");
            let expected = expected.iter().map(ToString::to_string).collect();
            assert_eq!(
                (parsed.name, parsed.text, parsed.words),
                (name, text, expected)
            );
        }
    }

    #[test]
    fn what_is_no_command_says_what_one_looks_like() {
        for (line, message) in [
            ("", "a command begins with a slash, such as `/help`"),
            ("roll", "a command begins with a slash, such as `/help`"),
            (
                "/ roll",
                "expected the name of a command after the slash, such as `/help`",
            ),
            (
                "/say 'it",
                "the text has no end that begins with '; expected another ' after it",
            ),
        ] {
            assert_eq!(Line::parse(line).unwrap_err().message(), message);
        }
    }
}
