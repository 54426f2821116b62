//! What a finding can be: the built-in kinds, and the names of the custom patterns.
//!
//! Kinds are written as short kebab-case strings wherever a person or another program sees them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a finding is. The built-in kinds are ordered from the strongest to the weakest: where two
/// overlap, the earlier one names the finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `private-key`: a PEM block with a private key, up to its END line. Without one in the next
    /// 64 KiB, as far as the key material goes in them.
    PrivateKey,
    /// `jwt`: a JSON web token, signed or encrypted.
    Jwt,
    /// `github-token`: a GitHub token, classic or fine-grained.
    GithubToken,
    /// `aws-key`: an AWS access key id, or a secret access key that is assigned to its name.
    AwsKey,
    /// `payment-card`: a card number with a known issuer prefix and a valid check digit.
    PaymentCard,
    /// `iban`: a bank account number with its country's length and valid check digits.
    Iban,
    /// `email`: an e-mail address.
    Email,
    /// `ip`: an IPv4 or IPv6 address.
    Ip,
    /// `phone`: an international phone number, or a national one with separators.
    Phone,
    /// A custom pattern, by its name.
    Custom(Arc<str>),
}

impl Kind {
    /// Every kind but the custom ones, strongest first.
    pub const BUILT_IN: [Kind; 9] = [
        Kind::PrivateKey,
        Kind::Jwt,
        Kind::GithubToken,
        Kind::AwsKey,
        Kind::PaymentCard,
        Kind::Iban,
        Kind::Email,
        Kind::Ip,
        Kind::Phone,
    ];

    /// The name, as in a selection and in a replacement.
    pub fn as_str(&self) -> &str {
        match self {
            Kind::PrivateKey => "private-key",
            Kind::Jwt => "jwt",
            Kind::GithubToken => "github-token",
            Kind::AwsKey => "aws-key",
            Kind::PaymentCard => "payment-card",
            Kind::Iban => "iban",
            Kind::Email => "email",
            Kind::Ip => "ip",
            Kind::Phone => "phone",
            Kind::Custom(name) => name,
        }
    }

    /// The built-in kind of this name.
    pub(super) fn built_in(name: &str) -> Option<Kind> {
        Kind::BUILT_IN
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Kind {
    /// Any name that is not built in is that of a custom pattern.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(Kind::built_in(&name).unwrap_or_else(|| Kind::Custom(name.into())))
    }
}

/// A selection of the kinds of one redactor, by rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u128);

impl Kinds {
    pub(super) fn all(known: &[Kind]) -> Self {
        Kinds((0..known.len()).fold(0, |bits, rank| bits | 1 << rank))
    }

    pub(super) fn named<S: AsRef<str>>(
        known: &[Kind],
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, UnknownKind> {
        names.into_iter().try_fold(Kinds(0), |kinds, name| {
            let name = name.as_ref();
            match known.iter().position(|kind| kind.as_str() == name) {
                Some(rank) => Ok(Kinds(kinds.0 | 1 << rank)),
                None => Err(UnknownKind::new(name, known)),
            }
        })
    }

    pub(super) fn contains(self, rank: usize) -> bool {
        self.0 >> rank & 1 == 1
    }

    /// Whether nothing is selected.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A selection asked for a kind that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind {name:?}{}; expected one of {}", .suggestion.hint(), .known.join(", "))]
pub struct UnknownKind {
    name: String,
    suggestion: Suggestion,
    known: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Suggestion(Option<String>);

impl Suggestion {
    fn hint(&self) -> String {
        self.0
            .as_ref()
            .map(|name| format!(" (did you mean {name:?}?)"))
            .unwrap_or_default()
    }
}

impl UnknownKind {
    fn new(name: &str, known: &[Kind]) -> Self {
        // The name may be of any length and is echoed and compared; what is longer than every
        // valid one by far is cut.
        let name: String = name.chars().take(80).collect();
        let tolerated = 1 + name.chars().count() / 4;
        let nearest = known
            .iter()
            .map(|kind| {
                (
                    edit_distance(&name.to_lowercase(), kind.as_str()),
                    kind.as_str(),
                )
            })
            .min()
            .filter(|(distance, _)| *distance <= tolerated)
            .map(|(_, name)| name.to_owned());
        UnknownKind {
            name,
            suggestion: Suggestion(nearest),
            known: known.iter().map(Kind::to_string).collect(),
        }
    }

    /// The name that was asked for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The valid name closest to it, when one is close.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.0.as_deref()
    }
}

/// How many characters to insert, remove or replace, or neighbours to swap, to get from one to the
/// other (optimal string alignment).
fn edit_distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (i, &a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &b) in to.iter().enumerate() {
            let mut best = (last[j] + usize::from(a != b))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && a == to[j - 1] && from[i - 1] == b {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_holds_exactly_the_named_kinds() {
        let known = Kind::BUILT_IN;
        let kinds = Kinds::named(&known, ["phone", "jwt"]).unwrap();
        let selected: Vec<_> = (0..known.len())
            .filter(|&rank| kinds.contains(rank))
            .map(|rank| &known[rank])
            .collect();
        assert_eq!(selected, [&Kind::Jwt, &Kind::Phone]);
        assert!(Kinds::named(&known, [""; 0]).unwrap().is_empty());
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_and_with_all() {
        let error = Kinds::named(&Kind::BUILT_IN, ["email", "emial"]).unwrap_err();
        assert_eq!(error.suggestion(), Some("email"));
        assert_eq!(
            error.to_string(),
            "unknown kind \"emial\" (did you mean \"email\"?); expected one of private-key, jwt, \
             github-token, aws-key, payment-card, iban, email, ip, phone"
        );
        for (name, suggestion) in [
            ("Phone", Some("phone")),
            ("payment_card", Some("payment-card")),
            ("private key", Some("private-key")),
            ("githubtoken", Some("github-token")),
            ("passport", None),
            ("", None),
        ] {
            let error = Kinds::named(&Kind::BUILT_IN, [name]).unwrap_err();
            assert_eq!(error.suggestion(), suggestion, "{name}");
        }
    }

    #[test]
    fn a_kind_is_its_name_in_json_and_back() {
        for kind in Kind::BUILT_IN
            .into_iter()
            .chain([Kind::Custom("staff-id".into())])
        {
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{kind}\""));
            assert_eq!(serde_json::from_str::<Kind>(&json).unwrap(), kind);
        }
    }
}
