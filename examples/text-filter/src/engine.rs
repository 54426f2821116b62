//! Finds secrets and personal data in text and replaces them.
//!
//! One pass over the bytes stops at the few that can be part of a finding (a digit, an `@`, the
//! `J` of `eyJ`, ...) and hands each to the detector that knows the format; patterns from the
//! configuration run after it. Detectors look at bounded stretches of text, so the time is linear
//! in the length of the input, whatever the input is.
//!
//! # Overlaps
//!
//! Matches that overlap become **one** finding that covers them all, named after the strongest:
//! custom patterns first, in the order of the configuration, because somebody asked for them; then
//! the built-in kinds in the order of [`Kind`]. So no byte that any detector claimed is left in the
//! text, and findings never overlap.
//!
//! ```
//! use text_filter::engine::{Options, Redactor};
//!
//! let redactor = Redactor::new(Options::default())?;
//! let redacted = redactor.redact("mail bob@example.com", &redactor.all(), None);
//!
//! assert_eq!(redacted.text, "mail [email]");
//! assert_eq!((redacted.findings[0].start, redacted.findings[0].end), (5, 20));
//! # Ok::<(), text_filter::engine::PatternError>(())
//! ```

mod aws;
mod card;
mod custom;
mod email;
mod github;
mod iban;
mod ip;
mod jwt;
mod kind;
mod number;
mod overlap;
mod pem;
mod phone;
mod scan;

#[cfg(test)]
mod linearity;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod table;

use serde::{Deserialize, Serialize};

pub use self::custom::{CustomPattern, MAX_PATTERNS, PatternError, PatternErrorKind};
pub use self::kind::{Kind, Kinds, UnknownKind};

use self::custom::Matcher;
use self::overlap::Candidate;
use self::scan::Scan;

/// What stands in a redacted text for each finding, unless the caller says otherwise.
pub const DEFAULT_REPLACEMENT: &str = "[{kind}]";

/// How a [`Redactor`] is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Patterns to find besides the built-in kinds; earlier ones win where they overlap.
    pub custom: Vec<CustomPattern>,
    /// What each finding is replaced by; every `{kind}` in it becomes the name of the kind.
    pub replacement: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            custom: Vec::new(),
            replacement: DEFAULT_REPLACEMENT.to_owned(),
        }
    }
}

/// One secret or piece of personal data in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Where it starts in the original text, in bytes; always on a character boundary.
    pub start: usize,
    /// Where it ends in the original text, in bytes, exclusive; always on a character boundary.
    pub end: usize,
}

/// A text without its secrets, and where they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redacted {
    /// The text with every finding replaced.
    pub text: String,
    /// The findings in the *original* text, in order, none overlapping another.
    pub findings: Vec<Finding>,
}

/// The compiled detectors. Cheap to share between threads, and never changed by a search.
#[derive(Debug)]
pub struct Redactor {
    /// Every kind, strongest first: the position of a kind is its rank.
    kinds: Vec<Kind>,
    custom: Vec<Matcher>,
    replacement: String,
}

impl Redactor {
    /// Compiles the custom patterns.
    ///
    /// # Errors
    ///
    /// When there are more than [`MAX_PATTERNS`], or one has an unusable name, does not parse, can
    /// match the empty string, or is too big; the error names the pattern.
    pub fn new(options: Options) -> Result<Self, PatternError> {
        let custom = custom::compile(options.custom)?;
        let kinds = custom
            .iter()
            .map(Matcher::kind)
            .chain(Kind::BUILT_IN)
            .collect();
        Ok(Redactor {
            kinds,
            custom,
            replacement: options.replacement,
        })
    }

    /// The kinds that this redactor knows, strongest first.
    pub fn known(&self) -> &[Kind] {
        &self.kinds
    }

    /// Selects every kind.
    pub fn all(&self) -> Kinds {
        Kinds::all(&self.kinds)
    }

    /// Selects the kinds with these names.
    ///
    /// # Errors
    ///
    /// When a name is not one of [`known`](Self::known); the error lists them and suggests the
    /// nearest.
    pub fn select<S: AsRef<str>>(
        &self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Kinds, UnknownKind> {
        Kinds::named(&self.kinds, names)
    }

    /// Finds everything of these kinds, in order, none overlapping another.
    ///
    /// The selection must come from this redactor; another's custom patterns mean nothing here.
    pub fn find(&self, text: &str, kinds: &Kinds) -> Vec<Finding> {
        self.search(text, kinds).0
    }

    /// Replaces everything of these kinds, by `replacement` or else by the configured one.
    ///
    /// With the default replacement, no built-in kind is found in the result again.
    pub fn redact(&self, text: &str, kinds: &Kinds, replacement: Option<&str>) -> Redacted {
        let findings = self.find(text, kinds);
        let template = replacement.unwrap_or(&self.replacement);
        let mut redacted = String::with_capacity(text.len());
        let mut done = 0;
        for finding in &findings {
            redacted.push_str(&text[done..finding.start]);
            for (index, literal) in template.split("{kind}").enumerate() {
                if index > 0 {
                    redacted.push_str(finding.kind.as_str());
                }
                redacted.push_str(literal);
            }
            done = finding.end;
        }
        redacted.push_str(&text[done..]);
        Redacted {
            text: redacted,
            findings,
        }
    }

    /// The findings, and how many bytes were examined to get them, counting a byte again each time
    /// it is looked at: the measure that the tests of linearity are about.
    fn search(&self, text: &str, kinds: &Kinds) -> (Vec<Finding>, u64) {
        let (mut candidates, mut examined) = Scan::run(text, kinds, self.custom.len());
        for (rank, matcher) in self.custom.iter().enumerate() {
            if kinds.contains(rank) {
                examined += matcher.search(text, |start, end| {
                    candidates.push(Candidate { start, end, rank })
                });
            }
        }
        let findings = overlap::merge(candidates)
            .map(|found| Finding {
                kind: self.kinds[found.rank].clone(),
                start: found.start,
                end: found.end,
            })
            .collect();
        (findings, examined)
    }
}

impl Default for Redactor {
    /// The built-in kinds with the default replacement.
    fn default() -> Self {
        Redactor {
            kinds: Kind::BUILT_IN.to_vec(),
            custom: Vec::new(),
            replacement: DEFAULT_REPLACEMENT.to_owned(),
        }
    }
}
