//! Finds the known word that a mistyped one was probably meant to be.

/// Words beyond this length are no typing mistakes, and the comparison is quadratic.
const MAX_CHARS: usize = 64;

/// The hint that names a suggestion.
pub(super) fn did_you_mean(word: &str) -> String {
    format!("did you mean `{word}`?")
}

/// The candidate that is closest to `word`, if one is close enough to be what was meant.
///
/// Close enough is one mistake for every three characters, and at least one.
pub(super) fn closest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let word: Vec<char> = word.chars().take(MAX_CHARS + 1).collect();
    if word.len() > MAX_CHARS {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| {
            (
                distance(&word, &candidate.chars().collect::<Vec<_>>()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| {
            // With nothing but mistakes, two short words are just different.
            let length = candidate.chars().count().max(word.len());
            *distance <= (length / 3).max(1) && *distance < length
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The number of insertions, deletions, replacements and swaps of neighbours between two words
/// (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(last.len());
        row.push(i + 1);
        for (j, &to) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(!from.eq_ignore_ascii_case(&to));
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from == b[j - 1] && a[i - 1] == to {
                least = least.min(before_last[j - 1] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{closest, distance};

    #[test]
    fn distance_counts_each_kind_of_mistake_once() {
        let cases = [
            ("", "", 0),
            ("", "abc", 3),
            ("version", "verison", 1),
            ("tool", "tools", 1),
            ("tools", "tols", 1),
            ("tools", "toals", 1),
            ("Version", "version", 0),
            ("kitten", "sitting", 3),
        ];
        for (a, b, expected) in cases {
            let [a, b] = [a, b].map(|word| word.chars().collect::<Vec<_>>());
            assert_eq!(distance(&a, &b), expected, "{a:?} {b:?}");
            assert_eq!(distance(&b, &a), expected, "{b:?} {a:?}");
        }
    }

    #[test]
    fn only_a_close_word_is_suggested() {
        let keys = ["id", "version", "env", "min"];
        assert_eq!(closest("verison", keys), Some("version"));
        assert_eq!(closest("VERSION", keys), Some("version"));
        assert_eq!(closest("envs", keys), Some("env"));
        assert_eq!(closest("colour", keys), None);
        assert_eq!(closest("x", keys), None);
        assert_eq!(closest(&"v".repeat(100_000), keys), None);
    }
}
