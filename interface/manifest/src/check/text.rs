//! The rules for strings.

use super::field::Field;
use super::suggest;
use crate::diagnostic::report::{Problem, Report};
use crate::limits::{MAX_LINE_CHARS, MAX_NAME_CHARS, MAX_PROSE_CHARS};
use crate::permission::place;
use crate::tree::show;

/// A name: one word.
pub(super) fn name(field: &Field<'_>, report: &mut Report) -> Option<String> {
    word(field, MAX_NAME_CHARS, report).map(str::to_owned)
}

/// Some text without spaces.
pub(super) fn word<'t>(
    field: &Field<'t>,
    max_chars: usize,
    report: &mut Report,
) -> Option<&'t str> {
    let word = line_of(field, max_chars, report)?;
    if word.contains(char::is_whitespace) {
        let problem = field
            .problem("contains a space")
            .expected("a name without spaces");
        report.push(problem.found(field.found(report)));
        return None;
    }
    Some(word)
}

/// Some text on one line.
pub fn line(field: &Field<'_>, report: &mut Report) -> Option<String> {
    line_of(field, MAX_LINE_CHARS, report).map(str::to_owned)
}

/// Some text that may have several lines.
pub(super) fn prose(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let prose = field.string(report)?;
    if prose.trim().is_empty() {
        return refuse_empty(field, report);
    }
    checked(
        field,
        prose,
        MAX_PROSE_CHARS,
        |c| matches!(c, '\n' | '\t'),
        report,
    )
    .map(str::to_owned)
}

/// Any text, also none.
pub(super) fn free(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let text = field.string(report)?;
    let allowed = |c| matches!(c, '\n' | '\r' | '\t');
    checked(field, text, MAX_PROSE_CHARS, allowed, report).map(str::to_owned)
}

/// The name of an environment variable.
pub(super) fn env_name(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let name = line_of(field, MAX_NAME_CHARS, report)?;
    let Err(fault) = place::env_name(name) else {
        return Some(name.to_owned());
    };
    report.push(
        field
            .problem(fault.what)
            .expected("ASCII letters, digits and `_`, not starting with a digit")
            .found(field.found(report)),
    );
    None
}

/// An `http` or `https` URL.
pub(super) fn web_url(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let url = line_of(field, MAX_LINE_CHARS, report)?;
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let is_url = rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace)
    });
    if is_url {
        return Some(url.to_owned());
    }
    report.push(
        field
            .problem("is no web address")
            .expected("a URL that starts with https:// or http://")
            .found(field.found(report)),
    );
    None
}

/// One of a fixed set of words.
pub fn choice<T: Copy>(
    field: &Field<'_>,
    choices: &[(&'static str, T)],
    report: &mut Report,
) -> Option<T> {
    let word = field.string(report)?;
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == word) {
        return Some(*value);
    }
    report.push(unknown_choice(
        field,
        word,
        choices.iter().map(|(name, _)| *name),
        report,
    ));
    None
}

/// The problem that `word` is none of `choices`.
pub(super) fn unknown_choice<'c>(
    field: &Field<'_>,
    word: &str,
    choices: impl Iterator<Item = &'c str> + Clone,
    report: &Report,
) -> Problem {
    let listed: Vec<String> = choices.clone().map(show::quoted).collect();
    let suggestion = suggest::closest(word, choices).map(show::text);
    field
        .problem("has an unknown value")
        .expected(format!("one of {}", listed.join(", ")))
        .found(field.found(report))
        .maybe_hint(suggestion.map(|choice| suggest::did_you_mean(&choice)))
}

/// Whether `text` starts with an ASCII letter or `_`, and goes on with these, digits and `more`.
#[must_use]
pub fn is_identifier(text: &str, more: &[u8]) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
}

fn line_of<'t>(field: &Field<'t>, max_chars: usize, report: &mut Report) -> Option<&'t str> {
    let line = field.string(report)?;
    if line.trim().is_empty() {
        return refuse_empty(field, report);
    }
    if line.trim() != line {
        let problem = field
            .problem("has spaces around it")
            .found(field.found(report));
        report.push(problem.hint("remove them"));
        return None;
    }
    checked(field, line, max_chars, |_| false, report)
}

fn refuse_empty<T>(field: &Field<'_>, report: &mut Report) -> Option<T> {
    report.push(
        field
            .problem("is empty")
            .hint("write a value or remove the entry"),
    );
    None
}

fn checked<'t>(
    field: &Field<'_>,
    text: &'t str,
    max_chars: usize,
    is_allowed: impl Fn(char) -> bool,
    report: &mut Report,
) -> Option<&'t str> {
    // Control characters command terminals, and these marks reorder what a person reads.
    let is_hostile =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let hostile = text.chars().find(|&c| is_hostile(c) && !is_allowed(c));
    if let Some(hostile) = hostile {
        let found = format!("U+{:04X}", u32::from(hostile));
        report.push(field.problem("contains a control character").found(found));
        return None;
    }
    let chars = text.chars().count();
    if chars > max_chars {
        let problem = field.problem("is too long");
        report.push(
            problem
                .expected(format!("at most {max_chars} characters"))
                .found(format!("{chars} characters")),
        );
        return None;
    }
    Some(text)
}
