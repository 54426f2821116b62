//! Takes secrets out of texts that plugins write.

use std::fmt;
use std::sync::Arc;

use keyway::PluginError;

/// The shortest text that is taken out, in characters. A shorter one is found in texts that have
/// nothing to do with it, and tells nobody much.
const SHORTEST: usize = 6;

/// Texts that nobody may see, each with what stands for it.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    /// The longest first, so that of two that start alike the whole of the longer one goes.
    texts: Arc<[(String, String)]>,
}

impl Secrets {
    pub(super) fn new(private: Vec<(String, String)>) -> Self {
        let mut texts: Vec<(String, String)> = private
            .into_iter()
            .filter(|(text, _)| text.chars().count() >= SHORTEST)
            .flat_map(|(text, stands)| {
                // As a message has it that quotes with `{:?}`.
                let quoted = format!("{text:?}");
                let escaped = quoted[1..quoted.len() - 1].to_owned();
                let escaped = (escaped != text).then(|| (escaped, stands.clone()));
                [Some((text, stands)), escaped].into_iter().flatten()
            })
            .collect();
        texts.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        texts.dedup_by(|(a, _), (b, _)| a == b);
        Secrets {
            texts: texts.into(),
        }
    }

    /// Both.
    pub(crate) fn and(&self, other: &Secrets) -> Secrets {
        let mut texts: Vec<_> = self.texts.iter().chain(&*other.texts).cloned().collect();
        texts.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        texts.dedup_by(|(a, _), (b, _)| a == b);
        Secrets {
            texts: texts.into(),
        }
    }

    /// The text without them.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let mut scrubbed = String::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let found = self.texts.iter().find_map(|(secret, stands)| {
                rest.strip_prefix(secret.as_str())
                    .map(|after| (after, stands))
            });
            match found {
                Some((after, stands)) => {
                    scrubbed.push_str(stands);
                    rest = after;
                }
                None => {
                    scrubbed.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        scrubbed
    }

    /// The error of a plugin without them.
    pub(crate) fn scrub_error(&self, error: PluginError) -> PluginError {
        match self.texts.is_empty() {
            true => error,
            false => error.with_texts(|text| self.scrub(text)),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.texts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(texts: &[&str]) -> Secrets {
        let texts = texts
            .iter()
            .map(|text| (text.to_string(), "***".to_owned()));
        Secrets::new(texts.collect())
    }

    #[test]
    fn every_occurrence_goes_and_the_rest_stays() {
        let cases = [
            ("", ""),
            ("nothing", "nothing"),
            ("hunter2!", "***!"),
            ("a hunter2hunter2 ü", "a ****** ü"),
            ("hunter22", "***2"),
            ("hunter", "hunter"),
        ];
        for (text, expected) in cases {
            assert_eq!(secrets(&["hunter2"]).scrub(text), expected, "{text}");
        }
    }

    #[test]
    fn of_two_that_start_alike_the_longer_one_goes() {
        let secrets = secrets(&["abcdef", "abcdefgh"]);
        assert_eq!(secrets.scrub("abcdefghi abcdefg"), "***i ***g");
    }

    #[test]
    fn one_that_is_quoted_goes_too() {
        let secret = "a\"b\\c\nd";
        let text = format!("{secret} and {secret:?}");
        assert_eq!(secrets(&[secret]).scrub(&text), "*** and \"***\"");
    }

    #[test]
    fn what_is_too_short_stays() {
        assert_eq!(secrets(&["", "abcde"]).scrub("abcdef"), "abcdef");
        assert_eq!(secrets(&["ääääää"]).scrub("ääääää"), "***");
    }

    #[test]
    fn an_error_keeps_everything_but_them() {
        let error = PluginError::invalid_input("bad key hunter2")
            .code("bad-key")
            .context("login with hunter2");
        let scrubbed = secrets(&["hunter2"]).scrub_error(error.clone());
        assert_eq!(scrubbed.message(), "login with ***");
        assert_eq!(scrubbed.causes(), ["bad key ***"]);
        assert_eq!(scrubbed.kind(), error.kind());
        assert_eq!(scrubbed.error_code(), "bad-key");
    }
}
