//! Texts with `${VARIABLE}`s in them.
//!
//! A text is taken apart once, when its file is read, and put together when it is needed. What a
//! variable holds is put in as it is and never looked at again, so it cannot bring in variables, keys or
//! syntax of its own.

use std::ffi::OsString;

/// A text with at least one variable.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable {
        name: String,
        default: Option<String>,
    },
}

/// A text that was taken apart.
pub(crate) enum Parsed {
    /// Without variables.
    Plain(String),
    Template(Template),
}

/// Why a text is no template. The text itself is not told: it may have a secret in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    Unclosed,
    Name,
    NestedDefault,
}

/// A text that was put together.
pub(crate) struct Expanded {
    pub(crate) text: String,
    /// What each variable, or its default, contributed, and the variable as it is written.
    pub(crate) pieces: Vec<(String, String)>,
}

/// A variable that has no value to be put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unset {
    pub(crate) variable: String,
    /// Whether there is a value, which is no text.
    pub(crate) is_not_text: bool,
}

impl Malformed {
    /// What is wrong, to follow the name of the key; and what to do about it.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Malformed::Unclosed => (
                "has a `${` without its `}`",
                "write `$${` for the text `${`",
            ),
            Malformed::Name => (
                "has a `${..}` that names no environment variable",
                "write `${NAME}` or `${NAME:-default}`, and `$${` for the text `${`",
            ),
            Malformed::NestedDefault => (
                "has a variable in the default of another one",
                "a default in `${NAME:-default}` is plain text",
            ),
        }
    }
}

impl Unset {
    /// What is wrong, to follow the name of the key; and what to do about it.
    pub(crate) fn words(&self) -> (String, String) {
        let Unset {
            variable,
            is_not_text,
        } = self;
        match is_not_text {
            true => (
                format!("needs the environment variable {variable}, which is not UTF-8"),
                format!("give {variable} a value that is text"),
            ),
            false => (
                format!("needs the environment variable {variable}, which is not set"),
                format!("set {variable}, or write a default: `${{{variable}:-default}}`"),
            ),
        }
    }
}

impl Template {
    /// Takes a text apart: `${NAME}` and `${NAME:-default}` are variables, `$${` stands for `${`.
    pub(crate) fn parse(text: &str) -> Result<Parsed, Malformed> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, reference) = (&rest[..at], &rest[at + 2..]);
            if let Some(before) = before.strip_suffix('$') {
                plain.push_str(before);
                plain.push_str("${");
                rest = reference;
                continue;
            }
            plain.push_str(before);
            let end = reference.find('}').ok_or(Malformed::Unclosed)?;
            let inner = &reference[..end];
            let (name, default) = match inner.split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (inner, None),
            };
            if !keyway_manifest::document::is_identifier(name, b"_") {
                return Err(Malformed::Name);
            }
            if default.is_some_and(|default| default.contains("${")) {
                return Err(Malformed::NestedDefault);
            }
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Variable {
                name: name.to_owned(),
                default: default.map(str::to_owned),
            });
            rest = &reference[end + 1..];
        }
        plain.push_str(rest);
        if parts.is_empty() {
            return Ok(Parsed::Plain(plain));
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Parsed::Template(Template { parts }))
    }

    /// Puts the text together. As in a shell, a default also stands in for a variable that is empty.
    pub(crate) fn expand(&self, env: &dyn Fn(&str) -> Option<OsString>) -> Result<Expanded, Unset> {
        let mut text = String::new();
        let mut pieces = Vec::new();
        for part in &self.parts {
            let (name, default) = match part {
                Part::Text(plain) => {
                    text.push_str(plain);
                    continue;
                }
                Part::Variable { name, default } => (name, default),
            };
            let unset = |is_not_text| Unset {
                variable: name.clone(),
                is_not_text,
            };
            let value = env(name).map(OsString::into_string).transpose();
            let value = value.map_err(|_| unset(true))?;
            let value = match (value, default) {
                (Some(value), default) if !value.is_empty() || default.is_none() => value,
                (_, Some(default)) => default.clone(),
                (_, None) => return Err(unset(false)),
            };
            text.push_str(&value);
            pieces.push((value, written(name)));
        }
        Ok(Expanded { text, pieces })
    }

    /// The variables as they are written, without their defaults; and what is around them, unless
    /// that may be a part of a secret.
    pub(crate) fn shown(&self, is_secret: bool) -> String {
        let mut shown = String::new();
        for part in &self.parts {
            match part {
                Part::Variable { name, .. } => shown.push_str(&written(name)),
                Part::Text(_) if is_secret => shown.push('…'),
                Part::Text(plain) => shown.push_str(plain),
            }
        }
        shown
    }
}

/// A variable as it is written, without its default.
fn written(name: &str) -> String {
    format!("${{{name}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<OsString> {
        match name {
            "A" => Some("one".into()),
            "EVIL" => Some("${A} \"]\n[plugins]".into()),
            "EMPTY" => Some(OsString::new()),
            _ => None,
        }
    }

    fn expanded(text: &str) -> Result<String, Unset> {
        match Template::parse(text) {
            Ok(Parsed::Plain(text)) => Ok(text),
            Ok(Parsed::Template(template)) => template.expand(&env).map(|expanded| expanded.text),
            Err(malformed) => panic!("{text} is malformed: {malformed:?}"),
        }
    }

    #[test]
    fn variables_are_put_in_and_everything_else_stays() {
        let cases = [
            ("", ""),
            ("plain", "plain"),
            ("$ $$ $A {A} $}", "$ $$ $A {A} $}"),
            ("${A}", "one"),
            ("<${A}|${A}>", "<one|one>"),
            ("${B:-two}${A:-two}", "twoone"),
            ("${B:-}", ""),
            ("${EMPTY}", ""),
            ("${EMPTY:-two}", "two"),
            ("${B:-a:-b}", "a:-b"),
            ("$${A}", "${A}"),
            ("$$${A}", "$${A}"),
            ("$${${A}", "${one"),
            ("ä${A}ß", "äoneß"),
            ("${EVIL}", "${A} \"]\n[plugins]"),
        ];
        for (text, expected) in cases {
            assert_eq!(expanded(text), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_variable_without_value_and_default_is_named() {
        let unset = Unset {
            variable: "B".to_owned(),
            is_not_text: false,
        };
        assert_eq!(expanded("${A}${B}"), Err(unset));
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_not_utf_8_is_no_text_whatever_its_default() {
        use std::os::unix::ffi::OsStringExt;

        let Ok(Parsed::Template(template)) = Template::parse("${X:-y}") else {
            panic!("it has a variable");
        };
        let unset = template.expand(&|_| Some(OsString::from_vec(vec![0xff])));
        assert!(unset.is_err_and(|unset| unset.is_not_text));
    }

    #[test]
    fn what_is_no_variable_is_refused() {
        let cases = [
            ("${", Malformed::Unclosed),
            ("${A", Malformed::Unclosed),
            ("${A}${", Malformed::Unclosed),
            ("${}", Malformed::Name),
            ("${1A}", Malformed::Name),
            ("${A B}", Malformed::Name),
            ("${A-b}", Malformed::Name),
            ("${:-b}", Malformed::Name),
            ("${A:-${B}}", Malformed::NestedDefault),
        ];
        for (text, expected) in cases {
            assert_eq!(Template::parse(text).err(), Some(expected), "{text}");
        }
    }

    #[test]
    fn it_is_shown_without_defaults_and_as_a_secret_without_what_is_around_it() {
        let Ok(Parsed::Template(template)) = Template::parse("Bearer ${A:-hush}!${B}") else {
            panic!("it has variables");
        };
        assert_eq!(template.shown(false), "Bearer ${A}!${B}");
        assert_eq!(template.shown(true), "…${A}…${B}");
    }
}
