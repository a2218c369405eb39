//! Chance that can be repeated: the same seed draws the same moments again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A source of numbers that look random (SplitMix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// Draws what `seed` always draws.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed of four digits, which a person can type again.
    pub fn fresh_seed() -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = now.map_or(0, |since| since.subsec_nanos());
        Self(u64::from(nanos)).next() % 9000 + 1000
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `choices`, which must not be empty.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let count = choices.len().max(1) as u64;
        choices[usize::try_from(self.next() % count).unwrap_or(0)]
    }

    /// Puts `things` into any order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        things.sort_by_cached_key(|_| self.next());
    }

    /// A time from zero to `most`, in milliseconds.
    pub fn moment(&mut self, most: Duration) -> Duration {
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX - 1);
        Duration::from_millis(self.next() % (millis + 1))
    }
}

/// Fails unless a seed draws the same plan again, and another seed another one.
#[cfg(test)]
pub fn assert_drawn_from_seed<P: PartialEq + std::fmt::Display>(draw: fn(&mut Chance) -> P) {
    let draw = |seed| draw(&mut Chance::new(seed));
    assert!(draw(3) == draw(3), "{}", draw(3));
    assert_ne!(draw(3).to_string(), draw(4).to_string());
}

/// The plans of the first seeds.
#[cfg(test)]
pub fn drawn<P>(count: u64, draw: fn(&mut Chance) -> P) -> Vec<P> {
    (0..count)
        .map(|seed| draw(&mut Chance::new(seed)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_again_and_another_seed_something_else() {
        let draw = |seed| {
            let mut chance = Chance::new(seed);
            [0; 8].map(|_: u64| chance.moment(Duration::from_secs(30)))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(
            draw(7)
                .iter()
                .all(|moment| *moment <= Duration::from_secs(30))
        );
    }

    #[test]
    fn every_choice_is_drawn_sooner_or_later() {
        let mut chance = Chance::new(1);
        let drawn: std::collections::BTreeSet<_> =
            (0..100).map(|_| chance.pick(&[1, 2, 3])).collect();
        assert_eq!(drawn.len(), 3);
    }
}
