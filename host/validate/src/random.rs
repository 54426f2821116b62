//! Random numbers that are the same for the same seed, in every version: a seed that somebody wrote down must
//! find the same again.

/// A source of numbers: SplitMix64, by Steele, Lea and Flood (2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The source for one case of one check.
    pub fn of(seed: u64, check: &str, case: u64) -> Self {
        // FNV-1a, so that checks with one seed do not see the same numbers.
        let name = check
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        let mut random = Random(seed ^ name);
        random.0 = random.draw().wrapping_add(case);
        random.draw();
        random
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: usize) -> usize {
        match end as u64 {
            0 => 0,
            // The bias is far below what a test of plugins could see.
            end => usize::try_from(self.draw() % end).unwrap_or(0),
        }
    }

    /// A number between the two, both included; `least` if they are the wrong way round.
    pub(crate) fn between(&mut self, least: i128, most: i128) -> i128 {
        let span = most.saturating_sub(least).clamp(0, i128::from(u64::MAX));
        match span.unsigned_abs().checked_add(1) {
            Some(span) => least + i128::from(self.draw()).rem_euclid(span.cast_signed()),
            None => least,
        }
    }

    /// True in one of so many cases.
    pub fn one_in(&mut self, cases: usize) -> bool {
        self.below(cases) == 0
    }

    /// One of them.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn choose<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_numbers_of_a_seed_never_change() {
        let mut random = Random::of(1, "tool-input", 0);
        let numbers = [random.draw(), random.draw()];
        assert_eq!(
            numbers,
            [11_766_889_899_512_242_987, 17_260_950_668_998_058_412]
        );
    }

    #[test]
    fn checks_and_cases_have_numbers_of_their_own() {
        let first = |check, case| Random::of(1, check, case).draw();
        assert_ne!(first("tool-input", 0), first("tool-input", 1));
        assert_ne!(first("tool-input", 0), first("config", 0));
    }

    #[test]
    fn numbers_stay_within_their_bounds_also_the_widest() {
        let mut random = Random::of(1, "", 0);
        for (least, most) in [
            (0, 0),
            (-3, 3),
            (i128::from(i64::MIN), i128::from(u64::MAX)),
            (i128::MIN, i128::MAX),
        ] {
            for _ in 0..100 {
                let number = random.between(least, most);
                assert!((least..=most).contains(&number), "{number}");
            }
        }
        assert_eq!(random.between(3, -3), 3);
    }
}
