//! Patterns from the configuration: what is accepted as one, and how they are searched in linear
//! time.
//!
//! One search with an automaton is linear, but *all* matches are not: before each match the engine
//! may have looked to the end of the text for a better one, so a short match repeated often takes
//! quadratic time (the `regex` crate says so under "iterating over matches"). The text is not the
//! operator's, so that would let anybody stall the filter. [`Matcher::search`] bounds how far each
//! search looks instead.

use std::collections::HashSet;
use std::sync::Arc;

use regex_automata::Input;
use regex_automata::meta::Regex;
use serde::{Deserialize, Serialize};

use super::kind::Kind;

/// The most patterns a redactor takes.
pub const MAX_PATTERNS: usize = 64;
/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 4096;
/// The most memory a compiled pattern takes, in bytes: sixty-four of them stay under 64 MiB.
const MAX_COMPILED: usize = 1024 * 1024;
/// The longest name, in bytes.
const MAX_NAME: usize = 64;
/// How long a match of a pattern without a longest one can be, in bytes, and be certain to be found.
const REACH: usize = 2048;
/// The longest window while nothing is found, as a multiple of the reach.
const MAX_WINDOW: usize = 64;

/// A pattern to find, and the kind of its findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomPattern {
    /// The name of the kind: lower-case letters, digits and hyphens, starting with a letter.
    pub name: String,
    /// A regular expression in the syntax of the `regex` crate. What it matches is the finding.
    ///
    /// If nothing bounds the length of a match (`"[^"]*"`), one is certain to be found when it has up
    /// to 2 KiB, and a longer one when its first 2 KiB are a match too.
    pub pattern: String,
}

/// A custom pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("custom pattern {name:?} {problem}")]
pub struct PatternError {
    name: String,
    kind: PatternErrorKind,
    problem: String,
}

/// Why a custom pattern cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternErrorKind {
    /// There are more than [`MAX_PATTERNS`].
    TooMany,
    /// The name is not a lower-case word.
    Name,
    /// The name is that of a built-in kind, or of an earlier pattern.
    NameTaken,
    /// The pattern is not a regular expression.
    Syntax,
    /// The pattern can match the empty string.
    MatchesNothing,
    /// The pattern, or what it compiles to, is too big.
    TooBig,
}

impl PatternError {
    /// The name of the pattern.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why it cannot be used.
    pub fn kind(&self) -> PatternErrorKind {
        self.kind
    }
}

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Matcher {
    name: Arc<str>,
    regex: Regex,
    /// How long a match can be, in bytes, and be certain to be found.
    reach: usize,
}

/// Checks and compiles the patterns, in their order.
pub(super) fn compile(patterns: Vec<CustomPattern>) -> Result<Vec<Matcher>, PatternError> {
    let mut names = HashSet::new();
    patterns
        .into_iter()
        .enumerate()
        .map(|(index, CustomPattern { name, pattern })| {
            let compiled = if index == MAX_PATTERNS {
                Err((
                    PatternErrorKind::TooMany,
                    format!("is one too many: expected at most {MAX_PATTERNS} patterns"),
                ))
            } else {
                check_name(&name, &names).and_then(|()| compile_pattern(&pattern))
            };
            match compiled {
                Ok((regex, reach)) => {
                    names.insert(name.clone());
                    Ok(Matcher {
                        name: name.into(),
                        regex,
                        reach,
                    })
                }
                Err((kind, problem)) => Err(PatternError {
                    name,
                    kind,
                    problem,
                }),
            }
        })
        .collect()
}

/// What is wrong with a pattern, in words that follow its name.
type Problem = (PatternErrorKind, String);

fn check_name(name: &str, taken: &HashSet<String>) -> Result<(), Problem> {
    let is_name = name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_name {
        let expected = "expected lower-case letters, digits and inner hyphens, a letter first";
        let problem = format!("has an unusable name: {expected}, at most {MAX_NAME} bytes");
        return Err((PatternErrorKind::Name, problem));
    }
    let owner = match (Kind::built_in(name), taken.contains(name)) {
        (Some(_), _) => "a built-in kind",
        (None, true) => "an earlier pattern",
        (None, false) => return Ok(()),
    };
    Err((
        PatternErrorKind::NameTaken,
        format!("has the name of {owner}: choose another"),
    ))
}

/// The compiled pattern, and its reach.
fn compile_pattern(pattern: &str) -> Result<(Regex, usize), Problem> {
    if pattern.len() > MAX_PATTERN {
        let found = pattern.len();
        let problem = format!("is too big: expected at most {MAX_PATTERN} bytes, found {found}");
        return Err((PatternErrorKind::TooBig, problem));
    }
    let syntax = regex_syntax::parse(pattern).map_err(|error| syntax_problem(&error))?;
    if syntax.properties().minimum_len() == Some(0) {
        let problem = "can match the empty string, which is everywhere: \
                       require one character at least (`+` for `*`, no `?` around all of it)";
        return Err((PatternErrorKind::MatchesNothing, problem.to_owned()));
    }
    let reach = syntax
        .properties()
        .maximum_len()
        .unwrap_or(REACH)
        .max(REACH);
    let limits = Regex::config().nfa_size_limit(Some(MAX_COMPILED));
    let regex = Regex::builder()
        .configure(limits)
        .build_from_hir(&syntax)
        .map_err(|error| {
            let problem = match error.size_limit() {
                Some(limit) => {
                    format!(
                        "is too big: it compiles to over {limit} bytes, use smaller repetitions"
                    )
                }
                None => format!("is too big: {error}"),
            };
            (PatternErrorKind::TooBig, problem)
        })?;
    Ok((regex, reach))
}

fn syntax_problem(error: &regex_syntax::Error) -> Problem {
    let (offset, reason) = match error {
        regex_syntax::Error::Parse(error) => (error.span().start.offset, error.kind().to_string()),
        regex_syntax::Error::Translate(error) => {
            (error.span().start.offset, error.kind().to_string())
        }
        other => (0, other.to_string()),
    };
    let problem = format!("is not a regular expression: {reason}, at byte {offset}");
    (PatternErrorKind::Syntax, problem)
}

impl Matcher {
    /// The kind of its findings.
    pub(super) fn kind(&self) -> Kind {
        Kind::Custom(Arc::clone(&self.name))
    }

    /// Reports each match from left to right, none overlapping another; returns how many bytes the
    /// searches had before them, which bounds how many they looked at.
    ///
    /// Each search sees a window of the text, so that one match costs `2 * reach` bytes at most,
    /// unless the pass has gone on or goes on for more:
    /// - After a miss it goes on by half of the window or more, and the next window is twice as
    ///   long.
    /// - A match that touches the end of its window may go on, and is searched again in twice the
    ///   window. What is found then does not lie within the first window (it would have been found
    ///   there), so it ends in the second half.
    ///
    /// A window of length `w` thus moves the pass on by `w / 2`, and one more of `2 * w` may follow
    /// it: the windows add up to six times the text, and `2 * reach` for each match and for the end.
    pub(super) fn search(&self, text: &str, mut report: impl FnMut(usize, usize)) -> u64 {
        let reach = self.reach;
        let (mut at, mut window, mut seen) = (0, 2 * reach, 0);
        while at < text.len() {
            let end = floor_char_boundary(text, at.saturating_add(window));
            let is_last = end == text.len();
            // What starts in the last stretch of a window may lack its end.
            let retry = if is_last {
                end
            } else {
                floor_char_boundary(text, end - reach)
            };
            seen += (end - at) as u64;
            match self.regex.search(&Input::new(text).span(at..end)) {
                Some(found) if found.start() < retry && (found.end() < end || is_last) => {
                    report(found.start(), found.end());
                    at = found.end();
                    window = 2 * reach;
                }
                Some(found) if found.start() < retry => window = window.saturating_mul(2),
                _ => {
                    at = retry;
                    window = (window * 2).min(MAX_WINDOW * reach);
                }
            }
        }
        seen
    }
}

/// The last character boundary at or before `index`.
fn floor_char_boundary(text: &str, index: usize) -> usize {
    let index = index.min(text.len());
    (0..=index)
        .rev()
        .find(|&index| text.is_char_boundary(index))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(name: &str, pattern: &str) -> CustomPattern {
        CustomPattern {
            name: name.into(),
            pattern: pattern.into(),
        }
    }

    fn matcher(regex: &str) -> Matcher {
        compile(vec![pattern("test", regex)]).unwrap().remove(0)
    }

    /// A matcher that windows of a few bytes can be tried with.
    fn matcher_with_reach(reach: usize, regex: &str) -> Matcher {
        Matcher {
            reach,
            ..matcher(regex)
        }
    }

    #[test]
    fn an_unusable_pattern_is_refused_with_its_name_and_the_reason() {
        use PatternErrorKind::*;
        for (name, regex, kind, message) in [
            (
                "a",
                "(b",
                Syntax,
                "is not a regular expression: unclosed group, at byte 0",
            ),
            (
                "a",
                r"b\p{Nope}",
                Syntax,
                "Unicode property not found, at byte 1",
            ),
            ("a", r"(?-u:\xff)", Syntax, "invalid UTF-8"),
            ("a", "b*", MatchesNothing, "can match the empty string"),
            ("a", r"\b", MatchesNothing, "can match the empty string"),
            ("a", "b|", MatchesNothing, "can match the empty string"),
            ("a", "", MatchesNothing, "can match the empty string"),
            (
                "a",
                r"\w{500}{500}",
                TooBig,
                "compiles to over 1048576 bytes",
            ),
            ("", "b", Name, "expected lower-case letters"),
            ("Staff", "b", Name, "expected lower-case letters"),
            ("staff_id", "b", Name, "expected lower-case letters"),
            ("7", "b", Name, "expected lower-case letters"),
            ("email", "b", NameTaken, "has the name of a built-in kind"),
            (
                "first",
                "b",
                NameTaken,
                "has the name of an earlier pattern",
            ),
        ] {
            let error = compile(vec![pattern("first", "x"), pattern(name, regex)]).unwrap_err();
            let text = error.to_string();
            assert_eq!((error.name(), error.kind()), (name, kind), "{text}");
            assert!(
                text.starts_with(&format!("custom pattern {name:?} ")),
                "{text}"
            );
            assert!(text.contains(message), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn patterns_are_limited_in_length_and_number() {
        let long = compile(vec![pattern("a", &"b".repeat(MAX_PATTERN + 1))]).unwrap_err();
        assert_eq!(long.kind(), PatternErrorKind::TooBig);

        let mut many: Vec<_> = (0..MAX_PATTERNS)
            .map(|i| pattern(&format!("p{i}"), "x"))
            .collect();
        assert_eq!(compile(many.clone()).unwrap().len(), MAX_PATTERNS);
        many.push(pattern("last", "x"));
        let error = compile(many).unwrap_err();
        assert_eq!(
            (error.kind(), error.name()),
            (PatternErrorKind::TooMany, "last")
        );
    }

    #[test]
    fn a_match_is_found_wherever_windows_end() {
        let matcher = matcher(r"\bx[^y]*y\b");
        let secret = format!("x{}y", "é".repeat(REACH / 2 - 1));
        assert_eq!(secret.len(), REACH);
        for before in (0..8 * REACH).step_by(997).chain(REACH - 3..REACH + 3) {
            let text = format!("{} {secret} {}", "-".repeat(before), "-".repeat(3 * REACH));
            let mut found = Vec::new();
            matcher.search(&text, |start, end| found.push((start, end)));
            assert_eq!(found, [(before + 1, before + 1 + REACH)]);
        }
    }

    #[test]
    fn a_pattern_with_a_longest_match_reaches_that_far() {
        let text = format!(
            "{}x{}y{}",
            "-".repeat(9_000),
            "z".repeat(9_000),
            "-".repeat(30_000)
        );
        let mut found = Vec::new();
        matcher("xz{9000}y|-y").search(&text, |start, end| found.push((start, end)));
        assert_eq!(found, [(9_000, 18_002)]);
    }

    #[test]
    fn a_match_that_goes_on_is_found_to_its_end() {
        let text = format!("id-{}!", "7".repeat(100 * REACH));
        let mut found = Vec::new();
        let seen = matcher(r"id-\d+").search(&text, |start, end| found.push((start, end)));
        assert_eq!(found, [(0, text.len() - 1)]);
        assert!(seen < 6 * text.len() as u64);
    }

    #[test]
    fn a_pattern_that_looks_far_for_a_better_match_stays_linear() {
        // At each `a` the first alternative looks for its `b` to the end of the text.
        let (reach, matcher) = (8, matcher_with_reach(8, "a[^b]*b|c"));
        let text = "ac".repeat(20_000);
        let mut found = 0;
        let seen = matcher.search(&text, |_, _| found += 1);
        assert_eq!(found, 20_000);
        assert!(
            seen <= 6 * text.len() as u64 + (found + 1) * 2 * reach as u64,
            "{seen}"
        );
    }

    proptest! {
        #[test]
        fn windows_find_what_one_search_of_the_whole_text_finds(
            text in "[abc é\n]{0,200}",
            regex in prop::sample::select(vec![
                "a+b?", "a[^b]*b|c", r"\bab+\b", "(?:ab|a)c?", "[ab]+$", "(?m)^b|c$", "é+?c|b",
            ]),
        ) {
            let reach = 12;
            let matcher = matcher_with_reach(reach, regex);
            let expected: Vec<_> =
                matcher.regex.find_iter(&text).map(|found| (found.start(), found.end())).collect();
            prop_assume!(expected.iter().all(|(start, end)| end - start <= reach));
            let mut found = Vec::new();
            let seen =
                matcher.search(&text, |start, end| found.push((start, end)));
            prop_assert_eq!(&found, &expected);
            let bound = 6 * text.len() + (found.len() + 1) * 2 * reach;
            prop_assert!(seen <= bound as u64, "{} bytes seen, {} allowed", seen, bound);
        }
    }
}
