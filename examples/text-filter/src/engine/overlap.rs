//! Makes one finding of matches that overlap.
//!
//! Each detector reports what it sees without knowing of the others: a card number inside an IBAN,
//! an address inside a private key. Covering them together is what keeps a redaction safe: cutting
//! the weaker match would leave a part of something that was recognised.

/// A match of one detector, before overlaps are resolved. A lower rank is stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rank: usize,
}

/// Covers each group of overlapping candidates by one of the group's best rank, in text order.
///
/// The candidates arrive as a few runs that are nearly in order, which the sort takes in close to
/// linear time.
pub(super) fn merge(mut candidates: Vec<Candidate>) -> impl Iterator<Item = Candidate> {
    candidates.sort_by_key(|candidate| candidate.start);
    let mut candidates = candidates.into_iter().peekable();
    std::iter::from_fn(move || {
        let mut merged = candidates.next()?;
        while let Some(next) = candidates.next_if(|next| next.start < merged.end) {
            merged.end = merged.end.max(next.end);
            merged.rank = merged.rank.min(next.rank);
        }
        Some(merged)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(candidates: &[(usize, usize, usize)]) -> Vec<(usize, usize, usize)> {
        let candidates = candidates
            .iter()
            .map(|&(start, end, rank)| Candidate { start, end, rank })
            .collect();
        merge(candidates)
            .map(|found| (found.start, found.end, found.rank))
            .collect()
    }

    #[test]
    fn overlapping_candidates_are_covered_by_one_of_the_best_rank() {
        assert_eq!(merged(&[(0, 10, 5), (2, 4, 1)]), [(0, 10, 1)]);
        assert_eq!(merged(&[(5, 12, 2), (0, 6, 3), (11, 20, 4)]), [(0, 20, 2)]);
        assert_eq!(merged(&[(3, 7, 1), (3, 9, 2)]), [(3, 9, 1)]);
    }

    #[test]
    fn candidates_that_only_touch_stay_apart() {
        assert_eq!(merged(&[(4, 8, 1), (0, 4, 2)]), [(0, 4, 2), (4, 8, 1)]);
        assert_eq!(merged(&[]), []);
    }
}
