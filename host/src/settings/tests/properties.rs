//! What holds for any text.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{FULL, read};

/// Reads a text and says all that comes of it.
fn told(text: &str) -> String {
    match read(text) {
        Ok(settings) => format!("{settings:?} {settings:#?} {:?}", settings.warnings),
        Err(error) => format!(
            "{error} {error:?} {}",
            crate::HostError::from(error.clone())
        ),
    }
}

/// Replaces up to `length` characters of `text` somewhere.
fn mutated(text: &str, at: Index, length: usize, insert: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = at.index(chars.len() + 1);
    let rest = chars[at..].iter().skip(length);
    let inserted = chars[..at].iter().copied().chain(insert.chars());
    inserted.chain(rest.copied()).collect()
}

fn token() -> impl Strategy<Value = String> {
    const TOKENS: &[&str] = &[
        "", "\"", "'", "\"\"\"", "[", "]", "{", "}", ",", ".", "=", "\\", "\\u", "\n", "\r\n",
        "\t", "#", "-", "0", "1e9", "nan", "true", "\u{0}", "\u{feff}", "é", "[[", "]]", "a.b",
        "host", "plugin", "plugins", "config", "${", "$${", "${A}", "${A:-", "context", "file",
    ];
    prop_oneof![select(TOKENS).prop_map(str::to_owned), any::<String>()]
}

/// Something that no message of the host has in it by itself.
const SECRET: &str = "zq7Xw9kPv";

/// How a secret may be written as the value of a setting, and around it.
fn written() -> impl Strategy<Value = String> {
    let forms: &[&str] = &[
        "\"@\"",
        "'@'",
        "\"\"\"\n@\"\"\"",
        "[\"@\", 1]",
        "{ a = [\"@\"] }",
        "\"${NOWHERE:-@}\"",
        "\"@${HOME}\"",
        "\"${@\"",
        "\"${@ x}\"",
        "\"${A:-${@}}\"",
        // What somebody may write by mistake.
        "@",
        "\"@",
        "@\"",
        "\"@\" @",
        "\"\\@\"",
        "[\"@\"",
        "= \"@\"",
        "'@",
    ];
    select(forms).prop_map(|form| form.replace('@', SECRET))
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        told(&text);
    }

    #[test]
    fn any_heap_of_tokens_is_read_or_refused(tokens in vec(token(), 0..60)) {
        told(&tokens.concat());
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(
        at in any::<Index>(),
        length in 0_usize..40,
        insert in token(),
    ) {
        told(&mutated(FULL, at, length, &insert));
    }

    #[test]
    fn the_value_of_a_setting_is_in_nothing_that_is_said(
        values in vec(written(), 1..4),
        place in select(["plugin.a.config.", "plugin.a.", "plugin."].as_slice()),
        more in token(),
    ) {
        let lines = values.iter().enumerate();
        let lines: String = lines
            .map(|(index, value)| format!("{place}k{index} = {value}\n"))
            .collect();
        let told = told(&format!("{lines}{more}\n{FULL}"));
        prop_assert!(!told.contains(SECRET), "{}", told);
    }
}
